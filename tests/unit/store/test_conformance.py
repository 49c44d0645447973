"""Does every store keep the protocol?  docs/stores.md. A user's own is one of them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import GlasswingError, StoreUnavailable, UsageError
from glasswing_attest.store import Store
from glasswing_attest.store.store import is_store
from glasswing_attest.store.subjects import subjects_of
from tests.chains import seal, sha256, signer, statement
from tests.unit.store.stories import KINDS, TYPE, Kind, about, data_of, digest, pretty

ONE, TWO, BOTH = about("one"), about("two"), about("one", "two")
OTHER = about("three")
# What the least that a user can write promises nobody.
OURS = [kind for kind in KINDS if kind.name != "user's"]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def store(kind: Kind, tmp_path: Path) -> Store:
    return kind.open(tmp_path)


def test_it_is_a_store(store: Store) -> None:
    assert is_store(store)
    assert not is_store(type(store))
    others: tuple[object, ...] = (b"", "a", [], set(), {}, Path("a"), ONE)
    assert not any(is_store(other) for other in others)


def test_before_anything_was_added(kind: Kind, store: Store) -> None:
    if kind.is_there:
        assert list(store.list()) == list(store.find([digest("one")])) == []
        return
    for ask in (store.list, partial(store.find, [digest("one")])):
        with pytest.raises(StoreUnavailable) as refused:
            list(ask())
        assert refused.value.code == "unavailable.store"
        assert refused.value.where


def test_what_was_added_is_listed_byte_for_byte(store: Store) -> None:
    for attestation in (ONE, TWO, BOTH):
        assert store.add(attestation).data == attestation.bytes
    assert data_of(store.list()) == sorted(a.bytes for a in (ONE, TWO, BOTH))


def test_what_was_added_is_found_by_each_of_its_subjects(kind: Kind, store: Store) -> None:
    for attestation in (ONE, TWO, BOTH, OTHER):
        store.add(attestation)
    for names, wanted in (
        (["one"], {ONE, BOTH}),
        (["two"], {TWO, BOTH}),
        (["three"], {OTHER}),
        (["one", "two"], {ONE, TWO, BOTH}),
        (["nobody"], set()),
        ([], set()),
    ):
        found = data_of(store.find([digest(name) for name in names]))
        assert len(found) == len(set(found)), "each item once"
        assert set(found) >= {a.bytes for a in wanted}
        if not kind.gives_more:
            assert set(found) == {a.bytes for a in wanted}


def test_equal_bytes_are_kept_once(store: Store) -> None:
    first = store.add(ONE)
    assert store.add(Attestation.parse(ONE.bytes)) == first
    assert data_of(store.list()) == [ONE.bytes]
    assert store.add(about("one", nonce=1)).data != first.data, "the same subject, and another statement"
    assert len(list(store.list())) == 2


def test_a_pretty_attestation_stays_what_it_says(store: Store) -> None:
    long = pretty(ONE)
    kept = store.add(long)
    assert store.add(long).data == kept.data
    assert [Attestation.parse(item.data).payload_digest for item in store.list()] == [long.payload_digest]
    assert Attestation.parse(kept.data).envelope == long.envelope
    assert data_of(store.find([digest("one")])) == [kept.data]


def test_what_was_added_outlives_the_one_who_added_it(kind: Kind, tmp_path: Path) -> None:
    if not kind.is_shared:
        assert kind.open(tmp_path) is not kind.open(tmp_path)
        return
    kind.open(tmp_path).add(ONE)
    assert data_of(kind.open(tmp_path).list()) == data_of(kind.open(tmp_path).find([digest("one")])) == [ONE.bytes]


def test_an_answer_can_be_gone_through_while_others_add(store: Store) -> None:
    store.add(ONE)
    seen = []
    for number, item in enumerate(store.list()):
        seen.append(item.data)
        store.add(about("later", nonce=number))
    assert ONE.bytes in seen
    assert len(seen) <= 3, "it ends"


def test_whoever_lists_may_stop_early(store: Store) -> None:
    for attestation in (ONE, TWO):
        store.add(attestation)
    assert next(iter(store.list())).data in (ONE.bytes, TWO.bytes)
    assert len(list(store.list())) == 2


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
def test_threads_share_it(kind: Kind, tmp_path: Path) -> None:
    shared = kind.open(tmp_path)
    start = threading.Barrier(4)
    attestations = [about(f"thing-{n}", "every") for n in range(16)]

    def add(mine: list[Attestation]) -> None:
        start.wait()
        for attestation in (*mine, ONE):
            shared.add(attestation)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [attestations[n::4] for n in range(4)]))
    assert set(data_of(shared.list())) == {a.bytes for a in (*attestations, ONE)}
    assert set(data_of(shared.find([digest("every")]))) == {a.bytes for a in attestations}
    assert data_of(shared.find([digest("thing-7")])) == [attestations[7].bytes]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("junk", [ONE.bytes, "path", None, 1, {}], ids=["bytes", "a path", "None", "1", "{}"])
def test_only_what_was_read_strictly_is_kept(kind: Kind, tmp_path: Path, junk: Any) -> None:
    with pytest.raises(UsageError) as refused:
        kind.open(tmp_path).add(junk)
    assert (refused.value.code, refused.value.where) == ("usage", "add")
    assert list(tmp_path.iterdir()) == [], "nothing was made for nothing"


HOSTILE = [
    "../../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "..",
    "",
    "a" * 4000,
    "\N{RIGHT-TO-LEFT OVERRIDE}x",
    "con.json\n",
    "$(id)",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_pitfall_37_names_never_become_paths(kind: Kind, tmp_path: Path, name: str) -> None:
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    subjects = [
        {"name": name, "uri": name, "digest": {"sha256": sha256(b"x"), name or "x": name}},
        {"name": "tree", "digest": {"dirHash1": sha256(b"y")}},
    ]
    hostile = Attestation.parse(seal(statement(subjects, TYPE, {}), signer("trainer")))
    store = kind.open(inside)
    store.add(hostile)
    assert data_of(store.find([Digest("sha256", sha256(b"x"))])) == [hostile.bytes]
    assert data_of(store.find([Digest("dirHash", sha256(b"y"))])) == [hostile.bytes]
    # Whoever asks may ask for anything.
    for odd in (Digest(name or "x", name), Digest("../x", "../../y"), Digest("a/b", "\0")):
        assert kind.gives_more or list(store.find([odd])) == []
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["inside"]
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_find_gives_what_a_full_scan_gives(kind: Kind, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    names = st.lists(st.sampled_from("abcde"), min_size=1, max_size=3, unique=True)
    drawn = data.draw(st.lists(st.tuples(names, st.integers(0, 2)), max_size=5))
    attestations = [about(*subjects, nonce=nonce) for subjects, nonce in drawn]
    store = kind.open(tmp_path_factory.mktemp("store"))
    for attestation in attestations:
        store.add(attestation)
    if not attestations:
        return
    wanted = {digest(name) for name in data.draw(st.lists(st.sampled_from("abcdef"), max_size=3))}
    scanned = {item.data for item in store.list() if not wanted.isdisjoint(subjects_of(item.data))}
    found = set(data_of(store.find(wanted)))
    assert found >= scanned
    assert kind.gives_more or found == scanned
    assert {item.data for item in store.list()} == {a.bytes for a in attestations}


# --- what others made ------------------------------------------------------------------------------------------------

CORPORA = ("gh-cli", "in-toto-golang", "model-transparency", "sigstore-conformance", "slsa-verifier")


def read(path: Path) -> Attestation | None:
    """The attestation in a file, if there is one of a statement."""
    try:
        attestation = Attestation.parse(path.read_bytes())
        return attestation if attestation.statement_unverified.subjects else None
    except GlasswingError:
        return None


@pytest.mark.shared
@pytest.mark.parametrize("corpus", CORPORA)
def test_what_others_signed_is_kept_and_found(kind: Kind, tmp_path: Path, shared_data: Path, corpus: str) -> None:
    files = sorted(path for path in (shared_data / corpus).rglob("*") if path.is_file())
    theirs = list(islice((a for path in files if path.stat().st_size < 100_000 and (a := read(path))), 8))
    assert len(theirs) >= 4, f"only {len(theirs)} attestations in {corpus}: this test would be vacuous"
    store = kind.open(tmp_path)
    kept = [(attestation, store.add(attestation).data) for attestation in theirs]
    assert {item.data for item in store.list()} == {data for _, data in kept}
    for attestation, data in kept:
        assert data in (attestation.bytes, attestation.as_line.strip())
        digests = subjects_of(data)
        assert digests == subjects_of(attestation.bytes)
        for wanted in digests:
            assert data in data_of(store.find([wanted]))
    assert any(subjects_of(data) for _, data in kept)
