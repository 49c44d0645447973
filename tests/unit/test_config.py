"""Is a policy or trust file read in one way only, whatever it is written in?"""

from pathlib import Path
from typing import Any

import pytest

from glasswing_attest._complaints import Source
from glasswing_attest._config import ConfigModel, ConfigTime, ConfigVersion, checked, load_config, parse_config
from glasswing_attest.errors import (
    DuplicateKey,
    FormatUnsupported,
    GlasswingError,
    LimitError,
    NotJson,
    NotUtf8,
    NotYaml,
    NumberRefused,
    PolicyRefused,
    TrustRefused,
)
from glasswing_attest.limits import Limits


def yaml(text: str) -> Any:
    return parse_config(text.encode(), kind="policy", where="p.yaml")


def test_the_three_formats_say_the_same() -> None:
    wanted = {"version": 1, "on": True, "none": {"of": ["a", "b"]}}
    assert yaml("version: 1\n'on': true\nnone: {of: [a, 'b']}\n") == wanted
    json = b'{"version": 1, "on": true, "none": {"of": ["a", "b"]}}'
    assert parse_config(json, suffix=".json", kind="policy") == wanted
    toml = b'version = 1\non = true\nnone.of = ["a", "b"]\n'
    assert parse_config(toml, suffix=".toml", kind="policy") == wanted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2027-06-30", "2027-06-30"),
        ("2027-06-30T00:00:00Z", "2027-06-30T00:00:00Z"),
        ("'no'", "no"),
        ('"1.5"', "1.5"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
        ("1e3", "1e3"),  # YAML 1.1 wants a dot and a sign; a field that wants a number refuses the string
        ("~", None),
        ("null", None),
        ("", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("|\n  one\n  two\n", "one\ntwo\n"),
        (">-\n  one\n  two\n", "one two"),
        ("git+https://x/y#z", "git+https://x/y#z"),
        ('"\\u00e9"', "é"),
    ],
)
def test_a_plain_value_is_read(text: str, value: object) -> None:
    found = yaml(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "error", "line"),
    [
        # What YAML 1.1 and 1.2 read differently is refused, so that nobody's `no` becomes false.
        ("a: yes", NotYaml, 1),
        ("a: no", NotYaml, 1),
        ("a: on", NotYaml, 1),
        ("a: off", NotYaml, 1),
        ("a: True", NotYaml, 1),
        ("a: TRUE", NotYaml, 1),
        ("a: 1.5", NotYaml, 1),
        ("a: .inf", NotYaml, 1),
        ("a: .nan", NotYaml, 1),
        ("a: 0x10", NotYaml, 1),
        ("a: 0b1", NotYaml, 1),
        ("a: 017", NotYaml, 1),
        ("a: 1_000", NotYaml, 1),
        ("a: 1:30", NotYaml, 1),
        ("a: +1", NotYaml, 1),
        ("a: -0", NotYaml, 1),
        ("a: =", NotYaml, 1),
        ("a: " + "9" * 401, NumberRefused, 1),
        ("a: " + "9" * 5000, NumberRefused, 1),
        ("x: 1\na: &b 1", NotYaml, 2),
        ("x: &b 1\na: *b", NotYaml, 1),
        ("x: 1\na: *b", NotYaml, 2),
        ("x: 1\n<<: {a: 1}", NotYaml, 2),
        ("a: !!str 5", NotYaml, 1),
        ('a: !!int "5"', NotYaml, 1),
        ("a: ! 5", NotYaml, 1),
        ("a: !!binary aGk=", NotYaml, 1),
        ("a: !!set {b}", NotYaml, 1),
        ("a: !!python/object/apply:os.system ['true']", NotYaml, 1),
        ("!!map {a: 1}", NotYaml, 1),
        ("a: 1\nb: 2\na: 3", DuplicateKey, 3),
        ("x:\n  a: 1\n  'a': 2", DuplicateKey, 3),
        ("1: a", NotYaml, 1),
        ("true: a", NotYaml, 1),
        ("~: a", NotYaml, 1),
        ("[a]: b", NotYaml, 1),
        ("? {a: b}\n: c", NotYaml, 1),
        ("a: 1\n---\nb: 2", NotYaml, 2),
        ("a: [", NotYaml, 1),
        ("a: b: c", NotYaml, 1),
        ("\ta: 1", NotYaml, 1),
        ('a: "\\ud800"', NotUtf8, 1),
        ('x: 1\n"\\ud83d\\ude00": 1', NotUtf8, 2),
    ],
)
def test_what_makes_yaml_readers_differ_is_refused(text: str, error: type[GlasswingError], line: int) -> None:
    with pytest.raises(error) as refused:
        yaml(text)
    assert refused.value.where.startswith(f"p.yaml:{line}")
    assert getattr(refused.value, "kind", None) == "policy"


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [("a: \x01", "1:4", "\x01"), ("a: b\nc: \x1b[31m", "2:4", "\x1b"), ("a: b\n\x00", "2:1", "\x00")],
)
def test_a_control_character_is_refused_at_its_place(text: str, where: str, found: str) -> None:
    with pytest.raises(NotYaml) as refused:
        yaml(text)
    assert (refused.value.where, refused.value.found) == (f"p.yaml:{where}", found)


@pytest.mark.parametrize(
    ("data", "suffix", "found"),
    [
        (b"", ".yaml", "nothing"),
        (b"# only a comment\n", ".yml", "nothing"),
        (b"---\n", ".yaml", "nothing"),
        (b"[a]", ".yaml", "list"),
        (b"text", ".yaml", "str"),
        (b"[]", ".json", "list"),
        (b"null", ".json", "nothing"),
    ],
)
def test_what_is_no_mapping_is_refused(data: bytes, suffix: str, found: str) -> None:
    with pytest.raises(PolicyRefused) as refused:
        parse_config(data, suffix=suffix, kind="policy")
    assert refused.value.found == found
    with pytest.raises(TrustRefused) as trust:
        parse_config(data, suffix=suffix, kind="trust")
    assert trust.value.kind == "trust"


@pytest.mark.parametrize(
    ("data", "suffix", "error"),
    [
        (b"a = 1\na = 2", ".toml", NotYaml),
        (b"a = ", ".toml", NotYaml),
        (b"a = " + b"9" * 5000, ".toml", NotYaml),
        (b"a = " + b"[" * 5000 + b"]" * 5000, ".toml", NotYaml),
        (b"\xff", ".toml", NotUtf8),
        (b"\xff", ".yaml", NotUtf8),
        (b'{"a": 1, "a": 2}', ".json", DuplicateKey),
        (b"", ".json", NotJson),
        (b'{"a": NaN}', ".json", NumberRefused),
        (b"a: 1", ".txt", FormatUnsupported),
        (b"a: 1", "", FormatUnsupported),
    ],
)
def test_malformed_files_are_refused(data: bytes, suffix: str, error: type[GlasswingError]) -> None:
    with pytest.raises(error) as refused:
        parse_config(data, suffix=suffix, kind="trust", where="t")
    assert refused.value.where.startswith("t")


def test_size_and_depth_are_bounded() -> None:
    with pytest.raises(LimitError) as refused:
        parse_config(b"a: 1", kind="policy", limits=Limits(policy_bytes=3))
    assert "policy_bytes" in str(refused.value.wanted)
    for text in ("a: " + "[" * 65 + "]" * 65, "a: " + "{a: " * 2000 + "1" + "}" * 2000):
        with pytest.raises(LimitError) as refused:
            yaml(text)
        assert "json_depth" in str(refused.value.wanted)


def test_a_file_is_read_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"a = 1\n")
    source = Source(str(tmp_path / "p.toml"), b"a = 1\n", ".toml")
    assert load_config(tmp_path / "p.toml", kind="policy") == ({"a": 1}, source)
    (tmp_path / "p.yml").write_bytes(b"a: 1\nb: no\n")
    with pytest.raises(NotYaml) as refused:
        load_config(tmp_path / "p.yml", kind="policy")
    assert refused.value.where == f"{tmp_path / 'p.yml'}:2:4"
    for kind, error in (("policy", PolicyRefused), ("trust", TrustRefused)):
        with pytest.raises(error):
            load_config(tmp_path / "absent.yaml", kind=kind)  # type: ignore[arg-type]
        with pytest.raises(error):
            load_config(tmp_path, kind=kind)  # type: ignore[arg-type]


PYTHON = Source("Example")


class Example(ConfigModel):
    version: ConfigVersion
    when: ConfigTime | None = None
    names: list[str] = []  # noqa: RUF012  # pydantic copies it


def test_all_complaints_come_in_one_refusal() -> None:
    with pytest.raises(TrustRefused) as refused:
        checked(Example, {"names": ["a", 1], "when": "tomorrow"}, kind="trust", source=Source("t.yaml"))
    assert (refused.value.code, refused.value.kind) == ("malformed.trust", "trust")
    assert (refused.value.where, refused.value.because) == ("t.yaml: version", "it is missing; see also when, names[1]")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("version", [True, 1.0, "1", 2, 0, None])
def test_the_version_is_one_and_an_integer(version: object) -> None:
    with pytest.raises(PolicyRefused) as refused:
        checked(Example, {"version": version}, kind="policy", source=PYTHON)
    assert (refused.value.where, refused.value.code) == ("Example: version", "malformed.policy")
    assert checked(Example, {"version": 1}, kind="policy", source=PYTHON).version == 1


@pytest.mark.parametrize("when", ["2027-06-30", "2027-06-30T00:00:00", 1, "soon"])
def test_a_time_has_a_zone(when: object) -> None:
    with pytest.raises(PolicyRefused) as refused:
        checked(Example, {"version": 1, "when": when}, kind="policy", source=PYTHON)
    assert (refused.value.where, refused.value.code) == ("Example: when", "malformed.policy")
