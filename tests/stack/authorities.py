"""Which keys and certificates do the servers have?

Throwaways of this run, written to files as each server wants them: a code-signing authority and two time-stamping ones,
each a root and an intermediate, and the logs' keys. Everything began ten minutes ago.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from glasswing_attest.testing.certificates import usage

__all__ = ["OPERATOR", "OTHER_OPERATOR", "Authorities", "Chain", "LogKey"]

OPERATOR, OTHER_OPERATOR = "local.test", "other.test"

_YEARS = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Certificates, the one that signs first and the root last; in files the chain, and the first one's key."""

    operator: str
    certificates: tuple[x509.Certificate, ...]
    pem: Path
    key: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class LogKey:
    """A log's key, in a file, and its public key in DER."""

    key: Path
    private_der: bytes
    public_der: bytes


class Authorities:
    """All keys and certificates of one run."""

    def __init__(self, folder: Path) -> None:
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
        self._folder = folder
        code_signing, time_stamping = ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.TIME_STAMPING
        self.fulcio = self._chain("fulcio", OPERATOR, code_signing, leaf=False)
        self.tsa = self._chain("tsa", OPERATOR, time_stamping, leaf=True)
        self.other_tsa = self._chain("other-tsa", OTHER_OPERATOR, time_stamping, leaf=True)
        self.ct = self._log_key("ct", ec.generate_private_key(ec.SECP256R1()))
        self.rekor_v1 = self._log_key("rekor-v1", ec.generate_private_key(ec.SECP256R1()))
        self.rekor_v2 = self._log_key("rekor-v2", ed25519.Ed25519PrivateKey.generate())
        issuer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.issuer_key = self._write("issuer.key", _pem(issuer))

    def _chain(self, name: str, operator: str, purpose: x509.ObjectIdentifier, *, leaf: bool) -> Chain:
        """A root and an intermediate, which issues the leaf or is itself the one that signs."""
        titles = ["root", "intermediate", "signer"][: 3 if leaf else 2]
        made: list[x509.Certificate] = []
        by, issuer = ec.generate_private_key(ec.SECP256R1()), None
        key = by
        for depth, title in enumerate(titles):
            key = by if depth == 0 else ec.generate_private_key(ec.SECP256R1())
            authority = title != "signer"
            subject = _name(operator, f"{name} {title}")
            builder = (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(issuer or subject)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(self.start)
                .not_valid_after(self.start + _YEARS)
                .add_extension(
                    x509.BasicConstraints(authority, max(1 - depth, 0) if authority else None), critical=True
                )
                .add_extension(usage(cert_sign=authority, digital_signature=not authority), critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
            )
            if depth:
                # RFC 3161 wants it critical in the certificate of a time stamper.
                builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=not authority)
            made.insert(0, builder.sign(by, hashes.SHA256()))
            by, issuer = key, subject
        pem = self._write(f"{name}.pem", b"".join(c.public_bytes(Encoding.PEM) for c in made))
        return Chain(operator=operator, certificates=tuple(made), pem=pem, key=self._write(f"{name}.key", _pem(key)))

    def _log_key(self, name: str, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> LogKey:
        return LogKey(
            key=self._write(f"{name}.key", _pem(key)),
            private_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            public_der=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        )

    def _write(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        return path


def _name(operator: str, title: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, operator), x509.NameAttribute(NameOID.COMMON_NAME, title)]
    )


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
