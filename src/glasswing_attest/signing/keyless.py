"""How is it signed without a key that anybody keeps?

Sigstore's signing flow (sigstore/architecture-docs, client-spec.md, "Signing"): a new key, a certificate for some
minutes that an identity token pays for, signatures with that key, and for each of them stamps and log entries. The key
lives in memory, and signs as many statements as the certificate's life allows.

The certificate must be the one that was asked for before anything is signed with it: for this key, with the token's
issuer and name, below an authority of the trusted root, and promised to be published. Whatever is signed is proved by
the library's own engine under that root before anybody gets it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, Certificates, MessageSignature
from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae
from glasswing_attest.errors import (
    CertificateRefused,
    GlasswingError,
    SelfCheckFailed,
    ServiceUnavailable,
    TrustUnavailable,
    UsageError,
    shown,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.instance import Instance
from glasswing_attest.signing.services.fulcio import certify
from glasswing_attest.signing.services.http import Http, Patience
from glasswing_attest.signing.signer import room_for
from glasswing_attest.signing.tokens import AUDIENCE, IdentityTokens, Token
from glasswing_attest.signing.witness import SAME_INSTANCE, Witnesses, usable
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification import signature
from glasswing_attest.verification.certificate import Leaf, validate_path
from glasswing_attest.verification.identity import require_promises
from glasswing_attest.verification.procedure import prove_message

__all__ = ["SigstoreSigner"]

_AUTHORITIES = frozenset({1})
_LEAST_LEFT = timedelta(minutes=1)
"""A certificate that ends sooner is renewed: it must still be good when the witnesses have answered."""

_GOOD_FOR = timedelta(hours=24)
"""So long a fetched instance is used before it is fetched again: services move, and trust is withdrawn."""


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A key, and the certificate that says for some minutes whose it is."""

    key: ec.EllipticCurvePrivateKey
    leaf: Leaf
    root: Root
    witnesses: Witnesses
    ends: datetime

    def __repr__(self) -> str:
        return f"_Held({self.leaf.san})"

    def is_good(self, now: datetime) -> bool:
        return now + _LEAST_LEFT <= self.ends


class SigstoreSigner:
    """Signs with a certificate of a Sigstore instance. Threads share it.

    Args:
        tokens: where identity tokens come from.
        instance: where it is signed: an `Instance`, or a function that fetches one; the public instance by default,
            which is fetched when it is first needed.
        identity: the name that the certificate must have. By default it follows from the token, which says it for the
            issuers that Sigstore's public instance knows.
        patience: how long the services are waited for.
        now: tells the time.
        limits: the bounds on what the services answer.
    """

    __slots__ = ("_fetch", "_fetched", "_held", "_http", "_identity", "_limits", "_lock", "_now", "_token", "_tokens")

    def __init__(
        self,
        tokens: IdentityTokens,
        *,
        instance: Instance | Callable[[], Instance] | None = None,
        identity: str = "",
        patience: Patience | None = None,
        now: Callable[[], datetime] = _system_clock,
        limits: Limits = DEFAULT,
    ) -> None:
        if not isinstance(tokens, IdentityTokens):
            raise UsageError(where="tokens", found=type(tokens).__name__, wanted="IdentityTokens")
        self._tokens = tokens
        given: Any = instance if instance is not None else Instance.public_good
        if not (isinstance(given, Instance) or callable(given)):
            found, wanted = type(given).__name__, "an Instance, or a function that fetches one"
            raise UsageError(where="instance", found=found, wanted=wanted)
        self._fetch: Callable[[], Any] = (lambda: given) if isinstance(given, Instance) else given
        self._fetched: tuple[datetime, Instance] | None = None
        self._identity = identity
        self._http = Http(patience, limits=limits)
        self._now = now
        self._limits = limits
        self._lock = threading.RLock()
        self._token: Token | None = None
        self._held: _Held | None = None

    def __repr__(self) -> str:
        held = self._held
        who = "" if held is None else f", {shown(held.leaf.san)} by {shown(held.leaf.issuer)}"
        return f"SigstoreSigner({self._tokens!r}{who})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a signer holds a private key and is not pickled")

    @classmethod
    def ambient(cls, *, audience: str = AUDIENCE, **options: Any) -> SigstoreSigner:
        """Sign as what the platform says that this is: see `IdentityTokens.ambient`. Options are the class's."""
        return cls(IdentityTokens.ambient(audience=audience, patience=options.get("patience")), **options)

    @classmethod
    def from_token(cls, token: str, **options: Any) -> SigstoreSigner:
        """Sign as whom an identity token names, for as long as it lives. Options are the class's."""
        return cls(IdentityTokens.of(token), **options)

    @property
    def verified_by(self) -> Trust:
        """The trust under which everything that this signer signs verifies: the instance's root."""
        return Trust(roots=(self._where().root,))

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim, have it witnessed, and give a Sigstore bundle v0.3.

        Raises:
            IdentityTokenRefused, IdentityTokenExpired: no certificate without an identity.
            CertificateRefused: the authority gave another one than was asked for.
            WitnessMissing: a witness that the trust asks for cannot be had.
            ServiceRefused, UnavailableError: a service says no, or nothing that can be used.
        """
        held = self._ready()
        sig = held.key.sign(pae(payload_type, payload), ec.ECDSA(hashes.SHA256()))
        envelope = Envelope(payload=payload, payload_type=payload_type, signatures=(EnvelopeSignature(sig=sig),))
        bundle = Bundle(version="0.3", material=Certificates(chain=(held.leaf.der,)), content=envelope)
        made = Attestation.parse(bundle.to_json(), limits=room_for(payload, self._limits))
        (signed,) = signature.check(made, (), limits=self._limits)
        return held.witnesses.over(signed).to_json()

    def sign_artifact(self, sha256: bytes) -> bytes:
        """Sign an artifact by its SHA-256, without a statement, and give a Sigstore bundle v0.3 that was proved.

        Raises:
            UsageError: no SHA-256.
            SelfCheckFailed: what was signed does not verify under the instance's root.
            SigningError, UnavailableError: as `seal` does.
        """
        if not isinstance(sha256, bytes):
            raise UsageError(where="sha256", found=type(sha256).__name__, wanted="the 32 bytes of a SHA-256")
        if len(sha256) != hashes.SHA256.digest_size:
            raise UsageError(where="sha256", found=f"{len(sha256)} bytes", wanted="the 32 bytes of a SHA-256")
        held = self._ready()
        digest = ("sha256", sha256)
        made = held.key.sign(sha256, ec.ECDSA(Prehashed(hashes.SHA256())))
        message = MessageSignature(algorithm="SHA2_256", digest=sha256, signature=made)
        bundle = Bundle(version="0.3", material=Certificates(chain=(held.leaf.der,)), content=message)
        written = held.witnesses.over(signature.check_message(bundle, (), digest=digest)).to_json()
        try:
            again = Bundle.from_json(written, limits=self._limits)
            prove_message(again, Trust(roots=(held.root,)), digest=digest, limits=self._limits)
        except GlasswingError as e:
            raise SelfCheckFailed(because=str(e)) from e
        return written

    # --- what is held for some minutes

    def _where(self) -> Instance:
        with self._lock:
            now = self._now()
            if self._fetched is None or now - self._fetched[0] > _GOOD_FOR:
                self._fetched = (now, _instance(self._fetch))
            return self._fetched[1]

    def _ready(self) -> _Held:
        """Give a key whose certificate lives long enough. One thread gets it, and the others wait for it."""
        with self._lock:
            if self._held is None or not self._held.is_good(self._now()):
                self._held = None
                self._held = self._certified()
            return self._held

    def _certified(self) -> _Held:
        instance, now = self._where(), self._now()
        profile = instance.root.profile
        # What would prove nothing is refused before a certificate is asked for, and published.
        witnesses = Witnesses.chosen(
            instance.config,
            instance.root,
            now=now,
            logs=profile.logs,
            times=profile.times,
            stamps=profile.stamps,
            http=self._http,
            limits=self._limits,
        )
        authorities = usable(instance.config.authorities, _AUTHORITIES, now)
        if not authorities:
            wanted, do = "an authority to be used now, of version 1", "use the instance's current signing config"
            raise ServiceUnavailable(where="signing config: caUrls", found="none", wanted=wanted, do=do)
        token = self._fresh(now)
        key = ec.generate_private_key(ec.SECP256R1())
        chain = certify(self._http, authorities[0].url, key, token, limits=self._limits)
        leaf = _checked(chain[0], key, token, instance.root, self._identity, self._limits)
        return _Held(key=key, leaf=leaf, root=instance.root, witnesses=witnesses, ends=_end(leaf, now))

    def _fresh(self, now: datetime) -> Token:
        """Give a token that lives: the one that is there, or a fresh one of its source."""
        if self._token is None or now >= self._token.expires:
            self._token = None
            self._token = self._tokens.get()
            self._token.require_fresh(now)
        return self._token


def _end(leaf: Leaf, now: datetime) -> datetime:
    """Give when a certificate ends that was had at `now`, by a clock that may be late or early."""
    certificate = leaf.certificate
    end = certificate.not_valid_after_utc
    by_age = now + (end - certificate.not_valid_before_utc)
    # It is new: a clock by which it is over is wrong, and then only its age counts.
    return by_age if end <= now + _LEAST_LEFT else min(end, by_age)


def _instance(fetch: Callable[[], object]) -> Instance:
    try:
        found = fetch()
    except GlasswingError:
        raise
    except Exception as e:  # the caller's own code
        raise TrustUnavailable(where="instance", because=f"{type(e).__name__}: {e}") from e
    if not isinstance(found, Instance):
        raise UsageError(where="instance", found=type(found).__name__, wanted="a function that gives an Instance")
    return found


def _checked(
    der: bytes, key: ec.EllipticCurvePrivateKey, token: Token, root: Root, identity: str, limits: Limits
) -> Leaf:
    """Give the certificate if it is the one that was asked for."""
    try:
        leaf = Leaf.parse(der)
        starts = leaf.certificate.not_valid_before_utc
        # Without the authority's own intermediates: whoever verifies has those of the root alone.
        path = validate_path(leaf, (), root.authorities, starts)
        require_promises(path, root, limits)
    except GlasswingError as e:
        raise CertificateRefused(
            where=e.where,
            because=e.because or e.says,
            found=e.found,
            wanted=f"a certificate below root {root.name}",
            do=SAME_INSTANCE,
        ) from e
    if leaf.key.der != PublicKey.of(key.public_key()).der:
        raise CertificateRefused(
            where="certificate.key", found="another key", wanted="the key that was to be certified"
        )
    if leaf.issuer not in token.issuers:
        wanted = " or ".join(sorted(token.issuers))
        raise CertificateRefused(where="certificate.issuer", found=leaf.issuer, wanted=wanted)
    if not (leaf.san == identity if identity else token.may_be_called(leaf.san)):
        raise CertificateRefused(
            where="certificate.subjectAltName",
            found=leaf.san,
            wanted=identity or " or ".join(sorted(token.names)),
            do="" if identity else "if that is who signs, say so: identity=…",
        )
    return leaf
