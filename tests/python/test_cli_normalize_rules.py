#!/usr/bin/env python3
"""What normalisers promise beside their numbers: files and digests, columns, unknown words, labels, missing values and
sparse features."""

import hashlib
import json
import math

import numpy as np

from _cli import CliTest, main

TABLE = 'a,b,word,day,y\n1,-2,x,2024-02-29,no\n2,5,"y,z",2024-03-01 23:30:00,yes\n4,,x,,no\n'
WORDS = ("t.csv", "--label", "y")
SPEC = "standardize; word=one-hot; day=time(epoch, month, weekday)"
BODY = b',"normalizer":\n'


def ulp(x):
    return np.spacing(np.abs(np.asarray(x)).astype(np.float32)).astype(np.float64)


class RulesTest(CliTest):
    def fit(self, name, spec, *words):
        return self.ok("fit", name, "--normalize", spec, "-o", "n.json", "-f", *words).err

    def columns(self):
        return {column["name"]: column for column in json.loads(self.read("n.json"))["normalizer"]["columns"]}

    def rows(self, name, *words, normalize="n.json", status=0):
        result = self.expect(status, "convert", name, "--normalize", normalize, "-o", "-", "--to", "csv", *words)
        return result.stdout.decode().splitlines(), result.err

    def features(self, name, *words):
        self.ok("convert", name, "-o", "out.npz", "-f", "-qq", *words)
        with np.load(self.folder / "out.npz") as archive:
            return archive["features"]

    def column_of(self, cells, spec, *words, header="x"):
        """What a column of these cells becomes, as its own normaliser has it."""
        self.write("column.csv", header + ",z\n" + "".join(f"{cell},0\n" for cell in cells))
        self.fit("column.csv", f"{header}={spec}; none", *words)
        return self.features("column.csv", "--normalize", "n.json")

    def resealed(self, change):
        """n.json with another content whose digest is right."""
        head, body = self.read("n.json").split(BODY)
        body = change(body[:-2])
        digest = hashlib.sha256(body).hexdigest().encode()
        self.write("n.json", b'{"digest":"sha256:' + digest + b'"' + BODY + body + b"}\n")


class Files(RulesTest):
    def setUp(self):
        super().setUp()
        self.write("t.csv", TABLE)

    def test_the_digest_is_that_of_the_content(self):
        self.fit("t.csv", SPEC, "--label", "y")
        said = json.loads(self.read("n.json"))["digest"]
        body = self.read("n.json").split(BODY)[1][:-2]
        self.assertEqual(said, "sha256:" + hashlib.sha256(body).hexdigest())
        self.resealed(lambda same: same)
        self.rows("t.csv")

    def test_a_changed_byte(self):
        self.fit("t.csv", SPEC, "--label", "y")
        good = self.read("n.json")
        for at in (good.index(b'"scale":') + 8, good.index(b"sha256:") + 9, len(good) - 10):
            changed = bytearray(good)
            changed[at] ^= 1
            self.write("n.json", bytes(changed))
            lines, err = self.rows("t.csv", status=5)
            self.assertIn("n.json: its digest does not fit", err)
            self.assertIn("Fit again", err)
            self.assertEqual(lines, [])
        for other in (good[:100], b"", b"{}\n", good[:-1], good.replace(b"\n", b"\r\n")):
            self.write("n.json", other)
            self.assertIn("is no normaliser", self.rows("t.csv", status=5)[1])

    def test_other_versions(self):
        self.fit("t.csv", SPEC, "--label", "y")
        self.resealed(lambda body: body.replace(b'"normalizer_version":1', b'"normalizer_version":2'))
        err = self.rows("t.csv", status=5)[1]
        self.assertIn("n.json: is of version 2, and this penstock reads 1", err)
        self.assertIn("A newer penstock made it", err)

    def test_content_that_is_wrong_is_told_by_its_place(self):
        self.fit("t.csv", SPEC, "--label", "y")
        self.resealed(lambda body: body.replace(b'"scale":', b'"scale":"1","was":', 1))
        self.assertIn("$.normalizer.columns[0].scale: expected a number", self.rows("t.csv", status=5)[1])

    def test_the_manifest(self):
        self.fit("t.csv", SPEC, "--label", "y")
        self.ok("convert", "t.csv", "--normalize", "n.json", "-o", "out.npz", "--threads", "1")
        manifest = json.loads(self.read("_out.npz.manifest.json"))
        features = ["a", "b", "word=x", "word=y,z", "day.epoch", "day.month", "day.weekday"]
        size = len(self.read("out.npz"))
        self.assertEqual(
            manifest["output"], {"format": "npz", "records": 3, "bytes": size, "features": features}
        )
        self.assertEqual(manifest["manifest_version"], 1)
        self.assertEqual(manifest["inputs"], [{"path": "t.csv", "bytes": len(TABLE)}])
        file = json.loads(self.read("n.json"))
        self.assertEqual(manifest["normalizer"], {"digest": file["digest"], "path": "n.json"})
        self.assertRegex(manifest["schema_digest"], "^sha256:[0-9a-f]{64}$")
        self.assertEqual(manifest["options"], {"normalize": "n.json", "output": "out.npz", "threads": "1"})
        # One is in the way, and the other way of the same normaliser has the same digest and no file.
        (self.folder / "out.npz").unlink()
        err = self.expect(4, "convert", "t.csv", "--normalize", "n.json", "-o", "out.npz").err
        self.assertIn("_out.npz.manifest.json", err)
        self.ok("convert", *WORDS, "--normalize", SPEC, "-o", "out.npz", "-f")
        manifest = json.loads(self.read("_out.npz.manifest.json"))
        self.assertEqual(manifest["normalizer"], {"digest": file["digest"]})
        # A pipe has none, and a folder that is read passes over it.
        names = self.names()
        self.rows("t.csv")
        self.assertEqual(self.names(), names)

    def test_names_stand_in_a_header(self):
        self.fit("t.csv", "impute(mean, indicator) + min-max; " + SPEC.split("; ", 1)[1], "--label", "y")
        lines, _ = self.rows("t.csv", "--output-header")
        self.assertEqual(
            lines[0], 'y,a,a is missing,b,b is missing,word=x,"word=y,z",day.epoch,day.month,day.weekday'
        )
        self.assertEqual([float(cell) for cell in lines[2].split(",")[5:]], [0, 1, float(np.float32(1709335800)), 3, 4])

    def test_standard_input_can_be_read_once(self):
        result = self.expect(
            2, "convert", "-", "--label", "y", "--normalize", "standardize", "-o", "out.npz", stdin=TABLE.encode()
        )
        self.assertIn("--normalize standardize reads the input twice, and <stdin> can be read only once", result.err)
        self.assertIn("Fit on a file first", result.err)
        self.assertEqual(self.names(), ["t.csv"])
        self.ok("fit", "-", "--label", "y", "--normalize", SPEC, "-o", "n.json", stdin=TABLE.encode())
        one = self.read("n.json")
        self.fit("t.csv", SPEC, "--label", "y")
        self.assertEqual(self.read("n.json"), one)
        lines, _ = self.rows("t.csv")
        result = self.ok("convert", "-", "--normalize", "n.json", "-o", "-", "--to", "csv", stdin=TABLE.encode())
        self.assertEqual(result.stdout.decode().splitlines(), lines)

    def test_missing_columns_are_named(self):
        self.fit("t.csv", SPEC, "--label", "y")
        self.write("less.csv", "a,day,y\n1,2024-02-29,no\n")
        err = self.rows("less.csv", status=5)[1]
        self.assertIn("1 category column is missing: 'word'", err)
        self.assertIn("1 feature column is missing: 'b'", err)
        self.write("serve.csv", "word,a,b,day\nx,1,2,2024-02-29\n")
        self.assertIn("--unlabeled", self.rows("serve.csv", status=5)[1])
        self.assertEqual(len(self.rows("serve.csv", "--unlabeled")[0]), 1)

    def test_commands_that_make_no_sense(self):
        for words, said in (
            (("--normalize", "a,b=log1p; 0=power"), 'names "a" twice'),
            (("--normalize", "y=one-hot"), '"y" is the label'),
            (("--normalize", "standardize; log1p"), "two transforms are for all other columns"),
            (("--normalize", "one-hot"), "which have to be named"),
            (("--normalize", "a=standardise"), "Did you mean standardize?"),
            (("--normalize", "q=log1p"), 'has no column "q"'),
            (("--normalize", "a=min-max(2, 1)"), "the range must ascend"),
            (("--normalize", "standardize", "--positive", "yes", "--label", "y,a"), "about one label"),
        ):
            err = self.expect(2, "fit", *WORDS, "--ignore", "word,day", "-o", "n.json", *words).err
            self.assertIn(said, err)
        self.assertIn("feature column is text", self.expect(2, "fit", *WORDS, "--ignore", "day", "-o", "n.json").err)
        self.fit("t.csv", SPEC, "--label", "y")
        self.assertIn("is fitted already", self.rows("t.csv", "--exact", status=2)[1])
        self.expect(4, "fit", *WORDS, "--normalize", SPEC, "-o", "n.json")


class Words(RulesTest):
    def setUp(self):
        super().setUp()
        self.write("t.csv", "k,x\nb,1\na,2\nb,3\nc,4\n")
        self.write("new.csv", "k,x\na,5\nq,6\n,7\n")

    def test_unknown_words(self):
        self.fit("t.csv", "k=ordinal; none")
        self.assertEqual(self.columns()["k"]["vocabulary"], ["b", "a", "c"])
        err = self.rows("new.csv", status=1)[1]
        self.assertIn('new.csv:3:1: column "k" (#0): this text is not in the column\'s vocabulary, found "q"', err)
        self.assertIn("(unknown=ignore) or (unknown=other)", err)
        # Numbers come first, for the file's order of columns is not that of roles.
        lines, err = self.rows("new.csv", "--on-error", "skip")
        self.assertEqual(lines, ["5,1", "7,"])
        self.assertIn("1 record was rejected", err)
        lines, err = self.rows("new.csv", "--on-error", "null")
        self.assertEqual(lines, ["5,1", "6,", "7,"])
        self.assertIn("1 bad cell was made missing", err)
        words = ("--on-error", "quarantine", "--rejects", "r", "-f")
        self.assertEqual(self.rows("new.csv", *words)[0], ["5,1", "7,"])
        self.assertEqual(self.read("r.rejects.csv"), b"k,x\nq,6\n")
        self.assertEqual(json.loads(self.read("r.rejects.jsonl"))["code"], "unknown_text")

    def test_ignored_and_other_words(self):
        for spec, wanted in (
            ("ordinal(unknown=ignore)", ["5,1", "6,", "7,"]),
            ("ordinal(unknown=other)", ["5,1", "6,3", "7,"]),
            ("one-hot(unknown=ignore)", ["5,0,1,0", "6,0,0,0", "7,0,0,0"]),
            ("one-hot(unknown=other)", ["5,0,1,0,0", "6,0,0,0,1", "7,0,0,0,0"]),
        ):
            self.fit("t.csv", f"k={spec}; none")
            self.assertEqual(self.rows("new.csv")[0], wanted, spec)

    def test_a_vocabulary_over_its_limit(self):
        err = self.expect(1, "fit", "t.csv", "--normalize", "k=one-hot(limit=2)", "-o", "n.json").err
        self.assertIn('"k": has 3 different texts, more than 2', err)
        self.assertIn("(limit=N, unknown=other)", err)
        err = self.fit("t.csv", "k=one-hot(limit=2, unknown=other); none")
        self.assertIn('"k": 2 categories of 3, the most frequent ones', err)
        self.assertEqual(self.rows("t.csv")[0], ["1,1,0,0", "2,0,1,0", "3,1,0,0", "4,0,0,1"])
        self.write("many.csv", "k,x\n" + "".join(f"w{i},1\n" for i in range(1001)))
        self.expect(1, "fit", "many.csv", "--normalize", "k=one-hot", "-o", "many.json")
        self.ok("fit", "many.csv", "--normalize", "k=ordinal", "-o", "many.json")
        self.write("many.csv", "k,x\n" + "".join(f"w{i},1\n" for i in range(1000)))
        self.ok("fit", "many.csv", "--normalize", "k=one-hot", "-o", "many.json", "-f")

    def test_texts_keep_their_bytes(self):
        words = [b"caf\xc3\xa9", b"caf\xe9", b'a "b"', b"two\nlines", b" blank ", b"x" * 4096, b"NULL", b"\x00"]
        cells = [word.replace(b'"', b'""') for word in words]
        self.write("w.csv", b"k,x\n" + b"".join(b'"%s",1\n' % cell for cell in cells))
        self.fit("w.csv", "k=ordinal; none")
        found = self.features("w.csv", "--normalize", "n.json")[:, 1]
        self.assertEqual([sorted(words).index(word) for word in words], found.tolist())
        # The same words without quotes, where that is possible.
        self.write("v.csv", b"k,x\ncaf\xe9,1\nNULL,1\n blank ,1\n")
        found = self.features("v.csv", "--normalize", "n.json")[:, 1]
        self.assertEqual(found.tolist(), [sorted(words).index(word) for word in (b"caf\xe9", b"NULL", b" blank ")])

    def test_long_texts_are_faults(self):
        for cell in ("x" * 4097, '"' + "x" * 4097 + '"', '"' + "x" * 4096 + '"""'):
            self.write("long.csv", f"k,x\na,1\n{cell},2\n")
            err = self.expect(1, "fit", "long.csv", "--normalize", "k=ordinal", "-o", "n.json", "-f").err
            self.assertIn("long.csv:3:1", err)
            self.ok("fit", "long.csv", "--normalize", "k=ordinal", "-o", "n.json", "-f", "--on-error", "skip")
            self.assertEqual(self.columns()["k"]["vocabulary"], ["a"])

    def test_words_of_fitting_need_a_fit(self):
        self.write("w.csv", "x,y\n1,3\n2,4\n")
        self.fit("w.csv", "none", "--label", "y")
        self.expect(2, "convert", "w.csv", "--normalize", "n.json", "--positive", "3", "-o", "w.npz")
        for words in (["--classes"], ["--positive", "3"], ["--exact"]):
            failed = self.expect(2, "convert", "w.csv", "--label", "y", *words, "-o", "w.npz")
            self.assertIn(f"{words[0]} belongs to --normalize", failed.err)
        self.ok("convert", "w.csv", "--label", "y", "--positive", "4", "--normalize", "none", "-o", "w.npz", "-q")
        self.assertEqual(np.load(self.folder / "w.npz")["label"].ravel().tolist(), [0, 1])

    def test_texts_that_no_rule_reads(self):
        self.write("b.csv", "x,f\n1,yes\n2,maybe\n3,no\n")
        words = ("fit", "b.csv", "--normalize", "f=boolean; none", "-o", "b.json", "-f")
        self.assertIn('"f": 1 text is nothing that boolean reads, such as "maybe"', self.expect(1, *words).err)
        self.assertIn("such as \"maybe\"", self.ok(*words, "--on-error", "skip").err)
        self.ok("convert", "b.csv", "--normalize", "b.json", "--on-error", "skip", "-o", "b.npz", "-q")
        self.assertEqual(np.load(self.folder / "b.npz")["features"].tolist(), [[1, 1], [3, 0]])
        self.write("all.csv", "x,f\n1,maybe\n2,\n")
        self.expect(1, "fit", "all.csv", *words[2:], "--on-error", "skip")

    def test_hashes_booleans_and_times(self):
        self.write("h.csv", "k,f,d,x\nParis,Yes,29.2.2024,1\nRome,0,1/3/2024 4:05,2\nParis,off,,3\n")
        self.fit("h.csv", "k=hash(16); f=boolean; d=time(epoch, day_of_year, hour, format=european); none")
        found = self.features("h.csv", "--normalize", "n.json")
        self.assertEqual(found[:, 0].tolist(), [1, 2, 3])
        self.assertEqual(found[0, 1], found[2, 1])
        # A bucket is what a model has learned: these may never change.
        self.assertEqual(found[:2, 1].tolist(), [5932, 30421])
        self.assertEqual(found[:, 2].tolist(), [1, 0, 0])
        self.assertEqual(found[0, 3:].tolist(), [1709164800, 60, 0])
        self.assertEqual(found[1, 3:].tolist(), [float(np.float32(1709265900)), 61, 4])
        self.assertTrue(np.isnan(found[2, 3:]).all())
        self.write("bad.csv", "k,f,d,x\nParis,maybe,2024-02-29,1\n")
        self.assertIn("expected true or false", self.rows("bad.csv", status=1)[1])
        self.write("bad.csv", "k,f,d,x\nParis,on,2024-02-29,1\n")
        self.assertIn("expected a date", self.rows("bad.csv", status=1)[1])


class Labels(RulesTest):
    def label(self, name, *words):
        self.ok("convert", name, "--normalize", "n.json", "-o", "out.npz", "-f", "-qq", *words)
        with np.load(self.folder / "out.npz") as archive:
            return archive["label"].ravel().tolist()

    def test_class_names(self):
        self.write("t.csv", 'x,y\n1,"no, never"\n2,yes\n3,Yes\n4,yes\n')
        err = self.fit("t.csv", "standardize", "--label", "y")
        self.assertIn('label "y": 3 classes: Yes=0, "no, never"=1, yes=2', err)
        self.assertEqual(self.label("t.csv"), [1, 2, 0, 2])
        self.write("new.csv", "x,y\n1,yes\n2,maybe\n")
        self.assertEqual(self.label("new.csv", "--on-error", "skip"), [2])
        self.fit("t.csv", "standardize", "--label", "y", "--positive", "no, never")
        self.assertEqual(self.label("t.csv"), [1, 0, 0, 0])
        err = self.expect(1, "fit", "t.csv", "--label", "y", "--positive", "maybe", "-o", "n.json", "-f").err
        self.assertIn('has no such class: "Yes", "no, never", "yes"', err)

    def test_numbers_are_classes_only_if_asked(self):
        self.write("t.csv", "x,y\n1,10\n2,-3\n3,9\n4,10\n")
        self.fit("t.csv", "standardize", "--label", "y")
        self.assertEqual(self.label("t.csv"), [10, -3, 9, 10])
        self.fit("t.csv", "standardize", "--label", "y", "--classes")
        self.assertEqual(self.label("t.csv"), [2, 0, 1, 2])
        self.fit("t.csv", "standardize", "--label", "y", "--positive", "9")
        self.assertEqual(self.label("t.csv"), [0, 0, 1, 0])

    def test_labels_cannot_be_missing(self):
        self.write("t.csv", "x,y\n1,a\n2,\n3,b\n")
        err = self.expect(1, "fit", "t.csv", "--label", "y", "-o", "n.json").err
        self.assertIn('the label "y" is missing in 1 record', err)
        self.assertEqual(self.names(), ["t.csv"])


class Values(RulesTest):
    def test_columns_without_values_and_without_spread(self):
        self.write("t.csv", "none,same,x\n,7.1,1\nNA,7.1,2\n,7.1,4\n")
        for spec, same in (
            ("standardize", 0),
            ("min-max(-1, 3)", -1),
            ("robust", 0),
            ("max-abs", 1),
            ("clip", float(np.float32(7.1))),
        ):
            self.fit("t.csv", spec)
            found = self.features("t.csv", "--normalize", "n.json")
            self.assertTrue(np.isnan(found[:, 0]).all(), spec)
            self.assertEqual(set(found[:, 0].view(np.uint32).tolist()), {0x7FC00000})
            self.assertEqual(found[:, 1].tolist(), [same] * 3, spec)
        err = self.expect(1, "fit", "t.csv", "--normalize", "impute(mean) + standardize", "-o", "n.json", "-f").err
        self.assertIn('"none": has no values', err)
        self.fit("t.csv", "none,x=impute(-3)+none; none")
        self.assertEqual(self.features("t.csv", "--normalize", "n.json")[:, 0].tolist(), [-3] * 3)

    def test_a_constant_of_float64_becomes_zero(self):
        found = self.column_of(["0.1"] * 3001, "standardize", "--dtype", "float64")
        self.assertEqual(set(found[:, 0].tolist()), {0})

    def test_what_is_filled_in(self):
        cells = ["", "1", "2", "", "9"]
        x = np.array([1, 2, 9])
        deviation = x.std()
        for impute, fill in (("mean", 4), ("median", 2), ("-5", -5)):
            found = self.column_of(cells, f"impute({impute}, indicator) + standardize")
            wanted = (np.array([fill, 1, 2, fill, 9]) - 4) / deviation
            np.testing.assert_allclose(found[:, 0], wanted, rtol=1e-7, atol=1e-12)
            self.assertEqual(found[:, 1].tolist(), [1, 0, 0, 1, 0])
        # -0 is 0, also where no file lies between.
        self.assertEqual(self.column_of(["", "1"], "impute(-0)").view(np.uint32)[0, 0], 0)
        self.assertEqual(self.features("column.csv", "--normalize", "x=impute(-0); none").view(np.uint32)[0, 0], 0)
        found = self.column_of(cells, "impute(median)")
        self.assertEqual(found[:, 0].tolist(), [2, 1, 2, 2, 9])
        self.assertEqual(found.shape[1], 2)

    def test_missing_cells_are_counted_as_they_come(self):
        self.write("t.csv", "x,z\n,0\n1,\n,5\n")
        self.ok("convert", "t.csv", "-o", "t.npz")
        for name in ("t.csv", "t.npz"):
            for spec in ("impute(0, indicator) + standardize", "impute(mean)"):
                self.fit(name, spec)
                result = self.ok("convert", name, "--normalize", "n.json", "-o", "out.npz", "-f", "--json")
                self.assertEqual(json.loads(result.stdout)["missing_cells"], 3, name)

    def test_log1p(self):
        found = self.column_of(["0", "-0.5", "1e30", "1e-9", ""], "log1p")[:, 0]
        x = np.array([0, -0.5, 1e30, 1e-9], dtype=np.float32).astype(float)
        self.assertTrue((np.abs(found[:4] - np.log1p(x)) <= ulp(np.log1p(x)) * 0.51).all(), found)
        self.assertTrue(np.isnan(found[4]))
        self.write("column.csv", "x,z\n-1,0\n3,0\n-7,0\n-0.999,0\n")
        found = self.features("column.csv", "--normalize", "n.json")[:, 0]
        self.assertEqual(np.isnan(found).tolist(), [True, False, True, False])
        err = self.expect(1, "fit", "column.csv", "--normalize", "x=log1p", "-o", "n.json", "-f").err
        self.assertIn('"x": has values down to -7, and log1p takes those above -1', err)

    def test_powers_clips_and_buckets(self):
        cells = [str(i * i - 30) for i in range(21)]
        x = np.array([float(cell) for cell in cells])
        found = self.column_of(cells, "power(0.5)")[:, 0]
        np.testing.assert_allclose(found, np.sign(x) * np.sqrt(np.abs(x)), rtol=1e-7)
        found = self.column_of(cells, "clip(0.1, 0.75)")[:, 0]
        low, high = np.quantile(x, [0.1, 0.75])
        np.testing.assert_array_equal(found, np.clip(x, low, high).astype(np.float32))
        found = self.column_of(cells, "bucketize(4)")[:, 0]
        edges = np.quantile(x, [0.25, 0.5, 0.75])
        self.assertEqual(self.columns()["x"]["edges"], edges.tolist())
        np.testing.assert_array_equal(found, np.searchsorted(edges, x, side="right"))
        # Equal quantiles are one edge.
        found = self.column_of(["1"] * 19 + ["5"], "bucketize(10)")[:, 0]
        self.assertEqual((found[0], found[19], self.columns()["x"]["edges"]), (1, 1, [1]))

    def test_infinities(self):
        cells = ["1", "3", "inf", "-inf"]
        found = self.column_of(cells, "standardize", "--inf", "pass")[:, 0]
        self.assertEqual(found.tolist(), [-1, 1, math.inf, -math.inf])
        found = self.column_of(cells, "clip(0, 1)", "--inf", "pass")[:, 0]
        self.assertEqual(found.tolist(), [1, 3, 3, 1])

    def test_other_types(self):
        self.write("t.csv", "x,z\n1,0\n2,0\n16777217,0\n")
        for dtype, out in (("float64", np.float64), ("int32", np.float32), ("int64", np.float32)):
            self.fit("t.csv", "x=max-abs; none", "--dtype", dtype)
            found = self.features("t.csv", "--normalize", "n.json")
            self.assertEqual(found.dtype, out)
            np.testing.assert_array_equal(found[:, 0], (np.array([1, 2, 16777217]) * (1 / 16777217)).astype(out))

    def test_extremes_are_refused(self):
        self.write("t.csv", "x,z\n1e-320,0\n0,0\n")
        err = self.expect(1, "fit", "t.csv", "--dtype", "float64", "--normalize", "x=max-abs", "-o", "n.json").err
        self.assertIn('"x": its values are too large, too small or too far apart for max-abs', err)


class Sparse(RulesTest):
    def test_max_abs(self):
        self.write("t.libsvm", "1 1:2 3:-4\n0 2:0 3:1\n1 1:-8\n")
        self.fit("t.libsvm", "max-abs")
        self.ok("convert", "t.libsvm", "--normalize", "n.json", "-o", "out.libsvm")
        self.assertEqual(self.read("out.libsvm"), b"1 1:0.25 3:-1\n0 2:0 3:0.25\n1 1:-1\n")
        self.ok("convert", "t.libsvm", "--normalize", "max-abs", "-o", "two.libsvm")
        self.assertEqual(self.read("two.libsvm"), self.read("out.libsvm"))
        self.ok("convert", "t.libsvm", "--normalize", "n.json", "--absent", "zero", "-o", "out.csv")
        self.assertEqual(self.read("out.csv"), b"1,0.25,0,-1\n0,0,0,0.25\n1,-1,0,0\n")
        self.write("wide.libsvm", "1 4:2\n")
        self.expect(1, "convert", "wide.libsvm", "--normalize", "n.json", "-o", "wide.out.libsvm")

    def test_transforms_that_change_zeros(self):
        self.write("t.libsvm", "1 1:2 3:-4\n")
        for spec in ("standardize", "min-max", "robust", "clip", "bucketize", "impute(0) + max-abs"):
            err = self.expect(2, "fit", "t.libsvm", "--normalize", spec, "-o", "n.json").err
            self.assertIn("would change zeros, and the features are sparse", err)
            self.assertIn("none, max-abs, log1p and power keep zeros", err)
        self.assertEqual(self.names(), ["t.libsvm"])

    def test_sparse_arrays_are_normalised_in_slices(self):
        lines = []
        for i in range(20000):
            pairs = " ".join(f"{j}:{(i * 7 + j * 13) % 101 - 50}" for j in range(1 + i % 3, 200, 20))
            lines.append(f"{i % 2} {pairs}\n")
        self.write("t.libsvm", "".join(lines))
        self.ok("convert", "t.libsvm", "-o", "t.npz", "-q")
        self.fit("t.libsvm", "max-abs")
        self.ok("convert", "t.libsvm", "--normalize", "n.json", "-o", "one.npz", "-q")
        self.fit("t.npz", "max-abs")
        self.ok("convert", "t.npz", "--normalize", "n.json", "-o", "other.npz", "-q")
        self.assertEqual(self.read("other.npz"), self.read("one.npz"))
        self.ok("convert", "t.npz", "--normalize", "n.json", "--absent", "zero", "-o", "a.npy", "-q")
        self.ok("convert", "t.libsvm", "--normalize", "max-abs", "--absent", "zero", "-o", "b.npy", "-q")
        self.assertEqual(self.read("a.npy"), self.read("b.npy"))


if __name__ == "__main__":
    main()
