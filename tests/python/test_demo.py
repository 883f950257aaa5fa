#!/usr/bin/env python3
"""Runs `scripts/demo` as a user would and reads what it wrote with numpy and protobuf."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ["PENSTOCK_SOURCE_DIR"])
TOOLS = SOURCE / "tests" / "python"


def run(*command, **variables):
    """Runs a command to its end and returns its result with the output as text."""
    environment = {**os.environ, **variables}
    return subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, check=False)


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.out = Path(cls.folder.name) / "demo"
        cls.demo = run(SOURCE / "scripts/demo", cls.out, PENSTOCK=os.environ["PENSTOCK_BINARY"])

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def assert_ok(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_it_ends_well_and_shows_every_command(self):
        self.assert_ok(self.demo)
        for verb in ("convert", "head", "inspect", "diff"):
            self.assertIn(f"$ penstock {verb} ", self.demo.stdout)

    def test_numpy_reads_the_npz(self):
        shapes = ("--shape", "features=150x4", "--shape", "label=150")
        self.assert_ok(run(sys.executable, TOOLS / "check_npz.py", self.out / "iris.npz", *shapes))

    def test_recordio_holds_what_the_npz_holds(self):
        self.assert_ok(run(sys.executable, TOOLS / "check_recordio.py", self.out / "iris.rec", self.out / "iris.npz"))

    def test_recordio_holds_what_the_csv_holds(self):
        self.assert_ok(run(sys.executable, TOOLS / "check_recordio.py", self.out / "iris.rec", self.out / "iris.csv"))

    def test_a_changed_value_would_be_noticed(self):
        text = (self.out / "iris.csv").read_text()
        changed = self.out / "changed.csv"
        changed.write_text(text.replace("5.1", "5.2", 1))
        self.assertNotEqual(changed.read_text(), text)
        result = run(sys.executable, TOOLS / "check_recordio.py", self.out / "iris.rec", changed)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
