"""Which files does an OCI manifest say that it holds, and with which digests?

OCI image-spec 1.1, "Image Manifest": a descriptor for each layer, with its digest. Where a layer is one file as it is,
its name stands in an annotation, as ORAS and ModelPack write it::

    {"layers": [{"mediaType": "…", "digest": "sha256:…", "size": 9,
                 "annotations": {"org.opencontainers.image.title": "model.safetensors"}}]}

A layer that is an archive, or compressed, has the digest of the archive: nothing follows from it for the files within,
and so it is told as unusable. The document is handed over as data; whoever hands it over knows whether its own digest
is the one that was asked for.
"""

from __future__ import annotations

import re

from glasswing_attest._wire import read_json
from glasswing_attest.artifact.manifest import FileEntry
from glasswing_attest.artifact.stated import StatedFiles, Unusable
from glasswing_attest.errors import DigestRefused
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["read_oci"]

_TITLES = ("org.opencontainers.image.title", "org.cncf.model.filepath")
_UNPACK = "io.deis.oras.content.unpack"
_PACKED = re.compile(r"tar|zip|zstd|squashfs|xz|lz4|7z|brotli")
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


def read_oci(data: bytes, *, name: str = "", where: str = "oci", limits: Limits = DEFAULT) -> StatedFiles:
    """Read an image manifest: the files that its layers are.

    Raises:
        MalformedError: it is none; with the path.
        LimitError: it is too large.
    """
    node = read_json(data, where=where, limits=limits)
    files = []
    unusable = []
    for i, layer in enumerate(node.need("layers").array()):
        digest = layer.need("digest")
        found = _SHA256.fullmatch(digest.text())
        annotations = layer.get("annotations")
        titles = [] if annotations is None else [t for t in map(annotations.get_text, _TITLES) if t]
        title = titles[0] if titles else ""
        unpacked = annotations is not None and annotations.get_text(_UNPACK) == "true"
        if not title:
            because = "no annotation names a file"
        elif len(set(titles)) > 1:
            because = f"another annotation names it {titles[1]}"
        elif unpacked or _PACKED.search(layer.need("mediaType").text().lower()):
            because = "the digest is that of an archive"
        elif digest.text().startswith("sha256:") and found is None:
            raise DigestRefused(where=digest.path, found=digest.text(), wanted="sha256: and 64 lowercase hex digits")
        elif found is None:
            because = "the digest is not a SHA-256"
        else:
            files.append(FileEntry(name=title, size=layer.need("size").uint64(), sha256=found[1]))
            continue
        unusable.append(Unusable(name=title or f"layers[{i}]", where=layer.path, because=because))
    return StatedFiles(
        name=name,
        files=tuple(sorted(files, key=lambda f: f.name.encode("utf-8", "surrogatepass"))),
        unusable=tuple(unusable),
        source=where,
    )
