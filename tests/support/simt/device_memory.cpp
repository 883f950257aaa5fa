// Memory of the emulated device and pinned memory: heap blocks of the exact size, full of garbage. Where no sanitizer
// watches them, words beside each are looked at behind every launch.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>

#include "tests/support/simt/device.hpp"
#include "tests/support/simt/runtime_api.hpp"
#include "tests/support/simt/sanitizers.hpp"
#include "tests/support/simt/simt.hpp"

#if defined(SIMT_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace simt {
namespace detail {
namespace {

#if defined(SIMT_ASAN)
constexpr std::size_t guard_bytes = 0;  // the sanitizer's own red zones begin at the first byte behind
#else
constexpr std::size_t guard_bytes = 256;
#endif
constexpr std::align_val_t alignment{256};                                        // as cudaMalloc's
[[maybe_unused]] constexpr std::size_t hidden_bytes_max = std::size_t{64} << 10;  // of a piece: it is done often
constexpr int guard_byte = 0xa5, garbage_byte = 0xcd;

enum class Room { device, pinned, registered };

struct Piece {
  Room room;
  std::size_t size_bytes;
};

struct Memory {
  std::mutex mutex;
  unsigned accesses = 0;  ///< that go on now: DeviceAccess
  std::map<unsigned char*, Piece> pieces;
  std::size_t device_bytes = 0;
  std::size_t device_bytes_max = std::size_t{8} << 30;
};
Memory& memory() {
  static auto& it = *new Memory;  // outlives whatever frees late
  return it;
}

/// Hides a piece of device memory from the host, or shows it.
void hide([[maybe_unused]] unsigned char const* begin, [[maybe_unused]] Piece const& piece) {
#if defined(SIMT_ASAN)
  if (piece.room == Room::device) __asan_poison_memory_region(begin, std::min(piece.size_bytes, hidden_bytes_max));
#endif
}
void show([[maybe_unused]] unsigned char const* begin, [[maybe_unused]] Piece const& piece) {
#if defined(SIMT_ASAN)
  if (piece.room == Room::device) __asan_unpoison_memory_region(begin, std::min(piece.size_bytes, hidden_bytes_max));
#endif
}

bool is_whole(unsigned char const* guard) {
  return std::all_of(guard, guard + guard_bytes, [](unsigned char byte) { return byte == guard_byte; });
}

/// Reports what was written beside the piece, once.
void check_piece(unsigned char* begin, Piece const& piece, char const* when) {
  if (piece.room == Room::registered || guard_bytes == 0) return;
  bool const before = !is_whole(begin - guard_bytes), behind = !is_whole(begin + piece.size_bytes);
  if (!before && !behind) return;
  report(Kind::memory, std::string("bytes ") + (before ? "in front of" : "behind") + " an allocation of " +
                           std::to_string(piece.size_bytes) + " bytes were written; seen behind " + when);
  std::memset(begin - guard_bytes, guard_byte, guard_bytes);
  std::memset(begin + piece.size_bytes, guard_byte, guard_bytes);
}

cudaError_t take(void** result, std::size_t size_bytes, Room room) {
  if (result == nullptr) return cudaErrorInvalidValue;
  *result = nullptr;
  if (size_bytes == 0) return room == Room::device ? cudaSuccess : cudaErrorInvalidValue;
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  if (room == Room::device && size_bytes > it.device_bytes_max - it.device_bytes) return cudaErrorMemoryAllocation;
  auto* const block =
      static_cast<unsigned char*>(::operator new(size_bytes + 2 * guard_bytes, alignment, std::nothrow));
  if (block == nullptr) return cudaErrorMemoryAllocation;
  std::memset(block, guard_byte, guard_bytes);
  std::memset(block + guard_bytes, garbage_byte, size_bytes);
  std::memset(block + guard_bytes + size_bytes, guard_byte, guard_bytes);
  Piece const& piece = it.pieces[block + guard_bytes] = {room, size_bytes};
  if (it.accesses == 0) hide(block + guard_bytes, piece);
  if (room == Room::device) it.device_bytes += size_bytes;
  *result = block + guard_bytes;
  return cudaSuccess;
}

cudaError_t give(void* pointer, Room room) {
  if (pointer == nullptr) return cudaSuccess;
  Memory& it = memory();
  std::unique_lock lock(it.mutex);
  auto const found = it.pieces.find(static_cast<unsigned char*>(pointer));
  if (found == it.pieces.end() || found->second.room != room) {
    report(Kind::misuse, "something is freed that was not allocated so, or is freed twice");
    return cudaErrorInvalidValue;
  }
  lock.unlock();
  settle_memory(found->first, found->second.size_bytes);
  lock.lock();
  show(found->first, found->second);
  check_piece(found->first, found->second, "its use");
  if (room == Room::device) it.device_bytes -= found->second.size_bytes;
  if (room != Room::registered) ::operator delete(found->first - guard_bytes, alignment);
  it.pieces.erase(found);
  return cudaSuccess;
}

/// The piece that holds `pointer` or ends there.
std::map<unsigned char*, Piece>::const_iterator piece_of(Memory const& it, void const* pointer) {
  auto found = it.pieces.upper_bound(const_cast<unsigned char*>(static_cast<unsigned char const*>(pointer)));
  if (found == it.pieces.begin()) return it.pieces.end();
  --found;
  return static_cast<unsigned char const*>(pointer) <= found->first + found->second.size_bytes ? found
                                                                                               : it.pieces.end();
}

}  // namespace

void check_memory(char const* when) {
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  for (auto const& [begin, piece] : it.pieces) check_piece(begin, piece, when);
}

bool is_range(void const* pointer, std::size_t size_bytes, char const* call) {
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  auto const found = piece_of(it, pointer);
  if (found == it.pieces.end()) return true;  // the host's
  auto const offset = static_cast<std::size_t>(static_cast<unsigned char const*>(pointer) - found->first);
  if (size_bytes <= found->second.size_bytes - offset || found->second.room == Room::registered) return true;
  report(Kind::memory, std::string(call) + ": " + std::to_string(size_bytes) + " bytes at " + std::to_string(offset) +
                           " of an allocation of " + std::to_string(found->second.size_bytes) + " bytes");
  return false;
}

bool is_pinned(void const* pointer) {
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  auto const found = piece_of(it, pointer);
  return found != it.pieces.end() && found->second.room != Room::device;
}

}  // namespace detail

DeviceAccess::DeviceAccess() {
  detail::Memory& it = detail::memory();
  std::scoped_lock const lock(it.mutex);
  if (it.accesses++ > 0) return;
  for (auto const& [begin, piece] : it.pieces) detail::show(begin, piece);
}
DeviceAccess::~DeviceAccess() {
  detail::Memory& it = detail::memory();
  std::scoped_lock const lock(it.mutex);
  if (--it.accesses > 0) return;
  for (auto const& [begin, piece] : it.pieces) detail::hide(begin, piece);
}

std::size_t live_allocations() {
  detail::Memory& it = detail::memory();
  std::scoped_lock const lock(it.mutex);
  return it.pieces.size();
}
void set_device_memory(std::size_t size_bytes) {
  detail::Memory& it = detail::memory();
  std::scoped_lock const lock(it.mutex);
  it.device_bytes_max = std::max(size_bytes, it.device_bytes);
}

}  // namespace simt

using namespace simt::detail;

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  if (!begin_call("cudaMemGetInfo")) return last_error();
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  *free_bytes = it.device_bytes_max - it.device_bytes;
  *total_bytes = it.device_bytes_max;
  return cudaSuccess;
}
cudaError_t cudaMalloc(void** pointer, std::size_t size_bytes) {
  if (!begin_call("cudaMalloc")) return last_error();
  return end_call("cudaMalloc", take(pointer, size_bytes, Room::device));
}
cudaError_t cudaFree(void* pointer) { return end_call("cudaFree", give(pointer, Room::device)); }
cudaError_t cudaHostAlloc(void** pointer, std::size_t size_bytes, unsigned) {
  if (!begin_call("cudaHostAlloc")) return last_error();
  return end_call("cudaHostAlloc", take(pointer, size_bytes, Room::pinned));
}
cudaError_t cudaFreeHost(void* pointer) { return end_call("cudaFreeHost", give(pointer, Room::pinned)); }

cudaError_t cudaHostRegister(void* pointer, std::size_t size_bytes, unsigned) {
  if (!begin_call("cudaHostRegister")) return last_error();
  if (pointer == nullptr || size_bytes == 0) return end_call("cudaHostRegister", cudaErrorInvalidValue);
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  auto* const begin = static_cast<unsigned char*>(pointer);
  auto const behind = it.pieces.lower_bound(begin + size_bytes);
  bool const overlaps =
      behind != it.pieces.begin() && std::prev(behind)->first + std::prev(behind)->second.size_bytes > begin;
  if (overlaps) return end_call("cudaHostRegister", cudaErrorHostMemoryAlreadyRegistered);
  it.pieces[begin] = {Room::registered, size_bytes};
  return cudaSuccess;
}
cudaError_t cudaHostUnregister(void* pointer) {
  {
    Memory& it = memory();
    std::scoped_lock const lock(it.mutex);
    auto const found = it.pieces.find(static_cast<unsigned char*>(pointer));
    if (found == it.pieces.end() || found->second.room != Room::registered)
      return end_call("cudaHostUnregister", cudaErrorHostMemoryNotRegistered);
  }
  return end_call("cudaHostUnregister", give(pointer, Room::registered));
}
cudaError_t cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  if (!begin_call("cudaHostGetDevicePointer")) return last_error();
  Memory& it = memory();
  std::scoped_lock const lock(it.mutex);
  auto const found = piece_of(it, host);
  if (found == it.pieces.end() || found->second.room == Room::device)
    return end_call("cudaHostGetDevicePointer", cudaErrorInvalidValue);
  *device = host;
  return cudaSuccess;
}

namespace {
cudaError_t copy(void* to, void const* from, std::size_t size_bytes, cudaStream_t stream, bool is_late) {
  if (!is_range(to, size_bytes, "a copy to") || !is_range(from, size_bytes, "a copy from"))
    return end_call("cudaMemcpy", cudaErrorInvalidValue);
  simt::DeviceAccess const access;
  if (is_late)
    copy_in_stream(to, from, size_bytes, stream);
  else
    std::memmove(to, from, size_bytes);
  return cudaSuccess;
}
}  // namespace

cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t size_bytes, cudaMemcpyKind, cudaStream_t stream) {
  return begin_call("cudaMemcpyAsync") ? copy(to, from, size_bytes, stream, true) : last_error();
}
cudaError_t cudaMemcpy(void* to, void const* from, std::size_t size_bytes, cudaMemcpyKind) {
  return begin_call("cudaMemcpy") ? copy(to, from, size_bytes, nullptr, false) : last_error();
}
cudaError_t cudaMemsetAsync(void* to, int byte, std::size_t size_bytes, cudaStream_t) {
  if (!begin_call("cudaMemsetAsync")) return last_error();
  if (!is_range(to, size_bytes, "cudaMemset")) return end_call("cudaMemsetAsync", cudaErrorInvalidValue);
  simt::DeviceAccess const access;
  std::memset(to, byte, size_bytes);
  return cudaSuccess;
}
cudaError_t cudaMemset(void* to, int byte, std::size_t size_bytes) {
  return cudaMemsetAsync(to, byte, size_bytes, nullptr);
}
