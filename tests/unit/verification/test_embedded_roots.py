"""A bundle that brings its root along: refused, or answered without it, and never believed for it."""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import Attestation, Trust
from glasswing_attest.errors import CertificateUntrusted, FieldRefused, TrustRefused
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile
from glasswing_attest.verification.procedure import prove

STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "aa" * 32}}],
        "predicateType": "https://example.com/x/v1",
    }
).encode()


def with_whole_chain(sigstore: VirtualSigstore) -> Attestation:
    bundle = json.loads(sigstore.sign(STATEMENT, identity="ceo@example.com").bytes)
    material = bundle["verificationMaterial"]
    authorities = [c.public_bytes(Encoding.DER) for c in sigstore.authorities[0].chain]
    chain = [material.pop("certificate"), *({"rawBytes": base64.b64encode(der).decode()} for der in authorities)]
    material["x509CertificateChain"] = {"certificates": chain}
    return Attestation.parse(json.dumps(bundle).encode())


def lenient(trust: Trust) -> Trust:
    roots = tuple(replace(r, profile=replace(r.profile, embedded_roots="ignore")) for r in trust.roots)
    return replace(trust, roots=roots)


def test_it_is_refused_unless_the_profile_says_to_ignore_it() -> None:
    sigstore = VirtualSigstore()
    signed = with_whole_chain(sigstore)
    with pytest.raises(FieldRefused) as refused:
        prove(signed, sigstore.trust())
    assert (refused.value.code, refused.value.where) == (
        "malformed.field",
        "$.verificationMaterial.x509CertificateChain",
    )
    assert refused.value.do.endswith("embedded_roots: ignore")
    (verified,) = prove(signed, lenient(sigstore.trust()))
    assert verified.signer.san == "ceo@example.com"


def test_an_ignored_root_is_no_anchor() -> None:
    # The same logs and clocks, so that nothing but the authority is another one.
    mine, theirs = VirtualSigstore(), VirtualSigstore()
    theirs.logs, theirs.clocks, theirs.ct_logs = mine.logs, mine.clocks, mine.ct_logs
    signed = with_whole_chain(theirs)
    with pytest.raises(CertificateUntrusted) as refused:
        prove(signed, lenient(mine.trust()))
    assert (refused.value.code, refused.value.where) == ("verification.certificate", "certificate")


def test_the_trust_file_says_it_and_keeps_it() -> None:
    trust = lenient(VirtualSigstore().trust())
    again = Trust.parse(trust.to_json(), suffix=".json")
    assert again.roots[0].profile == trust.roots[0].profile
    assert again.roots[0].profile.embedded_roots == "ignore"
    assert again.digest == trust.digest


def test_there_is_no_third_way() -> None:
    assert PUBLIC_GOOD.embedded_roots == "refuse"
    with pytest.raises(TrustRefused) as refused:
        Profile(scts=1, logs=1, times=1, embedded_roots="believe")  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.where) == ("malformed.trust", "profile.embedded_roots")
