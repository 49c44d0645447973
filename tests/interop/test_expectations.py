"""Do others' expectations of provenance hold for ours?

AMPEL's policies are CEL over the statement; they are run here as they stand, by a CEL interpreter that is not AMPEL's.
GitHub's own provenance is compared member by member with what we write on the same platform.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import celpy
import pytest
from celpy import celtypes
from celpy.adapter import json_to_cel

from glasswing_attest import Attestation, Build, KeySigner, attest
from glasswing_attest.artifact.file import Blob
from tests.shared import Case, cases

BUILD_POINT = "carabiner-policies/slsa/slsa-build-point.json"
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "workflow_dispatch",
    "GITHUB_REF": "refs/heads/publish-to-bcr",
    "GITHUB_REPOSITORY": "aspect-build/rules_lint",
    "GITHUB_REPOSITORY_ID": "631710741",
    "GITHUB_REPOSITORY_OWNER_ID": "60951090",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_RUN_ID": "14095611671",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "8f70009fde0c94ade6ce2a054b94718c819126ec",
    "GITHUB_TOKEN": "ghs_" + "x" * 36,
    "GITHUB_WORKFLOW_REF": "aspect-build/rules_lint/.github/workflows/release.yml@refs/heads/publish-to-bcr",
    "RUNNER_ENVIRONMENT": "github-hosted",
}
"""The environment in which GitHub made the provenance of slsa-verifier's case, as far as that tells it."""


def ours() -> Attestation:
    with Build.from_environment(GITHUB, builder="https://ci.example/trainer") as build:
        pass
    return attest(Blob(b"made", name="made"), build.provenance(), signer=KeySigner.generate())


# --- AMPEL -----------------------------------------------------------------------------------------------------------


def _split(text: Any, at: Any) -> Any:
    """CEL's string extension, which AMPEL turns on."""
    return celtypes.ListType([celtypes.StringType(part) for part in str(text).split(str(at))])


def _cel(code: str, values: Mapping[str, Any]) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(code), functions={"split": _split}).evaluate(dict(values))


def ampel(policy: Mapping[str, Any], statement: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Whether one of the policy's tenets about this type of statement passes."""
    unset: dict[str, Any] = {"string": "", "bool": False}
    told = {name: said.get("default", unset[said["type"]]) for name, said in policy["context"].items()} | dict(context)
    (tenet,) = [t for t in policy["tenets"] if statement["predicateType"] in t["predicates"]["types"]]
    values = {"predicate": json_to_cel({"data": statement["predicate"]}), "context": json_to_cel(told)}
    outputs = {celtypes.StringType(k): _cel(v["code"], values) for k, v in tenet["outputs"].items()}
    return bool(_cel(tenet["code"], {**values, "outputs": celtypes.MapType(outputs)}))


@pytest.mark.parametrize("case", [c for c in cases("ampel-policy") if (c.id and "slsa/" in c.id) or not c.values[0]])
def test_the_interpreter_gives_ampels_answers(case: Case, shared_data: Path) -> None:
    policy, (name,) = json.loads((shared_data / case.files["policy"]).read_bytes()), case.files["attestations"]
    statement = json.loads((shared_data / name).read_bytes())
    assert ampel(policy, statement, case.params["context"]) is (case.expect == "accept")


@pytest.mark.parametrize(
    ("context", "passes"),
    [
        ({"buildPoint": "git+https://github.com/aspect-build/rules_lint"}, True),
        ({"buildPoint": "git+https://github.com/aspect-build/rules_lint@refs/heads/publish-to-bcr"}, True),
        ({"buildPointCommit": f"gitCommit:{GITHUB['GITHUB_SHA']}", "buildPointAllowRepo": False}, True),
        ({"buildPointCommit": "0" * 40}, False),
        ({"buildPoint": "git+https://github.com/aspect-build/other"}, False),
    ],
)
def test_our_provenance_meets_ampels_build_point(context: dict[str, Any], passes: bool, shared_data: Path) -> None:
    told = {"buildPoint": "git+https://github.com/aspect-build/rules_lint@refs/heads/publish-to-bcr"} | context
    policy = json.loads((shared_data / BUILD_POINT).read_bytes())
    assert ampel(policy, json.loads(ours().envelope.payload), told) is passes


# --- GitHub's own ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("slsa-github-attestation")[:1])
def test_on_github_we_say_what_github_says(case: Case, shared_data: Path) -> None:
    # slsa-verifier's case: its expectations of source and workflow are about these very members.
    line = (shared_data / case.files["provenance"]).read_bytes().splitlines()[0]
    theirs = json.loads(base64.b64decode(json.loads(line)["dsseEnvelope"]["payload"]))["predicate"]
    said = json.loads(ours().envelope.payload)["predicate"]
    assert said["buildDefinition"]["buildType"] == theirs["buildDefinition"]["buildType"]
    assert said["buildDefinition"]["externalParameters"] == theirs["buildDefinition"]["externalParameters"]
    assert said["buildDefinition"]["internalParameters"] == theirs["buildDefinition"]["internalParameters"]
    (source,) = said["buildDefinition"]["resolvedDependencies"]
    # The role is our addition: an annotation, which who does not know it ignores.
    assert {k: v for k, v in source.items() if k != "annotations"} == (
        theirs["buildDefinition"]["resolvedDependencies"][0]
    )
    assert said["runDetails"]["metadata"]["invocationId"] == theirs["runDetails"]["metadata"]["invocationId"]
    # Who builds is for the one who signs to say: here a key of ours, which is no workflow of GitHub's.
    assert said["runDetails"]["builder"] == {"id": "https://ci.example/trainer"}
    assert f"github.com/{case.params['source_uri'].split('/', 1)[1]}" in source["uri"]
