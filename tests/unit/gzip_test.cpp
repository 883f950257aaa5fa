#include "host/io/gzip.hpp"

#include "host/io/source.hpp"
#include "penstock/error.hpp"
#include "tests/support/drain.hpp"
#include "tests/support/faulty_source.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <sys/stat.h>

#ifdef PENSTOCK_HAS_ZLIB
#include <zlib.h>
#endif

namespace {

using namespace std::string_view_literals;
using penstock::expand_inputs;
using penstock::make_gzip_source;
using penstock::open_at;
using penstock::open_source;
using penstock::Source;
using penstock::SourceError;
using penstock::testing::drain;
using penstock::testing::FaultyOptions;
using penstock::testing::FaultySource;
using penstock::testing::Outcome;
using penstock::testing::ScratchFolder;

std::unique_ptr<Source> open_path(std::string const& path) { return open_source(expand_inputs({path})[0]); }

Outcome contents(std::string const& path, std::size_t capacity = 4096) { return drain(*open_path(path), capacity); }

std::string little_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

std::uint32_t crc32_of(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (char const byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
  }
  return ~crc;
}

constexpr std::string_view plain_header = "\x1f\x8b\x08\0\0\0\0\0\0\xff"sv;

std::string trailer_of(std::string_view text) {
  return little_endian(crc32_of(text), 4) + little_endian(static_cast<std::uint32_t>(text.size()), 4);
}

/// A gzip member of one stored block (RFC 1951, 3.2.4): what is lost by cutting it can be said to the byte.
std::string stored_member(std::string_view text, std::string_view header = plain_header) {
  auto const size = static_cast<std::uint32_t>(text.size());
  return std::string(header) + '\1' + little_endian(size, 2) + little_endian(~size & 0xffff, 2) + std::string(text) +
         trailer_of(text);
}
constexpr std::size_t stored_text_begin = 10 + 5;

bool can_inflate() { return !penstock::gzip_library().empty(); }

#define PENSTOCK_SKIP_WITHOUT_GZIP() \
  if (!can_inflate()) GTEST_SKIP() << "this build has no gzip support"

TEST(Gzip, WithoutALibraryTheErrorSaysWhatAddsIt) {
  if (can_inflate()) GTEST_SKIP() << "this build has gzip support";
  ScratchFolder const folder;
  try {
    (void)open_path(folder.put("a.gz", stored_member("1\n")));
    FAIL();
  } catch (SourceError const& error) {
    EXPECT_NE(std::string(error.what()).find("no gzip support"), std::string::npos);
    EXPECT_NE(error.hint().find("zlib1g-dev"), std::string::npos);
  }
}

TEST(Gzip, ContentDecidesNotTheName) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const zipped = stored_member("1,2\n");
  std::unique_ptr<Source> const source = open_path(folder.put("a.csv", zipped));
  EXPECT_EQ(drain(*source).bytes, "1,2\n");
  EXPECT_EQ(source->stored_bytes_total(), zipped.size());
  EXPECT_EQ(source->stored_bytes_read(), zipped.size());
  EXPECT_EQ(contents(folder.put("b.gz", "1,2\n")).bytes, "1,2\n");
  EXPECT_EQ(drain(*open_at(expand_inputs({folder.at("a.csv")})[0], 2)).bytes, "2\n");
  EXPECT_EQ(drain(*open_at(expand_inputs({folder.at("a.csv")})[0], 9)).bytes, "");
}

TEST(Gzip, MembersAndPaddingFollowEachOther) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const a = stored_member("1,2\n");
  std::string const b = stored_member("3,4\n");
  std::string const empty = stored_member("");
  std::string const zeros(700, '\0');
  for (std::string const& file :
       {a + b, a + empty + b, empty + a + b, a + b + empty, a + b + zeros, a + zeros + b, a + b + zeros.substr(0, 1)}) {
    for (std::size_t const capacity : {1u, 3u, 4u, 5u, 4096u}) {
      Outcome const outcome = contents(folder.put("a.gz", file), capacity);
      EXPECT_EQ(outcome.bytes, "1,2\n3,4\n");
      EXPECT_EQ(outcome.error, "");
    }
  }
  EXPECT_EQ(contents(folder.put("a.gz", empty)).bytes, "");
}

TEST(Gzip, GarbageAfterTheDataIsNamed) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const member = stored_member("1,2\n");
  std::string const at = std::to_string(member.size());
  Outcome const outcome = contents(folder.put("a.gz", member + "Q"));
  EXPECT_EQ(outcome.bytes, "1,2\n");
  EXPECT_NE(outcome.error.find("compressed byte " + at + " (0x51)"), std::string::npos) << outcome.error;
  for (std::string_view tail : {"\x1f"sv, "\x1f\x8c"sv, "\0\0\0Q"sv}) {
    Outcome const other = contents(folder.put("a.gz", member + std::string(tail)));
    EXPECT_EQ(other.bytes, "1,2\n");
    EXPECT_NE(other.error.find("follows the end of the gzip data"), std::string::npos) << other.error;
  }
}

TEST(Gzip, HeadersMayCarryNamesAndComments) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const fields = std::string("\x1f\x8b\x08\x1c\0\0\0\0\0\xff", 10) +  // extra field, name, comment
                             std::string("\x05\0AB\x01\0x", 7) + std::string("train.csv\0", 10) +
                             std::string("no comment\0", 11);
  EXPECT_EQ(contents(folder.put("a.gz", stored_member("1\n", fields))).bytes, "1\n");
  std::string with_checksum = fields;
  with_checksum[3] = 0x1e;
  with_checksum += little_endian(crc32_of(with_checksum) & 0xffff, 2);
  EXPECT_EQ(contents(folder.put("a.gz", stored_member("1\n", with_checksum))).bytes, "1\n");
}

TEST(Gzip, CutAnywhereItGivesWhatIsThere) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const text = "1,2\n3,4\n5,6\n";
  std::string const whole = stored_member(text);
  for (std::size_t size = 2; size < whole.size(); ++size) {
    Outcome const outcome = contents(folder.put("a.gz", whole.substr(0, size)), 5);
    std::size_t const good = size < stored_text_begin ? 0 : std::min(size - stored_text_begin, text.size());
    EXPECT_EQ(outcome.bytes, text.substr(0, good)) << size;
    EXPECT_NE(outcome.error.find("ends early, at compressed byte " + std::to_string(size)), std::string::npos)
        << outcome.error;
    EXPECT_NE(outcome.error.find(folder.at("a.gz")), std::string::npos);
    EXPECT_FALSE(outcome.hint.empty());
  }
}

TEST(Gzip, WrongChecksumsAndLengthsAreFound) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const text = "1,2\n3,4\n";
  std::string const whole = stored_member(text);
  for (std::size_t const flipped : {whole.size() - 1, whole.size() - 4, whole.size() - 5, whole.size() - 8}) {
    std::string wrong = whole;
    wrong[flipped] = static_cast<char>(wrong[flipped] ^ 4);
    Outcome const outcome = contents(folder.put("a.gz", wrong));
    EXPECT_EQ(outcome.bytes, text);
    EXPECT_NE(outcome.error.find("corrupt near compressed byte"), std::string::npos) << outcome.error;
  }
}

TEST(Gzip, BrokenBlocksAreFound) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const good = stored_member("1,2\n");
  std::string reserved_block = stored_member("3,4\n");
  reserved_block[10] = 7;  // block type 3 does not exist
  Outcome const outcome = contents(folder.put("a.gz", good + reserved_block));
  EXPECT_EQ(outcome.bytes, "1,2\n");
  EXPECT_NE(outcome.error.find("corrupt"), std::string::npos);
  std::string unknown_method = good;
  unknown_method[2] = 9;
  EXPECT_NE(contents(folder.put("a.gz", unknown_method)).error.find("corrupt"), std::string::npos);
}

TEST(Gzip, IsSeenInPipesThatTrickle) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  ScratchFolder const folder;
  std::string const path = folder.at("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string const fields("\x1f\x8b\x08\x0c\0\0\0\0\0\xff\x02\0ABtrain.csv\0", 24);
  std::string const zipped = stored_member("1,2\n", fields) + stored_member("3,4\n", fields);
  std::thread writer([&] {
    std::ofstream fifo(path, std::ios::binary);
    for (char const byte : zipped) fifo << byte << std::flush;
  });
  EXPECT_EQ(contents(path).bytes, "1,2\n3,4\n");
  writer.join();
}

TEST(Gzip, ReadErrorsComeAfterTheGoodBytes) {
  PENSTOCK_SKIP_WITHOUT_GZIP();
  std::string const text(3000, '7');
  std::string const zipped = stored_member(text);
  std::unique_ptr<Source> const source =
      make_gzip_source(std::make_unique<FaultySource>(zipped, FaultyOptions{.fail_after_bytes = 2000}));
  Outcome const outcome = drain(*source, 512);
  EXPECT_EQ(outcome.bytes, text.substr(0, 2000 - stored_text_begin));
  EXPECT_NE(outcome.error.find("on purpose"), std::string::npos);
}

#ifdef PENSTOCK_HAS_ZLIB

std::string compressed(std::string_view text, int level) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

/// Numbers in lines: text as it comes, that compresses but not to nothing.
std::string lines(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 100'000) + (random() % 8 == 0 ? '\n' : ',');
  text.resize(size);
  return text;
}

std::unique_ptr<Source> unzip(std::string zipped, std::uint64_t seed, std::size_t read_bytes_max) {
  return make_gzip_source(
      std::make_unique<FaultySource>(std::move(zipped), FaultyOptions{.seed = seed, .read_bytes_max = read_bytes_max}));
}

TEST(Gzip, HowItIsReadDoesNotMatter) {
  std::string const a = lines(60'000, 1);
  std::string const b = lines(20'000, 2);
  std::string const zeros(300'000, '0');  // long matches
  for (int const level : {1, 6, 9}) {
    std::string const zipped = compressed(a, level) + compressed(zeros, level) + compressed(b, level);
    for (std::size_t const read_bytes_max : {1u, 7u, 1000u, 1u << 20}) {
      for (std::size_t const capacity : {301u, 4096u, 1u << 20}) {
        Outcome const outcome = drain(*unzip(zipped, read_bytes_max, read_bytes_max), capacity);
        ASSERT_TRUE(outcome.bytes == a + zeros + b) << level << ' ' << read_bytes_max << ' ' << capacity;
        EXPECT_EQ(outcome.error, "");
      }
    }
  }
}

TEST(Gzip, CompressedDataCutAnywhereGivesAGrowingPrefix) {
  std::string const text = lines(5000, 3);
  std::string const zipped = compressed(text, 6);
  std::size_t before = 0;
  for (std::size_t size = 2; size < zipped.size(); size += size < 40 || size + 40 > zipped.size() ? 1 : 37) {
    Outcome const outcome = drain(*unzip(zipped.substr(0, size), size, 512), 333);
    ASSERT_TRUE(text.starts_with(outcome.bytes)) << size;
    EXPECT_GE(outcome.bytes.size(), before) << size;
    EXPECT_NE(outcome.error.find("ends early, at compressed byte " + std::to_string(size)), std::string::npos)
        << outcome.error;
    before = outcome.bytes.size();
  }
  EXPECT_EQ(before, text.size()) << "all but the last byte of the checksum is there";
}

TEST(Gzip, DamageNeverPasses) {
  std::string const text = lines(4000, 4);
  std::string const zipped = compressed(text, 6);
  std::mt19937_64 random(5);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = zipped;
    std::size_t const at = 10 + random() % (zipped.size() - 10);  // the header's time stamp may be anything
    damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1 << random() % 8));
    Outcome const outcome = drain(*unzip(damaged, 1, 4096), 100);
    EXPECT_FALSE(outcome.error.empty()) << at;
    Outcome const at_once = drain(*unzip(damaged, 2, 64), 1 << 16);
    EXPECT_EQ(outcome.bytes, at_once.bytes) << at << ": what is given before the error depends on the data alone";
  }
}

#endif

}  // namespace
