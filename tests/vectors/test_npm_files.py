"""Does the evidence of a real npm package, which names it by sha512 alone, prove the tarball that lies on the disk?"""

import base64
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from glasswing_attest import File, Policy, Trust, Verifier
from glasswing_attest._cli import main
from glasswing_attest.keys import PublicKey
from tests.shared import Case, cases

PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"


def asked(folder: Path) -> tuple[str, dict[str, PublicKey]]:
    """A policy that asks for what the registry says of every package, and the registry's keys."""
    listed = json.loads((folder / "_trust" / "npm.keys.json").read_bytes())["keys"]
    keys = {f"npm-{i}": PublicKey.from_pem(base64.b64decode(k["publicKey"]["rawBytes"])) for i, k in enumerate(listed)}
    identities = ", ".join(f"{name}: {{key: {name}}}" for name in keys)
    rule = f"{{predicate: '{PUBLISH}', signed_by: {{any_of: [{', '.join(keys)}]}}}}"
    words = f"version: 1\ntimes: claimed\nidentities: {{{identities}}}\nnodes: {{file: {{require: [{rule}]}}}}\n"
    return words, keys


@pytest.mark.parametrize("case", cases("slsa-npm"))
def test_a_tarball_is_proved_by_its_sha512(case: Case, shared_data: Path, tmp_path: Path) -> None:
    # What is refused for its builder, source or name is refused by a policy that asks for them; here it is asked only
    # whether the registry took these bytes.
    policy, keys = asked(shared_data)
    verifier = Verifier(policy=Policy.parse(policy.encode()), trust=Trust.of(**keys))
    tarball, evidence = shared_data / case.files["artifact"], shared_data / case.files["attestations"]
    report = verifier.assess(File(tarball), [evidence])
    if "invalidsigpub" in case.files["attestations"]:
        assert (case.expect, case.raw["stage"]) == ("reject", "signature")
        assert not report.accepted
        assert report.cause is not None
        assert report.cause.code == "chain.no-attestation"
        assert report.artifact.digests.get("sha512") is None  # nobody who is trusted asked for it
        return
    assert report.accepted
    assert report.artifact.digests.get("sha256") in case.params["artifact_sha256"]
    assert report.artifact.digests.get("sha512") == hashlib.sha512(tarball.read_bytes()).hexdigest()
    other = tmp_path / "other.tgz"
    other.write_bytes(tarball.read_bytes() + b"\0")
    refused = verifier.assess(File(other), [evidence])
    assert not refused.accepted
    assert refused.cause is not None
    assert refused.cause.code == "chain.no-attestation"


def test_the_command_needs_no_digest(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = next(p.values[0] for p in cases("slsa-npm") if p.values[0].expect == "accept")
    policy, keys = asked(shared_data)
    (tmp_path / "policy.yaml").write_text(policy)
    trusted = "".join(f"  {name}: {{file: {name}.pub}}\n" for name in keys)
    (tmp_path / "trust.yaml").write_text(f"version: 1\nkeys:\n{trusted}")
    for name, key in keys.items():
        (tmp_path / f"{name}.pub").write_text(key.pem)
    tarball = shutil.copy(shared_data / case.files["artifact"], tmp_path / "package.tgz")
    words = ["--policy", tmp_path / "policy.yaml", "--trust", tmp_path / "trust.yaml", "--kind", "file"]
    words += ["--evidence", shared_data / case.files["attestations"], "--case", tmp_path / "case.zip", tarball]
    assert main(["verify", "--quiet", *map(str, words)]) == 0
    assert main(["replay", "--quiet", str(tmp_path / "case.zip")]) == 0
    Path(tarball).write_bytes(b"another")
    assert main(["verify", "--quiet", *map(str, words)]) == 1
    assert "chain.no-attestation" in capsys.readouterr().err
