/// The fuzz target of the RecordIO linter: what it finds does not depend on windows, its counts are those of the bytes,
/// and it asks for no more than a frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordio/lint.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::fuzz {

/// Findings in words: their keys are gone with the window.
class FindingWords final : public recordio::FindingSink {
 public:
  void add(recordio::Finding const& finding) override {
    text_ += std::string(recordio::name_of(finding.rule)) + " frame " + std::to_string(finding.frame) + " (" +
             std::to_string(finding.frame_offset_bytes) + ") at " + std::to_string(finding.offset_bytes) + " " +
             recordio::field_text(finding.field) + ": " + recordio::sentence(finding) + "\n";
  }
  void count(recordio::Linter const& linter) {
    text_ += std::to_string(linter.frames()) + " frames, " + std::to_string(linter.records()) + " records, " +
             std::to_string(linter.offset_bytes()) + " bytes\n";
  }
  [[nodiscard]] std::string const& text() const { return text_; }

 private:
  std::string text_;
};

/// Lints with windows that grow by `step_bytes` beyond what the linter wants, in memory that ends where they do.
inline void lint_input(recordio::Linter& linter, std::string_view file, std::size_t step_bytes) {
  linter.begin_input();
  std::size_t begin = 0, end = 0;
  for (bool is_end = false; !is_end;) {
    std::size_t const wanted = begin + linter.wanted_bytes();
    testing::promise(wanted <= file.size() + recordio::padded(file.size()) + (std::size_t{17} << 20),
                     "the linter wants more than a frame");
    end = std::min(file.size(), std::max(end + step_bytes, wanted));
    is_end = end == file.size();
    auto const window = std::make_unique<std::byte[]>(end - begin);
    if (end != begin) std::memcpy(window.get(), file.data() + begin, end - begin);
    std::size_t const done = linter.lint({window.get(), end - begin}, is_end);
    testing::promise(done <= end - begin, "more is done than the window holds");
    testing::promise(!is_end || done == end - begin, "bytes are left over at the end");
    begin += done;
    testing::promise(linter.offset_bytes() == begin, "bytes that are done were not counted");
  }
}

inline void run_lint_target(std::string_view input) {
  static constexpr std::size_t steps[] = {64, 1, 3, 8, 17, 256, 1000};
  static constexpr std::uint64_t limits[] = {std::uint64_t{16} << 20, 64, 200, 1000};
  Choices choices(input);
  std::size_t const step = choices.one_of(steps);
  recordio::LintOptions const options{choices.one_of(limits)};
  std::vector<std::string> const shards = choose_shards(choices, file_of(input));
  FindingWords whole, stepwise;
  recordio::Linter whole_linter(options, whole), stepwise_linter(options, stepwise);
  for (std::string const& shard : shards) {
    lint_input(whole_linter, shard, shard.size() + 1);
    whole.count(whole_linter);
    lint_input(stepwise_linter, shard, step);
    stepwise.count(stepwise_linter);
  }
  if (whole.text() != stepwise.text())
    throw std::logic_error("in one window:\n" + whole.text() + "in steps of " + std::to_string(step) + ":\n" +
                           stepwise.text());
}

}  // namespace penstock::fuzz
