"""Is what somebody signs without a key what was asked for, as whom, and with every witness that it needs?"""

import base64
import copy
import hashlib
import json
import logging
import pickle
import subprocess
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import pytest

from glasswing_attest import (
    Attestation,
    GlasswingError,
    KeySigner,
    Manifest,
    ModelRecord,
    Source,
    attest,
    attest_many,
    endorse,
)
from glasswing_attest.artifact.file import Blob
from glasswing_attest.bundle import Bundle, Certificates
from glasswing_attest.errors import (
    AttestationsMissing,
    CertificateRefused,
    IdentityTokenExpired,
    IdentityTokenRefused,
    SelfCheckFailed,
    ServiceRefused,
    ServiceUnavailable,
    TrustUnavailable,
    UsageError,
    WitnessMissing,
)
from glasswing_attest.records.code import CodeRecord
from glasswing_attest.signing import IdentityTokens, Instance, SigstoreSigner
from glasswing_attest.testing import Holder, LeafOptions, VirtualSigstore
from glasswing_attest.trust.sigstore import GITHUB as STAMPS_ONLY
from glasswing_attest.trust.sigstore import PUBLIC_GOOD, Profile
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.procedure import prove, prove_message
from tests.served import QUICK, Reply, Served, jwt, refusal

THING = Blob(b"weights", name="m.bin")
SAID = ModelRecord(name="m")
Version = Literal[1, 2]


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as running:
        yield running


def signer_of(served: Served, version: Version = 1, token: str | None = None, **options: Any) -> SigstoreSigner:
    options = {"instance": served.instance(version), "patience": QUICK, **options}
    return SigstoreSigner.from_token(served.token() if token is None else token, **options)


def leaf_of(made: Attestation) -> Leaf:
    assert isinstance(made.material, Certificates)
    return Leaf.parse(made.material.chain[0])


def refused_by(signer: SigstoreSigner) -> GlasswingError:
    with pytest.raises(GlasswingError) as refused:
        attest(THING, SAID, signer=signer)
    return refused.value


# --- what is signed proves who signed it -----------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("token", "san"),
    [
        (lambda s: s.token("alice@example.com"), "alice@example.com"),
        (lambda s: s.token("spiffe://example.com/trainer"), "spiffe://example.com/trainer"),
        (
            lambda s: s.github_token("acme/train"),
            "https://github.com/acme/train/.github/workflows/release.yml@refs/heads/main",
        ),
    ],
)
def test_a_statement_is_signed_and_proves_who_signed(
    served: Served, version: Version, token: Callable[[Served], str], san: str
) -> None:
    made = attest(THING, SAID, signer=signer_of(served, version, token(served)))
    (proved,) = prove(made, served.sigstore.trust())
    assert proved.signer.san == san
    assert proved.times.times
    assert made.bundle is not None
    assert made.bundle.version == "0.3"
    assert isinstance(made.material, Certificates)
    assert made.material.member == "certificate"
    assert len(made.material.chain) == 1
    (entry,) = made.bundle.log_entries
    assert (entry.kind, entry.version) == (("dsse", "0.0.1") if version == 1 else ("hashedrekord", "0.0.2"))
    assert len(made.bundle.timestamps) == 1
    # Written as it was read: nothing of what the services said was lost.
    assert made.bundle.to_json() == made.bytes


@pytest.mark.parametrize("version", [1, 2])
def test_an_artifact_is_signed_by_its_digest(served: Served, version: Version) -> None:
    digest = hashlib.sha256(b"weights").digest()
    bundle = Bundle.from_json(signer_of(served, version).sign_artifact(digest))
    proved = prove_message(bundle, served.sigstore.trust(), digest=("sha256", digest))
    assert proved.signer.san == "alice@example.com"
    assert [(e.kind, e.version) for e in bundle.log_entries] == [("hashedrekord", "0.0.1" if version == 1 else "0.0.2")]


@pytest.mark.parametrize("wrong", [b"", b"x" * 31, "x" * 32, None])
def test_only_a_sha256_is_signed_as_an_artifact(served: Served, wrong: Any) -> None:
    with pytest.raises(UsageError) as refused:
        signer_of(served).sign_artifact(wrong)
    assert (refused.value.code, refused.value.where) == ("usage", "sha256")
    assert not served.asked


def test_a_git_commit_is_signed(served: Served, tmp_path: Path) -> None:
    for command in (["init", "--quiet"], ["add", "-A"], ["commit", "--quiet", "-m", "one"]):
        (tmp_path / "train.py").write_text("print('hello')")
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *who, *command], check=True)
    made = attest(Source(tmp_path), CodeRecord(name="code"), signer=signer_of(served))
    (proved,) = prove(made, served.sigstore.trust())
    assert [each.algorithm for each in proved.statement.subjects[0].digest if each.algorithm == "gitCommit"]


def test_the_two_documents_are_two_files(served: Served, tmp_path: Path) -> None:
    root, config = served.write(tmp_path)
    instance = Instance.load(trusted_root=root, signing_config=config)
    made = attest(THING, SAID, signer=signer_of(served, instance=instance))
    assert prove(made, served.sigstore.trust())[0].signer.san == "alice@example.com"
    with pytest.raises(GlasswingError) as refused:
        Instance.load(trusted_root=config, signing_config=root)
    assert (refused.value.code, refused.value.where) == ("malformed.field", f"{config}.mediaType")
    with pytest.raises(GlasswingError) as refused:
        Instance.load(trusted_root=root, signing_config=config, profile="best")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("malformed.trust", "profile", "best")


def test_whoever_endorses_signs_the_same_payload(served: Served) -> None:
    first = attest(THING, SAID, signer=signer_of(served))
    second = endorse(first, signer=signer_of(served, token=served.token("bob@example.com")))
    assert second.envelope.payload == first.envelope.payload
    assert prove(second, served.sigstore.trust())[0].signer.san == "bob@example.com"


# --- one certificate for many ----------------------------------------------------------------------------------------


def test_one_certificate_signs_many(served: Served) -> None:
    signer = signer_of(served)
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(5)]
    made = attest_many(requests, signer=signer)
    assert served.asked == {"fulcio": 1, "rekor1": 5, "tsa0": 5}
    assert len({leaf_of(each).der for each in made}) == 1
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(5)]


def test_threads_share_a_signer_and_its_certificate(served: Served) -> None:
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(20)]
    with ThreadPoolExecutor(8) as threads:
        made = attest_many(requests, signer=signer_of(served, 2), sealing=threads)
    assert served.asked["fulcio"] == 1
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(20)]
    assert len({each.bytes for each in made}) == 20


def test_a_certificate_is_renewed_in_its_last_minute(served: Served) -> None:
    clock = [served.sigstore.clock.now]
    signer = signer_of(served, now=lambda: clock[0])
    attest(THING, SAID, signer=signer)
    for later, certificates in ((timedelta(minutes=8, seconds=59), 1), (timedelta(minutes=9, seconds=1), 2)):
        clock[0] = served.sigstore.clock.now + later
        attest(THING, SAID, signer=signer)
        assert served.asked["fulcio"] == certificates


@pytest.mark.parametrize("wrong", [timedelta(hours=-1), timedelta(minutes=-6), timedelta(minutes=5), timedelta(days=1)])
def test_a_clock_that_is_wrong_renews_in_time_and_not_each_time(served: Served, wrong: timedelta) -> None:
    start = served.sigstore.clock.now
    tokens = IdentityTokens.of(served.token(exp=int((start + timedelta(days=2)).timestamp())))
    config = served.signing_config()
    for services in (config["caUrls"], config["rekorTlogUrls"], config["tsaUrls"]):
        services[0]["validFor"]["start"] = "2020-01-01T00:00:00Z"
    instance = served.instance(config=config)
    signer = SigstoreSigner(tokens, instance=instance, patience=QUICK, now=lambda: served.sigstore.clock.now + wrong)
    for seconds in range(0, 3600, 150):
        served.sigstore.clock.set(start + timedelta(seconds=seconds))
        attest(THING, SAID, signer=signer)
    assert served.asked["fulcio"] <= 24 / 2


def test_a_token_that_has_expired_is_asked_for_again(served: Served) -> None:
    given: list[str] = []

    def fresh() -> str:
        given.append(served.token(exp=int(clock[0].timestamp()) + 60, iat=len(given)))
        return given[-1]

    clock = [datetime.now(UTC)]
    signer = SigstoreSigner(
        IdentityTokens.of_callable(fresh), instance=served.instance(), patience=QUICK, now=lambda: clock[0]
    )
    attest(THING, SAID, signer=signer)
    clock[0] += timedelta(minutes=12)  # certificate and token are both over
    served.sigstore.clock.set(clock[0])
    attest(THING, SAID, signer=signer)
    assert len(given) == 2
    sent = [json.loads(body)["credentials"]["oidcIdentityToken"] for body in served.bodies["fulcio"]]
    assert sent == given


def test_a_token_at_hand_expires(served: Served) -> None:
    ends = int(datetime.now(UTC).timestamp()) + 60
    clock = [datetime.now(UTC)]
    signer = signer_of(served, token=served.token(exp=ends), now=lambda: clock[0])
    made = attest(THING, SAID, signer=signer)
    clock[0] += timedelta(minutes=5)  # the certificate lives, and that is enough
    assert leaf_of(attest(THING, SAID, signer=signer)).der == leaf_of(made).der
    clock[0] += timedelta(minutes=5)
    error = refused_by(signer)
    assert (type(error), error.code) == (IdentityTokenExpired, "signing.token.expired")
    assert error.where == "identity token of https://issuer.example"
    assert served.asked["fulcio"] == 1


def test_an_instance_is_fetched_when_it_is_needed_and_again_after_a_day(served: Served) -> None:
    fetched: list[datetime] = []
    clock = [served.sigstore.clock.now]

    def fetch() -> Instance:
        fetched.append(clock[0])
        return served.instance()

    tokens = IdentityTokens.of_callable(lambda: served.token(exp=int(clock[0].timestamp()) + 60))
    signer = SigstoreSigner(tokens, instance=fetch, patience=QUICK, now=lambda: clock[0])
    assert not fetched
    attest_many([(THING, SAID), (THING, SAID)], signer=signer)
    assert len(fetched) == 1
    clock[0] += timedelta(hours=25)
    assert signer.verified_by.roots[0].name == "served"
    assert len(fetched) == 2


# --- who the certificate names ---------------------------------------------------------------------------------------


def test_a_certificate_for_somebody_else_is_refused(served: Served) -> None:
    served.holder = Holder(san="mallory@example.com", issuer="https://issuer.example", kind="email")
    error = refused_by(signer_of(served))
    assert (type(error), error.code) == (CertificateRefused, "signing.certificate")
    assert (error.where, error.found) == ("certificate.subjectAltName", "mallory@example.com")
    assert error.wanted == "alice@example.com"
    assert served.asked == {"fulcio": 1}, "nothing was signed, stamped or logged"


def test_a_certificate_on_somebody_elses_word_is_refused(served: Served) -> None:
    served.holder = Holder(san="alice@example.com", issuer="https://other.example", kind="email")
    error = refused_by(signer_of(served))
    assert (type(error), error.where) == (CertificateRefused, "certificate.issuer")
    assert (error.found, error.wanted) == ("https://other.example", "https://issuer.example")


def test_a_broker_says_on_whose_word(served: Served) -> None:
    token = served.token(
        "Cg0", email="alice@example.com", iss="https://oauth2.example/auth",
        federated_claims={"connector_id": "https://github.com/login/oauth"},
    )  # fmt: skip
    made = attest(THING, SAID, signer=signer_of(served, token=token))
    assert prove(made, served.sigstore.trust())[0].signer.issuer == "https://github.com/login/oauth"


def test_an_issuer_that_names_people_differently(served: Served) -> None:
    served.holder = Holder(san="https://people.example/alice", issuer="https://issuer.example")
    error = refused_by(signer_of(served))
    assert (type(error), error.where) == (CertificateRefused, "certificate.subjectAltName")
    assert "identity=" in error.do
    made = attest(THING, SAID, signer=signer_of(served, identity="https://people.example/alice"))
    assert leaf_of(made).san == "https://people.example/alice"
    error = refused_by(signer_of(served, identity="https://people.example/bob"))
    assert error.wanted == "https://people.example/bob"


@pytest.mark.parametrize(
    ("leaf", "where"),
    [
        (LeafOptions(usages=()), "certificate"),
        (LeafOptions(ct_logs=()), "certificate.scts"),
        (LeafOptions(digital_signature=False), "certificate"),
        (LeafOptions(further_names=("https://x.example",)), "certificate.subjectAltName"),
    ],
)
def test_a_certificate_that_would_prove_nothing_signs_nothing(served: Served, leaf: LeafOptions, where: str) -> None:
    served.leaf = leaf
    error = refused_by(signer_of(served))
    assert (type(error), error.code, error.where) == (CertificateRefused, "signing.certificate", where)
    assert set(served.asked) == {"fulcio"}


def test_a_certificate_of_another_instance_signs_nothing(served: Served) -> None:
    other = VirtualSigstore("other", clock=served.sigstore.clock)
    instance = Instance(root=other.root(), config=served.instance().config)
    error = refused_by(signer_of(served, instance=instance))
    assert (type(error), error.where) == (CertificateRefused, "certificate")
    assert error.do.startswith("use the trusted root and the signing config of one instance")
    assert set(served.asked) == {"fulcio"}


def test_a_certificate_for_another_key_is_refused(served: Served) -> None:
    answers: list[Reply] = []

    def keep(service: str, count: int) -> Reply | None:
        if service == "fulcio" and count == 2:
            return answers[0]
        if service == "fulcio":
            answers.append(served._certified(json.loads(served.bodies["fulcio"][-1])))
            return answers[0]
        return None

    served.trouble = keep
    attest(THING, SAID, signer=signer_of(served))
    error = refused_by(signer_of(served))  # gets the first one's certificate
    assert (type(error), error.where) == (CertificateRefused, "certificate.key")


def test_a_detached_promise_does_only_where_none_is_asked_for(served: Served) -> None:
    served.detached = True
    served.leaf = LeafOptions(ct_logs=())
    assert refused_by(signer_of(served)).where == "certificate.scts"
    profile = replace(PUBLIC_GOOD, scts=0)
    made = attest(THING, SAID, signer=signer_of(served, instance=served.instance(profile=profile)))
    assert prove(made, served.sigstore.trust(profile))[0].signer.san == "alice@example.com"


# --- tokens that do not do -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"aud": "somebody-else"}, "expected audience sigstore"),
        ({"iss": "https://unknown.example"}, "unsupported issuer https://unknown.example"),
    ],
)
def test_what_the_authority_says_of_a_token_is_told(served: Served, claims: dict[str, Any], message: str) -> None:
    error = refused_by(signer_of(served, token=served.token(**claims)))
    assert (type(error), error.code) == (IdentityTokenRefused, "signing.token")
    assert error.where == f"{served.url}/fulcio/api/v2/signingCert"
    assert message in error.because
    issuer, audience = claims.get("iss", "https://issuer.example"), claims.get("aud", "sigstore")
    assert error.do == f"look whether the authority takes tokens by {issuer} for audience {audience}"
    assert served.asked == {"fulcio": 1}, "what is refused is not asked again"


def test_a_token_that_somebody_else_signed_is_refused(served: Served) -> None:
    claims = {"iss": "https://issuer.example", "sub": "a@x.example", "aud": ["sigstore"], "exp": 4102444800}
    error = refused_by(signer_of(served, token=jwt(claims, b"another key")))
    assert (type(error), error.code, error.found) == (IdentityTokenRefused, "signing.token", "HTTP 401")
    assert "failed to verify signature" in error.because


def test_an_expired_token_is_not_even_sent(served: Served) -> None:
    error = refused_by(signer_of(served, token=served.token(exp=1_000_000_000)))
    assert (type(error), error.code) == (IdentityTokenExpired, "signing.token.expired")
    assert (error.found, not served.asked) == ("2001-09-09T01:46:40Z", True)


def test_a_token_never_leaves_unencrypted(served: Served) -> None:
    config = served.signing_config()
    config["caUrls"][0]["url"] = "http://fulcio.example"
    error = refused_by(signer_of(served, instance=served.instance(config=config)))
    assert (type(error), error.code, error.wanted) == (UsageError, "usage", "https")
    assert error.where == "http://fulcio.example/api/v2/signingCert"


class _Recorder(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


TROUBLES: list[Callable[[Served], Any]] = [
    lambda s: lambda service, count: refusal(401, f"no: {_token_sent(s)}", 16) if service == "fulcio" else None,
    lambda s: (
        lambda service, count: refusal(400, f"bad {_token_sent(s).split('.')[1]}") if service == "fulcio" else None
    ),
    lambda s: lambda service, count: Reply(status=503, body=_token_sent(s).encode()) if service == "fulcio" else None,
    lambda s: lambda service, count: Reply(body=_token_sent(s).encode()) if service == "fulcio" else None,
    lambda s: lambda service, count: Reply(body=json.dumps({"chain": _token_sent(s)}).encode()),
    lambda s: lambda service, count: "drop" if service == "fulcio" else None,
    lambda s: lambda service, count: Reply(status=302, headers={"Location": f"https://x/?t={_token_sent(s)}"}),
    lambda s: lambda service, count: Reply(body=b"x" * 100, cut=3),
    lambda s: lambda service, count: "drop" if service != "fulcio" else None,
]


def _token_sent(served: Served) -> str:
    return str(json.loads(served.bodies["fulcio"][-1])["credentials"]["oidcIdentityToken"])


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_token_stands_in_no_error_traceback_repr_or_log(served: Served, trouble: Callable[[Served], Any]) -> None:
    served.trouble = trouble(served)
    recorder = _Recorder()
    root = logging.getLogger()
    level = root.level
    root.addHandler(recorder)
    root.setLevel(logging.DEBUG)
    tokens = IdentityTokens.of(served.token())  # the text itself is in no frame of this test
    signer = SigstoreSigner(tokens, instance=served.instance(), patience=QUICK)
    try:
        attest(THING, SAID, signer=signer)
    except GlasswingError as e:
        found: BaseException | None = e
    else:
        found = None
    finally:
        root.removeHandler(recorder)
        root.setLevel(level)
    assert found is not None
    shown = "".join(traceback.TracebackException.from_exception(found, capture_locals=True).format())
    secret = _token_sent(served)
    told = [shown, repr(found), str(found), repr(tokens), repr(signer), json.dumps(_dict(found)), *recorder.lines]
    inner: BaseException | None = found
    while inner is not None:
        told += [repr(inner.args), repr(vars(inner))]
        inner = inner.__cause__ or inner.__context__
    assert served.asked["fulcio"]
    for part in (secret, *secret.split(".")):
        assert not [text for text in told if part in text]


def _dict(error: BaseException) -> dict[str, str]:
    assert isinstance(error, GlasswingError)
    return error.to_dict()


def test_the_test_above_would_find_a_token(served: Served) -> None:
    token = served.token()
    with pytest.raises(ValueError, match="no") as found:
        raise ValueError(f"no {token}")
    assert token in "".join(traceback.format_exception(found.value))


def test_a_signer_is_not_pickled_or_copied(served: Served) -> None:
    signer = signer_of(served)
    attest(THING, SAID, signer=signer)
    for each in (signer, IdentityTokens.of(served.token())):
        for travel in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="is not pickled"):
                travel(each)


# --- witnesses -------------------------------------------------------------------------------------------------------


def test_a_log_of_version_2_alone_gives_no_time(served: Served) -> None:
    error = refused_by(signer_of(served, instance=served.instance(config=served.signing_config(2, clocks=0))))
    assert (type(error), error.code, error.where) == (WitnessMissing, "signing.witness", "signing config: tsaUrls")
    assert not served.asked, "nothing was published for a signature that would prove nothing"


def test_a_log_of_version_1_tells_the_time_itself(served: Served) -> None:
    made = attest(
        THING, SAID, signer=signer_of(served, instance=served.instance(config=served.signing_config(1, clocks=0)))
    )
    assert made.bundle is not None
    assert (len(made.bundle.timestamps), len(made.bundle.log_entries)) == (0, 1)


def test_a_missing_stamp_is_an_error(served: Served) -> None:
    served.trouble = lambda service, _: refusal(500, "no clock today") if service == "tsa0" else None
    error = refused_by(signer_of(served, 2))
    assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service")
    assert error.where == f"{served.url}/tsa0/api/v1/timestamp"
    assert (error.found, error.because) == ("HTTP 500", "no clock today")
    assert served.asked["tsa0"] == QUICK.attempts
    assert "rekor2" not in served.asked


def test_several_clocks_stamp_where_the_trust_asks_for_them(served: Served) -> None:
    served.sigstore.add_clock()
    profile = Profile(scts=1, logs=1, times=2, stamps=2)
    config = served.signing_config(2, clocks=2)  # "any" of them, says the config
    made = attest(THING, SAID, signer=signer_of(served, instance=served.instance(profile=profile, config=config)))
    assert len({t.witness for t in prove(made, served.sigstore.trust(profile))[0].times.times}) == 2


def test_all_clocks_stamp_where_the_config_says_so(served: Served) -> None:
    served.sigstore.add_clock()
    config = served.signing_config(1, clocks=2, selector="ALL")
    made = attest(THING, SAID, signer=signer_of(served, instance=served.instance(config=config)))
    assert made.bundle is not None
    assert len(made.bundle.timestamps) == 2


def test_any_clock_does_when_the_first_is_silent(served: Served) -> None:
    served.sigstore.add_clock()
    served.trouble = lambda service, _: "drop" if service == "tsa0" else None
    config = served.signing_config(2, clocks=2)
    made = attest(THING, SAID, signer=signer_of(served, instance=served.instance(config=config)))
    assert {t.witness for t in prove(made, served.sigstore.trust())[0].times.times} == {"other.example"}


def test_without_a_log_where_none_is_asked_for(served: Served) -> None:
    config = served.signing_config(1)
    config["rekorTlogUrls"] = []
    del config["rekorTlogConfig"]
    instance = served.instance(profile=STAMPS_ONLY, config=config)
    made = attest(THING, SAID, signer=signer_of(served, instance=instance))
    assert made.bundle is not None
    assert (len(made.bundle.timestamps), len(made.bundle.log_entries)) == (1, 0)
    error = refused_by(signer_of(served, instance=served.instance(config=config)))
    assert (type(error), error.where) == (WitnessMissing, "signing config: rekorTlogUrls")


@pytest.mark.parametrize("version", [1, 2])
def test_a_stamp_by_a_stranger_is_never_returned(served: Served, version: Version) -> None:
    """Neither where the trust needs it, nor where a log of version 1 tells the time by itself."""
    root = served.sigstore.root()
    served.sigstore.clocks[0] = VirtualSigstore("x", clock=served.sigstore.clock).clocks[0]
    instance = Instance(root=root, config=served.instance(version).config)
    error = refused_by(signer_of(served, instance=instance))
    assert (type(error), error.code) == (WitnessMissing, "signing.witness")
    assert error.where == f"{served.url}/tsa0/api/v1/timestamp"
    assert "no trusted clock made this stamp" in error.because
    assert error.do.startswith("use the trusted root and the signing config of one instance")
    with pytest.raises(WitnessMissing, match="no trusted clock made this stamp"):
        signer_of(served, instance=instance).sign_artifact(hashlib.sha256(b"x").digest())
    assert f"rekor{version}" not in served.asked


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_stamp_of_another_hour_is_never_returned(served: Served, version: Version, hours: int) -> None:
    """A bundle with such a stamp is refused by whoever looks at all of its times."""
    now = served.sigstore.clock.now

    def of_another_hour(service: str, count: int) -> None:
        served.sigstore.clock.set(now + timedelta(hours=hours) if service == "tsa0" and count == 1 else now)

    served.trouble = of_another_hour
    signer = signer_of(served, version)
    error = refused_by(signer)
    assert (type(error), error.code) == (WitnessMissing, "signing.witness")
    assert error.where == f"{served.url}/tsa0/api/v1/timestamp"
    assert f"rekor{version}" not in served.asked
    attest(THING, SAID, signer=signer)


@pytest.mark.parametrize("version", [1, 2])
def test_an_entry_of_a_strangers_log_is_never_returned(served: Served, version: Version) -> None:
    """Not even where the trust asks for no log."""
    other = VirtualSigstore("x", clock=served.sigstore.clock)
    root = replace(served.sigstore.root(STAMPS_ONLY), logs=other.root().logs)
    instance = Instance(root=root, config=served.instance(version).config)
    error = refused_by(signer_of(served, instance=instance))
    assert (type(error), error.code) == (WitnessMissing, "signing.witness")
    assert (error.where, error.wanted) == (f"{served.url}/rekor{version}", f"a log of root {root.name}")
    assert error.do.startswith("use the trusted root and the signing config of one instance")


def test_an_instance_is_fetched_by_whoever_knows_how(served: Served) -> None:
    def fails() -> Instance:
        raise KeyError("no such secret store")

    signer = signer_of(served, instance=fails)
    for call in (lambda: signer.sign_artifact(bytes(32)), lambda: attest(THING, SAID, signer=signer)):
        with pytest.raises(TrustUnavailable) as refused:
            call()
        assert (refused.value.code, refused.value.where) == ("unavailable.trust", "instance")
        assert "KeyError: 'no such secret store'" in refused.value.because
    for wrong in ("public", lambda: "public"):
        with pytest.raises(UsageError) as misused:
            signer_of(served, instance=wrong).sign_artifact(bytes(32))
        assert (misused.value.code, misused.value.where, misused.value.found) == ("usage", "instance", "str")


def test_a_config_without_an_authority_to_be_used_now(served: Served) -> None:
    config = served.signing_config()
    config["caUrls"][0]["validFor"]["end"] = "2020-01-01T00:00:00Z"
    config["caUrls"][0]["validFor"]["start"] = "2019-01-01T00:00:00Z"
    error = refused_by(signer_of(served, instance=served.instance(config=config)))
    assert (type(error), error.where) == (ServiceUnavailable, "signing config: caUrls")
    assert error.do == "use the instance's current signing config", "to try again later does not help"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("body", [b"{}", b'{"kind": "hashedrekord", "apiVersion": "0.0.2", "spec": 3}', b"\xff{", b""])
def test_an_entry_that_says_nothing_of_the_signature_is_none(served: Served, version: Version, body: bytes) -> None:
    log, text = f"rekor{version}", base64.b64encode(body).decode()

    def another(service: str, _: int) -> Reply | None:
        if service != log:
            return None
        told = json.loads(served._served("POST", f"/{log}/", served.bodies[log][-1]).body)
        if version == 1:
            next(iter(told.values()))["body"] = text
        else:
            told["canonicalizedBody"] = text
        return Reply(status=201, body=json.dumps(told).encode())

    served.trouble = another
    error = refused_by(signer_of(served, version, patience=replace(QUICK, attempts=1)))
    assert (type(error), error.code) in (
        (WitnessMissing, "signing.witness"),
        (ServiceUnavailable, "unavailable.service"),  # what version 1 says is read at once
    )
    assert error.where.startswith(f"{served.url}/{log}")
    if version == 2:
        assert (type(error), error.wanted) == (WitnessMissing, "an entry for this very signature")


# --- 409: the entry is there already ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_an_entry_that_is_there_already_is_the_success_that_it_is(served: Served, version: Version) -> None:
    log = f"rekor{version}"

    def lost(service: str, count: int) -> Literal["drop"] | None:
        if service == log and count == 1:
            served._served("POST", f"/{log}/", served.bodies[log][-1])  # logged, and the answer is lost
            return "drop"
        return None

    served.trouble = lost
    made = attest(THING, SAID, signer=signer_of(served, version))
    (proved,) = prove(made, served.sigstore.trust())
    assert proved.signer.san == "alice@example.com"
    assert served.asked[log] > 2
    assert len(served.sigstore.logs[version - 1].leaves) == 5 + 1


@pytest.mark.parametrize("version", [1, 2])
def test_an_entry_that_is_there_already_must_be_ours(served: Served, version: Version) -> None:
    attest(THING, SAID, signer=signer_of(served, version))
    (_, body), entry = next(iter(served._known.items()))
    uuid = hashlib.sha256(b"\x00" + body).hexdigest()
    index = entry["inclusionProof"]["logIndex"]

    def another(service: str, count: int) -> Reply | None:
        if service == f"rekor{version}" and count == 2:
            return Reply(status=409, headers={"Location": f"https://evil.example/{uuid}", "x-log-index": index})
        return None

    served.trouble = another
    error = refused_by(signer_of(served, version))
    if version == 1:
        assert (type(error), error.code) == (WitnessMissing, "signing.witness")
        assert "the log entry has another" in error.because
    else:  # the proof at that index leads from our entry to another root
        assert (type(error), error.code) == (SelfCheckFailed, "signing.self-check")
        assert "not in the tree that the log signed" in error.because


@pytest.mark.parametrize(
    "headers", [{}, {"Location": "/api/v1/log/entries/../../x"}, {"Location": "https://evil.example/"}]
)
def test_a_409_without_a_place_is_no_success(served: Served, headers: dict[str, str]) -> None:
    served.trouble = lambda service, _: Reply(status=409, headers=headers) if service == "rekor1" else None
    error = refused_by(signer_of(served))
    assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service")
    assert "Location" in error.because


# --- many at once, and a log that fails ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
def test_200_attestations_while_a_log_fails_every_third_call(served: Served, version: Version) -> None:
    log = f"rekor{version}"
    served.trouble = lambda service, count: refusal(503, "overloaded", 14) if service == log and not count % 3 else None
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(200)]
    patience = replace(QUICK, attempts=8)  # somebody of 200 is the third one several times
    with ThreadPoolExecutor(8) as threads:
        made = attest_many(requests, signer=signer_of(served, version, patience=patience), sealing=threads)
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(200)]
    assert served.asked[log] > 200


def test_what_was_made_is_not_lost_and_what_is_missing_is_named(served: Served) -> None:
    patience = replace(QUICK, attempts=1)
    silent = refusal(503, "overloaded", 14)
    served.trouble = lambda service, count: silent if service == "rekor1" and count in (3, 6) else None
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(5)]
    with pytest.raises(AttestationsMissing) as refused:
        attest_many(requests, signer=signer_of(served, patience=patience))
    error = refused.value
    assert (error.code, error.where, error.found) == ("signing.incomplete", "requests[2]", "4 of 5 attestations")
    assert [each is None for each in error.made] == [False, False, True, False, False]
    assert prove(error.made[4], served.sigstore.trust())[0].signer.san == "alice@example.com"
    ((number, why),) = error.failed
    assert (number, type(why), why.because) == (2, ServiceUnavailable, "overloaded")
    assert error.__cause__ is why
    assert error.because.startswith("ServiceUnavailable: ")
    assert "overloaded" in error.because
    assert "nothing was written" not in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (again.made, again.failed[0][0], str(again)) == (error.made, 2, str(error))
    assert set(error.to_dict()) == {"code", "step", "message", "where", "found", "because", "do"}


def test_what_a_service_missed_gets_a_second_turn(served: Served) -> None:
    patience = replace(QUICK, attempts=1)
    silent = refusal(503, "overloaded", 14)
    served.trouble = lambda service, count: silent if service == "rekor1" and count == 3 else None
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(5)]
    made = attest_many(requests, signer=signer_of(served, patience=patience))
    assert [each.statement_unverified.subjects[0].name for each in made] == [f"{n}.bin" for n in range(5)]
    assert served.asked["rekor1"] == 6


def test_only_threads_can_share_a_signer(served: Served) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes, pytest.raises(UsageError) as refused:
        attest_many([(THING, SAID)], signer=signer_of(served), sealing=processes)
    assert (refused.value.code, refused.value.where) == ("usage", "sealing")
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(UsageError) as refused:
        attest_many([(THING, SAID)], signer=signer_of(served), sealing=threads)
    assert (refused.value.code, refused.value.where) == ("usage", "sealing")
    assert not served.asked


class Counted:
    """Counts how often it is measured; two of one name are equal, as two models at one path are."""

    measured = 0
    kind = "file"

    def __init__(self, name: str, *, hashable: bool = True) -> None:
        self.name = name
        self.hashable = hashable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counted) and other.name == self.name

    def __hash__(self) -> int:
        if not self.hashable:
            raise TypeError("unhashable")
        return hash(self.name)

    def measure(self, **_: Any) -> Manifest:
        self.measured += 1
        return Blob(self.name.encode(), name=self.name).measure()


@pytest.mark.parametrize(("hashable", "times"), [(True, 1), (False, 3)])
def test_an_artifact_is_measured_once_for_all_that_is_said_of_it(hashable: bool, times: int) -> None:
    thing, other = Counted("a", hashable=hashable), Counted("b")
    requests: list[Any] = [(thing, ModelRecord(name="1")), (other, SAID), (thing, SAID), ([thing, other], SAID)]
    made = attest_many(requests, signer=KeySigner.generate())
    assert (thing.measured, other.measured) == (times, 1)
    names = [[each.name for each in one.statement_unverified.subjects] for one in made]
    assert names == [["a"], ["b"], ["a"], ["a", "b"]]


def test_an_outage_ends_it_early(served: Served) -> None:
    patience = replace(QUICK, attempts=1)
    served.trouble = lambda service, count: "drop" if service == "rekor1" and count > 2 else None
    requests = [(Blob(b"%d" % n, name=f"{n}.bin"), SAID) for n in range(50)]
    with pytest.raises(AttestationsMissing) as refused:
        attest_many(requests, signer=signer_of(served, patience=patience))
    assert [number for number, _ in refused.value.failed] == [2, 3, 4]
    assert refused.value.found == "2 of 50 attestations"
    assert served.asked["rekor1"] == 5


def test_what_fails_for_each_alike_fails_once(served: Served) -> None:
    served.trouble = lambda service, count: refusal(401, "who are you?", 16) if service == "fulcio" else None
    with pytest.raises(IdentityTokenRefused) as refused:
        attest_many([(THING, SAID)] * 9, signer=signer_of(served))
    assert refused.value.because == "who are you?"
    assert served.asked == {"fulcio": 1}


def test_a_log_that_says_no_is_told_in_its_words(served: Served) -> None:
    served.trouble = lambda service, _: refusal(400, "this log is\x1b[2J frozen") if service == "rekor2" else None
    error = refused_by(signer_of(served, 2))
    assert (type(error), error.code, error.found) == (ServiceRefused, "signing.refused", "HTTP 400")
    assert error.because == "this log is\\x1b[2J frozen"
    assert served.asked["rekor2"] == 1


def test_a_thread_that_waits_gets_the_certificate_of_the_other(served: Served) -> None:
    signer = signer_of(served)
    started = threading.Barrier(4)
    made: list[Attestation] = []

    def one() -> None:
        started.wait()
        made.append(attest(THING, SAID, signer=signer))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), served.asked["fulcio"]) == (4, 1)


KINDS: list[Reply | Literal["drop"]] = [
    "drop",
    refusal(502, "bad gateway"),
    Reply(body=b"<html>"),
    Reply(body=b'{"a": 1}', cut=4),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("service", ["fulcio", "tsa0", "rekor2"])
def test_a_second_try_succeeds_after_every_kind_of_trouble(
    served: Served, service: str, kind: Reply | Literal["drop"]
) -> None:
    served.trouble = lambda asked, count: kind if asked == service and count == 1 else None
    signer = signer_of(served, 2, patience=replace(QUICK, attempts=1))
    error = refused_by(signer)
    assert (type(error), error.code) == (ServiceUnavailable, "unavailable.service")
    assert service in error.where
    assert prove(attest(THING, SAID, signer=signer), served.sigstore.trust())[0].signer.san == "alice@example.com"
