// The structure of JSON lines: masks, records, brackets and counts, against a reader of single bytes, for both sizes of
// tiles and under several schedules; and which elements of lists conversion takes.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/kernels/json_convert.cuh"
#include "cuda/kernels/json_head_walk.cuh"
#include "cuda/kernels/json_series_head.cuh"
#include "cuda/kernels/json_structure.cuh"
#include "formats/json/number.hpp"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

using namespace cuda::json;

/// What the structure of a text is, in a form that does not know tiles.
struct Found {
  std::vector<std::uint32_t> heads, stops, brackets, bracket_stops, row_stops, row_brackets;
  std::uint32_t lines = 0;
  bool operator==(Found const&) const = default;
};

/// Byte by byte.
Found slow_structure(std::string const& text, std::uint32_t mark, bool follows_cr) {
  Found found;
  bool is_fresh = true, is_inside = false, is_escaped = false;
  auto const size = [](auto const& list) { return static_cast<std::uint32_t>(list.size()); };
  for (std::uint32_t at = mark; at < text.size(); ++at) {
    char const byte = text[at];
    if (byte == '\n' || byte == '\r') {
      bool const was_cr = at == 0 ? follows_cr : text[at - 1] == '\r';
      found.lines += byte == '\r' || !was_cr ? 1 : 0;
      is_fresh = true;
      is_inside = is_escaped = false;
      continue;
    }
    if (is_fresh && byte != ' ' && byte != '\t') {
      is_fresh = false;
      found.heads.push_back(at);
      found.row_stops.push_back(size(found.stops));
      found.row_brackets.push_back(size(found.brackets));
    }
    if (byte == '"' && !is_escaped) is_inside = !is_inside;
    is_escaped = byte == '\\' && !is_escaped;
    if (is_inside) continue;
    if (byte == '[' || byte == ']') {
      found.bracket_stops.push_back(size(found.stops));
      found.brackets.push_back(at);
    }
    if (byte == ',' || byte == '[' || byte == ']') found.stops.push_back(at);
  }
  return found;
}

/// A text on the device, with tiles of a size of the test's choice.
template <unsigned tile_bytes>
class Tiles {
 public:
  Tiles(std::string const& text, std::uint32_t mark, bool follows_cr)
      : tiles_(static_cast<unsigned>((text.size() + tile_bytes - 1) / tile_bytes)),
        words_(tiles_ * (tile_bytes / 32)),
        rows_max_(static_cast<std::uint32_t>(text.size()) + 1),
        text_(128 + tiles_ * tile_bytes, "text"),
        masks_(2 * std::size_t{words_}, "masks"),
        passages_(2 * std::size_t{tiles_}, "states"),
        lines_(tiles_, "states"),
        entries_(tiles_, "entries"),
        rows_(3 * std::size_t{rows_max_}, "rows"),
        brackets_(rows_max_, "brackets"),
        totals_(1, "totals") {
    std::memset(text_.get(), '"', text_.size());
    std::memcpy(text_.get() + 64, text.data(), text.size());
    work_.text = {text_.get() + 64, static_cast<std::uint32_t>(text.size()), mark, follows_cr};
    work_.masks = {masks_.get(), masks_.get() + words_};
    work_.tiles = {passages_.get(), lines_.get()};
    work_.entries = entries_.get();
    work_.rows = {rows_.get(), rows_.get() + rows_max_, rows_.get() + 2 * rows_max_};
    work_.brackets = brackets_.get();
    work_.totals = totals_.get();
    work_.limits = {rows_max_ - 1, rows_max_, rows_max_};
  }

  void limit(Limits const& limits) { work_.limits = limits; }
  [[nodiscard]] StructureWork const& work() const { return work_; }

  Totals run() {
    cuda::json::detail::find_structure<tile_bytes>(stream_, work_);
    stream_.wait();
    return totals_[0];
  }

  Found found() {
    Totals const totals = run();
    EXPECT_EQ(totals.is_refused, 0u);
    if (totals.is_refused != 0) return {};
    Found found;
    found.lines = totals.lines;
    for (std::uint32_t word = 0; word < words_; ++word) {
      append(found.stops, work_.masks.stops[word], word);
      append(found.heads, work_.masks.heads[word], word);
    }
    std::uint32_t const rows = totals.rows;
    EXPECT_EQ(found.stops.size(), totals.stops);
    EXPECT_EQ(std::vector(work_.rows.begins, work_.rows.begins + rows), found.heads);
    found.row_stops.assign(work_.rows.stops, work_.rows.stops + rows);
    found.row_brackets.assign(work_.rows.brackets, work_.rows.brackets + rows);
    EXPECT_EQ(work_.rows.begins[rows], work_.text.size);
    EXPECT_EQ(work_.rows.stops[rows], totals.stops);
    EXPECT_EQ(work_.rows.brackets[rows], totals.brackets);
    for (std::uint32_t i = 0; i < totals.brackets; ++i) {
      found.brackets.push_back(brackets_[i].at);
      found.bracket_stops.push_back(brackets_[i].stop);
    }
    return found;
  }

 private:
  static void append(std::vector<std::uint32_t>& places, std::uint32_t bits, std::uint32_t word) {
    for (; bits != 0; bits &= bits - 1) places.push_back(32 * word + cuda::lowest_bit(bits));
  }

  unsigned tiles_;
  std::uint32_t words_, rows_max_;
  cuda::MappedArray<char> text_;
  cuda::MappedArray<std::uint32_t> masks_;
  cuda::MappedArray<Passage> passages_;
  cuda::MappedArray<std::uint32_t> lines_;
  cuda::MappedArray<TileEntry> entries_;
  cuda::MappedArray<std::uint32_t> rows_;
  cuda::MappedArray<Bracket> brackets_;
  cuda::MappedArray<Totals> totals_;
  cuda::Stream stream_;
  StructureWork work_;
};

std::string printable(std::string const& text) {
  std::string out;
  for (char const byte : text) out += byte == '\n' ? '$' : byte == '\r' ? '%' : byte == '\t' ? '>' : byte;
  return out.substr(0, 400);
}

void expect_structure(std::string const& text, std::uint32_t mark = 0, bool follows_cr = false) {
  Found const expected = slow_structure(text, mark, follows_cr);
  EXPECT_EQ((Tiles<small_tile_bytes>(text, mark, follows_cr).found()), expected) << printable(text);
  EXPECT_EQ((Tiles<large_tile_bytes>(text, mark, follows_cr).found()), expected) << printable(text);
}

class JsonStructure : public ::testing::TestWithParam<char const*> {
 protected:
  void SetUp() override { simt::set_schedule(GetParam()); }
  void TearDown() override { simt::set_schedule("forward"); }
};

TEST_P(JsonStructure, Examples) {
  expect_structure("\n");
  expect_structure("\n", 0, true);
  expect_structure("{\"a\":[1,2],\"[\":0}\n");
  expect_structure("{\"a\\\"[\":[1,2],\"\\\\\":[0]}\r\n  {\"b\": [ ] }\n\n\t\r");
  expect_structure("\"open [,\n[,]\"a\\\n\",[\\\"],\n");
  expect_structure("\xef\xbb\xbf {\"a\":[]}\n", 3);
  expect_structure(std::string(5000, ' ') + "[" + std::string(5000, ',') + "\n");
  expect_structure("\"" + std::string(9000, ',') + "\"," + std::string(9000, '[') + "\n,");
}

/// A byte of each kind, as often as it takes to meet all others at all places of words.
TEST_P(JsonStructure, RandomBytes) {
  std::mt19937_64 random(7);
  constexpr std::string_view bytes[] = {"\"\\[],{}:\n\r \t01a", "\"\\\\\\\\[,]a", "\"[],:12  \n",
                                        "\"\"[,]abcdefgh12345"};
  for (int round = 0; round < 24; ++round) {
    std::string_view const set = bytes[round % 4];
    bool const has_lines = random() % 2 == 0;
    std::string text;
    std::size_t const size = 1 + random() % 20000;
    while (text.size() < size) {
      if (random() % 60 == 0) text += std::string(random() % 31, '\\');
      if (random() % 90 == 0) text += std::string(random() % 70, "\" ,"[random() % 3]);
      text += has_lines && random() % 40 == 0 ? '\n' : set[random() % set.size()];
      if (text.ends_with(std::string(24, '\\'))) text += 'x';
    }
    expect_structure(text, 0, random() % 2 == 0);
  }
}

TEST_P(JsonStructure, BackslashesAtAllPlaces) {
  for (std::size_t const border : {32u, 1024u, 4096u}) {
    for (std::size_t count = 0; count < 24; ++count) {
      for (std::size_t shift = 0; shift <= 26; ++shift) {
        std::string const before(border - shift, '.');
        expect_structure(before + std::string(count, '\\') + "\"[,],\"[\n");
        if (border != 32) break;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Schedules, JsonStructure, ::testing::Values("forward", "reverse", "random:5"),
                         [](auto const& one) {
                           std::string name = one.param;
                           std::replace(name.begin(), name.end(), ':', '_');
                           return name;
                         });

TEST(JsonStructureLimits, RefuseChunks) {
  std::string const text = "[1]\n[2,3]\n";
  auto const is_refused = [&](Limits const& limits, std::string const& of) {
    Tiles<small_tile_bytes> tiles(of, 0, false);
    tiles.limit(limits);
    return tiles.run().is_refused != 0;
  };
  EXPECT_FALSE(is_refused({2, 5, 4}, text));
  EXPECT_TRUE(is_refused({1, 5, 4}, text));
  EXPECT_TRUE(is_refused({2, 4, 4}, text));
  EXPECT_TRUE(is_refused({2, 5, 3}, text));
  Limits const roomy{1000, 1000, 1000};
  EXPECT_TRUE(is_refused(roomy, "\"" + std::string(64, '\\') + "\"\n"));
  EXPECT_TRUE(is_refused(roomy, std::string(4000, ' ') + "\"" + std::string(200, '\\') + "\"\n"));
  EXPECT_FALSE(is_refused(roomy, "\"" + std::string(31, '\\') + "\"\n"));
}

// --- conversion --------------------------------------------------------------------------------------------------

/// Converts the elements of one list, which is a record of its own. Whether it was marked, and what became of them.
struct Converted {
  bool is_marked = false;
  std::vector<float> values;
};
Converted convert_list(std::string const& text) {
  std::size_t const size = small_tile_bytes, words = size / 32;
  cuda::MappedArray<char> memory(128 + size, "text");
  std::memset(memory.get(), '7', memory.size());
  std::memcpy(memory.get() + 64, text.data(), text.size());
  Found const found = slow_structure(text, 0, false);
  cuda::MappedArray<std::uint32_t> masks(2 * words, "masks"), marks(1, "marks");
  std::memset(masks.get(), 0, 2 * words * sizeof(std::uint32_t));
  for (std::uint32_t const at : found.stops) masks[at / 32] |= 1u << at % 32;
  masks[words] = 1;
  marks[0] = 0;
  cuda::MappedArray<TileEntry> entries(1, "entries");
  entries[0] = {};
  cuda::MappedArray<Totals> totals(1, "totals");
  totals[0] = {};
  cuda::MappedArray<RowLists> lists(1, "lists");
  lists[0] = {{{1, static_cast<std::uint32_t>(found.stops.size())}, {}}};
  cuda::MappedArray<std::uint32_t> values(found.stops.size(), "values");
  std::memset(values.get(), 0, values.size() * sizeof(std::uint32_t));
  cuda::Stream stream;
  ChunkText const chunk{memory.get() + 64, static_cast<std::uint32_t>(text.size()), 0, false};
  Masks const both{masks.get(), masks.get() + words};
  cuda::json::convert<Elements::numbers, Elements::numbers>(stream, {both, entries.get(), totals.get(), chunk.size},
                                                            {chunk, both, {lists.get(), values.get(), marks.get()}});
  stream.wait();
  Converted converted{marks[0] != 0, {}};
  for (std::size_t i = 1; i < values.size(); ++i) converted.values.push_back(bit_cast<float>(values[i]));
  return converted;
}

/// What a list of one element means.
json::Number<float> number_of(std::string const& element) {
  std::string const text = element + "]\n        ";
  json::Number<float> const number =
      json::read_number<float>(json::skip_space(text.data()), 2, {.takes_missing = true});
  json::Number<float> copy = number;
  char const* const end = number.end.is_error() ? nullptr : json::skip_space(number.end.at);
  copy.is_fault = copy.is_fault || end == nullptr || *end != ']';
  return copy;
}

constexpr std::string_view elements[] = {"0",      "-0",         "1",        "12",  "-7",        "1.5",    "-1.25",
                                         "0.001",  "123456.789", "16777216", "1e5", "1E-5",      "1.5e+3", "-2.5e-3",
                                         "null",   "\"NaN\"",    "\"nan\"",  " 1",  "\t2",       "3 ",     " 4 ",
                                         "null\t", " null",      "0.5",      "10",  "100000000", "1e10",   "2.5e-8"};
constexpr std::string_view others[] = {"01",       "-01",
                                       "00",       "+1",
                                       "1.",       ".5",
                                       "-.5",      "1.e5",
                                       "1e",       "1e+",
                                       "-",        "--1",
                                       "1-",       "NaN",
                                       "Infinity", "nul",
                                       "nulll",    "",
                                       " ",        "1 2",
                                       "0x1",      "\"1\"",
                                       "1_0",      "e5",
                                       "1.2.3",    "true",
                                       "{}",       "\"nano\"",
                                       "1e39",     "1  ",
                                       "  1",      "16777217",
                                       "\"inf\"",  "123456789012345678901234567890123456",
                                       "1,",       "1e5.",
                                       "1.5e",     "0.e1"};

TEST(JsonConvert, PlainElements) {
  for (std::string_view const element : elements) {
    std::string const text(element);
    Converted const converted = convert_list("[" + text + "]\n");
    EXPECT_FALSE(converted.is_marked) << text;
    ASSERT_EQ(converted.values.size(), 1u);
    json::Number<float> const number = number_of(text);
    ASSERT_FALSE(number.is_fault || number.is_inexact_integer) << text;
    EXPECT_EQ(bit_cast<std::uint32_t>(converted.values[0]), bit_cast<std::uint32_t>(number.value)) << text;
  }
}

/// Whatever is not plain is marked: all that is at fault, and more.
TEST(JsonConvert, OtherElements) {
  for (std::string_view const other : others) {
    for (std::string const before : {"", "1,", "2.5,-3,"}) {
      std::string const text(other);
      EXPECT_TRUE(convert_list("[" + before + text + "]\n").is_marked) << before << text;
      EXPECT_TRUE(convert_list("[" + before + text + ",4]\n").is_marked) << before << text;
    }
  }
}

TEST(JsonConvert, RandomElements) {
  std::mt19937_64 random(11);
  constexpr std::string_view bytes = "0123456789.-+eE ";
  std::size_t plain = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> texts;
    std::string all = "[";
    bool has_fault = false;
    for (std::size_t i = 0, count = 1 + random() % 5; i < count; ++i) {
      std::string element = std::to_string(random() % 100000);
      if (random() % 2 == 0) element.insert(random() % element.size(), 1, '.');
      if (random() % 12 == 0) element[random() % element.size()] = bytes[random() % bytes.size()];
      has_fault = has_fault || number_of(element).is_fault;
      texts.push_back(element);
      all += (i == 0 ? "" : ",") + element;
    }
    Converted const converted = convert_list(all + "]\n");
    if (has_fault) {
      EXPECT_TRUE(converted.is_marked) << all;
    }
    if (converted.is_marked) continue;
    ++plain;
    ASSERT_EQ(converted.values.size(), texts.size()) << all;
    for (std::size_t i = 0; i < texts.size(); ++i)
      EXPECT_EQ(bit_cast<std::uint32_t>(converted.values[i]), bit_cast<std::uint32_t>(number_of(texts[i]).value))
          << texts[i];
  }
  EXPECT_GT(plain, 100u);
}

// --- heads -----------------------------------------------------------------------------------------------------------

/// Whether the head of a record alone in its text is plain, and what it says.
struct Head {
  bool is_marked = false;
  RowLists lists;
  std::int64_t start = 0;
  std::vector<std::int32_t> cat;
};

Head read_head(std::string const& line, SeriesRules const& rules) {
  Tiles<small_tile_bytes> tiles(line + "\n", 0, false);
  Totals const totals = tiles.run();
  EXPECT_EQ(totals.rows, 1u);
  cuda::MappedArray<RowLists> lists(1, "lists");
  cuda::MappedArray<std::int64_t> start(1, "start");
  cuda::MappedArray<std::int32_t> cat(rules.cats + 1, "cat");
  cuda::MappedArray<std::uint32_t> marks(4, "marks");
  StructureWork const& structure = tiles.work();
  cuda::Stream stream;
  cuda::json::read_heads<SeriesHead>(stream,
                                     {structure.text,
                                      structure.totals,
                                      structure.rows,
                                      structure.brackets,
                                      {lists.get(), nullptr, marks.get(), start.get(), cat.get()}},
                                     rules, 1);
  stream.wait();
  Head head{marks[0] != 0, lists[0], start[0], {}};
  if (!head.is_marked) head.cat.assign(cat.get(), cat.get() + rules.cats);
  return head;
}

TEST(JsonHeads, PlainRecords) {
  SeriesRules const rules{{}, 2, 2, 1};
  Head const head = read_head(R"({"start": "1970-01-02 00:00:01", "cat": [1, 23], "id": "a\"[,\u00e4", "x":-1.5e3,)"
                              R"( "target": [1, 2.5, null], "n":null,"dynamic_feat":[[0,0,0,0], [1,1,1,1]]} )",
                              rules);
  EXPECT_FALSE(head.is_marked);
  EXPECT_EQ(head.start, 86401);
  EXPECT_EQ(head.cat, (std::vector<std::int32_t>{1, 23}));
  EXPECT_EQ(head.lists.of[0].begin, 8u);  // behind [ , ] of cat, commas of members and target's own bracket
  EXPECT_EQ(head.lists.of[0].end, 11u);
  EXPECT_EQ(head.lists.of[1].begin, 15u);
  EXPECT_EQ(head.lists.of[1].end, 25u);
  EXPECT_FALSE(read_head(R"({"target":[1],"start":"2009-11-01"})", {}).is_marked);
  EXPECT_FALSE(read_head(R"({"target":[1],"start":"2009-11-01","cat":[],"feat_dynamic_real":[ ]})", {}).is_marked);
  EXPECT_FALSE(read_head(R"({"target":[1],"start":"2009-11-01","feat_static_cat":[0]})", {{}, 1}).is_marked);
}

TEST(JsonHeads, OtherRecords) {
  for (char const* const line : {R"({})",
                                 R"([])",
                                 R"(x)",
                                 R"({"target":[1]})",
                                 R"({"start":"2009-11-01"})",
                                 R"({"target":[1],"start":"2009-11-1"})",
                                 R"({"target":[1],"start":"2009-11-31"})",
                                 R"({"target":[1],"start":"2009-11-01"}})",
                                 R"({"target":[1],"start":"2009-11-01"} x)",
                                 R"({"target":[1],"start":"2009-11-01",})",
                                 R"({"target":[1] "start":"2009-11-01"})",
                                 R"({"target":[1],,"start":"2009-11-01"})",
                                 R"({"target" [1],"start":"2009-11-01"})",
                                 R"({"target":[1,[2],"start":"2009-11-01"})",
                                 R"({"target":[1,[2]],"start":"2009-11-01"})",
                                 R"({"target":[1,"start":"2009-11-01"})",
                                 R"({"target":1],"start":"2009-11-01"})",
                                 R"({"target":[1],"target":[1],"start":"2009-11-01"})",
                                 R"({"t\u0061rget":[1],"start":"2009-11-01"})",
                                 R"({"target":[1],"start":"2009-11-01","a":{}})",
                                 R"({"target":[1],"start":"2009-11-01","a":[]})",
                                 R"({"target":[1],"start":"2009-11-01","a":tru})",
                                 R"({"target":[1],"start":"2009-11-01","a":01})",
                                 R"({"target":[1],"start":"2009-11-01","a":"\q"})",
                                 R"({"target":[1],"start":"2009-11-01","a":"b})",
                                 R"({"target":[1],"start":"2009-11-01","cat":[1]})",
                                 R"({"target":[1],"start":"2009-11-01","cat":1})",
                                 R"({"target":[1],"start":"2009-11-01","dynamic_feat":[[1]]})",
                                 R"({"target":null,"start":"2009-11-01"})",
                                 R"({"target":[1],"start":"2009-11-01T00:00:00"})",
                                 R"({"target":[1],"start":20091101})"})
    EXPECT_TRUE(read_head(line, {}).is_marked) << line;
  for (char const* const cat : {"[]", "[1,2]", "[01]", "[-1]", "[1.0]", "[1e0]", "[1234567890]", "[1 2]", "[\"1\"]",
                                "[[1]]", "[null]", "[ ]", "[1,]"})
    EXPECT_TRUE(read_head(R"({"target":[1],"start":"2009-11-01","cat":)" + std::string(cat) + "}", {{}, 1}).is_marked)
        << cat;
  for (char const* const lists : {"[]", "[[1]]", "[[1],[2],[3]]", "[[1],[2,3]]", "[[1],2]", "[[1] [2]]", "[[1],[2],]",
                                  "[1],[2]", "[[[1]],[2]]", "[[1,2],[1,2]]"})
    EXPECT_TRUE(
        read_head(R"({"target":[1],"start":"2009-11-01","dynamic_feat":)" + std::string(lists) + "}", {{}, 0, 2})
            .is_marked)
        << lists;
}

}  // namespace
}  // namespace penstock
