"""Where do sigstore-python and we answer differently, and why is each of these differences no fault of ours?

A reason is not a pattern of error messages. It is a repair: the same question without what the two read differently.
Whoever said yes must still say yes to the repaired question, and then the other one agrees; so a repair cannot hide a
wrong yes behind two refusals. What we proved must stay: the same payload, by the same signer. A repair never asks us
what is good, nor drops what might be bad of what counts. The few things that sigstore-python does not do at all have no
repair: they are told by what is in the bundle, and sigstore-go, where it is built, has the say on them.

A difference that no reason explains, alone or with up to two others, is a failure.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from cryptography.x509 import OtherName, SubjectAlternativeName, load_der_x509_certificate

from glasswing_attest._wire import decode_base64
from glasswing_attest.bundle import Bundle, Certificates
from glasswing_attest.errors import GlasswingError
from glasswing_attest.verification.certificate import Leaf
from tests.differential.asked import Answer, Asked, ours, theirs
from tests.differential.mutate import element, elements

__all__ = ["REASONS", "Reason", "explained"]

_MOST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why one engine says no where the other says yes.

    Attributes:
        name: what it is called in the table.
        stricter: who says no.
        why: in a sentence, and why ours is right or does no harm.
        repair: gives the question without it, or None where it is not there.
        lacks: instead of a repair: tells whether the bundle needs what sigstore-python does not do.
    """

    name: str
    stricter: Literal["we", "they"]
    why: str
    repair: Callable[[Asked], Asked | None] | None = None
    lacks: Callable[[Bundle], bool] | None = None


Ask = Callable[[Asked], Answer]


def explained(asked: Asked, we: Answer, ask: Ask = theirs, judge: Ask | None = None) -> tuple[str, ...] | None:
    """The fewest reasons for the difference between `we` and the engine that `ask` asks, by name; None: unexplained.

    `judge` has the say on what that engine does not do at all. Without one, nobody has.
    """
    known = [reason for reason in REASONS if reason.stricter == ("they" if we.yes else "we")]
    if we.yes and ask is theirs:
        bundle = Bundle.from_json(asked.bundle)
        lacking = next((reason.name for reason in known if reason.lacks is not None and reason.lacks(bundle)), "")
        if lacking and (judge is None or judge(asked).yes):
            return (lacking,)
        if lacking and judge is not None:
            beyond = explained(asked, we, judge)
            return None if beyond is None else (lacking, *beyond)
    fixed = [asked, *filter(None, (_repaired(asked, (reason,)) for reason in known))]  # one repair may uncover another
    present = [reason for reason in known if any(_repaired(each, (reason,)) is not None for each in fixed)]
    for count in range(1, _MOST + 1):
        for tried in combinations(present, count):
            repaired = _repaired(asked, tried)
            if repaired is not None and _joined(repaired, we, ask):
                return tuple(reason.name for reason in tried)
    return None


def _joined(repaired: Asked, we: Answer, ask: Ask) -> bool:
    """Tell whether both say yes now, and to what we said yes to before."""
    now = ours(repaired)
    if not now.yes or (we.yes and (now.payload, now.signer) != (we.payload, we.signer)):
        return False
    they = ask(repaired)
    return they.yes and (ask is not theirs or they.payload == now.payload)


def _repaired(asked: Asked, reasons: tuple[Reason, ...]) -> Asked | None:
    for reason in reasons:
        try:
            fixed = None if reason.repair is None else reason.repair(asked)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, GlasswingError):
            return None  # what it would repair is not there
        if fixed is None or fixed == asked:
            return None
        asked = fixed
    return asked


# --- repairs of the bundle -------------------------------------------------------------------------------------------


def _in_bundle(edit: Callable[[dict[str, Any]], Any]) -> Callable[[Asked], Asked | None]:
    def repair(asked: Asked) -> Asked | None:
        document = json.loads(asked.bundle)
        before = json.dumps(document)
        edit(document)
        after = json.dumps(document)
        return None if after == before else replace(asked, bundle=after.encode())

    return repair


def _in_root(edit: Callable[[dict[str, Any]], Any]) -> Callable[[Asked], Asked | None]:
    def repair(asked: Asked) -> Asked | None:
        document = json.loads(asked.root)
        before = json.dumps(document)
        edit(document)
        after = json.dumps(document)
        return None if after == before else replace(asked, root=after.encode())

    return repair


def _again(asked: Asked) -> Asked | None:
    """Read by Python's own reader, where the last of two equal names wins, and written once more."""
    fresh = json.dumps(json.loads(asked.bundle)).encode()
    return None if fresh == asked.bundle else replace(asked, bundle=fresh)


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in document["verificationMaterial"]["tlogEntries"] or () if entry]


_BASE64 = {
    "rawBytes",
    "keyId",
    "rootHash",
    "hashes",
    "signedEntryTimestamp",
    "canonicalizedBody",
    "signedTimestamp",
    "payload",
    "sig",
    "signature",
    "digest",
}
_NUMBERS = {"logIndex", "treeSize", "integratedTime"}


def _everywhere(names: set[str], change: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    def edit(value: Any) -> None:
        for step, inner in list(value.items()) if isinstance(value, dict) else ():
            if step in names and not isinstance(inner, dict):
                value[step] = [change(item) for item in inner] if isinstance(inner, list) else change(inner)
            else:
                edit(inner)
        for inner in value if isinstance(value, list) else ():
            edit(inner)

    return edit


def _standard(text: Any) -> Any:
    """Strict base64 in the standard alphabet, padded."""
    return base64.b64encode(decode_base64(text)).decode() if isinstance(text, str) else text


def _lenient(text: Any) -> Any:
    """What Python's decoder makes of it, which drops what is none of the alphabet."""
    return base64.b64encode(base64.b64decode(text)).decode() if isinstance(text, str) else text


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _as_number(value: Any) -> Any:
    return str(int(value)) if isinstance(value, str) else value


_KNOWN: dict[str, Any] = {
    "mediaType": None,
    "verificationMaterial": {
        "publicKey": {"hint": None},
        "certificate": {"rawBytes": None},
        "x509CertificateChain": {"certificates": {"rawBytes": None}},
        "tlogEntries": {
            "logIndex": None,
            "logId": {"keyId": None},
            "kindVersion": {"kind": None, "version": None},
            "integratedTime": None,
            "inclusionPromise": {"signedEntryTimestamp": None},
            "inclusionProof": {
                "logIndex": None,
                "rootHash": None,
                "treeSize": None,
                "hashes": None,
                "checkpoint": {"envelope": None},
            },
            "canonicalizedBody": None,
        },
        "timestampVerificationData": {"rfc3161Timestamps": {"signedTimestamp": None}},
    },
    "dsseEnvelope": {"payload": None, "payloadType": None, "signatures": {"sig": None, "keyid": None}},
    "messageSignature": {"messageDigest": {"algorithm": None, "digest": None}, "signature": None},
}


def _strip(value: Any, known: Any = None) -> None:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and known is not None:
            for name in list(item):
                if name in known:
                    _strip(item[name], known[name])
                else:
                    del item[name]


def _known_only(document: dict[str, Any]) -> None:
    _strip(document, _KNOWN)


def _zeros(document: dict[str, Any]) -> None:
    """Write what proto3 JSON may leave out, and leave out what it may write as null."""

    def without_null(value: Any) -> None:
        for name in [n for n, inner in value.items() if inner is None] if isinstance(value, dict) else ():
            del value[name]
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            without_null(inner)

    without_null(document)
    for signature in (document.get("dsseEnvelope") or {}).get("signatures", ()):
        if signature.get("keyid") == "":
            del signature["keyid"]
    for entry in _entries(document):
        entry.setdefault("logIndex", "0")
        proof = entry.get("inclusionProof")
        if proof is not None:
            proof.setdefault("logIndex", "0")
            proof.setdefault("hashes", [])
            if not proof.get("rootHash"):
                proof["rootHash"] = _signed_tree(proof)[1]
    if "timestampVerificationData" in document["verificationMaterial"]:
        document["verificationMaterial"]["timestampVerificationData"].setdefault("rfc3161Timestamps", [])


def _signed_tree(proof: dict[str, Any]) -> tuple[str, str]:
    _, size, root, *_ = proof["checkpoint"]["envelope"].split("\n")
    return size, root


def _shape(document: dict[str, Any]) -> None:
    """The leaf where a bundle of its version has it: of v0.3 in `certificate`, of the older ones first in a chain."""
    material = document["verificationMaterial"]
    if "0.3" in document["mediaType"]:
        material["certificate"] = material.pop("x509CertificateChain")["certificates"][0]
    else:
        material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}


def _one_stamp_once(document: dict[str, Any]) -> None:
    data = document["verificationMaterial"]["timestampVerificationData"]
    unique = {_lenient(_standard(stamp["signedTimestamp"])): stamp for stamp in data["rfc3161Timestamps"][::-1]}
    data["rfc3161Timestamps"] = list(unique.values())[::-1]


def _trusted_entries(asked: Asked) -> Asked | None:
    """Without the entries that name no trusted log, or none at all; whatever names one stays, good or bad."""
    trusted = {_bytes(log["logId"]["keyId"]) for log in json.loads(asked.root)["tlogs"]}

    def edit(document: dict[str, Any]) -> None:
        named = [(entry, (entry.get("logId") or {}).get("keyId", "")) for entry in _entries(document)]
        kept = [entry for entry, log in named if decode_base64(log) in trusted]
        document["verificationMaterial"]["tlogEntries"] = kept

    return _in_bundle(edit)(asked)


def _der_promise(document: dict[str, Any]) -> None:
    """An ECDSA signature of a log as DER, where it is the two numbers one after the other."""

    def as_der(raw: bytes) -> bytes:
        if len(raw) != 64:
            return raw
        numbers = (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        return element(0x30, b"".join(element(2, n.to_bytes(n.bit_length() // 8 + 1)) for n in numbers))

    for entry in _entries(document):
        promise = entry["inclusionPromise"]
        promise["signedEntryTimestamp"] = base64.b64encode(
            as_der(decode_base64(promise["signedEntryTimestamp"]))
        ).decode()


def _only_the_log(document: dict[str, Any]) -> None:
    """Of a checkpoint's signature lines those that begin as the log's id does, good or bad."""
    for entry in _entries(document):
        checkpoint = entry["inclusionProof"]["checkpoint"]
        text, _, lines = checkpoint["envelope"].rpartition("\n\n")
        start = decode_base64(entry["logId"]["keyId"])[:4]
        own = [line for line in lines.splitlines() if _bytes(line.split()[2])[:4] == start]
        checkpoint["envelope"] = "".join(f"{line}\n" for line in (text, "", *own))


def _own_index(document: dict[str, Any]) -> None:
    for entry in _entries(document):
        if entry["kindVersion"]["version"] == "0.0.2":
            entry["logIndex"] = entry["inclusionProof"].get("logIndex", "0")


def _no_hint(document: dict[str, Any]) -> None:
    for signature in document["dsseEnvelope"]["signatures"]:
        signature["keyid"] = ""


def _with_digest(asked: Asked) -> Asked | None:
    """The artifact's digest, where the bundle does not say it."""
    name, digest = asked.digests[0]
    told = {"algorithm": f"SHA2_{name.removeprefix('sha')}", "digest": base64.b64encode(digest).decode()}

    def edit(document: dict[str, Any]) -> None:
        if not (document["messageSignature"].get("messageDigest") or {}).get("digest"):
            document["messageSignature"]["messageDigest"] = told

    return _in_bundle(edit)(asked)


# ecdsa-with-SHA256, -SHA384 and -SHA512 by the OID of the hash alone, both DER.
_ECDSA_WITH = {
    bytes.fromhex("608648016503040201"): bytes.fromhex("2a8648ce3d040302"),
    bytes.fromhex("608648016503040202"): bytes.fromhex("2a8648ce3d040303"),
    bytes.fromhex("608648016503040203"): bytes.fromhex("2a8648ce3d040304"),
}


def _unsigned_of_stamps(document: dict[str, Any]) -> None:
    """Time stamps with the usual words in all that their clock did not sign (RFC 5652, section 5.3)."""
    for stamp in document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]:
        ((_, response),) = elements(_bytes(stamp["signedTimestamp"]))
        (_, status), (_, token) = elements(response)
        kind, (_, explicit) = elements(token)
        ((_, data),) = elements(explicit)
        version, _, content, *certificates, (_, signers) = elements(data)
        ((_, signer),) = elements(signers)
        of_signer, sid, digest, attributes, _, signature, *_ = elements(signer)
        (_, hashed), *_ = elements(digest[1])
        ecdsa = (0x30, element(6, _ECDSA_WITH[hashed]))
        signers = _sequence(of_signer, sid, digest, attributes, ecdsa, signature)
        data = _sequence(version, (0x31, element(*digest)), content, *certificates[:1], (0x31, signers))
        token = _sequence(kind, (0xA0, data))
        stamp["signedTimestamp"] = base64.b64encode(
            _sequence((0x30, element(*elements(status)[0])), (0x30, elements(token)[0][1]))
        ).decode()


_STATUSES = range(6)  # PKIStatus (RFC 3161, 2.4.2); 2 is a rejection


def _known_status(document: dict[str, Any]) -> None:
    """Responses that say by no number of the standard how it went say that there is no stamp."""
    for stamp in document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]:
        ((_, response),) = elements(_bytes(stamp["signedTimestamp"]))
        (_, status), *token = elements(response)
        (tag, number), *words = elements(status)
        if tag == 2 and int.from_bytes(number) not in _STATUSES:
            said = _sequence((0x30, element(2, b"\x02") + b"".join(element(*word) for word in words)), *token)
            stamp["signedTimestamp"] = base64.b64encode(said).decode()


def _named_clock(asked: Asked) -> Asked | None:
    """Time stamps that name a clock of the trusted root as who signed them."""
    for clock in json.loads(asked.root)["timestampAuthorities"]:
        leaf = load_der_x509_certificate(_bytes(clock["certChain"]["certificates"][0]["rawBytes"]))
        serial = leaf.serial_number.to_bytes(leaf.serial_number.bit_length() // 8 + 1)
        name = leaf.issuer.public_bytes() + element(2, serial)
        document = json.loads(asked.bundle)
        for stamp in document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]:
            data = _bytes(stamp["signedTimestamp"])
            stamp["signedTimestamp"] = base64.b64encode(_signed_as(data, name)).decode()
        named = replace(asked, bundle=json.dumps(document).encode())
        if ours(named).yes:
            return named
    return None


def _signed_as(stamp: bytes, name: bytes) -> bytes:
    ((_, response),) = elements(stamp)
    status, (_, token) = elements(response)
    kind, (_, explicit) = elements(token)
    ((_, data),) = elements(explicit)
    *before, (_, signers) = elements(data)
    ((_, signer),) = elements(signers)
    version, _, *rest = elements(signer)
    data = _sequence(*before, (0x31, _sequence(version, (0x30, name), *rest)))
    return _sequence(status, (0x30, element(*kind) + element(0xA0, data)))


def _sequence(*parts: tuple[int, bytes]) -> bytes:
    return element(0x30, b"".join(element(tag, body) for tag, body in parts))


def _no_loose_time(document: dict[str, Any]) -> None:
    """No time without a promise, no promise without a time, and neither from Rekor v2."""
    for entry in _entries(document):
        v2 = (entry.get("kindVersion") or {}).get("version") == "0.0.2"
        if v2 or not entry.get("inclusionPromise") or not int(entry.get("integratedTime") or 0):
            entry.pop("inclusionPromise", None)
            entry.pop("integratedTime", None)


_LINE = re.compile(r"\u2014 (\S+) (\S+)\n")


def _read_lines(document: dict[str, Any]) -> None:
    """The checkpoint as its text and the signature lines that can be read, of each key the first, and nothing else."""
    for entry in _entries(document):
        checkpoint = entry["inclusionProof"]["checkpoint"]
        text, _, rest = checkpoint["envelope"].partition("\n\n")
        lines: dict[tuple[str, bytes], str] = {}
        for name, encoded in _LINE.findall(rest):
            line = _bytes(encoded)
            lines.setdefault((name, line[:4]), f"\u2014 {name} {base64.b64encode(line).decode()}\n")
        checkpoint["envelope"] = f"{text}\n\n{''.join(lines.values())}"


def _named_as_origin(document: dict[str, Any]) -> None:
    for entry in _entries(document):
        checkpoint = entry["inclusionProof"]["checkpoint"]
        origin, *lines = checkpoint["envelope"].split("\n")
        named = [f"\u2014 {origin} {line.split()[2]}" if line.startswith("\u2014 ") else line for line in lines]
        checkpoint["envelope"] = "\n".join((origin, *named))


def _signed_size(document: dict[str, Any]) -> None:
    for entry in _entries(document):
        proof = entry["inclusionProof"]
        proof["treeSize"] = _signed_tree(proof)[0]


def _camel(document: dict[str, Any]) -> None:
    def edit(value: Any) -> None:
        for name in list(value) if isinstance(value, dict) else ():
            value[re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)] = value.pop(name)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            edit(inner)

    edit(document)


def _leaf_alone(document: dict[str, Any]) -> None:
    chain = document["verificationMaterial"]["x509CertificateChain"]
    chain["certificates"] = chain["certificates"][:1]


def _named_log(asked: Asked) -> Asked | None:
    """The id of the log whose key hash the entry's begins with."""
    ids = {log["logId"]["keyId"] for log in json.loads(asked.root)["tlogs"]}

    def edit(document: dict[str, Any]) -> None:
        for entry in _entries(document):
            found = [known for known in ids if _bytes(known)[:4] == _bytes(entry["logId"]["keyId"])[:4]]
            entry["logId"]["keyId"] = found[0]

    return _in_bundle(edit)(asked)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _own_algorithm(document: dict[str, Any]) -> None:
    digest = document["messageSignature"]["messageDigest"]
    digest["algorithm"] = {32: "SHA2_256", 48: "SHA2_384", 64: "SHA2_512"}[len(_bytes(digest["digest"]))]


# --- repairs of the root ---------------------------------------------------------------------------------------------


def _windows(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities"):
        for part in document.get(name, ()):
            yield name, part["publicKey"]["validFor"] if "publicKey" in part else part["validFor"]


def _forward(document: dict[str, Any]) -> None:
    for _, window in _windows(document):
        if window.get("end") and window["end"] < window["start"]:
            window["start"], window["end"] = window["end"], window["start"]


def _always(document: dict[str, Any]) -> None:
    for name, window in _windows(document):
        if name != "timestampAuthorities":
            window["start"] = "1970-01-01T00:00:00Z"
            window.pop("end", None)


def _each_once(document: dict[str, Any]) -> None:
    for name in ("tlogs", "ctlogs"):
        document[name] = list({log["logId"]["keyId"]: log for log in document.get(name, ())[::-1]}.values())[::-1]


def _other_name(asked: Asked) -> Asked | None:
    """Nobody in particular by that issuer, where the certificate's one name is an otherName of Fulcio's that is asked
    for, read by hand: a UTF8String of less than 128 bytes."""
    material = Bundle.from_json(asked.bundle).material
    if not isinstance(material, Certificates) or not asked.san:
        return None
    leaf = load_der_x509_certificate(material.chain[0])
    (name,) = leaf.extensions.get_extension_for_class(SubjectAlternativeName).value
    wanted = asked.san.encode()
    fulcio = isinstance(name, OtherName) and name.type_id.dotted_string == "1.3.6.1.4.1.57264.1.7"
    return replace(asked, san="") if fulcio and name.value == bytes((0x0C, len(wanted))) + wanted else None


def _common_name(document: dict[str, Any]) -> None:
    for name in ("certificateAuthorities", "timestampAuthorities"):
        for authority in document.get(name, ()):
            authority["subject"].setdefault("commonName", "x")
            authority["subject"].setdefault("organization", "x")


# --- what sigstore-python does not do --------------------------------------------------------------------------------


def _other_algorithm(bundle: Bundle) -> bool:
    material = bundle.material
    return isinstance(material, Certificates) and Leaf.parse(material.chain[0]).key.schemes[0] != "ecdsa-sha2-nistp256"


def _promise_alone(bundle: Bundle) -> bool:
    return bundle.version == "0.1" and any(e.inclusion_proof is None for e in bundle.log_entries)


def _intoto(bundle: Bundle) -> bool:
    return any(entry.kind == "intoto" for entry in bundle.log_entries)


REASONS: tuple[Reason, ...] = (
    Reason(
        name="intoto entry",
        stricter="they",
        why="log entries of kind intoto 0.0.2, which older bundles have, are read here",
        lacks=_intoto,
    ),
    Reason(
        name="promise alone",
        stricter="they",
        why="a bundle v0.1 may have the log's promise and no proof (sigstore_bundle.proto); the promise is checked",
        lacks=_promise_alone,
    ),
    Reason(
        name="signature algorithm",
        stricter="they",
        why="leaf keys other than ECDSA on P-256 are checked here",
        lacks=_other_algorithm,
    ),
    Reason(
        name="unknown member",
        stricter="they",
        why="unknown members are ignored, as DSSE and in-toto ask and ProtoJSON allows: nothing is decided by them",
        repair=_in_bundle(_known_only),
    ),
    Reason(
        name="zero value",
        stricter="they",
        why="ProtoJSON leaves out what is zero, empty or null; a root hash left out is the one that the log signed",
        repair=_in_bundle(_zeros),
    ),
    Reason(
        name="other base64",
        stricter="they",
        why="ProtoJSON and DSSE have either alphabet, ProtoJSON also without padding; both at once are refused",
        repair=_in_bundle(_everywhere(_BASE64, _standard)),
    ),
    Reason(
        name="bare integer",
        stricter="they",
        why="ProtoJSON reads a 64-bit integer as a number too; it is read exactly",
        repair=_in_bundle(_everywhere(_NUMBERS, _as_text)),
    ),
    # Which form "MUST be used" in which version is said to signers with the public instance (sigstore_bundle.proto,
    # VerificationMaterial); OpenSSF Model Signing has chains in v0.3.
    Reason(
        name="shape of the material",
        stricter="they",
        why="in `certificate` or first in a chain it is the same leaf; private authorities write chains in v0.3",
        repair=_in_bundle(_shape),
    ),
    Reason(
        name="stamp twice",
        stricter="they",
        why="a time stamp that stands there twice counts once",
        repair=_in_bundle(_one_stamp_once),
    ),
    Reason(
        name="several entries",
        stricter="they",
        why="entries of logs that the trust does not name count for nothing; each of one that it names must hold",
        repair=_trusted_entries,
    ),
    Reason(
        name="promise as two numbers",
        stricter="they",
        why="ECDSA as two bare numbers, as DSSE's own example has it, is the same signature by the same key",
        repair=_in_bundle(_der_promise),
    ),
    Reason(
        name="no digest of the message",
        stricter="they",
        why="the digest is there to find the artifact (sigstore_common.proto): the signature is over the artifact's",
        repair=_with_digest,
    ),
    Reason(
        name="strangers on a checkpoint",
        stricter="they",
        why="signatures by unknown keys are ignored, as C2SP signed-note demands of readers",
        repair=_in_bundle(_only_the_log),
    ),
    Reason(
        name="index beside the proof",
        stricter="they",
        why="of a Rekor v2 entry the proof's index counts, and is told; the other is for look-ups, and not signed",
        repair=_in_bundle(_own_index),
    ),
    Reason(
        name="hint of the key",
        stricter="they",
        why="a `keyid` is an unsigned hint, and DSSE lets nothing be decided by it",
        repair=_in_bundle(_no_hint),
    ),
    Reason(
        name="unsigned words of a stamp",
        stricter="they",
        why="what a clock does not sign (RFC 5652, 5.4) decides nothing; its own key and the signed attributes do",
        repair=_in_bundle(_unsigned_of_stamps),
    ),
    Reason(
        name="status of no stamp",
        stricter="they",
        why="a clock's answer with a status that RFC 3161 does not know is no stamp, and counts for nothing",
        repair=_in_bundle(_known_status),
    ),
    Reason(
        name="other name",
        stricter="they",
        why="a Fulcio name that is no email and no URI is a UTF8String in an otherName, and is read as that text",
        repair=_other_name,
    ),
    Reason(
        name="name of an authority",
        stricter="they",
        why="a trusted root's `subject` is for people: certificates are found and proved by their own bytes",
        repair=_in_root(_common_name),
    ),
    Reason(
        name="strict base64",
        stricter="we",
        why="base64 must re-encode to itself: junk, stray bits and text after the padding are refused",
        repair=_in_bundle(_everywhere(_BASE64, _lenient)),
    ),
    Reason(
        name="strict JSON",
        stricter="we",
        why="a name that stands twice in an object is refused, since readers differ about which one counts",
        repair=_again,
    ),
    Reason(
        name="strict number",
        stricter="we",
        why="an integer has one spelling: no sign, space, underscore, leading zero or other script's digits",
        repair=_in_bundle(_everywhere(_NUMBERS, _as_number)),
    ),
    # ProtoJSON's readers take both names, and its writers write the JSON name. Reading both would need a rule for when
    # both are there. Not to read one is to read the bundle without it: a witness less, or a member that is missing.
    Reason(
        name="original member names",
        stricter="we",
        why="members are read by their JSON names alone (not log_index): none has two; what is not read proves nothing",
        repair=_in_bundle(_camel),
    ),
    Reason(
        name="loose time",
        stricter="we",
        why="a time without a promise, a promise without a time, or either from Rekor v2, is refused, not ignored",
        repair=_in_bundle(_no_loose_time),
    ),
    Reason(
        name="strict checkpoint",
        stricter="we",
        why="every line of a checkpoint must be what C2SP signed-note says, not only the one that counts",
        repair=_in_bundle(_read_lines),
    ),
    Reason(
        name="name on a checkpoint",
        stricter="we",
        why="the name beside an Ed25519 signature must be the one that the key's hash covers (C2SP signed-note)",
        repair=_in_bundle(_named_as_origin),
    ),
    Reason(
        name="clock that a stamp names",
        stricter="we",
        why="a stamp names its clock by a copy of its certificate's issuer (RFC 5652, 10.2.4), compared byte by byte",
        repair=_named_clock,
    ),
    Reason(
        name="signed tree size",
        stricter="we",
        why="the proof is about the tree size that the log signed, and not about another with a path as long",
        repair=_in_bundle(_signed_size),
    ),
    Reason(
        name="id of the log",
        stricter="we",
        why="the entry must name a trusted log by its whole id, not by the first four bytes",
        repair=_named_log,
    ),
    Reason(
        name="algorithm of the digest",
        stricter="we",
        why="a digest that names another algorithm than its own is another digest",
        repair=_in_bundle(_own_algorithm),
    ),
    Reason(
        name="certificates beside the leaf",
        stricter="we",
        why="certificates that a bundle brings along are bounded and read, and none may be a root",
        repair=_in_bundle(_leaf_alone),
    ),
    Reason(
        name="windows of trust",
        stricter="we",
        why="a log, certificate log or authority is believed only within its window",
        repair=_in_root(_always),
    ),
    Reason(
        name="window that ends before it starts",
        stricter="we",
        why="a window without a moment in it is refused when it is read, and not only passed over",
        repair=_in_root(_forward),
    ),
    Reason(
        name="log named twice",
        stricter="we",
        why="trust that names a log twice is refused: one could stand in for two",
        repair=_in_root(_each_once),
    ),
)
"""The whole list: a difference that is not here is a failure."""
