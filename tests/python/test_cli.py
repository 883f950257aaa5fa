#!/usr/bin/env python3
"""`penstock convert` as its users run it: inputs, outputs, formats and options. Standard library only."""

import json
import math
import os
import pty
import signal
import subprocess
import threading
import time
import unittest

from _cli import PENSTOCK, SOURCE, CliTest, float32, gzipped, main, parse_npy, parse_recordio, read_npz

SMALL = "a,b,y\n1,2.5,0\n-3,,1\n0.1,4e2,1\n"
ROWS = [([1.0, 2.5], [0.0]), ([-3.0, math.nan], [1.0]), ([float32(0.1), 400.0], [1.0])]


def same(a, b):
    return repr(a) == repr(b)  # NaN is NaN


class Formats(CliTest):
    def setUp(self):
        super().setUp()
        self.write("in.csv", SMALL)

    def test_recordio(self):
        for suffix in ("rec", "pbr", "pb", "recordio"):
            self.ok("convert", "in.csv", "--label", "y", "-o", f"out.{suffix}")
            self.assertTrue(same(parse_recordio(self.read(f"out.{suffix}")), ROWS))

    def test_recordio_of_other_types(self):
        self.write("int.csv", "1,-2\n300,4\n")
        self.ok("convert", "int.csv", "--dtype", "int32", "-o", "i.rec")
        self.assertEqual(parse_recordio(self.read("i.rec")), [([1, -2], []), ([300, 4], [])])
        self.ok("convert", "in.csv", "--dtype", "float64", "-o", "d.rec")
        self.assertEqual(parse_recordio(self.read("d.rec"))[2][0], [0.1, 400.0, 1.0])
        result = self.expect(2, "convert", "int.csv", "--dtype", "int64", "-o", "q.rec")
        self.assertIn("int64", result.err)
        self.ok("convert", "int.csv", "--dtype", "int64", "-o", "q.npz")
        self.assertEqual(read_npz(self.folder / "q.npz")["features"], ("<i8", (2, 2), [1, -2, 300, 4]))

    def test_npy_holds_the_features_only_and_says_so(self):
        result = self.ok("convert", "in.csv", "--label", "y", "-o", "out.npy")
        self.assertIn("warning: the label is not written", result.err)
        dtype, shape, values = parse_npy(self.read("out.npy"))
        self.assertEqual((dtype, shape), ("<f4", (3, 2)))
        self.assertTrue(same(values, [1.0, 2.5, -3.0, math.nan, float32(0.1), 400.0]))

    def test_npz(self):
        self.write("w.csv", "x,y,w,q\n1,0,0.5,7\n2,1,2,7\n3,1,1,-9\n")
        self.ok("convert", "w.csv", "--label", "y", "--weight", "w", "--qid", "q", "-o", "out.npz")
        self.assertEqual(
            read_npz(self.folder / "out.npz"),
            {
                "features": ("<f4", (3, 1), [1.0, 2.0, 3.0]),
                "label": ("<f4", (3,), [0.0, 1.0, 1.0]),
                "weight": ("<f4", (3,), [0.5, 2.0, 1.0]),
                "qid": ("<i8", (3,), [7, 7, -9]),
            },
        )

    def test_csv(self):
        self.ok("convert", "in.csv", "--label", "y", "-o", "out.csv")
        self.assertEqual(self.read("out.csv"), b"0,1,2.5\n1,-3,\n1,0.1,400\n")
        self.ok("convert", "in.csv", "--label", "y", "--output-header", "-o", "named.csv")
        self.assertEqual(self.read("named.csv"), b"y,a,b\n0,1,2.5\n1,-3,\n1,0.1,400\n")
        self.ok("convert", "out.csv", "--label", "0", "--output-header", "-o", "made.csv")
        self.assertTrue(self.read("made.csv").startswith(b"label,f0,f1\n"))

    def test_companions(self):
        self.write("w.csv", "x,y,w,q\n1,0,0.5,7\n2,1,2,7\n3,1,1,9\n")
        roles = ("--label", "y", "--weight", "w", "--qid", "q")
        result = self.expect(2, "convert", "w.csv", *roles, "-o", "out.rec")
        self.assertIn("--companions", result.err)
        self.ok("convert", "w.csv", *roles, "--companions", "-o", "out.rec")
        self.assertEqual(self.read("out.rec.weight"), b"0.5\n2\n1\n")
        self.assertEqual(self.read("out.rec.group"), b"2\n1\n")
        self.expect(2, "convert", "w.csv", *roles, "--companions", "-o", "out.npz")

    def test_label_map(self):
        self.write("iris.csv", "size,kind\n1.5,setosa\n2,virginica\n3,setosa\n")
        labels = "setosa=0,virginica=2.5"
        self.ok("convert", "iris.csv", "--label", "kind", "--label-map", labels, "-o", "out.npz")
        self.assertEqual(read_npz(self.folder / "out.npz")["label"][2], [0.0, 2.5, 0.0])
        result = self.expect(2, "convert", "iris.csv", "--label", "kind", "-o", "no.npz")
        self.assertIn("--label-map", result.err)

    def test_the_format_must_be_said(self):
        for words in (("-o", "out.txt"), ("-o", "-"), ()):
            result = self.expect(2, "convert", "in.csv", *words)
            self.assertIn("hint", result.err)
        self.ok("convert", "in.csv", "--to", "npz", "-o", "out.txt")
        self.assertIn("features", read_npz(self.folder / "out.txt"))
        self.expect(2, "convert", "in.csv", "--to", "npz", "-o", "-")
        self.expect(2, "convert", "in.csv", "--to", "npy", "-o", "-")

    def test_columns_options(self):
        self.ok("convert", "in.csv", "--columns", "b,a", "--ignore", "y", "-o", "out.npy")
        self.assertEqual(parse_npy(self.read("out.npy"))[2][:2], [2.5, 1.0])
        result = self.expect(2, "convert", "in.csv", "--label", "Y", "-o", "no.npy")
        self.assertIn("y", result.err)

    def test_text_options(self):
        self.write("odd.txt", "x;y\n# no record\n'1' ; ?\n2;inf\n3;1e99\n")
        words = ("--delimiter", "semicolon", "--quote", "single", "--comment", "#", "--trim", "--null", "?,", "--header", "yes")
        result = self.ok("convert", "odd.txt", *words, "--inf", "clip", "--overflow", "inf", "-o", "out.npy")
        values = parse_npy(self.read("out.npy"))[2]
        self.assertTrue(same(values, [1.0, math.nan, 2.0, 3.4028234663852886e38, 3.0, math.inf]), values)
        self.assertIn("1 missing cell", result.err)


class Inputs(CliTest):
    def features(self, name="out.npy"):
        return parse_npy(self.read(name))[2]

    def test_folders_patterns_and_order(self):
        for name, content in (("d/b.csv", "3\n"), ("d/a.csv", "1\n2\n"), ("d/_x.csv", "8\n"), ("d/.y.csv", "9\n")):
            self.write(name, content)
        self.write("d/sub/c.csv", "4\n")
        self.ok("convert", "d", "--header", "no", "-o", "out.npy")
        self.assertEqual(self.features(), [1, 2, 3, 4])
        self.ok("convert", "d/*.csv", "--header", "no", "-f", "-o", "out.npy")
        self.assertEqual(self.features(), [8, 1, 2, 3])
        self.ok("convert", "d/b.csv", "d/a.csv", "--header", "no", "-f", "-o", "out.npy")
        self.assertEqual(self.features(), [3, 1, 2])

    def test_names_with_commas_and_blanks(self):
        self.write("a,b c.csv", "1,2\n")
        self.ok("convert", "a,b c.csv", "--header", "no", "-o", "o u,t.npy")
        self.assertEqual(self.features("o u,t.npy"), [1, 2])

    def test_gzip_by_content(self):
        self.write("a.csv", gzipped("x\n1\n") + gzipped("2\n"))
        self.ok("convert", "a.csv", "-o", "out.npy")
        self.assertEqual(self.features(), [1, 2])

    def test_truncated_gzip(self):
        self.write("a.csv.gz", gzipped("x\n" + "".join(f"{i}\n" for i in range(20000)))[:-2000])
        result = self.expect(3, "convert", "a.csv.gz", "-o", "out.npy")
        self.assertIn("a.csv.gz", result.err)
        self.assertEqual(self.names(), ["a.csv.gz"])

    def test_standard_input(self):
        self.ok("convert", "-", "--header", "no", "-o", "out.npy", stdin=b"1,2\n3,4\n")
        self.assertEqual(self.features(), [1, 2, 3, 4])
        self.expect(2, "convert", "-", "-", "-o", "no.npy", stdin=b"1\n")

    def test_fifo(self):
        os.mkfifo(self.folder / "pipe")
        content = "".join(f"{i},1\n" for i in range(30000)).encode()
        writer = threading.Thread(target=lambda: (self.folder / "pipe").write_bytes(content))
        writer.start()
        self.ok("convert", "pipe", "--header", "no", "-o", "out.npy")
        writer.join()
        self.assertEqual(self.features()[::2], list(range(30000)))

    def test_pipelines(self):
        self.write("in.csv", SMALL)
        first = self.ok("convert", "in.csv", "--label", "y", "--to", "recordio", "-o", "-")
        self.assertTrue(same(parse_recordio(first.stdout), ROWS))
        text = self.ok("convert", "-", "--label", "y", "--to", "csv", "-o", "-", stdin=SMALL.encode())
        self.assertEqual(text.stdout, b"0,1,2.5\n1,-3,\n1,0.1,400\n")

    def test_unreadable(self):
        self.expect(3, "convert", "absent.csv", "-o", "out.npy")
        self.expect(3, "convert", "absent*.csv", "-o", "out.npy")
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        self.write("closed.csv", "1\n").chmod(0)
        self.expect(3, "convert", "closed.csv", "-o", "out.npy")

    def test_nothing_to_convert(self):
        for content in ("", "a,b\n"):
            self.write("in.csv", content)
            result = self.expect(1, "convert", "in.csv", "--header", "yes", "-o", "out.npy")
            self.assertIn("no records", result.err)
        self.write("d/_x", "1\n")
        self.expect(3, "convert", "d", "-o", "out.npy")
        self.assertEqual(self.names(), ["d/_x", "in.csv"])

    def test_other_formats_are_told_apart(self):
        self.write("in.csv", SMALL)
        for name in ("out.rec", "out.npy", "out.npz"):
            self.ok("convert", "in.csv", "-o", name)
            self.ok("convert", name, "-o", "again.npy", "--force")
            self.expect(0, "diff", name, "again.npy", "--features-only")

    def test_columns_that_do_not_fit(self):
        self.write("a.csv", "a,b\n1,2\n")
        self.write("b.csv", "b,a\n20,10\n")
        self.write("c.csv", "a,c\n1,2\n")
        self.ok("convert", "a.csv", "b.csv", "-o", "out.npy")
        self.assertEqual(self.features(), [1, 2, 10, 20])
        self.expect(5, "convert", "a.csv", "c.csv", "-o", "no.npy")


class Outputs(CliTest):
    def setUp(self):
        super().setUp()
        self.write("in.csv", SMALL)

    def test_nothing_is_overwritten(self):
        self.write("out.npy", "mine")
        self.expect(4, "convert", "in.csv", "-o", "out.npy")
        self.assertEqual(self.read("out.npy"), b"mine")
        self.ok("convert", "in.csv", "-fo", "out.npy")
        self.assertEqual(parse_npy(self.read("out.npy"))[1], (3, 3))

    def test_an_input_is_no_output(self):
        os.symlink("in.csv", self.folder / "link.csv")
        os.link(self.folder / "in.csv", self.folder / "hard.csv")
        for name in ("in.csv", "./in.csv", "link.csv", "hard.csv"):
            result = self.expect(2, "convert", "in.csv", "-f", "-o", name)
            self.assertIn("input", result.err)
        self.write("out.rec.weight", SMALL)
        self.expect(2, "convert", "out.rec.weight", "--weight", "y", "--companions", "-f", "-o", "out.rec")
        self.assertEqual(self.read("in.csv"), SMALL.encode())

    def test_full_disk_and_bad_places(self):
        result = self.expect(4, "convert", "in.csv", "--to", "recordio", "-o", "/dev/full")
        self.assertIn("/dev/full", result.err)
        with open("/dev/full", "wb") as full:
            self.expect(4, "convert", "in.csv", "--to", "csv", "-o", "-", stdout=full)
            self.expect(4, "head", "in.csv", stdout=full)
        self.expect(4, "convert", "in.csv", "-o", "absent/out.npy")
        (self.folder / "d.npy").mkdir()
        self.expect(4, "convert", "in.csv", "-o", "d.npy")

    def test_dry_run_writes_nothing(self):
        result = self.ok("convert", "in.csv", "--label", "y", "-o", "out.rec", "--dry-run")
        self.assertIn(b"out.rec", result.stdout)
        self.assertEqual(self.names(), ["in.csv"])
        plan = json.loads(self.ok("convert", "in.csv", "--label", "y", "-o", "out.rec", "-n", "--json").stdout)
        self.assertEqual((plan["schema_version"], plan["features"], plan["labels"]), (1, 2, 1))
        self.assertEqual([column["role"] for column in plan["columns"]], ["feature", "feature", "label"])
        self.assertLessEqual(plan["memory"]["total_bytes"], 256 << 20)
        self.assertEqual(self.names(), ["in.csv"])

    def test_summary(self):
        result = self.ok("convert", "in.csv", "--label", "y", "-o", "out.rec")
        self.assertRegex(result.err, r"ok  3 records, 2 features -> out\.rec \(\d+ B\), [\d.]+ m?s(, \S+ \S+B/s)?\n")
        self.assertIn("1 missing cell", result.err)
        self.assertEqual(result.stdout, b"")
        summary = json.loads(self.ok("convert", "in.csv", "-o", "s.npz", "--json", "-q").stdout)
        self.assertEqual((summary["records"], summary["missing_cells"], summary["outputs"]), (3, 1, ["s.npz"]))
        piped = self.ok("convert", "in.csv", "--to", "csv", "-o", "-", "--json", "-q")
        self.assertEqual(json.loads(piped.stderr)["records"], 3)

    def test_quiet(self):
        self.assertIn("warning", self.ok("convert", "in.csv", "--label", "y", "-o", "a.npy", "-q").err)
        self.assertEqual(self.ok("convert", "in.csv", "--label", "y", "-o", "b.npy", "-qq").err, "")
        self.assertIn("engine: cpu", self.ok("convert", "in.csv", "-o", "c.npy", "-v").err)

    def test_progress(self):
        self.assertNotIn("\r", self.ok("convert", "in.csv", "-o", "a.npy").err)
        self.assertNotIn("\r", self.ok("convert", "in.csv", "-o", "b.npy", "--progress", "--no-progress").err)

    def test_inexact_integers_are_mentioned(self):
        self.write("big.csv", "x\n16777217\n1\n")
        self.assertIn("1 integer was rounded", self.ok("convert", "big.csv", "-o", "big.npy").err)
        wide = self.ok("convert", "big.csv", "-o", "wide.npy", "--dtype", "float64").err
        self.assertNotIn("rounded", wide)
        whole = self.ok("convert", "big.csv", "-o", "whole.npy", "--dtype", "int64").err
        self.assertNotIn("rounded", whole)
        self.write("ids.csv", "id,x\n123456789,1\n2,9007199254740993\n")
        both = self.ok("convert", "ids.csv", "--label", "id", "--dtype", "float64", "-o", "both.npz").err
        self.assertIn("2 integers were rounded", both)

    def test_skip_and_limit(self):
        self.write("n.csv", "".join(f"{i}\n" for i in range(1000)))
        self.ok("convert", "n.csv", "--header", "no", "--skip", "10", "--limit", "5", "-o", "out.npy")
        self.assertEqual(parse_npy(self.read("out.npy"))[2], [10, 11, 12, 13, 14])
        self.expect(1, "convert", "n.csv", "--header", "no", "--skip", "1000", "-o", "no.npy")
        self.expect(2, "convert", "n.csv", "--limit", "0", "-o", "no.npy")

    def test_a_terminal_gets_no_binary(self):
        try:
            reading, writing = pty.openpty()
        except OSError as error:  # a container without /dev/pts
            self.skipTest(f"no terminal can be made here: {error}")
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        result = self.expect(2, "convert", "in.csv", "--to", "recordio", "-o", "-", stdout=writing)
        self.assertIn("terminal", result.err)
        self.ok("convert", "in.csv", "--to", "csv", "-o", "-", stdout=writing)

    def test_rejects_are_not_the_output(self):
        words = ("--on-error", "quarantine", "--rejects", "out")
        self.expect(2, "convert", "in.csv", *words, "-f", "-o", "out.rejects.csv")

    def test_closed_pipe(self):
        self.write("n.csv", "".join(f"{i}\n" for i in range(100000)))
        for words, status in (
            (("head", "n.csv", "-n", "100000"), 0),
            (("inspect", "n.csv"), 0),
            (("convert", "n.csv", "--to", "csv", "-o", "-"), 4),
        ):
            reading, writing = os.pipe()
            os.close(reading)
            result = self.expect(status, *words, "--header", "no", stdout=writing)
            os.close(writing)
            self.assertEqual(status == 0, result.err == "", result.err)

    def test_interrupt_leaves_nothing(self):
        os.mkfifo(self.folder / "pipe")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = subprocess.Popen(
                [PENSTOCK, "convert", "pipe", "--header", "no", "-o", "out.rec"], cwd=self.folder, stderr=subprocess.PIPE
            )
            with open(self.folder / "pipe", "wb") as pipe:
                pipe.write(b"1,2\n" * 100000)
                pipe.flush()
                while not list(self.folder.glob(".out.rec.*")):
                    self.assertIsNone(process.poll())
                    time.sleep(0.01)
                process.send_signal(number)
                err = process.communicate(timeout=60)[1]
            self.assertEqual(process.returncode, 128 + number, err)
            self.assertEqual(self.names(), ["in.csv"] if not (self.folder / "pipe").exists() else ["in.csv", "pipe"])


class RealData(CliTest):
    def test_higgs_is_the_same_however_it_is_cut(self):
        path = self.shared("csv/higgs_subset.tsv")
        self.ok("convert", path, "--label", "0", "-o", "first.rec")
        first = self.read("first.rec")
        records = parse_recordio(first)
        lines = path.read_text().splitlines()
        self.assertEqual(len(records), 7000)
        for (features, label), line in zip(records, lines):
            cells = [float32(float(cell)) for cell in line.split("\t")]
            self.assertEqual((label, features), (cells[:1], cells[1:]))
        for words in (("-j", 1), ("-j2",), ("-j", 3), ("-j", 4), ("--slot-size", "1KiB"), ("--slot-size", "64KiB", "-j4")):
            self.ok("convert", path, "--label", "0", *words, "-f", "-o", "again.rec")
            self.assertEqual(self.read("again.rec"), first, words)
        self.ok("diff", path, "first.rec", "--label", "0")

    def test_penguins(self):
        path = self.shared("csv/penguins_raw.csv")
        columns = "Culmen Length (mm),Culmen Depth (mm),Flipper Length (mm),Body Mass (g)"
        self.ok("convert", path, "--columns", columns, "-o", "out.npz")
        dtype, shape, values = read_npz(self.folder / "out.npz")["features"]
        self.assertEqual((dtype, shape), ("<f4", (344, 4)))
        self.assertTrue(same(values[:4], [float32(39.1), float32(18.7), 181.0, 3750.0]))
        self.assertTrue(all(math.isnan(value) for value in values[12:16]))


class CommandLine(CliTest):
    def test_help(self):
        for words in (("--help",), ("help",), ("help", "convert"), ("convert", "--help"), ("convert", "-h")):
            text = self.ok(*words).stdout.decode()
            self.assertIn("Examples", text)
            self.assertIn("Exit codes", text)
        self.assertRegex(self.ok("--version").stdout.decode(), r"^penstock \d+\.\d+\.\d+")

    def test_short_help_is_an_error(self):
        for verb in ("", "convert", "head", "inspect", "stats", "fit", "denormalize", "diff", "synth"):
            words = (verb,) if verb else ()
            result = self.expect(2, *words)
            self.assertIn("usage: penstock", result.err)
            self.assertEqual(result.stdout, b"")

    def test_near_misses(self):
        for words, meant in (
            (("conver", "x"), "convert"),
            (("convert", "x", "--lable", "y"), "--label"),
            (("convert", "x", "--to", "recordoi", "-o", "y"), "recordio"),
            (("help", "inspct"), "inspect"),
            (("conv", "x"), "convert"),
            (("denormalise", "x"), "denormalize"),
            (("convert", "x", "--normalise", "y"), "--normalize"),
            (("convert", "x", "--out", "y"), "--output"),
            (("convert", "x", "--sep", ";"), "--delimiter"),
            (("head", "x", "--na-values=?"), "--null"),
            (("inspect", "x", "--drop", "a"), "--ignore"),
            (("diff", "x", "y", "--target", "a"), "--label"),
        ):
            self.assertIn(f"Did you mean {meant}?", self.expect(2, *words).err)

    def test_ranges_as_others_write_them(self):
        self.write("in.csv", SMALL)
        err = self.expect(2, "convert", "in.csv", "--columns", "y,0-1", "-o", "x.npy").err
        self.assertIn("A range is written with a colon: 0:1", err)
        self.write("odd.csv", "0-1,y\n5,6\n")
        self.ok("convert", "odd.csv", "--columns", "0-1", "-o", "x.npy")
        self.assertEqual(parse_npy(self.read("x.npy"))[2], [5])

    def test_flags_take_no_value(self):
        self.write("in.csv", SMALL)
        err = self.expect(2, "convert", "in.csv", "-o", "x.npy", "--json=yes").err
        self.assertIn("--json takes no value", err)
        self.ok("convert", "in.csv", "-o", "x.npy", "--force=true")
        self.expect(4, "convert", "in.csv", "-o", "x.npy", "--force=false")

    def test_bad_values(self):
        self.write("in.csv", SMALL)
        for words in (
            ("--delimiter", "ab"),
            ("--memory", "much"),
            ("--threads", "-1"),
            ("--limit", "1.5"),
            ("--max-errors", "3"),
            ("--on-error", "skip", "--max-errors", "101%"),
            ("--on-error", "ignore"),
            ("--dtype", "float16"),
            ("--rejects", "p"),
            ("--device", "gpu"),
            ("--label", "--force"),
            ("--output-header",),
            ("-x",),
            ("--null", '"a'),
            ("--memory",),
        ):
            result = self.expect(2, "convert", "in.csv", "-o", "out.rec", *words)
            self.assertRegex(result.err, r"^penstock: ", words)
        self.assertEqual(self.names(), ["in.csv"])

    def test_devices_and_memory(self):
        self.write("in.csv", SMALL)
        self.ok("convert", "in.csv", "--device", "cpu", "-o", "out.rec")
        self.assertIn("CUDA", self.expect(6, "convert", "in.csv", "--device", "cuda", "-o", "no.rec").err)
        self.expect(6, "convert", "in.csv", "--device", "cuda:1023", "-o", "no.rec")
        self.expect(6, "convert", "in.csv", "--memory", "1MiB", "-o", "no.rec")
        self.ok("convert", "in.csv", "--memory", "4MiB", "--max-record-size", "64KiB", "-o", "small.rec")
        self.assertEqual(self.read("small.rec"), self.read("out.rec"))

    def test_doctor(self):
        result = self.ok("doctor")
        self.assertNotIn(b"FAILED", result.stdout)
        facts = json.loads(self.ok("doctor", "--json").stdout)
        self.assertTrue(facts["ok"] and facts["schema_version"] == 1 and facts["tests"])

    def test_every_option_is_documented(self):
        page = (SOURCE / "docs" / "cli.md").read_text()
        for verb in ("convert", "head", "inspect", "stats", "fit", "denormalize", "diff", "synth", "doctor"):
            self.assertIn(f"## {verb}", page)
            for word in self.ok("help", verb).stdout.decode().replace(",", " ").split():
                word = word.rstrip(".:;")
                if word.startswith("--") and len(word) > 2:
                    self.assertTrue(f"`{word}" in page, f"docs/cli.md says nothing of {verb} {word}")

    def test_closed_standard_streams(self):
        self.write("in.csv", SMALL)
        script = '"$0" convert in.csv -o a.rec 2>&-; "$0" convert in.csv -o b.rec 2>&- >&- <&-'
        subprocess.run(["sh", "-c", script, PENSTOCK], cwd=self.folder, check=False)
        self.assertEqual(self.read("a.rec"), self.read("b.rec"))
        self.assertEqual(len(parse_recordio(self.read("a.rec"))), 3)


if __name__ == "__main__":
    main()
