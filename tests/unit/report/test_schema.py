"""Does every report follow its schema, and does the schema refuse what is no report?"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from glasswing_attest import Manifest, Policy, Report, Trust, assess
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import GlasswingError
from glasswing_attest.report.report import report_schema
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.run import PROVENANCES
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from tests.bundles import PRODUCTION
from tests.chains import BUILDER, NOW, data_record, honest, policy_of, run_record, trust_of, used
from tests.shared import cases
from tests.unit.report.graphs import full
from tests.unit.report.test_html import checked
from tests.unit.report.test_pictures import parsed
from tests.unit.report.test_report import hostile, reports

VALIDATOR = jsonschema.Draft202012Validator(
    report_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def refused() -> dict[str, Report]:
    """Reports that say no, each for a reason of its own."""
    chain = honest()
    rest = [chain.record, chain.source]
    run = (used(chain.data, "dataset"), used(chain.code, "code"))
    both = {"threshold": 2, "of": ["trainer", "data-team"], "over": "same_type"}
    circle = {"predicate": "provenance", "signed_by": {"any_of": ["trainer"]}, "expect": {"builder": BUILDER}}
    return {
        "chain.no-attestation": chain.assess([chain.run, chain.source]),
        "chain.no-rule": chain.assess(policy=policy_of(lambda p: p["nodes"].pop("code"))),
        "chain.trim": chain.assess(
            policy=policy_of(lambda p: p["nodes"].update(model={"trim": {"reason": "x"}})), evidence=[]
        ),
        "chain.cycle": chain.assess(
            [chain.run, chain.source, run_record(chain.data, used(chain.data, "dataset"))],
            policy=policy_of(lambda p: p["nodes"].update(dataset={"require": [circle]})),
        ),
        "policy.threshold": chain.assess(
            policy=policy_of(lambda p: p["nodes"]["dataset"]["require"][0].update(signed_by=both))
        ),
        "policy.signed-by": chain.assess([run_record(chain.model, *run, by="data-team"), *rest]),
        "policy.expect": chain.assess([run_record(chain.model, *run, builder_id="https://other.example"), *rest]),
        "policy.inputs": chain.assess([run_record(chain.model, used(chain.code, "code")), *rest]),
        "verification.key-untrusted": chain.assess(trust=trust_of("trainer", "developer"), policy=_without_team()),
        "verification.subject": chain.assess(
            [chain.run, chain.source, data_record(honest().model, name=chain.data.name), chain.record],
            artifact=Manifest.declared("model", DigestSet.of(dirHash="0" * 64), chain.model.name),
        ),
    }


def _without_team() -> Policy:
    def change(plain: dict[str, Any]) -> None:
        del plain["identities"]["data-team"]
        plain["nodes"]["dataset"]["require"][0]["signed_by"] = {"any_of": ["developer"]}

    return policy_of(change)


@cache
def every() -> Mapping[str, Report]:
    found = {**reports(), **refused()}
    return found | {f"hostile {number}": report for number, report in enumerate(hostile())}


# --- every report ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(every()))
def test_every_report_follows_its_schema(name: str) -> None:
    plain = json.loads(every()[name].to_json())
    VALIDATOR.validate(plain)
    VALIDATOR.validate(every()[name].to_dict())
    consistent(plain)


@pytest.mark.parametrize("code", list(refused()))
def test_the_reports_say_no_for_what_they_are_called_by(code: str) -> None:
    cause = every()[code].cause
    assert cause is not None
    assert cause.code == code


def consistent(plain: Mapping[str, Any]) -> None:
    """What no schema can say."""
    graph = plain["graph"]
    if graph is None:
        return
    identities = [node["identity"] for node in graph["nodes"]]
    assert len(set(identities)) == len(identities)
    assert {graph["root"], *graph["breaks"], *graph["trace"]} <= set(identities)
    for edge in graph["edges"]:
        assert {edge["child"], edge["parent"]} <= set(identities)
    for node in graph["nodes"]:
        assert bool(node["findings"]) == (node["state"] in ("missing", "failed") and node["kind"] != "run")
        if node["state"] == "verified" and node["kind"] not in ("run", "builder"):
            assert node["rule"] == f"nodes.{node['kind']}"
    is_no = any(node["findings"] for node in graph["nodes"])
    assert bool(graph["breaks"]) == is_no
    if graph["trace"]:
        assert plain["verdict"] == "refused"
        assert (graph["trace"][0], graph["trace"][-1] in graph["breaks"]) == (graph["root"], True)
    else:
        assert plain["verdict"] != "refused" or not is_no


def test_reasons_and_rules_of_a_chain() -> None:
    chain = honest()
    cut = {"reason": "reviewed elsewhere", "until": "2099-01-01T00:00:00Z"}
    told = chain.assess([chain.run], policy=policy_of(lambda p: p["nodes"].update(code={"trim": cut}))).to_dict()[
        "graph"
    ]
    nodes = {node["kind"]: (node["state"], node.get("rule"), node["reason"]) for node in told["nodes"]}
    assert nodes == {
        "model": (
            "failed",
            "nodes.model",
            "what it was made from does not stand: dataset penguins: chain.no-attestation",
        ),
        "run": (
            "failed",
            "nodes.model",
            "signed by whom the policy asks for, but not everything that it was made from stands",
        ),
        "dataset": ("missing", "nodes.dataset", "nothing proves what the policy asks for: chain.no-attestation"),
        "code": ("trimmed", "nodes.code.trim", "reviewed elsewhere, until 2099-01-01T00:00:00Z"),
        "builder": (
            "verified",
            "nodes.model.expect.builder",
            "the builder that the policy expects, by the word of its run's signer",
        ),
    }
    edges = {edge["role"]: (edge["state"], edge.get("rule"), edge["reason"]) for edge in told["edges"]}
    assert edges == {
        "run": ("failed", "nodes.model", "the run that made it, which fails"),
        "dataset": ("missing", "nodes.dataset", "it is not attested"),
        "code": ("trimmed", "nodes.code.trim", "the policy cuts it away"),
        "builder": ("verified", "nodes.model.expect.builder", "the run's signer names it"),
    }


def test_a_kind_without_a_rule_has_none() -> None:
    told = every()["chain.no-rule"].to_dict()["graph"]
    (code,) = [node for node in told["nodes"] if node["kind"] == "code"]
    assert (code["state"], code["reason"], "rule" in code) == ("missing", "the policy has no rule for it", False)


# --- the schema refuses ----------------------------------------------------------------------------------------------

OPTIONAL = {
    *(
        "rule",
        "found",
        "wanted",
        "do",
        "name",
        "digests",
        "label",
        "signedBy",
        "requirement",
        "skipped",
        "skippedNames",
    ),
}


def mutations(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    """Every change that makes a report none: at which place, and what stands there instead; None takes it away."""
    if isinstance(value, Mapping):
        yield "more", path, {**value, "more": 1}
        yield "no object", path, []
        for name, inner in value.items():
            if path[-1:] != ("digest",):
                if name not in OPTIONAL:
                    yield "without", path, {k: v for k, v in value.items() if k != name}
                yield "an object", (*path, name), {}
            yield from mutations(inner, (*path, name))
    elif isinstance(value, list):
        yield "no list", path, {"0": 1}
        for number, inner in enumerate(value[:2]):
            yield from mutations(inner, (*path, number))
    elif isinstance(value, bool):
        yield "no truth", path, "true"
    elif isinstance(value, int):
        yield "negative", path, -1
        yield "no number", path, str(value)
    else:
        yield "no text", path, 7


def changed(plain: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    found = deepcopy(plain)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return found


def test_the_schema_refuses_every_mutation() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())
    plain = full()
    plain["evidence"]["refused"] = plain["evidence"]["refused"][:1]
    VALIDATOR.validate(plain)
    tried = Counter[str]()
    for what, path, value in mutations(plain):
        tried[what] += 1
        assert not VALIDATOR.is_valid(changed(plain, path, value)), (what, path)
    assert set(tried) == {
        "more",
        "no object",
        "without",
        "an object",
        "no list",
        "no truth",
        "negative",
        "no number",
        "no text",
    }
    assert sum(tried.values()) > 250


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "https://glasswing-attest.readthedocs.io/schemas/report/v1"),
        (("verdict",), "yes"),
        (("tier",), "good"),
        (("depth",), "deep"),
        (("at",), "yesterday"),
        (("times",), "none"),
        (("artifact", "digest"), {}),
        (("inputs", "policySha256"), "0" * 63),
        (("inputs", "trustSha256"), "G" * 64),
        (("graph", "nodes"), []),
        (("graph", "nodes", 0, "state"), "ok"),
        (("graph", "nodes", 0, "reason"), ""),
        (("graph", "nodes", 0, "digests"), []),
        (("graph", "nodes", 1, "evidence", 0, "names"), []),
        (("graph", "edges", 0, "state"), "ok"),
        (("graph", "edges", 0, "rule"), ""),
        (("graph", "breaks"), ["a", "a"]),
        (("graph", "trace"), [""]),
        (("findings", 0, "tier"), "bad"),
        (("findings", 0, "code"), ""),
        (("evidence", "used"), ["0" * 64, "0" * 64]),
    ],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_the_schema_refuses_what_is_not_said(path: tuple[str | int, ...], value: Any) -> None:
    assert not VALIDATOR.is_valid(changed(full(), path, value))


# --- on evidence that others made ------------------------------------------------------------------------------------

RULES = """
version: 1
declared: allow
times: claimed
identities:
  github: {issuer: https://token.actions.githubusercontent.com, san: "https://github.com/*/*/.github/workflows/*@refs/*/*"}
nodes:
  file:
    require:
      - predicate: PROVENANCE
        signed_by: {any_of: [github]}
        expect: {builder: BUILDER}
  code: {trim: {reason: the workflow checks it out}}
  dependency: {trim: {reason: beside the point}}
"""
CORPORA = ("gh-cli", "sigstore-go", "sigstore-js", "sigstore-conformance", "sigstore-java", "slsa-verifier")


@pytest.mark.shared
def test_reports_about_the_evidence_of_others(shared_data: Path) -> None:
    trust = Trust(roots=(Root.parse((shared_data / PRODUCTION).read_bytes(), name="public-good", profile=PUBLIC_GOOD),))
    found = Counter[str]()
    for corpus in CORPORA:
        for case in (parameter.values[0] for parameter in cases("sigstore-bundle", corpus=corpus)):
            report = _about((shared_data / case.files["bundle"]).read_bytes(), trust)
            plain = json.loads(report.to_json())
            VALIDATOR.validate(plain)
            consistent(plain)
            page = checked(report.to_html(picture=False))
            first = report.findings[0].code
            assert first in page.text
            assert first in report.to_text()
            assert all(c.isprintable() or c == "\n" for c in report.to_text())
            parsed(report.to_dot())
            found[first] += 1
    # Not all of it is refused, and not all of it for one reason.
    assert found["accepted"] >= 10
    assert len(found) >= 5, found
    assert sum(found.values()) >= 140


def _about(bundle: bytes, trust: Trust) -> Report:
    """A report on what the bundle's statement says that it is about, by the builder that it names.

    What is no provenance, or names nothing, is asked about something else.
    """
    about, kind, builder = DigestSet.of(sha256="0" * 64), "provenance", "https://github.com/actions/runner"
    try:
        said = Attestation.parse(bundle).statement_unverified
    except GlasswingError:
        pass
    else:
        about = said.subjects[0].digest if said.subjects[0].digest.identity else about
        if said.predicate_type in PROVENANCES:
            kind, told = said.predicate_type, json.loads(json.dumps(said.predicate, default=dict))
            builder = (told["runDetails"] if kind == PROVENANCE_V1 else told)["builder"]["id"]
    policy = Policy.parse(RULES.replace("PROVENANCE", kind).replace("BUILDER", builder).encode())
    return assess(Manifest.declared("file", about, "theirs"), bundle, policy=policy, trust=trust, at=NOW)
