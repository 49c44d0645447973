"""Whatever comes in, only our own errors come out, each one printable line; and nothing forged is ever proved."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glasswing_attest._api import assess, attest
from glasswing_attest._wire import encode_base64
from glasswing_attest.artifact.file import Blob
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.errors import GlasswingError
from glasswing_attest.keys import PublicKey
from glasswing_attest.policy.policy import Policy
from glasswing_attest.records.model import ModelRecord
from glasswing_attest.report.case import unpack
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.predicates.provenance import Provenance
from glasswing_attest.statement.predicates.summary import VerificationSummary
from glasswing_attest.statement.statement import Statement
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.procedure import prove
from tests.shared import cases

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNER = KeySigner.generate("ed25519")
TRUST = Trust.of(signer=SIGNER.public_key)
BLOB = Blob(b"w", name="w.bin")
MADE = attest(BLOB, ModelRecord(name="m"), signer=SIGNER)
POLICY_TEXT = f"""
version: 1
times: claimed
identities: {{signer: {{key: signer}}}}
nodes:
  file:
    require: [{{predicate: "{ModelRecord.predicate_type}", signed_by: {{any_of: [signer]}}}}]
""".encode()
POLICY = Policy.parse(POLICY_TEXT)
REPORT = assess(BLOB, MADE, policy=POLICY, trust=TRUST)
SET = AttestationSet(items=(MADE.bytes, BLOB.measure())).to_bytes()
PROVENANCE = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {"buildType": "x:y", "resolvedDependencies": [{"uri": "x:y", "digest": {"md5": "a"}}]},
            "runDetails": {"builder": {"id": "b"}, "metadata": {"startedOn": "2026-01-02T03:04:05Z"}},
        },
    }
).encode()


def ours(call: Callable[[], object]) -> GlasswingError | None:
    """The error, if it is ours; any other goes on and fails the test."""
    try:
        call()
    except GlasswingError as e:
        text = str(e)
        assert text.isprintable(), text  # every refusal is held to this
        assert len(text) < 8_000
        return e
    return None


# --- garbage and changed bytes ---------------------------------------------------------------------------------------

SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "aGk=", "a*", "\ud800", 10**400, -1, "0", "1e3", "https://in-toto.io/Statement/v1"]),
)
WORDS = st.sampled_from(
    [
        "mediaType",
        "verificationMaterial",
        "publicKey",
        "hint",
        "certificate",
        "rawBytes",
        "tlogEntries",
        "dsseEnvelope",
        "payload",
        "payloadType",
        "signatures",
        "sig",
        "keyid",
        "_type",
        "subject",
        "digest",
        "sha256",
        "predicateType",
        "predicate",
        "version",
        "keys",
        "public_key",
        "file",
        "identities",
        "nodes",
        "require",
        "signed_by",
        "any_of",
        "trim",
        "reason",
        "a",
    ]
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5)
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def changed_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """A run of `whole` dropped, doubled, replaced by junk or cut off."""
    start = draw(st.integers(0, len(whole)))
    end = min(len(whole), start + draw(st.integers(0, 12)))
    junk = draw(
        st.binary(max_size=6) | st.sampled_from([b'"', b"{", b"]", b",", b"\0", b"\xff", b"\n", b"\\ud800", b"1e9"])
    )
    return draw(
        st.sampled_from(
            [whole[:start] + junk + whole[end:], whole[:start] + junk + whole[start:], whole[:end], whole + junk]
        )
    )


@st.composite
def changed_json(draw: st.DrawFn, whole: bytes) -> bytes:
    """One value somewhere in the tree replaced, dropped or doubled."""
    root: Any = {"": json.loads(whole)}
    holder: Any = root
    key: Any = ""
    for _ in range(draw(st.integers(0, 6))):
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner:
            break
        holder, key = inner, draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
    how = draw(st.sampled_from(["replace", "drop", "double", "rename"]))
    if how == "replace" or holder is root:
        holder[key] = draw(TREES)
    elif how == "drop":
        del holder[key]
    elif isinstance(holder, list):
        holder.append(holder[key])
    else:
        holder[draw(WORDS | st.text(max_size=4))] = holder[key] if how == "double" else holder.pop(key)
    return _json(root[""])


ANYTHING = st.binary(max_size=120) | TREES.map(_json)
HOSTILE = [
    b"",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"1e99999999999999999999",
    b"9" * 5000,
    b'{"mediaType": 1e99999999999999999999}',
    b'{"payload": {}, "payloadType": []}',
    b"." * 10_000_000,  # CVE-2025-66506: text that invites to split it
    b'"' + b"\\" * 100_000,
    b"\xef\xbb\xbf{}",
    b"{}" * 1000,
    b"a: &a [*a]",
    b"? " * 500,
    b"- " * 500,
    b"a: !!python/name:os.system",
    b"%YAML 9.9\n---\na: 1",
    b"\x00\x00\xfe\xff",
]

PARSERS: dict[str, Callable[[bytes], object]] = {
    "attestation": Attestation.parse,
    "statement": Statement.parse_unverified,
    "policy.yaml": Policy.parse,
    "policy.json": lambda data: Policy.parse(data, suffix=".json"),
    "policy.toml": lambda data: Policy.parse(data, suffix=".toml"),
    "trust.yaml": Trust.parse,
    "trust.json": lambda data: Trust.parse(data, suffix=".json"),
    "trust.toml": lambda data: Trust.parse(data, suffix=".toml"),
    "key": PublicKey.from_pem,
    "private key": KeySigner.from_pem,
    "set": lambda data: AttestationSet.read(io.BytesIO(data)),
    "manifest": Manifest.from_proto,
    "listing": Manifest.from_listing,
    "provenance": lambda data: Provenance.from_predicate(Statement.parse_unverified(data).predicate_node),
    "summary": lambda data: VerificationSummary.from_predicate(Statement.parse_unverified(data).predicate_node),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(deadline=None, max_examples=60)
@given(data=ANYTHING)
def test_cve_2026_23991_garbage_raises_only_our_errors(name: str, data: bytes) -> None:
    ours(lambda: PARSERS[name](data))


@pytest.mark.parametrize("name", PARSERS)
def test_hostile_input_raises_only_our_errors(name: str) -> None:
    refused = [ours(lambda data=data: PARSERS[name](data)) for data in HOSTILE]  # type: ignore[misc]
    assert all(refused), [data[:40] for data, e in zip(HOSTILE, refused, strict=True) if e is None]


BASES: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "attestation": (Attestation.parse, MADE.bytes),
    "statement": (Statement.parse_unverified, MADE.envelope.payload),
    "provenance": (PARSERS["provenance"], PROVENANCE),
    "policy.json": (PARSERS["policy.json"], POLICY.to_json()),
    "trust.json": (PARSERS["trust.json"], TRUST.to_json()),
}


@pytest.mark.parametrize("name", BASES)
@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_changed_json_raises_only_our_errors(name: str, data: st.DataObject) -> None:
    parse, whole = BASES[name]
    ours(lambda: parse(whole))
    changed = data.draw(changed_json(whole))
    ours(lambda: parse(changed))


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("policy.yaml", POLICY_TEXT),
        ("trust.yaml", TRUST.to_json()),
        ("key", SIGNER.public_key.pem.encode()),
        ("key", SIGNER.public_key.der),
        ("set", SET),
        ("manifest", BLOB.measure().to_proto()),
        ("listing", BLOB.measure().listing),
        ("attestation", MADE.bytes),
        ("statement", PROVENANCE),
    ],
    ids=["policy", "trust", "pem", "der", "set", "manifest", "listing", "attestation", "statement"],
)
@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_changed_bytes_raise_only_our_errors(name: str, whole: bytes, data: st.DataObject) -> None:
    assert ours(lambda: PARSERS[name](whole)) is None
    changed = data.draw(changed_bytes(whole))
    ours(lambda: PARSERS[name](changed))


# --- case files ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def case_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("case") / "case.zip"
    REPORT.case(path)
    return path


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_case_raises_only_our_errors(case_file: Path, data: st.DataObject) -> None:
    whole = case_file.read_bytes()
    changed = case_file.with_name("changed.zip")
    assert ours(lambda: unpack(case_file)) is None
    # Often near the end, where a zip file keeps its directory.
    head = whole[:-300]
    both = changed_bytes(whole) | changed_bytes(whole[-300:]).map(lambda tail: head + tail)
    changed.write_bytes(data.draw(st.binary(max_size=80) | both))
    ours(lambda: unpack(changed))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_case_with_a_changed_member_raises_only_our_errors(case_file: Path, data: st.DataObject) -> None:
    with zipfile.ZipFile(case_file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    members[name] = data.draw(changed_json(members[name]) if name.endswith(".json") else changed_bytes(members[name]))
    changed = case_file.with_name("member.zip")
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_STORED) as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    ours(lambda: unpack(changed))


# --- what is proved --------------------------------------------------------------------------------------------------


def _proves_nothing_else(whole: bytes, changed: bytes, trust: Trust) -> None:
    """A changed container is refused, or says byte for byte what was signed, by the same signer."""

    def facts(data: bytes) -> set[tuple[bytes, str, frozenset[str]]]:
        proved = prove(Attestation.parse(data), trust, claimed_at=NOW)
        return {(p.statement.payload, p.signer.principal, p.signer.names) for p in proved}

    if ours(lambda: facts(changed)) is None:
        assert facts(changed) == facts(whole)


@settings(deadline=None, max_examples=200)
@given(changed_bytes(MADE.bytes) | changed_json(MADE.bytes))
@example(MADE.bytes)
def test_a_changed_attestation_proves_what_was_signed_or_nothing(changed: bytes) -> None:
    _proves_nothing_else(MADE.bytes, changed, TRUST)


@settings(deadline=None, max_examples=60)
@given(st.lists(changed_bytes(MADE.bytes) | changed_json(MADE.bytes) | ANYTHING, max_size=3))
def test_a_pile_of_garbage_is_a_report_and_never_a_yes(pile: list[bytes]) -> None:
    other = Blob(b"another artifact", name="w.bin")
    report = assess(other, pile, policy=POLICY, trust=TRUST)
    assert not report.accepted
    assert report.to_text()
    assert assess(BLOB, [*pile, MADE], policy=POLICY, trust=TRUST).accepted, "junk beside good evidence changes nothing"


# --- bundles that others made ----------------------------------------------------------------------------------------

_SIGNED = {
    "oms": ("scripts/tests/v1.1.0-elliptic-key/model.sig", "scripts/tests/keys/certificate/signing-key-pub.pem"),
    "oms before 1.1": (
        "scripts/tests/v1.0.0-elliptic-key/model.sig",
        "scripts/tests/keys/certificate/signing-key-pub.pem",
    ),
}


@cache
def _bundles(folder: Path) -> tuple[bytes, ...]:
    """One bundle of every client and version: the smaller ones, told apart by their members."""
    found: dict[object, bytes] = {}
    for parameter in cases("sigstore-bundle"):
        path = folder / parameter.values[0].files["bundle"]
        data = path.read_bytes()
        if len(data) < 12_000 and ours(lambda data=data: Attestation.parse(data)) is None:  # type: ignore[misc]
            value = json.loads(data)
            shape = (parameter.values[0].corpus, value["mediaType"], tuple(value["verificationMaterial"]))
            found.setdefault(shape, data)
    assert len(found) > 8
    return tuple(found.values())


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_changed_bundles_of_others_raise_only_our_errors(shared_data: Path, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(_bundles(shared_data)))
    changed = data.draw(changed_json(whole) | changed_bytes(whole))
    refused = ours(lambda: prove(Attestation.parse(changed), TRUST, claimed_at=NOW))
    assert refused is not None, "none of them is signed with a key of ours"


@pytest.mark.parametrize("name", _SIGNED)
@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_changed_model_signatures_prove_what_was_signed_or_nothing(
    name: str, shared_data: Path, data: st.DataObject
) -> None:
    folder = shared_data / "model-transparency"
    bundle, key = ((folder / part).read_bytes() for part in _SIGNED[name])
    trust = Trust.of(signer=PublicKey.from_pem(key))
    assert prove(Attestation.parse(bundle), trust, claimed_at=NOW)
    _proves_nothing_else(bundle, data.draw(changed_bytes(bundle) | changed_json(bundle)), trust)


def test_ghsa_r2xv_vpr2_42m9_every_byte_of_an_envelope_counts() -> None:
    # Every byte of the container, changed in turn: refused, or the signed facts are the same.
    for position in range(len(MADE.bytes)):
        changed = bytearray(MADE.bytes)
        changed[position] ^= 1
        _proves_nothing_else(MADE.bytes, bytes(changed), TRUST)
    payload = bytearray(MADE.envelope.payload)
    for position in range(len(payload)):
        payload[position] ^= 1
        raw = json.loads(MADE.bytes)
        raw["dsseEnvelope"]["payload"] = encode_base64(bytes(payload))
        payload[position] ^= 1
        refused = ours(lambda raw=raw: prove(Attestation.parse(_json(raw)), TRUST, claimed_at=NOW))  # type: ignore[misc]
        assert refused is not None
        assert refused.code == "verification.signature"
