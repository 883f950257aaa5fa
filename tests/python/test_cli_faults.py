#!/usr/bin/env python3
"""What `penstock convert` does about bad records: texts, exit codes, budgets, quarantine. Standard library only."""

import base64
import json
import math
import struct
import unittest

from _cli import CliTest, main, parse_npy, read_npz

HEADER = "a,b,y\n"

# One bad record each: its code, the line, the byte column and the words that the message must hold.
FAULTS = (
    ("not_a_number", "x4,1,0", 1, 'expected a number, found "x4"', ()),
    ("not_a_number", "1,2 ,0", 3, 'expected a number, found "2 "', ()),
    ("not_an_integer", "1,2.5,0", 3, "expected an integer", ("--dtype", "int32")),
    ("out_of_range", "1,1e40,0", 3, 'found "1e40"', ()),
    ("out_of_range", "3000000000,1,0", 1, 'found "3000000000"', ("--dtype", "int32")),
    ("non_finite", "1,-inf,0", 3, 'found "-inf"', ()),
    ("missing_value", "1,2,", 5, "missing", ()),
    ("missing_value", "1,,0", 3, "missing", ("--dtype", "int64")),
    ("unmapped_label", "1,2,maybe", 5, 'found "maybe"', ("--label-map", "0=0,1=1")),
    ("too_few_fields", "1,2", 4, "2 fields, expected 3", ()),
    ("too_many_fields", "1,2,0,9", 7, "expected 3", ()),
    ("unterminated_quote", '1,"2,0', 3, "never closed", ()),
    ("stray_quote", '1,"2"3,0', 6, "quote", ("--quotes", "strict")),
    ("record_too_long", "1,2," + "0" * 70, 1, "longer than allowed", ("--max-record-size", "64")),
)


class Faults(CliTest):
    def make(self, bad):
        self.write("in.csv", HEADER + "1,2,0\n" + bad + "\n3,4,1\n")

    def convert(self, status, out, *words):
        return self.expect(status, "convert", "in.csv", "--label", "y", *words, "-o", out)

    def test_fail_names_place_cause_and_remedy(self):
        for code, bad, column, text, words in FAULTS:
            with self.subTest(code=code, bad=bad):
                self.make(bad)
                err = self.convert(1, "out.npz", *words).err
                self.assertIn(f"penstock: in.csv:3:{column}: ", err)
                self.assertIn(text, err)
                self.assertIn("--on-error", err)
                self.assertRegex(err, r"\n *\^~*\n")
                self.assertEqual(self.names(), ["in.csv"])

    def test_skip_leaves_the_record_out(self):
        for code, bad, column, _, words in FAULTS:
            with self.subTest(code=code, bad=bad):
                self.make(bad)
                err = self.convert(0, "out.npz", "-f", "--on-error", "skip", *words).err
                self.assertIn(f"in.csv:3:{column}: ", err)
                self.assertIn("1 record was rejected (33.3 %)", err)
                self.assertEqual(read_npz(self.folder / "out.npz")["features"][2], [1, 2, 3, 4])

    def test_quarantine_keeps_the_record_and_what_is_wrong(self):
        for code, bad, column, text, words in FAULTS:
            with self.subTest(code=code, bad=bad):
                self.make(bad)
                self.convert(0, "out.npz", "-f", "--on-error", "quarantine", *words)
                self.assertEqual(self.read("_out.npz.rejects.csv").decode(), HEADER + bad + "\n")
                (line,) = self.read("_out.npz.rejects.jsonl").decode().splitlines()
                reject = json.loads(line)
                self.assertEqual((reject["code"], reject["file"]), (code, "in.csv"))
                self.assertEqual((reject["record"], reject["line"], reject["column"]), (2, 3, column))
                self.assertEqual(reject["offset_bytes"], len(HEADER + "1,2,0\n") + column - 1)
                self.assertIn(text, reject["message"])

    def test_null_repairs_features_and_nothing_else(self):
        self.make("x4,1,0")
        err = self.convert(0, "out.npz", "--on-error", "null").err
        self.assertIn("made missing", err)
        self.assertIn("1 bad cell was made missing", err)
        values = read_npz(self.folder / "out.npz")["features"][2]
        self.assertTrue(math.isnan(values[2]) and values[3:] == [1, 3, 4])
        for bad in ("1,2,x", "1,2"):
            self.make(bad)
            self.convert(1, "no.npz", "--on-error", "null")

    def test_five_faults_are_shown_and_the_rest_counted(self):
        self.write("in.csv", HEADER + "1,2,0\n" + "x,1,1\n" * 12)
        err = self.convert(0, "out.npz", "--on-error", "skip").err
        self.assertEqual(err.count("; rejected"), 5)
        self.assertIn("... and 7 more", err)
        self.assertIn("12 records were rejected", err)
        self.assertNotIn("rejected", self.convert(0, "quiet.npz", "--on-error", "skip", "-q").err)

    def test_budgets(self):
        self.write("in.csv", HEADER + "1,2,0\nx,1,1\n3,4,1\ny,1,1\n")
        for budget, status in (("2", 0), ("1", 1), ("0", 1), ("50%", 0), ("49.9%", 1), ("100%", 0)):
            with self.subTest(budget=budget):
                self.convert(status, "out.npz", "-f", "--on-error", "skip", "--max-errors", budget)
                self.assertEqual((self.folder / "out.npz").exists(), status == 0)
                (self.folder / "out.npz").unlink(missing_ok=True)

    def test_beyond_the_budget_rejects_are_kept(self):
        self.write("in.csv", HEADER + "1,2,0\nx,1,1\n3,4,1\ny,1,1\n")
        err = self.convert(1, "out.npz", "--on-error", "quarantine", "--max-errors", "1").err
        self.assertIn("--max-errors", err)
        self.assertEqual(self.names(), ["_out.npz.rejects.csv", "_out.npz.rejects.jsonl", "in.csv"])
        self.assertEqual(self.read("_out.npz.rejects.csv"), b"a,b,y\nx,1,1\ny,1,1\n")

    def test_no_record_left(self):
        self.write("in.csv", HEADER + "1,,0\n2,,1\n")
        err = self.convert(1, "out.npz", "--dtype", "int32", "--on-error", "skip").err
        self.assertIn("no records are left: all 2 were rejected", err)
        self.assertEqual(self.names(), ["in.csv"])


class Quarantine(CliTest):
    def test_mended_rejects_convert(self):
        self.write("in.csv", "a;b\r\n1;2\r\n3;x\r\n5;6\r\n")
        self.ok("convert", "in.csv", "--on-error", "quarantine", "-o", "d.npy")
        mended = self.read("_d.npy.rejects.csv").replace(b"x", b"4")
        self.write("mended.csv", mended)
        self.ok("convert", "mended.csv", "-o", "mended.npy")
        self.assertEqual(parse_npy(self.read("mended.npy"))[2], [3, 4])

    def test_no_rejects_no_files(self):
        self.write("in.csv", "1,2\n")
        self.ok("convert", "in.csv", "--header", "no", "--on-error", "quarantine", "-o", "out.rec")
        self.assertEqual(self.names(), ["in.csv", "out.rec"])

    def test_rejects_are_not_overwritten(self):
        self.write("in.csv", "1\nx\n2\n")
        self.write("_out.npy.rejects.csv", "mine")
        words = ("convert", "in.csv", "--header", "no", "--on-error", "quarantine", "-o", "out.npy")
        self.expect(4, *words)
        self.assertEqual(self.names(), ["_out.npy.rejects.csv", "in.csv"])
        self.ok(*words, "-f")
        self.assertEqual(self.read("_out.npy.rejects.csv"), b"x\n")
        self.write("in.csv", "1\n2\n")  # all good now: what the earlier run left would mislead
        self.ok(*words, "-f")
        self.assertEqual(self.names(), ["in.csv", "out.npy"])

    def test_prefix(self):
        self.write("in.csv", "1\nx\n2\n")
        words = ("convert", "in.csv", "--header", "no", "--on-error", "quarantine", "--to", "csv", "-o", "-")
        self.assertIn("--rejects", self.expect(2, *words).err)
        result = self.ok(*words, "--rejects", "bad")
        self.assertEqual(result.stdout, b"1\n2\n")
        self.assertEqual(self.names(), ["bad.rejects.csv", "bad.rejects.jsonl", "in.csv"])

    def test_bytes_that_are_no_text(self):
        cell = b"\xff\xfe\x00\"\"caf\xc3\xa9"
        self.write("in.csv", b"1,2\n1,\"" + cell + b"\"\n3,4\n")
        self.ok("convert", "in.csv", "--header", "no", "--on-error", "quarantine", "-o", "out.npy")
        reject = json.loads(self.read("_out.npy.rejects.jsonl"))
        raw = b'"' + cell + b'"'
        self.assertEqual(base64.b64decode(reject["cell_base64"]), raw)
        self.assertEqual(reject["cell"], '"\u00ff\u00fe\u0000""caf\u00e9"')
        self.assertEqual(self.read("_out.npy.rejects.csv"), b"1," + raw + b"\n")

    def test_headers_in_other_orders_get_files_of_their_own(self):
        self.write("a.csv", "a,b\n1,2\n1,x\n")
        self.write("b.csv", "b,a\n20,10\ny,10\n")
        self.ok("convert", "a.csv", "b.csv", "--on-error", "quarantine", "-o", "out.npy")
        self.assertEqual(self.read("_out.npy.rejects.csv"), b"a,b\n1,x\n")
        self.assertEqual(self.read("_out.npy.rejects.2.csv"), b"b,a\ny,10\n")
        lines = self.read("_out.npy.rejects.jsonl").decode().splitlines()
        self.assertEqual([json.loads(line)["field_name"] for line in lines], ["b", "b"])

    def test_a_record_longer_than_a_slot_is_kept_whole(self):
        long = b"1," + b"x" * 300000
        self.write("in.csv", b"1,2\n" + long + b"\n3,4\n")
        words = ("--on-error", "quarantine", "--slot-size", "4KiB", "--max-record-size", "8KiB")
        self.ok("convert", "in.csv", "--header", "no", *words, "-o", "out.npy")
        self.assertEqual(self.read("_out.npy.rejects.csv"), long + b"\n")
        self.assertEqual(json.loads(self.read("_out.npy.rejects.jsonl"))["code"], "record_too_long")

    def test_rejects_do_not_depend_on_the_cut(self):
        lines = [f"{i},{'bad' if i % 37 == 5 else i}" if i % 41 else f"{i}" for i in range(5000)]
        self.write("in.csv", "a,b\n" + "\n".join(lines))
        seen = set()
        for words in ((), ("-j", "1"), ("-j", "4", "--slot-size", "1KiB"), ("--slot-size", "100")):
            self.ok("convert", "in.csv", "--on-error", "quarantine", *words, "-f", "-o", "out.npz", "-q")
            files = (self.read(name) for name in ("out.npz", "_out.npz.rejects.csv", "_out.npz.rejects.jsonl"))
            seen.add(b"|".join(files))
        self.assertEqual(len(seen), 1)

    def test_the_first_fault_does_not_depend_on_the_cut(self):
        self.write("in.csv", "a,b\n" + "1,2\n" * 3000 + "1,x\n" + "1,2\n" * 10 + "1\n")
        texts = {
            self.expect(1, "convert", "in.csv", *words, "-o", "out.npz").err
            for words in ((), ("-j1",), ("-j4", "--slot-size", "1KiB"), ("--slot-size", "100"))
        }
        self.assertEqual(len(texts), 1, texts)
        self.assertIn("in.csv:3002:3: ", texts.pop())
        self.assertEqual(self.names(), ["in.csv"])


class Bits(CliTest):
    def test_missing_is_the_quiet_nan(self):
        self.write("in.csv", "1,NA\n,-nan\nnull,NaN\n")
        self.ok("convert", "in.csv", "--header", "no", "-o", "out.npy")
        bits = struct.unpack("<6I", self.read("out.npy")[128:])
        self.assertEqual(bits, (0x3F800000,) + (0x7FC00000,) * 5)


if __name__ == "__main__":
    main()
