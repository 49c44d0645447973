"""What does a layout lay down?

in-toto specification v1.0, section 4.3. ::

    {"_type": "layout", "expires": <RFC 3339>, "keys": {<key id>: <public key>, …},
     "steps": [{"name": …, "threshold": 1, "pubkeys": [<key id>, …], "expected_command": […],
                "expected_materials": [<rule>, …], "expected_products": [<rule>, …]}, …],
     "inspect": [{"name": …, "run": […], "expected_materials": […], "expected_products": […]}, …]}

A key id is the layout's name for a key and nothing more: two names of one key are one functionary. Each key says which
scheme it signs with, as securesystemslib spells it. A key of OpenPGP refuses the layout; demands on certificates
(``cert_constraints``) are ignored, so that a step which has nothing else is done by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from glasswing_attest._wire import Node
from glasswing_attest.chain.layout.rules import Rule
from glasswing_attest.errors import FieldMissing, FieldRefused, KeyUnsupported, StatementTypeUnsupported, TrustRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import Limits
from glasswing_attest.metablock import LAYOUT

__all__ = ["Inspection", "Layout", "Step"]

_PLACEHOLDER = re.compile(r"\{([A-Za-z0-9_-]+)\}")
_ED25519_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: who may do it, how many of them must, and the rules for what they use and make."""

    name: str
    functionaries: tuple[PublicKey, ...]
    threshold: int
    expected_command: tuple[str, ...]
    expected_materials: tuple[Rule, ...]
    expected_products: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """A command that whoever verifies shall run, and the rules for what it uses and makes."""

    name: str
    run: tuple[str, ...]
    expected_materials: tuple[Rule, ...]
    expected_products: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A layout as it was read. Whose it is, `check` says."""

    expires: datetime
    steps: tuple[Step, ...]
    inspections: tuple[Inspection, ...]

    @classmethod
    def parse(cls, node: Node, *, substitution: Mapping[str, str], limits: Limits) -> Layout:
        """Read a layout strictly. ``{NAME}`` in rules and commands becomes what `substitution` says.

        Raises:
            StatementTypeUnsupported: it is no layout.
            KeyUnsupported: a key of a kind that is not used here.
            MalformedError: with the path. A layout without a step, a threshold below one, and a name that stands twice
                are refused.
            LimitError: too many keys, steps or rules.
        """
        kind = node.need("_type").text()
        if kind != LAYOUT:
            raise StatementTypeUnsupported(where=f"{node.path}._type", found=kind, wanted=LAYOUT)
        read = _Reader(_keys(node.need("keys"), limits), substitution, limits)
        items, inspect = node.need("steps").array(), node.get_array("inspect")
        if not items:
            raise FieldMissing(kind=node.kind, where=f"{node.path}.steps", wanted="at least one step")
        limits.check("nodes", len(items) + len(inspect), where=f"{node.path}.steps")
        seen: set[str] = set()
        for item in (*items, *inspect):
            name = item.need("name")
            if not name.text() or name.text() in seen:
                name.refuse("a name for each step and inspection, and each name once", found=name.text())
            seen.add(name.text())
        return cls(
            expires=node.need("expires").time(),
            steps=tuple(read.step(item) for item in items),
            inspections=tuple(read.inspection(item) for item in inspect),
        )


class _Reader:
    """Reads steps and inspections, with what they all refer to."""

    def __init__(self, keys: Mapping[str, PublicKey], substitution: Mapping[str, str], limits: Limits) -> None:
        self._keys, self._substitution, self._limits = keys, substitution, limits

    def step(self, node: Node) -> Step:
        threshold = node.need("threshold")
        if isinstance(threshold.value, bool) or not isinstance(threshold.value, int) or threshold.value < 1:
            threshold.refuse("a number of at least one", found=threshold.value)
        pubkeys = [_known(item, self._keys) for item in node.get_array("pubkeys")]
        return Step(
            name=node.need("name").text(),
            functionaries=tuple(dict.fromkeys(pubkeys)),
            threshold=threshold.value,
            expected_command=self._words(node, "expected_command"),
            expected_materials=self._rules(node, "expected_materials"),
            expected_products=self._rules(node, "expected_products"),
        )

    def inspection(self, node: Node) -> Inspection:
        return Inspection(
            name=node.need("name").text(),
            run=self._words(node, "run"),
            expected_materials=self._rules(node, "expected_materials"),
            expected_products=self._rules(node, "expected_products"),
        )

    def _words(self, node: Node, name: str) -> tuple[str, ...]:
        return self._substituted(word.text() for word in node.get_array(name))

    def _rules(self, node: Node, name: str) -> tuple[Rule, ...]:
        items = node.get_array(name)
        self._limits.check("dependencies", len(items), where=f"{node.path}.{name}")
        return tuple(self._rule(item) for item in items)

    def _rule(self, node: Node) -> Rule:
        words = self._substituted(word.text() for word in node.array())
        for word in words:
            # Taken as it stands, it would match nothing, and a DISALLOW would forbid nothing.
            if left := _PLACEHOLDER.search(word):
                wanted, do = f"what {left[1]} stands for", "hand it over in substitution"
                raise FieldRefused(kind=node.kind, where=node.path, found=left[0], wanted=wanted, do=do)
        return Rule.parse(node, words)

    def _substituted(self, words: Iterable[str]) -> tuple[str, ...]:
        told = self._substitution
        # In one pass: what was put in is never looked at again.
        return tuple(_PLACEHOLDER.sub(lambda found: told.get(found[1], found[0]), word) for word in words)


def _known(node: Node, keys: Mapping[str, PublicKey]) -> PublicKey:
    key = keys.get(node.text())
    if key is None:
        node.refuse("one of the layout's keys", found=node.text())
    return key


def _keys(node: Node, limits: Limits) -> dict[str, PublicKey]:
    limits.check("trusted_keys", len(node.object()), where=node.path)
    return {name: _key(name, member) for name, member in node.members()}


def _key(name: str, node: Node) -> PublicKey:
    """Read a key as securesystemslib writes it: ``{"keytype": …, "scheme": …, "keyval": {"public": <PEM or hex>}}``."""
    if node.get_text("keyid", name) != name:
        node.need("keyid").refuse("the name under which the key stands", found=node.need("keyid").text())
    if node.get("keytype") is None and node.get("method") is not None:
        raise KeyUnsupported(where=node.path, found=node.need("method").text())
    scheme, public = node.need("scheme"), node.need("keyval").need("public")
    if node.need("keytype").text() == "ed25519" and _ED25519_HEX.fullmatch(public.text()):
        key = PublicKey.of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.text())))
    else:
        key = PublicKey.from_pem(public.text(), where=public.path, kind=node.kind)
    try:
        return PublicKey.from_pem(key.pem, scheme=scheme.text())
    except TrustRefused as e:
        raise FieldRefused(kind=node.kind, where=scheme.path, found=e.found, wanted=e.wanted) from e
