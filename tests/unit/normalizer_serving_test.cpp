// A normaliser gives the same bits in training, in a file that was converted, and one row at a time.

#include "penstock/normalizer.h"

#include "formats/core/number.hpp"
#include "formats/normalize/rows.hpp"
#include "host/app/batch_reader.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/app/options.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace penstock;
using penstock::testing::ScratchFolder;

/// Runs the command line in this process; returns its exit status.
int run(std::string_view verb, std::vector<std::string> words) {
  words.insert(words.end(), {"-qq", "--device", "cpu"});
  for (app::Verb const& each : app::verbs())
    if (each.name == verb) return each.run(app::parse_arguments(each, words));
  return -1;
}

constexpr std::size_t number_columns = 6;
constexpr std::size_t text_columns = 5;

struct Row {
  std::string numbers[number_columns];  ///< as they stand in the text; empty: missing
  std::string texts[text_columns];
};

std::string number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.5g", value);
  return text;
}

Row random_row(std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  auto const below = [&random](std::uint64_t n) { return random() % n; };
  Row row;
  for (std::size_t i = 0; i < number_columns; ++i) {
    double const x = normal(random);
    row.numbers[i] = number_text(i == 1 ? x * x : i == 5 ? x * x * x * 1e6 : x);
    if (below(10) == 0) row.numbers[i].clear();
  }
  constexpr std::string_view cities[] = {"Paris", "Oslo", "San \"Juan\"", "La Paz, Bolivia", "x", "Reykjav\xc3\xadk"};
  constexpr std::string_view flags[] = {"yes", "No", "TRUE", "false", "1", "0"};
  row.texts[0] = cities[below(6)];
  row.texts[1] = "shop " + std::to_string(below(300));
  row.texts[2] = "tag" + std::to_string(below(100000));
  row.texts[3] = flags[below(6)];
  char date[40];
  std::snprintf(date, sizeof date, "20%02d-%02d-%02dT%02d:%02d:%02d", static_cast<int>(below(100)),
                static_cast<int>(1 + below(12)), static_cast<int>(1 + below(28)), static_cast<int>(below(24)),
                static_cast<int>(below(60)), static_cast<int>(below(60)));
  row.texts[4] = date;
  for (std::string& text : row.texts)
    if (below(12) == 0) text.clear();
  return row;
}

std::vector<Row> random_rows(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Row> rows(count);
  for (Row& row : rows) row = random_row(random);
  return rows;
}

std::string csv_of(std::vector<Row> const& rows) {
  std::string csv = "a,b,c,d,e,f,city,shop,tag,flag,day\n";
  for (Row const& row : rows) {
    for (std::string const& number : row.numbers) csv += number + ",";
    for (std::string const& text : row.texts) {
      bool const is_quoted = text.find_first_of(",\"") != text.npos;
      if (is_quoted) csv += '"';
      for (char const c : text) csv += c == '"' ? "\"\"" : std::string(1, c);
      csv += is_quoted ? "\"" : "";
      csv += &text == &row.texts[text_columns - 1] ? "\n" : ",";
    }
  }
  return csv;
}

constexpr char const* spec =
    "standardize; b = log1p; c = impute(median, indicator) + robust; d = clip(0.05, 0.95); e = bucketize(8); "
    "f = power(0.5); city = one-hot(unknown=ignore); shop = ordinal(unknown=other, limit=250); tag = hash(8); "
    "flag = boolean; day = time(epoch, year, month, day, hour, minute, second, weekday, day_of_year)";

/// Features of an .npz file, row by row.
std::vector<std::uint32_t> features_of(std::string const& path, std::size_t& columns) {
  auto const reader = app::open_npz(expand_inputs({path}).front());
  columns = reader->layout().features;
  std::vector<std::uint32_t> bits;
  for (Batch batch; reader->next(batch);) {
    auto const* const values = batch.features.as<std::uint32_t>();
    bits.insert(bits.end(), values, values + batch.rows * columns);
  }
  return bits;
}

/// What goes into penstock_normalizer_apply().
struct Serving {
  std::vector<float> numbers;
  std::vector<char const*> texts;

  explicit Serving(Row const& row) {
    for (std::string const& text : row.numbers) {
      numbers.push_back(std::bit_cast<float>(missing_float32_bits));
      if (!text.empty()) numbers.back() = number::parse<float>(text.data(), text.data() + text.size()).value;
    }
    for (std::string const& text : row.texts) texts.push_back(text.empty() ? nullptr : text.c_str());
  }
};

struct Free {
  void operator()(penstock_normalizer* normalizer) const { penstock_normalizer_free(normalizer); }
};
using Handle = std::unique_ptr<penstock_normalizer, Free>;

Handle load(std::string const& path, penstock_normalizer_shape& shape) {
  char error[256] = "";
  Handle handle(penstock_normalizer_load(path.c_str(), &shape, error, sizeof error));
  EXPECT_STREQ(error, "");
  return handle;
}

TEST(NormalizerServing, GivesTheBitsOfAConversionRowByRow) {
  ScratchFolder const folder;
  std::vector<Row> const test = random_rows(3000, 2);
  std::string const train_csv = folder.put("train.csv", csv_of(random_rows(20000, 1)));
  std::string const test_csv = folder.put("test.csv", csv_of(test));
  std::string const file = folder.at("n.json"), npz = folder.at("test.npz");
  ASSERT_EQ(run("fit", {train_csv, "--normalize", spec, "-o", file}), 0);
  ASSERT_EQ(run("convert", {test_csv, "--normalize", file, "-o", npz, "--slot-size", "64KiB", "-j", "2"}), 0);
  std::size_t columns = 0;
  std::vector<std::uint32_t> const converted = features_of(npz, columns);

  penstock_normalizer_shape shape;
  Handle const handle = load(file, shape);
  ASSERT_NE(handle, nullptr);
  ASSERT_EQ(shape.numbers, number_columns);
  ASSERT_EQ(shape.texts, text_columns);
  ASSERT_EQ(shape.features, columns);
  ASSERT_EQ(converted.size(), test.size() * columns);
  std::vector<float> served(columns);
  for (std::size_t i = 0; i < test.size(); ++i) {
    Serving const row(test[i]);
    ASSERT_EQ(penstock_normalizer_apply(handle.get(), row.numbers.data(), row.texts.data(), served.data()), 0U);
    for (std::size_t c = 0; c < columns; ++c)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(served[c]), converted[i * columns + c]) << "row " << i << " column " << c;
  }
}

TEST(NormalizerServing, IsUndoneWithTheBitsOfDenormalize) {
  ScratchFolder const folder;
  std::string const csv = folder.put("train.csv", csv_of(random_rows(5000, 3)));
  std::string const file = folder.at("n.json"), npz = folder.at("n.npz"), back = folder.at("back.npz");
  ASSERT_EQ(run("fit", {csv, "--normalize", spec, "-o", file}), 0);
  ASSERT_EQ(run("convert", {csv, "--normalize", file, "-o", npz}), 0);
  ASSERT_EQ(run("denormalize", {npz, "--normalize", file, "-o", back}), 0);
  std::size_t columns = 0, columns_back = 0;
  std::vector<std::uint32_t> const normalized = features_of(npz, columns);
  std::vector<std::uint32_t> const undone = features_of(back, columns_back);
  app::Inverse const inverse = app::make_inverse(app::read_normalizer(file));
  ASSERT_EQ(inverse.names.size(), columns_back);
  std::vector<float> given(columns), row(columns_back);
  for (std::size_t i = 0; i < undone.size() / columns_back; ++i) {
    for (std::size_t c = 0; c < columns; ++c) given[c] = std::bit_cast<float>(normalized[i * columns + c]);
    normalize::apply_row<float>(inverse.normalizer->program(), given.data(), nullptr, row.data());
    for (std::size_t c = 0; c < columns_back; ++c)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(row[c]), undone[i * columns_back + c]) << "row " << i << " column " << c;
  }
}

TEST(NormalizerServing, RefusesTextsThatItDoesNotKnow) {
  ScratchFolder const folder;
  std::string const csv = folder.put("train.csv", "x,city,day\n1,Oslo,2024-01-01\n2,Rome,2024-01-02\n");
  std::string const file = folder.at("n.json");
  ASSERT_EQ(run("fit", {csv, "--normalize", "city=one-hot; day=time(month)", "-o", file}), 0);
  penstock_normalizer_shape shape;
  Handle const handle = load(file, shape);
  ASSERT_EQ(shape.features, 4U);
  float const number = 7;
  float features[4] = {-1, -1, -1, -1};
  char const* texts[2] = {"Paris", "2024-05-01"};
  EXPECT_EQ(penstock_normalizer_apply(handle.get(), &number, texts, features), 1U);
  texts[0] = "Rome";
  texts[1] = "2024-13-01";
  EXPECT_EQ(penstock_normalizer_apply(handle.get(), &number, texts, features), 2U);
  EXPECT_EQ(features[0], -1);
  texts[1] = "2024-12-01";
  EXPECT_EQ(penstock_normalizer_apply(handle.get(), &number, texts, features), 0U);
  EXPECT_EQ(std::vector<float>(features, features + 4), (std::vector<float>{7, 0, 1, 12}));
}

TEST(NormalizerServing, SaysWhyAFileCannotBeLoaded) {
  ScratchFolder const folder;
  std::string const path = folder.put("n.json", "{}");
  char error[64] = "";
  EXPECT_EQ(penstock_normalizer_load(path.c_str(), nullptr, error, sizeof error), nullptr);
  EXPECT_NE(std::string(error).find("is no normaliser"), std::string::npos) << error;
  char tiny[4] = "xyz";
  EXPECT_EQ(penstock_normalizer_load(folder.at("absent").c_str(), nullptr, tiny, sizeof tiny), nullptr);
  EXPECT_EQ(std::string(tiny).size(), 3U);
  EXPECT_EQ(penstock_normalizer_load(path.c_str(), nullptr, nullptr, 0), nullptr);
  penstock_normalizer_free(nullptr);
}

}  // namespace
