"""Does the command sign and verify models as OMS has it, and is a no told with the right exit code?"""

from pathlib import Path

import pytest

from glasswing_attest import KeySigner, Model
from glasswing_attest.oms import roots
from glasswing_attest.testing import VirtualSigstore
from tests.private_pki import HOLDER, Pki, pem
from tests.unit.cli.stories import Ran, Run, Story

VERIFY = ("oms", "verify", "--signer", "trainer", "--signed-at", "now")


@pytest.fixture
def signed(story: Story, run: Run) -> Story:
    """The story's model, signed."""
    ran = run("oms", "sign", "--key", story.folder / "trainer.key", f"{story.model}/")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[-1] == f"written:   {story.model}.sig"
    return story


def verify(run: Run, story: Story, *more: str | Path) -> Ran:
    return run(*VERIFY, "--trust", story.folder / "trust.yaml", *more, story.model)


def test_what_is_signed_is_verified(run: Run, signed: Story) -> None:
    ran = verify(run, signed)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("verified: 1 file, signed by trainer (key ")
    told = verify(run, signed, "--json").json
    assert told["files"] == [
        {"name": "weights.bin", "size": 7, "sha256": Model(signed.model).measure().files[0].sha256}
    ]
    assert (told["order"], told["signedBy"], told["ignored"], told["unsigned"]) == ("spec", None, [], [])
    (signed.model / "weights.bin").write_bytes(b"other")
    assert (verify(run, signed).code, verify(run, signed, "--json").json["error"]["code"]) == (
        1,
        "verification.subject",
    )


def test_what_is_let_pass_is_told(run: Run, signed: Story) -> None:
    (signed.model / "README.md").write_bytes(b"")
    assert verify(run, signed, "--json").json["error"]["code"] == "verification.file-set"
    assert "left out: README.md\n" in verify(run, signed, "--ignore", "README.md").out
    assert "unsigned: README.md\n" in verify(run, signed, "--unsigned-files-unsafe").out
    (signed.model / "README.md").chmod(0o755)
    assert verify(run, signed, "--ignore", "README.md").code == 1
    assert verify(run, signed, "--ignore", "README.md", "--ignored-executables-unsafe").code == 0


def test_shards(run: Run, story: Story) -> None:
    key = story.folder / "trainer.key"
    assert run("oms", "sign", "--key", key, "--shard-size", "3", "--compat", "model-signing", story.model).code == 0
    assert verify(run, story).code == 0
    assert verify(run, story, "--json").json["files"] == [{"name": "weights.bin", "size": 7}]
    (story.model / "empty").write_bytes(b"")
    assert verify(run, story).code == 1
    assert verify(run, story, "--empty-files-unsafe").code == 0
    assert run("oms", "sign", "--key", key, "--shard-size", "3", story.model).code == 2


def test_a_certificate(run: Run, story: Story) -> None:
    pki = Pki()
    KeySigner(pki.leaf_key).write(story.folder / "leaf.key")
    (story.folder / "leaf.pem").write_bytes(pem(pki.leaf()))
    (story.folder / "intermediate.pem").write_bytes(pem(pki.intermediate))
    (story.folder / "ca.pem").write_bytes(pki.root_pem)
    trust = story.folder / "acme.yaml"
    trust.write_text("version: 1\nroots: {acme: {file: ca.pem, profile: private}}\n")
    chain = ("--certificate", story.folder / "leaf.pem", "--certificate", story.folder / "intermediate.pem")
    assert run("oms", "sign", "--key", story.folder / "leaf.key", *chain, story.model).code == 0
    words = ("oms", "verify", "--trust", trust, "--authority", "acme", "--san", HOLDER)
    ran = run(*words, "--signed-at", "2026-06-01T00:00:00Z", story.model)
    assert (ran.code, ran.out.splitlines()[1]) == (0, "by:       2026-06-01T00:00:00Z, says the caller")
    ran = run(*words, story.model)
    assert (ran.code, "--signed-at" in ran.err) == (1, True)


def test_the_signature_lies_beside_the_model_however_it_is_named(
    run: Run, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Path(f"{story.model}.sig")
    monkeypatch.chdir(story.model)
    for named in (".", "./", story.model, f"../{story.model.name}"):
        assert run("oms", "sign", "--key", story.folder / "trainer.key", named).code == 0
        target.unlink()
    ran = run("oms", "sign", "--key", story.folder / "trainer.key", "--json", "/")
    assert (ran.code, ran.json["error"]["wanted"]) == (2, "--signature")


def test_sigstore(run: Run, story: Story) -> None:
    sigstore = VirtualSigstore()
    (story.folder / "sigstore.json").write_bytes(sigstore.trust().to_json())
    from glasswing_attest.oms import sign_model

    sign_model(story.model, signer=sigstore.signer("alice@example.com"), signature=f"{story.model}.sig")
    words = ("oms", "verify", "--trust", story.folder / "sigstore.json", "--issuer", "https://issuer.example")
    assert run(*words, "--san", "alice@example.com", story.model).code == 0
    assert run(*words, "--san", "bob@example.com", story.model).code == 1


def test_the_roots_are_told(run: Run, story: Story) -> None:
    (story.model / ".gitignore").write_bytes(b"")
    wanted = roots(Model(story.model, exclude=(".gitignore",)).measure())
    assert run("oms", "roots", story.model).out == f"{wanted['spec']}  spec\n{wanted['parts']}  parts\n"
    assert run("oms", "roots", "--json", story.model).json["roots"] == wanted


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("oms", "sign"), "--key"),
        (("oms", "verify", "--signer", "trainer"), "oms verify"),
        (("oms", "verify", "--trust", "{trust}"), "oms verify"),
        (("oms", "verify", "--trust", "{trust}", "--signer", "trainer", "--issuer", "https://x"), "oms verify"),
        (("oms", "verify", "--trust", "{trust}", "--signer", "trainer", "--san", "x"), "--san"),
        (("oms", "verify", "--trust", "{trust}", "--issuer", "https://x"), "--san"),
        (("oms", "verify", "--trust", "{trust}", "--signer", "nobody"), "signer"),
        (("oms", "verify", "--trust", "{trust}", "--signer", "trainer", "--key", "x"), "--key"),
        (("oms", "roots", "--signature", "x"), "--signature"),
        (("oms", "roots", "--ignore", "*"), "--ignore"),
    ],
)
def test_what_makes_no_sense_is_misuse(words: tuple[str, ...], where: str, run: Run, story: Story) -> None:
    filled = [word.format(trust=story.folder / "trust.yaml") for word in words]
    ran = run(*filled, "--json", story.model)
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert ran.json["error"]["where"] == where


def test_without_a_signature_there_is_no_yes(run: Run, story: Story) -> None:
    assert verify(run, story).code == 3
    Path(f"{story.model}.sig").write_bytes(b"")
    assert verify(run, story).code == 1
