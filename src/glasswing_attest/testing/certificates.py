"""Who may have a certificate, and what can be wrong with one?

Certificates as Fulcio issues them (fulcio/docs/certificate-specification.md and oid-info.md): for minutes, for an empty
subject with one critical alternative name, with what the identity provider said as extensions, and with the promises of
certificate logs. `LeafOptions` breaks any of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from glasswing_attest.errors import UsageError
from glasswing_attest.testing import der
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.ct import CertificateLog, promises
from glasswing_attest.testing.keys import PrivateKey, PublicKeyOf, certificate_hash, encoded, generate
from glasswing_attest.testing.window import since, valid_for
from glasswing_attest.trust.sigstore import Window
from glasswing_attest.verification.certificate import FULCIO_CLAIMS

__all__ = ["CertificateAuthority", "Holder", "LeafOptions", "authority_dict", "chain_of", "usage"]

_FULCIO = "1.3.6.1.4.1.57264.1"
_ARCS = {name: arc for arc, name in FULCIO_CLAIMS.items()}
_YEARS = timedelta(days=3650)

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a certificate names: what an identity provider would say of somebody who logs in.

    Attributes:
        san: the one name.
        issuer: the OIDC issuer; "" for a private authority, whose certificates name none.
        kind: how the name stands in the certificate; by its look where nobody says.
        claims: what else the issuer says, by the names of `identities.*.claims` in a policy.

    >>> Holder(san="alice@example.com").kind, Holder(san="https://ci.example/train").kind
    ('email', 'uri')
    """

    san: str
    issuer: str = "https://issuer.example"
    kind: Literal["uri", "email", "other"] | None = None
    claims: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.claims) - set(_ARCS)):
            raise UsageError(where="claims", found=unknown[0], wanted=f"one of {', '.join(_ARCS)}")
        if self.kind is None:
            object.__setattr__(self, "kind", "uri" if ":" in self.san else "email" if "@" in self.san else "other")
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))

    @classmethod
    def of(cls, who: Holder | str) -> Holder:
        """Take a name alone: an email address or a URI, vouched for by ``https://issuer.example``."""
        if isinstance(who, Holder):
            return who
        return cls(san=who)

    @classmethod
    def github(
        cls,
        repository: str,
        *,
        workflow: str = "release.yml",
        ref: str = "refs/heads/main",
        repository_id: str = "1001",
        owner_id: str = "2002",
        trigger: str = "push",
        runner: str = "github-hosted",
        commit: str = "c0ffee" + "0" * 34,
        issuer: str = GITHUB_ISSUER,
    ) -> Holder:
        """A GitHub Actions workflow, with all that GitHub's certificates say of one."""
        uri = f"https://github.com/{repository}"
        name = f"{uri}/.github/workflows/{workflow}@{ref}"
        return cls(
            san=name,
            issuer=issuer,
            claims={
                "build_signer_uri": name,
                "build_signer_digest": commit,
                "runner_environment": runner,
                "source_repository_uri": uri,
                "source_repository_digest": commit,
                "source_repository_ref": ref,
                "source_repository_identifier": repository_id,
                "source_repository_owner_uri": f"https://github.com/{repository.partition('/')[0]}",
                "source_repository_owner_identifier": owner_id,
                "build_config_uri": name,
                "build_config_digest": commit,
                "build_trigger": trigger,
                "run_invocation_uri": f"{uri}/actions/runs/1/attempts/1",
                "source_repository_visibility": "public",
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafOptions:
    """What a certificate is to be like: honest by default, and each field breaks one property.

    Attributes:
        key: the kind of its key: p256, p384, p521, rsa or ed25519.
        lifetime: how long it lives.
        starts: when it starts to live, from now; ``-timedelta(hours=1)`` gives one that has expired.
        usages: its extended usages.
        digital_signature: whether it may make signatures.
        ca: whether it is an authority.
        further_names: more names, beside the holder's.
        ct_logs: who promises to publish it: the Sigstore's first certificate log, unless said otherwise.
        promised_at: when they promise; now, unless said otherwise.
        issuer_extensions: in which of Fulcio's two extensions the issuer stands.
        unknown_critical: whether it has a critical extension that nobody knows.
    """

    key: str = "p256"
    lifetime: timedelta = timedelta(minutes=10)
    starts: timedelta = timedelta(0)
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,)
    digital_signature: bool = True
    ca: bool = False
    further_names: tuple[str, ...] = ()
    ct_logs: Sequence[CertificateLog] | None = None
    promised_at: datetime | None = None
    issuer_extensions: tuple[Literal[1, 2], ...] = (1, 2)
    unknown_critical: bool = False


class CertificateAuthority:
    """A certificate authority: a root, so many intermediates, and the leaves that the last one issues.

    Attributes:
        operator: whose authority it is.
        window: when it is to be believed; a test may change it.
        chain: the issuing authority first, the root last.

    Args:
        clock: when it is.
        operator: whose authority it is.
        key: the kind of its keys.
        intermediates: how many authorities stand below the root; with none the root issues leaves.
        path_length: how many the root allows below itself; as many as there are, by default. With
            one less every path is too long.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        operator: str = "sigstore.example",
        key: str = "p256",
        intermediates: int = 1,
        path_length: int | None = None,
    ) -> None:
        self.operator = operator
        self.window = since(clock.now)
        self._clock = clock
        allowed = intermediates if path_length is None else path_length
        made = chain_of(clock.now, operator, key=key, intermediates=intermediates, path_length=allowed)
        self.chain = tuple(certificate for certificate, _ in made)
        self._key = made[0][1]

    def issue(
        self,
        public_key: PublicKeyOf,
        holder: Holder,
        options: LeafOptions | None = None,
        *,
        ct_logs: Sequence[CertificateLog] = (),
    ) -> x509.Certificate:
        """Issue a certificate for a key. `ct_logs` promise to publish it, unless the options name others."""
        wanted = options or LeafOptions()
        builder = self._builder(public_key, holder, wanted)
        logs = ct_logs if wanted.ct_logs is None else wanted.ct_logs
        unpromised = builder.sign(self._key, certificate_hash(self._key))
        if not logs:
            return unpromised
        # A precertificate is the same certificate with a poison in it, and what is promised leaves the poison out.
        tbs, at = unpromised.tbs_certificate_bytes, wanted.promised_at or self._clock.now
        value = promises(log.promise(tbs, self._key.public_key(), at) for log in logs)
        oid = ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS
        promised = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        return promised.sign(self._key, certificate_hash(self._key))

    def _builder(self, public_key: PublicKeyOf, holder: Holder, wanted: LeafOptions) -> x509.CertificateBuilder:
        issuer = self.chain[0]
        start = self._clock.now + wanted.starts
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + wanted.lifetime)
            .add_extension(usage(digital_signature=wanted.digital_signature, cert_sign=wanted.ca), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(holder, wanted)), critical=True)
        )
        if wanted.usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(wanted.usages), critical=False)
        if wanted.ca:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if wanted.unknown_critical:
            builder = builder.add_extension(_extension("1.3.6.1.4.1.55555.1", der.utf8("?")), critical=True)
        if holder.issuer and 1 in wanted.issuer_extensions:
            builder = builder.add_extension(_extension(f"{_FULCIO}.1", holder.issuer.encode("utf-8")), critical=False)
        if holder.issuer and 2 in wanted.issuer_extensions:
            builder = builder.add_extension(_extension(f"{_FULCIO}.8", der.utf8(holder.issuer)), critical=False)
        for name, value in holder.claims.items():
            builder = builder.add_extension(_extension(f"{_FULCIO}.{_ARCS[name]}", der.utf8(value)), critical=False)
        return builder

    def to_dict(self) -> dict[str, object]:
        """The authority as a trusted root names it."""
        return authority_dict(self.chain, self.window, self.operator, f"https://fulcio.{self.operator}")


def _names(holder: Holder, wanted: LeafOptions) -> list[x509.GeneralName]:
    first: x509.GeneralName
    if holder.kind == "email":
        first = x509.RFC822Name(holder.san)
    elif holder.kind == "uri":
        first = x509.UniformResourceIdentifier(holder.san)
    else:
        first = x509.OtherName(x509.ObjectIdentifier(f"{_FULCIO}.7"), der.utf8(holder.san))
    return [first, *(x509.UniformResourceIdentifier(name) for name in wanted.further_names)]


def _extension(oid: str, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


def usage(*, digital_signature: bool = False, cert_sign: bool = False) -> x509.KeyUsage:
    """A key's usages: these, and no other."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=cert_sign,
        crl_sign=cert_sign,
        encipher_only=False,
        decipher_only=False,
    )


def chain_of(
    now: datetime, operator: str, *, key: str, intermediates: int, path_length: int
) -> list[tuple[x509.Certificate, PrivateKey]]:
    """Make a root and authorities below it, each with its key: the last one first, the root last."""
    made: list[tuple[x509.Certificate, PrivateKey]] = []
    for depth in range(intermediates + 1):
        private = generate(key)
        public = private.public_key()
        subject = _name(operator, "root" if depth == 0 else f"intermediate {depth}")
        issuer, by = (made[0][0].subject, made[0][1]) if made else (subject, private)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _YEARS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=max(path_length - depth, 0)), critical=True)
            .add_extension(usage(cert_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        )
        made.insert(0, (builder.sign(by, certificate_hash(by)), private))
    return made


def _name(operator: str, which: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, operator),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{operator} {which}"),
        ]
    )


def authority_dict(chain: Sequence[x509.Certificate], window: Window, operator: str, uri: str) -> dict[str, object]:
    """An authority as a trusted root names it."""
    return {
        "subject": {"organization": operator, "commonName": operator},
        "uri": uri,
        "certChain": {"certificates": [{"rawBytes": encoded(c.public_bytes(Encoding.DER))} for c in chain]},
        "validFor": valid_for(window),
        "operator": operator,
    }
