"""What is asked of two engines, and what do they answer?

Both get the very same `Asked`: a bundle, a trusted root, the artifact or its digest, and the signer to expect. One
log, one time and one promise of a certificate log are wanted, as sigstore-python wants them. Whatever either raises is
a no, and its words are kept. What a verifier leaves to its caller (the payload is an in-toto statement about this
artifact) is asked for both of them by the same reader.
"""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.errors import GlasswingError
from glasswing_attest.policy.identities import is_signer
from glasswing_attest.policy.policy import Identity
from glasswing_attest.statement.statement import Statement
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification import procedure, subject
from glasswing_attest.verification.binding import _IN_TOTO
from tests.bundles import FOR_ANYBODY, HASHES, with_profile

__all__ = ["Answer", "Asked", "ours", "theirs"]

_ONE = Profile(scts=1, logs=1, times=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One question to two engines.

    Attributes:
        name: where the bundle came from, and what was done to it.
        bundle: its JSON bytes.
        root: the trusted root's JSON bytes.
        digests: the artifact's, by algorithm; a message signature is about the first, an attestation's subject has one
            of them, and none leaves its subjects alone.
        san, issuer: the signer; "" accepts any.
    """

    name: str
    bundle: bytes
    root: bytes
    digests: tuple[tuple[str, bytes], ...] = ()
    san: str = ""
    issuer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A verdict; `said` is the refusal, and of our own `code` and `where` are its class and its place.

    `signer` is who signed it, by our own answer alone.
    """

    yes: bool
    payload: bytes = b""
    signer: str = ""
    said: str = ""
    code: str = ""
    where: str = ""


def ours(asked: Asked) -> Answer:
    """Our answer. What is raised beside our own errors is not caught: it is a bug."""
    try:
        trust = _trust(asked.root)
        bundle = Bundle.from_json(asked.bundle)
        if isinstance(bundle.content, MessageSignature):
            signer = procedure.prove_message(bundle, trust, digest=_first(asked)).signer
            payload = b""
        else:
            (verified,) = procedure.prove(Attestation.parse(asked.bundle), trust)
            if asked.digests:
                subject.match(verified, _set(asked))
            signer, payload = verified.signer, verified.statement.payload
        if (asked.san or asked.issuer) and not is_signer(
            Identity(san=asked.san or signer.san, issuer=asked.issuer or signer.issuer or "any"), signer
        ):
            return Answer(yes=False, said=f"signed by {signer.label}", code="other-signer", where="identity")
    except GlasswingError as e:
        return Answer(yes=False, said=str(e), code=type(e).__name__, where=e.where)
    return Answer(yes=True, payload=payload, signer=f"{signer.label} {signer.issuer}")


def theirs(asked: Asked) -> Answer:
    """sigstore-python's answer; whatever it raises is a no."""
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle as TheirBundle
    from sigstore.verify.policy import Identity as TheirIdentity
    from sigstore.verify.policy import OIDCIssuer as TheirIssuer
    from sigstore_models.common.v1 import HashAlgorithm

    try:
        verifier = _verifier(asked.root)
        bundle = TheirBundle.from_json(asked.bundle)
        policy: Any = _Anybody()
        if asked.san:
            policy = TheirIdentity(identity=asked.san, issuer=asked.issuer or None)
        elif asked.issuer:
            policy = TheirIssuer(asked.issuer)
        if bundle._dsse_envelope is None:
            algorithm, digest = _first(asked)
            names = {ours: HashAlgorithm[theirs] for theirs, ours in HASHES.items()}
            verifier.verify_artifact(Hashed(algorithm=names[algorithm], digest=digest), bundle, policy)
            return Answer(yes=True)
        kind, payload = verifier.verify_dsse(bundle, policy)
        if not _IN_TOTO.fullmatch(kind):
            return Answer(yes=False, said=f"caller: payload type {kind}")
        statement = Statement.parse_unverified(payload)
        if asked.digests and not any(s.digest.matches(_set(asked)) for s in statement.subjects):
            return Answer(yes=False, said="caller: about something else")
    except Exception as e:  # noqa: BLE001  # pydantic's, cryptography's, its own: every one is a no
        return Answer(yes=False, said=f"{type(e).__name__}: {e}")
    return Answer(yes=True, payload=payload)


class _Anybody:
    """A policy of sigstore-python's that accepts any signer; its own one logs a warning each time."""

    def verify(self, _certificate: object) -> None: ...


def _first(asked: Asked) -> tuple[str, bytes]:
    return asked.digests[0] if asked.digests else ("sha256", b"")


def _set(asked: Asked) -> DigestSet:
    return DigestSet.of({name: digest.hex() for name, digest in asked.digests})


@lru_cache(maxsize=64)
def _trust(root: bytes) -> Trust:
    return Trust(roots=(with_profile(Root.parse(root, name="root", profile=FOR_ANYBODY), _ONE),))


@lru_cache(maxsize=64)
def _verifier(root: bytes) -> Any:
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(root)
        return Verifier(trusted_root=TrustedRoot.from_file(file.name))
