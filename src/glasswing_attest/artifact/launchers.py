"""Which bytes does an installer write for an entry point?

A wheel says ``run-it = demo.main:go`` in its ``entry_points.txt`` (PyPA specification: entry points), and the installer
makes a program of it in ``PREFIX/bin``: a first line that names the interpreter, and a few lines that import and call.
No digest of the wheel covers it. But the few installers that there are write always the same, so that it can be written
here again, and compared. The texts are those of pip (two generations of it) and uv.
"""

from __future__ import annotations

import configparser
import hashlib
import re
from collections.abc import Iterable, Mapping

from glasswing_attest._wire import decode_utf8
from glasswing_attest.errors import FieldRefused

__all__ = ["launchers", "parse_entry_points", "program_of"]

_REFERENCE = re.compile(r"([\w.]+)\s*:\s*(\w+)((?:\.\w+)*)\s*(?:\[[^\]]*\])?")
_NUMBERED = re.compile(r"-?[0-9]+(\.[0-9]+)*$")

_TEXTS = (
    """\
#!{python}
# -*- coding: utf-8 -*-
import re
import sys
from {module} import {name}
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])
    sys.exit({name}{attributes}())
""",
    """\
#!{python}
import sys
from {module} import {name}
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit({name}{attributes}())
""",
    """\
#!{python}
# -*- coding: utf-8 -*-
import sys
from {module} import {name}
if __name__ == "__main__":
    if sys.argv[0].endswith("-script.pyw"):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({name}{attributes}())
""",
)


def parse_entry_points(data: bytes, *, where: str) -> dict[str, str]:
    r"""Read which programs the entry points ask for: what each of them calls, by its name.

    >>> parse_entry_points(b"[console_scripts]\nrun-it = demo.main:go\n", where="entry_points.txt")
    {'run-it': 'demo.main:go'}

    Raises:
        FieldRefused, NotUtf8: they are none.
    """
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    points.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    try:
        points.read_string(decode_utf8(data, where=where))
    except configparser.Error as e:
        raise FieldRefused(where=where, because=str(e), wanted="entry points") from e
    sections = (section for section in ("console_scripts", "gui_scripts") if points.has_section(section))
    return {name: called for section in sections for name, called in points.items(section)}


def program_of(name: str, programs: Mapping[str, str]) -> str | None:
    """Give what a program in ``bin`` calls; None where no entry point asks for it. pip is there as pip3.11 as well."""
    directory, _, last = name.rpartition("/")
    if directory != "bin":
        return None
    return programs.get(last, programs.get(_NUMBERED.sub("", last)))


def launchers(called: str, interpreters: Iterable[str]) -> frozenset[str]:
    """Give the sha256 of each text that an installer writes for what an entry point calls, with these interpreters.

    >>> len(launchers("demo.main:go", ["/env/bin/python"]))
    3
    """
    found = _REFERENCE.fullmatch(called)
    if found is None:
        return frozenset()
    module, name, attributes = found.groups()
    texts = (
        text.format(python=python, module=module, name=name, attributes=attributes)
        for text in _TEXTS
        for python in interpreters
    )
    return frozenset(hashlib.sha256(text.encode("utf-8")).hexdigest() for text in texts)
