/// Companion files of formats whose records hold neither weights nor queries.
#pragma once

#include "host/io/output_files.hpp"
#include "penstock/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>

namespace penstock {

/// `.weight`, `.base_margin`: the role's float32 of each row as the shortest decimal text that reads back as the same,
/// one a line.
class NumberCompanion {
 public:
  NumberCompanion(OutputFile& file, Role role) : file_(file), role_(role) {}
  void write(Batch const& batch);

 private:
  OutputFile& file_;
  Role role_;
  std::string text_;
};

/// `.group`: the number of rows of each query, one a line, in the order of the rows.
class GroupCompanion {
 public:
  explicit GroupCompanion(OutputFile& file) : file_(file) {}
  /// Throws DataError if a query comes again after another one: its rows could not be one group.
  void write(Batch const& batch);
  /// Writes the last query.
  void finish();

 private:
  void begin_query(std::int64_t qid);
  void end_query();

  OutputFile& file_;
  std::string text_;
  std::unordered_set<std::int64_t> seen_;
  std::int64_t qid_ = 0;
  std::uint64_t rows_in_query_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace penstock
