"""Is a Metablock read as it was signed, with everything that is in it?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import CryptoSigner

from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import BUILT_IN, read, registry_of
from glasswing_attest.errors import (
    DuplicateKey,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    LimitError,
    NotUtf8,
    NumberRefused,
    SignatureUnsupported,
    StatementTypeUnsupported,
)
from glasswing_attest.limits import Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.statement.predicates.classic_link import ClassicLink
from glasswing_attest.statement.statement import Statement
from glasswing_attest.testing import tamper
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.procedure import prove
from tests.layouts import digest, link, metablock, public, things

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SIGNER = CryptoSigner.generate_ed25519()
TRUST = Trust.of(builder=public(SIGNER))
MADE = link("package", materials=things(foo__py="a"), products=things(foo__tar="b"), command=["tar", "c"])


def proved(data: bytes, trust: Trust = TRUST) -> VerifiedStatement:
    (verified,) = prove(Attestation.parse(data), trust, claimed_at=NOW)
    return verified


def changed(data: bytes, **members: Any) -> bytes:
    """The Metablock with other members in what is signed, and the signatures it had."""
    told = json.loads(data)
    return json.dumps({**told, "signed": {**told["signed"], **members}}).encode()


def test_a_signed_link_becomes_a_claim() -> None:
    claim = read(proved(metablock(MADE, SIGNER)), registry_of())
    assert claim.signer.names == {"builder"}
    assert claim.statement.type == "link"
    assert claim.statement.predicate_type == "https://in-toto.io/Link/v1"
    assert [(s.name, s.digest.to_dict()) for s in claim.statement.subjects] == [("foo.tar", digest("b"))]
    assert isinstance(claim.predicate, ClassicLink)
    assert (claim.predicate.name, claim.predicate.command) == ("package", ("tar", "c"))
    assert [(d.kind, d.resource.name, d.resource.digest.to_dict()) for d in claim.dependencies] == [
        ("dependency", "foo.py", digest("a"))
    ]
    assert "https://in-toto.io/Link/v1" in {kind.uri for kind in BUILT_IN}


def test_it_is_told_apart_by_its_shape() -> None:
    attestation = Attestation.parse(metablock(MADE, SIGNER))
    assert isinstance(attestation.envelope, Metablock)
    assert attestation.bundle is None
    assert attestation.container == "in-toto Metablock"
    assert attestation.envelope.payload_type == "application/vnd.in-toto+json"


def test_fields_that_nobody_here_knows_were_signed_too() -> None:
    data = metablock({**MADE, "x-vendor": {"nested": [1, None, True]}}, SIGNER)
    assert proved(data).statement.predicate["x-vendor"] == {"nested": [1, None, True]}
    for other in ({"nested": [1, None]}, None, {}):
        with pytest.raises(KeyUntrusted) as refused:
            proved(changed(data, **{"x-vendor": other}))
        assert refused.value.where == "$.signatures"
    with pytest.raises(KeyUntrusted):
        proved(changed(metablock(MADE, SIGNER), extra="added"))


def test_white_space_and_order_of_the_container_say_nothing() -> None:
    data = metablock(MADE, SIGNER)
    told = json.loads(data)
    turned = {"signed": dict(reversed(told["signed"].items())), "signatures": told["signatures"]}
    for other in (json.dumps(told, indent=3), json.dumps(turned), json.dumps(told, separators=(",", ":"))):
        assert proved(other.encode()).statement == proved(data).statement
        assert Attestation.parse(other.encode()).payload_digest == Attestation.parse(data).payload_digest


def test_a_link_signed_over_another_encoding_is_refused() -> None:
    # As many would sign who have not read in-toto's specification: RFC 8785 differs where a control character is.
    told = {**MADE, "byproducts": {"stdout": "line\n"}}
    other = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    data = json.dumps({"signed": told, "signatures": [{"keyid": "", "sig": SIGNER.sign(other).signature}]}).encode()
    assert Attestation.parse(data).envelope.signed_bytes != other
    with pytest.raises(KeyUntrusted) as refused:
        proved(data)
    assert (refused.value.code, refused.value.where) == ("verification.key-untrusted", "$.signatures")


def test_control_characters_are_signed_raw_and_read_as_json() -> None:
    told = {**MADE, "byproducts": {"stdout": 'a\tb\n\x00\x1f\x7f "quoted" \\n \u2028'}}
    attestation = Attestation.parse(metablock(told, SIGNER))
    assert b"\n" in attestation.envelope.signed_bytes
    assert b"\n" not in attestation.envelope.payload
    assert json.loads(attestation.envelope.payload) == told
    assert proved(attestation.bytes).statement.predicate["byproducts"] == told["byproducts"]


def test_names_are_compared_as_they_stand_and_never_normalised() -> None:
    composed, decomposed = "caf\u00e9.py", "cafe\u0301.py"
    both = {composed: digest("a"), decomposed: digest("b")}
    data = metablock({**MADE, "products": both}, SIGNER)
    assert {s.name: s.digest.to_dict() for s in proved(data).statement.subjects} == both
    swapped = {composed: digest("b"), decomposed: digest("a")}
    with pytest.raises(KeyUntrusted):
        proved(changed(data, products=swapped))
    with pytest.raises(KeyUntrusted):
        proved(changed(metablock({**MADE, "name": composed}, SIGNER), name=decomposed))


def test_integers_are_exact() -> None:
    data = metablock({**MADE, "byproducts": {"size": 2**64 + 1}}, SIGNER)
    assert proved(data).statement.predicate["byproducts"] == {"size": 2**64 + 1}
    with pytest.raises(KeyUntrusted):
        proved(data.replace(b"18446744073709551617", b"18446744073709551616"))


# --- refused ---------------------------------------------------------------------------------------------------------

SIG = {"keyid": "", "sig": "00"}


@pytest.mark.parametrize(
    ("signed", "signatures", "error", "code", "where"),
    [
        ({**MADE, "byproducts": {"a": [1, 1.5]}}, [SIG], NumberRefused, "malformed.number", "$.signed.byproducts.a[1]"),
        ({**MADE, "byproducts": {"a": 1.0}}, [SIG], NumberRefused, "malformed.number", "$.signed.byproducts.a"),
        ([], [SIG], FieldRefused, "malformed.field", "$.signed"),
        ({}, [SIG], FieldMissing, "malformed.field-missing", "$.signed._type"),
        ({"_type": "root"}, [SIG], StatementTypeUnsupported, "unsupported.statement-type", "$.signed._type"),
        (
            {"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": digest("a")}], "predicateType": "a:b"},
            [SIG],
            StatementTypeUnsupported,
            "unsupported.statement-type",
            "$.signed._type",
        ),
        (MADE, [], FieldMissing, "malformed.field-missing", "$.signatures"),
        (MADE, [{"keyid": ""}], FieldMissing, "malformed.field-missing", "$.signatures[0].sig"),
        (MADE, [{"sig": ""}], FieldRefused, "malformed.field", "$.signatures[0].sig"),
        (MADE, [{"sig": "0"}], FieldRefused, "malformed.field", "$.signatures[0].sig"),
        (MADE, [{"sig": "AB"}], FieldRefused, "malformed.field", "$.signatures[0].sig"),
        (MADE, [{"sig": "a b "}], FieldRefused, "malformed.field", "$.signatures[0].sig"),
        (MADE, [{"sig": "YWJj="}], FieldRefused, "malformed.field", "$.signatures[0].sig"),
        (
            MADE,
            [{"keyid": "aa", "other_headers": "04", "signature": "00"}],
            SignatureUnsupported,
            "unsupported.signature",
            "$.signatures",
        ),
        (MADE, [SIG] * 33, LimitError, "limit", "$.signatures"),
    ],
)
def test_what_is_no_metablock_is_refused(
    signed: object, signatures: object, error: type[GlasswingError], code: str, where: str
) -> None:
    with pytest.raises(error) as refused:
        Attestation.parse(json.dumps({"signed": signed, "signatures": signatures}).encode())
    assert (refused.value.code, refused.value.where) == (code, where)


@pytest.mark.parametrize(
    ("text", "error", "where"),
    [
        ('{"_type": "link", "name": "a", "name": "b"}', DuplicateKey, "$.signed.name"),
        ('{"_type": "layout", "_type": "link"}', DuplicateKey, "$.signed._type"),
        ('{"_type": "link", "products": {"a": {}, "a": {}}}', DuplicateKey, "$.signed.products.a"),
        ('{"_type": "link", "name": "\\ud800"}', NotUtf8, "$.signed.name"),
        ('{"_type": "link", "n": NaN}', NumberRefused, "$.signed.n"),
    ],
)
def test_what_two_readers_would_read_in_two_ways_is_refused(text: str, error: type[GlasswingError], where: str) -> None:
    with pytest.raises(error) as refused:
        Attestation.parse(f'{{"signed": {text}, "signatures": [{{"sig": "00"}}]}}'.encode())
    assert refused.value.where == where


def test_its_size_is_bounded() -> None:
    data = metablock(MADE, SIGNER)
    with pytest.raises(LimitError) as refused:
        Attestation.parse(data, limits=Limits(statement_bytes=64))
    assert refused.value.where == "$.signed"


def test_an_openpgp_signature_beside_another_takes_nothing_away() -> None:
    told = json.loads(metablock(MADE, SIGNER))
    told["signatures"].insert(0, {"keyid": "aa", "other_headers": "04", "signature": "00"})
    assert proved(json.dumps(told).encode()).signer.names == {"builder"}


# --- laws ------------------------------------------------------------------------------------------------------------


def test_every_mutation_is_refused_or_changes_no_proven_fact() -> None:
    mine = metablock({**MADE, "byproducts": {"return-value": 0, "stderr": "a\n"}}, SIGNER)
    other = metablock({**MADE, "name": "other", "products": things(evil="c")}, CryptoSigner.generate_ed25519())
    facts = proved(mine).statement
    kinds = dict.fromkeys(tamper.KINDS, 0)
    same: list[str] = []
    for mutation in tamper.mutations(mine, other=other):
        kinds[mutation.kind] += 1
        try:
            verified = proved(mutation.data)
        except GlasswingError:
            continue
        assert verified.statement == facts, mutation
        assert verified.signer.names == {"builder"}, mutation
        same.append(mutation.path)
    assert min(kinds.values()) > 0, kinds
    assert same
    # What may change without a trace is the hint of the key, its absence, what is added beside it, and white space.
    told = json.loads(mine)
    begin = mine.index(b'"keyid"')
    for path in same:
        if path.startswith("$#"):
            at = int(path[2:])
            assert mine[at : at + 1] == b" " or begin <= at < begin + len(told["signatures"][0]["keyid"]) + 12, path
        else:
            assert not path.startswith("$.signed"), path


_text = st.text(st.characters(codec="utf-8"))
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(("a", "b", "\u00e9", "\n", '"', "\\")), _json), st.booleans())
def test_what_is_read_is_what_was_signed(members: dict[str, Any], spaced: bool) -> None:
    signed = {**members, **MADE}
    data = metablock(signed, SIGNER)
    text = json.dumps(json.loads(data), ensure_ascii=spaced, indent=1 if spaced else None).encode()
    attestation = Attestation.parse(text)
    assert json.loads(attestation.envelope.payload) == signed
    assert Statement.parse_unverified(attestation.envelope.payload).digest == attestation.payload_digest
    assert proved(text).statement.predicate == {k: v for k, v in signed.items() if k not in ("_type", "products")}
