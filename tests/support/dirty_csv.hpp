/// Random CSV files with everything in them that can go wrong, and options to read them with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/source.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock::testing {

/// The same numbers everywhere: the standard library's distributions differ between implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class List>
  auto const& one_of(List const& list) {
    return list[below(std::size(list))];
  }

 private:
  std::mt19937_64 random_;
};

struct DirtyFile {
  std::string text;
  std::size_t records_begin = 0;        ///< the byte behind the header's first line end byte, or the byte order mark
  std::vector<std::string> names = {};  ///< of the file's columns in its order; none without a header
  std::vector<std::size_t> order = {};  ///< of each of its columns: which one of the first file it is
  bool is_compressed = false;
  std::string path = {};  ///< once it was written
};

struct DirtyInput {
  std::vector<DirtyFile> files;
  std::vector<Role> roles;  ///< of the first file's columns
  CsvOptions options;

  /// Writes the files and plans them; the folder must outlive the plan.
  std::unique_ptr<CsvPlan> plan(ScratchFolder const& folder) {
    std::vector<std::string> paths;
    for (DirtyFile& file : files) {
      std::string const name = "part-" + std::to_string(paths.size()) + ".csv";
      paths.push_back(folder.put(name, file.is_compressed ? gzip_bytes(file.text, 777) : file.text));
      file.path = paths.back();
    }
    return plan_files(paths, options);
  }
};

/// What a generator is asked for.
struct DirtyWishes {
  FaultPolicy on_error = FaultPolicy::skip;
  bool float32_only = false;
  std::size_t records_max = 70;  ///< in a file
};

class DirtyGenerator {
 public:
  DirtyGenerator(std::uint64_t seed, DirtyWishes const& wishes) : random_(seed), wishes_(wishes) {}

  DirtyInput input() {
    input_ = {};
    choose_options();
    choose_roles();
    std::size_t const files = 1 + (random_.one_in(2) ? 0 : random_.below(4));
    for (std::size_t i = 0; i < files; ++i) input_.files.push_back(make_file(i == 0));
    return input_;
  }

 private:
  void choose_options() {
    CsvOptions& o = input_.options;
    o.on_error = wishes_.on_error;
    o.delimiter = ",,;\t"[random_.below(4)];
    o.header = random_.one_in(2) ? HeaderMode::yes : HeaderMode::no;
    if (random_.one_in(10)) o.quote = 0;
    if (random_.one_in(4)) o.escape = '\\';
    if (random_.one_in(3)) o.comment = '#';
    o.trim = random_.one_in(4);
    o.strict_quotes = random_.one_in(4);
    if (random_.one_in(2)) o.record_max = 64 + random_.below(150);
    if (random_.one_in(3)) o.non_finite = csv::NonFinitePolicy::pass;
    if (random_.one_in(3)) o.overflow = csv::OverflowPolicy::infinity;
    static constexpr DType types[] = {DType::float32, DType::float64, DType::int32, DType::int64};
    if (!wishes_.float32_only && random_.one_in(3)) o.dtype = random_.one_of(types);
    line_end_ = random_.below(5);
  }

  void choose_roles() {
    std::size_t const width = 1 + random_.below(6);
    input_.roles.assign(width, Role::feature);
    auto const give = [&](Role role, std::size_t column, std::string& option) {
      if (column >= width || !random_.one_in(3)) return;
      input_.roles[column] = role;
      option = input_.options.header == HeaderMode::yes ? name_of_column(column) : std::to_string(column);
    };
    CsvOptions& o = input_.options;
    give(Role::label, 1, o.label), give(Role::weight, 2, o.weight);
    give(Role::qid, 3, o.qid), give(Role::ignore, 4, o.ignore);
    if (!o.label.empty() && random_.one_in(2)) o.label_map = "x=1,a b=2,0=7";
  }

  static std::string name_of_column(std::size_t column) { return "c" + std::to_string(column); }

  // --- a file ------------------------------------------------------------------------------------------------

  DirtyFile make_file(bool is_first) {
    DirtyFile file;
    file.order.resize(input_.roles.size());
    std::iota(file.order.begin(), file.order.end(), std::size_t{0});
    if (random_.one_in(4)) file.text = "\xef\xbb\xbf";
    file.records_begin = file.text.size();
    file.is_compressed = !gzip_library().empty() && random_.one_in(5);
    if (input_.options.header == HeaderMode::yes) put_header(file, is_first);
    if (!is_first && random_.one_in(6)) return file;  // nothing but a header, or nothing
    put_clean_record(file);
    for (std::size_t n = random_.below(wishes_.records_max); n > 0; --n) put_record(file);
    if (random_.one_in(3) && file.text.size() > file.records_begin + 20) file.text.pop_back();
    return file;
  }

  void put_header(DirtyFile& file, bool is_first) {
    if (!is_first && random_.one_in(2)) {
      for (std::size_t i = file.order.size(); i > 1; --i) std::swap(file.order[i - 1], file.order[random_.below(i)]);
    }
    if (random_.one_in(5)) file.text += "\n\r\n";
    bool const may_quote = input_.options.quote != 0;
    for (std::size_t column : file.order) {
      // The first column is never named in an option, so its name may be awkward.
      bool const is_odd = column == 0 && may_quote;
      file.names.push_back(is_odd ? "c\n0" : name_of_column(column));
      if (file.names.size() > 1) file.text += *input_.options.delimiter;
      file.text += is_odd ? "\"c\n0\"" : name_of_column(column);
    }
    file.records_begin = file.text.size() + 1;
    put_line_end(file);
  }

  void put_clean_record(DirtyFile& file) {
    for (std::size_t i = 0; i < file.order.size(); ++i) {
      if (i > 0) file.text += *input_.options.delimiter;
      bool const is_name = input_.roles[file.order[i]] == Role::label && !input_.options.label_map.empty();
      file.text += is_name ? "x" : "1";
    }
    put_line_end(file);
  }

  void put_record(DirtyFile& file) {
    if (random_.one_in(30)) file.text += noise();
    if (random_.one_in(15)) file.text += "# a \"comment\", or not";
    std::size_t const width = random_.one_in(12) ? 1 + random_.below(8) : file.order.size();
    for (std::size_t i = 0; i < width; ++i) {
      if (i > 0) file.text += *input_.options.delimiter;
      file.text += cell(i < file.order.size() ? input_.roles[file.order[i]] : Role::feature);
    }
    put_line_end(file);
  }

  void put_line_end(DirtyFile& file) {
    static constexpr char const* ends[] = {"\n", "\n", "\r\n", "\r"};
    static constexpr char const* mixed[] = {"\n", "\n", "\n", "\r\n", "\r", "\n\n", "\n \n", "\r\r\n", "\n\r"};
    file.text += line_end_ < std::size(ends) ? ends[line_end_] : random_.one_of(mixed);
  }

  std::string noise() {
    std::string const alphabet = std::string("1x\"\"\n\r ,;\t\\#.e-") + *input_.options.delimiter;
    std::string out;
    for (std::size_t i = random_.below(30); i > 0; --i) out += random_.one_of(alphabet);
    return out;
  }

  // --- cells -------------------------------------------------------------------------------------------------

  std::string cell(Role role) {
    static constexpr char const* good[] = {"1", "20", "-300", "4", "56789", "7"};
    static constexpr char const* numbers[] = {"-2.5",  "3e-7", "0.1", "16777217", "8.69293212890625e-01",
                                              "\"5\"", "+.5"};
    static constexpr char const* odd[] = {"",     "NA",         "nan",      "-NaN",      "inf",        "1e999",
                                          "abc",  "0x1F",       " 7 ",      "\"\"",      "\"a b\"",    "\"1,2\"",
                                          "5\" ", "\"6\"7",     "\"\n\"",   "\"8\r\n\"", "1\\,",       "\"\\\"\"",
                                          "#",    "\"y\"\"z\"", "\x80\xff", "00.50",     "99999999999"};
    static constexpr char const* classes[] = {"x", "a b", "\"a b\"", "0", "y"};
    bool const is_name = role == Role::label && !input_.options.label_map.empty();
    if (random_.one_in(60)) return long_cell();
    if (random_.one_in(50)) return "\"open";
    if (random_.one_in(12)) return random_.one_of(odd);
    if (is_name) return random_.one_of(classes);
    bool const is_integer = role == Role::qid || input_.options.dtype >= DType::int32;
    return is_integer || random_.one_in(2) ? random_.one_of(good) : random_.one_of(numbers);
  }

  /// Longer than slots, about as long as the longest record, or longer than an excerpt of 1 KiB on either side.
  std::string long_cell() {
    std::size_t const limit = std::min<std::size_t>(input_.options.record_max, 2200);
    std::size_t const size = random_.one_in(2) ? limit - 8 + random_.below(12) : random_.below(2 * limit);
    std::string text(size, random_.one_in(2) ? '0' : 'z');
    if (!random_.one_in(3)) return text;
    for (std::size_t n = random_.below(3); n > 0 && size > 0; --n) text[random_.below(size)] = '\n';
    return '"' + text + '"';
  }

  Random random_;
  DirtyWishes wishes_;
  DirtyInput input_;
  std::size_t line_end_ = 0;  ///< of all lines, or mixed
};

}  // namespace penstock::testing
