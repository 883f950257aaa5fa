#!/usr/bin/env python3
"""Commands of the command line as functions of the package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from _package import SECONDS_MAX, PackageTest, csv, files_of_process, libsvm, main, penstock, threads_of_process


class Commands(PackageTest):
    def setUp(self):
        super().setUp()
        self.write("in.csv", csv(10))


class Convert(Commands):
    def test_summary_and_output(self):
        summary = penstock.convert("in.csv", "out.npz", label="y", device="cpu")
        self.assertEqual((summary["records"], summary["rejected"], summary["format"]), (10, 0, "npz"))
        with np.load("out.npz") as arrays:
            self.assertEqual(arrays["features"][3].tolist(), [3, 0.75])

    def test_errors(self):
        penstock.convert("in.csv", "out.npz", label="y")
        with self.assertRaises(penstock.SinkError) as raised:
            penstock.convert("in.csv", "out.npz", label="y")
        self.assertIsInstance(raised.exception, OSError)
        self.assertIn("hint: ", str(raised.exception))
        penstock.convert(["in.csv", "in.csv"], Path("out.npz"), label="y", force=True)
        with self.assertRaisesRegex(penstock.ConfigurationError, "forse(.|\n)*force"):
            penstock.convert("in.csv", "other.npz", forse=True)
        self.write("bad.csv", "a,y\n1,0\nx,1\n")
        with self.assertRaises(penstock.DataError) as raised:
            penstock.convert("bad.csv", "bad.npz", label="y")
        self.assertEqual((raised.exception.file, raised.exception.line), ("bad.csv", 3))
        with self.assertRaises(penstock.SourceError):
            penstock.convert("absent.csv", "absent.npz")
        self.assertEqual(sorted(os.listdir()), ["bad.csv", "in.csv", "out.npz"])

    def test_inputs_that_look_like_options(self):
        os.rename("in.csv", "--in.csv")
        self.assertEqual(penstock.convert("--in.csv", "-out.npz", label="y")["records"], 10)
        self.assertTrue(Path("-out.npz").is_file())


class Reports(Commands):
    def test_stats(self):
        stats = penstock.stats("in.csv", label="y")
        self.assertEqual((stats["rows"], [column["name"] for column in stats["columns"]][:2]), (10, ["a", "b"]))
        self.assertEqual(stats["columns"][0]["mean"], 4.5)

    def test_inspect_head_validate_doctor(self):
        self.assertEqual(penstock.inspect("in.csv", label="y")["records"], 10)
        self.assertEqual(penstock.head("in.csv", 2, label="y"), [{"features": [0, 0], "label": [0]},
                                                                 {"features": [1, 0.25], "label": [1]}])
        penstock.convert("in.csv", "out.rec", label="y")
        self.assertIs(penstock.validate("out.rec")["ok"], True)
        damaged = bytearray(Path("out.rec").read_bytes())
        damaged[4] ^= 0xFF
        self.write("damaged.rec", bytes(damaged))
        self.assertIs(penstock.validate("damaged.rec")["ok"], False)
        self.assertIn(penstock.__version__, penstock.doctor()["version"])

    def test_diff(self):
        penstock.convert("in.csv", "out.rec", label="y")
        self.assertIs(penstock.diff("in.csv", "out.rec", label="y")["same"], True)
        self.write("other.csv", csv(10).replace("2.25", "2.5"))
        report = penstock.diff("in.csv", "other.csv", label="y")
        self.assertIs(report["same"], False)
        self.assertEqual((report["records_a"], report["records_b"]), (10, 10))

    def test_fit(self):
        self.assertEqual(penstock.fit("in.csv", "normalizer.json", label="y"), "normalizer.json")
        fitted = penstock.fit("in.csv", label="y")
        self.assertEqual(fitted, json.loads(Path("normalizer.json").read_text()))
        batch = next(iter(self.loader("in.csv", normalize="normalizer.json")))
        values = batch["features"].numpy()
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(values.std(axis=0), 1, rtol=1e-6)
        penstock.convert("in.csv", "normal.npz", normalize=Path("normalizer.json"))
        penstock.denormalize("normal.npz", "back.csv", "normalizer.json")
        np.testing.assert_allclose(np.loadtxt("back.csv", delimiter=",")[:, 2], np.arange(10) / 4, atol=1e-6)


class Read(Commands):
    def test_dense(self):
        batch = penstock.read("in.csv", label="y")
        self.assertEqual((batch.rows, batch.names), (10, ("features", "label")))
        self.assertEqual(batch["features"].tolist()[9], [9, 2.25])
        self.assertEqual(batch["label"].tolist(), [0, 1] * 5)

    def test_sparse_and_lists(self):
        self.write("in.libsvm", libsvm(10))
        batch = penstock.read("in.libsvm", index_base=0, num_features=7)
        self.assertEqual(batch["features"].to_scipy().toarray()[:, 0].tolist(), list(range(10)))
        line = '{"start": "2020-01-01 00:00:00", "target": [1, 2], "dynamic_feat": [[1, 1], [2, 2]]}\n'
        batch = penstock.read(self.write("in.deepar.jsonl", line))
        self.assertEqual((batch["target"].to_list(), batch["dynamic_feat"].to_list()), ([[1, 2]], [[[1, 1], [2, 2]]]))

    def test_errors(self):
        with self.assertRaises(penstock.SourceError):
            penstock.read("absent.csv")
        with self.assertRaises(penstock.ConfigurationError):
            penstock.read("in.csv", lable="y")


class Interrupted(Commands):
    def test_ctrl_c(self):
        os.mkfifo("pipe")
        end = os.open("pipe", os.O_RDWR)
        self.addCleanup(os.close, end)
        source = """if True:
            import os, signal, sys, threading, penstock
            for act in (lambda: penstock.convert("pipe", "out.rec", format="csv", header=False, label=0),
                        lambda: penstock.read("pipe", format="csv", header=False, label=0)):
                threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
                try:
                    act()
                except KeyboardInterrupt:
                    print("interrupted")
            print(penstock.convert("in.csv", "out.npz", label="y")["records"], sorted(os.listdir()))
        """
        run = self.run_python(source)
        self.assertEqual(run.stderr, "")
        self.assertEqual(run.stdout, "interrupted\ninterrupted\n10 ['in.csv', 'out.npz', 'pipe']\n")

    def test_nothing_is_left(self):
        penstock.stats("in.csv")
        threads, files = threads_of_process(), files_of_process()
        for _ in range(5):
            penstock.stats("in.csv")
            penstock.read("in.csv")
        self.eventually(lambda: threads_of_process() == threads, "threads are left")
        self.assertEqual(files_of_process(), files)


class Script(Commands):
    def run_script(self, *words, **options):
        source = "import sys; sys.argv[0] = 'penstock'; from penstock._commands import main; main()"
        command = [sys.executable, "-B", "-c", source, *words]
        return subprocess.run(command, capture_output=True, timeout=SECONDS_MAX, check=False, **options)

    def test_is_the_command_line(self):
        run = self.run_script("head", "in.csv", "--label", "y", "--json", "-n1")
        self.assertEqual((run.returncode, json.loads(run.stdout)), (0, {"features": [0, 0], "label": [0]}))
        run = self.run_script("convert", "-", "--from", "csv", "--to", "csv", "-o", "-", input=b"1,2\n")
        self.assertEqual((run.returncode, run.stdout), (0, b"1,2\n"))
        run = self.run_script("head", "absent.csv")
        self.assertEqual(run.returncode, 3)
        self.assertIn(b"penstock: ", run.stderr)
        self.assertEqual(self.run_script("--version").stdout.split()[1].decode(), penstock.__version__)


if __name__ == "__main__":
    main()
