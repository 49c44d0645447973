"""Are pages and pictures written for a yes, a no and an undecided, and does none of them change the answer?"""

import os
import shutil
from pathlib import Path

import pytest

from glasswing_attest.report import svg
from tests.unit.cli.stories import Run, Story
from tests.unit.report.test_html import checked
from tests.unit.report.test_pictures import needs_dot, parsed, shapes


def decide(run: Run, story: Story, *words: str | Path) -> int:
    return run("verify", *story.deciding, *words, story.model).code


@needs_dot
@pytest.mark.parametrize(("answer", "code"), [("accepted", 0), ("refused", 1), ("undecided", 3)])
def test_all_forms_of_a_report_are_written_whatever_it_says(run: Run, story: Story, answer: str, code: int) -> None:
    page, source, picture = (story.folder / f"report.{form}" for form in ("html", "dot", "svg"))
    words: list[str | Path] = ["--html", page, "--dot", source, "--svg", picture]
    if answer == "refused":
        story.evidence.write_text("{}\n")
    elif answer == "undecided":
        words += ["--evidence", story.folder / "absent.json"]
    assert decide(run, story, *words) == decide(run, story, *words[6:]) == code
    assert checked(page.read_text("utf-8"), picture=True).text.strip().startswith(f"{answer}: model")
    assert parsed(source.read_text("utf-8"))[-1 if answer == "undecided" else 1]["label"].startswith(answer.upper())
    assert shapes(picture.read_text("utf-8"))["svg"] == 1


def test_json_on_stdout_is_what_it_was(run: Run, story: Story) -> None:
    page = story.folder / "report.html"
    with_page = run("--json", "verify", *story.deciding, "--html", page, story.model)
    without = run("--json", "verify", *story.deciding, story.model)
    assert with_page.code == without.code == 0
    assert with_page.json | {"at": "", "now": ""} == without.json | {"at": "", "now": ""}
    assert page.is_file()


def test_a_replay_writes_them_too(run: Run, story: Story) -> None:
    case, page, source = (story.folder / name for name in ("case.zip", "report.html", "report.dot"))
    assert decide(run, story, "--case", case) == 0
    assert run("replay", "--html", page, "--dot", source, case).code == 0
    assert "Replayed from a case." in checked(page.read_text("utf-8"), picture=shutil.which("dot") is not None).text
    assert parsed(source.read_text("utf-8"))


@pytest.mark.parametrize("form", ["html", "dot", "svg"])
def test_nothing_is_written_into_what_is_verified(
    run: Run, story: Story, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svg, "layouter", lambda: ("true",))
    for place in (story.model / "report", story.folder / "absent" / "report"):
        done = run("verify", *story.deciding, f"--{form}", place, story.model)
        assert (done.code, not place.exists()) == (2, True)
        assert f"--{form} {place}" in done.err
    assert decide(run, story) == 0


def test_what_cannot_be_laid_out_is_said_before_anything_is_digested(
    run: Run, story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(svg, "find_spec", lambda _: None)
    picture, page = tmp_path / "report.svg", tmp_path / "report.html"
    shutil.rmtree(story.model)  # it would be missed
    done = run("verify", *story.deciding, "--svg", picture, story.model)
    assert (done.code, picture.exists()) == (3, False)
    assert "glasswing-attest[picture]" in done.err
    story.model.mkdir()
    (story.model / "weights.bin").write_bytes(b"weights")
    # A page does without its picture.
    assert decide(run, story, "--html", page) == 0
    assert "<svg" not in page.read_text("utf-8")


def test_a_file_that_cannot_be_written_is_no_yes(run: Run, story: Story) -> None:
    done = run("verify", *story.deciding, "--html", story.folder / f"{'x' * 300}.html", story.model)
    assert done.code == 3
    assert "ACCEPTED" not in done.out


@pytest.mark.parametrize("option", ["--html", "--dot", "--case"])
def test_what_is_no_file_is_not_replaced(run: Run, story: Story, option: str) -> None:
    (story.folder / "a-directory").mkdir()
    (story.folder / "a-link").symlink_to(story.folder / "policy.yaml")
    (story.folder / "to-nowhere").symlink_to(story.folder / "nowhere")
    os.mkfifo(story.folder / "a-pipe")
    for name in ("a-directory", "a-link", "to-nowhere", "a-pipe"):
        done = run("verify", *story.deciding, option, story.folder / name, story.model)
        assert (done.code, done.out) == (2, "")
        assert f"{option} {story.folder / name}: the call makes no sense (what is there is no file" in done.err
    assert (story.folder / "a-link").is_symlink()
    assert not (story.folder / "nowhere").exists()


def test_nothing_that_decides_is_written_over(run: Run, story: Story) -> None:
    handed = story.folder / "handed.json"
    handed.write_bytes(story.evidence.read_bytes())
    read = {"--policy": "policy.yaml", "--trust": "trust.yaml", "--evidence": "handed.json"}
    words = [part for option, name in read.items() for part in (option, str(story.folder / name))]
    (story.folder / "here").symlink_to(story.folder)
    for written in ("--html", "--case", "--seen"):
        for option, name in read.items():
            for place in (story.folder / name, story.folder / "here" / name):
                before = place.read_bytes()
                done = run("verify", *words, written, place, story.model)
                assert (done.code, place.read_bytes()) == (2, before)
                assert f"{written} {place}: the call makes no sense (that is {option})" in done.err
    before = story.evidence.read_bytes()
    done = run("verify", *story.deciding, "--html", story.evidence, story.model)
    assert (done.code, story.evidence.read_bytes()) == (2, before)
    assert "(that is the artifact's evidence)" in done.err


def test_two_things_are_not_written_to_one_place(run: Run, story: Story) -> None:
    place = story.folder / "report"
    for one, other in (("--html", "--dot"), ("--html", "--case"), ("--case", "--seen")):
        done = run("verify", *story.deciding, one, place, other, place, story.model)
        assert (done.code, place.exists()) == (2, False)
        assert f"{other} {place}: the call makes no sense (that is {one})" in done.err
    said = (
        "--signer",
        story.folder / "trainer.key",
        "--verifier",
        "https://a.example",
        "--resource",
        "https://b.example",
    )
    done = run("verify", *story.deciding, "--html", place, "--summary", place, *said, story.model)
    assert (done.code, place.exists()) == (2, False)
    # What was signed may be added to the evidence.
    done = run("verify", *story.deciding, "--summary", story.evidence, *said, story.model)
    assert (done.code, len(story.evidence.read_text().splitlines())) == (0, 2)
