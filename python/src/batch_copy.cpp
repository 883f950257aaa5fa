#include "python/src/batch.hpp"

#include <cstring>

namespace penstock::python {
namespace {

void copy_bytes(void* to, void const* from, std::size_t bytes) {
  if (bytes != 0) std::memcpy(to, from, bytes);
}

/// `rows` + 1 offsets; returns how many elements they count.
std::size_t copy_offsets(std::int64_t* to, std::int64_t const* from, std::size_t rows) {
  if (from == nullptr || rows == 0) return 0;
  copy_bytes(to, from, (rows + 1) * sizeof(std::int64_t));
  return static_cast<std::size_t>(from[rows]);
}

void copy_ragged(Ragged const& to, Ragged const& from) {
  std::size_t const values = copy_offsets(to.offsets, from.offsets, from.rows);
  copy_bytes(to.values, from.values, values * size_bytes(from.dtype));
}

void copy_texts(Texts const& to, Texts const& from) {
  copy_bytes(to.bytes, from.bytes, copy_offsets(to.offsets, from.offsets, from.rows));
}

void copy_rows(Batch const& to, Batch const& from) {
  for (Role role : tensor_roles) {
    Dense const& dense = from.tensor(role);
    if (dense.data != nullptr) copy_bytes(to.tensor(role).data, dense.data, dense.rows * dense.row_bytes());
  }
  std::size_t const pairs = copy_offsets(to.csr.indptr, from.csr.indptr, from.csr.rows);
  copy_bytes(to.csr.indices, from.csr.indices, pairs * sizeof(std::int64_t));
  copy_bytes(to.csr.values, from.csr.values, pairs * size_bytes(from.csr.dtype));
  copy_ragged(to.labels, from.labels);
  for (std::size_t i = 0; i < lists_max; ++i) copy_ragged(to.lists[i], from.lists[i]);
  copy_texts(to.uid, from.uid);
  copy_texts(to.metadata, from.metadata);
}

}  // namespace

SharedBatch copy_of(SharedBatch const& batch, BatchLayout const& layout) {
  if (batch.on_device != nullptr) {
    PyErr_SetString(PyExc_BufferError,
                    "a batch of a CUDA device is not copied here: device=\"cpu\" makes batches in host memory");
    throw PythonError{};
  }
  SharedBatch copied = batch;
  {
    WithoutGil const others_run;
    auto const memory = std::make_shared<BatchBuffer>(layout, capacity_of(batch.rows));
    copied.rows = memory->view(batch.rows.rows);
    copied.rows.csr.columns = batch.rows.csr.columns;
    copy_rows(copied.rows, batch.rows);
    copied.memory = memory;
  }
  return copied;
}

}  // namespace penstock::python
