"""Does a shortcut ever say yes where the long way says no?

What is proved once for many bundles is proved from bytes alone, so each test asks twice: as always, and with the
shortcut taken away. Both ways must give the same answer, whatever was proved before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.bundle import Bundle, Certificates, MessageSignature
from glasswing_attest.errors import CertificateUntrusted, GlasswingError, OutsideValidity, TimeUnproven
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.testing.certificates import usage
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.tsa import TimestampAuthority
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Authority, Root, Window
from glasswing_attest.verification import certificate, clock
from glasswing_attest.verification.certificate import Leaf, validate_path
from glasswing_attest.verification.clock import check_stamp
from glasswing_attest.verification.stamp import Stamp
from tests.shared import shared_folder

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "issuer", "leaf", "other")}


def ask_both_ways(ask: Callable[[], object], without: Callable[[pytest.MonkeyPatch], None]) -> object:
    """Give the answer, or the refusal, of both ways, which must be one."""
    answers: list[object] = []
    for long_way in (False, True, False):
        with pytest.MonkeyPatch.context() as patch:
            if long_way:
                without(patch)
            try:
                answers.append(ask())
            except GlasswingError as e:
                answers.append((type(e), e.code, e.where, e.because))
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


# --- the path of a certificate ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Made:
    """A certificate to make: a good one, unless told otherwise."""

    subject: str
    issuer: str
    key: str
    by: str
    start: datetime = NOW - DAY
    end: datetime = NOW + DAY
    further: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    ca: bool = True
    path_length: int | None = None
    certifies: bool = True

    def make(self) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(named(self.subject)).issuer_name(named(self.issuer))
        builder = builder.public_key(KEYS[self.key].public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(self.start).not_valid_after(self.end)
        constraints = x509.BasicConstraints(ca=self.ca, path_length=self.path_length)
        builder = builder.add_extension(constraints, critical=True)
        uses = usage(cert_sign=True) if self.certifies else usage(digital_signature=True)
        builder = builder.add_extension(uses, critical=True)
        for extension, critical in self.further:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(KEYS[self.by], hashes.SHA256())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def only(domain: str) -> tuple[x509.ExtensionType, bool]:
    return x509.NameConstraints(permitted_subtrees=[x509.DNSName(domain)], excluded_subtrees=None), True


SAN = (x509.SubjectAlternativeName([x509.DNSName("build.example.com")]), True)
SIGNS_CODE = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
SERVES = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)


@dataclass(frozen=True, kw_only=True)
class Chain:
    """A root, an issuer, and a leaf below it, of which a test breaks one."""

    root: Made = field(default=Made(subject="root", issuer="root", key="root", by="root"))
    issuer: Made = field(default=Made(subject="issuer", issuer="root", key="issuer", by="root"))
    leaf: Made = field(
        default=Made(
            subject="", issuer="issuer", key="leaf", by="issuer", further=(SAN, SIGNS_CODE), ca=False, certifies=False
        )
    )
    at: datetime = NOW
    until: datetime | None = None


GOOD = Chain()
STANDS: dict[str, Chain] = {
    "as it should be": GOOD,
    "a name that the root permits": replace(GOOD, root=replace(GOOD.root, further=(only("example.com"),))),
    "a name that the issuer permits": replace(GOOD, issuer=replace(GOOD.issuer, further=(only("example.com"),))),
    "at the last second": replace(GOOD, issuer=replace(GOOD.issuer, end=NOW)),
    "at the first second": replace(GOOD, issuer=replace(GOOD.issuer, start=NOW)),
    "one below a root for one": replace(GOOD, root=replace(GOOD.root, path_length=1)),
    "an issuer for code": replace(GOOD, issuer=replace(GOOD.issuer, further=(SIGNS_CODE,))),
}
FALLS: dict[str, Chain] = {
    "a leaf by another key": replace(GOOD, leaf=replace(GOOD.leaf, by="other")),
    "an issuer by another key": replace(GOOD, issuer=replace(GOOD.issuer, by="other")),
    "an issuer with another key": replace(GOOD, issuer=replace(GOOD.issuer, key="other")),
    "a leaf of another issuer": replace(GOOD, leaf=replace(GOOD.leaf, issuer="somebody")),
    "an issuer of another root": replace(GOOD, issuer=replace(GOOD.issuer, issuer="somebody")),
    "after the issuer": replace(GOOD, issuer=replace(GOOD.issuer, end=NOW - timedelta(seconds=1))),
    "before the issuer": replace(GOOD, issuer=replace(GOOD.issuer, start=NOW + timedelta(seconds=1))),
    "after the root": replace(GOOD, root=replace(GOOD.root, end=NOW - timedelta(seconds=1))),
    "an issuer that is no CA": replace(GOOD, issuer=replace(GOOD.issuer, ca=False)),
    "an issuer that may not certify": replace(GOOD, issuer=replace(GOOD.issuer, certifies=False)),
    "an issuer for servers": replace(GOOD, issuer=replace(GOOD.issuer, further=(SERVES,))),
    "a root for servers": replace(GOOD, root=replace(GOOD.root, further=(SERVES,))),
    "a root for no issuer": replace(GOOD, root=replace(GOOD.root, path_length=0)),
    "an issuer with an unknown demand": replace(GOOD, issuer=replace(GOOD.issuer, further=(UNKNOWN,))),
    "a leaf with an unknown demand": replace(GOOD, leaf=replace(GOOD.leaf, further=(SAN, SIGNS_CODE, UNKNOWN))),
    "a leaf for servers": replace(GOOD, leaf=replace(GOOD.leaf, further=(SAN, SERVES))),
    "a leaf for nothing": replace(GOOD, leaf=replace(GOOD.leaf, further=(SAN,))),
    "a leaf that is a CA": replace(GOOD, leaf=replace(GOOD.leaf, ca=True)),
    "a leaf that certifies": replace(GOOD, leaf=replace(GOOD.leaf, certifies=True)),
    "a name that the root forbids": replace(GOOD, root=replace(GOOD.root, further=(only("example.org"),))),
    "a name that the issuer forbids": replace(GOOD, issuer=replace(GOOD.issuer, further=(only("example.org"),))),
}


@pytest.fixture(autouse=True)
def proved_before() -> None:
    """Let the good chain be proved already, as in a process that has verified for a while."""
    assert answer(GOOD) is True


def answer(chain: Chain) -> object:
    root, issuer, leaf = (made.make() for made in (chain.root, chain.issuer, chain.leaf))
    authority = Authority(operator="o", name="n", chain=(issuer, root), window=Window(start=NOW - DAY, end=chain.until))
    read = Leaf.parse(leaf.public_bytes(Encoding.DER))

    def ask() -> object:
        return validate_path(read, (), (authority,), chain.at) == (leaf, issuer, root)

    return ask_both_ways(ask, lambda patch: patch.setattr(certificate, "_path_from_issuer", lambda *_: None))


@pytest.mark.parametrize("chain", STANDS.values(), ids=STANDS)
def test_a_path_stands_either_way(chain: Chain) -> None:
    assert answer(chain) is True


@pytest.mark.parametrize("chain", FALLS.values(), ids=FALLS)
def test_a_path_falls_either_way(chain: Chain) -> None:
    found = answer(chain)
    assert isinstance(found, tuple)
    assert found[:3] == (CertificateUntrusted, "verification.certificate", "certificate")


def test_what_was_proved_is_no_path_outside_of_a_window() -> None:
    found = [answer(replace(GOOD, at=at, until=NOW)) for at in (NOW, NOW + timedelta(seconds=1), NOW + 2 * DAY)]
    assert found[0] is True
    wanted = [
        (OutsideValidity, "verification.outside-validity", "certificateAuthorities", ""),
        (OutsideValidity, "verification.outside-validity", "certificate", ""),
    ]
    assert found[1:] == wanted


def test_an_issuer_is_no_leaf_of_itself() -> None:
    root, issuer = GOOD.root.make(), replace(GOOD.issuer, further=(SAN, SIGNS_CODE)).make()
    authority = Authority(operator="o", name="n", chain=(issuer, root), window=Window(start=NOW - DAY))
    read = Leaf.parse(issuer.public_bytes(Encoding.DER))
    with pytest.raises(CertificateUntrusted) as refused:
        validate_path(read, (), (authority,), NOW)
    assert (refused.value.code, refused.value.where) == ("verification.certificate", "certificate")


def test_a_deep_chain_is_left_to_the_path_validator() -> None:
    chain = [replace(GOOD.root, subject=f"ca {n}", issuer=f"ca {min(n + 1, 5)}").make() for n in range(6)]
    policy = certificate.AUTHORITY_POLICY
    assert certificate.proved_span(tuple(chain[2:]), ca_policy=policy, leaf_policy=policy) is not None
    assert certificate.proved_span(tuple(chain), ca_policy=policy, leaf_policy=policy) is None
    assert certificate.proved_span(tuple(chain[5:]), ca_policy=policy, leaf_policy=policy) is None


# --- time stamps -----------------------------------------------------------------------------------------------------

MESSAGE = b"a signature"


def believed(stamper: TimestampAuthority, chain: tuple[x509.Certificate, ...] = ()) -> Authority:
    return Authority(operator="o", name="n", chain=chain or stamper.chain, window=stamper.window)


def time_of(stamp: bytes, message: bytes, *clocks: Authority) -> object:
    return ask_both_ways(
        lambda: check_stamp(stamp, message, clocks),
        lambda patch: patch.setattr(Stamp, "read", classmethod(lambda _cls, _stamp: None)),
    )


@pytest.fixture(scope="module")
def stamper() -> TimestampAuthority:
    return TimestampAuthority(Clock(NOW))


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("key", ["p256", "p384", "p521"])
def test_a_stamp_tells_one_time_either_way(key: str, digest: str) -> None:
    stamper = TimestampAuthority(Clock(NOW), key=key)
    for certificates in (False, True):
        stamp = stamper.stamp(MESSAGE, digest=digest, certificates=certificates, nonce=7)
        direct = Stamp.read(stamp)
        assert direct is not None
        assert direct.stands(MESSAGE, stamper.chain)
        assert time_of(stamp, MESSAGE, believed(stamper)) == (NOW, believed(stamper))


def test_a_stamp_falls_either_way(stamper: TimestampAuthority) -> None:
    other = TimestampAuthority(Clock(NOW))
    stamp = stamper.stamp(MESSAGE)
    late = stamper.stamp(MESSAGE, at=NOW + 4000 * DAY)
    mixed = (other.chain[0], *stamper.chain[1:])
    unbelieved = TimestampAuthority(Clock(NOW), usages=(ExtendedKeyUsageOID.CODE_SIGNING,))
    broad = TimestampAuthority(Clock(NOW), usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))
    untrue = stamper.stamp(MESSAGE, imprint=b"\x00" * 32)
    asked = [
        (stamp, b"another", believed(stamper)),
        (stamp, MESSAGE, believed(other)),
        (stamp, MESSAGE, believed(stamper, mixed)),
        (untrue, MESSAGE, believed(stamper)),
        (unbelieved.stamp(MESSAGE), MESSAGE, believed(unbelieved)),
        (broad.stamp(MESSAGE), MESSAGE, believed(broad)),
    ]
    for each, message, authority in asked:
        found = time_of(each, message, authority)
        assert isinstance(found, tuple)
        assert found[:3] == (TimeUnproven, "verification.time-unproven", "rfc3161Timestamps")
    closed = replace(believed(stamper), window=Window(start=NOW - 2 * DAY, end=NOW - DAY))
    for each, authority in ((late, replace(closed, window=Window(start=NOW))), (stamp, closed)):
        found = time_of(each, MESSAGE, authority)
        assert isinstance(found, tuple)
        assert found[:3] == (OutsideValidity, "verification.outside-validity", "clock n")


def test_the_anchor_of_another_chain_proves_nothing(stamper: TimestampAuthority) -> None:
    other = TimestampAuthority(Clock(NOW))
    direct = Stamp.read(stamper.stamp(MESSAGE))
    assert direct is not None
    assert direct.stands(MESSAGE, stamper.chain)
    for chain in (
        (*stamper.chain[:-1], other.chain[-1]),
        (stamper.chain[0], *other.chain[1:]),
        stamper.chain[:1],
        (stamper.chain[0], stamper.chain[-1]),
        stamper.chain[::-1],
    ):
        assert not direct.stands(MESSAGE, chain)


def test_the_parts_of_two_stamps_do_not_mix(stamper: TimestampAuthority) -> None:
    one, two = (Stamp.read(stamper.stamp(MESSAGE, at=NOW + n * DAY)) for n in range(2))
    assert one is not None
    assert two is not None
    mixed = [
        replace(one, signed=two.signed),
        replace(one, signature=two.signature),
        replace(one, sid=b""),
        replace(one, named=b""),
        replace(one, imprint=("sha256", b"")),
        replace(one, digest=hashes.SHA384()),
    ]
    of = MESSAGE, stamper.chain
    assert not any(each.stands(*of) for each in mixed)
    alone = Stamp.read(TimestampAuthority(Clock(NOW)).stamp(MESSAGE))
    assert alone is not None
    (further,) = one.brought - {each for each in one.brought if replace(one, brought=frozenset({each})).stands(*of)}
    for brought in (alone.brought, one.brought | alone.brought, frozenset({further})):
        assert not replace(one, brought=brought).stands(*of)


def test_no_byte_of_a_stamp_may_change(stamper: TimestampAuthority) -> None:
    stamp = stamper.stamp(MESSAGE, certificates=False)
    held = 0
    for at in range(len(stamp)):
        for bit in (0x01, 0x80):
            direct = Stamp.read(stamp[:at] + bytes((stamp[at] ^ bit,)) + stamp[at + 1 :])
            if direct is not None:
                held += 1
                assert not direct.stands(MESSAGE, stamper.chain)
    assert held  # some changes are left to the signature
    assert Stamp.read(stamp + b"\x00") is None
    assert Stamp.read(b"") is None


# --- in the field ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pyv1-dsse", "py-dsse", "py-artifact"])
def test_the_shortcuts_are_taken(name: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = shared_folder() / "recorded-stack"
    bundle = Bundle.from_json((stack / f"{name}.sigstore.json").read_bytes())
    root = Root.parse((stack / "trusted_root.json").read_bytes(), name="root", profile=PUBLIC_GOOD)
    monkeypatch.setattr(certificate, "_intermediates", None)
    monkeypatch.setattr(clock, "_read", None)
    assert isinstance(bundle.material, Certificates)
    leaf = Leaf.parse(bundle.material.chain[0])
    assert validate_path(leaf, (), root.authorities, leaf.certificate.not_valid_before_utc)[0] == leaf.certificate
    content = bundle.content
    signature = content.signature if isinstance(content, MessageSignature) else content.signatures[0].sig
    assert [check_stamp(stamp, signature, root.clocks)[1] for stamp in bundle.timestamps] == [root.clocks[0]]


def test_a_sigstore_of_another_key_is_refused_after_a_yes() -> None:
    mine, theirs = VirtualSigstore(), VirtualSigstore()
    chains = [next(iter(s.trust().roots)).authorities[0].chain for s in (mine, theirs)]
    assert chains[0][0].subject == chains[1][0].subject
    spans = [certificate._issuer_of_leaves(chain) for chain in chains]
    assert None not in spans
    assert certificate._issuer_of_leaves((chains[0][0], chains[1][-1])) is None
