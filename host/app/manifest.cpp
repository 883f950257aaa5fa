#include "host/app/manifest.hpp"

#include <memory>
#include <span>
#include <string>

#include <sys/stat.h>

#include "host/app/json.hpp"
#include "host/app/schema_file.hpp"
#include "host/io/sink.hpp"
#include "host/text/sha256.hpp"
#include "penstock/error.hpp"
#include "penstock/version.hpp"

namespace penstock::app {
namespace {

/// Folders that are read as inputs pass over names that begin with '_'.
std::string manifest_path(std::string const& output) {
  std::size_t const slash = output.rfind('/');
  std::size_t const name = slash == output.npos ? 0 : slash + 1;
  return output.substr(0, name) + "_" + output.substr(name) + ".manifest.json";
}

bool is_file(Target const& target) {
  struct stat status {};
  bool const is_there = ::stat(target.output.path.c_str(), &status) == 0;
  return !target.is_stdout && (!is_there || S_ISREG(status.st_mode));
}

void add_inputs(Json& json, std::vector<InputFile> const& inputs) {
  json.key("inputs").begin_array();
  for (InputFile const& input : inputs) {
    json.begin_object().member("path", name_of(input));
    if (input.is_regular) json.member("bytes", input.size_bytes);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void check_manifest(Target const& target) {
  struct stat status {};
  std::string const path = manifest_path(target.output.path);
  bool const is_in_the_way = is_file(target) && !target.output.overwrite && ::stat(path.c_str(), &status) == 0;
  if (is_in_the_way) throw SinkError(path + ": there is such a file", "--force replaces it");
}

void write_manifest(Manifest const& manifest) {
  Conversion const& conversion = manifest.conversion;
  Target const& target = conversion.target;
  Normalization const& normalization = manifest.normalization;
  if (!is_file(target)) return;
  Json json;
  json.begin_object().member("manifest_version", 1).member("penstock", version);
  json.key("output").begin_object();
  json.member("format", target.format->name()).member("records", manifest.outcome.counts.records);
  json.member("bytes", manifest.outcome.output_bytes).list("features", normalization.names).end_object();
  add_inputs(json, conversion.inputs);
  json.key("normalizer").begin_object().member("digest", normalization.digest);
  if (!normalization.path.empty()) json.member("path", normalization.path);
  json.end_object();
  if (normalization.schema) json.member("schema_digest", "sha256:" + sha256_of(to_json(normalization.schema->schema)));
  json.key("options").begin_object();
  for (auto const& [name, value] : manifest.arguments.given()) json.member(name, value);
  json.end_object().end_object();
  std::string const text = json.line();
  std::unique_ptr<Sink> const sink = open_sink(manifest_path(target.output.path), {.overwrite = true});
  sink->write(std::as_bytes(std::span(text)));
  sink->commit();
}

}  // namespace penstock::app
