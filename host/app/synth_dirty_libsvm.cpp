/// dirty-libsvm: libsvm in which some records are bad.
#include <string>

#include "host/app/synth_edit.hpp"
#include "host/app/synth_kinds.hpp"
#include "host/app/synth_text.hpp"

namespace penstock::app::synth {
namespace {

constexpr SynthFault faults[] = {
    {FaultCode::not_a_number, ""},
    {FaultCode::out_of_range, ""},
    {FaultCode::non_finite, ""},
    {FaultCode::missing_label, ""},
    {FaultCode::several_labels, ""},
    {FaultCode::bad_index, ""},
    {FaultCode::duplicate_index, ""},
    {FaultCode::missing_separator, ""},
    {FaultCode::misplaced_qid, ""},
    {FaultCode::unexpected_weight, ""},
    {FaultCode::unexpected_qid, ""},
    {FaultCode::index_below_base, "--index-base 1"},
    {FaultCode::index_out_of_range, "--num-features 1000"},
    {FaultCode::record_too_long, "--max-record-size 1KiB"},
};

constexpr std::string_view not_numbers[] = {"abc", "n/a", "12x", "1.2.3", "--5", "0x1F", "1e", "Safari"};
constexpr std::string_view too_large[] = {"1e999", "-1e400", "1.5e309", "-9e4000"};
constexpr std::string_view non_finites[] = {"nan", "inf", "-inf"};
constexpr std::string_view no_labels[] = {"qid:3", ":0.5"};
constexpr std::string_view label_lists[] = {"0,1", "1,0", "0,1,2"};
constexpr std::string_view bad_indices[] = {"x7", "-3", "1.5", "1e2"};
constexpr std::string_view weighted_labels[] = {"0:0.5", "1:2"};
constexpr std::string_view labels_with_query[] = {"0 qid:3", "1 qid:17"};

constexpr std::size_t pairs = 8;
/// Each pair takes an index from a stretch of so many: they ascend, up to 1000.
constexpr std::uint32_t stretch = 125;

/// Puts `fault` into a good record; `random` chooses how it looks, and where it stands.
char* spoil(RecordEdit record, FaultCode fault, std::uint64_t random) {
  std::size_t const pair = 2 + (random >> 32) % (pairs - 1);  // not the first
  std::string_view const token = record.token(pair);
  std::size_t const colon = token.find(':');
  std::string_view const index = token.substr(0, colon), value = token.substr(colon + 1);
  switch (fault) {
    case FaultCode::not_a_number: record.replace(value, one_of(not_numbers, random)); break;
    case FaultCode::out_of_range: record.replace(value, one_of(too_large, random)); break;
    case FaultCode::non_finite: record.replace_token(0, one_of(non_finites, random)); break;
    case FaultCode::missing_label: record.replace_token(0, one_of(no_labels, random)); break;
    case FaultCode::several_labels: record.replace_token(0, one_of(label_lists, random)); break;
    case FaultCode::bad_index: record.replace(index, one_of(bad_indices, random)); break;
    case FaultCode::duplicate_index: record.replace(token, std::string(record.token(pair - 1))); break;
    case FaultCode::missing_separator: record.replace(token, std::string(index)); break;
    case FaultCode::misplaced_qid: record.replace(token, "qid:3"); break;
    case FaultCode::unexpected_weight: record.replace_token(0, one_of(weighted_labels, random)); break;
    case FaultCode::unexpected_qid: record.replace_token(0, one_of(labels_with_query, random)); break;
    case FaultCode::index_below_base: record.replace(index, "0"); break;
    case FaultCode::index_out_of_range: record.replace(index, "1001"); break;
    case FaultCode::record_too_long:
      record.append(" # ");
      record.append(long_record_bytes, '.');
      break;
    default: break;
  }
  return record.end();
}

char* dirty_libsvm_record(SynthRandom& random, SynthPlace place, char* const begin) {
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  std::uint64_t const first = local.next();
  char* out = begin;
  *out++ = static_cast<char>('0' + (first >> 63));
  for (std::uint32_t i = 0; i < pairs; ++i) {
    std::uint64_t const bits = local.next();
    *out++ = ' ';
    out = put_digits(i * stretch + 1 + below(bits, stretch), out);
    *out++ = ':';
    out = put_fraction(bits >> 32, out);
  }
  *out++ = '\n';
  random = local;
  if (place.fault == nullptr) return out;
  return spoil(RecordEdit(begin, out, ' '), place.fault->code, SynthRandom::mix(first));
}

}  // namespace

/// Rows a block: about 0.5 MiB, so that a block is still in the second-level cache when it is written.
SynthKind dirty_libsvm_kind() {
  return {
      .name = "dirty-libsvm",
      .description = "libsvm, label and 8 pairs with indices from 1 to 1000, in which some records are bad: see --bad",
      .header = "",
      .block_rows = 4096,
      .record_bytes_max = 2 + pairs * (1 + 4 + 1 + 8) + 3 + long_record_bytes + 16,
      .record = nullptr,
      .dirty_record = dirty_libsvm_record,
      .faults = faults};
}

}  // namespace penstock::app::synth
