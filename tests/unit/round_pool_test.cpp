// Memory of rounds that is lent: reused when it comes back, and left alone in a process that was forked.

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "host/exec/host_round.hpp"

namespace penstock {
namespace {

/// Counts its buffers.
class CountingExecutor final : public Executor {
 public:
  struct Buffer final : HostBuffer {
    Buffer(std::size_t size_bytes, int& count) : bytes(size_bytes + 64), live(count) { ++live; }
    ~Buffer() override { --live; }
    Buffer(Buffer const&) = delete;
    Buffer& operator=(Buffer const&) = delete;
    char* data() override { return bytes.data(); }
    [[nodiscard]] std::size_t size_bytes() const override { return bytes.size(); }
    std::vector<char> bytes;
    int& live;
  };
  [[nodiscard]] std::string_view name() const override { return "counting"; }
  [[nodiscard]] std::unique_ptr<HostBuffer> host_buffer(std::size_t size_bytes) override {
    return std::make_unique<Buffer>(size_bytes, live);
  }
  int live = 0;
};

RoundMemory some_rows() {
  RoundMemory memory;
  memory.decoded.features = 2;
  memory.decoded_capacity.rows = 10;
  return memory;
}

TEST(RoundPool, LendsWhatCameBack) {
  auto const pool = std::make_shared<RoundPool>();
  auto buffers = pool->take(some_rows());
  RoundBuffers const* const first = buffers.get();
  auto lent = pool->lend(std::move(buffers));
  EXPECT_NE(pool->take(some_rows()).get(), first);
  lent = nullptr;
  EXPECT_EQ(pool->take(some_rows()).get(), first);
  RoundMemory more = some_rows();
  more.decoded_capacity.rows = 20;
  EXPECT_EQ(pool->take(more)->memory, more);
}

TEST(RoundPool, IsNotTheChildsAfterAFork) {
  auto const executor = std::make_shared<CountingExecutor>();
  auto const pool = std::make_shared<RoundPool>(executor);
  auto lent = pool->lend(pool->take(some_rows()));
  int const live = executor->live;
  ASSERT_GT(live, 0);
  pid_t const child = ::fork();
  if (child == 0) {
    lent = nullptr;
    RoundBuffers const* const left = pool->take(some_rows()).release();
    ::_exit(left != nullptr && executor->live == 2 * live ? 0 : 1);  // nothing given back, nothing freed
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  lent = nullptr;
  EXPECT_EQ(executor->live, live);
}

}  // namespace
}  // namespace penstock
