"""What of a URL may be told to everybody?

Where something was had from belongs into what is signed; a password that stands in the URL (RFC 3986, section 3.2.1)
does not, nor does a query, which is where tokens travel.
"""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

__all__ = ["public_url"]


def public_url(url: str) -> str:
    """Give a URL without what may be secret: user, password, query, fragment. "" where it cannot be told apart.

    >>> public_url("https://user:token@git.example/acme/train.git?key=1")
    'https://git.example/acme/train.git'
    >>> public_url("git@git.example:acme/train.git"), public_url("../train")
    ('git.example:acme/train.git', '../train')
    """
    if not url.isprintable() or "\\" in url or "::" in url.partition("/")[0]:
        return ""  # git reads "name::…" as words for a program
    if "://" not in url:
        # The short form of ssh, user@host:path; anything else without a scheme is a path.
        authority, slash, rest = url.partition("/")
        if ":" not in authority:
            return "" if url.startswith("//") else url
        if "@" in slash + rest:
            return ""  # of another form, or with a password that holds a slash
        return f"{authority.rpartition('@')[2]}{slash}{rest}".partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(url)
        port = parts.port  # a password with an unescaped "/" leaves something that is no port ...
    except ValueError:
        return ""
    if not parts.netloc and not parts.scheme.endswith("file"):
        return ""
    if port is not None and "@" not in parts.netloc and "@" in parts.path:
        return ""  # ... or digits, with the host behind it
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
