"""Does the client give the answers of sigstore-conformance, and refuse each case for that case's own reason?

The part of the suite that is shared with us runs in this process: each case by path and by digest, as the suite does,
and not one is expected to fail.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import errors
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import FieldRefused, GlasswingError, KeyUntrusted, NotAccepted, NotLogged, UnavailableError
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.verification.merkle import inclusion_root, leaf_hash
from glasswing_attest.verification.note import Checkpoint
from tests.served import Served
from tests.shared import Case, cases

CLIENT = Path(__file__).with_name("client")
CORPUS = "sigstore-conformance"

_V1 = "canonicalizedBody.spec"
_V2 = "canonicalizedBody.spec.hashedRekordV002"

# What each case must be refused for: derived from what the case says that it is, and where in it that stands.
REFUSED: dict[str, tuple[type[GlasswingError], str, str]] = {
    # The bundle cannot be read.
    "bundle-invalid-base64-signature_fail": (errors.Base64Refused, "malformed.base64", "$.messageSignature.signature"),
    "bundle-malformed-json_fail": (errors.NotJson, "malformed.json", "$"),
    "bundle-negative-log-index_fail": (
        errors.FieldRefused,
        "malformed.field",
        "$.verificationMaterial.tlogEntries[0].logIndex",
    ),
    "bundle-unknown-version_fail": (errors.MediaTypeUnsupported, "unsupported.media-type", "$.mediaType"),
    "bundle-with-root-cert_fail": (
        errors.FieldRefused,
        "malformed.field",
        "$.verificationMaterial.x509CertificateChain",
    ),
    # The key.
    "managed-key-no-key_fail": (errors.KeyUntrusted, "verification.key-untrusted", "$.messageSignature"),
    # The file key.pub of this case is no key at all; a wrong one that is a key stands in a test of its own below.
    "managed-key-wrong-key_fail": (errors.NotPem, "malformed.pem", "<key>"),
    # The signature and what it is over.
    "signature-mismatch_fail": (errors.SignatureInvalid, "verification.signature", "$.messageSignature"),
    "rekor2-dsse-invalid-sig_fail": (errors.SignatureInvalid, "verification.signature", "$.signatures"),
    # The bundle says of which artifact it is before its signature says so: that is compared first.
    "wrong-material_fail": (errors.SubjectMismatch, "verification.subject", "$.messageSignature.messageDigest"),
    # The log's entry is about another signature.
    "wrong-hashedrekord-artifact_fail": (errors.NotLogged, "verification.not-logged", f"{_V1}.data.hash.value"),
    "wrong-hashedrekord-entry_fail": (errors.NotLogged, "verification.not-logged", f"{_V1}.data.hash.value"),
    "wrong-hashedrekord-cert-and-sig_fail": (
        errors.NotLogged,
        "verification.not-logged",
        f"{_V1}.signature.content",
    ),
    "rekor2-dsse-mismatch-envelope_fail": (errors.NotLogged, "verification.not-logged", f"{_V2}.data.digest"),
    "rekor2-dsse-mismatch-sig_fail": (errors.NotLogged, "verification.not-logged", f"{_V2}.signature.content"),
    # The proof that it was logged.
    "intoto-missing-inclusion-proof_fail": (errors.NotLogged, "verification.not-logged", "tlogEntries.inclusionProof"),
    "rekor2-no-inclusion-proof_fail": (errors.NotLogged, "verification.not-logged", "tlogEntries.inclusionProof"),
    # This proof has no checkpoint either, and without one its root is nobody's; the proof by itself is tried below.
    "invalid-inclusion-proof_fail": (errors.NotLogged, "verification.not-logged", "inclusionProof.checkpoint"),
    "checkpoint-bad-keyhint_fail": (errors.NotLogged, "verification.not-logged", "checkpoint"),
    "invalid-checkpoint-signature_fail": (errors.SignatureInvalid, "verification.signature", "checkpoint"),
    "rekor2-checkpoint-no-matching-signature_fail": (errors.NotLogged, "verification.not-logged", "checkpoint"),
    "rekor2-checkpoint-missing-log-signature_fail": (
        errors.FieldRefused,
        "malformed.field",
        "inclusionProof.checkpoint",
    ),
    # A text of which a line is missing is not what the log signed, and is not read further; reading is tried below.
    "rekor2-checkpoint-missing-root-hash_fail": (errors.SignatureInvalid, "verification.signature", "checkpoint"),
    "rekor2-checkpoint-missing-size_fail": (errors.SignatureInvalid, "verification.signature", "checkpoint"),
    "set-invalid-signature_fail": (
        errors.SignatureInvalid,
        "verification.signature",
        "tlogEntries.inclusionPromise",
    ),
    # The times.
    "integrated-time-in-future_fail": (errors.OutsideValidity, "verification.outside-validity", "certificate"),
    "intoto-expired-certificate_fail": (errors.OutsideValidity, "verification.outside-validity", "certificate"),
    "intoto-tsa-timestamp-outside-cert-validity_fail": (
        errors.OutsideValidity,
        "verification.outside-validity",
        "certificate",
    ),
    "rekor2-no-timestamp_fail": (errors.TimeUnproven, "verification.time-unproven", "verificationMaterial"),
    "rekor2-timestamp-outside-tsa-cert-validity_fail": (
        errors.OutsideValidity,
        "verification.outside-validity",
        "clock https://localhost:3000/api/v1/timestamp",
    ),
    "rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail": (
        errors.TimeUnproven,
        "verification.time-unproven",
        "rfc3161Timestamps",
    ),
}


@pytest.fixture(scope="module")
def client() -> Any:
    """The client as a module; it has no suffix, since the suite calls it as a command."""
    loader = SourceFileLoader("conformance_client", str(CLIENT))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _no_root_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLASSWING_CONFORMANCE_ROOT", "GLASSWING_CONFORMANCE_STAGING_ROOT"):
        monkeypatch.delenv(name, raising=False)


def arguments(case: Case, shared_data: Path, how: str) -> list[str]:
    files = {name: str(shared_data / path) for name, path in case.files.items()}
    found = ["verify-bundle", "--bundle", files["bundle"]]
    if "key" in files:
        found += ["--key", files["key"]]
    else:
        # The suite passes its default identity to a case that comes without one.
        identity, issuer = case.params.get("identity", "nobody"), case.params.get("issuer", "https://nobody.example")
        found += ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer]
    found += ["--trusted-root", files["trusted_root"]]
    if how == "PATH":
        return [*found, files["artifact"]]
    return [*found, f"sha256:{hashlib.sha256(Path(files['artifact']).read_bytes()).hexdigest()}"]


def refusal(client: Any, options: Sequence[str]) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        client.verify_bundle(client.parse(options))
    return refused.value


@pytest.mark.parametrize("how", ["PATH", "DIGEST"])
@pytest.mark.parametrize("case", cases("sigstore-bundle", corpus=CORPUS))
def test_every_case_of_the_suite_gets_its_answer(
    case: Case, how: str, client: Any, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert case.case.endswith("_fail") == (case.expect == "reject")
    options = arguments(case, shared_data, how)
    status = client.main(options)
    out, err = capsys.readouterr()
    if case.expect == "accept":
        assert (status, err) == (0, "")
        assert out.startswith("verified: ")
        return
    error, code, where = REFUSED[case.case]
    assert (status, out) == (1, "")
    assert f"[{code}]" in err
    found = refusal(client, options)
    assert type(found) is error
    assert found.code == code
    assert found.where == where.replace("<key>", str(shared_data / case.files.get("key", "")))


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = {p.values[0].case for p in cases("sigstore-bundle", corpus=CORPUS)}
    assert len(found) == 45
    assert {name for name in found if name.endswith("_fail")} == set(REFUSED)
    assert len(REFUSED) == 31


# --- what an earlier fault hides -------------------------------------------------------------------------------------


def bundle_of(shared_data: Path, name: str) -> Bundle:
    folder = shared_data / CORPUS / "test/assets/bundle-verify" / name
    return Bundle.from_json((folder / "bundle.sigstore.json").read_bytes())


def test_an_old_inclusion_proof_does_not_lead_to_its_root(shared_data: Path) -> None:
    (entry,) = bundle_of(shared_data, "invalid-inclusion-proof_fail").log_entries
    proof = entry.inclusion_proof
    assert proof is not None
    leaf = leaf_hash(entry.canonicalized_body)
    try:
        root = inclusion_root(leaf, index=proof.log_index, size=proof.tree_size, proof=proof.hashes)
    except NotLogged as e:
        assert e.where == "inclusionProof.hashes"  # noqa: PT017  either refuses it, but nothing else may
    else:
        assert root != proof.root_hash


@pytest.mark.parametrize("missing", ["root-hash", "size"])
def test_a_checkpoint_without_a_line_cannot_be_read(shared_data: Path, missing: str) -> None:
    (entry,) = bundle_of(shared_data, f"rekor2-checkpoint-missing-{missing}_fail").log_entries
    assert entry.inclusion_proof is not None
    text, _, _ = entry.inclusion_proof.checkpoint.rpartition("\n\n")
    with pytest.raises(FieldRefused) as refused:
        Checkpoint.parse(f"{text}\n")
    assert refused.value.code == "malformed.field"


def test_a_wrong_key_is_not_believed(client: Any, shared_data: Path, tmp_path: Path) -> None:
    case = next(
        p.values[0] for p in cases("sigstore-bundle", corpus=CORPUS) if p.values[0].case == "managed-key-happy-path"
    )
    options = arguments(case, shared_data, "PATH")
    other = tmp_path / "other.pub"
    other.write_text(KeySigner.generate().public_key.pem)
    options[options.index("--key") + 1] = str(other)
    found = refusal(client, options)
    assert type(found) is KeyUntrusted
    assert found.where == "$.messageSignature"


# --- the protocol ----------------------------------------------------------------------------------------------------


@pytest.fixture
def happy(shared_data: Path) -> list[str]:
    case = next(p.values[0] for p in cases("sigstore-bundle", corpus=CORPUS) if p.values[0].case == "happy-path-v0.3")
    return arguments(case, shared_data, "PATH")


def test_another_identity_or_issuer_is_refused(client: Any, happy: list[str]) -> None:
    for option, other in (
        ("--certificate-identity", "https://github.com/evil/repo/.github/workflows/x.yml@refs/heads/main"),
        ("--certificate-identity", "https://github.com/*/*/.github/workflows/*@refs/heads/main"),
        ("--certificate-oidc-issuer", "https://accounts.google.com"),
    ):
        changed = list(happy)
        changed[changed.index(option) + 1] = other
        found = refusal(client, changed)
        assert type(found) is NotAccepted
        assert found.where == "identity"


def test_options_come_in_any_order(client: Any, happy: list[str]) -> None:
    command, *pairs, artifact = happy
    options = [pairs[i : i + 2] for i in range(0, len(pairs), 2)]
    turned = [command, artifact, *(word for pair in reversed(options) for word in pair), "--staging"]
    assert client.main(turned) == 0


@pytest.mark.parametrize(
    ("flags", "variable"),
    [([], "GLASSWING_CONFORMANCE_ROOT"), (["--staging"], "GLASSWING_CONFORMANCE_STAGING_ROOT")],
)
def test_without_a_root_it_says_where_one_is_looked_for(
    client: Any, happy: list[str], monkeypatch: pytest.MonkeyPatch, flags: list[str], variable: str
) -> None:
    at = happy.index("--trusted-root")
    bare = [*happy[:at], *flags, happy[-1]]
    found = refusal(client, bare)
    assert type(found) is UnavailableError
    assert variable in str(found)
    monkeypatch.setenv(variable, happy[at + 1])
    assert client.main(bare) == 0


def test_identity_and_key_exclude_each_other(client: Any, happy: list[str]) -> None:
    for options in ([*happy, "--key", "k.pub"], [o for o in happy if not o.startswith("https://token")]):
        with pytest.raises(SystemExit) as ended:
            client.parse(options)
        assert ended.value.code == 2


@pytest.mark.parametrize("in_toto", [False, True])
def test_what_the_client_signs_it_verifies(client: Any, in_toto: bool, tmp_path: Path) -> None:
    """As the suite does, on services of ours; tests/integration does it on the real ones."""
    artifact, bundle = tmp_path / "a.txt", tmp_path / "b.json"
    digest = hashlib.sha256(b"weights").hexdigest()
    subject = {"name": "a.txt", "digest": {"sha256": digest}}
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": "https://x/y"}
    raw = json.dumps(statement, indent=1).encode()
    artifact.write_bytes(raw if in_toto else b"weights")
    with Served() as served:
        root, config = served.write(tmp_path, 2)
        given = ["--bundle", str(bundle), "--trusted-root", str(root)]
        signing = ["sign-bundle", *(["--in-toto"] if in_toto else []), "--identity-token", served.token()]
        assert client.main([*signing, *given, "--signing-config", str(config), str(artifact)]) == 0
    content = Bundle.from_json(bundle.read_bytes()).content
    assert not in_toto or (isinstance(content, Envelope) and content.payload == raw), "verbatim"
    who = ["--certificate-identity", "alice@example.com", "--certificate-oidc-issuer", "https://issuer.example"]
    artifact.write_bytes(b"weights")
    assert client.main(["verify-bundle", *given, *who, str(artifact)]) == 0
    assert client.main(["verify-bundle", *given, *who, f"sha256:{digest}"]) == 0
    assert client.main(["verify-bundle", *given, *who, f"sha256:{'0' * 64}"]) == 1


def test_a_token_that_is_none_signs_nothing(client: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_bytes(b"weights")
    bundle = tmp_path / "b.json"
    assert client.main(["sign-bundle", "--identity-token", "x", "--bundle", str(bundle), str(tmp_path / "a.txt")]) == 1
    assert "[signing.token]" in capsys.readouterr().err
    assert not bundle.exists()


def test_the_command_runs_with_the_python_that_is_first_on_path(happy: list[str], source: Path) -> None:
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(source.parent),
    }
    accepted = subprocess.run([CLIENT, *happy], env=environment, capture_output=True, text=True)
    assert (accepted.returncode, accepted.stderr) == (0, "")
    refused = subprocess.run([CLIENT, *happy[:-1], str(CLIENT)], env=environment, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "[verification.subject]" in refused.stderr
