/// RecordIO-protobuf as one of the formats. Grammar: formats/recordio/README.md.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "formats/core/format.hpp"
#include "formats/recordio/cut.hpp"
#include "formats/recordio/decode_rows.hpp"
#include "formats/recordio/framing.hpp"
#include "formats/recordio/options.hpp"
#include "formats/recordio/places.hpp"
#include "formats/recordio/plan.hpp"
#include "formats/recordio/scout.hpp"
#include "formats/recordio/words.hpp"
#include "formats/recordio/write_rows.hpp"

namespace penstock::recordio {

inline constexpr std::string_view suffixes[] = {".rec", ".pbr", ".pb", ".recordio"};

struct Format {
  static constexpr FormatInfo info = {"recordio", "RecordIO-protobuf", suffixes, false, "frame"};
  static constexpr bool has_device = true;
  /// A whole header.
  static constexpr bool bears_mark(std::string_view head) {
    std::array<std::byte, header_bytes> bytes{};
    if (head.size() < bytes.size()) return false;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(head[i]);
    return parse_header(bytes).status == HeaderStatus::ok;
  }

  using Options = recordio::Options;
  static constexpr auto& options = read_options;
  using Plan = recordio::Plan;
  using Scout = recordio::Scout;
  template <class>
  using Cutter = RecordCutter;
  template <class>
  using Decoder = RowDecoder;
  using PlaceCounter = FrameCounter;
  static BatchCapacity record_capacity(Plan const& plan, std::size_t record_max) {
    return recordio::record_capacity(plan, record_max);
  }
  static FaultWords words_of(Fault const& fault, Plan const& plan, std::string_view record) {
    return recordio::words_of(fault, plan, record);
  }

  /// What a record has a place for, besides features and labels.
  static constexpr bool holds_sparse = true;
  static constexpr bool holds_texts = true;
  using WriteOptions = recordio::WriteOptions;
  static constexpr auto& write_options = record_write_options;
  static std::optional<Problem> unsupported(BatchLayout const& layout, BatchCapacity const& record,
                                            WriteOptions const& write) {
    return recordio::unsupported(layout, record, write);
  }
  using Writer = recordio::Writer;
};

}  // namespace penstock::recordio

template <>
struct penstock::FormatAt<2> {
  using Type = recordio::Format;
};
