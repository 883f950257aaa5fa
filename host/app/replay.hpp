/// Inputs that can be read only once, for those who look twice.
#pragma once

#include <memory>
#include <vector>

#include "host/io/inputs.hpp"

namespace penstock::app {

/// Standard input and FIFOs among some inputs, so that they can be opened several times: what was read before is given
/// again. Copies share what was read.
class Replay {
 public:
  explicit Replay(std::vector<InputFile> const& files);

  /// The same inputs; those that can be read only once may be opened again, one at a time, until settle().
  [[nodiscard]] std::vector<InputFile> const& files() const { return files_; }
  /// They are not opened any more: what is read from now on is not kept.
  void settle();

 private:
  class Recording;
  class Player;

  std::vector<InputFile> files_;
  std::vector<std::shared_ptr<Recording>> recordings_;
};

}  // namespace penstock::app
