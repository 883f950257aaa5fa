// A consumer that has enough: it destroys the stream, whatever the threads are doing, and they end.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/csv/encode.hpp"
#include "host/io/source.hpp"
#include "host/pipeline/record_stream.hpp"
#include "tests/support/csv_plans.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"

namespace penstock {
namespace {

using testing::plan_files;
using testing::ScratchFolder;

std::string rows_of(int rows) {
  std::string text;
  for (int i = 0; i < rows; ++i) text += std::to_string(i) + (i % 10 == 9 ? ",x\n" : ",1\n");
  return text;
}

StreamOptions small_options(std::size_t slot_bytes, unsigned threads) {
  StreamOptions options;
  options.memory_bytes = std::size_t{1} << 30;
  options.slot_bytes = slot_bytes;
  options.threads = threads;
  options.record_max = 1000;
  options.on_error = FaultPolicy::skip;
  return options;
}

TEST(StreamStop, WithRoundsPendingAndThreadsBlocked) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", rows_of(20000)), folder.put("b.csv", rows_of(20000))},
                               {.header = HeaderMode::no});
  for (unsigned const threads : {1u, 2u, 8u}) {
    for (std::size_t const slot : {64u, 1000u, 1u << 20}) {
      for (int taken = 0; taken < 12; ++taken) {
        StreamOptions options = small_options(slot, threads);
        if (taken % 2 == 0) options.make_encoder = [&] { return std::make_unique<csv::RowEncoder>(plan->layout()); };
        RecordStream stream(*plan, options);
        for (int i = 0; i < taken; ++i) (void)stream.next();
      }
    }
  }
}

TEST(StreamStop, InsideALineOfManyPieces) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", "1\n" + std::string(300000, 'x') + "\n2\n")},
                               {.header = HeaderMode::no, .record_max = 1000});
  struct Enough {};
  for (int wanted = 1; wanted < 8; ++wanted) {
    int pieces = 0;
    RecordStream stream(*plan, small_options(500, 3));
    stream.on_reject = [&](FaultReport const*, std::string_view, bool, bool) {
      if (++pieces == wanted) throw Enough{};
    };
    EXPECT_THROW(while (stream.next() != nullptr){}, Enough);
    EXPECT_EQ(pieces, wanted);
  }
}

TEST(StreamStop, AtALimit) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", rows_of(50000))}, {.header = HeaderMode::no});
  for (std::uint64_t limit = 0; limit < 50; ++limit) {
    StreamOptions options = small_options(64, 4);
    options.limit = limit;
    RecordStream stream(*plan, options);
    std::uint64_t rows = 0;
    while (Round const* const round = stream.next()) rows += round->batch.rows;
    EXPECT_EQ(rows, limit);
  }
}

TEST(StreamStop, BehindTheErrorThatEndsIt) {
  ScratchFolder const folder;
  auto const plan = plan_files({folder.put("a.csv", rows_of(50000))}, {.header = HeaderMode::no});
  for (unsigned threads = 1; threads <= 8; ++threads) {
    StreamOptions options = small_options(100, threads);
    options.on_error = FaultPolicy::fail;
    RecordStream stream(*plan, options);
    EXPECT_THROW(while (stream.next() != nullptr){}, DataError);
  }
}

// --- while the source waits ---------------------------------------------------------------------------------------

/// A FIFO with some bytes in it, whose writer stays and says nothing more. If nobody says done() in time, the writer
/// goes, so that a test that hangs ends and fails.
class SilentFifo {
 public:
  SilentFifo(ScratchFolder const& folder, std::string const& bytes) : path_(folder.at("fifo")) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    writer_ = ::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);  // Linux: does not wait for a reader
    ::fcntl(writer_, F_SETPIPE_SZ, 1 << 20);
    if (::write(writer_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("write");
    watchdog_ = std::thread([this] {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, std::chrono::seconds(10), [this] { return is_done_; }))
        ::close(std::exchange(writer_, -1));
    });
  }
  ~SilentFifo() {
    (void)done();
    if (writer_ >= 0) ::close(writer_);
  }
  SilentFifo(SilentFifo const&) = delete;
  SilentFifo& operator=(SilentFifo const&) = delete;

  [[nodiscard]] std::string const& path() const { return path_; }
  /// Waits until a reader has taken all bytes; what it reads next, it waits for.
  void wait_until_empty() const {
    for (int waiting = 1; waiting > 0;) {
      if (::ioctl(writer_, FIONREAD, &waiting) != 0) throw std::runtime_error("FIONREAD");
      std::this_thread::yield();
    }
  }
  /// False if the writer had to go first.
  bool done() {
    {
      std::lock_guard const lock(mutex_);
      is_done_ = true;
    }
    changed_.notify_all();
    if (watchdog_.joinable()) watchdog_.join();
    return writer_ >= 0;
  }

 private:
  std::string path_;
  int writer_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_done_ = false;
  std::thread watchdog_;
};

/// Planning reads 64 KiB of a FIFO; behind them there is something left for the stream.
constexpr int fifo_rows = 20000;

/// All slots together hold more than the FIFO, so that the reader comes to its end whatever else happens.
StreamOptions fifo_options() { return small_options(std::size_t{1} << 16, 2); }

TEST(StreamStop, WhileAFifoIsSilent) {
  for (int const taken : {0, 1, 2}) {
    ScratchFolder const folder;
    SilentFifo fifo(folder, rows_of(fifo_rows));
    auto const plan = plan_files({fifo.path()}, {.header = HeaderMode::no});
    {
      RecordStream stream(*plan, fifo_options());
      for (int i = 0; i < taken; ++i) EXPECT_NE(stream.next(), nullptr);
      fifo.wait_until_empty();
    }
    EXPECT_TRUE(fifo.done()) << "the stream waited for the FIFO";
  }
}

TEST(StreamStop, WhileACompressedFifoIsSilentInsideAMember) {
  if (gzip_library().empty()) GTEST_SKIP() << "this build has no gzip support";
  ScratchFolder const folder;
  std::string const stored = testing::gzip_bytes(rows_of(fifo_rows));
  SilentFifo fifo(folder, stored.substr(0, stored.size() - 1000));
  auto const plan = plan_files({fifo.path()}, {.header = HeaderMode::no});
  {
    RecordStream stream(*plan, fifo_options());
    EXPECT_NE(stream.next(), nullptr);
    fifo.wait_until_empty();
  }
  EXPECT_TRUE(fifo.done()) << "the stream waited for the FIFO";
}

TEST(StreamStop, AtALimitWhileASecondFileIsASilentFifo) {
  ScratchFolder const folder;
  SilentFifo fifo(folder, rows_of(fifo_rows));
  auto const plan = plan_files({folder.put("a.csv", rows_of(100)), fifo.path()}, {.header = HeaderMode::no});
  {
    StreamOptions options = fifo_options();
    options.limit = 95;
    RecordStream stream(*plan, options);
    while (stream.next() != nullptr) {
    }
    EXPECT_EQ(stream.counts().records, 95u);
    fifo.wait_until_empty();
  }
  EXPECT_TRUE(fifo.done()) << "the stream waited for the FIFO";
}

/// Other streams go on, and so does one that is made afterwards on the same thread.
TEST(StreamStop, ConcernsNoOtherStream) {
  ScratchFolder const folder;
  SilentFifo fifo(folder, rows_of(fifo_rows));
  auto const silent = plan_files({fifo.path()}, {.header = HeaderMode::no});
  auto const plan = plan_files({folder.put("a.csv", rows_of(1000))}, {.header = HeaderMode::no});
  RecordStream other(*plan, small_options(64, 2));
  {
    RecordStream stream(*silent, fifo_options());
    fifo.wait_until_empty();
  }
  RecordStream later(*plan, small_options(64, 2));
  for (RecordStream* const stream : {&other, &later}) {
    while (stream->next() != nullptr) {
    }
    EXPECT_EQ(stream->counts().records, 900u);
    EXPECT_EQ(stream->counts().rejected, 100u);
  }
  EXPECT_TRUE(fifo.done());
}

}  // namespace
}  // namespace penstock
