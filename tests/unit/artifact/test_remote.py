"""Is a tree behind a URL the same as on a disk, and refused where it changes meanwhile?"""

import concurrent.futures
import errno
import functools
import hashlib
import http.server
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact import remote
from glasswing_attest.artifact.hashing import ProgressEvent
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.remote import Remote
from glasswing_attest.errors import (
    ArtifactEmpty,
    ArtifactIrregular,
    ArtifactUnreadable,
    ArtifactUnstable,
    LimitError,
    NameRefused,
    UnavailableError,
    UsageError,
)
from glasswing_attest.limits import Limits

fsspec: Any = pytest.importorskip("fsspec", reason="fsspec is not installed")
Tree = Callable[[dict[str, str | bytes]], Path]

TINY: dict[str, str | bytes] = {
    "config.json": '{"hidden_size": 4}\n',
    "model.safetensors": b"\x00\x01\x02\x03weights",
    "sub/vocab.txt": "tok\n",
}
# Made with model_signing 1.1.1 and coreutils, not with this library.
TINY_HASH = "135c8c5e48a33fcf49d15a6f22088c7ccdc4699a81f1a05626967b373a4c5759"


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    for name, content in TINY.items():
        store.pipe(f"/tiny/{name}", content.encode() if isinstance(content, str) else content)
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def test_a_tree_in_a_store_is_that_on_a_disk(memory: Any, write_tree: Tree) -> None:
    root = write_tree({f"tiny/{name}": content for name, content in TINY.items()}) / "tiny"
    for url in ("memory://tiny", "memory://tiny/", "memory:///tiny", f"file://{root}"):
        found = Remote(url).measure()
        assert found == Model(root).measure()
        assert found.digests.get("dirHash") == TINY_HASH
        assert not found.is_declared


def test_kind_and_name_are_said(memory: Any) -> None:
    found = Remote("memory://tiny", kind="dataset", name="acme/tiny").measure()
    assert (found.kind, found.name) == ("dataset", "acme/tiny")
    assert isinstance(found.measured_by, Remote)
    assert found.measured_by.measure() == found


def test_a_single_file(memory: Any) -> None:
    found = Remote("memory://tiny/config.json", kind="file").measure()
    assert found.digests.get("sha256") == hashlib.sha256(b'{"hidden_size": 4}\n').hexdigest()
    assert (found.name, found.files[0].name, found.files[0].size) == ("config.json", "config.json", 19)


def test_what_is_left_out_is_told(memory: Any) -> None:
    memory.pipe("/tiny/.git/config", b"x")
    found = Remote("memory://tiny", exclude=[".git", "absent"]).measure()
    assert (found.excluded, found.digests.get("dirHash")) == ((".git",), TINY_HASH)
    with pytest.raises(ArtifactEmpty) as refused:
        Remote("memory://tiny/.git", exclude=("config",)).measure()
    assert refused.value.where == "memory://tiny/.git"


def test_progress_and_executors(memory: Any, write_tree: Tree) -> None:
    events: list[ProgressEvent] = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert (
            Remote("memory://tiny").measure(executor=pool, progress=events.append).digests.get("dirHash") == TINY_HASH
        )
    assert events[-1].done_bytes == events[-1].total_bytes == 34
    root = write_tree({f"tiny/{name}": content for name, content in TINY.items()}) / "tiny"
    context = __import__("multiprocessing").get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as processes:
        assert Remote(f"file://{root}").measure(executor=processes).digests.get("dirHash") == TINY_HASH


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda store: store.pipe("/tiny/config.json", b"other"), ArtifactUnstable),
        (lambda store: store.pipe("/tiny/config.json", b'{"hidden_size": 5}\n'), ArtifactUnstable),
        (lambda store: store.pipe("/tiny/new.txt", b"x"), ArtifactUnstable),
        (lambda store: store.rm("/tiny/sub/vocab.txt"), ArtifactUnstable),
    ],
    ids=["size", "same size", "new", "gone"],
)
def test_what_changes_meanwhile_is_refused(
    memory: Any, change: Callable[[Any], None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = type(memory)._open
    done: list[bool] = []

    def changing(self: Any, path: str, *args: Any, **more: Any) -> Any:
        file = opened(self, path, *args, **more)
        if not done and path.endswith("model.safetensors"):
            done.append(True)
            change(memory)
        return file

    monkeypatch.setattr(type(memory), "_open", changing)
    with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(error) as refused:
        Remote("memory://tiny").measure(executor=pool)
    assert getattr(refused.value, "code", "") == "artifact.unstable"


def test_a_file_that_is_shorter_than_listed_is_refused(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = type(memory).ls

    def longer(self: Any, path: str, **more: Any) -> Any:
        return [
            {**info, "size": info["size"] + 1} if info["type"] == "file" else info
            for info in listed(self, path, **more)
        ]

    monkeypatch.setattr(type(memory), "ls", longer)
    with pytest.raises(ArtifactUnstable) as refused:
        Remote("memory://tiny").measure()
    assert (refused.value.where, refused.value.wanted) == ("memory://tiny/config.json", "20 bytes")


def lying(store: Any, monkeypatch: pytest.MonkeyPatch, info: dict[str, object]) -> None:
    listed = type(store).ls

    def more(self: Any, path: str, **options: Any) -> Any:
        found = listed(self, path, **options)
        return [*found, info] if path.rstrip("/").endswith("tiny") else found

    monkeypatch.setattr(type(store), "ls", more)


@pytest.mark.parametrize(
    ("info", "error", "where"),
    [
        ({"name": "/tiny/x", "type": "link", "size": 1}, ArtifactIrregular, "memory://tiny/x"),
        ({"name": "/tiny/x", "type": "file", "size": 1, "islink": True}, ArtifactIrregular, "memory://tiny/x"),
        ({"name": "/other/x", "type": "file", "size": 1}, ArtifactIrregular, "memory://tiny"),
        ({"name": "/tiny/../x", "type": "file", "size": 1}, NameRefused, "memory://tiny"),
        ({"name": "/tiny/a\\b", "type": "file", "size": 1}, NameRefused, "memory://tiny"),
        ({"name": "/tiny/a\nb", "type": "file", "size": 1}, NameRefused, "memory://tiny"),
        ({"name": "/tiny/x", "type": "file", "size": None}, ArtifactUnreadable, "memory://tiny/x"),
        ({"name": "/tiny/config.json", "type": "file", "size": 19}, ArtifactUnstable, "memory://tiny"),
        ({"name": "/tiny/" + "x" * 5000, "type": "file", "size": 1}, LimitError, "memory://tiny"),
        ({"name": "/tiny/..", "type": "directory", "size": 0}, NameRefused, "memory://tiny"),
        ({"name": "/tiny/.", "type": "directory", "size": 0}, NameRefused, "memory://tiny"),
        ({"name": "/tiny/sub", "type": "directory", "size": 0}, ArtifactUnstable, "memory://tiny"),
        ({"name": "/tiny/sub", "type": "file", "size": 0}, ArtifactUnstable, "memory://tiny"),
        ({"name": None, "type": "file", "size": 1}, ArtifactIrregular, "memory://tiny"),
        ({"type": "file", "size": 1}, ArtifactUnreadable, "memory://tiny"),
    ],
)
def test_a_store_that_lies_is_refused(
    memory: Any, monkeypatch: pytest.MonkeyPatch, info: dict[str, object], error: type[Exception], where: str
) -> None:
    lying(memory, monkeypatch, info)
    with pytest.raises(error) as refused:
        Remote("memory://tiny").measure()
    assert (type(refused.value), getattr(refused.value, "where", "")) == (error, where)


def test_a_link_on_a_disk_is_not_followed(write_tree: Tree) -> None:
    root = write_tree({"tiny/a": "x"}) / "tiny"
    (root / "link").symlink_to("a")
    with pytest.raises(ArtifactIrregular) as refused:
        Remote(f"file://{root}").measure()
    assert (refused.value.where, refused.value.found) == (f"file://{root}/link", "a symlink")


def test_work_is_bounded(memory: Any) -> None:
    for limits, name in ((Limits(tree_files=2), "tree_files"), (Limits(tree_depth=1), "tree_depth")):
        with pytest.raises(LimitError) as refused:
            Remote("memory://tiny").measure(limits=limits)
        assert f"({name})" in str(refused.value.wanted)


def test_what_is_not_there_is_unreadable(memory: Any) -> None:
    with pytest.raises(ArtifactUnreadable) as refused:
        Remote("memory://absent").measure()
    assert (refused.value.code, refused.value.because) == ("artifact.unreadable", "FileNotFoundError")
    with pytest.raises(ArtifactUnreadable) as unknown:
        Remote("nothing-at-all://x").measure()
    assert (unknown.value.where, unknown.value.because) == (
        "nothing-at-all://x",
        "ValueError: Protocol not known: nothing-at-all",
    )


def test_nothing_private_is_told() -> None:
    behind = Remote("https://me:secret@127.0.0.1:1/m?sig=secret", options={"headers": {"Authorization": "secret"}})
    assert behind.where == "https://127.0.0.1:1/m"
    with pytest.raises((ArtifactUnreadable, UnavailableError)) as refused:
        behind.measure()
    assert "secret" not in f"{refused.value} {refused.value.to_dict()}"
    assert "secret" not in "".join(traceback.format_exception(refused.value))
    assert "secret" not in repr(Remote("s3://b", options={"secret": "secret"}))
    assert repr(behind) == "Remote('https://127.0.0.1:1/m', kind='model')"
    for chain in ("zip://in/a.txt::https://me:secret@h/x", "zip://in/a.txt::https://me:sec/secret@h/x"):
        assert "secret" not in f"{Remote(chain).where} {Remote(chain)!r}"
    assert Remote("https://[::1]/m").where == "https://[::1]/m"


@pytest.mark.parametrize(
    ("raised", "because"),
    [
        (KeyError("https://me:secret@h"), "KeyError"),
        (PermissionError(errno.EACCES, "https://me:secret@h"), "PermissionError: Permission denied"),
        (RecursionError("AKIA0123456789secret"), "RecursionError"),
        (ValueError("no access with hunter two to https://h/?sig=x (403)"), "ValueError: no access with … to … (403)"),
        (ValueError("Invalid key: AKIAIOSFODNN7EXAMPLE=\x1b[31m"), "ValueError: Invalid key: …"),
        (OSError("Access Denied by token dXNlcjpwYXNz"), "OSError: Access Denied by token …"),
    ],
)
def test_what_a_store_says_is_not_repeated(
    memory: Any, monkeypatch: pytest.MonkeyPatch, raised: Exception, because: str
) -> None:
    def refusing(self: Any, path: str, **more: Any) -> Any:
        raise raised

    monkeypatch.setattr(type(memory), "ls", refusing)
    monkeypatch.setattr(remote, "_opened", lambda *_: (memory, "/tiny"))
    with pytest.raises(ArtifactUnreadable) as refused:
        Remote("memory://tiny", options={"auth": {"pass": b"hunter"}, "more": ["two"]}).measure()
    assert (refused.value.where, refused.value.because) == ("memory://tiny", because)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("https://me:secret@h", "h"),
        ("https://h/m.gguf?token=a/secret", "m.gguf"),
        ("bucket/m.gguf", "m.gguf"),
        ("/tiny/", "tiny"),
    ],
)
def test_a_name_is_no_secret(root: str, name: str) -> None:
    assert remote._last(root) == name


def test_a_worker_that_gives_no_digest_is_unavailable(memory: Any) -> None:
    class Lying(concurrent.futures.Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
            future: concurrent.futures.Future[Any] = concurrent.futures.Future()
            future.set_result("AB" * 32)
            return future

    with pytest.raises(UnavailableError) as refused:
        Remote("memory://tiny").measure(executor=Lying())
    assert (refused.value.code, refused.value.where) == ("unavailable", "executor")


@pytest.mark.parametrize("exclude", ["x", ("../x",), ("x/",)])
def test_what_is_left_out_must_be_exact(exclude: Any) -> None:
    with pytest.raises(UsageError) as refused:
        Remote("memory://x", exclude=exclude)
    assert refused.value.where == "exclude"


def test_without_fsspec_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(UnavailableError) as refused:
        Remote("memory://x").measure()
    assert (refused.value.code, refused.value.where) == ("unavailable", "fsspec.core")
    assert refused.value.do == "install the extra: pip install 'glasswing-attest[fsspec]'"


# --- over HTTP -------------------------------------------------------------------------------------------------------


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
        pass


@pytest.fixture
def web(write_tree: Tree) -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="aiohttp, with which fsspec speaks HTTP, is not installed")
    root = write_tree({f"tiny/{name}": content for name, content in TINY.items()})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_on_a_web_server(web: str) -> None:
    found = Remote(f"{web}/tiny/model.safetensors").measure()
    assert found.digests.get("sha256") == hashlib.sha256(b"\x00\x01\x02\x03weights").hexdigest()
    with pytest.raises(ArtifactUnreadable) as refused:
        Remote(f"{web}/tiny/absent").measure()
    assert refused.value.where == f"{web}/tiny/absent"


def test_a_web_server_needs_no_ranges(web: str, tmp_path: Path) -> None:
    data = b"\x00\x01\x02\x03" * (3 << 20)  # more than is asked for at once
    (tmp_path / "tiny" / "large.bin").write_bytes(data)
    found = Remote(f"{web}/tiny/large.bin", kind="file").measure()
    assert (found.digests.get("sha256"), found.total_bytes) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize("path", ["/tiny/", "/tiny"])
def test_a_page_of_links_is_no_directory(web: str, path: str) -> None:
    with pytest.raises(ArtifactIrregular) as refused:
        Remote(web + path).measure()
    assert refused.value.found == "a web page"
