"""Fuzz one parser, or each in turn, for as long as is asked: `python -m tests.fuzz NAME --seconds N`.

Random documents close to real ones (`mutate.py`), until something but a `GlasswingError` comes out: then the input is
written to a file, and the exit is 1. The seed is printed, and gives the same documents again. With `--atheris`, where
that is installed, its coverage decides which document is spoilt next.
"""

import argparse
import gc
import hashlib
import importlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from types import FunctionType
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
    path = out / f"{_file_name(name)}-{hashlib.sha256(data).hexdigest()[:8]}"
    path.write_bytes(data)
    print(f"kept: {path}", file=sys.stderr)
    return path


def _file_name(name: str) -> str:
    return name.replace("/", "_").replace(" ", "-")


def with_atheris(name: str, parser: Parser, seconds: float, seed: int, out: Path) -> None:
    """Fuzz one parser by libFuzzer, which ends the process. What it learnt lies in `out`, for the next time."""
    atheris: Any = importlib.import_module("atheris")  # in no extra: whoever has it, has it
    # The library alone: with all of Python's own it takes minutes to begin.
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and (each.__module__ or "").startswith("glasswing_attest."):
            atheris.instrument_func(each)
    seeds = corpus(name)
    folder = out / f"corpus-{_file_name(name)}"
    folder.mkdir(exist_ok=True)
    for number, data in enumerate(seeds):
        (folder / f"seed-{number}").write_bytes(data)

    def spoil(data: bytes, longest: int, drawn: int) -> bytes:
        draw = random.Random(drawn)  # not a secret
        changed: bytes = atheris.Mutate(data, longest) if draw.randint(0, 1) else mutate(draw, data, seeds)
        return changed[:longest]

    def ask(data: bytes) -> None:
        keeps_the_law(parser, data)

    options = [f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-artifact_prefix={out}{os.sep}"]
    longest = f"-max_len={max(4096, 2 * max(map(len, seeds)))}"
    atheris.Setup([sys.argv[0], *options, longest, str(folder)], ask, custom_mutator=spoil)
    atheris.Fuzz()


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, and give 1 where the law was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="parsers, or parts of their names (default: all)")
    parser.add_argument("--seconds", type=float, default=60, help="for each parser (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()), help="where findings are kept")
    parser.add_argument("--atheris", action="store_true", help="by coverage; one parser only")
    parser.add_argument("--list", action="store_true", help="name the parsers and end")
    options = parser.parse_args(arguments)
    whole = [name for name in PARSERS if name in options.names]
    names = whole or [name for name in PARSERS if not options.names or any(part in name for part in options.names)]
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
