"""What does a verifier ask a store, what does it say of the answer, and what when there is none?"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import DataRecord, Report, Verifier, assess, replay, verify
from glasswing_attest._api import inquiry
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.errors import (
    FormatUnsupported,
    GlasswingError,
    LimitError,
    NoMatchingAttestation,
    StoreUnavailable,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.store import (
    DirectoryStore,
    EvidenceSource,
    Item,
    MemoryStore,
    SetFileStore,
    SidecarStore,
    frozen,
    gather,
)
from tests.chains import Chain, honest, policy_of, run_record, tree, used
from tests.unit.store.stories import KINDS, Kind, Shelf, about


class Watched(MemoryStore):
    """Remembers what it was asked."""

    def __init__(self, *attestations: Any) -> None:
        super().__init__(attestations)
        self.asked: list[set[Digest]] = []
        self.listed = 0

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        self.asked.append(set(digests))
        return super().find(self.asked[-1])

    def list(self) -> Iterator[Item]:
        for item in super().list():
            self.listed += 1
            yield item


def identity(thing: Any) -> set[Digest]:
    return set(thing.digests.identity)


def cause(report: Report) -> str:
    assert report.cause is not None
    return report.cause.code


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    kind: Kind = request.param
    store = kind.open(tmp_path)
    for attestation in honest().evidence:
        store.add(attestation)
    return store


# --- it is taken everywhere ------------------------------------------------------------------------------------------


def test_every_entry_point_takes_it(filled: Any) -> None:
    chain = honest()
    deciding: dict[str, Any] = {"policy": chain.policy, "trust": chain.trust}
    assert verify(chain.model, filled, **deciding).accepted
    assert assess(chain.model, [[filled]], **deciding).accepted
    assert Verifier(evidence=filled, **deciding).verify(chain.model).accepted
    assert Verifier(evidence=[filled, b"junk"], **deciding).assess(chain.model).accepted
    assert frozen([filled]) == (filled,)
    assert {item.data for item in gather(filled)} == {a.bytes for a in chain.evidence}


def test_beside_what_is_handed_over(filled: Any, tmp_path: Path) -> None:
    chain = honest()
    (tmp_path / "run.json").write_bytes(chain.run.bytes)
    several: list[Any] = [chain.run, chain.run.bytes, tmp_path / "run.json", [chain.run, MemoryStore(chain.evidence)]]
    for others in several:
        assert chain.assess([filled, others]).accepted
    # What is in no store leads to what is.
    assert chain.assess([MemoryStore([chain.record, chain.source]), chain.run]).accepted
    assert chain.assess([MemoryStore([chain.record]), MemoryStore([chain.source, chain.run])]).accepted


def test_a_path_to_a_directory_store_is_that_store(tmp_path: Path) -> None:
    chain = honest()
    store = DirectoryStore(tmp_path / "store")
    for attestation in chain.evidence:
        store.add(attestation)
    several: list[Any] = [store.path, str(store.path), [store.path, store]]
    for evidence in several:
        report = chain.assess(evidence)
        assert report.accepted
        assert report.sources == (EvidenceSource(origin=f"DirectoryStore {store.path}", items=3, asked=True),)


# --- what it is asked ------------------------------------------------------------------------------------------------


def test_it_is_asked_from_the_artifact_upwards() -> None:
    chain = honest()
    store = Watched(*chain.evidence, *(about(f"other-{n}") for n in range(300)))
    report = chain.assess(store)
    assert report.accepted
    assert store.asked == [identity(chain.model), identity(chain.data) | identity(chain.code)]
    assert store.listed == 0
    assert {item.data for item in report.evidence} == {a.bytes for a in chain.evidence}


def test_what_the_policy_does_not_ask_for_is_not_asked() -> None:
    chain = honest()

    def change(plain: dict[str, Any]) -> None:
        plain["nodes"]["code"] = {"trim": {"reason": "reviewed elsewhere"}}

    store = Watched(*chain.evidence)
    assert chain.assess(store, policy=policy_of(change)).accepted
    assert store.asked == [identity(chain.model), identity(chain.data)]


@pytest.mark.parametrize("by", ["mallory", "data-team"])
def test_who_may_not_say_so_leads_to_no_question(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stranger, and somebody who is trusted for something else: neither makes the search any longer.
    monkeypatch.setattr(inquiry, "_LITTLE", -1)
    chain = honest()
    many = [used(tree("dataset", {"x": b"%d" % n}), "dataset") for n in range(50)]
    store = Watched(run_record(chain.model, *many, by=by))
    assert cause(chain.assess(store)) in ("chain.no-attestation", "policy.signed-by", "verification.key-untrusted")
    assert store.asked == [identity(chain.model)]


def test_a_store_without_end_is_a_limit() -> None:
    class Endless(Shelf):
        def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
            return (Item(data=b"%d" % n, origin="endless") for n in itertools.count())

    report = honest().assess(Endless(), limits=Limits(evidence=50))
    assert (report.verdict, cause(report), report.evidence) == ("undecided", "limit", ())
    with pytest.raises(LimitError) as refused:
        report.require()
    assert refused.value.where == "endless"
    assert "(evidence)" in str(refused.value.wanted)


# --- before a no -----------------------------------------------------------------------------------------------------


def test_a_large_store_is_never_read_whole() -> None:
    chain = honest()
    store = Watched(*(about(f"other-{n}") for n in range(400)))
    report = chain.assess(store)
    assert cause(report) == "chain.no-attestation"
    assert store.listed == inquiry._LITTLE + 1, "so many are looked at to see that there are more"
    assert report.evidence == ()
    assert report.sources == (EvidenceSource(origin="Watched", items=0, asked=True),)


def test_a_small_store_is_read_whole_to_say_why_not() -> None:
    chain = honest()
    changed = tree("model", {"config.json": b"{}", "model.safetensors": b"WEIGHTS"}, chain.model.name)
    store = Watched(*chain.evidence)
    report = chain.assess(store, artifact=changed)
    assert cause(report) == cause(chain.assess(chain.evidence, artifact=changed)) == "verification.subject"
    assert store.listed == 3
    assert report.sources == (EvidenceSource(origin="Watched", items=3, asked=False),)


def test_a_small_store_whose_answers_leave_something_out_hides_nothing() -> None:
    class Forgetful(MemoryStore):
        def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
            return iter(())

    chain = honest()
    assert chain.assess(Forgetful(chain.evidence)).accepted
    # What it forgot leads to another store, which is asked in its turn.
    assert chain.assess([Forgetful([chain.run]), Watched(chain.record, chain.source)]).accepted


# --- no answer -------------------------------------------------------------------------------------------------------


def broken(error: Callable[[], BaseException], *, late: bool, where: str) -> Any:
    def answer(items: Iterable[Item]) -> Iterator[Item]:
        if late:
            yield from items
        raise error()

    class Broken(MemoryStore):
        def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
            found = super().find(digests)
            return answer(found) if where == "find" else found

        def list(self) -> Iterator[Item]:
            return answer(super().list()) if where == "list" else super().list()

    return Broken


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("error", "message"),
    [
        (lambda: StoreUnavailable(where="db", because="no route"), "db: the evidence cannot be read (no route)"),
        (lambda: ConnectionRefusedError(111, "refused"), "Broken: the evidence cannot be read (ConnectionRefused"),
        (lambda: RuntimeError("pool closed"), "(RuntimeError: pool closed)"),
        (lambda: FormatUnsupported(where="x"), "Broken: the evidence cannot be read (FormatUnsupported"),
    ],
    ids=["unavailable", "OSError", "RuntimeError", "malformed"],
)
def test_a_store_that_does_not_answer_leaves_all_undecided(
    error: Callable[[], BaseException], message: str, late: bool
) -> None:
    chain = honest()
    made = broken(error, late=late, where="find")
    for evidence in (made(chain.evidence), [chain.evidence, made()], [made(), chain.evidence]):
        report = chain.assess(evidence)
        assert (report.verdict, cause(report)) == ("undecided", "unavailable.store")
        assert report.evidence == (), "a part of the evidence is not what was decided on"
        with pytest.raises(StoreUnavailable) as refused:
            report.require()
        assert message in str(refused.value)
    # Before a no it is asked for everything; that it does not answer then leaves that no undecided as well.
    listing = broken(error, late=late, where="list")
    assert chain.assess(listing(chain.evidence)).accepted
    assert chain.assess(listing([chain.run])).verdict == "undecided"


@pytest.mark.parametrize("given", [b"bytes", None, "text", honest().run])
def test_what_is_no_item_is_a_mistake_of_who_wrote_the_store(given: Any) -> None:
    class Wrong(Shelf):
        def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
            return iter([given])

    with pytest.raises(UsageError) as refused:
        honest().assess(Wrong())
    assert (refused.value.code, refused.value.where, refused.value.wanted) == ("usage", "Wrong", "an Item from a store")


@pytest.mark.parametrize("evidence", [MemoryStore, Shelf, [DirectoryStore]])
def test_a_store_s_class_is_no_store(evidence: Any) -> None:
    with pytest.raises(UsageError) as refused:
        honest().assess(evidence)
    assert refused.value.where.startswith("evidence")


@pytest.mark.parametrize("store", [DirectoryStore("nowhere"), SetFileStore("nowhere")])
def test_a_store_that_is_not_there_is_not_empty(store: Any) -> None:
    report = honest().assess([honest().evidence, store])
    assert (report.verdict, cause(report)) == ("undecided", "unavailable.store")


def test_an_artifact_without_a_sidecar_has_no_attestations(tmp_path: Path) -> None:
    assert cause(honest().assess(SidecarStore(tmp_path / "model"))) == "chain.no-attestation"


def test_a_damaged_set_is_unavailable(tmp_path: Path) -> None:
    chain = honest()
    store = SetFileStore(tmp_path / "a.attestations")
    for attestation in chain.evidence:
        store.add(attestation)
    store.path.write_bytes(store.path.read_bytes()[:-3])
    for call in (store.list, lambda: store.add(chain.run)):
        with pytest.raises(StoreUnavailable) as refused:
            call()
        assert (refused.value.code, refused.value.where) == ("unavailable.store", str(store.path))
        assert isinstance(refused.value.__cause__, GlasswingError)


def test_what_travels_with_a_set_stays_in_it(tmp_path: Path) -> None:
    from glasswing_attest.attestation_set import AttestationSet

    chain = honest()
    path = tmp_path / "a.attestations"
    AttestationSet(items=(chain.model, chain.run.bytes), producer="us").write(path)
    SetFileStore(path).add(chain.record)
    grown = AttestationSet.read(path)
    assert grown.attestations == (chain.run.bytes, chain.record.bytes)
    assert (len(grown.manifests), grown.producer) == (1, "us")


# --- where was looked ------------------------------------------------------------------------------------------------


def told(report: Report) -> list[tuple[str, int, bool]]:
    return [(s["origin"], s["items"], s["asked"]) for s in report.to_dict()["evidence"]["sources"]]


def test_a_report_names_every_place(tmp_path: Path) -> None:
    chain = honest()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "readme.txt").write_bytes(b"no evidence")
    chain.run.write(tmp_path / "full" / "a.jsonl")
    chain.record.write(tmp_path / "full" / "a.jsonl")
    chain.run.write(tmp_path / "full" / "b.json")
    (tmp_path / "nothing.jsonl").write_bytes(b"\n")
    places = [tmp_path / "empty", tmp_path / "full", tmp_path / "nothing.jsonl"]
    report = chain.assess([*places, chain.run, chain.run.bytes, MemoryStore()])
    assert told(report) == [
        (str(tmp_path / "empty"), 0, False),
        (str(tmp_path / "full"), 0, False),
        (str(tmp_path / "full" / "a.jsonl"), 2, False),
        (str(tmp_path / "full" / "b.json"), 1, False),
        (str(tmp_path / "nothing.jsonl"), 0, False),
        ("MemoryStore", 0, False),
        ("handed over", 1, False),
    ]
    assert report.cause is not None
    assert report.cause.found.endswith(
        f"; evidence: 4 items of 7 places: {tmp_path}/empty (0 items), {tmp_path}/full (0 items; 1 not read: "
        f"readme.txt), {tmp_path}/full/a.jsonl (2 items), {tmp_path}/full/b.json (1 item), "
        f"{tmp_path}/nothing.jsonl (0 items), MemoryStore (0 items), …"
    )
    with pytest.raises(NoMatchingAttestation) as refused:
        report.require()
    for words in (str(refused.value), report.to_text()):
        assert f"; evidence: 4 items of 7 places: {tmp_path}"[:60] in words
    assert f"not read, for their names: 1 in {tmp_path}/full (readme.txt)" in report.to_text()
    (source,) = (s for s in report.to_dict()["evidence"]["sources"] if "skipped" in s)
    assert (source["skipped"], source["skippedNames"]) == (1, ["readme.txt"])
    assert replay(report.case(tmp_path / "case.zip")).sources == report.sources


def test_no_evidence_is_named_as_well() -> None:
    report = honest().assess([])
    assert told(report) == []
    assert report.cause is not None
    assert report.cause.found.endswith("; evidence: none")


def test_many_places_are_counted(tmp_path: Path) -> None:
    for number in range(11):
        about(f"{number}").write(tmp_path / f"{number:02}.json")
    report = honest().assess(tmp_path)
    assert len(told(report)) == 11
    assert report.cause is not None
    assert "; evidence: 11 items of 11 places: " in report.cause.found
    assert report.cause.found.endswith(f"{tmp_path}/05.json (1 item), …")


def test_a_store_shows_its_class_and_path_and_no_secret() -> None:
    class Database(Shelf):
        def __repr__(self) -> str:
            return "postgresql://user:password@db"

    assert told(honest().assess(Database())) == [("Database", 0, False)]


def test_the_order_of_places_is_irrelevant(tmp_path: Path) -> None:
    places: list[Any] = [MemoryStore(), honest().run]
    for name in ("b.json", "a.json"):
        about(name).write(tmp_path / name)
        places.append(tmp_path / name)
    reports = [honest().assess(list(order)) for order in itertools.permutations(places)]
    assert len({str(told(report)) for report in reports}) == 1
    assert len({report.cause for report in reports}) == 1


@pytest.mark.parametrize("without", [(), ("run",), ("record",)])
def test_a_case_keeps_what_was_used_and_where_it_was(tmp_path: Path, without: tuple[str, ...]) -> None:
    chain: Chain = honest()
    store = DirectoryStore(tmp_path / "store")
    for name in {"run", "record", "source"}.difference(without):
        store.add(getattr(chain, name))
    for number in range(300):
        store.add(about(f"other-{number}"))
    report = chain.assess(store)
    assert report.accepted is (not without)
    assert len(report.evidence) == (3 if not without else 0 if "run" in without else 2)
    path = report.case(tmp_path / "case.zip")
    for file in sorted(store.path.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    again = replay(path)
    assert again.verdict == report.verdict
    assert again.sources == report.sources != ()
    assert again.findings[:-1] == report.findings
    assert again.records(DataRecord) == report.records(DataRecord)
