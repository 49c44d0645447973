"""ON WHAT DID IT RUN? The stack below the program: kernel, operating system, processor, GPU, driver, firmware.

Read from files that the kernel and the drivers keep, and from nothing that runs: ``/proc``, ``/sys``, ``/etc``. The
parsers take text and know no file. What cannot be read is unknown, and left out: few laptops have a
``/proc/driver/nvidia``. Serial numbers, host names and addresses are not read: they tell who, and not on what.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from glasswing_attest._files import read_bounded
from glasswing_attest._wire import read_json
from glasswing_attest.errors import GlasswingError, UnavailableError, UsageError
from glasswing_attest.limits import DEFAULT

__all__ = [
    "Gpu",
    "Host",
    "Part",
    "parse_cgroup",
    "parse_containerenv",
    "parse_cpuinfo",
    "parse_cuda_version",
    "parse_gpu_information",
    "parse_meminfo",
    "parse_nvidia_smi",
    "parse_nvidia_version",
    "parse_os_release",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One kind of GPU: its model, the version of the firmware that it runs, and that of its video BIOS."""

    model: str
    firmware: str = ""
    video_bios: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the stack that has a version, such as a driver.

    >>> Part(name="nvidia-driver", version="535.104.05").purl
    'pkg:generic/nvidia-driver@535.104.05'
    """

    name: str
    version: str

    @property
    def purl(self) -> str:
        """The part as a package URL of the type generic."""
        return f"pkg:generic/{quote(self.name, safe='.-_~')}@{quote(self.version, safe='.-_~')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The stack below the program, as far as it is known. Empty means unknown.

    Attributes:
        kernel: the running kernel's release.
        os: the operating system, as it calls itself; ``os_id`` and ``os_version`` for programs.
        cpu, cpus: the processor's model, and how many of its threads this system has.
        memory_bytes: all of the memory.
        bios: the version of the machine's firmware.
        container_id: the container in which this runs, where the kernel tells.
        image, image_id: the container's image, where the container is told.
        gpus: each GPU.
        nvidia_driver, amdgpu_driver, cuda: versions.
    """

    kernel: str = ""
    os: str = ""
    os_id: str = ""
    os_version: str = ""
    cpu: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    bios: str = ""
    container_id: str = ""
    image: str = ""
    image_id: str = ""
    gpus: tuple[Gpu, ...] = ()
    nvidia_driver: str = ""
    amdgpu_driver: str = ""
    cuda: str = ""

    @classmethod
    def read(cls, root: str | Path = "/", *, nvidia_smi: str | Path | None = None, timeout_seconds: float = 10) -> Self:
        """Read what the files below `root` say. Never fails for what is not there.

        Args:
            root: where the file system begins.
            nvidia_smi: the absolute path of this program, to ask it as well; it is run only when it is named here.
            timeout_seconds: how long it may take.

        Raises:
            UsageError: `nvidia_smi` is no absolute path.
            UnavailableError: `nvidia_smi` was named, and does not answer in time, or fails.
        """
        base = Path(root)
        release = parse_os_release(_text(base / "etc/os-release") or _text(base / "usr/lib/os-release"))
        cpu, cpus = parse_cpuinfo(_text(base / "proc/cpuinfo"))
        container = parse_containerenv(_text(base / "run/.containerenv"))
        folder = base / "proc/driver/nvidia/gpus"
        informed = [_text(p / "information") for p in sorted(folder.iterdir())] if folder.is_dir() else []
        driver = parse_nvidia_version(_text(base / "proc/driver/nvidia/version"))
        gpus = tuple(g for g in map(parse_gpu_information, informed) if g is not None)
        if nvidia_smi is not None:
            gpus, driver = parse_nvidia_smi(_ask(nvidia_smi, timeout_seconds))
        return cls(
            kernel=_text(base / "proc/sys/kernel/osrelease").strip(),
            os=release.get("PRETTY_NAME", ""),
            os_id=release.get("ID", ""),
            os_version=release.get("VERSION_ID", ""),
            cpu=cpu,
            cpus=cpus,
            memory_bytes=parse_meminfo(_text(base / "proc/meminfo")),
            bios=" ".join(
                filter(None, (_text(base / "sys/class/dmi/id" / n).strip() for n in ("bios_vendor", "bios_version")))
            ),
            container_id=container.get("id", "")
            or parse_cgroup(_text(base / "proc/self/cgroup") + _text(base / "proc/self/mountinfo")),
            image=container.get("image", ""),
            image_id=container.get("imageid", ""),
            gpus=gpus,
            nvidia_driver=driver,
            amdgpu_driver=_text(base / "sys/module/amdgpu/version").strip(),
            cuda=parse_cuda_version(_text(base / "usr/local/cuda/version.json")),
        )

    def to_dict(self) -> dict[str, object]:
        """Give what is known, as it stands in ``internalParameters.host``."""
        members: dict[str, object] = {
            "kernel": self.kernel,
            "os": _known(name=self.os, id=self.os_id, version=self.os_version),
            "cpu": _known(model=self.cpu, threads=self.cpus),
            # Text, since JSON's numbers are doubles to many readers.
            "memoryBytes": str(self.memory_bytes) if self.memory_bytes else "",
            "bios": self.bios,
            "container": _known(id=self.container_id, image=self.image, imageId=self.image_id),
            "gpus": [_known(model=g.model, firmware=g.firmware, videoBios=g.video_bios) for g in self.gpus],
            "nvidiaDriver": self.nvidia_driver,
            "amdgpuDriver": self.amdgpu_driver,
            "cuda": self.cuda,
        }
        return _known(**members)

    def parts(self) -> tuple[Part, ...]:
        """Give the parts that have a version of their own: kernel, drivers, CUDA, firmware."""
        versions = {
            "linux": self.kernel,
            "bios": self.bios,
            "nvidia-driver": self.nvidia_driver,
            "amdgpu-driver": self.amdgpu_driver,
            "cuda": self.cuda,
        }
        found = [Part(name=name, version=version) for name, version in versions.items() if version]
        for firmware in sorted({g.firmware for g in self.gpus} - {""}):
            found.append(Part(name="gpu-firmware", version=firmware))
        for video_bios in sorted({g.video_bios for g in self.gpus} - {""}):
            found.append(Part(name="gpu-video-bios", version=video_bios))
        return tuple(found)


def _known(**members: object) -> dict[str, object]:
    return {k: v for k, v in members.items() if v}


def _text(path: Path) -> str:
    """Give a file's text; "" for what is not there or not text: unknown, and no reason to stop a training run."""
    try:
        return read_bounded(path, "record_bytes").decode("utf-8")
    except (GlasswingError, UnicodeDecodeError):
        return ""


def _ask(program: str | Path, timeout_seconds: float) -> str:
    path = Path(program)
    if not path.is_absolute():
        raise UsageError(where="nvidia_smi", found=str(program), wanted="the absolute path of the program")
    command = [str(path), "--query-gpu=name,driver_version,vbios_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds, check=True, env={}
        )
    except (OSError, subprocess.SubprocessError) as e:
        raise UnavailableError(where=str(path), because=type(e).__name__) from e
    DEFAULT.check("record_bytes", len(done.stdout), where=str(path))
    return done.stdout.decode("utf-8", "replace")


# --- parsers ---------------------------------------------------------------------------------------------------------


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def parse_os_release(text: str) -> dict[str, str]:
    r"""Read os-release(5): shell assignments, one a line.

    >>> parse_os_release('ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n')
    {'ID': 'debian', 'PRETTY_NAME': 'Debian GNU/Linux 13 (trixie)'}
    """
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z0-9_]+", name):
            value = value.strip()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found[name] = value
    return found


def parse_cpuinfo(text: str) -> tuple[str, int]:
    r"""Read the model and the number of threads from ``/proc/cpuinfo``, as x86 and Arm write it.

    >>> parse_cpuinfo("processor\t: 0\nmodel name\t: AMD EPYC 9654 96-Core Processor\n")
    ('AMD EPYC 9654 96-Core Processor', 1)
    """
    fields = list(_fields(text))
    values = dict(reversed(fields))  # the first of each name
    model = values.get("model name", "")
    if not model and "CPU part" in values:
        model = f"implementer {values.get('CPU implementer', '?')} part {values['CPU part']}"
    return model, sum(1 for name, _ in fields if name == "processor")


def parse_meminfo(text: str) -> int:
    r"""Read all of the memory from ``/proc/meminfo``, in bytes; 0 where it does not say.

    >>> parse_meminfo("MemTotal:       65536 kB\nMemFree:  1 kB\n")
    67108864
    """
    found = re.search(r"^MemTotal:\s*([0-9]{1,18}) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def parse_cgroup(text: str) -> str:
    """Read the container's id from ``/proc/self/cgroup`` or ``mountinfo``: 64 hex digits below a runtime's folder.

    >>> parse_cgroup("12:cpu:/docker/" + "ab" * 32)[:8]
    'abababab'
    >>> parse_cgroup("0::/user.slice")
    ''
    """
    runtime = r"(?:docker|containers?|libpod|cri-containerd|crio|kubepods)"
    found = re.search(rf"{runtime}[^\s]{{0,512}}?(?<![0-9a-f])([0-9a-f]{{64}})(?![0-9a-f])", text)
    return found[1] if found else ""


def parse_containerenv(text: str) -> dict[str, str]:
    r"""Read what Podman tells its containers in ``/run/.containerenv``: name, id, image, imageid.

    >>> parse_containerenv('id="ab"\nimage="docker.io/library/python:3.13"\n')["image"]
    'docker.io/library/python:3.13'
    """
    return dict(re.findall(r'^([a-z]+)="([^"\n]*)"$', text, re.MULTILINE))


def parse_nvidia_version(text: str) -> str:
    """Read the driver's version from ``/proc/driver/nvidia/version``, of the closed and of the open kernel module.

    >>> parse_nvidia_version("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023")
    '535.104.05'
    """
    found = re.search(r"^NVRM version:.*?Kernel Module.*?\s{2,}([0-9]+(?:\.[0-9]+)+)\s", f"{text}\n", re.MULTILINE)
    return found[1] if found else ""


def parse_gpu_information(text: str) -> Gpu | None:
    r"""Read ``/proc/driver/nvidia/gpus/*/information``; None where it names no model.

    >>> parse_gpu_information("Model: \t\t NVIDIA H100 80GB HBM3\nGPU Firmware: \t 535.104.05\n")
    Gpu(model='NVIDIA H100 80GB HBM3', firmware='535.104.05', video_bios='')
    """
    values = dict(_fields(text))
    if not values.get("Model"):
        return None
    unknown = re.compile(r"N/A|[?.]+")  # what stands there while the device sleeps
    firmware, video_bios = (
        "" if unknown.fullmatch(values.get(n, "")) else values.get(n, "") for n in ("GPU Firmware", "Video BIOS")
    )
    return Gpu(model=values["Model"], firmware=firmware, video_bios=video_bios)


def parse_nvidia_smi(text: str) -> tuple[tuple[Gpu, ...], str]:
    """Read ``nvidia-smi --query-gpu=name,driver_version,vbios_version --format=csv,noheader``: GPUs, and the driver.

    >>> parse_nvidia_smi("NVIDIA A100-SXM4-40GB, 550.54.15, 92.00.45.00.03")[1]
    '550.54.15'
    """
    gpus, driver = [], ""
    try:
        rows = list(csv.reader(text.splitlines(), skipinitialspace=True))
    except csv.Error:  # a cell of more than 128 KiB
        return (), ""
    for row in rows:
        if len(row) == 3:
            name, driver, video_bios = (cell.strip() for cell in row)
            gpus.append(Gpu(model=name, video_bios="" if video_bios == "[N/A]" else video_bios))
    return tuple(gpus), driver


def parse_cuda_version(text: str) -> str:
    """Read the toolkit's ``version.json``; "" where it says none.

    >>> parse_cuda_version('{"cuda": {"name": "CUDA SDK", "version": "12.2.2"}}')
    '12.2.2'
    """
    try:
        version: Any = read_json(text.encode("utf-8")).need("cuda").need("version").text()
    except GlasswingError:
        return ""
    return str(version)
