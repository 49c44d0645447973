"""What did witness see before, during and after a step?

A witness attestation collection (go-witness, attestation/collection.go), predicate types
``https://witness.testifysec.com/attestation-collection/v0.1`` and ``https://witness.dev/attestation-collection/v0.1``.
It is read only. ::

    {name, attestations: [{type: "https://witness.dev/attestations/<kind>/v<version>", attestation: {…},
                           starttime?, endtime?}, …]}

    material     {<path>: <DigestSet>, …}                           the files before the step
    product      {<path>: {mime_type?, digest: <DigestSet>}, …}     the files that it made or changed
    git          {commithash, treehash?, status?: {<path>: …}, …}
    command-run  {cmd: [<argument>, …], exitcode, …}
    environment  {os?, hostname?, username?, variables?: {<name>: <value>, …}}

Each material is an edge in no role of its own, so kind ``dependency``; the commit is one as ``code``. That is of lower
assurance than a build's ``resolvedDependencies``: witness lists whatever lay in the working directory, whether the
step used it or not, and misses what came from elsewhere. So these types are not among those that are read without
being asked for; `TYPES` is passed to the `Verifier` by whoever knows that.

Some of the subjects that stand in the statement are digests of a name or an e-mail address, not of a file. A collection
is about those of them that are its products.

A collection holds the step's environment variables and output, so nothing of an attestation is ever shown by `repr`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import NOTHING, get_text_map, get_time, need_text, texts
from glasswing_attest.statement.predicates.predicate_type import Dependency, PredicateType, Subjects
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = [
    "TYPES",
    "WITNESS_DEV_V01",
    "WITNESS_TESTIFYSEC_V01",
    "Collection",
    "CommandRun",
    "Commit",
    "Environment",
    "Step",
]

WITNESS_TESTIFYSEC_V01 = "https://witness.testifysec.com/attestation-collection/v0.1"
WITNESS_DEV_V01 = "https://witness.dev/attestation-collection/v0.1"

_KIND = re.compile(r"https://witness\.dev/attestations/([a-z0-9-]+)/v[0-9]+(?:\.[0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One attestation of a collection: its type, and when witness took it."""

    attestation_type: str
    started_on: datetime | None = None
    finished_on: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit that was checked out. `dirty` says that files of it had been changed."""

    digest: DigestSet
    tree: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """The command that was run, and how it ended. Arguments may hold secrets, so `repr` does not show them."""

    arguments: tuple[str, ...] = field(repr=False)
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where the step ran. Variables may hold secrets, so `repr` does not show them."""

    os_name: str = ""
    hostname: str = ""
    username: str = ""
    variables: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection of what witness saw at one step. `from_predicate` makes it.

    Types of attestation that are not typed here stand in `steps` alone.
    """

    name: str
    predicate_type: str
    steps: tuple[Step, ...] = ()
    materials: tuple[ResourceDescriptor, ...] = field(default=(), repr=False)
    products: tuple[ResourceDescriptor, ...] = field(default=(), repr=False)
    commits: tuple[Commit, ...] = ()
    commands: tuple[CommandRun, ...] = ()
    environments: tuple[Environment, ...] = ()

    @classmethod
    def from_predicate(
        cls, node: Node, *, limits: Limits = DEFAULT, predicate_type: str = WITNESS_TESTIFYSEC_V01
    ) -> Collection:
        """Read a predicate. Raises `MalformedError` with the path, or `LimitError`."""
        items = node.need("attestations").array()
        limits.check("dependencies", len(items), where=f"{node.path}.attestations")
        steps, bodies = [], []
        for item in items:
            step = Step(
                attestation_type=need_text(item, "type"),
                started_on=get_time(item, "starttime"),
                finished_on=get_time(item, "endtime"),
            )
            steps.append(step)
            kind, body = _KIND.fullmatch(step.attestation_type), item.get("attestation")
            if kind is not None and body is not None:
                bodies.append((kind[1], body))

        def each(wanted: str) -> Iterator[Node]:
            return (body for kind, body in bodies if kind == wanted)

        return cls(
            name=need_text(node, "name"),
            predicate_type=predicate_type,
            steps=tuple(steps),
            materials=tuple(found for body in each("material") for found in _materials(body, limits)),
            products=tuple(found for body in each("product") for found in _products(body, limits)),
            commits=tuple(_commit(body) for body in each("git") if body.get_text("commithash")),
            commands=tuple(_command(body) for body in each("command-run")),
            environments=tuple(_environment(body) for body in each("environment")),
        )


def _materials(body: Node, limits: Limits) -> Iterator[ResourceDescriptor]:
    members = list(body.members())
    limits.check("dependencies", len(members), where=body.path)
    for name, digest in members:
        yield ResourceDescriptor(name=name, digest=DigestSet.parse(digest, limits=limits))


def _products(body: Node, limits: Limits) -> Iterator[ResourceDescriptor]:
    members = list(body.members())
    limits.check("dependencies", len(members), where=body.path)
    for name, told in members:
        digest = DigestSet.parse(told.need("digest"), limits=limits)
        yield ResourceDescriptor(name=name, digest=digest, media_type=told.get_text("mime_type"))


def _commit(body: Node) -> Commit:
    commit, status = body.need("commithash"), body.get("status")
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit.text()):
        commit.refuse("40 or 64 lowercase hex digits", found=commit.value)
    return Commit(
        digest=DigestSet.of(gitCommit=commit.text()),
        tree=body.get_text("treehash"),
        dirty=status is not None and bool(status.object()),
    )


def _command(body: Node) -> CommandRun:
    code = body.need("exitcode")
    if isinstance(code.value, bool) or not isinstance(code.value, int):
        code.refuse("an integer")
    return CommandRun(arguments=texts(body.need("cmd")), exit_code=code.value)


def _environment(body: Node) -> Environment:
    return Environment(
        os_name=body.get_text("os"),
        hostname=body.get_text("hostname"),
        username=body.get_text("username"),
        variables=get_text_map(body, "variables"),
    )


def _dependencies(predicate: object) -> Iterable[Dependency]:
    assert isinstance(predicate, Collection)  # noqa: S101  # only its own parse feeds it
    for material in predicate.materials:
        yield Dependency(role="", resource=material)
    for commit in predicate.commits:
        yield Dependency(role="code", resource=ResourceDescriptor(digest=commit.digest))


def _products_among(written: Subjects, predicate: object) -> Subjects:
    assert isinstance(predicate, Collection)  # noqa: S101  # only its own parse feeds it
    made = {digest for product in predicate.products for digest in product.digest.identity}
    return tuple(subject for subject in written if not made.isdisjoint(subject.digest.identity))


def _of(uri: str) -> PredicateType:
    return PredicateType(
        uri=uri,
        parse=lambda node, limits: Collection.from_predicate(node, limits=limits, predicate_type=uri),
        dependencies=_dependencies,
        subjects=_products_among,
    )


TYPES = (_of(WITNESS_TESTIFYSEC_V01), _of(WITNESS_DEV_V01))
