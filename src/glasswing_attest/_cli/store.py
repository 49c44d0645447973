"""``store``: what is kept, and what of it is about this?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from glasswing_attest._cli.exits import NO, YES
from glasswing_attest._cli.output import Output
from glasswing_attest.errors import GlasswingError, UsageError, shown

if TYPE_CHECKING:
    from glasswing_attest.store import DirectoryStore, Item

__all__ = ["DESCRIPTION", "EPILOG", "HELP", "add_arguments", "run"]

_WHOLE = 1 << 16  # characters: a path is there to be copied

HELP = "keep attestations in a directory, and find them by digest"
DESCRIPTION = """\
Keep attestations in the directory DIR, one file each, called by their content.

  add DIR FILE...      keep what the files hold: bundles, envelopes, JSON lines, sets, directories of these
  find DIR DIGEST...   list what is about a thing with one of these digests (algorithm:hex)
  list DIR             list everything
  index DIR            enter by their subjects what was put there by other means, so that it is found

Nothing is verified: no signature is checked, and anybody may have written what is kept. `verify --evidence DIR` asks
the store about the artifact and its ancestors alone.
"""
EPILOG = """\
examples:
  glasswing-attest store add evidence/ model.attestations.jsonl
  glasswing-attest store find evidence/ $(glasswing-attest digest model/ | cut -d' ' -f1)
  glasswing-attest verify --policy policy.yaml --trust trust.yaml --evidence evidence/ model/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", metavar="add|find|list|index", choices=tuple(_ACTIONS))
    parser.add_argument("directory", metavar="DIR", help="the store; the first `add` makes it")
    parser.add_argument("things", metavar="FILE|DIGEST", nargs="*", help="what to add, or the digests to find")


def run(args: argparse.Namespace, output: Output) -> int:
    """Do what was asked. Nothing to add and nothing found is a no."""
    from glasswing_attest.store import DirectoryStore

    if bool(args.things) is (args.action in ("list", "index")):
        wanted = {"add": "FILE...", "find": "DIGEST..."}.get(args.action, "nothing")
        found = " ".join(args.things) or "nothing"
        raise UsageError(where=f"store {args.action}", found=found, wanted=f"{wanted} after DIR")
    return _ACTIONS[args.action](DirectoryStore(args.directory), args.things, output)


def _add(store: DirectoryStore, files: list[str], output: Output) -> int:
    """Keep everything, or nothing: what is no attestation is told before the first is kept."""
    from glasswing_attest import formats
    from glasswing_attest.store import gather

    attestations = []
    for item in gather(tuple(files)):
        try:
            attestations.append(formats.parse(item.data))
        except GlasswingError as e:
            e.where = f"{item.origin}: {e.where}".removesuffix(": ")
            raise
    return _tell([store.add(each) for each in attestations], output)


def _find(store: DirectoryStore, digests: list[str], output: Output) -> int:
    from glasswing_attest.artifact.digest import Digest
    from glasswing_attest.errors import DigestRefused

    try:
        wanted = [Digest.parse(text) for text in digests]
    except DigestRefused as e:
        raise UsageError(where="store find", found=e.found, wanted=e.wanted, because=e.says) from e
    return _tell(store.find(wanted), output)


def _list(store: DirectoryStore, _things: list[str], output: Output) -> int:
    return _tell(store.list(), output)


def _index(store: DirectoryStore, _things: list[str], output: Output) -> int:
    count = store.reindex()
    output.result("" if output.quiet else f"entered: {count} attestations\n", {"entered": count})
    return YES


_ACTIONS: Mapping[str, Callable[[DirectoryStore, list[str], Output], int]] = {
    "add": _add,
    "find": _find,
    "list": _list,
    "index": _index,
}


def _tell(items: Iterable[Item], output: Output) -> int:
    """Say where each lies, and what it says of itself. What nobody can read is told as well."""
    told = [_item(item) for item in items]
    output.result(
        "" if output.quiet else "".join(f"{_line(each)}\n" for each in told), {"verified": False, "items": told}
    )
    if not told:
        output.note("nothing: there is no such attestation")
    return YES if told else NO


def _item(item: Item) -> dict[str, Any]:
    from glasswing_attest.attestation import Attestation

    try:
        said = Attestation.parse(item.data).statement_unverified
    except GlasswingError as e:
        return {"path": item.origin, "error": e.to_dict()}
    subjects = [{"name": s.name, "digest": s.digest.to_dict()} for s in said.subjects]
    return {"path": item.origin, "predicateType": said.predicate_type, "subjects": subjects}


def _line(told: Mapping[str, Any]) -> str:
    if "error" in told:
        return f"{shown(told['path'], _WHOLE)}  unreadable: {told['error']['message']}"
    first, *more = (shown(s["name"]) or "a thing without a name" for s in told["subjects"])
    others = f" and {len(more)} more" if more else ""
    return f"{shown(told['path'], _WHOLE)}  {shown(told['predicateType'])}  {first}{others}"
