"""Which signatures are exchanged with whom, and where does it stand what came of it?

Every exchange settles a cell of docs/interop.md: it is `yes`, or there is no way, for a reason that the page gives. A
run compares the cells with the page; one that is asked to (`make interop`) writes them down, and the page after them.

    python -m tests.interop                # run all exchanges, and write the page
    python -m tests.interop build          # install the clients that are not Go's
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from tests.interop import peers
from tests.stack.build import StackAbsent

__all__ = ["DIRECTIONS", "FORMS", "PAGE", "YES", "Cells", "Direction", "Form", "cells_of", "main", "page", "settle"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "interop.md"
YES = "yes"

Content: TypeAlias = Literal["attestation", "artifact"]
By: TypeAlias = Literal["identity", "key"]
Log: TypeAlias = Literal["v1", "v2", "both", "none"]
Direction: TypeAlias = Literal["they", "we"]
DIRECTIONS: Mapping[Direction, str] = {"they": "They sign, we verify", "we": "We sign, they verify"}

EXCHANGES = (
    "test_cosign.py",
    "test_sigstore_go.py",
    "test_sigstore_js.py",
    "test_sigstore_python.py",
    "test_model_signing_keyless.py",
)
"""The tests that settle cells: one file for each peer."""

_RECORD = "GLASSWING_ATTEST_INTEROP"
"""Names the folder into which cells are written, where they are not compared."""


_WITNESSES: Mapping[Log, str] = {
    "v1": "Rekor v1 and a clock",
    "v2": "Rekor v2 and a clock",
    "both": "both logs and two clocks",
    "none": "nobody",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What is signed, by whom, and which log witnesses it."""

    content: Content
    by: By
    log: Log

    def __str__(self) -> str:
        return f"{self.content} | {self.by} | {_WITNESSES[self.log]}"

    @property
    def witnesses(self) -> tuple[tuple[str, ...], int]:
        """The logs, and the number of clocks."""
        several = {"v1": (("v1",), 1), "v2": (("v2",), 1), "both": (("v1", "v2"), 2), "none": ((), 0)}
        return several[self.log]

    @property
    def id(self) -> str:
        """How it is called in a report."""
        return f"{self.content}-{self.by}-{self.log}"


_ALL = tuple(
    Form(content=content, by=by, log=log)
    for content in get_args(Content)
    for by in get_args(By)
    for log in get_args(Log)
    # Without a witness nobody knows whether a certificate of some minutes was good.
    if by == "key" or log != "none"
)
FORMS: Mapping[Direction, tuple[Form, ...]] = {
    # By a signing config, none of the clients has logs of both versions witness one signature.
    "they": tuple(form for form in _ALL if form.log != "both"),
    # With a key we sign statements.
    "we": tuple(form for form in _ALL if form.content == "attestation" or form.by == "identity"),
}

Cells: TypeAlias = dict[tuple[Direction, Form, str], str]
"""By direction, form and peer: `YES`, or why there is no way."""


def settle(direction: Direction, form: Form, peer: str, outcome: str) -> None:
    """Say what came of an exchange: the page says the same, or the run writes a new one."""
    folder = os.environ.get(_RECORD)
    if folder is not None:
        cell = {"direction": direction, "form": form.id, "peer": peer, "outcome": outcome}
        Path(folder, f"{direction}-{form.id}-{peer}.json").write_text(json.dumps(cell), encoding="utf-8")
        return
    said = cells_of(PAGE.read_text(encoding="utf-8"))[direction, form, peer]
    assert outcome == said, f"docs/interop.md says {said!r}: if this is how it is now, run `make interop`"


# --- the page --------------------------------------------------------------------------------------------------------

_HEAD = """\
# Who verifies whom

<!-- Written by `make interop`; do not edit. -->

Each cell is an exchange that the tests make on [upstream's own servers](stack.md): one side signs, the other verifies.
**yes** also means that the verifying side refused what it had to: another artifact or a changed statement, another
identity, another issuer, another key. A dash is an exchange that there is no way to make; the number says why, and the
tests try it as far as it can be tried, so that this page changes when it does.

"""
_NAMES = ", ".join(f"`{name}`" for name in EXCHANGES)
_TAIL = f"""\
An *attestation* is an in-toto statement in a DSSE envelope; for model-signing it is the signature of a model
([OpenSSF Model Signing](oms.md)). An *artifact* is signed by its digest, without a statement. An *identity* is a
certificate of Fulcio's, for an identity token; a *key* is an ECDSA key on P-256, with which we sign attestations alone.
A *clock* is an RFC 3161 time-stamping authority. A client that leaves an attestation's subjects to its caller is given
a changed statement instead of another artifact.

`make interop` runs the exchanges and writes this page, and every run of the tests compares it with what came of them
(`tests/interop/`: {_NAMES}).
The clients are those that the lock files in `tests/stack/servers/` and `tests/interop/` pin.
"""


def page(cells: Cells) -> str:
    """The page that says this."""
    reasons: list[str] = []
    for outcome in cells.values():
        if outcome != YES and outcome not in reasons:
            reasons.append(outcome)
    parts = [_HEAD]
    for direction, title in DIRECTIONS.items():
        columns = ["what", "by", "witnessed by", *(f"{peer} {version}" for peer, version in peers.VERSIONS.items())]
        parts.append(f"## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n")
        for form in FORMS[direction]:
            row = [cells[direction, form, peer] for peer in peers.VERSIONS]
            told = [YES if each == YES else f"– ({reasons.index(each) + 1})" for each in row]
            parts.append(f"| {form} | {' | '.join(told)} |\n")
        parts.append("\n")
    parts += [f"{number}. {reason}\n" for number, reason in enumerate(reasons, start=1)]
    return "".join([*parts, "\n", _TAIL])


def cells_of(text: str) -> Cells:
    """What a page says. Raises `KeyError` or `ValueError` for what is no such page."""
    lines = text.splitlines()
    reasons = dict(line.split(". ", 1) for line in lines if line[:1].isdigit())
    by_name = {str(form): form for form in _ALL}
    cells: Cells = {}
    for direction, title in DIRECTIONS.items():
        start = lines.index(f"## {title}") + 4
        for line in lines[start : start + len(FORMS[direction])]:
            columns = line.strip("| ").split(" | ")
            form = by_name[" | ".join(columns[:3])]
            for peer, told in zip(peers.VERSIONS, columns[3:], strict=True):
                cells[direction, form, peer] = YES if told == YES else reasons[told.removeprefix("– (").rstrip(")")]
    return cells


def _written(folder: Path) -> Iterator[tuple[tuple[Direction, Form, str], str]]:
    for direction in DIRECTIONS:
        for form in FORMS[direction]:
            for peer in peers.VERSIONS:
                said = json.loads((folder / f"{direction}-{form.id}-{peer}.json").read_bytes())
                yield (direction, form, peer), said["outcome"]


def main(arguments: list[str]) -> int:
    """Run all exchanges and write the page, or install what they need."""
    if arguments == ["build"]:
        try:
            peers.build()
        except StackAbsent as absent:
            print(f"error: {absent}", file=sys.stderr)
            return 1
        return 0
    with tempfile.TemporaryDirectory(prefix="interop-") as folder:
        environment = {**os.environ, _RECORD: folder, "GLASSWING_ATTEST_REQUIRE_STACK": "1"}
        tests = [str(Path(__file__).with_name(name)) for name in EXCHANGES]
        done = subprocess.run([sys.executable, "-m", "pytest", *(arguments or ["-n", "auto"]), *tests], env=environment)
        if done.returncode:
            return done.returncode
        PAGE.write_text(page(dict(_written(Path(folder)))), encoding="utf-8")
    return 0
