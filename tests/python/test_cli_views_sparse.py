#!/usr/bin/env python3
"""`penstock head` and `inspect` of sparse records, lists of labels, uid, metadata and base margins. Standard library only."""

import struct
import zipfile

from _cli import main
from test_cli_views import Views, frame, message, npy


def sparse_record(pairs, labels, uid=b"", metadata=b""):
    """Features as keys and values; labels, uid and metadata as they are."""

    def entry(number, tensor):
        return message(number, message(1, b"values") + message(2, message(2, tensor)))

    def floats(values):
        return message(1, struct.pack(f"<{len(values)}f", *values))

    keys = message(2, bytes(key for key, _ in pairs))
    return frame(
        entry(1, floats([value for _, value in pairs]) + keys) + entry(2, floats(labels)) + message(3, uid) + message(4, metadata)
    )


SPARSE = "1 1:2 3:0 4:-1\n0\n0 2:nan\n"


class Sparse(Views):
    def setUp(self):
        super().setUp()
        self.write("in.libsvm", SPARSE)
        for name in ("s.rec", "s.npz"):
            self.ok("convert", "in.libsvm", "-o", name)

    def test_head_json(self):
        wanted = [
            {"indices": [0, 2, 3], "values": [2, 0, -1], "label": [1]},
            {"indices": [], "values": [], "label": [0]},
            {"indices": [1], "values": [None], "label": [0]},
        ]
        for name in ("in.libsvm", "s.rec", "s.npz"):
            self.assertEqual(self.json_lines("head", name), wanted, name)
            self.assertEqual(self.json_lines("head", name, "--skip", "1", "-n", "1"), wanted[1:2], name)

    def test_head_table(self):
        for name in ("in.libsvm", "s.rec", "s.npz"):
            lines = self.ok("head", name).stdout.decode().splitlines()
            self.assertEqual(lines[0].split(), ["record", "label", "column:value", "(columns", "from", "0)"])
            rows = [["1", "1", "0:2", "2:0", "3:-1"], ["2", "0", "-"], ["3", "0", "1:NaN"]]
            self.assertEqual([line.split() for line in lines[1:]], rows)

    def test_long_rows_are_cut_in_the_table_only(self):
        self.write("long.libsvm", "1 " + " ".join(f"{i}:1" for i in range(1, 101)) + "\n")
        text = self.ok("head", "long.libsvm").stdout.decode()
        self.assertIn(" 11:1 ... (+88)\n", text)
        self.assertNotIn("12:1", text)
        self.assertEqual(self.json_lines("head", "long.libsvm")[0]["indices"], list(range(100)))

    def test_roles(self):
        self.write("q.libsvm", "1:0.5 qid:7 1:2\n0:2 qid:8 2:1\n")
        lines = self.ok("head", "q.libsvm").stdout.decode().splitlines()
        self.assertEqual(lines[0].split()[:4], ["record", "label", "weight", "qid"])
        self.assertEqual(lines[1].split(), ["1", "1", "0.5", "7", "0:2"])
        wanted = {"indices": [1], "values": [1], "label": [0], "weight": [2], "qid": [8]}
        self.assertEqual(self.json_lines("head", "q.libsvm")[1], wanted)

    def test_lists_of_labels_and_texts(self):
        records = [sparse_record([(0, 1), (5, 2)], [7], b"u-1", b"{}"), sparse_record([], [8, 9], b"\x1b", b"m")]
        self.write("u.rec", b"".join(records))
        lines = self.ok("head", "u.rec", "--multilabel").stdout.decode().splitlines()
        self.assertEqual(lines[0].split()[:4], ["record", "labels", "uid", "metadata"])
        self.assertEqual(lines[2].split(), ["2", "8,9", "\\x1b", "m", "-"])
        wanted = {"indices": [], "values": [], "label": [8, 9], "uid": "\x1b", "metadata": "m"}
        self.assertEqual(self.json_lines("head", "u.rec", "--multilabel")[1], wanted)
        facts = self.json_lines("inspect", "u.rec", "--multilabel")[0]
        self.assertEqual((facts["uid"], facts["metadata"], facts["labels_vary"]), (True, True, True))
        self.assertEqual(facts["label_counts"], {"count": 3, "least": 1, "greatest": 2, "mean": 1.5, "empty_records": 0})
        text = self.ok("inspect", "u.rec", "--multilabel").stdout.decode()
        self.assertIn("lists of float32, 1.5 a row (1 to 2): 7 (1), 8 (1), 9 (1)", text)
        self.assertIn("2 x 6 or more float32, sparse", text)

    def test_base_margins(self):
        with zipfile.ZipFile(self.folder / "m.npz", "w") as archive:
            archive.writestr("features.npy", npy("<f4", (2, 1), struct.pack("<2f", 1, 2)))
            archive.writestr("base_margin.npy", npy("<f4", (2,), struct.pack("<2f", 0.5, -1)))
        self.assertEqual(self.json_lines("head", "m.npz")[1], {"features": [2], "base_margin": [-1]})
        self.assertEqual(self.ok("head", "m.npz").stdout.decode().split()[:6], ["record", "base_margin", "f0", "1", "0.5", "1"])
        self.assertIs(self.json_lines("inspect", "m.npz")[0]["base_margin"], True)

    def test_inspect(self):
        for name in ("in.libsvm", "s.rec", "s.npz"):
            facts = self.json_lines("inspect", name)[0]
            self.assertEqual((facts["records"], facts["sparse"], facts["missing_cells"]), (3, True, 1), name)
            pairs = facts["pairs"]
            self.assertEqual([pairs[key] for key in ("count", "least", "greatest", "empty_records")], [4, 0, 3, 1], name)
            self.assertEqual([pairs[key] for key in ("columns", "least_column", "greatest_column")], [4, 0, 3], name)
            self.assertEqual((pairs["zeros"], pairs["missing"]), (1, 1), name)
            self.assertAlmostEqual(pairs["density"], 4 / 12)
            values = [(each["value"], each["records"]) for each in facts["label_values"][0]["values"]]
            self.assertEqual(values, [(0, 2), (1, 1)])
            text = self.ok("inspect", name).stdout.decode()
            parts = ("3 x 4", "sparse", "4: 1.3 a row (0 to 3), 1 row has none", "33.3 %", "1 pair says 0", "1 pair says NaN")
            for part in parts:
                self.assertIn(part, text, name)
        self.assertEqual(self.json_lines("inspect", "in.libsvm")[0]["missing"], [0, 1, 0, 0])

    def test_very_wide_inputs_take_no_memory(self):
        self.write("wide.libsvm", "1 1:1 4000000000000000000:nan\n")
        facts = self.json_lines("inspect", "wide.libsvm")[0]
        self.assertEqual((facts["features"], facts["missing"], facts["missing_cells"]), (4000000000000000000, None, 1))

    def test_rejected_records(self):
        self.write("bad.libsvm", "1 1:1\nx 1:1\n0 2:1 2:1\n0 3:1\n1 a:1\n0 b:1\n")
        facts = self.json_lines("inspect", "bad.libsvm")[0]
        self.assertEqual((facts["records"], facts["rejected"]), (2, 4))
        self.assertEqual(facts["rejected_kinds"], {"not_a_number": 1, "bad_index": 2, "duplicate_index": 1})
        self.assertIn("bad.libsvm:5:3", facts["rejected_examples"]["bad_index"])
        self.assertIn("1 not a number, 2 bad index, 1 duplicate index", self.ok("inspect", "bad.libsvm").stdout.decode())


if __name__ == "__main__":
    main()
