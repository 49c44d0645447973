"""Which lines about TUF did no test ask for? Each test here kills what survived: see docs/mutation.md."""

from collections.abc import Iterator
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
    """A repository in memory, whose root may be signed anew; requests are recorded."""

    def __init__(self, *targets: tuple[str, bytes]) -> None:
        self.signer = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
        self.files: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.bootstrap = self.root(1)
        expires = datetime.now(UTC) + timedelta(days=1)
        files = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in targets}
        self.put("1.targets.json", Targets(version=1, expires=expires, targets=files))
        self.put("1.snapshot.json", Snapshot(version=1, expires=expires, meta={"targets.json": MetaFile(1)}))
        self.put("timestamp.json", Timestamp(version=1, expires=expires, snapshot_meta=MetaFile(1)))
        for name, data in targets:
            self.files[f"{URL}/targets/{files[name].hashes['sha256']}.{name}"] = data

    def root(self, version: int) -> bytes:
        made = Root(version=version, expires=datetime.now(UTC) + timedelta(days=9), consistent_snapshot=True)
        for role in ("root", "timestamp", "snapshot", "targets"):
            made.add_key(self.signer.public_key, role)
        return self.put(f"{version}.root.json", made)

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


def source(repository: Repository, cache: Path, url: str = URL) -> TufSource:
    return TufSource(url=url, bootstrap=repository.bootstrap, cache=cache, fetcher=repository)


def refusal(made: TufSource, target: str = NAME, *, offline: bool = False) -> TrustUnavailable:
    with pytest.raises(TrustUnavailable) as refused:
        made.fetch(target, offline=offline)
    assert refused.value.code == "unavailable.trust"
    return refused.value


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_targets_stand_below_the_url_however_it_ends(tmp_path: Path, url: str) -> None:
    repository = Repository((NAME, b"data"))
    assert source(repository, tmp_path, url).fetch(NAME) == b"data"
    assert [asked for asked in repository.requests if not asked.startswith(f"{URL}/")] == []


def test_a_target_that_is_at_hand_is_not_fetched_again(tmp_path: Path) -> None:
    repository = Repository((NAME, b"data"))
    made = source(repository, tmp_path / "a" / "b")
    assert made.fetch(NAME) == b"data"
    asked = [url for url in repository.requests if "/targets/" in url]
    assert made.fetch(NAME) == b"data"
    assert [url for url in repository.requests if "/targets/" in url] == asked != []


def test_a_root_that_was_signed_anew_is_followed_offline(tmp_path: Path) -> None:
    repository = Repository((NAME, b"data"))
    made = source(repository, tmp_path)
    assert made.fetch(NAME) == b"data"
    # From here on another key signs everything but the roots: who does not find the second root knows it not.
    other = CryptoSigner(ed25519.Ed25519PrivateKey.generate())
    second = Root(version=2, expires=datetime.now(UTC) + timedelta(days=9), consistent_snapshot=True)
    for role in ("root", "timestamp", "snapshot", "targets"):
        second.add_key(repository.signer.public_key if role == "root" else other.public_key, role)
    repository.put("2.root.json", second)
    repository.signer = other
    expires = datetime.now(UTC) + timedelta(days=1)
    target = TargetFile.from_data(NAME, b"data", ["sha256"])
    repository.put("2.targets.json", Targets(version=2, expires=expires, targets={NAME: target}))
    repository.put("2.snapshot.json", Snapshot(version=2, expires=expires, meta={"targets.json": MetaFile(2)}))
    repository.put("timestamp.json", Timestamp(version=2, expires=expires, snapshot_meta=MetaFile(2)))
    assert made.fetch(NAME) == b"data"
    assert made.fetch(NAME, offline=True) == b"data"


def test_a_root_is_read_where_its_target_stands(tmp_path: Path) -> None:
    repository = Repository((NAME, SIGSTORE.trusted_root()), ("other.json", b"{}"))
    made = source(repository, tmp_path)
    assert made.root(name="r", profile=PUBLIC_GOOD) == SIGSTORE.root()
    with pytest.raises(FieldMissing) as refused:
        made.root(name="r", profile=PUBLIC_GOOD, target="other.json")
    assert (refused.value.kind, refused.value.where) == ("trust", "other.json.mediaType")
    asked = len(repository.requests)
    assert made.root(name="r", profile=PUBLIC_GOOD, offline=True) == SIGSTORE.root()
    assert len(repository.requests) == asked


def test_what_to_do_depends_on_what_is_missing(tmp_path: Path) -> None:
    repository = Repository((NAME, b"data"))
    made = source(repository, tmp_path)
    offline = refusal(made, offline=True)
    assert (offline.where, offline.do) == (f"{URL} {NAME}", "fetch it once where there is a network")
    repository.put("timestamp.json", Timestamp(version=1, expires=datetime(2020, 1, 1, tzinfo=UTC)))
    expired = refusal(made)
    assert "ExpiredMetadataError" in expired.because
    assert expired.do == TrustUnavailable(where="", because="").do
    repository.files.clear()
    assert refusal(made).do.startswith("look whether the network lets you there")


def test_an_unknown_target_is_told_with_the_repository(tmp_path: Path) -> None:
    found = refusal(source(Repository(), tmp_path))
    assert (found.where, found.found, found.wanted) == (URL, "no such target", NAME)


@pytest.mark.parametrize("cache", ["a file/cache", "a\0b"], ids=["below a file", "of no name"])
def test_a_cache_that_cannot_be_is_unavailable(tmp_path: Path, cache: str) -> None:
    (tmp_path / "a file").touch()
    found = refusal(source(Repository((NAME, b"data")), tmp_path / cache))
    assert found.where == f"{URL} {NAME}"


def test_a_target_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(LimitError) as refused:
        source(Repository((NAME, b" " * (DEFAULT.policy_bytes + 1))), tmp_path).fetch(NAME)
    assert (refused.value.code, refused.value.where) == ("limit", str(tmp_path / "targets" / NAME))


def test_what_is_given_is_what_was_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Updater.find_cached_target

    def replaced(updater: Updater, info: TargetFile) -> str | None:
        """Somebody else writes into the cache after tuf looked there, and before it is read."""
        path = found(updater, info)
        if path is not None:
            Path(path).write_bytes(b"evil")
        return path

    made = source(Repository((NAME, b"data")), tmp_path)
    assert made.fetch(NAME) == b"data"
    monkeypatch.setattr(Updater, "find_cached_target", replaced)
    for offline in (False, True):
        if offline:
            monkeypatch.setattr(Updater, "find_cached_target", lambda *_: None)
            monkeypatch.setattr(Updater, "download_target", lambda *_: str(tmp_path / "targets" / NAME))
        assert refusal(made, offline=offline).because.startswith("LengthOrHashMismatchError")


def test_what_is_gone_when_it_is_read_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    monkeypatch.setattr(Updater, "find_cached_target", lambda *_: str(gone))
    found = refusal(source(Repository((NAME, b"data")), tmp_path))
    assert found.where == str(gone)


def test_the_network_learns_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    def made(*_: object, **how: Any) -> None:
        told.update(how)
        raise ValueError("enough")

    monkeypatch.setattr(tuf, "Updater", made)
    refusal(TufSource(url=URL, bootstrap=b"", cache=tmp_path))
    assert (told["config"].app_user_agent, told["fetcher"]) == ("glasswing-attest", None)


@pytest.mark.parametrize("asked", ["7.registry.example.org.json", "registry.example.org.json", "timestamp.json"])
def test_a_delegated_role_with_a_dot_in_its_name_is_found_in_the_cache(tmp_path: Path, asked: str) -> None:
    for role in ("registry.example.org", "timestamp"):
        (tmp_path / f"{role}.json").write_text(role)
    (found,) = tuf._Cached(tmp_path, tmp_path).fetch(f"https://tuf.example/{asked}")
    assert f"{found.decode()}.json" == asked.removeprefix("7.")
