#!/usr/bin/python3
"""Compares a RecordIO-protobuf file with the values it should hold, by two readers that share no code
with penstock or with each other: one written by hand over `struct`, and libprotobuf.

    check_recordio.py FILE.rec EXPECTED.npz
    check_recordio.py FILE.rec EXPECTED.csv [--labels N] [--dtype float32] [--delimiter ,] [--header]
    check_recordio.py --self-test

EXPECTED.npz holds `features` (2-D) and, if rows are labelled, `label` (1-D or 2-D), in the element types of
the records; other arrays (weight, qid) are passed over, because a Record carries neither. EXPECTED.csv has
its N label columns first (default 1); empty cells are NaN.

Values are compared as bits. The bytes of every record are compared with libprotobuf's own serialization too.
Prints OK and exits 0, or prints the first difference and exits 1; exits 77 (skipped) without numpy or
protobuf, and 2 on wrong arguments.
"""

import argparse
import contextlib
import csv
import fractions
import os
import struct
import sys

SKIPPED = 77

try:
    import numpy
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-numpy, python3-protobuf)")
    sys.exit(SKIPPED)

MAGIC = 0xCED7230A
KEY = "values"
# Member of Value: field number, message name, member name, element type, and numpy's name of it.
TENSORS = (
    (2, "Float32Tensor", "float32_tensor", "TYPE_FLOAT", "float32"),
    (3, "Float64Tensor", "float64_tensor", "TYPE_DOUBLE", "float64"),
    (7, "Int32Tensor", "int32_tensor", "TYPE_INT32", "int32"),
)


class Difference(Exception):
    """The file is not what it should be; the text says where and how."""


# ---------------------------------------------------------------------------------------------------
# Frames


def frames(data):
    """Yields (offset, payload) of every frame; only unsplit frames with zero padding are right."""
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise Difference(f"byte {at}: {len(data) - at} bytes left, which is no frame header")
        magic, word = struct.unpack_from("<II", data, at)
        if magic != MAGIC:
            raise Difference(f"byte {at}: {magic:#010x} instead of the magic number")
        if word >> 29:
            raise Difference(f"byte {at}: flag {word >> 29}, but a whole record was expected")
        end = at + 8 + word
        padded = (end + 3) // 4 * 4
        if padded > len(data):
            raise Difference(f"byte {at}: the frame ends {padded - len(data)} bytes after the file")
        if any(data[end:padded]):
            raise Difference(f"byte {end}: padding is not zero")
        yield at, data[at + 8 : end]
        at = padded


# ---------------------------------------------------------------------------------------------------
# Reader 1: by hand. It knows canonical dense records only, and refuses everything else.


class HandReader:
    name = "hand-written reader"

    def read(self, payload):
        """{"features": (dtype, raw little-endian bytes), "label": ...} of one payload."""
        self.data, self.at = payload, 0
        record = {}
        for tag, role in ((0x0A, "features"), (0x12, "label")):
            if self.at < len(payload) and payload[self.at] == tag:
                record[role] = self.entry(tag, role)
        if self.at != len(payload):
            raise Difference(f"payload byte {self.at}: {len(payload) - self.at} bytes after the record")
        return record

    def entry(self, tag, role):
        entry_end = self.open(tag, role + " entry")
        key_end = self.open(0x0A, "key")
        key, self.at = self.data[self.at : key_end], key_end
        if key != KEY.encode():
            raise Difference(f"payload byte {self.at}: key {key!r}")
        value_end = self.open(0x12, "value")
        number = self.data[self.at] >> 3
        kinds = {tensor[0]: tensor[4] for tensor in TENSORS}
        if number not in kinds:
            raise Difference(f"payload byte {self.at}: Value has member {number}")
        tensor_end = self.open(number << 3 | 2, "tensor")
        values_end = self.open(0x0A, "values")
        if len({entry_end, value_end, tensor_end, values_end}) != 1:
            raise Difference(f"payload byte {self.at}: the lengths around the {role} do not agree")
        return kinds[number], self.values(kinds[number], tensor_end)

    def open(self, tag, what):
        """Steps into a field of a length; returns its end."""
        if self.at >= len(self.data) or self.data[self.at] != tag:
            raise Difference(f"payload byte {self.at}: no {what} here")
        self.at += 1
        size = self.varint()
        if self.at + size > len(self.data):
            raise Difference(f"payload byte {self.at}: {what} of {size} bytes is longer than the payload")
        return self.at + size

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def values(self, kind, end):
        if kind != "int32":
            raw, self.at = self.data[self.at : end], end
            return raw
        values = []
        while self.at < end:
            value = self.varint()
            values.append(value - (1 << 64) if value >> 63 else value)
        return struct.pack(f"<{len(values)}i", *values)


# ---------------------------------------------------------------------------------------------------
# Reader 2: libprotobuf, over the schema as a descriptor that is built here.


def add_field(message, name, number, kind, type_name=None, repeated=False):
    proto = descriptor_pb2.FieldDescriptorProto
    field = message.field.add(name=name, number=number, type=getattr(proto, kind))
    field.label = proto.LABEL_REPEATED if repeated else proto.LABEL_OPTIONAL
    if type_name:
        field.type_name = type_name
    elif repeated and kind not in ("TYPE_BYTES", "TYPE_STRING"):
        field.options.packed = True
    return field


def record_class():
    """The message class of aialgs.data.Record."""
    file = descriptor_pb2.FileDescriptorProto(name="check_record.proto", package="aialgs.data", syntax="proto2")
    for _, name, _, kind, _ in TENSORS:
        tensor = file.message_type.add(name=name)
        add_field(tensor, "values", 1, kind, repeated=True)
        add_field(tensor, "keys", 2, "TYPE_UINT64", repeated=True)
        add_field(tensor, "shape", 3, "TYPE_UINT64", repeated=True)
    blob = file.message_type.add(name="Bytes")
    add_field(blob, "value", 1, "TYPE_BYTES", repeated=True)
    add_field(blob, "content_type", 2, "TYPE_STRING")
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for number, name, member, _, _ in TENSORS + ((9, "Bytes", "bytes", None, None),):
        add_field(value, member, number, "TYPE_MESSAGE", f".aialgs.data.{name}").oneof_index = 0
    record = file.message_type.add(name="Record")
    for number, name in ((1, "features"), (2, "label")):
        entry = record.nested_type.add(name=name.capitalize() + "Entry")
        entry.options.map_entry = True
        add_field(entry, "key", 1, "TYPE_STRING")
        add_field(entry, "value", 2, "TYPE_MESSAGE", ".aialgs.data.Value")
        add_field(record, name, number, "TYPE_MESSAGE", f".aialgs.data.Record.{entry.name}", repeated=True)
    for number, name in ((3, "uid"), (4, "metadata"), (5, "configuration")):
        # Strings in the schema; the same on the wire, but not checked for being UTF-8, which prints to stderr.
        add_field(record, name, number, "TYPE_BYTES")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("aialgs.data.Record")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


class ProtobufReader:
    name = "libprotobuf"

    def __init__(self):
        self.record_class = record_class()

    def read(self, payload):
        record = self.record_class()
        try:
            record.ParseFromString(payload)
        except Exception as error:  # the class differs between implementations
            raise Difference(f"cannot parse: {error}") from error
        if record.SerializeToString(deterministic=True) != payload:
            raise Difference("the bytes are not those that libprotobuf writes for the same content")
        roles = (("features", record.features), ("label", record.label))
        return {role: self.tensor(entries) for role, entries in roles if len(entries)}

    def tensor(self, entries):
        if list(entries) != [KEY]:
            raise Difference(f"keys {sorted(entries)} instead of [{KEY!r}]")
        member = entries[KEY].WhichOneof("value")
        kinds = {tensor[2]: tensor[4] for tensor in TENSORS}
        if member not in kinds:
            raise Difference(f"Value holds {member}")
        tensor = getattr(entries[KEY], member)
        if len(tensor.keys) or len(tensor.shape):
            raise Difference("a dense tensor without shape was expected, this one has keys or a shape")
        letter = {"float32": "f", "float64": "d", "int32": "i"}[kinds[member]]
        return kinds[member], struct.pack(f"<{len(tensor.values)}{letter}", *tensor.values)


# ---------------------------------------------------------------------------------------------------
# Expected values


def float32_of(text):
    """The float32 nearest to a decimal text. Rounding twice, by way of float64, can miss it where the
    float64 lies half-way between two float32; there the exact value decides."""
    wide = float(text)
    narrow = numpy.float32(wide)
    if not numpy.isfinite(wide) or struct.unpack("<Q", struct.pack("<d", wide))[0] & 0x1FFFFFFF != 0x10000000:
        return narrow
    exact = fractions.Fraction(text)
    toward = numpy.inf if exact > fractions.Fraction(wide) else -numpy.inf
    if exact == fractions.Fraction(wide):
        return narrow
    up_or_down = numpy.nextafter(narrow, numpy.float32(toward))
    nearest = min((narrow, up_or_down), key=lambda f: abs(fractions.Fraction(float(f)) - exact))
    return nearest


def read_csv(path, options):
    """{"features": array, "label": array} of a CSV file; labels are float32."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.reader(file, delimiter=options.delimiter) if row]
    rows = rows[1:] if options.header else rows

    def parse(text, dtype):
        if dtype == "int32":
            return int(text)
        text = text.strip() or "nan"
        return float32_of(text) if dtype == "float32" else float(text)

    def array(cells, dtype):
        return numpy.array([[parse(text, dtype) for text in row] for row in cells], dtype=dtype)

    expected = {"features": array([row[options.labels :] for row in rows], options.dtype)}
    if options.labels:
        expected["label"] = array([row[: options.labels] for row in rows], "float32")
    return expected


def read_expected(path, options):
    if path.endswith(".csv"):
        return read_csv(path, options)
    with numpy.load(path) as arrays:
        expected = {role: arrays[role] for role in ("features", "label") if role in arrays.files}
    return {role: a.reshape(len(a), -1) for role, a in expected.items()}


# ---------------------------------------------------------------------------------------------------
# Comparison


def show(dtype, raw):
    return f"{dtype} {numpy.frombuffer(raw, dtype='<' + numpy.dtype(dtype).str[1:])[0]!r} ({raw.hex(' ')})"


def compare_tensor(role, found, array, row):
    """Raises Difference with the first column whose bits differ."""
    wanted = array[row].astype(array.dtype.newbyteorder("<")).tobytes()
    if found is None:
        raise Difference(f"no {role}, but {array.shape[1]} columns were expected")
    dtype, raw = found
    if dtype != array.dtype.name:
        raise Difference(f"{role} are {dtype} instead of {array.dtype.name}")
    size = array.dtype.itemsize
    if len(raw) != len(wanted):
        raise Difference(f"{len(raw) // size} values in {role} instead of {array.shape[1]}")
    for at in range(0, len(raw), size):
        if raw[at : at + size] != wanted[at : at + size]:
            left, right = show(dtype, raw[at : at + size]), show(dtype, wanted[at : at + size])
            raise Difference(f"{role} column {at // size}: {left} instead of {right}")


def compare(data, expected, readers):
    """Compares a file's bytes with {"features": 2-D array, "label": 2-D array}; returns the records."""
    expected = {role: array for role, array in expected.items() if array.shape[1]}
    rows = max((len(array) for array in expected.values()), default=0)
    count = 0
    for row, (offset, payload) in enumerate(frames(data)):
        if row >= rows:
            raise Difference(f"byte {offset}: record {row}, but {rows} were expected")
        for reader in readers:
            try:
                record = reader.read(payload)
                for role in record.keys() - expected.keys():
                    raise Difference(f"there are {role}, but none were expected")
                for role, array in expected.items():
                    compare_tensor(role, record.get(role), array, row)
            except (Difference, IndexError) as error:
                raise Difference(f"record {row} at byte {offset} ({reader.name}): {error}") from error
        count += 1
    if count != rows:
        raise Difference(f"{count} records instead of {rows}")
    return count


# ---------------------------------------------------------------------------------------------------
# Self-test: records whose bytes are known, built with libprotobuf and read with both readers

NAN = float("nan")
INFINITY = float("inf")
# (features type, features, label type, label, frame)
WORKED = (
    ("float32", [1.0, 2.0, -0.5], "float32", [1.0],
     "0a23d7ce30000000 0a1a 0a0676616c756573 1210 120e 0a0c 0000803f 00000040 000000bf"
     "1212 0a0676616c756573 1208 1206 0a04 0000803f"),
    ("float32", [1.5], None, None, "0a23d7ce14000000 0a12 0a0676616c756573 1208 1206 0a04 0000c03f"),
    ("float64", [0.1], "float64", [2.0],
     "0a23d7ce30000000 0a16 0a0676616c756573 120c 1a0a 0a08 9a9999999999b93f"
     "1216 0a0676616c756573 120c 1a0a 0a08 0000000000000040"),
    ("int32", [-1, 300], "int32", [5],
     "0a23d7ce2d000000 0a1a 0a0676616c756573 1210 3a0e 0a0c ffffffffffffffffff01 ac02"
     "120f 0a0676616c756573 1205 3a03 0a01 05 000000"),
    ("float32", [1.0, 0.0], "float32", [0.0, 2.0],
     "0a23d7ce30000000 0a16 0a0676616c756573 120c 120a 0a08 0000803f 00000000"
     "1216 0a0676616c756573 120c 120a 0a08 00000000 00000040"),
    ("float32", [NAN, INFINITY, -INFINITY], None, None,
     "0a23d7ce1c000000 0a1a 0a0676616c756573 1210 120e 0a0c 0000c07f 0000807f 000080ff"),
)


def build(record, role, dtype, values):
    member = next(tensor[2] for tensor in TENSORS if tensor[4] == dtype)
    getattr(getattr(record, role)[KEY], member).values.extend(values)


def frame_of(payload):
    return struct.pack("<II", MAGIC, len(payload)) + payload + bytes(-len(payload) % 4)


def check_worked(readers):
    """Each record: libprotobuf's bytes are the known ones, and both readers find its values in them."""
    for dtype, features, label_dtype, label, text in WORKED:
        known = bytes.fromhex(text.replace(" ", ""))
        record = record_class()()
        expected = {"features": numpy.array([features], dtype=dtype)}
        build(record, "features", dtype, features)
        if label is not None:
            build(record, "label", label_dtype, label)
            expected["label"] = numpy.array([label], dtype=label_dtype)
        built = frame_of(record.SerializeToString(deterministic=True))
        if built != known:
            raise Difference(f"libprotobuf wrote {built.hex(' ')} instead of {known.hex(' ')}")
        compare(known, expected, readers)


@contextlib.contextmanager
def silent_stderr():
    """libprotobuf prints about keys that are not UTF-8, from C++, to the descriptor."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def check_that_damage_is_seen(readers):
    """Every bit of a frame that is flipped must be a difference, for each reader on its own."""
    known = bytes.fromhex(WORKED[0][4].replace(" ", ""))
    expected = {"features": numpy.array([[1.0, 2.0, -0.5]], dtype="float32"),
                "label": numpy.array([[1.0]], dtype="float32")}
    for bit in range(len(known) * 8):
        damaged = bytearray(known)
        damaged[bit // 8] ^= 1 << bit % 8
        for reader in readers:
            try:
                compare(bytes(damaged), expected, [reader])
            except Difference:
                continue
            raise Difference(f"{reader.name} did not see that bit {bit} was flipped")


def check_rounding():
    """Texts that rounding by way of float64 gets wrong, and neighbours that it gets right."""
    for text, bits in (("1.00000005960464477540", 0x3F800001), ("1.00000005960464477539", 0x3F800000),
                       ("1.000000059604644775390625", 0x3F800000), ("1.0000001788139343261718749", 0x3F800001),
                       ("0.1", 0x3DCCCCCD), ("-1e-45", 0x80000001)):
        found = struct.unpack("<I", struct.pack("<f", float32_of(text)))[0]
        if found != bits:
            raise Difference(f"{text} became {found:#010x} instead of {bits:#010x}")


def self_test(readers):
    check_worked(readers)
    with silent_stderr():
        check_that_damage_is_seen(readers)
    check_rounding()
    return len(WORKED)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("expected", nargs="?")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--labels", type=int, default=1, help="label columns at the start of a CSV line")
    parser.add_argument("--dtype", choices=[tensor[4] for tensor in TENSORS], default="float32",
                        help="type of the features in a CSV file")
    parser.add_argument("--delimiter", default=",")
    parser.add_argument("--header", action="store_true", help="the CSV file has a header line")
    options = parser.parse_args()
    if not options.self_test and options.expected is None:
        parser.error("FILE.rec and EXPECTED are needed, or --self-test")
    return options


def main():
    options = parse_arguments()
    readers = (HandReader(), ProtobufReader())
    try:
        if options.self_test:
            count = self_test(readers)
        else:
            with open(options.file, "rb") as file:
                count = compare(file.read(), read_expected(options.expected, options), readers)
    except Difference as difference:
        print(f"difference: {difference}")
        return 1
    print(f"OK: {count} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
