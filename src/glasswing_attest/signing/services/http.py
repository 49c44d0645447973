"""How is a service asked, so that a failure of it stays a failure of it?

HTTP (RFC 9110) over urllib3. Every answer is bounded in size, every question in time, and both in how often they are
tried again: what may be over in a moment (no connection, a half answer, 408, 429, 499, 5xx, an answer that cannot be
read) is asked again after a growing pause, or after what ``Retry-After`` says; what will not change (any other 4xx) is
not. Each question of signing is idempotent by its content, so asking twice does no harm. Redirects are not followed.
Proxies and authorities are those of the environment: ``HTTPS_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``,
``REQUESTS_CA_BUNDLE``.

A secret goes to one host, encrypted or not beyond this machine. What holds one is given as functions, which are called
when it is sent: it stands in no variable of a traceback.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from glasswing_attest._version import __version__
from glasswing_attest._wire import read_json
from glasswing_attest.errors import (
    GlasswingError,
    LimitError,
    MalformedError,
    ServiceRefused,
    ServiceUnavailable,
    SigningError,
    UsageError,
    shown,
)
from glasswing_attest.limits import DEFAULT, Limits

if TYPE_CHECKING:
    import urllib3

__all__ = ["Answer", "Http", "Patience", "without_tokens"]

_T = TypeVar("_T")

# 499 says that a client hung up. Who reads it is not the one who did, but waited for the same checkpoint.
_AGAIN = frozenset({408, 425, 429, 499})
_NEVER = frozenset({501, 505})
_PIECE = 1 << 16
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# A JSON object in base64url, as all tokens begin, cut off anywhere: a brace, then a quotation mark or white space.
_TOKEN = re.compile(r"e(?:y[A-DI-L]|w[k-r0-3])[A-Za-z0-9_-]{13,}(?:\.[A-Za-z0-9_-]*){0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a service is waited for, in seconds, and how often it is asked.

    `whole` bounds one question with all of its attempts and pauses. A transparency log answers after its next
    checkpoint, which may take a while: `silence` is for how long an answer may stand still.
    """

    attempts: int = 5
    connect: float = 10.0
    silence: float = 30.0
    whole: float = 60.0
    pause: float = 0.25
    longest_pause: float = 8.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.connect, self.silence, self.whole) <= 0 or self.pause < 0:
            raise UsageError(where="Patience", found=repr(self), wanted="at least one attempt, and times above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service answered. Nothing in it is verified, and it may hold what was sent: only its status is shown.

    The names of `headers` are in lower case.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Http:
    """Asks services. Threads share it."""

    def __init__(self, patience: Patience | None = None, *, limits: Limits = DEFAULT) -> None:
        self.patience = patience or Patience()
        self.limits = limits
        self._lock = threading.Lock()
        self._pools: dict[str, urllib3.PoolManager] = {}

    def __repr__(self) -> str:
        return f"Http({self.patience!r})"

    def ask(
        self,
        method: str,
        url: str,
        *,
        read: Callable[[Answer], _T],
        body: Callable[[], bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: Callable[[], str] | None = None,
        also: Collection[int] = (),
        refusals: Mapping[int, type[SigningError]] | None = None,
        hide: Callable[[str], str] | None = None,
    ) -> _T:
        """Ask until there is an answer that `read` can read, and give what it read.

        Args:
            method: GET or POST.
            url: of http or https.
            read: reads an answer of 2xx; its `MalformedError` or `LimitError` counts as a failure of the service.
            body: gives what is sent.
            headers: further headers.
            bearer: gives a secret by which the service knows who asks.
            also: further statuses that `read` takes.
            refusals: what to raise for a status, where that is not `ServiceRefused`.
            hide: takes secrets out of the service's message. With it the question itself holds secrets, which never
                leave this machine unencrypted.

        Raises:
            ServiceUnavailable: no usable answer, however often it was asked.
            ServiceRefused: the service says no, in its own words.
            UsageError: the URL is none, or a secret would leave this machine unencrypted.
        """
        _require_address(url, secret=hide is not None)
        end = time.monotonic() + self.patience.whole
        attempt = 0
        while True:
            attempt += 1
            asked_to_wait = 0.0
            try:
                answer = self._once(method, url, body, headers or {}, bearer, end)
            except _failures() as e:
                late = f"no whole answer within {self.patience.whole:g} seconds" if time.monotonic() >= end else ""
                failure = ServiceUnavailable(where=url, because=late or _clean(f"{type(e).__name__}: {e}", hide))
                # What came instead of an answer may be what was sent.
                failure.__cause__ = None if hide else _bare(e)
                if _is_final(e):
                    break
            else:
                if 200 <= answer.status < 300 or answer.status in also:
                    try:
                        return read(answer)
                    except (MalformedError, LimitError) as e:
                        failure = ServiceUnavailable(where=url, because=_clean(str(e), hide), wanted="a usable answer")
                        failure.__cause__ = None if hide else e
                else:
                    told = {"where": url, "found": f"HTTP {answer.status}", "because": _clean(_message(answer), hide)}
                    if answer.status < 500 and answer.status not in _AGAIN:
                        raise (refusals or {}).get(answer.status, ServiceRefused)(**told)
                    failure = ServiceUnavailable(**told)
                    if answer.status in _NEVER:
                        break
                    asked_to_wait = _retry_after(answer)
            pause = max(self._pause(attempt), asked_to_wait)
            if attempt >= self.patience.attempts or time.monotonic() + pause >= end:
                break
            time.sleep(pause)
        if attempt > 1:
            failure.do = f"{failure.advice} (asked {attempt} times)"
        raise failure

    def _pause(self, attempt: int) -> float:
        """How long to wait after so many attempts: twice as long each time, and not as long as everybody else."""
        longest: float = min(self.patience.pause * 2.0 ** (attempt - 1), self.patience.longest_pause)
        return longest * (0.5 + secrets.randbelow(1000) / 2000)

    def _once(
        self,
        method: str,
        url: str,
        body: Callable[[], bytes] | None,
        headers: Mapping[str, str],
        bearer: Callable[[], str] | None,
        end: float,
    ) -> Answer:
        from urllib3 import Timeout

        from glasswing_attest.signing.services.deadline import until

        left = max(end - time.monotonic(), 0.001)
        # A proxy or server that packs its answer would have us unpack more than was bounded.
        told = {"User-Agent": f"glasswing-attest/{__version__}", "Accept-Encoding": "identity", **headers}
        with until(end):
            response = self._pool(url).request(
                method,
                url,
                body=None if body is None else body(),
                headers=told if bearer is None else {**told, "Authorization": f"Bearer {bearer()}"},
                timeout=Timeout(connect=min(self.patience.connect, left), read=min(self.patience.silence, left)),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            try:
                pieces: list[bytes] = []
                size = 0
                while piece := response.read1(_PIECE, decode_content=False):
                    size += len(piece)
                    self.limits.check("answer_bytes", size, where=url)
                    pieces.append(piece)
            except BaseException:
                response.close()  # a connection with half an answer in it is not used again
                raise
        response.release_conn()
        said = {name.lower(): response.headers[name] for name in response.headers}
        return Answer(status=response.status, headers=said, body=b"".join(pieces))

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Give the connections to go by: directly, or through the proxy that the environment names for this URL."""
        proxy = _proxy_for(url)
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = _connections(proxy)
            return self._pools[proxy]


def _require_address(url: str, *, secret: bool) -> None:
    """Refuse a URL that is none, or that a secret must not go to. It is read as the connection reads it."""
    from urllib3.exceptions import LocationValueError
    from urllib3.util import parse_url

    try:
        told = parse_url(url)
    except LocationValueError as e:
        raise UsageError(where=url, found="no address", wanted="a URL of https or http") from e
    if told.auth is not None:
        found = "a user before the host"
        raise UsageError(where=f"{told.scheme}://{told.host}", found=found, wanted="a URL without credentials")
    if told.scheme not in ("http", "https") or not told.host or not url.isprintable():
        raise UsageError(where=url, found="no address", wanted="a URL of https or http")
    if secret and told.scheme != "https" and told.host not in _LOOPBACK:
        raise UsageError(where=url, because="an identity token is never sent unencrypted", wanted="https")


def _proxy_for(url: str) -> str:
    """Give the proxy for a URL, or ""."""
    from urllib3.util import parse_url

    told = parse_url(url)
    if told.host in _LOOPBACK:  # no proxy's business, and what goes there may be unencrypted
        return ""
    proxies = getproxies()
    proxy = proxies.get(str(told.scheme)) or proxies.get("all") or ""
    return "" if proxy_bypass(str(told.host).strip("[]")) else proxy


def _connections(proxy: str) -> urllib3.PoolManager:
    from urllib3 import PoolManager, ProxyManager
    from urllib3.exceptions import HTTPError
    from urllib3.util import make_headers, parse_url

    from glasswing_attest.signing.services.deadline import keep_deadlines

    options: dict[str, Any] = {"maxsize": 32, "ca_certs": os.environ.get("REQUESTS_CA_BUNDLE") or None}
    if not proxy:
        return keep_deadlines(PoolManager(**options))
    try:
        auth = parse_url(proxy).auth
        known = make_headers(proxy_basic_auth=auth) if auth else None
        return keep_deadlines(ProxyManager(proxy, proxy_headers=known, **options))
    except (HTTPError, ValueError):  # in whose words may be the password
        pass
    raise UsageError(where="the proxy of the environment", found="no address", wanted="http://HOST:PORT")


def _failures() -> tuple[type[BaseException], ...]:
    from urllib3.exceptions import HTTPError

    # The standard library's own, where a header or URL cannot be sent, and our own bound.
    return HTTPError, OSError, ValueError, LimitError


def _is_final(error: BaseException) -> bool:
    """Tell what a second try would not change: a certificate that is not trusted, no URL at all, our own bound."""
    from urllib3.exceptions import LocationValueError, SSLError

    return isinstance(error, SSLError | LocationValueError | LimitError)


def _bare(error: BaseException) -> BaseException:
    """Give an error without the frames it went through, whose variables hold the request."""
    inner: BaseException | None = error
    seen: set[int] = set()
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        inner.__traceback__ = None
        inner = inner.__cause__ or inner.__context__
    return error


def _message(answer: Answer) -> str:
    """Give what the service says itself: the ``message`` of its JSON, or its text."""
    if answer.headers.get("location") and 300 <= answer.status < 400:
        return f"it points to {_host(answer.headers['location']) or 'elsewhere'}, and is not followed"
    try:
        told = read_json(answer.body).get("message")
        text = "" if told is None else told.text()
    except GlasswingError:
        text = ""
    return text or answer.body[:4096].decode("utf-8", "replace").strip()


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _clean(text: str, hide: Callable[[str], str] | None) -> str:
    """Take out what looks like a token before the text is cut: half of one is a secret as well."""
    return shown(without_tokens(hide(text) if hide else text), 400)


def without_tokens(text: str) -> str:
    """Take out whatever looks like a JSON web token.

    >>> without_tokens("bad token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln here")
    'bad token (a token) here'
    """
    return _TOKEN.sub("(a token)", text)


def _retry_after(answer: Answer) -> float:
    """For how many seconds the service asks to be left alone (RFC 9110, section 10.2.3)."""
    told = answer.headers.get("retry-after", "")
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        return max(parsedate_to_datetime(told).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0
