/// Places in the source.
#pragma once

#include <string>

namespace simt::detail {

struct Site {
  char const* file = "";
  unsigned line = 0;
  friend bool operator==(Site const&, Site const&) = default;
};

/// `cuda/vocabulary.cuh:212`
inline std::string text_of(Site site) { return std::string(site.file) + ":" + std::to_string(site.line); }

}  // namespace simt::detail
