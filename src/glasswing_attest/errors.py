"""What can go wrong, and who must act?

Every entry point of the library raises only what stands here, `from` its cause::

    GlasswingError                  .code .step .where .found .wanted .do
    ├── MalformedError              the bytes are not what they say (.kind: evidence, policy, trust)
    │   ├── NotUtf8  NotJson  NotYaml  NotProtobuf  NotPem
    │   ├── DuplicateKey  NumberRefused  Base64Refused
    │   └── FieldMissing  FieldRefused  DigestRefused  PolicyRefused  TrustRefused  CaseRefused
    ├── UnsupportedError            well formed, but not something we accept
    │   ├── FormatUnsupported  MediaTypeUnsupported  PayloadTypeUnsupported  StatementTypeUnsupported
    │   ├── MessageSignatureUnsupported  KeyUnsupported  SignatureUnsupported  InspectionUnsupported  PackagesUnpinned
    │   └── ModelFormatUnsupported  RowsUnsupported
    ├── ArtifactError               the thing itself cannot be digested
    │   ├── ArtifactUnreadable  ArtifactIrregular  ArtifactEmpty  ArtifactUnstable
    │   └── NameRefused  SourceRefused (SourceDirty)  InputsChanged
    ├── UnavailableError            something could not be had fresh
    │   └── StoreUnavailable  TrustUnavailable  TrustExpired  RevocationsUnavailable  PolicyExpired  PolicyUnavailable
    │       LayoutExpired  ServiceUnavailable
    ├── LimitError                  undecided: too large or too deep
    ├── SigningError                it could not be signed
    │   ├── KeyUnreadable  PassphraseRefused  SelfCheckFailed  BuildIncomplete
    │   ├── ServiceRefused  IdentityTokenRefused  IdentityTokenExpired  CertificateRefused  WitnessMissing
    │   └── AttestationsMissing (.made .failed)
    ├── VerificationError           readable, but it does not prove it
    │   ├── SignatureInvalid  KeyUntrusted  CertificateUntrusted  NotLogged
    │   ├── TimeUnproven  OutsideValidity  Revoked  SecondOpinionDiffers
    │   ├── SubjectMismatch  NoMatchingAttestation  Mismatch  FileSetDiffers
    │   ├── PartUnproven  NotExtended
    │   └── StepUnproven  ArtifactRuleBroken
    ├── NotAccepted                 proved, but not what you accept (.rule .guidance .report)
    │   └── ModelNotAccepted
    └── UsageError                  the call itself makes no sense
        └── SecretRefused

A leaf carries a stable ``code`` and builds its own sentence from its fields; callers hand over facts, not prose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

__all__ = ["GlasswingError", "counted", "error_types", "shown"]

_SHOWN_CHARS = 160
_SHOWN_FACT = 400
"""What was found and wanted is compared: a workflow's name and its issuer alone are longer than a line."""

Kind = Literal["evidence", "policy", "trust"]


def shown(value: object, chars: int = _SHOWN_CHARS) -> str:
    """Give `value` as one bounded, printable line: no control characters reach a log or a terminal."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):  # Python refuses to write out integers of more than 4300 digits
        text = f"a value of type {type(value).__name__}"
    if len(text) > chars:
        text = f"{text[: chars - 1]}…"
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def counted(number: int, noun: str) -> str:
    """Give a number of things in words.

    >>> counted(1, "file"), counted(2, "file"), counted(2, "entry")
    ('1 file', '2 files', '2 entries')
    """
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith(("ry", "ty")) else f"{number} {noun}s"


class GlasswingError(Exception):
    """The root of the failure tree.

    Attributes:
        code: stable, dotted, lower case; has a section in ``docs/errors.md``.
        step: the stage of the river that refused.
        where: the place within the input (a path, a JSON path, a file name), or "".
        found, wanted: the facts that disagree, or None.
        do: what the reader can do about it.
        report: the verification report that explains a refusal, where there is one.
    """

    code: ClassVar[str] = "glasswing"
    step: ClassVar[str] = ""
    says: ClassVar[str] = "something failed"
    advice: ClassVar[str] = ""
    reason_chars: ClassVar[int] = _SHOWN_CHARS  # how much of `because` is shown

    def __init__(
        self, *, where: str = "", found: object = None, wanted: object = None, because: str = "", do: str = ""
    ) -> None:
        self.where = where
        self.found = found
        self.wanted = wanted
        self.because = because
        self.do = do or self.advice
        self.report: Any = None
        super().__init__(where, found, wanted, because)

    def __str__(self) -> str:
        parts = [f"{shown(self.where)}: {self.says}" if self.where else self.says]
        if self.because:
            parts.append(f" ({shown(self.because, self.reason_chars)})")
        told = (("found", self.found), ("wanted", self.wanted))
        facts = [f"{name} {shown(v, _SHOWN_FACT)}" for name, v in told if v is not None]
        if facts:
            parts.append(f": {', '.join(facts)}")
        if self.do:
            parts.append(f". {self.do[0].upper()}{self.do[1:]}")
        return f"{''.join(parts)} [{self.code}]"

    def __reduce__(self) -> tuple[object, ...]:
        # An exception crosses process pools; keyword-only fields would be lost by the default.
        return (_rebuild, (type(self), self._fields()))

    def _fields(self) -> dict[str, Any]:
        return {
            "where": self.where,
            "found": self.found,
            "wanted": self.wanted,
            "because": self.because,
            "do": self.do,
        }

    def moved(self, where: str) -> Self:
        """Give the same error at another place: whoever knows more of the input says it better."""
        return type(self)(**{**self._fields(), "where": where})

    def to_dict(self) -> dict[str, str]:
        """Give the error as plain strings, for JSON output."""
        most = {"because": max(self.reason_chars, _SHOWN_FACT)}
        facts = {k: shown(v, most.get(k, _SHOWN_FACT)) for k, v in self._fields().items() if v not in (None, "")}
        return {"code": self.code, "step": self.step, "message": str(self), **facts}


def _rebuild(cls: type[GlasswingError], fields: dict[str, Any]) -> GlasswingError:
    return cls(**fields)


def error_types(root: type[GlasswingError] = GlasswingError) -> Iterator[type[GlasswingError]]:
    """Yield every class of the tree, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from error_types(child)


# --- the bytes are not what they say ---------------------------------------------------------------------------------


class MalformedError(GlasswingError):
    """The bytes are not what they say. ``kind`` tells whose bytes: evidence, policy or trust."""

    code = "malformed"
    step = "wire"
    says = "the input is malformed"

    def __init__(self, *, kind: Kind = "evidence", **fields: Any) -> None:
        self.kind: Kind = kind
        super().__init__(**fields)

    def _fields(self) -> dict[str, Any]:
        return {**super()._fields(), "kind": self.kind}


class NotUtf8(MalformedError):
    """Text that is not UTF-8, or that names a lone surrogate."""

    code = "malformed.utf8"
    says = "the text is not valid UTF-8"


class NotJson(MalformedError):
    """Bytes that are not one JSON value (RFC 8259)."""

    code = "malformed.json"
    says = "this is not valid JSON"


class NotYaml(MalformedError):
    """Text that is not the plain YAML that we read: one document, no anchors, no tags; or that is no TOML."""

    code = "malformed.yaml"
    says = "this is not the plain YAML or TOML that is read here"


class NotProtobuf(MalformedError):
    """Bytes that do not decode as the protobuf message they should be."""

    code = "malformed.protobuf"
    says = "this does not decode as the expected protobuf message"


class NotPem(MalformedError):
    """A key or certificate that cannot be read as PEM or DER."""

    code = "malformed.pem"
    says = "this is not a readable key or certificate"


class DuplicateKey(MalformedError):
    """An object names a key twice: readers would disagree on its meaning."""

    code = "malformed.duplicate-key"
    says = "the object names a key twice"


class NumberRefused(MalformedError):
    """A number that is not finite, not exact, or out of range."""

    code = "malformed.number"
    says = "the number cannot be read exactly"


class Base64Refused(MalformedError):
    """Base64 that does not re-encode to itself (RFC 4648, either alphabet, padding optional)."""

    code = "malformed.base64"
    says = "the base64 does not re-encode to itself"


class FieldMissing(MalformedError):
    """A required field is absent or empty."""

    code = "malformed.field-missing"
    says = "a required field is missing"


class FieldRefused(MalformedError):
    """A field holds what its standard does not allow."""

    code = "malformed.field"
    says = "the field does not hold what it must"


class DigestRefused(MalformedError):
    """A digest with the wrong length or alphabet for its algorithm, or a set without a usable one."""

    code = "malformed.digest"
    says = "the digest is not one of its algorithm"


class PolicyRefused(MalformedError):
    """A policy that is empty, ambiguous, or names what does not exist."""

    code = "malformed.policy"
    step = "policy"
    says = "the policy cannot be used"

    def __init__(self, *, kind: Kind = "policy", **fields: Any) -> None:
        super().__init__(kind=kind, **fields)


class TrustRefused(MalformedError):
    """A trust file that is empty, ambiguous, or holds an unusable key."""

    code = "malformed.trust"
    step = "trust"
    says = "the trust cannot be used"

    def __init__(self, *, kind: Kind = "trust", **fields: Any) -> None:
        super().__init__(kind=kind, **fields)


class CaseRefused(MalformedError):
    """A policy's test case that does not say what is asked and expected, or names what is not there."""

    code = "malformed.case"
    step = "policy"
    says = "the test case cannot be used"

    def __init__(self, *, kind: Kind = "policy", **fields: Any) -> None:
        super().__init__(kind=kind, **fields)


# --- well formed, but not something we accept ------------------------------------------------------------------------


class UnsupportedError(GlasswingError):
    """Well formed, but not something that is accepted here."""

    code = "unsupported"
    step = "wire"
    says = "this is not supported"


class FormatUnsupported(UnsupportedError):
    """Evidence in none of the formats that are read."""

    code = "unsupported.format"
    says = "it is in none of the formats that are read"
    reason_chars = 1600  # it names every format that was tried


class MediaTypeUnsupported(UnsupportedError):
    """A bundle of a version that is not read."""

    code = "unsupported.media-type"
    step = "bundle"
    says = "the bundle's media type is not one that is read"


class PayloadTypeUnsupported(UnsupportedError):
    """An envelope that does not carry an in-toto statement."""

    code = "unsupported.payload-type"
    step = "binding"
    says = "the envelope does not carry an in-toto statement"


class StatementTypeUnsupported(UnsupportedError):
    """A statement whose ``_type`` is not an in-toto Statement v1 or v0.1."""

    code = "unsupported.statement-type"
    step = "statement"
    says = "the statement's _type is not one that is read"


class MessageSignatureUnsupported(UnsupportedError):
    """A bundle that signs an artifact directly and so carries no statement."""

    code = "unsupported.message-signature"
    step = "signature"
    says = "the bundle signs an artifact directly and carries no statement"


class KeyUnsupported(UnsupportedError):
    """A key of a kind, curve or size that is not used here."""

    code = "unsupported.key"
    step = "trust"
    says = "keys of this kind are not used here"
    advice = "use ECDSA P-256, P-384 or P-521, Ed25519, RSA of 2048 to 8192 bits, or ML-DSA"


class SignatureUnsupported(UnsupportedError):
    """Signatures of a kind that is not verified here, such as those of OpenPGP."""

    code = "unsupported.signature"
    step = "signature"
    says = "signatures of this kind are not verified here"
    advice = "have it signed with a key of its own, and not through OpenPGP"


class InspectionUnsupported(UnsupportedError):
    """A layout asks for a command to be run. None is, and nobody handed over what it would give."""

    code = "unsupported.inspection"
    step = "layout"
    says = "the layout asks for a command to be run, which is not done here"
    advice = "run it where you dare to, and hand over what it used and made, as inspections={name: Inspected(...)}"


class PackagesUnpinned(UnsupportedError):
    """Packages without what would let somebody install exactly them again."""

    code = "unsupported.unpinned"
    step = "records"
    says = "not every package is pinned by a digest, so they cannot be installed again exactly"
    advice = "record the environment together with its lock file, or leave these packages out by name"


class ModelFormatUnsupported(UnsupportedError):
    """A file of weights in a version, byte order or type of numbers that is not read here."""

    code = "unsupported.model-format"
    step = "artifact"
    says = "files of weights of this kind are not read here"
    advice = "its digest does not depend on this: measure it without describing it"


class RowsUnsupported(UnsupportedError):
    """A file of data, or a value in it, for which no encoding of rows is defined."""

    code = "unsupported.rows"
    step = "artifact"
    says = "no encoding of rows is defined for this"
    advice = "name the files whose rows are meant, or digest files instead of rows"


# --- the thing itself cannot be digested -----------------------------------------------------------------------------


class ArtifactError(GlasswingError):
    """The thing itself cannot be digested."""

    code = "artifact"
    step = "artifact"
    says = "the artifact cannot be digested"


class ArtifactUnreadable(ArtifactError):
    """Missing, or not readable by this process."""

    code = "artifact.unreadable"
    says = "the artifact cannot be read"


class ArtifactIrregular(ArtifactError):
    """A symlink, device, socket or pipe, or a file where a directory is wanted."""

    code = "artifact.irregular"
    says = "only regular files and directories are digested"
    advice = "replace the link by what it points to, or exclude it by name"


class ArtifactEmpty(ArtifactError):
    """A tree with no file in it."""

    code = "artifact.empty"
    says = "the tree holds no file"


class ArtifactUnstable(ArtifactError):
    """It changed while it was read."""

    code = "artifact.unstable"
    says = "it changed while it was read"
    advice = "stop whatever writes to it, and try again"


class NameRefused(ArtifactError):
    """A file name that a listing cannot carry: not UTF-8, a control character, a backslash."""

    code = "artifact.name"
    says = "the file name cannot stand in a listing"
    advice = "rename the file"


class SourceRefused(ArtifactError):
    """A directory that is not a usable git checkout."""

    code = "artifact.source"
    says = "the git checkout cannot be read"


class SourceDirty(SourceRefused):
    """A git checkout whose files are not those of its commit, where only the commit would be named."""

    code = "artifact.source.dirty"
    says = "the checkout has changes that are not committed"
    advice = "commit them, or have .gitignore name what is no source"
    reason_chars = _SHOWN_FACT  # it names paths


class InputsChanged(ArtifactError):
    """An input of a build changed between its use and the end of the build."""

    code = "artifact.inputs-changed"
    step = "capture"
    says = "an input changed during the build, so no provenance is given"


# --- something could not be had fresh --------------------------------------------------------------------------------


class UnavailableError(GlasswingError):
    """A service, store, trust root or revocation list could not be had fresh."""

    code = "unavailable"
    step = "store"
    says = "something that is needed could not be had"


class StoreUnavailable(UnavailableError):
    """A store of evidence cannot be read."""

    code = "unavailable.store"
    says = "the evidence cannot be read"
    advice = "check the path that was given; if it is right, ask again once it can be read"


class TrustExpired(UnavailableError):
    """The trust has an expiry, and it has passed."""

    code = "unavailable.trust-expired"
    step = "trust"
    says = "the trust has expired"
    advice = "get the current trust file from whoever issues it"


class TrustUnavailable(UnavailableError):
    """A trusted root could not be had, or not be authenticated."""

    code = "unavailable.trust"
    step = "trust"
    says = "the trusted root could not be had fresh and authentic"


class RevocationsUnavailable(UnavailableError):
    """The trust asks for a revocation list, and no fresh one is at hand."""

    code = "unavailable.revocations"
    step = "revocation"
    says = "no fresh revocation list is at hand"
    advice = "get the current list from whoever the trust names for it"


class PolicyExpired(UnavailableError):
    """The policy has an expiry, and it has passed."""

    code = "unavailable.policy-expired"
    step = "policy"
    says = "the policy has expired"
    advice = "get the current policy from whoever issues it"


class PolicyUnavailable(UnavailableError):
    """The policy says what only an extra of this library reads, and the extra is not installed."""

    code = "unavailable.policy"
    step = "policy"
    says = "the policy cannot be read whole here"
    advice = "install glasswing-attest[cel], which reads `where`"


class LayoutExpired(UnavailableError):
    """An in-toto layout always has an expiry, and it has passed."""

    code = "unavailable.layout-expired"
    step = "layout"
    says = "the layout has expired"
    advice = "get the current layout from whoever issues it"


class ServiceUnavailable(UnavailableError):
    """A service that signing needs could not be reached, or gave no usable answer, however often it was asked."""

    code = "unavailable.service"
    step = "signing"
    says = "a service that signing needs gave no usable answer"
    advice = "try again later; nothing was written"
    reason_chars = _SHOWN_FACT  # it carries the service's own message


# --- undecided -------------------------------------------------------------------------------------------------------


class LimitError(GlasswingError):
    """Undecided: the input is larger or deeper than its bound in ``limits.py``."""

    code = "limit"
    step = "wire"
    says = "the input exceeds a limit, so nothing is decided"
    advice = "hand over less; if you trust where this comes from, a program of yours may raise the limit (Limits)"


# --- it could not be signed ------------------------------------------------------------------------------------------


class SigningError(GlasswingError):
    """It could not be signed."""

    code = "signing"
    step = "signing"
    says = "it could not be signed"


class KeyUnreadable(SigningError):
    """A private key file that cannot be read."""

    code = "signing.key"
    says = "the private key cannot be read"


class PassphraseRefused(SigningError):
    """A passphrase that is missing, wrong, or given for a key that has none."""

    code = "signing.passphrase"
    says = "key and passphrase do not go together"


class SelfCheckFailed(SigningError):
    """What was signed does not verify under what the signer declares, its key or its trust: nothing is returned."""

    code = "signing.self-check"
    says = "what was signed does not verify under the signer's own key or trust"
    reason_chars = _SHOWN_FACT  # it carries what the engine said


class BuildIncomplete(SigningError):
    """Provenance asked of a build that did not end well."""

    code = "signing.build"
    step = "capture"
    says = "the build did not end well, so there is no provenance"


class ServiceRefused(SigningError):
    """A service says no to what it was asked, and would say so again."""

    code = "signing.refused"
    says = "a service that signing needs refused"
    reason_chars = _SHOWN_FACT  # it carries the service's own message


class IdentityTokenRefused(SigningError):
    """An identity token that is none, that cannot be had, or that the certificate authority does not take."""

    code = "signing.token"
    says = "the identity token does not do"
    reason_chars = _SHOWN_FACT  # it carries the service's own message


class IdentityTokenExpired(IdentityTokenRefused):
    """The identity token has expired, and its source has no fresh one."""

    code = "signing.token.expired"
    says = "the identity token has expired"
    advice = "get a fresh one; a source that can be asked again, such as IdentityTokens.ambient(), renews it by itself"


class CertificateRefused(SigningError):
    """The certificate is not the one that was asked for, or not one by which anybody would believe a signature."""

    code = "signing.certificate"
    says = "the certificate is not one to sign with"
    reason_chars = _SHOWN_FACT


class WitnessMissing(SigningError):
    """A log entry or time stamp without which the signature would prove nothing."""

    code = "signing.witness"
    says = "a witness is missing that the signature needs"
    reason_chars = _SHOWN_FACT


class AttestationsMissing(SigningError):
    """Of several attestations some could not be made. What was made is in ``.made``, and is not lost.

    Attributes:
        made: one for each request, in order; None where it is missing.
        failed: the numbers of the requests that failed, each with its error. What is neither made nor there was not
            tried.
    """

    code = "signing.incomplete"
    says = "not every attestation could be made"
    advice = "write those in .made, and ask again for the others"
    reason_chars = _SHOWN_FACT

    def __init__(
        self, *, made: tuple[Any, ...] = (), failed: tuple[tuple[int, GlasswingError], ...] = (), **fields: Any
    ) -> None:
        self.made = made
        self.failed = failed
        super().__init__(**fields)

    def _fields(self) -> dict[str, Any]:
        return {**super()._fields(), "made": self.made, "failed": self.failed}

    def to_dict(self) -> dict[str, str]:
        """Give the error as plain strings, without what was made."""
        told = super().to_dict()
        return {name: value for name, value in told.items() if name not in ("made", "failed")}


# --- readable, but it does not prove it ------------------------------------------------------------------------------


class VerificationError(GlasswingError):
    """Readable, but it does not prove what it should."""

    code = "verification"
    step = "verification"
    says = "it does not prove it"


class SignatureInvalid(VerificationError):
    """The signature does not verify."""

    code = "verification.signature"
    step = "signature"
    says = "the signature is not valid"
    advice = "the signed bytes or the signature were changed, or another key signed them"


class KeyUntrusted(VerificationError):
    """No trusted key made the signature."""

    code = "verification.key-untrusted"
    step = "signature"
    says = "no key in the trust made this signature"
    advice = "add the signer's public key to the trust if you believe it; if it is there, what it signed was changed"


class CertificateUntrusted(VerificationError):
    """The certificate does not chain to a trusted authority."""

    code = "verification.certificate"
    step = "identity"
    says = "the certificate does not chain to a trusted authority"


class NotLogged(VerificationError):
    """The signature is not proved to stand in a trusted log."""

    code = "verification.not-logged"
    step = "transparency"
    says = "the signature is not proved to stand in a trusted log"
    advice = "hand it over with its log entries, and have the current root of that very instance in the trust"


class TimeUnproven(VerificationError):
    """No trusted witness says when it was signed."""

    code = "verification.time-unproven"
    step = "timestamps"
    says = "no trusted witness says when it was signed"
    advice = "have it time-stamped or logged, or let the policy say `times: claimed`"


class OutsideValidity(VerificationError):
    """The key or certificate was not valid at the time that counts."""

    code = "verification.outside-validity"
    step = "identity"
    says = "the signer's key was not valid at that time"


class Revoked(VerificationError):
    """The signer was revoked, and nothing shows that it was signed before."""

    code = "verification.revoked"
    step = "revocation"
    says = "the signer was revoked, and no witness shows that it was signed before"
    advice = "have it signed anew by somebody who is believed"


class SecondOpinionDiffers(VerificationError):
    """Another implementation, which the caller asked as well, says no."""

    code = "verification.second-opinion"
    step = "opinion"
    says = "the second opinion that was asked for says no"
    advice = "find out which of the two is wrong before you go on"


class SubjectMismatch(VerificationError):
    """The statement is about something else."""

    code = "verification.subject"
    step = "subject"
    says = "the statement is about something else"
    advice = "the artifact was changed after it was attested, or this attestation belongs to another one"


class NoMatchingAttestation(VerificationError):
    """No acceptable attestation about the artifact is among the evidence."""

    code = "verification.no-match"
    step = "chain"
    says = "no acceptable attestation about it is among the evidence"
    advice = "add the attestation that the policy asks for"


class Mismatch(VerificationError):
    """Bytes that were verified before are not the bytes that were read now."""

    code = "verification.mismatch"
    step = "report"
    says = "the bytes read now are not the bytes that were verified"


class PartUnproven(VerificationError):
    """It is not proved to be a part of the tree whose size and root were given."""

    code = "verification.part"
    step = "merkle"
    says = "it is not proved to be a part of the tree"
    advice = "get the proof that was made for this very file and this very version of the tree"


class NotExtended(VerificationError):
    """A tree that does not hold all leaves of the other, unchanged and in front of the new ones."""

    code = "verification.extension"
    step = "merkle"
    says = "it does not extend the other: every file unchanged, and new ones only added"


class FileSetDiffers(VerificationError):
    """Files are missing that were signed, or are there and were not."""

    code = "verification.file-set"
    step = "oms"
    says = "the files on disk are not the files that were signed"
    advice = "get the model again from where it was signed"


class StepUnproven(VerificationError):
    """A step of a layout was not done, and told alike, by as many of its functionaries as the layout asks for."""

    code = "verification.step"
    step = "layout"
    says = "too few of the functionaries whom the layout names for the step tell of it alike"
    advice = "add the links that are missing"


class ArtifactRuleBroken(VerificationError):
    """What a step used or made is not what the layout's rule allows or requires."""

    code = "verification.artifact-rule"
    step = "layout"
    says = "what was used or made is not what the layout's rule asks for"


# --- proved, but not what you accept ---------------------------------------------------------------------------------


class NotAccepted(GlasswingError):
    """Proved, but not what the policy accepts. ``.report`` explains it, ``.rule`` names the rule."""

    code = "not-accepted"
    step = "policy"
    says = "the policy does not accept it"

    def __init__(self, *, rule: str = "", **fields: Any) -> None:
        self.rule = rule
        super().__init__(**fields)

    @property
    def guidance(self) -> str:
        """What the reader can do about it."""
        return self.do

    def _fields(self) -> dict[str, Any]:
        return {**super()._fields(), "rule": self.rule}


class ModelNotAccepted(NotAccepted):
    """A model that somebody else signed, or in another way; or that comes with something to run that nobody signed."""

    code = "not-accepted.model"
    step = "oms"
    says = "this is not the signed model that was asked for"


class UsageError(GlasswingError):
    """The call itself makes no sense, whatever the evidence says."""

    code = "usage"
    step = "api"
    says = "the call makes no sense"


class SecretRefused(UsageError):
    """What looks like a secret was about to be recorded. ``where`` names its place; nothing holds its value."""

    code = "usage.secret"
    step = "capture"
    says = "this looks like a secret, and what is recorded is public"
    advice = "leave it out; if it is none, name its path among secrets_allowed_unsafe"
