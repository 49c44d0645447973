"""Does this version of a dataset hold all files of that one, unchanged, and only add to them?

The leaves of the larger tree then stand in the order of the smaller one's, and the new ones follow, sorted among
themselves. So the larger tree begins with the smaller one, and whoever knows the smaller one's size and root can tell.
The order is kept as `Manifest.generations`: for each file, the version that brought it.

That a tree begins with another says nothing about names: a second leaf for a file that is there already could be added
behind, and a reader that takes the last one would get other bytes. So `extends` is asked of a manifest, in which a name
occurs once. A `ConsistencyProof` between two heads alone answers less.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, repeat

from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import head_of, in_leaf_order, leaf, leaf_hashes, leaf_order, place
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.merkle import TreeHead, head_of_hashes
from glasswing_attest.errors import NotExtended, UsageError, counted

__all__ = ["extending", "extends", "head_of_first", "parent_of"]


def extending(child: Manifest, parent: Manifest) -> Manifest:
    """Give `child` with its leaves in the order that shows what it adds to `parent`. This is the one to attest.

    Raises:
        NotExtended: a file of `parent` is missing in it, or is another one, or nothing was added.
        UsageError: one of them is of no tree, or does not know its sizes.
    """
    for manifest in (child, parent):
        leaf_order(manifest)  # refuses what is no tree
    latest = max(parent.generations, default=0) + 1
    before = zip(parent.files, parent.generations or repeat(0), strict=False)
    generations: list[int] = []
    entry, age = next(before)
    waiting: FileEntry | None = entry
    for other in child.files:
        if waiting is None or place(other) < place(waiting):
            generations.append(latest)
            continue
        _compare(waiting, other if other.name == waiting.name else None, "it is missing")
        generations.append(age)
        waiting, age = next(before, (None, latest))
    if waiting is not None:
        raise NotExtended(where=waiting.name, because="it is missing")
    if latest not in generations:
        raise NotExtended(where=child.name or child.kind, because="nothing was added")
    return replace(child, generations=tuple(generations))


def extends(old: Manifest | TreeHead, new: Manifest) -> TreeHead:
    """Give the head of `new`, now that it is known to begin with all of `old` and to hold no name twice.

    A manifest's leaves stand as `extending` ordered them, or as those of a first version. Of `old` the head will do, as
    a verified record tells it. A version extends itself: the size of what is given tells whether there is more.

    It is proved of `new` as it was handed over. Where nobody measured that here, compare the head that is given with
    the one that was signed.

    Raises:
        NotExtended: `new` does not begin with `old`.
        UsageError: one of them is of no tree, or does not know its sizes.
    """
    if isinstance(old, Manifest):
        leaves = in_leaf_order(new)
        for entry in in_leaf_order(old):
            _compare(entry, next(leaves, None), "there are fewer files")
    elif not isinstance(old, TreeHead):
        raise UsageError(where="old", found=type(old).__name__, wanted="a Manifest, or a TreeHead")
    elif old != head_of_first(new, old.size):
        because = f"its first {old.size} files are not those of the other"
        raise NotExtended(where=new.name or new.kind, because=because, wanted=old.root.hex())
    return head_of(new)


def head_of_first(manifest: Manifest, size: int) -> TreeHead:
    """Give the head of the tree of a manifest's first `size` leaves. Raises `NotExtended` where it has fewer."""
    leaves = in_leaf_order(manifest)
    if size > len(manifest.files):
        found = counted(len(manifest.files), "file")
        raise NotExtended(where=manifest.name or manifest.kind, found=found, wanted=f"{size} or more")
    return head_of_hashes(leaf_hashes(islice(leaves, size)))


def parent_of(manifest: Manifest) -> Manifest | None:
    """Give the manifest of the version that this one extends, or None where none is told."""
    latest = max(manifest.generations, default=0)
    if not latest:
        return None
    kept = [(f, n) for f, n in zip(manifest.files, manifest.generations, strict=True) if n < latest]
    parent = Manifest.of_tree(manifest.kind, (f for f, _ in kept), is_declared=manifest.is_declared)
    return replace(parent, generations=tuple(n for _, n in kept) if latest > 1 else ())


def _compare(entry: FileEntry, other: FileEntry | None, absent: str) -> None:
    if other is None:
        raise NotExtended(where=entry.name, because=absent)
    if leaf(other) != leaf(entry):
        because = "it is another file" if other.name == entry.name else "another file stands in its place"
        raise NotExtended(where=entry.name, because=because, found=other.line.strip(), wanted=entry.line.strip())
