#include "host/io/source.hpp"

#include "host/io/interrupt.hpp"
#include "penstock/error.hpp"
#include "tests/support/drain.hpp"
#include "tests/support/faulty_source.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace std::string_view_literals;
using penstock::expand_inputs;
using penstock::open_at;
using penstock::open_source;
using penstock::open_stored;
using penstock::PrefetchedSource;
using penstock::Source;
using penstock::SourceError;
using penstock::testing::drain;
using penstock::testing::FaultySource;
using penstock::testing::Outcome;
using penstock::testing::ScratchFolder;

std::unique_ptr<Source> open_path(std::string const& path) { return open_source(expand_inputs({path})[0]); }

std::string contents(std::string const& path) {
  Outcome outcome = drain(*open_path(path));
  EXPECT_EQ(outcome.error, "");
  return std::move(outcome.bytes);
}

std::string complaint_about(std::string const& path) {
  try {
    (void)open_path(path);
  } catch (SourceError const& error) {
    EXPECT_EQ(error.exit_code(), penstock::ExitCode::source);
    return error.what();
  }
  ADD_FAILURE() << path << " was opened";
  return {};
}

std::string digits(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>("0123456789,\n"[i * i % 12]);
  return text;
}

TEST(Source, ReadsAFile) {
  ScratchFolder const folder;
  std::string const text = digits(100'000);
  std::string const path = folder.put("a.csv", text);
  std::unique_ptr<Source> const source = open_path(path);
  EXPECT_EQ(source->name(), path);
  EXPECT_EQ(source->stored_bytes_total(), text.size());
  EXPECT_EQ(source->stored_bytes_read(), 0u);
  EXPECT_EQ(drain(*source, 999).bytes, text);
  EXPECT_EQ(source->stored_bytes_read(), text.size());
}

TEST(Source, ReadsTinyFiles) {
  ScratchFolder const folder;
  for (std::string_view text : {""sv, "\n"sv, "\x1f"sv, "\x28\xb5"sv, "BZh9"sv, "PAR1,PAR2\n1,2\n"sv, "\0\0"sv}) {
    EXPECT_EQ(contents(folder.put("a", text)), text);
  }
}

TEST(Source, StartsAnywhere) {
  ScratchFolder const folder;
  penstock::InputFile const input = expand_inputs({folder.put("a", "0123456789")})[0];
  EXPECT_EQ(drain(*open_at(input, 0)).bytes, "0123456789");
  EXPECT_EQ(drain(*open_at(input, 3)).bytes, "3456789");
  EXPECT_EQ(drain(*open_at(input, 10)).bytes, "");
  EXPECT_EQ(drain(*open_at(input, 11)).bytes, "");
  EXPECT_EQ(drain(*open_at(input, UINT64_MAX)).bytes, "");
  EXPECT_EQ(open_at(input, 3)->stored_bytes_read(), 3u);
}

TEST(Source, SaysWhyAFileCannotBeOpened) {
  ScratchFolder const folder;
  penstock::InputFile const gone{folder.at("gone"), false, true, 1};
  try {
    (void)open_source(gone);
    FAIL();
  } catch (SourceError const& error) {
    EXPECT_EQ(std::string(error.what()), gone.path + ": cannot be opened: No such file or directory");
  }
  penstock::InputFile const directory{folder.path(), false, true, 1};
  EXPECT_THROW((void)open_source(directory), SourceError);
}

TEST(Source, RefusesWhatIsNoText) {
  ScratchFolder const folder;
  struct Case {
    std::string_view bytes;
    std::string_view words;
  };
  for (Case const& c :
       {Case{"\x28\xb5\x2f\xfd\x04\x00"sv, "zstd-compressed data"}, Case{"\xfd\x37zXZ\0\0\4"sv, "xz-compressed data"},
        Case{"BZh91AY&SY\x12\x34"sv, "bzip2-compressed data"}, Case{"BZh11AY&SY"sv, "bzip2-compressed data"},
        Case{"\x04\x22\x4d\x18\x64"sv, "lz4-compressed data"}, Case{"\x1f\x9d\x90"sv, "compress(1)-compressed data"},
        Case{"PK\x03\x04\x14\0"sv, "a zip archive (a spreadsheet?)"}, Case{"PAR1\x15\x04"sv, "a Parquet file"},
        Case{"ARROW1\0\0\xff"sv, "an Arrow IPC (Feather) file"}, Case{"Obj\x01\x04"sv, "an Avro file"}}) {
    std::string const path = folder.put("a", c.bytes);
    EXPECT_EQ(complaint_about(path), path + ": looks like " + std::string(c.words) + ", which is not supported yet");
    EXPECT_EQ(drain(*open_stored(expand_inputs({path})[0])).bytes, c.bytes) << "stored bytes are never judged";
  }
}

TEST(Source, APrefetchedSourceGivesEverythingOnce) {
  std::string const text = digits(500);
  for (std::size_t const taken : {0u, 1u, 8u, 499u, 500u}) {
    PrefetchedSource source(std::make_unique<FaultySource>(text.substr(taken)), text.substr(0, taken));
    EXPECT_EQ(drain(source, 9).bytes, text) << taken;
    EXPECT_EQ(source.name(), "<memory>");
  }
}

TEST(Source, AFaultySourceKeepsItsPromises) {
  std::string const text = digits(1000);
  FaultySource whole(text, {.seed = 3, .read_bytes_max = 11});
  EXPECT_EQ(drain(whole, 64).bytes, text);
  FaultySource failing(text, {.seed = 3, .read_bytes_max = 11, .fail_after_bytes = 700});
  Outcome const outcome = drain(failing, 64);
  EXPECT_EQ(outcome.bytes, text.substr(0, 700));
  EXPECT_NE(outcome.error.find("byte 700"), std::string::npos);
}

/// Puts `descriptor` in the place of standard input while it lives.
class AsStandardInput {
 public:
  explicit AsStandardInput(int descriptor) : saved_(::dup(STDIN_FILENO)) { ::dup2(descriptor, STDIN_FILENO); }
  ~AsStandardInput() {
    ::dup2(saved_, STDIN_FILENO);
    ::close(saved_);
  }
  AsStandardInput(AsStandardInput const&) = delete;
  AsStandardInput& operator=(AsStandardInput const&) = delete;

 private:
  int saved_;
};

TEST(Source, ReadsStandardInputFromAPipeThatIsSlow) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  std::string const text = "PAR1," + digits(200'000);  // begins like a mark, and is larger than a pipe
  std::thread writer([&] {
    for (std::size_t i = 0; i < text.size();) {
      std::size_t const piece = std::min<std::size_t>(i < 8 ? 1 : 5000, text.size() - i);  // the mark byte by byte
      if (::write(ends[1], text.data() + i, piece) != static_cast<ssize_t>(piece)) break;
      i += piece;
    }
    ::close(ends[1]);
  });
  {
    AsStandardInput const replaced(ends[0]);
    std::unique_ptr<Source> const source = open_source(expand_inputs({"-"})[0]);
    EXPECT_EQ(source->name(), "<stdin>");
    EXPECT_EQ(source->stored_bytes_total(), std::nullopt);
    EXPECT_EQ(drain(*source, 4096).bytes, text);
    EXPECT_EQ(source->stored_bytes_read(), text.size());
  }
  writer.join();
  ::close(ends[0]);
}

TEST(Source, DoesNotHoldBackAPipesFirstBytes) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "1\n", 2), 2);  // and the pipe stays open: waiting for more would never end
  AsStandardInput const replaced(ends[0]);
  std::unique_ptr<Source> const source = open_source(expand_inputs({"-"})[0]);
  std::array<char, 16> buffer{};
  EXPECT_EQ(source->read(buffer.data(), buffer.size()), 2u);
  ::close(ends[1]);
  EXPECT_EQ(source->read(buffer.data(), buffer.size()), 0u);
  ::close(ends[0]);
}

TEST(Source, StandardInputFromAFileGoesOnWhereItStands) {
  ScratchFolder const folder;
  int const descriptor = ::open(folder.put("a", "header\n1,2\n").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::lseek(descriptor, 7, SEEK_SET), 7);
  AsStandardInput const replaced(descriptor);
  std::unique_ptr<Source> const source = open_source(expand_inputs({"-"})[0]);
  EXPECT_EQ(source->stored_bytes_total(), 4u);
  EXPECT_EQ(drain(*source).bytes, "1,2\n");
  ::close(descriptor);
}

TEST(Source, ReadsAFifoWhoseWriterComesLate) {
  ScratchFolder const folder;
  std::string const path = folder.at("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string const text = digits(150'000);
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << text; });
  EXPECT_EQ(contents(path), text);
  writer.join();
  std::thread silent_writer([&] { std::ofstream(path, std::ios::binary).flush(); });
  EXPECT_EQ(contents(path), "") << "a writer that writes nothing ends the input";
  silent_writer.join();
}

TEST(Source, SkipsIntoAFifo) {
  ScratchFolder const folder;
  std::string const path = folder.at("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::string const text = digits(150'000);
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << text; });
  EXPECT_EQ(drain(*open_at(expand_inputs({path})[0], 100'001)).bytes, text.substr(100'001));
  writer.join();
}

/// Runs in a process of its own (EXPECT_EXIT), because the handlers and the flag belong to the process.
[[noreturn]] void read_until_signal(std::string const& fifo, int signal_number) {
  std::signal(signal_number, SIG_DFL);
  penstock::install_signal_handlers();
  std::thread killer([&] {
    // The writer sends two bytes and stays: the reader gets those, and then waits for ever.
    std::ofstream writer(fifo, std::ios::binary);
    writer << "1\n" << std::flush;
    while (!penstock::interrupted()) {
      ::kill(::getpid(), signal_number);
      std::this_thread::yield();
      if (signal_number == SIGINT) break;  // a second one would end the process
    }
    while (!penstock::interrupted()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  int status = 1;
  try {
    std::array<char, 16> buffer{};
    std::unique_ptr<Source> const source = open_path(fifo);
    while (source->read(buffer.data(), buffer.size()) > 0) {
    }
  } catch (penstock::InterruptedError const& error) {
    status = error.exit_code() == penstock::ExitCode::interrupted ? 40 + penstock::interrupt_signal() : 2;
  }
  killer.join();
  std::_Exit(status);
}

TEST(SourceDeathTest, ASignalEndsAReadThatWaits) {
  ScratchFolder const folder;
  ASSERT_EQ(::mkfifo(folder.at("fifo").c_str(), 0600), 0);
  EXPECT_EXIT(read_until_signal(folder.at("fifo"), SIGINT), ::testing::ExitedWithCode(40 + SIGINT), "");
  EXPECT_EXIT(read_until_signal(folder.at("fifo"), SIGTERM), ::testing::ExitedWithCode(40 + SIGTERM), "");
}

}  // namespace
