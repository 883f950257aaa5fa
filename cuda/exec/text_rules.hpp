/// What a normaliser makes of columns of text, in device memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/csv/cell.hpp"
#include "formats/normalize/text_rule.hpp"

namespace penstock::cuda {

/// Rules, and the vocabularies that they point to.
class DeviceTextRules {
 public:
  /// Copies them, and waits.
  DeviceTextRules(Stream& stream, penstock::csv::View<normalize::TextRule> rules);

  [[nodiscard]] penstock::csv::View<normalize::TextRule> rules() const;
  [[nodiscard]] std::size_t device_bytes() const;

 private:
  struct Words {
    DeviceArray<normalize::Vocabulary::Slot> slots;
    DeviceArray<std::uint64_t> rests;
  };
  std::vector<Words> words_;
  DeviceArray<normalize::TextRule> rules_;
};

}  // namespace penstock::cuda
