"""Does a shell learn what is inside of a model, and which tensors are others in the next one?"""

import hashlib
import json
from pathlib import Path

import pytest

from glasswing_attest import Attestation
from glasswing_attest._wire import Node
from glasswing_attest.records.model import ModelRecord
from tests.unit.cli.stories import Run, Story
from tests.weights import safetensors

A = ("BF16", (2, 2), b"aaaaaaaa")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "described"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(safetensors({"a": A, "b": ("BF16", (1,), b"bb")}))
    (folder / "config.json").write_text('{"architectures": ["TinyForCausalLM"], "auto_map": {"AutoModel": "x.X"}}')
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_what_is_inside_is_told(run: Run, model: Path) -> None:
    ran = run("describe", model)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "formats:      safetensors",
        "architecture: TinyForCausalLM",
        "parameters:   5",
        "dtype:        BF16",
        "wants to run: x.X",
        "tensors:      model.safetensors (2 tensors, BF16, 1 file)",
        "weights:      model.safetensors (safetensors)",
        "tokenizer:    tokenizer.json",
        "config:       config.json",
    ]
    told = run("describe", "--json", model).json
    assert (told["parameterCount"], told["formats"], told["autoMap"]) == (5, ["safetensors"], ["x.X"])
    sha256 = hashlib.sha256(A[2]).hexdigest()
    assert told["weights"][0]["tensors"][0] == {"name": "a", "dtype": "BF16", "shape": [2, 2], "sha256": sha256}


def test_permissions_are_told_where_a_reader_should_know_them(run: Run, model: Path) -> None:
    for name, mode in (("config.json", 0o666), ("tokenizer.json", 0o4755), ("model.safetensors", 0o644)):
        (model / name).chmod(mode)
    files = {file["name"]: file for file in run("describe", "--json", model).json["files"]}
    assert files == {
        "config.json": {"name": "config.json", "role": "config", "format": "", "worldWritable": True},
        "model.safetensors": {"name": "model.safetensors", "role": "weights", "format": "safetensors"},
        "tokenizer.json": {
            "name": "tokenizer.json",
            "role": "tokenizer",
            "format": "",
            "executable": True,
            "setuid": True,
        },
    }
    single = run("describe", "--json", model / "config.json").json["files"]
    assert single[0]["worldWritable"] is True


def test_a_difference_names_files_and_tensors(run: Run, model: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "model.safetensors").write_bytes(safetensors({"a": A, "b": ("BF16", (1,), b"zz"), "\x1b\nc": A}))
    (newer / "config.json").write_bytes((model / "config.json").read_bytes())
    ran = run("describe", "--older", model, newer)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "changed  weights    model.safetensors",
        "removed  tokenizer  tokenizer.json",
        "added    tensor     \\x1b\\x0ac in model.safetensors",
        "changed  tensor     b (sha256) in model.safetensors",
    ]
    told = run("describe", "--json", "--older", model, newer).json
    assert told["files"][1] == {"name": "tokenizer.json", "role": "tokenizer", "what": "removed"}
    assert told["tensors"][1] == {"name": "b", "weights": "model.safetensors", "what": "changed", "how": ["sha256"]}
    assert told["older"]["digest"] != told["newer"]["digest"]
    assert run("describe", "--older", newer, newer).out == "no difference\n"
    assert run("describe", "--older", newer, newer, "--exclude", "config.json").out == "no difference\n"


def test_no_name_makes_a_line_of_its_own(run: Run, model: Path) -> None:
    (model / "config.json").write_text(json.dumps({"architectures": ["X\nformats:      onnx"], "auto_map": "a\nb"}))
    assert len(run("describe", model).out.splitlines()) == 9


def test_a_model_that_cannot_be_described_is_the_callers_to_mend(run: Run, model: Path) -> None:
    (model / "x.safetensors").write_bytes(b"bad")
    ran = run("describe", model)
    assert (ran.code, ran.out) == (2, "")
    assert f"{model / 'x.safetensors'}" in ran.err
    assert "[malformed.field]" in ran.err
    assert run("describe", model / "absent").code == 2


def test_a_record_is_completed_by_what_is_inside(run: Run, story: Story, model: Path) -> None:
    said = ("attest", "--key", story.folder / "trainer.key", "--name", "m", "--describe")
    assert run(*said, "--record", "model", "--out", story.folder / "out.json", model).code == 0
    statement = Attestation.load(story.folder / "out.json").statement_unverified
    record = ModelRecord.from_predicate(Node(dict(statement.predicate)))
    assert (record.parameter_count, record.dtype, record.formats) == (5, "BF16", ("safetensors",))
    ran = run(*said, "--record", "model", "--field", "dtype=F32", "--out", story.folder / "other.json", model)
    assert (ran.code, (story.folder / "other.json").exists()) == (2, False)
    assert "ModelRecord.dtype" in ran.err
    ran = run(*said, "--record", "data", "--out", story.folder / "other.json", model)
    assert (ran.code, (story.folder / "other.json").exists()) == (2, False)
    assert "--describe" in ran.err
