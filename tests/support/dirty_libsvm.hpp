/// Random libsvm text that goes wrong in every way that a reader has to tell apart, and plans of every kind to read it
/// with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "formats/libsvm/plan.hpp"

namespace penstock::testing {

/// Text that is nearly right.
class DirtyText {
 public:
  DirtyText(std::uint64_t seed, libsvm::Plan const& plan) : random_(seed), plan_(plan) {}

  std::string shard() {
    std::string text = one_in(6) ? "\xef\xbb\xbf" : "";
    for (std::size_t lines = below(14); lines > 0; --lines) text += line() + line_end();
    if (one_in(2)) text += line();
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t n>
  std::string one_of(std::string_view const (&list)[n]) {
    return std::string(list[below(n)]);
  }

  std::string line_end() { return one_of({"\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n"}); }
  std::string blank() { return one_in(6) ? one_of({"\t", "  ", " \t "}) : " "; }

  std::string value() {
    if (one_in(12)) {
      return one_of({"nan",
                     "-NaN",
                     "inf",
                     "-Infinity",
                     "abc",
                     "",
                     "1e39",
                     "-1e400",
                     "1:2",
                     "5f",
                     "0x1",
                     "1_0",
                     "16777217",
                     "2147483648",
                     "9223372036854775807",
                     "-9223372036854775809",
                     "1e",
                     ".",
                     "\xc3\xa9",
                     "3.5.1",
                     "1.00000017881393432617187499",
                     "0.000000000000000000000000000000000000000000001401298464324817"});
    }
    if (one_in(3)) return std::to_string(below(2000));
    return std::to_string(static_cast<double>(below(2000000)) / 1000.0 - 1000);
  }

  std::string index() {
    if (one_in(25)) {
      return one_of({"", "-1", "+3", "1.5", "abc", "00000000007", "123456789", "9223372036854775806",
                     "9223372036854775807", "99999999999999999999", "q", "qid"});
    }
    return std::to_string(one_in(3) ? below(6) : below(60));
  }

  std::string pair() {
    if (one_in(40)) return one_of({"qid:3", "qid:", ":", "::", "1::2", "x", ",", "1,2"});
    bool const is_libfm = plan_.items.syntax.is_libfm ? !one_in(15) : one_in(60);
    std::string const field = is_libfm ? index() + ":" : "";
    if (one_in(plan_.items.syntax.is_dmlc ? 4 : 40)) return field + index();
    std::string const colon = one_in(plan_.items.syntax.is_dmlc ? 4 : 60) ? one_of({" :", ": ", " : ", "\t:"}) : ":";
    return field + index() + colon + value();
  }

  std::string number() { return one_in(8) ? value() : std::to_string(below(3)); }

  std::string head() {
    std::string text = number();
    if (plan_.layout.labels_vary ? one_in(2) : one_in(30)) text += "," + number();
    if (plan_.layout.labels_vary && one_in(3)) text += "," + number() + "," + number();
    if (one_in(30)) text = one_of({"", ",", "qid:1", "#"});
    if (plan_.layout.has_weight ? !one_in(20) : one_in(30)) text += ":" + number();
    if (plan_.layout.has_qid ? !one_in(20) : one_in(30))
      text += blank() + "qid:" + (one_in(10) ? value() : std::to_string(below(100)));
    return text;
  }

  std::string line() {
    if (one_in(15)) return one_of({"", " ", "\t \t", "# all", " # of it", std::string_view("\0 1:1", 5), "\x80\xff"});
    std::string text = one_in(10) ? blank() : "";
    text += head();
    bool const is_sorted = one_in(3);
    std::size_t index = 0;
    for (std::size_t pairs = one_in(10) ? below(60) : below(7); pairs > 0; --pairs) {
      index += 1 + below(4);
      text += blank() + (is_sorted ? std::to_string(index) + ":" + value() : pair());
    }
    if (one_in(8)) text += blank();
    if (one_in(10)) text += one_of({"#", "# 1:2", "#5:6 qid:1"});
    return text;
  }

  std::mt19937_64 random_;
  libsvm::Plan plan_;
};

/// A plan of any kind, and the record's limit.
inline libsvm::Plan random_plan(std::mt19937_64& random, std::size_t& record_max) {
  auto const below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  libsvm::Plan plan;
  constexpr std::array dtypes = {DType::float32, DType::float32, DType::float64, DType::int32, DType::int64};
  constexpr std::array limits = {64, 100, 300, 1 << 16, 1 << 16, 1 << 16};
  using enum libsvm::Duplicates;
  constexpr std::array policies = {fault, last, sum};
  record_max = static_cast<std::size_t>(limits[below(limits.size())]);
  plan.layout.feature_dtype = dtypes[below(dtypes.size())];
  plan.layout.has_weight = below(4) == 0;
  plan.layout.has_qid = below(4) == 0;
  plan.layout.labels_vary = below(4) == 0;
  plan.layout.labels = plan.layout.labels_vary ? 0 : 1;
  plan.items.syntax = {below(3) == 0, below(4) == 0};
  plan.items.overflow = below(3) == 0 ? libsvm::Overflow::infinity : libsvm::Overflow::fault;
  plan.items.base = below(2);
  plan.duplicates = policies[below(policies.size())];
  plan.pairs_max = below(4) == 0 ? 1 + below(8) : libsvm::pairs_max(record_max, plan.items.syntax);
  if (below(3) == 0) plan.layout.features = plan.items.columns = 40 + below(30);
  if (below(6) == 0) plan.layout.features = 40 + below(30);
  return plan;
}

}  // namespace penstock::testing
