"""Which attestations does an OCI layout hold?

OCI image-spec v1.1, "Image Layout", "Image Index" and "Image Manifest". Read are the blobs of layers of these types,
in every manifest that the index leads to; a manifest of an image's own layers holds none::

    application/vnd.dev.sigstore.bundle.v0.3+json    a Sigstore bundle (cosign 3, GitHub, sigstore-go), as a referrer
    application/vnd.dsse.envelope.v1+json            an attestation of cosign before that, see `cosign`
    application/vnd.in-toto+json                     a statement that nobody signed (BuildKit)
    application/vnd.dev.cosign.simplesigning.v1+json a signature of an image, and no statement

The last two are given to be refused by name. Every blob is held against the size and the digest by which it was named.
Nothing says that a manifest is about what its `subject` names: that stands in the signed statement.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from glasswing_attest._wire import Node, read_json
from glasswing_attest.errors import FieldRefused, GlasswingError
from glasswing_attest.formats.cosign import from_layer
from glasswing_attest.formats.part import Part
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["BlobReader", "attestations"]

BlobReader = Callable[[str, str], bytes]
"""Gives the blob of an algorithm and a digest in hex."""

_INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
_MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_BUNDLES = "application/vnd.dev.sigstore.bundle"
_OTHERS = {"application/vnd.in-toto+json", "application/vnd.dev.cosign.simplesigning.v1+json"}
_DIGESTS = {"sha256": re.compile(r"[0-9a-f]{64}"), "sha512": re.compile(r"[0-9a-f]{128}")}


def attestations(index: bytes, blob: BlobReader, *, limits: Limits = DEFAULT) -> Iterator[Part]:
    """Yield what the layout of this ``index.json`` holds, each blob once.

    Raises:
        MalformedError: an index, manifest or blob that is not what it must be, with its path.
        LimitError: too many or too large.
        GlasswingError: what `blob` raises.
    """
    pending = [read_json(index, where="index.json", limits=limits, bound="bundle_bytes")]
    seen: set[str] = set()
    while pending:
        for node in pending.pop().get_array("manifests"):
            # What names a platform is an image or an index of images. BuildKit's attestations say "unknown".
            platform = node.get("platform")
            if platform is not None and platform.get_text("os") != "unknown":
                continue
            descriptor = _Descriptor.read(node)
            if descriptor.digest in seen or descriptor.media_type not in _INDEXES | _MANIFESTS:
                continue
            seen.add(descriptor.digest)
            limits.check("evidence", len(seen), where=node.path)
            found = read_json(descriptor.fetch(blob, limits), where=descriptor.digest, limits=limits)
            if descriptor.media_type in _INDEXES:
                pending.append(found)
            else:
                yield from _layers(found, descriptor.digest, blob, limits)


def _layers(manifest: Node, digest: str, blob: BlobReader, limits: Limits) -> Iterator[Part]:
    for number, node in enumerate(manifest.get_array("layers"), start=1):
        kind = node.get_text("mediaType")
        if kind != _ENVELOPE and kind not in _OTHERS and not kind.startswith(_BUNDLES):
            continue
        limits.check("evidence", number, where=node.path)
        data = _Descriptor.read(node).fetch(blob, limits)
        label = f"layer {number} of {digest}"
        if kind == _ENVELOPE:
            try:
                data = from_layer(data, node.get("annotations"), limits=limits)
            except GlasswingError as e:
                # Whoever adds a layer of junk must not hide the others: it is an envelope of which nobody knows more.
                label = f"{label}, without its annotations ({e.where}: {e.says})"
        yield Part(data=data, label=label)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Descriptor:
    """What names a blob: its type, digest and size."""

    media_type: str
    algorithm: str
    value: str
    size: int
    path: str

    @classmethod
    def read(cls, node: Node) -> _Descriptor:
        digest = node.need("digest")
        algorithm, _, value = digest.text().partition(":")
        # Checked before anything is opened: a digest becomes a file's name.
        pattern = _DIGESTS.get(algorithm)
        if pattern is None or not pattern.fullmatch(value):
            digest.refuse("a sha256 or sha512 digest in lowercase hex", found=digest.value)
        return cls(
            media_type=node.get_text("mediaType"),
            algorithm=algorithm,
            value=value,
            size=node.need("size").uint64(),
            path=node.path,
        )

    @property
    def digest(self) -> str:
        return f"{self.algorithm}:{self.value}"

    def fetch(self, blob: BlobReader, limits: Limits) -> bytes:
        """Give the blob, after it was held against its size and digest."""
        limits.check("bundle_bytes", self.size, where=self.path)
        data = blob(self.algorithm, self.value)
        if len(data) != self.size:
            raise FieldRefused(where=f"{self.path}.size", found=f"{len(data)} bytes", wanted=self.size)
        found = hashlib.new(self.algorithm, data).hexdigest()
        if found != self.value:
            raise FieldRefused(where=f"{self.path}.digest", found=f"{self.algorithm}:{found}", wanted=self.digest)
        return data
