"""Does work that is done elsewhere come back in order, anew each time, and as our errors?"""

import concurrent.futures
import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.spread import spread
from glasswing_attest.errors import ArtifactUnstable, UnavailableError


class Remembering(concurrent.futures.ThreadPoolExecutor):
    """Gives a second time what it gave for equal arguments, as a cluster's executor does."""

    def __init__(self) -> None:
        super().__init__(2)
        self.known: dict[bytes, concurrent.futures.Future[Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        key = pickle.dumps((fn, args, kwargs))
        if key not in self.known:
            self.known[key] = super().submit(fn, *args, **kwargs)
        return self.known[key]


Tree = Callable[[dict[str, str | bytes]], Path]
CALLS: list[int] = []


def anything(_found: object, *_arguments: object) -> bool:
    return True


def counted(number: int) -> int:
    CALLS.append(number)
    return number * number


@pytest.mark.parametrize("make", [contextlib.nullcontext, Remembering], ids=["own", "remembering"])
def test_each_call_is_made_and_the_order_is_kept(
    make: Callable[[], contextlib.AbstractContextManager[concurrent.futures.Executor | None]],
) -> None:
    CALLS.clear()
    things = [(n % 7,) for n in range(300)]
    with make() as executor:
        for _ in range(2):
            assert list(spread(counted, iter(things), executor, anything)) == [n * n for (n,) in things]
    assert len(CALLS) == 600


def test_an_error_ends_it() -> None:
    made: list[int] = []

    def things() -> Any:
        for n in range(100_000):
            made.append(n)
            yield (n - 3,)

    with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        list(spread(lambda n: 1 // n, things(), pool, anything))
    assert len(made) < 1000


def test_an_executor_that_is_gone_is_unavailable() -> None:
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(UnavailableError) as refused:
        list(spread(counted, [(1,)], pool, anything))
    assert (refused.value.code, refused.value.where) == ("unavailable", "executor")


class Elsewhere(concurrent.futures.Executor):
    """An executor of a cluster: its refusals are its own."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
        if self.answer == "closed":
            raise LookupError("the scheduler is gone")
        future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        if isinstance(self.answer, Exception):
            future.set_exception(self.answer)
        else:
            future.set_result(self.answer)
        return future


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        ("closed", "the scheduler is gone"),
        (LookupError("worker died"), "the work failed: LookupError: worker died"),
        (TimeoutError(), "the work failed: TimeoutError: "),
        (concurrent.futures.CancelledError(), "the work was cancelled"),
        ("1", "a worker gave something else than what was asked for"),
        (None, "a worker gave something else than what was asked for"),
    ],
)
def test_what_goes_wrong_elsewhere_is_unavailable(answer: object, because: str) -> None:
    with pytest.raises(UnavailableError) as refused:
        list(spread(counted, [(1,)], Elsewhere(answer), lambda found, n: found == n))
    assert (refused.value.code, refused.value.where, refused.value.because) == ("unavailable", "executor", because)


def test_our_errors_come_back_as_they_were_raised() -> None:
    with pytest.raises(ArtifactUnstable) as refused:
        list(spread(counted, [(1,)], Elsewhere(ArtifactUnstable(where="a")), anything))
    assert (refused.value.code, refused.value.where) == ("artifact.unstable", "a")


@pytest.mark.parametrize("answer", [None, [], [b"x" * 32], [()], [(b"x" * 31,)], [("x" * 32,)], [(b"x" * 32,) * 2]])
def test_a_worker_that_gives_no_digests_is_unavailable(write_tree: Tree, answer: object) -> None:
    root = write_tree({"m/a": "x"}) / "m"
    with pytest.raises(UnavailableError) as refused:
        Dataset(root).measure(executor=Elsewhere(answer))
    assert (refused.value.where, refused.value.found) == ("executor", type(answer).__name__)
    with pytest.raises(UnavailableError):
        Dataset(root).measure(executor=Elsewhere([(b"x" * 32,)]), also=["sha512"])
    assert Dataset(root).measure(executor=Elsewhere([(b"x" * 32,)])).files[0].sha256 == (b"x" * 32).hex()
