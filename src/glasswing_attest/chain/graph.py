"""What does a walked chain look like?

Nodes are things (model, dataset, code, …), runs and builders; edges say in which role a parent went into a child.
Every node and every edge has a state, and nothing is cut silently.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from glasswing_attest.errors import UsageError
from glasswing_attest.findings import Finding
from glasswing_attest.statement.predicates.summary import SUMMARY_V1

__all__ = ["Edge", "Evidence", "Graph", "Node", "State"]


class State(StrEnum):
    """What the walk can say of a node."""

    VERIFIED = "verified"
    TRIMMED = "trimmed"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One attestation that a node rests on: which payload, of which type, signed by whom, by when, and what for.

    `requirement` is what the policy calls the requirement that it meets, by ``as``.
    """

    payload_sha256: str
    predicate_type: str
    label: str
    principal: str
    names: tuple[str, ...]
    signed_by: str
    requirement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A thing, a run or a builder, with what it rests on or why it does not stand."""

    identity: str
    kind: str
    name: str
    digests: tuple[str, ...]
    state: State
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`parent` went into `child` in this role.

    Its state is whether the child may rest on the parent: a parent that stands by itself may have been attested too
    late for this child, which the findings of the edge say then.
    """

    child: str
    parent: str
    role: str
    state: State = State.VERIFIED
    findings: tuple[Finding, ...] = ()


_Edges: TypeAlias = Mapping[str, tuple[Edge, ...]]


def _frozen(edges: Mapping[str, list[Edge]]) -> _Edges:
    return {identity: tuple(several) for identity, several in edges.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The chain, root first, each node once. Every answer takes no longer than it is long."""

    root: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    _nodes: Mapping[str, Node] = field(init=False, repr=False, compare=False)
    _ends: tuple[_Edges, _Edges] | None = field(init=False, repr=False, compare=False, default=None)
    """The edges by their children, and by their parents, once somebody asked for some: most verdicts never do."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_nodes", {n.identity: n for n in self.nodes})

    @property
    def _edges(self) -> tuple[_Edges, _Edges]:
        # Threads that ask for the first time together all find the same.
        found = self._ends
        if found is None:
            out: dict[str, list[Edge]] = {}
            into: dict[str, list[Edge]] = {}
            for edge in self.edges:
                out.setdefault(edge.child, []).append(edge)
                into.setdefault(edge.parent, []).append(edge)
            found = (_frozen(out), _frozen(into))
            object.__setattr__(self, "_ends", found)
        return found

    def node(self, identity: str) -> Node:
        """Give a node by its identity. Raises `UsageError` where there is none."""
        try:
            return self._nodes[identity]
        except KeyError:
            raise UsageError(where="graph", found=identity, wanted="the identity of one of its nodes") from None

    def inputs(self, identity: str) -> tuple[Edge, ...]:
        """Give the edges from a node to what went into it, in order."""
        return self._edges[0].get(identity, ())

    def uses(self, identity: str) -> tuple[Edge, ...]:
        """Give the edges from a node to what it went into, in order."""
        return self._edges[1].get(identity, ())

    def parents(self, identity: str) -> tuple[tuple[str, Node], ...]:
        """Give the parents of a node with their roles, in order."""
        return tuple((e.role, self._nodes[e.parent]) for e in self.inputs(identity))

    def children(self, identity: str) -> tuple[tuple[str, Node], ...]:
        """Give what a node went into, with the roles in which it did, in order."""
        return tuple((e.role, self._nodes[e.child]) for e in self.uses(identity))

    def is_summarised(self, identity: str) -> bool:
        """Tell whether verification summaries alone stand for a thing: below it somebody else looked, and nobody here.

        A commit is made from nothing, so that a summary of it stands for the commit alone.
        """
        node = self.node(identity)
        types = {evidence.predicate_type for evidence in node.evidence}
        return node.kind != "code" and types == {SUMMARY_V1} and not self.inputs(identity)

    def path(self, identity: str) -> tuple[Node, ...]:
        """Give the shortest way from the root to a node, both included. Raises `UsageError` where there is none."""
        self.node(identity)
        came: dict[str, str] = {self.root: ""}
        queue = deque([self.root])
        while queue and identity not in came:
            here = queue.popleft()
            for edge in self.inputs(here):
                if edge.parent not in came:
                    came[edge.parent] = here
                    queue.append(edge.parent)
        if identity not in came:
            raise UsageError(where="graph", found=identity, wanted="a node that the root rests on")
        way = [identity]
        while came[way[-1]]:
            way.append(came[way[-1]])
        return tuple(self._nodes[step] for step in reversed(way))

    def breaks(self) -> tuple[Node, ...]:
        """Give the nodes at which the chain breaks. What stands above them breaks for the same reason."""
        has = {n.identity: set(n.findings) for n in self.nodes}
        for run in (n.identity for n in self.nodes if n.kind == "run"):
            # It stands between two things, and has no findings of its own: it carries those of what went into it.
            has[run] = {f for e in self.inputs(run) for f in self._nodes[e.parent].findings}
        first: dict[Finding, list[Node]] = {}
        anywhere: dict[Finding, Node] = {}
        for node in self.nodes:
            for finding in node.findings:
                anywhere.setdefault(finding, node)
                here = first.setdefault(finding, [])
                if not any(finding in has[e.parent] for e in self.inputs(node.identity)):
                    here.append(node)
        # Around a cycle, each stands above the others: the one that the root comes to first is told.
        told = (node for finding, nodes in first.items() for node in nodes or [anywhere[finding]])
        return tuple({node.identity: node for node in told}.values())

    def trace(self, finding: Finding) -> tuple[Node, ...]:
        """Give the way from the root to where a finding was made; nothing for one that is about no node."""
        for node in self.breaks():
            if any(_is_same(finding, other) for other in node.findings):
                return self.path(node.identity)
        return ()


def _is_same(one: Finding, other: Finding) -> bool:
    # A report adds to what was found where it looked for evidence.
    return (one.code, one.subject, one.rule, one.wanted) == (other.code, other.subject, other.rule, other.wanted)
