// Normaliser files: content comes back exactly, digests and versions are looked at, and errors say where.

#include "host/app/normalizer_file.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "host/text/sha256.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock::app {
namespace {

constexpr std::string_view body_key = "\",\"normalizer\":\n";

FittedColumn number_column(std::string name, std::string_view spec) {
  FittedColumn column;
  column.name = std::move(name);
  column.spec = parse_transform(spec);
  statistics::Summary summary;
  summary.missing = 3;
  summary.infinite = 1;
  summary.zeros = 2;
  summary.least = -0.1;
  summary.greatest = 1e300;
  summary.moments = {18446744073709551615u, 1.0 / 3.0, 2.2250738585072014e-308, -4.9e-324};
  column.summary = summary;
  return column;
}

/// Everything that a file has a place for.
NormalizerFile full_file() {
  NormalizerFile file;
  file.records = 123456789012;
  file.dtype = DType::float64;
  file.columns.push_back(number_column("plain", "standardize"));
  file.columns.back().offset = 0.1;
  file.columns.back().scale = 3.0000000000000004;
  file.columns.push_back(number_column("quo\"te, \n\t\\ \x01", "impute(median, indicator) + bucketize(4)"));
  file.columns.back().fill = -2.5e-310;
  file.columns.back().edges = {-1e-300, 0.1, 5e300};
  file.columns.push_back(number_column("caf\xe9", "clip(0.05, 0.9)"));
  file.columns.back().low = -7.25;
  file.columns.back().high = std::numeric_limits<double>::max();
  FittedColumn words;
  words.name = "words";
  words.spec = parse_transform("one-hot(unknown=other, limit=9)");
  words.vocabulary = {"",       "a,b",      "\xff\xfe not UTF-8", std::string("zero\0byte", 9), "caf\xc3\xa9",
                      "\"\\/ ", "{base64}", "\xed\xa0\x80"};
  file.columns.push_back(words);
  FittedColumn time;
  time.name = "";
  time.spec = parse_transform("time(epoch, weekday, format=us)");
  file.columns.push_back(time);
  file.schema = "{\n  \"a\": \",\\n\\\"schema\\\":\",\n  \"b\": [1, 2]\n}";
  return file;
}

/// With another content, whose digest is right.
std::string resealed(std::string const& text, std::string_view from, std::string_view to) {
  std::size_t const at = text.find(body_key) + body_key.size();
  std::string body = text.substr(at, text.size() - at - 2);
  std::size_t const place = body.find(from);
  EXPECT_NE(place, body.npos) << from;
  body.replace(place, from.size(), to);
  return "{\"digest\":\"sha256:" + sha256_of(body) + std::string(body_key) + body + "}\n";
}

std::string message_of(std::string const& text) {
  try {
    (void)parse_normalizer(text, "n.json");
  } catch (SchemaError const& error) {
    return std::string(error.what()) + " | " + error.hint();
  } catch (ConfigurationError const& error) {
    return error.what();
  }
  return "no error";
}

void expect_error(std::string const& text, std::string_view said) {
  EXPECT_NE(message_of(text).find(said), std::string::npos) << message_of(text);
}

TEST(NormalizerFile, ComesBackExactly) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  NormalizerFile again = parse_normalizer(text, "n.json");
  EXPECT_EQ(again, file);
  EXPECT_EQ(to_json(again), text);
}

TEST(NormalizerFile, OfEveryTypeAndWithoutAnyColumn) {
  for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    NormalizerFile file;
    file.dtype = dtype;
    file.schema = "{}";
    std::string const text = to_json(file);
    EXPECT_EQ(parse_normalizer(text, "n.json"), file);
  }
}

TEST(NormalizerFile, TheDigestIsThatOfTheBody) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  std::size_t const at = text.find(body_key) + body_key.size();
  EXPECT_EQ(file.digest, "sha256:" + sha256_of(std::string_view(text).substr(at, text.size() - at - 2)));
  EXPECT_EQ(text.substr(11, 71), file.digest);
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST(NormalizerFile, AnyChangedByteIsSeen) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] ^= 1;
    std::string const message = message_of(changed);
    bool const is_seen =
        message.find("its digest does not fit") != message.npos || message.find("is no normaliser") != message.npos;
    ASSERT_TRUE(is_seen) << "byte " << i << ": " << message;
  }
  for (std::size_t size = 0; size < text.size(); size += 97) expect_error(text.substr(0, size), "is no normaliser");
  expect_error(text + "\n", "is no normaliser");
  expect_error("", "penstock fit makes one");
}

TEST(NormalizerFile, OtherVersionsAreRefused) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  EXPECT_EQ(message_of(resealed(text, "records", "records")), "no error");
  expect_error(resealed(text, "\"normalizer_version\":1", "\"normalizer_version\":2"),
               "n.json: is of version 2, and this penstock reads 1 | A newer penstock made it: use that one.");
  expect_error(resealed(text, "\"normalizer_version\":1", "\"normalizer_version\":0"), "is of version 0");
  expect_error(resealed(text, "\"normalizer_version\":1", "\"normalizer_version\":\"1\""),
               "$.normalizer.normalizer_version: expected a whole number, 0 or more");
  expect_error(resealed(text, "\"normalizer_version\":1,", ""), "$.normalizer.normalizer_version: expected a value");
}

TEST(NormalizerFile, ContentThatIsWrongIsToldByItsPlace) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  expect_error(resealed(text, "\"dtype\":\"float64\"", "\"dtype\":\"float16\""),
               "$.normalizer.dtype: expected float32");
  expect_error(resealed(text, "\"offset\":0.1", "\"offset\":null"),
               "$.normalizer.columns[0].offset: expected a number");
  expect_error(resealed(text, "\"edges\":[", "\"edges\":[\"x\","), "$.normalizer.columns[1].edges: expected numbers");
  expect_error(resealed(text, "\"vocabulary\":[", "\"vocabulary\":[5,"),
               "$.normalizer.columns[3].vocabulary: expected a string");
  expect_error(resealed(text, "\"vocabulary\":[", "\"vocabulary\":[{\"base64\":\"!\"},"),
               "$.normalizer.columns[3].vocabulary: expected a string");
  expect_error(resealed(text, "\"zeros\":2", "\"zeros\":-2"),
               "$.normalizer.columns[0].statistics.zeros: expected a whole number");
  expect_error(resealed(text, "standardize", "standardise"), "no transform is called 'standardise'");
  expect_error(resealed(text, "\"columns\":[", "\"columns\":[7,"), "$.normalizer.columns[0]: expected an object");
  expect_error(resealed(text, "\"records\":", "\"records\":}"), "n.json: no JSON");
}

TEST(NormalizerFile, IsReadFromADisk) {
  NormalizerFile file = full_file();
  std::string const text = to_json(file);
  testing::ScratchFolder const folder;
  EXPECT_EQ(read_normalizer(folder.put("n.json", text)), file);
  EXPECT_THROW((void)read_normalizer(folder.put("no.json", "")), SchemaError);
  EXPECT_THROW((void)read_normalizer(folder.put("n.json", text) + ".not"), SourceError);
}

TEST(NormalizerFile, NamesOfWhatComesOut) {
  std::vector<std::string> const expected = {"plain",
                                             "quo\"te, \n\t\\ \x01",
                                             "quo\"te, \n\t\\ \x01 is missing",
                                             "caf\xe9",
                                             "words=",
                                             "words=a,b",
                                             "words=\xff\xfe not UTF-8",
                                             std::string("words=zero\0byte", 15),
                                             "words=caf\xc3\xa9",
                                             "words=\"\\/ ",
                                             "words={base64}",
                                             "words=\xed\xa0\x80",
                                             "words=(other)",
                                             ".epoch",
                                             ".weekday"};
  NormalizerFile const file = full_file();
  EXPECT_EQ(output_names(file), expected);
  std::size_t outputs = 0;
  for (FittedColumn const& column : file.columns) outputs += column.outputs();
  EXPECT_EQ(outputs, expected.size());
  EXPECT_EQ(make_normalizer(file)->program().columns, expected.size());
  EXPECT_EQ(make_normalizer(file)->features(), 3u);
  EXPECT_EQ(make_inverse(file).normalizer->features(), expected.size());
}

}  // namespace
}  // namespace penstock::app
