"""Does a trust file mean what it says, and is a fault told where it stands?"""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest import KeySigner, Trust
from glasswing_attest.errors import (
    FieldRefused,
    GlasswingError,
    KeyUnsupported,
    LimitError,
    MalformedError,
    NotPem,
    NotYaml,
    TrustRefused,
)
from glasswing_attest.limits import DEFAULT
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.key import Witness
from glasswing_attest.trust.sigstore import Profile
from tests.private_pki import Pki, pem

KEY = KeySigner.generate("ed25519").public_key
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
WEAK_PEM = WEAK.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PKI = Pki()
SIGSTORE = VirtualSigstore("r")
DOCUMENT = SIGSTORE.trusted_root().decode()


def of(**members: Any) -> bytes:
    return json.dumps({"version": 1, **members}).encode()


def with_root(document: str, profile: object = "public-good", **more: Any) -> bytes:
    return of(roots={"r": {"document": document, "profile": profile, **more}})


def refusal(data: bytes, suffix: str = ".json") -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        Trust.parse(data, suffix=suffix, where="t")
    return refused.value


def test_a_fault_is_told_with_its_line_where_the_format_tells_lines() -> None:
    found = refusal(b'{"version": 1,\n "keys": {"a": {"owner": "me"}}}')
    assert (type(found), found.where) == (TrustRefused, "t:2:17: keys.a.owner")
    found = refusal(b"version: 1\nkeys:\n  a:\n    public_key: junk\n", ".yaml")
    assert (type(found), found.where) == (NotPem, "t:4:17: keys.a.public_key")
    found = refusal(b'version = 1\n[keys.a]\npublic_key = "junk"\n', ".toml")
    assert (type(found), found.where) == (NotPem, "t: keys.a.public_key")


def test_a_file_of_another_language_is_refused_as_trust(tmp_path: Path) -> None:
    path = tmp_path / "trust.yaml"
    path.write_text("a: &b 1")
    with pytest.raises(NotYaml) as refused:
        Trust.load(path)
    assert (refused.value.code, refused.value.kind) == ("malformed.yaml", "trust")


@pytest.mark.parametrize("where", ["t", "trust", "keys"])
def test_nothing_is_no_trust(where: str) -> None:
    for data in (of(), of(keys={}), of(roots={}), of(keys={}, roots={})):
        with pytest.raises(TrustRefused) as refused:
            Trust.parse(data, suffix=".json", where=where)
        assert (refused.value.code, refused.value.where) == ("malformed.trust", where)


def test_a_key_of_no_use_is_refused_in_its_place() -> None:
    found = refusal(of(keys={"a": {"public_key": WEAK_PEM}}))
    assert (type(found), found.where) == (KeyUnsupported, "t:1:25: keys.a")


def test_too_many_keys_are_refused_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "a.pub").write_text(KEY.pem)
    entries = {f"k{n}": {"file": "a.pub"} for n in range(DEFAULT.trusted_keys + 1)}
    path = tmp_path / "trust.json"
    path.write_bytes(of(keys=entries))
    with pytest.raises(LimitError) as refused:
        Trust.load(path)
    assert (refused.value.code, refused.value.where) == ("limit", f"{path}:1:16: keys")


def test_files_beside_it_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.pub").write_bytes(b" " * (DEFAULT.policy_bytes + 1))
    path = tmp_path / "trust.toml"
    for kind, entry in (("keys", ""), ("roots", 'profile = "github"\n')):
        path.write_text(f'version = 1\n[{kind}.a]\nfile = "a.pub"\n{entry}')
        with pytest.raises(LimitError) as refused:
            Trust.load(path)
        assert (refused.value.code, refused.value.where) == ("limit", f"{path}: {kind}.a.file")
        assert refused.value.found == str(tmp_path / "a.pub")
        assert refused.value.wanted == f"at most {DEFAULT.policy_bytes} (policy_bytes)"


def test_what_is_wrong_with_a_root_is_told_where_it_stands(tmp_path: Path) -> None:
    faulty = json.dumps({**json.loads(DOCUMENT), "mediaType": "x"})
    found = refusal(with_root(faulty))
    assert isinstance(found, MalformedError)
    assert (type(found), found.kind, found.where) == (FieldRefused, "trust", "t:1:44: roots.r.document.mediaType")
    (tmp_path / "root.json").write_text(faulty)
    path = tmp_path / "trust.toml"
    path.write_text('version = 1\n[roots.r]\nfile = "root.json"\nprofile = "github"\n')
    with pytest.raises(FieldRefused) as refused:
        Trust.load(path)
    assert refused.value.where == f"{path}: roots.r.file.mediaType"


def test_what_is_wrong_with_an_authority_of_ones_own_is_told_where_it_stands(tmp_path: Path) -> None:
    found = refusal(with_root("junk", "private"))
    assert isinstance(found, NotPem)
    assert (found.code, found.kind, found.where) == ("malformed.pem", "trust", "t:1:44: roots.r.document")
    (tmp_path / "ca.pem").write_bytes(pem(PKI.intermediate))
    path = tmp_path / "trust.toml"
    path.write_text('version = 1\n[roots.r]\nfile = "ca.pem"\nprofile = "private"\n')
    with pytest.raises(TrustRefused) as refused:
        Trust.load(path)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", f"{path}: roots.r.file")
    assert refused.value.found == "CN=acme intermediate"


BLANK = " \n\t"


def test_blanks_before_a_root_change_nothing() -> None:
    private = Profile(scts=0, logs=0, times=0, private=True)
    members = {"scts": 0, "logs": 0, "times": 0, "private": True}
    for blank in ("", BLANK):
        trust = Trust.parse(with_root(blank + DOCUMENT, members), suffix=".json")
        assert (trust.roots[0].profile, trust.roots[0].logs) == (private, SIGSTORE.root().logs)
        made = Trust.parse(with_root(blank + PKI.root_pem.decode(), "private"), suffix=".json")
        assert made.roots[0].authorities[0].chain == (PKI.root,)
        assert made.roots[0].profile == Profile(
            scts=0, logs=0, times=0, stamps=0, embedded_roots="ignore", private=True
        )
        found = refusal(with_root(blank + PKI.root_pem.decode()))
        assert isinstance(found, TrustRefused)
        assert (found.found, found.where) == ("PEM", "t:1:44: roots.r.document")


def test_one_file_or_its_text_and_never_both() -> None:
    both = {"public_key": KEY.pem, "file": "a.pub"}
    for entry, place in ((both, "keys.a"), ({}, "keys.a"), ({"file": "a.pub"}, "keys.a")):
        found = refusal(of(keys={"a": entry}))
        assert (type(found), found.where) == (TrustRefused, f"t:1:25: {place}")


@pytest.mark.parametrize(
    ("name", "scts", "logs", "times", "embedded_roots", "private"),
    [
        ("public-good", 1, 1, 1, "refuse", False),
        ("github", 0, 0, 1, "refuse", False),
        ("private", 0, 0, 0, "ignore", True),
    ],
)
def test_a_profile_has_a_name_that_says_all_of_it(
    name: str, scts: int, logs: int, times: int, embedded_roots: Literal["refuse", "ignore"], private: bool
) -> None:
    (root,) = Trust.parse(with_root(DOCUMENT, name), suffix=".json").roots
    assert root.profile == Profile(
        scts=scts, logs=logs, times=times, stamps=0, embedded_roots=embedded_roots, private=private
    )


def test_a_profile_says_what_it_does_not_leave_to_be_guessed() -> None:
    members: dict[str, Any] = {"scts": 0, "logs": 0, "times": 1}
    (root,) = Trust.parse(with_root(DOCUMENT, members), suffix=".json").roots
    assert root.profile == Profile(scts=0, logs=0, times=1, stamps=0, embedded_roots="refuse", private=False)
    for name in members:
        less = {key: value for key, value in members.items() if key != name}
        found = refusal(with_root(DOCUMENT, less))
        assert (type(found), found.where.rpartition(": ")[2]) == (TrustRefused, f"roots.r.profile.{name}")
    for name, value in (("scts", True), ("stamps", "1"), ("private", 1), ("embedded_roots", "believe")):
        found = refusal(with_root(DOCUMENT, {**members, name: value}))
        assert (type(found), found.where.rpartition(": ")[2]) == (TrustRefused, f"roots.r.profile.{name}")


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"root": "r", "logs": -1, "times": 2}, "keys.a.witness.logs"),
        ({"root": "r", "logs": 2, "times": -1}, "keys.a.witness.times"),
        ({"root": "r", "logs": 0, "times": 0}, "keys.a.witness"),
        ({"logs": 1, "times": 1}, "keys.a.witness.root"),
        ({"root": "r", "times": 1}, "keys.a.witness.logs"),
    ],
)
def test_a_witness_is_said_whole(entry: dict[str, Any], place: str) -> None:
    keys = {"a": {"public_key": KEY.pem, "witness": entry}}
    found = refusal(of(keys=keys, roots={"r": {"document": DOCUMENT, "profile": "public-good"}}))
    assert (type(found), found.where.rpartition(": ")[2]) == (TrustRefused, place)


def test_a_log_or_a_time_is_a_witness() -> None:
    for logs, times in ((0, 1), (1, 0)):
        keys = {"a": {"public_key": KEY.pem, "witness": {"root": "r", "logs": logs, "times": times}}}
        roots = {"r": {"document": DOCUMENT, "profile": "public-good"}}
        (key,) = Trust.parse(of(keys=keys, roots=roots), suffix=".json").keys
        assert key.witness == Witness(root="r", logs=logs, times=times)


def test_revocations_are_signed_by_somebody() -> None:
    key = {"a": {"public_key": KEY.pem}}
    assert Trust.parse(of(keys=key, revocations={"signed_by": ["a"]}), suffix=".json").revocation_signers == ("a",)
    faulty: tuple[dict[str, Any], ...] = ({}, {"signed_by": []}, {"signed_by": "a"}, {"signed_by": None})
    for members in faulty:
        found = refusal(of(keys=key, revocations=members))
        assert (type(found), found.where.rpartition(": ")[2]) == (TrustRefused, "revocations.signed_by")
    none = Trust.parse(of(keys=key), suffix=".json")
    assert (none.revocation_signers, none.expires, none.roots) == ((), None, ())
    assert none.keys[0].witness is None
