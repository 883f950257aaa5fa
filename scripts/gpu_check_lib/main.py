"""The order of things: scripts/gpu_check."""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from . import build, corpus, device, kinds, sanitizer
from .compare import compare_all, scratch_parent
from .figures import SECTION_SECONDS_MAX, SECTIONS, run_section
from .report import write_report
from .steps import JOBS, LOGS, Budget, Steps, errors_in, run_logged, say
from .tables import report_text

NO_GPU = 77
PARTS = ("tests", "corpus", "kinds", "figures", "sanitizer")
SIZE_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
DIFFERENCES_SHOWN = 10
PART_SECONDS_MIN = 5
WORKERS_ON_GPU = 8  # processes that share the device; each makes its context first


def size_in_bytes(text):
    found = re.fullmatch(r"([0-9.]+)\s*([a-zA-Z]*)", text)
    if not found or found.group(2).lower() not in SIZE_UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 1GB or 64MiB")
    return int(float(found.group(1)) * SIZE_UNITS[found.group(2).lower()])


def parts_of(text):
    parts = text.split(",")
    if not set(parts) <= set(PARTS):
        raise argparse.ArgumentTypeError(f"the parts are {', '.join(PARTS)}")
    return parts


def kinds_of(text):
    names = text.split(",")
    known = dict.fromkeys(kind.name for kind in kinds.KINDS)
    if not set(names) <= set(known):
        raise argparse.ArgumentTypeError(f"the kinds are {', '.join(known)}")
    return names


def arguments_of(words):
    parser = argparse.ArgumentParser(
        prog="scripts/gpu_check", description="Tries the CUDA engine on this machine's GPU, and measures it."
    )
    parser.add_argument("--minutes", type=float, default=8, help="for everything (default 8); what is left out is said")
    parser.add_argument("--size", help="of each kind of synthetic data (default 1GB; 100kB with --emulated)")
    parser.add_argument("--kinds", type=kinds_of, metavar="KIND,...", help="some kinds of synthetic data (default all)")
    parser.add_argument("--only", type=parts_of, default=PARTS, metavar="PART,...", help="some of " + ",".join(PARTS))
    parser.add_argument("--emulated", action="store_true", help="compare with an emulated device; no GPU, no figures")
    parser.add_argument("--binary", help="with --emulated: a penstock with the emulated device")
    parser.add_argument("--bench", help="with --emulated: a gpu_bench with the emulated device; does it work?")
    arguments = parser.parse_args(words)
    if arguments.emulated and not arguments.binary:
        parser.error("--emulated needs --binary PATH")
    arguments.size = arguments.size or ("100kB" if arguments.emulated else "1GB")
    try:
        arguments.size_bytes = size_in_bytes(arguments.size)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    return arguments


class Run:
    def __init__(self, arguments, binary, bench):
        self.arguments = arguments
        self.binary = binary
        self.bench = bench
        self.budget = Budget(arguments.minutes)
        self.steps = Steps()
        self.figures = []
        self.left_out = []
        for log in LOGS.glob("gpu-*.log"):
            log.unlink()
        self.compared = {"same": 0, "different": 0, "device_chunks": 0, "host_chunks": 0}

    # --- correctness ------------------------------------------------------------------------------------------------

    def end_comparisons(self, comparisons, left_out, extra=()):
        """Ends the step with what was found."""
        bad = [c for c in comparisons if c.difference]
        device_chunks = sum(c.device_chunks for c in comparisons)
        host_chunks = sum(c.host_chunks for c in comparisons)
        self.compared["same"] += len(comparisons) - len(bad)
        self.compared["different"] += len(bad)
        self.compared["device_chunks"] += device_chunks
        self.compared["host_chunks"] += host_chunks
        notes = [f"{c.job.name}: {c.difference}" for c in bad[:DIFFERENCES_SHOWN]]
        notes += [f"... and {len(bad) - DIFFERENCES_SHOWN} more differ"] if len(bad) > DIFFERENCES_SHOWN else []
        notes.append(f"{len(comparisons)} compared, {len(comparisons) - len(bad)} the same")
        is_idle = device_chunks == 0  # what the CPU has decoded proves nothing about the device
        notes.append(f"chunks: {device_chunks} decoded on the device, {host_chunks} left to the CPU")
        notes += [f"left out: {', '.join(left_out)}"] if left_out else []
        self.left_out += left_out
        self.steps.end("failed" if bad or is_idle else "ok", [*notes, *extra])

    def run_corpus(self, limit, workers):
        self.steps.begin("corpora, CPU against device")
        with tempfile.TemporaryDirectory(prefix="penstock-gpu-check-", dir=scratch_parent(1 << 28)) as scratch:
            jobs = corpus.corpus_jobs(scratch)
            comparisons = compare_all(self.binary, jobs, scratch, time.monotonic() + limit, workers)
        late = [f"{len(jobs) - len(comparisons)} of {len(jobs)} corpus cases"] if len(comparisons) < len(jobs) else []
        self.end_comparisons(comparisons, late)

    def run_kinds(self, limit):
        size = self.arguments.size
        self.steps.begin(f"synthetic data, {size} of each kind, CPU against device")
        try:
            found = kinds.run_kinds(self.binary, self.arguments, time.monotonic() + limit)
        except (RuntimeError, OSError, ValueError) as error:
            return self.steps.end("failed", [str(error)])
        comparisons, figures, left_out = found
        self.figures += figures
        return self.end_comparisons(comparisons, left_out)

    def run_tests(self, limit):
        program = build.program("gpu_tests")
        if program is None:
            lacks = "GoogleTest (scripts/vendor)" if not build.has_googletest() else "its place in tests/"
            self.left_out.append("gpu_tests")
            return self.steps.leave_out("gpu_tests", f"not built for lack of {lacks}")
        self.steps.begin("gpu_tests")
        ended = run_logged("gpu-tests.log", [program, "--gtest_brief=1"], limit)
        last = [line for line in ended.output.splitlines() if line.strip()][-3:]
        if ended.is_ok:
            return self.steps.end("ok", last)
        return self.steps.end("failed", [ended.words(limit), *errors_in(ended.output)])

    # --- figures ----------------------------------------------------------------------------------------------------

    def run_figures(self, limit, words=()):
        end = time.monotonic() + limit
        for section in SECTIONS:
            left = end - time.monotonic()
            if left < 8:
                self.left_out.append(f"figures: {section}")
                self.steps.leave_out(f"figures: {section}", "no time was left")
                continue
            self.steps.begin(f"figures: {section}")
            found = run_section(self.bench, section, min(left, SECTION_SECONDS_MAX.get(section, 45)), words)
            figures, failed, left_out = found
            self.figures += figures
            self.left_out += left_out
            notes = [*failed[:DIFFERENCES_SHOWN], *([f"left out: {', '.join(left_out)}"] if left_out else [])]
            self.steps.end("failed" if failed else "ok", [*notes, f"{len(figures)} figures"])

    # --- sanitizer --------------------------------------------------------------------------------------------------

    def run_sanitizer(self, nvcc):
        tool, program = sanitizer.find_tool(nvcc), build.program("gpu_tests")
        for number, name in enumerate(sanitizer.TOOLS):
            if tool is None or program is None:
                why = "compute-sanitizer is not installed" if tool is None else "gpu_tests was not built"
                self.steps.leave_out(f"compute-sanitizer {name}", why)
                continue
            self.steps.begin(f"compute-sanitizer {name} of gpu_tests")
            share = self.budget.left() / (len(sanitizer.TOOLS) - number) - 5
            clean, found, left_out = sanitizer.run_sanitizer(tool, name, program, time.monotonic() + share, 30)
            notes = [*found, f"{len(clean)} suites clean" + (f", left out: {', '.join(left_out)}" if left_out else "")]
            self.left_out += [f"{name} of {suite}" for suite in left_out]
            self.steps.end("failed" if found else "ok" if clean else "left out", notes)


def run_emulated(arguments):
    run = Run(arguments, Path(arguments.binary).resolve(), arguments.bench and Path(arguments.bench).resolve())
    if "corpus" in arguments.only:
        run.run_corpus(run.budget.left(), JOBS)
    if "kinds" in arguments.only:
        run.run_kinds(run.budget.left())
    if run.bench and "figures" in arguments.only:
        run.run_figures(run.budget.left(), ("--quick",))
        text = report_text(report_of(run, {"gpu": "emulated"}))
        say(f"   the report has {len(text.splitlines())} lines")
    failed = run.steps.failed
    say(f"gpu_check: {'failed: ' + ', '.join(failed) if failed else 'all the same'}")
    return 1 if failed else 0


def report_of(run, machine):
    return {
        "schema_version": 1,
        "machine": machine,
        "options": {"minutes": run.arguments.minutes, "size": run.arguments.size, "only": list(run.arguments.only)},
        "steps": [vars(step) for step in run.steps.all],
        "compared": run.compared,
        "figures": run.figures,
        "left_out": run.left_out,
    }


def run_parts(run, nvcc):
    """What there is time for: each part leaves some to those behind it."""
    parts = {
        "tests": (90, 60, run.run_tests),
        "corpus": (50, 90, lambda limit: run.run_corpus(limit, min(JOBS, WORKERS_ON_GPU))),
        "kinds": (130, 100, run.run_kinds),
        "figures": (150, 10, run.run_figures),
        "sanitizer": (600, 0, lambda limit: run.run_sanitizer(nvcc)),
    }
    for name, (seconds_max, keep, start) in parts.items():
        limit = run.budget.limit(seconds_max, keep)
        if name not in run.arguments.only:
            continue
        if limit < PART_SECONDS_MIN:
            run.left_out.append(name)
            run.steps.leave_out(name, "no time was left")
        else:
            start(limit)


def run_on_gpu(arguments):
    found, problem = device.find_device()
    nvcc = device.find_nvcc()
    if found and nvcc:
        problem = device.driver_problem(found, device.nvcc_version(nvcc))
    if problem:
        print(f"gpu_check: no usable GPU here: {problem}", file=sys.stderr)
        return NO_GPU
    lacks = [] if nvcc else ["nvcc (CUDACXX names it where it is not on PATH)"]
    lacks += build.missing()
    if lacks:
        print(f"gpu_check: cannot build without {', '.join(lacks)}", file=sys.stderr)
        return 1
    machine = device.machine(found, nvcc)
    say(f"{found['name']}, compute capability {found['capability'] / 10}, driver for CUDA {found['driver_cuda']}, "
        f"nvcc {machine['nvcc']}, {JOBS} cores, at most {arguments.minutes:g} minutes")
    run = Run(arguments, None, None)
    if build.build_all(run.steps, run.budget, nvcc, device.architecture_for(nvcc, found["capability"])):
        run.binary, run.bench = build.program("penstock"), build.program("gpu_bench")
        run_parts(run, nvcc)
    machine["nvidia_smi_after"] = device.nvidia_smi(found)
    return write_report(report_of(run, machine), os.environ.get("OUT"))


def main(words):
    arguments = arguments_of(words)
    return run_emulated(arguments) if arguments.emulated else run_on_gpu(arguments)
