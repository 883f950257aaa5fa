#include "host/io/output_files.hpp"

#include <utility>

namespace penstock {

OutputFile::OutputFile(std::string path, std::unique_ptr<Sink> sink)
    : path_(std::move(path)), sink_(std::move(sink)), seekable_(dynamic_cast<SeekableSink*>(sink_.get())) {}

void OutputFile::write(std::span<std::byte const> bytes) {
  if (!bytes.empty()) sink_->write(bytes);
}

OutputFileSet::OutputFileSet(OutputFiles files, bool overwrite) : files_(std::move(files)) {
  options_.overwrite = overwrite;
}

OutputFile& OutputFileSet::open(std::string const& path) {
  opened_.push_back(std::make_unique<OutputFile>(path, files_.open(path, options_)));
  paths_.push_back(path);
  return *opened_.back();
}

void OutputFileSet::commit() {
  std::size_t uncommitted = opened_.size();
  try {
    for (; uncommitted != 0; --uncommitted) opened_[uncommitted - 1]->sink().commit();
  } catch (...) {
    for (std::size_t i = uncommitted; i < opened_.size(); ++i) {
      if (opened_[i]->seekable() != nullptr) files_.remove(opened_[i]->path());
    }
    throw;
  }
}

}  // namespace penstock
