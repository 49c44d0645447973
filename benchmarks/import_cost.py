"""What does `import glasswing_attest` cost, over a Python that does nothing?

Starts `python -c pass` and `python -c 'import glasswing_attest'` in turn, so that both see the same machine, and
compares the best run of each: noise only ever adds. What is told is the processor's time, which another program's work
hardly changes.

    python benchmarks/import_cost.py [--runs 15] [--json] [--max-ms 60]
"""

import argparse
import json
import resource
import subprocess
import sys

MODULE = "glasswing_attest"


def main(arguments: list[str] | None = None) -> int:
    """Print the cost; 1 if it is above --max-ms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="starts of each kind (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--max-ms", type=float, help="fail when the import costs more milliseconds over bare Python")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")

    # Once unmeasured: writes the bytecode, warms the file cache, and fails if the library is not there.
    start(f"import {MODULE}")
    bare, loaded = [], []
    for _ in range(options.runs):
        bare.append(start("pass"))
        loaded.append(start(f"import {MODULE}"))
    over = min(loaded) - min(bare)
    ratio = min(loaded) / min(bare)
    if options.json:
        figures = {"bare_ms": min(bare), "import_ms": min(loaded), "over_bare_ms": over, "ratio": ratio}
        rounded = {name: round(value, 2) for name, value in figures.items()}
        print(json.dumps(rounded | {"runs": options.runs, "python": sys.version.split()[0]}))
    else:
        importing = f"python -c 'import {MODULE}'"
        print(f"{'python -c pass':<36}{min(bare):7.1f} ms")
        print(f"{importing:<36}{min(loaded):7.1f} ms   (best of {options.runs} each, in turn)")
        print(f"{'over bare Python':<36}{over:7.1f} ms   ({ratio:.2f} times)")
    if options.max_ms is not None and over > options.max_ms:
        print(f"error: {over:.1f} ms over bare Python, {options.max_ms:g} ms are allowed", file=sys.stderr)
        return 1
    return 0


def start(code: str) -> float:
    """Milliseconds of processor that a new interpreter takes; -I: neither this folder nor the user's counts."""
    began = _spent()
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    return (_spent() - began) * 1000


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
