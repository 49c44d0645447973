"""What does PyPI keep beside a file? PEP 740's attestation objects, alone and in a provenance object.

PEP 740, "Attestation objects" and "Provenance objects"; PyPI's Integrity API answers with the latter. ::

    {"version": 1,
     "verification_material": {"certificate": <base64 DER>, "transparency_entries": [<log entry>, …]},
     "envelope": {"statement": <base64>, "signature": <base64>}}

    {"version": 1, "attestation_bundles": [{"publisher": {"kind": …, …}, "attestations": [<attestation>, …]}, …]}

An attestation object is a Sigstore bundle v0.3 with other names: reading and `to_pep740` rename, and the statement,
the signature and the log entries stay as they are. The publisher is what the index says of whoever uploaded. Nobody
signed it, so it is dropped: who signed is asked of the certificate, by a policy's identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from glasswing_attest._wire import Node, canonical_json, encode_base64
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Certificates, LogEntry
from glasswing_attest.errors import FieldMissing, FieldRefused, FormatUnsupported, PayloadTypeUnsupported, UsageError
from glasswing_attest.formats.assembled import assembled
from glasswing_attest.formats.exact import Exact
from glasswing_attest.formats.part import Format, Part
from glasswing_attest.limits import DEFAULT, Limits
from glasswing_attest.statement.statement import PAYLOAD_TYPE

__all__ = ["PEP740_ATTESTATION", "PEP740_PROVENANCE", "provenance_object", "to_pep740"]

VERSION = 1


# --- reading ---------------------------------------------------------------------------------------------------------


def _no_attestation(node: Node) -> str:
    if isinstance(node.value, dict) and "verification_material" in node.value and "envelope" in node.value:
        return ""
    return "no verification_material and envelope"


def _no_provenance(node: Node) -> str:
    return "" if isinstance(node.value, dict) and "attestation_bundles" in node.value else "no attestation_bundles"


def _attestation(whole: Exact, limits: Limits) -> Iterator[Part]:
    yield Part(data=_bundle(whole, limits))


def _provenance(whole: Exact, limits: Limits) -> Iterator[Part]:
    _require_version(whole)
    for bundle in whole.need_array("attestation_bundles"):
        for item in bundle.need_array("attestations"):
            yield Part(data=_bundle(item, limits), label=item.path)


def _require_version(whole: Exact) -> None:
    version = whole.need("version")
    if version.node.uint64() != VERSION or isinstance(version.node.value, str):
        raise FormatUnsupported(where=version.path, found=version.node.value, wanted=VERSION)


def _bundle(attestation: Exact, limits: Limits) -> bytes:
    """Give the attestation object as a Sigstore bundle."""
    _require_version(attestation)
    material = attestation.need("verification_material")
    certificate = material.need("certificate").node.bytes()
    entries = material.need_array("transparency_entries")
    limits.check("log_entries", len(entries), where=f"{material.path}.transparency_entries")
    for entry in entries:
        for name in ("logId", "canonicalizedBody"):
            entry.need(name)
    envelope = attestation.need("envelope")
    statement, signature = envelope.need("statement"), envelope.need("signature")
    for signed in (statement, signature):
        if not signed.node.bytes():
            raise FieldMissing(where=signed.path)
    return assembled(
        b'{"payload":%b,"payloadType":"%b","signatures":[{"sig":%b}]}'
        % (statement.data, PAYLOAD_TYPE.encode("ascii"), signature.data),
        certificates=[certificate],
        entries=[entry.data for entry in entries],
    )


PEP740_ATTESTATION = Format(name="PEP 740 attestation", lacks=_no_attestation, unpack=_attestation)
PEP740_PROVENANCE = Format(name="PEP 740 provenance", lacks=_no_provenance, unpack=_provenance)


# --- writing ---------------------------------------------------------------------------------------------------------


def to_pep740(attestation: Attestation, *, limits: Limits = DEFAULT) -> bytes:
    """Write a certificate-signed bundle as a PEP 740 attestation object, as one line of JSON.

    Statement, signature and log entries are taken over byte for byte. What PEP 740 has no place for is left out only
    where nothing rests on it: the certificates behind the leaf, and time stamps beside a time that a log promised.

    Raises:
        UsageError: not an `Attestation`.
        FormatUnsupported: no Sigstore bundle.
        PayloadTypeUnsupported: no in-toto statement.
        FieldMissing: signed with a key, not logged, or without the log's inclusion proof.
        FieldRefused: its time is proved by a time stamp alone, which would be lost.
    """
    if not isinstance(attestation, Attestation):
        raise UsageError(where="to_pep740", found=type(attestation).__name__, wanted="an Attestation")
    bundle = attestation.bundle
    if bundle is None:
        raise FormatUnsupported(where="$", found=attestation.container, wanted="a Sigstore bundle")
    envelope = attestation.envelope
    if envelope.payload_type != PAYLOAD_TYPE:
        where = "$.dsseEnvelope.payloadType"
        raise PayloadTypeUnsupported(where=where, found=envelope.payload_type, wanted=PAYLOAD_TYPE)
    material = Exact.read(attestation.bytes, limits=limits, bound="bundle_bytes").need("verificationMaterial")
    if not isinstance(bundle.material, Certificates):
        raise FieldMissing(where=f"{material.path}.certificate", wanted="a certificate, not a key's hint")
    entries = material.need_array("tlogEntries")
    for entry in entries:
        entry.need("inclusionProof")
    if bundle.timestamps and not any(_tells_time(entry) for entry in bundle.log_entries):
        raise FieldRefused(
            where=f"{material.path}.timestampVerificationData",
            found="the only proof of when it was signed",
            wanted="a log entry with a promised time, since PEP 740 has no time stamps",
        )
    (signature,) = envelope.signatures
    written = b'{"version":%d,"verification_material":{"certificate":"%b","transparency_entries":[%b]},' % (
        VERSION,
        encode_base64(bundle.material.chain[0]).encode("ascii"),
        b",".join(entry.data for entry in entries),
    )
    written += b'"envelope":{"statement":"%b","signature":"%b"}}' % (
        encode_base64(envelope.payload).encode("ascii"),
        encode_base64(signature.sig).encode("ascii"),
    )
    return b" ".join(written.splitlines())


def _tells_time(entry: LogEntry) -> bool:
    return bool(entry.integrated_time) and entry.inclusion_promise is not None


def provenance_object(
    attestations: Sequence[Attestation], publisher: Mapping[str, object], *, limits: Limits = DEFAULT
) -> bytes:
    """Write a PEP 740 provenance object of one publisher, as one line of JSON.

    Args:
        attestations: what the publisher signed; at least one.
        publisher: what the index says of it: `kind`, and what that kind has besides.

    Raises:
        UsageError: no attestation, or a publisher without a kind.
        GlasswingError: as `to_pep740` does.
    """
    objects = [to_pep740(each, limits=limits) for each in attestations]
    if not objects:
        raise UsageError(where="provenance_object", found="nothing", wanted="at least one attestation")
    if not _has_kind(publisher):
        raise UsageError(where="publisher", found=type(publisher).__name__, wanted="a mapping with a kind")
    return b'{"version":%d,"attestation_bundles":[{"publisher":%b,"attestations":[%b]}]}' % (
        VERSION,
        canonical_json(dict(publisher), where="publisher"),
        b",".join(objects),
    )


def _has_kind(publisher: object) -> bool:
    return isinstance(publisher, Mapping) and isinstance(publisher.get("kind"), str)
