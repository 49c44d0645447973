"""Does the command keep, find and list, and say that nothing of it is verified?"""

from pathlib import Path

import pytest

from glasswing_attest import Attestation, Model
from glasswing_attest.store import DirectoryStore
from tests.unit.cli.stories import Run, Story


@pytest.fixture
def kept(story: Story, run: Run) -> Path:
    """A store with the story's attestation."""
    store = story.folder / "store"
    assert run("store", "add", store, story.evidence).code == 0
    return store


def test_what_is_added_is_found_and_listed(run: Run, story: Story, kept: Path) -> None:
    (digest,) = Model(story.model).measure().digests.identity
    found = run("store", "find", kept, str(digest))
    listed = run("store", "list", kept)
    assert (found.code, listed.code, found.err) == (0, 0, "")
    assert found.out == listed.out
    path, predicate, subject = found.out.split("  ")
    assert Attestation.load(path).bytes == story.evidence.read_bytes().strip()
    assert predicate.endswith("/predicates/model/v1")
    assert subject == "model\n"


def test_as_json(run: Run, story: Story, kept: Path) -> None:
    manifest = Model(story.model).measure()
    for told in (run("store", "list", kept, "--json").json, run("--json", "store", "add", kept, story.evidence).json):
        assert told["verified"] is False
        (item,) = told["items"]
        assert sorted(item) == ["path", "predicateType", "subjects"]
        assert item["subjects"] == [{"name": "model", "digest": manifest.digests.to_dict()}]
    assert run("store", "index", kept, "--json").json == {"entered": 1}


def test_verify_asks_it(run: Run, story: Story, kept: Path) -> None:
    ran = run("verify", "--json", *story.deciding, "--evidence", kept, story.model)
    assert (ran.code, ran.json["verdict"]) == (0, "accepted")
    assert ran.json["evidence"]["sources"] == [{"origin": f"DirectoryStore {kept}", "items": 1, "asked": True}]


def test_a_no_names_what_was_read(run: Run, story: Story, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = run("verify", *story.deciding, "--evidence", tmp_path / "empty", story.model)
    assert ran.code == 1
    assert f"evidence: {tmp_path}/empty (0 items)" in ran.out


def test_nothing_is_no_yes(run: Run, story: Story, kept: Path) -> None:
    nothing = run("store", "find", kept, f"sha256:{'0' * 64}")
    assert (nothing.code, nothing.out) == (1, "")
    assert "nothing" in nothing.err
    (story.folder / "empty.jsonl").write_bytes(b"")
    assert run("store", "add", kept, story.folder / "empty.jsonl").code == 1


def test_what_is_no_attestation_is_told_before_anything_is_kept(run: Run, story: Story, tmp_path: Path) -> None:
    (tmp_path / "junk.json").write_bytes(b"<html>")
    ran = run("store", "add", tmp_path / "store", story.evidence, tmp_path / "junk.json")
    assert (ran.code, ran.out) == (1, "")
    assert "junk.json" in ran.err
    assert "[malformed.json]" in ran.err
    assert not (tmp_path / "store").exists()


def test_what_was_put_there_by_hand_is_told_and_entered(run: Run, kept: Path) -> None:
    shard = kept / "attestations" / "00"
    shard.mkdir(exist_ok=True)
    (shard / f"{'0' * 64}.json").write_bytes(b"{\x1b[2J}")
    listed = run("store", "list", kept)
    assert listed.code == 0
    assert "unreadable: " in listed.out
    assert "\x1b" not in listed.out
    assert run("store", "index", kept).out == "entered: 2 attestations\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("add", "{}"), 2, "usage"),
        (("find", "{}"), 2, "usage"),
        (("list", "{}", "more"), 2, "usage"),
        (("find", "{}", "nonsense"), 2, "usage"),
        (("find", "{}", "sha256:zz"), 2, "usage"),
        (("remove", "{}", "x"), 2, "usage"),
        (("list", "nowhere"), 3, "unavailable.store"),
        (("find", "nowhere", f"sha256:{'0' * 64}"), 3, "unavailable.store"),
        (("index", "nowhere"), 3, "unavailable.store"),
        (("add", "{}", "nowhere"), 3, "unavailable.store"),
        (("add", "{}/..", "{}/../model.attestations.jsonl"), 2, "usage"),
    ],
)
def test_wrong_calls(run: Run, kept: Path, words: tuple[str, ...], code: int, told: str) -> None:
    ran = run("store", "--json", *(word.format(kept) for word in words))
    assert (ran.code, ran.json["exit"], ran.json["error"]["code"]) == (code, code, told)


def test_one_store_goes_into_another(run: Run, kept: Path, tmp_path: Path) -> None:
    assert run("store", "add", tmp_path / "copy", kept, "--quiet").out == ""
    ours, theirs = DirectoryStore(kept), DirectoryStore(tmp_path / "copy")
    assert [item.data for item in ours.list()] == [item.data for item in theirs.list()]
