#!/usr/bin/env python3
"""Where `penstock` writes: folders that are not there, streams by name, limits, signals, and what it says at the end.

Standard library only.
"""

import signal
import subprocess
import time

from _cli import PENSTOCK, CliTest, main, parse_npy

SMALL = "a,b,y\n1,2.5,0\n-3,,1\n0.1,4e2,1\n"


class Outputs(CliTest):
    def setUp(self):
        super().setUp()
        self.write("in.csv", SMALL)

    def test_no_rate_over_text_that_was_not_used(self):
        self.write("h.csv", "1,2\n" * 500000)
        limited = self.ok("convert", "h.csv", "--header", "no", "--limit", "400000", "-o", "b.npy").err
        self.assertRegex(limited, r"\), [\d.]+ m?s\n")

    def test_shares_are_rounded(self):
        self.write("n.csv", "1\n" + "x\n" * 2)
        err = self.ok("convert", "n.csv", "--header", "no", "--on-error", "skip", "-o", "n.npy").err
        self.assertIn("2 records were rejected (66.7 %)", err)
        self.write("n.csv", "1\n" + "x\n" * 3000)
        err = self.ok("convert", "n.csv", "--header", "no", "--on-error", "skip", "-fo", "n.npy").err
        self.assertIn("(99.9 %)", err)

    def test_folders_are_looked_at_first(self):
        (self.folder / "d").mkdir()
        for words in (
            ("-o", "absent/out.rec"),
            ("-o", "d", "--to", "npy"),
            ("-o", "in.csv/out.rec"),
            ("-o", "out.rec", "--on-error", "quarantine", "--rejects", "absent/r"),
        ):
            for more in ((), ("--dry-run",)):
                err = self.expect(4, "convert", "in.csv", *words, *more).err
                self.assertIn("folder", err)
        self.assertEqual(self.names(), ["in.csv"])

    def test_names_of_descriptors_are_streams(self):
        before = self.write("kept", "kept\n").stat().st_ino
        for words in (
            ("convert", "in.csv", "-f", "--to", "csv", "-o", "/dev/stdout"),
            ("convert", "in.csv", "--to", "csv", "-o", "/dev/fd/1"),
            ("convert", "in.csv", "--to", "csv", "-o", "/proc/self/fd/1"),
            ("synth", "higgs", "--rows", "1", "-f", "-o", "/dev/stdout"),
        ):
            with open(self.folder / "kept", "ab") as kept:
                self.ok(*words, stdout=kept)
        self.assertEqual((self.folder / "kept").stat().st_ino, before)
        text = b"1,2.5,0\n-3,,1\n0.1,400,1\n"
        self.assertTrue(self.read("kept").startswith(b"kept\n" + text * 3))
        with open(self.folder / "other", "wb") as other:
            command = [PENSTOCK, "convert", "in.csv", "--to", "csv", "-o", f"/dev/fd/{other.fileno()}"]
            subprocess.run(command, cwd=self.folder, pass_fds=[other.fileno()], stderr=subprocess.PIPE, check=True)
        self.assertEqual(self.read("other"), text)
        self.expect(4, "convert", "in.csv", "--to", "csv", "-o", "/dev/fd/987")
        self.assertEqual(self.names(), ["in.csv", "kept", "other"])

    def test_a_summary_that_cannot_be_printed(self):
        with open("/dev/full", "wb") as full:
            err = self.expect(4, "convert", "in.csv", "-o", "out.npy", "--json", stdout=full).err
        self.assertIn("the summary (--json) could not be printed", err)
        self.assertIn("out.npy is complete", err)
        self.assertEqual(parse_npy(self.read("out.npy"))[1], (3, 3))

    def test_a_limit_of_file_sizes(self):
        script = 'ulimit -f 8; exec "$0" synth higgs --rows 1000 -o big.csv'
        result = subprocess.run(
            ["sh", "-c", script, PENSTOCK], cwd=self.folder, stderr=subprocess.PIPE, timeout=60, check=False
        )
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn(b"ulimit -f", result.stderr)
        self.assertEqual(self.names(), ["in.csv"])

    def test_interrupt_stops_synth(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = subprocess.Popen(
                [PENSTOCK, "synth", "higgs", "--size", "100TiB", "-o", "/dev/null"], cwd=self.folder, stderr=subprocess.PIPE
            )
            time.sleep(0.05)
            process.send_signal(number)
            err = process.communicate(timeout=60)[1]
            # Before the handlers are there a signal ends the process in the system's way.
            self.assertIn(process.returncode, (128 + number, -number), err)
        process = subprocess.Popen(
            [PENSTOCK, "synth", "higgs", "--size", "1TiB", "-o", "big.csv"], cwd=self.folder, stderr=subprocess.PIPE
        )
        while not list(self.folder.glob(".big.csv.*")):
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(self.names(), ["in.csv"])


if __name__ == "__main__":
    main()
