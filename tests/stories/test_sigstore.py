"""Does a supply chain that is signed with certificates hold, and does it break where somebody lies?

Told against an in-memory Sigstore: a data team with an email address, developers and a trainer that are workflows, each
statement logged and stamped at its time. `told` makes the chain, with anything in it done otherwise.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from glasswing_attest import (
    Attestation,
    Build,
    CodeRecord,
    DataRecord,
    KeySigner,
    Manifest,
    ModelRecord,
    Policy,
    Report,
    Trust,
    Verifier,
    attest,
)
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.testing import Holder, LeafOptions, VirtualSigner, VirtualSigstore, tamper
from glasswing_attest.testing.certificates import GITHUB_ISSUER
from glasswing_attest.testing.sigstore import Identity, Logs, Stamps
from glasswing_attest.trust.root import TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile
from tests.chains import checkout, proven, tree

BUILDER = "https://github.com/acme/train/.github/workflows/train.yml"
BUILD_TYPE = "https://acme.example/train/v1"

DATA_TEAM = Holder.of("data@acme.example")
DEVELOPER = Holder.github("acme/train", workflow="publish.yml", ref="refs/tags/v1")
TRAINER = Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1")

POLICY: Mapping[str, Any] = {
    "version": 1,
    "times": "verified",
    "identities": {
        "data-team": {"issuer": "https://issuer.example", "san": "data@acme.example"},
        "developer": {
            "issuer": GITHUB_ISSUER,
            "github": {"repository": "acme/train", "repository_id": 1001, "workflow": "publish.yml"},
        },
        "trainer": {
            "issuer": GITHUB_ISSUER,
            "github": {
                "repository": "acme/train",
                "repository_id": 1001,
                "owner_id": 2002,
                "workflow": "train.yml",
                "ref": "refs/tags/v*",
                "runner": "github-hosted",
            },
        },
    },
    "nodes": {
        "model": {
            "require": [
                {
                    "predicate": PROVENANCE_V1,
                    "signed_by": {"any_of": ["trainer"]},
                    "expect": {"builder": BUILDER, "build_type": BUILD_TYPE},
                    "inputs": {"dataset": {"exactly": 1}, "code": {"exactly": 1}},
                },
                {"predicate": ModelRecord.predicate_type, "signed_by": {"any_of": ["trainer"]}},
            ]
        },
        "dataset": {"require": [{"predicate": DataRecord.predicate_type, "signed_by": {"any_of": ["data-team"]}}]},
        "code": {"require": [{"predicate": CodeRecord.predicate_type, "signed_by": {"any_of": ["developer"]}}]},
    },
}


def policy_of(change: Callable[[dict[str, Any]], object] | None = None) -> Policy:
    plain = deepcopy(dict(POLICY))
    if change is not None:
        change(plain)
    return Policy.parse(json.dumps(plain).encode(), suffix=".json")


DATA_POLICY = policy_of(lambda p: p.update(nodes={"dataset": POLICY["nodes"]["dataset"]}))
"""The part of it that is about data alone."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A chain as it was told: what there is, and the attestations about it by name."""

    sigstore: VirtualSigstore
    model: Manifest
    said: Mapping[str, Attestation]

    def assess(
        self,
        *,
        policy: Policy | None = None,
        trust: Trust | None = None,
        evidence: Iterable[Attestation] | None = None,
    ) -> Report:
        verifier = Verifier(policy=policy or policy_of(), trust=trust or self.sigstore.trust())
        pile = tuple(self.said.values() if evidence is None else evidence)
        return verifier.assess(self.model, pile, at=self.sigstore.clock.now)


@dataclass(frozen=True, kw_only=True)
class By:
    """Who says one of the things, and how it is signed."""

    identity: Identity
    log: Logs = "v1"
    stamps: Stamps = 1
    leaf: LeafOptions = field(default_factory=LeafOptions)

    def signer(self, sigstore: VirtualSigstore) -> VirtualSigner:
        return sigstore.signer(self.identity, log=self.log, stamps=self.stamps, leaf=self.leaf)


HONEST: Mapping[str, By] = {
    "data": By(identity=DATA_TEAM),
    "code": By(identity=DEVELOPER),
    "run": By(identity=TRAINER, log="v2"),
    "record": By(identity=TRAINER, log="v2"),
}


def told(sigstore: VirtualSigstore | None = None, *, data_is_late: bool = False, by: Mapping[str, By] = HONEST) -> Told:
    """Tell the chain: data and code are attested, an hour later the model is trained from them, and attested."""
    world = sigstore or VirtualSigstore()
    by = {**HONEST, **by}
    clock = world.clock
    model = tree("model", {"model.safetensors": b"weights"}, "penguin-classifier")
    data = tree("dataset", {"penguins.csv": b"1,2,3\n"}, "penguins")
    code = checkout()
    said: dict[str, Attestation] = {}

    def attest_data() -> None:
        said["data"] = attest(data, DataRecord(name="penguins"), signer=by["data"].signer(world))

    if not data_is_late:
        attest_data()
    said["code"] = attest(code, CodeRecord(name="acme/train"), signer=by["code"].signer(world))
    clock.advance(hours=1)
    with Build(BUILDER, build_type=BUILD_TYPE, clock=clock) as build:
        build.use(data, role="dataset")
        build.use(code, role="code")
        clock.advance(hours=2)
    if data_is_late:
        attest_data()
    clock.advance(minutes=1)
    said["run"] = attest(model, build.provenance(), signer=by["run"].signer(world))
    said["record"] = attest(model, ModelRecord(name="penguin-classifier"), signer=by["record"].signer(world))
    clock.advance(days=30)
    return Told(sigstore=world, model=model, said=said)


def cause(report: Report) -> tuple[str, str]:
    """The code of the refusal, and what it is about."""
    assert not report.accepted, report.to_text()
    assert report.cause is not None
    return report.cause.code, report.cause.subject


# --- the honest chain ------------------------------------------------------------------------------------------------


def test_a_keyless_chain_holds() -> None:
    chain = told()
    report = chain.assess()
    assert report.accepted, report.to_text()
    assert (report.depth, report.refused) == ("transitive", ())
    assert {c.signer.san for c in report.claims} == {DATA_TEAM.san, DEVELOPER.san, TRAINER.san}
    assert all(c.signed_by is not None for c in report.claims)
    assert [f.code for f in report.findings] == ["accepted"]  # and no word of times that are only claimed


@pytest.mark.parametrize("missing", HONEST)
def test_every_statement_is_needed(missing: str) -> None:
    chain = told()
    report = chain.assess(evidence=[made for name, made in chain.said.items() if name != missing])
    assert cause(report)[0] == "chain.no-attestation"


def test_a_report_is_the_same_whoever_reads_the_trust() -> None:
    chain = told()
    read = Trust.parse(chain.sigstore.trust().to_json(), suffix=".json")
    assert read == chain.sigstore.trust()
    assert proven(chain.assess(trust=read)) == proven(chain.assess())


# --- who signed ------------------------------------------------------------------------------------------------------

IMPOSTORS: Mapping[str, tuple[str, Holder]] = {
    "another name": ("data", Holder.of("mallory@acme.example")),
    "a longer name": ("data", Holder.of("data@acme.example.mallory.example")),
    "another issuer": ("data", Holder(san="data@acme.example", issuer="https://issuer.mallory.example", kind="email")),
    "no issuer": ("data", Holder(san="data@acme.example", issuer="", kind="email")),
    "another repository": ("run", Holder.github("mallory/train", workflow="train.yml", ref="refs/tags/v1")),
    "the name, but another repository's id": (
        "run",
        Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1", repository_id="666"),
    ),
    "another owner": ("run", Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1", owner_id="666")),
    "another workflow": ("run", Holder.github("acme/train", workflow="test.yml", ref="refs/tags/v1")),
    "another ref": ("run", Holder.github("acme/train", workflow="train.yml", ref="refs/heads/v1")),
    "a ref that goes on": ("run", Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1/x")),
    "another runner": (
        "run",
        Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1", runner="self-hosted"),
    ),
    "a workflow by another issuer": (
        "run",
        Holder.github("acme/train", workflow="train.yml", ref="refs/tags/v1", issuer="https://issuer.example"),
    ),
    "a workflow's name alone": ("run", Holder(san=TRAINER.san, issuer=GITHUB_ISSUER)),
}


@pytest.mark.parametrize("who", IMPOSTORS)
def test_an_impostor_is_refused(who: str) -> None:
    what, holder = IMPOSTORS[who]
    report = told(by={what: replace(HONEST[what], identity=holder)}).assess()
    assert cause(report)[0] == "policy.signed-by"


def test_the_same_names_in_another_sigstore_are_nobody() -> None:
    chain = told()
    assert cause(chain.assess(trust=VirtualSigstore().trust()))[0] == "verification.not-logged"


def test_an_identity_can_ask_for_its_root() -> None:
    chain = told()
    other = VirtualSigstore("other")
    both = Trust(roots=(chain.sigstore.root(), other.root()))
    for root, is_accepted in (("virtual", True), ("other", False)):
        who = {**POLICY["identities"]["data-team"], "root": root}
        policy = policy_of(lambda p, who=who: p["identities"].update({"data-team": who}))  # type: ignore[misc]
        assert chain.assess(policy=policy, trust=both).accepted is is_accepted


# --- when ------------------------------------------------------------------------------------------------------------


def test_data_that_was_attested_after_the_run_started_is_refused() -> None:
    chain = told(data_is_late=True)
    report = chain.assess()
    assert cause(report) == ("chain.causality", "dataset penguins")
    assert report.cause is not None
    assert (report.cause.found, report.cause.wanted) == (
        "attested by 2026-01-01T15:00:00Z",
        "before the run started at 2026-01-01T13:00:00Z",
    )
    # The dataset stands, and the edge to it does not: so the tree says.
    assert report.graph is not None
    (late,) = [edge for edge in report.graph.edges if edge.findings]
    assert (report.graph.node(late.parent).state, late.state, late.findings) == ("verified", "failed", (report.cause,))
    assert "✓ dataset penguins" in (text := report.to_text())
    assert "[not accepted for this: chain.causality]" in text
    (plain,) = [edge for edge in report.to_dict()["graph"]["edges"] if edge["findings"]]
    assert (plain["reason"], plain["rule"]) == ("it stands, but not for this: chain.causality", "nodes.dataset")


def test_an_expired_certificate_is_refused() -> None:
    expired = LeafOptions(starts=-timedelta(minutes=11), lifetime=timedelta(minutes=10))
    report = told(by={"data": By(identity=DATA_TEAM, leaf=expired)}).assess()
    assert cause(report) == ("verification.outside-validity", "dataset penguins")


def test_a_signature_without_a_time_is_refused() -> None:
    report = told(by={"run": By(identity=TRAINER, log="v2", stamps=0)}).assess()
    assert cause(report) == ("verification.time-unproven", "model penguin-classifier")


def test_a_promise_of_rekor_v1_is_a_time() -> None:
    assert told(by={"run": By(identity=TRAINER, log="v1", stamps=0)}).assess().accepted


def test_a_log_is_rotated() -> None:
    sigstore = VirtualSigstore()
    chain, before = told(sigstore), sigstore.trust()
    old, new = sigstore.log("v1"), sigstore.rotate("v1")
    assert chain.assess().accepted  # what the old log holds is still believed, for its time

    later = told(sigstore)
    assert [e.log_id for made in later.said.values() if made.bundle for e in made.bundle.log_entries][:2] == (
        [new.log_id] * 2
    )
    assert later.assess().accepted
    assert cause(later.assess(trust=before))[0] == "verification.not-logged"  # the trust of yesterday knows no new log

    # The old log's key may have leaked since: what it signs after its end counts for nothing.
    sigstore.clock.advance(days=1)
    revived = told(sigstore, by={"data": By(identity=DATA_TEAM, log=old)})
    assert cause(revived.assess()) == ("verification.outside-validity", "dataset penguins")


# --- a key with a witness --------------------------------------------------------------------------------------------


def test_a_key_needs_its_witnesses() -> None:
    key = KeySigner.generate()
    policy = policy_of(lambda p: p["identities"].update({"data-team": {"key": "data-2026"}}))

    def trusting(chain: Told, **wanted: int) -> Trust:
        witness = Witness(root="virtual", **{"logs": 1, "times": 1, **wanted})
        return chain.sigstore.trust(keys=[TrustedKey(name="data-2026", key=key.public_key, witness=witness)])

    witnessed = told(by={"data": By(identity=key, log="v2")})
    assert witnessed.assess(policy=policy, trust=trusting(witnessed)).accepted
    assert Trust.parse(trusting(witnessed).to_json(), suffix=".json") == trusting(witnessed)

    unlogged = told(by={"data": By(identity=key, log=None)})
    assert cause(unlogged.assess(policy=policy, trust=trusting(unlogged)))[0] == "verification.not-logged"
    assert unlogged.assess(policy=policy, trust=trusting(unlogged, logs=0)).accepted

    unstamped = told(by={"data": By(identity=key, log="v2", stamps=0)})
    assert cause(unstamped.assess(policy=policy, trust=trusting(unstamped)))[0] == "verification.time-unproven"

    # The same key without a witness has no time, which `times: verified` wants.
    alone = told(by={"data": By(identity=key, log=None, stamps=0)})
    bare = alone.sigstore.trust(keys=[TrustedKey(name="data-2026", key=key.public_key)])
    assert cause(alone.assess(policy=policy, trust=bare))[0] == "verification.time-unproven"


# --- thresholds count operators --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Two:
    """A Sigstore with two operators of everything, and a third log of the first one's."""

    sigstore: VirtualSigstore

    @classmethod
    def make(cls) -> "Two":
        sigstore = VirtualSigstore()
        sigstore.add_log("v1")
        sigstore.add_log("v1", operator=sigstore.operator)
        sigstore.add_clock()
        sigstore.add_clock(operator=sigstore.operator)
        sigstore.add_ct_log()
        return cls(sigstore=sigstore)

    def assess(self, profile: Profile, by: By) -> Report:
        """Have a dataset attested, and hold that against `profile`."""
        data = tree("dataset", {"penguins.csv": b"1,2,3\n"}, "penguins")
        made = attest(data, DataRecord(name="penguins"), signer=by.signer(self.sigstore))
        verifier = Verifier(policy=DATA_POLICY, trust=self.sigstore.trust(profile))
        return verifier.assess(data, [made], at=self.sigstore.clock.now)


def test_two_entries_of_one_log_are_one_witness_cve_2026_49834() -> None:
    two = Two.make()
    own, others, own_too = (log for log in two.sigstore.logs if log.version == 1)
    profile = replace(PUBLIC_GOOD, logs=2)
    assert two.assess(profile, By(identity=DATA_TEAM, log=[own, others])).accepted
    for logs in ([own, own], [own, own_too], [own]):
        report = two.assess(profile, By(identity=DATA_TEAM, log=logs))
        assert cause(report)[0] == "verification.not-logged"
    for logs in ([own, own_too], [own]):
        assert two.assess(PUBLIC_GOOD, By(identity=DATA_TEAM, log=logs)).accepted


def test_two_promises_of_one_certificate_log_are_one_witness_cve_2026_49834() -> None:
    two = Two.make()
    own, others = two.sigstore.ct_logs
    profile = replace(PUBLIC_GOOD, scts=2)
    assert two.assess(profile, By(identity=DATA_TEAM, leaf=LeafOptions(ct_logs=(own, others)))).accepted
    for logs in ((own, own), (own,)):
        report = two.assess(profile, By(identity=DATA_TEAM, leaf=LeafOptions(ct_logs=logs)))
        assert cause(report)[0] == "verification.certificate"


def test_two_stamps_of_one_clock_are_one_witness_sigstore_js_1702() -> None:
    two = Two.make()
    own, others, own_too = two.sigstore.clocks
    for profile in (replace(PUBLIC_GOOD, times=2), replace(PUBLIC_GOOD, stamps=2)):
        assert two.assess(profile, By(identity=DATA_TEAM, log="v2", stamps=[own, others])).accepted
        for stamps in ([own, own], [own, own_too], [own]):
            report = two.assess(profile, By(identity=DATA_TEAM, log="v2", stamps=stamps))
            assert cause(report)[0] == "verification.time-unproven"


def test_a_copy_of_an_entry_and_of_a_stamp_counts_once_sigstore_js_1702() -> None:
    sigstore = Two.make().sigstore
    for log, logs, times, code in (("v1", 2, 1, "verification.not-logged"), ("v2", 1, 2, "verification.time-unproven")):
        _, data, (made, _) = one_bundle(sigstore, log=sigstore.log("v1" if log == "v1" else "v2"), stamps=1)
        bundle = json.loads(made.bytes)
        material = bundle["verificationMaterial"]
        part = material if log == "v1" else material["timestampVerificationData"]
        part["tlogEntries" if log == "v1" else "rfc3161Timestamps"] *= 2
        trust = sigstore.trust(replace(PUBLIC_GOOD, logs=logs, times=times))
        report = Verifier(policy=DATA_POLICY, trust=trust).assess(data, [json.dumps(bundle).encode()])
        assert cause(report)[0] == code


def test_the_clock_of_a_logs_operator_is_no_second_witness() -> None:
    two = Two.make()
    own, others, _ = two.sigstore.clocks
    profile = replace(PUBLIC_GOOD, times=2)
    assert two.assess(profile, By(identity=DATA_TEAM, log="v1", stamps=[others])).accepted
    report = two.assess(profile, By(identity=DATA_TEAM, log="v1", stamps=[own]))
    assert cause(report)[0] == "verification.time-unproven"


# --- whoever changes anything ----------------------------------------------------------------------------------------


def one_bundle(sigstore: VirtualSigstore, *, log: Logs, stamps: Stamps) -> tuple[Verifier, Manifest, list[Attestation]]:
    """A verifier, a dataset, and the attestations of it and of another one, by the same signer."""
    signer = sigstore.signer(DATA_TEAM, log=log, stamps=stamps)
    files = ({"penguins.csv": b"1,2,3\n"}, {"penguins.csv": b"6,6,6\n"})
    mine, other = (tree("dataset", each, "penguins") for each in files)
    made = [attest(each, DataRecord(name="penguins"), signer=signer) for each in (mine, other)]
    return Verifier(policy=DATA_POLICY, trust=sigstore.trust()), mine, made


@pytest.mark.parametrize(("log", "stamps"), [("v1", 0), ("v2", 1)])
def test_every_mutation_is_refused_or_changes_nothing(log: Logs, stamps: int) -> None:
    sigstore = VirtualSigstore()
    sigstore.log("v2").add_witness("witness.example/w1")
    verifier, data, (mine, other) = one_bundle(sigstore, log=log, stamps=stamps)

    def facts(evidence: bytes) -> dict[str, Any] | None:
        report = verifier.assess(data, [evidence], at=sigstore.clock.now)  # anything but a report fails the test
        return proven(report) if report.accepted else None

    honest = facts(mine.bytes)
    assert honest is not None
    kinds: dict[str, list[bool]] = {kind: [] for kind in tamper.KINDS}
    swapped: list[str] = []
    for mutation in tamper.mutations(mine.bytes, other=other.bytes, every=4):
        found = facts(mutation.data)
        assert found is None or found == honest, mutation
        kinds[mutation.kind].append(found is None)
        if mutation.kind == "swap" and found is not None:
            swapped.append(mutation.path)
    assert all(len(found) > 30 for found in kinds.values())
    # Most of what a bundle says is bound; what is not (white space, hints, names that nobody reads) changes nothing.
    assert all(sum(found) > len(found) * 0.7 for found in kinds.values()), {k: sum(v) for k, v in kinds.items()}
    # Nothing of another bundle passes for this one's. Outside of the proof Rekor v2 signs no index; nobody reads one.
    assert swapped == ([] if log == "v1" else ["$.verificationMaterial.tlogEntries[0].logIndex"])


FOREIGN: Mapping[str, tuple[str, bytes, bytes, str]] = {
    "a key of an unknown kind": (
        "certificate",
        bytes.fromhex("06072a8648ce3d0201"),
        bytes.fromhex("06072a8648ce3d027f"),
        "unsupported.key",
    ),
    "a curve of an unknown name": (
        "certificate",
        bytes.fromhex("06082a8648ce3d030107"),
        bytes.fromhex("06082a8648ce3d03017f"),
        "unsupported.key",
    ),
    "a certificate of version 19": (
        "certificate",
        bytes.fromhex("a003020102"),
        bytes.fromhex("a003020112"),
        "malformed.pem",
    ),
    "a stamp with a certificate of version 19": (
        "stamp",
        bytes.fromhex("a003020102"),
        bytes.fromhex("a003020112"),
        "verification.time-unproven",
    ),
    "a stamp whose signer's name is no text": ("stamp", b"\x0c\x16clock.", b"\x0d\x16clock.", "malformed.field"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_the_parsers_below_us_choke_on_is_refused_by_name(what: str) -> None:
    where, old, new, code = FOREIGN[what]
    verifier, data, (made, _) = one_bundle(VirtualSigstore(), log="v2", stamps=1)
    bundle = json.loads(made.bytes)
    material = bundle["verificationMaterial"]
    holder, name = (
        (material["certificate"], "rawBytes")
        if where == "certificate"
        else (material["timestampVerificationData"]["rfc3161Timestamps"][0], "signedTimestamp")
    )
    before = base64.b64decode(holder[name])
    assert old in before
    holder[name] = base64.b64encode(before.replace(old, new)).decode()
    report = verifier.assess(data, [json.dumps(bundle).encode()])
    assert cause(report)[0] == code


def test_the_times_of_witnesses_do_not_depend_on_when_somebody_looks() -> None:
    chain = told()
    verifier = Verifier(policy=policy_of(), trust=chain.sigstore.trust())
    reports = [
        verifier.assess(chain.model, tuple(chain.said.values()), at=chain.sigstore.clock.now + timedelta(days=days))
        for days in (-3650, 0, 3650)
    ]
    assert all(report.accepted for report in reports)
    assert len({json.dumps(proven(report), sort_keys=True) for report in reports}) == 1
