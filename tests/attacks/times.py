"""When was it signed, and was that allowed? A Sigstore witnesses it, for keys and for certificates."""

import json
from datetime import timedelta
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest import Trust
from glasswing_attest.records import EvaluationRecord, Metric, ResourceReference
from glasswing_attest.testing import LeafOptions
from glasswing_attest.trust.root import TrustedKey
from tests.attacks.corpus import Pair, attack
from tests.attacks.site import (
    AT,
    BOTH_WAYS,
    DATA,
    DAY,
    HOUR,
    INPUTS,
    MODEL,
    PROVENANCE,
    RECORD,
    RUN,
    SOURCE,
    alone,
    by,
    key,
    policy,
    question,
    run,
    trusted,
    watched,
)
from tests.chains import FINISHED, STARTED, provenance

MODEL_ROOT: dict[str, Any] = {"rule": "nodes.model", "subject": "model model"}
LATE: dict[str, Any] = {"code": "chain.causality", "rule": "nodes.dataset", "subject": "dataset penguins"}
SECOND = timedelta(seconds=1)
LIFE = timedelta(minutes=10)

# --- after the fact --------------------------------------------------------------------------------------------------


@attack(
    "Post-hoc provenance",
    **LATE,
    variants={
        f"{how}-{late}": (keyless, delay)
        for how, keyless in BOTH_WAYS.items()
        for late, delay in {"by-a-second": SECOND, "by-a-day": DAY}.items()
    },
)
def data_attested_after_its_use(how: tuple[bool, timedelta]) -> Pair:
    """Yesterday's dataset is attested today, to complete a chain."""
    keyless, delay = how
    site = watched(keyless=keyless)
    made, source = site.run(), site.source()
    return site.question(made, site.record(), source), site.question(made, site.record(STARTED + delay), source)


@attack("Post-hoc provenance", code="chain.causality", rule="nodes.code", subject="code code", variants=BOTH_WAYS)
def code_attested_after_its_use(keyless: bool) -> Pair:
    """The commit is reviewed and attested after it had run."""
    site = watched(keyless=keyless)
    made, record = site.run(), site.record()
    return site.question(made, record, site.source()), site.question(made, record, site.source(FINISHED + DAY))


@attack("Post-hoc provenance", code="chain.causality", **MODEL_ROOT, variants=BOTH_WAYS)
def run_that_tells_no_start(keyless: bool) -> Pair:
    """The run does not tell when it started, so that everything would be before it."""
    site = watched(keyless=keyless)
    silent = site.said(MODEL, provenance(*INPUTS, started_on=None), "trainer", FINISHED)
    rest = (site.record(), site.source())
    return site.question(site.run(), *rest), site.question(silent, *rest)


@attack(
    "Post-hoc provenance",
    code="policy.times",
    rule="nodes.model.times",
    subject="model model",
    variants={
        f"{how}-{name}": (keyless, times)
        for how, keyless in BOTH_WAYS.items()
        for name, times in {
            "ends-before-it-starts": {"started_on": FINISHED, "finished_on": STARTED},
            "ends-after-it-was-signed": {"finished_on": FINISHED + SECOND},
            "starts-after-it-was-signed": {"started_on": FINISHED + DAY, "finished_on": None},
        }.items()
    },
)
def times_that_make_no_sense(how: tuple[bool, dict[str, Any]]) -> Pair:
    """The run tells times that cannot be, to stand before or after something else."""
    keyless, times = how
    site = watched(keyless=keyless)
    odd = site.said(MODEL, provenance(*INPUTS, **times), "trainer", FINISHED)
    rest = (site.record(STARTED - DAY), site.source(STARTED - DAY))
    return site.question(site.run(), *rest), site.question(odd, *rest)


@attack(
    "Post-hoc provenance",
    code="verification.not-logged",
    rule="nodes.dataset",
    subject="dataset penguins",
    variants=BOTH_WAYS,
)
def late_record_without_a_log(keyless: bool) -> Pair:
    """Whoever leaves the log out tells no time that could be too late."""
    site = watched(keyless=keyless)
    made, source = site.run(), site.source()
    return site.question(made, site.record(), source), site.question(made, site.record(FINISHED, log=None), source)


@attack(
    "Post-hoc provenance",
    code="verification.time-unproven",
    rule="nodes.dataset",
    subject="dataset penguins",
    variants=BOTH_WAYS,
)
def late_record_without_a_stamp(keyless: bool) -> Pair:
    """The log tells no time of its own, and nobody stamped the signature."""
    site = watched(keyless=keyless)
    made, source = site.run(), site.source()
    return site.question(made, site.record(), source), site.question(made, site.record(FINISHED, stamps=0), source)


@attack("Re-stamped run", **LATE, variants=BOTH_WAYS)
def run_signed_again_after_the_record(keyless: bool) -> Pair:
    """The run is signed again, so that it comes after a record that was made too late."""
    site = watched(keyless=keyless)
    late = (site.record(STARTED + DAY), site.source())
    again = (site.run(), site.run(STARTED + 2 * DAY), site.run(STARTED + 20 * DAY))
    return site.question(*again, site.record(), site.source()), site.question(*again, *late)


@attack("Re-stamped run", **LATE)
def run_stamped_again_after_the_record() -> Pair:
    """Anybody can have a key's old signature stamped again, after a record that was made too late."""
    site = watched(keyless=False)
    again = site.stamped_anew(site.run(), STARTED + 2 * DAY)
    late = (site.record(STARTED + DAY), site.source())
    return site.question(again, site.record(), site.source()), site.question(again, *late)


@attack("Re-stamped run", code="verification.outside-validity", **MODEL_ROOT)
def certificate_stamped_after_its_life() -> Pair:
    """A certificate's old signature is stamped again, when the certificate has long expired."""
    site = watched(keyless=True)
    made = site.run()
    rest = (site.record(), site.source())
    return site.question(made, *rest), site.question(site.stamped_anew(made, STARTED + 2 * DAY), *rest)


# --- old -------------------------------------------------------------------------------------------------------------


@attack(
    "Old evidence stamped anew",
    code="policy.max-age",
    rule="nodes.model.max_age",
    subject="model model",
    variants={"logged-and-stamped-anew": "signed", "stamped-anew": "stamped"},
)
def old_evaluation_made_young(how: str) -> Pair:
    """A three-year-old evaluation is logged or stamped today, and passes for new."""
    site = watched(keyless=False)
    yesterday = AT - DAY

    def evaluation(finished: Any, signed: Any) -> bytes:
        record = EvaluationRecord(
            metrics=(Metric(name="accuracy", value="0.95"),),
            dataset=ResourceReference(name="penguins", digest=DATA.digests.to_dict()),
            finished=finished,
        )
        return site.said(MODEL, record, "developer", signed)

    needs = {"predicate": EvaluationRecord.predicate_type, "signed_by": by("developer"), "max_age": "30d"}
    asked = site.policy(lambda p: p.update(nodes={"model": {"require": [needs]}}))
    old = STARTED - 20 * DAY
    if how == "signed":
        attacked = evaluation(AT - 1000 * DAY, yesterday)
    else:
        attacked = site.stamped_anew(evaluation(old, old), yesterday)
    return site.question(evaluation(yesterday, yesterday), policy=asked), site.question(attacked, policy=asked)


@attack(
    "Old evidence stamped anew",
    code="policy.max-age",
    rule="nodes.model.max_age",
    subject="model model",
    variants=BOTH_WAYS,
)
def provenance_that_lies_about_its_age(keyless: bool) -> Pair:
    """Signed long ago; for a key, the run's own end tells, for a certificate the start of its life."""
    site = watched(keyless=keyless)
    needs = {**PROVENANCE, "max_age": "20d"}
    asked = site.policy(lambda p: p.update(nodes=alone(needs)["nodes"]))
    new = site.said(MODEL, provenance(*INPUTS, started_on=AT - 2 * HOUR, finished_on=AT - HOUR), "trainer", AT - HOUR)
    return site.question(new, policy=asked), site.question(site.run(), policy=asked)


# --- expired ---------------------------------------------------------------------------------------------------------


@attack(
    "Expired identity",
    code="verification.outside-validity",
    **MODEL_ROOT,
    variants={
        "expired": LeafOptions(starts=-LIFE - SECOND, lifetime=LIFE),
        "years-ago": LeafOptions(starts=-1000 * DAY, lifetime=LIFE),
        "not-yet": LeafOptions(starts=SECOND, lifetime=LIFE),
    },
)
def certificate_out_of_its_life(leaf: LeafOptions) -> Pair:
    """The certificate had expired, or had not begun, when the log and the clock saw the signature."""
    site = watched(keyless=True)
    rest = (site.record(), site.source())
    edge = site.run(leaf=LeafOptions(starts=-LIFE, lifetime=LIFE))
    return site.question(edge, *rest), site.question(site.run(leaf=leaf), *rest)


def _usages() -> dict[str, LeafOptions]:
    return {
        "no-code-signing": LeafOptions(usages=(ExtendedKeyUsageOID.SERVER_AUTH,)),
        "no-signatures": LeafOptions(digital_signature=False),
        "an-authority": LeafOptions(ca=True),
        "unknown-critical": LeafOptions(unknown_critical=True),
    }


@attack("Expired identity", code="verification.certificate", **MODEL_ROOT, variants=_usages())
def certificate_for_something_else(leaf: LeafOptions) -> Pair:
    """The certificate is of the trusted authority and of the right name, and not for signing code."""
    site = watched(keyless=True)
    rest = (site.record(), site.source())
    return site.question(site.run(), *rest), site.question(site.run(leaf=leaf), *rest)


@attack("Expired identity", code="verification.certificate", **MODEL_ROOT)
def certificate_that_no_log_promised() -> Pair:
    """The authority issued a certificate behind everybody's back: no certificate log knows it."""
    site = watched(keyless=True)
    rest = (site.record(), site.source())
    return site.question(site.run(), *rest), site.question(site.run(leaf=LeafOptions(ct_logs=())), *rest)


@attack("Expired identity", code="verification.outside-validity", **MODEL_ROOT)
def key_after_its_window() -> Pair:
    """A rotated key signs on; the new one stands beside it in the trust."""
    old = TrustedKey(name="trainer-2025", key=key("trainer").public_key, valid_until=AT - DAY)
    new = TrustedKey(name="trainer-2026", key=key("trainer-2026").public_key, valid_from=AT - DAY)
    trust = Trust(keys=(*trusted("data-team", "developer").keys, old, new))
    names = {"trainer": {"key": "trainer-2025"}, "new": {"key": "trainer-2026"}}

    def rotated(plain: dict[str, Any]) -> None:
        plain["identities"].update(names)
        plain["nodes"]["model"]["require"][0]["signed_by"] = by("trainer", "new")

    asked = policy(rotated)
    honest = question(run(by="trainer-2026"), RECORD, SOURCE, trust=trust, policy=asked)
    return honest, question(RUN, RECORD, SOURCE, trust=trust, policy=asked)


@attack(
    "Key compromise",
    code="verification.outside-validity",
    **MODEL_ROOT,
    variants={"a-second-late": SECOND, "a-month-late": 28 * DAY},
)
def key_signs_in_the_past(late: timedelta) -> Pair:
    """The key was stolen and its window closed. The thief writes any time into the run; the witness does not."""
    site = watched(keyless=False)
    trust = site.trust(until=FINISHED)
    rest = (site.record(), site.source())
    return site.question(site.run(), *rest, trust=trust), site.question(site.run(FINISHED + late), *rest, trust=trust)


@attack("Key compromise", code="verification.not-logged", **MODEL_ROOT)
def key_signs_without_a_witness() -> Pair:
    """The thief leaves the witness out."""
    site = watched(keyless=False)
    trust = site.trust(until=FINISHED)
    rest = (site.record(), site.source())
    return site.question(site.run(), *rest, trust=trust), site.question(site.run(log=None), *rest, trust=trust)


@attack("Key compromise", code="verification.not-logged", **MODEL_ROOT)
def key_borrows_a_witness() -> Pair:
    """The thief takes the log entry and the stamp of an honest signature over to the new one."""
    site = watched(keyless=False)
    trust = site.trust(until=FINISHED)
    honest = site.run()
    other = run(*INPUTS, invocation_id="urn:uuid:00000000-0000-4000-8000-000000000009")
    plain = json.loads(other)
    borrowed = json.loads(honest)["verificationMaterial"]
    plain["verificationMaterial"] = {**borrowed, "publicKey": plain["verificationMaterial"]["publicKey"]}
    rest = (site.record(), site.source())
    return site.question(honest, *rest, trust=trust), site.question(json.dumps(plain).encode(), *rest, trust=trust)
