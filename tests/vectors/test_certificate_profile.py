"""Is a certificate a CA or a leaf to us where it is one to sigstore-python?

Its questions are about one certificate; ours are about a path. All of these certificates were issued by one key under
one name, so each can be asked about as the authority above a good leaf, or as the leaf below a good authority.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest.errors import CertificateUntrusted
from glasswing_attest.trust.sigstore import Authority, Window
from glasswing_attest.verification.certificate import Leaf, validate_path
from tests.shared import Case, cases

FOLDER = "sigstore-python/test/assets/x509"
THEN = datetime(2024, 1, 1, tzinfo=UTC)

# Why each is refused, in the words of whoever refuses it.
REFUSED = {
    "cert_is_ca/bogus-root-noncritical-bc": "2.5.29.19: Certificate extension has incorrect criticality",
    "cert_is_ca/bogus-root-invalid-ku": "a CA of the chain may not sign certificates",
    "cert_is_ca/bogus-root-missing-ku": "2.5.29.15: Certificate is missing required extension",
    "cert_is_root_ca/bogus-leaf": "the leaf is itself the authority",
    "cert_is_root_ca/bogus-leaf-invalid-ku": "basicConstraints.cA must be asserted in a CA certificate",
    "cert_is_leaf/bogus-root": "the leaf is a CA",
    "cert_is_leaf/bogus-intermediate": "the leaf is a CA",
    "cert_is_leaf/bogus-intermediate-with-eku": "the leaf is a CA",
    "cert_is_leaf/bogus-leaf-invalid-eku": "the leaf is not for code signing",
    "cert_is_leaf/bogus-root-invalid-ku": "the leaf is a CA",
}
# An accepted CA of which no certificate below is at hand: what it is refused for is that it did not sign this leaf.
ALONE = {"cert_is_ca/bogus-intermediate": "signature does not match"}


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def prove(leaf: x509.Certificate, authority: x509.Certificate) -> None:
    window = Window(start=datetime(2000, 1, 1, tzinfo=UTC))
    believed = Authority(operator="test", name="test", chain=(authority,), window=window)
    validate_path(Leaf.parse(leaf.public_bytes(Encoding.DER)), (), (believed,), THEN)


def ask(case: Case, folder: Path) -> None:
    asked = load(folder / case.files["cert"])
    if case.params["question"] == "cert_is_leaf":
        prove(asked, load(folder / FOLDER / "bogus-root.pem"))
    else:
        prove(load(folder / FOLDER / "bogus-leaf.pem"), asked)


@pytest.mark.parametrize("case", cases("cert-profile"))
def test_a_certificate_gets_its_answer(case: Case, shared_data: Path) -> None:
    if case.expect == "accept" and case.case not in ALONE:
        ask(case, shared_data)
        return
    with pytest.raises(CertificateUntrusted) as refused:
        ask(case, shared_data)
    assert refused.value.code == "verification.certificate"
    assert refused.value.where == "certificate"
    assert {**REFUSED, **ALONE}[case.case] in refused.value.because


def test_no_certificate_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in cases("cert-profile")]
    assert {case.case for case in found if case.expect == "reject"} == set(REFUSED)
    assert len(found) == 13


def test_a_good_leaf_below_a_good_root(shared_data: Path) -> None:
    folder = shared_data / FOLDER
    prove(load(folder / "bogus-leaf.pem"), load(folder / "bogus-root.pem"))
    with pytest.raises(CertificateUntrusted) as refused:
        prove(load(folder / "bogus-leaf-invalid-ku.pem"), load(folder / "bogus-root.pem"))
    assert "the leaf is not for digital signatures" in refused.value.because
