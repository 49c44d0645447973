"""Is the certificate what it says, and does it lead to an authority that we believe, at a given time?

X.509 path validation is `cryptography`'s (RFC 5280, section 6). Its default policies are made for web servers, so the
rules for code signing stand here (Sigstore's certificate profile, fulcio/docs/certificate-specification.md): a leaf
that is no CA, has digitalSignature and codeSigning and exactly one subject alternative name; CAs that say so, within
their path lengths, and whose extended usages, where they have any, allow codeSigning. Authorities with Ed25519 keys
are not supported by the path validator.

Most leaves come from the very chain that the trust names. That chain is proved once, by its bytes alone, and each leaf
is then validated with its issuer for an anchor; the windows of all are compared each time. That is done only where no
other path could be found: nothing is brought along, and no name stands for two issuers. What does not pass so is
validated whole, so that the shortcut decides no refusal.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.asn1 import decode_der
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest._wire import format_time
from glasswing_attest.errors import CertificateUntrusted, FieldRefused, KeyUnsupported, NotPem, OutsideValidity
from glasswing_attest.keys import PublicKey
from glasswing_attest.trust.certificates import UNREADABLE, read_certificate
from glasswing_attest.trust.sigstore import Authority, Window

__all__ = [
    "AUTHORITY_POLICY",
    "BY_SUBJECT",
    "FULCIO_CLAIMS",
    "Leaf",
    "is_leaf",
    "path_stands",
    "proved_span",
    "require_usages",
    "validate_path",
]

_FULCIO = "1.3.6.1.4.1.57264.1"
BY_SUBJECT = "subject:"
"""How the name of a signer begins whom only the subject of a certificate names."""
_UTF8_STRING = 0x0C

# Which kind of name it is, a text alone has to tell: a policy compares texts, and a CA may be allowed one kind only.
_LOOKS: dict[type[x509.GeneralName], re.Pattern[str]] = {
    x509.UniformResourceIdentifier: re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+"),
    x509.RFC822Name: re.compile(r"[^@:]+@[^@:]+"),
    x509.DNSName: re.compile(r"[^@:!]+"),
    x509.OtherName: re.compile(r"[^@]+"),  # as Fulcio has them; below constraints there is none
}
_OTHER_NAME = x509.ObjectIdentifier(f"{_FULCIO}.7")
_ISSUER_V1 = x509.ObjectIdentifier(f"{_FULCIO}.1")
_ISSUER_V2 = x509.ObjectIdentifier(f"{_FULCIO}.8")

FULCIO_CLAIMS = {
    9: "build_signer_uri",
    10: "build_signer_digest",
    11: "runner_environment",
    12: "source_repository_uri",
    13: "source_repository_digest",
    14: "source_repository_ref",
    15: "source_repository_identifier",
    16: "source_repository_owner_uri",
    17: "source_repository_owner_identifier",
    18: "build_config_uri",
    19: "build_config_digest",
    20: "build_trigger",
    21: "run_invocation_uri",
    22: "source_repository_visibility",
}
"""Fulcio's claims by the last arc of their OID (fulcio/docs/oid-info.md); 1 and 8 are the issuer."""

_Values: TypeAlias = dict[x509.ObjectIdentifier, Any]
"""What a certificate's extensions hold; those that `cryptography` does not know are read as bytes, in `value`."""

_CLAIMS = {x509.ObjectIdentifier(f"{_FULCIO}.{arc}"): name for arc, name in FULCIO_CLAIMS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A signing certificate, read. Nothing about it is verified.

    Attributes:
        certificate: the certificate.
        der: its bytes.
        key: its public key.
        san: its one subject alternative name; ``subject:`` and the subject (RFC 4514) where it has none.
        by_subject: whether only its subject names it.
        issuer: the OIDC issuer that Fulcio names, or "" in a certificate of another authority.
        claims: what else Fulcio says, by the names of `FULCIO_CLAIMS`.
    """

    certificate: x509.Certificate
    der: bytes
    key: PublicKey
    san: str
    issuer: str
    claims: tuple[tuple[str, str], ...]
    by_subject: bool = False

    @classmethod
    def parse(cls, der: bytes, *, where: str = "certificate", by_subject: bool = False) -> Leaf:
        """Read a leaf strictly. Raises `NotPem`, `FieldRefused` or `KeyUnsupported`.

        One without an alternative name is read only where `by_subject` says that its subject may name it.
        """
        certificate = load(der, where=where)
        try:
            key = PublicKey.of(certificate.public_key(), legacy=True)
            values: _Values = {extension.oid: extension.value for extension in certificate.extensions}
        except UnsupportedAlgorithm as e:
            raise KeyUnsupported(where=where, found=str(e)) from e
        except UNREADABLE as e:
            raise NotPem(kind="evidence", where=where, because=str(e)) from e
        subject = _subject(certificate, where) if by_subject and x509.SubjectAlternativeName.oid not in values else ""
        san = subject or _san(values, where)
        if by_subject and not subject and san.startswith(BY_SUBJECT):
            raise FieldRefused(where=f"{where}.subjectAltName", found=san, wanted="a name that looks like no subject")
        return cls(
            certificate=certificate,
            der=der,
            key=key,
            san=san,
            by_subject=bool(subject),
            issuer=_issuer(values, where),
            claims=tuple(
                (name, _utf8(values[oid].value, f"{where}.{name}")) for oid, name in _CLAIMS.items() if oid in values
            ),
        )


def load(der: bytes, *, where: str) -> x509.Certificate:
    """Read a DER certificate, and nothing after it. Raises `NotPem`."""
    found = read_certificate(der, where=where, kind="evidence")
    if found.public_bytes(Encoding.DER) != der:
        raise NotPem(kind="evidence", where=where, because="it is not DER, or bytes follow it")
    if found.serial_number <= 0:  # RFC 5280, section 4.1.2.2
        raise NotPem(kind="evidence", where=where, because="its serial number is not positive")
    return found


def _utf8(value: bytes, where: str) -> str:
    # A text of one length byte, as nearly every one is, needs no decoder: tag, length, UTF-8.
    is_short = 2 <= len(value) < 0x82 and value[0] == _UTF8_STRING and value[1] == len(value) - 2
    try:
        text = value[2:].decode("utf-8") if is_short else decode_der(str, value)
    except ValueError as e:
        raise FieldRefused(where=where, found=value.hex()[:40], wanted="a DER UTF8String") from e
    return _printable(text, where)


def _printable(text: str, where: str) -> str:
    # A name with a line end or an escape in it is made to be misread.
    if not text.isprintable():
        raise FieldRefused(where=where, found=text, wanted="printable text")
    return text


def _issuer(values: _Values, where: str) -> str:
    if _ISSUER_V2 in values:
        issuer = _utf8(values[_ISSUER_V2].value, f"{where}.issuer")
    elif _ISSUER_V1 in values:  # deprecated: the bare text, without DER around it
        try:
            issuer = _printable(values[_ISSUER_V1].value.decode("utf-8"), f"{where}.issuer")
        except UnicodeDecodeError as e:
            raise FieldRefused(where=f"{where}.issuer", wanted="UTF-8") from e
    else:
        return ""
    if not issuer:  # it would be read as a certificate that names none
        raise FieldRefused(where=f"{where}.issuer", found="", wanted="an issuer")
    return issuer


def _subject(certificate: x509.Certificate, where: str) -> str:
    """Give the subject of a certificate without an alternative name, marked as what it is; "" for an empty one."""
    subject = certificate.subject.rfc4514_string()
    return f"{BY_SUBJECT}{_printable(subject, f'{where}.subject')}" if subject else ""


def _san(values: _Values, where: str) -> str:
    names = list(values.get(x509.SubjectAlternativeName.oid, ()))
    if len(names) != 1:
        raise FieldRefused(where=f"{where}.subjectAltName", found=f"{len(names)} names", wanted="exactly one name")
    name = names[0]
    if isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        said = _utf8(name.value, f"{where}.subjectAltName")
    elif isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name | x509.DNSName):
        said = _printable(name.value, f"{where}.subjectAltName")
        if not said.isascii():  # RFC 5280, section 4.2.1.6: each is an IA5String
            raise FieldRefused(where=f"{where}.subjectAltName", found=said, wanted="a name in ASCII")
    else:
        wanted = "a URI, an email or a name"
        raise FieldRefused(where=f"{where}.subjectAltName", found=type(name).__name__, wanted=wanted)
    if not said:  # nobody is called by it, and "" stands for no name everywhere else
        raise FieldRefused(where=f"{where}.subjectAltName", found="an empty name", wanted="a name that says something")
    if not _LOOKS[type(name)].fullmatch(said):
        because = f"a {type(name).__name__} that looks like a name of another kind"
        raise FieldRefused(where=f"{where}.subjectAltName", found=said, because=because)
    return said


# --- the path --------------------------------------------------------------------------------------------------------


def _is_authority(_policy: object, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("a certificate of the chain is no CA")


def _may_sign_certificates(_policy: object, _certificate: x509.Certificate, extension: x509.KeyUsage) -> None:
    if not extension.key_cert_sign:
        raise ValueError("a CA of the chain may not sign certificates")


def _allows_code_signing(
    _policy: object, _certificate: x509.Certificate, extension: x509.ExtendedKeyUsage | None
) -> None:
    if extension is not None and not {
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    } & set(extension):
        raise ValueError("a CA of the chain does not allow code signing")


def _signs_code(_policy: object, _certificate: x509.Certificate, extension: x509.ExtendedKeyUsage) -> None:
    if ExtendedKeyUsageOID.CODE_SIGNING not in extension:
        raise ValueError("the leaf is not for code signing")


def _signs_digitally(_policy: object, _certificate: x509.Certificate, extension: x509.KeyUsage) -> None:
    if not extension.digital_signature:
        raise ValueError("the leaf is not for digital signatures")
    if extension.key_cert_sign:  # only a CA may say so (RFC 5280, section 4.2.1.3)
        raise ValueError("the leaf may sign certificates")


def is_leaf(_policy: object, _certificate: x509.Certificate, extension: x509.BasicConstraints | None) -> None:
    """Refuse a CA where a leaf must stand, with a `ValueError`, as the path validator asks for it."""
    if extension is not None and extension.ca:
        raise ValueError("the leaf is a CA")


def require_usages(leaf: Leaf) -> None:
    """Refuse a leaf that no path will ever make good: for who signs with it. Raises `CertificateUntrusted`."""
    extensions = leaf.certificate.extensions
    try:
        _signs_digitally(None, leaf.certificate, extensions.get_extension_for_class(x509.KeyUsage).value)
        _signs_code(None, leaf.certificate, extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError) as e:
        because = "the leaf does not say what it is for" if isinstance(e, x509.ExtensionNotFound) else str(e)
        wanted = "usages digitalSignature and codeSigning"
        raise CertificateUntrusted(where="certificate", because=because, wanted=wanted) from e


_ANY = verification.Criticality.AGNOSTIC
AUTHORITY_POLICY = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, verification.Criticality.CRITICAL, _is_authority)
    .require_present(x509.KeyUsage, _ANY, _may_sign_certificates)
)
"""What every CA of a path must say of itself, whatever the path is for."""
_CA_POLICY = AUTHORITY_POLICY.may_be_present(x509.ExtendedKeyUsage, _ANY, _allows_code_signing)
_PRIVATE_LEAF_POLICY = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, _ANY, _signs_digitally)
    .require_present(x509.ExtendedKeyUsage, _ANY, _signs_code)
    .require_not_present(x509.NameConstraints)
)
_LEAF_POLICY = _PRIVATE_LEAF_POLICY.may_be_present(x509.BasicConstraints, _ANY, is_leaf)
# What the validators above, or the path validator itself, understand. Another critical extension must be refused.
_UNDERSTOOD = {
    x509.BasicConstraints.oid,
    x509.KeyUsage.oid,
    x509.ExtendedKeyUsage.oid,
    x509.SubjectAlternativeName.oid,
    x509.NameConstraints.oid,
}
_UNPROVEN = (verification.VerificationError, *UNREADABLE)
_DEEPEST = 4
_BRING = (
    "the certificate of an issuer is missing: if you believe the authority, whoever signs must hand along all that "
    "lead to it (CertificateSigner's chain; oms sign --certificate, once for each)"
)


def validate_path(
    leaf: Leaf,
    embedded: Sequence[bytes],
    authorities: Sequence[Authority],
    time: datetime,
    *,
    private: bool = False,
) -> tuple[x509.Certificate, ...]:
    """Give the path from the leaf to an authority whose window contains `time`, valid at `time` throughout.

    `embedded` are the bundle's further certificates: untrusted, used only as intermediates. With `private` a leaf may
    say that it is a CA, as those that are made by hand often do: it must not be allowed to sign certificates anyway.

    Raises:
        OutsideValidity: the leaf was not valid then, or no authority's window contains the time.
        CertificateUntrusted: there is no such path.
        KeyUnsupported: the leaf's or every authority's key is of a kind that the path validator lacks.
    """
    certificate = leaf.certificate
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start <= time <= end:
        wanted = f"from {format_time(start)} until {format_time(end)}"
        raise OutsideValidity(where="certificate", found=format_time(time), wanted=wanted)
    current = [a for a in authorities if a.window.contains(time)]
    if not current:
        wanted = "; ".join(str(a.window) for a in authorities) or "an authority"
        raise OutsideValidity(where="certificateAuthorities", found=format_time(time), wanted=wanted)
    policy = _PRIVATE_LEAF_POLICY if private else _LEAF_POLICY
    if not embedded and (known := _known_path(certificate, tuple(a.chain for a in current), time, policy)) is not None:
        _require_free_naming(leaf, known)
        return known
    intermediates = _intermediates(embedded, current, authorities)
    anchors = [a.chain[-1] for a in current if _is_supported(a.chain[-1])]
    if not anchors or not _is_supported(certificate):
        raise KeyUnsupported(where="certificate", found="Ed25519 or an unknown key in a certificate path")
    try:
        path = _verify(certificate, intermediates, verification.Store(anchors), time, _CA_POLICY, policy)
        if len(path) < 2:  # a trusted certificate is a path to itself, and no CA signed it
            raise ValueError("the leaf is itself the authority")
        # Extensions are read when they are asked for: those that the validator left alone may not be readable.
        _require_understood(path)
        _require_path_lengths(path)
    except _UNPROVEN as e:
        issuers = {c.subject for c in (*intermediates, *anchors)}
        lacks = any(c.issuer not in issuers for c in (certificate, *intermediates))
        raise CertificateUntrusted(where="certificate", because=str(e), do=_BRING if lacks else "") from e
    _require_free_naming(leaf, path)
    return tuple(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issuer:
    """The first of a chain that was proved, as an anchor, and the span in which all of the chain is valid."""

    span: Window
    anchor: verification.Store


def _known_path(
    leaf: x509.Certificate,
    chains: tuple[tuple[x509.Certificate, ...], ...],
    time: datetime,
    policy: verification.ExtensionPolicy,
) -> tuple[x509.Certificate, ...] | None:
    """Give the path by way of one of these chains, or None where only a whole validation can tell."""
    if not _lead_one_way(chains) or not _is_supported(leaf) or any(leaf == chain[-1] for chain in chains):
        return None
    for chain in chains:
        if (path := _path_from_issuer(leaf, chain, time, policy)) is not None:
            return path
    return None


@functools.lru_cache(maxsize=256)
def _lead_one_way(chains: tuple[tuple[x509.Certificate, ...], ...]) -> bool:
    """Tell whether there is one path at most from any leaf, so that whoever looks for one finds the same.

    Of two issuers with one name the path validator takes whichever leads to an anchor first, and of two anchors on one
    path the lower. What it finds may then be refused, although there is another.
    """
    certificates = {c for chain in chains for c in chain}
    between = {c for chain in chains for c in chain[:-1]}
    return len({c.subject for c in certificates}) == len(certificates) and not any(c[-1] in between for c in chains)


def _path_from_issuer(
    leaf: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    time: datetime,
    policy: verification.ExtensionPolicy,
) -> tuple[x509.Certificate, ...] | None:
    """Give the path by way of this very chain, or None where only a whole validation can tell."""
    if len(chain) < 2 or leaf.issuer != chain[0].subject:
        return None
    issuer = _issuer_of_leaves(chain)
    if issuer is None or not issuer.span.contains(time):
        return None
    try:
        path = _verify(leaf, [], issuer.anchor, time, _CA_POLICY, policy)
        _require_understood(path)
    except (*_UNPROVEN, CertificateUntrusted):
        return None
    return (leaf, *chain) if path == [leaf, chain[0]] else None


@functools.lru_cache(maxsize=256)
def _issuer_of_leaves(chain: tuple[x509.Certificate, ...]) -> _Issuer | None:
    """Prove a chain of CAs, issuer first and anchor last, for whatever leaf may stand below it, or give None.

    A name constraint above the issuer is about the leaf, and has to see it.
    """
    span = proved_span(chain, ca_policy=_CA_POLICY, leaf_policy=_CA_POLICY)
    if span is None:
        return None
    try:
        _require_path_lengths((chain[0], *chain))  # as they stand above a leaf
    except CertificateUntrusted:
        return None
    if any(isinstance(e.value, x509.NameConstraints) for c in chain[1:] for e in c.extensions):
        return None
    return _Issuer(span=span, anchor=verification.Store([chain[0]]))


def proved_span(
    chain: tuple[x509.Certificate, ...],
    *,
    ca_policy: verification.ExtensionPolicy,
    leaf_policy: verification.ExtensionPolicy,
) -> Window | None:
    """Prove a chain, anchor last, by its bytes alone, and give the span in which each of its certificates is valid.

    Signatures and extensions do not change with the time, so that the span is all that is left to compare. None where
    this cannot be proved; of a deep chain only the path validator counts the certificates.
    """
    if not 2 <= len(chain) <= _DEEPEST:
        return None
    start = max(c.not_valid_before_utc for c in chain)
    end = min(c.not_valid_after_utc for c in chain)
    if start > end:
        return None
    try:
        path = _verify(chain[0], chain[1:-1], verification.Store([chain[-1]]), start, ca_policy, leaf_policy)
        _require_understood(path)
        _require_path_lengths(path)
    except (*_UNPROVEN, CertificateUntrusted):
        return None
    return Window(start=start, end=end) if tuple(path) == chain else None


def _verify(
    leaf: x509.Certificate,
    intermediates: Sequence[x509.Certificate],
    anchors: verification.Store,
    time: datetime,
    ca_policy: verification.ExtensionPolicy,
    leaf_policy: verification.ExtensionPolicy,
) -> list[x509.Certificate]:
    verifier = (
        verification.PolicyBuilder()
        .store(anchors)
        .time(time)
        .extension_policies(ca_policy=ca_policy, ee_policy=leaf_policy)
        .build_client_verifier()
    )
    return verifier.verify(leaf, list(intermediates)).chain


def _intermediates(
    embedded: Sequence[bytes], current: Sequence[Authority], authorities: Sequence[Authority]
) -> list[x509.Certificate]:
    """Give what a path may be built with: the current authorities' own, and the bundle's that no other names.

    A bundle must not bring back the key of an authority whose window does not contain the time, under whatever
    certificate, by an anchor that it shares with one that does.
    """
    own = [c for a in current for c in a.chain[:-1]]
    named = {_spki(c) for a in authorities for c in a.chain} - {_spki(c) for a in current for c in a.chain}
    brought = (load(der, where="certificate chain") for der in embedded)
    return [c for c in brought if _spki(c) not in named] + own


def _spki(certificate: x509.Certificate) -> bytes:
    """Give the key's bytes, whatever kind of key it is."""
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except UNREADABLE:
        return certificate.public_bytes(Encoding.DER)


def _is_supported(certificate: x509.Certificate) -> bool:
    """Tell whether the path validator can check this key's signatures."""
    try:
        return not isinstance(certificate.public_key(), ed25519.Ed25519PublicKey)
    except UNREADABLE:
        return False


def path_stands(path: Sequence[x509.Certificate], authorities: Sequence[Authority], time: datetime) -> bool:
    """Tell whether a path that `validate_path` gave for another time holds at `time` too, by its windows alone.

    Signatures and extensions do not change with the time. False where only a new validation can tell, as for no path.
    """
    if not path or not all(c.not_valid_before_utc <= time <= c.not_valid_after_utc for c in path):
        return False
    return any(a.window.contains(time) and a.chain[-len(path) + 1 :] == tuple(path[1:]) for a in authorities)


def _require_understood(path: Sequence[x509.Certificate]) -> None:
    """Refuse critical extensions that nobody here understands (RFC 5280, section 4.2)."""
    for certificate in path[:-1]:
        for extension in certificate.extensions:
            if extension.critical and extension.oid not in _UNDERSTOOD:
                oid = extension.oid.dotted_string
                raise CertificateUntrusted(where="certificate", found=f"the critical extension {oid}")


def _require_free_naming(leaf: Leaf, path: Sequence[x509.Certificate]) -> None:
    """Refuse a leaf whose name is held against no constraint where a CA above it may not give every name.

    The path validator holds constraints (RFC 5280, section 4.2.1.10) against alternative names alone, and knows no
    name of another kind.
    """
    if not any(e.oid == x509.NameConstraints.oid for c in path[1:] for e in c.extensions):
        return
    names = [e.value for e in leaf.certificate.extensions if e.oid == x509.SubjectAlternativeName.oid]
    if leaf.by_subject or any(isinstance(name, x509.OtherName) for several in names for name in several):
        because = "a CA of the chain may give some names only, and a name of this kind is not held against that"
        where, wanted = "certificate.subject", "a subject alternative name that is a URI, an email or a host"
        raise CertificateUntrusted(where=where, because=because, found=leaf.san, wanted=wanted)


def _require_path_lengths(path: Sequence[x509.Certificate]) -> None:
    """Hold every CA to its path length: the number of CAs that may stand below it (RFC 5280, section 4.2.1.9)."""
    for below, authority in enumerate(path[1:]):
        constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints).value
        if constraints.path_length is not None and below > constraints.path_length:
            raise CertificateUntrusted(where="certificate", because="a CA stands deeper than its issuer allows")
