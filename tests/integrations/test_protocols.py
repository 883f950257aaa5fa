#!/usr/bin/env python3
"""Tensors and batches, handed to the newest releases of those who take them: without a copy, and alive."""

import gc
import tempfile
import unittest
from pathlib import Path

import penstock

ROWS = 64


def needs(test, name):
    try:
        return __import__(name, fromlist=["_"])
    except ImportError as reason:
        print(f"SKIPPED: {test.id()}: {reason}")
        return test.skipTest(str(reason))


class Protocols(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "in.csv")
        self.path.write_text("a,b,y\n" + "".join(f"{i},{i / 4},{i % 2}\n" for i in range(ROWS)))
        self.sparse = Path(folder.name, "in.libsvm")
        self.sparse.write_text("".join(f"{i % 2} 0:{i} {i % 5 + 1}:1.5\n" for i in range(ROWS)))

    def batch(self, **options):
        loader = penstock.Loader(self.path, label="y", device="cpu", index="none", batch_size=ROWS, **options)
        return next(iter(loader))

    def sparse_batch(self):
        return next(iter(penstock.Loader(self.sparse, index_base=0, num_features=6, index="none", device="cpu")))

    def check(self, array, pointer, batch):
        """The consumer's array has the batch's memory, and still has its values when the batch is gone."""
        self.assertEqual(pointer, batch["features"].data_ptr)
        del batch
        gc.collect()
        self.assertEqual([list(map(float, row)) for row in array.tolist()], [[i, i / 4] for i in range(ROWS)])

    def test_numpy(self):
        numpy = needs(self, "numpy")
        batch = self.batch()
        array = numpy.from_dlpack(batch["features"])
        self.check(array, array.ctypes.data, batch)
        if numpy.lib.NumpyVersion(numpy.__version__) >= "2.1.0":
            features = self.batch()["features"]
            self.assertNotEqual(numpy.from_dlpack(features, copy=True).ctypes.data, features.data_ptr)
            self.assertTrue(numpy.from_dlpack(features).flags.writeable)
            self.assertEqual(numpy.asarray(features, copy=False).ctypes.data, features.data_ptr)

    def test_torch(self):
        torch = needs(self, "torch")
        batch = self.batch()
        tensor = torch.from_dlpack(batch["features"])
        self.check(tensor, tensor.data_ptr(), batch)

    def test_torch_of_a_sparse_batch(self):
        needs(self, "torch")
        batch = self.sparse_batch()
        matrix = batch.to_torch()["features"]
        self.assertEqual(matrix.values().data_ptr(), batch["features"].data.data_ptr)
        self.assertEqual(matrix.crow_indices().data_ptr(), batch["features"].indptr.data_ptr)
        self.assertEqual(matrix.to_dense()[:, 0].tolist(), list(range(ROWS)))

    def test_jax(self):
        jax = needs(self, "jax")
        array = jax.dlpack.from_dlpack(self.batch()["features"])  # it copies what is not aligned as it wants it
        self.assertEqual(array.tolist()[5], [5, 1.25])

    def test_cupy(self):
        cupy = needs(self, "cupy")
        with self.assertRaises(Exception):
            cupy.from_dlpack(self.batch(device="cpu")["features"])

    def test_pyarrow(self):
        pyarrow = needs(self, "pyarrow")
        batch = self.batch()
        record_batch = batch.to_arrow()
        record_batch.validate(full=True)
        values = record_batch.column("features").flatten()
        self.assertEqual(values.buffers()[1].address, batch["features"].data_ptr)
        del batch
        gc.collect()
        self.assertEqual(record_batch.to_pylist()[3], {"features": [3, 0.75], "label": 1})
        self.assertEqual(pyarrow.table(self.sparse_batch()).to_pylist()[2]["feature_indices"], [0, 3])
        self.assertEqual(pyarrow.schema(self.sparse_batch()).names[:2], ["feature_indices", "feature_values"])

    def test_nanoarrow(self):
        nanoarrow = needs(self, "nanoarrow")
        self.assertEqual(nanoarrow.Array(self.batch()).to_pylist()[3], {"features": [3, 0.75], "label": 1})


if __name__ == "__main__":
    unittest.main()
