/// Records of JSON lines on their way to rounds of rows: what the passes find out about a chunk once its elements are
/// converted. All pointers are device memory.
///
/// What varies in number from record to record are its lists: of DeepAR target and dynamic_feat, of sparse vectors
/// pairs, one list; of Object2Vec in0 and in1; dense rows have none.
///
///     records         0    1    2    3         record 1 is at fault
///     rows            1    0    1    1         ranks      0    1    1    2    3     sums of what comes before
///     pairs           2    0    1    3         places[0]  0    2    2    3    6
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "penstock/batch.hpp"
#include "penstock/fault.hpp"

namespace penstock::cuda::json {

/// Numbers, of each list one.
struct ListCounts {
  std::uint32_t of[lists_max] = {};
};

/// Of all records of a chunk. One element more than there are, so that sums are complete.
struct RecordTable {
  std::uint32_t* ranks = nullptr;               ///< a Verdict, then 1 for a row, then the rows before
  std::uint32_t* places[lists_max] = {};        ///< elements of a row's list, then those before
  std::uint32_t* spare_places[lists_max] = {};  ///< the same among the spare ones
};

/// What is known when a record was read without places for its lists.
enum class Verdict : std::uint32_t { fault, row, undecided };

/// Places for the lists of all records that are undecided: order and range of elements are looked at in memory.
struct SpareLists {
  std::int64_t* indices = nullptr;  ///< of pairs
  std::byte* values = nullptr;
};

/// What a round holds at most.
struct RecordLimits {
  std::uint32_t rows = 0;
  ListCounts lists;
  std::uint32_t faults = 0;
};

struct RecordsWork {
  ChunkText text;
  RowTable begins;
  RowValues in;
  RecordTable table;
  SpareLists spare;
  RecordLimits limits;
  std::uint32_t rows = 0;                 ///< records of the chunk
  std::uint32_t lists = 0;                ///< that a record has
  std::uint32_t const* marked = nullptr;  ///< records that are not plain, ascending
  std::uint32_t marked_count = 0;
  std::uint32_t parts = 1;  ///< lists that the second list is made of, which plain records keep apart
  Totals* totals = nullptr;
};

/// Records [begin, end) of the chunk, as a round.
struct RecordRound {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t rows = 0;
  ListCounts lists;
  std::uint32_t faults = 0;
  std::uint32_t is_refused = 0;        ///< the chunk is for the CPU
  std::uint64_t inexact_integers = 0;  ///< added to
  std::uint64_t missing = 0;           ///< the same
};

/// Where a round's rows and faults go; what the layout lacks is null.
struct RecordPlaces {
  Batch batch;
  std::int64_t* offsets[lists_max] = {};
  std::uint32_t* records = nullptr;  ///< of each row of the round, its record
  Fault* faults = nullptr;
};

}  // namespace penstock::cuda::json
