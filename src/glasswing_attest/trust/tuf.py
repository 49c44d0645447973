"""How is a trusted root had fresh, and how without a network?

The Update Framework (TUF 1.0), client workflow, by `tuf`'s own updater, always from an embedded root that the caller
passes: a cache is never a place to start from. Offline, the same updater runs over the cached files, so that every one
of them is authenticated anew; expired metadata is unavailable, not a warning. The only place of `trust` that knows a
network.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig

from glasswing_attest._files import read_bounded, write_atomic
from glasswing_attest.errors import TrustUnavailable
from glasswing_attest.limits import DEFAULT
from glasswing_attest.trust.sigstore import Profile, Root

__all__ = ["TufSource"]

_TARGETS = "targets"
_VERSION = re.compile(r"^[0-9]+\.(?=.*\.json$)")


class _Cached(FetcherInterface):
    """Serves what an earlier update left in the cache, and nothing else."""

    def __init__(self, metadata: Path, targets: Path) -> None:
        self._metadata = metadata
        self._targets = targets

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.rpartition("/")[2]
        if f"/{_TARGETS}/" in url:
            path = self._targets / name
        elif name.endswith(".root.json"):
            path = self._metadata / "root_history" / name
        else:
            path = self._metadata / _VERSION.sub("", name)  # a role may have a dot in its name
        if not path.is_file():
            raise DownloadHTTPError("not in the cache", 404)
        yield path.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class TufSource:
    """A TUF repository, the root metadata that is trusted from the start, and a folder for what was fetched.

    Args:
        url: the repository's base URL; metadata stands there, targets below ``targets/``.
        bootstrap: the root metadata (``root.json``) that came with the program or from a trusted person.
        cache: a folder of this process's user. Whoever may write there can make trust unavailable, not false.
        fetcher: another network stack, or None for tuf's own.
    """

    url: str
    bootstrap: bytes
    cache: Path
    fetcher: FetcherInterface | None = None

    def root(self, *, name: str, profile: Profile, offline: bool = False, target: str = "trusted_root.json") -> Root:
        """Give the repository's trusted root, fresh or from the cache.

        Raises:
            TrustUnavailable: it could not be had, or not be authenticated, or its metadata has expired.
            MalformedError: the target is no trusted root.
        """
        return Root.parse(self.fetch(target, offline=offline), name=name, profile=profile, where=target)

    def fetch(self, target: str, *, offline: bool = False) -> bytes:
        """Give the bytes of a target that the repository's current metadata vouches for.

        Raises:
            TrustUnavailable: as for `root`.
        """
        metadata, targets = self.cache / "metadata", self.cache / _TARGETS
        try:
            if offline:
                with tempfile.TemporaryDirectory() as fresh:
                    return self._update(
                        Path(fresh) / "metadata", Path(fresh) / _TARGETS, target, _Cached(metadata, targets)
                    )
            return self._update(metadata, targets, target, self.fetcher)
        except (RepositoryError, DownloadError, OSError, ValueError) as e:
            because = f"{type(e).__name__}: {e}"
            do = "fetch it once where there is a network" if offline else ""
            if isinstance(e, DownloadError) and not offline:
                do = "look whether the network lets you there, or name a trusted root that is at hand as a file"
            raise TrustUnavailable(where=f"{self.url} {target}", because=because, do=do) from e

    def _update(self, metadata: Path, targets: Path, target: str, fetcher: FetcherInterface | None) -> bytes:
        metadata.mkdir(parents=True, exist_ok=True)
        targets.mkdir(parents=True, exist_ok=True)
        updater = Updater(
            str(metadata),
            self.url,
            target_dir=str(targets),
            target_base_url=f"{self.url.rstrip('/')}/{_TARGETS}/",
            fetcher=fetcher,
            config=UpdaterConfig(app_user_agent="glasswing-attest"),
            bootstrap=self.bootstrap,
        )
        info = updater.get_targetinfo(target)
        if info is None:
            raise TrustUnavailable(where=self.url, found="no such target", wanted=target)
        path = Path(updater.find_cached_target(info) or updater.download_target(info))
        data = read_bounded(path, "policy_bytes", DEFAULT, error=TrustUnavailable)
        info.verify_length_and_hashes(data)
        if fetcher is None or not isinstance(fetcher, _Cached):
            # Offline the target is asked for by the name that the metadata gives it: its digest and its own name.
            for hashed in info.hashes.values():
                write_atomic(targets / f"{hashed}.{path.name}", data)
        return data
