"""Which documents does fuzzing start from, beside those of others: at least one of each kind, made by us."""

import atexit
import base64
import io
import json
import pickle
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from securesystemslib.signer import CryptoSigner

from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.leaves import Directory
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.manifests import ManifestTree
from glasswing_attest.artifact.proofs import MerkleTree
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.records.base import Record
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.testing.sigstore import VirtualSigstore
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from tests.chains import NOW, bare, honest, signer
from tests.environments import build_wheel, lock_of
from tests.layouts import layout, link, metablock, step, things
from tests.served import jwt
from tests.unit.formats import others
from tests.unit.records import samples
from tests.weights import ARRAY, STRING, gguf, onnx, onnx_tensor, safetensors, string, value

SHA = "ab" * 32
ME = "me@example.com"
SIGSTORE = VirtualSigstore()
RECORDS: tuple[Record, ...] = (
    samples.CODE,
    samples.DATA,
    samples.MODEL,
    samples.DEPENDENCIES,
    samples.EVALUATION,
)


def raw(value: object) -> bytes:
    """JSON."""
    return json.dumps(value).encode()


def payload() -> bytes:
    """A statement."""
    return honest().run.envelope.payload


@cache
def bundles() -> tuple[bytes, ...]:
    """A bundle of every form that we make: both logs, several witnesses, a key, no envelope."""
    return (
        SIGSTORE.sign(payload(), identity=ME).bytes,
        SIGSTORE.sign(payload(), identity=ME, kind="intoto").bytes,
        SIGSTORE.sign(payload(), identity=ME, log="v2", stamps=2).bytes,
        SIGSTORE.sign_artifact(b"weights", identity=ME),
        SIGSTORE.sign_artifact(b"weights", identity=ME, log="v2"),
        honest().run.bytes,
    )


@cache
def attestations() -> tuple[bytes, ...]:
    """Bundles, an envelope of two signatures, a Metablock."""
    return (*bundles(), bare(honest().run, honest().run), metablocks()[0])


@cache
def functionary() -> CryptoSigner:
    """Who signs a layout, and does its steps."""
    return CryptoSigner.generate_ed25519()


@cache
def metablocks() -> tuple[bytes, ...]:
    """A link and a layout, signed."""
    who = functionary()
    rules = {
        "expected_materials": [["MATCH", "*", "WITH", "PRODUCTS", "FROM", "a"]],
        "expected_products": [["ALLOW", "*"]],
    }
    made = link("make", materials=things(a="a"), products=things(b="b"))
    return metablock(made, who), metablock(layout(step("a", who), step("b", who, **rules), signers=(who,)), who)


def layouts() -> tuple[bytes, ...]:
    """A layout by itself."""
    return (raw(json.loads(metablocks()[1])["signed"]),)


@cache
def containers() -> tuple[bytes, ...]:
    """What registries and tools of others keep attestations in."""
    signed = bundles()[0]
    return (
        others.github(signed, signed),
        others.npm(signed),
        others.cloud_build(others.ENVELOPE),
        raw(others.blob_bundle(others.SIGNED.bytes)),
        signed + b"\n" + signed + b"\n",
        raw(others.SIMPLE_SIGNING),
        sets()[0],
    )


@cache
def image() -> others.Layout:
    """An OCI layout of a bundle and of an envelope with annotations."""
    folder = tempfile.mkdtemp(prefix="glasswing-fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = others.Layout(Path(folder, "image"))
    return made.attest(others.SIGNED.bytes).attest_as_before(others.SECOND.bytes, chain=others.chain_of())


def image_manifests() -> tuple[bytes, ...]:
    """Its manifests."""
    return tuple(image().place(each).read_bytes() for each in image().manifests)


def entries() -> list[dict[str, Any]]:
    """The log entries of the bundles."""
    return [entry for each in bundles() for entry in json.loads(each)["verificationMaterial"].get("tlogEntries", ())]


@cache
def certificates() -> tuple[bytes, ...]:
    """A certificate with a promise, in DER, and one above it."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    leaf = SIGSTORE.certify(key, ME).public_bytes(Encoding.DER)
    return leaf, *(c.public_bytes(Encoding.DER) for c in SIGSTORE.root().authorities[0].chain)


@cache
def keys() -> tuple[bytes, ...]:
    """Public keys, in PEM and DER."""
    made = [KeySigner.generate(name).public_key for name in ("ed25519", "ecdsa-p256")]
    return (*(key.pem.encode() for key in made), *(key.der for key in made))


@cache
def private_keys() -> tuple[bytes, ...]:
    """A private key in PEM."""
    return (_written(KeySigner.generate("ed25519").write, "key.pem"),)


@cache
def followed() -> tuple[bytes, bytes]:
    """A layout of one step, and the link that follows it."""
    who = functionary()
    checked = {
        "_type": "inspection",
        "name": "look",
        "run": ["true"],
        "expected_materials": [],
        "expected_products": [],
    }
    laid = layout(step("make", who), signers=(who,), inspect=[checked])
    return metablock(laid, who), metablock(link("make", materials=things(a="a"), products=things(b="b")), who)


@cache
def revocations() -> bytes:
    """A revocation list."""
    entry = Revocation(key=SHA, since=NOW, reason="stolen")
    return RevocationList.of([entry], version=1, issued=NOW, expires=NOW + timedelta(days=30)).to_json()


@cache
def revocations_signed() -> bytes:
    """The same, signed by the trainer."""
    return signer("trainer").seal(revocations(), REVOCATIONS_TYPE)


@cache
def manifest() -> Manifest:
    """A manifest of a few files."""
    return Manifest.of_tree("dataset", [FileEntry(name=f"d/f{n}", size=n, sha256=SHA) for n in range(1, 8)])


@cache
def tree() -> ManifestTree:
    """A manifest of manifests."""
    directories = (Directory.of("a", manifest()), Directory.of("b/c", manifest()))
    return ManifestTree(directories=directories, files=(FileEntry(name="x", size=1, sha256=SHA),))


def proofs() -> tuple[Any, Any]:
    """A proof of inclusion, and one of consistency."""
    whole = MerkleTree.of(manifest())
    return whole.proof("d/f3"), whole.consistency(3)


@cache
def sets() -> tuple[bytes, ...]:
    """An attestation set."""
    return (AttestationSet(items=(*bundles()[:2], manifest())).to_bytes(),)


@cache
def case() -> bytes:
    """A case file."""
    return _written(lambda path: honest().assess().case(path), "case.zip")


@cache
def wheel() -> bytes:
    """A wheel."""
    with tempfile.TemporaryDirectory() as folder:
        return build_wheel(Path(folder), script="demo").read_bytes()


@cache
def lock() -> bytes:
    """A lock file."""
    with tempfile.TemporaryDirectory() as folder:
        return lock_of(build_wheel(Path(folder)))


def _written(write: Callable[[Path], object], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, name))
        return Path(folder, name).read_bytes()


def weights() -> tuple[bytes, ...]:
    """Files of weights, of every format that is read."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"a": [1, 2]}))
    words = [("general.name", value(ARRAY, (STRING).to_bytes(4, "little") + (1).to_bytes(8, "little") + string("a")))]
    return (
        safetensors({"a": ("F32", (2,), b"12345678"), "b": ("U8", (), b"9")}, {"format": "pt"}),
        gguf(words, [("t", (2, 3), 0, b"x" * 24)]),
        onnx(onnx_tensor("w", [2], raw=b"12345678")),
        archive.getvalue(),
        pickle.dumps([{"a": 1.5}, "b"], protocol=2),
        pickle.dumps([{"a": 1.5}, "b"], protocol=0),
        b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }".ljust(79) + b"\n12345678",
    )


TOKEN = jwt({"iss": "https://issuer.example", "sub": "me", "aud": ["a", "sigstore"], "exp": 2e9, "email": ME}).encode()
CROISSANT = raw(
    {
        "@context": {"@language": "en", "@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "name": "tiny",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": [
            {"@type": "cr:FileObject", "@id": "a", "name": "a.csv", "contentUrl": "data/a.csv", "sha256": SHA}
        ],
    }
)
HUB = raw([{"type": "file", "path": "a.bin", "oid": "3" * 40, "size": 7, "lfs": {"oid": SHA, "size": 7}}])
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 9\n".encode()
IMAGE = raw(
    {
        "schemaVersion": 2,
        "layers": [
            {
                "mediaType": "application/octet-stream",
                "digest": f"sha256:{SHA}",
                "size": 7,
                "annotations": {"org.opencontainers.image.title": "a.bin"},
            }
        ],
    }
)
SHARDS = raw({"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors"}})
POLICY_CASE = f"""version: 1
at: 2026-01-02T03:04:05Z
artifact: {{kind: model, digests: {{sha256: {SHA}}}}}
evidence: [{{base64: aGk=}}]
expect: {{verdict: refused, code: chain.no-attestation}}
""".encode()
SIGNING_CONFIG = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    **{
        name: [
            {"url": "https://x", "majorApiVersion": 1, "validFor": {"start": "2026-01-01T00:00:00Z"}, "operator": "x"}
        ]
        for name in ("caUrls", "oidcUrls", "rekorTlogUrls", "tsaUrls")
    },
    "rekorTlogConfig": {"selector": "ANY"},
    "tsaConfig": {"selector": "EXACT", "count": 1},
}


def client_config() -> bytes:
    """A trusted root and a signing config in one."""
    kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
    root = json.loads(SIGSTORE.trusted_root())
    return raw({"mediaType": kind, "trustedRoot": root, "signingConfig": SIGNING_CONFIG})


def fulcio_answers() -> tuple[bytes, ...]:
    """A certificate and those above it."""
    chain = [others.pem(der) for der in certificates()]
    return (raw({"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}),)


def rekor_answers() -> tuple[bytes, ...]:
    """What a log of version 1 answers."""
    entry = entries()[0]
    proof = entry["inclusionProof"]
    told = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
        "verification": {
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": [base64.b64decode(each).hex() for each in proof.get("hashes", ())],
                "logIndex": int(proof["logIndex"]),
                "rootHash": base64.b64decode(proof["rootHash"]).hex(),
                "treeSize": int(proof["treeSize"]),
            },
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        },
    }
    return (raw({"24296fb24b8ad77a": told}),)
