"""How does a person read a report?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasswing_attest.errors import shown

__all__ = ["render"]

_MARKS = {"verified": "✓", "trimmed": "✂", "missing": "?", "failed": "✗"}
_WORDS = {"affirming": "ok", "warning": "warning", "contraindicated": "problem", "none": "not evaluated"}
"""Tiers in plain words. Their own, which are AR4SI's, stand in the JSON."""
_STATES = {"trimmed": "cut away by the policy", "missing": "not attested", "failed": "not accepted"}
_FACT = 400
_FOLDED = 5
"""More siblings that the policy cuts away are one line: an environment has hundreds of packages."""
_WIDEST = 120
"""A deeper tree is not drawn wider, or its lines would grow with its depth."""


def render(report: Mapping[str, Any]) -> str:
    """Render a report's plain data: the verdict, the chain as a tree, the findings, and what to do.

    Whatever came from evidence is shown with `shown`, so that no control character reaches a terminal.
    """
    artifact = report["artifact"]
    name = f"{artifact['kind']} {shown(artifact['name'])}".strip()
    lines = [f"{report['verdict'].upper()}: {name}  {_digest(artifact['digest'])}"]
    if report["depth"]:
        lines.append(f"  proved to depth: {report['depth']}")
    replayed = ", replayed from a case" if report["replayed"] else ""
    lines.append(f"  at {report['at']}, times {report['times']}{replayed}")
    if further := report["inputs"]["predicates"]:
        lines.append(f"  further predicate types: {', '.join(map(shown, further))}")
    if report["graph"] is not None:
        lines += ["", *_tree(report["graph"])]
    for finding in report["findings"]:
        lines += ["", *_finding(finding)]
    refused = report["evidence"]["refused"]
    if refused:
        lines += ["", f"{len(refused)} of {report['evidence']['items']} items of the evidence prove nothing:"]
        lines += [f"  {shown(item['origin'])}: {item['message']}" for item in refused]
    return "\n".join(lines) + "\n"


def _digest(digests: Mapping[str, str]) -> str:
    best = next((a for a in ("dirHash", "gitCommit", "sha256") if a in digests), next(iter(digests), ""))
    return f"{best}:{digests[best][:12]}" if best else ""


def _finding(finding: Mapping[str, Any]) -> list[str]:
    lines = [f"[{_WORDS[finding['tier']]}] {shown(finding['subject'])}: {finding['code']}"]
    if finding.get("rule"):
        lines.append(f"    rule:   {finding['rule']}")
    for label in ("found", "wanted"):
        if finding.get(label):
            lines.append(f"    {label + ':':7} {shown(finding[label], _FACT)}")
    if finding.get("do"):
        lines.append(f"    to do:  {shown(finding['do'], _FACT)}")
    return lines


def _tree(graph: Mapping[str, Any]) -> list[str]:
    nodes = {n["identity"]: n for n in graph["nodes"]}
    parents: dict[str, list[tuple[str, str]]] = {}
    for edge in graph["edges"]:
        parents.setdefault(edge["child"], []).append((edge["role"], edge["parent"]))
    return list(_branch(graph["root"], "", "", nodes, parents, set()))


def _branch(
    identity: str,
    lead: str,
    under: str,
    nodes: Mapping[str, Any],
    parents: Mapping[str, list[tuple[str, str]]],
    told: set[str],
) -> Iterator[str]:
    # A chain may be deeper than Python's stack: what is still to be told stands on one of our own.
    left = [(identity, lead, under)]
    while left:
        identity, lead, under = left.pop()
        if identity not in nodes:  # several in one line
            yield f"{lead}{identity}"
            continue
        node = nodes[identity]
        text = f"{_MARKS[node['state']]} {node['kind']} {shown(node.get('name', ''))}".rstrip()
        if node.get("digests"):
            algorithm, _, value = node["digests"][0].partition(":")
            text += f"  {algorithm}:{value[:12]}"
        signers = sorted({name for e in node["evidence"] for name in e["names"]})
        if signers:
            text += f"  signed by {', '.join(map(shown, signers))}"
        if word := _STATES.get(node["state"]):
            # What stands above a broken link is not where it breaks.
            rests = any(nodes[parent]["state"] in ("missing", "failed") for _, parent in parents.get(identity, ()))
            text += f"  [{word}: see below]" if rests else f"  [{word}]"
        known = identity in told
        yield f"{lead}{text}{'  (shown above)' if known and parents.get(identity) else ''}"
        if known:
            continue
        told.add(identity)
        branches = _folded([parent for _, parent in parents.get(identity, [])], nodes, parents)
        for number, parent in reversed(list(enumerate(branches))):
            last = number == len(branches) - 1
            arm, gap = ("└─ ", "   ") if last else ("├─ ", "│  ")
            left.append((parent, f"{under}{arm}", f"{under}{gap}" if len(under) < _WIDEST else under))


def _folded(branches: list[str], nodes: Mapping[str, Any], parents: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    """Give the branches, those of which the policy cuts away many of one kind as one line in place of the first."""
    cut: dict[str, list[str]] = {}
    for identity in branches:
        if nodes[identity]["state"] == "trimmed" and not parents.get(identity):
            cut.setdefault(nodes[identity]["kind"], []).append(identity)
    lines = {
        many[0]: f"{_MARKS['trimmed']} {len(many)} of kind {kind}, each {_STATES['trimmed']}: {_names(many, nodes)}, …"
        for kind, many in cut.items()
        if len(many) > _FOLDED
    }
    hidden = {identity for many in cut.values() if many[0] in lines for identity in many[1:]}
    return [lines.get(identity, identity) for identity in branches if identity not in hidden]


def _names(identities: list[str], nodes: Mapping[str, Any]) -> str:
    return ", ".join(shown(nodes[identity].get("name", ""), 40) for identity in identities[:3])
