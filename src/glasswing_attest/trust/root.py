"""Whom do we believe, under which names, and when?

Trust binds keys, authorities, logs, clocks, names and times; who may say what is the policy's business. A trust file::

    version: 1
    expires: 2027-06-30T00:00:00Z          # optional: afterwards the trust is unavailable
    roots:
      public-good:
        file: trusted_root.json            # a Sigstore TrustedRoot; or document: with its JSON text
        profile: public-good               # or github, or {scts: 1, logs: 1, times: 1}
      acme: {file: acme-ca.pem, profile: private}            # an authority of one's own, by its certificates
      svid: {file: spiffe.pem, profile: private, witnesses: public-good}     # … whose signatures others witness
    revocations: {signed_by: [security]}   # optional: once here, a fresh list must be at hand
    keys:
      trainer:
        file: trainer.pub                  # or public_key: | with the PEM text
        valid_from: 2026-01-01T00:00:00Z   # optional; the window is closed at both ends
        valid_until: 2027-01-01T00:00:00Z
        scheme: rsassa-pss-sha256          # optional: narrows what the key may be used for
        keyids: [trainer-2026]             # optional: the container must name the key by one of these, too
        witness: {root: public-good, logs: 1, times: 1}      # optional: what a signature by it needs beside itself
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from glasswing_attest._complaints import Source, path_of
from glasswing_attest._config import ConfigModel, ConfigTime, ConfigVersion, checked, load_config, parse_config
from glasswing_attest._files import read_bounded
from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.errors import (
    LimitError,
    MalformedError,
    TrustExpired,
    TrustRefused,
    UnsupportedError,
    UsageError,
    shown,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.private import PRIVATE, private_root
from glasswing_attest.trust.sigstore import PROFILES, Profile, Root

__all__ = ["Trust", "TrustedKey", "Witness"]

_TOLD = 8
"""So many names of each kind are shown."""

_PROFILES = {**PROFILES, "private": PRIVATE}


class _ProfileEntry(ConfigModel):
    scts: int
    logs: int
    times: int
    stamps: int = 0
    embedded_roots: Literal["refuse", "ignore"] = "refuse"
    private: bool = False


class _RootEntry(ConfigModel):
    file: str | None = None
    document: str | None = None
    profile: Literal["public-good", "github", "private"] | _ProfileEntry
    witnesses: str | None = None


class _WitnessEntry(ConfigModel):
    root: str
    logs: int = Field(ge=0)
    times: int = Field(ge=0)


class _KeyEntry(ConfigModel):
    public_key: str | None = None
    file: str | None = None
    valid_from: ConfigTime | None = None
    valid_until: ConfigTime | None = None
    scheme: str | None = None
    keyids: list[str] | None = None
    witness: _WitnessEntry | None = None


class _RevocationsEntry(ConfigModel):
    signed_by: list[str] = Field(min_length=1)


class _TrustFile(ConfigModel):
    version: ConfigVersion
    expires: ConfigTime | None = None
    keys: dict[str, _KeyEntry] = Field(default_factory=dict)
    roots: dict[str, _RootEntry] = Field(default_factory=dict)
    revocations: _RevocationsEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What a signature by a key needs beside it: entries in so many logs, and so many times, of one trusted root."""

    root: str
    logs: int
    times: int

    def __post_init__(self) -> None:
        if min(self.logs, self.times) < 0 or self.logs + self.times == 0:
            raise TrustRefused(where="witness", found=f"logs {self.logs}, times {self.times}", wanted="at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A key that is believed under a name, within a closed window of time.

    `keyids`, where given, is one more demand: the envelope must name the key by one of them. It never lets anything in.
    """

    name: str
    key: PublicKey
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    keyids: tuple[str, ...] | None = None
    witness: Witness | None = None

    def __post_init__(self) -> None:
        place = path_of(("keys", self.name))
        if not isinstance(self.key, PublicKey):
            raise UsageError(where=f"{place}.key", found=type(self.key).__name__, wanted="a PublicKey")
        for label, time in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            object.__setattr__(self, label, _utc(time, f"{place}.{label}"))
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise TrustRefused(where=place, found="valid_from after valid_until")
        if not self.name or self.keyids == ():
            raise TrustRefused(where=place, found="an empty name or list of keyids")

    def covers(self, time: datetime) -> bool:
        """Tell whether the closed window contains `time`."""
        return (self.valid_from is None or self.valid_from <= time) and (
            self.valid_until is None or time <= self.valid_until
        )

    @property
    def window(self) -> str:
        """The window in words."""
        start = "any time" if self.valid_from is None else format_time(self.valid_from)
        end = "any time" if self.valid_until is None else format_time(self.valid_until)
        return f"from {start} until {end}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a verifier believes before it looks at any evidence. Empty trust does not construct.

    >>> from glasswing_attest.signing.key import KeySigner
    >>> trust = Trust.of(trainer=KeySigner.generate().public_key)
    >>> trust.names
    ('trainer',)
    """

    keys: tuple[TrustedKey, ...] = ()
    roots: tuple[Root, ...] = ()
    revocation_signers: tuple[str, ...] = ()
    expires: datetime | None = None

    def __post_init__(self) -> None:
        for label, kind in (("keys", TrustedKey), ("roots", Root)):
            several = getattr(self, label)
            if isinstance(several, str | bytes | Mapping) or not isinstance(several, Iterable):
                raise UsageError(where=label, found=type(several).__name__, wanted=f"a tuple of {kind.__name__}")
            object.__setattr__(self, label, tuple(several))
            for number, each in enumerate(getattr(self, label)):
                if not isinstance(each, kind):
                    raise UsageError(where=f"{label}[{number}]", found=type(each).__name__, wanted=f"a {kind.__name__}")
        if not self.keys and not self.roots:
            raise TrustRefused(where="trust", found="nothing", wanted="at least one key or root")
        DEFAULT.check("trusted_keys", len(self.keys), where="keys")
        names = [k.name for k in self.keys]
        if len(set(names)) != len(names):
            raise TrustRefused(where="keys", found=", ".join(sorted(names)), wanted="each name once")
        object.__setattr__(self, "expires", _utc(self.expires, "expires"))
        roots = {r.name: r for r in self.roots}
        if len(roots) != len(self.roots):
            raise TrustRefused(where="roots", found=", ".join(r.name for r in self.roots), wanted="each name once")
        for name in self.revocation_signers:
            if name not in names:
                wanted = f"one of {', '.join(names)}" if names else "a key"
                raise TrustRefused(where="revocations.signed_by", found=name, wanted=wanted)
        for key in self.keys:
            if key.witness is not None and key.witness.root not in roots:
                wanted = f"one of {', '.join(roots)}" if roots else "a root"
                raise TrustRefused(
                    where=f"{path_of(('keys', key.name))}.witness.root", found=key.witness.root, wanted=wanted
                )
        object.__setattr__(self, "keys", tuple(sorted(self.keys, key=lambda k: k.name)))
        object.__setattr__(self, "roots", tuple(sorted(self.roots, key=lambda r: r.name)))

    def __repr__(self) -> str:
        told = [
            f"{what} {', '.join(map(shown, names[:_TOLD]))}" + (" …" if len(names) > _TOLD else "")
            for what, names in (("keys", self.names), ("roots", tuple(r.name for r in self.roots)))
            if names
        ]
        return f"Trust({'; '.join(told)})"

    @classmethod
    def of(cls, keys: Mapping[str, PublicKey] | None = None, /, **named: PublicKey) -> Trust:
        """Trust public keys by name, without windows."""
        every = {**(keys or {}), **named}
        for name, key in every.items():
            if not isinstance(key, PublicKey):
                raise UsageError(where=f"Trust.of({name})", found=type(key).__name__, wanted="a PublicKey")
        return cls(keys=tuple(TrustedKey(name=n, key=k) for n, k in every.items()))

    @classmethod
    def load(cls, path: str | Path, *, limits: Limits = DEFAULT) -> Trust:
        """Read a trust file; key files are found relative to it.

        Raises:
            MalformedError: `TrustRefused` and its like, with `kind` "trust".
            KeyUnsupported: a key of a kind that is not used here.
        """
        config, source = load_config(Path(path), kind="trust", limits=limits)
        return cls._of_config(config, source, folder=Path(path).parent)

    @classmethod
    def parse(cls, data: bytes, *, suffix: str = ".yaml", where: str = "trust", limits: Limits = DEFAULT) -> Trust:
        """Read the bytes of a trust file that names no other file."""
        config = parse_config(data, suffix=suffix, kind="trust", where=where, limits=limits)
        return cls._of_config(config, Source(where, data, suffix))

    @classmethod
    def _of_config(cls, config: object, source: Source, *, folder: Path | None = None) -> Trust:
        file = checked(_TrustFile, config, kind="trust", source=source)
        if not file.keys and not file.roots:
            raise TrustRefused(where=source.name, found="nothing", wanted="at least one key or root")
        try:
            return cls(
                keys=tuple(_trusted_key(name, entry, folder) for name, entry in file.keys.items()),
                roots=_roots(file.roots, folder),
                revocation_signers=() if file.revocations is None else tuple(file.revocations.signed_by),
                expires=file.expires,
            )
        except (MalformedError, UnsupportedError, LimitError) as e:
            raise source.placed(e) from e

    def to_json(self) -> bytes:
        """Give the trust as a self-contained trust file in canonical JSON."""
        members: dict[str, object] = {"version": 1, "keys": {k.name: _entry_of(k) for k in self.keys}}
        if self.roots:
            members["roots"] = {
                r.name: {"document": r.raw.decode("utf-8"), "profile": asdict(r.profile)} for r in self.roots
            }
        if self.revocation_signers:
            members["revocations"] = {"signed_by": list(self.revocation_signers)}
        if self.expires is not None:
            members["expires"] = format_time(self.expires)
        return canonical_json(members)

    @property
    def digest(self) -> str:
        """The sha256 of `to_json`, in hex: stands in every report."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys, sorted."""
        return tuple(k.name for k in self.keys)

    def root(self, name: str) -> Root:
        """Give a trusted root by its name. Raises `UsageError`."""
        for root in self.roots:
            if root.name == name:
                return root
        raise UsageError(where="trust", found=name, wanted=", ".join(r.name for r in self.roots) or "a root")

    def require_fresh(self, now: datetime) -> None:
        """Raise `TrustExpired` after `expires`."""
        if self.expires is not None and now > self.expires:
            raise TrustExpired(
                where="trust", found=format_time(self.expires), wanted=f"a time after {format_time(now)}"
            )


def _utc(time: object, where: str) -> datetime | None:
    """Give the same time in UTC, in which it can be compared and written."""
    if time is None:
        return None
    if not isinstance(time, datetime) or time.utcoffset() is None:
        raise TrustRefused(where=where, found=str(time), wanted="a time with a zone")
    try:
        return time.astimezone(UTC)
    except OverflowError as e:
        raise TrustRefused(where=where, found=str(time), wanted="a time of the years 1 to 9999") from e


def _trusted_key(name: str, entry: _KeyEntry, folder: Path | None) -> TrustedKey:
    place = path_of(("keys", name))
    pem, held = _content(place, "public_key", entry.public_key, entry.file, folder)
    with _within(place):
        return TrustedKey(
            name=name,
            key=PublicKey.from_pem(pem, scheme=entry.scheme, where=held),
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
            keyids=None if entry.keyids is None else tuple(entry.keyids),
            witness=None if entry.witness is None else Witness(**entry.witness.model_dump()),
        )


def _roots(entries: Mapping[str, _RootEntry], folder: Path | None) -> tuple[Root, ...]:
    """Read the roots, and last those that take their witnesses from another one."""
    whole = {name: _root(name, entry, folder) for name, entry in entries.items() if entry.witnesses is None}
    made = dict(whole)
    for name, entry in entries.items():
        if entry.witnesses is None:
            continue
        if entry.witnesses not in whole:
            wanted = f"one of {', '.join(whole)}" if whole else "a root with witnesses of its own"
            raise TrustRefused(where=f"{path_of(('roots', name))}.witnesses", found=entry.witnesses, wanted=wanted)
        made[name] = _root(name, entry, folder, whole[entry.witnesses])
    return tuple(made.values())


def _root(name: str, entry: _RootEntry, folder: Path | None, witnesses: Root | None = None) -> Root:
    place = path_of(("roots", name))
    data, held = _content(place, "document", entry.document, entry.file, folder)
    given = entry.profile
    with _within(place):
        profile = _PROFILES[given] if isinstance(given, str) else Profile(**given.model_dump())
        if profile.private and not data.lstrip().startswith(b"{"):
            return private_root(name, data, profile=profile, witnesses=witnesses, where=held)
        if witnesses is not None:
            wanted = "it with an authority's certificates in PEM, and a profile that is private"
            raise TrustRefused(where="witnesses", found=witnesses.name, wanted=wanted)
        if data.lstrip().startswith(b"-----BEGIN "):
            wanted = "a TrustedRoot document, or `profile: private` for an authority without any witness"
            raise TrustRefused(where=held, found="PEM", wanted=wanted)
        return Root.parse(data, name=name, profile=profile, where=held)


@contextmanager
def _within(place: str) -> Generator[None]:
    """Tell the errors of a value that does not know where it stands as those of its entry."""
    try:
        yield
    except (MalformedError, UnsupportedError) as e:
        if e.where.startswith(place):
            raise
        raise e.moved(f"{place}.{e.where}" if e.where else place) from e


def _content(place: str, field: str, text: str | None, file: str | None, folder: Path | None) -> tuple[bytes, str]:
    """Give what an entry holds itself, or its file, and where that stands."""
    if (text is None) == (file is None):
        raise TrustRefused(where=place, wanted=f"exactly one of {field} and file")
    if text is not None:
        return text.encode("utf-8"), f"{place}.{field}"
    if folder is None:
        raise TrustRefused(where=place, found="a file", wanted=f"{field}: these bytes have no folder to look in")
    path = folder / str(file)
    try:
        return read_bounded(path, "policy_bytes", DEFAULT, error=TrustRefused), f"{place}.file"
    except (TrustRefused, LimitError) as e:
        raise type(e)(where=f"{place}.file", found=str(path), wanted=e.wanted, because=e.because) from e


def _entry_of(key: TrustedKey) -> dict[str, object]:
    members: dict[str, object] = {
        "public_key": key.key.pem,
        "valid_from": key.valid_from and format_time(key.valid_from),
        "valid_until": key.valid_until and format_time(key.valid_until),
        "scheme": key.key.schemes[0] if len(key.key.schemes) == 1 else None,
        "keyids": None if key.keyids is None else list(key.keyids),
        "witness": None if key.witness is None else asdict(key.witness),
    }
    return {name: value for name, value in members.items() if value is not None}
