"""The doctor's probes of disk, memory, processor and graphics card, on a made-up computer (see made_up_machine.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from made_up_machine import MadeUpMachine

from milestone1.doctor import hardware
from milestone1.doctor.machine import Machine

GIB = 2**30
ROOT = Path(__file__).resolve().parent.parent
unix = pytest.mark.skipif(os.name == "nt", reason="its made-up programs are written for a Unix shell")
linux = pytest.mark.skipif(sys.platform != "linux", reason="about Linux alone")


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUpMachine:
    return MadeUpMachine(tmp_path)


def test_enough_disk_is_ok_and_more_than_there_is_is_a_failure(made_up: MadeUpMachine):
    assert hardware.disk(made_up.look(), needed=1e-6).level == "ok"
    finding = hardware.disk(made_up.look(), needed=1e9)
    assert finding.level == "failure" and "GB free, and the course needs 1e+09" in finding.found and finding.repair


@linux
def test_a_full_disk_is_a_failure(tmp_path: Path):
    """On a real one of 32 MB, which the kernel makes for this test."""
    code = (
        "import sys; from pathlib import Path; from milestone1.doctor import hardware; "
        "from milestone1.doctor.machine import Machine; "
        "print(hardware.disk(Machine(checkout=Path(sys.argv[1]), environ={'HOME': '/'})))"
    )
    script = 'mount -t tmpfs -o size=32m none "$1" && exec "$2" -c "$3" "$1"'
    unshare = shutil.which("unshare")
    if not unshare:
        pytest.skip("unshare is not installed")
    # Only the children of this one command see the disk.
    own_disks = [unshare, "--user", "--map-root-user", "--mount"]
    command = [*own_disks, "sh", "-c", script, "sh", tmp_path, sys.executable, code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "Operation not permitted" in done.stderr or "denied" in done.stderr:
        pytest.skip(f"this system does not let a test make a disk: {done.stderr.strip()}")
    assert "level='failure', found='0.0 GB free" in done.stdout, done.stderr


def test_enough_memory_is_ok(made_up: MadeUpMachine):
    finding = hardware.memory(made_up.look())
    assert (finding.level, finding.found) == ("ok", "7.6 GB")


@pytest.mark.parametrize(
    ("cgroup", "file", "text"),
    [
        ("0::/\n", "sys/fs/cgroup/memory.max", str(GIB)),
        ("0::/docker/abc\n", "sys/fs/cgroup/memory.max", str(GIB)),  # the folder of the host, unseen from inside
        ("0::/a/b/c\n", "sys/fs/cgroup/a/memory.max", str(GIB)),
        ("1:name=systemd:/x\n4:memory:/docker/abc\n0::/x\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", str(GIB)),
        ("4:memory:/docker/abc\n", "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", str(GIB)),
        ("4:cpu,memory:/\n", "sys/fs/cgroup/cpu,memory/memory.limit_in_bytes", str(GIB)),
    ],
)
def test_a_container_s_limit_counts_in_both_versions_of_cgroups(made_up, cgroup: str, file: str, text: str):
    made_up.file("proc/self/cgroup", cgroup)
    made_up.file(file, text + "\n")
    finding = hardware.memory(made_up.look())
    assert finding.level == "failure" and "1.0 GB (a limit; the computer has 7.6)" in finding.found
    assert "docker run --memory 4g" in finding.repair
    assert "Binder or Colab" in hardware.memory(made_up.look(environ={"BINDER_SERVICE_HOST": "x"})).repair


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "", "what is this"])
def test_no_limit_is_none(made_up: MadeUpMachine, text: str):
    made_up.file("proc/self/cgroup", "4:memory:/\n0::/\n")
    made_up.file("sys/fs/cgroup/memory.max", text)
    made_up.file("sys/fs/cgroup/memory/memory.limit_in_bytes", text)
    assert hardware.memory(made_up.look()).found == "7.6 GB"


def test_the_memory_of_a_free_binder_is_enough(made_up: MadeUpMachine):
    made_up.file("sys/fs/cgroup/memory.max", str(2 * GIB))
    finding = hardware.memory(made_up.look())
    assert finding.level == "note" and finding.found.startswith("2.0 GB") and not finding.repair


@linux
def test_a_limit_of_ulimit_counts():
    code = "from milestone1.doctor import hardware, machine; print(hardware.memory_limit(machine.Machine()))"
    script = 'ulimit -v 1500000 && exec "$1" -c "$2"'
    done = subprocess.run(["sh", "-c", script, "sh", sys.executable, code], cwd=ROOT, capture_output=True, text=True)
    assert int(done.stdout) <= 1_500_000 * 1024, done.stderr


def test_little_memory_has_a_repair_for_each_place(made_up: MadeUpMachine):
    made_up.file("proc/meminfo", "MemTotal:   1500000 kB\nMemAvailable:   1200000 kB\n")
    assert "Binder or Colab" in hardware.memory(made_up.look()).repair
    made_up.file("proc/sys/kernel/osrelease", "5.15.167.4-microsoft-standard-WSL2")
    assert ".wslconfig" in hardware.memory(made_up.look()).repair


def test_memory_that_other_programs_have_taken_is_a_warning(made_up: MadeUpMachine):
    made_up.file("proc/meminfo", "MemTotal:   8000000 kB\nMemAvailable:   900000 kB\n")
    finding = hardware.memory(made_up.look())
    assert finding.level == "warning" and "0.9 of it free" in finding.found and "Close" in finding.repair


@unix
def test_a_mac_is_asked_through_sysctl(made_up: MadeUpMachine):
    made_up.program("sysctl", 'case "$2" in hw.memsize) echo 17179869184;; *) echo 1;; esac')
    mac = made_up.look(system="Darwin", processor="arm64")
    assert hardware.memory(mac).found == "16.0 GB"
    assert "arm bf16" in hardware.cores(mac).found
    assert hardware.gpu(mac).level == "ok"
    made_up.program("sysctl", "echo unknown oid; exit 1")
    assert hardware.memory(mac).level == "note" and hardware.cores(mac).level == "ok"


@pytest.mark.parametrize(
    ("flags", "processor", "level", "words"),
    [
        ("flags : fpu avx2 avx512f avx512_bf16", "x86_64", "ok", "training uses bf16"),
        ("flags : fpu avx2 amx_tile amx_bf16", "x86_64", "ok", "amx_tile, amx_bf16: training uses bf16"),
        ("flags : fpu avx2", "x86_64", "note", "training uses float32"),
        ("flags : fpu sse2 avx", "x86_64", "warning", "without AVX2"),
        ("Features : fp asimd bf16", "aarch64", "note", "asimd, bf16: no bf16 that the course can use"),
    ],
)
def test_the_instruction_sets_that_matter_are_named(made_up, flags: str, processor: str, level: str, words: str):
    made_up.file("proc/cpuinfo", f"processor : 0\n{flags}\n")
    finding = hardware.cores(made_up.look(processor=processor))
    assert finding.level == level and words in finding.found
    assert bool(finding.repair) is (level == "warning")


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "50000 100000"}, "0.5 cores"),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "200000"}, "0.5 cores"),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1"}, None),
    ],
)
def test_a_container_s_share_of_the_cores_counts(made_up: MadeUpMachine, files: dict[str, str], cores: str | None):
    made_up.file("proc/self/cgroup", "4:cpu:/\n0::/\n")
    for name, text in files.items():
        made_up.file(f"sys/fs/cgroup/{name}", text)
    found = hardware.cores(made_up.look()).found
    assert found.startswith(cores) if cores else not found.startswith("0.5")


@linux
def test_this_computer_s_instruction_sets_are_those_that_pytorch_sees():
    import torch

    names = hardware.instruction_sets(Machine())[0] or []
    checks = {"avx512_bf16": "_is_avx512_bf16_supported", "amx_tile": "_is_amx_tile_supported"}
    for name, check in checks.items():
        if hasattr(torch.cpu, check):
            assert (name in names) is getattr(torch.cpu, check)()


@unix
@pytest.mark.parametrize(
    ("script", "level", "words"),
    [
        ("echo 'NVIDIA GeForce RTX 4060, 8188 MiB'", "ok", "NVIDIA GeForce RTX 4060, 8188 MiB"),
        ("echo 'NVIDIA-SMI has failed because it could not communicate with the driver.'; exit 9", "warning", "failed"),
        ("exit 0", "warning", "does not answer"),
    ],
)
def test_a_graphics_card_is_asked_for(made_up: MadeUpMachine, script: str, level: str, words: str):
    assert hardware.gpu(made_up.look()).level == "note"
    made_up.program("nvidia-smi", script)
    finding = hardware.gpu(made_up.look())
    assert finding.level == level and words in finding.found and bool(finding.repair) is (level == "warning")
