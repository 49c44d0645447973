"""Does the command behave as a program should, whatever happens to it?"""

import io
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import glasswing_attest
from glasswing_attest import _api, _cli
from glasswing_attest._cli import main, progress
from glasswing_attest._cli.output import Output, printable
from glasswing_attest.artifact.hashing import ProgressEvent
from tests.unit.cli.stories import Run, Story, in_a_process

COMMANDS = ("keygen", "digest", "attest", "verify", "replay", "inspect", "store")


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"glasswing-attest {glasswing_attest.__version__}\n"
    top = run("--help")
    assert top.code == 0
    assert all(f"  {command}" in top.out for command in COMMANDS)
    for command in COMMANDS:
        ran = run(command, "--help")
        assert (ran.code, ran.err) == (0, "")
        assert "examples:\n  glasswing-attest " in ran.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("verify",),
        ("verify", "--pol", "x"),
        ("digest",),
        ("digest", "--nonsense", "x"),
        ("keygen", "--algorithm", "rsa-1024", "k"),
        ("inspect", "--quiet=1", "x"),
    ],
)
def test_wrong_calls_are_misuse(run: Run, words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("glasswing-attest: ")
    assert "--help" in ran.err
    as_json = run("--json", *words)
    assert (as_json.code, as_json.json["exit"], as_json.json["error"]["code"]) == (2, 2, "usage")
    assert as_json.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_leads_to_the_help_of_its_command(run: Run, command: str) -> None:
    needs = {
        "keygen": ("k",),
        "digest": ("x",),
        "attest": ("--key", "k", "--record", "model", "x"),
        "verify": ("--policy", "p", "--trust", "t", "x"),
        "replay": ("c",),
        "inspect": ("x",),
        "store": ("list", "d"),
    }
    error = run(command, "--json", *needs[command], "--nonsense").json["error"]
    assert (error["code"], error["where"]) == ("usage", command)
    assert error["because"] == "unrecognized arguments: --nonsense"
    assert error["do"] == f"see `glasswing-attest {command} --help`"


@pytest.mark.parametrize(
    ("words", "where", "meant"),
    [
        (("verfy",), "", "verify"),
        (("policy", "chek"), "policy", "check"),
        (("store", "fnd", "x"), "store", "find"),
        (("keygen", "--algorithm", "ed2551", "k"), "keygen --algorithm", "ed25519"),
    ],
)
def test_a_slip_of_the_pen_is_told_what_was_meant(run: Run, words: tuple[str, ...], where: str, meant: str) -> None:
    error = run("--json", *words).json["error"]
    assert (error["code"], error.get("where", "")) == ("usage", where)
    assert error["do"].startswith(f"did you mean {meant}? See `glasswing-attest")
    assert meant in error["wanted"]


def test_a_slip_of_the_pen_in_a_field_is_told_what_was_meant(run: Run, story: Story) -> None:
    words = ("attest", "--key", story.folder / "trainer.key", "--record", "model", "--name", "m")
    error = run("--json", *words, "--field", "licence=MIT", story.model).json["error"]
    assert (error["code"], error["where"], error["do"]) == ("usage", "--field licence", "did you mean license?")


def test_an_error_is_one_printable_line(run: Run, tmp_path: Path) -> None:
    ran = run("digest", tmp_path / "a\x1b[2J\nb")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "a\\x1b[2J\\x0ab" in ran.err
    assert all(c == "\n" or c.isprintable() for c in run("digest", "--\x1b[2J").err)


@pytest.mark.parametrize(
    ("words", "because", "do"),
    [
        (("verify", "--nme", "x", "m"), "unrecognized arguments: --nme", "did you mean --name? See `"),
        (("verify", "--polcy=p", "m"), "unrecognized arguments: --polcy", "did you mean --policy? See `"),
        (("verify", "m"), "the following arguments are required: --policy, --trust", "see `"),
        (("verify", "--policy", "p", "--trust", "t", "m", "n"), "unrecognized arguments: n", "see `"),
    ],
)
def test_a_slip_of_the_pen_in_an_option_is_told_before_what_is_missing(
    run: Run, words: tuple[str, ...], because: str, do: str
) -> None:
    error = run(*words, "--json").json["error"]
    assert (error["code"], error["where"], error["because"]) == ("usage", "verify", because)
    assert error["do"].startswith(do)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("bo\x1bom"), AssertionError(), MemoryError(), RecursionError(), OSError(5, "I/O"), KeyError(1)],
)
def test_cve_2026_44310_an_unforeseen_error_is_no_yes(
    run: Run, story: Story, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(_api.Verifier, "assess", broken)
    ran = run("verify", *story.deciding, story.model)
    assert (ran.code, ran.out) == (1, "")
    assert f"({type(error).__name__}: " in ran.err
    assert ran.err.count("\n") == 1
    assert all(c == "\n" or c.isprintable() for c in ran.err)
    as_json = run("verify", "--json", *story.deciding, story.model)
    assert (as_json.code, as_json.json["error"]["code"], as_json.json["exit"]) == (1, "internal", 1)


def test_an_interruption_is_no_yes(run: Run, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_api.Verifier, "assess", interrupted)
    ran = run("verify", *story.deciding, story.model)
    assert (ran.code, ran.out, ran.err) == (130, "", "glasswing-attest: interrupted\n")


def test_debug_shows_where_an_error_came_from(
    capsys: pytest.CaptureFixture[str], story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        logging.getLogger("glasswing_attest.test").debug("a \x1b line")
        raise RuntimeError("boom")

    monkeypatch.setattr(_api.Verifier, "assess", broken)
    assert main(["--debug", "verify", *story.deciding, str(story.model)]) == 1
    err = capsys.readouterr().err
    assert "DEBUG glasswing_attest.test: a \\x1b line\n" in err
    assert "Traceback (most recent call last)" in err
    assert "RuntimeError: boom" in err
    assert logging.getLogger("glasswing_attest").handlers == []


class Broken(io.StringIO):
    """A stream that fails when it is flushed, as a closed pipe or a full disk does."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left on device")])
def test_a_yes_that_nobody_could_be_told_is_none(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(error))
    assert main(["verify", *story.deciding, str(story.model)]) == 1
    told = "" if isinstance(error, BrokenPipeError) else f"glasswing-attest: the result cannot be written ({error})\n"
    assert capsys.readouterr().err == told
    assert main(["verify", str(story.model)]) == 2
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["verify", *story.deciding, str(story.model)]) == 1


def test_a_terminal_that_knows_ascii_only(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["verify", *story.deciding, str(story.model)]) == 0
    assert b"\\u2713 model model" in raw.getvalue()


def test_printable() -> None:
    assert printable("é ✓\n\t\x7f\u2028\u202e\udc80") == "é ✓\n\\x09\\x7f\\x2028\\x202e\\xdc80"


# --- progress --------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0.0)
    output = Output(as_json=False, quiet=False, debug=False)
    with progress.progress(output) as told:
        assert told is not None
        for total in (10, 0):
            told(ProgressEvent(done_bytes=5, total_bytes=total, name="[red]weights\x1b[2J"))
    assert "[red]weights\\x1b" in terminal.getvalue()


def test_no_progress_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    with progress.progress(Output(as_json=False, quiet=False, debug=False)) as told:
        assert told is None
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress(Output(as_json=False, quiet=True, debug=False)) as told:
        assert told is None
    with progress.progress(Output(as_json=False, quiet=False, debug=False)) as told:
        assert told is not None
        told(ProgressEvent(done_bytes=5, total_bytes=5, name="quick"))
    assert terminal.getvalue() == ""


# --- as a program ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("-O",)], ids=["plain", "optimised"])
def test_as_a_program(story: Story, options: tuple[str, ...]) -> None:
    accepted = in_a_process("verify", "--json", *story.deciding, story.model, options=options)
    assert (accepted.code, accepted.err, accepted.json["verdict"]) == (0, "", "accepted")
    story.evidence.write_bytes(b"")
    refused = in_a_process("verify", "--json", *story.deciding, story.model, options=options)
    assert (refused.code, refused.err, refused.json["verdict"]) == (1, "", "refused")


def test_misuse_and_unavailable_as_a_program(story: Story) -> None:
    assert in_a_process("verify", story.model).code == 2
    missing = in_a_process("verify", *story.deciding, "--evidence", story.folder / "nowhere", story.model)
    assert missing.code == 3
    assert "Traceback" not in missing.err


def test_a_reader_that_goes_away_gets_no_traceback(story: Story) -> None:
    # `head -c 0` never reads: writing to it breaks, at the latest when the interpreter flushes.
    script = (
        f"{sys.executable} -m glasswing_attest inspect --json {' '.join([str(story.evidence)] * 400)} | head -c 0;"
        " echo ${PIPESTATUS[0]}"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_help_is_light() -> None:
    code = "from glasswing_attest._cli import main; main(['--help']); import sys; print(HEAVY & sys.modules.keys())"
    heavy = {"pydantic", "cryptography", "rich", "sigstore", "requests"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"HEAVY = {heavy}\n{code}"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_the_table_of_help_is_the_table_of_the_page(root: Path) -> None:
    page = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    assert _cli.PROGRAM in page
    for code in (0, 1, 2, 3, 130):
        assert f"| {code} |" in page
