"""How does a signature come to be, with a whole Sigstore in memory?

`VirtualSigstore` has what the public instance has: an authority, a certificate log, transparency logs of both versions,
and a clock that stamps; `sign` gives the bundle that a client would have made with them, and `trusted_root` the
document by which any Sigstore client verifies it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypeAlias

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509 import Certificate

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import BUNDLE_V03
from glasswing_attest.envelope import pae
from glasswing_attest.errors import UsageError
from glasswing_attest.keys import PublicKey
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement
from glasswing_attest.testing.certificates import CertificateAuthority, Holder, LeafOptions
from glasswing_attest.testing.clock import Clock
from glasswing_attest.testing.ct import CertificateLog
from glasswing_attest.testing.keys import PrivateKey, PublicKeyOf, details_of, encoded, generate, hash_name, sign, spki
from glasswing_attest.testing.log import TransparencyLog
from glasswing_attest.testing.tsa import TimestampAuthority
from glasswing_attest.trust.root import Trust, TrustedKey
from glasswing_attest.trust.sigstore import PROFILES, PUBLIC_GOOD, Profile, Root, Window

__all__ = ["Identity", "Logs", "Stamps", "VirtualSigner", "VirtualSigstore"]

TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"

Identity: TypeAlias = "Holder | KeySigner | str"
"""Who signs: somebody who gets a certificate, as a `Holder` or by the bare name; or a key that somebody holds."""

Logs: TypeAlias = "Literal['v1', 'v2'] | TransparencyLog | Sequence[TransparencyLog] | None"
"""Which logs get an entry each: the newest of a version, one or several of your choice, or none."""

Stamps: TypeAlias = "int | Sequence[TimestampAuthority]"
"""How many stamps the first clock gives, or the clocks of your choice, one stamp each."""


class VirtualSigstore:
    """A Sigstore in memory.

    Attributes:
        name: how `trust` calls it: the name of a root.
        clock: when it is, for all of its services.
        authorities, ct_logs, logs, clocks: its services; `trusted_root` lists what stands there when it is called.

    >>> sigstore = VirtualSigstore()
    >>> signed = sigstore.sign_artifact(b"weights", identity="alice@example.com", log="v2")
    >>> b"tlogEntries" in signed
    True
    """

    def __init__(
        self, name: str = "virtual", *, clock: Clock | None = None, operator: str = "sigstore.example"
    ) -> None:
        self.name = name
        self.clock = clock or Clock()
        self.operator = operator
        self.authorities = [CertificateAuthority(self.clock, operator=operator)]
        self.ct_logs = [CertificateLog(self.clock, operator=operator)]
        self.logs = [
            TransparencyLog(self.clock, version=1, operator=operator),
            TransparencyLog(self.clock, version=2, operator=operator),
        ]
        self.clocks = [TimestampAuthority(self.clock, operator=operator)]

    def __repr__(self) -> str:
        return f"VirtualSigstore({self.name!r}, clock={self.clock!r})"

    # --- services

    def log(self, version: Literal["v1", "v2"]) -> TransparencyLog:
        """The newest log of a version."""
        found = [log for log in self.logs if f"v{log.version}" == version]
        if not found:
            raise UsageError(where="log", found=version, wanted="v1 or v2, of which there is a log")
        return found[-1]

    def add_log(self, version: Literal["v1", "v2"] = "v1", *, operator: str = "other.example") -> TransparencyLog:
        """Add a log, of another operator unless told otherwise."""
        made = TransparencyLog(self.clock, version=1 if version == "v1" else 2, operator=operator, shard=len(self.logs))
        self.logs.append(made)
        return made

    def add_ct_log(self, *, operator: str = "other.example") -> CertificateLog:
        """Add a certificate log. Certificates are promised by the first one, unless `LeafOptions` names others."""
        made = CertificateLog(self.clock, operator=operator)
        self.ct_logs.append(made)
        return made

    def add_clock(self, *, operator: str = "other.example") -> TimestampAuthority:
        """Add a time-stamping authority, of another operator unless told otherwise."""
        made = TimestampAuthority(self.clock, operator=operator)
        self.clocks.append(made)
        return made

    def rotate(self, version: Literal["v1", "v2"]) -> TransparencyLog:
        """End the newest log of a version now, and begin another of the same operator a second later."""
        old = self.log(version)
        old.window = replace(old.window, end=self.clock.now)
        self.clock.advance(seconds=1)
        new = self.add_log(version, operator=old.operator)
        new.window = Window(start=self.clock.now)
        return new

    # --- trust

    def trusted_root(self) -> bytes:
        """The TrustedRoot document (sigstore_trustroot.proto) of all services with their windows."""
        return json.dumps(
            {
                "mediaType": TRUSTED_ROOT,
                "tlogs": [log.to_dict() for log in self.logs],
                "certificateAuthorities": [authority.to_dict() for authority in self.authorities],
                "ctlogs": [log.to_dict() for log in self.ct_logs],
                "timestampAuthorities": [clock.to_dict() for clock in self.clocks],
            },
            indent=1,
        ).encode("ascii")

    def root(self, profile: Profile | str = PUBLIC_GOOD) -> Root:
        """The root, as `Trust` holds it."""
        if isinstance(profile, str) and profile not in PROFILES:
            raise UsageError(where="profile", found=profile, wanted=f"a Profile, or one of {', '.join(PROFILES)}")
        chosen = PROFILES[profile] if isinstance(profile, str) else profile
        return Root.parse(self.trusted_root(), name=self.name, profile=chosen)

    def trust(
        self,
        profile: Profile | str = PUBLIC_GOOD,
        *,
        keys: Iterable[TrustedKey] = (),
        expires: datetime | None = None,
    ) -> Trust:
        """Trust this Sigstore, and keys beside it."""
        return Trust(roots=(self.root(profile),), keys=tuple(keys), expires=expires)

    # --- signatures

    def sign(
        self,
        payload: bytes | Statement,
        *,
        identity: Identity,
        payload_type: str = PAYLOAD_TYPE,
        log: Logs = "v1",
        kind: Literal["dsse", "intoto"] = "dsse",
        stamps: Stamps = 1,
        leaf: LeafOptions | None = None,
    ) -> Attestation:
        """Sign a statement's bytes verbatim, log and stamp the signature, and give the attestation.

        Args:
            payload: a statement, or any bytes.
            identity: who signs.
            payload_type: the envelope's payload type.
            log: where it is logged.
            kind: as which kind of entry a log of version 1 keeps it.
            stamps: who stamps it.
            leaf: what the certificate is to be like.
        """
        signer = self.signer(identity, log=log, kind=kind, stamps=stamps, leaf=leaf)
        return Attestation.parse(signer.seal(payload if isinstance(payload, bytes) else payload.payload, payload_type))

    def sign_artifact(
        self,
        artifact: bytes,
        *,
        identity: Identity,
        log: Logs = "v1",
        stamps: Stamps = 1,
        leaf: LeafOptions | None = None,
    ) -> bytes:
        """Sign an artifact's bytes directly, as ``cosign sign-blob`` does, and give the bundle."""
        return self.signer(identity, log=log, stamps=stamps, leaf=leaf).seal_artifact(artifact)

    def signer(
        self,
        identity: Identity,
        *,
        log: Logs = "v1",
        kind: Literal["dsse", "intoto"] = "dsse",
        stamps: Stamps = 1,
        leaf: LeafOptions | None = None,
    ) -> VirtualSigner:
        """A signer for `attest`: each signature gets a new certificate, entries and stamps at its own time."""
        return VirtualSigner(self, identity, log=log, kind=kind, stamps=stamps, leaf=leaf or LeafOptions())

    def certify(self, public_key: PublicKeyOf, identity: Holder | str, leaf: LeafOptions | None = None) -> Certificate:
        """Issue a certificate for a key, as the newest authority does."""
        return self.authorities[-1].issue(public_key, Holder.of(identity), leaf, ct_logs=self.ct_logs[:1])


class VirtualSigner:
    """Signs as somebody, with everything that a virtual Sigstore gives for it. It fits `attest(..., signer=…)`.

    It keeps one key for its life, where Sigstore's clients make one for each signature: so `verified_by` is true of all
    that it signs. Certificates are new for each.
    """

    def __init__(
        self,
        sigstore: VirtualSigstore,
        identity: Identity,
        *,
        log: Logs,
        kind: Literal["dsse", "intoto"],
        stamps: Stamps,
        leaf: LeafOptions,
    ) -> None:
        self._sigstore = sigstore
        self._identity: KeySigner | Holder = identity if isinstance(identity, KeySigner) else Holder.of(identity)
        self._logs = _chosen_logs(sigstore, log)
        self._clocks = sigstore.clocks[:1] * stamps if isinstance(stamps, int) else list(stamps)
        self._kind = kind
        self._leaf = leaf
        self._key: PrivateKey | None = None if isinstance(identity, KeySigner) else generate(leaf.key)

    @property
    def verified_by(self) -> PublicKey:
        """The key under which everything that this signer signs verifies; a broken certificate is no lie of it."""
        return self.public_key

    @property
    def public_key(self) -> PublicKey:
        """The public half of its key."""
        if isinstance(self._identity, KeySigner):
            return self._identity.public_key
        return PublicKey.of(self._private.public_key())

    @property
    def _private(self) -> PrivateKey:
        if self._key is None:
            raise UsageError(where="identity", found="a key that somebody holds", wanted="a holder of certificates")
        return self._key

    def seal(self, payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
        """Sign the payload verbatim and give a Sigstore bundle v0.3."""
        if isinstance(self._identity, KeySigner):
            made = Attestation.parse(self._identity.seal(payload, payload_type))
            signature = made.envelope.signatures[0].sig
            signer = _Signed.by_key(self._identity.public_key, signature)
        else:
            private = self._private
            signature = sign(private, pae(payload_type, payload))
            signer = _Signed.by_certificate(self._certificate(self._identity), private, signature)
        bodies = {1: signer.dsse if self._kind == "dsse" else signer.intoto, 2: signer.hashedrekord_of_envelope}
        entries = [_logged(log, *bodies[log.version](payload, payload_type)) for log in self._logs]
        envelope = {
            "payload": encoded(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": encoded(signature)}],
        }
        return self._bundle(signer, entries, dsseEnvelope=envelope)

    def seal_artifact(self, artifact: bytes) -> bytes:
        """Sign an artifact's bytes directly and give a Sigstore bundle v0.3."""
        if isinstance(self._identity, KeySigner):
            raise UsageError(where="identity", found="a key", wanted="a holder of certificates, to sign an artifact")
        private = self._private
        signature = sign(private, artifact)
        signer = _Signed.by_certificate(self._certificate(self._identity), private, signature)
        digest = hashlib.new(signer.hash, artifact).digest()
        bodies = {1: signer.hashedrekord_v1, 2: signer.hashedrekord_v2}
        entries = [_logged(log, *bodies[log.version](digest)) for log in self._logs]
        message = {
            "messageDigest": {"algorithm": _DIGESTS[signer.hash], "digest": encoded(digest)},
            "signature": encoded(signature),
        }
        return self._bundle(signer, entries, messageSignature=message)

    def _certificate(self, holder: Holder) -> Certificate:
        return self._sigstore.certify(self._private.public_key(), holder, self._leaf)

    def _bundle(self, signer: _Signed, entries: list[dict[str, object]], **content: object) -> bytes:
        material: dict[str, object] = {**signer.material, "tlogEntries": entries}
        if self._clocks:
            stamps = [{"signedTimestamp": encoded(clock.stamp(signer.signature))} for clock in self._clocks]
            material["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        body = {"mediaType": BUNDLE_V03, "verificationMaterial": material, **content}
        return json.dumps(body, separators=(",", ":")).encode("ascii")


_DIGESTS = {"sha256": "SHA2_256", "sha384": "SHA2_384", "sha512": "SHA2_512"}

_Body: TypeAlias = "tuple[str, str, dict[str, object]]"


class _Signed:
    """A signature with its verifier, and how each kind of log entry writes the two down (sigstore/rekor pkg/types)."""

    def __init__(self, *, signature: bytes, hash_of: str, material: dict[str, object], pem: bytes, v2: Any) -> None:
        self.signature = signature
        self.hash = hash_of
        self.material = material
        self._pem = pem
        self._v2 = v2

    @classmethod
    def by_certificate(cls, certificate: Certificate, private: PrivateKey, signature: bytes) -> _Signed:
        raw = {"rawBytes": encoded(certificate.public_bytes(Encoding.DER))}
        return cls(
            signature=signature,
            hash_of=hash_name(private),
            material={"certificate": raw},
            pem=certificate.public_bytes(Encoding.PEM),
            v2={"keyDetails": details_of(private.public_key()), "x509Certificate": raw},
        )

    @classmethod
    def by_key(cls, key: PublicKey, signature: bytes) -> _Signed:
        public: Any = load_der_public_key(key.der)
        return cls(
            signature=signature,
            hash_of=hash_name(public),
            material={"publicKey": {"hint": key.hint}},
            pem=public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            v2={"keyDetails": details_of(public), "publicKey": {"rawBytes": encoded(spki(public))}},
        )

    def dsse(self, payload: bytes, payload_type: str) -> _Body:
        """Kind dsse 0.0.1. Nobody checks the envelope's hash: the envelope is not canonical JSON."""
        envelope = {
            "payload": encoded(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": encoded(self.signature)}],
        }
        spec: dict[str, object] = {
            "envelopeHash": _sha256(json.dumps(envelope, separators=(",", ":")).encode("ascii")),
            "payloadHash": _sha256(payload),
            "signatures": [{"signature": encoded(self.signature), "verifier": encoded(self._pem)}],
        }
        return "dsse", "0.0.1", spec

    def intoto(self, payload: bytes, payload_type: str) -> _Body:
        """Kind intoto 0.0.2, whose signature is encoded twice."""
        signature = {"publicKey": encoded(self._pem), "sig": encoded(encoded(self.signature).encode("ascii"))}
        envelope = {"payloadType": payload_type, "signatures": [signature]}
        content = {"envelope": envelope, "hash": _sha256(b"envelope"), "payloadHash": _sha256(payload)}
        return "intoto", "0.0.2", {"content": content}

    def hashedrekord_v1(self, digest: bytes) -> _Body:
        """Kind hashedrekord 0.0.1, over an artifact's digest."""
        spec: dict[str, object] = {
            "data": {"hash": {"algorithm": self.hash, "value": digest.hex()}},
            "signature": {"content": encoded(self.signature), "publicKey": {"content": encoded(self._pem)}},
        }
        return "hashedrekord", "0.0.1", spec

    def hashedrekord_v2(self, digest: bytes) -> _Body:
        """Kind hashedrekord 0.0.2, over a digest."""
        record = {
            "data": {"algorithm": _DIGESTS[self.hash], "digest": encoded(digest)},
            "signature": {"content": encoded(self.signature), "verifier": self._v2},
        }
        return "hashedrekord", "0.0.2", {"hashedRekordV002": record}

    def hashedrekord_of_envelope(self, payload: bytes, payload_type: str) -> _Body:
        """Kind hashedrekord 0.0.2, over the digest of what an envelope's signature is over."""
        return self.hashedrekord_v2(hashlib.new(self.hash, pae(payload_type, payload)).digest())


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _logged(log: TransparencyLog, kind: str, version: str, spec: dict[str, object]) -> dict[str, object]:
    body = {"apiVersion": version, "kind": kind, "spec": spec}
    canonical = json.dumps(body, separators=(",", ":"), sort_keys=True).encode("ascii")
    return log.add(canonical, kind=kind, kind_version=version)


def _chosen_logs(sigstore: VirtualSigstore, log: Logs) -> list[TransparencyLog]:
    if log is None:
        return []
    if isinstance(log, str):
        return [sigstore.log(log)]
    return [log] if isinstance(log, TransparencyLog) else list(log)
