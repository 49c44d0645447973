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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest._wire import canonical_json
from glasswing_attest.attestation import Attestation
from glasswing_attest.claims import read, registry_of
from glasswing_attest.envelope import pae
from glasswing_attest.keys import PublicKey
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing.keys import encoded, sign, spki
from glasswing_attest.trust.root import Trust, TrustedKey
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification.certificate import FULCIO_CLAIMS
from glasswing_attest.verification.merkle import leaf_hash
from glasswing_attest.verification.procedure import prove
from tests.torture import mutators
from tests.torture.law import Facts, Outcome, Question, heads_of, judged
from tests.torture.materials import ARTIFACT, NOW, Material, others, ours, world
from tests.torture.mutators import Mutator
from tests.torture.stamps import stamped_anew
from tests.torture.target import Target, around, sign_p256

__all__ = ["KINDS", "Target", "targets"]


def _inside(
    material: Material,
    place: tuple[str | int, ...],
    mutator: Mutator,
    *,
    form: str,
    other: Material | None = None,
) -> Target | None:
    """Change what stands at a place of the bundle: base64, a text, or JSON. None where there is no such place.

    In base64 stand signatures, certificates and stamps. What is accepted of the first two is what was there.
    """
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
    before, after = around(document, holder, place[-1])
    write, read_part = _FORMS[form]
    fixed = read_part(value) if form == "base64" and place[-1] != "signedTimestamp" else None
    facts, may_lose = material.facts, material.may_lose

    def judge(part: bytes) -> Outcome:
        found = judged(material.question.ask(before + write(part) + after), facts, may_lose=may_lose)
        return found if fixed in (None, part) else Outcome.WRONG

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


@dataclass(frozen=True, kw_only=True)
class _Log:
    """A recorded log that holds what it is given, alone in its tree, and signs what it is given."""

    version: int
    key_id: bytes
    origin: str
    name: str
    integrated: int
    index: int

    @classmethod
    def of(cls, entry: dict[str, Any], version: int) -> _Log:
        note: str = entry["inclusionProof"]["checkpoint"]["envelope"]
        return cls(
            version=version,
            key_id=base64.b64decode(entry["logId"]["keyId"]),
            origin=note.partition("\n")[0],
            name=note.rstrip("\n").rpartition("\n")[2].split(" ")[1],
            integrated=int(entry.get("integratedTime", 0)),
            index=int(entry["logIndex"]),
        )

    def hold(self, entry: dict[str, Any], body: bytes, *, text: bytes | None = None) -> None:
        """Keep a body, and write all that proves it into the entry; or sign another text than that of its tree."""
        leaf = leaf_hash(body)
        entry["canonicalizedBody"] = encoded(body)
        if self.version == 1:
            promised = {
                "body": encoded(body),
                "integratedTime": self.integrated,
                "logID": self.key_id.hex(),
                "logIndex": self.index,
            }
            entry["inclusionPromise"] = {"signedEntryTimestamp": encoded(self._sign(canonical_json(promised)))}
        said = f"{self.origin}\n1\n{encoded(leaf)}\n".encode() if text is None else text
        line = f"\n\u2014 {self.name} {encoded(self.key_id[:4] + self._sign(said))}\n"
        entry["inclusionProof"] = {
            "logIndex": "0",
            "treeSize": "1",
            "hashes": [],
            "rootHash": encoded(leaf),
            "checkpoint": {"envelope": said.decode("utf-8", "surrogateescape") + line},
        }

    def _sign(self, message: bytes) -> bytes:
        key = world().logs[self.version]
        return sign_p256(key, message) if isinstance(key, ec.EllipticCurvePrivateKey) else sign(key, message)


def _asked_of(document: dict[str, Any], question: Question) -> Facts:
    return question.ask(json.dumps(document, separators=(",", ":")).encode())


def _another_body(material: Material, other: Material, version: int) -> Target:
    """A log that keeps whatever it is given: the body must still be about this signature, key and content."""
    document = material.document
    entry = document["verificationMaterial"]["tlogEntries"][0]
    log = _Log.of(entry, version)
    body = base64.b64decode(entry["canonicalizedBody"])
    theirs = base64.b64decode(other.document["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"])
    needed = _bound_by(body, material)

    def judge(changed: bytes) -> Outcome:
        log.hold(entry, changed)
        found = _asked_of(document, material.question)
        says = mutators.held(changed)
        about = all(value <= says.get(path, frozenset()) for path, value in needed.items()) and _told_once(changed)
        return Outcome.SAME if found.heads == material.facts.heads and about else Outcome.WRONG

    return Target(
        name=f"{material.name} body, logged anew", part=body, other=theirs, mutator=mutators.json_text, judge=judge
    )


def _bound_by(body: bytes, material: Material) -> dict[tuple[Any, ...], frozenset[bytes]]:
    """What a body must hold, by an independent reading, and where.

    Signature, certificate or key, and the digests of what was signed; its kind; and no more of any than there was.
    """
    document = material.document
    envelope, holder = document.get("dsseEnvelope"), document["verificationMaterial"]
    if envelope:
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        payload = base64.b64decode(envelope["payload"])
        digests = {hashlib.sha256(each).digest() for each in (payload, pae(envelope["payloadType"], payload))}
    else:
        signature = base64.b64decode(document["messageSignature"]["signature"])
        digests = {hashlib.sha256(ARTIFACT).digest()}
    if "certificate" in holder:
        signer = base64.b64decode(holder["certificate"]["rawBytes"])
    else:
        signer = material.question.trust.keys[0].key.der
    says = mutators.held(body)
    assert all(any(each in said for said in says.values()) for each in (signature, signer)), material.name
    digests |= {each.hex().encode() for each in digests}
    assert any(digests & said for said in says.values()), material.name
    wanted = frozenset({signature, signer, *digests})
    needed = {path: wanted & said for path, said in says.items() if wanted & said}
    around = {path[:at] for path in needed for at in range(len(path))} | {("kind",), ("apiVersion",)}
    return {**{path: says[path] for path in around if path in says}, **needed}


def _another_text(material: Material, other: Material, version: int) -> Target:
    """A log that signs whatever text it is given: size and root must still be those of the proof."""
    document = material.document
    entry = document["verificationMaterial"]["tlogEntries"][0]
    log = _Log.of(entry, version)
    body = base64.b64decode(entry["canonicalizedBody"])
    leaf = leaf_hash(body)
    theirs = other.document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]

    def judge(changed: bytes) -> Outcome:
        log.hold(entry, body, text=changed)
        found = _asked_of(document, material.question)
        origin, size, root, *more = changed.decode().split("\n")
        tree = (size, root) == ("1", encoded(leaf)) and not more[-1] and "" not in more[:-1]
        told = {position.tree for position in found.logs} <= {origin}
        return Outcome.SAME if found.heads == material.facts.heads and tree and told else Outcome.WRONG

    return Target(
        name=f"{material.name} checkpoint, signed anew",
        part=f"{log.origin}\n1\n{encoded(leaf)}\n".encode(),
        other=theirs.encode(),
        mutator=mutators.note,
        judge=judge,
    )


_FULCIO = "1.3.6.1.4.1.57264.1"
_SCTS = bytes.fromhex("060a2b06010401d679020402")
"""The OID of promises inside a certificate, in DER (RFC 6962, section 3.3)."""


def _issued(tbs: bytes) -> bytes:
    """Have the recorded authority sign a certificate's content."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    signature = sign_p256(world().authority, tbs)
    return mutators.write_der([(0x30, tbs + algorithm + mutators.write_der([(0x03, b"\0" + signature)]))])


def _with_certificate(material: Material) -> Callable[[bytes, Question], Facts]:
    """Give what asks about the bundle with another certificate in it, and in its log."""
    document = material.document
    holder = document["verificationMaterial"]
    entry, was = holder["tlogEntries"][0], holder["certificate"]["rawBytes"].encode()
    log = _Log.of(entry, 2)
    before, after = base64.b64decode(entry["canonicalizedBody"]).split(was)

    def ask(der: bytes, question: Question) -> Facts:
        holder["certificate"] = {"rawBytes": encoded(der)}
        log.hold(entry, before + encoded(der).encode() + after)
        return _asked_of(document, question)

    return ask


def _leaf_of(material: Material) -> x509.Certificate:
    return x509.load_der_x509_certificate(
        base64.b64decode(material.document["verificationMaterial"]["certificate"]["rawBytes"])
    )


def _another_certificate(material: Material, other: Material) -> Target:
    """An authority that issues whatever it is given: what is told must stand in it, and it must still be a leaf."""
    root = replace(world().root, profile=Profile(scts=0, logs=1, times=1))
    question = replace(material.question, trust=Trust(roots=(root,)))
    content, (_, names, named, *_, fingerprint), times = material.facts.head
    ask = _with_certificate(material)

    def judge(changed: bytes) -> Outcome:
        der = _issued(changed)
        told, signer, when = ask(der, question).head
        same = (told, when, signer[1], signer[2], signer[7]) == (content, times, names, named, fingerprint)
        return Outcome.SAME if same and _stands_in(der, signer, [time for time, _ in when[0]]) else Outcome.WRONG

    return Target(
        name=f"{material.name} certificate, issued anew",
        part=_leaf_of(material).tbs_certificate_bytes,
        other=_leaf_of(other).tbs_certificate_bytes,
        mutator=mutators.der,
        judge=judge,
    )


def _stands_in(der: bytes, signer: tuple[Any, ...], times: list[datetime]) -> bool:
    """Tell whether a certificate is one for signing code, good at these times, that says all that is told of it."""
    _, _, _, issuer, san, claims, not_before, _ = signer
    certificate = x509.load_der_x509_certificate(der)
    by_type = {type(each.value): each.value for each in certificate.extensions}
    unknown = [each for each in certificate.extensions if isinstance(each.value, x509.UnrecognizedExtension)]
    values = {each.oid.dotted_string: each.value.value for each in unknown}
    arcs = {name: arc for arc, name in FULCIO_CLAIMS.items()}
    v2, v1 = values.get(f"{_FULCIO}.8"), values.get(f"{_FULCIO}.1")
    said = v1 if v2 is None else (mutators.parse_der(v2) or [(0, b"")])[0][1]
    usages, usage = by_type.get(x509.ExtendedKeyUsage, ()), by_type.get(x509.KeyUsage)
    constraints = by_type.get(x509.BasicConstraints)
    named = by_type.get(x509.SubjectAlternativeName, ())
    return all(
        (
            certificate.version is x509.Version.v3,
            certificate.issuer == world().issuer.subject,
            certificate.not_valid_before_utc == not_before,
            times,
            all(not_before <= each <= certificate.not_valid_after_utc for each in times),
            ExtendedKeyUsageOID.CODE_SIGNING in usages,
            isinstance(usage, x509.KeyUsage) and usage.digital_signature and not usage.key_cert_sign,
            constraints is None or (isinstance(constraints, x509.BasicConstraints) and not constraints.ca),
            not any(each.critical for each in unknown),
            len(list(named)) == 1,
            san and san.encode() in der,
            issuer.encode() == said if issuer else v1 is v2 is None,
            all(values[f"{_FULCIO}.{arcs[name]}"][2:].endswith(value.encode()) for name, value in claims),
            len(claims) == sum(f"{_FULCIO}.{arc}" in values for arc in arcs.values()),
        )
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
    (promise,) = mutators.list_of_promises(part)
    assert promise[41:43] == b"\0\0", "it has no extensions"
    ask = _with_certificate(material)

    def judge(changed: bytes) -> Outcome:
        found = ask(_issued(mutators.write_der(_with_promises(tbs, changed))), material.question)
        # The one promise, but for the two bytes that name its algorithms: no log signs them, and its key fixes them.
        whole = any((each[:43], each[45:]) == (promise[:43], promise[45:]) for each in _listed(changed))
        return Outcome.SAME if found.heads == material.facts.heads and whole else Outcome.WRONG

    return Target(
        name=f"{material.name} promises, issued anew",
        part=part,
        other=_promises_of(_leaf_of(other).tbs_certificate_bytes),
        mutator=mutators.promises,
        judge=judge,
    )


def _listed(changed: bytes) -> list[bytes]:
    """Give the items of a list of promises that says how long it is, and how long each is; none of another."""
    items = mutators.list_of_promises(changed)
    body = b"".join(len(each).to_bytes(2) + each for each in items)
    return items if changed == len(body).to_bytes(2) + body else []


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
    part, swap = (k.key.der if form == "DER" else k.key.pem.encode("ascii") for k in (trusted, theirs))

    def judge(changed: bytes) -> Outcome:
        key = PublicKey.from_pem(changed)
        trust = replace(material.question.trust, keys=(replace(trusted, key=key),))
        found = judged(replace(material.question, trust=trust).ask(material.bundle), material.facts)
        # Whichever way it is written, it is trusted under the one name of the key that signed.
        return found if key == trusted.key and key.hints == trusted.key.hints else Outcome.WRONG

    mutator = mutators.keys if form == "DER" else mutators.pem
    return Target(name=f"{material.name} trusted key in {form}", part=part, other=swap, mutator=mutator, judge=judge)


def _log_key(material: Material, version: int) -> Target:
    """A key of a log in the trusted root that is not the log's: nothing is proved by it, or it is the same key."""
    document = json.loads(json.dumps(world().document))
    mine, theirs = (document["tlogs"][at]["publicKey"] for at in (version - 1, 2 - version))
    part, other = (base64.b64decode(each["rawBytes"]) for each in (mine, theirs))
    before, after = around(document, mine, "rawBytes")
    (root,) = material.question.trust.roots
    public = spki(world().logs[version].public_key())

    def judge(changed: bytes) -> Outcome:
        data = before + json.dumps(encoded(changed)).encode() + after
        read_root = Root.parse(data, name=root.name, profile=root.profile)
        question = replace(material.question, trust=replace(material.question.trust, roots=(read_root,)))
        found = judged(question.ask(material.bundle), material.facts)
        return found if public in {log.key.der for log in read_root.logs} else Outcome.WRONG

    name = f"{material.name} key of the log in the root"
    return Target(name=name, part=part, other=other, mutator=mutators.keys, judge=judge)


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
    for version in (1, 2):
        yield from (_log_key(material, version) for material, _ in _pairs(f"v{version}"))


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
    for start in ("v2", "key witnessed"):
        for pair in _pairs(start):
            yield from stamped_anew(*pair)


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
