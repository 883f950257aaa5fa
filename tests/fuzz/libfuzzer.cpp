// The entry of libFuzzer. PENSTOCK_FUZZ_TARGET names the target.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/fuzz/targets.hpp"

namespace {

penstock::fuzz::Target const& chosen_target() {
  char const* const name = std::getenv("PENSTOCK_FUZZ_TARGET");
  auto const* const target = penstock::fuzz::target_named(name == nullptr ? "" : name);
  if (target != nullptr) return *target;
  std::string names;
  for (auto const& each : penstock::fuzz::targets()) names += " " + each.name;
  throw std::runtime_error("PENSTOCK_FUZZ_TARGET must be one of" + names);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static penstock::fuzz::Target const& target = chosen_target();
  target.run(std::string_view(reinterpret_cast<char const*>(data), size));
  return 0;
}
