/// RapidJSON's SAX reader over lines of JSON, to compare with; where the library is installed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#if __has_include(<rapidjson/reader.h>)
#include <rapidjson/reader.h>
#define PENSTOCK_HAS_RAPIDJSON 1
#endif

namespace penstock::bench {

struct PeerPass {
  std::size_t values = 0;
  double sum = 0;
};

#if defined(PENSTOCK_HAS_RAPIDJSON)

inline constexpr bool has_rapidjson = true;

/// Counts and adds up the numbers; null, true and false count too.
struct AddUp : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, AddUp> {
  bool add(double value) {
    ++pass.values;
    pass.sum += value;
    return true;
  }
  bool Null() { return add(0); }
  bool Bool(bool value) { return add(value ? 1 : 0); }
  bool Int(int value) { return add(value); }
  bool Uint(unsigned value) { return add(value); }
  bool Int64(std::int64_t value) { return add(static_cast<double>(value)); }
  bool Uint64(std::uint64_t value) { return add(static_cast<double>(value)); }
  bool Double(double value) { return add(value); }

  PeerPass pass;
};

/// Each line by itself, straight from the text, with RapidJSON's default precision.
inline PeerPass rapidjson_pass(std::string_view text) {
  AddUp add_up;
  rapidjson::Reader reader;
  for (std::size_t at = 0; at + 1 < text.size();) {
    rapidjson::StringStream stream(text.data() + at);
    if (!reader.Parse<rapidjson::kParseStopWhenDoneFlag>(stream, add_up)) std::abort();
    at += stream.Tell();
  }
  return add_up.pass;
}

#else

inline constexpr bool has_rapidjson = false;

inline PeerPass rapidjson_pass(std::string_view /*text*/) { return {}; }

#endif

}  // namespace penstock::bench
