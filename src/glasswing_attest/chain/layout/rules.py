"""Did the artifacts flow from step to step as the layout rules?

in-toto specification v1.0, section 4.3.3. The rules of a step work like a firewall on the queue of its materials, and
on that of its products::

    MATCH <pattern> [IN <prefix>] WITH (MATERIALS|PRODUCTS) [IN <prefix>] FROM <step>
    CREATE | DELETE | MODIFY | ALLOW <pattern>      take what they are about out of the queue
    DISALLOW <pattern>                              fails on what is still in it
    REQUIRE <path>                                  fails unless that is still in it

A pattern is one of a shell (``*``, ``?``, ``[a-z]``, ``[!a-z]``) over the whole path: ``*`` crosses ``/``, and neither
``^`` nor a backslash means anything. Paths are compared as they stand. Whether ``./a`` is ``a`` is not laid down, and a
rule about ``a`` must not be dodged: so a path that can be written in a shorter way is refused.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import cast

from in_toto.rulelib import unpack_rule  # type: ignore[import-untyped]  # it has no types
from securesystemslib.exceptions import FormatError

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import ArtifactRuleBroken, FieldRefused, Kind
from glasswing_attest.statement.resource import ResourceDescriptor

__all__ = ["Artifacts", "Flow", "Rule", "apply", "flow", "require_plain"]

Artifacts = Mapping[str, DigestSet]
"""What was used or made: digests by path."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What went into a step or an inspection, and what came out of it."""

    materials: Artifacts
    products: Artifacts


def flow(materials: Iterable[ResourceDescriptor], products: Iterable[ResourceDescriptor]) -> Flow:
    """Put artifacts under their paths."""
    used, made = ({a.name: a.digest for a in several} for several in (materials, products))
    return Flow(materials=MappingProxyType(used), products=MappingProxyType(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. The four last fields are those of MATCH; `source` and `target` are prefixes, or ""."""

    kind: str
    pattern: str
    words: tuple[str, ...]
    source: str = ""
    target: str = ""
    of: str = ""
    step: str = ""

    @classmethod
    def parse(cls, node: Node, words: tuple[str, ...]) -> Rule:
        """Read a rule from its words, of which `node` is the place. Raises `FieldRefused`."""
        try:
            told = cast(dict[str, str], unpack_rule(list(words)))
        except FormatError as e:
            wanted = "a rule such as ALLOW <pattern>, or MATCH <pattern> WITH PRODUCTS FROM <step>"
            raise FieldRefused(kind=node.kind, where=node.path, found=" ".join(words), wanted=wanted) from e
        source, target = (told.get(name, "") for name in ("source_prefix", "dest_prefix"))
        # A prefix of nothing but a slash would become none, and so would be about everything.
        for path in (told["pattern"], *(prefix.removesuffix("/") for prefix in (source, target) if prefix)):
            require_plain(path, node.path, kind=node.kind)
        return cls(
            kind=told["rule_type"],
            pattern=told["pattern"],
            words=words,
            source=source.removesuffix("/"),
            target=target.removesuffix("/"),
            of=told.get("dest_type", ""),
            step=told.get("dest_name", ""),
        )

    def consumed(self, queue: set[str], of: str, here: Flow, others: Mapping[str, Flow], where: str) -> set[str]:
        """Give what the rule takes out of the queue of `here`'s materials or products (`of`).

        Raises:
            ArtifactRuleBroken: the rule is a DISALLOW or REQUIRE, and fails.
        """
        if self.kind == "require":
            if self.pattern not in queue:
                raise ArtifactRuleBroken(where=where, found=_told(queue), wanted=str(self))
            return set()
        if self.kind == "match":
            return self._matched(queue, here.materials if of == "materials" else here.products, others)
        named = {path for path in queue if fnmatchcase(path, self.pattern)}
        used, made = here.materials, here.products
        match self.kind:
            case "create":
                return {path for path in named if path in made and path not in used}
            case "delete":
                return {path for path in named if path in used and path not in made}
            case "modify":
                return {path for path in named if path in used and path in made and used[path] != made[path]}
            case "allow":
                return named
            case _:
                if named:
                    raise ArtifactRuleBroken(where=where, found=_told(named), wanted=str(self))
                return set()

    def _matched(self, queue: set[str], artifacts: Artifacts, others: Mapping[str, Flow]) -> set[str]:
        """Give what another step tells of too, under the same path below the prefixes, with the same digests."""
        other = others.get(self.step)
        if other is None:
            return set()
        theirs = other.materials if self.of == "materials" else other.products
        source = f"{self.source}/" if self.source else ""
        target = f"{self.target}/" if self.target else ""
        found = set()
        for path in queue:
            rest = path[len(source) :]
            if not path.startswith(source) or not fnmatchcase(rest, self.pattern):
                continue
            same = theirs.get(target + rest)
            # Equal in every digest that is there, as in-toto has it; and one of them must be fit to identify anything.
            if same is not None and same == artifacts[path] and same.identity:
                found.add(path)
        return found

    def __str__(self) -> str:
        return " ".join(self.words)


def apply(rules: Iterable[Rule], of: str, name: str, flows: Mapping[str, Flow]) -> None:
    """Apply the rules of the step or inspection `name` to its materials or products (`of`), in their order.

    Raises:
        ArtifactRuleBroken: one of them fails; ``where`` names it.
    """
    here = flows[name]
    queue = set(here.materials if of == "materials" else here.products)
    for number, rule in enumerate(rules):
        queue -= rule.consumed(queue, of, here, flows, f"{name}.expected_{of}[{number}]")


def require_plain(path: str, where: str, *, kind: Kind = "evidence") -> None:
    """Refuse a path that others would call by another name: ``./a``, ``a//b``, ``a/../b``, ``a/``, and backslashes."""
    scheme = _SCHEME.match(path)
    rest = path[scheme.end() :] if scheme else path
    if rest in ("", ".", "/") or "\\" in rest or "//" in rest or posixpath.normpath(rest) != rest:
        raise FieldRefused(kind=kind, where=where, found=path, wanted="a path in its shortest form, with / alone")


def _told(paths: set[str]) -> str:
    names = sorted(paths)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}" if names else "nothing"
