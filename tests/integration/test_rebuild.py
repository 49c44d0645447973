"""Can the environment of a training run be made again, from nothing but its verified provenance?

Real packages, from the package index; without one, the tests skip. An environment is made from a lock, a model is
trained in it and attested. Then a second environment is made from what the verified provenance says: it must be the
same, file by file, and the same training must give the same model.
"""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from glasswing_attest import Build, Dataset, KeySigner, Model, Policy, Report, Trust, attest, verify
from glasswing_attest.appraisal.dependencies import check
from glasswing_attest.artifact.environment import Environment
from glasswing_attest.artifact.lock import Lock, enriched
from glasswing_attest.findings import Tier
from glasswing_attest.records.dependencies import DependencyRecord
from glasswing_attest.statement.predicates.provenance import Provenance
from tests.shared import ROOT

QUICKSTART = ROOT / "examples" / "quickstart"
LIBRARY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
PIPELINE = '''\
"""Trains a pipeline, and writes what it has learned as text."""

import json
import sys
from pathlib import Path

from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rows, labels = make_classification(n_samples=200, n_features=5, random_state=int(Path(sys.argv[1], "seed").read_text()))
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, labels)
learned = {name: getattr(step, "coef_", getattr(step, "mean_", None)).tolist() for name, step in model.steps}
target = Path(sys.argv[2])
target.mkdir()
target.joinpath("model.json").write_text(json.dumps(learned, sort_keys=True))
'''
POLICY = b"""
version: 1
times: claimed
identities: {trainer: {key: trainer}}
nodes:
  model:
    require:
      - predicate: https://slsa.dev/provenance/v1
        signed_by: {any_of: [trainer]}
        expect: {builder: https://ci.example/trainer, build_type: https://example.com/train/v1}
        inputs: {dataset: {exactly: 1}, dependency: {min: 1}}
  dataset: {trim: {reason: made by this test}}
  dependency: {trim: {reason: what this test is about}}
"""

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> str:
    tries = 3 if "pip" in command else 1  # an index may be away for a moment
    while True:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
        tries -= 1
        if done.returncode == 0 or not tries:
            break
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A pip that can lock, in an environment of its own."""
    folder = tmp_path_factory.mktemp("pip")
    run(sys.executable, "-m", "venv", folder)
    command = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    upgraded = subprocess.run([*command, "install", "pip>=25.1"], capture_output=True, text=True, timeout=600)
    if upgraded.returncode != 0:
        pytest.skip("the package index cannot be reached")
    return command


def environment(pip: Sequence[str], folder: Path, requirements: str) -> Environment:
    """A new environment with exactly these packages, and no installer."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    listed = folder.with_suffix(".txt")
    listed.write_text(requirements)
    run(*pip, "--python", folder / "bin" / "python", "install", "--no-deps", "--require-hashes", "-r", listed)
    return Environment(folder)


def trained(python: Path, program: Path, data: Path, folder: Path) -> Model:
    run(python / "bin" / "python", "-I", program, data, folder)
    return Model(folder)


def provenance_of(report: Report) -> Provenance:
    (claim,) = [c for c in report.claims if isinstance(c.predicate, Provenance)]
    assert isinstance(claim.predicate, Provenance)
    return claim.predicate


@pytest.mark.parametrize(
    ("wanted", "program"),
    [(["scikit-learn"], PIPELINE), (LIBRARY, (QUICKSTART / "code" / "train.py").read_text())],
    ids=["scikit-learn", "quickstart"],
)
def test_the_environment_of_a_run_is_made_again_from_its_provenance(
    wanted: list[str], program: str, pip: list[str], tmp_path: Path
) -> None:
    run(*pip, "lock", "--output", tmp_path / "pylock.toml", *wanted)
    lock = Lock.load(tmp_path / "pylock.toml")
    here = environment(pip, tmp_path / "here", DependencyRecord.from_lock(lock).to_requirements())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "seed").write_text("7")
    shutil.copy(QUICKSTART / "data" / "penguins.csv", tmp_path / "data")
    (tmp_path / "train.py").write_text(program)

    with Build("https://ci.example/trainer", build_type="https://example.com/train/v1") as build:
        build.use(Dataset(tmp_path / "data"), role="dataset")
        build.use_environment(here, packages=enriched(here.packages(), lock, here.markers))
        build.output(trained(tmp_path / "here", tmp_path / "train.py", tmp_path / "data", tmp_path / "model"))
    signer = KeySigner.generate()
    signed = attest(build.outputs, build.provenance(), signer=signer)

    trust = Trust.of({"trainer": signer.public_key})
    report = verify(Model(tmp_path / "model"), signed, policy=Policy.parse(POLICY), trust=trust)
    told = DependencyRecord.from_dependencies(provenance_of(report).resolved_dependencies)
    assert {p.name for p in told.packages} >= {canonicalize_name(Requirement(line).name) for line in wanted}
    there = environment(pip, tmp_path / "there", told.to_requirements())

    assert there.measure().digests == here.measure().digests
    # Which wheel was installed cannot be seen afterwards, nor what an installer compiled: that is said, and no more.
    found = {f.code for f in check(there.read(), told) if f.tier > Tier.AFFIRMING}
    assert found <= {"deps.digest-unproved", "deps.bytecode"}
    again = trained(tmp_path / "there", tmp_path / "train.py", tmp_path / "data", tmp_path / "again")
    assert again.measure().digests == report.artifact.digests
