#!/usr/bin/env python3
"""`penstock validate` as its users run it. Standard library only."""

import json
import os
import struct
import unittest

from _cli import CliTest, gzipped, main

MAGIC = 0xCED7230A


def frame(payload, flag=0):
    return struct.pack("<II", MAGIC, flag << 29 | len(payload)) + payload + b"\0" * (-len(payload) % 4)


def field(number, content):
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def entry(number, tensor, kind=2):
    return field(number, field(1, b"values") + field(2, field(kind, tensor)))


def floats(*values):
    return field(1, struct.pack(f"<{len(values)}f", *values))


ROW = entry(1, floats(1, 2)) + entry(2, floats(1))
SPARSE = entry(1, floats(1, 2) + field(2, bytes([1, 4])) + field(3, bytes([5]))) + entry(2, floats(1))
OUTSIDE = entry(1, floats(1, 2) + field(2, bytes([1, 9])) + field(3, bytes([5]))) + entry(2, floats(1))
WARNED = entry(1, floats(float("inf"), 2)) + entry(2, floats(1))


class Validate(CliTest):
    def setUp(self):
        super().setUp()
        self.write("good.rec", frame(ROW) * 3)
        self.write("bad.rec", frame(SPARSE) + frame(OUTSIDE))
        self.write("warned.rec", frame(ROW) + frame(WARNED))

    def lines(self, status, *words, **options):
        return self.expect(status, "validate", *words, **options).stdout.decode().splitlines()

    def report(self, status, *words, **options):
        (line,) = self.lines(status, *words, "--json", **options)
        return json.loads(line)

    def test_nothing_to_report(self):
        self.assertEqual(self.lines(0, "good.rec"), ["good.rec: 3 records, nothing to report"])
        self.write("none.rec", b"")
        self.assertEqual(self.lines(0, "none.rec"), ["none.rec: 0 records, nothing to report"])

    def test_what_penstock_writes_is_clean(self):
        self.write("in.csv", "a,b,y\n1,2.5,0\n-3,,1\n0.1,4e2,1\n")
        self.ok("convert", "in.csv", "--label", "y", "-o", "out.rec")
        # The empty cell is a NaN, on purpose.
        self.assertEqual(self.report(0, "out.rec")["counts"], {"nan_value": 1})
        self.ok("convert", "in.csv", "--columns", "a", "--label", "y", "-o", "whole.rec")
        self.assertEqual(self.report(0, "whole.rec")["counts"], {})

    def test_an_error_says_where(self):
        lines = self.lines(1, "bad.rec")
        second = len(frame(SPARSE))
        at = second + 8 + OUTSIDE.index(bytes([1, 9, 0x1A])) + 1
        self.assertTrue(
            lines[0].startswith(
                f'bad.rec: frame 2 (byte {second}), features["values"].keys[1] at byte {at}: error key_out_of_shape: '
                "key 9 lies outside of the shape, which ends at 5"
            ),
            lines[0],
        )
        self.assertEqual(lines[1:], ["bad.rec: 2 records, 1 error, 0 warnings", "  error    key_out_of_shape      1"])

    def test_warnings_are_allowed_unless_strict(self):
        lines = self.lines(0, "warned.rec")
        self.assertIn('features["values"].values[0] at byte ', lines[0])
        self.assertIn("warning infinite_value: ", lines[0])
        self.assertEqual(self.lines(1, "warned.rec", "--strict"), lines)
        self.assertTrue(self.report(0, "warned.rec")["ok"])
        self.assertFalse(self.report(1, "warned.rec", "--strict")["ok"])
        self.ok("validate", "good.rec", "--strict")

    def test_json(self):
        report = self.report(1, "good.rec", "bad.rec")
        self.assertEqual((report["schema_version"], report["command"], report["ok"]), (1, "validate", False))
        self.assertEqual((report["records"], report["errors"]), (5, 1))
        self.assertEqual(
            report["inputs"][0], {"path": "good.rec", "frames": 3, "records": 3, "errors": 0, "warnings": 0}
        )
        # Both records of the second input are sparse, unlike the first record of the first.
        self.assertEqual(report["counts"], {"key_out_of_shape": 1, "density_mismatch": 2})
        (finding,) = [each for each in report["findings"] if each["severity"] == "error"]
        offset = len(frame(SPARSE))
        self.assertEqual(
            (finding["input"], finding["frame"], finding["frame_offset_bytes"], finding["field"], finding["rule"]),
            ("bad.rec", 2, offset, 'features["values"].keys[1]', "key_out_of_shape"),
        )
        self.assertGreater(finding["offset_bytes"], offset)
        self.assertIn("key 9", finding["message"])

    def test_the_first_of_each_rule_are_shown_and_all_are_counted(self):
        self.write("many.rec", frame(WARNED) * 1234)
        lines = self.lines(0, "many.rec")
        self.assertEqual(len(lines), 5 + 2)
        self.assertEqual(lines[-2], "many.rec: 1,234 records, 0 errors, 1,234 warnings")
        self.assertEqual(lines[-1], "  warning  infinite_value        1,234 (5 shown)")
        self.assertEqual(len(self.lines(0, "many.rec", "--show", "0")), 2)
        self.assertEqual(len(self.lines(0, "many.rec", "--show", "2000")), 1236)
        report = self.report(0, "many.rec", "--show", "2")
        self.assertEqual((len(report["findings"]), report["counts"]), (2, {"infinite_value": 1234}))

    def test_quiet(self):
        self.write("both.rec", frame(SPARSE) + frame(OUTSIDE) + frame(ROW))
        loud = self.lines(1, "both.rec")
        self.assertEqual([line.split(": ")[2].split(" ")[0] for line in loud[:2]], ["error", "warning"])
        quiet = self.lines(1, "both.rec", "-q")
        self.assertEqual(quiet[:3], [loud[0], *loud[2:4]])
        self.assertEqual(quiet[3:], ["  warning  density_mismatch      1 (0 shown)"])
        self.assertEqual(self.lines(1, "both.rec", "-qq"), [loud[0]])
        self.assertEqual(self.lines(0, "good.rec", "-qq"), [])
        self.assertEqual(self.report(1, "both.rec", "-qq"), self.report(1, "both.rec"))

    def test_gzip_folders_and_standard_input(self):
        self.write("shards/a.rec.gz", gzipped(frame(ROW) * 2))
        self.write("shards/b.rec", frame(ROW))
        self.write("shards/_SUCCESS", b"")
        report = self.report(0, "shards")
        records = [(each["path"], each["records"]) for each in report["inputs"]]
        self.assertEqual(records, [("shards/a.rec.gz", 2), ("shards/b.rec", 1)])
        self.assertEqual(self.lines(0, "shards"), ["2 inputs: 3 records, nothing to report"])
        self.assertEqual(self.lines(0, "-", stdin=frame(ROW)), ["<stdin>: 1 record, nothing to report"])

    def test_text_is_no_frame(self):
        self.write("in.csv", "1,2,3\n")
        self.assertIn("in.csv: frame 1 (byte 0): error bad_magic: ", self.lines(1, "in.csv")[0])

    def test_cut_at_every_byte(self):
        payload = ROW + field(3, b"abcd")
        one = frame(payload)
        padding = len(one) - 8 - len(payload)
        self.assertEqual(padding, 2)
        whole = {end - missing for end in (len(one), 2 * len(one)) for missing in range(padding + 1)} | {0}
        for size in range(2 * len(one) + 1):
            self.write("cut.rec", (one * 2)[:size])
            self.lines(0 if size in whole else 1, "cut.rec")

    def test_records_larger_than_the_limit_and_than_the_window(self):
        large = 3 << 20
        size = [large & 0x7F | 0x80, large >> 7 & 0x7F | 0x80, large >> 14 & 0x7F | 0x80, large >> 21]
        content = frame(bytes([0x1A, *size]) + b"u" * large) + frame(OUTSIDE)
        self.write("large.rec", content)
        self.assertEqual(
            self.report(1, "large.rec")["counts"],
            {"no_values_key": 1, "key_out_of_shape": 1, "names_mismatch": 1, "label_mismatch": 1},
        )
        report = self.report(1, "large.rec", "--max-record-size", "1MiB")
        self.assertEqual(report["counts"], {"record_too_large": 1, "key_out_of_shape": 1})
        self.assertEqual(report["records"], 2)
        self.assertEqual(self.report(1, "-", "--max-record-size", "1MiB", stdin=content)["counts"], report["counts"])

    def test_split_records(self):
        self.write("split.rec", frame(ROW[:5], 1) + frame(ROW[5:], 3) + frame(ROW, 3))
        report = self.report(1, "split.rec")
        self.assertEqual(report["counts"], {"split_concatenated": 1, "bad_part_sequence": 1})
        self.assertEqual((report["inputs"][0]["frames"], report["records"]), (3, 1))

    def test_names_are_safe_for_a_terminal(self):
        hostile = field(1, field(1, b"\x1b[2J\xff") + field(2, field(2, floats(1))))
        self.write("x.rec", frame(entry(1, floats(1)) + hostile))
        text = "\n".join(self.lines(0, "x.rec"))
        self.assertNotIn("\x1b", text)
        self.assertIn('features["\\x1b[2J\\xff"]', text)
        self.assertEqual(self.report(0, "x.rec")["findings"][0]["field"], 'features["\x1b[2J\u00ff"]')

    def test_bad_command_lines(self):
        self.expect(2, "validate")
        self.expect(2, "validate", "good.rec", "--show", "some")
        self.expect(2, "validate", "good.rec", "--max-record-size", "big")
        self.expect(3, "validate", "absent.rec")

    def test_an_input_that_cannot_be_read_comes_after_what_was_found(self):
        self.write("damaged.rec.gz", gzipped(frame(ROW) * 5000)[:-20])
        result = self.expect(3, "validate", "bad.rec", "damaged.rec.gz")
        self.assertIn(b"error key_out_of_shape", result.stdout)
        self.assertIn("damaged.rec.gz", result.err)

    def test_other_peoples_files(self):
        shape_only = self.shared("recordio/sparse_edge_cases_single_value_center.pbr")
        counts = self.report(0, shape_only)["counts"]
        self.assertEqual(counts, {"shape_only_row": 2, "feature_type": 3, "label_type": 3})
        folder = os.path.dirname(shape_only)
        self.assertEqual(self.report(0, folder)["errors"], 0)


if __name__ == "__main__":
    main()
