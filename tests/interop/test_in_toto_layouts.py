"""Do in-toto's own verifier and ours agree on artifact rules, links and layouts?

It runs the rules of random layouts as the reference. Where we are stricter on purpose (paths of two spellings, weak
digests), it is not asked.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_toto.exceptions import LinkNotFoundError, RuleVerificationError  # type: ignore[import-untyped]
from in_toto.models.link import Link  # type: ignore[import-untyped]
from in_toto.models.metadata import Metadata  # type: ignore[import-untyped]
from in_toto.verifylib import RULE_TRACE, in_toto_verify, verify_item_rules  # type: ignore[import-untyped]
from securesystemslib.signer import CryptoSigner

from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.layout import rules
from glasswing_attest.chain.layout.check import verify_layout
from glasswing_attest.chain.layout.rules import Flow, Rule
from glasswing_attest.errors import ArtifactRuleBroken, StepUnproven
from tests.layouts import digest, envelope, layout, link, metablock, public, step, things

PATHS = st.sampled_from(("a", "b", "a.py", "d/a", "d/a.py", "d/e/a", "^", "!", "[a]", "*", "..", "../a", "A", "é"))
PATTERNS = st.sampled_from(
    (
        "*",
        "**",
        "a",
        "a*",
        "*.py",
        "d/*",
        "d*",
        "?",
        "[ab]",
        "[!a]",
        "[^a]",
        "[[]a]",
        "d/*/a",
        "..",
        "é",
    )
)
# Few paths in many places, so that there is often something to match.
ARTIFACTS = st.dictionaries(PATHS, st.sampled_from(("one", "two")), min_size=2, max_size=9)
NAMES = st.sampled_from(("here", "there", "nowhere"))
PREFIX = st.sampled_from(((), ("IN", "d"), ("IN", "d/"), ("IN", "d/e")))
SIDES = st.sampled_from(("MATERIALS", "PRODUCTS", "products"))
MATCH = st.builds(
    lambda pattern, source, side, target, name: ["MATCH", pattern, *source, "WITH", side, *target, "FROM", name],
    *(PATTERNS, PREFIX, SIDES, PREFIX, NAMES),
)
OTHERS = st.builds(
    lambda kind, pattern: [kind, pattern],
    st.sampled_from(("CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE", "allow")),
    PATTERNS,
)


@settings(max_examples=500, deadline=None)
@given(st.lists(MATCH | OTHERS, max_size=5), st.tuples(*([ARTIFACTS] * 4)), st.sampled_from(("materials", "products")))
def test_rules_mean_what_they_mean_to_in_toto(
    told: list[list[str]], sides: tuple[dict[str, str], ...], of: str
) -> None:
    names = ("here", "there")
    theirs = {
        name: Link(
            name=name,
            materials={path: digest(text) for path, text in sides[2 * n].items()},
            products={path: digest(text) for path, text in sides[2 * n + 1].items()},
        )
        for n, name in enumerate(names)
    }
    ours = {
        name: Flow(
            materials={path: DigestSet.of(found) for path, found in theirs[name].materials.items()},
            products={path: DigestSet.of(found) for path, found in theirs[name].products.items()},
        )
        for name in names
    }
    try:
        verify_item_rules("here", of, told, theirs)
        broken = False
    except RuleVerificationError:
        broken = True
    left = [set(entry["queue"]) for entry in RULE_TRACE["trace"]]
    assert len(left) == len(told) or broken
    queue = set(ours["here"].materials if of == "materials" else ours["here"].products)
    parsed = [Rule.parse(Node(None), tuple(words)) for words in told]
    for rule, theirs_left in zip(parsed, left, strict=False):
        queue -= rule.consumed(queue, of, ours["here"], ours, "here")
        assert queue == theirs_left, str(rule)
    if broken:
        with pytest.raises(ArtifactRuleBroken):
            rules.apply(parsed, of, "here", ours)
    else:
        rules.apply(parsed, of, "here", ours)


OWNER, ALICE, BOB = (CryptoSigner.generate_ed25519() for _ in range(3))
STEPS = (
    step("write", ALICE, expected_products=[["CREATE", "foo.py"], ["DISALLOW", "*"]]),
    step("pack", BOB, expected_materials=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]]),
)
LAID_DOWN = layout(*STEPS, signers=(ALICE, BOB), expires="2100-01-01T00:00:00Z")


@pytest.mark.parametrize("material", ["a", "evil", None])
def test_a_layout_is_followed_for_both_or_for_neither(material: str | None, tmp_path: Path) -> None:
    for sign in (metablock, envelope):
        document = sign(LAID_DOWN, OWNER)
        links = [metablock(link("write", products=things(foo__py="a")), ALICE)]
        if material is not None:
            links.append(sign(link("pack", materials=things(foo__py=material)), BOB))
        for data, signer in zip(links, (ALICE, BOB), strict=False):
            name = json.loads(Attestation.parse(data).envelope.payload)["name"]
            (tmp_path / f"{name}.{signer.public_key.keyid[:8]}.link").write_bytes(data)

        def theirs(document: bytes = document) -> None:
            keys = {OWNER.public_key.keyid: {"keyid": OWNER.public_key.keyid, **OWNER.public_key.to_dict()}}
            in_toto_verify(Metadata.from_dict(json.loads(document)), keys, link_dir_path=str(tmp_path))

        def ours(document: bytes = document, links: list[bytes] = links) -> None:
            verify_layout(document, links, keys=[public(OWNER)], at=datetime(2026, 1, 1, tzinfo=UTC))

        if material == "a":
            theirs()
            ours()
            continue
        wanted = (LinkNotFoundError, StepUnproven) if material is None else (RuleVerificationError, ArtifactRuleBroken)
        for call, error in zip((theirs, ours), wanted, strict=True):
            with pytest.raises(error):
                call()
