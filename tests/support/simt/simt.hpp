/// Runs a kernel on one host thread: one fiber per thread of a block. Everything here may be called from several host
/// threads at the same time; each runs its own launches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/support/simt/runtime_api.hpp"

namespace simt {

// --- schedules -----------------------------------------------------------------------------------------------------

enum class Order { forward, reverse, random };

/// In which order the threads of a block and the blocks of a grid take their turns. Forward and reverse: one block
/// after another. Random: three blocks at a time take turns with each other.
struct Schedule {
  Order order = Order::forward;
  std::uint64_t seed = 0;
};

/// `forward`, `reverse`, `random`, `random:SEED`; anything else aborts.
[[nodiscard]] Schedule schedule_of(std::string_view text);
/// Of launches from now on, of all host threads. At first it is what PENSTOCK_SIMT_SCHEDULE says, else forward.
void set_schedule(Schedule schedule);
void set_schedule(std::string_view text);

// --- reports -------------------------------------------------------------------------------------------------------

enum class Kind {
  race,           ///< two threads, at least one writes, and no barrier between them
  uninitialised,  ///< a shared element that no thread of this block has written
  bounds,         ///< an index into a shared array
  memory,         ///< what lies beside an allocation was written, or a copy reaches over its end
  divergence,     ///< threads wait at different places, or where others never come
  misuse,         ///< what CUDA does not define or the emulator does not know
};
[[nodiscard]] char const* name_of(Kind kind);

struct Report {
  Kind kind;
  std::string text;
};

/// Prints and aborts; where a Reports exists, adds to it instead.
void report(Kind kind, std::string text);

/// While it lives, what is found is kept rather than fatal. One at a time. A launch that cannot go on is given up and
/// fails as CUDA's would, with cudaErrorLaunchFailure.
class Reports {
 public:
  Reports();
  ~Reports();
  Reports(Reports const&) = delete;
  Reports& operator=(Reports const&) = delete;

  [[nodiscard]] std::vector<Report> all() const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::size_t count(Kind kind) const;
  /// All of them, a line each.
  [[nodiscard]] std::string text() const;
  void clear();
};

// --- the runtime's calls -------------------------------------------------------------------------------------------

/// The nth call from now on (1 is the next) fails with `error` and does nothing. All calls count but those that give
/// back (free, destroy, unregister) and those that ask for an error. A launch is a call; its error comes out of
/// cudaGetLastError. After an error that CUDA calls sticky all calls fail.
void fail_call(std::uint64_t n, cudaError_t error);
/// No call fails any more, and what stuck does no longer.
void fail_no_call();
/// How many calls there were in this process.
[[nodiscard]] std::uint64_t calls();
/// The name of the last call that was made to fail, or "".
[[nodiscard]] std::string failed_call();

/// Pieces of memory, of the device and pinned, that were taken and not given back.
[[nodiscard]] std::size_t live_allocations();
/// Streams and events that were made and not destroyed.
[[nodiscard]] std::size_t live_handles();
/// What the emulated device has: 8 GiB at first.
void set_device_memory(std::size_t size_bytes);

/// While one lives, the host may read and write device memory, which no CUDA program can. Otherwise that ends a program
/// that is built with the address sanitizer (of large allocations, only the beginning is guarded).
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(DeviceAccess const&) = delete;
  DeviceAccess& operator=(DeviceAccess const&) = delete;
};

// --- barriers ------------------------------------------------------------------------------------------------------

/// The barriers at this place (`file:line`; a file's last names are enough) do nothing from now on. "" ends it.
void skip_barrier(std::string_view site);

// --- launches ------------------------------------------------------------------------------------------------------

namespace detail {
struct Launch {
  char const* name;
  unsigned blocks;
  unsigned threads;
  void (*run)(void* kernel);  ///< as one thread
  void* kernel;
};
void run(Launch const& launch);
/// A call that stands for launches: it may fail as they do.
void as_launch(char const* name);
}  // namespace detail

/// Runs a kernel to its end. What is wrong with the launch itself comes out of cudaGetLastError.
template <class... Parameters>
void launch(char const* name, unsigned blocks, unsigned threads, void (*kernel)(Parameters...),
            std::type_identity_t<Parameters>... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  } call{kernel, {arguments...}};
  auto const run = [](void* pointer) {
    auto const& it = *static_cast<Call const*>(pointer);
    std::apply(it.kernel, it.arguments);
  };
  detail::run({name, blocks, threads, run, &call});
}

}  // namespace simt
