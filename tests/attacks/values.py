"""Does what was signed satisfy the policy's conditions? Values that are absent, endless, older or of another type."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from glasswing_attest import DataRecord, Policy, Verifier
from glasswing_attest.records import EvaluationRecord
from glasswing_attest.statement.predicates.release import RELEASE_V02
from glasswing_attest.statement.predicates.vulns import VULNS_V02
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    AT,
    DATA,
    DAY,
    INPUTS,
    MODEL,
    PROVENANCE,
    RECORD,
    RUN,
    alone,
    by,
    forged,
    instead,
    policy,
    question,
    run,
    said,
    watched,
)
from tests.chains import FINISHED, STARTED, Said, provenance

CHECK = "https://example.com/check/v1"
CONDITION: dict[str, Any] = {"code": "policy.where", "rule": "nodes.model.where", "subject": "model model"}


def checked(condition: str, body: Mapping[str, Any]) -> Question:
    """Is the condition true of what a check says of the model?"""
    needs = {"predicate": CHECK, "signed_by": by("developer"), "where": condition}
    told = said(MODEL, Said(predicate_type=CHECK, body=body), "developer")
    return question(told, policy=alone(needs), opaque=(CHECK,))


@attack(
    "Absent is not empty",
    **CONDITION,
    variants={
        "absent": {"note": "x"},
        "null": {"findings": None},
        "text": {"findings": "[]"},
        "object": {"findings": {"a": 1}},
    },
)
def findings_not_said(body: Mapping[str, Any]) -> Pair:
    """A check says nothing of its findings, where the policy wants an empty list of them."""
    condition = "size(predicate.findings) == 0"
    return checked(condition, {"findings": []}), checked(condition, body)


@attack(
    "Absent is not empty",
    **CONDITION,
    variants={
        "absent": {"note": "x"},
        "null": {"malicious": None},
        "text": {"malicious": "true"},
        "number": {"malicious": 1},
    },
)
def verdict_not_said(body: Mapping[str, Any]) -> Pair:
    """A condition that something is not so would hold of whatever says nothing, or says it in another type."""
    condition = "predicate.malicious != true"
    return checked(condition, {"malicious": False}), checked(condition, body)


@attack(
    "Absent is not empty",
    **CONDITION,
    variants={"absent": {"note": "x"}, "null": {"malicious": None}, "otherwise": {"malicious": True}},
)
def presence_denied(body: Mapping[str, Any]) -> Pair:
    """A negation around a missing field does not make it hold."""
    condition = "!(has(predicate.malicious) && predicate.malicious)"
    return checked(condition, {"malicious": False}), checked(condition, body)


@attack(
    "Absent is not empty",
    code="policy.expect",
    rule="nodes.model.expect.result",
    subject="model model",
    variants={"absent": {}, "null": {"result": None}},
)
def scan_without_a_result(result: Mapping[str, Any]) -> Pair:
    """A scan does not say what it found, which is not the same as that it found nothing."""

    def scanned(result: Mapping[str, Any]) -> Question:
        body = {
            "scanner": {"uri": "pkg:generic/scanner@1", "db": {"lastUpdate": "2026-01-02T00:00:00Z"}, **result},
            "metadata": {"scanStartedOn": "2026-01-02T05:00:00Z", "scanFinishedOn": "2026-01-02T06:00:00Z"},
        }
        told = said(MODEL, Said(predicate_type=VULNS_V02, body=body), "developer")
        return question(told, policy=alone({"predicate": VULNS_V02, "signed_by": by("developer")}))

    return scanned({"result": []}), scanned(result)


@attack(
    "Absent is not empty",
    **CONDITION,
    variants={
        "absent": {"note": "x"},
        "null": {"critical": None},
        "text": {"critical": "0"},
        "empty-text": {"critical": ""},
        "false": {"critical": False},
        "list": {"critical": []},
        "almost": {"critical": 1e-300},
        "negative": {"critical": -1},
    },
)
def count_that_is_no_count(body: Mapping[str, Any]) -> Pair:
    """Nothing critical was found; or something that is as good as nought for whoever compares loosely."""
    return checked("predicate.critical == 0", {"critical": 0}), checked("predicate.critical == 0", body)


@attack(
    "Absent is not empty",
    **CONDITION,
    variants={
        "absent": {"note": "x"},
        "null": {"advisories": None},
        "object": {"advisories": {}},
        "text": {"advisories": ""},
    },
)
def advisory_not_denied(body: Mapping[str, Any]) -> Pair:
    """The list in which the known advisory would stand is left out, or is no list."""
    condition = "!('GHSA-0000' in predicate.advisories)"
    return checked(condition, {"advisories": ["GHSA-0001"]}), checked(condition, body)


NOT_FINITE = {
    "nan": "NaN",
    "nan-in-lower-case": "nan",
    "infinity": "Infinity",
    "inf": "inf",
    "minus-infinity": "-Infinity",
    "overflow": "1e999",
}
NO_DECIMAL: dict[str, object] = {**NOT_FINITE, "plus": "+1", "hexadecimal": "0x1", "underscore": "1_0", "number": 1}


@attack("NaN and Infinity", **CONDITION, variants=NOT_FINITE)
def figure_that_is_no_number(value: str) -> Pair:
    """A figure is no finite number: it is greater than any bound, or not less than it."""
    condition = "double(predicate.score) >= 0.9"
    return checked(condition, {"score": "0.95"}), checked(condition, {"score": value})


@attack("NaN and Infinity", **CONDITION, variants={"nan": "NaN", "text": "none", "absent": None})
def loss_that_is_not_greater(value: str | None) -> Pair:
    """What cannot be compared is not greater than the bound either."""
    condition = "!(double(predicate.loss) > 0.1)"
    return checked(condition, {"loss": "0.05"}), checked(condition, {"loss": value})


@attack(
    "NaN and Infinity",
    **CONDITION,
    variants={"empty": [], "nothing-said": [{"name": "a"}], "one-failed": [{"ok": True}, {"ok": False}]},
)
def all_of_nothing(checks: list[Any]) -> Pair:
    """All of an empty list passed."""
    condition = "size(predicate.checks) > 0 && predicate.checks.all(check, check.ok)"
    return checked(condition, {"checks": [{"ok": True}]}), checked(condition, {"checks": checks})


@attack("NaN and Infinity", **CONDITION, variants={"text": "true", "number": 1, "list": [True]})
def almost_true(value: object) -> Pair:
    """A condition has a value that other languages take for true."""
    return checked("predicate.passed", {"passed": True}), checked("predicate.passed", {"passed": value})


def measured(value: object, *, finished: datetime = AT - DAY, name: str = "accuracy", **more: Any) -> Question:
    """Is the figure of an evaluation good enough, and new enough?"""
    needs = {
        "predicate": EvaluationRecord.predicate_type,
        "signed_by": by("developer"),
        "expect": {"metric": "accuracy", "at_least": "0.9"},
        "max_age": "30d",
    }
    body = {
        "metrics": [{"name": name, "value": value, **more}],
        "dataset": {"name": "penguins", "digest": DATA.digests.to_dict()},
        "finished": finished.isoformat().replace("+00:00", "Z"),
    }
    told = forged({"name": "model", "digest": MODEL.digests.to_dict()}, needs["predicate"], body, "developer")  # type: ignore[arg-type]
    return question(told, policy=alone(needs))


@attack(
    "NaN and Infinity",
    code="malformed.field",
    rule="nodes.model",
    subject="model model",
    variants=NO_DECIMAL,
)
def metric_that_is_no_decimal(value: object) -> Pair:
    """The record's own figure is no exact decimal."""
    return measured("0.95"), measured(value)


@attack(
    "NaN and Infinity",
    code="policy.expect",
    rule="nodes.model.expect.at_least",
    subject="model model",
    variants={"just-below": "0.8999999999999999999999999", "negative": "-0.95"},
)
def metric_that_rounds_up(value: str) -> Pair:
    """The figure is less than the bound by less than a double can tell."""
    return measured("0.9"), measured(value)


@attack(
    "Incomplete materials",
    code="policy.expect",
    rule="nodes.model.expect.metric",
    subject="model model",
    variants={"other": {"name": "accuracy_on_easy"}, "part": {"part": "easy"}},
)
def metric_of_a_part(more: dict[str, Any]) -> Pair:
    """The figure is for the easy part of the samples, or has a name that is almost the wanted one."""
    return measured("0.95"), measured("0.95", **more)


# --- older -----------------------------------------------------------------------------------------------------------


@attack(
    "Rollback",
    code="policy.expect",
    rule="nodes.dataset.expect.version_at_least",
    subject="dataset penguins",
    variants={
        "older": "2025.12",
        "pre-release": "2026.1rc1",
        "no-order": "2026-final-FINAL",
        "none": None,
        "looks-newer": "2026.01.dev9",
        "semantic-pre-release": "2026.1-1",
        "semantic-pre-release-with-build": "2026.1-1+a.post1",
        "other-dots": "2027\N{FULLWIDTH FULL STOP}1",
        "blank": " 2027.1",
        "two": "2027.1 2025.12",
    },
)
def older_version_of_the_data(version: str | None) -> Pair:
    """An older version is served, validly signed."""
    asked = policy(lambda p: p["nodes"]["dataset"]["require"][0].update(expect={"version_at_least": "2026.1"}))
    older = said(DATA, DataRecord(name="penguins", version=version), "data-team")
    return question(policy=asked), question(*instead(RECORD, older), policy=asked)


def released(purl: str) -> Question:
    """Is it a release that is new enough?"""
    expect = {"resource": "pkg:generic/model", "version_at_least": "2.0"}
    needs = {"predicate": RELEASE_V02, "signed_by": by("developer"), "expect": expect}
    return question(
        said(MODEL, Said(predicate_type=RELEASE_V02, body={"purl": purl}), "developer"), policy=alone(needs)
    )


@attack(
    "Rollback",
    code="policy.expect",
    rule="nodes.model.expect.version_at_least",
    subject="model model",
    variants={"older": "pkg:generic/model@1.9", "escaped": "pkg:generic/model@1.9%2B2.0"},
)
def older_release(purl: str) -> Pair:
    """The registry's word for an older release is served."""
    return released("pkg:generic/model@2.0"), released(purl)


@attack(
    "Rollback",
    code="policy.expect",
    rule="nodes.model.expect.resource",
    subject="model model",
    variants={
        "other": "pkg:generic/model-evil@3.0",
        "namespace": "pkg:generic/evil/model@3.0",
        "other-type": "pkg:pypi/model@3.0",
        "qualified": "pkg:generic/model@1.9?version=3.0",
        "below": "pkg:generic/model@1.9#@3.0",
        "upper-case": "pkg:generic/Model@3.0",
        "escaped": "pkg:generic/model%2F@3.0",
        "look-alike": "pkg:generic/m\N{CYRILLIC SMALL LETTER O}del@3.0",
    },
)
def release_of_another_package(purl: str) -> Pair:
    """A later release is served, of another package."""
    return released("pkg:generic/model@2.0"), released(purl)


# --- old -------------------------------------------------------------------------------------------------------------


@attack(
    "Freeze",
    code="policy.max-age",
    rule="nodes.model.max_age",
    subject="model model",
    variants={"31-days": timedelta(days=31), "years": timedelta(days=1000)},
)
def old_evaluation(age: timedelta) -> Pair:
    """The newest evaluation is withheld, and an older one served."""
    return measured("0.95"), measured("0.95", finished=AT - age)


@attack("Freeze", code="policy.max-age", rule="nodes.model.max_age", subject="model model")
def evaluation_of_tomorrow() -> Pair:
    """An evaluation says that it was made in the future, so that it never grows old."""
    return measured("0.95"), measured("0.95", finished=AT + 365 * DAY)


@attack("Freeze", code="verification.time-unproven", rule="nodes.model.max_age", subject="model model")
def evaluation_of_no_time() -> Pair:
    """A key signed it, and it does not say when."""
    asked = alone({**PROVENANCE, "max_age": "90d"})
    timeless = run(started_on=None, finished_on=None)
    return question(RUN, policy=asked), question(timeless, policy=asked)


# --- seen before -----------------------------------------------------------------------------------------------------


def _seen(honest: Question) -> Question:
    """The question of somebody who has accepted the honest evidence before."""
    verifier = Verifier(policy=Policy.parse(json.dumps(honest.policy).encode(), suffix=".json"), trust=honest.trust)
    report = verifier.verify(MODEL, list(honest.evidence), at=AT)
    return replace(honest, seen=json.loads(report.seen.to_json()))


@attack("Rollback", code="policy.rollback", rule="nodes.model.seen", subject="model model")
def older_than_what_was_accepted() -> Pair:
    """Last week's evidence is served to somebody who has accepted this week's."""
    older = run(started_on=STARTED - 7 * DAY, finished_on=FINISHED - 7 * DAY)
    honest = _seen(question())
    return honest, replace(honest, evidence=instead(RUN, older))


@attack("Rollback", code="policy.rollback", rule="nodes.model.seen", subject="model model")
def evidence_that_tells_no_time() -> Pair:
    """Evidence that tells no time is served to somebody who has seen when the last one was made."""
    honest = _seen(question())
    return honest, replace(honest, evidence=instead(RUN, run(started_on=None, finished_on=None)))


@attack(
    "Rollback",
    code="policy.rollback",
    rule="nodes.model.seen",
    subject="model model",
    variants={"v1": "v1", "v2": "v2"},
)
def earlier_place_in_the_log(log: str) -> Pair:
    """Two signatures tell the same time, and the one that stands earlier in the log is served after the later one."""
    site = watched(keyless=True)
    earlier = site.said(MODEL, provenance(*INPUTS, invocation_id="urn:1"), "trainer", FINISHED, log=log)
    later = site.said(MODEL, provenance(*INPUTS, invocation_id="urn:2"), "trainer", FINISHED, log=log)
    rest = (site.record(), site.source())
    honest = _seen(site.question(later, *rest))
    return honest, replace(honest, evidence=(earlier, *rest))
