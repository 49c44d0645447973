"""Is verified a type and not a flag?"""

import ast
import copy
import dataclasses
import hashlib
import pickle
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from glasswing_attest import Attestation, Trust, oms
from glasswing_attest._wire import read_json
from glasswing_attest.artifact.files import Files
from glasswing_attest.bundle import Bundle
from glasswing_attest.chain.layout import check as layout
from glasswing_attest.chain.layout.check import VerifiedLayout, VerifiedStep
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import MessageSignatureUnsupported, UnsupportedError, VerificationError
from glasswing_attest.limits import DEFAULT
from glasswing_attest.oms import VerifiedModel
from glasswing_attest.statement.statement import Statement
from glasswing_attest.testing import LeafOptions, VirtualSigstore
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from glasswing_attest.trust.sigstore import Root
from glasswing_attest.verification import (
    binding,
    identity,
    procedure,
    revocation,
    signature,
    subject,
    timestamps,
    transparency,
)
from glasswing_attest.verification.binding import VerifiedPayload, VerifiedStatement
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.procedure import VerifiedMessage
from glasswing_attest.verification.proof import Proof
from glasswing_attest.verification.revocation import VerifiedRevocations
from glasswing_attest.verification.signature import SignedPayload
from glasswing_attest.verification.subject import MatchedSubject
from glasswing_attest.verification.timestamps import VerifiedTimes
from glasswing_attest.verification.transparency import LoggedSignature
from tests.chains import NOW, honest, signer
from tests.layouts import followed

PROOFS = {
    SignedPayload: signature,
    LoggedSignature: transparency,
    VerifiedTimes: timestamps,
    VerifiedSigner: identity,
    VerifiedPayload: binding,
    VerifiedStatement: binding,
    MatchedSubject: subject,
    VerifiedMessage: procedure,
    VerifiedRevocations: revocation,
    VerifiedStep: layout,
    VerifiedLayout: layout,
    VerifiedModel: oms,
}
MODULES = sorted((Path(__file__).parents[3] / "src" / "glasswing_attest").rglob("*.py"))


@cache
def proofs() -> dict[type[Proof], Proof]:
    """One of each type, proved honestly."""
    chain = honest()
    (signed,) = signature.check(chain.run, [key.key for key in chain.trust.keys])
    logged = transparency.check(signed, None, at_least=0)
    times = timestamps.check(logged, None, at_least=0)
    signer = identity.check_key(signed, times, chain.trust.keys, claimed_at=NOW)
    payload = binding.check(logged, times, signer)
    statement = binding.read(payload, limits=DEFAULT)
    matched = subject.match(statement, chain.model.digests)
    named = dataclasses.replace(chain.trust, revocation_signers=("trainer",))
    revocations = revocation.check(revoked_list(), named, now=NOW)
    assert revocations is not None
    bundle, trust = signed_artifact()
    message = procedure.prove_message(bundle, trust, digest=digest_of(b"weights"))
    laid_down = followed()
    proved = (signed, logged, times, signer, payload, statement, matched, revocations, message)
    return {type(p): p for p in (*proved, laid_down, laid_down.steps[0], signed_model())}


def signed_model() -> VerifiedModel:
    """A model that was signed with OMS."""
    key = signer("oms", "ecdsa-p256")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model")
        model.mkdir()
        Path(model, "weights.bin").write_bytes(b"weights")
        made = oms.sign_model(model, signer=key)
        return oms.verify_model(model, made, trust=Trust.of(key=key.public_key), signer="key", signed_at=NOW)


def revoked_list() -> bytes:
    """A revocation list about somebody, signed by the trainer."""
    entry = Revocation(since=NOW, key="0" * 64)
    document = RevocationList.of([entry], version=1, issued=NOW, expires=NOW)
    return signer("trainer").seal(document.to_json(), REVOCATIONS_TYPE)


def signed_artifact() -> tuple[Bundle, Trust]:
    """A bundle that signs the bytes ``weights`` directly."""
    sigstore = VirtualSigstore()
    data = sigstore.sign_artifact(b"weights", identity="alice@example.com")
    return Bundle.parse(read_json(data)), sigstore.trust()


def digest_of(data: bytes) -> tuple[str, bytes]:
    return "sha256", hashlib.sha256(data).digest()


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
    *_, stage, leaf = module.split(".")
    readers = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = isinstance(node, ast.Attribute) and node.attr == "_SEAL"
            imported = isinstance(node, ast.ImportFrom) and any(a.name == "_SEAL" for a in node.names)
            reflected = isinstance(node, ast.Constant) and node.value == "_SEAL"
            if named or imported or reflected:
                readers.append(path.name)
    assert readers == []
    assert sum(path.parent.name == stage and path.stem == leaf for path in MODULES) == 1


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
        transparency.check(unproved, (), at_least=0)  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        binding.check(unproved, proved[VerifiedTimes], proved[VerifiedSigner])  # type: ignore[arg-type]
    statement = Statement.parse_unverified(chain.run.envelope.payload)
    with pytest.raises(AttributeError):
        subject.match(statement, chain.model.digests)  # type: ignore[arg-type]
    # A list that was only parsed revokes nobody, and, which is worse, would show nobody to be unrevoked.
    parsed = RevocationList.parse(Attestation.parse(revoked_list()).envelope.payload)
    verified = proved[VerifiedStatement]
    assert isinstance(verified, VerifiedStatement)
    with pytest.raises(AttributeError):
        revocation.require_unrevoked(verified, parsed)  # type: ignore[arg-type]


def test_what_signs_an_artifact_is_no_statement() -> None:
    # The same bytes signed directly and as a payload are two different things: neither proof leads to the other.
    sigstore = VirtualSigstore()
    trust, payload = sigstore.trust(), honest().run.envelope.payload
    bundle = Bundle.parse(read_json(sigstore.sign_artifact(payload, identity="alice@example.com")))
    signed = signature.check_message(bundle, (), digest=digest_of(payload), content=payload)
    logged = transparency.check(signed, trust.roots[0].logs, at_least=1)
    times = timestamps.check(logged, trust.roots[0].clocks, at_least=1)
    signer = identity.check_certificate(signed, times, trust.roots[0])
    with pytest.raises(MessageSignatureUnsupported):
        binding.check(logged, times, signer)
    about = Bundle.parse(read_json(sigstore.sign(payload, identity="alice@example.com").bytes))
    with pytest.raises(UnsupportedError) as caught:
        procedure.prove_message(about, trust, digest=digest_of(payload), content=payload)
    assert (caught.value.found, caught.value.wanted) == ("dsseEnvelope", "messageSignature")


STEPS = ["signature", "transparency", "timestamps", "identity", "binding", "binding"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that the procedure takes, as it takes them."""
    told: list[str] = []
    steps = ((signature, "check"), (transparency, "check"), (timestamps, "check"))
    who = ((identity, "check_key"), (identity, "check_certificate"))
    for module, name in (*steps, *who, (binding, "check"), (binding, "read")):

        def step(*args: object, _was: object = getattr(module, name), _as: str = module.__name__, **more: object):  # type: ignore[no-untyped-def]
            told.append(_as.rsplit(".", 1)[1])
            return _was(*args, **more)  # type: ignore[operator]

        monkeypatch.setattr(module, name, step)
    return told


def test_the_procedure_takes_the_steps_in_order(taken: list[str]) -> None:
    chain = honest()
    (verified,) = procedure.prove(chain.run, chain.trust, claimed_at=NOW)
    assert taken == STEPS
    assert verified.statement.payload == chain.run.envelope.payload


def test_the_procedure_takes_the_same_steps_for_a_certificate(taken: list[str]) -> None:
    sigstore = VirtualSigstore()
    attestation = sigstore.sign(honest().run.envelope.payload, identity="alice@example.com")
    (verified,) = procedure.prove(attestation, sigstore.trust())
    assert taken == STEPS
    assert verified.statement.payload == attestation.envelope.payload


def test_two_roots_prove_what_each_proves_alone() -> None:
    # Nothing is proved by a log of the one and a clock of the other; and what the one does not prove takes nothing
    # from the other.
    one, two = VirtualSigstore("one"), VirtualSigstore("two")
    shared = dataclasses.replace(one.root(), name="shared")
    payload = honest().run.envelope.payload
    who = "alice@example.com"
    for attestation, by in (
        (one.sign(payload, identity=who), {"one", "shared"}),
        (two.sign(payload, identity=who, log="v2"), {"two"}),
        (one.sign(payload, identity=who, log=two.log("v1")), set()),
        (one.sign(payload, identity=who, stamps=two.clocks, log=one.log("v2")), set()),
        (one.sign(payload, identity=who, leaf=LeafOptions(ct_logs=two.ct_logs)), set()),
    ):
        for roots in ((one.root(), two.root()), (one.root(), shared), (one.root(), two.root(), shared)):
            alone = [proof for root in roots for proof in proved_by(attestation, root)]
            both = proved_by(attestation, *roots)
            assert sorted(both, key=by_root) == sorted(alone, key=by_root)
            assert sorted(map(by_root, both)) == sorted(by & {root.name for root in roots})


def proved_by(attestation: Attestation, *roots: Root) -> tuple[VerifiedStatement, ...]:
    try:
        return procedure.prove(attestation, Trust(roots=roots))
    except VerificationError:
        return ()


def by_root(proof: VerifiedStatement) -> str:
    return proof.signer.root


def test_a_proof_holds_nothing_that_can_be_changed() -> None:
    # What a check has looked at is what everybody after it sees: no list, no dict, no open door on the way down. Only
    # the JSON within a predicate is plain; rules look at what its type's reader drew from it.
    for proof in proofs().values():
        found = list(changeable(proof, type(proof).__name__))
        assert [path for path in found if ".statement.predicate['" not in path] == []


def changeable(value: object, path: str) -> Iterator[str]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        assert getattr(type(value), "__dataclass_params__").frozen, path  # noqa: B009
        for field in dataclasses.fields(value):
            yield from changeable(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple | frozenset | Files):
        for each in value:
            yield from changeable(each, f"{path}[]")
    elif isinstance(value, Mapping):
        if isinstance(value, MutableMapping):
            yield path
        for key, each in value.items():
            yield from changeable(each, f"{path}[{key!r}]")
    elif not isinstance(value, FIXED):
        yield f"{path}: {type(value).__name__}"


KEYS = (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, rsa.RSAPublicKey)
FIXED = (str, bytes, int, float, bool, NoneType, datetime, Enum, Path, x509.Certificate, *KEYS)


def test_a_proof_tells_whose_key_it_was() -> None:
    chain = honest()
    signer = proofs()[VerifiedSigner]
    assert isinstance(signer, VerifiedSigner)
    key = next(k.key for k in chain.trust.keys if k.name == "trainer")
    assert (signer.principal, signer.names) == (f"key:{key.fingerprint}", frozenset({"trainer"}))
    assert isinstance(chain.trust, Trust)
