"""Is docs/interop.md what the exchanges say, and is it noticed when it is not?"""

import pytest

from tests.interop import peers
from tests.interop.exchange import Who, assert_refused
from tests.interop.matrix import DIRECTIONS, FORMS, PAGE, YES, cells_of, page, settle


def test_the_page_is_as_it_is_written() -> None:
    text = PAGE.read_text(encoding="utf-8")
    cells = cells_of(text)
    assert page(cells) == text, "run `make interop`"
    assert set(cells) == {(way, form, peer) for way in DIRECTIONS for form in FORMS[way] for peer in peers.VERSIONS}


@pytest.mark.parametrize("outcome", [YES, "There was no time."])
def test_another_outcome_is_noticed(outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLASSWING_ATTEST_INTEROP", raising=False)
    cells = cells_of(PAGE.read_text(encoding="utf-8"))
    (direction, form, peer) = next(cell for cell, said in cells.items() if (said == YES) != (outcome == YES))
    settle(direction, form, peer, cells[direction, form, peer])
    with pytest.raises(AssertionError, match="make interop"):
        settle(direction, form, peer, outcome)


@pytest.mark.parametrize(
    ("refused", "lie"),
    [
        ("", "another artifact"),
        ("no such file", "another artifact"),
        ("invalid signature", ""),
        ("invalid signature", "another identity"),
        ("expected alice@acme.example", "another issuer"),
    ],
)
def test_a_wrong_answer_of_a_client_is_noticed(refused: str, lie: str) -> None:
    who = Who(issuer="https://issuer.example", san="alice@acme.example")
    with pytest.raises(AssertionError):
        assert_refused(refused, lie, who)
    assert_refused("", "", who)
    assert_refused("wanted alice@acme.example", "another identity", who)
    assert_refused("wanted https://issuer.example", "another issuer", who)
    assert_refused("the digests differ", "another artifact", who)
