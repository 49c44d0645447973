"""Are the statements and envelopes that others publish read, or refused for a reason that we can name?"""

import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import DigestRefused, FieldMissing, GlasswingError, StatementTypeUnsupported
from glasswing_attest.statement.statement import Statement
from tests.shared import cases

# Deviations, by the file's name: the class, where, and why it is right.
_REFUSED: dict[str, tuple[type[GlasswingError], str]] = {
    # The subject's "sha256" has the 40 digits of a SHA-1: as a digest it names nothing.
    "certify-novuln.json": (DigestRefused, "$.subject[0].digest.sha256"),
    "certify-novuln-v02.json": (DigestRefused, "$.subject[0].digest.sha256"),
    # Statement v0.1 requires a digest for every subject; this one has a URI only.
    "certify-vuln-v02.json": (FieldMissing, "$.subject[0].digest"),
    # Statements without a _type: upstream takes them for any version, in-toto requires the field.
    **{f"onebad.jsonl:{line}": (FieldMissing, "$._type") for line in (0, 3, 4, 5, 6)},
    # in-toto's classic layouts are signed under in-toto's payload type, and are no statements.
    "demo.dsse.layout": (StatementTypeUnsupported, "$._type"),
    "dsse-only.root.layout": (StatementTypeUnsupported, "$._type"),
}


def _paths(kind: str, folder: Path) -> list[Path]:
    """Every file that a case of this kind names, once."""
    names = [v for p in cases(kind) for value in p.values[0].files.values() for v in _flat(value)]
    return [path for path in (folder / name for name in sorted(set(names))) if path.is_file()]


def _flat(value: Any) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _pieces(path: Path) -> list[tuple[str, bytes]]:
    data = path.read_bytes()
    if path.suffix != ".jsonl":
        return [(path.name, data)]
    return [(f"{path.name}:{number}", line) for number, line in enumerate(data.split(b"\n")) if line]


def _unwrapped(data: bytes) -> Statement:
    return Attestation.parse(data).statement_unverified


def _shape(data: bytes) -> str:
    try:
        value: Any = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(value, dict):
        return ""
    if "dsseEnvelope" in value or {"payload", "payloadType"} <= value.keys():
        return "attestation"
    return "statement" if {"_type", "predicateType"} <= value.keys() else ""


@pytest.mark.parametrize(
    ("kind", "read", "refused"),
    [
        ("document", 16, 8),
        ("ampel-policy", 12, 0),
        ("intoto-layout", 0, 2),
        ("slsa-gha", 33, 0),
        ("slsa-github-attestation", 2, 0),
    ],
)
def test_the_statements_of_others_are_read(kind: str, read: int, refused: int, shared_data: Path) -> None:
    seen: list[str] = []
    refusals: list[str] = []
    for path in _paths(kind, shared_data):
        for name, data in _pieces(path):
            shape = _shape(data)
            if not shape:
                continue
            parse = _unwrapped if shape == "attestation" else Statement.parse_unverified
            if name in _REFUSED:
                error, where = _REFUSED[name]
                with pytest.raises(error) as caught:
                    parse(data)
                assert caught.value.where == where, name
                refusals.append(name)
                continue
            statement = parse(data)
            assert statement.subjects, name
            assert statement.predicate_type, name
            seen.append(name)
    assert (len(seen), len(refusals)) == (read, refused)
