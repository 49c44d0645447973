"""Which services would sign for us, and how many of each?

Sigstore SigningConfig v0.2 and ClientTrustConfig v0.1 (sigstore/protobuf-specs, sigstore_trustroot.proto) in proto3
JSON. Where to sign is no part of whom to believe: verifying reads none of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from glasswing_attest._wire import Node, canonical_json, read_json
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.sigstore import Profile, Root, Window, read_window

__all__ = ["Selection", "Service", "SigningConfig", "read_client_trust_config"]

_SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
_CLIENT_TRUST_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, the version of its interface, and when it is to be used."""

    url: str
    version: int
    window: Window
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How many of the operators that offer a service are needed: any one, all, or exactly `count`."""

    selector: Literal["any", "all", "exact"]
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningConfig:
    """The services that sign: authorities, identity providers, logs and clocks, in the order of preference."""

    authorities: tuple[Service, ...]
    identity_providers: tuple[Service, ...]
    logs: tuple[Service, ...]
    log_selection: Selection
    clocks: tuple[Service, ...]
    clock_selection: Selection

    @classmethod
    def parse(cls, data: bytes, *, where: str = "signing config", limits: Limits = DEFAULT) -> SigningConfig:
        """Read a SigningConfig document strictly. Raises `MalformedError` with the path, or `LimitError`."""
        return cls.of(read_json(data, where=where, kind="trust", limits=limits, bound="policy_bytes"), limits=limits)

    @classmethod
    def of(cls, node: Node, *, limits: Limits = DEFAULT) -> SigningConfig:
        """Read a SigningConfig that stands within another document."""
        _require_media_type(node, _SIGNING_CONFIG)
        logs, clocks = _services(node, "rekorTlogUrls", limits), _services(node, "tsaUrls", limits)
        return cls(
            authorities=_services(node, "caUrls", limits),
            identity_providers=_services(node, "oidcUrls", limits),
            logs=logs,
            log_selection=_selection(node, "rekorTlogConfig", logs),
            clocks=clocks,
            clock_selection=_selection(node, "tsaConfig", clocks),
        )


def read_client_trust_config(
    data: bytes, *, name: str, profile: Profile, where: str = "client trust config", limits: Limits = DEFAULT
) -> tuple[Root, SigningConfig]:
    """Read a ClientTrustConfig: a trusted root and a signing config in one document.

    Raises:
        MalformedError: with the path, `kind` "trust".
        TrustRefused: the profile asks for more than the root can give.
    """
    node = read_json(data, where=where, kind="trust", limits=limits, bound="policy_bytes")
    _require_media_type(node, _CLIENT_TRUST_CONFIG)
    # Proto3 JSON readers take a field by either of its two names; written are both, in the field.
    config = node.get("signing_config") or node.need("signingConfig")
    trusted = node.need("trustedRoot")
    root = Root.parse(canonical_json(trusted.object()), name=name, profile=profile, where=trusted.path, limits=limits)
    return root, SigningConfig.of(config, limits=limits)


def _require_media_type(node: Node, wanted: str) -> None:
    media_type = node.need("mediaType")
    if media_type.text() != wanted:
        media_type.refuse(wanted, found=media_type.text())


def _services(node: Node, name: str, limits: Limits) -> tuple[Service, ...]:
    items = node.get_array(name)
    limits.check("trusted_keys", len(items), where=f"{node.path}.{name}")
    return tuple(_service(item) for item in items)


def _service(node: Node) -> Service:
    url = node.need("url")
    if not url.text().startswith(("https://", "http://")):
        url.refuse("a URL of https or http", found=url.text())
    version = node.need("majorApiVersion")
    if not version.uint64():
        version.refuse("a version of at least 1", found=0)
    return Service(
        url=url.text(),
        version=version.uint64(),
        window=read_window(node.get("validFor"), node.path),
        operator=node.get_text("operator"),
    )


def _selection(node: Node, name: str, services: tuple[Service, ...]) -> Selection:
    found = node.get(name)
    if found is None:
        if services:
            raise FieldMissing(kind="trust", where=f"{node.path}.{name}", wanted="how many of the services are needed")
        return Selection(selector="any")
    choices: dict[str, Literal["any", "all", "exact"]] = {"ANY": "any", "ALL": "all", "EXACT": "exact"}
    selector = found.need("selector").one_of(choices)
    count = found.get("count")
    number = 0 if count is None else count.uint64()
    if (selector == "exact") != (number > 0):
        found.refuse("a count with EXACT, and only with it", found=f"{selector.upper()}, {number}")
    if number > len({s.operator or s.url for s in services}):
        found.refuse("no more than there are operators", found=number)
    return Selection(selector=selector, count=number)
