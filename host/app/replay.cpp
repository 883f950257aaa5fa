#include "host/app/replay.hpp"

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "host/io/source.hpp"

namespace penstock::app {

/// An input and its first bytes, as far as they were read.
class Replay::Recording {
 public:
  explicit Recording(InputFile file) : file_(std::move(file)) {}

  Source& source() {
    if (source_ == nullptr) source_ = open_source(file_);
    return *source_;
  }
  /// Reads at `at`, which is not behind anything that was not read.
  std::size_t read(std::size_t at, char* into, std::size_t capacity) {
    if (at < bytes_.size()) return bytes_.copy(into, capacity, at);
    if (!is_kept_) bytes_ = {};
    std::size_t const got = source().read(into, capacity);
    if (is_kept_) bytes_.append(into, got);
    return got;
  }
  void settle() { is_kept_ = false; }

 private:
  InputFile file_;
  std::unique_ptr<Source> source_;
  std::string bytes_;
  std::atomic<bool> is_kept_ = true;  ///< settled by one thread while another reads
};

class Replay::Player final : public Source {
 public:
  explicit Player(std::shared_ptr<Recording> recording) : recording_(std::move(recording)) { recording_->source(); }

  std::size_t read(char* into, std::size_t capacity) override {
    std::size_t const got = recording_->read(at_, into, capacity);
    at_ += got;
    return got;
  }
  [[nodiscard]] std::string const& name() const override { return recording_->source().name(); }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return recording_->source().stored_bytes_read(); }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override {
    return recording_->source().stored_bytes_total();
  }

 private:
  std::shared_ptr<Recording> recording_;
  std::size_t at_ = 0;
};

Replay::Replay(std::vector<InputFile> const& files) : files_(files) {
  for (InputFile& file : files_) {
    if (file.is_regular && !file.is_stdin) continue;
    auto const recording = recordings_.emplace_back(std::make_shared<Recording>(file));
    file.open = [recording] { return std::make_unique<Player>(recording); };
  }
}

void Replay::settle() {
  for (auto const& recording : recordings_) recording->settle();
}

}  // namespace penstock::app
