#include "host/app/synth.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/recordio/framing.hpp"
#include "host/app/synth_faults.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Keeps everything; fails when it holds more than `capacity` bytes.
class MemorySink : public Sink {
 public:
  explicit MemorySink(std::size_t capacity) : capacity_(capacity) {}
  void write(std::span<std::byte const> bytes) override {
    if (text.size() + bytes.size() > capacity_) throw SinkError("full");
    text.append(reinterpret_cast<char const*>(bytes.data()), bytes.size());
  }
  void commit() override { ++commits; }
  std::string text;
  int commits = 0;

 private:
  std::size_t capacity_;
};

std::string made(SynthOptions const& options, unsigned threads) {
  MemorySink sink(std::size_t{1} << 28);
  synthesize(options, sink, threads);
  EXPECT_EQ(sink.commits, 0);
  return sink.text;
}

/// FNV-1a, 64 bits.
std::uint64_t digest(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// Behind each record of `text`.
std::vector<std::size_t> record_ends(SynthKind const& kind, std::string_view text) {
  std::vector<std::size_t> ends;
  if (kind.is_binary) {
    recordio::FrameCursor cursor(std::as_bytes(std::span(text.data(), text.size())));
    while (cursor.next().status == recordio::FrameStatus::ok) ends.push_back(cursor.offset_bytes());
    return ends;
  }
  bool is_inside = false;  // of a quoted field; the bad quotes of the kind dirty are not asked for here
  for (std::size_t i = 0; i < text.size(); ++i) {
    is_inside ^= text[i] == '"';
    if (text[i] == '\n' && !is_inside) ends.push_back(i + 1);
  }
  return ends;
}

/// With bad records, if the kind can have them.
SynthOptions options_of(SynthKind const& kind, std::uint64_t seed) {
  SynthOptions options{.kind = std::string(kind.name), .seed = seed};
  if (!kind.faults.empty()) options.bad = parse_bad_records(kind, "20%");
  return options;
}

// A changed digest means that everybody's data changes: it must not happen by accident.
TEST(Synth, BytesArePinned) {
  std::string const higgs = made({.kind = "higgs", .seed = 1, .size_bytes_min = 65536}, 1);
  std::string const compact = made({.kind = "compact", .seed = 1, .size_bytes_min = 65536}, 1);
  EXPECT_EQ(digest(std::string_view(higgs).substr(0, 65536)), 0x71a4af24a6e9ab02u);
  EXPECT_EQ(digest(std::string_view(compact).substr(0, 65536)), 0xf5b60174c45ce8edu);
}

TEST(Synth, FirstKiBOfEveryKindIsPinned) {
  std::map<std::string_view, std::uint64_t> const digests = {
      {"higgs", 0x290c87069f7f9c90u},           {"compact", 0x101d959f0ced764bu},
      {"quoted", 0x871e4e3f227472f1u},          {"wide", 0x2c8583eb5eac7161u},
      {"libsvm", 0x4ab7e1fea10dc34du},          {"recordio", 0x066348e4a82d476bu},
      {"recordio-sparse", 0x217b745d89d872b5u}, {"dirty", 0x71e69ffa0b5f9b00u},
      {"dirty-libsvm", 0xcf2d1dd0c14045b8u},    {"deepar", 0x5e51dc5fbdeb3d2du},
      {"objects", 0x1f2a5dad553c730eu},
  };
  ASSERT_EQ(digests.size(), synth_kinds().size());
  for (SynthKind const& kind : synth_kinds()) {
    SynthOptions options = options_of(kind, 1);
    options.size_bytes_min = 1024;
    std::uint64_t const found = digest(std::string_view(made(options, 1)).substr(0, 1024));
    EXPECT_EQ(found, digests.at(kind.name)) << kind.name << " 0x" << std::hex << found;
  }
}

TEST(Synth, ThreadsDoNotChangeBytes) {
  for (SynthKind const& kind : synth_kinds()) {
    SynthOptions by_rows = options_of(kind, 7), by_size = by_rows;
    by_rows.rows = 2 * kind.block_rows + 17;
    by_size.size_bytes_min = 1'500'000;
    by_size.header = !kind.header.empty();
    for (SynthOptions const& options : {by_rows, by_size}) {
      std::string const alone = made(options, 1);
      for (unsigned threads : {0u, 2u, 5u}) EXPECT_TRUE(made(options, threads) == alone) << kind.name << threads;
    }
  }
}

TEST(Synth, SeedsAndBlocksDiffer) {
  for (SynthKind const& kind : synth_kinds()) {
    EXPECT_NE(synthesize_block(kind.name, 1, 0), synthesize_block(kind.name, 2, 0));
    EXPECT_NE(synthesize_block(kind.name, 1, 0), synthesize_block(kind.name, 1, 1));
  }
}

TEST(Synth, OutputIsItsBlocks) {
  for (SynthKind const& kind : synth_kinds()) {
    SynthOptions options = options_of(kind, 3);
    std::string const expected = synthesize_block(options, 0) + synthesize_block(options, 1);
    EXPECT_EQ(record_ends(kind, expected).size(), 2 * kind.block_rows) << kind.name;
    options.rows = 2 * kind.block_rows;
    EXPECT_TRUE(made(options, 2) == expected) << kind.name;
  }
}

TEST(Synth, RowsAreExact) {
  for (SynthKind const& kind : synth_kinds()) {
    for (std::uint64_t rows : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{kind.block_rows} + 1}) {
      SynthOptions options = options_of(kind, 5);
      options.rows = rows;
      MemorySink sink(std::size_t{1} << 28);
      EXPECT_EQ(synthesize(options, sink, 2).records, rows);
      std::vector<std::size_t> const ends = record_ends(kind, sink.text);
      ASSERT_EQ(ends.size(), rows) << kind.name;
      EXPECT_EQ(ends.back(), sink.text.size());
    }
  }
}

TEST(Synth, SizeEndsWithTheFirstRecordThatReachesIt) {
  for (SynthKind const& kind : synth_kinds()) {
    SynthOptions options = options_of(kind, 5);
    std::string const block = synthesize_block(options, 0);
    for (std::size_t size : {std::size_t{1}, std::size_t{100'000}, block.size(), block.size() + 1}) {
      options.size_bytes_min = size;
      std::string const text = made(options, 1);
      EXPECT_GE(text.size(), size);
      std::vector<std::size_t> const ends = record_ends(kind, text);
      ASSERT_FALSE(ends.empty());
      EXPECT_EQ(ends.back(), text.size());
      EXPECT_LT(ends.size() == 1 ? 0 : ends[ends.size() - 2], size) << "one record less would do";
    }
  }
}

TEST(Synth, HeaderNamesEachColumnAndCountsAsBytes) {
  for (SynthKind const& kind : synth_kinds()) {
    if (kind.header.empty()) continue;
    std::string const name(kind.name);
    std::string const text = made({.kind = name, .seed = 1, .rows = 3, .header = true}, 1);
    EXPECT_EQ(text, std::string(kind.header) + made({.kind = name, .seed = 1, .rows = 3}, 1));
    EXPECT_TRUE(kind.header.starts_with("label,"));
    EXPECT_EQ(made({.kind = name, .seed = 1, .size_bytes_min = kind.header.size(), .header = true}, 1), kind.header);
  }
}

TEST(Synth, FormatsWithoutHeadersRefuseThem) {
  for (std::string const name : {"libsvm", "recordio", "recordio-sparse", "dirty-libsvm"}) {
    EXPECT_THROW(made({.kind = name, .rows = 1, .header = true}, 1), ConfigurationError) << name;
  }
}

TEST(Synth, NoRecordExceedsItsLimit) {
  for (SynthKind const& kind : synth_kinds()) {
    std::string const block = synthesize_block(options_of(kind, 11), 4);
    std::size_t begin = 0, longest = 0;
    for (std::size_t end : record_ends(kind, block)) {
      longest = std::max(longest, end - begin);
      begin = end;
    }
    EXPECT_LE(longest, kind.record_bytes_max) << kind.name;
    EXPECT_GE(block.size(), 256u << 10) << "blocks are worth a thread's while";
    EXPECT_LE(block.size(), 1u << 20) << "and stay in a cache";
  }
}

constexpr char const* all_kinds =
    "higgs, compact, quoted, wide, libsvm, recordio, recordio-sparse, deepar, objects, dirty, dirty-libsvm";

TEST(Synth, UnknownKindNamesTheNearMissAndAllKinds) {
  try {
    made({.kind = "higs", .seed = 1, .rows = 1}, 1);
    FAIL() << "no error";
  } catch (ConfigurationError const& error) {
    EXPECT_NE(std::string(error.what()).find("\"higs\""), std::string::npos) << error.what();
    EXPECT_EQ(error.hint(), std::string("did you mean \"higgs\"? kinds: ") + all_kinds);
    EXPECT_EQ(error.exit_code(), ExitCode::usage);
  }
  try {
    made({.kind = "parquet", .seed = 1, .rows = 1}, 1);
    FAIL() << "no error";
  } catch (ConfigurationError const& error) {
    EXPECT_EQ(error.hint(), std::string("kinds: ") + all_kinds);
  }
}

TEST(Synth, NeedsEitherRowsOrSize) {
  EXPECT_THROW(made({.kind = "higgs", .seed = 1}, 1), ConfigurationError);
  EXPECT_THROW(made({.kind = "higgs", .seed = 1, .size_bytes_min = 1, .rows = 1}, 1), ConfigurationError);
}

TEST(Synth, SinkErrorsEndAllThreads) {
  for (unsigned threads : {1u, 4u}) {
    MemorySink sink(3'000'000);
    EXPECT_THROW(synthesize({.kind = "compact", .seed = 1, .rows = 1'000'000'000'000}, sink, threads), SinkError);
    EXPECT_GT(sink.text.size(), 2'000'000u);
  }
}

}  // namespace
}  // namespace penstock::app
