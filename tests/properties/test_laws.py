"""Do the laws of the chain hold?  docs: ARCHITECTURE, "The chain"; here on real evidence and on generated chains.

The verdicts of generated chains are compared with an oracle that knows nothing of the library: a few sets, and the
rules as the documentation states them.
"""

import base64
import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import Attestation, GlasswingError, Manifest, Model, Policy, Report, Trust, Verifier, replay
from glasswing_attest.artifact.file import Blob
from glasswing_attest.chain.graph import Graph
from glasswing_attest.errors import UsageError
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store import Item
from glasswing_attest.verification import timestamps
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import (
    BUILDER,
    Chain,
    bare,
    data_record,
    honest,
    proven,
    readers_of,
    run_record,
    seal,
    signer,
    statement,
    subsets_without_one,
    tree,
    used,
)

QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def told(report: Report) -> dict[str, Any]:
    """The report without its clock, and with the places of items in the pile made equal."""
    facts = proven(report)
    nodes = facts["graph"]["nodes"] if facts["graph"] else ()
    for finding in (*facts["findings"], *(each for node in nodes for each in node["findings"])):
        for member in ("found", "evidence"):
            if member in finding:
                finding[member] = re.sub(r"evidence(\[\d+\])+", "an item", finding[member])
    return facts


# --- a changed byte --------------------------------------------------------------------------------------------------


def flipped(data: bytes, position: int, mask: int) -> bytes:
    """The data with one byte changed."""
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


def holds_after(chain: Chain, changed: Sequence[Attestation | bytes], before: dict[str, Any]) -> None:
    report = chain.assess(changed)
    if report.accepted:
        assert proven(report) == before


@pytest.mark.parametrize("number", range(3))
def test_every_byte_of_every_attestation_may_be_flipped(number: int) -> None:
    chain = honest()
    before = proven(chain.assess())
    data = chain.evidence[number].bytes
    others = [item for item in chain.evidence if item is not chain.evidence[number]]
    for position in range(len(data)):
        holds_after(chain, [flipped(data, position, 1 << position % 8), *others], before)


@QUICK
@given(number=st.integers(0, 2), place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_any_byte_may_be_flipped_in_any_way(number: int, place: float, mask: int) -> None:
    chain = honest()
    data = chain.evidence[number].bytes
    others = [item for item in chain.evidence if item is not chain.evidence[number]]
    holds_after(chain, [flipped(data, int(place * len(data)), mask), *others], proven(chain.assess()))


@QUICK
@given(number=st.integers(0, 2), start=st.floats(0, 1), length=st.integers(0, 40), insert=st.binary(max_size=8))
def test_any_stretch_may_be_replaced(number: int, start: float, length: int, insert: bytes) -> None:
    chain = honest()
    data = chain.evidence[number].bytes
    at = int(start * len(data))
    others = [item for item in chain.evidence if item is not chain.evidence[number]]
    holds_after(chain, [data[:at] + insert + data[at + length :], *others], proven(chain.assess()))


@pytest.mark.parametrize("number", range(3))
def test_a_changed_payload_or_signature_is_always_refused(number: int) -> None:
    # The law allows a changed byte in the unauthenticated container; within what is signed there is no such byte.
    chain = honest()
    envelope = chain.evidence[number].envelope
    others = [item for item in chain.evidence if item is not chain.evidence[number]]
    for position in range(0, len(envelope.payload), 7):
        changed = chain.evidence[number].bytes.replace(
            base64.b64encode(envelope.payload), base64.b64encode(flipped(envelope.payload, position, 0x01))
        )
        assert chain.assess([changed, *others]).verdict == "refused"
    sig = envelope.signatures[0].sig
    for position in range(len(sig)):
        changed = chain.evidence[number].bytes.replace(
            base64.b64encode(sig), base64.b64encode(flipped(sig, position, 0x01))
        )
        report = chain.assess([changed, *others])
        assert report.verdict == "refused"
        assert report.refused[0].error.code == "verification.signature"


# --- a missing, an added, a moved item -------------------------------------------------------------------------------


def test_every_required_attestation_is_required() -> None:
    chain = honest()
    for _, rest in subsets_without_one(chain.evidence):
        report = chain.assess(rest)
        assert report.verdict == "refused"
        assert report.cause is not None
        assert report.cause.code == "chain.no-attestation"
        with pytest.raises(GlasswingError) as caught:
            report.require()
        assert caught.value.code == "verification.no-match"
        assert caught.value.report is report


def strangers() -> Iterator[bytes]:
    """What somebody may drop into the pile without being asked."""
    chain = honest()
    elsewhere = tree("dataset", {"other.csv": b"9"}, "penguins")
    yield data_record(elsewhere).bytes  # valid, trusted, about something else
    yield data_record(chain.data, by="mallory").bytes  # about ours, by nobody we trust
    yield run_record(chain.model, used(elsewhere, "dataset"), by="mallory").bytes
    yield run_record(chain.model, by="data-team").bytes  # by somebody who is trusted for something else
    yield chain.run.envelope.payload  # a bare statement, unsigned
    yield chain.run.bytes.replace(b'"sig":"', b'"sig":"AAAA')
    yield from (b"", b"{", b"{}", b"[]", b"null", b"\x00", b"\xff\xfe", b'{"mediaType": 1}', b"[" * 5000)


STRANGERS = 15


def test_all_strangers_are_tried() -> None:
    assert sum(1 for _ in strangers()) == STRANGERS


@pytest.mark.parametrize("number", range(STRANGERS))
def test_a_stranger_in_the_pile_changes_nothing(number: int) -> None:
    chain = honest()
    stranger = next(itertools.islice(strangers(), number, None))
    before = proven(chain.assess())
    assert proven(chain.assess([stranger, *chain.evidence])) == before
    assert proven(chain.assess([*chain.evidence, stranger])) == before
    for _, rest in subsets_without_one(chain.evidence):
        refused = proven(chain.assess(rest))["verdict"], chain.assess([stranger, *rest]).verdict
        assert refused == ("refused", "refused")


def test_the_order_of_the_evidence_is_irrelevant() -> None:
    chain = honest()
    pile = [*(item.bytes for item in chain.evidence), *itertools.islice(strangers(), 4)]
    first = told(chain.assess(pile))
    assert first["verdict"] == "accepted"
    for order in itertools.islice(itertools.permutations(pile), 0, None, 97):
        assert told(chain.assess(order)) == first


# --- nothing ---------------------------------------------------------------------------------------------------------


def test_never_yes_from_nothing(tmp_path: Path) -> None:
    chain = honest()
    (tmp_path / "none").mkdir()
    empty = [tmp_path / name for name in ("a.json", "a.jsonl", "a.sigstore")]
    for path in empty:
        path.write_bytes(b"")
    set_file = tmp_path / "a.attestations"
    set_file.write_bytes(b"")
    nothings: list[Any] = [(), [], [[], [[]]], b"", b"\n\n", tmp_path / "none", *empty, set_file, iter(())]
    for nothing in nothings:
        report = chain.assess(nothing)
        assert report.verdict == "refused"
        assert report.cause is not None
        assert report.cause.code == "chain.no-attestation"
        assert report.records(object) == ()
        assert report.to_dict()["evidence"]["used"] == []
    mistakes: list[Any] = [{}, [{}], {"a": b""}, 0, bytearray()]  # not even nothing, but a mistake of the caller
    for mistake in mistakes:
        with pytest.raises(UsageError) as caught:
            chain.assess(mistake)
        assert caught.value.code == "usage"


# --- a case ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("without", [(), (0,), (1,), (2,), (0, 1, 2)])
def test_a_replay_says_the_same(tmp_path: Path, without: tuple[int, ...]) -> None:
    chain = honest()
    report = chain.assess([item for number, item in enumerate(chain.evidence) if number not in without])
    again = replay(report.case(tmp_path / "case.zip"))
    assert_says_the_same(again, report)
    assert again.accepted == (without == ())


def assert_says_the_same(again: Report, report: Report) -> None:
    """A replay says that it is one, in a flag and a finding, and nothing else differs."""
    assert (again.replayed, again.findings[-1].code) == (True, "report.replayed")
    assert replace(again, replayed=False, findings=again.findings[:-1]).to_dict() == report.to_dict()


# --- the quickstart's own evidence -----------------------------------------------------------------------------------


Judge = Callable[[Sequence[bytes]], Report]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Judge, list[bytes]]:
    """What the quickstart made: a function that judges its model by a pile of evidence, and its evidence."""
    folder = tmp_path_factory.mktemp("quickstart") / "out"
    program = Path(__file__).parents[2] / "examples" / "quickstart" / "quickstart.py"
    subprocess.run([sys.executable, program, folder], check=True, capture_output=True, timeout=120)
    verifier = Verifier(
        policy=Policy.load(folder / "verifier" / "policy.yaml"), trust=Trust.load(folder / "verifier" / "trust.yaml")
    )
    model = Model(folder / "model", name="penguin-classifier").measure()
    at = datetime.now(UTC)

    def judged(evidence: Sequence[bytes]) -> Report:
        return verifier.assess(model, evidence, at=at)

    return judged, (folder / "model.attestations.jsonl").read_bytes().splitlines()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_laws_hold_on_the_quickstart_s_evidence(quickstart: tuple[Judge, list[bytes]]) -> None:
    judged, evidence = quickstart
    before = proven(judged(evidence))
    assert before["verdict"] == "accepted"
    assert len(evidence) == len(before["evidence"]["used"]) == 4
    for order in itertools.permutations(evidence):
        assert proven(judged(order)) == before
    for number, item in enumerate(evidence):
        rest = evidence[:number] + evidence[number + 1 :]
        assert judged(rest).verdict == "refused"
        for junk in (b"{}", item[:-1], item.replace(b"0", b"1")):
            assert proven(judged([junk, *evidence])) == before
            assert judged([junk, *rest]).verdict == "refused"
        for position in range(0, len(item), 5):
            report = judged([flipped(item, position, 0x01 << position % 8), *rest])
            assert not report.accepted or proven(report) == before


# --- generated chains ------------------------------------------------------------------------------------------------

KINDS = ("model", "dataset", "tool", "dependency")
ROLES_CLAIMED = ("dataset", "dataset", "tool", "dependency", None, "Dataset", "model")
TYPES = (PROVENANCE_V1, "https://example.com/checked/v1")
# One key under two names; one whose second name asks for a keyid; one that nobody trusts.
SIGNERS = ("g-a", "g-b", "g-stranger")
NAMES = {"a1": "g-a", "a2": "g-a", "b": "g-b", "b-special": "g-b"}
SPECIAL = "special"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = 99


@dataclass(frozen=True)
class Saying:
    """A generated statement: who says what of which things, and when. Times are days; None is "not told"."""

    signer: str
    special: bool
    type: str
    subjects: tuple[int, ...]
    builder: str = BUILDER
    edges: tuple[tuple[int, str | None], ...] = ()
    starts: int | None = None
    ends: int | None = None
    witnessed: int | None = None
    says: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Need:
    """A generated requirement."""

    type: str
    names: tuple[str, ...]
    threshold: int | None = None
    over: str = "same_type"
    inputs: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Group:
    """A generated group of values that must be the same: in which alternative, and where in which of its needs."""

    kind: str
    alternative: int
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class World:
    """A generated chain: the root is thing 0 as `kind`. A rule is a trim, or alternatives."""

    kind: str
    times: str
    rules: Mapping[str, str | tuple[tuple[Need, ...], ...]]
    items: tuple[Saying, ...]
    same: tuple[Group, ...] = ()


# What an item says at either of two places, by number. The last two are nothing.
SAID: tuple[Any, ...] = ("a", 1, True, "1", [{"b": [1], "unset": None}], [{"b": [1]}], None, "")
EQUAL = (0, 1, 2, 3, 4, 4, None, None)
WHERE = ("commit", "config")


def day(number: int) -> datetime:
    return EPOCH + timedelta(days=number)


def thing(number: int, kind: str = "file") -> Manifest:
    return Blob(b"thing %d" % number, name=f"thing-{number}", kind=kind).measure()


@cache
def sealed(item: Saying) -> bytes:
    """The item as it would travel. `witnessed` is no part of it: see `witnesses`."""
    subjects = [{"name": thing(n).name, "digest": thing(n).digests.to_dict()} for n in item.subjects]
    predicate: dict[str, Any] = {"nonce": item.witnessed}
    predicate |= {name: SAID[said] for name, said in zip(WHERE, item.says, strict=True)}
    if item.type == PROVENANCE_V1:
        metadata = {"startedOn": item.starts, "finishedOn": item.ends}
        times = {k: day(v).isoformat().replace("+00:00", "Z") for k, v in metadata.items() if v is not None}
        dependencies = [used(thing(n), role).to_dict() for n, role in item.edges]
        definition = {"buildType": "https://x.example/t", "resolvedDependencies": dependencies}
        run = {"builder": {"id": item.builder}, "metadata": {**times, "invocationId": "shared"}}
        predicate |= {"buildDefinition": definition, "runDetails": run}
    bundle = seal(statement(subjects, item.type, predicate), signer(item.signer))
    return bare(bundle, keyids=[SPECIAL if item.special else ""])


def policy_for(world: World) -> Policy:
    nodes: dict[str, Any] = {}
    for kind, rule in world.rules.items():
        if isinstance(rule, str):
            nodes[kind] = {"trim": {"reason": rule}}
            continue
        several = [
            {"require": [{"as": f"r{number}{place}", **_plain(need)} for place, need in enumerate(alternative)]}
            for number, alternative in enumerate(rule)
        ]
        nodes[kind] = several[0] if len(several) == 1 else {"any_of": several}
    for kind, rule in nodes.items():  # labels of a group stand in one kind alone
        for alternative in rule.get("any_of", [rule]):
            for each in alternative.get("require", ()):
                each["as"] = f"{kind}_{each['as']}"
    identities = {name: {"key": name} for name in NAMES}
    same = [
        [f"{group.kind}_r{group.alternative}{need}.predicate.{WHERE[where]}" for need, where in group.places]
        for group in world.same
    ]
    return Policy.model_validate(
        {"version": 1, "times": world.times, "identities": identities, "nodes": nodes, "same": same}
    )


def _plain(need: Need) -> dict[str, Any]:
    who: dict[str, Any] = {"any_of": list(need.names)}
    if need.threshold is not None:
        who = {"threshold": need.threshold, "of": list(need.names), "over": need.over}
    plain: dict[str, Any] = {"predicate": need.type, "signed_by": who}
    if need.type == PROVENANCE_V1:
        plain["expect"] = {"builder": BUILDER}
        plain["inputs"] = {role: {"min": least, "max": most} for role, least, most in need.inputs}
    return plain


@cache
def trust_for_worlds() -> Trust:
    keys = {name: signer(key).public_key for name, key in NAMES.items()}
    plain = Trust.of(keys)
    special = tuple(
        type(k)(name=k.name, key=k.key, keyids=(SPECIAL,)) if k.name == "b-special" else k for k in plain.keys
    )
    return Trust(keys=special)


def judge(world: World, items: Iterable[Saying]) -> Report:
    verifier = Verifier(policy=policy_for(world), trust=trust_for_worlds(), predicates=readers_of(policy_for(world)))
    return verifier.assess(thing(0, world.kind), [sealed(item) for item in items], at=day(NEVER))


@pytest.fixture(autouse=True, scope="module")
def witnesses() -> Iterator[None]:
    """Simulates trusted witnesses: the time stands in the generated predicate."""

    def simulated(logged: LoggedSignature, *_: object, **__: object) -> VerifiedTimes:
        assert logged.signed.envelope is not None
        said = Statement.parse_unverified(logged.signed.envelope.payload).predicate.get("nonce")
        times = (WitnessedTime(time=day(said), witness="simulated"),) if isinstance(said, int) else ()
        return VerifiedTimes(times=times, needed=1, seal=timestamps._SEAL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timestamps, "check", simulated)
        yield


# The oracle. It knows items, needs and days, and nothing of the library.


def names_by_oracle(item: Saying) -> set[str]:
    return {n for n, key in NAMES.items() if key == item.signer and (n != "b-special" or item.special)}


def satisfies(item: Saying, need: Need, world: World) -> bool:
    """Does the item meet the need by itself, whatever its parents are?"""
    if item.type != need.type or not names_by_oracle(item) & set(need.names):
        return False
    if world.times == "verified" and item.witnessed is None:
        return False
    if item.type != PROVENANCE_V1:
        return True
    if item.builder != BUILDER:
        return False
    days = [d for d in (item.starts, item.ends, NEVER if item.witnessed is None else item.witnessed) if d is not None]
    if days != sorted(days):
        return False
    for role, least, most in need.inputs:
        count = len({n for n, claimed in item.edges if kind_of(claimed) == role})
        if not least <= count <= most:
            return False
    return True


def kind_of(role: str | None) -> str:
    return role if role in ROLES else "dependency"


def enough_by_oracle(items: Sequence[Saying], need: Need) -> bool:
    """Can distinct keys be given distinct names, often enough? Tried by trying everything."""
    count = need.threshold or 1
    groups = [items]
    if need.threshold is not None and need.over == "same_statement":
        payload = {item: Attestation.parse(sealed(item)).payload_digest for item in items}
        groups = [[i for i in items if payload[i] == p] for p in set(payload.values())]
    for group in groups:
        for keys in itertools.combinations(sorted({i.signer for i in group}), count):
            for names in itertools.permutations(need.names, count):
                if all(
                    any(i.signer == k and n in names_by_oracle(i) for i in group)
                    for k, n in zip(keys, names, strict=True)
                ):
                    return True
    return False


def oracle(world: World, items: Sequence[Saying]) -> bool:
    """The least fixed point over (kind, thing, day): by that day there was enough evidence for it."""
    days = sorted({i.witnessed for i in items if i.witnessed is not None}) if world.times == "verified" else [NEVER]
    root = (world.kind, 0)
    things = {(world.kind, 0)} | {(kind_of(role), n) for i in items for n, role in i.edges}
    good: set[tuple[str, int, int]] = set()

    def parent_holds(item: Saying, kind: str, number: int) -> bool:
        if isinstance(world.rules.get(kind), str) and (kind, number) != root:
            return True
        # Who does not tell when it started is after nothing; what was cut away has no time.
        in_time = [d for d in days if world.times == "claimed" or (item.starts is not None and d <= item.starts)]
        return any((kind, number, d) in good for d in in_time)

    def accepted(kind: str, number: int, by: int) -> bool:
        rule = world.rules.get(kind)
        if rule is None or isinstance(rule, str):
            return False
        return any(stands_on(kind, which, needs, number, by) for which, needs in enumerate(rule))

    def stands_on(kind: str, which: int, needs: tuple[Need, ...], number: int, by: int) -> bool:
        groups = [g for g in world.same if (g.kind, g.alternative) == (kind, which)]
        # Every value that there is, for each group: one choice must do for all needs together.
        for chosen in itertools.product(range(len(set(EQUAL)) - 1), repeat=len(groups)):
            for place, need in enumerate(needs):
                standing = [
                    i
                    for i in items
                    if number in i.subjects
                    and (world.times == "claimed" or (i.witnessed is not None and i.witnessed <= by))
                    and satisfies(i, need, world)
                    and all(parent_holds(i, kind_of(role), n) for n, role in i.edges)
                    and all(
                        EQUAL[i.says[where]] == value
                        for group, value in zip(groups, chosen, strict=True)
                        for of, where in group.places
                        if of == place
                    )
                ]
                if not enough_by_oracle(standing, need):
                    break
            else:
                return True
        return False

    while more := {(k, n, d) for k, n in things for d in days if (k, n, d) not in good and accepted(k, n, d)}:
        good |= more
    return any((*root, d) in good for d in days)


THINGS = 3
"""Few things and many statements, so that a good part of the generated chains stands, and some of them are deep."""


@st.composite
def needs(draw: st.DrawFn) -> Need:
    type_ = draw(st.sampled_from(TYPES))
    names = draw(st.sampled_from((*[tuple(NAMES)] * 3, ("a1", "b"), ("a1", "a2"), ("b-special",), ("b",))))
    threshold = draw(st.sampled_from((None, None, *range(1, len(names) + 1))))
    over = draw(st.sampled_from(("same_type", "same_statement")))
    inputs: tuple[tuple[str, int, int], ...] = ()
    if type_ == PROVENANCE_V1 and draw(st.integers(0, 3)) == 0:
        least = draw(st.integers(0, 1))
        inputs = ((draw(st.sampled_from(("dataset", "dependency"))), least, draw(st.integers(least, 2))),)
    return Need(type=type_, names=names, threshold=threshold, over=over, inputs=inputs)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    times = draw(st.sampled_from(("claimed", "verified")))
    kind = draw(st.sampled_from(("model", "dataset")))
    rules: dict[str, str | tuple[tuple[Need, ...], ...]] = {}
    same: list[Group] = []
    for each in KINDS:
        shape = draw(st.integers(0, 9))
        if each == kind or shape >= 2:
            alternatives = [
                tuple(draw(st.lists(needs(), min_size=1, max_size=draw(st.sampled_from((1, 1, 2))))))
                for _ in range(draw(st.sampled_from((1, 1, 2))))
            ]
            rules[each] = tuple(alternatives)
            for which, alternative in enumerate(alternatives):
                same += draw(groups(each, which, alternative))
        elif shape == 1:
            rules[each] = "cut"
    items = draw(st.lists(drawn_items(times), min_size=draw(st.sampled_from((0, 4, 8))), max_size=14, unique=True))
    return World(kind=kind, times=times, rules=rules, items=tuple(items), same=tuple(same))


@st.composite
def groups(draw: st.DrawFn, kind: str, which: int, alternative: tuple[Need, ...]) -> list[Group]:
    """Up to two groups of values, over some of the needs, or over the two places of one."""
    every = [(need, where) for need in range(len(alternative)) for where in range(len(WHERE))]
    found = []
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        places = tuple(sorted(draw(st.sets(st.sampled_from(every), min_size=1, max_size=3))))
        needs = [need for need, _ in places]
        if len(needs) > 1 or (alternative[needs[0]].threshold or 1) > 1:
            found.append(Group(kind=kind, alternative=which, places=places))
    return found


@st.composite
def drawn_items(draw: st.DrawFn, times: str) -> Saying:
    type_ = draw(st.sampled_from((*TYPES, PROVENANCE_V1)))
    days: list[int | None] = list(draw(st.lists(st.integers(0, 5), min_size=3, max_size=3)))
    if draw(st.integers(0, 4)):
        days.sort(key=lambda d: d or 0)
    for untold in range(3):
        if draw(st.integers(0, 9 if times == "verified" else 2)) == 0:
            days[untold] = None
    starts, ends, witnessed = days
    edges: tuple[tuple[int, str | None], ...] = ()
    builder = BUILDER
    if type_ == PROVENANCE_V1:
        one = st.tuples(st.integers(0, THINGS - 1), st.sampled_from(ROLES_CLAIMED))
        edges = tuple(draw(st.lists(one, min_size=draw(st.sampled_from((0, 1, 1))), max_size=2, unique=True)))
        builder = draw(st.sampled_from((*[BUILDER] * 9, "https://evil.example/trainer")))
    return Saying(
        signer=draw(st.sampled_from((*SIGNERS[:2] * 4, *SIGNERS))),
        special=draw(st.booleans()),
        type=type_,
        subjects=tuple(draw(st.lists(st.integers(0, THINGS - 1), min_size=1, max_size=2, unique=True))),
        builder=builder,
        edges=edges,
        starts=starts if type_ == PROVENANCE_V1 else None,
        ends=ends if type_ == PROVENANCE_V1 else None,
        witnessed=witnessed,
        says=draw(st.sampled_from(((0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (1, 3), (4, 5), (0, 6), (7, 0)))),
    )


@settings(QUICK, max_examples=200)
@given(world=worlds())
def test_the_walk_agrees_with_the_oracle(world: World) -> None:
    report = judge(world, world.items)
    assert report.verdict == ("accepted" if oracle(world, world.items) else "refused")
    if report.accepted:
        assert_stands(report.graph)


def assert_stands(graph: Graph | None) -> None:
    """What an accepted graph shows is a proof: everything stands or was cut, and nothing rests on itself."""
    assert graph is not None
    assert {node.state for node in graph.nodes} <= {"verified", "trimmed"}
    state: dict[str, int] = {}

    def visit(identity: str) -> None:
        assert state.get(identity) != 1, "a cycle in an accepted graph"
        if identity not in state:
            state[identity] = 1
            for _, parent in graph.parents(identity):
                visit(parent.identity)
            state[identity] = 2

    visit(graph.root)


@settings(QUICK, max_examples=60)
@given(world=worlds(), data=st.data())
def test_monotone_and_blind_to_order(world: World, data: st.DataObject) -> None:
    whole = judge(world, world.items)
    shuffled = data.draw(st.permutations(world.items))
    assert told(judge(world, shuffled)) == told(whole)
    for number in range(len(world.items)):
        fewer = world.items[:number] + world.items[number + 1 :]
        if judge(world, fewer).accepted:
            assert whole.accepted, f"removing item {number} turned a no into a yes"


@settings(QUICK, max_examples=40)
@given(world=worlds(), data=st.data())
def test_the_report_is_the_same_to_the_byte_in_any_order(world: World, data: st.DataObject) -> None:
    junk = [b"{}", b"", run_record(honest().model, by="mallory").bytes]
    pile = [Item(data=each, origin=f"item {n}") for n, each in enumerate((*map(sealed, world.items), *junk))]
    policy = policy_for(world)
    verifier = Verifier(policy=policy, trust=trust_for_worlds(), predicates=readers_of(policy))
    first, second = (
        verifier._assess(thing(0, world.kind), order, at=day(NEVER), now=day(NEVER)).to_json()
        for order in (pile, data.draw(st.permutations(pile)))
    )
    assert first == second


@settings(QUICK, max_examples=50)
@given(world=worlds())
def test_a_generated_case_replays(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    report = judge(world, world.items)
    again = replay(report.case(tmp_path_factory.mktemp("case") / "case.zip"), predicates=readers_of(policy_for(world)))
    assert_says_the_same(again, report)
