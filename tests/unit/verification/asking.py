"""How does a test ask one step of the engine alone, and hear why it refuses?"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from glasswing_attest._wire import encode_base64, read_json
from glasswing_attest.bundle import Bundle
from glasswing_attest.errors import GlasswingError
from glasswing_attest.testing import VirtualSigstore
from tests.chains import honest

ALICE = "alice@example.com"
PAYLOAD = honest().run.envelope.payload


def refused(error: type[GlasswingError], ask: Callable[..., object], *of: Any, **by: Any) -> tuple[str, str]:
    """The code and the place of a refusal, of this very class."""
    with pytest.raises(error) as caught:
        ask(*of, **by)
    assert type(caught.value) is error
    return caught.value.code, caught.value.where


def signed_by_key(key: ed25519.Ed25519PrivateKey, artifact: bytes) -> Bundle:
    """A bundle in which a key signed an artifact directly, and that hints at it."""
    plain = json.loads(VirtualSigstore().sign_artifact(artifact, identity=ALICE))
    plain["verificationMaterial"] = {"publicKey": {"hint": "mine"}, "tlogEntries": []}
    plain["messageSignature"]["signature"] = encode_base64(key.sign(artifact))
    return Bundle.parse(read_json(json.dumps(plain).encode()))
