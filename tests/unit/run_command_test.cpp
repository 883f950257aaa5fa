// The verbs of the command line, called by a program that has a terminal, signals and other work of its own.

#include "penstock/commands.hpp"

#include "host/app/progress.hpp"
#include "host/io/standard_streams.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace penstock;
using penstock::testing::ScratchFolder;

constexpr std::string_view small_csv = "x,y\n1,0\n2.5,1\n";

/// Ends a command from outside.
struct Enough : std::runtime_error {
  Enough() : std::runtime_error("enough") {}
};

/// A FIFO without end: it has a writer, which fills it whenever it is asked to.
class Fifo {
 public:
  explicit Fifo(std::string path) : path_(std::move(path)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("no FIFO " + path_);
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  }
  ~Fifo() { end(); }
  Fifo(Fifo const&) = delete;
  Fifo& operator=(Fifo const&) = delete;

  [[nodiscard]] std::string const& path() const { return path_; }
  /// As much of `line`, again and again, as it takes without waiting.
  void fill(std::string_view line) const {
    std::string text;
    while (text.size() < 4096) text += line;  // PIPE_BUF: all or nothing
    text.resize(text.size() / line.size() * line.size());
    while (::write(descriptor_, text.data(), text.size()) > 0) {
    }
  }
  void write(std::string_view text) const {
    ASSERT_EQ(::write(descriptor_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void end() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  std::string path_;
  int descriptor_ = -1;
};

bool has_partial_file(ScratchFolder const& folder) {
  auto const is_partial = [](auto const& entry) { return entry.path().extension() == ".partial"; };
  auto const entries = std::filesystem::directory_iterator(folder.path());
  return std::any_of(begin(entries), end(entries), is_partial);
}

/// The Error that a command ends with.
template <class Expected>
std::optional<Expected> error_of(std::vector<std::string> const& words) {
  try {
    CommandResult const result = run_command(words);
    ADD_FAILURE() << words[0] << " ended with " << result.status;
  } catch (Expected const& error) {
    return error;
  }
  return std::nullopt;
}

TEST(RunCommand, GivesWhatTheCommandLinePrints) {
  ScratchFolder const folder;
  std::string const csv = folder.put("a.csv", small_csv), rec = folder.at("a.rec");
  CommandResult const result = run_command({"convert", csv, "--label", "y", "-o", rec, "--json"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.output.starts_with("{\"schema_version\":1,\"command\":\"convert\"")) << result.output;
  EXPECT_TRUE(result.output.ends_with("}\n"));
  EXPECT_NE(result.messages.find("2 records"), std::string::npos) << result.messages;
  EXPECT_TRUE(std::filesystem::exists(rec));

  EXPECT_EQ(run_command({"stats", csv, "--column", "x", "--statistic", "mean"}).output, "1.75\n");
  EXPECT_EQ(run_command({"diff", csv, rec, "--label", "y"}).status, 0);
  std::string const other = folder.put("b.csv", "x,y\n1,0\n3,1\n");
  CommandResult const different = run_command({"diff", other, rec, "--label", "y"});
  EXPECT_EQ(different.status, 1);
  EXPECT_TRUE(different.output.starts_with("different")) << different.output;

  std::string const normalizer = folder.at("n.json");
  CommandResult const fit = run_command({"fit", csv, "--label", "y", "-o", normalizer});
  EXPECT_EQ(fit.status, 0);
  EXPECT_EQ(fit.output, "");
  EXPECT_NE(fit.messages.find("fitted to 2 records"), std::string::npos) << fit.messages;
  EXPECT_TRUE(std::filesystem::exists(normalizer));

  EXPECT_NE(run_command({"help", "convert"}).output.find("--output"), std::string::npos);
  EXPECT_NE(run_command({"doctor"}).output.find("instructions"), std::string::npos);
}

TEST(RunCommand, ThrowsWhatWouldEndTheCommandLine) {
  ScratchFolder const folder;
  std::string const csv = folder.put("bad.csv", "x,y\n1,0\n2,1\nabc,1\n");
  std::string const out = folder.at("bad.rec");
  auto const data = error_of<DataError>({"convert", csv, "--label", "y", "-o", out});
  ASSERT_TRUE(data && data->place);
  EXPECT_EQ(*data->place, (Place{csv, 4, 1, 12}));
  EXPECT_EQ(data->exit_code(), ExitCode::data);
  EXPECT_NE(std::string(data->what()).find("abc"), std::string::npos);
  EXPECT_NE(data->hint().find("--on-error"), std::string::npos) << data->hint();
  EXPECT_EQ(folder.count(), 1u);

  auto const option = error_of<ConfigurationError>({"convert", csv, "--lable", "y", "-o", out});
  ASSERT_TRUE(option);
  EXPECT_NE(option->hint().find("--label"), std::string::npos) << option->hint();
  auto const range = error_of<ConfigurationError>({"convert", csv, "--columns", "0-1", "-o", out});
  ASSERT_TRUE(range);
  EXPECT_NE(range->hint().find("0:1"), std::string::npos) << range->hint();
  auto const verb = error_of<ConfigurationError>({"convret", csv});
  ASSERT_TRUE(verb);
  EXPECT_EQ(verb->hint(), "Did you mean convert?");
  auto const input = error_of<ConfigurationError>({"convert"});
  ASSERT_TRUE(input);
  EXPECT_STREQ(input->what(), "convert: no input is named");
  EXPECT_TRUE(error_of<ConfigurationError>({"synth", "-o", out}));
  EXPECT_THROW((void)run_command({}), ConfigurationError);
  EXPECT_TRUE(error_of<SourceError>({"head", folder.at("absent.csv")}));
  folder.put("there.rec", "");
  EXPECT_TRUE(error_of<SinkError>({"convert", csv, "-o", folder.at("there.rec")}));
}

TEST(RunCommand, StandardOutputIsTheProgramsOwn) {
  ScratchFolder const folder;
  std::string const csv = folder.put("a.csv", small_csv);
  for (std::string const path : {"-", "/dev/stdout", "/dev/stderr", "/proc/self/fd/1"}) {
    auto const convert = error_of<ConfigurationError>({"convert", csv, "--to", "csv", "-o", path});
    ASSERT_TRUE(convert) << path;
    EXPECT_NE(std::string(convert->what()).find("inside a program"), std::string::npos) << convert->what();
    EXPECT_TRUE(error_of<ConfigurationError>({"fit", csv, "-o", path}));
    EXPECT_TRUE(error_of<ConfigurationError>({"synth", "higgs", "--rows", "3", "-o", path}));
    EXPECT_TRUE(error_of<ConfigurationError>({"inspect", csv, "--save-schema", path}));
  }
  EXPECT_TRUE(error_of<ConfigurationError>({"convert", csv, "--to", "csv", "-o", "-", "--dry-run"}));
}

/// Standard streams that lead to files as long as it lives.
class Redirected {
 public:
  Redirected(int descriptor, std::string const& path) : descriptor_(descriptor), before_(::dup(descriptor)) {
    int const file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(file, descriptor);
    ::close(file);
  }
  ~Redirected() {
    ::dup2(before_, descriptor_);
    ::close(before_);
  }
  Redirected(Redirected const&) = delete;
  Redirected& operator=(Redirected const&) = delete;

 private:
  int descriptor_, before_;
};

std::array<void (*)(int), 4> signal_handlers() {
  std::array<void (*)(int), 4> handlers{};
  int const signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    struct sigaction action {};
    ::sigaction(signals[i], nullptr, &action);
    handlers[i] = action.sa_handler;
  }
  return handlers;
}

TEST(RunCommand, PrintsNothingAndHandlesNoSignals) {
  ScratchFolder const folder;
  std::string const csv = folder.put("a.csv", small_csv);
  std::string const bad = folder.put("bad.csv", "x,y\n1,0\nabc,1\n");
  auto const handlers = signal_handlers();
  {
    Redirected const out(STDOUT_FILENO, folder.at("stdout"));
    Redirected const err(STDERR_FILENO, folder.at("stderr"));
    (void)run_command({"convert", csv, "-o", folder.at("a.rec"), "--json", "-v"});
    (void)run_command({"convert", bad, "--on-error", "skip", "-o", folder.at("b.rec")});
    (void)run_command({"convert", csv, "-o", folder.at("c.rec"), "--dry-run"});
    for (std::string const verb : {"inspect", "head", "stats"}) (void)run_command({verb, bad, "--on-error", "skip"});
    (void)run_command({"validate", folder.at("a.rec")});
    (void)run_command({"--version"});
    EXPECT_THROW((void)run_command({"convert", bad, "-o", folder.at("d.rec")}), DataError);
    EXPECT_THROW((void)run_command({"convert"}), ConfigurationError);
    EXPECT_THROW((void)run_command({}), ConfigurationError);
  }
  EXPECT_EQ(folder.get("stdout"), "");
  EXPECT_EQ(folder.get("stderr"), "");
  EXPECT_EQ(signal_handlers(), handlers);
}

TEST(RunCommand, ShowsNoProgressWhereTheProgramHasATerminal) {
  int const terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_TRUE(::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
  char const* const term = std::getenv("TERM");
  std::string const term_before = term == nullptr ? "dumb" : term;
  ::setenv("TERM", "xterm", 1);
  {
    Redirected const err(STDERR_FILENO, ::ptsname(terminal));
    EXPECT_TRUE(app::progress_on_stderr(false, {}).is_enabled);
    CapturedText text;
    Capture const capture(text);
    EXPECT_FALSE(app::progress_on_stderr(false, {}).is_enabled);
  }
  ::setenv("TERM", term_before.c_str(), 1);
  ::close(terminal);
}

TEST(RunCommand, ReadsTheStandardInputOfTheProgram) {
  ScratchFolder const folder;
  Redirected const in(STDIN_FILENO, folder.put("a.csv", small_csv));
  EXPECT_EQ(run_command({"stats", "-", "--column", "x", "--statistic", "max"}).output, "2.5\n");
}

TEST(RunCommand, CommandsAtTheSameTimeKeepTheirTexts) {
  ScratchFolder const folder;
  constexpr int threads = 4, rounds = 25;
  std::vector<std::thread> team;
  for (int number = 0; number < threads; ++number) {
    team.emplace_back([&folder, number] {
      std::string const value = std::to_string(number * 1111);
      std::string const csv = folder.put("at" + value + ".csv", "x\n" + value + "\nabc\n");
      for (int i = 0; i < rounds; ++i) {
        CommandResult const result =
            run_command({"stats", csv, "--on-error", "skip", "--column", "x", "--statistic", "mean", "-j", "2"});
        EXPECT_EQ(result.output, value + "\n");
        EXPECT_NE(result.messages.find("at" + value + ".csv:3"), std::string::npos) << result.messages;
        EXPECT_EQ(result.messages.find("at" + std::to_string((number + 1) % threads * 1111) + ".csv"),
                  std::string::npos);
      }
    });
  }
  for (std::thread& thread : team) thread.join();
}

TEST(RunCommand, IsInterruptedWithoutHittingOtherWork) {
  ScratchFolder const folder;
  Fifo stopped(folder.at("stopped.csv")), other(folder.at("other.csv"));
  CommandResult mean;
  std::thread waiting([&] { mean = run_command({"stats", other.path(), "--column", "x", "--statistic", "mean"}); });
  stopped.write("x,y\n");
  auto const fill_until_partial = [&] {
    stopped.fill("1,2\n");
    if (has_partial_file(folder)) throw Enough();
  };
  EXPECT_THROW((void)run_command({"convert", stopped.path(), "-o", folder.at("out.rec")}, fill_until_partial), Enough);
  EXPECT_EQ(folder.count(), 2u);  // the FIFOs

  other.write("x,y\n4,5\n");
  other.end();
  waiting.join();
  EXPECT_EQ(mean.output, "4\n");
  std::string const csv = folder.put("a.csv", small_csv);
  EXPECT_EQ(run_command({"convert", csv, "-o", folder.at("out.rec")}).status, 0);
  EXPECT_GT(std::filesystem::file_size(folder.at("out.rec")), 0u);
}

TEST(RunCommand, IsInterruptedWhereverItWaits) {
  ScratchFolder const folder;
  std::string const csv = folder.put("a.csv", small_csv);
  auto const throw_enough = [] { throw Enough(); };
  Fifo const silent(folder.at("silent.csv"));  // waits for the first byte, on the command's own thread
  EXPECT_THROW((void)run_command({"head", silent.path()}, throw_enough), Enough);
  Fifo const slow(folder.at("slow.csv"));  // for more of it, on a thread that the command has started
  slow.fill("1,2\n");
  int waits = 0;
  auto const throw_later = [&waits] {
    if (++waits == 4) throw Enough();
  };
  EXPECT_THROW((void)run_command({"stats", slow.path()}, throw_later), Enough);
  std::string const unread = folder.at("unread.rec");  // and for somebody who reads
  ASSERT_EQ(::mkfifo(unread.c_str(), 0600), 0);
  EXPECT_THROW((void)run_command({"convert", csv, "-o", unread}, throw_enough), Enough);
  std::string const large = folder.at("large.csv");  // or works, on threads of its own
  EXPECT_THROW((void)run_command({"synth", "higgs", "--size", "100GB", "-o", large}, throw_enough), Enough);
  EXPECT_FALSE(std::filesystem::exists(large));
  EXPECT_FALSE(has_partial_file(folder));
}

TEST(RunCommand, AClosedPipeIsAnErrorAndNotASignal) {
  ScratchFolder const folder;
  std::string const pipe = folder.at("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  auto const close_reader = [&reader] {
    if (reader >= 0) ::close(reader);
    reader = -1;
  };
  EXPECT_THROW((void)run_command({"synth", "higgs", "--size", "100GB", "-o", pipe}, close_reader), SinkError);
}

}  // namespace
