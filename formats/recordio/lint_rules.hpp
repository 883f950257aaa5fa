/// What the RecordIO linter looks for: its rules and their sentences. Where a rule comes from is said with it: the
/// format itself (formats/recordio/README.md), or what a reader that people use does with such bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace penstock::recordio {

enum class Severity : std::uint8_t {
  error,    ///< a reader that follows the format must refuse it
  warning,  ///< some reader refuses or misreads it, or no writer that is known writes it
};

/// Names are stable: programs and people filter by them. Where a fault of the decoder says the same, it has its name.
enum class LintRule : std::uint8_t {
  // frames
  bad_magic,
  reserved_flag,
  truncated_header,
  truncated_payload,
  missing_padding,
  nonzero_padding,
  record_too_large,
  empty_payload,
  split_concatenated,
  split_by_magic,
  split_ambiguous,
  split_malformed,
  bad_part_sequence,
  unfinished_split,
  magic_in_payload,
  // messages
  malformed_record,
  overlong_varint,
  int32_out_of_range,
  unpacked_list,
  scattered_list,
  fields_out_of_order,
  unknown_field,
  wrong_wire_type,
  repeated_field,
  duplicate_map_key,
  entry_without_key,
  entry_without_value,
  oneof_merged,
  oneof_replaced,
  // tensors
  keys_mismatch,
  missing_shape,
  key_out_of_shape,
  unsorted_keys,
  duplicate_keys,
  shape_only_row,
  shape_mismatch,
  rank_above_one,
  empty_tensor,
  feature_type,
  label_type,
  bytes_value,
  no_values_key,
  other_key,
  several_labels,
  nan_value,
  infinite_value,
  // records beside the first one
  label_mismatch,
  names_mismatch,
  tensor_type_mismatch,
  density_mismatch,
  width_mismatch,
};
inline constexpr std::size_t lint_rules = static_cast<std::size_t>(LintRule::width_mismatch) + 1;

/// `text` is a sentence with places for a finding's numbers: see sentence() in lint_finding.hpp.
struct LintRuleInfo {
  LintRule rule;
  std::string_view name;
  Severity severity;
  std::string_view text;
};

namespace detail {

inline constexpr LintRuleInfo lint_rule_table[] = {
    {LintRule::bad_magic, "bad_magic", Severity::error,
     "no frame begins here (the magic number 0xced7230a is missing); what follows was not checked"},
    {LintRule::reserved_flag, "reserved_flag", Severity::error,
     "the flag is {found}, and only 0 to 3 exist: damage, or a payload of 2 GiB or more whose length ran into the "
     "flag; "
     "what follows was not checked"},
    {LintRule::truncated_header, "truncated_header", Severity::error,
     "the input ends after {found} of a frame header's 8 bytes: dmlc and ml-io refuse it, the XGBoost container "
     "ignores it in silence"},
    {LintRule::truncated_payload, "truncated_payload", Severity::error,
     "the input ends after {found} of the payload's {expected} bytes: dmlc, ml-io and the XGBoost container refuse it, "
     "the SageMaker SDK's reader returns what is there"},
    {LintRule::missing_padding, "missing_padding", Severity::warning,
     "bytes of padding that are missing at the end of the input: {found}; the SageMaker SDK's reader does not mind, "
     "ml-io and the XGBoost container refuse the frame"},
    {LintRule::nonzero_padding, "nonzero_padding", Severity::warning,
     "the padding is not zero: readers do not look at it, but no known writer writes that, so it may be damage"},
    {LintRule::record_too_large, "record_too_large", Severity::warning,
     "a record of {found} bytes or more was not looked into: --max-record-size is {expected} bytes"},
    {LintRule::empty_payload, "empty_payload", Severity::warning,
     "an empty frame is a record without features: the XGBoost container skips it in silence, ml-io takes it for a bad "
     "instance"},
    {LintRule::split_concatenated, "split_concatenated", Severity::warning,
     "a record in {found} frames, sound if they are simply joined: ml-io and the TensorFlow extension do that, dmlc "
     "(MXNet) does not; the SageMaker SDK's reader, Spark and the XGBoost container read no split records"},
    {LintRule::split_by_magic, "split_by_magic", Severity::warning,
     "a record in {found} frames, sound if the magic is put back between them: dmlc (MXNet) does that, ml-io and the "
     "TensorFlow extension do not; the SageMaker SDK's reader, Spark and the XGBoost container read no split records"},
    {LintRule::split_ambiguous, "split_ambiguous", Severity::warning,
     "a record in {found} frames that is sound both with the magic between them (dmlc) and without (ml-io): readers "
     "get "
     "different records; the SageMaker SDK's reader, Spark and the XGBoost container read no split records"},
    {LintRule::split_malformed, "split_malformed", Severity::error,
     "a record in {found} frames that is sound neither with the magic between them (dmlc) nor without (ml-io)"},
    {LintRule::bad_part_sequence, "bad_part_sequence", Severity::error,
     "the flag is {found} where {flags} was due: a part of a split record is missing, or a payload of 512 MiB or more "
     "ran into the flag; ml-io reads no further"},
    {LintRule::unfinished_split, "unfinished_split", Severity::error,
     "the input ends before the last part of the record that begins here; parts found: {found}"},
    {LintRule::magic_in_payload, "magic_in_payload", Severity::warning,
     "four aligned bytes of the payload are the magic (as a float32: -1804698880): readers that split files by "
     "searching for it, such as dmlc's, can take them for a frame"},

    {LintRule::malformed_record, "malformed_record", Severity::error, "not a protobuf message: {wire}"},
    {LintRule::overlong_varint, "overlong_varint", Severity::warning,
     "an integer takes {found} bytes where {expected} do: libprotobuf accepts that, but no known writer writes it"},
    {LintRule::int32_out_of_range, "int32_out_of_range", Severity::warning,
     "{found} is no int32: libprotobuf drops all but its low 32 bits and reads another number"},
    {LintRule::unpacked_list, "unpacked_list", Severity::warning,
     "the numbers are not packed: libprotobuf reads them, readers that look for a packed list find none"},
    {LintRule::scattered_list, "scattered_list", Severity::warning,
     "the list is stored in pieces: libprotobuf appends them, readers that take one piece for all lose numbers"},
    {LintRule::fields_out_of_order, "fields_out_of_order", Severity::warning,
     "field {found} comes after field {expected}: libprotobuf takes any order, readers of the canonical form do not"},
    {LintRule::unknown_field, "unknown_field", Severity::warning,
     "field {found} is not in the schema: readers skip it, and what it holds is lost"},
    {LintRule::wrong_wire_type, "wrong_wire_type", Severity::warning,
     "field {found} has wire type {expected}, which is not its own: libprotobuf takes it for an unknown field, and "
     "what "
     "it holds is lost"},
    {LintRule::repeated_field, "repeated_field", Severity::warning,
     "field {found} occurs again where one is due: libprotobuf keeps the last (and merges messages), other readers may "
     "keep the first"},
    {LintRule::duplicate_map_key, "duplicate_map_key", Severity::warning,
     "the map has this key more than once: with the map schema the last entry counts and the others are lost, with the "
     "schema for protobuf 2.5 (Spark) all are there"},
    {LintRule::entry_without_key, "entry_without_key", Severity::warning,
     "the entry has no key, which reads as \"\": learners look for \"values\" and do not find it"},
    {LintRule::entry_without_value, "entry_without_value", Severity::warning,
     "the entry holds neither a tensor nor bytes: learners find nothing under this key"},
    {LintRule::oneof_merged, "oneof_merged", Severity::warning,
     "a second tensor of the same type in one value: libprotobuf merges the two, other readers may keep one"},
    {LintRule::oneof_replaced, "oneof_replaced", Severity::warning,
     "a second tensor of another type in one value: the last counts, and the first is lost"},

    {LintRule::keys_mismatch, "keys_mismatch", Severity::error,
     "keys: {found}, values: {expected}, which must be as many; ml-io takes the record for a bad instance"},
    {LintRule::missing_shape, "missing_shape", Severity::error,
     "a sparse tensor without a shape: ml-io refuses the input, the XGBoost container guesses the width from the "
     "largest key"},
    {LintRule::key_out_of_shape, "key_out_of_shape", Severity::error,
     "key {found} lies outside of the shape, which ends at {expected}: ml-io takes the record for a bad instance"},
    {LintRule::unsorted_keys, "unsorted_keys", Severity::warning,
     "key {found} comes after key {expected}: the format allows any order, but readers that take keys for the indices "
     "of a CSR row pass them on unsorted"},
    {LintRule::duplicate_keys, "duplicate_keys", Severity::warning,
     "key {found} occurs more than once: readers that build a COO matrix add the values up, others keep one of them"},
    {LintRule::shape_only_row, "shape_only_row", Severity::warning,
     "a shape without values is a row of zeros: the XGBoost container reads it as a dense row of no columns and fails; "
     "remedy: write the row with one explicit zero (--empty-sparse zero)"},
    {LintRule::shape_mismatch, "shape_mismatch", Severity::error,
     "values: {found}, but the shape has room for {expected}; ml-io takes the record for a bad instance"},
    {LintRule::rank_above_one, "rank_above_one", Severity::warning,
     "the shape has {found} dimensions: learners want vectors, and the XGBoost container takes the first dimension for "
     "the width"},
    {LintRule::empty_tensor, "empty_tensor", Severity::warning,
     "the tensor has no values, keys or shape: a vector of length 0, for which learners have no use"},
    {LintRule::feature_type, "feature_type", Severity::warning,
     "the features are {kind}: Linear Learner and Factorization Machines accept float32 only"},
    {LintRule::label_type, "label_type", Severity::warning,
     "the label is {kind}: Linear Learner and Factorization Machines accept float32 only"},
    {LintRule::bytes_value, "bytes_value", Severity::warning,
     "bytes instead of numbers: ml-io does not support them, and vector learners find no numbers"},
    {LintRule::no_values_key, "no_values_key", Severity::warning,
     "no features under the key \"values\": the XGBoost container skips the record in silence, vector learners find no "
     "features (Seq2Seq has \"source\" and \"target\" instead)"},
    {LintRule::other_key, "other_key", Severity::warning,
     "vector learners and the XGBoost container look for the key \"values\" and ignore this entry"},
    {LintRule::several_labels, "several_labels", Severity::warning,
     "a list of {found} labels: learners with one label read the first and ignore the rest"},
    {LintRule::nan_value, "nan_value", Severity::warning,
     "a NaN: XGBoost takes it for a missing feature and refuses it as a label, the linear learners give it no meaning"},
    {LintRule::infinite_value, "infinite_value", Severity::warning,
     "an infinity: XGBoost refuses it, the linear learners give it no meaning"},

    {LintRule::label_mismatch, "label_mismatch", Severity::warning,
     "only one of this record and the first one has a label: the XGBoost container gets fewer labels than rows and "
     "fails, ml-io takes the record for a bad instance"},
    {LintRule::names_mismatch, "names_mismatch", Severity::warning,
     "the maps do not have the keys of the first record: ml-io takes the record for a bad instance"},
    {LintRule::tensor_type_mismatch, "tensor_type_mismatch", Severity::warning,
     "{kind}, but {expected_kind} in the first record: ml-io takes the record for a bad instance"},
    {LintRule::density_mismatch, "density_mismatch", Severity::warning,
     "{density}, unlike the first record: ml-io takes the record for a bad instance"},
    {LintRule::width_mismatch, "width_mismatch", Severity::warning,
     "a width of {found}, but {expected} in the first record: ml-io takes the record for a bad instance"},
};
static_assert(std::size(lint_rule_table) == lint_rules);

constexpr bool lint_rules_are_in_order() {
  for (std::size_t i = 0; i < lint_rules; ++i)
    if (static_cast<std::size_t>(lint_rule_table[i].rule) != i) return false;
  return true;
}
static_assert(lint_rules_are_in_order(), "the table is indexed by the rule");

}  // namespace detail

constexpr LintRuleInfo const& info_of(LintRule rule) { return detail::lint_rule_table[static_cast<std::size_t>(rule)]; }
constexpr std::string_view name_of(LintRule rule) { return info_of(rule).name; }
constexpr Severity severity_of(LintRule rule) { return info_of(rule).severity; }
constexpr std::string_view name_of(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

}  // namespace penstock::recordio
