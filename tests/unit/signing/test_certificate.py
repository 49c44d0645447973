"""Is nothing signed by a certificate that nobody would believe, and does a renewed one come into use by itself?"""

import os
import pickle
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest import KeySigner, ModelRecord, Trust, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.bundle import Certificates
from glasswing_attest.errors import CertificateRefused, GlasswingError, SigningError, UsageError
from glasswing_attest.signing import CertificateSigner
from glasswing_attest.trust.private import private_root
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.procedure import prove
from tests.private_pki import Pki, pem

THING, SAID = Blob(b"weights", name="m.bin"), ModelRecord(name="m")
PKI, OTHER = Pki(), Pki("other")
KEY = KeySigner(PKI.leaf_key)
NOW, DAY = datetime.now(UTC), timedelta(days=1)
SPIFFE = "spiffe://acme.example/trainer"


def chain_of(leaf: Any, *above: Any) -> bytes:
    return b"".join(pem(each) for each in (leaf, *above))


def named(made: Any) -> str:
    assert isinstance(made.material, Certificates)
    return Leaf.parse(made.material.chain[0], by_subject=True).san


# --- the leaf --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "where", "told"),
    [
        ({"end": NOW - DAY}, "certificate", "Renew it"),
        ({"start": NOW + DAY}, "certificate", "Renew it"),
        ({"usages": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)}, "certificate", "codeSigning"),
        ({"usages": ()}, "certificate", "does not say what it is for"),
        ({"certifies": True}, "certificate", "may sign certificates"),
    ],
)
def test_a_leaf_that_nobody_would_believe_signs_nothing(how: dict[str, Any], where: str, told: str) -> None:
    signed: list[bytes] = []

    class Noticing:
        verified_by = KEY.public_key

        def seal(self, payload: bytes, payload_type: str) -> bytes:
            signed.append(payload)
            return KEY.seal(payload, payload_type)

    signer = CertificateSigner(Noticing(), chain_of(PKI.leaf(**how), PKI.intermediate))
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=signer)
    assert (refused.value.code, refused.value.where) == ("signing.certificate", where)
    assert told in str(refused.value)
    assert not signed


def test_a_leaf_that_is_its_own_authority_signs_nothing() -> None:
    own = PKI.ca("self", PKI.leaf_key, None, PKI.leaf_key)
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=CertificateSigner(KEY, pem(own)))
    assert refused.value.do == "sign with the key alone"


def test_usages_for_the_web_beside_code_signing_do_no_harm() -> None:
    usages = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.CODE_SIGNING)
    leaf = PKI.leaf(san=SPIFFE, usages=usages)
    made = attest(THING, SAID, signer=CertificateSigner(KEY, chain_of(leaf, PKI.intermediate, PKI.root)))
    trust = Trust(roots=(private_root("acme", PKI.root_pem),))
    (proved,) = prove(made, trust, signed_at=datetime.now(UTC))
    assert (proved.signer.san, proved.signer.root, proved.signer.issuer) == (SPIFFE, "acme", "")


# --- the chain -------------------------------------------------------------------------------------------------------


def test_roots_stay_at_home_and_say_whether_the_chain_leads_to_one() -> None:
    leaf = PKI.leaf()
    # Two roots, as a trust bundle has them while the authority changes its key; in any order.
    for above in ((PKI.intermediate, OTHER.root, PKI.root), (OTHER.root, PKI.root, PKI.intermediate)):
        signer = CertificateSigner(KEY, chain_of(leaf, *above))
        assert len(signer.chain) == 2
        assert signer.roots.count(b"BEGIN CERTIFICATE") == 2
        assert named(attest(THING, SAID, signer=signer)) == "release@acme.example"
    direct = CertificateSigner(KEY, chain_of(PKI.leaf(by_root=True), PKI.root))
    assert len(direct.chain) == 1
    assert CertificateSigner(KEY, chain_of(leaf, PKI.intermediate)).roots == b""


@pytest.mark.parametrize(
    ("above", "where"),
    [
        ((OTHER.intermediate,), "certificates[1]"),
        ((PKI.intermediate, OTHER.root), "certificates[2]"),
        ((OTHER.root,), "certificates[1]"),
        ((PKI.intermediate, OTHER.intermediate), "certificates[2]"),
    ],
)
def test_a_chain_that_is_none(above: tuple[Any, ...], where: str) -> None:
    with pytest.raises(SigningError) as refused:
        CertificateSigner(KEY, chain_of(PKI.leaf(), *above))
    assert (refused.value.code, refused.value.where) == ("signing", where)


def test_a_chain_that_its_root_would_not_accept_signs_nothing() -> None:
    # An authority whose certificate does not say that it is one.
    key = ec.generate_private_key(ec.SECP256R1())
    pki = Pki()
    pki.intermediate_key = key
    pki.intermediate = Pki.leaf(_issuing(pki, key), san=None, subject="acme intermediate", by_root=True)
    signer = CertificateSigner(KeySigner(pki.leaf_key), chain_of(pki.leaf(), pki.intermediate, pki.root))
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=signer)
    assert (refused.value.code, refused.value.where) == ("signing.certificate", "certificate")


def _issuing(pki: Pki, key: ec.EllipticCurvePrivateKey) -> Pki:
    """The same authority, whose leaves are certificates of `key`."""
    same = Pki.__new__(Pki)
    same.__dict__.update({**pki.__dict__, "leaf_key": key})
    return same


# --- files, and their renewal ----------------------------------------------------------------------------------------


class Helper:
    """What SPIFFE's helper does: it writes a new key, certificate and trust bundle."""

    def __init__(self, folder: Path) -> None:
        self.files = [folder / name for name in ("svid.key", "svid.pem", "bundle.pem")]
        self.count = 0

    def renew(self, *, pki: Pki = PKI, only: int = 3, **how: Any) -> None:
        """Write the first `only` of the files anew."""
        self.count += 1
        fresh = _issuing(pki, ec.generate_private_key(ec.SECP256R1()))
        said: dict[str, Any] = {"san": SPIFFE, "start": NOW - DAY, "end": NOW + DAY, **how}
        contents = (fresh.leaf_key_pem, chain_of(fresh.leaf(**said), fresh.intermediate), fresh.root_pem)
        for path, content in list(zip(self.files, contents, strict=True))[:only]:
            path.write_bytes(content)
            path.chmod(0o600)
            os.utime(path, ns=(self.count, self.count))

    def signer(self, *, reload: bool = True) -> CertificateSigner:
        return CertificateSigner.from_files(*self.files, reload=reload)


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    made = Helper(tmp_path)
    made.renew()
    return made


def test_what_spiffes_helper_writes_signs(helper: Helper) -> None:
    made = attest(THING, SAID, signer=helper.signer(reload=False))
    assert named(made) == SPIFFE
    assert isinstance(made.material, Certificates)
    assert len(made.material.chain) == 2


def test_a_renewed_certificate_comes_into_use(helper: Helper) -> None:
    signer, fixed = helper.signer(), helper.signer(reload=False)
    first = signer.public_key
    helper.renew(san="spiffe://acme.example/renewed")
    assert named(attest(THING, SAID, signer=signer)) == "spiffe://acme.example/renewed"
    assert signer.public_key != first
    assert named(attest(THING, SAID, signer=fixed)) == SPIFFE


@pytest.mark.parametrize("only", [1, 2])
def test_half_a_renewal_is_waited_out(helper: Helper, only: int) -> None:
    signer = helper.signer()
    helper.renew(only=only, pki=OTHER)  # a key without its certificate, or these without their root
    assert named(attest(THING, SAID, signer=signer)) == SPIFFE
    helper.renew(pki=OTHER, san="spiffe://other.example/x")
    assert named(attest(THING, SAID, signer=signer)) == "spiffe://other.example/x"


def test_half_a_renewal_is_told_once_nothing_else_is_left(helper: Helper) -> None:
    helper.renew(end=NOW - DAY / 2)
    signer = helper.signer()
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=signer)
    assert refused.value.do == "renew it"
    helper.renew(only=1)
    with pytest.raises(SigningError) as half:
        attest(THING, SAID, signer=signer)
    assert half.value.where == "certificates[0]"
    assert half.value.do == "put the certificate of the key that signs first"
    helper.files[1].unlink()
    with pytest.raises(SigningError) as gone:
        attest(THING, SAID, signer=signer)
    assert gone.value.where == str(helper.files[1])
    helper.renew()
    assert named(attest(THING, SAID, signer=signer)) == SPIFFE


def test_threads_sign_while_it_is_renewed(helper: Helper) -> None:
    signer = helper.signer()
    failed: list[GlasswingError] = []
    over = threading.Event()

    def sign() -> None:
        while not over.is_set():
            try:
                attest(THING, SAID, signer=signer)
            except GlasswingError as e:
                failed.append(e)

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        helper.renew()
    over.set()
    for thread in threads:
        thread.join()
    assert not failed


def test_files_that_are_not_named_or_not_there(tmp_path: Path, helper: Helper) -> None:
    with pytest.raises(UsageError) as none:
        CertificateSigner.from_files(KEY)
    assert none.value.where == "paths"
    with pytest.raises(SigningError) as gone:
        CertificateSigner.from_files(KEY, tmp_path / "nothing.pem")
    assert gone.value.where == str(tmp_path / "nothing.pem")
    with pytest.raises(SigningError) as key:
        CertificateSigner.from_files(tmp_path / "nothing.key", helper.files[1])
    assert key.value.code == "signing.key"


def test_it_is_not_pickled() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(PKI.signer())


# --- as SPIRE shapes them --------------------------------------------------------------------------------------------


def spire(*, usages: tuple[x509.ObjectIdentifier, ...], names: tuple[str, ...] = (SPIFFE,)) -> CertificateSigner:
    """An X.509-SVID without a subject, below an authority that has a SPIFFE ID itself."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    authority = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SPIRE")])

    def certificate(
        subject: x509.Name, key: ec.EllipticCurvePrivateKey, ids: tuple[str, ...], usage: str
    ) -> x509.CertificateBuilder:
        said = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False,
        )  # fmt: skip
        said |= dict.fromkeys(usage.split(), True)
        uris = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(each) for each in ids])
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=authority, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
            .add_extension(x509.KeyUsage(**said), critical=True)
            .add_extension(uris, critical=not subject.rdns)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), critical=False)
        )

    root = certificate(authority, keys[0], ("spiffe://acme.example",), "key_cert_sign crl_sign")
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    leaf = certificate(x509.Name([]), keys[1], names, "digital_signature key_encipherment key_agreement")
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    signed = [each.sign(keys[0], hashes.SHA256()) for each in (leaf, root)]
    return CertificateSigner(KeySigner(keys[1]), chain_of(*signed))


WEB = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


def test_an_svid_for_signing_code_signs() -> None:
    signer = spire(usages=(*WEB, ExtendedKeyUsageOID.CODE_SIGNING))
    made = attest(THING, SAID, signer=signer)
    trust = Trust(roots=(private_root("acme", signer.roots),))
    (proved,) = prove(made, trust, signed_at=datetime.now(UTC))
    assert (proved.signer.san, proved.signer.root) == (SPIFFE, "acme")


def test_an_svid_for_the_web_alone_does_not() -> None:
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=spire(usages=WEB))
    assert (refused.value.code, refused.value.where) == ("signing.certificate", "certificate")
    assert refused.value.wanted == "usages digitalSignature and codeSigning"


def test_an_svid_with_two_names_does_not() -> None:
    usages = (*WEB, ExtendedKeyUsageOID.CODE_SIGNING)
    with pytest.raises(CertificateRefused) as refused:
        attest(THING, SAID, signer=spire(usages=usages, names=(SPIFFE, "spiffe://acme.example/other")))
    assert (refused.value.where, refused.value.found) == ("certificate.subjectAltName", "2 names")
