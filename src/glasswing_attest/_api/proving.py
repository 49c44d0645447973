"""What does one item prove? A verifier finds it out once, and remembers it.

What `procedure.prove` gives follows from the item's bytes, the trust, the limits, and from which of the trusted keys'
and logs' windows are open at the time at which claimed times count. Trust and limits are the prover's own and frozen;
bytes and windows are what a proof is remembered by. Nothing else is remembered: no refusal, since a proof alone is
worth having again; and nothing that changes by itself, so that revocation, a second opinion and the policy judge every
proof anew. Nor what was read: the verified bytes are parsed for each use, since a predicate's reader, or whoever was
handed its predicate in a report, may have changed the lists and objects in it.

The signature checks that a proof took once are counted whenever it is used: no limit moves with what is remembered.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from glasswing_attest.attestation import Attestation
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement, read_again
from glasswing_attest.verification.procedure import prove

__all__ = ["Prover"]

_Key: TypeAlias = tuple[bytes, tuple[bool, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    proved: tuple[VerifiedStatement, ...]
    checks: int


class Prover:
    """Proves attestations under one trust and one set of limits. Threads share it."""

    def __init__(self, trust: Trust, limits: Limits) -> None:
        self.trust = trust
        self.limits = limits
        self._lock = threading.Lock()
        self._known: dict[_Key, _Known] = {}
        self._size = 0

    def __reduce__(self) -> tuple[type[Prover], tuple[Trust, Limits]]:
        # Proofs are never pickled or copied: a copy finds out for itself.
        return Prover, (self.trust, self.limits)

    def prove(
        self, attestation: Attestation, *, claimed_at: datetime | None, budget: Budget
    ) -> tuple[VerifiedStatement, ...]:
        """Prove an attestation, as `procedure.prove` does. Raises what it raises."""
        key = (attestation.bytes, None if claimed_at is None else self._open(claimed_at))
        with self._lock:
            known = self._known.get(key)
        if known is not None:
            budget.spend(known.checks, where="signatures")
            return tuple(read_again(each, limits=self.limits) for each in known.proved)
        before = budget.spent
        proved = prove(attestation, self.trust, claimed_at=claimed_at, limits=self.limits, budget=budget)
        self._keep(key, _Known(proved=proved, checks=budget.spent - before))
        return proved

    def _open(self, time: datetime) -> tuple[bool, ...]:
        """Tell which windows of keys and logs contain a time: all that a claimed one is held against."""
        logs = (log.window.contains(time) for root in self.trust.roots for log in root.logs)
        return (*(key.covers(time) for key in self.trust.keys), *logs)

    def _keep(self, key: _Key, known: _Known) -> None:
        """Remember a proof, and forget the oldest where there are more than the pile of one verification may hold."""
        with self._lock:
            if key not in self._known:
                self._known[key] = known
                self._size += len(key[0])
            while len(self._known) > self.limits.evidence or self._size > self.limits.evidence_bytes:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._size -= len(oldest[0])
