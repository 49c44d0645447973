"""Does a verifier that asks a store say the same as one that is handed everything?

The chains are those of `test_laws`. A store is asked about single things, so these are laws about what was *not* read.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest import Attestation, GlasswingError, Report, Verifier, replay
from glasswing_attest._api import inquiry
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.store import DirectoryStore, Item, MemoryStore, SetFileStore, SidecarStore, Store
from tests.chains import honest, proven, readers_of
from tests.properties.test_laws import (
    NEVER,
    QUICK,
    World,
    assert_says_the_same,
    day,
    judge,
    policy_for,
    sealed,
    strangers,
    thing,
    trust_for_worlds,
    witnesses,
    worlds,
)

__all__ = ["witnesses"]  # a fixture that every test here uses

Made = Callable[[Path, Iterable[bytes]], Store]


def filled(store: Store, pile: Iterable[bytes]) -> Store:
    for data in pile:
        store.add(Attestation.parse(data))
    return store


class Liar(MemoryStore):
    """Gives anything for anything, some of it again and again, and leaves out what it likes."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        items = [item for item in super().list() if self.random.random() < 0.7]
        yield from self.random.choices(items, k=2 * len(items)) if items else ()
        yield Item(data=b"junk", origin="nowhere")

    def list(self) -> Iterator[Item]:
        yield from (item for item in super().list() if self.random.random() < 0.7)
        yield Item(data=b"more junk", origin="nowhere")


STORES: dict[str, Made] = {
    "memory": lambda folder, pile: filled(MemoryStore(), pile),
    "directory": lambda folder, pile: filled(DirectoryStore(folder / "store"), pile),
    "sidecar": lambda folder, pile: filled(SidecarStore(folder / "model"), pile),
    "set file": lambda folder, pile: filled(SetFileStore(folder / "a.attestations"), pile),
}


@pytest.fixture(autouse=True)
def never_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every store is large: none is read whole before a no, so that what it gives is what was asked for."""
    monkeypatch.setattr(inquiry, "_LITTLE", -1)


def ask(world: World, evidence: Any, **more: Any) -> Report:
    policy = policy_for(world)
    verifier = Verifier(policy=policy, trust=trust_for_worlds(), predicates=readers_of(policy), evidence=evidence)
    return verifier.assess(thing(0, world.kind), at=day(NEVER), **more)


def decided(report: Report) -> dict[str, Any]:
    """The verdict, and for a yes all that is proved: the words of a no may tell of items that nobody asked for."""
    return proven(report) if report.accepted else {"verdict": report.verdict}


@settings(QUICK, max_examples=120)
@given(world=worlds(), split=st.integers(0, 14))
def test_a_store_says_what_a_list_says(world: World, split: int) -> None:
    pile = [sealed(item) for item in world.items]
    wanted = decided(judge(world, world.items))
    assert decided(ask(world, filled(MemoryStore(), pile))) == wanted
    # In two stores, and partly handed over: wherever it lies.
    parts = [filled(MemoryStore(), pile[:split]), filled(MemoryStore(), pile[split : split + 3])]
    assert decided(ask(world, [*parts, pile[split + 3 :]])) == wanted


@pytest.mark.parametrize("name", [name for name in STORES if name != "memory"])
@settings(QUICK, max_examples=12)
@given(world=worlds())
def test_every_store_says_what_a_list_says(tmp_path_factory: pytest.TempPathFactory, name: str, world: World) -> None:
    pile = [sealed(item) for item in world.items]
    if pile:
        store = STORES[name](tmp_path_factory.mktemp("store"), pile)
        assert decided(ask(world, store)) == decided(judge(world, world.items))


@settings(QUICK, max_examples=60)
@given(world=worlds(), seed=st.integers(0, 1 << 30))
def test_a_store_that_lies_makes_no_yes(world: World, seed: int) -> None:
    pile = [sealed(item) for item in world.items]
    report = ask(world, filled(Liar(seed), pile))
    if report.accepted:
        assert judge(world, world.items).accepted
    known = set(pile)
    assert all(item.data in known or b"junk" in item.data for item in report.evidence)


@settings(QUICK, max_examples=60)
@given(world=worlds(), seed=st.integers(0, 1 << 30))
def test_what_a_store_gave_is_a_list(world: World, seed: int) -> None:
    # Whatever was asked and in which order: the verdict follows from the evidence that the report keeps.
    report = ask(world, filled(Liar(seed), [sealed(item) for item in world.items]))
    assert decided(ask(world, report.evidence)) == decided(report)


@settings(QUICK, max_examples=30)
@given(world=worlds())
def test_a_case_replays_without_the_store(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    report = ask(world, filled(MemoryStore(), [sealed(item) for item in world.items]))
    path = report.case(tmp_path_factory.mktemp("case") / "case.zip")
    assert_says_the_same(replay(path, predicates=readers_of(policy_for(world))), report)


def shape(report: Report) -> object:
    """The chain without the words of its findings, which say where an item came from: a store, or a list."""
    if report.graph is None:
        return None
    nodes = []
    for node in report.graph.nodes:
        plain = tuple(replace(each, found="", evidence="") for each in node.findings)
        nodes.append(replace(node, findings=plain))
    return replace(report.graph, nodes=tuple(nodes))


def test_a_store_read_whole_before_a_no_says_the_very_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inquiry, "_LITTLE", 256)

    @settings(QUICK, max_examples=60)
    @given(world=worlds())
    def holds(world: World) -> None:
        pile = [sealed(item) for item in world.items]
        listed, asked = judge(world, world.items), ask(world, filled(MemoryStore(), pile))
        assert asked.verdict == listed.verdict
        assert shape(asked) == shape(listed)
        assert [finding.code for finding in asked.findings] == [finding.code for finding in listed.findings]

    holds()


# --- strangers -------------------------------------------------------------------------------------------------------


def parsed(data: bytes) -> Attestation | None:
    try:
        return Attestation.parse(data)
    except GlasswingError:
        return None


@pytest.mark.parametrize("name", STORES)
def test_strangers_in_a_store_change_nothing(name: str, tmp_path: Path) -> None:
    chain = honest()
    guests = [data for data in strangers() if parsed(data)]
    assert len(guests) >= 5
    before = proven(chain.assess())
    for number, pile in enumerate((guests, [*guests, *(a.bytes for a in chain.evidence)])):
        (tmp_path / str(number)).mkdir()
        report = chain.assess(STORES[name](tmp_path / str(number), pile))
        assert report.accepted is bool(number)
        assert not number or proven(report) == before
