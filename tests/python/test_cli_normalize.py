#!/usr/bin/env python3
"""`penstock fit` and `convert --normalize` against scikit-learn, over the float32 values that penstock itself reads."""

import csv
import json
import os
import subprocess

import numpy as np

from _cli import CliTest, main

try:
    from sklearn import preprocessing
except ImportError:
    preprocessing = None

EMULATED = os.environ.get("PENSTOCK_SIMT_BINARY", "")
PENGUIN_TEXTS = "studyName,Region,Stage,Individual ID,Clutch Completion,Date Egg,Comments"
PENGUIN_NUMBERS = ("--ignore", PENGUIN_TEXTS + ",Island,Sex,Sample Number", "--label", "Species")
SPECIES = "Adelie Penguin (Pygoscelis adeliae)=0,Chinstrap penguin (Pygoscelis antarctica)=1,Gentoo penguin (Pygoscelis papua)=2"
LARGE = ("--memory", "4GiB")


def normaliser(text):
    return json.loads(text)["normalizer"]


def column_of(text, name):
    (found,) = [column for column in normaliser(text)["columns"] if column["name"] == name]
    return found


class NormalizeTest(CliTest):
    def fit(self, *words, output="n.json"):
        self.ok("fit", *words, "-o", output, "-f", "-qq")
        return self.read(output)

    def arrays(self, *words, output="out.npz"):
        self.ok("convert", *words, "-o", output, "-f", "-qq")
        with np.load(self.folder / output) as archive:
            return dict(archive)

    def features(self, *words):
        return self.arrays(*words)["features"]

    def synthetic(self):
        """Columns whose magnitudes, spreads and gaps differ; one is constant, one has a single value."""
        random = np.random.default_rng(20)
        rows = 5000
        columns = [
            random.normal(0, 1, rows),
            random.normal(1e6, 3, rows),
            random.normal(-2e-10, 1e-11, rows),
            random.exponential(1e12, rows),
            random.integers(-3, 4, rows).astype(float),
            np.full(rows, 7.25),
            np.full(rows, np.nan),
            np.where(random.random(rows) < 0.3, np.nan, random.normal(5, 100, rows)),
        ]
        columns[6][4321] = -11.5
        lines = [",".join("" if np.isnan(x) else repr(float(x)) for x in row) for row in zip(*columns)]
        self.write("synthetic.csv", ",".join(f"c{i}" for i in range(len(columns))) + "\n" + "\n".join(lines) + "\n")


class ScikitLearn(NormalizeTest):
    """Both work in float64 on the same values; penstock's result is rounded once, to float32."""

    def setUp(self):
        if preprocessing is None:
            self.skipTest("scikit-learn is not here")
        super().setUp()

    def data_sets(self):
        self.synthetic()
        yield ("synthetic.csv",)
        yield (self.shared("csv/higgs_subset.tsv"), "--header", "no", "--label", "0")
        yield (self.shared("csv/penguins_raw.csv"), *PENGUIN_NUMBERS, "--label-map", SPECIES)

    def agree(self, transform, scaler, *options):
        for words in self.data_sets():
            values = self.features(*words).astype(np.float64)
            self.fit(*words, "--normalize", transform, *options)
            found = self.features(words[0], "--normalize", "n.json")
            self.assertEqual(found.dtype, np.float32)
            wanted = scaler.fit_transform(values)
            np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
            for i, (x, y) in enumerate(zip(found.T, wanted.T)):
                there = ~np.isnan(y)
                scale = np.abs(y[there]).max()
                allowed = np.maximum(np.spacing(np.abs(y[there]).astype(np.float32)), 1e-12 * scale)
                difference = np.abs(x[there].astype(np.float64) - y[there])
                self.assertTrue((difference <= allowed).all(), f"{words[0]}: {transform}: column {i}: {difference.max()}")
                self.assertGreater(there.sum(), 0)
            # Not the values themselves: the transform was applied.
            self.assertGreater(np.nanmax(np.abs(found - values)), 0.1)

    def test_standardize(self):
        self.agree("standardize", preprocessing.StandardScaler())

    def test_min_max(self):
        self.agree("min-max", preprocessing.MinMaxScaler())

    def test_min_max_of_a_range(self):
        self.agree("min-max(-2, 0.5)", preprocessing.MinMaxScaler((-2, 0.5)))

    def test_max_abs(self):
        self.agree("max-abs", preprocessing.MaxAbsScaler())

    def test_robust(self):
        self.agree("robust", preprocessing.RobustScaler(), "--exact")

    def vocabularies(self, columns):
        """Of a penguin file, in the order in which penstock numbers them: by count, then bytes."""
        lists = []
        for texts in columns.T:
            words, counts = np.unique([text for text in texts if text is not None], return_counts=True)
            pairs = sorted(zip(-counts, [word.encode() for word in words]))
            lists.append([word.decode() for _, word in pairs])
        return lists

    def penguin_texts(self):
        with open(self.shared("csv/penguins_raw.csv"), newline="") as file:
            rows = [[row["Island"], row["Sex"], row["Clutch Completion"]] for row in csv.DictReader(file)]
        return np.array([[None if text in ("", "NA") else text for text in row] for row in rows], dtype=object)

    def penguin_fit(self, transform):
        path = self.shared("csv/penguins_raw.csv")
        ignored = "studyName,Region,Stage,Individual ID,Date Egg,Comments,9:12,14:15,Sample Number"
        words = ("--ignore", ignored, "--label", "Species", "--normalize", f"Island,Sex,Clutch Completion={transform}")
        text = self.fit(path, *words)
        texts = self.penguin_texts()
        lists = self.vocabularies(texts)
        for name, words in zip(("Island", "Sex", "Clutch Completion"), lists):
            self.assertEqual(column_of(text, name)["vocabulary"], words)
        # The columns stand in the order in which the file has them.
        names = [column["name"] for column in normaliser(text)["columns"]]
        self.assertEqual(names, ["Island", "Clutch Completion", "Sex"])
        order = [0, 2, 1]
        return self.features(path, "--normalize", "n.json"), texts[:, order], [lists[i] for i in order]

    def test_one_hot(self):
        found, texts, lists = self.penguin_fit("one-hot")
        is_there = texts != np.array(None)
        encoder = preprocessing.OneHotEncoder(categories=lists, handle_unknown="ignore", sparse_output=False)
        encoder.fit(texts[is_there.all(axis=1)])
        np.testing.assert_array_equal(found, encoder.transform(np.where(is_there, texts, "(none)")))
        self.assertEqual(int(found.sum()), int(is_there.sum()))

    def test_ordinal(self):
        found, texts, lists = self.penguin_fit("ordinal")
        is_there = texts != np.array(None)
        encoder = preprocessing.OrdinalEncoder(categories=lists, handle_unknown="use_encoded_value", unknown_value=np.nan)
        full = is_there.all(axis=1)
        wanted = encoder.fit(texts[full]).transform(np.where(is_there, texts, "(none)"))
        np.testing.assert_array_equal(found, wanted)
        self.assertEqual(int(np.isnan(found).sum()), int((~is_there).sum()))


class SameBytes(NormalizeTest):
    """Slots, threads, engines, and whether a file lies between: the same bytes."""

    SPEC = "impute(median, indicator) + robust; c1=bucketize(7); c3=log1p; word=one-hot(unknown=other, limit=20); day=time"

    def table(self):
        random = np.random.default_rng(7)
        lines = ["c0,c1,word,c3,day,y"]
        for i in range(60000):
            cells = [
                "" if random.random() < 0.1 else f"{random.normal():.6g}",
                f"{random.normal(1000, 5):.4f}",
                f'"w {random.geometric(0.1)}"' if i % 3 else f"w {random.geometric(0.1)}",
                f"{random.exponential(3):.3f}",
                f"20{random.integers(10, 25)}-0{random.integers(1, 10)}-1{random.integers(0, 10)}",
                "yes" if random.random() < 0.3 else "no",
            ]
            lines.append(",".join(cells) if random.random() > 0.001 else "1,x")
        self.write("t.csv", "\n".join(lines) + "\n")
        return ("t.csv", "--label", "y", "--on-error", "skip", "--normalize", self.SPEC)

    CUTS = ((1, "64KiB"), (8, "64KiB"), (1, "64MiB"), (8, "64MiB"), (3, "100001"))

    def test_slots_and_threads(self):
        words = self.table()
        wanted = self.fit(*words)
        self.arrays("t.csv", "--normalize", "n.json", "--on-error", "skip", output="wanted.npz")
        for threads, slot in self.CUTS:
            cut = ("--threads", threads, "--slot-size", slot, *LARGE)
            self.assertEqual(self.fit(*words, *cut, output="other.json"), wanted, cut)
            self.arrays("t.csv", "--normalize", "n.json", "--on-error", "skip", *cut)
            self.assertEqual(self.read("out.npz"), self.read("wanted.npz"), cut)

    def test_a_name_is_a_fit_and_a_file(self):
        words = self.table()
        self.fit(*words)
        for name in ("a.npz", "a.csv", "a.rec"):
            self.ok("convert", "t.csv", "--normalize", "n.json", "--on-error", "skip", "-o", name, "-qq")
            two = "two" + name
            self.ok("convert", *words, "-o", two, "-qq", "--threads", "3", "--slot-size", "64KiB")
            self.assertEqual(self.read(two), self.read(name))
        # Also of files whose rows come in batches, and of a normaliser that everything is left to.
        self.ok("synth", "compact", "--rows", "3000", "-o", "c.csv", "-q")
        self.ok("convert", "c.csv", "--label", "0", "-o", "c.npz", "-q")
        self.fit("c.npz", "--normalize", "standardize")
        one = self.features("c.npz", "--normalize", "n.json")
        np.testing.assert_array_equal(self.features("c.npz", "--normalize", "standardize"), one)
        self.fit("c.csv", "--label", "0")
        np.testing.assert_array_equal(self.features("c.csv", "--normalize", "n.json"), one)

    def on_device(self, *words):
        command = [EMULATED, *map(str, words), "--device", "cuda", "--slot-size", "16KiB", "-f"]
        result = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def test_a_device(self):
        if not os.path.isfile(EMULATED):
            self.skipTest("this build has no emulated engine")
        words = self.table()
        self.write("short.csv", b"".join(self.read("t.csv").splitlines(keepends=True)[:3000]))
        numbers = "--ignore", "word,day", "--label", "y", "--on-error", "skip", "--normalize", self.SPEC.split("; word")[0]
        for fit in (words[1:], numbers):
            wanted = self.fit("short.csv", *fit, "--device", "cpu")
            self.on_device("fit", "short.csv", *fit, "-o", "cuda.json")
            self.assertEqual(self.read("cuda.json"), wanted)
            convert = ("convert", "short.csv", "--normalize", "n.json", "--on-error", "skip", "-o")
            for name in (".npz", ".rec"):
                self.ok(*convert, "cpu" + name, "--device", "cpu", "-f", "-q")
                self.on_device(*convert, "cuda" + name)
                self.assertEqual(self.read("cuda" + name), self.read("cpu" + name))
        lines = [f"{i % 2} {1 + i % 7}:{i * 0.37:.3f} {20 + i % 1500}:{-i}e-2 1600:{i % 5}" for i in range(3000)]
        self.write("t.libsvm", "\n".join(lines) + "\n")
        self.fit("t.libsvm", "--normalize", "max-abs")
        self.ok("convert", "t.libsvm", "--normalize", "n.json", "-o", "cpu.npz", "-f", "-q")
        self.on_device("convert", "t.libsvm", "--normalize", "max-abs", "-o", "cuda.npz")
        self.assertEqual(self.read("cuda.npz"), self.read("cpu.npz"))

    def test_columns_in_another_order(self):
        words = self.table()
        self.fit(*words)
        self.arrays("t.csv", "--normalize", "n.json", "--on-error", "skip", output="wanted.npz")
        good = [line.split(",") for line in self.read("t.csv").decode().splitlines() if line.count(",") == 5]
        order = [4, 0, 5, 3, 2, 1]
        lines = [",".join([*(row[i] for i in order), "extra"]) for row in good]
        self.write("turned.csv", "\n".join(lines) + "\n")
        self.arrays("turned.csv", "--normalize", "n.json")
        self.assertEqual(self.read("out.npz"), self.read("wanted.npz"))


if __name__ == "__main__":
    main()
