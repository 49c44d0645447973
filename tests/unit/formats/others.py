"""How do other tools keep the same attestation? Each of their containers, made from a bundle."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest.artifact.file import Blob
from glasswing_attest.statement.resource import ResourceDescriptor
from glasswing_attest.statement.statement import Statement
from glasswing_attest.testing.sigstore import VirtualSigstore

SIGSTORE = VirtualSigstore()
ALICE = "alice@example.com"
FILE = Blob(b"weights", name="iris-1.0-py3-none-any.whl")
SUBJECTS = [ResourceDescriptor(name=FILE.name, digest=FILE.measure().digests)]
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
SIGNED = SIGSTORE.sign(Statement.make(SUBJECTS, PUBLISH, {}), identity=ALICE, stamps=0)
SECOND = SIGSTORE.sign(Statement.make(SUBJECTS, PUBLISH, {"again": 2**53 + 1 - 2}), identity=ALICE, stamps=0)
STAMPED = SIGSTORE.sign(Statement.make(SUBJECTS, PUBLISH, {}), identity=ALICE, log=None, stamps=1)
ENVELOPE = b'{"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": [{"sig": "c2ln"}]}'

CERT, CHAIN = "dev.sigstore.cosign/certificate", "dev.sigstore.cosign/chain"
REKOR, STAMP = "dev.sigstore.cosign/bundle", "dev.sigstore.cosign/rfc3161timestamp"
DSSE_LAYER = "application/vnd.dsse.envelope.v1+json"
BUNDLE_LAYER = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE_LAYER = "application/vnd.dev.cosign.simplesigning.v1+json"
MANIFEST, INDEX = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"
SIMPLE_SIGNING = {
    "critical": {
        "identity": {"docker-reference": ""},
        "image": {"docker-manifest-digest": f"sha256:{'0' * 64}"},
        "type": "cosign container image signature",
    },
    "optional": None,
}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def github(*bundles: bytes) -> bytes:
    items = b",\n  ".join(b'{"bundle": %b, "repository_id": 4711, "bundle_url": "https://x"}' % b for b in bundles)
    return b'{"attestations": [\n  %b\n]}' % items


def npm(*bundles: bytes) -> bytes:
    # What the registry says of the type is signed by nobody, and is wrong here.
    items = b",".join(b'{"predicateType":"https://other.example/v1","bundle":%b}' % b for b in bundles)
    return b'{"attestations":[%b]}' % items


def cloud_build(*envelopes: bytes) -> bytes:
    items = b",".join(b'{"build":{"intotoStatement":{}},"envelope":%b,"kind":"BUILD"}' % e for e in envelopes)
    return b'{"image_summary":{"digest":"sha256:00"},"provenance_summary":{"provenance":[%b]}}' % items


def tekton(key: str, signature: bytes, *, certificate: bytes = b"", chain: bytes = b"") -> dict[str, Any]:
    annotations = {
        f"chains.tekton.dev/cert-{key}": b64(certificate),
        f"chains.tekton.dev/chain-{key}": b64(chain),
        f"chains.tekton.dev/payload-{key}": b64(b"nobody reads this"),
        f"chains.tekton.dev/signature-{key}": b64(signature),
        "chains.tekton.dev/signed": "true",
        "pipeline.tekton.dev/release": "v1.3.1",
    }
    metadata = {"name": "build", "uid": key.partition("-")[2], "annotations": annotations}
    return {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": metadata, "spec": {}, "status": {}}


# --- cosign ----------------------------------------------------------------------------------------------------------


def pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode("ascii")


def chain_of(sigstore: VirtualSigstore = SIGSTORE) -> str:
    """The authority's certificates up to its root, as cosign keeps them."""
    (authority,) = json.loads(sigstore.trusted_root())["certificateAuthorities"]
    return "".join(pem(base64.b64decode(each["rawBytes"])) for each in authority["certChain"]["certificates"])


def rekor_bundle(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": int(entry["integratedTime"]),
            "logIndex": int(entry.get("logIndex", 0)),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        },
    }


def legacy(bundle: bytes, *, chain: str = "") -> tuple[bytes, dict[str, str]]:
    """A layer of cosign's: the envelope, and the annotations in which the rest of the bundle stands."""
    document = json.loads(bundle)
    material = document["verificationMaterial"]
    annotations = {"predicateType": "https://other.example/v1", "dev.cosignproject.cosign/signature": ""}
    certificate = (
        material.get("certificate") or material.get("x509CertificateChain", {"certificates": [None]})["certificates"][0]
    )
    if certificate is not None:
        annotations |= {CERT: pem(base64.b64decode(certificate["rawBytes"])), CHAIN: chain}
    for entry in material.get("tlogEntries", ()):
        annotations[REKOR] = json.dumps(rekor_bundle(entry))
    for stamp in (material.get("timestampVerificationData") or {}).get("rfc3161Timestamps", ()):
        annotations[STAMP] = json.dumps({"SignedRFC3161Timestamp": stamp["signedTimestamp"]})
    return json.dumps(document["dsseEnvelope"]).encode(), annotations


def blob_bundle(bundle: bytes) -> dict[str, Any]:
    """What `cosign attest-blob --bundle` wrote."""
    envelope, annotations = legacy(bundle)
    return {
        "base64Signature": b64(envelope),
        "cert": b64(annotations[CERT].encode()),
        "rekorBundle": json.loads(annotations[REKOR]),
    }


class Layout:
    """An OCI layout on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifests: list[dict[str, Any]] = []
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.write_index()

    def write_index(self) -> None:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}
        (self.folder / "index.json").write_text(json.dumps(index))

    def place(self, descriptor: dict[str, Any]) -> Path:
        digest: str = descriptor["digest"]
        return self.folder / "blobs" / "sha256" / digest.partition(":")[2]

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        """Keep a blob, and give its descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        descriptor = {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}
        self.place(descriptor).write_bytes(data)
        return descriptor

    def manifest(self, *layers: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Keep a manifest of layers, and give its descriptor."""
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": layers}
        return self.blob(json.dumps(body).encode(), MANIFEST, **more)

    def add(self, descriptor: dict[str, Any]) -> "Layout":
        """Have the index name it."""
        self.manifests.append(descriptor)
        self.write_index()
        return self

    def attest(self, bundle: bytes) -> "Layout":
        """Keep a bundle as a referrer, as cosign 3 does."""
        return self.add(self.manifest(self.blob(bundle, BUNDLE_LAYER), artifactType=BUNDLE_LAYER))

    def attest_as_before(self, bundle: bytes, **more: Any) -> "Layout":
        """Keep an envelope with annotations, as cosign 2 did."""
        envelope, annotations = legacy(bundle, **more)
        return self.add(self.manifest(self.blob(envelope, DSSE_LAYER, annotations=annotations)))
