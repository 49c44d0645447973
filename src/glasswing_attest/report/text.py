"""How does a person read a report?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from glasswing_attest.errors import counted, shown
from glasswing_attest.findings import told_apart
from glasswing_attest.report.outline import MARKS, Fold, Outline, outline
from glasswing_attest.statement.predicates.names import name_of

__all__ = ["FACTS", "TOLD", "WORDS", "best_digest", "fact", "problems", "render", "signed"]

WORDS = {"affirming": "ok", "warning": "warning", "contraindicated": "problem", "none": "not evaluated"}
"""Tiers in plain words. Their own, which are AR4SI's, stand in the JSON."""
_FACT = 400
_WIDEST = 120
"""A deeper tree is not drawn wider, or its lines would grow with its depth."""
TOLD = 20
"""So many findings, and so many items that prove nothing, are told one by one."""
_ALIKE = 3
"""So many names of what has the same problem are told."""
FACTS = (("rule", "Rule"), ("found", "Found"), ("evidence", "From"), ("wanted", "Wanted"), ("do", "To do"))
"""What is told of a finding, and how that is called."""
_STEPS = 4
_STEP = 40

_Finding = Mapping[str, Any]


def render(report: Mapping[str, Any], *, nodes: int | None = 200) -> str:
    """Render a report's plain data: the verdict, the chain as a tree, the findings, and what to do.

    So many `nodes` at most have a line of their own; the rest is folded and counted. Whatever came from evidence is
    shown with `shown`, so that no control character reaches a terminal.
    """
    artifact = report["artifact"]
    name = f"{shown(artifact['kind'])} {shown(artifact['name'])}".strip()
    lines = [f"{report['verdict'].upper()}: {name}  {best_digest(artifact['digest'])}"]
    if report["depth"]:
        lines.append(f"  proved to depth: {shown(report['depth'])}")
    replayed = ", replayed from a case" if report["replayed"] else ""
    lines.append(f"  at {shown(report['at'])}, times {shown(report['times'])}{replayed}")
    if artifact["declared"]:
        lines.append("  nobody here read its bytes: its digest was told")
    if further := report["inputs"]["predicates"]:
        lines.append(f"  further predicate types: {', '.join(map(shown, further))}")
    folded = False
    if report["graph"] is not None:
        drawn = outline(report["graph"], most=nodes)
        lines += ["", *_tree(drawn)]
        folded = any(identity not in drawn.branches for identity in report["graph"]["trace"])
    lines += _findings(report, way(report["graph"]) if folded else [])
    for source in report["evidence"]["sources"]:
        if source.get("skipped"):
            lines += ["", f"not read, for their names: {source['skipped']} in {_skipped(source)}"]
    lines += _refused(report["evidence"])
    return "\n".join(lines) + "\n"


def best_digest(digests: Mapping[str, str]) -> str:
    """Give the digest by which people know an artifact, cut."""
    best = next((a for a in ("dirHash", "gitCommit", "sha256") if a in digests), next(iter(digests), ""))
    return shown(f"{best}:{digests[best][:12]}") if best else ""


def problems(report: Mapping[str, Any]) -> list[list[_Finding]]:
    """Give the report's findings and what else is wrong with the chain: what is alike but for its subject together.

    A refusal has one cause. Whoever mends that alone would meet the next one: so all are told at once.
    """
    graph = report["graph"] or {"breaks": (), "trace": (), "nodes": ()}
    breaks = frozenset(graph["breaks"])
    found: dict[tuple[str, ...], dict[tuple[str, ...], _Finding]] = {}
    for finding in report["findings"]:
        _file(found, finding, finding.get("found", ""))
    for node in graph["nodes"]:
        if node["identity"] not in breaks:
            continue
        for finding in node["findings"]:
            # The cause stands in both places, and the report says more of it.
            is_cause = graph["trace"][-1:] == [node["identity"]]
            _file(found, finding, report["findings"][0].get("found", "") if is_cause else finding.get("found", ""))
    return [list(same.values()) for same in found.values()]


def _file(found: dict[tuple[str, ...], dict[tuple[str, ...], _Finding]], finding: _Finding, of: str) -> None:
    """File a finding with those that are like it; what does not decide is alike only where it was found alike."""
    decides = finding["tier"] == "contraindicated"
    key = (*(finding.get(name, "") for name in ("code", "rule", "requirement", "wanted", "do")), "" if decides else of)
    found.setdefault(key, {}).setdefault((finding["subject"], of), finding)


def way(graph: Mapping[str, Any] | None) -> list[str]:
    """Give the way from the artifact to where it breaks, what is in the middle of a long one left out."""
    if graph is None or len(graph["trace"]) < 2:
        return []
    nodes = {node["identity"]: node for node in graph["nodes"]}
    found = [nodes[identity] for identity in graph["trace"]]
    steps = [f"{shown(node['kind'])} {shown(node.get('name', ''), _STEP)}".strip() for node in found]
    if len(steps) > 2 * _STEPS:
        steps[_STEPS:-_STEPS] = [f"… {len(steps) - 2 * _STEPS} more …"]
    return steps


def signed(evidence: Iterable[Mapping[str, Any]]) -> str:
    """Say for each requirement who met it, and with what."""
    met: dict[str, set[str]] = {}
    for each in evidence:
        what = name_of(each["predicateType"])
        met.setdefault(": ".join(filter(None, (each.get("requirement"), what))), set()).update(each["names"])
    return ", ".join(f"{', '.join(map(shown, sorted(names)))} ({shown(what)})" for what, names in met.items())


def _skipped(source: Mapping[str, Any]) -> str:
    names = source["skippedNames"]
    told = ", ".join((*map(shown, names), *(("…",) if source["skipped"] > len(names) else ())))
    return f"{shown(source['origin'])} ({told})"


def _findings(report: Mapping[str, Any], where: Sequence[str]) -> Iterator[str]:
    found = problems(report)
    for number, same in enumerate(found[:TOLD]):
        yield ""
        yield from _finding(same)
        if where and not number:
            yield f"    where:  {' ← '.join(where)}"
    if rest := [finding for same in found[TOLD:] for finding in same]:
        codes = Counter(finding["code"] for finding in rest)
        told = ", ".join(f"{count} {shown(code)}" for code, count in sorted(codes.items()))
        yield from ("", f"{counted(len(rest), 'further finding')}: {told}")


def _finding(same: Sequence[_Finding]) -> Iterator[str]:
    finding = same[0]
    yield f"[{WORDS[finding['tier']]}] {shown(finding['subject'])}: {shown(finding['code'])}"
    if len(same) > 1:
        names = [shown(other["subject"]) for other in same[1 : _ALIKE + 1]]
        more = ["…"] if len(same) > _ALIKE + 1 else []
        yield f"    also:   {len(same) - 1} alike: {', '.join(names + more)}"
    for label, title in FACTS:
        if told := fact(finding, label):
            yield f"    {title.lower() + ':':7} {shown(told, _FACT)}"


def fact(finding: _Finding, name: str) -> str:
    """Give one fact of a finding, as it is shown; nothing where it has none."""
    told: str = finding.get(name, "")
    if name == "rule" and (requirement := finding.get("requirement", "")):
        return f"{told}, for {name_of(requirement)}"
    return told_apart(told, finding.get("wanted", "")) if name == "found" else told


def _refused(evidence: Mapping[str, Any]) -> Iterator[str]:
    refused = evidence["refused"]
    if not refused:
        return
    yield from ("", f"{len(refused)} of {evidence['items']} items of the evidence prove nothing:")
    for item in refused[:TOLD]:
        yield f"  {shown(item['origin'])}: {shown(item['message'], _FACT * 4)}"
    if rest := Counter(item["code"] for item in refused[TOLD:]):
        told = ", ".join(f"{count} {shown(code)}" for code, count in sorted(rest.items()))
        yield f"  and {sum(rest.values())} more: {told}"


def _tree(told_of: Outline) -> Iterator[str]:
    # A chain may be deeper than Python's stack: what is still to be told stands on one of our own.
    left: list[tuple[Mapping[str, Any] | Fold | None, str, str]] = [(None, "", "")]
    told: set[str] = set()
    while left:
        branch, lead, under = left.pop()
        if isinstance(branch, Fold):
            yield f"{lead}{MARKS[branch.state]} {branch}"
            continue
        identity = told_of.root if branch is None else branch["parent"]
        below = told_of.branches[identity]
        known = identity in told
        text = _line(told_of.nodes[identity], told_of.word(identity, branch))
        yield f"{lead}{text}{'  (shown above)' if known and below else ''}"
        if known:
            continue
        told.add(identity)
        for number, following in reversed(list(enumerate(below))):
            last = number == len(below) - 1
            arm, gap = ("└─ ", "   ") if last else ("├─ ", "│  ")
            left.append((following, f"{under}{arm}", f"{under}{gap}" if len(under) < _WIDEST else under))


def _line(node: Mapping[str, Any], word: str) -> str:
    text = f"{MARKS[node['state']]} {shown(node['kind'])} {shown(node.get('name', ''))}".rstrip()
    if node.get("digests"):
        algorithm, _, value = node["digests"][0].partition(":")
        text += shown(f"  {algorithm}:{value[:12]}")
    if node["evidence"]:
        text += f"  signed by {signed(node['evidence'])}"
    return f"{text}  [{word}]" if word else text
