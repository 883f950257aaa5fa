// Schema files of time series and of lists of tokens.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "host/app/schema_file.hpp"
#include "host/app/schema_match.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string refused(std::string_view text) {
  try {
    (void)parse_schema(text, "s.json");
  } catch (SchemaError const& error) {
    return error.what();
  }
  return "was accepted";
}

TEST(SchemaLists, ListsAreThereWhereThereAreAny) {
  Schema schema;
  schema.format = "deepar";
  schema.layout = {.has_start = true, .cats = 3};
  schema.layout.lists = {ListLayout{ListRole::target}, ListLayout{ListRole::dynamic_feat, DType::float32, 1200}};
  std::string const text = to_json(schema);
  EXPECT_TRUE(contains(text,
                       "    \"metadata\": false,\n    \"start\": true,\n    \"cats\": 3,\n"
                       "    \"lists\": [\"target float32\", \"1200 x dynamic_feat float32\"]\n"))
      << text;
  EXPECT_EQ(parse_schema(text, ""), schema);
  schema.layout = {.labels = 1};
  schema.layout.lists = {ListLayout{ListRole::in0, DType::int32}, ListLayout{ListRole::in1, DType::int32}};
  EXPECT_EQ(parse_schema(to_json(schema), ""), schema);

  auto const with = [&](std::string const& lists) {
    std::string changed = to_json(schema);
    std::size_t const begin = changed.find("\"lists\": [");
    changed.replace(begin, changed.find(']', begin) + 1 - begin, lists);
    return refused(changed);
  };
  EXPECT_EQ(with("\"lists\": [\"target\"]"),
            "s.json:18: $.layout.lists[0]: expected a list and its type, such as target float32, found 'target'");
  EXPECT_TRUE(contains(with("\"lists\": [\"0 x target float32\"]"), "found '0 x target float32'"));
  EXPECT_TRUE(contains(with("\"lists\": [\"01 x target float32\"]"), "found '01 x target float32'"));
  EXPECT_EQ(with("\"lists\": [\"in0 int32\", \"in1 int32\", \"target float32\"]"),
            "s.json:18: $.layout.lists[2]: expected no more than two lists, found 'target float32'");
  EXPECT_EQ(with("\"lists\": [7]"), "s.json:18: $.layout.lists[0]: expected a string, found a number");
  EXPECT_EQ(with("\"start\": true, \"start\": true"), "s.json:18: $.layout: member 'start' stands here twice");
}

TEST(SchemaLists, SeriesDifferInWords) {
  Schema schema;
  schema.layout = {.has_start = true, .cats = 2};
  schema.layout.lists = {ListLayout{ListRole::target}, ListLayout{ListRole::dynamic_feat, DType::float32, 2}};
  EXPECT_TRUE(match_layout(schema, schema.layout, {}).empty());
  BatchLayout other;
  EXPECT_EQ(match_layout(schema, other, {.may_lack_roles = true}),
            (std::vector<std::string>{"start: one in the schema, none here", "categories: 2 in the schema, 0 here",
                                      "lists: target float32 and 2 x dynamic_feat float32 in the schema, none here"}));
}

}  // namespace
}  // namespace penstock::app
