#!/usr/bin/env python3
"""`penstock head`, `inspect`, `diff` and `synth` as their users run them. Standard library only."""

import json
import os
import shlex
import struct
import subprocess
import threading
import unittest
import zipfile

from _cli import PENSTOCK, CliTest, gzipped, main, read_npz

SMALL = "a,b,y\n1,2.5,0\n-3,,1\n0.1,4e2,1\n"
RECORDS = [
    {"features": [1, 2.5], "label": [0]},
    {"features": [-3, None], "label": [1]},
    {"features": [0.1, 400], "label": [1]},
]


def npy(descr, shape, data, **entries):
    header = repr({"descr": descr, "fortran_order": False, "shape": shape, **entries}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def frame(payload):
    return struct.pack("<II", 0xCED7230A, len(payload)) + payload + b"\0" * (-len(payload) % 4)


def message(number, content):
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def record(values, kind=2, code="f"):
    tensor = message(1, struct.pack(f"<{len(values)}{code}", *values))
    return frame(message(1, message(1, b"values") + message(2, message(kind, tensor))))


class Views(CliTest):
    def setUp(self):
        super().setUp()
        self.write("in.csv", SMALL)
        for name in ("out.rec", "out.npz"):
            self.ok("convert", "in.csv", "--label", "y", "-o", name)
        self.ok("convert", "in.csv", "--ignore", "y", "-o", "out.npy")

    def json_lines(self, *words, **options):
        return [json.loads(line) for line in self.ok(*words, "--json", **options).stdout.splitlines()]


class Head(Views):
    def test_json_of_every_format(self):
        for words in (("in.csv", "--label", "y"), ("out.rec",), ("out.npz",)):
            self.assertEqual(self.json_lines("head", *words), RECORDS, words)
        self.assertEqual(self.json_lines("head", "out.npy", "-n1"), [{"features": [1, 2.5]}])

    def test_table(self):
        lines = self.ok("head", "in.csv", "--label", "y").stdout.decode().splitlines()
        self.assertEqual(lines[0].split(), ["record", "label", "a", "b"])
        self.assertEqual(lines[2].split(), ["2", "1", "-3", "NaN"])
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})

    def test_counts(self):
        self.write("n.csv", "".join(f"{i}\n" for i in range(5000)))
        self.ok("convert", "n.csv", "--header", "no", "-o", "n.rec")
        for words in (("head", "n.csv", "--header", "no"), ("head", "n.rec")):
            self.assertEqual(len(self.json_lines(*words)), 10)
            self.assertEqual(self.json_lines(*words, "--skip", "4321", "-n", "1"), [{"features": [4321]}])
            self.assertEqual(len(self.json_lines(*words, "-n", "6000")), 5000)
            self.assertEqual(len(self.json_lines(*words, "-n", "0")), 0)

    def test_content_decides_before_the_name(self):
        os.rename(self.folder / "out.rec", self.folder / "oddly.csv")
        self.assertEqual(self.json_lines("head", "oddly.csv"), RECORDS)
        self.write("packed", gzipped(self.read("oddly.csv")))
        self.assertEqual(self.json_lines("head", "packed"), RECORDS)

    def test_standard_input(self):
        self.assertEqual(self.json_lines("head", "-", "--label", "y", stdin=SMALL.encode()), RECORDS)
        self.assertEqual(self.json_lines("head", "-", stdin=self.read("out.rec")), RECORDS)
        with open(self.folder / "out.rec", "rb") as file:
            result = subprocess.run([PENSTOCK, "head", "-", "--json"], stdin=file, stdout=subprocess.PIPE, check=True)
        self.assertEqual([json.loads(line) for line in result.stdout.splitlines()], RECORDS)

    def test_several_inputs(self):
        self.assertEqual(self.json_lines("head", "out.rec", "out.rec"), RECORDS * 2)
        self.assertEqual(self.json_lines("head", "out.npz", "out.npz", "--skip", "4"), RECORDS[1:])
        self.expect(2, "head", "out.rec", "out.npz")
        self.write("other.csv", "1\n")
        self.ok("convert", "other.csv", "--header", "no", "-o", "other.rec")
        self.assertIn("as in the first record", self.expect(1, "head", "out.rec", "other.rec").err)

    def test_infinities_are_words(self):
        self.assertEqual(
            self.json_lines("head", "-", "--header", "no", "--inf", "pass", stdin=b"inf,-inf\n"), [{"features": ["inf", "-inf"]}]
        )


class Damage(CliTest):
    def test_recordio(self):
        good = record([1, 2])
        for content, kind, text in (
            (good + good[:-3], "truncated_frame", "the input ends inside a frame"),
            (good + b"\x00" * 8, "bad_magic", "no frame begins here"),
            (good + good[:6], "truncated_frame", "the input ends inside a frame"),
            (good + record([1, 2, 3]), "width_mismatch", "expected 2 float32 values, as in the first record"),
            (good + record([1, 2], 3, "d"), "tensor_type_mismatch", "float64"),
        ):
            self.write("x.rec", content)
            self.assertIn(text, self.expect(1, "head", "x.rec").err, content)
            self.assertIn(text, self.expect(1, "diff", "x.rec", "x.rec").err, content)
            facts = json.loads(self.ok("inspect", "x.rec", "--json").stdout)
            self.assertEqual((facts["records"], facts["rejected"]), (1, 1), content)
            self.assertEqual(facts["rejected_kinds"], {kind: 1})
            self.assertIn(text, facts["rejected_examples"][kind])
            self.assertIn(facts["rejected_examples"][kind], self.ok("inspect", "x.rec").stdout.decode())
        self.write("x.rec", b"no record at all\n")
        for verb in ("inspect", "head"):
            self.assertNotEqual(self.run_penstock(verb, "x.rec").returncode, 0)
        self.write("x.rec", good * 2)
        self.ok("inspect", "x.rec")

    def test_records_before_the_damage_are_shown(self):
        self.write("x.rec", record([1, 2]) * 97 + record([1, 2])[:-3])
        self.assertEqual(len(self.ok("head", "x.rec", "-n", "2", "--json").stdout.splitlines()), 2)
        for words in (("--json",), ()):
            shown = self.expect(1, "head", "x.rec", "-n", "200", *words).stdout.splitlines()
            self.assertEqual(len(shown), 97 + (words == ()))
        self.write("x.npy", npy("<f4", (9, 2), struct.pack("<7f", 1, 2, 3, 4, 5, 6, 7)))
        self.assertEqual(len(self.ok("head", "x.npy", "-n", "2", "--json").stdout.splitlines()), 2)
        self.assertEqual(len(self.expect(3, "head", "x.npy", "--json").stdout.splitlines()), 3)
        self.write("x.csv", "1\n2\nx\n4\n")
        for words in (("--json",), ()):
            shown = self.expect(1, "head", "x.csv", "--header", "no", *words).stdout.splitlines()
            self.assertEqual(len(shown), 2 + (words == ()))

    def test_no_records(self):
        for name in ("e.csv", "e.rec", "e.libsvm"):
            self.write(name, "")
            for verb in ("inspect", "head"):
                self.assertIn(f"{name}: no records", self.expect(1, verb, name).err)

    def test_documents_that_are_zip_archives(self):
        with zipfile.ZipFile(self.folder / "x.xlsx", "w") as archive:
            archive.writestr("[Content_Types].xml", "x" * 100)
        for words in (("inspect", "x.xlsx"), ("convert", "x.xlsx", "-o", "out.rec")):
            err = self.expect(3, *words).err
            self.assertIn("a zip archive (a spreadsheet?)", err)
            self.assertNotIn("npz", err)

    def test_npy(self):
        data = struct.pack("<4f", 1, 2, 3, 4)
        for content, status in (
            (npy("<f4", (2, 2), data), 0),
            (npy("<f4", (4,), data), 0),
            (npy("<f4", (3, 2), data), 3),
            (npy(">f4", (2, 2), data), 3),
            (npy("|O", (2, 2), data), 3),
            (npy("<f4", (2, 2), data)[:30], 3),
            (npy("<f4", (1, 1 << 40), data), 6),
        ):
            self.write("x.npy", content)
            self.expect(status, "inspect", "x.npy")

    def test_npz(self):
        values = npy("<f4", (2, 1), struct.pack("<2f", 1, 2))
        label = npy("<f4", (3,), struct.pack("<3f", 1, 2, 3))
        for entries, packing, status in (
            ({"features.npy": values, "else.npy": label}, zipfile.ZIP_STORED, 0),
            ({"features.npy": values, "label.npy": label}, zipfile.ZIP_STORED, 5),
            ({"arr_0.npy": values}, zipfile.ZIP_STORED, 5),
            ({"features.npy": values}, zipfile.ZIP_DEFLATED, 0),
        ):
            with zipfile.ZipFile(self.folder / "x.npz", "w", packing) as archive:
                for name, content in entries.items():
                    archive.writestr(name, content)
            self.expect(status, "inspect", "x.npz")
        with zipfile.ZipFile(self.folder / "x.npz", "w") as archive:
            archive.writestr("features.npy", values)
        content = self.read("x.npz")
        at = content.index(values[-8:])
        self.write("x.npz", content[:at] + b"\x01" + content[at + 1 :])
        self.assertIn("checksum", self.expect(3, "inspect", "x.npz").err)
        self.write("x.npz", content[:-10])
        self.expect(3, "inspect", "x.npz")
        self.expect(3, "inspect", "-", "--from", "npy", stdin=b"not an array")
        self.expect(2, "inspect", "-", "--from", "npz", stdin=content)


class Inspect(Views):
    def test_json(self):
        for words in (("in.csv", "--label", "y"), ("out.rec",), ("out.npz",)):
            facts = json.loads(self.ok("inspect", *words, "--json").stdout)
            self.assertEqual((facts["schema_version"], facts["records"]), (1, 3))
            self.assertEqual((facts["features"], facts["labels"], facts["dtype"]), (2, 1, "float32"))
            self.assertEqual((facts["missing_cells"], facts["missing"]), (1, [0, 1]))
            values = facts["label_values"][0]["values"]
            self.assertEqual([(each["value"], each["records"]) for each in values], [(0, 1), (1, 2)])

    def test_text(self):
        text = self.ok("inspect", "in.csv", "--label", "y").stdout.decode()
        for part in ("in.csv (30 B)", "delimiter comma", "header", "3 x 2 float32", "0 (1), 1 (2)", "1 missing"):
            self.assertIn(part, text)

    def test_bad_records_are_counted(self):
        self.write("bad.csv", SMALL + "1,2\nx,1,1\n")
        facts = json.loads(self.ok("inspect", "bad.csv", "--json").stdout)
        self.assertEqual((facts["records"], facts["rejected"]), (3, 2))
        self.assertEqual([column["rejecting"] for column in facts["columns"]], [1, 0, 0])
        self.assertEqual(facts["rejected_kinds"], {"not_a_number": 1, "too_few_fields": 1})
        self.assertEqual(facts["columns"][0]["bad_cells"], [{"cell": "x", "records": 1}])
        self.assertEqual([column["missing"] for column in facts["columns"]], [0, 1, 0])
        result = self.ok("inspect", "bad.csv")
        self.assertIn("1 not a number, 1 too few fields", result.stdout.decode())
        self.assertIn('bad.csv:6:1: column "a" (#0): expected a number, found "x"; rejected', result.err)
        self.assertNotIn("rejected", self.ok("inspect", "bad.csv", "-q").err)
        self.expect(1, "inspect", "bad.csv", "--on-error", "fail")

    def test_text_columns_are_left_out(self):
        self.write("t.csv", "name,x\nanna,1\nbert,2\n")
        facts = json.loads(self.ok("inspect", "t.csv", "--json").stdout)
        self.assertEqual((facts["records"], facts["text_columns"], facts["features"]), (2, [0], 1))
        self.assertEqual([column["role"] for column in facts["columns"]], ["ignored", "feature"])

    def test_the_source_makes_no_difference(self):
        text = ("name,x,city,y\n" + "anna,1,here,0\nbert,2,there,1\n" * 20000).encode()
        expected = self.json_lines("inspect", self.write("t.csv", text), "--label", "y")[0]
        words = ("--label", "y", "--ignore", "city")
        os.mkfifo(self.folder / "pipe")
        writer = threading.Thread(target=lambda: (self.folder / "pipe").write_bytes(text))
        writer.start()
        piped = self.json_lines("inspect", "pipe", "--label", "y")[0]
        writer.join()
        with open(self.folder / "t.csv", "rb") as file:
            command = [PENSTOCK, "inspect", "-", "--label", "y", "--json"]
            from_file = json.loads(subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True).stdout)
        from_pipe = self.json_lines("inspect", "-", "--label", "y", stdin=text)[0]
        packed = self.json_lines("inspect", "-", "--label", "y", stdin=gzipped(text))[0]
        self.assertEqual((expected["records"], expected["text_columns"]), (40000, [0, 2]))
        for facts in (piped, from_file, from_pipe, packed):
            self.assertEqual({**facts, "inputs": []}, {**expected, "inputs": []})
        self.assertEqual(self.json_lines("inspect", "t.csv", *words)[0]["text_columns"], [0])

    def test_head_leaves_text_columns_out(self):
        text = "name,x,y\nanna,1,0\nbert,2,1\n"
        self.write("t.csv", text)
        for name in ("t.csv", "-"):
            result = self.ok("head", name, "--label", "y", "--json", stdin=text.encode())
            shown = [json.loads(line) for line in result.stdout.splitlines()]
            self.assertEqual(shown, [{"features": [1], "label": [0]}, {"features": [2], "label": [1]}])
            self.assertIn("--ignore name", result.err)
        self.assertIn("--label-map", self.expect(2, "head", "t.csv", "--label", "name").err)

    def test_suggestions(self):
        for cells, wanted in (
            (("N/A", "?", "N/A"), "--null ',nan,NA,null,N/A,?'"),
            ((" 5", "6 "), "--trim"),
            ((" None", "#N/A"), "--trim --null ',nan,NA,null,None,#N/A'"),
            (("abc",), ""),
        ):
            self.write("s.csv", "x,y\n1,1\n" + "".join(f"{cell},2\n" for cell in cells))
            facts = self.json_lines("inspect", "s.csv")[0]
            self.assertEqual((facts["suggestion"], facts["rejected"]), (wanted, len(cells)))
            if not wanted:
                continue
            self.assertIn(wanted, self.ok("inspect", "s.csv").stdout.decode())
            self.assertEqual(self.json_lines("inspect", "s.csv", *shlex.split(wanted))[0]["rejected"], 0)

    def test_the_commonest_bad_cells(self):
        cells = ["rare"] + ["often"] * 7 + ["x" * 100] * 3 + [f"c{i}" for i in range(100)]
        self.write("b.csv", "1,2\n" + "".join(f"{cell},2\n" for cell in cells))
        column = self.json_lines("inspect", "b.csv", "--header", "no", "-j4", "--slot-size", "64")[0]["columns"][0]
        self.assertEqual(column["rejecting"], len(cells))
        told = [(each["cell"], each["records"]) for each in column["bad_cells"]]
        self.assertEqual(told, [("often", 7), ("x" * 32, 3), ("rare", 1), ("c0", 1), ("c1", 1)])

    def test_many_labels_become_a_range(self):
        self.write("many.csv", "".join(f"{i},1\n" for i in range(100)))
        self.assertIn(b"0 .. 99", self.ok("inspect", "many.csv", "--label", "0").stdout)


class Diff(Views):
    def test_same_across_formats(self):
        text = ("in.csv", "--label", "y")
        for words in ((*text, "out.rec"), (*text, "out.npz"), ("out.npz", "out.rec"), ("in.csv", "in.csv")):
            self.assertTrue(self.ok("diff", *words).stdout.startswith(b"same  3 records"), words)
        self.ok("diff", "out.npz", "out.npy", "--features-only")
        self.assertEqual(self.ok("diff", "out.npz", "out.rec", "-q").stdout, b"")

    def test_roles_that_npy_cannot_carry(self):
        result = self.expect(1, "diff", "out.npz", "out.npy")
        self.assertIn(b"label: 1 | none", result.stdout)
        self.assertIn(b"--features-only", result.stdout)

    def test_headers_match_by_name(self):
        self.write("a.csv", "a,b,y\n1,2,0\n3,4,1\n")
        self.write("b.csv", "y,b,a\n0,2,1\n1,4,3\n")
        self.ok("diff", "a.csv", "b.csv")
        self.ok("diff", "a.csv", "b.csv", "--label", "y")
        self.ok("diff", "a.csv", "-", "--label", "y", stdin=self.read("b.csv"))
        self.write("b.csv", "y,b,a\n0,2,1\n1,4,9\n")
        result = self.expect(1, "diff", "a.csv", "b.csv", "--label", "y")
        self.assertIn(b"record 2, features[0] (a): 3 (0x40400000) | 9 (0x41100000)", result.stdout)
        self.assertIn(b"1 value in 1 record", result.stdout)
        self.write("c.csv", "a,c,y\n1,2,0\n3,4,1\n")
        result = self.expect(1, "diff", "a.csv", "c.csv", "--label", "y")
        self.assertIn(b'features: only the first has "b"', result.stdout)
        self.assertIn(b'features: only the second has "c"', result.stdout)
        self.expect(1, "diff", "a.csv", "b.csv", "--columns", "0:1")  # other columns by position

    def test_hints_name_what_helps(self):
        self.ok("convert", "in.csv", "--label", "y", "--dtype", "float64", "-o", "d.npz")
        self.assertIn(b"--label names the label of in.csv", self.expect(1, "diff", "in.csv", "out.npz").stdout)
        words = ("in.csv", "d.npz", "--label", "y", "--dtype", "float32")
        self.assertIn(b"--dtype float64", self.expect(1, "diff", *words).stdout)
        self.write("w.npy", npy("<f4", (3, 1), struct.pack("<3f", 1, 2, 3)))
        result = self.expect(1, "diff", "out.npz", "w.npy", "--features-only")
        self.assertNotIn(b"--features-only", result.stdout)
        self.assertNotIn(b"--features-only", self.expect(1, "diff", "out.npy", "w.npy").stdout)

    def test_types(self):
        self.ok("convert", "in.csv", "--label", "y", "--dtype", "float64", "-o", "d.npz")
        self.assertIn(b"features: float64 | float32", self.expect(1, "diff", "d.npz", "out.npz").stdout)
        self.ok("diff", "in.csv", "d.npz", "--label", "y")
        self.ok("diff", "d.npz", "in.csv", "--label", "y")
        self.expect(1, "diff", "in.csv", "d.npz", "--label", "y", "--dtype", "float32")

    def test_values_are_named_with_their_bits(self):
        self.write("b.csv", SMALL.replace("2.5", "2.75").replace("0.1", "-0.1"))
        result = self.expect(1, "diff", "in.csv", "b.csv", "--label", "y")
        self.assertIn(b"record 1, features[1] (b): 2.5 (0x40200000) | 2.75 (0x40300000)", result.stdout)
        self.assertIn(b"2 values in 2 records", result.stdout)
        facts = json.loads(self.expect(1, "diff", "in.csv", "b.csv", "--label", "y", "--json").stdout)
        self.assertEqual((facts["same"], facts["values_different"]), (False, 2))
        first = facts["values"][0]
        self.assertEqual((first["record"], first["role"], first["column"]), (1, "feature", 1))

    def test_zeros_nans_and_ulps(self):
        bits = {"zero": 0, "minus": 0x80000000, "one": 0x3F800000, "next": 0x3F800001, "nan": 0x7FC00000, "other": 0xFFC12345}
        for name, value in bits.items():
            self.write(f"{name}.npy", npy("<f4", (1, 1), struct.pack("<I", value)))
        for a, b, status, loose in (
            ("zero", "minus", 1, 0),
            ("one", "next", 1, 0),
            ("nan", "other", 0, 0),
            ("nan", "one", 1, 1),
            ("one", "zero", 1, 1),
        ):
            self.expect(status, "diff", f"{a}.npy", f"{b}.npy")
            self.expect(loose, "diff", f"{a}.npy", f"{b}.npy", "--ulp", "1")

    def test_lengths_and_long_lists(self):
        self.write("a.csv", "".join(f"{i}\n" for i in range(3000)))
        self.write("b.csv", "".join(f"{i + (i > 100)}\n" for i in range(2500)))
        result = self.expect(1, "diff", "a.csv", "b.csv", "--header", "no")
        self.assertIn(b"3,000 records | 2,500", result.stdout)
        self.assertEqual(result.stdout.count(b"  record "), 10)
        self.assertIn(b"2,399 values in 2,399 records", result.stdout)

    def test_shards_on_either_side(self):
        self.write("s/1.csv", "1\n2\n")
        self.write("s/2.csv", "3\n")
        self.ok("convert", "s", "--header", "no", "-o", "all.rec")
        self.ok("diff", "s", "all.rec", "--header", "no")

    def test_usage(self):
        for words in (("in.csv",), ("in.csv", "out.rec", "out.npz"), ("-", "-")):
            self.expect(2, "diff", *words)
        self.expect(3, "diff", "in.csv", "absent.rec")


class Synth(CliTest):
    def test_same_seed_same_bytes(self):
        for name, words in (("a", ()), ("b", ("-j", "2")), ("c", ("--seed", "2"))):
            self.ok("synth", "higgs", "--rows", "2000", *words, "-o", name)
        self.assertEqual(self.read("a"), self.read("b"))
        self.assertNotEqual(self.read("a"), self.read("c"))
        piped = self.ok("synth", "higgs", "--rows", "2000", "-o", "-")
        self.assertEqual(piped.stdout, self.read("a"))

    def test_it_converts(self):
        self.ok("synth", "higgs", "--size", "1MB", "--header", "-o", "h.csv")
        self.assertGreaterEqual(len(self.read("h.csv")), 1000000)
        self.ok("convert", "h.csv", "--label", "0", "-o", "h.npz")
        self.assertEqual(read_npz(self.folder / "h.npz")["features"][1][1], 28)
        self.ok("diff", "h.csv", "h.npz", "--label", "0")

    def test_usage(self):
        for words in (("higgs", "-o", "x"), ("higgs", "--rows", "1"), ("higs", "--rows", "1", "-o", "x")):
            self.expect(2, "synth", *words)
        self.expect(2, "synth", "higgs", "--rows", "1", "--size", "1KB", "-o", "x")
        self.write("x", "mine")
        self.expect(4, "synth", "higgs", "--rows", "1", "-o", "x")
        self.assertEqual(self.read("x"), b"mine")


if __name__ == "__main__":
    main()
