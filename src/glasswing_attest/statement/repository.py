"""Which repository does a URI name, and which revision of it?

Repositories are named by URIs (SPDX 2.3, clause 7.7: ``git+https://host/path@revision#subpath``; package-url), which
are compared for contradiction alone: two that differ are two repositories, where they can be compared at all. A
transport is no part of the name, but a package is not called by the place of its source.
"""

from __future__ import annotations

import re

__all__ = ["repository", "revision"]

_ABSOLUTE = re.compile(r"(?P<git>git\+)?(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<authority>[^/?]*)(?P<path>.*)", re.I | re.S)
_SCP = re.compile(r"[^@/:\s]+@(?P<host>[^@/:\s]+):(?!//)/?(?P<path>\S+)")
_TRANSPORTS = ("https", "http", "ssh", "git")
# What git allows in the name of a ref or a commit (git-check-ref-format), as far as it matters to tell it from a path.
_REVISION = re.compile(r"(?!/)(?!.*(?:\.\.|//|@\{))[^\s~^:?*\[\\\x00-\x20\x7f]+(?<![/.])", re.S)


def repository(uri: str) -> str:
    """Give a repository's URI as it is compared and shown; "" for what is no URI of a place that others could name.

    User and password are dropped, and so are revision, fragment, ``.git``, and which transport leads there.

    >>> repository("git+https://user:token@github.com/acme/train.git@refs/heads/main#sub")
    'https://github.com/acme/train'
    >>> repository("git@github.com:acme/train.git"), repository("/srv/train")
    ('https://github.com/acme/train', '')
    """
    plain = uri.split("#", 1)[0]
    if plain[:4].lower() == "pkg:":
        return f"pkg:{_without_revision(plain[4:].split('?', 1)[0], slashed=False).rstrip('/')}"
    if found := _SCP.fullmatch(plain):
        return _place("ssh", found["host"], _without_revision(f"/{found['path']}", slashed=False))
    found = _ABSOLUTE.fullmatch(plain)
    if found is None or found["scheme"].lower() == "file":
        return ""
    host = found["authority"].rpartition("@")[2]
    return _place(found["scheme"], host, _without_revision(found["path"], slashed=found["git"] is not None))


def _place(scheme: str, host: str, path: str) -> str:
    scheme, host = scheme.lower(), host.lower()
    if scheme in _TRANSPORTS:
        # A port of ssh says nothing of where the others listen.
        scheme, host = "https", host.partition(":")[0] if scheme == "ssh" and host[:1] != "[" else host
    return f"{scheme}://{host}{path.rstrip('/').removesuffix('.git').rstrip('/')}"


def _without_revision(path: str, *, slashed: bool) -> str:
    """Drop ``@revision``. One with slashes is told from a path by ``refs/``, or by the ``git+`` in front of it all."""
    before, at, revision = path.rpartition("@")
    if not at or not before.strip("/") or before.endswith("/") or not _REVISION.fullmatch(revision):
        return path
    return before if slashed or "/" not in revision or revision.startswith("refs/") else path


def revision(uri: str) -> str:
    """Give what a repository's URI says behind its ``@``; "" where it says nothing.

    >>> revision("git+https://github.com/acme/train@refs/tags/v1#sub"), revision("https://user@github.com/acme/train")
    ('refs/tags/v1', '')
    """
    found = _ABSOLUTE.fullmatch(uri.split("#", 1)[0])
    if found is None:
        return ""
    path = found["path"]
    before = _without_revision(path, slashed=found["git"] is not None)
    return path[len(before) + 1 :] if before != path else ""
