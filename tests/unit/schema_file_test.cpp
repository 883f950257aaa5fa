#include "host/app/schema_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/schema_match.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

namespace {

using penstock::BatchLayout;
using penstock::DType;
using penstock::Role;
using penstock::SchemaError;
using penstock::SinkError;
using penstock::SourceError;
using penstock::app::ColumnMatch;
using penstock::app::describe;
using penstock::app::match_columns;
using penstock::app::match_layout;
using penstock::app::MatchOptions;
using penstock::app::MissingColumn;
using penstock::app::MovedColumn;
using penstock::app::parse_schema;
using penstock::app::read_schema;
using penstock::app::Schema;
using penstock::app::to_json;
using penstock::testing::ScratchFolder;

using Names = std::vector<std::string>;

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Schema small_schema() {
  Schema schema;
  schema.format = "csv";
  schema.columns = {{"y", Role::label}, {"age", Role::feature}, {"id", Role::ignore}};
  schema.features = {"age"};
  schema.layout.features = 1;
  schema.layout.labels = 1;
  schema.options = {{"header", "yes"}, {"delimiter", "comma"}};
  return schema;
}

constexpr std::string_view small_text = R"({
  "schema_version": 1,
  "format": "csv",
  "columns": [
    {"index":0,"name":"y","role":"label"},
    {"index":1,"name":"age","role":"feature"},
    {"index":2,"name":"id","role":"ignored"}
  ],
  "features": [
    "age"
  ],
  "layout": {
    "features": 1,
    "dtype": "float32",
    "labels": 1,
    "label_dtype": "float32",
    "labels_vary": false,
    "weight": false,
    "qid": false,
    "base_margin": false,
    "sparse": false,
    "uid": false,
    "metadata": false
  },
  "options": {
    "header": "yes",
    "delimiter": "comma"
  }
}
)";

/// The small schema's text with the first `from` replaced.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(small_text);
  std::size_t const at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

struct Complaint {
  std::string message;
  std::string hint;
};

Complaint refused(std::string_view text) {
  try {
    (void)parse_schema(text, "s.json");
  } catch (SchemaError const& error) {
    return {error.what(), error.hint()};
  }
  ADD_FAILURE() << "was accepted: " << text.substr(0, 200);
  return {};
}

/// What is said about the small schema with a change.
std::string said(std::string_view from, std::string_view to) { return refused(changed(from, to)).message; }

// ---- round trips -----------------------------------------------------------------------------------------

TEST(SchemaFile, TextIsStableAndForPeople) {
  EXPECT_EQ(to_json(small_schema()), small_text);
  EXPECT_EQ(parse_schema(small_text, "s.json"), small_schema());
}

TEST(SchemaFile, EverythingSurvives) {
  Schema schema;
  schema.format = "libsvm";
  for (Role const role : {Role::qid, Role::weight, Role::base_margin, Role::label, Role::feature, Role::ignore})
    schema.columns.push_back({std::string(name_of(role)), role});
  schema.features = {"features"};
  schema.options = {{"null", ",nan,\"a\"\"b\""}, {"trim", "true"}, {"label-map", "a\\b=1"}};
  schema.layout = {.features = 1, .has_weight = true, .has_qid = true, .labels_vary = true, .has_base_margin = true};
  for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    schema.layout.feature_dtype = dtype;
    schema.layout.label_dtype = dtype;
    EXPECT_EQ(parse_schema(to_json(schema), ""), schema);
  }
  Schema sparse;
  sparse.layout = {.is_sparse = true, .has_uid = true, .has_metadata = true};
  sparse.layout.features = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(parse_schema(to_json(sparse), ""), sparse);
  EXPECT_EQ(parse_schema(to_json(Schema{}), ""), Schema{});
  EXPECT_TRUE(contains(to_json(Schema{}), "\"columns\": [],\n  \"features\": [],\n")) << to_json(Schema{});
}

TEST(SchemaFile, NamesAreBytes) {
  std::string every_byte(256, '\0');
  std::iota(every_byte.begin(), every_byte.end(), '\0');
  Names const names{
      "",      "\xff",         "caf\xe9",  "\xc3\xa9", std::string("a\0b", 3), "\xed\xa0\x80", "\"\\/\b\f\n\r\t",
      "\x7f ", "{\"base64\"}", every_byte, "\xff\xfe", "\xf0\x9f\x98\x80"};
  Schema schema;
  for (std::string const& name : names) schema.columns.push_back({name, Role::feature});
  schema.features = names;
  schema.layout.features = names.size();
  schema.options = {{"delimiter", "\xa7"}, {"comment", std::string(1, '\0')}};
  EXPECT_EQ(parse_schema(to_json(schema), ""), schema);
  EXPECT_TRUE(contains(to_json(schema), "\"delimiter\": {\"base64\":\"pw==\"}")) << to_json(schema);
  EXPECT_TRUE(contains(to_json(schema), "{\"index\":1,\"name\":{\"base64\":\"/w==\"},\"role\":\"feature\"}"));
}

TEST(SchemaFile, MembersMayStandInAnyOrderAndLayout) {
  std::string_view const version = "  \"schema_version\": 1,\n";
  std::string text = changed(version, "");
  text.insert(text.rfind("\n}"), ",\n\"schema_version\" :1 ");
  EXPECT_EQ(parse_schema(text, ""), small_schema());
  EXPECT_EQ(parse_schema("\xef\xbb\xbf\r\n" + text + " \t\r\n", ""), small_schema());
  EXPECT_EQ(parse_schema(changed("\"age\",", "\"\\u0061ge\","), ""), small_schema());
}

TEST(SchemaFile, FilesAreWrittenWholeAndReadBack) {
  ScratchFolder const folder;
  std::string const path = folder.at("s.json");
  write_schema(path, small_schema(), {});
  EXPECT_EQ(folder.get("s.json"), small_text);
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_EQ(read_schema(path), small_schema());
  EXPECT_THROW(write_schema(path, Schema{}, {}), SinkError);
  EXPECT_EQ(read_schema(path), small_schema());
  write_schema(path, Schema{}, {.overwrite = true});
  EXPECT_EQ(read_schema(path), Schema{});
  for (std::string const& none : {folder.at("none"), folder.path()}) EXPECT_THROW((void)read_schema(none), SourceError);
}

TEST(SchemaFile, LargeFilesAreNotSchemas) {
  ScratchFolder const folder;
  std::string const path = folder.put("s.json", small_text);
  std::filesystem::resize_file(path, penstock::app::schema_bytes_max + 1);
  try {
    (void)read_schema(path);
    ADD_FAILURE();
  } catch (SchemaError const& error) {
    EXPECT_EQ(error.what(), path + ": is larger than 64.0 MiB, which no schema is");
  }
}

// ---- what is refused -------------------------------------------------------------------------------------

TEST(SchemaFile, SyntaxErrorsNameLineAndColumn) {
  EXPECT_TRUE(refused("").message.starts_with("s.json:1:1: this is no JSON: "));
  EXPECT_TRUE(said("\"csv\",", "\"csv\"").starts_with("s.json:4:3: this is no JSON: Missing a comma"));
  EXPECT_TRUE(said("\"format\": ", "\"format\" ").starts_with("s.json:3:12: this is no JSON: Missing a colon"));
  EXPECT_TRUE(refused(std::string(small_text) + "{}").message.starts_with("s.json:30:1: this is no JSON: "));
  EXPECT_TRUE(refused("{\"schema_version\": 1").message.starts_with("s.json:1:21: this is no JSON: "));
  for (std::string_view const bad : {"\"\xff\"", "\"\xc0\x80\"", "\"\\ud800\"", "\"\\x\"", "\"\n\"", "'csv'", "NaN",
                                     "+1", "// x\n\"csv\"", "\"csv\",,"})
    EXPECT_TRUE(contains(said("\"csv\"", bad), ": this is no JSON: ")) << bad;
}

TEST(SchemaFile, NulBytesAreNoEnd) {
  std::string text(small_text);
  EXPECT_EQ(refused(text + '\0').message, "s.json:30:1: this is no JSON: a NUL byte");
  EXPECT_EQ(refused(text + std::string("\0junk", 5)).message, "s.json:30:1: this is no JSON: a NUL byte");
  text[text.find("csv")] = '\0';
  EXPECT_EQ(refused(text).message, "s.json:3:14: this is no JSON: a NUL byte");
}

TEST(SchemaFile, TypesAreNamedByPath) {
  EXPECT_EQ(refused("[]").message, "s.json:1: $: expected an object, found an array");
  EXPECT_EQ(said("\"csv\"", "null"), "s.json:3: $.format: expected a string, found null");
  EXPECT_EQ(said("\"csv\"", "{\"base64\": \"\"}"), "s.json:3: $.format: expected a string, found an object");
  EXPECT_EQ(said("\"age\",", "12,"), "s.json:6: $.columns[1].name: expected a string, found a number");
  EXPECT_EQ(said("\"age\",", "[],"), "s.json:6: $.columns[1].name: expected a string, found an array");
  EXPECT_EQ(said("\"age\",", "{\"base64\": 1},"),
            "s.json:6: $.columns[1].name.base64: expected a string, found a number");
  EXPECT_EQ(said("    \"age\"", "    \"age\", true"),
            "s.json:10: $.features[1]: expected a string, found true or false");
  EXPECT_EQ(said("\"qid\": false", "\"qid\": 0"), "s.json:19: $.layout.qid: expected true or false, found a number");
  EXPECT_EQ(said("\"yes\"", "false"), "s.json:26: $.options.header: expected a string, found true or false");
  EXPECT_EQ(said("\"features\": [", "\"features\": {"), "s.json:9: $.features: expected an array, found an object");
}

TEST(SchemaFile, ValuesAreNamedByPath) {
  EXPECT_EQ(
      said("ignored", "ignore"),
      "s.json:7: $.columns[2].role: expected feature, label, weight, qid, base_margin, category or ignored, found 'ignore'");
  EXPECT_EQ(said("float32", "float16"),
            "s.json:14: $.layout.dtype: expected float32, float64, int32 or int64, found 'float16'");
  EXPECT_EQ(said("\"index\":2", "\"index\":3"),
            "s.json:7: $.columns[2].index: expected the column's place in this list, counted from 0, found 3");
  EXPECT_TRUE(contains(said("\"index\":0", "\"index\":18446744073709551615"), "found 18446744073709551615"));
  for (std::string_view const number : {"-1", "1.0", "1e0", "18446744073709551616", "1e300", "-9999999999"})
    EXPECT_EQ(said("\"labels\": 1", "\"labels\": " + std::string(number)),
              "s.json:15: $.layout.labels: expected a whole number, 0 or more, found another number");
  EXPECT_TRUE(contains(said("\"labels\": 1", "\"labels\": 1e999"), "this is no JSON: Number too big"));
  for (std::string_view const bad : {"A", "pw=", "pw", "p===", "=w==", "px==", "p w=", "pw==pw=="})
    EXPECT_EQ(said("\"yes\"", "{\"base64\": \"" + std::string(bad) + "\"}"),
              "s.json:26: $.options.header.base64: expected base64 with padding, found '" + std::string(bad) + "'");
}

TEST(SchemaFile, MembersAreKnownThereAndOnce) {
  Complaint const unknown = refused(changed("\"format\"", "\"colour\": [[1]], \"format\""));
  EXPECT_EQ(unknown.message, "s.json:3: $: unknown member 'colour'");
  EXPECT_EQ(unknown.hint, "What belongs here: schema_version, format, columns, features, layout, options.");
  EXPECT_EQ(said("\"role\":\"label\"", "\"role\":\"label\",\"unit\":\"m\""),
            "s.json:5: $.columns[0]: unknown member 'unit'");
  EXPECT_EQ(said("\"qid\"", "\"Qid\""), "s.json:19: $.layout: unknown member 'Qid'");
  EXPECT_EQ(said("\"age\",", "{\"base65\":\"\"},"), "s.json:6: $.columns[1].name: unknown member 'base65'");
  EXPECT_EQ(said("\"format\"", "\"a\\u001b[1m\": 1, \"format\""), "s.json:3: $: unknown member 'a\\x1b[1m'");

  EXPECT_EQ(said("  \"format\": \"csv\",\n", ""), "s.json:28: $: member 'format' is missing");
  EXPECT_EQ(said(",\"role\":\"ignored\"", ""), "s.json:7: $.columns[2]: member 'role' is missing");
  EXPECT_EQ(said("    \"sparse\": false,\n", ""), "s.json:23: $.layout: member 'sparse' is missing");
  EXPECT_EQ(said("\"age\",", "{},"), "s.json:6: $.columns[1].name: member 'base64' is missing");
  EXPECT_EQ(refused("{}").message, "s.json:1: $: member 'schema_version' is missing");

  EXPECT_EQ(said("\"format\"", "\"format\": \"a\", \"format\""), "s.json:3: $: member 'format' stands here twice");
  EXPECT_EQ(said("\"index\":1", "\"index\":1,\"index\":1"), "s.json:6: $.columns[1]: member 'index' stands here twice");
  EXPECT_EQ(said("\"weight\"", "\"qid\": true, \"weight\""), "s.json:19: $.layout: member 'qid' stands here twice");
  EXPECT_EQ(said("\"header\"", "\"delimiter\": \"tab\", \"header\""),
            "s.json: $.options: member 'delimiter' stands here twice");
}

TEST(SchemaFile, NewerVersionsAreCalledThatWhateverIsNew) {
  for (std::string_view const version : {"2", "77"}) {
    std::string const text = changed(
        "\"schema_version\": 1", "\"fresh\": [{\"schema_version\": 9}], \"schema_version\": " + std::string(version));
    EXPECT_EQ(refused(text).message,
              "s.json: is a schema of version " + std::string(version) + "; this program reads version 1");
  }
  for (std::string_view const version : {"0", "-1", "1.0"})
    EXPECT_TRUE(contains(said("\"schema_version\": 1", "\"schema_version\": " + std::string(version)),
                         "$.schema_version: expected 1, found "));
  EXPECT_TRUE(
      contains(said("\"schema_version\": 1", "\"schema_version\": \"1\""), "expected a number, found a string"));
}

TEST(SchemaFile, PartsAgree) {
  EXPECT_EQ(said("    \"age\"", "    \"age\", \"b\""),
            "s.json: $.features: 2 names for the 1 features of $.layout.features");
  EXPECT_EQ(said("\"ignored\"", "\"feature\""),
            "s.json: $.columns: 2 columns are features, but $.layout.features is 1");
  EXPECT_EQ(said("\"labels_vary\": false", "\"labels_vary\": true"),
            "s.json: $.layout.labels: expected 0, because their number varies (labels_vary)");
  EXPECT_EQ(said("\"labels\": 1", "\"labels\": 4294967296"), "s.json: $.layout.labels: more than 4,294,967,295");
  EXPECT_EQ(said("\"features\": 1", "\"features\": 4294967296"), "s.json: $.layout.features: more than 4,294,967,295");
}

TEST(SchemaFile, HostileTextIsRefusedInTimeAndMemory) {
  std::size_t const depth = 1'000'000;  // would overflow the stack of a reader that recurses freely
  EXPECT_EQ(refused(std::string(depth, '[')).message, "s.json:1: $: expected an object, found an array");
  EXPECT_TRUE(contains(said("\"csv\"", std::string(depth, '[')), "expected a string, found an array"));
  std::string objects;
  for (std::size_t i = 0; i < depth; ++i) objects += "{\"\":";
  EXPECT_EQ(refused(objects).message, "s.json:1: $: unknown member ''");
  EXPECT_TRUE(contains(said("\"yes\"", objects), "$.options.header: unknown member ''"));
  EXPECT_EQ(said("\"age\"", "{\"base64\":" + objects),
            "s.json:6: $.columns[1].name.base64: expected a string, found an object");
  std::string const digits(depth, '9');
  EXPECT_TRUE(contains(said("\"labels\": 1", "\"labels\": " + digits), "Number too big"));
  EXPECT_TRUE(contains(said("\"labels\": 1", "\"labels\": 1" + std::string(depth, '0') + "e-" + digits), "s.json:15"));
  EXPECT_TRUE(contains(said("\"labels\": 1", "\"labels\": 0." + digits), "found another number"));
  EXPECT_TRUE(said("\"format\"", '"' + std::string(depth, 'x') + "\": 1, \"format\"")
                  .starts_with("s.json:3: $: unknown member 'xxx"));
  std::string options;
  for (int i = 0; i < 100000; ++i) options += "\"o" + std::to_string(i) + "\": \"\", ";
  EXPECT_EQ(parse_schema(changed("\"header\"", options + "\"header\""), "").options.size(), 100002u);
}

TEST(SchemaFile, DamagedTextIsASchemaOrASchemaError) {
  std::mt19937 random(11);
  std::string_view const bytes = "{}[]\",:\\0129eE.-+ tfn\n\x7f\xff\xc3";
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text(small_text);
    for (std::size_t edits = 1 + random() % 3; edits > 0; --edits) {
      std::size_t const at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = bytes[random() % bytes.size()]; break;
        case 1: text.erase(at, 1 + random() % 8); break;
        default: text.insert(at, 1, bytes[random() % bytes.size()]); break;
      }
    }
    try {
      Schema const schema = parse_schema(text, "s.json");
      EXPECT_EQ(parse_schema(to_json(schema), ""), schema);
      ++accepted;
    } catch (SchemaError const& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("s.json:")) << error.what();
    }
  }
  EXPECT_GT(accepted, 100);  // blanks and letters of names
  for (std::size_t size = 0; size + 1 < small_text.size(); ++size) (void)refused(small_text.substr(0, size));
}

// ---- columns ---------------------------------------------------------------------------------------------

Schema with_columns(std::vector<penstock::app::SchemaColumn> columns) {
  Schema schema;
  schema.columns = std::move(columns);
  return schema;
}
Schema abc_schema() {
  return with_columns({{"y", Role::label},
                       {"a", Role::feature},
                       {"id", Role::ignore},
                       {"b", Role::feature},
                       {"c", Role::feature},
                       {"w", Role::weight}});
}
constexpr MatchOptions strict{};
constexpr MatchOptions prediction{.has_header = true, .may_lack_roles = true};
constexpr MatchOptions no_header{.has_header = false};

std::vector<std::optional<std::size_t>> places(std::vector<int> const& indices) {
  std::vector<std::optional<std::size_t>> places;
  for (int const index : indices)
    places.push_back(index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(index)));
  return places;
}

TEST(SchemaMatch, TheSameColumns) {
  ColumnMatch const match = match_columns(abc_schema(), Names{"y", "a", "id", "b", "c", "w"}, strict);
  EXPECT_TRUE(match.is_acceptable && match.is_by_name);
  EXPECT_EQ(match.places, places({0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(describe(match, "t.csv"), "");
}

TEST(SchemaMatch, OtherOrderAndMoreColumnsAreFineWithAHeader) {
  ColumnMatch const match = match_columns(abc_schema(), Names{"x", "y", "c", "a", "id", "b", "w", "z"}, strict);
  EXPECT_TRUE(match.is_acceptable);
  EXPECT_EQ(match.places, places({1, 3, 4, 5, 2, 6}));
  EXPECT_EQ(match.unexpected, (Names{"x", "z"}));
  EXPECT_EQ(match.moved, (std::vector<MovedColumn>{{"c", 4, 2}}));
  EXPECT_EQ(describe(match, "t.csv"),
            "t.csv: 2 unexpected columns: 'x', 'z'\nt.csv: 1 moved column, counted from 0: 'c' (2 instead of 4)");
}

TEST(SchemaMatch, MissingFeaturesAreNeverAcceptable) {
  ColumnMatch const match = match_columns(abc_schema(), Names{"y", "A", "id", "c", "w"}, prediction);
  EXPECT_FALSE(match.is_acceptable);
  EXPECT_EQ(match.missing, (std::vector<MissingColumn>{{"a", Role::feature}, {"b", Role::feature}}));
  EXPECT_EQ(describe(match, "t.csv"),
            "t.csv: 2 feature columns are missing: 'a' (there is 'A'), 'b'\nt.csv: 1 unexpected column: 'A'");
}

TEST(SchemaMatch, MissingRolesAreAcceptableIfTheyMay) {
  Names const found{"a", "id", "b", "c"};
  ColumnMatch const learning = match_columns(abc_schema(), found, strict);
  EXPECT_FALSE(learning.is_acceptable);
  EXPECT_EQ(learning.missing, (std::vector<MissingColumn>{{"y", Role::label}, {"w", Role::weight}}));
  EXPECT_EQ(describe(learning, "t"), "t: 1 label column is missing: 'y'\nt: 1 weight column is missing: 'w'");
  ColumnMatch const predicting = match_columns(abc_schema(), found, prediction);
  EXPECT_TRUE(predicting.is_acceptable);
  EXPECT_EQ(predicting.places, places({-1, 0, 1, 2, 3, -1}));
  EXPECT_TRUE(predicting.moved.empty());
  EXPECT_TRUE(match_columns(abc_schema(), Names{"y", "a", "b", "c", "w"}, strict).is_acceptable);  // id is not used
}

TEST(SchemaMatch, WithoutAHeaderTheNumberCounts) {
  Schema const schema = abc_schema();
  EXPECT_TRUE(match_columns(schema, Names{"0", "1", "2", "3", "4", "5"}, no_header).is_acceptable);
  ColumnMatch const fewer = match_columns(schema, Names{"0", "1", "2", "3"}, no_header);
  EXPECT_FALSE(fewer.is_acceptable || fewer.is_by_name);
  EXPECT_EQ(fewer.missing, (std::vector<MissingColumn>{{"c", Role::feature}, {"w", Role::weight}}));
  EXPECT_TRUE(contains(describe(fewer, "t"), "without names of columns on both sides their number must be the same"));
  ColumnMatch const more = match_columns(schema, Names{"0", "1", "2", "3", "4", "5", "6"}, no_header);
  EXPECT_FALSE(more.is_acceptable);
  EXPECT_EQ(more.unexpected, (Names{"6"}));
  MatchOptions const lacking{.has_header = false, .may_lack_roles = true};
  ColumnMatch const unlabelled = match_columns(schema, Names{"0", "1", "2", "3"}, lacking);
  EXPECT_TRUE(unlabelled.is_acceptable);
  EXPECT_EQ(unlabelled.places, places({-1, 0, 1, 2, 3, -1}));
  EXPECT_FALSE(match_columns(schema, Names{"0", "1", "2", "3", "4"}, lacking).is_acceptable);
  EXPECT_TRUE(match_columns(schema, Names{"0", "1", "2", "3", "4", "5"}, lacking).is_acceptable);
}

TEST(SchemaMatch, ASchemaWithoutNamesGoesByPlaceToo) {
  Schema const schema = with_columns({{"0", Role::label}, {"1", Role::feature}});
  ColumnMatch const named = match_columns(schema, Names{"y", "a"}, strict);
  EXPECT_TRUE(named.is_acceptable);
  EXPECT_FALSE(named.is_by_name);
  EXPECT_EQ(named.places, places({0, 1}));
  EXPECT_FALSE(match_columns(schema, Names{"y", "a", "b"}, strict).is_acceptable);
  EXPECT_EQ(match_columns(schema, Names{"1", "0"}, strict).places, places({1, 0}));  // a header of numbers
}

TEST(SchemaMatch, NamesThatStandTwiceAreTakenOnlyWhereTheyStood) {
  Schema const schema = with_columns({{"a", Role::feature}, {"b", Role::feature}, {"a", Role::feature}});
  ColumnMatch const same = match_columns(schema, Names{"a", "b", "a"}, strict);
  EXPECT_TRUE(same.is_acceptable);
  EXPECT_EQ(same.places, places({0, 1, 2}));
  ColumnMatch const moved = match_columns(schema, Names{"a", "a", "b"}, strict);
  EXPECT_FALSE(moved.is_acceptable);
  EXPECT_EQ(moved.ambiguous, Names{"a"});
  Schema const ids = with_columns({{"a", Role::ignore}, {"b", Role::feature}, {"a", Role::ignore}});
  EXPECT_TRUE(match_columns(ids, Names{"b"}, strict).is_acceptable);
  EXPECT_TRUE(contains(describe(moved, "t"), "1 name stands several times, and not where the schema has it: 'a'"));
  ColumnMatch const more = match_columns(abc_schema(), Names{"y", "a", "id", "b", "c", "w", "a"}, strict);
  EXPECT_FALSE(more.is_acceptable);
  EXPECT_EQ(more.unexpected, Names{"a"});
  EXPECT_TRUE(match_columns(abc_schema(), Names{"y", "a", "id", "b", "c", "w", "x", "x"}, strict).is_acceptable);
}

TEST(SchemaMatch, MessagesNameTenAndPlacesAreRightForMany) {
  std::vector<penstock::app::SchemaColumn> columns;
  Names names;
  for (int i = 0; i < 20000; ++i) {
    columns.push_back({"f" + std::to_string(i), Role::feature});
    names.push_back(columns.back().name);
  }
  std::ranges::shuffle(names, std::mt19937(3));
  ColumnMatch const match = match_columns(with_columns(columns), names, strict);
  ASSERT_TRUE(match.is_acceptable);
  for (std::size_t i = 0; i < columns.size(); ++i) ASSERT_EQ(names[match.places[i].value()], columns[i].name);
  std::string const text = describe(match, "t");
  EXPECT_EQ(std::ranges::count(text, '('), 10);
  EXPECT_TRUE(text.ends_with(" more")) << text;
  ColumnMatch const none = match_columns(with_columns(columns), Names{"\x1b[2J"}, strict);
  EXPECT_TRUE(contains(describe(none, "t"), "t: 20,000 feature columns are missing: 'f0', 'f1',"));
  EXPECT_TRUE(contains(describe(none, "t"), "'f9' and 19,990 more\nt: 1 unexpected column: '\\x1b[2J'"));
}

// ---- layouts ---------------------------------------------------------------------------------------------

TEST(SchemaMatch, LayoutsDifferInWords) {
  Schema schema;
  schema.layout = {.features = 28, .labels = 1, .has_weight = true};
  EXPECT_TRUE(match_layout(schema, schema.layout, strict).empty());
  BatchLayout other{.feature_dtype = DType::int64, .features = 30, .labels = 2, .has_qid = true};
  other.label_dtype = DType::float64;
  EXPECT_EQ(match_layout(schema, other, strict),
            (Names{"features: 28 in the schema, 30 here", "element type of features: float32 in the schema, int64 here",
                   "labels: 1 in the schema, 2 here", "element type of labels: float32 in the schema, float64 here",
                   "weight: one in the schema, none here", "qid: none in the schema, one here"}));
  BatchLayout const bare{.features = 28};
  EXPECT_EQ(match_layout(schema, bare, strict),
            (Names{"labels: 1 in the schema, none here", "weight: one in the schema, none here"}));
  EXPECT_TRUE(match_layout(schema, bare, prediction).empty());
  EXPECT_EQ(match_layout(schema, {.features = 28, .labels_vary = true, .has_uid = true}, prediction),
            (Names{"labels: 1 in the schema, any number here", "uid: none in the schema, one here"}));
}

TEST(SchemaMatch, SparseWidthsThatAreNotKnownFit) {
  Schema schema;
  schema.layout = {.features = 100, .is_sparse = true};
  EXPECT_TRUE(match_layout(schema, {.is_sparse = true}, strict).empty());
  EXPECT_EQ(match_layout(schema, {.features = 101, .is_sparse = true}, strict),
            (Names{"features: 100 in the schema, 101 here"}));
  EXPECT_EQ(match_layout(schema, {.features = 100}, strict),
            (Names{"kind of features: sparse in the schema, dense here"}));
  schema.layout.features = 0;
  EXPECT_TRUE(match_layout(schema, {.features = 101, .is_sparse = true}, strict).empty());
}

}  // namespace
