"""Who built it, how, and up to which level is that believed?"""

from typing import Any

from tests.attacks.corpus import Pair, Question, attack
from tests.attacks.site import (
    CODE,
    INPUTS,
    MODEL,
    PROVENANCE,
    RECORD,
    RUN,
    SOURCE,
    alone,
    by,
    forged,
    instead,
    question,
    run,
    summarised,
    summary,
)
from tests.chains import BUILD_TYPE, BUILDER, COMMIT, REPOSITORY, provenance, used

MODEL_RULE = "nodes.model"
BUILT: dict[str, Any] = {"code": "policy.expect", "subject": "model model"}


@attack("Builder impersonation", code="policy.signed-by", rule="nodes.model.signed_by", subject="model model")
def name_of_the_builder_by_another_key() -> Pair:
    """A key that is trusted for code claims to be the builder."""
    return question(), question(*instead(RUN, run(by="developer")))


@attack(
    "Builder impersonation",
    **BUILT,
    rule="nodes.model.expect.builder",
    variants={
        "slash": f"{BUILDER}/",
        "longer": f"{BUILDER}-dev",
        "upper-case": BUILDER.upper(),
        "port": "https://ci.example:443/trainer",
        "dots": "https://ci.example/x/../trainer",
        "percent": "https://ci.example/%74rainer",
        "version": f"{BUILDER}@v1",
        "look-alike": BUILDER.replace("a", "\N{CYRILLIC SMALL LETTER A}"),
        "invisible": f"{BUILDER}\N{ZERO WIDTH SPACE}",
        "line-feed": f"{BUILDER}\n",
        "pattern": "https://ci.example/*",
    },
)
def another_builder_of_the_trusted_key(builder: str) -> Pair:
    """The trusted key signs for a builder whose name is almost the wanted one."""
    return question(), question(*instead(RUN, run(builder_id=builder)))


def at_level(level: int, builder: str, signers: list[str], **expect: Any) -> dict[str, Any]:
    """A policy that wants level 3 of whoever signs, and believes one pair so far."""
    wanted = {
        **PROVENANCE,
        "signed_by": by("trainer", "developer"),
        "expect": {"builder": builder, "level": 3, **expect},
    }
    pair = {"id": "https://ci.example/trainer", "signed_by": signers, "level": level}
    return alone(wanted, builders=[pair])


@attack("Builder impersonation", **BUILT, rule="nodes.model.expect.level")
def level_of_another_signer() -> Pair:
    """The builder is believed at level 3 for one signer; another one, trusted too, signs for it."""
    asked = at_level(3, BUILDER, ["trainer"])
    return question(RUN, policy=asked), question(run(by="developer"), policy=asked)


@attack("Builder impersonation", **BUILT, rule="nodes.model.expect.level")
def level_of_another_builder() -> Pair:
    """The signer is believed at level 3 for one builder, and signs for another one."""
    asked = at_level(3, "https://ci.example/*", ["trainer"])
    return question(RUN, policy=asked), question(run(builder_id="https://ci.example/laptop"), policy=asked)


@attack("Builder impersonation", **BUILT, rule="nodes.model.expect.level")
def level_by_its_own_word() -> Pair:
    """The provenance says of itself that it is of level 3."""
    asked = at_level(3, "https://ci.example/*", ["trainer"])
    said: dict[str, Any] = provenance(*INPUTS, builder_id="https://ci.example/laptop").to_predicate()
    said["slsaBuildLevel"] = "SLSA_BUILD_LEVEL_3"
    said["runDetails"]["builder"]["level"] = 3
    boast = forged({"name": "model", "digest": MODEL.digests.to_dict()}, PROVENANCE["predicate"], said)
    return question(RUN, policy=asked), question(boast, policy=asked)


@attack(
    "Builder impersonation",
    **BUILT,
    rule="nodes.model.expect.build_type",
    variants={"other": "https://ci.example/shell/v1", "slash": f"{BUILD_TYPE}/", "upper-case": BUILD_TYPE.upper()},
)
def another_way_of_building(build_type: str) -> Pair:
    """The builder runs whatever it is told to, which is another build type."""
    return question(), question(*instead(RUN, run(build_type=build_type)))


# --- parameters ------------------------------------------------------------------------------------------------------

EXPECTED = {"equal": {"config": "base.yaml", "seed": 7}, "allow": ["note", "steps[0]"]}


def with_parameters(**changes: Any) -> Question:
    """A run whose parameters are expected."""
    told = {name: value for name, value in {"config": "base.yaml", "seed": 7, **changes}.items() if value is not ...}
    asked = alone({**PROVENANCE, "expect": {"builder": BUILDER, "parameters": EXPECTED}})
    return question(run(external_parameters=told), policy=asked)


@attack(
    "Incomplete materials",
    **BUILT,
    rule="nodes.model.expect.parameters.{variant}",
    variants={name: name for name in ("extra", "Config", "configs", "Note", "constructor")},
)
def parameter_that_nobody_expected(name: str) -> Pair:
    """The run was told to fetch something else as well, by a parameter whose name may be almost an expected one."""
    return with_parameters(note="x"), with_parameters(**{name: "https://evil.example/data"})


@attack("Incomplete materials", **BUILT, rule="nodes.model.expect.parameters['\N{CYRILLIC SMALL LETTER ES}onfig']")
def parameter_that_looks_like_another() -> Pair:
    """Beside the expected parameter stands one that reads like it, and which the build may take for it."""
    other = {"\N{CYRILLIC SMALL LETTER ES}onfig": "evil.yaml"}
    return with_parameters(), with_parameters(**other)


@attack("Incomplete materials", **BUILT, rule="nodes.model.expect.parameters.steps[1]")
def parameter_that_is_empty_within_a_list() -> Pair:
    """An item that is empty is one all the same: of a list, each place says something."""
    return with_parameters(steps=[]), with_parameters(steps=[{}, ""])


@attack(
    "Incomplete materials",
    **BUILT,
    rule="nodes.model.expect.parameters.config",
    variants={"other": "evil.yaml", "list": ["base.yaml"], "absent": ..., "null": None, "empty": ""},
)
def parameter_of_another_value(value: object) -> Pair:
    """A parameter that decides what is built is another one, or is left to its default."""
    return with_parameters(), with_parameters(config=value)


@attack(
    "JSON differential",
    **BUILT,
    rule="nodes.model.expect.parameters.seed",
    variants={"text": "7", "list": [7], "half-more": 7.5},
)
def parameter_of_another_type(value: object) -> Pair:
    """A parameter that is equal for whoever compares loosely."""
    return with_parameters(), with_parameters(seed=value)


@attack("Incomplete materials", **BUILT, rule="nodes.model.expect.parameters['no.te']")
def parameter_named_like_a_path() -> Pair:
    """A dot in a name passes for a step into what is allowed."""
    return with_parameters(note="x"), with_parameters(**{"no.te": "x"})


# --- source ----------------------------------------------------------------------------------------------------------

WORKFLOW = "https://actions.github.io/buildtypes/workflow/v1"


def built_from(repository: str = "https://github.com/acme/train", ref: str = "refs/tags/v1.0") -> Question:
    """A run of a GitHub workflow, whose source the policy names."""
    external = {"workflow": {"repository": repository, "ref": ref, "path": ".github/workflows/train.yml"}}
    expect = {"builder": BUILDER, "source": "https://github.com/acme/train", "ref": "refs/tags/v*"}
    made = run(build_type=WORKFLOW, external_parameters=external)
    return question(made, policy=alone({**PROVENANCE, "expect": expect}))


@attack(
    "Cross-tenant replay",
    **BUILT,
    rule="nodes.model.expect.source",
    variants={
        "fork": "https://github.com/mallory/train",
        "longer": "https://github.com/acme/train-evil",
        "host": "https://github.com.evil.example/acme/train",
        "user": "https://github.com@evil.example/acme/train",
        "backslash": "https://evil.example\\@github.com/acme/train",
        "dots": "https://github.com/acme/train/../../mallory/train",
        "look-alike": "https://github.com/\N{CYRILLIC SMALL LETTER A}cme/train",
        "upper-case": "https://github.com/Acme/train",
        "port": "https://github.com:8443/acme/train",
        "slashes": "https://github.com//acme/train",
        "percent": "https://github.com/acme%2Ftrain",
        "twice-git": "https://github.com/acme/train.git.git",
        "query": "https://github.com/mallory/train?https://github.com/acme/train",
        "fragment": "https://github.com/mallory/train#https://github.com/acme/train",
        "revision": "git+https://github.com/mallory/train@https://github.com/acme/train",
        "line-feed": "https://github.com/acme/train\n",
        "file": "file://github.com/acme/train",
        "no-scheme": "github.com/acme/train",
        "other-scheme": "oci://github.com/acme/train",
        "empty": "",
    },
)
def built_from_another_repository(repository: str) -> Pair:
    """The builder is the wanted one, and was told to build something else."""
    return built_from(), built_from(repository=repository)


@attack(
    "Cross-tenant replay",
    **BUILT,
    rule="nodes.model.expect.ref",
    variants={"branch": "refs/heads/main", "slash": "refs/tags/v1/x", "bare": "v1.0", "empty": ""},
)
def built_from_another_ref(ref: str) -> Pair:
    """The repository is the wanted one, and the branch or tag is not."""
    return built_from(), built_from(ref=ref)


@attack(
    "Cross-tenant replay",
    code="policy.expect",
    rule="nodes.code.expect.resource",
    subject="code code",
    variants={
        "fork": "git+https://github.com/mallory/train",
        "longer": f"{REPOSITORY}-evil",
        "slash": f"{REPOSITORY}/",
        "suffix": f"{REPOSITORY}.git",
        "upper-case": REPOSITORY.upper(),
        "user": REPOSITORY.replace("https://", "https://acme@"),
        "fragment": f"{REPOSITORY}#fork",
    },
)
def summary_of_a_fork(resource: str) -> Pair:
    """The same commit lies in a fork, for which there is a valid summary; or in a place that is called almost so."""
    asked = summarised()
    other = summary(resourceUri=resource)
    return question(*instead(SOURCE, summary()), policy=asked), question(*instead(SOURCE, other), policy=asked)


@attack("Cross-tenant replay", code="chain.scope", rule="nodes.code", subject="code code")
def summary_for_another_run() -> Pair:
    """The policy asks for the fork's summary, but the run says that it used the repository."""
    fork = "git+https://github.com/mallory/train"
    asked = summarised(fork)
    summed = summary(resourceUri=fork)
    from_fork = run(INPUTS[0], used(CODE, "code", f"{fork}@{COMMIT}"))
    honest = question(*instead(SOURCE, summed, among=(from_fork, RECORD, SOURCE)), policy=asked)
    return honest, question(*instead(SOURCE, summed), policy=asked)


@attack(
    "Cross-tenant replay",
    code="policy.expect",
    rule="nodes.code.expect.level",
    subject="code code",
    variants={
        "lower": ["SLSA_SOURCE_LEVEL_2"],
        "other-track": ["SLSA_BUILD_LEVEL_3"],
        "none": [],
        "longer": ["SLSA_SOURCE_LEVEL_30"],
        "unevaluated": ["SLSA_SOURCE_LEVEL_UNEVALUATED"],
        "lower-case": ["slsa_source_level_3"],
        "other-digits": ["SLSA_SOURCE_LEVEL_\N{ARABIC-INDIC DIGIT THREE}"],
        "blank": ["SLSA_SOURCE_LEVEL_3 "],
        "joined": ["SLSA_SOURCE_LEVEL_2, SLSA_SOURCE_LEVEL_3"],
        "negative": ["SLSA_SOURCE_LEVEL_-3"],
        "own": ["ACME_SLSA_SOURCE_LEVEL_3"],
    },
)
def summary_of_a_lower_level(levels: list[str]) -> Pair:
    """The summary passed, for less than is asked."""
    asked = summarised(level="SLSA_SOURCE_LEVEL_3")
    return (
        question(*instead(SOURCE, summary()), policy=asked),
        question(*instead(SOURCE, summary(verifiedLevels=levels)), policy=asked),
    )


@attack(
    "Mix and match",
    code="policy.expect",
    rule="nodes.code.expect.policy_digest",
    subject="code code",
    variants={"other": {"sha256": "2" * 64}, "absent": {}, "weak": {"sha1": "1" * 40}},
)
def summary_under_another_policy(digest: dict[str, str]) -> Pair:
    """The verifier passed it under another policy of the same name."""
    asked = summarised(policy_digest="sha256:" + "1" * 64)

    def under(digest: dict[str, str]) -> bytes:
        return summary(policy={"uri": "https://scs.example/verifier/policy", "digest": digest})

    return (
        question(*instead(SOURCE, under({"sha256": "1" * 64})), policy=asked),
        question(*instead(SOURCE, under(digest)), policy=asked),
    )
