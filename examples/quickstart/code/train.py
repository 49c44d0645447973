"""Train a small penguin classifier with nothing but the standard library, and write the same bytes every time.

The model is a multinomial logistic regression: four measurements of a penguin in, one of three species out.

    python train.py DATA OUT

Two runs with the same data and settings write the same files, byte for byte, on every CPython from 3.11 on whose
floats are IEEE 754 doubles. Three habits make that so:

* Only operations that IEEE 754 rounds exactly are used: ``+ - * /`` and the square root. ``math.exp`` is not one of
  them (each C library has its own last digit), so that :func:`_exp` builds it from those that are.
* Floats are added with :func:`math.fsum`. The built-in ``sum`` adds floats differently since Python 3.12.
* The split draws from ``Random.random()`` only, the one sequence that Python promises to keep.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

DATA_FILE = "penguins.csv"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
CARD_FILE = "README.md"

FEATURES = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g")
CLASSES = ("Adelie", "Chinstrap", "Gentoo")
MISSING = "NA"

TEST_FRACTION = 0.2
MAX_HEADER_BYTES = 1_000_000

Vector = tuple[float, ...]
Matrix = tuple[Vector, ...]


@dataclass(frozen=True)
class Penguin:
    """One row of the dataset: the four measurements, and the species as an index into ``CLASSES``."""

    measurements: Vector
    species: int


@dataclass(frozen=True)
class Metrics:
    """What a training run reports; ``accuracy`` is a decimal with four digits, measured on the held-out rows."""

    accuracy: str
    train_rows: int
    test_rows: int
    parameters: int


@dataclass(frozen=True)
class Normalisation:
    """The mean and standard deviation of each feature over the training rows."""

    mean: Vector
    standard_deviation: Vector

    def apply(self, measurements: Sequence[float]) -> Vector:
        """Put raw measurements on the scale on which the model was trained."""
        return tuple(
            (value - mean) / deviation
            for value, mean, deviation in zip(measurements, self.mean, self.standard_deviation, strict=True)
        )


@dataclass(frozen=True)
class Classifier:
    """A trained model: ``weight`` has one row per class and one column per feature, ``bias`` one value per class."""

    features: tuple[str, ...]
    classes: tuple[str, ...]
    normalisation: Normalisation
    weight: Matrix
    bias: Vector

    def probabilities(self, measurements: Sequence[float]) -> dict[str, float]:
        """The probability of each class, for measurements in the order of ``features``."""
        scores = _scores(self.weight, self.bias, self.normalisation.apply(measurements))
        return dict(zip(self.classes, _softmax(scores), strict=True))

    def predict(self, measurements: Sequence[float]) -> str:
        """The most probable class, for measurements in the order of ``features``."""
        return self.classes[_largest(_scores(self.weight, self.bias, self.normalisation.apply(measurements)))]


def train(
    data_dir: Path,
    out_dir: Path,
    *,
    epochs: int = 300,
    learning_rate: float = 0.5,
    seed: int = 2007,
    report: Callable[[str], object] = print,
) -> Metrics:
    """Train on ``data_dir/penguins.csv`` and write the weights, the configuration and the model card to ``out_dir``.

    ``seed`` decides which rows are held out; the weights start at zero. Progress goes to ``report``, line by line. The
    accuracy is that of the model read back from ``out_dir``, so that it is true of the file and not of the memory.
    """
    penguins = read_penguins(data_dir / DATA_FILE)
    training, held_out = split(penguins, seed=seed)
    report(f"{len(penguins)} penguins: {len(training)} to train on, {len(held_out)} held out")

    normalisation = _measure(training)
    weight, bias = _fit(training, normalisation, epochs=epochs, learning_rate=learning_rate, report=report)

    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / WEIGHTS_FILE).write_bytes(_encode_weights(weight, bias))
    settings = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    (out_dir / CONFIG_FILE).write_bytes(_encode_config(normalisation, settings))

    confusion = _confusion(load(out_dir), held_out)
    correct = sum(confusion[index][index] for index in range(len(CLASSES)))
    metrics = Metrics(
        accuracy=f"{correct / len(held_out):.4f}",
        train_rows=len(training),
        test_rows=len(held_out),
        parameters=len(bias) + sum(map(len, weight)),
    )
    (out_dir / CARD_FILE).write_bytes(_model_card(metrics, confusion).encode())
    report(f"test accuracy {metrics.accuracy} ({correct} of {metrics.test_rows})")
    return metrics


def load(model_dir: Path) -> Classifier:
    """Read a model that :func:`train` wrote; ``ValueError`` if the two files do not fit together."""
    config = json.loads((model_dir / CONFIG_FILE).read_bytes())
    features, classes = tuple(config["features"]), tuple(config["classes"])
    normalisation = Normalisation(
        mean=tuple(config["normalisation"]["mean"]),
        standard_deviation=tuple(config["normalisation"]["standard_deviation"]),
    )
    if not len(features) == len(normalisation.mean) == len(normalisation.standard_deviation):
        raise ValueError(f"{CONFIG_FILE}: the normalisation does not have one value per feature")
    tensors = read_safetensors(model_dir / WEIGHTS_FILE)
    shapes = {name: shape for name, (shape, _) in tensors.items()}
    if shapes != {"weight": (len(classes), len(features)), "bias": (len(classes),)}:
        raise ValueError(f"{WEIGHTS_FILE}: the shapes {shapes} do not fit {CONFIG_FILE}")
    flat, width = tensors["weight"][1], len(features)
    return Classifier(
        features=features,
        classes=classes,
        normalisation=normalisation,
        weight=tuple(flat[start : start + width] for start in range(0, len(flat), width)),
        bias=tensors["bias"][1],
    )


def read_penguins(path: Path) -> list[Penguin]:
    """The rows of the CSV file, in its order, without those that lack a measurement."""
    penguins = []
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            values = [row[feature] for feature in FEATURES]
            if MISSING not in values:
                penguins.append(Penguin(tuple(map(float, values)), CLASSES.index(row["species"])))
    return penguins


def split(penguins: Sequence[Penguin], *, seed: int) -> tuple[list[Penguin], list[Penguin]]:
    """Shuffle, and hold out one fifth: (training, held out)."""
    generator = random.Random(seed)  # noqa: S311  a split must be repeatable, not secret
    # Not shuffle(): Python promises to keep the sequence of random(), and of nothing else.
    shuffled = [penguin for _, penguin in sorted(((generator.random(), p) for p in penguins), key=lambda pair: pair[0])]
    held_out = int(len(shuffled) * TEST_FRACTION)
    return shuffled[held_out:], shuffled[:held_out]


# --- the mathematics ---------------------------------------------------------------------------------------------


def _measure(penguins: Sequence[Penguin]) -> Normalisation:
    columns = list(zip(*(penguin.measurements for penguin in penguins), strict=True))
    means = [math.fsum(column) / len(column) for column in columns]
    deviations = [
        math.sqrt(math.fsum((value - mean) * (value - mean) for value in column) / len(column))
        for column, mean in zip(columns, means, strict=True)
    ]
    # Rounded before use: what stands in the configuration is exactly what the model was trained with.
    return Normalisation(tuple(round(mean, 4) for mean in means), tuple(round(value, 4) for value in deviations))


def _fit(
    penguins: Sequence[Penguin],
    normalisation: Normalisation,
    *,
    epochs: int,
    learning_rate: float,
    report: Callable[[str], object],
) -> tuple[Matrix, Vector]:
    """Minimise the cross-entropy by gradient descent over all rows at once."""
    rows = [normalisation.apply(penguin.measurements) for penguin in penguins]
    columns = list(zip(*rows, strict=True))
    step = learning_rate / len(rows)
    weight = [[0.0] * len(FEATURES) for _ in CLASSES]
    bias = [0.0] * len(CLASSES)
    for epoch in range(1, epochs + 1):
        guesses = [_softmax(_scores(weight, bias, row)) for row in rows]
        for index in range(len(CLASSES)):
            errors = [
                guess[index] - (penguin.species == index) for guess, penguin in zip(guesses, penguins, strict=True)
            ]
            weight[index] = [
                value - step * math.fsum(map(mul, errors, column))
                for value, column in zip(weight[index], columns, strict=True)
            ]
            bias[index] -= step * math.fsum(errors)
        if epoch % max(1, epochs // 6) == 0 or epoch == epochs:
            right = sum(_largest(guess) == penguin.species for guess, penguin in zip(guesses, penguins, strict=True))
            report(f"epoch {epoch:>4} of {epochs}: training accuracy {right / len(rows):.4f}")
    return tuple(map(tuple, weight)), tuple(bias)


def _scores(weight: Iterable[Sequence[float]], bias: Sequence[float], row: Sequence[float]) -> list[float]:
    return [math.fsum((*map(mul, weights, row), offset)) for weights, offset in zip(weight, bias, strict=True)]


def _softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    powers = [_exp(score - highest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


def _exp(exponent: float) -> float:
    """Compute e to the power of ``exponent``, which is at most 0, with the same last digit everywhere."""
    if exponent < -700.0:
        return 0.0
    ln2 = 0.6931471805599453
    doublings = round(exponent / ln2)
    rest = exponent - doublings * ln2  # within ln2 / 2 of zero, where 14 terms of the series are enough
    series = 1.0
    for term in range(14, 0, -1):
        series = 1.0 + series * rest / term
    return math.ldexp(series, doublings)


def _largest(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _confusion(classifier: Classifier, penguins: Iterable[Penguin]) -> list[list[int]]:
    """How often each species (row) was taken for each species (column)."""
    counts = [[0] * len(CLASSES) for _ in CLASSES]
    for penguin in penguins:
        counts[penguin.species][CLASSES.index(classifier.predict(penguin.measurements))] += 1
    return counts


# --- the files ---------------------------------------------------------------------------------------------------


def encode_safetensors(tensors: dict[str, tuple[tuple[int, ...], Vector]]) -> bytes:
    """The safetensors form of float32 tensors, each a shape and its values in row-major order.

    The length of the header as eight little-endian bytes; the header, which is JSON padded with spaces to a multiple
    of eight bytes; then the values, one tensor after the other.
    """
    header: dict[str, object] = {}
    body = b""
    for name, (shape, values) in tensors.items():
        data = struct.pack(f"<{math.prod(shape)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def read_safetensors(path: Path) -> dict[str, tuple[tuple[int, ...], Vector]]:
    """The float32 tensors of a safetensors file, each a shape and its values in row-major order."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    if len(raw) < 8 or length > min(len(raw) - 8, MAX_HEADER_BYTES):
        raise ValueError(f"{path.name}: not a safetensors file")
    header, body = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        shape, (start, end) = tuple(entry["shape"]), entry["data_offsets"]
        if entry["dtype"] != "F32" or not 0 <= start <= end <= len(body) or end - start != 4 * math.prod(shape):
            raise ValueError(f"{path.name}: the tensor {name!r} is not float32, or does not fit its place in the file")
        tensors[name] = (shape, struct.unpack(f"<{math.prod(shape)}f", body[start:end]))
    return tensors


def _encode_weights(weight: Matrix, bias: Vector) -> bytes:
    flat = tuple(value for row in weight for value in row)
    return encode_safetensors({"bias": ((len(bias),), bias), "weight": ((len(weight), len(weight[0])), flat)})


def _encode_config(normalisation: Normalisation, settings: dict[str, int | float]) -> bytes:
    config = {
        "architecture": "multinomial-logistic-regression",
        "dtype": "float32",
        "features": FEATURES,
        "classes": CLASSES,
        "normalisation": {"mean": normalisation.mean, "standard_deviation": normalisation.standard_deviation},
        "training": settings,
    }
    return (json.dumps(config, indent=2) + "\n").encode()


def _model_card(metrics: Metrics, confusion: Sequence[Sequence[int]]) -> str:
    table = "\n".join(
        f"| {name} | " + " | ".join(map(str, counts)) + " |" for name, counts in zip(CLASSES, confusion, strict=True)
    )
    return f"""# Penguin species classifier

Tells {", ".join(CLASSES[:-1])} and {CLASSES[-1]} penguins apart by four measurements: {", ".join(FEATURES)}.

* **Architecture:** multinomial logistic regression, {metrics.parameters} parameters, float32, in `{WEIGHTS_FILE}`
* **Trained on:** Palmer Penguins (CC0-1.0), {metrics.train_rows} rows; {metrics.test_rows} rows were held out at random
* **Test accuracy:** {metrics.accuracy}

| species ↓ taken for → | {" | ".join(CLASSES)} |
|---|{"---|" * len(CLASSES)}
{table}

`{CONFIG_FILE}` holds the order of the features and classes, and the mean and standard deviation that put a measurement
on the scale of the model.

**Limits.** It knows three species, from three islands, in the years 2007 to 2009, and names one of them whatever it is
shown. One bird may have been measured in more than one year, and then stand on both sides of the split.
"""


def main() -> None:
    """The command line: ``python train.py DATA OUT``."""
    parser = argparse.ArgumentParser(description="Train the penguin classifier of the quickstart.")
    parser.add_argument("data", type=Path, help=f"the folder that holds {DATA_FILE}")
    parser.add_argument("out", type=Path, help="the folder to write the model to")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--learning-rate", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=2007, help="decides which rows are held out")
    arguments = parser.parse_args()
    train(
        arguments.data,
        arguments.out,
        epochs=arguments.epochs,
        learning_rate=arguments.learning_rate,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    main()
