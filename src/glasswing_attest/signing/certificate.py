"""How is it signed with a key for which a certificate authority stands?

X.509 (RFC 5280). A private authority's certificate lives for years, or for an hour where it is a workload's
(SPIFFE X.509-SVID), and its key is held by whoever signs. The bundle brings the leaf and its intermediates; the root is
for the verifier to have. There is no witness of the time among them: `WitnessedSigner` adds those.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import format_time
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import (
    CertificateRefused,
    CertificateUntrusted,
    GlasswingError,
    OutsideValidity,
    SigningError,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.signing.signer import Signer, key_of, room_for
from glasswing_attest.trust.certificates import UNREADABLE
from glasswing_attest.trust.private import is_self_signed, private_root
from glasswing_attest.verification.certificate import Leaf, require_usages, validate_path

__all__ = ["CertificateSigner", "require_certifiable"]


class CertificateSigner:
    """Signs with another signer's key, and names it by a certificate chain. Threads share it.

    What no verifier would believe is not signed: with a certificate that has expired, that is not for signing code,
    that nobody but its own key signed, or, where a root is at hand, that does not lead to it.

    Args:
        signer: who signs: a `KeySigner`, or any other whose public key the leaf certifies.
        chain: certificates in PEM, the leaf first and each issued by the next. Roots among them are never sent along;
            one of them must have issued the last of the chain. They may be left out.

    Raises:
        SigningError: these are no certificates in PEM, the leaf certifies another key, or the chain is none.
    """

    __slots__ = ("_held", "_lock", "_mine", "_renew", "_seen")

    def __init__(self, signer: Signer, chain: bytes) -> None:
        self._begin(_Certified.of(signer, chain))

    def __repr__(self) -> str:
        held = self._held
        return f"CertificateSigner({held.signer!r}, {len(held.chain)} certificates)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer holds a private key and is not pickled")

    @classmethod
    def from_files(cls, signer: Signer | str | Path, *paths: str | Path, reload: bool = False) -> CertificateSigner:
        """Read the chain from one or several PEM files, in this order.

        Args:
            signer: who signs; or the file of a private key that is not encrypted, as SPIFFE's helper writes one.
            paths: the leaf's file first; that of the roots, such as a trust bundle, last or not at all.
            reload: read the files anew when they have changed. A renewal may write one file after the other: as long
                as they do not fit each other, what was read before goes on to be used while it lives.

        Raises:
            SigningError: as the class does, or a file cannot be read.
        """
        files = _Files(signer=signer, paths=tuple(Path(path) for path in paths))
        seen = files.marks()  # before they are read: what changes afterwards is seen next time
        made = cls.__new__(cls)
        made._begin(files.read(), files if reload else None, seen)
        return made

    def _begin(self, held: _Certified, renew: _Files | None = None, seen: tuple[object, ...] = ()) -> None:
        self._held = held
        self._renew = renew
        self._seen = seen
        self._lock = threading.Lock()
        self._mine = threading.local()

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that a bundle will bring, in DER: the leaf first."""
        return self._current().chain

    @property
    def roots(self) -> bytes:
        """The root certificates that came with the chain, in PEM. No bundle brings them."""
        return (self._told() or self._current()).roots

    @property
    def public_key(self) -> PublicKey:
        """The key that signs, which the leaf certifies."""
        return self._current().key

    @property
    def verified_by(self) -> PublicKey:
        """The key under which what this thread signs next verifies. Files that changed are read anew here."""
        # Another thread may ask in between, and find a new key: this one signs with what it was told.
        held = self._mine.held = self._current()
        return held.key

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle v0.3 with the certificate chain.

        Raises:
            CertificateRefused: nobody would believe a signature by this certificate, or not today.
            SigningError, UnavailableError: as the signer of the key does.
        """
        held = self._told() or self._current()
        self._mine.held = None
        held.require_usable(datetime.now(UTC))
        made = Attestation.parse(held.signer.seal(payload, payload_type), limits=room_for(payload, DEFAULT))
        envelope = made.envelope
        if not isinstance(envelope, Envelope):
            raise SigningError(found="a Metablock", wanted="a DSSE envelope")
        return Bundle.of_certificates(envelope, held.chain)

    def _told(self) -> _Certified | None:
        """Give what this thread was told that it will sign with next."""
        told: _Certified | None = getattr(self._mine, "held", None)
        return told

    def _current(self) -> _Certified:
        """Give what to sign with: what is held, or what the files say by now."""
        if self._renew is None:
            return self._held
        with self._lock:
            seen = self._renew.marks()
            if seen != self._seen:
                try:
                    self._held = self._renew.read()
                except GlasswingError:
                    if not self._held.is_alive(datetime.now(UTC)):
                        raise
                else:
                    self._seen = seen
            return self._held


@dataclass(frozen=True, slots=True, kw_only=True)
class _Certified:
    """A signer, and the certificates of its key: the leaf and its intermediates in DER, the roots in PEM."""

    signer: Signer
    key: PublicKey
    chain: tuple[bytes, ...]
    roots: bytes

    @classmethod
    def of(cls, signer: Signer, pem: bytes) -> _Certified:
        try:
            certificates = x509.load_pem_x509_certificates(pem)
            leaf = PublicKey.of(certificates[0].public_key())
        except UNREADABLE as e:
            wanted, do = "certificates in PEM", "name the file of the leaf first, then those of who issued it"
            raise SigningError(where="certificates", because=str(e), wanted=wanted, do=do) from e
        DEFAULT.check("certificates", len(certificates), where="certificates")
        own = key_of(signer)
        if leaf.der != own.der:
            found, wanted = f"key {leaf.fingerprint[:16]}", f"key {own.fingerprint[:16]}"
            do = "put the certificate of the key that signs first"
            raise SigningError(where="certificates[0]", found=found, wanted=wanted, do=do)
        # A root says nothing in a bundle: only that of the verifier counts.
        roots = [number for number, each in enumerate(certificates) if number and is_self_signed(each)]
        chain = [number for number in range(len(certificates)) if number not in roots]
        _require_chain(certificates, chain, roots)
        return cls(
            signer=signer,
            key=own,
            chain=tuple(certificates[number].public_bytes(Encoding.DER) for number in chain),
            roots=b"".join(certificates[number].public_bytes(Encoding.PEM) for number in roots),
        )

    def is_alive(self, now: datetime) -> bool:
        return now <= x509.load_der_x509_certificate(self.chain[0]).not_valid_after_utc

    def require_usable(self, now: datetime) -> None:
        """Refuse to sign what nobody would believe."""
        try:
            leaf = Leaf.parse(self.chain[0], by_subject=True)
            require_certifiable(leaf, now=now)
            if self.roots:
                authorities = private_root("certificates", self.roots).authorities
                validate_path(leaf, self.chain[1:], authorities, now, private=True)
        except GlasswingError as e:
            raise CertificateRefused(
                where=e.where, because=e.because or e.says, found=e.found, wanted=e.wanted, do=e.do
            ) from e


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Where key and certificates lie, for whoever renews them to write anew."""

    signer: Signer | str | Path
    paths: tuple[Path, ...]

    def marks(self) -> tuple[object, ...]:
        """Give what changes when one of the files does."""
        keys = (Path(self.signer),) if isinstance(self.signer, str | Path) else ()
        return tuple(_mark(path) for path in (*keys, *self.paths))

    def read(self) -> _Certified:
        if not self.paths:
            raise UsageError(where="paths", found="nothing", wanted="the file of the certificates")
        read = [read_bounded(path, "policy_bytes", DEFAULT, error=SigningError) for path in self.paths]
        signer = KeySigner.from_file(self.signer) if isinstance(self.signer, str | Path) else self.signer
        return _Certified.of(signer, b"\n".join(read))


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _require_chain(certificates: Sequence[x509.Certificate], chain: Sequence[int], roots: Sequence[int]) -> None:
    for below, issuer in pairwise(chain):
        if (refused := _not_issued(certificates[below], certificates[issuer])) is not None:
            because = str(refused) or "the signature is another's"
            where = f"certificates[{issuer}]"
            raise SigningError(where=where, because=because, wanted="whoever issued the one before it") from refused
    top = certificates[chain[-1]]
    if roots and all(_not_issued(top, certificates[root]) is not None for root in roots):
        raise SigningError(
            where=f"certificates[{roots[0]}]",
            found=certificates[roots[0]].subject.rfc4514_string(),
            wanted=f"whoever issued certificates[{chain[-1]}]: {top.issuer.rfc4514_string()}",
        )


def _not_issued(below: x509.Certificate, issuer: x509.Certificate) -> Exception | None:
    try:
        below.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature) as e:
        return e
    return None


def require_certifiable(leaf: Leaf, *, now: datetime) -> None:
    """Refuse a certificate by which nobody would believe a signature that is made now.

    Raises:
        OutsideValidity: it is not valid now.
        CertificateUntrusted: it is its own authority, or not for signing code.
    """
    start, end = leaf.certificate.not_valid_before_utc, leaf.certificate.not_valid_after_utc
    if not start <= now <= end:
        wanted = f"from {format_time(start)} until {format_time(end)}"
        raise OutsideValidity(where="certificate", found=format_time(now), wanted=wanted, do="renew it")
    if is_self_signed(leaf.certificate):
        because, do = "it is signed by its own key, so that nobody stands for it", "sign with the key alone"
        raise CertificateUntrusted(where="certificate", because=because, do=do)
    require_usages(leaf)
