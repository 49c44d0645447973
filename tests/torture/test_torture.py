"""Does the law hold for a fixed part of the torture, and would an engine that breaks it be noticed?"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import FieldRefused, GlasswingError
from glasswing_attest.keys import PublicKey
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.trust.sigstore import Authority
from glasswing_attest.verification import identity, timestamps, transparency
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.clock import time_unverified
from glasswing_attest.verification.note import Note
from glasswing_attest.verification.procedure import prove
from tests.torture import mutators
from tests.torture.kept import Source, keep, take_up
from tests.torture.law import Outcome
from tests.torture.materials import RECORDED, ours
from tests.torture.page import told
from tests.torture.run import Finding, change, run, tortured
from tests.torture.targets import KINDS, targets

# A certificate of others names a country with three letters, which `cryptography` warns of when it reads it.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")

COUNT = 300


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_changed_is_refused_or_proves_the_same(kind: str) -> None:
    tally = tortured(kind, 1, range(COUNT))
    assert not tally.findings, "\n".join(map(str, tally.findings))
    assert tally.total == COUNT
    # A mutator that only breaks the outermost shape would try nothing, and one that changes nothing would be accepted.
    assert tally.outcomes[Outcome.REFUSED] > COUNT // 2
    assert tally.outcomes[Outcome.SAME] > 0
    assert len(tally.refusals) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_of_ours_proves_what_it_proved_before_it_was_changed(kind: str) -> None:
    for target in {each.name: each for each in targets(kind)}.values():
        assert target.judge(target.part) is Outcome.SAME, target.name


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_comes_again_from_its_kind_seed_and_number(kind: str) -> None:
    numbers = range(0, 3 * len(targets(kind)), 7)
    first = [change(kind, 3, number) for number in numbers]
    again = [change(kind, 3, number) for number in reversed(numbers)]
    assert [(c.target.name, c.data) for c in first] == [(c.target.name, c.data) for c in reversed(again)]
    assert sum(c.data != c.target.part for c in first) > 0.9 * len(first)


# --- a broken engine is noticed --------------------------------------------------------------------------------------


def _found(kind: str, count: int) -> set[Outcome]:
    targets(kind)  # what the unchanged bundles prove is asked of the engine as it was
    return {finding.outcome for finding in tortured(kind, 2, range(count)).findings}


def _any_path(leaf: Leaf, _embedded: object, authorities: Iterable[Authority], *_: object, **__: object) -> object:
    return leaf.certificate, next(iter(authorities)).chain[0]


def _any_stamp(stamp: bytes, _signature: bytes, clocks: Iterable[Authority]) -> tuple[datetime, Authority]:
    return time_unverified(stamp), next(iter(clocks))


# Of each kind: the check that is left out, what stands there instead, and where the same check fails as it should not.
_CHECKS: dict[str, tuple[object, str, Callable[..., object]]] = {
    "certificate": (identity, "validate_path", _any_path),
    "key": (PublicKey, "check", lambda key, *_, **__: key.schemes[0]),
    "rekor-v1": (transparency, "check_body", lambda *_, **__: None),
    "rekor-v2": (transparency, "check_body", lambda *_, **__: None),
    "timestamp": (timestamps, "check_stamp", _any_stamp),
    "sct": (identity, "require_promises", lambda *_: None),
    "checkpoint": (Note, "signed_by", lambda note, *_: note.signatures[0]),
    "statement": (PublicKey, "check", lambda key, *_, **__: key.schemes[0]),
}


def test_every_kind_has_a_check_that_is_broken() -> None:
    assert list(_CHECKS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_without_a_check_is_found_out(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    targets(kind)
    owner, name, instead = _CHECKS[kind]
    monkeypatch.setattr(owner, name, instead)
    assert Outcome.WRONG in _found(kind, 300)


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_exception_is_found_out(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise _NobodysError

    targets(kind)
    owner, name, _ = _CHECKS[kind]
    monkeypatch.setattr(owner, name, broken)
    assert _found(kind, 300) == {Outcome.FOREIGN}


class _NobodysError(Exception):
    """An error that no part of the engine knows."""


# What stands behind a signature: a part of the check is left out, and what is signed anew must find that.


def test_an_engine_that_believes_a_stamp_over_anything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    targets("timestamp")
    monkeypatch.setattr(timestamps, "check_stamp", _any_stamp)
    found = tortured("timestamp", 2, range(600)).findings
    assert {"TSTInfo", "signed attributes", "SignerInfo"} <= {
        name for name in ("TSTInfo", "signed attributes", "SignerInfo") for each in found if name in each.target
    }


def test_an_engine_that_takes_any_certificate_which_the_authority_issued_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    targets("certificate")
    monkeypatch.setattr(identity, "validate_path", _any_path)
    found = tortured("certificate", 2, range(600)).findings
    assert any(each.target.endswith("issued anew") for each in found)


# --- a run goes on where it ended ------------------------------------------------------------------------------------


def test_what_was_counted_is_taken_up_again_and_added_to(tmp_path: Path) -> None:
    source = Source(revision="r", digest="d", others=0, seed=2)
    first = tortured("key", 2, range(200))
    first.findings.append(Finding(kind="key", seed=2, number=7, target="t", outcome=Outcome.WRONG, says="s"))
    keep([first], source, tmp_path / "torture.json")
    again = take_up(KINDS, source, tmp_path / "torture.json")
    assert list(again) == list(KINDS)
    assert again["key"] == first
    assert again["sct"].total == 0
    pieces = [piece.kind for piece in run([again["key"]], 2, 200, processes=1)]
    assert pieces == []  # nothing is left
    changed = replace(source, digest="e")
    assert take_up(KINDS, changed, tmp_path / "torture.json")["key"].total == 0


def test_the_page_says_of_a_run_that_was_cut_off_that_it_was() -> None:
    source = Source(revision="r with changes", digest="d", others=0, seed=2)
    tally = tortured("key", 2, range(50))
    assert "Cut short" not in told([tally], source, 50)
    text = told([tally], source, 1000)
    assert "revision r with changes, seed 2" in text
    assert "Cut short: 1,000 changes of each were wanted, and of one there are 50." in text
    assert f"| key | {len({each.name for each in targets('key')})} | 50 |" in text


# --- mutators --------------------------------------------------------------------------------------------------------


def test_der_is_written_as_it_was_read() -> None:
    for kind in ("certificate", "timestamp"):
        for target in targets(kind):
            if target.mutator is mutators.der:
                tree = mutators.parse_der(target.part)
                assert tree is not None, target.name
                assert mutators.write_der(tree) == target.part


@pytest.mark.parametrize(
    ("mutator", "part"),
    [
        (mutators.octets, b"some bytes"),
        (mutators.json_text, b'{"a":[1,"x",{"b":null}],"c":"aGVsbG8gd29ybGQh"}'),
        (mutators.note, b"origin\n7\nAAAA\n\n\xe2\x80\x94 name AAAAAAAA\n"),
    ],
    ids=["octets", "json", "note"],
)
def test_a_mutator_takes_anything_and_never_fails(mutator: mutators.Mutator, part: bytes) -> None:
    made = {part}
    data = part
    for number in range(2000):
        data = mutator(Random(number), data[:500], part)
        made.add(data)
    assert mutator(Random(1), b"", b"") is not None
    assert len(made) > 1000


# --- what the torture found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["uri", "other"])
def test_a_certificate_for_nobody_is_refused(kind: str) -> None:
    # certificate 0 2701: an authority that issues a certificate with an empty name.
    sigstore = VirtualSigstore()
    holder = Holder(san="", kind=kind)  # type: ignore[arg-type]
    signed = sigstore.sign(Attestation.parse(ours()[0].bundle).envelope.payload, identity=holder)
    with pytest.raises(FieldRefused) as refused:
        prove(signed, sigstore.trust())
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "$.verificationMaterial.certificate.subjectAltName"


@pytest.mark.parametrize("number", [8, 1])
def test_a_certificate_with_an_issuer_who_is_nobody_is_refused(number: int) -> None:
    # certificate 11 916: an authority that issues a certificate whose issuer is an empty text.
    (target,) = {
        each.name: each for each in targets("certificate") if each.name == "v2 #0 certificate, issued anew"
    }.values()
    issuer = b"https://token.actions.githubusercontent.com"
    told = mutators.write_der([(0x0C, issuer)]) if number == 8 else issuer
    empty = b"\x0c\0" if number == 8 else b""
    oid = bytes.fromhex("060a2b0601040183bf3001") + bytes((number,))
    tree = mutators.parse_der(target.part)
    assert tree is not None
    changed = mutators.write_der(_replaced(tree, oid, told, empty, drop=oid[:-1] + b"\x08" if number == 1 else b""))
    assert changed != target.part
    with pytest.raises(FieldRefused) as refused:
        target.judge(changed)
    assert refused.value.code == "malformed.field"
    assert refused.value.where == "$.verificationMaterial.certificate.issuer"


def _replaced(elements: mutators.Der, oid: bytes, old: bytes, new: bytes, *, drop: bytes) -> mutators.Der:
    """Give the elements with another value in the extension of this OID, and without the one to drop."""
    found: mutators.Der = []
    for tag, inner in elements:
        if isinstance(inner, bytes):
            found.append((tag, inner))
            continue
        first = mutators.write_der(inner[:1])
        if first == drop:
            continue
        if first == oid:
            assert mutators.write_der(inner[1:])[2:] == old
            found.append((tag, [inner[0], (0x04, new)]))
        else:
            found.append((tag, _replaced(inner, oid, old, new, drop=drop)))
    return found


def test_what_is_recorded_is_ours_alone() -> None:
    names = [material.name for material in ours()]
    assert len(names) == len(set(names)) == 22
    for material in ours():
        assert material.facts.heads
        with pytest.raises(GlasswingError):
            material.question.ask(json.dumps({**material.document, "mediaType": "x"}).encode())


def test_no_key_is_recorded() -> None:
    assert all(number in range(100) for number in json.loads(RECORDED.read_bytes())["keys"].values())
