/// What a writer is to write of a batch that holds more.
#pragma once

#include <cstddef>

#include "penstock/batch.hpp"

namespace penstock {

/// `batch` without the tensors that `layout` lacks, which may have been left out (--drop) or go elsewhere (side files).
[[nodiscard]] inline Batch restricted(Batch batch, BatchLayout const& layout) {
  for (Role const role : tensor_roles) {
    if (layout.columns(role) != 0) continue;
    batch.tensor(role).data = nullptr;
    batch.tensor(role).columns = 0;
  }
  if (!layout.is_sparse) batch.csr = {};
  if (!layout.labels_vary) batch.labels = {};
  if (!layout.has_uid) batch.uid = {};
  if (!layout.has_metadata) batch.metadata = {};
  for (std::size_t i = 0; i < lists_max; ++i) {
    if (layout.lists[i].role == ListRole::none) batch.lists[i] = {};
  }
  batch.set_rows(batch.rows);
  return batch;
}

}  // namespace penstock
