// The emulator itself: right kernels give the same results in every schedule, and planted bugs are found.
#include "tests/support/simt/simt.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/launch.cuh"
#include "cuda/vocabulary.cuh"
#include "tests/support/simt/sanitizers.hpp"

namespace penstock {
namespace {

using cuda::all_lanes;
using cuda::atomic_add;
using cuda::DeviceArray;
using cuda::Stream;

constexpr char const* schedules[] = {"forward", "reverse", "random:1", "random:2", "random:3"};

#if defined(SIMT_TSAN)
constexpr bool has_thread_sanitizer = true;
#else
constexpr bool has_thread_sanitizer = false;
#endif

class ScheduleGuard {
 public:
  ~ScheduleGuard() { simt::set_schedule("forward"); }
};

template <class T>
std::vector<T> from_device(Stream& stream, DeviceArray<T> const& array) {
  std::vector<T> host(array.size());
  stream.copy(host.data(), array.get(), array.size_bytes(), "copy out");
  stream.wait();
  return host;
}

/// Runs a kernel that may be wrong, once in each schedule; what was found in each.
template <class... Parameters, class... Arguments>
std::vector<std::string> findings(unsigned threads, void (*kernel)(Parameters...), Arguments... arguments) {
  ScheduleGuard const guard;
  std::vector<std::string> texts;
  for (char const* schedule : schedules) {
    simt::set_schedule(schedule);
    simt::Reports const reports;
    simt::launch<Parameters...>("suspect", 2, threads, kernel, arguments...);
    texts.push_back(reports.text());
    simt::fail_no_call();
  }
  return texts;
}

/// Each of them names the kernel, this file and what is wrong.
void expect_all(std::vector<std::string> const& texts, std::string const& what) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_NE(texts[i].find(what), std::string::npos) << schedules[i] << ": " << texts[i];
    EXPECT_NE(texts[i].find("suspect"), std::string::npos) << schedules[i] << ": " << texts[i];
    EXPECT_NE(texts[i].find("simt_test.cpp:"), std::string::npos) << schedules[i] << ": " << texts[i];
  }
}
void expect_none(std::vector<std::string> const& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], "") << schedules[i];
}

// --- right kernels -------------------------------------------------------------------------------------------------

/// out[i] is the sum of in[0] to in[i] within the block; the block that arrives last adds up the blocks' sums.
__global__ void scan_kernel(std::uint32_t const* in, std::uint32_t* out, unsigned* arrived, std::uint32_t* total) {
  PENSTOCK_SHARED(std::uint32_t, sums, 32);
  PENSTOCK_SHARED(bool, flag, 1);
  unsigned const i = blockIdx.x * blockDim.x + threadIdx.x;
  std::uint32_t x = cuda::warp_inclusive_sum(in[i]);
  if (cuda::lane_of_thread() == 31) sums[cuda::warp_of_thread()] = x;
  __syncthreads();
  for (unsigned warp = 0; warp < cuda::warp_of_thread(); ++warp) x += sums[warp];
  out[i] = x;
  if (!cuda::last_block_to_arrive(arrived, flag)) return;
  if (threadIdx.x != 0) return;
  std::uint32_t all = 0;
  for (unsigned b = 0; b < gridDim.x; ++b) all += cuda::load_fresh(out + (b + 1) * blockDim.x - 1);
  *total = all;
}

TEST(Simt, AScanAndTheLastBlockAreTheSameInEverySchedule) {
  ScheduleGuard const guard;
  constexpr unsigned blocks = 5, threads = 192;
  std::vector<std::uint32_t> in(blocks * threads);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint32_t>(i * i % 97);
  std::vector<std::uint32_t> expected(in.size());
  std::uint32_t sum = 0, total = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    sum = (i % threads == 0 ? 0 : sum) + in[i];
    expected[i] = sum;
    total += in[i];
  }

  Stream stream;
  DeviceArray<std::uint32_t> const device_in(in.size(), "in"), out(in.size(), "out"), device_total(1, "total");
  DeviceArray<unsigned> const arrived(1, "arrived");
  stream.copy(device_in.get(), in.data(), device_in.size_bytes(), "copy in");
  stream.fill(arrived.get(), 0, arrived.size_bytes());
  for (char const* schedule : schedules) {
    simt::set_schedule(schedule);
    stream.fill(out.get(), 0xff, out.size_bytes());
    cuda::launch("scan", stream, {blocks, threads}, scan_kernel, device_in.get(), out.get(), arrived.get(),
                 device_total.get());
    EXPECT_EQ(from_device(stream, out), expected) << schedule;
    EXPECT_EQ(from_device(stream, device_total)[0], total) << schedule;
    EXPECT_EQ(from_device(stream, arrived)[0], 0u) << schedule;
  }
}

/// One atomic counter of each kind in shared and in global memory.
__global__ void reduce_kernel(std::uint64_t* sums, std::uint32_t* extremes) {
  PENSTOCK_SHARED(std::uint32_t, at, 4);
  if (threadIdx.x == 0) {
    at[0] = 0;
    at[1] = ~0u;
    at[2] = 0;
    at[3] = 0;
  }
  __syncthreads();
  unsigned const i = blockIdx.x * blockDim.x + threadIdx.x;
  atomic_add(at[0], i);
  cuda::atomic_min(at[1], i);
  cuda::atomic_max(at[2], i);
  cuda::atomic_or(at[3], 1u << i % 32);
  __syncthreads();
  if (threadIdx.x != 0) return;
  atomic_add(sums[0], std::uint64_t{at[0]});
  cuda::atomic_min(extremes[0], std::uint32_t{at[1]});
  cuda::atomic_max(extremes[1], std::uint32_t{at[2]});
  cuda::atomic_or(extremes[2], std::uint32_t{at[3]});
}

TEST(Simt, AtomicsOfSharedAndGlobalMemory) {
  ScheduleGuard const guard;
  Stream stream;
  DeviceArray<std::uint64_t> const sums(1, "sums");
  DeviceArray<std::uint32_t> const extremes(3, "extremes");
  std::uint32_t const start[] = {~0u, 0, 0};
  for (char const* schedule : schedules) {
    simt::set_schedule(schedule);
    stream.fill(sums.get(), 0, sums.size_bytes());
    stream.copy(extremes.get(), start, sizeof start, "copy in");
    cuda::launch("reduce", stream, {3, 96}, reduce_kernel, sums.get(), extremes.get());
    EXPECT_EQ(from_device(stream, sums)[0], 287u * 288 / 2) << schedule;
    EXPECT_EQ(from_device(stream, extremes), (std::vector<std::uint32_t>{0, 287, ~0u})) << schedule;
  }
}

/// Lane i writes bit k of out[i] where the word number k gave what CUDA's description says.
__global__ void words_kernel(std::uint32_t* out) {
  unsigned const lane = threadIdx.x % 32;
  int const lane_int = static_cast<int>(lane);
  std::uint64_t const wide = std::uint64_t{lane} << 40;
  bool const right[] = {
      __shfl_sync(all_lanes, wide, 3) == std::uint64_t{3} << 40,
      __shfl_sync(all_lanes, lane, 37) == 5,
      __shfl_sync(all_lanes, lane_int, 2, 8) == lane_int / 8 * 8 + 2,
      __shfl_up_sync(all_lanes, lane, 4) == (lane < 4 ? lane : lane - 4),
      __shfl_down_sync(all_lanes, lane, 4) == (lane > 27 ? lane : lane + 4),
      __shfl_up_sync(all_lanes, lane, 1, 16) == (lane % 16 == 0 ? lane : lane - 1),
      __shfl_down_sync(all_lanes, lane, 1, 16) == (lane % 16 == 15 ? lane : lane + 1),
      __shfl_xor_sync(all_lanes, lane, 9) == (lane ^ 9),
      __shfl_sync(all_lanes, static_cast<float>(lane), 7) == 7.0f,
      __ballot_sync(all_lanes, lane % 3 == 0) == 0x49249249u,
      __any_sync(all_lanes, lane == 31) != 0,
      __any_sync(all_lanes, lane == 32) == 0,
      __all_sync(all_lanes, lane < 32) != 0,
      __all_sync(all_lanes, lane < 31) == 0,
      cuda::warp_sum(lane) == 496 && cuda::warp_max(lane) == 31 && cuda::warp_or(1u << lane) == ~0u,
      lane >= 16 || __ballot_sync(0xffffu, lane % 2) == 0xaaaau,
  };
  std::uint32_t bits = 0;
  for (bool const is_right : right) bits = bits << 1 | (is_right ? 1u : 0u);
  out[threadIdx.x] = bits;
}

TEST(Simt, WarpWordsAreCudas) {
  ScheduleGuard const guard;
  Stream stream;
  DeviceArray<std::uint32_t> const out(64, "out");
  for (char const* schedule : schedules) {
    simt::set_schedule(schedule);
    cuda::launch("words", stream, {1, 64}, words_kernel, out.get());
    EXPECT_EQ(from_device(stream, out), std::vector<std::uint32_t>(64, 0xffff)) << schedule;
  }
}

TEST(Simt, HostThreadsLaunchAtTheSameTime) {
  auto const work = [] {
    Stream stream;
    DeviceArray<std::uint64_t> const sums(1, "sums");
    DeviceArray<std::uint32_t> const extremes(3, "extremes");
    for (int i = 0; i < 3; ++i) {
      stream.fill(sums.get(), 0, sums.size_bytes());
      stream.fill(extremes.get(), 0, extremes.size_bytes());
      cuda::launch("reduce", stream, {4, 64}, reduce_kernel, sums.get(), extremes.get());
      EXPECT_EQ(from_device(stream, sums)[0], 255u * 256 / 2);
    }
  };
  std::vector<std::thread> lanes;
  for (int i = 0; i < 3; ++i) lanes.emplace_back(work);
  for (std::thread& lane : lanes) lane.join();
}

__global__ void order_kernel(std::uint32_t* next, std::uint32_t* turns) {
  turns[blockIdx.x * blockDim.x + threadIdx.x] = atomic_add(*next, 1u);
}

TEST(Simt, SchedulesDecideWhoGoesFirst) {
  ScheduleGuard const guard;
  Stream stream;
  DeviceArray<std::uint32_t> const next(1, "next"), turns(128, "turns");
  auto const run = [&](char const* schedule) {
    simt::set_schedule(schedule);
    stream.fill(next.get(), 0, next.size_bytes());
    cuda::launch("order", stream, {2, 64}, order_kernel, next.get(), turns.get());
    return from_device(stream, turns);
  };
  auto const forward = run("forward"), reverse = run("reverse"), random = run("random:5");
  for (std::uint32_t i = 0; i < 128; ++i) {
    EXPECT_EQ(forward[i], i);
    EXPECT_EQ(reverse[i], 127 - i);
  }
  EXPECT_NE(random, forward);
  EXPECT_NE(random, run("random:6"));
  EXPECT_EQ(random, run("random:5"));
}

// --- planted bugs: races -------------------------------------------------------------------------------------------

/// Every thread writes its own and reads the element `distance` further on. The barrier is line `barrier_line`.
constexpr int barrier_line = __LINE__ + 4;
__global__ void neighbour_kernel(unsigned distance, bool has_barrier) {
  PENSTOCK_SHARED(std::uint32_t, values, 64);
  values[threadIdx.x] = threadIdx.x;
  if (has_barrier) __syncthreads();
  std::uint32_t const other = values[(threadIdx.x + distance) % 64];
  if (other == 64) return;
  __syncthreads();
}

TEST(SimtFinds, AMissingBarrier) {
  expect_none(findings(64, neighbour_kernel, 32u, true));
  expect_all(findings(64, neighbour_kernel, 32u, false), "race: ");
  expect_all(findings(64, neighbour_kernel, 1u, false), "race: ");
  expect_none(findings(64, neighbour_kernel, 0u, false));
}

TEST(SimtFinds, ABarrierThatIsSkipped) {
  std::string const site = "kernels/simt_test.cpp:" + std::to_string(barrier_line);
  simt::skip_barrier(site);
  expect_all(findings(64, neighbour_kernel, 32u, true), "race: ");
  simt::skip_barrier("est.cpp:" + std::to_string(barrier_line));  // another file's name ends so
  expect_none(findings(64, neighbour_kernel, 32u, true));
  simt::skip_barrier("");
  expect_none(findings(64, neighbour_kernel, 32u, true));
}

/// A race that needs no bad schedule: the warp's own lanes, ordered by `word` (0: nothing, 1: a vote, 2: __syncwarp).
__global__ void lanes_kernel(int word) {
  PENSTOCK_SHARED(std::uint32_t, values, 64);
  values[threadIdx.x] = threadIdx.x;
  if (word == 1) __any_sync(all_lanes, 1);
  if (word == 2) __syncwarp();
  std::uint32_t const other = values[threadIdx.x ^ 1];
  values[threadIdx.x] += other == 64 ? 1 : 0;
}

TEST(SimtFinds, OnlySyncwarpOrdersLanesMemory) {
  ScheduleGuard const guard;
  expect_all(findings(64, lanes_kernel, 0), "race: ");
  expect_all(findings(64, lanes_kernel, 1), "race: ");
  // The read of one and the write of the other behind it are not ordered either.
  expect_all(findings(64, lanes_kernel, 2), "a read by thread");
}

__global__ void write_behind_read_kernel(bool has_barrier) {
  PENSTOCK_SHARED(std::uint32_t, values, 64);
  values[threadIdx.x] = threadIdx.x;
  __syncthreads();
  std::uint32_t const other = values[threadIdx.x ^ 32];
  if (has_barrier) __syncthreads();
  values[threadIdx.x] = other;
}

TEST(SimtFinds, AWriteOverWhatOthersMayStillRead) {
  expect_none(findings(64, write_behind_read_kernel, true));
  auto const texts = findings(64, write_behind_read_kernel, false);
  expect_all(texts, "race: ");
}

/// All threads write the same value: still a race.
__global__ void same_value_kernel() {
  PENSTOCK_SHARED(bool, flag, 1);
  flag[0] = true;
}

/// A syncwarp orders lanes of one warp, never those of two.
__global__ void two_warps_kernel(unsigned reader) {
  PENSTOCK_SHARED(std::uint32_t, value, 1);
  if (threadIdx.x == 0) value[0] = 1;
  __syncwarp();
  if (threadIdx.x == reader && value[0] == 2) value[0] = 3;
}

TEST(SimtFinds, RacesOfWarps) {
  expect_all(findings(64, same_value_kernel), "race: ");
  expect_none(findings(64, two_warps_kernel, 0u));
  expect_none(findings(64, two_warps_kernel, 31u));
  auto const texts = findings(64, two_warps_kernel, 32u);
  // Where the reader's warp goes first, there is nothing yet that it could read.
  for (std::string const& text : texts)
    EXPECT_TRUE(text.find("race: ") != std::string::npos || text.find("uninitialised") != std::string::npos) << text;
}

__global__ void mixed_atomics_kernel(int behind) {
  PENSTOCK_SHARED(std::uint32_t, value, 1);
  if (threadIdx.x == 0) value[0] = 0;
  __syncthreads();
  if (behind != 2 || threadIdx.x != 40) atomic_add(value[0], 1u);
  if (behind == 1) __syncthreads();
  if (threadIdx.x == 40) value[0] = 5;
}

TEST(SimtFinds, AtomicsBesidePlainAccesses) {
  expect_none(findings(64, mixed_atomics_kernel, 1));
  expect_all(findings(64, mixed_atomics_kernel, 0), "race: ");
  expect_all(findings(64, mixed_atomics_kernel, 2), "atomic operation");
}

/// Every thread stores one; the block that arrives last counts them.
__global__ void arrive_kernel(std::uint32_t* ones, unsigned* arrived, std::uint32_t* count, bool has_barrier) {
  PENSTOCK_SHARED(bool, is_last, 1);
  ones[blockIdx.x * blockDim.x + threadIdx.x] = 1;
  if (has_barrier) __syncthreads();
  if (threadIdx.x == 0) is_last[0] = atomic_add(*arrived, 1u) == gridDim.x - 1;
  __syncthreads();
  if (is_last[0]) atomic_add(*count, ones[threadIdx.x] + ones[threadIdx.x + blockDim.x]);
}

/// What is not shared memory's: blocks take turns where turns are random.
TEST(SimtFinds, ABlockThatArrivesBeforeItsThreadsAreDone) {
  ScheduleGuard const guard;
  Stream stream;
  DeviceArray<std::uint32_t> const ones(128, "ones"), count(1, "count");
  DeviceArray<unsigned> const arrived(1, "arrived");
  auto const run = [&](int seed, bool has_barrier) {
    simt::set_schedule({simt::Order::random, static_cast<std::uint64_t>(seed)});
    stream.fill(ones.get(), 0, ones.size_bytes());
    stream.fill(count.get(), 0, count.size_bytes());
    stream.fill(arrived.get(), 0, arrived.size_bytes());
    cuda::launch("arrive", stream, {2, 64}, arrive_kernel, ones.get(), arrived.get(), count.get(), has_barrier);
    return from_device(stream, count)[0];
  };
  int wrong = 0;
  for (int seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(run(seed, true), 128u) << seed;
    if (has_thread_sanitizer) continue;  // it sees the race, and ends the program
    if (run(seed, false) != 128) ++wrong;
  }
  EXPECT_EQ(wrong > 0, !has_thread_sanitizer);
}

// --- planted bugs: values and indices ------------------------------------------------------------------------------

/// The last warp writes nothing in the second block: what the first block left there is no value of this one.
__global__ void stale_kernel(bool second_too) {
  PENSTOCK_SHARED(std::uint32_t, values, 64);
  if (second_too || blockIdx.x == 0 || threadIdx.x < 32) values[threadIdx.x] = 7;
  __syncthreads();
  if (values[threadIdx.x] == 8) values[threadIdx.x] = 9;
}

TEST(SimtFinds, StaleValuesOfAnotherBlock) {
  expect_none(findings(64, stale_kernel, true));
  expect_all(findings(64, stale_kernel, false), "uninitialised or stale shared value: element ");
}

__global__ void count_from_nothing_kernel() {
  PENSTOCK_SHARED(std::uint32_t, counters, 2);
  atomic_add(counters[threadIdx.x % 2], 1u);
}

TEST(SimtFinds, AtomicsOfUninitialisedValues) {
  expect_all(findings(32, count_from_nothing_kernel), "uninitialised or stale shared value: element ");
}

__global__ void bounds_kernel(int shift) {
  PENSTOCK_SHARED(std::uint16_t, values, 64);
  values[static_cast<int>(threadIdx.x) + shift] = 1;
}

TEST(SimtFinds, IndicesOutOfBounds) {
  expect_none(findings(64, bounds_kernel, 0));
  expect_all(findings(64, bounds_kernel, 1), "index out of bounds: element 64 of 64");
  expect_all(findings(64, bounds_kernel, -1), "index out of bounds: element -1 of 64");
}

__global__ void large_kernel() {
  PENSTOCK_SHARED(std::uint64_t, values, 6145);
  values[threadIdx.x] = 1;
}

TEST(SimtFinds, TooMuchSharedMemory) { expect_all(findings(32, large_kernel), "misuse: more than 48 KiB"); }

// --- planted bugs: meetings ----------------------------------------------------------------------------------------

__global__ void early_return_kernel(unsigned returning) {
  if (threadIdx.x == returning) return;
  __shfl_sync(all_lanes, threadIdx.x, 0);
}

TEST(SimtFinds, AnEarlyReturnBeforeAShuffle) {
  expect_none(findings(64, early_return_kernel, 64u));
  expect_all(findings(64, early_return_kernel, 0u), "divergence: ");
  expect_all(findings(64, early_return_kernel, 31u), "divergence: ");
  expect_all(findings(64, early_return_kernel, 40u), "divergence: ");
}

__global__ void different_words_kernel(unsigned odd) {
  if (threadIdx.x == odd)
    __any_sync(all_lanes, 1);
  else
    __ballot_sync(all_lanes, 1);
}

TEST(SimtFinds, LanesThatMeetAtDifferentPlaces) {
  expect_none(findings(64, different_words_kernel, 64u));
  expect_all(findings(64, different_words_kernel, 33u), "divergence: lanes of a warp meet at different places");
}

__global__ void divergent_barrier_kernel(unsigned border, bool has_other) {
  if (threadIdx.x < border)
    __syncthreads();
  else if (has_other)
    __syncthreads();
}

TEST(SimtFinds, ABarrierThatNotAllReach) {
  expect_none(findings(64, divergent_barrier_kernel, 64u, false));
  expect_all(findings(64, divergent_barrier_kernel, 32u, false), "divergence: threads wait at a barrier");
  expect_all(findings(64, divergent_barrier_kernel, 63u, false), "divergence: threads wait at a barrier");
  expect_all(findings(64, divergent_barrier_kernel, 32u, true), "divergence: threads wait at different barriers");
}

__global__ void foreign_lane_kernel() {
  if (threadIdx.x < 16) __shfl_sync(0xffffu, threadIdx.x, 20);
}

TEST(SimtFinds, AShuffleFromALaneOutsideItsMask) {
  expect_all(findings(32, foreign_lane_kernel), "misuse: __shfl_sync");
}

TEST(SimtFinds, BlocksThatAreNoWholeWarps) {
  simt::Reports const reports;
  simt::launch("suspect", 1, 48, same_value_kernel);
  EXPECT_EQ(reports.count(simt::Kind::misuse), 1u) << reports.text();
  simt::fail_no_call();
}

/// A launch that was given up leaves nothing behind: the next one runs as ever.
TEST(Simt, GoesOnBehindALaunchThatWasGivenUp) {
  {
    simt::Reports const reports;
    simt::launch("suspect", 1, 64, divergent_barrier_kernel, 32u, false);
    EXPECT_EQ(reports.count(simt::Kind::divergence), 1u) << reports.text();
    EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
    EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure) << "it sticks";
  }
  simt::fail_no_call();
  expect_none(findings(64, neighbour_kernel, 32u, true));
}

TEST(SimtDeathTest, WithoutAReaderAReportIsTheEnd) {
  EXPECT_DEATH(simt::launch("suspect", 1, 64, bounds_kernel, 1), "index out of bounds: .*simt_test.cpp:.*suspect");
}

}  // namespace
}  // namespace penstock
