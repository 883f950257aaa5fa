// JSON objects in memory to dense batches: cutter and decoder on one thread, faults and order included, no files.
//
//   objects_decode [FILE] [--columns LIST] [--dtype TYPE] [--megabytes N] [--portable] [--repeat N]
//
// Without a file the text is records of 20 keys, made up, of which 5 are columns. Prints decimal GB/s of text: minimum,
// median and maximum of N runs after one that warms up. Pin it to one core: taskset -c 1 objects_decode

#include <algorithm>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Everything that does not name an instruction set comes before the region that is compiled for AVX2.
#include "formats/core/format.hpp"
#include "formats/core/line_counter.hpp"
#include "formats/core/line_ends.hpp"
#include "formats/json/grammar.hpp"
#include "formats/json/keys.hpp"
#include "formats/json/lines.hpp"
#include "formats/json/number.hpp"
#include "formats/json/number_list.hpp"
#include "formats/json/options.hpp"
#include "formats/json/places.hpp"
#include "formats/json/words.hpp"
#include "formats/objects/no_guess.hpp"
#include "formats/objects/options.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/scout.hpp"
#include "formats/objects/short_number.hpp"
#include "formats/objects/survey.hpp"
#include "formats/objects/survey_tree.hpp"
#include "formats/objects/tables.hpp"
#include "formats/objects/values.hpp"
#include "formats/objects/words.hpp"
#if defined(__x86_64__)
#include "host/exec/avx2.hpp"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif
#endif

#include "formats/core/lines.hpp"
#include "formats/objects/decode.hpp"

#if defined(__x86_64__)
template class penstock::json::LineDecoder<penstock::Avx2, penstock::objects::Reader<penstock::Avx2>>;
template class penstock::objects::Cutter<penstock::Avx2>;
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif

namespace {

using namespace penstock;

struct Arguments {
  std::string file;
  objects::Options options;
  std::size_t megabytes = 200;
  bool is_portable = false;
  int repeat = 5;
};

constexpr std::string_view usual_columns = "price,quantity,latitude,score,is_open";

Arguments parse(int count, char** words) {
  Arguments arguments;
  arguments.options.columns = usual_columns;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = words[i];
    auto const next = [&] { return i + 1 < count ? words[++i] : "0"; };
    if (word == "--columns") {
      arguments.options.columns = next();
    } else if (word == "--dtype") {
      std::string_view const type = next();
      for (auto const& option : objects::option_list) {
        if (option.name == "dtype") option.set(arguments.options, type);
      }
    } else if (word == "--megabytes") {
      arguments.megabytes = std::strtoul(next(), nullptr, 10);
    } else if (word == "--repeat") {
      arguments.repeat = static_cast<int>(std::strtoul(next(), nullptr, 10));
    } else if (word == "--portable") {
      arguments.is_portable = true;
    } else {
      arguments.file = word;
    }
  }
  return arguments;
}

/// Integers, decimals, short strings, booleans and nulls, as an application logs them.
std::string made_up(Arguments const& arguments) {
  std::mt19937_64 random(1);
  std::string text;
  auto const number = [&](std::uint64_t below) { return static_cast<unsigned long>(random() % below); };
  auto const word = [&](std::size_t bytes_max) {
    std::string letters;
    for (std::size_t i = 1 + random() % bytes_max; i > 0; --i) letters += static_cast<char>('a' + random() % 26);
    return letters;
  };
  while (text.size() < arguments.megabytes * 1000000) {
    char line[1024];
    int const bytes = std::snprintf(
        line, sizeof line,
        "{\"id\":%lu,\"created_at\":\"2022-01-%02lu "
        "%02lu:47:00\",\"status\":\"%s\",\"price\":%lu.%02lu,\"quantity\":%lu,"
        "\"customer\":\"%s %s\",\"city\":\"%s\",\"latitude\":%lu.%04lu,\"longitude\":-%lu.%04lu,\"is_open\":%s,"
        "\"priority\":%lu,\"score\":%.6f,\"category\":\"%s\",\"ward\":null,\"zip\":\"%05lu\",\"discount\":0.%02lu,"
        "\"is_member\":%s,\"visits\":%lu,\"source\":\"%s\",\"comment\":\"%s %s %s\"}\n",
        101004000000 + number(1000000), 1 + number(28), number(24), number(2) != 0 ? "open" : "closed", number(1000),
        number(100), number(50), word(8).c_str(), word(12).c_str(), word(10).c_str(), 40 + number(5), number(10000),
        70 + number(5), number(10000), number(2) != 0 ? "true" : "false", number(10),
        static_cast<double>(number(1000000)) * 1e-6, word(9).c_str(), number(100000), number(100),
        number(3) != 0 ? "true" : "false", number(3000), word(7).c_str(), word(8).c_str(), word(8).c_str(),
        word(8).c_str());
    text.append(line, static_cast<std::size_t>(bytes));
  }
  return text;
}

std::string read_file(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The reader's default slot.
constexpr std::size_t slot_bytes = std::size_t{2} << 20;
constexpr std::size_t record_max = std::size_t{16} << 20;

struct Pass {
  double seconds = 0;
  std::size_t rows = 0;
  std::size_t faults = 0;
  std::uint64_t missing = 0;
  std::uint64_t bytes = 0;  ///< of a sample of the values, so that nothing can be left out
};

template <class Isa>
class Run {
 public:
  explicit Run(objects::Plan const& plan)
      : cutter_(plan, record_max),
        decoder_(plan),
        rows_(plan.layout, capacity_),
        row_bytes_(plan.layout.row_bytes(Role::feature)),
        slot_(std::make_unique<char[]>(record_max + slot_bytes + 2 * text_padding + 1)),
        rejects_(1024),
        faults_(4096) {}

  Pass pass(std::string_view text) {
    pass_ = {};
    cutter_.restart();
    auto const begin = std::chrono::steady_clock::now();
    std::size_t at = 0, size = slot_bytes;
    for (;;) {
      std::size_t const filled = std::min(size, text.size() - at);
      bool const is_end = filled < size;
      char* const data = slot_.get() + text_padding;
      std::memcpy(data, text.data() + at, filled);
      Cut const cut = cutter_.cut(data, static_cast<std::uint32_t>(filled), is_end, rejects_);
      size = cut.whole == 0 ? record_max + slot_bytes : slot_bytes;
      Chunk chunk;
      chunk.text = {data, cut.whole};
      chunk.stamp.offset_bytes = at;
      chunk.rejects = std::span<Reject const>(rejects_).first(cut.rejects);
      if (cut.whole > 0) decode(chunk);
      at += std::min<std::size_t>(cut.whole, filled);
      if (is_end && at == text.size()) break;
    }
    pass_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return pass_;
  }

 private:
  void decode(Chunk const& chunk) {
    decoder_.begin(chunk);
    for (bool is_done = false; !is_done;) {
      FaultLog faults(faults_);
      RoundCounts counts;
      Decoded const decoded = decoder_.next(rows_.view(capacity_.rows), capacity_, faults, counts);
      if (decoded.is_stuck) std::abort();
      is_done = decoded.ends_chunk;
      Batch const batch = rows_.view(decoded.rows);
      std::byte const* const values = batch.features.data;
      for (std::size_t i = 0; i < decoded.rows * row_bytes_; i += 97)
        pass_.bytes += std::to_integer<unsigned>(values[i]);
      pass_.rows += decoded.rows;
      pass_.missing += counts.missing_cells;
      pass_.faults += faults.size();
    }
  }

  static constexpr BatchCapacity capacity_ = {slot_bytes / 16, 0, 0, 0, 0, {}};
  objects::Cutter<Isa> cutter_;
  objects::Decoder<Isa> decoder_;
  BatchBuffer rows_;
  std::size_t row_bytes_;
  std::unique_ptr<char[]> slot_;
  std::vector<Reject> rejects_;
  std::vector<Fault> faults_;
  Pass pass_;
};

template <class Isa>
void measure(Arguments const& arguments, std::string const& text, std::string_view isa) {
  objects::Scout const scout(arguments.options, {record_max, true});
  Run<Isa> run(scout.plan());
  std::vector<double> rates;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run.pass(text);
    if (i > 0) rates.push_back(static_cast<double>(text.size()) / pass.seconds * 1e-9);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("%s  %.1f MB  %s  %zu rows  %zu faults  %zu missing  bytes %zu  GB/s min %.3f median %.3f max %.3f\n",
              arguments.file.empty() ? "made up" : arguments.file.c_str(), static_cast<double>(text.size()) * 1e-6,
              std::string(isa).c_str(), pass.rows, pass.faults, static_cast<std::size_t>(pass.missing),
              static_cast<std::size_t>(pass.bytes), rates.front(), rates[rates.size() / 2], rates.back());
}

}  // namespace

int main(int count, char** words) {
  Arguments const arguments = parse(count, words);
  std::string const text = arguments.file.empty() ? made_up(arguments) : read_file(arguments.file);
  if (text.empty() || arguments.repeat < 1 || arguments.options.columns.empty()) {
    std::fprintf(stderr,
                 "objects_decode [FILE] [--columns LIST] [--dtype TYPE] [--megabytes N] [--portable] [--repeat N]\n");
    return 2;
  }
#if defined(__x86_64__)
  bool const has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  if (has_avx2 && !arguments.is_portable) {
    measure<Avx2>(arguments, text, "avx2");
    return 0;
  }
#endif
  measure<Portable>(arguments, text, "portable");
  return 0;
}
