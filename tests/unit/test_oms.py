"""Is a model signed as OMS has it, and is nothing accepted but exactly what was signed?

The second half goes through what has gone wrong elsewhere, one test each: the numbers are those of a list of ours.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest import (
    Attestation,
    GlasswingError,
    KeySigner,
    Model,
    ModelRecord,
    Policy,
    Trust,
    Verifier,
    attest,
)
from glasswing_attest._wire import decode_base64, encode_base64
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.oms import Piece, measure_model
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    CertificateUntrusted,
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    FileSetDiffers,
    FormatUnsupported,
    KeyUnsupported,
    LimitError,
    MediaTypeUnsupported,
    Mismatch,
    ModelNotAccepted,
    NameRefused,
    NotLogged,
    OutsideValidity,
    PayloadTypeUnsupported,
    RevocationsUnavailable,
    Revoked,
    SignatureInvalid,
    SigningError,
    StatementTypeUnsupported,
    StoreUnavailable,
    SubjectMismatch,
    TimeUnproven,
    TrustExpired,
    TrustRefused,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.oms import (
    CertificateSigner,
    Identity,
    VerifiedModel,
    private_root,
    roots,
    sign_model,
    verify_model,
)
from glasswing_attest.statement.predicates.oms import OMS_V1, Compat, ModelSignature, OmsResource
from glasswing_attest.statement.statement import STATEMENT_V1
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from tests.chains import seal, signer, statement
from tests.private_pki import HOLDER, Pki, pem

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = signer("oms", "ecdsa-p256")
TRUST = Trust.of(release=KEY.public_key)
PKI = Pki()
OURS = Identity(authority="acme", san=HOLDER)
FILES: dict[str, bytes] = {
    "config.json": b'{"hidden_size": 4}\n',
    "model.safetensors": b"\x00\x01\x02\x03weights",
    "sub/vocab.txt": b"tok\n",
}
ROOT = "3a9e6f53b77b844ca81ecc55a4c0064c1c414446833a54a9674ae38935cca672"
"""Made of these files with model_signing 1.1.1, not with this library."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of three files."""
    return written(tmp_path / "tiny", FILES)


def written(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def verified(model: Path, signature: Any, **more: Any) -> VerifiedModel:
    options: dict[str, Any] = {"trust": TRUST, "signer": "release", "signed_at": NOW, **more}
    return verify_model(model, signature, **options)


def refused(error: type[GlasswingError], model: Path, signature: Any, **more: Any) -> GlasswingError:
    with pytest.raises(GlasswingError) as raised:
        verified(model, signature, **more)
    assert type(raised.value) is error, raised.value
    assert raised.value.code == error.code
    return raised.value


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def saying(
    resources: Sequence[tuple[str, str]],
    by: KeySigner = KEY,
    *,
    serialization: Mapping[str, Any] | None = None,
    algorithm: str = "sha256",
    root: str | None = None,
    **more: Any,
) -> Attestation:
    """A signature by somebody who may sign anything: these resources in this order, with nothing checked."""
    digests = b"".join(bytes.fromhex(digest) for _, digest in resources)
    subject = {"name": "m", "digest": {"sha256": root or sha(digests)}}
    predicate = {
        "resources": [{"name": name, "digest": digest, "algorithm": algorithm} for name, digest in resources],
        "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, **(serialization or {})},
    }
    subjects = more.pop("subjects", [subject])
    payload_type = more.pop("payload_type", "application/vnd.in-toto+json")
    payload = statement(subjects, more.pop("predicate_type", OMS_V1), predicate, **more)
    return Attestation.parse(seal(payload, by, payload_type))


def presented(model: Path, *chain: x509.Certificate, member: str = "x509CertificateChain") -> Attestation:
    """An honest signature with these certificates beside it: whoever signs may bring any that name the same key."""
    bundle = json.loads(sign_model(model, signer=PKI.signer()).bytes)
    material = bundle["verificationMaterial"]
    brought = [{"rawBytes": encode_base64(each.public_bytes(Encoding.DER))} for each in (*chain, PKI.intermediate)]
    del material["x509CertificateChain"]
    material[member] = {"certificates": brought} if member == "x509CertificateChain" else brought[0]
    return Attestation.parse(json.dumps(bundle).encode())


def listed(files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    return [(name, sha(files[name])) for name in sorted(files)]


# --- signing and verifying -------------------------------------------------------------------------------------------


def test_what_is_signed_is_what_oms_says(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    bundle = json.loads(made.bytes)
    assert set(bundle) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    hint = hashlib.sha256(KEY.public_key.pem.encode()).hexdigest()
    assert bundle["verificationMaterial"] == {"publicKey": {"hint": hint}, "tlogEntries": []}
    assert set(bundle["dsseEnvelope"]) == {"payload", "payloadType", "signatures"}
    assert bundle["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert [set(each) for each in bundle["dsseEnvelope"]["signatures"]] == [{"sig", "keyid"}]
    assert bundle["dsseEnvelope"]["signatures"][0]["keyid"] == ""
    assert json.loads(decode_base64(bundle["dsseEnvelope"]["payload"])) == {
        "_type": STATEMENT_V1,
        "subject": [{"name": "tiny", "digest": {"sha256": ROOT}}],
        "predicateType": OMS_V1,
        "predicate": {
            "resources": [{"name": n, "digest": d, "algorithm": "sha256"} for n, d in listed(FILES)],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore"],
            },
        },
    }


def test_a_signed_model_is_verified_and_opened(model: Path) -> None:
    found = verified(model, sign_model(model, signer=KEY))
    assert [(entry.name, entry.sha256) for entry in found.manifest.files] == listed(FILES)
    assert (found.order, found.ignored, found.unsigned) == ("spec", (), ())
    assert found.signer.names == {"release"}
    assert found.signed_by is None  # nobody but the signer, and whoever asks, stands for the time of a key
    with found.open("config.json") as file:
        assert file.read() == FILES["config.json"]
    (model / "config.json").write_bytes(b"other")
    with pytest.raises(Mismatch), found.open("config.json") as file:
        file.read()
    with pytest.raises(UsageError) as unknown:
        found.open("other.json")
    assert unknown.value.where == "other.json"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384"])
def test_the_curves_of_the_registry_sign(algorithm: str, model: Path) -> None:
    key = signer(f"oms {algorithm}", algorithm)
    made = sign_model(model, signer=key)
    assert verified(model, made, trust=Trust.of(release=key.public_key)).files


@pytest.mark.parametrize("algorithm", ["ed25519", "rsa-3072"])
def test_keys_that_oms_does_not_know_do_not_sign(algorithm: str, model: Path) -> None:
    with pytest.raises(KeyUnsupported) as raised:
        sign_model(model, signer=signer(f"oms {algorithm}", algorithm))
    assert raised.value.where == "signer"


def test_a_certificate_signs(model: Path) -> None:
    made = sign_model(model, signer=PKI.signer())
    material = json.loads(made.bytes)["verificationMaterial"]
    assert set(material) == {"x509CertificateChain", "tlogEntries"}
    assert len(material["x509CertificateChain"]["certificates"]) == 2
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    found = verified(model, made, trust=trust, signer=OURS)
    assert (found.signer.san, found.signer.root, found.signed_by) == (HOLDER, "acme", NOW)
    (told,) = found.times.times
    assert told.witness == "the caller"


def test_a_sigstore_signature_needs_no_word_on_the_time(model: Path) -> None:
    sigstore = VirtualSigstore()
    made = sign_model(model, signer=sigstore.signer("alice@example.com"))
    assert set(json.loads(made.bytes)["verificationMaterial"]) >= {"certificate", "tlogEntries"}
    alice = Identity(issuer="https://issuer.example", san="alice@example.com")
    found = verified(model, made, trust=sigstore.trust(), signer=alice, signed_at=None)
    assert found.signed_by is not None
    bob = Identity(issuer="https://issuer.example", san="bob@example.com")
    error = refused(ModelNotAccepted, model, made, trust=sigstore.trust(), signer=bob, signed_at=None)
    assert error.where == "signer"


def test_a_sigstore_signature_without_a_log_entry_is_none(model: Path) -> None:
    sigstore = VirtualSigstore()
    made = sign_model(model, signer=sigstore.signer("alice@example.com", log=None))
    alice = Identity(issuer="https://issuer.example", san="alice@example.com")
    error = refused(NotLogged, model, made, trust=sigstore.trust("github"), signer=alice, signed_at=None)
    assert error.where == "$.verificationMaterial.tlogEntries"


def test_the_file_is_written_where_it_is_asked_for_and_never_over_anything_else(model: Path) -> None:
    target = model.parent / "tiny.sig"
    made = sign_model(model, signer=KEY, signature=target)
    assert target.read_bytes() == made.bytes
    sign_model(model, signer=KEY, signature=target)  # an earlier signature may be replaced
    for wrong in (model / "model.safetensors", model.parent / "x.jsonl"):
        with pytest.raises(UsageError) as raised:
            sign_model(model, signer=KEY, signature=wrong)
        assert raised.value.where == str(wrong)
    assert (model / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_shards(model: Path) -> None:
    made = sign_model(model, signer=KEY, shard_size=4)
    found = verified(model, made)
    assert found.signature.shard_size == 4
    names = [resource.name for resource in found.signature.resources]
    assert names == sorted(names)
    assert "config.json:16:19" in names
    assert [entry.name for entry in found.files] == sorted(FILES)
    for name, content in (("sub/vocab.txt", b"tik\n"), ("sub/vocab.txt", b"tok\n!"), ("config.json", b'{"hi')):
        (model / name).write_bytes(content)
        assert refused(SubjectMismatch, model, made).where.startswith(name)
        (model / name).write_bytes(FILES[name])


@pytest.mark.parametrize("size", [1, 3, 11, 12, 1_000_000_000])
def test_every_size_of_shard_is_verified(size: int, model: Path) -> None:
    assert verified(model, sign_model(model, signer=KEY, shard_size=size)).signature.method == "shards"


def test_a_piece_is_called_as_oms_calls_it() -> None:
    assert Piece(path="a:b", start=5, end=9, digest="").name == "a:b:5:9"


def test_a_model_of_many_files_needs_a_larger_limit(model: Path) -> None:
    small = Limits(statement_bytes=600)
    with pytest.raises(LimitError):
        sign_model(model, signer=KEY, limits=small)
    made = sign_model(model, signer=KEY)
    assert refused(LimitError, model, made, limits=Limits(tree_files=2)).where == str(model)


# --- who may have signed, and when -----------------------------------------------------------------------------------


def test_there_is_no_default_for_trust_and_signer(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    for more, where in (
        ({"trust": None}, "trust"),
        ({"signer": None}, "signer"),
        ({"signer": "nobody"}, "signer"),
        ({"signer": Identity(authority="acme", san=HOLDER)}, "trust"),
        ({"signed_at": datetime(2026, 1, 1)}, "signed_at"),  # noqa: DTZ001  # without a zone, on purpose
        ({"signed_at": "2026-01-01T00:00:00Z"}, "signed_at"),
    ):
        assert refused(UsageError, model, made, **more).where == where


def test_the_trust_must_not_have_expired(model: Path) -> None:
    trust = Trust(keys=TRUST.keys, expires=datetime(2025, 1, 1, tzinfo=UTC))
    assert refused(TrustExpired, model, sign_model(model, signer=KEY), trust=trust).where == "trust"


def test_nobody_is_believed_about_the_time_but_who_asks(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    assert refused(TimeUnproven, model, made, signed_at=None).where == "$.verificationMaterial"
    certified = sign_model(model, signer=PKI.signer())
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    error = refused(TimeUnproven, model, certified, trust=trust, signer=OURS, signed_at=None)
    assert error.where == "$.verificationMaterial"


def test_the_time_of_who_asks_does_not_stand_for_certificates_of_a_sigstore(model: Path) -> None:
    sigstore = VirtualSigstore()
    made = sign_model(model, signer=sigstore.signer("alice@example.com", log="v2", stamps=0))
    alice = Identity(issuer="https://issuer.example", san="alice@example.com")
    now = sigstore.clock.now
    error = refused(TimeUnproven, model, made, trust=sigstore.trust(), signer=alice, signed_at=now)
    assert error.where == "verificationMaterial"


def test_another_trusted_key_is_not_the_signer(model: Path) -> None:
    other = signer("oms other", "ecdsa-p256")
    trust = Trust.of(release=KEY.public_key, other=other.public_key)
    error = refused(ModelNotAccepted, model, sign_model(model, signer=other), trust=trust)
    assert (error.where, error.found) == ("signer", f"other (key {other.public_key.fingerprint[:16]})")


def test_a_revoked_signer_is_not_believed_any_more(model: Path) -> None:
    security = signer("security", "ecdsa-p256")
    keys = Trust.of(release=KEY.public_key, security=security.public_key).keys
    trust = Trust(keys=keys, revocation_signers=("security",))
    made = sign_model(model, signer=KEY)
    assert refused(RevocationsUnavailable, model, made, trust=trust).where == "revocations"
    day = datetime(2026, 1, 1, tzinfo=UTC)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    entry = Revocation(since=day, key=KEY.public_key.fingerprint, reason="lost")
    for entries, version, error in (((), 2, None), ((entry,), 2, Revoked), ((), 1, RevocationsUnavailable)):
        document = RevocationList.of(entries, version=version, issued=day, expires=until)
        signed = security.seal(document.to_json(), REVOCATIONS_TYPE)
        if error is None:
            assert verified(model, made, trust=trust, revocations=signed, revocations_seen=2).files
        else:
            refused(error, model, made, trust=trust, revocations=signed, revocations_seen=2)


def test_the_kind_of_signature_is_compared_before_anything_else(model: Path) -> None:
    # The certified key, and the trusted one, are the same: whoever looked at keys alone would take either for both.
    key = KeySigner(PKI.leaf_key)
    both = Trust(keys=Trust.of(release=key.public_key).keys, roots=(private_root("acme", PKI.root_pem),))
    by_key, by_certificate = sign_model(model, signer=key), sign_model(model, signer=PKI.signer())
    assert verified(model, by_key, trust=both).signer.names == {"release"}
    assert verified(model, by_certificate, trust=both, signer=OURS).signer.san == HOLDER
    for made, whose, found in ((by_certificate, "release", "x509CertificateChain"), (by_key, OURS, "publicKey")):
        error = refused(ModelNotAccepted, model, made, trust=both, signer=whose)
        assert (error.where, error.found) == ("$.verificationMaterial", found)


# --- what is said ----------------------------------------------------------------------------------------------------


def test_a_bare_envelope_and_an_older_bundle_are_no_oms_signature(model: Path) -> None:
    bundle = json.loads(sign_model(model, signer=KEY).bytes)
    bare = Attestation.parse(json.dumps(bundle["dsseEnvelope"]).encode())
    assert refused(FormatUnsupported, model, bare).where == "$"
    older = {**bundle, "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"}
    error = refused(MediaTypeUnsupported, model, Attestation.parse(json.dumps(older).encode()))
    assert error.where == "$.mediaType"


@pytest.mark.parametrize(
    ("more", "error", "where"),
    [
        ({"payload_type": "application/vnd.in-toto.model+json"}, PayloadTypeUnsupported, "$.dsseEnvelope.payloadType"),
        ({"_type": "https://in-toto.io/Statement/v0.1"}, StatementTypeUnsupported, "$._type"),
        ({"predicate_type": "https://model_signing/Digests/v0.1"}, FieldRefused, "$.predicateType"),
        ({"predicate_type": "https://model_signing/signature/v1.1"}, FieldRefused, "$.predicateType"),
        ({"root": "0" * 64}, FieldRefused, "$.subject[0].digest.sha256"),
        ({"subjects": [{"name": "m", "digest": {"sha512": "0" * 128}}]}, FieldRefused, "$.subject[0].digest.sha256"),
        ({"serialization": {"hash_type": "md5"}}, FieldRefused, "$.predicate.serialization.hash_type"),
        ({"serialization": {"method": "tree"}}, FieldRefused, "$.predicate.serialization.method"),
        ({"serialization": {"shard_size": 4}}, FieldRefused, "$.predicate.serialization.shard_size"),
    ],
)
def test_what_oms_does_not_say_is_refused(
    more: dict[str, Any], error: type[GlasswingError], where: str, model: Path
) -> None:
    assert refused(error, model, saying(listed(FILES), **more)).where == where


def test_a_document_that_names_a_key_twice_is_refused(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    twice = made.bytes.replace(b'{"mediaType"', b'{"mediaType":"x","mediaType"', 1)
    with pytest.raises(DuplicateKey) as raised:
        Attestation.parse(twice)
    assert raised.value.where == "$.mediaType"


def test_any_other_byte_of_the_payload_is_refused(model: Path) -> None:
    bundle = json.loads(sign_model(model, signer=KEY).bytes)
    payload = decode_base64(bundle["dsseEnvelope"]["payload"])
    for place in range(0, len(payload), 97):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        bundle["dsseEnvelope"]["payload"] = encode_base64(changed)
        refused(SignatureInvalid, model, Attestation.parse(json.dumps(bundle).encode()))


# --- the files -------------------------------------------------------------------------------------------------------


def spoil(model: Path, how: str) -> None:
    changes: dict[str, Callable[[], object]] = {
        "changed": lambda: (model / "config.json").write_bytes(b'{"hidden_size": 5}\n'),
        "missing": (model / "sub/vocab.txt").unlink,
        "added": lambda: (model / "run.py").write_bytes(b""),
        "renamed": lambda: (model / "config.json").rename(model / "config.txt"),
        "moved": lambda: (model / "config.json").rename(model / "sub/config.json"),
        "linked": lambda: (model / "link").symlink_to("config.json"),
        "linked directory": lambda: (model / "more").symlink_to("sub"),
        "pipe": lambda: os.mkfifo(model / "pipe"),
    }
    changes[how]()


@pytest.mark.parametrize("shard_size", [None, 7])
@pytest.mark.parametrize(
    ("how", "error", "where"),
    [
        ("changed", SubjectMismatch, "config.json"),
        ("missing", FileSetDiffers, "sub/vocab.txt"),
        ("added", FileSetDiffers, "run.py"),
        ("renamed", FileSetDiffers, "config.json"),
        ("moved", FileSetDiffers, "config.json"),
        ("linked", ArtifactIrregular, "link"),
        ("linked directory", ArtifactIrregular, "more"),
        ("pipe", ArtifactIrregular, "pipe"),
    ],
)
def test_a_model_that_is_not_the_signed_one_is_refused(
    how: str, error: type[GlasswingError], where: str, shard_size: int | None, model: Path
) -> None:
    made = sign_model(model, signer=KEY, shard_size=shard_size)
    verified(model, made)
    spoil(model, how)
    found = refused(error, model, made)
    assert where in found.where


def test_swapped_contents_are_refused(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    (model / "config.json").write_bytes(FILES["sub/vocab.txt"])
    (model / "sub/vocab.txt").write_bytes(FILES["config.json"])
    assert refused(SubjectMismatch, model, made).where == "config.json"


def test_unsigned_files_pass_only_where_the_caller_says_so_and_are_told(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    (model / "notes.txt").write_bytes(b"notes")
    error = refused(FileSetDiffers, model, made)
    assert (error.where, error.found) == ("notes.txt", "1 file not signed: notes.txt")
    found = verified(model, made, unsigned_files_unsafe=True)
    assert found.unsigned == ("notes.txt",)
    assert "notes.txt" not in [entry.name for entry in found.files]
    with pytest.raises(UsageError):
        found.open("notes.txt")
    (model / "config.json").unlink()
    assert refused(FileSetDiffers, model, made, unsigned_files_unsafe=True).where == "config.json"


def test_what_the_signer_left_out_the_caller_must_leave_out_too(model: Path) -> None:
    (model / "README.md").write_bytes(b"read me")
    made = sign_model(model, signer=KEY, ignore=("README.md",))
    error = refused(FileSetDiffers, model, made)
    assert error.do == "the signer left README.md out: if you agree, ignore it as well"
    written(model, {"notes/a/b": b"n", "README.md2": b"other"})
    further = sign_model(model, signer=KEY, ignore=("README.md", "notes/a", "README.md2"))
    assert "left README.md, README.md2, notes/a/b out" in refused(FileSetDiffers, model, further).do
    assert "left README.md out" in refused(FileSetDiffers, model, made).do
    shutil.rmtree(model / "notes")
    (model / "README.md2").unlink()
    found = verified(model, made, ignore=("README.md",))
    assert (found.ignored, found.unsigned) == (("README.md",), ())
    (model / "README.md").write_bytes(b"read me again")
    verified(model, made, ignore=("README.md",))


def test_a_signed_file_cannot_be_ignored(model: Path) -> None:
    error = refused(FileSetDiffers, model, sign_model(model, signer=KEY), ignore=("config.json",))
    assert error.found == "1 file missing: config.json"


@pytest.mark.parametrize("path", [".", "", "..", "../x", "/etc", "a//b", "a/", "*.py", "a?", "[ab]", "a\\b"])
def test_only_exact_paths_are_ignored(path: str, model: Path) -> None:
    made = sign_model(model, signer=KEY)
    assert refused(UsageError, model, made, ignore=(path,)).where == "ignore"
    with pytest.raises(UsageError) as raised:
        sign_model(model, signer=KEY, ignore=(path,))
    assert raised.value.where == "ignore"
    assert refused(UsageError, model, made, ignore="README.md").where == "ignore"


def test_what_is_left_out_is_told_file_by_file(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    written(model, {".git/config": b"", ".git/objects/ab/cd": b"", ".gitattributes": b""})
    assert verified(model, made).ignored == (".git/config", ".git/objects/ab/cd", ".gitattributes")
    (model / "sub/.git").mkdir()
    (model / "sub/.git/config").write_bytes(b"")
    assert refused(FileSetDiffers, model, made).where == "sub/.git/config"


# --- what has gone wrong elsewhere: one test for each row of the list ------------------------------------------------


def test_row_1_both_orders_of_the_root_are_read_and_one_is_written(tmp_path: Path) -> None:
    files = {"a b": b"1", "a/b": b"2", "model-x": b"3", "model.txt": b"4", "model/x": b"5"}
    model = written(tmp_path / "m", files)
    by_spec = listed(files)
    by_parts = sorted(by_spec, key=lambda item: item[0].split("/"))
    assert by_spec != by_parts
    made = verified(model, sign_model(model, signer=KEY))
    assert (made.order, [resource.name for resource in made.signature.resources]) == ("spec", [n for n, _ in by_spec])
    assert verified(model, saying(by_parts)).order == "parts"
    assert roots(Model(model).measure()) == {"spec": saying_root(by_spec), "parts": saying_root(by_parts)}
    error = refused(FieldRefused, model, saying(list(reversed(by_spec))))
    assert error.where == "$.predicate.resources"


def test_row_2_a_root_is_nobodys_identity_and_names_count(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    policy = Policy.parse(
        b"{version: 1, times: claimed, identities: {me: {key: release}}, nodes: {"
        b'model: {require: [{predicate: "https://model_signing/signature/v1.0", signed_by: {any_of: [me]}}]},'
        b'file: {require: [{predicate: "https://model_signing/signature/v1.0", signed_by: {any_of: [me]}}]}}}'
    )
    verifier = Verifier(policy=policy, trust=TRUST)
    assert verifier.verify(Model(model), made).accepted
    # The file whose SHA-256 is the root, of which the statement's subject speaks.
    impostor = Blob(b"".join(bytes.fromhex(digest) for _, digest in listed(FILES)), name="tiny")
    assert impostor.measure().digests.get("sha256") == ROOT
    assert not verifier.assess(impostor, made).accepted
    # Another tree with the same root: the same contents under other names.
    other = written(model.parent / "other", dict(zip(("run.py", "x.pkl", "z.bin"), FILES.values(), strict=True)))
    assert roots(Model(other).measure())["spec"] == ROOT
    assert not verifier.assess(Model(other), made).accepted
    assert refused(FileSetDiffers, other, made).where == "config.json"


@pytest.mark.parametrize("method", ["files", "shards"])
def test_row_3_blake2b_is_read_and_never_written(method: str, model: Path) -> None:
    serialization: dict[str, Any] = {"hash_type": "blake2b", "method": method}
    resources = [(name, hashlib.blake2b(FILES[name]).hexdigest()) for name in sorted(FILES)]
    if method == "shards":
        serialization["shard_size"] = 100
        resources = [(f"{name}:0:{len(FILES[name])}", digest) for name, digest in resources]
    made = saying(resources, serialization=serialization, algorithm="blake2b")
    assert verified(model, made).signature.hash_type == "blake2b"
    (model / "config.json").write_bytes(b"other")
    assert refused(SubjectMismatch, model, made).where.startswith("config.json")
    assert sign_model(model, signer=KEY).statement_unverified.predicate["serialization"]["hash_type"] == "sha256"  # type: ignore[index,call-overload]


@pytest.mark.parametrize("method", ["files", "shards"])
def test_row_3_blake3_is_read_where_it_is_installed(method: str, tmp_path: Path) -> None:
    model = written(tmp_path / "m", {"abc": b"abc"})
    digest = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"  # not of this library's making
    name, more = ("abc", {}) if method == "files" else ("abc:0:3", {"shard_size": 3})
    made = saying([(name, digest)], serialization={"hash_type": "blake3", "method": method, **more}, algorithm="blake3")
    if find_spec("blake3") is None:
        assert refused(UnavailableError, model, made).where == "blake3"
        return
    with verified(model, made).open() as file:
        assert file.read() == b"abc"
    (model / "abc").write_bytes(b"abd")
    assert refused(SubjectMismatch, model, made).where == name


@pytest.mark.parametrize(
    ("algorithm", "size"), [("sha256", 10), ("sha256-sharded-10", 10), ("sha256-sharded-10", 10.0)]
)
def test_row_4_shards_are_read_as_the_specification_and_as_others_write_them(
    algorithm: str, size: float, model: Path
) -> None:
    resources = [
        (f"{name}:{start}:{min(start + 10, len(data))}", sha(data[start : start + 10]))
        for name, data in FILES.items()
        for start in range(0, len(data), 10)
    ]
    serialization = {"method": "shards", "shard_size": size}
    made = saying(sorted(resources), serialization=serialization, algorithm=algorithm)
    assert verified(model, made).signature.shard_size == 10
    cases: tuple[tuple[Compat, str], ...] = (("spec", "sha256"), ("model-signing", "sha256-sharded-10"))
    for compat, wanted in cases:
        ours = sign_model(model, signer=KEY, shard_size=10, compat=compat).statement_unverified.predicate_node
        assert {item.need("algorithm").text() for item in ours.get_array("resources")} == {wanted}
        assert ours.need("serialization").need("shard_size").value == 10


def test_row_5_an_empty_file_is_never_overlooked(model: Path) -> None:
    made = sign_model(model, signer=KEY, shard_size=10)
    (model / "__init__.py").write_bytes(b"")
    error = refused(FileSetDiffers, model, made)
    assert error.found == "1 file not signed: __init__.py"
    assert error.do.endswith("empty_files_unsafe, or --empty-files-unsafe, lets these pass")
    assert verified(model, made, empty_files_unsafe=True).unsigned == ("__init__.py",)
    (model / "run.py").write_bytes(b"1")
    assert refused(FileSetDiffers, model, made, empty_files_unsafe=True).where == "run.py"
    with pytest.raises(UsageError) as raised:
        sign_model(model, signer=KEY, shard_size=10)
    assert raised.value.where == "__init__.py"
    # A signature by files speaks of empty files, so there is nothing to let pass.
    (model / "run.py").unlink()
    whole = sign_model(model, signer=KEY)
    assert verified(model, whole).unsigned == ()
    (model / "__init__.py").unlink()
    assert refused(FileSetDiffers, model, whole, empty_files_unsafe=True).where == "__init__.py"


def test_row_6_a_colon_in_a_name_is_read_and_not_written(tmp_path: Path) -> None:
    model = written(tmp_path / "m", {"a:0:3": b"abcdef"})
    resources = [("a:0:3:0:4", sha(b"abcd")), ("a:0:3:4:6", sha(b"ef"))]
    assert verified(model, saying(resources, serialization={"method": "shards", "shard_size": 4})).files
    with pytest.raises(NameRefused) as raised:
        sign_model(model, signer=KEY, shard_size=4)
    assert raised.value.where == "a:0:3"
    assert verified(model, sign_model(model, signer=KEY)).files


def test_row_7_links_are_refused_whatever_the_signature_says_of_them(model: Path, tmp_path: Path) -> None:
    made = saying(listed(FILES), serialization={"allow_symlinks": True})
    assert verified(model, made).signature.allow_symlinks  # there is none, so that there is nothing to follow
    outside = written(tmp_path / "outside", {"x.bin": b"x"})
    (model / "linked").symlink_to(outside)
    assert refused(ArtifactIrregular, model, made).where.endswith("linked")
    with pytest.raises(ArtifactIrregular):
        sign_model(model, signer=KEY)
    (model / "linked").unlink()
    link = tmp_path / "link"
    link.symlink_to(model)
    assert refused(ArtifactIrregular, link, made).where == str(link)


@pytest.mark.parametrize("shard_size", [None, 4])
def test_row_8_a_single_file_is_called_as_itself_or_by_a_dot(shard_size: int | None, tmp_path: Path) -> None:
    file = written(tmp_path, {"model.bin": b"weights"}) / "model.bin"
    cases: tuple[tuple[Compat, str], ...] = (("spec", "model.bin"), ("model-signing", "."))
    for compat, wanted in cases:
        made = sign_model(file, signer=KEY, shard_size=shard_size, compat=compat)
        found = verified(file, made)
        assert {name.partition(":")[0] for name in (r.name for r in found.signature.resources)} == {wanted}
        assert [entry.name for entry in found.files] == ["model.bin"]
        assert found.open().read() == b"weights"
        file.write_bytes(b"weighty")
        assert refused(SubjectMismatch, file, made).where.startswith("model.bin")
        file.write_bytes(b"weights")
    other = written(tmp_path, {"other.bin": b"weights"}) / "other.bin"
    assert refused(FileSetDiffers, other, sign_model(file, signer=KEY)).where == "model.bin"
    # A directory is no single file, whatever it holds.
    folder = written(tmp_path / "folder", {"model.bin": b"weights"})
    dot = sign_model(file, signer=KEY, shard_size=shard_size, compat="model-signing")
    assert refused(FileSetDiffers, folder, dot).where == "."


def test_row_9_an_empty_model_is_neither_signed_nor_verified(tmp_path: Path) -> None:
    model = tmp_path / "m"
    model.mkdir()
    for _ in range(2):
        with pytest.raises(ArtifactEmpty):
            sign_model(model, signer=KEY)
        assert refused(FieldMissing, model, saying([])).where == "$.predicate.resources"
        written(model, {".gitignore": b"*"})


@pytest.mark.parametrize("place", ["model.sig", "sub/model.sig"])
def test_row_10_the_signature_within_the_model_is_left_out(place: str, model: Path) -> None:
    target = model / place
    made = sign_model(model, signer=KEY, signature=target)
    assert place in made.statement_unverified.predicate["serialization"]["ignore_paths"]  # type: ignore[index,call-overload,operator]
    found = verified(model, target)
    assert found.ignored == ()
    assert place not in [entry.name for entry in found.files]
    # Anywhere else it is a file like any other.
    shutil.copy(target, model / "other.sig")
    assert refused(FileSetDiffers, model, target).where == "other.sig"


def test_row_11_a_hook_in_a_git_directory_is_not_passed_over(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    hook = written(model, {".git/hooks/post-checkout": b"#!/bin/sh\n"}) / ".git/hooks/post-checkout"
    assert verified(model, made).ignored == (".git/hooks/post-checkout",)
    hook.chmod(0o755)
    error = refused(ModelNotAccepted, model, made)
    assert error.where == ".git/hooks/post-checkout"
    assert "--ignored-executables-unsafe" in error.do
    found = verified(model, made, ignored_executables_unsafe=True)
    assert found.ignored == (".git/hooks/post-checkout",)
    hook.unlink()
    hook.symlink_to("/bin/sh")
    assert refused(ModelNotAccepted, model, made).where == ".git/hooks/post-checkout"


def test_row_12_names_are_looked_at_before_the_disk_is(model: Path, tmp_path: Path) -> None:
    made = sign_model(model, signer=KEY, signature=tmp_path / "s.sig")
    assert verified(model, made).files
    assert verify_model(str(model), str(tmp_path / "s.sig"), trust=TRUST, signer="release", signed_at=NOW).files
    (tmp_path / "outside.txt").write_bytes(b"outside")
    twice = [("a", sha(b"")), ("a", sha(b"x"))]
    for resources, serialization, where in (
        ([("../outside.txt", sha(b"outside"))], {}, "$.predicate.resources[0].name"),
        ([("/etc/passwd", sha(b""))], {}, "$.predicate.resources[0].name"),
        ([("sub/../config.json", sha(b""))], {}, "$.predicate.resources[0].name"),
        (twice, {}, "$.predicate.resources[1].name"),
        (listed(FILES), {"ignore_paths": ["."]}, "$.predicate.serialization.ignore_paths[0]"),
        (listed(FILES), {"ignore_paths": [""]}, "$.predicate.serialization.ignore_paths[0]"),
        (listed(FILES), {"ignore_paths": ["a/../.."]}, "$.predicate.serialization.ignore_paths[0]"),
        ([("../x:0:1", sha(b"x"))], {"method": "shards", "shard_size": 1}, "$.predicate.resources[0].name"),
        ([("..:0:1", sha(b"x"))], {"method": "shards", "shard_size": 1}, "$.predicate.resources[0].name"),
    ):
        assert refused(FieldRefused, model, saying(resources, serialization=serialization)).where == where


def test_row_13_a_certificate_is_for_signing_code_is_alive_and_names_somebody(model: Path) -> None:
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))

    def error(kind: type[GlasswingError], leaf: Any = None, **more: Any) -> GlasswingError:
        made = presented(model, leaf or PKI.leaf())
        return refused(kind, model, made, **{"trust": trust, "signer": OURS, **more})

    expired = PKI.leaf(start=datetime(2025, 1, 1, tzinfo=UTC), end=datetime(2025, 2, 1, tzinfo=UTC))
    assert error(OutsideValidity, expired).where == "certificate"
    web = PKI.leaf(usages=(ExtendedKeyUsageOID.SERVER_AUTH,))
    assert "the leaf is not for code signing" in error(CertificateUntrusted, web).because
    assert error(ModelNotAccepted, PKI.leaf(san="mallory@acme.example")).where == "signer"
    stranger = Trust(roots=(private_root("acme", Pki().root_pem),))
    assert error(CertificateUntrusted, trust=stranger).where == "certificate"
    assert error(CertificateUntrusted, PKI.leaf(says_ca=True, certifies=True)).where == "certificate"
    silent = PKI.leaf(usages=())
    assert "class" not in str(error(CertificateUntrusted, silent))
    # Nobody signs by what nobody would believe.
    with pytest.raises(CertificateUntrusted) as without:
        sign_model(model, signer=PKI.signer(silent))
    assert (without.value.code, without.value.where) == ("verification.certificate", "certificate")
    assert without.value.because == "the leaf does not say what it is for"
    assert without.value.wanted == "usages digitalSignature and codeSigning"
    with pytest.raises(OutsideValidity) as gone:
        sign_model(model, signer=PKI.signer(expired))
    assert gone.value.where == "certificate"
    for leaf in (web, PKI.leaf(says_ca=True, certifies=True)):
        with pytest.raises(CertificateUntrusted) as raised:
            sign_model(model, signer=PKI.signer(leaf))
        assert raised.value.where == "certificate"
    # There are no roots by default: without one there is no trust.
    with pytest.raises(TrustRefused):
        Trust()


def test_row_14_a_yes_is_a_value_and_a_no_is_an_error_of_ours(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    found = verified(model, made)
    assert found.statement.predicate_type == OMS_V1
    assert isinstance(found.signature, ModelSignature)
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    assert refused(ModelNotAccepted, model, made, trust=trust, signer=OURS).wanted == "x509CertificateChain"


def test_row_15_odd_names_and_statements_are_refused_in_words(model: Path) -> None:
    made = sign_model(model, signer=KEY)
    bad = os.fsencode(model) + b"/\xff.bin"
    Path(os.fsdecode(bad)).write_bytes(b"x")
    assert refused(NameRefused, model, made).because == "the name is not UTF-8"
    with pytest.raises(NameRefused):
        sign_model(model, signer=KEY)
    Path(os.fsdecode(bad)).unlink()
    composed, taken_apart = (unicodedata.normalize(form, "café.txt") for form in ("NFC", "NFD"))
    written(model, {composed: b"c"})
    accented = sign_model(model, signer=KEY)
    (model / composed).rename(model / taken_apart)
    assert "Unicode normalisation" in refused(FileSetDiffers, model, accented).do
    (model / taken_apart).unlink()
    bundle = json.loads(made.bytes)
    good = bundle["dsseEnvelope"]["signatures"][0]
    bundle["dsseEnvelope"]["signatures"] = [{"sig": "AAAA", "keyid": ""}, good]
    with pytest.raises(FieldRefused) as raised:
        Attestation.parse(json.dumps(bundle).encode())
    assert raised.value.where == "$.dsseEnvelope.signatures"
    subject = {"name": "m", "digest": {"sha256": ROOT}}
    assert refused(FieldRefused, model, saying(listed(FILES), subjects=[subject, subject])).where == "$.subject"
    other = saying(listed(FILES), predicate_type="https://model_signing/signature/v1.1")
    assert refused(FieldRefused, model, other).wanted == OMS_V1


def test_row_16_nothing_is_needed_beside_the_library() -> None:
    program = "import glasswing_attest.oms, sys; print({'OpenSSL', 'model_signing', 'sigstore'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "set()"


def test_row_17_both_roots_are_told(model: Path) -> None:
    assert roots(Model(model).measure()) == {"spec": ROOT, "parts": ROOT}


def saying_root(resources: Sequence[tuple[str, str]]) -> str:
    return sha(b"".join(bytes.fromhex(digest) for _, digest in resources))


# --- private authorities ---------------------------------------------------------------------------------------------


def test_whoever_lacks_an_intermediate_is_told_how_it_is_handed_along(model: Path) -> None:
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    alone = sign_model(model, signer=CertificateSigner(KeySigner(PKI.leaf_key), pem(PKI.leaf())))
    error = refused(CertificateUntrusted, model, alone, trust=trust, signer=OURS)
    assert (error.where, "oms sign --certificate" in error.do) == ("certificate", True)
    # What is wrong with a whole chain is not that something is missing.
    web = presented(model, PKI.leaf(usages=(ExtendedKeyUsageOID.SERVER_AUTH,)))
    assert refused(CertificateUntrusted, model, web, trust=trust, signer=OURS).do == ""


def test_a_certificate_without_an_alternative_name_is_called_by_its_subject(model: Path) -> None:
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    for leaf in (PKI.leaf(san=None), PKI.leaf(san=None, says_ca=True)):
        made = sign_model(model, signer=PKI.signer(leaf))
        named = Identity(authority="acme", san="subject:CN=release")
        assert verified(model, made, trust=trust, signer=named).signer.san == "subject:CN=release"
        assert refused(ModelNotAccepted, model, made, trust=trust, signer=OURS).where == "signer"


def test_an_alternative_name_cannot_pose_as_a_subject(model: Path) -> None:
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    made = presented(model, PKI.leaf(san="subject:CN=release"))
    named = Identity(authority="acme", san="subject:CN=release")
    error = refused(FieldRefused, model, made, trust=trust, signer=named)
    assert error.where == "$.verificationMaterial.certificate.subjectAltName"


def test_a_signer_by_certificate_holds_a_chain_to_its_key() -> None:
    key, leaf = KeySigner(PKI.leaf_key), PKI.leaf()
    with pytest.raises(SigningError) as raised:
        CertificateSigner(KEY, pem(leaf))
    assert raised.value.where == "certificates[0]"
    with pytest.raises(SigningError) as raised:
        CertificateSigner(key, pem(leaf) + pem(PKI.root))
    assert raised.value.where == "certificates[1]"
    with pytest.raises(SigningError) as raised:
        CertificateSigner(key, b"no certificate")
    assert (raised.value.code, raised.value.where) == ("signing", "certificates")
    whole = CertificateSigner(key, pem(leaf) + pem(PKI.intermediate) + PKI.root_pem)
    assert whole.public_key == key.public_key
    assert "CertificateSigner(KeySigner(" in repr(whole)


def test_only_a_root_is_a_private_authority() -> None:
    with pytest.raises(TrustRefused) as raised:
        private_root("acme", pem(PKI.intermediate))
    assert raised.value.where == "acme"
    with pytest.raises(GlasswingError) as unreadable:
        private_root("acme", b"nothing")
    assert unreadable.value.code == "malformed.pem"
    kept = Trust(roots=(private_root("acme", PKI.root_pem),))
    assert Trust.parse(kept.to_json(), suffix=".json").roots[0].profile == kept.roots[0].profile


def test_the_signature_is_written_in_the_order_of_the_specification() -> None:
    told = ModelSignature(
        resources=(OmsResource(name="a/b", digest=sha(b"")), OmsResource(name="a b", digest=sha(b"x")))
    )
    assert (told.order, [item["name"] for item in told.to_predicate()["resources"]]) == ("parts", ["a b", "a/b"])  # type: ignore[attr-defined]


def test_a_private_authority_vouches_for_its_own_people_alone(model: Path) -> None:
    # Believed as "acme", it issues a certificate as if an identity provider had asked who alice is.
    sigstore = VirtualSigstore()
    posing = PKI.leaf(san="alice@example.com", issuer="https://issuer.example", by_root=True)
    honest = json.loads(sign_model(model, signer=sigstore.signer("bob@example.com")).bytes)
    bundle = json.loads(presented(model, posing, member="certificate").bytes)
    bundle["verificationMaterial"]["tlogEntries"] = honest["verificationMaterial"]["tlogEntries"]
    both = Trust(roots=(private_root("acme", PKI.root_pem), *sigstore.trust().roots))
    alice = Identity(issuer="https://issuer.example", san="alice@example.com")
    error = refused(
        CertificateUntrusted, model, Attestation.parse(json.dumps(bundle).encode()), trust=both, signer=alice
    )
    assert (error.where, error.found) == ("certificate.issuer", "https://issuer.example")
    # Nor is it then one of its own.
    named = Identity(authority="acme", san="alice@example.com")
    assert refused(CertificateUntrusted, model, presented(model, posing), trust=both, signer=named).where == (
        "certificate.issuer"
    )


def test_the_word_of_who_asks_is_no_witness_against_a_revocation(model: Path) -> None:
    security = signer("security", "ecdsa-p256")
    roots_of = (private_root("acme", PKI.root_pem),)
    trust = Trust(keys=Trust.of(security=security.public_key).keys, roots=roots_of, revocation_signers=("security",))
    day, until = datetime(2026, 3, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    entry = Revocation(since=day, authority="acme", san=HOLDER, reason="left")
    made = sign_model(model, signer=PKI.signer())
    for entries, error in (((), None), ((entry,), Revoked)):
        document = RevocationList.of(entries, version=1, issued=day, expires=until)
        said: dict[str, Any] = {"trust": trust, "signer": OURS, "signed_at": datetime(2026, 2, 1, tzinfo=UTC)}
        said["revocations"] = security.seal(document.to_json(), REVOCATIONS_TYPE)
        if error is None:
            assert verified(model, made, **said).files
        else:
            assert refused(error, model, made, **said).found == "no witnessed time"


def test_an_authority_that_is_none_is_refused_when_it_is_named() -> None:
    own = PKI.ca("self", PKI.leaf_key, None, PKI.leaf_key)
    assert private_root("self", pem(own)).name == "self"
    alone = x509.CertificateBuilder(
        issuer_name=own.subject,
        subject_name=own.subject,
        public_key=own.public_key(),
        serial_number=5,
        not_valid_before=own.not_valid_before_utc,
        not_valid_after=own.not_valid_after_utc,
    ).sign(PKI.leaf_key, hashes.SHA256())
    with pytest.raises(TrustRefused) as raised:
        private_root("self", pem(alone))
    assert (raised.value.where, raised.value.wanted) == ("self", "a certificate that says it is a CA")


def test_a_self_signed_leaf_neither_signs_nor_stands_for_itself(model: Path) -> None:
    key = KeySigner(PKI.leaf_key)
    own = PKI.ca("self", PKI.leaf_key, None, PKI.leaf_key)
    with pytest.raises(CertificateUntrusted) as raised:
        sign_model(model, signer=CertificateSigner(key, pem(own)))
    assert (raised.value.where, raised.value.do) == ("certificate", "sign with the key alone")
    trust = Trust(roots=(private_root("self", pem(own)),))
    named = Identity(authority="self", san="subject:CN=self")
    error = refused(CertificateUntrusted, model, presented(model, own), trust=trust, signer=named)
    assert error.where == "certificate"


def unknown_curve(certificate: x509.Certificate) -> bytes:
    """The same certificate in PEM, with a key on a curve that nobody knows."""
    der = certificate.public_bytes(Encoding.DER)
    changed = der.replace(bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f"))
    assert changed != der
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(changed) + b"-----END CERTIFICATE-----\n"


def test_a_key_of_an_unknown_kind_is_refused_in_our_words() -> None:
    with pytest.raises(GlasswingError) as raised:
        private_root("acme", unknown_curve(PKI.root))
    assert (type(raised.value), raised.value.where) == (TrustRefused, "acme")
    with pytest.raises(GlasswingError) as unreadable:
        CertificateSigner(KeySigner(PKI.leaf_key), unknown_curve(PKI.leaf()) + pem(PKI.intermediate))
    assert (type(unreadable.value), unreadable.value.where) == (SigningError, "certificates")
    with pytest.raises(GlasswingError) as broken:
        CertificateSigner(KeySigner(PKI.leaf_key), pem(PKI.leaf()) + unknown_curve(PKI.intermediate))
    assert (type(broken.value), broken.value.where) == (SigningError, "certificates[1]")


# --- one reading, and no waiting for a no ----------------------------------------------------------------------------


class Read:
    """A progress that counts."""

    def __init__(self) -> None:
        self.done = 0
        self.total = -1

    def __call__(self, event: ProgressEvent) -> None:
        self.done, self.total = event.done_bytes, event.total_bytes


BYTES = sum(map(len, FILES.values()))


@pytest.mark.parametrize("shard_size", [None, 4])
def test_each_byte_is_read_once_by_whatever_workers(shard_size: int | None, model: Path) -> None:
    read = Read()
    made = sign_model(model, signer=KEY, shard_size=shard_size, progress=read)
    assert (read.done, read.total) == (BYTES, BYTES)
    with ThreadPoolExecutor(2) as pool:
        read = Read()
        sign_model(model, signer=KEY, shard_size=shard_size, progress=read, executor=pool)
        assert read.done == BYTES
        read = Read()
        assert verified(model, made, progress=read, executor=pool).files
        assert read.done == BYTES
    broken = ThreadPoolExecutor(1)
    broken.shutdown()
    for call in (
        lambda: sign_model(model, signer=KEY, shard_size=1, executor=broken),
        lambda: verified(model, made, executor=broken),
    ):
        with pytest.raises(UnavailableError) as raised:
            call()
        assert raised.value.where == "executor"


@pytest.mark.parametrize("shard_size", [None, 4])
@pytest.mark.parametrize("how", ["missing", "added", "renamed", "moved"])
def test_files_that_differ_are_told_before_anything_is_read(how: str, shard_size: int | None, model: Path) -> None:
    made = sign_model(model, signer=KEY, shard_size=shard_size)
    spoil(model, how)
    read = Read()
    refused(FileSetDiffers, model, made, progress=read)
    assert read.total == -1


def test_what_was_not_signed_is_not_read(model: Path) -> None:
    for shard_size in (None, 4):
        made = sign_model(model, signer=KEY, shard_size=shard_size)
        (model / "notes.txt").write_bytes(b"x" * 1000)
        read = Read()
        found = verified(model, made, unsigned_files_unsafe=True, progress=read)
        assert (found.unsigned, found.ignored, read.done) == (("notes.txt",), (), BYTES)
        assert [entry.name for entry in found.files] == sorted(FILES)
        (model / "notes.txt").unlink()


def test_a_file_of_another_size_is_refused_before_its_shards_are_read(model: Path) -> None:
    made = sign_model(model, signer=KEY, shard_size=1)
    with (model / "config.json").open("r+b") as file:
        file.truncate(1 << 40)  # as many shards as nobody has room for
    read = Read()
    error = refused(SubjectMismatch, model, made, progress=read)
    assert (error.where, error.found, error.wanted) == ("config.json", f"{1 << 40} bytes", "19 bytes")
    assert read.total == -1


def test_what_cannot_be_signed_is_told_before_anything_is_read(model: Path) -> None:
    (model / "a:b").write_bytes(b"x")
    (model / "empty").write_bytes(b"")
    read = Read()
    other = attest(Model(model), ModelRecord(name="m"), signer=KEY).write(model.parent / "other.json")
    rsa = signer("oms rsa", "rsa-3072")
    odd_paths: tuple[object, ...] = (None, (1,), ([],), "README.md")
    options: list[tuple[type[GlasswingError], str, dict[str, Any]]] = [
        (NameRefused, "a:b", {"shard_size": 4}),
        (KeyUnsupported, "signer", {"signer": rsa}),
        (UsageError, str(model / "nowhere/model.sig"), {"signature": model / "nowhere/model.sig"}),
        (UsageError, str(other), {"signature": other}),
        (UsageError, str(model), {"signature": model}),
        (UsageError, "signature", {"signature": b"model.sig"}),
        (UsageError, "x\0", {"signature": "x\0"}),
        *((UsageError, "shard_size", {"shard_size": size}) for size in (0, -1, 4.0, "4", True, 1 << 53)),
        *((UsageError, "ignore", {"ignore": paths}) for paths in odd_paths),
        (LimitError, str(model), {"limits": Limits(statement_bytes=600)}),
    ]
    said: dict[str, Any] = {"signer": KEY, "progress": read}
    for error, where, more in options:
        with pytest.raises(GlasswingError) as raised:
            sign_model(model, **(said | more))
        assert (type(raised.value), raised.value.where) == (error, where)
    (model / "a:b").unlink()
    with pytest.raises(UsageError) as empty:
        sign_model(model, signer=KEY, shard_size=4, progress=read)
    assert empty.value.where == "empty"
    assert read.total == -1


def test_the_limits_that_are_told_are_enough(tmp_path: Path) -> None:
    model = written(tmp_path / "m", {f"{number:04}": b"x" for number in range(600)})
    for name, value in (("statement_bytes", 20_000), ("bundle_bytes", 20_000), ("json_values", 600)):
        with pytest.raises(LimitError) as raised:
            sign_model(model, signer=KEY, limits=Limits(**{name: value}))
        assert (raised.value.where, raised.value.code) == (str(model), "limit")
        assert f"at most {value} ({name})" in str(raised.value.wanted)
        told = re.search(r"limits=Limits\(([a-z_0-9=, ]+)\)", raised.value.do)
        assert told is not None
        enough = Limits(**{word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", told[1])})
        made = sign_model(model, signer=KEY, limits=enough)
        assert len(verified(model, made, limits=enough).files) == 600


@pytest.mark.parametrize("method", ["files", "shards"])
@pytest.mark.parametrize("change", ["appears", "disappears", "grows", "fills"])
def test_what_changes_after_the_first_look_is_refused(
    change: str, method: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sign_model(model, signer=KEY, shard_size=4 if method == "shards" else None)
    (model / "empty").write_bytes(b"")
    if method == "files":
        made = sign_model(model, signer=KEY)
    changes: dict[str, Callable[[], object]] = {
        "appears": lambda: (model / "new").write_bytes(b"n"),
        "disappears": (model / "sub/vocab.txt").unlink,
        "grows": lambda: (model / "config.json").write_bytes(b"x" * 5000),
        "fills": lambda: (model / "empty").write_bytes(b"now it runs"),
    }

    def late(*args: Any, **more: Any) -> Any:
        changes[change]()
        return measure_model(*args, **more)

    monkeypatch.setattr("glasswing_attest.oms.measure_model", late)
    with pytest.raises(GlasswingError) as raised:
        verified(model, made, empty_files_unsafe=True)
    assert type(raised.value) in (ArtifactUnstable, SubjectMismatch)
    assert raised.value.where


def test_a_file_in_shards_is_opened_shard_by_shard(model: Path) -> None:
    content = bytes(range(100))
    (model / "model.safetensors").write_bytes(content)
    found = verified(model, sign_model(model, signer=KEY, shard_size=10))
    with found.open("model.safetensors") as file:
        assert file.read() == content
    (model / "model.safetensors").write_bytes(content[:25] + b"X" + content[26:])
    pieces: list[bytes] = []
    with pytest.raises(Mismatch) as raised, found.open("model.safetensors") as file:
        pieces.extend(iter(lambda: file.read(7), b""))
    assert raised.value.where == str(model / "model.safetensors")
    assert len(b"".join(pieces)) < 30  # the third shard is the wrong one
    for name in ("none.bin", None):
        with pytest.raises(UsageError):
            found.open(name)
    with pytest.raises(UsageError) as no_digest:
        _ = found.manifest
    assert no_digest.value.where == "manifest"
    assert [(file.name, file.size) for file in found.files][1] == ("model.safetensors", 100)


def test_who_forgets_the_time_is_told_what_to_say(model: Path) -> None:
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    for made, more in (
        (sign_model(model, signer=KEY), {}),
        (sign_model(model, signer=PKI.signer()), {"trust": trust, "signer": OURS}),
    ):
        assert "--signed-at" in refused(TimeUnproven, model, made, signed_at=None, **more).do
    sigstore = VirtualSigstore()
    made = sign_model(model, signer=sigstore.signer("alice@example.com", log="v2", stamps=0))
    alice = Identity(issuer="https://issuer.example", san="alice@example.com")
    error = refused(TimeUnproven, model, made, trust=sigstore.trust(), signer=alice, signed_at=None)
    assert "--signed-at" not in error.do


def test_a_file_that_is_no_signature_is_named(model: Path) -> None:
    for content in (b"no JSON", b"{}"):
        (model.parent / "x.sig").write_bytes(content)
        with pytest.raises(GlasswingError) as raised:
            verified(model, model.parent / "x.sig")
        assert str(model.parent / "x.sig") in raised.value.do


def test_what_is_no_path_is_refused_in_our_words(model: Path) -> None:
    made = sign_model(model, signer=KEY, signature=model.parent / "m.sig")
    for path in (None, b"m", 5):
        assert refused(UsageError, path, made).where == "model"  # type: ignore[arg-type]
        assert refused(UsageError, model, path).where == "signature"
    for name in ("m\0", "\ud800"):
        assert refused(ArtifactUnreadable, Path(name), model.parent / "m.sig").where == name
        assert refused(StoreUnavailable, model, name).where == name


@pytest.mark.parametrize("shards", [False, True])
def test_twins_are_two_files_and_neither_stands_for_the_other(shards: bool, tmp_path: Path) -> None:
    twins = ("A.txt", "a.txt", *(unicodedata.normalize(form, "é.txt") for form in ("NFC", "NFD")))
    model = written(tmp_path / "m", {name: name.encode() for name in twins})
    resources = sorted((f"{name}:0:{len(name.encode())}" if shards else name, sha(name.encode())) for name in twins)
    made = saying(resources, serialization={"method": "shards", "shard_size": 100} if shards else None)
    assert sorted(file.name for file in verified(model, made).files) == sorted(twins)
    for name in twins:
        (model / name).rename(tmp_path / "kept")
        assert refused(FileSetDiffers, model, made).where == name
        (tmp_path / "kept").rename(model / name)
    one, two = twins[:2]
    (model / one).write_bytes(two.encode())
    assert refused(SubjectMismatch, model, made).where.startswith(one)


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\x7fb"])
def test_a_name_that_no_listing_carries_is_refused_although_it_was_signed(name: str, tmp_path: Path) -> None:
    model = written(tmp_path / "m", {name: b"x"})
    error = refused(NameRefused, model, saying([(name, sha(b"x"))]))
    assert error.where == str(model / name)
    with pytest.raises(NameRefused):
        sign_model(model, signer=KEY)
