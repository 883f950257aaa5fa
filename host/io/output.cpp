#include "host/io/output.hpp"

#include "host/io/output_companions.hpp"
#include "host/io/output_dense.hpp"
#include "host/io/output_files.hpp"
#include "penstock/error.hpp"

#include <optional>
#include <span>

namespace penstock {
namespace {

/// Bytes that an encoder made, one round behind the other, and companions if asked for.
class EncodedOutput final : public Output {
 public:
  EncodedOutput(OutputOptions const& options, OutputFiles const& files)
      : files_(files, options.overwrite), file_(files_.open(options.path)) {
    file_.write(std::as_bytes(std::span(options.csv_header)));
    if (options.companions) open_companions(options);
  }

  void write(Round const& round) override {
    file_.write(round.encoded);
    if (weight_) weight_->write(round.batch);
    if (group_) group_->write(round.batch);
  }

  void finish() override {
    if (group_) group_->finish();
    files_.commit();
  }

  [[nodiscard]] std::vector<std::string> const& paths() const override { return files_.paths(); }

 private:
  void open_companions(OutputOptions const& options) {
    if (!options.layout.has_weight && !options.layout.has_qid) return;
    if (file_.seekable() == nullptr) {
      throw ConfigurationError("'" + options.path + "' is not a regular file, so nothing can lie beside it",
                               "write to a regular file, or without companion files");
    }
    if (options.layout.has_weight) weight_.emplace(files_.open(options.path + ".weight"));
    if (options.layout.has_qid) group_.emplace(files_.open(options.path + ".group"));
  }

  OutputFileSet files_;
  OutputFile& file_;
  std::optional<WeightCompanion> weight_;
  std::optional<GroupCompanion> group_;
};

void validate(OutputOptions const& options) {
  if (options.companions && options.format != OutputFormat::recordio) {
    throw ConfigurationError("companion files belong to recordio output only",
                             "npz and csv hold weights and queries themselves");
  }
  if (!options.csv_header.empty() && options.format != OutputFormat::csv) {
    throw ConfigurationError("a header line belongs to csv output only");
  }
}

}  // namespace

std::unique_ptr<Output> make_output(OutputOptions const& options, OutputFiles const& files) {
  validate(options);
  switch (options.format) {
    case OutputFormat::npy: return make_npy_output(options, files);
    case OutputFormat::npz: return make_npz_output(options, files);
    default: return std::make_unique<EncodedOutput>(options, files);
  }
}

}  // namespace penstock
