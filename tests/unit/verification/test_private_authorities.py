"""Does a private authority in the trust open nothing but what it is there for?

The engine was made for certificates that live for minutes and are witnessed. What it allows to authorities without
witnesses must stay with them: every answer that was given without one is given with one beside the others.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest import Attestation, ModelRecord, Policy, Trust, assess, attest
from glasswing_attest._wire import decode_base64, encode_base64
from glasswing_attest.artifact.file import Blob
from glasswing_attest.errors import CertificateUntrusted, FieldRefused, GlasswingError, TimeUnproven, TrustRefused
from glasswing_attest.oms import private_root
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.private import PRIVATE
from glasswing_attest.trust.sigstore import Profile, Root
from glasswing_attest.verification.procedure import prove
from glasswing_attest.verification.timestamps import CALLER
from tests.bundles import Question, question
from tests.private_pki import HOLDER, Pki, pem
from tests.shared import Case, cases

PKI = Pki()
ACME = private_root("acme", PKI.root_pem)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


class _WithAcme(Question):
    @property
    def trust(self) -> Trust:
        found = super().trust
        return Trust(keys=found.keys, roots=(ACME, *found.roots))


def _answer(asking: Question) -> str:
    try:
        return asking.ask().principal
    except GlasswingError as e:
        return f"{e.code} {e.where}"


@pytest.mark.parametrize("case", cases("sigstore-bundle", corpus="sigstore-conformance"))
def test_no_answer_changes_because_an_authority_is_believed_as_well(case: Case, shared_data: Path) -> None:
    def ask(kind: type[Question]) -> str:
        try:
            asking = question(case, shared_data)
        except GlasswingError as e:
            return e.code
        return _answer(kind(**{name: getattr(asking, name) for name in Question.__dataclass_fields__}))

    alone, beside = ask(Question), ask(_WithAcme)
    # Which root's reason is told may differ; whether it is a yes, and whose, may not.
    assert (beside == alone) or (":" not in alone.split(" ")[0] and ":" not in beside.split(" ")[0])


SIGSTORE = VirtualSigstore()
THING = replace(Blob(b"weights", name="m").measure(), kind="model")
PAYLOAD = attest(THING, ModelRecord(name="m"), signer=PKI.signer()).envelope


def presented(leaf: x509.Certificate, *, stamped: bool = False) -> Attestation:
    """A record that the leaf's key signed, with this certificate, and a clock's stamp, beside it."""
    bundle = json.loads(PKI.signer().seal(PAYLOAD.payload, PAYLOAD.payload_type))
    material = bundle["verificationMaterial"]
    material["x509CertificateChain"]["certificates"][0]["rawBytes"] = encode_base64(leaf.public_bytes(Encoding.DER))
    if stamped:
        stamp = SIGSTORE.clocks[0].stamp(decode_base64(bundle["dsseEnvelope"]["signatures"][0]["sig"]))
        material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": encode_base64(stamp)}]}
    return Attestation.parse(json.dumps(bundle).encode())


def with_clock(profile: Profile) -> Root:
    """The authority together with a clock that is believed."""
    document = json.loads(ACME.raw) | {
        "timestampAuthorities": json.loads(SIGSTORE.trusted_root())["timestampAuthorities"]
    }
    return Root.parse(json.dumps(document).encode(), name="acme", profile=profile)


def policy(identity: str, times: str = "verified") -> Policy:
    """Ask for a record about a model."""
    return Policy.parse(
        f"""
version: 1
times: {times}
identities: {{signer: {identity}}}
nodes:
  model:
    require:
      - predicate: https://glasswing-attest.readthedocs.io/predicates/model/v1
        signed_by: {{any_of: [signer]}}
""".encode()
    )


NAMED = f"{{authority: acme, san: {HOLDER}}}"
NAMELESS = "{authority: acme, san: 'subject:CN=release'}"
POSING = f"{{issuer: https://issuer.example, san: {HOLDER}}}"
LEAVES = {NAMED: PKI.leaf(), NAMELESS: PKI.leaf(san=None), POSING: PKI.leaf(issuer="https://issuer.example")}


@pytest.mark.parametrize("times", ["verified", "claimed"])
@pytest.mark.parametrize("identity", LEAVES)
def test_no_policy_believes_a_certificate_without_a_witness(identity: str, times: str) -> None:
    trust = Trust(roots=(ACME,))
    report = assess(THING, presented(LEAVES[identity]), policy=policy(identity, times), trust=trust)
    assert not report.accepted
    (refused,) = report.refused
    wanted = (
        (CertificateUntrusted, "certificate.issuer") if identity == POSING else (TimeUnproven, "$.verificationMaterial")
    )
    assert (type(refused.error), refused.error.where) == wanted


def test_a_witness_makes_it_good_and_nobody_else() -> None:
    private = with_clock(Profile(scts=0, logs=0, times=1, private=True))
    strict = with_clock(Profile(scts=0, logs=0, times=1))
    elsewhere = private_root("elsewhere", Pki().root_pem)
    for identity, leaf in LEAVES.items():
        made, asked = presented(leaf, stamped=True), policy(identity)
        # What is allowed to a private authority is allowed to it alone, also where there is another one.
        assert assess(THING, made, policy=asked, trust=Trust(roots=(private,))).accepted is (identity != POSING)
        accepted = assess(THING, made, policy=asked, trust=Trust(roots=(strict, elsewhere))).accepted
        assert accepted is (identity != NAMELESS)
    with pytest.raises(CertificateUntrusted) as refused:
        prove(presented(LEAVES[NAMELESS], stamped=True), Trust(roots=(strict, elsewhere)))
    assert refused.value.where == "certificate.subjectAltName"
    # Without a private authority such a certificate is not even read.
    with pytest.raises(FieldRefused) as unread:
        prove(presented(LEAVES[NAMELESS], stamped=True), Trust(roots=(strict,)), signed_at=NOW)
    assert unread.value.where == "$.verificationMaterial.certificate.subjectAltName"


def test_a_leaf_that_calls_itself_an_authority_passes_for_private_ones_alone() -> None:
    leaf = PKI.leaf(says_ca=True)
    asked = policy(NAMED)
    for private in (True, False):
        trust = Trust(roots=(with_clock(Profile(scts=0, logs=0, times=1, private=private)),))
        assert assess(THING, presented(leaf, stamped=True), policy=asked, trust=trust).accepted is private
    certifying = presented(PKI.leaf(says_ca=True, certifies=True), stamped=True)
    trust = Trust(roots=(with_clock(Profile(scts=0, logs=0, times=1, private=True)),))
    assert not assess(THING, certifying, policy=asked, trust=trust).accepted


def test_the_caller_s_word_on_the_time_is_asked_for_by_private_authorities_alone() -> None:
    made = presented(LEAVES[NAMED])
    (proved,) = prove(made, Trust(roots=(ACME,)), signed_at=NOW)
    assert [told.witness for told in proved.times.times] == [CALLER]
    assert (proved.times.signed_by, proved.times.proved_by) == (NOW, None)
    strict = with_clock(Profile(scts=0, logs=0, times=1))
    with pytest.raises(TimeUnproven) as refused:
        prove(made, Trust(roots=(strict,)), signed_at=NOW)
    assert refused.value.where == "verificationMaterial"
    # Where a witness tells the time, the caller's word is not heard.
    (stamped,) = prove(
        presented(LEAVES[NAMED], stamped=True),
        Trust(roots=(with_clock(Profile(scts=0, logs=0, times=0, private=True)),)),
        signed_at=NOW,
    )
    assert CALLER not in [told.witness for told in stamped.times.times]
    assert stamped.times.proved_by == SIGSTORE.clock.now


# --- the trust file --------------------------------------------------------------------------------------------------


def test_a_trust_file_names_an_authority_by_its_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"A comment, as tools write them.\n" + PKI.root_pem)
    file = tmp_path / "trust.yaml"
    file.write_text("version: 1\nroots:\n  acme: {file: ca.pem, profile: private}\n")
    (root,) = Trust.load(file).roots
    assert (root, root.profile) == (ACME, PRIVATE)
    # What it became can be written and read again.
    again = Trust.parse(Trust.load(file).to_json(), suffix=".json")
    assert again.digest == Trust(roots=(ACME,)).digest


@pytest.mark.parametrize(
    ("content", "profile", "error"),
    [
        (PKI.root_pem, "public-good", TrustRefused),
        (PKI.root_pem, "{scts: 0, logs: 0, times: 1}", TrustRefused),
        (pem(PKI.intermediate), "private", TrustRefused),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "private", None),
        (b"", "private", None),
    ],
)
def test_what_is_no_authority_is_refused_where_it_stands(
    content: bytes, profile: str, error: type[GlasswingError] | None, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    file = tmp_path / "trust.yaml"
    file.write_text(f"version: 1\nroots:\n  acme: {{file: ca.pem, profile: {profile}}}\n")
    with pytest.raises(GlasswingError) as raised:
        Trust.load(file)
    assert raised.value.code == ("malformed.pem" if error is None else error.code)
    assert raised.value.where == f"{file}:3:16: roots.acme.file"
