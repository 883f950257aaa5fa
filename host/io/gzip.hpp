/// Transparent gzip: RFC 1952 files of any number of members.
#pragma once

#include "penstock/source.hpp"

#include <memory>

namespace penstock {

/// The decompressed bytes of `stored`, which begins with a gzip member; more members, and zero bytes as
/// padding after any of them, may follow. Inflates straight into the caller's memory. When the data ends
/// early, is corrupt, or is followed by something else, every good byte before that is given first; then
/// read() throws SourceError with the byte in the compressed file, again at each further call.
/// Throws SourceError at once if this build cannot inflate.
[[nodiscard]] std::unique_ptr<Source> make_gzip_source(std::unique_ptr<Source> stored);

}  // namespace penstock
