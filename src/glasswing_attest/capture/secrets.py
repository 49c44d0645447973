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
    ("credentials of an HTTP request", re.compile(r"(?i)\bbearer +[A-Za-z0-9+/._~=-]{16,}")),
    # Base64 mixes its cases, and no other word behind "basic" does.
    (
        "credentials of an HTTP request",
        re.compile(r"(?i:\bbasic) +(?=[A-Za-z0-9+/]*(?:[a-z0-9][A-Z]|=))[A-Za-z0-9+/]{8,}={0,2}(?![A-Za-z0-9._-])"),
    ),
    # A password may hold a slash that nobody escaped; what follows a host and its port is none.
    (
        "a URL with a password",
        re.compile(r"[A-Za-z0-9+.-]://[^][/?#\s@:\"'<>]{0,256}:(?![0-9]{1,5}(?:[/?#]|$))[^\s@\"'<>]{1,1024}+@"),
    ),
    # A bare user name is no secret for ssh; for http it is a token more often than not.
    ("a URL with a user", re.compile(r"(?i)https?://[^/?#\s@]{1,1024}@")),
    ("a signed URL", re.compile(r"(?i)[?&](?:x-amz-signature|x-goog-signature|sig|access_token|token)=[^&\s]{8,}")),
)

# Words that only sound like it: a tokenizer, the eos_token of a vocabulary, a keyword, an author.
_HARMLESS = re.compile(
    r"tokeni[sz]|keyword|monkey|keyboard|keypoint|keyframe|author(?!i[sz])|"
    r"(?<![a-z])(?:bos|eos|pad|unk|sep|cls|mask|stop|special|image)_?token"
)
_SAYS_SECRET = re.compile(
    r"passw|passphrase|passcode|secret(?!_ids?$)|credential|(?:private|api|access|account)_?key|_pwd$|"
    r"^pass$|(?:db|sql|user|smtp|mail|redis|proxy|auth|login|root|admin)_?pass$"
)
_MAY_SAY_SECRET = re.compile(r"token|key|auth|signature|cookie|secret")
# A number is refused only under a name that is one: there are settings about secrets, such as how many.
_IS_SECRET = re.compile(r"(?:passw(?:or)?d|passphrase|passcode|secret|key|_pwd)$")
# What leads to a secret, or counts one, is none.
_ABOUT_ONE = re.compile(r"_(?:file|path|dir|env|name|(?<!secret_)ids?|size|length|type|count|limit)$")
# What stands where a secret was taken out.
_PLACEHOLDER = re.compile(
    r"<[^<>]*>|\*+|\[[A-Za-z ]*\]|\$\{[^{}]*\}|\$[A-Za-z_]+|x{3,}|none|null|true|false", re.IGNORECASE
)
# Where a text gives a value its name: NAME=VALUE, "name": "value", and with a bare colon Name: value.
_SAID = re.compile(
    r"(?<![\w.-])([A-Za-z_][\w.-]{0,63}+)([\"']?\s{0,4}(?:=(?!=)|:)\s{0,4}[\"']?)"
    r"(?=([^\s\"'&;,<>]{1,128}(?: [^\s\"'&;,<>]{1,128})?))"  # a value may hold names and values itself
)
# A program that reads a secret from somewhere does not say it.
_CODE = re.compile(r"[$(\[{]|[\w.]+[(\[]|(?:args|cfg|config|env|os|self|settings)\.")
_RUN = re.compile(r"[A-Za-z0-9]{12,}")
_TURN = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_HEX = re.compile(r"(?i)[0-9a-f]+")
_UUID = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")


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
        if equals and re.fullmatch(r"[-+~/]{0,2}[A-Za-z_][A-Za-z0-9_.-]*", name):
            _look(value, path, name, allowed)
        elif option and not word.startswith("-"):
            _look(word, path, option, allowed)
        _look(word, path, "", allowed)
        option = word if word.startswith("-") and not equals and not _NEGATED.match(word) else ""


# Options that take no value, or whose value is no secret.
_NEGATED = re.compile(r"-{1,2}(?:no|skip|without|disable)[-_]")


def _look(value: object, where: str, name: str, allowed: Collection[str]) -> None:
    if where in allowed:
        return
    if isinstance(value, Mapping):
        said = value.get("name", value.get("key"))
        for key, inner in value.items():
            if isinstance(key, str):
                # A name that is a secret itself must not be told as the place of one.
                _look(key, f"{where} (a name)", "", allowed)
                _look(inner, f"{where}.{key}", _within(name, key), allowed)
                if key == "value" and isinstance(said, str):
                    # {"name": "API_KEY", "value": …} is a name and its value, as environments are often listed.
                    _look(inner, f"{where}.{key}", said, allowed)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            _look(inner, f"{where}[{i}]", name, allowed)
    else:
        looks_like = _looks_like(value, name)
        if looks_like:
            raise SecretRefused(where=where, found=looks_like)


def _looks_like(value: object, name: str) -> str:
    if isinstance(value, str):
        return _by_form(value) or _by_name(value, name) or _by_what_it_says(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_by_name(name)
    return ""


def _by_form(text: str) -> str:
    return next((what for what, pattern in _FORMS if pattern.search(text)), "")


def _by_what_it_says(text: str) -> str:
    """Look for names and their values within a text: a line of shell, a connection string, JSON, a header."""
    for name, sign, said in (found.groups() for found in _SAID.finditer(text)):
        value = said.split(" ")[0].rstrip("}])")
        if _CODE.match(value):
            continue
        if sign.strip() == ":":
            # After a bare colon stands prose more often than not.
            looks_like = _LOOKS_DRAWN if _may_say_secret(_called(name)) and _is_random(said) else ""
        else:
            looks_like = _number_by_name(name) if value.isdecimal() else _by_name(value, name)
        if looks_like:
            return looks_like
    return ""


_CALLED_ONE = "a value under a name that says secret"
_LOOKS_DRAWN = "a random value under a name that may say secret"


def _by_name(text: str, name: str) -> str:
    called = _called(name)
    if _ABOUT_ONE.search(called) or not text.strip() or _PLACEHOLDER.fullmatch(text.strip()):
        return ""
    if _SAYS_SECRET.search(called):
        return _CALLED_ONE
    return _LOOKS_DRAWN if _may_say_secret(called) and _is_random(text) else ""


def _number_by_name(name: str) -> str:
    called = _called(name)
    return _CALLED_ONE if _SAYS_SECRET.search(called) and _IS_SECRET.search(called) else ""


def _called(name: str) -> str:
    called = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().lstrip("-+~/")
    return _HARMLESS.sub("", re.sub(r"[-. ]", "_", called))


def _may_say_secret(called: str) -> bool:
    return bool(_MAY_SAY_SECRET.search(called)) and not _ABOUT_ONE.search(called)


def _within(name: str, key: str) -> str:
    """Give the name of what stands below `name`: an object that is called a secret consists of them."""
    called = _called(name)
    says = _SAYS_SECRET.search(called) or (key in ("value", "data", "default") and _may_say_secret(called))
    return f"{name}_{key}" if says else key


def _is_random(text: str) -> bool:
    """Whether a word of it looks drawn at random: long, and from small letters to capitals to digits again and again.

    Names that people give turn seldom within a word, and their words are short: ``eval/accuracy_top1_mean``.
    """
    if len(text) < 16 or len(text.split()) > 2:
        return False
    return bool(_UUID.search(text)) or any(_is_drawn(run) for run in _RUN.findall(text))


def _is_drawn(run: str) -> bool:
    if not (any(c.isdigit() for c in run) and any(c.isalpha() for c in run)):
        return False
    if len(run) >= 32 and _HEX.fullmatch(run):
        return True
    bits = -sum(n / len(run) * math.log2(n / len(run)) for n in Counter(run).values())
    turns = len(_TURN.findall(run)) / (len(run) - 1)
    return bits >= 3.0 and turns >= (0.1 if run.isupper() else 0.22)
