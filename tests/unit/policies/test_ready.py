"""Do the ready policies ask for what they say, refuse what makes no policy, and mean the same once they are written?"""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest import KeySigner, Manifest, ModelRecord, Policy, Report, Trust, assess, attest, policies
from glasswing_attest.errors import MalformedError, PolicyRefused
from glasswing_attest.policies import (
    github_release,
    npm_package,
    oms_model,
    pypi_package,
    slsa_build,
    to_yaml,
    trained_model,
    trust_advice,
    verification_summary,
)
from glasswing_attest.policies.catalogue import READY
from glasswing_attest.policy.policy import Identity
from glasswing_attest.records import EvaluationRecord, Metric, ResourceReference
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.summary import VerificationSummary
from tests.chains import BUILDER, COMMIT, REPOSITORY, honest, run_record, signer, trust_of, used

PERSON = Identity(issuer="https://issuer.example", san="me@example.com")
WORDS: Mapping[str, Mapping[str, list[str]]] = {
    "slsa-build": {
        "builders": ["{https://ci.example/a: ci}", '{"https://ci.example/b/*": {issuer: "https://i.example", san: b}}'],
        "level": ["3"],
        "kind": ["model"],
        "source": ["https://github.com/acme/train"],
        "ref": ["refs/heads/main"],
        "build_type": ["https://example.com/build/v1"],
        "max_age": ["90d"],
        "times": ["claimed"],
    },
    "github-release": {
        "repository": ["acme/train"],
        "repository_id": ["4711"],
        "owner_id": ["42"],
        "ref": ["refs/tags/v1.*"],
        "workflow": ["release.yml"],
        "reusable": ["acme/builders/.github/workflows/build.yml@refs/tags/v*"],
        "level": ["1"],
        "kind": ["image"],
        "trigger": ["push"],
        "max_age": ["365d"],
    },
    "trained-model": {
        "trainer": ["trainer"],
        "builder": [BUILDER],
        "data": ['{issuer: "https://issuer.example", san: data@example.com}'],
        "code": ["reviewer"],
        "level": ["2"],
        "build_type": ["https://ci.example/train/v1"],
        "source": [REPOSITORY],
        "ref": ["refs/heads/main"],
        "base_model": ["publisher"],
        "dependencies": ["ci"],
        "quality": ["lab"],
        "metric": ["accuracy"],
        "at_least": ["0.95"],
        "at_most": ["1"],
        "version_at_least": ["2026.1"],
        "max_age": ["30d"],
        "times": ["claimed"],
    },
    "oms-model": {"signed_by": ["{authority: acme, san: release}"], "max_age": ["1w"], "times": ["claimed"]},
    "npm-package": {
        "repository": ["acme/left"],
        "workflow": ["release.yml"],
        "repository_id": ["1"],
        "owner_id": ["2"],
        "ref": ["refs/tags/*"],
        "trigger": ["release"],
        "package": ["@acme/left"],
        "version": ["1.0.0"],
        "registry": ["npm-1", "npm-2"],
    },
    "pypi-package": {
        "repository": ["acme/train"],
        "workflow": ["release.yml"],
        "repository_id": ["1"],
        "owner_id": ["2"],
        "ref": ["refs/tags/v*"],
        "trigger": ["push"],
        "project": ["Acme.Train"],
    },
    "verification-summary": {
        "verifier": ["https://verifier.example"],
        "resource": ["pkg:generic/penguins@1.0"],
        "level": ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"],
        "signed_by": ["verifier"],
        "kind": ["model"],
        "policy": ["https://verifier.example/policy"],
        "policy_digest": ["sha256:" + "0" * 64],
        "max_age": ["30d"],
        "times": ["claimed"],
    },
}
"""Every word of every ready policy, as texts."""


def required(name: str) -> dict[str, list[str]]:
    """The words without which there is no policy."""
    ready = READY[name]
    told = {p.name: list(WORDS[name][p.name]) for p in ready.parameters if p.required}
    return told or {"repository": ["acme/train"], "workflow": ["release.yml"]}


# --- all of them -----------------------------------------------------------------------------------------------------


def test_every_ready_policy_has_a_name_and_every_word_of_it_is_tried() -> None:
    makers = {getattr(policies, name) for name in policies.__all__}
    ready = {maker for maker in makers if inspect.isfunction(maker)} - {to_yaml, trust_advice}
    assert ready == {each.make for each in READY.values()}
    assert [each.make.__name__.replace("_", "-") for each in READY.values()] == list(READY)
    for name, each in READY.items():
        told = {p.name for p in each.parameters}
        assert told - {"publisher"} == set(WORDS[name])  # a publisher stands alone
        assert all(p.about for p in each.parameters), name
        assert each.about.endswith("."), name


@pytest.mark.parametrize("name", READY)
@pytest.mark.parametrize("words", ["required", "all"])
def test_what_is_written_is_read_as_the_very_same_policy(name: str, words: str) -> None:
    ready = READY[name]
    policy = ready.made(required(name) if words == "required" else WORDS[name])
    text = ready.written(policy, command=f"glasswing-attest policy new {name}")
    assert Policy.parse(text.encode()).digest == policy.digest
    assert Policy.parse(text.encode()) == policy
    assert max(map(len, text.splitlines())) <= 200
    # Each note has found its place, once: none is about something that is not there.
    for path, note in ready.notes.items():
        if words == "all" and not _absent(policy, path):
            assert text.count(f"# {note}\n") == 1, path


def _absent(policy: Policy, path: str) -> bool:
    section, _, name = path.partition(".")
    return bool(name) and name != "*" and name not in getattr(policy, section)


@pytest.mark.parametrize("name", READY)
def test_every_word_changes_the_policy(name: str) -> None:
    """A parameter that says nothing would be a demand that nobody makes."""
    ready, everything = READY[name], WORDS[name]
    whole = ready.made(everything)
    for parameter in ready.parameters:
        if parameter.required or parameter.name not in everything:
            continue
        # Two go together: a bound without its metric, and a metric without who measures, are refused.
        without = {k: v for k, v in everything.items() if k != parameter.name}
        try:
            assert ready.made(without).digest != whole.digest, parameter.name
        except PolicyRefused as refused:
            assert parameter.name in ("repository", "workflow", "metric", "quality"), refused  # noqa: PT017


@pytest.mark.parametrize("name", READY)
def test_a_required_word_that_is_missing_is_refused(name: str) -> None:
    for parameter in READY[name].parameters:
        if parameter.required:
            left = {k: v for k, v in required(name).items() if k != parameter.name}
            with pytest.raises(PolicyRefused) as refused:
                READY[name].made(left)
            assert (refused.value.code, refused.value.where) == ("malformed.policy", f"{name}: {parameter.name}")


@pytest.mark.parametrize("name", READY)
def test_the_trust_that_goes_with_it_names_what_the_policy_names(name: str, tmp_path: Any) -> None:
    policy = READY[name].made(WORDS[name])
    sketch = trust_advice(policy)
    for identity in policy.identities.values():
        for told in filter(None, (identity.key, identity.authority, identity.root)):
            assert f"  {told}: {{file: {told}." in sketch
        assert identity.issuer is None or "profile: public-good" in sketch
    assert ("witness:" in sketch) == (policy.times == "verified" and any(i.key for i in policy.identities.values()))


def test_annotations_say_of_what_kind_each_word_is() -> None:
    for ready in READY.values():
        hints = typing.get_type_hints(ready.make)
        assert hints.pop("return") is Policy
        assert set(hints) == {p.name for p in ready.parameters}


# --- what makes no policy --------------------------------------------------------------------------------------------

MODEL: Mapping[str, Any] = {"trainer": "t", "builder": BUILDER, "data": "d", "code": "c"}


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: slsa_build(builders={}), "slsa_build: identities"),
        (lambda: slsa_build(builders={"*": "ci"}), "slsa_build: builders[0].id"),
        (lambda: slsa_build(builders={"https://a": "ci"}, level=4), "slsa_build: builders[0].level"),
        (lambda: slsa_build(builders={"https://a": "ci"}, kind="weights"), "slsa_build: nodes.weights"),
        (lambda: slsa_build(builders={"https://a": "ci"}, source="acme"), None),
        (lambda: slsa_build(builders={"https://a": "ci"}, max_age="soon"), None),
        (lambda: slsa_build(builders={"https://a": ""}), "Identity: key"),
        (lambda: github_release(repository="acme"), None),
        (lambda: github_release(repository="acme/*"), None),
        (lambda: github_release(repository="a/b", ref="v1"), None),
        (lambda: github_release(repository="a/b", ref="*"), None),
        (lambda: github_release(repository="a/b", level=0), "github_release: level"),
        (lambda: github_release(repository="a/b", level=4), "github_release: level"),
        (lambda: github_release(repository="a/b", workflow="*"), "github_release: workflow"),
        (lambda: github_release(repository="a/b", workflow=""), "github_release: workflow"),
        (lambda: github_release(repository="a/b", workflow="../x.yml"), "github_release: workflow"),
        (lambda: github_release(repository="a/b", reusable="*/*/.github/workflows/x@y"), "github_release: reusable"),
        (lambda: github_release(repository="a/b", reusable="a/b/.github/workflows/*@y"), "github_release: reusable"),
        (lambda: github_release(repository="a/b", reusable="a/b/.github/workflows/x"), "github_release: reusable"),
        (lambda: github_release(repository="a/b", workflow="x@refs"), "github_release: workflow"),
        (lambda: npm_package(repository="a/b", workflow=""), "npm_package: workflow"),
        (lambda: npm_package(repository="a/b", workflow="*.yml"), "npm_package: workflow"),
        (lambda: npm_package(repository="a/b", workflow="a/b.yml"), "npm_package: workflow"),
        (lambda: pypi_package(repository="a/b", workflow="*.yml"), "pypi_package: workflow"),
        (lambda: pypi_package(repository="a/b", workflow="w", project="a.*"), "pypi_package: project"),
        (lambda: pypi_package(repository="a/b", workflow="w", project=""), "pypi_package: project"),
        (lambda: npm_package(repository="a/b", workflow="w", registry=()), None),
        (lambda: npm_package(repository="a/b", workflow="w", ref="main"), None),
        (pypi_package, "pypi_package"),
        (lambda: pypi_package(repository="a/b"), "pypi_package"),
        (lambda: pypi_package(workflow="w"), "pypi_package"),
        (lambda: pypi_package(repository="a/b", workflow="w", publisher=PERSON), "pypi_package"),
        (lambda: pypi_package(publisher=PERSON, ref="refs/tags/v*"), "pypi_package"),
        (lambda: verification_summary(verifier="v", resource="", level="L", signed_by="k"), None),
        (lambda: verification_summary(verifier="v", resource="r", level="", signed_by="k"), None),
        (lambda: verification_summary(verifier="v", resource="r", level=[], signed_by="k"), None),
        (lambda: oms_model(signed_by=""), "Identity: key"),
        (lambda: trained_model(**MODEL, at_least="0.9"), None),
        (lambda: trained_model(**MODEL, quality="q", at_least="0.9"), None),
        (lambda: trained_model(**MODEL, metric="accuracy", at_least="0.9"), None),
        (lambda: trained_model(**MODEL, quality="q", metric="accuracy"), None),
        (lambda: trained_model(**MODEL, quality="q", metric="a", at_least="NaN"), None),
        (lambda: trained_model(**MODEL, version_at_least="latest"), None),
        (lambda: trained_model(trainer="t", builder="*", data="d", code="c"), None),
    ],
)
def test_what_makes_no_policy_is_refused(make: Callable[[], Policy], where: str | None) -> None:
    with pytest.raises(PolicyRefused) as refused:
        make()
    assert refused.value.code == "malformed.policy"
    assert refused.value.where == where if where is not None else ": " in refused.value.where


@pytest.mark.parametrize(
    ("name", "words", "where"),
    [
        ("slsa-build", {"builders": ["{a: b", "c"]}, "builders"),
        ("slsa-build", {"builders": ["[a]"]}, "builders"),
        ("slsa-build", {"builders": ["{a: [b]}"]}, "builders"),
        ("slsa-build", {"builders": ["{a: {issuer: b}}"]}, "builders: Identity"),
        ("slsa-build", {"builders": ["{a: b}", "{a: c}"]}, "slsa-build: builders"),
        ("slsa-build", {"builders": ["{a: b}"], "level": ["high"]}, "level"),
        ("slsa-build", {"builders": ["{a: b}"], "level": ["1", "2"]}, "slsa-build: level"),
        ("oms-model", {"signed_by": ["a", "b"]}, "oms-model: signed_by"),
    ],
)
def test_words_that_cannot_be_read_are_refused_by_their_name(
    name: str, words: dict[str, list[str]], where: str
) -> None:
    with pytest.raises(MalformedError) as refused:
        READY[name].made(words)
    assert refused.value.kind == "policy"
    assert refused.value.where.startswith(where)


# --- a model, from evidence of our own -------------------------------------------------------------------------------


def of_model(evidence: Any = None, **changes: Any) -> Report:
    """What comes of the honest chain of the tests, with its model's record."""
    chain = honest()
    made: dict[str, Any] = {
        "trainer": "trainer",
        "builder": BUILDER,
        "data": "data-team",
        "code": "developer",
        "times": "claimed",
    }
    made |= changes
    policy = trained_model(**made)
    record = attest(chain.model, ModelRecord(name="m", version="2.0"), signer=signer("trainer"))
    trust = trust_of("trainer", "data-team", "developer", "lab", "other")
    return assess(chain.model, (*chain.evidence, record) if evidence is None else evidence, policy=policy, trust=trust)


def refusal(report: Report) -> tuple[str, str]:
    assert not report.accepted
    assert report.cause is not None
    return report.cause.code, report.cause.rule


def test_a_trained_model_is_accepted_with_its_data_and_its_code() -> None:
    report = of_model()
    assert report.accepted, report.to_text()
    assert report.depth == "transitive"


@pytest.mark.parametrize(
    ("changed", "code", "rule"),
    [
        ({"trainer": "other"}, "policy.signed-by", "nodes.model.signed_by"),
        ({"data": "other"}, "policy.signed-by", "nodes.dataset.signed_by"),
        ({"code": "other"}, "policy.signed-by", "nodes.code.signed_by"),
        ({"builder": "https://ci.example/other"}, "policy.expect", "nodes.model.expect.builder"),
        ({"build_type": "https://ci.example/other"}, "policy.expect", "nodes.model.expect.build_type"),
        ({"source": "https://github.com/acme/other"}, "policy.expect", "nodes.model.expect.source"),
        ({"version_at_least": "2.1"}, "policy.expect", "nodes.model.expect.version_at_least"),
        ({"quality": "lab"}, "chain.no-attestation", "nodes.model"),
        ({"max_age": "1s"}, "policy.max-age", "nodes.model.max_age"),
        ({"dependencies": "other"}, "", ""),
    ],
)
def test_a_trained_model_is_refused_for_each_single_deviation(changed: dict[str, Any], code: str, rule: str) -> None:
    report = of_model(**changed)
    if not code:  # the honest run names no dependency, so nobody is asked for one
        assert report.accepted
    else:
        assert refusal(report) == (code, rule)


def test_a_trained_model_needs_every_statement_and_no_weights_come_in_unattested() -> None:
    chain = honest()
    record = attest(chain.model, ModelRecord(name="m", version="2.0"), signer=signer("trainer"))
    everything = (*chain.evidence, record)
    for left in everything:
        assert refusal(of_model([each for each in everything if each is not left]))[0] == "chain.no-attestation"
    for role in ("checkpoint", "baseModel"):
        inputs = [
            used(chain.data, "dataset"),
            used(chain.code, "code", f"{REPOSITORY}@{COMMIT}"),
            used(chain.data, role),
        ]
        run = run_record(chain.model, *inputs)
        assert refusal(of_model((run, record, chain.record, chain.source))) == ("chain.no-rule", f"nodes.{role}")


def test_an_evaluation_must_reach_its_bound() -> None:
    chain = honest()
    record = attest(chain.model, ModelRecord(name="m", version="2.0"), signer=signer("trainer"))

    def measured(value: str) -> Report:
        dataset = ResourceReference(name="holdout", digest={"dirHash": "0" * 64})
        said = EvaluationRecord(metrics=(Metric(name="accuracy", value=value),), dataset=dataset)
        made = attest(chain.model, said, signer=signer("lab"))
        bound = {"quality": "lab", "metric": "accuracy", "at_least": "0.95"}
        return of_model((*chain.evidence, record, made), **bound)

    assert measured("0.95").accepted
    assert refusal(measured("0.949999")) == ("policy.expect", "nodes.model.expect.at_least")


# --- a verification summary ------------------------------------------------------------------------------------------

SUMMARY: Mapping[str, Any] = {
    "verifier": "https://verifier.example",
    "resource": "pkg:generic/penguins@1.0",
    "level": "SLSA_BUILD_LEVEL_2",
    "signed_by": "verifier",
    "kind": "model",
    "times": "claimed",
}


@pytest.mark.parametrize(
    ("changed", "code", "rule"),
    [
        ({}, "", ""),
        ({"level": "SLSA_BUILD_LEVEL_1"}, "", ""),
        ({"level": "SLSA_BUILD_LEVEL_3"}, "policy.expect", "expect.level"),
        ({"level": ("SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_1")}, "policy.expect", "expect.level"),
        ({"verifier": "https://other.example"}, "policy.expect", "expect.verifier"),
        ({"resource": "pkg:generic/penguins@1.1"}, "policy.expect", "expect.resource"),
        ({"signed_by": "other"}, "policy.signed-by", "signed_by"),
        ({"policy": "https://verifier.example/other"}, "policy.expect", "expect.policy"),
        ({"policy_digest": "sha256:" + "1" * 64}, "policy.expect", "expect.policy_digest"),
        ({"kind": "file"}, "chain.no-rule", ""),
    ],
)
def test_a_verification_summary_is_refused_for_each_single_deviation(
    changed: dict[str, Any], code: str, rule: str
) -> None:
    chain = honest()
    said = VerificationSummary(
        verifier_id="https://verifier.example",
        resource_uri="pkg:generic/penguins@1.0",
        result="PASSED",
        levels=("SLSA_BUILD_LEVEL_2",),
        policy=_policy_resource(),
        time_verified=None,
    )
    made = attest(chain.model, said, signer=signer("verifier"))
    policy = verification_summary(**{**SUMMARY, **changed})
    report = assess(chain.model, made, policy=policy, trust=trust_of("verifier", "other"))
    if not code:
        assert report.accepted, report.to_text()
    else:
        assert refusal(report)[0] == code
        assert refusal(report)[1] in (f"nodes.model.{rule}", "nodes.model")


def _policy_resource() -> Any:
    from glasswing_attest.artifact.digest import DigestSet
    from glasswing_attest.statement.resource import ResourceDescriptor

    return ResourceDescriptor(uri="https://verifier.example/policy", digest=DigestSet.of(sha256="0" * 64))


# --- writing ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(10**15), 10**15) | TEXTS,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3),
    max_leaves=8,
)
TRICKY: tuple[str, ...] = (
    *("yes", "null", "~", "1", "1.0", "0x10", "2026-01-01", "a: b", "a #b", "- a", "{", "*a", "&a", "!a", "a,b", "|"),
    *("'", '"', "\\", "é", "😀", "\u2028", "\x85", "\ufeff", "\x00", "\x7f", "a:", ":", "=", "<<", "@x", "`x", "a "),
)


@given(
    name=TEXTS | st.sampled_from(TRICKY),
    key=TEXTS | st.sampled_from(TRICKY),
    reason=TEXTS | st.sampled_from(TRICKY),
    identity=TEXTS | st.sampled_from(TRICKY),
    value=VALUES,
)
def test_any_policy_is_written_so_that_it_reads_as_the_same(
    name: str, key: str, reason: str, identity: str, value: Any
) -> None:
    policy = Policy.model_validate(
        {
            "version": 1,
            "name": name,
            "expires": "2027-01-01T00:00:00Z",
            "identities": {identity: {"key": key}},
            "nodes": {
                "model": {
                    "require": [
                        {
                            "as": name,
                            "predicate": "https://slsa.dev/provenance/v1",
                            "signed_by": {"any_of": [identity]},
                            "expect": {"builder": "https://b", "parameters": {"equal": {"a.b": value}}},
                        }
                    ]
                },
                "tool": {"trim": {"reason": reason, "until": "2027-01-01T00:00:00Z"}},
            },
        }
    )
    notes = {"identities": "who\n\nsigns", "nodes.*": "what", "nodes.tool.trim": "cut", "nodes.image": "nowhere"}
    text = to_yaml(policy, head=f"read me\nfirst\n{name}", notes=notes)
    assert Policy.parse(text.encode()).digest == policy.digest
    assert text.startswith("# read me\n# first\n#")
    assert "\nversion: 1\n" in text
    assert text.isprintable() or all(line.isprintable() for line in text.split("\n"))
    assert "# nowhere" not in text


def test_kinds_that_are_not_asked_about_are_cut_in_so_many_words() -> None:
    for policy, kind in (
        (slsa_build(builders={"https://a": "ci"}, kind="image"), "image"),
        (github_release(repository="a/b"), "file"),
        (npm_package(repository="a/b", workflow="w.yml"), "file"),
    ):
        assert {name for name, rule in policy.nodes.items() if rule.trim is not None} == {*ROLES} - {kind}
        assert policy.nodes[kind].alternatives
    key = KeySigner.generate("ed25519").public_key
    bare = Manifest.declared("file", {"sha256": "0" * 64})
    policy = slsa_build(builders={"https://a": "ci"}, times="claimed").model_copy(update={"declared": "allow"})
    assert refusal(assess(bare, (), policy=policy, trust=Trust.of(ci=key))) == ("chain.no-attestation", "nodes.file")
