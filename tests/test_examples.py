"""Do the short examples run as they stand, say yes and no where they should, and show nothing but what is documented?

Each is copied into a folder of its own, gets what `examples/prepare.py` makes for it, and is run as a reader would.
"""

import ast
import io
import json
import os
import re
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import tokenize
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from examples.prepare import PREPARE, prepare
from glasswing_attest import (
    Dataset,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Report,
    Source,
    Trust,
    Verifier,
    attest,
    replay,
)
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.errors import (
    FileSetDiffers,
    GlasswingError,
    KeyUntrusted,
    Mismatch,
    NoMatchingAttestation,
    NotAccepted,
    PolicyRefused,
    SourceDirty,
    SubjectMismatch,
    TrustRefused,
    UsageError,
)
from glasswing_attest.findings import Finding
from glasswing_attest.oms import sign_model
from glasswing_attest.report.report import report_schema
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.store import Evidence
from tests.test_docs import ROOT, pages_that_run

LINES = 15
EXAMPLES = sorted(path.parent.name for path in ROOT.glob("examples/*/*.py") if path.stem == path.parent.name)
SHORT = [name for name in EXAMPLES if name != "quickstart"]


class Desk:
    """A folder in which an example was prepared, and where it can be run."""

    def __init__(self, example: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.script = folder / f"{example}.py"
        self.folder = folder
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, name: str = "__main__") -> dict[str, Any]:
        """Run the script; give its names."""
        self._monkeypatch.setattr("sys.argv", [str(self.script), *arguments])
        return runpy.run_path(str(self.script), run_name=name)

    def verifier(self, policy: str = "policy.yaml", trust: str = "trust.yaml") -> Verifier:
        return Verifier(policy=Policy.load(self.folder / policy), trust=Trust.load(self.folder / trust))

    def assess(self, artifact: Artifact, evidence: Evidence, **which: str) -> Report:
        return self.verifier(**which).assess(artifact, evidence)


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk of the example that the test's name begins with; nothing on it reaches a network."""
    (example,) = [name for name in SHORT if request.node.name.startswith(f"test_{name}_")]
    folder = tmp_path / "desk"
    prepare(example, folder)
    monkeypatch.chdir(folder)
    if example != "webhook":
        monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the network was touched"))
    return Desk(example, folder, monkeypatch)


def change(path: Path) -> None:
    """Change the last byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cause(report: Report) -> Finding:
    """Why not."""
    assert report.cause is not None
    return report.cause


# --- what all of them have in common ---------------------------------------------------------------------------------


def test_there_are_ten_each_prepared_and_in_the_table() -> None:
    assert len(SHORT) == 10
    assert sorted(PREPARE) == SHORT
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[(\w+)\]\(\1/\1\.py\) \|", readme, re.MULTILINE) == ["quickstart", *PREPARE]


def lines_of_code(text: str) -> int:
    """How many lines have code on them: all but empty ones, comments and docstrings."""
    docstrings = set[int]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            docstrings |= set(range(first.lineno, (first.end_lineno or 0) + 1))
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    found = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in nothing:
            found |= set(range(token.start[0], token.end[0] + 1))
    return len(found - docstrings)


def test_lines_are_counted_as_people_count_them() -> None:
    assert (
        lines_of_code(
            '"""Doc.\n\nMore.\n"""\n\n# why\nx = (\n    1,\n)  # so\n\n\ndef f():\n    """Doc."""\n    y = """a\nb"""\n'
        )
        == 6
    )


@pytest.mark.parametrize("example", SHORT)
def test_an_example_is_short_and_says_what_it_is(example: str) -> None:
    text = (ROOT / "examples" / example / f"{example}.py").read_text(encoding="utf-8")
    assert lines_of_code(text) <= LINES
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert f"\n    python {example}.py" in docstring or f" python {example}.py" in docstring
    assert len(docstring.splitlines()[0]) > 20


def imports(text: str) -> Iterator[tuple[str, str]]:
    """Each (module, name) that a text takes from the library."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("glasswing_attest"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.startswith("glasswing_attest"))


@pytest.mark.parametrize("example", SHORT)
def test_an_example_takes_nothing_that_the_documentation_does_not_name(example: str) -> None:
    text = (ROOT / "examples" / example / f"{example}.py").read_text(encoding="utf-8")
    taken = set(imports(text))
    assert ("glasswing_attest", "Policy") in taken or example == "ci_model"
    pages = [page.read_text(encoding="utf-8") for page in pages_that_run()]
    for module, name in sorted(taken):
        assert not any(part.startswith("_") for part in (*module.split("."), name))
        assert any(re.search(rf"\b{re.escape(module)}\b", page) and re.search(rf"\b{name}\b", page) for page in pages)
    private = [n.attr for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute) and n.attr.startswith("_")]
    assert private == []


def test_both_type_checkers_read_the_examples() -> None:
    # They run in `make types`, strictly, over everything that is named here.
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tools["mypy"]["strict"] is True
    assert tools["pyright"]["typeCheckingMode"] == "strict"
    assert "examples" in tools["mypy"]["files"]
    assert "examples" in tools["pyright"]["include"]
    assert not any("examples" in str(module) for module in tools["mypy"].get("overrides", ()))
    assert not any("examples" in str(path) for path in tools["pyright"].get("ignore", ()))


# --- what each of them does ------------------------------------------------------------------------------------------


@pytest.fixture
def ci(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk as a GitHub runner."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=desk.folder, capture_output=True, text=True, check=True)
    for name, value in {
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/train",
        "GITHUB_REPOSITORY_ID": "4711",
        "GITHUB_REPOSITORY_OWNER_ID": "42",
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_WORKFLOW_REF": "acme/train/.github/workflows/train.yml@refs/heads/main",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": commit.stdout.strip(),
        "GITHUB_RUN_ID": "1",
        "GITHUB_RUN_ATTEMPT": "1",
        "RUNNER_ENVIRONMENT": "github-hosted",
        "TRAINER_KEY": (desk.folder / "trainer.key").read_text(),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("GITLAB_CI", "CIRCLECI", "BUILDKITE", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    return desk


def test_ci_model_attests_how_it_was_made_and_what_it_is(ci: Desk) -> None:
    ci.run()
    evidence = [ci.folder / "model.attestations.jsonl", ci.folder / "data.attestations.jsonl"]
    report = ci.verifier().verify(Model(ci.folder / "model"), evidence)
    (run,), (record,) = report.records(Provenance), report.records(ModelRecord)
    assert run.builder_id == "https://ci.example/trainer"
    named = {d.annotations["role"]: d.digest for d in run.resolved_dependencies}
    assert named["dataset"] == Dataset(ci.folder / "data").measure().digests
    assert named["code"] == Source(ci.folder).measure().digests
    assert (record.formats, record.parameter_count) == (("safetensors",), 12)

    left_out = ci.assess(Model(ci.folder / "model"), evidence[0])
    assert cause(left_out).code == "chain.no-attestation"
    change(ci.folder / "model" / "model-00002-of-00002.safetensors")
    with pytest.raises(SubjectMismatch) as refused:
        ci.verifier().verify(Model(ci.folder / "model"), evidence)
    assert (refused.value.code, refused.value.where) == ("verification.subject", "model model")


def test_ci_model_says_what_to_set_where_no_ci_runs_it(ci: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # As a reader would try it: what stands at its top, and the key.
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "RUNNER_"))]:
        monkeypatch.delenv(name)
    with pytest.raises(UsageError) as refused:
        ci.run()
    assert (refused.value.code, refused.value.where) == ("usage", "environ")
    assert "GITHUB_ACTIONS=true" in str(refused.value.wanted)
    exports = re.findall(r"^    export .*$", ci.script.read_text(encoding="utf-8"), re.MULTILINE)
    script = "\n".join([*exports, f"{shlex.quote(sys.executable)} ci_model.py"])
    subprocess.run(["sh", "-c", script], cwd=ci.folder, check=True)
    evidence = [ci.folder / "model.attestations.jsonl", ci.folder / "data.attestations.jsonl"]
    assert ci.verifier().verify(Model(ci.folder / "model"), evidence).accepted


def test_ci_model_is_not_attested_where_the_checkout_has_changes(ci: Desk) -> None:
    (ci.folder / "train.py").write_text("raise SystemExit(0)\n")
    with pytest.raises(SourceDirty) as refused:
        ci.run()
    assert refused.value.code == "artifact.source.dirty"
    assert not (ci.folder / "model.attestations.jsonl").exists()


def test_ci_model_is_not_attested_where_training_fails(ci: Desk) -> None:
    (ci.folder / "train.py").write_text("raise SystemExit(3)\n")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "x"], cwd=ci.folder, check=True
    )
    with pytest.raises(subprocess.CalledProcessError):
        ci.run()
    assert not (ci.folder / "model.attestations.jsonl").exists()


def test_serving_loads_what_is_verified_and_nothing_else(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    names = desk.run("models/iris", "models/penguins")
    assert capsys.readouterr().out.splitlines() == [
        "iris: 77 bytes of verified weights",
        "penguins: 77 bytes of verified weights",
    ]
    weights = desk.folder / "models" / "iris" / "model.safetensors"
    assert names["load"](weights.parent) == weights.read_bytes()
    change(weights)
    with pytest.raises(SubjectMismatch) as refused:
        names["load"](weights.parent)
    assert refused.value.where == "model iris"
    shutil.copy(desk.folder / "models/penguins.attestations.jsonl", desk.folder / "models/iris.attestations.jsonl")
    with pytest.raises(NoMatchingAttestation) as other:
        names["load"](weights.parent)
    assert (other.value.code, other.value.where) == ("verification.no-match", "model iris")


def test_serving_gives_no_bytes_that_came_after_the_verification(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    verify = Verifier.verify

    def swapped(self: Verifier, artifact: Artifact, evidence: Evidence = ()) -> Report:
        report = verify(self, artifact, evidence)
        change(Path("models/iris/model.safetensors"))
        return report

    monkeypatch.setattr(Verifier, "verify", swapped)
    with pytest.raises(Mismatch) as refused:
        desk.run("models/iris")
    assert refused.value.code == "verification.mismatch"
    assert refused.value.where.endswith("/models/iris/model.safetensors")


def test_dataset_manifest_is_read_in_parts(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run("publish")
    for path in desk.folder.glob("corpus/part-[02].csv"):
        path.unlink()  # whoever reads one file needs no other
    desk.run("read", "part-1.csv")
    assert capsys.readouterr().out == "1,0\n1,1\n"
    change(desk.folder / "corpus" / "part-1.csv")
    with pytest.raises(Mismatch) as refused:
        desk.run("read", "part-1.csv")
    assert (refused.value.code, refused.value.where) == ("verification.mismatch", "corpus/part-1.csv")


def test_dataset_manifest_of_somebody_else_is_refused(desk: Desk) -> None:
    desk.run("publish")
    key = (desk.folder / "data-team.key").read_bytes()
    (desk.folder / "data-team.key").unlink()
    KeySigner.generate().write(desk.folder / "data-team.key")
    assert (desk.folder / "data-team.key").read_bytes() != key
    desk.run("publish")
    with pytest.raises(KeyUntrusted) as refused:
        desk.run("read", "part-1.csv")
    assert (refused.value.code, refused.value.where) == ("verification.key-untrusted", "dataset corpus")


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def test_webhook_answers_with_the_report(desk: Desk) -> None:
    answer = desk.run(name="webhook")["answer"]
    server = make_server("127.0.0.1", 0, answer, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()

    def asked(path: str) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{path}", timeout=20) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    try:
        status, said = asked(f"dirHash:{Model(desk.folder / 'model').measure().digests.get('dirHash')}")
        assert (status, said["verdict"], said["schema"]) == (200, "accepted", report_schema()["$id"])
        status, said = asked(f"dirHash:{'0' * 64}")
        assert (status, said["verdict"], said["findings"][0]["code"]) == (403, "refused", "chain.no-attestation")
        assert asked("")[0] == 400
        status, said = asked("dirHash:short")
        assert (status, said["code"]) == (400, "malformed.digest")
        shutil.rmtree(desk.folder / "evidence")
        status, said = asked(f"dirHash:{Model(desk.folder / 'model').measure().digests.get('dirHash')}")
        assert (status, said["verdict"], said["findings"][0]["code"]) == (403, "undecided", "unavailable.store")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_air_gap_is_crossed_by_what_was_packed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run("pack")
    told = capsys.readouterr().out.split()
    desk.run("verify", *told)
    said = capsys.readouterr().out
    assert said.startswith("Report(accepted: model model ")
    assert said.endswith("what decided is in case.zip\n")
    assert replay("case.zip", policy_sha256=told[0], trust_sha256=told[1]).accepted

    for other in (["0" * 64, told[1]], [told[0], "0" * 64], told[::-1], []):
        with pytest.raises(SystemExit, match="is not the one that was packed"):
            desk.run("verify", *other)
    change(desk.folder / "disk" / "model" / "config.json")
    with pytest.raises(SubjectMismatch) as refused:
        desk.run("verify", *told)
    assert refused.value.where == "model model"


def test_key_rotation_keeps_what_was_signed_and_no_more(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    evidence = desk.folder / "model.attestations.jsonl"
    before = evidence.read_bytes()
    desk.run()
    assert capsys.readouterr().out.startswith("model.attestations.jsonl: accepted by the new key")
    after = evidence.read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 1  # the run, and not what the data team said

    only_new = after[len(before) :]
    assert desk.assess(Model("model"), after, trust="trust-2027.yaml").accepted
    refused = desk.assess(Model("model"), before, trust="trust-2027.yaml")
    assert cause(refused).code == "verification.key-untrusted"
    # The data team's own word is needed still: it was not put into the trainer's mouth.
    missing = desk.assess(Model("model"), only_new, trust="trust-2027.yaml")
    assert cause(missing).subject == "dataset data"


def test_key_rotation_signs_nothing_that_was_not_accepted(desk: Desk) -> None:
    change(desk.folder / "model" / "config.json")
    before = (desk.folder / "model.attestations.jsonl").read_bytes()
    with pytest.raises(SubjectMismatch):
        desk.run()
    assert (desk.folder / "model.attestations.jsonl").read_bytes() == before
    assert not (desk.folder / "trainer-2027.key").exists()


def test_two_teams_are_asked_for(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run()
    assert capsys.readouterr().out.startswith("model.quality.json: quality has signed the same statement")
    (alone, both) = (
        desk.assess(Model("model"), e) for e in (["model.training.json"], list(desk.folder.glob("*.json")))
    )
    assert both.accepted
    assert cause(alone).code == "policy.threshold"
    with pytest.raises(NotAccepted) as refused:
        alone.require()
    assert refused.value.rule == "nodes.model.signed_by"


def test_two_teams_do_not_sign_what_one_of_them_does_not_mean(desk: Desk) -> None:
    training = KeySigner.from_file("training.key")
    attest(Model("model"), ModelRecord(name="iris", license="LicenseRef-secret"), signer=training).write(
        "model.training.json"
    )
    with pytest.raises(SystemExit, match="quality does not sign for the licence LicenseRef-secret"):
        desk.run()
    assert not Path("model.quality.json").exists()


def test_two_teams_begin_with_the_first(desk: Desk) -> None:
    attest(Model("model"), ModelRecord(name="iris"), signer=KeySigner.generate()).write("model.training.json")
    with pytest.raises(KeyUntrusted) as refused:
        desk.run()
    assert (refused.value.code, refused.value.where) == ("verification.key-untrusted", "model model")


def test_fine_tune_leads_to_the_signature_of_the_base_model(desk: Desk) -> None:
    desk.run()
    report = desk.verifier().verify(Model("tuned"), ["tuned.attestations.jsonl", "base.sig"])
    assert report.depth == "transitive"
    assert report.graph is not None
    assert [(n.name, n.state) for n in report.graph.nodes if n.kind == "baseModel"] == [("base", "verified")]
    without = desk.assess(Model("tuned"), "tuned.attestations.jsonl")
    assert cause(without).subject == "baseModel base"


def test_fine_tune_runs_nothing_of_what_is_not_theirs(desk: Desk) -> None:
    Path("base", "run.py").write_text("")
    with pytest.raises(FileSetDiffers) as refused:
        desk.run()
    assert refused.value.code == "verification.file-set"
    sign_model("base", signer=KeySigner.generate(), signature="base.sig")
    with pytest.raises(KeyUntrusted):
        desk.run()
    assert not Path("tuned").exists()


def test_oci_image_is_run_by_the_digest_that_was_verified(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    reference = Path("reference.txt").read_text().strip()
    desk.run(reference)
    assert capsys.readouterr().out.strip() == reference

    name, _, digest = reference.partition("@")
    with pytest.raises(SystemExit, match=r"^not to be run: .* \[malformed\.digest\]$"):
        desk.run(f"{name}:v1")
    layer = json.loads(Path("image/blobs/sha256", digest.partition(":")[2]).read_text())["layers"][0]["digest"]
    with pytest.raises(SystemExit, match=r"^not to be run: .*\[verification\.subject\]$"):
        desk.run(f"{name}@{layer}")  # a blob of the image is not the image
    with pytest.raises(SystemExit, match=r"^not to be run: "):
        desk.run(f"{name}@")


def test_oci_image_of_a_lower_level_is_not_run(desk: Desk) -> None:
    policy = Path("policy.yaml").read_text()
    lower = policy.replace("signed_by: [builder], level: 3", "signed_by: [builder], level: 2")
    assert lower != policy
    Path("policy.yaml").write_text(lower)
    with pytest.raises(SystemExit, match=r"^not to be run: .*level 2.* \[not-accepted\]$"):
        desk.run(Path("reference.txt").read_text().strip())


def test_replay_verdict_tells_then_from_now(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.run()
    then, now, *findings = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: accepted, of dirHash:[0-9a-f]{12}", then)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d: refused", now)
    assert then[:10] < now[:10]
    assert findings[0].startswith("  verification.key-untrusted: model model: ")


@pytest.mark.parametrize(("digest", "error"), [("policySha256", PolicyRefused), ("trustSha256", TrustRefused)])
def test_replay_verdict_believes_the_log_alone(desk: Desk, digest: str, error: type[GlasswingError]) -> None:
    told = json.loads(Path("verdict.json").read_text())
    told["inputs"][digest] = "0" * 64
    Path("verdict.json").write_text(json.dumps(told))
    with pytest.raises(error):
        desk.run()
