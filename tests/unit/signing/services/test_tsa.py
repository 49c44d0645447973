"""Is the stamp the one that was asked for?"""

import hashlib
from collections.abc import Callable, Iterator

import pytest

from glasswing_attest.errors import GlasswingError, ServiceRefused, ServiceUnavailable
from glasswing_attest.signing.services.http import Http
from glasswing_attest.signing.services.tsa import stamp
from glasswing_attest.testing import der
from glasswing_attest.verification.clock import check_stamp
from tests.served import QUICK, Reply, Served, _read_query

SIGNATURE = b"a signature"


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


def asked(served: Served) -> bytes:
    return stamp(Http(QUICK), f"{served.url}/tsa0/api/v1/timestamp", SIGNATURE)


def test_a_stamp_is_over_the_signature(served: Served) -> None:
    time, clock = check_stamp(asked(served), SIGNATURE, served.sigstore.root().clocks)
    assert (time, clock.operator) == (served.sigstore.clock.now, served.sigstore.operator)
    assert asked(served) != asked(served), "each has a nonce of its own"


def nonce_of(served: Served) -> int:
    return _read_query(served.bodies["tsa0"][-1])[1]


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        (lambda s: s.sigstore.clocks[0].stamp(SIGNATURE, nonce=nonce_of(s) ^ 1), "timestamp.nonce"),
        (lambda s: s.sigstore.clocks[0].stamp(SIGNATURE), "timestamp.nonce"),
        (lambda s: s.sigstore.clocks[0].stamp(b"another", nonce=nonce_of(s)), "timestamp.messageImprint"),
        (
            lambda s: s.sigstore.clocks[0].stamp(SIGNATURE, digest="sha512", nonce=nonce_of(s)),
            "timestamp.messageImprint",
        ),
        (lambda s: b"", "timestamp"),
        (lambda s: b"<html>", "timestamp"),
        (lambda s: der.sequence(der.sequence(der.integer(0))), "timestamp"),
    ],
)
def test_another_stamp_is_no_answer(served: Served, answer: Callable[[Served], bytes], where: str) -> None:
    served.trouble = lambda *_: Reply(body=answer(served))
    with pytest.raises(ServiceUnavailable) as refused:
        asked(served)
    assert refused.value.code == "unavailable.service"
    assert refused.value.because.startswith(f"{where}: ")
    assert served.asked["tsa0"] == QUICK.attempts
    assert isinstance(refused.value.__cause__, GlasswingError)


def test_a_clock_that_says_no_says_why(served: Served) -> None:
    status = der.sequence(der.sequence(der.integer(2), der.sequence(der.utf8("not today"))))
    served.trouble = lambda *_: Reply(body=status)
    with pytest.raises(ServiceRefused) as refused:
        asked(served)
    error = refused.value
    assert (error.code, error.found, error.because) == ("signing.refused", "PKIStatus 2", "not today")
    assert served.asked["tsa0"] == 1


def test_the_imprint_is_that_of_the_signature(served: Served) -> None:
    asked(served)
    assert _read_query(served.bodies["tsa0"][-1])[0] == hashlib.sha256(SIGNATURE).digest()
