// The structure passes of CSV, by parity and by automaton, against a walk with csv::step over the whole text.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/csv_automaton.cuh"
#include "cuda/kernels/csv_structure.cuh"
#include "formats/csv/grammar.hpp"

namespace penstock {
namespace {

using csv::Dialect;
using csv::State;
using cuda::csv::Entry;
using cuda::csv::large_tile_bytes;
using cuda::csv::small_tile_bytes;
using cuda::csv::Structure;

// --- what is right -------------------------------------------------------------------------------------------------

/// Everything that can be asked about a text, in front of each of its bytes and behind the last.
struct Walked {
  std::vector<bool> field_end, line_end;                  ///< of byte i
  std::vector<std::uint32_t> row, column, lines, strays;  ///< in front of byte i
  std::vector<std::uint32_t> state;                       ///< with record_blank
};

/// What a decoder skips, by the bytes of the record: decode.hpp says the same.
bool is_skipped(std::string_view record, std::size_t fields, Dialect const& dialect) {
  if (fields != 1) return false;
  if (dialect.comment != 0 && !record.empty() && record[0] == dialect.comment) return true;
  return std::ranges::all_of(record, [&](char c) { return dialect.trim && csv::is_blank(c); });
}

class Walker {
 public:
  Walker(std::string_view text, Dialect const& dialect) : text_(text), dialect_(dialect), classes_(dialect) {
    for (std::size_t i = 0; i < text.size(); ++i) take(i);
    note(text.size());
  }
  Walked walked;

 private:
  void note(std::size_t i) {
    std::string_view const open = text_.substr(record_begin_, i - record_begin_);
    bool const is_blank =
        !open.empty() && column_ == 0 && state_ == State::field_start && is_skipped(open, 1, dialect_);
    walked.row.push_back(row_);
    walked.column.push_back(column_);
    walked.lines.push_back(lines_);
    walked.strays.push_back(strays_);
    walked.state.push_back(is_blank ? cuda::csv::record_blank : static_cast<std::uint32_t>(state_));
  }
  void take(std::size_t i) {
    note(i);
    char const byte = text_[i];
    csv::Step const step = csv::step(state_, classes_[byte]);
    bool const is_line_end = byte == '\n' || byte == '\r';
    walked.field_end.push_back(step.ends_field);
    walked.line_end.push_back(is_line_end);
    lines_ += byte == '\r' || (byte == '\n' && (i == 0 || text_[i - 1] != '\r')) ? 1 : 0;
    strays_ += step.is_stray ? 1 : 0;
    state_ = step.next;
    if (!step.ends_field) return;
    ++column_;
    if (!is_line_end) return;
    row_ += is_skipped(text_.substr(record_begin_, i - record_begin_), column_, dialect_) ? 0 : 1;
    column_ = 0;
    record_begin_ = i + 1;
  }

  std::string_view text_;
  Dialect dialect_;
  csv::ByteClasses classes_;
  State state_ = State::record_start;
  std::size_t record_begin_ = 0;
  std::uint32_t row_ = 0, column_ = 0, lines_ = 0, strays_ = 0;
};

// --- what the passes say -------------------------------------------------------------------------------------------

enum class Path { parity, automaton };

/// A stretch [begin, end) of a text.
struct Piece {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Passes {
 public:
  explicit Passes(Dialect const& dialect, std::size_t text_max = 1 << 17)
      : dialect_(dialect),
        memory_(stream_, text_max, dialect.quote != 0),
        text_(text_max + 2 * large_tile_bytes, "text"),
        results_(2, "results") {}

  /// Runs a piece; the piece before, if any, was the call before. Behind the text stands what would be found if it
  /// counted.
  Structure run(Path path, unsigned tile_bytes, std::string_view text, Piece piece) {
    using namespace cuda::csv;
    std::string padded(text.substr(piece.begin, piece.end - piece.begin));
    ChunkText const chunk{text_.get(), static_cast<std::uint32_t>(padded.size()),
                          piece.begin > 0 && text[piece.begin - 1] == '\r'};
    while (padded.size() % large_tile_bytes != 0 || padded.empty()) padded += "\"\n,\r"[padded.size() % 4];
    stream_.copy(text_.get(), padded.data(), padded.size(), "text");
    Entry const* const entry = piece.begin == 0 ? nullptr : &results_[1].exit;
    Structure* const result = results_.get();
    bool const is_small = tile_bytes == small_tile_bytes;
    if (path == Path::parity) {
      StructureWork const work = memory_.work(chunk, entry, result);
      if (is_small) find_fields_in_tiles<small_tile_bytes>(stream_, dialect_, work);
      if (!is_small) find_fields_in_tiles<large_tile_bytes>(stream_, dialect_, work);
    } else {
      AutomatonWork const work = automaton_work(memory_, chunk, entry, result);
      if (is_small) find_fields_by_automaton_in_tiles<small_tile_bytes>(stream_, dialect_, work);
      if (!is_small) find_fields_by_automaton_in_tiles<large_tile_bytes>(stream_, dialect_, work);
    }
    stream_.wait();
    return results_[0];
  }
  /// The last run's exit is the next one's entry.
  void keep() { results_[1] = results_[0]; }

  [[nodiscard]] std::vector<std::uint32_t> words(std::uint32_t const* mask, std::size_t count) {
    std::vector<std::uint32_t> words(count);
    stream_.copy(words.data(), mask, count * sizeof(std::uint32_t), "mask");
    stream_.wait();
    return words;
  }
  [[nodiscard]] std::vector<Entry> entries(std::size_t count) {
    std::vector<Entry> entries(count);
    stream_.copy(entries.data(), memory_.entries(), count * sizeof(Entry), "entries");
    stream_.wait();
    return entries;
  }
  [[nodiscard]] cuda::csv::Masks masks() const { return memory_.masks(); }
  [[nodiscard]] Dialect const& dialect() const { return dialect_; }

 private:
  cuda::Stream stream_;
  Dialect dialect_;
  cuda::csv::StructureMemory memory_;
  cuda::DeviceArray<char> text_;
  cuda::MappedArray<Structure> results_;
};

std::string place_of(std::string_view text, std::size_t at) {
  std::size_t const begin = at < 20 ? 0 : at - 20;
  return "at byte " + std::to_string(at) + ", around: " + testing::PrintToString(std::string(text.substr(begin, 40)));
}

bool bit_of(std::vector<std::uint32_t> const& words, std::size_t i) { return (words[i / 32] >> i % 32 & 1) != 0; }

/// The masks of a piece, to the end of its last tile, and its tiles' entries.
void expect_tiles(Passes& passes, Path path, unsigned tile_bytes, std::string_view text, Piece piece,
                  Walked const& right) {
  std::size_t const size = piece.end - piece.begin,
                    tiles = std::max<std::size_t>(1, (size + tile_bytes - 1) / tile_bytes);
  std::size_t const words = tiles * tile_bytes / 32;
  auto const outside = passes.words(passes.masks().outside, words),
             lines = passes.words(passes.masks().line_ends, words);
  auto const inside = passes.masks().inside == nullptr ? outside : passes.words(passes.masks().inside, words);
  auto const entries = passes.entries(tiles);
  for (std::size_t t = 0; t < tiles; ++t) {
    std::size_t const at = piece.begin + t * tile_bytes;
    ASSERT_EQ(entries[t].row, right.row[at]) << "tile " << t << ' ' << place_of(text, at);
    ASSERT_EQ(entries[t].column, right.column[at]) << "tile " << t << ' ' << place_of(text, at);
    bool const is_inside = path == Path::parity && right.state[at] == static_cast<std::uint32_t>(State::quoted);
    ASSERT_EQ(entries[t].is_inside, is_inside ? 1u : 0u) << "tile " << t << ' ' << place_of(text, at);
    auto const& ends = is_inside ? inside : outside;
    for (std::size_t i = t * tile_bytes; i < (t + 1) * tile_bytes; ++i) {
      std::size_t const j = piece.begin + i;
      bool const is_right =
          bit_of(ends, i) == (i < size && right.field_end[j]) && bit_of(lines, i) == (i < size && right.line_end[j]);
      ASSERT_TRUE(is_right) << place_of(text, std::min(j, text.size()));
    }
  }
}

/// One piece on one path. False: it is violated, as it should be.
bool expect_piece(Passes& passes, Path path, unsigned tile_bytes, std::string_view text, Piece piece,
                  Walked const& right) {
  Structure const found = passes.run(path, tile_bytes, text, piece);
  bool const is_violated = path == Path::parity && right.strays[piece.end] > right.strays[piece.begin];
  EXPECT_EQ(found.is_violated, is_violated ? 1u : 0u);
  EXPECT_EQ(found.lines, right.lines[piece.end] - right.lines[piece.begin]);
  if (is_violated || found.is_violated != 0) return false;
  EXPECT_EQ(found.exit.row, right.row[piece.end]);
  EXPECT_EQ(found.exit.column, right.column[piece.end]);
  EXPECT_EQ(found.exit.state, right.state[piece.end]);
  bool const is_inside = path == Path::parity && right.state[piece.end] == static_cast<std::uint32_t>(State::quoted);
  EXPECT_EQ(found.exit.is_inside, is_inside ? 1u : 0u);
  expect_tiles(passes, path, tile_bytes, text, piece, right);
  return true;
}

/// A text cut at `cuts` (ascending), on both paths with both tiles; the automaton takes a piece that is violated.
void expect_text(Passes& passes, std::string_view text, std::vector<std::size_t> const& cuts = {}) {
  Walked const right = Walker(text, passes.dialect()).walked;
  bool const by_parity = cuda::csv::suits_parity(passes.dialect());
  for (Path const path : {Path::parity, Path::automaton}) {
    if (path == Path::parity && !by_parity) continue;
    for (unsigned const tile_bytes : {small_tile_bytes, large_tile_bytes}) {
      SCOPED_TRACE((path == Path::parity ? "parity, tiles of " : "automaton, tiles of ") + std::to_string(tile_bytes));
      Piece piece;
      for (std::size_t c = 0; c <= cuts.size(); ++c) {
        piece.end = c < cuts.size() ? cuts[c] : text.size();
        SCOPED_TRACE("bytes " + std::to_string(piece.begin) + " to " + std::to_string(piece.end));
        if (!expect_piece(passes, path, tile_bytes, text, piece, right))
          expect_piece(passes, Path::automaton, tile_bytes, text, piece, right);
        if (testing::Test::HasFailure()) return;
        passes.keep();
        piece.begin = piece.end;
      }
    }
  }
}

// --- texts -----------------------------------------------------------------------------------------------------------

class Texts {
 public:
  explicit Texts(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }

  /// Bytes of an alphabet, in any order.
  std::string soup(std::string_view alphabet, std::size_t size) {
    std::string text(size, ' ');
    for (char& c : text) c = alphabet[below(alphabet.size())];
    return text;
  }
  /// Records in which quotes stand where they should; `long_every`: one cell in so many has up to 6000 bytes.
  std::string records(std::size_t size, char delimiter, char quote, std::size_t long_every) {
    static constexpr std::string_view ends[] = {"\n", "\r\n", "\r", "\n\n", "\r\n\r\n"};
    std::string text;
    while (text.size() < size) {
      for (std::size_t fields = 1 + below(6); fields > 0; --fields) {
        std::size_t const length = below(long_every) == 0 ? below(6000) : below(12);
        bool const is_quoted = quote != 0 && below(2) == 0;
        if (is_quoted) text += quote;
        for (std::size_t i = 0; i < length; ++i) {
          std::size_t const kind = is_quoted ? below(12) : 12;
          text += kind == 0 ? std::string(2, quote) : std::string(1, kind < 4 ? "\n\r,"[kind - 1] : 'x');
        }
        if (is_quoted) text += quote;
        if (fields > 1) text += delimiter;
      }
      text += ends[below(std::size(ends))];
    }
    return text.substr(0, size);
  }
  std::vector<std::size_t> cuts(std::size_t size, std::size_t count) {
    std::vector<std::size_t> cuts(count);
    for (std::size_t& cut : cuts) cut = below(size + 1);
    std::ranges::sort(cuts);
    return cuts;
  }

 private:
  std::mt19937_64 random_;
};

/// Sizes at which something begins or ends: bytes of a thread, of a warp, tiles of either size.
constexpr std::size_t borders[] = {1, 16, 32, 64, 1024, 2048, 4096, 16384};

Dialect with_trim() {
  Dialect dialect;
  dialect.trim = true;
  return dialect;
}
std::vector<Dialect> all_dialects() {
  std::vector<Dialect> dialects;
  for (unsigned bits = 0; bits < 16; ++bits) {
    Dialect dialect;
    dialect.trim = (bits & 1) != 0;
    if ((bits & 2) != 0) dialect.escape = '\\';
    if ((bits & 4) != 0) dialect.comment = '#';
    if ((bits & 8) != 0) dialect.quote = 0;
    dialects.push_back(dialect);
  }
  dialects.push_back({.delimiter = '\t', .quote = '\'', .trim = true});
  dialects.push_back({.delimiter = '\xa7', .quote = '\xff'});
  return dialects;
}

class CsvStructure : public testing::Test {
 protected:
  ~CsvStructure() override { simt::set_schedule("forward"); }
};

// --- tests -----------------------------------------------------------------------------------------------------------

TEST_F(CsvStructure, ParityIsForDialectsWithoutEscapeCommentAndTrimming) {
  EXPECT_TRUE(cuda::csv::suits_parity({}));
  EXPECT_TRUE(cuda::csv::suits_parity({.delimiter = ';', .quote = 0, .strict_quotes = true}));
  EXPECT_FALSE(cuda::csv::suits_parity(with_trim()));
  EXPECT_FALSE(cuda::csv::suits_parity({.escape = '\\'}));
  EXPECT_FALSE(cuda::csv::suits_parity({.comment = '#'}));
  EXPECT_FALSE(cuda::csv::suits_parity({.delimiter = '\xa7'}));
}

TEST_F(CsvStructure, SmallTexts) {
  Passes passes({});
  for (std::string const text :
       {"", "\n", "\r\n", ",", "\"", "a", "a\n", "\n\n", "\"\"", "\"a\"\n", "\"a\n", "\"a\"b", "a\"b", "a,b\nc,d\n\ne",
        "\n\na\n", "\"\n\",\"\"\"\"\n", "\"\"\"", "\"a\"\"", ",,\r,\n"}) {
    SCOPED_TRACE(testing::PrintToString(text));
    expect_text(passes, text);
  }
}

TEST_F(CsvStructure, TextsThatEndAtBorders) {
  Passes passes({});
  Texts texts(1);
  for (std::size_t const border : borders) {
    for (std::size_t const size : {border - 1, border, border + 1}) {
      SCOPED_TRACE(size);
      expect_text(passes, texts.records(size, ',', '"', 200));
      expect_text(passes, texts.soup(",\n", size));
    }
  }
}

/// Whatever depends on the byte before stands across each border once.
TEST_F(CsvStructure, PairsAcrossBorders) {
  static constexpr std::string_view pairs[] = {"\"\"", "\",", "\"\n", "\"\r", "\n\"", ",\"", "\r\n", "\n\n",
                                               "\n\r", ",\n", "\n,",  "x\"",  "\"x",  "xx",  "x\n",  "\r\r"};
  Passes passes({});
  for (std::size_t const border : borders) {
    for (std::string_view const pair : pairs) {
      for (std::string_view const opening : {"", "\""}) {
        std::string text(opening);
        text.resize(border - 1, 'x');
        text += pair;
        text += "y,z\n\"";
        SCOPED_TRACE(testing::PrintToString(pair) + " across " + std::to_string(border));
        expect_text(passes, text);
        expect_text(passes, text, {border});
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(CsvStructure, RecordsWithQuotes) {
  Texts texts(2);
  for (Dialect const& dialect :
       {Dialect{}, Dialect{.delimiter = ';', .quote = '\''}, Dialect{.delimiter = '\t', .quote = 0}}) {
    Passes passes(dialect);
    for (std::size_t const long_every : {20, 1000000}) {
      for (int round = 0; round < 3; ++round)
        expect_text(passes, texts.records(40000 + texts.below(20000), dialect.delimiter, dialect.quote, long_every));
    }
  }
}

TEST_F(CsvStructure, SoupsOfSpecialBytes) {
  Passes passes({});
  Texts texts(3);
  for (std::string_view const alphabet :
       {"\",", "\"\n", "\",\n\r", "\"\"a,\n", "\n\r", "\n,", "aaaaaaaaaaaaaaaa\",\n"}) {
    SCOPED_TRACE(testing::PrintToString(alphabet));
    expect_text(passes, texts.soup(alphabet, 20000 + texts.below(100)));
  }
}

/// Every byte value, in and outside quotes, where quotes stand right.
TEST_F(CsvStructure, BytesThatLookLikeSpecialOnes) {
  for (Dialect const& dialect : {Dialect{}, Dialect{.delimiter = '\x7f', .quote = '\x01'}, Dialect{.quote = 0}}) {
    std::string bytes, text;
    for (int b = 0; b < 256; ++b) {
      if (dialect.quote == 0 || static_cast<char>(b) != dialect.quote) bytes += static_cast<char>(b);
    }
    std::string const quote(dialect.quote == 0 ? 0 : 1, dialect.quote);
    text = "\x8d\n\x8a\n\r\x8a\n";
    while (text.size() < 20000) text += quote + bytes + quote + dialect.delimiter + bytes + dialect.delimiter;
    Passes passes(dialect);
    expect_text(passes, text);
    EXPECT_EQ(Walker(text, dialect).walked.strays.back(), 0u);
  }
}

TEST_F(CsvStructure, OneStrayQuoteAmongManyRecords) {
  Passes passes({});
  Texts texts(4);
  std::string const right = "ab,\"c,d\",\"e\"\"f\"\n";
  for (int round = 0; round < 12; ++round) {
    std::string text;
    while (text.size() < 25000) text += right;
    text.insert(texts.below(text.size()), round % 2 == 0 ? "\"" : "x");
    expect_text(passes, text);
  }
}

TEST_F(CsvStructure, RecordsLongerThanTiles) {
  Passes passes({});
  std::string const field = '"' + std::string(30000, 'x') + "\n\n\"\"" + std::string(10000, ',') + '"';
  expect_text(passes, field + ',' + std::string(20000, 'y') + '\n' + field + "\n\n");
  expect_text(passes, std::string(50000, ',') + "\n,\n");
}

/// More tiles than threads of a block: several for each that scans them.
TEST_F(CsvStructure, ManyTiles) {
  Texts texts(8);
  constexpr std::size_t size = 140 * small_tile_bytes + 7;
  Passes passes({}, size), trimming(with_trim(), size);
  std::string const text = texts.records(size, ',', '"', 40);
  expect_text(passes, text);
  expect_text(passes, text, {size / 3});
  expect_text(trimming, text);
}

TEST_F(CsvStructure, AllDialects) {
  Texts texts(5);
  for (Dialect const& dialect : all_dialects()) {
    Passes passes(dialect);
    std::string alphabet = " \t\n\n\r#\\\"a";
    alphabet += dialect.delimiter;
    if (dialect.quote != 0) alphabet += dialect.quote;
    SCOPED_TRACE("escape " + testing::PrintToString(dialect.escape) + " comment " +
                 testing::PrintToString(dialect.comment) + " quote " + testing::PrintToString(dialect.quote) +
                 (dialect.trim ? " trim" : ""));
    std::string const text = texts.soup(alphabet, 18000);
    expect_text(passes, text);
    expect_text(passes, text, texts.cuts(text.size(), 5));
    expect_text(passes, texts.soup(alphabet + "aaaaaaaaaaaaaaaa", 9000));
    expect_text(passes, texts.soup(" \n", 5000) + texts.soup(" \n#", 5000));
  }
}

TEST_F(CsvStructure, ChunksThatAreCutAnywhere) {
  Passes passes({});
  Texts texts(6);
  for (int round = 0; round < 12; ++round) {
    std::string const text =
        round % 2 == 0 ? texts.records(30000, ',', '"', 50) : texts.soup("\",\n\r", 50 + texts.below(200));
    expect_text(passes, text, texts.cuts(text.size(), 1 + texts.below(6)));
  }
  for (std::string const text : {"a,\"b\"\"\n\",c\r\n\n\"\"\n", "\"\"x\r\n", "a\"b\"\n"}) {
    std::vector<std::size_t> everywhere;
    for (std::size_t i = 1; i < text.size(); ++i) everywhere.push_back(i);
    expect_text(passes, text, everywhere);
  }
}

TEST_F(CsvStructure, EverySchedule) {
  Texts texts(7);
  std::string const records = texts.records(36000, ',', '"', 100), soup = texts.soup("\"a,\n\r", 9000);
  for (char const* const schedule : {"forward", "reverse", "random:1", "random:2", "random:3"}) {
    SCOPED_TRACE(schedule);
    simt::set_schedule(schedule);
    Passes passes({});
    expect_text(passes, records);
    expect_text(passes, soup, {3000, 7777});
    Passes trimming(with_trim());
    expect_text(trimming, soup, {3000, 7777});
  }
}

/// The launchers choose the tile; the memory takes a text of any size up to its limit.
TEST_F(CsvStructure, LaunchersAndMemory) {
  std::string const text = "a,\"b\nc\"\nd,e\n\nf";
  cuda::Stream stream;
  cuda::csv::StructureMemory const memory(stream, text.size(), true);
  cuda::DeviceArray<char> const device(small_tile_bytes, "text");
  cuda::MappedArray<Structure> const results(2, "results");
  std::string const padded = text + std::string(small_tile_bytes - text.size(), 'x');
  stream.copy(device.get(), padded.data(), padded.size(), "text");
  cuda::csv::ChunkText const chunk{device.get(), static_cast<std::uint32_t>(text.size()), false};
  cuda::csv::find_fields(stream, {}, chunk, memory, nullptr, &results[0]);
  cuda::csv::find_fields_by_automaton(stream, {}, chunk, memory, nullptr, &results[1]);
  stream.wait();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(results[i].exit.row, 2u);
    EXPECT_EQ(results[i].exit.column, 0u);
    EXPECT_EQ(results[i].lines, 4u);
    EXPECT_EQ(results[i].is_violated, 0u);
  }
  EXPECT_GE(memory.device_bytes(), 3 * small_tile_bytes / 8);
}

}  // namespace
}  // namespace penstock
