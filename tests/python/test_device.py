"""The command on a device, which the emulator stands for: the same files as from the CPU, failures that say which call it
was and leave nothing behind, and what is said where there is no device."""

import json
import os
import subprocess
import sys
from pathlib import Path

from _cli import PENSTOCK, CliTest, main

EMULATED = os.environ.get("PENSTOCK_SIMT_BINARY", "")

CSV = "a,b,label\n" + "".join(f"{i},{i * 0.25},{i % 2}\n" for i in range(400)) + 'x,1,0\n5,"6",1\n7,8\n'
LIBSVM = "".join(f"{i % 2} 1:0.5 {i % 90 + 2}:{i}\n" for i in range(400)) + "1 2:x\n1 9:1 3:2\n"


class DeviceTest(CliTest):
    def setUp(self):
        if not EMULATED or not Path(EMULATED).is_file():
            self.skipTest("this build has no emulated engine")
        super().setUp()
        self.write("in.csv", CSV)
        self.write("in.libsvm", LIBSVM)

    def emulated(self, *words, **environment):
        command = [EMULATED, *map(str, words)]
        variables = {**os.environ, **environment}
        result = subprocess.run(command, cwd=self.folder, capture_output=True, env=variables, timeout=120, check=False)
        result.err = result.stderr.decode()
        return result

    def same(self, name, *words):
        """`out.*` of both engines, and what they say about faults."""
        suffix = Path(name).suffix
        cpu = self.run_penstock("convert", *words, "-f", "-o", "cpu" + suffix, "--device", "cpu", "-q")
        gpu = self.emulated("convert", *words, "-f", "-o", "gpu" + suffix, "--device", "cuda", "-q")
        self.assertEqual(gpu.returncode, cpu.returncode, gpu.err)
        self.assertEqual(gpu.err.replace("gpu.", "cpu."), cpu.err)
        if cpu.returncode == 0:
            self.assertEqual(self.read("gpu" + suffix), self.read("cpu" + suffix))

    def test_the_same_files(self):
        for out in ("x.rec", "x.npz", "x.csv", "x.libsvm"):
            self.same(out, "in.csv", "--label", "label", "--on-error", "skip", "--slot-size", "1000")
        for out in ("x.rec", "x.npz", "x.libsvm"):
            self.same(out, "in.libsvm", "--num-features", "100", "--on-error", "skip", "--slot-size", "1000")
        self.same("x.rec", "in.csv", "--label", "label")  # fails at a record, in the same words
        self.same("x.rec", "in.csv", "--label", "label", "--on-error", "skip", "--limit", "77", "--skip", "5")
        self.same("x.csv", "in.libsvm", "--num-features", "100", "--absent", "zero", "--on-error", "skip")
        self.ok("convert", "in.csv", "--label", "label", "--on-error", "skip", "-o", "rows.rec")
        self.same("x.npz", "rows.rec", "--slot-size", "2000")
        self.ok("convert", "in.libsvm", "--num-features", "100", "--on-error", "skip", "-o", "pairs.rec")
        self.same("x.libsvm", "pairs.rec", "--slot-size", "2000")

    def test_rejects_are_the_same(self):
        for engine, binary, device in (("cpu", PENSTOCK, "cpu"), ("gpu", EMULATED, "cuda")):
            words = ["convert", "in.csv", "--label", "label", "--on-error", "quarantine", "--rejects", engine]
            command = [binary, *words, "-o", engine + ".rec", "--device", device, "--slot-size", "900"]
            subprocess.run(command, cwd=self.folder, capture_output=True, timeout=120, check=True)
        self.assertEqual(self.read("gpu.rejects.csv"), self.read("cpu.rejects.csv"))
        self.assertEqual(self.read("gpu.rejects.jsonl"), self.read("cpu.rejects.jsonl"))
        self.assertEqual(self.read("gpu.rec"), self.read("cpu.rec"))

    def test_a_call_that_fails(self):
        words = ("convert", "in.csv", "--label", "label", "--on-error", "skip", "-o", "out.rec", "--device", "cuda")
        failures = 0
        for call in [*range(1, 60, 4), 80, 100, 120]:
            result = self.emulated(*words, PENSTOCK_SIMT_FAIL=f"{call}:cudaErrorLaunchFailure")
            if result.returncode == 0:
                (self.folder / "out.rec").unlink()
                continue
            failures += 1
            self.assertEqual(result.returncode, 6, result.err)
            self.assertIn("hint", result.err)
            self.assertEqual(self.names(), ["in.csv", "in.libsvm"], call)
        self.assertGreater(failures, 8)

    def test_without_a_device(self):
        nothing = {"PENSTOCK_SIMT_DEVICES": "0"}
        result = self.emulated("convert", "in.csv", "--on-error", "skip", "-o", "out.rec", "--device", "cuda", **nothing)
        self.assertEqual(result.returncode, 6, result.err)
        self.assertIn("--device cuda:", result.err)
        words = ("convert", "in.csv", "--label", "label", "--on-error", "skip", "-o", "out.rec", "--json", "-v")
        result = self.emulated(*words, **nothing)
        self.assertEqual(result.returncode, 0, result.err)
        self.assertIn("no device:", result.err)
        engine = json.loads(result.stdout)["engine"]
        self.assertTrue(engine["name"].startswith("cpu"), engine)
        self.assertTrue(engine["reason"], engine)

    def test_what_is_said(self):
        words = ("convert", "in.csv", "--label", "label", "--on-error", "skip", "-o", "out.rec", "--json", "-v")
        result = self.emulated(*words, "--profile", "trace.json", "--slot-size", "2000")
        self.assertEqual(result.returncode, 0, result.err)
        engine = json.loads(result.stdout)["engine"]
        self.assertTrue(engine["name"].startswith("cuda:0"), engine)
        self.assertGreater(engine["device_chunks"], 1)
        self.assertEqual(engine["host_chunks"], 0)
        self.assertIn("engine: cuda:0", result.err)
        events = json.loads(self.read("trace.json"))["traceEvents"]
        names = {event["name"] for event in events if event["ph"] == "X"}
        for name in ("read", "cut", "stage", "copy in", "copy out", "decode", "emit", "write", "wait for the device"):
            self.assertIn(name, names)
        self.assertTrue({"find_fields", "convert"} <= names, names)
        self.assertTrue(all(event["dur"] >= 0 for event in events if event["ph"] == "X"))

    def test_low_priority_and_polling(self):
        words = ("convert", "in.csv", "--label", "label", "--on-error", "skip", "-o")
        result = self.emulated(*words, "a.rec", "--device-priority", "low", "--device-wait", "poll")
        self.assertEqual(result.returncode, 0, result.err)
        self.assertEqual(self.emulated(*words, "b.rec").returncode, 0)
        self.assertEqual(self.read("a.rec"), self.read("b.rec"))

    def test_the_device_cuts(self):
        lines = [f'{i},"{i / 8}","a, ""b""\n",{i % 7}' for i in range(3000)]
        self.write("quoted.csv", "\n".join(["id,x,text,y", *lines]) + "\n")
        words = ("convert", "quoted.csv", "--ignore", "text", "--slot-size", "16KiB", "-o")
        result = self.emulated(*words, "a.rec", "--device-cut", "on", "--profile", "trace.json")
        self.assertEqual(result.returncode, 0, result.err)
        names = {event["name"] for event in json.loads(self.read("trace.json"))["traceEvents"]}
        self.assertIn("find_last_record_end", names)
        self.assertEqual(self.emulated(*words, "b.rec", "--profile", "other.json").returncode, 0)
        self.assertNotIn("find_last_record_end", self.read("other.json").decode())
        self.assertEqual(self.read("a.rec"), self.read("b.rec"))
        result = self.emulated(*words, "c.rec", "--device-cut", "maybe")
        self.assertEqual(result.returncode, 2)
        self.assertIn("expected on or off", result.err)


if __name__ == "__main__":
    if not EMULATED:
        print("skipped: no emulated engine (PENSTOCK_SIMT_BINARY)")
        sys.exit(77)
    main()
