/// What a record asks of guesses, and one that has none.
#pragma once

#include <cstdint>

#include "formats/core/platform.hpp"
#include "formats/objects/plan.hpp"

namespace penstock::objects {

/// A key of the record's own object that was guessed.
struct Guessed {
  std::uint32_t node = none;
  char const* value = nullptr;  ///< its first byte; null: nothing was guessed
};

/// Guesses nothing. guess.hpp has one that does, and says what is asked of it.
struct NoGuess {
  static constexpr bool keeps_values = true;
  static constexpr bool reads_texts = false;  ///< there may be columns of text
  PENSTOCK_HD void begin(char const* /*at*/) {}
  PENSTOCK_HD static Guessed key(char const* /*at*/) { return {}; }
  PENSTOCK_HD static void learn(char const* /*at*/, Guessed /*found*/) {}
  PENSTOCK_HD static char const* pass(char const* /*at*/) { return nullptr; }
  PENSTOCK_HD static char const* word(char const* /*at*/) { return nullptr; }
  PENSTOCK_HD static char const* number(char const* /*at*/, float& /*value*/) { return nullptr; }
  PENSTOCK_HD static char const* number_end(char const* /*at*/) { return nullptr; }
};

/// The same, for records that are read only to know what becomes of them.
struct NoValues : NoGuess {
  static constexpr bool keeps_values = false;
};

}  // namespace penstock::objects
