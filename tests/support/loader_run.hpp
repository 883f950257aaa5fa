/// What a loader hands out, as values that can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "penstock/loader.hpp"
#include "tests/support/stream_record.hpp"

namespace penstock::testing {

struct LoadedRows {
  std::vector<std::string> rows;  ///< see row_bytes(); without padding
  std::vector<std::string> padding;
  std::uint64_t epoch = 0, step = 0;
  std::string from;  ///< the provenance
  bool operator==(LoadedRows const&) const = default;
};

inline LoadedRows loaded(SharedBatch const& batch) {
  LoadedRows loaded;
  for (std::size_t row = 0; row < batch.rows.rows; ++row)
    (row < batch.valid_rows ? loaded.rows : loaded.padding).push_back(row_bytes(batch.rows, row));
  loaded.epoch = batch.epoch;
  loaded.step = batch.step;
  Provenance const& from = batch.provenance;
  loaded.from = from.file.substr(from.file.rfind('/') + 1) + " " + std::to_string(from.first_record) + ".." +
                std::to_string(from.last_record) + " -" + std::to_string(from.rejected);
  return loaded;
}

/// What is left of the epoch, at most `count` batches of it.
inline std::vector<LoadedRows> load(Loader& loader, std::size_t count = static_cast<std::size_t>(-1)) {
  std::vector<LoadedRows> all;
  for (SharedBatch batch; all.size() < count && loader.next(batch);) all.push_back(loaded(batch));
  return all;
}

inline std::vector<std::string> rows_of(std::vector<LoadedRows> const& batches) {
  std::vector<std::string> rows;
  for (LoadedRows const& batch : batches) rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
  return rows;
}

}  // namespace penstock::testing
