"""Do imports only point upstream?  The river of docs/ARCHITECTURE.md, held.

Every import counts, those inside functions and under TYPE_CHECKING as well: whoever needs another module's types
depends on it, whenever the interpreter gets to know.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PACKAGE = "glasswing_attest"

# Most upstream first: a stage imports itself and what stands above it. This is the only list: docs/ARCHITECTURE.md is
# compared with it.
RIVER = (
    "errors",
    "findings",
    "limits",
    "_wire",
    "_files",
    "_complaints",
    "_config",
    "_version",
    "_proto",
    "artifact",
    "records",
    "statement",
    "envelope",
    "metablock",
    "keys",
    "bundle",
    "attestation",
    "attestation_set",
    "formats",
    "trust",
    "verification",
    "signing",
    "claims",
    "policy",
    "policies",
    "chain",
    "appraisal",
    "store",
    "report",
    "capture",
    "audit",
    "incident",
    "exchange",
    "simulate",
    "testing",
    "_api",
    "oms",
    "policy_tests",
    "_cli",
    "__main__",
)

# Words that every stage speaks. Among themselves their order is free; a circle is refused all the same.
VOCABULARIES = frozenset({"errors", "findings", "limits"})

# The lazy table of contents points everywhere, and nobody within may import from it.
CONTENTS = "__init__"

Tree = Callable[[dict[str, str | bytes]], Path]


def modules(source: Path) -> dict[str, Path]:
    """Every module below the folder by its dotted name within the package ("artifact.tree"; a package: "artifact")."""
    found = {}
    for suffix in ("*.py", "*.pyi"):
        for path in sorted(source.rglob(suffix)):
            parts = list(path.relative_to(source).with_suffix("").parts)
            if len(parts) > 1 and parts[-1] == "__init__":
                parts.pop()
            # A stub beside its module is read too; both count under one name with a mark that keeps them apart.
            found[".".join(parts) + ("" if suffix == "*.py" else " (stub)")] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """(line, dotted name within the package) of everything that the module imports from its own package."""
    bare = name.removesuffix(" (stub)")
    is_package = path.stem == "__init__"
    package = [] if bare == CONTENTS else bare.split(".") if is_package else bare.split(".")[:-1]

    def target(base: list[str], attribute: str) -> str:
        # `from .artifact import tree` names a module, `from .artifact.tree import walk` something in one.
        inner = ".".join([*base, attribute])
        return inner if inner in known else ".".join(base) or CONTENTS

    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first, *rest = alias.name.split(".")
                if first == PACKAGE:
                    yield node.lineno, ".".join(rest) or CONTENTS
        elif isinstance(node, ast.ImportFrom):
            words = node.module.split(".") if node.module else []
            if node.level:
                up = node.level - 1
                if up > len(package):
                    raise AssertionError(f"{path}:{node.lineno}: the import leaves the package")
                base = package[: len(package) - up] + words
            elif words and words[0] == PACKAGE:
                base = words[1:]
            else:
                continue
            for alias in node.names:
                yield node.lineno, target(base, alias.name)


def stage(dotted: str) -> str:
    """The part of the river that a module belongs to."""
    return dotted.removesuffix(" (stub)").split(".")[0]


def violations(source: Path) -> list[str]:
    """Each import that points downstream, each cycle within a stage, each name that the river does not know."""
    known = modules(source)
    complaints = []
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        here = stage(name)
        if here != CONTENTS and here not in RIVER:
            complaints.append(f"{name}: {here} has no place in the river (RIVER in tests/test_layers.py)")
            continue
        for line, other in imports(name, path, known):
            where, there = f"{path.relative_to(source)}:{line}", stage(other)
            if there == CONTENTS:
                if here != CONTENTS:
                    complaints.append(f"{where}: imports the package's public names; import from where they are made")
            elif there not in RIVER:
                complaints.append(f"{where}: imports {other}, which has no place in the river")
            elif here == CONTENTS or {here, there} <= VOCABULARIES:
                graph.setdefault(name, set()).add(other)
            elif RIVER.index(there) > RIVER.index(here):
                complaints.append(f"{where}: {here} imports {other}, which is downstream of it")
            else:
                graph.setdefault(name, set()).add(other)
    complaints += [f"these need each other, so another is missing: {', '.join(group)}" for group in circles(graph)]
    return complaints


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that need each other (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for following in sorted(graph.get(node, ())):
            if following not in order:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], order[following])
        if low[node] == order[node]:
            at = stack.index(node)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1 or node in graph.get(node, ()):
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return found


def test_imports_point_upstream(source: Path) -> None:
    known = modules(source)
    assert len(known) >= 5, f"only {len(known)} modules found in {source}: this test would be vacuous"
    assert sum(len(list(imports(name, path, known))) for name, path in known.items()) >= 5
    assert violations(source) == []


def test_every_stage_is_named_once() -> None:
    assert len(set(RIVER)) == len(RIVER)
    assert set(RIVER) >= VOCABULARIES


def test_the_documentation_shows_the_same_river(root: Path) -> None:
    page = root / "docs" / "ARCHITECTURE.md"
    assert page.is_file(), "docs/ARCHITECTURE.md does not exist yet"
    blocks = re.findall(r"^```river\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"docs/ARCHITECTURE.md has {len(blocks)} ```river blocks, one is wanted"
    shown = [line.split()[0].rstrip("/").removesuffix(".py") for line in blocks[0].splitlines() if line.strip()]
    assert shown == list(RIVER)


# The test of the test: a river of three stages, and what must be found in it.

CLEAN: dict[str, str | bytes] = {
    "__init__.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._api import verify\n",
    "errors.py": "",
    "findings.py": "from .errors import GlasswingError\n",
    "artifact/__init__.py": "from .tree import Tree\n",
    "artifact/digest.py": "from ..errors import MalformedError\n",
    "artifact/tree.py": "from glasswing_attest.artifact.digest import Digest\nfrom . import digest\n",
    "policy/__init__.py": "",
    "policy/rules/__init__.py": "",
    "policy/rules/vsa.py": "from ...artifact.digest import Digest\nimport json\n",
    "_api.py": "from .policy.rules import vsa\nimport glasswing_attest.artifact.tree\n",
}


def test_a_clean_tree_passes(write_tree: Tree) -> None:
    assert violations(write_tree(CLEAN)) == []


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("artifact/digest.py", "from ..policy import Policy", "artifact/digest.py:1: artifact imports policy, which"),
        ("artifact/digest.py", "from ..policy.rules.vsa import x", "artifact imports policy.rules.vsa, which is down"),
        ("artifact/digest.py", "from .. import _api", "artifact imports _api, which is downstream"),
        ("artifact/digest.py", "import glasswing_attest._api", "artifact imports _api, which is downstream"),
        ("artifact/digest.py", "from glasswing_attest import policy", "artifact imports policy, which is downstream"),
        ("artifact/digest.py", "def f():\n    from ..policy import P", "artifact/digest.py:2: artifact imports policy"),
        (
            "artifact/digest.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .._api import verify",
            "artifact/digest.py:3: artifact imports _api",
        ),
        ("artifact/digest.pyi", "from ..policy import Policy", "artifact/digest.pyi:1: artifact imports policy"),
        ("errors.py", "from .artifact.digest import Digest", "errors imports artifact.digest, which is downstream"),
        ("errors.py", "from .findings import Finding", "need each other, so another is missing: errors, findings"),
        ("artifact/digest.py", "from .tree import Tree", "is missing: artifact.digest, artifact.tree"),
        ("artifact/digest.py", "from . import Tree", "is missing: artifact, artifact.digest, artifact.tree"),
        ("artifact/digest.py", "from .digest import x", "is missing: artifact.digest"),
        ("policy/rules/vsa.py", "from glasswing_attest import verify", "imports the package's public names"),
        ("policy/rules/vsa.py", "from ... import verify", "imports the package's public names"),
        ("helpers.py", "", "helpers: helpers has no place in the river"),
        ("utils/text.py", "", "utils.text: utils has no place in the river"),
        ("policy/rules/vsa.py", "from ...helpers import x", "imports helpers, which has no place in the river"),
    ],
)
def test_a_violation_is_found(write_tree: Tree, file: str, text: str, complaint: str) -> None:
    found = violations(write_tree(CLEAN | {file: text}))
    assert len(found) == 1, found
    assert complaint in found[0]


def test_an_import_that_leaves_the_package_is_refused(write_tree: Tree) -> None:
    with pytest.raises(AssertionError, match="leaves the package"):
        violations(write_tree(CLEAN | {"errors.py": "from ..other import x"}))
