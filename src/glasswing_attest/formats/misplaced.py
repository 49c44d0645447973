"""What is it, where it is no evidence? What people hand over by mistake, and where it belongs.

It is told by how it begins, by its keys or by its members. Nothing of its content is shown: it may be a private key.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = ["by_media_type", "by_members", "by_start"]

_KEY = (
    "a key or certificate in PEM",
    "keys are no evidence: public keys and certificates belong into the trust file, and a private key stays with "
    "whoever signs",
)
_POLICY = "a policy", "a policy is no evidence: hand it over as the policy (--policy)"
_TRUST = "a trust file", "a trust file is no evidence: hand it over as the trust (--trust)"
_KEYS = "a list of keys", "keys are no evidence: write them into the trust file, under `keys`"
_LOCK = (
    "a lock file",
    "a lock file is no evidence: hold an environment against it (`environment check --lock`), or verify it as a file",
)
_ARCHIVE = (
    "a zip archive, such as a wheel",
    "evidence is what was signed about it: ask about the file itself with --kind file; a case is for `replay`",
)

_STARTS: tuple[tuple[bytes, tuple[str, str]], ...] = (
    (b"-----BEGIN", _KEY),
    (b"PK\x03\x04", _ARCHIVE),
    (b"\x1f\x8b", ("a gzip archive", "evidence is what was signed about it: ask about the file itself")),
    (b"%PDF-", ("a PDF", "hand over the attestation itself")),
)
_MEDIA_TYPES: Mapping[str, tuple[str, str]] = {
    "application/vnd.dev.sigstore.trustedroot": (
        "a Sigstore TrustedRoot",
        "it is no evidence: name it in the trust file, under `roots`",
    ),
    "application/vnd.dev.sigstore.clienttrustconfig": (
        "a Sigstore client trust configuration",
        "it is no evidence: name the TrustedRoot in it in the trust file, under `roots`",
    ),
    "application/vnd.dev.sigstore.signingconfig": (
        "a Sigstore signing configuration",
        "it is no evidence: it says which services sign, and verifying reads none of it",
    ),
}
_TOP = re.compile(rb"^(?:\[+)?(version|nodes|identities|roots|keys|lock-version)\b\s*[:=.\]]", re.M)
_LOOKED_AT = 1 << 16
"""So much of a text is looked through for its keys."""


def by_start(data: bytes) -> tuple[str, str] | None:
    r"""Say what bytes that are no JSON are, and what to do with them, or None.

    >>> by_start(b"version: 1\nkeys: {}\n")
    ('a trust file', 'a trust file is no evidence: hand it over as the trust (--trust)')
    """
    start = data.lstrip()[:16]
    found = next((told for begin, told in _STARTS if start.startswith(begin)), None)
    if found is not None:
        return found
    return by_members({name.decode() for name in _TOP.findall(data[:_LOOKED_AT])})


def by_members(members: Collection[str]) -> tuple[str, str] | None:
    """Say what a mapping with these members is, and what to do with it, or None."""
    if "nodes" in members and "identities" in members:
        return _POLICY
    if "lock-version" in members:
        return _LOCK
    if "roots" in members or ("keys" in members and "version" in members):
        return _TRUST
    return _KEYS if "keys" in members else None


def by_media_type(media_type: str) -> tuple[str, str] | None:
    """Say what a document of a Sigstore media type is, and what to do with it, or None."""
    return next((told for begin, told in _MEDIA_TYPES.items() if media_type.startswith(begin)), None)
