"""Does a certificate lead to an authority where RFC 5280 says that it does, and nowhere else?

The cases of x509-limbo that are about paths. They are made for TLS: here, and only here, their purpose stands in for
code signing; all else is asked as it is asked of a signer's certificate.
"""

import json
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest.errors import (
    CertificateUntrusted,
    FieldRefused,
    GlasswingError,
    KeyUnsupported,
    NotPem,
    OutsideValidity,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification import certificate
from glasswing_attest.verification.certificate import Leaf, validate_path
from tests.shared import Case, cases

# Most certificates are valid for a thousand years, and such a case says no time.
ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)

# Of some cases a part is left out: the reason of each group. The rest of each, its path, is asked: it stands. So what
# is left out is all that can be wrong with it.
LEFT_OUT = {
    r"crl::(?!issuer-no-keyusage-extension).*": "its revocation list: certificates live for minutes, and trust carries "
    "a signed list of ours",
    r"pathlen::max-chain-depth.*": "a depth of the caller's choice; ours is the CAs' own path lengths",
    r"online::(?!apple|storage\.googleapis).*": "the names, of which a web server has many, and a signer one",
    r"webpki::san::(?!no-san|san-critical|unicode-emoji).*": "which servers a name means; a signer is compared as "
    "text, by policy",
    r"webpki::cn::.*": "the common name, which names no signer",
    r"webpki::eku::(?!ee-without-eku).*": "rules of browsers about the usages of web servers",
    r"webpki::aki::(?!root-with-aki-authoritycert).*": "rules of browsers about the key identifiers of roots",
}

# What is asked and answered otherwise: with what, and why.
_IDENTIFIERS = (
    "key identifiers help to build a path; what proves it is the signature, and the RFC asks issuers for them"
)
_NAMES = "what the name means is asked of policy, which compares it as text"
_KINDS = "a signer is named by a URI, an email or a name"
_NOT_A_CA = "a CA's certificate signs nothing but certificates here"
DECIDED: dict[str, tuple[type[GlasswingError] | None, str]] = {
    "pathlen::validation-ignores-pathlen-in-leaf": (CertificateUntrusted, _NOT_A_CA),
    "rfc5280::ca-as-leaf": (CertificateUntrusted, _NOT_A_CA),
    "pathlen::self-issued-certs-pathlen": (
        CertificateUntrusted,
        "a CA that issued itself counts towards path lengths, as in `cryptography`",
    ),
    "rfc5280::aki::critical-aki": (None, _IDENTIFIERS),
    "rfc5280::aki::leaf-missing-aki": (None, _IDENTIFIERS),
    "rfc5280::aki::intermediate-missing-aki": (None, _IDENTIFIERS),
    "rfc5280::aki::cross-signed-root-missing-aki": (None, _IDENTIFIERS),
    "rfc5280::ski::critical-ski": (None, _IDENTIFIERS),
    "rfc5280::ski::root-missing-ski": (None, _IDENTIFIERS),
    "rfc5280::ski::intermediate-missing-ski": (None, _IDENTIFIERS),
    "rfc5280::eku::ee-without-eku": (CertificateUntrusted, "a signer's certificate says that it is for code signing"),
    "crl::issuer-no-keyusage-extension": (CertificateUntrusted, "a CA says that it signs certificates"),
    "rfc5280::no-keyusage": (CertificateUntrusted, "a signer's certificate says that it is for digital signatures"),
    "rfc5280::nc::permitted-dns-match-noncritical": (None, "the constraint is kept, whether or not it is critical"),
    "rfc5280::nc::permitted-ipv4-match": (FieldRefused, _KINDS),
    "rfc5280::nc::permitted-ipv6-match": (FieldRefused, _KINDS),
    "rfc5280::nc::permitted-dn-match": (FieldRefused, _KINDS),
    "rfc5280::pc::ica-noncritical-pc": (None, "certificate policies decide nothing here; a critical one is refused"),
    "rfc5280::san::noncritical-with-empty-subject": (None, "the one alternative name counts, however it is marked"),
    "rfc5280::san::underscore-dns": (None, _NAMES),
    "rfc5280::san::ip-in-dns": (None, _NAMES),
    "rfc5280::validity::notafter-fractional": (
        OutsideValidity,
        "a fraction after the last second is after it: the window is closed at its very end",
    ),
    "webpki::san::san-critical-with-nonempty-subject": (None, "the one alternative name counts, however it is marked"),
    "webpki::forbidden-rsa-not-divisible-by-8-in-root": (None, "a rule of browsers; the key is strong enough"),
    "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf": (None, "a rule of browsers; the key is strong enough"),
}

# Refused by the path, as CertificateUntrusted, unless the leaf is refused for itself before.
EARLIER: dict[type[GlasswingError], frozenset[str]] = {
    # Many names, none, or one of a kind that names no signer; the rule of the case comes after that.
    FieldRefused: frozenset(
        (
            "pathological::nc-dos-1",
            "pathological::nc-dos-2",
            "pathological::nc-dos-3",
            "rfc5280::nc::excluded-dns-match-second",
            "rfc5280::nc::permitted-ip-mismatch",
            "rfc5280::nc::excluded-ipv4-match",
            "rfc5280::nc::excluded-ipv6-match",
            "rfc5280::nc::permitted-dn-mismatch",
            "rfc5280::nc::excluded-dn-match",
            "rfc5280::nc::permitted-dn-match-subject-san-mismatch",
            "rfc5280::nc::excluded-dn-match-sub-mismatch",
            "rfc5280::nc::invalid-ipv4-address",
            "rfc5280::nc::invalid-ipv6-address",
            "rfc5280::nc::nc-permits-invalid-dns-san",
            "rfc5280::nc::nc-permits-invalid-ip-san",
            "rfc5280::nc::nc-permits-invalid-email-san",
            "rfc5280::nc::nc-forbids-othername",
            "webpki::v1-cert",
            "webpki::san::no-san",
            "webpki::san::unicode-emoji-san",
        )
    ),
    NotPem: frozenset(
        (
            "rfc5280::eku::ee-eku-empty",
            "rfc5280::san::malformed",
            "rfc5280::serial::zero",
            "rfc5280::serial::negative",
            "rfc5280::duplicate-extensions",
            "webpki::malformed-aia",
        )
    ),
    KeyUnsupported: frozenset(
        (
            "webpki::forbidden-p192-leaf",
            "webpki::forbidden-dsa-leaf",
            "webpki::forbidden-weak-rsa-in-leaf",
        )
    ),
    # The leaf's own window is looked at first, so that it is called by its name.
    OutsideValidity: frozenset(
        (
            "rfc5280::validity::expired-leaf",
            "rfc5280::validity::notbefore-fractional",
            "rfc5280::validity::expired-1-second",
            "rfc5280::validity::expired-5-seconds",
            "rfc5280::validity::not-yet-valid-1-second",
            "rfc5280::validity::not-yet-valid-5-seconds",
        )
    ),
}


@cache
def limbo(path: Path) -> dict[str, Any]:
    return {case["id"]: case for case in json.loads(path.read_bytes())["testcases"]}


def is_whole(case: Case) -> bool:
    """Whether all of a case is asked."""
    return not any(re.fullmatch(pattern, case.case) for pattern in LEFT_OUT)


def asked(*, whole: bool) -> list[Any]:
    """The cases of which all is asked, or a part is left out."""
    return [each for each in cases("x509-path") if each.values[0] is None or is_whole(each.values[0]) is whole]


def load(pem: str) -> x509.Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limbo's certificates are wrong on purpose
        return x509.load_pem_x509_certificate(pem.encode())


def der(pem: str) -> bytes:
    return load(pem).public_bytes(Encoding.DER)


def unnamed(data: bytes) -> Leaf:
    """A leaf that was read for its path alone, whoever it names."""
    certificate = x509.load_der_x509_certificate(data)
    key = PublicKey.of(certificate.public_key(), legacy=True)
    return Leaf(certificate=certificate, der=data, key=key, san="", issuer="", claims=())


def ask(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, read: Callable[[bytes], Leaf] = Leaf.parse) -> None:
    purposes = {"SERVER": ExtendedKeyUsageOID.SERVER_AUTH, "CLIENT": ExtendedKeyUsageOID.CLIENT_AUTH}
    stand_in = SimpleNamespace(
        CODE_SIGNING=purposes[vector["validation_kind"]],
        ANY_EXTENDED_KEY_USAGE=ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    )
    monkeypatch.setattr(certificate, "ExtendedKeyUsageOID", stand_in)
    always = Window(start=datetime(1900, 1, 1, tzinfo=UTC))
    believed = [
        Authority(operator="limbo", name="limbo", chain=(load(pem),), window=always) for pem in vector["trusted_certs"]
    ]
    time = datetime.fromisoformat(vector["validation_time"]) if vector["validation_time"] else ANY_TIME
    leaf = read(der(vector["peer_certificate"]))
    validate_path(leaf, [der(pem) for pem in vector["untrusted_intermediates"]], believed, time)


@pytest.mark.parametrize("case", asked(whole=True))
def test_a_path_gets_its_answer(case: Case, shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vector = limbo(shared_data / case.files["limbo"])[case.params["id"]]
    assert {"accept": "SUCCESS", "reject": "FAILURE"}[case.expect] == vector["expected_result"]
    error: type[GlasswingError] | None
    if case.case in DECIDED:
        error, _ = DECIDED[case.case]
        if error is None:
            ask(vector, monkeypatch)
        else:
            with pytest.raises(error) as refused:
                ask(vector, monkeypatch)
            assert type(refused.value) is error
    elif case.expect == "accept":
        ask(vector, monkeypatch)
    else:
        with pytest.raises(GlasswingError) as failed:
            ask(vector, monkeypatch)
        expected = next((error for error, names in EARLIER.items() if case.case in names), CertificateUntrusted)
        assert type(failed.value) is expected


@pytest.mark.parametrize("case", asked(whole=False))
def test_what_is_left_out_is_all_that_could_be_wrong(
    case: Case, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(limbo(shared_data / case.files["limbo"])[case.params["id"]], monkeypatch, read=unnamed)


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in cases("x509-path")]
    assert {case.params["id"] for case in found} == set(limbo(shared_data / "x509-limbo/limbo.generated.json"))
    whole = {case.case for case in found if is_whole(case)}
    assert set(DECIDED) | set().union(*EARLIER.values()) <= whole
    parts = [sum(re.fullmatch(pattern, case.case) is not None for case in found) for pattern in LEFT_OUT]
    assert parts == [7, 5, 12, 16, 9, 3, 3]
    assert (len(found), len(whole)) == (208, 208 - sum(parts))
    # Where all that is left out is what a signer does not need, the answer is the one that is stated.
    accepted = [case.case for case in found if not is_whole(case) and case.expect == "accept"]
    assert len(accepted) == 21


@pytest.mark.parametrize("filtering", ["error", "ignore"])
def test_a_serial_number_that_is_not_positive_is_refused_however_warnings_are_filtered(
    shared_data: Path, filtering: Literal["error", "ignore"]
) -> None:
    (case,) = [p.values[0] for p in cases("x509-path") if p.values[0].case == "rfc5280::serial::zero"]
    vector = limbo(shared_data / case.files["limbo"])[case.params["id"]]
    with warnings.catch_warnings():
        warnings.simplefilter(filtering)
        with pytest.raises(NotPem) as refused:
            Leaf.parse(der(vector["peer_certificate"]))
    assert "positive" in refused.value.because
