"""Is the page whole, readable by everybody, and harmless whatever stands in it?"""

import base64
import hashlib
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest.errors import shown
from glasswing_attest.report import html
from glasswing_attest.report.markup import Markup, element, joined
from tests.chains import honest
from tests.unit.report.graphs import HOSTILE, chain, filled, full, graphs, node, report
from tests.unit.report.test_report import reports

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer", "h1", "h2", "h3", "p"),
    *("ul", "li", "details", "summary", "div", "span", "strong", "em", "code", "bdi", "a", "dl", "dt", "dd"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"),
}
ATTRIBUTES = {"class", "id", "href", "lang", "charset", "http-equiv", "content", "name", "scope", "open", "aria-hidden"}
DRAWS = {"svg", "g", "polygon", "polyline", "path", "ellipse", "text"}


class Page(HTMLParser):
    """What a page holds, as an HTML parser that knows no mercy sees it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.deepest = 0
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        self.open.append(tag)
        self.deepest = max(self.deepest, len(self.open))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "meta"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @property
    def text(self) -> str:
        return "".join(self.words)


def checked(text: str, *, picture: bool = False) -> Page:
    """The page, after everything was looked at that holds for every page."""
    assert text.startswith("<!DOCTYPE html>\n<html ")
    ET.fromstring(text.partition("\n")[2])  # well-formed as XML, so that no parser can see it differently
    page = Page(text)
    assert {tag for tag, _ in page.tags} <= TAGS | (DRAWS if picture else set())
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for tag, attributes in page.tags:
        if tag not in DRAWS:
            assert set(attributes) <= ATTRIBUTES, tag
        assert "style" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert (attributes["href"] or "").removeprefix("#") in ids
    assert "://" not in re.sub(r"<style>.*?</style>|>[^<]*<|xmlns=\"[^\"]*\"", "", text, flags=re.DOTALL)
    assert all(c.isprintable() or c == "\n" for c in text)
    return page


# --- harmless --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_acts_wherever_it_stands(text: str) -> None:
    told = filled(full(), text)
    told["artifact"]["digest"] = {text: text}
    page = checked(html.render(told))
    plain = checked(html.render(full()))
    # What was put in is there, as text; and it changed nothing of what the page is made of.
    assert page.text.count(shown(text)[:12]) > 50
    assert Counter(tag for tag, _ in page.tags) == Counter(tag for tag, _ in plain.tags)
    assert len(html.render(told)) < 1_500_000


@settings(deadline=None, max_examples=40)
@given(text=st.text(min_size=1), graph=graphs(20))
def test_no_text_at_all_acts(text: str, graph: dict[str, Any]) -> None:
    checked(html.render(filled(report(graph), text)))


def test_the_page_allows_nothing_but_its_own_style() -> None:
    text = html.render(full())
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [
        attributes["content"] for tag, attributes in Page(text).tags if attributes.get("http-equiv") and tag == "meta"
    ]
    assert policy == f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    # It stands before whatever it is about, and the style fetches nothing.
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert not re.search(r"url\(|@import|@font-face|expression|<|&", style)


def test_markup_is_text_unless_it_says_otherwise() -> None:
    assert element("p", "<b>") == "<p>&lt;b&gt;</p>"
    assert element("p", element("b", "x"), class_='"') == '<p class="&quot;"><b>x</b></p>'
    assert joined("a\u202eb", Markup("<i></i>")) == "a\\x202eb<i></i>"
    assert element("td", "x", id=None, aria_hidden="true") == '<td aria-hidden="true">x</td>'
    assert len(element("p", "x" * 10_000)) < 2_100


# --- readable --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(reports()))
def test_verdict_cause_and_advice_come_first(name: str) -> None:
    found = reports()[name]
    page = checked(found.to_html(picture=False))
    text = page.text
    assert text.strip().startswith(f"{found.verdict.value}: {found.artifact.kind}")
    headings = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert all(int(after[1]) <= int(before[1]) + 1 for before, after in pairwise(headings))
    if found.cause is not None:
        assert text.index(found.cause.code) < text.index("The chain")
        assert text.index(found.cause.do) < text.index("The chain")
    assert found.policy.digest in text
    assert found.trust.digest in text


def test_tables_are_tables() -> None:
    page = checked(html.render(full()))
    tags = Counter(tag for tag, _ in page.tags)
    assert tags["table"] == tags["caption"] == tags["thead"] == tags["tbody"] >= 6
    heads = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert set(heads) == {"col", "row"}
    assert ("html", {"lang": "en"}) in page.tags


def test_no_state_is_told_by_its_colour_alone() -> None:
    text = html.render(full())
    for state in ("verified", "trimmed", "missing", "failed"):
        pills = re.findall(rf'<span class="state {state}"><span aria-hidden="true">. </span>(\w+)</span>', text)
        assert pills
        assert set(pills) == {state}


def test_all_of_a_report_stands_on_its_page() -> None:
    found = honest().assess([honest().run, b"junk"])
    told = found.to_dict()
    text = checked(found.to_html(picture=False)).text
    for each in told["graph"]["nodes"]:
        assert each["reason"] in text
        assert all(digest in text for digest in each.get("digests", ()))
        assert all(e["payloadSha256"] in text and e["principal"] in text for e in each["evidence"])
    for each in (f for n in told["graph"]["nodes"] if n["identity"] in told["graph"]["breaks"] for f in n["findings"]):
        assert all(each[name] in text for name in ("code", "found", "wanted", "do", "rule"))
    for each in told["graph"]["edges"]:
        assert each["reason"] in text
    for item in told["evidence"]["refused"]:
        assert all(item[name] in text for name in ("origin", "code", "message"))


def test_a_large_chain_is_a_page_that_a_browser_bears() -> None:
    nodes = [node("a", kind="model"), *(node(f"n{number}") for number in range(10_000))]
    deep = chain(nodes, [(before["identity"], after["identity"]) for before, after in pairwise(nodes)])
    page = checked(html.render(report(deep)))
    assert page.deepest < 400
    assert "The first 1000 of 10001; the JSON has each of them." in page.text
    assert "nodes are folded here, and counted where they belong." in page.text
    wide = chain(nodes, [("a", each["identity"]) for each in nodes[1:]])
    assert "10000 of kind dataset, each verified: n0, n1, n2, …" in checked(html.render(report(wide))).text


# --- the picture -----------------------------------------------------------------------------------------------------


def test_the_picture_is_in_the_page_where_it_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    found = honest().assess()
    monkeypatch.setattr("glasswing_attest.report.svg.layouter", lambda: ("false",))
    without = found.to_html()
    assert without == found.to_html(picture=False)
    assert "<svg" not in without
    monkeypatch.undo()
    if shutil.which("dot") is not None:
        page = checked(found.to_html(), picture=True)
        assert Counter(tag for tag, _ in page.tags)["svg"] == 1
