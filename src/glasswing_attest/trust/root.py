"""Which keys are believed, under which names, and when?

Trust binds keys, names and times; who may say what is the policy's business. A trust file::

    version: 1
    expires: 2027-06-30T00:00:00Z          # optional: afterwards the trust is unavailable
    keys:
      trainer:
        file: trainer.pub                  # or public_key: | with the PEM text
        valid_from: 2026-01-01T00:00:00Z   # optional; the window is closed at both ends
        valid_until: 2027-01-01T00:00:00Z
        scheme: rsassa-pss-sha256          # optional: narrows what the key may be used for
        keyids: [trainer-2026]             # optional: the envelope's keyid or the bundle's hint must be one of these
        too
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import Field

from glasswing_attest._config import ConfigModel, ConfigTime, ConfigVersion, checked, load_config, parse_config
from glasswing_attest._files import read_bounded
from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.errors import TrustExpired, TrustRefused, UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Trust", "TrustedKey"]


class _KeyEntry(ConfigModel):
    public_key: str | None = None
    file: str | None = None
    valid_from: ConfigTime | None = None
    valid_until: ConfigTime | None = None
    scheme: str | None = None
    keyids: list[str] | None = None


class _TrustFile(ConfigModel):
    version: ConfigVersion
    expires: ConfigTime | None = None
    keys: dict[str, _KeyEntry] = Field(min_length=1)


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

    def __post_init__(self) -> None:
        for label, time in (("valid_from", self.valid_from), ("valid_until", self.valid_until)):
            if time is not None and time.tzinfo is None:
                raise TrustRefused(where=f"keys.{self.name}.{label}", found=str(time), wanted="a time with a zone")
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            raise TrustRefused(where=f"keys.{self.name}", found="valid_from after valid_until")
        if not self.name or self.keyids == ():
            raise TrustRefused(where=f"keys.{self.name}", found="an empty name or list of keyids")

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

    keys: tuple[TrustedKey, ...]
    expires: datetime | None = None

    def __post_init__(self) -> None:
        if not self.keys:
            raise TrustRefused(where="keys", found="nothing", wanted="at least one key")
        DEFAULT.check("trusted_keys", len(self.keys), where="keys")
        names = [k.name for k in self.keys]
        if len(set(names)) != len(names):
            raise TrustRefused(where="keys", found=", ".join(sorted(names)), wanted="each name once")
        if self.expires is not None and self.expires.tzinfo is None:
            raise TrustRefused(where="expires", found=str(self.expires), wanted="a time with a zone")
        object.__setattr__(self, "keys", tuple(sorted(self.keys, key=lambda k: k.name)))

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
        source = Path(path)
        config, _ = load_config(source, kind="trust", limits=limits)
        return cls._of_config(config, where=str(source), folder=source.parent)

    @classmethod
    def parse(cls, data: bytes, *, suffix: str = ".yaml", where: str = "trust", limits: Limits = DEFAULT) -> Trust:
        """Read the bytes of a trust file that names no other file."""
        return cls._of_config(parse_config(data, suffix=suffix, kind="trust", where=where, limits=limits), where=where)

    @classmethod
    def _of_config(cls, config: object, *, where: str, folder: Path | None = None) -> Trust:
        file = checked(_TrustFile, config, kind="trust", where=where)
        return cls(
            keys=tuple(_trusted_key(name, entry, where, folder) for name, entry in file.keys.items()),
            expires=file.expires,
        )

    def to_json(self) -> bytes:
        """Give the trust as a self-contained trust file in canonical JSON."""
        keys = {k.name: _entry_of(k) for k in self.keys}
        expires = {} if self.expires is None else {"expires": format_time(self.expires)}
        return canonical_json({"version": 1, "keys": keys, **expires})

    @property
    def digest(self) -> str:
        """The sha256 of `to_json`, in hex: stands in every report."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys, sorted."""
        return tuple(k.name for k in self.keys)

    def require_fresh(self, now: datetime) -> None:
        """Raise `TrustExpired` after `expires`."""
        if self.expires is not None and now > self.expires:
            raise TrustExpired(
                where="trust", found=format_time(self.expires), wanted=f"a time after {format_time(now)}"
            )


def _trusted_key(name: str, entry: _KeyEntry, where: str, folder: Path | None) -> TrustedKey:
    place = f"{where}: keys.{name}"
    if (entry.public_key is None) == (entry.file is None):
        raise TrustRefused(where=place, wanted="exactly one of public_key and file")
    if entry.public_key is not None:
        pem = entry.public_key.encode()
    elif folder is not None:
        pem = read_bounded(folder / str(entry.file), "policy_bytes", DEFAULT, error=TrustRefused)
    else:
        raise TrustRefused(where=place, found="a file", wanted="public_key: these bytes have no folder to look in")
    return TrustedKey(
        name=name,
        key=PublicKey.from_pem(pem, scheme=entry.scheme, where=place),
        valid_from=entry.valid_from,
        valid_until=entry.valid_until,
        keyids=None if entry.keyids is None else tuple(entry.keyids),
    )


def _entry_of(key: TrustedKey) -> dict[str, object]:
    members: dict[str, object] = {
        "public_key": key.key.pem,
        "valid_from": key.valid_from and format_time(key.valid_from),
        "valid_until": key.valid_until and format_time(key.valid_until),
        "scheme": key.key.schemes[0] if len(key.key.schemes) == 1 else None,
        "keyids": None if key.keyids is None else list(key.keyids),
    }
    return {name: value for name, value in members.items() if value is not None}
