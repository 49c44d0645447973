"""Was it published, and under which name?

PyPI's publish attestation (PEP 740; docs.pypi.org/attestations/publish/v1), predicate type
``https://docs.pypi.org/attestations/publish/v1``: the index accepted this file from its publisher. Its predicate is
null; the name of the file stands in the subject.

npm's publish attestation (npm/attestation, specs/publish/v0.1), predicate type
``https://github.com/npm/attestation/tree/main/specs/publish/v0.1``: the registry accepted this package. ::

    {name, version, registry}
"""

from __future__ import annotations

from dataclasses import dataclass

from glasswing_attest._wire import Node
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.predicates.fields import need_text, require_said
from glasswing_attest.statement.predicates.predicate_type import PredicateType

__all__ = ["NPM_PUBLISH_V01", "PYPI_PUBLISH_V1", "TYPES", "NpmPublish", "PypiPublish"]

PYPI_PUBLISH_V1 = "https://docs.pypi.org/attestations/publish/v1"
NPM_PUBLISH_V01 = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PypiPublish:
    """PyPI's publish attestation. It says nothing but that its subject was published.

    >>> PypiPublish().to_predicate()
    {}
    """

    @property
    def predicate_type(self) -> str:
        """``https://docs.pypi.org/attestations/publish/v1``."""
        return PYPI_PUBLISH_V1

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> PypiPublish:
        """Read a predicate. Whatever it holds is an unknown field."""
        node.object()
        return cls()

    def to_predicate(self) -> dict[str, object]:
        """Give the empty object, which means the same as null."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class NpmPublish:
    """npm's publish attestation: as which version of which package the registry took its subject.

    >>> NpmPublish(name="left", version="1.0.0", registry="https://registry.example").to_predicate()["version"]
    '1.0.0'
    """

    name: str
    version: str
    registry: str

    def __post_init__(self) -> None:
        for field, text in (("name", self.name), ("version", self.version), ("registry", self.registry)):
            require_said(text, field)

    @property
    def predicate_type(self) -> str:
        """``https://github.com/npm/attestation/tree/main/specs/publish/v0.1``."""
        return NPM_PUBLISH_V01

    @classmethod
    def from_predicate(cls, node: Node, *, limits: Limits = DEFAULT) -> NpmPublish:
        """Read a predicate. Raises `MalformedError` with the path."""
        return cls(
            name=need_text(node, "name"), version=need_text(node, "version"), registry=need_text(node, "registry")
        )

    def to_predicate(self) -> dict[str, object]:
        """Give the predicate as npm's JSON object."""
        return {"name": self.name, "version": self.version, "registry": self.registry}


TYPES = (
    PredicateType(uri=PYPI_PUBLISH_V1, parse=lambda node, limits: PypiPublish.from_predicate(node, limits=limits)),
    PredicateType(uri=NPM_PUBLISH_V01, parse=lambda node, limits: NpmPublish.from_predicate(node, limits=limits)),
)
