/// Records of JSON lines that one thread each reads: what the passes find out about a chunk. All pointers are device
/// memory.
///
/// What varies in number from record to record are its lists: of sparse vectors its pairs, one list; of Object2Vec two
/// lists of tokens; dense rows have none.
///
///     records         0    1    2    3         record 1 is at fault
///     accepted        1    0    1    1         ranks      0    1    1    2    3     sums of what comes before
///     pairs           2    0    1    3         places[0]  0    2    2    3    6
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/json_tiles.hpp"
#include "penstock/batch.hpp"

namespace penstock::cuda::json {

/// Bytes of text of a warp that looks for records.
inline constexpr unsigned lines_tile_bytes = 1024;

/// Of a whole chunk.
struct RecordTotals {
  std::uint32_t rows = 0;   ///< records: lines that are not blank
  std::uint32_t lines = 0;  ///< physical line ends: CR, and LF that does not follow a CR
  /// Not 0: the chunk is for the CPU. There are more records than memory, one that a thread should not read, or one
  /// that is larger than a round.
  std::uint32_t is_refused = 0;
};

/// Numbers, of each list one.
struct ListCounts {
  std::uint32_t of[lists_max] = {};
};

/// All records of a chunk. One element more than there are: behind the last record stands the chunk's size, and sums
/// are complete.
struct RecordTable {
  std::uint32_t* begins = nullptr;              ///< the line's first byte, blanks included
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
  RecordTable table;
  SpareLists spare;
  RecordLimits limits;
  std::uint32_t rows = 0;   ///< records of the chunk
  std::uint32_t lists = 0;  ///< that a record has
  RecordTotals* totals = nullptr;
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

}  // namespace penstock::cuda::json
