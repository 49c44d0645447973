"""What may a clock's own key tell? A stamp that is changed and signed anew by the clock which is believed.

RFC 3161 (2.4.2) in CMS (RFC 5652, section 5): the clock signs the attributes, which name the digest of the TSTInfo and
the clock's certificate. Each part is changed by itself, and what is around it made right::

    SignerInfo { version, sid, digest, [0] { contentType, messageDigest, signingCertificate }, algorithm, signature }

What is told then must be what stands in it: read here anew, by other code than the engine's. Whether the clock keeps to
the letter of its standards is not asked here: a version, a policy, the type of the content, the name of the
certificate, and that each attribute stands there once.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509

from glasswing_attest.testing.der import explicit, octets, sequence, tlv
from glasswing_attest.testing.keys import encoded
from tests.torture import mutators
from tests.torture.law import Outcome
from tests.torture.materials import Material, world
from tests.torture.mutators import parse_der, write_der
from tests.torture.target import Target, around, sign_p256

__all__ = ["stamped_anew"]

_SHA = "608648016503040201", "608648016503040202", "608648016503040203"
_HASHES = {bytes.fromhex(oid): name for oid, name in zip(_SHA, ("sha256", "sha384", "sha512"), strict=True)}
_SHA256 = (0x06, bytes.fromhex(_SHA[0]))
_TST_INFO = (0x06, bytes.fromhex("2a864886f70d0109100104"))
_MESSAGE_DIGEST = (0x06, bytes.fromhex("2a864886f70d010904"))
_TEXTS = (0x13, 0x14, 0x16, 0x1A)
"""Printable, T61, IA5 and visible text: what is said in ASCII is the same in each (RFC 5280, section 7.1)."""
_TIME = re.compile(rb"(\d{14})(\.\d*[1-9])?Z")


def stamped_anew(material: Material, other: Material) -> Iterator[Target]:
    """Give a target for what a stamp tells, for the attributes that are signed, and for who says to have signed."""
    mine, theirs = _Stamp.of(material), _Stamp.of(other)
    document = material.document
    (held,) = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    before, after = around(document, held, "signedTimestamp")
    content, signer, _ = material.facts.head

    def outcome(stamp: bytes, holds: Any) -> Outcome:
        """Ask about the bundle with this stamp; what is told must hold, by what is read here."""
        found = material.question.ask(before + b'"' + encoded(stamp).encode() + b'"' + after)
        same = (found.head[0], found.head[1], found.logs) == (content, signer, material.facts.logs)
        told, *bounds = found.head[2]
        ((time, witness),) = told
        right = same and bounds == [time, time] and witness == _clock()["operator"] and holds(time)
        return Outcome.SAME if right else Outcome.WRONG

    def info(changed: bytes) -> Outcome:
        attributes = mine.attributes.replace(hashlib.sha256(mine.info).digest(), hashlib.sha256(changed).digest())
        return outcome(mine.signed(changed, mine.signer(attributes)), lambda time: _tells(changed, time, material))

    def attributes(changed: bytes) -> Outcome:
        stamp = mine.signed(mine.info, mine.signer(changed))
        return outcome(stamp, lambda time: _tells(mine.info, time, material) and _names(changed, mine.info))

    def signer_info(changed: bytes) -> Outcome:
        stamp = mine.signed(mine.info, changed)
        return outcome(stamp, lambda time: _tells(mine.info, time, material) and _is_clocks(changed, mine.info))

    for name, part, swap, judge in (
        ("TSTInfo", mine.info, theirs.info, info),
        ("signed attributes", mine.attributes, theirs.attributes, attributes),
        ("SignerInfo", mine.signer(mine.attributes), theirs.signer(theirs.attributes), signer_info),
    ):
        full = f"{material.name} {name}, signed anew"
        yield Target(name=full, part=part, other=swap, mutator=mutators.der, judge=judge)


def _clock() -> dict[str, Any]:
    found: dict[str, Any] = world().document["timestampAuthorities"][0]
    return found


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """A stamp, taken apart: what stands before and after what it tells, and the same of what is signed."""

    info: bytes
    attributes: bytes
    head: bytes
    tail: bytes
    digests: bytes
    certificates: bytes

    @classmethod
    def of(cls, material: Material) -> _Stamp:
        (each,) = material.document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
        tree: Any = parse_der(base64.b64decode(each["signedTimestamp"]))
        _, digests, (_, (_, (_, ((_, info),)))), *certificates, (_, ((_, signer),)) = tree[0][1][1][1][1][1][0][1]
        *head, (_, attributes), algorithm, _ = signer
        return cls(
            info=info if isinstance(info, bytes) else write_der(info),
            attributes=write_der(attributes),
            head=write_der(head),
            tail=write_der([algorithm]),
            digests=write_der([digests]),
            certificates=write_der(certificates),
        )

    def signer(self, attributes: bytes) -> bytes:
        """Give the parts of a SignerInfo before its signature."""
        return self.head + tlv(0xA0, attributes) + self.tail

    def signed(self, info: bytes, signer: bytes) -> bytes:
        """Give the response with the clock's signature over the attributes that stand there, or stood there."""
        found = [inner for tag, inner in parse_der(signer) or [] if tag == 0xA0]
        said = found[0] if found else self.attributes
        message = tlv(0x31, said if isinstance(said, bytes) else write_der(said))
        signature = octets(sign_p256(world().clock, message))
        data = sequence(
            bytes.fromhex("020103"),
            self.digests,
            sequence(write_der([_TST_INFO]), explicit(0, octets(info))),
            self.certificates,
            tlv(0x31, sequence(signer, signature)),
        )
        signed_data = bytes.fromhex("06092a864886f70d010702")
        return sequence(bytes.fromhex("3003020100"), sequence(signed_data, explicit(0, data)))


def _tells(info: bytes, told: datetime, material: Material) -> bool:
    """Tell whether this is a TSTInfo over the bundle's signature, and of the one time that is told and allowed."""
    tree: Any = parse_der(info)
    ((_, elements),) = tree
    (_, ((_, (algorithm, *_)), (kind, digest))) = next(each for each in elements if each[0] == 0x30)
    (time,) = (content for tag, content in elements if tag == 0x18)
    document = material.document
    envelope = document.get("dsseEnvelope")
    signature = envelope["signatures"][0]["sig"] if envelope else document["messageSignature"]["signature"]
    over = hashlib.new(_HASHES[algorithm[1]], base64.b64decode(signature)).digest()
    match = _TIME.fullmatch(time)
    if match is None or (kind, algorithm[0]) != (0x04, 0x06):
        return False
    said = datetime.strptime(match[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    micro = int((match[2] or b".0")[1:7].ljust(6, b"0"))
    holder = document["verificationMaterial"]
    signers = [holder["certificate"]["rawBytes"]] if "certificate" in holder else []
    leaves = [x509.load_der_x509_certificate(base64.b64decode(each)) for each in signers]
    start = datetime.fromisoformat(_clock()["validFor"]["start"])
    return (
        # `rfc3161-client` tells whole seconds: of a fraction it leaves out all or nothing.
        told in (said, said.replace(microsecond=micro))
        and over == (digest if isinstance(digest, bytes) else write_der(digest))
        and start <= told
        and all(
            each.not_valid_before_utc <= told <= each.not_valid_after_utc for each in (*world().clock_chain, *leaves)
        )
    )


def _names(attributes: bytes, info: bytes) -> bool:
    """Tell whether the first digest that the attributes name is that of this TSTInfo."""
    tree: Any = parse_der(attributes)
    first = next(values for _, (kind, (_, values), *_) in tree if kind == _MESSAGE_DIGEST)
    return write_der(first[:1]) == octets(hashlib.sha256(info).digest())


def _in_utf8(*elements: Any) -> bytes:
    """Write a name with all of its texts as UTF-8: whatever kind of text it is, the same name is said."""
    return write_der(
        [
            (0x0C if tag in _TEXTS else tag, inner if isinstance(inner, bytes) else _in_utf8(*inner))
            for tag, inner in elements
        ]
    )


def _is_clocks(signer: bytes, info: bytes) -> bool:
    """Tell whether a SignerInfo names the clock as the signer, the hash that it used, and the digest of the TSTInfo."""
    tree: Any = parse_der(signer)
    clock = world().clock_chain[0]
    (issuer, (_, serial)), (digest, *_) = tree[1][1], tree[2][1]
    (attributes,) = (content for tag, content in tree if tag == 0xA0)
    return (
        _in_utf8(issuer) == _in_utf8(*(parse_der(clock.issuer.public_bytes()) or []))
        and int.from_bytes(serial, signed=True) == clock.serial_number
        and digest == _SHA256
        and _names(write_der(attributes), info)
    )
