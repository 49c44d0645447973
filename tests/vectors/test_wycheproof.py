"""Does a key accept every signature that is one, and no other? Project Wycheproof's vectors for every scheme."""

import json
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.errors import SignatureInvalid
from glasswing_attest.keys import PublicKey

# file, scheme (None: the key's only one), how many are accepted, how many refused
_FILES = [
    ("ecdsa_secp256r1_sha256_test", None, 174, 310),
    ("ecdsa_secp256r1_sha256_p1363_test", None, 173, 89),  # raw r || s
    ("ecdsa_secp384r1_sha384_test", None, 194, 310),
    ("ecdsa_secp521r1_sha512_test", None, 232, 310),
    ("ed25519_test", None, 88, 63),
    ("rsa_signature_2048_sha256_test", "rsa-pkcs1v15-sha256", 9, 250),
    ("rsa_signature_3072_sha256_test", "rsa-pkcs1v15-sha256", 8, 251),
    ("rsa_signature_4096_sha256_test", "rsa-pkcs1v15-sha256", 7, 251),
    ("rsa_pss_2048_sha256_mgf1_32_test", "rsassa-pss-sha256", 69, 39),
    ("rsa_pss_3072_sha256_mgf1_32_test", "rsassa-pss-sha256", 69, 39),
    ("rsa_pss_4096_sha256_mgf1_32_test", "rsassa-pss-sha256", 69, 39),
]

# Whoever signs may choose the salt's length: signers in the field use the digest's length, or the longest that fits,
# and the scheme's name says neither. So a vector whose only fault is another length verifies here.
_OTHER_SALT = "s_len changed to"
# PKCS#1 v1.5 without the NULL parameter: RFC 8017 lets a verifier accept it, and ours does not.
_ACCEPTABLE = "acceptable"


def _tests(
    folder: Path, name: str, scheme: str | None = None
) -> list[tuple[PublicKey, dict[str, Any], dict[str, Any]]]:
    vectors = json.loads((folder / "wycheproof" / "testvectors_v1" / f"{name}.json").read_bytes())
    return [
        (PublicKey.from_pem(group["publicKeyPem"], scheme=scheme), group, test)
        for group in vectors["testGroups"]
        for test in group["tests"]
    ]


def _accepts(key: PublicKey, test: dict[str, Any]) -> bool:
    try:
        scheme = key.check(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
    except SignatureInvalid:
        return False
    assert scheme in key.schemes
    return True


@pytest.mark.parametrize(("name", "scheme", "accepted", "refused"), _FILES, ids=[f[0] for f in _FILES])
def test_every_signature_is_told_from_every_forgery(
    name: str, scheme: str | None, accepted: int, refused: int, shared_data: Path
) -> None:
    count = {True: 0, False: 0}
    for key, _, test in _tests(shared_data, name, scheme):
        is_one = test["result"] == "valid" or _OTHER_SALT in test["comment"]
        assert _accepts(key, test) is is_one, (test["tcId"], test["comment"])
        count[is_one] += 1
        if test["result"] == _ACCEPTABLE:
            assert test["flags"] == ["MissingNull"]
    assert count == {True: accepted, False: refused}


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha512_test", "ecdsa_secp384r1_sha256_test"])
def test_a_curve_has_one_hash(name: str, shared_data: Path) -> None:
    # The hash follows the key: a good signature over another hash of the message is refused.
    run = [_accepts(key, test) for key, _, test in _tests(shared_data, name)]
    assert len(run) > 400
    assert not any(run)


def test_rsa_has_one_hash(shared_data: Path) -> None:
    accepted = [test for key, _, test in _tests(shared_data, "rsa_signature_4096_sha512_test") if _accepts(key, test)]
    # The one that is accepted was made with our hash, which makes it a forgery for SHA-512 only.
    assert [test["comment"] for test in accepted] == ["The message is hashed with SHA-256 instead of SHA-512."]


def test_pss_has_one_hash_for_both_of_its_places(shared_data: Path) -> None:
    groups = set()
    for key, group, test in _tests(shared_data, "rsa_pss_misc_test"):
        both = (group["sha"], group["mgfSha"])
        assert _accepts(key, test) is (both == ("SHA-256", "SHA-256")), both
        groups.add(both)
    assert ("SHA-256", "SHA-256") in groups
    assert len(groups) > 10
