"""What does the Merkle tree of a manifest cost, and does it stay linear?

Beside it stands the floor: as many SHA-256 calls over as many bytes, and nothing else. Memory is by how much the
process grew at most, beyond the manifest, as the system counts it.

    python benchmarks/merkle.py --files 1000000
"""

import argparse
import hashlib
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from glasswing_attest.artifact.extension import extending, extends
from glasswing_attest.artifact.files import FileEntry, Files
from glasswing_attest.artifact.leaves import head_of, leaf, leaf_hashes
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.manifests import sum_up
from glasswing_attest.artifact.merkle import leaf_hash
from glasswing_attest.artifact.proofs import MerkleTree

PROOFS = 1000


def entries(count: int) -> Iterator[FileEntry]:
    """Give files as a dataset has them: a thousand in a directory."""
    for i in range(count):
        name = f"train/part-{i // 1000:05}/sample-{i:08}.parquet"
        yield FileEntry(name=name, size=4096 + i, sha256=hashlib.sha256(b"%d" % i).hexdigest())


def seconds(call: Callable[[], object], runs: int) -> float:
    """Give the median of some runs."""
    told = []
    for _ in range(runs):
        began = time.perf_counter()
        call()
        told.append(time.perf_counter() - began)
    return statistics.median(told)


def floor(count: int) -> None:
    """Hash as many leaves and nodes as the tree has, of the same length."""
    leaf_bytes, node_bytes = b"\x00" + leaf(next(entries(1))), bytes(65)
    for _ in range(count):
        hashlib.sha256(leaf_bytes).digest()
    for _ in range(count - 1):
        hashlib.sha256(node_bytes).digest()


def in_threads(manifest: Manifest) -> None:
    """Hash the leaves in two threads: what it would be, were it worth it."""
    with ThreadPoolExecutor(2) as pool:
        half = len(manifest.files) // 2
        parts = (manifest.files[:half], manifest.files[half:])
        list(pool.map(lambda part: [leaf_hash(leaf(entry)) for entry in part], parts))


def peak() -> float:
    """Give the process's largest size so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(count: int, runs: int) -> dict[str, float]:
    """Time everything for `count` files."""
    manifest = Manifest.of_tree("dataset", Files.of(entries(count)))
    parent = Manifest.of_tree("dataset", Files.of(entries(count - count // 10)))
    before = peak()
    told = {"root": seconds(lambda: head_of(manifest), runs)}
    told["memory of a root, MB"] = peak() - before
    told["tree for proofs"] = seconds(lambda: MerkleTree.of(manifest), runs)
    told["memory of a tree for proofs, MB"] = peak() - before
    tree = MerkleTree.of(manifest)
    told["root, dirHash and sum in one pass"] = seconds(lambda: sum_up(manifest.files), runs)
    told["leaves, one after the other"] = seconds(lambda: list(leaf_hashes(manifest.files)), runs)
    told["leaves, in two threads"] = seconds(lambda: in_threads(manifest), runs)
    told["floor: SHA-256 alone"] = seconds(lambda: floor(count), runs)
    names = [manifest.files[i].name for i in range(0, count, max(1, count // PROOFS))]
    told["a proof"] = seconds(lambda: [tree.proof(name) for name in names], runs) / len(names)
    proofs = [tree.proof(name) for name in names]
    told["a check"] = seconds(lambda: [proof.check(tree.head) for proof in proofs], runs) / len(proofs)
    told["extending"] = seconds(lambda: extending(manifest, parent), runs)
    child, old = extending(manifest, parent), head_of(parent)
    told["extends, from the parent's head"] = seconds(lambda: extends(old, child), runs)
    return told


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=1_000_000, help="files of the largest tree (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is told (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.files < 100 or options.runs < 1:
        parser.error("--files must be at least 100, --runs at least 1")
    sizes = [options.files // 100, options.files // 10, options.files]
    table = {size: measure(size, options.runs) for size in sizes}
    if options.json:
        print(json.dumps({"files": table, "runs": options.runs, "python": sys.version.split()[0]}))
        return 0
    print(f"{'':<36}" + "".join(f"{size:>12} files" for size in sizes))
    for name in table[sizes[0]]:
        unit = 1 if "MB" in name else 1e6 if name in ("a proof", "a check") else 1
        words = "µs" if unit == 1e6 else "" if "MB" in name else "s"
        print(f"{name:<36}" + "".join(f"{table[size][name] * unit:>16.3f} {words:<1}" for size in sizes))
    each = [table[size]["root"] / size * 1e6 for size in sizes]
    print(f"{'root, µs a file':<36}" + "".join(f"{value:>16.2f}  " for value in each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
