"""Is a run believed as far as signer and builder are, from the expected source, with the expected parameters alone?"""

from typing import Any

import pytest

from glasswing_attest import Trust
from glasswing_attest.policy.paths import parse_path, write_path
from glasswing_attest.policy.rules.level import granted
from glasswing_attest.statement.predicates.provenance import PROVENANCE_V1
from glasswing_attest.statement.predicates.run import PROVENANCE_V01, PROVENANCE_V02
from tests.chains import signer
from tests.unit.policy.judging import judged, policy, refused, said

CI = "https://ci.example/trainer"
GITHUB = "https://actions.github.io/buildtypes/workflow/v1"


def run(
    builder: str = CI, *, build_type: str = "https://ci.example/t/v1", by: str = "signer", **definition: Any
) -> Any:
    said_ = {"buildType": build_type, "externalParameters": {}, **definition}
    return said(PROVENANCE_V1, {"buildDefinition": said_, "runDetails": {"builder": {"id": builder}}}, by=by)


def expecting(predicate: str = PROVENANCE_V1, *, builder: str = CI, **expect: Any) -> dict[str, Any]:
    return {"predicate": predicate, "expect": {"builder": builder, **expect}}


# --- builder and level -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "builder"),
    [
        ("https://ci.example/team-*/release", "https://ci.example/team-7/release"),
        ("https://ci.example/w.yml@refs/tags/v*", "https://ci.example/w.yml@refs/tags/v1.2"),
        (CI, CI),
    ],
)
def test_a_builder_by_its_pattern(pattern: str, builder: str) -> None:
    assert judged(run(builder), policy(expecting(builder=pattern))).accepted


@pytest.mark.parametrize(
    ("pattern", "builder"),
    [
        ("https://ci.example/*", "https://ci.example/team-7/release"),
        ("https://ci.example/*", "https://ci.example/x/"),
        ("https://ci.example/t*", "https://evil.example/https://ci.example/t1"),
        ("https://ci.example/w.yml@refs/tags/v*", "https://ci.example/w.yml@refs/tags/v1/../../heads/main"),
        (CI, CI + "/"),
        (CI, "https://CI.example/trainer"),
        ("https://ci.example/trainer", "https://ci.example/*"),
    ],
)
def test_a_builder_that_is_another(pattern: str, builder: str) -> None:
    cause = refused(run(builder), policy(expecting(builder=pattern)))
    assert (cause.code, cause.rule) == ("policy.expect", "nodes.model.expect.builder")
    assert (cause.found, cause.wanted) == (builder, pattern)


def builders(*pairs: tuple[str, list[str], int]) -> list[dict[str, Any]]:
    return [{"id": id_, "signed_by": names, "level": level} for id_, names, level in pairs]


ANY = {"signed_by": {"any_of": ["signer", "other"]}}


@pytest.mark.parametrize(
    ("pairs", "by", "level"),
    [
        ([], "signer", 1),
        ([(CI, ["signer"], 3)], "signer", 3),
        ([(CI, ["signer"], 3)], "other", 1),
        ([("https://ci.example/other", ["signer"], 3)], "signer", 1),
        ([(CI, ["signer"], 2), ("https://ci.example/*", ["signer", "other"], 3)], "other", 3),
        ([(CI, ["signer"], 3), (CI, ["signer"], 1)], "signer", 3),
        ([("https://*/trainer", ["signer"], 2)], "signer", 2),
        ([("https://ci.*", ["signer"], 3)], "signer", 1),
    ],
)
def test_the_level_follows_from_signer_and_builder(pairs: list[Any], by: str, level: int) -> None:
    for wanted in (1, 2, 3):
        rule = policy({**expecting(level=wanted), **ANY}, builders=builders(*pairs))
        report = judged(run(by=by), rule)
        assert report.accepted is (level >= wanted)
        if not report.accepted:
            assert report.cause is not None
            assert (report.cause.code, report.cause.rule) == ("policy.expect", "nodes.model.expect.level")
            assert report.cause.wanted == f"at least level {wanted}"
            assert report.cause.found.startswith(f"level {level}, for {CI} signed by {by} (key ")


def test_no_provenance_says_its_own_level() -> None:
    claims_it = said(
        PROVENANCE_V1,
        {
            "buildDefinition": {"buildType": "https://x/v1", "externalParameters": {}, "level": 3},
            "runDetails": {"builder": {"id": CI, "level": 3, "version": {"slsa": "3"}}},
        },
    )
    assert refused(claims_it, policy(expecting(level=2))).rule == "nodes.model.expect.level"


def test_a_signer_with_two_names_has_the_greater_level() -> None:
    twice = Trust.of({"signer": signer("signer").public_key, "other": signer("signer").public_key})
    rule = policy({**expecting(level=3), **ANY}, builders=builders((CI, ["signer"], 1), (CI, ["other"], 3)))
    assert judged(run(), rule, trust=twice).accepted


def test_what_is_no_run_has_no_level() -> None:
    rule = policy({"predicate": "https://example.com/x/v1"}, builders=builders((CI, ["signer"], 3)))
    report = judged(said("https://example.com/x/v1", {"runDetails": {"builder": {"id": CI}}}), rule)
    assert report.accepted
    assert [granted(claim, rule) for claim in report.claims] == [0]


# --- source ----------------------------------------------------------------------------------------------------------

REPOSITORY = "https://github.com/acme/train"


def workflow(repository: Any = REPOSITORY, ref: Any = "refs/tags/v1") -> dict[str, Any]:
    return {"workflow": {"repository": repository, "ref": ref, "path": ".github/workflows/release.yml"}}


@pytest.mark.parametrize(
    "wanted", [REPOSITORY, f"{REPOSITORY}.git", "git+ssh://git@github.com/acme/train", "git@github.com:acme/train"]
)
def test_a_source_however_it_is_written(wanted: str) -> None:
    rule = policy(expecting(source=wanted, ref="refs/tags/v*"))
    assert judged(run(build_type=GITHUB, externalParameters=workflow()), rule).accepted


@pytest.mark.parametrize(
    "repository",
    [
        "https://github.com/evil/train",
        "https://github.com/acme/train-2",
        "https://github.com/acme/train/../../evil/train",
        "https://github.com/Acme/train",
        "https://github.com@evil.example/acme/train",
        "https://evil.example\\@github.com/acme/train",
        "https://github.com/acme/train?x=1",
        " https://github.com/acme/train",
        "https://github.com/acme/tr\tain",
        "file:///acme/train",
        "acme/train",
        ["https://github.com/acme/train"],
        {"uri": "https://github.com/acme/train"},
        None,
        True,
        "",
    ],
)
def test_another_source(repository: Any) -> None:
    cause = refused(
        run(build_type=GITHUB, externalParameters=workflow(repository)), policy(expecting(source=REPOSITORY))
    )
    assert (cause.code, cause.rule, cause.wanted) == ("policy.expect", "nodes.model.expect.source", REPOSITORY)


@pytest.mark.parametrize(
    ("wanted", "ref"),
    [
        ("refs/tags/v*", "refs/heads/v1"),
        ("refs/tags/v*", "refs/tags/v1/x"),
        ("refs/tags/v1", "refs/tags/v1 "),
        ("refs/heads/main", "main"),
        ("refs/heads/*", ""),
        ("refs/heads/*", None),
        ("refs/heads/*", ["refs/heads/main"]),
    ],
)
def test_another_branch_or_tag(wanted: str, ref: Any) -> None:
    rule = policy(expecting(source=REPOSITORY, ref=wanted))
    cause = refused(run(build_type=GITHUB, externalParameters=workflow(ref=ref)), rule)
    assert (cause.code, cause.rule, cause.wanted) == ("policy.expect", "nodes.model.expect.ref", wanted)


def code(uri: str, digest: str = "c0ffee" + "0" * 34, role: str | None = "code") -> dict[str, Any]:
    annotations = {} if role is None else {"annotations": {"role": role}}
    return {"uri": uri, "digest": {"gitCommit": digest}, **annotations}


def test_where_the_build_type_says_nothing_it_is_the_repository_of_all_the_code() -> None:
    rule = policy(expecting(source=REPOSITORY, ref="refs/heads/main"))
    mine = code(f"git+{REPOSITORY}@refs/heads/main")
    assert judged(run(resolvedDependencies=[mine, code("https://x.example/y", role="tool")]), rule).accepted
    for dependencies in (
        [],
        [code(f"git+{REPOSITORY}@refs/heads/main", role=None)],
        [mine, code("git+https://github.com/evil/train@refs/heads/main", "ab" * 20)],
        [code("git+https://github.com/evil/train@refs/heads/main"), mine],
        [code("")],
    ):
        assert refused(run(resolvedDependencies=dependencies), rule).rule == "nodes.model.expect.source"


@pytest.mark.parametrize("other", [f"git+{REPOSITORY}@refs/heads/evil", f"git+{REPOSITORY}", f"{REPOSITORY}@c0ffee"])
def test_code_of_two_revisions_is_of_none(other: str) -> None:
    mine, theirs = code(f"git+{REPOSITORY}@refs/heads/main"), code(other, "ab" * 20)
    rule = policy(expecting(source=REPOSITORY, ref="refs/heads/main"))
    for dependencies in ([mine, theirs], [theirs, mine]):
        cause = refused(run(resolvedDependencies=dependencies), rule)
        assert (cause.code, cause.rule) == ("policy.expect", "nodes.model.expect.ref")
        assert cause.found == "no branch or tag"
        assert judged(run(resolvedDependencies=dependencies), policy(expecting(source=REPOSITORY))).accepted
    assert judged(run(resolvedDependencies=[mine, {**mine, "digest": {"gitCommit": "ab" * 20}}]), rule).accepted


def test_a_documented_source_is_not_made_up_for_by_a_dependency() -> None:
    decoy = [code(f"git+{REPOSITORY}@refs/tags/v1")]
    found = run(build_type=GITHUB, externalParameters={}, resolvedDependencies=decoy)
    assert refused(found, policy(expecting(source=REPOSITORY))).rule == "nodes.model.expect.source"


def v02(build_type: str, **invocation: Any) -> Any:
    return said(PROVENANCE_V02, {"builder": {"id": CI}, "buildType": build_type, "invocation": invocation})


def test_the_source_of_v02() -> None:
    rule = policy(expecting(PROVENANCE_V02, source=REPOSITORY, ref="refs/tags/v1"))
    configured = {"configSource": {"uri": f"git+{REPOSITORY}@refs/tags/v1", "entryPoint": "release.yml"}}
    assert judged(
        v02("https://github.com/slsa-framework/slsa-github-generator/generic@v1", **configured), rule
    ).accepted
    # Elsewhere the configuration may come from another repository than what is built.
    cause = refused(v02("https://tekton.dev/x", **configured), rule)
    assert (cause.rule, cause.found) == (
        "nodes.model.expect.source",
        "no source that https://tekton.dev/x documents",
    )


def test_the_source_of_v01() -> None:
    rule = policy(expecting(PROVENANCE_V01, source=REPOSITORY))
    materials = [{"uri": "https://github.com/evil/train"}, {"uri": f"git+{REPOSITORY}@refs/heads/main"}]
    for index, accepted in ((1, True), (0, False), ("-1", False)):
        recipe = {"type": "https://x/v1", "definedInMaterial": index}
        found = said(PROVENANCE_V01, {"builder": {"id": CI}, "recipe": recipe, "materials": materials})
        assert judged(found, rule).accepted is accepted


# --- parameters ------------------------------------------------------------------------------------------------------


def parameters(*allow: str, **equal: Any) -> dict[str, Any]:
    return expecting(parameters={"equal": equal, "allow": list(allow)})


@pytest.mark.parametrize(
    ("external", "equal", "allow"),
    [
        ({}, {}, ()),
        ({"a": None, "b": "", "c": {}, "d": [], "e": {"f": None}}, {}, ()),
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {}, ("a",)),
        ({"a": {"b": {"c": 1}}}, {}, ("a",)),
        ({"a": {"b": {"c": 1}}}, {}, ("a.b",)),
        ({"a": {"b": 1, "c": 2}}, {"a.b": 1}, ("a.c",)),
        ({"a": {"b": 1, "c": 2}}, {"a.b": 1}, ("a",)),
        ({"a": {"b": 1, "c": None}}, {"a": {"b": 1}}, ()),
        ({"a.b": 1}, {"['a.b']": 1}, ()),
        ({"a": [1, [True, "x"]]}, {"a": [1, [True, "x"]]}, ()),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a[0].b": 1}, ("a[1]",)),
        ({"a": 2**53 - 1}, {"a": 2**53 - 1}, ()),
        ({"a": 10**300}, {}, ("a",)),
        ({"a": [""]}, {"a": [""]}, ()),
    ],
)
def test_parameters_that_are_expected(external: Any, equal: Any, allow: tuple[str, ...]) -> None:
    assert judged(run(externalParameters=external), policy(parameters(*allow, **equal))).accepted


@pytest.mark.parametrize(
    ("external", "equal", "allow", "rule", "found", "wanted"),
    [
        ({"a": 1}, {}, (), "a", "1", "nothing"),
        ({"a": {"b": [1]}}, {}, (), "a.b[0]", "1", "nothing"),
        ({"a": [""]}, {}, (), "a[0]", '""', "nothing"),
        ({"a": [None]}, {}, (), "a[0]", "nothing", "nothing"),
        ({"a": [{}]}, {}, (), "a[0]", "{}", "nothing"),
        ({"a": False}, {}, (), "a", "false", "nothing"),
        ({"a": 0}, {}, (), "a", "0", "nothing"),
        ({}, {"a": 1}, (), "a", "nothing", "1"),
        ({"a": None}, {"a": 1}, (), "a", "nothing", "1"),
        ({"a": True}, {"a": 1}, (), "a", "true", "1"),
        ({"a": 1}, {"a": True}, (), "a", "1", "true"),
        ({"a": "1"}, {"a": 1}, (), "a", '"1"', "1"),
        ({"a": 1}, {"a": "1"}, (), "a", "1", '"1"'),
        ({"a": 1.0}, {"a": 1}, (), "a", "1.0", "1"),
        ({"a": 10**300 + 1}, {"a": 2**53 - 1}, (), "a", None, str(2**53 - 1)),
        ({"a": 2**53 - 2}, {"a": 2**53 - 1}, (), "a", str(2**53 - 2), str(2**53 - 1)),
        ({"a": [1, 2]}, {"a": [2, 1]}, (), "a", "[1, 2]", "[2, 1]"),
        ({"a": [1, 2]}, {"a": [1]}, (), "a", "[1, 2]", "[1]"),
        ({"a": [[1]]}, {"a": [1]}, (), "a", "[[1]]", "[1]"),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, (), "a", '{"b": 1, "c": 2}', '{"b": 1}'),
        ({"a": {"b": 1, "c": 2}}, {"a.b": 1}, (), "a.c", "2", "nothing"),
        ({"a.b": 1}, {"a.b": 1}, (), "a.b", "nothing", "1"),
        ({"a": {"b": 1}}, {"['a.b']": 1}, (), "['a.b']", "nothing", "1"),
        ({"ab": 1}, {}, ("a",), "ab", "1", "nothing"),
        ({"a": 1, "A": 2}, {}, ("a",), "A", "2", "nothing"),
        ({"a": ["x", "--unsafe"]}, {"a[0]": "x"}, (), "a[1]", '"--unsafe"', "nothing"),
    ],
)
def test_parameters_that_nobody_expected(
    external: Any, equal: Any, allow: tuple[str, ...], rule: str, found: str | None, wanted: str
) -> None:
    cause = refused(run(externalParameters=external), policy(parameters(*allow, **equal)))
    place = write_path(("nodes", "model", "expect", "parameters", *parse_path(rule)))
    assert (cause.code, cause.rule, cause.wanted) == ("policy.expect", place, wanted)
    if found is not None:  # else it is too long to be told whole
        assert cause.found == found


def test_internal_parameters_need_nobody_to_expect_them() -> None:
    assert judged(run(internalParameters={"a": 1}), policy(parameters())).accepted
    assert not judged(run(internalParameters={"a": 1}), policy(parameters(a=1))).accepted


def test_the_parameters_of_v02_and_v01() -> None:
    invocation = {
        "parameters": {"x": 1},
        "environment": {"run": {"id": "7"}},
        "configSource": {
            "uri": "git+https://github.com/acme/train",
            "digest": {"sha1": "0" * 40},
            "entryPoint": "w.yml",
        },
    }
    equal = {"parameters.x": 1, "configSource.entryPoint": "w.yml"}

    def rule(*allow: str) -> Any:
        expect = expecting(PROVENANCE_V02, parameters={"equal": equal, "allow": list(allow)})
        return policy(expect)

    found = v02("https://x/v1", **invocation)
    assert judged(found, rule("environment", "configSource.uri")).accepted
    assert refused(found, rule("environment")).rule == "nodes.model.expect.parameters.configSource.uri"
    assert refused(found, rule("configSource")).rule == "nodes.model.expect.parameters.environment.run.id"

    recipe = {"type": "https://x/v1", "entryPoint": "make", "arguments": {"x": 1}, "environment": {"y": 2}}
    old = said(PROVENANCE_V01, {"builder": {"id": CI}, "recipe": recipe})
    for allow, missing in (
        (["arguments", "environment", "entryPoint"], None),
        (["arguments", "environment"], "entryPoint"),
    ):
        expect = policy(expecting(PROVENANCE_V01, parameters={"allow": allow}))
        assert judged(old, expect).accepted is (missing is None)
        if missing is not None:
            assert refused(old, expect).rule == f"nodes.model.expect.parameters.{missing}"

    # Whoever asks for a build decides where its recipe comes from, too.
    located = {**recipe, "definedInMaterial": 0}
    moved = said(PROVENANCE_V01, {"builder": {"id": CI}, "recipe": located, "materials": [{"uri": REPOSITORY}]})
    named = expecting(PROVENANCE_V01, parameters={"allow": ["arguments", "environment", "entryPoint"]})
    cause = refused(moved, policy(named))
    assert (cause.rule, cause.found) == ("nodes.model.expect.parameters.definedInMaterial", f'"{REPOSITORY}"')
    named["expect"]["parameters"]["equal"] = {"definedInMaterial": REPOSITORY}
    assert judged(moved, policy(named)).accepted


def test_a_run_with_very_many_parameters_is_told_shortly() -> None:
    many = run(externalParameters={f"p{n}": n for n in range(5000)})
    assert refused(many, policy(parameters())).rule == "nodes.model.expect.parameters.p0"
