"""Environments for tests, made by hand and without a network: wheels, and an installer of a few lines.

The installer does what pip does: it unpacks, rewrites scripts, and writes INSTALLER, RECORD and, for what was not had
by name, direct_url.json. That it does so as pip does is held by a test that installs the same wheels with pip.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from glasswing_attest.artifact.wheel import Wheel

SITE = "lib/python3.11/site-packages"
FILES = {"demo/__init__.py": b"VALUE = 1\n", "demo/data.bin": b"\x00\x01"}


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    quoted = f'"{name}"' if "," in name else name
    return f"{quoted},sha256={digest},{len(data)}\n"


def build_wheel(
    folder: Path,
    name: str = "demo",
    version: str = "1.0",
    files: Mapping[str, bytes] | None = None,
    *,
    tag: str = "py3-none-any",
    build: str = "",
    script: str = "",
) -> Path:
    """A wheel with these files, and a console script of that name."""
    files = dict(FILES if files is None else files)
    info = f"{name}-{version}.dist-info"
    python, abi, platforms = tag.split("-")
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n{tags}".encode()
    if script:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{script} = demo:main\n".encode()
    record = "".join(record_line(n, data) for n, data in files.items()) + f"{info}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}{f'-{build}' if build else ''}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for n, data in {**files, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(n, (2026, 1, 1, 0, 0, 0)), data)
    return path


def make_prefix(prefix: Path, version: str = "3.11.7") -> Path:
    """An environment in which nothing is installed."""
    (prefix / SITE).mkdir(parents=True)
    (prefix / "bin").mkdir()
    (prefix / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {version}\n")
    return prefix


def install(prefix: Path, wheel: Path, *, direct_url: object = None, installer: str = "pip") -> None:
    """Install a wheel, as pip does."""
    written: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        contents = {n: archive.read(n) for n in archive.namelist()}
    info = next(n for n in contents if n.endswith(".dist-info/RECORD")).partition("/")[0]
    del contents[f"{info}/RECORD"]
    data_folder = f"{info.removesuffix('.dist-info')}.data/"
    for n, data in contents.items():
        if n.startswith(data_folder):
            scheme, _, rest = n.removeprefix(data_folder).partition("/")
            rewritten = scheme == "scripts" and data.startswith(b"#!python")
            up = {"scripts": "../../../bin/", "data": "../../../", "headers": "../../../include/site/python3.11/demo/"}
            shebang = f"#!{prefix}/bin/python".encode()
            written[up.get(scheme, "") + rest] = data.replace(b"#!python", shebang, 1) if rewritten else data
        else:
            written[n] = data
    for line in contents.get(f"{info}/entry_points.txt", b"").decode().splitlines():
        if " = " in line:
            script = f"#!{prefix}/bin/python\nimport sys\nfrom demo import main\nsys.exit(main())\n"
            written[f"../../../bin/{line.partition(' = ')[0]}"] = script.encode()
    if installer:
        written[f"{info}/INSTALLER"] = f"{installer}\n".encode()
    if direct_url is not None:
        written[f"{info}/direct_url.json"] = json.dumps(direct_url).encode()
    record = "".join(record_line(n, data) for n, data in sorted(written.items())) + f"{info}/RECORD,,\n"
    for n, data in {**written, f"{info}/RECORD": record.encode()}.items():
        path = prefix / SITE / n
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def lock_of(*wheels: Path, extra: str = "") -> bytes:
    """A lock file that names these wheels, those of a name and version together."""
    packages: dict[tuple[str, str], list[str]] = {}
    for path in wheels:
        wheel = Wheel.read(path)
        sha256 = wheel.digests.get("sha256")
        url = f"https://user:secret@files.example/{path.name}?token=secret#fragment"
        line = f'{{name = "{path.name}", url = "{url}", hashes = {{sha256 = "{sha256}"}}}}'
        packages.setdefault((wheel.name, wheel.version), []).append(line)
    text = 'lock-version = "1.0"\ncreated-by = "test"\n' + extra
    for (name, version), lines in packages.items():
        text += f'[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{", ".join(lines)}]\n'
    return text.encode()
