"""What a fresh review found of issue 4: does a store that repeats itself, or gives no bytes, end in an answer?"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from glasswing_attest.artifact.digest import Digest
from glasswing_attest.errors import LimitError, UsageError
from glasswing_attest.limits import Limits
from glasswing_attest.store import Item, gather
from tests.chains import honest
from tests.unit.store.stories import Shelf

ITEM = Item(data=honest().run.bytes, origin="parrot")


class Parrot(Shelf):
    """Gives one item for ever."""

    def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
        return itertools.repeat(ITEM)

    def list(self) -> Iterator[Item]:
        return itertools.repeat(ITEM)


def test_a_store_that_gives_one_item_for_ever_is_a_limit() -> None:
    report = honest().assess([Parrot(), honest().evidence], limits=Limits(evidence=50))
    assert (report.verdict, report.evidence) == ("undecided", ())
    with pytest.raises(LimitError) as refused:
        report.require()
    assert (refused.value.code, refused.value.where, refused.value.found) == ("limit", "parrot", 51)
    with pytest.raises(LimitError) as whole:
        gather(Parrot(), limits=Limits(evidence=50))
    assert whole.value.where == "parrot"


@pytest.mark.parametrize("data", [bytearray(b"{}"), "{}", None, 1, memoryview(b"{}"), [b"{}"]])
def test_what_is_no_bytes_is_no_item(data: Any) -> None:
    class Wrong(Shelf):
        def find(self, digests: Iterable[Digest]) -> Iterator[Item]:
            yield Item(data=data, origin="wrong")

    for call in (lambda: Item(data=data, origin="wrong"), lambda: honest().assess(Wrong())):
        with pytest.raises(UsageError) as refused:
            call()
        assert (refused.value.code, refused.value.where, refused.value.wanted) == ("usage", "Item.data", "bytes")


def test_a_store_that_cannot_say_where_it_is_still_answers() -> None:
    class Lost(Shelf):
        @property
        def path(self) -> str:
            raise RuntimeError("not connected")

    store = Lost()
    for attestation in honest().evidence:
        store.add(attestation)
    report = honest().assess(store)
    assert report.accepted
    assert [source.origin for source in report.sources] == ["Lost"]


def test_an_origin_is_text() -> None:
    with pytest.raises(UsageError) as refused:
        Item(data=b"", origin=None)  # type: ignore[arg-type]
    assert (refused.value.where, refused.value.found) == ("Item.origin", "NoneType")
