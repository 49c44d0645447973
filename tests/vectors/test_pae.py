"""Is the pre-authentication encoding the one that everybody signs?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as Theirs

from glasswing_attest.envelope import Envelope, EnvelopeSignature, pae

ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=80)


@given(ASCII, st.binary(max_size=300))
def test_the_encoding_is_that_of_securesystemslib(payload_type: str, payload: bytes) -> None:
    assert pae(payload_type, payload) == Theirs(payload, payload_type, {}).pae()


@pytest.mark.parametrize(
    ("payload_type", "payload", "encoded"),
    [
        ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("", b"", b"DSSEv1 0  0 "),
        # sigstore-js#1657: the length is that of the UTF-8 bytes. This type has 14 characters and 17 bytes.
        ("application/é…", b"{}", "DSSEv1 17 application/é… 2 {}".encode()),
        # A payload may look like the rest of an encoding; its length keeps it in.
        ("a", b"2 1 b", b"DSSEv1 1 a 5 2 1 b"),
    ],
)
def test_sigstore_js_1657_lengths_count_bytes(payload_type: str, payload: bytes, encoded: bytes) -> None:
    assert pae(payload_type, payload) == encoded
    envelope = Envelope(payload=payload, payload_type=payload_type, signatures=(EnvelopeSignature(sig=b"s"),))
    assert envelope.signed_bytes == encoded


@given(st.text(max_size=20), st.binary(max_size=40), st.text(max_size=20), st.binary(max_size=40))
def test_two_envelopes_never_share_an_encoding(one: str, first: bytes, other: str, second: bytes) -> None:
    assert (pae(one, first) == pae(other, second)) == ((one, first) == (other, second))
