"""Is a case a file from which the same decision follows, and nothing else?"""

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glasswing_attest import Model, Report, replay
from glasswing_attest.errors import (
    FieldMissing,
    FieldRefused,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    PolicyRefused,
    StoreUnavailable,
)
from glasswing_attest.limits import Limits
from tests.chains import NOW, checkout, honest, policy_of

Members = dict[str, bytes]


def case_of(path: Path, *, without: int | None = None) -> Path:
    chain = honest()
    return chain.assess([item for n, item in enumerate(chain.evidence) if n != without]).case(path)


def members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write(path: Path, content: Members, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return path


def test_equal_cases_are_equal_files(tmp_path: Path) -> None:
    report = honest().assess()
    first, second = report.case(tmp_path / "a.zip"), report.case(tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = [info.filename for info in archive.infolist()]
        assert names == [
            "case.json",
            "manifest.binpb",
            "policy.json",
            "trust.json",
            *(f"evidence/0000{n}" for n in range(3)),
        ]
        for info in archive.infolist():
            assert (info.compress_type, info.date_time) == (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0))


def test_a_case_holds_no_byte_of_the_artifact_and_no_place(tmp_path: Path) -> None:
    folder = tmp_path / "secret-place"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    chain = honest()
    report = chain.assess(artifact=Model(folder, name=chain.model.name))
    assert report.accepted
    data = report.case(tmp_path / "a.zip").read_bytes()
    assert b"secret-place" not in data
    assert b"weights" not in data


def test_a_case_of_an_earlier_version_does_not_say_where_was_looked(tmp_path: Path) -> None:
    report = replay(head(sources=...)(tmp_path))
    assert report.verdict == honest().assess().verdict
    assert [(source.origin, source.items) for source in report.sources] == [("handed over", 3)]


def assert_says_the_same(again: Report, report: Report) -> None:
    """A replay says that it is one, in a flag and a finding, and nothing else differs."""
    assert (again.replayed, again.findings[-1].code) == (True, "report.replayed")
    assert dataclasses.replace(again, replayed=False, findings=again.findings[:-1]).to_dict() == report.to_dict()


def test_a_case_says_the_same_next_year(tmp_path: Path) -> None:
    # The policy expires in the case's own time, not in the reader's.
    def expiring(plain: dict[str, object]) -> None:
        plain["expires"] = "2999-01-01T00:00:00Z"

    for without in (None, 0, 1, 2):
        chain = honest()
        evidence = [item for n, item in enumerate(chain.evidence) if n != without]
        report = chain.assess(evidence, policy=policy_of(expiring))
        path = report.case(tmp_path / f"{without}.zip")
        assert_says_the_same(replay(path), report)
        assert replay(path).case(tmp_path / "again.zip").read_bytes() == path.read_bytes()


def test_the_verdict_is_computed_and_never_read(tmp_path: Path) -> None:
    path = case_of(tmp_path / "no.zip", without=1)
    content = members(path)
    head = json.loads(content["case.json"])
    assert head["verdict"] == "refused"
    content["case.json"] = json.dumps({**head, "verdict": "accepted"}).encode()
    assert replay(write(tmp_path / "lie.zip", content)).verdict == "refused"


def test_a_case_with_other_evidence_is_another_case(tmp_path: Path) -> None:
    content = members(case_of(tmp_path / "a.zip"))
    content["evidence/00000"] = content["evidence/00000"].replace(b'"sig":"', b'"sig":"AAAA')
    report = replay(write(tmp_path / "b.zip", content))
    assert report.verdict == "refused"
    assert report.refused[0].error.code == "verification.signature"


def broken(change: Callable[[Members], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        content = members(case_of(folder / "good.zip"))
        change(content)
        return write(folder / "broken.zip", content)

    return make


def head(**changes: object) -> Callable[[Path], Path]:
    def change(content: Members) -> None:
        plain = {**json.loads(content["case.json"]), **changes}
        content["case.json"] = json.dumps({k: v for k, v in plain.items() if v is not ...}).encode()

    return broken(change)


def raw(data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "raw.zip").write_bytes(data)
        return folder / "raw.zip"

    return make


def twice(folder: Path) -> Path:
    content = members(case_of(folder / "good.zip"))
    # zipfile would warn of a second policy.json, so it is written under a name of the same length and renamed.
    path = write(folder / "twice.zip", {**content, "polici.json": policy_of().to_json()})
    path.write_bytes(path.read_bytes().replace(b"polici.json", b"policy.json"))
    return path


def compressed(folder: Path) -> Path:
    return write(folder / "c.zip", members(case_of(folder / "good.zip")), zipfile.ZIP_DEFLATED)


def encrypted(folder: Path) -> Path:
    data = bytearray(case_of(folder / "good.zip").read_bytes())
    at = data.index(b"PK\x01\x02") + 8
    data[at] |= 1
    (folder / "e.zip").write_bytes(data)
    return folder / "e.zip"


@pytest.mark.parametrize(
    ("make", "error", "code", "where"),
    [
        (raw(b""), FormatUnsupported, "unsupported.format", "raw.zip"),
        (raw(b"PK"), FormatUnsupported, "unsupported.format", "raw.zip"),
        (raw(b"{}" * 40), FormatUnsupported, "unsupported.format", "raw.zip"),
        (compressed, FormatUnsupported, "unsupported.format", "c.zip: case.json"),
        (encrypted, FormatUnsupported, "unsupported.format", "e.zip"),
        (twice, FormatUnsupported, "unsupported.format", "twice.zip"),
        (broken(lambda m: m.pop("case.json")), FieldMissing, "malformed.field-missing", "broken.zip: case.json"),
        (
            broken(lambda m: m.pop("manifest.binpb")),
            FieldMissing,
            "malformed.field-missing",
            "broken.zip: manifest.binpb",
        ),
        (broken(lambda m: m.pop("policy.json")), FieldMissing, "malformed.field-missing", "broken.zip: policy.json"),
        (broken(lambda m: m.pop("trust.json")), FieldMissing, "malformed.field-missing", "broken.zip: trust.json"),
        (broken(lambda m: m.pop("evidence/00001")), FieldMissing, "malformed.field-missing", "evidence/00001"),
        (
            broken(lambda m: m.update({"evidence/00003": b"{}"})),
            FormatUnsupported,
            "unsupported.format",
            "evidence/00003",
        ),
        (broken(lambda m: m.update({"../x": b""})), FormatUnsupported, "unsupported.format", "../x"),
        (broken(lambda m: m.update({"policy.json": b"{}"})), PolicyRefused, "malformed.policy", "policy.json: version"),
        (broken(lambda m: m.update({"case.json": b"[]"})), FieldRefused, "malformed.field", "case.json"),
        (head(case=2), FormatUnsupported, "unsupported.format", "case.json"),
        (head(case="x"), FieldRefused, "malformed.field", "case.json.case"),
        (head(at=...), FieldMissing, "malformed.field-missing", "case.json.at"),
        (head(at="yesterday"), FieldRefused, "malformed.field", "case.json.at"),
        (head(at="2026-01-01T00:00:00"), FieldRefused, "malformed.field", "case.json.at"),
        (head(evidence="x"), FieldRefused, "malformed.field", "case.json.evidence"),
        (head(sources="x"), FieldRefused, "malformed.field", "case.json.sources"),
        (head(sources=[{"origin": "x", "items": 1}]), FieldMissing, "malformed.field-missing", "sources[0].asked"),
    ],
)
def test_a_file_that_is_no_case(
    tmp_path: Path, make: Callable[[Path], Path], error: type[GlasswingError], code: str, where: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(error) as caught:
        replay(path)
    assert caught.value.code == code
    assert caught.value.where.endswith(where)


def test_a_missing_or_large_case(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        replay(tmp_path / "absent.zip")
    assert caught.value.code == "unavailable.store"
    path = case_of(tmp_path / "a.zip")
    with pytest.raises(LimitError) as limited:
        replay(path, limits=Limits(case_bytes=1000))
    assert limited.value.code == "limit"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255), cut=st.booleans())
def test_any_damage_is_ours_to_tell(tmp_path: Path, place: float, mask: int, cut: bool) -> None:
    good = tmp_path / "good.zip"
    if not good.exists():
        case_of(good)
    data = bytearray(good.read_bytes())
    at = int(place * len(data))
    data[at] ^= mask
    path = tmp_path / "damaged.zip"
    path.write_bytes(bytes(data[:at]) if cut else bytes(data))
    try:
        verdict = replay(path).verdict.value
    except GlasswingError as e:
        verdict = e.code
    assert verdict


def test_members_that_overlap_do_not_multiply(tmp_path: Path) -> None:
    # Many entries of the directory may point at the same stored bytes: together they are larger than the file.
    big = b"x" * 100_000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), big)
    data = buffer.getvalue()
    at = data.index(b"PK\x01\x02")
    entry, end = data[at : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    entries = b"".join(entry[:46] + bytes([name]) + entry[47:] for name in b"abcdefghijklmnopqrst")
    tail = bytearray(end)
    tail[8:12] = (20).to_bytes(2, "little") * 2
    tail[12:16] = len(entries).to_bytes(4, "little")
    path = tmp_path / "overlap.zip"
    path.write_bytes(data[:at] + entries + bytes(tail))
    with pytest.raises(GlasswingError) as caught:
        replay(path)
    assert (caught.value.code, caught.value.found) == ("unsupported.format", "members that overlap")


def test_a_case_of_a_checkout(tmp_path: Path) -> None:
    report = honest().assess(artifact=checkout())
    assert report.accepted
    again = replay(report.case(tmp_path / "code.zip"))
    assert_says_the_same(again, report)
    assert again.at == NOW
