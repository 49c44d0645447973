"""Layouts and links for tests, signed by securesystemslib as in-toto signs them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from securesystemslib.dsse import Envelope
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner, SSlibKey

from glasswing_attest.chain.layout.check import VerifiedLayout, verify_layout
from glasswing_attest.keys import PublicKey
from glasswing_attest.statement.statement import PAYLOAD_TYPE

EXPIRES = "2030-01-01T00:00:00Z"


def digest(text: str) -> dict[str, str]:
    """A digest that stands for some content: the same for the same text."""
    return {"sha256": text.encode().hex().ljust(64, "0")[:64]}


def things(**names: str) -> dict[str, Any]:
    """Artifacts by path; a dot in a name is written as two underscores: things(foo__py="a")."""
    return {name.replace("__", "."): digest(text) for name, text in names.items()}


def metablock(signed: Mapping[str, Any], *signers: CryptoSigner) -> bytes:
    """A Metablock over any object."""
    data = (encode_canonical(dict(signed)) or "").encode()
    signatures = [s.sign(data) for s in signers]
    told = [{"keyid": s.keyid, "sig": s.signature} for s in signatures]
    return json.dumps({"signatures": told, "signed": signed}).encode()


def envelope(signed: Mapping[str, Any], *signers: CryptoSigner) -> bytes:
    """The same in a DSSE envelope."""
    made = Envelope(json.dumps(signed).encode(), PAYLOAD_TYPE, {})
    for signer in signers:
        made.sign(signer)
    return json.dumps(made.to_dict()).encode()


def link(name: str, **members: Any) -> dict[str, Any]:
    """A link, with whatever members it shall have."""
    empty: dict[str, Any] = {"materials": {}, "products": {}, "byproducts": {}, "command": [], "environment": {}}
    return {"_type": "link", "name": name, **empty, **members}


def step(name: str, *signers: CryptoSigner, **members: Any) -> dict[str, Any]:
    """A step that these may do."""
    told: dict[str, Any] = {"expected_command": [], "expected_materials": [], "expected_products": [], "threshold": 1}
    return {"_type": "step", "name": name, "pubkeys": [s.public_key.keyid for s in signers], **told, **members}


def layout(*steps: Mapping[str, Any], signers: tuple[CryptoSigner, ...], **members: Any) -> dict[str, Any]:
    """A layout of these steps, which knows the keys of these functionaries."""
    keys = {s.public_key.keyid: {"keyid": s.public_key.keyid, **s.public_key.to_dict()} for s in signers}
    told: dict[str, Any] = {"expires": EXPIRES, "inspect": [], "readme": "", "keys": keys, "steps": list(steps)}
    return {"_type": "layout", **told, **members}


def public(signer: CryptoSigner) -> PublicKey:
    """The signer's key as the library knows it."""
    key = signer.public_key
    if key.keytype == "ed25519":
        return PublicKey.of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"])))
    return PublicKey.from_pem(key.keyval["public"], scheme=key.scheme)


def renamed(signer: CryptoSigner, private: PrivateKeyTypes, keyid: str) -> CryptoSigner:
    """The same key under another id."""
    key = SSlibKey(keyid, signer.public_key.keytype, signer.public_key.scheme, dict(signer.public_key.keyval))
    return CryptoSigner(private, key)


def followed() -> VerifiedLayout:
    """A layout of one step, which was followed."""
    owner, who = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
    document = metablock(layout(step("make", who), signers=(who,)), owner)
    made = metablock(link("make", materials=things(a="a"), products=things(b="b")), who)
    return verify_layout(document, [made], keys=[public(owner)], at=datetime(2026, 1, 1, tzinfo=UTC))
