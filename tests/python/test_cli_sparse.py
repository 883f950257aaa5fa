#!/usr/bin/env python3
"""Sparse data end to end: libsvm, RecordIO, .npz and CSV become each other and nothing is lost; what could be lost is
refused. What was written is read by numpy, libprotobuf, and SciPy and scikit-learn where they are there."""

import importlib.util
import itertools
import json
import os
from unittest import mock

import check_recordio  # skips where numpy or protobuf is not there
import numpy
from _cli import main
from _sparse import Csr, SparseTest, bits, frame_begins, parse_libsvm, protobuf_records, recordio, tensor_in

# RecordIO's int32 values may be one byte each, so that the longest record that is allowed takes much memory.
SMALL_RECORDS = ("--max-record-size", "64KiB")


def has_module(name):
    return importlib.util.find_spec(name) is not None


class Chains(SparseTest):
    def chain(self, source, *outputs, words=()):
        """Converts source to the first output, that to the next, and compares each with the one before and with the
        first."""
        before = source
        for output in outputs:
            self.ok("convert", before, *(words if before == source else ()), "-o", output)
            self.same(before, output)
            self.same(source, output)
            before = output

    def test_real_files_through_every_sparse_format(self):
        for name in ("agaricus.train.libsvm", "agaricus.test.libsvm", "abalone.train_0.libsvm", "rank.train.libsvm"):
            stem = name.split(".")[0] + name.split(".")[1]
            outputs = [stem + suffix for suffix in (".rec", ".libsvm", ".npz", "2.rec", "2.npz", "2.libsvm")]
            self.chain(self.libsvm(name), *outputs)
            self.assertEqual(self.read(stem + ".rec"), self.read(stem + "2.rec"))
            self.assertEqual(self.read(stem + ".npz"), self.read(stem + "2.npz"))
            self.assertEqual(self.read(stem + ".libsvm"), self.read(stem + "2.libsvm"))

    def test_pairs_are_those_of_the_text(self):
        path = self.libsvm("agaricus.train.libsvm")
        self.ok("convert", path, "-o", "a.npz")
        csr = Csr(self.folder / "a.npz")
        records = parse_libsvm(path.read_text(), 1)
        self.assertEqual(csr.shape, (len(records), 126))
        expected = [[(index, float(value)) for index, value in pairs] for _, _, pairs in records]
        self.assertEqual(list(csr.rows()), expected)
        self.assertEqual(csr.label.ravel().tolist(), [float(label) for label, _, _ in records])

    def test_values_are_rounded_once(self):
        for name in ("rank.train.libsvm", "abalone.train_0.libsvm"):
            path = self.libsvm(name)
            records = parse_libsvm(path.read_text(), 1)
            self.ok("convert", path, "-f", "-o", "a.npz")
            csr = Csr(self.folder / "a.npz")
            expected = [check_recordio.float32_of(value) for _, _, pairs in records for _, value in pairs]
            self.assertEqual(bits(csr.data), bits(numpy.array(expected, dtype="float32")))
            self.assertEqual(csr.indices.tolist(), [index for _, _, pairs in records for index, _ in pairs])

    def test_group_sizes_become_query_ids_and_sizes_again(self):
        path, groups = self.libsvm("rank.train.libsvm"), self.libsvm("rank.train.query")
        sizes = [int(line) for line in groups.read_text().split()]
        self.ok("convert", path, "--group-file", "auto", "-o", "r.npz")
        qid = Csr(self.folder / "r.npz").qid.ravel()
        self.assertEqual(numpy.unique(qid, return_counts=True)[1].tolist(), sizes)
        self.assertTrue((numpy.diff(qid) >= 0).all())
        self.chain("r.npz", "r.libsvm", "r2.npz")
        self.assertIn("--companions", self.expect(2, "convert", "r.libsvm", "-o", "r.rec").err)
        self.ok("convert", "r.libsvm", "--companions", "-o", "r.rec")
        self.assertEqual([int(line) for line in self.read_text("r.rec.group").split()], sizes)
        self.assertIn(b"qid: 1 | none", self.expect(1, "diff", "r.libsvm", "r.rec").stdout)
        self.same("r.libsvm", "r.rec", "--features-only")
        self.ok("convert", "r.npz", "--drop", "qid", "-o", "r2.rec")
        self.assertEqual(self.read("r.rec"), self.read("r2.rec"))

    def test_lists_of_labels(self):
        self.write("m.libsvm", "1,5,9 1:1 3:2\n7 2:1\n3 1:4\n")
        self.expect(1, "convert", "m.libsvm", "-o", "x.rec")
        self.ok("convert", "m.libsvm", "--multilabel", "-o", "m.rec")
        self.ok("convert", "m.rec", "--multilabel", "-o", "m.npz")
        self.ok("convert", "m.npz", "-o", "m2.libsvm")
        self.same("m.libsvm", "m.rec", "--multilabel")
        for sides in (("m.libsvm", "m.npz"), ("m.npz", "m.rec"), ("m2.libsvm", "m.npz")):
            self.same(*sides)
        self.write("n.libsvm", "1,5 1:1 3:2\n7 2:1\n4 1:4\n")
        found = self.expect(1, "diff", "n.libsvm", "m.npz").stdout
        self.assertIn(b"record 1, label[2]: absent | 9 (0x41100000)", found)
        self.assertIn(b"record 3, label[0]: 4 (0x40800000) | 3 (0x40400000)", found)
        self.assertIn("number of labels", self.expect(2, "convert", "m.npz", "--absent", "zero", "-o", "m.csv").err)

    def test_uid_and_metadata_stay_in_recordio(self):
        self.write("u.rec", recordio(([(1, 2)], [1], "a", "{}"), ([(3, 4)], [0], "b", '{"x":1}')))
        self.ok("convert", "u.rec", "-o", "v.rec")
        self.same("u.rec", "v.rec")
        self.assertEqual([record.uid for _, record in protobuf_records(self.read("v.rec"))], [b"a", b"b"])
        for out in ("u.libsvm", "u.npz"):
            self.assertIn("--drop uid,metadata", self.expect(2, "convert", "u.rec", "-o", out).err)
            self.ok("convert", "u.rec", "--drop", "uid,metadata", "-o", out)
            self.assertIn(b"uid: only the first has it", self.expect(1, "diff", "u.rec", out).stdout)
            self.same("u.rec", out, "--features-only")
        self.write("w.rec", recordio(([(1, 2)], [1], "a", "{}"), ([(3, 4)], [0], "c", '{"x":1}')))
        self.assertIn(b'record 2, uid: "b" | "c"', self.expect(1, "diff", "u.rec", "w.rec").stdout)

    def test_dense_to_sparse_and_back(self):
        self.write("d.csv", "1,0,5,0\n0,-0,,2.5\n1,0,0,0\n")
        self.ok("convert", "d.csv", "--label", "0", "-o", "d.rec")
        for absent, pairs in (("zero", [[1], [0, 1, 2], []]), ("missing", [[0, 1, 2], [0, 2], [0, 1, 2]])):
            words = ("--absent", absent)
            self.ok("convert", "d.rec", "--features", "sparse", *words, "-o", f"{absent}.rec")
            records = protobuf_records(self.read(f"{absent}.rec"))
            keys = [list(tensor_in(record.features)[1].keys) for _, record in records]
            self.assertEqual(keys, pairs)
            self.same("d.rec", f"{absent}.rec", *words)
            self.same("d.csv", f"{absent}.rec", "--label", "0", *words)
            self.ok("convert", f"{absent}.rec", "--features", "dense", *words, "-o", f"{absent}.dense.rec")
            self.assertEqual(self.read(f"{absent}.dense.rec"), self.read("d.rec"))

    def test_csv_to_libsvm_to_csv(self):
        rows = "".join(f"{i % 2},{i % 3},{i * 0.25},{'' if i % 5 == 0 else i},{-i % 4}\n" for i in range(200))
        self.write("d.csv", rows)
        self.ok("convert", "d.csv", "--label", "0", "-o", "canonical.csv")
        for absent in ("zero", "missing"):
            words = ("--absent", absent)
            self.ok("convert", "d.csv", "--label", "0", *words, "-o", f"{absent}.libsvm")
            self.same("d.csv", f"{absent}.libsvm", "--label", "0", *words)
            self.ok("convert", f"{absent}.libsvm", "--num-features", "4", *words, "-o", f"{absent}.csv")
            self.assertEqual(self.read(f"{absent}.csv"), self.read("canonical.csv"))
        pairs = {absent: self.read_text(f"{absent}.libsvm").count(":") for absent in ("zero", "missing")}
        cells = [cell for line in rows.splitlines() for cell in line.split(",")[1:]]
        self.assertEqual(pairs["missing"], sum(cell != "" for cell in cells))
        self.assertEqual(pairs["zero"], sum(cell == "" or float(cell) != 0 for cell in cells))

    def test_sparse_to_csv_says_what_is_absent(self):
        self.write("s.libsvm", "1 1:0 3:2\n0 2:1\n")
        err = self.expect(2, "convert", "s.libsvm", "-o", "s.csv").err
        self.assertIn("--absent zero", err)
        self.assertIn("--absent missing", err)
        for absent, text in (("zero", "1,0,0,2\n0,0,1,0\n"), ("missing", "1,0,,2\n0,,1,\n")):
            self.ok("convert", "s.libsvm", "--absent", absent, "-f", "-o", "s.csv")
            self.assertEqual(self.read_text("s.csv"), text)
            self.same("s.libsvm", "s.csv", "--label", "0", "--absent", absent)


class OtherReaders(SparseTest):
    def test_scikit_learn_reads_the_same(self):
        if not has_module("sklearn"):
            self.skipTest("scikit-learn is not here (Debian: python3-sklearn)")
        from sklearn.datasets import load_svmlight_file

        for name in ("agaricus.train.libsvm", "rank.train.libsvm", "abalone.train_0.libsvm"):
            path = self.libsvm(name)
            matrix, label = load_svmlight_file(str(path), dtype=numpy.float64)
            self.ok("convert", path, "--dtype", "float64", "-f", "-o", "d.npz")
            self.ok("convert", path, "-f", "-o", "f.npz")
            for out, dtype in (("d.npz", "float64"), ("f.npz", "float32")):
                csr = Csr(self.folder / out)
                self.assertEqual(csr.shape, matrix.shape)
                self.assertEqual(csr.indices.tolist(), matrix.indices.tolist())
                self.assertEqual(csr.indptr.tolist(), matrix.indptr.tolist())
                self.assertEqual(bits(csr.data), bits(matrix.data.astype(dtype)))
                self.assertEqual(csr.label.ravel().tolist(), label.tolist())

    def test_scikit_learn_reads_what_is_written(self):
        if not has_module("sklearn"):
            self.skipTest("scikit-learn is not here (Debian: python3-sklearn)")
        from sklearn.datasets import load_svmlight_file

        self.write("q.libsvm", "1 qid:3 2:0.1 4:-1e-40\n-1 qid:7 1:16777217\n0.5 qid:7\n")
        self.ok("convert", "q.libsvm", "-o", "q.npz")
        csr = Csr(self.folder / "q.npz")
        for base in ("0", "1"):
            self.ok("convert", "q.npz", "--output-index-base", base, "-f", "-o", "w.libsvm")
            path = str(self.folder / "w.libsvm")
            matrix, label, qid = load_svmlight_file(path, query_id=True, zero_based=base == "0", dtype=numpy.float64)
            self.assertEqual(matrix.indices.tolist(), csr.indices.tolist())
            self.assertEqual(matrix.indptr.tolist(), csr.indptr.tolist())
            self.assertEqual(bits(matrix.data.astype("float32")), bits(csr.data))
            self.assertEqual((label.tolist(), qid.tolist()), ([1, -1, 0.5], [3, 7, 7]))

    def test_scipy_loads_the_archive(self):
        if not has_module("scipy"):
            self.skipTest("SciPy is not here (Debian: python3-scipy)")
        import scipy.sparse

        self.write("s.libsvm", "1 1:0.5 3:2\n0\n1 2:1\n")
        self.ok("convert", "s.libsvm", "--num-features", "5", "-o", "s.npz")
        matrix = scipy.sparse.load_npz(self.folder / "s.npz")
        self.assertTrue(scipy.sparse.isspmatrix_csr(matrix))
        self.assertEqual(matrix.toarray().tolist(), [[0.5, 0, 2, 0, 0], [0] * 5, [0, 1, 0, 0, 0]])
        scipy.sparse.save_npz(self.folder / "back.npz", matrix)
        self.same("s.npz", "back.npz", "--features-only")
        self.assertIn(b"label: 1 | none", self.expect(1, "diff", "s.npz", "back.npz").stdout)

    def test_libprotobuf_reads_what_is_written(self):
        path = self.libsvm("agaricus.test.libsvm")
        self.ok("convert", path, "-o", "a.rec")
        records = parse_libsvm(path.read_text(), 1)
        found = list(protobuf_records(self.read("a.rec")))
        self.assertEqual(len(found), len(records))
        for (payload, record), (label, _, pairs) in zip(found, records):
            self.assertEqual(record.SerializeToString(deterministic=True), payload)
            kind, tensor = tensor_in(record.features)
            self.assertEqual((kind, list(tensor.shape)), ("float32_tensor", [126]))
            self.assertEqual(list(zip(tensor.keys, tensor.values)), [(index, float(value)) for index, value in pairs])
            self.assertEqual(list(tensor_in(record.label)[1].values), [float(label)])

    def test_real_records_as_libprotobuf_reads_them(self):
        names = sorted(path.name for path in self.shared("recordio/train.pb").parent.iterdir())
        self.assertGreater(len(names), 5)
        for name in names:
            path = self.shared(f"recordio/{name}")
            self.ok("convert", path, "-f", "-o", "a.npz")
            records = [record for _, record in protobuf_records(path.read_bytes())]
            tensors = [tensor_in(record.features)[1] for record in records]
            with numpy.load(self.folder / "a.npz") as archive:
                is_sparse = "indptr" in archive.files
                label = archive["label"].reshape(len(records), -1).tolist()
                features = None if is_sparse else archive["features"].tolist()
            self.assertEqual(is_sparse, len(tensors[0].shape) != 0, name)
            self.assertEqual(label, [list(tensor_in(record.label)[1].values) for record in records], name)
            if is_sparse:
                csr = Csr(self.folder / "a.npz")
                self.assertEqual(csr.shape, (len(records), tensors[0].shape[0]))
                self.assertEqual(list(csr.rows()), [list(zip(tensor.keys, tensor.values)) for tensor in tensors], name)
            else:
                self.assertEqual(features, [list(tensor.values) for tensor in tensors], name)
            self.same(path, "a.npz")

    def test_real_records_to_text_and_back(self):
        for name in ("sparse_train.pb", "sparse_edge_cases_diagonal.pbr", "sparse_edge_cases_single_value_center.pbr"):
            path = self.shared(f"recordio/{name}")
            self.ok("convert", path, *SMALL_RECORDS, "-f", "-o", "a.libsvm")
            self.same(path, "a.libsvm", *SMALL_RECORDS, "--features-only")


class Refusals(SparseTest):
    def setUp(self):
        super().setUp()
        self.write("s.libsvm", "1 1:1 3:2\n0 2:1\n")

    def refused(self, status, *words, says):
        err = self.expect(status, "convert", *words).err
        for part in says:
            self.assertIn(part, err)
        return err

    def test_roles_that_have_no_place(self):
        self.write("w.libsvm", "1:0.5 1:1\n0:2 2:3\n")
        self.refused(2, "w.libsvm", "-o", "w.rec", says=("weights", "--companions", "--drop weight"))
        self.assertEqual(self.names(), ["s.libsvm", "w.libsvm"])
        self.ok("convert", "w.libsvm", "--companions", "-o", "w.rec")
        self.assertEqual(self.read_text("w.rec.weight"), "0.5\n2\n")
        self.ok("convert", "w.libsvm", "--drop", "weight", "-o", "x.rec")
        self.assertEqual(self.read("x.rec"), self.read("w.rec"))
        self.ok("convert", "w.libsvm", "-o", "w.npz")
        self.same("w.libsvm", "w.npz")
        self.refused(2, "s.libsvm", "-o", "s.npy", says=("--absent",))

    def test_standard_input_needs_the_index_base(self):
        text = self.read("s.libsvm")
        words = ("convert", "-", "--from", "libsvm", "-o")
        err = self.expect(2, *words, "x.rec", stdin=text).err
        self.assertIn("--index-base", err)
        self.assertIn("--num-features", err)
        self.assertIn("--num-features", self.expect(2, *words, "x.rec", "--index-base", "1", stdin=text).err)
        self.ok(*words, "x.libsvm", "--index-base", "1", stdin=text)
        self.assertEqual(self.read("x.libsvm"), text)

    def test_standard_input_becomes_what_the_file_becomes(self):
        path = self.libsvm("agaricus.train.libsvm")
        self.ok("convert", path, "-o", "file.rec")
        words = ("--from", "libsvm", "--index-base", "1", "--num-features", "126")
        self.ok("convert", "-", *words, "-o", "pipe.rec", stdin=path.read_bytes())
        self.assertEqual(self.read("pipe.rec"), self.read("file.rec"))

    def test_records_at_fault(self):
        for line, words, says in (
            ("1 1:1 1:2", (), ("twice", "--duplicates")),
            ("1 1:x", (), ("expected a number", '"x"')),
            ("1 4:1", ("--num-features", "3"), ("indices go to 3",)),
            ("1 0:1", ("--index-base", "1"), ("index",)),
            ("1,2 1:1", (), ("--multilabel",)),
        ):
            self.write("f.libsvm", "1 1:1\n" + line + "\n")
            err = self.refused(1, "f.libsvm", *words, "-o", "f.rec", says=says)
            self.assertIn("f.libsvm:2:", err)
        self.assertNotIn("f.rec", self.names())

    def test_options_of_formats_that_take_no_part(self):
        self.write("d.csv", "1,2\n3,4\n")
        self.refused(2, "d.csv", "--index-base", "1", "-o", "d.rec", says=("--index-base belongs to libsvm",))
        self.refused(2, "s.libsvm", "--columns", "0", "-o", "s.rec", says=("--columns belongs to CSV",))
        self.refused(2, "s.libsvm", "--index-base", "2", "-o", "s.rec", says=("--index-base", "auto|0|1"))

    def test_records_at_fault_in_recordio(self):
        good = recordio(([(1, 2)], [1]), ([(3, 4)], [0]))
        for content, says in (
            (good[:-6], "the input ends inside a frame"),
            (recordio(([(1, 2)], [1]), ([(10, 4)], [0])), "10"),  # a key that the shape does not have
            (recordio(([(1, 2)], [1]), ([(3, 4), (3, 5)], [0])), "twice"),
            (recordio(([(1, 2)], [1]), ([(3, 4)], [0, 1])), "label"),
        ):
            self.write("f.rec", content)
            err = self.refused(1, "f.rec", "-o", "x.npz", says=("f.rec: frame 2", says))
            self.assertIn("--on-error", err)
        self.assertNotIn("x.npz", self.names())


class Cuts(SparseTest):
    def test_threads_slots_and_instructions_change_no_byte(self):
        lines = self.libsvm("agaricus.train.libsvm").read_text().splitlines(keepends=True)
        self.write("a.libsvm", "".join(lines[:400]))
        self.ok("convert", "a.libsvm", "-o", "a.rec")
        sources = {"a.libsvm": ("rec", "npz", "libsvm"), "a.rec": ("npz", "libsvm")}
        for source, outputs in sources.items():
            for out in outputs:
                self.ok("convert", source, "-f", "-o", f"expected.{out}")
                expected = self.read(f"expected.{out}")
                for threads, slot in itertools.product("123", ("64", "1000", "4KiB", "1MiB")):
                    self.ok("convert", source, "-j", threads, "--slot-size", slot, "-f", "-o", f"cut.{out}")
                    self.assertEqual(self.read(f"cut.{out}"), expected, (source, out, threads, slot))
                with mock.patch.dict(os.environ, PENSTOCK_ISA="portable"):
                    self.ok("convert", source, "--slot-size", "1000", "-f", "-o", f"cut.{out}")
                self.assertEqual(self.read(f"cut.{out}"), expected, (source, out))

    def test_a_line_of_100000_pairs(self):
        count = 100000
        self.write("long.libsvm", "1 1:1\n0 " + " ".join(f"{i}:{i % 7}" for i in range(1, count + 1)) + "\n1 2:1\n")
        for words in ((), ("--slot-size", "4KiB"), ("--slot-size", "4KiB", "-j", "2")):
            self.ok("convert", "long.libsvm", *words, "-f", "-o", "long.npz")
            csr = Csr(self.folder / "long.npz")
            self.assertEqual((csr.shape, csr.indptr.tolist()), ((3, count), [0, 1, count + 1, count + 2]))
            self.assertEqual(csr.indices[1:-1].tolist(), list(range(count)))
            self.assertEqual(csr.data[1:-1].tolist(), [i % 7 for i in range(1, count + 1)])
        self.ok("convert", "long.npz", "-o", "long.rec")
        self.same("long.rec", "long.libsvm", "--slot-size", "4KiB")
        self.ok("convert", "long.rec", "--slot-size", "4KiB", "-o", "back.libsvm")
        self.assertEqual(self.read("back.libsvm"), self.read("long.libsvm"))

    def test_several_files_are_one_stream(self):
        lines = self.libsvm("agaricus.train.libsvm").read_text().splitlines(keepends=True)
        for part in range(3):
            self.write(f"s/{part}.libsvm", "".join(lines[part * 50 : part * 50 + 50]))
        self.write("all.libsvm", "".join(lines[:150]))
        self.ok("convert", "s", "-o", "s.rec")
        self.ok("convert", "all.libsvm", "-o", "all.rec")
        self.assertEqual(self.read("s.rec"), self.read("all.rec"))
        self.same("s", "all.rec")


class Dirty(SparseTest):
    GOOD = ["1 1:1 2:2", "0 2:5", "0 1:7"]
    BAD = ["0 1:x", "1 2:3 2:4", "1 9:1"]

    def test_good_records_stay_and_rejects_can_be_mended(self):
        lines = [line for pair in zip(self.GOOD, self.BAD) for line in pair]
        self.write("d.libsvm", "".join(line + "\n" for line in lines))
        self.write("good.libsvm", "".join(line + "\n" for line in self.GOOD))
        words = ("--num-features", "3", "--index-base", "1")
        self.ok("convert", "good.libsvm", *words, "-o", "good.rec")
        self.expect(1, "convert", "d.libsvm", *words, "-o", "d.rec")
        self.ok("convert", "d.libsvm", *words, "--on-error", "skip", "-o", "skip.rec")
        words += ("-j", "2", "--slot-size", "64")
        self.ok("convert", "d.libsvm", *words, "--on-error", "quarantine", "-o", "d.rec")
        for name in ("skip.rec", "d.rec"):
            self.assertEqual(self.read(name), self.read("good.rec"))
        self.assertEqual(self.read_text("_d.rec.rejects.libsvm").splitlines(), self.BAD)
        told = [json.loads(line) for line in self.read("_d.rec.rejects.jsonl").splitlines()]
        self.assertEqual([(each["record"], each["line"]) for each in told], [(2, 2), (4, 4), (6, 6)])
        mended = self.read_text("_d.rec.rejects.libsvm").replace("x", "1").replace("2:4", "3:4").replace("9:", "3:")
        self.write("mended.libsvm", mended)
        self.ok("convert", "mended.libsvm", *words, "-o", "mended.rec")
        self.assertEqual(len(list(frame_begins(self.read("mended.rec")))), 3)
        self.expect(1, "convert", "d.libsvm", *words, "--on-error", "skip", "--max-errors", "2", "-o", "x.rec")

    def test_damaged_records_are_kept_apart(self):
        pairs = [([(i % 10, i + 1)], [i % 2]) for i in range(20)]
        content = bytearray(recordio(*pairs))
        begins = list(frame_begins(content))
        bad = (3, 4, 11)
        for record in bad:
            content[begins[record] + 8] = 0xFF  # a tag of wire type 7
        self.write("bad.rec", bytes(content))
        self.write("good.rec", recordio(*(pair for i, pair in enumerate(pairs) if i not in bad)))
        self.expect(1, "convert", "bad.rec", "-o", "x.npz")
        for policy in ("skip", "quarantine"):
            for words in ((), ("-j", "2", "--slot-size", "64")):
                self.ok("convert", "bad.rec", "--on-error", policy, *words, "-f", "-o", "out.npz")
                self.same("good.rec", "out.npz")
        rejects = bytearray(self.read("_out.npz.rejects.rec"))
        begins = list(frame_begins(rejects))
        self.assertEqual(len(begins), len(bad))
        for at in begins:
            self.assertEqual(rejects[at + 8], 0xFF)
            rejects[at + 8] = 0x0A
        self.assertEqual(bytes(rejects), recordio(*(pairs[i] for i in bad)))
        self.write("mended.rec", bytes(rejects))
        self.ok("convert", "mended.rec", "-o", "mended.npz")


if __name__ == "__main__":
    main()
