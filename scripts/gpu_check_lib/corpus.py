"""The golden inputs of formats/*/corpus as conversions. What their expectations mean: the README of each corpus."""

from pathlib import Path

from .compare import Job
from .steps import ROOT

# The lines of an expectation that say how a case is read. The tests of all but CSV have a limit of their own.
JSON_LINES = ("deepar", "jsonl", "objects", "object2vec")
RECORD_MAX = {"libsvm": 65536, "recordio": 65536} | dict.fromkeys(JSON_LINES, 65536)
SUFFIXES = {"csv": ".csv", "libsvm": ".libsvm", "recordio": ".hex"} | dict.fromkeys(JSON_LINES, ".jsonl")
OUTPUTS = ("out.rec", "out.npz", "out.csv", "out.libsvm")
# On the device, for files of some hundred bytes: chunks that end within and between records, and one that holds all.
SLOTS = ("64", "97", "4096", "1MiB")


def shell_words(text):
    """Words apart by blanks; what stands in '...' is one word or part of one."""
    words, is_open, is_quoted = [], False, False
    for c in text:
        if c == "'":
            is_quoted = not is_quoted
            if not is_open:
                words.append("")
            is_open = True
        elif c == " " and not is_quoted:
            is_open = False
        else:
            if not is_open:
                words.append("")
            is_open = True
            words[-1] += c
    return words


def expectation(path):
    """(options, the most bytes of a record) of a case."""
    options, record_max = [], None
    for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        word, _, rest = line.partition(" ")
        if word == "options":
            options = shell_words(rest)
        elif word == "record_max":
            record_max = int(rest)
    return options, record_max


def bytes_of_hex(text):
    """Hex digits and blanks; `#` begins a comment that goes to the line's end."""
    return bytes(int(word, 16) for line in text.splitlines() for word in line.split("#")[0].split())


def input_of(path, scratch):
    """The case's input, and where it is in hex, a file of its bytes."""
    if path.suffix != ".hex":
        return path
    made = Path(scratch) / f"{path.parent.name}-{path.stem}.rec"
    made.write_bytes(bytes_of_hex(path.read_text()))
    return made


def jobs_of(case, name, scratch, slot, cuts):
    options, record_max = expectation(case.with_suffix(".expect"))
    record_max = record_max or RECORD_MAX.get(name)
    words = [str(input_of(case, scratch)), "--from", name, *options]
    if record_max is not None and "--max-record-size" not in options:
        words += ["--max-record-size", str(max(64, record_max))]
    title = f"{name}/{case.parent.name}/{case.stem}"
    if "--on-error" in options:
        policies = (None,)
    else:
        policies = ("quarantine", "fail") if case.parent.name == "fail" else ("fail",)
    for policy in policies:
        chosen = ["--on-error", policy] if policy else []
        on_device = ("--slot-size", slot, *(("--device-cut", "on") if cuts else ()))
        yield Job(title + (f" ({policy})" if policy else ""), (*words, *chosen), OUTPUTS, on_device)


def corpus_jobs(scratch):
    """All cases; which slots the device gets goes round. Formats take turns, and what is run a second time with another
    policy comes last: there may not be time for all."""
    found = []
    for name, suffix in SUFFIXES.items():
        for number, case in enumerate(sorted((ROOT / "formats" / name / "corpus").glob(f"*/*{suffix}"))):
            cuts = name == "csv" and number // len(SLOTS) % 2 == 1
            jobs = jobs_of(case, name, scratch, SLOTS[number % len(SLOTS)], cuts)
            found += [(again, number, job) for again, job in enumerate(jobs)]
    return [job for _, _, job in sorted(found, key=lambda one: one[:2])]
