#include "host/io/output.hpp"

#include "host/io/output_companions.hpp"
#include "host/io/output_dense.hpp"
#include "host/io/output_files.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <span>

namespace penstock {
namespace {

/// Bytes that an encoder made, one round behind the other, and companions if asked for.
class EncodedOutput final : public Output {
 public:
  EncodedOutput(OutputOptions const& options, OutputFiles const& files)
      : files_(files, options.overwrite), file_(files_.open(options.path)) {
    file_.write(std::as_bytes(std::span(options.prologue)));
    // In a fixed order, whatever that of the options.
    open_companion(options, Role::weight, ".weight");
    open_companion(options, Role::qid, ".group");
    open_companion(options, Role::base_margin, ".base_margin");
  }

  void write(Round const& round) override {
    file_.write(round.encoded);
    for (NumberCompanion& numbers : numbers_) numbers.write(round.batch);
    if (group_) group_->write(round.batch);
  }

  void finish() override {
    if (group_) group_->finish();
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  void open_companion(OutputOptions const& options, Role role, std::string_view suffix) {
    bool const is_wanted =
        std::find(options.companions.begin(), options.companions.end(), role) != options.companions.end();
    if (!is_wanted || options.layout.columns(role) == 0) return;
    if (file_.seekable() == nullptr) {
      throw ConfigurationError("'" + options.path + "' is not a regular file, so nothing can lie beside it",
                               "write to a regular file, or without companion files");
    }
    OutputFile& file = files_.open(options.path + std::string(suffix));
    if (role == Role::qid)
      group_.emplace(file);
    else
      numbers_.emplace_back(file, role);
  }

  OutputFileSet files_;
  OutputFile& file_;
  std::deque<NumberCompanion> numbers_;
  std::optional<GroupCompanion> group_;
};

void validate_encoded(OutputOptions const& options) {
  for (Role role : options.companions) {
    if (role == Role::weight || role == Role::qid || role == Role::base_margin) continue;
    throw ConfigurationError("there are no companion files for " + std::string(name_of(role)));
  }
}

void validate_arrays(OutputOptions const& options) {
  if (!options.companions.empty()) {
    throw ConfigurationError("companion files lie beside encoded records only",
                             "npz holds weights, queries and base margins itself");
  }
  if (!options.prologue.empty()) throw ConfigurationError("a header line belongs to text output only");
  if (options.kind == OutputKind::npy) {
    if (options.layout.has_lists()) throw ConfigurationError("npy holds the features only, no lists", "write npz");
    if (options.layout.is_sparse)
      throw ConfigurationError("npy holds dense features only", "write npz, or make the features dense");
  } else if (options.layout.has_uid || options.layout.has_metadata) {
    throw ConfigurationError("npz does not hold uid and metadata: their lengths vary from record to record",
                             "write RecordIO, which keeps them");
  }
}

}  // namespace

std::unique_ptr<Output> make_output(OutputOptions const& options, OutputFiles const& files) {
  if (options.kind == OutputKind::encoded) {
    validate_encoded(options);
    return std::make_unique<EncodedOutput>(options, files);
  }
  validate_arrays(options);
  return options.kind == OutputKind::npy ? make_npy_output(options, files) : make_npz_output(options, files);
}

}  // namespace penstock
