"""Who is attacked? An honest team with a model, a dataset and code, on three days of January 2026.

Keys come from their names, so everything that keys alone sign is the same whenever it is made. Certificates, logs and
stamps come from a Sigstore in memory, whose keys are new each time.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from glasswing_attest import Attestation, CodeRecord, DataRecord, KeySigner, Manifest, Trust, attest
from glasswing_attest.artifact.manifest import Artifact
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing import Clock, VirtualSigner, VirtualSigstore
from glasswing_attest.testing.sigstore import Identity
from glasswing_attest.trust.root import TrustedKey, Witness
from tests.attacks.corpus import Question
from tests.chains import (
    BUILDER,
    COMMIT,
    FINISHED,
    POLICY,
    REPOSITORY,
    STARTED,
    Said,
    checkout,
    provenance,
    statement,
    tree,
    used,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT = datetime(2026, 2, 1, tzinfo=UTC)
"""When it is asked: a month after the run, which ran from STARTED to FINISHED."""

PEOPLE = ("trainer", "data-team", "developer")
MALLORY = "mallory"
"""Whom nobody trusts with anything."""

WEIGHTS = "model/model.safetensors"
FILES: Mapping[str, bytes] = {"model/config.json": b"{}", WEIGHTS: b"weights"}

MODEL = tree("model", {"config.json": b"{}", "model.safetensors": b"weights"}, "model")
DATA = tree("dataset", {"penguins.csv": b"1,2,3\n"}, "penguins")
CODE = checkout()
POISON = tree("dataset", {"penguins.csv": b"6,6,6\n"}, "penguins")
ORIGIN = f"{REPOSITORY}@{COMMIT}"


# --- who signs -------------------------------------------------------------------------------------------------------


@cache
def key(name: str) -> KeySigner:
    """Somebody's key: the same one for the same name, whenever and wherever."""
    seed = hashlib.sha256(f"glasswing-attest, attack corpus, {name}".encode()).digest()
    return KeySigner(ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def trusted(*names: str, **changes: Mapping[str, Any]) -> Trust:
    """Trust these people's keys under their names; `changes` gives more of what stands in the entry of one."""
    told = {name.replace("_", "-"): change for name, change in changes.items()}
    return Trust(keys=tuple(TrustedKey(name=name, key=key(name).public_key, **told.get(name, {})) for name in names))


def said(about: Artifact | Sequence[Artifact], predicate: Any, by: str = "trainer") -> bytes:
    """What somebody attests, as our own writer writes it."""
    return attest(about, predicate, signer=key(by)).bytes


def forged(subject: Mapping[str, Any], predicate_type: str, predicate: Mapping[str, Any], by: str = "trainer") -> bytes:
    """A signed statement that our own writer might refuse to write."""
    return sealed(statement([subject], predicate_type, predicate), by)


def sealed(payload: bytes, by: str, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """Any bytes, signed as a payload."""
    return key(by).seal(payload, payload_type)


def payload_of(evidence: bytes) -> bytes:
    """The bytes that were signed."""
    return Attestation.parse(evidence).envelope.payload


def changed(evidence: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A bundle of which something is changed."""
    plain = json.loads(evidence)
    change(plain)
    return json.dumps(plain).encode()


# --- what is said ----------------------------------------------------------------------------------------------------

INPUTS = (used(DATA, "dataset"), used(CODE, "code", ORIGIN))


def run(*inputs: Any, about: Artifact | Sequence[Artifact] = MODEL, by: str = "trainer", **changes: Any) -> bytes:
    """The run's provenance, from the honest inputs unless others are given."""
    return said(about, provenance(*(inputs or INPUTS), **changes), by)


RUN = run()
RECORD = said(DATA, DataRecord(name="penguins", version="2026.1"), "data-team")
SOURCE = said(CODE, CodeRecord(name="acme/train"), "developer")
EVIDENCE = (RUN, RECORD, SOURCE)


def digests(manifest: Manifest) -> dict[str, Any]:
    """An artifact of which a case gives the digests, as if its bytes had been read."""
    return {"kind": manifest.kind, "name": manifest.name, "digests": manifest.digests.to_dict()}


def policy(change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
    """The honest policy, after a change."""
    plain = deepcopy(dict(POLICY))
    if change is not None:
        change(plain)
    return plain


def requires(kind: str, *requirements: Mapping[str, Any]) -> Callable[[dict[str, Any]], object]:
    """The change by which a kind has these requirements instead."""
    return lambda plain: plain["nodes"].__setitem__(kind, {"require": list(requirements)})


def alone(*requirements: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A policy about the model alone, which trims what it was made from, so that only what is attacked can fail."""
    cut = {"trim": {"reason": "not what is asked here"}}
    nodes = {"model": {"require": list(requirements)}, "dataset": cut, "code": cut}
    return policy(lambda plain: plain.update(nodes=nodes, **more))


def by(*names: str) -> dict[str, Any]:
    """Signed by any of these."""
    return {"any_of": list(names)}


PROVENANCE: Mapping[str, Any] = {"predicate": PROVENANCE_V1, "signed_by": by("trainer"), "expect": {"builder": BUILDER}}
"""What is required where only the signer and the builder matter."""


def question(*evidence: bytes | str, **changes: Any) -> Question:
    """The honest question, with other evidence or something else of it changed."""
    changes.setdefault("evidence", evidence or EVIDENCE)
    asked = Question(artifact=digests(MODEL), policy=policy(), trust=trusted(*PEOPLE), evidence=(), at=AT)
    return replace(asked, **changes)


def instead(old: bytes, *new: bytes, among: Sequence[bytes] = EVIDENCE) -> tuple[bytes, ...]:
    """The evidence, with something in the place of one attestation."""
    assert old in among
    return tuple(item for each in among for item in (new if each == old else (each,)))


SOURCE_VERIFIER = "https://scs.example/verifier"


def summary(about: Manifest = CODE, signer: str = "developer", **changes: Any) -> bytes:
    """A verification summary, of the source unless told otherwise."""
    body = {
        "verifier": {"id": SOURCE_VERIFIER},
        "timeVerified": "2026-01-02T02:00:00Z",
        "resourceUri": REPOSITORY,
        "policy": {"uri": f"{SOURCE_VERIFIER}/policy"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"],
    }
    return said(about, Said(predicate_type=SUMMARY_V1, body={**body, **changes}), signer)


def summarised(resource: str = REPOSITORY, **expect: Any) -> dict[str, Any]:
    """The honest policy, but code is vouched for by a source verifier, for whom the developer's key stands."""
    wanted = {"verifier": SOURCE_VERIFIER, "resource": resource, **expect}
    return policy(requires("code", {"predicate": SUMMARY_V1, "signed_by": by("developer"), "expect": wanted}))


# --- with witnesses --------------------------------------------------------------------------------------------------

ISSUER = "https://issuer.example"


class Watched:
    """The same team, where a Sigstore witnesses when people sign: with keys of their own, or with certificates."""

    def __init__(self, *, keyless: bool, name: str = "public") -> None:
        self.keyless = keyless
        self.sigstore = VirtualSigstore(name, clock=Clock(STARTED - 30 * DAY))

    def who(self, name: str) -> Identity:
        """How somebody signs."""
        return f"{name}@example.com" if self.keyless else key(name)

    def signer(self, name: str, at: datetime, **how: Any) -> VirtualSigner:
        """Somebody who signs at a time."""
        self.sigstore.clock.set(at)
        how.setdefault("log", "v2")
        return self.sigstore.signer(self.who(name), **how)

    def said(self, about: Artifact, predicate: Any, name: str, at: datetime, **how: Any) -> bytes:
        """What somebody attests at a time."""
        return attest(about, predicate, signer=self.signer(name, at, **how)).bytes

    def run(self, at: datetime = FINISHED, *, by: str = "trainer", **how: Any) -> bytes:
        """The run, which started and finished at the honest times, signed at this one."""
        return self.said(MODEL, provenance(*INPUTS), by, at, **how)

    def record(self, at: datetime = STARTED, **how: Any) -> bytes:
        """The dataset's record."""
        return self.said(DATA, DataRecord(name="penguins"), "data-team", at, **how)

    def source(self, at: datetime = STARTED, **how: Any) -> bytes:
        """The code's record."""
        return self.said(CODE, CodeRecord(name="acme/train"), "developer", at, **how)

    def stamped_anew(self, evidence: bytes, at: datetime) -> bytes:
        """The same signature under a new stamp, which anybody can get without any key."""
        self.sigstore.clock.set(at)
        (signature,) = Attestation.parse(evidence).envelope.signatures
        stamp = self.sigstore.clocks[0].stamp(signature.sig)
        return changed(evidence, lambda plain: _set_stamp(plain, stamp))

    def policy(self, change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
        """The honest policy with verified times, after a change."""

        def verified(plain: dict[str, Any]) -> None:
            del plain["times"]
            if self.keyless:
                plain["identities"] = {n: {"issuer": ISSUER, "san": f"{n}@example.com"} for n in PEOPLE}
            if change is not None:
                change(plain)

        return policy(verified)

    def trust(self, *, until: datetime | None = None, listed: bool = False) -> Trust:
        """The Sigstore, and the keys with it as witness; `until` ends the trainer's, `listed` asks for a list."""
        witness = Witness(root=self.sigstore.name, logs=1, times=1)
        keys = [
            TrustedKey(
                name=name,
                key=key(name).public_key,
                witness=witness,
                valid_until=until if name == "trainer" else None,
            )
            for name in (() if self.keyless else PEOPLE)
        ]
        security = TrustedKey(name="security", key=key("security").public_key)
        trust = self.sigstore.trust(keys=[*keys, security])
        return replace(trust, revocation_signers=("security",)) if listed else trust

    def question(self, *evidence: bytes | str, **changes: Any) -> Question:
        """The honest question."""
        changes.setdefault("policy", self.policy())
        changes.setdefault("trust", self.trust())
        return question(*(evidence or (self.run(), self.record(), self.source())), **changes)


def _set_stamp(plain: dict[str, Any], stamp: bytes) -> None:
    told = {"rfc3161Timestamps": [{"signedTimestamp": base64.b64encode(stamp).decode()}]}
    plain["verificationMaterial"]["timestampVerificationData"] = told


@cache
def watched(*, keyless: bool) -> Watched:
    """The one Sigstore that every family asks."""
    return Watched(keyless=keyless)


BOTH_WAYS = {"key": False, "certificate": True}
"""Variants: with keys that a Sigstore witnesses, and with its certificates."""
