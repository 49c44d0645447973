"""Which survivors are explained, and why does nothing need to tell them from the engine? See survivors/."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Name

__all__ = ["SURVIVORS", "Explained", "explained", "to_explain"]

SURVIVORS = Path(__file__).with_name("survivors")
"""A file for each module: ``survivors/trust/root.toml`` for ``trust/root.py``."""

_MEMBERS = {"within", "line", "becomes", "nth", "why"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A mutant that may survive, and the reason."""

    name: Name
    why: str


def explained(folder: Path = SURVIVORS) -> Mapping[Name, Explained]:
    """Read the explanations, each of which may be about several changes of one line."""
    found: dict[Name, Explained] = {}
    for path in sorted(folder.rglob("*.toml")):
        module = path.relative_to(folder).with_suffix(".py").as_posix()
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]:
            if set(entry) - _MEMBERS or not entry["why"].strip() or not entry["becomes"]:
                raise ValueError(f"{module}: it does not explain: {entry}")
            for becomes in entry["becomes"]:
                name = (module, entry["within"], entry["line"], becomes, entry.get("nth", 1))
                if name in found:
                    raise ValueError(f"{module}: it explains twice: {entry}")
                found[name] = Explained(name=name, why=entry["why"])
    return found


def to_explain(names: list[Name]) -> str:
    """Write survivors as they stand in the file of their module, without a reason yet."""
    modules: dict[str, list[Name]] = {}
    for name in names:
        modules.setdefault(name[0], []).append(name)
    return "\n".join(f"# {module}\n\n{_entries(several)}" for module, several in modules.items())


def _entries(names: list[Name]) -> str:
    lines: dict[tuple[str, str, int], list[str]] = {}
    for _, within, line, becomes, nth in names:
        lines.setdefault((within, line, nth), []).append(becomes)
    return "\n".join(
        "\n".join(
            [
                "[[survivor]]",
                f"within = {_quoted(within)}",
                f"line = {_quoted(line)}",
                "becomes = [",
                *(f"  {_quoted(each)}," for each in several),
                "]",
                *([f"nth = {nth}"] if nth != 1 else []),
                'why = ""\n',
            ]
        )
        for (within, line, nth), several in lines.items()
    )


def _quoted(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
