"""Where are the third-party cases, and which of them does a test want?

They lie beside the checkout, in ../shared/data, or where GLASSWING_SHARED says (the folder that holds `unpack`, or its
parent). They are unpacked outside of the checkout and never copied into it: their licences differ.

    @pytest.mark.parametrize("case", cases("pae", "dsse-key"))       # by kind; or corpus="c2sp-dsse"
    def test_the_case(case: Case, shared_data: Path) -> None:
        bundle = shared_data / case.files["bundle"]
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One third-party case. A test of a reject asserts its stage, not only that it was refused."""

    corpus: str
    case: str
    kind: str
    expect: str
    files: Mapping[str, Any]
    params: Mapping[str, Any]
    raw: Mapping[str, Any]

    @property
    def id(self) -> str:
        """How the case is called in a report."""
        return f"{self.corpus}:{self.case}"


def cases(*kinds: str, corpus: str | None = None, skip: Mapping[str, str] | None = None) -> list[Any]:
    """Parameters for each case of these kinds: one that skips, if there are no cases here at all; never none.

    `skip` gives reasons by "corpus:case"; each must name a case that there is.
    """
    try:
        folder = unpacked()
    except FileNotFoundError as absent:
        return [pytest.param(None, id="no-third-party-cases", marks=pytest.mark.skip(reason=str(absent)))]
    found = []
    for path in sorted(folder.glob(f"{corpus or '*'}/cases.json")):
        for raw in json.loads(path.read_bytes()):
            if not kinds or raw["kind"] in kinds:
                known = {name: raw.get(name, {}) for name in ("files", "params")}
                found.append(
                    Case(
                        corpus=path.parent.name,
                        case=raw["case"],
                        kind=raw["kind"],
                        expect=raw["expect"],
                        **known,
                        raw=raw,
                    )
                )
    reasons = dict(skip or {})
    parameters = []
    for case in found:
        reason = reasons.pop(case.id, None)
        marks = [pytest.mark.shared] + ([pytest.mark.skip(reason=reason)] if reason else [])
        parameters.append(pytest.param(case, id=case.id, marks=marks))
    if not parameters:
        raise LookupError(f"no third-party case is of kind {kinds}, corpus {corpus}: the test would be vacuous")
    if reasons:
        raise LookupError(f"skipped, but not among the cases: {sorted(reasons)}")
    return parameters


def shared_folder() -> Path:
    """The folder that holds the script `unpack`; FileNotFoundError says where it was looked for."""
    named = os.environ.get("GLASSWING_SHARED")
    places = [Path(named), Path(named, "data")] if named else [ROOT.parent / "shared" / "data"]
    for place in places:
        if (place / "unpack").is_file():
            return place.resolve()
    # What was asked for by name and is not there is a mistake, not an absence.
    if named:
        raise RuntimeError(f"GLASSWING_SHARED={named} holds no script `unpack`")
    raise FileNotFoundError("no third-party cases: ../shared/data/unpack does not exist")


def unpacked() -> Path:
    """The folder of the unpacked cases: made once for each content of the archive, complete whenever it is there."""
    shared = shared_folder()
    digest = hashlib.sha256()
    for path in sorted(path for path in shared.iterdir() if path.name == "unpack" or path.name.startswith("corpora")):
        digest.update(path.read_bytes())
    target = Path(tempfile.gettempdir(), f"glasswing-attest-cases-{os.getuid()}-{digest.hexdigest()[:16]}")
    # Test processes run side by side: the first one in unpacks, the others wait.
    with Path(f"{target}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
            try:
                subprocess.run([shared / "unpack", fresh], check=True, stdin=subprocess.DEVNULL)
                fresh.rename(target)
            except BaseException:
                shutil.rmtree(fresh, ignore_errors=True)
                raise
    return target
