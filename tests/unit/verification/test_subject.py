"""When is a statement about a thing?  Digests are typed: the table below is the whole truth."""

import json
from typing import Any

import pytest

from glasswing_attest import Attestation
from glasswing_attest.artifact.digest import DigestSet
from glasswing_attest.errors import DigestRefused, SubjectMismatch, VerificationError
from glasswing_attest.verification import subject
from glasswing_attest.verification.binding import VerifiedStatement
from glasswing_attest.verification.procedure import prove
from tests.chains import NOW, honest, seal, sha256, signer, statement
from tests.unit.verification.asking import refused

A, B = sha256(b"a"), sha256(b"b")
A512, B512 = "a" * 128, "b" * 128
GIT_A, GIT_B = "a" * 40, "b" * 40
MD5, SHA1 = "c" * 32, GIT_A


def about(*subjects: dict[str, Any]) -> VerifiedStatement:
    """A verified statement about subjects with these digests."""
    return named(*(("x", digest) for digest in subjects))


def named(*subjects: tuple[str, dict[str, Any]]) -> VerifiedStatement:
    """A verified statement about subjects with these names and digests."""
    told = [{"name": name, "digest": digest} for name, digest in subjects]
    payload = statement(told, "https://example.com/t/v1", {})
    (verified,) = prove(Attestation.parse(seal(payload, signer("trainer"))), honest().trust, claimed_at=NOW)
    return verified


MATCH = [
    ({"sha256": A}, {"sha256": A}),
    ({"sha256": A, "sha512": A512}, {"sha256": A}),
    ({"sha256": A}, {"sha256": A, "sha512": A512}),
    ({"sha512": A512, "md5": MD5}, {"sha512": A512}),
    ({"sha256": A, "md5": MD5}, {"sha256": A, "md5": "d" * 32}),  # weak ones count in neither direction
    ({"sha256": A, "future": "1"}, {"sha256": A, "future": "2"}),  # and unknown ones neither
    ({"sha256": A, "sha1": GIT_A}, {"sha256": A, "sha1": GIT_B}),
    ({"dirHash": A}, {"dirHash": A}),
    ({"dirHash1": A}, {"dirHash": A}),
    ({"dirHash": A, "sha256": A}, {"dirHash": A, "sha256": A}),
    ({"dirHash": A}, {"dirHash": A, "sha256": A}),
    ({"dirHash": A, "sha512": B512}, {"dirHash": A, "sha512": A512}),  # a tree is matched on dirHash only
    ({"gitCommit": GIT_A}, {"gitCommit": GIT_A}),
    ({"gitCommit": GIT_A, "gitTree": GIT_B}, {"gitCommit": GIT_A}),
    ({"gitTree": GIT_B}, {"gitCommit": GIT_A, "gitTree": GIT_B}),
]
NO_MATCH = [
    ({"sha256": A}, {"sha256": B}),
    ({"sha256": A, "sha512": A512}, {"sha256": A, "sha512": B512}),  # one shared one disagrees
    ({"sha256": A}, {"sha512": A512}),  # nothing shared
    ({"md5": MD5}, {"md5": MD5}),  # weak ones only
    ({"sha1": SHA1}, {"sha1": SHA1}),
    ({"future": "1"}, {"future": "1"}),  # unknown ones only
    ({"md5": MD5}, {"sha256": A, "md5": MD5}),
    ({"sha1": GIT_A}, {"gitCommit": GIT_A}),  # gitCommit is not sha1
    ({"gitCommit": GIT_A}, {"sha1": GIT_A}),
    ({"gitCommit": GIT_A}, {"gitTree": GIT_A}),
    ({"gitCommit": GIT_A, "gitTree": GIT_A}, {"gitCommit": GIT_A, "gitTree": GIT_B}),
    ({"gitBlob": GIT_A}, {"gitBlob": GIT_A}),  # read, but never an identity
    ({"gitTag": GIT_A}, {"gitTag": GIT_A}),
    # THREATS "Listing as file": a file's record never matches the directory whose listing it is, nor the reverse.
    ({"sha256": A}, {"dirHash": A, "sha256": A}),
    ({"dirHash": A, "sha256": A}, {"sha256": A}),
    ({"dirHash": A}, {"sha256": A}),
    ({"sha256": A}, {"dirHash": A}),
    ({"gitCommit": GIT_A, "sha256": A}, {"sha256": A}),
    ({"gitCommit": GIT_A, "dirHash": A}, {"dirHash": A}),
]


@pytest.mark.parametrize(("told", "found"), MATCH)
def test_these_are_one_thing(told: dict[str, str], found: dict[str, str]) -> None:
    matched = subject.match(about(told), DigestSet.of(found))
    assert matched.subject.digest == DigestSet.of(told)


@pytest.mark.parametrize(("told", "found"), NO_MATCH)
def test_these_are_not(told: dict[str, str], found: dict[str, str]) -> None:
    with pytest.raises(SubjectMismatch) as caught:
        subject.match(about(told), DigestSet.of(found))
    assert isinstance(caught.value, VerificationError)
    assert (caught.value.code, caught.value.where) == ("verification.subject", "$.subject")


@pytest.mark.parametrize(
    ("told", "where"),
    [
        ({"dirHash": A, "sha256": B}, "$.subject[0].digest"),
        ({"dirHash1": A, "sha256": B}, "$.subject[0].digest"),
        ({"dirHash": A, "dirHash1": A}, "$.subject[0].digest"),
        ({"dirHash1": "zz"}, "$.subject[0].digest.dirHash1"),
        ({"gitCommit": "a" * 39}, "$.subject[0].digest.gitCommit"),
        ({"sha256": A.upper()}, "$.subject[0].digest.sha256"),
        ({"sha256": f"{A}\n"}, "$.subject[0].digest.sha256"),
        ({"sha256": ""}, "$.subject[0].digest.sha256"),
    ],
)
def test_a_digest_that_contradicts_itself_is_malformed(told: dict[str, str], where: str) -> None:
    with pytest.raises(DigestRefused) as caught:
        about(told)
    assert (caught.value.code, caught.value.where) == ("malformed.digest", where)


def test_the_algorithm_is_spelled_exactly() -> None:
    # Another spelling is an unknown algorithm: kept, and never compared.
    for spelling in ("SHA256", "sha-256", "sha256 ", "sha256-sharded-10", "dirhash"):
        with pytest.raises(SubjectMismatch):
            subject.match(about({spelling: A}), DigestSet.of({spelling: A}))


def test_the_first_subject_that_matches_is_given_and_names_do_not_matter() -> None:
    matched = subject.match(about({"sha256": B}, {"sha256": A}, {"sha256": A, "sha512": A512}), DigestSet.of(sha256=A))
    assert matched.subject.digest == DigestSet.of(sha256=A)


def test_digests_of_two_subjects_are_never_united() -> None:
    with pytest.raises(SubjectMismatch):
        subject.match(
            about({"sha256": A, "sha512": B512}, {"sha256": B, "sha512": A512}), DigestSet.of(sha256=A, sha512=A512)
        )


def test_a_statement_is_plain_data() -> None:
    assert json.loads(about({"sha256": A}).statement.payload)["subject"] == [{"name": "x", "digest": {"sha256": A}}]


def test_only_the_subjects_that_an_index_knows_are_looked_at() -> None:
    verified = named(("a", {"sha256": A}), ("b", {"sha256": B}))
    found = subject.match(verified, DigestSet.of(sha256=B), positions=[1])
    assert (found.subject.name, found.verified) == ("b", verified)
    at = ("verification.subject", "$.subject")
    for positions in ([], [1]):
        assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), positions=positions) == at
    among = (found.subject,)
    assert subject.match(verified, DigestSet.of(sha256=B), among=among).subject is found.subject
    assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), among=among) == at
    assert refused(SubjectMismatch, subject.match, verified, DigestSet.of(sha256=A), among=()) == at


TREE = ("e", {"dirHash": B, "sha256": B})  # a directory by its listing, which is no file of that digest


def test_every_file_of_a_list_must_be_named_with_its_digest() -> None:
    verified = named(("a", {"sha256": A}), ("b", {"sha256": B}), ("c", {"dirHash": A}), ("d", {"sha512": A * 2}), TREE)
    found = subject.match_all(verified, {"b": B})
    assert (found.subject.name, found.verified) == ("b", verified)
    assert subject.match_all(verified, {"a": A, "b": B}).subject.name == "a"
    assert subject.match_all(verified, {"b": B, "a": A}).subject.name == "b"
    at = ("verification.subject", "$.subject")
    for files in ({}, {"a": B}, {"b": A}, {"a": A, "b": A}, {"a": A, "x": B}, {"c": A}, {"d": A}, {"a": ""}, {"e": B}):
        assert refused(SubjectMismatch, subject.match_all, verified, files) == at
