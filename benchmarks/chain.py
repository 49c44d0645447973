"""What does it cost to verify a chain of thousands of attested things, over its signatures?

Two shapes, each of 100, 1,000 and 10,000 attested things by default: a *tree*, in which every thing was made from four
others, and a *shared* graph of fifty layers, in which every thing was made from four of the next layer, so that most
are met again and again. Every thing has one attestation of its own, SLSA provenance signed by a key, and the policy
asks for it; nothing is trimmed. The limits are the default ones.

Four figures a chain, all CPU time of this very process, taken in turn, each the best of the runs:

* `signatures`: the same signatures, checked with `cryptography` and nothing around them: no JSON, no base64;
* `proved`: the sum of the signature checks, as this library makes them: every attestation read from its bytes and
  proved by itself, up to the statement that was signed, and then forgotten;
* `claims`: the same with the predicates read as well, and all of it kept, as one must to compare any two of them;
* `verify`: all of it, from the bytes to the report.

What a chain costs over its parts are the ratios of the last one to those before it. `collector` is the part of `verify`
that Python's garbage collector takes, which looks at everything that is kept again and again. Memory is what
`tracemalloc` sees of one more, untimed, run over what the evidence itself takes: at most, and by the report at the end.

    python benchmarks/chain.py [--sizes 100 1000 10000] [--keys ed25519 ecdsa-p256] [--shapes tree shared] [--runs 3]
                               [--at-most RATIO] [--threshold OBJECTS] [--json]

`--at-most` fails where `verify` takes more than so many times `claims`. `--threshold` sets the collector's own (see
`gc.set_threshold`), as a program that verifies large chains may do for itself.
"""

import argparse
import gc
import hashlib
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from glasswing_attest import KeySigner, Policy, Report, Trust, Verifier  # noqa: E402
from glasswing_attest.artifact.file import Blob  # noqa: E402
from glasswing_attest.attestation import Attestation  # noqa: E402
from glasswing_attest.claims import Claim, read, registry_of  # noqa: E402
from glasswing_attest.statement.predicates.run import PROVENANCE_V1  # noqa: E402
from glasswing_attest.statement.statement import PAYLOAD_TYPE, STATEMENT_V1  # noqa: E402
from glasswing_attest.verification.procedure import prove  # noqa: E402

BUILDER = "https://ci.example/trainer"
BUILD_TYPE = "https://ci.example/train/v1"
FAN = 4
LAYERS = 50
FEWEST = 2_000
"""So many things are verified in all the runs of one figure, at the least."""
BUILT = registry_of()


# --- what is verified ------------------------------------------------------------------------------------------------


def content(number: int) -> bytes:
    """The bytes of a thing."""
    return b"thing %d" % number


def tree(size: int) -> Iterator[tuple[int, ...]]:
    """What each thing was made from, in a tree."""
    for number in range(size):
        yield tuple(range(FAN * number + 1, min(FAN * number + FAN + 1, size)))


def shared(size: int) -> Iterator[tuple[int, ...]]:
    """What each thing was made from, in layers: the first thing is made from the whole first layer, and so on."""
    width = -(-(size - 1) // LAYERS)
    layers = [range(start, min(start + width, size)) for start in range(1, size, width)]
    yield tuple(layers[0])
    for layer, below in zip(layers, [*layers[1:], range(0)], strict=True):
        for place, _ in enumerate(layer):
            yield tuple(sorted({below[(FAN * place + step) % len(below)] for step in range(FAN)})) if below else ()


SHAPES: dict[str, Callable[[int], Iterable[tuple[int, ...]]]] = {"tree": tree, "shared": shared}


def statements(shape: str, size: int) -> Iterator[bytes]:
    """The statement about each thing."""
    digests = [hashlib.sha256(content(number)).hexdigest() for number in range(size)]
    for number, inputs in enumerate(SHAPES[shape](size)):
        used = [
            {"name": f"thing-{each}", "digest": {"sha256": digests[each]}, "annotations": {"role": "dataset"}}
            for each in inputs
        ]
        yield json.dumps(
            {
                "_type": STATEMENT_V1,
                "subject": [{"name": f"thing-{number}", "digest": {"sha256": digests[number]}}],
                "predicateType": PROVENANCE_V1,
                "predicate": {
                    "buildDefinition": {
                        "buildType": BUILD_TYPE,
                        "externalParameters": {"number": number},
                        "resolvedDependencies": used,
                    },
                    "runDetails": {
                        "builder": {"id": BUILDER},
                        "metadata": {"invocationId": f"urn:run:{number}", "startedOn": "2026-01-02T03:00:00Z"},
                    },
                },
            }
        ).encode()


def policy() -> Policy:
    """Every thing needs its own provenance, and nothing is cut away."""
    rule = {"require": [{"predicate": PROVENANCE_V1, "signed_by": {"any_of": ["ci"]}, "expect": {"builder": BUILDER}}]}
    return Policy.model_validate(
        {
            "version": 1,
            "times": "claimed",
            "identities": {"ci": {"key": "ci"}},
            "nodes": {"model": rule, "dataset": rule},
        }
    )


# --- the figures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one chain cost: seconds, and bytes of memory above the evidence."""

    shape: str
    keys: str
    size: int
    signatures: float
    proved: float
    claims: float
    verify: float
    collector: float
    peak: int
    kept: int

    @property
    def ratios(self) -> dict[str, float]:
        """`verify` over each of the others."""
        return {name: self.verify / getattr(self, name) for name in ("signatures", "proved", "claims")}


@dataclass(frozen=True, kw_only=True)
class Timed:
    """How long a run took, and how much of that the garbage collector."""

    seconds: float
    collector: float


def timed(run: Callable[[], object]) -> Timed:
    """Run it once, in seconds of CPU."""
    began, collected = 0.0, 0.0

    def watch(phase: str, _: object) -> None:
        nonlocal began, collected
        if phase == "start":
            began = time.process_time()
        else:
            collected += time.process_time() - began

    gc.collect()
    gc.callbacks.append(watch)
    try:
        start = time.process_time()
        kept = run()
        seconds = time.process_time() - start
    finally:
        gc.callbacks.remove(watch)
    del kept
    return Timed(seconds=seconds, collector=collected)


def best(runs: Sequence[Callable[[], object]], times: int) -> list[Timed]:
    """The quickest of several runs of each, taken in turn: what else the machine does disturbs all of them alike."""
    found = [[timed(run) for run in runs] for _ in range(times)]
    return [min(each, key=lambda one: one.seconds) for each in zip(*found, strict=True)]


def measured(shape: str, keys: str, size: int, times: int) -> Figures:
    """Make a chain, and take its figures."""
    signer = KeySigner.generate(keys)
    evidence = tuple(signer.seal(payload, PAYLOAD_TYPE) for payload in statements(shape, size))
    trust = Trust.of({"ci": signer.public_key})
    model = Blob(content(0), name="model", kind="model").measure()

    parsed = [Attestation.parse(each) for each in evidence]
    messages = [(each.envelope.signatures[0].sig, each.envelope.signed_bytes) for each in parsed]

    def signatures() -> None:
        for signature, message in messages:
            signer.public_key.check(signature, message)

    def proved() -> None:
        for data in evidence:
            prove(Attestation.parse(data), trust, claimed_at=at)

    def claims() -> list[Claim]:
        return [
            read(verified, BUILT)
            for data in evidence
            for verified in prove(Attestation.parse(data), trust, claimed_at=at)
        ]

    def verify() -> Report:
        # A new one each time: a verifier remembers what it proved.
        return Verifier(policy=policy(), trust=trust).verify(model, evidence)

    report = verify()
    at = report.at
    require_complete(report, size)
    del report
    # Small chains are over soon, and need more runs until one of them is undisturbed.
    runs = best((signatures, proved, claims, verify), max(times, FEWEST // size))
    most, kept = memory(verify)
    return Figures(
        shape=shape,
        keys=keys,
        size=size,
        signatures=runs[0].seconds,
        proved=runs[1].seconds,
        claims=runs[2].seconds,
        verify=runs[3].seconds,
        collector=runs[3].collector,
        peak=most,
        kept=kept,
    )


def require_complete(report: Report, size: int) -> None:
    """A figure means something only if every single thing was verified."""
    things = [] if report.graph is None else [n for n in report.graph.nodes if n.kind in ("model", "dataset")]
    if len(things) != size or any(thing.state != "verified" for thing in things):
        raise SystemExit(f"{len(things)} things of {size} were verified")


def memory(run: Callable[[], object]) -> tuple[int, int]:
    """The most memory that Python objects take during a run, and what of it stays, over what was there before."""
    gc.collect()
    tracemalloc.start()
    try:
        report = run()
        peak = tracemalloc.get_traced_memory()[1]
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
        del report
    finally:
        tracemalloc.stop()
    return peak, kept


# --- telling them ----------------------------------------------------------------------------------------------------


def table(found: Sequence[Figures]) -> str:
    """The figures for people: microseconds and KiB a thing."""
    names = ("signatures", "proved", "claims", "verify", "collector")
    over = ("signatures", "proved", "claims")
    head = f"{'shape':8}{'keys':12}{'things':>8}" + "".join(f"{name:>12}" for name in names)
    head += "".join(f"{f'/ {name}':>14}" for name in over) + f"{'peak KiB':>10}{'kept KiB':>10}"
    lines = [head]
    for each in found:
        line = f"{each.shape:8}{each.keys:12}{each.size:8}"
        line += "".join(f"{getattr(each, name) / each.size * 1e6:12.0f}" for name in names)
        line += "".join(f"{each.ratios[name]:14.2f}" for name in over)
        lines.append(line + "".join(f"{size / each.size / 1024:10.1f}" for size in (each.peak, each.kept)))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take and print the figures. Gives 1 where a chain costs more than it may."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--keys", nargs="+", default=["ed25519", "ecdsa-p256"])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--at-most", type=float, default=float("inf"))
    parser.add_argument("--threshold", type=int)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.threshold is not None:
        gc.set_threshold(asked.threshold)
    found = [
        measured(shape, keys, size, asked.runs) for shape in asked.shapes for keys in asked.keys for size in asked.sizes
    ]
    if asked.json:
        plain: list[dict[str, Any]] = [{**asdict(each), "ratios": each.ratios} for each in found]
        print(json.dumps(plain, indent=2))
    else:
        print(table(found))
    return int(any(each.ratios["claims"] > asked.at_most for each in found))


if __name__ == "__main__":
    sys.exit(main())
