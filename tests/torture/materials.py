"""What is tortured? Bundles that prove something, and where in them each kind of material stands.

Ours are recorded beside this file, with the keys of the Sigstore in memory that made them (`record`): signed anew they
would differ each time, and no finding could be found again. Others' come from ../shared/data, if it is there.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.errors import GlasswingError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing.keys import PrivateKey
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile, Root
from tests.bundles import question, with_profile
from tests.shared import Case, cases, shared_folder, unpacked
from tests.torture.law import Facts, Question

__all__ = ["Material", "World", "ours", "others", "record", "world"]

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
    def document(self) -> dict[str, Any]:
        """The bundle's JSON, anew each time."""
        found: dict[str, Any] = json.loads(self.bundle)
        return found


@dataclass(frozen=True, kw_only=True)
class World:
    """The Sigstore that made ours: its root, and the keys by which an entry or a certificate is signed anew."""

    root: Root
    document: Mapping[str, Any]
    authority: ec.EllipticCurvePrivateKey
    logs: Mapping[int, PrivateKey]


@cache
def _recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED.read_bytes())
    return found


@cache
def world() -> World:
    """Give the recorded Sigstore."""
    keys = {name: bytes.fromhex(value) for name, value in _recorded()["keys"].items()}
    p256 = {name: ec.derive_private_key(int.from_bytes(keys[name]), ec.SECP256R1()) for name in ("authority", "log 1")}
    return World(
        root=Root.parse(json.dumps(_recorded()["root"]).encode(), name="virtual", profile=PUBLIC_GOOD),
        document=_recorded()["root"],
        authority=p256["authority"],
        logs={1: p256["log 1"], 2: ed25519.Ed25519PrivateKey.from_private_bytes(keys["log 2"])},
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
    times = {head[-1] for head in asked.ask(bundle).heads}
    (told,) = times
    witnesses = {witness for _, witness in told}
    if len(witnesses) != len(told):
        return None
    profile = replace(trust.roots[0].profile, times=max(1, len(told)))
    strict = replace(asked, trust=replace(trust, roots=(with_profile(trust.roots[0], profile),)))
    strict.ask(bundle)
    return strict


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
    """Make ours anew, with new keys. Findings of before are then found no more."""
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
    raw: Any = sigstore.logs[1]._key
    keys = {
        "authority": _scalar(sigstore.authorities[0]._key),
        "log 1": _scalar(sigstore.logs[0]._key),
        "log 2": raw.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex(),
    }
    document = {"keys": keys, "root": json.loads(sigstore.trusted_root()), "materials": made}
    RECORDED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _scalar(key: PrivateKey) -> str:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32).hex()
