#include "host/io/output_companions.hpp"

#include "penstock/error.hpp"

#include <charconv>
#include <span>

namespace penstock {
namespace {

/// Appends the shortest decimal text that reads back as `value`, and a line end.
template <class Number>
void append_line(std::string& text, Number value) {
  char digits[32];  // the longest are 20 digits of a 64-bit integer and 15 characters of a float32
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  text.push_back('\n');
}

/// Writes `text` and empties it; its memory is used again.
void flush(std::string& text, OutputFile& file) {
  file.write(std::as_bytes(std::span(text)));
  text.clear();
}

}  // namespace

void NumberCompanion::write(Batch const& batch) {
  float const* const numbers = batch.tensor(role_).as<float>();
  for (std::size_t row = 0; row < batch.rows; ++row) append_line(text_, numbers[row]);
  flush(text_, file_);
}

void GroupCompanion::write(Batch const& batch) {
  std::int64_t const* const qids = batch.qid.as<std::int64_t>();
  for (std::size_t row = 0; row < batch.rows; ++row) {
    if (rows_in_query_ == 0 || qids[row] != qid_) begin_query(qids[row]);
    ++rows_in_query_;
    ++rows_;
  }
  flush(text_, file_);
}

void GroupCompanion::finish() {
  end_query();
  flush(text_, file_);
}

void GroupCompanion::begin_query(std::int64_t qid) {
  end_query();
  if (!seen_.insert(qid).second) {
    throw DataError("'" + file_.path() + "': query " + std::to_string(qid) + " comes again at row " +
                        std::to_string(rows_ + 1) + " after another query, so its rows are not one group",
                    "sort the input by query, or write npz, which keeps the query of each row");
  }
  qid_ = qid;
}

void GroupCompanion::end_query() {
  if (rows_in_query_ != 0) append_line(text_, rows_in_query_);
  rows_in_query_ = 0;
}

}  // namespace penstock
