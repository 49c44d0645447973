"""Where does a report go, for people who were not there: as a page, as a picture?

All of it is written for a no as well, and that is when it is read most.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from glasswing_attest._cli.artifacts import refuse_within, sidecar
from glasswing_attest._files import write_atomic
from glasswing_attest.errors import UsageError

if TYPE_CHECKING:
    from glasswing_attest.report.report import Report

__all__ = ["add_pages", "require_pages", "write_pages"]

_READ = ("policy", "trust", "evidence", "revocations", "signer", "passphrase_file", "proof")
_FORMS = {
    "html": "write the report as one page for a browser: no script, and nothing from anywhere",
    "dot": "write the chain as a picture's source, in Graphviz's DOT language",
    "svg": "write the chain as a picture; needs Graphviz, or the extra `picture`",
}


def add_pages(parser: argparse.ArgumentParser) -> None:
    """Add ``--html``, ``--dot`` and ``--svg``."""
    for form, what in _FORMS.items():
        parser.add_argument(f"--{form}", metavar="FILE", help=what)


def require_pages(args: argparse.Namespace, artifact: str | None = None, beside: Sequence[str] = ()) -> None:
    """Say before anything is digested what could not be written afterwards. `beside` are further options that write.

    Raises:
        UsageError: a file that would lie within the artifact, in no directory, or in the place of something else.
        UnavailableError: a picture is wanted, and nothing here lays it out.
    """
    _require_apart(args, artifact, beside)
    for form in _FORMS:
        if (path := getattr(args, form)) is not None:
            refuse_within(Path(path), artifact or os.devnull, f"--{form}")
    if args.svg is not None:
        from glasswing_attest.report.svg import layouter

        layouter()


def _require_apart(args: argparse.Namespace, artifact: str | None, beside: Sequence[str]) -> None:
    """Refuse to write over what is read, two things to one place, or over what is no file: it would be replaced."""
    read: dict[str, str] = {} if artifact is None else {os.path.realpath(sidecar(artifact)): "the artifact's evidence"}
    for name in _READ:
        paths = getattr(args, name, None) or ()
        read |= {os.path.realpath(path): _option(name) for path in ([paths] if isinstance(paths, str) else paths)}
    written: dict[str, str] = {}
    for name in (*_FORMS, *beside):
        if getattr(args, name) is None:
            continue
        target = Path(getattr(args, name))
        where, place = f"{_option(name)} {target}", os.path.realpath(target.parent) + os.sep + target.name
        # A summary is written over nothing, and may be added to the evidence.
        other = written.get(place) or ("" if name == "summary" else read.get(place, ""))
        if other:
            raise UsageError(where=where, because=f"that is {other}", do="choose another name")
        if (
            name not in ("seen", "summary")
            and os.path.lexists(target)
            and (target.is_symlink() or not target.is_file())
        ):
            because = "what is there is no file, and would be replaced"
            raise UsageError(where=where, because=because, do="choose another name")
        written[place] = _option(name)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def write_pages(report: Report, args: argparse.Namespace) -> None:
    """Write what was asked for, each file whole or not at all. Raises `UnavailableError` where that cannot be."""
    for form, rendered in (("html", report.to_html), ("dot", report.to_dot), ("svg", report.to_svg)):
        if (path := getattr(args, form)) is not None:
            write_atomic(path, rendered().encode())
