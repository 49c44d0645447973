"""WHAT TRAVELS? One attestation, byte for byte: a Sigstore bundle, or a bare DSSE envelope.

`parse` tells the formats apart by their shape. An attestation is a container: nothing in it is verified, and what can
be read without verifying says so in its name.
"""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from glasswing_attest._files import append_line, read_bounded, write_atomic
from glasswing_attest._wire import read_json
from glasswing_attest.bundle import Bundle, Certificates, KeyHint
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import FormatUnsupported, MessageSignatureUnsupported, StoreUnavailable, UsageError
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.statement import Statement

__all__ = ["Attestation"]


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation as it came. Equal bytes are equal attestations.

    Attributes:
        bytes: the container, unchanged.
        envelope: the signed payload with its signatures.
        material: what the container says about the signer: a key's hint, or certificates. Unauthenticated.
        bundle: the Sigstore bundle, or None where the container is a bare envelope.
    """

    bytes: builtins.bytes  # the design's name: an attestation is its bytes
    envelope: Envelope = field(compare=False, repr=False)
    material: KeyHint | Certificates = field(compare=False, repr=False)
    bundle: Bundle | None = field(compare=False, repr=False)

    @classmethod
    def parse(cls, data: builtins.bytes, *, limits: Limits = DEFAULT) -> Attestation:
        """Read a bundle or an envelope strictly.

        Raises:
            UsageError: not bytes.
            FormatUnsupported: neither, saying why each does not fit.
            MessageSignatureUnsupported: a bundle without a statement.
            MalformedError, UnsupportedError, LimitError: with the path within the input.
        """
        if not isinstance(data, builtins.bytes):
            raise UsageError(where="Attestation.parse", found=type(data).__name__, wanted="bytes, as they came")
        node = read_json(data, limits=limits, bound="bundle_bytes")
        members = node.object()
        if "mediaType" in members:
            bundle = Bundle.parse(node, limits=limits)
            if not isinstance(bundle.content, Envelope):
                raise MessageSignatureUnsupported(where="$.messageSignature")
            return cls(data, bundle.content, bundle.material, bundle)
        if "payload" in members and "payloadType" in members:
            return cls(data, Envelope.parse(node, limits=limits), KeyHint(), None)
        tried = "Sigstore bundle: no mediaType; DSSE envelope: no payload and payloadType"
        raise FormatUnsupported(where="$", found=", ".join(members) or "an empty object", because=tried)

    @classmethod
    def load(cls, path: str | Path, *, limits: Limits = DEFAULT) -> Attestation:
        """Read one attestation from a file. For a file of many, hand the path to `verify` as evidence."""
        return cls.parse(read_bounded(Path(path), "bundle_bytes", limits, error=StoreUnavailable), limits=limits)

    def write(self, path: str | Path) -> Path:
        """Write the bytes to a file, replacing it whole or not at all. A ``.jsonl`` file gains them as one more line.

        Several threads and processes may add to one ``.jsonl`` file at the same time: no line is lost.

        The place is beside the artifact, never inside it: an attestation inside a tree would change the tree.
        """
        target = Path(path)
        if target.suffix != ".jsonl":
            write_atomic(target, self.bytes)
            return target
        line = b" ".join(self.bytes.splitlines())  # newlines of pretty JSON are white space between tokens
        append_line(target, line, "evidence_bytes", error=StoreUnavailable)
        return target

    @property
    def statement_unverified(self) -> Statement:
        """What the payload says, without any knowledge of who signed it."""
        return Statement.parse_unverified(self.envelope.payload)

    @property
    def payload_digest(self) -> str:
        """The sha256 of the signed payload, in hex: names what is said, however it is wrapped."""
        return hashlib.sha256(self.envelope.payload).hexdigest()
