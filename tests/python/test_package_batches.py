#!/usr/bin/env python3
"""Batches of the package: mappings of dense, sparse and ragged tensors and texts, and what other libraries get of them."""

import ctypes
from collections.abc import Mapping

import numpy as np
from _package import PackageTest, collect, main, module_or_skip, penstock

RANKED = "0 qid:1 0:1 2:5\n1 qid:1 1:2\n0 qid:2 0:3 1:4 2:6\n"


class ArrowSchema(ctypes.Structure):
    pass


class ArrowArray(ctypes.Structure):
    pass


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowSchema))),
    ("private_data", ctypes.c_void_p),
]
ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowArray))),
    ("private_data", ctypes.c_void_p),
]


def in_capsule(capsule, kind, name):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return ctypes.cast(get(capsule, name), ctypes.POINTER(kind)).contents


def tree(schema):
    """(name, format, children)"""
    children = [tree(schema.children[i].contents) for i in range(schema.n_children)]
    return (schema.name.decode(), schema.format.decode(), *([children] if children else []))


class Batches(PackageTest):
    def first(self, name, content, **options):
        return next(iter(self.loader(self.write(name, content), **options)))

    def ranked(self):
        return self.first("ranked.libsvm", RANKED, index_base=0, num_features=3)

    def series(self):
        lines = [
            '{"start": "2020-01-01 00:00:00", "target": [1, 2, 3], "cat": [0], "dynamic_feat": [[1, 1, 1], [2, 2, 2]]}',
            '{"start": "2020-01-02 00:00:00", "target": [4, "NaN"], "cat": [1], "dynamic_feat": [[5, 6], [7, 8]]}',
        ]
        return self.first("series.deepar.jsonl", "\n".join(lines) + "\n")


class Mappings(Batches):
    def test_is_a_mapping(self):
        batch = next(iter(self.numbers()))
        self.assertIsInstance(batch, Mapping)
        self.assertIsInstance(batch, penstock.Batch)
        self.assertEqual((list(batch), len(batch), batch.names), (["features", "label"], 2, ("features", "label")))
        self.assertEqual(list(batch.keys()), ["features", "label"])
        self.assertEqual([name for name, _ in batch.items()], ["features", "label"])
        self.assertEqual(len(list(batch.values())), 2)
        self.assertIn("label", batch)
        self.assertNotIn("weight", batch)
        self.assertIsNone(batch.get("weight"))
        with self.assertRaisesRegex(KeyError, "weight.*features, label"):
            batch["weight"]
        with self.assertRaises(KeyError):
            batch[0]
        with self.assertRaises(TypeError):
            penstock.Batch()
        self.assertIn("features float32[10, 2]", repr(batch))

    def test_provenance(self):
        self.write("one.csv", "a,y\n1,0\n2,0\nx,0\n3,0\n")
        self.write("two.csv", "a,y\n4,0\n5,0\n")
        batches = list(self.loader(["one.csv", "two.csv"], label="y", batch_size=2, on_error="skip"))
        self.assertEqual([batch["features"].tolist() for batch in batches], [[[1], [2]], [[3], [4]], [[5]]])
        self.assertEqual([(batch.first_record, batch.last_record) for batch in batches], [(0, 1), (2, 3), (4, 4)])
        self.assertEqual([batch.file for batch in batches], ["one.csv", "one.csv", "two.csv"])
        self.assertEqual([(batch.epoch, batch.step, batch.rows, batch.valid_rows) for batch in batches][2], (0, 2, 1, 1))
        self.assertEqual(batches[2].rejected, 1)

    def test_roles(self):
        batch = self.first("roles.csv", "a,w,q,y,z\n1,2,7,0,5\n3,4,8,1,6\n", label=["y", "z"], weight="w", qid="q")
        self.assertEqual(batch["features"].tolist(), [[1], [3]])
        self.assertEqual(batch["label"].tolist(), [[0, 5], [1, 6]])
        self.assertEqual((batch["weight"].tolist(), batch["weight"].shape), ([2, 4], (2,)))
        self.assertEqual((batch["qid"].tolist(), batch["qid"].dtype), ([7, 8], "int64"))

    def test_padding(self):
        batches = list(self.numbers(5, batch_size=3, remainder="pad"))
        self.assertEqual([(batch.rows, batch.valid_rows) for batch in batches], [(3, 3), (3, 2)])
        self.assertEqual((batches[1].valid.tolist(), batches[1].valid.dtype), ([True, True, False], "bool"))
        self.assertEqual(batches[1].valid.numpy().dtype, np.bool_)
        self.assertEqual(batches[1]["features"].tolist()[2], [4, 1])

    def test_copies(self):
        loader = self.numbers(20, batch_size=10)
        batch = next(iter(loader))
        copied = batch.copy()
        features = batch["features"].tolist()
        self.assertNotEqual(copied["features"].data_ptr, batch["features"].data_ptr)
        self.assertEqual((copied.step, copied.last_record, copied.names), (0, 9, batch.names))
        del batch
        self.assertEqual(loader.metrics().held_bytes, 0)
        self.assertEqual(copied["features"].tolist(), features)
        for batch in (self.ranked(), self.series()):
            copied = batch.copy()
            for name, part in batch.to_numpy().items():
                np.testing.assert_equal(copied.to_numpy()[name], part)


class Sparse(Batches):
    def test_csr(self):
        batch = self.ranked()
        features = batch["features"]
        self.assertIsInstance(features, penstock.CsrTensor)
        self.assertEqual((features.shape, features.dtype, features.nnz, len(features)), ((3, 3), "float32", 6, 3))
        self.assertEqual((features.indptr.tolist(), features.indptr.dtype), ([0, 2, 3, 6], "int64"))
        self.assertEqual((features.indices.tolist(), features.data.tolist()), ([0, 2, 1, 0, 1, 2], [1, 5, 2, 3, 4, 6]))
        self.assertEqual((batch["qid"].tolist(), batch["label"].tolist()), ([1, 1, 2], [0, 1, 0]))

    def test_scipy_shares_the_memory(self):
        batch = self.ranked()
        matrix = batch["features"].to_scipy()
        self.assertEqual(matrix.toarray().tolist(), [[1, 0, 5], [0, 2, 0], [3, 4, 6]])
        self.assertEqual(matrix.data.ctypes.data, batch["features"].data.data_ptr)
        self.assertEqual(matrix.indices.ctypes.data, batch["features"].indices.data_ptr)
        self.assertEqual(batch.to_scipy()["features"].shape, (3, 3))
        data, indices, indptr = batch.to_numpy()["features"]
        self.assertEqual((len(data), len(indices), len(indptr)), (6, 6, 4))

    def test_rows_in_the_middle_begin_at_zero(self):
        batches = list(self.pairs(10, batch_size=4))
        self.assertEqual([batch["features"].indptr.tolist()[0] for batch in batches], [0, 0, 0])
        dense = np.concatenate([batch["features"].to_scipy().toarray() for batch in batches])
        self.assertEqual(dense[:, 0].tolist(), list(range(10)))
        self.assertEqual([row.nonzero()[0].tolist()[-1] for row in dense], [i % 5 + 1 for i in range(10)])

    def test_ragged_labels(self):
        batch = self.first("multi.libsvm", "1,5 0:1\n3 1:2\n9,8,7 2:3\n", index_base=0, num_features=3, multilabel=True)
        self.assertIsInstance(batch["label"], penstock.RaggedTensor)
        self.assertEqual(batch["label"].to_list(), [[1, 5], [3], [9, 8, 7]])
        self.assertEqual((batch["label"].rows, len(batch["label"]), batch["label"].parts), (3, 3, 1))


class Lists(Batches):
    def test_time_series(self):
        batch = self.series()
        self.assertEqual(batch["start"].tolist(), [1577836800, 1577923200])
        self.assertEqual((batch["cat"].tolist(), batch["cat"].dtype), ([[0], [1]], "int32"))
        target = batch["target"]
        self.assertEqual(target.to_list()[0], [1, 2, 3])
        self.assertTrue(np.isnan(target.to_list()[1][1]))
        self.assertEqual(batch["dynamic_feat"].to_list(), [[[1, 1, 1], [2, 2, 2]], [[5, 6], [7, 8]]])
        self.assertEqual(batch["dynamic_feat"].parts, 2)

    def test_token_lists(self):
        lines = '{"label": 1, "in0": [1, 2], "in1": [3]}\n{"label": 0, "in0": [4], "in1": [5, 6, 7]}\n'
        batch = self.first("pairs.object2vec.jsonl", lines)
        self.assertEqual(batch["in0"].to_list(), [[1, 2], [4]])
        self.assertEqual(batch["in1"].to_list(), [[3], [5, 6, 7]])


class Arrow(Batches):
    def exported(self, batch):
        schema, array = batch.__arrow_c_array__()
        return schema, array, in_capsule(schema, ArrowSchema, b"arrow_schema"), in_capsule(array, ArrowArray, b"arrow_array")

    def test_dense(self):
        batch = next(iter(self.numbers(4)))
        _schema, _array, schema, array = self.exported(batch)
        expected = ("", "+s", [("features", "+w:2", [("item", "f")]), ("label", "f")])
        self.assertEqual(tree(schema), expected)
        alone = batch.__arrow_c_schema__()
        self.assertEqual(tree(in_capsule(alone, ArrowSchema, b"arrow_schema")), expected)
        self.assertEqual((array.length, array.n_children, array.n_buffers), (4, 2, 1))
        values = array.children[0].contents.children[0].contents
        self.assertEqual((values.length, values.null_count, values.buffers[1]), (8, 0, batch["features"].data_ptr))
        self.assertEqual(array.children[1].contents.buffers[1], batch["label"].data_ptr)

    def test_sparse_and_lists(self):
        batch = self.ranked()
        _schema, _array, schema, array = self.exported(batch)
        lists = [("feature_indices", "+L", [("item", "l")]), ("feature_values", "+L", [("item", "f")])]
        self.assertEqual(tree(schema)[2][:2], lists)
        indices = array.children[0].contents
        self.assertEqual(indices.buffers[1], batch["features"].indptr.data_ptr)
        self.assertEqual(indices.children[0].contents.buffers[1], batch["features"].indices.data_ptr)
        series = self.series().__arrow_c_schema__()
        self.assertIn(("target", "+L", [("item", "f")]), tree(in_capsule(series, ArrowSchema, b"arrow_schema"))[2])

    def test_memory_is_held_until_it_is_released(self):
        loader = self.numbers(20, batch_size=10)
        schema, capsule, _, array = self.exported(next(iter(loader)))
        collect()
        self.assertGreater(loader.metrics().held_bytes, 0)
        del schema, capsule
        self.assertEqual(loader.metrics().held_bytes, 0)
        # A consumer that moves the struct out of the capsule releases it later, a child even later.
        _, capsule, _, array = self.exported(next(iter(loader)))
        moved = ArrowArray.from_buffer_copy(array)
        array.release = ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowArray))()
        child = ArrowArray.from_buffer_copy(moved.children[0].contents)
        moved.children[0].contents.release = ctypes.CFUNCTYPE(None, ctypes.POINTER(ArrowArray))()
        del capsule, _
        moved.release(ctypes.byref(moved))
        self.assertFalse(moved.release)
        self.assertGreater(loader.metrics().held_bytes, 0)
        child.release(ctypes.byref(child))
        self.assertEqual(loader.metrics().held_bytes, 0)

    def test_pyarrow(self):
        pyarrow = module_or_skip(self, "pyarrow")
        batch = self.ranked().to_arrow()
        batch.validate(full=True)
        self.assertIsInstance(batch, pyarrow.RecordBatch)
        row = {"feature_indices": [0, 2], "feature_values": [1, 5], "label": 0, "qid": 1}
        self.assertEqual(batch.to_pylist()[0], row)


if __name__ == "__main__":
    main()
