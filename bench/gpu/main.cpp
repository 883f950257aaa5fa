// Figures of the CUDA engine on the first device:
//
//   gpu_bench SECTION... [--limit SECONDS] [--run SECONDS] [--repeat N] [--inputs NAME,NAME] [--quick]
//
// Sections: copies kernels overlap tensors slots encode latency cut normalize feed. Prints a line of JSON for each
// figure; docs/gpu-check.md says what they are, and scripts/gpu_check, which runs this, makes a table of them. Ends
// with 6 where there is no device.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/gpu/bench.hpp"
#include "penstock/error.hpp"

namespace {

using namespace penstock;
using namespace penstock::bench;

constexpr std::pair<std::string_view, void (*)(Bench&)> sections[] = {
    {"copies", measure_copies},   {"kernels", measure_kernels}, {"overlap", measure_overlap},
    {"tensors", measure_tensors}, {"slots", measure_slots},     {"encode", measure_encoders},
    {"latency", measure_latency}, {"cut", measure_cut},         {"normalize", measure_normalizers},
    {"feed", measure_feeding},
};

struct Arguments {
  std::vector<std::string> sections;
  Settings settings;
};

std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    std::size_t const comma = std::min(text.find(','), text.size());
    names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

Arguments parse(int count, char** words) {
  Arguments arguments;
  Settings& settings = arguments.settings;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = words[i];
    auto const value = [&] { return i + 1 < count ? words[++i] : "0"; };
    if (word == "--limit")
      settings.limit_seconds = std::strtod(value(), nullptr);
    else if (word == "--run")
      settings.run_seconds = std::strtod(value(), nullptr);
    else if (word == "--repeat")
      settings.repeat = std::max(1, std::atoi(value()));
    else if (word == "--inputs")
      settings.names = listed(value());
    else if (word == "--quick")
      settings.is_quick = true;
    else
      arguments.sections.emplace_back(word);
  }
  if (!settings.is_quick) return arguments;
  settings.run_seconds = 0;
  settings.repeat = 1;
  return arguments;
}

void (*section_of(std::string_view name))(Bench&) {
  for (auto const& [known, measure] : sections)
    if (known == name) return measure;
  return nullptr;
}

int run(Arguments const& arguments) {
  cuda::Survey const survey = cuda::survey_devices();
  if (survey.devices.empty()) throw DeviceError("no usable device: " + survey.problem, "");
  cuda::Engine engine(survey.devices.front(), {});
  Bench bench(engine, arguments.settings);
  for (std::string const& name : arguments.sections) section_of(name)(bench);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Arguments const arguments = parse(count, words);
  bool is_known = !arguments.sections.empty();
  for (std::string const& name : arguments.sections) is_known &= section_of(name) != nullptr;
  if (!is_known) {
    std::fprintf(stderr,
                 "gpu_bench copies|kernels|overlap|tensors|slots|encode|latency|cut|normalize|feed ...\n"
                 "          [--limit SECONDS] [--run SECONDS] [--repeat N] [--inputs NAME,NAME] [--quick]\n");
    return 2;
  }
  try {
    return run(arguments);
  } catch (Error const& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return static_cast<int>(error.exit_code());
  }
}
