"""Where does a change go in, and what is asked then?

A target is one piece of material in one bundle. What is *inside* is changed in the bundle as it came. What is *signed
anew* is changed behind the signature that guards it: a log that holds another body, an authority that issues another
certificate. So the checks behind the signatures are reached as well; what may be told then is held against the changed
material itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from glasswing_attest._wire import canonical_json
from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import read, registry_of
from glasswing_attest.envelope import pae
from glasswing_attest.keys import PublicKey
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing.keys import encoded, sign
from glasswing_attest.trust.root import Trust, TrustedKey
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification.merkle import leaf_hash
from glasswing_attest.verification.procedure import prove
from tests.torture import mutators
from tests.torture.law import Facts, Outcome, Question, heads_of, judged
from tests.torture.materials import NOW, Material, others, ours, world
from tests.torture.mutators import Mutator

__all__ = ["KINDS", "Target", "targets"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One piece of material.

    Attributes:
        name: where it stands: the bundle's name, and the place in it.
        part, other: the material, and what another valid document has there.
        mutator: how it is changed.
        judge: asks the engine about the changed material. It raises what the engine raises.
    """

    name: str
    part: bytes
    other: bytes
    mutator: Mutator
    judge: Callable[[bytes], Outcome]


_MARK = "\u0001here\u0001"


def _inside(
    material: Material,
    place: tuple[str | int, ...],
    mutator: Mutator,
    *,
    form: str,
    other: Material | None = None,
) -> Target | None:
    """Change what stands at a place of the bundle: base64, a text, or JSON. None where there is no such place."""
    document = material.document
    holder: Any = document
    try:
        for step in place[:-1]:
            holder = holder[step]
        value = holder[place[-1]]
        theirs: Any = (other or material).document
        for step in place:
            theirs = theirs[step]
    except (KeyError, IndexError):
        if holder is not document and other is not None:
            return _inside(material, place, mutator, form=form)
        return None
    holder[place[-1]] = _MARK
    before, after = (half.encode() for half in json.dumps(document, separators=(",", ":")).split(json.dumps(_MARK)))
    write, read_part = _FORMS[form]

    def judge(part: bytes) -> Outcome:
        return judged(material.question.ask(before + write(part) + after), material.facts)

    name = ".".join(map(str, place))
    return Target(
        name=f"{material.name} {name}", part=read_part(value), other=read_part(theirs), mutator=mutator, judge=judge
    )


_FORMS: dict[str, tuple[Callable[[bytes], bytes], Callable[[Any], bytes]]] = {
    "base64": (lambda part: b'"' + base64.b64encode(part) + b'"', base64.b64decode),
    "text": (
        lambda part: json.dumps(part.decode("utf-8", "surrogateescape")).encode(),
        lambda value: value.encode("utf-8"),
    ),
    "json": (lambda part: part, lambda value: json.dumps(value, separators=(",", ":")).encode()),
}


def _others_of(material: Material, among: tuple[Material, ...]) -> Material | None:
    """Give another document with the same shape, so that it has something at the same place."""
    shape = material.name.partition("#")[0]
    same = [m for m in among if m is not material and m.name.partition("#")[0] == shape]
    if same:
        return same[0]
    at = among.index(material)
    return among[at - 1] if len(among) > 1 else None


def _everywhere(
    places: tuple[tuple[tuple[str | int, ...], Mutator, str], ...], wanted: Callable[[Material], bool]
) -> Iterator[Target]:
    for group in (ours(), others()):
        for material in group:
            if not wanted(material):
                continue
            for place, mutator, form in places:
                found = _inside(material, place, mutator, form=form, other=_others_of(material, group))
                if found is not None:
                    yield found


def _entry_versions(material: Material) -> set[str]:
    entries = material.document["verificationMaterial"].get("tlogEntries") or []
    return {"v2" if each["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.2"} else "v1" for each in entries}


def _has_certificate(material: Material) -> bool:
    return "publicKey" not in material.document["verificationMaterial"]


# --- what is signed anew ---------------------------------------------------------------------------------------------


def _relogged(entry: dict[str, Any], body: bytes, *, version: int, text: bytes | None = None) -> None:
    """Have the recorded log hold another body, alone in its tree; or sign another text than the tree's."""
    key = world().logs[version]
    leaf = leaf_hash(body)
    entry["canonicalizedBody"] = encoded(body)
    if version == 1:
        promised = {
            "body": encoded(body),
            "integratedTime": int(entry["integratedTime"]),
            "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
            "logIndex": int(entry["logIndex"]),
        }
        entry["inclusionPromise"] = {"signedEntryTimestamp": encoded(sign(key, canonical_json(promised)))}
    was: str = entry["inclusionProof"]["checkpoint"]["envelope"]
    origin, line = was.partition("\n")[0], was.rstrip("\n").rpartition("\n")[2]
    name, log_id = line.split(" ")[1], base64.b64decode(entry["logId"]["keyId"])
    said = f"{origin}\n1\n{encoded(leaf)}\n".encode() if text is None else text
    signed = encoded(log_id[:4] + sign(key, said))
    envelope = said.decode("utf-8", "surrogateescape") + f"\n\u2014 {name} {signed}\n"
    checkpoint = {"envelope": envelope}
    entry["inclusionProof"] = {
        "logIndex": "0",
        "treeSize": "1",
        "hashes": [],
        "rootHash": encoded(leaf),
        "checkpoint": checkpoint,
    }


def _asked_of(material: Material, document: dict[str, Any], question: Question | None = None) -> Facts:
    return (question or material.question).ask(json.dumps(document, separators=(",", ":")).encode())


def _another_body(material: Material, other: Material, version: int) -> Target:
    """A log that keeps whatever it is given: the body must still be about this signature, key and content."""
    entry = material.document["verificationMaterial"]["tlogEntries"][0]
    body = base64.b64decode(entry["canonicalizedBody"])
    theirs = base64.b64decode(other.document["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"])
    needed = _bound_by(body, material)
    assert needed, "nothing in the body is about this signature"

    def judge(changed: bytes) -> Outcome:
        document = material.document
        _relogged(document["verificationMaterial"]["tlogEntries"][0], changed, version=version)
        found = _asked_of(material, document)
        about = needed <= mutators.flatten(changed)
        return Outcome.SAME if found.heads == material.facts.heads and about else Outcome.WRONG

    return Target(
        name=f"{material.name} body, logged anew", part=body, other=theirs, mutator=mutators.json_text, judge=judge
    )


def _bound_by(body: bytes, material: Material) -> frozenset[bytes]:
    """What a body must hold, by an independent reading: the signature and the certificate of the bundle."""
    document = material.document
    envelope, held = document.get("dsseEnvelope"), document["verificationMaterial"]
    signature = envelope["signatures"][0]["sig"] if envelope else document["messageSignature"]["signature"]
    wanted = {base64.b64decode(signature)}
    if "certificate" in held:
        wanted.add(base64.b64decode(held["certificate"]["rawBytes"]))
    return frozenset(wanted & mutators.flatten(body))


def _another_text(material: Material, other: Material, version: int) -> Target:
    """A log that signs whatever text it is given: size and root must still be those of the proof."""
    entry = material.document["verificationMaterial"]["tlogEntries"][0]
    body = base64.b64decode(entry["canonicalizedBody"])
    leaf = leaf_hash(body)
    root = encoded(leaf)
    origin = entry["inclusionProof"]["checkpoint"]["envelope"].partition("\n")[0]
    theirs = other.document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]

    def judge(changed: bytes) -> Outcome:
        document = material.document
        _relogged(document["verificationMaterial"]["tlogEntries"][0], body, version=version, text=changed)
        found = _asked_of(material, document)
        lines = changed.split(b"\n")
        tree = lines[1] == b"1" and mutators.lax_base64(lines[2].decode()) == leaf
        told = all(position.tree.encode() == lines[0] for position in found.logs)
        return Outcome.SAME if found.heads == material.facts.heads and tree and told else Outcome.WRONG

    text = f"{origin}\n1\n{root}\n".encode()
    return Target(
        name=f"{material.name} checkpoint, signed anew",
        part=text,
        other=theirs.encode(),
        mutator=mutators.note,
        judge=judge,
    )


_SCTS = bytes.fromhex("060a2b06010401d679020402")
"""The OID of promises inside a certificate, in DER (RFC 6962, section 3.3)."""


def _issued(tbs: bytes) -> bytes:
    """Have the recorded authority sign a certificate's content."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    signature = world().authority.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return mutators.write_der([(0x30, tbs + algorithm + mutators.write_der([(0x03, b"\0" + signature)]))])


def _with_certificate(material: Material, der: bytes) -> dict[str, Any]:
    document = material.document
    held = document["verificationMaterial"]
    was = held["certificate"]["rawBytes"]
    held["certificate"] = {"rawBytes": encoded(der)}
    entry = held["tlogEntries"][0]
    body = base64.b64decode(entry["canonicalizedBody"]).replace(was.encode(), encoded(der).encode())
    _relogged(entry, body, version=2)
    return document


def _leaf_of(material: Material) -> x509.Certificate:
    return x509.load_der_x509_certificate(
        base64.b64decode(material.document["verificationMaterial"]["certificate"]["rawBytes"])
    )


def _another_certificate(material: Material, other: Material) -> Target:
    """An authority that issues whatever it is given: what is told must stand in it, and it must still be a leaf."""
    root = replace(world().root, profile=Profile(scts=0, logs=1, times=1))
    question = replace(material.question, trust=Trust(roots=(root,)))
    (head,) = material.facts.heads

    def judge(changed: bytes) -> Outcome:
        der = _issued(changed)
        (found,) = _asked_of(material, _with_certificate(material, der), question).heads
        content, signer, times = found
        _, names, named, issuer, san, claims, _, fingerprint = signer
        assert isinstance(san, str)
        assert isinstance(issuer, str)
        assert isinstance(claims, tuple)
        told = [san, issuer, *(value for _, value in claims)]
        stands = all(each.encode() in der for each in told)
        same = (content, times, names, named, fingerprint) == (
            head[0],
            head[2],
            head[1][1],
            head[1][2],
            head[1][7],
        )
        return Outcome.SAME if stands and same and san else Outcome.WRONG

    return Target(
        name=f"{material.name} certificate, issued anew",
        part=_leaf_of(material).tbs_certificate_bytes,
        other=_leaf_of(other).tbs_certificate_bytes,
        mutator=mutators.der,
        judge=judge,
    )


def _promises_of(der: bytes) -> bytes:
    """The list of promises of a certificate, out of its two octet strings (RFC 6962, section 3.3)."""
    pile = mutators.parse_der(der) or []
    while pile:
        _, inner = pile.pop()
        if isinstance(inner, bytes):
            continue
        if inner and mutators.write_der(inner[:1]) == _SCTS:
            (value,) = mutators.parse_der(_content_of(inner[-1])) or []
            return _content_of(value)
        pile += inner
    raise LookupError("a certificate without promises")


def _content_of(element: tuple[int, bytes | mutators.Der]) -> bytes:
    return element[1] if isinstance(element[1], bytes) else mutators.write_der(element[1])


def _other_promises(material: Material, other: Material) -> Target:
    """An authority that puts whatever it is given in the place of the promises: one of a trusted log must be whole."""
    certificate = _leaf_of(material)
    part = _promises_of(certificate.tbs_certificate_bytes)
    tbs = mutators.parse_der(certificate.tbs_certificate_bytes)
    assert tbs is not None
    # The one promise, but for the two bytes that name its algorithms: no log signs them, and its key fixes them.
    head, tail = part[4:47], part[49:]
    whole = re.compile(re.escape(head) + rb".." + re.escape(tail), re.DOTALL)

    def judge(changed: bytes) -> Outcome:
        der = _issued(mutators.write_der(_with_promises(tbs, changed)))
        found = _asked_of(material, _with_certificate(material, der))
        same = found.heads == material.facts.heads and whole.search(changed)
        return Outcome.SAME if same else Outcome.WRONG

    return Target(
        name=f"{material.name} promises, issued anew",
        part=part,
        other=_promises_of(_leaf_of(other).tbs_certificate_bytes),
        mutator=mutators.promises,
        judge=judge,
    )


def _with_promises(elements: mutators.Der, promises: bytes) -> mutators.Der:
    found: mutators.Der = []
    for tag, inner in elements:
        if isinstance(inner, bytes):
            found.append((tag, inner))
        elif inner and mutators.write_der(inner[:1]) == _SCTS:
            found.append((tag, [inner[0], (0x04, mutators.write_der([(0x04, promises)]))]))
        else:
            found.append((tag, _with_promises(inner, promises)))
    return found


_TYPES = registry_of()
_STRANGER = ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"who signs anything").digest())


def _another_statement(material: Material, other: Material) -> Target:
    """A key that signs whatever it is given: what is read must be what any reader of JSON finds, told once."""
    key = PublicKey.of(_STRANGER.public_key())
    trust = Trust(keys=(TrustedKey(name="stranger", key=key),))

    def judge(changed: bytes) -> Outcome:
        envelope = {
            "payload": encoded(changed),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": encoded(_STRANGER.sign(pae(PAYLOAD_TYPE, changed)))}],
        }
        proved = prove(Attestation.parse(json.dumps(envelope).encode()), trust, claimed_at=NOW)
        (payload,) = {told[0] for told in heads_of(proved)}
        statement = proved[0].statement
        plain = json.loads(changed)
        said = (plain["predicateType"], [(s.get("name") or "", s.get("digest") or {}) for s in plain["subject"]])
        read_as = (statement.predicate_type, [(s.name, s.digest.to_dict()) for s in statement.subjects])
        if payload != changed or said != read_as or not _told_once(changed):
            return Outcome.WRONG
        read(proved[0], _TYPES)
        return Outcome.SAME

    return Target(
        name=f"{material.name} statement, signed anew",
        part=base64.b64decode(material.document["dsseEnvelope"]["payload"]),
        other=base64.b64decode(other.document["dsseEnvelope"]["payload"]),
        mutator=mutators.json_text,
        judge=judge,
    )


def _told_once(data: bytes) -> bool:
    """Tell whether no object of a document has one name twice."""
    twice = False

    def pairs(found: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({name for name, _ in found}) != len(found)

    json.loads(data, object_pairs_hook=pairs)
    return not twice


# --- keys ------------------------------------------------------------------------------------------------------------


def _trusted_key(material: Material, other: Material, form: str) -> Target:
    """A key in the trust that is not the key which was meant: nothing is proved by it, or it is the same key."""
    (trusted,), (theirs,) = material.question.trust.keys, other.question.trust.keys
    part, swap = (k.key.der if form == "DER" else k.key.pem.encode("ascii") for k in (trusted, theirs))  # noqa: RUF100

    def judge(changed: bytes) -> Outcome:
        key = replace(trusted, key=PublicKey.from_pem(changed))
        trust = replace(material.question.trust, keys=(key,))
        return judged(replace(material.question, trust=trust).ask(material.bundle), material.facts)

    mutator = mutators.der if form == "DER" else mutators.pem
    return Target(name=f"{material.name} trusted key in {form}", part=part, other=swap, mutator=mutator, judge=judge)


# --- kinds -----------------------------------------------------------------------------------------------------------

_HELD = "verificationMaterial"
_ENTRY: tuple[str | int, ...] = (_HELD, "tlogEntries", 0)
_LEAF: tuple[str | int, ...] = (_HELD, "certificate", "rawBytes")


def _pairs(start: str) -> Iterator[tuple[Material, Material]]:
    """Two bundles of ours that differ in who signed what, and are alike otherwise."""
    by_name = {m.name: m for m in ours()}
    for name, material in by_name.items():
        if name.startswith(start) and name.endswith("#0"):
            yield material, by_name[name.replace("#0", "#1")]


def _certificate() -> Iterator[Target]:
    yield from _everywhere(
        (
            (_LEAF, mutators.der, "base64"),
            ((_HELD, "certificate"), mutators.json_text, "json"),
            ((_HELD, "x509CertificateChain", "certificates", 0, "rawBytes"), mutators.der, "base64"),
            ((_HELD, "x509CertificateChain"), mutators.json_text, "json"),
        ),
        _has_certificate,
    )
    for pair in _pairs("v2"):
        yield _another_certificate(*pair)


def _key() -> Iterator[Target]:
    signed = (("dsseEnvelope", "signatures", 0, "sig"), mutators.der, "base64")
    hint = ((_HELD, "publicKey"), mutators.json_text, "json")
    yield from _everywhere((signed, hint), lambda m: not _has_certificate(m))
    for pair in _pairs("key"):
        yield from (_trusted_key(*pair, form) for form in ("DER", "PEM"))


def _rekor(version: int) -> Iterator[Target]:
    yield from _everywhere(((_ENTRY, mutators.json_text, "json"),), lambda m: f"v{version}" in _entry_versions(m))
    for start in (f"v{version}", *(["key witnessed"] if version == 2 else [])):
        for mine, other in _pairs(start):
            yield _another_body(mine, other, version)


def _timestamp() -> Iterator[Target]:
    stamps = (_HELD, "timestampVerificationData")
    places = (
        ((*stamps, "rfc3161Timestamps", 0, "signedTimestamp"), mutators.der, "base64"),
        (stamps, mutators.json_text, "json"),
    )
    yield from _everywhere(places, lambda m: bool(m.document[_HELD].get("timestampVerificationData")))


def _sct() -> Iterator[Target]:
    for group in (ours(), others()):
        for material in group:
            other = _others_of(material, group)
            target = _inside(material, _LEAF, mutators.promises, form="base64", other=other)
            if target is not None and _SCTS in target.part:
                yield _promises_inside(target)
    for pair in _pairs("v2"):
        yield _other_promises(*pair)


def _promises_inside(target: Target) -> Target:
    """Change only the promises of a certificate, which its authority signed."""
    whole, judge = mutators.parse_der(target.part), target.judge
    assert whole is not None, target.name
    return replace(
        target,
        part=_promises_of(target.part),
        other=_promises_of(target.other if _SCTS in target.other else target.part),
        judge=lambda changed: judge(mutators.write_der(_with_promises(whole, changed))),
    )


def _checkpoint() -> Iterator[Target]:
    place = (*_ENTRY, "inclusionProof", "checkpoint", "envelope")
    yield from _everywhere(((place, mutators.note, "text"),), lambda m: bool(_entry_versions(m)))
    for version in (1, 2):
        for pair in _pairs(f"v{version}"):
            yield _another_text(*pair, version)


def _statement() -> Iterator[Target]:
    places = (
        (("dsseEnvelope", "payload"), mutators.json_text, "base64"),
        (("dsseEnvelope",), mutators.json_text, "json"),
        (("messageSignature",), mutators.json_text, "json"),
    )
    yield from _everywhere(places, lambda _: True)
    for pair in _pairs("key ed25519"):
        yield _another_statement(*pair)


KINDS: dict[str, Callable[[], Iterator[Target]]] = {
    "certificate": _certificate,
    "key": _key,
    "rekor-v1": lambda: _rekor(1),
    "rekor-v2": lambda: _rekor(2),
    "timestamp": _timestamp,
    "sct": _sct,
    "checkpoint": _checkpoint,
    "statement": _statement,
}
"""Each kind of material, with its targets."""


@cache
def targets(kind: str) -> tuple[Target, ...]:
    """Give the targets of a kind, always in the same order; never none.

    There are fewer whose material is signed anew. They are repeated until they are a third of all.
    """
    found = tuple(KINDS[kind]())
    anew = [target for target in found if target.name.endswith(" anew")]
    inside = [target for target in found if not target.name.endswith(" anew")]
    assert len(inside) > 3, kind
    return (*inside, *(anew * (len(inside) // (2 * len(anew)) + 1) if anew else ()))
