"""Is every attack of the corpus refused for the reason that is told, and accepted without the attack?

The corpus is written into a temporary folder, and run by the runner of policy tests: from files, as another tool would.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from glasswing_attest._cli import main
from glasswing_attest.policy.cel.condition import is_read_here
from glasswing_attest.policy_tests import CaseResult, judge, load_case
from tests.attacks.corpus import FAMILIES, THREATS, Attack, Question, attacks, write

EVERY = attacks()

# What an attacker may choose. A trust file is not hers, but for an old one that she serves.
SERVED = {"artifact", "files", "evidence", "revocations"}
OLD_TRUST = "roots/old-trust-file"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole corpus, written once for each test process."""
    folder = tmp_path_factory.mktemp("attacks")
    write(folder)
    return folder


def asked(folder: Path, attack: Attack, which: str) -> CaseResult:
    """Ask one of an attack's questions."""
    return judge(load_case(folder, f"{attack.folder}/{which}.case.json"))


def with_condition(question: Question) -> bool:
    """Whether its policy has a condition, which is read by an extra."""
    return "'where'" in str(question.policy)


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.name)
def test_the_attack_is_refused_and_its_honest_twin_accepted(attack: Attack, corpus: Path) -> None:
    if with_condition(attack.pair[0]) and not is_read_here():
        pytest.skip("its policy has a condition, and the extra cel is not installed")
    honest, result = asked(corpus, attack, "honest"), asked(corpus, attack, "attack")
    assert honest.answer.verdict == "accepted", f"the honest twin is refused: {honest.answer.message}"
    assert result.passed, f"{'; '.join(map(str, result.differences))}. {result.answer.message}"
    if attack.expect.verdict != "accepted":
        # Whatever there is to be told of the refusal is told by the case.
        wanted = (attack.expect.code, attack.expect.rule or "", attack.expect.subject or "")
        assert (result.answer.code, result.answer.rule, result.answer.subject) == wanted


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("statements/result-that-nobody-knows-later", "(found PASSED_2, wanted one of PASSED, FAILED)"),
        ("statements/result-that-nobody-knows-empty", "(found nothing, wanted one of PASSED, FAILED)"),
        ("values/metric-that-is-no-decimal-nan", "(not a finite decimal"),
        ("builders/another-builder-of-the-trusted-key-look-alike", "found 'https://ci.ex\\u0430mple/tr\\u0430iner'"),
        ("builders/another-builder-of-the-trusted-key-line-feed", "found 'https://ci.example/trainer\\n'"),
    ],
)
def test_a_refusal_tells_what_is_wrong_with_the_value(name: str, told: str, corpus: Path) -> None:
    message = judge(load_case(corpus, f"{name}/attack.case.json")).answer.message
    assert told in message
    assert message.isprintable()


def test_only_what_an_attacker_chooses_is_changed() -> None:
    for attack in EVERY:
        honest, attacked = attack.pair
        names = Question.__dataclass_fields__
        differ = {name for name in names if getattr(honest, name) != getattr(attacked, name)}
        assert differ, attack.name
        assert differ <= (SERVED | {"trust"} if attack.function == OLD_TRUST else SERVED), attack.name


def test_what_keys_alone_sign_is_the_same_each_time() -> None:
    again = 0
    for attack in EVERY:
        if not any(question.trust.roots for question in attack.pair):
            first, second = ([q.to_dict("x") for q in pair] for pair in (attack.pair, attack.make()))
            assert first == second, attack.name
            again += 1
    assert again > len(EVERY) / 2


def test_every_family_and_every_name() -> None:
    assert {attack.name.partition("/")[0] for attack in EVERY} == set(FAMILIES)
    assert len({attack.folder.lower() for attack in EVERY}) == len(EVERY)  # also where the disk folds case
    for attack in EVERY:
        assert re.fullmatch(r"[a-z]+/[A-Za-z0-9.-]+", attack.folder), attack.name
        assert attack.about.endswith("."), attack.name


@pytest.mark.parametrize("family", ["artifacts", "signers", "revocations"])
def test_the_command_agrees(family: str, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "test", str(corpus / family)]) == 0
    told = capsys.readouterr().out
    count = 2 * sum(attack.name.startswith(f"{family}/") for attack in EVERY)
    assert f"{count} cases, all as expected" in told


# --- the page --------------------------------------------------------------------------------------------------------


def rows(page: str) -> dict[str, tuple[set[str], set[str]]]:
    """The table of the page: what is tried, the attacks and tests that try it, and the codes that answer."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and len(cells) == 5 and cells[0] != "threat":
            tried, codes = (set(re.findall(r"`([^`]+)`", cell)) for cell in cells[3:])
            assert cells[0] not in found, f"two rows are called {cells[0]}"
            found[cells[0]] = tried, codes
    return found


def functions(paths: Iterable[Path]) -> set[str]:
    """The names of all tests in some files."""
    trees = (ast.parse(path.read_text("utf-8")) for path in paths)
    names = (node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {name for name in names if name.startswith("test_")}


def test_every_row_of_the_page_has_attacks_and_every_attack_a_row(root: Path) -> None:
    told = rows((root / "docs" / "attacks.md").read_text("utf-8"))
    assert list(told) == list(THREATS)
    tests = functions([*(root / "tests" / "stories").glob("test_*.py"), *(root / "tests" / "properties").glob("*.py")])
    for threat in THREATS:
        mine = [attack for attack in EVERY if attack.threat == threat]
        tried, codes = told[threat]
        as_code = {name for name in tried if name.startswith("test_")}
        assert tried, f"{threat}: nothing tries it"
        assert as_code <= tests, f"{threat}: there is no {', '.join(as_code - tests)}"
        assert tried - as_code == {attack.function for attack in mine}, threat
        if mine:
            expected = {attack.expect.code or "accepted" for attack in mine} | {
                code for attack in mine for code in attack.expect.findings
            }
            assert codes == expected, threat
        else:
            assert codes, threat
