"""Does the client give the answers of OMS's conformance suite?

The suite signs with a client and verifies with the same, and has bundles that others made. Its keys are not shipped, so
they are made here, of the same kinds. Sigstore's round trips need a token, so they are the suite's own to run.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Attestation, KeySigner
from glasswing_attest.statement.predicates.oms import ModelSignature
from tests.chains import signer
from tests.conftest import SOURCE
from tests.private_pki import Pki, pem
from tests.shared import Case, cases

CLIENT = Path(__file__).with_name("oms_client")
MT = "model-transparency/scripts/tests/keys/certificate"

# Refused here although the suite accepts them, with the reason.
DECISIONS = {
    "oms-conformance:roundtrip/certificate-self-signed": "a self-signed certificate is a key that nobody stands for: "
    "whoever believes it names it as a key",
}
_TOKEN = "needs a live token of an identity provider"
ONLINE = {
    f"oms-conformance:roundtrip/sigstore-{name}": _TOKEN
    for name in ("ignore-paths", "multi-file", "sig-inside-model", "simple", "single-file")
}


@pytest.fixture(autouse=True)
def _no_root_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLASSWING_CONFORMANCE_ROOT", "GLASSWING_CONFORMANCE_STAGING_ROOT"):
        monkeypatch.delenv(name, raising=False)


def client() -> Any:
    """The client as a module: it has no suffix."""
    loader = SourceFileLoader("oms_client", str(CLIENT))
    spec = spec_from_loader("oms_client", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates where the suite has its own, of the same kinds."""
    folder = tmp_path_factory.mktemp("keys")
    pki = Pki()
    # As the suite's: no alternative name, and a leaf that says it is a CA.
    leaf = pki.leaf(san=None, says_ca=True)
    own = pki.ca("self", pki.leaf_key, None, pki.leaf_key)
    for name, content in {
        "certificate/signing-key.pem": pki.leaf_key_pem,
        "certificate/signing-key-pub.pem": KeySigner(pki.leaf_key).public_key.pem.encode(),
        "certificate/signing-key-cert.pem": pem(leaf),
        "certificate/int-ca-cert.pem": pem(pki.intermediate),
        "certificate/ca-cert.pem": pki.root_pem,
        "self-signed/signing-key.pem": pki.leaf_key_pem,
        "self-signed/signing-cert.pem": pem(own),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "p384").mkdir()
    other = signer("oms p384", "ecdsa-p384")
    other.write(folder / "p384/signing-key.pem")
    (folder / "p384/signing-key-pub.pem").write_text(other.public_key.pem)
    return folder


def arguments(said: Mapping[str, Any], keys: Path, model: Path) -> list[str]:
    """The options of one command, as the suite gives them."""
    found = []
    for name in ("private_key", "signing_cert", "public_key"):
        if name in said:
            found += [f"--{name.replace('_', '-')}", str(keys / said[name].removeprefix("keys/"))]
    for path in said.get("cert_chain", ()):
        found += ["--cert-chain", str(keys / path.removeprefix("keys/"))]
    for path in said.get("ignore_paths", ()):
        found += ["--ignore-paths", str(model / path)]
    return found + (["--ignore-unsigned-files"] if said.get("ignore_unsigned_files") else [])


@pytest.mark.parametrize("case", cases("oms-roundtrip", skip=ONLINE))
def test_what_the_client_signs_it_verifies(case: Case, keys: Path, shared_data: Path, tmp_path: Path) -> None:
    main = client().main
    model = tmp_path / "model"
    shutil.copytree(shared_data / case.files["model"], model)
    for name, target in case.params.get("model_modifications", {}).get("symlinks", {}).items():
        (model / name).symlink_to(target)
    bundle = tmp_path / "bundle.sig"
    common = ["--method", case.params["method"], "--model-path", str(model)]
    # The suite leaves out at signing what it leaves out at verifying.
    ignored = [
        word for path in case.params["verify"].get("ignore_paths", ()) for word in ("--ignore-paths", str(model / path))
    ]
    sign = ["sign-model", *common, "--output-bundle", str(bundle), *arguments(case.params["sign"], keys, model)]
    verify = ["verify-model", *common, "--bundle", str(bundle), *arguments(case.params["verify"], keys, model)]
    signed = main([*sign, *ignored])
    if case.expect == "reject" or case.id in DECISIONS:
        assert signed == 1
        assert not bundle.exists()
        return
    assert signed == 0
    told = ModelSignature.from_predicate(Attestation.load(bundle).statement_unverified.predicate_node)
    assert [resource.name for resource in told.resources] == sorted(case.params["expected_signed_files"])
    first = bundle.read_bytes()
    assert main(verify) == 0
    # The signature differs, the payload does not.
    assert main([*sign, *ignored]) == 0
    assert json.loads(first)["dsseEnvelope"]["payload"] == json.loads(bundle.read_bytes())["dsseEnvelope"]["payload"]
    # One more file is refused, or let pass where the suite says so.
    (model / "added.bin").write_bytes(b"added")
    assert main(verify) == (0 if case.params["verify"].get("ignore_unsigned_files", False) else 1)


def test_every_decision_is_about_a_case_that_is_there(shared_data: Path) -> None:
    every = {p.values[0].id for p in cases("oms-roundtrip")}
    assert len(every) == 19
    assert {*DECISIONS, *ONLINE} <= every


@pytest.mark.parametrize("case", cases("oms", corpus="oms-conformance"))
def test_the_client_verifies_what_others_signed(
    case: Case, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = dict(case.params["verify"])
    model = shared_data / case.files["model"]
    if changes := case.params.get("model_modifications"):
        shutil.copytree(model, model := tmp_path / "model")
        for name in changes.get("delete", ()):
            (model / name).unlink()
        for name, text in {**changes.get("inject", {}), **changes.get("tamper", {})}.items():
            (model / name).write_text(text)
    words = ["verify-model", "--method", case.params["method"], "--model-path", str(model)]
    words += ["--bundle", str(shared_data / case.files["bundle"])]
    if "public_key" in said:
        words += ["--public-key", str(shared_data / MT / "signing-key-pub.pem")]
    if "cert_chain" in said:
        words += ["--cert-chain", str(shared_data / MT / "ca-cert.pem")]
    if "identity" in said:
        words += ["--identity", said["identity"], "--identity-provider", said["identity_provider"]]
    for path in said.get("ignore_paths", ()):
        words += ["--ignore-paths", str(model / path)]
    monkeypatch.setenv("GLASSWING_CONFORMANCE_ROOT", str(shared_data / "_trust" / "prod.trusted_root.json"))
    assert client().main(words) == (0 if case.expect == "accept" else 1)


def test_a_call_that_makes_no_sense_is_no_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main = client().main
    model = ["--model-path", str(tmp_path)]
    with pytest.raises(SystemExit) as left:
        main(["verify-model", "--method", "pgp", *model, "--bundle", "x"])
    assert left.value.code == 2
    for words, told in (
        (["verify-model", "--method", "key", *model, "--bundle", "x"], "--public-key"),
        (["verify-model", "--method", "certificate", *model, "--bundle", "x"], "--cert-chain"),
        (["verify-model", "--method", "sigstore", *model, "--bundle", "x"], "GLASSWING_CONFORMANCE_ROOT"),
        (["sign-model", "--method", "key", *model, "--output-bundle", "x"], "--private-key"),
        (["sign-model", "--method", "sigstore", *model, "--output-bundle", "x"], "it could not be signed"),
    ):
        capsys.readouterr()
        assert main(words) == 1
        assert told in capsys.readouterr().err


def test_the_client_is_a_program(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run(
        [sys.executable, CLIENT, "verify-model", "--method", "key", "--model-path", tmp_path, "--bundle", "nowhere"],
        capture_output=True,
        env=environment,
    )
    assert done.returncode == 1
