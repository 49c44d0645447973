"""Is the stack below the program read as kernels and drivers write it, and left out where it is unknown?"""

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasswing_attest._wire import canonical_json
from glasswing_attest.capture import host as module
from glasswing_attest.capture.host import (
    Gpu,
    Host,
    Part,
    parse_cgroup,
    parse_containerenv,
    parse_cpuinfo,
    parse_cuda_version,
    parse_gpu_information,
    parse_meminfo,
    parse_nvidia_smi,
    parse_nvidia_version,
    parse_os_release,
)
from glasswing_attest.errors import UnavailableError, UsageError

Tree = Callable[[dict[str, str | bytes]], Path]

OS_RELEASE = """\
PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.1 LTS (Noble Numbat)"
# a comment
ID=ubuntu
ID_LIKE=debian
HOME_URL='https://www.ubuntu.com/'
"""
CPUINFO = """\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model name\t: AMD EPYC 7763 64-Core Processor
cpu MHz\t\t: 2445.404

processor\t: 1
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7763 64-Core Processor
"""
CPUINFO_ARM = """\
processor\t: 0
BogoMIPS\t: 2000.00
Features\t: fp asimd evtstrm
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd4f
CPU revision\t: 0
"""
NVIDIA = """\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023
GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)
"""
NVIDIA_OPEN = """\
NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (builder@U22)  Fri Jan 24
GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)
"""
GPU = """\
Model: \t\t NVIDIA H100 80GB HBM3
IRQ:   \t\t 283
GPU UUID: \t GPU-6f2b5d1c-0000-0000-0000-000000000000
Video BIOS: \t 96.00.74.00.01
Bus Type: \t PCIe
DMA Size: \t 52 bits
DMA Mask: \t 0xfffffffffffff
Bus Location: \t 0000:1b:00.0
Device Minor: \t 0
GPU Firmware: \t 535.104.05
GPU Excluded:\t No
"""
SMI = """\
NVIDIA A100-SXM4-40GB, 550.54.15, 92.00.45.00.03
NVIDIA A100-SXM4-40GB, 550.54.15, [N/A]
"""
CONTAINER = "d6" * 32
MOUNTINFO = f"""\
1203 1102 0:52 / / rw,relatime master:420 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC
1225 1203 259:1 /var/lib/docker/containers/{CONTAINER}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/root rw
"""
CGROUP_PODS = f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{CONTAINER}.scope\n"


def test_os_release() -> None:
    found = parse_os_release(OS_RELEASE)
    assert (found["ID"], found["VERSION_ID"], found["PRETTY_NAME"]) == ("ubuntu", "24.04", "Ubuntu 24.04.1 LTS")
    assert found["HOME_URL"] == "https://www.ubuntu.com/"
    assert parse_os_release('NAME="a \\"b\\" \\$c"\n') == {"NAME": 'a "b" $c'}


def test_cpuinfo() -> None:
    assert parse_cpuinfo(CPUINFO) == ("AMD EPYC 7763 64-Core Processor", 2)
    assert parse_cpuinfo(CPUINFO_ARM) == ("implementer 0x41 part 0xd4f", 1)
    assert parse_cpuinfo("") == ("", 0)


def test_meminfo() -> None:
    assert parse_meminfo("MemTotal:       2113495864 kB\nMemFree: 1 kB\n") == 2113495864 * 1024
    assert parse_meminfo("MemFree: 1 kB\n") == 0


@pytest.mark.parametrize(("text", "version"), [(NVIDIA, "535.104.05"), (NVIDIA_OPEN, "570.86.15"), ("x", ""), ("", "")])
def test_nvidia_version(text: str, version: str) -> None:
    assert parse_nvidia_version(text) == version


def test_gpus() -> None:
    h100 = Gpu(model="NVIDIA H100 80GB HBM3", firmware="535.104.05", video_bios="96.00.74.00.01")
    assert parse_gpu_information(GPU) == h100
    asleep = GPU.replace("96.00.74.00.01", "??.??.??.??.??").replace("535.104.05", "N/A")
    assert parse_gpu_information(asleep) == Gpu(model="NVIDIA H100 80GB HBM3")
    assert parse_gpu_information("IRQ: 1\n") is None
    a100 = "NVIDIA A100-SXM4-40GB"
    assert parse_nvidia_smi(SMI) == ((Gpu(model=a100, video_bios="92.00.45.00.03"), Gpu(model=a100)), "550.54.15")
    assert parse_nvidia_smi("No devices were found\n") == ((), "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MOUNTINFO, CONTAINER),
        (CGROUP_PODS, CONTAINER),
        (f"12:pids:/docker/{CONTAINER}\n", CONTAINER),
        (f"0::/machine.slice/libpod-{CONTAINER}.scope\n", CONTAINER),
        ("0::/user.slice/user-1000.slice\n", ""),
        (f"1 2 0:3 /{CONTAINER} /x rw - ext4 /dev/root rw\n", ""),
        (f"/docker/{CONTAINER}ab\n", ""),
    ],
)
def test_container_ids(text: str, found: str) -> None:
    assert parse_cgroup(text) == found


def test_containerenv_and_cuda() -> None:
    text = 'engine="podman-5.2.2"\nname="x"\nid="ab"\nimage="ghcr.io/acme/train:v1"\nimageid="cd"\nrootless=1\n'
    found = parse_containerenv(text)
    assert (found["id"], found["image"], found["imageid"]) == ("ab", "ghcr.io/acme/train:v1", "cd")
    assert parse_cuda_version('{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, "nvcc": {}}') == "12.4.1"
    for text in ("", "{", "[]", '{"cuda": {"version": 12}}', '{"cuda": null}'):
        assert parse_cuda_version(text) == ""


def test_a_machine_is_read_from_its_files(write_tree: Tree) -> None:
    root = write_tree(
        {
            "etc/os-release": OS_RELEASE,
            "proc/sys/kernel/osrelease": "6.8.0-45-generic\n",
            "proc/cpuinfo": CPUINFO,
            "proc/meminfo": "MemTotal: 1024 kB\n",
            "proc/self/mountinfo": MOUNTINFO,
            "proc/driver/nvidia/version": NVIDIA,
            "proc/driver/nvidia/gpus/0000:1b:00.0/information": GPU,
            "sys/class/dmi/id/bios_vendor": "Dell Inc.\n",
            "sys/class/dmi/id/bios_version": "2.1.5\n",
            "sys/class/dmi/id/product_serial": "SERIAL\n",
            "sys/module/amdgpu/version": "6.8.5\n",
            "usr/local/cuda/version.json": '{"cuda": {"version": "12.2.2"}}',
            "etc/hostname": "SECRET-HOST\n",
        }
    )
    found = Host.read(root)
    assert found.to_dict() == {
        "kernel": "6.8.0-45-generic",
        "os": {"name": "Ubuntu 24.04.1 LTS", "id": "ubuntu", "version": "24.04"},
        "cpu": {"model": "AMD EPYC 7763 64-Core Processor", "threads": 2},
        "memoryBytes": "1048576",
        "bios": "Dell Inc. 2.1.5",
        "container": {"id": CONTAINER},
        "gpus": [{"model": "NVIDIA H100 80GB HBM3", "firmware": "535.104.05", "videoBios": "96.00.74.00.01"}],
        "nvidiaDriver": "535.104.05",
        "amdgpuDriver": "6.8.5",
        "cuda": "12.2.2",
    }
    assert [part.purl for part in found.parts()] == [
        "pkg:generic/linux@6.8.0-45-generic",
        "pkg:generic/bios@Dell%20Inc.%202.1.5",
        "pkg:generic/nvidia-driver@535.104.05",
        "pkg:generic/amdgpu-driver@6.8.5",
        "pkg:generic/cuda@12.2.2",
        "pkg:generic/gpu-firmware@535.104.05",
        "pkg:generic/gpu-video-bios@96.00.74.00.01",
    ]
    assert "SE" not in json.dumps(found.to_dict())


def test_nothing_known_is_nothing_said(tmp_path: Path) -> None:
    assert Host.read(tmp_path) == Host()
    assert Host().to_dict() == {}
    assert Host().parts() == ()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "os-release").write_bytes(b"ID=\xff\n")
    os.mkfifo(tmp_path / "run")
    assert Host.read(tmp_path) == Host()


def test_this_machine_is_read() -> None:
    found = Host.read()
    assert found.kernel == Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert found.cpus >= 1
    assert Part(name="linux", version=found.kernel) in found.parts()
    canonical_json(found.to_dict())


def program(path: Path, text: str) -> Path:
    """A program that stands for nvidia-smi."""
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_nvidia_smi_is_asked_only_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi = program(
        tmp_path / "nvidia-smi", f"import os\nassert len(os.environ) <= 2, os.environ\nprint({SMI!r}, end='')"
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Host.read(tmp_path).gpus == ()
    found = Host.read(tmp_path, nvidia_smi=smi)
    assert (len(found.gpus), found.nvidia_driver) == (2, "550.54.15")
    with pytest.raises(UsageError) as caught:
        Host.read(tmp_path, nvidia_smi="nvidia-smi")
    assert (caught.value.code, caught.value.where) == ("usage", "nvidia_smi")


@pytest.mark.parametrize("text", ["import time; time.sleep(60)", "raise SystemExit(9)"])
def test_nvidia_smi_that_does_not_answer_is_unavailable(tmp_path: Path, text: str) -> None:
    smi = program(tmp_path / "nvidia-smi", text)
    for path in (smi, tmp_path / "absent"):
        with pytest.raises(UnavailableError) as caught:
            Host.read(tmp_path, nvidia_smi=path, timeout_seconds=0.5)
        assert (caught.value.code, caught.value.where) == ("unavailable", str(path))


def test_a_cell_that_csv_refuses_is_unknown() -> None:
    assert parse_nvidia_smi("x" * 200_000 + ", 550.54.15, 92.00") == ((), "")


TEXTS = [OS_RELEASE, CPUINFO, NVIDIA, GPU, SMI, MOUNTINFO, '{"cuda": {"version": "1"}}']


@given(st.one_of(st.text(), st.sampled_from(TEXTS).flatmap(lambda t: st.integers(0, len(t)).map(lambda n: t[n:]))))
def test_no_parser_fails_on_any_text(text: str) -> None:
    for name in module.__all__:
        if name.startswith("parse_"):
            getattr(module, name)(text)
