/// Lists in a .npz file: NAME holds the values of all rows, NAME_offsets where each row's begin; `dynamic_feat_lists`
/// is how many lists of one length each row of dynamic_feat is. What `target_observed` says is in the values too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/app/npz_archive.hpp"
#include "host/app/row_reader.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// The rows of one list.
struct ListReader {
  ListLayout layout;
  RaggedReader rows;

  /// The next rows, which were looked at and fit `into`. Throws SourceError if a row is not layout.parts lists.
  void read(Ragged const& into, std::size_t count);
};

/// Whether the archive has lists. An array called as a list is one if its offsets are there, or if there are no
/// features.
[[nodiscard]] bool has_lists(NpzArchive const& archive);
/// Throws SchemaError if arrays are missing, or if their types or lengths do not fit.
[[nodiscard]] std::vector<ListReader> open_lists(NpzArchive const& archive);
/// Names of the arrays that open_lists() reads or knows.
[[nodiscard]] std::vector<std::string> names_of_lists(NpzArchive const& archive);

/// That start is seconds of the years 1 to 9999, and categories count from 0: throws SourceError that names the array
/// and the row, of which there were `before` before these.
void check_times(Dense const& start, std::uint64_t before, std::string const& name);
void check_categories(Dense const& cat, std::uint64_t before, std::string const& name);

}  // namespace penstock::app
