/// Planning CSV files in tests.
#pragma once

#include "host/io/inputs.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/error.hpp"
#include "tests/support/drain.hpp"
#include "tests/support/scratch_folder.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace penstock::testing {

inline std::unique_ptr<CsvPlan> plan_files(std::vector<std::string> const& paths, CsvOptions const& options = {}) {
  return plan_csv(expand_inputs(paths), options);
}

/// An error in words; `code` is ok if there was none.
struct Complaint {
  ExitCode code = ExitCode::ok;
  std::string message;
  std::string hint;

  [[nodiscard]] bool says(std::string const& words) const { return message.find(words) != std::string::npos; }
  [[nodiscard]] bool advises(std::string const& words) const { return hint.find(words) != std::string::npos; }
};

inline Complaint complaint_about(std::vector<std::string> const& paths, CsvOptions const& options = {}) {
  try {
    (void)plan_files(paths, options);
  } catch (Error const& error) {
    return {error.exit_code(), error.what(), error.hint()};
  }
  return {};
}

inline void PrintTo(Complaint const& complaint, std::ostream* out) {
  *out << static_cast<int>(complaint.code) << ": " << complaint.message << " | " << complaint.hint;
}

inline bool has_note(CsvPlan const& plan, std::string const& note) {
  return std::find(plan.notes().begin(), plan.notes().end(), note) != plan.notes().end();
}

/// What a shard's source yields to its end.
inline std::string text_of(Shard const& shard) { return drain(*shard.open()).bytes; }

/// One file and what is planned for it.
class OneFile : public ::testing::Test {
 protected:
  std::unique_ptr<CsvPlan> plan(std::string_view text, CsvOptions const& options = {}) {
    return plan_files({folder_.put("in.csv", text)}, options);
  }
  Complaint complaint(std::string_view text, CsvOptions const& options = {}) {
    return complaint_about({folder_.put("in.csv", text)}, options);
  }
  /// What the only shard yields.
  std::string records(CsvPlan& planned) { return text_of(planned.shards().at(0)); }

  ScratchFolder folder_;
};

}  // namespace penstock::testing
