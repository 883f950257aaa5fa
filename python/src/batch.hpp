/// penstock.Batch's core: which tensors a batch has, each made when it is asked for.
#pragma once

#include "python/src/python.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "penstock/shared_batch.hpp"
#include "python/src/tensor.hpp"

namespace penstock::python {

enum class PartKind : std::uint8_t { dense, csr, ragged, text };

/// A tensor of a batch, by name.
struct Part {
  std::string name;
  PartKind kind = PartKind::dense;
  Role role = Role::feature;   ///< of a dense one
  std::size_t list = no_list;  ///< of a ragged one, in Batch::lists; no_list: Batch::labels
  std::size_t pieces = 1;      ///< of a ragged one: ListLayout::parts
  static constexpr std::size_t no_list = static_cast<std::size_t>(-1);
};

/// What all batches of a loader have in common.
struct Parts {
  BatchLayout layout;
  std::vector<Part> parts;
  Object names;  ///< a tuple of str; the last owner has the GIL
};
[[nodiscard]] std::shared_ptr<Parts const> parts_of(BatchLayout const& layout);

struct BatchCore {
  SharedBatch batch;
  std::shared_ptr<Parts const> parts;
};

struct BatchObject {
  PyObject ob_base;
  PyObject* weak_references;
  BatchCore core;
  PyObject* made;  ///< a dict of the parts that were asked for, or null
};

/// A batch, an instance of `type`, which is _penstock.Batch or a subclass.
[[nodiscard]] Object make_batch(PyTypeObject* type, BatchCore core);
void add_batch_type(PyObject* module);

/// A copy of everything in host memory of its own. Throws Python's BufferError for a batch of a device.
[[nodiscard]] SharedBatch copy_of(SharedBatch const& batch, BatchLayout const& layout);

/// Batch.__arrow_c_schema__() and Batch.__arrow_c_array__(): capsules, or a pair of them.
[[nodiscard]] Object arrow_schema_of(BatchCore const& core);
[[nodiscard]] Object arrow_array_of(BatchCore const& core);

}  // namespace penstock::python
