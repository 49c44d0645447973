"""Is importing cheap, and does verifying keep the network's libraries out?

Each case is a process of its own: what one test imports, another would find imported.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("sigstore", "requests", "rich", "grpc", "cryptography", "pydantic", "google.protobuf")
NETWORK = ("sigstore", "requests", "rich", "grpc")


def imported(code: str, folder: Path | None = None) -> set[str]:
    """The names of all modules that are there after the code ran in a new interpreter, in that folder."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout.splitlines()[-1]))


def roots(modules: set[str], unwanted: tuple[str, ...]) -> list[str]:
    """Those of the unwanted packages that were imported."""
    return [name for name in unwanted if name in modules]


def test_the_probe_sees_what_is_imported() -> None:
    assert roots(imported("import pydantic, google.protobuf"), HEAVY) == ["pydantic", "google.protobuf"]


def test_importing_the_library_imports_nothing_heavy() -> None:
    modules = imported("import glasswing_attest")
    assert "glasswing_attest" in modules
    assert roots(modules, HEAVY) == []


def test_naming_what_is_public_imports_nothing_heavy() -> None:
    assert roots(imported("import glasswing_attest\ndir(glasswing_attest), glasswing_attest.__all__"), HEAVY) == []


# What somebody needs who only verifies.
VERIFYING = ["verify", "assess", "Verifier", "Policy", "Trust", "Report", "Attestation", "Model", "Dataset", "Source"]


@pytest.mark.parametrize("name", VERIFYING)
def test_a_name_that_verifies_keeps_the_network_out(name: str) -> None:
    modules = imported(f"import glasswing_attest\nglasswing_attest.{name}")
    assert any(module.startswith("glasswing_attest.") for module in modules), "nothing was resolved"
    assert roots(modules, NETWORK) == []


def test_every_module_that_verifies_keeps_the_network_out() -> None:
    stages = ["artifact", "records", "statement", "envelope", "bundle", "verification", "claims", "policy", "chain"]
    stages += ["appraisal", "report"]
    code = f"""
import importlib, pkgutil
for stage in {stages}:
    module = importlib.import_module("glasswing_attest." + stage)
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), module.__name__ + "."):
        importlib.import_module(info.name)
"""
    modules = imported(code)
    assert {f"glasswing_attest.{stage}" for stage in stages} <= modules
    assert roots(modules, NETWORK) == []


# A whole story: attest data and a model with a key of one's own, then verify the chain. With every connection refused.
STORY = """
import runpy, socket

def refuse(*arguments):
    raise AssertionError(f"something opened a connection: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
runpy.run_path("quickstart.py", run_name="__main__")
"""


def test_attesting_and_verifying_keep_the_network_out(root: Path, tmp_path: Path) -> None:
    quickstart = root / "examples" / "quickstart"
    assert (quickstart / "quickstart.py").is_file(), "examples/quickstart/quickstart.py does not exist yet"
    # A copy, because the story writes beside itself.
    folder = shutil.copytree(quickstart, tmp_path / "quickstart")
    modules = imported(STORY, folder)
    assert "glasswing_attest._api" in modules
    assert roots(modules, NETWORK) == []
