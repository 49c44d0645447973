"""Do the selected statements agree where the policy asks for the same value?

``same`` of a policy names values within statements, by what it calls their requirements. Every statement that is
selected for one of these, each of a threshold, must say the one value there. What it says is known of each candidate by
itself: a value for each group that its requirement is in. So a requirement is met by candidates with equal values
alone, and what is left to find is one value for each group: a join of small tables, one a requirement, over the groups
as columns.

Tables are reduced against each other first, until each row has a partner in every other table. Where the groups form no
cycle (two tables that share columns, or a chain of them) the search that follows never goes back. Where they do it may,
and whoever is trusted to sign could make that long: every step is counted, and too many decide nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from glasswing_attest.claims import Claim
from glasswing_attest.findings import Finding, Tier
from glasswing_attest.limits import Budget
from glasswing_attest.policy.paths import Path, key_of, value_at, write_path
from glasswing_attest.policy.policy import Policy, Requirement
from glasswing_attest.verification.subject import MatchedSubject

__all__ = ["Sayings", "Table", "groups_of", "joined"]

_Row = TypeVar("_Row")
_Values = tuple[Hashable, ...]


def groups_of(policy: Policy) -> Mapping[tuple[str, int, int], tuple[tuple[int, tuple[Path, ...]], ...]]:
    """Give by kind, alternative and place within it the groups that a requirement is in, and its values in each."""
    found: dict[tuple[str, int, int], dict[int, list[Path]]] = {}
    for number, group in enumerate(policy.groups):
        for place, path in group.items:
            found.setdefault((group.kind, group.alternative, place), {}).setdefault(number, []).append(path)
    return {
        where: tuple((number, tuple(paths)) for number, paths in sorted(groups.items()))
        for where, groups in found.items()
    }


class Sayings:
    """What claims say where the policy compares values: a number for each, the same for what is the same.

    A value may be as large as its statement, and the statement be about a thousand things: it is looked at once.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[tuple[int, Path], int | None] = {}

    def of(
        self,
        claim: Claim,
        matched: MatchedSubject,
        requirement: Requirement,
        groups: Sequence[tuple[int, tuple[Path, ...]]],
    ) -> tuple[_Values, list[Finding]]:
        """Give what a claim says for each group; or complain that it says nothing there, or two things at once.

        ``predicate`` is what stands in its statement, ``subject`` the one that is about the thing.
        """
        values: list[Hashable] = []
        for _, paths in groups:
            numbers = [self._at(claim, matched, path) for path in paths]
            for path, number in zip(paths, numbers, strict=True):
                place = write_path((requirement.label or "", *path))
                if number is None:
                    return (), [_complaint(requirement, f"nothing at {place}", "a value")]
                if number != numbers[0]:
                    first = write_path((requirement.label or "", *paths[0]))
                    return (), [_complaint(requirement, f"another value at {place}", f"the same as at {first}")]
            values.append(numbers[0])
        return tuple(values), []

    def _at(self, claim: Claim, matched: MatchedSubject, path: Path) -> int | None:
        """Give the number of the value at a path; None where there is nothing."""
        is_predicate = path[0] == "predicate"
        known = id(claim.statement if is_predicate else matched.subject), path
        if known not in self._known:
            value = claim.statement.predicate if is_predicate else matched.subject.to_dict()
            key = key_of(value_at(value, path[1:]))  # type: ignore[arg-type]
            self._known[known] = None if key is None else self._numbers.setdefault(key, len(self._numbers))
        return self._known[known]


def _complaint(requirement: Requirement, found: str, wanted: str) -> Finding:
    return Finding(
        code="policy.same",
        tier=Tier.CONTRAINDICATED,
        subject=requirement.predicate,
        rule="same",
        found=found,
        wanted=wanted,
        do="have it said by whoever attests it, or change what the policy compares",
    )


@dataclass(slots=True, eq=False, kw_only=True)
class Table(Generic[_Row]):
    """What may be selected for one requirement: by the values that it says for the groups in `columns`."""

    columns: tuple[int, ...]
    rows: dict[_Values, _Row]

    def over(self, columns: Sequence[int]) -> list[int]:
        """The places of these columns."""
        return [self.columns.index(column) for column in columns]


def joined(tables: Sequence[Table[_Row]], budget: Budget) -> list[_Row] | None:
    """Choose a row of each table, so that all that have a column have one value there; None where that cannot be.

    Rows that stand first are preferred. Spends the budget: raises `LimitError` when it takes too long.
    """
    tables = [Table(columns=table.columns, rows=dict(table.rows)) for table in tables]
    if not _reduced(tables, budget):
        return None
    order = _ordered(tables)
    indices = _indices(tables, order, budget)
    chosen: dict[int, Hashable] = {}
    rows: dict[int, _Values] = {}
    left: list[Iterator[_Values]] = []  # what may still be tried, for each table in this order
    while len(rows) < len(order):
        index, bound = indices[len(left)]
        left.append(iter(index.get(tuple(chosen[column] for column in bound), ())))
        while (row := next(left[-1], None)) is None:
            left.pop()
            if not left:
                return None
            del rows[order[len(left) - 1]]
        budget.spend(where="same")
        number = order[len(left) - 1]
        rows[number] = row
        chosen.update(zip(tables[number].columns, row, strict=True))
    return [table.rows[rows[number]] for number, table in enumerate(tables)]


def _reduced(tables: Sequence[Table[_Row]], budget: Budget) -> bool:
    """Drop every row without a partner in some other table, until none is left to drop. Tell whether all have rows."""
    pairs = [
        (one, other, shared)
        for one in tables
        for other in tables
        if one is not other and (shared := [column for column in one.columns if column in other.columns])
    ]
    changed = True
    while changed:
        changed = False
        for one, other, shared in pairs:
            budget.spend(len(one.rows) + len(other.rows), where="same")
            mine, theirs = one.over(shared), other.over(shared)
            there = {tuple(row[place] for place in theirs) for row in other.rows}
            kept = {row: value for row, value in one.rows.items() if tuple(row[place] for place in mine) in there}
            changed |= len(kept) < len(one.rows)
            one.rows = kept
    return all(table.rows for table in tables)


def _ordered(tables: Sequence[Table[_Row]]) -> list[int]:
    """Give the tables in an order in which each shares as many columns as can be with those before it."""
    order: list[int] = []
    bound: set[int] = set()
    left = set(range(len(tables)))
    while left:
        best = max(left, key=lambda number: (len(bound.intersection(tables[number].columns)), -number))
        left.remove(best)
        order.append(best)
        bound.update(tables[best].columns)
    return order


def _indices(
    tables: Sequence[Table[_Row]], order: Sequence[int], budget: Budget
) -> list[tuple[dict[_Values, list[_Values]], tuple[int, ...]]]:
    """Give for each table, in this order, its rows by the columns that those before it have bound."""
    found = []
    before: set[int] = set()
    for number in order:
        table = tables[number]
        bound = tuple(column for column in table.columns if column in before)
        places = table.over(bound)
        index: dict[_Values, list[_Values]] = {}
        for row in table.rows:
            index.setdefault(tuple(row[place] for place in places), []).append(row)
        budget.spend(len(table.rows), where="same")
        found.append((index, bound))
        before.update(table.columns)
    return found
