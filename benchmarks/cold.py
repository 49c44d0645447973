"""How long is a new process's way to its first verdict about a Sigstore bundle, for us and for sigstore-python?

Gates and jobs ask once and end: there, what is loaded costs more than what is proved. Each way is a Python of its own,
from its start to its end, that reads a Rekor v1 bundle and a trusted root from files and verifies the bundle: ours up
to the signer, and by a policy with a report; and `sigstore-python`. They take turns; each figure is the best run, as
wall time and as CPU time of the process. Bytecode is written, files lie in memory.

    python benchmarks/cold.py [--runs 15] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.verify import Subject, subjects  # noqa: E402

BARE = "pass"
OURS = """
from pathlib import Path
from glasswing_attest.attestation import Attestation
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification.procedure import prove
trust = Trust(roots=(Root.parse(Path("root.json").read_bytes(), name="root", profile=PUBLIC_GOOD),))
(verified,) = prove(Attestation.parse(Path("bundle.json").read_bytes()), trust)
assert verified.signer.san == Path("signer").read_text()
"""
POLICY = """
from pathlib import Path
from glasswing_attest import Manifest, Policy, Trust, verify
from glasswing_attest.artifact.digest import DigestSet
told = Manifest.declared("file", DigestSet.of(sha256=Path("digest").read_text()), name="wheel")
policy, trust = Policy.load("policy.yaml"), Trust.load("trust.yaml")
assert verify(told, [Path("bundle.json").read_bytes()], policy=policy, trust=trust).accepted
"""
THEIRS = """
from pathlib import Path
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
verifier = Verifier(trusted_root=TrustedRoot.from_file("root.json"))
verifier.verify_dsse(Bundle.from_json(Path("bundle.json").read_bytes()), Identity(identity=Path("signer").read_text()))
"""
WAYS = {"python -c pass": BARE, "ours": OURS, "ours, policy and report": POLICY, "sigstore-python": THEIRS}

SIGNER = (
    "https://github.com/github/artifact-attestations-workflows/.github/workflows/attest.yml"
    "@09b495c3f12c7881b3cc17209a327792065c1a1d"
)
TRUST_FILE = "version: 1\nroots: {root: {file: root.json, profile: public-good}}\n"
POLICY_FILE = f"""
version: 1
declared: allow                        # a digest was asked about, nobody has the bytes
identities: {{builder: {{issuer: "https://token.actions.githubusercontent.com", san: "{SIGNER}"}}}}
nodes:
  file:
    require:
      - predicate: https://slsa.dev/provenance/v1
        signed_by: {{any_of: [builder]}}
        expect: {{builder: https://github.com/actions/runner/github-hosted}}
  code: {{trim: {{reason: "who built it is the question here"}}}}
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Milliseconds of one process: the best wall time, and the best CPU time."""

    wall: float
    cpu: float


def start(code: str, folder: Path) -> tuple[float, float]:
    """Run a Python of its own there; wall and CPU time in milliseconds."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall * 1000, cpu * 1000


def lay_out(one: Subject, folder: Path) -> None:
    """Write what the ways read."""
    files = {
        "bundle.json": one.bundle,
        "root.json": one.root,
        "digest": one.known.encode(),
        "signer": SIGNER.encode(),
        "policy.yaml": POLICY_FILE.encode(),
        "trust.yaml": TRUST_FILE.encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="processes of each kind (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    try:
        (one,) = (each for each in subjects() if each.name == "Rekor v1, envelope")
    except FileNotFoundError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(one, folder)
        for code in WAYS.values():  # once unmeasured: writes bytecode, and fails if one of them does not accept
            start(code, folder)
        for _ in range(options.runs):
            for way, code in WAYS.items():
                times[way].append(start(code, folder))
    table = {way: Figures(wall=min(w for w, _ in each), cpu=min(c for _, c in each)) for way, each in times.items()}
    if options.json:
        rounded = {way: {"wall_ms": round(f.wall, 1), "cpu_ms": round(f.cpu, 1)} for way, f in table.items()}
        print(json.dumps({"processes": rounded, "runs": options.runs, "python": sys.version.split()[0]}))
        return 0
    theirs = table["sigstore-python"]
    print(f"milliseconds of a process that verifies one bundle: the best of {options.runs} in turn")
    print(f"{'':<26}{'wall':>8}{'CPU':>8}{'of sigstore-python':>22}")
    for way, figures in table.items():
        print(f"{way:<26}{figures.wall:>8.0f}{figures.cpu:>8.0f}{figures.wall / theirs.wall:>22.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
