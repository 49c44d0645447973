"""Does whatever goes wrong on the way to a service end well, or in an error that names it, and in nothing half done?

Upstream's own servers (tests/stack), with a network before each that is not to be relied on (tests/proxy.py).
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import Attestation, GlasswingError, KeySigner, ModelRecord, attest, attest_many
from glasswing_attest._cli import main
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import (
    AttestationsMissing,
    IdentityTokenRefused,
    ServiceRefused,
    ServiceUnavailable,
)
from glasswing_attest.signing import IdentityTokens, Instance, Patience, SigstoreSigner
from glasswing_attest.signing.services.http import Http
from glasswing_attest.signing.services.rekor import log_v2
from glasswing_attest.trust.sigstore import PUBLIC_GOOD
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove
from tests.proxy import FAULTS, Fault, Proxy, redirect, status
from tests.stack import Stack, background

THING = Blob(b"weights", name="m.bin")
SAID = ModelRecord(name="m")
Service = Literal["fulcio", "tsa", "rekor-v1", "rekor-v2"]
SERVICES: tuple[Service, ...] = ("fulcio", "tsa", "rekor-v1", "rekor-v2")

ONCE = Patience(attempts=1, silence=20, whole=40)
AGAIN = replace(ONCE, attempts=3, pause=0.01, longest_pause=0.02)
SHORT = {"silent", "silent after it arrived"}
"""Of these it is asked for how long the client waits: a service that answers takes less."""
PATIENT = 8.0
"""For how many seconds, then. A log takes up to a second, or more on a machine with much else to do."""
SLOW = {"a head that drips", "a body that drips", "a wait without end", "a trailer without end"}
"""These use up all the time that there is for one question."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """What stands before the service."""

    stack: Stack
    service: Service
    proxy: Proxy

    def signer(self, patience: Patience = ONCE, **options: Any) -> SigstoreSigner:
        """Somebody who meets the proxy instead of the one service."""
        config = self.stack.signing_config_v1 if self.service == "rekor-v1" else self.stack.signing_config
        instance = Instance.load(
            trusted_root=self.stack.trusted_root, signing_config=self.written(config), profile=PUBLIC_GOOD, name="stack"
        )
        options = {"instance": instance, "patience": patience, **options}
        return SigstoreSigner.from_token(self.stack.token(), **options)

    def written(self, config: Path) -> Path:
        """Write the signing config with the proxy in it."""
        path = self.stack.folder / f"faults-{self.service}-{threading.get_ident()}-{id(self)}.json"
        path.write_text(config.read_text().replace(address(self.stack, self.service), self.proxy.url))
        return path


def address(stack: Stack, service: Service) -> str:
    """Where a service is, without a network before it."""
    return {
        "fulcio": stack.fulcio,
        "tsa": stack.tsa.removesuffix("/api/v1/timestamp"),
        "rekor-v1": stack.rekor_v1,
        "rekor-v2": stack.rekor_v2,
    }[service]


def behind(stack: Stack, service: Service) -> Network:
    """A network before one service."""
    return Network(stack=stack, service=service, proxy=Proxy(address(stack, service)))


def for_each(names: Iterable[str], check: Callable[[str], None]) -> None:
    """Check them at once, for most of the time is waiting; all that fail are told."""
    with ThreadPoolExecutor(12) as threads:
        begun = {name: threads.submit(check, name) for name in names}
    failed = {name: error for name, each in begun.items() if (error := each.exception()) is not None}
    for name, error in failed.items():
        error.add_note(f"fault: {name}")
    if failed:
        raise BaseExceptionGroup("faults that did not end as they should", list(failed.values()))


def is_alices(made: Attestation, stack: Stack) -> bool:
    return prove(Attestation.parse(made.bytes), stack.trust)[0].signer.san == stack.san_of("email")


def first(fault: Fault) -> Callable[[int, str], Fault | None]:
    return lambda number, _path: fault if number == 1 else None


def always(fault: Fault) -> Callable[[int, str], Fault | None]:
    return lambda _number, _path: fault


@pytest.mark.parametrize("service", SERVICES)
def test_a_failure_names_the_service_and_the_second_try_succeeds(stack: Stack, service: Service) -> None:
    def check(name: str) -> None:
        fault, network = FAULTS[name], behind(stack, service)
        patience = replace(
            ONCE, silence=PATIENT if name in SHORT else ONCE.silence, whole=8 if name in SLOW else ONCE.whole
        )
        with network.proxy as proxy:
            proxy.trouble = first(fault)
            signer = network.signer(patience)
            started = time.monotonic()
            with pytest.raises(GlasswingError) as refused:
                attest(THING, SAID, signer=signer)
            assert time.monotonic() - started < 60, "bounded, however slowly it is answered"
            error = refused.value
            if name == "418":
                assert (type(error), error.code) == (ServiceRefused, "signing.refused")
            else:
                assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service")
            assert error.where.startswith(proxy.url)
            assert proxy.asked == 1
            patient = network.signer() if name in SLOW | SHORT else signer
            assert is_alices(attest(THING, SAID, signer=patient), stack)

    for_each(FAULTS, check)


@pytest.mark.parametrize("service", SERVICES)
def test_whoever_asks_again_does_not_notice(stack: Stack, service: Service) -> None:
    def check(name: str) -> None:
        network = behind(stack, service)
        with network.proxy as proxy:
            proxy.trouble = first(FAULTS[name])
            patience = replace(AGAIN, silence=PATIENT) if name in SHORT else AGAIN
            assert is_alices(attest(THING, SAID, signer=network.signer(patience)), stack)
            assert proxy.asked > 1

    # A reader that drips may go on until the time is over: then there is none for a second try.
    for_each((name for name, fault in FAULTS.items() if not fault.lasting and name not in SLOW), check)


@pytest.mark.parametrize("number", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("service", SERVICES)
def test_nobody_is_led_to_another_host(stack: Stack, service: Service, number: int) -> None:
    network, elsewhere = behind(stack, service), Proxy("http://127.0.0.1:1")
    with network.proxy as proxy, elsewhere:
        proxy.trouble = first(redirect(number, f"{elsewhere.url}/api"))
        signer = network.signer(AGAIN)
        with pytest.raises(GlasswingError) as refused:
            attest(THING, SAID, signer=signer)
        error = refused.value
        assert (type(error), error.code) == (ServiceRefused, "signing.refused")
        assert error.where.startswith(proxy.url)
        assert error.found == f"HTTP {number}"
        assert "127.0.0.1, and is not followed" in error.because
        assert (elsewhere.asked, proxy.asked) == (0, 1)


@pytest.mark.parametrize("log", ["rekor-v1", "rekor-v2"])
def test_an_answer_that_was_lost_makes_no_second_entry(stack: Stack, log: Service) -> None:
    network = behind(stack, log)
    posted: list[str] = []

    def lost(number: int, path: str) -> Fault | None:
        posted.append(path)
        return FAULTS["dropped after it arrived"] if number == 1 else None

    with network.proxy as proxy:
        proxy.trouble = lost
        # The log's next checkpoint, a second later, has the entry: until then there is no proof of it.
        patience = Patience(attempts=12, silence=8, whole=20, pause=0.3, longest_pause=0.3)
        made = attest(THING, SAID, signer=network.signer(patience))
    assert is_alices(made, stack)
    assert made.bundle is not None
    assert len(made.bundle.log_entries) == 1
    assert len([path for path in posted if path.endswith("/log/entries")]) == 2
    assert len(posted) > 2, "the entry that is there already was read"


@pytest.fixture
def own_stack(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """One that no other test uses, for what would disturb them. Where there is no shared one, there is none."""
    yield background.start(tmp_path / "sigstore", owner=os.getpid())
    background.stop(tmp_path / "sigstore")


def test_somebody_else_hangs_up(own_stack: Stack) -> None:
    """A log answers all who wait for one checkpoint at once, and with 499 if one of them is gone by then."""
    hasty = Http(replace(ONCE, silence=0.3))

    def hang_up() -> None:
        for _ in range(10):
            key = KeySigner.generate()
            (signed,) = signature.check(attest(THING, SAID, signer=key), [key.verified_by])
            with contextlib.suppress(ServiceUnavailable):
                log_v2(hasty, own_stack.rekor_v2_alone, signed)

    network = behind(own_stack, "rekor-v2")
    patience = Patience(attempts=20, pause=0.5, longest_pause=0.5)
    with network.proxy, ThreadPoolExecutor(28) as threads:
        gone = [threads.submit(hang_up) for _ in range(4)]
        made = attest_many(requests_of(60), signer=network.signer(patience), sealing=threads)
        for each in gone:
            each.result()
    assert all(is_alices(each, own_stack) for each in made)


# --- many ------------------------------------------------------------------------------------------------------------


def requests_of(count: int) -> list[tuple[Blob, ModelRecord]]:
    return [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(count)]


@pytest.mark.parametrize("log", ["rekor-v1", "rekor-v2"])
def test_200_attestations_while_a_log_fails_every_third_call(stack: Stack, log: Service) -> None:
    network = behind(stack, log)
    kinds = [status(503, "overloaded"), FAULTS["dropped before it arrives"], status(500, "oops"), FAULTS["half a head"]]
    patience = Patience(attempts=8, silence=20, whole=60, pause=0.05, longest_pause=0.5)
    with network.proxy as proxy, ThreadPoolExecutor(32) as threads:
        proxy.trouble = lambda number, _path: kinds[number // 3 % len(kinds)] if number % 3 == 0 else None
        made = attest_many(requests_of(200), signer=network.signer(patience), sealing=threads)
        assert proxy.asked >= 300
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(200)]
    assert len({each.material for each in made}) == 1, "one certificate"
    assert all(is_alices(each, stack) for each in made[::20])


def test_what_could_not_be_made_is_named_and_the_rest_is_kept(stack: Stack) -> None:
    network = behind(stack, "rekor-v1")
    with network.proxy as proxy, ThreadPoolExecutor(4) as threads:
        # Whoever is asked once, and not again: the second turn, too, meets every third call.
        proxy.trouble = lambda number, _path: status(503, "overloaded") if number % 3 == 0 else None
        signer = network.signer(ONCE)
        with pytest.raises(AttestationsMissing) as refused:
            attest_many(requests_of(40), signer=signer, sealing=threads)
        missing = [n for n, each in enumerate(refused.value.made) if each is None]
        proxy.trouble = lambda _number, _path: None
        rest = attest_many([requests_of(40)[n] for n in missing], signer=signer)
    assert [each.statement_unverified.subjects[0].name for each in rest] == [f"{n}.bin" for n in missing]
    error = refused.value
    assert error.code == "signing.incomplete"
    assert error.where == ", ".join(f"requests[{n}]" for n in missing)
    assert error.found == f"{40 - len(missing)} of 40 attestations"
    assert {n for n, _ in error.failed} <= set(missing)
    assert {(type(e), e.code, e.because) for _, e in error.failed} == {
        (ServiceUnavailable, "unavailable.service", "overloaded")
    }
    for number, each in enumerate(error.made):
        if each is not None:
            assert each.statement_unverified.subjects[0].name == f"{number}.bin"
            assert is_alices(each, stack)


# --- where tokens come from ------------------------------------------------------------------------------------------


def ambient(stack: Stack, url: str) -> dict[str, str]:
    told = stack.ambient("github")
    return {**told, "ACTIONS_ID_TOKEN_REQUEST_URL": told["ACTIONS_ID_TOKEN_REQUEST_URL"].replace(stack.issuer, url)}


def test_a_platform_that_gives_no_token(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(stack.issuer) as proxy:  # one after the other: the environment is one for all threads
        for name, value in ambient(stack, proxy.url).items():
            monkeypatch.setenv(name, value)
        for name, fault in FAULTS.items():
            patience = replace(ONCE, silence=0.5 if name in SHORT else 5, whole=1 if name in SLOW else 5)
            proxy.asked, proxy.trouble = 0, first(fault)
            tokens = IdentityTokens.ambient(patience=patience)
            with pytest.raises(GlasswingError) as refused:
                tokens.get()
            error = refused.value
            if name == "418":
                assert (type(error), error.code) == (ServiceRefused, "signing.refused"), name
            else:
                assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service"), name
            assert error.where.startswith(proxy.url), name
            assert proxy.asked == 1, name
            assert tokens.get().may_be_called(stack.san_of("github")), name


def test_a_platform_that_refuses_or_points_elsewhere(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(stack.issuer) as proxy, Proxy("http://127.0.0.1:1") as elsewhere:
        for name, value in ambient(stack, proxy.url).items():
            monkeypatch.setenv(name, value)
        proxy.trouble = lambda _number, _path: redirect(307, f"{elsewhere.url}/token")
        with pytest.raises(ServiceRefused) as led:
            IdentityTokens.ambient().get()
        assert (led.value.code, led.value.found, elsewhere.asked) == ("signing.refused", "HTTP 307", 0)
        proxy.trouble = lambda _number, _path: None
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "not-the-one-of-this-job")
        with pytest.raises(IdentityTokenRefused) as refused:
            IdentityTokens.ambient().get()
        assert (refused.value.code, refused.value.found) == ("signing.token", "HTTP 401")
        assert "not-the-one-of-this-job" not in str(refused.value)


# --- what is written -------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    return tmp_path


@pytest.mark.parametrize("service", SERVICES)
def test_a_command_that_fails_writes_nothing(
    stack: Stack, service: Service, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = behind(stack, service)
    monkeypatch.setenv("THE_TOKEN", stack.token())
    config = stack.signing_config_v1 if service == "rekor-v1" else stack.signing_config
    with network.proxy as proxy:
        command = [
            "attest", "--sigstore", "--identity-token-env", "THE_TOKEN", "--trusted-root", str(stack.trusted_root),
            "--signing-config", str(network.written(config)), "--record", "model", "--name", "iris", "--json",
            str(folder / "model"),
        ]  # fmt: skip
        before = sorted(folder.rglob("*"))
        for fault, code in ((FAULTS["501"], "unavailable.service"), (FAULTS["418"], "signing.refused")):
            proxy.trouble = always(fault)
            assert main(command) != 0
            assert json.loads(capsys.readouterr().out)["error"]["code"] == code
            assert sorted(folder.rglob("*")) == before
        proxy.trouble = lambda _number, _path: None
        assert main(command) == 0
    written = Path(json.loads(capsys.readouterr().out)["path"])
    assert is_alices(Attestation.parse(written.read_bytes()), stack)
    assert sorted(folder.rglob("*")) == sorted([*before, written])


def test_a_connection_serves_many_questions(stack: Stack) -> None:
    """The bounds above are kept by connections of our own making: here one is used again, with its time anew."""
    http = Http(replace(ONCE, whole=5))
    url = f"{stack.rekor_v1}/api/v1/log/publicKey"
    for _ in range(3):
        assert b"PUBLIC KEY" in http.ask("GET", url, read=lambda answer: answer.body)
        time.sleep(2)
    (manager,) = http._pools.values()
    assert manager.connection_from_url(url).num_connections == 1
