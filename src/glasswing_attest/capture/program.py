"""Which Python environment does a command run in?

Told from where its program lies, before it runs and without running it. A program in ``PREFIX/bin``, with
``PREFIX/pyvenv.cfg`` (PEP 405), is one of that environment; a script there only if the interpreter that it names in its
first lines lies there too. Every other program is nobody's, unless it is the very interpreter that runs this: to record
some other environment than the command's own would be a lie that nobody could see.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from glasswing_attest.artifact.environment import Environment
from glasswing_attest.errors import UsageError

__all__ = ["environment_of"]

_HEAD_BYTES = 4096


def environment_of(program: str) -> Environment:
    """Give the environment that a program runs in, as it would be found on PATH.

    >>> environment_of(sys.executable).prefix == Path(sys.prefix)
    True

    Raises:
        UsageError: there is no such program, or it cannot be told in which environment it runs.
    """
    found = shutil.which(program)
    if found is None:
        raise UsageError(where=program, because="there is no such program", do="name one that can be run, after --")
    # Not resolved: a venv's interpreter is a link to another, and it is where the link lies that counts.
    path = Path(os.path.abspath(found))  # noqa: PTH100
    prefix = path.parent.parent
    if any((folder / "pyvenv.cfg").is_file() for folder in (path.parent, prefix)):
        if not _names_another(path):
            return Environment(prefix)
    elif sys.prefix == sys.base_prefix and path.samefile(sys.executable):
        return Environment()
    raise UsageError(
        where=program,
        found=str(path),
        because="it cannot be told in which Python environment it runs",
        do="name the environment with --prefix PATH",
    )


def _names_another(path: Path) -> bool:
    """Tell whether it is a script for an interpreter that does not lie beside it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return True
    if not head.startswith(b"#!"):
        return False
    # A path that is too long for the first line stands in the second, after "exec".
    lines = b"\n".join(head.split(b"\n")[:2])
    beside = (os.path.join(place, "python") for place in (path.parent, os.path.realpath(path.parent)))  # noqa: PTH118
    return not any(os.fsencode(python) in lines for python in beside)
