"""What does a policy say that its author may not mean?

A policy that constructs says one thing. Here stands what is often meant otherwise: what believes more than it seems to,
and what can never hold. Every finding is a warning, and names its place; none of it changes a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from glasswing_attest._complaints import path_of
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.policy.cel.condition import is_read_here, read
from glasswing_attest.policy.cel.tree import (
    Both,
    Call,
    Choice,
    Either,
    Expression,
    Has,
    List,
    Literal,
    Macro,
    Method,
    Name,
    Operation,
    Unary,
    within,
)
from glasswing_attest.policy.identities import glob_matches
from glasswing_attest.policy.paths import Path
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.statement.predicates.registry import BUILT_IN
from glasswing_attest.statement.predicates.run import PROVENANCES
from glasswing_attest.statement.predicates.summary import SUMMARY_V1

__all__ = ["lint"]

_READ_HERE = frozenset(each.uri for each in BUILT_IN)
_TIMELESS = frozenset(each.uri for each in BUILT_IN if each.told_at is None)


def lint(policy: Policy, *, at: datetime | None = None) -> tuple[Finding, ...]:
    """Give a warning for everything that may not mean what its author thinks, in the order of the policy.

    With `at`, also for what has ended by then: the policy itself, or a trim.

    >>> policy = Policy.parse(b'''
    ... version: 1
    ... identities: {trainer: {key: trainer}}
    ... nodes:
    ...   model: {require: [{predicate: model, signed_by: {any_of: [trainer]}}]}
    ...   tool: {trim: {reason: "covered by the lock file"}}
    ... ''')
    >>> [(f.rule, f.do) for f in lint(policy)]
    [('nodes.tool.trim', 'say until when: a cut without an end is forgotten')]
    """
    ended = () if at is None else _ended(policy, at)
    return (*ended, *_top(policy), *_identities(policy), *_builders(policy), *_nodes(policy))


def _ended(policy: Policy, at: datetime) -> Iterator[Finding]:
    if policy.expires is not None and at > policy.expires:
        yield _warning(("expires",), "the policy has expired, and verifies nothing", "review it, and say a later time")
    for kind, rule in policy.nodes.items():
        if rule.trim is not None and rule.trim.until is not None and at > rule.trim.until:
            because = "the cut has ended, and whatever has an input of this kind is refused"
            do = f"set a later `until` if the cut is still right, or give nodes.{kind} requirements"
            yield _warning(("nodes", kind, "trim", "until"), because, do)


def _top(policy: Policy) -> Iterator[Finding]:
    if policy.times == "claimed":
        because = "nobody but the signer vouches for the time of a signature by a key"
        yield _warning(("times",), because, "say `verified` once your signers have witnesses")
    if policy.declared == "allow":
        because = "an artifact is believed to have digests that nobody here read"
        yield _warning(("declared",), because, "say `deny`, unless something else reads the artifact's bytes")


def _identities(policy: Policy) -> Iterator[Finding]:
    used = {name for _, requirement in policy.requirements for name in requirement.signed_by.names}
    used |= {name for builder in policy.builders for name in builder.signed_by}
    for name, identity in policy.identities.items():
        if name not in used:
            yield _warning(("identities", name), "no rule names it", "remove it, or name it where it belongs")
        if identity.github is not None and identity.github.repository_id is None and identity.github.owner_id is None:
            because = "a repository's name can be taken over when it is renamed or deleted"
            do = "add repository_id and owner_id: gh api repos/OWNER/NAME --jq '.id, .owner.id'"
            yield _warning(("identities", name, "github"), because, do)
        alone = identity.issuer is not None and not identity.claims and identity.github is None
        if alone and _OF_ANYBODY.match(identity.san or ""):
            because = "the owner is a star: whoever has an account there has such a name"
            yield _warning(("identities", name, "san"), because, "write the owner, or add claims or github")


# A place that many share, and a star right behind it, where such places write the name of an account.
_OF_ANYBODY = re.compile(r"https?://[^/]+/\*+/")


def _builders(policy: Policy) -> Iterator[Finding]:
    expected = [(r.expect.builder or "", r.signed_by.names) for _, r in policy.requirements if r.expect is not None]
    for number, builder in enumerate(policy.builders):
        if not any(_meet(builder.id, id_) and set(builder.signed_by) & set(names) for id_, names in expected):
            because = "no rule expects this builder, signed by one of these"
            yield _warning(("builders", number), because, "remove it, or expect the builder where it belongs")


def _nodes(policy: Policy) -> Iterator[Finding]:
    for kind, rule in policy.nodes.items():
        if rule.trim is not None and rule.trim.until is None:
            because = "things of this kind need no evidence, for ever"
            yield _warning(("nodes", kind, "trim"), because, "say until when: a cut without an end is forgotten")
    for place, requirement in policy.requirements:
        if requirement.predicate not in _READ_HERE:
            because = "this predicate type is not read here, so a verifier that is not told how refuses the policy"
            do = "mend the URI; or hand over its PredicateType, or --opaque URI for one that draws no edges"
            yield _warning((*place, "predicate"), because, do)
        if requirement.predicate in PROVENANCES:
            yield from _provenance(policy, place, requirement)
        yield from _signers(policy, place, requirement)
        expect = requirement.expect
        for name in ("builder", "verifier"):
            said = None if expect is None else getattr(expect, name)
            if said is not None and ":" not in said:
                because = f"{said} is no URI, and {name}.id is one, so that nothing may be called so"
                yield _warning((*place, "expect", name), because, f"write the {name}'s whole URI, as it calls itself")
        if requirement.predicate == SUMMARY_V1 and expect is not None and expect.level is None:
            because = "a summary says PASSED of whatever its verifier asks for, which may be nothing"
            yield _warning((*place, "expect"), because, "add the level that it must tell")
        if requirement.where is not None and is_read_here():
            yield from _condition((*place, "where"), requirement.where, read(requirement.where))


def _signers(policy: Policy, place: Path, requirement: Requirement) -> Iterator[Finding]:
    rule = requirement.signed_by
    if rule.threshold == 1:
        yield _warning((*place, "signed_by", "threshold"), "one of them is enough", "say any_of, or ask for more")
    is_by_keys = all(policy.identities[name].key is not None for name in rule.names)
    if requirement.max_age is not None and is_by_keys and requirement.predicate in _TIMELESS:
        because = "this predicate type tells no time, and a key none either, so that nothing satisfies it"
        yield _warning((*place, "max_age"), because, "have it signed with a certificate, or ask for version_at_least")


def _provenance(policy: Policy, place: Path, requirement: Requirement) -> Iterator[Finding]:
    expect = requirement.expect
    if expect is None:
        return
    if expect.level is None and expect.parameters is None:
        because = "whoever may run this builder decides what is built"
        yield _warning((*place, "expect"), because, "add parameters, which refuse what nobody expected, or a level")
    if not requirement.inputs:
        because = "a run may leave out what it was made from"
        yield _warning(place, because, "add inputs, such as {dataset: {min: 1}}")
    if expect.build_level > 1 and not any(
        builder.level >= expect.build_level
        and _meet(builder.id, expect.builder or "")
        and set(builder.signed_by) & set(requirement.signed_by.names)
        for builder in policy.builders
    ):
        because = f"no pair of signer and builder has level {expect.build_level}, so that nothing satisfies it"
        yield _warning((*place, "expect", "level"), because, "add the pair to builders")


def _meet(one: str, other: str) -> bool:
    """Tell whether two patterns may stand for one builder, as far as one is spelled out or they are the same."""
    return one == other or glob_matches(one, other) or glob_matches(other, one) or ("*" in one and "*" in other)


# --- conditions ------------------------------------------------------------------------------------------------------


_TEXT = re.compile(r"""'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*["]""", re.S)


def _condition(place: Path, text: str, condition: Expression) -> Iterator[Finding]:
    code = _TEXT.sub("", text).strip()
    if "//" in code and "\n" not in code:
        because = "what stands behind // is a comment, to the end of the line, and this is all one line"
        yield _warning(place, because, "keep the lines apart (| in YAML, not >), or remove the comment")
    if not any(isinstance(each, Name) for each in within(condition)):
        yield _warning(place, "it says nothing of the statement", "ask for something of predicate, subject or signer")
    for each in within(condition):
        because, do = _doubtful(each)
        if because:
            yield _warning(place, because, do)
    asked = {id(each) for each in _asked(condition)}
    for each in within(condition):
        if isinstance(each, Macro) and each.name in ("exists", "exists_one") and id(each) not in asked:
            because = f"what asks for {each.name}(…) to be false holds for an empty list"
            yield _warning(place, because, _ITEMS)


_ITEMS = "add that there are items, such as size(predicate.items) > 0"


def _asked(condition: Expression) -> Iterator[Expression]:
    """Give the parts that are asked to be true: nothing holds because one of them is false."""
    left = [condition]
    while left:
        each = left.pop()
        yield each
        match each:
            case Both() | Either():
                left += each.of
            case Choice():
                left += (each.yes, each.no)
            case Macro(name="all" | "exists"):
                left.append(each.body)
            case _:
                pass


def _asks_for_few(each: Operation) -> bool:
    """Tell whether a comparison holds where something filtered is empty."""
    match each.sign:
        case "==":
            nothing = (Literal(0), List(()))
            few = [one for one, other in ((each.left, each.right), (each.right, each.left)) if other in nothing]
        case "<" | "<=":
            few = [each.left]
        case ">" | ">=":
            few = [each.right]
        case _:
            few = []
    return any(isinstance(part, Macro) and part.name == "filter" for one in few for part in within(one))


def _doubtful(each: Expression) -> tuple[str, str]:
    """Say what is wrong with a part of a condition, and what to do; nothing for most."""
    match each:
        case Macro(name="all"):
            return "all(…) holds for an empty list", _ITEMS
        case Operation() if _asks_for_few(each):
            return "of an empty list filter(…) leaves nothing, and so this holds for it", _ITEMS
        case Unary("!", Has()):
            return "!has(…) never holds: what is absent satisfies nothing", "ask for what must be there"
        case Operation("==" | "!=", Literal(None), _) | Operation("==" | "!=", _, Literal(None)):
            return "what is null is absent, and satisfies nothing", "ask for what must be there"
        case Call("double" | "int") as call if not isinstance(call.of, Literal):
            because = (
                f"{call.function}(…) of a text has no value where the text is no such number, NaN and Infinity included"
            )
            return because, "for evaluation records use expect.metric with at_least or at_most"
        case Method(name="matches", argument=Literal(str(pattern))) if not _is_anchored(pattern):
            because = "matches holds for the whole text alone, and has no value where a part of it matches"
            return because, "write the pattern of the whole text, between ^ and $"
        case _:
            return "", ""


def _is_anchored(pattern: str) -> bool:
    return pattern.startswith("^") and pattern.endswith("$") and "|" not in pattern


def _warning(place: Path, because: str, do: str) -> Finding:
    return Finding(
        code="policy.doubtful", tier=Tier.WARNING, subject="policy", rule=path_of(place), found=because, do=do
    )
