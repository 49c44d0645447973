"""Does the picture show the chain, and nothing that a label would like it to show?"""

import os
import re
import shutil
import stat
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Manifest
from glasswing_attest.errors import UnavailableError, shown
from glasswing_attest.report import dot, svg
from glasswing_attest.report.outline import outline
from tests.chains import honest, policy_of
from tests.unit.report.graphs import HOSTILE, chain, filled, full, graphs, node
from tests.unit.report.test_report import reports

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")

# One statement of the language as we write it: nothing else may ever come out.
STRING = r'"(?:[^"\\\n]|\\[\\"n])*"'
ATTRIBUTES = rf"\[(?:[a-z]+={STRING}(?:, )?)*\]"
LINE = re.compile(rf"  (?:graph|node|edge|[nf]\d+(?: -> [nf]\d+)?) {ATTRIBUTES}")
NAMES = {
    *(
        "rankdir",
        "bgcolor",
        "nodesep",
        "ranksep",
        "fontname",
        "fontsize",
        "fontcolor",
        "margin",
        "dir",
        "label",
        "labelloc",
        "class",
    ),
    *("shape", "style", "color", "fillcolor", "penwidth", "peripheries"),
}


def parsed(source: str) -> list[dict[str, str]]:
    """The attributes of each statement of a source; fails for anything that we do not write."""
    first, *lines, last = source.splitlines()
    assert (first, last) == ("digraph chain {", "}")
    found = []
    for line in lines:
        assert LINE.fullmatch(line), line
        attributes = dict(re.findall(rf"([a-z]+)=({STRING})", line))
        assert set(attributes) <= NAMES
        found.append({name: value[1:-1] for name, value in attributes.items()})
    return found


# --- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_label_is_a_label(text: str) -> None:
    plain, told = (parsed(dot.render(graph)) for graph in (full()["graph"], filled(full(), text)["graph"]))
    assert len(told) == len(plain)
    assert [set(each) for each in told] == [set(each) for each in plain]
    assert max(len(each.get("label", "")) for each in told) < 1_500


@settings(deadline=None, max_examples=60)
@given(text=st.text(min_size=1), graph=graphs(15))
def test_no_text_at_all_leaves_its_label(text: str, graph: dict[str, Any]) -> None:
    parsed(dot.render(filled(graph, text)))


def test_the_source_of_an_honest_chain() -> None:
    source = honest().assess().to_dot()
    assert source == honest().assess().to_dot()
    assert parsed(source)[1]["label"] == "ACCEPTED: model penguin-classifier"
    labels = [each["label"] for each in parsed(source)[4:]]
    assert labels[0].startswith("✓ model\\npenguin-classifier\\ndirHash:")
    assert labels[-4:] == ["run", "dataset", "code", "builder"]
    assert [each["label"] for each in parsed(reports()["limit"].to_dot())] == ["UNDECIDED: model penguin-classifier"]


def test_a_refused_chain_never_looks_accepted() -> None:
    """All of it stands, but nobody has read the artifact."""
    told = Manifest.declared("model", honest().model.digests, name="ACCEPTED: model m")
    refused = honest().assess(artifact=told)
    assert refused.cause is not None
    assert refused.cause.code == "policy.declared"
    assert refused.graph is not None
    assert {node.state.value for node in refused.graph.nodes} == {"verified"}
    title, *lines = [each["label"] for each in parsed(refused.to_dot()) if "label" in each]
    assert title == "REFUSED: model ACCEPTED: model m"
    assert not any("REFUSED" in line for line in lines)
    assert refused.to_text().startswith("REFUSED: model ACCEPTED: model m  dirHash:")
    assert "<title>refused: model ACCEPTED: model m</title>" in refused.to_html(picture=False)
    assert "nobody here read its bytes" in refused.to_text()
    assert "nobody here read its bytes" not in honest().assess().to_text()


def test_each_state_has_its_shape_its_border_and_its_word() -> None:
    assert len({look["shape"] for look in dot.LOOKS.values()}) == 4
    assert len({look["style"] for look in dot.LOOKS.values()}) == 4
    cut = policy_of(lambda p: p["nodes"].update(code={"trim": {"reason": "x"}}))
    found = [each for each in parsed(honest().assess([honest().run], policy=cut).to_dot()) if "label" in each]
    told = {(each["class"], each["shape"]): each["label"] for each in found if "shape" in each}
    assert set(told) == {("failed", "octagon"), ("missing", "hexagon"), ("trimmed", "note"), ("verified", "box")}
    for (state, _), label in told.items():
        assert {"failed": "not accepted", "missing": "not attested", "trimmed": "cut away"}.get(state, state) in label
    assert {each["label"] for each in found if "shape" not in each} == {
        "REFUSED: model penguin-classifier",
        "run: failed",
        "dataset: missing",
        "code: trimmed",
        "builder",
    }


@settings(deadline=None, max_examples=60)
@given(graph=graphs())
def test_the_picture_draws_what_the_outline_keeps(graph: dict[str, Any]) -> None:
    drawn = outline(graph, most=10)
    source = dot.render(graph, nodes=10)
    assert len(re.findall(r"^  n\d+ \[", source, re.MULTILINE)) == len(drawn.branches)
    assert source.count(" -> ") == sum(map(len, drawn.branches.values()))


def test_a_large_chain_is_a_small_picture() -> None:
    nodes = [node("a", kind="model"), *(node(f"n{number}", state="trimmed") for number in range(10_000))]
    wide = chain(nodes, [("a", each["identity"]) for each in nodes[1:]])
    source = dot.render(wide)
    assert len(source) < 2_000
    assert "✂ 10000 × dataset\\nn0, n1, n2, …\\ncut away by the policy (so it is)" in source


def test_what_is_too_dense_to_be_looked_at_is_folded_too() -> None:
    nodes = [node(f"n{number}", state="failed") for number in range(120)]
    edges = [(one["identity"], other["identity"]) for place, one in enumerate(nodes) for other in nodes[place + 1 :]]
    source = dot.render(chain(nodes, edges))
    assert 10 < source.count(" -> ") <= 400
    assert "below them: " in source or " × dataset" in source


def test_the_picture_of_the_documentation_is_one_of_ours(root: Path) -> None:
    text = (root / "docs" / "report-chain.svg").read_text("utf-8")
    assert shapes(text)["title"] == 1
    page = (root / "docs" / "report.md").read_text("utf-8")
    words = [each.text or "" for each in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
    assert {"✗ model", "✗ run", "? dataset", "✓ builder", "not accepted", "not attested"} <= set(words)
    assert "REFUSED: model model" in words
    # What it shows is the example of the page.
    assert all(word in page for word in words if word.startswith(("dirHash:", "urn:", "signed by")))


# --- laid out --------------------------------------------------------------------------------------------------------

DRAWS = {"svg", "title", "g", "polygon", "polyline", "path", "ellipse", "text"}


def shapes(text: str) -> Counter[str]:
    """The elements of a picture, after everything was looked at that holds for every picture."""
    root = ET.fromstring(text)
    found: Counter[str] = Counter()
    for each in root.iter():
        tag = each.tag.removeprefix("{http://www.w3.org/2000/svg}")
        assert tag in DRAWS
        assert not any(name == "style" or name.startswith("on") or "href" in name for name in each.attrib)
        assert not any("url" in value or "//" in value for value in each.attrib.values())
        found[tag] += 1
    assert all(c.isprintable() or c == "\n" for c in text)
    return found


@needs_dot
def test_a_picture_is_laid_out() -> None:
    found = honest().assess()
    text = found.to_svg()
    assert shapes(text)["title"] == 1
    assert "<title>accepted: the chain of model penguin-classifier</title>" in text
    assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg" role="img" ')
    words = "".join(ET.fromstring(text).itertext())
    for each in found.to_dict()["graph"]["nodes"]:
        assert each["kind"] in words
        assert shown(each["name"], 48) in words
    assert "ACCEPTED: model penguin-classifier" in words
    # A report of which no chain was walked has a picture with the verdict alone, and not none.
    assert shapes(reports()["limit"].to_svg())["text"] == 1


@needs_dot
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_label_is_laid_out_as_it_stands(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("secret")
    drawing = svg.render(dot.render(filled(full(), text)["graph"]), title=text)
    plain = svg.render(dot.render(full()["graph"]), title="x")
    assert shapes(drawing)["text"] >= shapes(plain)["text"] - 1
    assert shapes(drawing)["title"] == 1
    words = [each.text or "" for each in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]
    assert any(shown(text, 40)[:10] in word for word in words)
    assert "secret" not in drawing


def program(folder: Path, text: str) -> Path:
    """A program called dot, which stands first on PATH."""
    path = folder / "dot"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which nothing stands, and no extra."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(svg, "find_spec", lambda _: None)
    return tmp_path


def test_without_graphviz_it_says_what_to_install(alone: Path) -> None:
    assert alone.is_dir()
    with pytest.raises(UnavailableError) as caught:
        honest().assess().to_svg()
    assert (caught.value.code, caught.value.where) == ("unavailable", "the picture")
    assert "glasswing-attest[picture]" in caught.value.do
    assert "<svg" not in honest().assess().to_html()


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("import sys; sys.exit('no \\x1b[2J layout')", "no \\x1b[2J layout"),
        ("print('<svg')", "unclosed token"),
        ("import time; time.sleep(60)", "longer than 0.5 seconds"),
    ],
    ids=["fails", "draws no SVG", "takes too long"],
)
def test_a_program_that_does_not_lay_out_is_told(
    alone: Path, monkeypatch: pytest.MonkeyPatch, text: str, because: str
) -> None:
    program(alone, text)
    monkeypatch.setattr(svg, "_SECONDS", 0.5 if "sleep" in text else 20)
    with pytest.raises(UnavailableError) as caught:
        svg.render("digraph {}", title="x")
    assert (caught.value.code, caught.value.where) == ("unavailable", "the picture")
    assert because in str(caught.value)
    assert str(caught.value).isprintable()


def test_whatever_the_program_draws_only_drawing_comes_out(alone: Path) -> None:
    evil = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="x" width="9pt">
<script>alert(1)</script><style>@import url(//x)</style><image xlink:href="file:///etc/passwd"/><title>other</title>
<foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="x"/></foreignObject>
<a xlink:href="javascript:alert(1)"><text>link</text></a><g class="node&quot; onload=&quot;x" fill="url(#x)" style="x">
<text x="1" onclick="x">a &lt;b&gt; &#x202e;</text><use xlink:href="#y"/><path d="M1,2" fill="URL(//x)"/></g></svg>"""
    program(alone, f"import sys; sys.stdin.read(); print({evil!r})")
    drawing = svg.render("digraph {}", title="<t>")
    assert drawing == (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" width="9pt"><title>&lt;t&gt;</title>'
        '<g><text x="1">a &lt;b&gt; \\x202e</text><path d="M1,2"></path></g></svg>'
    )


def test_the_program_gets_the_source_and_little_else(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSWING_SECRET", "x")
    kept = alone / "kept"
    told = "sys.stdin.read() + str(sorted(os.environ)) + str(sys.argv[1:])"
    program(alone, f"import os, sys; open({str(kept)!r}, 'w').write({told})\nprint('<svg/>')")
    svg.render("digraph { }", title="x")
    found = kept.read_text()
    assert found.startswith("digraph { }")
    assert "GLASSWING_SECRET" not in found
    assert found.endswith("['-Tsvg']")
    assert os.environ["GLASSWING_SECRET"] == "x"


def test_the_extra_lays_out_in_a_process_of_its_own(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(alone, "")
    assert svg.layouter() == (str(alone / "dot"), "-Tsvg")
    monkeypatch.setattr(svg, "find_spec", lambda name: name if name == "pygraphviz" else None)
    assert svg.layouter()[:3] == (sys.executable, "-I", "-c")
