"""Which key is meant? The URI that names a private key, of which nothing is secret.

    scheme ":" ["//"] path ["?" option "=" value *("&" option "=" value)]        (RFC 3986, section 3)

The two slashes are what other tools write; what they mean to each is for the backend to say. Options are
percent-encoded as in a form: `+` is a space.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from glasswing_attest.errors import UsageError

__all__ = ["KeyUri"]

_SECRETS = frozenset({"auth", "passphrase", "password", "pin", "pin-value", "secret", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUri:
    """A private key's URI, taken apart. `text` is the whole."""

    text: str
    scheme: str
    path: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> KeyUri:
        """Take a URI apart. Raises `UsageError`, which never shows it: somebody may have written a secret into it."""
        if not isinstance(text, str):
            raise UsageError(where="uri", found=type(text).__name__, wanted="the URI of a private key, as text")
        scheme, colon, rest = text.partition(":")
        if not colon or not text.isprintable():
            raise UsageError(
                where="uri", because="it is not of the form scheme:path", wanted="the URI of a private key"
            )
        if rest.startswith("//") and "@" in rest[2:].partition("/")[0]:
            raise UsageError(
                where="uri", because="there is a user before the host", do="hand credentials over otherwise"
            )
        # A path in a file system, or an ARN, may have any character but the one that begins the options.
        path, _, query = rest.partition("?")
        try:
            options = tuple(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict"))
        except ValueError as e:
            raise UsageError(where="uri", because="its options are not of the form name=value") from e
        if len({name for name, _ in options}) < len(options):
            raise UsageError(where="uri", because="it names an option twice")
        return cls(text=text, scheme=scheme, path=path, options=options)

    @property
    def bare(self) -> str:
        """The path without the slashes that other tools write in front of it."""
        return self.path[2:].removeprefix("/") if self.path.startswith("//") else self.path

    def option(self, name: str) -> str | None:
        """Give an option's value, or None."""
        return dict(self.options).get(name)

    def allows(self, *names: str, form: str, fits: bool = True) -> None:
        """Refuse what is not of this `form`: options other than these, or what the caller saw does not fit."""
        strange = [name for name, _ in self.options if name not in names]
        if strange:
            do = "hand secrets over otherwise" if strange[0].lower() in _SECRETS else ""
            raise UsageError(where="uri", found=f"the option {strange[0]}", wanted=form, do=do)
        if not fits:
            raise UsageError(where="uri", found=f"another form of {self.scheme}:", wanted=form)
