"""What is public?  A committed list of at most 28 names, each resolved when it is first used (PEP 562)."""

import ast
import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import glasswing_attest

# A change here is a change of the public interface, and belongs into CHANGELOG.md.
PUBLIC: tuple[str, ...] = (
    "attest",
    "attest_many",
    "sign_statement",
    "endorse",
    "verify",
    "assess",
    "replay",
    "Verifier",
    "Policy",
    "Trust",
    "Report",
    "Attestation",
    "AttestationSet",
    "Model",
    "Dataset",
    "Source",
    "File",
    "Manifest",
    "Digest",
    "CodeRecord",
    "DataRecord",
    "ModelRecord",
    "DependencyRecord",
    "EvaluationRecord",
    "Build",
    "KeySigner",
    "SigstoreSigner",
    "GlasswingError",
)
AT_MOST = 28


def test_the_list_is_the_committed_one() -> None:
    assert sorted(glasswing_attest.__all__) == sorted(PUBLIC)


def test_the_list_is_short_and_says_nothing_twice() -> None:
    assert len(set(PUBLIC)) == len(PUBLIC) <= AT_MOST
    assert len(set(glasswing_attest.__all__)) == len(glasswing_attest.__all__)
    assert not [name for name in PUBLIC if name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_resolves(name: str) -> None:
    value = getattr(glasswing_attest, name)
    assert getattr(value, "__name__", name) == name
    assert getattr(glasswing_attest, name) is value
    assert (getattr(value, "__doc__", None) or "").strip(), f"{name} says nothing of itself"


def test_no_name_is_resolved_before_it_is_used() -> None:
    code = f"import glasswing_attest\nassert not vars(glasswing_attest).keys() & set({PUBLIC!r})"
    finished = subprocess.run([sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_dir_lists_the_names() -> None:
    assert set(PUBLIC) <= set(dir(glasswing_attest))


def test_star_imports_the_names() -> None:
    namespace: dict[str, object] = {}
    exec("from glasswing_attest import *", namespace)
    assert set(namespace) - {"__builtins__"} == set(PUBLIC)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"glasswing_attest.*no_such_name"):
        _ = glasswing_attest.no_such_name  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def test_type_checkers_see_the_same_names_from_the_same_modules(source: Path) -> None:
    declared = declarations(source)
    assert declared, "no __init__.pyi and no TYPE_CHECKING block: type checkers see nothing"
    assert sorted(name for name in declared if not name.startswith("_")) == sorted(PUBLIC)
    for name in PUBLIC:
        module = importlib.import_module(declared[name], "glasswing_attest")
        assert getattr(module, name) is getattr(glasswing_attest, name), f"{name} is not the one of {declared[name]}"


def declarations(source: Path) -> dict[str, str]:
    """The names that the stub, or else the TYPE_CHECKING block, imports, each with its module (".policy")."""
    stub = source / "__init__.pyi"
    if stub.is_file():
        blocks = [ast.parse(stub.read_text(encoding="utf-8")).body]
    else:
        module = ast.parse((source / "__init__.py").read_text(encoding="utf-8"))
        tests = [node for node in module.body if isinstance(node, ast.If)]
        blocks = [node.body for node in tests if ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}]
    found = {}
    for node in (node for block in blocks for node in block):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("glasswing_attest")):
            for alias in node.names:
                found[alias.asname or alias.name] = "." * node.level + (node.module or "")
    return found


def test_the_version_is_the_one_of_pyproject() -> None:
    assert importlib.metadata.version("glasswing-attest") == glasswing_attest.__version__
