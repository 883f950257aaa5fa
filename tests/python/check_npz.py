#!/usr/bin/python3
"""Checks .npy and .npz files with NumPy, independently of penstock.

    check_npz.py FILE [--expect FILE2] [--shape NAME=RxC]... [--dtype NAME=TYPE]...

The arrays of a .npz go by their names; that of a .npy is called `features`. FILE must load without pickles,
every checksum of a .npz must hold, and every array must be row-major and little-endian.

  --expect FILE2      FILE2 (.npy or .npz) holds the same names, types, shapes and bits (a NaN equals only a
                      NaN of the same bits, and -0.0 is not 0.0)
  --shape NAME=RxC    the array has this shape: 150x4 for a matrix, 150 for a vector
  --dtype NAME=TYPE   the array has this type: float32, float64, int32, int64

Exit status: 0 if everything holds, 1 if something does not (each difference is a line on stderr), 2 if the
command line makes no sense.
"""

import argparse
import sys
import zipfile

import numpy


def load(path):
    """All arrays of a file by name. The arrays of a .npy are mapped, not read."""
    with open(path, "rb") as file:
        is_npy = file.read(6) == b"\x93NUMPY"
    if is_npy:
        return {"features": numpy.load(path, mmap_mode="r", allow_pickle=False)}
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"the checksum of {damaged} is wrong")
    with numpy.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def bits(array):
    """The array's elements as unsigned integers, flat."""
    flat = numpy.ascontiguousarray(array).reshape(-1)
    return flat.view(f"u{array.dtype.itemsize}")


def first_difference(found, expected):
    """What differs between two arrays, or None."""
    if found.dtype != expected.dtype:
        return f"type {found.dtype}, expected {expected.dtype}"
    if found.shape != expected.shape:
        return f"shape {found.shape}, expected {expected.shape}"
    found_bits, expected_bits = bits(found), bits(expected)
    step = 1 << 24  # elements compared at a time, so that the memory for the result stays small
    for begin in range(0, found_bits.size, step):
        part = slice(begin, begin + step)
        if not numpy.array_equal(found_bits[part], expected_bits[part]):
            at = begin + int(numpy.flatnonzero(found_bits[part] != expected_bits[part])[0])
            index = tuple(int(i) for i in numpy.unravel_index(at, found.shape))
            return (f"element {index} is {found[index]!r} (bits {int(found_bits[at]):x}), "
                    f"expected {expected[index]!r} (bits {int(expected_bits[at]):x})")
    return None


def layout_problems(arrays):
    for name, array in arrays.items():
        if not array.flags.c_contiguous:
            yield f"{name}: is not row-major"
        if array.dtype.byteorder == ">":
            yield f"{name}: is big-endian"


def comparison_problems(arrays, expected):
    if list(arrays) != list(expected):
        yield f"holds {', '.join(arrays)}; expected {', '.join(expected)}"
    for name in arrays:
        difference = first_difference(arrays[name], expected[name]) if name in expected else None
        if difference is not None:
            yield f"{name}: {difference}"


def claim_problems(arrays, claims, what, value_of):
    for name, value in claims:
        if name not in arrays:
            yield f"{name}: is not there"
        elif value_of(arrays[name]) != value:
            yield f"{name}: {what} {value_of(arrays[name])}, expected {value}"


def claim(text):
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def problems(options):
    arrays = load(options.file)
    yield from layout_problems(arrays)
    yield from claim_problems(arrays, options.shape, "shape", lambda a: "x".join(map(str, a.shape)))
    yield from claim_problems(arrays, options.dtype, "type", lambda a: str(a.dtype))
    if options.expect:
        yield from comparison_problems(arrays, load(options.expect))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--expect", metavar="FILE2")
    parser.add_argument("--shape", metavar="NAME=RxC", type=claim, action="append", default=[])
    parser.add_argument("--dtype", metavar="NAME=TYPE", type=claim, action="append", default=[])
    options = parser.parse_args()
    try:
        found = list(problems(options))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        found = [str(error)]
    for problem in found:
        print(f"{options.file}: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
