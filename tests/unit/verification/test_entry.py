"""Is a log entry about this very signature?"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest import KeySigner
from glasswing_attest._wire import decode_base64, encode_base64, read_json
from glasswing_attest.bundle import Bundle, LogEntry, MessageSignature
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    LimitError,
    NotJson,
    NotLogged,
    NotUtf8,
    UnsupportedError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.verification import signature
from glasswing_attest.verification.entry import check_body, is_v1
from glasswing_attest.verification.signature import SignedPayload
from tests.chains import signer
from tests.private_pki import Pki
from tests.unit.verification.asking import ALICE, PAYLOAD

SIGSTORE = VirtualSigstore()
KEY = signer("trainer", "ecdsa-p256")
STRANGER = signer("auditor", "ecdsa-p256").public_key
FOREIGN = Pki().leaf()
Change = Callable[[Any], object]


def of_statement(by: str | KeySigner, **how: Any) -> tuple[SignedPayload, LogEntry]:
    made = SIGSTORE.sign(PAYLOAD, identity=by, **how)
    (signed,) = signature.check(made, [KEY.public_key])
    assert made.bundle is not None
    return signed, made.bundle.log_entries[0]


def of_artifact(**how: Any) -> tuple[SignedPayload, LogEntry]:
    bundle = Bundle.parse(read_json(SIGSTORE.sign_artifact(b"weights", identity=ALICE, **how)))
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    return signature.check_message(bundle, (), digest=digest, content=b"weights"), bundle.log_entries[0]


ENTRIES = {
    "dsse by certificate": of_statement(ALICE),
    "dsse by key": of_statement(KEY),
    "intoto by certificate": of_statement(ALICE, kind="intoto"),
    "intoto by key": of_statement(KEY, kind="intoto"),
    "v2 by certificate": of_statement(ALICE, log="v2"),
    "v2 by key": of_statement(KEY, log="v2"),
    "artifact": of_artifact(),
    "artifact v2": of_artifact(log="v2"),
}


CERTIFICATE = {
    "dsse by certificate": "spec.signatures.0.verifier",
    "intoto by certificate": "spec.content.envelope.signatures.0.publicKey",
    "artifact": "spec.signature.publicKey.content",
}
"""Where each kind of version 1 has it."""
WEIGHTS = {name: hashlib.new(name, b"weights").digest() for name in ("sha256", "sha384", "sha512")}


def signing_weights(algorithm: str) -> SignedPayload:
    """The signature of the artifact's entry, by whoever knows the artifact's digest by this algorithm."""
    bundle = ENTRIES["artifact"][0].bundle
    assert bundle is not None
    assert isinstance(bundle.content, MessageSignature)
    silent = dataclasses.replace(bundle, content=dataclasses.replace(bundle.content, digest=b"", algorithm=""))
    return signature.check_message(silent, (), digest=(algorithm, WEIGHTS[algorithm]), content=b"weights")


def changed(which: str, change: Change) -> tuple[LogEntry, SignedPayload]:
    """The entry, whose body says something else."""
    signed, entry = ENTRIES[which]
    body = json.loads(entry.canonicalized_body)
    change(body)
    return dataclasses.replace(entry, canonicalized_body=json.dumps(body).encode()), signed


def put(path: str, value: object) -> Change:
    """A change of one member, or without a value its removal."""

    def change(body: Any) -> None:
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for parent in parents:
            body = body[parent]
        if value is ...:
            del body[last]
        else:
            body[last] = value

    return change


def again(path: str, made: Callable[[Any], object]) -> Change:
    """A change of one member into what is made of it."""

    def change(body: Any) -> None:
        found = body
        for part in path.split("."):
            found = found[int(part) if part.isdigit() else part]
        put(path, made(found))(body)

    return change


FOREIGN_PEM = encode_base64(FOREIGN.public_bytes(Encoding.PEM))
STRANGER_PEM = encode_base64(STRANGER.pem.encode())
NO_SIGNER_PEM = encode_base64(
    x25519.X25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
EMPTY = encode_base64(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
FOREIGN_DER = encode_base64(FOREIGN.public_bytes(Encoding.DER))
OTHER = encode_base64(b"other")
ZEROS = "00" * 32
V1, V2 = "spec", "spec.hashedRekordV002"
AT1, AT2 = "canonicalizedBody.spec", "canonicalizedBody.spec.hashedRekordV002"

CASES: list[tuple[str, Change, type[GlasswingError], str]] = [
    # what it is
    ("dsse by key", put("kind", "hashedrekord"), NotLogged, "canonicalizedBody"),
    ("dsse by key", put("apiVersion", "0.0.2"), NotLogged, "canonicalizedBody"),
    ("dsse by key", put("kind", ...), FieldMissing, "canonicalizedBody.kind"),
    ("dsse by key", put("apiVersion", ...), FieldMissing, "canonicalizedBody.apiVersion"),
    ("dsse by key", put("spec", ...), FieldMissing, "canonicalizedBody.spec"),
    # dsse
    ("dsse by key", put("spec.payloadHash", ...), FieldMissing, f"{AT1}.payloadHash"),
    ("dsse by key", put("spec.payloadHash.value", ZEROS), NotLogged, f"{AT1}.payloadHash"),
    ("dsse by key", put("spec.payloadHash.algorithm", "sha512"), FieldRefused, f"{AT1}.payloadHash.algorithm"),
    ("dsse by key", put("spec.payloadHash.value", ...), FieldMissing, f"{AT1}.payloadHash.value"),
    ("dsse by key", put("spec.payloadHash.algorithm", ...), FieldMissing, f"{AT1}.payloadHash.algorithm"),
    ("dsse by key", put("spec.signatures", ...), FieldMissing, f"{AT1}.signatures"),
    ("dsse by key", put("spec.signatures", []), NotLogged, AT1),
    ("dsse by key", again("spec.signatures", lambda each: each * 2), NotLogged, AT1),
    ("dsse by key", put("spec.signatures.0.signature", OTHER), NotLogged, f"{AT1}.signatures[0]"),
    ("dsse by key", put("spec.signatures.0.signature", ...), FieldMissing, f"{AT1}.signatures[0].signature"),
    ("dsse by key", put("spec.signatures.0.verifier", ...), FieldMissing, f"{AT1}.signatures[0].verifier"),
    ("dsse by key", put("spec.signatures.0.verifier", STRANGER_PEM), NotLogged, f"{AT1}.signatures[0].verifier"),
    ("dsse by key", put("spec.signatures.0.verifier", FOREIGN_PEM), NotLogged, f"{AT1}.signatures[0].verifier"),
    ("dsse by key", put("spec.signatures.0.verifier", NO_SIGNER_PEM), NotLogged, f"{AT1}.signatures[0].verifier"),
    ("dsse by key", put("spec.signatures.0.verifier", OTHER), NotLogged, f"{AT1}.signatures[0].verifier"),
    ("dsse by key", put("spec.signatures.0.verifier", "!"), Base64Refused, f"{AT1}.signatures[0].verifier"),
    ("dsse by certificate", put("spec.signatures.0.verifier", FOREIGN_PEM), NotLogged, f"{AT1}.signatures[0].verifier"),
    ("dsse by certificate", put("spec.signatures.0.verifier", OTHER), NotLogged, f"{AT1}.signatures[0].verifier"),
    (
        "dsse by certificate",
        put("spec.signatures.0.verifier", STRANGER_PEM),
        NotLogged,
        f"{AT1}.signatures[0].verifier",
    ),
    ("dsse by certificate", put("spec.signatures.0.verifier", EMPTY), NotLogged, f"{AT1}.signatures[0].verifier"),
    # intoto
    ("intoto by key", put("spec.content", ...), FieldMissing, f"{AT1}.content"),
    ("intoto by key", put("spec.content.payloadHash.value", ZEROS), NotLogged, f"{AT1}.content.payloadHash"),
    ("intoto by key", put("spec.content.payloadHash", ...), FieldMissing, f"{AT1}.content.payloadHash"),
    ("intoto by key", put("spec.content.envelope", ...), FieldMissing, f"{AT1}.content.envelope"),
    ("intoto by key", put("spec.content.envelope.payloadType", "text/plain"), NotLogged, f"{AT1}.content.envelope"),
    ("intoto by key", put("spec.content.envelope.payloadType", ...), NotLogged, f"{AT1}.content.envelope"),
    ("intoto by key", put("spec.content.envelope.signatures", []), NotLogged, f"{AT1}.content.envelope"),
    ("intoto by key", put("spec.content.envelope.signatures", ...), FieldMissing, f"{AT1}.content.envelope.signatures"),
    ("intoto by key", again("spec.content.envelope.signatures", lambda s: s * 2), NotLogged, f"{AT1}.content.envelope"),
    (
        "intoto by key",
        put("spec.content.envelope.signatures.0.sig", encode_base64(OTHER.encode())),
        NotLogged,
        f"{AT1}.content.envelope.signatures[0].sig",
    ),
    (
        "intoto by key",
        put("spec.content.envelope.signatures.0.sig", encode_base64(b"\xff")),
        NotUtf8,
        f"{AT1}.content.envelope.signatures[0].sig",
    ),
    (
        "intoto by key",
        put("spec.content.envelope.signatures.0.sig", encode_base64(b"!")),
        Base64Refused,
        f"{AT1}.content.envelope.signatures[0].sig",
    ),
    (
        "intoto by key",
        put("spec.content.envelope.signatures.0.publicKey", STRANGER_PEM),
        NotLogged,
        f"{AT1}.content.envelope.signatures[0].publicKey",
    ),
    (
        "intoto by certificate",
        put("spec.content.envelope.signatures.0.publicKey", FOREIGN_PEM),
        NotLogged,
        f"{AT1}.content.envelope.signatures[0].publicKey",
    ),
    # hashedrekord of version 1
    ("artifact", put("spec.data.hash.algorithm", "md5"), FieldRefused, f"{AT1}.data.hash.algorithm"),
    ("artifact", put("spec.data.hash.algorithm", "sha512"), NotLogged, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash.algorithm", ...), FieldMissing, f"{AT1}.data.hash.algorithm"),
    ("artifact", put("spec.data.hash.value", ZEROS), NotLogged, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash.value", "0"), FieldRefused, f"{AT1}.data.hash.value"),
    ("artifact", again("spec.data.hash.value", str.upper), FieldRefused, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash.value", "zz"), FieldRefused, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash.value", "XX"), FieldRefused, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash.value", ...), FieldMissing, f"{AT1}.data.hash.value"),
    ("artifact", put("spec.data.hash", ...), FieldMissing, f"{AT1}.data.hash"),
    ("artifact", put("spec.data", ...), FieldMissing, f"{AT1}.data"),
    ("artifact", put("spec.signature", ...), FieldMissing, f"{AT1}.signature"),
    ("artifact", put("spec.signature.content", OTHER), NotLogged, f"{AT1}.signature.content"),
    ("artifact", put("spec.signature.content", ...), FieldMissing, f"{AT1}.signature.content"),
    ("artifact", put("spec.signature.publicKey", ...), FieldMissing, f"{AT1}.signature.publicKey"),
    ("artifact", put("spec.signature.publicKey.content", ...), FieldMissing, f"{AT1}.signature.publicKey.content"),
    ("artifact", put("spec.signature.publicKey.content", FOREIGN_PEM), NotLogged, f"{AT1}.signature.publicKey.content"),
    # hashedrekord of version 2
    *(
        (which, put(f"{V2}.{member}", value), error, f"{AT2}.{where}")
        for which in ("v2 by certificate", "v2 by key", "artifact v2")
        for member, value, error, where in (
            ("data", ..., FieldMissing, "data"),
            ("data.algorithm", "SHA3_256", FieldRefused, "data.algorithm"),
            ("data.algorithm", ..., FieldMissing, "data.algorithm"),
            ("data.digest", OTHER, NotLogged, "data.digest"),
            ("data.digest", ..., FieldMissing, "data.digest"),
            ("signature", ..., FieldMissing, "signature"),
            ("signature.content", OTHER, NotLogged, "signature.content"),
            ("signature.content", ..., FieldMissing, "signature.content"),
            ("signature.verifier", ..., FieldMissing, "signature.verifier"),
        )
    ),
    ("artifact v2", put(f"{V2}.data.algorithm", "SHA2_512"), NotLogged, f"{AT2}.data.digest"),
    ("v2 by key", put("spec.hashedRekordV002", ...), FieldMissing, AT2),
]
VERIFIER = f"{V2}.signature.verifier"
AT_VERIFIER = f"{AT2}.signature.verifier"
ONE_KEY, ONE_CERTIFICATE = {"rawBytes": encode_base64(KEY.public_key.der)}, {"rawBytes": FOREIGN_DER}
VERIFIERS: list[tuple[str, Change, type[GlasswingError], str]] = [
    ("v2 by key", put(f"{VERIFIER}.publicKey", ...), FieldRefused, AT_VERIFIER),
    ("v2 by key", put(f"{VERIFIER}.x509Certificate", ONE_CERTIFICATE), FieldRefused, AT_VERIFIER),
    ("v2 by key", put(f"{VERIFIER}.publicKey.rawBytes", OTHER), NotLogged, f"{AT_VERIFIER}.publicKey"),
    ("v2 by key", put(f"{VERIFIER}.publicKey.rawBytes", ...), FieldMissing, f"{AT_VERIFIER}.publicKey.rawBytes"),
    ("v2 by key", put(VERIFIER, {"x509Certificate": ONE_CERTIFICATE}), NotLogged, f"{AT_VERIFIER}.x509Certificate"),
    ("v2 by certificate", put(f"{VERIFIER}.x509Certificate", ...), FieldRefused, AT_VERIFIER),
    ("v2 by certificate", put(f"{VERIFIER}.publicKey", ONE_KEY), FieldRefused, AT_VERIFIER),
    (
        "v2 by certificate",
        put(f"{VERIFIER}.x509Certificate", ONE_CERTIFICATE),
        NotLogged,
        f"{AT_VERIFIER}.x509Certificate",
    ),
    (
        "v2 by certificate",
        put(f"{VERIFIER}.x509Certificate", {}),
        FieldMissing,
        f"{AT_VERIFIER}.x509Certificate.rawBytes",
    ),
]


@pytest.mark.parametrize("which", ENTRIES)
def test_an_entry_is_about_its_own_signature(which: str) -> None:
    signed, entry = ENTRIES[which]
    check_body(entry, signed)
    check_body(*changed(which, lambda body: body.update(more=1)))
    assert is_v1(entry) is ("v2" not in which)


@pytest.mark.parametrize(("which", "change", "error", "where"), [*CASES, *VERIFIERS])
def test_an_entry_that_says_something_else_is_refused_in_its_place(
    which: str, change: Change, error: type[GlasswingError], where: str
) -> None:
    entry, signed = changed(which, change)
    with pytest.raises(error) as caught:
        check_body(entry, signed)
    assert (type(caught.value), caught.value.where) == (error, where)
    if error is NotLogged:
        assert caught.value.code == "verification.not-logged"


def test_a_certificate_s_own_key_is_no_certificate() -> None:
    signed, entry = ENTRIES["v2 by certificate"]
    own = {"publicKey": {"rawBytes": encode_base64(signed.key.der)}}
    with pytest.raises(NotLogged) as caught:
        check_body(*changed("v2 by certificate", put(VERIFIER, own)))
    assert caught.value.where == f"{AT_VERIFIER}.publicKey"
    assert entry.kind == "hashedrekord"


def test_an_entry_for_an_envelope_is_none_for_an_artifact() -> None:
    (by_certificate, dsse), (artifact, record) = ENTRIES["dsse by certificate"], ENTRIES["artifact"]
    _, intoto = ENTRIES["intoto by certificate"]
    for entry, signed in ((dsse, artifact), (intoto, artifact), (record, by_certificate)):
        with pytest.raises(NotLogged) as caught:
            check_body(entry, signed)
        assert (caught.value.code, caught.value.where) == ("verification.not-logged", "canonicalizedBody.spec")


def test_kinds_that_nobody_reads_are_not_supported() -> None:
    signed, entry = ENTRIES["dsse by key"]
    body = json.loads(entry.canonicalized_body) | {"kind": "rpm", "apiVersion": "0.0.1"}
    other = dataclasses.replace(entry, kind="rpm", canonicalized_body=json.dumps(body).encode())
    with pytest.raises(UnsupportedError) as caught:
        check_body(other, signed)
    assert (type(caught.value), caught.value.where) == (UnsupportedError, "canonicalizedBody")
    with pytest.raises(NotJson) as unread:
        check_body(dataclasses.replace(entry, canonicalized_body=b"{"), signed)
    assert unread.value.where == "canonicalizedBody"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_what_was_signed_may_be_logged_by_a_digest_of_each_algorithm(algorithm: str) -> None:
    signed, _ = ENTRIES["v2 by key"]
    assert signed.envelope is not None
    found = hashlib.new(algorithm, signed.envelope.signed_bytes).digest()
    data = {"algorithm": algorithm.replace("sha", "SHA2_"), "digest": encode_base64(found)}
    check_body(*changed("v2 by key", put(f"{V2}.data", data)))
    entry, _ = changed("artifact", put("spec.data.hash", {"algorithm": algorithm, "value": WEIGHTS[algorithm].hex()}))
    check_body(entry, signing_weights(algorithm))


@pytest.mark.parametrize(("known", "logged"), [("sha256", "sha384"), ("sha384", "sha512"), ("sha512", "sha256")])
def test_a_digest_by_another_algorithm_is_not_the_artifact_s(known: str, logged: str) -> None:
    entry, _ = changed("artifact", put("spec.data.hash", {"algorithm": logged, "value": WEIGHTS[logged].hex()}))
    with pytest.raises(NotLogged) as caught:
        check_body(entry, signing_weights(known))
    assert (caught.value.code, caught.value.where) == ("verification.not-logged", f"{AT1}.data.hash.value")
    assert (caught.value.found, caught.value.wanted) == (WEIGHTS[logged].hex(), "a digest by another algorithm")


def test_another_digest_is_shown_beside_the_artifact_s_own() -> None:
    with pytest.raises(NotLogged) as caught:
        check_body(*changed("artifact", put("spec.data.hash.value", ZEROS)))
    assert (caught.value.found, caught.value.wanted) == (ZEROS, WEIGHTS["sha256"].hex())


def test_a_body_is_read_within_the_caller_s_limits() -> None:
    signed, entry = ENTRIES["dsse by key"]
    check_body(entry, signed, limits=Limits(json_depth=5))
    with pytest.raises(LimitError) as caught:
        check_body(entry, signed, limits=Limits(json_depth=2))
    assert (caught.value.code, caught.value.where) == ("limit", "canonicalizedBody.spec.envelopeHash")


@pytest.mark.parametrize("which", ["dsse by certificate", "intoto by certificate", "artifact"])
def test_a_certificate_as_nearly_every_log_stores_it_need_not_be_read(
    which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(_pem: bytes) -> x509.Certificate:
        raise ValueError("nobody has to read it")

    signed, entry = ENTRIES[which]
    monkeypatch.setattr(x509, "load_pem_x509_certificate", unasked)
    check_body(entry, signed)
    with pytest.raises(NotLogged):  # what is written in another way has to be
        check_body(*changed(which, again(CERTIFICATE[which], lambda text: encode_base64(decode_base64(text) + b"\n"))))


@pytest.mark.parametrize("which", ["dsse by certificate", "intoto by certificate", "artifact"])
def test_a_certificate_may_be_written_in_another_way(which: str) -> None:
    # The log keeps what it was sent: other line ends, and text around it, are the same certificate.
    for rewritten in (
        lambda text: encode_base64(decode_base64(text).rstrip(b"\n")),
        lambda text: encode_base64(decode_base64(text).replace(b"\n", b"\r\n")),
        lambda text: encode_base64(b"words before\n" + decode_base64(text)),
    ):
        check_body(*changed(which, again(CERTIFICATE[which], rewritten)))
