"""How is a function called for many things, elsewhere and in bounded numbers?

Results come in the order of the things, whatever the executor. A cluster's executor may remember what a function gave
for equal arguments, and give it again without running it (dask.distributed does, while anybody still holds the result):
so each call carries a token that no other has, and what is read is read now.

Whoever runs a worker is believed, as `docs/clusters.md` says; but what comes back must be of the kind that was asked
for, and what goes wrong there is told as one of our errors.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TypeVar

from glasswing_attest.errors import GlasswingError, UnavailableError

__all__ = ["result_of", "spread"]

_R = TypeVar("_R")
_WORKERS = 8
# So many calls wait at most: a million files are not a million tasks at once.
_WAITING = 128


def spread(
    function: Callable[..., _R],
    things: Iterable[tuple[Any, ...]],
    executor: Executor | None,
    is_right: Callable[..., bool],
) -> Iterator[_R]:
    """Call the function with each of these arguments, in threads of our own or in an executor.

    Args:
        function: stands at the top of a module, with plain arguments, so that any executor can run it.
        things: the arguments of each call.
        executor: None for threads of our own.
        is_right: says of a result, and the arguments that it is the result for, whether that can be.

    Raises:
        UnavailableError: the executor broke, was shut down, cancelled the work or gave something else.
    """
    waiting: deque[tuple[tuple[Any, ...], Future[_R]]] = deque()
    is_elsewhere = executor is not None and not isinstance(executor, ThreadPoolExecutor)

    def first() -> _R:
        arguments, future = waiting.popleft()
        return result_of(future, lambda found: is_right(found, *arguments), is_elsewhere=is_elsewhere)

    with ThreadPoolExecutor(_WORKERS) if executor is None else nullcontext(executor) as pool:
        try:
            for arguments in things:
                if len(waiting) >= _WAITING:
                    yield first()
                waiting.append((arguments, _submitted(pool, function, arguments)))
            while waiting:
                yield first()
        finally:
            for _, future in waiting:
                future.cancel()


def _submitted(pool: Executor, function: Callable[..., _R], arguments: tuple[Any, ...]) -> Future[_R]:
    try:
        return pool.submit(_call, secrets.token_hex(16), function, arguments)
    except Exception as e:
        # It is shut down, or broken; a cluster's says so in words of its own.
        raise UnavailableError(where="executor", because=str(e) or type(e).__name__) from e


def _call(_token: str, function: Callable[..., _R], arguments: tuple[Any, ...]) -> _R:
    """Stands at the top of the module, with plain arguments, so that any executor can run it."""
    return function(*arguments)


def result_of(future: Future[_R], is_right: Callable[[object], bool], *, is_elsewhere: bool) -> _R:
    """Wait for a result. Whatever an executor raises or gives `is_elsewhere` becomes one of our errors.

    Raises:
        UnavailableError: the executor broke or cancelled the work; the work failed in a way that nobody foresaw; what
            it gave is not what was asked for.
    """
    try:
        found = future.result()
    except GlasswingError:
        raise
    except (BrokenExecutor, CancelledError) as e:
        raise UnavailableError(where="executor", because=str(e) or "the work was cancelled") from e
    except Exception as e:
        # In our own process it is the caller's (what its progress raises), or a fault of ours that nothing should hide.
        if not is_elsewhere:
            raise
        raise UnavailableError(where="executor", because=f"the work failed: {type(e).__name__}: {e}") from e
    if is_elsewhere and not is_right(found):
        because = "a worker gave something else than what was asked for"
        do = "see to it that the workers have this version of the library"
        raise UnavailableError(where="executor", found=type(found).__name__, because=because, do=do)
    return found
