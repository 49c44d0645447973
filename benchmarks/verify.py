"""What does it cost to verify a Sigstore bundle: for us, for sigstore-python, and at least?

The floor is what nobody can leave out: the signatures themselves, checked with `cryptography` and nothing around them:
the signer's, the one on its certificate, the certificate log's promise, the log's checkpoint, its promise for Rekor v1,
and the time stamp. What stands above the certificate's issuer is not in it: it is proved once for a trust, as the root
is read once (sigstore-python takes the issuer for an anchor). All three take turns in one process, so that they see the
same machine; each figure is the best run, and the median beside it.

Of an envelope sigstore-python gives the payload, where we also read the statement and match its subject.

The bundles are third-party cases and a recorded Sigstore (see tests/shared.py); without them there is nothing to time.

Whoever is asked now and then meets a processor that did something else before: one bundle in turn costs more than one
of fifty in a row (``--in-a-row 50``), for all three.

    python benchmarks/verify.py [--runs 40] [--in-a-row 1] [--json]

It also asserts that verifying loads neither sigstore nor requests, in a Python of its own.
"""

import argparse
import base64
import hashlib
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from glasswing_attest.artifact.digest import DigestSet  # noqa: E402
from glasswing_attest.attestation import Attestation  # noqa: E402
from glasswing_attest.bundle import Bundle, Certificates  # noqa: E402
from glasswing_attest.envelope import Envelope  # noqa: E402
from glasswing_attest.trust.root import Trust  # noqa: E402
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root  # noqa: E402
from glasswing_attest.verification import subject  # noqa: E402
from glasswing_attest.verification.procedure import prove, prove_message  # noqa: E402
from tests.shared import shared_folder, unpacked  # noqa: E402

CONFORMANCE = "sigstore-conformance/test/assets"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A bundle to verify, with its root and artifact, or the artifact's SHA-256 where only that is at hand."""

    name: str
    bundle: bytes
    root: bytes
    artifact: bytes
    known: str = ""

    @property
    def digest(self) -> bytes:
        """The artifact's SHA-256."""
        return bytes.fromhex(self.known) or hashlib.sha256(self.artifact).digest()


def subjects() -> list[Subject]:
    """The bundles: both versions of Rekor, artifacts and envelopes, in the field and from the recorded Sigstore."""
    cases, stack = unpacked(), shared_folder() / "recorded-stack"
    production = (cases / "_trust/prod.trusted_root.json").read_bytes()
    staging = (cases / "_trust/staging.trusted_root.json").read_bytes()
    fixtures = cases / CONFORMANCE / "bundle-verify"
    artifact = (fixtures / "a.txt").read_bytes()
    found = [
        Subject(
            name=name,
            bundle=(fixtures / folder / "bundle.sigstore.json").read_bytes(),
            root=root,
            artifact=artifact,
        )
        for name, folder, root in (
            ("Rekor v1, artifact", "happy-path-v0.3", production),
            ("Rekor v2, artifact", "rekor2-timestamp-with-embedded-cert", staging),
            ("Rekor v2, envelope", "rekor2-dsse-happy-path", staging),
        )
    ]
    envelope = (cases / "gh-cli/pkg/cmd/attestation/test/data/reusable-workflow-attestation.sigstore.json").read_bytes()
    wheel = "49a3aa6075e0f49f82843e74b5baa614ad2a588e6675612bf108a0a008c5ac25"
    found.insert(1, Subject(name="Rekor v1, envelope", bundle=envelope, root=production, artifact=b"", known=wheel))
    if stack.is_dir():
        own, content = (stack / "trusted_root.json").read_bytes(), (stack / "artifact.bin").read_bytes()
        for name, file in (
            ("recorded v1, artifact", "pyv1-artifact"),
            ("recorded v1, envelope", "pyv1-dsse"),
            ("recorded v2, artifact", "py-artifact"),
            ("recorded v2, envelope", "py-dsse"),
        ):
            data = (stack / f"{file}.sigstore.json").read_bytes()
            found.append(Subject(name=name, bundle=data, root=own, artifact=content))
    return found


# --- the three ways --------------------------------------------------------------------------------------------------


def ours(one: Subject) -> Callable[[], object]:
    """Everything that we check, from the bundle's bytes on."""
    trust = Trust(roots=(Root.parse(one.root, name="root", profile=PUBLIC_GOOD),))
    digests = DigestSet.of(sha256=one.digest.hex())
    if isinstance(Bundle.from_json(one.bundle).content, Envelope):

        def envelope() -> object:
            (verified,) = prove(Attestation.parse(one.bundle), trust)
            return subject.match(verified, digests)

        return envelope
    return lambda: prove_message(Bundle.from_json(one.bundle), trust, digest=("sha256", one.digest))


def theirs(one: Subject) -> Callable[[], object]:
    """The same by sigstore-python's verifier."""
    from sigstore.hashes import Hashed
    from sigstore.models import Bundle as TheirBundle
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity
    from sigstore_models.common.v1 import HashAlgorithm

    with tempfile.NamedTemporaryFile("wb", suffix=".json") as file:
        file.write(one.root)
        file.flush()
        verifier = Verifier(trusted_root=TrustedRoot.from_file(file.name))
    certificate = TheirBundle.from_json(one.bundle).signing_certificate
    name = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value[0]
    policy = Identity(identity=str(name.value))
    digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=one.digest)
    if isinstance(Bundle.from_json(one.bundle).content, Envelope):
        return lambda: verifier.verify_dsse(TheirBundle.from_json(one.bundle), policy)
    return lambda: verifier.verify_artifact(digest, TheirBundle.from_json(one.bundle), policy)


Check = tuple[Any, bytes, bytes, Any]


def floor(one: Subject) -> Callable[[], object]:
    """The signatures alone: keys, messages and signatures lie ready."""
    checks = list(_checks(one))

    def verify() -> int:
        for key, signature, message, algorithm in checks:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, message)
            else:
                key.verify(signature, message, algorithm)
        return len(checks)

    return verify


def _ecdsa(key: ec.EllipticCurvePublicKey) -> ec.ECDSA:
    return ec.ECDSA(hashes.SHA384() if key.curve.key_size == 384 else hashes.SHA256())


def _checks(one: Subject) -> list[Check]:
    bundle = Bundle.from_json(one.bundle)
    root = Root.parse(one.root, name="root", profile=PUBLIC_GOOD)
    assert isinstance(bundle.material, Certificates)
    leaf = x509.load_der_x509_certificate(bundle.material.chain[0])
    issuer = next(c for a in root.authorities for c in a.chain if _issued(leaf, c))
    found: list[Check] = [_signer(one, bundle, leaf), _certificate(leaf, issuer)]
    found.append(_promise(root, leaf, issuer))
    (entry,) = bundle.log_entries
    log = next(log for log in root.logs if log.log_id == entry.log_id)
    key = serialization.load_der_public_key(log.key.der)
    proof = entry.inclusion_proof
    assert proof is not None
    text, _, lines = proof.checkpoint.rpartition("\n\n")
    signatures = [base64.b64decode(line.rpartition(" ")[2]) for line in lines.splitlines()]
    own = next(s[4:] for s in signatures if s[:4] in log.key_hashes)
    algorithm = _ecdsa(key) if isinstance(key, ec.EllipticCurvePublicKey) else None
    found.append((key, own, f"{text}\n".encode(), algorithm))
    if entry.inclusion_promise is not None:
        promised: dict[str, str | int] = {
            "body": base64.b64encode(entry.canonicalized_body).decode(),
            "integratedTime": entry.integrated_time,
            "logID": entry.log_id.hex(),
            "logIndex": entry.log_index,
        }
        found.append((key, entry.inclusion_promise, rfc8785.dumps({**promised}), algorithm))
    found += [_stamp(root, stamp) for stamp in bundle.timestamps]
    return found


def _signer(one: Subject, bundle: Bundle, leaf: x509.Certificate) -> Check:
    key = leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    if isinstance(bundle.content, Envelope):
        return key, bundle.content.signatures[0].sig, bundle.content.signed_bytes, _ecdsa(key)
    return key, bundle.content.signature, one.artifact, _ecdsa(key)


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _certificate(certificate: x509.Certificate, issuer: x509.Certificate) -> Check:
    key, algorithm = issuer.public_key(), certificate.signature_hash_algorithm
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert algorithm is not None
    return key, certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(algorithm)


def _promise(root: Root, leaf: x509.Certificate, issuer: x509.Certificate) -> Check:
    """The certificate log's, over what RFC 6962, section 3.2, says."""
    extension = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    promise = next(iter(extension.value))
    log = next(log for log in root.ct_logs if log.log_id == promise.log_id)
    key = serialization.load_der_public_key(log.key.der)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    spki = issuer.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    tbs = leaf.tbs_precertificate_bytes
    at = round(promise.timestamp.replace(tzinfo=UTC).timestamp() * 1000)
    signed = struct.pack("!BBQH", 0, 0, at, 1) + hashlib.sha256(spki).digest()
    signed += len(tbs).to_bytes(3) + tbs + len(promise.extension_bytes).to_bytes(2) + promise.extension_bytes
    return key, promise.signature, signed, _ecdsa(key)


def _stamp(root: Root, stamp: bytes) -> Check:
    """The clock's, over its signed attributes (RFC 5652, section 5.4), found in the response by their tag."""
    for clock in root.clocks:
        key = clock.chain[0].public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        # The attributes are the last [0] of the response, under the tag of a SET when they are signed.
        for at in range(len(stamp) - 1, 0, -1):
            if stamp[at] != 0xA0 or (length := _length(stamp, at + 1)) is None:
                continue
            size, head = length
            attributes = b"\x31" + stamp[at + 1 : at + 1 + head + size]
            rest = stamp[at + 1 + head + size :]
            for mark in range(len(rest)):
                if rest[mark] != 0x04 or (inner := _length(rest, mark + 1)) is None:
                    continue
                signature = rest[mark + 1 + inner[1] : mark + 1 + sum(inner)]
                for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
                    try:
                        key.verify(signature, attributes, ec.ECDSA(digest))
                    except InvalidSignature:  # not these bytes: look on
                        continue
                    return key, signature, attributes, ec.ECDSA(digest)
    raise LookupError("no clock of the root made this stamp")


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """The length that stands there in DER, and how many bytes it takes."""
    if at >= len(data):
        return None
    first = data[at]
    if first < 0x80:
        size, head = first, 1
    elif first in (0x81, 0x82) and at + first - 0x80 < len(data):
        head = first - 0x7F
        size = int.from_bytes(data[at + 1 : at + head])
    else:
        return None
    return (size, head) if at + head + size <= len(data) else None


# --- timing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Milliseconds of one way of verifying one bundle."""

    best: float
    median: float


def measure(ways: dict[str, Callable[[], object]], runs: int, in_a_row: int) -> dict[str, Figures]:
    """Time each way, in turn, so many in a row; once unmeasured, which also shows that each accepts."""
    for way in ways.values():
        way()
    told: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(in_a_row):
                way()
            told[name].append((time.perf_counter() - began) * 1000 / in_a_row)
    return {name: Figures(best=min(each), median=statistics.median(each)) for name, each in told.items()}


LIGHT = """
import sys
from pathlib import Path
from glasswing_attest.bundle import Bundle
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification.procedure import prove_message
import hashlib
bundle, root, artifact = (Path(name).read_bytes() for name in sys.argv[1:])
trust = Trust(roots=(Root.parse(root, name="root", profile=PUBLIC_GOOD),))
digest = ("sha256", hashlib.sha256(artifact).digest())
assert prove_message(Bundle.from_json(bundle), trust, digest=digest, content=artifact).signer.san
heavy = {name.partition(".")[0] for name in sys.modules} & {"sigstore", "requests", "tuf", "in_toto", "urllib3", "rich"}
sys.exit(f"verifying loads {', '.join(sorted(heavy))}" if heavy else 0)
"""


def require_light(one: Subject) -> None:
    """Raise if verifying loads clients of services, whose import costs more than the verification."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name in ("bundle", "root", "artifact"):
            path = Path(folder, name)
            path.write_bytes(getattr(one, name))
            names.append(str(path))
        subprocess.run([sys.executable, "-c", LIGHT, *names], check=True)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=40, help="verifications of each kind (default: %(default)s)")
    parser.add_argument("--in-a-row", type=int, default=1, help="so many of one way at a time (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    if min(options.runs, options.in_a_row) < 1:
        parser.error("--runs and --in-a-row must be at least 1")
    try:
        every = subjects()
    except FileNotFoundError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    require_light(every[0])
    table: dict[str, dict[str, Figures]] = {}
    signatures: dict[str, object] = {}
    for one in every:
        least = floor(one)
        signatures[one.name] = least()
        ways = {"ours": ours(one), "sigstore-python": theirs(one), "floor": least}
        table[one.name] = measure(ways, options.runs, options.in_a_row)
    if options.json:
        rounded = {
            name: {way: {"best_ms": round(f.best, 3), "median_ms": round(f.median, 3)} for way, f in row.items()}
            for name, row in table.items()
        }
        print(
            json.dumps(
                {
                    "bundles": rounded,
                    "runs": options.runs,
                    "in_a_row": options.in_a_row,
                    "python": sys.version.split()[0],
                }
            )
        )
        return 0
    print(f"milliseconds for one bundle: the best of {options.runs} turns of {options.in_a_row}, and the median")
    last = f"{'signatures':>12}{'ours / floor':>14}{'theirs / ours':>15}"
    print(f"{'':<24}{'ours':>16}{'sigstore-python':>18}{'floor':>16}{last}")
    for name, row in table.items():
        cells = [f"{row[way].best:.2f} ({row[way].median:.2f})" for way in ("ours", "sigstore-python", "floor")]
        ratio = row["ours"].best / row["floor"].best
        theirs_to_ours = row["sigstore-python"].best / row["ours"].best
        last = f"{signatures[name]!s:>12}{ratio:>14.2f}{theirs_to_ours:>15.2f}"
        print(f"{name:<24}{cells[0]:>16}{cells[1]:>18}{cells[2]:>16}{last}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
