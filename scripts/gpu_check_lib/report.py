"""Where a report goes: the terminal, a JSON file, bench/LOG.md."""

import json
import re
from pathlib import Path

from .steps import LOGS, ROOT, say
from .tables import report_text

LOG_BYTES_MAX = 8 << 20  # of the logs that are copied


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def section(report, text):
    machine = report["machine"]
    command = f"`scripts/gpu_check --minutes {report['options']['minutes']:g} --size {report['options']['size']}`"
    return (
        f"\n## {machine['date'][:10]}: the CUDA engine on {machine['gpu']}\n\n"
        f"Commit {machine['commit']}. Command: {command} (docs/gpu-check.md says what is measured). GB/s are 10^9 "
        f"bytes of text a second.\n\n{text.rstrip()}\n"
    )


def append(path, text):
    with path.open("a", encoding="utf-8") as log:
        log.write(text)


def copy_logs(into):
    """All logs of the run in one file."""
    parts = [f"===== {log.name}\n{log.read_text(errors='replace')}" for log in sorted(LOGS.glob("gpu-*.log"))]
    (into / "gpu-check-logs.txt").write_text("\n".join(parts)[-LOG_BYTES_MAX:])


def write_report(report, out):
    """Prints and keeps a report; the exit status of the run. `out`: a folder beside the tree for copies, or None."""
    text = report_text(report)
    say("\n" + text)
    folder = Path(out) if out else ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{slug(report['machine']['gpu'])}-{slug(report['machine']['date'][:19])}.json"
    (folder / name).write_text(json.dumps(report, indent=1) + "\n")
    say(f"written: {folder / name}")
    if report["figures"]:
        append(ROOT / "bench" / "LOG.md", section(report, text))
        say("appended to: bench/LOG.md")
    if out:
        append(folder / "LOG.md", section(report, text).lstrip())
        copy_logs(folder)
    failed = [step["name"] for step in report["steps"] if step["verdict"] == "failed"]
    say(f"gpu_check: {'FAILED: ' + ', '.join(failed) if failed else 'all good'}")
    return 1 if failed else 0
