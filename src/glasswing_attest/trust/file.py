"""How is a trust file read?

In YAML, TOML or JSON ::

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

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from glasswing_attest._complaints import Source, path_of
from glasswing_attest._config import ConfigModel, ConfigTime, ConfigVersion, checked, load_config, parse_config
from glasswing_attest._files import read_bounded
from glasswing_attest.errors import LimitError, MalformedError, TrustRefused, UnsupportedError
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.key import TrustedKey, Witness
from glasswing_attest.trust.private import PRIVATE, private_root
from glasswing_attest.trust.sigstore import PROFILES, Profile, Root

__all__ = ["load", "parse"]

_Trust = TypeVar("_Trust")

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


def load(make: Callable[..., _Trust], path: Path, *, limits: Limits = DEFAULT) -> _Trust:
    """Make a trust of what a file says; key files are found relative to it. Raises as `Trust.load` does."""
    config, source = load_config(path, kind="trust", limits=limits)
    return _of(make, config, source, folder=path.parent)


def parse(make: Callable[..., _Trust], data: bytes, *, suffix: str, where: str, limits: Limits = DEFAULT) -> _Trust:
    """Make a trust of the bytes of a file that names no other file. Raises as `Trust.parse` does."""
    config = parse_config(data, suffix=suffix, kind="trust", where=where, limits=limits)
    return _of(make, config, Source(where, data, suffix))


def _of(make: Callable[..., _Trust], config: object, source: Source, *, folder: Path | None = None) -> _Trust:
    file = checked(_TrustFile, config, kind="trust", source=source)
    if not file.keys and not file.roots:
        raise TrustRefused(where=source.name, found="nothing", wanted="at least one key or root")
    try:
        return make(
            keys=tuple(_trusted_key(name, entry, folder) for name, entry in file.keys.items()),
            roots=_roots(file.roots, folder),
            revocation_signers=() if file.revocations is None else tuple(file.revocations.signed_by),
            expires=file.expires,
        )
    except (MalformedError, UnsupportedError, LimitError) as e:
        raise source.placed(e) from e


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
