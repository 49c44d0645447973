"""Fuzz one parser, or each in turn, for as long as is asked: `python -m tests.fuzz NAME --seconds N`.

Random documents close to real ones (`mutate.py`), until something but a `GlasswingError` comes out: then the input is
written to a file, and the exit is 1. The seed is printed, and gives the same documents again. With `--atheris`, where
that is installed, its coverage decides which document is spoilt next.
"""

import argparse
import hashlib
import importlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fuzz.mutate import mutate
from tests.fuzz.parsers import PARSERS, Parser, corpus, keeps_the_law

_SLOW = 2.0


def fuzz(name: str, parser: Parser, seconds: float, seed: int, out: Path) -> None:
    """Fuzz one parser by a loop of our own. What breaks the law is kept, and raised."""
    seeds = corpus(name)
    draw = random.Random(f"{seed} {name}")  # not a secret: the same seed gives the same documents
    until = time.monotonic() + seconds
    runs = accepted = 0
    slowest = 0.0
    while time.monotonic() < until:
        data = mutate(draw, draw.choice(seeds), seeds)
        began = time.monotonic()
        try:
            accepted += keeps_the_law(parser, data)
        except BaseException:
            _keep(name, data, out)
            raise
        took = time.monotonic() - began
        if took > max(_SLOW, slowest):
            print(f"{name}: {took:.1f} s: {_keep(name, data, out)}", flush=True)
        slowest = max(took, slowest)
        runs += 1
    print(f"{name}: {runs} documents of {len(seeds)} seeds, {accepted} still read, slowest {slowest * 1000:.0f} ms")


def _keep(name: str, data: bytes, out: Path) -> Path:
    path = out / f"{name.replace('/', '_').replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:8]}"
    path.write_bytes(data)
    print(f"kept: {path}", file=sys.stderr)
    return path


def with_atheris(name: str, parser: Parser, seconds: float, seed: int, out: Path) -> None:
    """Fuzz one parser by libFuzzer, which ends the process."""
    atheris: Any = importlib.import_module("atheris")  # in no extra: whoever has it, has it

    atheris.instrument_all()
    folder = Path(tempfile.mkdtemp(prefix="corpus-"))
    for number, data in enumerate(corpus(name)):
        (folder / str(number)).write_bytes(data)
    options = [f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-artifact_prefix={out}{os.sep}"]
    atheris.Setup([sys.argv[0], *options, str(folder)], lambda data: keeps_the_law(parser, data) and None)
    atheris.Fuzz()


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, and give 1 where the law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="parsers (default: all); a part of a name will do")
    parser.add_argument("--seconds", type=float, default=60, help="for each parser (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()), help="where findings are kept")
    parser.add_argument("--atheris", action="store_true", help="by coverage; one parser only")
    parser.add_argument("--list", action="store_true", help="name the parsers and end")
    options = parser.parse_args(arguments)
    names = [name for name in PARSERS if not options.names or any(part in name for part in options.names)]
    if options.list:
        print("\n".join(PARSERS))
        return 0
    if not names:
        parser.error("no such parser: see --list")
    if options.atheris and len(names) != 1:
        parser.error("--atheris takes one parser")
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    print(f"seed {seed}")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.atheris:
        with_atheris(names[0], PARSERS[names[0]], options.seconds, seed, options.out)
    broken = 0
    for name in names:
        try:
            fuzz(name, PARSERS[name], options.seconds, seed, options.out)
        except Exception as e:  # noqa: BLE001  # whatever comes out is the finding: it is told, and the next parser has its turn
            print(f"{name}: BROKEN: {type(e).__name__}: {e}", flush=True)
            broken += 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
