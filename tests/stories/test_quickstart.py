"""Does the first thing that strangers run tell a true story, and would it notice if the story were false?"""

import functools
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasswing_attest import (
    Dataset,
    GlasswingError,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Report,
    Source,
    Trust,
    Verifier,
)
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.errors import KeyUntrusted, NoMatchingAttestation, SignatureInvalid, SubjectMismatch
from glasswing_attest.statement.predicates.provenance import Provenance

ROOT = Path(__file__).resolve().parent.parent.parent
QUICKSTART = ROOT / "examples" / "quickstart"
TRAINING_RUN = "https://glasswing-attest.readthedocs.io/build-types/training-run/v1"

# An audit hook sees every socket that Python code makes or resolves a name for, however it got hold of the class.
RUN = """
import runpy, sys

def no_network(event, _):
    if event.startswith("socket."):
        raise RuntimeError(f"the network was touched: {event}")

sys.addaudithook(no_network)
PREPARE
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""

# A verifier that gives its first answer for ever: what the quickstart must not be content with.
BLIND = """
from glasswing_attest import Verifier

real, answers = Verifier.verify, {}

def verify(self, artifact, *arguments, **options):
    if artifact.kind not in answers:
        answers[artifact.kind] = real(self, artifact, *arguments, **options)
    return answers[artifact.kind]

Verifier.verify = verify
"""


@functools.cache
def cut_off() -> tuple[str, ...]:
    """What to put before a command so that it has no network at all, git included; nothing where that is not to be had.

    The audit hook is there in any case.
    """
    command = ("unshare", "--map-root-user", "--net")
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
        return command
    return ()


def run(script: Path, *arguments: str, prepare: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script without a network, any warning an error."""
    program = RUN.replace("PREPARE", prepare)
    command = [*cut_off(), sys.executable, "-X", "utf8", "-W", "error", "-c", program, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """The story as it was told: what was printed, and the folder that it left behind."""

    printed: str
    folder: Path

    @property
    def evidence(self) -> Path:
        return self.folder / "model.attestations.jsonl"

    def artifacts(self) -> tuple[Artifact, ...]:
        return (
            Model(self.folder / "model", name="penguin-classifier"),
            Dataset(self.folder / "data", name="palmer-penguins"),
            Source(self.folder / "code", name="penguin-training"),
        )

    def verify(self, artifact: Artifact, *, evidence: Path | None = None, trust: Trust | None = None) -> Report:
        verifier = Verifier(
            policy=Policy.load(self.folder / "verifier" / "policy.yaml"),
            trust=trust or Trust.load(self.folder / "verifier" / "trust.yaml"),
        )
        return verifier.verify(artifact, evidence or self.evidence)


def files_of_the_example() -> list[Path]:
    """All but what `make quickstart` may be making meanwhile."""
    return sorted(path for path in QUICKSTART.rglob("*") if QUICKSTART / "out" not in (path, *path.parents))


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("quickstart") / "out"
    before = files_of_the_example()
    finished = run(QUICKSTART / "quickstart.py", str(folder))
    assert (finished.returncode, finished.stderr) == (0, ""), f"{finished.stdout}\n{finished.stderr}"
    # Told elsewhere, it leaves nothing in the checkout: no __pycache__, no model, no key.
    assert files_of_the_example() == before
    return Told(printed=finished.stdout, folder=folder)


def test_without_a_network_means_without(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import socket\nsocket.create_connection(('127.0.0.1', 9))\n")
    finished = run(script)
    assert finished.returncode == 1
    assert "RuntimeError: the network was touched: socket." in finished.stderr


def test_each_of_the_four_changes_is_refused_for_its_reason_and_what_is_restored_is_accepted(told: Told) -> None:
    tale = told.printed.split("Somebody changes one byte\n")[1]
    found = re.findall(
        r"\.\.\. of (.*), in (\S+)\n +refused: (\w+), (\S+)\n +(.*?): .*\n +restored: (\w+)\n", tale, re.MULTILINE
    )
    subject = (SubjectMismatch.__name__, SubjectMismatch.code)
    signature = (SignatureInvalid.__name__, SignatureInvalid.code)
    assert found == [
        ("the dataset", "data/penguins.csv", *subject, "dataset palmer-penguins", "accepted"),
        ("the model", "model/model.safetensors", *subject, "model penguin-classifier", "accepted"),
        ("a statement", "model.attestations.jsonl", *signature, "model penguin-classifier", "accepted"),
        ("a signature", "model.attestations.jsonl", *signature, "model penguin-classifier", "accepted"),
    ]


def test_a_verifier_that_notices_nothing_is_noticed(tmp_path: Path) -> None:
    finished = run(QUICKSTART / "quickstart.py", str(tmp_path / "out"), prepare=BLIND)
    assert finished.returncode == 1
    assert finished.stderr.strip() == "NOT REFUSED: the dataset was changed, and nobody noticed"


def test_the_chain_is_told_as_the_readme_shows_it(told: Told) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(ACCEPTED: model penguin-classifier.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    pattern = ".*".join(re.escape(part.rstrip()) for part in shown.strip().split("..."))
    assert re.search(pattern, told.printed), f"{told.printed}\n--- but README.md shows:\n{shown}"


def test_what_it_leaves_behind_verifies(told: Told) -> None:
    model, dataset, source = told.artifacts()
    report = told.verify(model)
    assert (report.accepted, report.depth, report.policy.times) == (True, "transitive", "claimed")
    (run_of_training,) = report.records(Provenance)
    assert run_of_training.build_type == TRAINING_RUN
    named = {d.annotations["role"]: d.digest for d in run_of_training.resolved_dependencies}
    assert named == {"dataset": dataset.measure().digests, "code": source.measure().digests}
    # Every reference of the parameters by name leads to one dependency, as docs/spec/training-run.md wants.
    names = [d.name for d in run_of_training.resolved_dependencies]
    parameters = run_of_training.external_parameters
    assert (parameters["code"], parameters["datasets"]) == ({"name": names[1]}, [{"name": names[0]}])
    (said,) = report.records(ModelRecord)
    assert [e.value for e in said.evaluations] == ["0.9853"]
    assert told.verify(dataset).accepted
    assert told.verify(source).accepted


def test_every_attestation_is_needed(told: Told, tmp_path: Path) -> None:
    lines = told.evidence.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    refused_at = []
    for number in range(len(lines)):
        fewer = tmp_path / f"{number}.jsonl"
        fewer.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        with pytest.raises(NoMatchingAttestation) as refusal:
            told.verify(told.artifacts()[0], evidence=fewer)
        assert refusal.value.code == "verification.no-match"
        refused_at.append(refusal.value.where)
    model = "model penguin-classifier"
    assert refused_at == ["dataset palmer-penguins", "code penguin-training", model, model]


@pytest.mark.parametrize(
    ("role", "about"),
    [("data-team", "dataset palmer-penguins"), ("developer", "code penguin-training"), ("trainer", "model")],
)
def test_no_other_key_will_do_in_a_role(told: Told, role: str, about: str) -> None:
    keys = {k.name: k.key for k in Trust.load(told.folder / "verifier" / "trust.yaml").keys}
    assert set(keys) == {"data-team", "developer", "trainer"}
    stranger = Trust.of({**keys, role: KeySigner.generate().public_key})
    with pytest.raises(GlasswingError) as refusal:
        told.verify(told.artifacts()[0], trust=stranger)
    assert (type(refusal.value), refusal.value.code) == (KeyUntrusted, "verification.key-untrusted")
    assert refusal.value.where.startswith(about)


def test_nobody_signs_in_the_place_of_another(told: Told) -> None:
    # The trainer's key under the name of the data team, and the other way round: both trusted, neither for that.
    keys = {k.name: k.key for k in Trust.load(told.folder / "verifier" / "trust.yaml").keys}
    swapped = Trust.of({**keys, "data-team": keys["trainer"], "trainer": keys["data-team"]})
    with pytest.raises(GlasswingError) as refusal:
        told.verify(told.artifacts()[0], trust=swapped)
    assert refusal.value.code == "not-accepted"
    assert refusal.value.where == "model penguin-classifier"


def test_private_keys_are_readable_by_their_owner_only(told: Told) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in (told.folder / "keys").iterdir()}
    assert modes == {"data-team.pem": 0o600, "developer.pem": 0o600, "trainer.pem": 0o600}
    for path in (told.folder / "verifier").iterdir():
        assert "PRIVATE" not in path.read_text(encoding="utf-8")


def test_the_commit_is_the_same_whatever_git_is_told_here(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(
        "[commit]\n\tgpgSign = true\n[core]\n\tautocrlf = true\n\thooksPath = /nowhere\n[init]\n\tx = 1\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    finished = run(QUICKSTART / "quickstart.py", str(tmp_path / "out"))
    assert (finished.returncode, finished.stderr) == (0, "")
    commits = re.findall(r"code penguin-training  gitCommit:([0-9a-f]+)", told.printed + finished.stdout)
    assert len(commits) == 2
    assert commits[0] == commits[1]


def test_it_never_writes_over_a_folder_that_it_was_given(told: Told) -> None:
    before = told.evidence.read_bytes()
    finished = run(QUICKSTART / "quickstart.py", str(told.folder))
    assert finished.returncode == 1
    assert finished.stderr.strip() == f"{told.folder} is there already: name a new folder"
    assert told.evidence.read_bytes() == before


def test_private_keys_do_not_get_into_a_source_distribution() -> None:
    # The builder leaves out what the checkout's own .gitignore names; a .gitignore further down it does not read.
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    made = 'folder = HERE / "out"'
    assert made in (QUICKSTART / "quickstart.py").read_text(encoding="utf-8")
    assert "/examples/quickstart/out/" in ignored
