"""What of a chain is shown by itself, and what is said of the rest?

A chain of ten thousand nodes is read by nobody. An outline keeps the nodes that a reader needs, from the root on and
what is broken first, and folds the others: siblings that look alike are one `Fold`, which says how many there are, of
which kind and state, and what lies below them that is shown nowhere else. Nothing goes uncounted. Text, page and
picture are drawn from the same outline.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glasswing_attest.errors import shown

__all__ = ["MARKS", "Branch", "Fold", "Outline", "outline"]

MARKS = {"verified": "✓", "trimmed": "✂", "missing": "?", "failed": "✗"}
_WORDS = {"trimmed": "cut away by the policy", "missing": "not attested", "failed": "not accepted"}
_BROKEN = ("missing", "failed")
_ALIKE = 5
"""More siblings that look alike are folded: an environment has hundreds of packages."""
_NAMED = 3
"""So many of a fold are named; and so many of those that are not accepted are shown before the others are folded."""
_NAME = 40
_REASON = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Siblings that look alike, told together.

    Attributes:
        state, kind, word: how each of them looks.
        members: who they are.
        names: what the first of them are called, and that there are more.
        below: how many nodes of which state and kind lie below them, and are shown and counted nowhere else.
    """

    state: str
    kind: str
    word: str
    members: tuple[str, ...]
    names: str
    below: tuple[tuple[str, str, int], ...]

    def __str__(self) -> str:
        text = f"{len(self.members)} of kind {shown(self.kind)}, each {self.word or self.state}: {self.names}"
        return f"{text}; {self.rest}" if self.below else text

    @property
    def rest(self) -> str:
        """Say what lies below, or nothing."""
        told = ", ".join(f"{count} {shown(kind)} {state}" for state, kind, count in self.below)
        return f"below them: {told}" if told else ""


Branch = Mapping[str, Any] | Fold
"""An edge to a node that is shown by itself, or a fold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What is shown of a chain.

    Attributes:
        root: the artifact's node.
        nodes: all of them, by their identities.
        breaks: those at which the chain breaks.
        branches: what is shown by itself, in the order in which it was chosen, and what each rests on.
    """

    root: str
    nodes: Mapping[str, Mapping[str, Any]]
    breaks: frozenset[str]
    branches: Mapping[str, tuple[Branch, ...]]

    @property
    def hidden(self) -> int:
        """How many nodes are not shown by themselves."""
        return len(self.nodes) - len(self.branches)

    def word(self, identity: str, edge: Mapping[str, Any] | None = None) -> str:
        """Say in a few words why a node is not verified, or why it is not good enough for what the edge leads from."""
        return _word(self.nodes[identity], edge, self.breaks)


def outline(graph: Mapping[str, Any], *, most: int | None, deepest: int | None = None) -> Outline:
    """Choose what is shown of ``graph`` in a report's JSON.

    So many nodes at most are shown by themselves, and none that is further from the root than `deepest`; None sets no
    bound, and where `most` is None nothing is folded either.
    """
    return _Drawn(graph).outline(most, deepest)


def _word(node: Mapping[str, Any], edge: Mapping[str, Any] | None, breaks: frozenset[str]) -> str:
    if edge is not None and edge["findings"]:
        return f"{_WORDS['failed']} for this: {shown(edge['findings'][0]['code'])}"
    state = node["state"]
    if state == "trimmed":
        return f"{_WORDS[state]} ({shown(node['reason'], _REASON)})"
    if state not in _BROKEN:
        return ""
    codes = [finding["code"] for finding in node["findings"]]
    if "chain.no-rule" in codes and state == "missing":
        return "the policy has no rule for it"
    # What stands above a broken link is not where it breaks.
    if node["identity"] not in breaks:
        return f"{_WORDS[state]}: see below"
    return ": ".join((_WORDS[state], *(shown(code) for code in codes if code != "chain.no-attestation")))


class _Drawn:
    """A chain while its outline is drawn."""

    def __init__(self, graph: Mapping[str, Any]) -> None:
        self._root: str = graph["root"]
        self._nodes = {node["identity"]: node for node in graph["nodes"]}
        self._breaks = frozenset(graph["breaks"])
        self._trace = frozenset(graph["trace"])
        self._edges: dict[str, list[Mapping[str, Any]]] = {}
        for edge in {(e["child"], e["parent"]): e for e in graph["edges"]}.values():
            self._edges.setdefault(edge["child"], []).append(edge)

    def outline(self, most: int | None, deepest: int | None) -> Outline:
        kept = self._chosen(most, deepest)
        # What stands in a fold by its own name is not counted below another.
        seen = {*kept, *(edge["parent"] for identity in kept for edge in self._edges.get(identity, ()))}
        branches = {identity: tuple(self._branches(identity, kept, seen)) for identity in kept}
        return Outline(root=self._root, nodes=self._nodes, breaks=self._breaks, branches=branches)

    def _chosen(self, most: int | None, deepest: int | None) -> dict[str, None]:
        """Choose from the root on: the way to the cause first, then what is broken, then the rest, nearest first."""
        kept: dict[str, None] = {}
        waiting = [(0, 0, 0, self._root)]
        met = {self._root}
        while waiting and (most is None or len(kept) < most):
            _, depth, _, identity = heapq.heappop(waiting)
            kept[identity] = None
            if deepest is not None and depth >= deepest:
                continue
            edges = self._edges.get(identity, ())
            for edge in edges if most is None else self._unfolded(edges):
                parent = edge["parent"]
                if parent not in met:
                    met.add(parent)
                    broken = self._nodes[parent]["state"] in _BROKEN
                    rank = 0 if parent in self._trace else 1 if broken else 2
                    heapq.heappush(waiting, (rank, depth + 1, len(met), parent))
        return kept

    def _unfolded(self, edges: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Give the edges that are not folded in any case."""
        for alike in self._alike(edges).values():
            if len(alike) <= _ALIKE:
                yield from alike
            elif alike[0]["state"] == "failed":
                # Of those that are not accepted a few are shown, with all that lies below: there it breaks.
                first = sorted(alike, key=lambda edge: edge["parent"] not in self._trace)[:_NAMED]
                yield from (edge for edge in first if edge["parent"] in self._edges)

    def _alike(self, edges: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
        """Give the edges by how what they lead to looks."""
        found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        for edge in edges:
            node = self._nodes[edge["parent"]]
            look = (edge["state"], node["kind"], _word(node, edge, self._breaks))
            found.setdefault(look, []).append(edge)
        return found

    def _branches(self, identity: str, kept: Mapping[str, None], seen: set[str]) -> Iterator[Branch]:
        """Give what a node rests on, in order: each fold stands where the first of it does."""
        edges = self._edges.get(identity, ())
        folds: dict[str, Fold] = {}
        for (state, kind, word), alike in self._alike(e for e in edges if e["parent"] not in kept).items():
            members = tuple(edge["parent"] for edge in alike)
            names = [shown(self._nodes[member].get("name", ""), _NAME) for member in members[:_NAMED]]
            folds[members[0]] = Fold(
                state=state,
                kind=kind,
                word=word,
                members=members,
                names=", ".join((*names, *(["…"] if len(members) > _NAMED else []))),
                below=tuple(self._below(members, seen)),
            )
        for edge in edges:
            if edge["parent"] in kept:
                yield edge
            elif edge["parent"] in folds:
                yield folds[edge["parent"]]

    def _below(self, members: Iterable[str], seen: set[str]) -> Iterator[tuple[str, str, int]]:
        """Count what lies below, each node once in the whole outline."""
        found: Counter[tuple[str, str]] = Counter()
        left = list(members)
        while left:
            for edge in self._edges.get(left.pop(), ()):
                parent = edge["parent"]
                if parent not in seen:
                    seen.add(parent)
                    left.append(parent)
                    found[self._nodes[parent]["state"], self._nodes[parent]["kind"]] += 1
        order = (*_BROKEN, "trimmed", "verified")
        for (state, kind), count in sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1])):
            yield state, kind, count
