"""Steps that take time: which there are, how long each may take and took, and what they said."""

import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
JOBS = os.cpu_count() or 1


def say(text):
    print(text, flush=True)


class Budget:
    """The time of the whole run."""

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes

    def left(self):
        return self.end - time.monotonic()

    def limit(self, seconds_max, keep=0):
        """Seconds that a step may take, when `keep` are wanted for the steps behind it."""
        return max(0, min(seconds_max, self.left() - keep))


@dataclass
class Ended:
    """How a command ended. `status` is None if it was stopped at its limit."""

    status: int | None
    seconds: float
    output: str = ""

    @property
    def is_ok(self):
        return self.status == 0

    def words(self, limit=None):
        if self.status is None:
            return f"stopped after {limit:.0f} s" if limit is not None else "stopped at its limit"
        if self.status < 0:
            return f"ended by signal {-self.status} ({signal.Signals(-self.status).name})"
        return "ok" if self.status == 0 else f"status {self.status}"


def run_logged(log_name, command, limit, variables=()):
    """Runs a command with all output in a log of build/logs; it and what it started ends with the limit."""
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / log_name
    started = time.monotonic()
    with log.open("ab") as output:
        output.write(f"$ {shlex.join(map(str, command))}\n".encode())
        output.flush()
        begin = output.tell()
        child = subprocess.Popen(
            [str(word) for word in command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **dict(variables)},
            start_new_session=True,
        )
        status = wait_or_end(child, limit)
    seconds = time.monotonic() - started
    with log.open("rb") as text:
        text.seek(begin)
        return Ended(status, seconds, text.read().decode("utf-8", "replace"))


def wait_or_end(child, limit):
    """The exit status of a child that leads a session of its own, or None behind its limit or an interrupt."""
    try:
        return child.wait(timeout=max(0.1, limit))
    except subprocess.TimeoutExpired:
        end_session(child)
        return None
    except BaseException:
        end_session(child)
        raise


def end_session(child):
    for kind in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, kind)
            child.wait(timeout=5)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def errors_in(text, lines_max=12):
    """The lines that name errors, or the last ones where none does."""
    lines = [line for line in text.splitlines() if line.strip()]
    named = [line for line in lines if "rror" in line or "FAILED" in line or "undefined reference" in line]
    return [line[:300] for line in (named[:lines_max] or lines[-lines_max:])]


@dataclass
class Step:
    """What the report says about a step."""

    name: str
    seconds: float = 0
    verdict: str = "ok"  # or failed, left out
    notes: list = field(default_factory=list)


class Steps:
    """Steps as they end."""

    def __init__(self):
        self.all = []

    def begin(self, name):
        say(f"== {name}")
        self.all.append(Step(name))
        self.started = time.monotonic()
        return self.all[-1]

    def end(self, verdict="ok", notes=()):
        step = self.all[-1]
        step.seconds = round(time.monotonic() - self.started, 1)
        step.verdict = verdict
        step.notes += list(notes)
        for note in step.notes:
            say(f"   {note}")
        say(f"   {verdict}, {step.seconds:.1f} s")
        return verdict == "ok"

    def leave_out(self, name, why):
        self.begin(name)
        return self.end("left out", [why])

    @property
    def failed(self):
        return [step.name for step in self.all if step.verdict == "failed"]
