"""Synthetic data of every kind of `penstock synth` as conversions, and how fast files become RecordIO files."""

import os
import resource
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .compare import Job, compare, convert, empty_folder, scratch_parent

WRITE_BLOCK_BYTES = 16 << 20
# Sizes of slots on the device, which must not matter: usual, an odd one, and small ones where there is little text.
SLOTS = {"out.rec": (), "out.npz": ("--slot-size", "3000017")}
SMALL_SLOTS = {"out.rec": ("--slot-size", "16KiB"), "out.npz": ("--slot-size", "9973")}
SMALL_TEXT_BYTES = 16 << 20
CUT = ("--device-cut", "on")


@dataclass(frozen=True)
class Kind:
    """A kind of `penstock synth`, and how its files are read."""

    name: str
    suffix: str
    synth: tuple = ()
    words: tuple = ()
    outputs: tuple = ("out.rec", "out.npz")  # each is compared
    policies: tuple = ("fail",)
    is_timed: bool = False
    cuts: tuple = ()  # CSV: outputs for which the device cuts it, which must not matter
    normalize: str = ""  # transforms between decoder and encoder
    small_slot: str = ""  # where there is little text: records that are longer than the usual ones need it

    def jobs(self, path):
        slots = SMALL_SLOTS if path.stat().st_size < SMALL_TEXT_BYTES else SLOTS
        for policy in self.policies:
            for output in self.outputs:
                title = f"{self.name} -> {output}" + (f" ({policy})" if len(self.policies) > 1 else "")
                title += ", normalised" if self.normalize else ""
                transforms = ("--normalize", self.normalize) if self.normalize else ()
                sizes = slots[output]
                if self.small_slot and slots is SMALL_SLOTS:
                    sizes = ("--slot-size", self.small_slot)
                if output in self.cuts:
                    sizes = (*sizes, *CUT)
                yield Job(title, (str(path), *self.words, *transforms, "--on-error", policy), (output,), sizes)


DIRTY = ("skip", "quarantine")
QID = ("--label", "label", "--qid", "query")
TRANSFORMS = (
    "standardize; 1:4=power(0.5); 5=min-max; 6=clip(0.01,0.99); 7:9=bucketize(10); "
    "10=impute(median,indicator)+robust; 25:27=log1p"
)
WORDS = "standardize; title=ordinal(limit=1000, unknown=other); comment=hash(12)"
FIVE_OF_20_KEYS = "price,count,rating,latitude,is_gift"
# Those that say most come first: there may not be time for all.
KINDS = (
    Kind("higgs", ".csv", words=("--label", "0"), is_timed=True, cuts=("out.npz",)),
    Kind("dirty", ".csv", words=("--label", "0"), outputs=("out.rec",), policies=DIRTY, is_timed=True),
    Kind("libsvm", ".libsvm", words=("--index-base", "1", "--num-features", "1000000"), is_timed=True),
    Kind("compact", ".csv", words=("--label", "0"), is_timed=True),
    Kind("deepar", ".jsonl", outputs=("out.npz",), small_slot="40KiB"),
    Kind("objects", ".jsonl", words=("--from", "objects", "--columns", FIVE_OF_20_KEYS), is_timed=True),
    Kind("recordio", ".rec"),
    Kind("higgs", ".csv", words=("--label", "0"), outputs=("out.rec",), normalize=TRANSFORMS),
    Kind("dirty", ".csv", words=("--label", "0"), outputs=("out.npz",), policies=("skip",), normalize="robust"),
    Kind("quoted", ".csv", synth=("--header",), words=("--label", "label"), outputs=("out.rec",), normalize=WORDS),
    Kind("dirty-libsvm", ".libsvm", words=("--index-base", "1", "--num-features", "1000"), policies=DIRTY),
    Kind(
        "quoted",
        ".csv",
        synth=("--header",),
        words=("--label", "label", "--ignore", "title,comment"),
        is_timed=True,
        cuts=("out.rec",),
    ),
    Kind("recordio-sparse", ".rec"),
    Kind("wide", ".csv", words=("--label", "0")),
    Kind("dirty", ".csv", synth=("--header",), words=QID, outputs=("out.npz",), policies=DIRTY, cuts=("out.npz",)),
)


def make(binary, kind, size, folder):
    """A file of the kind; None and why if it cannot be made."""
    path = Path(folder) / f"in{kind.suffix}"
    command = [str(binary), "synth", kind.name, "--size", size, "-o", str(path), "-f", "-q", *kind.synth]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    return (path, None) if made.returncode == 0 else (None, made.stderr.strip())


def check_chunks(comparison):
    """A file that the device has not decoded at all proves nothing about the device."""
    is_idle = comparison.device_chunks == 0 and comparison.device.status == 0
    if not comparison.difference and is_idle:
        comparison.difference = f"no chunk was decoded on the device ({comparison.host_chunks} on the CPU)"


def compare_kind(binary, kind, size, folder, deadline):
    """Comparisons of one kind's file, the file itself, and what there was no time for."""
    path, problem = make(binary, kind, size, folder)
    if problem:
        raise RuntimeError(f"penstock synth {kind.name}: {problem}")
    done, left_out = [], []
    for job in kind.jobs(path):
        if time.monotonic() > deadline:
            left_out.append(job.name)
            continue
        comparison = compare(binary, job, folder)
        check_chunks(comparison)
        done.append(comparison)
    return path, done, left_out


def storage_rate(folder, size_bytes):
    """GB/s at which one process writes to a file there: less than a conversion's output can have of it."""
    block = os.urandom(1 << 20) * (WRITE_BLOCK_BYTES >> 20)
    path = Path(folder) / "storage"
    count = max(1, min(size_bytes, 1 << 30) // WRITE_BLOCK_BYTES)
    begin = time.monotonic()
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(block)
        os.fsync(file.fileno())
    seconds = time.monotonic() - begin
    path.unlink()
    return count * WRITE_BLOCK_BYTES / seconds * 1e-9


def figure(kind, unit, runs, details):
    place = {"section": "file", "input": kind.name, "slot_bytes": 0, "lanes": 0}
    return {**place, "unit": unit, "runs": runs, "details": details}


def pinned_bytes(binary, job, folder):
    """Text and rounds of a conversion, as its plan says."""
    planned = Job(job.name, (*job.words, "--dry-run"))
    return convert(binary, planned, "out.rec", "cuda", empty_folder(folder, "cuda")).summary["memory"]["total_bytes"]


def time_file(binary, kind, path, folder, memory, words=(), repeat=5):
    """Figures of file to RecordIO file on the device, page cache warm."""
    policy = kind.policies[0]
    memory_words = ("--memory", memory) if memory else ()
    job = Job(kind.name, (str(path), *kind.words, "--on-error", policy, *memory_words, *words), ("out.rec",))
    rates, starts, cores, last = [], [], [], None
    for run in range(repeat + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        last = convert(binary, job, "out.rec", "cuda", empty_folder(folder, "cuda"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if last.status != 0:
            raise RuntimeError(f"status {last.status}: {last.errors.strip()[-300:]}")
        if run == 0:
            continue
        seconds = last.summary["seconds"]
        rates.append(path.stat().st_size / seconds * 1e-9)
        starts.append(last.seconds - seconds)
        cores.append((after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / last.seconds)
    details = {
        "text bytes": path.stat().st_size,
        "output bytes": last.summary["output_bytes"],
        "seconds beside": statistics.median(starts),
        "cores": statistics.median(cores),
        "memory": memory or "as by default",
        "cut": " ".join(words),
        "pinned bytes": pinned_bytes(binary, job, folder),
        "device chunks": last.engine.get("device_chunks"),
        "host chunks": last.engine.get("host_chunks"),
        "peak resident bytes, most of any child": 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }
    return figure(kind, "GB/s", rates, details)


def time_cpu(kind, path, comparison):
    """The one conversion on the CPU that a comparison made anyway."""
    seconds = comparison.cpu.summary["seconds"]
    return {**figure(kind, "GB/s", [path.stat().st_size / seconds * 1e-9], {}), "section": "file_cpu"}


def run_kinds(binary, arguments, deadline):
    """(comparisons, figures, what was left out). One kind at a time, whose files are gone behind it."""
    comparisons, figures, left_out = [], [], []
    size, size_bytes, is_timed = arguments.size, arguments.size_bytes, not arguments.emulated
    kinds = [kind for kind in KINDS if arguments.kinds is None or kind.name in arguments.kinds]
    parent = scratch_parent(12 * size_bytes + (1 << 30)) or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="penstock-gpu-check-", dir=parent) as folder:
        if is_timed:
            figures.append(storage_figure(folder, size_bytes))
        for kind in kinds:
            if time.monotonic() > deadline:
                left_out.append(kind.name)
                continue
            path, done, late = compare_kind(binary, kind, size, folder, deadline)
            comparisons += done
            left_out += late
            if is_timed and kind.is_timed and all(not c.difference for c in done):
                figures += timed(binary, kind, path, folder, done, deadline, left_out)
            for comparison in done:
                comparison.cpu.files = comparison.device.files = {}
            path.unlink()
    return comparisons, figures, left_out


def storage_figure(folder, size_bytes):
    rates = [storage_rate(folder, size_bytes) for _ in range(3)]
    details = {"folder": str(folder)}
    place = {"section": "file", "input": "storage", "slot_bytes": 0, "lanes": 0}
    return {**place, "unit": "GB/s", "runs": rates, "details": details}


def timed(binary, kind, path, folder, done, deadline, left_out):
    figures = []
    rec = [c for c in done if c.output == "out.rec" and c.cpu.status == 0]
    if rec:
        figures.append(time_cpu(kind, path, rec[0]))
    for memory, words in ((None, ()), ("2GiB", ()), *([("2GiB", CUT)] if kind.cuts else [])):
        if time.monotonic() > deadline:
            chosen = ("--memory", memory, *words) if memory else words
            left_out.append(" ".join([f"file to RecordIO, {kind.name}", *chosen]))
            continue
        figures.append(time_file(binary, kind, path, folder, memory, words))
    return figures
