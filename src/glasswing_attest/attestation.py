"""WHAT TRAVELS? One attestation, byte for byte: a Sigstore bundle, a bare DSSE envelope, or a classic Metablock.

`parse` tells the formats apart by their shape. An attestation is a container: nothing in it is verified, and what can
be read without verifying says so in its name.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from glasswing_attest._files import append_line, read_bounded, write_atomic
from glasswing_attest._wire import read_json
from glasswing_attest.bundle import Bundle, Certificates, KeyHint
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import (
    FormatUnsupported,
    GlasswingError,
    MessageSignatureUnsupported,
    NotJson,
    StoreUnavailable,
    UsageError,
    counted,
    shown,
)
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.statement.statement import Statement

__all__ = ["Attestation", "missing_of_shapes", "shape_of"]

_SHAPES = {
    "Sigstore bundle": ("mediaType",),
    "DSSE envelope": ("payload", "payloadType"),
    "in-toto Metablock": ("signed", "signatures"),
}


def shape_of(members: Collection[str]) -> str | None:
    """Tell by an object's members which kind of attestation it has the shape of, if any.

    >>> shape_of({"payload": "", "payloadType": "", "signatures": []})
    'DSSE envelope'
    """
    return next((name for name, needed in _SHAPES.items() if all(each in members for each in needed)), None)


def missing_of_shapes() -> tuple[str, ...]:
    """Say of each kind of attestation what an object without its shape lacks."""
    return tuple(f"{name}: no {' and '.join(needed)}" for name, needed in _SHAPES.items())


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation as it came. Equal bytes are equal attestations.

    Attributes:
        bytes: the container, unchanged.
        envelope: the signed payload with its signatures.
        material: what the container says about the signer: a key's hint, or certificates. Unauthenticated.
        bundle: the Sigstore bundle, or None where the container is a bare envelope or Metablock.
    """

    bytes: builtins.bytes  # the design's name: an attestation is its bytes
    envelope: Envelope | Metablock = field(compare=False, repr=False)
    material: KeyHint | Certificates = field(compare=False, repr=False)
    bundle: Bundle | None = field(compare=False, repr=False)

    def __repr__(self) -> str:
        try:
            statement = self.statement_unverified
            says = f"{shown(statement.predicate_type)}, {counted(len(statement.subjects), 'subject')}"
        except GlasswingError:
            says = shown(self.envelope.payload_type)
        return f"Attestation(unverified: {says}, {self.material})"

    @classmethod
    def parse(cls, data: builtins.bytes, *, limits: Limits = DEFAULT) -> Attestation:
        """Read a bundle, an envelope or a Metablock strictly.

        Raises:
            UsageError: not bytes.
            FormatUnsupported: none of them, saying why each does not fit.
            MessageSignatureUnsupported: a bundle without a statement.
            MalformedError, UnsupportedError, LimitError: with the path within the input.
        """
        if not isinstance(data, builtins.bytes):
            raise UsageError(where="Attestation.parse", found=type(data).__name__, wanted="bytes, as they came")
        node = read_json(data, limits=limits, bound="bundle_bytes")
        members = node.object()
        shape = shape_of(members)
        if shape == "Sigstore bundle":
            bundle = Bundle.parse(node, limits=limits)
            if not isinstance(bundle.content, Envelope):
                raise MessageSignatureUnsupported(where="$.messageSignature")
            return cls(data, bundle.content, bundle.material, bundle)
        if shape == "DSSE envelope":
            return cls(data, Envelope.parse(node, limits=limits), KeyHint(), None)
        if shape == "in-toto Metablock":
            return cls(data, Metablock.parse(node, limits=limits), KeyHint(), None)
        raise FormatUnsupported(
            where="$", found=", ".join(members) or "an empty object", because="; ".join(missing_of_shapes())
        )

    @classmethod
    def load(cls, path: str | Path, *, limits: Limits = DEFAULT) -> Attestation:
        """Read one attestation from a file. For a file of many, hand the path to `verify` as evidence.

        Raises:
            StoreUnavailable: the file cannot be read.
            FormatUnsupported, NotJson: also for a file of many or of another tool; the advice names `formats.read`.
            GlasswingError: as `parse` does.
        """
        data = read_bounded(Path(path), "bundle_bytes", limits, error=StoreUnavailable)
        try:
            return cls.parse(data, limits=limits)
        except (FormatUnsupported, NotJson) as e:
            e.do = "for a file of many, or of another tool, formats.read(data) says what it is and gives what is in it"
            raise

    def write(self, path: str | Path) -> Path:
        """Write the bytes to a file, replacing it whole or not at all. A ``.jsonl`` file gains them as one more line.

        Several threads and processes may add to one ``.jsonl`` file at the same time: no line is lost.

        The place is beside the artifact, never inside it: an attestation inside a tree would change the tree.
        """
        target = Path(path)
        if target.suffix != ".jsonl":
            write_atomic(target, self.bytes)
            return target
        append_line(target, self.as_line, "evidence_bytes", error=StoreUnavailable)
        return target

    @property
    def container(self) -> str:
        """What kind of container it is, for people."""
        if isinstance(self.envelope, Metablock):
            return "in-toto Metablock"
        return "DSSE envelope" if self.bundle is None else f"Sigstore bundle v{self.bundle.version}"

    @property
    def as_line(self) -> builtins.bytes:
        """The bytes as one line of a ``.jsonl`` file: newlines of pretty JSON are white space between tokens."""
        return b" ".join(self.bytes.splitlines())

    @property
    def statement_unverified(self) -> Statement:
        """What the payload says, without any knowledge of who signed it."""
        return Statement.parse_unverified(self.envelope.payload)

    @property
    def payload_digest(self) -> str:
        """The sha256 of the signed payload, in hex: names what is said, however it is wrapped."""
        return hashlib.sha256(self.envelope.payload).hexdigest()
