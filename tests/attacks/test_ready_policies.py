"""Do the ready policies refuse what the corpus tries?

Two ways. The attacks of the family `ready` are made for one ready policy each, and are run with all others. And every
other attack whose honest twin a ready policy accepts too must be refused under that policy as well, unless it is about
something that the policy does not ask, which is listed with the reason.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import ModelRecord, Policy
from glasswing_attest.policies import slsa_build, trained_model
from glasswing_attest.policies.catalogue import READY
from glasswing_attest.policy.cel.condition import is_read_here
from glasswing_attest.policy.signers import Identity
from glasswing_attest.policy_tests import Answer, load_case
from glasswing_attest.policy_tests.answer import answer
from tests.attacks.corpus import Attack, Question, attacks
from tests.attacks.ready import HONEST
from tests.attacks.site import ISSUER, MALLORY, MODEL, changed, payload_of, said, sealed, watched
from tests.chains import BUILD_TYPE, BUILDER, FINISHED, Said

CARD = ModelRecord(name="m")
ABOUT_THE_RUN = (
    "nodes.model",
    "nodes.model.signed_by",
    "nodes.model.times",
    "nodes.model.expect.builder",
    "nodes.model.expect.build_type",
)


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A ready policy, as the people of the corpus would use it.

    Attributes:
        policy: the policy.
        card: a record of the model, which it may ask for beside what the corpus has.
        asks: whether an attack is about something that the policy asks.
        not_asked: attacks that it accepts all the same, by the reason why that is right.
    """

    policy: Policy
    card: bytes
    asks: Callable[[Attack], bool]
    not_asked: Mapping[str, tuple[str, ...]]


def person(name: str) -> Identity:
    """Somebody by his certificate."""
    return Identity(issuer=ISSUER, san=f"{name}@example.com")


TRAINED: Mapping[str, tuple[str, ...]] = {
    "how many datasets there must be, and of which version, is not asked": (
        "chains/one-dataset-named-twice",
        "values/older-version-of-the-data:*",
    ),
    "two accounts by trusted signers are a warning, unless a policy says otherwise": (
        "chains/second-account-of-one-model",
    ),
    "no figure, version, evaluation or second statement is asked for in this one": (
        "ready/trained-model-without:record",
        "ready/trained-model-without:quality",
        "ready/trained-model-that-*",
        "ready/trained-model-of-an-older-version",
    ),
}


def within_bounds(attack: Attack) -> bool:
    """Whether it is about something else than the limits of the corpus' own policies."""
    return not attack.name.startswith("bounds/")


def about_a_chain(attack: Attack) -> bool:
    """Whether there is evidence about the model, its data and its code: `trained_model` asks for all of it."""
    return within_bounds(attack) and len(attack.pair[0].policy["nodes"]) > 1 and len(attack.pair[0].evidence) != 1


def about_the_run(attack: Attack) -> bool:
    """Whether it is about the model's own provenance: `slsa_build` asks nothing else."""
    return (
        attack.expect.rule in ABOUT_THE_RUN
        and within_bounds(attack)
        and attack.expect.code not in ("policy.threshold", "chain.causality")
    )


BUILT: Mapping[str, tuple[str, ...]] = {
    "it takes either version of provenance": ("statements/another-statement-of-the-trusted-signer:of-another-version",),
    "nothing but provenance is asked for": (
        "chains/failed-test-taken-away",
        "ready/trained-model-without:record",
        "ready/trained-model-without:quality",
        "ready/trained-model-that-its-trainer-judges",
        "signers/summary-by-the-builder",
    ),
    "the identity in this one names no root": ("roots/everything-of-another-root",),
}


@cache
def applied(name: str) -> Applied:
    """The ready policies that fit the corpus, with keys, with keys that are witnessed, and with certificates."""
    policy, how = name.split("-")
    who: Callable[[str], Any] = person if how == "certificates" else str
    times = "claimed" if how == "keys" else "verified"
    site = watched(keyless=how == "certificates")
    card = said(MODEL, CARD) if how == "keys" else site.said(MODEL, CARD, "trainer", FINISHED)
    if policy == "trained_model":
        made = trained_model(
            trainer=who("trainer"),
            builder=BUILDER,
            data=who("data-team"),
            code=who("developer"),
            build_type=BUILD_TYPE,
            times=times,  # type: ignore[arg-type]
        )
        return Applied(policy=made, card=card, asks=about_a_chain, not_asked=TRAINED)
    built = slsa_build(
        builders={BUILDER: who("trainer")},
        level=2,
        kind="model",
        build_type=BUILD_TYPE,
        times=times,  # type: ignore[arg-type]
    )
    return Applied(policy=built, card=card, asks=about_the_run, not_asked=BUILT)


APPLIED = {
    "trained_model-keys": 100,
    "trained_model-witnesses": 15,
    "trained_model-certificates": 25,
    "slsa_build-keys": 100,
    "slsa_build-witnesses": 5,
    "slsa_build-certificates": 15,
}
"""Each with a number of attacks that fit it at least, so that none is applied to nothing."""


def asked(question: Question, folder: Path, name: str) -> Answer:
    """What the runner answers."""
    told = {"version": 1, **question.to_dict(name), "expect": {"verdict": "accepted"}}
    for file, data in question.files.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / f"{name}.case.json").write_text(json.dumps(told))
    return answer(load_case(folder, f"{name}.case.json"))


@pytest.mark.parametrize("name", APPLIED)
def test_what_is_refused_under_the_corpus_own_policy_is_refused_under_the_ready_one(name: str, tmp_path: Path) -> None:
    ready = applied(name)
    plain = json.loads(ready.policy.to_json())
    patterns = {pattern for several in ready.not_asked.values() for pattern in several}
    tried = 0
    for number, attack in enumerate(filter(ready.asks, attacks())):
        honest, attacked = (
            replace(question, policy=plain, evidence=(*question.evidence, ready.card), opaque=())
            for question in attack.pair
        )
        if asked(honest, tmp_path, f"{number}-honest").verdict != "accepted":
            continue  # made for another world than this policy's
        tried += 1
        got = asked(attacked, tmp_path, f"{number}-attack")
        excused = any(fnmatchcase(attack.name, pattern) for pattern in patterns)
        stays = excused or attack.expect.verdict == "accepted"
        assert (got.verdict == "accepted") is stays, f"{attack.name} is {got.verdict} under {name}: {got.message}"
    assert tried >= APPLIED[name]


# --- whatever the policy ---------------------------------------------------------------------------------------------


def stolen(evidence: bytes) -> bytes:
    """The same payload, signed by a stranger."""
    return sealed(payload_of(evidence), MALLORY)


def certified(evidence: bytes) -> bytes:
    """The same payload, with a certificate of the trusted Sigstore for a stranger."""
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    return site.sigstore.signer("mallory@example.com", log="v2").seal(payload_of(evidence))


def rewritten(evidence: bytes) -> bytes:
    """Another payload under the same signature."""

    def change(plain: dict[str, Any]) -> None:
        text = payload_of(evidence).replace(b'"predicateType"', b' "predicateType"')
        plain["dsseEnvelope"]["payload"] = base64.b64encode(text).decode()

    return changed(evidence, change)


def relabelled(evidence: bytes) -> bytes:
    """The same signature over what is served as something else."""
    return changed(evidence, lambda plain: plain["dsseEnvelope"].update(payloadType="application/json"))


HANDS: Mapping[str, Callable[[bytes], bytes]] = {
    "by a stranger": stolen,
    "by a stranger with a certificate": certified,
    "rewritten": rewritten,
    "relabelled": relabelled,
    "unsigned": payload_of,
    "taken away": lambda _evidence: said(MODEL, Said(predicate_type="https://example.com/note/v1", body={"a": 1})),
}


@pytest.mark.parametrize("policy", HONEST)
@pytest.mark.parametrize("hand", HANDS)
def test_no_ready_policy_does_without_any_of_its_evidence(policy: str, hand: str, tmp_path: Path) -> None:
    if "'where'" in str(HONEST[policy].policy) and not is_read_here():
        pytest.skip("its policy has a condition, and the extra cel is not installed")
    honest = HONEST[policy]
    assert asked(honest, tmp_path, "honest").verdict == "accepted"
    for number, piece in enumerate(honest.evidence):
        assert isinstance(piece, bytes)
        evidence = (*honest.evidence[:number], HANDS[hand](piece), *honest.evidence[number + 1 :])
        got = asked(replace(honest, evidence=evidence), tmp_path, f"attack-{number}")
        assert got.verdict == "refused"
        assert got.code in {
            "chain.no-attestation",
            "policy.signed-by",
            "unsupported.payload-type",
            "verification.certificate",
            "verification.key-untrusted",
            "verification.signature",
        }


@pytest.mark.parametrize("policy", HONEST)
def test_no_ready_policy_accepts_other_bytes(policy: str, tmp_path: Path) -> None:
    if "'where'" in str(HONEST[policy].policy) and not is_read_here():
        pytest.skip("its policy has a condition, and the extra cel is not installed")
    other = {name: value[::-1] for name, value in HONEST[policy].artifact["digests"].items()}
    question = replace(HONEST[policy], artifact={**HONEST[policy].artifact, "digests": other})
    got = asked(question, tmp_path, "other")
    assert (got.verdict, got.code) == ("refused", "verification.subject")


def test_every_ready_policy_is_tried() -> None:
    assert {name.replace("_", "-") for name in HONEST} == set(READY)
    tried = {attack.name.partition("/")[2] for attack in attacks() if attack.name.startswith("ready/")}
    for name in READY:
        assert any(each.startswith(name) for each in tried), name
