"""How does a test get an honest supply chain, quickly?

Everything is made in memory: artifacts are measured manifests of bytes that exist nowhere else, keys are made once for
each test process. The chain is the quickstart's: a model, the run that made it, and the run's dataset and code.

    chain = honest()
    assert chain.assess().accepted
    assert not chain.assess([chain.run]).accepted
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from glasswing_attest import (
    Attestation,
    CodeRecord,
    DataRecord,
    KeySigner,
    Manifest,
    Policy,
    Report,
    Trust,
    Verifier,
    attest,
)
from glasswing_attest.artifact.digest import DigestSet, Form
from glasswing_attest.artifact.manifest import Artifact, FileEntry
from glasswing_attest.claims import PredicateType, opaque, registry_of
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import PAYLOAD_TYPE, STATEMENT_V1
from glasswing_attest.store import Evidence

BUILDER = "https://ci.example/trainer"
BUILD_TYPE = "https://ci.example/train/v1"
REPOSITORY = "git+https://github.com/acme/train"
COMMIT = "c0ffee" + "0" * 34
STARTED = datetime(2026, 1, 2, 3, 0, 0, tzinfo=UTC)
FINISHED = datetime(2026, 1, 2, 4, 0, 0, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)

POLICY: Mapping[str, Any] = MappingProxyType(
    {
        "version": 1,
        "times": "claimed",
        "identities": {
            "trainer": {"key": "trainer"},
            "data-team": {"key": "data-team"},
            "developer": {"key": "developer"},
        },
        "nodes": {
            "model": {
                "require": [
                    {
                        "as": "run",
                        "predicate": PROVENANCE_V1,
                        "signed_by": {"any_of": ["trainer"]},
                        "expect": {"builder": BUILDER, "build_type": BUILD_TYPE},
                        "inputs": {"dataset": {"min": 1}, "code": {"exactly": 1}},
                    }
                ]
            },
            "dataset": {"require": [{"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["data-team"]}}]},
            "code": {"require": [{"predicate": CodeRecord.predicate_type, "signed_by": {"any_of": ["developer"]}}]},
        },
    }
)
"""The policy of the honest chain, as plain data: change a copy of it with `policy_of`."""


@cache
def signer(name: str, algorithm: str = "ed25519") -> KeySigner:
    """A key, the same one for the same name. Ed25519 is the quickest to make."""
    assert name
    return KeySigner.generate(algorithm)


def sha256(data: bytes) -> str:
    """The sha256 in hex."""
    return hashlib.sha256(data).hexdigest()


def tree(kind: str, files: Mapping[str, bytes], name: str = "") -> Manifest:
    """The manifest of a directory with these files, as if it had been read from disk."""
    entries = [FileEntry(name=n, size=len(data), sha256=sha256(data)) for n, data in files.items()]
    return Manifest.of_tree(kind, entries, name=name or kind)


def checkout(
    commit: str = COMMIT, *, repository: str = REPOSITORY, dirty: bool = False, name: str = "code"
) -> Manifest:
    """The manifest of a git checkout."""
    facts = {"repository": repository, "dirty": "true" if dirty else "false"}
    if dirty:
        facts["dirtyPaths"] = "train.py"
    return Manifest(kind="code", form=Form.GIT, name=name, digests=DigestSet.of(gitCommit=commit), facts=facts)


def used(thing: Manifest, role: str | None, uri: str = "") -> ResourceDescriptor:
    """A thing as an entry of ``resolvedDependencies``; a role of None leaves the annotation out."""
    annotations: dict[str, Any] = {} if role is None else {"role": role}
    return ResourceDescriptor(name=thing.name, uri=uri, digest=thing.digests, annotations=MappingProxyType(annotations))


def provenance(*inputs: ResourceDescriptor, **changes: Any) -> Provenance:
    """The provenance of a run of the honest builder over these inputs."""
    honest_run = Provenance(
        build_type=BUILD_TYPE,
        builder_id=BUILDER,
        resolved_dependencies=inputs,
        invocation_id="urn:uuid:00000000-0000-4000-8000-000000000001",
        started_on=STARTED,
        finished_on=FINISHED,
    )
    return replace(honest_run, **changes)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A predicate of any type with any content, for what no class of ours would say."""

    predicate_type: str
    body: Mapping[str, Any]

    def to_predicate(self) -> dict[str, object]:
        """The content."""
        return dict(self.body)


def statement(
    subjects: Sequence[Mapping[str, Any]], predicate_type: str, predicate: Mapping[str, Any], **more: Any
) -> bytes:
    """The bytes of a statement, with nothing checked: also of what our own writer refuses to write."""
    body = {"_type": STATEMENT_V1, "subject": list(subjects), "predicateType": predicate_type, "predicate": predicate}
    return json.dumps({**body, **more}).encode()


def seal(payload: bytes, by: KeySigner, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """A bundle over any bytes under any payload type: what a key holder can sign, but `attest` would not."""
    return by.seal(payload, payload_type)


def bare(*sealed: bytes | Attestation, keyids: Sequence[str] = ()) -> bytes:
    """One bare DSSE envelope with the signatures of several bundles over the same payload, in order."""
    envelopes = [json.loads(s.bytes if isinstance(s, Attestation) else s)["dsseEnvelope"] for s in sealed]
    signatures = [e["signatures"][0] for e in envelopes]
    for entry, keyid in zip(signatures, keyids, strict=False):
        entry["keyid"] = keyid
    return json.dumps({**envelopes[0], "signatures": signatures}).encode()


def policy_of(change: Callable[[dict[str, Any]], object] | None = None) -> Policy:
    """The honest chain's policy, after `change` was applied to its plain data."""
    plain = deepcopy(dict(POLICY))
    if change is not None:
        change(plain)
    return Policy.parse(json.dumps(plain).encode(), suffix=".json")


def readers_of(policy: Policy) -> tuple[PredicateType, ...]:
    """The policy's predicate types that the library does not know, each read as it is."""
    asked = {need.predicate for _, need in policy.requirements}
    return tuple(opaque(uri) for uri in sorted(asked - registry_of().keys()))


def trust_of(*names: str) -> Trust:
    """A trust that gives each named test key its own name."""
    return Trust.of({name: signer(name).public_key for name in names})


@dataclass(frozen=True, kw_only=True)
class Chain:
    """An honest chain: what there is, what was said of it, and by what it is judged."""

    model: Manifest
    data: Manifest
    code: Manifest
    run: Attestation
    record: Attestation
    source: Attestation
    policy: Policy
    trust: Trust

    @property
    def evidence(self) -> tuple[Attestation, ...]:
        """All of its attestations."""
        return (self.run, self.record, self.source)

    def assess(
        self,
        evidence: "Evidence | None" = None,
        *,
        artifact: Artifact | None = None,
        policy: Policy | None = None,
        trust: Trust | None = None,
        **more: Any,
    ) -> Report:
        """Assess the model, with anything replaced; `more` goes to the `Verifier`, but `at` to the call."""
        at = more.pop("at", NOW)
        more.setdefault("predicates", readers_of(policy or self.policy))
        verifier = Verifier(policy=policy or self.policy, trust=trust or self.trust, **more)
        return verifier.assess(artifact or self.model, self.evidence if evidence is None else evidence, at=at)


def data_record(about: Artifact, *, by: str = "data-team", name: str = "penguins") -> Attestation:
    """A data record."""
    return attest(about, DataRecord(name=name, version="2026.1", license="CC0-1.0"), signer=signer(by))


def code_record(about: Artifact, *, by: str = "developer") -> Attestation:
    """A code record."""
    return attest(about, CodeRecord(name="acme/train"), signer=signer(by))


def run_record(about: Artifact | Sequence[Artifact], *inputs: ResourceDescriptor, **changes: Any) -> Attestation:
    """Provenance signed by `by`, the trainer unless told otherwise."""
    by = changes.pop("by", "trainer")
    return attest(about, provenance(*inputs, **changes), signer=signer(by))


@cache
def honest() -> Chain:
    """The honest chain. Frozen, so one is enough for a test process."""
    model = tree("model", {"config.json": b"{}", "model.safetensors": b"weights"}, "penguin-classifier")
    data = tree("dataset", {"penguins.csv": b"1,2,3\n"}, "penguins")
    code = checkout()
    return Chain(
        model=model,
        data=data,
        code=code,
        run=run_record(model, used(data, "dataset"), used(code, "code", f"{REPOSITORY}@{COMMIT}")),
        record=data_record(data),
        source=code_record(code),
        policy=policy_of(),
        trust=trust_of("trainer", "data-team", "developer"),
    )


def proven(report: Report) -> dict[str, Any]:
    """Verdict and proven facts: the report without its clock, and without what it says of items that prove nothing."""
    facts = report.to_dict()
    for volatile in ("at", "now"):
        del facts[volatile]
    facts["evidence"] = {"used": facts["evidence"]["used"]}
    return facts


def subsets_without_one(items: Iterable[Attestation]) -> list[tuple[Attestation, tuple[Attestation, ...]]]:
    """Each item, with all the others."""
    every = tuple(items)
    return [(one, tuple(other for other in every if other is not one)) for one in every]
