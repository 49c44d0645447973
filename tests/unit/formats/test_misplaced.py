"""Is what belongs elsewhere called by what it is, once, and without a byte of it?"""

import io
import json
import zipfile
from pathlib import Path

import pytest

from glasswing_attest import KeySigner, formats
from glasswing_attest.errors import FormatUnsupported, GlasswingError, MediaTypeUnsupported, NotJson, NotUtf8
from glasswing_attest.formats.lines import split
from glasswing_attest.store import gather
from glasswing_attest.testing import VirtualSigstore
from tests.chains import honest

POLICY = b"version: 1\nidentities: {me: {key: me}}\nnodes:\n  file: {trim: {reason: x}}\n"
TRUST = b"version: 1\nkeys:\n  me: {file: me.pub}\n"
LOCK = b'lock-version = "1.0"\ncreated-by = "x"\n\n[[packages]]\nname = "a"\n\n[[packages.wheels]]\nname = "a.whl"\n'


def wheel() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.py", "\n" * 20_000)
    return stream.getvalue()


def private_key(folder: Path) -> bytes:
    path = folder / "trainer.key"
    KeySigner.generate().write(path)
    return path.read_bytes()


PARTS = [
    (POLICY, NotJson, "a policy", "(--policy)"),
    (TRUST, NotJson, "a trust file", "(--trust)"),
    (LOCK, NotJson, "a lock file", "environment check --lock"),
    (b"# notes\n\nSome words.\n", NotJson, None, ""),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", NotUtf8, "a PDF", "the attestation itself"),
    (b"\x1f\x8b\x08\n\x00\n", NotUtf8, "a gzip archive", "ask about the file itself"),
    (wheel(), NotUtf8, "a zip archive, such as a wheel", "--kind file"),
    (b'{"version": 1, "identities": {}, "nodes": {}}', FormatUnsupported, "a policy", "(--policy)"),
    (b'{"version": 1, "roots": {}}', FormatUnsupported, "a trust file", "(--trust)"),
    (b'{"keys": [{"keyid": "SHA256:x"}]}', FormatUnsupported, "a list of keys", "under `keys`"),
    (VirtualSigstore("x").trusted_root(), MediaTypeUnsupported, "a Sigstore TrustedRoot", "under `roots`"),
]


@pytest.mark.parametrize(("data", "kind", "found", "advice"), PARTS, ids=[str(p[2]) for p in PARTS])
def test_it_is_one_item_called_by_what_it_is(
    data: bytes, kind: type[GlasswingError], found: str | None, advice: str, tmp_path: Path
) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(data)
    (item,) = gather(path)
    assert (item.data, item.origin) == (data.strip() if data[:1] == b"{" else data, str(path))
    with pytest.raises(kind) as refused:
        formats.parse(item.data)
    assert refused.value.where in ("$", "$.mediaType")
    assert refused.value.found == found
    assert advice in refused.value.do
    if kind in (NotJson, NotUtf8):
        assert "neither JSON nor JSON lines" in str(refused.value)


def test_nothing_of_a_key_is_shown(tmp_path: Path) -> None:
    data = private_key(tmp_path)
    lines = data.decode().splitlines()[1:-1]
    report = honest().assess([tmp_path / "trainer.key"])
    (refused,) = report.refused
    assert refused.error.found == "a key or certificate in PEM"
    assert "stays with whoever signs" in refused.error.do
    told = report.to_text() + report.to_json() + repr(refused)
    assert not [line for line in lines if line[:8] in told]
    # Nor where it says that it holds lines, or hides behind something.
    for start, suffix in ((b"", ".jsonl"), (b"{}\n", ".json"), (b'{"a": 1}\n', ".json"), (b"{\n", ".json")):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(start + data)
        report = honest().assess([path])
        told = report.to_text() + report.to_json()
        assert not [line for line in lines if line[:8] in told], (start, suffix)
        assert report.refused


def test_no_line_hides_another(tmp_path: Path) -> None:
    chain = honest()
    for start in (POLICY, LOCK, private_key(tmp_path), b"%PDF-1.7\n\xff\n", b"{\n", b"[\n", b"\x00\n", b"junk\n"):
        data = start + chain.run.as_line + b"\n" + chain.record.as_line + b"\n" + chain.source.as_line
        assert chain.assess(data).accepted, start
        (tmp_path / "x.json").write_bytes(data + b"\nmore")
        assert chain.assess(tmp_path / "x.json").accepted, start


def test_bad_lines_among_good_ones_are_named_each() -> None:
    good = json.dumps({"a": 1}).encode()
    told = list(split(b"junk\n" + good + b"\n{bad}\n\n" + b"more"))
    assert told == [(1, b"junk"), (2, good), (3, b"{bad}"), (5, b"more")]
    # What says that it holds lines does.
    assert list(split(b"junk\nmore", always=True)) == [(1, b"junk"), (2, b"more")]
    assert list(split(b"junk\nmore")) == [(None, b"junk\nmore")]
    # Brackets on lines of their own are no values.
    assert list(split(b"a:\n{}\nb:\n[]\n")) == [(None, b"a:\n{}\nb:\n[]\n")]
