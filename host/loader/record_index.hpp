/// Where the records of inputs begin: so that any of them can be read without those before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/loader/opened_input.hpp"

namespace penstock {

/// A record's bytes in its file, up to the next record that is accepted or rejected: line ends, comments and blank
/// lines behind it included.
struct RecordBytes {
  std::uint32_t file = 0;
  std::uint32_t size_bytes = 0;
  std::uint64_t offset_bytes = 0;
};

/// The accepted records of an input, in file order.
class RecordIndex {
 public:
  [[nodiscard]] std::uint64_t records() const { return offsets_.size(); }
  [[nodiscard]] RecordBytes record(std::uint64_t number) const;
  [[nodiscard]] std::uint64_t text_bytes() const { return text_bytes_; }  ///< of all records
  /// Records of file `i` are [first_record(i), first_record(i + 1)).
  [[nodiscard]] std::uint64_t first_record(std::size_t file) const { return first_records_[file]; }
  [[nodiscard]] std::uint64_t rejected() const { return reject_places_.size(); }
  /// Rejected records of `file`, and those of them that come before its record `number`.
  [[nodiscard]] std::uint64_t rejected_in(std::size_t file) const {
    return first_rejects_[file + 1] - first_rejects_[file];
  }
  [[nodiscard]] std::uint64_t rejected_before(std::size_t file, std::uint64_t number) const;

  /// From the sidecar at `path`, if it is that of these inputs and options, and whole.
  [[nodiscard]] static std::shared_ptr<RecordIndex const> load(std::string const& path, OpenedInput const& input);
  /// By a pass over the input, whose records can be read at random.
  [[nodiscard]] static std::shared_ptr<RecordIndex const> build(OpenedInput const& input);
  /// Writes the sidecar; false where that is not possible.
  [[nodiscard]] bool save(std::string const& path, OpenedInput const& input) const;

 private:
  class Builder;
  class Memory;

  [[nodiscard]] std::uint64_t checksum() const;

  std::shared_ptr<void const> memory_;  ///< that the spans lie in
  std::span<std::uint64_t const> offsets_;
  std::span<std::uint32_t const> sizes_;
  std::span<std::uint64_t const> reject_places_;              ///< for each reject the records before it, ascending
  std::vector<std::uint64_t> first_records_, first_rejects_;  ///< of each file, and behind the last
  std::uint64_t text_bytes_ = 0;
};

/// Where the index of an input is kept by default.
[[nodiscard]] std::string default_index_path(OpenedInput const& input);

}  // namespace penstock
