#!/usr/bin/env python3
"""`penstock diff` of sparse records with sparse and with dense ones: what is the same, and how differences are told."""

import json

from _cli import main
from _sparse import SparseTest


class Diff(SparseTest):
    def setUp(self):
        super().setUp()
        self.write("a.libsvm", "1 1:1 3:0\n0 2:nan 3:2\n")

    def test_differences_in_words_and_in_json(self):
        self.write("b.libsvm", "1 1:1 2:5 3:0\n0 3:3\n")
        text = self.expect(1, "diff", "a.libsvm", "b.libsvm").stdout
        for part in (
            b"record 1, features[1]: absent | 5 (0x40a00000)",
            b"record 2, features[1]: NaN (0x7fc00000) | absent",
            b"record 2, features[2]: 2 (0x40000000) | 3 (0x40400000)",
            b"3 values in 2 records",
            b"a.libsvm: index base: 1",
        ):
            self.assertIn(part, text)
        facts = json.loads(self.expect(1, "diff", "a.libsvm", "b.libsvm", "--json").stdout)
        self.assertEqual((facts["same"], facts["layout"], facts["values_different"]), (False, [], 3))
        place = {"record": 1, "role": "feature", "column": 1}
        self.assertEqual(facts["values"][0], {**place, "a": None, "a_bits": None, "b": "5", "b_bits": "0x40a00000"})

    def test_explicit_and_absent(self):
        for absent, text in (("zero", "1 1:1\n0 2:nan 3:2\n"), ("missing", "1 1:1 3:0\n0 3:2\n")):
            self.write("b.libsvm", text)
            self.expect(1, "diff", "a.libsvm", "b.libsvm")
            self.same("a.libsvm", "b.libsvm", "--absent", absent)
            self.same("b.libsvm", "a.libsvm", "--absent", absent)
        self.write("c.libsvm", "1 1:1 3:-0\n0 2:nan 3:2\n")
        self.assertIn(b"0 (0x00000000) | -0", self.expect(1, "diff", "a.libsvm", "c.libsvm", "--absent", "zero").stdout)
        self.same("a.libsvm", "c.libsvm", "--ulp", "1")

    def test_sparse_with_dense(self):
        self.ok("convert", "a.libsvm", "--absent", "missing", "-o", "d.npz", "--features", "dense")
        found = self.expect(1, "diff", "a.libsvm", "d.npz").stdout
        self.assertIn(b"features: 3 sparse | 3 dense", found)
        self.assertIn(b"--absent zero or --absent missing", found)
        facts = json.loads(self.expect(1, "diff", "a.libsvm", "d.npz", "--json").stdout)
        self.assertTrue(any("--absent" in hint for hint in facts["hints"]))
        self.same("a.libsvm", "d.npz", "--absent", "missing")
        found = self.expect(1, "diff", "d.npz", "a.libsvm", "--absent", "zero").stdout
        self.assertIn(b"features[1]: NaN (0x7fc00000) | absent", found)
        self.expect(2, "diff", "a.libsvm", "d.npz", "--absent", "nothing")

    def test_integers_have_no_missing_value(self):
        self.write("i.libsvm", "1 1:1 3:4\n0 2:2\n")
        self.ok("convert", "i.libsvm", "--dtype", "int32", "--absent", "zero", "--features", "dense", "-o", "i.npz")
        self.same("i.libsvm", "i.npz", "--absent", "zero")
        self.assertIn("--absent zero", self.expect(2, "diff", "i.libsvm", "i.npz", "--absent", "missing").err)

    def test_text_takes_the_type_of_the_other_side(self):
        self.write("t.libsvm", "1 1:0.1 3:16777217\n")
        self.ok("convert", "t.libsvm", "--dtype", "float64", "-o", "t.npz")
        self.same("t.libsvm", "t.npz")
        self.same("t.npz", "t.libsvm")
        found = self.expect(1, "diff", "t.libsvm", "t.npz", "--dtype", "float32").stdout
        self.assertIn(b"features: float32 | float64", found)
        self.assertIn(b"--dtype float64", found)

    def test_batches_of_other_sizes(self):
        path = self.libsvm("agaricus.train.libsvm")
        self.ok("convert", path, "-o", "a.rec")
        for slot in ("64", "1KiB", "1MiB"):
            self.same(path, "a.rec", "--slot-size", slot)
            self.same("a.rec", path, "--slot-size", slot, "-j", "2")
        head = "".join(path.read_text().splitlines(keepends=True)[:1000])
        self.write("h.libsvm", head.replace("124:1", "124:2", 1))
        found = self.expect(1, "diff", "h.libsvm", "a.rec").stdout
        self.assertIn(b"1,000 records | 6,513", found)
        self.assertIn(b"features[123]: 2 (0x40000000) | 1 (0x3f800000)", found)
        self.assertIn(b"1 value in 1 record", found)

    def test_missing_features_of_the_last_columns(self):
        self.write("train.libsvm", "1 1:1 4:2\n0 2:1\n")
        self.write("test.libsvm", "1 1:1\n0 2:1\n")
        self.ok("convert", "train.libsvm", "-o", "train.rec")
        found = self.expect(1, "diff", "train.libsvm", "test.libsvm").stdout
        self.assertIn(b"features: 4 | 2", found)
        self.assertIn(b"--num-features 4", found)
        for first in ("train.rec", "train.libsvm"):
            words = () if first == "train.rec" else ("--num-features", "4")
            found = self.expect(1, "diff", first, "test.libsvm", *words).stdout
            self.assertNotIn(b"features: 4", found)
            self.assertIn(b"record 1, features[3]: 2 (0x40000000) | absent", found)
        self.ok("convert", "test.libsvm", "--num-features", "4", "-o", "test.rec")
        self.same("test.rec", "test.libsvm")
        self.same("test.libsvm", "test.rec")


if __name__ == "__main__":
    main()
