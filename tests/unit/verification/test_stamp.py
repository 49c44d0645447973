"""Which stamps does the shortcut read, and which clocks does it prove?"""

import dataclasses
import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.testing import VirtualSigstore, der, tsa
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.tsa import TimestampAuthority
from glasswing_attest.testing.tsa import _attribute as attribute
from glasswing_attest.verification import stamp
from tests.private_pki import END, START


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0x81, 0xFF, 0x100, 0x101, 0xFFFF, 0x10000])
def test_a_length_is_written_as_der_has_it(size: int) -> None:
    assert stamp._element(b"\x04", bytes(size)) == encode_der(bytes(size))


KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
STAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING])


def usage(**said: bool) -> x509.KeyUsage:
    names = [
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    ]
    every = {**dict.fromkeys((*names, "digital_signature", "key_cert_sign", "crl_sign"), False), **said}
    return x509.KeyUsage(**every)


CERTIFIES, SIGNS = usage(key_cert_sign=True), usage(digital_signature=True)


def chain_of(
    *leaf: tuple[x509.ExtensionType, bool],
    between: x509.ExtendedKeyUsage | None = None,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = KEYS[0],
) -> tuple[x509.Certificate, ...]:
    """A clock's certificate, which says this, an authority between, which allows that, and an anchor."""

    def issued(number: int, by: int, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        own, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"c{n}")]) for n in (number, by))
        holder = key if not number else KEYS[number]
        builder = x509.CertificateBuilder(
            issuer_name=above,
            subject_name=own,
            public_key=holder.public_key(),
            serial_number=2 ** (80 * number) + 127,
            not_valid_before=START + timedelta(days=number),
            not_valid_after=END - timedelta(days=number),
        )
        identifiers: list[x509.ExtensionType] = [
            x509.SubjectKeyIdentifier.from_public_key(holder.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[by].public_key()),
        ]
        for extension, critical in (*extensions, *((each, False) for each in identifiers)):
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(KEYS[by], hashes.SHA256())

    ca = ((x509.BasicConstraints(ca=True, path_length=None), True), (CERTIFIES, True))
    more = () if between is None else ((between, False),)
    return issued(0, 1, *leaf), issued(1, 2, *ca, *more), issued(2, 2, *ca)


HONEST = ((STAMPING, True), (SIGNS, True), (x509.BasicConstraints(ca=False, path_length=None), True))


def test_a_clock_is_proved_with_the_span_in_which_all_of_its_chain_is_valid() -> None:
    chain = chain_of(*HONEST)
    found = stamp._signer(chain)
    assert found is not None
    assert (found.start, found.end) == (START + timedelta(days=2), END - timedelta(days=2))
    assert found.named == chain[0].fingerprint(hashes.SHA256())
    assert found.sid.endswith(b"\x02\x02\0\x80")
    assert len(found.chain) == 3
    assert stamp._signer(chain_of(*HONEST, between=BOTH)) is not None
    assert stamp._signer(chain_of((STAMPING, True))) is not None


@pytest.mark.parametrize(
    "leaf",
    [
        (),
        ((STAMPING, False),),
        ((SIGNING, True),),
        ((BOTH, True),),
        ((STAMPING, True), (usage(key_cert_sign=True, digital_signature=True), True)),
        ((STAMPING, True), (usage(crl_sign=True, digital_signature=True), True)),
        ((STAMPING, True), (usage(content_commitment=True), True)),
        ((STAMPING, True), (x509.BasicConstraints(ca=True, path_length=None), True)),
        ((STAMPING, True), (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b""), True)),
    ],
)
def test_what_is_not_for_stamps_alone_is_no_clock(leaf: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
    assert stamp._signer(chain_of(*leaf)) is None


def test_no_clock_is_proved_through_others_or_with_another_kind_of_key() -> None:
    assert stamp._signer(chain_of(*HONEST, between=SIGNING)) is None
    assert stamp._signer(chain_of(*HONEST, key=ed25519.Ed25519PrivateKey.generate())) is None
    whole = chain_of(*HONEST)
    assert stamp._signer(whole[:1]) is None
    assert stamp._signer((whole[0], whole[2])) is None
    assert stamp._signer((whole[0], whole[2], whole[1])) is None


def test_a_stamp_stands_from_the_first_second_of_its_chain_until_before_the_last() -> None:
    (clock,) = VirtualSigstore().clocks
    read = stamp.Stamp.read(clock.stamp(b"signature"))
    assert read is not None
    chain = tuple(clock.chain)
    found, tick = stamp._signer(chain), timedelta(seconds=1)
    assert found is not None
    for time, good in (
        (found.start - tick, False),
        (found.start, True),
        (found.end - tick, True),
        (found.end, False),
    ):
        assert dataclasses.replace(read, time=time).stands(b"signature", chain) is good
    for brought, good in ((found.chain, True), (found.chain[:1], True), (found.chain[1:], False), ((), True)):
        assert dataclasses.replace(read, brought=frozenset(brought)).stands(b"signature", chain) is good
    assert not dataclasses.replace(read, brought=frozenset((*found.chain, b"other"))).stands(b"signature", chain)
    for change in ({"sid": b"x"}, {"named": b"x"}, {"authority": b"x"}, {"signature": b"x"}, {"signed": b"x"}):
        assert dataclasses.replace(read, **change).stands(b"signature", chain) is False  # type: ignore[arg-type]
    assert dataclasses.replace(read, authority=b"").stands(b"signature", chain)
    assert read.stands(b"another", chain) is False


def _another_type(kind: str, value: bytes) -> bytes:
    return attribute(kind, der.oid("1.2.840.113549.1.7.1") if kind == stamp._CONTENT_TYPE else value)


def _twice(kind: str, value: bytes) -> bytes:
    return attribute(kind, value) * (2 if kind == stamp._SIGNING_CERTIFICATE else 1)


def _by_another_hash(kind: str, value: bytes) -> bytes:
    sha256 = der.octets(value[-32:])
    sha512 = der.sequence(der.oid("2.16.840.1.101.3.4.2.3"))
    named = der.sequence(der.sequence(der.sequence(sha512, sha256)))
    return attribute(kind, named if kind == stamp._SIGNING_CERTIFICATE else value)


@pytest.mark.parametrize("written", [_another_type, _twice, _by_another_hash])
def test_attributes_that_a_clock_writes_otherwise_are_not_read(
    written: Callable[[str, bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (clock,) = VirtualSigstore().clocks
    assert stamp.Stamp.read(clock.stamp(b"signature")) is not None
    monkeypatch.setattr(tsa, "_attribute", written)
    assert stamp.Stamp.read(clock.stamp(b"signature")) is None


@pytest.mark.parametrize(("version", "read"), [(0, False), (48, False), (49, True), (50, True), (51, False)])
def test_a_stamp_is_read_with_the_decoders_that_were_tried(
    version: int, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = VirtualSigstore().clocks[0].stamp(b"signature")
    monkeypatch.setattr(stamp, "_VERSION", version)
    assert (stamp.Stamp.read(made) is not None) is read


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("key", ["p256", "p384", "p521"])
def test_a_stamp_is_read_by_each_digest_and_of_each_key(key: str, digest: str) -> None:
    made = TimestampAuthority(Clock(), key=key)
    read = stamp.Stamp.read(made.stamp(b"signature", digest=digest))
    assert read is not None
    assert read.imprint == (digest, hashlib.new(digest, b"signature").digest())
    assert read.digest.name == {"p256": "sha256", "p384": "sha384", "p521": "sha512"}[key]
    assert read.stands(b"signature", made.chain)
