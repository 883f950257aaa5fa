/// What a normaliser makes of a column of text, in device memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/normalize/text_rule.hpp"
#include "penstock/tensor.hpp"

namespace penstock::cuda {

/// Applies a normalize::TextRule to texts in device memory. One object serves one stream.
class DeviceTextReader {
 public:
  /// Copies the vocabulary, and waits.
  DeviceTextReader(Stream& stream, normalize::TextRule const& rule);

  /// Enqueues. Of each row's text in `column`: the number at the same place of `numbers`, which is missing where the
  /// text is or the rule says so, and at that of `faults` 1 if the rule refuses the text, else 0. All of it lies in
  /// device memory.
  void read(TextCells const& texts, std::size_t column, double* numbers, std::uint8_t* faults);
  [[nodiscard]] std::size_t device_bytes() const;

 private:
  Stream& stream_;
  normalize::TextRule rule_;
  DeviceArray<normalize::Vocabulary::Slot> slots_;
  DeviceArray<std::uint64_t> begins_;
  DeviceArray<char> bytes_;
};

}  // namespace penstock::cuda
