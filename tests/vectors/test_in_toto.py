"""Do classic layouts, links and artifact rules give the answers that in-toto's own implementations state?"""

import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from glasswing_attest._wire import Node, read_json
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.attestation import Attestation
from glasswing_attest.chain.layout import rules
from glasswing_attest.chain.layout.check import Inspected, VerifiedLayout, verify_layout
from glasswing_attest.chain.layout.rules import Flow, Rule, require_plain
from glasswing_attest.errors import (
    ArtifactRuleBroken,
    FieldMissing,
    FieldRefused,
    GlasswingError,
    KeyUntrusted,
    SignatureUnsupported,
    StatementTypeUnsupported,
    StepUnproven,
    UsageError,
)
from glasswing_attest.keys import PublicKey
from glasswing_attest.metablock import Metablock
from glasswing_attest.trust.root import Trust
from glasswing_attest.verification import signature
from glasswing_attest.verification.procedure import prove
from tests import layouts
from tests.shared import Case, cases

AT = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLE = "in-toto-golang/test/data"
DEMOS = "in-toto-python/tests"


# --- layouts ---------------------------------------------------------------------------------------------------------

# The class, code and place of each stated refusal.
_REFUSED: dict[str, tuple[type[GlasswingError], str, str]] = {
    # No key is the caller's mistake: nobody could be meant.
    "golang.demo.layout.no-keys": (UsageError, "usage", "keys"),
    "golang.demo.layout.wrong-key": (KeyUntrusted, "verification.key-untrusted", "$.signatures"),
    "golang.dsse-only.wrong-key": (KeyUntrusted, "verification.key-untrusted", "$.signatures"),
    "golang.super.layout.expired-unsigned": (FieldMissing, "malformed.field-missing", "$.signatures"),
    "derived.missing-link": (StepUnproven, "verification.step", "steps.package"),
    "derived.link-bad-signature": (StepUnproven, "verification.step", "steps.write-code"),
    "derived.product-tampered": (ArtifactRuleBroken, "verification.artifact-rule", "untar.expected_materials[1]"),
}


def untarred(path: Path) -> Inspected:
    """What `tar xfz` uses and makes of this file: computed here, since nothing is run."""
    data = path.read_bytes()
    before = {path.name: DigestSet.of(sha256=hashlib.sha256(data).hexdigest())}
    after = dict(before)
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member)
                assert file is not None
                after[member.name] = DigestSet.of(sha256=hashlib.sha256(file.read()).hexdigest())
    except tarfile.TarError:  # a broken archive makes nothing
        pass
    return Inspected(materials=before, products=after)


def followed(case: Case, folder: Path) -> VerifiedLayout:
    keys = [PublicKey.from_pem(key["keyval"]["public"], scheme=key["scheme"]) for key in case.params["layout_keys"]]
    product = case.files.get("product")
    return verify_layout(
        (folder / case.files["layout"]).read_bytes(),
        [path.read_bytes() for path in sorted((folder / case.files["link_dir"]).glob("*.link"))],
        keys=keys,
        at=AT,
        inspections={} if product is None else {"untar": untarred(folder / product)},
    )


@pytest.mark.parametrize("case", cases("intoto-layout", corpus="in-toto-golang"))
def test_a_layout_gives_its_stated_answer(case: Case, shared_data: Path) -> None:
    if case.expect == "accept":
        proof = followed(case, shared_data)
        assert [(step.name, len(step.functionaries)) for step in proof.steps] == [("write-code", 1), ("package", 1)]
        assert [product.name for product in proof.products] == ["foo.tar.gz"]
        assert proof.inspections == ("untar",)
        return
    error, code, where = _REFUSED[case.case]
    with pytest.raises(error) as refused:
        followed(case, shared_data)
    assert (refused.value.code, refused.value.where) == (code, where)
    match case.raw["stage"]:
        case "link-missing":
            assert refused.value.__cause__ is None  # not one link claims to be about the step
        case "link-signature":
            assert isinstance(refused.value.__cause__, KeyUntrusted)
            assert refused.value.__cause__.where == "$.signatures"
        case "artifact-rule":
            assert (refused.value.found, refused.value.wanted) == ("foo.tar.gz", "DISALLOW foo.tar.gz")
        case stage:
            assert stage.startswith("layout-signature")


@pytest.mark.parametrize("case", cases("intoto-threshold"))
def test_a_threshold_counts_distinct_functionaries(case: Case, shared_data: Path) -> None:
    keys = json.loads((shared_data / case.files["layout_for_keys"]).read_bytes())["signed"]["keys"]
    owner = CryptoSigner.generate_ed25519()
    step = {**layouts.step(case.params["step"]), "pubkeys": case.params["pubkeys"], "threshold": 2}
    laid_down = {**layouts.layout(step, signers=()), "keys": {name: keys[name] for name in case.params["pubkeys"]}}
    links = [(shared_data / case.files[name]).read_bytes() for name in ("link1", "link2") if name in case.files]
    if case.params["break_second_signature"]:
        second = json.loads((shared_data / SAMPLE / "foo.d3ffd108.link").read_bytes())
        second["signatures"][0]["sig"] = "00" + second["signatures"][0]["sig"][2:]
        links.append(json.dumps(second).encode())
    document = layouts.metablock(laid_down, owner)
    if case.expect == "accept":
        proof = verify_layout(document, links, keys=[layouts.public(owner)], at=AT)
        assert len(proof.steps[0].functionaries) == 2
        return
    with pytest.raises(StepUnproven) as refused:
        verify_layout(document, links, keys=[layouts.public(owner)], at=AT)
    assert refused.value.where == "steps.foo"
    assert refused.value.found == "1 of its 2 functionaries"


# --- rules -----------------------------------------------------------------------------------------------------------

_NORMALISED = "contested: it needs ./bar/..//foo.py to be foo.py; such a name is refused here, see decision 12"
_NEITHER = "a step and an inspection are two types, and no value is neither"
_LATER = "rules are asked once each step and inspection is there: see tests/unit/chain/test_layout.py"
_TYPES = {
    "in-toto-golang:rules.03.item-must-be-one-of-step-or-inspection": _NEITHER,
    "in-toto-golang:rules.04.can-t-find-link-metadata-for-step": _LATER,
    "in-toto-golang:rules.05.can-t-find-link-metadata-for-inspection": _LATER,
}


def digests(told: dict[str, str]) -> DigestSet:
    """The digests of a case, which are called sha265 and are none: equal ones stay equal, and get a digest's form."""
    return DigestSet.of(sha256=told["sha265"].encode().hex().ljust(64, "0"))


def flows(links: Any) -> dict[str, Flow]:
    def side(link: dict[str, Any], name: str) -> dict[str, DigestSet]:
        found = {path: digests(told) for path, told in (link.get(name) or {}).items()}
        for path in found:
            require_plain(path, f"{link['Name']}.{name}")
        return found

    told = links.items() if isinstance(links, dict) else []
    return {n: Flow(materials=side(link, "Materials"), products=side(link, "Products")) for n, link in told}


def rule(words: list[str]) -> Rule:
    return Rule.parse(Node(None, "$.rule"), tuple(words))


@pytest.mark.parametrize("case", cases("intoto-artifact-rules", skip=_TYPES))
def test_artifact_rules_give_their_stated_answer(case: Case) -> None:
    (item,) = case.params["items"]

    def apply() -> None:
        seen = flows(case.params["links"])
        for of in ("materials", "products"):
            told = [rule(words) for words in item.get(f"Expected{of.capitalize()}", ())]
            rules.apply(told, of, item["Name"], seen)

    if "contested" in case.raw:
        assert case.expect == "accept", _NORMALISED
        with pytest.raises(FieldRefused) as named:
            apply()
        assert named.value.wanted == "a path in its shortest form, with / alone"
        return
    assert case.expect == "reject"
    error = FieldRefused if case.raw["why"] == "rule format" else ArtifactRuleBroken
    with pytest.raises(error) as refused:
        apply()
    if error is FieldRefused:
        assert (refused.value.where, refused.value.found) == ("$.rule", "INVALID rule")
        return
    of = "materials" if "materials" in case.raw["why"] else "products"
    last = len(item[f"Expected{of.capitalize()}"]) - 1
    assert refused.value.where == f"foo.expected_{of}[{last}]"
    words = item[f"Expected{of.capitalize()}"][last]
    assert refused.value.wanted == " ".join(words)


@pytest.mark.parametrize("case", cases("intoto-match-rule"))
def test_a_match_consumes_what_is_stated(case: Case) -> None:
    told = case.params["rule"]
    if not told:
        with pytest.raises(FieldRefused) as refused:  # a rule without words never comes to be one
            rule([])
        assert refused.value.where == "$.rule"
        return
    within = ["IN", told["srcPrefix"]] if "srcPrefix" in told else []
    there = ["IN", told["dstPrefix"]] if "dstPrefix" in told else []
    match = rule(["MATCH", told["pattern"], *within, "WITH", told["dstType"].upper(), *there, "FROM", told["dstName"]])
    here = Flow(materials={path: digests(d) for path, d in case.params["source_artifacts"].items()}, products={})
    consumed = match.consumed(set(here.materials), "materials", here, flows(case.params["links"]), "here")
    assert sorted(consumed) == sorted(case.params["expected_consumed"])


# --- links -----------------------------------------------------------------------------------------------------------

# Links with the keys that made them, by their files.
_KEYS = {
    "write-code.b7d643de.link": "demo.layout",
    "package.d3ffd108.link": "demo.layout",
    "clone-dsse.776a00e2.link": "dsse-only.root.layout",
    "update-version-dsse.776a00e2.link": "dsse-only.root.layout",
    "package-dsse.2f89b927.link": "dsse-only.root.layout",
}


def keys_of(layout: bytes) -> dict[str, PublicKey]:
    told = read_json(Attestation.parse(layout).envelope.payload).need("keys")
    return {
        name: PublicKey.from_pem(key.need("keyval").need("public").text(), scheme=key.need("scheme").text())
        for name, key in told.members()
    }


@pytest.mark.parametrize("name", _KEYS)
def test_a_link_of_in_toto_golang_is_evidence(name: str, shared_data: Path) -> None:
    folder = shared_data / SAMPLE
    attestation = Attestation.parse((folder / name).read_bytes())
    keys = keys_of((folder / _KEYS[name]).read_bytes())
    by = attestation.envelope.signatures[0].keyid
    assert by[:8] == name.split(".")[1]
    (verified,) = prove(attestation, Trust.of(keys), claimed_at=AT)
    assert verified.signer.names == {by}
    assert verified.statement.predicate_type == "https://in-toto.io/Link/v1"
    assert verified.statement.predicate["name"] == name.split(".", maxsplit=1)[0]
    assert all(len(subject.digest.identity) == 1 for subject in verified.statement.subjects)
    strangers = Trust.of({n: key for n, key in keys.items() if n != by} or {"other": untrusted()})
    with pytest.raises(KeyUntrusted):
        prove(attestation, strangers, claimed_at=AT)


def untrusted() -> PublicKey:
    return layouts.public(CryptoSigner.generate_ed25519())


@pytest.mark.parametrize("folder", ["demo_files", "demo_dsse_files"])
def test_the_demo_of_in_toto_python_is_followed(folder: str, shared_data: Path) -> None:
    # The layout comes without a signature, as a template for its tests: it is signed here, as they do.
    source = shared_data / DEMOS
    owner = CryptoSigner.generate_ed25519()
    template = json.loads((source / "demo_files" / "demo.layout.template").read_bytes())["signed"]
    sign = layouts.metablock if folder == "demo_files" else layouts.envelope
    links = [path.read_bytes() for path in sorted((source / folder).glob("*.link"))]
    proof = verify_layout(
        sign({**template, "expires": layouts.EXPIRES}, owner),
        links,
        keys=[layouts.public(owner)],
        at=AT,
        inspections={"untar": untarred(source / "demo_files" / "foo.tar.gz")},
    )
    assert [step.name for step in proof.steps] == ["write-code", "package"]
    assert {type(Attestation.parse(link).envelope) is Metablock for link in links} == {folder == "demo_files"}


def test_links_signed_through_openpgp_are_unsupported_by_name(shared_data: Path) -> None:
    paths = sorted((shared_data / DEMOS / "demo_files_gpg").glob("*.link"))
    assert len(paths) == 2
    for path in paths:
        with pytest.raises(SignatureUnsupported) as refused:
            Attestation.parse(path.read_bytes())
        assert (refused.value.code, refused.value.where) == ("unsupported.signature", "$.signatures")
        assert refused.value.found == "OpenPGP"


def test_a_layout_is_no_evidence(shared_data: Path) -> None:
    folder = shared_data / SAMPLE
    for name in ("demo.layout", "demo.dsse.layout"):
        attestation = Attestation.parse((folder / name).read_bytes())
        owner = PublicKey.from_pem((folder / "alice.pub").read_bytes())
        assert signature.check_by(attestation, owner).key == owner
        with pytest.raises(StatementTypeUnsupported) as refused:
            prove(attestation, Trust.of(owner=owner), claimed_at=AT)
        assert (refused.value.where, refused.value.found) == ("$._type", "layout")
