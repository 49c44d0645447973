"""What is this, and what is in it? Other people's evidence, taken apart into attestations.

`unpack` finds the parts without reading them, `read` reads them all or says which cannot be, `parse` reads what must be
one. What signed bytes there are stay as they stand. The containers themselves were signed by nobody: whoever had them
last chose what is in them, so nothing is believed for standing in one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from glasswing_attest._wire import Node, read_json
from glasswing_attest.attestation import Attestation, missing_of_shapes, shape_of
from glasswing_attest.attestation_set import MAGIC, AttestationSet
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    MalformedError,
    MediaTypeUnsupported,
    NotJson,
    NotUtf8,
    UsageError,
)
from glasswing_attest.formats.cosign import COSIGN_BLOB, COSIGN_SIGNATURE
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.gcb import CLOUD_BUILD
from glasswing_attest.formats.github import GITHUB
from glasswing_attest.formats.lines import split
from glasswing_attest.formats.misplaced import by_media_type, by_members, by_start
from glasswing_attest.formats.npm import NPM
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.formats.pep740 import PEP740_ATTESTATION, PEP740_PROVENANCE
from glasswing_attest.formats.tekton import TEKTON
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["FORMATS", "knows", "parse", "parts", "read", "unpack"]

# The first that fits is it: npm's list is GitHub's with one member more.
FORMATS: tuple[Format, ...] = (
    NPM,
    GITHUB,
    PEP740_PROVENANCE,
    PEP740_ATTESTATION,
    CLOUD_BUILD,
    TEKTON,
    COSIGN_BLOB,
    COSIGN_SIGNATURE,
)


def unpack(data: bytes, *, limits: Limits = DEFAULT) -> tuple[Part, ...]:
    """Give the parts of a container. What is one attestation, or nothing that is known here, is its own only part.

    The order is the container's. A part is cut out of it as it stands, or, where the container keeps envelope,
    certificate and log entry apart, a Sigstore bundle of these.

    Raises:
        UsageError: not bytes.
        MalformedError: a known container that is broken, with the path.
        UnsupportedError: one of another version, or one that holds no statements.
        LimitError: too large, too deep, or too many parts.

    >>> unpack(b'{"attestations": [{"bundle": {"mediaType": "x"}, "repository_id": 1}]}')
    (Part(data=b'{"mediaType": "x"}', label='$.attestations[0].bundle'),)
    """
    if not isinstance(data, bytes):
        raise UsageError(where="data", found=type(data).__name__, wanted="bytes, as they came")
    found: list[Part] = []
    for part in _of_set(data, limits) if data.startswith(MAGIC) else _of_text(data, limits):
        found.append(part)
        limits.check("evidence", len(found), where=part.label)
    return tuple(found)


def read(data: bytes, *, limits: Limits = DEFAULT) -> tuple[Attestation, ...]:
    """Read every attestation of a container, a file of lines or a set: all of them, or none.

    Nothing is verified. To verify, hand the bytes or the file to `verify`: there, a part that cannot be read takes
    nothing from those that can.

    Raises:
        FormatUnsupported: nothing that is read here, naming every format that was tried, and why it is none of these.
        MalformedError: recognised, but broken, or without any attestation; with the path.
        GlasswingError: as `unpack` does.
    """
    found = []
    for part in unpack(data, limits=limits):
        try:
            found.append(parse(part.data, limits=limits))
        except GlasswingError as e:
            e.where = f"{part.label}: {e.where}" if part.label else e.where
            raise
    if not found:
        raise FieldMissing(where="data", wanted="at least one attestation")
    return tuple(found)


def parse(data: bytes, *, limits: Limits = DEFAULT) -> Attestation:
    """Read one attestation, as `Attestation.parse` does; what is none is told by all the formats that it is none of.

    What belongs elsewhere, such as a key or a policy, is called by what it is, and nothing of it is shown.

    Raises:
        FormatUnsupported: nothing that is read here, naming every format that was tried; or a container.
        GlasswingError: as `Attestation.parse` and `unpack` do.
    """
    try:
        return Attestation.parse(data, limits=limits)
    except (FormatUnsupported, FieldRefused) as e:
        if e.where != "$":
            raise
        raise _refusal(data, limits) from e
    except MediaTypeUnsupported as e:
        _say(e, by_media_type(str(e.found)))
        raise
    except (NotJson, NotUtf8) as e:
        if e.where == "$" and data.lstrip()[:1] not in (b"{", b"["):
            if b"\n" in data:
                e.because = "neither JSON nor JSON lines"
            _say(e, by_start(data))
        raise


def _say(error: GlasswingError, misplaced: tuple[str, str] | None) -> None:
    if misplaced is not None:
        error.found, error.do = misplaced


def knows(data: bytes, *, limits: Limits = DEFAULT) -> bool:
    """Tell whether something has the shape of an attestation, or of a container of them."""
    try:
        node = read_json(data, limits=limits, bound="evidence_bytes")
    except GlasswingError:
        return False
    return _kind(node) is not None or (isinstance(node.value, dict) and shape_of(node.value) is not None)


# --- parts -----------------------------------------------------------------------------------------------------------


def _of_set(data: bytes, limits: Limits) -> Iterator[Part]:
    found = AttestationSet.read(io.BytesIO(data), limits=limits)
    for number, each in enumerate(found.attestations, start=1):
        yield Part(data=each, label=f"attestation {number} of a set")


def _of_text(data: bytes, limits: Limits) -> Iterator[Part]:
    for number, text in split(data, limits=limits):
        label = "" if number is None else f"line {number}"
        for part in parts(text, limits=limits):
            yield Part(data=part.data, label=f"{label}: {part.label}".removesuffix(": ")) if label else part
        if number is None:
            return  # what stands on its lines stands in it


def parts(data: bytes, *, limits: Limits = DEFAULT) -> Iterator[Part]:
    """Yield the parts of one JSON value, or itself, uncounted. Raises as `unpack` does, also after the first part."""
    try:
        whole = Exact.read(data, limits=limits)
    except MalformedError:
        yield Part(data=data)
        return
    kind = _kind(whole.node)
    if kind is None:
        yield Part(data=data)
    else:
        yield from kind.unpack(whole, limits)


def _kind(node: Node) -> Format | None:
    """Tell which container a value is, if it is one."""
    if isinstance(node.value, dict) and shape_of(node.value):
        return None
    return next((kind for kind in FORMATS if not kind.lacks(node)), None)


def _refusal(data: bytes, limits: Limits) -> GlasswingError:
    """Say why a JSON value is not one attestation."""
    node = read_json(data, limits=limits, bound="bundle_bytes")
    kind = _kind(node)
    if kind is not None:
        try:
            inside = list(parts(data, limits=limits))
        except LimitError:
            raise
        except GlasswingError as e:
            return e
        found = f"{kind.name}: a container of {len(inside)}"
        return FormatUnsupported(where="$", found=found, wanted="one attestation", do="take it apart with formats.read")
    members = node.value if isinstance(node.value, dict) else {}
    tried = [*missing_of_shapes(), *(f"{each.name}: {each.lacks(node)}" for each in FORMATS)]
    found, advice = by_members(members) or ("", "")
    if {"_type", "subject"} <= members.keys():
        advice = "nobody signed this statement: have it signed"
    found = found or ", ".join(members) or ("an empty object" if isinstance(node.value, dict) else "no object")
    return FormatUnsupported(where="$", found=found, because="; ".join(tried), do=advice)
