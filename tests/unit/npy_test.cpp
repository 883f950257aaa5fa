#include "formats/dense/npy.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>

namespace penstock {
namespace {

using npy::Status;

std::span<std::byte const> bytes_of(std::string const& text) { return std::as_bytes(std::span(text)); }

std::string text_of(npy::HeaderBytes const& header) {
  return {reinterpret_cast<char const*>(header.data()), header.size()};
}

/// A header with the given dictionary; `major` chooses how its length is written.
std::string with_text(std::string_view dictionary, int major = 1) {
  std::string file(npy::magic);
  file += static_cast<char>(major);
  file += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i) {
    file += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  }
  return file.append(dictionary);
}

std::string dictionary_of(std::string_view descr, std::string_view order, std::string_view shape) {
  std::string text = "{'descr': ";
  text.append(descr).append(", 'fortran_order': ").append(order).append(", 'shape': ").append(shape);
  return text + ", }\n";
}

npy::Parsed parse(std::string const& file) { return npy::parse_header(bytes_of(file)); }

TEST(NpyHeader, IsWhatNumpyWrites) {
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += "{'descr': '<f4', 'fortran_order': False, 'shape': (150, 4), }";
  expected.resize(127, ' ');
  expected += '\n';
  EXPECT_EQ(text_of(npy::make_header(DType::float32, 150, 4)), expected);
}

TEST(NpyHeader, VectorHasATupleOfOne) {
  std::string const header = text_of(npy::make_header(DType::int64, 7));
  EXPECT_NE(header.find("{'descr': '<i8', 'fortran_order': False, 'shape': (7,), }"), std::string::npos);
}

TEST(NpyHeader, LengthIsFixedAndEveryShapeReadsBack) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  for (DType type : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    for (std::uint64_t rows : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 40}) {
      std::string const header = text_of(npy::make_header(type, rows, 3));
      ASSERT_EQ(header.size(), 128u);
      EXPECT_EQ(header.back(), '\n');
      npy::Parsed const parsed = parse(header);
      ASSERT_EQ(parsed.status, Status::ok);
      EXPECT_EQ(parsed.array.dtype, type);
      EXPECT_EQ(parsed.array.dimensions, 2u);
      EXPECT_EQ(parsed.array.rows(), rows);
      EXPECT_EQ(parsed.array.columns(), 3u);
      EXPECT_EQ(parsed.array.data_bytes(), rows * 3 * size_bytes(type));
      EXPECT_EQ(parsed.data_offset_bytes, 128u);
    }
  }
  std::string const widest = text_of(npy::make_header(DType::float64, most, most));
  EXPECT_EQ(widest.size(), 128u);
  EXPECT_NE(widest.find("(18446744073709551615, 18446744073709551615), } "), std::string::npos);
  EXPECT_EQ(parse(widest).status, Status::too_large);
}

TEST(NpyHeader, TextHasNoDimensions) {
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += "{'descr': '|S3', 'fortran_order': False, 'shape': (), }";
  expected.resize(127, ' ');
  expected += '\n';
  EXPECT_EQ(text_of(npy::make_text_header(3)), expected);
  std::string const longest = text_of(npy::make_text_header(std::numeric_limits<std::uint32_t>::max()));
  EXPECT_NE(longest.find("'|S4294967295'"), std::string::npos);
}

TEST(NpyText, ReadsBytesAndAsciiCharacters) {
  auto const text_in = [](std::string const& file) { return npy::parse_text(bytes_of(file)); };
  EXPECT_EQ(text_in(text_of(npy::make_text_header(3)) + "csr"), "csr");
  EXPECT_EQ(text_in(text_of(npy::make_text_header(5)) + std::string("csr\0\0", 5)), "csr");
  EXPECT_EQ(text_in(with_text(dictionary_of("'<S2'", "False", "()")) + "ab"), "ab");
  EXPECT_EQ(text_in(with_text(dictionary_of("'<U2'", "False", "()")) + std::string("a\0\0\0b\0\0\0", 8)), "ab");
  EXPECT_EQ(text_in(text_of(npy::make_text_header(0))), "");
}

TEST(NpyText, RefusesEverythingElse) {
  for (std::string const& file : {
           std::string(),
           std::string("csr"),
           text_of(npy::make_header(DType::int32, 1)) + "csr1",
           text_of(npy::make_text_header(3)) + "cs",
           text_of(npy::make_text_header(3)) + "csr1",
           with_text(dictionary_of("'|S3'", "False", "(1,)")) + "csr",
           with_text(dictionary_of("'|S'", "False", "()")),
           with_text(dictionary_of("'|S3x'", "False", "()")) + "csr",
           with_text(dictionary_of("'|S-3'", "False", "()")) + "csr",
           with_text(dictionary_of("'|S99999999999999999999'", "False", "()")) + "csr",
           with_text(dictionary_of("'|V3'", "False", "()")) + "csr",
           with_text(dictionary_of("'>U1'", "False", "()")) + std::string("\0\0\0a", 4),
           with_text(dictionary_of("'<U1'", "False", "()")) + std::string("a\0\0\1", 4),
           text_of(npy::make_text_header(1)) + "\xe4",
           text_of(npy::make_text_header(65)) + std::string(65, 'a'),
       }) {
    EXPECT_FALSE(npy::parse_text(bytes_of(file)).has_value()) << file;
  }
}

TEST(NpyParse, AcceptsEveryVersion) {
  std::string const dictionary = dictionary_of("'<f8'", "False", "(3, 5)");
  for (int major : {1, 2, 3}) {
    npy::Parsed const parsed = parse(with_text(dictionary, major));
    ASSERT_EQ(parsed.status, Status::ok) << major;
    EXPECT_EQ(parsed.array.dtype, DType::float64);
    EXPECT_EQ(parsed.array.columns(), 5u);
    EXPECT_EQ(parsed.data_offset_bytes, (major == 1 ? 10u : 12u) + dictionary.size());
  }
}

TEST(NpyParse, AcceptsOtherSpellingsOfTheDictionary) {
  for (char const* text : {
           "{'shape': (3, 5), 'fortran_order': False, 'descr': '<f4'}",
           "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (3, 5)}\n",
           "{'descr':'<f4','fortran_order':False,'shape':(3,5),}",
           "  { 'descr' : '<f4' ,\n'fortran_order' : False , 'shape' : ( 3L , 5L , ) , }   \n",
           "{'descr': '=f4', 'fortran_order': False, 'shape': (3, 5), }",
           "{'descr': '|f4', 'fortran_order': False, 'shape': (3, 5), }",
           "{'descr': 'f4', 'fortran_order': False, 'shape': (3, 5), }",
       }) {
    npy::Parsed const parsed = parse(with_text(text));
    ASSERT_EQ(parsed.status, Status::ok) << text;
    EXPECT_EQ(parsed.array.dtype, DType::float32) << text;
    EXPECT_EQ(parsed.array.dimensions, 2u) << text;
    EXPECT_EQ(parsed.array.rows(), 3u) << text;
    EXPECT_EQ(parsed.array.columns(), 5u) << text;
  }
}

TEST(NpyParse, OtherNumbersOfDimensions) {
  npy::Parsed const scalar = parse(with_text(dictionary_of("'<f4'", "False", "()")));
  ASSERT_EQ(scalar.status, Status::ok);
  EXPECT_EQ(scalar.array.dimensions, 0u);
  EXPECT_EQ(scalar.array.data_bytes(), 4u);
  npy::Parsed const cube = parse(with_text(dictionary_of("'<i4'", "False", "(2, 3, 4)")));
  ASSERT_EQ(cube.status, Status::ok);
  EXPECT_EQ(cube.array.rows(), 2u);
  EXPECT_EQ(cube.array.columns(), 12u);
  EXPECT_EQ(parse(with_text(dictionary_of("'<i4'", "False", "(1,1,1,1,1,1,1,1)"))).status, Status::ok);
  std::string const file = with_text(dictionary_of("'<i4'", "False", "(1,1,1,1,1,1,1,1,1)"));
  npy::Parsed const nine = parse(file);
  EXPECT_EQ(nine.status, Status::dimensions);
  EXPECT_EQ(nine.found, "(1,1,1,1,1,1,1,1,1)");
}

TEST(NpyParse, RefusesWhatItCannotReadAndSaysWhatItFound) {
  struct Case {
    char const* descr;
    char const* order;
    Status status;
    char const* found;
  };
  for (Case const& c : {
           Case{"'>f4'", "False", Status::big_endian, ">f4"},
           Case{"'>i8'", "False", Status::big_endian, ">i8"},
           Case{"'|O'", "False", Status::object, "|O"},
           Case{"'<f2'", "False", Status::unsupported_type, "<f2"},
           Case{"'|u1'", "False", Status::unsupported_type, "|u1"},
           Case{"'|b1'", "False", Status::unsupported_type, "|b1"},
           Case{"'<U12'", "False", Status::unsupported_type, "<U12"},
           Case{"'<c8'", "False", Status::unsupported_type, "<c8"},
           Case{"[('a', '<f4'), ('b', '<f4', (2,))]", "False", Status::structured,
                "[('a', '<f4'), ('b', '<f4', (2,))]"},
           Case{"'<f4'", "True", Status::fortran_order, "(3, 5)"},
           Case{"''", "False", Status::malformed, ""},
       }) {
    std::string const file = with_text(dictionary_of(c.descr, c.order, "(3, 5)"));
    npy::Parsed const parsed = parse(file);
    EXPECT_EQ(parsed.status, c.status) << c.descr;
    EXPECT_EQ(parsed.found, c.found);
    EXPECT_FALSE(npy::describe(parsed.status).empty());
  }
}

TEST(NpyParse, RefusesDamagedDictionaries) {
  for (char const* text : {
           "",
           "{",
           "{}",
           "[]",
           "{'descr': '<f4'}",
           "{'descr': '<f4', 'fortran_order': False}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3 5)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (,)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 5)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 5)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': [3, 5]}",
           "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (3, 5)}",
           "{'descr': <f4, 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr': '<f4 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr' '<f4', 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr': '<f4' 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), 'more': 1}",
           "{'descr': '<f4', 'descr': '<f4', 'shape': (3, 5)}",
           "{'descr': '<\\x664', 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr': [('a', '<f4', 'fortran_order': False, 'shape': (3, 5)}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)} x",
       }) {
    EXPECT_EQ(parse(with_text(text)).status, Status::malformed) << text;
  }
}

TEST(NpyParse, SizesThatDoNotFitAreRefusedEvenBesideAZero) {
  EXPECT_EQ(parse(with_text(dictionary_of("'<f4'", "False", "(4611686018427387904,)"))).status, Status::too_large);
  EXPECT_EQ(parse(with_text(dictionary_of("'<f4'", "False", "(4611686018427387903,)"))).status, Status::ok);
  EXPECT_EQ(parse(with_text(dictionary_of("'<f4'", "False", "(0, 4294967296, 4294967296)"))).status, Status::too_large);
  EXPECT_EQ(parse(with_text(dictionary_of("'<f4'", "False", "(0, 4)"))).status, Status::ok);
}

TEST(NpyParse, WrongStartAndVersion) {
  std::string file = text_of(npy::make_header(DType::float32, 2, 2));
  EXPECT_EQ(parse("PK\x03\x04").status, Status::not_npy);
  file[6] = 4;
  EXPECT_EQ(parse(file).status, Status::bad_version);
  file[6] = 1;
  file[7] = 1;
  EXPECT_EQ(parse(file).status, Status::bad_version);
}

TEST(NpyParse, EveryPrefixIsTruncated) {
  for (int major : {1, 2}) {
    std::string const file = with_text(dictionary_of("'<f4'", "False", "(3, 5)"), major);
    for (std::size_t size = 0; size < file.size(); ++size) {
      // A copy of its own, so that a read beyond its end is caught.
      std::string const prefix(file, 0, size);
      EXPECT_EQ(parse(prefix).status, Status::truncated) << size;
    }
    EXPECT_EQ(parse(file).status, Status::ok);
  }
}

TEST(NpyParse, DamagedBytesNeverEscapeTheHeader) {
  std::mt19937 random(1);
  std::string const good = with_text("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 5)}");
  for (int round = 0; round < 20000; ++round) {
    std::string file = good;
    for (int i = 0; i < 3; ++i) {
      constexpr std::string_view alphabet = "{}[](),:'\"0123456789LTF \n\\<>=|fiO";
      file[random() % file.size()] = alphabet[random() % alphabet.size()];
    }
    npy::Parsed const parsed = parse(file);
    if (!parsed.found.empty()) {
      EXPECT_GE(parsed.found.data(), file.data());
      EXPECT_LE(parsed.found.data() + parsed.found.size(), file.data() + file.size());
    }
    if (parsed.status == Status::ok) {
      EXPECT_LE(parsed.array.dimensions, npy::dimensions_max);
      EXPECT_EQ(parsed.data_offset_bytes, file.size());
    }
  }
}

}  // namespace
}  // namespace penstock
