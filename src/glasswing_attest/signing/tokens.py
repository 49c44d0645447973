"""Who are we, says an identity provider, and where does it say so?

An identity token is a JSON web token (RFC 7519): three parts in base64url, of which the second holds the claims. Nobody
here can check its signature, and nobody needs to: the certificate authority does. The claims are read to tell whose
token it is, when it expires, and by which name a certificate must call its holder. The token itself is a secret: no
repr, error, log or pickle shows it, and no command line takes it.

What Fulcio calls the holder follows from the issuer's kind (sigstore/fulcio, docs/oidc.md, config/identity): an email
address, the subject, or for a CI platform the address of what runs.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import Node, format_time, read_json
from glasswing_attest.errors import (
    GlasswingError,
    IdentityTokenExpired,
    IdentityTokenRefused,
    UnavailableError,
    UsageError,
    shown,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.signing.backends.secrets import quietly
from glasswing_attest.signing.services import github
from glasswing_attest.signing.services.http import Http, Patience, without_tokens

__all__ = ["AUDIENCE", "IdentityTokens", "Token"]

AUDIENCE = "sigstore"
"""For whom tokens are made: the public instance's, and what others are told to use."""

_SHORTEST_PART = 8
_CIRCLECI = "oidc.circleci.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An identity token. Nothing in it is verified, and it shows everything but itself.

    Attributes:
        issuer: who made it.
        subject: whom it calls what, in the issuer's words.
        audiences: for whom it is.
        expires: when it ends.
        names: the names by which a certificate may call its holder.
        issuers: whom a certificate may name as the issuer: a broker says on whose word it stands for somebody.
    """

    issuer: str
    subject: str
    audiences: tuple[str, ...]
    expires: datetime
    names: frozenset[str]
    issuers: frozenset[str]
    _reveal: Callable[[], str] = field(repr=False, compare=False)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an identity token is a secret and is not pickled")

    @classmethod
    def parse(cls, text: str, *, where: str = "identity token", limits: Limits = DEFAULT) -> Token:
        """Read a token's claims. Raises `IdentityTokenRefused`, which does not show it."""
        if not isinstance(text, str):
            raise UsageError(where=where, found=type(text).__name__, wanted="the token's text")
        text = text.strip()
        try:
            claims = _claims(text, where, limits)
            return cls(
                issuer=claims.need("iss").text(),
                subject=claims.get_text("sub"),
                audiences=_audiences(claims),
                expires=_time(claims.need("exp")),
                names=frozenset(_names(claims)),
                issuers=frozenset(_issuers(claims)),
                _reveal=lambda: text,
            )
        except (GlasswingError, ValueError) as e:
            because = e.says if isinstance(e, GlasswingError) else "its claims cannot be read"
            place = e.where if isinstance(e, GlasswingError) else where
        text = ""  # the frame of an error is looked into
        # Not from its cause: that holds a part of the token.
        raise IdentityTokenRefused(where=place or where, because=because, wanted="a JSON web token, with iss and exp")

    def may_be_called(self, name: str) -> bool:
        """Tell whether a certificate for this token may call its holder so."""
        domain = name.removeprefix(f"{self.subject}!")
        # A user of a domain (fulcio, docs/oidc.md, "username"), which the authority and not the token names.
        is_user = bool(self.subject) and domain not in (name, "") and "!" not in domain
        return name in self.names or is_user

    def reveal(self) -> str:
        """Give the token itself, to whom it is for."""
        return self._reveal()

    def hide(self, text: str) -> str:
        """Take the token, and every part of it, out of a text."""
        token = self._reveal()
        for part in (token, *token.split(".")):
            if len(part) >= _SHORTEST_PART:
                text = text.replace(part, "(the token)")
        return text

    def require_fresh(self, now: datetime) -> None:
        """Raise `IdentityTokenExpired` from `expires` on."""
        if now >= self.expires:
            raise IdentityTokenExpired(
                where=f"identity token of {shown(self.issuer)}",
                found=format_time(self.expires),
                wanted=f"a time after {format_time(now)}",
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IdentityTokens:
    """Where identity tokens come from. It can be asked again, and whoever signs does when a token has expired.

    >>> IdentityTokens.from_environment("SIGSTORE_ID_TOKEN")
    IdentityTokens(the environment variable SIGSTORE_ID_TOKEN)
    """

    source: str
    _ask: Callable[[], str] = field(compare=False)

    def __repr__(self) -> str:
        return f"IdentityTokens({self.source})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a source of identity tokens may hold a secret and is not pickled")

    def get(self) -> Token:
        """Ask for a token.

        Raises:
            IdentityTokenRefused: there is none, or what is there is none.
            SigningError: its source refuses.
            UnavailableError: its source does not answer.
        """
        return quietly(lambda: Token.parse(self._asked(), where=self.source))

    def _asked(self) -> str:
        try:
            return self._ask()
        except GlasswingError:
            raise
        except Exception as e:  # noqa: BLE001  # the caller's own code, or a platform's
            because = without_tokens(f"{type(e).__name__}: {e}")
        # Not from its cause, in whose frames the token may be.
        raise IdentityTokenRefused(where=self.source, because=because)

    @classmethod
    def of(cls, text: str) -> IdentityTokens:
        """A token that is at hand. There is no second one where it comes from."""
        Token.parse(text)
        return cls(source="a token at hand", _ask=lambda: text)

    @classmethod
    def of_callable(cls, ask: Callable[[], str], *, source: str = "a function") -> IdentityTokens:
        """Whatever a function of yours gives, which is called for every new certificate."""
        return cls(source=source, _ask=ask)

    @classmethod
    def from_file(cls, path: str | Path) -> IdentityTokens:
        """A file that somebody keeps fresh, such as a projected token of Kubernetes."""
        target = Path(path)
        return cls(source=f"the file {without_tokens(str(target))}", _ask=lambda: _read(target))

    @classmethod
    def from_environment(cls, name: str) -> IdentityTokens:
        """An environment variable, such as the one that GitLab's ``id_tokens`` fills."""

        def ask() -> str:
            _require_name(name, "an environment variable that holds it")
            if not os.environ.get(name, "").strip():
                raise IdentityTokenRefused(where=name, found="nothing", wanted="a token in this environment variable")
            return os.environ[name]

        return cls(source=f"the environment variable {without_tokens(name)}", _ask=ask)

    @classmethod
    def spiffe(cls, path: str | Path) -> IdentityTokens:
        """A JWT-SVID, as SPIFFE's helper writes it into a file and renews it. Its subject must be a SPIFFE ID."""
        target = Path(path)

        def ask() -> str:
            text = _read(target)
            subject = Token.parse(text, where=str(target)).subject
            if not subject.startswith("spiffe://"):
                raise IdentityTokenRefused(where=str(target), found=subject, wanted="a JWT-SVID: a subject spiffe://…")
            return text

        return cls(source=f"the JWT-SVID {without_tokens(str(target))}", _ask=ask)

    @classmethod
    def ambient(cls, *, audience: str = AUDIENCE, patience: Patience | None = None) -> IdentityTokens:
        """What the platform gives on which this runs: GitHub Actions, GitLab, CircleCI, Buildkite or Google Cloud.

        Args:
            audience: for whom the token is to be.
            patience: how long GitHub is waited for; other platforms' ways have bounds of their own.
        """
        http = Http(patience)
        return cls(source=f"the platform, for {shown(audience)}", _ask=lambda: _ambient(audience, http))

    @classmethod
    def interactive(cls, issuer: str, *, client_id: str = AUDIENCE, client_secret: str = "") -> IdentityTokens:
        """Somebody who logs in with a browser. For command lines alone: it prints, and waits for a person.

        The provider must be one that hands out identity tokens at once, as Sigstore's own does.
        """
        return cls(
            source=f"somebody who logs in at {shown(issuer)}", _ask=lambda: _login(issuer, client_id, client_secret)
        )


def _require_name(name: str, wanted: str) -> None:
    """Refuse the token itself in the place of its name: no message repeats it."""
    if without_tokens(name) != name:
        raise UsageError(where="identity token", found="a token", wanted=f"the name of {wanted}")


def _read(path: Path) -> str:
    _require_name(str(path), "a file that holds it")
    data = read_bounded(path, "token_bytes", DEFAULT, error=IdentityTokenRefused)
    try:
        return data.decode("ascii").strip()
    except UnicodeDecodeError:
        pass
    raise IdentityTokenRefused(where=str(path), found="other bytes", wanted="a JSON web token")


def _ambient(audience: str, http: Http) -> str:
    if github.is_here():
        return github.ask_for_token(http, audience)
    from sigstore.oidc import IdentityError, detect_credential
    from urllib3.exceptions import HTTPError

    try:
        found = detect_credential(audience)
    except (IdentityError, HTTPError, OSError, ValueError, KeyError) as e:
        unreachable = isinstance(e, HTTPError | OSError)
        because = without_tokens(f"{type(e).__name__}: {e}")
    else:
        if found is not None:
            return found
        raise IdentityTokenRefused(
            where="the platform",
            found="no identity token",
            wanted="GitHub Actions, GitLab, CircleCI, Buildkite or Google Cloud, with leave to ask for one",
            do="on GitHub, `permissions: id-token: write`; on GitLab, `id_tokens: SIGSTORE_ID_TOKEN`; or name a token",
        )
    # Not from its cause: a platform's answer is in it, which may be a token.
    if unreachable:
        raise UnavailableError(where="the platform", because=because)
    raise IdentityTokenRefused(where="the platform", because=because)


def _login(issuer: str, client_id: str, client_secret: str) -> str:
    from requests import RequestException
    from sigstore.oidc import IdentityError, Issuer, IssuerError

    try:
        return str(Issuer(issuer).identity_token(client_id, client_secret))
    except (IdentityError, IssuerError, RequestException, OSError, ValueError) as e:
        because = without_tokens(f"{type(e).__name__}: {e}")
    raise IdentityTokenRefused(where=issuer, because=because)


# --- claims ----------------------------------------------------------------------------------------------------------


def _claims(text: str, where: str, limits: Limits) -> Node:
    limits.check("token_bytes", len(text), where=where)
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise ValueError("three parts are wanted")
    try:
        # The header and the signature too: a word before the token is told here, and sent nowhere.
        _, payload, _ = (base64.b64decode(p + "=" * (-len(p) % 4), altchars=b"-_", validate=True) for p in parts)
    except (binascii.Error, ValueError):
        raise ValueError("base64url is wanted") from None
    return read_json(payload, where=where, limits=limits)


def _time(node: Node) -> datetime:
    """Read a NumericDate: seconds, which may have decimals."""
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
        node.refuse("seconds since 1970")
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(value))
    except (OverflowError, ValueError):
        node.refuse("a time")


def _audiences(claims: Node) -> tuple[str, ...]:
    node = claims.get("aud")
    if node is None:
        return ()
    return tuple(each.text() for each in node.array()) if isinstance(node.value, list) else (node.text(),)


def _issuers(claims: Node) -> list[str]:
    """The issuer, and the connector on whose word a broker (dex) stands for somebody."""
    federated = claims.get("federated_claims")
    connector = "" if federated is None else federated.get_text("connector_id")
    return [each for each in (claims.need("iss").text(), connector) if each]


def _names(claims: Node) -> list[str]:
    """What Fulcio may call the holder of such a token, by each kind of issuer that it knows."""

    def said(*names: str) -> list[str]:
        found = [claims.get(name) for name in names]
        return [each.value for each in found if each is not None and isinstance(each.value, str) and each.value]

    names: list[str] = []
    if subject := said("sub"):
        names += subject  # a URI, a SPIFFE ID
    if email := said("email"):
        names += email
    if workflow := said("job_workflow_ref"):
        names += [f"https://github.com/{workflow[0]}"]
    if pipeline := said("ci_config_ref_uri"):
        names += [f"https://{pipeline[0]}"]
    if len(job := said("organization_slug", "pipeline_slug")) == 2:
        names += [f"https://buildkite.com/{job[0]}/{job[1]}"]
    if len(job := said(f"{_CIRCLECI}/project-id", f"{_CIRCLECI}/pipeline-definition-id")) == 2:
        names += [f"https://circleci.com/api/v2/projects/{job[0]}/pipeline-definitions/{job[1]}"]
    if len(job := said("account_name", "pipeline_name", "account_id", "pipeline_id")) == 4:
        platform = said("platform_url") or ["https://g.codefresh.io"]
        names += [f"{platform[0]}/{job[0]}/{job[1]}:{job[2]}/{job[3]}"]
    kubernetes = claims.get("kubernetes.io")
    if kubernetes is not None and isinstance(kubernetes.value, dict):
        account = kubernetes.get("serviceaccount")
        namespace, name = kubernetes.get_text("namespace"), "" if account is None else account.get_text("name")
        names += [f"https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}"]
    return names
