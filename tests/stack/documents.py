"""What do clients have to know of these servers?

A TrustedRoot v0.1, SigningConfigs v0.2 and ClientTrustConfigs v0.1 (sigstore/protobuf-specs, sigstore_trustroot.proto).
Whom to believe and where to sign differ: a Rekor's `baseUrl` in the trusted root is the name that its checkpoints carry
(clients derive the checkpoint's origin from it), its `url` in a signing config is where it listens.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._wire import format_time
from tests.stack.authorities import OPERATOR, OTHER_OPERATOR, Authorities, Chain

__all__ = ["REKOR_V1_NAME", "REKOR_V2_NAME", "client_trust_config", "signing_config", "trusted_root"]

REKOR_V1_NAME, REKOR_V2_NAME = "rekor1.local.test", "rekor.local.test"


def trusted_root(keys: Authorities, *, fulcio: str, ct: str, tsa: str, other_tsa: str) -> dict[str, object]:
    """Everything that is to be believed here, from before the first certificate on."""
    # C2SP signed-note: what a Rekor v2 calls its log id is the key hash before it is cut to four bytes.
    raw_key = keys.rekor_v2.public_der[-32:]
    rekor_v2_id = hashlib.sha256(REKOR_V2_NAME.encode() + b"\n\x01" + raw_key).digest()
    ecdsa = "PKIX_ECDSA_P256_SHA_256"
    return {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [
            _log(f"https://{REKOR_V2_NAME}", OPERATOR, keys.rekor_v2.public_der, "PKIX_ED25519", keys, rekor_v2_id),
            _log(f"https://{REKOR_V1_NAME}", OTHER_OPERATOR, keys.rekor_v1.public_der, ecdsa, keys),
        ],
        "certificateAuthorities": [_authority(keys.fulcio, fulcio, keys.start)],
        "ctlogs": [_log(ct, OPERATOR, keys.ct.public_der, ecdsa, keys)],
        "timestampAuthorities": [
            _authority(keys.tsa, tsa, keys.start),
            _authority(keys.other_tsa, other_tsa, keys.start),
        ],
    }


def signing_config(
    start: datetime,
    *,
    fulcio: str,
    issuer: str,
    logs: Sequence[tuple[str, int, str]],
    clocks: Sequence[tuple[str, str]],
    selector: str = "ANY",
) -> dict[str, object]:
    """Where to sign: each log by URL, version and operator, each clock by URL and operator."""
    return {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [_service(fulcio, 1, OPERATOR, start)],
        "oidcUrls": [_service(issuer, 1, OPERATOR, start)],
        "rekorTlogUrls": [_service(url, version, operator, start) for url, version, operator in logs],
        "rekorTlogConfig": {"selector": selector},
        "tsaUrls": [_service(url, 1, operator, start) for url, operator in clocks],
        "tsaConfig": {"selector": selector},
    }


def client_trust_config(root: dict[str, object], config: dict[str, object]) -> dict[str, object]:
    """Both in one document, for clients that want it so."""
    media_type = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
    return {"mediaType": media_type, "trustedRoot": root, "signingConfig": config}


def _service(url: str, version: int, operator: str, start: datetime) -> dict[str, object]:
    return {"url": url, "majorApiVersion": version, "validFor": _since(start), "operator": operator}


def _log(
    url: str, operator: str, key: bytes, details: str, keys: Authorities, log_id: bytes | None = None
) -> dict[str, object]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": _text(key), "keyDetails": details, "validFor": _since(keys.start)},
        "logId": {"keyId": _text(log_id or hashlib.sha256(key).digest())},
        "operator": operator,
    }


def _authority(chain: Chain, url: str, start: datetime) -> dict[str, object]:
    return {
        "subject": {"organization": chain.operator, "commonName": chain.key.stem},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": _text(c.public_bytes(Encoding.DER))} for c in chain.certificates]},
        "validFor": _since(start),
        "operator": chain.operator,
    }


def _since(start: datetime) -> dict[str, str]:
    return {"start": format_time(start)}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
