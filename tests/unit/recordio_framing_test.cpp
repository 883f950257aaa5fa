#include "formats/recordio/framing.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace penstock::recordio;
using Memory = std::vector<std::byte>;

Memory hex(std::string const& text) {
  Memory bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += text[i] == ' ' ? 1 : 2)
    if (text[i] != ' ') bytes.push_back(static_cast<std::byte>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  return bytes;
}

Memory payload_of(Frame const& frame) { return {frame.payload.begin(), frame.payload.end()}; }

TEST(RecordioHeader, IsLittleEndian) {
  Memory bytes(header_bytes);
  EXPECT_EQ(put_header(bytes.data(), 0x30), bytes.data() + header_bytes);
  EXPECT_EQ(bytes, hex("0a 23 d7 ce 30 00 00 00"));
  put_header(bytes.data(), payload_limit_bytes - 1);
  EXPECT_EQ(bytes, hex("0a 23 d7 ce ff ff ff 1f"));
}

TEST(RecordioHeader, LengthIsMaskedAndFlagNamed) {
  Header const header = parse_header(hex("0a 23 d7 ce 05 00 00 60"));
  EXPECT_EQ(header.status, HeaderStatus::ok);
  EXPECT_EQ(header.part, Part::last);
  EXPECT_EQ(header.payload_bytes, 5u);
  EXPECT_EQ(parse_header(hex("0a 23 d7 ce ff ff ff 1f")).payload_bytes, payload_limit_bytes - 1);
}

TEST(RecordioHeader, ReservedFlagsAreRefused) {
  for (int flag = 0; flag < 8; ++flag) {
    Memory bytes = hex("0a 23 d7 ce 08 00 00 00");
    bytes[7] = static_cast<std::byte>(flag << 5);
    EXPECT_EQ(parse_header(bytes).status, flag < 4 ? HeaderStatus::ok : HeaderStatus::reserved_flag) << flag;
  }
}

TEST(RecordioHeader, ShortInputIsTruncatedUnlessItIsNoMagic) {
  Memory const whole = hex("0a 23 d7 ce 08 00 00 00");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Memory const part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(parse_header(part).status, HeaderStatus::truncated) << size;
  }
  EXPECT_EQ(parse_header(hex("0b")).status, HeaderStatus::bad_magic);
  EXPECT_EQ(parse_header(hex("0a 23 d7 cf 00 00 00 00")).status, HeaderStatus::bad_magic);
}

TEST(RecordioSizes, FramesAreMultiplesOfFour) {
  EXPECT_EQ(frame_bytes(0), 8u);
  EXPECT_EQ(frame_bytes(1), 12u);
  EXPECT_EQ(frame_bytes(4), 12u);
  EXPECT_EQ(frame_bytes(53), 64u);
}

TEST(RecordioCursor, WalksWholeFrames) {
  Memory const file =
      hex("0a 23 d7 ce 00 00 00 00  0a 23 d7 ce 03 00 00 00 61 62 63 00  0a 23 d7 ce 04 00 00 00 64 65 66 67");
  FrameCursor cursor(file);
  for (char const* payload : {"", "61 62 63", "64 65 66 67"}) {
    Frame const frame = cursor.next();
    EXPECT_EQ(frame.status, FrameStatus::ok);
    EXPECT_EQ(payload_of(frame), hex(payload));
  }
  EXPECT_EQ(cursor.next().status, FrameStatus::end);
  EXPECT_EQ(cursor.offset_bytes(), file.size());
}

TEST(RecordioCursor, NeverSearchesTheMagic) {
  // The payload holds the magic, aligned, followed by a word that would make a plausible header.
  Memory const file = hex("0a 23 d7 ce 0c 00 00 00  0a 23 d7 ce 04 00 00 00 00 00 00 3f  0a 23 d7 ce 00 00 00 00");
  FrameCursor cursor(file);
  EXPECT_EQ(payload_of(cursor.next()), hex("0a 23 d7 ce 04 00 00 00 00 00 00 3f"));
  Frame const second = cursor.next();
  EXPECT_EQ(second.status, FrameStatus::ok);
  EXPECT_EQ(second.offset_bytes, 20u);
  EXPECT_EQ(cursor.next().status, FrameStatus::end);
}

struct Parts {
  char const* file;
  std::vector<Part> parts;
};

TEST(RecordioCursor, SplitRecordsAreNamedNotJoined) {
  for (auto const& [file, parts] : {
           Parts{"0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 00 00 00 60", {Part::first, Part::last}},
           Parts{"0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 02 00 00 60 61 62 00 00", {Part::first, Part::last}},
           Parts{"0a 23 d7 ce 04 00 00 20 61 62 63 64 0a 23 d7 ce 00 00 00 60", {Part::first, Part::last}},
           Parts{"0a 23 d7 ce 00 00 00 20 0a 23 d7 ce 00 00 00 40 0a 23 d7 ce 00 00 00 60",
                 {Part::first, Part::middle, Part::last}},
           Parts{"0a 23 d7 ce 05 00 00 00 61 0a 23 d7 ce 00 00 00", {Part::whole}},
           Parts{"0a 23 d7 ce 08 00 00 20 0a 1a 0a 06 76 61 6c 75 "
                 "0a 23 d7 ce 0a 00 00 40 65 73 12 10 12 0e 0a 0c 00 00 00 00 "
                 "0a 23 d7 ce 01 00 00 40 80 00 00 00 "
                 "0a 23 d7 ce 1d 00 00 60 3f 00 00 00 00 00 00 00 00 12 12 0a 06 76 61 6c 75 65 73 "
                 "12 08 12 06 0a 04 00 00 80 3f 00 00 00",
                 {Part::first, Part::middle, Part::middle, Part::last}},
       }) {
    Memory const bytes = hex(file);
    FrameCursor cursor(bytes);
    for (Part part : parts) {
      Frame const frame = cursor.next();
      EXPECT_EQ(frame.status, part == Part::whole ? FrameStatus::ok : FrameStatus::multi_part) << file;
      EXPECT_EQ(frame.part, part) << file;
    }
    EXPECT_EQ(cursor.next().status, FrameStatus::end) << file;
  }
}

TEST(RecordioCursor, SaysWhereTheBytesEnd) {
  Memory const file = hex("0a 23 d7 ce 00 00 00 00 0a 23 d7 ce 05 00 00 00 61 62 63 64 65 00 00 00");
  for (std::size_t size = 0; size <= file.size(); ++size) {
    Memory const part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    FrameCursor cursor(part);
    Frame frame = cursor.next();
    if (size >= 8) {
      ASSERT_EQ(frame.status, FrameStatus::ok);
      frame = cursor.next();
    }
    auto const expected = size == 0 || size == 8 ? FrameStatus::end
                          : size < 16            ? FrameStatus::truncated_header
                          : size < 21            ? FrameStatus::truncated_payload
                          : size < 24            ? FrameStatus::truncated_pad
                                                 : FrameStatus::ok;
    EXPECT_EQ(frame.status, expected) << size;
    EXPECT_EQ(cursor.offset_bytes(), size < 8 ? 0u : size < 24 ? 8u : 24u) << size;
    if (frame.status == FrameStatus::truncated_pad) {
      EXPECT_EQ(payload_of(frame), hex("61 62 63 64 65"));
    }
  }
}

TEST(RecordioCursor, AWrongFrameEndsTheWalk) {
  struct Case {
    char const* file;
    FrameStatus status;
  };
  for (auto const& [file, status] : {
           Case{"0a 23 d7 ce 00 00 00 00 0a 23 d7 00 00 00 00 00 0a 23 d7 ce 00 00 00 00", FrameStatus::bad_magic},
           Case{"0a 23 d7 ce 00 00 00 00 00", FrameStatus::bad_magic},
           Case{"0a 23 d7 ce 00 00 00 00 0a 23 d7 ce 00 00 00 80", FrameStatus::reserved_flag},
           Case{"0a 23 d7 ce 00 00 00 00 0a 23 d7 ce ff ff ff 1f 00", FrameStatus::truncated_payload},
       }) {
    Memory const bytes = hex(file);
    FrameCursor cursor(bytes);
    EXPECT_EQ(cursor.next().status, FrameStatus::ok);
    for (int again = 0; again < 2; ++again) {
      Frame const frame = cursor.next();
      EXPECT_EQ(frame.status, status) << file;
      EXPECT_EQ(frame.offset_bytes, 8u);
      EXPECT_TRUE(frame.payload.empty());
      EXPECT_FALSE(describe(frame.status).empty());
    }
  }
}

}  // namespace
