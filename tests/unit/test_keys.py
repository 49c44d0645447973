"""Which keys may be used, with which schemes, and what counts as their signature?"""

import base64
import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, x448, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from glasswing_attest.errors import GlasswingError, KeyUnsupported, NotPem, SignatureInvalid, TrustRefused
from glasswing_attest.keys import SCHEMES, PublicKey, schemes_of

P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
ECDSA: dict[str, tuple[ec.EllipticCurvePrivateKey, hashes.HashAlgorithm, int]] = {
    "ecdsa-sha2-nistp256": (P256, hashes.SHA256(), 32),
    "ecdsa-sha2-nistp384": (ec.generate_private_key(ec.SECP384R1()), hashes.SHA384(), 48),
    "ecdsa-sha2-nistp521": (ec.generate_private_key(ec.SECP521R1()), hashes.SHA512(), 66),
}
MLDSA: dict[str, Any] = {
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate(),
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate(),
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate(),
}
PKCS1 = (padding.PKCS1v15(), hashes.SHA256())
PSS = (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256())


def signed(scheme: str, message: bytes) -> tuple[PublicKey, bytes]:
    if scheme in ECDSA:
        key, digest, _ = ECDSA[scheme]
        return PublicKey.of(key.public_key()), key.sign(message, ec.ECDSA(digest))
    if scheme == "ed25519":
        return PublicKey.of(ED.public_key()), ED.sign(message)
    if scheme in MLDSA:
        return PublicKey.of(MLDSA[scheme].public_key()), MLDSA[scheme].sign(message)
    return PublicKey.of(RSA.public_key()), RSA.sign(message, *(PSS if "pss" in scheme else PKCS1))


def der_of(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def pem_of(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_round_trips(scheme: str) -> None:
    key, signature = signed(scheme, b"message")
    assert key.check(signature, b"message") == scheme
    assert PublicKey.from_pem(key.pem) == key
    assert PublicKey.from_pem(key.pem.encode()).check(signature, b"message") == scheme
    assert PublicKey.from_pem(key.der).der == key.der
    with pytest.raises(SignatureInvalid) as refused:
        key.check(signature, b"massage")
    assert refused.value.code == "verification.signature"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_ghsa_r2xv_vpr2_42m9_no_bit_of_a_signature_may_change(scheme: str) -> None:
    key, signature = signed(scheme, b"message")
    step = max(1, len(signature) // 24)
    for position in [*range(0, len(signature), step), len(signature) - 1]:
        for bit in (1, 128):
            changed = bytearray(signature)
            changed[position] ^= bit
            with pytest.raises(SignatureInvalid):
                key.check(bytes(changed), b"message")
    for other in (b"", signature[:-1], signature + b"\0", b"\0" + signature, b"\0" * len(signature)):
        with pytest.raises(SignatureInvalid):
            key.check(other, b"message")


@pytest.mark.parametrize("scheme", ECDSA)
def test_a_raw_signature_has_the_exact_length_of_its_curve(scheme: str) -> None:
    key, signature = signed(scheme, b"message")
    size = ECDSA[scheme][2]
    r, s = decode_dss_signature(signature)
    raw = r.to_bytes(size) + s.to_bytes(size)
    assert key.check(raw, b"message") == scheme
    longer = b"\0" + r.to_bytes(size) + b"\0" + s.to_bytes(size)
    zero, one = b"\0" * size, (1).to_bytes(size)
    swapped = s.to_bytes(size) + r.to_bytes(size)
    uneven = r.to_bytes(size) + b"\0" + s.to_bytes(size)
    for wrong in (raw + b"\0", raw[:-1], uneven, longer, swapped, zero + zero, zero + one, raw[:size] + zero):
        with pytest.raises(SignatureInvalid):
            key.check(wrong, b"message")


def test_der_of_a_signature_is_strict() -> None:
    key, signature = signed("ecdsa-sha2-nistp256", b"message")
    r, s = decode_dss_signature(signature)
    assert key.check(encode_dss_signature(r, s), b"message")
    long_form = b"\x30\x81" + signature[1:2] + signature[2:]
    for wrong in (long_form, signature + b"\x05\x00", b"\x31" + signature[1:], encode_dss_signature(0, s)):
        with pytest.raises(SignatureInvalid):
            key.check(wrong, b"message")


# --- what only some keys may do --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", MLDSA)
def test_ml_dsa_is_pure_and_without_a_context(scheme: str) -> None:
    key = PublicKey.of(MLDSA[scheme].public_key())
    assert key.schemes == (scheme,)
    assert scheme in SCHEMES
    with pytest.raises(SignatureInvalid):
        key.check(MLDSA[scheme].sign(b"message", b"context"), b"message")
    for other in MLDSA.keys() - {scheme}:
        with pytest.raises(SignatureInvalid):
            key.check(MLDSA[other].sign(b"message"), b"message")
    with pytest.raises(TrustRefused) as refused:
        PublicKey.of(MLDSA[scheme].public_key(), scheme="ed25519")
    assert refused.value.wanted == scheme


@pytest.mark.parametrize("scheme", ["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"])
def test_only_the_key_of_a_certificate_may_have_signed_with_sha_256(scheme: str) -> None:
    # docs/adr/0011-contested-bundles.md: clients did so before the registry fixed the hash.
    private, own, _ = ECDSA[scheme]
    legacy, plain = PublicKey.of(private.public_key(), legacy=True), PublicKey.of(private.public_key())
    old = private.sign(b"message", ec.ECDSA(hashes.SHA256()))
    assert legacy.schemes == (scheme, "ecdsa-sha2-256")
    assert legacy.check(old, b"message") == "ecdsa-sha2-256"
    assert legacy.check(private.sign(b"message", ec.ECDSA(own)), b"message") == scheme
    assert legacy.check_digest(old, ("sha256", hashlib.sha256(b"message").digest())) == "ecdsa-sha2-256"
    for digest in (hashes.SHA1(), hashes.SHA224()):  # weak on purpose
        with pytest.raises(SignatureInvalid):
            legacy.check(private.sign(b"message", ec.ECDSA(digest)), b"message")
    for key in (plain, PublicKey.from_pem(legacy.pem), PublicKey.of(private.public_key(), scheme=scheme, legacy=True)):
        assert key.schemes == (scheme,)
        assert key != legacy
        with pytest.raises(SignatureInvalid) as refused:
            key.check(old, b"message")
        assert refused.value.code == "verification.signature"
    # No trust file can ask for it.
    assert "ecdsa-sha2-256" not in SCHEMES
    with pytest.raises(TrustRefused):
        PublicKey.from_pem(legacy.pem, scheme="ecdsa-sha2-256")


def test_other_keys_have_no_legacy() -> None:
    for private in (RSA, ED, *MLDSA.values()):
        assert PublicKey.of(private.public_key(), legacy=True) == PublicKey.of(private.public_key())


# --- digests instead of messages -------------------------------------------------------------------------------------

HASHED = {
    "ecdsa-sha2-nistp256": "sha256",
    "ecdsa-sha2-nistp384": "sha384",
    "ecdsa-sha2-nistp521": "sha512",
    "rsa-pkcs1v15-sha256": "sha256",
    "rsassa-pss-sha256": "sha256",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_digest_stands_for_a_message_where_the_scheme_hashes_so(scheme: str) -> None:
    key, signature = signed(scheme, b"message")
    for name in ("sha256", "sha384", "sha512"):
        digest = (name, hashlib.new(name, b"message").digest())
        if HASHED.get(scheme) == name:
            assert key.check_digest(signature, digest) == scheme
            wrong = (name, hashlib.new(name, b"massage").digest())
            with pytest.raises(SignatureInvalid) as refused:
                key.check_digest(signature, wrong)
            assert refused.value.code == "verification.signature"
        else:
            # The message is needed, and nothing is guessed from another digest of it.
            with pytest.raises(KeyUnsupported) as unsupported:
                key.check_digest(signature, digest)
            assert unsupported.value.wanted == "the artifact itself"
        assert key.check_digest(signature, digest, b"message") == scheme
        with pytest.raises(SignatureInvalid):
            key.check_digest(signature[:-1] + bytes([signature[-1] ^ 1]), digest, b"message")
    with pytest.raises(SignatureInvalid):
        key.check_digest(signature, ("sha3_256", hashlib.sha3_256(b"massage").digest()), b"massage")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_remembered_hashes_change_no_answer(scheme: str) -> None:
    key, signature = signed(scheme, b"message")
    hashed: dict[str, bytes] = {}
    for _ in range(2):
        assert key.check(signature, b"message", hashed=hashed) == scheme
    with pytest.raises(SignatureInvalid):
        key.check(signature, b"massage", hashed={})


def test_a_scheme_narrows_what_a_key_may_sign() -> None:
    both = PublicKey.of(RSA.public_key())
    assert both.schemes == ("rsa-pkcs1v15-sha256", "rsassa-pss-sha256")
    for scheme, other in (both.schemes, both.schemes[::-1]):
        narrow = PublicKey.from_pem(both.pem, scheme=scheme)
        assert narrow.schemes == (scheme,)
        assert narrow != both
        assert narrow.der == both.der
        assert narrow.check(signed(scheme, b"m")[1], b"m") == scheme
        with pytest.raises(SignatureInvalid):
            narrow.check(signed(other, b"m")[1], b"m")
    for wrong in ("ed25519", "rsassa-pss-sha512", ""):
        with pytest.raises(TrustRefused) as refused:
            PublicKey.of(RSA.public_key(), scheme=wrong)
        assert (refused.value.where, refused.value.found) == ("scheme", wrong)


def test_rsa_hashes_with_sha256_only() -> None:
    key = PublicKey.of(RSA.public_key())
    for digest in (hashes.SHA1(), hashes.SHA384(), hashes.SHA512()):  # weak on purpose
        for pad in (padding.PKCS1v15(), padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)):
            with pytest.raises(SignatureInvalid):
                key.check(RSA.sign(b"m", pad, digest), b"m")


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: ec.generate_private_key(ec.SECP192R1()), "elliptic curve secp192r1"),
        (lambda: ec.generate_private_key(ec.SECP224R1()), "elliptic curve secp224r1"),
        (lambda: ec.generate_private_key(ec.SECP256K1()), "elliptic curve secp256k1"),
        (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "elliptic curve brainpoolP256r1"),
        (lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024), "RSA of 1024 bits"),
        (lambda: rsa.generate_private_key(public_exponent=65537, key_size=2040), "RSA of 2040 bits"),
        (lambda: dsa.generate_private_key(2048), "DSA"),
        (x25519.X25519PrivateKey.generate, "X25519"),
        (x448.X448PrivateKey.generate, "X448"),
        (ed448.Ed448PrivateKey.generate, "Ed448"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_is_not_used_here_is_refused_by_its_kind(make: Any, found: str) -> None:
    try:
        key = make().public_key()
    except Exception as e:  # noqa: BLE001  # which curves a build of OpenSSL makes is its own affair
        pytest.skip(f"this OpenSSL makes no such key: {e}")
    for read in (lambda: PublicKey.of(key), lambda: PublicKey.from_pem(pem_of(key)), lambda: schemes_of(key)):
        with pytest.raises(KeyUnsupported) as refused:
            read()
        assert refused.value.found == found
        assert refused.value.code == "unsupported.key"


def test_an_rsa_key_above_the_largest_size_is_refused() -> None:
    huge = rsa.RSAPublicNumbers(65537, (1 << 8200) + 297).public_key()
    with pytest.raises(KeyUnsupported) as refused:
        PublicKey.of(huge)
    assert refused.value.found == "RSA of 8201 bits"


PRIVATE = P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
JUNK: dict[str, bytes | str] = {
    "nothing": b"",
    "text": b"hello",
    "not utf-8": b"\xff\xfe",
    "half a character": "\ud800",
    "a header alone": b"-----BEGIN PUBLIC KEY-----\n",
    "an empty body": b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
    "a body of junk": b"-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n",
    "a private key": PRIVATE,
    "a traditional private key": P256.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "another header": pem_of(P256.public_key()).replace(b"PUBLIC KEY", b"CERTIFICATE"),
    "DER cut short": der_of(P256.public_key())[:-1],
    "DER and more": der_of(P256.public_key()) + b"\0",
    "a point off the curve": der_of(P256.public_key())[:-32] + b"\1" * 32,
    "an SSH key": ED.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
}


@pytest.mark.parametrize("name", JUNK)
def test_what_is_no_public_key_is_refused(name: str) -> None:
    with pytest.raises(NotPem) as refused:
        PublicKey.from_pem(JUNK[name], where="keys.a")
    assert (refused.value.kind, refused.value.where) == ("trust", "keys.a")
    assert refused.value.code == "malformed.pem"
    assert "\n" not in str(refused.value)


def test_the_private_half_never_shows() -> None:
    with pytest.raises(GlasswingError) as refused:
        PublicKey.from_pem(PRIVATE)
    shown = repr(refused.value.to_dict()) + repr(refused.value.args)
    assert not any(line.decode() in shown for line in PRIVATE.splitlines()[1:-1])


def test_a_key_has_one_name_for_each_habit() -> None:
    key = PublicKey.of(P256.public_key())
    der = der_of(P256.public_key())
    assert key.der == der
    assert key.fingerprint == hashlib.sha256(der).hexdigest()
    assert key.hint == base64.b64encode(hashlib.sha256(der).digest()).decode()
    assert key.hints == {
        key.hint,  # cosign
        key.fingerprint,
        hashlib.sha256(key.pem.encode()).hexdigest(),  # model-signing
    }


def test_equal_keys_are_equal_values() -> None:
    one, again = PublicKey.of(P256.public_key()), PublicKey.from_pem(pem_of(P256.public_key()))
    assert one == again
    assert hash(one) == hash(again)
    assert one != PublicKey.of(ED.public_key())
    assert len({one, again}) == 1


def test_a_certificate_is_no_key(shared_data: Any) -> None:
    pem = (shared_data / "model-transparency/scripts/tests/keys/certificate/ca-cert.pem").read_bytes()
    with pytest.raises(NotPem):
        PublicKey.from_pem(pem)
