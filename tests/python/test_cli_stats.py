#!/usr/bin/env python3
"""`penstock stats` as its users run it, against numpy over the same float32 values."""

import json

import numpy as np

from _cli import CliTest, main

QUANTILES = {"p1": 1, "p5": 5, "q25": 25, "median": 50, "q75": 75, "p95": 95, "p99": 99}
SMALL = "a,b,name,y\n1,2.5,x,0\n-3,,y,1\n0,4e2,z,1\n"


class Stats(CliTest):
    def columns(self, *words):
        return json.loads(self.ok("stats", *words, "--json", "-q").stdout)["columns"]

    def test_small_table(self):
        self.write("s.csv", SMALL)
        result = self.ok("stats", "s.csv", "--label", "y")
        lines = result.stdout.decode().splitlines()
        self.assertEqual(
            lines[0].split(), "column count missing zeros distinct min median max mean std".split()
        )
        self.assertEqual([line.split()[0] for line in lines[1:5]], ["a", "b", "y", "name"])
        self.assertEqual(lines[2].split()[1:9], ["2", "1", "0", "2", "2.5", "201.25", "400", "201.25"])
        self.assertEqual(lines[4].split(), ["name", "3", "0", "-", "3", "-", "-", "-", "-", "-"])
        self.assertEqual(lines[5:7], ["", "y: 1 (66.6 %, 2), 0 (33.3 %, 1)"])
        self.assertEqual(lines[7:], ["name: x (33.3 %, 1), y (33.3 %, 1), z (33.3 %, 1)"])
        self.assertEqual(self.columns("s.csv", "--label", "y")[2]["role"], "label")

    def test_columns_of_text(self):
        words = ["b", '"a, ""quoted"""', "b", "NA", "c", "", "a", "a"]
        long = "x" * 4096
        rows = words + [long + "1", long + "2", '"' + long + '""3"']
        self.write("t.csv", "n,word\n" + "".join(f"{i},{word}\n" for i, word in enumerate(rows)))
        word = self.columns("t.csv")[1]
        self.assertEqual((word["name"], word["role"]), ("word", "text"))
        self.assertEqual((word["count"], word["missing"], word["distinct"]), (9, 2, 5))
        self.assertEqual((word["zeros"], word["mean"], word["median"]), (None, None, None))
        frequent = [(each["value"], each["count"]) for each in word["most_frequent"]]
        self.assertEqual(frequent, [(long, 3), ("a", 2), ("b", 2), ('a, "quoted"', 1), ("c", 1)])
        bare = self.ok("stats", "t.csv", "--column", "word", "--statistic", "distinct")
        self.assertEqual(bare.stdout, b"5\n")

    def test_many_texts(self):
        """Beyond what is counted one by one there is about their number, whatever threads and slots."""
        self.write("t.csv", "n,word\n" + "".join(f"{i % 10},w{i % 70000}\n" for i in range(140000)))
        word = self.columns("t.csv")[1]
        self.assertAlmostEqual(word["distinct"], 70000, delta=70000 * 0.03)
        self.assertEqual((word["distinct_is_exact"], word["most_frequent"]), (False, None))
        again = self.columns("t.csv", "--threads", "4", "--slot-size", "64KiB")
        self.assertEqual(again[1], word)

    def test_one_statistic_of_one_column_is_a_bare_value(self):
        self.write("s.csv", SMALL)
        words = ("s.csv", "--label", "y", "-q")
        for column, statistic, value in (("a", "min", b"-3"), ("b", "missing", b"1"), ("b", "mean", b"201.25")):
            result = self.ok("stats", *words, "--column", column, "--statistic", statistic)
            self.assertEqual(result.stdout, value + b"\n")
        self.assertIn("Did you mean a?", self.expect(2, "stats", *words, "--column", "A").err)
        self.assertIn("Known are count, ", self.expect(2, "stats", *words, "--statistic", "mode").err)

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
            self.expect_details(column, finite)

    def expect_details(self, column, finite):
        """Of a column that is small enough for exact ones."""
        for name, percent in QUANTILES.items():
            wanted = np.percentile(finite, percent)
            self.assertLessEqual(abs(column[name] - wanted), np.spacing(abs(wanted)), (column["name"], name))
        self.assertTrue(column["quantiles_are_exact"])
        values, counts = np.unique(finite, return_counts=True)
        self.assertEqual(column["distinct"], len(values))
        self.assertTrue(column["distinct_is_exact"])
        order = np.lexsort((values, -counts))[:10]
        wanted = [{"value": values[i], "count": counts[i], "share": counts[i] / len(finite)} for i in order]
        self.assertEqual(column["most_frequent"], wanted)

    def write_npz(self, name, **arrays):
        np.savez(self.folder / name, **arrays)

    def test_beyond_what_is_exact(self):
        random = np.random.default_rng(1)
        rows = 300_000
        x = np.stack([random.lognormal(0, 2, rows), random.permutation(rows) / 8, random.integers(0, 9, rows)], 1)
        x[random.random(rows) < 0.1, 0] = np.nan
        self.write_npz("big.npz", features=x)
        about = self.columns("big.npz")
        exact = self.columns("big.npz", "--exact")
        for column, all_values, values in zip(about, exact, x.T, strict=True):
            values = np.sort(values[np.isfinite(values)])
            self.assertFalse(column["quantiles_are_exact"])
            self.assertTrue(all_values["quantiles_are_exact"])
            for name, percent in QUANTILES.items():
                wanted = np.percentile(values, percent)
                self.assertLessEqual(abs(all_values[name] - wanted), np.spacing(abs(wanted)))
                ranks = np.searchsorted(values, column[name]), np.searchsorted(values, column[name], "right")
                self.assertLess(ranks[0] / len(values), percent / 100 + 0.004, name)
                self.assertGreater(ranks[1] / len(values), percent / 100 - 0.004, name)
        self.assertEqual([c["distinct_is_exact"] for c in about], [False, False, True])
        self.assertAlmostEqual(about[1]["distinct"], rows, delta=rows * 0.0081 * 3)
        self.assertEqual(about[1]["most_frequent"], None)
        self.assertEqual(about[2]["distinct"], 9)
        table = self.ok("stats", "big.npz", "-q").stdout.decode().splitlines()
        self.assertTrue(table[1].split()[4].startswith("~"))
        self.assertTrue(all(len(line) <= 120 for line in table))

    def test_a_column_alone_is_what_it_is_among_others(self):
        random = np.random.default_rng(2)
        self.write_npz("w.npz", features=random.normal(size=(70_000, 3)), label=np.arange(70_000.0))
        columns = self.columns("w.npz")
        for column in columns:
            self.assertEqual(self.columns("w.npz", "--column", column["name"]), [column])
        some = self.columns("w.npz", "--statistic", "p99,count")
        self.assertEqual(some[1], {"name": "features[1]", "role": "features", "p99": columns[1]["p99"], "count": 70_000})

    def test_too_many_columns_for_details(self):
        self.write_npz("w.npz", features=np.arange(3 * 2049.0).reshape(3, 2049))
        result = self.ok("stats", "w.npz", "--json")
        self.assertIn("quantiles and distinct values of more than 2,048 columns are left out", result.err)
        columns = json.loads(result.stdout)["columns"]
        self.assertEqual((columns[7]["median"], columns[7]["distinct"], columns[7]["mean"]), (None, None, 2056))
        result = self.ok("stats", "w.npz", "--column", "features[7]", "--statistic", "median", "-q")
        self.assertEqual(result.stdout, b"2056\n")

    def test_correlations(self):
        random = np.random.default_rng(3)
        a = random.normal(size=5000)
        x = np.stack([a, 1e6 - 3 * a + random.normal(size=5000), random.normal(size=5000), np.full(5000, 7.0)], 1)
        x[10::50, 2] = np.nan
        y = a + random.normal(size=5000)
        self.write_npz("c.npz", features=x, label=y)
        found = json.loads(self.ok("stats", "c.npz", "--correlations", "--json").stdout)["correlations"]
        complete = np.isfinite(x).all(1)
        self.assertEqual(found["rows"], complete.sum())
        self.assertEqual(found["columns"], [f"features[{i}]" for i in range(4)] + ["label"])
        with np.errstate(invalid="ignore"):
            wanted = np.corrcoef(np.column_stack([x, y])[complete], rowvar=False)
        for a_row, b_row in zip(found["matrix"], wanted, strict=True):
            for r, r_wanted in zip(a_row, b_row, strict=True):
                if np.isnan(r_wanted):
                    self.assertIsNone(r)
                else:
                    self.assertAlmostEqual(r, r_wanted, delta=1e-9)
        table = self.ok("stats", "c.npz", "--correlations").stdout.decode()
        self.assertIn("Correlations over 4,900 of 5,000 rows", table)
        self.assertIn("features[3]", table.splitlines()[-2])
        self.expect(2, "stats", "c.npz", "--correlations", "--column", "label")
        self.write_npz("w.npz", features=np.zeros((2, 257)))
        self.assertIn("257 columns are too many", self.expect(2, "stats", "w.npz", "--correlations").err)

    def test_the_same_bytes_whatever_the_slots_and_threads(self):
        self.ok("synth", "dirty", "--rows", "90000", "--header", "--bad", "2%", "-o", "d.csv", "-q")
        words = ("d.csv", "--label", "label", "--on-error", "skip", "--json", "-qq", "--correlations")
        wanted = self.ok("stats", *words).stdout
        for threads, slot in ((1, "64KiB"), (8, "64KiB"), (3, "100001"), (8, "1MiB")):
            found = self.ok("stats", *words, "--threads", threads, "--slot-size", slot, "--memory", "64MiB").stdout
            self.assertEqual(found, wanted, (threads, slot))
        self.ok("convert", *words[:5], "-o", "d.npz", "-qq")
        features = [c for c in json.loads(wanted)["columns"] if c["role"] == "features"]
        arrays = [c for c in self.columns("d.npz") if c["role"] == "features"]
        for one, other in zip(features, arrays, strict=True):
            self.assertEqual({**one, "name": ""}, {**other, "name": ""})

    def test_sparse_features(self):
        self.write("s.libsvm", "1 1:2 3:4\n0 2:1 3:-2.5\n1\n1 3:nan 4:0\n0 3:7\n")
        columns = self.columns("s.libsvm")
        names = [c["name"] for c in columns]
        self.assertEqual(names, [f"features[{i}]" for i in range(4)] + ["label", "features.length"])
        third, fourth, length = columns[2], columns[3], columns[5]
        self.assertEqual([third[k] for k in ("count", "missing", "zeros", "min", "max")], [3, 1, 0, -2.5, 7])
        self.assertAlmostEqual(third["mean"], 8.5 / 3, delta=1e-15)
        self.assertEqual((fourth["count"], fourth["zeros"], fourth["std"]), (1, 1, 0))
        lengths = np.array([2, 2, 0, 2, 1])
        self.assertEqual([length[k] for k in ("count", "min", "max", "mean", "distinct")], [5, 0, 2, 1.4, 3])
        self.expect_details(length, lengths)
        words = ("--statistic", "mean", "-q")
        self.assertEqual(self.ok("stats", "s.libsvm", "--column", "features[3]", *words).stdout, b"0\n")
        self.assertEqual(self.ok("stats", "s.libsvm", "--column", "features.length", *words).stdout, b"1.4\n")
        self.assertIn("no stored value", self.expect(2, "stats", "s.libsvm", "--column", "features[9]").err)
        self.assertIn("Did you mean label?", self.expect(2, "stats", "s.libsvm", "--column", "labl").err)
        self.assertIn("no dense features", self.expect(2, "stats", "s.libsvm", "--correlations").err)

    def test_long_sparse_tables_are_cut(self):
        self.write("s.libsvm", "1 " + " ".join(f"{i}:1" for i in range(1, 151)) + " 2000000:5\n")
        result = self.ok("stats", "s.libsvm")
        self.assertIn("1 values in columns from 1,048,576 on are left out", result.err)
        self.assertIn("(and 50 sparse columns more: --json has all)", result.stdout.decode())
        self.assertEqual(len(self.columns("s.libsvm")), 152)

    def test_lists(self):
        lines = [{"start": "2020-01-01 00:00:00", "target": [1, 2, None], "dynamic_feat": [[1, 2, 3], [4, 5, 6]]}]
        lines.append({"start": "2020-01-01 00:00:00", "target": [5], "dynamic_feat": [[7], [8]]})
        self.write("t.jsonl", "".join(json.dumps(line) + "\n" for line in lines).replace("null", '"NaN"'))
        found = {c["name"]: c for c in self.columns("t.jsonl", "--from", "deepar")}
        self.assertEqual([found["target"][k] for k in ("count", "missing", "mean")], [3, 1, 8 / 3])
        self.assertEqual([found["target.length"][k] for k in ("count", "min", "max", "median")], [2, 1, 3, 2])
        self.assertEqual([found["dynamic_feat"][k] for k in ("count", "median")], [8, 4.5])
        self.assertEqual([found["dynamic_feat.length"][k] for k in ("min", "max")], [1, 3])
        found = self.columns("t.jsonl", "--from", "deepar", "--column", "target.length")
        self.assertEqual([found[0][k] for k in ("min", "max", "mean")], [1, 3, 2])

    def test_label_balance(self):
        self.write("l.csv", "x,y\n" + "".join(f"1,{i * i % 13}\n" for i in range(130)))
        lines = self.ok("stats", "l.csv", "--label", "y").stdout.decode().splitlines()
        self.assertEqual(lines[-1].split(", ")[0:2], ["y: 1 (15.3 %", "20)"])
        label = self.columns("l.csv", "--label", "y")[1]
        self.assertEqual([v["value"] for v in label["most_frequent"]], [1, 3, 4, 9, 10, 12, 0])
        self.assertEqual(label["most_frequent"][-1], {"value": 0, "count": 10, "share": 10 / 130})

    def test_bad_records(self):
        self.write("s.csv", "a,b\n1,2\n3,x\n5,6\n")
        self.assertIn("s.csv:3:3", self.expect(1, "stats", "s.csv").err)
        result = self.ok("stats", "s.csv", "--on-error", "skip", "--column", "a", "--statistic", "mean")
        self.assertEqual(result.stdout, b"3\n")


if __name__ == "__main__":
    main()
