"""What is asked in one test of a policy, and which answer is expected?

A case is a file of its own, in JSON or in the plain YAML of policies (docs/policy-tests.md). ::

    {version: 1, name?, about?, threat?,
     artifact: {kind, path, exclude?} or {kind, digests, name?, declared?},
     policy?: path or policy, trust?: path or trust,
     evidence: [path or {base64}, …], at, now?,
     revocations?: path or {base64}, revocations_seen?, seen?: path or what was seen, opaque?: [URI, …],
     expect: {verdict: accepted | refused | undecided, code, rule?, subject?, findings?: [code, …]}}

What a case names lies below the folder of the tests, so that the folder can be handed to somebody else as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from glasswing_attest._complaints import Fault, Source, facts_of, suggestion
from glasswing_attest._config import ConfigModel, ConfigTime, ConfigVersion, FrozenMap, load_config
from glasswing_attest._files import StrPath
from glasswing_attest._wire import decode_base64
from glasswing_attest.errors import CaseRefused, LimitError, MalformedError, PolicyRefused, error_types
from glasswing_attest.findings import FINDING_CODES
from glasswing_attest.limits import DEFAULT, Limits

__all__ = ["Asked", "Document", "Expected", "PolicyCase", "find_cases", "load_case"]

Document: TypeAlias = Path | bytes
"""A file below the folder of the tests, or what stands in the case itself; a policy's or a trust's bytes are JSON."""

_MEASURED = ("model", "dataset", "file", "code", "dependency")
_TREES = ("model", "dataset")
_SUFFIXES = (".json", ".yaml", ".yml")
_BELOW = "a path below the folder of the tests"


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


_Text = Annotated[str, Field(min_length=1)]
_Texts = Annotated[tuple[_Text, ...], BeforeValidator(_as_tuple)]
_Inline: TypeAlias = dict[str, Any]


class Asked(ConfigModel):
    """The artifact: bytes on disk at `path`, or `digests`.

    Digests stand for bytes as if they had been read here. Only where they are `declared` is the policy asked whether it
    accepts a digest that somebody told.
    """

    kind: _Text
    path: _Text | None = None
    exclude: _Texts = ()
    digests: FrozenMap[str] | None = None
    name: str = ""
    declared: bool = False

    @model_validator(mode="after")
    def _unambiguous(self) -> Asked:
        if (self.path is None) == (not self.digests):
            raise Fault(wanted="exactly one of path and digests")
        for field, value, other in (
            ("exclude", self.exclude, self.path),
            ("name", self.name, self.digests),
            ("declared", self.declared, self.digests),
        ):
            if value and not other:
                raise Fault(at=(field,), of_key=True, wanted="path" if field == "exclude" else "digests")
        if self.exclude and self.kind not in _TREES:
            raise Fault(f"of a {self.kind} nothing can be left out", at=("exclude",), of_key=True)
        if self.path is not None and self.kind not in _MEASURED:
            raise Fault(at=("kind",), found=self.kind, wanted=f"one of {', '.join(_MEASURED)}: what can be measured")
        return self


class _Base64(ConfigModel):
    base64: _Text

    @model_validator(mode="after")
    def _decodes(self) -> _Base64:
        try:
            decode_base64(self.base64)
        except MalformedError as e:
            raise Fault(at=("base64",), found=self.base64, wanted="base64") from e
        return self


class Expected(ConfigModel):
    """The answer that is wanted. What is no yes is refused for a reason, and another reason is another answer.

    Attributes:
        verdict: the report's.
        code, rule, subject: of the cause; None where it does not matter.
        findings: codes that must be told as well, by a finding or of a piece of evidence that proved nothing.
    """

    verdict: Literal["accepted", "refused", "undecided"]
    code: _Text | None = None
    rule: _Text | None = None
    subject: _Text | None = None
    findings: _Texts = ()

    @model_validator(mode="after")
    def _unambiguous(self) -> Expected:
        if self.verdict != "accepted" and self.code is None:
            raise Fault("a refusal for another reason is another answer", wanted="a code beside it")
        known = {*FINDING_CODES, *(kind.code for kind in error_types())}
        for place, code in ((("code",), self.code), *((("findings", n), c) for n, c in enumerate(self.findings))):
            if code is not None and code not in known:
                # Nothing is ever told by it, so that the case could not pass: or worse, not fail as it was meant.
                advice = suggestion(code, known) or "every code stands in docs/errors.md"
                raise Fault("there is no such code", at=place, found=code, do=advice)
        told = [name for name in ("code", "rule", "subject") if getattr(self, name) is not None]
        if self.verdict == "accepted" and told:
            raise Fault("a yes has no cause", at=(told[0],), of_key=True)
        return self


class _CaseFile(ConfigModel):
    version: ConfigVersion
    name: str = ""
    about: str = ""
    threat: str = ""
    artifact: Asked
    policy: _Text | _Inline | None = None
    trust: _Text | _Inline | None = None
    evidence: Annotated[tuple[_Text | _Base64, ...], BeforeValidator(_as_tuple)]
    at: ConfigTime
    now: ConfigTime | None = None
    revocations: _Text | _Base64 | None = None
    revocations_seen: Annotated[int, Field(ge=0)] = 0
    seen: _Text | _Inline | None = None
    opaque: _Texts = ()
    expect: Expected


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One case, with everything that it names found.

    Attributes:
        file: where it stands, below the folder of the tests.
        name: what it is called; where it says nothing, its file without the suffix.
        about, threat: words for people.
        artifact: what is asked about; `path` is where it lies, if it is on disk.
        policy, trust: what decides; None where the case leaves it to whoever runs it.
        evidence: files, directories, and the bytes of single items.
        at, now: the times. No clock is read.
        revocations, revocations_seen, seen, opaque: as a verifier takes them.
        expect: the answer that is wanted.
    """

    file: str
    name: str
    about: str
    threat: str
    artifact: Asked
    path: Path | None
    policy: Document | None
    trust: Document | None
    evidence: tuple[Document, ...]
    at: datetime
    now: datetime
    revocations: Document | None
    revocations_seen: int
    seen: Document | None
    opaque: tuple[str, ...]
    expect: Expected


def find_cases(folder: StrPath, *, limits: Limits = DEFAULT) -> tuple[PolicyCase, ...]:
    """Read every case of a folder, in the order of their files: ``case.json``, ``NAME.case.json``, or ``.yaml``.

    What begins with a dot is left aside. A link to a directory within is not followed: its cases are found there.

    Raises:
        CaseRefused: there is none, or one of them cannot be used, or a link leads to others that would not be asked.
        MalformedError: one of them cannot be read.
    """
    root = Path(folder)
    files = sorted(_files(root))
    if not files:
        names = " or ".join(f"NAME.case{suffix}" for suffix in _SUFFIXES[:2])
        raise CaseRefused(where=str(root), found="no case", wanted=f"files called case.json, {names}")
    return tuple(load_case(root, file, limits=limits) for file in files)


def _files(root: Path) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        raise CaseRefused(where=str(root), because=error.strerror or str(error)) from error

    for folder, below, names in os.walk(root, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        cases = [path for name in names if _is_case(path := Path(folder, name))]
        for path in (*(Path(folder, name) for name in below), *cases):
            _require_below(root, path, str(path))
        yield from (path.relative_to(root).as_posix() for path in cases)


def _is_case(path: Path) -> bool:
    """Tell whether a file is a case. Refuses one in another form: that it is not asked would go unnoticed."""
    stem, suffix = os.path.splitext(path.name)  # noqa: PTH122  # pathlib calls ".case" in "x.case.json" a suffix too
    if stem.startswith(".") or not (stem == "case" or stem.endswith(".case")):
        return False
    if suffix not in _SUFFIXES and suffix.lower() in (*_SUFFIXES, ".toml"):
        raise CaseRefused(where=str(path), found=suffix, wanted=f"one of {', '.join(_SUFFIXES)}")
    return suffix in _SUFFIXES


def _require_below(root: Path, path: Path, where: str) -> None:
    """Refuse a link that leads out of the folder: whoever has that alone would be asked something else."""
    leads_to = Path(os.path.realpath(path))  # of links in a circle, too
    if path.is_symlink() and not leads_to.is_relative_to(os.path.realpath(root)):
        raise CaseRefused(where=where, found=str(leads_to), wanted=_BELOW, because="a link leads out")


def load_case(folder: StrPath, file: str, *, limits: Limits = DEFAULT) -> PolicyCase:
    """Read one case of a folder, by its file below that; otherwise as `find_cases`."""
    root = Path(folder)
    try:
        value, source = load_config(root / file, kind="policy", limits=limits)
    except (PolicyRefused, LimitError) as e:
        raise CaseRefused(where=e.where, found=e.found, wanted=e.wanted, because=e.because) from e
    try:
        said = _CaseFile.model_validate(value)
    except ValidationError as e:
        raise CaseRefused(**facts_of(e, value, source)) from e
    finder = _Finder(root, PurePosixPath(file).parent, source)
    path = said.artifact.path
    found = finder.checkout if said.artifact.kind == "code" else finder.found
    return PolicyCase(
        file=file,
        name=said.name or file.rpartition(".")[0].removesuffix("/case").removesuffix(".case"),
        about=said.about,
        threat=said.threat,
        artifact=said.artifact,
        path=None if path is None else found("artifact.path", path),
        policy=finder.document("policy", said.policy),
        trust=finder.document("trust", said.trust),
        evidence=tuple(finder.bytes_or(f"evidence[{number}]", item) for number, item in enumerate(said.evidence)),
        at=said.at,
        now=said.now or said.at,
        revocations=None if said.revocations is None else finder.bytes_or("revocations", said.revocations),
        revocations_seen=said.revocations_seen,
        seen=finder.document("seen", said.seen),
        opaque=said.opaque,
        expect=said.expect,
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds what a case names, and refuses it with the place where it is named."""

    root: Path
    folder: PurePosixPath
    source: Source

    def found(self, place: str, name: str) -> Path:
        """Give a path that the case names. It is below the folder of the tests, wherever links lead."""
        try:
            path = (self.root / self.folder / name).resolve(strict=True)
            root = self.root.resolve(strict=True)
        except (OSError, ValueError, RuntimeError) as e:
            because = getattr(e, "strerror", None) or str(e)
            raise CaseRefused(where=self.source.place(place), found=name, because=because) from e
        if PurePosixPath(name).is_absolute() or not path.is_relative_to(root):
            raise CaseRefused(where=self.source.place(place), found=name, wanted=_BELOW)
        return path

    def checkout(self, place: str, name: str) -> Path:
        """Give a path within a git checkout, all of which is below the folder of the tests."""
        path = self.found(place, name)
        top = next((each for each in (path, *path.parents) if os.path.lexists(each / ".git")), path)
        if not top.is_relative_to(self.root.resolve()):
            because = f"it lies in the checkout {top}"
            raise CaseRefused(where=self.source.place(place), found=name, wanted=_BELOW, because=because)
        return path

    def document(self, place: str, said: str | _Inline | None) -> Document | None:
        """Give a policy, a trust or a state: its file, or what stands in the case, as JSON."""
        if said is None or isinstance(said, str):
            return None if said is None else self.found(place, said)
        try:
            return json.dumps(said, ensure_ascii=False).encode()
        except TypeError as e:  # a decimal, which none of the three has
            raise CaseRefused(where=self.source.place(place), found="a number with a fraction") from e

    def bytes_or(self, place: str, said: str | _Base64) -> Document:
        """Give bytes that stand in the case, or a file; or a directory of files, none of which lies elsewhere."""
        if not isinstance(said, str):
            return decode_base64(said.base64)
        path = self.found(place, said)
        for folder, below, names in os.walk(path):
            for name in (*below, *names):
                _require_below(self.root, Path(folder, name), self.source.place(place))
        return path
