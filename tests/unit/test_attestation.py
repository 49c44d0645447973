"""Is one attestation read for what it is, kept byte for byte, and written whole or not at all?"""

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import BUNDLE_V03, Bundle, KeyHint
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MediaTypeUnsupported,
    MessageSignatureUnsupported,
    NotJson,
    StatementTypeUnsupported,
    StoreUnavailable,
    UnavailableError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.store import gather

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "00" * 32}}],
        "predicateType": "https://example.com/t/v1",
    }
).encode()
ENVELOPE = Envelope(
    payload=STATEMENT, payload_type="application/vnd.in-toto+json", signatures=(EnvelopeSignature(sig=b"s", keyid="k"),)
)
BUNDLE = Bundle.of_key(ENVELOPE, "hint")
BARE = json.dumps(ENVELOPE.to_dict()).encode()
PRETTY = json.dumps(json.loads(BUNDLE), indent=2).encode()


def test_the_formats_are_told_apart_by_their_shape() -> None:
    bundle, bare = Attestation.parse(BUNDLE), Attestation.parse(BARE)
    assert (bundle.material, bare.material) == (KeyHint(hint="hint"), KeyHint())
    assert bundle.bundle is not None
    assert bare.bundle is None
    assert bundle.envelope == bare.envelope == ENVELOPE
    assert bundle.payload_digest == bare.payload_digest == hashlib.sha256(STATEMENT).hexdigest()
    assert bundle.statement_unverified.predicate_type == "https://example.com/t/v1"


def test_an_attestation_is_its_bytes() -> None:
    assert Attestation.parse(PRETTY).bytes == PRETTY
    assert Attestation.parse(PRETTY) != Attestation.parse(BUNDLE), "equal bytes are equal attestations, others are not"
    assert Attestation.parse(BUNDLE) == Attestation.parse(BUNDLE)
    assert len({Attestation.parse(BUNDLE), Attestation.parse(BUNDLE)}) == 1
    assert pickle.loads(pickle.dumps(Attestation.parse(BUNDLE))) == Attestation.parse(BUNDLE)


@pytest.mark.parametrize(
    ("body", "error", "where"),
    [
        ({}, FormatUnsupported, "$"),
        ({"payload": "aGk="}, FormatUnsupported, "$"),
        (json.loads(STATEMENT), FormatUnsupported, "$"),
        ({"signatures": []}, FormatUnsupported, "$"),
        ({"signatures": [], "signed": {}}, FieldMissing, "$.signed._type"),
        ({"mediaType": None}, FieldMissing, "$.mediaType"),
        ({"mediaType": "application/vnd.oci.image.manifest.v1+json"}, MediaTypeUnsupported, "$.mediaType"),
        ({**json.loads(BARE), "mediaType": BUNDLE_V03}, FieldMissing, "$.verificationMaterial"),
        ({"payload": "aGk=", "payloadType": "t"}, FieldMissing, "$.signatures"),
        ([], FieldRefused, "$"),
        (None, FieldRefused, "$"),
    ],
)
def test_what_is_neither_is_refused(body: object, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(GlasswingError) as refused:
        Attestation.parse(json.dumps(body).encode())
    assert type(refused.value) is error
    assert refused.value.where == where


def test_a_format_error_says_what_was_tried() -> None:
    with pytest.raises(FormatUnsupported) as refused:
        Attestation.parse(b'{"bomFormat": "CycloneDX", "specVersion": "1.6"}')
    said = str(refused.value)
    assert "Sigstore bundle: no mediaType" in said
    assert "DSSE envelope: no payload and payloadType" in said
    assert "found bomFormat, specVersion" in said
    assert refused.value.code == "unsupported.format"


def test_a_message_signature_is_no_attestation() -> None:
    body: Any = {
        "mediaType": BUNDLE_V03,
        "verificationMaterial": {"publicKey": {}},
        "messageSignature": {"signature": "c2ln"},
    }
    with pytest.raises(MessageSignatureUnsupported) as refused:
        Attestation.parse(json.dumps(body).encode())
    assert refused.value.where == "$.messageSignature"


def test_a_payload_that_is_no_statement_is_read_only_when_asked() -> None:
    other = Envelope(payload=b'{"_type": "x"}', payload_type="text/plain", signatures=ENVELOPE.signatures)
    attestation = Attestation.parse(json.dumps(other.to_dict()).encode())
    with pytest.raises(StatementTypeUnsupported):
        _ = attestation.statement_unverified


def test_cve_2024_29902_a_bundle_is_bounded_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(BUNDLE)
    limits = Limits(bundle_bytes=len(BUNDLE) - 1)
    with pytest.raises(LimitError) as parsed:
        Attestation.parse(BUNDLE, limits=limits)
    with pytest.raises(LimitError) as loaded:
        Attestation.load(path, limits=limits)
    assert "(bundle_bytes)" in str(parsed.value.wanted)
    assert loaded.value.where == str(path)
    assert Attestation.load(path, limits=Limits(bundle_bytes=len(BUNDLE))).bytes == BUNDLE


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [BUNDLE, BARE, PRETTY])
def test_what_is_written_is_loaded(data: bytes, tmp_path: Path) -> None:
    attestation = Attestation.parse(data)
    path = attestation.write(tmp_path / "m.sigstore.json")
    assert path.read_bytes() == data
    assert Attestation.load(path) == attestation
    assert Attestation.parse(BUNDLE).write(path) == path
    assert path.read_bytes() == BUNDLE, "the file is replaced"


def test_json_lines_gain_one_line_for_each(tmp_path: Path) -> None:
    path = tmp_path / "m.attestations.jsonl"
    for data in (BUNDLE, PRETTY, BARE):
        Attestation.parse(data).write(str(path))
    lines = path.read_bytes().split(b"\n")
    assert (lines[0], lines[2], lines[3]) == (BUNDLE, BARE, b"")
    assert len(lines) == 4
    # The line of an indented bundle says what the bundle says.
    assert json.loads(lines[1]) == json.loads(PRETTY)
    assert Attestation.parse(lines[1]).envelope == ENVELOPE
    assert [item.data for item in gather(path)] == lines[:3]


def test_a_last_line_without_its_end_is_not_run_together_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(BARE)
    Attestation.parse(BUNDLE).write(path)
    assert path.read_bytes() == BARE + b"\n" + BUNDLE + b"\n"


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_write_that_fails_leaves_what_was_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Attestation.parse(BARE).write(tmp_path / name)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError) as refused:
        Attestation.parse(BUNDLE).write(path)
    assert "No space left" in str(refused.value)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name], "nothing else is left behind"


@pytest.mark.parametrize(
    "name", ["absent/a.json", "absent/a.jsonl", "a" * 300 + ".json", "a" * 300 + ".jsonl", "a\0.jsonl"]
)
def test_a_place_that_cannot_be_written_is_our_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(GlasswingError) as refused:
        Attestation.parse(BUNDLE).write(tmp_path / name)
    assert refused.value.code in ("unavailable", "unavailable.store", "usage")


def test_a_directory_in_the_place_of_a_file_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    (tmp_path / "a.json").mkdir()
    for name in ("a.json", "a.jsonl"):
        with pytest.raises(UnavailableError):
            Attestation.parse(BUNDLE).write(tmp_path / name)
        with pytest.raises(StoreUnavailable):
            Attestation.load(tmp_path / name)


def test_a_file_that_cannot_be_loaded_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        Attestation.load(tmp_path / "absent.json")
    assert refused.value.where == str(tmp_path / "absent.json")
    (tmp_path / "junk.json").write_bytes(b"\x7fELF")
    with pytest.raises(NotJson):
        Attestation.load(tmp_path / "junk.json")
