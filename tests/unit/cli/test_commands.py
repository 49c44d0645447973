"""Do keygen, digest, attest and inspect do what they say, and nothing that they should not?"""

import getpass
import hashlib
import json
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from glasswing_attest import Attestation, AttestationSet, Dataset, KeySigner, Model, ModelRecord, attest
from glasswing_attest._cli import keygen
from glasswing_attest._cli.inspect import BANNER
from glasswing_attest.artifact.leaves import head_of
from glasswing_attest.errors import PassphraseRefused
from glasswing_attest.keys import PublicKey
from glasswing_attest.records import ResourceReference
from glasswing_attest.signing.key import ALGORITHMS
from tests.unit.cli.stories import Run, Story

SECRET = "correct horse battery staple"

# --- keygen ----------------------------------------------------------------------------------------------------------


def test_keygen_makes_a_private_key_for_its_owner_and_a_public_one(run: Run, tmp_path: Path) -> None:
    ran = run("keygen", tmp_path / "k")
    public = PublicKey.from_pem((tmp_path / "k.pub").read_bytes())
    assert (ran.code, ran.err) == (0, "")
    assert public.fingerprint in ran.out
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600
    assert b"BEGIN PRIVATE KEY" in (tmp_path / "k").read_bytes()
    assert KeySigner.from_file(tmp_path / "k").public_key == PublicKey.from_pem(public.pem, scheme=public.schemes[0])


def test_keygen_offers_what_the_library_makes() -> None:
    assert keygen.ALGORITHMS == ALGORITHMS


@pytest.mark.parametrize("algorithm", ["ecdsa-p384", "ed25519", "rsa-3072"])
def test_keygen_of_each_algorithm(run: Run, tmp_path: Path, algorithm: str) -> None:
    told = run("keygen", "--json", "--algorithm", algorithm, tmp_path / "k").json
    signer = KeySigner.from_file(tmp_path / "k")
    assert told["fingerprint"] == signer.public_key.fingerprint
    assert (told["algorithm"], told["scheme"], told["encrypted"]) == (algorithm, signer.public_key.schemes[0], False)


@pytest.mark.parametrize("there", ["k", "k.pub"])
def test_keygen_never_overwrites(run: Run, tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_bytes(b"mine")
    ran = run("keygen", "--json", tmp_path / "k")
    assert (ran.code, ran.json["error"]["code"], ran.json["exit"]) == (2, "usage", 2)
    assert [p.name for p in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_bytes() == b"mine"


def test_keygen_needs_a_directory(run: Run, tmp_path: Path) -> None:
    ran = run("keygen", "--json", tmp_path / "nowhere" / "k")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")


def test_a_passphrase_from_the_environment(run: Run, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", SECRET)
    key = story.folder / "k"
    ran = run("keygen", "--passphrase-env", "MY_SECRET", key)
    assert ran.code == 0
    assert "encrypted" in ran.out
    assert SECRET not in ran.out + ran.err
    with pytest.raises(PassphraseRefused):
        KeySigner.from_file(key)
    assert KeySigner.from_file(key, passphrase=SECRET).public_key.pem == Path(f"{key}.pub").read_text()
    words = ("attest", "--json", "--debug", "--key", key, "--record", "model", "--name", "m")
    assert run(*words, "--passphrase-env", "MY_SECRET", story.model).code == 0
    missing = run("attest", "--json", "--key", key, "--record", "model", "--name", "m", story.model)
    assert (missing.code, missing.json["error"]["code"]) == (2, "signing.passphrase")


def test_a_passphrase_from_a_file_is_its_one_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for number, text in enumerate((SECRET, f"{SECRET}\n", f"{SECRET}\r\n")):
        file.write_bytes(text.encode())
        assert run("keygen", "--passphrase-file", file, tmp_path / f"k{number}").code == 0
        KeySigner.from_file(tmp_path / f"k{number}", passphrase=SECRET)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"nul\0\n"])
def test_a_passphrase_file_that_holds_none(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    ran = run("keygen", "--json", "--passphrase-file", tmp_path / "secret", tmp_path / "k")
    assert (ran.code, ran.json["error"]["code"]) == (2, "signing.passphrase")
    assert not (tmp_path / "k").exists()
    assert "one" not in ran.json["error"].get("found", "")


def test_a_wrong_passphrase_is_not_told_again(run: Run, story: Story) -> None:
    secret = story.folder / "secret"
    secret.write_text(SECRET)
    run("keygen", "--passphrase-file", secret, story.folder / "k")
    secret.write_text("tr0ub4dor")
    words = ("attest", "--key", story.folder / "k", "--record", "model", "--name", "m", "--passphrase-file", secret)
    for more in ((), ("--json",)):
        ran = run(*words, *more, story.model)
        assert ran.code == 2
        assert "signing.passphrase" in ran.out + ran.err
        assert "tr0ub4dor" not in ran.out + ran.err


def test_sources_of_a_passphrase_that_are_not_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    for words, code in (
        (("--passphrase-env", "NOT_THERE"), "usage"),
        (("--passphrase-env", "EMPTY"), "signing.passphrase"),
        (("--passphrase-file", str(tmp_path / "nowhere")), "signing.passphrase"),
        (("--passphrase-env", "EMPTY", "--ask-passphrase"), "usage"),
        (("--passphrase", SECRET), "usage"),
    ):
        ran = run("keygen", "--json", *words, tmp_path / "k")
        assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert list(tmp_path.iterdir()) == []


def test_a_passphrase_is_asked_for_twice(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([SECRET, "another", SECRET, SECRET])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    ran = run("keygen", "--json", "--ask-passphrase", tmp_path / "k")
    assert (ran.code, ran.json["error"]["because"]) == (2, "the two differ")
    assert run("keygen", "--ask-passphrase", tmp_path / "k").code == 0
    KeySigner.from_file(tmp_path / "k", passphrase=SECRET)


def test_a_passphrase_is_never_asked_for_with_an_echo(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal(prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return "echoed"

    monkeypatch.setattr(getpass, "getpass", no_terminal)
    ran = run("keygen", "--json", "--ask-passphrase", tmp_path / "k")
    assert (ran.code, ran.json["error"]["where"]) == (2, "--ask-passphrase")
    assert list(tmp_path.iterdir()) == []


# --- digest ----------------------------------------------------------------------------------------------------------


def test_digest_of_a_directory_and_a_file(run: Run, story: Story) -> None:
    manifest = Dataset(story.model).measure()
    tree, file = manifest.digests.get("dirHash"), manifest.files[0].sha256
    weights = story.model / "weights.bin"
    ran = run("digest", story.model, weights)
    assert ran.out == f"dirHash:{tree}  {story.model}\nsha256:{file}  {weights}\n"
    told = run("digest", "--json", story.model, weights).json["artifacts"]
    assert [(t["kind"], t["files"], t["bytes"]) for t in told] == [("model", 1, 7), ("file", 1, 7)]
    assert told[0]["digest"] == {"dirHash": tree, "sha256": tree}
    assert [
        t["kind"] for t in run("digest", "--json", "--kind", "dataset", story.model, weights).json["artifacts"]
    ] == [
        "dataset",
        "dataset",
    ]


def test_quiet_does_not_silence_what_was_asked_for(run: Run, story: Story) -> None:
    assert run("digest", "--quiet", story.model).out == run("digest", story.model).out


def test_the_listing_is_what_sha256sum_reads(run: Run, story: Story) -> None:
    listing = story.folder / "SHA256SUMS"
    assert run("digest", "--listing", listing, story.model).code == 0
    assert listing.read_bytes() == Model(story.model).measure().listing


def test_a_listing_is_of_one_path_and_beside_it(run: Run, story: Story) -> None:
    listing = story.model / "SHA256SUMS"
    for words in ((listing, story.model), (story.folder / "S", story.model, story.model)):
        ran = run("digest", "--json", "--listing", *words)
        assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert not listing.exists()
    assert not (story.folder / "S").exists()


def test_what_was_excluded_is_told(run: Run, story: Story) -> None:
    (story.model / ".git").mkdir()
    (story.model / ".git" / "x").write_bytes(b"")
    told = run("digest", "--json", "--exclude", ".git", "--exclude", "nowhere", story.model).json["artifacts"]
    assert told[0]["excluded"] == [".git"]


def test_further_digests_are_those_of_a_file(run: Run, story: Story) -> None:
    weights = story.model / "weights.bin"
    ran = run("digest", "--also", "sha512", "--also", "sha384", weights)
    content = weights.read_bytes()
    wanted = [(name, hashlib.new(name, content).hexdigest()) for name in ("sha256", "sha384", "sha512")]
    assert ran.out == "".join(f"{name}:{value}  {weights}\n" for name, value in wanted)
    for words in (("sha512", story.model), ("md5", weights), ("sha256", weights)):
        assert run("digest", "--json", "--also", *words).code == 2
    assert run("digest", "--json", "--also", "sha512", story.model).json["error"]["where"] == "--also"


def test_digest_of_what_cannot_be_digested(run: Run, story: Story) -> None:
    (story.model / "link").symlink_to("/etc/passwd")
    ran = run("digest", "--json", story.model)
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.irregular")


def checkout(folder: Path) -> Path:
    code = folder / "code"
    code.mkdir()
    (code / "train.py").write_text("pass\n")
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "one"),
    ):
        subprocess.run(["git", "-C", str(code), *words], check=True)
    return code


def test_a_checkout(run: Run, story: Story) -> None:
    code = checkout(story.folder)
    told = run("digest", "--json", "--kind", "code", code).json["artifacts"][0]
    assert set(told["digest"]) == {"gitCommit", "gitTree"}
    assert told["facts"]["dirty"] == "false"
    words = ("attest", "--json", "--key", story.folder / "trainer.key", "--record", "code", "--name", "c")
    made = run(*words, code)
    assert (made.code, made.json["path"]) == (0, f"{code}.attestations.jsonl")
    # The default would lie inside the checkout of which the path is a part.
    (code / "lib").mkdir()
    assert run(*words, code / "lib").json["error"]["code"] == "usage"
    (code / "train.py").write_text("changed\n")
    dirty = run(*words, code)
    assert (dirty.code, dirty.json["error"]["code"]) == (2, "artifact.source.dirty")
    assert run(*words, "--field", "dirty=true", code).code == 0


# --- attest ----------------------------------------------------------------------------------------------------------


def said(path: Path) -> dict[str, object]:
    """What the last attestation of the file says."""
    line = path.read_bytes().splitlines()[-1]
    statement = Attestation.parse(line).statement_unverified
    return {"type": statement.predicate_type, **statement.predicate}


def test_attest_adds_a_line_beside_the_artifact(run: Run, story: Story) -> None:
    words = ("attest", "--key", story.folder / "trainer.key", "--record", "model", "--name", "m", "--version", "2")
    ran = run(*words, "--license", "MIT", f"{story.model}/")
    assert ran.code == 0
    assert f"written:   {story.evidence}\n" in ran.out
    assert len(story.evidence.read_bytes().splitlines()) == 2
    told = said(story.evidence)
    assert (told["type"], told["version"], told["license"]) == (ModelRecord.predicate_type, "2", "MIT")
    assert told["tree"] == {
        "dirHash": Model(story.model).measure().digests.get("dirHash"),
        "files": "1",
        "totalBytes": "7",
        "merkleRoot": head_of(Model(story.model).measure()).root.hex(),
    }
    assert run("verify", *story.deciding, story.model).code == 0


def test_fields_are_typed_as_the_record_says(run: Run, story: Story) -> None:
    words = ["attest", "--json", "--key", story.folder / "trainer.key", "--record", "model", "--name", "m"]
    fields = ["formats=safetensors", "formats=onnx", "parameter_count=18446744073709551615", "dtype=a=b"]
    made = run(*words, *(w for f in fields for w in ("--field", f)), story.model)
    assert made.code == 0
    told = said(story.evidence)
    assert told["formats"] == ["MODEL_FORMAT_SAFETENSORS", "MODEL_FORMAT_ONNX"]
    assert (told["parameterCount"], told["dtype"]) == ("18446744073709551615", "a=b")
    assert (
        made.json["signer"]["fingerprint"] == KeySigner.from_file(story.folder / "trainer.key").public_key.fingerprint
    )
    run("attest", "--key", words[3], "--record", "data", "--name", "d", "--field", "sensitivity=public", story.model)
    assert said(story.evidence)["sensitivity"] == "SENSITIVITY_PUBLIC"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--record", "model"), "malformed.field-missing"),
        (("--record", "model", "--name", ""), "malformed.field-missing"),
        (("--record", "model", "--name", "m", "--field", "nonsense=1"), "usage"),
        (("--record", "model", "--name", "m", "--field", "dtype"), "usage"),
        (("--record", "model", "--name", "m", "--field", "name=n"), "usage"),
        (("--record", "model", "--name", "m", "--field", "tree={}"), "usage"),
        (("--record", "model", "--name", "m", "--field", "parameter_count=1e3"), "usage"),
        (("--record", "model", "--name", "m", "--field", "parameter_count=99999999999999999999"), "malformed.field"),
        (("--record", "model", "--name", "m", "--field", "formats=nonsense"), "malformed.field"),
        (("--record", "code", "--name", "m", "--kind", "model", "--field", "dirty=yes"), "usage"),
        (("--record", "nonsense", "--name", "m"), "usage"),
        (("--predicate-type", "https://example.com/x"), "usage"),
        (("--predicate-type", "https://example.com/x", "--predicate", "/nowhere.json"), "usage"),
        (("--record", "model", "--predicate-type", "https://example.com/x"), "usage"),
        ((), "usage"),
    ],
)
def test_what_cannot_be_said_is_not_signed(run: Run, story: Story, words: tuple[str, ...], code: str) -> None:
    before = story.evidence.read_bytes()
    ran = run("attest", "--json", "--key", story.folder / "trainer.key", *words, story.model)
    assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert story.evidence.read_bytes() == before


def test_a_record_or_any_predicate_from_a_file(run: Run, story: Story) -> None:
    file = story.folder / "p.json"
    words = ("attest", "--json", "--key", story.folder / "trainer.key", "--predicate", file)
    file.write_text('{"name": "m", "baseModels": [{"name": "b", "relation": "RELATION_MERGE"}]}')
    assert run(*words, "--record", "model", story.model).code == 0
    assert said(story.evidence)["baseModels"] == [{"name": "b", "relation": "RELATION_MERGE"}]
    # A record's type by its URI is the same record: it is completed by what was measured.
    assert run(*words, "--predicate-type", ModelRecord.predicate_type, story.model).code == 0
    assert "tree" in said(story.evidence)
    file.write_text('{"score": 0.5, "list": [1, null, "é"]}')
    made = run(*words, "--predicate-type", "https://example.com/score/v1", story.model)
    assert (made.code, made.json["predicateType"]) == (0, "https://example.com/score/v1")
    payload = json.loads(Attestation.parse(story.evidence.read_bytes().splitlines()[-1]).envelope.payload)
    assert payload["predicate"] == {"score": 0.5, "list": [1, None, "é"]}


@pytest.mark.parametrize(
    ("predicate_type", "text", "code"),
    [
        ("https://example.com/x", '{"a": 1, "a": 2}', "malformed.duplicate-key"),
        ("https://example.com/x", "[]", "malformed.field"),
        ("https://example.com/x", "{", "malformed.json"),
        ("https://example.com/x", '{"a": 9007199254740993}', "malformed.field"),
        ("https://example.com/x", '{"a": 0.1000000000000000000001}', "malformed.field"),
        ("not a uri", "{}", "usage"),
        ("https://slsa.dev/provenance/v1", "{}", "malformed.field-missing"),
        (ModelRecord.predicate_type, '{"name": 1}', "malformed.field"),
    ],
)
def test_a_predicate_that_cannot_be_said_exactly(
    run: Run, story: Story, predicate_type: str, text: str, code: str
) -> None:
    before = story.evidence.read_bytes()
    (story.folder / "p.json").write_text(text)
    words = ("--key", story.folder / "trainer.key", "--predicate", story.folder / "p.json")
    ran = run("attest", "--json", *words, "--predicate-type", predicate_type, story.model)
    assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert story.evidence.read_bytes() == before


def test_a_short_name_is_the_type_that_it_stands_for(run: Run, story: Story) -> None:
    (story.folder / "p.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "x": 7.5}')
    words = ("--key", story.folder / "trainer.key", "--predicate", story.folder / "p.json")
    made = run("attest", "--json", *words, "--predicate-type", "cyclonedx", story.model)
    assert (made.code, made.json["predicateType"]) == (0, "https://cyclonedx.org/bom")
    ran = run("attest", "--json", *words, "--predicate-type", "cyclondx", story.model)
    assert ran.code == 2
    error = ran.json["error"]
    assert (error["code"], error["where"], error["found"]) == ("usage", "--predicate-type", "cyclondx")
    assert error["do"] == "did you mean cyclonedx (https://cyclonedx.org/bom)?"


def test_a_predicate_file_says_everything(run: Run, story: Story) -> None:
    (story.folder / "p.json").write_text('{"name": "m"}')
    words = ("--key", story.folder / "trainer.key", "--record", "model", "--predicate", story.folder / "p.json")
    for more in (("--name", "x"), ("--license", "x"), ("--field", "dtype=x")):
        ran = run("attest", "--json", *words, *more, story.model)
        assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", more[0])


def test_an_attestation_is_never_written_inside_or_over_something(run: Run, story: Story) -> None:
    data = story.folder / "train.jsonl"
    data.write_text('{"text": "a"}\n')
    weights = story.model / "weights.bin"
    (story.folder / "link").symlink_to(story.model)
    words = ("attest", "--json", "--key", story.folder / "trainer.key", "--record", "model", "--name", "m", "--out")
    for out, subject in (
        (story.model / "a.json", story.model),
        (story.folder / "link" / "a.json", story.model),
        (story.folder / "nowhere" / "a.json", story.model),
        (weights, weights),
        (data, data),
        (data, story.model),
        (story.folder / "policy.yaml", story.model),
    ):
        ran = run(*words, out, subject)
        assert (ran.code, ran.json["error"]["code"]) == (2, "usage"), out
    assert [p.name for p in story.model.iterdir()] == ["weights.bin"]
    assert weights.read_bytes() == b"weights"
    assert data.read_text() == '{"text": "a"}\n'
    single = story.folder / "one.json"
    assert run(*words, single, story.model).code == 0
    assert Attestation.load(single).statement_unverified.subjects[0].name == "model"


def test_a_key_that_is_none(run: Run, story: Story) -> None:
    for key, code in (("nowhere", "signing.key"), ("trainer.pub", "signing.key"), ("policy.yaml", "signing.key")):
        ran = run("attest", "--json", "--key", story.folder / key, "--record", "model", "--name", "m", story.model)
        assert (ran.code, ran.json["error"]["code"]) == (2, code)


def test_no_private_key_in_any_output(run: Run, story: Story) -> None:
    key = story.folder / "trainer.key"
    body = "".join(key.read_text().splitlines()[1:-1])
    for more in ((), ("--json",), ("--debug",)):
        ran = run("attest", *more, "--key", key, "--record", "model", "--name", "m", story.model)
        assert body[:24] not in ran.out + ran.err
    assert body[:24].encode() not in story.evidence.read_bytes()


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_says_that_nothing_is_verified(run: Run, story: Story) -> None:
    ran = run("inspect", story.evidence)
    assert ran.code == 0
    assert ran.out.splitlines()[0] == BANNER
    assert f"says: {ModelRecord.predicate_type}" in ran.out
    told = run("inspect", "--json", story.evidence).json
    assert told["verified"] is False
    item = told["files"][0]["items"][0]
    assert (item["format"], item["predicate"]["name"]) == ("Sigstore bundle v0.3", "m")
    assert item["subjects"][0]["digest"]["dirHash"] == Model(story.model).measure().digests.get("dirHash")


def test_inspect_reads_envelopes_sets_directories_and_cases(run: Run, story: Story) -> None:
    bundle = story.evidence.read_bytes().strip()
    (story.folder / "envelope.json").write_text(json.dumps(json.loads(bundle)["dsseEnvelope"]))
    AttestationSet(items=(bundle, Model(story.model).measure()), producer="me").write(story.folder / "x.set")
    (story.folder / "many").mkdir()
    (story.folder / "many" / "a.json").write_bytes(bundle)
    run("verify", *story.deciding, "--case", story.folder / "case.zip", story.model)
    words = [story.folder / name for name in ("envelope.json", "x.set", "many", "case.zip")]
    ran = run("inspect", "--json", *words)
    assert ran.code == 0
    files = ran.json["files"]
    assert [f["format"] for f in files] == ["attestations", "attestation set", "attestations", "case"]
    assert [f["items"][0]["format"] for f in files] == ["DSSE envelope", *["Sigstore bundle v0.3"] * 3]
    assert len({f["items"][0]["payloadSha256"] for f in files}) == 1
    assert (files[1]["producer"], files[1]["manifests"][0]["name"], files[3]["verdict"]) == ("me", "model", "accepted")
    text = run("inspect", *words)
    assert text.code == 0
    assert "producer: me" in text.out
    assert "verdict: accepted" in text.out


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"[]", b"junk", b"PK\x03\x04", b"glasswing-attest set 1\n"])
def test_inspect_of_what_says_nothing_is_no_success(run: Run, story: Story, content: bytes) -> None:
    story.evidence.write_bytes(content)
    ran = run("inspect", "--json", story.evidence)
    file = ran.json["files"][0]
    assert ran.code == 1
    assert [thing["error"]["code"] for thing in (file, *file["items"]) if "error" in thing]
    assert "error: " in run("inspect", story.evidence).out


def test_a_key_that_is_handed_over_as_evidence_is_not_shown(run: Run, story: Story) -> None:
    key = story.folder / "trainer.key"
    body = key.read_text().splitlines()[1:-1]
    for words in (("inspect", key), ("verify", *story.deciding, "--evidence", key, story.model)):
        for form in ((), ("--json",), ("--debug",)):
            ran = run(*words, *form)
            assert ran.code == 1
            assert not [line for line in body if line[:8] in ran.out + ran.err]
            assert "a key or certificate in PEM" in ran.out


def test_inspect_of_what_is_not_there(run: Run, story: Story) -> None:
    ran = run("inspect", "--json", story.folder / "nowhere")
    assert (ran.code, ran.json["error"]["code"]) == (3, "unavailable.store")


def test_inspect_shows_hostile_words_harmlessly(run: Run, story: Story) -> None:
    hostile = "m\x1b[31m\r\n\u202edetacerp\x9b2J" + "x" * 5000
    signer = KeySigner.from_file(story.folder / "trainer.key")
    attest(Model(story.model), ModelRecord(name=hostile), signer=signer).write(story.folder / "h.json")
    many = ModelRecord(name="m", datasets=[ResourceReference(name=f"d{n}") for n in range(100)])
    attest(Model(story.model), many, signer=signer).write(story.folder / "h2.json")
    text = run("inspect", story.folder / "h.json", story.folder / "h2.json")
    as_json = run("inspect", "--json", story.folder / "h.json")
    for out in (text.out, as_json.out):
        assert all(c == "\n" or c.isprintable() for c in out)
    assert "name: m\\x1b[31m\\x0d\\x0a\\x202edetacerp\\x9b2Jxx" in text.out
    assert max(map(len, text.out.splitlines())) < 400
    assert "more; --json shows them" in text.out
    assert as_json.json["files"][0]["items"][0]["predicate"]["name"] == hostile


def test_a_folder_by_a_dot_has_its_attestations_beside_it(
    run: Run, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(story.model)
    assert run("verify", *story.deciding, ".").code == 0
    shutil.move(story.evidence, story.folder / "elsewhere.jsonl")
    assert run("verify", *story.deciding, ".").code == 1
