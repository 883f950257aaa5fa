/// Reading a source to its end.
#pragma once

#include "penstock/error.hpp"
#include "penstock/source.hpp"

#include <gtest/gtest.h>

#include <string>

namespace penstock::testing {

/// What a source gave before its end, and the SourceError it ended with, if any.
struct Outcome {
  std::string bytes;
  std::string error;
  std::string hint;
};

/// Reads `capacity` bytes at a time, and checks that the end stays the end and an error an error.
inline Outcome drain(Source& source, std::size_t capacity = 4096) {
  Outcome outcome;
  std::string buffer(capacity, '\0');
  try {
    while (std::size_t const got = source.read(buffer.data(), capacity)) outcome.bytes.append(buffer, 0, got);
    EXPECT_EQ(source.read(buffer.data(), capacity), 0u) << "the end stays the end";
  } catch (SourceError const& error) {
    outcome.error = error.what();
    outcome.hint = error.hint();
    EXPECT_THROW((void)source.read(buffer.data(), capacity), SourceError) << "an error stays an error";
  }
  return outcome;
}

}  // namespace penstock::testing
