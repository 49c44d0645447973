"""Are the mutants those that a verifier needs, and does each explanation stand for a line that is there?"""

from pathlib import Path

import pytest

from tests.mutation import kept
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.run import PACKAGE, Outcome, Verdict
from tests.mutation.survivors import Explained, explained, to_explain

CHECK = """\
from glasswing_attest.errors import NotLogged

KNOWN = {"a", "b"}

def check(log, size):
    if log is None or size < 4:
        raise NotLogged(where="log", found=f"{size} bytes", wanted="at least four", because="too short")
    return [each for each in log if each.good]
"""


def of(tmp_path: Path, source: str) -> list[Mutant]:
    path = tmp_path / "check.py"
    path.write_text(source, encoding="utf-8")
    return list(mutants(path, "verification/check.py"))


@pytest.mark.parametrize(
    "becomes",
    [
        'KNOWN = {"b"}',
        'KNOWN = {"XXaXX", "b"}',
        "if True:",
        "if False:",
        "if log is None and size < 4:",
        "if log is None:",
        "if size < 4:",
        "if log is not None or size < 4:",
        "if log is None or size <= 4:",
        "if log is None or size < 3:",
        "if log is None or False:",
        "pass",
        'raise OtherMutantError(where="log", found=f"{size} bytes", wanted="at least four", because="too short")',
        'raise NotLogged(where=None, found=f"{size} bytes", wanted="at least four", because="too short")',
        "return None",
        "return [each for each in log]",
    ],
)
def test_what_turns_a_no_into_a_yes_is_tried(becomes: str, tmp_path: Path) -> None:
    assert becomes in [mutant.becomes for mutant in of(tmp_path, CHECK)]


def test_words_are_left_alone(tmp_path: Path) -> None:
    for mutant in of(tmp_path, CHECK):
        if mutant.becomes.startswith("raise"):
            assert mutant.becomes.endswith('found=f"{size} bytes", wanted="at least four", because="too short")')
    assert not of(tmp_path, 'class A:\n    def __repr__(self):\n        return "A" if self.b else "B"\n')
    assert not of(tmp_path, 'def f(a):\n    """Say `f`."""\n')


def test_no_two_mutants_read_alike_and_none_is_the_engine(tmp_path: Path) -> None:
    found = of(tmp_path, CHECK)
    assert len({mutant.source for mutant in found}) == len({mutant.name for mutant in found}) == len(found) > 20
    assert CHECK not in {mutant.source for mutant in found}


def test_what_is_inserted_elsewhere_changes_no_name(tmp_path: Path) -> None:
    before = {mutant.name for mutant in of(tmp_path, CHECK)}
    after = of(tmp_path, CHECK.replace("KNOWN", "# a comment\n\nOTHER = 1\nKNOWN"))
    assert before <= {mutant.name for mutant in after}
    (first,) = {mutant.first for mutant in after if mutant.becomes == "return None"}
    assert first == CHECK.count("\n") + 3


def test_only_the_body_of_a_function_is_exchanged_in_a_living_process(tmp_path: Path) -> None:
    source = (
        "A = 1\n\n\ndef f(b=2):\n    return 3\n\n\nclass C:\n    d: int = 4\n\n    def g(self):\n        return 5\n"
    )
    where = {(mutant.within, mutant.line): mutant.is_code for mutant in of(tmp_path, source)}
    assert where == {
        ("", "A = 1"): False,
        ("f", "def f(b=2):"): False,
        ("f", "return 3"): True,
        ("C", "d: int = 4"): False,
        ("C.g", "return 5"): True,
    }


@pytest.mark.parametrize("each", explained().values(), ids=lambda each: f"{each.name[0]}:{each.name[3][:40]}")
def test_what_is_explained_is_there(each: Explained) -> None:
    module, within, line, becomes, _ = each.name
    text = (PACKAGE / module).read_text(encoding="utf-8")
    assert line in " ".join(part.strip() for part in text.splitlines())
    assert all(name in text for name in within.split("."))
    assert line != becomes
    assert len(each.why) > 20


def test_a_survivor_is_written_as_it_is_read(tmp_path: Path) -> None:
    names = [("verification/check.py", "check", "a = 'b'", 'a = "\\n"', 1), ("verification/check.py", "", "a", "c", 2)]
    path = tmp_path / "verification" / "check.toml"
    path.parent.mkdir()
    path.write_text(to_explain(names).replace('why = ""', 'why = "It cannot be seen."'), encoding="utf-8")
    assert list(explained(tmp_path)) == names
    path.write_text(to_explain(names), encoding="utf-8")
    with pytest.raises(ValueError, match="does not explain"):
        explained(tmp_path)


def test_what_was_killed_stays_so_while_its_module_and_its_killer_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)
    monkeypatch.setattr(kept, "ROOT", tmp_path)
    monkeypatch.setattr(kept, "_digest", lambda path: path.read_text(encoding="utf-8") if path.is_file() else "")
    (tmp_path / "check.py").write_text("A = 1", encoding="utf-8")
    (tmp_path / "test_check.py").write_text("assert A", encoding="utf-8")
    killed = Verdict(outcome=Outcome.KILLED, seconds=0.1, killer="test_check.py::test_a")
    unread = Verdict(outcome=Outcome.KILLED, seconds=0.1)
    survived = Verdict(outcome=Outcome.SURVIVED, seconds=0.1)
    names = {verdict: ("check.py", "", "A = 1", f"A = {n}", 1) for n, verdict in enumerate((killed, unread, survived))}
    path = tmp_path / "build" / "mutation.json"
    assert kept.take_up(path) == {}
    kept.keep({name: verdict for verdict, name in names.items()}, path)
    assert kept.take_up(path) == {names[killed]: killed}
    for file, before in (("test_check.py", "assert A"), ("check.py", "A = 1")):
        (tmp_path / file).write_text("changed", encoding="utf-8")
        assert kept.take_up(path) == {}
        (tmp_path / file).write_text(before, encoding="utf-8")
        assert kept.take_up(path) == {names[killed]: killed}
