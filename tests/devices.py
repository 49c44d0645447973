"""What do all tests of keys on devices and in services ask?"""

import logging
import pickle
import random
import shutil
import socket
import subprocess
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from glasswing_attest import KeySigner, ModelRecord, Policy, Trust, attest, verify
from glasswing_attest.envelope import pae
from glasswing_attest.errors import GlasswingError
from tests.chains import tree

MODEL = tree("model", {"weights.bin": b"weights\n"})
POLICY = Policy.parse(
    b"version: 1\ntimes: claimed\nidentities: {device: {key: device}}\nnodes: {model: {require: "
    b"[{predicate: https://glasswing-attest.readthedocs.io/predicates/model/v1, signed_by: {any_of: [device]}}]}}\n"
)
_HASHES = {"ecdsa-sha2-nistp384": "sha384", "ecdsa-sha2-nistp521": "sha512"}


def prove_it_signs(signer: KeySigner, folder: Path) -> None:
    """Sign an attestation; our engine, OpenSSL and `cryptography` must each agree that it is this key's."""
    made = attest(MODEL, ModelRecord(name="m"), signer=signer)
    assert verify(MODEL, [made], policy=POLICY, trust=Trust.of(device=signer.public_key)).accepted
    envelope = made.envelope
    signed, signature = pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
    _cryptography_agrees(signer, signed, signature)
    _openssl_agrees(signer, signed, signature, folder)


def _cryptography_agrees(signer: KeySigner, signed: bytes, signature: bytes) -> None:
    key: Any = load_pem_public_key(signer.public_key.pem.encode())
    scheme = signer.public_key.schemes[0]
    if scheme == "ed25519":
        key.verify(signature, signed)
        return
    digest = getattr(hashes, _HASHES.get(scheme, "sha256").upper())()
    if scheme.startswith("rsa"):
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    else:
        key.verify(signature, signed, ec.ECDSA(digest))


def _openssl_agrees(signer: KeySigner, signed: bytes, signature: bytes, folder: Path) -> None:
    (folder / "key.pem").write_text(signer.public_key.pem)
    (folder / "signature").write_bytes(signature)
    (folder / "signed").write_bytes(signed)
    scheme = signer.public_key.schemes[0]
    command = ["openssl", "dgst", f"-{_HASHES.get(scheme, 'sha256')}", "-verify", "key.pem", "-signature", "signature"]
    if scheme == "ed25519":
        command = [
            "openssl",
            "pkeyutl",
            "-verify",
            "-pubin",
            "-inkey",
            "key.pem",
            "-sigfile",
            "signature",
            "-rawin",
            "-in",
        ]
    done = subprocess.run([*command, "signed"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def threads_may_share(signer: KeySigner) -> None:
    """Sign from several threads at once: every signature must be one, and of the payload that was asked for."""
    payloads = [f"payload {number}".encode() for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda payload: signer.seal(payload, "text/plain"), payloads))
    assert len(set(made)) == len(payloads)


def tells_no_secret(error: GlasswingError, *secrets: str) -> None:
    """Look for the secrets in everything that a log, a terminal or a crash reporter would show of an error."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True, lookup_lines=False)
    link: traceback.TracebackException | None = told
    while link is not None:
        # The test itself knows the secret.
        link.stack = traceback.StackSummary.from_list([f for f in link.stack if "/tests/" not in f.filename])
        link = link.__cause__ or link.__context__
    shown = ["".join(told.format()), str(error), repr(error), repr(error.to_dict()), repr(pickle.dumps(error))]
    for secret in secrets:
        assert len(secret) > 3
        assert all(secret not in text for text in shown), "a secret is told"


def is_not_shown(signer: KeySigner, log: pytest.LogCaptureFixture, *secrets: str) -> None:
    """Look for the secrets in a signer, and in what was logged at the lowest level."""
    assert log.handler.level <= logging.DEBUG
    for text in (repr(signer), str(signer), repr(signer._device), repr(signer._device.backend), log.text):
        assert all(secret not in text for secret in secrets)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(signer)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(signer._device)


def answers(**secrets: str) -> Callable[[str], str]:
    """A handler that knows these secrets, and no other."""
    return lambda name: secrets.get(name, "")


def need_programs(*names: str) -> None:
    """Skip, with one reason, where a program is missing."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}")


def free_ports(count: int) -> list[int]:
    """Consecutive ports that nobody listens on, below those that outgoing connections take."""
    for _ in range(100):
        first = random.randrange(21000, 32000)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return list(range(first, first + count))
    raise AssertionError("no free ports")


@contextmanager
def running(command: list[str], *, port: int, log: Path) -> Generator[subprocess.Popen[bytes]]:
    """A server that listens on a port of this machine until the end."""
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as server:
        try:
            for _ in range(1200):
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
                    break
                except OSError:
                    assert server.poll() is None, log.read_text(errors="replace")
                    time.sleep(0.1)
            else:
                raise AssertionError(f"{command[0]} does not listen:\n{log.read_text(errors='replace')}")
            yield server
        finally:
            server.terminate()
            server.wait(20)
