"""Does the command write what it read, whole or not at all, and leave what was signed as it was?"""

import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import AttestationSet, formats
from tests.unit.cli.stories import Run
from tests.unit.formats.others import ENVELOPE, SECOND, SIGNED, Layout, github, npm


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """GitHub's list of two."""
    path = tmp_path / "list.json"
    path.write_bytes(github(SIGNED.bytes, SECOND.bytes))
    return path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """npm's list of one."""
    path = tmp_path / "one.json"
    path.write_bytes(npm(SIGNED.bytes))
    return path


def test_one_becomes_a_bundle(run: Run, one: Path, tmp_path: Path) -> None:
    ran = run("convert", one, "--to", "bundle", "-o", tmp_path / "out")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"written: {tmp_path}/out (bundle, attestations: 1)\n"
    assert (tmp_path / "out").read_bytes() == SIGNED.bytes


def test_one_becomes_pypis_object_and_back(run: Run, one: Path, tmp_path: Path) -> None:
    there, back = tmp_path / "x.attestation", tmp_path / "x.json"
    assert run("convert", one, "--to", "pep740", "--out", there).code == 0
    assert there.read_bytes() == formats.to_pep740(SIGNED)
    assert run("convert", there, "--to", "bundle", "--out", back).code == 0
    assert formats.parse(back.read_bytes()).envelope == SIGNED.envelope


def test_several_become_lines_and_a_set(run: Run, listed: Path, tmp_path: Path) -> None:
    lines, a_set = tmp_path / "x.jsonl", tmp_path / "x.set"
    assert run("convert", listed, "--to", "jsonl", "-o", lines).code == 0
    assert lines.read_bytes() == SIGNED.bytes + b"\n" + SECOND.bytes + b"\n"
    ran = run("convert", lines, "--to", "set", "-o", a_set, "--json")
    assert AttestationSet.read(a_set).attestations == (SIGNED.bytes, SECOND.bytes)
    assert ran.json == {
        "verified": False,
        "path": str(a_set),
        "format": "set",
        "attestations": [
            {"container": "Sigstore bundle v0.3", "payloadSha256": each.payload_digest} for each in (SIGNED, SECOND)
        ],
    }


def test_a_layout_is_a_source(run: Run, tmp_path: Path) -> None:
    Layout(tmp_path / "image").attest(SIGNED.bytes)
    assert run("convert", tmp_path / "image", "--to", "bundle", "-o", tmp_path / "out").code == 0
    assert (tmp_path / "out").read_bytes() == SIGNED.bytes


def test_an_envelope_gets_a_bundle_of_its_keys_holder(run: Run, tmp_path: Path) -> None:
    document = json.loads(ENVELOPE)
    document["signatures"][0]["keyid"] = "trainer"
    (tmp_path / "in").write_text(json.dumps(document))
    assert run("convert", tmp_path / "in", "--to", "bundle", "-o", tmp_path / "out").code == 0
    made = json.loads((tmp_path / "out").read_bytes())
    assert made["verificationMaterial"]["publicKey"] == {"hint": "trainer"}
    assert made["dsseEnvelope"] == document


def refused(ran: Any, code: int, error: str, where: str) -> None:
    assert (ran.code, ran.json["error"]["code"]) == (code, error)
    assert ran.json["error"]["where"] == where


def test_what_cannot_be_written_is_refused(run: Run, listed: Path, one: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for to in ("bundle", "pep740"):
        refused(run("convert", listed, "--to", to, "-o", out, "--json"), 2, "usage", f"--to {to}")
    (tmp_path / "in").write_bytes(ENVELOPE)
    refused(run("convert", tmp_path / "in", "--to", "pep740", "-o", out, "--json"), 1, "unsupported.format", "$")
    assert not out.exists()
    refused(run("convert", one, "--to", "bundle", "-o", one, "--json"), 2, "usage", str(one))
    assert one.read_bytes() == npm(SIGNED.bytes)


def test_what_cannot_be_read_is_refused_whole(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "in.jsonl", tmp_path / "out"
    path.write_bytes(SIGNED.bytes + b'\n{"bomFormat": "CycloneDX"}\n')
    ran = run("convert", path, "--to", "jsonl", "-o", out, "--json")
    refused(ran, 1, "unsupported.format", f"{path}: line 2: $")
    (tmp_path / "folder").mkdir()
    empty = run("convert", tmp_path / "folder", "--to", "jsonl", "-o", out, "--json")
    refused(empty, 1, "malformed.field-missing", str(tmp_path / "folder"))
    path.rename(tmp_path / "folder" / "in.jsonl")
    inside = run("convert", tmp_path / "folder", "--to", "jsonl", "-o", out, "--json")
    refused(inside, 1, "unsupported.format", f"{tmp_path}/folder/in.jsonl:2: $")
    refused(run("convert", path, "--to", "jsonl", "-o", out, "--json"), 3, "unavailable.store", str(path))
    assert not out.exists()


def test_inspect_shows_the_parts(run: Run, listed: Path) -> None:
    ran = run("inspect", "--json", listed)
    assert ran.code == 0
    (file,) = ran.json["files"]
    assert [item["origin"] for item in file["items"]] == [f"{listed}: $.attestations[{n}].bundle" for n in (0, 1)]
    other = listed.with_name("bom.json")
    other.write_text('{"bomFormat": "CycloneDX"}')
    told = run("inspect", other)
    assert told.code == 1
    assert "GitHub attestations: no attestations" in told.out
