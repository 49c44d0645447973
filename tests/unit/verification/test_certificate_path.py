"""Does a certificate lead to an authority that is believed, at this time, by a path on which each says what it must?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from glasswing_attest.errors import CertificateUntrusted, GlasswingError, KeyUnsupported, NotPem, OutsideValidity
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification.certificate import (
    AUTHORITY_POLICY,
    Leaf,
    path_stands,
    proved_span,
    require_usages,
    validate_path,
)
from tests.private_pki import END, HOLDER, START

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(seconds=1)
KEYS: dict[str, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey] = {
    **{name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "upper", "lower", "leaf", "stranger")},
    "edwards": ed25519.Ed25519PrivateKey.generate(),
}
Extensions = dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool] | None]


def usage(**flags: bool) -> x509.KeyUsage:
    every = (
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign "
        "encipher_only decipher_only"
    )
    return x509.KeyUsage(**{name: flags.get(name, False) for name in every.split()})


CA: Extensions = {
    x509.BasicConstraints: (x509.BasicConstraints(ca=True, path_length=None), True),
    x509.KeyUsage: (usage(key_cert_sign=True), True),
}
HONEST_LEAF: Extensions = {
    x509.BasicConstraints: (x509.BasicConstraints(ca=False, path_length=None), True),
    x509.KeyUsage: (usage(digital_signature=True), True),
    x509.ExtendedKeyUsage: (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
    x509.SubjectAlternativeName: (x509.SubjectAlternativeName([x509.RFC822Name(HOLDER)]), False),
}


def issued(
    who: str,
    by: str,
    extensions: Extensions,
    *,
    start: datetime = START,
    end: datetime = END,
    names: tuple[str, str] | None = None,
) -> x509.Certificate:
    """A certificate for a key, by a key, under their names or others."""
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in names or (who, by))
    builder = x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=KEYS[who].public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=end,
    )
    for each in extensions.values():
        if each is not None:
            builder = builder.add_extension(each[0], critical=each[1])
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(KEYS[by].public_key()), critical=False
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(KEYS[who].public_key()), critical=False)
    return builder.sign(KEYS[by], None if by == "edwards" else hashes.SHA256())


ROOT = issued("root", "root", CA)
UPPER = issued("upper", "root", CA)
LOWER = issued("lower", "upper", CA)
SIGNING = issued("leaf", "lower", HONEST_LEAF)
STRANGER = issued("stranger", "stranger", CA)
ALWAYS = Window(start=START, end=END)


def believed(*chain: x509.Certificate, window: Window = ALWAYS) -> Authority:
    return Authority(operator="o", name="n", chain=chain, window=window)


def bytes_of(*several: x509.Certificate) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in several]


def read(certificate: x509.Certificate) -> Leaf:
    return Leaf.parse(*bytes_of(certificate))


def path_of(
    leaf: x509.Certificate, *chain: x509.Certificate, at: datetime = NOW, window: Window = ALWAYS, private: bool = False
) -> tuple[x509.Certificate, ...]:
    """The path, of which the authority brings all, or the bundle, or each something: all ways give the same answer."""
    whole, anchor = believed(*chain, window=window), believed(*chain[-1:], window=window)
    told: list[Any] = []
    for embedded, authority in (([], whole), (bytes_of(*chain[:-1]), anchor), (bytes_of(STRANGER), whole)):
        try:
            told.append(validate_path(read(leaf), embedded, [authority], at, private=private))
        except GlasswingError as e:
            told.append((type(e), e.code, e.where))
    assert told[0] == told[1] == told[2]
    path: tuple[x509.Certificate, ...] = told[0]
    if isinstance(path[0], type):
        raise _Refused(*path)
    return path


class _Refused(Exception):
    pass


def with_(extensions: Extensions, kind: type[x509.ExtensionType], value: Any, critical: bool = True) -> Extensions:
    return {**extensions, kind: None if value is None else (value, critical)}


def test_an_honest_path_leads_to_the_authority() -> None:
    assert path_of(SIGNING, LOWER, UPPER, ROOT) == (SIGNING, LOWER, UPPER, ROOT)
    assert path_of(issued("leaf", "root", HONEST_LEAF), ROOT)[1:] == (ROOT,)


CONSTRAINED = x509.NameConstraints(permitted_subtrees=[x509.RFC822Name("a.example")], excluded_subtrees=None)
PERMITTED = x509.NameConstraints(permitted_subtrees=[x509.RFC822Name(HOLDER)], excluded_subtrees=None)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0")
WHERE = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://a"))
FETCHED = x509.AuthorityInformationAccess([WHERE])
X400 = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.18"), b"\x30\x04\xa3\x02\x05\0")
SERVER, ANY = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
BAD_CAS = {
    "no constraints": with_(CA, x509.BasicConstraints, None),
    "constraints that are not critical": with_(CA, x509.BasicConstraints, CA[x509.BasicConstraints][0], False),  # type: ignore[index]
    "no CA": with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=False, path_length=None)),
    "no usage": with_(CA, x509.KeyUsage, None),
    "another usage": with_(CA, x509.KeyUsage, usage(digital_signature=True)),
    "another extended usage": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER])),
    "what nobody understands": with_(CA, x509.UnrecognizedExtension, UNKNOWN),
    "what only the path validator lets pass": with_(CA, x509.AuthorityInformationAccess, FETCHED),
    "who may be named, and not this one": with_(CA, x509.NameConstraints, CONSTRAINED),
    "a name of a kind that nobody reads": with_(CA, x509.UnrecognizedExtension, X400, False),
}
GOOD_CAS = {
    "code signing": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])),
    "any usage, critical": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ANY])),
    "one among others": with_(CA, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER, ANY]), False),
    "who may be named, as this one": with_(CA, x509.NameConstraints, PERMITTED),
    "what nobody needs to understand": with_(CA, x509.UnrecognizedExtension, UNKNOWN, False),
}
UNTRUSTED = (CertificateUntrusted, "verification.certificate", "certificate")


@pytest.mark.parametrize("said", BAD_CAS.values(), ids=BAD_CAS)
def test_every_authority_between_must_say_that_it_is_one(said: Extensions) -> None:
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, issued("lower", "upper", said), UPPER, ROOT)
    assert caught.value.args == UNTRUSTED
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, LOWER, issued("upper", "root", said), ROOT)
    assert caught.value.args == UNTRUSTED


@pytest.mark.parametrize("said", GOOD_CAS.values(), ids=GOOD_CAS)
def test_what_else_an_authority_may_say(said: Extensions) -> None:
    lower, upper = issued("lower", "upper", said), issued("upper", "root", said)
    assert path_of(SIGNING, lower, UPPER, ROOT)[1] == lower
    assert path_of(SIGNING, LOWER, upper, ROOT)[2] == upper


def test_it_is_told_which_demand_nobody_understands() -> None:
    demanding = issued("lower", "upper", BAD_CAS["what only the path validator lets pass"])
    for leaf, chain in (
        (SIGNING, (demanding, UPPER, ROOT)),
        (issued("leaf", "root", BAD_LEAVES["what only the path validator lets pass"]), (ROOT,)),
    ):
        with pytest.raises(CertificateUntrusted) as caught:
            validate_path(read(leaf), [], [believed(*chain)], NOW)
        assert caught.value.found == "the critical extension 1.3.6.1.5.5.7.1.1"


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("another usage", "a CA of the chain may not sign certificates"),
        ("another extended usage", "a CA of the chain does not allow code signing"),
    ],
)
def test_it_is_told_what_an_authority_does_not_say(which: str, told: str) -> None:
    with pytest.raises(CertificateUntrusted) as caught:
        validate_path(read(SIGNING), [], [believed(issued("lower", "upper", BAD_CAS[which]), UPPER, ROOT)], NOW)
    assert (caught.value.code, caught.value.where) == UNTRUSTED[1:]
    assert told in caught.value.because


@pytest.mark.parametrize(
    ("who", "length", "good"),
    [("root", 1, False), ("root", 2, True), ("upper", 0, False), ("upper", 1, True), ("lower", 0, True)],
)
def test_no_authority_stands_deeper_than_is_allowed(who: str, length: int, good: bool) -> None:
    said = with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=length))
    chain = [
        issued(each, by, said if each == who else CA)
        for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
    ]
    if good:
        assert path_of(SIGNING, *chain) == (SIGNING, *chain)
        return
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, *chain)
    assert caught.value.args == UNTRUSTED


@pytest.mark.parametrize("length", [0, 1])
def test_an_authority_that_renews_its_own_key_stands_below_itself(length: int) -> None:
    said = with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=length))
    old = issued("root", "root", said)
    new = issued("upper", "root", CA, names=("root", "root"))
    leaf = issued("leaf", "upper", HONEST_LEAF, names=("leaf", "root"))
    if length:
        assert path_of(leaf, new, old) == (leaf, new, old)
        return
    with pytest.raises(
        _Refused
    ) as caught:  # RFC 5280 does not count what has its issuer's name; the path validator does
        path_of(leaf, new, old)
    assert caught.value.args == UNTRUSTED


NARROW: list[x509.GeneralName] = [
    x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])),
    x509.RFC822Name("partner.example"),
    x509.DNSName("partner.example"),
]


@pytest.mark.parametrize("critical", [False, True])
@pytest.mark.parametrize("excluded", [False, True])
@pytest.mark.parametrize("name", NARROW, ids=lambda name: type(name).__name__)
@pytest.mark.parametrize("who", ["lower", "upper", "root"])
def test_whom_only_a_subject_names_stands_below_nobody_who_may_give_some_names(
    who: str, name: x509.GeneralName, excluded: bool, critical: bool
) -> None:
    constraints = x509.NameConstraints(
        permitted_subtrees=None if excluded else [name], excluded_subtrees=[name] if excluded else None
    )
    chain = [
        issued(each, by, with_(CA, x509.NameConstraints, constraints, critical) if each == who else CA)
        for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
    ]
    nameless = issued("leaf", "lower", with_(HONEST_LEAF, x509.SubjectAlternativeName, None))
    leaf = Leaf.parse(*bytes_of(nameless), by_subject=True)
    for embedded, authority in (([], believed(*chain)), (bytes_of(*chain[:-1]), believed(chain[-1]))):
        with pytest.raises(CertificateUntrusted) as caught:
            validate_path(leaf, embedded, [authority], NOW, private=True)
        assert caught.value.code == "verification.certificate"
        unread = critical and isinstance(name, x509.DirectoryName)  # which the path validator does not know
        assert caught.value.where == ("certificate" if unread else "certificate.subject")
        if not unread:
            wanted = "a subject alternative name that is a URI, an email or a host"
            assert (caught.value.found, caught.value.wanted) == (leaf.san, wanted)
    free = [issued(each, by, CA) for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))]
    assert validate_path(leaf, [], [believed(*free)], NOW, private=True) == (nameless, *free)


@pytest.mark.parametrize("critical", [False, True])
def test_a_name_that_no_constraint_is_about_stands_below_none(critical: bool) -> None:
    mine = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), encode_der("release!acme.example"))
    said = with_(HONEST_LEAF, x509.SubjectAlternativeName, x509.SubjectAlternativeName([mine]), False)
    leaf = issued("leaf", "lower", said)
    constraints = x509.NameConstraints(permitted_subtrees=[x509.DNSName("partner.example")], excluded_subtrees=None)
    narrow = issued("lower", "upper", with_(CA, x509.NameConstraints, constraints, critical))
    assert path_of(leaf, LOWER, UPPER, ROOT) == (leaf, LOWER, UPPER, ROOT)
    with pytest.raises(_Refused) as caught:
        path_of(leaf, narrow, UPPER, ROOT)
    assert caught.value.args == (CertificateUntrusted, "verification.certificate", "certificate.subject")


BAD_LEAVES = {
    "no usage": with_(HONEST_LEAF, x509.KeyUsage, None),
    "no signatures": with_(HONEST_LEAF, x509.KeyUsage, usage(crl_sign=True)),
    "certificates too": with_(HONEST_LEAF, x509.KeyUsage, usage(digital_signature=True, key_cert_sign=True)),
    "no extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, None),
    "another extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER])),
    "any extended usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([ANY])),
    "names of others": with_(HONEST_LEAF, x509.NameConstraints, PERMITTED),
    "what nobody understands": with_(HONEST_LEAF, x509.UnrecognizedExtension, UNKNOWN),
    "what only the path validator lets pass": with_(HONEST_LEAF, x509.AuthorityInformationAccess, FETCHED),
}
GOOD_LEAVES = {
    "what nobody needs to understand": with_(HONEST_LEAF, x509.UnrecognizedExtension, UNKNOWN, False),
    "where its issuer is fetched": with_(HONEST_LEAF, x509.AuthorityInformationAccess, FETCHED, False),
    "a critical name": with_(HONEST_LEAF, x509.SubjectAlternativeName, HONEST_LEAF[x509.SubjectAlternativeName][0]),  # type: ignore[index]
    "a critical usage": with_(HONEST_LEAF, x509.ExtendedKeyUsage, HONEST_LEAF[x509.ExtendedKeyUsage][0]),  # type: ignore[index]
    "a usage among others": with_(
        HONEST_LEAF, x509.ExtendedKeyUsage, x509.ExtendedKeyUsage([SERVER, ExtendedKeyUsageOID.CODE_SIGNING])
    ),
    "a usage that is not critical": with_(HONEST_LEAF, x509.KeyUsage, usage(digital_signature=True), False),
    "no CA, and not critical": with_(HONEST_LEAF, x509.BasicConstraints, x509.BasicConstraints(False, None), False),
}
SAYS_CA = with_(HONEST_LEAF, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=None))


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("said", BAD_LEAVES.values(), ids=BAD_LEAVES)
def test_a_leaf_must_say_what_it_is_for(said: Extensions, private: bool) -> None:
    with pytest.raises(_Refused) as caught:
        path_of(issued("leaf", "lower", said), LOWER, UPPER, ROOT, private=private)
    assert caught.value.args == UNTRUSTED


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("said", GOOD_LEAVES.values(), ids=GOOD_LEAVES)
def test_what_else_a_leaf_may_say(said: Extensions, private: bool) -> None:
    leaf = issued("leaf", "lower", said)
    assert path_of(leaf, LOWER, UPPER, ROOT, private=private) == (leaf, LOWER, UPPER, ROOT)


def test_a_leaf_that_calls_itself_an_authority_is_one_of_a_private_authority_s() -> None:
    leaf = issued("leaf", "lower", SAYS_CA)
    assert path_of(leaf, LOWER, UPPER, ROOT, private=True)[0] == leaf
    with pytest.raises(CertificateUntrusted) as refused:  # nobody says that it is a private one
        validate_path(read(leaf), [], [believed(LOWER, UPPER, ROOT)], NOW)
    assert (refused.value.code, refused.value.where) == UNTRUSTED[1:]
    with pytest.raises(_Refused) as caught:
        path_of(leaf, LOWER, UPPER, ROOT)
    assert caught.value.args == UNTRUSTED
    bare = issued("leaf", "lower", with_(HONEST_LEAF, x509.BasicConstraints, None))
    assert path_of(bare, LOWER, UPPER, ROOT)[0] == bare


def test_a_path_is_good_from_its_first_second_to_its_last() -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9)]

    def at(time: datetime, which: str, window: Window = ALWAYS) -> object:
        span: dict[str, Any] = {"start": days[2], "end": days[4]}
        chain = [
            issued(each, by, CA, **(span if each == which else {}))
            for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
        ]
        leaf = issued("leaf", "lower", HONEST_LEAF, **(span if which == "leaf" else {}))
        return path_of(leaf, *chain, at=time, window=window)

    for which in ("leaf", "lower", "upper", "root"):
        assert at(days[2], which)
        assert at(days[4], which)
        for time in (days[2] - TICK, days[4] + TICK):
            with pytest.raises(_Refused) as caught:
                at(time, which)
            expected = (OutsideValidity, "verification.outside-validity", "certificate")
            assert caught.value.args == (expected if which == "leaf" else UNTRUSTED)
    window = Window(start=days[2], end=days[4])
    assert at(days[2], "", window)
    assert at(days[4], "", window)
    for time in (days[2] - TICK, days[4] + TICK):
        with pytest.raises(_Refused) as caught:
            at(time, "", window)
        assert caught.value.args == (OutsideValidity, "verification.outside-validity", "certificateAuthorities")


@pytest.mark.parametrize(
    "also",
    [(), (believed(LOWER, UPPER, ROOT),), (believed(LOWER, UPPER, ROOT), believed(STRANGER))],
    ids=["alone", "with its authority", "with others"],
)
@pytest.mark.parametrize("below", [(), (STRANGER,)], ids=["for itself", "for others"])
def test_a_trusted_certificate_is_no_path_to_itself(
    below: tuple[x509.Certificate, ...], also: tuple[Authority, ...]
) -> None:
    for authorities in ([believed(*below, SIGNING), *also], [*also, believed(*below, SIGNING)]):
        with pytest.raises(CertificateUntrusted) as caught:
            validate_path(read(SIGNING), [], authorities, NOW)
        assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")


def test_a_path_ends_with_the_first_authority_that_is_believed() -> None:
    whole = believed(LOWER, UPPER, ROOT)
    for nearer, path in ((LOWER, (SIGNING, LOWER)), (UPPER, (SIGNING, LOWER, UPPER))):
        for other in (believed(nearer), believed(STRANGER, nearer)):
            assert validate_path(read(SIGNING), [], [whole, other], NOW) == path
            assert validate_path(read(SIGNING), [], [other, whole], NOW) == path


def test_without_an_authority_there_is_no_time_at_which_anything_is_good() -> None:
    with pytest.raises(OutsideValidity) as caught:
        validate_path(read(SIGNING), [], [], NOW)
    assert (caught.value.code, caught.value.where) == ("verification.outside-validity", "certificateAuthorities")


def test_an_authority_with_a_key_that_no_path_may_have_is_told_apart() -> None:
    curve = bytes.fromhex("2a8648ce3d030107")
    (unknown,) = bytes_of(ROOT)
    assert curve in unknown
    odd = x509.load_der_x509_certificate(unknown.replace(curve, curve[:-1] + b"\x06"))
    for root in (odd, issued("edwards", "edwards", CA)):
        for chain in ((root,), (LOWER, UPPER, root)):
            with pytest.raises(KeyUnsupported) as caught:
                validate_path(read(SIGNING), [], [believed(*chain)], NOW)
            assert (caught.value.code, caught.value.where) == ("unsupported.key", "certificate")
        # Beside another it does no harm.
        authorities = [believed(root), believed(LOWER, UPPER, ROOT)]
        assert validate_path(read(SIGNING), [], authorities, NOW) == (SIGNING, LOWER, UPPER, ROOT)
    leaf = read(issued("edwards", "root", HONEST_LEAF))
    with pytest.raises(KeyUnsupported) as caught:
        validate_path(leaf, [], [believed(ROOT)], NOW)
    assert (caught.value.code, caught.value.where) == ("unsupported.key", "certificate")


def test_what_a_bundle_brings_is_refused_as_such_where_it_is_no_certificate() -> None:
    for brought in ([b"junk"], [*bytes_of(LOWER, UPPER), b""]):
        with pytest.raises(NotPem) as caught:
            validate_path(read(SIGNING), brought, [believed(ROOT)], NOW)
        assert (caught.value.code, caught.value.where) == ("malformed.pem", "certificate chain")


def test_it_is_told_what_to_bring_where_an_issuer_is_missing() -> None:
    def advice(*brought: x509.Certificate) -> str:
        with pytest.raises(CertificateUntrusted) as caught:
            validate_path(read(SIGNING), bytes_of(*brought), [believed(ROOT)], NOW)
        assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")
        return caught.value.do

    for brought in ((), (LOWER,), (UPPER,)):
        told = advice(*brought)
        assert told.startswith("the certificate of an issuer is missing: ")
        assert told.endswith("(CertificateSigner's chain; oms sign --certificate, once for each)")
    # Nothing is missing here: what is there is no good.
    assert advice(issued("lower", "upper", BAD_CAS["no CA"]), UPPER) == ""


# --- what is proved once, and what is compared each time -------------------------------------------------------------


def span_of(*chain: x509.Certificate) -> Window | None:
    return proved_span(chain, ca_policy=AUTHORITY_POLICY, leaf_policy=AUTHORITY_POLICY)


def test_a_chain_is_proved_for_the_span_that_all_of_it_has() -> None:
    assert span_of(LOWER, UPPER, ROOT) == ALWAYS
    early, late = START + TICK, END - TICK
    for which in ("lower", "upper", "root"):
        narrow: dict[str, Any] = {"start": early, "end": late}
        chain = [
            issued(each, by, CA, **(narrow if each == which else {}))
            for each, by in (("lower", "upper"), ("upper", "root"), ("root", "root"))
        ]
        assert span_of(*chain) == Window(start=early, end=late)
    # All are valid for one second, or never at once.
    assert span_of(issued("lower", "upper", CA, end=NOW), issued("upper", "upper", CA, start=NOW)) == Window(
        start=NOW, end=NOW
    )
    assert span_of(issued("lower", "upper", CA, end=NOW), issued("upper", "upper", CA, start=NOW + TICK)) is None


@pytest.mark.parametrize("said", BAD_CAS.values(), ids=BAD_CAS)
def test_a_chain_is_proved_only_where_each_says_that_it_is_an_authority(said: Extensions) -> None:
    chains = [
        (issued("lower", "upper", said), UPPER, ROOT),
        (LOWER, issued("upper", "root", said), ROOT),
    ]
    harmless = (BAD_CAS["another extended usage"], BAD_CAS["who may be named, and not this one"])
    expected = ALWAYS if said in harmless else None  # of the one this policy says nothing, the other is about leaves
    for chain in chains:
        assert span_of(*chain) == expected
        with pytest.raises(_Refused) as caught:  # whatever is proved: no path leads through it
            path_of(SIGNING, *chain)
        assert caught.value.args == UNTRUSTED


@pytest.mark.parametrize("value", [b"\x30\x03\x02\x01\x63", b"\x30\0", b"\x05\0"], ids=["key", "type", "value"])
def test_a_chain_with_an_extension_that_nobody_reads_proves_nothing(value: bytes) -> None:
    unread = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), value)
    said = with_(CA, x509.UnrecognizedExtension, unread, critical=False)
    with pytest.raises(_Refused) as caught:
        path_of(SIGNING, issued("lower", "upper", said), UPPER, ROOT)
    assert caught.value.args == UNTRUSTED
    assert span_of(issued("lower", "upper", said), UPPER, ROOT) is None
    assert span_of(LOWER, issued("upper", "root", said), ROOT) is None
    assert span_of(LOWER, UPPER, issued("root", "root", said)) is None


def test_a_chain_is_proved_as_it_stands() -> None:
    short = with_(CA, x509.BasicConstraints, x509.BasicConstraints(ca=True, path_length=0))
    renewed = issued("upper", "root", CA, names=("root", "root"))
    below = issued("lower", "upper", CA, names=("lower", "root"))
    assert span_of(below, renewed, ROOT) == ALWAYS
    assert span_of(below, renewed, issued("root", "root", short)) is None
    for chain in ((), (ROOT,), (LOWER, ROOT), (UPPER, LOWER, ROOT), (LOWER, UPPER, STRANGER), (UPPER, LOWER)):
        assert span_of(*chain) is None
    deep = [issued("root", "root", CA, names=(f"ca {n}", f"ca {min(n + 1, 4)}")) for n in range(5)]
    assert span_of(*deep[1:]) == ALWAYS
    assert span_of(*deep) is None


def test_who_signs_with_a_leaf_learns_at_once_that_it_is_none() -> None:
    def ask(said: Extensions) -> None:
        require_usages(read(issued("leaf", "lower", said)))

    ask(HONEST_LEAF)
    for which, said in BAD_LEAVES.items():
        if which not in ("names of others", "what nobody understands", "what only the path validator lets pass"):
            with pytest.raises(CertificateUntrusted) as caught:
                ask(said)
            assert (caught.value.code, caught.value.where) == ("verification.certificate", "certificate")


def test_a_path_stands_at_another_time_within_its_windows_alone() -> None:
    path = (SIGNING, LOWER, UPPER, ROOT)
    short = believed(*path[1:], window=Window(start=NOW, end=NOW + TICK))
    other = believed(UPPER, ROOT)
    assert path_stands(path, [short], NOW) is True
    assert path_stands(path, [other, short], NOW + TICK) is True
    assert path_stands((), [short], NOW) is False
    assert path_stands(path, [], NOW) is False
    assert path_stands(path, [short], NOW - TICK) is False
    assert path_stands(path, [short], NOW + 2 * TICK) is False
    assert path_stands(path, [believed(UPPER, LOWER)], NOW) is False
    always = believed(*path[1:], window=Window(start=START - 9 * TICK))
    for at in (START, END):
        assert path_stands(path, [always], at) is True
    for at in (START - TICK, END + TICK):
        assert path_stands(path, [always], at) is False
    # A path may begin with any certificate of the authority's chain, and ends with its anchor.
    assert path_stands((SIGNING, UPPER, ROOT), [believed(*path[1:])], NOW) is True
    assert path_stands((SIGNING, ROOT), [believed(*path[1:])], NOW) is True
    assert path_stands((SIGNING, LOWER, UPPER), [believed(*path[1:])], NOW) is False
