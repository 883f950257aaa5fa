// The structure of libsvm text: masks, entries of tiles, rows and counts, against a reader of single bytes, for both
// sizes of tiles and under several schedules.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/libsvm_rows.cuh"
#include "cuda/kernels/libsvm_structure.cuh"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

using namespace cuda::libsvm;

/// What the structure of a text is, in a form that does not know tiles.
struct Found {
  std::vector<std::uint32_t> heads, items, letters;  ///< where words begin
  std::vector<std::uint32_t> stops;
  std::vector<std::uint32_t> row_begins, row_items;
  std::uint32_t rows = 0, item_count = 0, lines = 0;
  bool operator==(Found const&) const = default;
};

/// Byte by byte.
Found slow_structure(std::string const& text, std::uint32_t mark, bool follows_cr) {
  Found found;
  bool is_fresh = true, is_comment = false, is_word = false;
  std::uint32_t line_begin = mark;
  for (std::uint32_t at = mark; at < text.size(); ++at) {
    char const byte = text[at];
    bool const is_end = byte == '\n' || byte == '\r', is_blank = byte == ' ' || byte == '\t';
    if (is_end || is_blank || byte == '#' || byte == ':') found.stops.push_back(at);
    bool const was_cr = at == 0 ? follows_cr : text[at - 1] == '\r';
    found.lines += byte == '\r' || (byte == '\n' && !was_cr) ? 1 : 0;
    if (is_end || is_blank || byte == '#') {
      is_word = false;
      is_comment = !is_end && (is_comment || byte == '#');
      is_fresh = is_fresh || is_end;
      if (is_end) line_begin = at + 1;
      continue;
    }
    if (!is_word && !is_comment) {
      if (is_fresh) {
        found.heads.push_back(at);
        found.row_begins.push_back(line_begin);
        found.row_items.push_back(static_cast<std::uint32_t>(found.items.size()));
      } else {
        (byte == 'q' ? found.letters : found.items).push_back(at);
      }
      is_fresh = false;
    }
    is_word = true;
  }
  found.rows = static_cast<std::uint32_t>(found.heads.size());
  found.item_count = static_cast<std::uint32_t>(found.items.size());
  found.row_begins.push_back(static_cast<std::uint32_t>(text.size()));
  found.row_items.push_back(found.item_count);
  return found;
}

/// A text on the device, with tiles of a size of the test's choice.
template <unsigned tile_bytes>
class Tiles {
 public:
  Tiles(std::string const& text, std::uint32_t mark, bool follows_cr)
      : tiles_(static_cast<unsigned>((text.size() + tile_bytes - 1) / tile_bytes)),
        words_(tiles_ * (tile_bytes / 32)),
        text_(128 + tiles_ * tile_bytes, "text"),
        masks_(5 * std::size_t{words_} + 2, "masks"),
        states_(4 * std::size_t{tiles_}, "states"),
        entries_(tiles_, "entries"),
        totals_(1, "totals"),
        window_(1, "window"),
        arrived_(1, "arrived"),
        rows_max_(static_cast<std::uint32_t>(text.size()) + 1),
        begins_(rows_max_ + std::size_t{1}, "begins"),
        items_(rows_max_ + std::size_t{1}, "items") {
    stream_.fill(arrived_.get(), 0, sizeof(unsigned));
    stream_.copy(text_.get() + 64, text.data(), text.size(), "copy in");
    chunk_ = {text_.get() + 64, static_cast<std::uint32_t>(text.size()), mark, follows_cr};
    std::uint32_t* const m = masks_.get();
    pointers_ = {m, m + words_, m + 2 * words_, m + 3 * words_, m + 4 * words_};
    StructureWork const structure{chunk_,         pointers_,     {states_.get(), states_.get() + 3 * tiles_},
                                  entries_.get(), totals_.get(), arrived_.get()};
    cuda::launch("structure", stream_, {tiles_, TileShape<tile_bytes>::threads}, structure_kernel<tile_bytes>,
                 structure);
  }

  /// All rows, listed `rows` at a time.
  Found found(std::uint32_t rows) {
    Found found;
    for (std::uint32_t first = 0; first == 0 || first < found.rows; first += rows) {
      list(found, first, rows);
    }
    Totals const totals = fetched(totals_.get(), 1)[0];
    found.item_count = totals.items;
    found.lines = totals.lines;
    std::vector<std::uint32_t> const heads = fetched(pointers_.heads, words_), items = fetched(pointers_.items, words_),
                                     stops = fetched(pointers_.stops, words_);
    for (std::uint32_t at = 0; at < chunk_.size; ++at) {
      bool const head = bit(heads, at), item = bit(items, at);
      if (head && item) found.letters.push_back(at);
      if (head && !item) found.heads.push_back(at);
      if (item && !head) found.items.push_back(at);
      if (bit(stops, at) && at >= chunk_.mark_bytes) found.stops.push_back(at);
    }
    return found;
  }
  [[nodiscard]] unsigned arrived() { return fetched(arrived_.get(), 1)[0]; }

 private:
  /// Appends rows [first, first + rows), and what stands behind the last.
  void list(Found& found, std::uint32_t first, std::uint32_t rows) {
    unsigned const tile = found.row_begins.empty() ? 0 : found.row_begins.back() / tile_bytes;
    RowsWork work;
    work.text = chunk_;
    work.masks = pointers_;
    work.entries = entries_.get();
    work.totals = totals_.get();
    work.rows = {first, rows, begins_.get(), items_.get()};
    work.window = window_.get();
    work.first_tile = tile;
    cuda::launch("rows", stream_, {tiles_ - tile, tile_bytes / 64}, rows_kernel<tile_bytes>, work);
    found.rows = fetched(totals_.get(), 1)[0].rows;
    if (first != 0) {
      found.row_begins.pop_back();
      found.row_items.pop_back();
    }
    auto const append = [&](std::vector<std::uint32_t>& to, std::uint32_t const* from) {
      auto const more = fetched(from, std::min(rows, found.rows - first) + std::size_t{1});
      to.insert(to.end(), more.begin(), more.end());
    };
    append(found.row_begins, begins_.get());
    append(found.row_items, items_.get());
  }

  template <class T>
  std::vector<T> fetched(T const* from, std::size_t count) {
    cuda::MappedArray<T> pinned(count, "a copy");
    stream_.copy(pinned.get(), from, count * sizeof(T), "copy out");
    stream_.wait();
    return {pinned.get(), pinned.get() + count};
  }

  static bool bit(std::vector<std::uint32_t> const& mask, std::uint32_t at) {
    return (mask[at / 32] >> at % 32 & 1u) != 0;
  }

  unsigned tiles_, words_;
  cuda::Stream stream_;
  cuda::DeviceArray<char> text_;
  cuda::DeviceArray<std::uint32_t> masks_, states_;
  cuda::DeviceArray<TileEntry> entries_;
  cuda::DeviceArray<Totals> totals_;
  cuda::DeviceArray<Window> window_;
  cuda::DeviceArray<unsigned> arrived_;
  std::uint32_t rows_max_;
  cuda::DeviceArray<std::uint32_t> begins_, items_;
  ChunkText chunk_;
  Masks pointers_;
};

template <unsigned tile_bytes>
void check(std::string const& text, std::uint32_t mark, bool follows_cr, std::uint32_t rows) {
  Found const expected = slow_structure(text, mark, follows_cr);
  Tiles<tile_bytes> tiles(text, mark, follows_cr);
  Found const found = tiles.found(rows);
  EXPECT_EQ(tiles.arrived(), 0u);
  EXPECT_EQ(found.heads, expected.heads);
  EXPECT_EQ(found.items, expected.items);
  EXPECT_EQ(found.letters, expected.letters);
  EXPECT_EQ(found.stops, expected.stops);
  EXPECT_EQ(found.row_begins, expected.row_begins);
  EXPECT_EQ(found.row_items, expected.row_items);
  EXPECT_EQ(found.rows, expected.rows);
  EXPECT_EQ(found.item_count, expected.item_count);
  EXPECT_EQ(found.lines, expected.lines);
  ASSERT_FALSE(::testing::Test::HasFailure());
}

/// Bytes that matter, with stretches of one of them as long as warps and tiles; ends with a line end.
std::string random_text(std::mt19937_64& random, std::size_t size, char const* bytes) {
  std::size_t const kinds = std::strlen(bytes);
  std::string text;
  while (text.size() < size) {
    std::uint64_t const kind = random() % 200;
    std::size_t const length = kind == 0 ? random() % 6000 : kind < 4 ? random() % 100 : 1;
    text += std::string(length, bytes[random() % kinds]);
  }
  text.resize(size);
  return text + (random() % 2 == 0 ? '\n' : '\r');
}

struct Scheduled : ::testing::TestWithParam<char const*> {
  void SetUp() override { simt::set_schedule(GetParam()); }
  void TearDown() override { simt::set_schedule("forward"); }
};

TEST_P(Scheduled, LibsvmStructure) {
  std::mt19937_64 random(20251128);
  for (char const* bytes :
       {"1: \n", "11111 q\t\r\n", "1 1 1 1 1 1 #\n", "q #\r", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \n"}) {
    for (int round = 0; round < 3; ++round) {
      std::string const text = random_text(random, 1 + random() % 30000, bytes);
      std::uint32_t const rows = round == 0 ? 1 + static_cast<std::uint32_t>(text.size()) : 97 + round * 1000u;
      check<small_tile_bytes>(text, 0, round == 1, rows);
      check<large_tile_bytes>(text, 0, round == 2, rows);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Simt, Scheduled, ::testing::Values("forward", "reverse", "random:1", "random:20"));

TEST(LibsvmStructure, Marks) {
  for (char const* text : {"\xef\xbb\xbf\n",
                           "\xef\xbb\xbf"
                           "1 1:2\n",
                           "\xef\xbb\xbf #q\n q\n", "\xef\xbb\xbf\r\n1 q\r\n"}) {
    check<small_tile_bytes>(text, 3, false, 10);
    check<large_tile_bytes>(text, 3, true, 10);
  }
}

TEST(LibsvmStructure, ALineEndThatFollowsTheChunkBefore) {
  for (bool const follows_cr : {false, true}) {
    check<small_tile_bytes>("\n1 2:3\r\n", 0, follows_cr, 10);
    check<small_tile_bytes>("\r\n1 2:3\n", 0, follows_cr, 10);
  }
}

/// Every place of a comment's beginning and end against the edges of 32 bytes, warps and tiles.
TEST(LibsvmStructure, CommentsAtEdges) {
  for (std::size_t const edge : {32u, 1024u, 2048u, 4096u, 8192u, 16384u}) {
    for (int begin = -3; begin <= 2; ++begin) {
      for (int length = 1; length <= 4; ++length) {
        std::string text(edge + 200, '1');
        for (std::size_t i = 1; i < text.size(); i += 2) text[i] = ' ';
        std::size_t const at = edge + static_cast<std::size_t>(begin + 3) - 3;
        text[at] = '#';
        text[at + static_cast<std::size_t>(length)] = '\n';
        text.back() = '\n';
        check<small_tile_bytes>(text, 0, false, 100);
        check<large_tile_bytes>(text, 0, false, 100);
      }
    }
  }
}

}  // namespace
}  // namespace penstock
