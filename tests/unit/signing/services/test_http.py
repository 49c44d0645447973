"""Is a service asked again when that helps, and never longer, larger or elsewhere than allowed?"""

import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

import pytest

from glasswing_attest._wire import read_json
from glasswing_attest.errors import (
    GlasswingError,
    IdentityTokenRefused,
    ServiceRefused,
    ServiceUnavailable,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.signing.services.http import Answer, Http, Patience, without_tokens
from tests.proxy import FAULTS, Fault, Proxy
from tests.served import QUICK, Reply, Served, jwt

URL = "/any/thing"


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


def answering(served: Served, *replies: Reply | Literal["drop"]) -> str:
    """One reply after the other, the last one for ever."""
    served.trouble = lambda _, count: replies[min(count, len(replies)) - 1]
    return f"{served.url}{URL}"


def asked(http: Http, url: str, **options: Any) -> bytes:
    return http.ask("POST", url, body=lambda: b"?", read=lambda answer: answer.body, **options)


def refused_of(http: Http, url: str, **options: Any) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        asked(http, url, **options)
    return refused.value


OK = Reply(body=b"yes")


@pytest.mark.parametrize(
    "trouble",
    [
        "drop",
        Reply(body=b"yes, yes", cut=3),
        *(Reply(status=status) for status in (408, 425, 429, 499, 500, 502, 503, 504)),
    ],
)
def test_what_may_be_over_in_a_moment_is_asked_again(served: Served, trouble: Reply | Literal["drop"]) -> None:
    url = answering(served, trouble, trouble, OK)
    assert asked(Http(QUICK), url) == b"yes"
    assert served.asked["any"] == 3
    assert served.bodies["any"] == [b"?"] * 3
    error = refused_of(Http(QUICK), answering(served, trouble))
    assert (type(error), error.code, error.where) == (ServiceUnavailable, "unavailable.service", url)
    assert error.do.endswith("(asked 4 times)")


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 409, 413, 422])
def test_what_will_not_change_is_asked_once(served: Served, status: int) -> None:
    url = answering(served, Reply(status=status, body=b'{"code": 3, "message": "because"}'))
    error = refused_of(Http(QUICK), url)
    assert (type(error), error.code, error.where) == (ServiceRefused, "signing.refused", url)
    assert (error.found, error.because) == (f"HTTP {status}", "because")
    assert served.asked["any"] == 1


@pytest.mark.parametrize("status", [501, 505])
def test_what_a_server_cannot_do_at_all_is_asked_once(served: Served, status: int) -> None:
    error = refused_of(Http(QUICK), answering(served, Reply(status=status)))
    assert (type(error), error.found) == (ServiceUnavailable, f"HTTP {status}")
    assert served.asked["any"] == 1


def test_a_caller_may_name_what_a_status_means(served: Served) -> None:
    url = answering(served, Reply(status=401, body=b"who?"))
    error = refused_of(Http(QUICK), url, refusals={401: IdentityTokenRefused})
    assert (type(error), error.because) == (IdentityTokenRefused, "who?")
    assert asked(Http(QUICK), url, also=(401,)) == b"who?"


def test_a_redirect_is_never_followed(served: Served) -> None:
    with Served() as other:
        url = answering(served, Reply(status=307, headers={"Location": f"{other.url}/x"}))
        error = refused_of(Http(QUICK), url)
        assert (type(error), error.found) == (ServiceRefused, "HTTP 307")
        assert "127.0.0.1, and is not followed" in error.because
        assert not other.asked


def test_what_cannot_be_read_is_asked_again(served: Served) -> None:
    url = answering(served, Reply(body=b"<html>busy</html>"), Reply(body=b'{"a": "b"}'))

    def read(answer: Answer) -> str:
        return read_json(answer.body).need("a").text()

    assert Http(QUICK).ask("GET", url, read=read) == "b"
    assert served.asked["any"] == 2
    with pytest.raises(ServiceUnavailable) as refused:
        Http(QUICK).ask("GET", answering(served, Reply(body=b"<html>")), read=read)
    assert (refused.value.code, refused.value.wanted) == ("unavailable.service", "a usable answer")
    assert "malformed.json" in refused.value.because


def test_a_reader_may_refuse_for_good(served: Served) -> None:
    def read(_: Answer) -> None:
        raise ServiceRefused(where="clock", because="no")

    with pytest.raises(ServiceRefused) as refused:
        Http(QUICK).ask("GET", answering(served, OK), read=read)
    assert (refused.value.code, refused.value.where, served.asked["any"]) == ("signing.refused", "clock", 1)


# --- how long --------------------------------------------------------------------------------------------------------


def test_a_service_is_left_alone_as_long_as_it_asks(served: Served) -> None:
    started = time.monotonic()
    asked(Http(QUICK), answering(served, Reply(status=503, headers={"Retry-After": "1"}), OK))
    assert 1 <= time.monotonic() - started < 30
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    started = time.monotonic()
    served.asked.clear()
    asked(Http(QUICK), answering(served, Reply(status=429, headers={"retry-after": later}), OK))
    assert 0.5 <= time.monotonic() - started < 30


@pytest.mark.parametrize("told", ["3600", "Fri, 31 Dec 9999 23:59:59 GMT", "9" * 400])
def test_nobody_waits_for_an_hour(served: Served, told: str) -> None:
    started = time.monotonic()
    error = refused_of(Http(QUICK), answering(served, Reply(status=503, headers={"Retry-After": told})))
    assert (type(error), served.asked["any"]) == (ServiceUnavailable, 1)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("told", ["soon", "-1", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_what_is_no_time_to_wait_is_none(served: Served, told: str) -> None:
    assert asked(Http(QUICK), answering(served, Reply(status=503, headers={"Retry-After": told}), OK)) == b"yes"


def test_pauses_grow_and_are_bounded() -> None:
    http = Http(Patience(pause=0.25, longest_pause=2))
    for attempt, longest in ((1, 0.25), (2, 0.5), (3, 1.0), (4, 2.0), (5, 2.0), (500, 2.0)):
        pauses = [http._pause(attempt) for _ in range(50)]
        assert longest / 2 <= min(pauses) <= max(pauses) <= longest
        assert len(set(pauses)) > 1, "nobody comes back together with everybody else"


def test_a_service_that_says_nothing(served: Served) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        started = time.monotonic()
        error = refused_of(Http(replace(QUICK, attempts=2, silence=0.2)), url)
        assert (type(error), error.where) == (ServiceUnavailable, url)
        assert "Timeout" in error.because
        assert time.monotonic() - started < 30
    finally:
        listening.close()


def test_a_service_that_says_a_byte_at_a_time(served: Served) -> None:
    url = answering(served, Reply(body=b"x" * 100, dripping=0.05))
    started = time.monotonic()
    error = refused_of(Http(replace(QUICK, attempts=1, whole=0.5)), url)
    assert type(error) is ServiceUnavailable
    assert time.monotonic() - started < 4
    assert asked(Http(QUICK), answering(served, Reply(body=b"x" * 10, dripping=0.01))) == b"x" * 10


def test_nobody_there() -> None:
    error = refused_of(Http(QUICK), "http://127.0.0.1:1/x")
    assert (type(error), error.code, error.where) == (ServiceUnavailable, "unavailable.service", "http://127.0.0.1:1/x")


@pytest.mark.parametrize("url", ["http://", "http://[::1", "gopher://x/", "nonsense", ""])
@pytest.mark.parametrize("hide", [None, lambda text: text])
def test_what_is_no_address(url: str, hide: Callable[[str], str] | None) -> None:
    error = refused_of(Http(QUICK), url, hide=hide)
    assert (type(error), error.code, error.where) == (UsageError, "usage", url)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"whole": 0}, {"silence": -1}, {"connect": 0}, {"pause": -1}])
def test_a_patience_that_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        Patience(**wrong)
    assert (refused.value.code, refused.value.where) == ("usage", "Patience")


def always(fault: Fault) -> Callable[[int, str], Fault]:
    return lambda _number, _path: fault


def test_a_service_whose_head_comes_byte_by_byte(served: Served) -> None:
    served.trouble = lambda *_: OK
    with Proxy(served.url) as proxy:
        for name in ("a head that drips", "a wait without end", "a trailer without end"):
            proxy.trouble = always(FAULTS[name])
            started = time.monotonic()
            error = refused_of(Http(replace(QUICK, attempts=1, whole=0.4)), proxy.url)
            assert time.monotonic() - started < 4, name
            assert (type(error), error.because) == (ServiceUnavailable, "no whole answer within 0.4 seconds")


def test_a_service_that_does_not_listen() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        http = Http(replace(QUICK, attempts=1, whole=0.4))
        started = time.monotonic()
        with pytest.raises(ServiceUnavailable) as refused:
            http.ask("POST", url, body=lambda: bytes(64 << 20), read=lambda answer: answer.body)
        assert (refused.value.code, refused.value.where) == ("unavailable.service", url)
        assert time.monotonic() - started < 30
    finally:
        listening.close()


# --- how large -------------------------------------------------------------------------------------------------------


def test_an_answer_is_bounded(served: Served) -> None:
    http = Http(QUICK, limits=Limits(answer_bytes=100))
    assert asked(http, answering(served, Reply(body=b"x" * 100))) == b"x" * 100
    served.asked.clear()
    error = refused_of(http, answering(served, Reply(body=b"x" * 101)))
    assert (type(error), served.asked["any"]) == (ServiceUnavailable, 1)
    assert "at most 100 (answer_bytes)" in error.because


def test_a_message_is_short_and_printable(served: Served) -> None:
    error = refused_of(Http(QUICK), answering(served, Reply(status=400, body=b"\x1b[2J\xff" + b"x" * 10_000)))
    assert error.because.startswith("\\x1b[2J\ufffd")
    assert len(error.because) < 500
    assert len(str(error)) < 1000


def test_an_answer_stays_packed(served: Served) -> None:
    packed = Reply(body=b"\x1f\x8b" + b"x" * 10, headers={"Content-Encoding": "gzip"})
    assert asked(Http(QUICK), answering(served, packed)) == packed.body


# --- secrets, proxies, authorities -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln!", "no (a token)!"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWI", "(a token)"),
        ("ewogICJhbGciOiAiUlMyNTYiCn0.e30.x", "(a token)"),
        ("key every eyebrow", "key every eyebrow"),
        ("NewConnectionError: no", "NewConnectionError: no"),
        ("token%3DeyJhbGciOiJSUzI1NiJ9.e30", "token%3D(a token)"),
        ("ewoiYWxnIjogIlJTMjU2In0", "(a token)"),
        ("sha256:0123456789abcdef0123456789abcdef", "sha256:0123456789abcdef0123456789abcdef"),
    ],
)
def test_tokens_are_taken_out(text: str, shown: str) -> None:
    assert without_tokens(text) == shown


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "http://127.0.0.1.example.com/x",
        "http://localhost.x/",
        "http://example.com\\@127.0.0.1/",  # by another reader's rules, this is the loopback
        "http://example.com?@127.0.0.1/",
        "http://example.com#@127.0.0.1/",
    ],
)
def test_a_secret_is_not_sent_unencrypted(url: str) -> None:
    error = refused_of(Http(QUICK), url, hide=lambda text: text)
    assert (type(error), error.code, error.where, error.wanted) == (UsageError, "usage", url, "https")


@pytest.mark.parametrize("secret", [None, lambda text: text])
def test_credentials_in_an_address_are_refused_and_not_shown(secret: Callable[[str], str] | None) -> None:
    error = refused_of(Http(QUICK), "https://me:hunter2@example.com/x", hide=secret)
    assert (type(error), error.code, error.where) == (UsageError, "usage", "https://example.com")
    assert "hunter2" not in "".join(traceback.TracebackException.from_exception(error).format())


def test_what_stays_on_this_machine_meets_no_proxy(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.trouble = lambda *_: OK
    with Served() as other:
        for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", other.url)
        assert asked(Http(QUICK), f"{served.url}/x", hide=lambda text: text) == b"yes"
        assert not other.asked


def test_a_proxy_that_is_none_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("socks5://me:hunter2@127.0.0.1:1", "http://me:hunter2@127.0.0.1:99999", "http://me:hunter2@[::1"):
        monkeypatch.setenv("https_proxy", proxy)
        error = refused_of(Http(QUICK), "https://rekor.invalid/x")
        assert (type(error), error.code, error.where) == (UsageError, "usage", "the proxy of the environment")
        assert "hunter2" not in "".join(traceback.format_exception(error))


def saying(answer: bytes) -> Callable[[int, str], Fault]:
    return lambda _number, _path: Fault(says=lambda _: iter([answer]), reaches=False)


def test_what_comes_back_instead_of_an_answer_may_be_what_was_sent(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    token = jwt({"iss": "https://issuer.example"})
    for answer in (token, f"HTTP/1.1 200 OK\r\n{token}\r\n\r\n"):
        with Proxy(served.url) as proxy, caplog.at_level(logging.DEBUG):
            proxy.trouble = saying(answer.encode())
            http = Http(replace(QUICK, attempts=1))
            error = refused_of(http, proxy.url, hide=lambda text: text.replace(token, "-"))
        assert token.split(".")[1] not in caplog.text
        assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service")
        assert error.__cause__ is None
        assert error.__context__ is None
        assert token.split(".")[1] not in str(error)


@pytest.mark.parametrize("place", ["http://[::1", "//[", "http://x:y:z/", "\\\\evil.example"])
def test_a_place_to_go_that_is_none(served: Served, place: str) -> None:
    error = refused_of(Http(QUICK), answering(served, Reply(status=302, headers={"location": place})))
    assert (type(error), error.code, error.found) == (ServiceRefused, "signing.refused", "HTTP 302")
    assert "and is not followed" in error.because


def test_a_proxy_of_the_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    user = served.url.replace("http://", "http://me:pass@")
    monkeypatch.setenv("http_proxy", user)
    served.trouble = lambda *_: OK
    assert asked(Http(QUICK), "http://rekor.invalid/api") == b"yes"
    assert served.asked.total() == 1
    monkeypatch.setenv("no_proxy", "rekor.invalid")
    error = refused_of(Http(replace(QUICK, attempts=1)), "http://rekor.invalid/api")
    assert type(error) is ServiceUnavailable
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "http://me:pass@127.0.0.1:1")
    error = refused_of(Http(replace(QUICK, attempts=1)), "http://rekor.invalid/api")
    assert type(error) is ServiceUnavailable
    assert "pass" not in str(error) + repr(error.__cause__)


def test_a_server_whose_certificate_nobody_knows(monkeypatch: pytest.MonkeyPatch, https: str, ca_file: str) -> None:
    error = refused_of(Http(QUICK), https)
    assert (type(error), error.where) == (ServiceUnavailable, https)
    assert "CERTIFICATE_VERIFY_FAILED" in error.because
    assert "asked" not in error.do, "asking again would not help"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    assert asked(Http(QUICK), https) == b"yes"
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert asked(Http(QUICK), https) == b"yes"


@pytest.fixture
def ca_file(tmp_path: Any) -> str:
    return str(tmp_path / "server.pem")


@pytest.fixture
def https(tmp_path: Any, ca_file: str) -> Iterator[str]:
    """A server with a certificate of its own making."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "server.pem").write_bytes(pem)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "key.pem")
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    told = b""
                    while not told.endswith(b"\r\n\r\n?") and (piece := secure.recv(65536)):  # head and body
                        told += piece
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")
            except OSError:
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}/x"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(2)
