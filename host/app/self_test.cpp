#include "host/app/self_test.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <system_error>

#include "host/app/batch_diff.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/file_formats.hpp"
#include "host/app/value_text.hpp"
#include "host/io/output.hpp"
#include "host/io/sink.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Decimals that are not binary numbers, a missing cell, an exponent and quotes.
constexpr std::string_view text = "a,b,y\n0.1,\"-3e-2\",1\n,16777216,0\n";
/// The features that it stands for, row by row: 0.1, -0.03, missing, 2^24.
constexpr std::array<std::uint64_t, 4> expected_bits = {0x3dcccccd, 0xbcf5c28f, 0x7fc00000, 0x4b800000};

/// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::filesystem::path base = std::filesystem::temp_directory_path(error);
    std::string name = (error ? std::filesystem::path("/tmp") : base) / "penstock-doctor-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw SinkError(name + ": cannot be created");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(TemporaryFolder const&) = delete;
  TemporaryFolder& operator=(TemporaryFolder const&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

CsvOptions test_options() {
  CsvOptions options;
  options.label = "y";
  return options;
}

Arguments no_arguments() { return {verbs().front(), {}, {}}; }

std::vector<InputFile> input_at(std::string const& path) { return expand_inputs({path}); }

void write_input(std::string const& path) {
  auto const sink = open_sink(path, {});
  sink->write(std::as_bytes(std::span(text)));
  sink->commit();
}

void convert(std::string const& from, std::string const& to, FileFormat const& format) {
  auto const plan = plan_csv(input_at(from), test_options());
  StreamOptions stream;
  stream.make_encoder = format.encoder_maker(plan->layout(), no_arguments());
  OutputOptions output;
  output.path = to;
  output.kind = format.output_kind();
  output.layout = plan->layout();
  auto const sink = make_output(output);
  RecordStream rounds(*plan, stream);
  while (Round const* const round = rounds.next()) sink->write(*round);
  sink->finish();
}

std::string check_numbers(std::string const& path) {
  PlannedReader reader(plan_csv(input_at(path), test_options()), {});
  std::size_t seen = 0;
  for (Batch batch; reader.next(batch);) {
    for (std::size_t i = 0; i < batch.rows * batch.features.columns; ++i, ++seen) {
      if (seen >= expected_bits.size()) return "too many values";
      if (bits_of(batch.features, i) != expected_bits[seen]) return "value " + std::to_string(seen) + " is wrong";
    }
  }
  return seen == expected_bits.size() ? "" : "too few values";
}

std::string check_format(std::string const& input, std::string const& output, FileFormat const& format) {
  convert(input, output, format);
  PlannedReader csv(plan_csv(input_at(input), test_options()), {});
  std::vector<InputFile> const files = input_at(output);
  auto const binary = open_batches(files, *format_of(files.front()), {no_arguments(), {}, nullptr});
  DiffOptions options;
  options.features_only = format.is("npy");
  return compare(csv, *binary, options).is_same() ? "" : "what was written is not what was read";
}

SelfTestResult run(std::string name, std::function<std::string()> const& test) {
  try {
    return {std::move(name), test()};
  } catch (Error const& error) {
    return {std::move(name), error.what()};
  }
}

}  // namespace

std::vector<SelfTestResult> self_test() {
  std::vector<SelfTestResult> results;
  std::optional<TemporaryFolder> folder;
  results.push_back(run("temporary files", [&] {
    folder.emplace();
    write_input(*folder / "input.csv");
    return std::string();
  }));
  if (!results.back().is_ok()) return results;
  std::string const input = *folder / "input.csv";
  results.push_back(run("numbers from CSV", [&] { return check_numbers(input); }));
  for (std::string_view const name : {"recordio", "npy", "npz"}) {
    FileFormat const& format = *format_named(name);
    results.push_back(run("CSV to " + std::string(format.info().title) + " and back", [&] {
      return check_format(input, *folder / ("out" + std::string(format.info().suffixes.front())), format);
    }));
  }
  return results;
}

}  // namespace penstock::app
