"""What do cosign and sigstore-go say to the same question?

Both are programs; each is given the bundle, the root and the signer in files of its own, and no network: what cosign
would fetch lies below an empty folder. Who signed is read from the certificate, so that they are asked what the
question leaves open. cosign wants the artifact itself.
"""

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from glasswing_attest.bundle import Bundle, Certificates
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import GlasswingError
from glasswing_attest.verification.certificate import Leaf
from tests.differential.asked import Answer, Asked
from tests.stack import StackAbsent, binary

__all__ = ["cosign", "judge", "peers", "sigstore_go"]


def judge() -> Callable[[Asked], Answer] | None:
    """Who has the say on what sigstore-python does not do: sigstore-go, where it is built."""
    try:
        return partial(sigstore_go, binary("sigstore-go-verify"))
    except StackAbsent:
        return None


def peers(stack: Sequence[Asked], folder: Path) -> dict[str, Callable[[Asked], Answer]]:
    """The other engines that are built, ready to be asked about the recorded stack in `folder`."""
    artifact = (folder / "artifact.bin").read_bytes()
    contents = {hashlib.sha256(content).digest(): content for content in (artifact, b"x")}
    assert all(dict(asked.digests)["sha256"] in contents for asked in stack)
    found: dict[str, Callable[[Asked], Answer]] = {}
    if (go := judge()) is not None:
        found["sigstore-go"] = go
    try:
        program = binary("cosign")
    except StackAbsent:
        return found

    def ask(asked: Asked) -> Answer:
        # An artifact that a mutation made up has a digest, and no bytes.
        return cosign(program, asked, contents.get(dict(asked.digests).get("sha256", b""), b"another artifact"))

    return found | {"cosign": ask}


def sigstore_go(program: Path, asked: Asked) -> Answer:
    """The answer of sigstore-go's example verifier: one log, one witnessed time, one promise."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command: list[object] = [program, "-trustedrootJSONpath", _written(folder / "root.json", asked.root)]
        if asked.digests:
            algorithm, digest = asked.digests[0]
            command += ["-artifact-digest", digest.hex(), "-artifact-digest-algorithm", algorithm]
        san, issuer = _signer(asked)
        command += ["-expectedIssuer", issuer, "-expectedSAN", san]
        return _said([*command, _written(folder / "bundle.json", asked.bundle)], folder)


def cosign(program: Path, asked: Asked, content: bytes) -> Answer:
    """The answer of `cosign verify-blob` or `verify-blob-attestation`; `content` is the artifact."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            signed = Bundle.from_json(asked.bundle).content
        except GlasswingError:
            signed = None
        noun = "verify-blob-attestation" if isinstance(signed, Envelope) else "verify-blob"
        command: list[object] = [program, noun, "--bundle", _written(folder / "bundle.json", asked.bundle)]
        command += ["--trusted-root", _written(folder / "root.json", asked.root)]
        if b'"0.0.2"' in asked.bundle:  # an entry of Rekor v2, which tells no time: then a clock must
            command += ["--use-signed-timestamps"]
        san, issuer = _signer(asked)
        command += ["--certificate-identity", san, "--certificate-oidc-issuer", issuer]
        if isinstance(signed, Envelope):
            command += ["--type", _predicate_type(signed.payload)]
        return _said([*command, _written(folder / "artifact", content)], folder)


def _said(command: Sequence[object], folder: Path) -> Answer:
    environment = {**os.environ, "TUF_ROOT": str(folder / "tuf"), "HOME": str(folder)}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env=environment,
        timeout=60,
    )
    return Answer(yes=done.returncode == 0, said=done.stderr[-400:])


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _signer(asked: Asked) -> tuple[str, str]:
    """Whom the question names, or else the certificate; somebody where there is none."""
    try:
        material = Bundle.from_json(asked.bundle).material
        leaf = Leaf.parse(material.chain[0]) if isinstance(material, Certificates) else None
    except GlasswingError:
        leaf = None
    san, issuer = ("nobody", "https://nobody.test") if leaf is None else (leaf.san, leaf.issuer)
    return asked.san or san, asked.issuer or issuer or "https://nobody.test"


def _predicate_type(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["predicateType"])
    except (ValueError, KeyError, TypeError):
        return "custom"
