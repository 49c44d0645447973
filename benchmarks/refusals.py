"""What does it cost to refuse: how many times as much as to read something good of the same size?

For each kind of material a good document, and one of (nearly) the same size that is made to exhaust whoever reads it.
Both are read in turn in one process; each figure is the best run. Memory is what Python's allocator held at most,
beside the document itself. Nothing needs a third-party case.

    python benchmarks/refusals.py [--runs 7] [--at-most 10] [--json]

The exit is 1 where a refusal costs more than so many times the good one, in time or in memory; a millisecond and a
megabyte are free, because below them nothing exhausts anybody. What has to be proved costs by its signatures, and
brings as many as a limit lets it: there, for each that is checked, a refusal may cost twice the good one.
"""

import argparse
import base64
import functools
import io
import json
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from glasswing_attest._wire import parse_json  # noqa: E402
from glasswing_attest.artifact.formats import gguf, safetensors  # noqa: E402
from glasswing_attest.artifact.formats.reading import Bytes  # noqa: E402
from glasswing_attest.artifact.manifest import FileEntry, Manifest  # noqa: E402
from glasswing_attest.attestation import Attestation  # noqa: E402
from glasswing_attest.attestation_set import AttestationSet  # noqa: E402
from glasswing_attest.errors import GlasswingError  # noqa: E402
from glasswing_attest.formats.reading import read as read_formats  # noqa: E402
from glasswing_attest.keys import PublicKey  # noqa: E402
from glasswing_attest.limits import DEFAULT  # noqa: E402
from glasswing_attest.policy.policy import Policy  # noqa: E402
from glasswing_attest.report.case import unpack  # noqa: E402
from glasswing_attest.signing.key import KeySigner  # noqa: E402
from glasswing_attest.statement.statement import PAYLOAD_TYPE, Statement  # noqa: E402
from glasswing_attest.testing.sigstore import VirtualSigstore  # noqa: E402
from glasswing_attest.verification import certificate, clock, signature  # noqa: E402
from glasswing_attest.verification.note import Note  # noqa: E402
from glasswing_attest.verification.procedure import prove  # noqa: E402
from tests.chains import honest  # noqa: E402
from tests.weights import gguf as gguf_of  # noqa: E402
from tests.weights import with_header  # noqa: E402

FREE_SECONDS = 0.001
FREE_BYTES = 1 << 20
SHA = "ab" * 32


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Something hostile, and something good of its kind and size.

    `signatures` is how many the hostile one has checked, where it is proved and not only read.
    """

    name: str
    read: Callable[[bytes], object]
    good: bytes
    hostile: bytes
    signatures: int = 0

    def most(self, at_most: float) -> float:
        """How many times as much as the good one this may cost."""
        return 2 * self.signatures if self.signatures else at_most


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What it took to read."""

    seconds: float
    peak: int


# --- pairs -----------------------------------------------------------------------------------------------------------


def raw(value: object) -> bytes:
    """JSON."""
    return json.dumps(value).encode()


def of_size(size: int) -> bytes:
    """A good JSON text: rows, as records have them."""
    row = raw({"name": "a/b.txt", "digest": {"sha256": SHA}, "size": 12345})
    return b"[" + b",".join([row] * max(1, size // (len(row) + 1))) + b"]"


def statement(**more: Any) -> bytes:
    """A statement, changed."""
    return raw({**json.loads(honest().run.envelope.payload), **more})


def envelope(payload: bytes, signatures: int = 1) -> bytes:
    """An envelope, unsigned."""
    told = [{"sig": "c2ln", "keyid": ""}] * signatures
    encoded = base64.b64encode(payload).decode()
    return raw({"payload": encoded, "payloadType": "application/vnd.in-toto+json", "signatures": told})


def jsons(size: int = 1_000_000) -> Iterator[Pair]:
    """JSON (RFC 8259)."""
    hostile = {
        "nested": b"[" * (size // 2) + b"]" * (size // 2),
        "never closed": b'{"a":' * (size // 5),
        "as many values as bytes": b"[" + b"0," * 1_000_000 + b"0]",
        "one name again and again": b"{" + b",".join([b'"a":1'] * (size // 6)) + b"}",
        "one number": b"[" + b"9" * size + b"]",
        "long exponents": b"[" + b",".join([b"1e99999999"] * (size // 11)) + b"]",
        "lone surrogates": b'["' + b"\\ud800" * (size // 6) + b'"]',
        "a broken last byte": of_size(size)[:-1] + b"}",
        "no UTF-8 at its end": b'["' + b"a" * size + b'\xff"]',
    }
    # What is slow to read where it is right, too, is held against that.
    good = {
        "one name again and again": b"{" + b",".join(b'"%x":1' % n for n in range(size // 8)) + b"}",
        "long exponents": b"[" + b",".join([b"1.2345e-99"] * (size // 11)) + b"]",
    }
    for name, data in hostile.items():
        yield Pair(name=f"JSON: {name}", read=parse_json, good=good.get(name, of_size(len(data))), hostile=data)


def envelopes() -> Iterator[Pair]:
    """DSSE, statements, Sigstore bundles."""
    large = 100_000
    many = envelope(statement(), large)
    told = json.loads(many)
    good = raw({**told, "signatures": told["signatures"][:1], "ignored": told["signatures"]})
    yield Pair(name="envelope: 100,000 signatures", read=Attestation.parse, good=good, hostile=many)
    bent = envelope(b"a" * 3_000_001)
    bent = bent.replace(b'YQ==", "payloadType"', b'YR==", "payloadType"')
    yield Pair(
        name="envelope: base64 with stray bits", read=Attestation.parse, good=envelope(b"a" * 3_000_001), hostile=bent
    )
    subjects = [{"name": str(n), "digest": {"sha256": SHA}} for n in range(30_000)]
    hostile = statement(subject=subjects)
    good = statement(padding=json.loads(of_size(len(hostile))))
    yield Pair(name="statement: 30,000 subjects", read=Statement.parse_unverified, good=good, hostile=hostile)
    digests = {f"x{n}": SHA for n in range(30_000)}
    hostile = statement(subject=[{"name": "a", "digest": digests}])
    good = statement(padding=json.loads(of_size(len(hostile))))
    yield Pair(name="statement: 30,000 digests", read=Statement.parse_unverified, good=good, hostile=hostile)
    sigstore = VirtualSigstore()
    signed = json.loads(sigstore.sign(statement(), identity="me@example.com").bytes)
    material = signed["verificationMaterial"]
    stamps = material["timestampVerificationData"]["rfc3161Timestamps"]
    for name, changed in {
        "1,000 log entries": {"tlogEntries": material["tlogEntries"] * 1000},
        "1,000 stamps": {"timestampVerificationData": {"rfc3161Timestamps": stamps * 1000}},
        "1,000 certificates": {"x509CertificateChain": {"certificates": [material["certificate"]] * 1000}},
    }.items():
        kept = {
            key: value for key, value in material.items() if not (key == "certificate" and "x509" in str(changed)[:9])
        }
        old = (
            {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"} if "x509" in str(changed)[:9] else {}
        )
        hostile = raw({**signed, **old, "verificationMaterial": {**kept, **changed}})
        padded = statement(padding="a" * (len(hostile) * 3 // 4))
        good = sigstore.sign(padded, identity="me@example.com").bytes
        yield Pair(name=f"bundle: {name}", read=Attestation.parse, good=good, hostile=hostile)
    lines = b"\n".join([signed_line := raw(signed)] * 300)
    yield Pair(
        name="lines: the last one broken", read=read_formats, good=lines, hostile=lines[: -len(signed_line) // 2]
    )


def binaries() -> Iterator[Pair]:
    """DER, protobuf, notes, archives, weights."""
    sigstore = VirtualSigstore()
    stamp = sigstore.clocks[0].stamp(b"signature")
    leaf = sigstore.root().authorities[0].chain[0]
    der = leaf.public_bytes(Encoding.DER)
    for name, read, good in (
        ("stamp", clock.time_unverified, stamp),
        ("certificate", lambda data: certificate.load(data, where="c"), der),
        ("key", PublicKey.from_pem, PublicKey.from_pem(_pem()).der),
    ):
        yield Pair(name=f"{name}: nested DER", read=read, good=good, hostile=_nested(len(good)))
        yield Pair(name=f"{name}: a length beyond its end", read=read, good=good, hostile=b"\x30\x84\xff" + good[3:])
    entries = [FileEntry(name=f"f{n:06}", size=1, sha256=SHA) for n in range(20_000)]
    manifest = Manifest.of_tree("dataset", entries)
    good = manifest.to_proto()
    again = good[:-1] + b"\xff"
    yield Pair(name="manifest: broken at its end", read=Manifest.from_proto, good=good, hostile=again)
    yield Pair(
        name="manifest: empty messages", read=Manifest.from_proto, good=good, hostile=b"\x3a\x00" * (len(good) // 2)
    )
    yield Pair(
        name="listing: one name twice",
        read=Manifest.from_listing,
        good=manifest.listing,
        hostile=manifest.listing + manifest.listing[-73:],
    )
    kept = AttestationSet(items=tuple(_signed(sigstore, n) for n in range(200))).to_bytes()
    yield Pair(name="set: broken at its end", read=AttestationSet.from_bytes, good=kept, hostile=kept[:-1])
    note = sigstore.sign(statement(), identity="me@example.com").bytes
    checkpoint = json.loads(note)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"]
    text, _, line = checkpoint.rpartition("\n\n")
    wide = text + "\n" + "a" * (len(line) * 20_000) + "\n\n" + line
    yield Pair(
        name="note: 20,000 signatures",
        read=lambda data: Note.parse(data.decode()),
        good=wide.encode(),
        hostile=(text + "\n\n" + line * 20_000).encode(),
    )
    header = {f"t{n}": {"dtype": "U8", "shape": [1], "data_offsets": [n, n + 1]} for n in range(10_000)}
    good = with_header(header, bytes(10_000))
    bent = with_header({**header, "t9999": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, bytes(10_000))
    yield Pair(name="safetensors: tensors that overlap", read=_safetensors, good=good, hostile=bent)
    tensors = [(f"t{n}", (1,), 24, b"x") for n in range(10_000)]
    good = gguf_of(tensors=tensors)
    bent = gguf_of(tensors=tensors, counts=(2**40, 2**40))
    yield Pair(name="GGUF: counts beyond its end", read=_gguf, good=good, hostile=bent)


def documents() -> Iterator[Pair]:
    """Policies and cases."""
    plain = honest().policy.to_json()
    many = {f"i{n}": {"key": f"k{n}"} for n in range(500)}
    good = raw({**json.loads(plain), "identities": {**json.loads(plain)["identities"], **many}})
    laughs = b"version: 1\na: &a0 [x, x]\n" + b"".join(
        b"b%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, len(good) // 30)
    )
    yield Pair(name="policy: aliases of aliases", read=Policy.parse, good=good, hostile=laughs)
    yield Pair(name="policy: nested YAML", read=Policy.parse, good=good, hostile=b"- " * (len(good) // 2))
    case = _case()
    yield Pair(name="case: members that overlap", read=_unpack, good=case, hostile=_overlapping(case))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("case.json", bytes(len(case) * 900))
    yield Pair(name="case: zeros that inflate", read=_unpack, good=case, hostile=packed.getvalue())


def proofs() -> Iterator[Pair]:
    """Signatures that are none, as many as a limit lets somebody bring."""
    for kind in ("ed25519", "ecdsa-p256", "ecdsa-p384"):
        keys = [KeySigner.generate(kind) for _ in range(DEFAULT.signature_checks // DEFAULT.signatures)]
        public = [key.public_key for key in keys]
        good = json.loads(keys[0].seal(statement(), PAYLOAD_TYPE))["dsseEnvelope"]
        sig = good["signatures"][0]["sig"]
        strangers = [{"sig": _changed(sig, at=n)} for n in range(DEFAULT.signatures)]
        yield Pair(
            name=f"proof: 32 signatures, 64 keys, {kind}",
            read=functools.partial(_by_key, public),
            good=raw(good),
            hostile=raw({**good, "signatures": strangers}),
            signatures=DEFAULT.signature_checks,
        )
    sigstore = VirtualSigstore()
    trust = sigstore.trust()
    good = json.loads(sigstore.sign(statement(), identity="me@example.com", log="v2").bytes)
    sig = base64.b64decode(good["dsseEnvelope"]["signatures"][0]["sig"])
    stamps = [base64.b64encode(sigstore.clocks[0].stamp(sig)).decode() for _ in range(DEFAULT.timestamps)]
    told = {"rfc3161Timestamps": [{"signedTimestamp": _changed(stamp, at=-3)} for stamp in stamps]}
    material = {**good["verificationMaterial"], "timestampVerificationData": told}
    yield Pair(
        name="proof: 32 stamps that are none",
        read=lambda data: prove(Attestation.parse(data), trust, claimed_at=None),
        good=raw(good),
        hostile=raw({**good, "verificationMaterial": material}),
        signatures=DEFAULT.timestamps,
    )
    yield _circle(sigstore)


def _by_key(keys: Sequence[PublicKey], data: bytes) -> object:
    return signature.check(Attestation.parse(data), keys)


def _circle(sigstore: VirtualSigstore) -> Pair:
    """Certificates of CAs of one name and key, so that each of them issued them all: a path that never ends."""
    now, authorities = sigstore.clock.now, sigstore.root().authorities
    trusted = sigstore.certify(ec.generate_private_key(ec.SECP256R1()).public_key(), "me@example.com")
    key = ec.generate_private_key(ec.SECP521R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "circle")])

    def issued(public: Any, *, ca: bool) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False)
        made = x509.CertificateBuilder(name, name, public, x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        return made.add_extension(usage, critical=True)

    above = [
        issued(key.public_key(), ca=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA512())
        .public_bytes(Encoding.DER)
        for _ in range(DEFAULT.certificates - 1)
    ]
    leaf = (
        issued(ec.generate_private_key(ec.SECP256R1()).public_key(), ca=False)
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name("me@example.com")]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA512())
    )
    return Pair(
        name="proof: 15 CAs in a circle, P-521",
        read=lambda data: certificate.validate_path(certificate.Leaf.parse(data), above, authorities, now),
        good=trusted.public_bytes(Encoding.DER),
        hostile=leaf.public_bytes(Encoding.DER),
        signatures=128,  # as many as the path validator checks, before it gives up
    )


def _changed(encoded: str, *, at: int) -> str:
    """Another byte at one place of what is told in base64."""
    data = bytearray(base64.b64decode(encoded))
    data[at] ^= 1
    return base64.b64encode(data).decode()


def _pem() -> bytes:
    return KeySigner.generate("ecdsa-p256").public_key.pem.encode()


def _signed(sigstore: VirtualSigstore, number: int) -> bytes:
    return sigstore.sign(statement(n=number), identity="me@example.com").bytes


def _nested(size: int) -> bytes:
    data = b""
    while len(data) < size:
        length = len(data)
        data = (b"\x30" + bytes([length]) if length < 128 else b"\x30\x82" + length.to_bytes(2)) + data
    return data


def _safetensors(data: bytes) -> object:
    return safetensors.read(Bytes(data, "w"))


def _gguf(data: bytes) -> object:
    return gguf.read(Bytes(data, "w"))


def _case() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return honest().assess().case(Path(folder, "case.zip")).read_bytes()


def _unpack(data: bytes) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "case.zip")
        path.write_bytes(data)
        return unpack(path)


def _overlapping(case: bytes) -> bytes:
    """A thousand members, all of which are the bytes of the largest."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(case)) as old, zipfile.ZipFile(made, "w") as archive:
        largest = max(old.infolist(), key=lambda info: info.file_size)
        archive.writestr("a", old.read(largest))
        (first,) = archive.infolist()
        for number in range(1000):
            info = zipfile.ZipInfo(f"m{number}")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(info, name, getattr(first, name))
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
    return made.getvalue()


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(pair: Pair, runs: int) -> tuple[Cost, Cost]:
    """Read both in turn. Raises `AssertionError` where the good one is refused, or the hostile one read."""
    pair.read(pair.good)
    assert _refused(pair), f"{pair.name}: was read"
    seconds: tuple[list[float], list[float]] = [], []
    for _ in range(runs):
        for told, data in zip(seconds, (pair.good, pair.hostile), strict=True):
            began = time.perf_counter()
            _try(pair, data)
            told.append(time.perf_counter() - began)
    peaks = []
    for data in (pair.good, pair.hostile):
        tracemalloc.start()
        _try(pair, data)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    good, hostile = (Cost(seconds=min(told), peak=peak) for told, peak in zip(seconds, peaks, strict=True))
    return good, hostile


def _try(pair: Pair, data: bytes) -> bool:
    try:
        pair.read(data)
    except GlasswingError:
        return False
    return True


def _refused(pair: Pair) -> bool:
    return not _try(pair, pair.hostile)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="readings of each document (default: %(default)s)")
    parser.add_argument(
        "--at-most", type=float, default=10, help="how many times as much is too much (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    rows: dict[str, dict[str, float]] = {}
    worst, too_much = 0.0, 0
    for pair in (*jsons(), *envelopes(), *binaries(), *documents(), *proofs()):
        good, hostile = measure(pair, options.runs)
        most = pair.most(options.at_most)
        times = max(
            max(0.0, hostile.seconds - FREE_SECONDS) / good.seconds, max(0, hostile.peak - FREE_BYTES) / good.peak
        )
        if not pair.signatures:
            worst = max(worst, times)
        too_much += times > most
        rows[pair.name] = {
            "bytes": len(pair.hostile),
            "good_ms": round(good.seconds * 1000, 3),
            "refused_ms": round(hostile.seconds * 1000, 3),
            "good_kib": good.peak // 1024,
            "refused_kib": hostile.peak // 1024,
            "times": round(times, 2),
            "at_most": most,
        }
    if options.json:
        print(json.dumps({"refusals": rows, "runs": options.runs, "python": sys.version.split()[0]}))
    else:
        print(
            f"the best of {options.runs}; beyond a millisecond and a megabyte, "
            f"the worst that is read is {worst:.2f} times the good"
        )
        print(
            f"{'':<42}{'bytes':>10}{'good ms':>10}{'refused ms':>12}{'good KiB':>10}{'refused KiB':>13}"
            f"{'times':>10}{'at most':>9}"
        )
        for name, row in rows.items():
            cells = f"{row['good_ms']:>10.2f}{row['refused_ms']:>12.2f}"
            print(
                f"{name:<42}{row['bytes']:>10.0f}{cells}{row['good_kib']:>10.0f}{row['refused_kib']:>13.0f}{row['times']:>10.1f}{row['at_most']:>9.0f}"
            )
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())
