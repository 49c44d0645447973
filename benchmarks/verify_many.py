"""What do many bundles cost: how many a second on one core, does it grow in proportion, and what do two processes give?

Three kinds: signed with a key; certificate and Rekor v1; certificate, Rekor v2 and time stamp. Each bundle is its own,
with its own certificate, entry and stamp, made by the in-memory Sigstore (keys P-256 throughout, so that no slow curve
hides the rest). Timed is everything from a bundle's bytes to its verified statement; the trust is read once. The first
bundle of a new process, which also pays for what is proved once per trust, stands beside the others. What several
processes give is held against what they give to bare P-256 signatures in the same run: two cores that share a die, a
clock or a host are not twice one.

    python benchmarks/verify_many.py [--sizes 10 100 1000] [--runs 3] [--processes 2] [--svg FILE] [--json]
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.hash_tree import Line, picture  # noqa: E402
from glasswing_attest.attestation import Attestation  # noqa: E402
from glasswing_attest.signing.key import KeySigner  # noqa: E402
from glasswing_attest.testing import VirtualSigstore  # noqa: E402
from glasswing_attest.trust.root import Trust  # noqa: E402
from glasswing_attest.verification.procedure import prove  # noqa: E402

KINDS = {"key": "signed with a key", "v1": "Rekor v1", "v2": "Rekor v2, stamp"}
COLOURS = {"key": "#0b6e4f", "v1": "#b5541c", "v2": "#30508c"}


@dataclass(frozen=True, kw_only=True)
class Many:
    """Bundles of one kind, and all that it takes to verify them."""

    kind: str
    bundles: tuple[bytes, ...]
    trust: bytes
    at: datetime


def made(kind: str, count: int) -> Many:
    """Sign so many different statements."""
    sigstore = VirtualSigstore()
    signer = KeySigner.generate()
    bundles: list[bytes] = []
    for number in range(count):
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": f"model-{number}", "digest": {"sha256": f"{number:064x}"}}],
            "predicateType": "https://example.com/trained/v1",
            "predicate": {"number": number},
        }
        payload = json.dumps(statement).encode()
        if kind == "key":
            bundles.append(signer.seal(payload, "application/vnd.in-toto+json"))
        elif kind == "v1":
            bundles.append(sigstore.sign(payload, identity="ci@example.com", log="v1", stamps=0).bytes)
        else:
            bundles.append(sigstore.sign(payload, identity="ci@example.com", log="v2", stamps=1).bytes)
    trust = Trust.of(trainer=signer.public_key) if kind == "key" else sigstore.trust()
    return Many(kind=kind, bundles=tuple(bundles), trust=trust.to_json(), at=sigstore.clock.now)


def verify(bundles: Sequence[bytes], trust: Trust, at: datetime) -> int:
    """Verify each; the time counts only where no witness tells one."""
    return sum(len(prove(Attestation.parse(each), trust, claimed_at=at)) for each in bundles)


def best(many: Many, runs: int) -> float:
    """Seconds for all of them, on one core."""
    trust = Trust.parse(many.trust, suffix=".json")
    told: list[float] = []
    for _ in range(runs):
        began = time.perf_counter()
        assert verify(many.bundles, trust, many.at) == len(many.bundles)
        told.append(time.perf_counter() - began)
    return min(told)


def first(many: Many) -> float:
    """Seconds for one bundle in a new process, its trust read and nothing proved."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_first, many).result()


def _first(many: Many) -> float:
    trust = Trust.parse(many.trust, suffix=".json")
    began = time.perf_counter()
    verify(many.bundles[:1], trust, many.at)
    return time.perf_counter() - began


_SIGNATURES = 20_000
_SHA256 = ec.ECDSA(hashes.SHA256())
_SHARED: list[Many] = []
_TRUST: list[Trust] = []


def _share(many: Many) -> None:
    _SHARED[:], _TRUST[:] = [many], [Trust.parse(many.trust, suffix=".json")]
    verify(many.bundles[:1], _TRUST[0], many.at)


def _part(begin: int, end: int) -> int:
    (many,) = _SHARED
    return verify(many.bundles[begin:end], _TRUST[0], many.at)


def _bare(begin: int, end: int) -> int:
    key = ec.derive_private_key(7, ec.SECP256R1())
    signature, public = key.sign(b"message", _SHA256), key.public_key()
    for _ in range(begin, end):
        public.verify(signature, b"message", _SHA256)
    return end - begin


def gain(count: int, part: Callable[[int, int], int], pool: Executor, processes: int, runs: int) -> float:
    """How many times as fast so many processes that are ready do what one of them does; both in turn."""
    step = max(1, count // (processes * 8))
    begins = range(0, count, step)
    ends = [min(begin + step, count) for begin in begins]
    one: list[float] = []
    all_: list[float] = []
    for _ in range(runs + 1):  # the first starts the processes
        began = time.perf_counter()
        assert sum(pool.map(part, begins, ends)) == count
        all_.append(time.perf_counter() - began)
        began = time.perf_counter()
        assert pool.submit(part, 0, count).result() == count
        one.append(time.perf_counter() - began)
    return min(one[1:]) / min(all_[1:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Take and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--svg", type=Path, help="draw cost against number into this file")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    sizes = sorted(set(asked.sizes))
    table: dict[str, dict[str, float]] = {}
    lines: list[Line] = []
    for kind, name in KINDS.items():
        every = made(kind, sizes[-1])
        parts = [Many(kind=kind, bundles=every.bundles[:size], trust=every.trust, at=every.at) for size in sizes]
        seconds = [best(part, asked.runs) for part in parts]
        row = {f"{size}": 1e6 * taken / size for size, taken in zip(sizes, seconds, strict=True)}
        row["first"] = 1e6 * first(every)
        row["a second"] = sizes[-1] / seconds[-1]
        with ProcessPoolExecutor(asked.processes, initializer=_share, initargs=(every,)) as pool:
            row["processes"] = gain(sizes[-1], _part, pool, asked.processes, asked.runs)
        table[kind] = row
        points = tuple((float(size), taken) for size, taken in zip(sizes, seconds, strict=True))
        lines.append(Line(name=name, colour=COLOURS[kind], points=points))
    with ProcessPoolExecutor(asked.processes) as pool:
        bare = gain(_SIGNATURES, _bare, pool, asked.processes, asked.runs)
    if asked.svg:
        asked.svg.write_text(picture(lines, of="bundles"), encoding="utf-8")
    if asked.json:
        told = {"microseconds": table, "processes": asked.processes, "bare": bare, "python": sys.version.split()[0]}
        print(json.dumps(told))
        return 0
    print(f"microseconds for one of so many bundles, and how many times as fast {asked.processes} processes are")
    print(f"{'':<20}{'first':>10}" + "".join(f"{size:>10,}" for size in sizes) + f"{'a second':>12}{'processes':>12}")
    for kind, row in table.items():
        cells = "".join(f"{row[str(size)]:10.0f}" for size in sizes)
        print(f"{KINDS[kind]:<20}{row['first']:10.0f}{cells}{row['a second']:12,.0f}{row['processes']:12.2f}")
    print(f"{'bare signatures':<{30 + 10 * len(sizes)}}{'':>12}{bare:12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
