"""Is the public instance fetched from a root that is trusted, and only when it is needed?"""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from glasswing_attest.errors import TrustUnavailable
from glasswing_attest.signing import IdentityTokens, Instance, SigstoreSigner, instance
from glasswing_attest.trust.tuf import TufSource
from tests.served import Served, jwt


@pytest.mark.parametrize("host", ["tuf-repo-cdn.sigstore.dev", "tuf-repo-cdn.sigstage.dev"])
def test_the_root_metadata_is_where_it_was(host: str) -> None:
    path = files("sigstore").joinpath("_store", f"https%3A%2F%2F{host}", "root.json")
    assert json.loads(path.read_bytes())["signed"]["_type"] == "root"


def test_offline_there_is_nothing_before_it_was_fetched(tmp_path: Path) -> None:
    with pytest.raises(TrustUnavailable) as refused:
        Instance.public_good(cache=tmp_path, offline=True)
    assert refused.value.code == "unavailable.trust"
    assert refused.value.where.startswith("https://tuf-repo-cdn.sigstore.dev ")
    with pytest.raises(TrustUnavailable) as refused:
        Instance.staging(cache=tmp_path, offline=True)
    assert refused.value.where.startswith("https://tuf-repo-cdn.sigstage.dev ")


def test_two_targets_of_one_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Served() as served:
        targets = {
            "trusted_root.json": served.sigstore.trusted_root(),
            "signing_config.v0.2.json": json.dumps(served.signing_config()).encode(),
        }
        asked: list[tuple[str, bool]] = []

        def fetch(self: TufSource, target: str, *, offline: bool = False) -> bytes:
            assert self.cache == tmp_path / "glasswing-attest" / "tuf" / "public-good"
            asked.append((target, offline))
            return targets[target]

        monkeypatch.setattr(TufSource, "fetch", fetch)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        found = Instance.public_good()
        assert found.root.name == "public-good"
        assert found.config.authorities[0].url == f"{served.url}/fulcio"
        assert asked == [("trusted_root.json", False), ("signing_config.v0.2.json", False)]


def test_nothing_is_fetched_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object, **__: object) -> Instance:
        raise TrustUnavailable(where="tuf", because="no network")

    monkeypatch.setattr(Instance, "public_good", fetch)
    token = jwt({"iss": "https://i.example", "sub": "a", "exp": 4_000_000_000})
    signer = SigstoreSigner(IdentityTokens.of(token))
    assert repr(signer) == "SigstoreSigner(IdentityTokens(a token at hand))"
    with pytest.raises(TrustUnavailable) as refused:
        signer.seal(b"{}", "application/vnd.in-toto+json")
    assert (refused.value.code, refused.value.where) == ("unavailable.trust", "tuf")


def test_whose_caches_these_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for told, found in (
        (str(tmp_path / "c"), tmp_path / "c"),
        ("relative", tmp_path / ".cache"),
        ("", tmp_path / ".cache"),
    ):
        monkeypatch.setenv("XDG_CACHE_HOME", told)
        assert instance._caches() == found

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(TrustUnavailable) as refused:
        Instance.public_good(offline=True)
    assert (refused.value.code, refused.value.where) == ("unavailable.trust", "cache")
