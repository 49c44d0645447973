"""Is importing cheap, and does verifying keep the network's libraries out?

Each case is a process of its own: what one test imports, another would find imported.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.testing import VirtualSigstore
from tests.conftest import SOURCE

HEAVY = ("sigstore", "requests", "rich", "grpc", "cryptography", "pydantic", "google.protobuf")
NETWORK = ("sigstore", "requests", "rich", "grpc", "tuf", "urllib3")

# Fetching trust, printing and asking services are what these are for; nobody who verifies imports them.
OUTSIDE = ("signing.services.deadline", "trust.tuf", "_cli", "__main__")
STAGES = sorted(
    path.stem
    for path in SOURCE.iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").is_file()) and path.stem not in ("__init__", *OUTSIDE)
)


def imported(code: str, folder: Path | None = None) -> set[str]:
    """The names of all modules that are there after the code ran in a new interpreter, in that folder."""
    # Isolated from the environment, with the checkout before what is installed: no other copy may answer for it.
    program = f"import sys\nsys.path.insert(0, {str(SOURCE.parent)!r})\n{code}\n"
    program += "import json, sys\nprint(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, cwd=folder)
    assert finished.returncode == 0, finished.stderr
    return set(json.loads(finished.stdout.splitlines()[-1]))


def roots(modules: set[str], unwanted: tuple[str, ...]) -> list[str]:
    """Those of the unwanted packages that were imported."""
    return [name for name in unwanted if name in modules]


def test_the_probe_sees_what_is_imported() -> None:
    assert roots(imported("import pydantic, google.protobuf"), HEAVY) == ["pydantic", "google.protobuf"]


def test_the_probe_probes_this_checkout() -> None:
    imported(f"import glasswing_attest\nassert glasswing_attest.__file__ == {str(SOURCE / '__init__.py')!r}")


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
    assert {"artifact", "bundle", "chain", "policy", "report", "testing", "trust", "verification", "_api"} <= set(
        STAGES
    )
    code = f"""
import importlib, pkgutil
for stage in {STAGES}:
    module = importlib.import_module("glasswing_attest." + stage)
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), module.__name__ + "."):
        if info.name not in {[f"glasswing_attest.{name}" for name in OUTSIDE]}:
            importlib.import_module(info.name)
"""
    modules = imported(code)
    assert {f"glasswing_attest.{stage}" for stage in STAGES} <= modules
    every = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCE.rglob("*.py")
        if not any(f".{name}" in f".{'.'.join(path.relative_to(SOURCE).with_suffix('').parts)}" for name in OUTSIDE)
    }
    assert every <= modules, "each module was imported"
    assert roots(modules, NETWORK) == []


# Certificates, a log, a certificate log and a clock: all that a bundle can ask for. With every connection refused.
BUNDLE = """
import socket
from pathlib import Path

def refuse(*arguments):
    raise AssertionError(f"something opened a connection: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse

from glasswing_attest import Attestation, Trust
from glasswing_attest.bundle import Bundle
from glasswing_attest.verification.procedure import prove, prove_message

trust = Trust.load("trust.json")
(proved,) = prove(Attestation.parse(Path("statement.sigstore.json").read_bytes()), trust)
assert (proved.signer.san, proved.times.times != ()) == ("alice@example.com", True)
artifact = Bundle.from_json(Path("artifact.sigstore.json").read_bytes())
import hashlib
digest = ("sha256", hashlib.sha256(b"weights").digest())
assert prove_message(artifact, trust, digest=digest).signer.san == "alice@example.com"
"""


@pytest.mark.parametrize("log", ["v1", "v2"])
def test_verifying_a_certificate_bundle_keeps_the_network_out(log: Literal["v1", "v2"], tmp_path: Path) -> None:
    sigstore = VirtualSigstore()
    statement = Statement.make(
        [ResourceDescriptor(name="a", digest=DigestSet.of(sha256="00" * 32))], "https://example.com/t/v1", {}
    )
    signed = sigstore.sign(statement, identity="alice@example.com", log=log)
    (tmp_path / "statement.sigstore.json").write_bytes(signed.bytes)
    artifact = sigstore.sign_artifact(b"weights", identity="alice@example.com", log=log)
    (tmp_path / "artifact.sigstore.json").write_bytes(artifact)
    (tmp_path / "trust.json").write_bytes(sigstore.trust().to_json())
    modules = imported(BUNDLE, tmp_path)
    assert {"glasswing_attest.verification.certificate", "rfc3161_client"} <= modules
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
