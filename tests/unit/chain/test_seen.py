"""Is nothing older accepted than what was accepted before?  docs: verifying, "Against a rollback"."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import Attestation, Manifest, Policy, Report, Trust, Verifier, attest, replay
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.seen import Seen, Sighting
from glasswing_attest.claims import opaque
from glasswing_attest.errors import FieldRefused, FormatUnsupported, MalformedError, UnavailableError, UsageError
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.predicates.summary import SUMMARY_V1, VerificationSummary
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.store import Evidence, Item, MemoryStore
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.testing.certificates import Holder
from glasswing_attest.verification import binding
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.transparency import LogPosition
from tests.chains import BUILD_TYPE, BUILDER, Said, signer, tree, used

CHECKED = "https://example.com/checked/v1"
CI = Holder.of("data@acme.example")
DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + 365 * DAY


def model(version: int, name: str = "penguins") -> Manifest:
    return tree("model", {"model.bin": b"%d" % version}, name)


def policy(identities: dict[str, Any], **requirement: Any) -> Policy:
    rule = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": [*identities]}, "expect": {"builder": BUILDER}}
    return Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "identities": identities,
            "nodes": {"model": {"require": [{**rule, **requirement}]}},
        }
    )


BY_KEY = Verifier(policy=policy({"ci": {"key": "ci"}}), trust=Trust.of(ci=signer("ci").public_key))


def run(about: Manifest, ended: datetime | None, **more: Any) -> Attestation:
    """A run by a key, whose signer says when it ended."""
    said = Provenance(build_type=BUILD_TYPE, builder_id=BUILDER, finished_on=ended, **more)
    return attest(about, said, signer=signer("ci"))


def ask(version: int, *evidence: Evidence, seen: Seen | None = None, verifier: Verifier = BY_KEY) -> Report:
    return verifier.assess(model(version), evidence, at=LATER, seen=seen)


def by_type(seen: Seen) -> list[Sighting]:
    """What is known of each type by itself."""
    return [sighting for sighting in seen.sightings if sighting.predicate_type != "*"]


def rolled_back(report: Report, *, found: str, wanted: str) -> None:
    assert report.verdict == "refused"
    assert report.cause is not None
    assert (report.cause.code, report.cause.rule) == ("policy.rollback", "nodes.model.seen")
    assert found in report.cause.found
    assert wanted in report.cause.wanted


# --- by times --------------------------------------------------------------------------------------------------------

OLD, NEW = run(model(1), START), run(model(2), START + DAY)


def test_an_older_version_is_refused_once_a_newer_was_accepted() -> None:
    first = ask(1, OLD)
    assert first.accepted
    second = ask(2, NEW, seen=first.seen)
    assert second.accepted
    back = ask(1, OLD, seen=second.seen)
    rolled_back(back, found="signed no earlier than 2026-01-01T00:00:00Z", wanted="2026-01-02T00:00:00Z, as seen")
    assert back.seen == second.seen  # a refusal teaches nothing
    # Without the state it is as good as ever: that is what the state is for.
    assert ask(1, OLD).accepted


def test_what_was_accepted_is_accepted_again() -> None:
    first = ask(2, NEW)
    again = ask(2, NEW, seen=first.seen)
    assert again.accepted
    assert again.seen == first.seen
    # A newer statement about the same bytes counts from now on.
    newer = run(model(2), START + 2 * DAY)
    third = ask(2, newer, seen=first.seen)
    assert third.seen.sightings[0].not_before == START + 2 * DAY
    rolled_back(ask(2, NEW, seen=third.seen), found="2026-01-02", wanted="2026-01-03")
    assert ask(2, NEW, newer, seen=third.seen).accepted


def test_the_state_is_kept_by_kind_name_and_type() -> None:
    seen = ask(2, NEW).seen
    assert [s.key for s in by_type(seen)] == [("model", "penguins", PROVENANCE_V1)]
    assert BY_KEY.assess(model(1, "whales"), [OLD], at=LATER, seen=seen).accepted
    both = BY_KEY.assess(model(1, "whales"), [OLD], at=LATER, seen=seen).seen
    assert [s.name for s in by_type(both)] == ["penguins", "whales"]
    rolled_back(ask(1, OLD, seen=both), found="2026-01-01", wanted="2026-01-02")


def test_what_tells_no_time_shows_nothing() -> None:
    timeless = run(model(1), None)
    assert ask(1, timeless).accepted
    assert ask(1, timeless).seen == Seen()  # nothing by which the next could be compared
    rolled_back(ask(1, timeless, seen=ask(2, NEW).seen), found="no time before which", wanted="2026-01-02")


def untold(report: Report) -> bool:
    assert report.accepted
    found = [finding for finding in report.findings if finding.code == "chain.untold"]
    assert all((each.tier, each.rule, each.subject) == ("warning", "seen", "model penguins") for each in found)
    return bool(found)


def test_a_yes_that_compares_nothing_says_so() -> None:
    old, new = run(model(1), None), run(model(2), None)
    seen, blind = Seen(), []
    for version, evidence in ((1, old), (2, new), (1, old)):
        report = ask(version, evidence, seen=seen)
        blind.append(untold(report))
        seen = report.seen
    assert (blind, seen) == ([True, True, True], Seen())
    assert not untold(ask(1, old))  # nobody asked for it
    assert "chain.untold" in [each["code"] for each in ask(1, old, seen=Seen()).to_dict()["findings"]]
    # Where a time is told, or the very artifact was accepted last, all is well.
    assert not untold(ask(2, NEW, seen=Seen()))
    assert not untold(ask(2, NEW, new, seen=ask(2, NEW).seen))


def test_one_type_that_tells_protects_those_that_do_not() -> None:
    both = asking(require=[BY_RUN, BY_CHECK])
    first = ask(1, OLD, check(1), seen=Seen(), verifier=both)
    assert not untold(first)
    assert not untold(ask(2, NEW, check(2), seen=first.seen, verifier=both))
    assert untold(ask(1, run(model(1), None), check(1), seen=Seen(), verifier=both))
    # A time that is still to come is not kept, so it protects nothing.
    claims = ask(2, NEW).claims
    assert Seen().is_blind("model", "penguins", model(2).digests, claims, START)
    assert not Seen().is_blind("model", "penguins", model(2).digests, claims, LATER)


def test_places_in_another_log_compare_nothing() -> None:
    sigstore = VirtualSigstore()
    (claim,) = ask(2, signed(sigstore, 2), verifier=keyless(sigstore)).claims
    (place,) = claim.verified.logs

    def known(log: str, digests: DigestSet) -> Seen:
        it = {"kind": "model", "name": "penguins", "statements": ()}
        logs = (LogPosition(log=log, tree=place.tree, index=0),)
        return Seen(
            (
                Sighting(**it, predicate_type=PROVENANCE_V1, logs=logs),  # type: ignore[arg-type]
                Sighting(**it, predicate_type="*", digests=digests),  # type: ignore[arg-type]
            )
        )

    asked = ("model", "penguins", model(2).digests, [claim], LATER)
    assert known("00", model(1).digests).is_blind(*asked)
    assert not known(place.log, model(1).digests).is_blind(*asked)
    assert not known("00", model(2).digests).is_blind(*asked)  # the very one that was accepted last


def test_what_has_no_name_is_not_kept() -> None:
    # All that has none would be taken for one artifact, and an honest one refused for another's sake.
    with pytest.raises(UsageError) as caught:
        BY_KEY.assess(replace(model(1), name=""), [OLD], at=LATER, seen=Seen())
    assert (caught.value.code, caught.value.where) == ("usage", "seen")
    assert "--name NAME" in caught.value.do
    assert BY_KEY.assess(replace(model(1), name=""), [OLD], at=LATER).accepted


def test_a_better_candidate_is_found() -> None:
    seen = ask(2, NEW).seen
    renewed = run(model(1), START + 3 * DAY)  # somebody trusted says today that version 1 is what is meant
    assert ask(1, OLD, renewed, seen=seen).accepted


def test_only_the_artifact_itself_is_compared() -> None:
    # What it was made from may be as old as it likes.
    made = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["ci"]}, "expect": {"builder": BUILDER}}
    both = Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "identities": {"ci": {"key": "ci"}},
            "nodes": {"model": {"require": [made]}, "dataset": {"require": [made]}},
        }
    )
    data = tree("dataset", {"d.csv": b"1"}, "penguins")
    chain = [run(model(3), START + 5 * DAY, resolved_dependencies=(used(data, "dataset"),)), run(data, START)]
    verifier = Verifier(policy=both, trust=BY_KEY.trust)
    newest = Sighting(
        kind="dataset", name="penguins", predicate_type=PROVENANCE_V1, statements=(), not_before=START + 9 * DAY
    )
    report = verifier.assess(model(3), chain, at=LATER, seen=Seen((newest,)))
    assert report.accepted
    assert verifier.assess(data, chain, at=LATER, seen=Seen((newest,))).verdict == "refused"


def test_a_time_to_come_does_not_shut_out_what_is_honest() -> None:
    # A rule on times refuses such a run; of a type without one, the time would be believed.
    sighting = Sighting(kind="model", name="penguins", predicate_type=PROVENANCE_V1, statements=())
    claims = ask(2, NEW).claims
    assert sighting.after(claims, START).not_before is None  # its only time is after `latest`
    assert sighting.after(claims, LATER).not_before == START + DAY
    model_2 = model(2).digests
    assert Seen().after("model", "penguins", model_2, claims, START) == Seen()
    # What was known stays known, whatever the clock of this machine says today.
    seen = Seen().after("model", "penguins", model_2, claims, LATER)
    assert seen.after("model", "penguins", model_2, claims, START) == seen


def test_what_is_refused_for_something_else_teaches_nothing() -> None:
    # The chain stands, but nobody here read the bytes.
    declared = Manifest.declared("model", model(2).digests)
    report = BY_KEY.assess(declared, [NEW], at=LATER)
    assert report.cause is not None
    assert (report.cause.code, report.seen) == ("policy.declared", Seen())


def test_several_statements_of_one_type_go_together() -> None:
    trust = Trust.of({name: signer(name).public_key for name in ("qa-a", "qa-b")})
    rule = {
        "predicate": PROVENANCE_V1,
        "signed_by": {"threshold": 2, "of": ["qa-a", "qa-b"], "over": "same_type"},
        "expect": {"builder": BUILDER},
    }
    two = Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "identities": {name: {"key": name} for name in ("qa-a", "qa-b")},
            "nodes": {"model": {"require": [rule]}},
        }
    )
    verifier = Verifier(policy=two, trust=trust)

    def said(version: int, by: str, day: int) -> Attestation:
        body = Provenance(build_type=BUILD_TYPE, builder_id=BUILDER, finished_on=START + day * DAY)
        return attest(model(version), body, signer=signer(by))

    now = [said(2, "qa-a", 4), said(2, "qa-b", 9)]
    seen = ask(2, *now, verifier=verifier).seen
    (sighting,) = by_type(seen)
    assert sighting.not_before == START + 9 * DAY
    assert len(sighting.statements) == 2
    again = ask(2, *now, seen=seen, verifier=verifier)  # also the one that is older than the latest
    assert (again.accepted, again.seen) == (True, seen)
    between = [said(1, "qa-a", 6), said(1, "qa-b", 8)]
    rolled_back(ask(1, *between, seen=seen, verifier=verifier), found="2026-01-", wanted="2026-01-10")


# --- by certificates and logs ----------------------------------------------------------------------------------------


def keyless(sigstore: VirtualSigstore) -> Verifier:
    identity = {"issuer": CI.issuer, "san": CI.san}
    return Verifier(policy=policy({"ci": identity}), trust=sigstore.trust())


def signed(sigstore: VirtualSigstore, version: int, log: Literal["v1", "v2"] = "v2") -> Attestation:
    said = Provenance(build_type=BUILD_TYPE, builder_id=BUILDER)
    return attest(model(version), said, signer=sigstore.signer(CI, log=log))


def test_a_certificate_tells_when_it_cannot_have_been_signed() -> None:
    sigstore = VirtualSigstore()
    old = signed(sigstore, 1)
    sigstore.clock.advance(days=1)
    new = signed(sigstore, 2)
    verifier = keyless(sigstore)
    seen = ask(2, new, verifier=verifier).seen
    (sighting,) = by_type(seen)
    assert sighting.not_before is not None
    assert [place.index for place in sighting.logs] == [6]
    rolled_back(ask(1, old, seen=seen, verifier=verifier), found="signed no earlier than", wanted="as seen")
    assert ask(2, new, seen=ask(1, old, verifier=verifier).seen, verifier=verifier).accepted


def test_within_one_second_the_place_in_the_log_tells() -> None:
    sigstore = VirtualSigstore()
    old, new = signed(sigstore, 1), signed(sigstore, 2)  # the clock stands still
    verifier = keyless(sigstore)
    seen = ask(2, new, verifier=verifier).seen
    rolled_back(ask(1, old, seen=seen, verifier=verifier), found="entry 5 of ", wanted="entry 6 or later")
    # Another log's places say nothing of this one's.
    elsewhere = signed(sigstore, 1, "v1")
    assert ask(1, elsewhere, seen=seen, verifier=verifier).accepted


def test_an_old_signature_that_is_logged_again_stays_old() -> None:
    # Whoever has the envelope can log it anew: its entry is the last, and its certificate the old one.
    position = LogPosition(log="00", tree="rekor.example", index=9)
    sigstore = VirtualSigstore()
    old = signed(sigstore, 1)
    (claim,) = ask(1, old, verifier=keyless(sigstore)).claims
    (place,) = claim.verified.logs
    seen = Sighting(
        kind="model",
        name="penguins",
        predicate_type=PROVENANCE_V1,
        statements=(),
        not_before=sigstore.clock.now + DAY,
        logs=(LogPosition(log=place.log, tree=place.tree, index=0), position),
    )
    rolled_back(
        ask(1, old, seen=Seen((seen,)), verifier=keyless(sigstore)), found="signed no earlier", wanted="as seen"
    )


# --- as data ---------------------------------------------------------------------------------------------------------


def test_it_is_written_and_read(tmp_path: Path) -> None:
    sigstore = VirtualSigstore()
    seen = ask(2, NEW, seen=ask(1, signed(sigstore, 1), verifier=keyless(sigstore)).seen).seen
    other = Sighting(
        kind="file", name="", predicate_type=CHECKED, statements=(), logs=(LogPosition(log="0", tree="é", index=2**63),)
    )
    seen = Seen((*seen.sightings, other))
    assert Seen.parse(seen.to_json()) == seen
    assert Seen.load(seen.write(tmp_path / "seen.json")) == seen
    assert [s.kind for s in by_type(seen)] == ["file", "model"]
    assert Seen(seen.sightings[::-1]) == seen
    with pytest.raises(UnavailableError) as caught:
        Seen.load(tmp_path / "none.json")
    assert caught.value.code == "unavailable"


@pytest.mark.parametrize(
    ("data", "error", "where"),
    [
        (b"", MalformedError, "seen"),
        (b"{}", MalformedError, "seen.seen"),
        (b'{"seen": 1}', MalformedError, "seen.artifacts"),
        (b'{"seen": 2, "artifacts": []}', FormatUnsupported, "seen.seen"),
        (b'{"seen": 1, "artifacts": [{"kind": "model"}]}', MalformedError, "seen.artifacts[0].predicateType"),
        (
            b'{"seen": 1, "artifacts": [{"kind": "m", "predicateType": "t", "notBefore": "yesterday"}]}',
            FieldRefused,
            "seen.artifacts[0].notBefore",
        ),
        (
            b'{"seen": 1, "artifacts": [{"kind": "m", "predicateType": "t", "logs": [{"log": "", "tree": "x"}]}]}',
            MalformedError,
            "seen.artifacts[0].logs[0].index",
        ),
        (
            b'{"seen": 1, "artifacts": [{"kind": "m", "predicateType": "*", "digests": {"sha256": "zz"}}]}',
            MalformedError,
            "seen.artifacts[0].digests.sha256",
        ),
        (
            b'{"seen": 1, "artifacts": [{"kind": "m", "predicateType": "t"}, {"kind": "m", "predicateType": "t"}]}',
            FieldRefused,
            "artifacts",
        ),
    ],
)
def test_what_is_no_state_is_refused(data: bytes, error: type[Exception], where: str) -> None:
    # There is no default: whoever cannot read what was seen does not know that nothing was.
    with pytest.raises(error) as caught:
        Seen.parse(data)
    assert caught.value.where == where  # type: ignore[attr-defined]
    if isinstance(caught.value, MalformedError):
        assert caught.value.kind == "trust"


def test_a_verifier_wants_a_state_and_nothing_else() -> None:
    wrong: Any = {"seen": 1}
    with pytest.raises(UsageError) as caught:
        BY_KEY.assess(model(1), [OLD], seen=wrong)
    assert (caught.value.code, caught.value.where) == ("usage", "seen")


def test_a_case_keeps_it(tmp_path: Path) -> None:
    seen = ask(2, NEW).seen
    for version, evidence, verdict in ((1, OLD, "refused"), (2, NEW, "accepted")):
        report = ask(version, evidence, seen=seen)
        again = replay(report.case(tmp_path / f"{version}.zip"))
        assert (report.verdict, again.verdict, again.seen, again.seen_before) == (verdict, verdict, report.seen, seen)
    assert replay(ask(1, OLD).case(tmp_path / "without.zip")).seen_before is None
    # That it was asked for, the first time too, is part of the question.
    first = BY_KEY.assess(model(1), [run(model(1), None)], at=LATER, seen=Seen())
    again = replay(first.case(tmp_path / "first.zip"))
    assert again.seen_before == Seen()
    assert "chain.untold" in {finding.code for finding in again.findings}


# --- by several types ------------------------------------------------------------------------------------------------


def asking(**rule: Any) -> Verifier:
    """By runs, by checks that tell no time, and by summaries."""
    plain = {"version": 1, "times": "claimed", "identities": {"ci": {"key": "ci"}}, "nodes": {"model": rule}}
    return Verifier(policy=Policy.model_validate(plain), trust=BY_KEY.trust, predicates=(opaque(CHECKED),))


BY_RUN = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["ci"]}, "expect": {"builder": BUILDER}}
BY_CHECK = {"predicate": CHECKED, "signed_by": {"any_of": ["ci"]}}
BY_SUMMARY = {
    "predicate": SUMMARY_V1,
    "signed_by": {"any_of": ["ci"]},
    "expect": {"verifier": "https://verifier.example", "resource": "pkg:generic/penguins"},
}
EITHER = asking(any_of=[{"require": [BY_RUN]}, {"require": [BY_CHECK]}, {"require": [BY_SUMMARY]}])


def check(version: int) -> Attestation:
    return attest(model(version), Said(predicate_type=CHECKED, body={}), signer=signer("ci"))


def summary(version: int, days: int) -> Attestation:
    said = VerificationSummary(
        verifier_id="https://verifier.example",
        resource_uri="pkg:generic/penguins",
        result="PASSED",
        time_verified=START + days * DAY,
        policy=ResourceDescriptor(uri="https://policy.example"),
        levels=("SLSA_BUILD_LEVEL_2",),
    )
    return attest(model(version), said, signer=signer("ci"))


def test_the_other_way_to_be_accepted_leads_back_to_nothing() -> None:
    # Whoever serves the evidence chooses on which alternative the artifact stands.
    seen = ask(2, NEW, verifier=EITHER).seen
    rolled_back(ask(1, summary(1, 0), seen=seen, verifier=EITHER), found="2026-01-01", wanted="2026-01-02")
    rolled_back(ask(1, check(1), seen=seen, verifier=EITHER), found="no time before which", wanted="2026-01-02")
    # Nor does what was accepted for the old one, before the new one was.
    before = ask(1, summary(1, 0), verifier=EITHER).seen
    after = ask(2, NEW, seen=before, verifier=EITHER).seen
    rolled_back(ask(1, summary(1, 0), seen=after, verifier=EITHER), found="2026-01-01", wanted="2026-01-02")
    both = ask(1, OLD, check(1), verifier=asking(require=[BY_RUN, BY_CHECK])).seen
    assert CHECKED in {s.predicate_type for s in both.sightings}
    after = ask(2, NEW, seen=both, verifier=EITHER).seen
    assert CHECKED not in {s.predicate_type for s in after.sightings}
    rolled_back(ask(1, check(1), seen=after, verifier=EITHER), found="no time before which", wanted="2026-01-02")


def test_the_same_artifact_stands_on_what_it_likes() -> None:
    # It is no older than itself, whatever was said of it before.
    seen = ask(2, NEW, verifier=EITHER).seen
    for evidence in (summary(2, 0), check(2)):
        again = ask(2, evidence, seen=seen, verifier=EITHER)
        assert again.accepted
        # And nothing sinks by that: version 1 stands on nothing that is older than what was accepted first.
        rolled_back(ask(1, summary(1, 0), seen=again.seen, verifier=EITHER), found="2026-01-01", wanted="2026-01-02")
    # A newer version may stand on another ground than the last one.
    third = ask(3, summary(3, 2), seen=seen, verifier=EITHER)
    assert third.accepted
    rolled_back(ask(2, NEW, seen=third.seen, verifier=EITHER), found="2026-01-02", wanted="2026-01-03")


def test_what_never_tells_a_time_goes_with_what_does() -> None:
    both = asking(require=[BY_RUN, BY_CHECK])
    seen = ask(1, OLD, check(1), verifier=both).seen
    second = ask(2, NEW, check(2), seen=seen, verifier=both)
    assert second.accepted
    rolled_back(ask(1, OLD, check(1), seen=second.seen, verifier=both), found="2026-01-01", wanted="2026-01-02")
    # By itself it shows nothing.
    also_alone = asking(any_of=[{"require": [BY_RUN, BY_CHECK]}, {"require": [BY_CHECK]}])
    assert ask(2, NEW, check(2), seen=seen, verifier=also_alone).seen == second.seen
    assert not ask(1, check(1), seen=second.seen, verifier=also_alone).accepted
    alone = asking(require=[BY_CHECK])
    rolled_back(ask(1, check(1), seen=second.seen, verifier=alone), found="no time before which", wanted="2026-01-02")
    assert ask(2, check(2), seen=second.seen, verifier=also_alone).accepted


def test_a_policy_may_ask_for_more_than_before() -> None:
    # A type that was never accepted before, and tells no time, goes with what does, too.
    both = asking(require=[BY_RUN, BY_CHECK])
    seen = ask(1, OLD, verifier=asking(require=[BY_RUN])).seen
    second = ask(2, NEW, check(2), seen=seen, verifier=both)
    assert second.accepted
    rolled_back(ask(1, OLD, check(1), seen=second.seen, verifier=both), found="2026-01-01", wanted="2026-01-02")
    # Of two that tell none, neither speaks for the other.
    neither = asking(require=[BY_CHECK, {**BY_CHECK, "as": "again"}])
    rolled_back(ask(1, check(1), seen=second.seen, verifier=neither), found="no time before which", wanted="2026-01-02")


def test_who_logs_a_known_statement_again_moves_nothing() -> None:
    # Or else whoever has the bundle could put its place behind that of the next version, which is then taken for older.
    verifier = keyless(sigstore := VirtualSigstore())
    first = ask(1, signed(sigstore, 1), verifier=verifier)
    (claim,) = first.claims
    (sighting,) = by_type(first.seen)
    far = LogPosition(log=sighting.logs[0].log, tree=sighting.logs[0].tree, index=10**9)
    again = replace(claim, verified=_logged(claim.verified, far))
    assert again.verified.logs == (far,)
    assert first.seen.after("model", "penguins", model(1).digests, [again], LATER) == first.seen
    assert ask(2, signed(sigstore, 2), seen=first.seen, verifier=verifier).accepted


def _logged(verified: VerifiedStatement, place: LogPosition) -> VerifiedStatement:
    return VerifiedStatement(
        statement=verified.statement, signer=verified.signer, times=verified.times, logs=(place,), seal=binding._SEAL
    )


# --- with a store ----------------------------------------------------------------------------------------------------


class Silent(MemoryStore):
    """Gives what it is asked for, and holds too much to be read whole."""

    def list(self) -> Iterator[Item]:
        return iter([Item(data=b"{}", origin="junk")] * 1000)


def test_what_is_too_old_to_count_keeps_no_store_from_being_asked() -> None:
    # Where contradictions are denied: an older account contradicts the newer one, unless it is too old to count.
    made = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["ci"]}, "expect": {"builder": BUILDER}}
    deny = Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "contradictions": "deny",
            "identities": {"ci": {"key": "ci"}},
            "nodes": {"model": {"require": [made]}, "dataset": {"require": [made]}},
        }
    )
    data = tree("dataset", {"d.csv": b"1"}, "penguins")
    verifier = Verifier(policy=deny, trust=BY_KEY.trust)
    new = run(model(2), START + DAY, resolved_dependencies=(used(data, "dataset"),))
    other = run(model(2), START, external_parameters={"epochs": 1})
    store = Silent([run(data, START)])
    seen = ask(2, new, store, verifier=verifier).seen
    refused = ask(2, new, other, store, verifier=verifier)
    assert refused.cause is not None
    assert refused.cause.code == "policy.contradiction"
    assert ask(2, new, other, store, seen=seen, verifier=verifier).accepted
