#include "bench/gpu/texts.hpp"

#include <array>
#include <cstring>
#include <memory>

#include "host/app/synth.hpp"

namespace penstock::bench {
namespace {

using app::SynthRandom;

/// The pairs of a record are as short as they get in real data: indices below 127 and the value 1, as in the agaricus
/// set, 5 bytes a pair.
char* put_short_pairs(SynthRandom& random, char* out) {
  *out++ = static_cast<char>('0' + random.next() % 2);
  unsigned index = 0;
  for (int pair = 0; pair < 22; ++pair) {
    index += 1 + static_cast<unsigned>(random.next() % 10);
    if (index > 126) break;
    *out++ = ' ';
    if (index >= 100) *out++ = static_cast<char>('0' + index / 100);
    if (index >= 10) *out++ = static_cast<char>('0' + index / 10 % 10);
    *out++ = static_cast<char>('0' + index % 10);
    *out++ = ':';
    *out++ = '1';
  }
  *out++ = '\n';
  return out;
}

std::string with_quotes(std::string_view record) {
  std::string out;
  std::string_view const cells = record.substr(0, record.size() - 1);
  for (std::size_t at = 0; at <= cells.size();) {
    std::size_t const end = std::min(cells.find(',', at), cells.size());
    if (end > at) out.append("\"").append(cells.substr(at, end - at)).append("\"");
    out += end < cells.size() ? "," : "\n";
    at = end + 1;
  }
  return out;
}

/// A letter at the end of a cell in the middle of the record: what comes before it was a number.
std::string spoilt(std::string record) {
  std::size_t const comma = record.find(',', record.size() / 2);
  if (comma != record.npos) record[comma - 1] = 'x';
  return record;
}

void add(Text& text, std::string_view record) {
  text.bytes += record;
  text.ends.push_back(text.bytes.size());
}

/// Records of a kind that writes them one by one.
Text one_by_one(TextKind const& kind, std::size_t size_bytes, app::SynthRecord put, std::size_t record_bytes_max) {
  auto const memory = std::make_unique<char[]>(record_bytes_max + app::synth_slack_bytes);
  Text text;
  SynthRandom random(1, 0);
  while (text.bytes.size() < size_bytes) {
    char const* const end = put(random, memory.get());
    std::string record(memory.get(), static_cast<std::size_t>(end - memory.get()));
    if (kind.is_bad && text.ends.size() % 100 == 50) record = spoilt(std::move(record));
    add(text, kind.is_quoted ? with_quotes(record) : record);
  }
  return text;
}

/// Records of a kind that can be bad: all faults that need no option of the reader, in equal shares.
Text by_blocks(TextKind const& kind, std::size_t size_bytes, app::SynthKind const& synth) {
  app::SynthOptions options;
  options.kind = kind.synth;
  options.rows = ~std::uint64_t{0} >> 1;
  std::size_t faults = 0;
  for (app::SynthFault const& fault : synth.faults) faults += fault.reader_options.empty() ? 1 : 0;
  auto const share = static_cast<std::uint32_t>(app::synth_share_one / 100 / faults);
  for (app::SynthFault const& fault : synth.faults)
    if (kind.is_bad && fault.reader_options.empty()) options.bad.push_back({fault.code, share});
  Text text;
  for (std::uint64_t block = 0; text.bytes.size() < size_bytes; ++block) {
    std::string const records = synthesize_block(options, block);
    for (std::size_t at = 0; at < records.size();) {
      std::size_t const end = records.find('\n', at) + 1;
      add(text, std::string_view(records).substr(at, end - at));
      at = end;
    }
  }
  return text;
}

}  // namespace

std::span<TextKind const> text_kinds() {
  using enum TextFormat;
  static constexpr std::array kinds = {
      TextKind{"higgs", "higgs", csv},
      TextKind{"higgs_quoted", "higgs", csv, true},
      TextKind{"compact", "compact", csv},
      TextKind{"compact_quoted", "compact", csv, true},
      TextKind{"wide", "wide", csv},
      TextKind{"libsvm", "libsvm", libsvm},
      TextKind{"libsvm_short", "", libsvm},
      TextKind{"recordio", "recordio", recordio, false, false, true},
      TextKind{"recordio_sparse", "recordio-sparse", recordio},
      TextKind{"deepar", "deepar", deepar},
      TextKind{"objects", "objects", objects},
      TextKind{"quoted", "quoted", csv},
      TextKind{"higgs_bad", "higgs", csv, false, true},
      TextKind{"dirty_clean", "dirty", csv},
      TextKind{"dirty", "dirty", csv, false, true},
  };
  return kinds;
}

Text make_text(TextKind const& kind, std::size_t size_bytes) {
  if (kind.synth.empty()) return one_by_one(kind, size_bytes, put_short_pairs, 256);
  app::SynthKind const& synth = app::synth_kind(kind.synth);
  if (synth.record == nullptr) return by_blocks(kind, size_bytes, synth);
  return one_by_one(kind, size_bytes, synth.record, synth.record_bytes_max);
}

Slots fill_slots(Text const& text, std::size_t slot_bytes, std::size_t count, char* memory) {
  Slots slots;
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    char* const data = memory + i * slot_stride(slot_bytes) + text_padding;
    std::size_t size = 0, records = 0;
    for (;; ++records, next = (next + 1) % text.ends.size()) {
      std::size_t const begin = next == 0 ? 0 : text.ends[next - 1], bytes = text.ends[next] - begin;
      if (size + bytes > slot_bytes) break;
      std::memcpy(data + size, text.bytes.data() + begin, bytes);
      size += bytes;
    }
    Chunk chunk;
    chunk.text = {data, size};
    chunk.stamp = {0, 1 + slots.text_bytes, i};  // not the shard's beginning: no byte order mark is looked for
    slots.chunks.push_back(chunk);
    slots.records.push_back(records);
    slots.text_bytes += size;
  }
  return slots;
}

}  // namespace penstock::bench
