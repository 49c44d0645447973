"""Does every parser keep the law, whatever the bytes; and is every one of them asked?

A bounded part of what `python -m tests.fuzz` does for hours. The corpora cannot be empty, and of each at least one
document is read: what is refused at its first byte reaches nothing.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest.policy.cel import condition
from glasswing_attest.policy.paths import parse_path
from tests.fuzz.mutate import mutate
from tests.fuzz.parsers import PARSERS, corpus, keeps_the_law

EVERY = pytest.mark.parametrize("name", PARSERS)
HOSTILE = (
    b"",
    b"\x00",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"9" * 5000,
    b"a: &a [*a]",
    b"\xef\xbb\xbf{}",
    b"0\x84\xff\xff\xff\xff" * 20,
    b"\x30\x80" * 5000,
    b"\x80" * 200,
    b"PK\x05\x06" + b"\xff" * 18,
    b"-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----\n",
)


@EVERY
def test_the_corpus_is_read(name: str) -> None:
    parser = PARSERS[name]
    read = [keeps_the_law(parser, data) for data in corpus(name)]
    assert read
    if parser.never:
        assert not any(read), f"{name} is read after all: {parser.never}"
    else:
        assert any(keeps_the_law(parser, data) for data in parser.made())


@EVERY
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(random=st.randoms(use_true_random=False))
def test_a_spoilt_document_gives_a_value_or_our_own_error(name: str, random: Random) -> None:
    seeds = corpus(name)
    keeps_the_law(PARSERS[name], mutate(random, random.choice(seeds), seeds))


@EVERY
def test_what_is_hostile_gives_a_value_or_our_own_error(name: str) -> None:
    for data in HOSTILE:
        keeps_the_law(PARSERS[name], data)


def test_what_is_spoilt_is_still_read_at_times() -> None:
    # A mutator that breaks everything at its first byte would fuzz nothing.
    random = Random(8)
    seeds = corpus("bundle")
    spoilt = [mutate(random, random.choice(seeds), seeds) for _ in range(200)]
    read = sum(keeps_the_law(PARSERS["bundle"], data) for data in spoilt)
    assert 10 < read < 190
    assert len(set(spoilt)) > 150


# --- is every parser there? ------------------------------------------------------------------------------------------

# By its name, whatever it reads from; or by what it takes first, whatever it is called.
_NAME = re.compile(r"(parse|load|read|decode|from|unpack|opened|open)(_[a-z0-9_]+)?")
_TAKES = re.compile(r"\b(bytes|Node|BinaryIO|Reader|Answer|StrPath|Path|str)\b")
_SIGNING = ("seal", "sign_artifact")
_FOREIGN = re.compile(r"(bytes|BinaryIO|Node|Answer)( \| .*)?")
_NOT_FOREIGN = ("_cli", "_proto", "testing", "capture.integrations", "signing.backends")
_OWN = "opens a file by its name: its bytes are measured, and not read as anything"
_PARTS = "reads by what is fuzzed here, once it was chosen where from"
_SIGNS = "the caller's own, which is signed; what is read back of it is read by what is fuzzed here"
LEFT_OUT = {
    "_api.attesting.sign_statement": _SIGNS,
    "artifact.cache.CacheSession.keep": "keeps what was measured, in a cache that nobody else may write",
    "artifact.hashing.Stamp.unpack": "reads what this process packed, or a cache that nobody else may write",
    "artifact.hashing.open_file": _OWN,
    "artifact.loading.VerifiedTree.open": _OWN,
    "artifact.loading.VerifiedTree.read": _OWN,
    "artifact.merkle.check_subtree": "hashes that were read already: tried in tests/vectors/test_merkle.py",
    "artifact.oms.ShardedModel.open": _OWN,
    "artifact.tree.OnDisk.from_hf_snapshot": _OWN,
    "capture.build.Build.from_environment": "the build's own environment, which it attests",
    "capture.host.Host.read": "asks the machine; its parsers of texts are fuzzed",
    "oms.VerifiedModel.open": _OWN,
    "report.report.Report.open": _OWN,
    "report.report.Report.open_part": _OWN,
    "signing.certificate.CertificateSigner.from_files": _PARTS,
    "signing.key.KeySigner.from_uri": _PARTS,
    "signing.keyless.SigstoreSigner.from_token": _PARTS,
    "signing.signer.room_for": _SIGNS,
    "signing.tokens.IdentityTokens.from_environment": _PARTS,
    "signing.tokens.IdentityTokens.from_file": _PARTS,
}


def parsers(source: Path) -> Iterator[str]:
    """The public functions of the package that read: by their name, or by what they take first."""
    for path in sorted(source.rglob("*.py")):
        parts = [part for part in path.relative_to(source).with_suffix("").parts if part != "__init__"]
        module = ".".join(parts)
        if module.startswith(_NOT_FOREIGN):
            continue
        tree = ast.parse(path.read_bytes())
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
        for prefix, body in [("", tree.body), *((f"{node.name}.", node.body) for node in classes)]:
            for node in body:
                if isinstance(node, ast.FunctionDef) and _reads(node):
                    yield f"{module}.{prefix}{node.name}"


def _reads(function: ast.FunctionDef) -> bool:
    arguments = [each for each in function.args.args if each.arg not in ("self", "cls")]
    if not arguments or arguments[0].annotation is None:
        return False
    told = ast.unparse(arguments[0].annotation)
    if _NAME.fullmatch(function.name):
        return bool(_TAKES.search(told))
    is_public = not function.name.startswith("_") or function.name == "__init__"
    return is_public and function.name not in _SIGNING and bool(_FOREIGN.fullmatch(told))


def test_every_parser_is_reached(source: Path) -> None:
    """Every function that reads runs when the corpora are read, or is left out with a reason."""
    reached: set[str] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            if module.startswith("glasswing_attest."):
                reached.add(f"{module.removeprefix('glasswing_attest.')}.{frame.f_code.co_qualname}")

    condition.read.cache_clear()  # a text that was read before would not be read again
    parse_path.cache_clear()
    sys.setprofile(note)
    try:
        for name, parser in PARSERS.items():
            for data in corpus(name)[:8]:
                keeps_the_law(parser, data)
    finally:
        sys.setprofile(None)
    found = set(parsers(source))
    assert len(found) > 150
    assert sorted(found - reached - set(LEFT_OUT)) == [], "a function that reads bytes, and that nobody fuzzes"
    assert set(LEFT_OUT) <= found - reached, "left out, but reached or gone"
