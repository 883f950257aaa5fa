"""What the command-line tests share: running penstock, making input, and slow, obvious readers of what it wrote.

The program is named by PENSTOCK_BINARY (or PENSTOCK_BIN), or by the last argument of a test that is run by hand.
"""

import ast
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

SOURCE = Path(os.environ.get("PENSTOCK_SOURCE_DIR") or Path(__file__).resolve().parents[2])
SHARED = os.environ.get("PENSTOCK_SHARED_DATA") or SOURCE.parent / "shared" / "data"
CODES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q"}
SECONDS_MAX = 120  # a hang fails; nothing here takes more than a fraction of it


def find_binary():
    named = os.environ.get("PENSTOCK_BINARY") or os.environ.get("PENSTOCK_BIN")
    if not named and len(sys.argv) > 1 and os.access(sys.argv[-1], os.X_OK):
        named = sys.argv.pop()
    if not named:
        sys.exit("name the program: PENSTOCK_BINARY=build/release/penstock, or as the last argument")
    return str(Path(named).resolve())


PENSTOCK = find_binary()


class CliTest(unittest.TestCase):
    """Every test runs in a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_penstock(self, *words, stdin=b"", stdout=subprocess.PIPE):
        command = [PENSTOCK, *map(str, words)]
        result = subprocess.run(
            command, cwd=self.folder, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=SECONDS_MAX, check=False
        )
        result.err = result.stderr.decode("utf-8")
        return result

    def expect(self, status, *words, **options):
        result = self.run_penstock(*words, **options)
        self.assertEqual(result.returncode, status, f"penstock {' '.join(map(str, words))}\n{result.err}")
        for line in result.err.splitlines():
            self.assertNotRegex(line, r"terminate called|internal error|Sanitizer")
        return result

    def ok(self, *words, **options):
        return self.expect(0, *words, **options)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def read(self, name):
        return (self.folder / name).read_bytes()

    def names(self):
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir())

    def shared(self, name):
        path = Path(SHARED) / name
        if not SHARED or not path.is_file():
            self.skipTest(f"the shared data ({name}) is not here")
        return path


def gzipped(content):
    return gzip.compress(content.encode() if isinstance(content, str) else content)


def parse_npy(content):
    """(type, shape, flat list of numbers)"""
    assert content[:8] == b"\x93NUMPY\x01\x00", content[:8]
    (length,) = struct.unpack("<H", content[8:10])
    header = ast.literal_eval(content[10 : 10 + length].decode())
    assert not header["fortran_order"]
    count = 1
    for extent in header["shape"]:
        count *= extent
    data = content[10 + length :]
    values = struct.unpack(f"<{count}{CODES[header['descr']]}", data)
    return header["descr"], header["shape"], list(values)


def read_npz(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name.removesuffix(".npy"): parse_npy(archive.read(name)) for name in archive.namelist()}


def varint(content, at):
    value = shift = 0
    while True:
        value |= (content[at] & 0x7F) << shift
        shift += 7
        at += 1
        if content[at - 1] < 0x80:
            return value, at


def fields(content):
    """The fields of a protobuf message that are all length-delimited: (number, bytes)"""
    at = 0
    while at < len(content):
        tag, at = varint(content, at)
        assert tag & 7 == 2, tag
        size, at = varint(content, at)
        yield tag >> 3, content[at : at + size]
        at += size


def tensor_of(entry):
    """The numbers under the key "values" of one map entry: Value, then Tensor, then the packed list."""
    members = dict(fields(entry))
    assert members[1] == b"values"
    ((kind, tensor),) = fields(members[2])
    ((_, packed),) = fields(tensor)
    if kind == 7:
        values, at = [], 0
        while at < len(packed):
            value, at = varint(packed, at)
            values.append(value - (1 << 64) if value >= 1 << 63 else value)
        return values
    code, size = {2: ("f", 4), 3: ("d", 8)}[kind]
    return list(struct.unpack(f"<{len(packed) // size}{code}", packed))


def parse_recordio(content):
    """[(features, label), ...]"""
    records, at = [], 0
    while at < len(content):
        magic, size = struct.unpack("<II", content[at : at + 8])
        assert magic == 0xCED7230A, hex(magic)
        record = {1: [], 2: []}
        for number, entry in fields(content[at + 8 : at + 8 + size]):
            record[number] = tensor_of(entry)
        records.append((record[1], record[2]))
        at += 8 + (size + 3) // 4 * 4
    return records


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def main():
    sys.exit(unittest.main())
