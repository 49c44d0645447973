"""Does it end? Evidence that is made to exhaust, which decides nothing beyond its bounds and is never a yes."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from glasswing_attest.artifact.file import Blob
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from tests.attacks.corpus import Pair, attack
from tests.attacks.site import (
    EVIDENCE,
    MODEL,
    RUN,
    by,
    instead,
    payload_of,
    policy,
    question,
    run,
    said,
    sealed,
)
from tests.attacks.values import checked
from tests.chains import BUILDER, bare, provenance, used

ROOT: dict[str, Any] = {"rule": "nodes.model", "subject": "model model"}
MADE = {"predicate": PROVENANCE_V1, "signed_by": by("trainer"), "expect": {"builder": BUILDER}}


def bounded(**limits: int) -> dict[str, Any]:
    """The honest policy with a bound of its own; what things are made of needs provenance in turn."""
    dataset = {"require": [MADE]}
    return policy(lambda p: p.update(limits=limits, nodes={"model": {"require": [MADE]}, "dataset": dataset}))


def thing(name: str) -> Any:
    """One of many things."""
    return Blob(name.encode(), name=name, kind="dataset").measure()


def line(length: int) -> list[bytes]:
    """A model made of a thing, made of a thing, and so on."""
    names = [f"d{n}" for n in range(length)]
    made = [said(MODEL, provenance(used(thing(names[0]), "dataset")))]
    for name, below in itertools.pairwise(names):
        made.append(said(thing(name), provenance(used(thing(below), "dataset"))))
    return [*made, said(thing(names[-1]), provenance())]


def star(width: int) -> list[bytes]:
    """A model made of many things."""
    names = [f"d{n}" for n in range(width)]
    made = said(MODEL, provenance(*(used(thing(name), "dataset") for name in names)))
    return [made, *(said(thing(name), provenance()) for name in names)]


def grid(width: int, depth: int) -> list[bytes]:
    """Layers of things, each made of all things of the next: as many paths as width to the power of depth."""
    layers = [[thing(f"d{row}-{column}") for column in range(width)] for row in range(depth)]
    made = [said(MODEL, provenance(*(used(each, "dataset") for each in layers[0])))]
    for above, below in itertools.pairwise(layers):
        made += [said(each, provenance(*(used(other, "dataset") for other in below))) for each in above]
    return [*made, *(said(each, provenance()) for each in layers[-1])]


TOO_MUCH: dict[str, Any] = {"code": "limit", "verdict": "undecided", "subject": "model model"}


@attack("Resource exhaustion", **TOO_MUCH)
def more_things_than_allowed() -> Pair:
    """A trusted builder names more things than the policy allows."""
    asked = bounded(nodes=20)
    return question(*star(15), policy=asked), question(*star(40), policy=asked)


@attack("Resource exhaustion", **TOO_MUCH)
def deeper_than_allowed() -> Pair:
    """A chain has more steps than the policy allows."""
    asked = bounded(depth=5)
    return question(*line(5), policy=asked), question(*line(9), policy=asked)


@attack("Resource exhaustion", **TOO_MUCH)
def more_candidates_than_allowed() -> Pair:
    """There are more statements about one thing than the policy allows to look at, and the honest one is the last."""
    asked = bounded(candidates=30)
    many = [run(invocation_id=f"urn:{number}", by="developer") for number in range(60)]
    made = said(MODEL, provenance())
    return question(made, *many[:20], policy=asked), question(*many, made, policy=asked)


@attack("Resource exhaustion", **TOO_MUCH)
def more_steps_than_allowed() -> Pair:
    """The walk takes more steps than the policy allows."""
    asked = bounded(steps=60)
    return question(*line(3), policy=asked), question(*grid(6, 6), policy=asked)


@attack("Unending verification")
def paths_without_number() -> Pair:
    """Ten layers of four things have a million paths. Each thing is looked at once, and it stays a yes."""
    asked = bounded(nodes=1000)
    return question(*line(3), policy=asked), question(*grid(4, 10), policy=asked)


@attack("Unending verification", code="chain.no-attestation", rule="nodes.dataset", subject="dataset d5-0")
def bottom_missing_of_paths_without_number() -> Pair:
    """The same, and what all of it rests on is not attested."""
    asked = bounded(nodes=1000)
    whole = grid(4, 6)
    return question(*whole, policy=asked), question(*whole[:-4], policy=asked)


def signatures(count: int) -> bytes:
    """The run with this many signatures."""
    return bare(*[RUN] * count)


def deep(levels: int) -> bytes:
    """A statement that is nested this deep."""
    nested = b"[" * levels + b"]" * levels
    return sealed(payload_of(RUN)[:-1] + b',"x":' + nested + b"}", "trainer")


def digits(count: int) -> bytes:
    """A statement with a number of so many digits."""
    return sealed(payload_of(RUN)[:-1] + b',"x":' + b"9" * count + b"}", "trainer")


def subjects(count: int) -> bytes:
    """A statement about so many things, of which the model is the last."""
    others = [{"name": f"{n}", "digest": {"sha256": f"{n:064x}"}} for n in range(count - 1)]
    body = json.loads(payload_of(RUN))
    body["subject"] = [*others, *body["subject"]]
    return sealed(json.dumps(body).encode(), "trainer")


def digests_of(count: int) -> bytes:
    """A statement whose subject has so many digests."""
    more = {f"sha256-{n}": "0" for n in range(count - 1)}
    body = json.loads(payload_of(RUN))
    body["subject"][0]["digest"].update(more)
    return sealed(json.dumps(body).encode(), "trainer")


@attack(
    "Resource exhaustion",
    code="chain.no-attestation",
    **ROOT,
    findings=["limit"],
    variants={
        "nested": lambda: (deep(40), deep(200)),
        "very-deep": lambda: (deep(40), deep(100_000)),
        "subjects": lambda: (subjects(100), subjects(1100)),
        "digests": lambda: (digests_of(20), digests_of(100)),
    },
)
def statement_without_measure(make: Callable[[], tuple[bytes, bytes]]) -> Pair:
    """A trusted signer's statement is larger than anything honest: it counts for nothing."""
    small, large = make()
    return question(*instead(RUN, small)), question(*instead(RUN, large))


@attack("Resource exhaustion", code="chain.no-attestation", **ROOT, findings=["malformed.number"])
def number_without_end() -> Pair:
    """A number has more digits than anybody can mean, and takes long to read."""
    return question(*instead(RUN, digits(300))), question(*instead(RUN, digits(5000)))


@attack("Resource exhaustion", code="chain.no-attestation", **ROOT, findings=["limit"])
def signatures_without_number() -> Pair:
    """An envelope holds more signatures than anybody has keys."""
    return question(*instead(RUN, signatures(5))), question(*instead(RUN, signatures(40)))


@attack(
    "Resource exhaustion",
    variants={
        "nested": b"[" * 100_000,
        "wide": b"[" + b"0," * 100_000 + b"0]",
        "one-long-text": b'{"a":"' + b"a" * 1_000_000 + b'"}',
        "many-signatures": signatures(1000),
    },
)
def junk_beside_the_honest(junk: bytes) -> Pair:
    """A stranger puts something enormous into the pile: it is left aside, and what is honest stands."""
    return question(), question(junk, *EVIDENCE)


@attack("Unending verification", code="policy.where", rule="nodes.model.where", subject="model model")
def condition_over_a_long_list() -> Pair:
    """Whoever signs chooses how long a list is, and a condition compares each of it with each."""
    condition = "predicate.a.all(x, predicate.a.all(y, predicate.a.exists(z, x + y != z)))"
    return checked(condition, {"a": [1, 2, 4]}), checked(condition, {"a": list(range(1, 400))})
