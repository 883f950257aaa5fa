/// The one joint to the library that inflates: ISA-L (PENSTOCK_HAS_ISAL), else zlib (PENSTOCK_HAS_ZLIB).
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace penstock {

/// Inflates gzip members (RFC 1952: header, deflate data, checksum and length), one after the other.
class Inflater {
 public:
  /// What one call did. If nothing was consumed or produced, it wants more input or more room.
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool is_end = false;          ///< the member ended here and its checksum was right
    char const* fault = nullptr;  ///< what is wrong with the data; all good bytes before it were given
  };

  virtual ~Inflater() = default;
  /// Gets ready for the header of a member. Called before the first step, and after each end.
  virtual void begin_member() = 0;
  /// Goes on with the bytes of `in`; an empty `in` fetches what is still held back.
  virtual Step inflate(std::span<char const> in, std::span<char> out) = 0;
};

/// Null if the build has neither library.
[[nodiscard]] std::unique_ptr<Inflater> make_inflater();

}  // namespace penstock
