#!/usr/bin/env python3
"""Time series end to end: DeepAR's lines become arrays that numpy reads, and lines again, and nothing is lost; what
head, inspect, diff and schemas say about them; archives that are no series are refused by name."""

import json
import sys

try:
    import numpy
except ImportError:
    sys.exit(77)
from _cli import CliTest, main

# (start, seconds since 1970-01-01, target with None for missing values, cat, dynamic_feat)
SERIES = (
    ("2009-11-01 00:00:00", 1257033600, [4.3, None, 5.1, 10.25], [0, 1], [[1, 0, 1, 0], [0.5, 0.25, 0, -1]]),
    ("1969-12-31 23:59:59", -1, [1.5], [2, 0], [[3], [4]]),
    ("2012-01-30 00:00:00", 1327881600, [None, None, 0.1], [1, 1], [[1, 2, 3], [4, 5, 6]]),
)
TENSORS = "lists of target float32, lists of 2 x dynamic_feat float32, start int64, 2 x cat int32"


def line(start, target, cat=None, dynamic_feat=None):
    record = {"start": start, "target": ["NaN" if value is None else value for value in target]}
    if cat is not None:
        record["cat"] = cat
    if dynamic_feat is not None:
        record["dynamic_feat"] = dynamic_feat
    return json.dumps(record) + "\n"


def lines(series=SERIES):
    return "".join(line(start, target, cat, features) for start, _, target, cat, features in series)


def bits(values):
    """Of float32, with the one NaN that stands for a missing value."""
    array = numpy.array([numpy.nan if value is None else value for value in values], dtype="float32")
    return numpy.where(numpy.isnan(array), 0x7FC00000, array.view("uint32")).tolist()


class SeriesTest(CliTest):
    def setUp(self):
        super().setUp()
        self.write("s.jsonl", lines())

    def arrays(self, name):
        with numpy.load(self.folder / name, allow_pickle=False) as archive:
            return {each: archive[each] for each in archive.files}

    def save(self, name, **changes):
        """The archive of SERIES with other arrays; None leaves one out."""
        if "base.npz" not in self.names():
            self.ok("convert", "s.jsonl", "-o", "base.npz")
        arrays = self.arrays("base.npz")
        arrays.update(changes)
        numpy.savez(self.folder / name, **{each: array for each, array in arrays.items() if array is not None})

    def json_of(self, *words):
        return [json.loads(each) for each in self.ok(*words).stdout.splitlines()]


class Arrays(SeriesTest):
    def test_numpy_reads_every_tensor(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        arrays = self.arrays("s.npz")
        self.assertEqual(
            list(arrays),
            ["target", "target_offsets", "target_observed", "dynamic_feat", "dynamic_feat_offsets"]
            + ["dynamic_feat_lists", "start", "cat"],
        )
        target = [value for _, _, values, _, _ in SERIES for value in values]
        self.assertEqual(arrays["target"].view("uint32").tolist(), bits(target))
        self.assertEqual(arrays["target_observed"].dtype, numpy.dtype("bool"))
        self.assertEqual(arrays["target_observed"].tolist(), [value is not None for value in target])
        self.assertEqual((arrays["target_offsets"].dtype.str, arrays["target_offsets"].tolist()), ("<i8", [0, 4, 5, 8]))
        features = [value for *_, rows in SERIES for row in rows for value in row]
        self.assertEqual(arrays["dynamic_feat"].view("uint32").tolist(), bits(features))
        self.assertEqual(arrays["dynamic_feat_offsets"].tolist(), [0, 8, 10, 16])
        self.assertEqual(arrays["dynamic_feat_lists"].tolist(), [2])
        self.assertEqual((arrays["start"].dtype.str, arrays["start"].shape), ("<i8", (3,)))
        self.assertEqual(arrays["start"].tolist(), [seconds for _, seconds, *_ in SERIES])
        self.assertEqual((arrays["cat"].dtype.str, arrays["cat"].tolist()), ("<i4", [cat for *_, cat, _ in SERIES]))

    def test_there_and_back(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        self.ok("convert", "s.npz", "--to", "deepar", "-o", "back.jsonl")
        self.ok("convert", "s.jsonl", "--to", "deepar", "-o", "canonical.jsonl")
        self.assertEqual(self.read("back.jsonl"), self.read("canonical.jsonl"))
        for sides in (("s.jsonl", "s.npz"), ("s.npz", "back.jsonl"), ("s.jsonl", "back.jsonl")):
            found = self.ok("diff", *sides).stdout.decode()
            self.assertIn(TENSORS, found)
        self.ok("convert", "s.npz", "-o", "again.npz")
        self.assertEqual(self.read("again.npz"), self.read("s.npz"))
        numpy.savez_compressed(self.folder / "small.npz", **self.arrays("s.npz"))
        self.ok("diff", "small.npz", "s.npz")

    def test_targets_alone_and_one_category(self):
        self.write("t.jsonl", line("2009-11-01", [1, 2]) + line("2009-11-02", [3]))
        self.ok("convert", "t.jsonl", "-o", "t.npz")
        self.assertEqual(list(self.arrays("t.npz")), ["target", "target_offsets", "target_observed", "start"])
        self.ok("diff", "t.jsonl", "t.npz")
        self.write("c.jsonl", line("2009-11-01", [1, 2], [1]) + line("2009-11-02", [3], [0]))
        self.ok("convert", "c.jsonl", "-o", "c.npz")
        self.assertEqual(self.arrays("c.npz")["cat"].tolist(), [1, 0])
        self.ok("diff", "c.jsonl", "c.npz")

    def test_long_series_and_many(self):
        big = [("2010-01-01 00:00:00", 0, [i % 97 / 8 for i in range(200000)], [0], [list(range(200000))])]
        big += [("2011-01-01 00:00:00", 0, [i], [1], [[i]]) for i in range(70000)]
        self.write("b.jsonl", lines(big))
        for threads in ("1", "2"):
            self.ok("convert", "b.jsonl", "-j", threads, "-f", "-o", f"b{threads}.npz")
        self.assertEqual(self.read("b1.npz"), self.read("b2.npz"))
        arrays = self.arrays("b1.npz")
        self.assertEqual(arrays["target_offsets"].tolist(), [0, *range(200000, 270001)])
        self.assertEqual(arrays["dynamic_feat"][:200000].tolist(), list(range(200000)))
        self.ok("diff", "b.jsonl", "b1.npz")
        self.ok("convert", "b1.npz", "--to", "deepar", "-o", "back.jsonl")
        self.ok("diff", "b.jsonl", "back.jsonl")

    def test_windows_of_records(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        for source in ("s.jsonl", "s.npz"):
            self.ok("convert", source, "--skip", "1", "--limit", "1", "-f", "-o", "one.npz")
            arrays = self.arrays("one.npz")
            self.assertEqual((arrays["target"].tolist(), arrays["target_offsets"].tolist()), ([1.5], [0, 1]))
            self.assertEqual((arrays["dynamic_feat"].tolist(), arrays["start"].tolist()), ([3, 4], [-1]))

    def test_what_lines_cannot_hold(self):
        features = numpy.zeros(16, "float32")
        features[9] = numpy.nan
        self.save("n.npz", dynamic_feat=features)
        self.save("e.npz", target_offsets=numpy.array([0, 4, 4, 8]))
        for name, says in (("n.npz", "missing or infinite value in dynamic_feat"), ("e.npz", "series without values")):
            self.assertIn(says, self.expect(1, "convert", name, "--to", "deepar", "-o", "x.jsonl").err)
            self.assertNotIn("x.jsonl", self.names())
            self.ok("convert", name, "-o", "same_" + name)
            self.ok("diff", name, "same_" + name)

    def test_outputs_without_a_place(self):
        for out in ("s.npy", "s.csv", "s.rec", "s.libsvm"):
            err = self.expect(2, "convert", "s.jsonl", "-o", out).err
            self.assertIn("lists (target)", err)
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        self.assertIn("lists (target)", self.expect(2, "convert", "s.npz", "-o", "s.npy").err)
        self.save("f.npz", features=numpy.zeros((3, 1), "float32"), target_offsets=None, dynamic_feat_offsets=None)
        self.assertIn("start times and no categories", self.expect(2, "convert", "f.npz", "-o", "f.csv").err)

    def test_arrays_of_those_names_beside_features(self):
        numpy.savez(self.folder / "f.npz", features=numpy.zeros((2, 2), "float32"), target=numpy.zeros(2, "int64"))
        self.assertIn("not shown: target.npy", self.ok("head", "f.npz").err)

    def test_dry_run_names_the_tensors(self):
        text = self.ok("convert", "s.jsonl", "-o", "s.npz", "--dry-run").stdout.decode()
        self.assertIn(TENSORS, text)
        (plan,) = self.json_of("convert", "s.jsonl", "-o", "s.npz", "--dry-run", "--json")
        self.assertEqual((plan["start"], plan["cats"]), (True, 2))
        self.assertEqual(plan["lists"][1], {"name": "dynamic_feat", "dtype": "float32", "parts": 2})
        self.assertIn("3 records, target and dynamic_feat", self.ok("convert", "s.jsonl", "-o", "s.npz").err)


class Views(SeriesTest):
    def test_head(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        for source in ("s.jsonl", "s.npz"):
            records = self.json_of("head", source, "--json")
            self.assertEqual([each["start"] for each in records], [start for start, *_ in SERIES])
            self.assertEqual([each["cat"] for each in records], [cat for *_, cat, _ in SERIES])
            self.assertEqual([each["target"] for each in records], [target for _, _, target, _, _ in SERIES])
            self.assertEqual([each["dynamic_feat"] for each in records], [features for *_, features in SERIES])
        text = self.ok("head", "s.npz").stdout.decode()
        self.assertEqual(text, self.ok("head", "s.jsonl").stdout.decode())
        first = "2009-11-01 00:00:00  [0, 1]  [4.3, missing, 5.1, 10.25]  [[1, 0, 1, 0], [0.5, 0.25, 0, -1]]"
        self.assertIn(first, text)
        self.write("long.jsonl", line("2009-11-01", [4.3, None, *range(7989)]))
        self.assertIn("[4.3, missing, 0, ... 7991 values]", self.ok("head", "long.jsonl").stdout.decode())
        self.assertEqual(len(self.json_of("head", "long.jsonl", "--json")[0]["target"]), 7991)

    def test_inspect(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        for source in ("s.jsonl", "s.npz"):
            (found,) = self.json_of("inspect", source, "--json")
            self.assertEqual(found["start_range"], {"first": "1969-12-31 23:59:59", "last": "2012-01-30 00:00:00"})
            self.assertEqual((found["categories"], found["missing_cells"]), ([3, 2], 3))
            target, features = found["list_values"]
            self.assertEqual((target["name"], target["count"], target["missing"]), ("target", 8, 3))
            self.assertEqual((target["least"], target["greatest"]), (1, 4))
            self.assertAlmostEqual(target["least_value"], 0.1, 6)
            self.assertEqual(target["greatest_value"], 10.25)
            self.assertEqual((features["parts"], features["count"], features["least_value"]), (2, 16, -1))
            text = self.ok("inspect", source).stdout.decode()
            for part in (
                "start       1969-12-31 23:59:59 to 2012-01-30 00:00:00",
                "cat         3 x 2 int32: 3, 2 categories by position",
                "target      lists of float32: 8 values, 2.7 a row (1 to 4), 3 missing, 0.1 to 10.25",
                "dynamic_feat 2 lists a row of float32: 16 values, 5.3 a row (2 to 8), -1 to 6",
                "missing     3 values",
            ):
                self.assertIn(part, text)

    def test_missing_targets_only(self):
        self.write("m.jsonl", line("2009-11-01", [None, None]))
        (found,) = self.json_of("inspect", "m.jsonl", "--json")
        self.assertEqual((found["list_values"][0]["missing"], found["list_values"][0]["least_value"]), (2, None))


class Differences(SeriesTest):
    def differs(self, status=1, **changes):
        record = dict(zip(("start", "target", "cat", "dynamic_feat"), (SERIES[0][0], *SERIES[0][2:])), **changes)
        self.write("o.jsonl", line(**record) + lines(SERIES[1:]))
        self.ok("convert", "s.jsonl", "-f", "-o", "s.npz")
        return self.expect(status, "diff", "s.npz", "o.jsonl").stdout.decode()

    def test_each_tensor_by_name(self):
        self.assertIn("same", self.differs(0))
        self.assertIn("record 1, start[0]: 2009-11-01 00:00:00 (0x", self.differs(start="2009-11-02"))
        self.assertIn("record 1, cat[1]: 1 (0x00000001) | 0 (0x00000000)", self.differs(cat=[0, 0]))
        found = self.differs(target=[4.3, 4, 5.1, 10.25])
        self.assertIn("record 1, target[1]: NaN (0x7fc00000) | 4 (0x40800000)", found)
        found = self.differs(dynamic_feat=[[1, 0, 1, 0], [0.5, 0.25, 7, -1]])
        self.assertIn("record 1, dynamic_feat[1][2]: 0 (0x00000000) | 7 (0x40e00000)", found)
        self.assertIn("1 value in 1 record", found)

    def test_lengths(self):
        found = self.differs(target=[4.3, None, 6], dynamic_feat=[[1, 0, 1], [0.5, 0.25, 8]])
        self.assertIn("record 1, target: 4 values | 3 values", found)
        self.assertIn("record 1, target[2]: 5.1 (0x40a33333) | 6 (0x40c00000)", found)
        self.assertIn("record 1, dynamic_feat: 2 x 4 values | 2 x 3 values", found)
        self.assertIn("record 1, dynamic_feat[1][2]: 0 (0x00000000) | 8 (0x41000000)", found)
        found = json.loads(self.expect(1, "diff", "s.npz", "o.jsonl", "--json").stdout)
        lengths, value = found["values"][:2]
        self.assertEqual((lengths["role"], lengths["column"]), ("target", None))
        self.assertEqual((lengths["a"], lengths["b"]), ("4 values", "3 values"))
        self.assertEqual((value["role"], value["part"], value["column"]), ("target", 0, 2))

    def test_layouts(self):
        self.ok("convert", "s.jsonl", "-o", "s.npz")
        self.write("t.jsonl", line("2009-11-01", [1], [0]) * 3)
        found = self.expect(1, "diff", "s.npz", "t.jsonl").stdout.decode()
        self.assertIn("cat: 2 | 1", found)
        self.assertIn("dynamic_feat: lists | none", found)
        self.write("o.jsonl", lines([(*each[:4], each[4][:1]) for each in SERIES]))
        found = self.expect(1, "diff", "s.npz", "o.jsonl").stdout.decode()
        self.assertIn("dynamic_feat: 2 a record | 1 a record", found)


class Schemas(SeriesTest):
    def test_round_trip_and_mismatch(self):
        self.ok("inspect", "s.jsonl", "--save-schema", "s.schema.json")
        schema = json.loads(self.read("s.schema.json"))
        self.assertEqual((schema["layout"]["start"], schema["layout"]["cats"]), (True, 2))
        self.assertEqual(schema["layout"]["lists"], ["target float32", "2 x dynamic_feat float32"])
        self.ok("convert", "s.jsonl", "--schema", "s.schema.json", "-o", "s.npz")
        self.ok("convert", "s.npz", "--schema", "s.schema.json", "-o", "again.npz")
        self.write("t.jsonl", line("2009-11-01", [1], [0, 1, 0]))
        err = self.expect(5, "convert", "t.jsonl", "--schema", "s.schema.json", "-o", "t.npz").err
        self.assertIn("categories: 2 in the schema, 3 here", err)
        self.assertIn("lists: target float32 and 2 x dynamic_feat float32 in the schema, target float32 here", err)

    def test_options_are_kept(self):
        self.write("p.jsonl", line("2009-11-01", [1, 2], [0], [[1, 2, 3]]))
        self.ok("inspect", "p.jsonl", "--prediction-length", "1", "--save-schema", "p.schema.json")
        self.ok("convert", "p.jsonl", "--schema", "p.schema.json", "-o", "p.npz")
        self.assertEqual(self.arrays("p.npz")["dynamic_feat"].tolist(), [1, 2, 3])


class BadArchives(SeriesTest):
    def refused(self, *says, **changes):
        self.save("bad.npz", **changes)
        result = self.run_penstock("inspect", "bad.npz")
        self.assertNotEqual(result.returncode, 0, changes.keys())
        self.assertLess(result.returncode, 70)
        for part in says:
            self.assertIn(part, result.err)

    def test_types(self):
        self.refused("bad.npz: target: expected a vector of float32, found float64", target=numpy.zeros(8))
        self.refused("bad.npz: target_offsets: expected a vector of integers", target_offsets=numpy.zeros(4))
        self.refused("bad.npz: start: expected one int64 a row", start=numpy.zeros(3, "int32"))
        self.refused("bad.npz: cat: expected categories of int32", cat=numpy.zeros((3, 2), "int64"))
        self.refused("dynamic_feat_lists: expected 1 elements, found 2", dynamic_feat_lists=numpy.array([1, 2]))
        self.refused("dynamic_feat_lists: 0 is no number of lists", dynamic_feat_lists=numpy.array([0]))

    def test_lengths(self):
        self.refused("start: 2 rows, but", start=numpy.zeros(2, "int64"))
        self.refused("dynamic_feat_offsets: 2 rows, but", dynamic_feat_offsets=numpy.array([0, 8, 16]))
        self.refused("target_offsets: the last row ends at 8", target=numpy.zeros(9, "float32"))
        self.refused("target_offsets: row 2 ends at 3", target_offsets=numpy.array([0, 4, 3, 8]))
        self.refused("row 1 has 8 values, which are not 3 lists", dynamic_feat_lists=numpy.array([3]))
        self.refused("dynamic_feat_offsets: row 2 has 0 values", dynamic_feat_offsets=numpy.array([0, 8, 8, 16]))

    def test_arrays_that_are_missing(self):
        self.refused("no array called target_offsets", target_offsets=None)
        self.refused("no array called target", target=None)
        self.refused("no array called dynamic_feat_lists", dynamic_feat_lists=None)
        self.refused("both target and in0", in0=numpy.zeros(1, "int32"), in0_offsets=numpy.array([0, 1, 1, 1]))
        lists = ("target", "target_offsets", "dynamic_feat", "dynamic_feat_offsets")
        self.refused("nor those of a sparse matrix or of lists", **dict.fromkeys(lists))
        self.save("fine.npz", target_observed=None)
        self.assertNotIn("not shown", self.ok("head", "fine.npz").err)

    def test_values(self):
        self.refused("cat: row 2: -1 is no category", cat=numpy.array([[0, 1], [-1, 0], [0, 0]], "int32"))
        self.refused("start: row 3: ", "no year from 1 to 9999", start=numpy.array([0, 0, 1 << 62]))


class TokenLists(CliTest):
    def test_archives_of_tokens(self):
        arrays = {"in0": numpy.array([1, 2, 3], "int32"), "in0_offsets": numpy.array([0, 2, 3])}
        arrays |= {"in1": numpy.array([7], "int32"), "in1_offsets": numpy.array([0, 0, 1])}
        numpy.savez(self.folder / "t.npz", **arrays, label=numpy.array([1, 0], "float32"))
        records = [json.loads(each) for each in self.ok("head", "t.npz", "--json").stdout.splitlines()]
        self.assertEqual(records[0], {"label": [1], "in0": [1, 2], "in1": []})
        self.ok("convert", "t.npz", "-o", "u.npz")
        with numpy.load(self.folder / "u.npz") as archive:
            self.assertEqual(list(archive), ["in0", "in0_offsets", "in1", "in1_offsets", "label"])
            self.assertEqual((archive["in0"].dtype.str, archive["in1_offsets"].tolist()), ("<i4", [0, 0, 1]))
        self.ok("diff", "t.npz", "u.npz")
        words = ("convert", "t.npz", "--to", "deepar", "--drop", "label", "-o", "x.jsonl")
        self.assertIn("no start and target", self.expect(2, *words).err)


if __name__ == "__main__":
    main()
