"""Do artifact rules take out of the queue what they are about, and nothing else?"""

import pytest

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.layout.rules import Flow, Rule, apply, require_plain
from glasswing_attest.errors import ArtifactRuleBroken, FieldRefused

ONE, TWO = DigestSet.of(sha256="11" * 32), DigestSet.of(sha256="22" * 32)
STEP = Flow(materials={"kept": ONE, "changed": ONE, "gone": ONE}, products={"kept": ONE, "changed": TWO, "new": ONE})


def rule(*words: str) -> Rule:
    return Rule.parse(Node(None, "$.rule"), words)


def consumed(words: str, of: str = "products", flow: Flow = STEP, **others: Flow) -> set[str]:
    queue = set(flow.materials if of == "materials" else flow.products)
    return rule(*words.split()).consumed(queue, of, flow, others, "here")


@pytest.mark.parametrize(
    ("words", "of", "taken"),
    [
        ("CREATE *", "products", {"new"}),
        ("CREATE *", "materials", set()),
        ("DELETE *", "materials", {"gone"}),
        ("DELETE *", "products", set()),
        ("MODIFY *", "products", {"changed"}),
        ("MODIFY *", "materials", {"changed"}),
        ("ALLOW *", "products", {"kept", "changed", "new"}),
        ("ALLOW n*", "products", {"new"}),
        ("allow new", "products", {"new"}),
        ("REQUIRE new", "products", set()),
        ("DISALLOW old", "products", set()),
    ],
)
def test_a_rule_takes_what_it_is_about(words: str, of: str, taken: set[str]) -> None:
    assert consumed(words, of) == taken


# GHSA-pmwq-pjrm-6p5r, CVE-2021-41087: one meaning for every pattern, that of in-toto's reference implementation.
@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b/c", True),
        ("**", "a/b/c", True),
        ("a/*", "a/b/c", True),
        ("*/c", "a/b/c", True),
        ("?", "/", True),
        ("a?c", "a/c", True),
        ("a", "ab", False),
        ("b", "a/b", False),
        ("A", "a", False),
        ("[!a]", "b", True),
        ("[!a]", "a", False),
        ("[!a]", "!", True),
        ("[^a]", "a", True),
        ("[^a]", "^", True),
        ("[^a]", "b", False),
        ("[]]", "]", True),
        ("[a", "[a", True),
        ("*", "a\nb", True),
        ("a", "a\n", False),
        ("*", ".hidden", True),
        ("../*", "../a", True),
        ("a", "../a", False),
        ("{a,b}", "a", False),
        ("caf\u00e9", "cafe\u0301", False),
    ],
)
def test_ghsa_pmwq_pjrm_6p5r_a_pattern_has_one_meaning(pattern: str, path: str, matches: bool) -> None:
    flow = Flow(materials={}, products={path: ONE})
    assert rule("ALLOW", pattern).consumed({path}, "products", flow, {}, "here") == ({path} if matches else set())
    match = rule("MATCH", pattern, "WITH", "PRODUCTS", "FROM", "other")
    assert match.consumed({path}, "products", flow, {"other": flow}, "here") == ({path} if matches else set())


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "./a",
        "a/.",
        "a/../b",
        "a//b",
        "//a",
        "a/",
        "a\\b",
        "..\\a",
        "https://h//a",
        "https://h/../a",
        "s3://",
    ],
)
def test_a_path_that_others_would_call_by_another_name_is_refused(path: str) -> None:
    with pytest.raises(FieldRefused) as refused:
        require_plain(path, "$.here")
    assert (refused.value.code, refused.value.where, refused.value.found) == ("malformed.field", "$.here", path)
    for words in (("ALLOW", path), ("MATCH", "*", "IN", path, "WITH", "PRODUCTS", "FROM", "a")):
        if path.endswith("a/") and words[0] == "MATCH":
            continue  # a prefix may end in one slash
        if not path and words[0] == "MATCH":
            continue  # an empty prefix is none
        with pytest.raises(FieldRefused) as named:
            rule(*words)
        assert named.value.where == "$.rule"


@pytest.mark.parametrize(
    "path", ["a", "a/b", "/usr/bin/a", "../a", "https://h/a", "git+https://h/a.git", "file:a", ".a"]
)
def test_a_path_in_its_shortest_form_stands(path: str) -> None:
    require_plain(path, "$.here")


def test_a_match_needs_equal_digests_that_can_identify() -> None:
    weak, unknown = DigestSet.of(md5="11" * 16), DigestSet.of(whirl="x")
    both = DigestSet.of(sha256="11" * 32, sha512="11" * 64)
    for mine, theirs, taken in (
        (ONE, ONE, True),
        (ONE, TWO, False),
        (both, both, True),
        (ONE, both, False),
        (weak, weak, False),
        (unknown, unknown, False),
        (DigestSet(()), DigestSet(()), False),
    ):
        here, there = Flow(materials={"a": mine}, products={}), Flow(materials={}, products={"a": theirs})
        found = consumed("MATCH * WITH PRODUCTS FROM other", "materials", here, other=there)
        assert found == ({"a"} if taken else set()), (mine, theirs)


def test_prefixes_are_folders() -> None:
    here = Flow(materials={"src/a": ONE, "srcs/a": ONE, "a": ONE}, products={})
    there = Flow(materials={"dst/a": ONE}, products={"a": ONE})
    assert consumed("MATCH a IN src WITH PRODUCTS FROM o", "materials", here, o=there) == {"src/a"}
    assert consumed("MATCH a IN src/ WITH MATERIALS IN dst FROM o", "materials", here, o=there) == {"src/a"}
    assert consumed("MATCH * WITH MATERIALS IN dst FROM o", "materials", here, o=there) == {"a"}
    assert consumed("MATCH * WITH PRODUCTS FROM unknown", "materials", here, o=there) == set()


@pytest.mark.parametrize("prefix", ["/", "//", "./", "a//"])
def test_a_prefix_that_is_no_folder_is_refused(prefix: str) -> None:
    for words in (
        ("MATCH", "*", "IN", prefix, "WITH", "PRODUCTS", "FROM", "a"),
        ("MATCH", "*", "WITH", "PRODUCTS", "IN", prefix, "FROM", "a"),
    ):
        with pytest.raises(FieldRefused) as refused:
            rule(*words)
        assert refused.value.where == "$.rule"


def test_the_first_rule_that_takes_something_has_it() -> None:
    rules = [rule("ALLOW", "n*"), rule("DISALLOW", "new"), rule("MODIFY", "*"), rule("DISALLOW", "*")]
    with pytest.raises(ArtifactRuleBroken) as refused:
        apply(rules, "products", "step", {"step": STEP})
    assert (refused.value.where, refused.value.found) == ("step.expected_products[3]", "kept")
    apply([*rules[:3], rule("ALLOW", "kept"), rules[3]], "products", "step", {"step": STEP})


def test_what_is_required_must_still_be_there() -> None:
    with pytest.raises(ArtifactRuleBroken) as refused:
        apply([rule("ALLOW", "*"), rule("REQUIRE", "new")], "products", "step", {"step": STEP})
    assert (refused.value.found, refused.value.wanted) == ("nothing", "REQUIRE new")
    with pytest.raises(ArtifactRuleBroken):  # it is a path, and no pattern
        apply([rule("REQUIRE", "n*")], "products", "step", {"step": STEP})


def test_a_refusal_names_a_few_and_counts_the_rest() -> None:
    many = Flow(materials={f"m{n}": ONE for n in range(9)}, products={})
    with pytest.raises(ArtifactRuleBroken) as refused:
        apply([rule("DISALLOW", "*")], "materials", "step", {"step": many})
    assert refused.value.found == "m0, m1, m2 and 6 more"
