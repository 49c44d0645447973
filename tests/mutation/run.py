"""Which mutants does no test tell from the engine? One warm process of pytest is forked for each of them.

mutmut and cosmic-ray have runners of their own. The one leaves alone whatever has a decorator or stands outside of a
function: here the caches of proved chains, and the policies for paths. The other starts pytest anew for each mutant,
which would take a day. So the suite is collected and run once, and who covers what is noted. Then each mutant gets a
fork of that very process, where the code of its one function is exchanged, and the tests that reach it are run, its
module's own and then the fastest, until one fails or their time is up: what only slow tests tell is told by none. What
is no code of a function is imported changed, in a fork without the engine.
"""

from __future__ import annotations

import ast
import builtins
import functools
import gc
import importlib
import importlib.machinery
import mmap
import multiprocessing
import os
import pickle
import re
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.operators import OTHER_ERROR
from tests.shared import ROOT

__all__ = ["PACKAGE", "TESTS", "Outcome", "Verdict", "engine", "run"]

PACKAGE = ROOT / "src" / "glasswing_attest"
_FOLDERS = ("verification", "trust")
TESTS = (
    "tests/unit/verification",
    "tests/unit/signing/test_instance.py",
    "tests/unit/trust",
    "tests/unit/testing",
    "tests/unit/test_every_limit.py",
    "tests/unit/test_api.py",
    "tests/unit/test_keys.py",
    "tests/unit/test_oms.py",
    "tests/unit/test_opened.py",
    "tests/unit/test_proving.py",
    "tests/unit/test_reprs.py",
    "tests/unit/test_review_issue4.py",
    "tests/vectors",
    "tests/torture",
    "tests/differential",
    "tests/properties/test_garbage.py",
    "tests/properties/test_merkle.py",
    "tests/stories/test_attacks.py",
    "tests/stories/test_sigstore.py",
    "tests/conformance/test_oms_client.py",
)
"""What holds the engine: no test that asks a server or another client, or that measures time."""

_LEAST = 10.0
"""Seconds that a mutant has at the least, before it counts as one that never ends."""

_MOST = 10.0
"""Seconds of tests that a mutant is put to, as they took while traced; otherwise a survivor would take all of them."""

_BROKEN = 99
_TIME_IS_UP = (signal.SIGPROF, signal.SIGALRM)
_TRIED = 12
"""So many tests that killed a mutant of the same function are tried before all others."""


class Outcome(Enum):
    """What came of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a mutant, after how many seconds, and which test failed: "" where the module cannot be imported."""

    outcome: Outcome
    seconds: float
    killer: str = ""


class _Killer:
    """The name of a test, where a fork writes it and its parent reads it."""

    def __init__(self) -> None:
        self._place = mmap.mmap(-1, mmap.PAGESIZE)

    def write(self, name: str) -> None:
        self._place[:] = name.encode().ljust(mmap.PAGESIZE, b"\0")

    def read(self) -> str:
        """Give the name, and forget it."""
        name = self._place[:].rstrip(b"\0").decode()
        self.write("")
        return name


_Lines = set[tuple[str, int]]


@dataclass
class _Suite:
    """What is known of the tests: how long each takes, and which lines of the engine it reaches."""

    seconds: dict[str, float] = field(default_factory=dict)
    reached: dict[str, _Lines] = field(default_factory=dict)
    killers: defaultdict[tuple[str, str], dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def killed(self, mutant: Mutant, name: str) -> None:
        """Note which test told a mutant from the engine: it will tell others of the same function, too."""
        names = self.killers[mutant.module, mutant.within]
        names.pop(name, None)
        names[name] = None

    def about(self, mutant: Mutant) -> list[str]:
        """Give the tests that reach it: what killed others of its function, its module's own, others in the time."""
        lines = _lines_about(mutant)
        killers = list(self.killers[mutant.module, mutant.within])[: -_TRIED - 1 : -1]
        own = f"tests/unit/{mutant.module.replace('/', '/test_').removesuffix('.py')}"
        # What a schema demands is read by no line of ours, so that its module's own tests are asked in any case.
        always = "/" if mutant.is_code else own  # no test has such a name
        found = [name for name, reached in self.reached.items() if reached & lines or name.startswith(always)]
        first = {name for name in found if name in killers or name.startswith(own)}
        found.sort(key=lambda name: (name not in killers, name not in first, self.seconds[name]))
        spent = accumulate(self.seconds[name] for name in found)
        return [name for name, seconds in zip(found, spent, strict=True) if name in first or seconds < _MOST]


def _lines_about(mutant: Mutant) -> _Lines:
    path = PACKAGE / mutant.module
    own = {(str(path), line) for line in range(mutant.first, mutant.last + 1)}
    if mutant.is_code:
        return own
    # It happens at import. Who reads the names that it gives is about it, and so is who reads what is made of these.
    within = {mutant.within.partition(".")[0]} - {""}
    names = within.union(*(s.gives for s in _statements(path) if s.first <= mutant.first <= s.last))
    if within and (named := re.match(r"([A-Za-z_]\w*)( =|:)", mutant.line)):
        names |= {named[1]}  # a member of a class: who reads it
    if not names:  # a demand that stands in the module itself
        return own | {(str(path), line) for line in range(1, path.read_text(encoding="utf-8").count("\n") + 1)}
    while more := {n for file in engine() for s in _statements(file) if s.reads & names for n in s.gives} - names:
        names |= more
    word = re.compile(rf"\b(?:{'|'.join(names)})\b")
    return own | {
        (str(file), number)
        for file in engine()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if word.search(line)
    }


def engine() -> list[Path]:
    """Give the files of what is mutated."""
    return [file for folder in _FOLDERS for file in sorted((PACKAGE / folder).glob("*.py"))]


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a module does at import: its lines, the names that it gives, and those that it reads."""

    first: int
    last: int
    gives: frozenset[str]
    reads: frozenset[str]


@functools.cache
def _statements(path: Path) -> list[_Statement]:
    found: list[_Statement] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        reads = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                gives, reads = {name}, set()
            case ast.Assign(targets=targets):
                gives = {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                gives = {name}
            case _:
                gives = set()
        found.append(_Statement(node.lineno, node.end_lineno or node.lineno, frozenset(gives), frozenset(reads)))
    return found


def run(
    mutants: Iterable[Mutant], *, tests: Sequence[str] = TESTS, processes: int = 1
) -> Iterator[tuple[Mutant, Verdict]]:
    """Judge each mutant, in several processes. Raises `RuntimeError` where the tests fail as they are."""
    shares: list[list[Mutant]] = [[] for _ in range(processes)]
    functions: dict[tuple[str, str], int] = {}
    for mutant in mutants:  # those of one function stay together: what kills the one kills the other
        shares[functions.setdefault((mutant.module, mutant.within), len(functions)) % processes].append(mutant)
    return _joined([_begun(share, tests) for share in shares if share])


def _begun(share: list[Mutant], tests: Sequence[str]) -> tuple[list[Mutant], Connection]:
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    fork.Process(target=_tell_all, args=(share, tests, there), daemon=True).start()
    there.close()
    return share, here


def _joined(shares: list[tuple[list[Mutant], Connection]]) -> Iterator[tuple[Mutant, Verdict]]:
    of = {here: {mutant.name: mutant for mutant in share} for share, here in shares}
    while of:
        for here in wait(list(of)):
            assert isinstance(here, Connection)
            try:
                told = here.recv()
            except EOFError:
                told = RuntimeError("a process ended before its mutants were judged")
            if isinstance(told, RuntimeError):
                raise told
            if told is None:
                del of[here]
            else:
                name, verdict = told
                yield of[here][name], verdict


def _tell_all(share: list[Mutant], tests: Sequence[str], there: Connection) -> None:
    try:
        for mutant, verdict in _run(share, tests):
            there.send((mutant.name, verdict))
        there.send(None)
    except RuntimeError as e:
        there.send(e)


def _run(every: list[Mutant], tests: Sequence[str]) -> Iterator[tuple[Mutant, Verdict]]:
    suite, warm = _warmed(every, tests)
    yield from warm
    for module in ("cryptography.x509", "pydantic", "rfc3161_client", "sigstore.models"):
        importlib.import_module(module)
    killer = _Killer()
    for mutant in every:
        if not mutant.is_code:
            task = functools.partial(_import_and_test, mutant, killer)
            yield mutant, _judged(mutant, suite, task, killer)


def _judged(mutant: Mutant, suite: _Suite, test: Callable[[list[str]], int], killer: _Killer) -> Verdict:
    names = suite.about(mutant)
    start = time.monotonic()
    if not names:
        return Verdict(outcome=Outcome.UNREACHED, seconds=0.0)
    status = _forked(lambda: test(names), _LEAST + 5 * sum(suite.seconds[name] for name in names))
    if status == _BROKEN:
        raise RuntimeError(f"it could not be judged: {mutant.name}")
    outcomes = {0: Outcome.SURVIVED} | {-number: Outcome.TIMEOUT for number in _TIME_IS_UP}
    outcome = outcomes.get(status, Outcome.KILLED)
    return Verdict(outcome=outcome, seconds=time.monotonic() - start, killer=killer.read())


def _forked(task: Callable[[], int], seconds: float) -> int:
    """Give the exit code of a task in a fork, negative for a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if not child:
        code = _BROKEN
        try:
            # By the process's own clock: on a busy machine all takes longer. A mutant that waits has ten times as long.
            signal.setitimer(signal.ITIMER_PROF, seconds)
            signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
            for number in _TIME_IS_UP:
                signal.signal(number, signal.SIG_DFL)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            code = task()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# --- warm: the code of one function is exchanged ---------------------------------------------------------------------


def _warmed(every: list[Mutant], tests: Sequence[str]) -> tuple[_Suite, Iterator[tuple[Mutant, Verdict]]]:
    """Start the warm process, and give what it knows and what it finds out."""
    read, write = os.pipe()
    if not os.fork():
        os.close(read)
        code = _BROKEN
        try:
            with os.fdopen(write, "wb") as told:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                code = int(pytest.main([*_OPTIONS, *tests], plugins=[_Warm(every, told)]))
        finally:
            os._exit(code)
    os.close(write)
    source = os.fdopen(read, "rb")
    suite = pickle.load(source)
    if not isinstance(suite, _Suite):
        raise RuntimeError(suite)

    def judged() -> Iterator[tuple[Mutant, Verdict]]:
        with source:
            for mutant in every:
                if mutant.is_code:
                    yield mutant, pickle.load(source)
        os.wait()

    return suite, judged()


_OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", str(ROOT))


class _Warm:
    """Runs the collected tests once, traced, and then against each mutant in a fork."""

    def __init__(self, every: list[Mutant], told: Any) -> None:
        self._every = every
        self._told = told
        self._suite = _Suite()
        self._fixtures: dict[str, _Lines] = defaultdict(set)
        self._lines: _Lines = set()
        self._says = ""
        self._killer = _Killer()
        self._parent = os.getpid()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """End a fork at its first failure."""
        if os.getpid() != self._parent:
            _end_if_killed(item, call, self._killer)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._says = report.longreprtext

    def pytest_configure(self) -> None:
        _deterministic()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests once, traced and as they are; then judge the mutants."""
        _other_error()
        caches = _caches()
        by_name = {item.nodeid: item for item in session.items}
        for (name, item), following in zip(by_name.items(), [*session.items[1:], None], strict=True):
            # What another test left in a cache would hide that this one reaches it, too.
            _cleared(caches)
            self._lines = set()
            start = time.process_time()
            with _Traced(self._lines):
                _run_one(item, following)
            self._suite.seconds[name] = time.process_time() - start
            if session.testsfailed:
                self._tell(f"{name} fails as it is\n{self._says}")
                return True
            fixtures = (self._fixtures[each] for each in getattr(item, "fixturenames", ()))
            self._suite.reached[name] = self._lines.union(*fixtures)

        def tested(names: Iterable[str]) -> int:
            _cleared(caches)
            items = [by_name[name] for name in names]
            for item, following in zip(items, [*items[1:], None], strict=True):
                _run_one(item, following)
                if session.testsfailed:
                    return 1
            return 0

        gc.freeze()  # a fork that looks for garbage would copy all that it looks at, and take its time
        if _forked(lambda: tested(by_name), 3600):
            which = self._killer.read() or "none of them by itself"
            self._tell(f"the tests fail in a fork, without any change: {which}")
            return True
        self._tell(self._suite)
        for mutant in self._every:
            if mutant.is_code:
                change = functools.partial(_exchange, mutant)
                verdict = _judged(mutant, self._suite, lambda names, c=change: c() or tested(names), self._killer)  # type: ignore[misc]
                self._tell(verdict)
                if verdict.killer:
                    self._suite.killed(mutant, verdict.killer)
        return True

    def _tell(self, what: object) -> None:
        pickle.dump(what, self._told)
        self._told.flush()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What a fixture that several tests share reaches, all of them reach."""
        before = set(self._lines)
        self._lines.clear()
        try:
            return (yield)
        finally:
            self._fixtures[fixturedef.argname] |= self._lines
            self._lines |= before


def _end_if_killed(item: pytest.Item, call: pytest.CallInfo[None], killer: _Killer) -> None:
    """End this process at a failure: to tell it as pytest does would take longer than all else."""
    fails = call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception)
    if fails and item.get_closest_marker("xfail") is None:
        killer.write(item.nodeid)
        os._exit(1)


def _run_one(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _deterministic() -> None:
    from hypothesis import settings

    settings.register_profile("mutation", derandomize=True, database=None, deadline=None)
    settings.load_profile("mutation")


def _caches() -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper) and _is_ours(each)]


def _cleared(caches: Iterable[Any]) -> None:
    for cache in caches:
        cache.cache_clear()


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("glasswing_attest.")


class _Traced:
    """Notes each line of the engine that is reached."""

    def __init__(self, lines: _Lines) -> None:
        self._folders = tuple(f"{PACKAGE / name}{os.sep}" for name in _FOLDERS)
        self._lines = lines

    def __enter__(self) -> None:
        sys.settrace(self._called)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._folders):
            return None
        self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line

    def _line(self, frame: FrameType, _event: str, _arg: object) -> Any:
        self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def _exchange(mutant: Mutant) -> None:
    """Give the living function the code of the mutant: whoever imported it has it, too."""
    path = str(PACKAGE / mutant.module)
    code: CodeType = compile(mutant.source, path, "exec", dont_inherit=True)
    for name in mutant.within.split("."):
        code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
    found: Any = importlib.import_module(_module_name(mutant.module))
    for name in mutant.within.split("."):
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    while not isinstance(found, FunctionType) or hasattr(found, "__wrapped__"):
        found = found.__wrapped__  # pyright: ignore[reportFunctionMemberAccess]
    found.__code__ = code


def _module_name(module: str) -> str:
    return f"{PACKAGE.name}.{module.removesuffix('.py').replace('/', '.')}"


def _other_error() -> None:
    from glasswing_attest.errors import GlasswingError

    class OtherMutantError(GlasswingError):
        code = "mutation.other"

        def __init__(self, *_: object, kind: str = "", **fields: Any) -> None:
            super().__init__(**fields)

    setattr(builtins, OTHER_ERROR, OtherMutantError)


# --- cold: the module is imported changed ----------------------------------------------------------------------------


def _import_and_test(mutant: Mutant, killer: _Killer, names: list[str]) -> int:
    path = str(PACKAGE / mutant.module)
    get_code = importlib.machinery.SourceFileLoader.get_code

    def changed(loader: Any, name: str) -> Any:
        if loader.path == path:
            return compile(mutant.source, path, "exec", dont_inherit=True)
        return get_code(loader, name)

    importlib.machinery.SourceFileLoader.get_code = changed  # type: ignore[method-assign, assignment]
    try:
        for file in engine():
            importlib.import_module(_module_name(file.relative_to(PACKAGE).as_posix()))
    except Exception:  # noqa: BLE001 - whatever a module raises that cannot be imported
        return 1
    files = sorted({name.partition("::")[0] for name in names})
    # Whatever fails ends the process at once. What else pytest may say, that it found no test for one, is no verdict.
    return _BROKEN if pytest.main([*_OPTIONS, "-x", *files], plugins=[_Chosen(names, killer)]) else 0


class _Chosen:
    """Leaves the tests that reach a mutant, in the order in which they are wanted."""

    def __init__(self, names: list[str], killer: _Killer) -> None:
        self._killer = killer
        self._order = {name: number for number, name in enumerate(names)}

    def pytest_configure(self) -> None:
        _deterministic()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._order), key=lambda i: self._order[i.nodeid])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        _end_if_killed(item, call, self._killer)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._killer.write(report.nodeid)
            os._exit(1)
