#!/usr/bin/env python3
"""scripts/gpu_check without a GPU: an emulated device is compared with the CPU, a device that is wrong is found out,
and figures become the tables that they should."""

import importlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("PENSTOCK_SOURCE_DIR") or Path(__file__).resolve().parents[2])
EMULATED = os.environ.get("PENSTOCK_SIMT_BINARY", "")
SCRIPT = SOURCE / "scripts" / "gpu_check"
sys.path.insert(0, str(SOURCE / "scripts"))

# A penstock whose device is the CPU, and lies: where a device is asked for, code in the middle spoils what came out.
LIAR = """#!/usr/bin/env python3
import json, os, subprocess, sys
words = sys.argv[1:]
is_device = "--device" in words and words[words.index("--device") + 1] == "cuda"
if is_device:
    words[words.index("--device") + 1] = "cpu"
ended = subprocess.run([{binary!r}, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
out, errors, status, chunks = ended.stdout, ended.stderr, ended.returncode, 1
path = words[words.index("-o") + 1] if "-o" in words else ""
if is_device:
    {lie}
    if out.startswith(b"{{"):
        summary = json.loads(out)
        summary["engine"] = {{"name": "cuda:0 (a liar)", "reason": None, "device_chunks": chunks, "host_chunks": 0}}
        out = json.dumps(summary).encode()
sys.stdout.buffer.write(out)
sys.stderr.buffer.write(errors)
sys.exit(status)
"""
LIES = {
    "nothing": "pass",
    "a byte": "file = open(path, 'r+b'); file.seek(-9, 2); file.write(b'?'); file.close()",
    "an end": "os.truncate(path, os.path.getsize(path) - 1)",
    "no output": "os.unlink(path)",
    "a file more": "open('more', 'w').close()",
    "a fault": "errors = errors.replace(b'expected', b'wanted') + b'.'",
    "a count": "out = out.replace(b'\"records\":', b'\"records\":1')",
    "its status": "status = 1",
    "chunks": "chunks = 0",
}


def gpu_check(*words, **variables):
    command = [sys.executable, "-B", SCRIPT, *map(str, words)]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, timeout=280, env=environment, check=False)


class GpuCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_the_emulated_device_does_what_the_cpu_does(self):
        ended = gpu_check("--emulated", "--binary", EMULATED)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("all the same", ended.stdout)
        self.assertNotIn("left out", ended.stdout)

    def test_a_device_that_is_wrong_is_found_out(self):
        for name, lie in LIES.items():
            liar = self.folder / "liar"
            liar.write_text(LIAR.format(binary=EMULATED, lie=lie))
            liar.chmod(0o755)
            ended = gpu_check("--emulated", "--binary", liar, "--only", "kinds", "--kinds", "dirty", "--size", "4kB")
            with self.subTest(name):
                self.assertEqual(ended.returncode, 0 if name == "nothing" else 1, ended.stdout + ended.stderr)
                if name != "nothing":
                    self.assertIn("0 the same", ended.stdout)

    def test_without_a_gpu(self):
        kept = [SOURCE / "bench" / "LOG.md", *(SOURCE / "bench" / "results").iterdir()]
        before = [path.read_bytes() for path in kept]
        ended = gpu_check(CUDA_VISIBLE_DEVICES="-1", OUT=str(self.folder))
        self.assertEqual(ended.returncode, 77, ended.stdout + ended.stderr)
        self.assertRegex(ended.stderr, r"\Agpu_check: no usable GPU here: .+\n\Z")
        self.assertEqual(ended.stdout, "")
        self.assertEqual([path.read_bytes() for path in kept], before)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_every_section_of_gpu_bench_works(self):
        bench = Path(EMULATED).parents[3] / "bench" / "gpu_bench_simt"
        if not bench.exists():
            self.skipTest("this build has no gpu_bench_simt")
        ended = gpu_check("--emulated", "--binary", EMULATED, "--bench", bench, "--only", "figures")
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)


def figure(section, name, runs, lanes=1, mebibytes=16, **details):
    return {
        "section": section,
        "input": name,
        "slot_bytes": mebibytes << 20,
        "lanes": lanes,
        "unit": "GB/s",
        "runs": runs,
        "details": details,
    }


class Report(unittest.TestCase):
    FIGURES = [
        figure("copies", "host_to_device", [50.0, 52.0, 48.0], 0),
        figure("copies", "both_ways", [80.0], 0),
        figure("copies", "device_memory", [2000.0], 0),
        figure("kernels", "higgs", [500.0, 700.0, 590.0], **{"share convert": 0.75, "GB/s find_fields": 2400.0}),
        figure("overlap", "higgs", [400.0], 3),
        figure("kernels", "higgs_bad", [560.0]),
        figure("tensors", "higgs", [49.0, 48.0, 48.5], 3, cores=0.5, **{"device bytes": 3 << 20}),
        figure("tensors", "compact", [49.0], 3, cores=1.5, **{"device bytes": 3 << 20}),
        figure("latency", "higgs", [55.0], mebibytes=1, p50=55.0, p99=80.0, least=50.0),
        figure("file", "storage", [10.0], 0),
        figure("file", "higgs", [37.0], 0, **{"text bytes": 1000, "output bytes": 200, "memory": "2GiB"}),
        figure("cut", "quoted", [45.0], mebibytes=16),
        figure("cut_host", "quoted", [4.0], mebibytes=16),
        figure("normalize", "moments_28", [1234.0], 0, 0, columns=28),
        figure("feed", "higgs", [1.25], 0, 0, **{"ms a step alone": 5.0, "GB/s of text": 4.9, "share waited": 0.001}),
    ]

    def results(self):
        found = importlib.import_module("gpu_check_lib.goals").results(self.FIGURES)
        return {result.what: result for result in found}

    def test_goals(self):
        results = self.results()
        reached = {what: result.is_reached for what, result in results.items() if result.value is not None}
        expected = {
            "CSV structure, plain": True,
            "kernels, HIGGS-like": True,  # 1 / (1 / 400 - 2 / 2000)
            "pinned host to device tensor, higgs": True,
            "pinned host to device tensor, compact": False,  # more than a core
            "file to RecordIO file, higgs": True,  # 37 of 40
            "1 MiB, p50, higgs": True,
            "a training step fed with 5 GB/s, higgs": True,
            "1 % bad records, kernels, higgs": False,  # 590 to 560
        }
        self.assertEqual(reached, expected)
        self.assertAlmostEqual(results["kernels, HIGGS-like"].value, 2000 / 3)
        self.assertIn("3 lanes", results["kernels, HIGGS-like"].where)
        self.assertAlmostEqual(results["1 % bad records, kernels, higgs"].value, 1 - 560 / 590)

    def test_tables(self):
        report = {
            "machine": {"gpu": "NVIDIA X"},
            "options": {},
            "steps": [{"name": "corpora", "verdict": "failed"}],
            "compared": {"same": 3, "different": 1, "device_chunks": 4, "host_chunks": 0},
            "figures": self.FIGURES,
            "left_out": ["the rest"],
        }
        text = importlib.import_module("gpu_check_lib.tables").report_text(report)
        said = (
            "3 the same, 1 different",
            "FAILED: corpora",
            "Left out: the rest",
            "590 (500 to 700)",
            "convert 75%",
            "1,234.0 (1,234.0 to 1,234.0)",
        )
        for words in said:
            self.assertIn(words, text)
        rows = [line for line in text.splitlines() if line.startswith("|")]
        self.assertGreater(len(rows), 30)


if __name__ == "__main__":
    if not EMULATED:
        print("skipped: no emulated engine (PENSTOCK_SIMT_BINARY)")
        sys.exit(77)
    sys.dont_write_bytecode = True
    unittest.main(verbosity=2)
