"""How is a signature exchanged with another client?

One side signs, the other verifies, and refuses what it has to: another artifact, a changed statement, another identity,
another issuer, another key. We verify with the library's engine, under a policy that names the signer.
"""

import base64
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest

from glasswing_attest import Attestation, GlasswingError, KeySigner, ModelRecord, Policy, Trust, attest, verify
from glasswing_attest.artifact.file import Blob
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import KeyUntrusted, NotAccepted, SignatureInvalid, SubjectMismatch
from glasswing_attest.keys import PublicKey
from glasswing_attest.policy.identities import is_signer
from glasswing_attest.policy.policy import Identity
from glasswing_attest.signing import Instance, Patience, SigstoreSigner, WitnessedSigner
from glasswing_attest.signing.signer import Signer
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification.procedure import prove_message
from tests.interop.matrix import YES, Form, settle
from tests.stack import Stack

__all__ = [
    "SAID",
    "Bench",
    "Check",
    "Made",
    "NoWay",
    "Peer",
    "Who",
    "run",
    "they_sign",
    "trust_of",
    "we_sign",
    "witnesses",
]

SAID = ModelRecord(name="m")
_NAME = "m.bin"
_WORDS = r"(?i)signature|digest|hash|mismatch|log inclusion"
"""What a client says of another artifact, a changed statement or another key."""

_PATIENCE = Patience(attempts=3, whole=45)


class NoWay(Exception):
    """There is no way to make this exchange; the text says why, as a sentence for the page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Who is to have signed: an identity, or a key."""

    issuer: str = ""
    san: str = ""
    key: PublicKey | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What somebody signed: a bundle, and who that was."""

    bundle: bytes
    who: Who


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What is to be verified: a bundle, about an artifact, by whom; and whether it must be refused."""

    bundle: bytes
    artifact: bytes
    who: Who
    lie: str = ""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What an exchange takes: the servers, a folder, an artifact and keys."""

    stack: Stack
    folder: Path
    artifact: bytes
    key: KeySigner
    other_key: KeySigner

    def identity(self, form: Form) -> str:
        """Which of the stack's identities signs such a form: a name that is an email address, or one that is a URI."""
        return "email" if form.log == "v1" else "github"

    def who(self, form: Form) -> Who:
        """Who signs such a form, with the bench's key or an identity."""
        if form.by == "key":
            return Who(key=self.key.public_key)
        return Who(issuer=self.stack.issuer_of(self.identity(form)), san=self.stack.san_of(self.identity(form)))

    def token(self, form: Form) -> str:
        """The token of the identity that signs such a form."""
        return self.stack.token(self.identity(form))

    def lies(self, form: Form, honest: Who) -> list[tuple[str, Who]]:
        """Who did not sign it, and what is wrong with him."""
        if form.by == "key":
            return [("another key", Who(key=self.other_key.public_key))]
        return [
            ("another identity", replace(honest, san=self.stack.san_of("gitlab"))),
            ("another issuer", replace(honest, issuer=self.stack.issuer_of("gitlab"))),
        ]

    def signing_config(self, form: Form) -> Path:
        """Where it is signed: one of the stack's, or one without a log and a clock."""
        stack = self.stack
        if form.log != "none":
            return {"v1": stack.signing_config_v1, "v2": stack.signing_config, "both": stack.signing_config_all}[
                form.log
            ]
        config = json.loads(stack.signing_config.read_bytes())
        for name in ("rekorTlogConfig", "tsaConfig"):
            del config[name]
        path = self.folder / "nobody.json"
        path.write_text(json.dumps({**config, "rekorTlogUrls": [], "tsaUrls": []}), encoding="utf-8")
        return path

    def write(self, name: str, content: bytes | str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def statement(self) -> bytes:
        """The statement that others sign as it is, where they make none themselves."""
        return attest(Blob(self.artifact, name=_NAME), SAID, signer=self.key).envelope.payload

    def signer(self, form: Form) -> Signer:
        """Who signs such a form here."""
        if form.by == "key" and form.log == "none":
            return self.key
        instance = Instance.load(
            trusted_root=self.stack.trusted_root,
            signing_config=self.signing_config(form),
            profile=PUBLIC_GOOD,
            name="stack",
        )
        if form.by == "key":
            return WitnessedSigner(self.key, instance, patience=_PATIENCE)
        return SigstoreSigner.from_token(self.token(form), instance=instance, patience=_PATIENCE)


class Peer(Protocol):
    """Another client."""

    name: str
    compares_subjects: bool
    """Whether it, and not its caller, compares an attestation's subjects with the artifact."""

    def sign(self, form: Form, bench: Bench) -> Made:
        """Sign the bench's artifact. Raises `NoWay`."""
        ...

    def verify(self, form: Form, bench: Bench, checks: Sequence[Check]) -> list[str]:
        """Why it refuses each, or nothing where it does not. Raises `NoWay`."""
        ...


# --- the two directions ----------------------------------------------------------------------------------------------


def they_sign(peer: Peer, form: Form, bench: Bench) -> None:
    """They sign; we verify it, and refuse what we have to."""
    outcome = YES
    try:
        made = peer.sign(form, bench)
    except NoWay as no_way:
        outcome = str(no_way)
    else:
        assert witnesses(made.bundle) == form.witnesses
        for check in _checks(form, bench, made, subjects=True):
            _verified_here(form, bench, check)
    settle("they", form, peer.name, outcome)


def we_sign(peer: Peer, form: Form, bench: Bench) -> None:
    """We sign; they verify it, and refuse what they have to."""
    outcome = YES
    try:
        made = _signed_here(form, bench)
        assert witnesses(made.bundle) == form.witnesses
        checks = list(_checks(form, bench, made, subjects=peer.compares_subjects))
        for check, refused in zip(checks, peer.verify(form, bench, checks), strict=True):
            assert_refused(refused, check.lie, check.who)
    except NoWay as no_way:
        outcome = str(no_way)
    settle("we", form, peer.name, outcome)


def witnesses(bundle: bytes) -> tuple[tuple[str, ...], int]:
    """Which logs a bundle stands in, and how many clocks stamped it."""
    read = Bundle.from_json(bundle)
    by_version = {"0.0.1": "v1", "0.0.2": "v2"}
    return tuple(sorted(by_version[entry.version] for entry in read.log_entries)), len(read.timestamps)


def assert_refused(refused: str, lie: str, who: Who) -> None:
    """Check that somebody refused what is a lie, in words about it, and nothing else."""
    words = {"another identity": re.escape(who.san), "another issuer": re.escape(who.issuer)}.get(lie, _WORDS)
    assert bool(refused) == bool(lie), f"{lie or 'honest'}: {refused}"
    assert not lie or re.search(words, refused), f"{lie}: {refused}"


def _checks(form: Form, bench: Bench, made: Made, *, subjects: bool) -> Iterator[Check]:
    honest = Check(bundle=made.bundle, artifact=bench.artifact, who=made.who)
    yield honest
    if subjects or form.content == "artifact":
        yield replace(honest, artifact=b"x" + bench.artifact, lie="another artifact")
    if form.content == "attestation":
        yield replace(honest, bundle=_changed(made.bundle), lie="a changed statement")
    for lie, who in bench.lies(form, made.who):
        yield replace(honest, who=who, lie=lie)


def _changed(bundle: bytes) -> bytes:
    """The same bundle, whose statement says something else."""
    body = json.loads(bundle)
    statement = json.loads(base64.b64decode(body["dsseEnvelope"]["payload"]))
    statement["predicate"] = {"name": "evil"}
    body["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    return json.dumps(body).encode()


# --- our side --------------------------------------------------------------------------------------------------------


def _signed_here(form: Form, bench: Bench) -> Made:
    signer = bench.signer(form)
    if form.content == "attestation":
        return Made(bundle=attest(Blob(bench.artifact, name=_NAME), SAID, signer=signer).bytes, who=bench.who(form))
    assert isinstance(signer, SigstoreSigner)
    return Made(bundle=signer.sign_artifact(hashlib.sha256(bench.artifact).digest()), who=bench.who(form))


def trust_of(form: Form, bench: Bench, who: Who) -> Trust:
    """Whom we believe then: the instance, or the key, with a log entry and a time where the form has them."""
    if who.key is None:
        return bench.stack.trust
    root: Root = bench.stack.trust.roots[0]
    witness = None if form.log == "none" else Witness(root=root.name, logs=1, times=1)
    return Trust(keys=(TrustedKey(name="signer", key=who.key, witness=witness),), roots=(root,))


_REFUSALS: Mapping[str, tuple[type[GlasswingError], str, str]] = {
    "another artifact": (SubjectMismatch, "verification.subject", "$.messageSignature.messageDigest"),
    "a changed statement": (SignatureInvalid, "verification.signature", ""),
    "another key": (KeyUntrusted, "verification.key-untrusted", "$.messageSignature"),
    "another identity": (NotAccepted, "not-accepted", "identity"),
    "another issuer": (NotAccepted, "not-accepted", "identity"),
}
"""Class, code, and for a signature of an artifact alone the place: for an attestation the place is the artifact."""


def _verified_here(form: Form, bench: Bench, check: Check) -> None:
    if not check.lie:
        _verify(form, bench, check)
        return
    error, code, where = _REFUSALS[check.lie]
    with pytest.raises(error) as refused:
        _verify(form, bench, check)
    place = f"file {_NAME}" if form.content == "attestation" else where
    assert (refused.value.code, refused.value.where) == (code, place), str(refused.value)


def _verify(form: Form, bench: Bench, check: Check) -> None:
    trust, who = trust_of(form, bench, check.who), check.who
    identity = Identity(key="signer") if who.key else Identity(issuer=who.issuer, san=who.san)
    if form.content == "attestation":
        require = [{"predicate": SAID.predicate_type, "signed_by": {"any_of": ["who"]}}]
        policy: dict[str, Any] = {
            "version": 1,
            "identities": {"who": {"key": "signer"} if who.key else {"issuer": who.issuer, "san": who.san}},
            "nodes": {"file": {"require": require}},
        }
        policy["times"] = "claimed" if form.log == "none" else "verified"
        parsed = Policy.parse(json.dumps(policy).encode(), suffix=".json")
        evidence = [Attestation.parse(check.bundle)]
        verify(Blob(check.artifact, name=_NAME), evidence, policy=parsed, trust=trust)
        return
    digest = ("sha256", hashlib.sha256(check.artifact).digest())
    claimed_at = datetime.now(UTC) if form.log == "none" else None
    bundle = Bundle.from_json(check.bundle)
    signed_by = prove_message(bundle, trust, digest=digest, content=check.artifact, claimed_at=claimed_at).signer
    if not is_signer(identity, signed_by):
        # Of an artifact alone no policy speaks: the caller compares the signer, as our client of the conformance suite.
        raise NotAccepted(where="identity", found=f"{signed_by.san} by {signed_by.issuer}")


# --- for peers -------------------------------------------------------------------------------------------------------


def run(
    command: Sequence[object], *, given: str = "", environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a client. It says no by its exit code, or in words of its own."""
    return subprocess.run(
        [str(part) for part in command], input=given, capture_output=True, text=True, timeout=120, env=environment
    )
