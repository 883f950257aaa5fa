#include "tests/fuzz/targets.hpp"

#include <ostream>

#include "formats/core/format_list.hpp"
#include "formats/formats.hpp"
#include "tests/fuzz/array_targets.hpp"
#include "tests/fuzz/format_target.hpp"
#include "tests/fuzz/lint_target.hpp"

/// The address sanitizer looks here when it starts: no input may make a reader take more at once. (Rows of arrays may
/// have 512 MiB.)
extern "C" char const* __asan_default_options() { return "max_allocation_size_mb=1024"; }

namespace penstock::fuzz {
namespace {

std::string own_corpus(std::string const& name) { return "tests/fuzz/corpus/" + name; }

std::vector<Target> make_targets() {
  std::vector<Target> list;
  for_each_format([&list]<class F>() {
    if constexpr (IsRead<F>) {
      std::string const name(F::info.name);
      list.push_back({name, run_format_target<F>, {"formats/" + name + "/corpus", own_corpus(name)}});
    }
  });
  list.push_back({"lint", run_lint_target, {"formats/recordio/corpus", own_corpus("recordio")}});
  list.push_back({"npy", run_npy_target, {own_corpus("npy")}});
  list.push_back({"npz", run_npz_target, {own_corpus("npz"), own_corpus("npy")}});
  return list;
}

}  // namespace

void PrintTo(Target const& target, std::ostream* out) { *out << target.name; }

std::vector<Target> const& targets() {
  static std::vector<Target> const list = make_targets();
  return list;
}

Target const* target_named(std::string_view name) {
  for (Target const& target : targets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

}  // namespace penstock::fuzz
