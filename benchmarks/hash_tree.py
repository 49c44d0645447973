"""What does it cost to digest a tree: for us, for model-signing, and at least?

The peer is `model-signing` in an environment of its own (`--peer`, its Python), which signs and verifies with a key;
what it needs to start is left out of its time. The floor is what nobody can leave out: for large files SHA-256 in two
threads with a buffer each, for small ones a loop that lists, opens, reads and hashes. All take turns in one run, with
every byte in the system's cache, so that they see the same machine; figures are medians, and ratios are of them.

    large       4 files of 1 GB
    small       20,000 files of 4 KiB
    shards      one file of 4 GB in shards, by one worker and by two
    cache       the large files again, unchanged, with a cache of digests; and the small ones
    million     1,000,000 files of 64 bytes, and a tenth of them: is it linear, and how much memory?

`--scale 0.1` makes all of them smaller. What is written is removed at the end.

    python benchmarks/hash_tree.py [--scale 1] [--runs 5] [--peer PYTHON] [--only large small] [--svg FILE] [--json]
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import log10
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from glasswing_attest import Dataset, File, KeySigner, Model, ModelRecord, Policy, Trust, attest, verify  # noqa: E402
from glasswing_attest.artifact.cache import DigestCache  # noqa: E402
from glasswing_attest.artifact.shards import hash_shards  # noqa: E402

GB = 10**9
POLICY = b"""
version: 1
times: claimed
identities: {signer: {key: signer}}
nodes:
  model:
    require:
      - predicate: https://glasswing-attest.readthedocs.io/predicates/model/v1
        signed_by: {any_of: [signer]}
"""
Way = Callable[[], object]


# --- things to digest ------------------------------------------------------------------------------------------------


def large(folder: Path, count: int, size: int) -> Path:
    """Write some files of so many bytes, each with other bytes."""
    folder.mkdir()
    block = os.urandom(1 << 20)
    for number in range(count):
        with (folder / f"weights-{number}.bin").open("wb") as f:
            for at in range(0, size, len(block)):
                f.write((at + number).to_bytes(8) + block[8 : min(len(block), size - at)])
    return folder


def small(folder: Path, count: int, size: int) -> Path:
    """Write many files of so many bytes, a thousand in a directory."""
    block = os.urandom(size)
    for number in range(count):
        directory = folder / f"part-{number // 1000:04d}"
        if number % 1000 == 0:
            directory.mkdir(parents=True)
        (directory / f"row-{number:07d}.bin").write_bytes(number.to_bytes(8) + block[8:])
    return folder


# --- the floors ------------------------------------------------------------------------------------------------------


def two_threads(folder: Path) -> Way:
    """SHA-256 of each file, in two threads."""

    def hash_one(path: Path) -> str:
        digest, buffer = hashlib.sha256(), memoryview(bytearray(1 << 20))
        with path.open("rb", buffering=0) as f:
            while count := f.readinto(buffer):
                digest.update(buffer[:count])
        return digest.hexdigest()

    def work() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(hash_one, folder.iterdir()))

    return work


def bare_loop(folder: Path) -> Way:
    """List, open, read, hash; and nothing else."""

    def work() -> None:
        for directory, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(directory, name), "rb") as f:  # noqa: PTH118, PTH123
                    hashlib.sha256(f.read()).hexdigest()

    return work


# --- the peer --------------------------------------------------------------------------------------------------------

PEER = """
import json, sys, time
import model_signing
from model_signing import signing, verifying
key, public, signature = sys.argv[1:]
print("ready", flush=True)
for line in sys.stdin:
    what, folder = json.loads(line)
    began = time.perf_counter()
    if what == "sign":
        signing.Config().use_elliptic_key_signer(private_key=key).sign(folder, signature)
    else:
        verifying.Config().use_elliptic_key_verifier(public_key=public).verify(folder, signature)
    print(time.perf_counter() - began, flush=True)
"""


class Peer:
    """`model-signing` in a process of its own, which times itself."""

    def __init__(self, python: str, folder: Path) -> None:
        signer = KeySigner.generate()
        folder.mkdir()
        signer.write(folder / "key.pem")
        (folder / "public.pem").write_text(signer.public_key.pem)
        files = [str(folder / name) for name in ("key.pem", "public.pem", "model.sig")]
        self._process = subprocess.Popen(
            [python, "-c", PEER, *files],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        if self._out.readline() != "ready\n":
            _, told = self._process.communicate()
            last = told.strip().splitlines()[-1:] or ["it does not start"]
            raise LookupError(f"model-signing is not installed for {python}: {last[0]}")

    def run(self, what: str, folder: Path) -> float:
        """Sign or verify. Gives seconds."""
        print(json.dumps([what, str(folder)]), file=self._in, flush=True)
        return float(self._out.readline())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


# --- timing ----------------------------------------------------------------------------------------------------------


def turns(ways: dict[str, Way], runs: int) -> dict[str, float]:
    """Run each way in turn, once unmeasured. Gives the median of each, in seconds."""
    told: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(runs + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            given = way()
            seconds = given if isinstance(given, float) else time.perf_counter() - began
            if run:
                told[name].append(seconds)
    return {name: statistics.median(each) for name, each in told.items()}


def signed(folder: Path, runs: int, peer: Peer | None, floor: Way) -> dict[str, float]:
    """Digest, sign and verify one tree: ours, the peer's, and the floor."""
    signer = KeySigner.generate()
    policy, trust = Policy.parse(POLICY), Trust.of(signer=signer.public_key)
    evidence = [attest(Model(folder), ModelRecord(name="m"), signer=signer)]
    ways: dict[str, Way] = {
        "floor": floor,
        "digest": lambda: Model(folder).measure(),
        "sign": lambda: attest(Model(folder), ModelRecord(name="m"), signer=signer),
        "verify": lambda: verify(Model(folder), evidence, policy=policy, trust=trust),
    }
    if peer is not None:
        ways |= {"peer sign": lambda: peer.run("sign", folder), "peer verify": lambda: peer.run("verify", folder)}
    return turns(ways, runs)


def sharded(folder: Path, runs: int) -> dict[str, float]:
    """One large file in shards: by one worker, by two; and as one file, which no second worker can help."""
    (path,) = folder.iterdir()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        size = max(1, path.stat().st_size // 16)
        return turns(
            {
                "whole": lambda: File(path).measure(),
                "one worker": lambda: hash_shards(File(path), shard_size=size, executor=one),
                "two workers": lambda: hash_shards(File(path), shard_size=size, executor=two),
            },
            runs,
        )


def cached(folder: Path, place: Path, runs: int) -> dict[str, float]:
    """An unchanged tree with a cache that knows it, which takes files that had been left alone for a while."""
    time.sleep(2.1)
    cache = DigestCache(place)
    Model(folder).measure(cache=cache)
    return turns({"read": lambda: Model(folder).measure(), "cached": lambda: Model(folder).measure(cache=cache)}, runs)


# The system's own count: getrusage tells the peak of whoever started the process, where that was higher.
PEAK = """
def peak():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))
"""
MILLION = """
import sys, time
from glasswing_attest import Dataset
began = time.perf_counter()
manifest = Dataset(sys.argv[1]).measure()
measured = time.perf_counter() - began
manifest.to_proto_file(sys.argv[2])
written = time.perf_counter() - began - measured
print(len(manifest.files), measured, written, peak())
"""
READ = """
import sys, time
from glasswing_attest import Manifest
began = time.perf_counter()
Manifest.from_proto_file(sys.argv[1])
print(time.perf_counter() - began, peak())
"""


def million(folder: Path, place: Path) -> dict[str, float]:
    """Very many files, in a process of its own: seconds, and the peak of its memory in MiB."""
    Dataset(folder).measure()
    began = time.perf_counter()
    bare_loop(folder)()
    bare = time.perf_counter() - began
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

    def told(code: str, *arguments: Path) -> list[float]:
        command = [sys.executable, "-c", PEAK + code, *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        return [float(word) for word in done.stdout.split()]

    count, measured, written, peak = told(MILLION, folder, place)
    read, peak_read = told(READ, place)
    return {
        "files": count,
        "floor": bare,
        "digest": measured,
        "write": written,
        "read": read,
        "peak MiB": peak,
        "peak MiB, reading": peak_read,
    }


# --- the picture -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Line:
    """One way's cost, by size."""

    name: str
    colour: str
    points: tuple[tuple[float, float], ...]


def curves(folder: Path, scale: float, runs: int, peer: Peer | None) -> list[Line]:
    """Cost against size: trees of small files, of a hundred up to a hundred thousand."""
    told: dict[str, list[tuple[float, float]]] = {"floor": [], "digest": [], "peer sign": []}
    for count in (100, 1_000, 10_000, 100_000):
        tree = small(folder / f"curve-{count}", max(10, round(count * scale)), 4096)
        ways: dict[str, Way] = {"floor": bare_loop(tree), "digest": Model(tree).measure}
        if peer is not None:
            ways["peer sign"] = partial(peer.run, "sign", tree)
        for name, seconds in turns(ways, runs).items():
            told[name].append((max(10, round(count * scale)), seconds))
        shutil.rmtree(tree)
    colours = {"floor": "#888888", "digest": "#0b6e4f", "peer sign": "#b5541c"}
    names = {"floor": "a bare loop", "digest": "glasswing-attest", "peer sign": "model-signing, sign"}
    return [Line(name=names[n], colour=colours[n], points=tuple(points)) for n, points in told.items() if points]


def picture(lines: list[Line], of: str = "files of 4 KiB") -> str:
    """Draw cost against size, both by powers of ten."""
    xs = [log10(x) for line in lines for x, _ in line.points]
    ys = [log10(y) for line in lines for _, y in line.points]
    left, right, low, high = min(xs), max(xs), min(ys) // 1, max(ys) // 1 + 1

    def place(x: float, y: float) -> str:
        return f"{70 + 500 * (log10(x) - left) / (right - left):.1f},{330 - 290 * (log10(y) - low) / (high - low):.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 390" font-family="sans-serif" font-size="13">',
        '<rect width="720" height="390" fill="white"/>',
        f'<text x="320" y="375" text-anchor="middle">{of}</text>',
        '<text x="20" y="185" transform="rotate(-90 20 185)" text-anchor="middle">seconds</text>',
    ]
    for power in range(int(low), int(high) + 1):
        y = 330 - 290 * (power - low) / (high - low)
        parts.append(f'<path d="M70 {y:.1f}H570" stroke="#dddddd"/>')
        parts.append(f'<text x="62" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    for x, _ in lines[0].points:
        at = place(x, 10.0**low).split(",")[0]
        parts.append(f'<path d="M{at} 40V330" stroke="#eeeeee"/>')
        parts.append(f'<text x="{at}" y="350" text-anchor="middle">{x:,.0f}</text>')
    ends = sorted(lines, key=lambda line: -line.points[-1][1])
    below = 0.0
    for line in ends:
        points = " ".join(place(x, y) for x, y in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{p.split(",")[0]}" cy="{p.split(",")[1]}" r="3" fill="{line.colour}"/>'
            for p in points.split()
        ]
        below = max(float(points.split()[-1].split(",")[1]) + 4, below + 17)
        parts.append(f'<text x="578" y="{below:.1f}" fill="{line.colour}">{line.name}</text>')
    return "\n".join([*parts, "</svg>", ""])


# --- telling ---------------------------------------------------------------------------------------------------------


def ratios(table: dict[str, dict[str, float]]) -> list[tuple[str, float, str]]:
    """What was promised, what was found, and the bound."""
    found: list[tuple[str, float, str]] = []
    for name, times, over in (("large", 1.8, 1.1), ("small", 2.5, 1.3)):
        if row := table.get(name):
            if "peer sign" in row:
                found.append((f"{name}: model-signing's sign / ours", row["peer sign"] / row["sign"], f">= {times}"))
                found.append((f"{name}: model-signing's verify / ours", row["peer verify"] / row["verify"], ""))
            found.append((f"{name}: digest / floor", row["digest"] / row["floor"], f"<= {over}"))
            found.append((f"{name}: verify / sign", row["verify"] / row["sign"], "about 1"))
    if row := table.get("shards"):
        found.append(("shards: one worker / two", row["one worker"] / row["two workers"], ">= 1.8"))
    for name, bound in (("cache, large", ">= 20"), ("cache, small", "")):
        if row := table.get(name):
            found.append((f"{name}: read / cached", row["read"] / row["cached"], bound))
    if (tenth := table.get("a tenth")) and (row := table.get("million")):
        # The system itself needs longer for a file among a million: that is the floor's business.
        found.append(("a tenth of it: digest / floor", tenth["digest"] / tenth["floor"], ""))
        found.append(("million: digest / floor", row["digest"] / row["floor"], "the same"))
        found.append(("million: peak MiB", row["peak MiB"], "< 300"))
        found.append(("million: peak MiB, reading", row["peak MiB, reading"], "< 300"))
    return found


def collect(folder: Path, options: argparse.Namespace) -> tuple[dict[str, dict[str, float]], str, str]:
    """Everything that was asked for: the table, the picture, and why there is no peer."""
    scale, runs, only = options.scale, options.runs, set(options.only)
    table: dict[str, dict[str, float]] = {}
    peer: Peer | None = None
    absent = drawn = ""
    try:
        peer = Peer(options.peer, folder / "peer")
    except (LookupError, OSError) as e:
        absent = str(e)
    try:
        if only & {"large", "cache"}:
            tree = large(folder / "large", 4, round(GB * scale))
            if "large" in only:
                table["large"] = signed(tree, runs, peer, two_threads(tree))
            if "cache" in only:
                table["cache, large"] = cached(tree, folder / "cache-large", runs)
            shutil.rmtree(tree)
        if only & {"small", "cache"}:
            tree = small(folder / "small", max(10, round(20_000 * scale)), 4096)
            if "small" in only:
                table["small"] = signed(tree, runs, peer, bare_loop(tree))
            if "cache" in only:
                table["cache, small"] = cached(tree, folder / "cache-small", runs)
            shutil.rmtree(tree)
        if "shards" in only:
            tree = large(folder / "one", 1, round(4 * GB * scale))
            table["shards"] = sharded(tree, runs)
            shutil.rmtree(tree)
        if "million" in only:
            for name, count in (("a tenth", 100_000), ("million", 1_000_000)):
                tree = small(folder / "many", max(10, round(count * scale)), 64)
                table[name] = million(tree, folder / "manifest.binpb")
                shutil.rmtree(tree)
        if options.svg:
            drawn = picture(curves(folder, scale, runs, peer))
    finally:
        if peer is not None:
            peer.close()
    return table, drawn, absent


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    every = ["large", "small", "shards", "cache", "million"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes and counts (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each way (default: %(default)s)")
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="what to measure (default: all)")
    parser.add_argument("--peer", default=sys.executable, help="a Python that has model-signing (default: this one)")
    parser.add_argument("--folder", type=Path, help="where to write the trees (default: the system's place)")
    parser.add_argument("--svg", type=Path, help="draw cost against size into this file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.runs < 1 or not 0 < options.scale <= 10:
        parser.error("--runs must be at least 1, and --scale above 0 and at most 10")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        table, drawn, absent = collect(Path(folder), options)
    if options.svg:
        options.svg.write_text(drawn, encoding="utf-8")
    if options.json:
        told = {name: round(found, 3) for name, found, _ in ratios(table)}
        print(json.dumps({"seconds": table, "ratios": told, "scale": options.scale, "runs": options.runs}))
        return 0
    if absent:
        print(f"without the peer: {absent}")
    for name, row in table.items():
        print(f"{name:<14}" + "   ".join(f"{way} {value:.3f}" for way, value in row.items()))
    print()
    for name, found, bound in ratios(table):
        print(f"{name:<44}{found:>9.2f}   {bound}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
