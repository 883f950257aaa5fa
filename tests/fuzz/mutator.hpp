/// Inputs made from other inputs: the same ones from the same seed, everywhere.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/choices.hpp"

namespace penstock::fuzz {

class Mutator {
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  char any_byte() { return static_cast<char>(below(256)); }
  template <class List>
  auto const& one_of(List const& list) {
    return list[below(std::size(list))];
  }

 public:
  /// Of `seeds`, which has at least one and outlives this.
  Mutator(std::vector<std::string> const& seeds, std::uint64_t seed) : seeds_(seeds), random_(seed) {}

  /// A seed with up to five changes. Every fourth input begins with choices of its own.
  std::string next() {
    std::string input = one_of(seeds_);
    input.resize(std::max(input.size(), choice_bytes), '\0');
    if (one_in(4)) {
      for (std::size_t i = 0; i < choice_bytes; ++i) input[i] = any_byte();
    }
    std::string file = input.substr(choice_bytes);
    input.resize(choice_bytes);
    for (std::size_t changes = below(6); changes > 0; --changes) change(file);
    if (one_in(3)) input[below(choice_bytes)] = any_byte();
    return input + file.substr(0, file_bytes_max);
  }

 private:
  /// Enough for several of the largest buffers; more would only be slower.
  static constexpr std::size_t file_bytes_max = 9000;

  void change(std::string& file) {
    std::size_t const at = below(file.size() + 1), left = file.size() - at;
    switch (below(12)) {
      case 0: flip_bit(file); break;
      case 1: set_byte(file); break;
      case 2: file.resize(at); break;
      case 3: file.erase(at, 1 + below(left + 1) % 64); break;
      case 4: file.insert(at, word()); break;
      case 5: file.replace(at, std::min<std::size_t>(left, 1 + below(8)), word()); break;
      case 6: file = file.substr(0, at) + tail(one_of(seeds_)); break;
      case 7: file.insert(at, stretch(file)); break;
      case 8: enlarge_number(file); break;
      case 9: file.insert(at, std::string(1 + below(200), one_of(fillers))); break;
      case 10: add_to_word(file); break;
      default: file += stretch(file); break;
    }
  }

  void flip_bit(std::string& file) {
    if (!file.empty()) file[below(file.size())] ^= static_cast<char>(1 << below(8));
  }
  void set_byte(std::string& file) {
    if (!file.empty()) file[below(file.size())] = any_byte();
  }

  /// The rest of a seed's file from some place on.
  std::string tail(std::string const& seed) {
    std::string const file = seed.substr(std::min(choice_bytes, seed.size()));
    return file.substr(below(file.size() + 1));
  }
  std::string stretch(std::string const& file) {
    std::size_t const at = below(file.size() + 1);
    return file.substr(at, below(300));
  }

  /// More digits, or the last ones of what fits.
  void enlarge_number(std::string& file) {
    static constexpr std::string_view digits = "0123456789";
    std::size_t const at = file.find_first_of(digits, below(file.size() + 1));
    if (at == std::string::npos) return;
    static constexpr std::string_view more[] = {"9", "00", "2147483648", "9223372036854775807", "e308", "1e-400", "."};
    file.insert(at + below(2), one_of(more));
  }

  /// Little-endian lengths and counts that are off by a little, or by all.
  void add_to_word(std::string& file) {
    if (file.size() < 4) return;
    std::size_t const at = below(file.size() / 4) * 4;
    static constexpr std::uint32_t steps[] = {1, 0xffffffffu, 4, 0x20000000u, 0x7fffffffu, 0x80000000u};
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(file[at + i])} << (8 * i);
    value += one_of(steps);
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
  }

  /// What readers look for: line ends, separators, odd numbers, magics, tags, signatures.
  std::string word() {
    using namespace std::string_view_literals;
    static constexpr std::string_view words[] = {"\n"sv,
                                                 "\r\n"sv,
                                                 "\r"sv,
                                                 "\n\n"sv,
                                                 "\xef\xbb\xbf"sv,
                                                 ","sv,
                                                 "\t"sv,
                                                 ";"sv,
                                                 "\""sv,
                                                 "\"\""sv,
                                                 "\"\n\""sv,
                                                 "\\"sv,
                                                 "#"sv,
                                                 ":"sv,
                                                 " "sv,
                                                 " qid:1 "sv,
                                                 "qid:"sv,
                                                 " 1:1"sv,
                                                 " 0:0"sv,
                                                 "1:2:3"sv,
                                                 "1,2"sv,
                                                 "nan"sv,
                                                 "-NaN"sv,
                                                 "inf"sv,
                                                 "NA"sv,
                                                 "null"sv,
                                                 "-"sv,
                                                 "+"sv,
                                                 "."sv,
                                                 "1e309"sv,
                                                 "1e-325"sv,
                                                 "-0"sv,
                                                 "0x10"sv,
                                                 "16777217"sv,
                                                 "9223372036854775806"sv,
                                                 "9223372036854775807"sv,
                                                 "99999999999999999999"sv,
                                                 "2147483648"sv,
                                                 "1.00000017881393432617187499"sv,
                                                 "\0"sv,
                                                 "\x0a\x23\xd7\xce"sv,
                                                 "\x0a\x23\xd7\xce\x04\0\0\0abcd"sv,
                                                 "\x0a\x23\xd7\xce\0\0\0\x20"sv,
                                                 "\x0a\x23\xd7\xce\0\0\0\x60"sv,
                                                 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv,
                                                 "\x0a\x06values"sv,
                                                 "\x12\x06\x12\x04\x0a\x02"sv,
                                                 "\x1a\x01\x05"sv,
                                                 "\x80\x80\x01"sv,
                                                 "\x93NUMPY\x01\0\x76\0{"sv,
                                                 "(3, 2)"sv,
                                                 "(4,)"sv,
                                                 "'<f4'"sv,
                                                 "'<i8'"sv,
                                                 "'>f8'"sv,
                                                 "'|O'"sv,
                                                 "True"sv,
                                                 "PK\x03\x04"sv,
                                                 "PK\x01\x02"sv,
                                                 "PK\x05\x06"sv,
                                                 "PK\x06\x07"sv};
    return std::string(one_of(words));
  }

  static constexpr std::string_view fillers = std::string_view("0x \n,:1\"\r\0\xff", 11);

  std::vector<std::string> const& seeds_;
  std::mt19937_64 random_;
};

}  // namespace penstock::fuzz
