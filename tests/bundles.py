"""How does a third-party case of a Sigstore bundle become a question to the engine?

A `Question` holds what a case gives: the bundle's bytes, the trusted root's document, a key, the artifact or its
digest, the thresholds, and who is expected to have signed. It can be changed and asked again; `ask` raises for
everything that is not a yes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from glasswing_attest._wire import parse_time
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.errors import NotAccepted, TrustRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.policy.identities import is_signer
from glasswing_attest.policy.policy import Identity
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import Authority, Log, Profile, Root, Window
from glasswing_attest.verification import procedure, subject
from glasswing_attest.verification.identity import VerifiedSigner
from tests.shared import Case

PRODUCTION = "_trust/prod.trusted_root.json"
STAGING = "_trust/staging.trusted_root.json"
FOR_ANYBODY = Profile(scts=0, logs=0, times=1)
HASHES = {"SHA2_256": "sha256", "SHA2_384": "sha384", "SHA2_512": "sha512"}

# Our names are exact or whole-string globs; what a case says as a regular expression is said here as a glob.
GLOBS = {
    "^https://github.com/sigstore/": "https://github.com/sigstore/*/.github/workflows/*@refs/heads/*",
    "^https://github.com/sigstore/sigstore-js/": (
        "https://github.com/sigstore/sigstore-js/.github/workflows/*@refs/heads/*"
    ),
    "^https://github.com/foo/bar/.github/workflows/attest.yml": (
        "https://github.com/foo/bar/.github/workflows/attest.yml@*"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """A bundle, whom to believe, and what to expect."""

    bundle: bytes
    profile: Profile = field(default_factory=lambda: Profile(scts=1, logs=1, times=1))
    root: bytes | None = None
    pem: bytes | None = None
    key_window: tuple[datetime | None, datetime | None] = (None, None)
    digest: tuple[str, bytes] | None = None
    content: bytes | None = None
    expected: Callable[[VerifiedSigner], Identity] | None = None

    @property
    def key(self) -> PublicKey | None:
        """The key of a bundle that a bare key signed; raises where it is none."""
        return None if self.pem is None else PublicKey.from_pem(self.pem)

    @property
    def trust(self) -> Trust:
        """Whom to believe. For a key the root is a witness, and no more is asked of it."""
        roots: tuple[Root, ...] = ()
        if self.root is not None:
            root = with_profile(
                Root.parse(self.root, name="root", profile=FOR_ANYBODY),
                self.profile if self.pem is None else FOR_ANYBODY,
            )
            roots = (root,)
        keys: tuple[TrustedKey, ...] = ()
        if (key := self.key) is not None:
            witness = Witness(root="root", logs=self.profile.logs, times=self.profile.times) if roots else None
            start, end = self.key_window
            keys = (TrustedKey(name="key", key=key, witness=witness, valid_from=start, valid_until=end),)
        return Trust(keys=keys, roots=roots)

    def changed(self, change: Callable[[dict[str, Any]], object]) -> "Question":
        """The same question about a changed bundle. `change` edits the JSON in place."""
        document = json.loads(self.bundle)
        change(document)
        return replace(self, bundle=json.dumps(document).encode())

    def in_root(self, change: Callable[[dict[str, Any]], object]) -> "Question":
        """The same question under a changed trusted root."""
        document = json.loads(self.root or b"")
        change(document)
        return replace(self, root=json.dumps(document).encode())

    def ask(self) -> VerifiedSigner:
        """Give the signer, or raise."""
        trust = self.trust
        bundle = Bundle.from_json(self.bundle)
        if isinstance(bundle.content, MessageSignature):
            digest = self.digest
            if digest is None and self.content is not None:
                name = HASHES.get(bundle.content.algorithm, "sha256")
                digest = (name, hashlib.new(name, self.content).digest())
            assert digest is not None, "a case with a message signature comes with the artifact or its digest"
            signer = procedure.prove_message(bundle, trust, digest=digest, content=self.content).signer
        else:
            (verified,) = procedure.prove(Attestation.parse(self.bundle), trust)
            if (digests := self.digests) is not None:
                subject.match(verified, digests)
            signer = verified.signer
        if self.expected is not None and not is_signer(self.expected(signer), signer):
            raise NotAccepted(where="identity", found=f"{signer.label} by {signer.issuer}")
        return signer

    @property
    def digests(self) -> DigestSet | None:
        """The digests of the artifact, if the case names one."""
        if self.digest is not None:
            return DigestSet.of({self.digest[0]: self.digest[1].hex()})
        if self.content is not None:
            return DigestSet.of({name: hashlib.new(name, self.content).hexdigest() for name in HASHES.values()})
        return None


def question(case: Case, folder: Path) -> Question:
    """Give what a case asks, with the thresholds that it names."""
    files = {name: (folder / path).read_bytes() for name, path in case.files.items()}
    params = case.params
    options: Mapping[str, int] = params.get("options") or {}
    data = files["bundle"]
    if "jsonl_line" in params:
        data = [line for line in data.split(b"\n") if line.strip()][params["jsonl_line"]]
    content = files.get("artifact")
    if "artifact_utf8" in params:
        content = params["artifact_utf8"].encode()
    message = b'"messageSignature"' in data
    named = params.get("digest")
    first, last = params.get("key_valid", (None, None))
    return Question(
        bundle=data,
        profile=Profile(
            scts=options.get("sct", options.get("ctlog", 1)),
            logs=options.get("tlog", 1),
            times=max(1, options.get("timestamps", 1), options.get("integrated", 1)),
            stamps=options.get("tsa", 0),
        ),
        root=files.get("trusted_root"),
        pem=files.get("key"),
        key_window=(first and parse_time(first), last and parse_time(last)),
        digest=None if named is None else (named["alg"], bytes.fromhex(named["hex"])),
        content=None if params.get("skip_subject") and not message else content,
        expected=_expected(params) if {"identity", "identity_regex", "issuer", "owner"} & set(params) else None,
    )


def _expected(params: Mapping[str, Any]) -> Callable[[VerifiedSigner], Identity]:
    san = params.get("identity") or GLOBS.get(params.get("identity_regex", ""))
    claims = {}
    if "owner" in params:
        claims["source_repository_owner_uri"] = f"https://github.com/{params['owner']}"
    if "repo" in params:
        claims["source_repository_uri"] = f"https://github.com/{params['repo']}"

    def identity(signer: VerifiedSigner) -> Identity:
        # A case without an issuer accepts any; our policies do not, so the signer's own stands in for it.
        return Identity(issuer=params.get("issuer") or signer.issuer or "any", san=san, claims=claims)

    return identity


# --- changes to roots and bundles ------------------------------------------------------------------------------------


def since_1970(document: dict[str, Any]) -> None:
    """Give every log, authority and clock that says not since when it is valid a start."""
    for name in ("tlogs", "ctlogs"):
        for log in document.get(name, ()):
            window = log["publicKey"].setdefault("validFor", {})
            window.setdefault("start", "1970-01-01T00:00:00Z")
    for name in ("certificateAuthorities", "timestampAuthorities"):
        for authority in document.get(name, ()):
            authority.setdefault("validFor", {}).setdefault("start", "1970-01-01T00:00:00Z")


def without_embedded_chain(document: dict[str, Any]) -> None:
    """Leave the leaf alone in a bundle's chain of certificates."""
    certificates = document["verificationMaterial"]["x509CertificateChain"]["certificates"]
    del certificates[1:]


@cache
def _stranger(_number: int) -> PublicKey:
    return KeySigner.generate().public_key


def with_profile(root: Root, profile: Profile) -> Root:
    """Give the root these thresholds; where it is too small for them, a profile would be refused by itself.

    Then logs, certificate logs and clocks join it that signed nothing here, and it is the bundle that falls short.
    """
    try:
        return replace(root, profile=profile)
    except TrustRefused:
        pass
    always = Window(start=datetime(1970, 1, 1, tzinfo=UTC))
    # Nobody used their keys, and the clocks share an authority: what makes those distinct is the operator.
    logs = tuple(
        Log(operator=f"stranger {i}", name=f"stranger {i}", key=_stranger(i), log_id=bytes([i]) * 32, window=always)
        for i in range(3)
    )
    chain = (*root.authorities, *root.clocks)[0].chain
    clocks = tuple(
        Authority(operator=f"stranger {i}", name=f"stranger {i}", chain=chain, window=always) for i in range(3)
    )
    return replace(
        root,
        profile=profile,
        logs=(*root.logs, *logs),
        ct_logs=(*root.ct_logs, *logs),
        clocks=(*root.clocks, *clocks),
    )
