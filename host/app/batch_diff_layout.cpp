#include "host/app/batch_diff_layout.hpp"

#include <cstddef>
#include <string_view>
#include <unordered_set>

#include "host/app/layout_text.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// One side of a role.
struct RoleShape {
  RoleForm form = RoleForm::none;
  std::size_t columns = 0;  ///< of a sparse form 0 if not known; a list has none
  bool is_guessed = false;
};

RoleShape shape_of(BatchLayout const& layout, Role role, bool is_width_guessed) {
  RoleForm const form = form_of(layout, role);
  std::size_t const columns = form == RoleForm::sparse ? layout.features : layout.columns(role);
  return {form, columns, is_width_guessed && form == RoleForm::sparse};
}

/// The form is said only where it explains the difference.
std::string shape_text(RoleShape const& shape, bool says_form) {
  std::string const count = shape.columns == 0 ? "" : format_count(shape.columns);
  switch (shape.form) {
    case RoleForm::none: return "none";
    case RoleForm::list: return "lists";
    case RoleForm::sparse: return count.empty() ? "sparse" : says_form ? count + " sparse" : count;
    case RoleForm::dense: break;
  }
  return says_form ? count + " dense" : count;
}

/// Whether the number of columns may be that of `other`.
bool fits_width(RoleShape const& shape, RoleShape const& other) {
  if (shape.columns == other.columns) return true;
  bool const is_open = shape.columns == 0 || (shape.is_guessed && !other.is_guessed);
  return shape.form == RoleForm::sparse && is_open && shape.columns <= other.columns;
}

bool is_comparable(RoleShape const& a, RoleShape const& b, DiffOptions const& options) {
  if (a.form == RoleForm::none || b.form == RoleForm::none) return a.form == b.form;
  if (a.form == RoleForm::list || b.form == RoleForm::list) return true;
  if (a.form != b.form && !options.absent) return false;
  return fits_width(a, b) || fits_width(b, a);
}

/// Says what differs, if anything does.
bool has_same_shape(Role role, BatchLayout const& a, BatchLayout const& b, DiffOptions const& options,
                    std::vector<std::string>& differences) {
  std::string const name(name_of(role));
  RoleShape const shape_a = shape_of(a, role, options.is_width_guessed_a);
  RoleShape const shape_b = shape_of(b, role, options.is_width_guessed_b);
  if (!is_comparable(shape_a, shape_b, options)) {
    bool const has_both = shape_a.form != RoleForm::none && shape_b.form != RoleForm::none;
    bool const says_form = has_both && shape_a.form != shape_b.form;
    differences.push_back(name + ": " + shape_text(shape_a, says_form) + " | " + shape_text(shape_b, says_form));
    return false;
  }
  if (shape_a.form == RoleForm::none || a.dtype(role) == b.dtype(role)) return true;
  differences.push_back(name + ": " + std::string(name_of(a.dtype(role))) + " | " +
                        std::string(name_of(b.dtype(role))));
  return false;
}

/// The first of `names` that are not among `others`.
std::string missing_in(std::vector<std::string> const& others, std::vector<std::string> const& names) {
  constexpr std::size_t shown_max = 10;
  std::unordered_set<std::string_view> const known(others.begin(), others.end());
  std::vector<std::string> missing;
  for (std::string const& name : names) {
    if (!known.contains(name)) missing.push_back(name);
  }
  return missing.empty() ? "" : shown_list(missing, shown_max);
}

/// Says which names only one side has, if both have names. Labels, weights and queries are what an option named, so
/// that one column of each is the same thing under whatever name.
bool has_same_names(Role role, BatchReader const& a, BatchReader const& b, std::vector<std::string>& differences) {
  std::vector<std::string> const names_a = a.names(role);
  std::vector<std::string> const names_b = b.names(role);
  if (names_a.empty() || names_b.empty() || names_a == names_b) return true;
  if (role != Role::feature && names_a.size() == 1 && names_b.size() == 1) return true;
  std::string const name(name_of(role));
  std::string const only_a = missing_in(names_b, names_a);
  std::string const only_b = missing_in(names_a, names_b);
  if (!only_a.empty()) differences.push_back(name + ": only the first has " + only_a);
  if (!only_b.empty()) differences.push_back(name + ": only the second has " + only_b);
  if (only_a.empty() && only_b.empty()) differences.push_back(name + ": the same columns in another order");
  return false;
}

/// Whether both have the text. Says so if only one has.
bool has_text(std::string_view name, bool has_a, bool has_b, std::vector<std::string>& differences) {
  if (has_a != has_b)
    differences.push_back(std::string(name) + ": only the " + (has_a ? "first" : "second") + " has it");
  return has_a && has_b;
}

/// Where the layout has the list; lists_max if it does not.
std::size_t place_of(BatchLayout const& layout, ListRole role) {
  std::size_t place = 0;
  while (place < lists_max && layout.lists[place].role != role) ++place;
  return place;
}

/// Lists of one type, as many a row; says what differs.
void compare_lists(BatchLayout const& a, BatchLayout const& b, ComparedParts& parts) {
  for (ListRole const role : list_roles) {
    std::size_t const at_a = place_of(a, role);
    std::size_t const at_b = place_of(b, role);
    if (at_a == lists_max && at_b == lists_max) continue;
    auto const differ = [&](std::string_view left, std::string_view right) {
      parts.differences.push_back(std::string(name_of(role)) + ": " + std::string(left) + " | " + std::string(right));
    };
    if (at_a == lists_max || at_b == lists_max) {
      differ(at_a == lists_max ? "none" : "lists", at_b == lists_max ? "none" : "lists");
      continue;
    }
    ListLayout const& left = a.lists[at_a];
    ListLayout const& right = b.lists[at_b];
    if (left.parts != right.parts)
      differ(format_count(left.parts) + " a record", format_count(right.parts) + " a record");
    else if (left.dtype != right.dtype)
      differ(name_of(left.dtype), name_of(right.dtype));
    else
      parts.lists.push_back({left, at_a, at_b});
  }
}

}  // namespace

RoleForm form_of(BatchLayout const& layout, Role role) {
  if (role == Role::feature && layout.is_sparse) return RoleForm::sparse;
  if (role == Role::label && layout.labels_vary) return RoleForm::list;
  return layout.columns(role) == 0 ? RoleForm::none : RoleForm::dense;
}

ComparedParts compared_parts(BatchReader const& a, BatchReader const& b, DiffOptions const& options) {
  ComparedParts parts;
  BatchLayout const& left = a.layout();
  BatchLayout const& right = b.layout();
  for (Role role : tensor_roles) {
    if (options.features_only && role != Role::feature) continue;
    bool const is_named_alike = has_same_names(role, a, b, parts.differences);
    bool const is_shaped_alike = has_same_shape(role, left, right, options, parts.differences);
    if (is_named_alike && is_shaped_alike && form_of(left, role) != RoleForm::none) parts.roles.push_back(role);
  }
  if (options.features_only) return parts;
  compare_lists(left, right, parts);
  parts.uid = has_text("uid", left.has_uid, right.has_uid, parts.differences);
  parts.metadata = has_text("metadata", left.has_metadata, right.has_metadata, parts.differences);
  return parts;
}

}  // namespace penstock::app
