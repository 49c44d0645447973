"""Which chains do the tests of a report draw?  Plain data as a report's JSON has it, honest and hostile."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

STATES = ("verified", "trimmed", "missing", "failed")
KINDS = ("dataset", "dependency", "code", "run")
HOSTILE = (
    "\x1b[2J\x07\r\n\x9b31m",
    "\u202etxt.exe\u2066\u200b\u2028\u061c",
    "</style></title></details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"' onload='alert(1)' x=\"",
    "javascript:alert(1)",
    "&lt;b&gt; &#27; &amp;",
    '\\N \\"]; image="/etc/passwd"; URL="https://evil.example/" //',
    "<<table><tr><td><img src='/etc/passwd'/></td></tr></table>>",
    "]]> <!-- --> <?php ?> {{7*7}} ${x}",
    "\udc80\ud7ff\ufffe\x00",
    "שלום عالم",
    "x" * 100_000,
)


def node(
    identity: str, *, kind: str = "dataset", state: str = "verified", name: str = "", **more: Any
) -> dict[str, Any]:
    """A node of a report's JSON."""
    codes = {"missing": "chain.no-attestation", "failed": "policy.expect"}
    found = {
        "code": codes.get(state),
        "tier": "contraindicated",
        "subject": f"{kind} {name or identity}",
        "wanted": "it",
    }
    return {
        "identity": identity,
        "kind": kind,
        "name": name or identity,
        "state": state,
        "reason": "so it is",
        "evidence": [],
        "findings": [found] if state in codes else [],
        **more,
    }


def chain(nodes: Sequence[Mapping[str, Any]], edges: Sequence[tuple[str, str]], **more: Any) -> dict[str, Any]:
    """A graph of a report's JSON: its first node is the root, and an edge is (child, parent)."""
    by_name = {each["identity"]: each for each in nodes}
    told: list[dict[str, Any]] = [
        {
            "child": child,
            "parent": parent,
            "role": by_name[parent]["kind"],
            "state": by_name[parent]["state"],
            "reason": "so it is",
            "findings": [],
        }
        for child, parent in edges
    ]
    above: set[str] = {edge["child"] for edge in told if edge["state"] in ("missing", "failed")}
    breaks = [each["identity"] for each in nodes if each["findings"] and each["identity"] not in above]
    return {"root": nodes[0]["identity"], "breaks": breaks, "trace": [], "nodes": list(nodes), "edges": told, **more}


def report(graph: Mapping[str, Any] | None, **more: Any) -> dict[str, Any]:
    """A report's JSON around a graph."""
    return {
        "schema": "https://glasswing-attest.readthedocs.io/schemas/report/v2",
        "verdict": "refused",
        "tier": "contraindicated",
        "depth": "",
        "artifact": {"kind": "model", "name": "m", "digest": {"sha256": "0" * 64}, "declared": False},
        "at": "2026-02-01T00:00:00Z",
        "now": "2026-02-01T00:00:00Z",
        "times": "claimed",
        "replayed": False,
        "inputs": {"policySha256": "1" * 64, "trustSha256": "2" * 64, "predicates": [], "version": "0"},
        "findings": [{"code": "chain.no-attestation", "tier": "contraindicated", "subject": "model m"}],
        "graph": graph,
        "evidence": {"items": 0, "sources": [], "used": [], "refused": []},
        **more,
    }


def filled(value: Any, text: str, key: str = "") -> Any:
    """The same data, with this text in every place where foreign text can stand."""
    if isinstance(value, Mapping):
        return {name: filled(inner, text, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, text, key) for inner in value]
    ours = {"identity", "root", "child", "parent", "breaks", "trace", "state", "verdict", "tier", "schema"}
    return text if isinstance(value, str) and key not in ours else value


def full() -> dict[str, Any]:
    """A report in which every field of the schema has something."""
    finding = {"code": "policy.expect", "tier": "contraindicated", "subject": "s", "rule": "r", "found": "f"}
    finding |= {"wanted": "w", "do": "d"}
    evidence = {
        "payloadSha256": "3" * 64,
        "predicateType": "https://example.com/x/v1",
        "label": "l",
        "principal": "key:1",
        "names": ["trainer"],
        "signedBy": "2026-01-01T00:00:00Z",
        "requirement": "run",
    }
    nodes = [
        node("a", kind="model", state="failed", digests=["sha256:00", "sha512:11"], rule="nodes.model"),
        node("r", kind="run", evidence=[evidence]),
        *(node(f"d{number}", state="trimmed") for number in range(7)),
        node("c", kind="code", state="missing", findings=[finding]),
        node("e", kind="dataset", evidence=[evidence]),
    ]
    graph = chain(nodes, [("a", "r"), ("r", "c"), ("r", "e"), *(("r", f"d{number}") for number in range(7))])
    graph["edges"][2] |= {"state": "failed", "rule": "nodes.dataset", "findings": [finding]}
    graph["trace"] = ["a", "r", "c"]
    source = {"origin": "o", "items": 1, "asked": True, "skipped": 2, "skippedNames": ["x"]}
    refused = [{"origin": "o", "code": "malformed.json", "message": "m"} for _ in range(25)]
    told = report(graph, findings=[finding, finding | {"tier": "warning"}], depth="builder", replayed=True)
    told["inputs"]["predicates"] = ["opaque https://example.com/x/v1"]
    told["evidence"] = {"items": 30, "sources": [source], "used": ["4" * 64], "refused": refused}
    return told


@st.composite
def graphs(draw: st.DrawFn, most: int = 60) -> dict[str, Any]:
    """Any chain: each node is reached, ancestors are shared, and there may be circles."""
    size = draw(st.integers(1, most))
    nodes = [
        node(f"n{number}", kind=draw(st.sampled_from(KINDS)), state=draw(st.sampled_from(STATES)))
        for number in range(size)
    ]
    edges = {(f"n{draw(st.integers(0, number - 1))}", f"n{number}") for number in range(1, size)}
    place = st.integers(0, size - 1).map(lambda number: f"n{number}")
    edges |= draw(st.sets(st.tuples(place, place), max_size=size))
    trace = draw(st.lists(place, unique=True, max_size=4))
    return chain(nodes, sorted(edges), trace=trace)
