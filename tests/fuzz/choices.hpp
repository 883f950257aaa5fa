/// Inputs of fuzz targets: the first bytes choose options and sizes, the rest is the file.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/format_run.hpp"

namespace penstock::fuzz {

/// More than any target asks for: a format's options take a byte each, sizes and shards some fifteen.
inline constexpr std::size_t choice_bytes = 32;

/// Reads choices byte by byte; behind the last byte all are 0. A choice of 0 is the plainest one everywhere, so that a
/// file behind zeros is read the way a user's first command reads it.
class Choices {
 public:
  explicit Choices(std::string_view input) : bytes_(input.substr(0, choice_bytes)) {}

  /// 0 to n - 1; n is at most 256.
  std::size_t below(std::size_t n) { return at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) % n : 0; }
  bool flag() { return below(2) == 1; }
  template <class List>
  auto const& one_of(List const& list) {
    return list[below(std::size(list))];
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

inline std::string_view file_of(std::string_view input) { return input.substr(std::min(choice_bytes, input.size())); }

/// Sizes of buffers and rounds around those where passes change step (64-byte blocks), and small ones.
inline testing::RunSizes choose_sizes(Choices& choices) {
  static constexpr std::size_t buffers[] = {4096, 1, 2, 3, 7, 16, 63, 64, 65, 128, 300, 1000};
  static constexpr std::string_view poisons("Z\n\r 1:#,\"\0\xce\xff", 12);
  testing::RunSizes sizes;
  sizes.buffer_bytes = choices.one_of(buffers);
  sizes.rejects_max = 1 + choices.below(8);
  sizes.capacity = {1 + choices.below(16), choices.below(64), choices.below(16), choices.below(32), choices.below(32)};
  sizes.capacity.text_bytes = sizes.capacity.metadata_bytes * 1024;  // no format has metadata and columns of text
  sizes.faults_max = 1 + choices.below(4);
  sizes.poison = choices.one_of(poisons);
  return sizes;
}

/// The file as one shard or two.
inline std::vector<std::string> choose_shards(Choices& choices, std::string_view file) {
  std::size_t const cut = choices.below(256);
  if (cut == 0) return {std::string(file)};
  std::size_t const at = file.size() * cut / 256;
  return {std::string(file.substr(0, at)), std::string(file.substr(at))};
}

/// The words of `a|b|c`.
inline std::vector<std::string_view> alternatives(std::string_view argument) {
  std::vector<std::string_view> words;
  for (;;) {
    std::size_t const bar = argument.find('|');
    words.push_back(argument.substr(0, bar));
    if (bar == std::string_view::npos) return words;
    argument.remove_prefix(bar + 1);
  }
}

/// What an option may be set to, if its help calls the value `argument`: words stand for themselves, capitals (N, KEY)
/// for numbers or names.
inline std::vector<std::string_view> values_of(std::string_view argument) {
  if (argument.empty()) return {"true"};
  bool const is_word = argument.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != std::string_view::npos;
  if (is_word) return alternatives(argument);
  return {"1", "2", "3", "7", "100", "70000", "4294967296", "9223372036854775807", "values", "others", ""};
}

/// Every option of a format's table is left alone or set to one of its values. Values that an option refuses are no
/// choice.
template <class Options, class Table>
Options choose_options(Choices& choices, Table const& table) {
  Options options;
  for (auto const& option : table) {
    std::vector<std::string_view> const values = values_of(option.argument);
    std::size_t const chosen = choices.below(values.size() + 1);
    if (chosen > 0) (void)option.set(options, values[chosen - 1]);
  }
  return options;
}

}  // namespace penstock::fuzz
