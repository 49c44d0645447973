"""Which survivors are explained, and why does nothing need to tell them from the engine? See survivors.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Name

__all__ = ["SURVIVORS", "Explained", "explained", "to_explain"]

SURVIVORS = Path(__file__).with_name("survivors.toml")

_MEMBERS = {"module", "within", "line", "becomes", "nth", "why"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A mutant that may survive, and the reason."""

    name: Name
    why: str


def explained(path: Path = SURVIVORS) -> Mapping[Name, Explained]:
    """Read the explanations, each of which may be about several changes of one line."""
    found: dict[Name, Explained] = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", []):
        if set(entry) - _MEMBERS or not entry["why"].strip() or not entry["becomes"]:
            raise ValueError(f"{path.name} does not explain: {entry}")
        for becomes in entry["becomes"]:
            name = (entry["module"], entry["within"], entry["line"], becomes, entry.get("nth", 1))
            if name in found:
                raise ValueError(f"{path.name} explains twice: {entry}")
            found[name] = Explained(name=name, why=entry["why"])
    return found


def to_explain(names: list[Name]) -> str:
    """Write survivors as they stand in the file, without a reason yet."""
    lines: dict[tuple[str, str, str, int], list[str]] = {}
    for module, within, line, becomes, nth in names:
        lines.setdefault((module, within, line, nth), []).append(becomes)
    return "\n".join(
        "\n".join(
            [
                "[[survivor]]",
                f"module = {_quoted(module)}",
                f"within = {_quoted(within)}",
                f"line = {_quoted(line)}",
                "becomes = [",
                *(f"  {_quoted(each)}," for each in several),
                "]",
                *([f"nth = {nth}"] if nth != 1 else []),
                'why = ""\n',
            ]
        )
        for (module, within, line, nth), several in lines.items()
    )


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
