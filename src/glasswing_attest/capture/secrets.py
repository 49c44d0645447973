"""COULD THIS BE A SECRET? What goes into provenance is public for ever, so what looks like a secret is refused.

A value is refused by its form, whatever it is called: a token with the prefix of its issuer, a private key in PEM, a
JWT (RFC 7519), a URL with a password in it (RFC 3986, section 3.2.1). And it is refused by its name: anything called a
password, and anything called a key or token that looks random. The message names the place and never the value.

This is a net, not a proof. What keeps secrets out is that nothing is recorded unless somebody names it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from glasswing_attest.errors import SecretRefused

__all__ = ["NO_SECRETS_ALLOWED", "refuse_secrets", "refuse_secrets_in_command"]

NO_SECRETS_ALLOWED: Collection[str] = frozenset()

# What issuers put in front of their tokens, so that scanners find them.
_TOKENS = (
    ("a GitHub token", r"gh[opusr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"),
    ("a GitLab token", r"gl(?:pat|dt|rt|rtr|ptt|ft|soat|cbt|agent|oas|imt)-[A-Za-z0-9_.=-]{15,}"),
    ("a CircleCI token", r"CCI(?:PAT|PRJ)_[A-Za-z0-9_]{15,}"),
    ("a Buildkite token", r"bk[aucpt]{2}_[A-Za-z0-9]{20,}"),
    ("a Hugging Face token", r"(?:hf|api_org)_[A-Za-z0-9]{20,}"),
    ("an AWS access key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
    ("a Google key", r"AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("an npm token", r"npm_[A-Za-z0-9]{30,}"),
    ("a PyPI token", r"pypi-[A-Za-z0-9_-]{50,}"),
    ("a Docker Hub token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    ("an API key", r"(?:sk|rk)[-_](?:[A-Za-z0-9]{1,12}[-_]){0,3}[A-Za-z0-9]{20,}"),
    ("a Weights & Biases key", r"wandb_v1_[A-Za-z0-9_]{20,}"),
    ("a Vault token", r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    ("an age key", r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
    ("a JSON Web Token", r"eyJ[A-Za-z0-9_-]{5,4096}\.[A-Za-z0-9_-]{5,8192}\."),
)
_FORMS = (
    *((what, re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})")) for what, pattern in _TOKENS),
    ("a private key", re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")),
    ("credentials of an HTTP request", re.compile(r"(?i)\b(?:bearer|basic) +[A-Za-z0-9+/._~=-]{16,}")),
    # A bare user name is no secret for ssh; for http it is a token more often than not.
    ("a URL with a password", re.compile(r"[A-Za-z0-9+.-]://[^/?#\s@:]{0,256}:[^/?#\s@]{1,1024}@")),
    ("a URL with a user", re.compile(r"(?i)https?://[^/?#\s@]{1,1024}@")),
    ("a signed URL", re.compile(r"(?i)[?&](?:x-amz-signature|x-goog-signature|sig|access_token|token)=[^&\s]{8,}")),
)

# Words that only sound like it: a tokenizer, the eos_token of a vocabulary, a keyword.
_HARMLESS = re.compile(
    r"tokeni[sz]|keyword|monkey|keyboard|keypoint|keyframe|(?:bos|eos|pad|unk|sep|cls|mask|stop|special|image)_?token"
)
_SAYS_SECRET = re.compile(r"passw|passphrase|secret|credential|private_?key|api_?key|access_?key")
_MAY_SAY_SECRET = re.compile(r"token|key|auth|signature|cookie")
# What leads to a secret, or counts one, is none.
_ABOUT_ONE = re.compile(r"_(?:file|path|dir|env|name|id|ids|size|length|type|count|limit)$")
# What stands where a secret was taken out.
_PLACEHOLDER = re.compile(
    r"<[^<>]*>|\*+|\[[A-Za-z ]*\]|\$\{[^{}]*\}|\$[A-Za-z_]+|x{3,}|none|null|true|false", re.IGNORECASE
)


def refuse_secrets(value: object, where: str, allowed: Collection[str] = NO_SECRETS_ALLOWED) -> None:
    """Look through a JSON value, names and all. `allowed` holds the paths whose values the caller answers for.

    >>> refuse_secrets({"epochs": 3, "eos_token": "</s>"}, "parameters")
    >>> refuse_secrets({"hub": {"token": "hf_" + "a1B2" * 9}}, "parameters")
    Traceback (most recent call last):
        ...
    glasswing_attest.errors.SecretRefused: parameters.hub.token: this looks like a secret, ...

    Raises:
        SecretRefused: with the path, and what it looks like; never the value.
    """
    _look(value, where, where.rpartition(".")[2], allowed)


def refuse_secrets_in_command(
    command: Sequence[str], where: str = "command", allowed: Collection[str] = NO_SECRETS_ALLOWED
) -> None:
    """Look through a command line. An option gives its value a name: ``--api-key V``, ``--api-key=V``, ``API_KEY=V``.

    Raises:
        SecretRefused: with the position of the word.
    """
    option = ""
    for i, word in enumerate(command):
        name, equals, value = word.partition("=")
        path = f"{where}[{i}]"
        if equals and re.fullmatch(r"-{0,2}[A-Za-z][A-Za-z0-9_.-]*", name):
            _look(value, path, name, allowed)
        elif option and not word.startswith("-"):
            _look(word, path, option, allowed)
        _look(word, path, "", allowed)
        option = word if word.startswith("-") and not equals else ""


def _look(value: object, where: str, name: str, allowed: Collection[str]) -> None:
    if where in allowed:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                # A name that is a secret itself must not be told as the place of one.
                _look(key, f"{where} (a name)", "", allowed)
                _look(inner, f"{where}.{key}", key, allowed)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            _look(inner, f"{where}[{i}]", name, allowed)
    elif isinstance(value, str):
        looks_like = _by_form(value) or _by_name(value, name)
        if looks_like:
            raise SecretRefused(where=where, found=looks_like)


def _by_form(text: str) -> str:
    return next((what for what, pattern in _FORMS if pattern.search(text)), "")


def _by_name(text: str, name: str) -> str:
    called = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    called = _HARMLESS.sub("", called)
    if _ABOUT_ONE.search(called) or not text.strip() or _PLACEHOLDER.fullmatch(text.strip()):
        return ""
    if _SAYS_SECRET.search(called):
        return "a value under a name that says secret"
    if _MAY_SAY_SECRET.search(called) and _is_random(text):
        return "a random value under a name that may say secret"
    return ""


def _is_random(text: str) -> bool:
    """Whether it looks drawn at random: long, in one word, of letters and digits, with little repetition."""
    if len(text) < 16 or any(c.isspace() for c in text):
        return False
    if not (any(c.isdigit() for c in text) and any(c.isalpha() for c in text)):
        return False
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return bits >= 3.0
