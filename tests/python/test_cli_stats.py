#!/usr/bin/env python3
"""`penstock stats` as its users run it, against numpy over the same float32 values."""

import json

import numpy as np

from _cli import CliTest, main

SMALL = "a,b,name,y\n1,2.5,x,0\n-3,,y,1\n0,4e2,z,1\n"


class Stats(CliTest):
    def columns(self, *words):
        return json.loads(self.ok("stats", *words, "--json", "-q").stdout)["columns"]

    def test_small_table(self):
        self.write("s.csv", SMALL)
        result = self.ok("stats", "s.csv", "--label", "y")
        self.assertIn("columns of text have no statistics here: name", result.err)
        lines = result.stdout.decode().splitlines()
        self.assertEqual(
            lines[0].split(), "column count missing infinite zeros min max mean std skewness".split()
        )
        self.assertEqual([line.split()[0] for line in lines[1:]], ["a", "b", "y"])
        self.assertEqual(lines[2].split()[1:7], ["2", "1", "0", "0", "2.5", "400"])
        self.assertEqual(self.columns("s.csv", "--label", "y")[2]["role"], "label")

    def test_one_statistic_of_one_column_is_a_bare_value(self):
        self.write("s.csv", SMALL)
        words = ("s.csv", "--label", "y", "-q")
        for column, statistic, value in (("a", "min", b"-3"), ("b", "missing", b"1"), ("b", "mean", b"201.25")):
            result = self.ok("stats", *words, "--column", column, "--statistic", statistic)
            self.assertEqual(result.stdout, value + b"\n")
        self.assertIn("Did you mean a?", self.expect(2, "stats", *words, "--column", "A").err)
        self.assertIn("Known are count, ", self.expect(2, "stats", *words, "--statistic", "median").err)

    def test_a_column_without_values_has_none(self):
        self.write("s.csv", "a,b\n1,\n2,NA\n")
        b = self.columns("s.csv")[1]
        self.assertEqual((b["count"], b["missing"], b["mean"], b["min"], b["std"]), (0, 2, None, None, None))
        result = self.ok("stats", "s.csv", "--column", "b", "--statistic", "mean")
        self.assertEqual(result.stdout, b"null\n")

    def test_numpy_agrees(self):
        self.ok("synth", "compact", "--rows", "20000", "-o", "c.csv", "-q")
        self.ok("convert", "c.csv", "--label", "0", "-o", "c.npz", "-q")
        values = np.load(self.folder / "c.npz")["features"].astype(np.float64)
        found = [c for c in self.columns("c.csv", "--label", "0") if c["role"] == "features"]
        self.assertEqual(len(found), values.shape[1])
        for column, x in zip(found, values.T):
            finite = x[np.isfinite(x)]
            self.assertEqual(column["count"], len(finite))
            self.assertEqual(column["missing"], int(np.isnan(x).sum()))
            self.assertEqual(column["zeros"], int((x == 0).sum()))
            self.assertEqual((column["min"], column["max"]), (finite.min(), finite.max()))
            scale = np.abs(finite).max()
            self.assertAlmostEqual(column["mean"], finite.mean(), delta=1e-12 * scale)
            self.assertAlmostEqual(column["std"] ** 2, finite.var(), delta=1e-12 * scale**2)

    def test_the_same_bytes_whatever_the_slots_and_threads(self):
        self.ok("synth", "dirty", "--rows", "30000", "--header", "--bad", "2%", "-o", "d.csv", "-q")
        words = ("d.csv", "--label", "label", "--on-error", "skip", "--json", "-qq")
        wanted = self.ok("stats", *words).stdout
        for threads, slot in ((1, "64KiB"), (8, "64KiB"), (3, "100001"), (8, "1MiB")):
            found = self.ok("stats", *words, "--threads", threads, "--slot-size", slot, "--memory", "64MiB").stdout
            self.assertEqual(found, wanted, (threads, slot))
        self.ok("convert", *words[:5], "-o", "d.npz", "-qq")
        features = [c for c in json.loads(wanted)["columns"] if c["role"] == "features"]
        arrays = [c for c in self.columns("d.npz") if c["role"] == "features"]
        for one, other in zip(features, arrays, strict=True):
            self.assertEqual({**one, "name": ""}, {**other, "name": ""})

    def test_what_has_none_is_said(self):
        self.write("s.libsvm", "1 1:2 3:4\n0 2:1\n")
        result = self.ok("stats", "s.libsvm")
        self.assertIn("sparse features have no statistics here", result.err)
        self.assertEqual([line.split()[0] for line in result.stdout.decode().splitlines()], ["column", "label"])

    def test_bad_records(self):
        self.write("s.csv", "a,b\n1,2\n3,x\n5,6\n")
        self.assertIn("s.csv:3:3", self.expect(1, "stats", "s.csv").err)
        result = self.ok("stats", "s.csv", "--on-error", "skip", "--column", "a", "--statistic", "mean")
        self.assertEqual(result.stdout, b"3\n")


if __name__ == "__main__":
    main()
