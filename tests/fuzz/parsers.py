"""Which functions read foreign bytes, and from what does fuzzing each of them start?

`PARSERS` is the registry: by name, what reads, documents that we made, and patterns of documents that others made,
below ../shared/data. The law is one: whatever the bytes, a value or a `GlasswingError`, which is one printable line.
`test_fuzz.py` holds that every public function that reads bytes is reached from here, or left out with a reason.
"""

import atexit
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import ec

from glasswing_attest import _wire
from glasswing_attest._proto import manifest_pb2
from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact import croissant, hub, installed, launchers, oci
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.digest import Digest
from glasswing_attest.artifact.formats import detect, gguf, onnx, safetensors, shard_index
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.gitignore import IgnoreFile
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.manifests import ManifestTree
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.proofs import ConsistencyProof, InclusionProof
from glasswing_attest.artifact.rows.digests import digest_rows
from glasswing_attest.artifact.wheel import Wheel
from glasswing_attest.attestation import Attestation
from glasswing_attest.attestation_set import AttestationSet
from glasswing_attest.bundle import Bundle, LogEntry
from glasswing_attest.capture import host
from glasswing_attest.capture.image import ImageReference
from glasswing_attest.chain.layout.check import Inspected, verify_layout
from glasswing_attest.chain.layout.document import Layout
from glasswing_attest.chain.seen import Seen
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import FieldRefused, GlasswingError, StoreUnavailable
from glasswing_attest.formats import cosign, misplaced, reading
from glasswing_attest.formats import oci as oci_layout
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.metablock import Metablock
from glasswing_attest.policy.cel import condition
from glasswing_attest.policy.cel.tree import NotRead
from glasswing_attest.policy.cel.values import NoValue
from glasswing_attest.policy.paths import parse_path
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy_tests.case import load_case
from glasswing_attest.report.case import unpack
from glasswing_attest.signing.backends.uri import KeyUri
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.signing.services import fulcio, github, http, rekor, tiles, tsa
from glasswing_attest.signing.services.http import Answer, Http
from glasswing_attest.signing.tokens import Token
from glasswing_attest.statement.predicates import oms, witness
from glasswing_attest.statement.predicates.build_types import from_config_source
from glasswing_attest.statement.predicates.cyclonedx import CycloneDX
from glasswing_attest.statement.predicates.openvex import OpenVex
from glasswing_attest.statement.predicates.registry import BUILT_IN
from glasswing_attest.statement.predicates.spdx import Spdx2, Spdx3
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store.pile import gather
from glasswing_attest.store.set_file import SetFileStore
from glasswing_attest.store.sidecar import SidecarStore
from glasswing_attest.store.subjects import subjects_of
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.revocation import RevocationList
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.signing_config import SigningConfig, read_client_trust_config
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification import certificate, clock, entry, revocation, sct, signature
from glasswing_attest.verification.note import Checkpoint, Note
from glasswing_attest.verification.procedure import prove, prove_message
from tests.chains import NOW, honest
from tests.fuzz import seeds
from tests.layouts import public
from tests.properties.test_predicates import SAMPLES
from tests.shared import unpacked
from tests.unit.capture import test_host as host_texts
from tests.unit.formats import others

Read = Callable[[bytes], object]
Made = Callable[[], Iterable[bytes]]
FOR_ANYBODY = Profile(scts=0, logs=0, times=1)
_LARGEST = 64 * 1024
"""Of others' documents, larger ones are left out: what spoils them takes too long, and reaches no more code."""
_MOST = 24


@dataclass(frozen=True, kw_only=True)
class Parser:
    """A function that reads foreign bytes.

    Attributes:
        read: reads; what it gives is of no interest.
        made: documents of its kind that we made, of which at least one is read without an error.
        others: patterns of documents that others made, below ../shared/data unpacked.
        never: why none of these is read to its end.
    """

    read: Read
    made: Made
    others: tuple[str, ...] = ()
    never: str = ""


def keeps_the_law(parser: Parser, data: bytes) -> bool:
    """Read, and tell whether it was read. Whatever else than our own error comes out goes on to the caller."""
    try:
        parser.read(data)
    except GlasswingError as e:
        told = str(e)
        assert told.isprintable(), f"not one printable line: {told!r}"
        assert len(told) < 16_000, f"a message of {len(told)} characters"
        return False
    return True


@cache
def corpus(name: str) -> tuple[bytes, ...]:
    """What fuzzing this parser starts from. Raises `LookupError` where a pattern, or all of them, give nothing."""
    parser = PARSERS[name]
    found = list(parser.made())
    folder = _others()
    for pattern in () if folder is None else parser.others:
        paths = [
            path
            for path in sorted((folder or Path()).glob(pattern))
            if path.is_file() and path.stat().st_size <= _LARGEST
        ]
        if not paths:
            raise LookupError(f"{name}: nothing is {pattern}")
        step = -(-len(paths) // _MOST)
        found += [path.read_bytes() for path in paths[::step]]
    if not found:
        raise LookupError(f"{name}: the corpus is empty")
    return tuple(dict.fromkeys(found))


@cache
def _others() -> Path | None:
    try:
        return unpacked()
    except FileNotFoundError:
        return None


# --- what stands around a parser -------------------------------------------------------------------------------------


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="glasswing-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def in_file(name: str, read: Callable[[Path], object]) -> Read:
    """Read the bytes from a file of this name."""

    def from_file(data: bytes) -> object:
        path = _folder() / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return read(path)

    return from_file


def as_text(read: Callable[[str], object]) -> Read:
    """Read the bytes as a text; what is no UTF-8 is replaced, as whoever gives a text did that."""
    return lambda data: read(data.decode("utf-8", "replace"))


def as_node(read: Callable[[Node], object]) -> Read:
    """Read the bytes as JSON."""
    return lambda data: read(read_json(data))


class Answers(Http):
    """A service that answers this to whatever it is asked."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        super().__init__()
        self.answer = Answer(status=status, headers={}, body=body)

    def ask(self, *_: Any, read: Callable[[Answer], Any], **__: Any) -> Any:
        return read(self.answer)


@cache
def _signed() -> signature.SignedPayload:
    """A signature by a certificate, as the log entry is about it."""
    made = Attestation.parse(seeds.bundles()[0])
    return next(iter(signature.check(made, ())))


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def _token() -> Token:
    return Token.parse(seeds.TOKEN.decode())


def _body(data: bytes) -> object:
    """Every kind of entry reads the body as its own."""
    bundle = json.loads(seeds.bundles()[0])
    whole = LogEntry.parse(Node(_wire.parse_json(seeds.raw(bundle["verificationMaterial"]["tlogEntries"][0]))))
    said = read_json(data, where="canonicalizedBody")
    kind, version = said.get_text("kind"), said.get_text("apiVersion")
    entry.check_body(replace(whole, canonicalized_body=data, kind=kind, version=version), _signed())
    return said


def _promises(data: bytes) -> object:
    root = seeds.SIGSTORE.root()
    return sct.promising_logs(certificate.load(data, where="c"), root.authorities[0].chain[0], root.ct_logs)


def _stamp(data: bytes) -> object:
    told = clock.time_unverified(data)
    return told, clock.check_stamp(data, b"signature", seeds.SIGSTORE.root().clocks)


def _blob(_algorithm: str, digest: str) -> bytes:
    found = {path.name: path for path in (seeds.image().folder / "blobs" / "sha256").iterdir()}.get(digest)
    if found is None:
        raise StoreUnavailable(where="blobs")
    return found.read_bytes()


def _image(manifest: bytes) -> object:
    """A manifest in a layout, whose index names it by its digest."""
    digest = hashlib.sha256(manifest).hexdigest()
    descriptor = {**seeds.image().manifests[0], "digest": f"sha256:{digest}", "size": len(manifest)}
    index = seeds.raw({"manifests": [descriptor]})
    return list(oci_layout.attestations(index, lambda a, d: manifest if d == digest else _blob(a, d)))


def _layer(data: bytes) -> object:
    """An envelope's annotations."""
    return cosign.from_layer(others.ENVELOPE, read_json(data))


def _holds(text: str) -> object:
    """As long as a policy's may be (`Requirement.where`)."""
    budget = Budget(Limits(where_steps=10_000), "where_steps")
    try:
        return condition.holds(condition.read(text[:8192]), {"predicate": {"a": [1, 2]}}, budget=budget)
    except (NotRead, NoValue) as e:  # a policy's own, which it makes a refusal or a finding of
        raise FieldRefused(because=str(e)) from e


def _path(text: str) -> object:
    try:
        return parse_path(text)
    except ValueError as e:  # which pydantic makes a complaint about the policy of
        raise FieldRefused(because=str(e)) from e


def _followed(document: bytes, made: bytes) -> object:
    """A layout, and a link of its one step."""
    key = public(seeds.functionary())
    looked = Inspected(materials={}, products={})
    return verify_layout(document, [made], keys=[key], at=NOW, inspections={"look": looked})


def _message(data: bytes) -> object:
    """A bundle that signs an artifact directly."""
    digest = ("sha256", hashlib.sha256(b"weights").digest())
    return prove_message(Bundle.from_json(data), seeds.SIGSTORE.trust(), digest=digest, content=b"weights")


def _revocations(data: bytes) -> object:
    """A revocation list that somebody signed, or not."""
    trust = replace(honest().trust, revocation_signers=("trainer",))
    return revocation.check(data, trust, now=NOW)


def _oci_layout(data: bytes) -> object:
    """A layout on disk with this index."""
    folder = _folder() / "image"
    if not folder.is_dir():
        shutil.copytree(seeds.image().folder, folder)
    (folder / "index.json").write_bytes(data)
    return gather(folder)


def _ignored(data: bytes) -> object:
    rules = IgnoreFile(data)
    paths = ((b"a",), (b"build", b"a.pyc"), (b"x" * 60, b"y", b"z"))
    return [rules.decide(path, is_directory=folder) for path in paths for folder in (True, False)]


def _refused(data: bytes) -> object:
    """What a service says as it refuses: its body, and what a header asks of us."""
    told = Answer(status=400, headers={"retry-after": data.decode("latin-1")}, body=data)
    return http._message(told), http._retry_after(told)


def _there_already(data: bytes) -> object:
    """A log of tiles, whose checkpoint and tiles are whatever it says."""
    return tiles.proof_from_tiles(3, 7, lambda _: data)


def _identity(data: bytes) -> object:
    address, secret = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
    with patch.dict(os.environ, {address: "https://x", secret: "secret"}):
        return github.ask_for_token(Answers(data), "sigstore")


def _host(data: bytes) -> object:
    text = data.decode("utf-8", "replace")
    return [getattr(host, name)(text) for name in host.__all__ if name.startswith("parse_")]


def _predicates() -> dict[str, Parser]:
    """A parser for each predicate type; the sample is that of the laws of predicates."""
    types = {kind.uri: kind for kind in (*BUILT_IN, *oms.OLDER_TYPES, *witness.TYPES)}
    return {
        f"predicate {uri}": Parser(
            read=as_node(lambda node, kind=kind: kind.parse(node, DEFAULT)),  # type: ignore[misc]
            made=lambda uri=uri: (seeds.raw(SAMPLES[uri]),),  # type: ignore[misc]
        )
        for uri, kind in types.items()
    }


def _records() -> dict[str, Parser]:
    return {
        f"{type(record).__name__} {form}": Parser(read=read, made=lambda data=data: (data,))  # type: ignore[misc]
        for record in seeds.RECORDS
        for form, read, data in (
            ("json", type(record).from_json, record.to_json()),
            ("proto", type(record).from_proto, record.to_proto()),
        )
    }


def _policies() -> Iterable[bytes]:
    return (honest().policy.to_json(),)


def _trusts() -> Iterable[bytes]:
    return honest().trust.to_json(), seeds.SIGSTORE.trust().to_json()


STATEMENTS = ("in-toto-attestation-verifier/**/*.json", "slsa-verifier/**/*.intoto.jsonl", "witness/**/*.json")
CONTAINERS = ("pypi-attestations/**/*.provenance", "pypi-attestations/**/*.attestation", "gh-cli/**/*.json*")
BUNDLES = ("*/**/*.sigstore.json", "*/**/*.sigstore")

PARSERS: dict[str, Parser] = {
    # The wire.
    "json": Parser(read=_wire.parse_json, made=lambda: (seeds.payload(),), others=("jcs/**/input/*.json",)),
    "base64": Parser(read=as_text(_wire.decode_base64), made=lambda: (b"aGk=", b"-_-_", b"aGVsbG8gd29ybGQ")),
    "time": Parser(read=as_text(_wire.parse_time), made=lambda: (b"2026-01-02T03:04:05.678+01:00",)),
    "text": Parser(read=_wire.decode_utf8, made=lambda: ("größe".encode(),)),
    "protobuf": Parser(
        read=lambda data: _wire.parse_proto(manifest_pb2.Manifest, data), made=lambda: (seeds.manifest().to_proto(),)
    ),
    # Evidence.
    "attestation": Parser(read=Attestation.parse, made=seeds.attestations, others=BUNDLES),
    "attestation file": Parser(read=in_file("a.json", Attestation.load), made=seeds.attestations),
    "bundle": Parser(read=Bundle.from_json, made=seeds.bundles, others=BUNDLES),
    "envelope": Parser(
        read=Envelope.from_json,
        made=lambda: (others.ENVELOPE, *seeds.attestations()[-2:-1]),
        others=("c2sp-dsse/*.json", "slsa-verifier/**/*.intoto.jsonl"),
    ),
    "metablock": Parser(
        read=as_node(Metablock.parse), made=seeds.metablocks, others=("in-toto-*/**/*.link", "in-toto-*/**/*.layout")
    ),
    "layout": Parser(
        read=as_node(lambda node: Layout.parse(node, substitution={}, limits=DEFAULT)), made=seeds.layouts
    ),
    "layout, followed": Parser(
        read=lambda data: _followed(data, seeds.followed()[1]),
        made=lambda: seeds.followed()[:1],
        others=("in-toto-*/**/*.layout",),
    ),
    "link of a layout": Parser(
        read=lambda data: _followed(seeds.followed()[0], data),
        made=lambda: seeds.followed()[1:],
        others=("in-toto-*/**/*.link",),
    ),
    "statement": Parser(read=Statement.parse_unverified, made=lambda: (seeds.payload(),), others=STATEMENTS),
    "formats": Parser(read=reading.read, made=seeds.containers, others=CONTAINERS),
    "formats, known": Parser(read=reading.knows, made=seeds.containers, others=CONTAINERS),
    "formats, by their start": Parser(read=misplaced.by_start, made=lambda: (b"version: 1\nkeys: {}\n", b"PK\3\4")),
    "formats, one": Parser(read=reading.parse, made=seeds.attestations, others=CONTAINERS),
    "oci index": Parser(
        read=lambda data: list(oci_layout.attestations(data, _blob)),
        made=lambda: ((seeds.image().folder / "index.json").read_bytes(),),
        others=("slsa-verifier/**/index.json",),
    ),
    "oci manifest": Parser(read=_image, made=seeds.image_manifests),
    "cosign annotations": Parser(read=_layer, made=lambda: (seeds.raw(others.legacy(others.SIGNED.bytes)[1]),)),
    "set": Parser(read=AttestationSet.from_bytes, made=seeds.sets),
    "set, item by item": Parser(read=lambda data: list(AttestationSet.stream(io.BytesIO(data))), made=seeds.sets),
    "pile": Parser(read=gather, made=seeds.containers, others=CONTAINERS),
    "what a store enters": Parser(read=subjects_of, made=seeds.attestations),
    "store in a set": Parser(
        read=in_file("s.glasswing", lambda path: list(SetFileStore(path).list())), made=seeds.sets
    ),
    "store beside": Parser(
        read=in_file("model.attestations.jsonl", lambda path: list(SidecarStore(path.parent / "model").list())),
        made=lambda: (b"\n".join(json.dumps(json.loads(each)).encode() for each in seeds.attestations()),),
    ),
    "store in an OCI layout": Parser(
        read=_oci_layout,
        made=lambda: ((seeds.image().folder / "index.json").read_bytes(),),
        others=("slsa-verifier/**/index.json",),
    ),
    "set file": Parser(read=in_file("a.glasswing", AttestationSet.read), made=seeds.sets),
    "case": Parser(read=in_file("case.zip", unpack), made=lambda: (seeds.case(),)),
    "seen": Parser(read=Seen.parse, made=lambda: (honest().assess().seen.to_json(),)),
    "seen file": Parser(read=in_file("seen.json", Seen.load), made=lambda: (honest().assess().seen.to_json(),)),
    # Predicates, and the documents that some of them are.
    **_predicates(),
    **_records(),
    "cyclonedx": Parser(
        read=CycloneDX.parse,
        made=lambda: (seeds.raw(SAMPLES["https://cyclonedx.org/bom"]),),
        others=("cyclonedx-*/**/*.json",),
    ),
    "spdx 2": Parser(read=Spdx2.parse, made=lambda: (seeds.raw(SAMPLES["https://spdx.dev/Document"]),)),
    "spdx 3": Parser(
        read=Spdx3.parse,
        made=lambda: (seeds.raw(SAMPLES["https://spdx.dev/Document/v3"]),),
        others=("spdx-examples/**/spdx3.0/*.json",),
    ),
    "openvex": Parser(
        read=OpenVex.parse,
        made=lambda: (seeds.raw(SAMPLES["https://openvex.dev/ns"]),),
        others=("openvex-*/**/*.json",),
    ),
    # Whom to believe, and what to ask for.
    "policy.yaml": Parser(read=Policy.parse, made=_policies),
    "policy.json": Parser(read=lambda data: Policy.parse(data, suffix=".json"), made=_policies),
    "policy.toml": Parser(
        read=lambda data: Policy.parse(data, suffix=".toml"),
        made=lambda: (
            b'version = 1\ntimes = "claimed"\n[identities]\nme = {key = "me"}\n[nodes.file]\n'
            b'require = [{predicate = "x:y", signed_by = {any_of = ["me"]}}]\n',
        ),
    ),
    "policy file": Parser(read=in_file("policy.yaml", Policy.load), made=_policies),
    "condition": Parser(
        read=as_text(_holds),
        made=lambda: (b'predicate.a.all(x, x > 0) && "a".matches("^a") || size(predicate.a) == 1',),
    ),
    "path": Parser(read=as_text(_path), made=lambda: (b"predicate.a['b.c'][0]", b"predicate.runDetails.builder.id")),
    "trust.yaml": Parser(read=Trust.parse, made=_trusts),
    "trust.json": Parser(read=lambda data: Trust.parse(data, suffix=".json"), made=_trusts),
    "trust file": Parser(read=in_file("trust.yaml", Trust.load), made=_trusts),
    "trusted root": Parser(
        read=lambda data: Root.parse(data, name="r", profile=FOR_ANYBODY),
        made=lambda: (seeds.SIGSTORE.trusted_root(),),
        others=("_trust/*trusted_root.json", "sigstore-*/**/*trusted*root*.json"),
    ),
    "private root": Parser(
        read=lambda data: private_root("r", data),
        made=lambda: (others.pem(seeds.certificates()[-1]).encode(),),
        others=("sigstore-python/**/*.pem",),
    ),
    "signing config": Parser(read=SigningConfig.parse, made=lambda: (seeds.raw(seeds.SIGNING_CONFIG),)),
    "client trust config": Parser(
        read=lambda data: read_client_trust_config(data, name="r", profile=FOR_ANYBODY),
        made=lambda: (seeds.client_config(),),
        others=("sigstore-python/**/trust_config/*.json",),
    ),
    "revocations": Parser(read=RevocationList.parse, made=lambda: (seeds.revocations(),)),
    "revocations, signed": Parser(read=_revocations, made=lambda: (seeds.revocations_signed(),)),
    "key": Parser(read=PublicKey.from_pem, made=seeds.keys, others=("*/**/*.pub",)),
    "private key": Parser(read=KeySigner.from_pem, made=seeds.private_keys),
    "private key file": Parser(read=in_file("key.pem", KeySigner.from_file), made=seeds.private_keys),
    "key uri": Parser(
        read=as_text(KeyUri.parse), made=lambda: (b"file:key.pem", b"awskms:///alias/a", b"pkcs11:token=a;object=b")
    ),
    # What is proved.
    "note": Parser(
        read=as_text(Note.parse),
        made=lambda: (e["inclusionProof"]["checkpoint"]["envelope"].encode() for e in seeds.entries()),
        others=("c2sp-dsse/note.txt", "sigstore-java/**/checkpoints/*.txt"),
    ),
    "checkpoint": Parser(
        read=as_text(Checkpoint.parse),
        made=lambda: (Note.parse(e["inclusionProof"]["checkpoint"]["envelope"]).text.encode() for e in seeds.entries()),
    ),
    "log entry": Parser(read=as_node(LogEntry.parse), made=lambda: map(seeds.raw, seeds.entries())),
    "entry body": Parser(
        read=_body, made=lambda: (_wire.decode_base64(e["canonicalizedBody"]) for e in seeds.entries())
    ),
    "certificate": Parser(read=certificate.Leaf.parse, made=lambda: seeds.certificates()[:1]),
    "certificate, promises": Parser(read=_promises, made=seeds.certificates),
    "timestamp": Parser(
        read=_stamp,
        made=lambda: (seeds.SIGSTORE.clocks[0].stamp(b"signature"),),
        others=("sigstore-java/**/*.tsr",),
    ),
    "prove": Parser(
        read=lambda data: prove(Attestation.parse(data), seeds.SIGSTORE.trust(), claimed_at=None),
        made=lambda: (*seeds.bundles()[:3],),
    ),
    "prove, no statement": Parser(read=_message, made=lambda: seeds.bundles()[3:5]),
    # Artifacts.
    "digest": Parser(read=as_text(Digest.parse), made=lambda: (f"sha256:{seeds.SHA}".encode(),)),
    "manifest": Parser(read=Manifest.from_proto, made=lambda: (seeds.manifest().to_proto(),)),
    "manifest file": Parser(
        read=in_file("m.manifest", Manifest.from_proto_file), made=lambda: (seeds.manifest().to_proto(),)
    ),
    "listing": Parser(read=Manifest.from_listing, made=lambda: (seeds.manifest().listing,)),
    "manifest tree": Parser(read=ManifestTree.from_proto, made=lambda: (seeds.tree().to_proto(),)),
    "inclusion proof json": Parser(read=InclusionProof.from_json, made=lambda: (seeds.proofs()[0].to_json(),)),
    "inclusion proof": Parser(read=InclusionProof.from_proto, made=lambda: (seeds.proofs()[0].to_proto(),)),
    "inclusion proof file": Parser(
        read=in_file("p.json", InclusionProof.load), made=lambda: (seeds.proofs()[0].to_json(),)
    ),
    "consistency proof json": Parser(read=ConsistencyProof.from_json, made=lambda: (seeds.proofs()[1].to_json(),)),
    "consistency proof": Parser(read=ConsistencyProof.from_proto, made=lambda: (seeds.proofs()[1].to_proto(),)),
    "safetensors": Parser(read=lambda data: safetensors.read(Bytes(data, "w")), made=lambda: seeds.weights()[:1]),
    "gguf": Parser(read=lambda data: gguf.read(Bytes(data, "w")), made=lambda: seeds.weights()[1:2]),
    "onnx": Parser(read=lambda data: onnx.read(Bytes(data, "w")), made=lambda: seeds.weights()[2:3]),
    "weights of any kind": Parser(read=lambda data: detect.detect(Bytes(data, "w"), "w.bin"), made=seeds.weights),
    "config.json": Parser(
        read=in_file("model/config.json", lambda path: Model(path.parent).describe()),
        made=lambda: (b'{"architectures": ["A"], "model_type": "a", "torch_dtype": "float32", "num_labels": 2}',),
    ),
    "rows of jsonl": Parser(
        read=in_file("jsonl/a.jsonl", lambda path: digest_rows(Dataset(path.parent))),
        made=lambda: (b'{"a": 1, "b": [true, null, 1.5]}\n{"a": "x"}\n',),
    ),
    "rows of csv": Parser(
        read=in_file("csv/a.csv", lambda path: digest_rows(Dataset(path.parent))),
        made=lambda: (b'a,b\n1,"x ""y"""\n2,\n',),
    ),
    "shard index": Parser(read=shard_index.read, made=lambda: (seeds.SHARDS,)),
    "wheel": Parser(
        read=in_file("demo-1.0-py3-none-any.whl", Wheel.read),
        made=lambda: (seeds.wheel(),),
        others=("pypi-attestations/**/*.whl",),
    ),
    "lock": Parser(read=Lock.parse, made=lambda: (seeds.lock(),)),
    "lock file": Parser(read=in_file("pylock.toml", Lock.load), made=lambda: (seeds.lock(),)),
    "croissant": Parser(read=croissant.read_croissant, made=lambda: (seeds.CROISSANT,)),
    "hub": Parser(read=hub.read_hub, made=lambda: (seeds.HUB,)),
    "lfs pointer": Parser(read=lambda data: hub.read_lfs_pointer(data, "w"), made=lambda: (seeds.LFS,)),
    "image manifest": Parser(read=oci.read_oci, made=lambda: (seeds.IMAGE,)),
    "METADATA": Parser(
        read=lambda data: installed.parse_metadata(data, where="m"),
        made=lambda: (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",),
    ),
    "WHEEL": Parser(
        read=lambda data: installed.parse_tags(data, where="w"),
        made=lambda: (b"Wheel-Version: 1.0\nTag: py3-none-any\n",),
    ),
    "INSTALLER": Parser(read=lambda data: installed.parse_installer(data, where="i"), made=lambda: (b"pip\n",)),
    "direct_url.json": Parser(
        read=lambda data: installed.parse_direct_url(data, where="d"),
        made=lambda: (
            b'{"url": "https://x/a.whl", "archive_info": {"hashes": {"sha256": "%s"}}}' % seeds.SHA.encode(),
            b'{"url": "https://x/r", "vcs_info": {"vcs": "git", "commit_id": "%s"}}' % (b"ab" * 20),
        ),
    ),
    "RECORD": Parser(
        read=lambda data: installed.parse_record(data, site="lib/site", prefix="/p", where="r"),
        made=lambda: (b"demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\ndemo/RECORD,,\n",),
    ),
    "entry_points.txt": Parser(
        read=lambda data: launchers.parse_entry_points(data, where="e"),
        made=lambda: (b"[console_scripts]\ndemo = demo:main\n",),
    ),
    ".gitignore": Parser(read=_ignored, made=lambda: (b"*.pyc\n/build/\n!keep.pyc\na/**/b\n[a-z!]?\\ \n# no\n",)),
    "host": Parser(read=_host, made=lambda: (text.encode() for text in host_texts.TEXTS)),
    "image": Parser(read=as_text(ImageReference.parse), made=lambda: (f"acme/x:1@sha256:{seeds.SHA}".encode(),)),
    "config source": Parser(
        read=as_text(lambda text: [from_config_source(*parts) for parts in [text.partition("\n")[::2]]]),
        made=lambda: (
            b"https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1\nhttps://github.com/acme/x/commit/" + b"ab" * 20,
        ),
    ),
    "policy test": Parser(
        read=in_file("a.case.yaml", lambda path: load_case(path.parent, path.name)),
        made=lambda: (seeds.POLICY_CASE,),
    ),
    # What services answer.
    "token": Parser(read=as_text(Token.parse), made=lambda: (seeds.TOKEN,)),
    "answer of fulcio": Parser(
        read=lambda data: fulcio.certify(Answers(data), "https://x", _key(), _token()), made=seeds.fulcio_answers
    ),
    "answer of rekor v1": Parser(
        read=lambda data: rekor.log_v1(Answers(data), "https://x", _signed()), made=seeds.rekor_answers
    ),
    "answer of rekor v2": Parser(
        read=lambda data: rekor.log_v2(Answers(data), "https://x", _signed()),
        made=lambda: map(seeds.raw, seeds.entries()),
    ),
    "answer that refuses": Parser(
        read=_refused, made=lambda: (b'{"code": 3, "message": "no"}', b"Wed, 21 Oct 2026 07:28:00 GMT", b"120")
    ),
    "tiles of a log": Parser(read=_there_already, made=lambda: (bytes(range(224)),)),
    "answer of github": Parser(read=_identity, made=lambda: (b'{"count": 1, "value": "' + seeds.TOKEN + b'"}',)),
    "answer of a clock": Parser(
        read=lambda data: tsa.stamp(Answers(data), "https://x", b"signature"),
        made=lambda: (seeds.SIGSTORE.clocks[0].stamp(b"signature"),),
        never="the nonce of the query is another one each time",
    ),
}
