/// A source in memory that behaves as badly as a real one may.
#pragma once

#include "penstock/error.hpp"
#include "penstock/source.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace penstock::testing {

struct FaultyOptions {
  std::uint64_t seed = 0;                           ///< decides the sizes of the reads
  std::size_t read_bytes_max = 64;                  ///< a read gives 1 to this many bytes, as far as there are any
  std::optional<std::uint64_t> fail_after_bytes{};  ///< these bytes are given, then every read throws
  std::string name = "<memory>";
};

/// Gives `bytes` in reads of random, reproducible sizes. Returns 0 only at the end (or for no capacity), and
/// throws SourceError where it was told to, even if that is the end.
class FaultySource final : public Source {
 public:
  explicit FaultySource(std::string bytes, FaultyOptions options = {})
      : bytes_(std::move(bytes)), options_(std::move(options)), random_(options_.seed) {}

  std::size_t read(char* into, std::size_t capacity) override {
    std::size_t left = bytes_.size() - given_;
    if (options_.fail_after_bytes) {
      auto const good = static_cast<std::size_t>(std::min<std::uint64_t>(*options_.fail_after_bytes, bytes_.size()));
      left = good - given_;
      if (left == 0) throw SourceError(options_.name + ": fails at byte " + std::to_string(given_) + " on purpose");
    }
    std::uniform_int_distribution<std::size_t> size(1, std::max<std::size_t>(options_.read_bytes_max, 1));
    std::size_t const count = std::min({size(random_), left, capacity});
    if (count > 0) std::memcpy(into, bytes_.data() + given_, count);
    given_ += count;
    return count;
  }

  [[nodiscard]] std::string const& name() const override { return options_.name; }
  [[nodiscard]] std::uint64_t stored_bytes_read() const override { return given_; }
  [[nodiscard]] std::optional<std::uint64_t> stored_bytes_total() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  FaultyOptions options_;
  std::mt19937_64 random_;
  std::size_t given_ = 0;
};

}  // namespace penstock::testing
