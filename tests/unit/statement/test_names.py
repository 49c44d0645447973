"""Does a short name stand for exactly what it stands for elsewhere, and is it gone once it was read?"""

import pytest

from glasswing_attest._complaints import Fault
from glasswing_attest.errors import PolicyRefused
from glasswing_attest.policy.policy import Policy
from glasswing_attest.statement.predicates.names import SHORT_NAMES, name_of, predicate_uri
from glasswing_attest.statement.predicates.registry import registry_of


def policy(predicate: str, more: str = "") -> bytes:
    return (
        "{version: 1, times: claimed, identities: {me: {key: me}}, nodes: {file: {require:"
        f' [{{predicate: "{predicate}", signed_by: {{any_of: [me]}}{more and ", "}{more}}}]}}}}}}'
    ).encode()


def test_the_names_of_cosign() -> None:
    # As `cosign attest --type` has them.
    cosigns = {
        "slsaprovenance": "https://slsa.dev/provenance/v0.2",
        "slsaprovenance02": "https://slsa.dev/provenance/v0.2",
        "slsaprovenance1": "https://slsa.dev/provenance/v1",
        "link": "https://in-toto.io/Link/v1",
        "spdx": "https://spdx.dev/Document",
        "spdxjson": "https://spdx.dev/Document",
        "cyclonedx": "https://cyclonedx.org/bom",
        "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
        "openvex": "https://openvex.dev/ns",
    }
    assert cosigns.items() <= SHORT_NAMES.items()
    # None of ours is one of theirs with another meaning, and each is read without being asked for.
    assert SHORT_NAMES.keys() - cosigns.keys() == {
        *("code", "data", "dependencies", "evaluation", "model"),
        *("oms", "provenance", "reference", "release", "runtime-trace", "scai", "source-provenance"),
        *("svr", "test-result", "vsa", "vulns"),
    }
    assert set(SHORT_NAMES.values()) <= set(registry_of())


@pytest.mark.parametrize("name", sorted(SHORT_NAMES))
def test_a_name_leads_back_from_its_uri(name: str) -> None:
    assert predicate_uri(name_of(SHORT_NAMES[name])) == SHORT_NAMES[name]
    assert name_of("https://slsa.dev/provenance/v0.2") == "slsaprovenance"
    assert name_of("https://example.com/x") == "https://example.com/x"


MORE = {
    "provenance": "expect: {builder: b}",
    "vsa": "expect: {verifier: v, resource: r}",
    "svr": "expect: {verifier: v, properties: [p]}",
    "source-provenance": "expect: {resource: r}",
    "release": "expect: {resource: r}",
}


@pytest.mark.parametrize("name", sorted(SHORT_NAMES))
def test_a_policy_keeps_and_hashes_the_uri(name: str) -> None:
    more = MORE.get("provenance" if "slsaprovenance" in name else name, "")
    short, long = Policy.parse(policy(name, more)), Policy.parse(policy(SHORT_NAMES[name], more))
    assert short.nodes["file"].require[0].predicate == SHORT_NAMES[name]
    assert short == long
    assert short.digest == long.digest


@pytest.mark.parametrize("uri", ["https://example.com/x", "urn:x", "x:y"])
def test_a_uri_is_what_it_is(uri: str) -> None:
    assert predicate_uri(uri) == uri


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("cyclondx", "did you mean cyclonedx (https://cyclonedx.org/bom)?"),
        ("slsaprovenance2", "did you mean slsaprovenance"),
        # Names are exact: no case is folded, nothing is trimmed.
        ("CycloneDX", "did you mean cyclonedx (https://cyclonedx.org/bom)?"),
        (" vuln", "did you mean vuln (https://cosign.sigstore.dev/attestation/vuln/v1) or vulns (https://in-toto.io/"),
        ("custom", ""),
        ("", ""),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_there_are(name: str, advice: str) -> None:
    with pytest.raises(Fault) as refused:
        predicate_uri(name)
    assert refused.value.found == name
    assert str(refused.value.wanted).endswith("spdx, spdxjson, svr, test-result, vsa, vuln, vulns")
    assert refused.value.do.startswith(advice)
    assert bool(refused.value.do) == bool(advice)


def test_a_policy_says_where_the_name_stands() -> None:
    with pytest.raises(PolicyRefused) as refused:
        Policy.parse(policy("openvexx"), where="policy.yaml")
    assert refused.value.where.endswith("nodes.file.require[0].predicate")
    assert refused.value.found == "openvexx"
    assert refused.value.do == "did you mean openvex (https://openvex.dev/ns)?"


def test_a_slip_of_the_pen_leads_to_no_version_unseen() -> None:
    with pytest.raises(Fault) as refused:
        predicate_uri("slsa-provenance")
    assert "slsaprovenance (https://slsa.dev/provenance/v0.2)" in refused.value.do
    assert "slsaprovenance1 (https://slsa.dev/provenance/v1)" in refused.value.do
