// Handlers and flag belong to the process, so most tests here run in one of their own (EXPECT_EXIT).
#include "host/io/interrupt.hpp"

#include "host/io/sink.hpp"
#include "penstock/error.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using penstock::open_sink;
using penstock::Sink;
using penstock::testing::ScratchFolder;

std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

[[noreturn]] void look_at_the_flag() {
  std::signal(SIGTERM, SIG_DFL);
  penstock::install_signal_handlers();
  penstock::install_signal_handlers();
  if (penstock::interrupted() || penstock::interrupt_signal() != 0) std::_Exit(1);
  std::raise(SIGTERM);
  std::raise(SIGTERM);  // only a second SIGINT ends the process: timeout(1) sends SIGTERM twice
  if (!penstock::interrupted() || penstock::interrupt_signal() != SIGTERM) std::_Exit(2);
  try {
    penstock::wait_until_ready(STDIN_FILENO, POLLIN);
    std::_Exit(3);
  } catch (penstock::InterruptedError const&) {
  }
  penstock::clear_interrupt();
  if (penstock::interrupted()) std::_Exit(4);
  penstock::pause_unless_interrupted(1);
  std::raise(SIGPIPE);
  std::raise(SIGXFSZ);
  std::signal(SIGHUP, SIG_DFL);
  penstock::install_signal_handlers();
  std::raise(SIGHUP);
  if (penstock::interrupt_signal() != SIGHUP) std::_Exit(5);
  std::_Exit(0);
}

[[noreturn]] void stay_ignorant() {
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // nohup
  penstock::install_signal_handlers();
  std::raise(SIGINT);
  std::raise(SIGHUP);
  std::_Exit(penstock::interrupted() ? 1 : 0);
}

TEST(InterruptDeathTest, SignalsSetAFlag) {
  EXPECT_EXIT(look_at_the_flag(), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(stay_ignorant(), ::testing::ExitedWithCode(0), "");
}

[[noreturn]] void interrupt_twice(ScratchFolder const& folder) {
  std::signal(SIGINT, SIG_DFL);
  penstock::install_signal_handlers();
  std::unique_ptr<Sink> const done = open_sink(folder.at("done"), {});
  done->commit();
  { std::unique_ptr<Sink> const dropped = open_sink(folder.at("dropped"), {}); }
  std::unique_ptr<Sink> const a = open_sink(folder.at("a"), {});
  std::unique_ptr<Sink> const b = open_sink(folder.at("b"), {});
  a->write(bytes_of("half"));
  std::raise(SIGINT);
  if (folder.count() != 3) std::_Exit(1);  // the first one leaves it to the owners
  std::raise(SIGINT);
  std::_Exit(2);
}

TEST(InterruptDeathTest, TheSecondCtrlCRemovesPartialFiles) {
  ScratchFolder const folder;
  EXPECT_EXIT(interrupt_twice(folder), ::testing::ExitedWithCode(130), "");
  EXPECT_EQ(folder.count(), 1u);
  EXPECT_TRUE(std::filesystem::exists(folder.at("done")));
}

[[noreturn]] void write_until_signal(std::string const& fifo, bool has_reader) {
  std::signal(SIGINT, SIG_DFL);
  penstock::install_signal_handlers();
  int const reader = has_reader ? ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  std::thread killer([] { ::kill(::getpid(), SIGINT); });
  try {
    std::unique_ptr<Sink> const sink = open_sink(fifo, {});
    std::string const text(1 << 20, 'x');  // nobody reads: the pipe is full before this is through
    sink->write(bytes_of(text));
  } catch (penstock::InterruptedError const&) {
    killer.join();
    ::close(reader);
    std::_Exit(0);
  }
  std::_Exit(1);
}

TEST(InterruptDeathTest, ASignalEndsAWriteThatWaits) {
  ScratchFolder const folder;
  ASSERT_EQ(::mkfifo(folder.at("fifo").c_str(), 0600), 0);
  EXPECT_EXIT(write_until_signal(folder.at("fifo"), true), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(write_until_signal(folder.at("fifo"), false), ::testing::ExitedWithCode(0), "");
}

TEST(Interrupt, MorePartialFilesThanTheRegistryHoldsAreStillWritten) {
  ScratchFolder const folder;
  std::vector<std::unique_ptr<Sink>> sinks;
  for (std::size_t i = 0; i < penstock::partial_paths_max + 3; ++i) {
    sinks.push_back(open_sink(folder.at(std::to_string(i)), {}));
  }
  sinks.back()->commit();
  sinks.clear();
  EXPECT_EQ(folder.count(), 1u);
}

}  // namespace
