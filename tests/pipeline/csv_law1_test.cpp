// Same bytes, same batch: whatever the slots, threads, reads and instruction set, the rows and faults are those of the
// slow reference decoder.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "formats/csv/format.hpp"
#include "host/exec/engine.hpp"
#include "host/exec/lanes.hpp"
#include "host/pipeline/pipeline.hpp"
#include "tests/support/faulty_source.hpp"
#include "tests/support/reference_csv.hpp"

namespace penstock {
namespace {

using reference::Complaint;
using reference::Outcome;
using reference::Rules;

/// How a text is cut and who decodes it: what must not matter.
struct Schedule {
  std::size_t slot_bytes = 1 << 16;
  unsigned lanes = 1;
  std::size_t rows_max = 1000;
  std::size_t faults_max = 100;
  std::size_t read_bytes_max = 4096;
  InstructionSet isa = best_instruction_set();
  std::uint64_t seed = 1;
};

std::string name_of(Schedule const& s) {
  return "slots of " + std::to_string(s.slot_bytes) + ", " + std::to_string(s.lanes) + " lanes, rows_max " +
         std::to_string(s.rows_max) + ", reads to " + std::to_string(s.read_bytes_max) + ", " +
         std::string(penstock::name_of(s.isa));
}

/// A DecodePlan with everything that it points to.
struct Plan {
  explicit Plan(Rules const& rules, std::size_t shards) : rules_(rules) {
    std::uint32_t features = 0, labels = 0, texts = 0;
    for (Role const role : rules.roles) {
      std::uint32_t place = 0;
      if (role == Role::feature) place = features++;
      if (role == Role::label) place = labels++;
      if (role == Role::category) place = texts++;
      plan.layout.has_weight |= role == Role::weight;
      plan.layout.has_qid |= role == Role::qid;
      columns.push_back({role, place});
    }
    plan.layout.features = features;
    plan.layout.labels = labels;
    plan.layout.categories = texts;
    plan.layout.keeps_texts = texts != 0;
    for (auto const& null : rules_.nulls) nulls.push_back({null.data(), null.data() + null.size()});
    for (auto const& [name, value] : rules_.labels) names.push_back({{name.data(), name.data() + name.size()}, value});
    by_shard.assign(shards, columns);
    plan.rules = {rules.dialect, nulls, true, names, rules.non_finite, rules.overflow};
    plan.columns = by_shard;
    plan.repairs_cells = rules.repairs_cells;
  }
  Plan(Plan const&) = delete;

  Rules rules_;
  std::vector<csv::Column> columns;
  std::vector<csv::Bytes> nulls;
  std::vector<csv::LabelName> names;
  std::vector<std::span<csv::Column const>> by_shard;
  csv::DecodePlan plan;
};

Outcome row_of(Plan const& plan, Batch const& batch, std::size_t row) {
  Outcome outcome;
  for (csv::Column const column : plan.columns) {
    if (column.role == Role::ignore) continue;
    if (column.role == Role::category) {
      bool const is_missing = batch.texts.is_missing(row, column.place);
      outcome.cells.push_back(is_missing ? reference::missing_text_cell
                                         : reference::text_cell(batch.texts.at(row, column.place)));
      continue;
    }
    Dense const& tensor = batch.tensor(column.role);
    std::size_t const size = size_bytes(tensor.dtype);
    auto const* bytes = reinterpret_cast<char const*>(tensor.data) + (row * tensor.columns + column.place) * size;
    outcome.cells.emplace_back(bytes, size);
  }
  return outcome;
}

void take_round(Plan const& plan, Delivery const& delivery, std::vector<Outcome>& outcomes) {
  std::uint64_t const offset = delivery.chunk->stamp.offset_bytes;
  std::size_t row = 0;
  std::vector<Complaint> repaired;
  auto const take_rows = [&](std::size_t until) {
    for (; row < until; ++row) {
      outcomes.push_back(row_of(plan, delivery.round->batch, row));
      outcomes.back().complaints = std::move(repaired);
      repaired.clear();
    }
  };
  for (Fault const& fault : delivery.round->faults.faults()) {
    take_rows(fault.rows_before);
    Complaint const complaint{fault.code, fault.is_repaired, offset + fault.record_begin, offset + fault.cell_begin,
                              fault.column};
    if (fault.is_repaired) {
      repaired.push_back(complaint);
    } else {
      outcomes.push_back({false, {}, {complaint}});
    }
  }
  take_rows(delivery.round->batch.rows);
}

/// LF, CR, and CR LF as one.
std::uint64_t count_lines(std::string_view text) {
  std::uint64_t lines = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    lines += text[i] == '\r' || (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) ? 1 : 0;
  }
  return lines;
}

std::vector<std::vector<Outcome>> decode(Rules const& rules, std::vector<std::string> const& texts,
                                         Schedule const& schedule) {
  Plan const plan(rules, texts.size());
  HostExecutor executor;
  std::vector<Shard> shards;
  for (auto const& text : texts) {
    testing::FaultyOptions const faulty{.seed = schedule.seed, .read_bytes_max = schedule.read_bytes_max};
    shards.push_back(
        {"text", [text, faulty] { return std::make_unique<testing::FaultySource>(text, faulty); }, 0, false});
  }
  std::vector<std::unique_ptr<Lane>> lanes;
  LaneOptions lane;
  lane.capacity.rows = schedule.rows_max;
  lane.capacity.text_bytes = csv::Format::record_capacity(plan.plan, 0).text_bytes + schedule.rows_max;
  lane.faults_max = std::max(schedule.faults_max, rules.roles.size() + 1);
  for (unsigned i = 0; i < schedule.lanes; ++i) lanes.push_back(make_lane<csv::Format>(schedule.isa, plan.plan, lane));
  ChunkPipeline pipeline(shards, make_cutter<csv::Format>(schedule.isa, plan.plan, rules.record_max), std::move(lanes),
                         executor, {schedule.slot_bytes, rules.record_max, schedule.lanes + 2});
  std::vector<std::vector<Outcome>> outcomes(texts.size());
  std::vector<std::uint64_t> lines(texts.size()), added(texts.size());
  for (Delivery delivery = pipeline.next(); delivery.round != nullptr; delivery = pipeline.next()) {
    std::uint32_t const shard = delivery.chunk->stamp.shard;
    take_round(plan, delivery, outcomes[shard]);
    lines[shard] += delivery.round->counts.lines;
    if (delivery.begins_chunk) added[shard] += delivery.chunk->has_added_line_end ? 1 : 0;
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(lines[i], count_lines(texts[i] + std::string(added[i], '\n'))) << name_of(schedule);
  }
  return outcomes;
}

std::string shown(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else
      out += c;
  }
  return out;
}

std::string shown(Outcome const& outcome) {
  std::string out = outcome.is_accepted ? "row of " + std::to_string(outcome.cells.size()) : "reject";
  for (auto const& c : outcome.complaints) {
    out += " [code " + std::to_string(int(c.code)) + (c.is_repaired ? " repaired" : "") + " record " +
           std::to_string(c.record_begin) + " cell " + std::to_string(c.cell_begin) + " column " +
           std::to_string(c.column) + "]";
  }
  return out;
}

void expect_equal(std::vector<Outcome> const& expected, std::vector<Outcome> const& found, std::string_view text,
                  std::string const& where) {
  ASSERT_EQ(expected.size(), found.size()) << where << "\n" << shown(text);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i], found[i]) << where << " record " << i << "\nexpected " << shown(expected[i]) << "\nfound "
                                     << shown(found[i]) << "\n"
                                     << shown(text);
  }
}

// --- generated texts ---------------------------------------------------------------------------------------------

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  Rules rules() {
    Rules rules;
    auto& d = rules.dialect;
    d.delimiter = ",,;\t"[below(4)];
    if (one_in(8)) d.quote = 0;
    if (one_in(3)) d.escape = '\\';
    if (one_in(3)) d.comment = '#';
    d.trim = one_in(3);
    d.strict_quotes = one_in(3);
    if (one_in(2)) rules.record_max = 64 + below(100);
    if (one_in(3)) rules.labels = {{"x", 1.0f}, {"a b", 2.0f}, {"y\"z", 3.0f}};
    rules.repairs_cells = one_in(3);
    if (one_in(3)) rules.non_finite = csv::NonFinitePolicy::pass;
    if (one_in(5)) rules.nulls = {"", "1", "-2.5", "00.50"};
    if (one_in(3)) rules.overflow = csv::OverflowPolicy::infinity;
    std::size_t const width = 1 + below(5);
    for (std::size_t i = 0; i < width; ++i) rules.roles.push_back(role(i));
    return rules;
  }

  /// Records that are mostly right, of cells that are mostly numbers, and everything that can go wrong.
  std::string text(Rules const& rules, std::size_t records) {
    std::string out;
    for (std::size_t r = 0; r < records; ++r) {
      if (one_in(12)) out += noise(rules);
      std::size_t const width = one_in(10) ? 1 + below(7) : rules.roles.size();
      for (std::size_t c = 0; c < width; ++c) {
        if (c > 0) out += rules.dialect.delimiter;
        out += cell();
      }
      out += one_in(8) ? "\r\n" : one_in(12) ? "\r" : one_in(20) ? "\n\n" : "\n";
    }
    if (one_in(3) && !out.empty()) out.pop_back();
    return out;
  }

  /// Any bytes of the alphabet in which the grammar's decisions are made.
  std::string noise(Rules const& rules) {
    std::string const alphabet = std::string("1x\"\"\n\r ,;\t\\#.e-") + rules.dialect.delimiter;
    std::string out;
    for (std::size_t i = below(30); i > 0; --i) out += alphabet[below(alphabet.size())];
    return out;
  }

 private:
  Role role(std::size_t i) {
    if (i == 0) return Role::feature;
    static constexpr Role roles[] = {Role::feature, Role::feature, Role::label,   Role::weight,
                                     Role::qid,     Role::ignore,  Role::category};
    Role const role = roles[below(std::size(roles))];
    bool const is_single = role == Role::weight || role == Role::qid;
    bool const is_taken = is_single && taken_[static_cast<std::size_t>(role)];
    if (is_single) taken_[static_cast<std::size_t>(role)] = true;
    return is_taken ? Role::feature : role;
  }

  std::string cell() {
    static constexpr char const* cells[] = {
        "1",    "-2.5",   "3e-7",   "0.1",  "123456789", "16777217", "8.692932128906250000e-01",
        "",     "NA",     "nan",    "-NaN", "inf",       "1e999",    "abc",
        "x",    " 7 ",    "\"5\"",  "\"\"", "\"a b\"",   "\"1,2\"",  "\"y\"\"z\"",
        "5\" ", "\"6\"7", "\"\n\"", "1\\,", "\"\\\"\"",  "#",        "00.50"};
    std::size_t const n = std::size(cells);
    return one_in(3) ? cells[below(n)] : cells[below(7)];
  }

  std::mt19937_64 random_;
  bool taken_[5] = {};
};

Schedule schedule_for(Generator& random, std::uint64_t seed) {
  static constexpr std::size_t slots[] = {64, 65, 100, 127, 128, 500, 4096, 1 << 16};
  static constexpr std::size_t rows[] = {1, 2, 7, 1000};
  Schedule schedule;
  schedule.slot_bytes = slots[random.below(std::size(slots))];
  schedule.lanes = 1 + static_cast<unsigned>(random.below(8));
  schedule.rows_max = rows[random.below(std::size(rows))];
  schedule.faults_max = 1 + random.below(20);
  schedule.read_bytes_max = 1 + random.below(300);
  schedule.isa = random.one_in(2) ? InstructionSet::portable : best_instruction_set();
  schedule.seed = seed;
  return schedule;
}

std::string name_of(Rules const& rules) {
  std::string out = "dialect delimiter " + std::to_string(rules.dialect.delimiter);
  if (rules.dialect.quote == 0) out += " no-quote";
  if (rules.dialect.escape != 0) out += " escape";
  if (rules.dialect.comment != 0) out += " comment";
  if (rules.dialect.trim) out += " trim";
  if (rules.dialect.strict_quotes) out += " strict";
  out += " record_max " + std::to_string(rules.record_max) + " columns " + std::to_string(rules.roles.size());
  return out;
}

void check(Rules const& rules, std::string const& text, Schedule const& schedule, std::uint64_t seed) {
  std::vector<Outcome> const expected = reference::Decoder(rules, text).decode();
  std::string const where = "seed " + std::to_string(seed) + ", " + name_of(schedule) + ", " + name_of(rules);
  expect_equal(expected, decode(rules, {text}, schedule)[0], text, where);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t cases = 250;
#else
constexpr std::uint64_t cases = 2500;
#endif

TEST(CsvLaw1, RecordsEqualTheReferenceUnderEverySchedule) {
  for (std::uint64_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) {
    Generator random(seed);
    Rules const rules = random.rules();
    check(rules, random.text(rules, random.below(60)), schedule_for(random, seed), seed);
  }
}

/// Texts of many pieces: a decoder looks at 16 KiB at a time, whatever the slot.
TEST(CsvLaw1, LongTextsEqualTheReferenceUnderEverySchedule) {
  for (std::uint64_t seed = 1; seed <= cases / 25 && !HasFatalFailure(); ++seed) {
    Generator random(seed + 2000000);
    Rules const rules = random.rules();
    Schedule schedule = schedule_for(random, seed);
    schedule.slot_bytes = std::size_t{1} << (14 + random.below(6));
    schedule.read_bytes_max = 1 << 16;
    schedule.faults_max = 1000;
    check(rules, random.text(rules, 3000), schedule, seed);
  }
}

TEST(CsvLaw1, NoiseEqualsTheReferenceUnderEverySchedule) {
  for (std::uint64_t seed = 1; seed <= cases && !HasFatalFailure(); ++seed) {
    Generator random(seed + 1000000);
    Rules const rules = random.rules();
    std::string text;
    while (text.size() < 400) text += random.noise(rules);
    check(rules, text, schedule_for(random, seed), seed);
  }
}

/// The border of a slot at every byte of every kind of token.
TEST(CsvLaw1, EveryBorderGivesTheSameRecords) {
  Rules rules;
  rules.roles = {Role::feature, Role::label, Role::ignore};
  std::string const text =
      "1,2,plain\r\n-2.5e-3,1,\"quoted, with \"\"quotes\"\" and\na line\"\n\n\"3\",0,5\" "
      "pipe\rx,1,bad\n4,1\n5,0,\"open\n6,1,after\nNA,7,\"\"";
  for (std::size_t filler = 0; filler < 140 && !HasFatalFailure(); ++filler) {
    std::string const shifted = "9,9," + std::string(filler, 'z') + "\n" + text + "\n" + text;
    for (std::size_t const slot : {64, 97, 128}) {
      Schedule schedule;
      schedule.slot_bytes = slot;
      schedule.lanes = 3;
      check(rules, shifted, schedule, filler);
    }
  }
}

/// With trimming, a field that begins in one block may open its quote in the next.
TEST(CsvLaw1, BlanksBeforeAQuoteReachAcrossBlocks) {
  Rules rules;
  rules.dialect.trim = true;
  rules.roles = {Role::feature, Role::feature, Role::ignore};
  for (std::size_t blanks = 0; blanks < 200 && !HasFatalFailure(); ++blanks) {
    std::string const gap(blanks, ' ');
    std::string const text = "1," + gap + "\"2\"" + gap + "," + gap + "\"a,\n\"\n" + gap + "\n" + gap + "\"3\",4,x" +
                             gap + "\"\n5,6,\n7,8," + gap + "\",\"";
    for (std::size_t const slot : {64, 200, 4096}) {
      Schedule schedule;
      schedule.slot_bytes = slot;
      check(rules, text, schedule, blanks);
      schedule.isa = InstructionSet::portable;
      check(rules, text, schedule, blanks);
    }
  }
}

TEST(CsvLaw1, AQuotePerLineThatNeverClosesCostsOneLineEachAndLinearTime) {
  Rules rules;
  rules.roles = {Role::feature, Role::ignore};
  rules.record_max = 1 << 15;
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "1,\"open " + std::to_string(i) + "\"\"\n1,x\"y\n";
  for (std::size_t const slot : {std::size_t{1000}, std::size_t{1} << 20}) {
    Schedule schedule;
    schedule.slot_bytes = slot;
    schedule.lanes = 2;
    check(rules, text, schedule, slot);
  }
}

TEST(CsvLaw1, LinesLongerThanSlotsAndLimitsAreOneFaultEach) {
  Rules rules;
  rules.roles = {Role::feature, Role::feature};
  rules.record_max = 200;
  std::string const text = "1,2\n" + std::string(5000, '7') + ",1\n3,4\n" + std::string(199, '5') + "\n5,6\n\"" +
                           std::string(900, 'q') + "\n7,8\n1," + std::string(198, '0') + "\n1," +
                           std::string(199, '0') + "\n" + std::string(300, 'e');
  for (std::size_t const slot : {64, 150, 1000, 100000}) {
    Schedule schedule;
    schedule.slot_bytes = slot;
    check(rules, text, schedule, slot);
  }
}

TEST(CsvLaw1, ShardsNeverJoin) {
  Rules rules;
  rules.roles = {Role::feature, Role::feature};
  std::vector<std::string> const texts = {"1,2", "", "3,4\n", "\"5,6\n7,8", "9,10\r"};
  for (unsigned lanes = 1; lanes <= 8; ++lanes) {
    Schedule schedule;
    schedule.slot_bytes = 64;
    schedule.lanes = lanes;
    auto const found = decode(rules, texts, schedule);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      expect_equal(reference::Decoder(rules, texts[i]).decode(), found[i], texts[i], "shard " + std::to_string(i));
    }
  }
}

struct Interrupted {
  std::size_t rows = 0, rejects = 0;
  bool has_thrown = false;
};

/// Decodes one column of numbers from a source that fails after some bytes.
Interrupted decode_until_failure(std::string const& text, std::size_t good_bytes, std::size_t slot_bytes) {
  Rules rules;
  rules.roles = {Role::feature};
  Plan const plan(rules, 1);
  HostExecutor executor;
  std::vector<std::unique_ptr<Lane>> lanes;
  LaneOptions lane;
  lane.capacity.rows = lane.faults_max = 100;
  lanes.push_back(make_lane<csv::Format>(best_instruction_set(), plan.plan, lane));
  testing::FaultyOptions faulty;
  faulty.fail_after_bytes = good_bytes;
  ChunkPipeline pipeline({{"text", [&] { return std::make_unique<testing::FaultySource>(text, faulty); }, 0, false}},
                         make_cutter<csv::Format>(best_instruction_set(), plan.plan, 64), std::move(lanes), executor,
                         {slot_bytes, 64, 3});
  Interrupted found;
  try {
    for (Delivery d = pipeline.next(); d.round != nullptr; d = pipeline.next()) {
      found.rows += d.round->batch.rows;
      found.rejects += d.round->faults.size();
    }
  } catch (SourceError const&) {
    found.has_thrown = true;
  }
  return found;
}

TEST(CsvLaw1, ASourceThatFailsLosesNoRecordReadBefore) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1\n";
  for (std::size_t const slot : {64, 128, 1000, 100000}) {
    Interrupted const found = decode_until_failure(text, 1001, slot);
    EXPECT_TRUE(found.has_thrown);
    EXPECT_EQ(found.rows, 500u) << slot;
  }
}

TEST(CsvLaw1, ASourceThatFailsInsideALongLineEndsTheStream) {
  std::string const text = "1\n2\n" + std::string(5000, '3') + "\n4\n";
  for (std::size_t const slot : {64, 128, 1000, 100000}) {
    for (std::size_t const good : {100, 1000, 3000, 4999}) {
      Interrupted const found = decode_until_failure(text, good, slot);
      EXPECT_TRUE(found.has_thrown);
      EXPECT_EQ(found.rows, 2u) << slot << " " << good;
      EXPECT_EQ(found.rejects, 1u) << slot << " " << good;
    }
  }
}

}  // namespace
}  // namespace penstock
