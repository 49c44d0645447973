"""How is a model signed, and verified, as OpenSSF Model Signing has it?

OpenSSF Model Signing v1.0 (OMS): one signature file, mostly beside the model, lists every file with its digest. ::

    model.sig                Sigstore bundle v0.3, by a key, a private authority's certificate, or Sigstore
     └ DSSE envelope         application/vnd.in-toto+json, one signature
        └ Statement v1       https://model_signing/signature/v1.0: one subject, with the root
           └ predicate       every file, or every shard, with its digest

`verify_model` asks in the order in which one thing rests on another: whose kind of signature is it, who signed these
bytes and when, what do they say, are the files on disk those and no others. `sign_model` writes what it would accept.

It stands beside `_api`, and not within: it is a recipe as those are, and has a name for whoever wants OMS alone.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import InitVar, dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Literal

from glasswing_attest._api.attesting import sign_statement
from glasswing_attest._api.callers import require_a, utc
from glasswing_attest._files import StrPath, write_atomic
from glasswing_attest._wire import canonical_json
from glasswing_attest.artifact.digest import Form
from glasswing_attest.artifact.hashing import Progress
from glasswing_attest.artifact.manifest import FileEntry, Manifest
from glasswing_attest.artifact.oms import (
    IGNORED,
    SHARD_SIZE,
    Listed,
    ShardedModel,
    ignorable,
    look,
    measure_model,
    pieces,
    uncovered,
    within,
)
from glasswing_attest.artifact.opened import VerifiedFile, open_verified
from glasswing_attest.artifact.shards import FileShards
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, Certificates, KeyHint
from glasswing_attest.envelope import Envelope, EnvelopeSignature
from glasswing_attest.errors import (
    ArtifactUnstable,
    FieldRefused,
    FileSetDiffers,
    FormatUnsupported,
    GlasswingError,
    KeyUnsupported,
    LimitError,
    MediaTypeUnsupported,
    ModelNotAccepted,
    NameRefused,
    NotJson,
    NotLogged,
    PayloadTypeUnsupported,
    StatementTypeUnsupported,
    SubjectMismatch,
    TimeUnproven,
    UsageError,
    counted,
    shown,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.limits import MIB, Limits
from glasswing_attest.policy.identities import asked, is_signer
from glasswing_attest.policy.policy import Identity
from glasswing_attest.signing.certificate import CertificateSigner, require_certifiable
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.signing.signer import Signer, key_of
from glasswing_attest.signing.witnessed import WitnessedSigner
from glasswing_attest.statement.predicates.oms import OMS_DIGESTS_V01, OMS_V1, Compat, ModelSignature, OmsResource
from glasswing_attest.statement.statement import PAYLOAD_TYPE, STATEMENT_V1, Statement
from glasswing_attest.trust.private import private_root
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import revocation
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.identity import VerifiedSigner
from glasswing_attest.verification.procedure import prove
from glasswing_attest.verification.proof import Proof, require_seal
from glasswing_attest.verification.timestamps import VerifiedTimes

__all__ = [
    "LIMITS",
    "SHARD_SIZE",
    "CertificateSigner",
    "Identity",
    "VerifiedModel",
    "private_root",
    "roots",
    "sign_model",
    "verify_model",
]

LIMITS = Limits(bundle_bytes=224 * MIB, statement_bytes=160 * MIB, json_values=4_500_000)
"""A signature lists every file, so that a million of them need more room than other evidence."""

_SEAL = object()
# So many paths are told where there are more.
_TOLD = 8
# What a statement takes at least, and what the listing of one file takes beside its name:
# {"algorithm":"sha256","digest":"<64>","name":""},
_STATEMENT_BYTES, _RESOURCE_BYTES, _RESOURCE_VALUES = 380, 109, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedModel(Proof):
    """A model whose files are those that a signer signed. `verify_model` makes it.

    Attributes:
        statement: what was signed.
        signature: what its predicate says.
        signer: who signed.
        times: by when, and who says so: empty where nobody but the signer does.
        order: how the resources are sorted, and so the root: as OMS has it, or by the parts of their paths.
        measured: the files that were signed, as they are on disk.
        ignored: what is there and was left out: paths of git, and those that the caller ignores.
        unsigned: what is there, was not signed, and was let pass because the caller said so.
    """

    statement: Statement
    signature: ModelSignature
    signer: VerifiedSigner
    times: VerifiedTimes
    order: Literal["spec", "parts"]
    measured: Manifest | ShardedModel
    ignored: tuple[str, ...]
    unsigned: tuple[str, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        require_seal(seal, _SEAL, self)

    @property
    def files(self) -> Sequence[FileEntry | FileShards]:
        """The files that were signed: each with its SHA-256, or with the digests of its shards."""
        return self.measured.files

    @property
    def manifest(self) -> Manifest:
        """The files that were signed: accepted wherever an artifact is.

        Raises:
            UsageError: shards were signed, from which no digest of a file follows.
        """
        if isinstance(self.measured, Manifest):
            return self.measured
        because = "shards were signed, and no digest of a file follows from them"
        raise UsageError(where="manifest", because=because, do="measure the model, or open its files from here")

    @property
    def signed_by(self) -> datetime | None:
        """By when it was signed, as the earliest witness, or the caller, says."""
        return self.times.signed_by

    def open(self, name: str | None = None) -> VerifiedFile:
        """Open a signed file so that other bytes than the verified ones are never read to their end.

        Where shards were signed, none of them is read to its end unless it is the verified one.

        Raises:
            UsageError: no such file was signed.
            Mismatch: on reading, when the bytes are others now.
        """
        measured = self.measured
        return open_verified(measured, name) if isinstance(measured, Manifest) else measured.open(name)


# --- verifying -------------------------------------------------------------------------------------------------------


def verify_model(
    model: StrPath,
    signature: StrPath | Attestation,
    *,
    trust: Trust,
    signer: Identity | str,
    signed_at: datetime | None = None,
    ignore: Iterable[str] = (),
    revocations: Attestation | bytes | None = None,
    revocations_seen: int = 0,
    unsigned_files_unsafe: bool = False,
    empty_files_unsafe: bool = False,
    ignored_executables_unsafe: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
    limits: Limits = LIMITS,
) -> VerifiedModel:
    """Prove that exactly these files were signed by this signer, or raise why not.

    Links on disk are refused, whatever the signature says of them. What the signer left out counts as unsigned, unless
    it is among the paths that OMS always leaves out, or the caller leaves it out as well.

    Args:
        model: a directory or a single file.
        signature: the signature file. Where it lies within the model, it is left out.
        trust: whose keys, and which authorities, are believed.
        signer: who must have signed: the name of a key in the trust, or an `Identity`.
        signed_at: when it was signed, on your own word; needed where no trusted witness says so, as for signatures by a
            key or by a private authority's certificate that bring no stamp. Key and certificate must be good then.
        ignore: exact paths below the model that you agree to leave out.
        revocations, revocations_seen: as for `Verifier`.
        unsigned_files_unsafe: let files pass that were not signed.
        empty_files_unsafe: let empty files pass of which a signature by shards cannot speak.
        ignored_executables_unsafe: let executables and links pass among what is left out.
        progress, executor: as for `attest`.
        limits: bounds on what is read; the default has room for some million files or shards.

    Raises:
        MalformedError, UnsupportedError: the signature is not what OMS says.
        VerificationError: it is not proved (`SignatureInvalid`, `CertificateUntrusted`, `TimeUnproven`, …); the files
            are not those that were signed (`FileSetDiffers`, `SubjectMismatch`).
        ModelNotAccepted: it is proved, and another signer's; it is another kind of signature than `signer` makes; or
            executables are among what is left out.
        ArtifactError: the model cannot be digested, or holds a link.
        UnavailableError, LimitError: undecided.

    >>> import tempfile
    >>> from glasswing_attest import KeySigner, Trust
    >>> key = KeySigner.generate()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = Path(folder, "model")
    ...     model.mkdir()
    ...     _ = Path(model, "weights.bin").write_bytes(b"weights")
    ...     signed = sign_model(model, signer=key)
    ...     trust = Trust.of(release=key.public_key)
    ...     verify_model(model, signed, trust=trust, signer="release", signed_at=datetime.now(UTC)).files[0].name
    'weights.bin'
    """
    require_a(trust, Trust, "trust", "a Trust: there is no default")
    identity = _identity(signer, trust)
    signed_at = None if signed_at is None else utc(signed_at, "signed_at")
    agreed = ignorable(ignore)
    now = datetime.now(UTC)
    trust.require_fresh(now)
    data = revocations.bytes if isinstance(revocations, Attestation) else revocations
    revoked = revocation.check(data, trust, now=now, seen=revocations_seen, limits=limits)

    path, own = _path(model, "model"), None
    if isinstance(signature, Attestation):
        attestation = signature
    else:
        attestation = _loaded(_path(signature, "signature"), limits)
        own = within(path, Path(signature))
    _require_method(attestation, identity)
    try:
        proved = prove(attestation, trust, claimed_at=signed_at, signed_at=signed_at, limits=limits)
    except TimeUnproven as e:
        if signed_at is None and identity.issuer is None:
            e.do = "say yourself when it was signed: signed_at, or --signed-at; now, if it must be good today"
        raise
    verified = _by_signer(revocation.standing(proved, revoked), identity)
    told, order = _read(attestation, verified.statement, limits)

    left_out = {*IGNORED, *agreed, *(() if own is None else (own,))}
    there = look(path, ignore=left_out, limits=limits)
    signed = _signed(told, there)
    unsigned = [name for name in there.sizes if name not in signed.ends]
    # Empty files that are let pass are still looked at: they must stay empty.
    passed = {name for name in unsigned if empty_files_unsafe and told.method == "shards" and not there.sizes[name]}
    _require_same_set(
        signed, () if unsigned_files_unsafe else [name for name in unsigned if name not in passed], there, told
    )
    _require_same_sizes(signed, there)
    measured = measure_model(
        path,
        ignore={*left_out, *(name for name in unsigned if name not in passed)},
        hash_type=told.hash_type,
        shard_size=told.shard_size,
        most=len(told.resources),
        progress=progress,
        limits=limits,
        executor=executor,
    )
    _require_same_digests(told, signed, passed, measured)
    if isinstance(measured, ShardedModel):
        # Of the files that were let pass, nothing is vouched for.
        measured = replace(measured, files=tuple(file for file in measured.files if file.name in signed.ends))
    return VerifiedModel(
        statement=verified.statement,
        signature=told,
        signer=verified.signer,
        times=verified.times,
        order=order,
        measured=measured,
        ignored=_ignored(path, measured, {own, *unsigned}, limits, executables=ignored_executables_unsafe),
        unsigned=tuple(unsigned),
        seal=_SEAL,
    )


def _path(value: object, where: str) -> Path:
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise UsageError(where=where, found=type(value).__name__, wanted="a path")
    return Path(value)


def _loaded(path: Path, limits: Limits) -> Attestation:
    try:
        return Attestation.load(path, limits=limits)
    except (FormatUnsupported, NotJson) as e:
        e.do = f"{shown(str(path))} must be the signature that was written for the model, such as model.sig"
        raise


def _identity(signer: Identity | str, trust: Trust) -> Identity:
    """Take the name of a key for the identity that it is. Whom the trust does not know, nothing could prove."""
    identity = Identity(key=signer) if isinstance(signer, str) else signer
    require_a(identity, Identity, "signer", "the name of a key, or an Identity: there is no default")
    if identity.key is not None and identity.key not in trust.names:
        raise UsageError(where="signer", found=identity.key, wanted=", ".join(trust.names) or "a key of the trust")
    for name in (identity.authority, identity.root):
        if name is not None:
            trust.root(name)
    return identity


def _require_method(attestation: Attestation, identity: Identity) -> None:
    """Refuse another kind of signature than the signer makes, before anything is computed (section 4.1).

    Otherwise whoever owns the certified key, or a certificate for the trusted key, would be somebody else's signer.
    """
    bundle = attestation.bundle
    if bundle is None:
        raise FormatUnsupported(where="$", found=attestation.container, wanted="a Sigstore bundle")
    if bundle.version != "0.3":
        raise MediaTypeUnsupported(where="$.mediaType", found=f"v{bundle.version}", wanted="a bundle v0.3")
    found = "publicKey" if isinstance(bundle.material, KeyHint) else bundle.material.member
    if identity.key is not None:
        wanted, because = "publicKey", "the signer is a key"
    elif identity.authority is not None:
        wanted, because = "x509CertificateChain", "the signer is certified by a private authority"
    else:
        wanted, because = "certificate", "the signer is certified by Sigstore"
    if found != wanted:
        raise ModelNotAccepted(where="$.verificationMaterial", found=found, wanted=wanted, because=because)
    if wanted == "certificate" and not bundle.log_entries:
        raise NotLogged(where="$.verificationMaterial.tlogEntries", found="none", wanted="at least one entry")


def _by_signer(proved: Iterable[VerifiedStatement], identity: Identity) -> VerifiedStatement:
    several = tuple(proved)
    for verified in several:
        if is_signer(identity, verified.signer):
            return verified
    found = "; ".join(verified.signer.described for verified in several)
    raise ModelNotAccepted(where="signer", found=found, wanted=asked(identity.key or "a signer", identity))


def _read(
    attestation: Attestation, statement: Statement, limits: Limits
) -> tuple[ModelSignature, Literal["spec", "parts"]]:
    """Read what was signed by OMS's rules, which are narrower than in-toto's."""
    if attestation.envelope.payload_type != PAYLOAD_TYPE:
        found = attestation.envelope.payload_type
        raise PayloadTypeUnsupported(where="$.dsseEnvelope.payloadType", found=found, wanted=PAYLOAD_TYPE)
    if statement.type != STATEMENT_V1:
        raise StatementTypeUnsupported(where="$._type", found=statement.type, wanted=STATEMENT_V1)
    if statement.predicate_type != OMS_V1:
        raise FieldRefused(where="$.predicateType", found=statement.predicate_type, wanted=OMS_V1)
    told = ModelSignature.from_predicate(statement.predicate_node, limits=limits)
    return told, told.require_root(statement.subjects)


# --- the files -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signed:
    """What was signed, as it must be on disk: where each file ends (None: not told), and the digest of each piece."""

    ends: Mapping[str, int | None]
    digests: Mapping[str, str]


def _ignored(
    model: Path, measured: Manifest | ShardedModel, but: Collection[str | None], limits: Limits, *, executables: bool
) -> tuple[str, ...]:
    """Give everything that was left out and is there. What could be run is refused: nobody stands for it."""
    if measured.form is not Form.TREE:
        return ()
    found = uncovered(model, (path for path in measured.excluded if path not in but), limits=limits)
    runs = [each.path for each in found if each.may_run]
    if runs and not executables:
        raise ModelNotAccepted(
            where=runs[0],
            found=f"{counted(len(runs), 'executable')} or link that no signature covers: {_several(runs)}",
            wanted="nothing that can be run among what is left out",
            do="remove it, or say ignored_executables_unsafe, or --ignored-executables-unsafe",
        )
    return tuple(each.path for each in found)


def _signed(told: ModelSignature, there: Listed) -> _Signed:
    """Give the signed files and their pieces.

    A model that is a single file is called as the file, or ``.`` by older signers (section 6.1.2).
    """
    ends: dict[str, int | None] = {}
    digests: dict[str, str] = {}
    alone = next(iter(there.sizes)) if there.form is Form.FILE else "."
    for resource, (said, start, end) in zip(told.resources, told.pieces(), strict=True):
        path = alone if said == "." else said
        digests[path if end is None else f"{path}:{start}:{end}"] = resource.digest
        ends[path] = None if end is None else max(end, ends.get(path) or 0)
    return _Signed(ends=ends, digests=digests)


def _require_same_set(signed: _Signed, unsigned: Sequence[str], there: Listed, told: ModelSignature) -> None:
    missing = [path for path in signed.ends if path not in there.sizes]
    if not missing and not unsigned:
        return
    facts = [
        f"{counted(len(paths), 'file')} {words}: {_several(paths)}"
        for paths, words in ((missing, "missing"), (unsigned, "not signed"))
        if paths
    ]
    ignored = set(told.ignore_paths)
    left_out = [path for path in unsigned if not ignored.isdisjoint(accumulate(path.split("/"), "{}/{}".format))]
    do = ""
    if {unicodedata.normalize("NFC", path) for path in missing} & {unicodedata.normalize("NFC", n) for n in unsigned}:
        do = "names are compared byte by byte, and here they differ in Unicode normalisation: copy the model in a way"
        do += " that keeps names"
    elif left_out:
        do = f"the signer left {_several(left_out)} out: if you agree, ignore it as well"
    elif told.method == "shards" and not missing and not any(there.sizes[path] for path in unsigned):
        do = "shards cannot speak of empty files: empty_files_unsafe, or --empty-files-unsafe, lets these pass"
    elif not missing:
        do = "remove what was not signed, or get the model again from where it was signed"
    where = (missing or unsigned)[0]
    raise FileSetDiffers(where=where, found="; ".join(facts), wanted="exactly the files that were signed", do=do)


def _require_same_sizes(signed: _Signed, there: Listed) -> None:
    """Refuse what shards say without reading: where the last one ends, the file does."""
    for path, end in signed.ends.items():
        if end not in (None, there.sizes[path]):
            raise SubjectMismatch(where=path, found=f"{there.sizes[path]} bytes", wanted=f"{end} bytes")


def _require_same_digests(
    told: ModelSignature, signed: _Signed, passed: Collection[str], measured: Manifest | ShardedModel
) -> None:
    """Compare every piece; and once more that no file came or went since the first look."""
    names = {file.name for file in measured.files}
    if names != signed.ends.keys() | passed:
        path = min(names ^ (signed.ends.keys() | passed))
        raise ArtifactUnstable(where=path, because="it came or went while the model was looked at")
    wanted = dict(signed.digests)
    for piece in pieces(measured.files, told.hash_type):
        # Taken out, so that what is left at the end was found nowhere.
        digest = wanted.pop(piece.name, None)
        if digest != piece.digest:
            raise SubjectMismatch(
                where=piece.name,
                found=f"{told.hash_type}:{piece.digest[:16]}",
                wanted="nothing there" if digest is None else f"{told.hash_type}:{digest[:16]}",
            )
    for name, digest in wanted.items():
        raise SubjectMismatch(where=name, found="nothing there", wanted=f"{told.hash_type}:{digest[:16]}")


def _several(paths: Sequence[str]) -> str:
    return ", ".join(shown(path) for path in paths[:_TOLD]) + (", …" if len(paths) > _TOLD else "")


def roots(manifest: Manifest) -> dict[Literal["spec", "parts"], str]:
    """Give the root of a measured model in both orders that are in the field, for whoever looks signatures up by it.

    It identifies nothing: another model, with the same contents under other names, may have the same root.
    """

    def root(entries: Iterable[FileEntry]) -> str:
        listed = tuple(OmsResource(name=entry.name, digest=entry.sha256) for entry in entries)
        return ModelSignature(resources=listed).root()

    return {
        "spec": root(sorted(manifest.files, key=lambda entry: entry.name)),
        "parts": root(sorted(manifest.files, key=lambda entry: entry.name.split("/"))),
    }


# --- signing ---------------------------------------------------------------------------------------------------------


def sign_model(
    model: StrPath,
    *,
    signer: Signer,
    signature: StrPath | None = None,
    ignore: Iterable[str] = (),
    shard_size: int | None = None,
    compat: Compat = "spec",
    name: str = "",
    progress: Progress | None = None,
    executor: Executor | None = None,
    limits: Limits = LIMITS,
) -> Attestation:
    """Sign every file of a model, and give the signature, which `verify_model` accepts.

    Refused are links, an empty model, and names that are not UTF-8 or that a listing cannot carry; with shards also
    empty files, of which they cannot speak, and colons in names. Each byte is read once, by many workers side by side:
    with shards they help each other with one large file as well.

    Args:
        model: a directory or a single file.
        signer: who signs: a `KeySigner` on P-256, P-384 or P-521, a `CertificateSigner`, one of these with witnesses,
            or a `SigstoreSigner`.
        signature: where to write it; where that is within the model, it is left out.
        ignore: exact paths below the model to leave out, beside those of git. They stand in the signature.
        shard_size: sign shards of so many bytes, and not whole files; `SHARD_SIZE` is OMS's default.
        compat: ``model-signing`` writes shards, and the name of a model that is a single file, as model-signing 1.1
            reads them.
        name: what to call the model; by default its path's last part.
        progress, executor: as for `attest`.
        limits: bounds on what is written; the default has room for some million files or shards.

    Raises:
        ArtifactError: the model cannot be digested, or is refused.
        KeyUnsupported: OMS has no signatures by such a key.
        CertificateUntrusted, OutsideValidity, MalformedError: the certificate is not for signing code, is not valid
            now, or does not name its holder.
        SigningError: it could not be signed.
        UsageError: something that is no signature is where it shall be written, or there is no such folder.
        LimitError: more files than `limits` allow. It is told before anything is read, with the limits that would do.
    """
    path, target = _path(model, "model"), None if signature is None else _path(signature, "signature")
    if compat not in ("spec", "model-signing"):
        raise UsageError(where="compat", found=compat, wanted="spec or model-signing")
    if shard_size is not None and not _is_size(shard_size):
        raise UsageError(where="shard_size", found=shard_size, wanted="a number of bytes")
    holder = signer.signer if isinstance(signer, WitnessedSigner) else signer
    if isinstance(holder, KeySigner | CertificateSigner):
        _require_curve(holder.public_key)
    if isinstance(holder, CertificateSigner):
        require_certifiable(Leaf.parse(holder.chain[0], by_subject=True), now=datetime.now(UTC))
    if target is not None:
        _refuse_to_spoil(target, path, limits)
    own = None if target is None else within(path, target)
    left_out = {*IGNORED, *ignorable(ignore), *(() if own is None else (own,))}
    most = _require_signable(path, look(path, ignore=left_out, limits=limits), shard_size, limits)
    measured = measure_model(
        path,
        ignore=left_out,
        shard_size=shard_size,
        most=most,
        progress=progress,
        limits=limits,
        executor=executor,
    )
    told = _described(measured, shard_size, compat, tuple(sorted(left_out)))
    subject = {"name": name or measured.name, "digest": {"sha256": told.root()}}
    payload = _written(subject, told.to_predicate(compat=compat))
    made = _as_oms(sign_statement(payload, signer=signer, limits=limits), signer, limits)
    if target is not None:
        write_atomic(target, made.bytes)
    return made


def _require_signable(model: Path, there: Listed, shard_size: int | None, limits: Limits) -> int:
    """Refuse before anything is read what cannot be signed, and what would be too long. Gives the number of pieces."""
    count, room = 0, _STATEMENT_BYTES
    for path, size in there.sizes.items():
        pieces_of = 1
        if shard_size is not None:
            if ":" in path:
                raise NameRefused(where=path, because="a colon ends the path in the name of a shard")
            if size == 0:
                because = "a signature by shards cannot speak of an empty file"
                raise UsageError(where=path, because=because, do="sign whole files")
            pieces_of = -(-size // shard_size)
        count += pieces_of
        room += pieces_of * (_RESOURCE_BYTES + len(path.encode("utf-8")))
    needed = {"statement_bytes": room, "bundle_bytes": room * 4 // 3, "json_values": count * _RESOURCE_VALUES}
    short = {name: value for name, value in needed.items() if value > getattr(limits, name)}
    if short:
        room_for = ", ".join(f"{name}={_rounded(value)}" for name, value in needed.items())
        raise LimitError(
            where=str(model),
            found=f"{counted(count, 'file' if shard_size is None else 'shard')}, so {room} bytes and more to be signed",
            wanted=", ".join(f"at most {getattr(limits, name)} ({name})" for name in short),
            do=f"sign it, and have it verified, with limits=Limits({room_for}), or sign larger files or shards",
        )
    return count


def _rounded(value: int) -> int:
    """Give a number with room to spare."""
    return max(1 << 20, 1 << (value * 9 // 8).bit_length())


def _described(
    measured: Manifest | ShardedModel, shard_size: int | None, compat: Compat, ignored: tuple[str, ...]
) -> ModelSignature:
    alone = measured.form is Form.FILE and compat == "model-signing"
    found = []
    for piece in pieces(measured.files):
        called = f".{piece.name.removeprefix(piece.path)}" if alone else piece.name
        found.append(OmsResource(name=called, digest=piece.digest))
    return ModelSignature(
        resources=tuple(sorted(found, key=lambda resource: resource.name)),
        method="files" if shard_size is None else "shards",
        shard_size=shard_size,
        ignore_paths=ignored,
    )


def _written(subject: Mapping[str, object], predicate: Mapping[str, object]) -> bytes:
    """Write the statement as `canonical_json` does, and as fast as a million resources need it.

    They hold nothing but strings from the disk, so that only the rest must be looked at value by value.
    """
    body = {"_type": STATEMENT_V1, "subject": [subject], "predicateType": OMS_V1, "predicate": predicate}
    rest: dict[str, object] = {**predicate, "resources": []}
    canonical_json({**body, "predicate": rest})
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode("utf-8")


def _as_oms(made: Attestation, signer: Signer, limits: Limits) -> Attestation:
    """Give the bundle as OMS wants it. A key's hint stands outside of what is signed, so that it is written anew."""
    material = made.material
    if isinstance(material, Certificates):
        if material.member != "certificate":
            _require_curve(Leaf.parse(material.chain[0], by_subject=True).key)
        return made
    key, envelope = key_of(signer), made.envelope
    _require_curve(key)
    if not isinstance(envelope, Envelope):
        return made
    unnamed = Envelope(
        payload=envelope.payload,
        payload_type=envelope.payload_type,
        signatures=tuple(EnvelopeSignature(sig=each.sig) for each in envelope.signatures),
    )
    if made.bundle is None:
        return Attestation.parse(Bundle.of_key(unnamed, key.oms_hint), limits=limits)
    renamed = replace(made.bundle, material=KeyHint(hint=key.oms_hint), content=unnamed)
    return Attestation.parse(renamed.to_json(), limits=limits)


def _is_size(value: object) -> bool:
    """Tell whether it is a size that JSON says exactly to everybody."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53


def _require_curve(key: PublicKey) -> None:
    found = key.schemes[0]
    if not found.startswith("ecdsa-sha2-nistp"):
        raise KeyUnsupported(where="signer", found=found, wanted="ECDSA P-256, P-384 or P-521", do="use such a key")


def _refuse_to_spoil(target: Path, model: Path, limits: Limits) -> None:
    """Refuse to write a signature over anything but an earlier one: it could be the model itself."""
    if target.suffix == ".jsonl":
        raise UsageError(where=str(target), wanted="a file of its own, such as model.sig")
    if not target.parent.is_dir():
        raise UsageError(where=str(target), because="there is no such folder", do="make it first")
    try:
        target.lstat()
    except FileNotFoundError:
        if not os.access(target.parent, os.W_OK):
            raise UsageError(where=str(target), because="its folder cannot be written to") from None
        return
    except (OSError, ValueError) as e:
        raise UsageError(where=str(target), because=str(e)) from e
    try:
        there = Attestation.load(target, limits=limits).envelope
        said = Statement.parse_unverified(there.payload, limits=limits).predicate_type
    except GlasswingError as e:
        because = f"what is there is no signature: {e}"
        raise UsageError(where=str(target), because=because, do="choose another name, or remove it first") from e
    if said not in (OMS_V1, OMS_DIGESTS_V01):
        wanted = "an earlier signature of a model, or nothing"
        raise UsageError(where=str(target), found=said, wanted=wanted, do="choose another name, or remove it first")
    if target.resolve() == model.resolve():
        raise UsageError(where=str(target), because="this is the model")
