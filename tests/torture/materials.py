"""What is tortured? Bundles that prove something, and where in them each kind of material stands.

Ours are recorded beside this file (`record`): signed anew they would differ each time, and no finding could be found
again. The keys of the Sigstore in memory that made them are derived from numbers which are public (`p256_of`), so that
changed material can be signed anew; no key is recorded. Others' come from ../shared/data, if it is there.
"""

import base64
import contextlib
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.errors import GlasswingError, TimeUnproven
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing import keys as testing_keys
from glasswing_attest.testing.keys import PrivateKey
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile, Root
from tests.bundles import question, with_profile
from tests.shared import Case, cases, shared_folder, unpacked
from tests.torture.law import Facts, Question

__all__ = ["Material", "World", "others", "ours", "record", "world"]

RECORDED = Path(__file__).with_name("recorded.json")
ARTIFACT = b"weights"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LARGEST = 16_000
STAMPED = Profile(scts=1, logs=1, times=2, stamps=1)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A bundle, how it is asked about, and what it proves."""

    name: str
    bundle: bytes
    question: Question
    facts: Facts

    @property
    def may_lose(self) -> bool:
        """Whether it may come without a proof of where it is logged."""
        return str(self.document["mediaType"]).endswith("version=0.1")

    @property
    def document(self) -> dict[str, Any]:
        """The bundle's JSON, anew each time."""
        found: dict[str, Any] = json.loads(self.bundle)
        return found


@dataclass(frozen=True, kw_only=True)
class World:
    """The Sigstore that made ours: its root, and the keys by which what was changed is signed anew."""

    root: Root
    document: Mapping[str, Any]
    authority: ec.EllipticCurvePrivateKey
    issuer: x509.Certificate
    clock: ec.EllipticCurvePrivateKey
    clock_chain: tuple[x509.Certificate, ...]
    logs: Mapping[int, PrivateKey]


def p256_of(number: int) -> ec.EllipticCurvePrivateKey:
    """Give the private key of a number, which everybody can: nothing but the torture may believe it."""
    return ec.derive_private_key(int.from_bytes(_seed(number)), ec.SECP256R1())


def ed25519_of(number: int) -> ed25519.Ed25519PrivateKey:
    """Give the same for Ed25519."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(_seed(number))


def _seed(number: int) -> bytes:
    return hashlib.sha256(b"glasswing-attest tests/torture, key %d" % number).digest()


@cache
def _recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_bytes())
    return found


@cache
def world() -> World:
    """Give the recorded Sigstore."""
    numbers, document = _recorded()["keys"], _recorded()["root"]
    chains = [
        tuple(
            x509.load_der_x509_certificate(base64.b64decode(each["rawBytes"]))
            for each in document[authorities][0]["certChain"]["certificates"]
        )
        for authorities in ("certificateAuthorities", "timestampAuthorities")
    ]
    return World(
        root=Root.parse(json.dumps(document).encode(), name="virtual", profile=PUBLIC_GOOD),
        document=document,
        authority=p256_of(numbers["authority"]),
        issuer=chains[0][0],
        clock=p256_of(numbers["clock"]),
        clock_chain=chains[1],
        logs={1: p256_of(numbers["log 1"]), 2: ed25519_of(numbers["log 2"])},
    )


@cache
def ours() -> tuple[Material, ...]:
    """Give our own bundles: of each kind of log, with and without stamps, of artifacts, and by keys."""
    found = []
    for each in _recorded()["materials"]:
        root = replace(world().root, profile=STAMPED if each["name"].startswith("v1 stamped") else PUBLIC_GOOD)
        keys: tuple[TrustedKey, ...] = ()
        if each["key"]:
            witness = Witness(root="virtual", logs=1, times=1) if "witnessed" in each["name"] else None
            keys = (TrustedKey(name="key", key=PublicKey.from_pem(each["key"]), witness=witness),)
        asked = Question(
            trust=Trust(roots=(root,), keys=keys), content=ARTIFACT if "artifact" in each["name"] else None
        )
        found.append(_material(each["name"], json.dumps(each["bundle"], separators=(",", ":")).encode(), asked))
    return tuple(found)


def _material(name: str, bundle: bytes, asked: Question) -> Material:
    return Material(name=name, bundle=bundle, question=asked, facts=asked.ask(bundle))


# --- what others made ------------------------------------------------------------------------------------------------


@cache
def others() -> tuple[Material, ...]:
    """Give bundles that others made and that we accept: one of each client and shape; none where there are no cases."""
    try:
        folder, stack = unpacked(), shared_folder() / "recorded-stack"
    except FileNotFoundError:
        return ()
    found: dict[object, Material] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a certificate among them names a country with three letters
        for shape, material in (*_of_cases(folder), *_of_stack(stack)):
            found.setdefault(shape, material)
    assert len(found) > 15, "the third-party bundles are not what they were"
    return tuple(found.values())


def _of_cases(folder: Path) -> Iterator[tuple[object, Material]]:
    for parameter in cases("sigstore-bundle"):
        case: Case = parameter.values[0]
        if case.expect != "accept":
            continue
        try:
            asked = question(case, folder)
            digest = asked.digest if asked.digest and asked.content is None else None
            strict = _all_needed(asked.bundle, asked.trust, asked.content, digest)
        except GlasswingError:
            continue  # contested: we say no
        if strict is None or len(asked.bundle) > LARGEST or asked.pem is not None:
            continue
        document = json.loads(asked.bundle)
        entries = document["verificationMaterial"].get("tlogEntries") or [{}]
        kind = entries[0].get("kindVersion", {})
        shape = (case.corpus, document["mediaType"], kind.get("kind"), kind.get("version"), "dsseEnvelope" in document)
        yield shape, _material(case.id, asked.bundle, strict)


def _of_stack(folder: Path) -> Iterator[tuple[object, Material]]:
    root = Root.parse((folder / "trusted_root.json").read_bytes(), name="stack", profile=PUBLIC_GOOD)
    for path in sorted(folder.glob("*.sigstore.json")):
        content = b"x" if path.name.startswith("gha-") else (folder / "artifact.bin").read_bytes()
        strict = _all_needed(path.read_bytes(), Trust(roots=(root,)), content, None)
        if strict is not None:
            yield path.name, _material(f"stack:{path.name.partition('.')[0]}", path.read_bytes(), strict)


def _all_needed(
    bundle: bytes, trust: Trust, content: bytes | None, digest: tuple[str, bytes] | None
) -> Question | None:
    """Ask for every witness that the bundle has, so that one less is a no; None where one counts twice."""
    message = isinstance(Bundle.from_json(bundle).content, MessageSignature)
    asked = Question(trust=trust, content=content if message else None, digest=digest)
    told = asked.ask(bundle).head[-1][0]
    witnesses = {witness for _, witness in told}
    if len(witnesses) != len(told):
        return None
    # Where a stamp tells the same as the log does, it takes this to make one stamp less a no.
    for stamps in (1, 0):
        profile = replace(trust.roots[0].profile, times=max(1, len(told)), stamps=stamps)
        strict = replace(asked, trust=replace(trust, roots=(with_profile(trust.roots[0], profile),)))
        with contextlib.suppress(TimeUnproven):
            strict.ask(bundle)
            return strict
    return None


# --- recording ours --------------------------------------------------------------------------------------------------


def _statement(number: int) -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": f"model-{number}.safetensors", "digest": {"sha256": f"{number:02x}" * 32}},
                {"name": "config.json", "digest": {"sha256": "cd" * 32, "sha512": f"{number:02x}" * 64}},
            ],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://acme.example/train/v1",
                    "externalParameters": {"epochs": number, "rate": "0.1"},
                    "resolvedDependencies": [
                        {"uri": "git+https://acme.example/train", "digest": {"gitCommit": "ab" * 20}},
                        {"name": "data", "digest": {"sha256": "ef" * 32}, "annotations": {"role": "dataset"}},
                    ],
                },
                "runDetails": {
                    "builder": {"id": "https://ci.example/trainer"},
                    "metadata": {"invocationId": f"run/{number}", "startedOn": "2026-01-02T03:04:05Z"},
                },
            },
        }
    ).encode()


def record() -> None:
    """Make ours anew. Findings of before are then found no more."""
    made: list[PrivateKey] = []

    def derive(of: Callable[[int], PrivateKey]) -> PrivateKey:
        made.append(key := of(len(made)))
        return key

    kinds = {"p256": lambda: derive(p256_of), "ed25519": lambda: derive(ed25519_of)}
    with mock.patch.object(testing_keys, "KEYS", kinds):
        _record(made)


def _record(keys: list[PrivateKey]) -> None:
    sigstore = VirtualSigstore()
    clock = sigstore.add_clock()
    people = (Holder.github("acme/train"), Holder.of("mallory@evil.example"))
    made: list[dict[str, Any]] = []

    def add(name: str, bundle: bytes, key: str | None = None) -> None:
        made.append({"name": name, "key": key, "bundle": json.loads(bundle)})

    for number, who in enumerate(people):
        payload = _statement(number)
        for name, log, kind, stamps in (
            ("v1 dsse", "v1", "dsse", 0),
            ("v1 intoto", "v1", "intoto", 0),
            ("v1 stamped", "v1", "dsse", [clock]),
            ("v2", "v2", "dsse", 1),
        ):
            signed = sigstore.sign(payload, identity=who, log=log, kind=kind, stamps=stamps)  # type: ignore[arg-type]
            add(f"{name} #{number}", signed.bytes)
        add(f"v1 artifact #{number}", sigstore.sign_artifact(ARTIFACT, identity=who, log="v1", stamps=0))
        add(f"v2 artifact #{number}", sigstore.sign_artifact(ARTIFACT, identity=who, log="v2"))
        for algorithm in ("ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-3072"):
            signer = KeySigner.generate(algorithm)
            add(f"key {algorithm} #{number}", signer.seal(payload, PAYLOAD_TYPE), signer.public_key.pem)
        signer = KeySigner.generate()
        witnessed = sigstore.sign(payload, identity=signer, log="v2", stamps=1)
        add(f"key witnessed #{number}", witnessed.bytes, signer.public_key.pem)
    services = {
        "authority": sigstore.authorities[0]._key,
        "clock": sigstore.clocks[0]._key,
        "log 1": sigstore.logs[0]._key,
        "log 2": sigstore.logs[1]._key,
    }
    numbers = {name: keys.index(key) for name, key in services.items()}
    document = {"keys": numbers, "root": json.loads(sigstore.trusted_root()), "materials": made}
    RECORDED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
