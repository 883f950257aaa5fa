/// Whether data fit a schema: columns by name or by place, and layouts.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/app/schema_file.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

struct MatchOptions {
  /// The names found are those of a header; else they are indices and say only how many columns there are.
  bool has_header = true;
  /// Labels, weights, query ids and base margins may be missing, as they are in data that wait for a prediction.
  bool may_lack_roles = false;
};

/// A column of the schema that the data lack.
struct MissingColumn {
  std::string name;
  Role role = Role::feature;
  bool operator==(MissingColumn const&) const = default;
};

/// A column that stands elsewhere than the order of the others suggests; places are 0-based.
struct MovedColumn {
  std::string name;
  std::size_t expected = 0;  ///< in the schema
  std::size_t found = 0;     ///< in the data
  bool operator==(MovedColumn const&) const = default;
};

/// How the columns of data compare with those of a schema. Lists are in the order of the schema, `unexpected` in that
/// of the data.
struct ColumnMatch {
  bool is_acceptable = true;
  bool is_by_name = true;                          ///< else by place
  std::vector<std::optional<std::size_t>> places;  ///< of each column of the schema in the data
  std::vector<MissingColumn> missing;
  std::vector<std::string> unexpected;
  std::vector<MovedColumn> moved;      ///< as few as explain the order of the columns that both have
  std::vector<std::string> ambiguous;  ///< names that stand several times, and not in the same places
};

/// Compares the columns `found` with the schema's, in time O(n log n).
///
/// With a header, columns go by name, the first of several of one name with the first, and so on; unless the schema was
/// made without one, so that its columns are called 0, 1, ..., and the data's are not. Then it is acceptable if no
/// feature is missing and nothing is ambiguous: columns that the schema does not know are not used, and all may stand
/// anywhere.
///
/// Else they go by place, and it is acceptable if there are as many as in the schema: one more or fewer, and nothing
/// says which. Only if `may_lack_roles` and there are just as many as remain without labels, weights, query ids and
/// base margins, then those are what is missing.
///
/// Missing labels, weights, query ids and base margins are acceptable if `may_lack_roles`, missing ignored columns
/// always. The schema has columns.
[[nodiscard]] ColumnMatch match_columns(Schema const& schema, std::span<std::string const> found,
                                        MatchOptions const& options);

/// What differs, for people: a sentence a line with up to ten names each, without a line end at the end; empty if
/// nothing does. `data_name` is what messages call the data.
[[nodiscard]] std::string describe(ColumnMatch const& match, std::string_view data_name);

/// What differs between the schema's layout and `layout`, one entry a difference, such as "features: 28 in the schema,
/// 30 here"; empty if rows of both can be used alike. Widths of sparse features that are not known fit every width.
/// Labels, weights, query ids and base margins that only `layout` lacks are passed over if `may_lack_roles`.
[[nodiscard]] std::vector<std::string> match_layout(Schema const& schema, BatchLayout const& layout,
                                                    MatchOptions const& options);

}  // namespace penstock::app
