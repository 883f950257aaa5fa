#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "host/app/cli_help.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/commands.hpp"
#include "host/app/json.hpp"
#include "host/app/self_test.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/make_executor.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

std::uint64_t memory_bytes() {
  long const pages = ::sysconf(_SC_PHYS_PAGES);
  long const page_bytes = ::sysconf(_SC_PAGE_SIZE);
  return pages > 0 && page_bytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes) : 0;
}

struct Fact {
  std::string name;
  std::string value;
};

/// What a command without --device runs on.
std::string engine_of(DeviceChoice const& choice) {
  return choice.device == nullptr ? "cpu" : choice.device->description();
}

std::string joined(std::vector<std::string> const& lines) {
  std::string text;
  for (std::string const& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

std::vector<Fact> facts() {
  DeviceChoice const choice = choose_device({});
  std::string const gzip(gzip_library());
  return {{"version", version_line()},
          {"compiler", compiler()},
          {"engine", engine_of(choice)},
          {"instructions", std::string(name_of(best_instruction_set()))},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"memory", format_bytes(memory_bytes())},
          {"gzip", gzip.empty() ? "not in this build" : gzip},
          {"cuda", joined(describe_devices())}};
}

std::string text_of(std::vector<Fact> const& known, std::vector<SelfTestResult> const& results) {
  std::string text;
  for (Fact const& fact : known) text += fact.name + std::string(14 - fact.name.size(), ' ') + fact.value + "\n";
  for (SelfTestResult const& result : results)
    text +=
        (result.is_ok() ? "ok      " : "FAILED  ") + result.name + (result.is_ok() ? "" : ": " + result.problem) + "\n";
  return text;
}

std::string json_of(std::vector<Fact> const& known, std::vector<SelfTestResult> const& results, bool is_ok) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "doctor");
  for (Fact const& fact : known) json.member(fact.name, fact.value);
  json.member("memory_bytes", memory_bytes()).member("ok", is_ok);
  json.key("tests").begin_array();
  for (SelfTestResult const& result : results) {
    json.begin_object().member("name", result.name).member("ok", result.is_ok()).member("problem", result.problem);
    json.end_object();
  }
  return json.end_array().end_object().line();
}

}  // namespace

int run_doctor(Arguments const& arguments) {
  if (!arguments.inputs().empty()) throw ConfigurationError("doctor reads no inputs", "penstock inspect does.");
  std::vector<SelfTestResult> const results = self_test();
  bool is_ok = true;
  for (SelfTestResult const& result : results) is_ok = is_ok && result.is_ok();
  StandardOutput out;
  out.write(arguments.has("json") ? json_of(facts(), results, is_ok) : text_of(facts(), results));
  out.finish();
  return static_cast<int>(is_ok ? ExitCode::ok : ExitCode::internal);
}

}  // namespace penstock::app
