"""Does a cluster give the same digests as this process?

Two workers, each a process of its own, behind ``dask.distributed``; see docs/clusters.md.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.description import describe
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.remote import Remote
from glasswing_attest.artifact.spread import spread
from glasswing_attest.errors import ArtifactUnreadable, Mismatch, UnavailableError
from tests.weights import safetensors

distributed: Any = pytest.importorskip("distributed", reason="distributed is not installed")
Tree = Callable[[dict[str, str | bytes]], Path]

# The library below us warns of its own: an event loop's policy, and sockets that are closed late.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Executor]:
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        assert len(client.scheduler_info()["workers"]) == 2
        yield client.get_executor()


@pytest.fixture
def many(write_tree: Tree) -> Path:
    return write_tree({f"many/d{i % 7}/f{i}": bytes([i % 256]) * (i * 97) for i in range(300)}) / "many"


def test_a_cluster_gives_the_same_manifest(cluster: Executor, many: Path) -> None:
    events: list[ProgressEvent] = []
    found = Dataset(many).measure(executor=cluster, progress=events.append)
    assert found == Dataset(many).measure()
    assert events[-1].done_bytes == events[-1].total_bytes == found.total_bytes


def test_a_cluster_describes_the_same_model(cluster: Executor, write_tree: Tree) -> None:
    root = write_tree({f"m/{i}.safetensors": safetensors({f"w{i}": ("U8", (3,), b"abc")}) for i in range(9)}) / "m"
    assert Model(root).describe(executor=cluster) == Model(root).describe()


def test_a_cluster_reads_what_lies_behind_a_url(cluster: Executor, many: Path) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    found = Remote(f"file://{many}", kind="dataset", exclude=("d1",)).measure(executor=cluster)
    assert found == Dataset(many, exclude=("d1",)).measure()


def test_nothing_is_remembered_between_two_calls(cluster: Executor, write_tree: Tree) -> None:
    root = write_tree({"m/a": "x", "m/b": "y"}) / "m"
    manifest = Model(root).measure()
    described = describe(manifest, executor=cluster)
    (root / "a").write_text("z")
    with pytest.raises(Mismatch) as refused:
        describe(manifest, executor=cluster)
    assert refused.value.where == str(root / "a")
    (root / "a").write_text("x")
    assert describe(manifest, executor=cluster) == described
    (root / "a").unlink()
    with pytest.raises(ArtifactUnreadable) as gone:
        describe(manifest, executor=cluster)
    assert gone.value.where == str(root / "a")


def test_a_tree_that_changed_has_another_digest(cluster: Executor, many: Path) -> None:
    found = Dataset(many).measure(executor=cluster)
    (many / "d0" / "f7").write_text("changed")
    assert Dataset(many).measure(executor=cluster).digests != found.digests


def test_a_measured_tree_is_read_again_each_time(
    cluster: Executor, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[object] = []
    submit = type(cluster).submit

    def telling(self: Executor, fn: Callable[..., Any], *args: Any) -> Any:
        tokens.append(args[-1])
        return submit(self, fn, *args)

    monkeypatch.setattr(type(cluster), "submit", telling)
    assert Dataset(many).measure(executor=cluster) == Dataset(many).measure(executor=cluster)
    assert len(tokens) > 2
    assert len(set(tokens)) == len(tokens)


def test_a_worker_that_dies_is_unavailable() -> None:
    dask: Any = pytest.importorskip("dask", reason="dask is not installed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        with pytest.raises(UnavailableError) as refused:
            list(spread(os._exit, [(1,)], client.get_executor(), lambda *_: True))
        assert (refused.value.code, refused.value.where) == ("unavailable", "executor")
        assert "KilledWorker" in str(refused.value.because)


def test_a_cluster_that_is_gone_is_unavailable(many: Path) -> None:
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as local:
        with distributed.Client(local) as client:
            executor = client.get_executor()
        for measure in (Dataset(many).measure, Model(many).describe):
            with pytest.raises(UnavailableError) as refused:
                measure(executor=executor)
            assert refused.value.where == "executor"
