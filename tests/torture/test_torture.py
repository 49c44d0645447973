"""Does the law hold for a fixed part of the torture, and would an engine that breaks it be noticed?"""

import json
from random import Random

import pytest

from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import FieldRefused, GlasswingError
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.verification import identity, transparency
from glasswing_attest.verification.procedure import prove
from tests.torture import mutators
from tests.torture.law import Outcome
from tests.torture.materials import ours
from tests.torture.run import change, tortured
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
    return {finding.outcome for finding in tortured(kind, 2, range(count)).findings}


def test_an_engine_that_does_not_read_the_logs_body_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transparency, "check_body", lambda *_, **__: None)
    assert _found("rekor-v2", 200) == {Outcome.WRONG}


def test_an_engine_that_takes_certificates_without_promises_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "require_promises", lambda *_: None)
    assert _found("sct", 300) == {Outcome.WRONG}


def test_a_foreign_exception_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("spec")

    monkeypatch.setattr(transparency, "check_body", broken)
    assert _found("rekor-v1", 200) == {Outcome.FOREIGN}


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


def test_what_is_recorded_is_ours_alone() -> None:
    names = [material.name for material in ours()]
    assert len(names) == len(set(names)) == 22
    for material in ours():
        assert material.facts.heads
        with pytest.raises(GlasswingError):
            material.question.ask(json.dumps({**material.document, "mediaType": "x"}).encode())
