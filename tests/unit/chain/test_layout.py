"""Is a layout followed only when its functionaries did, and told alike, what it lays down?"""

import json
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain.layout.check import Inspected, Sublayout, VerifiedLayout, VerifiedStep, verify_layout
from glasswing_attest.errors import (
    ArtifactRuleBroken,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    InspectionUnsupported,
    KeyUnsupported,
    KeyUntrusted,
    LayoutExpired,
    LimitError,
    PayloadTypeUnsupported,
    StatementTypeUnsupported,
    StepUnproven,
    UsageError,
)
from glasswing_attest.limits import Limits
from glasswing_attest.testing import VirtualSigstore, tamper
from tests.layouts import envelope, layout, link, metablock, public, renamed, step, things

AT = datetime(2026, 1, 1, tzinfo=UTC)
OWNER, OTHER_OWNER, ALICE, BOB, CAROL, MALLORY = (CryptoSigner.generate_ed25519() for _ in range(6))
ANYBODY = (ALICE, BOB, CAROL)

WRITE = step("write", ALICE, expected_products=[["CREATE", "foo.py"], ["DISALLOW", "*"]])
PACK = step(
    "pack",
    BOB,
    expected_command=["tar", "c"],
    expected_materials=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]],
    expected_products=[["CREATE", "foo.tar"], ["ALLOW", "foo.py"], ["DISALLOW", "*"]],
)
LAYOUT = layout(WRITE, PACK, signers=ANYBODY)
WROTE = link("write", products=things(foo__py="a"))
PACKED = link("pack", materials=things(foo__py="a"), products=things(foo__py="a", foo__tar="b"), command=["tar", "c"])
LINKS = (metablock(WROTE, ALICE), metablock(PACKED, BOB))


def followed(
    links: tuple[bytes, ...] = LINKS,
    document: bytes | None = None,
    owners: tuple[CryptoSigner, ...] = (OWNER,),
    at: datetime = AT,
    **more: Any,
) -> VerifiedLayout:
    document = metablock(LAYOUT, OWNER) if document is None else document
    return verify_layout(document, links, keys=[public(owner) for owner in owners], at=at, **more)


def refused(error: type[GlasswingError], call: Callable[[], object]) -> GlasswingError:
    with pytest.raises(error) as found:
        call()
    assert type(found.value) is error
    return found.value


def test_a_followed_layout_says_who_did_what() -> None:
    proof = followed()
    assert [step.name for step in proof.steps] == ["write", "pack"]
    assert [step.functionaries for step in proof.steps] == [(public(ALICE),), (public(BOB),)]
    assert [len(step.links) for step in proof.steps] == [1, 1]
    assert [step.as_expected for step in proof.steps] == [True, True]
    assert proof.signers == (public(OWNER),)
    assert proof.materials == ()
    assert [p.name for p in proof.products] == ["foo.py", "foo.tar"]
    assert proof.expires == datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(TypeError, match="VerifiedStep is made by its check only"):
        VerifiedStep(
            name="", functionaries=(), links=(), materials=(), products=(), as_expected=True, sublayouts=(), seal=None
        )


@pytest.mark.parametrize("wrap", [metablock, envelope])
def test_both_containers_do_for_layout_and_links(wrap: Callable[..., bytes]) -> None:
    assert followed((wrap(WROTE, ALICE), wrap(PACKED, BOB)), wrap(LAYOUT, OWNER)).steps


def test_a_command_that_differs_is_told_and_decides_nothing() -> None:
    proof = followed((LINKS[0], metablock({**PACKED, "command": ["zip"]}, BOB)))
    assert [step.as_expected for step in proof.steps] == [True, False]


def test_neither_the_order_nor_strangers_matter() -> None:
    strange = (
        b"junk",
        metablock(WROTE, MALLORY),
        metablock({**PACKED, "name": "nothing-of-ours"}, BOB),
        metablock({**PACKED, "products": things(evil="x")}, MALLORY),
        metablock(LAYOUT, ALICE),
        json.dumps({"payload": "", "payloadType": "t", "signatures": []}).encode(),
    )
    pile = [*LINKS, *strange]
    for seed in range(5):
        random.Random(seed).shuffle(pile)
        assert followed(tuple(pile)).steps == followed().steps
    for number in range(2):
        rest = tuple(item for item in (*LINKS, *strange) if item != LINKS[number])
        assert refused(StepUnproven, lambda rest=rest: followed(rest)).where == f"steps.{('write', 'pack')[number]}"  # type: ignore[misc]


# --- the layout itself -----------------------------------------------------------------------------------------------


def test_all_given_keys_must_have_signed_the_layout() -> None:
    both = metablock(LAYOUT, OWNER, OTHER_OWNER)
    assert len(followed(document=both, owners=(OWNER, OTHER_OWNER)).signers) == 2
    told = refused(KeyUntrusted, lambda: followed(owners=(OWNER, OTHER_OWNER)))
    assert (told.where, told.found, told.wanted) == ("$.signatures", "1 of the 2 keys", "at least 2")
    assert followed(owners=(OWNER, OTHER_OWNER), threshold=1).signers == (public(OWNER),)
    assert refused(KeyUntrusted, lambda: followed(owners=(MALLORY,))).code == "verification.key-untrusted"


def test_one_key_is_one_owner_however_often_it_signs() -> None:
    private = Ed25519PrivateKey.generate()
    one = CryptoSigner(private)
    twice = metablock(LAYOUT, one, renamed(one, private, "aa"), renamed(one, private, "bb"))
    assert len(json.loads(twice)["signatures"]) == 3
    assert refused(KeyUntrusted, lambda: followed(document=twice, owners=(one, OTHER_OWNER))).found == "1 of the 2 keys"
    # The same key given twice is one key, too.
    assert len(followed(document=twice, owners=(one, one)).signers) == 1
    assert refused(UsageError, lambda: followed(document=twice, owners=(one, one), threshold=2)).where == "threshold"


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"owners": ()}, "keys"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": 2}, "threshold"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001  # that is what is refused
        ({"substitution": {"V": "*"}}, "substitution['V']"),
        ({"substitution": {"V": ""}}, "substitution['V']"),
        ({"substitution": {"V": "{W}"}}, "substitution['V']"),
        ({"inspections": {"unknown": Inspected()}}, "inspections"),
        ({"sublayouts": {"unknown": ()}}, "sublayouts"),
        ({"links": ("a path",)}, "Attestation.parse"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(more: dict[str, Any], where: str) -> None:
    told = refused(UsageError, lambda: followed(**more))
    assert (told.code, told.where) == ("usage", where)


def test_a_layout_expires() -> None:
    expiry = datetime(2030, 1, 1, tzinfo=UTC)
    assert followed(at=expiry).steps
    told = refused(LayoutExpired, lambda: followed(at=expiry + timedelta(seconds=1)))
    assert (told.code, told.where, told.found) == ("unavailable.layout-expired", "$.expires", "2030-01-01T00:00:00Z")


def test_an_unsigned_or_changed_layout_is_refused() -> None:
    assert refused(FieldMissing, lambda: followed(document=metablock(LAYOUT))).where == "$.signatures"
    weaker = json.loads(metablock(LAYOUT, OWNER))
    weaker["signed"]["steps"][1]["expected_materials"] = []
    assert refused(KeyUntrusted, lambda: followed(document=json.dumps(weaker).encode())).where == "$.signatures"


def test_a_link_is_no_layout_and_a_layout_no_link() -> None:
    told = refused(StatementTypeUnsupported, lambda: followed(document=metablock(WROTE, OWNER)))
    assert (told.where, told.found, told.wanted) == ("$._type", "link", "layout")
    told = refused(StepUnproven, lambda: followed((LINKS[0], metablock({**LAYOUT, "name": "pack"}, BOB))))
    assert isinstance(told.__cause__, StatementTypeUnsupported)


def test_a_signature_of_a_certificate_is_by_none_of_the_keys() -> None:
    stack = VirtualSigstore()
    statement = json.dumps(LAYOUT).encode()
    told = refused(KeyUntrusted, lambda: followed(document=stack.sign(statement, identity="owner@example.com").bytes))
    assert told.where == "$.signatures"


@pytest.mark.parametrize(
    ("members", "error", "where"),
    [
        ({"steps": []}, FieldMissing, "$.steps"),
        ({"steps": None}, FieldMissing, "$.steps"),
        ({"expires": None}, FieldMissing, "$.expires"),
        ({"expires": "2030-01-01"}, FieldRefused, "$.expires"),
        ({"keys": None}, FieldMissing, "$.keys"),
        ({"steps": [WRITE, WRITE]}, FieldRefused, "$.steps[1].name"),
        ({"steps": [WRITE], "inspect": [{"name": "write"}]}, FieldRefused, "$.inspect[0].name"),
        ({"steps": [{**WRITE, "name": ""}]}, FieldRefused, "$.steps[0].name"),
        ({"steps": [{**WRITE, "threshold": 0}]}, FieldRefused, "$.steps[0].threshold"),
        ({"steps": [{**WRITE, "threshold": -1}]}, FieldRefused, "$.steps[0].threshold"),
        ({"steps": [{**WRITE, "threshold": True}]}, FieldRefused, "$.steps[0].threshold"),
        ({"steps": [{**WRITE, "threshold": "1"}]}, FieldRefused, "$.steps[0].threshold"),
        ({"steps": [{**WRITE, "threshold": None}]}, FieldMissing, "$.steps[0].threshold"),
        ({"steps": [{**WRITE, "pubkeys": ["ff"]}]}, FieldRefused, "$.steps[0].pubkeys[0]"),
        ({"keys": {"a": {"keyid": "b"}}}, FieldRefused, "$.keys.a.keyid"),
        ({"keys": {"a": {"method": "pgp+rsa-pkcsv1.5", "type": "rsa"}}}, KeyUnsupported, "$.keys.a"),
        (
            {"keys": {"a": {"keytype": "ed25519", "scheme": "rsassa-pss-sha256", "keyval": {"public": "58" * 32}}}},
            FieldRefused,
            "$.keys.a.scheme",
        ),
        ({"keys": {"a": {"keytype": "ed25519", "keyval": {"public": "58" * 32}}}}, FieldMissing, "$.keys.a.scheme"),
        *(
            ({"steps": [{**WRITE, "expected_products": [rule]}]}, FieldRefused, "$.steps[0].expected_products[0]")
            for rule in (
                [],
                ["ALLOW"],
                ["ALLOW", "a", "b"],
                ["FORBID", "a"],
                ["MATCH", "a"],
                ["MATCH", "a", "WITH", "THINGS", "FROM", "write"],
                ["MATCH", "a", "IN", "./b", "WITH", "PRODUCTS", "FROM", "write"],
                ["DISALLOW", ""],
                ["DISALLOW", "./foo.py"],
                ["DISALLOW", "a/../foo.py"],
                ["DISALLOW", "a//b"],
                ["DISALLOW", "dir/"],
                ["DISALLOW", "dir\\foo.py"],
                ["DISALLOW", "{VERSION}"],
            )
        ),
    ],
)
def test_a_layout_that_lays_nothing_down_is_refused(
    members: dict[str, Any], error: type[GlasswingError], where: str
) -> None:
    told = refused(error, lambda: followed(document=metablock({**LAYOUT, **members}, OWNER)))
    assert told.where == where


# --- steps -----------------------------------------------------------------------------------------------------------


def test_a_link_counts_for_the_step_that_it_names_and_by_its_functionary_alone() -> None:
    # Alice may write and Bob may pack; neither may do the other's.
    told = refused(StepUnproven, lambda: followed((metablock(WROTE, BOB), LINKS[1])))
    assert (told.code, told.where) == ("verification.step", "steps.write")
    assert (told.found, told.wanted) == ("0 of its 1 functionaries", "at least 1")
    assert isinstance(told.__cause__, KeyUntrusted)
    assert (told.__cause__.where, told.__cause__.wanted) == ("steps.write", "a functionary of that step")
    # What Alice made in one step is no evidence for another, wherever its file lies.
    told = refused(StepUnproven, lambda: followed((metablock({**WROTE, "name": "pack"}, ALICE), LINKS[1])))
    assert told.where == "steps.write"


def test_a_threshold_needs_distinct_keys_that_tell_alike() -> None:
    both = layout({**WRITE, "pubkeys": step("", *ANYBODY)["pubkeys"], "threshold": 2}, signers=ANYBODY)
    document = metablock(both, OWNER)
    alice, bob, carol = (metablock(WROTE, who) for who in ANYBODY)
    proof = followed((alice, bob), document)
    assert set(proof.steps[0].functionaries) == {public(ALICE), public(BOB)}
    assert len(followed((metablock(WROTE, ALICE, BOB),), document).steps[0].functionaries) == 2
    other = {**WROTE, "products": things(foo__py="other")}
    for links in ((alice,), (alice, alice), (alice, envelope(WROTE, ALICE)), (alice, metablock(other, BOB)), ()):
        told = refused(StepUnproven, lambda links=links: followed(links, document))  # type: ignore[misc]
        assert told.where == "steps.write"
        assert told.wanted == "at least 2"
    # Two agree, and a third who does not takes nothing away from them.
    proof = followed((metablock(other, BOB), alice, carol), document)
    assert set(proof.steps[0].functionaries) == {public(ALICE), public(CAROL)}


def test_cve_2020_6174_one_key_under_two_key_ids_is_one_functionary() -> None:
    private = Ed25519PrivateKey.generate()
    one = CryptoSigner(private)
    two = renamed(one, private, "ab" * 32)
    document = metablock(layout(step("write", one, two, threshold=2), signers=(one, two)), OWNER)
    assert len(json.loads(document)["signed"]["keys"]) == 2
    told = refused(StepUnproven, lambda: followed((metablock(WROTE, one), metablock(WROTE, two)), document))
    assert (told.found, told.wanted) == ("1 of its 1 functionaries", "at least 2")
    assert refused(StepUnproven, lambda: followed((metablock(WROTE, one, two),), document)).where == "steps.write"


def test_functionaries_who_contradict_each_other_leave_one_consistent_selection() -> None:
    # Alice and Carol may both write; only what Alice wrote was packed.
    document = metablock(layout(step("write", ALICE, CAROL), PACK, signers=ANYBODY), OWNER)
    others = tuple(metablock({**WROTE, "products": things(foo__py=f"v{n}")}, CAROL) for n in range(5))
    assert followed((*others, *LINKS), document).steps[0].functionaries == (public(ALICE),)
    assert refused(ArtifactRuleBroken, lambda: followed((*others, LINKS[1]), document)).where == (
        "pack.expected_materials[1]"
    )
    told = refused(LimitError, lambda: followed((*others, LINKS[1]), document, limits=Limits(candidates=3)))
    assert told.where == "links"


def test_the_work_is_bounded() -> None:
    for limits, where in (
        (Limits(evidence=1), "links"),
        (Limits(signature_checks_in_all=2), "$.signatures"),
        (Limits(trusted_keys=1), "$.keys"),
        (Limits(nodes=1), "$.steps"),
    ):
        assert refused(LimitError, lambda limits=limits: followed(limits=limits)).where == where  # type: ignore[misc]


def test_a_link_with_a_path_of_two_spellings_proves_nothing() -> None:
    for path in ("./foo.py", "a/../foo.py", "a//b", "a/", "a\\b", "", "https://host/a/../b"):
        made = {**WROTE, "products": {path: {"sha256": "00" * 32}}}
        told = refused(StepUnproven, lambda made=made: followed((metablock(made, ALICE), LINKS[1])))  # type: ignore[misc]
        assert isinstance(told.__cause__, FieldRefused)
        assert told.__cause__.where == f"$.products[{path!r}]"


def test_a_payload_of_another_type_is_no_link() -> None:
    told = json.loads(envelope(WROTE, ALICE))
    told["payloadType"] = "text/plain"
    found = refused(StepUnproven, lambda: followed((json.dumps(told).encode(), LINKS[1])))
    assert isinstance(found.__cause__, KeyUntrusted)  # the type is part of what is signed
    from securesystemslib.dsse import Envelope

    made = Envelope(json.dumps(WROTE).encode(), "text/plain", {})
    made.sign(ALICE)
    found = refused(StepUnproven, lambda: followed((json.dumps(made.to_dict()).encode(), LINKS[1])))
    assert isinstance(found.__cause__, PayloadTypeUnsupported)


# --- rules, inspections, parameters ----------------------------------------------------------------------------------


def test_a_changed_material_is_found() -> None:
    packed = metablock({**PACKED, "materials": things(foo__py="evil")}, BOB)
    told = refused(ArtifactRuleBroken, lambda: followed((LINKS[0], packed)))
    assert (told.code, told.where) == ("verification.artifact-rule", "pack.expected_materials[1]")
    assert (told.found, told.wanted) == ("foo.py", "DISALLOW *")


INSPECT = {
    "_type": "inspection",
    "name": "untar",
    "run": ["tar", "x"],
    "expected_materials": [["MATCH", "foo.tar", "WITH", "PRODUCTS", "FROM", "pack"], ["DISALLOW", "*"]],
    "expected_products": [["MATCH", "foo.py", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "foo.py"]],
}


def digests(told: Mapping[str, Mapping[str, str]]) -> dict[str, DigestSet]:
    return {name: DigestSet.of(dict(value)) for name, value in told.items()}


def test_inspections_are_never_run(tmp_path: Path) -> None:
    target = tmp_path / "was-run"
    inspect = {**INSPECT, "run": ["touch", str(target)]}
    document = metablock({**LAYOUT, "inspect": [inspect]}, OWNER)
    told = refused(InspectionUnsupported, lambda: followed(document=document))
    assert (told.code, told.where) == ("unsupported.inspection", "inspect.untar")
    assert told.found == f"touch {target}"
    good = Inspected(materials=digests(things(foo__tar="b")), products=digests(things(foo__tar="b", foo__py="a")))
    assert followed(document=document, inspections={"untar": good}).inspections == ("untar",)
    evil = Inspected(materials=good.materials, products=digests(things(foo__py="evil")))
    broken = refused(ArtifactRuleBroken, lambda: followed(document=document, inspections={"untar": evil}))
    assert broken.where == "untar.expected_products[1]"
    assert not target.exists()


def test_the_result_of_an_inspection_is_checked_when_it_is_made() -> None:
    with pytest.raises(FieldRefused) as told:
        Inspected(materials={"./a": DigestSet.of(sha256="00" * 32)})
    assert told.value.where == "materials['./a']"
    with pytest.raises(UsageError) as wrong:
        Inspected(products={"a": {"sha256": "00" * 32}})  # type: ignore[dict-item]
    assert wrong.value.where == "products['a']"


def test_parameters_are_put_into_rules_and_commands_once_and_as_text() -> None:
    written = step("write", ALICE, expected_command=["make", "{V}"], expected_products=[["REQUIRE", "foo-{V}.py"]])
    document = metablock(layout(written, signers=ANYBODY), OWNER)
    made = metablock({**WROTE, "command": ["make", "1.0"], "products": things(**{"foo-1.0.py": "a"})}, ALICE)
    assert followed((made,), document, substitution={"V": "1.0"}).steps[0].as_expected
    told = refused(ArtifactRuleBroken, lambda: followed((made,), document, substitution={"V": "2.0"}))
    assert (told.where, told.wanted) == ("write.expected_products[0]", "REQUIRE foo-2.0.py")
    missing = refused(FieldRefused, lambda: followed((made,), document, substitution={"W": "1.0"}))
    assert (missing.where, missing.found) == ("$.steps[0].expected_products[0]", "{V}")
    # Python's own formatting would look into the value.
    sly = step("write", ALICE, expected_products=[["ALLOW", "{V.__class__}"]])
    assert followed(LINKS, metablock(layout(sly, signers=ANYBODY), OWNER), substitution={"V": "1"}).steps


def test_cve_2023_32076_nothing_in_the_folder_or_the_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".in_totorc").write_text("[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *\n")
    for name, data in zip(("write", "pack"), LINKS, strict=True):
        (tmp_path / f"{name}.{ALICE.public_key.keyid[:8]}.link").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IN_TOTO_ARTIFACT_EXCLUDE_PATTERNS", "*")
    before = sorted(tmp_path.iterdir())
    assert followed().steps
    assert refused(StepUnproven, lambda: followed(())).where == "steps.write"
    assert sorted(tmp_path.iterdir()) == before


# --- sublayouts ------------------------------------------------------------------------------------------------------

SUB = layout(
    step("draft", BOB, expected_products=[["ALLOW", "*"]]),
    step("polish", CAROL, expected_materials=[["MATCH", "*", "WITH", "PRODUCTS", "FROM", "draft"], ["DISALLOW", "*"]]),
    signers=ANYBODY,
)
DRAFTED = link("draft", products=things(foo__py="draft"))
POLISHED = link("polish", materials=things(foo__py="draft"), products=things(foo__py="a"))
BELOW = Sublayout(layout=metablock(SUB, ALICE), links=(metablock(DRAFTED, BOB), metablock(POLISHED, CAROL)))


def test_a_sublayout_stands_for_a_step() -> None:
    proof = followed(LINKS[1:], sublayouts={"write": [BELOW]})
    below = proof.steps[0].sublayouts[0]
    assert [step.name for step in below.steps] == ["draft", "polish"]
    assert proof.steps[0].functionaries == below.signers == (public(ALICE),)
    assert proof.steps[0].links == (below.payload_digest,)
    assert proof.steps[0].products == below.products
    assert proof.steps[1].sublayouts == ()


def test_a_sublayout_and_a_link_reach_a_threshold_together() -> None:
    document = metablock(layout(step("write", ALICE, CAROL, threshold=2), PACK, signers=ANYBODY), OWNER)
    links = (metablock(WROTE, CAROL), LINKS[1])
    assert len(followed(links, document, sublayouts={"write": [BELOW]}).steps[0].functionaries) == 2
    own = Sublayout(layout=metablock(SUB, CAROL), links=BELOW.links)
    told = refused(StepUnproven, lambda: followed(links, document, sublayouts={"write": [own]}))
    assert told.found == "1 of its 2 functionaries"


def test_a_sublayout_that_does_not_hold_proves_nothing() -> None:
    expired = metablock({**SUB, "expires": "2025-01-01T00:00:00Z"}, ALICE)
    inspecting = metablock({**SUB, "inspect": [INSPECT]}, ALICE)
    cases: tuple[tuple[Sublayout, type[GlasswingError]], ...] = (
        (Sublayout(layout=metablock(SUB, MALLORY), links=BELOW.links), KeyUntrusted),
        (Sublayout(layout=metablock(SUB, BOB), links=BELOW.links), KeyUntrusted),
        (Sublayout(layout=expired, links=BELOW.links), LayoutExpired),
        (Sublayout(layout=BELOW.layout, links=BELOW.links[:1]), StepUnproven),
        (Sublayout(layout=BELOW.layout, links=(metablock(DRAFTED, CAROL), BELOW.links[1])), StepUnproven),
        (Sublayout(layout=inspecting, links=BELOW.links), InspectionUnsupported),
        (
            Sublayout(
                layout=BELOW.layout,
                links=(metablock({**DRAFTED, "products": things(foo__py="other")}, BOB), BELOW.links[1]),
            ),
            ArtifactRuleBroken,
        ),
    )
    for sublayout, cause in cases:
        told = refused(StepUnproven, lambda s=sublayout: followed(LINKS[1:], sublayouts={"write": [s]}))  # type: ignore[misc]
        assert told.where == "steps.write"
        assert type(told.__cause__) is cause
    # What it made is held against the rules as what a link tells of is.
    polished = metablock({**POLISHED, "products": things(foo__py="evil")}, CAROL)
    evil = Sublayout(layout=BELOW.layout, links=(BELOW.links[0], polished))
    assert refused(ArtifactRuleBroken, lambda: followed(LINKS[1:], sublayouts={"write": [evil]})).where == (
        "pack.expected_materials[1]"
    )


def test_sublayouts_are_bounded_in_depth() -> None:
    told = refused(LimitError, lambda: followed(LINKS[1:], sublayouts={"write": [BELOW]}, limits=Limits(depth=1)))
    assert told.where == "sublayouts"


# --- laws ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [metablock, envelope])
def test_every_mutation_of_layout_or_link_is_refused_or_changes_no_proven_fact(wrap: Callable[..., bytes]) -> None:
    small = layout(WRITE, signers=(ALICE,))
    document, made = wrap(small, OWNER), wrap(WROTE, ALICE)
    other = wrap({**small, "steps": [{**WRITE, "expected_products": []}]}, MALLORY)
    facts = followed((made,), document)
    tried = {
        "layout": [(m, (made,), m.data) for m in tamper.mutations(document, other=other, every=7)],
        "link": [(m, (m.data,), document) for m in tamper.mutations(made, other=wrap(WROTE, BOB), every=3)],
    }
    for what, changes in tried.items():
        held = 0
        for mutation, links, laid_down in changes:
            try:
                proof = followed(links, laid_down)
            except GlasswingError:
                continue
            held += 1
            assert proof.payload_digest == facts.payload_digest, mutation
            assert (proof.signers, proof.expires) == (facts.signers, facts.expires), mutation
            assert [(s.functionaries, s.links, s.products) for s in proof.steps] == [
                (s.functionaries, s.links, s.products) for s in facts.steps
            ], mutation
        assert 0 < held < len(changes) / 2, (what, held, len(changes))
