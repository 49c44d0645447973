"""Does a key accept every signature that is one, and no other? Project Wycheproof's vectors for every scheme."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from glasswing_attest.errors import NotPem, SignatureInvalid
from glasswing_attest.keys import PublicKey

# file: scheme (None: the key's only one), how many are accepted, how many refused
FILES: dict[str, tuple[str | None, int, int]] = {
    "ecdsa_secp256r1_sha256_test": (None, 174, 310),
    "ecdsa_secp256r1_sha256_p1363_test": (None, 173, 89),  # raw r || s
    "ecdsa_secp384r1_sha384_test": (None, 194, 310),
    "ecdsa_secp521r1_sha512_test": (None, 232, 310),
    "ed25519_test": (None, 88, 63),
    "mldsa_65_verify_test": (None, 77, 133),
    "rsa_signature_2048_sha256_test": ("rsa-pkcs1v15-sha256", 9, 250),
    "rsa_signature_3072_sha256_test": ("rsa-pkcs1v15-sha256", 8, 251),
    "rsa_signature_4096_sha256_test": ("rsa-pkcs1v15-sha256", 7, 251),
    "rsa_pss_2048_sha256_mgf1_32_test": ("rsassa-pss-sha256", 69, 39),
    "rsa_pss_3072_sha256_mgf1_32_test": ("rsassa-pss-sha256", 69, 39),
    "rsa_pss_4096_sha256_mgf1_32_test": ("rsassa-pss-sha256", 69, 39),
}
# Signatures over a hash that the key does not have here: tests of their own say what becomes of them.
OTHER_HASH = {
    "ecdsa_secp256r1_sha512_test": 554,
    "ecdsa_secp384r1_sha256_test": 472,
    "rsa_signature_4096_sha512_test": 259,
    "rsa_pss_misc_test": 150,
}
NOT_RUN = {
    "json_web_signature_test": "no JSON web signature is checked here: a token is handed on to the authority it is for",
}

# Whoever signs may choose the salt's length: signers in the field use the digest's length, or the longest that fits,
# and the scheme's name says neither. So a vector whose only fault is another length verifies here.
_OTHER_SALT = "s_len changed to"
# PKCS#1 v1.5 without the NULL parameter: RFC 8017 lets a verifier accept it, and ours does not.
_ACCEPTABLE = "acceptable"
# FIPS 204 has a context beside the message. Sigstore's is empty, so that a signature within another one is none.
_CONTEXT = "ctx"
# Of ML-DSA's public keys four are too short or too long: they are read by nobody.
_NO_KEY = "IncorrectPublicKeyLength"


def _groups(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_file(folder, name).read_bytes())["testGroups"]
    return found


def _file(folder: Path, name: str) -> Path:
    return folder / "wycheproof" / "testvectors_v1" / f"{name}.json"


def _key(group: dict[str, Any], scheme: str | None = None) -> PublicKey:
    told: str | bytes = group["publicKeyPem"] if "publicKeyPem" in group else bytes.fromhex(group["publicKeyDer"])
    return PublicKey.from_pem(told, scheme=scheme)


def _tests(
    folder: Path, name: str, scheme: str | None = None
) -> list[tuple[PublicKey | None, dict[str, Any], dict[str, Any]]]:
    found: list[tuple[PublicKey | None, dict[str, Any], dict[str, Any]]] = []
    for group in _groups(folder, name):
        key = None
        if not all(_NO_KEY in test["flags"] for test in group["tests"]):
            key = _key(group, scheme)
        found += [(key, group, test) for test in group["tests"]]
    return found


def _accepts(key: PublicKey | None, test: dict[str, Any]) -> bool:
    """Ask in each of the three ways in which a signature is asked about here, which must agree."""
    if key is None:
        return False
    signature, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
    remembered: dict[str, bytes] = {}
    ways: tuple[Callable[[], str], ...] = (
        lambda: key.check(signature, message),
        lambda: key.check(signature, message, hashed=remembered),
        lambda: key.check_digest(signature, ("sha256", hashlib.sha256(message).digest()), message),
    )
    found = set()
    for way in ways:
        try:
            found.add(way())
        except SignatureInvalid as e:
            assert e.code == "verification.signature"  # noqa: PT017  most vectors are refused, some are not
            found.add("")
    (scheme,) = found
    assert scheme == "" or scheme in key.schemes
    return scheme != ""


def _is_one(test: dict[str, Any]) -> bool:
    if test["result"] == _ACCEPTABLE:
        assert test["flags"] == ["MissingNull"]
        return False
    if test.get(_CONTEXT):
        return False
    return test["result"] == "valid" or _OTHER_SALT in test["comment"]


@pytest.mark.parametrize("name", FILES)
def test_every_signature_is_told_from_every_forgery(name: str, shared_data: Path) -> None:
    scheme, accepted, refused = FILES[name]
    count = {True: 0, False: 0}
    for key, _, test in _tests(shared_data, name, scheme):
        is_one = _is_one(test)
        assert _accepts(key, test) is is_one, (test["tcId"], test["comment"])
        count[is_one] += 1
    assert count == {True: accepted, False: refused}


def test_what_is_decided_otherwise_is_counted(shared_data: Path) -> None:
    found = Counter(
        (test["result"], is_one)
        for name, (scheme, _, _) in FILES.items()
        for _, _, test in _tests(shared_data, name, scheme)
        if (is_one := _is_one(test)) != (test["result"] == "valid") or test["result"] == _ACCEPTABLE
    )
    # Six salts of other lengths for each size of RSA; two contexts; a missing NULL for each size of RSA.
    assert found == {("invalid", True): 18, ("valid", False): 2, (_ACCEPTABLE, False): 3}


def test_a_key_of_another_length_is_none(shared_data: Path) -> None:
    groups = [g for g in _groups(shared_data, "mldsa_65_verify_test") if _NO_KEY in g["tests"][0]["flags"]]
    assert len(groups) == 4
    for group in groups:
        with pytest.raises(NotPem) as refused:
            _key(group)
        assert refused.value.code == "malformed.pem"


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha512_test", "ecdsa_secp384r1_sha256_test"])
def test_a_curve_has_one_hash(name: str, shared_data: Path) -> None:
    # The hash follows the key: a good signature over another hash of the message is refused.
    run = [_accepts(key, test) for key, _, test in _tests(shared_data, name)]
    assert len(run) == OTHER_HASH[name]
    assert not any(run)


def test_a_certificates_p384_key_has_two(shared_data: Path) -> None:
    # What clients signed before the registry fixed the hash; only `legacy` asks for it, as certificates do.
    found: Counter[str] = Counter()
    for group in _groups(shared_data, "ecdsa_secp384r1_sha256_test"):
        key = PublicKey.of(load_pem_public_key(group["publicKeyPem"].encode()), legacy=True)
        for test in group["tests"]:
            assert _accepts(key, test) is (test["result"] == "valid"), (test["tcId"], test["comment"])
            found[test["result"]] += 1
    assert found == {"valid": 162, "invalid": 310}


def test_rsa_has_one_hash(shared_data: Path) -> None:
    name = "rsa_signature_4096_sha512_test"
    tests = _tests(shared_data, name)
    assert len(tests) == OTHER_HASH[name]
    # The one that is accepted was made with our hash, which makes it a forgery for SHA-512 only.
    accepted = [test["comment"] for key, _, test in tests if _accepts(key, test)]
    assert accepted == ["The message is hashed with SHA-256 instead of SHA-512."]


def test_pss_has_one_hash_for_both_of_its_places(shared_data: Path) -> None:
    name = "rsa_pss_misc_test"
    groups: Counter[tuple[str, str]] = Counter()
    for key, group, test in _tests(shared_data, name):
        both = (group["sha"], group["mgfSha"])
        assert _accepts(key, test) is (both == ("SHA-256", "SHA-256")), both
        groups[both] += 1
    assert groups["SHA-256", "SHA-256"] > 1
    assert len(groups) > 10
    assert groups.total() == OTHER_HASH[name]


def test_no_file_is_left_out(shared_data: Path) -> None:
    found = {path.stem for path in _file(shared_data, "any").parent.iterdir()}
    assert found == {*FILES, *OTHER_HASH, *NOT_RUN}
    # ... and of each file no vector: what is counted above is all that it says it has.
    for name, (_, accepted, refused) in FILES.items():
        assert json.loads(_file(shared_data, name).read_bytes())["numberOfTests"] == accepted + refused
