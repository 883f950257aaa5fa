"""The GPU, the CUDA compiler, and this machine."""

import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .steps import JOBS, ROOT

CAPABILITY_MIN = 75  # cuda/exec/engine.hpp
NVIDIA_SMI_FACTS = (
    "driver_version",
    "pstate",
    "clocks.sm",
    "clocks.mem",
    "clocks.max.sm",
    "clocks.max.mem",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "ecc.mode.current",
    "pcie.link.gen.current",
    "pcie.link.width.current",
    "utilization.gpu",
)


def output_of(command, limit=30):
    """Standard output of a command, or None if it cannot be run or fails."""
    try:
        ended = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None


def find_device():
    """(facts of the first device, None) or (None, why there is none that can be used)."""
    answer = output_of([sys.executable, "-B", str(Path(__file__).with_name("probe.py"))])
    if answer is None:
        return None, "the NVIDIA driver did not answer within 30 s, or crashed"
    found = json.loads(answer)
    if not found["devices"]:
        return None, found["problem"]
    device = {**found["devices"][0], "driver_cuda": found["driver_cuda"]}
    if device["capability"] < CAPABILITY_MIN:
        return None, f"{device['name']} has compute capability {device['capability'] / 10}; 7.5 is the least"
    return device, None


def find_nvcc():
    for candidate in (os.environ.get("CUDACXX"), shutil.which("nvcc"), "/usr/local/cuda/bin/nvcc"):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    return None


def nvcc_version(nvcc):
    found = re.search(r"release (\d+\.\d+)", output_of([nvcc, "--version"]) or "")
    return found.group(1) if found else "unknown"


def driver_problem(device, version):
    """Why programs of this compiler do not run on this driver, or None. Within a major version all do."""
    if version == "unknown" or device["driver_cuda"] is None:
        return None
    if int(device["driver_cuda"].split(".")[0]) >= int(version.split(".")[0]):
        return None
    return f"its driver knows CUDA {device['driver_cuda']} only, and the compiler is of CUDA {version}"


def architecture_for(nvcc, capability):
    """For CMAKE_CUDA_ARCHITECTURES: machine code of the device, or of one the compiler does not know the newest PTX."""
    known = {int(n) for n in re.findall(r"compute_(\d+)\b", output_of([nvcc, "--list-gpu-arch"]) or "")}
    if not known or capability in known:
        return f"{capability}-real"
    return f"{max(n for n in known if n < capability)}-virtual"


def nvidia_smi(device):
    """What nvidia-smi says about the device now; empty where it is not there."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    command = [program, "--query-gpu=" + ",".join(NVIDIA_SMI_FACTS), "--format=csv,noheader"]
    answer = output_of([*command, "-i", device["bus"]]) or output_of(command)
    if not answer:
        return {}
    return dict(zip(NVIDIA_SMI_FACTS, (word.strip() for word in answer.strip().splitlines()[0].split(","))))


def commit():
    head = output_of(["git", "rev-parse", "--short", "HEAD"])
    if not head:
        return "unknown"
    is_changed = output_of(["git", "status", "--porcelain", "--untracked-files=no"])
    return head.strip() + ("-dirty" if is_changed and is_changed.strip() else "")


def processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def machine(device, nvcc):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "gpu": device["name"],
        "device": device,
        "nvidia_smi_before": nvidia_smi(device),
        "nvcc": nvcc_version(nvcc),
        "processor": processor(),
        "cores": JOBS,
        "memory_bytes": memory,
        "kernel": platform.release(),
        "commit": commit(),
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
