#include "host/io/gzip.hpp"

#include "host/io/inflater.hpp"
#include "penstock/error.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace penstock {
namespace {

/// Compressed bytes read at a time: at the usual ratio of 3 to 5 about a MiB of text for each read(2), and
/// small beside the slots that it fills.
constexpr std::size_t stored_buffer_bytes = std::size_t{256} << 10;

constexpr unsigned char first_mark = 0x1f;
constexpr unsigned char second_mark = 0x8b;

std::string in_hex(unsigned char byte) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "0x%02x", static_cast<unsigned>(byte));
  return text.data();
}

class GzipSource final : public Source {
 public:
  GzipSource(std::unique_ptr<Source> stored, std::unique_ptr<Inflater> inflater)
      : stored_(std::move(stored)), inflater_(std::move(inflater)), buffer_(stored_buffer_bytes) {
    inflater_->begin_member();
  }

  std::size_t read(char* into, std::size_t capacity) override {
    if (failure_) throw SourceError(*failure_);
    std::size_t produced = 0;
    try {
      while (produced < capacity && !is_at_end_) {
        // A pipe's next bytes may be long in coming: what is there is given first.
        if (produced > 0 && unread_.empty()) break;
        if (is_in_member_) {
          produced += inflate({into + produced, capacity - produced});
        } else {
          find_member();
        }
      }
    } catch (SourceError const& failure) {
      failure_ = failure;
      if (produced == 0) throw;
    }
    return produced;
  }

  [[nodiscard]] std::string const& name() const override { return stored_->name(); }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return offset_; }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override {
    return stored_->stored_bytes_total();
  }

 private:
  /// One step of the inflater, and more stored bytes if it got nowhere without them.
  std::size_t inflate(std::span<char> out) {
    Inflater::Step const step = inflater_->inflate(unread_, out);
    consume(step.consumed);
    if (step.fault != nullptr) {
      end_with_fault(step.fault, step.produced);
    } else if (step.is_end) {
      is_in_member_ = false;
    } else if (step.consumed == 0 && step.produced == 0 && !refill()) {
      throw SourceError(name() + ": the gzip data ends early, at compressed byte " + std::to_string(offset_),
                        "The file looks cut off: copy or download it again, and check it with gzip -t.");
    }
    return step.produced;
  }

  /// Between members: skips zeros, then finds the next member or the end.
  void find_member() {
    while (true) {
      if (unread_.empty() && !refill()) {
        is_at_end_ = true;
        return;
      }
      if (unread_.front() != '\0') break;
      consume(1);
    }
    if (unread_.size() < 2) refill();
    bool const is_member = unread_.size() >= 2 && static_cast<unsigned char>(unread_[0]) == first_mark &&
                           static_cast<unsigned char>(unread_[1]) == second_mark;
    if (!is_member) {
      throw SourceError(name() + ": compressed byte " + std::to_string(offset_) + " (" +
                            in_hex(static_cast<unsigned char>(unread_.front())) +
                            ") follows the end of the gzip data, and neither zero padding nor another gzip member does",
                        "Something was appended to the file after it was compressed.");
    }
    inflater_->begin_member();
    is_in_member_ = true;
  }

  void end_with_fault(char const* fault, std::size_t produced) {
    SourceError const error(
        name() + ": the gzip data is corrupt near compressed byte " + std::to_string(offset_) + " (" + fault + ")",
        "Copy or download the file again, and check it with gzip -t.");
    if (produced == 0) throw error;
    failure_ = error;
    is_at_end_ = true;  // read() gives what was produced, and throws when it is called again
  }

  void consume(std::size_t count) {
    unread_ = unread_.subspan(count);
    offset_ += count;
  }

  /// Adds stored bytes to the unread ones, of which there is at most one; false if there are no more.
  bool refill() {
    std::size_t const kept = unread_.size();
    if (kept > 0) buffer_[0] = unread_.front();
    std::size_t const got = stored_->read(buffer_.data() + kept, buffer_.size() - kept);
    unread_ = std::span<char const>(buffer_).first(kept + got);
    return got > 0;
  }

  std::unique_ptr<Source> stored_;
  std::unique_ptr<Inflater> inflater_;
  std::vector<char> buffer_;
  std::span<char const> unread_{buffer_.data(), 0};  ///< the part of the buffer that was not used yet
  std::uint64_t offset_ = 0;                         ///< compressed bytes used so far
  bool is_in_member_ = true;
  bool is_at_end_ = false;
  std::optional<SourceError> failure_;
};

}  // namespace

std::unique_ptr<Source> make_gzip_source(std::unique_ptr<Source> stored) {
  std::unique_ptr<Inflater> inflater = make_inflater();
  if (inflater == nullptr) {
    throw SourceError(stored->name() + ": is gzip-compressed, and this build of penstock has no gzip support",
                      "Decompress it first (gzip -dc FILE | penstock ... -), or install the package zlib1g-dev or "
                      "libisal-dev and build penstock again.");
  }
  return std::make_unique<GzipSource>(std::move(stored), std::move(inflater));
}

}  // namespace penstock
