#include "host/io/stoppable.hpp"

#include "host/io/interrupt.hpp"
#include "penstock/error.hpp"
#include "penstock/loader.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace penstock;
using penstock::testing::ScratchFolder;

struct Enough : std::runtime_error {
  Enough() : std::runtime_error("enough") {}
};

void throw_enough() { throw Enough(); }

/// Work that ends only if it is stopped.
void wait_for_ever() {
  for (;;) pause_unless_interrupted(10'000);
}

TEST(Stoppable, WorksOnAnotherThreadAndThrowsWhatTheWorkThrows) {
  auto const caller = std::this_thread::get_id();
  std::thread::id worker = caller;
  run_stoppable([&] { worker = std::this_thread::get_id(); }, {});
  EXPECT_NE(worker, caller);
  EXPECT_THROW(run_stoppable([] { throw SourceError("gone"); }, {}), SourceError);
}

TEST(Stoppable, EndsTheWorkBeforeTheExceptionGoesOn) {
  bool was_interrupted = false;
  auto const work = [&] {
    try {
      wait_for_ever();
    } catch (InterruptedError const&) {
      was_interrupted = interrupted();
      throw;
    }
  };
  EXPECT_THROW(run_stoppable(work, throw_enough), Enough);
  EXPECT_TRUE(was_interrupted);
  EXPECT_FALSE(interrupted());
}

TEST(Stoppable, WorkInsideWorkEndsWithIt) {
  EXPECT_THROW(run_stoppable([] { run_stoppable(wait_for_ever, {}); }, throw_enough), Enough);
}

TEST(Stoppable, ThreadsOfTheWorkEndWithIt) {
  auto const work = [] {
    std::thread other(for_current_work([] { EXPECT_THROW(wait_for_ever(), InterruptedError); }));
    other.join();
  };
  EXPECT_THROW(run_stoppable(work, throw_enough), Enough);
}

TEST(Stoppable, ReadingFromASilentPipeCanBeEnded) {
  ScratchFolder const folder;
  std::string const pipe = folder.at("pipe.csv");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  int const writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::write(writer, "x\n1\n", 4), 4);
  PipelineOptions options;
  options.paths = {pipe};
  options.device = "cpu";
  options.on_wait = throw_enough;
  EXPECT_THROW((void)read_all(options), Enough);
  EXPECT_THROW(Pipeline{options}, Enough);
  LoaderOptions loading;
  static_cast<InputOptions&>(loading) = options;
  EXPECT_THROW(Loader{loading}, Enough);
  ::close(writer);
}

}  // namespace
