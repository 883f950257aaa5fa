#include "host/app/normalizer_file.hpp"

#include <span>
#include <utility>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "host/app/json.hpp"
#include "host/io/source.hpp"
#include "host/text/sha256.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// A longer file is no normaliser: a vocabulary of 2^24 words of 30 bytes takes some 600 MB.
constexpr std::size_t normalizer_bytes_max = std::size_t{2} << 30;

constexpr std::string_view digest_key = "{\"digest\":\"sha256:";
constexpr std::size_t digest_digits = 64;
constexpr std::string_view body_key = "\",\"normalizer\":\n";

// --- to text ---------------------------------------------------------------------------------------------------------

/// Bytes that are no UTF-8 are base64 in an object of their own, so that they come back exactly.
void add_bytes(Json& json, std::string const& bytes) {
  if (is_utf8(bytes))
    json.value(bytes);
  else
    json.begin_object().member("base64", base64(bytes)).end_object();
}

/// Counts of 0 are left out.
void add_summary(Json& json, statistics::Summary const& summary) {
  statistics::Moments const& moments = summary.moments;
  json.key("statistics").begin_object();
  json.member("count", moments.count);
  if (summary.missing != 0) json.member("missing", summary.missing);
  if (summary.infinite != 0) json.member("infinite", summary.infinite);
  if (summary.zeros != 0) json.member("zeros", summary.zeros);
  json.member("min", summary.least).member("max", summary.greatest);
  json.member("mean", moments.mean).member("m2", moments.m2).member("m3", moments.m3).end_object();
}

std::string column_json(FittedColumn const& column) {
  Json json;
  json.begin_object().key("name");
  add_bytes(json, column.name);
  json.member("type", column.spec.takes_text() ? "text" : "number").member("transform", text_of(column.spec));
  FittedColumn const usual;
  if (column.offset != usual.offset) json.member("offset", column.offset);
  if (column.scale != usual.scale) json.member("scale", column.scale);
  if (column.low != usual.low) json.member("low", column.low);
  if (column.high != usual.high) json.member("high", column.high);
  if (column.fill) json.member("fill", column.fill);
  if (!column.edges.empty()) json.list("edges", column.edges);
  if (column.spec.needs_vocabulary()) {
    json.key("vocabulary").begin_array();
    for (std::string const& word : column.vocabulary) add_bytes(json, word);
    json.end_array();
  }
  if (column.summary) add_summary(json, *column.summary);
  json.end_object();
  std::string text = json.line();
  text.pop_back();
  return text;
}

// --- from text -------------------------------------------------------------------------------------------------------

using Value = rapidjson::Value;

/// Members of a JSON object, with errors that say where.
class Members {
 public:
  Members(Value const& value, std::string place, std::string_view name) : place_(std::move(place)), file_(name) {
    if (!value.IsObject()) throw_wrong("", "an object");
    value_ = &value;
  }
  [[nodiscard]] bool has(char const* member) const { return value_->HasMember(member); }
  [[nodiscard]] Value const& of(char const* member) const {
    auto const found = value_->FindMember(member);
    if (found == value_->MemberEnd()) throw_wrong(member, "a value");
    return found->value;
  }
  [[nodiscard]] double number(char const* member) const {
    if (!of(member).IsNumber()) throw_wrong(member, "a number");
    return of(member).GetDouble();
  }
  [[nodiscard]] std::uint64_t count(char const* member) const {
    if (!of(member).IsUint64()) throw_wrong(member, "a whole number, 0 or more");
    return of(member).GetUint64();
  }
  [[nodiscard]] std::string text(char const* member) const { return bytes(of(member), member); }
  [[nodiscard]] std::string bytes(Value const& value, char const* member) const {
    if (value.IsString()) return {value.GetString(), value.GetStringLength()};
    if (value.IsObject() && value.HasMember("base64") && value["base64"].IsString()) {
      if (auto const plain = from_base64(value["base64"].GetString())) return *plain;
    }
    throw_wrong(member, "a string");
  }
  [[nodiscard]] Value const& list(char const* member) const {
    if (!of(member).IsArray()) throw_wrong(member, "an array");
    return of(member);
  }
  [[nodiscard]] std::string place_of(std::string_view member) const {
    return place_ + (member.empty() ? "" : ".") + std::string(member);
  }
  [[noreturn]] void throw_wrong(std::string_view member, std::string const& expected) const {
    throw SchemaError(std::string(file_) + ": " + place_of(member) + ": expected " + expected);
  }

 private:
  std::string place_;
  std::string_view file_;
  Value const* value_ = nullptr;
};

statistics::Summary read_summary(Members const& members) {
  statistics::Summary summary;
  auto const set = [&members](char const* member, std::uint64_t& count) {
    if (members.has(member)) count = members.count(member);
  };
  set("missing", summary.missing);
  set("infinite", summary.infinite);
  set("zeros", summary.zeros);
  summary.least = members.number("min");
  summary.greatest = members.number("max");
  summary.moments = {members.count("count"), members.number("mean"), members.number("m2"), members.number("m3")};
  return summary;
}

FittedColumn read_column(Members const& members, std::string_view name) {
  FittedColumn column;
  column.name = members.text("name");
  column.spec = parse_transform(members.text("transform"));
  auto const set = [&members](char const* member, double& value) {
    if (members.has(member)) value = members.number(member);
  };
  set("offset", column.offset);
  set("scale", column.scale);
  set("low", column.low);
  set("high", column.high);
  if (members.has("fill")) column.fill = members.number("fill");
  if (members.has("edges")) {
    for (Value const& edge : members.list("edges").GetArray()) {
      if (!edge.IsNumber()) members.throw_wrong("edges", "numbers");
      column.edges.push_back(edge.GetDouble());
    }
  }
  if (column.spec.needs_vocabulary()) {
    for (Value const& word : members.list("vocabulary").GetArray())
      column.vocabulary.push_back(members.bytes(word, "vocabulary"));
  }
  if (members.has("statistics"))
    column.summary = read_summary({members.of("statistics"), members.place_of("statistics"), name});
  return column;
}

/// The value of `normalizer` in the file's text, whose digest is right.
std::string_view checked_body(std::string_view text, std::string_view name, std::string& digest) {
  std::size_t const body_at = digest_key.size() + digest_digits + body_key.size();
  bool const is_normalizer = text.size() > body_at + 2 && text.starts_with(digest_key) &&
                             text.substr(digest_key.size() + digest_digits).starts_with(body_key) &&
                             text.ends_with("}\n");
  if (!is_normalizer)
    throw SchemaError(std::string(name) + ": is no normaliser, or was written by something else",
                      "penstock fit makes one.");
  std::string_view const body = text.substr(body_at, text.size() - body_at - 2);
  digest = sha256_of(body);
  std::string_view const said = text.substr(digest_key.size(), digest_digits);
  if (said != digest)
    throw SchemaError(std::string(name) + ": its digest does not fit: it says " + std::string(said.substr(0, 12)) +
                          "..., and its content has " + digest.substr(0, 12) + "...",
                      "The file was changed or damaged after penstock fit wrote it. Fit again.");
  digest = "sha256:" + digest;
  return body;
}

}  // namespace

std::string to_json(NormalizerFile& file) {
  std::string body = "{\"normalizer_version\":" + std::to_string(normalizer_version) +
                     ",\"records\":" + std::to_string(file.records) + ",\"dtype\":\"" +
                     std::string(name_of(file.dtype)) + "\",\n\"columns\":[";
  for (FittedColumn const& column : file.columns)
    body += (&column == &file.columns.front() ? "\n" : ",\n") + column_json(column);
  body += "],\n\"schema\":" + file.schema + "}";
  std::string const digest = sha256_of(body);
  file.digest = "sha256:" + digest;
  return std::string(digest_key) + digest + std::string(body_key) + body + "}\n";
}

NormalizerFile parse_normalizer(std::string_view text, std::string_view name) {
  NormalizerFile file;
  std::string_view const body = checked_body(text, name, file.digest);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseFullPrecisionFlag>(body.data(), body.size());
  if (document.HasParseError())
    throw SchemaError(std::string(name) + ": no JSON: " + rapidjson::GetParseError_En(document.GetParseError()));
  Members const members(document, "$.normalizer", name);
  std::uint64_t const version = members.count("normalizer_version");
  if (version != normalizer_version)
    throw SchemaError(std::string(name) + ": is of version " + std::to_string(version) + ", and this penstock reads " +
                          std::to_string(normalizer_version),
                      version > normalizer_version ? "A newer penstock made it: use that one." : "");
  file.records = members.count("records");
  std::string const dtype = members.text("dtype");
  bool is_known = false;
  for (DType const type : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    if (dtype != name_of(type)) continue;
    file.dtype = type;
    is_known = true;
  }
  if (!is_known) members.throw_wrong("dtype", "float32, float64, int32 or int64");
  std::size_t number = 0;
  for (Value const& column : members.list("columns").GetArray())
    file.columns.push_back(read_column({column, "$.normalizer.columns[" + std::to_string(number++) + "]", name}, name));
  std::size_t const schema_at = body.find(",\n\"schema\":");
  if (!members.has("schema") || schema_at == body.npos) members.throw_wrong("schema", "an object");
  std::string_view const schema = body.substr(schema_at + std::string_view(",\n\"schema\":").size());
  file.schema = schema.substr(0, schema.size() - 1);
  return file;
}

NormalizerFile read_normalizer(std::string const& path) {
  std::unique_ptr<Source> const source = open_source({.path = path, .is_stdin = path == "-"});
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (std::size_t const got = source->read(buffer.data(), buffer.size())) {
    text.append(buffer.data(), got);
    if (text.size() > normalizer_bytes_max)
      throw SchemaError(source->name() + ": is larger than " + format_bytes(normalizer_bytes_max) +
                        ", which no normaliser is");
  }
  return parse_normalizer(text, source->name());
}

}  // namespace penstock::app
