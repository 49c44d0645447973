"""Does trust bind keys, names and times, and refuse to mean anything else?"""

import hashlib
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from glasswing_attest._wire import canonical_json
from glasswing_attest.artifact.file import Blob
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae
from glasswing_attest.errors import (
    DuplicateKey,
    GlasswingError,
    KeyUnsupported,
    KeyUntrusted,
    LimitError,
    MalformedError,
    NotPem,
    NotUtf8,
    NotYaml,
    OutsideValidity,
    TimeUnproven,
    TrustExpired,
    TrustRefused,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import GITHUB, PUBLIC_GOOD, Profile, Root
from glasswing_attest.verification.procedure import prove

SIGNER = KeySigner.generate()
KEY = SIGNER.public_key
OTHER = KeySigner.generate("ed25519").public_key
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def statement() -> bytes:
    subject = ResourceDescriptor(name="a", digest=Blob(b"a").measure().digests)
    return Statement.make([subject], "https://example.com/t/v1", {}).payload


ATTESTATION = Attestation.parse(SIGNER.seal(statement(), PAYLOAD_TYPE))


def named(keyid: str, hint: str = "") -> Attestation:
    """The same signature, in a bundle that calls its key something."""
    envelope = ATTESTATION.envelope
    assert isinstance(envelope, Envelope)
    signature = EnvelopeSignature(sig=envelope.signatures[0].sig, keyid=keyid)
    return Attestation.parse(Bundle.of_key(replace(envelope, signatures=(signature,)), hint))


def names_of(attestation: Attestation, *keys: TrustedKey, at: datetime = START) -> set[str]:
    (proved,) = prove(attestation, Trust(keys=keys), claimed_at=at)
    return set(proved.signer.names)


# --- files -----------------------------------------------------------------------------------------------------------


def entry(**members: Any) -> bytes:
    return json.dumps({"version": 1, "keys": {"a": {"public_key": KEY.pem, **members}}}).encode()


def parse(data: bytes, suffix: str = ".json") -> Trust:
    return Trust.parse(data, suffix=suffix)


def path_in(error: GlasswingError) -> str:
    """The path that an error tells, without the line and column before it."""
    found = re.fullmatch(r"trust(:1:[0-9]+)?(: (?P<path>.+))?", error.where)
    assert found is not None, error.where
    return found["path"] or ""


def test_a_trust_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "a.pub").write_text(KEY.pem)
    (tmp_path / "keys" / "b.der").write_bytes(OTHER.der)
    path = tmp_path / "trust.yaml"
    path.write_text(
        "version: 1\nexpires: 2030-01-01T00:00:00Z\nkeys:\n"
        "  trainer:\n    file: keys/a.pub\n    valid_from: 2026-01-01T00:00:00Z\n"
        "    valid_until: 2027-01-01T00:00:00Z\n    keyids: [one, two]\n"
        "  data: {file: keys/b.der, scheme: ed25519}\n"
    )
    trust = Trust.load(path)
    assert trust.names == ("data", "trainer")
    assert trust.keys == (
        TrustedKey(name="data", key=OTHER),
        TrustedKey(name="trainer", key=KEY, valid_from=START, valid_until=END, keyids=("one", "two")),
    )
    assert trust.expires == datetime(2030, 1, 1, tzinfo=UTC)
    # What is written holds the keys themselves and needs no other file.
    again = Trust.parse(trust.to_json(), suffix=".json")
    assert again == trust
    assert (again.digest, again.to_json()) == (trust.digest, trust.to_json())


SIGSTORE = VirtualSigstore("sigstore")


def test_roots_witnesses_and_revocations_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.pub").write_text(KEY.pem)
    (tmp_path / "root.json").write_bytes(SIGSTORE.trusted_root())
    path = tmp_path / "trust.yaml"
    path.write_text(
        "version: 1\nroots:\n"
        "  public: {file: root.json, profile: public-good}\n"
        "  private: {file: root.json, profile: github}\n"
        "  own: {file: root.json, profile: {scts: 0, logs: 1, times: 1, stamps: 1}}\n"
        "revocations: {signed_by: [security]}\n"
        "keys:\n"
        "  security: {file: a.pub}\n"
        "  trainer: {file: a.pub, witness: {root: public, logs: 1, times: 0}}\n"
    )
    trust = Trust.load(path)
    assert [(root.name, root.profile) for root in trust.roots] == [
        ("own", Profile(scts=0, logs=1, times=1, stamps=1)),
        ("private", GITHUB),
        ("public", PUBLIC_GOOD),
    ]
    assert {root.raw for root in trust.roots} == {SIGSTORE.trusted_root()}
    assert [key.witness for key in trust.keys] == [None, Witness(root="public", logs=1, times=0)]
    assert trust.revocation_signers == ("security",)
    again = Trust.parse(trust.to_json(), suffix=".json")
    assert again == trust
    assert (again.digest, again.to_json()) == (trust.digest, trust.to_json())
    # Each of them decides, so each is in the digest.
    less = [
        replace(trust, revocation_signers=()),
        replace(trust, roots=tuple(root for root in trust.roots if root.name != "own")),
        replace(trust, keys=tuple(replace(key, witness=None) for key in trust.keys)),
    ]
    assert len({trust.digest, *(one.digest for one in less)}) == 4


def test_a_root_is_believed_beside_no_key() -> None:
    trust = SIGSTORE.trust()
    assert (trust.names, trust.root("sigstore")) == ((), SIGSTORE.root())
    with pytest.raises(UsageError) as refused:
        trust.root("other")
    assert (refused.value.found, refused.value.wanted) == ("other", "sigstore")
    (proved,) = prove(SIGSTORE.sign(statement(), identity="alice@example.com"), trust)
    assert (proved.signer.san, proved.signer.names) == ("alice@example.com", frozenset())


def with_root(profile: object = "public-good", *, more: Any = None, **members: Any) -> bytes:
    """A trust file with one root and one key, both of which can be changed."""
    root = {"document": SIGSTORE.trusted_root().decode(), "profile": profile, **(more or {})}
    keys = {"a": {"public_key": KEY.pem}}
    document = {"version": 1, "roots": {"r": root}, "keys": keys, **members}
    return json.dumps(document).encode()


def witnessed(**witness: object) -> bytes:
    return with_root(keys={"a": {"public_key": KEY.pem, "witness": witness}})


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (with_root("private-good"), "roots.r.profile"),
        (with_root({"scts": 1, "logs": 1}), "roots.r.profile.times"),
        (with_root({"scts": 0, "logs": 0, "times": 0}), "roots.r.profile.times"),
        (with_root({"scts": -1, "logs": 0, "times": 1}), "roots.r.profile.scts"),
        (with_root({"scts": 2, "logs": 1, "times": 1}), "roots.r.profile.scts"),
        (with_root({"scts": 1, "logs": 2, "times": 1}), "roots.r.profile.logs"),
        (with_root({"scts": 1, "logs": 1, "times": 2}), "roots.r.profile.times"),
        (with_root({"scts": 1, "logs": 1, "times": 1, "stamps": 2}), "roots.r.profile.stamps"),
        (with_root(more={"file": "root.json"}), "roots.r"),
        (with_root(more={"document": None}), "roots.r"),
        (with_root(more={"document": None, "file": "root.json"}), "roots.r"),
        (with_root(more={"owner": "me"}), "roots.r.owner"),
        (with_root(revocations={"signed_by": []}), "revocations.signed_by"),
        (with_root(revocations={"signed_by": ["nobody"]}), "revocations.signed_by"),
        (with_root(revocations={"signed_by": ["r"]}), "revocations.signed_by"),
        (with_root(revocations={}), "revocations.signed_by"),
        (witnessed(root="r", logs=0, times=0), "keys.a.witness"),
        (witnessed(root="r", logs=-1, times=1), "keys.a.witness.logs"),
        (witnessed(root="r", logs=1), "keys.a.witness.times"),
        (witnessed(root="other", logs=1, times=1), "keys.a.witness.root"),
        (witnessed(root="a", logs=1, times=1), "keys.a.witness.root"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a key of this process must not name a test
)
def test_roots_that_mean_nothing_are_refused(data: bytes, where: str) -> None:
    with pytest.raises(TrustRefused) as refused:
        parse(data)
    assert (refused.value.code, refused.value.kind) == ("malformed.trust", "trust")
    assert path_in(refused.value) == where


def test_equal_trust_has_one_digest() -> None:
    one = Trust.of({"b": OTHER}, a=KEY)
    other = Trust.of(a=PublicKey.from_pem(KEY.pem), b=OTHER)
    assert one == other
    assert one.digest == other.digest
    assert one.digest != Trust.of(a=KEY).digest
    assert canonical_json(json.loads(one.to_json())) == one.to_json()


def test_an_rsa_key_keeps_its_schemes() -> None:
    key = PublicKey.of(rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key())
    for one in (key, PublicKey.from_pem(key.pem, scheme="rsassa-pss-sha256")):
        trust = Trust.of(a=one)
        assert Trust.parse(trust.to_json(), suffix=".json").keys[0].key.schemes == one.schemes


def test_yaml_and_toml_say_the_same_as_json() -> None:
    pem = "\n".join(f"      {line}" for line in KEY.pem.splitlines())
    yaml = f"version: 1\nkeys:\n  a:\n    public_key: |\n{pem}\n    valid_from: 2026-01-01T00:00:00Z\n"
    toml = f'version = 1\n[keys.a]\npublic_key = """\n{KEY.pem}"""\nvalid_from = 2026-01-01T00:00:00Z\n'
    wanted = parse(entry(valid_from="2026-01-01T00:00:00Z"))
    assert parse(yaml.encode(), ".yaml") == wanted
    assert parse(toml.encode(), ".toml") == wanted


@pytest.mark.parametrize(
    ("data", "error", "where"),
    [
        (b"{}", TrustRefused, "version"),
        (b'{"version": 1}', TrustRefused, ""),
        (b'{"version": 1, "keys": {}}', TrustRefused, ""),
        (b'{"version": 1, "keys": []}', TrustRefused, "keys"),
        (b'{"version": 1, "keys": {"a": {}}}', TrustRefused, "keys.a"),
        (entry().replace(b'"version": 1', b'"version": 2'), TrustRefused, "version"),
        (entry().replace(b'"version": 1', b'"version": true'), TrustRefused, "version"),
        (entry().replace(b'"version": 1', b'"version": 1.0'), TrustRefused, "version"),
        (entry(file="a.pub"), TrustRefused, "keys.a"),
        (entry(public_key=None, file="a.pub"), TrustRefused, "keys.a"),
        (entry(owner="me"), TrustRefused, "keys.a.owner"),
        (entry(keyids="one"), TrustRefused, "keys.a.keyids"),
        (entry(keyids=[1]), TrustRefused, "keys.a.keyids[0]"),
        (entry(keyids=[]), TrustRefused, "keys.a"),
        (entry(valid_from="2026-01-01"), TrustRefused, "keys.a.valid_from"),
        (entry(valid_from="2026-01-01T00:00:00"), TrustRefused, "keys.a.valid_from"),
        (entry(valid_from=1), TrustRefused, "keys.a.valid_from"),
        (
            entry(valid_from="2027-01-01T00:00:00Z", valid_until="2026-01-01T00:00:00Z"),
            TrustRefused,
            "keys.a",
        ),
        (entry(scheme="rsassa-pss-sha256"), TrustRefused, "keys.a.scheme"),
        (entry(public_key="junk"), NotPem, "keys.a.public_key"),
        (entry(public_key=""), NotPem, "keys.a.public_key"),
        (entry().replace(b'"a": {', b'"": {'), TrustRefused, "keys['']"),
        (b'{"version": 1, "keys": {"a": {"file": "x"}, "a": {"file": "y"}}}', DuplicateKey, "keys.a"),
        (b'{"version": 1, "keys": {"a": {"public_key": "\\ud800"}}}', NotUtf8, "keys.a.public_key"),
        (b"[]", TrustRefused, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # a key of this process must not name a test
)
def test_what_is_no_trust_is_refused_as_trust(data: bytes, error: type[MalformedError], where: str) -> None:
    with pytest.raises(MalformedError) as refused:
        parse(data)
    assert type(refused.value) is error
    assert refused.value.kind == "trust"
    assert path_in(refused.value) == where


def test_yaml_faults_are_refused_as_trust() -> None:
    for data, error in ((b"", TrustRefused), (b"a: &b 1", NotYaml), (b"a: 1\na: 2", DuplicateKey)):
        with pytest.raises(MalformedError) as refused:
            parse(data, ".yaml")
        assert (type(refused.value), refused.value.kind) == (error, "trust")


def test_a_key_that_is_not_used_here_is_refused() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    pem = weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(KeyUnsupported):
        parse(entry(public_key=pem))


def test_a_key_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    for name in ("absent.pub", ".", "a\\u0000b"):
        path.write_text('{"version": 1, "keys": {"a": {"file": "%s"}}}' % name)  # noqa: UP031  # braces
        with pytest.raises(TrustRefused) as refused:
            Trust.load(path)
        assert (refused.value.code, refused.value.kind) == ("malformed.trust", "trust")
        assert refused.value.where == f"{path}:1:39: keys.a.file"
        assert refused.value.found == str(tmp_path / json.loads(f'"{name}"'))
    with pytest.raises(TrustRefused):
        Trust.load(tmp_path / "absent.yaml")


def test_key_files_lie_beside_the_trust_file_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # CVE-2023-32076: what lies in the working directory changes nothing.
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.pub").write_text(OTHER.pem)
    (tmp_path / "a.pub").write_text(KEY.pem)
    (tmp_path / "trust.json").write_text('{"version": 1, "keys": {"a": {"file": "a.pub"}}}')
    monkeypatch.chdir(tmp_path / "here")
    assert Trust.load("../trust.json").keys[0].key == KEY


def test_files_and_bytes_are_bounded(tmp_path: Path) -> None:
    data = Trust(keys=(A,)).to_json()
    path = tmp_path / "trust.json"
    path.write_bytes(data)
    enough, less = Limits(policy_bytes=len(data)), Limits(policy_bytes=len(data) - 1)
    assert Trust.load(path, limits=enough) == Trust.parse(data, limits=enough) == Trust(keys=(A,))
    with pytest.raises(LimitError) as loaded:
        Trust.load(str(path), limits=less)
    with pytest.raises(LimitError) as parsed:
        Trust.parse(data, suffix=".json", limits=less)
    assert (loaded.value.code, loaded.value.where) == ("limit", str(path))
    assert (parsed.value.code, parsed.value.where) == ("limit", "trust")


def test_bytes_are_yaml_and_stand_where_the_caller_says() -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust.parse(b"version: 1")
    assert refused.value.where == "trust"
    with pytest.raises(TrustRefused) as refused:
        Trust.parse(b"version: 1", where="their trust")
    assert refused.value.where == "their trust"


# --- values ----------------------------------------------------------------------------------------------------------


A, B = TrustedKey(name="a", key=KEY), TrustedKey(name="b", key=OTHER)
ROOT = replace(SIGSTORE.root(), name="r")
SECOND = replace(ROOT, name="another")


@pytest.mark.parametrize(
    ("members", "place", "found"),
    [
        ({"keys": "keys"}, "keys", "str"),
        ({"keys": b"keys"}, "keys", "bytes"),
        ({"keys": {"a": A}}, "keys", "dict"),
        ({"keys": {}, "roots": (ROOT,)}, "keys", "dict"),
        ({"keys": "", "roots": (ROOT,)}, "keys", "str"),
        ({"keys": A}, "keys", "TrustedKey"),
        ({"keys": None}, "keys", "NoneType"),
        ({"keys": (KEY,)}, "keys[0]", "PublicKey"),
        ({"keys": (A, KEY)}, "keys[1]", "PublicKey"),
        ({"keys": (ROOT,)}, "keys[0]", "Root"),
        ({"roots": "roots"}, "roots", "str"),
        ({"roots": b"", "keys": (A,)}, "roots", "bytes"),
        ({"roots": {"r": ROOT}}, "roots", "dict"),
        ({"roots": ROOT}, "roots", "Root"),
        ({"roots": (ROOT, A)}, "roots[1]", "TrustedKey"),
    ],
)
def test_a_trust_is_made_of_keys_and_roots(members: dict[str, Any], place: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        Trust(**members)
    assert (refused.value.code, refused.value.where, refused.value.found) == (UsageError.code, place, found)


def test_keys_and_roots_are_kept_sorted_in_tuples() -> None:
    trust = Trust(keys=[B, A], roots=iter([ROOT, SECOND]))  # type: ignore[arg-type]
    assert (trust.keys, trust.roots, trust.names) == ((A, B), (SECOND, ROOT), ("a", "b"))
    assert (trust.root("r"), trust.root("another")) == (ROOT, SECOND)
    assert (trust.revocation_signers, trust.expires) == ((), None)


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({}, "trust"),
        ({"keys": (A, TrustedKey(name="a", key=OTHER))}, "keys"),
        ({"keys": (A, A)}, "keys"),
        ({"roots": (ROOT, ROOT)}, "roots"),
        ({"keys": (A,), "roots": (ROOT, SECOND, ROOT)}, "roots"),
        ({"keys": (A,), "revocation_signers": ("b",)}, "revocations.signed_by"),
        ({"keys": (A,), "revocation_signers": ("a", "b")}, "revocations.signed_by"),
        ({"roots": (ROOT,), "revocation_signers": ("r",)}, "revocations.signed_by"),
        ({"keys": (A,), "expires": END.replace(tzinfo=None)}, "expires"),
        ({"keys": (replace(A, witness=Witness(root="r", logs=1, times=0)),)}, "keys.a.witness.root"),
        (
            {"keys": (B, replace(A, witness=Witness(root="a", logs=1, times=0))), "roots": (ROOT,)},
            "keys.a.witness.root",
        ),
        (
            {"keys": (replace(A, name="a.b", witness=Witness(root="x", logs=1, times=0)),), "roots": (ROOT,)},
            "keys['a.b'].witness.root",
        ),
    ],
)
def test_a_trust_that_means_nothing_is_refused(members: dict[str, Any], place: str) -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust(**members)
    assert (refused.value.code, refused.value.where) == ("malformed.trust", place)


def test_a_name_may_stand_for_a_key_and_a_root() -> None:
    witnessed = replace(A, name="r", witness=Witness(root="r", logs=0, times=1))
    trust = Trust(keys=(witnessed, B), roots=(ROOT,), revocation_signers=("b",))
    assert (trust.keys, trust.revocation_signers) == ((B, witnessed), ("b",))


@pytest.mark.parametrize("demand", [{"witness": Witness(root="r", logs=0, times=1)}, {"keyids": ("x",)}])
def test_whoever_signs_revocations_is_asked_for_nothing_that_nobody_looks_at(demand: dict[str, Any]) -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust(keys=(A, replace(B, **demand)), roots=(ROOT,), revocation_signers=("a", "b"))
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "revocations.signed_by")
    assert refused.value.found == "b, with witness or keyids"
    assert Trust(keys=(A, replace(B, **demand)), roots=(ROOT,), revocation_signers=("a",)).revocation_signers == ("a",)


def test_a_few_names_are_shown() -> None:
    for number, more in ((8, ""), (9, " …")):
        trust = Trust.of({f"k{n}": KEY for n in range(number)})
        assert repr(trust) == f"Trust(keys {', '.join(f'k{n}' for n in range(8))}{more})"
    assert repr(Trust(roots=(ROOT, SECOND))) == "Trust(roots another, r)"


def test_trust_made_in_python_is_held_to_the_same_rules() -> None:
    for keys, where in (((), "trust"), ((TrustedKey(name="a", key=KEY), TrustedKey(name="a", key=OTHER)), "keys")):
        with pytest.raises(TrustRefused) as refused:
            Trust(keys=keys)
        assert refused.value.where == where
    with pytest.raises(TrustRefused):
        Trust.of()
    with pytest.raises(UsageError) as usage:
        Trust.of(a=KEY.pem)  # type: ignore[arg-type]
    assert usage.value.where == "Trust.of(a)"
    naive = datetime(2026, 1, 1)  # noqa: DTZ001  # without a zone on purpose
    with pytest.raises(TrustRefused) as refused:
        TrustedKey(name="a", key=KEY, valid_until=naive)
    assert refused.value.where == "keys.a.valid_until"
    with pytest.raises(TrustRefused):
        Trust(keys=(TrustedKey(name="a", key=KEY),), expires=naive)
    with pytest.raises(TrustRefused):
        TrustedKey(name="", key=KEY)


def test_the_number_of_keys_is_bounded() -> None:
    most = DEFAULT.trusted_keys
    assert len(Trust.of({f"k{n}": KEY for n in range(most)}).keys) == most == 1024
    with pytest.raises(LimitError) as refused:
        Trust(keys=tuple(TrustedKey(name=f"k{n}", key=KEY) for n in range(most + 1)))
    assert (refused.value.code, refused.value.where, refused.value.found) == ("limit", "keys", most + 1)
    with pytest.raises(LimitError):
        Trust.of({f"k{n}": KEY for n in range(most + 1)})


def test_keys_by_name() -> None:
    trust = Trust.of({"b": OTHER}, a=KEY)
    assert trust.keys == (A, B)
    assert Trust.of({"a": OTHER}, a=KEY).keys == (A,)
    for given, named in (({"x": "pem"}, {}), ({"a": KEY}, {"x": b"pem"})):
        with pytest.raises(UsageError) as refused:
            Trust.of(given, **named)  # type: ignore[arg-type]
        assert (refused.value.code, refused.value.where) == (UsageError.code, "Trust.of(x)")


def test_a_root_that_is_not_there() -> None:
    for trust, wanted in ((Trust(keys=(A,)), "a root"), (Trust(roots=(ROOT, SECOND)), "another, r")):
        with pytest.raises(UsageError) as refused:
            trust.root("x")
        assert (refused.value.code, refused.value.where, refused.value.found) == (UsageError.code, "trust", "x")
        assert refused.value.wanted == wanted


def test_trust_is_fresh_until_its_last_moment() -> None:
    trust = Trust(keys=(A,), expires=END)
    for now in (END - TICK, END):
        trust.require_fresh(now)
    with pytest.raises(TrustExpired) as refused:
        trust.require_fresh(END + TICK)
    assert (refused.value.code, refused.value.where) == ("unavailable.trust-expired", "trust")
    Trust(keys=(A,)).require_fresh(datetime.max.replace(tzinfo=UTC))


# --- what is written -------------------------------------------------------------------------------------------------


def test_what_is_written_is_all_that_decides() -> None:
    key = TrustedKey(
        name="a",
        key=KEY,
        valid_from=END,
        valid_until=END + timedelta(days=1),
        keyids=("one",),
        witness=Witness(root="r", logs=1, times=2),
    )
    pss = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    narrow, wide = PublicKey.of(pss, scheme="rsassa-pss-sha256"), PublicKey.of(pss)
    github = Root.parse(ROOT.raw, name="r", profile=GITHUB)
    trust = Trust(
        keys=(key, TrustedKey(name="narrow", key=narrow), TrustedKey(name="wide", key=wide)),
        roots=(github,),
        revocation_signers=("wide",),
        expires=END.astimezone(timezone(timedelta(hours=5))),
    )
    assert json.loads(trust.to_json()) == {
        "version": 1,
        "expires": "2027-01-01T00:00:00Z",
        "keys": {
            "a": {
                "public_key": KEY.pem,
                "valid_from": "2027-01-01T00:00:00Z",
                "valid_until": "2027-01-02T00:00:00Z",
                "scheme": "ecdsa-sha2-nistp256",
                "keyids": ["one"],
                "witness": {"root": "r", "logs": 1, "times": 2},
            },
            "narrow": {"public_key": narrow.pem, "scheme": "rsassa-pss-sha256"},
            "wide": {"public_key": wide.pem},
        },
        "roots": {"r": {"document": ROOT.raw.decode(), "profile": asdict(GITHUB)}},
        "revocations": {"signed_by": ["wide"]},
    }
    assert trust.digest == hashlib.sha256(trust.to_json()).hexdigest()
    assert json.loads(Trust(keys=(A,)).to_json()) == {
        "version": 1,
        "keys": {"a": {"public_key": KEY.pem, "scheme": "ecdsa-sha2-nistp256"}},
    }
    assert json.loads(Trust(roots=(github,)).to_json())["keys"] == {}


# --- what a key is believed for --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "covered"),
    [
        (START - TICK, False),
        (START, True),
        (START + timedelta(days=100), True),
        (END, True),  # the window is closed at both ends
        (END + TICK, False),
    ],
)
def test_cve_2026_54787_a_key_is_believed_within_its_window(at: datetime, covered: bool) -> None:
    key = TrustedKey(name="a", key=KEY, valid_from=START, valid_until=END)
    assert key.covers(at) is covered
    if covered:
        assert names_of(ATTESTATION, key, at=at) == {"a"}
        return
    with pytest.raises(OutsideValidity) as refused:
        names_of(ATTESTATION, key, at=at)
    assert refused.value.where == "keys.a"
    assert refused.value.wanted == "from 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z"


def test_half_a_window_is_open_on_the_other_side() -> None:
    assert TrustedKey(name="a", key=KEY, valid_from=START).covers(datetime.max.replace(tzinfo=UTC))
    assert TrustedKey(name="a", key=KEY, valid_until=END).covers(datetime.min.replace(tzinfo=UTC))
    assert TrustedKey(name="a", key=KEY, valid_from=START, valid_until=START).covers(START)
    assert TrustedKey(name="a", key=KEY).window == "from any time until any time"


def test_a_key_has_every_name_whose_window_holds() -> None:
    early = TrustedKey(name="early", key=KEY, valid_until=START)
    late = TrustedKey(name="late", key=KEY, valid_from=START)
    assert names_of(ATTESTATION, early, late, at=START) == {"early", "late"}
    assert names_of(ATTESTATION, early, late, at=START + TICK) == {"late"}


def test_cve_2020_6174_one_key_under_two_names_is_one_signer() -> None:
    proved = prove(ATTESTATION, Trust.of(a=KEY, b=KEY), claimed_at=START)
    assert [(p.signer.principal, set(p.signer.names)) for p in proved] == [(f"key:{KEY.fingerprint}", {"a", "b"})]


@pytest.mark.parametrize(
    ("keyid", "hint", "believed"),
    [("one", "", True), ("", "two", True), ("other", "", False), ("", "", False), ("other", "one", False)],
)
def test_keyids_are_one_more_demand(keyid: str, hint: str, believed: bool) -> None:
    key = TrustedKey(name="a", key=KEY, keyids=("one", "two"))
    if believed:
        assert names_of(named(keyid, hint), key) == {"a"}
        return
    with pytest.raises(KeyUntrusted) as refused:
        names_of(named(keyid, hint), key)
    assert refused.value.code == "verification.key-untrusted"


def test_a_keyid_never_lets_anything_in() -> None:
    stranger = TrustedKey(name="a", key=OTHER, keyids=("one",))
    with pytest.raises(GlasswingError) as refused:
        names_of(named("one"), stranger)
    assert refused.value.code == "verification.key-untrusted"


def test_times_that_nobody_witnessed_are_accepted_only_when_asked() -> None:
    with pytest.raises(TimeUnproven) as refused:
        prove(ATTESTATION, Trust.of(a=KEY))
    assert refused.value.code == "verification.time-unproven"


def test_a_scheme_that_is_not_trusted_proves_nothing() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = KeySigner(private)
    attestation = Attestation.parse(signer.seal(statement(), PAYLOAD_TYPE))
    narrowed = PublicKey.from_pem(signer.public_key.pem, scheme="rsassa-pss-sha256")
    with pytest.raises(GlasswingError) as refused:
        names_of(attestation, TrustedKey(name="a", key=narrowed))
    assert refused.value.code == "verification.signature", "the hint names the key, and the key did not sign so"
    both = PublicKey.from_pem(signer.public_key.pem)
    assert names_of(attestation, TrustedKey(name="pss", key=narrowed), TrustedKey(name="both", key=both)) == {"both"}


def test_the_signature_covers_the_type() -> None:
    envelope = Envelope(
        payload=statement(), payload_type="application/vnd.in-toto.x+json", signatures=ATTESTATION.envelope.signatures
    )
    assert envelope.signed_bytes == pae("application/vnd.in-toto.x+json", statement())
    with pytest.raises(GlasswingError) as refused:
        names_of(Attestation.parse(Bundle.of_key(envelope, KEY.hint)), TrustedKey(name="a", key=KEY))
    assert refused.value.code == "verification.signature"
