"""Converting the same input on the CPU and on the device: everything that can be seen must be the same."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .steps import end_session

CONVERSION_SECONDS_MAX = 60
HANGS_MAX = 3  # conversions that did not end; then no more are begun
BLOCK_BYTES = 1 << 22
MANIFEST_SUFFIX = ".manifest.json"
# The summary, behind the size of the output: how long it took, and how fast that was.
TIME_IN_SUMMARY = re.compile(r"^(ok  .*?\([^)]*\)), .*$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One conversion: `penstock convert WORDS -o OUTPUT`."""

    name: str
    words: tuple
    outputs: tuple = ("out.rec",)  # the first that the CPU can write is compared
    device_words: tuple = ()  # for the device alone; they must not matter
    cpu_words: tuple = ()


@dataclass
class Converted:
    """What a conversion was seen to do."""

    status: int | None
    summary: dict  # of --json; empty if there is none
    errors: str
    files: dict  # path in the folder: path
    seconds: float
    engine: dict = field(default_factory=dict)


@dataclass
class Comparison:
    """How two conversions differ (empty: they do not), and how the device's was made."""

    job: Job
    difference: str
    output: str = ""
    device_chunks: int = 0
    host_chunks: int = 0
    cpu: Converted | None = None
    device: Converted | None = None


def convert(binary, job, output, device, folder):
    """Runs in `folder`, which is empty, so that all names that are printed are the same in every folder."""
    command = [str(binary), "convert", *job.words, "-o", output, "--json", "--device", device]
    command += job.cpu_words if device == "cpu" else job.device_words
    started = time.monotonic()
    child = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, errors = child.communicate(timeout=CONVERSION_SECONDS_MAX)
        status = child.returncode
    except subprocess.TimeoutExpired:
        end_session(child)
        out, errors, status = b"", b"", None
    seconds = time.monotonic() - started
    try:
        summary = json.loads(out) if out.strip() else {}
    except ValueError:
        summary = {"output": out.decode("utf-8", "replace")}
    engine = summary.pop("engine", {})
    files = {str(path.relative_to(folder)): path for path in sorted(Path(folder).rglob("*")) if path.is_file()}
    said = TIME_IN_SUMMARY.sub(r"\1", errors.decode("utf-8", "replace"))
    return Converted(status, summary, said, files, seconds, engine)


def first_difference(one, other):
    """The offset of the first byte in which two files differ; None if they are the same."""
    with open(one, "rb") as a, open(other, "rb") as b:
        offset = 0
        while True:
            left, right = a.read(BLOCK_BYTES), b.read(BLOCK_BYTES)
            if left != right:
                size = min(len(left), len(right))
                same = next((i for i in range(size) if left[i] != right[i]), size)
                return offset + same
            if not left:
                return None
            offset += len(left)


def manifest_of(path):
    """What a manifest says, but the options, of which --device is one."""
    manifest = json.loads(path.read_text())
    manifest.pop("options", None)
    return manifest


def file_difference(cpu, device):
    if cpu.files.keys() != device.files.keys():
        return f"files: {', '.join(cpu.files) or 'none'} on the CPU, {', '.join(device.files) or 'none'} on the device"
    for name, path in cpu.files.items():
        if name.endswith(MANIFEST_SUFFIX):
            if manifest_of(path) != manifest_of(device.files[name]):
                return f"{name} differs"
            continue
        offset = first_difference(path, device.files[name])
        if offset is not None:
            sizes = f"{path.stat().st_size} and {device.files[name].stat().st_size} bytes"
            return f"{name} differs from byte {offset} on ({sizes})"
    return ""


def line_difference(what, cpu, device):
    left, right = cpu.splitlines(), device.splitlines()
    for number in range(max(len(left), len(right))):
        a = left[number] if number < len(left) else "nothing"
        b = right[number] if number < len(right) else "nothing"
        if a != b:
            at = max(0, len(os.path.commonprefix((a, b))) - 40)
            shown = [("..." if at else "") + line[at : at + 80] for line in (a, b)]
            return f"{what}, line {number + 1}: {shown[0]!r} on the CPU, {shown[1]!r} on the device"
    return ""


def difference(cpu, device):
    """In words; empty if there is none. How long it took, and on what, may differ."""
    if cpu.status is None or device.status is None:
        return f"did not end within {CONVERSION_SECONDS_MAX} s on the {'CPU' if cpu.status is None else 'device'}"
    if cpu.status != device.status:
        last = (device.errors.strip().splitlines() or [""])[-1]
        return f"exit status {cpu.status} on the CPU, {device.status} on the device ({last})"
    found = line_difference("standard error", cpu.errors, device.errors)
    left = {key: value for key, value in cpu.summary.items() if key != "seconds"}
    right = {key: value for key, value in device.summary.items() if key != "seconds"}
    for key in left | right:
        if not found and left.get(key) != right.get(key):
            found = f"{key} of the summary: {left.get(key)} on the CPU, {right.get(key)} on the device"
    return found or file_difference(cpu, device)


def empty_folder(parent, name):
    folder = Path(parent) / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def compare(binary, job, folder):
    """Converts on both, in folders of `folder` that are left behind."""
    for output in job.outputs:
        cpu = convert(binary, job, output, "cpu", empty_folder(folder, "cpu"))
        if cpu.status in (0, 1):
            break
    device = convert(binary, job, output, "cuda", empty_folder(folder, "cuda"))
    chunks = (device.engine.get("device_chunks") or 0, device.engine.get("host_chunks") or 0)
    return Comparison(job, difference(cpu, device), output, *chunks, cpu, device)


def compare_all(binary, jobs, parent, deadline, workers):
    """Comparisons of all jobs that could be begun before `deadline` (of time.monotonic()), several at a time."""

    hangs = []

    def one(job):
        if time.monotonic() > deadline or len(hangs) >= HANGS_MAX:
            return None
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            comparison = compare(binary, job, folder)
        if comparison.device.status is None:
            hangs.append(job)
        comparison.cpu.files = comparison.device.files = {}
        return comparison

    with ThreadPoolExecutor(workers) as pool:
        return [comparison for comparison in pool.map(one, jobs) if comparison is not None]


def scratch_parent(bytes_wanted):
    """The folder for large files: memory where there is enough of it, so that no disk is measured."""
    for folder in (os.environ.get("TMPDIR"), "/dev/shm", "/tmp"):
        if folder and os.path.isdir(folder) and shutil.disk_usage(folder).free > bytes_wanted:
            return folder
    return None
