"""Do the bundles of every other implementation get their stated answer, at the stage that they state?

sigstore-conformance runs in tests/conformance. What implementations disagree about is decided below, one reason each.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from glasswing_attest import errors
from glasswing_attest.attestation import Attestation
from glasswing_attest.bundle import Bundle, MessageSignature
from glasswing_attest.envelope import Envelope
from glasswing_attest.errors import FieldRefused, GlasswingError, NotLogged, OutsideValidity, TimeUnproven, TrustRefused
from glasswing_attest.trust.root import Trust
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Root
from glasswing_attest.verification import entry, signature
from glasswing_attest.verification.procedure import prove, prove_message
from tests.bundles import PRODUCTION, Question, question, since_1970, without_embedded_chain
from tests.shared import Case, cases

# A certificate of sigstore-go's names a country with three letters, which `cryptography` warns of when it reads it.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")

OTHERS = {
    "gh-cli": 11,
    "sigstore-go": 12,
    "sigstore-java": 31,
    "sigstore-js": 22,
    "sigstore-python": 20,
    "sigstore-rs": 5,
    "slsa-verifier": 28,
}
STACK = 13

# For each stage: which error, and where in the input. A refusal at another place is another refusal.
STAGES: dict[str, dict[type[GlasswingError], str]] = {
    "parse": {errors.FieldMissing: r"\$\.verificationMaterial", errors.MediaTypeUnsupported: r"\$\.mediaType"},
    "dsse-signature-count": {errors.FieldRefused: r"\$\.dsseEnvelope\.signatures"},
    # A message signature names its artifact's digest, which is compared before the signature is.
    "signature": {
        errors.SignatureInvalid: r"\$\.signatures|\$\.messageSignature",
        errors.SubjectMismatch: r"\$\.messageSignature\.messageDigest",
    },
    "dsse-signature": {errors.SignatureInvalid: r"\$\.signatures"},
    "subject": {errors.SubjectMismatch: r"\$\.subject"},
    "identity": {errors.NotAccepted: "identity"},
    "extension-policy": {errors.NotAccepted: "identity"},
    "key-validity": {errors.OutsideValidity: r"keys\.key"},
    "cert-time": {errors.OutsideValidity: "certificate"},
    "parse/tlog-proof": {errors.NotLogged: r"tlogEntries\.inclusionProof"},
    "tlog-missing": {errors.NotLogged: r"tlogEntries(\.inclusionProof)?"},
    "tlog-threshold": {errors.NotLogged: "tlogEntries"},
    "tlog-duplicate": {errors.NotLogged: "tlogEntries"},
    "tlog-set": {errors.SignatureInvalid: r"tlogEntries\.inclusionPromise"},
    "tlog-checkpoint": {errors.SignatureInvalid: "checkpoint", errors.NotLogged: r"inclusionProof\.checkpoint"},
    "tlog-entry-type": {errors.UnsupportedError: r"tlogEntries\.kindVersion"},
    "tlog-consistency": {errors.NotLogged: r"canonicalizedBody\..*(value|digest|content)"},
    "timestamp": {
        errors.TimeUnproven: "verificationMaterial|rfc3161Timestamps",
        errors.FieldRefused: "rfc3161Timestamps",
    },
    "timestamp-trust": {errors.TimeUnproven: "rfc3161Timestamps"},
    "timestamp-threshold": {errors.TimeUnproven: "verificationMaterial"},
    "timestamp-dos": {errors.LimitError: r"\$\.verificationMaterial\.timestampVerificationData"},
}

# An edited body no longer stands in the tree, and that is found first: only a body that a log holds is read. That the
# named fault would be found as well is tried on the body itself.
MASKED: dict[str, tuple[type[GlasswingError], str]] = {
    "sigstore-java:rekor2.wrong-digest-in-entry": (
        errors.NotLogged,
        "canonicalizedBody.spec.hashedRekordV002.data.digest",
    ),
    "sigstore-java:rekor2.sha1-in-entry": (
        errors.FieldRefused,
        "canonicalizedBody.spec.hashedRekordV002.data.algorithm",
    ),
    "sigstore-rs:tlog-body.payload-hash-mismatch": (errors.NotLogged, "canonicalizedBody.spec.payloadHash"),
    "sigstore-rs:tlog-body.signature-mismatch": (errors.NotLogged, "canonicalizedBody.spec.signatures[0]"),
    "sigstore-rs:tlog-body.verifier-mismatch": (errors.NotLogged, "canonicalizedBody.spec.signatures[0].verifier"),
}

_EMBEDDED_ROOT = (
    "the bundle brings its own root, which sigstore-conformance refuses (bundle-with-root-cert_fail): so do we, in "
    "every version; without that root the case has its answer"
)
_CHAIN = r"\$\.verificationMaterial\.x509CertificateChain"

# Where we answer otherwise, or elsewhere: the error and its place, or None for a yes; and why.
DECIDED: dict[str, tuple[type[GlasswingError] | None, str, str]] = {
    "gh-cli:js2.1.0.v0.1-version": (None, "", "a least version of bundles is that tool's policy; this one is genuine"),
    "sigstore-go:js2.0.0.no-tlog-verification": (
        None,
        "",
        "the case forbids the time of a log that nobody checked; here a time of integration is always checked",
    ),
    "sigstore-go:example.bundle-provenance": (errors.FieldRefused, _CHAIN, _EMBEDDED_ROOT),
    "sigstore-js:client.valid.v1.dsse.withSigningCert": (errors.FieldRefused, _CHAIN, _EMBEDDED_ROOT),
    "sigstore-js:client.valid.v1.messageSignature.withSigningCert": (errors.FieldRefused, _CHAIN, _EMBEDDED_ROOT),
    "slsa-verifier:bundle/valid-v0.1": (errors.FieldRefused, _CHAIN, _EMBEDDED_ROOT),
    "slsa-verifier:bundle/mismatch-tlog": (errors.FieldRefused, _CHAIN, _EMBEDDED_ROOT),
    "slsa-verifier:crypto/gha_container-based/v1.7.0/binary-linux-amd64-workflow_dispatch.intoto.sigstore": (
        errors.FieldRefused,
        _CHAIN,
        _EMBEDDED_ROOT,
    ),
    "sigstore-java:bundle.v1.no-inclusion": (
        None,
        "",
        "implementations differ on v0.1 without an inclusion proof: the format makes it optional there, and the "
        "promise is the log's own signature over the entry",
    ),
    "sigstore-js:client.valid.v1.dsse.withPublicKey": (
        errors.NotLogged,
        r"canonicalizedBody\.spec\.content\.envelope\.signatures\[0\]\.publicKey",
        "the log holds a certificate's entry, and a bare key signs the bundle: an entry must hold the very verifier",
    ),
    "sigstore-js:verify.msgsig.public-key": (
        errors.NotLogged,
        r"canonicalizedBody\.spec\.signature\.publicKey\.content",
        "the log holds a certificate's entry, and a bare key signs the bundle: an entry must hold the very verifier",
    ),
    "sigstore-js:verify.msgsig.policy-mismatch": (
        errors.NotLogged,
        r"canonicalizedBody\.spec\.signature\.publicKey\.content",
        "as verify.msgsig.public-key: refused before anybody asks for the identity, of which a key has none",
    ),
    "sigstore-js:verify.v3.hashedrekord-0.0.2": (
        errors.NotLogged,
        r"canonicalizedBody\.spec\.hashedRekordV002\.signature\.verifier\.publicKey",
        "the log holds a bare key's entry, and a certificate signs the bundle: an entry must hold the very verifier",
    ),
    "sigstore-js:verify.v3.dsse.tlog-dsse-0.0.2": (
        errors.UnsupportedError,
        r"tlogEntries\.kindVersion",
        "implementations differ on dsse 0.0.2: the current specification logs envelopes as hashedrekord 0.0.2",
    ),
    "sigstore-python:bundle_v3_no_signed_time": (
        errors.NotLogged,
        "tlogEntries",
        "the bundle was logged in production, the root of the case is staging's; under production's see below",
    ),
    "sigstore-python:tsa.outside-CA-range.threshold2": (
        errors.FieldRefused,
        r"trusted root\.timestampAuthorities\[0\]\.validFor",
        "its clock's window ends before it starts: such trust is refused when it is read; a sane window see below",
    ),
    "slsa-verifier:bundle/invalid-dsse-sig": (
        errors.Base64Refused,
        r"\$\.dsseEnvelope\.signatures\[0\]\.sig",
        "the change left stray bits in the base64, which are refused before the signature is checked; see below",
    ),
}


NOT_COMPARED = {"sigstore-rs:tlog-body.envelope-hash-mismatch", "sigstore-rs:tlog-body.envelope-hash-alg"}


def asked(case: Case, folder: Path) -> Question:
    found = question(case, folder)
    # A root that says not since when its parts are valid is refused, and says so; some of sigstore-js's do.
    return found.in_root(since_1970) if case.corpus == "sigstore-js" else found


def case_of(name: str) -> Case:
    corpus, _, rest = name.partition(":")
    found: Case = next(p.values[0] for p in cases("sigstore-bundle", corpus=corpus) if p.values[0].case == rest)
    return found


def refusal(asking: Question) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        asking.ask()
    return refused.value


OTHER_CASES = [
    p for p in cases("sigstore-bundle") if p.values[0] is None or p.values[0].corpus != "sigstore-conformance"
]


@pytest.mark.parametrize("case", OTHER_CASES)
def test_a_bundle_of_another_implementation_gets_its_answer(case: Case, shared_data: Path) -> None:
    asking = asked(case, shared_data)
    if case.id in DECIDED:
        error, where, _ = DECIDED[case.id]
        if error is None:
            assert asking.ask().label
        else:
            found = refusal(asking)
            assert type(found) is error
            assert re.fullmatch(where, found.where)
        return
    if case.expect == "accept":
        assert asking.ask().label
        return
    found = refusal(asking)
    if case.id in MASKED or case.id in NOT_COMPARED:
        assert (type(found), found.where) == (NotLogged, "inclusionProof.rootHash")
        return
    allowed = STAGES[case.raw["stage"]]
    assert type(found) in allowed
    assert re.fullmatch(allowed[type(found)], found.where), found.where


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in OTHER_CASES]
    assert Counter(case.corpus for case in found) == OTHERS
    assert len(found) == sum(OTHERS.values()) == 129
    assert {case.expect for case in found} == {"accept", "reject"}
    assert set(DECIDED) <= {case.id for case in found}
    contested = {case.id for case in found if "contested" in case.raw and "no-proof" not in case.case}
    assert contested <= set(DECIDED)


# --- faults that an earlier one hides --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MASKED)
def test_the_fault_in_an_edited_body_would_be_found_too(name: str, shared_data: Path) -> None:
    asking = asked(case_of(name), shared_data)
    bundle = Bundle.from_json(asking.bundle)
    if isinstance(bundle.content, MessageSignature):
        digest = ("sha256", hashlib.sha256(asking.content or b"").digest())
        signed = signature.check_message(bundle, (), digest=digest, content=asking.content)
    else:
        (signed,) = signature.check(Attestation.parse(asking.bundle), ())
    error, where = MASKED[name]
    with pytest.raises(error) as refused:
        entry.check_body(bundle.log_entries[0], signed)
    assert refused.value.where == where


def test_an_envelope_hash_in_a_log_entry_is_not_compared(shared_data: Path) -> None:
    # A dsse 0.0.1 entry hashes the envelope's JSON as the client sent it, which nobody has: payload, signature and
    # verifier bind the entry, and the log's own signature binds its body.
    for name in NOT_COMPARED:
        asking = asked(case_of(name), shared_data)
        (signed,) = signature.check(Attestation.parse(asking.bundle), ())
        entry.check_body(Bundle.from_json(asking.bundle).log_entries[0], signed)
        assert refusal(asking).where == "inclusionProof.rootHash"
    masked = {p.values[0].id for p in OTHER_CASES if "masked" in p.values[0].raw}
    # An entry of an unknown version says so before its body is looked at.
    assert masked == set(MASKED) | NOT_COMPARED | {"sigstore-java:rekor2.version-0.0.3"}


EMBEDDED = [name for name, (_, where, _) in DECIDED.items() if where == _CHAIN]


@pytest.mark.parametrize("name", EMBEDDED)
def test_without_its_embedded_root_a_case_has_its_answer(name: str, shared_data: Path) -> None:
    asking = asked(case_of(name), shared_data).changed(without_embedded_chain)
    beyond: dict[str, tuple[type[GlasswingError], str]] = {
        # Accepted for its signature alone: what it carries is no in-toto statement.
        "sigstore-js:client.valid.v1.dsse.withSigningCert": (errors.PayloadTypeUnsupported, "$.payloadType"),
        "slsa-verifier:bundle/valid-v0.1": (errors.FieldMissing, "$.predicateType"),
        "slsa-verifier:bundle/mismatch-tlog": (errors.NotLogged, "canonicalizedBody.spec.content.payloadHash"),
    }
    if name not in beyond:
        assert asking.ask().label
        return
    found = refusal(asking)
    assert (type(found), found.where) == beyond[name]


def test_a_time_that_no_log_promises_is_no_time(shared_data: Path) -> None:
    asking = asked(case_of("sigstore-python:bundle_v3_no_signed_time"), shared_data)
    root = (shared_data / PRODUCTION).read_bytes()
    found = refusal(Question(bundle=asking.bundle, root=root, content=asking.content))
    assert type(found) is NotLogged
    assert found.where == "tlogEntries.integratedTime"


def test_a_stamp_outside_its_clocks_window_counts_for_nothing(shared_data: Path) -> None:
    def sane(document: dict[str, list[dict[str, dict[str, str]]]]) -> None:
        window = document["timestampAuthorities"][0]["validFor"]
        window["start"] = "2000-01-01T00:00:00Z"

    found = refusal(asked(case_of("sigstore-python:tsa.outside-CA-range.threshold2"), shared_data).in_root(sane))
    assert type(found) is OutsideValidity
    assert found.where.startswith("clock ")


def test_a_signature_with_a_changed_bit_is_refused_however_it_is_written(shared_data: Path) -> None:
    asking = asked(case_of("slsa-verifier:bundle/invalid-dsse-sig"), shared_data)
    (item,) = json.loads(asking.bundle)["dsseEnvelope"]["signatures"]
    sig = base64.b64decode(item["sig"])  # Python's decoder drops the stray bits

    def rewrite(document: dict[str, dict[str, list[dict[str, str]]]]) -> None:
        document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(sig).decode()

    found = refusal(asking.changed(rewrite).changed(without_embedded_chain))
    # The stray bits are no bits of the signature, which holds: what was changed with them is what the log stored.
    assert type(found) is errors.SignatureInvalid
    assert found.where == "tlogEntries.inclusionPromise"


# --- roots -----------------------------------------------------------------------------------------------------------


def test_a_root_that_says_not_since_when_it_is_valid_is_refused(shared_data: Path) -> None:
    without = [p.values[0] for p in OTHER_CASES if p.values[0].corpus == "sigstore-js"]
    refused = 0
    for case in without:
        raw = (shared_data / case.files["trusted_root"]).read_bytes()
        if question(case, shared_data).in_root(since_1970).root == json.dumps(json.loads(raw)).encode():
            continue
        refused += 1
        with pytest.raises(errors.FieldMissing) as e:
            Root.parse(raw, name="root", profile=PUBLIC_GOOD)
        assert e.value.kind == "trust"
        assert e.value.where.endswith("validFor.start")
    assert refused == 17


def test_a_profile_that_its_root_cannot_meet_is_refused_when_it_is_built(shared_data: Path) -> None:
    case = case_of("sigstore-java:github-private.default")
    with pytest.raises(TrustRefused) as refused:
        Root.parse((shared_data / case.files["trusted_root"]).read_bytes(), name="github", profile=PUBLIC_GOOD)
    assert refused.value.where == "roots.github.profile.scts"


def test_a_stamp_where_the_root_names_no_clock_is_refused(shared_data: Path) -> None:
    found = refusal(asked(case_of("sigstore-python:tsa.no-authorities"), shared_data))
    assert type(found) is TimeUnproven


# --- the recorded stack ----------------------------------------------------------------------------------------------


def test_every_bundle_of_the_recorded_stack_verifies(recorded_stack: Path) -> None:
    root = Root.parse((recorded_stack / "trusted_root.json").read_bytes(), name="stack", profile=PUBLIC_GOOD)
    trust = Trust(roots=(root,))
    found = sorted(recorded_stack.glob("*.sigstore.json"))
    assert len(found) == STACK
    artifact = (recorded_stack / "artifact.bin").read_bytes()
    for path in found:
        bundle = Bundle.from_json(path.read_bytes())
        if isinstance(bundle.content, Envelope):
            (verified,) = prove(Attestation.parse(path.read_bytes()), trust)
            (subject,) = verified.statement.subjects
            assert subject.digest.get("sha256") == hashlib.sha256(artifact).hexdigest()
            signer, times = verified.signer, verified.times
        else:
            content = b"x" if path.name.startswith("gha-") else artifact
            name = {"SHA2_256": "sha256", "SHA2_384": "sha384"}[bundle.content.algorithm]
            proof = prove_message(bundle, trust, digest=(name, hashlib.new(name, content).digest()), content=content)
            signer, times = proof.signer, proof.times
        assert times.signed_by is not None
        assert signer.issuer.startswith("http://")
        if path.name.startswith("gha-"):
            assert signer.san == "https://github.com/acme/model/.github/workflows/release.yml@refs/heads/main"
            assert dict(signer.claims)["source_repository_identifier"] == "1"
        else:
            assert signer.san == "alice@local.test"


def test_a_bundle_of_the_stack_proves_nothing_under_another_root(recorded_stack: Path, shared_data: Path) -> None:
    root = Root.parse((shared_data / PRODUCTION).read_bytes(), name="production", profile=PUBLIC_GOOD)
    with pytest.raises(NotLogged) as refused:
        prove(Attestation.parse((recorded_stack / "py-dsse.sigstore.json").read_bytes()), Trust(roots=(root,)))
    assert refused.value.where == "tlogEntries"


def test_a_bundle_of_the_stack_with_a_root_in_its_chain_is_refused(recorded_stack: Path) -> None:
    root = json.loads((recorded_stack / "trusted_root.json").read_bytes())
    anchor = root["certificateAuthorities"][0]["certChain"]["certificates"][-1]
    document = json.loads((recorded_stack / "py-dsse.sigstore.json").read_bytes())
    material = document["verificationMaterial"]
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate"), anchor]}
    trusted = Root.parse((recorded_stack / "trusted_root.json").read_bytes(), name="stack", profile=PUBLIC_GOOD)
    with pytest.raises(FieldRefused) as refused:
        prove(Attestation.parse(json.dumps(document).encode()), Trust(roots=(trusted,)))
    assert refused.value.where == "$.verificationMaterial.x509CertificateChain"
