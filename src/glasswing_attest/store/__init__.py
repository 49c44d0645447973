"""WHERE ARE ATTESTATIONS FOUND? Stores, which are asked; and everything else, which is read: one untrusted pile."""

from glasswing_attest.store.directory import DirectoryStore
from glasswing_attest.store.memory import MemoryStore
from glasswing_attest.store.pile import Evidence, EvidenceSource, Pile, frozen, gather, little_of
from glasswing_attest.store.set_file import SetFileStore
from glasswing_attest.store.sidecar import SidecarStore
from glasswing_attest.store.store import Item, Store

__all__ = [
    "Store",
    "Item",
    "MemoryStore",
    "DirectoryStore",
    "SidecarStore",
    "SetFileStore",
    "Evidence",
    "EvidenceSource",
    "Pile",
    "frozen",
    "gather",
    "little_of",
]
