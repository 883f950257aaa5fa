#include "formats/dense/zip.hpp"

#include "formats/dense/crc32.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock {
namespace {

using zip::Status;

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string text_of(zip::Header const& header) {
  return {reinterpret_cast<char const*>(header.bytes().data()), header.bytes().size()};
}

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (char c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

/// Without the blanks that make a header's fields visible.
std::string packed(std::string text) {
  std::erase(text, ' ');
  return text;
}

struct File {
  std::string_view name;
  std::string_view data;
};

/// An archive of stored files, made of the headers under test.
std::string archive_of(std::vector<File> const& files) {
  std::string archive;
  std::string central;
  for (File const& file : files) {
    zip::Entry entry;
    entry.name = file.name;
    entry.size_bytes = file.data.size();
    entry.header_offset_bytes = archive.size();
    entry.crc = crc32(bytes_of(file.data));
    archive.append(text_of(zip::local_header(entry))).append(file.data);
    central += text_of(zip::central_header(entry));
  }
  zip::Directory const directory{files.size(), archive.size(), central.size()};
  return archive + central + text_of(zip::end_records(directory));
}

std::string two_files() { return archive_of({{"a.npy", "hello"}, {"bc.npy", "penstock"}}); }

std::uint32_t slow_crc32(std::string_view text) {
  std::uint32_t crc = 0xffffffffu;
  for (char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
  }
  return ~crc;
}

std::string noise(std::size_t size) {
  std::mt19937 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random() & 0xff);
  return text;
}

TEST(Crc32, KnownValues) {
  EXPECT_EQ(crc32({}), 0u);
  EXPECT_EQ(crc32(bytes_of("123456789")), 0xcbf43926u);
  EXPECT_EQ(crc32(bytes_of("The quick brown fox jumps over the lazy dog")), 0x414fa339u);
}

TEST(Crc32, EqualsTheBitwiseDefinitionAtEveryLength) {
  std::string const text = noise(200);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    std::string_view const part = std::string_view(text).substr(0, size);
    ASSERT_EQ(crc32(bytes_of(part)), slow_crc32(part)) << size;
  }
}

TEST(Crc32, CutsDoNotMatterAndPartsCombine) {
  std::string const text = noise(3000);
  std::uint32_t const whole = crc32(bytes_of(text));
  for (std::size_t cut = 0; cut <= text.size(); cut += 37) {
    std::string_view const a = std::string_view(text).substr(0, cut);
    std::string_view const b = std::string_view(text).substr(cut);
    Crc32 crc;
    crc.update(bytes_of(a));
    crc.update(bytes_of(b));
    ASSERT_EQ(crc.value(), whole);
    ASSERT_EQ(crc32_combine(crc32(bytes_of(a)), crc32(bytes_of(b)), b.size()), whole);
  }
}

TEST(Crc32, CombinesBeyondFourGibibytes) {
  // Zeros doubled: the checksum of 2^33 zero bytes from that of one MiB of them.
  std::string const mebibyte(1 << 20, '\0');
  std::uint32_t crc = crc32(bytes_of(mebibyte));
  std::uint64_t size = mebibyte.size();
  for (; size < std::uint64_t{1} << 33; size *= 2) crc = crc32_combine(crc, crc, size);
  std::string const text = "123456789";
  // A + (zeros + B) and (A + zeros) + B agree.
  std::uint32_t const one = 0xcbf43926u;
  EXPECT_EQ(crc32_combine(one, crc32_combine(crc, one, 9), size + 9),
            crc32_combine(crc32_combine(one, crc, size), one, 9));
  EXPECT_NE(crc, 0u);
}

TEST(ZipHeaders, LocalHeaderByteForByte) {
  zip::Entry entry;
  entry.name = "qid.npy";
  entry.size_bytes = 0x0102030405;
  entry.crc = 0x11223344;
  EXPECT_EQ(hex_of(text_of(zip::local_header(entry))),
            packed("504b0304 2d00 0000 0000 0000 2100 44332211 ffffffff ffffffff 0700 1400"
                   "7169642e6e7079"
                   "0100 1000 0504030201000000 0504030201000000"));
  EXPECT_EQ(zip::local_header(entry).bytes().size(), zip::local_header_bytes(entry.name));
}

TEST(ZipHeaders, LocalHeaderLengthDoesNotDependOnTheSize) {
  zip::Entry entry;
  entry.name = "features.npy";
  std::size_t const small = zip::local_header(entry).bytes().size();
  entry.size_bytes = std::uint64_t{1} << 60;
  EXPECT_EQ(zip::local_header(entry).bytes().size(), small);
}

TEST(ZipHeaders, SmallCentralHeaderHasNoExtraField) {
  zip::Entry entry;
  entry.name = "a";
  entry.size_bytes = 0xfffffffe;
  entry.header_offset_bytes = 0xfffffffe;
  EXPECT_EQ(hex_of(text_of(zip::central_header(entry))),
            packed("504b0102 2d00 2d00 0000 0000 0000 2100 00000000 feffffff feffffff"
                   "0100 0000 0000 0000 0000 00000000 feffffff 61"));
}

TEST(ZipHeaders, CentralHeaderMovesToZip64FieldByField) {
  zip::Entry entry;
  entry.name = "a";
  entry.size_bytes = 0xffffffff;
  EXPECT_EQ(hex_of(text_of(zip::central_header(entry))),
            packed("504b0102 2d00 2d00 0000 0000 0000 2100 00000000 ffffffff ffffffff"
                   "0100 1400 0000 0000 0000 00000000 00000000 61"
                   "0100 1000 ffffffff00000000 ffffffff00000000"));
  entry.size_bytes = 5;
  entry.header_offset_bytes = std::uint64_t{1} << 32;
  EXPECT_EQ(hex_of(text_of(zip::central_header(entry))),
            packed("504b0102 2d00 2d00 0000 0000 0000 2100 00000000 05000000 05000000"
                   "0100 0c00 0000 0000 0000 00000000 ffffffff 61"
                   "0100 0800 0000000001000000"));
}

TEST(ZipHeaders, LongestNameFits) {
  std::string const name(zip::name_bytes_max, 'n');
  zip::Entry entry;
  entry.name = name;
  entry.size_bytes = entry.header_offset_bytes = std::uint64_t{1} << 40;
  EXPECT_EQ(zip::central_header(entry).bytes().size(), 46 + name.size() + 4 + 24);
  EXPECT_EQ(zip::local_header(entry).bytes().size(), zip::local_header_bytes(name));
}

TEST(ZipHeaders, EndRecords) {
  EXPECT_EQ(hex_of(text_of(zip::end_records({2, 0x1000, 0x80}))),
            packed("504b0506 0000 0000 0200 0200 80000000 00100000 0000"));
  EXPECT_EQ(hex_of(text_of(zip::end_records({2, 0x100000000, 0x80}))),
            packed("504b0606 2c00000000000000 2d00 2d00 00000000 00000000 0200000000000000"
                   "0200000000000000 8000000000000000 0000000001000000"
                   "504b0607 00000000 8000000001000000 01000000"
                   "504b0506 0000 0000 0200 0200 80000000 ffffffff 0000"));
  EXPECT_EQ(text_of(zip::end_records({0xffff, 0, 0})).size(), 98u);
  EXPECT_EQ(text_of(zip::end_records({0xfffe, 0, 0})).size(), 22u);
}

TEST(ZipRead, ListsWhatWasWritten) {
  std::string const archive = two_files();
  zip::Entries entries(bytes_of(archive));
  zip::Entry entry;
  ASSERT_TRUE(entries.next(entry));
  EXPECT_EQ(entry.name, "a.npy");
  EXPECT_EQ(entry.method, zip::method_stored);
  EXPECT_EQ(entry.size_bytes, 5u);
  EXPECT_EQ(archive.substr(entry.data_offset_bytes, entry.stored_bytes), "hello");
  EXPECT_TRUE(zip::has_intact_data(bytes_of(archive), entry));
  ASSERT_TRUE(entries.next(entry));
  EXPECT_EQ(entry.name, "bc.npy");
  EXPECT_EQ(zip::data(bytes_of(archive), entry).size(), 8u);
  EXPECT_FALSE(entries.next(entry));
  EXPECT_EQ(entries.status(), Status::ok);
}

TEST(ZipRead, FindsByNameAndSaysWhyNot) {
  std::string archive = two_files();
  zip::Entry entry;
  EXPECT_EQ(zip::find(bytes_of(archive), "bc.npy", entry), Status::ok);
  EXPECT_EQ(zip::find(bytes_of(archive), "b.npy", entry), Status::not_found);
  std::size_t const central = archive.find("PK\x01\x02");
  archive[central + 10] = 8;
  EXPECT_EQ(zip::find(bytes_of(archive), "a.npy", entry), Status::deflated);
  EXPECT_EQ(entry.method, zip::method_deflated);
  archive[central + 10] = 14;
  EXPECT_EQ(zip::find(bytes_of(archive), "a.npy", entry), Status::unsupported_method);
  archive[central + 8] = 1;
  EXPECT_EQ(zip::find(bytes_of(archive), "a.npy", entry), Status::encrypted);
  EXPECT_EQ(zip::find(bytes_of(archive), "bc.npy", entry), Status::ok);
}

TEST(ZipRead, DamagedDataIsNotIntact) {
  std::string archive = two_files();
  archive[archive.find("hello")] = 'j';
  zip::Entry entry;
  ASSERT_EQ(zip::find(bytes_of(archive), "a.npy", entry), Status::ok);
  EXPECT_FALSE(zip::has_intact_data(bytes_of(archive), entry));
}

TEST(ZipRead, EmptyArchiveAndComment) {
  std::string archive = archive_of({});
  zip::Entry entry;
  EXPECT_EQ(zip::find(bytes_of(archive), "a", entry), Status::not_found);
  archive = two_files();
  // A comment that holds the signature of an end record, whose own length does not fit.
  std::string const comment = std::string("PK\x05\x06") + std::string(30, 'c');
  archive[archive.size() - 2] = static_cast<char>(comment.size());
  archive += comment;
  EXPECT_EQ(zip::find(bytes_of(archive), "bc.npy", entry), Status::ok);
}

/// One file "a" with every 32-bit number of the directory moved to zip64, though it would fit.
std::string needless_zip64(std::uint64_t size_bytes = 5) {
  zip::Entry entry;
  entry.name = "a";
  entry.size_bytes = 5;
  std::string archive = text_of(zip::local_header(entry)) + "hello";
  std::uint64_t const directory = archive.size();
  zip::Header central;
  central.u32(0x02014b50).u16(45).u16(45).u16(0).u16(0).u16(0).u16(33).u32(crc32(bytes_of("hello")));
  central.u32(0xffffffff).u32(0xffffffff).u16(1).u16(28).u16(0).u16(0).u16(0).u32(0).u32(0xffffffff).text("a");
  central.u16(1).u16(24).u64(size_bytes).u64(size_bytes).u64(0);
  archive += text_of(central);
  zip::Header end;
  end.u32(0x06064b50).u64(44).u16(45).u16(45).u32(0).u32(0).u64(1).u64(1);
  end.u64(archive.size() - directory).u64(directory);
  end.u32(0x07064b50).u32(0).u64(archive.size()).u32(1);
  archive += text_of(end);
  zip::Header last;
  last.u32(0x06054b50).u16(0xffff).u16(0xffff).u16(0xffff).u16(0xffff).u32(0xffffffff).u32(0xffffffff).u16(0);
  return archive + text_of(last);
}

TEST(ZipRead, FollowsZip64) {
  std::string const archive = needless_zip64();
  zip::Entry entry;
  ASSERT_EQ(zip::find(bytes_of(archive), "a", entry), Status::ok);
  EXPECT_EQ(entry.size_bytes, 5u);
  EXPECT_EQ(entry.header_offset_bytes, 0u);
  EXPECT_TRUE(zip::has_intact_data(bytes_of(archive), entry));
}

TEST(ZipRead, SizesBeyondTheArchiveAreMalformed) {
  zip::Entry entry;
  for (std::uint64_t size : {std::uint64_t{1} << 20, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    std::string const archive = needless_zip64(size);
    EXPECT_EQ(zip::find(bytes_of(archive), "a", entry), Status::malformed) << size;
  }
}

TEST(ZipRead, EveryPrefixIsNoArchive) {
  for (std::string const& archive : {two_files(), needless_zip64()}) {
    for (std::size_t size = 0; size < archive.size(); ++size) {
      std::string const prefix(archive, 0, size);
      zip::Entry entry;
      EXPECT_EQ(zip::find(bytes_of(prefix), "a.npy", entry), Status::not_a_zip) << size;
    }
  }
}

TEST(ZipRead, ContradictionsAreMalformed) {
  zip::Entry entry;
  std::string archive = two_files();
  std::size_t const end = archive.size() - 22;
  std::size_t const central = archive.find("PK\x01\x02");
  auto const status_with = [&](std::size_t at, char value) {
    std::string damaged = archive;
    damaged[at] = value;
    return zip::find(bytes_of(damaged), "bc.npy", entry);
  };
  EXPECT_EQ(status_with(end + 4, 1), Status::many_disks);
  EXPECT_EQ(status_with(end + 8, 1), Status::many_disks);
  EXPECT_EQ(status_with(end + 15, 1), Status::malformed) << "directory beyond the end";
  EXPECT_EQ(status_with(central, 'X'), Status::malformed) << "central signature";
  EXPECT_EQ(status_with(central + 28, 99), Status::malformed) << "name beyond the directory";
  EXPECT_EQ(status_with(central + 42, 1), Status::malformed) << "no local header there";
  EXPECT_EQ(status_with(central + 46, 'x'), Status::malformed) << "two names";
  EXPECT_EQ(status_with(2, 'X'), Status::malformed) << "local signature";
}

TEST(ZipRead, DamagedBytesNeverLeadOutside) {
  std::mt19937 random(3);
  for (std::string const& good : {two_files(), needless_zip64()}) {
    for (int round = 0; round < 20000; ++round) {
      std::string archive = good;
      for (int i = 0; i < 2; ++i) archive[random() % archive.size()] = static_cast<char>(random() & 0xff);
      zip::Entries entries(bytes_of(archive));
      for (zip::Entry entry; entries.next(entry);) {
        ASSERT_LE(entry.data_offset_bytes + entry.stored_bytes, archive.size());
        if (zip::readable(entry) == Status::ok) (void)zip::has_intact_data(bytes_of(archive), entry);
      }
      EXPECT_FALSE(zip::describe(entries.status()).empty());
    }
  }
}

}  // namespace
}  // namespace penstock
