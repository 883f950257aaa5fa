#!/usr/bin/env python3
"""The way back: numbers of the size they had, words in CSV, and what cannot be undone."""

import csv
import hashlib
import io
import json
import random

import numpy as np

from _cli import CliTest, main

CODES = "y,a,city=Paris,city=Rome,kind,ok\n"


def ulp(x):
    return np.spacing(np.abs(np.asarray(x)).astype(np.float32)).astype(np.float64)


def table(rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


class DenormalizeTest(CliTest):
    def fit(self, name, spec, *words):
        return self.ok("fit", name, "--normalize", spec, "-o", "n.json", "-f", *words).err

    def assert_same_rows(self, found, wanted):
        """Says the first row that differs: unittest's own words about long lists take minutes."""
        for number, (one, other) in enumerate(zip(found, wanted)):
            self.assertEqual(one, other, f"row {number}")
        self.assertEqual(len(found), len(wanted))

    def columns(self):
        return {column["name"]: column for column in json.loads(self.read("n.json"))["normalizer"]["columns"]}

    def convert(self, name, out, *words):
        self.ok("convert", name, "--normalize", "n.json", "-o", out, "-f", "-q", *words)

    def words(self, name, *words, status=0):
        """The rows that come out, as csv reads them, and what was said."""
        result = self.expect(
            status, "denormalize", name, "--normalize", "n.json", "--output-header", "-o", "-", "--to", "csv", *words
        )
        return list(csv.reader(io.StringIO(result.stdout.decode(), newline=""))), result.err


class Numbers(DenormalizeTest):
    """y = round((x - o) * s), rounded to float32, is at most ulp(y) / 2 off, so that y / s + o is at most
    ulp(y) / (2 |s|) off, and its own rounding adds ulp(x) / 2. Others: the derivative of what undoes them instead of
    1 / |s|. Errors of float64 are below 1 % of these, as long as the offset is not 10^6 times the spread."""

    def back(self, spec, derivative, count=4000, **values):
        random = np.random.default_rng(3)
        x = values.get("x", random.normal(20, 7, count)).astype(np.float32)
        self.write("t.csv", "x,z,label\n" + "".join(f"{float(v)!r},{i % 7},{i % 2}\n" for i, v in enumerate(x)))
        self.fit("t.csv", f"x={spec}; none", "--label", "label")
        self.ok("convert", "t.csv", "--normalize", "n.json", "-o", "y.npz", "-f", "-q")
        result = self.ok("denormalize", "y.npz", "--normalize", "n.json", "-o", "x.npz", "-f")
        with np.load(self.folder / "y.npz") as there, np.load(self.folder / "x.npz") as again:
            np.testing.assert_array_equal(again["label"], there["label"])
            y, found = there["features"].astype(float), again["features"].astype(float)
        np.testing.assert_array_equal(found[:, 1], np.arange(len(x)) % 7)
        bound = 1.01 * (ulp(y[:, 0]) / 2 * derivative(x.astype(float), y[:, 0]) + ulp(x) / 2)
        self.assertTrue((np.abs(found[:, 0] - x) <= bound).all(), spec)
        self.assertGreater(np.abs(y[:, 0] - x).max(), 1)
        return result.err

    def scale(self):
        return abs(self.columns()["x"]["scale"])

    def test_affine_transforms(self):
        for spec in ("standardize", "min-max", "min-max(-5, 5)", "max-abs", "robust"):
            self.back(spec, lambda x, y: 1 / self.scale())

    def test_logarithms_and_powers(self):
        x = np.random.default_rng(4).exponential(50, 4000)
        self.back("log1p", lambda x, y: 1 + x, x=x)
        self.back("power(0.5)", lambda x, y: 2 * np.abs(y), x=x - 20)
        self.back("power(3)", lambda x, y: np.abs(x) / (3 * np.abs(y)), x=x + 1)

    def test_what_cannot_be_undone_is_told(self):
        self.write("t.csv", "x,k,z,h\n1,a,0,p\n2,b,5,q\n,a,7,p\n")
        self.fit("t.csv", "x=impute(0, indicator) + standardize; z=clip; k=one-hot; h=hash(4)")
        self.convert("t.csv", "y.npz")
        rows, err = self.words("y.npz")
        self.assertIn('"x": values that were missing stay filled', err)
        self.assertIn('"z" stays as it is: clip(0.01, 0.99)', err)
        self.assertIn('"h" stays as it is: hash(4)', err)
        self.assertNotIn('"k"', err)
        self.assertEqual(rows[0], ["x", "z", "k", "h"])
        self.assertEqual([row[0] for row in rows[1:]], ["1", "2", "0"])
        self.assertEqual([row[2] for row in rows[1:]], ["a", "b", "a"])
        with np.load(self.folder / "y.npz") as archive:
            self.assertEqual([float(row[3]) for row in rows[1:]], archive["features"][:, -1].tolist())
        self.expect(2, "denormalize", "y.npz", "-o", "x.npz")
        self.write("narrow.csv", "1,2\n")
        err = self.expect(5, "denormalize", "narrow.csv", "--header", "no", "--normalize", "n.json", "-o", "x.npz").err
        self.assertIn("the input has 2 features of numbers, and the normaliser n.json takes 6", err)

    def test_sparse_features_keep_zeros_or_are_refused(self):
        self.write("t.csv", "y,a,b,k\n0,1,4,p\n1,2,0,q\n0,3,5,p\n")
        words = ("denormalize", "y.libsvm", "--index-base", "1", "--normalize", "n.json", "-o", "x.csv", "-f")
        words = (*words, "--absent")
        self.fit("t.csv", "a=standardize; b=max-abs; k=one-hot", "--label", "y")
        self.convert("t.csv", "y.libsvm", "--absent", "zero")
        err = self.expect(2, *words, "zero").err
        self.assertIn('the zeros that it leaves out are other numbers in "a" when it is undone', err)
        self.convert("t.csv", "y.libsvm", "--absent", "missing")
        self.ok(*words, "missing")
        self.assertEqual(self.read("x.csv").splitlines()[1], b"1,2,0,q")
        self.fit("t.csv", "max-abs; k=one-hot", "--label", "y")
        self.convert("t.csv", "y.libsvm", "--absent", "zero")
        self.ok(*words, "zero")
        self.assertEqual(self.read("x.csv"), b"0,1,4,p\n1,2,0,q\n0,3,5,p\n")
        self.fit("t.csv", "a=impute(0, indicator) + max-abs; b=max-abs", "--label", "y", "--ignore", "k")
        self.convert("t.csv", "y.libsvm", "--absent", "zero")
        for absent in ("zero", "missing"):
            err = self.expect(2, *words, absent).err
            self.assertIn("columns of indicators, which go when it is undone, have a place in it", err)


class Words(DenormalizeTest):
    odd = ["a,b", 'Ro"me', '"', "two\nlines", "cr\rlf\r\n", " blank", "tab\t", "#x", "Zürich", "\ufeffmark"]
    odd.append("x" * 4096)

    def test_words_and_numbers_come_back(self):
        choose = random.Random(5)
        cities = self.odd + ["Paris"] * 20
        rows = [["y", "x", "city", "kind", "ok"]]
        for _ in range(3000):
            kind = choose.choice(["k1", "k,2", ""])
            values = [repr(float(np.float32(choose.uniform(16, 31)))), choose.choice(cities), kind]
            rows.append([choose.choice(["cat", 'd"og', "x,y"]), *values, choose.choice(["true", "false", ""])])
        self.write("t.csv", table(rows))
        self.fit("t.csv", "standardize; city=one-hot; kind=ordinal; ok=boolean", "--label", "y")
        self.convert("t.csv", "y.npz")
        found, err = self.words("y.npz")
        self.assertEqual(found[0], rows[0])
        self.assert_same_rows([row[:1] + row[2:] for row in found], [row[:1] + row[2:] for row in rows])
        given, undone = (np.array([float(row[1]) for row in each[1:]]) for each in (rows, found))
        self.assertTrue((np.abs(given - undone) <= ulp(given)).all())
        self.assertNotIn("stays as it is", err)
        manifest_of = ("denormalize", "y.npz", "--normalize", "n.json", "-o", "x.csv", "--output-header")
        err = self.ok(*manifest_of).err
        self.assertIn("3,000 records, 4 features -> x.csv", err)
        self.assertEqual(json.loads(self.read("_x.csv.manifest.json"))["output"]["features"], rows[0][1:])
        # And what came back becomes the same codes again.
        self.convert("x.csv", "again.csv")
        self.convert("t.csv", "first.csv")
        again, first = (
            [line.split(",")[:1] + line.split(",")[2:] for line in self.read(name).decode().splitlines()]
            for name in ("again.csv", "first.csv")
        )
        self.assert_same_rows(again, first)

    def test_bytes_do_not_depend_on_threads_and_slots(self):
        choose = random.Random(6)
        rows = [["x", "city", "kind"]]
        for i in range(20000):
            rows.append([i % 97, choose.choice(self.odd[:-1] + [""]), choose.choice("abc")])
        self.write("t.csv", table(rows))
        self.fit("t.csv", "max-abs; city=one-hot; kind=ordinal")
        self.convert("t.csv", "y.csv", "--output-header")
        self.convert("t.csv", "y.rec")
        self.convert("t.csv", "y.npz")
        wanted = None
        for name, words in (
            ("y.npz", ()),
            ("y.csv", ("-j", "1")),
            ("y.csv", ("-j", "8", "--slot-size", "64KiB")),
            ("y.csv", ("-j", "3", "--memory", "64MiB")),
            ("y.rec", ("-j", "8", "--slot-size", "64KiB")),
        ):
            out = self.ok("denormalize", name, "--normalize", "n.json", "-o", "-", "--to", "csv", *words).stdout
            wanted = wanted or hashlib.sha256(out).hexdigest()
            self.assertEqual(hashlib.sha256(out).hexdigest(), wanted, (name, words))
        found = [row[1:] for row in csv.reader(io.StringIO(out.decode(), newline=""))]
        self.assert_same_rows(found, [row[1:] for row in rows[1:]])
        part, _ = self.words("y.csv", "--skip", "7", "--limit", "3")
        self.assertEqual([row[1:] for row in part[1:]], [row[1:] for row in rows[8:11]])

    def test_unknown_and_missing_words_are_empty_cells(self):
        self.write("t.csv", "a,b,c,z\np,p,p,0\np,p,p,0\nq,q,q,1\n")
        self.write("more.csv", "a,b,c,z\nnew,new,new,0\n,,,1\nq,q,,0\n")
        self.fit("t.csv", "a=one-hot(unknown=other); b=ordinal(unknown=other); c=one-hot(unknown=ignore); none")
        self.convert("more.csv", "y.npz")
        with np.load(self.folder / "y.npz") as archive:
            self.assertEqual(archive["features"][0].tolist(), [0, 0, 0, 1, 2, 0, 0])
        rows, err = self.words("y.npz")
        self.assertEqual(rows, [["z", "a", "b", "c"], ["0", "", "", ""], ["1", "", "", ""], ["0", "q", "q", ""]])
        self.assertIn('"a": words that were in no vocabulary are missing', err)
        self.assertIn('"b": words that were in no vocabulary are missing', err)
        self.assertNotIn('"c"', err)

    def there_and_back(self, text, spec, *words):
        """The lines that `denormalize` makes of `text`, fitted and converted."""
        self.write("t.csv", text)
        self.fit("t.csv", spec, *words)
        self.convert("t.csv", "y.npz")
        return self.ok("denormalize", "y.npz", "--normalize", "n.json", "-o", "-", "--to", "csv").stdout

    def test_a_missing_word_alone_is_no_blank_line(self):
        out = self.there_and_back('a\np\n""\nq\n', "a=ordinal", "--header", "yes")
        self.assertEqual(out, b'p\n""\nq\n')

    def test_a_word_that_looks_like_a_byte_order_mark_is_quoted(self):
        self.write("t.csv", 'a,z\n"\ufeffmark",1\nq,2\n')
        self.fit("t.csv", "a=ordinal", "--ignore", "z")
        self.write("y.csv", "1\n0\n")
        words = ("y.csv", "--header", "no", "--normalize", "n.json", "-o", "-", "--to", "csv")
        self.assertEqual(self.ok("denormalize", *words).stdout, '"\ufeffmark"\nq\n'.encode())

    def test_words_like_comments_and_marks_of_files_are_quoted(self):
        marks = ["#c", "\x1f\x8bgz", "PK\x03\x04", "é"]
        lines = "".join(f'"{mark}"\n' for mark in marks)
        out = self.there_and_back("a\n" + lines, "a=ordinal", "--comment", "#", "--header", "yes")
        self.assertEqual(out.decode(), lines)

    def test_an_empty_word_is_quoted(self):
        out = self.there_and_back("a,z\np,1\n,2\nNA,3\n", "a=one-hot; none", "--null", "NA")
        self.assertEqual(out, b'1,p\n2,""\n3,\n')

    def test_outputs_that_hold_no_words(self):
        self.write("t.csv", "y,a\nno,p\nyes,q\n")
        self.fit("t.csv", "a=one-hot", "--label", "y", "--header", "yes")
        self.convert("t.csv", "y.npz")
        for name in ("x.npz", "x.rec", "x.libsvm"):
            words = ("--absent", "missing") if name == "x.libsvm" else ()
            err = self.ok("denormalize", "y.npz", "--normalize", "n.json", "-o", name, *words).err
            self.assertIn('"a" stays as it is: one-hot(unknown=fault); CSV holds words', err)
        self.assertEqual(self.read("x.libsvm"), b"0 1:1 2:0\n1 1:0 2:1\n")
        with np.load(self.folder / "x.npz") as found:
            self.assertEqual(found["features"].tolist(), [[1, 0], [0, 1]])
            self.assertEqual(found["label"].tolist(), [0, 1])


class Labels(DenormalizeTest):
    def test_positive_and_maps(self):
        self.write("t.csv", "y,a\nno,1\nyes,2\nmaybe,3\n")
        self.fit("t.csv", "none", "--label", "y", "--positive", "yes")
        self.convert("t.csv", "y.npz")
        rows, err = self.words("y.npz")
        self.assertEqual([row[0] for row in rows[1:]], ["0", "1", "0"])
        self.assertIn("the label stays as it is: several classes have the same number", err)
        self.fit("t.csv", "none", "--label", "y", "--label-map", 'maybe=-1,no=7,yes=0.5')
        self.convert("t.csv", "y.rec")
        self.assertEqual(self.words("y.rec")[0], [["y", "a"], ["no", "1"], ["yes", "2"], ["maybe", "3"]])

    def test_labels_that_are_missing_or_no_class(self):
        self.write("t.csv", "y,a\nno,1\nyes,2\n")
        self.fit("t.csv", "none", "--label", "y")
        np.savez(self.folder / "y.npz", features=np.float32([[1], [2]]), label=np.float32([np.nan, 1]))
        self.assertEqual(self.words("y.npz")[0], [["y", "a"], ["", "1"], ["yes", "2"]])
        np.savez(self.folder / "y.npz", features=np.float32([[1], [2]]), label=np.float32([1, 0.75]))
        _, err = self.words("y.npz", status=1)
        self.assertIn("row 2: label: expected the number of a class, found 0.75", err)
        self.assertIn("--drop label", err)
        self.assertEqual(self.words("y.npz", "--drop", "label")[0], [["a"], ["1"], ["2"]])


class Times(DenormalizeTest):
    seen = ["2024-02-29", "2024-02-29T23:59:59.5Z", "1969-12-31T00:00:01Z", "", "0001-01-01", "9999-12-31T23:59:59Z"]

    def test_in_float64(self):
        self.write("t.csv", "day,x\n" + "".join(f"{each},1\n" for each in self.seen + ["2024-05-01T02:00+02:00"]))
        self.fit("t.csv", "day=time(month, epoch); none", "--dtype", "float64")
        self.convert("t.csv", "y.npz")
        self.convert("t.csv", "y.csv", "--output-header")
        self.assertEqual(self.words("y.npz")[0][1:], [["1", each] for each in self.seen + ["2024-05-01"]])
        self.assertEqual(self.words("y.csv", "--dtype", "float64")[0], self.words("y.npz")[0])
        _, err = self.words("y.csv", status=5)
        self.assertIn("the input has features of float32, and times are written from float64", err)
        self.assertIn("--dtype float64", err)

    def test_in_their_format(self):
        for format, cells in (
            ("us", ["2/29/2024", "12/1/1969 07:05:00.25"]),
            ("european", ["29.2.2024", "1.12.1969 07:05:00.25"]),
            ("epoch", ["1709251199", "-1"]),
            ("epoch_ms", ["1709251199500", "-1"]),
        ):
            self.write("t.csv", "day,x\n" + "".join(f"{each},1\n" for each in cells))
            self.fit("t.csv", f"day=time(format={format}); none", "--dtype", "float64")
            self.convert("t.csv", "y.npz")
            self.assertEqual([row[1] for row in self.words("y.npz")[0][1:]], cells)

    def test_in_float32_they_stay_seconds(self):
        self.write("t.csv", "day,x\n2024-02-29,1\n")
        for spec, name in (("day=time; none", "day.epoch"), ("day=time(month); none", "day.month")):
            self.fit("t.csv", spec)
            self.convert("t.csv", "y.npz")
            rows, err = self.words("y.npz")
            self.assertEqual(rows[0], ["x", name])
            self.assertIn('"day" stays as it is: time(', err)


class BadCodes(DenormalizeTest):
    def setUp(self):
        super().setUp()
        self.write("t.csv", "y,a,city,kind,ok\n0,1,Paris,p,true\n0,2,Paris,p,no\n1,3,Rome,q,yes\n")
        self.fit("t.csv", "none; city=one-hot; kind=ordinal; ok=boolean", "--label", "y")

    def test_codes_that_are_none(self):
        one_hot = '"city": expected 0 in all of its columns, or 1 in one of them, found '
        for bad, said in (
            ("0,1,1,1,0,0", one_hot + '1 for "Paris", 1 for "Rome"'),
            ("0,1,0.5,0,0,0", one_hot + '0.5 for "Paris"'),
            ("0,1,0,,0,0", one_hot + 'NaN for "Rome"'),
            ("0,1,0,1,2,0", '"kind": expected a whole number from 0 to 1, found 2'),
            ("0,1,0,1,-1,0", '"kind": expected a whole number from 0 to 1, found -1'),
            ("0,1,0,1,0.5,0", '"kind": expected a whole number from 0 to 1, found 0.5'),
            ("0,1,0,1,0,2", '"ok": expected a whole number from 0 to 1, found 2'),
        ):
            self.write("y.csv", CODES + "0,1,0,0,,\n" * 9 + bad + "\n0,1,0,1,3,0\n")
            _, err = self.words("y.csv", "--label", "y", "--on-error", "skip", status=1)
            self.assertIn("y.csv: record 10: column " + said, err)
            self.assertIn("Outputs other than CSV keep numbers", err)
            self.ok("denormalize", "y.csv", "--label", "y", "--normalize", "n.json", "-o", "x.npz", "-f")

    def test_what_comes_before_and_behind_does_not_depend_on_slots(self):
        lines = ["0,1,0,1,1,0\n" for _ in range(30000)]
        lines[20000] = "0,1,0,1,7,0\n"
        lines[100] = lines[20005] = lines[29000] = "bad,1\n"
        self.write("y.csv", CODES + "".join(lines))
        outs, errs = set(), set()
        for words in (("-j", "1"), ("-j", "8", "--slot-size", "64KiB"), ("-j", "2", "--memory", "40MiB")):
            command = ("denormalize", "y.csv", "--label", "y", "--normalize", "n.json", "--to", "csv", *words)
            result = self.expect(1, *command, "-o", "-", "--on-error", "skip")
            self.assertIn("y.csv: record 20,001: column", result.err)
            outs.add(result.stdout)
            errs.add(result.err)
        self.assertEqual((len(outs), len(errs)), (1, 1))
        self.assertEqual(outs.pop().count(b"\n"), 19999)
        self.assertIn("y.csv:102:", errs.pop())

    def test_rows_of_arrays_count_from_the_first(self):
        self.write("y.csv", CODES + "0,1,0,1,1,0\n" * 3 + "0,1,0,1,7,0\n")
        self.ok("convert", "y.csv", "--label", "y", "-o", "y.npz")
        for words in ((), ("--skip", "2")):
            _, err = self.words("y.npz", *words, status=1)
            self.assertIn("row 4: column", err)

    def test_rows_that_are_not_wanted_are_not_judged(self):
        self.write("y.csv", CODES + "0,1,0,1,7,0\n0,2,1,0,1,1\n1,3,0,1,7,0\n")
        rows, _ = self.words("y.csv", "--label", "y", "--skip", "1", "--limit", "1")
        self.assertEqual(rows[1:], [["0", "2", "Paris", "q", "true"]])


if __name__ == "__main__":
    main()
