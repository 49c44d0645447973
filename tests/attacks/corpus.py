"""What is an attack, as a case that any tool can run?

An attack is a pair of questions: an honest one, which is accepted, and the same one after the attacker had a hand in
it. She chooses what is served: the artifact, the evidence, the revocation list, sometimes an old trust file. She
chooses neither the policy nor the time, so these are the same in both; a test holds every attack to that. So a refusal
can have no other reason than the attack. ::

    FAMILY/NAME/attack.case.json     what she asks, and the refusal that must come: code, rule, subject
    FAMILY/NAME/honest.case.json     the twin, which must be accepted
    FAMILY/NAME/attack/, honest/     the artifact's files, where there are any

A family is a module of this folder, an attack a function in it: `@attack` registers what `write` writes.
"""

import base64
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from glasswing_attest._wire import format_time
from glasswing_attest.trust.root import Trust

FAMILIES = (
    "artifacts",
    "digests",
    "statements",
    "signers",
    "builders",
    "chains",
    "values",
    "times",
    "revocations",
    "roots",
    "bounds",
    "ready",
)
"""The modules that hold attacks, in the order of the documentation."""

THREATS = (
    "Artifact substitution",
    "Renaming",
    "Ignore-list abuse",
    "Subject confusion",
    "Listing as file",
    "Digest downgrade",
    "Algorithm agility abuse",
    "Predicate confusion",
    "Unsigned link injection",
    "Link rewriting",
    "JSON differential",
    "Unknown enum",
    "Absent is not empty",
    "NaN and Infinity",
    "First-match steering",
    "Self-asserted trust",
    "Policy beside the evidence",
    "Verifier self-attestation",
    "Self-certified source",
    "Builder impersonation",
    "Cross-tenant replay",
    "Key compromise",
    "Two keys, one person",
    "Multi-signature games",
    "Mix and match",
    "Shared invocationId",
    "Incomplete materials",
    "Role laundering",
    "Suppression of FAILED",
    "Cycle",
    "Post-hoc provenance",
    "Re-stamped run",
    "Old evidence stamped anew",
    "Rollback",
    "Freeze",
    "Expired identity",
    "Revoked identity or key",
    "Revocation withheld or rolled back",
    "Trust-root rollback",
    "Trust-root mixing",
    "Resource exhaustion",
    "TOCTOU",
    "Inputs changed during the run",
    "Hostile checkout",
    "Replaced leaf",
    "Removed evidence",
    "Strangers' evidence",
    "Order of the evidence",
    "A changed byte",
    "Unending verification",
    "Summaries of summaries",
)
"""What is tried: every row of docs/attacks.md, by its name."""

Verdict: TypeAlias = Literal["accepted", "refused", "undecided"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question, with all that decides it.

    Attributes:
        artifact: what is asked about, as the format has it; a `path` is below the case's own folder.
        files: the bytes that lie in that folder.
        evidence: attestations, or names of what lies in that folder.
        policy, trust, at, now, revocations, revocations_seen, seen, opaque: as the format has them.
    """

    artifact: Mapping[str, Any]
    policy: Mapping[str, Any]
    trust: Trust
    evidence: tuple[bytes | str, ...]
    at: datetime
    now: datetime | None = None
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    revocations: bytes | None = None
    revocations_seen: int = 0
    seen: Mapping[str, Any] | None = None
    opaque: tuple[str, ...] = ()

    def to_dict(self, folder: str) -> dict[str, Any]:
        """The question as a case asks it; what lies on disk lies in `folder`."""
        artifact = dict(self.artifact)
        if "path" in artifact:
            artifact["path"] = f"{folder}/{artifact['path']}"
        members: dict[str, Any] = {
            "artifact": artifact,
            "policy": dict(self.policy),
            "trust": json.loads(self.trust.to_json()),
            "evidence": [f"{folder}/{e}" if isinstance(e, str) else _base64(e) for e in self.evidence],
            "at": format_time(self.at),
        }
        if self.now is not None:
            members["now"] = format_time(self.now)
        if self.revocations is not None:
            members["revocations"] = _base64(self.revocations)
        if self.revocations_seen:
            members["revocations_seen"] = self.revocations_seen
        if self.seen is not None:
            members["seen"] = dict(self.seen)
        if self.opaque:
            members["opaque"] = list(self.opaque)
        return members


Pair: TypeAlias = tuple[Question, Question]
"""The honest question, and what the attacker made of it."""


@dataclass(frozen=True, kw_only=True)
class Expect:
    """The answer that must come to an attack. One that is accepted failed to deny what is honest."""

    verdict: Verdict = "refused"
    code: str | None = None
    rule: str | None = None
    subject: str | None = None
    findings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As the format has it."""
        members = {name: getattr(self, name) for name in ("verdict", "code", "rule", "subject")}
        told = {"findings": list(self.findings)} if self.findings else {}
        return {name: value for name, value in members.items() if value is not None} | told


@dataclass(frozen=True)
class Attack:
    """One attack: its place in the corpus, what it tries, and how to make it."""

    name: str
    threat: str
    about: str
    expect: Expect
    make: Callable[[], Pair]

    @cached_property
    def pair(self) -> Pair:
        """Both questions, made when they are first wanted."""
        return self.make()

    @property
    def function(self) -> str:
        """The attack's name without that of its variant."""
        return self.name.partition(":")[0]

    @property
    def folder(self) -> str:
        """Where its cases lie."""
        return self.name.replace(":", "-")

    def write(self, root: Path) -> None:
        """Write both cases, and what they name."""
        folder = root / self.folder
        folder.mkdir(parents=True)
        answers = {"honest": Expect(verdict="accepted"), "attack": self.expect}
        for (which, expect), question in zip(answers.items(), self.pair, strict=True):
            for name, data in question.files.items():
                path = folder / which / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            about = self.about if which == "attack" else f"The honest twin of: {self.about}"
            case = {"version": 1, "name": f"{self.name} ({which})", "threat": self.threat, "about": about}
            case |= question.to_dict(which) | {"expect": expect.to_dict()}
            text = json.dumps(case, indent=1, ensure_ascii=False, allow_nan=False)
            (folder / f"{which}.case.json").write_text(f"{text}\n", "utf-8")


_REGISTERED: list[Attack] = []


def attack(
    threat: str,
    *,
    code: str | None = None,
    rule: str | None = None,
    subject: str | None = None,
    findings: Iterable[str] = (),
    verdict: Verdict = "refused",
    variants: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Pair]], Callable[..., Pair]]:
    """Register a function that makes an attack; its docstring says what is tried. Each variant is an attack.

    The function takes a variant's value, and its name stands for ``{variant}`` in rule and subject. Without a code the
    attack is one on availability: the answer stays a yes.
    """
    assert threat in THREATS, threat
    answer: Verdict = "accepted" if code is None else verdict

    def expected(variant: str) -> Expect:
        told = (None if text is None else text.replace("{variant}", variant) for text in (rule, subject))
        its_rule, its_subject = told
        return Expect(verdict=answer, code=code, rule=its_rule, subject=its_subject, findings=tuple(findings))

    def register(make: Callable[..., Pair]) -> Callable[..., Pair]:
        name = f"{make.__module__.rpartition('.')[2]}/{make.__name__.replace('_', '-')}"

        if variants is None:
            add(name, expected(""), make)
        for variant, value in (variants or {}).items():
            add(f"{name}:{variant}", expected(variant), partial(make, value))
        return make

    def add(name: str, expect: Expect, make: Callable[[], Pair]) -> None:
        assert name not in {each.name for each in _REGISTERED}, name
        about = " ".join((inspect.getdoc(inspect.unwrap(getattr(make, "func", make))) or "").split())
        assert about, f"{name} does not say what it tries"
        _REGISTERED.append(Attack(name=name, threat=threat, about=about, expect=expect, make=make))

    return register


def attacks() -> tuple[Attack, ...]:
    """Every attack, in the order in which the families say them."""
    for family in FAMILIES:
        import_module(f"tests.attacks.{family}")
    order = {family: number for number, family in enumerate(FAMILIES)}
    return tuple(sorted(_REGISTERED, key=lambda each: order[each.name.partition("/")[0]]))


def write(root: Path) -> None:
    """Write the whole corpus into a folder."""
    for each in attacks():
        each.write(root)


def _base64(data: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(data).decode("ascii")}
