"""Which bundles are there to ask about?

Every Sigstore bundle in the third-party cases and in the recorded stack: those of a case with the case's root, artifact
and signer, the others, wherever in a file they stand, with Sigstore's two public roots and the digest that they name
themselves. None is left out: files are searched, not listed.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glasswing_attest._wire import decode_base64
from glasswing_attest.errors import GlasswingError
from tests.bundles import HASHES, PRODUCTION, STAGING, question, since_1970
from tests.differential.asked import Asked
from tests.shared import cases

__all__ = ["every", "recorded"]

_MEDIA = "application/vnd.dev.sigstore.bundle"


def every(folder: Path, stack: Path) -> tuple[Asked, ...]:
    """Every bundle of the cases in `folder` and of the recorded stack, each question once."""
    found: dict[tuple[bytes, bytes, str], Asked] = {}
    seen: set[bytes] = set()
    for asked in (*_of_cases(folder), *recorded(stack)):
        found.setdefault((asked.bundle, asked.root, asked.san), asked)
        seen.add(_canonical(asked.bundle))
    roots = {name: (folder / name).read_bytes() for name in (PRODUCTION, STAGING)}
    for name, bundle in _lying_about(folder):
        if _canonical(bundle) not in seen:
            for root, data in roots.items():
                short = root.removeprefix("_trust/").partition(".")[0]
                asked = Asked(name=f"{name} in {short}", bundle=bundle, root=data, digests=_own_digest(bundle))
                found.setdefault((bundle, data, ""), asked)
    return tuple(found.values())


def recorded(stack: Path) -> tuple[Asked, ...]:
    """The bundles of the recorded stack."""
    root = (stack / "trusted_root.json").read_bytes()
    artifact = (stack / "artifact.bin").read_bytes()
    return tuple(
        Asked(
            name=f"recorded-stack:{path.name.removesuffix('.sigstore.json')}",
            bundle=path.read_bytes(),
            root=root,
            digests=_digests_of(b"x" if path.name.startswith("gha-") else artifact, path.read_bytes()),
        )
        for path in sorted(stack.glob("*.sigstore.json"))
    )


def _of_cases(folder: Path) -> Iterator[Asked]:
    for parameter in cases("sigstore-bundle"):
        case = parameter.values[0]
        asking = question(case, folder)
        if case.corpus == "sigstore-js":
            asking = asking.in_root(since_1970)
        if asking.digest is not None:
            digests: tuple[tuple[str, bytes], ...] = (asking.digest,)
        else:
            digests = () if asking.content is None else _digests_of(asking.content, asking.bundle)
        yield Asked(
            name=case.id,
            bundle=asking.bundle,
            root=asking.root or b"{}",
            digests=digests,
            san=case.params.get("identity", ""),
            issuer=case.params.get("issuer", ""),
        )


def _lying_about(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Bundles wherever they stand: a file, a line of one, or a member of what somebody's service answered."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or _MEDIA.encode() not in (data := path.read_bytes()):
            continue
        for number, text in enumerate([data, *data.splitlines()] if data.count(b"\n") > 1 else [data]):
            try:
                document = json.loads(text)
            except ValueError:
                continue
            for place, bundle in _within(document, ""):
                line = f":{number}" if number else ""
                yield f"{path.relative_to(folder)}{line}{place}", json.dumps(bundle).encode()


def _within(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and str(value.get("mediaType", "")).startswith(_MEDIA):
        yield place, value
        return
    for step, inner in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        yield from _within(inner, f"{place}/{step}")


def _digests_of(content: bytes, bundle: bytes) -> tuple[tuple[str, bytes], ...]:
    """The digests of an artifact, first the one by the algorithm that the bundle names."""
    named = HASHES.get(_message_digest(bundle).get("algorithm", ""), "sha256")
    names = sorted(HASHES.values(), key=lambda name: name != named)
    return tuple((name, hashlib.new(name, content).digest()) for name in names)


def _own_digest(bundle: bytes) -> tuple[tuple[str, bytes], ...]:
    told = _message_digest(bundle)
    try:
        return ((HASHES.get(told["algorithm"], "sha256"), decode_base64(told["digest"])),)
    except (KeyError, GlasswingError):
        return ()


def _message_digest(bundle: bytes) -> dict[str, str]:
    try:
        message = json.loads(bundle).get("messageSignature") or {}
        return dict(message.get("messageDigest") or {})
    except (ValueError, AttributeError):
        return {}


def _canonical(bundle: bytes) -> bytes:
    try:
        return json.dumps(json.loads(bundle), sort_keys=True).encode()
    except ValueError:
        return bundle
