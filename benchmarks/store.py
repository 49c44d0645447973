"""What does it cost to find the evidence of one artifact in a directory of very many attestations?

The store holds the three attestations of one chain (a model, its dataset, its code) among as many about other things as
is asked for. Each figure is the best run, and the median beside it, with the files in the system's cache:

    verify      one model, by a new verifier that asks the store
    list        the same three, handed over as a list: what proving costs, without any store
    find        the store alone: three questions, three files
    floor       those three files opened and read, and nothing else
    add         one attestation more, on disk when it returns
    read whole  everything in the store, once

What grows with the store is the listing of its entries: a question reads the names in one of 256 directories. The rest
does not. The store is filled without waiting for the disk, as only a benchmark may.

    python benchmarks/store.py [--sizes 1000 10000] [--runs 20] [--json]
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from glasswing_attest import Attestation, Verifier  # noqa: E402
from glasswing_attest.store import DirectoryStore  # noqa: E402
from tests.chains import NOW, honest  # noqa: E402
from tests.unit.store.stories import about  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Milliseconds of several runs."""

    runs: tuple[float, ...]

    @property
    def best(self) -> float:
        """The run that was disturbed least."""
        return min(self.runs)

    @property
    def median(self) -> float:
        """The run in the middle."""
        return statistics.median(self.runs)


def timed(work: Callable[[], object], runs: int) -> Figures:
    """Run it so many times."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return Figures(runs=tuple(found))


@contextmanager
def careless() -> Generator[None]:
    """Do not wait for the disk."""
    with mock.patch.object(os, "fsync", return_value=None):
        yield


def filled(store: DirectoryStore, start: int, end: int) -> None:
    """Put attestations about other things into the store."""
    with careless():
        for number in range(start, end):
            store.add(about(f"other-{number}"))


def measure(store: DirectoryStore, runs: int) -> dict[str, Figures]:
    """Everything about a store as it stands."""
    chain = honest()
    things = (chain.model, chain.data, chain.code)
    places = [item.origin for thing in things for item in store.find(thing.digests.identity)]
    assert len(places) == 3, "the store gives what was asked for"
    more: Iterator[Attestation] = map(about, (f"more-{time.time_ns()}-{n}" for n in itertools.count()))

    def verify() -> None:
        report = Verifier(policy=chain.policy, trust=chain.trust, evidence=store).assess(chain.model, at=NOW)
        assert report.accepted
        assert len(report.evidence) == 3

    def listed() -> None:
        assert Verifier(policy=chain.policy, trust=chain.trust).assess(chain.model, chain.evidence, at=NOW).accepted

    return {
        "verify": timed(verify, runs),
        "list": timed(listed, runs),
        "find": timed(lambda: [list(store.find(thing.digests.identity)) for thing in things], runs),
        "floor": timed(lambda: [Path(place).read_bytes() for place in places], runs),
        "add": timed(lambda: store.add(next(more)), runs),
        "read whole": timed(lambda: sum(1 for _ in store.list()), 1),
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1000, 10_000], help="attestations (default: %(default)s)"
    )
    parser.add_argument("--runs", type=int, default=20, help="runs of each kind (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.runs < 1 or min(options.sizes) < 3:
        parser.error("--runs must be at least 1, and --sizes at least 3")
    table: dict[int, dict[str, Figures]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(Path(folder, "store"))
        held = 0
        for size in sorted(options.sizes):
            filled(store, held, size - 3)
            held = size - 3
            with careless():
                for attestation in honest().evidence:
                    store.add(attestation)
            table[size] = measure(store, options.runs)
    if options.json:
        rounded = {
            str(size): {name: {"best_ms": round(f.best, 3), "median_ms": round(f.median, 3)} for name, f in row.items()}
            for size, row in table.items()
        }
        print(json.dumps({"attestations": rounded, "runs": options.runs, "python": sys.version.split()[0]}))
        return 0
    print(f"milliseconds: the best of {options.runs}, and the median")
    names = list(next(iter(table.values())))
    print(f"{'attestations':>12}" + "".join(f"{name:>18}" for name in names))
    for size, row in table.items():
        print(f"{size:>12}" + "".join(f"{f'{row[n].best:.2f} ({row[n].median:.2f})':>18}" for n in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
