// Chunks of CSV on the device give, bit for bit, what the CPU's decoder gives.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuda/kernels/csv_tiles.hpp"
#include "tests/kernels/csv_comparison.hpp"
#include "tests/kernels/csv_random.hpp"

namespace penstock {
namespace {

using testing::CsvDevice;
using testing::CsvOutcome;
using testing::CsvRandom;
using testing::CsvRules;
using testing::CsvTestPlan;
using testing::CsvText;
using testing::WholeRecords;

#if defined(__SANITIZE_THREAD__)
constexpr std::uint64_t cases = 3;
#elif defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t cases = 60;
#else
constexpr std::uint64_t cases = 300;
#endif

std::string described(CsvRules const& rules) {
  auto const& d = rules.dialect;
  std::string out = "delimiter " + std::string(1, d.delimiter);
  if (d.quote == 0) out += ", no quote";
  if (d.escape != 0) out += ", escape";
  if (d.comment != 0) out += ", comment";
  if (d.trim) out += ", trim";
  if (d.strict_quotes) out += ", strict";
  if (rules.repairs_cells) out += ", repairs";
  if (!rules.labels.empty()) out += ", label map";
  out += ", " + std::string(name_of(rules.features)) + ":";
  for (Role const role : rules.roles) out += ' ' + std::string(name_of(role));
  return out;
}

struct Limits {
  std::size_t rows = 1000;
  std::size_t faults = 100;
};

/// Decodes on both and compares; returns the device's rounds.
std::size_t check(CsvRules const& rules, std::string const& text, Limits limits = {}) {
  CsvTestPlan const plan(rules);
  WholeRecords const records(rules.dialect, text);
  CsvDevice device(plan.plan, records.chunk().text.size, limits.rows, limits.faults);
  CsvOutcome const expected = testing::decode_on_cpu(plan.plan, records.chunk());
  std::optional<CsvOutcome> const found = device.decode(records.chunk());
  if (!found.has_value()) {
    ADD_FAILURE() << "left to the CPU: " << described(rules);
    return 0;
  }
  std::string const difference = testing::difference(expected, *found);
  EXPECT_EQ(difference, "") << described(rules) << "\nrows_max " << limits.rows << ", faults_max " << limits.faults
                            << "\n"
                            << (text.size() < 5000 ? records.text() : "");
  return found->rounds;
}

CsvRules numbers(std::size_t columns) {
  CsvRules rules;
  rules.roles.assign(columns, Role::feature);
  return rules;
}

TEST(CsvOnDevice, RandomTextsUnderAllRules) {
  for (std::uint64_t seed = 1; seed <= cases && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    CsvRandom random(seed);
    CsvRules const rules = random.rules();
    static constexpr std::size_t rows[] = {1, 3, 33, 1000};
    Limits const limits{rows[random.below(4)], rules.roles.size() + 1 + random.below(40)};
    check(rules, random.text(rules, 5 + random.below(60), 1 + random.below(3)), limits);
  }
}

TEST(CsvOnDevice, TextsOfManyTiles) {
  for (std::uint64_t seed = 1; seed <= 1 + cases / 15 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    CsvRandom random(1000000 + seed);
    CsvRules const rules = random.rules();
    Limits const limits{random.one_in(3) ? 400 + random.below(100) : 5000, 200};
    check(rules, random.text(rules, 800, 1 + random.below(20)), limits);
  }
}

/// Numbers of the classes of length that conversion tells apart, each at every place of a warp's 32 fields.
TEST(CsvOnDevice, NumbersOfEveryLength) {
  for (DType const type : {DType::float32, DType::float64, DType::int64}) {
    CsvRules rules = numbers(7);
    rules.features = type;
    std::string text;
    for (int i = 0; i < 400; ++i) {
      for (int c = 0; c < 7; ++c) {
        std::string cell = std::to_string(std::uint64_t{0x9e3779b97f4a7c15} * static_cast<unsigned>(7 * i + c + 1));
        cell.resize(1 + static_cast<std::size_t>(7 * i + c) % 19);
        if (type != DType::int64 && i % 3 == 0) cell += ".5e-3";
        text += (i % 5 == 0 ? "-" : "") + cell + (c < 6 ? "," : "\n");
      }
    }
    check(rules, text);
  }
}

TEST(CsvOnDevice, QuotedNumbersAndMissingValuesArePlain) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "\"" + std::to_string(i) + ".25\",,\"NA\",\"\"\r\n";
  check(numbers(4), text);
}

TEST(CsvOnDevice, FieldsAndRecordsLongerThanTiles) {
  CsvRules rules = numbers(3);
  rules.roles[1] = Role::ignore;
  std::string const name = '"' + std::string(9000, 'n') + "\n,\"\"" + std::string(5000, '\n') + '"';
  std::string const digits = "0." + std::string(6000, '3');
  check(rules, "1,a,2\n3," + name + ",4\n5,b," + digits + "\n" + digits + ",c,6\nx,d,7\n8,e\n9," + name + "\n" + name +
                   ",f,1\n2,g,3,4\n5,h,6\n");
}

/// Rewritten cells are read up to 4096 bytes.
TEST(CsvOnDevice, LongestCellWithQuotesInside) {
  for (std::size_t const size : {4000, 4095, 4096, 4097, 5000}) {
    std::string const zeros(size - 1, '0');
    std::string const cell = "\"0" + zeros.substr(0, 10) + "\"\"\"," + "\"7\"" + zeros.substr(0, size - 1) + "5";
    CsvRules rules = numbers(2);
    rules.labels = {{"0" + zeros.substr(0, 10) + "\"", 5.0f}};
    rules.roles[0] = Role::label;
    check(rules, "\"0" + zeros.substr(0, 10) + "\"\"\"," + "\"0\"" + zeros.substr(1) + "5\n" + cell + "\n");
  }
}

TEST(CsvOnDevice, FilesOfOneColumn) {
  CsvRules rules = numbers(1);
  std::string const text = "1\n\n2\r\n\r\n\"\"\n \n#c\n  #d\n3\r4\n\"5\"\nx\n\t\n6,7\n";
  for (bool const trim : {false, true}) {
    for (char const comment : {'\0', '#'}) {
      rules.dialect.trim = trim;
      rules.dialect.comment = comment;
      check(rules, text);
      check(rules, text + text + text, {2, 5});
    }
  }
}

TEST(CsvOnDevice, BlankLinesAndCommentsAcrossTiles) {
  CsvRules rules = numbers(2);
  rules.dialect.comment = '#';
  for (bool const trim : {false, true}) {
    rules.dialect.trim = trim;
    std::string text;
    for (std::size_t i = 0; text.size() < 14000; ++i)
      text += std::string(i % 40, '\n') + "1,2\n" + std::string(i % 70, ' ') + "\n#" + std::string(i % 90, ',') + "\n" +
              (i % 11 == 0 ? "#" + std::string(5000, 'c') + "\n" : "");
    check(rules, text, {50, 100});
  }
}

/// A quote where parity does not hold: the automaton takes over.
TEST(CsvOnDevice, StrayQuotesAndStrictQuotes) {
  CsvRules rules = numbers(3);
  rules.roles[1] = Role::ignore;
  std::string const text =
      "1,5\" pipe,2\n3,\"a\"b,4\n5,\"a\"\"b\",6\n\"7\"8,x,9\n1,\"ab\" c,2\nx,5\",3\n1,x,2,5\"\n1,5\"\n5\"\n1,x,5\"6\n";
  std::string const many = text + std::string(5000, '\n') + text + text;
  check(rules, many);
  rules.dialect.strict_quotes = true;
  check(rules, many);
  rules.repairs_cells = true;
  check(rules, many, {3, 4});
  check(rules, "1,\"a\",2\n3,\"b\"\"c\",4\n");
  rules.dialect.escape = '\\';
  check(rules, text + "1,\\\"a,2\n3,\"b\\\"c\",4\n5,\"d\"\\e,6\n");
}

TEST(CsvOnDevice, EveryRecordIsRejected) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "1,2," + std::to_string(i) + "\n";
  std::size_t const rounds = check(numbers(2), text, {1000, 100});
  EXPECT_EQ(rounds, 3u);
}

TEST(CsvOnDevice, RoundsEndWhereFaultsDoNotFit) {
  CsvRules rules = numbers(4);
  rules.repairs_cells = true;
  std::string text;
  for (int i = 0; i < 70; ++i) text += i % 3 == 0 ? "x,1,y,z\n" : i % 7 == 0 ? "1,2\n" : "1,,3,16777217\n";
  for (std::size_t const faults : {5, 6, 7, 20, 1000}) check(rules, text, {64, faults});
}

CsvRules words_and_numbers(normalize::Unknown unknown) {
  CsvRules rules = numbers(2);
  rules.roles = {Role::category, Role::feature, Role::category, Role::category};
  CsvText words{{}, {"Paris", "New York", "a, b", "say \"no\"", "Llanfairpwllgwyngyll", std::string(4096, 'w')}};
  words.rule.unknown = unknown;
  CsvText flags, times;
  flags.rule.reading = normalize::Reading::boolean;
  times.rule.reading = normalize::Reading::time;
  rules.texts = {words, flags, times};
  return rules;
}

/// Faults, repairs, texts that are rewritten, and texts of the greatest length that one may have.
TEST(CsvOnDevice, TextsByTheirRules) {
  std::string text;
  for (std::string const word :
       {"Paris", "\"Paris\"", "New York", "\"a, b\"", "\"say \"\"no\"\"\"", "paris", "Pari", "", "NA", "nan", "\"\"",
        "Llanfairpwllgwyngyll", "Llanfairpwllgwyngyl", "Llanfairpwllgwyngylx", "New Yorl"})
    text += word + ",1.5,yes,2026-11-29T12:00:00Z\n" + word + ",x,no,\n";
  text += "Paris,1,perhaps,\nParis,2,,1999-12-31\nParis,2,on,1999-12-32\n,,,\n\"Paris\"\"\",1,t,\n";
  for (std::size_t const size : {4095, 4096, 4097, 5000}) {
    std::string const word(size, 'w');
    text += word + ",1,t,\n\"" + word + "\",1,t,\n\"" + word.substr(1) + "\"\"\",1,t,\n" + word + "x,1,t,\n";
  }
  for (auto const unknown : {normalize::Unknown::fault, normalize::Unknown::ignore, normalize::Unknown::other}) {
    CsvRules rules = words_and_numbers(unknown);
    for (bool const repairs : {false, true}) {
      rules.repairs_cells = repairs;
      for (std::size_t const rows : {7, 1000}) check(rules, text, {rows, 100});
    }
    CsvTestPlan const plan(rules);
    WholeRecords const records(rules.dialect, text);
    CsvOutcome const expected = testing::decode_on_cpu(plan.plan, records.chunk());
    auto const unknown_texts = std::count_if(expected.faults.begin(), expected.faults.end(),
                                             [](Fault const& fault) { return fault.code == FaultCode::unknown_text; });
    EXPECT_GT(unknown_texts, unknown == normalize::Unknown::fault ? 20 : 10);
    EXPECT_GT(expected.counts.missing_cells, 20u);
  }
}

TEST(CsvOnDevice, TextsThatAreNoRows) {
  CsvRules rules = numbers(2);
  for (std::string const text : {"", "\n", "\r\n", "\n\n\n\r\r"}) EXPECT_EQ(check(rules, text), 1u);
  rules.dialect.comment = '#';
  EXPECT_EQ(check(rules, "# 1,2\n"), 1u);
}

TEST(CsvOnDevice, ShardsHaveTheirOwnColumns) {
  CsvTestPlan plan(numbers(3));
  std::vector<csv::Column> const swapped = {plan.columns[2], plan.columns[0], plan.columns[1], {Role::ignore, 0}};
  plan.by_shard = {plan.columns, swapped, plan.columns, {}};
  plan.plan.columns = plan.by_shard;
  CsvDevice device(plan.plan, 1000, 100, 100);
  for (std::uint32_t shard : {0u, 1u, 2u, 3u, 1u}) {
    WholeRecords const records(plan.rules.dialect, "1,2,3\n4,5,6,7\n8,9\n");
    Chunk chunk = records.chunk();
    chunk.stamp.shard = shard;
    auto const found = device.decode(chunk);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(testing::difference(testing::decode_on_cpu(plan.plan, chunk), *found), "") << shard;
  }
}

TEST(CsvOnDevice, OneDecoderServesChunkAfterChunk) {
  CsvRandom random(77);
  CsvRules const rules = random.rules();
  CsvTestPlan const plan(rules);
  CsvDevice device(plan.plan, 20000, 100, 50);
  for (int i = 0; i < 12; ++i) {
    WholeRecords const records(rules.dialect, random.text(rules, random.below(200), 1 + random.below(30)));
    Chunk chunk = records.chunk();
    chunk.follows_cr = i % 2 == 1;
    auto const found = device.decode(chunk);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(testing::difference(testing::decode_on_cpu(plan.plan, chunk), *found), "") << i;
  }
  EXPECT_GT(device.decoder().device_bytes(), 20000u);
}

TEST(CsvOnDevice, ChunksForTheCpu) {
  CsvTestPlan const plan(numbers(2));
  CsvDevice device(plan.plan, 100, 10, 10);
  WholeRecords const records(plan.rules.dialect, "1,2\n");
  Chunk chunk = records.chunk();
  Reject const reject;
  chunk.rejects = {&reject, 1};
  EXPECT_FALSE(device.decode(chunk).has_value());
  WholeRecords const longer(plan.rules.dialect, "1," + std::string(200, '2') + "\n");
  EXPECT_FALSE(device.decode(longer.chunk()).has_value());
  EXPECT_TRUE(device.decode(records.chunk()).has_value());
}

/// A record of three cells that has so many bytes, its line end not counted.
std::string record_of(std::size_t bytes, std::string const& last_cell) {
  return "1," + std::string(bytes - 3 - last_cell.size(), 'n') + "," + last_cell + "\n";
}

CsvRules with_a_name() {
  CsvRules rules = numbers(3);
  rules.roles[1] = Role::ignore;
  return rules;
}

constexpr std::size_t longest = cuda::csv::care_bytes_max;

/// Whether the device takes the text, in so small windows; if it does, it gives what the CPU gives. Another chunk
/// behind it is none the worse.
bool is_taken(CsvRules const& rules, std::string const& text, std::size_t rows_max) {
  CsvTestPlan const plan(rules);
  CsvDevice device(plan.plan, text.size(), rows_max, 20);
  WholeRecords const records(rules.dialect, text), behind(rules.dialect, "1,a,2\nx,b,3\n4,c,5\n6,d,y\n");
  std::optional<CsvOutcome> const found = device.decode(records.chunk());
  if (found.has_value()) {
    EXPECT_EQ(testing::difference(testing::decode_on_cpu(plan.plan, records.chunk()), *found), "");
  }
  std::optional<CsvOutcome> const next = device.decode(behind.chunk());
  if (next.has_value()) {
    EXPECT_EQ(testing::difference(testing::decode_on_cpu(plan.plan, behind.chunk()), *next), "");
  }
  EXPECT_TRUE(next.has_value());
  return found.has_value();
}

TEST(CsvOnDevice, LongMarkedRecordsAreForTheCpu) {
  for (std::size_t const shift : {0u, 1u, 26u, 31u}) {
    std::string const before = shift == 0 ? "" : record_of(4 + shift, "2"), behind = "3,b,4\nx,c,5\n";
    for (std::string const cell : {"x", "2,3"}) {
      EXPECT_TRUE(is_taken(with_a_name(), before + record_of(longest, cell) + behind, 10)) << shift << cell;
      EXPECT_FALSE(is_taken(with_a_name(), before + record_of(longest + 1, cell) + behind, 10)) << shift << cell;
    }
    EXPECT_FALSE(is_taken(with_a_name(), before + "x" + record_of(3 * longest, "2") + behind, 10)) << shift;
    EXPECT_TRUE(is_taken(with_a_name(), before + record_of(2 * longest, "2") + behind, 10)) << "it is not marked";
  }
}

/// They are looked for in all windows before the first is given out.
TEST(CsvOnDevice, LongMarkedRecordsInLaterWindows) {
  std::string few;
  for (int i = 0; i < 8; ++i) few += i % 3 == 1 ? "1,a,x\n" : "1,a,2\n";
  CsvRules const rules = with_a_name();
  std::string const blank(3 * longest, '\n'), plain = record_of(longest + 1, "2"), marked = record_of(longest + 1, "x");
  for (std::size_t const rows_max : {3u, 5u, 8u}) {
    EXPECT_FALSE(is_taken(rules, few + marked, rows_max)) << rows_max;
    EXPECT_FALSE(is_taken(rules, few + few + marked + few, rows_max)) << rows_max;
    EXPECT_FALSE(is_taken(rules, marked + few + few, rows_max)) << rows_max;
    EXPECT_TRUE(is_taken(rules, few + plain + few, rows_max)) << rows_max;
    EXPECT_TRUE(is_taken(rules, few + blank + few, rows_max)) << rows_max;
    EXPECT_TRUE(is_taken(rules, few + record_of(longest, "x") + few, rows_max)) << rows_max;
  }
}

/// Above 4 MiB tiles are larger.
TEST(CsvOnDevice, LargeTiles) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the emulator's fibers are some hundred times slower with the thread sanitizer, and this is 4 MiB; "
                  "all other builds run it";
#endif
  CsvRules rules = numbers(12);
  rules.roles[3] = Role::ignore;
  std::string text;
  std::string const filler(2500, 'z');
  for (unsigned i = 0; text.size() < (std::size_t{4} << 20) + 1000; ++i) {
    text += std::to_string(i) + ",-1.5e-3,\"7.25\"," + filler + ",\"a,\n\",3,4.5,6,,8,123456.789,";
    if (i % 50 == 0) text[text.size() - 20] = 'x';
    text += i % 101 == 0 ? "1,2\n" : "1\n";
  }
  for (std::size_t at = text.find("\"a,\n\""); at != std::string::npos; at = text.find("\"a,\n\"", at))
    text.replace(at, 5, "55555");
  check(rules, text, {1500, 100});
}

}  // namespace
}  // namespace penstock
