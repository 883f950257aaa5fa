#include "host/app/json.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <rapidjson/encodings.h>
#include <rapidjson/memorystream.h>

namespace penstock::app {
namespace {

/// Takes what RapidJSON's validation copies.
struct Nowhere {
  using Ch = char;
  void Put(char) {}
};

/// Bytes of the character that begins `bytes`; 0 if none does.
std::size_t character_bytes(std::string_view bytes) {
  rapidjson::MemoryStream stream(bytes.data(), bytes.size());
  Nowhere nowhere;
  return rapidjson::UTF8<>::Validate(stream, nowhere) ? stream.Tell() : 0;
}

/// The bytes as UTF-8, those that are not becoming characters of their own.
std::string repaired(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    std::size_t const size = character_bytes(bytes);
    if (size == 0) {
      auto const byte = static_cast<unsigned char>(bytes[0]);
      text += {static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))};
      bytes.remove_prefix(1);
    } else {
      text += bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
  }
  return text;
}

template <class T>
std::string shortest(T number) {
  char digits[32];  // the longest is -2.2250738585072014e-308
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

template <class T, class Writer>
void write_floating(Writer& writer, T number) {
  if (std::isnan(number)) {
    writer.Null();
  } else if (std::isinf(number)) {
    writer.String(number > 0 ? "inf" : "-inf");
  } else {
    std::string const text = shortest(number);
    writer.RawValue(text.data(), text.size(), rapidjson::kNumberType);
  }
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t const size = character_bytes(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) {
      bool const is_padding = i + k > bytes.size();
      text += is_padding ? '=' : digits[group >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::size_t const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (char const c : text.substr(0, text.size() - padding)) {
    std::size_t const digit = digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
    bits &= (1u << count) - 1;
  }
  return bits == 0 ? std::optional(std::move(bytes)) : std::nullopt;
}

Json& Json::key(std::string_view name) {
  std::string const text = repaired(name);
  writer_.Key(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return *this;
}

Json& Json::value(std::string_view bytes) {
  std::string const text = repaired(bytes);
  writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return *this;
}

Json& Json::value(float number) {
  write_floating(writer_, number);
  return *this;
}

Json& Json::value(double number) {
  write_floating(writer_, number);
  return *this;
}

}  // namespace penstock::app
