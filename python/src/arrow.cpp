/// Batches by Arrow's C data interface, without a copy and without Arrow.
/// https://arrow.apache.org/docs/format/CDataInterface.html and .../CDataInterface/PyCapsuleInterface.html
#include "python/src/batch.hpp"

#include <cstdint>

extern "C" {
// The C ABI, in the names of its specification.
struct ArrowSchema {
  char const* format;
  char const* name;
  char const* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  void const** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};
}

namespace penstock::python {
namespace {

/// A type and its data, before they become Arrow's structs.
struct Node {
  std::string format;
  std::string name;
  std::int64_t length = 0;
  std::vector<void const*> buffers;  ///< the validity bitmap first: null, for nothing is missing
  std::vector<Node> children;
};

// What the structs point to. Children that a consumer moved away have no release function any more.
struct SchemaOwner {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};
struct ArrayOwner {
  std::shared_ptr<void const> memory;
  std::vector<void const*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

template <class Owner, class Struct>
void release(Struct* released) {
  std::unique_ptr<Owner> const owner(static_cast<Owner*>(released->private_data));
  for (Struct& child : owner->children)
    if (child.release != nullptr) child.release(&child);
  released->release = nullptr;
}

template <class Owner>
void point_to_children(Owner& owner) {
  for (auto& child : owner.children) owner.pointers.push_back(&child);
}

ArrowSchema schema_of(Node const& node) {
  auto owner = std::make_unique<SchemaOwner>(SchemaOwner{node.format, node.name, {}, {}});
  for (Node const& child : node.children) owner->children.push_back(schema_of(child));
  point_to_children(*owner);
  return {.format = owner->format.c_str(),
          .name = owner->name.c_str(),
          .metadata = nullptr,
          .flags = 0,
          .n_children = static_cast<std::int64_t>(owner->children.size()),
          .children = owner->pointers.data(),
          .dictionary = nullptr,
          .release = release<SchemaOwner, ArrowSchema>,
          .private_data = owner.release()};
}

ArrowArray array_of(Node const& node, std::shared_ptr<void const> const& memory) {
  auto owner = std::make_unique<ArrayOwner>(ArrayOwner{memory, node.buffers, {}, {}});
  for (Node const& child : node.children) owner->children.push_back(array_of(child, memory));
  point_to_children(*owner);
  return {.length = node.length,
          .null_count = 0,
          .offset = 0,
          .n_buffers = static_cast<std::int64_t>(owner->buffers.size()),
          .n_children = static_cast<std::int64_t>(owner->children.size()),
          .buffers = owner->buffers.data(),
          .children = owner->pointers.data(),
          .dictionary = nullptr,
          .release = release<ArrayOwner, ArrowArray>,
          .private_data = owner.release()};
}

template <class Struct>
void end_capsule(PyObject* capsule) {
  auto* const held = static_cast<Struct*>(PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule)));
  std::unique_ptr<Struct> const owner(held);
  if (held->release != nullptr) held->release(held);
}

template <class Struct>
Object capsule_of(Struct exported, char const* name) {
  auto owner = std::make_unique<Struct>(exported);
  PyObject* const capsule = PyCapsule_New(owner.get(), name, end_capsule<Struct>);
  if (capsule == nullptr) {
    exported.release(&exported);
    throw PythonError{};
  }
  static_cast<void>(owner.release());
  return Object::owned(capsule);
}

/// Consumers may read a pointer of an array without elements.
void const* some(void const* data) {
  static constexpr std::uint64_t nothing = 0;
  return data == nullptr ? &nothing : data;
}

Node values_of(DType type, void const* data, std::int64_t length) {
  return {element_of(type).arrow_format, "item", length, {nullptr, some(data)}, {}};
}

Node dense_node(Part const& part, Dense const& dense) {
  auto const rows = static_cast<std::int64_t>(dense.rows);
  auto const columns = static_cast<std::int64_t>(dense.columns);
  Node values = values_of(dense.dtype, dense.data, rows * columns);
  bool const is_list = columns != 1 || part.role == Role::feature || part.role == Role::cat;
  if (is_list) return {"+w:" + std::to_string(columns), part.name, rows, {nullptr}, {std::move(values)}};
  values.name = part.name;
  return values;
}

Node list_node(std::string name, std::int64_t const* offsets, std::int64_t rows, DType type, void const* values) {
  std::int64_t const count = rows == 0 ? 0 : offsets[rows];
  return {"+L", std::move(name), rows, {nullptr, some(offsets)}, {values_of(type, values, count)}};
}

void add_nodes(std::vector<Node>& nodes, Part const& part, Batch const& rows) {
  auto const count = static_cast<std::int64_t>(rows.rows);
  switch (part.kind) {
    case PartKind::dense: nodes.push_back(dense_node(part, rows.tensor(part.role))); break;
    case PartKind::csr:
      nodes.push_back(list_node("feature_indices", rows.csr.indptr, count, DType::int64, rows.csr.indices));
      nodes.push_back(list_node("feature_values", rows.csr.indptr, count, rows.csr.dtype, rows.csr.values));
      break;
    case PartKind::ragged: {
      Ragged const& ragged = part.list == Part::no_list ? rows.labels : rows.lists[part.list];
      nodes.push_back(list_node(part.name, ragged.offsets, count, ragged.dtype, ragged.values));
      break;
    }
    case PartKind::text: {
      Texts const& texts = part.name == "uid" ? rows.uid : rows.metadata;
      nodes.push_back({"Z", part.name, count, {nullptr, some(texts.offsets), some(texts.bytes)}, {}});
      break;
    }
  }
}

Node node_of(BatchCore const& core) {
  Node root{"+s", "", static_cast<std::int64_t>(core.batch.rows.rows), {nullptr}, {}};
  for (Part const& part : core.parts->parts) add_nodes(root.children, part, core.batch.rows);
  return root;
}

}  // namespace

Object arrow_schema_of(BatchCore const& core) { return capsule_of(schema_of(node_of(core)), "arrow_schema"); }

Object arrow_array_of(BatchCore const& core) {
  if (core.batch.on_device != nullptr) {
    PyErr_SetString(PyExc_BufferError, "Arrow's arrays are in host memory: device=\"cpu\" makes batches there");
    throw PythonError{};
  }
  Node const node = node_of(core);
  Object const schema = capsule_of(schema_of(node), "arrow_schema");
  Object const array = capsule_of(array_of(node, core.batch.memory), "arrow_array");
  return Object::owned(PyTuple_Pack(2, schema.get(), array.get()));
}

}  // namespace penstock::python
