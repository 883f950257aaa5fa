/// Which parts of two streams can be compared value by value.
#pragma once

#include <string>
#include <vector>

#include "host/app/batch_diff.hpp"
#include "host/app/batch_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// What a role is in a layout.
enum class RoleForm { none, dense, sparse, list };
[[nodiscard]] RoleForm form_of(BatchLayout const& layout, Role role);

/// A list that both sides have, and its place among each side's.
struct ComparedList {
  ListLayout layout;
  std::size_t a = 0, b = 0;
};

struct ComparedParts {
  std::vector<Role> roles;  ///< with elements of one type on both sides
  std::vector<ComparedList> lists;
  bool uid = false;
  bool metadata = false;
  std::vector<std::string> differences;  ///< why the others are not, one line each
};

[[nodiscard]] ComparedParts compared_parts(BatchReader const& a, BatchReader const& b, DiffOptions const& options);

}  // namespace penstock::app
