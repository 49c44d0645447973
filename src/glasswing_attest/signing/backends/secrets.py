"""How does a backend get a PIN, and how does nobody else see it?

Secrets come from the caller's handler, or from an environment variable; never from a URI or an argument of a command.
Each is asked for once for a signer, and again after the device refused it. What was handed out is cut out of every
message, and exceptions of a backend lose their frames: crash reporters print the local variables of each.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from glasswing_attest.errors import GlasswingError, PassphraseRefused

__all__ = ["SecretsHandler", "Secrets", "frameless", "quietly"]

_Got = TypeVar("_Got")
_Error = TypeVar("_Error", bound=BaseException)

SecretsHandler = Callable[[str], str]
"""Given the name of a secret, such as "pin", gives its value; "" says that there is none."""

_CUT = "[secret]"


class Secrets:
    """The secrets of one signer. Shows none of them."""

    __slots__ = ("_found", "_given", "_handler", "_lock", "_where")

    def __init__(self, handler: SecretsHandler | None, *, where: str) -> None:
        self._handler = handler
        self._where = where
        self._given: dict[str, str] = {}
        self._found = ""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Secrets(from the caller)" if self._handler else "Secrets(from the environment)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("secrets are not pickled")

    def ask(self, name: str) -> str:
        """Give a secret, or "" where there is none. Raises `PassphraseRefused` where the handler fails."""
        with self._lock:
            if name not in self._given:
                self._given[name] = self._asked(name)
            return self._given[name]

    def need(self, name: str) -> str:
        """Give a secret without which nothing goes. Raises `PassphraseRefused`."""
        secret = self.ask(name)
        if not secret:
            raise PassphraseRefused(
                where=self._where, because=f"no {name} was given", wanted=f"the {name}", do=_do(name)
            )
        return secret

    def found(self, secret: str) -> None:
        """Take note of a secret that a library found by itself, so that it is cut out as well."""
        self._found = secret

    def forget(self) -> None:
        """Ask again next time: a device that counts wrong PINs must not get the same one twice by itself."""
        with self._lock:
            self._given.clear()

    def cut_from(self, text: str, *more: str) -> str:
        """Give a text without the secrets that are known, and without `more`."""
        with self._lock:
            known = {*self._given.values(), self._found, *more}
        # Libraries show what they refuse as Python writes it: with a line end in it, for example.
        forms = {form for each in known for form in (each, each.strip(), repr(each)[1:-1])}
        for form in sorted(filter(None, forms), key=len, reverse=True):
            text = text.replace(form, _CUT)
        return text

    def _asked(self, name: str) -> str:
        if self._handler is None:
            return os.environ.get(_variable(name), "")
        try:
            answer: object = self._handler(name)
        except Exception as e:  # noqa: BLE001  # the caller's own code; what it says may hold the secret
            failure = type(e).__name__
        else:
            if isinstance(answer, str):
                return answer
            failure = f"it gave a {type(answer).__name__}"
            del answer  # a frame shows what its variables hold
        because = f"the handler for secrets failed ({failure})"
        raise PassphraseRefused(where=self._where, because=because, wanted=f"the {name}, as text")


def frameless(error: _Error) -> _Error:
    """Take the frames, and with them their local variables, from an exception and from all that led to it."""
    for each in _chain(error):
        each.__traceback__ = None
    return error


def quietly(call: Callable[[], _Got]) -> _Got:
    """Call what has secrets in its variables; an error of ours comes out without frames."""
    try:
        return call()
    except GlasswingError as e:
        failed = e
    raise frameless(failed)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]


def _variable(name: str) -> str:
    return f"GLASSWING_ATTEST_{name.upper()}"


def _do(name: str) -> str:
    command = "the command's --passphrase-env, --passphrase-file or --ask-passphrase"
    return f"pass secrets=…, which is called with {name!r}, set {_variable(name)}, or use {command}"
