/// Faults: what is wrong with a record, said with positions and without exceptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock {

/// What is wrong with a record. Names stand in files of rejects, and stay what they are.
enum class FaultCode : std::uint8_t {
  not_a_number,        ///< the cell is not a number of the accepted syntax
  not_an_integer,      ///< an integer column holds a fraction or an exponent
  out_of_range,        ///< the number does not fit the element type
  non_finite,          ///< a spelled NaN or infinity that the policy refuses
  missing_value,       ///< a missing cell where no missing value can be stored (label, weight, qid, integers)
  unmapped_label,      ///< a class name that the label map does not list
  too_few_fields,      ///< the record ends early
  too_many_fields,     ///< the record goes on after the last column
  unterminated_quote,  ///< an opening quote that no quote closes within the record's limit or the input
  stray_quote,         ///< a quote inside an unquoted field, or text after a closing one (strict quotes only)
  record_too_long,     ///< no record end within the record's limit
  // sparse text
  missing_label,       ///< the record begins without a label
  several_labels,      ///< a list of labels where one is asked for
  bad_index,           ///< the index is not an integer from 0 to index_max
  index_below_base,    ///< index 0 where indices count from 1
  index_out_of_range,  ///< the index is beyond the number of features
  duplicate_index,     ///< an index stands twice in its record
  missing_separator,   ///< a pair without `:`, or with blanks around it
  misplaced_qid,       ///< `qid:` behind the pairs, or twice
  unexpected_weight,   ///< a weight, though the first record has none
  missing_weight,      ///< no weight, though the first record has one
  unexpected_qid,      ///< a query id, though the first record has none
  missing_qid,         ///< no query id, though the first record has one
  qid_out_of_order,    ///< a query id below the one of the record before
  too_many_pairs,      ///< more pairs than a record of the allowed size can hold without repeating indices
  // frames
  bad_magic,          ///< no frame begins here
  reserved_flag,      ///< the frame's flag is none of 0 to 3
  truncated_frame,    ///< the input ends inside a frame
  missing_padding,    ///< the input ends before the padding of its last frame
  bad_part_sequence,  ///< a part of a split record without the parts before or behind it
  // records of protobuf
  malformed_record,      ///< no protobuf message of the expected kind
  bytes_value,           ///< bytes where numbers are expected
  missing_features,      ///< the record has no features
  tensor_type_mismatch,  ///< another element type than the first record's
  density_mismatch,      ///< sparse among dense records, or the reverse
  width_mismatch,        ///< another number of features than the first record's
  label_mismatch,        ///< another number of labels than the first record's
  shape_mismatch,        ///< a shape that does not fit the number of values
  missing_shape,         ///< a sparse tensor without its shape
  keys_mismatch,         ///< keys and values of a sparse tensor differ in number
  unexpected_text,       ///< uid or metadata, though the first record has none
  // objects of JSON
  malformed_json,   ///< no JSON object, or something else beside it
  nested_too_deep,  ///< more levels of objects and lists than are read
  duplicate_key,    ///< a key stands twice in its object
  missing_key,      ///< a key that every record has to have
  unknown_key,      ///< a key that is none of those asked for
  wrong_type,       ///< a value of another kind than the key asks for
  length_mismatch,  ///< a list of another length than it has to be
  bad_time,         ///< no date and time of the accepted spellings
  // columns of text
  unknown_text,  ///< a text that the column's normaliser cannot read: no word of its vocabulary, or too long for one
};
/// How many there are.
inline constexpr std::size_t fault_codes = 50;

/// What to do with a record that has a fault. `fail` ends the work with DataError, `skip` leaves the record out and
/// counts it, `quarantine` also writes it to a file (of the command line only). `null` turns a bad cell of a
/// floating-point feature into a missing value and treats every other fault like `fail`.
enum class FaultPolicy : std::uint8_t { fail, skip, null, quarantine };

/// One fault. Offsets count bytes from the start of the chunk's text; of a record's faults the one at the
/// lowest offset is the one that is reported (and a `null`ed cell is reported for itself).
struct Fault {
  std::uint32_t record_begin = 0;  ///< first byte of the record
  std::uint32_t record_end = 0;    ///< one past its last byte, the line end not included
  std::uint32_t cell_begin = 0;    ///< the cell, or the quote, that is at fault: a quote may lie behind the record's
                                   ///< first line, which is what is rejected, and behind the chunk
  std::uint32_t cell_end = 0;
  std::uint32_t column = 0;       ///< 0-based column of the file; of other formats, see their README
  std::uint32_t rows_before = 0;  ///< rows accepted before it in the same round
  FaultCode code = FaultCode::not_a_number;
  bool is_repaired = false;  ///< the cell became missing and the record was kept (`null`)
};

/// A bounded list of faults over memory that somebody else owns. A decoder ends its round before the list
/// is full, so nothing is ever dropped.
class FaultLog {
 public:
  FaultLog() = default;
  explicit FaultLog(std::span<Fault> memory) : memory_(memory) {}
  void clear() { size_ = 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// How many more it takes.
  [[nodiscard]] std::size_t room() const { return memory_.size() - size_; }
  /// Needs room() above 0.
  void report(Fault const& fault) { memory_[size_++] = fault; }
  /// Forgets all but the first `size`.
  void truncate(std::size_t size) { size_ = size; }
  [[nodiscard]] std::span<Fault const> faults() const { return memory_.first(size_); }

 private:
  std::span<Fault> memory_;
  std::size_t size_ = 0;
};

}  // namespace penstock
