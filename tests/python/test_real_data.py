#!/usr/bin/env python3
"""Real files, converted by penstock and read by others: numpy, libprotobuf, Python's csv module, `struct`.

What should come out is read from the same files by Python alone. numpy goes from text to float32 by way of float64,
which rounds twice; `float32_of` says what rounding once gives, and the two are compared before numpy is believed.
"""

import csv
import gzip
import itertools
import sys
import unittest
from pathlib import Path

import _cli
from _cli import CliTest, main

SKIPPED = 77
try:
    import numpy
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-numpy)")
    sys.exit(SKIPPED)
import check_npz
import check_recordio

DATA = Path(_cli.SHARED) / "csv"
if not DATA.is_dir():
    print(f"skipped: the shared data ({DATA}) is not here")
    sys.exit(SKIPPED)

MISSING = numpy.array([0x7FC00000], dtype="uint32").view("float32")[0]
NULLS = ("", "NA", "null", "nan")


def numbers(rows, dtype="float32"):
    """Cells as numpy reads them; missing ones are the one NaN."""
    array = numpy.array([[numpy.dtype(dtype).type(MISSING if cell in NULLS else cell) for cell in row] for row in rows])
    return array.astype(dtype)


def csv_rows(name):
    with open(DATA / name, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


class RealData(CliTest):
    readers = (check_recordio.HandReader(), check_recordio.ProtobufReader())

    def convert(self, name, out, *words, status=0):
        return self.expect(status, "convert", DATA / name, *words, "-f", "-o", out)

    def assert_bits(self, found, expected):
        self.assertIsNone(check_npz.first_difference(found, expected))

    def assert_npz(self, out, **expected):
        arrays = check_npz.load(self.folder / out)
        self.assertEqual(list(arrays), list(expected))
        for name, array in expected.items():
            self.assert_bits(arrays[name], array)

    def assert_records(self, out, features, label=None):
        """By both readers, and the bytes are those that libprotobuf writes."""
        expected = {"features": features} | ({} if label is None else {"label": label.reshape(-1, 1)})
        count = check_recordio.compare(self.read(out), expected, self.readers)
        self.assertEqual(count, len(features))

    def assert_fault(self, result, name, line, column, byte, record):
        """The message names the place; `byte` is told by the file itself, so the place is checked twice."""
        text = (DATA / name).read_bytes()
        begin = max(text.rfind(b"\n", 0, byte), text.rfind(b"\r", 0, byte)) + 1
        self.assertEqual((line, column), (1 + text.count(b"\n", 0, begin), byte - begin + 1), "the test is wrong")
        self.assertIn(f"penstock: {DATA / name}:{line}:{column}: ", result.err)
        self.assertIn(f"(byte {byte:,}, record {record:,})", result.err)


class Higgs(RealData):
    """7,000 records of a label and 28 features in three decimals, separated by tabs."""

    @classmethod
    def setUpClass(cls):
        lines = (DATA / "higgs_subset.tsv").read_text(encoding="ascii").splitlines()
        cls.cells = [line.split("\t") for line in lines]
        cls.table = numbers(cls.cells)
        cls.label, cls.features = cls.table[:, 0].copy(), cls.table[:, 1:].copy()

    def test_numpy_may_be_believed(self):
        self.assertEqual(self.table.shape, (7000, 29))
        for text in {cell for row in self.cells for cell in row}:
            once, twice = check_recordio.float32_of(text), numpy.float32(text)
            self.assertEqual(once.tobytes(), twice.tobytes(), text)
        twice_is_wrong = "1.00000005960464477539062501"
        self.assertNotEqual(numpy.float32(twice_is_wrong), check_recordio.float32_of(twice_is_wrong))

    def test_recordio(self):
        result = self.convert("higgs_subset.tsv", "out.rec", "--label", "0")
        self.assertIn("7,000 records", result.err)
        self.assert_records("out.rec", self.features, self.label)

    def test_recordio_without_label(self):
        self.convert("higgs_subset.tsv", "out.rec")
        self.assert_records("out.rec", self.table)

    def test_recordio_of_float64(self):
        self.convert("higgs_subset.tsv", "out.rec", "--label", "0", "--dtype", "float64")
        self.assert_records("out.rec", numbers(self.cells, "float64")[:, 1:], self.label)

    def test_npz_and_npy(self):
        self.convert("higgs_subset.tsv", "out.npz", "--label", "0")
        self.assert_npz("out.npz", features=self.features, label=self.label)
        self.convert("higgs_subset.tsv", "out.npy")
        self.assert_npz("out.npy", features=self.table)
        self.assert_bits(numpy.loadtxt(DATA / "higgs_subset.tsv", dtype="float32"), self.table)

    def test_csv_holds_the_same_values(self):
        self.convert("higgs_subset.tsv", "out.csv", "--label", "0")
        text = self.read("out.csv").decode("ascii")
        self.assert_bits(numbers([line.split(",") for line in text.splitlines()]), self.table)

    def test_weights(self):
        weights = (DATA / "higgs_subset.weight").read_text(encoding="ascii").split()
        text = "".join("\t".join((*row, weight)) + "\n" for row, weight in zip(self.cells, weights, strict=True))
        self.write("in.tsv", text)
        self.ok("convert", "in.tsv", "--label", "0", "--weight", "29", "-o", "out.npz")
        self.assert_npz("out.npz", features=self.features, label=self.label, weight=numbers([weights])[0])
        self.ok("convert", "in.tsv", "--label", "0", "--weight", "29", "--companions", "-o", "out.rec")
        self.assert_records("out.rec", self.features, self.label)
        self.assert_bits(numbers([self.read("out.rec.weight").decode("ascii").split()]), numbers([weights]))

    def test_one_changed_digit_is_noticed(self):
        text = (DATA / "higgs_subset.tsv").read_bytes()
        self.write("in.tsv", text[:-2] + bytes([text[-2] ^ 1]) + text[-1:])
        self.ok("convert", "in.tsv", "--label", "0", "-o", "out.rec")
        with self.assertRaisesRegex(check_recordio.Difference, "record 6999 .*features column 27"):
            self.assert_records("out.rec", self.features, self.label)


class SameBytes(RealData):
    """Threads, slots, instruction sets and compression do not show in an output."""

    slots = ("64", "999", "64KiB", "1MiB")
    schedules = [("-j", threads, "--slot-size", size) for threads, size in itertools.product(("1", "2", "4"), slots)]

    def assert_same(self, name, suffix, *words, status=0):
        self.convert(name, f"first.{suffix}", *words)
        first = self.read(f"first.{suffix}")
        self.assertGreater(len(first), 0)
        for schedule in self.schedules:
            self.convert(name, f"out.{suffix}", *words, *schedule)
            self.assertEqual(self.read(f"out.{suffix}"), first, (name, suffix, schedule))
        return first

    def test_higgs(self):
        for suffix in ("rec", "npz", "npy", "csv"):
            self.assert_same("higgs_subset.tsv", suffix, "--label", "0")

    def test_penguins(self):
        words = ("--label", "species", "--label-map", "Adelie=0,Gentoo=1,Chinstrap=2", "--ignore", "island,sex")
        for suffix in ("rec", "npz"):
            self.assert_same("penguins.csv", suffix, *words)
        self.assert_same("penguins_raw.csv", "npy", "--columns", "Culmen Length (mm):Body Mass (g)")

    def test_the_same_faults_and_rejects(self):
        words = ("--on-error", "quarantine", "--header", "no", "--columns", "1:7", "--label", "0", "--label-map", "t=1")
        self.convert("skext_dirty.csv", "first.npz", *words)
        names = [name for name in self.names() if "first" in name]
        self.assertEqual(names, ["_first.npz.rejects.csv", "_first.npz.rejects.jsonl", "first.npz"])
        for schedule in self.schedules:
            self.convert("skext_dirty.csv", "out.npz", *words, *schedule)
            for name in names:
                self.assertEqual(self.read(name.replace("first", "out")), self.read(name), (name, schedule))

    def test_compressed(self):
        first = self.assert_same("higgs_subset.tsv", "rec", "--label", "0")
        self.write("in.tsv.gz", gzip.compress((DATA / "higgs_subset.tsv").read_bytes()))
        self.ok("convert", "in.tsv.gz", "--label", "0", "-o", "out2.rec")
        self.assertEqual(self.read("out2.rec"), first)


class Penguins(RealData):
    """344 records with a header, commas inside quotes, and NA."""

    measures = ("Culmen Length (mm)", "Culmen Depth (mm)", "Flipper Length (mm)", "Body Mass (g)")

    def test_raw_measures(self):
        header, *rows = csv_rows("penguins_raw.csv")
        places = [header.index(name) for name in self.measures]
        expected = numbers([[row[place] for place in places] for row in rows])
        self.assertEqual(expected.shape, (344, 4))
        self.assertEqual(int(numpy.isnan(expected).sum()), 8)
        result = self.convert("penguins_raw.csv", "out.npz", "--columns", ",".join(self.measures))
        self.assert_npz("out.npz", features=expected)
        self.assertRegex(result.err, r"\b8 missing cells")
        self.convert("penguins_raw.csv", "out.rec", "--columns", "Culmen Length (mm):Body Mass (g)")
        self.assert_records("out.rec", expected)

    def test_raw_isotopes_beside_quoted_text(self):
        header, *rows = csv_rows("penguins_raw.csv")
        names = ("Delta 13 C (o/oo)", "Sample Number", "Delta 15 N (o/oo)")
        expected = numbers([[row[header.index(name)] for name in names] for row in rows])
        self.convert("penguins_raw.csv", "out.npz", "--columns", ",".join(names))
        self.assert_npz("out.npz", features=expected)

    def test_species_as_label(self):
        header, *rows = csv_rows("penguins.csv")
        classes = {"Adelie": 0, "Gentoo": 1, "Chinstrap": 2}
        names = ("bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year")
        features = numbers([[row[header.index(name)] for name in names] for row in rows])
        label = numpy.array([classes[row[0]] for row in rows], dtype="float32")
        words = ("--label", "species", "--label-map", "Adelie=0,Gentoo=1,Chinstrap=2", "--ignore", "island,sex")
        self.convert("penguins.csv", "out.npz", *words)
        self.assert_npz("out.npz", features=features, label=label)
        self.convert("penguins.csv", "out.rec", *words)
        self.assert_records("out.rec", features, label)

    def test_a_class_that_is_not_listed(self):
        text = (DATA / "penguins.csv").read_bytes()
        byte = text.index(b"\nGentoo") + 1
        line = 1 + text.count(b"\n", 0, byte)
        words = ("--label", "species", "--label-map", "Adelie=0,Chinstrap=2", "--ignore", "island,sex")
        result = self.convert("penguins.csv", "out.rec", *words, status=1)
        self.assert_fault(result, "penguins.csv", line, 1, byte, line - 1)
        self.assertIn('found "Gentoo"', result.err)
        result = self.convert("penguins.csv", "out.npz", *words, "--on-error", "skip")
        others = text.count(b"\nAdelie") + text.count(b"\nChinstrap")
        self.assertEqual(len(check_npz.load(self.folder / "out.npz")["label"]), others)
        self.assertIn(f"{344 - others} records were rejected", result.err)

    def test_text_is_no_feature(self):
        result = self.convert("penguins.csv", "out.rec", "--label", "species", status=2)
        self.assertIn("is text, not numbers", result.err)
        self.assertRegex(result.err, "hint: .*--label-map .*Adelie=0")
        result = self.convert("penguins_raw.csv", "out.rec", status=2)
        self.assertIn('"studyName"', result.err)
        self.assertEqual(self.names(), [])


class Dirty(RealData):
    """The files that a reader for SageMaker's scikit-learn extension is tested with."""

    def test_lone_cr(self):
        self.assertEqual((DATA / "skext_manual.csv").read_bytes().count(b"\n"), 0)
        expected = numpy.arange(1, 33, dtype="float32").reshape(8, 4)
        self.convert("skext_manual.csv", "out.npz")
        self.assert_npz("out.npz", features=expected)
        self.convert("skext_manual.csv", "out.rec", "--label", "3")
        self.assert_records("out.rec", expected[:, :3], expected[:, 3])

    def test_newline(self):
        expected = numbers(csv_rows("skext_newline.csv"))
        self.assertEqual(expected.shape, (10, 4))
        self.convert("skext_newline.csv", "out.npy")
        self.assert_npz("out.npy", features=expected)

    def test_excel(self):
        """Quoted line ends and commas; no column is without text, and no record without a text cell."""
        result = self.convert("skext_excel.csv", "out.npz", status=1)
        self.assert_fault(result, "skext_excel.csv", 1, 5, 4, 1)
        self.assertIn(r'found ""a\nb""', result.err)
        self.assertEqual(self.names(), [])
        words = ("--columns", "3", "--on-error", "skip")
        result = self.convert("skext_excel.csv", "out.npz", *words)
        self.assert_npz("out.npz", features=numbers([["2.0"]]))
        self.assertIn("skext_excel.csv:3:15: ", result.err)  # behind a record of two lines
        self.assertIn("skext_excel.csv:4:21: ", result.err)
        self.assertIn("2 records were rejected", result.err)
        self.convert("skext_excel.csv", "out.npz", "--columns", "2", "--on-error", "skip")
        self.assert_npz("out.npz", features=numbers([["3.0"]]))

    def test_ragged(self):
        name = "skext_invalid.csv"
        byte = (DATA / name).read_bytes().index(b"extra")
        result = self.convert(name, "out.rec", status=1)
        self.assert_fault(result, name, 4, 13, byte, 4)
        self.assertIn("too many fields: expected 4", result.err)
        self.assertEqual(self.names(), [])
        self.convert(name, "out.rec", "--on-error", "skip")
        self.assert_records("out.rec", numbers([row for row in csv_rows(name) if len(row) == 4]))
        self.convert(name, "out.rec", "--on-error", "quarantine")
        self.assertEqual(self.read("_out.rec.rejects.csv"), b"13,14,15,16,extra\n")

    def test_one_line_of_text(self):
        result = self.convert("skext_oneline.csv", "out.rec", status=2)
        self.assertIn("cannot tell whether the first record is a header", result.err)
        self.assertIn("--header yes or --header no", result.err)
        self.convert("skext_oneline.csv", "out.rec", "--header", "yes", status=1)
        result = self.convert("skext_oneline.csv", "out.rec", "--header", "no", status=2)
        self.assertIn("text, not numbers", result.err)
        self.assertEqual(self.names(), [])

    def test_labels_that_are_none(self):
        name = "skext_regression_na_labels.csv"
        result = self.convert(name, "out.rec", "--label", "3", status=2)
        self.assertIn("--trim", result.err)
        words = ("--label", "3", "--trim")
        result = self.convert(name, "out.npz", *words, status=1)
        self.assert_fault(result, name, 2, 3, (DATA / name).read_bytes().index(b" string"), 2)
        result = self.convert(name, "out.npz", *words, "--on-error", "skip")
        for place in (":2:3: ", ":3:9: ", ":4:11: "):
            self.assertIn(name + place, result.err)
        self.assertIn("3 records were rejected", result.err)
        self.assert_npz("out.npz", features=numbers([[1, 2, 3], [12, 13, 14]]), label=numbers([["1.1", "3.3"]])[0])

    def test_missing_values(self):
        """Long prose in all columns but the first, and blank cells, which are text."""
        name = "skext_missing_values.csv"
        rows = csv_rows(name)
        self.assertEqual({len(row) for row in rows}, {5})
        result = self.convert(name, "out.npy", status=2)
        self.assertIn("4 feature columns are text", result.err)
        self.convert(name, "out.npy", "--ignore", "1:4")
        self.assert_npz("out.npy", features=numbers([row[:1] for row in rows]))

    def test_dirty(self):
        """Columns of numbers with empty cells, beside texts with quotes, escapes, line ends and four scripts."""
        name = "skext_dirty.csv"
        rows = csv_rows(name)
        self.assertEqual((len(rows), {len(row) for row in rows}), (19, {16}))
        result = self.convert(name, "out.npz", status=2)
        self.assertIn("9 feature columns are text", result.err)
        result = self.convert(name, "out.npz", "--columns", "1:7")
        expected = numbers([row[1:8] for row in rows])
        self.assertEqual(int(numpy.isnan(expected).sum()), 7)
        self.assert_npz("out.npz", features=expected)
        self.assertRegex(result.err, r"\b7 missing cells")
        wide = ("--columns", "1:7", "--dtype", "float64")
        self.convert(name, "out.rec", *wide)
        self.assert_records("out.rec", numbers([row[1:8] for row in rows], "float64"))

    def test_dirty_labels(self):
        name = "skext_dirty.csv"
        labels = ("--columns", "1:7", "--label", "0", "--label-map", "t=1")
        result = self.convert(name, "out.npz", *labels, status=1)
        self.assert_fault(result, name, 2, 1, (DATA / name).read_bytes().index(b"\n") + 1, 2)
        self.convert(name, "out.npz", *labels, "--on-error", "skip")
        rows = [row for row in csv_rows(name) if row[0] == "t"]
        self.assertEqual(len(rows), 18)
        self.assert_npz("out.npz", features=numbers([row[1:8] for row in rows]), label=numpy.ones(18, dtype="float32"))


if __name__ == "__main__":
    main()
