"""Is only that endorsed which somebody trusted has signed, and is it the very same statement?"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner

from glasswing_attest import Attestation, KeySigner, Model, ModelRecord, attest, sign_statement
from glasswing_attest.statement.statement import Statement
from glasswing_attest.store import gather
from glasswing_attest.testing import VirtualSigstore
from glasswing_attest.trust.revocation import REVOCATIONS_TYPE, Revocation, RevocationList
from tests.layouts import link, metablock, public, things
from tests.private_pki import Pki
from tests.served import Reply, Served
from tests.unit.cli.stories import Run, Story

SECOND = ("--key", "second.key")
PROVED = ("--trust", "trust.yaml", "--signed-at", "now")
FILE = "model.attestations.jsonl"
STRANGER = KeySigner.generate()


@pytest.fixture(autouse=True)
def here(story: Story, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second key beside the story's, and nothing written where nothing may be."""
    monkeypatch.chdir(story.folder)
    second = KeySigner.generate()
    second.write("second.key")
    Path("second.pub").write_text(second.public_key.pem)
    yield
    assert not list(story.folder.glob(".glasswing-*")), "a temporary file is left"


def held(path: str = FILE) -> list[Attestation]:
    return [Attestation.parse(item.data) for item in gather(path)]


def trusted(more: str = "", **keys: str) -> None:
    entries = "".join(f"  {name}: {{{entry}}}\n" for name, entry in keys.items())
    Path("trust.yaml").write_text(f"version: 1\n{more}keys:\n{entries}")


def refused(run: Run, *words: str, path: str = FILE) -> tuple[int, str, str]:
    """What is told of a refusal; nothing was written."""
    before = sorted((each.name, each.read_bytes()) for each in Path().iterdir() if each.is_file())
    ran = run("endorse", "--json", *words, path)
    assert sorted((each.name, each.read_bytes()) for each in Path().iterdir() if each.is_file()) == before
    error = ran.json["error"]
    return ran.code, error["code"], error["where"]


# --- one more signer -------------------------------------------------------------------------------------------------


def test_the_file_gains_a_line_and_a_threshold_is_met(run: Run, story: Story) -> None:
    (first,) = held()
    trusted(trainer="file: trainer.pub", second="file: second.pub")
    policy = Path("policy.yaml").read_text()
    policy = policy.replace("identities: {", "identities: {second: {key: second}, ")
    both = "threshold: 2, of: [trainer, second], over: same_statement"
    Path("policy.yaml").write_text(policy.replace("any_of: [trainer]", both))
    verify = ("verify", "--json", *story.deciding, "model")
    assert run(*verify).json["findings"][0]["code"] == "policy.threshold"

    ran = run("endorse", "--json", *SECOND, *PROVED, FILE)
    assert ran.code == 0
    assert held()[0] == first
    second = held()[1]
    assert (second.envelope.payload, second.bytes) != (first.envelope.payload, first.bytes)
    assert second.payload_digest == first.payload_digest
    (told,) = ran.json["endorsed"]
    assert ran.json["verified"] is True
    assert (told["statementSha256"], told["paths"]) == (first.payload_digest, [FILE])
    assert (told["predicateType"], [s["name"] for s in told["subjects"]]) == (ModelRecord.predicate_type, ["model"])
    trainer, key = (KeySigner.from_file(name).public_key.fingerprint for name in ("trainer.key", "second.key"))
    assert told["provedBy"] == [f"trainer (key {trainer[:16]})"]
    assert told["signer"] == {"kind": "key", "fingerprint": key}
    assert run(*verify).code == 0


def test_the_words_for_people(run: Run) -> None:
    ran = run("endorse", *SECOND, *PROVED, FILE)
    lines = dict(line.split(":", 1) for line in ran.out.splitlines())
    assert list(lines) == ["endorsed", "of", "proved", "signed by", "written"]
    assert lines["proved"].strip().startswith("signed by trainer (key ")
    assert (lines["written"].strip(), ran.err) == (FILE, "")
    assert run("endorse", "--quiet", *SECOND, *PROVED, FILE).out == ""


def test_what_several_signed_is_one_statement(run: Run) -> None:
    # The endorsement by the second key proves nothing to this trust; that of the trainer does.
    assert run("endorse", *SECOND, *PROVED, FILE).code == 0
    KeySigner.generate().write("third.key")
    ran = run("endorse", "--json", "--key", "third.key", *PROVED, FILE)
    assert (ran.code, len(ran.json["endorsed"]), len(held())) == (0, 1, 3)
    assert len({each.payload_digest for each in held()}) == 1


def test_each_file_gains_its_own(run: Run, story: Story) -> None:
    signer = KeySigner.from_file("trainer.key")
    attest(Model(story.model), ModelRecord(name="other"), signer=signer).write("other.jsonl")
    held()[0].write("copy.jsonl")
    ran = run("endorse", "--json", *SECOND, *PROVED, FILE, "other.jsonl", "copy.jsonl")
    assert [told["paths"] for told in ran.json["endorsed"]] == [[FILE, "copy.jsonl"], ["other.jsonl"]]
    assert [len(held(path)) for path in (FILE, "other.jsonl", "copy.jsonl")] == [2, 2, 2]
    assert held()[1] == held("copy.jsonl")[1], "it was signed once"


def test_out_takes_them_all(run: Run, story: Story) -> None:
    signer = KeySigner.from_file("trainer.key")
    Path("evidence").mkdir()
    for name in ("a", "b"):
        attest(Model(story.model), ModelRecord(name=name), signer=signer).write(f"evidence/{name}.json")
    assert run("endorse", *SECOND, *PROVED, "--out", "new.jsonl", "evidence").code == 0
    assert [each.statement_unverified.predicate["name"] for each in held("new.jsonl")] == ["a", "b"]
    assert run("endorse", *SECOND, *PROVED, "--out", "one.json", "evidence/a.json").code == 0
    assert Attestation.load("one.json").payload_digest == held("evidence/a.json")[0].payload_digest


def test_only_what_is_meant(run: Run, story: Story) -> None:
    signer = KeySigner.from_file("trainer.key")
    others = [attest(Model(story.model), ModelRecord(name=name), signer=signer) for name in ("a", "b")]
    raw = Statement.make(others[0].statement_unverified.subjects, "https://example.com/x/v1", {}).payload
    strange = sign_statement(raw, signer=STRANGER)
    for each in (*others, strange):
        each.write(FILE)
    words = ("endorse", "--json", *SECOND, *PROVED, "--out")
    wanted = [others[1].payload_digest, held()[0].payload_digest]
    ran = run(*words, "1.jsonl", "--statement", wanted[0], "--statement", f"sha256:{wanted[1]}", FILE)
    assert {told["statementSha256"] for told in ran.json["endorsed"]} == set(wanted)
    assert len(held("1.jsonl")) == 2
    ran = run(*words, "2.jsonl", "--predicate-type", ModelRecord.predicate_type, FILE)
    assert (ran.code, len(ran.json["endorsed"])) == (0, 3)
    # By the stranger nothing is proved, and so nothing of all.
    assert refused(run, *SECOND, *PROVED) == (1, "verification.key-untrusted", f"{FILE}:4: $.signatures")


@pytest.mark.parametrize("version", [1, 2])
def test_somebody_without_a_key(version: Any, run: Run, story: Story) -> None:
    with Served() as served:
        served.write(story.folder, version)
        Path("token").write_text(served.token())
        where = ("--trusted-root", "trusted_root.json", "--signing-config", "signing_config.json")
        words = ("endorse", "--json", "--sigstore", "--identity-token-file", "token", *where)
        held()[0].write("two.jsonl")
        attest(Model(story.model), ModelRecord(name="n"), signer=KeySigner.from_file("trainer.key")).write("two.jsonl")
        told = run(*words, *PROVED, "two.jsonl").json["endorsed"]
        assert [each["signer"]["identity"] for each in told] == ["alice@example.com"] * 2
        assert served.asked["fulcio"] == 1
        # What was signed so tells its time, and is endorsed without anybody's word.
        Path("rooted.yaml").write_text("version: 1\nroots: {r: {file: trusted_root.json, profile: public-good}}\n")
        ran = run("endorse", "--json", *SECOND, "--trust", "rooted.yaml", "--out", "third.jsonl", "two.jsonl")
        proved = [each["provedBy"] for each in ran.json["endorsed"]]
        assert proved == [["alice@example.com (issuer https://issuer.example, root r)"]] * 2


def test_a_classic_link_becomes_the_statement_that_it_is(run: Run) -> None:
    functionary = CryptoSigner.generate_ed25519()
    Path("trainer.pub").write_text(public(functionary).pem)
    Path("l.json").write_bytes(metablock(link("build", products=things(x="a")), functionary))
    ran = run("endorse", "--json", *SECOND, *PROVED, "--out", "new.jsonl", "l.json")
    assert [each["predicateType"] for each in ran.json["endorsed"]] == ["https://in-toto.io/Link/v1"]
    assert held("new.jsonl")[0].envelope.payload == Attestation.load("l.json").envelope.payload


# --- what is not proved ----------------------------------------------------------------------------------------------


def test_a_claimed_time_counts_on_the_callers_word_alone(run: Run) -> None:
    assert refused(run, *SECOND, "--trust", "trust.yaml") == (
        1, "verification.time-unproven", f"{FILE}:1: $.verificationMaterial",
    )  # fmt: skip
    ran = run("endorse", *SECOND, "--trust", "trust.yaml", FILE)
    assert "--signed-at" in ran.err


def test_windows_are_held_against_that_time(run: Run) -> None:
    trusted(trainer="file: trainer.pub, valid_until: 2026-01-01T00:00:00Z")
    late = ("--trust", "trust.yaml", "--signed-at", "2026-01-02T00:00:00Z")
    assert refused(run, *SECOND, *late) == (1, "verification.outside-validity", f"{FILE}:1: keys.trainer")
    assert run("endorse", *SECOND, "--trust", "trust.yaml", "--signed-at", "2025-12-31T00:00:00Z", FILE).code == 0


def test_a_certificate_of_an_instance_needs_its_witnesses(run: Run, story: Story) -> None:
    sigstore = VirtualSigstore()
    Path("root.json").write_bytes(sigstore.trusted_root())
    Path("rooted.yaml").write_text("version: 1\nroots: {r: {file: root.json, profile: {scts: 1, logs: 0, times: 1}}}\n")
    signer = sigstore.signer("alice@example.com", log="v2", stamps=0)
    attest(Model(story.model), ModelRecord(name="n"), signer=signer).write("c.jsonl")
    words = (*SECOND, "--trust", "rooted.yaml", "--signed-at", "now")
    assert refused(run, *words, path="c.jsonl")[:2] == (1, "verification.time-unproven")
    assert "--signed-at" not in run("endorse", *words, "c.jsonl").err


def test_a_private_authority_s_certificate_on_the_callers_word(run: Run, story: Story) -> None:
    pki = Pki()
    Path("root.pem").write_bytes(pki.root_pem)
    Path("acme.yaml").write_text("version: 1\nroots: {acme: {file: root.pem, profile: private}}\n")
    attest(Model(story.model), ModelRecord(name="n"), signer=pki.signer()).write("p.jsonl")
    assert refused(run, *SECOND, "--trust", "acme.yaml", path="p.jsonl")[:2] == (1, "verification.time-unproven")
    ran = run("endorse", "--json", *SECOND, "--trust", "acme.yaml", "--signed-at", "now", "p.jsonl")
    assert ran.code == 0, ran.out
    assert ran.json["endorsed"][0]["provedBy"][0].endswith("(authority acme)")


def test_what_was_changed_is_refused(run: Run) -> None:
    document = json.loads(Path(FILE).read_bytes())
    said = base64.b64decode(document["dsseEnvelope"]["payload"]).replace(b'"m"', b'"n"')
    document["dsseEnvelope"]["payload"] = base64.b64encode(said).decode()
    Path(FILE).write_text(json.dumps(document))
    assert refused(run, *SECOND, *PROVED)[:2] == (1, "verification.signature")


def test_revoked_is_refused_and_a_list_must_be_there(run: Run) -> None:
    KeySigner.generate().write("lists.key")
    lists = KeySigner.from_file("lists.key")
    Path("lists.pub").write_text(lists.public_key.pem)
    trusted("revocations: {signed_by: [lists]}\n", trainer="file: trainer.pub", lists="file: lists.pub")
    assert refused(run, *SECOND, *PROVED) == (3, "unavailable.revocations", "revocations")
    now = datetime.now(UTC)
    times = {"issued": now - timedelta(days=1), "expires": now + timedelta(days=1)}
    trainer = KeySigner.from_file("trainer.key").public_key.fingerprint
    for entries in ([Revocation(key=trainer, since=now)], [Revocation(key="0" * 64, since=now)]):
        raw = RevocationList.of(entries, version=2, **times).to_json()
        Path("list.json").write_bytes(lists.seal(raw, REVOCATIONS_TYPE))
        ran = run("endorse", "--json", *SECOND, *PROVED, "--revocations", "list.json", "--out", "new.jsonl", FILE)
        if entries[0].key == trainer:
            assert (ran.code, ran.json["error"]["code"]) == (1, "verification.revoked")
            assert not Path("new.jsonl").exists()
        else:
            assert ran.code == 0
    newer = ("--revocations", "list.json", "--revocations-seen", "3")
    assert refused(run, *SECOND, *PROVED, *newer)[:2] == (3, "unavailable.revocations")


def test_an_expired_trust_proves_nothing(run: Run) -> None:
    trusted("expires: 2026-01-01T00:00:00Z\n", trainer="file: trainer.pub")
    assert refused(run, *SECOND, *PROVED) == (3, "unavailable.trust-expired", "trust")


@pytest.mark.parametrize("proof", [PROVED, ("--unverified-unsafe",)])
def test_what_is_no_statement_leaves_nothing_signed(proof: tuple[str, ...], run: Run) -> None:
    trainer = KeySigner.from_file("trainer.key")
    Path("x.jsonl").write_bytes(Path(FILE).read_bytes() + trainer.seal(b"{}", "text/plain") + b"\n")
    told = (1, "unsupported.payload-type", "x.jsonl:2: $.payloadType")
    assert refused(run, *SECOND, *proof, path="x.jsonl") == told
    Path("x.jsonl").write_bytes(Path(FILE).read_bytes() + b'{"a": 1}\n')
    assert refused(run, *SECOND, *proof, path="x.jsonl")[:2] == (1, "unsupported.format")
    Path("x.jsonl").write_bytes(b"")
    assert refused(run, *SECOND, *proof, path="x.jsonl") == (1, "malformed.field-missing", "x.jsonl")


def test_unverified_in_so_many_words(run: Run) -> None:
    Path("trust.yaml").unlink()
    ran = run("endorse", *SECOND, "--unverified-unsafe", FILE)
    assert (ran.code, "NOT VERIFIED" in ran.err, "proved" in ran.out) == (0, True, False)
    ran = run("endorse", "--json", *SECOND, "--unverified-unsafe", "--out", "n.jsonl", FILE)
    assert (ran.json["verified"], ran.json["endorsed"][0]["provedBy"]) == (False, [])


def test_where_the_second_of_two_cannot_be_signed_nothing_is_written(run: Run, story: Story) -> None:
    attest(Model(story.model), ModelRecord(name="n"), signer=KeySigner.from_file("trainer.key")).write(FILE)
    with Served() as served:
        served.write(story.folder)
        Path("token").write_text(served.token())
        no = Reply(status=403, body=b'{"message": "no"}')
        served.trouble = lambda service, count: no if (service, count) == ("rekor1", 2) else None
        where = ("--trusted-root", "trusted_root.json", "--signing-config", "signing_config.json")
        told = refused(run, "--sigstore", "--identity-token-file", "token", *where, *PROVED)
        assert told[:2] == (1, "signing.refused")
        assert served.asked["rekor1"] == 2


# --- what makes no sense ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (PROVED, "--key"),
        (SECOND, "endorse"),
        ((*SECOND, *PROVED, "--unverified-unsafe"), "endorse"),
        ((*SECOND, "--unverified-unsafe", "--signed-at", "now"), "--signed-at"),
        ((*SECOND, "--unverified-unsafe", "--revocations", "x"), "--revocations"),
        ((*SECOND, "--unverified-unsafe", "--revocations-seen", "1"), "--revocations-seen"),
        ((*SECOND, *PROVED, "--statement", "abc"), "--statement"),
        ((*SECOND, *PROVED, "--statement", "0" * 64), "--statement"),
        ((*SECOND, *PROVED, "--statement", "0" * 64, "--predicate-type", "provenance"), "endorse"),
        ((*SECOND, *PROVED, "--predicate-type", "provenance"), "--predicate-type"),
        ((*SECOND, *PROVED, "--predicate-type", "provenence"), "--predicate-type"),
        ((*SECOND, *PROVED, "--out", "trust.yaml"), "--out trust.yaml"),
        ((*SECOND, *PROVED, "--out", "nowhere/x.jsonl"), "--out nowhere/x.jsonl"),
    ],
)
def test_misuse(words: tuple[str, ...], where: str, run: Run) -> None:
    assert refused(run, *words) == (2, "usage", where)


def test_a_file_that_gains_no_lines_needs_out(run: Run, story: Story) -> None:
    held()[0].write("one.json")
    assert refused(run, *SECOND, *PROVED, path="one.json") == (2, "usage", "one.json")
    attest(Model(story.model), ModelRecord(name="n"), signer=KeySigner.from_file("trainer.key")).write(FILE)
    assert refused(run, *SECOND, *PROVED, "--out", "two.json") == (2, "usage", "--out two.json")
    assert refused(run, *SECOND, *PROVED, path="absent.jsonl") == (3, "unavailable.store", "absent.jsonl")
