"""Does the documentation tell the truth?  Its examples are run, its links are followed.

In README.md and docs/**/*.md, page by page and in the order of the page, in one fresh folder for each page:

    ```python             is run; all blocks of a page share one namespace
    ```console            each line `$ command` is run by sh, the environment's programs first on PATH; the lines below
                          it are its output (stdout and stderr), in which `...` stands for anything; without such lines
                          the output does not matter. A command must exit with 0, or with N under ```console exit=N
    ```yaml file=p.yaml   is written to that file first (any language)
    ```python no-run      is shown only

A line that ends in a backslash goes on in the next one. `cd` and `export` last for one command.
"""

import os
import re
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Spelled in any other way, a block would look like one that is run, and would not be.
NEVER = {"py": "python", "python3": "python", "pycon": "python", "sh": "console", "bash": "console", "shell": "console"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: its language, the words after it, its text, and the line on which the text begins."""

    language: str
    options: tuple[str, ...]
    text: str
    line: int

    def option(self, name: str) -> str | None:
        """The value of `name=value`."""
        values = [word.removeprefix(f"{name}=") for word in self.options if word.startswith(f"{name}=")]
        return values[0] if values else None

    @property
    def runs(self) -> bool:
        """Is it an example that is run?"""
        return self.language in {"python", "console"} and "no-run" not in self.options and not self.option("file")


def pages_that_run() -> list[Path]:
    """The pages whose examples are run."""
    return [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if path.is_file()]


def all_pages() -> list[Path]:
    """Those, and what else people read in the checkout."""
    return [*pages_that_run(), *sorted(set(ROOT.glob("*.md")) - {ROOT / "README.md"}), *ROOT.glob("examples/**/*.md")]


def name(path: Path) -> str:
    """How a page is called in a report."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, those in lists too; an open fence at the end is an error."""
    fence, begin, header, body = "", 0, "", list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        opened = re.match(r"( *)(`{3,}|~{3,})\s*([^`]*)$", line)
        if not fence:
            if opened:
                fence, header, begin, body = opened[1] + opened[2], opened[3], number + 1, []
        elif line.strip() == fence.strip():
            indent = len(fence) - len(fence.lstrip())
            cut = [row[indent:] if not row[:indent].strip() else row for row in body]
            language, *options = header.split() or [""]
            yield Block(language=language, options=tuple(options), text="\n".join(cut) + "\n", line=begin)
            fence = ""
        else:
            body.append(line)
    if fence:
        raise AssertionError(f"line {begin - 1}: the block never ends")


def run_page(page: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Run the page's examples in the folder; how many there were."""
    monkeypatch.chdir(folder)
    # A real module, so that dataclasses, pydantic and pickle find what the page defines.
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    count = 0
    for block in blocks(page.read_text(encoding="utf-8")):
        if file := block.option("file"):
            target = (folder / file).resolve()
            assert target.is_relative_to(folder.resolve()), f"{name(page)}:{block.line}: outside of the folder"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.runs:
            count += 1
            if block.language == "python":
                # Empty lines above, so that a traceback names the line of the page.
                exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), module.__dict__)
            else:
                run_console(block, f"{name(page)}:{block.line}", folder)
    return count


def run_console(block: Block, where: str, folder: Path) -> None:
    """Run the commands of a block, compare what they print."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1", "COLUMNS": "120", "PYTHONWARNINGS": "error"}
    pairs = commands(block.text)
    assert pairs, f"{where}: a console block without a line that begins with `$ `"
    for command, wanted in pairs:
        finished = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        printed = f"{where}: $ {command}\n{finished.stdout}"
        assert finished.returncode == int(block.option("exit") or 0), f"exit code {finished.returncode}: {printed}"
        if wanted:
            assert same_output(wanted, finished.stdout), f"{printed}\n--- but the page says:\n{wanted}"


def commands(text: str) -> list[tuple[str, str]]:
    """(command, the output that the page shows) for each command of a block."""
    pairs: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            pairs.append(([line[2:]], []))
        elif pairs and not pairs[-1][1] and pairs[-1][0][-1].endswith("\\"):
            pairs[-1][0].append(line.removeprefix("> "))
        elif pairs:
            pairs[-1][1].append(line)
        elif line.strip():
            raise AssertionError(f"output before the first command: {line}")
    return [("\n".join(command), "\n".join(output).strip()) for command, output in pairs]


def same_output(wanted: str, printed: str) -> bool:
    """Are they the same, but for `...` and white space at the ends of lines?"""

    def tidy(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    return re.fullmatch(".*?".join(map(re.escape, tidy(wanted).split("..."))), tidy(printed), re.DOTALL) is not None


def broken_links(page: Path, root: Path) -> list[str]:
    """The relative links of a page that lead nowhere, or out of the checkout."""
    found = []
    for target in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", target):
            continue  # elsewhere in the world: nothing here may need the network
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page.resolve()
        if not file.exists():
            found.append(f"{target}: there is no such file")
        elif not file.is_relative_to(root.resolve()):
            found.append(f"{target}: leads out of the checkout")
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            found.append(f"{target}: there is no such heading")
    return found


def prose(text: str) -> str:
    """A page without its blocks and inline code."""
    lines, fence = [], ""
    for line in text.splitlines():
        opened = re.match(r" *(`{3,}|~{3,})", line)
        if not fence and not opened:
            lines.append(line)
        elif not fence and opened:
            fence = opened[1]
        elif line.strip() == fence:
            fence = ""
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", "\n".join(lines))


def links(text: str) -> list[str]:
    """The targets of a page's links and pictures."""
    text = prose(text)
    inline = re.findall(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", text)
    references = re.findall(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", text, re.MULTILINE)
    html = re.findall(r"<(?:a|img)\s[^>]*(?:href|src)=\"([^\"]+)\"", text)
    return [*inline, *references, *html]


def anchors(text: str) -> set[str]:
    """What a page's headings can be linked by, made as GitHub makes it; and explicit ids."""
    found: set[str] = set()
    without_blocks = re.sub(r"^ *(`{3,}|~{3,}).*?^ *\1 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*#*\s*$", without_blocks, re.MULTILINE):
        explicit = re.search(r"\{#([^}]+)\}$", heading)
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # a link in a heading counts by its text
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(explicit[1] if explicit else unique)
    return found | set(re.findall(r"<[a-z0-9]+\s[^>]*(?:id|name)=\"([^\"]+)\"", without_blocks))


def test_there_is_documentation() -> None:
    pages = pages_that_run()
    assert ROOT / "README.md" in pages, "README.md does not exist yet"
    assert len(pages) > 1, "docs/ has no page yet"
    assert any(block.runs and block.language == "python" for block in blocks(pages[0].read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", pages_that_run(), ids=name)
def test_each_block_is_one_that_runs_or_says_that_it_does_not(page: Path) -> None:
    found = [block for block in blocks(page.read_text(encoding="utf-8")) if block.language in NEVER]
    assert [f"line {block.line}: write {NEVER[block.language]}" for block in found] == []


PAGES_WITH_EXAMPLES = [
    page for page in pages_that_run() if any(block.runs for block in blocks(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("page", PAGES_WITH_EXAMPLES, ids=name)
def test_the_examples_of_a_page_run(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run_page(page, monkeypatch, tmp_path) >= 1


@pytest.mark.parametrize("page", all_pages(), ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert broken_links(page, ROOT) == []


# The test of the test.

Tree = Callable[[dict[str, str | bytes]], Path]

GOOD = """# A page

```yaml file=a/policy.yaml
version: 1
```

1. In a list:

   ```python
   from pathlib import Path
   version = Path("a/policy.yaml").read_text()
   ```

```python
assert version == "version: 1\\n"
Path("made.txt").write_text("made\\n1.25 seconds\\n")
```

```python no-run
raise SystemExit("never")
```

```console
$ cat made.txt
made
... seconds
$ python -c 'import sys; print(sys.prefix)' >prefix.txt
$ echo one \\
> two
one two
```

```console exit=3
$ exit 3
```
"""


def test_a_good_page_runs(write_tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = write_tree({"page.md": GOOD}) / "page.md"
    assert run_page(page, monkeypatch, tmp_path) == 4
    assert (tmp_path / "prefix.txt").read_text().strip() == sys.prefix


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("```python\nx = 1 / 0\n```\n", ZeroDivisionError, "division"),
        ("```python\nx =\n```\n", SyntaxError, r"page\.md, line 2"),
        ("```python\nx = 1\n", AssertionError, "never ends"),
        ("```console\n$ false\n```\n", AssertionError, "exit code 1: page.md:2"),
        ("```console exit=1\n$ true\n```\n", AssertionError, "exit code 0"),
        ("```console\n$ echo one\ntwo\n```\n", AssertionError, r"but the page says:\n\s*two"),
        ("```console\n$ echo one\none\nmore\n```\n", AssertionError, "but the page says"),
        ("```console\necho one\n```\n", AssertionError, "output before the first command"),
        ("```console\n\n```\n", AssertionError, "without a line"),
        ("```yaml file=../x\n\n```\n", AssertionError, "outside of the folder"),
    ],
)
def test_a_lie_is_found(
    write_tree: Tree,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str,
    error: type[Exception],
    message: str,
) -> None:
    page = write_tree({"page.md": text}) / "page.md"
    with pytest.raises(error, match=message):
        run_page(page, monkeypatch, tmp_path)


def test_links_are_followed(write_tree: Tree) -> None:
    good = "[a](b/other.md#two-words) [b](#a-page) ![c](b/x%20y.png) [d](https://x.example/) `[e](nowhere)` [f][r]\n"
    bad = '[a](b/nowhere.md) [b](b/other.md#two) [c](#none) [d](../conftest.py) <a href="gone.md">x</a>\n'
    other = "# Other\n\n## Two *words*\n\n```\n## Three\n```\n[x](#three)\n"
    folder = write_tree(
        {
            "docs/good.md": f"# A page\n\n{good}\n[r]: b\n",
            "docs/bad.md": bad,
            "docs/b/other.md": other,
            "docs/b/x y.png": b"",
            "conftest.py": "",
        }
    )
    assert broken_links(folder / "docs/good.md", folder / "docs") == []
    assert broken_links(folder / "docs/bad.md", folder / "docs") == [
        "b/nowhere.md: there is no such file",
        "b/other.md#two: there is no such heading",
        "#none: there is no such heading",
        "../conftest.py: leads out of the checkout",
        "gone.md: there is no such file",
    ]
    assert broken_links(folder / "docs/b/other.md", folder / "docs") == ["#three: there is no such heading"]


def test_headings_that_are_the_same_get_numbers() -> None:
    assert anchors("# A\n## A\n### `b_c`: [d](e)!\n") == {"a", "a-1", "b_c-d"}
