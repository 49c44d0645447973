"""Does the command record, lock and check an environment, and leave with the right number?"""

import json
from pathlib import Path

import pytest

from glasswing_attest import KeySigner
from glasswing_attest.artifact.lock import Lock
from glasswing_attest.records import DependencyRecord
from tests.environments import SITE, build_wheel, install, lock_of, make_prefix
from tests.unit.cli.stories import Run


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an environment, its lock file and its wheel."""
    wheel = build_wheel(tmp_path / "wheels")
    install(make_prefix(tmp_path / "env"), wheel)
    (tmp_path / "pylock.toml").write_bytes(lock_of(wheel))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_record_is_the_predicate_that_attest_signs_and_verify_reads(run: Run, world: Path) -> None:
    ran = run(
        "environment", "record", "--prefix", "env", "--lock", "pylock.toml", "--name", "trainer", "--out", "r.json"
    )
    assert (ran.code, ran.out, ran.err) == (0, "written: r.json\n", "")
    record = DependencyRecord.from_json((world / "r.json").read_bytes())
    assert (record.name, record.packages[0].digest_origin) == ("trainer", "lock")
    assert run("environment", "record", "--prefix", "env", "--json").json["record"]["packages"][0]["name"] == "demo"

    signer = KeySigner.generate()
    signer.write(world / "ci.key")
    (world / "ci.pub").write_text(signer.public_key.pem)
    signed = run(
        *("attest", "--key", "ci.key", "--kind", "dependency", "--predicate-type", DependencyRecord.predicate_type),
        *("--predicate", "r.json", "env"),
    )
    assert (signed.code, signed.err) == (0, "")
    policy = {
        "version": 1,
        "times": "claimed",
        "identities": {"ci": {"key": "ci"}},
        "nodes": {
            "dependency": {"require": [{"predicate": DependencyRecord.predicate_type, "signed_by": {"any_of": ["ci"]}}]}
        },
    }
    (world / "policy.json").write_text(json.dumps(policy))
    (world / "trust.json").write_text('{"version": 1, "keys": {"ci": {"file": "ci.pub"}}}')
    verify = ("verify", "--policy", "policy.json", "--trust", "trust.json", "--kind", "dependency", "env")
    assert run(*verify).code == 0
    (world / "env" / SITE / "evil.py").write_bytes(b"")
    assert run(*verify).code == 1


def test_help(run: Run) -> None:
    ran = run("environment", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "examples:\n  glasswing-attest environment record " in ran.out
    assert "  environment" in run("--help").out


def test_record_of_a_lock(run: Run, world: Path) -> None:
    told = run("environment", "record", "--of-lock", "pylock.toml").json
    assert told["lock"]["digest"] == Lock.load(world / "pylock.toml").digests.to_dict()
    assert "secret" not in json.dumps(told)


def test_lock_writes_what_installs_it_again(run: Run, world: Path) -> None:
    ran = run("environment", "lock", "--prefix", "env", "--lock", "pylock.toml")
    assert ran.code == 0
    assert Lock.parse(ran.out.encode()).packages[0].files == Lock.load(world / "pylock.toml").packages[0].files
    run("environment", "record", "--prefix", "env", "--lock", "pylock.toml", "--out", "r.json")
    assert run("environment", "lock", "--record", "r.json").out == ran.out
    requirements = run("environment", "lock", "--record", "r.json", "--requirements")
    assert requirements.out.startswith("demo==1.0 \\\n    --hash=sha256:")
    assert run("environment", "lock", "--record", "r.json", "--json").json == {"pylock": ran.out}


def test_lock_refuses_what_has_no_digest(run: Run, world: Path) -> None:
    ran = run("environment", "lock", "--prefix", "env", "--json")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (1, "unsupported.unpinned", "demo==1.0")


def test_check_leaves_with_the_answer(run: Run, world: Path) -> None:
    check = ("environment", "check", "--prefix", "env", "--lock", "pylock.toml")
    proved = run(*check, "--wheels", "wheels")
    assert (proved.code, proved.out, proved.err) == (0, "affirming: 1 packages proved\n", "")
    unproved = run(*check)
    assert unproved.code == 0
    assert unproved.out.startswith("warning: demo==1.0: deps.digest-unproved")
    assert unproved.out.endswith("warning: 0 packages proved, 1 warning\n")
    assert run(*check, "--strict").code == 1
    assert run(*check, "--strict", "--wheels", "wheels").code == 0
    install(world / "env", build_wheel(world / "x", "evil", "6", {"evil.py": b""}))
    ran = run(*check, "--wheels", "wheels", "--json")
    assert (ran.code, ran.json["tier"]) == (1, "contraindicated")
    assert [(f["code"], f["tier"]) for f in ran.json["findings"]] == [
        ("deps.intact", "affirming"),
        ("deps.extra-package", "contraindicated"),
    ]
    assert ran.json["environment"]["kind"] == "dependency"
    assert run(*check, "--also", "evil").code == 0
    first = run(*check).out.splitlines()[0]
    assert first.startswith("contraindicated: evil==6: deps.extra-package")


def test_check_against_a_record(run: Run, world: Path) -> None:
    run("environment", "record", "--prefix", "env", "--out", "r.json")
    check = ("environment", "check", "--prefix", "env", "--record", "r.json")
    assert run(*check).out == "affirming: 1 packages proved\n"
    assert run(*check, "--quiet").out == ""
    (world / "env" / SITE / "demo" / "__init__.py").write_bytes(b"evil()\n")
    assert run(*check).code == 1


def test_nothing_or_too_much_to_hold_it_against_is_misuse(run: Run, world: Path) -> None:
    for words in ((), ("--lock", "pylock.toml", "--record", "r.json")):
        ran = run("environment", "check", "--prefix", "env", *words, "--json")
        assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "check")


def test_environments_and_locks_that_cannot_be_read(run: Run, world: Path) -> None:
    (world / "bad.toml").write_text("nonsense")
    bad = run("environment", "check", "--prefix", "env", "--lock", "bad.toml", "--json")
    assert (bad.code, bad.json["error"]["code"]) == (2, "malformed.yaml")
    (world / "bad.json").write_text("[]")
    bad = run("environment", "check", "--prefix", "env", "--record", "bad.json", "--json")
    assert (bad.code, bad.json["error"]["code"]) == (2, "malformed.field")
    nowhere = run("environment", "check", "--prefix", "wheels", "--lock", "pylock.toml", "--json")
    assert (nowhere.code, nowhere.json["error"]["code"]) == (2, "artifact.unreadable")
    # What somebody did to the environment is no mistake of the caller's.
    (world / "env" / SITE / "demo-1.0.dist-info" / "RECORD").write_bytes(b"nonsense\n")
    damaged = run("environment", "check", "--prefix", "env", "--lock", "pylock.toml", "--json")
    assert (damaged.code, damaged.json["error"]["code"]) == (1, "malformed.field")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("record", "--record", "r.json"), "--record"),
        (("record", "--also", "pip"), "--also"),
        (("lock", "--of-lock", "pylock.toml"), "--of-lock"),
        (("check", "--lock", "pylock.toml", "--out", "x"), "--out"),
        (("record", "--of-lock", "pylock.toml", "--prefix", "env"), "--prefix"),
        (("record", "--prefix", "env", "--wheels", "wheels"), "--wheels"),
    ],
)
def test_options_that_do_not_go_together(run: Run, world: Path, words: tuple[str, ...], where: str) -> None:
    ran = run("environment", *words, "--json")
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", where)
    assert not (world / "x").exists()


def test_nothing_is_written_over(run: Run, world: Path) -> None:
    ran = run("environment", "record", "--prefix", "env", "--out", "pylock.toml", "--json")
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert (world / "pylock.toml").read_bytes().startswith(b"lock-version")


def test_a_warning_that_is_given_again_and_again_is_one_line(run: Run, world: Path) -> None:
    wheels = [build_wheel(world / "more", name) for name in ("a", "b", "c", "e")]
    for wheel in wheels:
        install(world / "env", wheel)
    (world / "pylock.toml").write_bytes(lock_of(*wheels, *(world / "wheels").iterdir()))
    check = ("environment", "check", "--prefix", "env", "--lock", "pylock.toml")
    first, last = run(*check).out.splitlines()
    assert first.startswith("warning: deps.digest-unproved, 5 times: a==1.0, b==1.0, c==1.0, and 2 more (wanted ")
    assert last == "warning: 0 packages proved, 5 warning"
    assert len(run(*check, "--json").json["findings"]) == 5
