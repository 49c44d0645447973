"""Who is this job, says GitHub?

A workflow's job that may ask (``permissions: id-token: write``) has two variables in its environment: where, and a
secret by which it is known (GitHub Docs, "OpenID Connect reference"). ::

    GET ACTIONS_ID_TOKEN_REQUEST_URL &audience=…    Authorization: Bearer ACTIONS_ID_TOKEN_REQUEST_TOKEN
    -> {"value": TOKEN, …}
"""

from __future__ import annotations

import os
from urllib.parse import urlencode

from glasswing_attest._wire import read_json
from glasswing_attest.errors import IdentityTokenRefused, SigningError
from glasswing_attest.signing.services.http import Answer, Http

__all__ = ["ask_for_token", "is_here"]

_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_SECRET = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # the name of a variable
_DO = "give the job `permissions: id-token: write`"
_REFUSALS: dict[int, type[SigningError]] = dict.fromkeys((400, 401, 403, 404), IdentityTokenRefused)


def is_here() -> bool:
    """Tell whether this is a job of GitHub Actions."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


def ask_for_token(http: Http, audience: str) -> str:
    """Give an identity token for this audience.

    Raises:
        IdentityTokenRefused: the job may not ask, or is told no.
        ServiceRefused, ServiceUnavailable: as `Http.ask` does.
        UsageError: the address is none that a secret may go to.
    """
    for name in (_URL, _SECRET):
        told = os.environ.get(name, "")
        if not told:
            raise IdentityTokenRefused(where=name, found="nothing", wanted="this environment variable", do=_DO)
        if not (told.isascii() and told.isprintable()):
            raise IdentityTokenRefused(where=name, found="characters that no header may have", wanted="one line")
    url = os.environ[_URL]

    def read(answer: Answer) -> str:
        return read_json(answer.body, where="identity token", limits=http.limits).need("value").text()

    return http.ask(
        "GET",
        f"{url}{'&' if '?' in url else '?'}{urlencode({'audience': audience})}",
        headers={"Accept": "application/json"},
        bearer=lambda: os.environ[_SECRET],
        refusals=_REFUSALS,
        hide=lambda text: text.replace(os.environ[_SECRET], "(the secret)"),
        read=read,
    )
