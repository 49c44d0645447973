"""Does the quickstart's training give the same bytes each time, and does its loader refuse what it cannot read?"""

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

QUICKSTART = Path(__file__).resolve().parent.parent.parent / "examples" / "quickstart"
DATA = QUICKSTART / "data"
PINNED = {
    "README.md": "008e7f3631abcd2b6ae5f85dd71b7963b5e6be660f167237703886127f0d3273",
    "config.json": "bb376a3a0c9c027d3be78d41e3be4f2efb1e6e16dd8a6dd42aab454ccb8881d4",
    "model.safetensors": "0410810de4bccd8417d9372151a48251cc9f67f6f1e8d00698c51c41ae369730",
}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def training() -> Iterator[ModuleType]:
    """The module train, loaded without leaving a __pycache__ in the folder that the quickstart copies."""
    spec = importlib.util.spec_from_file_location("train_of_the_quickstart", QUICKSTART / "code" / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up by name
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def model(training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model. Read it, or copy it to change it."""
    folder = tmp_path_factory.mktemp("training") / "model"
    metrics = training.train(DATA, folder, report=lambda _: None)
    assert metrics == training.Metrics("0.9853", 274, 68, 15)
    return folder


@pytest.fixture
def copy(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "model"))


def test_it_reports_what_it_measured(training: ModuleType, model: Path) -> None:
    metrics = training.Metrics(accuracy="0.9853", train_rows=274, test_rows=68, parameters=15)
    assert training.train(DATA, model, report=lambda _: None) == metrics
    assert digests(model) == PINNED


def test_two_runs_in_different_surroundings_write_the_same_bytes(tmp_path: Path) -> None:
    for number, (seed, zone) in enumerate([("0", "UTC"), ("1", "Asia/Tokyo")]):
        surroundings = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        command = [sys.executable, "-B", str(QUICKSTART / "code" / "train.py"), str(DATA), str(tmp_path / str(number))]
        finished = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0, finished.stderr
        assert finished.stdout.splitlines()[-1] == "test accuracy 0.9853 (67 of 68)"
    assert digests(tmp_path / "0") == digests(tmp_path / "1") == PINNED


@pytest.mark.parametrize("setting", [{"seed": 2008}, {"epochs": 3}, {"learning_rate": 0.25}])
def test_other_settings_give_another_model(training: ModuleType, tmp_path: Path, setting: dict[str, float]) -> None:
    training.train(DATA, tmp_path, report=lambda _: None, **{"epochs": 5, **setting})
    other = digests(tmp_path)
    training.train(DATA, tmp_path, report=lambda _: None, epochs=5)
    assert other["model.safetensors"] != digests(tmp_path)["model.safetensors"]


def test_the_data_is_that_of_its_readme() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| `penguins\.csv` \| (\d+) \| `([0-9a-f]{64})` \|$", readme, re.MULTILINE)
    data = (DATA / "penguins.csv").read_bytes()
    assert (str(len(data)), hashlib.sha256(data).hexdigest()) == row


def test_rows_without_measurements_are_left_out(training: ModuleType) -> None:
    rows = (DATA / "penguins.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert (len(rows), len(training.read_penguins(DATA / "penguins.csv"))) == (344, 342)


@pytest.mark.parametrize(
    ("measurements", "species"),
    [
        ([39.1, 18.7, 181, 3750], "Adelie"),
        ([46.5, 17.9, 192, 3500], "Chinstrap"),
        ([50.0, 16.3, 230, 5700], "Gentoo"),
    ],
)
def test_it_predicts(training: ModuleType, model: Path, measurements: list[float], species: str) -> None:
    classifier = training.load(model)
    assert classifier.predict(measurements) == species
    probabilities = classifier.probabilities(measurements)
    assert max(probabilities, key=probabilities.__getitem__) == species
    assert sum(probabilities.values()) == pytest.approx(1)


def test_a_file_that_is_cut_short_is_refused_wherever_it_is_cut(training: ModuleType, copy: Path) -> None:
    weights = copy / "model.safetensors"
    whole = weights.read_bytes()
    assert len(whole) > 60
    for length in range(len(whole)):
        weights.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"not a safetensors file|does not fit its place"):
            training.load(copy)


def test_tensors_of_another_shape_are_refused(training: ModuleType, copy: Path) -> None:
    tensors = {"bias": ((3,), (0.0, 0.0, 0.0)), "weight": ((4, 3), (0.0,) * 12)}
    (copy / "model.safetensors").write_bytes(training.encode_safetensors(tensors))
    with pytest.raises(ValueError, match=r"model\.safetensors: the shapes .* do not fit config\.json"):
        training.load(copy)


def test_a_configuration_that_does_not_fit_is_refused(training: ModuleType, copy: Path) -> None:
    config = json.loads((copy / "config.json").read_bytes())
    config["normalisation"]["mean"].pop()
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: the normalisation"):
        training.load(copy)
