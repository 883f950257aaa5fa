#include "host/io/inputs.hpp"

#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using penstock::ConfigurationError;
using penstock::expand_inputs;
using penstock::InputFile;
using penstock::SourceError;
using penstock::testing::ScratchFolder;

/// The paths that `arguments` (relative to the folder, "-" excepted) expand to, relative to the folder.
std::vector<std::string> expanded(ScratchFolder const& folder, std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument != "-") argument = folder.at(argument);
  }
  std::vector<std::string> names;
  for (InputFile const& file : expand_inputs(arguments)) {
    names.push_back(file.is_stdin ? file.path : file.path.substr(folder.path().size() + 1));
  }
  return names;
}

struct Complaint {
  std::string message;
  std::string hint;
};

Complaint complaint_about(std::string const& argument) {
  try {
    (void)expand_inputs({argument});
  } catch (SourceError const& error) {
    EXPECT_EQ(error.exit_code(), penstock::ExitCode::source);
    return {error.what(), error.hint()};
  }
  ADD_FAILURE() << argument << " was accepted";
  return {};
}

using Names = std::vector<std::string>;

TEST(Inputs, FilesComeInTheOrderGivenAndAsOftenAsGiven) {
  ScratchFolder const folder;
  folder.put("b.csv", "1,2\n");
  folder.put("a.csv", "");
  EXPECT_EQ(expanded(folder, {"b.csv", "a.csv", "b.csv"}), (Names{"b.csv", "a.csv", "b.csv"}));
  std::vector<InputFile> const files = expand_inputs({folder.at("b.csv"), folder.at("a.csv")});
  EXPECT_TRUE(files[0].is_regular);
  EXPECT_FALSE(files[0].is_stdin);
  EXPECT_EQ(files[0].size_bytes, 4u);
  EXPECT_EQ(files[1].size_bytes, 0u);
}

TEST(Inputs, NothingAskedIsNothingGiven) { EXPECT_TRUE(expand_inputs({}).empty()); }

TEST(Inputs, StandardInputOnce) {
  ScratchFolder const folder;
  folder.put("a", "");
  EXPECT_EQ(expanded(folder, {"-", "a"}), (Names{"-", "a"}));
  EXPECT_TRUE(expand_inputs({"-"})[0].is_stdin);
  EXPECT_THROW((void)expand_inputs({"-", "-"}), ConfigurationError);
}

TEST(Inputs, FoldersAreReadAtAnyDepthInBytewiseOrderOfThePath) {
  ScratchFolder const folder;
  // '-' < '/' < '0' < 'A' < 'a' < 0xc3: the whole path decides, bytes count as unsigned.
  for (char const* name : {"d/x/2", "d/x/10", "d/x-1", "d/x0", "d/B", "d/\xc3\xa9", "d/a", "d/x/deep/er/f"}) {
    folder.put(name, "1");
  }
  Names const sorted{"d/B", "d/a", "d/x-1", "d/x/10", "d/x/2", "d/x/deep/er/f", "d/x0", "d/\xc3\xa9"};
  EXPECT_EQ(expanded(folder, {"d"}), sorted);
  EXPECT_EQ(expanded(folder, {"d/"}), sorted) << "no second slash is added";
}

TEST(Inputs, NamesWithDotOrUnderscoreAreSkippedInFoldersOnly) {
  ScratchFolder const folder;
  for (char const* name : {"d/.hidden", "d/_SUCCESS", "d/_temporary/part-0", "d/.git/x", "d/part-0", "_own"}) {
    folder.put(name, "1");
  }
  EXPECT_EQ(expanded(folder, {"d"}), (Names{"d/part-0"}));
  EXPECT_EQ(expanded(folder, {"_own", "d/_SUCCESS", "d/_temporary"}),
            (Names{"_own", "d/_SUCCESS", "d/_temporary/part-0"}));
}

TEST(Inputs, EmptyFoldersSayWhatWasSkipped) {
  ScratchFolder const folder;
  std::filesystem::create_directory(folder.at("none"));
  EXPECT_EQ(complaint_about(folder.at("none")).message, folder.at("none") + ": the folder holds no files to read");
  EXPECT_EQ(complaint_about(folder.at("none")).hint, "");
  folder.put("two/_SUCCESS", "");
  folder.put("two/.crc", "");
  EXPECT_NE(complaint_about(folder.at("two")).message.find("2 names that start with '.' or '_' were skipped"),
            std::string::npos);
  EXPECT_NE(complaint_about(folder.at("two")).hint, "");
  std::filesystem::create_directory(folder.at("fifo"));
  ASSERT_EQ(::mkfifo(folder.at("fifo/f").c_str(), 0600), 0);
  EXPECT_NE(complaint_about(folder.at("fifo")).message.find("1 FIFO, socket or device was skipped"), std::string::npos);
}

TEST(Inputs, LinksAreFollowedAndCyclesEnd) {
  ScratchFolder const folder;
  folder.put("d/a", "1");
  folder.put("elsewhere/b", "22");
  std::filesystem::create_symlink(folder.at("elsewhere"), folder.at("d/other"));
  std::filesystem::create_symlink(folder.at("elsewhere/b"), folder.at("d/link"));
  std::filesystem::create_directory_symlink("..", folder.at("elsewhere/up"));
  std::filesystem::create_directory_symlink(".", folder.at("d/self"));
  std::filesystem::create_directory_symlink(folder.at("d"), folder.at("elsewhere/back"));
  folder.put("r", "1");
  // elsewhere/up is the scratch folder, which does not lie above d/other/up in the walk, so it is entered; d and
  // elsewhere, which it holds, do.
  EXPECT_EQ(expanded(folder, {"d"}), (Names{"d/a", "d/link", "d/other/b", "d/other/up/r"}));
  EXPECT_EQ(expand_inputs({folder.at("d/link")})[0].size_bytes, 2u);
}

TEST(Inputs, LinksThatLeadNowhereAreErrors) {
  ScratchFolder const folder;
  folder.put("d/a", "1");
  std::filesystem::create_symlink("gone", folder.at("d/link"));
  EXPECT_EQ(complaint_about(folder.at("d/link")).message,
            folder.at("d/link") + ": the symbolic link points to a file that does not exist");
  EXPECT_NE(complaint_about(folder.at("d")).message.find("d/link: the symbolic link"), std::string::npos);
}

TEST(Inputs, SpecialFilesAreTakenAsTheyAre) {
  ScratchFolder const folder;
  ASSERT_EQ(::mkfifo(folder.at("fifo").c_str(), 0600), 0);
  std::vector<InputFile> const files = expand_inputs({folder.at("fifo"), "/dev/null"});
  EXPECT_FALSE(files[0].is_regular);
  EXPECT_FALSE(files[1].is_regular);
  EXPECT_EQ(files[1].path, "/dev/null");
}

TEST(Inputs, PatternsThatTheShellLeftAreExpanded) {
  ScratchFolder const folder;
  for (char const* name : {"p-10.csv", "p-2.csv", "p-1.csv", "q.csv", "sub1/z", "sub2/.x", "sub2/y", ".p.csv"}) {
    folder.put(name, "1");
  }
  EXPECT_EQ(expanded(folder, {"p-*.csv"}), (Names{"p-1.csv", "p-10.csv", "p-2.csv"}));
  EXPECT_EQ(expanded(folder, {"p-?.csv"}), (Names{"p-1.csv", "p-2.csv"}));
  EXPECT_EQ(expanded(folder, {"[q]*", "p-[2]*"}), (Names{"q.csv", "p-2.csv"}));
  EXPECT_EQ(expanded(folder, {"sub*"}), (Names{"sub1/z", "sub2/y"})) << "folders that match are read";
  EXPECT_EQ(expanded(folder, {"*.csv"}), (Names{"p-1.csv", "p-10.csv", "p-2.csv", "q.csv"}));
}

TEST(Inputs, ANameThatExistsIsNoPattern) {
  ScratchFolder const folder;
  folder.put("part[1].csv", "1");
  folder.put("part1.csv", "1");
  folder.put("*", "1");
  EXPECT_EQ(expanded(folder, {"part[1].csv", "*"}), (Names{"part[1].csv", "*"}));
}

TEST(Inputs, PatternsWithoutMatchAreErrors) {
  ScratchFolder const folder;
  EXPECT_EQ(complaint_about(folder.at("*.csv")).message, folder.at("*.csv") + ": no file matches the pattern");
  EXPECT_NE(complaint_about(folder.at("**/x.csv")).hint.find("any depth"), std::string::npos);
}

TEST(Inputs, MissingFilesNameTheNearMiss) {
  ScratchFolder const folder;
  folder.put("train.csv", "1");
  folder.put("d/validation.csv", "1");
  Complaint const swapped = complaint_about(folder.at("trian.csv"));
  EXPECT_EQ(swapped.message, folder.at("trian.csv") + ": no such file");
  EXPECT_EQ(swapped.hint, "Did you mean " + folder.at("train.csv") + "?");
  EXPECT_EQ(complaint_about(folder.at("d/valdation.csv")).hint, "Did you mean " + folder.at("d/validation.csv") + "?");
  EXPECT_EQ(complaint_about(folder.at("else.csv")).hint, "");
  EXPECT_EQ(complaint_about(folder.at("e/x.csv")).hint, "There is no folder " + folder.at("e/") + ".");
  EXPECT_NE(complaint_about(folder.at("train.csv/x")).message.find("Not a directory"), std::string::npos);
  EXPECT_NE(complaint_about("").message.find("empty"), std::string::npos);
}

/// Takes the rights of root away while it lives; is_unprivileged says whether that worked.
struct AsNobody {
  AsNobody() {
    if (was == 0) (void)(::seteuid(65534) == 0);
    is_unprivileged = ::geteuid() != 0;
  }
  ~AsNobody() {
    if (was == 0) (void)(::seteuid(0) == 0);
  }
  uid_t was = ::geteuid();
  bool is_unprivileged = false;
};

TEST(Inputs, WhatMayNotBeReadIsAnError) {
  ScratchFolder const folder;
  std::string const file = folder.put("d/secret.csv", "1");
  ::chmod(folder.path().c_str(), 0755);
  ::chmod(file.c_str(), 0);
  {
    AsNobody const nobody;
    if (!nobody.is_unprivileged) GTEST_SKIP() << "the test cannot give up the rights of root";
    EXPECT_EQ(complaint_about(file).message, file + ": Permission denied");
    EXPECT_NE(complaint_about(folder.at("d")).message.find("secret.csv: Permission denied"), std::string::npos);
  }
  ::chmod(folder.at("d").c_str(), 0);
  {
    AsNobody const nobody;
    EXPECT_EQ(complaint_about(folder.at("d")).message, folder.at("d") + ": cannot list the folder: Permission denied");
    EXPECT_NE(complaint_about(file).message.find("Permission denied"), std::string::npos);
  }
  ::chmod(folder.at("d").c_str(), 0755);
}

}  // namespace
