/// libsvm text the slow way: lines, then words, then meaning, each with std::string and one at a time; every complaint
/// is collected, and the one at the lowest byte counts. Shares no code with formats/libsvm but the plan and
/// number::parse.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "formats/core/number.hpp"
#include "formats/libsvm/plan.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::reference {

/// A line without its end.
struct Line {
  std::string text;
  std::size_t begin = 0;
  bool has_end = false;
};

inline std::vector<Line> lines_of(std::string const& bytes) {
  std::vector<Line> lines;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::size_t const end = std::min(bytes.find_first_of("\r\n", at), bytes.size());
    lines.push_back({bytes.substr(at, end - at), at, end < bytes.size()});
    at = end + (bytes.compare(end, 2, "\r\n") == 0 ? 2 : 1);
  }
  return lines;
}

struct Word {
  std::string text;
  std::size_t begin = 0;
  [[nodiscard]] std::size_t end() const { return begin + text.size(); }
};

/// A word of an item, cut at colons.
inline std::vector<Word> split(Word const& word, char at, std::size_t parts_max) {
  std::vector<Word> parts;
  std::size_t begin = 0;
  while (parts.size() + 1 < parts_max) {
    std::size_t const end = word.text.find(at, begin);
    if (end == std::string::npos) break;
    parts.push_back({word.text.substr(begin, end - begin), word.begin + begin});
    begin = end + 1;
  }
  parts.push_back({word.text.substr(begin), word.begin + begin});
  return parts;
}

/// Reads one shard for values of type T.
template <class T>
class LibsvmReader {
 public:
  LibsvmReader(libsvm::Plan const& plan, std::size_t record_max, testing::FormatRun& run)
      : plan_(plan), record_max_(record_max), run_(run) {}

  void shard(std::string const& bytes, std::uint32_t shard) {
    shard_ = shard;
    for (Line line : lines_of(bytes)) {
      line_begin_ = line.begin;
      bool const is_too_long = line.text.size() > record_max_;
      run_.counts.lines += line.has_end || !is_too_long ? 1 : 0;
      complaints_.clear();
      if (is_too_long) {
        complain(FaultCode::record_too_long, line.begin, line.begin, 0);
        report(line.text);
        continue;
      }
      if (line.begin == 0 && line.text.starts_with("\xef\xbb\xbf")) {
        line.text.erase(0, 3);
        line_begin_ = line.begin = 3;
      }
      record(line);
    }
  }

 private:
  struct Pair {
    std::uint64_t index;
    T value;
    std::size_t begin;
    std::size_t index_end;
    std::size_t value_begin;
    std::size_t value_end;
    std::uint32_t column;
  };

  void complain(FaultCode code, std::size_t begin, std::size_t end, std::uint32_t column) {
    testing::RunFault fault;
    fault.code = code;
    fault.shard = shard_;
    fault.record_begin = line_begin_;
    fault.cell_begin = begin;
    fault.cell_end = end;
    fault.column = column;
    complaints_.push_back(fault);
  }

  void report(std::string const& text) {
    auto fault = *std::min_element(complaints_.begin(), complaints_.end(),
                                   [](auto const& a, auto const& b) { return a.cell_begin < b.cell_begin; });
    fault.record = text;
    fault.rows_before = run_.rows.size();
    run_.faults.push_back(fault);
  }

  // --- words -------------------------------------------------------------------------------------------------------

  static bool is_blank(char c) { return c == ' ' || c == '\t'; }

  static std::vector<Word> words_of(std::string const& content, std::size_t begin) {
    std::vector<Word> words;
    bool is_open = false;
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (!is_blank(content[i]) && !is_open) words.push_back({"", begin + i});
      is_open = !is_blank(content[i]);
      if (is_open) words.back().text += content[i];
    }
    return words;
  }

  /// With dmlc's blanks around colons: the blanks go, and what stood apart is one word; `ends_` knows where it ended.
  struct LooseItem {
    Word index;
    std::optional<Word> value;
    std::size_t end;
  };
  static std::vector<LooseItem> loose_items(std::string const& content, std::size_t at, std::size_t offset) {
    std::vector<LooseItem> items;
    auto const skip = [&] {
      while (at < content.size() && is_blank(content[at])) ++at;
    };
    auto const take = [&](std::string_view stops) {
      Word word{"", offset + at};
      while (at < content.size() && stops.find(content[at]) == std::string_view::npos) word.text += content[at++];
      return word;
    };
    for (skip(); at < content.size(); skip()) {
      LooseItem item{take(" \t:"), {}, 0};
      item.end = offset + at;
      std::size_t const behind = at;
      skip();
      if (at < content.size() && content[at] == ':') {
        ++at;
        skip();
        item.value = take(" \t");
        item.end = offset + at;
      } else {
        at = behind;
      }
      items.push_back(item);
    }
    return items;
  }

  // --- records -----------------------------------------------------------------------------------------------------

  void record(Line const& line) {
    std::string const content = line.text.substr(0, line.text.find('#'));
    std::vector<Word> words = words_of(content, line.begin);
    if (words.empty()) return;
    row_ = {};
    pairs_.clear();
    missing_ = inexact_ = 0;
    head(words);
    std::size_t next = 1;
    bool has_qid = false;
    if (words.size() > 1 && words[1].text.starts_with("qid:")) {
      if (plan_.layout.has_qid) {
        query(words[1]);
        has_qid = true;
        next = 2;
      } else {
        complain(FaultCode::unexpected_qid, words[1].begin, words[1].end(), 1);
      }
    }
    std::size_t const begin = next < words.size() ? words[next].begin - line.begin : content.size();
    first_column_ = has_qid ? 2 : 1;
    if (complaints_.empty()) items(content, begin, line.begin);
    if (complaints_.empty() && plan_.layout.has_qid && !has_qid)
      complain(FaultCode::missing_qid, line.begin + content.size(), line.begin + content.size(), column_);
    order();
    std::size_t const columns = plan_.layout.features;
    if (complaints_.empty() && columns != 0 && !row_.indices.empty() &&
        static_cast<std::size_t>(row_.indices.back()) >= columns)
      complain(FaultCode::index_out_of_range, line.begin + content.size(), line.begin + content.size(),
               first_column_ + static_cast<std::uint32_t>(row_.indices.size()));
    if (!complaints_.empty()) return report(line.text);
    run_.counts.missing_cells += missing_;
    run_.counts.inexact_integers += inexact_;
    run_.rows.push_back(row_);
  }

  void head(std::vector<Word> const& words) {
    Word const& word = words.front();
    std::vector<Word> const parts = split(word, ':', 2);
    if (parts[0].text.empty() || word.text.starts_with("qid:"))
      return complain(FaultCode::missing_label, word.begin, word.end(), 0);
    if (plan_.layout.labels_vary) {
      for (Word const& label : split(parts[0], ',', ~std::size_t{0})) row_.labels.push_back(finite(label));
    } else if (parts[0].text.find(',') != std::string::npos) {
      complain(FaultCode::several_labels, parts[0].begin, parts[0].end(), 0);
    } else {
      row_.labels.push_back(finite(parts[0]));
    }
    if (parts.size() == 1 && plan_.layout.has_weight) complain(FaultCode::missing_weight, word.end(), word.end(), 0);
    if (parts.size() == 2 && !plan_.layout.has_weight)
      complain(FaultCode::unexpected_weight, parts[1].begin, parts[1].end(), 0);
    if (parts.size() == 2 && plan_.layout.has_weight) row_.weight = finite(parts[1]);
  }

  std::uint64_t finite(Word const& word) {
    auto const parsed = number::parse<float>(word.text.data(), word.text.data() + word.text.size());
    using number::Status;
    if (parsed.status == Status::nan || parsed.status == Status::infinite)
      complain(FaultCode::non_finite, word.begin, word.end(), 0);
    else if (parsed.status == Status::out_of_range)
      complain(FaultCode::out_of_range, word.begin, word.end(), 0);
    else if (parsed.status != Status::ok)
      complain(FaultCode::not_a_number, word.begin, word.end(), 0);
    inexact_ += parsed.status == Status::ok && parsed.is_inexact_integer ? 1 : 0;
    return std::bit_cast<std::uint32_t>(parsed.value);
  }

  void query(Word const& word) {
    std::string const digits = word.text.substr(4);
    auto const parsed = number::parse<std::int64_t>(digits.data(), digits.data() + digits.size());
    std::size_t const begin = word.begin + 4;
    using number::Status;
    switch (parsed.status) {
      case Status::ok:
        if (parsed.value < 0) complain(FaultCode::out_of_range, begin, word.end(), 1);
        row_.qid = static_cast<std::uint64_t>(parsed.value);
        return;
      case Status::out_of_range: return complain(FaultCode::out_of_range, begin, word.end(), 1);
      case Status::not_an_integer: return complain(FaultCode::not_an_integer, begin, word.end(), 1);
      case Status::malformed: return complain(FaultCode::not_a_number, begin, word.end(), 1);
      default: return complain(FaultCode::non_finite, begin, word.end(), 1);
    }
  }

  // --- items -------------------------------------------------------------------------------------------------------

  /// Stops at the first complaint.
  void items(std::string const& content, std::size_t at, std::size_t offset) {
    bool const is_loose = plan_.items.syntax.is_dmlc && !plan_.items.syntax.is_libfm;
    std::optional<bool> has_values;
    column_ = first_column_;
    std::string rest = content;
    rest.replace(0, at, at, ' ');
    std::vector<LooseItem> list;
    if (is_loose) {
      list = loose_items(rest, 0, offset);
    } else {
      for (Word const& word : words_of(rest, offset)) list.push_back(strict_item(word));
    }
    std::vector<Word> const words = words_of(rest, offset);
    for (LooseItem const& item : list) {
      auto const word =
          std::find_if(words.begin(), words.end(), [&](Word const& w) { return w.begin == item.index.begin; });
      if (is_loose && word != words.end() && word->text.starts_with("qid:")) {
        complain(FaultCode::misplaced_qid, word->begin, word->end(), column_);
      } else if (!is_loose && words[column_ - first_column_].text.starts_with("qid:")) {
        Word const& qid = words[column_ - first_column_];
        complain(FaultCode::misplaced_qid, qid.begin, qid.end(), column_);
      } else {
        bool const is_odd = is_loose && has_values && *has_values != item.value.has_value();
        if (!has_values) has_values = item.value.has_value();
        pair(item, is_odd, is_loose);
      }
      if (!complaints_.empty()) return;
      ++column_;
    }
  }

  LooseItem strict_item(Word const& word) const {
    std::vector<Word> parts = split(word, ':', plan_.items.syntax.is_libfm ? 3 : 2);
    LooseItem item{parts[0], {}, word.end()};
    if (plan_.items.syntax.is_libfm && parts.size() > 1) {
      item.index = parts[1];
      item.index.text = parts[0].text + ":" + parts[1].text;  // taken apart in index_of
      item.index.begin = parts[0].begin;
      if (parts.size() == 3) item.value = parts[2];
    } else if (parts.size() == 2) {
      item.value = parts[1];
    }
    return item;
  }

  std::optional<std::uint64_t> digits(Word const& word) {
    constexpr std::uint64_t index_max = std::numeric_limits<std::int64_t>::max() - 1;
    std::uint64_t value = 0;
    bool is_good = !word.text.empty();
    for (char const c : word.text) {
      if (c < '0' || c > '9' || value > index_max / 10) is_good = false;
      if (!is_good) break;
      value = value * 10 + static_cast<std::uint64_t>(c - '0');
      is_good = value <= index_max;
    }
    if (is_good) return value;
    complain(FaultCode::bad_index, word.begin, word.end(), column_);
    return std::nullopt;
  }

  void pair(LooseItem const& item, bool is_odd, bool is_loose) {
    if (pairs_.size() == plan_.pairs_max)
      return complain(FaultCode::too_many_pairs, item.index.begin, item.end, column_);
    Word index_word = item.index;
    std::size_t const colon = index_word.text.find(':');
    if (colon != std::string::npos) {  // of libfm
      if (!digits({index_word.text.substr(0, colon), index_word.begin})) return;
      index_word = {index_word.text.substr(colon + 1), index_word.begin + colon + 1};
    }
    auto const index = digits(index_word);
    if (!index) return;
    if (*index < plan_.items.base)
      return complain(FaultCode::index_below_base, index_word.begin, index_word.end(), column_);
    if (*index - plan_.items.base >= plan_.items.columns)
      return complain(FaultCode::index_out_of_range, index_word.begin, index_word.end(), column_);
    if (is_odd || (!item.value && !is_loose))
      return complain(FaultCode::missing_separator, item.index.begin, item.end, column_);
    Pair pair{*index - plan_.items.base, T{1}, index_word.begin, index_word.end(), 0, 0, column_};
    if (item.value) {
      pair.value_begin = item.value->begin;
      pair.value_end = item.value->end();
      if (!value(*item.value, pair.value)) return;
    }
    pairs_.push_back(pair);
  }

  bool value(Word const& word, T& into) {
    using number::Status;
    auto const parsed = number::parse<T>(word.text.data(), word.text.data() + word.text.size());
    into = parsed.value;
    bool const is_real = std::is_floating_point_v<T>;
    std::optional<FaultCode> code;
    if (parsed.status == Status::malformed) code = FaultCode::not_a_number;
    if (parsed.status == Status::not_an_integer) code = FaultCode::not_an_integer;
    if (parsed.status == Status::out_of_range && !(is_real && plan_.items.overflow == libsvm::Overflow::infinity))
      code = FaultCode::out_of_range;
    if ((parsed.status == Status::nan || parsed.status == Status::infinite) && !is_real) code = FaultCode::non_finite;
    if (code) complain(*code, word.begin, word.end(), column_);
    missing_ += parsed.status == Status::nan ? 1 : 0;
    inexact_ += parsed.status == Status::ok && parsed.is_inexact_integer ? 1 : 0;
    return !code;
  }

  // --- order and repetition ----------------------------------------------------------------------------------------

  void order() {
    std::map<std::uint64_t, T> row;
    for (Pair const& pair : pairs_) {
      auto const [place, is_new] = row.emplace(pair.index, pair.value);
      if (is_new) continue;
      if (plan_.duplicates == libsvm::Duplicates::fault)
        complain(FaultCode::duplicate_index, pair.begin, pair.index_end, pair.column);
      else if (plan_.duplicates == libsvm::Duplicates::last)
        place->second = pair.value;
      else if (!add(place->second, pair.value))
        complain(FaultCode::out_of_range, pair.value_begin, pair.value_end, pair.column);
    }
    for (auto const& [index, value] : row) {
      row_.indices.push_back(static_cast<std::int64_t>(index));
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof value);
      row_.values.push_back(bits);
    }
  }

  bool add(T& sum, T value) const {
    if constexpr (std::is_floating_point_v<T>) {
      T const infinity = std::numeric_limits<T>::infinity();
      bool const was_infinite = sum == infinity || sum == -infinity || value == infinity || value == -infinity;
      sum = sum + value;
      if (sum != sum) {  // any NaN is the missing value
        using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
        sum = std::bit_cast<T>(static_cast<Bits>(sizeof(T) == 4 ? missing_float32_bits : missing_float64_bits));
      }
      bool const is_infinite = sum == infinity || sum == -infinity;
      return was_infinite || !is_infinite || plan_.items.overflow == libsvm::Overflow::infinity;
    } else {
      __extension__ __int128 const wide = static_cast<__int128>(sum) + value;
      if (wide > std::numeric_limits<T>::max() || wide < std::numeric_limits<T>::min()) return false;
      sum = static_cast<T>(wide);
      return true;
    }
  }

  libsvm::Plan plan_;
  std::size_t record_max_;
  testing::FormatRun& run_;
  std::uint32_t shard_ = 0;
  std::size_t line_begin_ = 0;

  std::vector<testing::RunFault> complaints_;  ///< about the record
  testing::RunRow row_;
  std::vector<Pair> pairs_;
  std::uint32_t column_ = 1;
  std::uint32_t first_column_ = 1;
  std::uint64_t missing_ = 0;
  std::uint64_t inexact_ = 0;
};

/// What shards are, read with this plan.
inline testing::FormatRun read_libsvm(libsvm::Plan const& plan, std::vector<std::string> const& shards,
                                      std::size_t record_max) {
  testing::FormatRun run;
  run.layout = plan.layout;
  auto const read = [&](auto type) {
    LibsvmReader<decltype(type)> reader(plan, record_max, run);
    for (std::size_t i = 0; i < shards.size(); ++i) reader.shard(shards[i], static_cast<std::uint32_t>(i));
  };
  switch (plan.layout.feature_dtype) {
    case DType::float32: read(float{}); break;
    case DType::float64: read(double{}); break;
    case DType::int32: read(std::int32_t{}); break;
    case DType::int64: read(std::int64_t{}); break;
  }
  return run;
}

}  // namespace penstock::reference
