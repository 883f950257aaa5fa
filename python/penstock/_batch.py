"""Batches, and tensors that consist of several arrays."""

from collections.abc import Mapping

from penstock import _penstock
from penstock._optional import needed
from penstock._penstock import Tensor


class CsrTensor:
    """A sparse matrix in compressed sparse row form: row i has the pairs (indices[k], data[k]) for k from indptr[i] to
    indptr[i + 1]. Indices count from 0 and ascend strictly within a row.

    data: Tensor of the values, (pairs,). indices: int64, (pairs,). indptr: int64, (rows + 1,), from 0 on.
    shape: (rows, columns). What a pair that is not there means, zero or a missing value, is for the user to say.
    """

    __slots__ = ("data", "indices", "indptr", "_rows", "_columns")

    def __init__(self, data, indices, indptr, rows, columns):
        self.data = data
        self.indices = indices
        self.indptr = indptr
        self._rows = rows
        self._columns = columns

    @property
    def shape(self):
        """(rows, columns). Where the input does not say how wide it is, columns is as many as these rows need."""
        if not self._columns:
            self._columns = max(self.indices.tolist(), default=-1) + 1
        return (self._rows, self._columns)

    @property
    def dtype(self):
        """The element type of the values."""
        return self.data.dtype

    @property
    def nnz(self):
        """How many pairs there are."""
        return len(self.data)

    def __len__(self):
        return self._rows

    def to_scipy(self):
        """A scipy.sparse.csr_matrix of the same memory."""
        sparse = needed("scipy.sparse", "CsrTensor.to_scipy()")
        matrix = sparse.csr_matrix(self.shape, dtype=self.dtype)
        # The constructor would look at every index, and copy those that fit int32.
        matrix.data, matrix.indices, matrix.indptr = self.data.numpy(), self.indices.numpy(), self.indptr.numpy()
        return matrix

    def to_torch(self):
        """A torch.sparse_csr tensor of the same memory."""
        torch = needed("torch", "CsrTensor.to_torch()")
        parts = (self.indptr.torch(), self.indices.torch(), self.data.torch())
        return torch.sparse_csr_tensor(*parts, size=self.shape, check_invariants=False)

    def __repr__(self):
        return f"<penstock.CsrTensor {self._rows} x {self._columns or '?'} {self.dtype}, {self.nnz} pairs>"


class RaggedTensor:
    """Rows of different lengths: row i is values[offsets[i]:offsets[i + 1]].

    values: Tensor, (elements,). offsets: int64, (rows + 1,), from 0 on. parts: above 1, a row is that many lists of one
    length, one behind the other.
    """

    __slots__ = ("values", "offsets", "parts")

    def __init__(self, values, offsets, parts=1):
        self.values = values
        self.offsets = offsets
        self.parts = parts

    @property
    def rows(self):
        """How many rows there are."""
        return len(self.offsets) - 1

    @property
    def dtype(self):
        """The element type of the values."""
        return self.values.dtype

    def __len__(self):
        return self.rows

    def _split(self, values):
        if self.parts == 1:
            return values
        width = len(values) // self.parts
        return [values[part * width : (part + 1) * width] for part in range(self.parts)]

    def to_list(self):
        """A list for each row; of `parts` above 1 a list of lists."""
        values, offsets = self.values.tolist(), self.offsets.tolist()
        return [self._split(values[begin:end]) for begin, end in zip(offsets, offsets[1:])]

    def __repr__(self):
        return f"<penstock.RaggedTensor {self.rows} rows, {len(self.values)} {self.dtype}>"


class TextTensor:
    """A text for each row: bytes data[offsets[i]:offsets[i + 1]].

    data: uint8, (bytes,). offsets: int64, (rows + 1,), from 0 on.
    """

    __slots__ = ("data", "offsets")

    def __init__(self, data, offsets):
        self.data = data
        self.offsets = offsets

    @property
    def rows(self):
        """How many rows there are."""
        return len(self.offsets) - 1

    def __len__(self):
        return self.rows

    def to_list(self):
        """A bytes object for each row."""
        data, offsets = bytes(self.data), self.offsets.tolist()
        return [data[begin:end] for begin, end in zip(offsets, offsets[1:])]

    def to_str(self, encoding="utf-8", errors="strict"):
        """A str for each row."""
        return [text.decode(encoding, errors) for text in self.to_list()]

    def __repr__(self):
        return f"<penstock.TextTensor {self.rows} rows, {len(self.data)} bytes>"


# What the core makes parts of.
_csr, _ragged, _text = CsrTensor, RaggedTensor, TextTensor


def _numpy(part):
    if isinstance(part, Tensor):
        return part.numpy()
    if isinstance(part, CsrTensor):
        return part.data.numpy(), part.indices.numpy(), part.indptr.numpy()
    if isinstance(part, RaggedTensor):
        return part.values.numpy(), part.offsets.numpy()
    return part.data.numpy(), part.offsets.numpy()


class Batch(_penstock.Batch):
    """Rows as tensors by name: a mapping of features, label, weight, qid, base_margin, start, cat, target, dynamic_feat,
    in0, in1, uid and metadata, of those that the input has.

    Dense ones are Tensors: label of one column, weight, qid, base_margin and start of shape (rows,), others (rows,
    columns). Sparse features are a CsrTensor, lists (and labels whose number varies) a RaggedTensor, uid and metadata a
    TextTensor. A tensor keeps the memory of its batch as long as it, or anything made of it without a copy, lives: also
    when batch and loader are gone. It is not written to by anybody else meanwhile, and may be changed.

    With device="cuda" dense tensors lie on the device, perhaps not complete yet: whoever takes them by DLPack or
    __cuda_array_interface__ names the stream that waits for them.
    """

    __slots__ = ()

    def __contains__(self, name):
        return name in self.names

    keys, values, items, get = Mapping.keys, Mapping.values, Mapping.items, Mapping.get

    def to_numpy(self):
        """A dict of NumPy arrays of the same memory. Of sparse features it is (data, indices, indptr), of lists (values,
        offsets), of texts (data, offsets). TypeError for a batch of a CUDA device."""
        return {name: _numpy(part) for name, part in self.items()}

    def to_scipy(self):
        """The same with sparse features as a scipy.sparse.csr_matrix of the same memory."""
        return {name: part.to_scipy() if isinstance(part, CsrTensor) else _numpy(part) for name, part in self.items()}

    def to_torch(self):
        """A dict of PyTorch tensors of the same memory: sparse features as a sparse CSR tensor, lists as (values,
        offsets), texts as lists of bytes. Of CUDA tensors PyTorch's current stream waits until they are complete."""
        made = {}
        for name, part in self.items():
            if isinstance(part, Tensor):
                made[name] = part.torch()
            elif isinstance(part, CsrTensor):
                made[name] = part.to_torch()
            elif isinstance(part, RaggedTensor):
                made[name] = (part.values.torch(), part.offsets.torch())
            else:
                made[name] = part.to_list()
        return made

    def to_arrow(self):
        """A pyarrow.RecordBatch of the same memory, a column for each tensor: matrices as fixed_size_list, lists and
        labels whose number varies as large_list, texts as large_binary; sparse features are two columns of lists,
        feature_indices and feature_values. BufferError for a batch of a CUDA device."""
        pyarrow = needed("pyarrow", "Batch.to_arrow()")
        if hasattr(pyarrow, "record_batch") and hasattr(pyarrow.RecordBatch, "_import_from_c_capsule"):
            return pyarrow.record_batch(self)
        raise ImportError("Batch.to_arrow() needs pyarrow 14 or later: pip install -U pyarrow", name="pyarrow")

    def __repr__(self):
        parts = ", ".join(f"{name} {self._describe(name)}" for name in self.names)
        return f"<penstock.Batch epoch {self.epoch} step {self.step}: {parts}>"

    def _describe(self, name):
        part = self[name]
        if isinstance(part, Tensor):
            return f"{part.dtype}{list(part.shape)}"
        return f"{type(part).__name__}[{len(part)}]"


Mapping.register(Batch)
