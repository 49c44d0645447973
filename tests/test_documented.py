"""Is everything described that has a name?  Codes, fields, limits, public names and predicate types have their place.

Each check compares names, which are taken from the code, with a page, and gives what is missing and what is described
although it does not exist. That the checks can fail is shown below them, on pages that lack something.
"""

import argparse
import ast
import gc
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pydantic
import pytest

import glasswing_attest
from glasswing_attest._cli import _parser as command_line
from glasswing_attest._cli.exits import exit_code
from glasswing_attest.claims import BUILT_IN
from glasswing_attest.errors import GlasswingError, error_types
from glasswing_attest.findings import FINDING_CODES, Tier
from glasswing_attest.limits import Limits
from glasswing_attest.policies.catalogue import READY
from glasswing_attest.policy import policy as policy_module
from glasswing_attest.policy.policy import Policy
from glasswing_attest.policy_tests import case as case_module
from glasswing_attest.records import registry
from glasswing_attest.report.report import Verdict, report_schema
from glasswing_attest.statement.predicates.predicate_type import ROLES
from glasswing_attest.trust import file as trust_module
from glasswing_attest.trust.revocation import Revocation, RevocationList
from glasswing_attest.trust.sigstore import PROFILES, Profile
from glasswing_attest.verification.certificate import FULCIO_CLAIMS

MIB = 1 << 20


# --- what a page says ------------------------------------------------------------------------------------------------


def sections(text: str, level: int) -> dict[str, str]:
    """The sections of one level whose heading is a single code span: {"malformed.json": its text}."""
    found: dict[str, str] = {}
    heading = ""
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        if not fenced and (title := re.fullmatch(r"(#+) (.*)", line)):
            name = re.fullmatch(r"`([^`]+)`", title[2])
            heading = name[1] if name and len(title[1]) == level else ""
            if heading:
                assert heading not in found, f"two sections are called {heading}"
                found[heading] = ""
        elif heading:
            found[heading] += f"{line}\n"
    return found


def table(text: str, *, first: str) -> dict[str, str]:
    """The rows of every table whose first column is headed `first`: {"at": "the rest of the row"}."""
    found: dict[str, str] = {}
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            inside = False
        elif cells[0] == first:
            inside = True
        elif inside and (name := re.fullmatch(r"`([^`]+)`", cells[0])):
            assert name[1] not in found, f"two rows are called {name[1]}"
            found[name[1]] = " | ".join(cells[1:])
    return found


def differences(exist: Iterable[str], described: Iterable[str]) -> list[str]:
    """What exists and is not described, and what is described and does not exist."""
    exist, described = set(exist), set(described)
    return [f"{name}: is not described" for name in sorted(exist - described)] + [
        f"{name}: is described, and does not exist" for name in sorted(described - exist)
    ]


# --- what the code has -----------------------------------------------------------------------------------------------


def finding_codes(source: Path) -> set[str]:
    """Every code that is written out where a finding is made: `code=…`, or the first argument of `_finding`."""
    return {code for path in sorted(source.rglob("*.py")) for code in codes_in(path.read_text("utf-8"), path.name)}


def codes_in(text: str, name: str) -> Iterator[str]:
    """The codes of one module. One that is put together at run time could not be found, and so is refused."""
    nodes = list(ast.walk(ast.parse(text, name)))
    # A function of that name that takes something else in front makes no findings: it shows them.
    showing = {
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef) and "code" not in [argument.arg for argument in node.args.args[:2]]
    }
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        called = ast.unparse(call.func).split(".")[-1]
        values = [k.value for k in call.keywords if k.arg == "code"] if called in {"Finding", "replace"} else []
        if called.endswith("_finding") and called not in showing:
            values += call.args[:1]
        for value in values:
            yield from _literals(value, f"{name}:{call.lineno}")


def _literals(value: ast.expr, where: str) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _literals(value.body, where)
        yield from _literals(value.orelse, where)
    # Another finding's or error's code, handed on, or the parameter of `_finding` itself.
    elif ast.unparse(value).split(".")[-1] != "code":
        raise AssertionError(f"{where}: the code {ast.unparse(value)} is not written out")


def fields(model: type[pydantic.BaseModel], path: str = "") -> Iterator[str]:
    """Every field that a file of this model may have: `nodes.*.require[].as`."""
    for name, field in model.model_fields.items():
        here = f"{path}{field.alias or name}"
        yield here
        for suffix, inner in models_within(field.annotation):
            if here != "nodes.*.any_of[].require":  # a requirement is told once, for `require`
                yield from fields(inner, f"{here}{suffix}.")


def models_within(annotation: Any) -> Iterator[tuple[str, type[pydantic.BaseModel]]]:
    """The models that a type holds: `*` for a mapping's values, `[]` for the items of a tuple or list."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield "", annotation
    elif origin in (Union, UnionType):
        for argument in arguments:
            yield from models_within(argument)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from ((f".*{suffix}", model) for suffix, model in models_within(arguments[1]))
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        yield from ((f"[]{suffix}", model) for suffix, model in models_within(arguments[0]))
    elif arguments:  # Annotated and the like
        yield from models_within(arguments[0])


def schema_fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every field of a JSON Schema: `graph.nodes[].state`. What a definition holds is told where it is first used."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    for choice in schema.get("oneOf", ()):
        yield from schema_fields(choice, definitions, path)
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        yield here
        if here not in ("graph.nodes[].findings", "graph.edges[].findings"):  # told once, for the report
            yield from schema_fields(inner, definitions, here)
    if "items" in schema:
        yield from schema_fields(schema["items"], definitions, f"{path}[]")


def commands() -> dict[str, argparse.ArgumentParser]:
    """Every command of the command line, by its name."""
    (found,) = [a for a in command_line()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(found.choices)


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every option that ``--help`` of a command shows, and of the commands within it."""
    for action in parser._actions:
        if action.help != argparse.SUPPRESS:
            yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options(inner)


def undescribed(text: str) -> list[str]:
    """The options that stand neither in the section of their command nor in what is said of every command.

    A command that signs refers to the section about that.
    """
    by_command = sections(text, 2)
    of_all = text.partition("\n## For every command\n")[2].partition("\n## ")[0]
    who = text.partition("\n### Who signs\n")[2].partition("\n## ")[0]
    said = {name: section + of_all + who * ("(#who-signs)" in section) for name, section in by_command.items()}
    return [
        f"{name} {option}: is not described"
        for name, parser in commands().items()
        for option in dict.fromkeys(options(parser))
        if not re.search(rf"(?<![\w-]){option}(?![\w-])", said.get(name, of_all))
    ]


def in_words(limit: str, value: int) -> str:
    """How a limit's value is written."""
    return f"{value // MIB} MiB" if limit.endswith("_bytes") and value % MIB == 0 else str(value)


def page(root: Path, name: str) -> str:
    """A page of the documentation."""
    return (root / "docs" / name).read_text("utf-8")


# --- the checks ------------------------------------------------------------------------------------------------------


def test_every_code_has_a_section(root: Path, source: Path) -> None:
    found = finding_codes(source)
    assert {"accepted", "chain.no-attestation", "chain.cycle", "policy.expect", "policy.threshold"} <= found
    assert set(FINDING_CODES) == found
    codes = {kind.code for kind in error_types()} | found
    assert differences(codes, sections(page(root, "errors.md"), 3)) == []


def test_every_section_of_an_error_says_what_the_command_exits_with(root: Path) -> None:
    described = sections(page(root, "errors.md"), 3)
    for kind in error_types():
        text = described[kind.code]
        assert f"\n`{kind.__name__}`. " in text, f"{kind.code} does not name {kind.__name__}"
        exits = re.search(r"^- Exit: ([0-9])", text, re.MULTILINE)
        assert exits, f"{kind.code} says no exit code"
        assert int(exits[1]) == exit_code(kind()), kind.code


def test_every_section_of_a_finding_says_its_tier_and_the_exit(root: Path, source: Path) -> None:
    described = sections(page(root, "errors.md"), 3)
    for code in finding_codes(source):
        tier = re.search(r"^Tier `([a-z]+)`\. ", described[code], re.MULTILINE)
        exits = re.search(r"^- Exit: ([0-9])\.$", described[code], re.MULTILINE)
        assert tier, f"{code} says no tier"
        assert exits, f"{code} says no exit code"
        assert (exits[1] == "1") == (Tier(tier[1]) is Tier.CONTRAINDICATED), code


def test_codes_are_distinct() -> None:
    kinds = list(error_types())
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_every_public_name_has_a_section(root: Path) -> None:
    assert differences(glasswing_attest.__all__, sections(page(root, "api.md"), 3)) == []


def test_every_section_of_a_public_name_has_an_example_that_runs_with_it(root: Path) -> None:
    for name, text in sections(page(root, "api.md"), 3).items():
        examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert any(re.search(rf"\b{name}\b", example) for example in examples), f"{name} has no example"


def test_every_predicate_type_has_a_page(root: Path) -> None:
    index = table(page(root, "spec/README.md"), first="predicate type")
    assert differences((kind.uri for kind in BUILT_IN), index) == []
    assert {record.predicate_type for record in registry} <= set(index)
    for uri, row in index.items():
        linked = re.findall(r"\]\(([^)#]+\.md)(?:#[^)]+)?\)", row)
        assert linked, f"{uri} has no page"
        assert uri in page(root, f"spec/{linked[0]}"), f"{linked[0]} does not name {uri}"


def test_every_page_of_a_format_is_in_the_index(root: Path) -> None:
    linked = set(re.findall(r"\]\(([a-z-]+\.md)\)", page(root, "spec/README.md")))
    assert differences((p.name for p in (root / "docs" / "spec").glob("*.md") if p.name != "README.md"), linked) == []


def test_every_field_of_a_policy_is_described(root: Path) -> None:
    assert differences(fields(Policy), table(page(root, "policy.md"), first="field")) == []


def test_every_field_of_a_test_case_is_described(root: Path) -> None:
    model = vars(case_module)["_CaseFile"]
    assert differences(fields(model), table(page(root, "policy-tests.md"), first="field")) == []


def test_every_ready_policy_is_described_with_its_options(root: Path) -> None:
    described = sections(page(root, "ready-policies.md"), 2)
    assert differences(READY, described) == []
    for name, ready in READY.items():
        rows = table(described[name], first="option")
        assert differences((f"--{p.name.replace('_', '-')}" for p in ready.parameters), rows) == [], name
        for p in ready.parameters:
            told = [p.about.rstrip("."), *(["required"] * p.required), *(["may be repeated"] * p.repeatable)]
            assert rows[f"--{p.name.replace('_', '-')}"] == ", ".join(told), f"{name} --{p.name}"


def test_every_rule_of_a_policy_is_described(root: Path, source: Path) -> None:
    rules = {path.stem for path in (source / "policy" / "rules").glob("*.py")} - {"__init__"}
    assert len(rules) >= 4
    assert differences(rules, sections(page(root, "policy.md"), 3)) == []


def test_every_kind_of_a_policy_is_described(root: Path) -> None:
    nodes = page(root, "policy.md").split("\n## Nodes\n")[1].split("\n## ")[0]
    kinds = vars(policy_module)["_KINDS"]
    assert set(kinds) > set(ROLES)
    assert [kind for kind in kinds if f"`{kind}`" not in nodes] == []


def test_every_field_of_a_trust_file_is_described(root: Path) -> None:
    model = vars(trust_module)["_TrustFile"]
    assert differences(fields(model), table(page(root, "trust.md"), first="field")) == []


def test_every_member_of_a_revocation_list_is_described(root: Path) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    entries = [
        Revocation(key="0" * 64, since=since, reason="lost", predicate_types=("https://example.com/v1",)),
        Revocation(issuer="https://issuer.example", san="me", since=since),
        Revocation(authority="corp", san="me", since=since),
    ]
    told = json.loads(RevocationList.of(entries, version=1, issued=since, expires=since).to_json())
    described = page(root, "trust.md").split("\n## Revocations\n")[1].split("\n## ")[0]
    # A row may be about two members that go together.
    rows = re.findall(r"^\| (`[^|]+`) \|", described, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    members = {name for name in told if name != "entries"}
    members |= {f"entries[].{name}" for entry in told["entries"] for name in entry}
    assert differences(members, names) == []


def test_every_claim_of_a_certificate_is_described_with_its_extension(root: Path) -> None:
    described = table(page(root, "policy.md"), first="claim")
    assert differences(FULCIO_CLAIMS.values(), described) == []
    wrong = [name for arc, name in FULCIO_CLAIMS.items() if f".{arc}`" not in described[name].split(" | ")[0]]
    assert wrong == []


def test_every_profile_is_described_with_its_numbers(root: Path) -> None:
    text = page(root, "profiles.md")
    assert differences(PROFILES, sections(text, 2)) == []
    header = re.search(r"^\| what \| (.*?) \|$", text, re.MULTILINE)
    assert header is not None
    columns = [name.strip("`") for name in header[1].split(" | ")]
    assert columns[: len(PROFILES)] == list(PROFILES)
    for field in Profile.__dataclass_fields__:
        row = re.search(rf"^\| [^|]*\(`{field}`\) \| (.*) \|$", text, re.MULTILINE)
        assert row is not None, field
        told = row[1].split(" | ")[: len(PROFILES)]
        assert told == [str(getattr(profile, field)) for profile in PROFILES.values()], field


@pytest.mark.parametrize("stage", ["trust", "verification"])
def test_every_question_of_the_engine_has_its_row(root: Path, source: Path, stage: str) -> None:
    exist = {path.stem for path in (source / stage).glob("*.py")} - {"__init__"}
    assert differences(exist, table(page(root, "ARCHITECTURE.md"), first=f"`{stage}/`")) == []


def test_every_decision_is_numbered_as_its_file(root: Path) -> None:
    paths = sorted((root / "docs" / "adr").glob("*.md"))
    numbers = [int(path.name.split("-")[0]) for path in paths]
    assert numbers == list(range(1, len(paths) + 1))
    for number, path in zip(numbers, paths, strict=True):
        assert path.read_text("utf-8").startswith(f"# {number}. "), path.name


def test_every_field_of_a_report_is_described(root: Path) -> None:
    schema = report_schema()
    assert differences(schema_fields(schema, schema["$defs"]), table(page(root, "report.md"), first="field")) == []


def test_every_verdict_and_tier_is_described(root: Path) -> None:
    assert differences(Verdict, table(page(root, "report.md"), first="verdict")) == []
    assert differences(Tier, table(page(root, "report.md"), first="tier")) == []


def test_every_limit_is_described_with_its_value(root: Path) -> None:
    limits = Limits()
    described = table(page(root, "security-model.md"), first="limit")
    names = list(Limits.__dataclass_fields__)
    assert differences(names, described) == []
    wrong = [name for name in names if described[name].split(" | ")[0] != in_words(name, getattr(limits, name))]
    assert wrong == []


def test_every_role_is_described(root: Path) -> None:
    assert differences(ROLES, table(page(root, "spec/provenance.md"), first="role")) == []


def test_every_page_is_linked_from_the_index(root: Path) -> None:
    docs = root / "docs"
    linked = set(re.findall(r"\]\(([^)#:]+\.md)\)", page(root, "README.md")))
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - {"README.md"}
    assert differences(pages, linked - {"../README.md"}) == []


def test_every_command_and_option_is_described(root: Path) -> None:
    described = page(root, "cli.md")
    assert differences(commands(), sections(described, 2)) == []
    assert undescribed(described) == []


# The test of the tests: what is missing is found, and what is there is not called missing.

PAGE = """
# Things

| field | meaning |
|---|---|
| `version` | one |
| `nodes.*.at` | two |

```text
### `not.a-heading`
```

### `chain.cycle`

Text of the cycle.

### A heading of words

More.
"""


def test_sections_are_headings_outside_of_blocks() -> None:
    found = sections(PAGE, 3)
    assert list(found) == ["chain.cycle"]
    assert found["chain.cycle"].strip() == "Text of the cycle."
    assert sections(PAGE, 2) == {}


def test_a_section_that_stands_twice_is_found() -> None:
    with pytest.raises(AssertionError, match=r"two sections are called chain\.cycle"):
        sections(PAGE + "\n### `chain.cycle`\n", 3)


def test_a_table_is_read_by_its_first_column() -> None:
    assert table(PAGE, first="field") == {"version": "one", "nodes.*.at": "two"}
    assert table(PAGE, first="limit") == {}


def test_what_is_not_described_is_found_and_so_is_what_does_not_exist() -> None:
    assert differences(["chain.cycle"], sections(PAGE, 3)) == []
    assert differences(["chain.cycle", "chain.new"], sections(PAGE, 3)) == ["chain.new: is not described"]
    assert differences([], sections(PAGE, 3)) == ["chain.cycle: is described, and does not exist"]


def test_a_new_error_is_missing(root: Path) -> None:
    described = sections(page(root, "errors.md"), 3)

    class Brittle(GlasswingError):
        code = "brittle"

    try:
        missing = differences({kind.code for kind in error_types()} - described.keys(), ())
        assert missing == ["brittle: is not described"]
    finally:
        del Brittle  # a class stays among the subclasses of its parent until it is collected
        gc.collect()
    assert "brittle" not in {kind.code for kind in error_types()}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('Finding(code="a.b", tier=tier)', {"a.b"}),
        ('findings.Finding(code="a.b" if bad else "a.c")', {"a.b", "a.c"}),
        ('_finding("a.d", thing)', {"a.d"}),
        ('self._finding("a.e")', {"a.e"}),
        ("Finding(code=error.code)", set()),
        ("_finding(first.code, thing)", set()),
        ('Other(code="not a finding")', set()),
        ("def _finding(finding): ...\n_finding(finding)", set()),
        ('def _finding(code): ...\n_finding("a.f")', {"a.f"}),
    ],
)
def test_codes_are_found_where_findings_are_made(text: str, codes: set[str]) -> None:
    assert set(codes_in(text, "module.py")) == codes


@pytest.mark.parametrize("text", ['Finding(code=f"a.{b}")', '_finding("a." + b, thing)', "Finding(code=PREFIX)"])
def test_a_code_that_is_put_together_is_refused(text: str) -> None:
    with pytest.raises(AssertionError, match="is not written out"):
        list(codes_in(text, "module.py"))


def test_an_option_that_is_not_described_is_found(root: Path) -> None:
    described = page(root, "cli.md")
    without = described.replace("--second-opinion", "--second-opinions").replace("`--at", "`--att")
    assert set(undescribed(without)) - set(undescribed(described)) == {
        "verify --second-opinion: is not described",
        "verify --at: is not described",
    }
    # What another command says of an option of its own is not said of this one.
    moved = described.replace("--revocations-seen", "").replace("## `replay`\n", "## `replay`\n\n--revocations-seen\n")
    assert "verify --revocations-seen: is not described" in undescribed(moved)
    assert {"--help", "--json", "--opaque"} <= set(options(commands()["replay"]))


class Leaf(pydantic.BaseModel):
    """A part of the model below."""

    size: int
    label: str | None = pydantic.Field(default=None, alias="as")


class Whole(pydantic.BaseModel):
    """A model with every way of holding another."""

    version: int
    one: Leaf | None = None
    many: tuple[Leaf, ...] = ()
    named: Mapping[str, Leaf]


def test_fields_are_walked_through_everything_that_holds_a_model() -> None:
    assert list(fields(Whole)) == [
        "version",
        *("one", "one.size", "one.as"),
        *("many", "many[].size", "many[].as"),
        *("named", "named.*.size", "named.*.as"),
    ]
    assert differences(fields(Whole), {"version"})[0] == "many: is not described"


def test_fields_of_a_schema_are_walked_through_references_and_choices() -> None:
    definitions: dict[str, Any] = {"leaf": {"properties": {"size": {}}}}
    schema = {
        "properties": {
            "one": {"oneOf": [{"type": "null"}, {"properties": {"a": {}}}]},
            "many": {"items": {"$ref": "#/$defs/leaf"}},
        }
    }
    assert list(schema_fields(schema, definitions)) == ["one", "one.a", "many", "many[].size"]
