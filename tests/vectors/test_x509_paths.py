"""Does a certificate lead to an authority where RFC 5280 says that it does, and nowhere else?

The cases of x509-limbo that are about paths. They are made for TLS: here, and only here, their purpose stands in for
code signing; all else is asked as it is asked of a signer's certificate.
"""

import json
import re
import warnings
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
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification import certificate
from glasswing_attest.verification.certificate import Leaf, validate_path
from tests.shared import Case, cases

# What is not asked: the reason of each group.
NOT_ASKED = {
    r"crl::.*": "there are no revocation lists: certificates live for minutes, and trust carries a signed list of ours",
    r"online::.*": "certificates of web servers, with the names of many",
    r"webpki::(san|cn)::.*": "which server a name means; a signer is compared as text, by policy",
    r"webpki::eku::.*": "rules of browsers about the usages of web servers",
    r"webpki::aki::.*": "rules of browsers about the key identifiers of roots",
    r"pathlen::max-chain-depth.*": "a depth of the caller's choice; ours is the CAs' own path lengths",
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


def reasons() -> dict[str, str]:
    try:
        found = [p.values[0] for p in cases("x509-path")]
    except LookupError:
        return {}
    return {
        case.id: reason
        for case in found
        if case is not None
        for pattern, reason in NOT_ASKED.items()
        if re.fullmatch(pattern, case.case)
    }


def load(pem: str) -> x509.Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # limbo's certificates are wrong on purpose
        return x509.load_pem_x509_certificate(pem.encode())


def der(pem: str) -> bytes:
    return load(pem).public_bytes(Encoding.DER)


def ask(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
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
    time = datetime.fromisoformat(vector["validation_time"]) if vector["validation_time"] else datetime.now(UTC)
    leaf = Leaf.parse(der(vector["peer_certificate"]))
    validate_path(leaf, [der(pem) for pem in vector["untrusted_intermediates"]], believed, time)


@pytest.mark.parametrize("case", cases("x509-path", skip=reasons()))
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


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = {p.values[0].case for p in cases("x509-path")}
    skipped = {case for case in found if any(re.fullmatch(pattern, case) for pattern in NOT_ASKED)}
    assert set(DECIDED) <= found - skipped
    assert (len(found), len(skipped)) == (208, 64)


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
