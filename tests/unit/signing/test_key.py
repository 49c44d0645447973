"""Does a key sign what it is given, so that others can verify it, and does its private half stay where it is?"""

import base64
import copy
import os
import pickle
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from securesystemslib.signer import Signature, SSlibKey

from glasswing_attest._api import attest, endorse, sign_statement
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, KeyHint
from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae
from glasswing_attest.errors import (
    FieldMissing,
    KeyUnreadable,
    KeyUnsupported,
    LimitError,
    NotJson,
    PassphraseRefused,
    PayloadTypeUnsupported,
    SelfCheckFailed,
    SigningError,
    StatementTypeUnsupported,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.records.model import ModelRecord
from glasswing_attest.signing.key import ALGORITHMS, KeySigner
from glasswing_attest.signing.signer import Signer
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.verification.signature import check_by

KEYS: dict[str, Any] = {
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
}
SCHEMES = {
    "p256": "ecdsa-sha2-nistp256",
    "p384": "ecdsa-sha2-nistp384",
    "p521": "ecdsa-sha2-nistp521",
    "ed25519": "ed25519",
    "rsa": "rsa-pkcs1v15-sha256",
}
NONE = NoEncryption()
PAYLOAD = b'{"_type": "https://in-toto.io/Statement/v1"}\n'


def pem_of(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, by: KeySerializationEncryption = NONE) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, form, by))


# --- the signature ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS)
def test_a_payload_is_signed_verbatim_in_a_key_bundle(name: str) -> None:
    signer = KeySigner(KEYS[name])
    assert isinstance(signer, Signer)
    assert signer.public_key.schemes == (SCHEMES[name],)
    made = Attestation.parse(signer.seal(PAYLOAD, PAYLOAD_TYPE))
    assert made.envelope.payload == PAYLOAD
    assert made.envelope.payload_type == PAYLOAD_TYPE
    assert made.bundle is not None
    assert made.bundle.version == "0.3"
    assert made.material == KeyHint(hint=signer.public_key.hint)
    assert check_by(made, signer.public_key).scheme == SCHEMES[name]


@pytest.mark.parametrize("name", KEYS)
def test_securesystemslib_verifies_what_we_sign(name: str) -> None:
    signer = KeySigner(KEYS[name])
    envelope = Attestation.parse(signer.seal(PAYLOAD, PAYLOAD_TYPE)).envelope
    theirs = SSlibKey.from_crypto(KEYS[name].public_key(), scheme=SCHEMES[name])
    theirs.verify_signature(
        Signature(theirs.keyid, envelope.signatures[0].sig.hex()),
        b"DSSEv1 28 %b 45 %b" % (PAYLOAD_TYPE.encode(), PAYLOAD),
    )


@pytest.mark.parametrize("name", KEYS)
def test_openssl_verifies_what_we_sign(name: str, tmp_path: Path) -> None:
    signer = KeySigner(KEYS[name])
    envelope = Attestation.parse(signer.seal(PAYLOAD, PAYLOAD_TYPE)).envelope
    (tmp_path / "key").write_text(signer.public_key.pem)
    (tmp_path / "sig").write_bytes(envelope.signatures[0].sig)
    (tmp_path / "data").write_bytes(pae(PAYLOAD_TYPE, PAYLOAD))
    if name == "ed25519":
        how = ["pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "data", "-sigfile", "sig"]
    else:
        digest = {"p384": "-sha384", "p521": "-sha512"}.get(name, "-sha256")
        how = ["dgst", digest, "-verify", "key", "-signature", "sig", "data"]
    try:
        found = subprocess.run(["openssl", *how], cwd=tmp_path, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine")
    assert found.returncode == 0, found.stderr
    (tmp_path / "data").write_bytes(pae(PAYLOAD_TYPE, PAYLOAD + b" "))
    assert subprocess.run(["openssl", *how], cwd=tmp_path, capture_output=True).returncode != 0


@pytest.mark.parametrize("algorithm", [a for a in ALGORITHMS if a != "rsa-4096"])
def test_every_algorithm_is_made(algorithm: str) -> None:
    signer = KeySigner.generate(algorithm)
    made = Attestation.parse(signer.seal(PAYLOAD, PAYLOAD_TYPE))
    assert check_by(made, signer.public_key).key == signer.public_key


def test_the_algorithms_are_these_and_make_a_new_key_each_time() -> None:
    # rsa-4096 is made by the same call as rsa-3072, and takes seconds.
    assert ALGORITHMS == ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072", "rsa-4096")
    assert KeySigner.generate().public_key != KeySigner.generate().public_key


def test_an_unknown_algorithm_is_a_mistake_of_the_caller() -> None:
    for algorithm in ("", "rsa", "ecdsa", "dsa-2048", "ECDSA-P256"):
        with pytest.raises(UsageError) as refused:
            KeySigner.generate(algorithm)
        assert (refused.value.where, refused.value.found) == ("algorithm", algorithm)


# --- reading keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *((name, PrivateFormat.PKCS8) for name in KEYS),
        *((name, PrivateFormat.TraditionalOpenSSL) for name in KEYS if name != "ed25519"),  # which has none
    ],
)
@pytest.mark.parametrize("passphrase", [None, "secret", b"\xff\x00"])
def test_a_key_is_read_in_every_form(name: str, form: PrivateFormat, passphrase: Any) -> None:
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
    pem = pem_of(KEYS[name], form, NONE if secret is None else BestAvailableEncryption(secret))
    signer = KeySigner.from_pem(pem, passphrase=passphrase)
    assert signer.public_key == KeySigner(KEYS[name]).public_key
    if secret is None:
        with pytest.raises(PassphraseRefused) as refused:
            KeySigner.from_pem(pem, passphrase="in vain")
        assert (refused.value.wanted, refused.value.because) == ("no passphrase", "the key is not encrypted")
        return
    with pytest.raises(PassphraseRefused) as missing:
        KeySigner.from_pem(pem, where="trainer.pem")
    error = missing.value
    assert (error.code, error.where, error.wanted) == ("signing.passphrase", "trainer.pem", "a passphrase")
    assert error.because == "the key is encrypted"
    assert str(error).startswith("trainer.pem: key and passphrase do not go together (the key is encrypted)")
    for way in ("passphrase=", "--passphrase-env", "--passphrase-file", "--ask-passphrase"):
        assert way in error.do
    for wrong in ("wrong", b"", "secret "):
        with pytest.raises(PassphraseRefused) as refused:
            KeySigner.from_pem(pem, passphrase=wrong)
        assert refused.value.because == ("the key does not decrypt with it" if wrong else "the key is encrypted")


@pytest.mark.parametrize("curve", [110, 111, 112, 113])
def test_a_key_of_another_length_than_its_curve_s_is_none(curve: int) -> None:
    # OpenSSL leaves an error that `cryptography` knows no name for. Found by fuzzing.
    inner = b"\x02\x01\x00\x30\x05\x06\x03\x2b\x65" + bytes([curve]) + b"\x04\x03\x04\x01\x05"
    body = base64.b64encode(b"\x30" + bytes([len(inner)]) + inner)
    with pytest.raises(KeyUnreadable) as refused:
        KeySigner.from_pem(b"-----BEGIN PRIVATE KEY-----\n" + body + b"\n-----END PRIVATE KEY-----\n", where="k")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("signing.key", "k", "PRIVATE KEY")


@pytest.mark.parametrize(
    "label", ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY", "OPENSSH PRIVATE KEY"]
)
@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_a_key_in_another_tool_s_form_is_called_by_its_name(label: str, passphrase: Any) -> None:
    pem = f"-----BEGIN {label}-----\naaaa\n-----END {label}-----\n".encode()
    with pytest.raises(KeyUnreadable) as refused:
        KeySigner.from_pem(pem, passphrase=passphrase, where="k")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("signing.key", "k", label)


def test_what_is_no_key_and_no_passphrase_is_misuse() -> None:
    pem = pem_of(KEYS["p256"], PrivateFormat.PKCS8, NONE)
    calls: list[tuple[dict[str, Any], str]] = [
        ({"pem": pem.decode()}, "pem"),
        ({"pem": pem, "passphrase": 7}, "passphrase"),
    ]
    for given, where in calls:
        with pytest.raises(UsageError) as refused:
            KeySigner.from_pem(**given)
        assert (refused.value.code, refused.value.where) == ("usage", where)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"junk",
        b"\xff\xfe",
        pem_of(KEYS["p256"])[:100],
        pem_of(KEYS["p256"]).replace(b"PRIVATE", b"PUBLIC"),
        bytes(KEYS["p256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
        b"-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n",
        bytes(KEYS["p256"].private_bytes(Encoding.DER, PrivateFormat.PKCS8, NONE)),
    ],
    ids=["nothing", "text", "not utf-8", "cut", "header", "public", "body", "der"],  # the same in every process
)
def test_what_is_no_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(KeyUnreadable) as refused:
        KeySigner.from_pem(pem, where="trainer.pem")
    assert (refused.value.code, refused.value.where) == ("signing.key", "trainer.pem")


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        dsa.generate_private_key(2048),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["secp256k1", "rsa-1024", "dsa", "x25519"],
)
def test_a_key_of_another_kind_does_not_sign(key: Any) -> None:
    with pytest.raises(KeyUnsupported) as refused:
        KeySigner.from_pem(pem_of(key))
    assert refused.value.code == "unsupported.key"


@pytest.mark.parametrize(
    ("key", "scheme"),
    [
        (mldsa.MLDSA44PrivateKey.generate(), "ml-dsa-44"),
        (mldsa.MLDSA65PrivateKey.generate(), "ml-dsa-65"),
        (mldsa.MLDSA87PrivateKey.generate(), "ml-dsa-87"),
    ],
    ids=["44", "65", "87"],
)
def test_a_key_that_is_only_verified_does_not_sign(key: Any, scheme: str) -> None:
    assert PublicKey.of(key.public_key()).schemes == (scheme,)
    makes: tuple[Callable[[], KeySigner], ...] = (lambda: KeySigner(key), lambda: KeySigner.from_pem(pem_of(key)))
    for make in makes:
        with pytest.raises(KeyUnsupported) as refused:
            make()
        assert (refused.value.code, refused.value.found) == ("unsupported.key", scheme)
        assert "ML-DSA is only verified" in refused.value.do


def test_a_key_file_is_read_with_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    path.write_bytes(pem_of(KEYS["p256"]))
    path.chmod(0o600)
    assert KeySigner.from_file(path).public_key == KeySigner(KEYS["p256"]).public_key
    with pytest.raises(KeyUnreadable) as refused:
        KeySigner.from_file(tmp_path / "absent.pem")
    assert refused.value.where == str(tmp_path / "absent.pem")
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(KeyUnreadable):
            KeySigner.from_file(tmp_path / name)
    path.write_bytes(b" " * ((4 << 20) + 1))
    with pytest.raises(LimitError):
        KeySigner.from_file(path)


# --- writing keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", [None, "secret", b"secret"])
def test_a_key_file_is_its_owners_alone(passphrase: Any, tmp_path: Path) -> None:
    signer = KeySigner(KEYS["p256"])
    before = os.umask(0)
    try:
        path = signer.write(tmp_path / "k.pem", passphrase=passphrase)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    pem = path.read_bytes()
    assert (b"ENCRYPTED" in pem) is (passphrase is not None)
    assert KeySigner.from_file(path, passphrase=passphrase).public_key == signer.public_key
    assert isinstance(load_pem_private_key(pem, None if passphrase is None else b"secret"), ec.EllipticCurvePrivateKey)


def test_a_key_is_never_written_over_anything(tmp_path: Path) -> None:
    path = KeySigner(KEYS["p256"]).write(tmp_path / "k.pem")
    before = path.read_bytes()
    (tmp_path / "dangling.pem").symlink_to("nowhere")
    (tmp_path / "folder").mkdir()
    for name in ("k.pem", "dangling.pem", "folder"):
        with pytest.raises((SigningError, UsageError)) as refused:
            KeySigner(KEYS["p384"]).write(tmp_path / name)
        assert refused.value.code in ("signing", "usage")
    assert path.read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_passphrase_protects_nothing_and_is_refused(tmp_path: Path) -> None:
    for empty in ("", b""):
        with pytest.raises(PassphraseRefused):
            KeySigner(KEYS["p256"]).write(tmp_path / "k.pem", passphrase=empty)
    assert not (tmp_path / "k.pem").exists()


# --- the private half ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KEYS)
def test_nothing_that_shows_a_signer_shows_its_key(name: str) -> None:
    signer = KeySigner(KEYS[name])
    shown = f"{signer!r} {signer} {signer.public_key!r}"
    secret = pem_of(KEYS[name]).splitlines()[1:-1]
    assert all(line.decode() not in shown for line in secret)
    assert "fingerprint=" in repr(signer)
    assert "object at" not in repr(signer)
    for travel in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled"):
            travel(signer)
    assert not hasattr(signer, "__dict__")


def test_an_error_while_signing_is_ours_and_shows_no_key() -> None:
    signer = KeySigner(KEYS["p256"])

    def broken(_: bytes) -> bytes:
        raise RuntimeError("the device is gone")

    vars(signer._device.backend)["sign"] = broken
    with pytest.raises(SigningError) as refused:
        signer.seal(PAYLOAD, PAYLOAD_TYPE)
    assert refused.value.code == "signing"
    assert "RuntimeError: the device is gone" in str(refused.value)


# --- the self-check --------------------------------------------------------------------------------------------------


class Liar:
    """Declares one key, and returns whatever it likes."""

    def __init__(self, answer: Any, declared: PublicKey | None = None) -> None:
        self.answer = answer
        self.verified_by = declared or KeySigner(KEYS["p256"]).public_key

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        return bytes(self.answer(payload, payload_type))


HONEST = KeySigner(KEYS["p256"])
STRANGER = KeySigner(KEYS["ed25519"])


def _forged(payload: bytes, payload_type: str) -> bytes:
    envelope = Envelope(payload=payload, payload_type=payload_type, signatures=(EnvelopeSignature(sig=b"\0" * 64),))
    return Bundle.of_key(envelope, HONEST.public_key.hint)


@pytest.mark.parametrize(
    "answer",
    [
        _forged,
        STRANGER.seal,
        lambda p, t: HONEST.seal(p + b" ", t),
        lambda p, t: HONEST.seal(p, "application/vnd.in-toto.other+json"),
        lambda p, t: HONEST.seal(p, t).replace(b'"sig":"', b'"sig":"AAAA'),
        lambda p, t: b"junk",
        lambda p, t: b"{}",
        lambda p, t: b"",
        lambda p, t: HONEST.seal(p, t)[:-1],
    ],
)
def test_what_does_not_verify_under_the_declared_key_is_never_returned(answer: Any) -> None:
    with pytest.raises(SelfCheckFailed) as refused:
        attest(Blob(b"w", name="w.bin"), ModelRecord(name="m"), signer=Liar(answer))
    assert refused.value.code == "signing.self-check"


def test_a_signer_that_does_what_it_says_passes() -> None:
    made = attest(Blob(b"w", name="w.bin"), ModelRecord(name="m"), signer=Liar(HONEST.seal))
    assert check_by(made, HONEST.public_key).key == HONEST.public_key
    again = endorse(made, signer=STRANGER)
    assert again.envelope.payload == made.envelope.payload
    assert check_by(again, STRANGER.public_key).scheme == "ed25519"


def test_only_statements_are_signed() -> None:
    statement = attest(Blob(b"w", name="w.bin"), ModelRecord(name="m"), signer=HONEST).envelope.payload
    pretty = statement.replace(b",", b",\n ")
    assert sign_statement(pretty, signer=STRANGER).envelope.payload == pretty, "the bytes are signed verbatim"
    for raw, error in (
        (b"junk", NotJson),
        (b"{}", FieldMissing),
        (b'{"_type": "layout"}', StatementTypeUnsupported),
        (b'{"_type": "link"}', FieldMissing),
    ):
        with pytest.raises(error):
            sign_statement(raw, signer=HONEST)
    other = Attestation.parse(HONEST.seal(b"hello", "text/plain"))
    with pytest.raises(PayloadTypeUnsupported):
        endorse(other, signer=STRANGER)
