"""Whom do we believe, under which names, and when?

Trust binds keys, authorities, logs, clocks, names and times; who may say what is the policy's business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from glasswing_attest._complaints import path_of
from glasswing_attest._wire import canonical_json, format_time
from glasswing_attest.errors import TrustExpired, TrustRefused, UsageError, shown
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.key import TrustedKey, Witness, in_utc
from glasswing_attest.trust.sigstore import Root

__all__ = ["Trust", "TrustedKey", "Witness"]

_TOLD = 8
"""So many names of each kind are shown."""


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
        object.__setattr__(self, "expires", in_utc(self.expires, "expires"))
        roots = {r.name: r for r in self.roots}
        if len(roots) != len(self.roots):
            raise TrustRefused(where="roots", found=", ".join(r.name for r in self.roots), wanted="each name once")
        for name in self.revocation_signers:
            if name not in names:
                wanted = f"one of {', '.join(names)}" if names else "a key"
                raise TrustRefused(where="revocations.signed_by", found=name, wanted=wanted)
        for key in self.keys:
            if key.name in self.revocation_signers and (key.witness is not None or key.keyids is not None):
                # A list is taken by its signature and its dates: a further demand would be passed over in silence.
                found, wanted = f"{key.name}, with witness or keyids", "a key of its own, without them"
                raise TrustRefused(where="revocations.signed_by", found=found, wanted=wanted)
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
        from glasswing_attest.trust import file

        return file.load(cls, Path(path), limits=limits)

    @classmethod
    def parse(cls, data: bytes, *, suffix: str = ".yaml", where: str = "trust", limits: Limits = DEFAULT) -> Trust:
        """Read the bytes of a trust file that names no other file."""
        from glasswing_attest.trust import file

        return file.parse(cls, data, suffix=suffix, where=where, limits=limits)

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
