"""How large may untrusted input be?

Every bound stands here and nowhere else. A bound that is exceeded raises `LimitError`: the answer is undecided, never
yes. Figures follow sigstore-go (32 signatures and log entries, 1024 subjects, 32 digests) where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest.errors import LimitError

__all__ = ["DEFAULT", "Budget", "Limits"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds on untrusted input. Sizes are bytes, the rest are counts."""

    bundle_bytes: int = 16 * MIB
    statement_bytes: int = 4 * MIB
    policy_bytes: int = 4 * MIB
    record_bytes: int = 64 * MIB
    manifest_bytes: int = 2048 * MIB
    lock_bytes: int = 16 * MIB
    json_depth: int = 64
    json_values: int = 1_000_000
    number_digits: int = 400
    signatures: int = 32
    signature_checks: int = 2048
    signature_checks_in_all: int = 200_000
    log_entries: int = 32
    timestamps: int = 32
    certificates: int = 16
    answer_bytes: int = 4 * MIB
    token_bytes: int = 64 * 1024
    proof_hashes: int = 64
    proof_bytes: int = 64 * 1024
    subjects: int = 1024
    digests: int = 32
    dependencies: int = 10_000
    locked_files: int = 1_000
    evidence: int = 10_000
    evidence_bytes: int = 256 * MIB
    case_bytes: int = 1024 * MIB
    trusted_keys: int = 1024
    nodes: int = 10_000
    depth: int = 64
    candidates: int = 100_000
    steps: int = 1_000_000
    where_steps: int = 1_000_000
    where_steps_in_all: int = 20_000_000
    tree_files: int = 10_000_000
    tree_depth: int = 256
    name_bytes: int = 4096
    source_bytes: int = 4096 * MIB
    header_bytes: int = 100_000_000
    header_values: int = 2_000_000
    tensors: int = 1_000_000
    rows: int = 100_000_000
    row_bytes: int = 16 * MIB

    def check(self, name: str, value: int, *, where: str = "") -> None:
        """Raise `LimitError` when `value` exceeds the bound called `name`.

        >>> Limits().check("signatures", 32)
        >>> Limits(signatures=1).check("signatures", 2)
        Traceback (most recent call last):
            ...
        glasswing_attest.errors.LimitError: the input exceeds a limit, so nothing is decided: found 2, ...
        """
        bound: int = getattr(self, name)
        if value > bound:
            raise LimitError(where=where, found=value, wanted=f"at most {bound} ({name})")


@dataclass(slots=True, eq=False)
class Budget:
    """Work that is counted while it is done, against the bound called `name`."""

    limits: Limits
    name: str
    spent: int = 0

    def spend(self, count: int = 1, *, where: str = "") -> None:
        """Count so many more. Raises `LimitError` when that is too many."""
        self.spent += count
        self.limits.check(self.name, self.spent, where=where)

    @property
    def is_exceeded(self) -> bool:
        """Whether more was asked for than the bound allows: the whole is undecided then."""
        bound: int = getattr(self.limits, self.name)
        return self.spent > bound


DEFAULT = Limits()
