"""Is whoever wrote a policy or trust file told where it is wrong, and what was meant, in words of ours?"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from glasswing_attest._complaints import Source, path_of, suggestion
from glasswing_attest.errors import GlasswingError, LimitError, MalformedError, PolicyRefused, TrustRefused
from glasswing_attest.policy.policy import Identity, Policy, Requirement, SignedBy
from glasswing_attest.signing.key import KeySigner
from glasswing_attest.trust.root import Trust

POLICY = """\
version: 1
times: claimed
identities:
  trainer: {key: trainer}
  data-team: {key: data}
nodes:
  model:
    require:
      - as: run
        predicate: https://slsa.dev/provenance/v1
        signed_by: {any_of: [trainer]}
        expect: {builder: https://ci.example/trainer}
        inputs: {dataset: {min: 1}}
"""
RUN = "nodes.model.require[0]"

SLIPS: dict[tuple[str, str], tuple[str, str, object, object, str]] = {
    # what is replaced, by what: line, column and path; because, found, wanted, do
    ("signed_by", "signd_by"): (
        f"11:9: {RUN}.signd_by",
        "there is no such key",
        None,
        "one of as, predicate, signed_by, expect, inputs, where, max_age",
        "did you mean signed_by?",
    ),
    ("[trainer]", "[trainer, trainr]"): (
        f"11:39: {RUN}.signed_by.any_of[1]",
        "there is no such identity",
        "trainr",
        "one of trainer, data-team",
        "did you mean trainer?",
    ),
    ("any_of: [trainer]", "any_of: trainer"): (f"11:29: {RUN}.signed_by.any_of", "", "trainer", "a list", ""),
    ("any_of: [trainer]", "any_of: []"): (
        f"11:9: {RUN}.signed_by",
        "",
        "nobody",
        "at least one identity",
        "",
    ),
    ("{any_of: [trainer]}", "{of: [trainer], threshold: 1, over: same_statment}"): (
        f"11:56: {RUN}.signed_by.over",
        "",
        "same_statment",
        "same_statement or same_type",
        "did you mean same_statement?",
    ),
    ("{any_of: [trainer]}", "{of: [trainer], threshold: '1', over: same_type}"): (
        f"11:47: {RUN}.signed_by.threshold",
        "",
        "the text '1'",
        "an integer",
        "",
    ),
    ("  model:", "  modle:"): (
        "7:3: nodes.modle",
        "there is no such kind",
        "modle",
        "one of model, file, code, dataset, baseModel, checkpoint, dependency, image, tool",
        "did you mean model?",
    ),
    ("nodes:", "node:"): (
        "6:1: node",
        "there is no such key",
        None,
        "one of version, name, expires, times, declared, identities, contradictions, builders, nodes, same, limits",
        "did you mean nodes?",
    ),
    ("version: 1", "version: '1'"): ("1:10: version", "", "'1'", "the integer 1", ""),
    ("version: 1\n", ""): (" version", "it is missing", None, None, ""),
    ("claimed", "claim"): ("2:8: times", "", "claim", "verified or claimed", "did you mean claimed?"),
    ("claimed", "claimed\nexpires: 2027-06-30"): (
        "3:10: expires",
        "",
        "2027-06-30",
        "a time with its zone, such as 2027-06-30T12:00:00Z",
        "",
    ),
    ("dataset: {min: 1}", "datset: {min: 1}"): (
        f"13:18: {RUN}.inputs.datset",
        "there is no such role",
        "datset",
        "one of code, dataset, baseModel, checkpoint, dependency, image, tool",
        "did you mean dataset?",
    ),
    ("        expect: {builder: https://ci.example/trainer}\n", ""): (
        f"9:9: {RUN}.expect",
        "a provenance rule needs expect.builder",
        None,
        None,
        "",
    ),
    ("expect: {builder:", "expect: {verifier: v, builder:"): (
        f"12:18: {RUN}.expect.verifier",
        "expect.verifier does not apply to https://slsa.dev/provenance/v1",
        None,
        "build_type, builder, level, parameters, ref, source",
        "",
    ),
    ("min: 1", "min: -1"): (f"13:33: {RUN}.inputs.dataset.min", "", -1, "at least 0", ""),
    ("{key: data}", ""): ("5:13: identities.data-team", "", "nothing", "a mapping", ""),
    ("{key: data}", "{key: ''}"): (
        "5:20: identities.data-team.key",
        "",
        "an empty text",
        "a text that is not empty",
        "",
    ),
    ("{key: data}", "{key: 7}"): ("5:20: identities.data-team.key", "", 7, "a text", ""),
    ("{key: data}", "{key: true}"): ("5:20: identities.data-team.key", "", "true", "a text", ""),
    ("{key: data}", "{issuer: i, github: {repository: acme}}"): (
        "5:47: identities.data-team.github.repository",
        "",
        "acme",
        "a text of the form OWNER/NAME",
        "",
    ),
    ("{key: data}", "{issuer: i, github: {repository: a/b, ref: main}}"): (
        "5:57: identities.data-team.github.ref",
        "",
        "main",
        "a text of the form refs/…, such as refs/heads/main",
        "",
    ),
    ("{key: data}", "{issuer: i, san: '*'}"): (
        "5:31: identities.data-team.san",
        "a pattern of stars names nobody",
        "*",
        None,
        "",
    ),
    ("{key: data}", "{issuer: i, claims: {build_triger: push}}"): (
        "5:35: identities.data-team.claims.build_triger",
        "there is no such claim",
        "build_triger",
        ...,
        "did you mean build_trigger?",
    ),
    ("trainer: {key: trainer}", "trainer: {key: trainer, colour: red}"): (
        "4:27: identities.trainer.colour",
        "there is no such key",
        None,
        "one of key, issuer, authority, root, san, claims, github",
        "",
    ),
}


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[1].strip()[:40] or f"no {slip[0].strip()}")
def test_a_slip_of_the_pen_is_told_with_its_place(slip: tuple[str, str], tmp_path: Path) -> None:
    place, because, found, wanted, do = SLIPS[slip]
    assert slip[0] in POLICY
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace(*slip, 1))
    with pytest.raises(PolicyRefused) as refused:
        Policy.load(path)
    error = refused.value
    assert (error.code, error.where) == ("malformed.policy", f"{path}:{place}")
    assert (error.because, error.found, error.do) == (because, found, do)
    assert error.wanted == wanted if wanted is not ... else "build_trigger" in str(error.wanted)
    assert error.__cause__ is not None


def test_the_policy_itself_is_one() -> None:
    # Else every refusal above could have another cause.
    assert Policy.parse(POLICY.encode()).nodes["model"].require[0].label == "run"


def test_the_same_slip_in_the_other_languages() -> None:
    plain = json.loads(json.dumps(yaml.safe_load(POLICY)).replace("signed_by", "signd_by"))
    document = json.dumps(plain, indent="\t")  # a tab counts as one column
    line = next(n for n, text in enumerate(document.splitlines(), 1) if "signd_by" in text)
    with pytest.raises(PolicyRefused) as refused:
        Policy.parse(document.encode(), suffix=".json")
    assert refused.value.where == f"policy:{line}:6: {RUN}.signd_by"
    toml = b'version = 1\nidentities.a.key = "a"\n[[nodes.model.require]]\npredicate = "p:p"\nsignd_by.any_of = ["a"]\n'
    with pytest.raises(PolicyRefused) as refused:
        Policy.parse(toml, suffix=".toml", where="policy.toml")
    assert refused.value.where == f"policy.toml: {RUN}.signd_by"  # the reader of TOML tells no lines
    assert refused.value.do == "did you mean signed_by?"


@pytest.mark.parametrize(
    ("data", "suffix", "where"),
    [
        (b"version: 1\ntimes: [\n", ".yaml", "p:3:1"),
        (b"version: 1\ntimes: no\n", ".yaml", "p:2:8"),
        (b"version: 1\n  times: 1\n", ".yaml", "p:2:8"),
        (b"version = 1\ntimes = \n", ".toml", "p:2:9"),
        (b'{"version": 1,\n "times": }', ".json", "p:2:11"),
        (b'{"version": 1,\n "version": 1}', ".json", "p:2:13: version"),
        (b'{"version": 1,\n "name": [NaN]}', ".json", "p:2:11: name[0]"),
    ],
)
def test_what_is_not_the_language_is_told_with_its_place(data: bytes, suffix: str, where: str) -> None:
    with pytest.raises(MalformedError) as refused:
        Policy.parse(data, suffix=suffix, where="p")
    assert (refused.value.kind, refused.value.where) == ("policy", where)


def test_python_values_are_told_by_their_class() -> None:
    with pytest.raises(PolicyRefused) as refused:
        Identity(keey="k")  # type: ignore[call-arg]
    assert (refused.value.where, refused.value.do) == ("Identity: keey", "did you mean key?")
    with pytest.raises(PolicyRefused) as refused:
        Requirement(predicate="p:p", signed_by=SignedBy(any_of=("a",)), inputs=3)  # type: ignore[arg-type]
    assert (refused.value.where, refused.value.wanted) == ("Requirement: inputs", "a mapping")


def test_several_faults_are_told_as_the_first_and_the_places_of_the_others() -> None:
    data = POLICY.replace("claimed", "any").replace("min: 1", "min: -1").replace("{key: data}", "{}")
    with pytest.raises(PolicyRefused) as refused:
        Policy.parse(data.encode())
    assert refused.value.where == "policy:2:8: times"
    assert refused.value.because == f"see also identities.data-team, {RUN}.inputs.dataset.min"


def test_many_faults_take_no_time() -> None:
    entries = "".join(f"  n{n}: {{kee: {n}}}\n" for n in range(3000))
    started = time.process_time()
    with pytest.raises(PolicyRefused) as refused:
        Policy.parse(f"version: 1\nidentities:\n{entries}".encode())
    assert refused.value.where == "policy:3:8: identities.n0.kee"
    assert refused.value.because.count("identities.n") == 63
    assert time.process_time() - started < 10  # of which the reader of YAML takes most, twice


# --- trust -----------------------------------------------------------------------------------------------------------

TRUST = """\
version: 1
roots:
  own: {file: root.json, profile: public-good}
keys:
  trainer: {file: trainer.pub}
  data-team:
    file: data.pub
    valid_until: 2027-01-01T00:00:00Z
"""


@pytest.mark.parametrize(
    ("change", "code", "place", "words"),
    [
        (("trainer.pub", "absent.pub"), "malformed.trust", "5:19: keys.trainer.file", "No such file"),
        (("trainer.pub", "junk.pub"), "malformed.pem", "5:19: keys.trainer.file", "key"),
        (("trainer.pub", "weak.pub"), "unsupported.key", "5:3: keys.trainer", "secp256k1"),
        (("trainer.pub}", "trainer.pub, scheme: ed25519}"), "malformed.trust", "5:40: keys.trainer.scheme", "ed25519"),
        (("file: data.pub", "fiel: data.pub"), "malformed.trust", "7:5: keys.data-team.fiel", "did you mean file?"),
        (("    file: data.pub\n", ""), "malformed.trust", "6:3: keys.data-team", "public_key and file"),
        (("2027-01-01T00:00:00Z", "2027"), "malformed.trust", "8:18: keys.data-team.valid_until", "with its zone"),
        (
            ("valid_until: 2027-01-01T00:00:00Z", "keyids: []"),
            "malformed.trust",
            "6:3: keys.data-team",
            "keyids",
        ),
        (
            ("valid_until: 2027-01-01T00:00:00Z", "witness: {root: other, logs: 1, times: 1}"),
            "malformed.trust",
            "8:21: keys.data-team.witness.root",
            "one of own",
        ),
        (
            ("valid_until: 2027-01-01T00:00:00Z", "witness: {root: own, logs: 0, times: 0}"),
            "malformed.trust",
            "8:5: keys.data-team.witness",
            "at least one",
        ),
        (("public-good", "publik-good"), "malformed.trust", "3:35: roots.own.profile", "did you mean public-good?"),
        (
            ("public-good", "{scts: 1, logs: 1, tims: 1}"),
            "malformed.trust",
            "3:54: roots.own.profile.tims",
            "did you mean times?",
        ),
        (("public-good", "{scts: 1, logs: 1}"), "malformed.trust", "3:26: roots.own.profile.times", "missing"),
        (("public-good", "7"), "malformed.trust", "3:35: roots.own.profile", "or private, or a mapping"),
        (("root.json", "junk.pub"), "malformed.json", "3:15: roots.own.file", "line 1, column 1"),
        (("root.json", "empty.json"), "malformed.field-missing", "3:15: roots.own.file.mediaType", ""),
        (("keys:", "revocations: {signed_by: [me]}\nkeys:"), "malformed.trust", "4:15: revocations.signed_by", "me"),
    ],
)
def test_a_trust_file_is_told_with_the_entry_that_failed(
    change: tuple[str, str], code: str, place: str, words: str, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from glasswing_attest.testing import VirtualSigstore

    for name in ("trainer.pub", "data.pub"):
        (tmp_path / name).write_text(KeySigner.generate().public_key.pem)
    weak = ec.generate_private_key(ec.SECP256K1()).public_key()
    (tmp_path / "weak.pub").write_bytes(weak.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "junk.pub").write_text("junk")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "root.json").write_bytes(VirtualSigstore().trusted_root())
    path = tmp_path / "trust.yaml"
    path.write_text(TRUST)
    assert Trust.load(path).names == ("data-team", "trainer")
    assert change[0] in TRUST
    path.write_text(TRUST.replace(*change, 1))
    with pytest.raises(GlasswingError) as refused:
        Trust.load(path)
    assert (refused.value.code, refused.value.where) == (code, f"{path}:{place}")
    assert words in f"{refused.value} {refused.value.do}"


def test_a_trust_file_of_nothing_names_itself() -> None:
    with pytest.raises(TrustRefused) as refused:
        Trust.parse(b"version: 1\n", where="trust.yaml")
    assert refused.value.where == "trust.yaml"


# --- places ----------------------------------------------------------------------------------------------------------

# What YAML takes for a line's end, or for no text, is told by the nearest thing around it.
KEYS = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=5) | st.sampled_from(
    ["a", "b-c", "d.e", "[0]"]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], object]]:
    steps: list[tuple[str | int, Any]]
    if isinstance(value, dict):
        steps = list(value.items())
    elif isinstance(value, list):
        steps = list(enumerate(value))
    else:
        return [(path, value)]
    return [leaf for step, inner in steps for leaf in leaves(inner, (*path, step))]


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(KEYS, TREES, max_size=3), st.sampled_from([None, 1, "\t"]))
def test_every_place_is_where_it_stands(tree: dict[str, Any], indent: Any) -> None:
    text = json.dumps(tree, indent=indent, ensure_ascii=False)
    source = Source("p", text.encode(), ".json")
    lines = text.split("\n")
    for path, value in leaves(tree):
        where = source.place(path_of(path))
        assert where.endswith(f": {path_of(path)}")
        line, column = map(int, where.split(":")[1:3])
        assert lines[line - 1][column - 1 :].startswith(json.dumps(value, ensure_ascii=False)), where


def test_what_is_not_there_stands_where_the_nearest_thing_around_it_does() -> None:
    source = Source("p.yaml", b"a:\n  b: {c: 1}\n  bb: 2\n", ".yaml")
    assert source.place("a.b.d.e[3]") == "p.yaml:2:3: a.b.d.e[3]"
    assert source.place("a.bbb") == "p.yaml:1:1: a.bbb"
    assert source.place("z") == "p.yaml: z"
    assert source.place() == "p.yaml"


@pytest.mark.parametrize("data", [b"\xff", b"a: [", b"a: *b", b"[" * 100_000, b"x: " + b"y" * (1 << 18)])
def test_what_cannot_be_searched_has_no_lines(data: bytes) -> None:
    assert Source("p", data, ".yaml").place("x") == "p: x"


def test_a_text_that_holds_itself_is_searched_once() -> None:
    bomb = "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    for data in (b"a: &a [*a, *a]\n", f"a0: &a0 [x]\n{bomb}".encode()):
        assert Source("p", data, ".yaml").place("z") == "p: z"
        assert Source("p", data, ".yaml").place().startswith("p")


def test_an_error_keeps_what_it_says_and_gains_its_place() -> None:
    source = Source("t.yaml", b"keys: {a: 1}\n", ".yaml")
    error = source.placed(TrustRefused(where="$['keys'].a", found=1, wanted="x", because="y", do="z"))
    assert (type(error), error.where) == (TrustRefused, "t.yaml:1:11: keys.a")
    assert (error.found, error.wanted, error.because, error.do) == (1, "x", "y", "z")
    assert source.placed(error) is error
    limit = LimitError(where="$", found="more")
    assert source.placed(limit).where == "t.yaml"


def test_a_suggestion_is_made_for_what_is_close_alone() -> None:
    assert suggestion("threshhold", ("threshold", "of")) == "did you mean threshold?"
    assert suggestion("colour", ("threshold", "of")) == ""
    assert suggestion("x" * 10_000_000, ("threshold",)) == ""
