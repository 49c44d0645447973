"""A trusted root over TUF: a repository made here with python-tuf's own metadata API, served from memory."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import FetcherInterface

from glasswing_attest.errors import GlasswingError, TrustUnavailable
from glasswing_attest.trust.tuf import TufSource

URL = "https://tuf.example"


class Repository(FetcherInterface):
    """A TUF repository in memory: `publish` signs a new version, requests are recorded."""

    def __init__(self) -> None:
        self.signer = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        root = Root(version=1, expires=datetime.now(UTC) + timedelta(days=9), consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            root.add_key(self.signer.public_key, role)
        self.bootstrap = self._sign(Metadata(root))

    def _sign(self, metadata: Metadata) -> bytes:  # type: ignore[type-arg]
        metadata.sign(self.signer)
        return metadata.to_bytes()

    def publish(self, version: int, data: bytes, *, days: int = 1) -> None:
        expires = datetime.now(UTC) + timedelta(days=days)
        target = TargetFile.from_data("trusted_root.json", data, ["sha256"])
        targets = Targets(version=version, expires=expires, targets={"trusted_root.json": target})
        snapshot = Snapshot(version=version, expires=expires, meta={"targets.json": MetaFile(version)})
        timestamp = Timestamp(version=version, expires=expires, snapshot_meta=MetaFile(version))
        self.files[f"{URL}/{version}.targets.json"] = self._sign(Metadata(targets))
        self.files[f"{URL}/{version}.snapshot.json"] = self._sign(Metadata(snapshot))
        self.files[f"{URL}/timestamp.json"] = self._sign(Metadata(timestamp))
        self.files[f"{URL}/targets/{target.hashes['sha256']}.trusted_root.json"] = data

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.requests.append(url)
        if url not in self.files:
            raise DownloadHTTPError("not there", 404)
        yield self.files[url]


@pytest.fixture
def repository() -> Repository:
    made = Repository()
    made.publish(1, b"first")
    return made


@pytest.fixture
def source(repository: Repository, tmp_path: Path) -> TufSource:
    return TufSource(url=URL, bootstrap=repository.bootstrap, cache=tmp_path / "cache", fetcher=repository)


def refused(source: TufSource, *, offline: bool) -> GlasswingError:
    with pytest.raises(TrustUnavailable) as caught:
        source.fetch("trusted_root.json", offline=offline)
    assert caught.value.code == "unavailable.trust"
    return caught.value


def test_fresh_then_offline(source: TufSource, repository: Repository) -> None:
    assert source.fetch("trusted_root.json") == b"first"
    repository.publish(2, b"second")
    assert source.fetch("trusted_root.json") == b"second"
    asked = len(repository.requests)
    assert source.fetch("trusted_root.json", offline=True) == b"second"
    assert len(repository.requests) == asked, "offline asked the network"


def test_an_empty_cache_is_no_trust(source: TufSource) -> None:
    refused(source, offline=True)


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json"])
def test_tob_sigstore_10_a_tampered_cache_is_refused(source: TufSource, name: str) -> None:
    source.fetch("trusted_root.json")
    path = source.cache / "metadata" / name
    document = json.loads(path.read_bytes())
    document["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(document))
    assert "UnsignedMetadataError" in refused(source, offline=True).because


def test_tob_sigstore_10_a_tampered_target_is_refused_offline(source: TufSource) -> None:
    source.fetch("trusted_root.json")
    for path in (source.cache / "targets").iterdir():
        path.write_bytes(b"evil!")
    refused(source, offline=True)


def test_a_planted_root_is_not_a_place_to_start_from(source: TufSource) -> None:
    source.fetch("trusted_root.json")
    other = Repository()
    (source.cache / "metadata" / "root.json").unlink()
    (source.cache / "metadata" / "root.json").write_bytes(other.bootstrap)
    assert source.fetch("trusted_root.json", offline=True) == b"first"


def test_cve_2020_15163_rollback_is_refused(source: TufSource, repository: Repository) -> None:
    repository.publish(2, b"second")
    source.fetch("trusted_root.json")
    repository.publish(1, b"first")
    assert "BadVersionNumber" in refused(source, offline=False).because


def test_expired_metadata_is_unavailable(source: TufSource, repository: Repository) -> None:
    repository.publish(2, b"second", days=-1)
    assert "Expired" in refused(source, offline=False).because


def test_no_network_is_unavailable(source: TufSource, repository: Repository) -> None:
    repository.files.clear()
    assert "network" in refused(source, offline=False).do


def test_an_unknown_target_is_unavailable(source: TufSource) -> None:
    with pytest.raises(TrustUnavailable) as caught:
        source.fetch("../../etc/passwd")
    assert caught.value.wanted == "../../etc/passwd"
