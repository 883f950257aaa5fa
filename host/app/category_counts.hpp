/// How often each text stands in a column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::app {

/// Memory: some 24 to 48 bytes a text beside its own.
class CategoryCounts {
 public:
  CategoryCounts() : slots_(1024, none) {}

  /// Whether it is a new one.
  bool add(std::string_view text);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const {
    return slots_.capacity() * sizeof(std::uint32_t) + entries_.capacity() * sizeof(Entry) + bytes_.capacity();
  }
  /// The text that came most often first, those as frequent in the order of their bytes: nothing here depends on which
  /// came first.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> by_count() const;

 private:
  static constexpr std::uint32_t none = 0xffff'ffffu;
  struct Entry {
    std::uint64_t hash;
    std::uint64_t count;
    std::uint64_t begin;  ///< in `bytes_`
    std::uint32_t size;
  };
  [[nodiscard]] std::string_view text_of(Entry const& entry) const { return {bytes_.data() + entry.begin, entry.size}; }
  void grow();

  std::vector<std::uint32_t> slots_;  ///< numbers of entries; twice as many as entries at least
  std::vector<Entry> entries_;
  std::vector<char> bytes_;
};

}  // namespace penstock::app
