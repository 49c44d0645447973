r"""How is a chain drawn, as the source of a picture?

Graphviz's DOT language: ``digraph { n0 [label="…"] n0 -> n1 [label="…"] }``. A node is called by its number, and all
that comes from evidence stands in a quoted label, in which a backslash, a quotation mark and the ampersand of an HTML
entity are escaped. No attribute that reads a file or leads anywhere (``image``, ``URL``, ``shapefile``) is ever
written. Equal chains give equal text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasswing_attest.errors import shown
from glasswing_attest.report.outline import MARKS, Fold, Outline, outline
from glasswing_attest.report.text import signed

__all__ = ["LOOKS", "render"]

LOOKS: Mapping[str, Mapping[str, str]] = {
    "verified": {"shape": "box", "style": "rounded,filled", "color": "#1a7f37", "fillcolor": "#eef8f0"},
    "trimmed": {
        "shape": "note",
        "style": "dashed,filled",
        "penwidth": "1.4",
        "color": "#57606a",
        "fillcolor": "#f3f4f6",
    },
    "missing": {
        "shape": "hexagon",
        "style": "dotted,filled",
        "penwidth": "1.8",
        "color": "#9a6700",
        "fillcolor": "#fff8e1",
    },
    "failed": {"shape": "octagon", "style": "bold,filled", "color": "#cf222e", "fillcolor": "#fdecec"},
}
"""How each state looks: by its shape and its border, and not by its colour alone. The label has the word as well."""
_LINES = {"verified": "solid", "trimmed": "dashed", "missing": "dotted", "failed": "bold"}
_LABEL = 48
_EDGES = 400
"""More lines than these are no picture, and laying them out takes minutes."""
_WIDE = {"fontname": "Helvetica,Arial,sans-serif", "fontsize": "11"}


def render(graph: Mapping[str, Any] | None, *, title: str = "", nodes: int = 120) -> str:
    """Draw ``graph`` of a report's JSON. So many `nodes` at most are drawn by themselves; the rest is folded.

    The `title` stands above and has the verdict: in a refused chain everything may stand but the artifact's own bytes.
    """
    if graph is None:
        return "\n".join(["digraph chain {", *_title(title), "}"]) + "\n"
    drawn = outline(graph, most=nodes)
    while len(drawn.branches) > 1 and sum(map(len, drawn.branches.values())) > _EDGES:
        drawn = outline(graph, most=len(drawn.branches) // 2)
    return "\n".join(_lines(drawn, title)) + "\n"


def _title(title: str) -> Iterator[str]:
    if title:
        yield f"  graph [{_attributes(label=shown(title, 2 * _LABEL), labelloc='t', **(_WIDE | {'fontsize': '14'}))}]"


def _lines(drawn: Outline, title: str) -> Iterator[str]:
    numbers = {identity: f"n{number}" for number, identity in enumerate(drawn.branches)}
    yield "digraph chain {"
    yield f"  graph [{_attributes(rankdir='LR', bgcolor='white', nodesep='0.25', ranksep='0.6', **_WIDE)}]"
    yield from _title(title)
    yield f"  node [{_attributes(fontcolor='#1f2328', margin='0.14,0.07', **_WIDE)}]"
    # What went in points to what was made from it; the root comes first all the same. Siblings stand in a column,
    # since a page is rather scrolled down than to the side.
    yield f"  edge [{_attributes(dir='back', fontcolor='#57606a', **(_WIDE | {'fontsize': '9'}))}]"
    for identity, number in numbers.items():
        yield f"  {number} [{_node(drawn, identity)}]"
    folds = 0
    for identity, branches in drawn.branches.items():
        for branch in branches:
            if isinstance(branch, Fold):
                end, role, folds = f"f{folds}", branch.kind, folds + 1
                yield f"  {end} [{_fold(branch)}]"
            else:
                end, role = numbers[branch["parent"]], branch["role"]
            state = branch.state if isinstance(branch, Fold) else branch["state"]
            yield f"  {numbers[identity]} -> {end} [{_edge(state, role)}]"
    yield "}"


def _node(drawn: Outline, identity: str) -> str:
    node = drawn.nodes[identity]
    state = node["state"]
    lines = [f"{MARKS[state]} {shown(node['kind'], _LABEL)}", shown(node.get("name", ""), _LABEL)]
    if node.get("digests"):
        algorithm, _, value = node["digests"][0].partition(":")
        lines.append(shown(f"{algorithm}:{value[:12]}", _LABEL))
    if node["evidence"]:
        lines.append(shown(f"signed by {signed(node['evidence'])}", _LABEL))
    # In a picture nothing is below: the arrows lead there.
    lines.append(shown(drawn.word(identity).removesuffix(": see below") or state, _LABEL))
    return _looks(state, lines, twice=identity == drawn.root)


def _fold(fold: Fold) -> str:
    what = f"{MARKS[fold.state]} {len(fold.members)} × {shown(fold.kind, _LABEL)}"
    word = fold.word.removesuffix(": see below") or f"each {fold.state}"
    lines = [what, shown(fold.names, _LABEL), word, fold.rest]
    return _looks(fold.state, [shown(line, 2 * _LABEL) for line in lines], twice=False)


def _looks(state: str, lines: list[str], *, twice: bool) -> str:
    label = "\n".join(line for line in lines if line)
    more = {"peripheries": "2"} if twice else {}
    return _attributes(label=label, **{"class": state}, **LOOKS[state], **more)


def _edge(state: str, role: str) -> str:
    label = shown(role, _LABEL) if state == "verified" else f"{shown(role, _LABEL)}: {state}"
    return _attributes(label=label, **{"class": state}, style=_LINES[state], color=LOOKS[state]["color"])


def _attributes(**values: str) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    r"""Give a text as a quoted string of DOT that says this text, and nothing else.

    >>> print(_quoted('a "b" \\N &lt;'))
    "a \"b\" \\N &amp;lt;"
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return '"' + text.replace("\n", "\\n") + '"'
