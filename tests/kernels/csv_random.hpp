/// Random CSV texts with everything in them that a decoder decides about, and rules to read them by.
#pragma once

#include <cstdint>
#include <cstdio>
#include <iterator>
#include <random>
#include <string>

#include "tests/kernels/csv_comparison.hpp"

namespace penstock::testing {

class CsvRandom {
 public:
  explicit CsvRandom(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  CsvRules rules() {
    CsvRules rules;
    auto& d = rules.dialect;
    d.delimiter = ",,;\t"[below(4)];
    if (one_in(8)) d.quote = 0;
    if (one_in(4)) d.escape = '\\';
    if (one_in(4)) d.comment = '#';
    d.trim = one_in(4);
    d.strict_quotes = one_in(3);
    if (one_in(3)) rules.labels = {{"x", 1.0f}, {"a b", 2.0f}, {"y\"z", 3.0f}, {"NA", 4.0f}};
    rules.repairs_cells = one_in(3);
    if (one_in(3)) rules.non_finite = one_in(2) ? csv::NonFinitePolicy::pass : csv::NonFinitePolicy::clip;
    if (one_in(5)) rules.nulls = {"", "1", "-2.5", "00.50"};
    if (one_in(8)) rules.nulls = {"NA"};
    if (one_in(3)) rules.overflow = csv::OverflowPolicy::infinity;
    static constexpr DType types[] = {DType::float32, DType::float32, DType::float32,
                                      DType::float64, DType::int32,   DType::int64};
    rules.features = types[below(std::size(types))];
    std::size_t const width = 1 + below(6);
    for (std::size_t i = 0; i < width; ++i) {
      rules.roles.push_back(role(i));
      if (rules.roles.back() == Role::category) rules.texts.push_back(text_rule());
    }
    return rules;
  }

  /// Records that are mostly right, of cells that are mostly numbers; `dirt` is 1 for the dirtiest.
  std::string text(CsvRules const& rules, std::size_t records, std::size_t dirt) {
    std::string out;
    for (std::size_t r = 0; r < records; ++r) {
      if (one_in(12 * dirt)) out += noise(rules);
      if (rules.dialect.comment != 0 && one_in(10)) out += "#1,\"2\" and\tmore\n";
      std::size_t const width = one_in(10 * dirt) ? 1 + below(8) : rules.roles.size();
      for (std::size_t c = 0; c < width; ++c) {
        if (c > 0) out += rules.dialect.delimiter;
        out += cell(dirt);
      }
      out += one_in(8) ? "\r\n" : one_in(12) ? "\r" : one_in(20) ? "\n\n" : one_in(30) ? "\n \t\n" : "\n";
    }
    return out;
  }

 private:
  Role role(std::size_t i) {
    if (i == 0) return Role::feature;
    static constexpr Role roles[] = {Role::feature, Role::feature, Role::label,   Role::weight,
                                     Role::qid,     Role::ignore,  Role::category};
    Role const role = roles[below(std::size(roles))];
    bool const is_single = role == Role::weight || role == Role::qid;
    bool const is_taken = is_single && taken_[static_cast<std::size_t>(role)];
    if (is_single) taken_[static_cast<std::size_t>(role)] = true;
    return is_taken ? Role::feature : role;
  }

  CsvText text_rule() {
    static constexpr char const* words[] = {
        "", "1", "-25", "30", "x", "a b", "1,2", "y\"z", "NA", "8\r\n9", "123456789", "8.692932128906250000e-01", "\n"};
    CsvText text;
    text.rule.reading = static_cast<normalize::Reading>(below(4));
    text.rule.unknown = static_cast<normalize::Unknown>(below(3));
    text.rule.hash_bits = static_cast<std::uint8_t>(1 + below(20));
    if (one_in(2)) text.rule.time_format = normalize::TimeFormat::epoch;
    for (char const* const word : words)
      if (!one_in(3)) text.words.push_back(word);
    return text;
  }

  /// Any bytes of the alphabet in which the grammar's decisions are made.
  std::string noise(CsvRules const& rules) {
    std::string const alphabet = std::string("1x\"\"\n\r ,;\t\\#.e-") + rules.dialect.delimiter;
    std::string out;
    for (std::size_t i = below(30); i > 0; --i) out += alphabet[below(alphabet.size())];
    return out;
  }

  std::string cell(std::size_t dirt) {
    static constexpr char const* good[] = {"1", "-25", "30", "123456789", "16777217", "0", "77777"};
    static constexpr char const* numbers[] = {"-2.5", "3e-7", "0.1", "8.692932128906250000e-01", "1234.5678", ".5"};
    static constexpr char const* odd[] = {"",
                                          "NA",
                                          "nan",
                                          "-NaN",
                                          "inf",
                                          "-inf",
                                          "1e999",
                                          "abc",
                                          "x",
                                          " 7 ",
                                          "\"5\"",
                                          "\"\"",
                                          "a b",
                                          "\"a b\"",
                                          "\"1,2\"",
                                          "0x1F",
                                          "\"y\"\"z\"",
                                          "99999999999",
                                          "5\" ",
                                          "\"6\"7",
                                          "\"\n\"",
                                          "1\\,",
                                          "\"\\\"\"",
                                          "#",
                                          "00.50",
                                          "\"8\r\n9\"",
                                          "  ",
                                          "1.0",
                                          "-",
                                          "\\",
                                          "\"1\"",
                                          "\"1\"\"2\"",
                                          "\"\"\"3\"",
                                          "-1e5",
                                          "\x80\xff",
                                          "9223372036854775808",
                                          "0.333333333333333333333333333",
                                          "1.00000005960464477539062500000000001"};
    if (one_in(200)) return '"' + std::string(below(300), one_in(2) ? '\n' : 'q') + '"';
    if (one_in(4 * dirt)) return odd[below(std::size(odd))];
    if (one_in(2)) return numbers[below(std::size(numbers))];
    if (one_in(3)) return std::to_string(random_());
    return good[below(std::size(good))];
  }

  std::mt19937_64 random_;
  bool taken_[5] = {};
};

}  // namespace penstock::testing
