/// dirty: CSV in which some records are bad.
#include <charconv>
#include <utility>

#include "host/app/synth_compact.hpp"
#include "host/app/synth_edit.hpp"
#include "host/app/synth_kinds.hpp"

namespace penstock::app::synth {
namespace {

constexpr SynthFault faults[] = {
    {FaultCode::not_a_number, ""},
    {FaultCode::out_of_range, ""},
    {FaultCode::non_finite, ""},
    {FaultCode::missing_value, ""},
    {FaultCode::too_few_fields, ""},
    {FaultCode::too_many_fields, ""},
    {FaultCode::not_an_integer, "--qid query"},
    {FaultCode::unmapped_label, "--label-map 0=0,1=1"},
    {FaultCode::stray_quote, "--quotes strict"},
    {FaultCode::unterminated_quote, "--max-record-size 1KiB"},
    {FaultCode::record_too_long, "--max-record-size 1KiB"},
};

constexpr std::string_view not_numbers[] = {"abc", "n/a", "12x", "1.2.3", "--5", "0x1F", "1e", "?"};
constexpr std::string_view too_large[] = {"1e999", "-1e400", "1.5e309", "-9e4000"};
constexpr std::string_view infinities[] = {"inf", "-inf", "+inf", "Infinity", "-INFINITY"};
constexpr std::string_view missing[] = {"", "NA", "null", "nan"};
constexpr std::string_view fractions[] = {"12.5", "0.25", "1e3"};
constexpr std::string_view class_names[] = {"maybe", "yes", "2"};
/// Numbers when the quotes are taken away: what is left is wrong with strict quotes only.
constexpr std::string_view strays[] = {"\"6\"7", "\"1\"5.5", "\"-0\".25"};
constexpr std::string_view open_quotes[] = {"\"", "\"7", "\"-1.5"};
constexpr std::string_view more_fields[] = {",7", ",", ",7,8", ",x"};

constexpr std::size_t label_column = 0, query_column = 1, first_feature = 2, columns = 10;

/// Puts `fault` into a good record; `random` chooses how it looks, and where it stands.
char* spoil(RecordEdit record, FaultCode fault, std::uint64_t random) {
  std::size_t const feature = first_feature + (random >> 32) % (columns - first_feature);
  switch (fault) {
    case FaultCode::not_a_number: record.replace_token(feature, one_of(not_numbers, random)); break;
    case FaultCode::out_of_range: record.replace_token(feature, one_of(too_large, random)); break;
    case FaultCode::non_finite: record.replace_token(feature, one_of(infinities, random)); break;
    case FaultCode::missing_value: record.replace_token(label_column, one_of(missing, random)); break;
    case FaultCode::too_few_fields: record.keep_tokens(feature); break;
    case FaultCode::too_many_fields: record.append(one_of(more_fields, random)); break;
    case FaultCode::not_an_integer: record.replace_token(query_column, one_of(fractions, random)); break;
    case FaultCode::unmapped_label: record.replace_token(label_column, one_of(class_names, random)); break;
    case FaultCode::stray_quote: record.replace_token(feature, one_of(strays, random)); break;
    case FaultCode::unterminated_quote: record.replace_token(feature, one_of(open_quotes, random)); break;
    case FaultCode::record_too_long:
      record.replace_token(columns - 1, "0.5");
      record.append(long_record_bytes, '0');
      break;
    default: break;
  }
  return record.end();
}

template <std::size_t... Feature>
inline char* put_features(SynthRandom& random, char* out, std::index_sequence<Feature...>) {
  ((out = put_compact<first_feature + Feature>(random.next(), out)), ...);
  return out;
}

char* dirty_record(SynthRandom& random, SynthPlace place, char* const begin) {
  constexpr std::uint64_t records_a_query = 10;
  SynthRandom local = random;  // a copy that no store through `out` can alias: it stays in a register
  std::uint64_t const first = local.next();
  char* out = begin;
  *out++ = static_cast<char>('0' + (first >> 63));
  *out++ = ',';
  out = std::to_chars(out, out + 20, place.record / records_a_query).ptr;
  *out++ = ',';
  out = put_features(local, out, std::make_index_sequence<columns - first_feature>());
  out[-1] = '\n';
  random = local;
  if (place.fault == nullptr) return out;
  return spoil(RecordEdit(begin, out, ','), place.fault->code, SynthRandom::mix(first));
}

}  // namespace

/// Rows a block: about 0.5 MiB, so that a block is still in the second-level cache when it is written.
SynthKind dirty_kind() {
  return {.name = "dirty",
          .description = "CSV of 10 short columns (label, query, features) in which some records are bad: see --bad",
          .header = "label,query,x1,x2,x3,x4,x5,x6,x7,x8\n",
          .block_rows = 8192,
          .record_bytes_max = 2 + 21 + (columns - first_feature) * compact_cell_max + long_record_bytes + 16,
          .record = nullptr,
          .dirty_record = dirty_record,
          .faults = faults};
}

}  // namespace penstock::app::synth
