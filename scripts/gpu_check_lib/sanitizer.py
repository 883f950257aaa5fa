"""gpu_tests under NVIDIA's compute-sanitizer: what the emulator sees of memory and races, seen on the device."""

import os
import shutil
import time
from pathlib import Path

from .steps import run_logged

FOUND = 99  # exit status for findings, unlike any of GoogleTest's
TOOLS = {
    "memcheck": ("--leak-check", "no"),
    "racecheck": ("--racecheck-report", "all"),
}


def find_tool(nvcc):
    beside = Path(nvcc).resolve().parent / "compute-sanitizer"
    return shutil.which("compute-sanitizer") or (str(beside) if os.access(beside, os.X_OK) else None)


def suites(program):
    """The names of the program's test suites, in its order."""
    ended = run_logged("gpu-sanitizer.log", [program, "--gtest_list_tests"], 60)
    lines = ended.output.splitlines() if ended.is_ok else []
    names = [line.split("#")[0].rstrip() for line in lines if not line.startswith(" ")]  # tests are indented
    return [name for name in names if name.endswith(".")]


def run_suite(tool, name, program, suite, limit):
    command = [tool, "--tool", name, "--error-exitcode", FOUND, *TOOLS[name], program]
    command += [f"--gtest_filter={suite}*:-*Slow*", "--gtest_brief=1"]
    return run_logged("gpu-sanitizer.log", command, limit)


def run_sanitizer(tool, name, program, deadline, suite_seconds_max):
    """(suites without findings, what was found, suites that were left out)."""
    clean, found, left_out = [], [], []
    for suite in suites(program):
        limit = min(suite_seconds_max, deadline - time.monotonic())
        if limit < 2:
            left_out.append(suite)
            continue
        ended = run_suite(tool, name, program, suite, limit)
        if ended.status is None:
            left_out.append(suite)  # the tools make programs many times as slow
        elif ended.status == 0:
            clean.append(suite)
        else:
            lines = [line for line in ended.output.splitlines() if line.startswith("=========")]
            found.append(f"{suite} {ended.words()}: " + " | ".join(line[9:].strip() for line in lines[:4])[:400])
    return clean, found, left_out
