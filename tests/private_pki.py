"""How does a test get certificates of a private authority, quickly, and with one thing wrong?

pki = Pki()
signer = pki.signer()                        # a root, an intermediate, and a leaf that names release@acme.example
trust = Trust(roots=(private_root("acme", pki.root_pem),))
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest import KeySigner
from glasswing_attest.oms import CertificateSigner

START = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2035, 1, 1, tzinfo=UTC)
HOLDER = "release@acme.example"


class Pki:
    """A root, an intermediate, and the leaves that it issues: on one key each, made once."""

    def __init__(self, name: str = "acme") -> None:
        self.name = name
        self.root_key, self.intermediate_key, self.leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in "abc")
        self.root = self.ca(f"{name} root", self.root_key, None, self.root_key)
        self.intermediate = self.ca(f"{name} intermediate", self.intermediate_key, self.root, self.root_key)

    @property
    def root_pem(self) -> bytes:
        """The root certificate."""
        return pem(self.root)

    def ca(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Certificate | None,
        by: ec.EllipticCurvePrivateKey,
    ) -> x509.Certificate:
        """An authority's certificate."""
        builder = _builder(name, key, issuer, START, END)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.add_extension(_usage(signs=False, certifies=True), critical=True).sign(by, hashes.SHA256())

    def leaf(
        self,
        *,
        san: str | None = HOLDER,
        subject: str = "release",
        usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.CODE_SIGNING,),
        start: datetime = START,
        end: datetime = END,
        says_ca: bool = False,
        certifies: bool = False,
        issuer: str = "",
        by_root: bool = False,
    ) -> x509.Certificate:
        """A leaf of the intermediate's, honest but for what is said. `issuer` is whom it names as Fulcio's would."""
        above, key = (self.root, self.root_key) if by_root else (self.intermediate, self.intermediate_key)
        builder = _builder(subject, self.leaf_key, above, start, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=says_ca, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs=True, certifies=certifies), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if san is not None:
            name = x509.UniformResourceIdentifier(san) if ":" in san else x509.RFC822Name(san)
            builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=False)
        if issuer:
            named = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"), encode_der(issuer))
            builder = builder.add_extension(named, critical=False)
        return builder.sign(key, hashes.SHA256())

    def signer(self, leaf: x509.Certificate | None = None) -> CertificateSigner:
        """A signer with the leaf, or with an honest one."""
        chain = pem(leaf or self.leaf()) + pem(self.intermediate)
        return CertificateSigner(KeySigner(self.leaf_key), chain)

    @property
    def leaf_key_pem(self) -> bytes:
        """The private key of all leaves."""
        return self.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate | None, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end - timedelta(seconds=1))
    )


def _usage(*, signs: bool, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
