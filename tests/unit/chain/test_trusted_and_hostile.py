"""What can those do who are trusted to say something, and say it ten thousand times, or of a thousand things?

docs: security-model, "Limits"; ARCHITECTURE, "The chain".
"""

import inspect
import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest

from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.chain import contradictions, same
from glasswing_attest.chain.clues import Clues
from glasswing_attest.chain.draw import Drawing
from glasswing_attest.chain.index import Index
from glasswing_attest.chain.refused import Refused
from glasswing_attest.errors import LimitError, SignatureInvalid
from glasswing_attest.limits import DEFAULT, Budget, Limits
from glasswing_attest.policy.policy import SignedBy
from glasswing_attest.policy.rules import signed_by
from glasswing_attest.statement.predicates.link import LINK_V03
from glasswing_attest.statement.predicates.run import PROVENANCE_V1
from glasswing_attest.verification import subject
from tests.claims import (
    CHECKED,
    ISSUER,
    RUN,
    by_authority,
    by_certificate,
    by_key,
    claim,
    made,
    policy,
    sha256,
    things,
    walked,
)

A, B = by_key("a"), by_key("b")
WHO = {"a": {"key": "a"}, "b": {"key": "b"}}
EITHER = {"signed_by": {"any_of": ["a", "b"]}}
MODEL = {"require": [{**RUN, **EITHER}]}
SEVERAL = 40


def counting(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> Callable[[], int]:
    """How often is it called from now on?"""
    calls = itertools.count()
    plain = getattr(place, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        next(calls)
        return plain(*args, **kwargs)

    monkeypatch.setattr(place, name, counted)
    return lambda: next(calls)


# --- one statement about many things ---------------------------------------------------------------------------------


@pytest.mark.parametrize("contradictory", ["warn", "deny"])
def test_the_parameters_of_a_run_are_compared_once_whatever_it_made(
    monkeypatch: pytest.MonkeyPatch, contradictory: str
) -> None:
    calls = counting(monkeypatch, contradictions, "key_of")
    numbers = range(1, SEVERAL + 1)
    pile = [claim(things([0]), made(numbers), A, type_=PROVENANCE_V1)]
    pile += [claim(things(numbers), made((), steps=[1, 2]), by, type_=PROVENANCE_V1) for by in (A, B)]
    asked = policy(WHO, nodes={"model": MODEL, "dataset": MODEL}, contradictions=contradictory)
    chain = walked(pile, asked)
    assert (chain.accepted, chain.warnings) == (True, ())
    assert calls() <= 4  # once for each of the two, and once more for the picture


def test_a_value_that_is_compared_is_looked_at_once_whatever_it_is_said_of(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counting(monkeypatch, same, "key_of")
    numbers = range(1, SEVERAL + 1)
    labelled = [
        {"as": label, "predicate": type_, **EITHER} for label, type_ in (("p", CHECKED), ("q", f"{CHECKED}/more"))
    ]
    asked = policy(
        WHO, nodes={"model": MODEL, "dataset": {"require": labelled}}, same=[["p.predicate.x", "q.predicate.x"]]
    )
    pile = [claim(things([0]), made(numbers), A, type_=PROVENANCE_V1)]
    pile += [claim(things(numbers), {"x": [1, 2]}, A, type_=type_) for type_ in (CHECKED, f"{CHECKED}/more")]
    assert walked(pile, asked).accepted
    assert calls() == 2


@pytest.mark.parametrize("attested", [True, False])
def test_the_inputs_of_a_run_are_gone_through_once_whatever_it_made(
    monkeypatch: pytest.MonkeyPatch, attested: bool
) -> None:
    calls = counting(monkeypatch, Drawing, "_edge")
    out, into = range(1, SEVERAL + 1), range(1000, 1000 + SEVERAL)
    pile = [claim(things([0]), made(out), A, type_=PROVENANCE_V1)]
    pile += [claim(things(out), made(into, "tool"), by, type_=PROVENANCE_V1) for by in (A, B)]
    if attested:
        pile.append(claim(things(into), {}, A))
    nodes = {"model": MODEL, "dataset": MODEL, "tool": {"require": [{"predicate": CHECKED, **EITHER}]}}
    steps = 10 * SEVERAL  # and not one for each pair of what went in and what came out
    chain = walked(pile, policy(WHO, nodes=nodes), limits=Limits(steps=steps))
    assert chain.accepted is attested
    assert calls() == len(out) + len(into)
    made_by = [edge for edge in chain.graph.edges if edge.role == "tool"]
    assert {edge.parent for edge in made_by} == {f"tool sha256:{number:064x}" for number in into}
    assert {edge.state.value for edge in made_by} == {"verified" if attested else "missing"}


def test_the_edges_of_a_link_are_counted() -> None:
    # A link is no node of its own: each of its products has an edge to each of its materials.
    out, into = range(1, SEVERAL + 1), range(1000, 1000 + SEVERAL)
    materials = [{"name": f"thing-{n}", "digest": sha256(n)} for n in into]
    pile = [claim(things([0]), made(out), A, type_=PROVENANCE_V1)]
    pile.append(claim(things(out), {"name": "step", "materials": materials}, A, type_=LINK_V03))
    nodes = {
        "model": MODEL,
        "dataset": {"require": [{"predicate": LINK_V03, **EITHER}]},
        "dependency": {"trim": {"reason": "x"}},
    }
    assert walked(pile, policy(WHO, nodes=nodes)).accepted
    with pytest.raises(LimitError) as caught:
        walked(pile, policy(WHO, nodes=nodes), limits=Limits(steps=SEVERAL * SEVERAL))
    assert (caught.value.code, caught.value.wanted) == ("limit", f"at most {SEVERAL * SEVERAL} (steps)")
    assert caught.value.where.startswith("dataset sha256:")


def test_of_what_speaks_of_one_digest_so_much_is_looked_at() -> None:
    pile = [claim(things([5]), {"n": n}, A, type_=f"https://example.com/{n}") for n in range(100)]
    junk = [
        Refused(
            origin=f"{n:03}",
            error=SignatureInvalid(),
            predicate_type="https://e/x",
            subjects=(DigestSet.of(sha256(5)),),
        )
        for n in range(100)
    ]
    clues = Clues(pile, junk)
    assert len(clues.types(DigestSet.of(sha256(5)))) == 32
    found = clues.refused(DigestSet.of(sha256(5)), "https://e/x")
    assert found is not None
    assert found.origin == "000"


def test_a_file_that_many_models_have_does_not_lead_to_all_of_their_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counting(monkeypatch, subject, "match_all")
    licence, own = things([5])[0], [things([number])[0] for number in range(100, 100 + SEVERAL)]
    index = Index(claim([licence, each], made(()), A, type_=PROVENANCE_V1) for each in own)
    for each in own:
        files = {file["name"]: file["digest"]["sha256"] for file in (licence, each)}
        assert len(index.naming(files, PROVENANCE_V1)) == 1
        assert index.naming(files, CHECKED) == index.naming({}, PROVENANCE_V1) == []
    assert calls() == SEVERAL


# --- thresholds ------------------------------------------------------------------------------------------------------


def test_a_threshold_asks_who_somebody_is_once_for_each_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counting(monkeypatch, signed_by, "names_of")
    names = [f"n{number}" for number in range(8)]
    who = {name: {"issuer": ISSUER, "san": f"*.{name}"} for name in names}
    pile = [claim(things([0]), {}, by_certificate(f"{n}.n0", f"key {n}")) for n in range(300)]
    rule = {"threshold": 2, "of": names, "over": "same_type"}
    chain = walked(pile, policy(who, nodes={"model": {"require": [{"predicate": CHECKED, "signed_by": rule}]}}))
    assert chain.cause is not None
    assert (chain.cause.code, chain.cause.rule) == ("policy.threshold", "nodes.model.signed_by")
    assert chain.cause.found.count(f"(issuer {ISSUER}, root root)") == 8
    assert chain.cause.found.endswith(", …")
    assert calls() <= 3 * len(pile)


def test_what_a_threshold_costs_is_counted() -> None:
    pile = [claim(things([0]), {}, by_certificate("one", f"key {n}")) for n in range(300)]
    rule = {"threshold": 2, "of": ["one", "two"], "over": "same_type"}
    who = {name: {"issuer": ISSUER, "san": name} for name in ("one", "two")}
    asked = policy(who, nodes={"model": {"require": [{"predicate": CHECKED, "signed_by": rule}]}})
    assert not walked(pile, asked).accepted
    with pytest.raises(LimitError) as caught:
        walked(pile, asked, limits=Limits(steps=1000))
    assert (caught.value.code, caught.value.where) == ("limit", "signed_by")


def test_a_threshold_of_many_needs_no_stack() -> None:
    # Each signer has two names, and gives the first one up for the next who has no other.
    count = 200
    names = {f"n{number:03}": {"issuer": ISSUER, "san": f"*.{number}.*"} for number in range(count)}
    sans = [*(f"x.{number}.{number + 1}.x" for number in range(count - 1)), "x.0.x"]
    claims = [claim(things([0]), {}, by_certificate(san, san)) for san in sans]
    asked = policy(names, nodes={"model": {"require": [{"predicate": CHECKED, "signed_by": {"any_of": [*names]}}]}})
    rule = SignedBy(threshold=count, of=tuple(names), over="same_type")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + count // 2)
    try:
        chosen = signed_by.enough(claims, rule, asked, Budget(DEFAULT, "steps"))
    finally:
        sys.setrecursionlimit(before)
    assert {each.signer.san for each in chosen} == set(sans)


def test_a_key_that_has_a_certificate_as_well_takes_nobody_s_place() -> None:
    # The first three suffice. That the first key was certified, too, must not make too few of them.
    who = {"a": {"key": "a"}, **{name: {"issuer": ISSUER, "san": name} for name in ("x", "y")}}
    rule = SignedBy(threshold=3, of=tuple(who), over="same_type")
    asked = policy(who, nodes={"model": {"require": [{"predicate": CHECKED, "signed_by": {"any_of": ["a"]}}]}})
    signers = [by_key("a", "1"), by_certificate("x", "2"), by_certificate("y", "2"), by_certificate("x", "4")]
    more = by_certificate("x", "1")
    for several in ([*signers, more], [more, *signers], [more, *reversed(signers)], signers):
        claims = [claim(things([0]), {}, signer) for signer in several]
        chosen = signed_by.enough(claims, rule, asked, Budget(DEFAULT, "steps"))
        assert len({each.signer.fingerprint for each in chosen}) == 3
        assert len({each.signer.principal for each in chosen}) == 3
    for fewer in itertools.combinations([*signers, more], 2):
        claims = [claim(things([0]), {}, signer) for signer in fewer]
        assert signed_by.enough(claims, rule, asked, Budget(DEFAULT, "steps")) == ()
    one_key = [by_key("a", "1"), by_certificate("x", "1"), by_certificate("y", "1")]
    assert signed_by.enough([claim(things([0]), {}, s) for s in one_key], rule, asked, Budget(DEFAULT, "steps")) == ()


def test_one_private_authority_under_two_names_has_no_more_people() -> None:
    who = {"a": {"authority": "a", "san": "alice@acme.example"}, "b": {"authority": "b", "san": "*@acme.example"}}
    rule = SignedBy(threshold=2, of=tuple(who), over="same_type")
    asked = policy(who, nodes={"model": {"require": [{"predicate": CHECKED, "signed_by": {"any_of": ["a"]}}]}})

    def chosen(*holders: tuple[str, str, str]) -> tuple[object, ...]:
        claims = [claim(things([0]), {}, by_authority(*holder)) for holder in holders]
        return signed_by.enough(claims, rule, asked, Budget(DEFAULT, "steps"))

    alice, again = ("a", "alice@acme.example", "1"), ("b", "alice@acme.example", "2")
    assert chosen(alice, again) == ()
    assert len(chosen(alice, ("b", "bob@acme.example", "2"))) == 2
    assert len(chosen(alice, again, ("b", "bob@acme.example", "3"))) == 2


# --- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("witnessed", "needed", "accepted"),
    [((1, 9), 2, False), ((1, 4), 2, True), ((1, 9), 1, True), ((9, 9), 2, False), ((9, 4, 1), 2, True)],
)
def test_where_two_witnesses_are_asked_for_one_alone_makes_nothing_early(
    witnessed: tuple[int, ...], needed: int, accepted: bool
) -> None:
    data = {"require": [{"predicate": CHECKED, **EITHER}]}
    asked = policy(WHO, times="verified", nodes={"model": MODEL, "dataset": data})
    run = claim(things([0]), made([1], started=5), A, type_=PROVENANCE_V1, witnessed=(7, 7), needed=needed)
    chain = walked([run, claim(things([1]), {}, A, witnessed=witnessed, needed=needed)], asked)
    assert chain.accepted is accepted
    if not accepted:
        assert chain.cause is not None
        assert (chain.cause.code, chain.cause.found) == ("chain.causality", "attested by 2026-01-10T00:00:00Z")
