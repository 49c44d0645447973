"""Does `run` attest what a command made, and nothing where it failed?"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from glasswing_attest import Attestation, Build, KeySigner, Model, Policy, Trust, verify
from glasswing_attest._cli.run import COMMAND_BUILD_TYPE, _matching
from tests.environments import build_wheel, install, lock_of, make_prefix
from tests.unit.capture.test_ci import ALL, GITHUB
from tests.unit.cli.stories import Run, in_a_process

BUILDER = "https://ci.example/trainer"
TRAIN = "import pathlib; pathlib.Path('model').mkdir(); pathlib.Path('model/w').write_text('weights'); print('trained')"


POLICY = {
    "version": 1,
    "times": "claimed",
    "identities": {"trainer": {"key": "trainer"}},
    "nodes": {
        "model": {
            "require": [
                {
                    "predicate": "https://slsa.dev/provenance/v1",
                    "signed_by": {"any_of": ["trainer"]},
                    "expect": {"builder": BUILDER, "build_type": COMMAND_BUILD_TYPE},
                    "inputs": {"dataset": {"exactly": 1}},
                }
            ]
        },
        "dataset": {"trim": {"reason": "a test"}},
    },
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a key and a dataset, and no platform around it."""
    KeySigner.generate().write(tmp_path / "k.key")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1\n")
    monkeypatch.chdir(tmp_path)
    for names in ALL.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    return tmp_path


def words(*more: str, command: tuple[str, ...] = (sys.executable, "-c", TRAIN)) -> tuple[str, ...]:
    """A call that trains a model."""
    return ("run", "--key", "k.key", "--builder", BUILDER, "--output", "model=model", *more, "--", *command)


def said(folder: Path, name: str = "model") -> dict[str, Any]:
    """The predicate of the only attestation beside an output."""
    (line,) = (folder / f"{name}.attestations.jsonl").read_bytes().splitlines()
    predicate: dict[str, Any] = json.loads(Attestation.parse(line).envelope.payload)["predicate"]
    return predicate


def test_what_a_command_made_is_attested(run: Run, folder: Path) -> None:
    ran = run(*words("--use", "dataset=data", "--param", "epochs=3", "--param", "note=a=b", "--param", "x=NaN"))
    assert ran.code == 0, ran.err
    definition = said(folder)["buildDefinition"]
    assert definition["buildType"] == COMMAND_BUILD_TYPE
    assert definition["externalParameters"] == {
        "command": [sys.executable, "-c", TRAIN],
        "parameters": {"epochs": 3, "note": "a=b", "x": "NaN"},
    }
    (used,) = definition["resolvedDependencies"]
    assert (used["name"], used["annotations"]) == ("data", {"role": "dataset"})
    assert said(folder)["runDetails"]["builder"] == {"id": BUILDER}
    policy = Policy.model_validate(POLICY)
    key = KeySigner.from_file("k.key").public_key
    verify(Model("model"), [folder / "model.attestations.jsonl"], policy=policy, trust=Trust.of(trainer=key))


def test_the_command_may_make_the_directory_of_its_output(run: Run, folder: Path) -> None:
    make = "import pathlib; pathlib.Path('dist').mkdir(); pathlib.Path('dist/app.whl').write_text('packed')"
    call = ("run", "--key", "k.key", "--builder", BUILDER, "--output", "file=dist/app.whl", "--", sys.executable, "-c")
    ran = run(*call, make)
    assert ran.code == 0, ran.err
    assert (folder / "dist" / "app.whl.attestations.jsonl").is_file()
    # And where it does not, that is what is missing.
    shutil.rmtree(folder / "dist")
    failed = run(*call, "pass")
    assert failed.code == 2
    assert "dist/app.whl" in failed.err
    assert not (folder / "dist").exists()


def test_json_is_one_value_whatever_the_command_prints() -> None:
    ran = in_a_process(*words("--json"))
    assert (ran.code, ran.err) == (0, "trained\n")
    assert [s["name"] for s in ran.json["subjects"]] == ["model"]
    assert ran.json["paths"] == ["model.attestations.jsonl"]
    assert ran.json["invocationId"].startswith("urn:uuid:")


def test_words_after_two_dashes_are_the_commands_own(run: Run, folder: Path) -> None:
    code = f"import sys; assert sys.argv[1:] == ['--json', '--', '--key', 'x'], sys.argv; {TRAIN}"
    ran = in_a_process(*words(command=(sys.executable, "-c", code, "--json", "--", "--key", "x")))
    assert ran.code == 0, ran.err
    assert ran.out.startswith("trained\nmade:     model model  dirHash:")


@pytest.mark.parametrize(
    ("code", "exits"),
    [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 143), ("1/0", 1)],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_that_fails_leaves_nothing(code: str, exits: int, as_json: bool, folder: Path) -> None:
    failing = (sys.executable, "-c", f"{TRAIN}; {code}")
    ran = in_a_process(*words(*(["--json"] if as_json else []), command=failing))
    assert ran.code == exits
    assert (folder / "model").is_dir()
    assert not list(folder.glob("*.jsonl"))
    if as_json:
        assert (ran.json["error"]["code"], ran.json["exit"]) == ("signing.build", exits)
    else:
        assert f"it ended with {exits}, so nothing is attested" in ran.err


def test_a_changed_input_or_a_missing_output_leaves_nothing(run: Run, folder: Path) -> None:
    poison = f"{TRAIN}; pathlib.Path('data/a.csv').write_text('2')"
    ran = run(*words("--json", "--use", "dataset=data", command=(sys.executable, "-c", poison)))
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.inputs-changed")
    shutil.rmtree(folder / "model")
    ran = run(*words("--json", command=(sys.executable, "-c", "print()")))
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.unreadable")
    ran = run(*words("--json", "--output", "file=report", command=(sys.executable, "-c", "")))
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.unreadable")
    assert not (folder / "report.attestations.jsonl").exists()


def test_what_was_there_before_is_not_attested_as_made(run: Run, folder: Path) -> None:
    (folder / "model").mkdir()
    made = TRAIN.replace("mkdir()", "mkdir(exist_ok=True)")
    assert run(*words(command=(sys.executable, "-c", made))).code == 0  # an empty directory is nothing yet
    before = (folder / "model.attestations.jsonl").read_bytes()
    for link in (False, True):
        ran = run(*words("--json", command=(sys.executable, "-c", "raise SystemExit('it ran')")))
        assert (ran.code, ran.json["error"]["where"]) == (2, "--output model")
        if not link:
            (folder / "model").rename(folder / "other")
            (folder / "model").symlink_to("nowhere")
    assert (folder / "model.attestations.jsonl").read_bytes() == before


def test_the_passphrase_is_kept_from_the_command(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS", "correct horse")
    KeySigner.generate().write(folder / "locked.key", passphrase="correct horse")
    code = f"import os; assert 'PASS' not in os.environ and 'PATH' in os.environ; {TRAIN}"
    call = words("--passphrase-env", "PASS", command=(sys.executable, "-c", code))
    ran = run(*(word.replace("k.key", "locked.key") for word in call))
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("more", "command", "where"),
    [
        ((), ("train", "--api-key", "abc"), "parameters.command[2]"),
        (("--build-type", "https://x/v1"), ("sh", "-c", "curl https://u:p@x"), "internal_parameters.command[2]"),
        (("--param", "password=abc"), ("true",), "parameters.parameters.password"),
        (("--variable", "DB_PASSWORD"), ("true",), "internal_parameters.variables.DB_PASSWORD"),
    ],
)
def test_a_secret_is_refused_before_anything_runs(
    more: tuple[str, ...], command: tuple[str, ...], where: str, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "abc")
    ran = run(*words("--json", *more, command=command))
    assert ran.code == 2
    assert (ran.json["error"]["code"], ran.json["error"]["where"]) == ("usage.secret", where)
    assert "abc" not in ran.out
    assert "u:p" not in ran.out


def test_what_the_caller_answers_for_runs(run: Run, folder: Path) -> None:
    command = (sys.executable, "-c", TRAIN, "--sort-key", "q7Zt4Lw9Xb2Nc8Vr5Ks1")
    assert run(*words("--json", command=command)).json["error"]["where"] == "parameters.command[4]"
    ran = run(*words("--allow-secret-unsafe", "parameters.command[4]", command=command))
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (("run", "--key", "k.key", "--builder", BUILDER, "--", "true"), "--output"),
        (("run", "--key", "k.key", "--output", "model=m", "--", "true"), "--builder"),
        (words("--output", "image=x"), "--output image=x"),
        (words("--use", "image=x"), "--use image=x"),
        (words("--use", "dataset="), "--use dataset="),
        (words("--param", "x"), "--param"),
        (words("--param", "x=1", "--param", "x=2"), "--param x"),
        (words("--prefix", "x"), "--prefix"),
        (words("--lock", "x"), "--lock"),
        (words("--image", "python:3.13"), "image"),
        (words("--from-environment"), "environ"),
        (words(command=("./no-such-program",)), "./no-such-program"),
        (words("--build-type", "x"), "build_type"),
    ],
)
def test_a_wrong_call_is_misuse(call: tuple[str, ...], where: str, run: Run, folder: Path) -> None:
    ran = run(call[0], "--json", *call[1:])
    assert ran.code == 2
    assert (ran.json["error"]["code"], ran.json["error"]["where"]) == ("usage", where)
    assert not list(folder.glob("*.jsonl"))


def test_nothing_is_spoilt(run: Run, folder: Path) -> None:
    (folder / "model.attestations.jsonl").write_text("mine\n")
    ran = run(*words("--json"))
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert not (folder / "model").exists()
    (folder / "model.attestations.jsonl").unlink()
    spoil = f"{TRAIN}; pathlib.Path('model.attestations.jsonl').write_text('theirs')"
    ran = run(*words("--json", command=(sys.executable, "-c", spoil)))
    assert (ran.code, ran.json["error"]["code"]) == (2, "usage")
    assert (folder / "model.attestations.jsonl").read_text() == "theirs"


def test_the_platform_fills_in_what_it_knows(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    command = (sys.executable, "-c", TRAIN)
    ran = run("run", "--key", "k.key", "--from-environment", "--output", "model=model", "--", *command)
    assert ran.code == 0, ran.err
    found = said(folder)
    assert found["runDetails"]["builder"]["id"] == "https://github.com/actions/runner/github-hosted"
    assert list(found["buildDefinition"]["externalParameters"]) == ["workflow"]
    assert found["buildDefinition"]["internalParameters"]["command"] == list(command)


def test_everything_else_that_can_be_recorded(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    (folder / "base.gguf").write_bytes(b"GGUF")
    (folder / "tool.sh").write_text("#!/bin/sh\n")
    image = "ghcr.io/acme/train@sha256:" + "ab" * 32
    log = f"{TRAIN}; pathlib.Path('train.log').write_text('x')"
    ran = run(
        *words(
            *("--use", "baseModel=base.gguf", "--use", "tool=tool.sh", "--use", "dependency=data", "--image", image),
            *(
                "--packages",
                "--host",
                "--variable",
                "OMP_NUM_THREADS",
                "--byproduct",
                "train.log",
                "--output",
                "file=f",
            ),
            command=(sys.executable, "-c", f"{log}; pathlib.Path('f').write_text('f')"),
        )
    )
    assert ran.code == 0, ran.err
    found = said(folder)
    assert found == said(folder, "f")  # one statement, beside each output
    roles = [d["annotations"]["role"] for d in found["buildDefinition"]["resolvedDependencies"]]
    assert roles[:4] == ["baseModel", "tool", "dependency", "image"]
    assert set(roles[4:]) == {"dependency"}
    internal = found["buildDefinition"]["internalParameters"]
    assert internal["variables"] == {"OMP_NUM_THREADS": "4"}
    assert internal["host"]["kernel"] == os.uname().release
    assert [b["name"] for b in found["runDetails"]["byproducts"]] == ["train.log"]


def test_the_checkout_is_recorded_and_must_be_clean(run: Run, folder: Path) -> None:
    (folder / ".gitignore").write_text("*\n!.gitignore\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.email=dev@example.com", "-c", "user.name=dev")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--no-gpg-sign", "-m", "one")):
        subprocess.run(["git", *command], cwd=folder, check=True, env=environment, capture_output=True)
    assert run(*words()).code == 0
    (code,) = said(folder)["buildDefinition"]["resolvedDependencies"]
    assert code["annotations"] == {"role": "code"}
    assert set(code["digest"]) == {"gitCommit", "gitTree"}
    shutil.rmtree(folder / "model")
    (folder / ".gitignore").write_text("*\n!.gitignore\n!*.py\n")
    ran = run(*words("--json"))
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.source.dirty")
    assert run(*words("--no-code")).code == 0


def test_the_build_type_of_the_command_is_ours() -> None:
    with Build(BUILDER, build_type=COMMAND_BUILD_TYPE) as build:
        pass
    assert build.provenance().build_type == "https://glasswing-attest.readthedocs.io/build-types/command/v1"


# --- whose packages --------------------------------------------------------------------------------------------------


def environment_with(folder: Path, name: str) -> Path:
    """An environment that holds one package, and a program."""
    prefix = make_prefix(folder / name)
    install(prefix, build_wheel(folder / f"wheels-{name}", name))
    program = prefix / "bin" / "tool"
    program.write_text("#!/bin/sh\nmkdir model && echo weights >model/w\n")
    program.chmod(0o755)
    return prefix


def packages(folder: Path) -> list[str]:
    return [d["name"] for d in said(folder)["buildDefinition"]["resolvedDependencies"]]


def test_packages_are_those_of_the_commands_own_environment(run: Run, folder: Path) -> None:
    prefix = environment_with(folder, "trainer")
    lock = folder / "pylock.toml"
    wheel = next((folder / "wheels-trainer").iterdir())
    lock.write_bytes(lock_of(wheel))
    shell = shutil.which("sh") or ""
    (prefix / "bin" / "sh").symlink_to(shell)  # as a venv's interpreter is a link
    command = (str(prefix / "bin" / "sh"), "-c", "mkdir model && echo weights >model/w")
    ran = run(*words("--packages", "--lock", "pylock.toml", command=command))
    assert ran.code == 0, ran.err
    assert packages(folder) == ["trainer==1.0"]
    (found,) = said(folder)["buildDefinition"]["resolvedDependencies"]
    assert found["digest"] == {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}


def test_a_program_on_path_is_found_as_the_system_finds_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = environment_with(folder, "trainer")
    tool = prefix / "bin" / "tool"
    tool.write_text(f"#!/bin/sh\n# {prefix}/bin/python\nmkdir model && echo weights >model/w\n")
    monkeypatch.setenv("PATH", f"{prefix}/bin:{os.environ['PATH']}")
    assert run(*words("--packages", command=("tool",))).code == 0
    assert packages(folder) == ["trainer==1.0"]


@pytest.mark.parametrize("program", ["sh", "trainer/bin/tool", "elsewhere/python"])
def test_a_program_of_no_known_environment_is_refused_before_it_runs(program: str, run: Run, folder: Path) -> None:
    prefix = environment_with(folder, "trainer")  # its tool is a script for an interpreter that lies elsewhere
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "python").symlink_to(sys.executable)  # the same file, and not the same environment
    ran = run(*words("--json", "--packages", command=(program, "-c", "mkdir model")))
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", program)
    assert "--prefix PATH" in ran.json["error"]["do"]
    assert not (folder / "model").exists()
    command = ("sh", "-c", "mkdir model && echo weights >model/w")
    assert run(*words("--packages", "--prefix", str(prefix), command=command)).code == 0
    assert packages(folder) == ["trainer==1.0"]


@pytest.mark.parametrize(("option", "where"), [("--lock", "nowhere"), ("--prefix", "/nowhere")])
def test_an_environment_or_lock_that_is_not_there_is_told_at_once(
    option: str, where: str, run: Run, folder: Path
) -> None:
    ran = run(*words("--json", "--packages", option, where))
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "artifact.unreadable", where)
    assert not (folder / "model").exists()


# --- what can be told beforehand -------------------------------------------------------------------------------------


def commit(folder: Path, ignored: str) -> str:
    (folder / ".gitignore").write_text(ignored)
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.email=dev@example.com", "-c", "user.name=dev")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--no-gpg-sign", "-m", "one")):
        subprocess.run(["git", *command], cwd=folder, check=True, env=environment, capture_output=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def test_what_would_dirty_the_checkout_is_refused_before_the_command_runs(run: Run, folder: Path) -> None:
    commit(folder, "k.key\ndata\n*.jsonl\n")
    ran = run(*words("--json"))
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "--output model")
    assert ran.json["error"]["do"] == "add it to .gitignore, or write it elsewhere"
    assert not (folder / "model").exists()
    outside = folder.parent / f"{folder.name}-model"
    ran = run(*(w.replace("model=model", f"model={outside}") for w in words("--json", "--byproduct", "a.log")))
    assert (ran.code, ran.json["error"]["where"]) == (2, "--byproduct a.log")
    code = f"import pathlib; p = pathlib.Path({str(outside)!r}); p.mkdir(); (p / 'w').write_text('w')"
    ran = run(*(w.replace("model=model", f"model={outside}") for w in words(command=(sys.executable, "-c", code))))
    assert ran.code == 0, ran.err


def test_an_input_that_is_not_there_is_told_with_its_option(run: Run, folder: Path) -> None:
    ran = run(*words("--json", "--use", "dataset=nowhere"))
    assert (ran.code, ran.json["error"]["code"], ran.json["error"]["where"]) == (2, "usage", "--use dataset=nowhere")
    assert not (folder / "model").exists()


def test_what_was_not_made_is_told_with_what_is_there(run: Run, folder: Path) -> None:
    made = f"{TRAIN}; [pathlib.Path('out', c).write_text('') for c in 'abcdefg']"
    (folder / "out").mkdir()
    ran = run(*words("--json", "--output", "file=out/report", command=(sys.executable, "-c", made)))
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.unreadable")
    assert ran.json["error"]["where"] == "--output out/report"
    assert ran.json["error"]["because"] == "the command did not make it"
    assert ran.json["error"]["found"] == "in out: a, b, c, d, e, and 2 more"


def test_a_pattern_stands_for_what_the_command_makes(run: Run, folder: Path) -> None:
    (folder / "dist").mkdir()
    (folder / "dist" / "old.whl").write_text("old")
    build = "import pathlib; [pathlib.Path('dist', n).write_text(n) for n in ('a-1.whl', 'a-1.zip', 'old.whl')]"
    call = ("run", "--json", "--key", "k.key", "--builder", BUILDER, "--output", "file=dist/*.whl", "--")
    ran = run(*call, sys.executable, "-c", build)
    assert ran.code == 0, ran.err
    assert [s["name"] for s in ran.json["subjects"]] == ["a-1.whl"]
    assert ran.json["paths"] == ["dist/a-1.whl.attestations.jsonl"]
    ran = run(*call, sys.executable, "-c", build)  # it is there already
    assert (ran.code, ran.json["error"]["code"]) == (2, "artifact.unreadable")
    assert ran.json["error"]["where"] == "--output dist/*.whl"


def test_only_a_star_stands_for_something(folder: Path) -> None:
    for name in ("[a]1", "a1", "?1", "b1"):
        (folder / name).write_text("")
    assert _matching("[a]*") == ["[a]1"]
    assert _matching("?*") == ["?1"]
    assert {"[a]1", "a1", "?1", "b1"} <= set(_matching("*1"))


# --- what a reader will stumble over ---------------------------------------------------------------------------------


def test_what_the_platform_says_and_what_is_there_may_differ(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(folder, "*\n!.gitignore\n")
    for name, value in GITHUB.items():
        monkeypatch.setenv(name, value)
    call = ("run", "--key", "k.key", "--from-environment", "--output", "model=model")
    train = ("--", sys.executable, "-c", TRAIN)
    ran = run(*call, *train)
    assert ran.code == 0
    commits, builder = [line for line in ran.err.splitlines() if "warning" in line]
    assert GITHUB["GITHUB_SHA"] in commits
    assert head in commits
    assert "https://github.com/actions/runner/github-hosted" in builder
    shutil.rmtree(folder / "model")
    monkeypatch.setenv("GITHUB_SHA", head)
    ran = run(*call, "--json", "--builder", BUILDER, *train)
    assert (ran.code, ran.json["notes"]) == (0, [])
    shutil.rmtree(folder / "model")
    ran = run(*call, "--json", *train)
    assert [note.partition(" ")[0] for note in ran.json["notes"]] == ["builder.id"]
