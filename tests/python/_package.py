"""What the tests of the Python package share. They import penstock from PYTHONPATH, which CTest sets to the build tree's."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

SKIPPED = 77
SECONDS_MAX = 120  # importing PyTorch takes a while

try:
    import penstock
except ImportError as reason:
    print(f"SKIPPED: the package is not built here: {reason}")
    sys.exit(SKIPPED)


def csv(rows, header="a,b,y"):
    """`rows` records: a counts from 0, b is a quarter of it, y is 0 or 1."""
    return header + "\n" + "".join(f"{i},{i / 4},{i % 2}\n" for i in range(rows))


def libsvm(rows):
    """Row i has the pairs 0: i and i % 5 + 1: 1.5."""
    return "".join(f"{i % 2} 0:{i} {i % 5 + 1}:1.5\n" for i in range(rows))


class PackageTest(unittest.TestCase):
    """Every test runs in a folder of its own, which is the current one."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder.name)

    def write(self, name, content):
        """The path of a file of this content; one that has it already stays as it is."""
        path = self.folder / name
        content = content if isinstance(content, bytes) else content.encode()
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
        return path

    def loader(self, *arguments, **options):
        """A loader on the CPU that keeps nothing beside its inputs, and is closed in the end."""
        made = penstock.Loader(*arguments, **{"device": "cpu", "index": "none", **options})
        self.addCleanup(made.close)
        return made

    def numbers(self, rows=10, **options):
        """A loader of csv(rows)."""
        return self.loader(self.write("numbers.csv", csv(rows)), **{"label": "y", **options})

    def pairs(self, rows=10, **options):
        """A loader of libsvm(rows)."""
        return self.loader(self.write("pairs.libsvm", libsvm(rows)), **{"index_base": 0, "num_features": 7, **options})

    def eventually(self, holds, what):
        """Fails unless `holds()` within a few seconds: threads take a moment to end."""
        limit = time.monotonic() + 10
        while not holds():
            self.assertLess(time.monotonic(), limit, what)
            time.sleep(0.01)

    def run_python(self, source, *words, **options):
        """Another interpreter that runs `source`."""
        return subprocess.run(
            [sys.executable, "-B", "-c", source, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
            preexec_fn=heed_ctrl_c,
            **options,
        )


def heed_ctrl_c():
    """Whoever runs in the background of a shell script ignores it, and what it starts does too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def threads_of_process():
    return len(os.listdir("/proc/self/task"))


def files_of_process():
    return len(os.listdir("/proc/self/fd"))


def on_another_thread(act):
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def module_or_skip(test, name):
    """An optional module; the test is skipped, with the reason, where it is not installed."""
    try:
        return __import__(name, fromlist=["_"])
    except ImportError as reason:
        print(f"SKIPPED: {test.id()}: {reason}")
        return test.skipTest(str(reason))


def collect():
    gc.collect()


def main():
    sys.exit(unittest.main())
