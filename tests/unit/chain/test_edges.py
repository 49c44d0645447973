"""Which edges does each predicate type draw, and where do they lead?  docs: ARCHITECTURE, "The chain"; spec/.

How each type is read stands in its own tests; here is the registry as a whole, as the walk uses it.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from glasswing_attest import Attestation, Manifest, Policy, Report, Trust, Verifier
from glasswing_attest._wire import Node
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.claims import BUILT_IN, registry_of
from glasswing_attest.limits import DEFAULT
from glasswing_attest.records import registry as records
from glasswing_attest.statement.predicates import witness
from glasswing_attest.statement.predicates.classic_link import LINK_V1
from glasswing_attest.statement.predicates.link import LINK_V03
from glasswing_attest.statement.predicates.oms import OMS_V1, ModelSignature, OmsResource
from glasswing_attest.statement.predicates.reference import REFERENCE_V01
from glasswing_attest.statement.predicates.run import (
    IN_TOTO_PROVENANCE_V01,
    PROVENANCE_V01,
    PROVENANCE_V02,
    PROVENANCE_V1,
)
from glasswing_attest.statement.predicates.source import SOURCE_PROVENANCE_V1
from glasswing_attest.statement.predicates.summary import SUMMARY_V1
from glasswing_attest.store.memory import MemoryStore
from tests.chains import BUILDER, honest, seal, signer, statement, tree

TRUST = Trust.of({name: signer(name).public_key for name in ("ci", "release", "other")})
SHA = "ab" * 32
COMMIT = "c0ffee" + "0" * 34
GITHUB = "https://actions.github.io/buildtypes/workflow/v1"
TEKTON = "https://tekton.dev/chains/v2/slsa"


def provenance(build_type: str, *inputs: Mapping[str, Any], **external: Any) -> dict[str, Any]:
    definition = {"buildType": build_type, "externalParameters": external, "resolvedDependencies": list(inputs)}
    return {"buildDefinition": definition, "runDetails": {"builder": {"id": BUILDER}}}


def input_(**members: Any) -> dict[str, Any]:
    return {"digest": {"sha256": SHA}, **members}


SOURCE = {"uri": "git+https://github.com/acme/train@refs/heads/main", "digest": {"gitCommit": COMMIT}}
WORKFLOW = {"workflow": {"repository": "https://github.com/acme/train", "ref": "refs/heads/main", "path": "x.yml"}}
V02 = {"builder": {"id": BUILDER}, "buildType": "https://ci.example/v1", "materials": [input_(uri="pkg:pypi/numpy@2")]}
SUMMARY: dict[str, Any] = {
    "verifier": {"id": "https://verifier.example"},
    "timeVerified": "2026-01-01T00:00:00Z",
    "resourceUri": "git+https://github.com/acme/train",
    "policy": {"uri": "https://verifier.example/policy"},
    "inputAttestations": [{"uri": "https://verifier.example/evidence", "digest": {"sha256": SHA}}],
    "verificationResult": "PASSED",
    "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"],
}

# What each type says, and the kinds of the edges that it draws to the digest `SHA`, or to the commit.
DRAWN: list[tuple[str, str, dict[str, Any], list[str]]] = [
    *(
        (f"v1, role {role}", PROVENANCE_V1, provenance("t:", input_(annotations={"role": role})), [role])
        for role in ("code", "dataset", "baseModel", "checkpoint", "dependency", "image", "tool")
    ),
    ("v1, no role", PROVENANCE_V1, provenance("t:", input_(name="x")), ["dependency"]),
    (
        "v1, a role of somebody's own",
        PROVENANCE_V1,
        provenance("t:", input_(annotations={"role": "x"})),
        ["dependency"],
    ),
    ("GitHub, the source", PROVENANCE_V1, provenance(GITHUB, SOURCE, **WORKFLOW), ["code"]),
    ("GitHub, another input", PROVENANCE_V1, provenance(GITHUB, input_(uri="x:y"), **WORKFLOW), ["dependency"]),
    (
        "Tekton, source and step image",
        PROVENANCE_V1,
        provenance(
            TEKTON,
            {**SOURCE, "name": "inputs/result"},
            {"uri": "oci://r.example/image", "digest": {"sha256": SHA}},
            input_(name="pipelineTask", uri="x:y"),
        ),
        ["code", "image", "dependency"],
    ),
    ("v0.2", PROVENANCE_V02, V02, ["dependency"]),
    (
        "v0.2, the configuration's source",
        PROVENANCE_V02,
        {
            **V02,
            "invocation": {"configSource": {"uri": SOURCE["uri"], "digest": {"sha1": COMMIT}}},
            "materials": [{"uri": SOURCE["uri"], "digest": {"sha1": COMMIT}}],
        },
        ["code"],
    ),
    ("v0.1", PROVENANCE_V01, {"builder": {"id": BUILDER}, "materials": [input_(uri="x:y")]}, ["dependency"]),
    (
        "v0.1 of in-toto",
        IN_TOTO_PROVENANCE_V01,
        {"builder": {"id": BUILDER}, "materials": [input_(uri="x:y")]},
        ["dependency"],
    ),
    (
        "link",
        LINK_V03,
        {"name": "build", "materials": [input_(name="a", annotations={"role": "dataset"})]},
        ["dependency"],
    ),
    ("VSA, a cut", SUMMARY_V1, SUMMARY, []),
    (
        "reference",
        REFERENCE_V01,
        {
            "attester": {"id": "https://a.example"},
            "references": [input_(downloadLocation="https://a.example/x", mediaType="application/json")],
        },
        [],
    ),
    (
        "source provenance",
        SOURCE_PROVENANCE_V1,
        {"repoUri": "https://github.com/acme/train", "prevCommit": "0" * 40},
        [],
    ),
]


@pytest.mark.parametrize(("predicate_type", "said", "kinds"), [row[1:] for row in DRAWN], ids=[row[0] for row in DRAWN])
def test_each_type_draws_its_edges(predicate_type: str, said: dict[str, Any], kinds: list[str]) -> None:
    kind = registry_of()[predicate_type]
    predicate = kind.parse(Node(said), DEFAULT)
    drawn = list(kind.dependencies(predicate)) if kind.dependencies is not None else []
    assert [edge.kind for edge in drawn] == kinds
    digests = {digest for edge in drawn for digest in edge.resource.digest.to_dict().values()}
    assert digests <= {SHA, COMMIT}


def test_these_types_draw_edges_and_no_others() -> None:
    drawing = {kind.uri for kind in BUILT_IN if kind.dependencies is not None}
    assert drawing == {PROVENANCE_V1, PROVENANCE_V02, PROVENANCE_V01, IN_TOTO_PROVENANCE_V01, LINK_V03, LINK_V1}
    assert drawing - {LINK_V1} <= {row[1] for row in DRAWN}  # a classic link is no statement: tests/unit/statement
    # What is of lower assurance than a build's own word is read only where somebody asks for it.
    assert {kind.uri for kind in witness.TYPES}.isdisjoint(kind.uri for kind in BUILT_IN)
    assert all(kind.dependencies is not None for kind in witness.TYPES)
    # A record describes. How something was made, and from what, is provenance, which its builder signs.
    assert {record.predicate_type for record in records}.isdisjoint(drawing)


# --- in a chain ------------------------------------------------------------------------------------------------------

MADE: dict[str, Any] = {
    "predicate": PROVENANCE_V1,
    "signed_by": {"any_of": ["ci"]},
    "expect": {"builder": "https://ci.example/*"},
}
LINKED: dict[str, Any] = {"predicate": LINK_V03, "signed_by": {"any_of": ["ci"]}}
SUMMED: dict[str, Any] = {
    "predicate": SUMMARY_V1,
    "signed_by": {"any_of": ["ci"]},
    "expect": {"verifier": "https://verifier.example", "resource": "git+https://github.com/acme/train"},
}
SIGNED: dict[str, Any] = {"predicate": OMS_V1, "signed_by": {"any_of": ["release"]}}


def verifier(**nodes: Any) -> Verifier:
    said = {
        "version": 1,
        "times": "claimed",
        "identities": {name: {"key": name} for name in ("ci", "release")},
        "nodes": nodes,
    }
    return Verifier(policy=Policy.model_validate(said), trust=TRUST)


def about(*subjects: Mapping[str, Any], by: str = "ci", kind: str = PROVENANCE_V1, **said: Any) -> bytes:
    return seal(statement(subjects, kind, said), signer(by))


def of(thing: Manifest) -> dict[str, Any]:
    return {"name": thing.name, "digest": thing.digests.to_dict()}


MODEL = honest().model
LINK = about(of(MODEL), kind=LINK_V03, name="train", materials=[input_(name="data")])


def test_lower_assurance_is_followed_only_where_the_policy_asks_for_it() -> None:
    run = about(of(MODEL), **provenance("t:"))
    assert verifier(model={"require": [MADE]}).assess(MODEL, [run, LINK]).accepted
    report = verifier(model={"require": [LINKED]}).assess(MODEL, [run, LINK])
    assert report.cause is not None
    assert (report.cause.code, report.cause.subject) == ("chain.no-rule", "dependency data")


def test_a_summary_cuts_what_it_is_about() -> None:
    source = {"uri": "git+https://github.com/acme/train", "digest": {"gitCommit": COMMIT}}
    run = about(of(MODEL), **provenance("t:", {**source, "annotations": {"role": "code"}}))
    rules = {"model": {"require": [MADE]}, "code": {"require": [SUMMED]}}
    assert not verifier(**rules).assess(MODEL, [run]).accepted
    summary = about({"name": "s", **source}, kind=SUMMARY_V1, **SUMMARY)
    report = verifier(**rules).assess(MODEL, [run, summary])
    assert report.accepted
    assert report.graph is not None
    (code,) = [node for node in report.graph.nodes if node.kind == "code"]
    assert report.graph.inputs(code.identity) == ()


# --- a signed list of files, and the run that names them all ---------------------------------------------------------

FILES = {"config.json": b"{}", "weights/0.bin": b"zero", "weights/1.bin": b"one"}


def model(**files: bytes) -> Manifest:
    return tree("model", {**FILES, **files}, "m")


def listed(files: Mapping[str, bytes], *more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every file as a subject of its own, as a build that knows no directories writes them."""
    named = [{"name": n, "digest": {"sha256": hashlib.sha256(data).hexdigest()}} for n, data in files.items()]
    return [*named, *map(dict, more)]


def oms(files: Mapping[str, bytes], by: str = "release") -> bytes:
    resources = tuple(OmsResource(name=name, digest=hashlib.sha256(files[name]).hexdigest()) for name in sorted(files))
    signature = ModelSignature(resources=resources)
    subject = {"name": "m", "digest": {"sha256": signature.root()}}
    return seal(statement([subject], OMS_V1, signature.to_predicate()), signer(by))


BOTH = {"model": {"require": [SIGNED, MADE]}}
RUN = about(*listed(FILES), **provenance("t:"))


def asked(artifact: Manifest, *evidence: bytes, rules: Mapping[str, Any] = BOTH) -> Report:
    return verifier(**rules).assess(artifact, evidence)


def test_a_run_that_names_every_file_of_a_signed_model() -> None:
    report = asked(model(), oms(FILES), RUN)
    assert report.accepted
    assert report.graph is not None
    ((role, run),) = report.graph.parents(report.graph.root)
    assert (role, run.kind, run.state.value) == ("run", "run", "verified")
    # What else the run made does not matter: the list is the signer's.
    assert asked(model(), oms(FILES), about(*listed({**FILES, "log.txt": b"log"}), **provenance("t:"))).accepted
    # And what the run was made from is asked for as ever.
    from_data = about(*listed(FILES), **provenance("t:", input_(name="data", annotations={"role": "dataset"})))
    broken = asked(model(), oms(FILES), from_data)
    assert broken.cause is not None
    assert (broken.cause.code, broken.cause.subject) == ("chain.no-rule", "dataset data")


SWAPPED = {**FILES, "weights/0.bin": b"one", "weights/1.bin": b"zero"}


@pytest.mark.parametrize(
    "run",
    [
        listed({name: FILES[name] for name in list(FILES)[:2]}),
        listed({**FILES, "config.json": b"[]"}),
        listed(SWAPPED),
        listed({f"out/{name}": data for name, data in FILES.items()}),
        [{"name": "m", "digest": {"sha256": hashlib.sha256(b"").hexdigest()}}],
    ],
    ids=["a file is missing", "other bytes", "swapped names", "other names", "something else"],
)
def test_a_run_that_does_not_name_them_all(run: list[dict[str, Any]]) -> None:
    report = asked(model(), oms(FILES), about(*run, **provenance("t:")))
    assert report.verdict == "refused"
    assert report.cause is not None
    assert report.cause.code in ("chain.no-attestation", "verification.subject")


def test_the_files_are_never_united_over_two_runs() -> None:
    first, second = (
        about(*listed({name: FILES[name] for name in names}), **provenance("t:"))
        for names in (list(FILES)[:2], list(FILES)[1:])
    )
    assert asked(model(), oms(FILES), first, second).verdict == "refused"


def test_the_list_must_be_signed_by_whom_the_policy_names() -> None:
    # A file left out, and the rest signed by oneself: the run still names every file that is there.
    fewer = {name: data for name, data in FILES.items() if name != "config.json"}
    artifact = tree("model", fewer, "m")
    for forged in ([oms(fewer, by="other")], [oms(fewer, by="ci")], [oms(FILES)], []):
        report = asked(artifact, RUN, *forged)
        assert report.verdict == "refused"
        assert report.claims == ()


def test_without_a_rule_for_the_list_nothing_joins() -> None:
    made_only = {"model": {"require": [MADE]}}
    assert asked(model(), oms(FILES), RUN, rules=made_only).verdict == "refused"
    # One alternative's list is not another's.
    either = {"model": {"any_of": [{"require": [MADE]}, {"require": [SIGNED, MADE]}]}}
    assert asked(model(), RUN, rules=either).verdict == "refused"
    assert asked(model(), oms(FILES), RUN, rules=either).accepted
    # Nor is it where the other, which is not met, comes first.
    unmet = [{"require": [SIGNED, SUMMED]}, {"require": [MADE]}]
    for several in (unmet, unmet[::-1]):
        assert asked(model(), oms(FILES), RUN, rules={"model": {"any_of": several}}).verdict == "refused"


def test_only_runs_join() -> None:
    # Who says something of each file does not say it of the model.
    summary = {**SUMMARY, "resourceUri": "git+https://github.com/acme/train"}
    rules = {"model": {"require": [SIGNED, SUMMED]}}
    of_files = about(*listed(FILES), kind=SUMMARY_V1, **summary)
    assert asked(model(), oms(FILES), of_files, rules=rules).verdict == "refused"
    assert asked(model(), oms(FILES), about(of(model()), kind=SUMMARY_V1, **summary), rules=rules).accepted


def test_the_digest_of_the_directory_joins_as_ever() -> None:
    assert asked(model(), oms(FILES), about(of(model()), **provenance("t:"))).accepted


def test_a_single_file_is_no_directory() -> None:
    single = {"model.safetensors": b"weights"}
    run = about(*listed(single), **provenance("t:"))
    rules = {"model": {"require": [SIGNED, MADE]}, "file": {"require": [MADE]}}
    assert asked(tree("model", single, "m"), oms(single), run, rules=rules).accepted
    # The listing of a directory, as a file, is none of it.
    digest = tree("model", FILES, "m").digests.get("dirHash")
    assert digest is not None
    as_file = Manifest.declared("file", DigestSet.of(sha256=digest))
    assert asked(as_file, oms(FILES), RUN, rules=rules).verdict == "refused"


def test_a_base_model_joins_as_well_and_a_store_is_asked_for_it() -> None:
    tuned = tree("model", {"tuned.bin": b"tuned"}, "tuned")
    used = {**of(model()), "annotations": {"role": "baseModel"}}
    rules = {"model": {"require": [MADE]}, "baseModel": {"require": [SIGNED, MADE]}}
    tuning = about(of(tuned), **provenance("t:", used))
    assert asked(tuned, tuning, oms(FILES), RUN, rules=rules).accepted
    assert asked(tuned, tuning, oms(FILES), rules=rules).verdict == "refused"
    store = MemoryStore()
    for made in (
        tuning,
        oms(FILES),
        RUN,
        *(about(of(tree("model", {"x": b"%d" % n}, "x")), **provenance("t:")) for n in range(300)),
    ):
        store.add(Attestation.parse(made))
    report = verifier(**rules).assess(tuned, store)
    assert report.accepted
    assert len(report.evidence) == 3  # no more was asked for than that
