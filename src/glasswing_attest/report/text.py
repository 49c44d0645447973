"""How does a person read a report?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from glasswing_attest.errors import shown
from glasswing_attest.statement.predicates.names import name_of

__all__ = ["render"]

_MARKS = {"verified": "✓", "trimmed": "✂", "missing": "?", "failed": "✗"}
_WORDS = {"affirming": "ok", "warning": "warning", "contraindicated": "problem", "none": "not evaluated"}
"""Tiers in plain words. Their own, which are AR4SI's, stand in the JSON."""
_STATES = {"trimmed": "cut away by the policy", "missing": "not attested", "failed": "not accepted"}
_NO_RULE = "the policy has no rule for it"
_FACT = 400
_FOLDED = 5
"""More siblings that end the chain alike are one line: an environment has hundreds of packages."""
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
    for source in report["evidence"]["sources"]:
        if source.get("skipped"):
            lines += ["", f"not read, for their names: {source['skipped']} in {_skipped(source)}"]
    if refused:
        lines += ["", f"{len(refused)} of {report['evidence']['items']} items of the evidence prove nothing:"]
        lines += [f"  {shown(item['origin'])}: {item['message']}" for item in refused]
    return "\n".join(lines) + "\n"


def _skipped(source: Mapping[str, Any]) -> str:
    names = source["skippedNames"]
    told = ", ".join((*map(shown, names), *(("…",) if source["skipped"] > len(names) else ())))
    return f"{shown(source['origin'])} ({told})"


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
        if node["evidence"]:
            text += f"  signed by {_signed(node['evidence'])}"
        if word := _word(node):
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


def _signed(evidence: Iterable[Mapping[str, Any]]) -> str:
    """Say for each requirement who met it, and with what."""
    met: dict[str, set[str]] = {}
    for each in evidence:
        what = name_of(each["predicateType"])
        met.setdefault(": ".join(filter(None, (each.get("requirement"), what))), set()).update(each["names"])
    return ", ".join(f"{', '.join(map(shown, sorted(names)))} ({shown(what)})" for what, names in met.items())


def _word(node: Mapping[str, Any]) -> str:
    """Say why a node is not verified, in a few words."""
    if node["state"] == "missing" and any(f["code"] == "chain.no-rule" for f in node["findings"]):
        return _NO_RULE
    return _STATES.get(node["state"], "")


def _folded(branches: list[str], nodes: Mapping[str, Any], parents: Mapping[str, list[tuple[str, str]]]) -> list[str]:
    """Give the branches, many of one kind that end the chain for one reason as one line in place of the first."""
    ends: dict[tuple[str, str, str], list[str]] = {}
    for identity in branches:
        node = nodes[identity]
        if node["state"] in ("trimmed", "missing") and not parents.get(identity):
            ends.setdefault((node["state"], node["kind"], _word(node)), []).append(identity)
    lines = {
        many[0]: f"{_MARKS[state]} {len(many)} of kind {kind}, each {word}: {_names(many, nodes)}, …"
        for (state, kind, word), many in ends.items()
        if len(many) > _FOLDED
    }
    hidden = {identity for many in ends.values() if many[0] in lines for identity in many[1:]}
    return [lines.get(identity, identity) for identity in branches if identity not in hidden]


def _names(identities: list[str], nodes: Mapping[str, Any]) -> str:
    return ", ".join(shown(nodes[identity].get("name", ""), 40) for identity in identities[:3])
