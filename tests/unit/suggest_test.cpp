#include "host/text/suggest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace penstock {
namespace {

std::vector<std::string> const verbs = {"convert", "inspect", "head", "schema", "stats", "validate", "synth"};

std::optional<std::string> near(std::string_view typed, std::vector<std::string> const& known) {
  return nearest(typed, known);
}

TEST(Suggest, FindsOneEditOfEachSort) {
  EXPECT_EQ(near("convrt", verbs), "convert");    // one byte left out
  EXPECT_EQ(near("connvert", verbs), "convert");  // one too many
  EXPECT_EQ(near("canvert", verbs), "convert");   // one replaced
  EXPECT_EQ(near("ocnvert", verbs), "convert");   // neighbours swapped
}

TEST(Suggest, SwapIsOneEdit) {
  EXPECT_EQ(near("sytnh", verbs), "synth");  // five bytes allow one edit only
  EXPECT_EQ(near("ehad", verbs), "head");
  EXPECT_EQ(near("ca", {"abc"}), std::nullopt);  // a byte is not edited twice: this takes three edits
}

TEST(Suggest, CaseDoesNotCount) {
  EXPECT_EQ(near("HEAD", verbs), "head");
  EXPECT_EQ(near("label", {"Lobel", "LABEL"}), "LABEL");
  EXPECT_EQ(near("CONVRET", verbs), "convert");
  EXPECT_EQ(near("jet1_PT", {"jet2_pt", "Jet1_Pt"}), "Jet1_Pt");
}

TEST(Suggest, ThresholdGrowsWithLengthUpToThree) {
  EXPECT_EQ(near("abcdXX", {"abcdef"}), "abcdef");                        // 2 of 6
  EXPECT_EQ(near("abcXX", {"abcde"}), std::nullopt);                      // 2 of 5
  EXPECT_EQ(near("abcdefXXX", {"abcdefghi"}), "abcdefghi");               // 3 of 9
  EXPECT_EQ(near("abcdefghijkXXXX", {"abcdefghijklmno"}), std::nullopt);  // 4 of 15
  EXPECT_EQ(near("heed", verbs), "head");                                 // 1 of 4
  EXPECT_EQ(near("heee", verbs), std::nullopt);
}

TEST(Suggest, FirstOfEqualsWinsAndFewerEditsWinOverOrder) {
  EXPECT_EQ(near("cat", {"bat", "car", "cut"}), "bat");
  EXPECT_EQ(near("column_name", {"column_n", "column_nam"}), "column_nam");
}

TEST(Suggest, SomethingMustStay) {
  EXPECT_EQ(near("x", {"y"}), std::nullopt);
  EXPECT_EQ(near("", {"y"}), std::nullopt);
  EXPECT_EQ(near("y", {"", "yy"}), "yy");
}

TEST(Suggest, NothingFromNothing) {
  EXPECT_EQ(near("convert", {}), std::nullopt);
  EXPECT_EQ(near("", {}), std::nullopt);
  EXPECT_EQ(near("benchmark", verbs), std::nullopt);
}

/// Comparing them all would take the time of 10^13 steps.
TEST(Suggest, LongWordsAreNearNothing) {
  std::string const longest(compared_bytes_max, 'x');
  EXPECT_EQ(near(longest, {longest}), longest);
  EXPECT_EQ(near(longest + "x", {longest}), std::nullopt);
  EXPECT_EQ(near(longest, {longest + "x"}), std::nullopt);
  std::string const damaged(std::size_t{1} << 22, 'x');
  EXPECT_EQ(near(damaged + "y", {damaged}), std::nullopt);
}

TEST(Suggest, BytesBeyondAsciiAreCompared) {
  EXPECT_EQ(near("gr\xc3\xb6sse", {"groesse",
                                   "gr\xc3\xb6\xc3\x9f"
                                   "e"}),
            "groesse");
}

}  // namespace
}  // namespace penstock
