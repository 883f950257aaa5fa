#include "host/app/npz_lists.hpp"

#include <span>
#include <string_view>
#include <utility>

#include "formats/json/time.hpp"
#include "host/app/layout_text.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr std::string_view observed = "target_observed";
constexpr std::string_view dynamic_feat_lists = "dynamic_feat_lists";

std::string offsets_name(ListRole role) { return std::string(name_of(role)) + "_offsets"; }

bool is_of_series(ListRole role) { return role == ListRole::target || role == ListRole::dynamic_feat; }

/// Beside features an array of such a name may be anything.
bool has_list(NpzArchive const& archive, ListRole role) {
  if (archive.has(offsets_name(role))) return true;
  bool const has_features = archive.has(name_of(Role::feature)) || archive.has("format");
  return !has_features && archive.has(name_of(role));
}

std::size_t parts_in(NpzArchive const& archive) {
  ArrayReader reader = archive.open(dynamic_feat_lists);
  expect_integers(reader, 1);
  std::int64_t parts = 0;
  reader.read_integers({&parts, 1});
  if (parts < 1) throw SchemaError(reader.name() + ": " + std::to_string(parts) + " is no number of lists");
  return static_cast<std::size_t>(parts);
}

ListReader open_list(NpzArchive const& archive, ListRole role) {
  ListLayout layout{role, is_of_series(role) ? DType::float32 : DType::int32};
  ArrayReader values = archive.open(name_of(role));
  if (values.array().dtype != layout.dtype)
    throw SchemaError(values.name() + ": expected a vector of " + std::string(name_of(layout.dtype)) + ", found " +
                      std::string(name_of(values.array().dtype)));
  RaggedReader rows(std::move(values), archive.open(offsets_name(role)));
  if (role == ListRole::dynamic_feat) layout.parts = parts_in(archive);
  return {layout, std::move(rows)};
}

[[noreturn]] void throw_value(std::string const& name, std::uint64_t row, std::int64_t value, std::string_view why) {
  throw SourceError(name + ": row " + format_count(row + 1) + ": " + std::to_string(value) + " " + std::string(why));
}

}  // namespace

void ListReader::read(Ragged const& into, std::size_t count) {
  std::uint64_t const before = rows.offsets().rows_taken();
  rows.read(into, count);
  if (layout.role != ListRole::dynamic_feat) return;
  for (std::size_t row = 0; row < count; ++row) {
    std::size_t const values = into.row(row).size();
    if (values != 0 && values % layout.parts == 0) continue;
    throw SourceError(rows.name() + ": row " + format_count(before + row + 1) + " has " + format_count(values) +
                      " values, which are not " + format_count(layout.parts) + " lists of one length");
  }
}

bool has_lists(NpzArchive const& archive) {
  for (ListRole const role : list_roles) {
    if (has_list(archive, role)) return true;
  }
  return false;
}

std::vector<ListReader> open_lists(NpzArchive const& archive) {
  std::vector<ListReader> lists;
  for (ListRole const role : list_roles) {
    if (!has_list(archive, role)) continue;
    if (!lists.empty() && is_of_series(lists.front().layout.role) != is_of_series(role))
      throw SchemaError(archive.path() + ": has both " + std::string(name_of(lists.front().layout.role)) + " and " +
                        std::string(name_of(role)));
    lists.push_back(open_list(archive, role));
  }
  return lists;
}

std::vector<std::string> names_of_lists(NpzArchive const& archive) {
  std::vector<std::string> names;
  for (ListRole const role : list_roles) {
    if (!has_list(archive, role)) continue;
    names.emplace_back(name_of(role));
    names.push_back(offsets_name(role));
    if (role == ListRole::target) names.emplace_back(observed);
    if (role == ListRole::dynamic_feat) names.emplace_back(dynamic_feat_lists);
  }
  return names;
}

void check_times(Dense const& start, std::uint64_t before, std::string const& name) {
  for (std::size_t row = 0; row < start.rows; ++row) {
    std::int64_t const seconds = start.as<std::int64_t>()[row];
    if (!json::has_time_text(seconds))
      throw_value(name, before + row, seconds, "seconds are in no year from 1 to 9999");
  }
}

void check_categories(Dense const& cat, std::uint64_t before, std::string const& name) {
  for (std::size_t i = 0; i < cat.rows * cat.columns; ++i) {
    std::int32_t const category = cat.as<std::int32_t>()[i];
    if (category < 0) throw_value(name, before + i / cat.columns, category, "is no category");
  }
}

}  // namespace penstock::app
