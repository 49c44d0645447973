"""Does the library keep out of other packages' private names?

A private name may change with any release, and then fails far from its cause. Looked for are `from package import _x`,
`from package._x import y`, `import package._x`, and `x._y` where x was imported from another package. The language's
own modules are left out: type checkers know some of their values by private names only, as hashlib._Hash.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

OURS = "glasswing_attest"

# (module within src/glasswing_attest, private name as it is reached there): the reason. Each must be used, or it goes.
ALLOWED: dict[tuple[str, str], str] = {}

Tree = Callable[[dict[str, str | bytes]], Path]


def private(name: str) -> bool:
    """One leading underscore, or two without the two at the end that make a name the language's."""
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def reaches(source: Path) -> Iterator[tuple[str, int, str]]:
    """(module, line, name) of each private name of another package that a module below the folder reaches for."""
    for path in sorted(source.rglob("*.py")):
        where = path.relative_to(source).as_posix()
        # Generated code is protobuf's own business, and it is made for one version of it.
        if not where.startswith("_proto/"):
            for line, name in reaches_of(ast.parse(path.read_bytes(), str(path))):
                yield where, line, name


def reaches_of(module: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, name) for one module."""
    foreign: dict[str, str] = {}  # the local name of what was imported: its full name
    nodes = list(ast.walk(module))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if outside(alias.name):
                    if any(map(private, alias.name.split("."))):
                        yield node.lineno, alias.name
                    first = alias.name.split(".")[0]
                    foreign[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module and outside(node.module):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if any(map(private, name.split("."))):
                    yield node.lineno, name
                foreign[alias.asname or alias.name] = name
    for node in nodes:
        if isinstance(node, ast.Attribute) and private(node.attr):
            value, path = node.value, [node.attr]
            while isinstance(value, ast.Attribute):
                path.append(value.attr)
                value = value.value
            if isinstance(value, ast.Name) and value.id in foreign:
                yield node.lineno, ".".join([foreign[value.id], *reversed(path)])


def outside(module: str) -> bool:
    """Is it another package's, and not one of the language's own?"""
    return module.split(".", 1)[0] not in sys.stdlib_module_names | {OURS}


def test_the_library_reaches_for_no_private_name(source: Path) -> None:
    assert sum(1 for _ in source.rglob("*.py")) >= 5, "hardly any module found: this test would be vacuous"
    found = list(reaches(source))
    assert [f"{where}:{line}: {name}" for where, line, name in found if (where, name) not in ALLOWED] == []
    assert set(ALLOWED) <= {(where, name) for where, _, name in found}, "an exception that nothing uses"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from sigstore import _internal", "sigstore._internal"),
        ("from sigstore._internal.rekor import RekorClient", "sigstore._internal.rekor.RekorClient"),
        ("from sigstore.dsse import Statement as S, _pae as pae", "sigstore.dsse._pae"),
        ("import sigstore._internal.rekor as r", "sigstore._internal.rekor"),
        ("import sigstore.dsse\nx = sigstore.dsse._pae(b'')", "sigstore.dsse._pae"),
        ("import sigstore.dsse as d\nx = d._pae(b'')", "sigstore.dsse._pae"),
        ("def f():\n    from sigstore.dsse import Statement\n    return Statement._of", "sigstore.dsse.Statement._of"),
        ("import yaml as y\nclass A:\n    x: 'int' = y.nodes._x", "yaml.nodes._x"),
    ],
)
def test_a_private_name_is_found(write_tree: Tree, text: str, name: str) -> None:
    assert [found for _, _, found in reaches(write_tree({"signing/key.py": text}))] == [name]


@pytest.mark.parametrize(
    "text",
    [
        "from .._wire import parse\nfrom glasswing_attest._wire import parse",
        "from glasswing_attest import _wire\nx = _wire._depth",
        "from __future__ import annotations\nimport hashlib\nx: hashlib._Hash",
        "import json\nx = json.__name__\nclass A:\n    def f(self): return self._x",
    ],
)
def test_our_own_private_names_are_ours(write_tree: Tree, text: str) -> None:
    assert list(reaches(write_tree({"signing/key.py": text}))) == []
