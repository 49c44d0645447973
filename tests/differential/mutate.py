"""How is a bundle changed so that two engines may come to differ about it?

Structure-aware, from the outside in: members of the JSON and how they are spelled; the bytes behind base64; the DER,
the checkpoint and the log entry's body inside of those; another bundle's parts in place of its own; and what is asked
beside the bundle: the artifact, the signer, the trusted root. Each mutation is drawn from a `random.Random`, so that a
seed and a number give the same one again.
"""

import base64
import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from tests.differential.asked import Asked

__all__ = ["MUTATIONS", "element", "elements", "mutated"]

Change = Callable[[random.Random, Asked, Asked], "Asked | None"]
"""Gives a changed question, or None where there is nothing to change; the second one is a donor of parts."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_Place = tuple[Any, Any]
"""A container and the key or index in it."""


def mutated(rng: random.Random, asked: Asked, donor: Asked) -> Asked:
    """Change a question: mostly once, sometimes twice or three times over."""
    done: list[str] = []
    wanted = rng.choices((1, 2, 3), (8, 2, 1))[0]
    while len(done) < wanted:
        name, change = rng.choice(_WEIGHTED)
        changed = change(rng, asked, donor)
        if changed is not None:
            asked, done = changed, [*done, name]
    return replace(asked, name=f"{asked.name} + {' + '.join(done)}")


# --- the JSON --------------------------------------------------------------------------------------------------------


def _places(value: Any) -> Iterator[_Place]:
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, step
            yield from _places(inner)


def _in_json(edit: Callable[[random.Random, dict[str, Any], dict[str, Any]], bool]) -> Change:
    def change(rng: random.Random, asked: Asked, donor: Asked) -> Asked | None:
        try:
            document, other = json.loads(asked.bundle), json.loads(donor.bundle)
        except ValueError:
            return None
        if not isinstance(document, dict) or not document or not edit(rng, document, other):
            return None
        return replace(asked, bundle=json.dumps(document).encode())

    return change


def _at(kinds: type | tuple[type, ...], new: Callable[[random.Random, Any], Any]) -> Change:
    """Put something new in place of a random value of these kinds; None leaves it alone."""

    def edit(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
        places = [(box, step) for box, step in _places(document) if isinstance(box[step], kinds)]
        if not places:
            return False
        box, step = rng.choice(places)
        fresh = new(rng, box[step])
        if fresh is None or fresh == box[step]:
            return False
        box[step] = fresh
        return True

    return _in_json(edit)


def _drop(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    box, step = rng.choice(list(_places(document)))
    del box[step]
    return True


def _null(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    box, step = rng.choice(list(_places(document)))
    box[step] = None
    return True


def _items(rng: random.Random, items: list[Any]) -> list[Any] | None:
    if not items:
        return None
    at = rng.randrange(len(items))
    return rng.choice(
        (
            [*items, deepcopy(items[at])],
            items[:at] + items[at + 1 :],
            items[::-1],
            items * 20,
            [*items, None],
        )
    )


def _other_kind(rng: random.Random, value: Any) -> Any:
    choices: list[Any] = [[value], {"value": value}, json.dumps(value), True, 0, "", {}, []]
    if isinstance(value, str) and value.isdecimal():
        choices += [int(value), float(value)] * 4
    return rng.choice(choices)


def _renamed(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    places = [(box, step) for box, step in _places(document) if isinstance(step, str)]
    box, step = rng.choice(places)
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in step)
    box[rng.choice((snake, step.upper(), f"{step} ", step[:-1]))] = box.pop(step)
    return True


def _unknown(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    boxes = [document, *(box[step] for box, step in _places(document) if isinstance(box[step], dict))]
    rng.choice(boxes)[rng.choice(("unknown", "certificate", "publicKey", "extra", "keyid"))] = rng.choice(
        ("x", 1, None, {}, [])
    )
    return True


def _grafted(rng: random.Random, document: dict[str, Any], donor: dict[str, Any]) -> bool:
    """Another bundle's part where it has one at the same place."""
    pairs: list[tuple[Any, Any, Any]] = []

    def walk(mine: Any, its: Any) -> None:
        steps: Iterable[Any] = set(mine) & set(its) if isinstance(mine, dict) and isinstance(its, dict) else ()
        if isinstance(mine, list) and isinstance(its, list):
            steps = range(min(len(mine), len(its)))
        for step in sorted(steps):
            if mine[step] != its[step]:
                pairs.append((mine, step, its[step]))
                walk(mine[step], its[step])

    walk(document, donor)
    if not pairs:
        return False
    box, step, part = rng.choice(pairs)
    both = isinstance(box[step], list) and isinstance(part, list) and rng.random() < 0.3
    box[step] = [*box[step], *part] if both else part
    return True


_VERSIONS = ("bundle+json;version=0.1", "bundle+json;version=0.2", "bundle+json;version=0.3", "bundle.v0.3+json")
_TYPES = (*_VERSIONS, "bundle+json;version=0.4", "bundle.v0.2+json", "bundle.v0.3+json ", "bundle+json; version=0.1")


def _media(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    document["mediaType"] = f"application/vnd.dev.sigstore.{rng.choice(_TYPES)}"
    return True


def _material(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    """A certificate as a chain, a chain as a certificate, or with another one behind it."""
    material = document.get("verificationMaterial")
    if not isinstance(material, dict):
        return False
    chain = material.pop("x509CertificateChain", None)
    if chain is not None:
        try:
            material["certificate"] = chain["certificates"][0]
        except (KeyError, IndexError, TypeError):
            return False
    elif "certificate" in material:
        certificate = material.pop("certificate")
        material["x509CertificateChain"] = {"certificates": [certificate] * rng.choice((1, 1, 1, 2))}
    else:
        return False
    return True


def _number(rng: random.Random, text: str) -> Any:
    if not text.isdecimal():
        return None
    n = int(text)
    return rng.choice(
        (
            *(str(n + 1), str(n - 1), "0", str(n << 1), str(n >> 1), str(2**63), str(2**64)),
            *(f"0{n}", f"+{n}", f" {n}", f"-{n}", f"{n}.0", f"{n}e0", f"{n:_}", "\u0663"),
            *(n, float(n)),
        )
    )


def _spelled(rng: random.Random, text: str) -> str | None:
    """The same bytes, spelled in another base64, or nearly."""
    if len(text) < 8 or " " in text:
        return None
    at = rng.randrange(len(text))
    junk = rng.choice(("\n", " ", "-", "\u00e9", "=", "%"))
    return rng.choice(
        (
            text.replace("+", "-").replace("/", "_"),
            text.rstrip("="),
            text + "=",
            text[:at] + junk + text[at:],
            text[: len(text) - 3] + chr(ord(text[-3]) + 1) + text[-2:],
            text + "\n",
            text + "AAAA",
        )
    )


def _text(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return rng.choice(
        (text[:at] + text[at + 1 :], text[:at] + rng.choice("aA0 \n\x00\u2014/") + text[at:], text.upper())
    )


def _duplicated(rng: random.Random, asked: Asked, donor: Asked) -> Asked | None:
    """A member named twice, the second time with another value: no object can say this, only a text."""
    try:
        document = json.loads(asked.bundle)
        other = json.loads(donor.bundle)
        names = sorted(set(document) & set(other))
        name = rng.choice(names)
    except (ValueError, TypeError, IndexError):
        return None
    second = json.dumps(rng.choice((document, other))[name])
    text = json.dumps(document)[:-1] + f", {json.dumps(name)}: {second}}}"
    return replace(asked, bundle=text.encode())


def _raw(rng: random.Random, asked: Asked, _donor: Asked) -> Asked | None:
    """A byte of the text itself."""
    data = bytearray(asked.bundle)
    if not data:
        return None
    at = rng.randrange(len(data))
    match rng.randrange(5):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            del data[at]
        case 2:
            data.insert(at, rng.randrange(256))
        case 3:
            data = bytearray(rng.choice((b"\xef\xbb\xbf", b" ", b"\n"))) + data
        case _:
            data += rng.choice((b" ", b"\n", b"\x00", b"{}", b","))
    return replace(asked, bundle=bytes(data))


# --- the bytes -------------------------------------------------------------------------------------------------------


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(rng: random.Random, text: str) -> str | None:
    data = bytearray(_decoded(text))
    if len(data) < 8:
        return None
    at = rng.randrange(len(data))
    match rng.randrange(5):
        case 0 | 1:
            data[at] ^= 1 << rng.randrange(8)
        case 2:
            del data[at:]
        case 3:
            data += bytes([rng.randrange(256)])
        case _:
            del data[at]
    return _encoded(bytes(data))


def _der(rng: random.Random, text: str) -> str | None:
    """DER within base64: one element of it changed, and the lengths around it kept right."""
    data = _decoded(text)
    return None if data[:1] != b"\x30" else _encoded(_edited(rng, data))


def _edited(rng: random.Random, data: bytes) -> bytes:
    parts = elements(data)
    if not parts:
        return data
    at = rng.randrange(len(parts))
    tag, body = parts[at]
    if tag & 0x20 and body and rng.random() < 0.8:
        parts[at] = (tag, _edited(rng, body))
    else:
        match rng.randrange(8):
            case 0:
                parts[at] = (tag ^ (1 << rng.randrange(8)), body)
            case 1 if body:
                where = rng.randrange(len(body))
                parts[at] = (tag, body[:where] + bytes([body[where] ^ (1 << rng.randrange(8))]) + body[where + 1 :])
            case 2:
                parts[at] = (tag, b"\x00" + body)
            case 3:
                parts.insert(at, parts[at])
            case 4:
                del parts[at]
            case 5:
                rng.shuffle(parts)
            case 6:
                parts.append((5, b""))
            case _:
                long = rng.random() < 0.5
                return b"".join(element(t, b, long=long and i == at) for i, (t, b) in enumerate(parts))
    return b"".join(element(t, b) for t, b in parts)


def elements(data: bytes) -> list[tuple[int, bytes]]:
    parts: list[tuple[int, bytes]] = []
    while len(data) >= 2:
        tag, length, head = data[0], data[1], 2
        if length & 0x80:
            count = length & 0x7F
            length, head = int.from_bytes(data[2 : 2 + count]), 2 + count
        if head + length > len(data):
            return []
        parts.append((tag, data[head : head + length]))
        data = data[head + length :]
    return [] if data else parts


def element(tag: int, body: bytes, *, long: bool = False) -> bytes:
    if len(body) < 0x80 and not long:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes(max(1, (len(body).bit_length() + 7) // 8) + long)
    return bytes([tag, 0x80 | len(size)]) + size + body


def _signature(rng: random.Random, text: str) -> str | None:
    """An ECDSA signature of the same message by other bytes: its twin, or in another form."""
    try:
        ((_, body),) = elements(_decoded(text))
        (first, r), (second, s) = elements(body)
    except ValueError:
        return None
    if (first, second) != (2, 2) or len(r) > 33:
        return None
    one, two = int.from_bytes(r), int.from_bytes(s)
    return _encoded(
        rng.choice(
            (
                _pair(r, _positive(_P256_ORDER - two)) if two < _P256_ORDER else body,
                one.to_bytes(33)[1:] + two.to_bytes(33)[1:],
                _pair(b"\x00" + r, s),
                _pair(_positive(one + _P256_ORDER), s),
                _pair(b"\x00", b"\x00"),
                _pair(s, r),
                element(0x30, body + b"\x05\x00"),
                element(0x30, body, long=True),
            )
        )
    )


def _pair(r: bytes, s: bytes) -> bytes:
    return element(0x30, element(2, r) + element(2, s))


def _positive(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


# --- what the log said -----------------------------------------------------------------------------------------------


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        return [entry for entry in document["verificationMaterial"]["tlogEntries"] if isinstance(entry, dict)]
    except (KeyError, TypeError):
        return []


def _checkpoint(rng: random.Random, document: dict[str, Any], donor: dict[str, Any]) -> bool:
    try:
        box = rng.choice(_entries(document))["inclusionProof"]["checkpoint"]
        lines = box["envelope"].split("\n")
        others = rng.choice(_entries(donor) or [{}]).get("inclusionProof", {}).get("checkpoint", {}).get("envelope", "")
    except (KeyError, TypeError, IndexError, AttributeError):
        return False
    if len(lines) < 2:
        return False
    at = rng.randrange(len(lines))
    line = lines[at]
    extra = rng.choice(("", "x", "Timestamp: 1", "\u2014 somebody AAAAAAAA", *str(others).split("\n")))
    fresh = rng.choice(
        (
            [*lines[:at], *lines[at + 1 :]],
            [*lines[:at], line, *lines[at:]],
            [*lines[:at], extra, *lines[at:]],
            [*lines[:at], extra, *lines[at + 1 :]],
            [*lines[:at], f" {line}", *lines[at + 1 :]],
            [*lines[:at], f"{line} ", *lines[at + 1 :]],
            [*lines[:at], f"{line}\r", *lines[at + 1 :]],
            [*lines[:at], line.replace("\u2014", "-"), *lines[at + 1 :]],
            [*lines[:at], line.swapcase(), *lines[at + 1 :]],
            [*lines[:-1], "\u2014 somebody AAAAAAAA", ""],
            [*lines[:-1], lines[-2].replace("\u2014 ", "\u2014 x."), ""],
            ["x", *lines],
        )
    )
    box["envelope"] = "\n".join(fresh)
    return True


def _proof(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    """The numbers and hashes of a log entry, one of them or several that belong together."""
    try:
        entry = rng.choice(_entries(document))
        proof = entry["inclusionProof"]
        index, size = int(proof["logIndex"]), int(proof["treeSize"])
        match rng.randrange(9):
            case 0:
                proof["treeSize"] = str(rng.choice((size + 1, size - 1, size * 2, index + 1, index, 0)))
            case 1:
                proof["logIndex"] = str(rng.choice((index + 1, index ^ 1, index + size, 0, size)))
            case 2:
                entry["logIndex"] = str(int(entry["logIndex"]) + rng.choice((1, -1, 7, 2**32)))
            case 3:
                entry["integratedTime"] = str(
                    int(entry.get("integratedTime", 1_700_000_000)) + rng.choice((1, -1, 10**6))
                )
            case 4:
                entry.pop("inclusionPromise", None)
            case 5:
                entry["inclusionPromise"] = {"signedEntryTimestamp": rng.choice(("", "AAAA", "MEUCIQ=="))}
            case 6:
                proof["rootHash"] = rng.choice(("", _encoded(bytes(32)), _encoded(bytes(31))))
            case 7:
                entry["logId"] = {
                    "keyId": rng.choice(("", _encoded(bytes(32)), _encoded(_decoded(entry["logId"]["keyId"])[:4])))
                }
            case _:
                del entry[rng.choice(("logIndex", "integratedTime", "inclusionPromise", "kindVersion"))]
    except (KeyError, TypeError, ValueError, IndexError):
        return False
    return True


def _kind(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    entries = _entries(document)
    if not entries:
        return False
    rng.choice(entries)["kindVersion"] = {
        "kind": rng.choice(("dsse", "hashedrekord", "intoto", "rekord", "DSSE", "")),
        "version": rng.choice(("0.0.1", "0.0.2", "0.0.3", "1", "")),
    }
    return True


def _body(rng: random.Random, document: dict[str, Any], _donor: dict[str, Any]) -> bool:
    """The entry's body: the same JSON in other bytes, or another JSON."""
    try:
        entry = rng.choice(_entries(document))
        body = json.loads(_decoded(entry["canonicalizedBody"]))
        box, step = rng.choice(list(_places(body)))
    except (KeyError, TypeError, ValueError, IndexError):
        return False
    match rng.randrange(3):
        case 0:
            text = json.dumps(body)
        case 1:
            del box[step]
            text = json.dumps(body, separators=(",", ":"))
        case _:
            box[step] = rng.choice(("x", None, 1, [], {}))
            text = json.dumps(body, separators=(",", ":"))
    entry["canonicalizedBody"] = _encoded(text.encode())
    return True


def _stamps(rng: random.Random, document: dict[str, Any], donor: dict[str, Any]) -> bool:
    """Time stamps: another bundle's beside one's own, twice, or none."""
    material = document.get("verificationMaterial")
    if not isinstance(material, dict):
        return False
    try:
        own = list((material.get("timestampVerificationData") or {}).get("rfc3161Timestamps") or [])
        its = list(donor["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] or [])
    except (KeyError, TypeError, AttributeError):
        own, its = [], []
    junk = {"signedTimestamp": rng.choice(("AAAA", "MAA="))}
    new = rng.choice(([*own, *its], [*its, *own], its, own * 2, [*own, junk], own[:1] * 40, []))
    material["timestampVerificationData"] = {"rfc3161Timestamps": new}
    return True


# --- what is asked beside the bundle ---------------------------------------------------------------------------------


def _artifact(rng: random.Random, asked: Asked, _donor: Asked) -> Asked | None:
    if not asked.digests:
        return None
    (name, digest), *rest = asked.digests
    return replace(
        asked,
        digests=rng.choice(
            (
                ((name, bytes([digest[0] ^ 1]) + digest[1:]),),
                ((rng.choice(("sha256", "sha384", "sha512")), digest),) if not rest else tuple(rest[::-1]),
            )
        ),
    )


def _who(rng: random.Random, asked: Asked, donor: Asked) -> Asked | None:
    if asked.san:
        if asked.issuer and rng.random() < 0.5:
            issuers = (f"{asked.issuer}/", asked.issuer.replace("https", "http"), "https://x.test")
            return replace(asked, issuer=rng.choice(issuers))
        sans = (asked.san[:-1], f"{asked.san}x", asked.san.upper(), asked.san.swapcase())
        return replace(asked, san=rng.choice(sans))
    return replace(asked, san=donor.san or "alice@local.test", issuer=donor.issuer)


def _root(rng: random.Random, asked: Asked, donor: Asked) -> Asked | None:
    """The trusted root: another one, or this one with a window moved, a part left out, doubled or exchanged."""
    document = json.loads(asked.root)
    other = json.loads(donor.root)
    names = ("tlogs", "ctlogs", "certificateAuthorities", "timestampAuthorities")
    present = [name for name in names if document.get(name)]
    if not present:
        return None
    name = rng.choice(present)
    at = rng.randrange(len(document[name]))
    part = document[name][at]
    window = part["publicKey"].setdefault("validFor", {}) if "publicKey" in part else part.setdefault("validFor", {})
    match rng.randrange(7):
        case 0:
            return replace(asked, root=donor.root)
        case 1:
            del document[name][at]
        case 2:
            document[name] = other.get(name, [])
        case 3:
            window["end"] = rng.choice(("2022-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2035-01-01T00:00:00Z"))
        case 4:
            window["start"] = rng.choice(("1990-01-01T00:00:00Z", "2024-06-01T00:00:00Z", "2034-01-01T00:00:00Z"))
        case 5:
            document[name].append(deepcopy(part))
        case _:
            document[name] = document[name][::-1] + other.get(name, [])
    return replace(asked, root=json.dumps(document).encode())


MUTATIONS: dict[str, tuple[int, Change]] = {
    "drop a member": (3, _in_json(_drop)),
    "null a member": (3, _in_json(_null)),
    "items of an array": (3, _at(list, _items)),
    "another kind of value": (3, _at((str, int, list, dict), _other_kind)),
    "rename a member": (2, _in_json(_renamed)),
    "an unknown member": (2, _in_json(_unknown)),
    "another bundle's part": (6, _in_json(_grafted)),
    "media type": (2, _in_json(_media)),
    "verification material": (2, _in_json(_material)),
    "a number": (3, _at(str, _number)),
    "spelling of base64": (4, _at(str, _spelled)),
    "a text": (2, _at(str, _text)),
    "a member twice": (1, _duplicated),
    "the text's bytes": (3, _raw),
    "decoded bytes": (5, _at(str, _bytes)),
    "DER": (8, _at(str, _der)),
    "an ECDSA signature": (5, _at(str, _signature)),
    "checkpoint": (6, _in_json(_checkpoint)),
    "inclusion proof": (6, _in_json(_proof)),
    "kind of entry": (1, _in_json(_kind)),
    "body of the entry": (3, _in_json(_body)),
    "time stamps": (4, _in_json(_stamps)),
    "the artifact": (1, _artifact),
    "the signer": (1, _who),
    "the trusted root": (4, _root),
}
"""Every mutation by its name: how often it is drawn, and what it does."""

_WEIGHTED: Sequence[tuple[str, Change]] = [(n, c) for n, (weight, c) in MUTATIONS.items() for _ in range(weight)]
