"""How does a key that lives for years get a trusted time?

By itself a signature by a key does not tell when it was made. Witnesses do: an entry in a transparency log, as the
SigningConfig chooses (Rekor v1: an envelope with the key as its verifier; v2: a record of it), and RFC 3161 stamps. A
verifier asks for them in the trust file: ``keys: … witness:`` for a key, the profile of its root for a certificate.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NoReturn

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.certificate import CertificateSigner
from glasswing_attest.signing.instance import Instance
from glasswing_attest.signing.services.http import Http, Patience
from glasswing_attest.signing.signer import Signer, key_of, room_for
from glasswing_attest.signing.witness import Witnesses
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification import signature

__all__ = ["WitnessedSigner"]


def _system_clock() -> datetime:
    return datetime.now(UTC)


class WitnessedSigner:
    """Signs with another signer's key, and has logs and clocks witness each signature. Threads share it.

    What it makes is proved under the instance's root as a trust file would name it: with as many witnesses of it.

    Args:
        signer: who signs: a `KeySigner`, or a `CertificateSigner` whose chain brings its root.
        instance: whose logs and clocks are asked, and by which root they are believed. No certificate is asked for.
        logs: in how many logs of distinct operators it must stand.
        times: how many distinct witnesses must tell the time; a log of version 1 is one.
        patience: how long the services are waited for.
        now: tells the time.
        limits: the bounds on what the services answer.

    Raises:
        UsageError: not one time is asked for, or the signer is neither of these.
        TrustRefused: the instance's root has not so many witnesses.
    """

    __slots__ = ("_http", "_instance", "_limits", "_logs", "_now", "_signer", "_times")

    def __init__(
        self,
        signer: Signer,
        instance: Instance,
        *,
        logs: int = 1,
        times: int = 1,
        patience: Patience | None = None,
        now: Callable[[], datetime] = _system_clock,
        limits: Limits = DEFAULT,
    ) -> None:
        if not isinstance(instance, Instance):
            raise UsageError(where="instance", found=type(instance).__name__, wanted="an Instance")
        asked: tuple[tuple[str, object, int], ...] = (("logs", logs, 0), ("times", times, 1))
        for name, number, least in asked:
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                raise UsageError(where=name, found=number, wanted=f"at least {least}")
        self._signer = signer
        self._instance = instance
        self._logs = logs
        self._times = times
        self._http = Http(patience, limits=limits)
        self._now = now
        self._limits = limits
        # What no root could prove is refused before anything is signed.
        _ = self.verified_by

    def __repr__(self) -> str:
        return f"WitnessedSigner({self._signer!r}, {self._instance.root!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signer holds a private key and is not pickled")

    @property
    def signer(self) -> Signer:
        """Who signs."""
        return self._signer

    @property
    def verified_by(self) -> Trust:
        """The trust under which everything that this signer signs verifies: its key or authority, and the witnesses."""
        root = self._instance.root
        if isinstance(self._signer, CertificateSigner):
            _ = self._signer.verified_by  # from here on, this thread signs with what it holds now
            if not self._signer.roots:
                wanted = "the authority's root certificate among them, by which the signature is proved"
                raise UsageError(where="certificates", found="no root", wanted=wanted)
            profile = Profile(scts=0, logs=self._logs, times=self._times, private=True)
            return Trust(roots=(private_root("authority", self._signer.roots, profile=profile, witnesses=root),))
        witness = Witness(root=root.name, logs=self._logs, times=self._times)
        own = TrustedKey(name="signer", key=key_of(self._signer), witness=witness)
        return Trust(keys=(own,), roots=(root,))

    def seal(self, payload: bytes, payload_type: str) -> bytes:
        """Sign the payload verbatim, have it witnessed, and give a Sigstore bundle v0.3.

        Raises:
            WitnessMissing: the signing config names too few logs or clocks that are to be used now.
            KeyUnsupported: a log does not take such a key.
            SigningError, UnavailableError: as the signer does; a service says no, or nothing that can be used.
        """
        # First of all: without enough witnesses nothing is signed.
        witnesses = Witnesses.chosen(
            self._instance.config,
            self._instance.root,
            now=self._now(),
            logs=self._logs,
            times=self._times,
            http=self._http,
            limits=self._limits,
        )
        made = Attestation.parse(self._signer.seal(payload, payload_type), limits=room_for(payload, self._limits))
        keys = () if isinstance(self._signer, CertificateSigner) else (key_of(self._signer),)
        (signed,) = signature.check(made, keys, by_subject=True, limits=self._limits)
        return witnesses.over(signed).to_json()
