"""Does every failure say what it is, in one bounded line, wherever it travels?"""

import concurrent.futures
import copy
import pickle
import re

import pytest

from glasswing_attest import errors
from glasswing_attest.errors import (
    FieldRefused,
    GlasswingError,
    LimitError,
    MalformedError,
    NotAccepted,
    PolicyRefused,
    SignatureInvalid,
    TrustRefused,
    UsageError,
    error_types,
    shown,
)

CLASSES = list(dict.fromkeys(error_types()))
ROOTS = {
    "MalformedError",
    "UnsupportedError",
    "ArtifactError",
    "UnavailableError",
    "LimitError",
    "SigningError",
    "VerificationError",
    "NotAccepted",
    "UsageError",
}


def test_the_tree_is_the_one_that_is_documented() -> None:
    assert {c.__name__ for c in GlasswingError.__subclasses__()} == ROOTS
    drawn = set(re.findall(r"\b[A-Z][A-Za-z0-9]+\b", errors.__doc__ or ""))
    assert {c.__name__ for c in CLASSES} <= drawn


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [c.code for c in CLASSES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", code) for code in codes)
    for cls in CLASSES[1:]:
        parent = cls.__bases__[0]
        assert issubclass(parent, GlasswingError)
        if parent is not GlasswingError:
            assert cls.code.startswith(f"{parent.code}."), "a code tells its class's place in the tree"


@pytest.mark.parametrize("cls", CLASSES, ids=[c.__name__ for c in CLASSES])
def test_an_error_is_whole_after_a_journey(cls: type[GlasswingError]) -> None:
    error = cls(where="$.a", found=[1, "two"], wanted="three", because="four", do="five")
    for back in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(back) is cls
        assert str(back) == str(error)
        assert back.to_dict() == error.to_dict()
        assert (back.where, back.found, back.wanted) == ("$.a", [1, "two"], "three")
    assert str(error).endswith(f"[{cls.code}]")
    assert cls.says in str(error)
    assert error.to_dict()["code"] == cls.code


def _fail(_: int) -> None:
    raise NotAccepted(rule="r1", where="model", found="x")


def test_an_error_crosses_a_process_pool() -> None:
    back = pickle.loads(pickle.dumps(NotAccepted(rule="r1", where="model", do="try")))
    assert (back.rule, back.guidance) == ("r1", "try")
    with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(NotAccepted) as raised:
        list(pool.map(_fail, [1]))
    assert raised.value.rule == "r1"


def test_kinds_tell_whose_bytes_they_were() -> None:
    assert MalformedError().kind == "evidence"
    assert PolicyRefused().kind == "policy"
    assert TrustRefused().kind == "trust"
    assert pickle.loads(pickle.dumps(FieldRefused(kind="trust"))).kind == "trust"


HOSTILE = "a\nb\r\x1b[31m\x00\u202e\u2028\ud800" + "x" * 10_000


@pytest.mark.parametrize("cls", CLASSES, ids=[c.__name__ for c in CLASSES])
def test_a_message_is_one_bounded_printable_line(cls: type[GlasswingError]) -> None:
    for value in (HOSTILE, HOSTILE.encode("utf-8", "surrogatepass"), {"k": HOSTILE}, 10**5000, [10**5000]):
        text = str(cls(where=HOSTILE, found=value, wanted=value, because=HOSTILE))
        assert text.isprintable()
        assert len(text) < 8_000
        assert text.encode()


def test_what_is_shown_is_short_and_escaped() -> None:
    assert shown("plain é") == "plain é"
    assert shown("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert shown("\u202e") == "\\x202e"
    assert shown("x" * 161) == "x" * 159 + "…"
    assert shown("x" * 160) == "x" * 160
    assert shown(b"\x00") == r"b'\x00'"
    assert shown(10**5000) == "a value of type int"


def test_a_message_reads_as_a_sentence() -> None:
    error = SignatureInvalid(where="$.signatures", wanted="a signature by key ab")
    assert str(error) == (
        "$.signatures: the signature is not valid: wanted a signature by key ab. "
        "The signed bytes or the signature were changed, or another key signed them [verification.signature]"
    )
    assert str(UsageError()) == "the call makes no sense [usage]"
    assert str(LimitError(found=0, do="wait")) == (
        "the input exceeds a limit, so nothing is decided: found 0. Wait [limit]"
    )
    assert error.to_dict()["wanted"] == "a signature by key ab"
    assert "found" not in error.to_dict()
