#!/usr/bin/env python3
"""Tensors of the package: memory without copies, how long it lives, and the protocols that hand it over."""

import ctypes
import struct

import numpy as np
from _package import PackageTest, collect, csv, main, on_another_thread, penstock


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class Legacy(ctypes.Structure):
    _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p), ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p))]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", ctypes.CFUNCTYPE(None, ctypes.c_void_p)),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


IS_COPIED = 2
get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
set_name = ctypes.pythonapi.PyCapsule_SetName
set_name.restype, set_name.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]


def struct_of(capsule, kind, name):
    return ctypes.cast(get_pointer(capsule, name), ctypes.POINTER(kind)).contents


class Held(PackageTest):
    """Memory that is held shows in the loader's metrics."""

    def setUp(self):
        super().setUp()
        self.source = self.numbers(100, batch_size=10)
        self.batches = iter(self.source)

    def batch(self):
        return next(self.batches)

    def features(self):
        return self.batch()["features"]

    def held(self):
        return self.source.metrics().held_bytes


class Attributes(Held):
    def test_shapes_types_and_addresses(self):
        batch = self.batch()
        features, label = batch["features"], batch["label"]
        self.assertEqual((features.shape, features.dtype, features.device), ((10, 2), "float32", "cpu"))
        self.assertEqual((features.ndim, features.size, features.nbytes, len(features)), (2, 20, 80, 10))
        self.assertEqual((label.shape, label.ndim, label.nbytes, len(label)), ((10,), 1, 40, 10))
        self.assertEqual(label.tolist(), [0, 1] * 5)
        self.assertEqual(features.tolist()[3], [3, 0.75])
        self.assertIs(batch["features"], features)
        self.assertEqual(repr(features), "<penstock.Tensor (10, 2) float32 on cpu>")
        self.assertFalse(hasattr(features, "__cuda_array_interface__"))
        with self.assertRaises(TypeError):
            penstock.Tensor()

    def test_arrays_of_numpy_share_the_memory(self):
        features = self.features()
        for array in (features.numpy(), np.asarray(features), np.from_dlpack(features), np.asarray(memoryview(features))):
            self.assertEqual(array.ctypes.data, features.data_ptr)
            self.assertEqual((array.dtype, array.shape), (np.float32, (10, 2)))
        features.numpy()[0, 1] = 7
        self.assertEqual(features.tolist()[0], [0, 7])

    def test_array_protocol(self):
        features = self.features()
        self.assertEqual(np.asarray(features, dtype="f8").dtype, np.float64)
        self.assertNotEqual(np.array(features).ctypes.data, features.data_ptr)
        self.assertEqual(features.__array__().ctypes.data, features.data_ptr)
        self.assertNotEqual(features.__array__(copy=True).ctypes.data, features.data_ptr)
        with self.assertRaises(ValueError):
            features.__array__("f8", copy=False)

    def test_copy(self):
        features = self.features()
        copied = features.copy()
        self.assertEqual(copied.tolist(), features.tolist())
        self.assertNotEqual(copied.data_ptr, features.data_ptr)
        self.assertEqual(copied.data_ptr % 64, 0)
        del features
        self.assertEqual(self.held(), 0)


class Buffers(Held):
    def test_formats(self):
        for dtype, code, size in (("float32", "f", 4), ("float64", "d", 8), ("int32", "i", 4), ("int64", "l", 8)):
            with self.subTest(dtype):
                path = self.write(f"{dtype}.csv", "a,b\n1,2\n3,4\n")
                batch = next(iter(self.loader(path, dtype=dtype, header=True)))
                view = memoryview(batch["features"])
                self.assertEqual((view.format, view.itemsize, view.shape), (code, size, (2, 2)))
                self.assertEqual((view.strides, view.c_contiguous, view.readonly), ((2 * size, size), True, False))
                self.assertEqual(view.tolist(), [[1, 2], [3, 4]])
                self.assertEqual(batch["features"].numpy().dtype, np.dtype(dtype))

    def test_plain_bytes(self):
        features = self.features()
        self.assertEqual(struct.unpack("<20f", bytes(features))[2:4], (1, 0.25))
        self.assertEqual(memoryview(features).cast("B").nbytes, 80)

    def test_views_hold_the_memory(self):
        view = memoryview(self.features())
        self.assertGreater(self.held(), 0)
        self.assertEqual(view.tolist()[9], [9, 2.25])
        view.release()
        del view
        self.assertEqual(self.held(), 0)


class Dlpack(Held):
    def check_tensor(self, tensor, features, copied=False):
        (self.assertNotEqual if copied else self.assertEqual)(tensor.data, features.data_ptr)
        self.assertEqual((tensor.device_type, tensor.device_id, tensor.ndim), (1, 0, 2))
        self.assertEqual((tensor.code, tensor.bits, tensor.lanes, tensor.byte_offset), (2, 32, 1, 0))
        self.assertEqual((tensor.shape[:2], tensor.strides[:2]), ([10, 2], [2, 1]))
        values = ctypes.cast(tensor.data, ctypes.POINTER(ctypes.c_float))
        self.assertEqual(values[2:4], [1, 0.25])

    def test_legacy_struct(self):
        features = self.features()
        self.assertEqual(features.__dlpack_device__(), (1, 0))
        for options in ({}, {"max_version": None}, {"max_version": (0, 8)}, {"stream": None, "dl_device": (1, 0)}):
            capsule = features.__dlpack__(**options)
            self.check_tensor(struct_of(capsule, Legacy, b"dltensor").tensor, features)

    def test_versioned_struct(self):
        features = self.features()
        for version in ((1, 0), (1, 1), (2, 0)):
            managed = struct_of(capsule := features.__dlpack__(max_version=version), Versioned, b"dltensor_versioned")
            self.assertEqual((managed.major, managed.flags), (1, 0))
            self.check_tensor(managed.tensor, features)
            del capsule

    def test_copies(self):
        features = self.features()
        capsule = features.__dlpack__(copy=True, max_version=(1, 0))
        managed = struct_of(capsule, Versioned, b"dltensor_versioned")
        self.assertEqual(managed.flags, IS_COPIED)
        self.check_tensor(managed.tensor, features, copied=True)
        legacy = features.__dlpack__(copy=True)
        self.check_tensor(struct_of(legacy, Legacy, b"dltensor").tensor, features, copied=True)
        shared = features.__dlpack__(copy=False)
        self.check_tensor(struct_of(shared, Legacy, b"dltensor").tensor, features)

    def test_what_cannot_be_served(self):
        features = self.features()
        for options in ({"dl_device": (2, 0)}, {"dl_device": (1, 1)}, {"stream": 1}, {"stream": -1}, {"stream": 0}):
            with self.subTest(options), self.assertRaises(BufferError):
                features.__dlpack__(**options)
        with self.assertRaisesRegex(BufferError, 'device="cuda"'):
            features.__dlpack__(dl_device=(2, 0))
        for options in ({"max_version": 1}, {"dl_device": "cpu"}, {"max_version": ("1", 0)}, {"other": 1}):
            with self.subTest(options), self.assertRaises((TypeError, ValueError)):
                features.__dlpack__(**options)
        with self.assertRaises(TypeError):
            features.__dlpack__(1)

    def test_a_capsule_that_nobody_takes(self):
        for version in (None, (1, 0)):
            capsule = self.features().__dlpack__(max_version=version)
            self.assertGreater(self.held(), 0)
            del capsule
            self.assertEqual(self.held(), 0)

    def test_a_capsule_that_is_dropped_on_another_thread(self):
        capsules = [self.features().__dlpack__(), self.features().__dlpack__(max_version=(1, 0))]
        on_another_thread(capsules.clear)
        self.assertEqual(self.held(), 0)

    def test_a_taken_tensor_is_deleted_without_the_gil(self):
        for kind, name, version in ((Legacy, b"dltensor", None), (Versioned, b"dltensor_versioned", (1, 0))):
            capsule = self.features().__dlpack__(max_version=version)
            managed = struct_of(capsule, kind, name)
            used = b"used_" + name
            set_name(capsule, used)
            del capsule  # it was taken, so this deletes nothing
            self.assertGreater(self.held(), 0)
            self.assertEqual(managed.tensor.shape[:2], [10, 2])
            # ctypes lets go of the GIL around the call.
            on_another_thread(lambda managed=managed: managed.deleter(ctypes.addressof(managed)))
            self.assertEqual(self.held(), 0)


class Lifetime(Held):
    def test_tensors_outlive_batch_and_loader(self):
        loader = self.loader(self.write("more.csv", csv(2000)), label="y", batch_size=500)
        batches = list(loader)
        arrays = [np.from_dlpack(batch["features"]) for batch in batches]
        labels = [batch["label"] for batch in batches]
        loader.close()
        del loader, batches
        collect()
        scratch = [np.full(1000, 3.0, dtype=np.float32) for _ in range(50)]  # would take memory that was given back
        joined = np.concatenate(arrays)
        self.assertTrue((joined[:, 0] == np.arange(2000)).all())
        self.assertTrue((joined[:, 1] == np.arange(2000) / 4).all())
        self.assertEqual([value for label in labels for value in label.tolist()], [0, 1] * 1000)
        del scratch

    def test_only_what_is_kept_is_held(self):
        batch = self.batch()
        self.assertGreater(self.held(), 0)
        label = batch["label"]
        del batch
        collect()
        self.assertGreater(self.held(), 0)
        del label
        self.assertEqual(self.held(), 0)

    def test_a_batch_ends_on_another_thread(self):
        kept = [self.batch(), self.features().numpy()]
        on_another_thread(kept.clear)
        self.assertEqual(self.held(), 0)

    def test_tensors_that_are_left_when_the_interpreter_ends(self):
        source = """if True:
            import sys, penstock, numpy
            loader = penstock.Loader(sys.argv[1], label="y", device="cpu", index="none", batch_size=10)
            kept = [batch["features"] for batch in loader]
            arrays = [numpy.from_dlpack(tensor) for tensor in kept]
            capsules = [tensor.__dlpack__(max_version=(1, 0)) for tensor in kept]
            loop = [loader]; loop.append(loop); iterator = iter(loader); next(iterator); numpy.kept = arrays
            print("end")
        """
        run = self.run_python(source, self.write("left.csv", csv(100)))
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "end\n", ""))


if __name__ == "__main__":
    main()
