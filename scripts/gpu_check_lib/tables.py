"""Tables of a report, in Markdown that can be read as it is."""

from .goals import MIB, Figures, median, results

VERDICTS = {True: "reached", False: "missed", None: ""}


def table(head, rows):
    """Columns as wide as what stands in them; empty without rows."""
    if not rows:
        return []
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:], ""]


def spread(figure, digits=0):
    """`median (min to max)`."""
    if figure is None:
        return ""
    runs = figure["runs"]
    return f"{median(figure):,.{digits}f} ({min(runs):,.{digits}f} to {max(runs):,.{digits}f})"


def short(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def inputs_of(figures, *sections):
    """In the order in which they were measured."""
    return list(dict.fromkeys(f["input"] for f in figures.all if f["section"] in sections))


def goal_table(report):
    rows = [(r.what, r.goal, r.shown, r.where, VERDICTS[r.is_reached]) for r in results(report["figures"])]
    return table(("figure", "goal", "measured", "with", ""), rows)


def copy_table(figures):
    rows = [
        (f["input"].replace("_", " "), f"{f['slot_bytes'] / MIB:g} MiB", spread(f, 1))
        for f in figures.all
        if f["section"] == "copies"
    ]
    return table(("copies, GB/s", "pieces", "median (min to max)"), rows)


def shares(figure):
    found = [(value, name[6:]) for name, value in figure["details"].items() if name.startswith("share ")]
    return ", ".join(f"{name} {value:.0%}" for value, name in sorted(found, reverse=True)[:5])


def slot_of(figures, section):
    """The size of slot that most figures of a section have."""
    sizes = [f["slot_bytes"] for f in figures.all if f["section"] == section]
    return max(sizes, key=sizes.count, default=None)


def kernel_table(figures):
    slot = slot_of(figures, "kernels")
    rows = []
    for name in inputs_of(figures, "kernels", "overlap"):
        alone = figures.one("kernels", name, slot_bytes=slot)
        lanes = [figures.one("overlap", name, n, slot) for n in (1, 2, 3)]
        cells = [f"{short(median(f))} / {short(figures.without_copy(f))}" if f else "" for f in lanes]
        launches = short(alone["details"].get("launches a chunk"), 1) if alone else ""
        rows.append((name, spread(alone), *cells, launches, shares(alone) if alone else ""))
    head = ("kernels, GB/s", "one slot alone", "1 lane", "2 lanes", "3 lanes", "launches", "share of kernels' time")
    return table(head, rows)


def tensor_table(figures):
    slot = slot_of(figures, "tensors")
    rows = []
    for name in inputs_of(figures, "tensors"):
        lanes = [figures.one("tensors", name, n, slot) for n in (1, 2, 3)]
        last = lanes[2]
        cores = short(last["details"]["cores"], 2) if last else ""
        device = f"{last['details']['device bytes'] / 3 / MIB:,.0f}" if last else ""
        rows.append((name, *(spread(f, 1) for f in lanes), cores, device))
    head = ("pinned text to device tensors, GB/s", "1 lane", "2 lanes", "3 lanes", "cores", "device MiB a lane")
    return table(head, rows)


def slot_table(figures):
    sizes = sorted({f["slot_bytes"] for f in figures.all if f["section"] in ("kernels", "tensors")})
    if len(sizes) < 2:
        return []
    rows = []
    for section, lanes, words in (("kernels", 1, "kernels alone"), ("tensors", 3, "to tensors, 3 lanes")):
        for name in inputs_of(figures, section):
            cells = [short(figures.value(section, name, lanes, size), 1) for size in sizes]
            if sum(1 for cell in cells if cell) > 1:
                rows.append((f"{name}, {words}", *cells))
    return table(("slots of, MiB", *(f"{size / MIB:g}" for size in sizes)), rows)


def encode_table(figures):
    rows = [(f["input"], spread(f), shares(f)) for f in figures.all if f["section"] == "encode"]
    return table(("tensors to RecordIO on the device, GB/s written", "kernels", "share"), rows)


def latency_table(figures):
    rows = []
    for f in figures.all:
        if f["section"].startswith("latency"):
            d = f["details"]
            how = "polling" if f["section"] == "latency" else "asleep"
            rows.append((f["input"], how, short(d["p50"], 1), short(d["p99"], 1), short(d["least"], 1)))
    return table(("one chunk of 1 MiB, us", "the host waits", "p50", "p99", "least"), rows)


def cut_table(figures):
    rows = []
    for name in inputs_of(figures, "cut", "cut_host"):
        device, host = (spread(figures.one(section, name), 1) for section in ("cut", "cut_host"))
        rows.append((name, device, host))
    head = ("one thread finds where records end, GB/s", "on the device, copy in included", "on the host")
    return table(head, rows)


NORMALIZE_WORDS = {
    "affine": "28 columns, moved and scaled; read and written",
    "six_kinds": "28 columns of six kinds; read and written",
    "moments_28": "summaries of tiles, 28 columns; read",
    "moments_3": "summaries of tiles, 3 columns; read",
    "moments_1000": "summaries of tiles, 1,000 columns; read",
    "words_100": "CSV of one column of words, decoded and looked up among 100; text",
    "words_1000000": "CSV of one column of words, decoded and looked up among 1,000,000; text",
}


def normalize_table(figures):
    rows = [
        (NORMALIZE_WORDS.get(f["input"], f["input"]), spread(f, 1))
        for f in figures.all
        if f["section"] == "normalize"
    ]
    return table(("data on the device, normalised and summarized, GB/s", "kernels"), rows)


def feed_table(figures):
    rows = []
    for f in figures.all:
        if f["section"] == "feed":
            d = f["details"]
            step, rate = short(d.get("ms a step alone"), 2), short(d.get("GB/s of text"), 1)
            rows.append((f["input"], spread(f, 2), step, rate, short(d.get("share waited"), 3)))
    head = ("a training step with a loader's batches", "% slower", "ms alone", "GB/s of text", "share waited")
    return table(head, rows)


def file_table(figures):
    rows = []
    for f in figures.all:
        if f["section"] not in ("file", "file_cpu"):
            continue
        d = f["details"]
        engine = "CPU" if f["section"] == "file_cpu" else "" if f["input"] == "storage" else "GPU"
        beside = short(d.get("seconds beside"), 2)
        engine += ", cut there" if d.get("cut") else ""
        rows.append((f["input"], engine, spread(f, 2), d.get("memory", ""), short(d.get("cores"), 1), beside))
    head = ("file to RecordIO file, GB/s of text", "engine", "median", "--memory", "cores", "s to start and end")
    return table(head, rows)


def machine_lines(report):
    machine = report["machine"]
    device = machine.get("device", {})
    smi = machine.get("nvidia_smi_before", {})
    after = machine.get("nvidia_smi_after", {})
    ecc = {0: "off", 1: "on"}.get(device.get("is_ecc_on"), "unknown")
    lines = [
        f"Machine: {machine['gpu']}, {device.get('memory_bytes', 0) >> 30} GiB, ECC {ecc}, driver "
        f"{smi.get('driver_version', 'unknown')} (CUDA {device.get('driver_cuda')}), nvcc {machine.get('nvcc')}; "
        f"{machine.get('processor')}, {machine.get('cores')} cores, {machine.get('memory_bytes', 0) >> 30} GiB.",
    ]
    if smi:
        seen = [s for s in (smi, after) if s]
        clocks = [f"{s.get('clocks.sm')} of {s.get('clocks.max.sm')}, memory {s.get('clocks.mem')}" for s in seen]
        link = f"PCIe {smi.get('pcie.link.gen.current')} x{smi.get('pcie.link.width.current')}"
        lines.append(f"Clocks before and after: {'; '.join(clocks)}. Power limit {smi.get('power.limit')}. {link}.")
    compared = report["compared"]
    chunks = f"{compared['device_chunks']} chunks on the device, {compared['host_chunks']} left to the CPU"
    verdict = f"{compared['same']} the same, {compared['different']} different"
    lines.append(f"Conversions compared with the CPU's, byte for byte: {verdict} ({chunks}).")
    failed = [step["name"] for step in report["steps"] if step["verdict"] == "failed"]
    lines += [f"FAILED: {', '.join(failed)}."] if failed else []
    lines += [f"Left out: {', '.join(report['left_out'])}."] if report["left_out"] else []
    return [*lines, ""]


def report_text(report):
    figures = Figures(report["figures"])
    lines = machine_lines(report) + goal_table(report)
    tables = (copy_table, kernel_table, tensor_table, slot_table, encode_table, latency_table, cut_table)
    for make in (*tables, normalize_table, feed_table, file_table):
        lines += make(figures)
    return "\n".join(lines)
