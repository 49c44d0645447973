"""Which authorities, logs and clocks are believed, and how many of each must agree?

Sigstore TrustedRoot (sigstore/protobuf-specs, sigstore_trustroot.proto; media types v0.1 and v0.2) in proto3 JSON,
where zero values may be absent. Every authority, log and clock counts only inside its own closed window; one without a
start is refused. A `Profile` says how many distinct witnesses a signature needs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import Node, format_time, read_json
from glasswing_attest.errors import FieldMissing, FieldRefused, TrustRefused, counted, shown
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.certificates import read_certificate

__all__ = ["GITHUB", "PROFILES", "PUBLIC_GOOD", "Authority", "Log", "Profile", "Root", "Window", "read_window"]

_MEDIA_TYPES = (
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time, closed at both ends."""

    start: datetime
    end: datetime | None = None

    def contains(self, time: datetime) -> bool:
        """Tell whether `time` lies within, ends included."""
        return self.start <= time and (self.end is None or time <= self.end)

    def __str__(self) -> str:
        end = "any time" if self.end is None else format_time(self.end)
        return f"from {format_time(self.start)} until {end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A certificate authority or a time-stamping authority: its chain, the anchor last, and its window.

    `operator` is what makes two authorities distinct witnesses.
    """

    operator: str
    name: str
    chain: tuple[x509.Certificate, ...]
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A transparency log or certificate transparency log: its key, its id, and its window."""

    operator: str
    name: str
    key: PublicKey
    log_id: bytes
    window: Window

    @property
    def key_hashes(self) -> frozenset[bytes]:
        """The short hashes by which the log's notes may name its key: of the SPKI (Rekor v1), or of the log id (v2)."""
        return frozenset({hashlib.sha256(self.key.der).digest()[:4], self.log_id[:4]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How many distinct witnesses a signature needs: certificate logs, transparency logs, and times.

    Times come from clocks and from the promises of Rekor v1; `stamps` says how many of them must be clocks'. A
    certificate lives for minutes and proves nothing without a trusted time, so `times` is at least one.

    A bundle that brings a root certificate along is refused, as the conformance suite asks. Bundles of version 0.1 were
    often made so; ``embedded_roots="ignore"`` has such certificates dropped before anything is built from them.

    `private` is for an authority of one's own, whose certificates live for years: they may be called by their subject
    where they have no alternative name, and may say that they are a CA where they may sign no certificates. `times` may
    be none then, but without a witness only a caller who says himself when it was signed goes on.

    >>> Profile(scts=1, logs=1, times=0)
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.TrustRefused: profile.times: the trust cannot be used: found 0, wanted at least 1 ...
    """

    scts: int
    logs: int
    times: int
    stamps: int = 0
    embedded_roots: Literal["refuse", "ignore"] = "refuse"
    private: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.private, bool):
            raise TrustRefused(where="profile.private", found=self.private, wanted="true or false")
        if self.embedded_roots not in ("refuse", "ignore"):
            raise TrustRefused(where="profile.embedded_roots", found=self.embedded_roots, wanted="refuse or ignore")
        for name, least in (("scts", 0), ("logs", 0), ("times", 0 if self.private else 1), ("stamps", 0)):
            value: Any = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise TrustRefused(where=f"profile.{name}", found=value, wanted=f"at least {least}")


PUBLIC_GOOD = Profile(scts=1, logs=1, times=1)
"""Sigstore's public instance: a certificate log, a transparency log, and a time from the log or a clock."""

GITHUB = Profile(scts=0, logs=0, times=1)
"""GitHub's instance for private repositories: a time-stamping authority and no log."""

PROFILES = {"public-good": PUBLIC_GOOD, "github": GITHUB}


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One Sigstore instance that is believed, whole: its parts are never mixed with those of another.

    `raw` is the trusted root's JSON as it came, so that a case can carry it.
    """

    name: str
    profile: Profile
    authorities: tuple[Authority, ...]
    logs: tuple[Log, ...]
    ct_logs: tuple[Log, ...]
    clocks: tuple[Authority, ...]
    raw: bytes = field(repr=False)

    def __repr__(self) -> str:
        several = (
            (self.authorities, "authority"),
            (self.logs, "log"),
            (self.ct_logs, "certificate log"),
            (self.clocks, "clock"),
        )
        return f"Root({shown(self.name)}: {', '.join(counted(len(each), noun) for each, noun in several)})"

    def __post_init__(self) -> None:
        if not self.authorities and not self.logs and not self.clocks:
            raise TrustRefused(where=f"roots.{self.name}", found="nothing", wanted="an authority, a log or a clock")
        for kind, logs in (("logs", self.logs), ("ctlogs", self.ct_logs)):
            _require_distinct(f"roots.{self.name}.{kind}", logs)
        # Each log may also be a clock: Rekor v1 signs the time of integration.
        available = {
            "scts": _operators(self.ct_logs),
            "logs": _operators(self.logs),
            "times": _operators((*self.clocks, *self.logs)),
            "stamps": _operators(self.clocks),
        }
        for what, operators in available.items():
            wanted = getattr(self.profile, what)
            if wanted > len(operators):
                raise TrustRefused(
                    where=f"roots.{self.name}.profile.{what}",
                    found=wanted,
                    wanted=f"at most {len(operators)}, the number of distinct operators in this root",
                )

    @classmethod
    def parse(
        cls, data: bytes, *, name: str, profile: Profile, where: str = "trusted root", limits: Limits = DEFAULT
    ) -> Root:
        """Read a TrustedRoot document strictly.

        Raises:
            MalformedError: with the path, `kind` "trust".
            TrustRefused: the profile asks for more than the root can give.
        """
        node = read_json(data, where=where, kind="trust", limits=limits, bound="policy_bytes")
        media_type = node.need("mediaType")
        if media_type.text() not in _MEDIA_TYPES:
            media_type.refuse(_MEDIA_TYPES[0], found=media_type.text())
        return cls(
            name=name,
            profile=profile,
            authorities=tuple(_authority(n, limits) for n in _items(node, "certificateAuthorities", limits)),
            logs=tuple(_log(n) for n in _items(node, "tlogs", limits)),
            ct_logs=tuple(_log(n) for n in _items(node, "ctlogs", limits)),
            clocks=tuple(_authority(n, limits) for n in _items(node, "timestampAuthorities", limits)),
            raw=data,
        )


def _require_distinct(where: str, logs: Sequence[Log]) -> None:
    """Refuse one key as several logs, which would witness for each other, and one id for several keys."""
    by_key: dict[bytes, Log] = {}
    by_id: dict[bytes, Log] = {}
    for log in logs:
        other = by_key.setdefault(log.key.der, log)
        if (other.operator, other.log_id) != (log.operator, log.log_id):
            raise TrustRefused(
                where=where, found=f"one key for {other.name} and {log.name}", wanted="a key for each log"
            )
        if by_id.setdefault(log.log_id, log) is not log:
            raise TrustRefused(where=where, found=f"the log id of {log.name} twice", wanted="each log once")


def _operators(witnesses: Iterable[Authority | Log]) -> set[str]:
    return {w.operator for w in witnesses}


def _items(node: Node, name: str, limits: Limits) -> list[Node]:
    items = node.get_array(name)
    limits.check("trusted_keys", len(items), where=f"{node.path}.{name}")
    return items


def read_window(node: Node | None, where: str) -> Window:
    """Read when something is valid. Raises `FieldMissing` without a start: who is believed since ever is a mistake."""
    start = None if node is None else node.get("start")
    if node is None or start is None:
        raise FieldMissing(kind="trust", where=f"{where}.validFor.start", wanted="since when it is valid")
    end = node.get("end")
    window = Window(start=start.time(), end=None if end is None else end.time())
    if window.end is not None and window.end < window.start:
        raise FieldRefused(kind="trust", where=node.path, found="an end before the start")
    return window


def _log(node: Node) -> Log:
    key_node = node.need("publicKey")
    raw = key_node.need("rawBytes")
    details = key_node.get_text("keyDetails")
    key = PublicKey.from_pem(_der(raw.bytes(), details), where=raw.path, kind="trust")
    log_id = node.get("logId")
    found = hashlib.sha256(key.der).digest() if log_id is None else log_id.need("keyId").bytes()
    if len(found) < 4:
        node.need("logId").refuse("a log id of at least four bytes", found=found.hex())
    return Log(
        operator=node.get_text("operator") or f"key:{key.fingerprint}",
        name=node.get_text("baseUrl") or found.hex()[:16],
        key=key,
        log_id=found,
        window=read_window(key_node.get("validFor"), key_node.path),
    )


def _der(raw: bytes, details: str) -> bytes:
    """Give the key as SubjectPublicKeyInfo: old documents carry RSA keys in PKCS#1 (``PKCS1_RSA_…``)."""
    if not details.startswith("PKCS1_RSA"):
        return raw
    # A bare RSAPublicKey is what PEM calls "RSA PUBLIC KEY".
    return b"-----BEGIN RSA PUBLIC KEY-----\n%b-----END RSA PUBLIC KEY-----\n" % base64.encodebytes(raw)


def _authority(node: Node, limits: Limits) -> Authority:
    chain = node.need("certChain")
    items = chain.need("certificates").array()
    limits.check("certificates", len(items), where=chain.path)
    if not items:
        raise FieldMissing(kind="trust", where=f"{chain.path}.certificates", wanted="at least one certificate")
    ders = (item.need("rawBytes") for item in items)
    certificates = tuple(read_certificate(der.bytes(), where=der.path, kind="trust") for der in ders)
    anchor = hashlib.sha256(certificates[-1].public_bytes(Encoding.DER)).hexdigest()
    return Authority(
        operator=node.get_text("operator") or f"anchor:{anchor}",
        name=node.get_text("uri") or anchor[:16],
        chain=certificates,
        window=read_window(node.get("validFor"), node.path),
    )
