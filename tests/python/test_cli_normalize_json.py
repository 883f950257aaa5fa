#!/usr/bin/env python3
"""Strings of JSON objects as features: the same table as CSV and as objects becomes the same features, byte for byte."""

import csv
import io
import json

import numpy as np

from _cli import CliTest, main

try:
    from sklearn import preprocessing
except ImportError:
    preprocessing = None

WORDS = ["Paris", "Rome", "Orléans", "New York", 'the "City"', "a,b", "back\\slash", "two\nlines", "tab\there", "日本", "😀", " x "]
NAMES = ["id", "price", "city", "geo.zone", "flag", "day", "who"]
SPEC = (
    "impute(median, indicator) + standardize; id=ordinal(unknown=other); city=one-hot; geo.zone=ordinal; flag=boolean; "
    "day=time(epoch, month, weekday); who=hash(12)"
)


def nested(row):
    """`geo.zone` is a key of the object under `geo`; what is missing is null, or not there at all."""
    out = {}
    for i, (name, value) in enumerate(row.items()):
        if value is None and i % 2 == 0:
            continue
        if name.startswith("geo."):
            out.setdefault("geo", {})[name[4:]] = value
        else:
            out[name] = value
    return out


class NormalizeJsonTest(CliTest):
    def table(self, rows=3000, seed=7):
        """t.csv and t.objects.jsonl, which hold the same."""
        random = np.random.default_rng(seed)

        def sometimes(value):
            return None if random.random() < 0.1 else value

        table = []
        for i in range(rows):
            values = [
                int(random.integers(0, 40)),
                sometimes(round(float(random.normal(100, 30)), 3)),
                sometimes(WORDS[int(random.integers(0, len(WORDS)) * random.random())]),
                sometimes(WORDS[int(random.integers(0, len(WORDS)))].upper()),
                sometimes(bool(random.random() < 0.5)),
                sometimes(f"20{int(random.integers(10, 30))}-0{int(random.integers(1, 10))}-1{int(random.integers(0, 10))}"),
                f"user {int(random.integers(0, 500))}",
            ]
            table.append(dict(zip(NAMES, values)))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(NAMES)
        for row in table:
            writer.writerow(["" if v is None else str(v).lower() if isinstance(v, bool) else v for v in row.values()])
        self.write("t.csv", text.getvalue())
        # every other line with \u escapes, which spell the same
        lines = (json.dumps(nested(row), ensure_ascii=i % 2 == 0) for i, row in enumerate(table))
        self.write("t.objects.jsonl", "".join(line + "\n" for line in lines))
        return table

    def fit(self, name, spec, *words, output="n.json"):
        return self.ok("fit", name, "--normalize", spec, "-o", output, "-f", *words).err

    def converted(self, name, *words, output="out.npz", normalize="n.json"):
        self.ok("convert", name, "--normalize", normalize, "-o", output, "-f", "-qq", *words)
        return self.read(output)

    def features(self, name, *words, normalize="n.json"):
        self.converted(name, *words, normalize=normalize)
        with np.load(self.folder / "out.npz") as archive:
            return archive["features"]

    def columns(self):
        return {column["name"]: column for column in json.loads(self.read("n.json"))["normalizer"]["columns"]}

    def lines(self, *rows, name="x.objects.jsonl"):
        self.write(name, "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))


class LikeCsv(NormalizeJsonTest):
    def test_features_are_those_of_csv(self):
        self.table()
        for name, output in (("t.csv", "csv.json"), ("t.objects.jsonl", "objects.json")):
            self.fit(name, SPEC, output=output)
        fitted = [json.loads(self.read(name))["normalizer"] for name in ("csv.json", "objects.json")]
        self.assertEqual(fitted[0]["columns"], fitted[1]["columns"])
        self.assertEqual(len(fitted[0]["columns"]), 7)
        for output, words in (("out.npz", ()), ("out.csv", ("--output-header",)), ("out.rec", ()), ("d.npz", ("--dtype", "float64"))):
            if words == ("--dtype", "float64"):
                for name, normalize in (("t.csv", "csv.json"), ("t.objects.jsonl", "objects.json")):
                    self.fit(name, SPEC, *words, output=normalize)
                words = ()
            expected = self.converted("t.csv", *words, output=output, normalize="csv.json")
            found = self.converted("t.objects.jsonl", *words, output=output, normalize="objects.json")
            self.assertEqual(expected, found, output)
            self.assertGreater(len(found), 10000)

    def test_slots_and_threads_do_not_matter(self):
        self.table(20000)
        self.fit("t.objects.jsonl", SPEC)
        fitted, expected = self.read("n.json"), self.converted("t.objects.jsonl")
        for words in (("--slot-size", "64KiB"), ("--threads", "1"), ("--threads", "8", "--slot-size", "64KiB"), ("--memory", "300MiB")):
            self.fit("t.objects.jsonl", SPEC, *words, output="m.json")
            self.assertEqual(self.read("m.json"), fitted, words)
            self.assertEqual(self.converted("t.objects.jsonl", *words), expected, words)

    def test_one_command_is_fit_and_convert(self):
        self.table()
        for words in ((), ("--columns", "city,price,flag,id,day,geo.zone,who"), ("--columns", "id,city,geo.zone,flag,day,who")):
            self.fit("t.objects.jsonl", SPEC, *words)
            expected = self.converted("t.objects.jsonl", output="a.csv")
            self.assertEqual(self.converted("t.objects.jsonl", *words, output="b.csv", normalize=SPEC), expected, words)

    def test_columns_choose_and_order_texts(self):
        self.table(100)
        self.fit("t.objects.jsonl", SPEC, "--columns", "geo.zone,price,city,id,day,flag,who")
        self.assertEqual(list(self.columns()), ["price", "geo.zone", "city", "id", "day", "flag", "who"])
        self.fit("t.objects.jsonl", "city=one-hot; id=hash(3)", "--columns", "city,id")
        self.assertEqual(list(self.columns()), ["city", "id"])
        self.fit("t.objects.jsonl", "city=one-hot")
        self.assertEqual(set(self.columns()), {"id", "price", "flag", "city"})
        self.assertEqual(self.converted("t.objects.jsonl", output="o.csv", normalize="n.json").count(b"\n"), 100)

    def test_statistics_are_those_of_csv(self):
        self.table()
        found = {}
        for name, words in (("t.csv", ("--ignore", "flag")), ("t.objects.jsonl", ("--ignore", "flag"))):
            report = json.loads(self.ok("stats", name, "--json", *words).stdout)
            found[name] = {column.pop("name"): column for column in report["columns"]}
        self.assertEqual(set(found["t.csv"]), {"id", "price", "city", "geo.zone", "day", "who"})
        self.assertEqual(found["t.csv"], found["t.objects.jsonl"])
        self.assertIn('the "City"', self.ok("stats", "t.objects.jsonl").stdout.decode())


class Classes(NormalizeJsonTest):
    def labelled(self):
        """y.csv and y.objects.jsonl with the same labels, names among them with `=`."""
        rows = [(["cat", "dog", 'a "b"', "cat", "x=y=1", "#c,d"][i % 6], i / 2, ["x", "y"][i % 2], i % 3) for i in range(60)]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("kind", "v", "w", "n"), *rows])
        self.write("y.csv", text.getvalue())
        self.lines(*({"geo": {"kind": kind}, "v": v, "w": w, "n": n} for kind, v, w, n in rows), name="y.objects.jsonl")

    def labels(self, name, spec, *words):
        self.fit(name, spec, *words)
        self.converted(name)
        with np.load(self.folder / "out.npz") as archive:
            return archive["label"].tolist(), archive["features"].tolist()

    def test_names_of_classes(self):
        self.labelled()
        for more in (("--classes",), ("--positive", "dog"), ("--positive", "x=y=1")):
            found = [
                self.labels(name, "w=one-hot", "--label", label, "--ignore", "n", *more)
                for name, label in (("y.csv", "kind"), ("y.objects.jsonl", "geo.kind"))
            ]
            self.assertEqual(found[0], found[1], more)
            self.assertEqual(len(set(found[0][0])), 2 if "--positive" in more else 5)
            self.assertEqual(len(found[0][1][0]), 3)

    def test_without_features_of_text(self):
        self.labelled()
        expected = self.labels("y.csv", "standardize", "--label", "kind", "--ignore", "n,w")
        words = ("--label", "geo.kind", "--ignore", "n", "--classes")
        self.assertEqual(self.labels("y.objects.jsonl", "standardize", *words), expected)
        self.assertEqual(self.labels("y.objects.jsonl", "standardize", "--columns", "v", *words[:2], "--classes"), expected)
        self.assertIn("\"geo.kind\": 5 classes: ", self.fit("y.objects.jsonl", "standardize", *words))

    def test_what_is_no_label(self):
        self.labelled()
        for words, message in (
            ((), "about one label"),
            (("--label", "n,v"), "about one label"),
            (("--label", "w", "--label-map", "x=0,y=1"), "--label-map says already"),
            (("--label", "w", "--columns", "w,v"), "among the features"),
            (("--label", "w", "--columns", "v,w"), "among the features"),
        ):
            self.assertIn(message, self.expect(2, "fit", "y.objects.jsonl", "--classes", "-o", "m.json", *words).err)
        for labels, more, message in (
            (["a", "b"], ("--positive", "c"), "no such class"),
            (["a", None], ("--classes",), "missing in 1 records"),
            ([3, 1], ("--classes",), "numbers and booleans of JSON objects are no class names"),
            (["a", True], ("--positive", "a"), 'is "true" in 1 record'),
        ):
            self.lines(*({"y": label, "v": 1} for label in labels), name="z.objects.jsonl")
            err = self.expect(1, "fit", "z.objects.jsonl", "--label", "y", *more, "-o", "m.json").err
            self.assertIn(message, err)
        self.lines({"y": "a"}, {"y": "b"}, name="z.objects.jsonl")
        self.expect(2, "fit", "z.objects.jsonl", "--label", "y", "--classes", "-o", "m.json")

    def test_paths_that_no_record_has(self):
        self.labelled()
        for spec in ("nope=hash(2)", "nope=boolean", "w.x=one-hot", "nope=time(epoch)"):
            err = self.expect(1, "fit", "y.objects.jsonl", "--ignore", "geo", "--normalize", spec, "-o", "m.json").err
            self.assertIn("no record has a text there", err)


class Texts(NormalizeJsonTest):
    def test_escapes_spell_the_same_word(self):
        self.lines('{"k":"caf\\u00e9","n":1}', {"k": "b", "n": 1}, '{"k":"café","n":1}', '{"k":"\\u0062","n":1}', '{"k":"\\ud83d\\ude00","n":1}')
        self.fit("x.objects.jsonl", "k=ordinal")
        self.assertEqual(self.columns()["k"]["vocabulary"], ["b", "café", "😀"])
        self.lines('{"k":"😀","n":1}', '{"k":"c\\u0061f\\u00E9","n":1}', name="y.objects.jsonl")
        self.assertEqual(self.features("y.objects.jsonl")[:, 1].tolist(), [2, 1])

    def test_numbers_and_words_are_texts_as_they_are_written(self):
        self.lines('{"k":12.50}', '{"k":12.5}', '{"k":"12.50"}', '{"k":true}', '{"k":"true"}', '{"k":1e3}')
        self.fit("x.objects.jsonl", "k=ordinal", "--columns", "k")
        self.assertEqual(self.columns()["k"]["vocabulary"], ["12.50", "true", "12.5", "1e3"])
        self.lines({"k": False}, {"k": "yes"}, {"k": 1}, {"k": None})
        self.fit("x.objects.jsonl", "k=boolean", "--columns", "k")
        np.testing.assert_array_equal(self.features("x.objects.jsonl")[:, 0], [0, 1, 1, np.nan])

    def test_null_absent_keys_and_null_spellings_are_missing(self):
        self.lines({"k": "a", "n": 1}, {"k": None, "n": 1}, {"n": 1}, {"k": "", "n": 1}, {"k": "NA", "n": 1}, '{"k":"N\\u0041","n":1}')
        self.fit("x.objects.jsonl", "k=ordinal")
        self.assertEqual(self.columns()["k"]["vocabulary"], ["a"])
        np.testing.assert_array_equal(self.features("x.objects.jsonl")[:, 1], [0] + [np.nan] * 5)
        self.fit("x.objects.jsonl", "k=ordinal", "--null", "a,7")
        self.assertEqual(self.columns()["k"]["vocabulary"], ["NA", ""])
        self.fit("x.objects.jsonl", "k=one-hot")
        self.assertEqual(self.features("x.objects.jsonl")[:, 1].tolist(), [1, 0, 0, 0, 0, 0])

    def test_an_absent_key_may_be_a_fault(self):
        self.lines({"k": "a", "n": 1}, {"n": 1})
        err = self.expect(1, "fit", "x.objects.jsonl", "--normalize", "k=ordinal", "--missing-keys", "error", "-o", "n.json").err
        self.assertIn("x.objects.jsonl:2:8: k: the key is missing", err)

    def test_unknown_words_are_told_with_line_and_path(self):
        self.lines({"geo": {"k": "a"}, "n": 1}, {"geo": {"k": "b"}, "n": 1})
        self.fit("x.objects.jsonl", "geo.k=one-hot")
        self.lines({"n": 1}, '{"n": 2, "geo": {"k": "c\\u0061"}}', {"geo": {"k": "b"}, "n": 3}, name="y.objects.jsonl")
        convert = ("convert", "y.objects.jsonl", "--normalize", "n.json", "-o", "-", "--to", "csv")
        err = self.expect(1, *convert).err
        self.assertIn("y.objects.jsonl:2:23: geo.k: this text is not in the column's vocabulary, found \"c\\u0061\"", err)
        self.assertIn("unknown=ignore", err)
        self.assertEqual(self.ok(*convert, "--on-error", "skip").stdout, b"1,0,0\n3,0,1\n")
        self.expect(0, "convert", "y.objects.jsonl", "--normalize", "n.json", "-o", "o.csv", "--on-error", "quarantine")
        (name,) = [name for name in self.names() if name.endswith("rejects.jsonl")]
        self.assertEqual(json.loads(self.read(name))["code"], "unknown_text")
        for unknown, expected in (("ignore", b"1,0,0\n2,0,0\n3,0,1\n"), ("other", b"1,0,0,0\n2,0,0,1\n3,0,1,0\n")):
            self.fit("x.objects.jsonl", f"geo.k=one-hot(unknown={unknown})")
            self.assertEqual(self.ok(*convert).stdout, expected)
        self.fit("x.objects.jsonl", "geo.k=ordinal(unknown=ignore)")
        self.assertEqual(self.ok(*convert).stdout, b"1,\n2,\n3,1\n")

    def test_lists_and_objects_are_faults(self):
        self.lines({"k": "a", "n": 1}, {"k": ["a"], "n": 1}, {"k": {}, "n": 1})
        err = self.expect(1, "fit", "x.objects.jsonl", "--normalize", "k=ordinal", "-o", "n.json").err
        self.assertIn('x.objects.jsonl:2:7: k: expected a string, a number, true or false, found "["a"]"', err)
        err = self.ok("fit", "x.objects.jsonl", "--normalize", "k=ordinal", "-o", "n.json", "--on-error", "skip").err
        self.assertIn("fitted to 1 record", err)

    def test_texts_that_cannot_be_read(self):
        self.lines({"d": "2024-02-29"}, {"d": "soon"}, {"d": "later"})
        fit = ("fit", "x.objects.jsonl", "--normalize", "d=time(year)", "--columns", "d", "-o", "n.json")
        self.assertIn('"d": 2 texts are nothing that time(year, format=iso) reads, such as "soon"', self.expect(1, *fit).err)
        self.ok(*fit, "--on-error", "skip")
        self.assertIn("2:7: d: expected a date", self.expect(1, "convert", "x.objects.jsonl", "--normalize", "n.json", "-o", "o.csv").err)

    def test_long_texts(self):
        self.lines({"k": "x" * 4096, "n": 1}, {"k": "x" * 4097, "n": 1})
        err = self.expect(1, "fit", "x.objects.jsonl", "--normalize", "k=hash", "-o", "n.json").err
        self.assertIn("x.objects.jsonl:2:7: k: a text has at most 4,096 bytes", err)
        self.write("z.objects.jsonl", '{"k":' + "1" * 4096 + '}\n{"k":' + "1" * 5000 + "}\n")
        err = self.expect(1, "fit", "z.objects.jsonl", "--normalize", "k=hash", "-o", "n.json").err
        self.assertIn("z.objects.jsonl:2:6: k: a text has at most 4,096 bytes", err)
        report = json.loads(self.ok("stats", "x.objects.jsonl", "--json", "--column", "k").stdout)
        self.assertEqual(report["columns"][0]["distinct"], 1)

    def test_odd_keys(self):
        self.lines({"a b": {"c.d": ["x", "yes"]}, "n ,": 4}, {"a b": {"c.d": ["y", "no"]}, "n ,": 6})
        self.fit("x.objects.jsonl", '"a b"."c.d"[0]=one-hot; "a b"."c.d"[1]=boolean; "n ,"=min-max')
        self.assertEqual(self.converted("x.objects.jsonl", output="o.csv"), b"0,1,0,1\n1,0,1,0\n")

    def test_what_goes_wrong(self):
        self.lines({"k": "a", "n": 1, "y": "no"})
        for spec, words, expected in (
            ("k=one-hot; k=hash", (), "--normalize names k twice"),
            ("k[x=one-hot", (), "not a list of paths"),
            ("k=one-hot; k.x=hash", (), "one is inside the other"),
            ("k=one-hot", ("--label", "k"), "k is named twice"),
            ("k=one-hot; k=standardize", (), "--normalize names k twice"),
            ("k=standardize", (), "no column \"k\""),
            ("n.x=one-hot", (), '"n.x": no record has a text there'),
        ):
            result = self.run_penstock("fit", "x.objects.jsonl", "--normalize", spec, "-o", "n.json", "-f", *words)
            self.assertIn(result.returncode, (1, 2), spec)
            self.assertIn(expected, result.err)
        self.assertIn("there is no option --texts", self.expect(2, "fit", "x.objects.jsonl", "--texts", "k", "-o", "n.json").err)
        self.assertNotIn("--texts", self.ok("help", "fit").stdout.decode())

    def test_other_formats_lack_the_texts(self):
        self.write("t.csv", "k,n\na,1\nb,2\n")
        self.fit("t.csv", "k=ordinal", "--columns", "n,k")
        self.lines({"k": "a", "n": 1})
        np.savez(self.folder / "x.npz", features=np.ones((2, 1), "float32"))
        for name in ("x.objects.jsonl", "x.npz"):
            err = self.expect(5, "convert", name, "--normalize", "n.json", "-o", "o.csv").err
            self.assertIn("takes 1 column of text, and the input has none", err)

    def test_a_pipe_can_be_fitted_to_where_columns_are_named(self):
        self.table(500)
        self.fit("t.objects.jsonl", "city=one-hot; standardize", "--columns", "price,city")
        expected = self.read("n.json")
        self.ok("fit", "-", "--from", "objects", "--normalize", "city=one-hot; standardize", "--columns", "price,city",
                "-o", "m.json", stdin=self.read("t.objects.jsonl"))
        self.assertEqual(self.read("m.json"), expected)


class ScikitLearn(NormalizeJsonTest):
    def setUp(self):
        if preprocessing is None:
            self.skipTest("scikit-learn is not here")
        super().setUp()

    def test_encoders(self):
        table = self.table()
        names = ["city", "geo.zone"]
        given = np.array([[row[name] for name in names] for row in table], dtype=object)
        given = np.where(given == None, "(missing)", given)  # noqa: E711
        spec = ";".join(f"{name}=TRANSFORM" for name in names)
        self.fit("t.objects.jsonl", spec.replace("TRANSFORM", "one-hot"), "--columns", ",".join(names))
        lists = [self.columns()[name]["vocabulary"] for name in names]
        self.assertEqual([len(words) for words in lists], [len(set(given[:, i]) - {"(missing)"}) for i in range(2)])
        encoder = preprocessing.OneHotEncoder(categories=lists, handle_unknown="ignore", sparse_output=False)
        np.testing.assert_array_equal(self.features("t.objects.jsonl"), encoder.fit_transform(given))
        self.fit("t.objects.jsonl", spec.replace("TRANSFORM", "ordinal"), "--columns", ",".join(names))
        encoder = preprocessing.OrdinalEncoder(categories=lists, handle_unknown="use_encoded_value", unknown_value=np.nan)
        np.testing.assert_array_equal(self.features("t.objects.jsonl"), encoder.fit_transform(given))


if __name__ == "__main__":
    main()
