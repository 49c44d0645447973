"""Laws of trees: the digest is the definition's, and nothing about a tree can change without changing it."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.manifest import FileEntry, Manifest, name_problem
from glasswing_attest.artifact.source import Source
from glasswing_attest.errors import GlasswingError

Files = dict[str, bytes]

# Any name that a filesystem and a listing can carry: no control characters, no backslash, at most 255 bytes a part.
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="/\\")
PARTS = st.one_of(
    st.sampled_from(["a", "b", "a.b", "a-b", "A", "é"]), st.text(LETTERS, min_size=1, max_size=20)
).filter(lambda part: part not in (".", ".."))
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=8).filter(
    lambda files: not any(other.startswith(f"{name}/") for name in files for other in files)
)
FEW = settings(max_examples=60, deadline=None)


@contextmanager
def on_disk(files: Files) -> Generator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield Path(folder)


def by_definition(files: Files) -> str:
    lines = [hashlib.sha256(files[n]).hexdigest() + "  " + n + "\n" for n in sorted(files, key=lambda n: n.encode())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def dir_hash_of(files: Files) -> str | None:
    with on_disk(files) as folder:
        return Dataset(folder).measure().digests.get("dirHash")


@FEW
@given(files=TREES)
def test_the_digest_is_the_definition(files: Files) -> None:
    with on_disk(files) as folder:
        manifest = Dataset(folder).measure()
    assert manifest.digests.to_dict() == dict.fromkeys(["dirHash", "sha256"], by_definition(files))
    assert {f.name: f.size for f in manifest.files} == {n: len(c) for n, c in files.items()}
    assert hashlib.sha256(manifest.listing).hexdigest() == by_definition(files)
    assert Manifest.from_proto(manifest.to_proto()) == replace(manifest, is_declared=True)
    assert Manifest.from_listing(manifest.listing).digests == manifest.digests


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="coreutils is not here")
@settings(max_examples=25, deadline=None)
@given(files=TREES)
def test_the_digest_is_what_a_shell_says(files: Files) -> None:
    recipe = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0r sha256sum -- | sha256sum"
    with on_disk(files) as folder:
        done = subprocess.run(["sh", "-c", recipe], cwd=folder, capture_output=True, check=True)
        assert Dataset(folder).measure().digests.get("dirHash") == done.stdout.split()[0].decode()


@FEW
@given(files=TREES, data=st.data())
def test_the_order_of_making_and_the_times_do_not_matter(files: Files, data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(files)))
    with on_disk({n: files[n] for n in order}) as folder:
        for path in folder.rglob("*"):
            if path.is_file():
                os.utime(path, (1, 1))
        (folder / "empty directory").mkdir(exist_ok=True)
        assert Dataset(folder).measure().digests.get("dirHash") == by_definition(files)


@FEW
@given(files=TREES, data=st.data())
def test_any_flipped_bit_changes_the_digest(files: Files, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(n for n, c in files.items() if c) or [""]))
    assume(name)
    at = data.draw(st.integers(0, len(files[name]) * 8 - 1))
    flipped = bytearray(files[name])
    flipped[at // 8] ^= 1 << at % 8
    assert dir_hash_of({**files, name: bytes(flipped)}) != by_definition(files)


@FEW
@given(files=TREES, name=NAMES, content=st.binary(max_size=5), data=st.data())
def test_adding_removing_renaming_and_swapping_change_the_digest(
    files: Files, name: str, content: bytes, data: st.DataObject
) -> None:
    before = by_definition(files)
    assume(not any(n == name or n.startswith(f"{name}/") or name.startswith(f"{n}/") for n in files))
    assert dir_hash_of({**files, name: content}) != before
    old = data.draw(st.sampled_from(sorted(files)))
    rest = {n: c for n, c in files.items() if n != old}
    if rest:
        assert dir_hash_of(rest) != before
    assert dir_hash_of({**rest, name: files[old]}) != before
    other = data.draw(st.sampled_from(sorted(files)))
    if files[other] != files[old]:
        assert dir_hash_of({**files, old: files[other], other: files[old]}) != before


@FEW
@given(files=TREES, data=st.data())
def test_leaving_out_is_the_same_as_removing(files: Files, data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(sorted({"/".join(n.split("/")[:i]) for n in files for i in range(1, 5)})))
    rest = {n: c for n, c in files.items() if n != prefix and not n.startswith(f"{prefix}/")}
    assume(rest)
    with on_disk(files) as folder:
        manifest = Dataset(folder, exclude=(prefix, "not there")).measure()
    assert manifest.digests.get("dirHash") == by_definition(rest)
    assert manifest.excluded == (prefix,)


@settings(max_examples=300, deadline=None)
@given(name=st.text(max_size=30))
def test_any_name_either_stands_in_a_listing_or_is_refused(name: str) -> None:
    if name_problem(name) is not None:
        return
    entry = FileEntry(name=name, size=1, sha256="ab" * 32)
    manifest = Manifest.of_tree("model", [entry])
    assert Manifest.from_listing(manifest.listing).files[0].name == name
    assert manifest.listing.count(b"\n") == 1


@settings(max_examples=300, deadline=None)
@given(
    data=st.one_of(
        st.binary(max_size=200), st.text(max_size=200).map(lambda t: (f"{'ab' * 32}  {t}\n").encode("utf-8", "replace"))
    )
)
def test_garbage_raises_only_our_errors(data: bytes) -> None:
    for parse in (Manifest.from_proto, Manifest.from_listing):
        try:
            manifest = parse(data)
        except GlasswingError:
            continue
        assert parse is Manifest.from_proto or manifest.listing == data


@FEW
@given(files=TREES, at=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_byte_of_a_message_is_refused_or_changes_nothing_that_identifies(
    files: Files, at: int, bit: int
) -> None:
    entries = [FileEntry(name=n, size=len(c), sha256=hashlib.sha256(c).hexdigest()) for n, c in files.items()]
    manifest = Manifest.of_tree("model", entries)
    data = bytearray(manifest.to_proto())
    data[at % len(data)] ^= 1 << bit
    try:
        found = Manifest.from_proto(bytes(data))
    except GlasswingError:
        return
    # Digests that follow from files cannot be changed without the files.
    same = [(f.name, f.sha256) for f in found.files] == [(f.name, f.sha256) for f in manifest.files]
    # A changed bit may be the one that says that the files were read; then their sizes, and they, may be absent.
    assert found.is_declared
    if found.files:
        assert (found.digests.identity == manifest.digests.identity) is same


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@settings(max_examples=20, deadline=None)
@given(files=TREES, data=st.data())
def test_a_checkout_is_clean_until_any_byte_is_changed(files: Files, data: st.DataObject) -> None:
    assume(not any(p.lower() in (".git", ".gitignore", ".gitmodules") for n in files for p in n.split("/")))
    with on_disk(files) as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        who = (
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example",
            "-c",
            "core.protectHFS=false",
            "-c",
            "core.protectNTFS=false",
        )
        for command in (("init", "--quiet"), ("add", "--all"), (*who, "commit", "--quiet", "-m", "m")):
            subprocess.run(["git", *who, *command], cwd=folder, env=environment, check=True, capture_output=True)
        tree = subprocess.run(["git", "write-tree"], cwd=folder, env=environment, check=True, capture_output=True)
        manifest = Source(folder).measure()
        assert manifest.digests.get("gitTree") == tree.stdout.strip().decode()
        assert manifest.facts["dirty"] == "false"
        name = data.draw(st.sampled_from(sorted(files)))
        with (folder / name).open("ab") as f:
            f.write(b"x")
        assert Source(folder).measure().facts["dirty"] == "true"
