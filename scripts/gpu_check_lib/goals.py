"""What the CUDA engine shall reach, and what it was measured to reach."""

import statistics
from dataclasses import dataclass

STRUCTURE = ("find_fields",)  # the kernel that finds where CSV's fields end
MIB = 1 << 20


class Figures:
    """Figures by what was measured."""

    def __init__(self, figures):
        self.all = figures

    def of(self, section, name, lanes=None):
        return [
            f for f in self.all if f["section"] == section and f["input"] == name and lanes in (None, f["lanes"])
        ]

    def one(self, section, name, lanes=None, slot_bytes=None):
        found = [f for f in self.of(section, name, lanes) if slot_bytes in (None, f["slot_bytes"])]
        return found[0] if found else None

    def value(self, section, name, lanes=None, slot_bytes=None):
        found = self.one(section, name, lanes, slot_bytes)
        return median(found) if found else None

    def copy(self, name):
        """The best of the sizes of pieces."""
        return max((median(f) for f in self.of("copies", name)), default=None)

    def without_copy(self, figure):
        """What kernels of overlapping lanes do, whose text came by a copy within the device: its time taken off."""
        copies = self.copy("device_memory")
        if not copies:
            return None
        left = 1 / median(figure) - 2 / copies
        return 1 / left if left > 0 else None


def median(figure):
    return statistics.median(figure["runs"])


@dataclass
class Result:
    """A goal and what was measured; `value` is None if nothing was."""

    what: str
    goal: str
    value: float | None = None
    shown: str = "not measured"
    where: str = ""
    is_reached: bool | None = None


def at(figure):
    lanes = f"{figure['lanes']} lanes" if figure["lanes"] > 1 else "one slot alone"
    return f"{lanes}, slots of {figure['slot_bytes'] / MIB:g} MiB" if figure["slot_bytes"] >= MIB else lanes


def best(candidates):
    """The (value, where) with the largest value."""
    return max((c for c in candidates if c[0] is not None), default=(None, ""), key=lambda c: c[0])


def at_least(what, goal, candidates, unit="GB/s"):
    value, where = best(candidates)
    result = Result(what, f">= {goal:,} {unit}", value)
    if value is not None:
        result.shown, result.where, result.is_reached = f"{value:,.0f} {unit}", where, value >= goal
    return result


def kernels(figures, what, name, goal):
    candidates = [(median(f), at(f)) for f in figures.of("kernels", name)]
    candidates += [(figures.without_copy(f), at(f)) for f in figures.of("overlap", name)]
    return at_least(f"kernels, {what}", goal, candidates)


def structure(figures, what, name, goal):
    candidates = []
    for figure in figures.of("kernels", name):
        candidates += [(figure["details"].get(f"GB/s {kernel}"), at(figure)) for kernel in STRUCTURE]
    return at_least(f"CSV structure, {what}", goal, candidates)


def tensors(figures, name):
    result = Result(f"pinned host to device tensor, {name}", ">= 95 % of the copy, <= 1 core")
    link = figures.copy("host_to_device")
    found = [f for f in figures.of("tensors", name) if f["lanes"] > 1]
    if not link or not found:
        return result
    figure = max(found, key=median)
    share, cores = median(figure) / link, figure["details"]["cores"]
    result.value, result.where = share, at(figure)
    result.shown = f"{median(figure):.1f} GB/s, {share:.0%} of {link:.1f}, {cores:.2f} cores"
    result.is_reached = share >= 0.95 and cores <= 1
    return result


def bound_of_file(figures, figure):
    """GB/s of text that the link, both ways at once, and the storage allow; None if they were not measured."""
    both, storage = figures.copy("both_ways"), figures.value("file", "storage")
    if not both or not storage:
        return None
    text, output = figure["details"]["text bytes"], figure["details"]["output bytes"]
    return min(both / 2 * text / max(text, output), storage * text / output)


def files(figures, name):
    result = Result(f"file to RecordIO file, {name}", ">= 90 % of the link both ways, or the storage")
    found = figures.of("file", name)
    if not found:
        return result
    figure = max(found, key=median)
    bound = bound_of_file(figures, figure)
    result.value = median(figure)
    result.where = f"--memory {figure['details']['memory']} {figure['details'].get('cut', '')}".strip()
    result.shown = f"{result.value:.1f} GB/s"
    if bound:
        result.shown += f", {result.value / bound:.0%} of {bound:.1f}"
        result.is_reached = result.value >= 0.9 * bound
    return result


def latency(figures, name):
    result = Result(f"1 MiB, p50, {name}", "<= 60 us")
    figure = figures.one("latency", name)
    if figure:
        details = figure["details"]
        result.value = details["p50"]
        result.shown = f"{details['p50']:.0f} us (p99 {details['p99']:.0f})"
        result.where, result.is_reached = "polling", details["p50"] <= 60
    return result


def feeding(figures, name):
    result = Result(f"a training step fed with 5 GB/s, {name}", "<= 2 % slower")
    value = figures.value("feed", name)
    if value is not None:
        result.value, result.shown, result.is_reached = value, f"{value:.1f} %", value <= 2
    return result


def bad_records(figures, section, bad, clean, lanes):
    result = Result(f"1 % bad records, {section}, {clean}", "cost <= 5 %")
    one, other = figures.value(section, clean, lanes), figures.value(section, bad, lanes)
    if one and other:
        result.value = 1 - other / one
        result.shown, result.is_reached = f"{result.value:.1%} ({one:.0f} to {other:.0f} GB/s)", result.value <= 0.05
    return result


def results(all_figures):
    figures = Figures(all_figures)
    return [
        structure(figures, "plain", "higgs", 2000),
        structure(figures, "quotes", "higgs_quoted", 1500),
        kernels(figures, "HIGGS-like", "higgs", 600),
        kernels(figures, "HIGGS-like in quotes", "higgs_quoted", 450),
        kernels(figures, "compact", "compact", 420),
        kernels(figures, "compact in quotes", "compact_quoted", 400),
        kernels(figures, "wide integers", "wide", 280),
        kernels(figures, "libsvm, 13.9 bytes a pair", "libsvm", 350),
        kernels(figures, "libsvm, 5 bytes a pair", "libsvm_short", 220),
        kernels(figures, "lists of numbers in DeepAR lines", "deepar", 300),
        kernels(figures, "flat objects, 5 of 20 keys", "objects", 250),
        at_least("RecordIO encode, bytes written", 1000, [(median(f), at(f)) for f in figures.of("encode", "higgs")]),
        tensors(figures, "higgs"),
        tensors(figures, "compact"),
        tensors(figures, "libsvm"),
        tensors(figures, "deepar"),
        tensors(figures, "objects"),
        *(files(figures, name) for name in ("higgs", "compact", "libsvm", "objects")),
        *(latency(figures, name) for name in ("higgs", "compact", "libsvm")),
        feeding(figures, "higgs"),
        bad_records(figures, "kernels", "higgs_bad", "higgs", 1),
        bad_records(figures, "kernels", "dirty", "dirty_clean", 1),
        bad_records(figures, "tensors", "higgs_bad", "higgs", 3),
        bad_records(figures, "tensors", "dirty", "dirty_clean", 3),
    ]
