"""Does a passphrase protect a key as it should, in a form that everybody reads?"""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from glasswing_attest.signing.pkcs8 import ITERATIONS, encrypted_pem

KEYS: dict[str, Any] = {
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "rsa": rsa.generate_private_key(public_exponent=65537, key_size=4096),
}


def plain(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("passphrase", [b"correct horse", "Schlüssel".encode(), b"\xff\x01" * 40])
def test_what_is_encrypted_is_read_with_the_passphrase_alone(name: str, passphrase: bytes) -> None:
    pem = encrypted_pem(KEYS[name], passphrase)
    assert plain(load_pem_private_key(pem, passphrase)) == plain(KEYS[name])
    with pytest.raises(ValueError, match=r"(?i)password|decrypt"):
        load_pem_private_key(pem, passphrase + b" ")


def test_nothing_is_the_same_twice() -> None:
    first, second = (encrypted_pem(KEYS["p256"], b"x") for _ in range(2))
    assert {len(first), len(second)} == {len(first)}
    assert first.split(b"\n")[3:5] != second.split(b"\n")[3:5]
    assert all(len(line) <= 64 for line in first.split(b"\n"))


@pytest.mark.parametrize("name", KEYS)
def test_openssl_reads_it_and_sees_the_iterations(name: str, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(encrypted_pem(KEYS[name], b"correct horse"))

    def openssl(*command: str) -> bytes:
        try:
            done = subprocess.run(["openssl", *command], cwd=tmp_path, capture_output=True)
        except FileNotFoundError:
            pytest.skip("no openssl on this machine")
        assert done.returncode == 0, done.stderr
        return done.stdout

    read = openssl("pkcs8", "-in", "key.pem", "-passin", "pass:correct horse", "-topk8", "-nocrypt", "-outform", "DER")
    assert read == plain(KEYS[name])
    shown = openssl("asn1parse", "-in", "key.pem").decode()
    assert f"INTEGER           :{ITERATIONS:06X}" in shown
    for algorithm in ("PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc"):
        assert f":{algorithm}" in shown
