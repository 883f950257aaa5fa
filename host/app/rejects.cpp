#include "host/app/rejects.hpp"

#include <span>
#include <utility>

#include <sys/stat.h>

#include "host/app/json.hpp"
#include "host/io/sink.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

/// Rejects may be many and small; this is what is worth a call of write(2).
constexpr std::size_t buffer_bytes = std::size_t{64} << 10;

bool exists(std::string const& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

}  // namespace

std::string rejects_prefix(std::string const& output_path) {
  std::size_t const slash = output_path.rfind('/');
  std::size_t const name = slash == std::string::npos ? 0 : slash + 1;
  return output_path.substr(0, name) + "_" + output_path.substr(name);
}

namespace {

/// Of the file that says why.
constexpr char const* reports_suffix = ".rejects.jsonl";

/// Of the file of records: the format's usual one, unless that is the reports'.
std::string records_suffix(FormatInfo const& format) {
  bool const is_taken = format.suffixes.front() == ".jsonl" && format.suffixes.size() > 1;
  return std::string(format.suffixes[is_taken ? 1 : 0]);
}

}  // namespace

RejectFiles::RejectFiles(std::string prefix, bool overwrite, InputPlan const& plan)
    : prefix_(std::move(prefix)), overwrite_(overwrite), plan_(plan) {
  for (std::string const& path : possible_paths(prefix_, plan_.format())) {
    if (!overwrite_ && exists(path))
      throw SinkError(path + ": exists already, from an earlier run",
                      "Replace it with --force, or --rejects elsewhere.");
  }
}

std::vector<std::string> RejectFiles::possible_paths(std::string const& prefix, FormatInfo const& format) {
  return {prefix + reports_suffix, prefix + ".rejects" + records_suffix(format)};
}

RejectFiles::File& RejectFiles::open(std::string const& suffix, std::string header) {
  auto file = std::make_unique<File>();
  file->path = prefix_ + ".rejects" + suffix;
  file->header = std::move(header);
  file->sink = open_sink(file->path, {overwrite_});
  files_.push_back(std::move(file));
  return *files_.back();
}

RejectFiles::File& RejectFiles::records_of(std::size_t shard) {
  std::string const header = plan_.header_text(shard);
  for (std::size_t i = 1; i < files_.size(); ++i) {
    if (files_[i]->header == header) return *files_[i];
  }
  std::string const number = files_.size() == 1 ? "" : "." + std::to_string(files_.size());
  File& file = open(number + records_suffix(plan_.format()), header);
  write(file, header);
  return file;
}

void RejectFiles::write(File& file, std::string_view bytes) {
  file.text += bytes;
  if (file.text.size() < buffer_bytes) return;
  file.sink->write(std::as_bytes(std::span(file.text)));
  file.text.clear();
}

void RejectFiles::add(FaultReport const* report, std::string_view raw, bool is_first, bool is_last) {
  if (is_first && report != nullptr) {
    if (files_.empty()) open(".jsonl", {});
    write(*files_.front(), reject_line(*report));
    current_ = &records_of(report->shard);
  }
  if (current_ == nullptr) return;
  write(*current_, raw);
  if (is_last && plan_.format().is_text) write(*current_, "\n");
}

void RejectFiles::commit() {
  if (files_.empty() && overwrite_) {
    for (std::string const& path : possible_paths(prefix_, plan_.format())) remove_committed(path);
  }
  for (auto const& file : files_) {
    file->sink->write(std::as_bytes(std::span(file->text)));
    file->text.clear();
    file->sink->commit();
  }
}

void RejectFiles::remove() noexcept {
  for (auto const& file : files_) remove_committed(file->path);
}

std::vector<std::string> RejectFiles::paths() const {
  std::vector<std::string> paths;
  for (auto const& file : files_) paths.push_back(file->path);
  return paths;
}

std::string reject_line(FaultReport const& report) {
  Json json;
  json.begin_object();
  json.member("file", report.file).member("record", report.record).member("line", report.line);
  json.member("column", report.line_column).member("offset_bytes", report.offset_bytes);
  json.member("field", report.column);
  if (!report.column_name.empty()) json.member("field_name", report.column_name);
  json.member("code", name_of(report.code)).member("message", summary_of(report));
  json.member("cell", report.cell);
  if (!is_utf8(report.cell)) json.member("cell_base64", base64(report.cell));
  return json.end_object().line();
}

}  // namespace penstock::app
