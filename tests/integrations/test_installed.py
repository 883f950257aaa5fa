#!/usr/bin/env python3
"""The package as pip installs it: what it brings, what it does without, its command and its types."""

import importlib.metadata
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import penstock

HERE = Path(__file__).resolve().parent
TYPED = """
import penstock

loader = penstock.Loader(["a.csv"], label=["y"], batch_size=8, shuffle="exact", header=False, label_map={"a": 0})
for batch in loader:
    rows: int = batch.rows
    names: tuple[str, ...] = batch.names
    reveal_type(batch["features"])
plan: penstock.EpochPlan = loader.plan()
state: dict[str, object] = loader.state_dict()
fitted: str = penstock.fit("a.csv", "normalizer.json")
same: bool = penstock.diff("a", "b")["same"]
"""


class Installed(unittest.TestCase):
    def run_here(self, *words):
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)

    def test_metadata(self):
        metadata = importlib.metadata.metadata("penstock")
        self.assertEqual(metadata["Version"], penstock.__version__)
        requirements = importlib.metadata.requires("penstock") or []
        self.assertEqual([line for line in requirements if "extra ==" not in line], [])
        files = {file.name for file in importlib.metadata.files("penstock")}
        self.assertLessEqual({"py.typed", "_penstock.pyi", "_loader.pyi", "torch.py", "xgboost.py"}, files)
        self.assertFalse([name for name in files if name.endswith((".hpp", ".a", ".cmake"))])

    def test_needs_nothing(self):
        run = self.run_here(
            sys.executable,
            "-c",
            "import sys, penstock; print([m for m in ('numpy', 'torch', 'scipy', 'xgboost', 'pyarrow') if m in sys.modules])",
        )
        self.assertEqual((run.stdout, run.stderr), ("[]\n", ""))

    def test_the_command(self):
        command = Path(sys.executable).with_name("penstock")
        run = self.run_here(command, "--version")
        self.assertEqual((run.returncode, run.stdout.split()[1]), (0, penstock.__version__))
        self.assertEqual(self.run_here(command, "doctor").returncode, 0)
        self.assertEqual(self.run_here(command, "convert", "absent.csv", "-o", "x.rec").returncode, 3)

    def test_missing_packages_are_named(self):
        source = "import sys; sys.modules['{0}'] = None\nimport penstock.{0}"
        for name in ("torch", "xgboost"):
            run = self.run_here(sys.executable, "-c", source.format(name))
            self.assertIn(f"ImportError: penstock.{name} needs {name}: pip install {name}", run.stderr)


class Types(unittest.TestCase):
    def setUp(self):
        try:
            import mypy  # noqa: F401
        except ImportError as reason:
            print(f"SKIPPED: {self.id()}: {reason}")
            self.skipTest(str(reason))

    def mypy(self, *words, source=""):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n")
            Path(folder, "typed.py").write_text(source)
            command = [sys.executable, "-m", *words]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)

    def test_a_typed_program(self):
        run = self.mypy("mypy", "typed.py", source=TYPED)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        run = self.mypy("mypy", "typed.py", source=TYPED + "loader.plan().stepps\nloader.set_epoch('1')\n")
        self.assertIn("Found 2 errors", run.stdout)

    def test_stubs_are_what_is_there(self):
        allowed = HERE / "stubtest_allow.txt"
        words = ["mypy.stubtest", "penstock", "--mypy-config-file", "mypy.ini", "--allowlist", allowed]
        run = self.mypy(*map(str, words), "--ignore-unused-allowlist", "--concise")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
