#!/usr/bin/env python3
"""Programs of README.md and docs/python.md run as they are printed."""

import os
import re
from pathlib import Path

from _package import PackageTest, csv, main, module_or_skip

SOURCE = Path(os.environ.get("PENSTOCK_SOURCE_DIR") or Path(__file__).parents[2])
OPTIONAL = ("torch", "xgboost", "numpy")


def programs_of(page):
    return re.findall(r"^```python\n(.*?)^```$", (SOURCE / page).read_text(), re.MULTILINE | re.DOTALL)


class Pages(PackageTest):
    def run_program(self, program):
        for name in OPTIONAL:
            if re.search(rf"\b{name}\b", program):
                module_or_skip(self, name)
        self.write("train.csv", csv(2000))
        self.write("test.csv", csv(300))
        done = self.run_python(program)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + "\n" + program)
        return done.stdout

    def test_readme_has_ten_lines_for_pytorch(self):
        program = next(text for text in programs_of("README.md") if "import penstock, torch" in text)
        self.assertLessEqual(len(program.splitlines()), 12)
        self.assertIn("loss 0.", self.run_program(program))

    def test_readme_has_ten_lines_for_xgboost(self):
        program = next(text for text in programs_of("README.md") if "penstock.xgboost" in text)
        self.assertLessEqual(len(program.splitlines()), 12)
        self.assertIn("eval-logloss:", self.run_program(program))

    def test_docs(self):
        programs = programs_of("docs/python.md")
        self.assertGreaterEqual(len(programs), 4)
        for program in programs:
            with self.subTest(program.splitlines()[-1]):
                self.run_program(program)


if __name__ == "__main__":
    main()
