"""Probes of disk, memory, processor and graphics card."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import PurePosixPath

from milestone1.doctor.installed import installed
from milestone1.doctor.machine import Finding, Machine

GIB = 2**30
DISK_TO_INSTALL, DISK_TO_WORK = 4.0, 1.0  # GiB: packages and base model; checkpoints and downloads
MEMORY_NEEDED, MEMORY_EASY = 1.8, 3.5  # GiB: the hungriest notebook stays below Binder's 2 GB


def disk(machine: Machine, needed: float | None = None) -> Finding:
    """Look for free room where packages, checkpoints and downloads go; `needed` is in GiB."""
    needed = needed or (DISK_TO_WORK if installed(machine, "torch") else DISK_TO_INSTALL)
    free = min(shutil.disk_usage(place).free for place in (machine.folder, machine.home) if place.exists()) / GIB
    if free < needed:
        return Finding("disk", "failure", f"{free:.1f} GB free, and the course needs {needed:g}",
                       "Empty the bin and the downloads, then: pip cache purge, docker system prune")  # fmt: skip
    return Finding("disk", "ok", f"{free:.1f} GB free")


def memory(machine: Machine) -> Finding:
    """Compare the memory, or the part of it that a container may use, with what the notebooks need."""
    total, free = total_memory(machine)
    if total is None:
        return Finding("memory", "note", "this system does not say how much there is; the course needs 2 GB")
    limit = memory_limit(machine)
    limited = limit is not None and limit < total
    usable = min(total, limit) if limited else total
    found = f"{usable / GIB:.1f} GB"
    found += f" (a limit; the computer has {total / GIB:.1f})" if limited else ""
    if usable < MEMORY_NEEDED * GIB:
        return Finding("memory", "failure", f"{found}, and training needs 2", memory_repair(machine, limited))
    if free is not None and free < MEMORY_NEEDED * GIB:
        return Finding("memory", "warning", f"{found}, {free / GIB:.1f} of it free, and training needs 2",
                       "Close other programs, and other notebooks: Kernel > Shut Down All Kernels")  # fmt: skip
    if usable < MEMORY_EASY * GIB:
        return Finding("memory", "note", f"{found}: enough for every notebook, one at a time; not for larger bases")
    return Finding("memory", "ok", found)


def memory_repair(machine: Machine, limited: bool) -> str:
    """Return how to give the course more memory."""
    if machine.wsl:
        return r"Write [wsl2] and memory=4GB into %UserProfile%\.wslconfig, then in PowerShell: wsl --shutdown"
    if limited and not machine.hosted:
        return "docker run --memory 4g, or ulimit -v unlimited; Docker Desktop: Settings > Resources > Memory limit"
    return "Open the course on Binder or Colab (the links are in README.md)"


def total_memory(machine: Machine) -> tuple[int | None, int | None]:
    """Return the bytes of memory that the computer has, and those that are free, each None where it is not known."""
    if machine.system == "Windows":
        return windows_memory()
    if machine.system == "Darwin":
        answer = machine.ask("sysctl", "-n", "hw.memsize")
        return (int(answer.text), None) if answer and answer.text.isdigit() else (None, None)
    sizes = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", machine.read("proc/meminfo"), flags=re.MULTILINE))
    total, free = (int(sizes[name]) * 1024 if name in sizes else None for name in ("MemTotal", "MemAvailable"))
    return total, free


def windows_memory() -> tuple[int, int]:
    """Return all and free bytes of memory, from Windows' GlobalMemoryStatusEx."""
    import ctypes

    # Two 4-byte numbers (the structure's length, the load in per cent), then 8-byte ones: total, available, five more.
    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = ctypes.sizeof(status)
    ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return status[1], status[2]


def memory_limit(machine: Machine) -> int | None:
    """Return the smallest limit in bytes that a container (cgroup, version 1 or 2) or `ulimit -v` sets, if any does."""
    limits = [int(text) for text in cgroup_values(machine, "memory", "memory.limit_in_bytes", "memory.max")
              if text.isdigit()]  # fmt: skip
    try:
        import resource
    except ImportError:  # Windows knows no such limit
        pass
    else:
        limits += [limit for limit in resource.getrlimit(resource.RLIMIT_AS) if limit != resource.RLIM_INFINITY]
    return min(limits, default=None)


def cgroup_values(machine: Machine, controller: str, first: str, second: str) -> list[str]:
    """Return what the file `first` (cgroup version 1) or `second` (version 2) says for this process and all above it.

    Inside a container /proc/self/cgroup may name a folder of the host that cannot be seen; what can be seen of it is
    then at the top.
    """
    values = []
    for line in machine.read("proc/self/cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            mounts, name = ["sys/fs/cgroup", "sys/fs/cgroup/unified"], second
        elif controller in controllers.split(","):
            mounts, name = [f"sys/fs/cgroup/{controller}", f"sys/fs/cgroup/{controllers}"], first
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        values += [machine.read(f"{mount}/{place}/{name}") for mount in mounts for place in (inner, *inner.parents)]
    return [value.strip() for value in values if value.strip()]


def cores(machine: Machine) -> Finding:
    """Count the cores that may be used, and name the instruction sets that decide how fast training is."""
    usable = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    usable = min([usable, *cpu_quotas(machine)])
    found = f"{usable:g} {'core' if usable == 1 else 'cores'}"
    sets, fast = instruction_sets(machine)
    if sets is None:
        return Finding("cores", "ok", f"{found}; this system does not say which instruction sets they have")
    if machine.processor in ("x86_64", "AMD64") and "avx2" not in sets:
        return Finding("cores", "warning", f"{found} without AVX2, so that training takes several times as long",
                       "Train on Colab (the links are in README.md), with this computer for the rest")  # fmt: skip
    listed = f"{found}, {', '.join(sets) or 'no special instruction sets'}"
    if not fast:
        return Finding("cores", "note", f"{listed}: no bf16 that the course can use, so training uses float32")
    return Finding("cores", "ok", f"{listed}: training uses bf16")


def cpu_quotas(machine: Machine) -> list[float]:
    """Return the numbers of cores that cgroups allow."""
    quotas = []
    for text in cgroup_values(machine, "cpu", "cpu.cfs_quota_us", "cpu.max"):
        quota, *period = text.split()
        if quota.isdigit():
            period = period or cgroup_values(machine, "cpu", "cpu.cfs_period_us", "")[:1] or ["100000"]
            quotas.append(int(quota) / int(period[0]))
    return quotas


def instruction_sets(machine: Machine) -> tuple[list[str] | None, bool]:
    """Return the names of the instruction sets that matter, or None, and whether training uses bf16 with them."""
    if machine.system == "Darwin":
        answer = machine.ask("sysctl", "-n", "hw.optional.arm.FEAT_BF16")
        return (["arm bf16"] if answer.text == "1" else [], False) if answer and answer.code == 0 else (None, False)
    flags = re.search(r"^(?:flags|Features)\s*:(.*)$", machine.read("proc/cpuinfo"), flags=re.MULTILINE)
    if flags is None:
        return None, False
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16", "asimd", "sve", "bf16")
    present = [name for name in wanted if name in flags[1].split()]
    # The same question as milestone3.trainer.bf16_is_fast asks of PyTorch.
    return present, "avx512_bf16" in present or "amx_tile" in present


def gpu(machine: Machine) -> Finding:
    """Ask for a graphics card that PyTorch can use."""
    if machine.system == "Darwin" and machine.processor == "arm64":
        return Finding("gpu", "ok", "Apple's own, which PyTorch calls mps")
    answer = machine.ask("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if answer is None:
        return Finding("gpu", "note", "none from NVIDIA or Apple; the course does not need one")
    if answer.code != 0 or not answer.text:
        return Finding("gpu", "warning", f"NVIDIA's driver does not answer: {(answer.text.splitlines() or [''])[0]}",
                       "Restart the computer, or install the driver anew; until then the processor works")  # fmt: skip
    return Finding("gpu", "ok", "; ".join(answer.text.splitlines()))
