"""Is every bound of limits.py asked for where foreign input is read, at its very figure?

Each case is an input that measures exactly so much: under that bound it passes, under one less it is refused, by the
name of the bound and with the place. A new bound needs a case here. `test_limits.py` looks at the figures themselves.
"""

import dataclasses
import json
import struct
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest._proto import manifest_pb2
from glasswing_attest._wire import canonical_json, encode_base64, parse_json, parse_proto
from glasswing_attest.artifact.dataset import Dataset
from glasswing_attest.artifact.files import FileEntry
from glasswing_attest.artifact.formats import gguf, safetensors
from glasswing_attest.artifact.formats.reading import Bytes
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.artifact.manifest import Manifest
from glasswing_attest.artifact.model import Model
from glasswing_attest.artifact.proofs import InclusionProof, prove
from glasswing_attest.artifact.rows.digests import digest_rows
from glasswing_attest.artifact.source import Source
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import GlasswingError, IdentityTokenRefused, KeyUntrusted, LimitError, NumberRefused
from glasswing_attest.limits import Budget, Limits
from glasswing_attest.policy.cel import condition
from glasswing_attest.policy.policy import Policy
from glasswing_attest.report.case import unpack
from glasswing_attest.signing.services.fulcio import certify
from glasswing_attest.signing.services.http import Answer, Http
from glasswing_attest.signing.tokens import Token
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1, Provenance
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store.pile import gather
from glasswing_attest.testing.sigstore import VirtualSigstore
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification import signature
from tests.chains import COMMIT, REPOSITORY, bare, honest, run_record, signer
from tests.served import jwt
from tests.weights import ARRAY, STRING, string, value
from tests.weights import gguf as gguf_of
from tests.weights import safetensors as safetensors_of

Read = Callable[[Limits, Path], object]
NAMES = [field.name for field in dataclasses.fields(Limits)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """An input, how much it measures, and where it is refused.

    Work that is counted while it is done has no measure that could be told beforehand: it is None, and looked for.
    """

    read: Read
    where: str
    measure: int | None
    error: type[GlasswingError] = LimitError


# --- what is measured ------------------------------------------------------------------------------------------------

SHA = "ab" * 32
PAYLOAD = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": f"s{n}", "digest": {"sha256": SHA, "sha512": SHA * 2}} for n in range(3)],
        "predicateType": PROVENANCE_V1,
        "predicate": {
            "buildDefinition": {
                "buildType": "x:y",
                "resolvedDependencies": [{"uri": f"x:{n}", "digest": {"sha256": SHA}} for n in range(4)],
            },
            "runDetails": {"builder": {"id": "x:b"}},
        },
    }
).encode()
ENVELOPE = json.dumps(
    {
        "payloadType": "application/vnd.in-toto+json",
        "payload": encode_base64(PAYLOAD),
        "signatures": [{"sig": "aGk=", "keyid": str(n)} for n in range(3)],
    }
).encode()
POLICY = canonical_json(json.loads(honest().policy.to_json()))
LISTING = b"".join(b"%s  %s\n" % (SHA.encode(), name) for name in (b"a.txt", b"sub/b.txt"))
MANIFEST = Manifest.of_tree("dataset", [FileEntry(name=f"f{n}", size=1, sha256=SHA) for n in range(5)])
PROOF = prove(MANIFEST, "f3").to_proto()
LOCK = (
    b'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "demo"\nversion = "1.0"\nwheels = ['
    + b",".join(
        b'{name = "demo-1.0-cp31%d-none-any.whl", url = "https://x/%d", hashes = {sha256 = "%s"}}'
        % (n, n, SHA.encode())
        for n in range(3)
    )
    + b"]\n"
)
TOKEN = jwt({"iss": "https://issuer.example", "sub": "me", "aud": "sigstore", "exp": 2_000_000_000})
WEIGHTS = safetensors_of({"a": ("U8", (1,), b"1"), "b": ("U8", (1,), b"2")})
GGUF = gguf_of([("general.name", value(ARRAY, struct.pack("<IQ", STRING, 2) + string("a") + string("b")))])
SIGSTORE = VirtualSigstore()


@cache
def bundle() -> dict[str, Any]:
    """A bundle with two log entries, two stamps and two certificates: the old way to tell one, with its issuer."""
    made: dict[str, Any] = json.loads(
        SIGSTORE.sign(PAYLOAD, identity="me@example.com", log=(SIGSTORE.log("v1"), SIGSTORE.log("v1")), stamps=2).bytes
    )
    material = made["verificationMaterial"]
    chain = [material.pop("certificate")] * 2
    made["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2"
    return {**made, "verificationMaterial": {**material, "x509CertificateChain": {"certificates": chain}}}


def bundled(limits: Limits, _: Path) -> object:
    return Bundle.from_json(json.dumps(bundle()).encode(), limits=limits)


class Answers(Http):
    """A service that answers this to whatever it is asked."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body

    def ask(self, *_: Any, read: Callable[[Answer], Any], **__: Any) -> Any:
        return read(Answer(status=200, headers={}, body=self.body))


@cache
def certified() -> bytes:
    pem = SIGSTORE.certify(ec.generate_private_key(ec.SECP256R1()).public_key(), "me@example.com").public_bytes(
        Encoding.PEM
    )
    return json.dumps({"signedCertificateEmbeddedSct": {"chain": {"certificates": [pem.decode()]}}}).encode()


def asked(limits: Limits, _: Path) -> object:
    key = ec.generate_private_key(ec.SECP256R1())
    return certify(Answers(certified()), "https://ca.example", key, Token.parse(TOKEN), limits=limits)


def unhinted(limits: Limits, _: Path) -> None:
    """Two signatures by strangers, tried with three keys each."""
    made = Attestation.parse(bare(*(run_record(honest().model, by=f"stranger-{n}") for n in range(2))))
    with suppress(KeyUntrusted):
        signature.check(made, [signer(f"key-{n}").public_key for n in range(3)], limits=limits)


def chained(limits: Limits, _: Path) -> object:
    return honest().assess(limits=limits).require()


def conditional(limits: Limits, _: Path) -> object:
    """The condition of one statement: alone its steps are a no, all of them together decide nothing."""
    plain = json.loads(POLICY)
    plain["nodes"]["model"]["require"][0]["where"] = "subject.all(x, size(x.name) < 100)"
    return honest().assess(policy=Policy.parse(json.dumps(plain).encode(), suffix=".json"), limits=limits).require()


def stepped(limits: Limits, _: Path) -> object:
    held = condition.read("predicate.all(x, x < 10)")
    return condition.holds(held, {"predicate": [1, 2, 3]}, budget=Budget(limits, "where_steps"))


def files(limits: Limits, folder: Path) -> object:
    """Two files, one of them two directories down."""
    (folder / "one" / "two").mkdir(parents=True, exist_ok=True)
    (folder / "top").write_bytes(b"x")
    (folder / "one" / "two" / "deep").write_bytes(b"y")
    return Model(folder).measure(limits=limits)


def committed(limits: Limits, folder: Path) -> object:
    if not (folder / ".git").is_dir():
        (folder / "file.py").write_bytes(b"x = 1\n")
        me = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        for command in (("init", "--quiet"), ("add", "--all"), (*me, "commit", "--quiet", "--no-verify", "-m", "m")):
            subprocess.run(["git", *command], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    return Source(folder).measure(limits=limits)


def rows(limits: Limits, folder: Path) -> object:
    (folder / "a.jsonl").write_bytes(b'{"a": 1}\n' * 3)
    return digest_rows(Dataset(folder), limits=limits)


@cache
def case() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return honest().assess().case(Path(folder, "case.zip")).read_bytes()


def unpacked(limits: Limits, folder: Path) -> object:
    (folder / "case.zip").write_bytes(case())
    return unpack(folder / "case.zip", limits=limits)


def of(data: bytes, read: Callable[..., object]) -> Read:
    """Read these bytes."""
    return lambda limits, _: read(data, limits=limits)


def as_manifest(data: bytes, *, limits: Limits) -> object:
    return parse_proto(manifest_pb2.Manifest, data, where="manifest", limits=limits)


def provenance(data: bytes, *, limits: Limits) -> object:
    return Provenance.from_predicate(Statement.parse_unverified(data).predicate_node, limits=limits)


def policy(data: bytes, *, limits: Limits) -> object:
    return Policy.parse(data, suffix=".json", limits=limits)


def root(data: bytes, *, limits: Limits) -> object:
    return Root.parse(data, name="r", profile=PUBLIC_GOOD, limits=limits)


def token(data: bytes, *, limits: Limits) -> object:
    return Token.parse(data.decode(), limits=limits)


def weights(data: bytes, *, limits: Limits) -> object:
    return safetensors.read(Bytes(data, "w.safetensors"), limits=limits)


def words(data: bytes, *, limits: Limits) -> object:
    return gguf.read(Bytes(data, "w.gguf"), limits=limits)


BUNDLE = SIGSTORE.sign(PAYLOAD, identity="me@example.com").bytes
PAIR = (BUNDLE, ENVELOPE)
CODE = f"code gitCommit:{COMMIT} {REPOSITORY.removeprefix('git+')}"
DATA = f"dataset {honest().data.digests}"

CASES: dict[str, Case] = {
    "bundle_bytes": Case(read=of(BUNDLE, Attestation.parse), measure=len(BUNDLE), where="$"),
    "statement_bytes": Case(read=of(PAYLOAD, Statement.parse_unverified), measure=len(PAYLOAD), where="$"),
    "policy_bytes": Case(read=of(POLICY, policy), measure=len(POLICY), where="policy"),
    "record_bytes": Case(read=of(MANIFEST.to_proto(), as_manifest), measure=len(MANIFEST.to_proto()), where="manifest"),
    "manifest_bytes": Case(read=of(LISTING, Manifest.from_listing), measure=len(LISTING), where="SHA256SUMS"),
    "lock_bytes": Case(read=of(LOCK, Lock.parse), measure=len(LOCK), where="pylock.toml"),
    "json_depth": Case(read=of(b'{"a": [[0]]}', parse_json), measure=3, where="$.a[0]"),
    "json_values": Case(read=of(b'{"a": [1, 2]}', parse_json), measure=4, where="$"),
    # A number that is too long is malformed: it is told apart from one that is only large.
    "number_digits": Case(read=of(b'{"a": 12345}', parse_json), measure=5, where="$.a", error=NumberRefused),
    "signatures": Case(read=of(ENVELOPE, Envelope.from_json), measure=3, where="$.signatures"),
    "signature_checks": Case(read=unhinted, measure=6, where="$.signatures"),
    "signature_checks_in_all": Case(read=chained, measure=None, where="$.signatures"),
    "log_entries": Case(read=bundled, measure=2, where="$.verificationMaterial.tlogEntries"),
    "timestamps": Case(read=bundled, measure=2, where="$.verificationMaterial.timestampVerificationData"),
    "certificates": Case(read=bundled, measure=2, where="$.verificationMaterial.x509CertificateChain"),
    "answer_bytes": Case(read=asked, measure=len(certified()), where="certificate"),
    # Whoever signs is told of the token as of any that does not do.
    "token_bytes": Case(
        read=of(TOKEN.encode(), token), measure=len(TOKEN), where="identity token", error=IdentityTokenRefused
    ),
    "proof_hashes": Case(read=of(PROOF, InclusionProof.from_proto), measure=3, where="proof.hashes"),
    "proof_bytes": Case(read=of(PROOF, InclusionProof.from_proto), measure=len(PROOF), where="proof"),
    "subjects": Case(read=of(PAYLOAD, Statement.parse_unverified), measure=3, where="$.subject"),
    "digests": Case(read=of(PAYLOAD, Statement.parse_unverified), measure=2, where="$.subject[0].digest"),
    "dependencies": Case(
        read=of(PAYLOAD, provenance), measure=4, where="$.predicate.buildDefinition.resolvedDependencies"
    ),
    "locked_files": Case(read=of(LOCK, Lock.parse), measure=3, where="pylock.toml:packages[0].wheels"),
    "evidence": Case(read=lambda limits, _: gather(PAIR, limits=limits), measure=2, where="evidence[1]"),
    "evidence_bytes": Case(
        read=lambda limits, _: gather(PAIR, limits=limits), measure=len(BUNDLE) + len(ENVELOPE), where="evidence[1]"
    ),
    "case_bytes": Case(read=unpacked, measure=len(case()), where="DIR/case.zip"),
    "trusted_keys": Case(read=of(SIGSTORE.trusted_root(), root), measure=2, where="trusted root.tlogs"),
    "nodes": Case(read=chained, measure=3, where=CODE),
    "depth": Case(read=chained, measure=1, where=DATA),
    "candidates": Case(read=chained, measure=None, where=CODE),
    "steps": Case(read=chained, measure=None, where=PROVENANCE_V1),
    "where_steps": Case(read=stepped, measure=None, where=""),
    "where_steps_in_all": Case(read=conditional, measure=None, where=f"where of {PROVENANCE_V1}"),
    "tree_files": Case(read=files, measure=4, where="DIR"),
    "tree_depth": Case(read=files, measure=3, where="DIR/one/two/deep"),
    "name_bytes": Case(read=files, measure=len("one/two/deep"), where="DIR/one/two/deep"),
    "source_bytes": Case(read=committed, measure=None, where="DIR/file.py"),
    "header_bytes": Case(read=of(WEIGHTS, weights), measure=len(WEIGHTS) - 2, where="w.safetensors"),
    "header_values": Case(read=of(GGUF, words), measure=None, where="w.gguf['general.name']"),
    "tensors": Case(read=of(WEIGHTS, weights), measure=2, where="w.safetensors"),
    "rows": Case(read=rows, measure=3, where="a.jsonl"),
    "row_bytes": Case(read=rows, measure=8, where="a.jsonl:1"),
}


def test_every_bound_has_a_case() -> None:
    assert list(CASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_just_enough_passes_and_one_less_is_refused(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    measure = _measured(name, case, tmp_path) if case.measure is None else case.measure
    assert measure >= 1
    case.read(Limits(**{name: measure}), tmp_path)
    with pytest.raises(case.error) as refused:
        case.read(Limits(**{name: measure - 1}), tmp_path)
    error = refused.value
    assert type(error) is case.error
    assert str(error.where).replace(f"{tmp_path}", "DIR") == case.where
    assert error.code == case.error.code
    if isinstance(error, LimitError):
        assert isinstance(error.found, int)
        assert error.found >= measure
        assert error.wanted == f"at most {measure - 1} ({name})"


def _measured(name: str, case: Case, folder: Path) -> int:
    """The smallest bound under which the input passes."""

    def passes(bound: int) -> bool:
        try:
            case.read(Limits(**{name: bound}), folder)
        except LimitError:
            return False
        return True

    most = 1
    while not passes(most):
        most *= 2
    least = most // 2  # which does not pass, or is 0
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if passes(middle) else (middle, most)
    return most
