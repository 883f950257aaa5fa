"""What the tests of sparse data share: reading and making libsvm, RecordIO and archives without penstock."""

import struct

import check_recordio  # skips where numpy or protobuf is not there
import numpy
from _cli import CliTest


def bits(array):
    """The bytes of all elements."""
    return numpy.ascontiguousarray(array).view("uint8").tobytes()


class Csr:
    """A CSR matrix and what stands beside it, as numpy reads them from an archive."""

    def __init__(self, path):
        with numpy.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        assert arrays["format"].item() == b"csr", arrays["format"]
        self.data, self.indices, self.indptr = arrays["data"], arrays["indices"], arrays["indptr"]
        self.shape = tuple(arrays["shape"].tolist())
        self.label, self.qid, self.weight = (arrays.get(name) for name in ("label", "qid", "weight"))

    def rows(self):
        for begin, end in zip(self.indptr[:-1].tolist(), self.indptr[1:].tolist()):
            yield list(zip(self.indices[begin:end].tolist(), self.data[begin:end].tolist()))


def parse_libsvm(text, base):
    """[(label, qid or None, [(column, text), ...])] of well-formed lines without comments."""
    records = []
    for line in text.splitlines():
        label, *words = line.split()
        qid = int(words.pop(0)[4:]) if words and words[0].startswith("qid:") else None
        pairs = [word.split(":") for word in words]
        records.append((label, qid, [(int(index) - base, value) for index, value in pairs]))
    return records


def protobuf_records(content):
    """(payload, message) of each record of a RecordIO file, by libprotobuf."""
    record_class = check_recordio.record_class()
    for _, payload in check_recordio.frames(content):
        record = record_class()
        record.ParseFromString(payload)
        yield payload, record


def tensor_in(entries):
    """(name of the kind, tensor) under the key "values"."""
    kind = entries["values"].WhichOneof("value")
    return kind, getattr(entries["values"], kind)


def recordio(*records):
    """Frames around records (features, label) or (features, label, uid, metadata). Features are (index, value) pairs of
    a shape of 10."""
    record_class = check_recordio.record_class()
    content = b""
    for pairs, label, *texts in records:
        record = record_class()
        tensor = record.features["values"].float32_tensor
        tensor.keys.extend(index for index, _ in pairs)
        tensor.values.extend(value for _, value in pairs)
        tensor.shape.append(10)
        record.label["values"].float32_tensor.values.extend(label)
        if texts:
            record.uid, record.metadata = (text.encode() for text in texts)
        payload = record.SerializeToString()
        content += struct.pack("<II", check_recordio.MAGIC, len(payload)) + payload + b"\0" * (-len(payload) % 4)
    return content


def frame_begins(content):
    at = 0
    while at < len(content):
        yield at
        (size,) = struct.unpack_from("<I", content, at + 4)
        at += 8 + (size + 3) // 4 * 4


class SparseTest(CliTest):
    def same(self, *words):
        """What `penstock diff` must find the same."""
        self.assertTrue(self.ok("diff", *words).stdout.startswith(b"same "), words)

    def libsvm(self, name):
        return self.shared(f"libsvm/{name}")

    def read_text(self, name):
        return self.read(name).decode()
