"""Does whatever stands in a lock file or in an installer's notes end in a value or in an error of ours?"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest.artifact.installed import (
    OwnedFile,
    parse_direct_url,
    parse_installer,
    parse_metadata,
    parse_record,
    parse_tags,
    purl_of,
)
from glasswing_attest.artifact.lock import Lock, holds
from glasswing_attest.artifact.urls import public_url
from glasswing_attest.errors import GlasswingError
from glasswing_attest.records import DependencyRecord
from tests.environments import record_line
from tests.unit.records.test_dependencies import ORIGINAL

NOTES = (
    lambda data: parse_metadata(data, where="f"),
    lambda data: parse_tags(data, where="f"),
    lambda data: parse_installer(data, where="f"),
    lambda data: parse_direct_url(data, where="f"),
    lambda data: parse_record(data, site="lib/python3.11/site-packages", prefix="/env", where="f"),
    Lock.parse,
)
SEEDS = (
    b"Name: demo\nVersion: 1.0\n",
    b'{"url": "https://x/demo", "vcs_info": {"vcs": "git", "commit_id": "%s"}}' % (b"0" * 40),
    b"demo.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n",
    ORIGINAL,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 9)) :]
    return data


@given(damaged() | st.binary(max_size=50), st.sampled_from(NOTES))
def test_garbage_ends_in_a_value_or_in_an_error_of_ours(data: bytes, read: Any) -> None:
    try:
        read(data)
    except GlasswingError as e:
        assert e.where, repr(e)  # noqa: PT017  # which error it is depends on the garbage


@given(damaged())
def test_a_lock_that_is_read_can_be_said_again_or_is_refused(data: bytes) -> None:
    try:
        lock = Lock.parse(data)
        record = DependencyRecord.from_lock(lock)
        text = record.to_pylock()
    except GlasswingError:
        return
    again = Lock.parse(text.encode())
    assert sorted(again.packages, key=repr) == sorted(lock.packages, key=repr)


def test_the_seed_is_said_again() -> None:
    test_a_lock_that_is_read_can_be_said_again_or_is_refused.hypothesis.inner_test(ORIGINAL)  # type: ignore[attr-defined]
    assert DependencyRecord.from_lock(Lock.parse(ORIGINAL)).to_pylock()


paths = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters='/\\"'), min_size=1),
    min_size=1,
    max_size=3,
)


@given(paths, st.binary(max_size=5))
def test_a_record_line_is_read_as_it_was_written(parts: list[str], data: bytes) -> None:
    name = "/".join(part if part.strip(".") else "x" for part in parts)
    (file,) = parse_record(record_line(name, data).encode(), site="s", prefix="/env", where="f")
    assert isinstance(file, OwnedFile)
    assert file.name == f"s/{name}"


secrets = st.text("abcXYZ0189-_~", min_size=8, max_size=12)


@given(secrets, secrets, st.sampled_from(["https", "git+https", "ssh", "file"]), st.booleans())
def test_no_url_carries_what_is_secret(secret: str, other: str, scheme: str, as_purl: bool) -> None:
    url = f"{scheme}://u{secret}:p{secret}@host.example/demo?token={other}!#frag={other}!"
    public = public_url(url)
    if as_purl:
        public = purl_of("demo", "1", "direct-url", public)
    assert f"u{secret}" not in public
    assert f"p{secret}" not in public
    assert f"{other}!" not in public
    assert "host.example/demo" in public


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://u:p/w@host/x", ""),
        ("https://[x", ""),
        ("https://x/\n", ""),
        ("https://u:p@h:port/x", ""),
        ("u:p@host/x", "host/x"),
        ("git@host:x/y?token=1#z", "host:x/y"),
        ("file:///home/me/x@2", "file:///home/me/x@2"),
        ("../x@2", "../x@2"),
    ],
)
def test_a_url_that_cannot_be_told_apart_is_not_kept(url: str, public: str) -> None:
    assert public_url(url) == public


@given(st.text(max_size=40))
def test_any_marker_holds_or_does_not_or_is_not_known(marker: str) -> None:
    assert holds(marker, {"python_version": "3.11"}) in (True, False, None)
