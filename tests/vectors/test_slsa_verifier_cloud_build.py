"""Do slsa-verifier's Google Cloud Build cases get their stated answers under our policies, for the stated reasons?

Until 2023 Cloud Build's regional keys signed the payload itself, and not its pre-authentication encoding (DSSE v1,
"Protocol"): such an envelope proves nothing here, on purpose, since nothing in it says what its payload is. To ask the
cases for everything else, each signature that is good in the old way is replaced by a stand-in's over the encoding;
what is not good stays as it is. One document was signed in the new way as well, and is asked as it stands.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from glasswing_attest import Manifest, Policy, Report, Trust, assess
from glasswing_attest.errors import DigestRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.policies.parts import trimmed
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V01
from glasswing_attest.trust.root import TrustedKey
from tests.chains import seal, signer
from tests.shared import Case, cases
from tests.slsa_verifier import written

GCB = cases("slsa-gcb")

# The public keys of Cloud Build's attestors, as Google publishes them: two regions', and the one that signs DSSE.
KEYRINGS = "projects/verified-builder/locations"
OF_REGION = "keyRings/attestor/cryptoKeys/builtByGCB/cryptoKeyVersions/1"
OLD_KEYS = {
    f"{KEYRINGS}/global/{OF_REGION}": (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAECGIoAk3mHV8xq/P1x6doSzAJlTaW"
        "YhrmI3rfN5zfk3/Dq6nPpm8D0CMVNyc4HZ5ChTDqTV8EyaR56nLqjvMYUA=="
    ),
    f"{KEYRINGS}/us-west2/{OF_REGION}": (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEw/gdczl7qDD4ww9B6WmJ6++/hQ5S"
        "mdw/1RBcwNNQE9qN0O+DilRE9/AjH7OvJUhNznOzEzH7mFq5mNdmUjYlXg=="
    ),
}
DSSE_KEY = (
    f"{KEYRINGS}/global/keyRings/attestor/cryptoKeys/provenanceSigner/cryptoKeyVersions/1",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdMcJUyKbmarf6dydhfmAjgmK6c42"
    "oCCNRR1se3Bi3VO65KcGk6qyci6/bsu2s4u+dLKWrsUQomEw4v3FtVctoA==",
)

# Unsigned text beside a signed statement says something else: slsa-verifier compares it, and here nobody reads it.
UNSIGNED = {
    "text-vs-payload": {"invalid-text-digest", "invalid-text-build-steps"},
    "format": {"invalid-metadata-kind"},
    "subject-digest": {"invalid-summary-digest", "invalid-metadata-resourceUri-sha256"},
}
# Documents in which Google signed nothing, in any way.
NOT_GOOD = {
    "empty-signature",
    "invalid-signature-encoding",
    "mismatch-payload-builderid",
    "mismatch-payload-digest",
    "multiple-invalid-provenance",
    "multiple-invalid-signatures",
    "no-signature",
}
# For each stage: why.
REASONS = {
    "builder": ("policy.expect", "nodes.image.expect.builder"),
    "source": ("policy.where", "nodes.image.where"),
    "tag": ("policy.where", "nodes.image.where"),
    "versioned-tag": ("policy.where", "nodes.image.where"),
    "subject-digest": ("chain.no-attestation", "nodes.image"),
}
# Or what is wrong with everything that was handed over.
UNPROVEN = {
    "signature": {"verification.key-untrusted", "malformed.base64", "malformed.field-missing"},
    "format": {"malformed.json"},
}


def _key(text: str) -> ec.EllipticCurvePublicKey:
    key = load_der_public_key(base64.b64decode(text))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def _is_good(payload: bytes, signature: Mapping[str, Any]) -> bool:
    """Whether the key of any region signed the bare payload."""
    try:
        sig = base64.urlsafe_b64decode(signature.get("sig") or "")
    except binascii.Error:
        return False
    for text in OLD_KEYS.values():
        try:
            _key(text).verify(sig, payload, ec.ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return True
    return False


@cache
def standing_in(path: Path) -> bytes:
    """The document with each good old signature replaced by one of the stand-in's, under the same key id."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        return path.read_bytes()
    for entry in document["provenance_summary"]["provenance"]:
        envelope = entry["envelope"]
        payload = base64.urlsafe_b64decode(envelope["payload"])
        for signature in envelope["signatures"]:
            if _is_good(payload, signature):
                sealed = json.loads(seal(payload, signer("cloud-build")))
                signature["sig"] = sealed["dsseEnvelope"]["signatures"][0]["sig"]
    return json.dumps(document).encode()


def rewritten(path: Path) -> bytes:
    """The document as it is, written as `standing_in` writes."""
    try:
        return json.dumps(json.loads(path.read_bytes())).encode()
    except ValueError:
        return path.read_bytes()


@cache
def stand_in_trust() -> Trust:
    """The stand-in, who is known by the key ids of the regions alone."""
    key = signer("cloud-build").public_key
    return Trust(keys=(TrustedKey(name="cloud-build", key=key, keyids=tuple(OLD_KEYS)),))


def google(keyid: str, text: str) -> Trust:
    """Google's own key."""
    return Trust(keys=(TrustedKey(name="cloud-build", key=PublicKey.of(_key(text)), keyids=(keyid,)),))


def policy(params: Mapping[str, Any]) -> Policy:
    """The policy that a case asks for. No specification says where Cloud Build tells its source, so that is `where`."""
    source, builder = params["source_uri"], params["builder_id"]
    place = "predicate.materials[0].uri"
    if source.startswith("gs://"):
        asked = [f'{place}.startsWith("{source}#")']
    elif builder.endswith("@v0.2"):
        asked = [f'{place}.startsWith("https://{source}/commit/")']
    else:
        asked = [f'({place} == "https://{source}" || {place} == "git+https://{source}")']
    tag = "predicate.recipe.arguments.substitutions.TAG_NAME"
    if "tag" in params:
        asked.append(f'{tag} == "{params["tag"]}"')
    if "versioned_tag" in params:
        ways = (
            f'{tag}.startsWith("{way[:-1]}")' if way.endswith("*") else f'{tag} == "{way}"'
            for way in written(params["versioned_tag"])
        )
        asked.append(f"({' || '.join(ways)})")
    requirement = {
        "predicate": PROVENANCE_V01,
        "signed_by": {"any_of": ["cloud-build"]},
        "expect": {"builder": builder},
        "where": " && ".join(asked),
    }
    plain: dict[str, Any] = {
        "version": 1,
        "declared": "allow",
        "times": "claimed",
        "identities": {"cloud-build": {"key": "cloud-build"}},
        "nodes": {**trimmed(ROLES), "image": {"require": [requirement]}},
    }
    return Policy(**plain)


def answer(case: Case, evidence: bytes, trust: Trust) -> Report:
    """What we say to a case."""
    image = Manifest.declared("image", {"sha256": case.params["image_sha256"]})
    return assess(image, evidence, policy=policy(case.params), trust=trust)


def is_contested(case: Case) -> bool:
    """Whether what is wrong is in text that nobody signed."""
    return case.case.rpartition("/")[2] in UNSIGNED.get(case.raw["stage"], ())


@pytest.mark.parametrize("case", GCB)
def test_a_case_gets_its_answer(case: Case, shared_data: Path) -> None:
    if case.raw["stage"] == "mutable-ref":
        # An image by a tag is nothing that can be asked about: a digest is.
        with pytest.raises(DigestRefused) as refused:
            Manifest.declared("image", {})
        assert refused.value.where == "manifest.digest"
        return
    report = answer(case, standing_in(shared_data / case.files["provenance"]), stand_in_trust())
    if case.expect == "accept" or is_contested(case):
        assert report.accepted, report.to_text()
        return
    assert report.cause is not None
    if case.raw["stage"] in UNPROVEN:
        assert len(report.refused) == len(report.evidence)
        assert {refused.error.code for refused in report.refused} <= UNPROVEN[case.raw["stage"]]
    else:
        assert not report.refused
        assert (report.cause.code, report.cause.rule) == REASONS[case.raw["stage"]], report.to_text()


@pytest.mark.parametrize("case", [p for p in GCB if p.values[0] is None or "image_sha256" in p.values[0].params])
def test_as_google_signed_it_only_what_is_dsse_proves_anything(case: Case, shared_data: Path) -> None:
    data = (shared_data / case.files["provenance"]).read_bytes()
    for keyid, text in OLD_KEYS.items():
        assert not answer(case, data, google(keyid, text)).accepted
    report = answer(case, data, google(*DSSE_KEY))
    if "github-tag" not in case.files["provenance"]:
        assert not report.accepted
        return
    assert report.accepted == (case.expect == "accept"), report.to_text()
    if report.cause is not None:
        assert (report.cause.code, report.cause.rule) == REASONS[case.raw["stage"]]


def test_no_case_is_left_out(shared_data: Path) -> None:
    found = [p.values[0] for p in GCB]
    assert Counter(case.expect for case in found) == {"accept": 14, "reject": 36}
    assert Counter(case.raw["stage"] for case in found if is_contested(case)) == {
        "text-vs-payload": 3,
        "format": 2,
        "subject-digest": 3,
    }
    tags = [case for case in found if "github-tag" in case.files["provenance"]]
    assert Counter(case.expect for case in tags) == {"accept": 4, "reject": 6}
    # The stand-in signs nothing of what Google did not sign.
    files = {case.files["provenance"] for case in found}
    kept = {name for name in files if standing_in(shared_data / name) == rewritten(shared_data / name)}
    assert len(files) == 31
    assert {Path(name).stem.partition("-container-")[2] for name in kept} == NOT_GOOD
