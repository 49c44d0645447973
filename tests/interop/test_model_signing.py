"""Do model-signing and we accept each other's signatures?

OpenSSF's own implementation, in an environment of its own (peers.py). It is asked through small programs, since it is
not importable here. test_model_signing_keyless.py exchanges signatures with it on a Sigstore.
"""

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import KeySigner, Trust
from glasswing_attest.errors import FieldMissing, GlasswingError
from glasswing_attest.oms import Identity, VerifiedModel, private_root, sign_model, verify_model
from glasswing_attest.signing import CertificateSigner, WitnessedSigner
from glasswing_attest.statement.predicates.oms import Compat
from tests.chains import signer
from tests.interop import peers
from tests.private_pki import HOLDER, Pki, pem
from tests.served import QUICK, Served

pytestmark = pytest.mark.slow

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = signer("model-signing", "ecdsa-p256")
PKI = Pki()
FILES = {
    "config.json": b'{"hidden_size": 4}\n',
    "model.safetensors": b"\x00\x01\x02\x03weights",
    "model/x.bin": b"5",
    "model-x.bin": b"3",
    "a b": b"1",
    "a/b": b"2",
    "sub/deep/vocab.txt": b"tok\n",
    "模型.bin": b"unicode",
}
SIGN = """
import sys, json
from model_signing import hashing, signing
said = json.loads(sys.argv[1])
config = signing.Config()
if said["method"] == "key":
    config.use_elliptic_key_signer(private_key=said["key"])
else:
    config.use_certificate_signer(
        private_key=said["key"], signing_certificate=said["leaf"], certificate_chain=said["chain"]
    )
told = hashing.Config().set_ignored_paths(paths=said["ignore"], ignore_git_paths=True)
if said["shards"]:
    told.use_shard_serialization(shard_size=said["shards"], hashing_algorithm=said["hash"])
elif said["hash"] != "sha256":
    told.use_file_serialization(hashing_algorithm=said["hash"])
config.set_hashing_config(told).sign(said["model"], said["signature"])
"""
VERIFY = """
import sys, json
from model_signing import verifying
said = json.loads(sys.argv[1])
config = verifying.Config()
if said["method"] == "key":
    config.use_elliptic_key_verifier(public_key=said["key"])
else:
    config.use_certificate_verifier(certificate_chain=said["chain"])
config.verify(said["model"], said["signature"])
"""

Peer = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def peer() -> Peer:
    """Runs a program with model-signing."""
    python = peers.found(peers.python)

    def run(program: str, **said: Any) -> "subprocess.CompletedProcess[str]":
        words = json.dumps({name: _words(value) for name, value in said.items()})
        command = [str(python), "-I", "-W", "ignore", "-c", program, words]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    return run


def _words(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_words(each) for each in value]
    return str(value) if isinstance(value, Path) else value


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / "m" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / name).write_bytes(content)
    return tmp_path / "m"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    KEY.write(folder / "key.pem")
    for name, content in {
        "key.pub": KEY.public_key.pem.encode(),
        "leaf.key": PKI.leaf_key_pem,
        "leaf.pem": pem(PKI.leaf()),
        "intermediate.pem": pem(PKI.intermediate),
        "root.pem": PKI.root_pem,
    }.items():
        (folder / name).write_bytes(content)
    return folder


def ours(model: Path, signature: Path, method: str, **more: Any) -> VerifiedModel:
    trust, who = Trust.of(key=KEY.public_key), "key"
    if method == "certificate":
        trust = Trust(roots=(private_root("acme", PKI.root_pem),))
        return verify_model(
            model, signature, trust=trust, signer=Identity(authority="acme", san=HOLDER), signed_at=NOW, **more
        )
    return verify_model(model, signature, trust=trust, signer=who, signed_at=NOW, **more)


def theirs(peer: Peer, keys: Path, model: Path, signature: Path, method: str) -> "subprocess.CompletedProcess[str]":
    return peer(
        VERIFY,
        method=method,
        model=model,
        signature=signature,
        key=keys / "key.pub",
        chain=[keys / "root.pem"],
    )


def signed_there(
    peer: Peer, keys: Path, model: Path, signature: Path, method: str, shards: int = 0, algorithm: str = "sha256"
) -> None:
    done = peer(
        SIGN,
        method=method,
        model=model,
        signature=signature,
        key=keys / ("key.pem" if method == "key" else "leaf.key"),
        leaf=keys / "leaf.pem",
        chain=[keys / "intermediate.pem"],
        shards=shards,
        hash=algorithm,
        ignore=[signature],
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("method", ["key", "certificate"])
@pytest.mark.parametrize("shards", [0, 4])
@pytest.mark.parametrize("place", ["m.sig", "m/model.sig"])
def test_what_they_sign_is_verified_here(
    method: str, shards: int, place: str, peer: Peer, model: Path, keys: Path, tmp_path: Path
) -> None:
    signature = tmp_path / place
    signed_there(peer, keys, model, signature, method, shards)
    found = ours(model, signature, method)
    assert (found.order, len(found.files)) == ("parts", len(FILES))
    (model / "a b").write_bytes(b"9")
    with pytest.raises(GlasswingError) as refused:
        ours(model, signature, method)
    assert refused.value.code == "verification.subject"


@pytest.mark.parametrize("method", ["key", "certificate"])
@pytest.mark.parametrize("shards", [None, 4])
@pytest.mark.parametrize("place", ["m.sig", "m/model.sig"])
def test_what_we_sign_is_verified_there(
    method: str, shards: int | None, place: str, peer: Peer, model: Path, keys: Path, tmp_path: Path
) -> None:
    signature = tmp_path / place
    compat: Compat = "spec" if shards is None else "model-signing"
    by: Any = KEY if method == "key" else PKI.signer()
    sign_model(model, signer=by, signature=signature, shard_size=shards, compat=compat)
    done = theirs(peer, keys, model, signature, method)
    assert done.returncode == 0, done.stderr
    assert ours(model, signature, method).files
    (model / "a b").write_bytes(b"9")
    assert theirs(peer, keys, model, signature, method).returncode != 0


def test_a_single_file_goes_both_ways(peer: Peer, model: Path, keys: Path, tmp_path: Path) -> None:
    file, signature = model / "model.safetensors", tmp_path / "file.sig"
    signed_there(peer, keys, file, signature, "key")
    assert [resource.name for resource in ours(file, signature, "key").signature.resources] == ["."]
    sign_model(file, signer=KEY, signature=signature, compat="model-signing")
    assert theirs(peer, keys, file, signature, "key").returncode == 0
    sign_model(file, signer=KEY, signature=signature)
    assert ours(file, signature, "key").files
    assert theirs(peer, keys, file, signature, "key").returncode != 0  # OMS wants the file's name, they write a dot


def test_blake2b_is_read(peer: Peer, model: Path, keys: Path, tmp_path: Path) -> None:
    signature = tmp_path / "m.sig"
    signed_there(peer, keys, model, signature, "key", algorithm="blake2")
    assert ours(model, signature, "key").signature.hash_type == "blake2b"


def test_an_empty_model_is_signed_there_and_refused_here(peer: Peer, keys: Path, tmp_path: Path) -> None:
    model, signature = tmp_path / "empty", tmp_path / "empty.sig"
    model.mkdir()
    signed_there(peer, keys, model, signature, "key")
    with pytest.raises(FieldMissing) as refused:
        ours(model, signature, "key")
    assert refused.value.where == "$.predicate.resources"


@pytest.mark.parametrize("method", ["key", "certificate"])
@pytest.mark.parametrize("log", [1, 2])
def test_witnesses_are_no_hindrance_there(
    method: str, log: Literal[1, 2], peer: Peer, model: Path, keys: Path, tmp_path: Path
) -> None:
    signature = tmp_path / "m.sig"
    rooted = CertificateSigner(KeySigner(PKI.leaf_key), pem(PKI.leaf()) + pem(PKI.intermediate) + PKI.root_pem)
    with Served() as served:
        by = WitnessedSigner(KEY if method == "key" else rooted, served.instance(log), patience=QUICK)
        made = sign_model(model, signer=by, signature=signature)
    assert made.bundle is not None
    assert (len(made.bundle.log_entries), len(made.bundle.timestamps)) == (1, 1)
    done = theirs(peer, keys, model, signature, method)
    assert done.returncode == 0, done.stderr
    # Here its time is proved: nobody needs to say when it was signed.
    who: Any = "signer" if method == "key" else Identity(authority="authority", san=HOLDER)
    found = verify_model(model, signature, trust=by.verified_by, signer=who)
    assert found.signed_by is not None
    (model / "a b").write_bytes(b"9")
    assert theirs(peer, keys, model, signature, method).returncode != 0
