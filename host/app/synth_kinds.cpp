#include "host/app/synth_kinds.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

namespace penstock::app {

std::span<SynthKind const> synth_kinds() {
  using namespace synth;
  static SynthKind const kinds[] = {
      higgs_kind(),           compact_kind(), quoted_kind(),  wide_kind(),  libsvm_kind(),       recordio_kind(),
      recordio_sparse_kind(), deepar_kind(),  objects_kind(), dirty_kind(), dirty_libsvm_kind(),
  };
  return kinds;
}

SynthKind const& synth_kind(std::string_view name) {
  auto const found = std::ranges::find(synth_kinds(), name, &SynthKind::name);
  if (found != synth_kinds().end()) return *found;
  std::vector<std::string> names;
  std::string list;
  for (SynthKind const& kind : synth_kinds()) {
    names.emplace_back(kind.name);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  auto const near_miss = nearest(name, names);
  throw ConfigurationError("unknown kind of synthetic data \"" + std::string(name) + "\"",
                           (near_miss ? "did you mean \"" + *near_miss + "\"? " : "") + "kinds: " + list);
}

}  // namespace penstock::app
