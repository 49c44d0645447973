"""Which thing does a statement speak of?

in-toto ResourceDescriptor v1 (in-toto attestation, spec/v1/resource_descriptor.md). At least one of ``uri``,
``digest`` and ``content`` identifies the resource; ``name`` is local to the statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from glasswing_attest._wire import JsonValue, Node, encode_base64
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import FieldMissing
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["ResourceDescriptor"]

_NO_DIGEST = DigestSet(())
_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDescriptor:
    """One resource: a subject, a dependency, a by-product.

    >>> ResourceDescriptor(name="tool", digest=DigestSet.of(sha256="00" * 32)).to_dict()["name"]
    'tool'
    """

    name: str = ""
    uri: str = ""
    digest: DigestSet = _NO_DIGEST
    content: bytes | None = None
    download_location: str = ""
    media_type: str = ""
    annotations: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING, hash=False)

    @classmethod
    def parse(cls, node: Node, *, limits: Limits = DEFAULT, must_identify: bool = True) -> ResourceDescriptor:
        """Read a descriptor; unknown fields are ignored, as in-toto requires.

        Raises:
            MalformedError: a field of the wrong type, a digest of the wrong shape, or nothing that identifies.
        """
        digest, content, annotations = node.get("digest"), node.get("content"), node.get("annotations")
        found = cls(
            name=node.get_text("name"),
            uri=node.get_text("uri"),
            digest=_NO_DIGEST if digest is None else DigestSet.parse(digest, limits=limits),
            content=None if content is None else content.bytes(),
            download_location=node.get_text("downloadLocation"),
            media_type=node.get_text("mediaType"),
            annotations=_NOTHING if annotations is None else MappingProxyType(annotations.object()),
        )
        if must_identify and not found.uri and not found.digest and found.content is None:
            raise FieldMissing(kind=node.kind, where=node.path, wanted="uri, digest or content")
        return found

    def to_dict(self) -> dict[str, object]:
        """Give the descriptor as in-toto's JSON object, without what is unset."""
        members: dict[str, object] = {
            "name": self.name,
            "uri": self.uri,
            "digest": self.digest.to_dict(),
            "content": None if self.content is None else encode_base64(self.content),
            "downloadLocation": self.download_location,
            "mediaType": self.media_type,
            "annotations": dict(self.annotations),
        }
        return {k: v for k, v in members.items() if v or (k == "content" and v is not None)}

    @property
    def label(self) -> str:
        """One short name for people."""
        return self.name or self.uri or self.digest.label
