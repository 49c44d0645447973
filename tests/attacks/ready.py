"""Do the ready policies refuse what their users would not have? Each with evidence as it is made for it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from glasswing_attest import ModelRecord, Policy, Trust, attest
from glasswing_attest.artifact.file import Blob
from glasswing_attest.policies import (
    github_release,
    npm_package,
    oms_model,
    pypi_package,
    slsa_build,
    trained_model,
    verification_summary,
)
from glasswing_attest.records import EvaluationRecord, Metric, ResourceReference
from glasswing_attest.statement.predicates.oms import OMS_V1, ModelSignature, OmsResource
from glasswing_attest.statement.predicates.publish import NPM_PUBLISH_V01, PYPI_PUBLISH_V1
from glasswing_attest.testing import Holder
from glasswing_attest.trust.root import TrustedKey, Witness
from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    CODE,
    DATA,
    EVIDENCE,
    INPUTS,
    MALLORY,
    MODEL,
    POISON,
    RUN,
    digests,
    forged,
    instead,
    key,
    question,
    run,
    said,
    summary,
    trusted,
    watched,
)
from tests.chains import BUILDER, FINISHED, Said, provenance, sha256, used

WHEEL = Blob(b"wheel", name="acme_train-1.0-py3-none-any.whl").measure()
HOME = "https://github.com/acme/train"
IDS: Mapping[str, str] = {"repository_id": "4711", "owner_id": "42"}
WORKFLOW = f"{HOME}/.github/workflows/release.yml@refs/tags/v1.0"
ACTIONS = "https://actions.github.io/buildtypes/workflow/v1"
NPM = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
RUNNER = "https://github.com/actions/runner/github-hosted"
FILE: dict[str, Any] = {"subject": f"file {WHEEL.name}"}
MODEL_ROOT: dict[str, Any] = {"subject": "model model"}


def asked(policy: Policy, *evidence: bytes, about: Any = WHEEL, trust: Trust | None = None) -> Question:
    """The question under a ready policy."""
    plain = json.loads(policy.to_json())
    return question(*evidence, artifact=digests(about), policy=plain, trust=trust or watched(keyless=True).trust())


def built(
    *,
    build_type: str = ACTIONS,
    repository: str = HOME,
    ref: str = "refs/tags/v1.0",
    builder: str = WORKFLOW,
    external: Mapping[str, Any] | None = None,
) -> Any:
    """Provenance as a GitHub workflow writes it."""
    workflow = {"repository": repository, "ref": ref, "path": ".github/workflows/release.yml"}
    return provenance(
        used(CODE, None, f"git+{repository}@{ref}"),
        build_type=build_type,
        builder_id=builder,
        external_parameters={"workflow": workflow, **(external or {})},
    )


def by_workflow(predicate: Any, repository: str = "acme/train", *, about: Any = WHEEL, **claims: Any) -> bytes:
    """What a workflow run attests, with a certificate of the Sigstore."""
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    holder = Holder.github(repository, **{"ref": "refs/tags/v1.0", **IDS, **claims})
    return attest(about, predicate, signer=site.sigstore.signer(holder, log="v2")).bytes


# --- GitHub -----------------------------------------------------------------------------------------------------------

RELEASE = github_release(repository="acme/train", repository_id=4711, owner_id=42)


def github(made: bytes) -> Question:
    """Is it a release of the repository?"""
    return asked(RELEASE, made)


@attack(
    "Cross-tenant replay",
    code="policy.signed-by",
    rule="nodes.file.signed_by",
    **FILE,
    variants={
        "fork": ("mallory/train", {"repository_id": "9", "owner_id": "9"}),
        "name-taken-over": ("acme/train", {"repository_id": "9999"}),
        "owner-taken-over": ("acme/train", {"owner_id": "9999"}),
        "branch": ("acme/train", {"ref": "refs/heads/main"}),
        "self-hosted": ("acme/train", {"runner": "self-hosted"}),
        "other-issuer": ("acme/train", {"issuer": "https://gitlab.example"}),
    },
)
def github_release_by_another_run(who: tuple[str, dict[str, Any]]) -> Pair:
    """Ready policy `github_release`: a workflow run that is no release of this repository."""
    return github(by_workflow(built())), github(by_workflow(built(), who[0], **who[1]))


@attack(
    "Builder impersonation",
    code="policy.expect",
    rule="nodes.file.expect.{variant}",
    **FILE,
    variants={
        "builder": {"builder": "https://github.com/mallory/train/.github/workflows/release.yml@refs/tags/v1.0"},
        "source": {"repository": "https://github.com/mallory/train"},
        "ref": {"ref": "refs/heads/main"},
        "parameters.inputs.url": {"external": {"inputs": {"url": "https://evil.example"}}},
    },
)
def github_release_that_says_otherwise(changes: dict[str, Any]) -> Pair:
    """Ready policy `github_release`: the right workflow run signs for something else."""
    return github(by_workflow(built())), github(by_workflow(built(**changes)))


@attack("Builder impersonation", code="policy.signed-by", rule="nodes.file.signed_by", **FILE)
def github_release_of_a_lower_level() -> Pair:
    """Ready policy `github_release`: level 3 is asked for, and the repository's own workflow signs."""
    shared = "https://github.com/acme/builders/.github/workflows/build.yml@refs/tags/v1"
    policy = github_release(repository="acme/train", level=3, reusable=shared.removeprefix("https://github.com/"))
    claims = {**Holder.github("acme/train", ref="refs/tags/v1.0", **IDS).claims, "build_signer_uri": shared}
    reusable = Holder(san=shared, issuer="https://token.actions.githubusercontent.com", claims=claims)
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    signer = site.sigstore.signer(reusable, log="v2")
    honest = attest(WHEEL, built(builder=shared), signer=signer).bytes
    return asked(policy, honest), asked(policy, by_workflow(built(builder=shared)))


# --- registries -------------------------------------------------------------------------------------------------------

NPM_POLICY = npm_package(repository="acme/train", workflow="release.yml", **IDS, ref="refs/tags/v*")
NPM_BUILT = built(build_type=NPM, builder=RUNNER)


@cache
def _npm_trust() -> Trust:
    witness = Witness(root="public", logs=1, times=1)
    roots = watched(keyless=True).trust().roots
    return Trust(roots=roots, keys=(TrustedKey(name="npm", key=key("npm").public_key, witness=witness),))


def published(name: str = "npm", about: Any = WHEEL, **how: Any) -> bytes:
    """The registry's word that it has the package."""
    site = watched(keyless=True)
    site.sigstore.clock.set(FINISHED)
    body = {"name": "train", "version": "1.0.0", "registry": "https://registry.example"}
    signer = site.sigstore.signer(key(name), log="v2", **how)
    return attest(about, Said(predicate_type=NPM_PUBLISH_V01, body=body), signer=signer).bytes


def npm(*evidence: bytes) -> Question:
    """Is it the npm package of the repository?"""
    return asked(NPM_POLICY, *evidence, trust=_npm_trust())


@attack(
    "Removed evidence", code="chain.no-attestation", rule="nodes.file", **FILE, variants={"built": 0, "published": 1}
)
def npm_package_without(kept: int) -> Pair:
    """Ready policy `npm_package`: one of the two attestations is not served."""
    both = (published(), by_workflow(NPM_BUILT))
    return npm(*both), npm(both[kept])


@attack("Self-asserted trust", code="verification.key-untrusted", rule="nodes.file", **FILE)
def npm_package_of_another_registry() -> Pair:
    """Ready policy `npm_package`: somebody else's registry has the package."""
    made = by_workflow(NPM_BUILT)
    return npm(published(), made), npm(published(MALLORY), made)


@attack(
    "Cross-tenant replay",
    code="policy.signed-by",
    rule="nodes.file.signed_by",
    **FILE,
    variants={
        "fork": ("mallory/train", {"repository_id": "9", "owner_id": "9"}),
        "name-taken-over": ("acme/train", {"repository_id": "9999"}),
        "other-workflow": ("acme/train", {"workflow": "test.yml"}),
        "branch": ("acme/train", {"ref": "refs/heads/main"}),
    },
)
def npm_package_by_another_run(who: tuple[str, dict[str, Any]]) -> Pair:
    """Ready policy `npm_package`: the registry has it from somebody else's workflow."""
    return npm(published(), by_workflow(NPM_BUILT)), npm(published(), by_workflow(NPM_BUILT, who[0], **who[1]))


@attack("Cross-tenant replay", code="policy.expect", rule="nodes.file.expect.source", **FILE)
def npm_package_of_another_source() -> Pair:
    """Ready policy `npm_package`: the workflow built it from another repository."""
    other = built(build_type=NPM, builder=RUNNER, repository="https://github.com/mallory/train")
    return npm(published(), by_workflow(NPM_BUILT)), npm(published(), by_workflow(other))


PYPI_POLICY = pypi_package(repository="acme/train", workflow="release.yml", **IDS, project="Acme.Train")
PUBLISHED = Said(predicate_type=PYPI_PUBLISH_V1, body={})


def pypi(*evidence: bytes, about: Any = WHEEL) -> Question:
    """Is it the PyPI package of the publisher?"""
    return asked(PYPI_POLICY, *evidence, about=about)


@attack(
    "Cross-tenant replay",
    code="policy.signed-by",
    rule="nodes.file.signed_by",
    **FILE,
    variants={
        "fork": ("mallory/train", {"repository_id": "9", "owner_id": "9"}),
        "name-taken-over": ("acme/train", {"repository_id": "9999"}),
        "other-workflow": ("acme/train", {"workflow": "test.yml"}),
    },
)
def pypi_package_by_another_publisher(who: tuple[str, dict[str, Any]]) -> Pair:
    """Ready policy `pypi_package`: another publisher uploaded it."""
    return pypi(by_workflow(PUBLISHED)), pypi(by_workflow(PUBLISHED, who[0], **who[1]))


@attack("Mix and match", code="policy.where", rule="nodes.file.where", subject="file other_project-1.0.tar.gz")
def pypi_package_of_another_project() -> Pair:
    """Ready policy `pypi_package`: the publisher's file of another project is served."""
    other = Blob(b"other", name="other_project-1.0.tar.gz").measure()
    return pypi(by_workflow(PUBLISHED)), pypi(by_workflow(PUBLISHED, about=other), about=other)


# --- SLSA -------------------------------------------------------------------------------------------------------------

CI = "https://ci.example/builder"
SLSA_POLICY = slsa_build(
    builders={CI: "trainer", "https://ci.example/other": "developer"},
    level=3,
    source=HOME,
    ref="refs/tags/v*",
    times="claimed",
)


def slsa(made: bytes) -> Question:
    """Is it a build of level 3?"""
    return asked(SLSA_POLICY, made, trust=trusted("trainer", "developer", "data-team"))


def slsa_run(name: str = "trainer", **changes: Any) -> bytes:
    """A build's provenance."""
    changes.setdefault("builder", CI)
    return said(WHEEL, built(**changes), name)


@attack(
    "Builder impersonation",
    code="policy.signed-by",
    rule="nodes.file.signed_by",
    **FILE,
    variants={"another-builders": "developer", "nobodys": "data-team"},
)
def slsa_build_by_another_signer(name: str) -> Pair:
    """Ready policy `slsa_build`: somebody signs for a builder for which he is not believed."""
    return slsa(slsa_run()), slsa(slsa_run(name))


@attack(
    "Builder impersonation",
    code="policy.expect",
    rule="nodes.file.expect.{variant}",
    **FILE,
    variants={
        "builder": {"builder": "https://ci.example/laptop"},
        "source": {"repository": "https://github.com/mallory/train"},
        "ref": {"ref": "refs/heads/main"},
    },
)
def slsa_build_that_says_otherwise(changes: dict[str, Any]) -> Pair:
    """Ready policy `slsa_build`: the signer signs for another builder, source or branch."""
    return slsa(slsa_run()), slsa(slsa_run(**changes))


RESOURCE = "pkg:generic/train@1.0"
SUMMARY_POLICY = verification_summary(
    verifier="https://scs.example/verifier",
    resource=RESOURCE,
    level="SLSA_BUILD_LEVEL_3",
    signed_by="trainer",
    max_age="90d",
    times="claimed",
)


def summed(name: str = "trainer", **changes: Any) -> Question:
    """Has the verifier passed it?"""
    told = {"resourceUri": RESOURCE, "verifiedLevels": ["SLSA_BUILD_LEVEL_3"], **changes}
    return asked(SUMMARY_POLICY, summary(WHEEL, name, **told), trust=trusted("trainer", "developer"))


@attack(
    "Cross-tenant replay",
    code="policy.expect",
    rule="nodes.file.expect.{variant}",
    **FILE,
    variants={
        "resource": {"resourceUri": "pkg:generic/other@1.0"},
        "verifier": {"verifier": {"id": "https://me.example"}},
        "level": {"verifiedLevels": ["SLSA_BUILD_LEVEL_2"]},
        "result": {"verificationResult": "FAILED", "verifiedLevels": ["FAILED"]},
    },
)
def verification_summary_that_says_otherwise(changes: dict[str, Any]) -> Pair:
    """Ready policy `verification_summary`: a summary of the verifier, for something else or of a failure."""
    return summed(), summed(**changes)


@attack("Verifier self-attestation", code="policy.signed-by", rule="nodes.file.signed_by", **FILE)
def verification_summary_by_somebody_else() -> Pair:
    """Ready policy `verification_summary`: somebody else who is trusted signs in the verifier's name."""
    return summed(), summed("developer")


@attack("Freeze", code="policy.max-age", rule="nodes.file.max_age", **FILE)
def verification_summary_of_last_year() -> Pair:
    """Ready policy `verification_summary`: an old summary is served, from before something was known."""
    return summed(), summed(timeVerified="2025-01-02T02:00:00Z")


# --- models -----------------------------------------------------------------------------------------------------------

MODEL_POLICY = trained_model(
    trainer="trainer",
    builder=BUILDER,
    data="data-team",
    code="developer",
    quality="qa",
    metric="accuracy",
    at_least="0.9",
    version_at_least="2.0",
    times="claimed",
)
CARD = said(MODEL, ModelRecord(name="m", version="2.0"))


def quality(value: str = "0.95", name: str = "qa") -> bytes:
    """An evaluation of the model."""
    record = EvaluationRecord(
        metrics=(Metric(name="accuracy", value=value),),
        dataset=ResourceReference(name="penguins", digest=DATA.digests.to_dict()),
    )
    return said(MODEL, record, name)


TRAINED = (*EVIDENCE, CARD, quality())


def trained(*evidence: bytes) -> Question:
    """Is it the model, from its data and its code?"""
    return asked(MODEL_POLICY, *evidence, about=MODEL, trust=trusted("trainer", "data-team", "developer", "qa"))


@attack(
    "Removed evidence",
    code="chain.no-attestation",
    rule="nodes.model",
    **MODEL_ROOT,
    variants={"run": RUN, "record": CARD, "quality": TRAINED[-1]},
)
def trained_model_without(missing: bytes) -> Pair:
    """Ready policy `trained_model`: one statement about the model is not served."""
    return trained(*TRAINED), trained(*instead(missing, among=TRAINED))


@attack("Verifier self-attestation", code="policy.signed-by", rule="nodes.model.signed_by", **MODEL_ROOT)
def trained_model_that_its_trainer_judges() -> Pair:
    """Ready policy `trained_model`: the trainer evaluates his own model."""
    return trained(*TRAINED), trained(*TRAINED[:-1], quality(name="trainer"))


@attack("Suppression of FAILED", code="policy.expect", rule="nodes.model.expect.at_least", **MODEL_ROOT)
def trained_model_that_is_not_good_enough() -> Pair:
    """Ready policy `trained_model`: the figure is below the bound."""
    return trained(*TRAINED), trained(*TRAINED[:-1], quality("0.8999999999999999999999"))


@attack("Rollback", code="policy.expect", rule="nodes.model.expect.version_at_least", **MODEL_ROOT)
def trained_model_of_an_older_version() -> Pair:
    """Ready policy `trained_model`: an older version of the model is served."""
    older = said(MODEL, ModelRecord(name="m", version="1.9"))
    return trained(*TRAINED), trained(*instead(CARD, older, among=TRAINED))


@attack("Incomplete materials", code="policy.inputs", rule="nodes.model.inputs.dataset", **MODEL_ROOT)
def trained_model_of_no_data() -> Pair:
    """Ready policy `trained_model`: the run does not name its data."""
    return trained(*TRAINED), trained(*instead(RUN, run(INPUTS[1]), among=TRAINED))


@attack(
    "Role laundering",
    code="chain.no-rule",
    rule="nodes.{variant}",
    subject="{variant} penguins",
    variants={role: role for role in ("checkpoint", "baseModel")},
)
def trained_model_on_unattested_weights(role: str) -> Pair:
    """Ready policy `trained_model`: weights come in that nobody attested."""
    return trained(*TRAINED), trained(*instead(RUN, run(*INPUTS, used(POISON, role)), among=TRAINED))


@attack("Artifact substitution", code="verification.subject", rule="nodes.dataset", subject="dataset penguins")
def trained_model_on_other_data() -> Pair:
    """Ready policy `trained_model`: it was trained on other data than what is attested."""
    poisoned = run(used(POISON, "dataset"), INPUTS[1])
    return trained(*TRAINED), trained(*instead(RUN, poisoned, among=TRAINED))


OMS_POLICY = oms_model(signed_by="trainer", times="claimed")


def model_signature(name: str = "trainer", **changes: str) -> bytes:
    """An OpenSSF signature over the model's two files."""
    files = {"config.json": sha256(b"{}"), "model.safetensors": sha256(b"weights"), **changes}
    signature = ModelSignature(resources=tuple(OmsResource(name=n, digest=d) for n, d in files.items()))
    subject = {"name": "model", "digest": {"sha256": signature.root()}}
    return forged(subject, OMS_V1, signature.to_predicate(), name)


def oms(made: bytes) -> Question:
    """Is it the signed model?"""
    return asked(OMS_POLICY, made, about=MODEL, trust=trusted("trainer", "developer"))


@attack("Artifact substitution", code="verification.subject", rule="nodes.model", **MODEL_ROOT)
def oms_model_of_other_files() -> Pair:
    """Ready policy `oms_model`: the signature lists other weights."""
    return oms(model_signature()), oms(model_signature(**{"model.safetensors": sha256(b"weightz")}))


@attack("Verifier self-attestation", code="policy.signed-by", rule="nodes.model.signed_by", **MODEL_ROOT)
def oms_model_by_somebody_else() -> Pair:
    """Ready policy `oms_model`: somebody who is trusted with something else signed the model."""
    return oms(model_signature()), oms(model_signature("developer"))


HONEST: Mapping[str, Question] = {
    "github_release": github(by_workflow(built())),
    "npm_package": npm(published(), by_workflow(NPM_BUILT)),
    "oms_model": oms(model_signature()),
    "pypi_package": pypi(by_workflow(PUBLISHED)),
    "slsa_build": slsa(slsa_run()),
    "trained_model": trained(*TRAINED),
    "verification_summary": summed(),
}
"""For each ready policy, a question that it answers with yes."""
