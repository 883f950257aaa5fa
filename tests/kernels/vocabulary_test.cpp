// Words of cuda/vocabulary.cuh that several blocks take part in.
#include "cuda/vocabulary.cuh"

#include <gtest/gtest.h>

#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/launch.cuh"
#include "tests/support/simt/simt.hpp"

namespace penstock {
namespace {

/// Every thread of every block stores one; the block that arrives last adds them up.
__global__ void count_kernel(std::uint32_t* ones, unsigned* arrived, std::uint32_t* count) {
  PENSTOCK_SHARED(bool, is_last, 1);
  ones[blockIdx.x * blockDim.x + threadIdx.x] = 1;
  if (!cuda::last_block_to_arrive(arrived, is_last)) return;
  for (unsigned i = threadIdx.x; i < gridDim.x * blockDim.x; i += blockDim.x)
    cuda::atomic_add(*count, cuda::load_fresh(ones + i));
}

TEST(Vocabulary, TheLastBlockSeesWhatAllThreadsWrote) {
  constexpr unsigned blocks = 5, threads = 96;
  cuda::Stream stream;
  cuda::DeviceArray<std::uint32_t> const ones(blocks * threads, "ones"), count(1, "count");
  cuda::DeviceArray<unsigned> const arrived(1, "arrived");
  cuda::MappedArray<std::uint32_t> const host(1, "count");
  stream.fill(arrived.get(), 0, arrived.size_bytes());
  for (std::uint64_t seed = 0; seed <= 20; ++seed) {
    simt::set_schedule({seed == 0 ? simt::Order::forward : simt::Order::random, seed});
    stream.fill(ones.get(), 0, ones.size_bytes());
    stream.fill(count.get(), 0, count.size_bytes());
    cuda::launch("count", stream, {blocks, threads}, count_kernel, ones.get(), arrived.get(), count.get());
    stream.copy(host.get(), count.get(), count.size_bytes(), "copy out");
    stream.wait();
    EXPECT_EQ(host[0], blocks * threads) << "seed " << seed << "; `arrived` is 0 again, as each but the first shows";
  }
  simt::set_schedule("forward");
}

}  // namespace
}  // namespace penstock
