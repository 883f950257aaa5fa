#!/usr/bin/env python3
"""JSON lines from the command line: what Python's json makes of every accepted number, whole-input checks, tables that
become time series, round trips through other formats, real files."""

import functools
import json
import sys
from fractions import Fraction

try:
    import numpy
except ImportError:
    sys.exit(77)
from _cli import SOURCE, CliTest, gzipped, main


@functools.lru_cache(maxsize=None)
def float32_of(text):
    """The float32 that is nearest to a decimal text, ties to even, by exact arithmetic; None beyond the range."""
    exact = Fraction(text)
    near = numpy.float32(float(exact)) if abs(exact) < Fraction(10) ** 38 * 4 else numpy.float32(numpy.inf)
    with numpy.errstate(over="ignore"):
        around = {near, numpy.nextafter(near, numpy.float32(numpy.inf)), numpy.nextafter(near, numpy.float32(-numpy.inf))}
    limit = Fraction(2) ** 128

    def key(value):
        if numpy.isinf(value):
            return (abs(exact - (limit if value > 0 else -limit)), 1)
        return (abs(exact - Fraction(float(value))), int(value.view("uint32")) & 1)

    best = min(around, key=key)
    if numpy.isinf(best):
        return None
    return numpy.float32(-0.0) if best == 0 and text.startswith("-") else best


class Number(str):
    """A number as it stands in the text."""


def parsed(line):
    """A line as Python's json reads it, numbers as their text."""
    return json.loads(line, parse_float=Number, parse_int=Number)


def bits_of(values):
    bits = []
    for value in values:
        missing = value is None or (isinstance(value, str) and not isinstance(value, Number))
        bits.append(0x7FC00000 if missing else int(float32_of(value).view("uint32")))
    return bits


class PythonAgrees(CliTest):
    """Every accepted value of the corpora of finite numbers, bit for bit."""

    def arrays(self, name):
        with numpy.load(self.folder / name, allow_pickle=False) as archive:
            return {each: archive[each] for each in archive.files}

    def check(self, kind, expect):
        checked = 0
        for path in sorted((SOURCE / "formats" / kind / "corpus" / "pass").glob("*.jsonl")):
            options = []
            for line in path.with_suffix(".expect").read_text().splitlines():
                if line.startswith("options "):
                    options = line.split()[1:]
            if "--lenient" in options or "--dtype" in options or "--overflow" in options:
                continue
            text = path.read_bytes().decode("utf-8-sig").replace("\r", "\n")
            records = [parsed(line) for line in text.split("\n") if line.strip(" \t")]
            result = self.run_penstock("convert", path, "--from", kind, "-o", "a.npz", "-f", "--categories", "any", *options)
            if result.returncode == 2 and "belongs to" in result.err:  # --categories is DeepAR's
                result = self.run_penstock("convert", path, "--from", kind, "-o", "a.npz", "-f", *options)
            self.assertEqual(result.returncode, 0, f"{path}\n{result.err}")
            expect(self, records, self.arrays("a.npz"))
            checked += 1
        self.assertGreater(checked, 1)

    def test_time_series(self):
        def expect(test, records, arrays):
            values = [value for record in records for value in record["target"]]
            test.assertEqual(arrays["target"].view("uint32").tolist(), bits_of(values))
            features = [record.get("dynamic_feat") or record.get("feat_dynamic_real") or [] for record in records]
            if "dynamic_feat" in arrays:
                flat = [value for lists in features for values in lists for value in values]
                test.assertEqual(arrays["dynamic_feat"].view("uint32").tolist(), bits_of(flat))
            if "cat" in arrays:
                cats = [record.get("cat") or record.get("feat_static_cat") for record in records]
                test.assertEqual(arrays["cat"].reshape(len(records), -1).tolist(), [[int(c) for c in row] for row in cats])

        self.check("deepar", expect)

    def test_vectors(self):
        def features(record):
            found = record.get("features", record.get("data", {}).get("features"))
            return found if isinstance(found, dict) else {"values": found}

        def expect(test, records, arrays):
            lists = [features(record) for record in records]
            if "features" in arrays:
                finite = [value for each in lists for value in each["values"] if value not in ("Infinity", "-inf")]
                found = arrays["features"].ravel()
                test.assertEqual(found[~numpy.isinf(found)].view("uint32").tolist(), bits_of(finite))
            else:
                rows = [sorted(zip(map(int, each["keys"]), each["values"]), key=lambda pair: pair[0]) for each in lists]
                pairs = [pair for row in rows for pair in row]
                test.assertEqual(arrays["indices"].tolist(), [key for key, _ in pairs])
                test.assertEqual(arrays["data"].view("uint32").tolist(), bits_of([value for _, value in pairs]))

        self.check("jsonl", expect)


class WholeInput(CliTest):
    def test_a_category_that_no_record_has(self):
        self.write("c.jsonl", '{"start":"2009-11-01","target":[1],"cat":[1]}\n')
        result = self.expect(1, "convert", "c.jsonl", "--to", "deepar", "-o", "out.jsonl")
        self.assertIn("cat[0]: no record has category 0, though one has 1", result.err)
        self.assertIn("--categories any", result.err)
        self.assertNotIn("out.jsonl", self.names())
        self.ok("convert", "c.jsonl", "--to", "deepar", "-o", "out.jsonl", "--categories", "any")

    def test_only_whole_inputs_are_judged(self):
        lines = "".join(f'{{"start":"2009-11-01","target":[1],"cat":[0,{i}]}}\n' for i in (0, 7, 3, 1, 6, 2))
        self.write("c.jsonl", lines)
        result = self.expect(1, "convert", "c.jsonl", "-o", "c.npz")
        self.assertIn("cat[1]: no record has one of the categories 4, 5, though one has 7", result.err)
        self.ok("convert", "c.jsonl", "-o", "c.npz", "--limit", "2")
        self.ok("head", "c.jsonl")
        self.ok("convert", "-", "-o", "d.npz", stdin=lines.encode() + b'{"start":"2009-11-01","target":[1],"cat":[0,4]}\n'
                b'{"start":"2009-11-01","target":[1],"cat":[0,5]}\n')

    def test_both_lines_are_named(self):
        self.write("c.jsonl", '\n{"start":"2009-11-01","target":[1],"cat":[0,1]}\n{"start":"2009-11-01","target":[1],"cat":[0]}\n')
        result = self.expect(1, "convert", "c.jsonl", "-o", "c.npz")
        self.assertIn("c.jsonl:3:42: cat: the first record (line 2) has 2 values, this one 1", result.err)

    def test_a_record_of_many_megabytes(self):
        values = ",".join(str(i % 1000) + ".25" for i in range(3_000_000))
        self.write("long.jsonl", f'{{"start":"2009-11-01","target":[{values}]}}\n{{"start":"2009-11-01","target":[1]}}\n')
        self.expect(1, "convert", "long.jsonl", "-o", "long.npz")
        self.ok("convert", "long.jsonl", "-o", "long.npz", "--max-record-size", "32MiB")
        with numpy.load(self.folder / "long.npz") as archive:
            self.assertEqual(archive["target_offsets"].tolist(), [0, 3_000_000, 3_000_001])
            self.assertEqual(archive["target"][-2:].tolist(), [999.25, 1])


class Tables(CliTest):
    def table(self, *lines):
        self.write("t.csv", "item,day,sold,price\n" + "\n".join(lines) + "\n")

    def series(self, *words, status=0):
        return self.expect(status, "convert", "t.csv", "--to", "deepar", "--series-id", "item", "--time", "day", "--target",
                           "sold", *words, "-o", "out.jsonl", "-f")

    def records(self):
        return [json.loads(line) for line in self.read("out.jsonl").splitlines()]

    def test_lines_in_any_order_become_series(self):
        self.table("b,2020-01-03,3,1", '"a, x",2020-02-28,10.5,2', "b,2020-01-01,1,3", '"a, x",2020-02-29,,4', "b,2020-01-02,2,5")
        self.series("--freq", "D", "--dynamic-feat", "price")
        self.assertEqual(self.records(), [
            {"start": "2020-01-01 00:00:00", "target": [1, 2, 3], "dynamic_feat": [[3, 5, 1]]},
            {"start": "2020-02-28 00:00:00", "target": [10.5, "NaN"], "dynamic_feat": [[2, 4]]},
        ])

    def test_gaps(self):
        self.table("a,2020-01-01,1,1", "a,2020-01-04,4,1")
        self.series("--freq", "D")
        self.assertEqual(self.records()[0]["target"], [1, "NaN", "NaN", 4])
        self.assertIn("there is no line for step 2", self.series("--freq", "D", "--gaps", "error", status=1).err)
        self.assertIn("no missing values", self.series("--freq", "D", "--dynamic-feat", "price", status=1).err)
        self.series("--freq", "3D")
        self.assertEqual(self.records()[0]["target"], [1, 4])

    def test_months(self):
        self.table("a,2019-11-05,1,1", "a,2020-01-05,3,1", "a,2019-12-05,2,1")
        self.series("--freq", "M")
        self.assertEqual(self.records()[0], {"start": "2019-11-05 00:00:00", "target": [1, 2, 3]})
        self.table("a,2019-11-05,1,1", "a,2020-01-06,3,1")
        self.assertIn("2020-01-06 00:00:00 is no step of M", self.series("--freq", "M", status=1).err)

    def test_bad_cells_have_places(self):
        self.table("a,2020-01-01,1,1", "a,yesterday,2,1")
        self.assertIn('t.csv:3:3: ', self.series("--freq", "D", status=1).err)
        self.table("a,2020-01-01,1,1", "a,2020-01-02,x,1")
        self.assertIn('t.csv:3:14: ', self.series("--freq", "D", status=1).err)
        self.table("a,2020-01-01,1,1", "a,2020-01-01,2,1")
        self.assertIn('series "a": 2020-01-01 00:00:00 stands twice', self.series("--freq", "D", status=1).err)
        self.table("b,2020-01-01,1,1", "a,2020-01-01")
        self.assertIn("t.csv:3:", self.series("--freq", "D", status=1).err)
        self.assertIn("expected M, W, D, H or min", self.series("--freq", "fortnight", status=2).err)

    def test_columns_go_by_name_in_every_file(self):
        self.write("1.csv", "item,day,sold,price\na,2020-01-01,1,10\n")
        self.write("2.csv", "day,item,price,sold\n2020-01-02,a,20,2\n")
        self.ok("convert", "1.csv", "2.csv", "--to", "deepar", "--series-id", "item", "--time", "day", "--target", "sold",
                "--dynamic-feat", "price", "--freq", "D", "-o", "out.jsonl")
        self.assertEqual(self.records(), [{"start": "2020-01-01 00:00:00", "target": [1, 2], "dynamic_feat": [[10, 20]]}])

    def test_unknown_columns_name_their_option(self):
        self.table("a,2020-01-01,1,1")
        given = {"--series-id": "item", "--time": "day", "--target": "sold", "--dynamic-feat": "price"}
        for option in given:
            words = [word for pair in {**given, option: "nope"}.items() for word in pair]
            err = self.expect(2, "convert", "t.csv", "--to", "deepar", "--freq", "D", *words, "-o", "out.jsonl").err
            self.assertIn(option + ": ", err)
            self.assertIn("has no column", err)
            self.assertNotIn("--columns", err)

    def test_records_of_another_width_and_options_of_rows(self):
        self.table("a,2020-01-01,1,1", "a,2020-01-02,2,1,9")
        self.assertIn("t.csv:3:", self.series("--freq", "D", status=1).err)
        self.table("a,2020-01-01,1,1")
        for option in (("--limit", "1"), ("--dtype", "float64"), ("--overflow", "inf")):
            self.assertIn(option[0] + " does not go with", self.series("--freq", "D", *option, status=2).err)
        self.series("--freq", "99999999999999999999D", status=2)

    def test_lines_are_counted_over_many_pieces(self):
        days = "\r\n".join(f"s{i},2020-01-01,1,1" for i in range(80_000))
        self.write("t.csv", "item,day,sold,price\r\n" + days + "\r\nx,yesterday,1,1\r\n")
        self.assertIn("t.csv:80002:3: ", self.series("--freq", "D", status=1).err)

    def test_item_demand(self):
        table = self.shared("series/item-demand-time.csv")
        self.ok("convert", table, "--to", "deepar", "--series-id", "2", "--time", "0", "--target", "1", "--freq", "H", "-o", "s.jsonl")
        records = [json.loads(line) for line in self.read("s.jsonl").splitlines()]
        self.assertEqual([len(record["target"]) for record in records], [7991] * 3)
        self.assertEqual({record["start"] for record in records}, {"2014-01-01 01:00:00"})
        expected = [line.split(",") for line in table.read_text().splitlines()]
        first = [float32_of(value) for _, value, item in expected if item == "client_12"]
        self.assertEqual(numpy.array(records[0]["target"], "float32").tolist(), numpy.array(first, "float32").tolist())
        self.write("s.json.gz", gzipped(self.read("s.jsonl")))
        self.ok("convert", "s.json.gz", "-o", "s.npz")
        self.ok("diff", "s.npz", "s.jsonl")


class RoundTrips(CliTest):
    def test_csv_libsvm_recordio_and_arrays(self):
        self.write("d.csv", "1,0.1,,3e-40\n0,-2.5,1e30,7\n")
        self.ok("convert", "d.csv", "--label", "0", "-o", "d.jsonl")
        self.assertEqual(self.read("d.jsonl").splitlines()[0], b'{"features":[0.1,null,3e-40],"label":1}')
        self.ok("diff", "d.csv", "d.jsonl", "--label", "0")
        for name in ("d.rec", "d.npz", "e.csv"):
            self.ok("convert", "d.jsonl", "-o", name)
            self.ok("diff", "d.jsonl", name, *(("--label", "0") if name == "e.csv" else ()))
        self.write("s.libsvm", "1 1:0.5 7:-3\n0\n2 3:1e-3\n")
        self.ok("convert", "s.libsvm", "-o", "s.jsonl")
        for name in ("s.libsvm", "t.rec", "t.npz"):
            if name != "s.libsvm":
                self.ok("convert", "s.jsonl", "-o", name)
            self.ok("diff", "s.jsonl", name)
            self.ok("convert", name, "-o", "u.jsonl", "-f")
            self.ok("diff", "s.jsonl", "u.jsonl")

    def test_other_types_and_lists_of_labels(self):
        numpy.savez(self.folder / "i.npz", features=numpy.array([[2**63 - 1, -(2**63)], [0, 1]], "int64"))
        numpy.savez(self.folder / "f.npz", features=numpy.array([[0.1, numpy.inf], [-numpy.inf, numpy.nan]], "float64"),
                    label_values=numpy.array([1, 2, 3], "float32"), label_offsets=numpy.array([0, 0, 3], "int64"))
        for name in ("i", "f"):
            self.ok("convert", f"{name}.npz", "-o", f"{name}.jsonl")
            self.ok("diff", f"{name}.npz", f"{name}.jsonl")

    def test_what_a_line_has_no_place_for(self):
        self.write("w.libsvm", "1:2 qid:3 1:0.5\n")
        result = self.expect(2, "convert", "w.libsvm", "-o", "w.jsonl")
        self.assertIn("--drop weight,qid", result.err)
        self.ok("convert", "w.libsvm", "-o", "w.jsonl", "--drop", "weight,qid")
        self.assertEqual(self.read("w.jsonl"), b'{"data":{"features":{"keys":[0],"shape":[1],"values":[0.5]}},"label":1}\n')
        self.ok("convert", "w.libsvm", "-o", "w.csv", "--drop", "weight,qid", "--absent", "zero")
        self.assertEqual(self.read("w.csv"), b"1,0.5\n")
        self.write("s.jsonl", '{"start":"2009-11-01","target":[1]}\n')
        self.assertIn("--to deepar", self.expect(2, "convert", "s.jsonl", "-o", "x.jsonl").err)
        self.assertIn("target", self.expect(2, "convert", "s.jsonl", "-o", "x.rec").err)

    def test_tokens(self):
        self.write("o.jsonl", '{"label": 0, "in0": [6, 17, 606], "in1": [16]}\n{"label": 1, "in0": [1], "in1": [2, 3]}\n')
        self.ok("convert", "o.jsonl", "-o", "o.npz")
        with numpy.load(self.folder / "o.npz") as archive:
            self.assertEqual(archive["in0"].tolist(), [6, 17, 606, 1])
            self.assertEqual(archive["in1_offsets"].tolist(), [0, 1, 3])
        self.ok("diff", "o.jsonl", "o.npz")


class Objects(CliTest):
    def test_many_class_names(self):
        names = [f"class {i}" for i in range(1000)] + ["\u00e9t\u00e9", "", "nan"]
        self.write("o.jsonl", "".join(json.dumps({"x": 1, "y": name}) + "\n" for name in reversed(names)))
        label_map = ",".join(f'"{name}"={i}' for i, name in enumerate(names))
        self.ok("convert", "o.jsonl", "--columns", "x", "--label", "y", "--label-map", label_map, "-o", "o.npz")
        with numpy.load(self.folder / "o.npz") as arrays:
            self.assertEqual(arrays["label"].ravel().tolist(), list(reversed(range(len(names)))))
        self.write("p.jsonl", '{"x":1,"y":"class 1000"}\n')
        words = ("convert", "p.jsonl", "--columns", "x", "--label", "y", "--label-map", label_map, "-o", "p.npz")
        self.assertIn("class 1000", self.expect(1, *words).err)

    def test_very_wide_rows_are_noted(self):
        for width, is_noted in ((1000, False), (1001, True)):
            self.write("w.jsonl", json.dumps({f"id{i}": i for i in range(width)}) + "\n")
            err = self.ok("convert", "w.jsonl", "-f", "-o", "w.npz").err
            self.assertEqual("rows are 1001 values wide: --columns chooses fewer" in err, is_noted, err)


class Faults(CliTest):
    def test_rejects_of_vectors(self):
        self.write("v.jsonl", '{"features":[1,2]}\n{"features":[1]}\n')
        self.ok("convert", "v.jsonl", "--on-error", "quarantine", "-o", "v.npz")
        self.assertEqual(self.read("_v.npz.rejects.json"), b'{"features":[1]}\n')
        self.assertIn(b'"width_mismatch"', self.read("_v.npz.rejects.jsonl"))

    def test_faults_are_told_where_no_line_can_be_the_first(self):
        for line, word in (
            ('{"features":[1,],"label":1}', "a comma stands before"),
            ('{"features":[NaN,1]}', "--lenient"),
            ('{"start":"2009-11-01","target":[NaN]}', "--lenient"),
            ('{"in0":[1,"a"],"in1":[2]}', "expected an integer"),
        ):
            self.write("bad.jsonl", line + "\n")
            self.assertIn(word, self.expect(1, "convert", "bad.jsonl", "-o", "x.npz").err)
        self.write("bad.jsonl", "{'features':[1]}\n")
        self.assertIn("strings have double quotes", self.expect(1, "convert", "bad.jsonl", "--from", "jsonl", "-o", "x.npz").err)

    def test_other_objects_are_objects(self):
        self.write("log.jsonl", '{"id":1,"payload":{"data":5},"y":2}\n')
        self.ok("convert", "log.jsonl", "-o", "log.csv")
        self.assertEqual(self.read("log.csv"), b"1,5,2\n")

    def test_long_options(self):
        names = [f"key_number_{i}" for i in range(8000)]
        self.write("wide.jsonl", json.dumps(dict.fromkeys(names, 1)) + "\n")
        self.ok("convert", "wide.jsonl", "--columns", ",".join(names), "-o", "wide.npz")

    def test_many_repeats_of_a_key_take_linear_time(self):
        self.write("again.jsonl", '{"features":[1,2]' + ',"label":[1]' * 300_000 + "}\n")
        self.assertIn("stands twice", self.expect(1, "convert", "again.jsonl", "-o", "x.npz").err)

    def test_arrays_that_lines_cannot_hold(self):
        base = {"start": numpy.array([0], "int64"), "target_offsets": numpy.array([0, 2], "int64")}
        numpy.savez(self.folder / "inf.npz", target=numpy.array([1, numpy.inf], "float32"), **base)
        self.assertIn("infinite", self.expect(1, "convert", "inf.npz", "--to", "deepar", "-o", "x.jsonl").err)
        numpy.savez(self.folder / "len.npz", target=numpy.array([1, 2], "float32"), dynamic_feat=numpy.array([1], "float32"),
                    dynamic_feat_offsets=numpy.array([0, 1], "int64"), dynamic_feat_lists=numpy.array([1], "int64"), **base)
        self.assertIn("another length", self.expect(1, "convert", "len.npz", "--to", "deepar", "-o", "x.jsonl").err)


class Schemas(CliTest):
    def test_keys_that_were_found_stay_the_columns(self):
        self.write("a.jsonl", '{"y":1,"b":{"c":2},"a":3,"t":"x"}\n{"y":0,"a":4,"b":{"c":null}}\n')
        self.ok("inspect", "a.jsonl", "--label", "y", "--save-schema", "s.json")
        schema = json.loads(self.read("s.json"))
        self.assertEqual((schema["options"]["columns"], schema["options"]["label"]), ("b.c,a", "y"))
        self.write("b.jsonl", '{"a":5,"z":6,"y":1,"b":{"c":7}}\n')
        self.ok("convert", "b.jsonl", "--schema", "s.json", "-o", "b.csv")
        self.assertEqual(self.read("b.csv"), b"1,7,5\n")

    def test_time_series(self):
        self.write("a.jsonl", '{"start":"2009-11-01","target":[1],"cat":[0]}\n')
        self.ok("inspect", "a.jsonl", "--save-schema", "s.json")
        self.ok("convert", "a.jsonl", "--schema", "s.json", "-o", "a.npz")
        self.write("b.jsonl", '{"start":"2009-11-01","target":[1]}\n')
        self.expect(5, "convert", "b.jsonl", "--schema", "s.json", "-o", "b.npz")


class RealFiles(CliTest):
    def test_boston_311(self):
        path = self.shared("jsonl/boston311-100.jsonl")
        records = [json.loads(line, parse_float=Number, parse_int=Number) for line in path.read_text().splitlines()]
        self.ok("convert", path, "--columns", "latitude,longitude", "-o", "b.npz")
        with numpy.load(self.folder / "b.npz") as archive:
            self.assertEqual(archive["features"].shape, (100, 2))
            values = [record[key] for record in records for key in ("latitude", "longitude")]
            self.assertEqual(archive["features"].ravel().view("uint32").tolist(), bits_of(values))
        self.ok("convert", path, "--columns", "case_enquiry_id", "--dtype", "int64", "-o", "i.npz")
        with numpy.load(self.folder / "i.npz") as archive:
            self.assertEqual(archive["features"].ravel().tolist(), [int(record["case_enquiry_id"]) for record in records])


if __name__ == "__main__":
    main()
