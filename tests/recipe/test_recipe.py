#!/usr/bin/env python3
"""docs/adding-a-format.md keeps its word: the format it makes, from the code on the page and one line in formats/formats.hpp, is
read and written, found by name and suffix, has its faults reported and its options in the help, like any other.

PENSTOCK_BINARY is the program with that format. RECIPE_BUILD, if it is given, is the build folder that makes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "python"))
sys.path.insert(0, str(SOURCE / "tests" / "architecture"))

import _cli  # noqa: E402
import page  # noqa: E402
import rules  # noqa: E402

SKIPPED = 77
PAGE = SOURCE / "docs" / "adding-a-format.md"
TREE = Path(os.environ.get("RECIPE_TREE") or "")
SIZES = [(), ("--threads", "1", "--slot-size", "64"), ("--threads", "4", "--slot-size", "97"), ("--slot-size", "4KiB")]
LINES = "".join(f"{i % 3} | {i} {i / 8} {'nan' if i % 5 == 0 else -i} 1e{i % 40 - 20}\n" for i in range(500))
DIRTY = (
    "1 | 1 2\n"
    "\n"
    "0 | 1 4O\n"
    "0 | 1\r\n"
    "2 | 1 2 3\n"
    " | 1 2\n"
    "7 1 2\n"
    "nan | 1 2\n"
    "0 | 1e39 2\n"
    "3 | 3 4\n"
)
# record, line, column, code
FAULTS = [
    (2, 3, 7, "not_a_number"),
    (3, 4, 6, "too_few_fields"),
    (4, 5, 9, "too_many_fields"),
    (5, 6, 2, "missing_label"),
    (6, 7, 3, "missing_separator"),
    (7, 8, 1, "non_finite"),
    (8, 9, 5, "out_of_range"),
]


def build():
    """The program, with what the page says now. Ends the process where there is nothing to build it with."""
    folder = os.environ.get("RECIPE_BUILD")
    if not folder:
        return
    compiler = os.environ.get("RECIPE_COMPILER", "")
    if not os.access(compiler, os.X_OK):
        print(f"skipped: the compiler of this build ({compiler}) is not here")
        sys.exit(SKIPPED)
    command = ["cmake", "--build", folder, "--target", "penstock_recipe"]
    command += ["--config", os.environ["RECIPE_CONFIG"]] if os.environ.get("RECIPE_CONFIG") else []
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        sys.exit("the format on the page does not build:\n" + result.stdout[-4000:])


class Recipe(_cli.CliTest):
    def convert(self, source, target, *options):
        return self.ok("convert", source, "-o", target, "-f", *options)

    # --- one folder, one line ---

    def test_a_folder_and_a_line(self):
        files = page.files_of(PAGE.read_text())
        changed = [path for path, language, _ in files if language == "diff"]
        self.assertEqual(changed, ["formats/formats.hpp"])
        ((_, _, diff),) = [file for file in files if file[1] == "diff"]
        self.assertEqual(len(page.added_lines(diff)), 1)
        others = {str(Path(path).parts[:2]) for path, language, _ in files if language != "diff"}
        self.assertEqual(others, {str(("formats", "pipes"))})

    def test_no_header_of_the_host_includes_the_list(self):
        """So the sources that do are all that there is to compile again."""
        for path in (SOURCE / "host").rglob("*.hpp"):
            self.assertNotIn('#include "formats/formats.hpp"', path.read_text(), path)

    def test_house_rules(self):
        if not TREE.is_dir():
            self.skipTest("RECIPE_TREE does not say where the page's files are")
        for name in ("standard_only", "no_exceptions_in_formats", "pragma_once", "no_naked_new", "file_lengths", "format_folders"):
            complaints = [line for line in rules.RULES[name](TREE) if "formats/pipes" in line]
            self.assertEqual(complaints, [], name)

    # --- found by name, suffix and option ---

    def test_help(self):
        text = self.ok("help", "convert").stdout.decode()
        for words in ("--divider bar|colon|slash", "--output-divider bar|colon|slash", "pipes: "):
            self.assertIn(words, text)
        for option in ("--from FORMAT", "--to FORMAT"):
            self.assertRegex(text, rf"{option} +[a-z0-9,\s]*\bpipes\b")

    def test_names_and_suffix(self):
        self.write("a.pipes", LINES)
        self.write("a.txt", LINES)
        self.convert("a.pipes", "a.rec")
        self.convert("a.txt", "b.rec", "--from", "pipes")
        self.assertEqual(self.read("a.rec"), self.read("b.rec"))
        self.convert("a.rec", "b.pipes")
        self.convert("a.rec", "b.txt", "--to", "pipes")
        self.assertEqual(self.read("b.pipes"), self.read("b.txt"))
        err = self.expect(2, "convert", "a.pipes", "-o", "x", "--to", "pipe").err
        self.assertIn("pipes", err)

    def test_options(self):
        self.write("a.pipes", "1 : 2 3\n")
        self.convert("a.pipes", "b.pipes", "--divider", "colon", "--output-divider", "slash")
        self.assertEqual(self.read("b.pipes"), b"1 / 2 3\n")
        err = self.expect(2, "convert", "a.pipes", "-o", "c.rec", "--divider", "dot").err
        self.assertIn("bar|colon|slash", err)
        self.write("a.csv", "1,2,3\n")
        err = self.expect(2, "convert", "a.csv", "-o", "c.rec", "--divider", "colon").err
        self.assertIn("--divider belongs to pipes", err)
        err = self.expect(2, "convert", "a.pipes", "-o", "c.rec").err
        self.assertIn("--divider", err)

    # --- from and to everything ---

    def test_there_and_back(self):
        self.write("a.pipes", LINES)
        for target in ("a.rec", "a.npz", "a.csv", "a.libsvm"):
            self.convert("a.pipes", target)
            read = ("--label", "0") if target == "a.csv" else ()
            shape = ("--features", "dense", "--absent", "missing") if target == "a.libsvm" else ()
            self.convert(target, "b.pipes", *read, *shape)
            self.ok("diff", "a.pipes", "b.pipes")
            if target != "a.libsvm":
                self.ok("diff", "a.pipes", target, *read)
        self.convert("b.pipes", "c.pipes")
        self.assertEqual(self.read("b.pipes"), self.read("c.pipes"))

    def test_npy(self):
        self.write("a.pipes", "1 | 0.5 -2 nan\n0|7 inf 1e-50\n")
        self.convert("a.pipes", "a.npy")
        kind, shape, values = _cli.parse_npy(self.read("a.npy"))
        self.assertEqual((kind, shape), ("<f4", (2, 3)))
        self.assertEqual(repr(values), "[0.5, -2.0, nan, 7.0, inf, 0.0]")

    def test_sparse_rows_become_dense(self):
        self.write("a.libsvm", "1 1:5 3:7\n0 2:1\n")
        err = self.expect(2, "convert", "a.libsvm", "-o", "a.pipes").err
        self.assertIn("--absent", err)
        self.convert("a.libsvm", "a.pipes", "--absent", "zero")
        self.assertEqual(self.read("a.pipes"), b"1 | 5 0 7\n0 | 0 1 0\n")

    def test_what_cannot_be_written(self):
        self.write("a.csv", "1,2,3\n")
        err = self.expect(2, "convert", "a.csv", "-o", "a.pipes").err
        self.assertIn("pipes records have one label", err)
        err = self.expect(2, "convert", "a.csv", "-o", "a.pipes", "--label", "0", "--dtype", "float64").err
        self.assertIn("--dtype float32", err)
        err = self.expect(2, "convert", "a.csv", "-o", "a.pipes", "--label", "0", "--weight", "1").err
        self.assertIn("pipes records hold no weights", err)
        self.convert("a.csv", "a.pipes", "--label", "0", "--weight", "1", "--companions")
        self.assertEqual((self.read("a.pipes"), self.read("a.pipes.weight")), (b"1 | 3\n", b"2\n"))

    # --- looked at ---

    def test_head_and_inspect(self):
        self.write("a.pipes", "1 | 0.5 -2 3e4\n0 | 7 nan 0.25\n")
        rows = [json.loads(line) for line in self.ok("head", "a.pipes", "--json").stdout.splitlines()]
        self.assertEqual([row["features"] for row in rows], [[0.5, -2, 30000], [7, None, 0.25]])
        self.assertEqual([row["label"] for row in rows], [[1], [0]])
        summary = json.loads(self.ok("inspect", "a.pipes", "--json").stdout)
        self.assertEqual((summary["format"], summary["records"], summary["features"]), ("pipes", 2, 3))
        text = self.ok("inspect", "a.pipes").stdout.decode()
        self.assertIn("values a record: 3 (as in the first)", text)

    def test_schema(self):
        self.write("a.pipes", "1 : 2 3\n")
        self.ok("inspect", "a.pipes", "--divider", "colon", "--save-schema", "s.json")
        self.convert("a.pipes", "b.pipes", "--schema", "s.json")
        self.assertEqual(self.read("b.pipes"), b"1 | 2 3\n")
        self.write("c.pipes", "1 : 2 3 4\n")
        self.expect(5, "convert", "c.pipes", "-o", "d.pipes", "--schema", "s.json")

    def test_diff_finds_a_difference(self):
        self.write("a.pipes", LINES)
        self.write("b.pipes", LINES.replace("1 | 1 0.125", "1 | 1 0.126"))
        self.assertIn("0.126", self.expect(1, "diff", "a.pipes", "b.pipes").stdout.decode())

    def test_corpus(self):
        folder = TREE / "formats/pipes/corpus/pass"
        inputs = sorted(folder.glob("*.pipes"))
        if not TREE.is_dir():
            self.skipTest("RECIPE_TREE does not say where the page's files are")
        self.assertTrue(inputs)
        for path in inputs:
            self.convert(path, "out.csv")
            self.assertEqual(self.read("out.csv"), path.with_suffix(".csv").read_bytes(), path.name)

    # --- the same from whatever cut, and wrong records ---

    def test_sizes_and_threads(self):
        self.write("a.pipes", LINES)
        self.write("a.pipes.gz", _cli.gzipped(LINES))
        self.convert("a.pipes", "expected.rec")
        for sizes in SIZES:
            for source in ("a.pipes", "a.pipes.gz"):
                self.convert(source, "out.rec", *sizes)
                self.assertEqual(self.read("out.rec"), self.read("expected.rec"), (source, sizes))
        self.ok("convert", "-", "--from", "pipes", "-o", "stdin.rec", stdin=LINES.encode())
        self.assertEqual(self.read("stdin.rec"), self.read("expected.rec"))

    def test_faults(self):
        self.write("a.pipes", DIRTY)
        for number, sizes in enumerate(SIZES):
            prefix = f"r{number}"
            self.convert("a.pipes", "out.pipes", "--on-error", "quarantine", "--rejects", prefix, *sizes)
            self.assertEqual(self.read("out.pipes"), b"1 | 1 2\n3 | 3 4\n")
            found = [json.loads(line) for line in self.read(f"{prefix}.rejects.jsonl").splitlines()]
            places = [(fault["record"], fault["line"], fault["column"], fault["code"]) for fault in found]
            self.assertEqual(places, FAULTS, sizes)
            self.assertEqual(self.read(f"{prefix}.rejects.jsonl"), self.read("r0.rejects.jsonl"))
        summary = json.loads(self.convert("a.pipes", "out.pipes", "--on-error", "skip", "--json").stdout)
        self.assertEqual((summary["records"], summary["rejected"]), (2, len(FAULTS)))

    def test_words_of_a_fault(self):
        self.write("a.pipes", DIRTY)
        err = self.expect(1, "convert", "a.pipes", "-o", "out.rec").err
        self.assertIn('a.pipes:3:7: value 2: expected a number, found "4O"', err)
        self.assertNotIn("out.rec", self.names())
        self.write("b.pipes", "1 | 1 2\n7 1 2\n")
        err = self.expect(1, "convert", "b.pipes", "-o", "out.rec").err
        self.assertIn("b.pipes:2:3: label: expected | behind the label", err)
        self.assertIn("--divider", err)

    def test_long_records(self):
        long_line = "1 | " + " ".join(["0.25"] * 100)
        self.write("a.pipes", "1 | 1 2\n" + long_line + "\n2 | 3 4\n")
        for sizes in SIZES:
            options = ("--on-error", "skip", "--max-record-size", "64", "--json", *sizes)
            summary = json.loads(self.convert("a.pipes", "out.pipes", *options).stdout)
            self.assertEqual(self.read("out.pipes"), b"1 | 1 2\n2 | 3 4\n", sizes)
            self.assertEqual(summary["rejected"], 1, sizes)

    def test_edges(self):
        self.write("bom.pipes", b"\xef\xbb\xbf1 | 2\r3\t|\t4\r\n5 | 6")
        self.convert("bom.pipes", "out.pipes")
        self.assertEqual(self.read("out.pipes"), b"1 | 2\n3 | 4\n5 | 6\n")
        self.write("empty.pipes", "")
        self.expect(1, "convert", "empty.pipes", "-o", "out2.pipes")


if __name__ == "__main__":
    build()
    if not Path(_cli.PENSTOCK).is_file():
        print(f"skipped: {_cli.PENSTOCK} was not built")
        sys.exit(SKIPPED)
    _cli.main()
