#include "host/app/batch_diff_rows.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "host/app/value_text.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// A text that differs is shown up to here.
constexpr std::size_t text_columns_max = 40;

/// Consecutive elements of a tensor, each with its column.
struct Elements {
  Dense values;                           ///< data and type; elements are those of `at`
  std::int64_t const* columns = nullptr;  ///< null: columns count up from 0
  Extent at;

  [[nodiscard]] std::size_t column(std::size_t k) const {
    return columns == nullptr ? k - at.begin : static_cast<std::size_t>(columns[k]);
  }
};

/// Where the elements of rows [first, first + rows) lie.
Extent extent_of(std::int64_t const* offsets, std::size_t first, std::size_t rows) {
  return {static_cast<std::size_t>(offsets[first]), static_cast<std::size_t>(offsets[first + rows])};
}

/// Those of rows [first, first + rows). Columns count for one row only, unless they are written down.
Elements elements_of(Batch const& batch, Role role, std::size_t first, std::size_t rows) {
  if (role == Role::feature && batch.csr.indptr != nullptr)
    return {values_of(batch.csr), batch.csr.indices, extent_of(batch.csr.indptr, first, rows)};
  if (role == Role::label && batch.labels.offsets != nullptr)
    return {values_of(batch.labels), nullptr, extent_of(batch.labels.offsets, first, rows)};
  Dense const& tensor = batch.tensor(role);
  return {tensor, nullptr, {first * tensor.columns, (first + rows) * tensor.columns}};
}

/// Those of a list of rows [first, first + rows).
Elements elements_of(Ragged const& list, std::size_t first, std::size_t rows) {
  return {values_of(list), nullptr, extent_of(list.offsets, first, rows)};
}

template <class T>
bool is_same_memory(T const* a, T const* b, std::size_t count) {
  return count == 0 || std::memcmp(a, b, count * sizeof(T)) == 0;
}

bool is_same_bytes(Elements const& a, Elements const& b) {
  std::size_t const count = a.at.size();
  if (count != b.at.size() || (a.columns == nullptr) != (b.columns == nullptr)) return false;
  std::size_t const size = size_bytes(a.values.dtype);
  bool const has_same_columns =
      a.columns == nullptr || is_same_memory(a.columns + a.at.begin, b.columns + b.at.begin, count);
  return has_same_columns &&
         is_same_memory(a.values.data + a.at.begin * size, b.values.data + b.at.begin * size, count * size);
}

/// Whether all of the first `rows` rows have as many elements on both sides.
bool has_same_lengths(std::int64_t const* a, std::int64_t const* b, std::size_t rows) {
  for (std::size_t row = 1; row <= rows; ++row) {
    if (a[row] - a[0] != b[row] - b[0]) return false;
  }
  return true;
}

/// Of what varies from row to row. Dense against varying rows are looked at row by row.
bool has_same_lengths(Batch const& a, Batch const& b, Role role, std::size_t rows) {
  bool const is_feature = role == Role::feature;
  std::int64_t const* const offsets_a = is_feature ? a.csr.indptr : role == Role::label ? a.labels.offsets : nullptr;
  std::int64_t const* const offsets_b = is_feature ? b.csr.indptr : role == Role::label ? b.labels.offsets : nullptr;
  if (offsets_a == nullptr || offsets_b == nullptr) return offsets_a == offsets_b;
  return has_same_lengths(offsets_a, offsets_b, rows);
}

/// When two elements of one type are the same.
struct Sameness {
  DType dtype = DType::float32;
  std::uint64_t ulps_max = 0;

  bool operator()(std::uint64_t a, std::uint64_t b) const {
    return a == b || (is_floating(dtype) && ulps_between(dtype, a, b) <= ulps_max);
  }
};

/// The bits that an element has which is not there; nothing where being there is a value of its own.
std::optional<std::uint64_t> bits_of_absent(Role role, std::optional<Absent> absent, DType dtype) {
  if (role != Role::feature || !absent) return std::nullopt;
  if (*absent == Absent::zero) return 0;
  if (!is_floating(dtype)) return std::nullopt;
  return dtype == DType::float32 ? std::uint64_t{missing_float32_bits} : missing_float64_bits;
}

/// Calls `differ(column, k_a, k_b)` for every column in which the rows differ; the side that lacks it gets no_element.
/// Bits are the elements' bits. Both sides' columns ascend, so that one pass over both meets each column once.
constexpr std::size_t no_element = std::numeric_limits<std::size_t>::max();

template <class Bits, class Differ>
void walk(Elements const& a, Elements const& b, Sameness same, std::optional<std::uint64_t> absent, Differ differ) {
  Bits const* const values_a = a.values.as<Bits>();
  Bits const* const values_b = b.values.as<Bits>();
  std::size_t k_a = a.at.begin;
  std::size_t k_b = b.at.begin;
  while (k_a < a.at.end || k_b < b.at.end) {
    std::size_t const column_a = k_a < a.at.end ? a.column(k_a) : no_element;
    std::size_t const column_b = k_b < b.at.end ? b.column(k_b) : no_element;
    if (column_a == column_b) {
      if (!same(values_a[k_a], values_b[k_b])) differ(column_a, k_a, k_b);
      ++k_a, ++k_b;
    } else if (column_a < column_b) {
      if (!absent || !same(values_a[k_a], *absent)) differ(column_a, k_a, no_element);
      ++k_a;
    } else {
      if (!absent || !same(values_b[k_b], *absent)) differ(column_b, no_element, k_b);
      ++k_b;
    }
  }
}

/// walk() on elements of any type.
template <class Differ>
void walk_any(Elements const& a, Elements const& b, Sameness same, std::optional<std::uint64_t> absent, Differ differ) {
  if (size_bytes(same.dtype) == 4)
    walk<std::uint32_t>(a, b, same, absent, differ);
  else
    walk<std::uint64_t>(a, b, same, absent, differ);
}

std::string value_or_absent(Elements const& elements, std::size_t k) {
  return k == no_element ? std::string(absent_word) : value_text(elements.values, k);
}

/// "3 values", of each of the lists.
std::string length_text(std::size_t values, std::size_t parts) {
  std::string const count = format_count(values / parts) + (values == parts ? " value" : " values");
  return parts == 1 ? count : format_count(parts) + " x " + count;
}

/// The first `length` elements of one of the lists of which `all` are `parts`.
Elements part_of(Elements const& all, std::size_t part, std::size_t parts, std::size_t length) {
  std::size_t const begin = all.at.begin + part * (all.at.size() / parts);
  return {all.values, nullptr, {begin, begin + length}};
}

std::string bits_or_none(Elements const& elements, std::size_t k) {
  return k == no_element ? "" : bits_text(elements.values, k);
}

std::string quoted(std::string_view text) { return "\"" + escape_for_display(text, text_columns_max) + "\""; }

}  // namespace

RowComparison::RowComparison(ComparedParts parts, DiffOptions const& options, DiffResult& result)
    : parts_(std::move(parts)), options_(options), result_(result) {}

void RowComparison::compare(Batch const& a, Batch const& b, std::size_t rows, std::uint64_t record) {
  if (is_same(a, b, rows)) return;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint64_t const before = result_.values_different;
    for (Role role : parts_.roles) compare_role(a, b, role, row, record);
    for (ComparedList const& list : parts_.lists) compare_list(list, a, b, row, record);
    if (parts_.uid) compare_text("uid", a.uid, b.uid, row, record);
    if (parts_.metadata) compare_text("metadata", a.metadata, b.metadata, row, record);
    result_.records_different += result_.values_different == before ? 0 : 1;
  }
}

/// Whole tensors at a time while their bytes are the same, which is most of the time.
bool RowComparison::is_same(Batch const& a, Batch const& b, std::size_t rows) const {
  auto const is_same_role = [&](Role role) {
    return has_same_lengths(a, b, role, rows) &&
           is_same_bytes(elements_of(a, role, 0, rows), elements_of(b, role, 0, rows));
  };
  auto const is_same_text = [rows](Texts const& x, Texts const& y) {
    return has_same_lengths(x.offsets, y.offsets, rows) &&
           is_same_memory(x.bytes + x.offsets[0], y.bytes + y.offsets[0],
                          static_cast<std::size_t>(x.offsets[rows] - x.offsets[0]));
  };
  auto const is_same_list = [&](ComparedList const& list) {
    Ragged const& x = a.lists[list.a];
    Ragged const& y = b.lists[list.b];
    return has_same_lengths(x.offsets, y.offsets, rows) &&
           is_same_bytes(elements_of(x, 0, rows), elements_of(y, 0, rows));
  };
  return std::all_of(parts_.roles.begin(), parts_.roles.end(), is_same_role) &&
         std::all_of(parts_.lists.begin(), parts_.lists.end(), is_same_list) &&
         (!parts_.uid || is_same_text(a.uid, b.uid)) && (!parts_.metadata || is_same_text(a.metadata, b.metadata));
}

void RowComparison::compare_role(Batch const& a, Batch const& b, Role role, std::size_t row, std::uint64_t record) {
  Elements const left = elements_of(a, role, row, 1);
  Elements const right = elements_of(b, role, row, 1);
  if (is_same_bytes(left, right)) return;
  auto const text = [role](Elements const& elements, std::size_t k) {
    return role == Role::start ? time_text(elements.values.as<std::int64_t>()[k]) : value_or_absent(elements, k);
  };
  auto const differ = [&](std::size_t column, std::size_t k_a, std::size_t k_b) {
    if (!count()) return;
    result_.values.push_back({record + row + 1, role, column, text(left, k_a), text(right, k_b),
                              bits_or_none(left, k_a), bits_or_none(right, k_b)});
  };
  DType const dtype = left.values.dtype;
  walk_any(left, right, {dtype, options_.ulps_max}, bits_of_absent(role, options_.absent, dtype), differ);
}

void RowComparison::compare_list(ComparedList const& list, Batch const& a, Batch const& b, std::size_t row,
                                 std::uint64_t record) {
  Elements const left = elements_of(a.lists[list.a], row, 1);
  Elements const right = elements_of(b.lists[list.b], row, 1);
  if (is_same_bytes(left, right)) return;
  std::size_t const parts = list.layout.parts;
  std::size_t const shorter = std::min(left.at.size(), right.at.size()) / parts;
  bool const has_other_length = left.at.size() != right.at.size();
  if (has_other_length && count())
    result_.values.push_back({record + row + 1, Role::ignore, 0, length_text(left.at.size(), parts),
                              length_text(right.at.size(), parts), "", "", name_of(list.layout.role)});
  for (std::size_t part = 0; part < parts; ++part) {
    Elements const x = part_of(left, part, parts, shorter);
    Elements const y = part_of(right, part, parts, shorter);
    auto const differ = [&](std::size_t column, std::size_t k_a, std::size_t k_b) {
      if (!count()) return;
      result_.values.push_back({record + row + 1, Role::ignore, column, value_text(x.values, k_a),
                                value_text(y.values, k_b), bits_text(x.values, k_a), bits_text(y.values, k_b), "",
                                list.layout.role, part});
    };
    walk_any(x, y, {list.layout.dtype, options_.ulps_max}, std::nullopt, differ);
  }
}

void RowComparison::compare_text(std::string_view name, Texts const& a, Texts const& b, std::size_t row,
                                 std::uint64_t record) {
  if (a.row(row) == b.row(row) || !count()) return;
  result_.values.push_back({record + row + 1, Role::ignore, 0, quoted(a.row(row)), quoted(b.row(row)), "", "", name});
}

bool RowComparison::count() {
  ++result_.values_different;
  return result_.values.size() < options_.listed_max;
}

}  // namespace penstock::app
