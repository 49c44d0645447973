"""Does every fault that verifiers of this kind had, and were published for, stay out of this one?

One test or group for each, its advisory in the name; where there is no advisory, the project and its number. Bundles
are real ones, changed; what no real bundle shows comes from the Sigstore in memory.
"""

import base64
import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.certificate_transparency import SignedCertificateTimestamp
from cryptography.x509.oid import ExtendedKeyUsageOID

from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, Certificates
from glasswing_attest.envelope import pae
from glasswing_attest.errors import (
    Base64Refused,
    CertificateUntrusted,
    DuplicateKey,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    LimitError,
    NotLogged,
    NotPem,
    OutsideValidity,
    PolicyRefused,
    SignatureInvalid,
    SubjectMismatch,
    TimeUnproven,
    TrustRefused,
)
from glasswing_attest.limits import DEFAULT
from glasswing_attest.policy.identities import glob_matches, is_signer
from glasswing_attest.policy.policy import Identity, SignedBy
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.statement.statement import PAYLOAD_TYPE
from glasswing_attest.testing import Clock, LeafOptions, TimestampAuthority, VirtualSigstore
from glasswing_attest.testing import certificates as virtual_certificates
from glasswing_attest.testing import tsa as virtual_clocks
from glasswing_attest.trust.root import Trust, TrustedKey, Witness
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Authority, Profile, Root, Window
from glasswing_attest.verification import signature, transparency
from glasswing_attest.verification.certificate import Leaf, load, validate_path
from glasswing_attest.verification.clock import check_stamp
from glasswing_attest.verification.procedure import prove, prove_message
from tests.bundles import FOR_ANYBODY, Question, question
from tests.shared import Case, cases

Document = dict[str, Any]
Change = Callable[[Document], object]

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": "00" * 32}}],
        "predicateType": "https://example.com/p/v1",
        "predicate": {},
    }
).encode()


def conformance(folder: Path, name: str) -> Question:
    """A question of sigstore-conformance that is answered with yes."""
    found = [p.values[0] for p in cases("sigstore-bundle", corpus="sigstore-conformance")]
    case: Case = next(case for case in found if case.case == name)
    assert case.expect == "accept"
    return question(case, folder)


@pytest.fixture
def v1(shared_data: Path) -> Question:
    """An artifact's bundle, logged in Rekor v1, under the production root."""
    asking = conformance(shared_data, "happy-path-v0.3")
    assert asking.ask().principal
    return asking


@pytest.fixture
def v2(shared_data: Path) -> Question:
    """An artifact's bundle, logged in Rekor v2 and stamped."""
    asking = conformance(shared_data, "rekor2-timestamp-with-embedded-cert")
    assert asking.ask().principal
    return asking


@pytest.fixture
def dsse(shared_data: Path) -> Question:
    """An envelope's bundle, logged in Rekor v2 and stamped."""
    asking = conformance(shared_data, "rekor2-dsse-happy-path")
    assert asking.ask().principal
    return asking


@pytest.fixture
def managed(shared_data: Path) -> Question:
    """An artifact's bundle that a bare key signed, logged in Rekor v1."""
    asking = conformance(shared_data, "managed-key-happy-path")
    assert asking.ask().principal
    return asking


@pytest.fixture
def stack(recorded_stack: Path) -> Callable[[str], Question]:
    """Bundles of several clients about one artifact, under one root."""
    root = (recorded_stack / "trusted_root.json").read_bytes()
    content = (recorded_stack / "artifact.bin").read_bytes()

    def asking(name: str) -> Question:
        data = (recorded_stack / f"{name}.sigstore.json").read_bytes()
        found = Question(bundle=data, root=root, profile=PUBLIC_GOOD, content=content)
        assert found.ask().principal
        return found

    return asking


def refusal(asking: Question) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        asking.ask()
    return refused.value


def entry_of(document: Document) -> Document:
    (entry,) = document["verificationMaterial"]["tlogEntries"]
    found: Document = entry
    return found


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# --- B. the log entry is about another signature ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "others", "where"),
    [
        ("pyv1-artifact", "js5v1-artifact", "canonicalizedBody.spec.signature.content"),
        ("cosign-artifact", "go-artifact", "canonicalizedBody.spec.hashedRekordV002.signature.content"),
        ("pyv1-dsse", "js5v1-dsse", "canonicalizedBody.spec."),
        ("py-dsse", "cosign-dsse", "canonicalizedBody.spec.hashedRekordV002."),
    ],
)
def test_cve_2022_23649_a_log_entry_of_another_signature(
    stack: Callable[[str], Question], ours: str, others: str, where: str
) -> None:
    other = json.loads(stack(others).bundle)["verificationMaterial"]

    def swap(document: Document) -> None:
        document["verificationMaterial"]["tlogEntries"] = other["tlogEntries"]

    found = refusal(stack(ours).changed(swap))
    assert type(found) is NotLogged
    assert found.where.startswith(where)


def _swaps(other: Document) -> dict[str, tuple[Change, type[GlasswingError], str]]:
    """What of another good bundle about the same artifact is put into ours, and how that is refused."""
    material, message = other["verificationMaterial"], other["messageSignature"]
    chain = material.get("x509CertificateChain", {"certificates": [material.get("certificate")]})

    def certificate(document: Document) -> None:
        document["verificationMaterial"]["certificate"] = chain["certificates"][0]

    def signature_too(document: Document) -> None:
        certificate(document)
        document["messageSignature"]["signature"] = message["signature"]

    def only_signature(document: Document) -> None:
        document["messageSignature"]["signature"] = message["signature"]

    def entry(document: Document) -> None:
        document["verificationMaterial"]["tlogEntries"] = material["tlogEntries"]

    def body(document: Document) -> None:
        entry_of(document)["canonicalizedBody"] = entry_of(other)["canonicalizedBody"]

    return {
        "certificate": (certificate, SignatureInvalid, "$.messageSignature"),
        "certificate and signature": (signature_too, NotLogged, "canonicalizedBody."),
        "signature": (only_signature, SignatureInvalid, "$.messageSignature"),
        "entry": (entry, NotLogged, "canonicalizedBody."),
        "body": (body, NotLogged, "inclusionProof.rootHash"),
    }


def _trusts(asking: Question) -> dict[str, Trust]:
    """The same trust from each source that it may come from."""
    given = asking.trust
    return {"root": given, "trust file": Trust.parse(given.to_json(), suffix=".json")}


SWAPS = ["certificate", "certificate and signature", "signature", "entry", "body"]


@pytest.mark.parametrize("what", SWAPS)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_cve_2022_36056_certificate_signature_and_entry_belong_together(
    stack: Callable[[str], Question], version: str, what: str
) -> None:
    names = {"v1": ("pyv1-artifact", "js5v1-artifact"), "v2": ("py-artifact", "go-artifact")}[version]
    ours, other = stack(names[0]), json.loads(stack(names[1]).bundle)
    change, error, where = _swaps(other)[what]
    found = refusal(ours.changed(change))
    assert type(found) is error
    assert found.where.startswith(where)


def test_cve_2022_36056_another_artifact_is_not_what_was_signed(stack: Callable[[str], Question]) -> None:
    found = refusal(replace(stack("pyv1-artifact"), content=b"another artifact"))
    assert type(found) is SubjectMismatch
    assert found.where == "$.messageSignature.messageDigest"


@pytest.mark.parametrize("what", SWAPS)
@pytest.mark.parametrize("source", ["root", "trust file"])
def test_cve_2026_22703_the_same_holds_for_every_source_of_trust(
    stack: Callable[[str], Question], source: str, what: str
) -> None:
    ours, other = stack("py-artifact"), json.loads(stack("go-artifact").bundle)
    change, error, where = _swaps(other)[what]
    trust = _trusts(ours)[source]
    content = ours.content or b""
    digest = ("sha256", hashlib.sha256(content).digest())
    assert prove_message(Bundle.from_json(ours.bundle), trust, digest=digest, content=content).digest == digest[1]
    with pytest.raises(error) as refused:
        prove_message(Bundle.from_json(ours.changed(change).bundle), trust, digest=digest, content=content)
    assert refused.value.where.startswith(where)


def test_cve_2026_22703_the_same_holds_for_a_trusted_key(managed: Question, v1: Question) -> None:
    others = json.loads(v1.bundle)["verificationMaterial"]["tlogEntries"]

    def swap(document: Document) -> None:
        document["verificationMaterial"]["tlogEntries"] = others

    found = refusal(managed.changed(swap))
    assert type(found) is NotLogged
    assert found.where.startswith("canonicalizedBody.spec.signature.")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verifying opens no connection")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.mark.usefixtures("no_network")
def test_cve_2024_51746_no_entry_is_looked_up(v1: Question) -> None:
    assert v1.ask().principal

    def remove(document: Document) -> None:
        document["verificationMaterial"]["tlogEntries"] = []

    found = refusal(v1.changed(remove))
    assert type(found) is NotLogged
    assert found.where == "tlogEntries"


@pytest.mark.parametrize(
    "change",
    [
        {"digest": b64(b"\0" * 32)},
        {"algorithm": "SHA2_512"},
        {"algorithm": "SHA2_384"},
        {"algorithm": "SHA1"},
        {"algorithm": ""},
        {"algorithm": None},
        {"digest": None},
        {"digest": ""},
    ],
)
def test_sigstore_python_1652_the_digest_and_its_algorithm_are_the_artifacts(
    v1: Question, change: dict[str, str | None]
) -> None:
    found = refusal(v1.changed(lambda document: document["messageSignature"]["messageDigest"].update(change)))
    assert type(found) is SubjectMismatch
    assert found.where == "$.messageSignature.messageDigest"


def test_sigstore_python_1652_without_any_digest_the_signature_still_is_over_the_artifact(v1: Question) -> None:
    bare = v1.changed(lambda document: document["messageSignature"].pop("messageDigest"))
    assert bare.ask().principal
    found = refusal(replace(bare, content=b"another artifact"))
    assert type(found) is SignatureInvalid
    assert found.where == "$.messageSignature"


# --- C. times and validity -------------------------------------------------------------------------------------------


def _integrated(asking: Question) -> datetime:
    return datetime.fromtimestamp(int(entry_of(json.loads(asking.bundle))["integratedTime"]), tz=UTC)


def _stamped(asking: Question) -> datetime:
    (stamp,) = Bundle.from_json(asking.bundle).timestamps
    (root,) = asking.trust.roots
    signed = json.loads(asking.bundle)["messageSignature"]["signature"]
    return check_stamp(stamp, base64.b64decode(signed), root.clocks)[0]


def _promised(asking: Question) -> datetime:
    material = Bundle.from_json(asking.bundle).material
    assert isinstance(material, Certificates)
    leaf = load(material.chain[0], where="leaf")
    extension = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
    promises: list[SignedCertificateTimestamp] = list(extension.value)
    return promises[0].timestamp.replace(tzinfo=UTC)


def _within(asking: Question, part: str, start: datetime, end: datetime | None) -> Question:
    """The same question where everything of a part of the root is believed within that window only."""

    def change(document: Document) -> None:
        for each in document[part]:
            holder = each.get("publicKey", each)
            holder["validFor"] = {"start": start.isoformat()} | ({} if end is None else {"end": end.isoformat()})

    return asking.in_root(change)


STEP = timedelta(milliseconds=1)
WINDOWS = [
    ("v1", "tlogs", _integrated, OutsideValidity, "tlogs https://rekor.sigstore.dev"),
    ("v1", "certificateAuthorities", _integrated, OutsideValidity, "certificateAuthorities"),
    ("v1", "ctlogs", _promised, CertificateUntrusted, "certificate.scts"),
    ("v2", "tlogs", _stamped, OutsideValidity, "tlogs https://log2025-alpha1.rekor.sigstage.dev"),
    ("v2", "certificateAuthorities", _stamped, OutsideValidity, "certificateAuthorities"),
    ("v2", "ctlogs", _promised, CertificateUntrusted, "certificate.scts"),
    ("v2", "timestampAuthorities", _stamped, OutsideValidity, "clock https://timestamp.sigstage.dev/api/v1/timestamp"),
]


@pytest.mark.parametrize(
    ("version", "part", "told", "error", "where"), WINDOWS, ids=[f"{version}-{part}" for version, part, *_ in WINDOWS]
)
def test_cve_2026_54787_nobody_is_believed_outside_of_their_window(
    request: pytest.FixtureRequest,
    version: str,
    part: str,
    told: Callable[[Question], datetime],
    error: type[GlasswingError],
    where: str,
) -> None:
    asking: Question = request.getfixturevalue(version)
    at = told(asking)
    # The window is closed: its ends are within it, both by themselves and at once.
    for start, end in ((at, None), (at - timedelta(days=1), at), (at, at)):
        assert _within(asking, part, start, end).ask().principal
    for start, end in ((at + STEP, None), (at - timedelta(days=1), at - STEP)):
        found = refusal(_within(asking, part, start, end))
        assert type(found) is error
        assert found.where == where


def test_cve_2026_54787_a_key_is_believed_within_its_window_only(managed: Question) -> None:
    at = _integrated(managed)
    for start, end in ((at, None), (None, at), (at, at)):
        assert replace(managed, key_window=(start, end)).ask().principal
    for start, end in ((at + STEP, None), (None, at - STEP)):
        found = refusal(replace(managed, key_window=(start, end)))
        assert type(found) is OutsideValidity
        assert found.where == "keys.key"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[str, ec.EllipticCurvePrivateKey],
    life: tuple[datetime, datetime],
    *,
    ca: bool,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(f"CN={name}"))
        .issuer_name(x509.Name.from_rfc4514_string(f"CN={issuer[0]}"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
        .add_extension(virtual_certificates.usage(digital_signature=not ca, cert_sign=ca), critical=True)
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        names = x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")])
        builder = builder.add_extension(usages, critical=False).add_extension(names, critical=True)
    return builder.sign(issuer[1], hashes.SHA256())


@pytest.mark.parametrize("where", ["embedded", "in the root"])
def test_cve_2026_24122_an_intermediate_that_has_expired_leads_nowhere(where: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    always, short = (start, start + timedelta(days=365)), (start, start + timedelta(minutes=5))
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root = _certificate("root", keys[0], ("root", keys[0]), always, ca=True)
    middle = _certificate("middle", keys[1], ("root", keys[0]), short, ca=True)
    leaf = _certificate("leaf", keys[2], ("middle", keys[1]), always, ca=False)
    embedded, chain = ((middle,), (root,)) if where == "embedded" else ((), (middle, root))
    authority = Authority(operator="o", name="n", chain=chain, window=Window(start=start))
    read = Leaf.parse(leaf.public_bytes(Encoding.DER))
    further = [certificate.public_bytes(Encoding.DER) for certificate in embedded]
    assert len(validate_path(read, further, (authority,), short[1])) == 3
    # The leaf's own start lies within the intermediate's life; what counts is the time of the signature.
    with pytest.raises(CertificateUntrusted) as refused:
        validate_path(read, further, (authority,), short[1] + timedelta(seconds=1))
    assert "not valid at validation time" in refused.value.because


def test_cve_2024_55655_a_time_of_integration_without_a_promise(v1: Question) -> None:
    found = refusal(v1.changed(lambda document: entry_of(document).pop("inclusionPromise")))
    assert type(found) is NotLogged
    assert found.where == "tlogEntries.integratedTime"


def test_cve_2024_55655_without_time_and_promise_nobody_witnessed_a_time(v1: Question) -> None:
    def remove(document: Document) -> None:
        del entry_of(document)["inclusionPromise"], entry_of(document)["integratedTime"]

    found = refusal(v1.changed(remove))
    assert type(found) is TimeUnproven
    assert found.where == "verificationMaterial"


def test_sigstore_js_1659_a_time_of_integration_beside_a_stamp(v1: Question, v2: Question) -> None:
    soon = str(int(_stamped(v2).timestamp()) - 60)
    found = refusal(v2.changed(lambda document: entry_of(document).update(integratedTime=soon)))
    assert type(found) is NotLogged
    assert found.where == "tlogEntries.integratedTime"
    promise = entry_of(json.loads(v1.bundle))["inclusionPromise"]
    found = refusal(v2.changed(lambda document: entry_of(document).update(inclusionPromise=promise)))
    assert type(found) is NotLogged
    assert found.where == "tlogEntries.integratedTime"


def test_sigstore_js_1659_a_time_of_integration_that_was_not_promised(v1: Question) -> None:
    later = str(int(_integrated(v1).timestamp()) + 1)
    found = refusal(v1.changed(lambda document: entry_of(document).update(integratedTime=later)))
    assert type(found) is SignatureInvalid
    assert found.where == "tlogEntries.inclusionPromise"


SIGNED = b"a signature"


def _clock_of(stamping: TimestampAuthority) -> Authority:
    return Authority(operator="o", name="n", chain=stamping.chain, window=stamping.window)


def test_cve_2025_52556_every_bit_of_a_stamps_signature_counts() -> None:
    stamping = TimestampAuthority(Clock())
    stamp = stamping.stamp(SIGNED)
    assert check_stamp(stamp, SIGNED, (_clock_of(stamping),))[0] == Clock().now
    # The signature ends the response: its last value is s, of up to 32 bytes.
    for back in range(1, 30):
        changed = bytearray(stamp)
        changed[-back] ^= 1
        with pytest.raises(TimeUnproven):
            check_stamp(bytes(changed), SIGNED, (_clock_of(stamping),))


def test_cve_2025_52556_a_certificate_that_is_not_for_stamps_stamps_nothing() -> None:
    stamping = TimestampAuthority(Clock(), usages=(ExtendedKeyUsageOID.CODE_SIGNING,))
    for certificates in (True, False):
        with pytest.raises(TimeUnproven) as refused:
            check_stamp(stamping.stamp(SIGNED, certificates=certificates), SIGNED, (_clock_of(stamping),))
        assert refused.value.where == "rfc3161Timestamps"


@pytest.mark.parametrize("certificates", [True, False])
def test_cve_2025_52556_another_certificate_of_the_clocks_chain_stamps_nothing(
    monkeypatch: pytest.MonkeyPatch, certificates: bool
) -> None:
    keys: list[Any] = []

    def chain_of(*arguments: Any, **options: Any) -> Any:
        found = virtual_certificates.chain_of(*arguments, **options)
        keys.extend(private for _, private in found)
        return found

    monkeypatch.setattr(virtual_clocks, "chain_of", chain_of)
    stamping = TimestampAuthority(Clock())
    believed = _clock_of(stamping)
    # The intermediate's key stamps, under its own name.
    stamping._key, stamping.chain = keys[0], (stamping.chain[1], *stamping.chain[2:])
    with pytest.raises(TimeUnproven) as refused:
        check_stamp(stamping.stamp(SIGNED, certificates=certificates), SIGNED, (believed,))
    assert refused.value.because == "no trusted clock made this stamp"


def test_cve_2026_39984_further_certificates_in_a_stamp_decide_nothing() -> None:
    ours, strangers = TimestampAuthority(Clock()), TimestampAuthority(Clock(), operator="stranger.example")
    believed = (_clock_of(ours),)
    leaf, above, root = ours.chain
    # A stranger's certificate travels along: the stamp is still ours.
    ours.chain = (leaf, strangers.chain[0], above, root)
    time_, clock = check_stamp(ours.stamp(SIGNED), SIGNED, believed)
    assert (time_, clock) == (Clock().now, believed[0])
    # Our certificate travels along with a stranger's stamp: it is still the stranger's.
    strangers.chain = (strangers.chain[0], leaf, *strangers.chain[1:])
    with pytest.raises(TimeUnproven) as refused:
        check_stamp(strangers.stamp(SIGNED), SIGNED, believed)
    assert refused.value.because == "no trusted clock made this stamp"
    # A stranger's key signs under our certificate's name.
    strangers.chain = (leaf, above, root)
    for certificates in (True, False):
        with pytest.raises(TimeUnproven):
            check_stamp(strangers.stamp(SIGNED, certificates=certificates), SIGNED, believed)


def _stamp_again(bundle: bytes, stamping: TimestampAuthority, at: datetime) -> bytes:
    document = json.loads(bundle)
    signed = base64.b64decode(document["dsseEnvelope"]["signatures"][0]["sig"])
    stamps = document["verificationMaterial"].setdefault("timestampVerificationData", {"rfc3161Timestamps": []})
    stamps["rfc3161Timestamps"].append({"signedTimestamp": b64(stamping.stamp(signed, at=at))})
    return json.dumps(document).encode()


def test_sigstore_conformance_404_every_stamp_counts_and_not_the_earliest_alone() -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity="alice@example.com", log="v2").bytes
    now, (clock,) = sigstore.clock.now, sigstore.clocks
    within = _stamp_again(made, clock, now + timedelta(minutes=5))
    assert prove(Attestation.parse(within), sigstore.trust())
    for outside in (now + timedelta(minutes=11), now - timedelta(minutes=1)):
        clock.window = Window(start=now - timedelta(days=1))
        for log in sigstore.logs:
            log.window = Window(start=now - timedelta(days=1))
        for authority in sigstore.authorities:
            authority.window = Window(start=now - timedelta(days=1))
        with pytest.raises(OutsideValidity) as refused:
            prove(Attestation.parse(_stamp_again(made, clock, outside)), sigstore.trust())
        assert refused.value.where == "certificate"


# --- D. thresholds and identities ------------------------------------------------------------------------------------


def test_cve_2026_49834_two_logs_of_one_operator_are_one_witness() -> None:
    sigstore = VirtualSigstore()
    made = sigstore.sign(STATEMENT, identity="alice@example.com", log=sigstore.logs)
    assert len(Bundle.from_json(made.bytes).log_entries) == 2
    two = Profile(scts=1, logs=2, times=1)
    with pytest.raises(TrustRefused) as impossible:
        sigstore.trust(two)
    assert impossible.value.where == "roots.virtual.profile.logs"
    other = sigstore.add_log("v2", operator="other.example")
    with pytest.raises(NotLogged) as refused:
        prove(made, sigstore.trust(two))
    assert (refused.value.where, refused.value.found) == ("tlogEntries", "1 logs")
    both = sigstore.sign(STATEMENT, identity="alice@example.com", log=[sigstore.logs[0], other])
    assert prove(both, sigstore.trust(two))[0].logs


def test_cve_2026_49834_two_promises_of_one_certificate_log_are_one_witness() -> None:
    sigstore = VirtualSigstore()
    other = sigstore.add_ct_log(operator="other.example")
    first = sigstore.ct_logs[0]
    trust = sigstore.trust(Profile(scts=2, logs=1, times=1))
    twice = sigstore.sign(STATEMENT, identity="a@example.com", leaf=LeafOptions(ct_logs=(first, first)))
    with pytest.raises(CertificateUntrusted) as refused:
        prove(twice, trust)
    assert (refused.value.where, refused.value.found) == ("certificate.scts", "1 logs")
    assert prove(sigstore.sign(STATEMENT, identity="a@example.com", leaf=LeafOptions(ct_logs=(first, other))), trust)


def test_sigstore_js_1702_a_copy_of_an_entry_is_refused(v1: Question, v2: Question) -> None:
    def copy(document: Document) -> None:
        entries = document["verificationMaterial"]["tlogEntries"]
        entries.append(json.loads(json.dumps(entries[0])))

    def copy_with_another_index(document: Document) -> None:
        copy(document)
        document["verificationMaterial"]["tlogEntries"][1]["logIndex"] = "1"

    for asking in (v1, v2):
        for change in (copy, copy_with_another_index):
            found = refusal(asking.changed(change))
            assert type(found) is NotLogged
            assert (found.where, found.because) == ("tlogEntries", "the same entry stands there twice")


def test_sigstore_js_1702_several_stamps_of_one_clock_are_one_witness() -> None:
    sigstore = VirtualSigstore()
    other = sigstore.add_clock(operator="other.example")
    trust = sigstore.trust(Profile(scts=1, logs=1, times=2, stamps=2))
    clock = sigstore.clocks[0]
    copies = sigstore.sign(STATEMENT, identity="a@example.com", log="v2", stamps=[clock, clock])
    stamps = Bundle.from_json(copies.bytes).timestamps
    assert len(set(stamps)) == 2  # of distinct bytes: each has a serial number of its own
    with pytest.raises(TimeUnproven) as refused:
        prove(copies, trust)
    assert refused.value.found == "1 witnesses, 1 of them clocks"
    # Nor does a copy of its very bytes.
    document = json.loads(copies.bytes)
    each = document["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    each[1] = each[0]
    with pytest.raises(TimeUnproven):
        prove(Attestation.parse(json.dumps(document).encode()), trust)
    assert prove(sigstore.sign(STATEMENT, identity="a@example.com", log="v2", stamps=[clock, other]), trust)


def test_ghsa_3633_5h82_39pq_one_key_under_two_names_is_one_signer() -> None:
    signer = KeySigner.generate()
    bare = json.loads(signer.seal(STATEMENT, PAYLOAD_TYPE))["dsseEnvelope"]
    (item,) = bare["signatures"]
    bare["signatures"] = [{**item, "keyid": "first"}, {**item, "keyid": "second"}]
    keys = tuple(TrustedKey(name=n, key=signer.public_key, keyids=(n,)) for n in ("first", "second"))
    made = Attestation.parse(json.dumps(bare).encode())
    proved = prove(made, Trust(keys=keys), claimed_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert {name for verified in proved for name in verified.signer.names} == {"first", "second"}
    assert len({verified.signer.principal for verified in proved}) == 1


@pytest.mark.parametrize("wrong", [0, -1])
def test_cve_2026_23992_a_threshold_of_nothing_cannot_be_built(wrong: int) -> None:
    with pytest.raises(TrustRefused) as refused:
        Profile(scts=0, logs=0, times=wrong)
    assert refused.value.where == "profile.times"
    for name in ("scts", "logs", "stamps"):
        with pytest.raises(TrustRefused) as refused:
            replace(Profile(scts=0, logs=0, times=1), **{name: -1})  # type: ignore[arg-type]
        assert refused.value.where == f"profile.{name}"
    with pytest.raises(TrustRefused) as refused:
        Witness(root="root", logs=wrong, times=0)
    assert refused.value.where == "witness"
    with pytest.raises(PolicyRefused):
        SignedBy(threshold=wrong, of=("a", "b"), over="same_type")


def test_cve_2026_23992_a_threshold_above_what_there_is_cannot_be_built() -> None:
    with pytest.raises(PolicyRefused):
        SignedBy(threshold=3, of=("a", "b"), over="same_type")
    with pytest.raises(PolicyRefused):
        SignedBy(threshold=2, of=("a", "a"), over="same_type")
    sigstore = VirtualSigstore()
    for profile in (
        Profile(scts=2, logs=1, times=1),
        Profile(scts=1, logs=1, times=2),
        Profile(scts=1, logs=1, times=1, stamps=2),
    ):
        with pytest.raises(TrustRefused):
            sigstore.trust(profile)


def test_cve_2026_22772_a_name_is_matched_whole(v1: Question) -> None:
    signer = v1.ask()
    assert is_signer(Identity(issuer=signer.issuer, san=signer.san), signer)
    for part in (signer.san[:-1], signer.san[1:], signer.san.split("/")[-1], f"{signer.san[:-1]}.", r"^.*$"):
        assert not is_signer(Identity(issuer=signer.issuer, san=part), signer)
    with pytest.raises(PolicyRefused) as refused:
        Identity(issuer=signer.issuer, san=".*")  # stars and stops alone would name everybody in some other language
    assert (refused.value.code, refused.value.where) == ("malformed.policy", "Identity: san")
    wanted = "https://github.com/acme/*/.github/workflows/*@refs/heads/main"
    assert glob_matches(wanted, "https://github.com/acme/x/.github/workflows/y.yml@refs/heads/main")
    for evil in (
        "https://evil.com/?https://github.com/acme/x/.github/workflows/y.yml@refs/heads/main",
        "https://github.com/acme/x/.github/workflows/y.yml@refs/heads/main\n",
        "https://github.com/acme/x/.github/workflows/y.yml@refs/heads/main/evil",
        "https://github.com/acme/x/evil/.github/workflows/y.yml@refs/heads/main",
    ):
        assert not glob_matches(wanted, evil)


# --- E. reading ------------------------------------------------------------------------------------------------------


def test_sigstore_js_1657_lengths_in_what_is_signed_count_bytes() -> None:
    # "ü" is two bytes of UTF-8, and the body is bytes already.
    assert pae("application/ü", b"body") == b"DSSEv1 14 application/\xc3\xbc 4 body"
    assert pae("", b"") == b"DSSEv1 0  0 "


def test_cve_2026_44309_what_is_read_is_what_was_signed() -> None:
    sigstore = VirtualSigstore()
    odd = STATEMENT.replace(b'{"_type"', b'{ \n"zzz": 12345678901234567890123,\t"_type"')
    (verified,) = prove(sigstore.sign(odd, identity="a@example.com"), sigstore.trust())
    assert verified.statement.payload == odd
    twice = STATEMENT.replace(b'"predicate": {}', b'"predicate": {"a": 1}, "predicate": {"a": 2}')
    with pytest.raises(DuplicateKey) as refused:
        prove(sigstore.sign(twice, identity="a@example.com"), sigstore.trust())
    assert refused.value.where == "$.predicate"


def test_cve_2026_44309_the_same_statement_written_otherwise_is_not_what_was_signed(dsse: Question) -> None:
    def rewrite(document: Document) -> None:
        payload = json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))
        again = json.dumps(payload, sort_keys=True, indent=1).encode()
        assert again != base64.b64decode(document["dsseEnvelope"]["payload"])
        document["dsseEnvelope"]["payload"] = b64(again)

    found = refusal(dsse.changed(rewrite))
    assert type(found) is SignatureInvalid
    assert found.where == "$.signatures"


CHECKPOINTS = [
    "",
    "\n",
    "\n\n",
    "\n\n\n",
    "(a+)+$\n1\nAAAA\n\n— (a+)+$ AAAA\n",
    "origin\n-1\n\n\n",
    "origin\n1\nroot\n\n— name\n",
    "origin\n1\nroot\n\n—\n",
    "origin\n1\nroot\n\n— name =\n",
    "origin\n1\nroot\n\n— name 💥\n",
    "origin\n99999999999999999999999999\nroot\n\n— name AAAAAAAA\n",
    "origin\0\n1\nroot\n\n— name AAAAAAAA\n",
    "\ufeff\n\n— name AAAAAAAA\n",
    "— " * 5000,
    "a\n\n" + "— name AAAAAAAA\n" * 33,
]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("text", CHECKPOINTS)
def test_sigstore_js_1722_a_checkpoint_is_only_text(request: pytest.FixtureRequest, version: str, text: str) -> None:
    def change(document: Document) -> None:
        entry_of(document)["inclusionProof"]["checkpoint"]["envelope"] = text

    found = refusal(request.getfixturevalue(version).changed(change))
    assert type(found) in (FieldRefused, Base64Refused, NotLogged, LimitError)
    assert "heckpoint" in found.where


def test_sigstore_js_1678_bytes_after_a_certificate_are_refused(v1: Question) -> None:
    def append(document: Document) -> None:
        certificate = document["verificationMaterial"]["certificate"]
        certificate["rawBytes"] = b64(base64.b64decode(certificate["rawBytes"]) + b"\0")

    found = refusal(v1.changed(append))
    assert type(found) is NotPem
    assert found.where == "$.verificationMaterial.certificate"


def test_sigstore_js_1678_a_length_that_is_written_too_long_is_refused(v1: Question) -> None:
    def lengthen(document: Document) -> None:
        certificate = document["verificationMaterial"]["certificate"]
        der = base64.b64decode(certificate["rawBytes"])
        assert der[:2] == b"\x30\x82"
        certificate["rawBytes"] = b64(b"\x30\x83\x00" + der[2:])

    found = refusal(v1.changed(lengthen))
    assert type(found) is NotPem


# --- F. resources ----------------------------------------------------------------------------------------------------


def _many(name: str) -> tuple[Change, str]:
    def entries(document: Document) -> None:
        material = document["verificationMaterial"]
        material["tlogEntries"] = material["tlogEntries"] * (DEFAULT.log_entries + 1)

    def stamps(document: Document) -> None:
        one = [{"signedTimestamp": "AAAA"}] * (DEFAULT.timestamps + 1)
        document["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": one}

    def proof(document: Document) -> None:
        entry_of(document)["inclusionProof"]["hashes"] = [b64(b"\0" * 32)] * (DEFAULT.proof_hashes + 1)

    def chain(document: Document) -> None:
        material = document["verificationMaterial"]
        one = material.pop("certificate")
        material["x509CertificateChain"] = {"certificates": [one] * (DEFAULT.certificates + 1)}

    def signatures(document: Document) -> None:
        envelope = document["dsseEnvelope"]
        envelope["signatures"] = envelope["signatures"] * (DEFAULT.signatures + 1)

    return {
        "log entries": (entries, "$.verificationMaterial.tlogEntries"),
        "stamps": (stamps, "$.verificationMaterial.timestampVerificationData"),
        "hashes": (proof, "$.verificationMaterial.tlogEntries[0].inclusionProof.hashes"),
        "certificates": (chain, "$.verificationMaterial.x509CertificateChain"),
        "signatures": (signatures, "$.dsseEnvelope.signatures"),
    }[name]


@pytest.mark.parametrize("what", ["log entries", "stamps", "hashes", "certificates", "signatures"])
def test_cve_2023_46737_cve_2024_45395_one_too_many_is_refused_at_once(dsse: Question, what: str) -> None:
    change, where = _many(what)
    asking = dsse.changed(change)
    found, took = _timed(asking)
    assert type(found) is LimitError
    assert found.where == where
    assert took < 0.5


def _timed(asking: Question) -> tuple[GlasswingError, float]:
    _ = asking.trust  # reading the root is not what is timed
    told: list[tuple[float, GlasswingError]] = []
    for _ in range(3):  # Python may look for garbage meanwhile
        began = time.process_time()
        with pytest.raises(GlasswingError) as refused:
            Attestation.parse(asking.bundle)
        told.append((time.process_time() - began, refused.value))
    return told[-1][1], min(took for took, _ in told)


@pytest.mark.parametrize("what", ["subjects", "digests"])
def test_cve_2024_45395_one_subject_or_digest_too_many_is_refused(what: str) -> None:
    subject: dict[str, object] = {"name": "m", "digest": {"sha256": "00" * 32}}
    subjects = [subject] * (DEFAULT.subjects + 1)
    if what == "digests":
        subjects = [{"name": "m", "digest": {f"alg{i}": "00" for i in range(DEFAULT.digests + 1)}}]
    sigstore = VirtualSigstore()
    payload = json.dumps({**json.loads(STATEMENT), "subject": subjects}).encode()
    with pytest.raises(LimitError):
        prove(sigstore.sign(payload, identity="a@example.com"), sigstore.trust())


def test_cve_2024_29902_what_is_too_large_is_not_parsed() -> None:
    for data, limit in ((b"{" + b" " * DEFAULT.bundle_bytes, "bundle_bytes"),):
        began = time.process_time()
        with pytest.raises(LimitError) as refused:
            Bundle.from_json(data)
        assert limit in str(refused.value)
        assert time.process_time() - began < 0.5


def test_cve_2025_66506_long_text_takes_no_time(dsse: Question, managed: Question) -> None:
    dots = "." * 10_000_000

    def keyid(document: Document) -> None:
        document["dsseEnvelope"]["signatures"][0]["keyid"] = dots

    def hint(document: Document) -> None:
        document["verificationMaterial"]["publicKey"]["hint"] = dots

    began = time.process_time()
    assert dsse.changed(keyid).ask().principal  # a hint is no more than that
    assert managed.changed(hint).ask().principal
    assert not glob_matches("https://*.example/*/*", dots)
    assert not glob_matches("*.*.*.*.*.*.*x", dots)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("version", ["v1", "v2", "dsse"])
def test_cve_2026_23991_nothing_but_our_errors_leaves(request: pytest.FixtureRequest, version: str) -> None:
    asking: Question = request.getfixturevalue(version)
    accepted = asking.ask()
    values: tuple[object, ...] = (None, 0, -1, 1.5, True, "", "AAAA", "\ud800", [], [[]], {}, {"a": {}}, "💥", 2**70)
    checked = 0
    for path in _paths(json.loads(asking.bundle)):
        for value in values[checked % 3 :: 3]:
            document = json.loads(asking.bundle)
            holder = document
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = value
            checked += 1
            try:
                signer = replace(asking, bundle=json.dumps(document).encode()).ask()
            except GlasswingError:
                continue
            # What was changed is one of the few fields that nobody signed and nobody reads.
            assert (signer.san, signer.issuer) == (accepted.san, accepted.issuer)
            assert path[-1] in UNREAD, path
    assert checked > 100


# Fields that prove nothing and that a verifier does not need: hints, and what the checkpoint says again.
UNREAD = {
    "logIndex",
    "keyid",
    "rootHash",
    "messageDigest",
    "inclusionPromise",
    "timestampVerificationData",
    "kindVersion",
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(each, (*path, key))


def test_cve_2023_25656_a_subjects_distinguished_name_is_nobody() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    made = _certificate("root@example.com", key, ("root", key), (start, start + timedelta(days=1)), ca=False)
    assert Leaf.parse(made.public_bytes(Encoding.DER)).san == "a@example.com"
    for name in ("subject", "subject_dn", "common_name", "cn", "dn", "organization"):
        values: dict[str, Any] = {"issuer": "https://issuer.example", "san": "a", name: "root@example.com"}
        with pytest.raises(PolicyRefused) as refused:
            Identity(**values)
        assert (refused.value.where, refused.value.because) == (f"Identity: {name}", "there is no such key")


# --- G. nothing from outside -----------------------------------------------------------------------------------------


def test_cve_2023_47122_a_key_that_a_bundle_brings_along_is_not_believed(managed: Question) -> None:
    stranger = KeySigner.generate()
    made = json.loads(stranger.seal(STATEMENT, PAYLOAD_TYPE))
    key = made["verificationMaterial"]["publicKey"]
    key["rawBytes"] = b64(stranger.public_key.der)
    trust = Trust.of(somebody=KeySigner.generate().public_key)
    with pytest.raises(KeyUntrusted) as refused:
        prove(Attestation.parse(json.dumps(made).encode()), trust, claimed_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert refused.value.where == "$.signatures"
    # Nor does a log's key that an entry brings along change anything.
    found = managed.changed(lambda document: entry_of(document).update(publicKey={"rawBytes": key["rawBytes"]}))
    assert found.ask().principal


@pytest.mark.usefixtures("no_network")
def test_cve_2026_24117_no_address_in_a_statement_is_fetched() -> None:
    sigstore = VirtualSigstore()
    statement = json.loads(STATEMENT)
    address = "http://169.254.169.254/latest/meta-data/"
    statement["subject"][0] |= {"uri": address, "downloadLocation": address}
    statement["predicate"] = {"$ref": address, "url": address}
    made = sigstore.sign(json.dumps(statement).encode(), identity=address)
    (verified,) = prove(made, sigstore.trust())
    assert verified.signer.san == address


# --- what the libraries below leave to us ----------------------------------------------------------------------------
# a and b, the windows of trust and their closed ends, stand above as CVE-2026-54787; f, the digest, as 1652.


def test_g_the_outer_index_of_rekor_v2_is_not_reported(v2: Question) -> None:
    (root,) = v2.trust.roots
    content = v2.content or b""
    digest = ("sha256", hashlib.sha256(content).digest())
    index = int(entry_of(json.loads(v2.bundle))["inclusionProof"]["logIndex"])
    moved = v2.changed(lambda document: entry_of(document).update(logIndex=str(index + 7)))
    for asking in (v2, moved):
        signed = signature.check_message(Bundle.from_json(asking.bundle), (), digest=digest, content=content)
        (entry,) = transparency.check(signed, root.logs, at_least=1).entries
        assert entry.position is not None
        assert entry.position.index == index
    found = refusal(v2.changed(lambda document: entry_of(document)["inclusionProof"].update(logIndex=str(index + 7))))
    assert type(found) is NotLogged


def test_h_junk_in_base64_is_refused_and_the_other_alphabet_is_not(dsse: Question) -> None:
    text = json.loads(dsse.bundle)["dsseEnvelope"]["signatures"][0]["sig"]
    plain = text.rstrip("=")
    for other in (plain, text.replace("+", "-").replace("/", "_")):
        assert dsse.changed(_with_sig(other)).ask().principal
    for junk in (f" {text}", f"{text}\n", f"{text[:8]}*{text[8:]}", f"{text}=", f"{text}AAAA====", f"+-{text}"):
        found = refusal(dsse.changed(_with_sig(junk)))
        assert type(found) is Base64Refused
        assert found.where == "$.dsseEnvelope.signatures[0].sig"


def _with_sig(sig: str) -> Change:
    def change(document: Document) -> None:
        document["dsseEnvelope"]["signatures"][0]["sig"] = sig

    return change


def test_i_a_key_that_stands_twice_in_a_bundle_is_refused(v1: Question) -> None:
    # Readers that take the last, and readers that take the first, would see two bundles.
    text = json.dumps(json.loads(v1.bundle))
    twice = text.replace('"messageSignature": {', '"messageSignature": {"signature": "AAAA", ', 1)
    assert twice != text
    found = refusal(replace(v1, bundle=twice.encode()))
    assert type(found) is DuplicateKey
    assert found.where == "$.messageSignature.signature"


def test_j_nothing_but_our_errors_leaves_a_changed_certificate(v1: Question) -> None:
    der = base64.b64decode(json.loads(v1.bundle)["verificationMaterial"]["certificate"]["rawBytes"])
    for at in range(0, len(der), 7):
        for bit in (0x01, 0x80):
            changed = b64(der[:at] + bytes((der[at] ^ bit,)) + der[at + 1 :])

            def put(document: Document, value: str = changed) -> None:
                document["verificationMaterial"]["certificate"]["rawBytes"] = value

            assert isinstance(refusal(v1.changed(put)), GlasswingError)


def test_j_nothing_but_our_errors_leaves_a_changed_root(v1: Question) -> None:
    document = json.loads(v1.root or b"")
    values: tuple[object, ...] = (None, 0, "", "AAAA", [], {}, "2026-01-01T00:00:00Z")
    for number, path in enumerate(_paths(document)):
        changed = json.loads(v1.root or b"")
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = values[number % len(values)]
        try:
            Root.parse(json.dumps(changed).encode(), name="root", profile=FOR_ANYBODY)
        except GlasswingError as e:
            assert getattr(e, "kind", "trust") == "trust"  # noqa: PT017  some changes change nothing


def test_an_envelope_with_a_bare_public_key_and_a_certificate_is_ambiguous(v1: Question) -> None:
    found = refusal(v1.changed(lambda document: document["verificationMaterial"].update(publicKey={"hint": "x"})))
    assert type(found) is FieldRefused
    assert found.where == "$.verificationMaterial"
