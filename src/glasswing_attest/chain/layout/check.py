"""Was it made as its owner laid down, and by whom?

in-toto specification v1.0, section 5.2: the layout's signatures and expiry; then for each step enough links by its
functionaries that tell alike, where a step may have a layout of its own (a sublayout) in place of a link; then the
rules for what each step used and made, and for what each inspection did.

Nothing is looked up and nothing is run: links, times and the results of inspections are arguments. A link says which
step it is about in its signed bytes; no file name does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import datetime
from types import MappingProxyType

from glasswing_attest._wire import Node, format_time, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.layout import rules
from glasswing_attest.chain.layout.document import Inspection, Layout, Step
from glasswing_attest.chain.layout.rules import Artifacts, Flow, flow
from glasswing_attest.errors import (
    ArtifactRuleBroken,
    GlasswingError,
    InspectionUnsupported,
    KeyUntrusted,
    LayoutExpired,
    LimitError,
    StatementTypeUnsupported,
    StepUnproven,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.statement.predicates.classic_link import ClassicLink, artifacts
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import LINK
from glasswing_attest.verification import signature
from glasswing_attest.verification.binding import require_in_toto
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.signature import SignedPayload

__all__ = ["Inspected", "Sublayout", "VerifiedLayout", "VerifiedStep", "verify_layout"]

_SEAL = object()
_NONE: Mapping[str, str] = MappingProxyType({})


# --- what a caller hands over ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What an inspection's command used and made, where the caller ran it: the caller's own word, nobody's signature.

    >>> Inspected(materials={"foo.py": DigestSet.of(sha256="00" * 32)}).products
    mappingproxy({})
    """

    materials: Artifacts = field(default_factory=dict, hash=False)
    products: Artifacts = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("materials", "products"):
            told = dict(getattr(self, name))
            for path, digests in told.items():
                rules.require_plain(path, f"{name}[{path!r}]")
                if not isinstance(digests, DigestSet):
                    raise _mistaken(f"{name}[{path!r}]", digests, "a DigestSet")
            object.__setattr__(self, name, MappingProxyType(told))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sublayout:
    """A layout that stands for a step, with its own links. It has no name: the caller says for which step it is."""

    layout: bytes
    links: tuple[bytes, ...]
    inspections: Mapping[str, Inspected] = field(default_factory=dict, hash=False)
    sublayouts: Mapping[str, Sequence[Sublayout]] = field(default_factory=dict, hash=False)


# --- what is proved --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStep(Proof):
    """A step that was done, and by whom.

    Attributes:
        name: the step's name.
        functionaries: the distinct keys whose links tell of it alike: at least as many as the layout asks for.
        links: the sha256 of each link's payload, in hex; for a sublayout, of the layout's. In order of the keys.
        materials, products: what they tell of, in order of paths.
        as_expected: whether every command is the one that the layout expects. Nothing hangs on it, as in in-toto:
            whoever does a step can write any command.
        sublayouts: the proofs of the layouts that stand for links.
    """

    name: str
    functionaries: tuple[PublicKey, ...]
    links: tuple[str, ...]
    materials: tuple[ResourceDescriptor, ...]
    products: tuple[ResourceDescriptor, ...]
    as_expected: bool
    sublayouts: tuple[VerifiedLayout, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedLayout(Proof):
    """A layout that was followed.

    Attributes:
        payload_digest: the sha256 of the layout's payload, in hex.
        signers: the distinct keys, of those the caller gave, that signed the layout.
        expires: until when it holds.
        steps: every step, in the layout's order.
        inspections: the names of the inspections whose results the caller handed over, and which keep the rules.
    """

    payload_digest: str
    signers: tuple[PublicKey, ...]
    expires: datetime
    steps: tuple[VerifiedStep, ...]
    inspections: tuple[str, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    @property
    def materials(self) -> tuple[ResourceDescriptor, ...]:
        """What the first step used."""
        return self.steps[0].materials

    @property
    def products(self) -> tuple[ResourceDescriptor, ...]:
        """What the last step made. Compare it with what you have: no file was read."""
        return self.steps[-1].products


# --- the check -------------------------------------------------------------------------------------------------------


def verify_layout(
    layout: bytes,
    links: Iterable[bytes],
    *,
    keys: Iterable[PublicKey],
    at: datetime,
    threshold: int | None = None,
    substitution: Mapping[str, str] = _NONE,
    inspections: Mapping[str, Inspected] = MappingProxyType({}),
    sublayouts: Mapping[str, Sequence[Sublayout]] = MappingProxyType({}),
    limits: Limits = DEFAULT,
) -> VerifiedLayout:
    """Prove that things were made as a layout lays down.

    Args:
        layout: the layout, as a Metablock or in a DSSE envelope.
        links: the links, in either form and any order. What proves nothing is left aside.
        keys: whose layout it must be.
        at: the time at which the layout must not have expired.
        threshold: how many distinct ones of `keys` must have signed the layout; all of them, by default.
        substitution: what ``{NAME}`` stands for in the layout's rules and commands.
        inspections: what each inspection of the layout used and made. None is run.
        sublayouts: the layouts that stand for steps, by the name of the step.

    Raises:
        KeyUntrusted, SignatureInvalid: too few of the keys signed the layout.
        LayoutExpired: it has expired.
        InspectionUnsupported: the result of an inspection is missing.
        StepUnproven: too few functionaries of a step tell of it alike; the cause is why the first link was left aside.
        ArtifactRuleBroken: a rule fails.
        MalformedError, UnsupportedError: the layout cannot be read.
        LimitError: undecided.
        UsageError: no key, a threshold that cannot be met, a time without a zone, a value with wildcards.
    """
    told = tuple(keys)
    for number, key in enumerate(told):
        if not isinstance(key, PublicKey):
            raise _mistaken(f"keys[{number}]", key, "a PublicKey")
    owners = tuple({key.der: key for key in told}.values())
    if not owners:
        raise UsageError(where="keys", found="nothing", wanted="the keys of whoever the layout must be by")
    enough = len(owners) if threshold is None else threshold
    if type(enough) is not int or not 1 <= enough <= len(owners):
        raise UsageError(where="threshold", found=enough, wanted=f"1 to {len(owners)}, the number of distinct keys")
    if not isinstance(at, datetime):
        raise _mistaken("at", at, "a time with a zone")
    if at.utcoffset() is None:
        raise UsageError(where="at", found=at.isoformat(), wanted="a time with a zone")
    for name, value in substitution.items():
        # What is put in is the caller's text, perhaps of somebody else's making. It must not widen a rule.
        if not isinstance(value, str):
            raise _mistaken(f"substitution[{name!r}]", value, "text")
        if not value or set(value) & set("*?[]{}"):
            raise UsageError(where=f"substitution[{name!r}]", found=value, wanted="text without any of *?[]{}")
    given = Sublayout(layout=layout, links=tuple(links), inspections=inspections, sublayouts=sublayouts)
    return _Check(at, limits).layout(given, owners, enough, substitution, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What one functionary tells of a step, in a link or by a sublayout."""

    key: PublicKey
    payload_digest: str
    command: tuple[str, ...] | None
    materials: tuple[ResourceDescriptor, ...]
    products: tuple[ResourceDescriptor, ...]
    sublayout: VerifiedLayout | None = None


class _Check:
    """One check, with its time and its budgets."""

    def __init__(self, at: datetime, limits: Limits) -> None:
        self._at, self._limits = at, limits
        self._signatures = Budget(limits, "signature_checks_in_all")
        self._selections = Budget(limits, "candidates")

    def layout(
        self,
        given: Sublayout,
        owners: tuple[PublicKey, ...],
        threshold: int,
        substitution: Mapping[str, str],
        depth: int,
    ) -> VerifiedLayout:
        self._limits.check("depth", depth, where="sublayouts")
        attestation = Attestation.parse(given.layout, limits=self._limits)
        signed = self._signed(attestation, owners)
        if len(signed) < threshold:
            found, wanted = f"{len(signed)} of the {len(owners)} keys", f"at least {threshold}"
            raise KeyUntrusted(where="$.signatures", found=found, wanted=wanted)
        layout = Layout.parse(self._read(signed[0]), substitution=substitution, limits=self._limits)
        if self._at > layout.expires:
            raise LayoutExpired(where="$.expires", found=format_time(layout.expires), wanted=format_time(self._at))
        _require_results(layout, given)
        told, refused = self._told(given, layout, depth)
        chosen = self._select([_alike(s, told[s.name], refused.get(s.name, [])) for s in layout.steps], layout, given)
        return VerifiedLayout(
            payload_digest=attestation.payload_digest,
            signers=tuple(sorted((proof.key for proof in signed), key=lambda key: key.fingerprint)),
            expires=layout.expires,
            steps=tuple(_verified(step, group) for step, group in zip(layout.steps, chosen, strict=True)),
            inspections=tuple(inspection.name for inspection in layout.inspections),
            seal=_SEAL,
        )

    def _signed(self, attestation: Attestation, keys: Iterable[PublicKey]) -> list[SignedPayload]:
        """Give one proof for each distinct one of these keys that signed. Raises where none did."""
        proofs = signature.check(attestation, keys, limits=self._limits, budget=self._signatures)
        # A certificate brings a key of its own, and a layout speaks of keys alone.
        return list({proof.key.der: proof for proof in proofs if proof.leaf is None}.values())

    def _authentic(self, data: bytes, keys: Iterable[PublicKey]) -> tuple[Attestation, list[SignedPayload]]:
        """Read a link or a sublayout that one of these keys signed. Raises for anything else.

        What exceeds a limit by itself, before anybody is known to stand behind it, is anything else as well: a stranger
        who may add to the pile takes nothing from what others prove.
        """
        try:
            attestation = Attestation.parse(data, limits=self._limits)
            signed = self._signed(attestation, keys)
        except LimitError as e:
            if self._signatures.is_exceeded:
                raise
            raise KeyUntrusted(where=e.where, because=str(e)) from e
        if not signed:
            raise KeyUntrusted(where="$.verificationMaterial")
        return attestation, signed

    def _read(self, signed: SignedPayload) -> Node:
        """Read what was signed, once it is proved."""
        return read_json(require_in_toto(signed).payload, limits=self._limits)

    def _told(
        self, given: Sublayout, layout: Layout, depth: int
    ) -> tuple[dict[str, list[_Told]], dict[str, list[GlasswingError]]]:
        """Give what is told of each step by its functionaries, and why links that claim to tell of it do not."""
        told: dict[str, list[_Told]] = {step.name: [] for step in layout.steps}
        refused: dict[str, list[GlasswingError]] = {}
        self._limits.check("evidence", len(given.links), where="links")
        keys = tuple({key: None for step in layout.steps for key in step.functionaries})
        for link in given.links:
            try:
                step, found = self._link(link, layout, keys)
                told[step.name] += found
            except (LimitError, UsageError):
                raise
            except GlasswingError as e:
                refused.setdefault(_claimed_step(link, self._limits), []).append(e)
        for step in layout.steps:
            for number, sublayout in enumerate(given.sublayouts.get(step.name, ())):
                if not isinstance(sublayout, Sublayout):
                    raise _mistaken(f"sublayouts[{step.name!r}][{number}]", sublayout, "a Sublayout")
                try:
                    told[step.name] += self._sublayout(sublayout, step, depth)
                except (LimitError, UsageError):
                    raise
                except GlasswingError as e:
                    refused.setdefault(step.name, []).append(e)
        return told, refused

    def _link(self, data: bytes, layout: Layout, keys: tuple[PublicKey, ...]) -> tuple[Step, list[_Told]]:
        """Read one link of one step. Raises where it proves nothing."""
        attestation, signed = self._authentic(data, keys)
        node = self._read(signed[0])
        if (kind := node.need("_type").text()) != LINK:
            raise StatementTypeUnsupported(where="$._type", found=kind, wanted=LINK)
        name = node.need("name")
        step = next((step for step in layout.steps if step.name == name.text()), None)
        if step is None:
            name.refuse("a step of the layout", found=name.text())
        link = ClassicLink.from_predicate(node, limits=self._limits)
        products = artifacts(node, "products", self._limits)
        for part, several in (("materials", link.materials), ("products", products)):
            for artifact in several:
                rules.require_plain(artifact.name, f"$.{part}[{artifact.name!r}]")
        by = [proof.key for proof in signed if _may(step, proof)]
        if not by:
            found = f"key {signed[0].key.fingerprint[:16]}"
            raise KeyUntrusted(where=f"steps.{step.name}", found=found, wanted="a functionary of that step")
        digest = attestation.payload_digest
        return step, [
            _Told(key=key, payload_digest=digest, command=link.command, materials=link.materials, products=products)
            for key in by
        ]

    def _sublayout(self, given: Sublayout, step: Step, depth: int) -> list[_Told]:
        """Verify a sublayout once for each functionary of the step who signed it, as a layout of that one's own."""
        _, signed = self._authentic(given.layout, step.functionaries)
        found = []
        for proof in signed:
            verified = self.layout(given, (proof.key,), 1, _NONE, depth + 1)
            found.append(
                _Told(
                    key=proof.key,
                    payload_digest=verified.payload_digest,
                    command=None,
                    materials=verified.materials,
                    products=verified.products,
                    sublayout=verified,
                )
            )
        return found

    def _select(self, groups: list[list[list[_Told]]], layout: Layout, given: Sublayout) -> tuple[list[_Told], ...]:
        """Give the first selection of what is told, one group a step, that keeps every rule.

        Where functionaries contradict each other, and each side is enough for the step, one consistent selection is
        enough; so no link can take away what others prove.
        """
        broken: ArtifactRuleBroken | None = None
        for chosen in itertools.product(*groups):
            self._selections.spend(where="links")
            flows = {s.name: flow(g[0].materials, g[0].products) for s, g in zip(layout.steps, chosen, strict=True)}
            try:
                _apply(layout.steps, flows)
                results = given.inspections
                flows |= {
                    i.name: Flow(materials=results[i.name].materials, products=results[i.name].products)
                    for i in layout.inspections
                }
                _apply(layout.inspections, flows)
            except ArtifactRuleBroken as e:
                broken = broken or e
            else:
                return chosen
        assert broken is not None  # noqa: S101  # every step has a group, so there was a selection
        raise broken


def _apply(items: Iterable[Step | Inspection], flows: Mapping[str, Flow]) -> None:
    for item in items:
        rules.apply(item.expected_materials, "materials", item.name, flows)
        rules.apply(item.expected_products, "products", item.name, flows)


def _require_results(layout: Layout, given: Sublayout) -> None:
    names = {inspection.name for inspection in layout.inspections}
    for inspection in layout.inspections:
        result = given.inspections.get(inspection.name)
        if result is None:
            found = " ".join(inspection.run)
            raise InspectionUnsupported(where=f"inspect.{inspection.name}", found=found)
        if not isinstance(result, Inspected):
            raise _mistaken(f"inspections[{inspection.name!r}]", result, "an Inspected")
    for label, told, known in (
        ("inspections", given.inspections, names),
        ("sublayouts", given.sublayouts, {step.name for step in layout.steps}),
    ):
        if unknown := sorted(set(told) - known):
            wanted = f"one of {', '.join(sorted(known))}" if known else "nothing"
            raise UsageError(where=label, found=unknown[0], wanted=wanted)


def _mistaken(where: str, found: object, wanted: str) -> UsageError:
    return UsageError(where=where, found=type(found).__name__, wanted=wanted)


def _claimed_step(link: bytes, limits: Limits) -> str:
    """Give the step that a link which proves nothing claims to be about: for the message alone."""
    try:
        return read_json(Attestation.parse(link, limits=limits).envelope.payload, limits=limits).get_text("name")
    except GlasswingError:
        return ""


def _may(step: Step, proof: SignedPayload) -> bool:
    return any(key.der == proof.key.der and proof.scheme in key.schemes for key in step.functionaries)


def _alike(step: Step, told: list[_Told], refused: list[GlasswingError]) -> list[list[_Told]]:
    """Give each group that is large enough of those who tell of the step alike, one entry a key, in a fixed order."""
    groups: dict[object, dict[bytes, _Told]] = {}
    for each in sorted(told, key=lambda t: (t.payload_digest, t.key.fingerprint)):
        groups.setdefault((each.materials, each.products), {}).setdefault(each.key.der, each)
    enough = [list(group.values()) for group in groups.values() if len(group) >= step.threshold]
    if enough:
        return enough
    most = max(map(len, groups.values()), default=0)
    raise StepUnproven(
        where=f"steps.{step.name}",
        found=f"{most} of its {len({key.der for key in step.functionaries})} functionaries",
        wanted=f"at least {step.threshold}",
        because=f"of the links, {len(refused)} left aside; the first: {refused[0]}" if refused else "",
    ) from (refused[0] if refused else None)


def _verified(step: Step, group: list[_Told]) -> VerifiedStep:
    ordered = sorted(group, key=lambda told: told.key.fingerprint)
    return VerifiedStep(
        name=step.name,
        functionaries=tuple(told.key for told in ordered),
        links=tuple(told.payload_digest for told in ordered),
        materials=ordered[0].materials,
        products=ordered[0].products,
        as_expected=all(told.command in (None, step.expected_command) for told in ordered),
        sublayouts=tuple(told.sublayout for told in ordered if told.sublayout is not None),
        seal=_SEAL,
    )
