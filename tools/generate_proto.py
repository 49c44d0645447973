"""What Python does proto/ become?  `make proto` writes it, `--check` only compares.

protoc knows one layout, glasswing/attest/v1/data_pb2.py with absolute imports, which would need a top-level package
`glasswing`. Here each proto/glasswing/attest/v1/NAME.proto becomes src/glasswing_attest/_proto/NAME_pb2.py and .pyi,
with imports among themselves relative; the names in the descriptor pool stay what they are on the wire,
glasswing/attest/v1/NAME.proto in package glasswing.attest.v1.

protoc's own stubs do not pass `mypy --strict`. Repaired here:

    a Timestamp or Duration field names `datetime`, which the stub does not import
    a bare `Mapping` stands where a message may be given as a dict
    a field named like a builtin (`bytes: bytes`) shadows it: refused, for no field of ours is named like a builtin
"""

import argparse
import builtins
import difflib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import Any

GENERATOR = "1.73.1"  # of grpcio-tools, which is protoc 6.31: the code runs with the Python runtimes 6.31 to 7.x
ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
OUT = ROOT / "src" / "glasswing_attest" / "_proto"
PACKAGE = "glasswing/attest/v1"
DOTTED = PACKAGE.replace("/", ".")

INIT = '"""Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand."""\n'
BANNER = "# Generated from proto/ by tools/generate_proto.py (`make proto`). Not edited by hand.\n"

# `license`, `help` and the like come from site, not from the language.
BUILTINS = frozenset(dir(builtins)) - {"license", "credits", "copyright", "help", "exit", "quit", "_"}


def main(arguments: list[str] | None = None) -> int:
    """Write the generated modules, or with --check compare them with those that are committed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the committed files differ")
    parser.add_argument("--proto", type=Path, default=PROTO, help="folder that holds " + PACKAGE)
    parser.add_argument("--out", type=Path, default=OUT, help="package that receives the modules")
    options = parser.parse_args(arguments)

    generated = generate(options.proto)
    if options.check:
        return compare(generated, options.out)
    options.out.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in ours(options.out)} - generated.keys():
        (options.out / stale).unlink()
    for name, text in generated.items():
        (options.out / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{options.out}: {', '.join(sorted(generated))}")
    return 0


def generate(proto: Path) -> dict[str, str]:
    """The text of every generated file, by name."""
    include = well_known_types()
    sources = sorted(path.relative_to(proto).as_posix() for path in (proto / PACKAGE).glob("*.proto"))
    if not sources:
        raise SystemExit(f"error: no .proto file in {proto / PACKAGE}")
    strays = sorted(set(proto.rglob("*.proto")) - {proto / source for source in sources})
    if strays:
        raise SystemExit(f"error: outside of {PACKAGE}, so not generated: {', '.join(map(str, strays))}")
    with tempfile.TemporaryDirectory() as scratch:
        # A process of its own: protoc prints its complaints straight to the terminal, and keeps global state.
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{proto}", f"-I{include}"]
        outputs = [f"--python_out={scratch}", f"--pyi_out={scratch}", f"--descriptor_set_out={scratch}/descriptors"]
        if subprocess.run([*command, *outputs, *sources], check=False).returncode:
            raise SystemExit("error: protoc refused the files, see above")
        refuse_builtins(Path(scratch, "descriptors").read_bytes())
        files = {path.name: path.read_text(encoding="utf-8") for path in Path(scratch, PACKAGE).iterdir()}
    moved = {name: stub(text) if name.endswith(".pyi") else module(text) for name, text in sorted(files.items())}
    return {"__init__.py": INIT} | moved


def well_known_types() -> Path:
    """The folder of google/protobuf/*.proto, and so the proof that the right generator is here."""
    try:
        version = metadata.version("grpcio-tools")
    except metadata.PackageNotFoundError:
        version = "none"
    if version != GENERATOR:
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise SystemExit(
            f"error: grpcio-tools {GENERATOR} is needed, {version} is installed in {sys.prefix}.\n"
            f"       `make proto` brings it. By hand: pip install grpcio-tools=={GENERATOR}, on Python 3.11 to 3.13:\n"
            f"       there are no wheels for a newer one (this is Python {running})."
        )
    return Path(str(resources.files("grpc_tools") / "_proto"))


def module(text: str) -> str:
    """A generated module, moved into our package."""
    # What the classes will say in __module__; pickling and repr go by it.
    named = f"BuildTopDescriptorsAndMessages(DESCRIPTOR, '{DOTTED}."
    return BANNER + relative(text).replace(named, named.replace(DOTTED, "glasswing_attest._proto"))


def stub(text: str) -> str:
    """A generated stub, moved into our package and made to pass `mypy --strict`."""
    text = relative(text)
    text = re.sub(r"\b_Mapping\b(?!\[)(?=[\],])", "_Mapping[str, _Any]", text)
    needed = ""
    if re.search(r"\bdatetime\.", text) and not re.search(r"^import datetime$", text, re.MULTILINE):
        needed += "import datetime\n"
    if "_Any]" in text:
        text = text.replace("from typing import ClassVar", "from typing import Any as _Any, ClassVar")
    return BANNER + needed + text


def relative(text: str) -> str:
    """Imports among the generated modules, made relative."""
    text = re.sub(rf"^from {re.escape(DOTTED)} import", "from . import", text, flags=re.MULTILINE)
    return re.sub(rf"^from {re.escape(DOTTED)}\.(\w+) import", r"from .\1 import", text, flags=re.MULTILINE)


def refuse_builtins(descriptors: bytes) -> None:
    """No field is named like a Python builtin: it would shadow it in the stub, and in the model beside the message."""
    from google.protobuf import descriptor_pb2

    def shadowing(messages: Iterable[Any], prefix: str) -> Iterator[str]:
        for message in messages:
            name = f"{prefix}{message.name}"
            yield from (f"{name}.{field.name}" for field in message.field if field.name in BUILTINS)
            yield from shadowing(message.nested_type, f"{name}.")

    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors).file
    found = [f"{file.name}: {field}" for file in files for field in shadowing(file.message_type, "")]
    if found:
        raise SystemExit("error: fields named like a Python builtin (rename them):\n  " + "\n  ".join(found))


def ours(folder: Path) -> list[Path]:
    """The files of the generated package, as they stand on disk."""
    return [path for path in folder.iterdir() if path.suffix in {".py", ".pyi"}] if folder.is_dir() else []


def compare(generated: dict[str, str], folder: Path) -> int:
    """Print how the committed files differ from the generated ones; 1 if they do."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in ours(folder)}
    differ = 0
    for name in sorted(generated.keys() | committed.keys()):
        old, new = committed.get(name, ""), generated.get(name, "")
        if old == new and name in committed:
            continue
        differ += 1
        differs = "differs" if name in generated else "is not generated any more"
        print(f"{folder.name}/{name} {differs if name in committed else 'is missing'}")
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "committed", "generated", lineterm="", n=1)
        # The serialized descriptor is one line of many thousand characters.
        sys.stdout.writelines(f"  {line if len(line) <= 160 else line[:157] + '...'}\n" for line in list(lines)[:60])
    if differ:
        print(f"{differ} generated files are not up to date: run `make proto` and commit the result")
        return 1
    print(f"{folder.name}: {len(generated)} files are what proto/ generates")
    return 0


if __name__ == "__main__":
    sys.exit(main())
