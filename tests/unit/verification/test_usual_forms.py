"""Does a form that nearly everybody writes, and that is read by a shorter way, mean what the long way reads?"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from glasswing_attest.bundle import Bundle, Certificates, LogEntry
from glasswing_attest.errors import Base64Refused, FieldRefused, GlasswingError, NotLogged
from glasswing_attest.verification import certificate, entry, signature
from glasswing_attest.verification.signature import SignedPayload

REFUSED = (FieldRefused, "malformed.field", "certificate.x")
CONFORMANCE = "sigstore-conformance/test/assets/bundle-verify"


def outcome(read: Callable[[], object]) -> object:
    try:
        return read()
    except GlasswingError as e:
        return type(e), e.code, e.where, e.found


def either_way(read: Callable[[], object], patched: object, name: str, value: object) -> object:
    """Give what the shorter way and the long way tell, which must be one."""
    short = outcome(read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patched, name, value)
        assert outcome(read) == short
    return short


# --- a claim's text --------------------------------------------------------------------------------------------------


def claim(value: bytes) -> object:
    return either_way(lambda: certificate._utf8(value, "certificate.x"), certificate, "_UTF8_STRING", None)


@given(st.text(max_size=300))
def test_a_text_is_what_was_written(text: str) -> None:
    found = claim(encode_der(text))
    assert found == text if text.isprintable() else found[:3] == REFUSED  # type: ignore[index]


@given(st.binary(max_size=140))
@example(b"\x0c")
@example(b"\x0c\x80" + b"a" * 128)
@example(b"\x0c\x81\x02ab")
@example(b"\x0c\x03ab")
@example(b"\x0c\x01ab")
@example(b"\x0c\x03\xed\xa0\x80")
@example(b"\x0c\x02\xc0\x80")
@example(b"\x13\x02ab")
def test_what_is_no_text_is_refused_either_way(data: bytes) -> None:
    for value in (data, b"\x0c" + bytes((len(data),)) + data):
        found = claim(value)
        assert isinstance(found, str) or found[:3] == REFUSED  # type: ignore[index]


@pytest.mark.parametrize("value", [b"", b"\x0c", b"\x0c\x03ab", b"\x0c\x01ab", b"\x13\x02ab", b"\x0c\x02\xc0\x80"])
def test_no_other_tag_length_or_character_is_a_text(value: bytes) -> None:
    assert claim(value)[:3] == REFUSED  # type: ignore[index]


# --- a certificate in a log's entry ----------------------------------------------------------------------------------


@pytest.fixture
def logged(shared_data: Path) -> tuple[LogEntry, SignedPayload]:
    folder = shared_data / CONFORMANCE
    bundle = Bundle.from_json((folder / "happy-path-v0.3" / "bundle.sigstore.json").read_bytes())
    digest = hashlib.sha256((folder / "a.txt").read_bytes()).digest()
    return bundle.log_entries[0], signature.check_message(bundle, (), digest=("sha256", digest))


def stored(logged: tuple[LogEntry, SignedPayload], text: str) -> object:
    """Say what follows from an entry with this text for its certificate."""
    original, signed = logged
    body = json.loads(original.canonicalized_body)
    body["spec"]["signature"]["publicKey"]["content"] = text
    changed = replace(original, canonicalized_body=json.dumps(body).encode())
    return either_way(lambda: entry.check_body(changed, signed), entry, "_usual_pem", lambda _der: b"none")


def base64_of(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


def test_a_certificate_in_pem_is_known_however_it_is_written(logged: tuple[LogEntry, SignedPayload]) -> None:
    original, signed = logged
    assert signed.leaf is not None
    pem = signed.leaf.certificate.public_bytes(Encoding.PEM)
    assert entry._usual_pem(signed.leaf.der) == pem
    body = json.loads(original.canonicalized_body)
    assert body["spec"]["signature"]["publicKey"]["content"] == base64_of(pem)
    text = base64.b64encode(signed.leaf.der)
    one_line = b"\n".join((b"-----BEGIN CERTIFICATE-----", text, b"-----END CERTIFICATE-----", b""))
    for written in (pem, pem.rstrip(), pem.replace(b"\n", b"\r\n"), one_line, b"whose it is\n" + pem):
        assert stored(logged, base64_of(written)) is None
        assert stored(logged, base64_of(written).rstrip("=")) is None


def test_another_certificate_is_refused_either_way(logged: tuple[LogEntry, SignedPayload], shared_data: Path) -> None:
    leaf = logged[1].leaf
    assert leaf is not None
    stranger = Bundle.from_json((shared_data / CONFORMANCE / "happy-path-v0.2" / "bundle.sigstore.json").read_bytes())
    assert isinstance(stranger.material, Certificates)
    assert stranger.material.chain[0] != leaf.der
    pem = leaf.certificate.public_bytes(Encoding.PEM)
    other = x509.load_der_x509_certificate(stranger.material.chain[0]).public_bytes(Encoding.PEM)
    where = "canonicalizedBody.spec.signature.publicKey.content"
    for written in (other, other + pem, pem[:-30], pem.replace(b"CERTIFICATE", b"PUBLIC KEY"), b"", leaf.der):
        found = stored(logged, base64_of(written))
        assert found[:3] == (NotLogged, "verification.not-logged", where)  # type: ignore[index]
    for text in (base64_of(pem) + " ", base64_of(pem)[:-1] + "!", "!"):
        assert stored(logged, text)[:3] == (Base64Refused, "malformed.base64", where)  # type: ignore[index]
