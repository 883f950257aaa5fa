/// JSON text, piece by piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace penstock::app {

/// Whether all of `bytes` is well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view bytes);
/// Base64 as in RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);
/// The bytes that `text` stands for, if it is base64 with padding and no bits left over.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Builds one JSON value on one line. Strings are bytes: those that are not UTF-8 become the characters U+0080 to
/// U+00FF of the same numbers, so the text is always valid. Numbers are the shortest that read back the same; a NaN is
/// null, infinities are the strings "inf" and "-inf", because JSON has neither.
class Json {
 public:
  Json& begin_object() { return writer_.StartObject(), *this; }
  Json& end_object() { return writer_.EndObject(), *this; }
  Json& begin_array() { return writer_.StartArray(), *this; }
  Json& end_array() { return writer_.EndArray(), *this; }
  Json& key(std::string_view name);

  Json& value(std::string_view bytes);
  Json& value(std::string const& bytes) { return value(std::string_view(bytes)); }
  Json& value(char const* bytes) { return value(std::string_view(bytes)); }
  Json& value(bool is_true) { return writer_.Bool(is_true), *this; }
  Json& value(float number);
  Json& value(double number);
  Json& value(int number) { return writer_.Int(number), *this; }
  Json& value(unsigned number) { return writer_.Uint(number), *this; }
  Json& value(std::int64_t number) { return writer_.Int64(number), *this; }
  Json& value(std::uint64_t number) { return writer_.Uint64(number), *this; }
  Json& null() { return writer_.Null(), *this; }
  template <class T>
  Json& value(std::optional<T> const& wanted) {
    return wanted ? value(*wanted) : null();
  }

  template <class T>
  Json& member(std::string_view name, T const& wanted) {
    return key(name).value(wanted);
  }
  template <class List>
  Json& list(std::string_view name, List const& values) {
    key(name).begin_array();
    for (auto const& each : values) value(each);
    return end_array();
  }

  /// The line, with a line end. Nothing can be added afterwards.
  [[nodiscard]] std::string line() const { return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n"; }

 private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace penstock::app
