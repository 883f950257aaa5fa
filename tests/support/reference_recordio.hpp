/// RecordIO-protobuf inputs the slow way: whole in memory, frame by frame.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/recordio/plan.hpp"
#include "tests/support/format_run.hpp"
#include "tests/support/reference_record.hpp"

namespace penstock::testing::reference {

/// One shard after the other: frames, records, rows.
class Reader {
 public:
  Reader(recordio::Plan const& plan, std::size_t record_max) : plan_(plan), record_max_(record_max) {
    run.layout = plan.layout;
  }

  FormatRun run;

  void shard(std::string_view bytes) {
    bytes_ = bytes;
    for (std::size_t at = 0; at < bytes_.size();) at = record(at);
    ++shard_;
  }

 private:
  struct Frame {
    bool is_header = false, is_truncated = false;
    std::optional<FaultCode> fault;
    std::uint32_t flag = 0;
    std::size_t begin = 0, payload = 0, length = 0, end = 0;  ///< end: with padding, wherever the shard ends
  };

  [[nodiscard]] Frame frame(std::size_t at) const {
    constexpr std::string_view magic = "\x0a\x23\xd7\xce";
    Frame f;
    f.begin = at;
    std::string_view const head = bytes_.substr(at, 8);
    if (head.substr(0, 4) != magic.substr(0, head.size())) {
      f.fault = FaultCode::bad_magic;
    } else if (head.size() < 8) {
      f.fault = FaultCode::truncated_frame;
    } else {
      std::uint32_t word = 0;
      for (std::size_t i = 0; i < 4; ++i)
        word |= static_cast<std::uint32_t>(static_cast<unsigned char>(head[4 + i])) << (8 * i);
      f.flag = word >> 29;
      f.length = word & 0x1fffffff;
      f.payload = at + 8;
      f.end = at + 8 + (f.length + 3) / 4 * 4;
      if (f.flag > 3) f.fault = FaultCode::reserved_flag;
    }
    return f;
  }

  void reject(FaultCode code, std::size_t begin, std::size_t end, Extent cell, std::uint32_t column = 0) {
    RunFault fault;
    fault.code = code;
    fault.shard = shard_;
    fault.record_begin = begin;
    fault.cell_begin = cell.begin;
    fault.cell_end = cell.end;
    fault.column = column;
    fault.rows_before = run.rows.size();
    fault.record = bytes_.substr(begin, end - begin);
    run.faults.push_back(fault);
  }

  /// The record, or the damage, at `begin`; returns where the next begins.
  std::size_t record(std::size_t begin) {
    std::vector<Frame> frames;
    std::size_t const size = bytes_.size();
    auto const lines = [&](std::size_t more) { run.counts.lines += frames.size() + more; };
    for (std::size_t at = begin;;) {
      if (at + 8 - begin > record_max_) return too_long(begin, begin, frames.size(), at, true);
      if (at == size) {
        lines(0);
        return reject(FaultCode::bad_part_sequence, begin, size, {size, size}), size;
      }
      Frame const f = frame(at);
      if (f.fault) {
        lines(1);
        Extent const magic{at, std::min(at + 4, size)}, word{at + 4, at + 8}, rest{at, size};
        reject(*f.fault, begin, size,
               f.fault == FaultCode::bad_magic       ? magic
               : f.fault == FaultCode::reserved_flag ? word
                                                     : rest);
        return size;
      }
      if (f.flag <= 1 && !frames.empty()) {
        lines(0);
        return reject(FaultCode::bad_part_sequence, begin, at, {at, at + 8}), at;
      }
      if (f.flag >= 2 && frames.empty()) return strays(begin);
      if (f.end - begin > record_max_) return too_long(begin, at, frames.size(), at, f.flag == 1 || f.flag == 2);
      std::size_t const payload_end = f.payload + f.length;
      if (payload_end > size) {
        lines(1);
        return reject(FaultCode::truncated_frame, begin, size, {at, at + 8}), size;
      }
      if (f.end > size && plan_.padding == recordio::Padding::strict) {
        lines(1);
        return reject(FaultCode::missing_padding, begin, size, {payload_end, size}), size;
      }
      frames.push_back(f);
      at = std::min(f.end, size);
      if (f.flag == 0 || f.flag == 3) {
        lines(0);
        return row(frames, begin, at), at;
      }
    }
  }

  /// Frames from `at` on that belong to a stretch; returns its end.
  std::size_t pass_parts(std::size_t at, bool ends_with_last) {
    while (at < bytes_.size()) {
      Frame const f = frame(at);
      if (f.fault || f.flag < 2) return at;
      ++run.counts.lines;
      at = std::min(f.end, bytes_.size());
      if (f.flag == 3 && ends_with_last) return at;
    }
    return at;
  }

  std::size_t strays(std::size_t begin) {
    std::size_t const end = pass_parts(begin, false);
    reject(FaultCode::bad_part_sequence, begin, end, {begin, begin + 8});
    return end;
  }

  /// `frames` parts have passed, and the one at `at` is too much, or there is no room for another at all.
  std::size_t too_long(std::size_t begin, std::size_t cell, std::size_t frames, std::size_t at, bool has_more) {
    run.counts.lines += frames;
    bool const has_frame = at + 8 - begin <= record_max_;
    if (has_frame) {
      ++run.counts.lines;
      at = std::min(frame(at).end, bytes_.size());
    }
    std::size_t const end = has_more ? pass_parts(at, true) : at;
    reject(FaultCode::record_too_long, begin, end, {cell, cell + 8});
    return end;
  }

  [[nodiscard]] std::string join(std::vector<Frame> const& frames, bool has_magic) const {
    std::string payload;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (i > 0 && has_magic) payload += "\x0a\x23\xd7\xce";
      payload += bytes_.substr(frames[i].payload, frames[i].length);
    }
    return payload;
  }

  /// Whether the magic is put back between the parts.
  [[nodiscard]] bool has_magic(std::vector<Frame> const& frames) const {
    if (plan_.join != recordio::Join::automatic) return plan_.join == recordio::Join::with_magic;
    for (std::size_t i = 0; i + 1 < frames.size(); ++i)
      if (frames[i].length % 4 != 0) return false;
    std::string const with = join(frames, true), without = join(frames, false);
    return RecordReader(with, plan_).is_sound || !RecordReader(without, plan_).is_sound;
  }

  void row(std::vector<Frame> const& frames, std::size_t begin, std::size_t end) {
    bool const is_split = frames.front().flag != 0;
    std::string const payload = is_split ? join(frames, has_magic(frames)) : join(frames, false);
    RecordReader const reader(payload, plan_);
    if (reader.fault) {
      bool const has_place = !is_split && reader.fault->begin != std::string::npos;
      std::size_t const cell = has_place ? begin + 8 + reader.fault->begin : begin;
      std::size_t const cell_end = has_place ? begin + 8 + reader.fault->end : begin + 8;
      return reject(reader.fault->code, begin, end, {cell, cell_end}, reader.fault->column);
    }
    run.rows.push_back(reader.row);
    run.counts.other_entries += reader.has_other_entries;
  }

  recordio::Plan const& plan_;
  std::size_t record_max_;
  std::string_view bytes_;
  std::uint32_t shard_ = 0;
};

inline FormatRun run_reference(recordio::Plan const& plan, std::vector<std::string> const& shards,
                               std::size_t record_max) {
  Reader reader(plan, record_max);
  for (std::string const& bytes : shards) reader.shard(bytes);
  return reader.run;
}

}  // namespace penstock::testing::reference
