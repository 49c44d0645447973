"""Does the signature stand in logs that we believe?

Each entry must be about this very signature (`entry`), its leaf must stand in the tree whose root a trusted log signed
(`merkle`, `note`), and a Rekor v1 promise must be signed by that log. A log counts once, by its operator, however many
entries it gives. Entries of unknown logs count for nothing; an entry that names a trusted log and does not hold is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime

from glasswing_attest._wire import SAFE_INTEGER, encode_base64
from glasswing_attest.bundle import LogEntry
from glasswing_attest.errors import FieldRefused, GlasswingError, NotLogged, SignatureInvalid, UnsupportedError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.sigstore import Log
from glasswing_attest.verification.entry import check_body, is_v1
from glasswing_attest.verification.merkle import inclusion_root, leaf_hash
from glasswing_attest.verification.note import Checkpoint, Note
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["LogPosition", "LoggedSignature", "VerifiedEntry", "check"]

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class LogPosition:
    """A place in a log: index and tree mean something only together, and a log may have had several trees.

    Attributes:
        log: the log's id, in hex.
        tree: the origin that the log's checkpoint tells.
        index: the index of the entry in that tree.
    """

    log: str
    tree: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEntry:
    """A log that holds the signature, where in it, if that is proved, and the time that it promised, if any."""

    log: Log
    position: LogPosition | None
    integrated: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedSignature(Proof):
    """The signature, and the entries that prove where it is logged; none where no log was asked for."""

    signed: SignedPayload
    entries: tuple[VerifiedEntry, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


def check(
    signed: SignedPayload, logs: Iterable[Log] | None, *, at_least: int, limits: Limits = DEFAULT
) -> LoggedSignature:
    """Prove the signature's log entries. With `logs` None nobody asked for one: entries are not read.

    Raises:
        NotLogged: fewer than `at_least` distinct operators hold it, or an entry does not prove what it says.
        MalformedError, UnsupportedError, SignatureInvalid: an entry of a trusted log cannot be read or does not hold.
    """
    if logs is None:
        return LoggedSignature(signed=signed, entries=(), seal=_SEAL)
    by_id = {log.log_id: log for log in logs}
    entries = () if signed.bundle is None else signed.bundle.log_entries
    if len({(e.log_id, e.canonicalized_body) for e in entries}) != len(entries):
        raise NotLogged(where="tlogEntries", because="the same entry stands there twice")
    found: list[VerifiedEntry] = []
    unknown: GlasswingError | None = None
    for entry in entries:
        log = by_id.get(entry.log_id)
        if log is None:
            unknown = unknown or NotLogged(
                where="tlogEntries", found=f"log {entry.log_id.hex()[:16]}", wanted="a trusted log"
            )
            continue
        found.append(_check_entry(entry, signed, log, limits))
    operators = {e.log.operator for e in found}
    if len(operators) < at_least:
        if unknown is not None and not found:
            raise unknown
        raise NotLogged(
            where="tlogEntries", found=f"{len(operators)} logs", wanted=f"at least {at_least} distinct ones"
        )
    return LoggedSignature(signed=signed, entries=tuple(found), seal=_SEAL)


def _check_entry(entry: LogEntry, signed: SignedPayload, log: Log, limits: Limits) -> VerifiedEntry:
    v1 = is_v1(entry)
    version = "0.3" if signed.bundle is None else signed.bundle.version
    if not v1 and (entry.kind, entry.version) != ("hashedrekord", "0.0.2"):
        raise UnsupportedError(where="tlogEntries.kindVersion", found=f"{entry.kind} {entry.version}")
    if entry.inclusion_proof is None and (not v1 or version != "0.1" or entry.inclusion_promise is None):
        # Sigstore bundle v0.2 and later: the inclusion proof is required; v0.1 may have the promise alone.
        raise NotLogged(where="tlogEntries.inclusionProof", because="the entry has no inclusion proof")
    if version == "0.1" and entry.inclusion_promise is None:
        raise NotLogged(where="tlogEntries.inclusionPromise", because="a bundle v0.1 needs the log's promise")
    position = None if entry.inclusion_proof is None else _check_inclusion(entry, log, limits)
    if v1:
        integrated = _check_promise(entry, log)
    else:
        integrated = None
        _require_no_promise(entry)
    check_body(entry, signed, limits=limits)
    return VerifiedEntry(log=log, position=position, integrated=integrated)


def _check_inclusion(entry: LogEntry, log: Log, limits: Limits) -> LogPosition:
    proof = entry.inclusion_proof
    if proof is None or not proof.checkpoint:
        raise NotLogged(where="inclusionProof.checkpoint", because="the proof has no checkpoint")
    note = Note.parse(proof.checkpoint, where="inclusionProof.checkpoint", limits=limits)
    note.signed_by(log.key, log.key_hashes)
    signed_tree = Checkpoint.parse(note.text, where="inclusionProof.checkpoint")
    # Size and root mean something only together: both come from what the log signed.
    if proof.tree_size != signed_tree.size or (proof.root_hash and proof.root_hash != signed_tree.root):
        found = f"tree size {proof.tree_size}, root {proof.root_hash.hex()[:16]}"
        wanted = f"tree size {signed_tree.size}, root {signed_tree.root.hex()[:16]}, as the checkpoint says"
        raise NotLogged(where="inclusionProof", found=found, wanted=wanted)
    root = inclusion_root(
        leaf_hash(entry.canonicalized_body), index=proof.log_index, size=proof.tree_size, proof=proof.hashes
    )
    if root != signed_tree.root:
        raise NotLogged(where="inclusionProof.rootHash", because="the entry is not in the tree that the log signed")
    return LogPosition(log=log.log_id.hex(), tree=signed_tree.origin, index=proof.log_index)


def _check_promise(entry: LogEntry, log: Log) -> datetime | None:
    """Check a Rekor v1 signed entry timestamp, which alone binds the time of integration.

    The log signs four members in the canonical form of RFC 8785: in order, and no integer that a double would lose.
    """
    if entry.inclusion_promise is None:
        if entry.integrated_time:
            raise NotLogged(
                where="tlogEntries.integratedTime", because="a time of integration that the log does not promise"
            )
        return None
    promised = b'{"body":"%b","integratedTime":%d,"logID":"%b","logIndex":%d}' % (
        encode_base64(entry.canonicalized_body).encode("ascii"),
        entry.integrated_time,
        entry.log_id.hex().encode("ascii"),
        entry.log_index,
    )
    try:
        if max(entry.integrated_time, entry.log_index) > SAFE_INTEGER:
            raise ValueError("an integer that the canonical form does not hold")
        log.key.check(entry.inclusion_promise, promised)
        time = datetime.fromtimestamp(entry.integrated_time, tz=UTC)
    except SignatureInvalid as e:
        raise SignatureInvalid(
            where="tlogEntries.inclusionPromise", because="the log did not promise this entry"
        ) from e
    except (ValueError, OverflowError, OSError) as e:
        raise FieldRefused(where="tlogEntries.integratedTime", found=entry.integrated_time, wanted="a time") from e
    return time


def _require_no_promise(entry: LogEntry) -> None:
    if entry.inclusion_promise is not None or entry.integrated_time:
        # Rekor v2 signs neither; whoever put them there hopes that somebody believes them.
        raise NotLogged(where="tlogEntries.integratedTime", because="Rekor v2 gives no time and no promise")
