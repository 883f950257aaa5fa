#!/usr/bin/env python3
"""Records of every element type and number of labels that penstock writes, read by libprotobuf and by a reader over
`struct` (both in check_recordio.py), and compared byte by byte with what libprotobuf writes for the same values."""

import re
import subprocess
import sys
import unittest
from pathlib import Path

import check_recordio  # skips where numpy or protobuf is not there
import numpy
from _cli import CliTest, main

TOOL = Path(__file__).resolve().with_name("check_recordio.py")
DTYPES = tuple(tensor[4] for tensor in check_recordio.TENSORS)
LABELS = {0: "", 1: "0", 3: "2,0,4"}  # columns in the order in which they become the label

# Texts at the borders of rounding, of the ranges, and of the lengths of a varint.
CELLS = {
    "float32": "0.1 -0 missing 16777217 3.4028235e38 1.4e-45 1.00000005960464477539062501 NA -1e-400 00012.50".split(),
    "float64": "0.1 -0 missing 9007199254740993 1.7976931348623157e308 4.9e-324 1e-400 nan 2.5e-1 +7".split(),
    "int32": "0 -1 127 128 16383 16384 2147483647 -2147483648 300 +7".split(),
}
LABEL_TEXTS = ("1", "-2.5", "0", "16777216", "1.00000005960464477539062501", "1e-45", "7")


def value_of(text, dtype):
    if dtype == "int32":
        return int(text)
    text = text if text not in ("missing", "NA") else "nan"
    return check_recordio.float32_of(text) if dtype == "float32" else float(text)


def array_of(rows, dtype):
    return numpy.array([[value_of(text, dtype) for text in row] for row in rows], dtype=dtype).reshape(len(rows), -1)


def table(dtype, rows, columns, label_columns):
    """Cells by row; every text stands in every place once rows go on long enough."""
    texts = CELLS[dtype]

    def cell(row, column):
        if column in label_columns:
            return LABEL_TEXTS[(row + column) % len(LABEL_TEXTS)]
        return texts[(row * 3 + column * 7) % len(texts)]

    return [[cell(row, column) for column in range(columns)] for row in range(rows)]


class Records(CliTest):
    readers = (check_recordio.HandReader(), check_recordio.ProtobufReader())

    def check(self, dtype, labels, columns, rows):
        """Converts a table of `columns` features and compares what comes out."""
        label_columns = [int(column) for column in LABELS[labels].split(",") if column]
        cells = table(dtype, rows, columns + labels, label_columns)
        self.write("in.csv", "".join(",".join(row) + "\n" for row in cells).replace("missing", ""))
        words = ("--header", "no", "--delimiter", "comma", "--dtype", dtype)
        words += ("--label", LABELS[labels]) if labels else ()
        self.ok("convert", "in.csv", *words, "-f", "-o", "out.rec")
        features = [[text for at, text in enumerate(row) if at not in label_columns] for row in cells]
        expected = {"features": array_of(features, dtype)}
        if labels:
            expected["label"] = array_of([[row[at] for at in label_columns] for row in cells], "float32")
        self.assertEqual(check_recordio.compare(self.read("out.rec"), expected, self.readers), rows)
        return expected

    def test_every_type_and_number_of_labels(self):
        for dtype in DTYPES:
            for labels in LABELS:
                for columns in (5, 2):
                    with self.subTest(dtype=dtype, labels=labels, columns=columns):
                        self.check(dtype, labels, columns, rows=40)

    def test_lengths_at_the_steps_of_their_varints(self):
        """Four nested lengths grow by a byte at different widths: near 29 columns of float32, and near 4,092."""
        steps = {"float32": (28, 29, 30, 31, 32, 4091, 4092, 4095, 4096), "float64": (14, 15, 16, 2045, 2046, 2048)}
        for dtype, widths in steps.items():
            for columns in widths:
                for labels in (0, 1):
                    with self.subTest(dtype=dtype, columns=columns, labels=labels):
                        self.check(dtype, labels, columns, rows=3)
        for columns in range(8, 70, 3):  # int32 values differ in length, so rows do
            self.check("int32", 1, columns, rows=10)

    def test_a_difference_would_be_seen(self):
        for dtype in DTYPES:
            expected = self.check(dtype, 3, 5, rows=40)
            for role, row, column in (("features", 39, 4), ("features", 0, 1), ("label", 39, 2)):
                altered = {name: array.copy() for name, array in expected.items()}
                bits = altered[role].view(f"u{altered[role].dtype.itemsize}")
                bits[row, column] ^= bits.dtype.type(1)
                for reader in self.readers:
                    with self.assertRaisesRegex(check_recordio.Difference, f"record {row} .*{role} column {column}"):
                        check_recordio.compare(self.read("out.rec"), altered, [reader])

    def test_the_magic_number_among_the_values(self):
        """Values whose bytes are a frame's magic number: readers go by lengths."""
        self.write("in.csv", "-1804698880,-1804698881,1e-38\n1,-1804698880,-1804698880\n")
        self.ok("convert", "in.csv", "--header", "no", "-o", "out.rec")
        data = self.read("out.rec")
        self.assertEqual(data.count(bytes.fromhex("0a23d7ce")), 6)
        expected = numpy.array([[-1804698880, -1804698881, 1e-38], [1, -1804698880, -1804698880]], dtype="float32")
        check_recordio.compare(data, {"features": expected}, self.readers)


class Tool(CliTest):
    """check_recordio.py as a program."""

    def run_tool(self, *words):
        command = [sys.executable, "-B", str(TOOL), *map(str, words)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def test_self_test(self):
        result = self.run_tool("--self-test")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertTrue(re.fullmatch(r"OK: [1-9]\d* records\n", result.stdout), result.stdout)

    def test_worked_records_are_what_penstock_writes(self):
        """Its records with known bytes, made from text. Their labels of other types than float32 are left out: penstock
        writes those only for files that it copies."""
        made = 0
        for dtype, features, label_dtype, label, frame in check_recordio.WORKED:
            cells = [*(label or []), *features]
            if label_dtype not in (None, "float32") or not numpy.isfinite(cells).all():
                continue
            self.write("in.csv", ",".join(map(str, cells)) + "\n")
            words = ("--label", f"0:{len(label) - 1}") if label else ()
            self.ok("convert", "in.csv", "--header", "no", "--dtype", dtype, *words, "-f", "-o", "out.rec")
            self.assertEqual(self.read("out.rec").hex(), frame.replace(" ", ""))
            made += 1
        self.assertGreaterEqual(made, 3)

    def test_files(self):
        self.write("in.csv", "1,0.1,\n0,-2,1e-45\n")
        self.ok("convert", "in.csv", "--header", "no", "--label", "0", "-o", "out.rec")
        self.assertEqual(self.run_tool("out.rec", "in.csv").stdout, "OK: 2 records\n")
        self.write("other.csv", "1,0.1,\n0,-2,3e-45\n")
        result = self.run_tool("out.rec", "other.csv")
        self.assertEqual(result.returncode, 1)
        self.assertIn("record 1 at byte", result.stdout)


if __name__ == "__main__":
    main()
