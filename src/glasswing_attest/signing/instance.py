"""Where is it signed, and who is believed for it?

A Sigstore instance is two documents: the trusted root, by which signatures are verified, and the signing config, which
names the services that make them. They are kept apart, so that each can be replaced alone: a log of the other version
is another signing config under the same root.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from glasswing_attest._files import read_bounded
from glasswing_attest.errors import TrustRefused, TrustUnavailable
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.trust.signing_config import SigningConfig
from glasswing_attest.trust.sigstore import PROFILES, PUBLIC_GOOD, Profile, Root

__all__ = ["Instance"]

_PUBLIC_GOOD = "https://tuf-repo-cdn.sigstore.dev"
_STAGING = "https://tuf-repo-cdn.sigstage.dev"
_SIGNING_CONFIG = "signing_config.v0.2.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A Sigstore instance: the services that sign, and the root under which what they make verifies."""

    root: Root
    config: SigningConfig

    def __repr__(self) -> str:
        return f"Instance({self.root!r})"

    @classmethod
    def load(
        cls,
        *,
        trusted_root: str | Path,
        signing_config: str | Path,
        profile: Profile | str = PUBLIC_GOOD,
        name: str = "sigstore",
        limits: Limits = DEFAULT,
    ) -> Instance:
        """Read the two documents from files.

        Args:
            trusted_root: a TrustedRoot document.
            signing_config: a SigningConfig document, v0.2.
            profile: how many witnesses a signature needs: a `Profile`, or the name of one.
            name: how the root is called in what is said of it.
            limits: the bounds on both files.

        Raises:
            MalformedError: `TrustRefused` and its like, with `kind` "trust".
        """
        chosen = profile if isinstance(profile, Profile) else PROFILES.get(profile)
        if chosen is None:
            raise TrustRefused(where="profile", found=profile, wanted=f"a Profile, or one of {', '.join(PROFILES)}")
        root, config = (
            read_bounded(Path(path), "policy_bytes", limits, error=TrustRefused)
            for path in (trusted_root, signing_config)
        )
        return cls(
            root=Root.parse(root, name=name, profile=chosen, where=str(trusted_root), limits=limits),
            config=SigningConfig.parse(config, where=str(signing_config), limits=limits),
        )

    @classmethod
    def public_good(cls, *, cache: str | Path | None = None, offline: bool = False) -> Instance:
        """Fetch the public instance's documents over TUF, authenticated from the root metadata that `sigstore` ships.

        Args:
            cache: a folder of this user's; by default below ``XDG_CACHE_HOME`` or ``~/.cache``.
            offline: take what was fetched before, and open no connection.

        Raises:
            TrustUnavailable: they could not be had, or not be authenticated.
        """
        return _fetched(_PUBLIC_GOOD, "public-good", cache, offline)

    @classmethod
    def staging(cls, *, cache: str | Path | None = None, offline: bool = False) -> Instance:
        """Fetch the documents of the public instance's rehearsal, whose signatures mean nothing: see `public_good`."""
        return _fetched(_STAGING, "staging", cache, offline)


def _fetched(url: str, name: str, cache: str | Path | None, offline: bool) -> Instance:
    from glasswing_attest.trust.tuf import TufSource

    kept = Path(cache) if cache is not None else _caches() / "glasswing-attest" / "tuf" / name
    shipped = files("sigstore").joinpath("_store", quote(url, safe=""), "root.json")
    try:
        bootstrap = shipped.read_bytes()
    except OSError as e:
        raise TrustUnavailable(where=url, because="the package sigstore ships no root metadata") from e
    source = TufSource(url=url, bootstrap=bootstrap, cache=kept)
    return Instance(
        root=source.root(name=name, profile=PUBLIC_GOOD, offline=offline),
        config=SigningConfig.parse(source.fetch(_SIGNING_CONFIG, offline=offline), where=_SIGNING_CONFIG),
    )


def _caches() -> Path:
    """Give where this user's caches are (XDG Base Directory: a relative path counts as none)."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if told.is_absolute():
        return told
    try:
        return Path.home() / ".cache"
    except RuntimeError as e:
        do = "name a folder: cache=…, or XDG_CACHE_HOME"
        raise TrustUnavailable(where="cache", because="this user has no home", do=do) from e
