"""Running gpu_bench: what it printed, whatever became of it."""

import json

from .steps import run_logged

# In the order in which they are wanted most. `overlap` comes late: there a decoder is given text in device memory.
SECTIONS = ("copies", "kernels", "tensors", "encode", "latency", "cut", "normalize", "feed", "overlap", "slots")
SECTION_SECONDS_MAX = {"slots": 60}


def lines_of(output):
    for line in output.splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except ValueError:
                continue  # the program was stopped in the middle of it


def name_of(line):
    name = f"{line['section']} {line['input']}"
    if line["slot_bytes"]:
        name += f", {line['slot_bytes'] >> 20} MiB"
    return name + (f", {line['lanes']} lanes" if line["lanes"] > 1 else "")


def run_section(program, section, limit, words=()):
    """(figures, what failed, what was left out) of one section."""
    soft = max(1, limit - 5)  # it stops by itself before it is stopped
    command = [program, section, "--limit", f"{soft:.0f}", *words]
    ended = run_logged("gpu-bench.log", command, limit)
    figures, failed, left_out = [], [], []
    for line in lines_of(ended.output):
        if "runs" in line:
            figures.append(line)
        elif "failed" in line:
            failed.append(f"{name_of(line)}: {line['failed']}")
        else:
            left_out.append(name_of(line))
    if ended.status is None:
        left_out.append(f"the rest of {section}: {ended.words(limit)}")
    elif not ended.is_ok:
        last = [line for line in ended.output.splitlines() if line.strip() and not line.startswith("{")]
        failed.append(f"{section}: {ended.words()} {last[-1][:300] if last else ''}".strip())
    return figures, failed, left_out
