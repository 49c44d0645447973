"""How are slsa-verifier's options said in our policy, and how is a case asked whose log entry is not here?

--source-uri             expect.source; and the certificate's source_repository_uri, where it has one
--source-branch NAME     expect.ref: refs/heads/NAME
--source-tag NAME        expect.ref: refs/tags/NAME
--source-versioned-tag   expect.ref, one alternative for each way to write the version: refs/tags/v1, refs/tags/v1.*
--builder-id             expect.builder, and who signs for that builder; without it, the builders that it knows
--build-workflow-input   expect.parameters
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from glasswing_attest.attestation import Attestation
from glasswing_attest.policies.parts import one_of, trimmed
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.statement.predicates.run import PROVENANCE_V02, PROVENANCE_V1
from glasswing_attest.testing import Holder, VirtualSigstore
from glasswing_attest.testing.sigstore import Logs
from glasswing_attest.verification.certificate import Leaf
from glasswing_attest.verification.signature import check_by

Plain = dict[str, Any]

ISSUER = "https://token.actions.githubusercontent.com"
GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows"
RELEASED = "refs/tags/v*"

# A builder that signs for itself, and the provenance that it writes.
OWN = {
    f"{GENERATOR}/builder_go_slsa3.yml": PROVENANCE_V02,
    f"{GENERATOR}/generator_generic_slsa3.yml": PROVENANCE_V02,
    f"{GENERATOR}/builder_container-based_slsa3.yml": PROVENANCE_V1,
}
# A workflow that signs for the builders of others, and those of them that need not be named.
DELEGATORS = (f"{GENERATOR}/delegator_lowperms-generic_slsa3.yml", f"{GENERATOR}/delegator_generic_slsa3.yml")
DELEGATES = (f"{GENERATOR}/builder_maven_slsa3.yml", f"{GENERATOR}/builder_gradle_slsa3.yml")
# slsa-verifier lets the generator's own tests use what is not released yet.
ITS_OWN_TESTS = "github.com/slsa-framework/example-package"

_VERSION = re.compile(r"v(\d+)(?:\.(\d+)(?:\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?)?")


def written(version: str) -> tuple[str, ...]:
    """Every way to write a tag that is this version, or one within it. Raises `ValueError` for what is none.

    >>> written("v1.2"), written("v1.0")
    (('v1.2', 'v1.2.*'), ('v1', 'v1.0', 'v1.0.*'))
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(version)
    major, minor, patch, before = found.groups()
    if minor is None:
        return (f"v{major}", f"v{major}.*")
    short = (f"v{major}",) if int(minor) == 0 else ()
    if patch is None:
        return (*short, f"v{major}.{minor}", f"v{major}.{minor}.*")
    whole = f"v{major}.{minor}.{patch}{before or ''}"
    if before or int(patch) != 0:
        return (whole, f"{whole}+*")
    return (*short, f"v{major}.{minor}", whole, f"{whole}+*")


def refs(params: Mapping[str, Any]) -> tuple[str | None, ...]:
    """The references of which a build may be from one; None for any. Of a branch and a tag, either alone refuses."""
    if "branch" in params:
        return (f"refs/heads/{params['branch']}",)
    if "tag" in params:
        return (f"refs/tags/{params['tag']}",)
    return (
        tuple(f"refs/tags/{tag}" for tag in written(params["versioned_tag"])) if "versioned_tag" in params else (None,)
    )


def _builders(params: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], str, str]]:
    """Who may sign for which builder, and in which version of provenance."""
    named, _, version = params.get("builder_id", "").partition("@")
    release = f"refs/tags/{version.removeprefix('refs/tags/')}" if version else RELEASED
    versions = [release]
    if params["source_uri"] == ITS_OWN_TESTS and not version:
        versions.append("refs/heads/main")
    for at in versions:
        for builder, predicate in OWN.items():
            if named in ("", builder):
                yield (f"{builder}@{at}",), f"{builder}@{at}", predicate
    for builder in DELEGATES if not named else () if named in OWN else (named,):
        yield tuple(f"{delegator}@{RELEASED}" for delegator in DELEGATORS), f"{builder}@{release}", PROVENANCE_V1
    if named and named not in (*OWN, *DELEGATES):
        for predicate in (PROVENANCE_V02, PROVENANCE_V1):
            yield (f"{named}@{release}",), f"{named}@{release}", predicate


def github(params: Mapping[str, Any], *, kind: str = "file", by_certificate: bool = False) -> Policy:
    """The policy that a case of the GitHub builders asks for.

    `by_certificate` asks GitHub's word for the source as well: without it, the builder's alone is looked at.
    """
    source = f"https://{params['source_uri']}"
    inputs = params.get("workflow_inputs", {})
    event = "environment.github_event_payload.inputs"
    equal = {f"{event}.{name}": value for name, value in inputs.items()}
    identities: dict[str, Plain] = {}
    builders: list[Plain] = []
    alternatives: list[Plain] = []
    claims = {"source_repository_uri": source, "runner_environment": "github-hosted"} if by_certificate else {}
    for signers, builder, predicate in _builders(params):
        identities |= {san: {"issuer": ISSUER, "san": san, "claims": claims} for san in signers}
        builders.append({"id": builder, "signed_by": signers, "level": 3})
        for ref in refs(params):
            expect: Plain = {"builder": builder, "level": 3, "source": source}
            if ref is not None:
                expect["ref"] = ref
            if inputs:
                expect["parameters"] = {"equal": equal, "allow": ["configSource", "environment", "parameters"]}
            requirement = {"predicate": predicate, "signed_by": {"any_of": signers}, "expect": expect}
            alternatives.append({"require": [requirement]})
    plain: Plain = {
        "version": 1,
        "declared": "allow",  # a case tells the artifact's digest, not its bytes
        "identities": identities,
        "builders": builders,
        "nodes": {**trimmed(ROLES), kind: one_of(alternatives)},
    }
    return Policy(**plain)


def stand_in(envelope: bytes, sigstore: VirtualSigstore, *, log: Logs = "v1") -> Attestation:
    """The same statement by the same signer, logged in a Sigstore of ours: the real log would have to be asked.

    The real signature is checked all the same, by the key of the certificate that came with it.
    """
    (signature,) = json.loads(envelope)["signatures"]
    certificate = x509.load_pem_x509_certificate(signature["cert"].encode())
    leaf = Leaf.parse(certificate.public_bytes(Encoding.DER))
    read = Attestation.parse(envelope)
    check_by(read, leaf.key)
    holder = Holder(san=leaf.san, issuer=leaf.issuer, claims=dict(leaf.claims))
    return sigstore.sign(read.envelope.payload, identity=holder, stamps=0, log=log)
