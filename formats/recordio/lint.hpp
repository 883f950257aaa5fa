/// Linting of RecordIO-protobuf inputs of any size: bytes in pieces of any size go in, findings come out.
/// Rules: formats/recordio/lint_rules.hpp; the format: formats/recordio/README.md.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/recordio/framing.hpp"
#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/lint_record.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

struct LintOptions {
  /// Payloads above it (of a split record: all its parts) are reported, counted and passed over by their length. As the
  /// limit for records of text, 16 MiB.
  std::uint64_t record_bytes_max = std::uint64_t{16} << 20;
};

/// Follows the frames of one input after the other by their headers; it never searches for the magic. What it finds
/// does not depend on how an input was cut into windows. Several inputs are one stream of records: all are compared
/// with the first record of the first input.
///
///     linter.begin_input();
///     for (bool is_end = false; !is_end;) {
///       is_end = !read_behind(window, linter.wanted_bytes());   // until the window holds that many bytes
///       drop_front(window, linter.lint(window, is_end));
///     }
class Linter {
 public:
  Linter(LintOptions const& options, FindingSink& sink) : options_(options), sink_(&sink), records_(sink) {}

  /// What follows belongs to a new input. Clears the counts.
  void begin_input() { input_ = {}; }

  /// Lints as much as it can of `window`, which begins where the last call left off, and returns how many bytes of it
  /// are done. At the end of the input that is all. Otherwise call again with at least wanted_bytes() from there on, or
  /// at the end.
  std::size_t lint(Bytes window, bool is_end) {
    std::size_t at = 0;
    while (at < window.size() && !input_.is_broken) {
      std::size_t const done = step(window.subspan(at), is_end);
      if (done == 0 && !input_.is_broken) return at;
      at += done;
      input_.offset_bytes += done;
    }
    if (input_.is_broken) input_.offset_bytes += window.size() - at;
    if (is_end) finish();
    return window.size();
  }

  /// How many bytes, from the first that is not done on, the next call needs to get on: up to a whole frame.
  [[nodiscard]] std::size_t wanted_bytes() const { return input_.wanted_bytes; }
  /// Whether frames cannot be followed any further. What remains of the input need not be read.
  [[nodiscard]] bool is_broken() const { return input_.is_broken; }
  /// Frames of this input so far, and records: whole frames and split records that are complete. A frame or record that
  /// is too large to look into counts.
  [[nodiscard]] std::uint64_t frames() const { return input_.frames; }
  [[nodiscard]] std::uint64_t records() const { return input_.records; }
  /// Bytes of this input that are done.
  [[nodiscard]] std::uint64_t offset_bytes() const { return input_.offset_bytes; }

 private:
  /// The frame that is being looked at.
  struct Current {
    std::uint64_t frame = 0;
    std::uint64_t offset_bytes = 0;
    Part part = Part::whole;
  };

  /// Parts of a split record so far, joined in both ways that readers know.
  struct Group {
    bool is_open = false;
    bool is_too_large = false;
    bool may_be_by_magic = true;  ///< dmlc cuts at multiples of four only
    std::uint64_t frame = 0;
    std::uint64_t offset_bytes = 0;
    std::uint64_t parts = 0;
  };

  struct Input {
    std::uint64_t offset_bytes = 0;
    std::uint64_t frames = 0;
    std::uint64_t records = 0;
    std::uint64_t payload_to_skip = 0;  ///< of a frame that is too large
    std::uint64_t padding_to_skip = 0;
    Current skipped;
    std::uint64_t skipped_bytes = 0;  ///< all of its payload
    std::size_t wanted_bytes = header_bytes;
    bool is_broken = false;
    Group group;
  };

  void add(LintRule rule, Current const& current, LintNumbers numbers = {}, std::uint64_t inside_bytes = 0) {
    sink_->add({rule,
                current.frame,
                current.offset_bytes,
                current.offset_bytes + inside_bytes,
                {},
                numbers.found,
                numbers.expected});
  }

  /// Ends the walk: it is not known where the next frame begins.
  std::size_t stop(LintRule rule, LintNumbers numbers = {}) {
    add(rule, {input_.frames + 1, input_.offset_bytes}, numbers);
    input_.is_broken = true;
    return 0;
  }

  /// At most one frame; returns its bytes, or 0 if it is not all there, or broken. `rest` is not empty.
  std::size_t step(Bytes rest, bool is_end) {
    if (input_.payload_to_skip + input_.padding_to_skip != 0) return skip(rest.size());
    Header const header = parse_header(rest);
    if (header.status == HeaderStatus::bad_magic) return stop(LintRule::bad_magic);
    if (header.status == HeaderStatus::reserved_flag)
      return stop(LintRule::reserved_flag, {get_word(rest.data() + 4) >> 29});
    if (header.status == HeaderStatus::truncated)
      return is_end ? stop(LintRule::truncated_header, {rest.size()}) : want(header_bytes);
    if (header.payload_bytes > options_.record_bytes_max) return begin_skipping(header);
    std::size_t const wanted = frame_bytes(header.payload_bytes);
    if (rest.size() < wanted && !is_end) return want(wanted);
    if (rest.size() < header_bytes + header.payload_bytes)
      return stop(LintRule::truncated_payload, {rest.size() - header_bytes, header.payload_bytes});
    take(header, rest.first(std::min(rest.size(), wanted)));
    input_.wanted_bytes = header_bytes;
    return std::min(rest.size(), wanted);
  }

  std::size_t want(std::size_t bytes) {
    input_.wanted_bytes = bytes;
    return 0;
  }

  /// A frame whose payload is complete.
  void take(Header const& header, Bytes frame) {
    Current const current{++input_.frames, input_.offset_bytes, header.part};
    std::size_t const end = header_bytes + header.payload_bytes;
    if (std::size_t const wanted = frame_bytes(header.payload_bytes); frame.size() < wanted)
      add(LintRule::missing_padding, current, {wanted - frame.size()}, frame.size());
    for (std::size_t at = end; at < frame.size(); ++at) {
      if (frame[at] == std::byte{0}) continue;
      add(LintRule::nonzero_padding, current, {}, at);
      break;
    }
    Bytes const payload = frame.subspan(header_bytes, header.payload_bytes);
    bool const is_in_sequence = follow_sequence(current);
    if (header.part == Part::whole) {
      ++input_.records;
      return records_.lint(payload, {current.frame, current.offset_bytes, false});
    }
    if (std::byte const* const at = find_magic(payload); at != nullptr)
      add(LintRule::magic_in_payload, current, {}, header_bytes + static_cast<std::uint64_t>(at - payload.data()));
    if (is_in_sequence) add_part(current, payload);
  }

  /// Opens a group at a first part. Reports a part, or a whole record, that is not due; false if it is a part without
  /// its beginning.
  bool follow_sequence(Current const& current) {
    bool const is_begin = current.part == Part::whole || current.part == Part::first;
    if (is_begin == input_.group.is_open)
      add(LintRule::bad_part_sequence, current,
          {static_cast<std::uint64_t>(current.part), input_.group.is_open ? 1u : 0u});
    if (!is_begin) return input_.group.is_open;
    input_.group = {};
    if (current.part == Part::whole) return true;
    input_.group.is_open = true;
    input_.group.frame = current.frame;
    input_.group.offset_bytes = current.offset_bytes;
    return true;
  }

  void add_part(Current const& current, Bytes payload) {
    Group& group = input_.group;
    if (group.parts++ == 0) {
      joined_.clear();
      joined_by_magic_.clear();
    }
    bool const is_last = current.part == Part::last;
    if (!is_last && payload.size() % 4 != 0) group.may_be_by_magic = false;
    // The longer of the two joins counts, so that parts without bytes cannot pile up.
    std::uint64_t const bytes = joined_by_magic_.size() + payload.size();
    if (!group.is_too_large && bytes > options_.record_bytes_max) mark_too_large(bytes);
    if (!group.is_too_large) {
      joined_.insert(joined_.end(), payload.begin(), payload.end());
      joined_by_magic_.insert(joined_by_magic_.end(), payload.begin(), payload.end());
      std::array<std::byte, 4> word{};
      put_word(word.data(), magic);
      if (!is_last) joined_by_magic_.insert(joined_by_magic_.end(), word.begin(), word.end());
    }
    if (is_last) finish_group();
  }

  void mark_too_large(std::uint64_t bytes) {
    Group& group = input_.group;
    group.is_too_large = true;
    add(LintRule::record_too_large, {group.frame, group.offset_bytes}, {bytes, options_.record_bytes_max});
  }

  /// Joins as dmlc does where the record is sound that way, like the decoder. See README.md about the two dialects.
  void finish_group() {
    Group const group = input_.group;
    input_.group = {};
    ++input_.records;
    if (group.is_too_large) return;
    bool const is_by_magic = group.may_be_by_magic && records_.is_sound(joined_by_magic_);
    bool const is_concatenated = records_.is_sound(joined_);
    LintRule const rule = is_by_magic && is_concatenated ? LintRule::split_ambiguous
                          : is_by_magic                  ? LintRule::split_by_magic
                          : is_concatenated              ? LintRule::split_concatenated
                                                         : LintRule::split_malformed;
    add(rule, {group.frame, group.offset_bytes}, {group.parts});
    if (rule == LintRule::split_malformed) return;
    records_.lint(is_by_magic ? joined_by_magic_ : joined_, {group.frame, group.offset_bytes, true});
  }

  std::size_t begin_skipping(Header const& header) {
    Current const current{++input_.frames, input_.offset_bytes, header.part};
    bool const is_in_sequence = follow_sequence(current);
    if (header.part == Part::whole) ++input_.records;
    if (!input_.group.is_too_large)
      add(LintRule::record_too_large, current, {header.payload_bytes, options_.record_bytes_max});
    if (header.part != Part::whole && is_in_sequence) {
      ++input_.group.parts;
      input_.group.is_too_large = true;
      if (header.part == Part::last) finish_group();
    }
    input_.skipped = current;
    input_.skipped_bytes = input_.payload_to_skip = header.payload_bytes;
    input_.padding_to_skip = padded(header.payload_bytes) - header.payload_bytes;
    input_.wanted_bytes = 1;
    return header_bytes;
  }

  std::size_t skip(std::size_t bytes) {
    std::uint64_t const payload = std::min<std::uint64_t>(bytes, input_.payload_to_skip);
    std::uint64_t const padding = std::min<std::uint64_t>(bytes - payload, input_.padding_to_skip);
    input_.payload_to_skip -= payload;
    input_.padding_to_skip -= padding;
    if (input_.payload_to_skip + input_.padding_to_skip == 0) input_.wanted_bytes = header_bytes;
    return static_cast<std::size_t>(payload + padding);
  }

  /// The end of the input, if frames could be followed up to it.
  void finish() {
    if (input_.is_broken) return;
    if (input_.payload_to_skip != 0)
      add(LintRule::truncated_payload, input_.skipped,
          {input_.skipped_bytes - input_.payload_to_skip, input_.skipped_bytes});
    else if (input_.padding_to_skip != 0)
      add(LintRule::missing_padding, input_.skipped, {input_.padding_to_skip},
          input_.offset_bytes - input_.skipped.offset_bytes);
    else if (input_.group.is_open)
      add(LintRule::unfinished_split, {input_.group.frame, input_.group.offset_bytes}, {input_.group.parts});
  }

  LintOptions options_;
  FindingSink* sink_;
  RecordLinter records_;
  Input input_;
  std::vector<std::byte> joined_;  ///< reused from group to group
  std::vector<std::byte> joined_by_magic_;
};

}  // namespace penstock::recordio
