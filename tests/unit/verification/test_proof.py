"""Is verified a type and not a flag?"""

import ast
import copy
import dataclasses
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from glasswing_attest import Trust
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.limits import DEFAULT
from glasswing_attest.statement.statement import Statement
from glasswing_attest.verification import binding, identity, procedure, signature, subject, timestamps, transparency
from glasswing_attest.verification.binding import VerifiedPayload, VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.proof import Proof
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.subject import MatchedSubject
from glasswing_attest.verification.timestamps import VerifiedTimes
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import NOW, honest

PROOFS = {
    SignedPayload: signature,
    LoggedSignature: transparency,
    VerifiedTimes: timestamps,
    VerifiedSigner: identity,
    VerifiedPayload: binding,
    VerifiedStatement: binding,
    MatchedSubject: subject,
}
MODULES = sorted((Path(__file__).parents[3] / "src" / "glasswing_attest").rglob("*.py"))


@cache
def proofs() -> dict[type[Proof], Proof]:
    """One of each type, proved honestly."""
    chain = honest()
    (signed,) = signature.check(chain.run, [key.key for key in chain.trust.keys])
    logged = transparency.check(signed)
    times = timestamps.check(logged)
    signer = identity.check(signed, times, chain.trust.keys, claimed_at=NOW)
    payload = binding.check(logged, times, signer)
    statement = binding.read(payload, limits=DEFAULT)
    matched = subject.match(statement, chain.model.digests)
    return {type(p): p for p in (signed, logged, times, signer, payload, statement, matched)}


def all_proof_types(root: type[Proof] = Proof) -> Iterator[type[Proof]]:
    for child in root.__subclasses__():
        yield child
        yield from all_proof_types(child)


def test_every_proof_type_is_tried_here() -> None:
    # A dataclass with slots is made twice, and the first one lingers until it is collected: compare names.
    assert {t.__qualname__ for t in all_proof_types()} == {t.__qualname__ for t in PROOFS}
    assert set(proofs()) == set(PROOFS)


@pytest.mark.parametrize("kind", PROOFS, ids=lambda kind: kind.__name__)
def test_nobody_else_constructs_one(kind: type[Proof]) -> None:
    proof = proofs()[kind]
    names = [f.name for f in dataclasses.fields(proof)]  # type: ignore[arg-type]  # every proof is a dataclass
    values = {name: getattr(proof, name) for name in names}
    with pytest.raises(TypeError, match="seal"):
        kind(**values)
    for seal in (None, object(), True, proof):
        with pytest.raises(TypeError, match="is made by its check only"):
            kind(**values, seal=seal)  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", PROOFS, ids=lambda kind: kind.__name__)
def test_none_is_copied_with_other_contents(kind: type[Proof]) -> None:
    proof = proofs()[kind]
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="never pickled or copied"):
            duplicate(proof)
    with pytest.raises((TypeError, ValueError), match="seal"):
        dataclasses.replace(proof)  # type: ignore[type-var]
    with pytest.raises(TypeError, match="is made by its check only"):
        dataclasses.replace(proof, seal=object())  # type: ignore[type-var]
    field = dataclasses.fields(proof)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(proof, field, None)


@pytest.mark.parametrize("kind", PROOFS, ids=lambda kind: kind.__name__)
def test_nothing_else_passes_for_one(kind: type[Proof]) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__} is a proof"):
        type("Forged", (kind,), {"__post_init__": lambda self, seal: None})


@pytest.mark.parametrize("module", sorted({m.__name__ for m in PROOFS.values()}))
def test_only_its_own_module_names_a_seal(module: str) -> None:
    leaf = module.rsplit(".", 1)[1]
    readers = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = isinstance(node, ast.Attribute) and node.attr == "_SEAL"
            imported = isinstance(node, ast.ImportFrom) and any(a.name == "_SEAL" for a in node.names)
            reflected = isinstance(node, ast.Constant) and node.value == "_SEAL"
            if named or imported or reflected:
                readers.append(path.name)
    assert readers == []
    assert sum(path.parent.name == "verification" and path.stem == leaf for path in MODULES) == 1


def test_each_seal_is_another_object() -> None:
    seals = [module.__dict__["_SEAL"] for module in set(PROOFS.values())]
    assert len({id(seal) for seal in seals}) == len(seals)


def test_only_the_seals_own_modules_construct_proofs() -> None:
    calls = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                owner = next((m.__name__.rsplit(".", 1)[1] for t, m in PROOFS.items() if t.__name__ == name), None)
                if owner is not None:
                    calls.append((name, path.stem, owner))
    assert {name for name, _, _ in calls} == {kind.__name__ for kind in PROOFS}
    assert all(stem == owner for _, stem, owner in calls)


def test_a_statement_is_read_only_from_what_the_steps_before_proved() -> None:
    # The types forbid it, and so does what a step asks of the step before: bytes that merely look right are no proof.
    chain = honest()
    proved = proofs()
    unproved = Envelope(
        payload=chain.run.envelope.payload,
        payload_type=chain.run.envelope.payload_type,
        signatures=(EnvelopeSignature(sig=b"x"),),
    )
    with pytest.raises(AttributeError):
        transparency.check(unproved).signed.key  # type: ignore[arg-type]  # noqa: B018
    with pytest.raises(AttributeError):
        binding.check(unproved, proved[VerifiedTimes], proved[VerifiedSigner])  # type: ignore[arg-type]
    statement = Statement.parse_unverified(chain.run.envelope.payload)
    with pytest.raises(AttributeError):
        subject.match(statement, chain.model.digests)  # type: ignore[arg-type]


def test_the_procedure_takes_the_steps_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = honest()
    taken: list[str] = []
    steps = ((signature, "check"), (transparency, "check"), (timestamps, "check"), (identity, "check"))
    for module, name in (*steps, (binding, "check"), (binding, "read")):

        def step(*args: object, _was: object = getattr(module, name), _as: str = module.__name__, **more: object):  # type: ignore[no-untyped-def]
            taken.append(_as.rsplit(".", 1)[1])
            return _was(*args, **more)  # type: ignore[operator]

        monkeypatch.setattr(module, name, step)
    (verified,) = procedure.prove(chain.run, chain.trust, claimed_at=NOW)
    assert taken == ["signature", "transparency", "timestamps", "identity", "binding", "binding"]
    assert verified.statement.payload == chain.run.envelope.payload


def test_a_proof_tells_whose_key_it_was() -> None:
    chain = honest()
    signer = proofs()[VerifiedSigner]
    assert isinstance(signer, VerifiedSigner)
    key = next(k.key for k in chain.trust.keys if k.name == "trainer")
    assert (signer.principal, signer.names) == (f"key:{key.fingerprint}", frozenset({"trainer"}))
    assert isinstance(chain.trust, Trust)
