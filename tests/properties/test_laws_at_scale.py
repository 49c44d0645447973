"""Do the laws of the chain hold on supply chains of hundreds of things?  docs: ARCHITECTURE, "The chain".

The chains are random: layers of things with shared ancestors, thresholds, alternatives, values that must be the same,
and trims; among honest evidence lies what trusted signers said as well and what does not hold (cycles, inputs that
nobody attested, runs before their inputs), and what others said. The verdicts themselves are compared with an oracle in
`test_laws`; here claims are made as the checks would make them, without signatures, so that hundreds are quick.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import Policy
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.chain.edges import measured
from glasswing_attest.chain.graph import Graph, State
from glasswing_attest.chain.walk import Chain, walk
from glasswing_attest.claims import Claim, opaque, read, registry_of
from glasswing_attest.errors import LimitError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import binding, identity, timestamps
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.timestamps import VerifiedTimes, WitnessedTime
from tests.chains import BUILDER, statement, used

CHECKED = "https://example.com/checked/v1"
TYPES = registry_of([opaque(CHECKED)])
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NOW = EPOCH + timedelta(days=1000)
MADE = ("model", "dataset", "checkpoint")
KINDS = (*MADE[1:] * 3, "baseModel", "dependency", "tool")
LAYERS = 12

RUN: dict[str, Any] = {"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["ci"]}, "expect": {"builder": BUILDER}}
CHECK: dict[str, Any] = {"predicate": CHECKED, "signed_by": {"any_of": ["qa-a", "qa-b", "qa-c"]}}
TWO: dict[str, Any] = {
    "predicate": CHECKED,
    "signed_by": {"threshold": 2, "of": ["qa-a", "qa-b", "qa-c"], "over": "same_type"},
}


def policy(times: str) -> Policy:
    """Every shape of rule: all, one of two, a threshold, the same value, a trim. Kind ``code`` has none."""
    names = ("ci", "qa-a", "qa-b", "qa-c")
    return Policy.model_validate(
        {
            "version": 1,
            "times": times,
            "identities": {name: {"key": name} for name in names},
            "nodes": {
                "model": {"require": [{"as": "run", **RUN}, {"as": "quality", **TWO}]},
                "dataset": {"require": [{"as": "made", **RUN}]},
                "baseModel": {"any_of": [{"require": [TWO]}, {"require": [RUN, CHECK]}]},
                "checkpoint": {"require": [{"as": "saved", **RUN}, {"as": "checked", **TWO}]},
                "dependency": {"require": [CHECK]},
                "tool": {"trim": {"reason": "covered elsewhere"}},
            },
            "same": [
                ["run.predicate.buildDefinition.externalParameters.commit", "quality.predicate.commit"],
                ["saved.predicate.buildDefinition.externalParameters.commit", "checked.predicate.commit"],
                ["saved.predicate.buildDefinition.externalParameters.seed", "checked.predicate.seed"],
            ],
        }
    )


POLICIES = {times: policy(times) for times in ("claimed", "verified")}


# --- statements, as if they had been proved --------------------------------------------------------------------------


@cache
def thing(number: int, kind: str = "file") -> Manifest:
    return Blob(b"thing %d" % number, name=f"thing-{number}", kind=kind).measure()


def day(number: float) -> datetime:
    return EPOCH + timedelta(days=number)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A statement: who says what about which thing, by when. `starts` makes it a run."""

    by: str
    about: int
    witnessed: float
    starts: float | None = None
    inputs: tuple[tuple[int, str], ...] = ()
    commit: int = 0
    seed: int = 0


@cache
def claim(said: Said) -> Claim:
    """What the checks would give for it."""
    subject = {"name": thing(said.about).name, "digest": thing(said.about).digests.to_dict()}
    values: dict[str, Any] = {"commit": said.commit, "seed": said.seed}
    if said.starts is None:
        payload = statement([subject], CHECKED, values)
    else:
        definition = {
            "buildType": "https://ci.example/train/v1",
            "externalParameters": values,
            "resolvedDependencies": [used(thing(number), role).to_dict() for number, role in said.inputs],
        }
        started = day(said.starts).isoformat().replace("+00:00", "Z")
        details = {"builder": {"id": BUILDER}, "metadata": {"startedOn": started}}
        payload = statement([subject], PROVENANCE_V1, {"buildDefinition": definition, "runDetails": details})
    witness = WitnessedTime(time=day(said.witnessed), witness="simulated")
    verified = VerifiedStatement(
        statement=Statement.parse_unverified(payload),
        signer=VerifiedSigner(
            principal=f"key:{said.by}", names=frozenset({said.by}), fingerprint=said.by, seal=identity._SEAL
        ),
        times=VerifiedTimes(times=(witness,), needed=1, seal=timestamps._SEAL),
        logs=(),
        seal=binding._SEAL,
    )
    return read(verified, TYPES)


# --- random supply chains --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Chains:
    """A supply chain: what holds, and what was said as well."""

    times: str
    honest: tuple[Said, ...]
    decoys: tuple[Said, ...]
    hostile: tuple[Said, ...]

    @property
    def pile(self) -> list[Claim]:
        return [claim(said) for said in (*self.honest, *self.decoys)]

    def walk(self, claims: Iterable[Claim], limits: Limits = DEFAULT) -> Chain:
        root = thing(0, "model")
        return walk(measured(root), root.name, claims, POLICIES[self.times], at=NOW, now=NOW, limits=limits)


def supply_chain(seed: int, size: int, times: str) -> Chains:
    """A chain of so many things: each went into some of the layers above, which were made later."""
    rng = random.Random(seed)
    kinds = ["model", *(rng.choice(KINDS) for _ in range(size - 1))]
    layer = [0, *sorted(rng.randint(1, LAYERS - 1) for _ in range(size - 1))]
    made = [number for number, kind in enumerate(kinds) if kind in MADE or (kind == "baseModel" and rng.random() < 0.5)]
    inputs: dict[int, list[tuple[int, str]]] = {}
    for number in range(1, size):
        above = [other for other in made if layer[other] < layer[number]]
        for user in rng.sample(above, min(len(above), rng.randint(1, 4))):
            inputs.setdefault(user, []).append((number, kinds[number]))
    honest: list[Said] = []
    decoys: list[Said] = []
    for number, kind in enumerate(kinds):
        done = 10.0 * (LAYERS - layer[number])  # what was attested in a layer's days was there for the layer above
        commit = rng.randrange(3)
        run = Said(
            by="ci",
            about=number,
            starts=done + 1,
            witnessed=done + 2,
            inputs=tuple(inputs.get(number, ())),
            commit=commit,
        )
        checks = [
            Said(by=by, about=number, witnessed=done + 3, commit=commit)
            for by in rng.sample(("qa-a", "qa-b", "qa-c"), 2)
        ]
        if kind in ("tool", "dependency"):
            honest += checks[: kind == "dependency"]
        elif kind == "baseModel":
            honest += [run, checks[0]] if number in made else checks
        else:
            honest += [run] if kind == "dataset" else [run, *checks]
        decoys += _decoys(rng, run, kind, size)
    return Chains(
        times=times,
        honest=tuple(honest),
        decoys=tuple(decoys),
        hostile=tuple(replace(said, by="mallory") for said in rng.sample([*honest, *decoys], len(honest) // 2)),
    )


def _decoys(rng: random.Random, honest: Said, kind: str, size: int) -> list[Said]:
    """What trusted signers said as well: of which nothing follows, or which is another way to stand."""
    number, some = honest.about, rng.randrange(size)
    run = replace(honest, inputs=())
    check = replace(run, starts=None, witnessed=honest.witnessed + 1)
    several = [
        replace(run, inputs=((number, kind),)),  # made from itself
        replace(run, inputs=((rng.randrange(number + 1), rng.choice(KINDS)),)),  # made from what was made from it
        replace(run, inputs=((size + some, "dataset"),)),  # from what nobody attested
        replace(run, inputs=((some, "code"),)),  # from what the policy has no rule for
        replace(run, starts=0.0, inputs=((some, rng.choice(KINDS)),)),  # before everything
        replace(honest, commit=honest.commit + 1),  # another account of it
        replace(check, by="qa-a", commit=honest.commit + 1, seed=1),
        replace(check, by="ci"),  # by somebody who is trusted for something else
    ]
    return rng.sample(several, rng.randint(0, 2))


SCALE = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def chains(draw: st.DrawFn) -> Chains:
    size = draw(st.sampled_from((12, 40, 120, 200)))
    return supply_chain(draw(st.integers(0, 2**32)), size, draw(st.sampled_from(("claimed", "verified"))))


def standing(graph: Graph) -> set[str]:
    return {node.identity for node in graph.nodes if node.state in (State.VERIFIED, State.TRIMMED)}


def test_the_generated_chains_are_what_they_should_be() -> None:
    # Otherwise the laws below would hold of nothing.
    sizes = []
    for seed in range(3):
        for times in POLICIES:
            made = supply_chain(seed, 240, times)
            accepted = made.walk(map(claim, made.honest))
            assert accepted.accepted
            assert made.walk(made.pile).accepted
            sizes.append(len(accepted.graph.nodes))
            states = {node.state for node in accepted.graph.nodes}
            assert states == {State.VERIFIED, State.TRIMMED}
            shared = [n for n in accepted.graph.nodes if len(accepted.graph.uses(n.identity)) > 2]
            assert len(shared) > 10
    assert min(sizes) > 200


@SCALE
@given(made=chains(), data=st.data())
def test_taking_evidence_away_never_makes_a_no_into_a_yes(made: Chains, data: st.DataObject) -> None:
    pile = made.pile
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    accepted = made.walk(pile).accepted
    for _ in range(3):
        fewer = rng.sample(pile, len(pile) - rng.choice((1, 1, 2, 5)))
        now = made.walk(fewer).accepted
        assert accepted or not now
        pile, accepted = fewer, now


@SCALE
@given(made=chains(), data=st.data())
def test_what_others_say_changes_nothing(made: Chains, data: st.DataObject) -> None:
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    pile = rng.sample(made.pile, len(made.pile) - rng.choice((0, 0, 1, 3)))
    alone, among = made.walk(pile), made.walk([*pile, *map(claim, made.hostile)])
    assert among.accepted is alone.accepted
    # Of what does not stand, the message may tell of them: "by mallory" in place of "by nobody".
    assert standing(among.graph) == standing(alone.graph)
    assert among.graph.edges == alone.graph.edges or not alone.accepted
    assert [(e.child, e.parent, e.role) for e in among.graph.edges] == [
        (e.child, e.parent, e.role) for e in alone.graph.edges
    ]
    if alone.accepted:
        assert among == alone


@SCALE
@given(made=chains(), data=st.data())
def test_the_order_of_the_evidence_is_irrelevant(made: Chains, data: st.DataObject) -> None:
    pile = [*made.pile, *map(claim, made.hostile)]
    first = made.walk(pile)
    random.Random(data.draw(st.integers(0, 2**32))).shuffle(pile)
    assert made.walk([*pile, *pile[:5]]) == first


@SCALE
@given(made=chains())
def test_an_accepted_graph_is_a_proof(made: Chains) -> None:
    chain = made.walk(made.pile)
    assert chain.accepted
    assert standing(chain.graph) == {node.identity for node in chain.graph.nodes}
    assert {edge.state for edge in chain.graph.edges} <= {State.VERIFIED, State.TRIMMED}
    # Nothing rests on itself: taking away what rests on nothing, again and again, leaves nothing.
    left = {node.identity: len(chain.graph.inputs(node.identity)) for node in chain.graph.nodes}
    ends = [identity for identity, count in left.items() if not count]
    while ends:
        for edge in chain.graph.uses(ends.pop()):
            left[edge.child] -= 1
            if not left[edge.child]:
                ends.append(edge.child)
    assert not any(left.values())
    # And it stands by the claims that it names alone.
    assert made.walk(chain.claims).accepted


@SCALE
@given(
    made=chains(),
    name=st.sampled_from(("nodes", "depth", "candidates", "steps")),
    share=st.floats(0, 1.2),
)
def test_it_ends_within_its_limits(made: Chains, name: str, share: float) -> None:
    pile = made.pile
    whole = made.walk(pile)
    used_up = {"nodes": len(pile), "depth": LAYERS, "candidates": 2 * len(pile), "steps": 8 * len(pile)}
    bound = max(1, int(share * used_up[name]))
    limits = replace(DEFAULT, **{name: bound})
    if exceeded(made, pile, limits):
        with pytest.raises(LimitError) as caught:
            made.walk(pile, limits)
        assert (caught.value.code, caught.value.wanted) == ("limit", f"at most {bound} ({name})")
        assert not exceeded(made, pile, DEFAULT)
    else:
        assert made.walk(pile, limits) == whole
        assert name != "nodes" or sum(n.kind not in ("run", "builder") for n in whole.graph.nodes) <= bound


def exceeded(made: Chains, pile: Sequence[Claim], limits: Limits) -> bool:
    try:
        made.walk(pile, limits)
    except LimitError:
        return True
    return False


def test_what_stands_gets_an_earlier_time_once_earlier_evidence_stands() -> None:
    # The first dataset stands by a late run at once, and by an early one only when the second, as near, stands too.
    late = Said(by="ci", about=1, starts=4.5, witnessed=5, seed=1)
    early = Said(by="ci", about=1, starts=0.5, witnessed=1, inputs=((2, "dataset"),))
    second = Said(by="ci", about=2, starts=0, witnessed=0.25)
    root = Said(by="ci", about=0, starts=3, witnessed=4, inputs=((1, "dataset"), (2, "dataset")))
    checks = [Said(by=by, about=0, witnessed=4) for by in ("qa-a", "qa-b")]
    made = Chains(times="verified", honest=(root, *checks, late, early, second), decoys=(), hostile=())
    assert made.walk(made.pile).accepted
    without = replace(made, honest=(root, *checks, late, second))
    chain = without.walk(without.pile)
    assert chain.cause is not None
    assert (chain.cause.code, chain.cause.subject) == ("chain.causality", "dataset thing-1")


@pytest.mark.parametrize("times", POLICIES)
def test_a_hostile_pile_ends_in_a_limit(times: str) -> None:
    # Even whoever is trusted cannot make it go on for ever.
    made = supply_chain(1, 120, times)
    many: Sequence[Claim] = [
        claim(Said(by="ci", about=0, starts=500.0, witnessed=501.0 + n / 1000, inputs=((n % 120, "dataset"),)))
        for n in range(400)
    ]
    with pytest.raises(LimitError) as caught:
        made.walk([*made.pile, *many], replace(DEFAULT, candidates=300))
    assert (caught.value.code, caught.value.wanted) == ("limit", "at most 300 (candidates)")
    assert made.walk([*made.pile, *many]).accepted
