"""What does a walked chain look like?

Nodes are things (model, dataset, code, …), runs and builders; edges say in which role a parent went into a child.
Every node has a state, and nothing is cut silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from glasswing_attest.findings import Finding

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
    """`parent` went into `child` in this role."""

    child: str
    parent: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The chain, root first, each node once."""

    root: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def node(self, identity: str) -> Node:
        """Give a node by its identity."""
        return next(n for n in self.nodes if n.identity == identity)

    def parents(self, identity: str) -> tuple[tuple[str, Node], ...]:
        """Give the parents of a node with their roles, in order."""
        nodes = {n.identity: n for n in self.nodes}
        return tuple((e.role, nodes[e.parent]) for e in self.edges if e.child == identity)
