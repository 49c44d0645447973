"""Does a bundle become PyPI's object and back, with nothing that was signed or logged written anew?"""

import json
from typing import Any

import pytest

from glasswing_attest import KeySigner, formats
from glasswing_attest.attestation import Attestation
from glasswing_attest.errors import (
    Base64Refused,
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    PayloadTypeUnsupported,
    UsageError,
)
from glasswing_attest.formats import normalised_filename, provenance_object, same_distribution, to_pep740
from glasswing_attest.limits import Limits
from glasswing_attest.testing.sigstore import VirtualSigstore
from glasswing_attest.trust.sigstore import Profile
from glasswing_attest.verification.procedure import prove
from tests.unit.formats.others import ALICE, ENVELOPE, FILE, SECOND, SIGNED, SIGSTORE, STAMPED

PUBLISHER = {"kind": "GitHub", "repository": "acme/iris", "workflow": "release.yml", "environment": None}
TRUST = SIGSTORE.trust(Profile(scts=1, logs=1, times=1))


def test_there_and_back() -> None:
    written = to_pep740(SIGNED)
    assert json.loads(written)["version"] == 1
    (back,) = formats.read(written)
    assert back.envelope == SIGNED.envelope
    assert back.material == SIGNED.material
    assert back.bundle is not None
    assert SIGNED.bundle is not None
    assert back.bundle.log_entries == SIGNED.bundle.log_entries
    (verified,) = prove(back, TRUST)
    assert verified.signer.san == ALICE
    assert to_pep740(back) == written


def test_what_was_logged_is_taken_over_as_it_stands() -> None:
    # A field that this version does not know, spaces, and numbers as they were.
    document = json.loads(SIGNED.bytes)
    entry = document["verificationMaterial"]["tlogEntries"][0]
    odd = json.dumps(entry, indent=3)[:-1] + ', "later":\t1.50 }'
    text = SIGNED.bytes.replace(json.dumps(entry, separators=(",", ":")).encode(), odd.encode())
    assert odd.encode() in text
    written = to_pep740(Attestation.parse(text))
    assert b" ".join(odd.encode().splitlines()) in written
    (part,) = formats.unpack(written)
    assert b" ".join(odd.encode().splitlines()) in part.data
    (verified,) = prove(Attestation.parse(part.data), TRUST)
    assert verified.signer.san == ALICE


def test_a_provenance_object_holds_several() -> None:
    written = provenance_object([SIGNED, SECOND], PUBLISHER)
    document = json.loads(written)
    assert document["attestation_bundles"][0]["publisher"] == PUBLISHER
    parts = formats.unpack(written)
    assert [part.label for part in parts] == [f"$.attestation_bundles[0].attestations[{n}]" for n in (0, 1)]
    assert [each.envelope for each in formats.read(written)] == [SIGNED.envelope, SECOND.envelope]
    # Whoever had it last may write what he likes beside what was signed.
    document["attestation_bundles"][0]["publisher"] = {"kind": "Other", "repository": 7}
    assert formats.unpack(json.dumps(document).encode())[0].label == parts[0].label


@pytest.mark.parametrize(
    ("path", "value", "error", "where"),
    [
        (("version",), 2, FormatUnsupported, "$.version"),
        (("version",), True, FieldRefused, "$.version"),
        (("version",), None, FieldMissing, "$.version"),
        (("verification_material",), 1, FieldRefused, "$.verification_material"),
        (("verification_material", "certificate"), None, FieldMissing, "$.verification_material.certificate"),
        (("verification_material", "certificate"), "aGl=", Base64Refused, "$.verification_material.certificate"),
        (
            ("verification_material", "transparency_entries"),
            [],
            FieldMissing,
            "$.verification_material.transparency_entries",
        ),
        (
            ("verification_material", "transparency_entries"),
            [{}],
            FieldMissing,
            "$.verification_material.transparency_entries[0].logId",
        ),
        (
            ("verification_material", "transparency_entries"),
            [1],
            FieldRefused,
            "$.verification_material.transparency_entries[0]",
        ),
        (("envelope", "statement"), "", FieldMissing, "$.envelope.statement"),
        (("envelope", "statement"), {}, FieldRefused, "$.envelope.statement"),
        (("envelope", "signature"), "*", Base64Refused, "$.envelope.signature"),
        (("envelope", "signature"), None, FieldMissing, "$.envelope.signature"),
    ],
)
def test_a_broken_object_is_refused(path: tuple[str, ...], value: Any, error: type[GlasswingError], where: str) -> None:
    document = json.loads(to_pep740(SIGNED))
    holder = document
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    with pytest.raises(GlasswingError) as refused:
        formats.read(json.dumps(document).encode())
    assert type(refused.value) is error
    assert refused.value.where == where


def test_entries_are_bounded() -> None:
    document = json.loads(to_pep740(SIGNED))
    material = document["verification_material"]
    material["transparency_entries"] *= 3
    with pytest.raises(LimitError) as refused:
        formats.unpack(json.dumps(document).encode(), limits=Limits(log_entries=2))
    assert refused.value.where == "$.verification_material.transparency_entries"


# --- what PEP 740 cannot say -----------------------------------------------------------------------------------------


def test_time_stamps_are_left_out_only_beside_a_logged_time() -> None:
    both = SIGSTORE.sign(SIGNED.envelope.payload, identity=ALICE, stamps=1)
    (back,) = formats.read(to_pep740(both))
    assert back.bundle is not None
    assert back.bundle.timestamps == ()
    assert prove(back, TRUST)
    alone = SIGSTORE.sign(SIGNED.envelope.payload, identity=ALICE, log="v2", stamps=1)
    with pytest.raises(FieldRefused) as refused:
        to_pep740(alone)
    assert refused.value.where == "$.verificationMaterial.timestampVerificationData"


def test_what_has_no_place_there_is_refused() -> None:
    by_key = Attestation.parse(KeySigner.generate().seal(SIGNED.envelope.payload, "application/vnd.in-toto+json"))
    other = VirtualSigstore().sign(b"{}", identity=ALICE, payload_type="text/plain")
    unproved = json.loads(SIGNED.bytes)
    del unproved["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    for attestation, error, where in (
        (Attestation.parse(ENVELOPE), FormatUnsupported, "$"),
        (by_key, FieldMissing, "$.verificationMaterial.certificate"),
        (other, PayloadTypeUnsupported, "$.dsseEnvelope.payloadType"),
        (STAMPED, FieldMissing, "$.verificationMaterial.tlogEntries"),
        (
            Attestation.parse(json.dumps(unproved).encode()),
            FieldMissing,
            "$.verificationMaterial.tlogEntries[0].inclusionProof",
        ),
    ):
        with pytest.raises(GlasswingError) as refused:
            to_pep740(attestation)
        assert type(refused.value) is error
        assert refused.value.where == where


def test_a_call_that_makes_no_sense_is_refused() -> None:
    wrong: list[Any] = [{}, {"kind": 1}, [], None]
    for publisher in wrong:
        with pytest.raises(UsageError) as refused:
            provenance_object([SIGNED], publisher)
        assert refused.value.where == "publisher"
    with pytest.raises(UsageError) as nothing:
        provenance_object([], PUBLISHER)
    assert nothing.value.where == "provenance_object"
    document: Any = SIGNED.bytes
    with pytest.raises(UsageError):
        to_pep740(document)
    with pytest.raises(FieldRefused) as unwritable:
        provenance_object([SIGNED], {"kind": "x", "id": 2**60})
    assert unwritable.value.where == "publisher.id"


# --- names -----------------------------------------------------------------------------------------------------------


def test_the_subject_is_the_file_by_its_normalised_name() -> None:
    (subject,) = SIGNED.statement_unverified.subjects
    assert same_distribution(subject.name, FILE.name)
    assert same_distribution("IRIS-01.0-py3-none-any.whl", FILE.name)
    assert not same_distribution("iris-1.1-py3-none-any.whl", FILE.name)
    assert not same_distribution("iris-1.0.tar.gz", FILE.name)
    assert not same_distribution("iris-1.0.zip", "iris-1.0.tar.gz")
    assert not same_distribution("iris-1.0-1-py3-none-any.whl", FILE.name)


@pytest.mark.parametrize(
    "name", ["", "iris", ".whl", "-.whl", "iris-1.0.whl", "iris.tar.gz", "a-1.0-py3-none-any.whl\n", "../a-1.0.tar.gz"]
)
def test_what_is_no_distributions_name_is_refused(name: str) -> None:
    for call in (lambda: normalised_filename(name), lambda: same_distribution(FILE.name, name)):
        with pytest.raises(FieldRefused) as refused:
            call()
        assert refused.value.where == "name"
