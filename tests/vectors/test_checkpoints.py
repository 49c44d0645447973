"""Is a checkpoint read as sigstore-java reads it?"""

from pathlib import Path

import pytest

from glasswing_attest.errors import Base64Refused, FieldRefused, GlasswingError
from glasswing_attest.verification.note import Checkpoint, Note
from tests.shared import Case, cases

# What is wrong with each, as our sentence says it.
REFUSED = {
    "checkpoint/error_header_body_separator": "wanted a text, an empty line, and signature lines",
    "checkpoint/error_no_newline_after_signature": "wanted a text, an empty line, and signature lines",
    "checkpoint/error_not_a_number": "wanted a tree size in decimal",
    "checkpoint/error_signature_format_invalid": "wanted — <name> <base64>",
    # Its four bytes are written with stray bits besides, and that is found first; the length is tried below.
    "checkpoint/error_signature_length_insufficient": "the base64 does not re-encode to itself",
}


def parse(text: str) -> tuple[Note, Checkpoint]:
    note = Note.parse(text)
    return note, Checkpoint.parse(note.text)


@pytest.mark.parametrize("case", cases("checkpoint-parse"))
def test_a_checkpoint_gets_its_answer(case: Case, shared_data: Path) -> None:
    text = (shared_data / case.files["checkpoint"]).read_bytes().decode("utf-8")
    if case.expect == "accept":
        note, checkpoint = parse(text)
        assert len(note.signatures) == 2
        assert checkpoint.size > 0
        assert text.startswith(f"{checkpoint.origin}\n{checkpoint.size}\n")
        return
    assert case.raw["stage"] == "parse"
    with pytest.raises(GlasswingError) as refused:
        parse(text)
    stray = "re-encode" in REFUSED[case.case]
    assert type(refused.value) is (Base64Refused if stray else FieldRefused)
    assert refused.value.code == ("malformed.base64" if stray else "malformed.field")
    assert refused.value.where == "checkpoint"
    assert REFUSED[case.case] in str(refused.value)


def test_no_checkpoint_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in cases("checkpoint-parse")]
    assert {case.case for case in found if case.expect == "reject"} == set(REFUSED)
    assert len(found) == 6


@pytest.mark.parametrize("encoded", ["", "wA==", "wNI9ag=="])
def test_a_signature_is_more_than_the_hash_of_its_key(encoded: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Note.parse(f"origin\n1\n{ROOT}\n\n— name {encoded}\n")
    assert "wanted a key hash of four bytes and a signature" in str(refused.value)


ROOT = "rs1YPY0ydAV0lxgfrq5pE4oRpUJwo3syeps5+eGUTDI="


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("origin\n1\n", "three lines"),
        (f"origin\n1\n{ROOT}", "end of line"),
        (f"\n1\n{ROOT}\n", "origin"),
        (f"origin\n01\n{ROOT}\n", "leading zero"),
        (f"origin\n-1\n{ROOT}\n", "negative"),
        (f"origin\n+1\n{ROOT}\n", "sign"),
        (f"origin\n١\n{ROOT}\n", "digits of another script"),
        (f"origin\n1\n{ROOT[:-4]}\n", "short root"),
        (f"origin\n1\n{ROOT}\n\nextension\n", "empty line"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str, what: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        Checkpoint.parse(text)
    assert refused.value.code == "malformed.field", what


def test_extension_lines_are_kept_in_what_was_signed() -> None:
    text = f"origin - 1\n12\n{ROOT}\nTimestamp: 1\n"
    note, checkpoint = parse(f"{text}\n— origin wNI9ajBFAiA=\n")
    assert note.text == text
    assert (checkpoint.origin, checkpoint.size) == ("origin - 1", 12)
