"""Which stores are there, and what is put into them?"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.store import DirectoryStore, Item, MemoryStore, SetFileStore, SidecarStore, Store
from tests.chains import seal, sha256, signer, statement

TYPE = "https://example.com/checked/v1"


class Shelf:
    """The least that a user can write: a list, and everything is given to everybody."""

    def __init__(self) -> None:
        self.kept: dict[bytes, Item] = {}

    def add(self, attestation: Attestation) -> Item:
        return self.kept.setdefault(attestation.bytes, Item(data=attestation.bytes, origin="shelf"))

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        assert all(isinstance(digest, Digest) for digest in digests)
        return self.list()

    def list(self) -> Iterator[Item]:
        return iter(tuple(self.kept.values()))


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of store: how one is opened, and what is true of one that nobody added to."""

    name: str
    open: Callable[[Path], Store]
    is_shared: bool = True
    """Opening it twice gives the same attestations."""
    is_there: bool = True
    """It can be read before something was added."""
    gives_more: bool = False
    """It finds more than is asked for."""


KINDS = (
    Kind(name="memory", open=lambda folder: MemoryStore(), is_shared=False),
    Kind(name="directory", open=lambda folder: DirectoryStore(folder / "store"), is_there=False),
    Kind(name="sidecar", open=lambda folder: SidecarStore(folder / "model")),
    Kind(name="set file", open=lambda folder: SetFileStore(folder / "a.attestations"), is_there=False),
    Kind(name="user's", open=lambda folder: Shelf(), is_shared=False, gives_more=True),
)


def about(*names: str, nonce: int = 0, by: str = "trainer") -> Attestation:
    """An attestation about the files whose bytes are these names."""
    subjects = [{"name": name, "digest": {"sha256": sha256(name.encode())}} for name in names]
    return Attestation.parse(seal(statement(subjects, TYPE, {"nonce": nonce}), signer(by)))


def digest(name: str) -> Digest:
    return Digest("sha256", sha256(name.encode()))


def pretty(attestation: Attestation) -> Attestation:
    """The same, printed over many lines."""
    return Attestation.parse(json.dumps(json.loads(attestation.bytes), indent=2).encode())


def data_of(items: Iterable[Item]) -> list[bytes]:
    return sorted(item.data for item in items)
