"""Does one selection of the evidence lead from the model to everything that it was made from?"""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from glasswing_attest import DataRecord
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.artifact.file import Blob
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    CODE,
    DATA,
    EVIDENCE,
    INPUTS,
    MALLORY,
    MODEL,
    POISON,
    PROVENANCE,
    RECORD,
    RUN,
    SOURCE,
    alone,
    by,
    changed,
    instead,
    policy,
    question,
    requires,
    run,
    said,
    summarised,
    summary,
)
from tests.chains import BUILDER, Said, provenance, used

DATASET, CODEINPUT = INPUTS
UNATTESTED = tuple(used(Blob(name.encode(), name=name).measure(), "dataset") for name in ("aaa", "zzz"))
INPUT: dict[str, Any] = {"code": "policy.inputs", "subject": "model model"}


# --- steering --------------------------------------------------------------------------------------------------------


@attack("First-match steering")
def false_accounts_beside_the_honest_ones() -> Pair:
    """False accounts of every kind stand first, last and between, so that whoever takes the first one says no."""
    false = (
        run(UNATTESTED[0], invocation_id="urn:0"),
        run(UNATTESTED[1], CODEINPUT, invocation_id="urn:9"),
        run(UNATTESTED[0], by=MALLORY),
        said(DATA, DataRecord(name="aaa"), MALLORY),
        said(CODE, Said(predicate_type="https://example.com/note/v1", body={}), "developer"),
    )
    return question(), question(*false, *EVIDENCE, *reversed(false))


@attack("First-match steering", code="chain.no-attestation", rule="nodes.dataset", subject="dataset aaa")
def honest_record_beside_a_false_run() -> Pair:
    """The only run used something that nobody attested; honest records of other data are served with it."""
    return question(), question(run(UNATTESTED[0], CODEINPUT), RECORD, SOURCE)


# --- what belongs together -------------------------------------------------------------------------------------------


@attack("Mix and match", code="verification.subject", rule="nodes.model", subject="model model")
def run_of_another_model() -> Pair:
    """The provenance is of another model of the same name, the records are the honest ones."""
    other = replace(POISON, kind="model", name="model")
    return question(), question(*instead(RUN, run(about=other)))


@attack("Mix and match", code="chain.no-attestation", rule="nodes.dataset", subject="dataset other")
def record_of_another_runs_data() -> Pair:
    """Of two honest runs, one model's run is served with the other one's data."""
    other = replace(POISON, name="other")
    run_of_other = run(used(other, "dataset"), CODEINPUT)
    return question(), question(run_of_other, RECORD, SOURCE)


@attack("Mix and match", code="policy.same", rule="nodes.model.same", subject="model model")
def evaluation_of_another_run() -> Pair:
    """The evaluation is of the same bytes, and of another run than the provenance."""
    tested = {"as": "tests", "predicate": "https://example.com/tests/v1", "signed_by": by("developer")}
    asked = alone(
        {**PROVENANCE, "as": "run"},
        tested,
        same=[["run.predicate.runDetails.metadata.invocationId", "tests.predicate.run"]],
    )

    def tests(invocation: str) -> bytes:
        return said(MODEL, Said(predicate_type="https://example.com/tests/v1", body={"run": invocation}), "developer")

    opaque = {"policy": asked, "opaque": ("https://example.com/tests/v1",)}
    honest = question(RUN, tests("urn:uuid:00000000-0000-4000-8000-000000000001"), **opaque)
    return honest, question(RUN, tests("urn:uuid:00000000-0000-4000-8000-00000000000f"), **opaque)


@attack(
    "Mix and match",
    code="policy.same",
    rule="nodes.model.same",
    subject="model model",
    variants={"absent": {}, "null": {"run": None}, "empty": {"run": ""}, "list": {"run": ["urn:uuid:1"]}},
)
def evaluation_that_names_no_run(body: Mapping[str, Any]) -> Pair:
    """Two statements are to name one run, and one of them says nothing there."""
    kind = "https://example.com/tests/v1"
    tested = {"as": "tests", "predicate": kind, "signed_by": by("developer")}
    asked = alone(
        {**PROVENANCE, "as": "run"},
        tested,
        same=[["run.predicate.runDetails.metadata.invocationId", "tests.predicate.run"]],
    )
    opaque = {"policy": asked, "opaque": (kind,)}
    honest = said(
        MODEL, Said(predicate_type=kind, body={"run": "urn:uuid:00000000-0000-4000-8000-000000000001"}), "developer"
    )
    return question(RUN, honest, **opaque), question(
        RUN, said(MODEL, Said(predicate_type=kind, body=body), "developer"), **opaque
    )


@attack("Mix and match", code="policy.expect", rule="nodes.code.expect.resource", subject="code code")
def summary_of_another_build() -> Pair:
    """A summary of the same verifier for something else names this commit among its subjects."""
    asked = summarised()
    other = summary(resourceUri="pkg:generic/other@1")
    return question(*instead(SOURCE, summary()), policy=asked), question(*instead(SOURCE, other), policy=asked)


@attack("Mix and match", code="policy.contradiction", rule="contradictions", subject="model model")
def second_account_of_one_model() -> Pair:
    """Two runs of a trusted signer tell two accounts of one model, where the policy wants one."""
    asked = policy(lambda p: p.update(contradictions="deny"))
    return question(policy=asked), question(*EVIDENCE, run(external_parameters={"epochs": 2}), policy=asked)


@attack("Shared invocationId", **INPUT, rule="nodes.model.inputs.dataset")
def two_jobs_of_one_run() -> Pair:
    """Two jobs of one run are served: one names the data, the other the code. Only together they look complete."""
    jobs = [run(each) for each in INPUTS]
    return question(), question(*jobs, RECORD, SOURCE)


# --- what is named as input ------------------------------------------------------------------------------------------


@attack("Incomplete materials", **INPUT, rule="nodes.model.inputs.dataset")
def dataset_left_out() -> Pair:
    """The run does not name the data that it used."""
    return question(), question(*instead(RUN, run(CODEINPUT)))


@attack("Incomplete materials", **INPUT, rule="nodes.model.inputs.code")
def second_code_named() -> Pair:
    """The run used more code than one checkout."""
    second = used(Blob(b"x", name="x").measure(), "code")
    return question(), question(*instead(RUN, run(*INPUTS, second)))


def two_datasets(*inputs: Any) -> Question:
    """A policy that wants two datasets."""
    asked = policy(lambda p: p["nodes"]["model"]["require"][0].update(inputs={"dataset": {"min": 2}}))
    second = said(POISON, DataRecord(name="more"), "data-team")
    return question(run(*inputs, CODEINPUT), RECORD, SOURCE, second, policy=asked)


@attack("Incomplete materials", **INPUT, rule="nodes.model.inputs.dataset")
def one_dataset_named_twice() -> Pair:
    """One dataset stands twice, under two names, to reach the number that is asked for."""
    again = replace(DATASET, name="again")
    return two_datasets(DATASET, used(POISON, "dataset")), two_datasets(DATASET, again)


@attack("Incomplete materials", code="chain.no-attestation", rule="nodes.dataset", subject="dataset penguins")
def dataset_named_by_no_digest() -> Pair:
    """The run names its data by a place alone, where anything may lie."""
    nameless = replace(DATASET, digest=DigestSet(()), uri="https://data.example/penguins.csv")
    return question(), question(*instead(RUN, run(nameless, CODEINPUT)))


@attack(
    "Role laundering",
    code="chain.no-rule",
    rule="nodes.{variant}",
    subject="{variant} penguins",
    variants={role: role for role in ("tool", "dependency", "image", "checkpoint", "baseModel")},
)
def poison_in_another_role(role: str) -> Pair:
    """The poisoned data is named in a role for which nobody asks anything, beside a benign dataset."""
    return question(), question(*instead(RUN, run(*INPUTS, used(POISON, role))))


@attack(
    "Role laundering",
    code="chain.no-rule",
    rule="nodes.dependency",
    subject="dependency penguins",
    variants={
        "unknown": "helper",
        "absent": None,
        "upper-case": "Dataset",
        "empty": "",
        "blank": "dataset ",
        "two": "dataset,tool",
        "look-alike": "d\N{CYRILLIC SMALL LETTER A}taset",
        "kind-that-is-no-role": "model",
    },
)
def poison_in_no_role(role: str | None) -> Pair:
    """The poisoned data has a role that nobody knows, or none at all."""
    return question(), question(*instead(RUN, run(*INPUTS, used(POISON, role))))


@attack("Role laundering", code="chain.no-attestation", rule="nodes.tool", subject="tool penguins")
def dataset_accepted_as_tool() -> Pair:
    """The honest dataset is named as a tool as well: what is accepted as one kind is not as another."""
    tool = {"predicate": DataRecord.predicate_type, "signed_by": by("developer")}
    asked = policy(requires("tool", {**tool, "predicate": TEST_RESULT_V01}))
    both = run(*INPUTS, used(DATA, "tool"))
    tested = said(
        DATA, Said(predicate_type=TEST_RESULT_V01, body={"result": "PASSED", "configuration": []}), "developer"
    )
    return question(both, RECORD, SOURCE, tested, policy=asked), question(both, RECORD, SOURCE, policy=asked)


# --- what was taken away ---------------------------------------------------------------------------------------------


@attack(
    "Removed evidence",
    code="chain.no-attestation",
    rule="nodes.{variant}",
    subject="{variant} {variant}",
    variants={"model": RUN, "code": SOURCE},
)
def one_attestation_withheld(missing: bytes) -> Pair:
    """One attestation is not served."""
    return question(), question(*instead(missing))


@attack("Removed evidence", code="chain.no-attestation", rule="nodes.dataset", subject="dataset penguins")
def record_withheld() -> Pair:
    """The dataset's record is not served."""
    return question(), question(*instead(RECORD))


@attack("Removed evidence", code="chain.no-attestation", rule="nodes.model", subject="model model")
def nothing_served() -> Pair:
    """There is no evidence at all."""
    return question(), replace(question(), evidence=())


TESTED: dict[str, Any] = {"predicate": TEST_RESULT_V01, "signed_by": by("developer")}


def tested(*results: str, **more: Any) -> Question:
    """A model that must have passed its tests."""
    said_so = [
        said(MODEL, Said(predicate_type=TEST_RESULT_V01, body={"result": result, "configuration": []}), "developer")
        for result in results
    ]
    return question(RUN, *said_so, policy=alone(PROVENANCE, TESTED, **more))


@attack("Suppression of FAILED", code="chain.no-attestation", rule="nodes.model", subject="model model")
def failed_test_taken_away() -> Pair:
    """The result that says FAILED is not served. That nothing bad was said is worth nothing."""
    return tested("PASSED"), tested()


@attack("Suppression of FAILED", code="policy.expect", rule="nodes.model.expect.result", subject="model model")
def failed_test_served() -> Pair:
    """A test result is there, and it is FAILED."""
    return tested("PASSED"), tested("FAILED")


@attack("Suppression of FAILED", code="policy.contradiction", rule="contradictions", subject="model model")
def failed_test_beside_a_passed_one() -> Pair:
    """Two results contradict each other, where the policy wants one account."""
    return tested("PASSED", contradictions="deny"), tested("PASSED", "FAILED", contradictions="deny")


@attack("Suppression of FAILED", code="policy.expect", rule="nodes.code.expect.result", subject="code code")
def failed_summary() -> Pair:
    """A summary is there, and it says FAILED."""
    asked = summarised()
    failed = summary(verificationResult="FAILED", verifiedLevels=["FAILED"])
    return question(*instead(SOURCE, summary()), policy=asked), question(*instead(SOURCE, failed), policy=asked)


@attack("Suppression of FAILED", code="policy.expect", rule="nodes.code.expect.result", subject="code code")
def passed_summary_that_lists_failed() -> Pair:
    """A summary says PASSED, and lists FAILED among what it verified."""
    asked = summarised()
    failed = summary(verifiedLevels=["SLSA_SOURCE_LEVEL_3", "FAILED"])
    return question(*instead(SOURCE, summary()), policy=asked), question(*instead(SOURCE, failed), policy=asked)


# --- cycles ----------------------------------------------------------------------------------------------------------

MADE = {"predicate": PROVENANCE_V1, "signed_by": by("trainer"), "expect": {"builder": BUILDER}}
RINGS = policy(lambda p: p.update(nodes={"model": {"require": [MADE]}, "dataset": {"require": [MADE]}}))


def made_of(*names: str) -> Question:
    """A model made of the first of these, each of which is made of the next; the last one of nothing."""
    things = {name: Blob(name.encode(), name=name, kind="dataset").measure() for name in names}
    runs = [run(used(things[names[0]], "dataset"))]
    for name, below in itertools.pairwise(names):
        runs.append(run(used(things[below], "dataset"), about=things[name]))
    return question(*runs, policy=RINGS)


def ends(*names: str) -> Question:
    """The same, where the last thing is made of nothing."""
    last = Blob(names[-1].encode(), name=names[-1], kind="dataset").measure()
    bottom = said(last, provenance())
    asked = made_of(*names)
    return replace(asked, evidence=(*asked.evidence, bottom))


@attack(
    "Cycle",
    code="chain.cycle",
    rule="nodes.dataset",
    subject="dataset a",
    variants={"itself": ("a", "a"), "two": ("a", "b", "a"), "five": ("a", "b", "c", "d", "e", "a")},
)
def made_of_itself(names: tuple[str, ...]) -> Pair:
    """Each of a ring of datasets is made of the next one, so that each vouches for the other."""
    return ends(*dict.fromkeys(names)), made_of(*names)


@attack("Cycle", code="chain.cycle", rule="nodes.baseModel", subject="baseModel model")
def model_made_of_itself() -> Pair:
    """The model's run names the model as its base."""
    asked = policy(lambda p: p.update(nodes={"model": {"require": [MADE]}, "baseModel": {"require": [MADE]}}))
    asked["nodes"]["baseModel"]["require"] = [MADE]
    itself = run(used(MODEL, "baseModel"))
    return question(said(MODEL, provenance()), policy=asked), question(itself, policy=asked)


# --- what changes nothing --------------------------------------------------------------------------------------------


@attack("Strangers' evidence")
def strangers_say_everything() -> Pair:
    """A stranger says everything over again, and the contrary, in a hundred pieces."""
    strange = [run(by=MALLORY, invocation_id=f"urn:{n}") for n in range(50)]
    strange += [said(DATA, DataRecord(name=f"{n}"), MALLORY) for n in range(50)]
    return question(), question(*strange, *EVIDENCE)


@attack("Strangers' evidence")
def strangers_contradict() -> Pair:
    """A stranger contradicts, where contradictions of those who are trusted would be a no."""
    asked = policy(lambda p: p.update(contradictions="deny"))
    other = run(by=MALLORY, builder_id="https://evil.example")
    return question(policy=asked), question(*EVIDENCE, other, policy=asked)


@attack("Strangers' evidence")
def junk_in_the_pile() -> Pair:
    """The pile holds what is no attestation: text, pictures, halves of honest ones, empty files."""
    junk = (b"<html>404</html>", b"\x89PNG\r\n", RUN[:1000], b"\n", b"{}", b"[]", b"null", b"\xff" * 100)
    return question(), question(*junk, *EVIDENCE)


@attack("Order of the evidence")
def evidence_the_other_way_round() -> Pair:
    """The evidence is served in another order, and each piece twice, once with white space around it."""
    doubled = [piece for item in reversed(EVIDENCE) for piece in (b" " + item + b"\n", item)]
    return question(), question(*doubled)


@attack("A changed byte")
def hint_of_the_container_changed() -> Pair:
    """What is not signed was changed: the hint in the container, which only says where to look first."""
    other = changed(RUN, lambda p: p["verificationMaterial"]["publicKey"].update(hint="c29tZWJvZHk="))
    return question(), question(*instead(RUN, other))
