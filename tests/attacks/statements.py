"""Which statement was signed, and what does it say? What is not signed, what two readers read in two ways."""

import base64
import json
from collections.abc import Callable
from typing import Any

from glasswing_attest import DataRecord, ModelRecord
from glasswing_attest.statement.predicates.test_result import TEST_RESULT_V01
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from tests.attacks.corpus import Pair, attack
from tests.attacks.site import (
    DATA,
    INPUTS,
    MALLORY,
    MODEL,
    POISON,
    RECORD,
    RUN,
    SOURCE,
    changed,
    forged,
    instead,
    payload_of,
    question,
    run,
    said,
    sealed,
    summarised,
    summary,
)
from tests.chains import Said, provenance, used

NOTHING: dict[str, Any] = {"code": "chain.no-attestation", "rule": "nodes.model", "subject": "model model"}
PAYLOAD = payload_of(RUN)


def envelope(payload: bytes, **more: Any) -> bytes:
    """A DSSE envelope of this payload."""
    told = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, **more}
    return json.dumps(told).encode()


@attack(
    "Predicate confusion",
    **NOTHING,
    variants={
        "record": ModelRecord(name="m"),
        "test-result": Said(predicate_type=TEST_RESULT_V01, body={"result": "PASSED", "configuration": []}),
        "relabelled": Said(predicate_type="https://slsa.dev/provenance/v1.0", body=provenance(*INPUTS).to_predicate()),
        "of-another-version": Said(
            predicate_type="https://slsa.dev/provenance/v0.2",
            body={"builder": {"id": "https://ci.example/trainer"}, "buildType": "https://ci.example/train/v1"},
        ),
    },
)
def another_statement_of_the_trusted_signer(predicate: Any) -> Pair:
    """The trainer did sign something about the model, but no provenance."""
    return question(), question(*instead(RUN, said(MODEL, predicate)))


@attack(
    "Predicate confusion",
    code="unsupported.payload-type",
    rule="nodes.model",
    subject="model model",
    variants={"json": "application/json", "case": "application/vnd.in-toto+JSON", "blank": f"{PAYLOAD_TYPE} "},
)
def signed_as_something_else(payload_type: str) -> Pair:
    """The very bytes were signed under another payload type, by another program for another purpose."""
    return question(), question(*instead(RUN, sealed(PAYLOAD, "trainer", payload_type)))


@attack(
    "Predicate confusion",
    **NOTHING,
    findings=["unsupported.statement-type"],
    variants={
        "later": "https://in-toto.io/Statement/v2",
        "own": "https://evil.example/Statement/v1",
        "slash": "https://in-toto.io/Statement/v1/",
    },
)
def another_kind_of_statement(kind: str) -> Pair:
    """The payload is no statement of the version that is read, although it has all of its fields."""
    odd = PAYLOAD.replace(b"https://in-toto.io/Statement/v1", kind.encode())
    return question(), question(*instead(RUN, sealed(odd, "trainer")))


@attack(
    "Unsigned link injection",
    code="chain.no-attestation",
    rule="nodes.dataset",
    subject="dataset penguins",
    variants={
        "bare-statement": lambda payload: payload,
        "envelope-without-signatures": envelope,
        "envelope-with-no-signature": lambda payload: envelope(payload, signatures=[]),
        "envelope-with-empty-signature": lambda payload: envelope(payload, signatures=[{"sig": ""}]),
        "line-of-json": lambda payload: payload + b"\n",
    },
)
def nothing_signed(wrap: Callable[[bytes], bytes]) -> Pair:
    """What vouches for the poison lies in the pile, and nobody signed it."""
    poisoned = run(used(POISON, "dataset"), INPUTS[1])
    record = said(POISON, DataRecord(name="penguins"), "data-team")  # had the team signed it
    return question(poisoned, record, SOURCE), question(poisoned, wrap(payload_of(record)), SOURCE)


@attack("Unsigned link injection", code="verification.key-untrusted", rule="nodes.dataset", subject="dataset penguins")
def link_signed_by_a_stranger() -> Pair:
    """A stranger's statement says that the honest dataset was made from nothing, or stands for the poison."""
    poisoned = run(used(POISON, "dataset"), INPUTS[1])
    record = said(POISON, DataRecord(name="penguins"), "data-team")
    strange = said([POISON, DATA], DataRecord(name="penguins"), MALLORY)
    return question(poisoned, record, SOURCE), question(poisoned, strange, SOURCE, RECORD)


def rewritten(old: bytes, new: bytes) -> bytes:
    """The run under its signature, with something else in the payload."""
    assert old in PAYLOAD

    def change(plain: dict[str, Any]) -> None:
        plain["dsseEnvelope"]["payload"] = base64.b64encode(PAYLOAD.replace(old, new)).decode()

    return changed(RUN, change)


@attack(
    "Link rewriting",
    code="verification.signature",
    rule="nodes.model",
    subject="model model",
    variants={
        "input": (DATA.digests.to_dict()["dirHash"].encode(), POISON.digests.to_dict()["dirHash"].encode()),
        "role": (b'"role":"dataset"', b'"role":"tool"'),
        "builder": (b"https://ci.example/trainer", b"https://ci.example/trainee"),
        "white-space": (b'"_type":', b'"_type": '),
    },
)
def rewritten_after_signing(change: tuple[bytes, bytes]) -> Pair:
    """A cross reference, or only the white space, was edited after it had been signed."""
    return question(), question(*instead(RUN, rewritten(*change)))


@attack("Link rewriting", code="verification.signature", rule="nodes.model", subject="model model")
def subject_rewritten_after_signing() -> Pair:
    """The run of another model, with the digest of this one written over its subject's."""
    other = run(about=POISON)
    honest = POISON.digests.to_dict()["dirHash"].encode(), MODEL.digests.to_dict()["dirHash"].encode()

    def change(plain: dict[str, Any]) -> None:
        payload = payload_of(other).replace(*honest)
        plain["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()

    return question(), question(*instead(RUN, changed(other, change)))


@attack("Link rewriting", code="verification.signature", rule="nodes.model", subject="model model")
def payload_type_rewritten_after_signing() -> Pair:
    """Signed as text for people, served as a statement."""
    text = sealed(PAYLOAD, "trainer", "text/plain")
    served = changed(text, lambda plain: plain["dsseEnvelope"].update(payloadType=PAYLOAD_TYPE))
    return question(), question(*instead(RUN, served))


ZERO = json.dumps([{"name": "m", "digest": {"sha256": "0" * 64}}]).encode()


@attack(
    "JSON differential",
    **NOTHING,
    findings=["malformed.duplicate-key"],
    variants={
        "subject": PAYLOAD[:-1] + b',"subject":' + ZERO + b"}",
        "predicate": PAYLOAD[:-1] + b',"predicate":{}}',
        "type": PAYLOAD[:-1] + b',"predicateType":"https://evil.example/v1"}',
        "escaped": PAYLOAD.replace(b'"subject"', b'"\\u0073ubject":[],"subject"'),
        "builder": PAYLOAD.replace(b'"builder":', b'"builder":{"id":"https://evil.example"},"builder":'),
    },
)
def key_twice(payload: bytes) -> Pair:
    """A key stands twice, so that one reader takes the first and another the last."""
    return question(), question(*instead(RUN, sealed(payload, "trainer")))


@attack(
    "JSON differential",
    **NOTHING,
    findings=["malformed.json"],
    variants={
        "two-values": PAYLOAD + b"\n{}",
        "byte-order-mark": b"\xef\xbb\xbf" + PAYLOAD,
        "comment": PAYLOAD[:-1] + b"/* */}",
        "trailing-comma": PAYLOAD[:-1] + b",}",
        "single-quotes": PAYLOAD.replace(b'"_type"', b"'_type'"),
        "nul-after": PAYLOAD + b"\x00",
        "control-character": PAYLOAD.replace(b'"name":"model"', b'"name":"mo\tdel"'),
    },
)
def almost_json(payload: bytes) -> Pair:
    """Bytes that some readers of JSON take, and others do not."""
    assert payload != PAYLOAD
    return question(), question(*instead(RUN, sealed(payload, "trainer")))


@attack(
    "JSON differential",
    **NOTHING,
    findings=["malformed.utf8"],
    variants={
        "latin-1": PAYLOAD.replace(b'"name":"model"', b'"name":"mod\xe9l"'),
        "overlong": PAYLOAD.replace(b'"name":"model"', b'"name":"\xc0\xaf"'),
        "half-a-character": PAYLOAD.replace(b'"name":"model"', b'"name":"\\ud800"'),
        "utf-16": PAYLOAD.decode().encode("utf-16"),
    },
)
def other_characters(payload: bytes) -> Pair:
    """Text that is not UTF-8, which readers repair each in their own way."""
    assert payload != PAYLOAD
    return question(), question(*instead(RUN, sealed(payload, "trainer")))


@attack(
    "JSON differential",
    **NOTHING,
    findings=["malformed.base64"],
    variants={
        "white-space": lambda text: f"{text[:8]}\n{text[8:]}",
        "junk": lambda text: f"{text[:8]}!{text[8:]}",
        "both-alphabets": lambda text: f"{text}+_==",
    },
)
def loose_base64(change: Callable[[str], str]) -> Pair:
    """The payload in base64 that decodes to the signed bytes for whoever is lenient."""

    def loosen(plain: dict[str, Any]) -> None:
        plain["dsseEnvelope"]["payload"] = change(plain["dsseEnvelope"]["payload"])

    return question(), question(*instead(RUN, changed(RUN, loosen)))


@attack("JSON differential", **NOTHING, findings=["malformed.duplicate-key"])
def payload_twice_in_the_container() -> Pair:
    """The container names its payload twice: one is verified, and the other one read."""
    other = base64.b64encode(payload_of(run(used(POISON, "dataset"), INPUTS[1]))).decode()
    twice = RUN.replace(b'"payload":', f'"payload":"{other}","payload":'.encode())
    assert twice != RUN
    return question(), question(*instead(RUN, twice))


@attack(
    "Unknown enum",
    code="malformed.field",
    rule="nodes.code",
    subject="code code",
    variants={
        "later": "PASSED_2",
        "unspecified": "VERIFICATION_RESULT_UNSPECIFIED",
        "lower-case": "passed",
        "blank": "PASSED ",
        "empty": "",
        "number": 1,
        "true": True,
    },
)
def result_that_nobody_knows(result: object) -> Pair:
    """A summary's result is none that its version knows, and would be read as a default."""
    asked = summarised()
    honest = question(*instead(SOURCE, summary()), policy=asked)
    return honest, question(*instead(SOURCE, summary(verificationResult=result)), policy=asked)


@attack("Unknown enum", code="malformed.field-missing", rule="nodes.code", subject="code code")
def result_that_is_null() -> Pair:
    """A summary's result is null, which reads as unset."""
    asked = summarised()
    honest = question(*instead(SOURCE, summary()), policy=asked)
    return honest, question(*instead(SOURCE, summary(verificationResult=None)), policy=asked)


@attack(
    "Unknown enum",
    code="malformed.field",
    rule="nodes.dataset",
    subject="dataset penguins",
    variants={"later": "CONSENT_OBTAINED_2", "short": "obtained", "number": 1},
)
def consent_that_nobody_knows(consent: object) -> Pair:
    """A record says a word that its version does not have."""

    def record(word: object) -> bytes:
        body = {"name": "penguins", "consent": word}
        return forged(
            {"name": "penguins", "digest": DATA.digests.to_dict()}, DataRecord.predicate_type, body, "data-team"
        )

    honest = question(*instead(RECORD, record("CONSENT_OBTAINED")))
    return honest, question(*instead(RECORD, record(consent)))


@attack("A changed byte", code="verification.signature", rule="nodes.model", subject="model model")
def bit_of_the_signature() -> Pair:
    """One bit of the signature is another one."""

    def flip(plain: dict[str, Any]) -> None:
        (entry,) = plain["dsseEnvelope"]["signatures"]
        raw = bytearray(base64.b64decode(entry["sig"]))
        raw[0] ^= 1
        entry["sig"] = base64.b64encode(raw).decode()

    return question(), question(*instead(RUN, changed(RUN, flip)))


@attack("A changed byte", code="verification.signature", rule="nodes.model", subject="model model")
def letter_of_the_payload() -> Pair:
    """One letter of what was signed is another one."""
    return question(), question(*instead(RUN, rewritten(b"train/v1", b"train/v2")))
