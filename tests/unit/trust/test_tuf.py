"""Is a trusted root had over TUF as the repository signed it, fresh or from the cache, or not at all?

A repository made here with python-tuf's own metadata API, served from memory.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface, Updater

from glasswing_attest.errors import FieldMissing, LimitError, TrustUnavailable
from glasswing_attest.limits import DEFAULT
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust import tuf
from glasswing_attest.trust.sigstore import PUBLIC_GOOD
from glasswing_attest.trust.tuf import TufSource

URL = "https://tuf.example/X"
NAME = "trusted_root.json"
SIGSTORE = VirtualSigstore("r")


class Repository(FetcherInterface):
    """A TUF repository in memory: `root` and `publish` sign a new version, requests are recorded."""

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self.signer = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.bootstrap = self.root(1)
        self.publish(1, files or {})

    def root(self, version: int, *, others: CryptoSigner | None = None) -> bytes:
        """Sign a root, in which `others` may sign all that is no root."""
        made = Root(version=version, expires=datetime.now(UTC) + timedelta(days=9), consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            signer = self.signer if others is None or role == "root" else others
            made.add_key(signer.public_key, role)
        return self.put(f"{version}.root.json", made)

    def publish(self, version: int, files: Mapping[str, bytes], *, days: int = 1) -> None:
        expires = datetime.now(UTC) + timedelta(days=days)
        targets = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in files.items()}
        snapshot = Snapshot(version=version, expires=expires, meta={"targets.json": MetaFile(version)})
        self.put(f"{version}.targets.json", Targets(version=version, expires=expires, targets=targets))
        self.put(f"{version}.snapshot.json", snapshot)
        self.put("timestamp.json", Timestamp(version=version, expires=expires, snapshot_meta=MetaFile(version)))
        for name, data in files.items():
            self.files[f"{URL}/targets/{targets[name].hashes['sha256']}.{name}"] = data

    def put(self, name: str, signed: Any) -> bytes:
        metadata: Metadata[Any] = Metadata(signed)
        metadata.sign(self.signer)
        self.files[f"{URL}/{name}"] = metadata.to_bytes()
        return self.files[f"{URL}/{name}"]

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.requests.append(url)
        if url not in self.files:
            raise DownloadHTTPError("not there", 404)
        yield self.files[url]


@pytest.fixture
def repository() -> Repository:
    return Repository({NAME: b"first"})


def source_of(repository: Repository, cache: Path, url: str = URL) -> TufSource:
    return TufSource(url=url, bootstrap=repository.bootstrap, cache=cache, fetcher=repository)


@pytest.fixture
def source(repository: Repository, tmp_path: Path) -> TufSource:
    return source_of(repository, tmp_path / "cache")


def refusal(source: TufSource, target: str = NAME, *, offline: bool = False) -> TrustUnavailable:
    with pytest.raises(TrustUnavailable) as refused:
        source.fetch(target, offline=offline)
    assert refused.value.code == "unavailable.trust"
    return refused.value


# --- from the network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_targets_stand_below_the_url_however_it_ends(repository: Repository, tmp_path: Path, url: str) -> None:
    assert source_of(repository, tmp_path, url).fetch(NAME) == b"first"
    assert [asked for asked in repository.requests if not asked.startswith(f"{URL}/")] == []


def test_a_target_that_is_at_hand_is_not_fetched_again(repository: Repository, tmp_path: Path) -> None:
    source = source_of(repository, tmp_path / "a" / "b")
    assert source.fetch(NAME) == b"first"
    asked = [url for url in repository.requests if "/targets/" in url]
    assert source.fetch(NAME) == b"first"
    assert [url for url in repository.requests if "/targets/" in url] == asked != []


def test_cve_2020_15163_rollback_is_refused(source: TufSource, repository: Repository) -> None:
    repository.publish(2, {NAME: b"second"})
    source.fetch(NAME)
    repository.publish(1, {NAME: b"first"})
    assert "BadVersionNumber" in refusal(source).because


def test_expired_metadata_is_unavailable(source: TufSource, repository: Repository) -> None:
    repository.publish(2, {NAME: b"second"}, days=-1)
    assert "Expired" in refusal(source).because


def test_no_network_is_unavailable(source: TufSource, repository: Repository) -> None:
    repository.files.clear()
    assert "network" in refusal(source).do


def test_an_unknown_target_is_told_with_the_repository(source: TufSource) -> None:
    for name in ("../../etc/passwd", "other.json"):
        found = refusal(source, name)
        assert (found.where, found.found, found.wanted) == (URL, "no such target", name)


def test_a_target_is_bounded(tmp_path: Path) -> None:
    repository = Repository({NAME: b" " * (DEFAULT.policy_bytes + 1)})
    with pytest.raises(LimitError) as refused:
        source_of(repository, tmp_path).fetch(NAME)
    assert (refused.value.code, refused.value.where) == ("limit", str(tmp_path / "targets" / NAME))


def test_the_network_learns_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    def made(*_: object, **how: Any) -> None:
        told.update(how)
        raise ValueError("enough")

    monkeypatch.setattr(tuf, "Updater", made)
    refusal(TufSource(url=URL, bootstrap=b"", cache=tmp_path))
    assert (told["config"].app_user_agent, told["fetcher"]) == ("glasswing-attest", None)


# --- from the cache --------------------------------------------------------------------------------------------------


def test_fresh_then_offline(source: TufSource, repository: Repository) -> None:
    assert source.fetch(NAME) == b"first"
    repository.publish(2, {NAME: b"second"})
    assert source.fetch(NAME) == b"second"
    asked = len(repository.requests)
    assert source.fetch(NAME, offline=True) == b"second"
    assert len(repository.requests) == asked, "offline asked the network"


def test_an_empty_cache_is_no_trust(source: TufSource) -> None:
    refusal(source, offline=True)


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json"])
def test_tob_sigstore_10_a_tampered_cache_is_refused(source: TufSource, name: str) -> None:
    source.fetch(NAME)
    path = source.cache / "metadata" / name
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(document))
    assert "UnsignedMetadataError" in refusal(source, offline=True).because


def test_tob_sigstore_10_a_tampered_target_is_refused_offline(source: TufSource) -> None:
    source.fetch(NAME)
    for path in (source.cache / "targets").iterdir():
        path.write_bytes(b"evil!")
    refusal(source, offline=True)


def test_a_planted_root_is_not_a_place_to_start_from(source: TufSource) -> None:
    source.fetch(NAME)
    other = Repository()
    (source.cache / "metadata" / "root.json").unlink()
    (source.cache / "metadata" / "root.json").write_bytes(other.bootstrap)
    assert source.fetch(NAME, offline=True) == b"first"


def test_a_root_that_was_signed_anew_is_followed_offline(source: TufSource, repository: Repository) -> None:
    assert source.fetch(NAME) == b"first"
    # From here on another key signs everything but the roots: who does not find the second root knows it not.
    other = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
    repository.root(2, others=other)
    repository.signer = other
    repository.publish(2, {NAME: b"first"})
    assert source.fetch(NAME) == b"first"
    assert source.fetch(NAME, offline=True) == b"first"


@pytest.mark.parametrize("cache", ["a file/cache", "a\0b"], ids=["below a file", "of no name"])
def test_a_cache_that_cannot_be_is_unavailable(repository: Repository, tmp_path: Path, cache: str) -> None:
    (tmp_path / "a file").touch()
    found = refusal(source_of(repository, tmp_path / cache))
    assert found.where == f"{URL} {NAME}"


def test_what_is_given_is_what_was_checked(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Updater.find_cached_target

    def replaced(updater: Updater, info: TargetFile) -> str | None:
        """Somebody else writes into the cache after tuf looked there, and before it is read."""
        path = found(updater, info)
        if path is not None:
            Path(path).write_bytes(b"evil")
        return path

    source = source_of(repository, tmp_path)
    assert source.fetch(NAME) == b"first"
    monkeypatch.setattr(Updater, "find_cached_target", replaced)
    for offline in (False, True):
        if offline:
            monkeypatch.setattr(Updater, "find_cached_target", lambda *_: None)
            monkeypatch.setattr(Updater, "download_target", lambda *_: str(tmp_path / "targets" / NAME))
        assert refusal(source, offline=offline).because.startswith("LengthOrHashMismatchError")


def test_what_is_gone_when_it_is_read_is_unavailable(
    source: TufSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(Updater, "find_cached_target", lambda *_: str(gone))
    assert refusal(source).where == str(gone)


@pytest.mark.parametrize("asked", ["7.registry.example.org.json", "registry.example.org.json", "timestamp.json"])
def test_a_delegated_role_with_a_dot_in_its_name_is_found_in_the_cache(tmp_path: Path, asked: str) -> None:
    for role in ("registry.example.org", "timestamp"):
        (tmp_path / f"{role}.json").write_text(role)
    (found,) = tuf._Cached(tmp_path, tmp_path).fetch(f"https://tuf.example/{asked}")
    assert f"{found.decode()}.json" == asked.removeprefix("7.")


# --- what is made of it ----------------------------------------------------------------------------------------------


def test_a_root_is_read_where_its_target_stands(tmp_path: Path) -> None:
    repository = Repository({NAME: SIGSTORE.trusted_root(), "other.json": b"{}"})
    source = source_of(repository, tmp_path)
    assert source.root(name="r", profile=PUBLIC_GOOD) == SIGSTORE.root()
    with pytest.raises(FieldMissing) as refused:
        source.root(name="r", profile=PUBLIC_GOOD, target="other.json")
    assert (refused.value.kind, refused.value.where) == ("trust", "other.json.mediaType")
    asked = len(repository.requests)
    assert source.root(name="r", profile=PUBLIC_GOOD, offline=True) == SIGSTORE.root()
    assert len(repository.requests) == asked


def test_a_root_is_had_from_the_network_by_its_usual_name(source: TufSource, repository: Repository) -> None:
    repository.files.clear()
    with pytest.raises(TrustUnavailable) as refused:
        source.root(name="r", profile=PUBLIC_GOOD)
    assert (refused.value.code, refused.value.where) == ("unavailable.trust", f"{URL} {NAME}")
    assert repository.requests == [f"{URL}/2.root.json", f"{URL}/timestamp.json"]


def test_what_to_do_depends_on_what_is_missing(source: TufSource, repository: Repository) -> None:
    offline = refusal(source, offline=True)
    assert (offline.where, offline.do) == (f"{URL} {NAME}", "fetch it once where there is a network")
    repository.put("timestamp.json", Timestamp(version=1, expires=datetime(2020, 1, 1, tzinfo=UTC)))
    expired = refusal(source)
    assert "ExpiredMetadataError" in expired.because
    assert expired.do == TrustUnavailable(where="", because="").do
    repository.files.clear()
    assert refusal(source).do.startswith("look whether the network lets you there")
