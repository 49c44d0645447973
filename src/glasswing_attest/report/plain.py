"""How is a chain told as plain data, with the reason of every node and every edge?

``graph`` of the report's JSON, as ``report.schema.json`` describes it. A reason is a sentence for people; the codes of
the findings, the states and the rules (paths in the policy) are for machines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from glasswing_attest._wire import format_time
from glasswing_attest.chain.graph import Edge, Graph, Node, State
from glasswing_attest.findings import Finding
from glasswing_attest.policy.policy import Policy

__all__ = ["chain_of", "plain"]

_RUNS = {
    State.VERIFIED: "signed by whom the policy asks for, and everything that it was made from stands",
    State.FAILED: "signed by whom the policy asks for, but not everything that it was made from stands",
}
_INPUTS = {
    State.VERIFIED: "it stands",
    State.TRIMMED: "the policy cuts it away",
    State.MISSING: "it is not attested",
    State.FAILED: "it is not accepted",
}


def chain_of(graph: Graph, policy: Policy, cause: Finding | None) -> dict[str, Any]:
    """Give a chain as plain data. `cause` is why the report says no, or None."""
    breaks = tuple(node.identity for node in graph.breaks())
    broken = frozenset(breaks)
    nodes = []
    for node in graph.nodes:
        rule, reason = _of_node(node, graph, policy, is_break=node.identity in broken)
        told = plain({**asdict(node), "evidence": (), "findings": (), "rule": rule})
        told |= {"state": node.state.value, "reason": reason}
        told["evidence"] = [plain(asdict(e)) for e in node.evidence]
        told["findings"] = [plain(asdict(f)) for f in node.findings]
        nodes.append(told)
    return {
        "root": graph.root,
        "breaks": list(breaks),
        "trace": [] if cause is None else [node.identity for node in graph.trace(cause)],
        "nodes": nodes,
        "edges": [_edge(edge, graph, policy) for edge in graph.edges],
    }


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dataclass's fields in camelCase, without what is empty, and lists for tuples, as JSON has them."""
    names = {k: "".join(p.title() if i else p for i, p in enumerate(k.split("_"))) for k in value}
    told = {names[k]: v for k, v in value.items() if v not in ("", ())}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}


def _edge(edge: Edge, graph: Graph, policy: Policy) -> dict[str, Any]:
    rule, reason = _of_edge(edge, graph, policy)
    told = {"child": edge.child, "parent": edge.parent, "role": edge.role, "rule": rule}
    told = plain({**told, "state": edge.state.value, "reason": reason})
    return told | {"findings": [plain(asdict(f)) for f in edge.findings]}


def _of_node(node: Node, graph: Graph, policy: Policy, *, is_break: bool) -> tuple[str, str]:
    """Give the rule by which a node has its state, and why."""
    if node.kind == "run":
        return _made(node.identity, graph, policy), _RUNS.get(node.state, "")
    if node.kind == "builder":
        runs = (_made(edge.child, graph, policy) for edge in graph.uses(node.identity))
        rule = next(filter(None, runs), "")
        return rule and f"{rule}.expect.builder", "the builder that the policy expects, by the word of its run's signer"
    rule = _rule(node.kind, policy)
    if node.state is State.VERIFIED and graph.is_summarised(node.identity):
        return rule, "a verification summary stands for it, and for whatever it was made from"
    if node.state is State.VERIFIED:
        return rule, "everything that the policy asks for is attested, and what it was made from stands"
    if node.state is State.TRIMMED:
        return f"{rule}.trim", _cut(node.kind, policy)
    if not rule:
        return "", "the policy has no rule for it"
    finding = next(iter(node.findings), None)
    if finding is None:  # pragma: no cover  # the walk says why of every thing that does not stand
        return rule, ""
    if not is_break:
        return rule, f"what it was made from does not stand: {finding.subject}: {finding.code}"
    own = "nothing proves what the policy asks for" if node.state is State.MISSING else "it is not as the policy asks"
    return finding.rule or rule, f"{own}: {finding.code}"


def _of_edge(edge: Edge, graph: Graph, policy: Policy) -> tuple[str, str]:
    """Give the rule by which a child may rest on a parent or not, and why."""
    if edge.role == "run" and graph.node(edge.parent).kind == "run":
        stands = edge.state is State.VERIFIED
        return _rule(graph.node(edge.child).kind, policy), "the run that made it" + ("" if stands else ", which fails")
    if edge.role == "builder" and graph.node(edge.parent).kind == "builder":
        rule = _made(edge.child, graph, policy)
        return rule and f"{rule}.expect.builder", "the run's signer names it"
    rule = _rule(edge.role, policy)
    if edge.findings:
        return rule, f"it stands, but not for this: {edge.findings[0].code}"
    return f"{rule}.trim" if edge.state is State.TRIMMED else rule, _INPUTS[edge.state]


def _rule(kind: str, policy: Policy) -> str:
    return f"nodes.{kind}" if kind in policy.nodes else ""


def _made(run: str, graph: Graph, policy: Policy) -> str:
    """Give the rule that asked for a run: that of the first thing that it made."""
    return next((_rule(graph.node(edge.child).kind, policy) for edge in graph.uses(run)), "")


def _cut(kind: str, policy: Policy) -> str:
    trim = policy.nodes[kind].trim if kind in policy.nodes else None
    if trim is None:  # pragma: no cover  # nothing else is cut
        return ""
    return trim.reason if trim.until is None else f"{trim.reason}, until {format_time(trim.until)}"
