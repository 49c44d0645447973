"""How does a report look in a browser, or on paper?

One page that needs nothing else: no script, no font, no picture from anywhere, and a Content-Security-Policy (CSP level
3) that would not allow them. Verdict, cause and advice come first, then the chain, then the tables from which somebody
can check it. Sections are headed, tables have headers with a scope, and every colour has a word beside it.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from glasswing_attest.errors import counted
from glasswing_attest.report.markup import Markup, element, joined
from glasswing_attest.report.outline import MARKS, Fold, Outline, outline
from glasswing_attest.report.text import FACTS, TOLD, WORDS, best_digest, fact, problems, signed, way

__all__ = ["render"]

_Data = Mapping[str, Any]

_MARKS = {"accepted": "✓", "refused": "✗", "undecided": "?"}
_MEANS = {
    "accepted": "Everything that the policy asks for is proved.",
    "refused": "It is not proved, or it is not what the policy accepts.",
    "undecided": "Something could not be had, or a limit was exceeded: nothing is decided. This is no yes.",
}
_STATES = {
    "verified": "its evidence stands",
    "trimmed": "the policy cuts the chain here",
    "missing": "nothing proves what the policy asks for",
    "failed": "attestations are there, and they do not do",
}
_WORST = ("failed", "missing", "trimmed", "verified")
_NODES = 400
_DEEPEST = 100
"""Browsers flatten what is nested much deeper than five hundred elements: three of them are one step of the chain."""
_ROWS = 1000


def render(report: _Data, *, picture: str = "") -> str:
    """Render a report's plain data as a page. `picture` is an SVG as `svg.render` gives it, or nothing."""
    artifact = report["artifact"]
    called = f"{artifact['kind']} {artifact['name']}".strip()
    verdict = report["verdict"]
    style = _style()
    body = element(
        "main",
        _banner(report, called),
        *_why(report),
        *_chain(report["graph"], picture),
        *_tables(report["graph"]),
        *_evidence(report["evidence"]),
        *_decided(report),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{verdict}: {called}"),
        element("style", style),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"


@cache
def _style() -> Markup:
    return Markup("\n" + resources.files("glasswing_attest.report").joinpath("page.css").read_text("utf-8"))


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


# --- what matters first ----------------------------------------------------------------------------------------------


def _banner(report: _Data, called: str) -> Markup:
    verdict = report["verdict"]
    depth = f" It is proved to depth “{report['depth']}”." if report["depth"] else ""
    read = " Nobody here read its bytes: its digest was told." if report["artifact"]["declared"] else ""
    replayed = " Replayed from a case." if report["replayed"] else ""
    return element(
        "header",
        element("h1", element("span", f"{_MARKS[verdict]} ", aria_hidden="true"), verdict.capitalize()),
        element("p", element("bdi", called), " ", _code(best_digest(report["artifact"]["digest"])), class_="about"),
        element("p", f"{_MEANS[verdict]}{depth}{read}"),
        element("p", f"As of {report['at']}, times {report['times']}.{replayed}", class_="soft small"),
        class_=f"banner {verdict}",
    )


def _why(report: _Data) -> Iterator[Markup]:
    yield element("h2", "What was found" if report["verdict"] == "accepted" else "Why, and what to do", id="why")
    found = problems(report)
    for number, same in enumerate(found[:TOLD]):
        yield _finding(same, () if number else way(report["graph"]))
    if rest := Counter(finding["code"] for same in found[TOLD:] for finding in same):
        told = ", ".join(f"{count} {code}" for code, count in sorted(rest.items()))
        yield element("p", f"{counted(sum(rest.values()), 'further finding')}: {told}. The JSON has each of them.")


def _finding(same: Sequence[_Data], where: Sequence[str]) -> Markup:
    finding = same[0]
    facts = [(title, element("span", told, class_=name)) for name, title in FACTS if (told := fact(finding, name))]
    if len(same) > 1:
        names = [other["subject"] for other in same[1:4]]
        facts.append(
            ("Also", joined(f"{len(same) - 1} alike: ", ", ".join([*names, *(["…"] if len(same) > 4 else [])])))
        )
    if where:
        steps = [piece for step in where for piece in (" ← ", element("bdi", step))]
        facts.append(("Where", joined(*steps[1:])))
    return element(
        "section",
        element(
            "h3",
            f"{WORDS[finding['tier']].capitalize()}: ",
            element("bdi", finding["subject"]),
            " ",
            _code(finding["code"]),
        ),
        element("dl", *(element(tag, text) for title, told in facts for tag, text in (("dt", title), ("dd", told)))),
        class_=f"finding {finding['tier']}",
    )


# --- the chain -------------------------------------------------------------------------------------------------------


def _chain(graph: _Data | None, picture: str) -> Iterator[Markup]:
    yield element("h2", "The chain")
    if graph is None:
        yield element("p", "The chain was not walked.")
        return
    yield element("ul", *(element("li", _state(s), f" {what}") for s, what in _STATES.items()), class_="legend")
    if picture:
        caption = "What went in points to what was made from it. The list below says the same in words."
        yield element("figure", Markup(picture), element("figcaption", caption))
    drawn = outline(graph, most=_NODES, deepest=_DEEPEST)
    rows = _rows(graph)
    yield element("ul", _nested(drawn, rows), class_="chain")
    if drawn.hidden:
        folded = f"{drawn.hidden} of {len(drawn.nodes)} nodes are folded here, and counted where they belong."
        yield element("p", folded, class_="soft small")


def _nested(drawn: Outline, rows: Mapping[str, int]) -> Markup:
    """Give the tree as lists in lists. What several things were made from is told once."""
    # Deepest last on a stack of our own: a chain may be deeper than Python's.
    order: list[tuple[str, _Data | None]] = [(drawn.root, None)]
    told: set[str] = {drawn.root}
    below: dict[str, list[tuple[_Data | Fold, bool]]] = {}
    for identity, _ in order:
        for branch in drawn.branches[identity]:
            first = not isinstance(branch, Fold) and branch["parent"] not in told
            below.setdefault(identity, []).append((branch, first))
            if first and not isinstance(branch, Fold):
                told.add(branch["parent"])
                order.append((branch["parent"], branch))
    made: dict[str, Markup] = {}
    for identity, edge in reversed(order):
        items = []
        for branch, first in below.get(identity, ()):
            if isinstance(branch, Fold):
                text = joined(_state(branch.state), " ", str(branch))
                items.append(element("li", element("div", text, class_="leaf")))
            elif first:
                items.append(made.pop(branch["parent"]))
            else:
                again = joined(
                    _line(drawn, rows, branch["parent"], branch), element("em", " (told elsewhere in this list)")
                )
                items.append(element("li", element("div", again, class_="leaf")))
        made[identity] = _item(drawn, rows, identity, edge, items)
    return made[drawn.root]


def _item(
    drawn: Outline, rows: Mapping[str, int], identity: str, edge: _Data | None, items: Sequence[Markup]
) -> Markup:
    line = _line(drawn, rows, identity, edge)
    node = drawn.nodes[identity]
    # The line of what is cut has its reason already.
    why = [element("p", node["reason"], class_="why soft small")] if node["state"] in ("missing", "failed") else []
    if not items:
        return element("li", element("div", line, class_="leaf"), *why)
    return element("li", element("details", element("summary", line), *why, element("ul", *items), open="open"))


def _line(drawn: Outline, rows: Mapping[str, int], identity: str, edge: _Data | None) -> Markup:
    node = drawn.nodes[identity]
    word = drawn.word(identity, edge)
    state = node["state"] if edge is None or not edge["findings"] else edge["state"]
    name = _link(identity, node.get("name") or node["kind"], rows)
    told = [_state(state), " ", element("strong", node["kind"]), " ", name]
    if node.get("digests"):
        algorithm, _, value = node["digests"][0].partition(":")
        told += [" ", _code(f"{algorithm}:{value[:12]}")]
    if node["evidence"]:
        told.append(element("span", f" signed by {signed(node['evidence'])}", class_="soft small"))
    if word:
        told.append(element("span", f" {word}", class_="small"))
    return joined(*told)


# --- the tables ------------------------------------------------------------------------------------------------------


def _tables(graph: _Data | None) -> Iterator[Markup]:
    if graph is None:
        return
    rows = _rows(graph)
    nodes = _ordered(graph)
    breaks = frozenset(graph["breaks"])
    names = {node["identity"]: node.get("name") or node["kind"] for node in nodes}

    def link(identity: str) -> Markup:
        return _link(identity, names[identity], rows)

    yield element("h2", "Nodes")
    yield _table(
        ("Node", "Kind", "State", "Why", "Rule", "Digests"),
        (
            (
                element("bdi", names[node["identity"]]),
                node["kind"],
                _state(node["state"]),
                joined(node["reason"], *_facts(node["findings"] if node["identity"] in breaks else ())),
                _code(node.get("rule", "")),
                _lines(map(_code, node.get("digests", ()))),
            )
            for node in nodes
        ),
        "Each thing, run and builder once; what does not stand first.",
        ids=(f"node-{number}" for number in rows.values()),
        count=len(nodes),
    )
    edges = sorted(graph["edges"], key=lambda edge: _WORST.index(edge["state"]))
    yield element("h2", "Edges")
    yield _table(
        ("What went in", "As", "Into", "State", "Why", "Rule"),
        (
            (
                link(edge["parent"]),
                edge["role"],
                link(edge["child"]),
                _state(edge["state"]),
                joined(edge["reason"], *_facts(edge["findings"])),
                _code(edge.get("rule", "")),
            )
            for edge in edges
        ),
        "What went into what, and as what.",
        count=len(edges),
    )
    resting = [(node["identity"], each) for node in nodes for each in node["evidence"]]
    yield element("h2", "Attestations")
    yield _table(
        ("About", "Requirement", "Predicate type", "Signed by", "Signer", "By when", "Statement, SHA-256"),
        (
            (
                link(identity),
                each.get("requirement", ""),
                _code(each["predicateType"]),
                element("bdi", ", ".join(each["names"])),
                _code(each["principal"]),
                each.get("signedBy", "nobody vouches for a time"),
                _code(each["payloadSha256"]),
            )
            for identity, each in resting
        ),
        "What the nodes rest on.",
        count=len(resting),
    )


def _facts(findings: Iterable[_Data]) -> Iterator[Markup]:
    for finding in findings:
        told = [(title, text) for name, title in FACTS if (text := fact(finding, name))]
        yield element(
            "dl",
            *(element(t, text) for pair in told for t, text in zip(("dt", "dd"), pair, strict=True)),
            class_="small",
        )


def _evidence(evidence: _Data) -> Iterator[Markup]:
    yield element("h2", "The pile")
    yield element("p", f"{counted(evidence['items'], 'item')} of evidence; {len(evidence['refused'])} prove nothing.")
    yield _table(
        ("Where was looked", "Items", "Asked", "Not read, for their names"),
        (
            (
                element("bdi", source["origin"]),
                str(source["items"]),
                "yes, about single things" if source["asked"] else "no, read whole",
                _skipped(source),
            )
            for source in evidence["sources"]
        ),
        "Where evidence was looked for.",
        count=len(evidence["sources"]),
    )
    yield _table(
        ("Where from", "Code", "Why it proves nothing"),
        ((element("bdi", item["origin"]), _code(item["code"]), item["message"]) for item in evidence["refused"]),
        "Items that prove nothing. They did not count.",
        count=len(evidence["refused"]),
    )


def _skipped(source: _Data) -> str:
    if not source.get("skipped"):
        return ""
    names = source["skippedNames"]
    return f"{source['skipped']}: {', '.join([*names, *(['…'] if source['skipped'] > len(names) else [])])}"


def _decided(report: _Data) -> Iterator[Markup]:
    inputs = report["inputs"]
    rows = [
        ("Artifact", _lines(_code(f"{name}:{value}") for name, value in report["artifact"]["digest"].items())),
        ("Policy, SHA-256", _code(inputs["policySha256"])),
        ("Trust, SHA-256", _code(inputs["trustSha256"])),
        ("Claimed times and windows held against", report["at"]),
        ("Verified at", report["now"]),
        ("Times", report["times"]),
        ("Further predicate types", _lines(map(_code, inputs["predicates"])) or "none"),
        (
            "Statements that the answer rests on, SHA-256",
            _lines(map(_code, report["evidence"]["used"][:_ROWS])) or "none",
        ),
        ("glasswing-attest", inputs["version"]),
        ("Schema of the JSON", _code(report["schema"])),
    ]
    yield element("h2", "What decided")
    yield _table(("What", "Which"), rows, "From these, anybody can decide it again.", count=len(rows))
    yield element(
        "footer",
        element(
            "p", "This page is not signed, and proves nothing to others: a case can be replayed.", class_="soft small"
        ),
    )


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, count: int, ids: Iterable[str] = ()
) -> Markup:
    """Give a table whose first column names the row. No more rows than a browser bears; what is left out is counted."""
    if not count:
        return joined()
    names = iter(ids)
    made: list[Markup] = []
    for first, *cells in rows:
        if len(made) == _ROWS:
            break
        row = (element("th", first, scope="row"), *(element("td", cell) for cell in cells))
        made.append(element("tr", *row, id=next(names, None)))
    if count > _ROWS:
        caption = f"{caption} The first {_ROWS} of {count}; the JSON has each of them."
    top = element("thead", element("tr", *(element("th", title, scope="col") for title in head)))
    return element("div", element("table", element("caption", caption), top, element("tbody", *made)), class_="scroll")


def _ordered(graph: _Data) -> list[_Data]:
    """Give the nodes, those that do not stand first."""
    return sorted(graph["nodes"], key=lambda node: _WORST.index(node["state"]))


def _link(identity: str, name: str, rows: Mapping[str, int]) -> Markup:
    """Give a node's name, as a link to its row where it has one."""
    told = element("bdi", name)
    return element("a", told, href=f"#node-{rows[identity]}") if identity in rows else told


def _rows(graph: _Data) -> dict[str, int]:
    """Give the number of each row of the table of nodes."""
    return {node["identity"]: number for number, node in enumerate(_ordered(graph)[:_ROWS])}


def _state(state: str) -> Markup:
    mark = element("span", f"{MARKS[state]} ", aria_hidden="true")
    return element("span", mark, state, class_=f"state {state}")


def _code(text: str) -> Markup:
    return element("code", text) if text else joined()


def _lines(pieces: Iterable[str]) -> Markup:
    return joined(*(element("div", piece) for piece in pieces))
