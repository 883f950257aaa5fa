/// Shared memory that knows who wrote and who read what, and atomic operations on it and on global memory.
///
/// What thread t does to an element is ordered behind what thread u did to it before if u is t, or a barrier of the
/// block lies between, or both are of one warp and a __syncwarp or a barrier lies between. All threads of a block pass
/// a barrier together, and all of a warp a __syncwarp, so two numbers say when something was done: the block's barriers
/// so far (they count on from block to block, so that another block's writes are known as stale) and the warp's.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/support/simt/sanitizers.hpp"
#include "tests/support/simt/site.hpp"

namespace simt {

namespace detail {

/// The thread that runs now, and when. One per host thread.
struct Now {
  unsigned thread = 0;            ///< in its block
  std::uint32_t barriers = 0;     ///< of the block
  std::uint32_t meetings = 0;     ///< of the warp: __syncwarp and barriers; only some bits are kept
  std::uint32_t block_began = 0;  ///< `barriers` at its beginning
  bool in_kernel = false;
};
extern constinit thread_local Now now;

/// A source file's name and line in one word: addresses have 48 bits.
inline std::uint64_t pack(Site site) {
  return reinterpret_cast<std::uintptr_t>(site.file) | std::uint64_t{site.line} << 48;
}
inline Site unpack(std::uint64_t site) {
  return {reinterpret_cast<char const*>(site & 0xffffffffffffu), static_cast<unsigned>(site >> 48)};
}

/// The accesses of one kind to one element since the last barrier at which there were any: the last of them, and
/// whether others stand beside it that are not ordered before it.
class Accesses {
 public:
  /// An access by the thread that runs now is not ordered behind one of these.
  [[nodiscard]] SIMT_UNSEEN bool conflict() const {
    if (barriers_ != now.barriers) return false;
    unsigned const thread = who_ & thread_mask;
    if (thread / 32 != now.thread / 32 || (who_ & many_warps) != 0) return true;
    if (who_ >> meetings_shift != (now.meetings & meetings_mask)) return false;
    return thread != now.thread || (who_ & many_lanes) != 0;
  }
  SIMT_UNSEEN void add(std::uint64_t site) {
    std::uint32_t const mine = now.thread | now.meetings << meetings_shift;
    std::uint32_t others = 0;
    if (barriers_ == now.barriers) {
      if ((who_ & thread_mask) / 32 != now.thread / 32)
        others = many_warps;
      else if (who_ >> meetings_shift == mine >> meetings_shift)
        others = (who_ & many_lanes) | ((who_ & thread_mask) != now.thread ? many_lanes : 0);
      others |= who_ & many_warps;
    }
    barriers_ = now.barriers;
    who_ = mine | others;
    site_ = site;
  }
  [[nodiscard]] SIMT_UNSEEN bool any_in_this_block() const { return barriers_ >= now.block_began; }
  [[nodiscard]] unsigned thread() const { return who_ & thread_mask; }
  [[nodiscard]] Site site() const { return unpack(site_); }

 private:
  static constexpr std::uint32_t thread_mask = 0x3ff, many_lanes = 0x400, many_warps = 0x800;
  static constexpr unsigned meetings_shift = 12;
  static constexpr std::uint32_t meetings_mask = ~0u >> meetings_shift;
  std::uint32_t barriers_ = 0;
  std::uint32_t who_ = 0;
  std::uint64_t site_ = 0;
};

struct Element {
  Accesses writes, reads, atomics;
};

enum class Access { read, write, atomic };

/// What all shared arrays have.
struct SharedArray {
  Site declared;
  std::size_t count = 0;
  std::size_t size_bytes = 0;
  void const* type = nullptr;
  unsigned char* data = nullptr;
  Element* elements = nullptr;  ///< of `count + 1`: the last takes what is out of bounds
};

/// The array that is declared there, for the block that runs now.
SharedArray& shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type);
void report_race(SharedArray const& array, std::size_t index, Access access, std::uint64_t site);
void report_uninitialised(SharedArray const& array, std::size_t index, std::uint64_t site);
void report_bounds(SharedArray const& array, long long index, std::uint64_t site);

template <class T>
inline constexpr char type_tag = 0;

/// An index and the place of the expression that it stands in.
struct Index {
  long long value;
  std::uint64_t site;
  template <std::integral I>
  SIMT_UNSEEN Index(I index, char const* file = __builtin_FILE(), int line = __builtin_LINE())
      : value(static_cast<long long>(index)), site(pack({file, static_cast<unsigned>(line)})) {}
};

}  // namespace detail

/// One element, as `name[i]` gives it. It stands for the element, not for its value: `auto x = name[i]` does not
/// compile where x is used; `T const x = name[i]` reads.
template <class T>
class Ref {
 public:
  using Value = T;
  SIMT_UNSEEN Ref(detail::SharedArray& array, std::size_t index, std::uint64_t site)
      : array_(array), index_(index), site_(site) {}
  Ref(Ref const&) = delete;

  SIMT_UNSEEN operator T() const&& { return read(); }
  SIMT_UNSEEN T operator=(T value) && { return write(value); }
  SIMT_UNSEEN T operator=(Ref&& other) && { return write(other.read()); }
  SIMT_UNSEEN T operator+=(T value) && { return write(static_cast<T>(read() + value)); }
  SIMT_UNSEEN T operator-=(T value) && { return write(static_cast<T>(read() - value)); }
  SIMT_UNSEEN T operator*=(T value) && { return write(static_cast<T>(read() * value)); }
  SIMT_UNSEEN T operator|=(T value) && { return write(static_cast<T>(read() | value)); }
  SIMT_UNSEEN T operator&=(T value) && { return write(static_cast<T>(read() & value)); }
  SIMT_UNSEEN T operator^=(T value) && { return write(static_cast<T>(read() ^ value)); }
  SIMT_UNSEEN T operator++() && { return write(static_cast<T>(read() + 1)); }
  SIMT_UNSEEN T operator--() && { return write(static_cast<T>(read() - 1)); }
  SIMT_UNSEEN T operator++(int) && { return static_cast<T>(write(static_cast<T>(read() + 1)) - 1); }
  SIMT_UNSEEN T operator--(int) && { return static_cast<T>(write(static_cast<T>(read() - 1)) + 1); }

  /// The element becomes change(what it was), which is returned; in one step, by the kernel's rules.
  template <class Change>
  SIMT_UNSEEN T change_atomically(Change change) {
    detail::Element& element = array_.elements[index_];
    if (element.writes.conflict() || element.reads.conflict())
      detail::report_race(array_, index_, detail::Access::atomic, site_);
    T const before = initialised_value(element);
    element.atomics.add(site_);
    value() = change(before);
    return before;
  }

 private:
  SIMT_UNSEEN T& value() const { return reinterpret_cast<T*>(array_.data)[index_]; }
  SIMT_UNSEEN T initialised_value(detail::Element const& element) const {
    if (!element.writes.any_in_this_block()) [[unlikely]]
      detail::report_uninitialised(array_, index_, site_);
    return value();
  }
  SIMT_UNSEEN T read() const {
    detail::Element& element = array_.elements[index_];
    if (element.writes.conflict() || element.atomics.conflict()) [[unlikely]]
      detail::report_race(array_, index_, detail::Access::read, site_);
    element.reads.add(site_);
    return initialised_value(element);
  }
  SIMT_UNSEEN T write(T to) const {
    detail::Element& element = array_.elements[index_];
    if (element.writes.conflict() || element.reads.conflict() || element.atomics.conflict()) [[unlikely]]
      detail::report_race(array_, index_, detail::Access::write, site_);
    element.writes.add(site_);
    value() = to;
    return to;
  }
  detail::SharedArray& array_;
  std::size_t index_;
  std::uint64_t site_;
};

/// `size` elements in the shared memory of the block that runs now.
template <class T, std::size_t size>
class Shared : public detail::SharedArray {
 public:
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 16);
  SIMT_UNSEEN Ref<T> operator[](detail::Index index) {
    if (index.value < 0 || index.value >= static_cast<long long>(size)) [[unlikely]] {
      detail::report_bounds(*this, index.value, index.site);
      return {*this, size, index.site};
    }
    return {*this, static_cast<std::size_t>(index.value), index.site};
  }
};

template <class T, std::size_t size>
SIMT_UNSEEN Shared<T, size>& shared(char const* file, int line) {
  return static_cast<Shared<T, size>&>(
      detail::shared_array({file, static_cast<unsigned>(line)}, size, sizeof(T), &detail::type_tag<Shared<T, size>>));
}

// --- atomic operations ---------------------------------------------------------------------------------------------

namespace detail {

template <class T>
concept Atomic = std::integral<T> &&(sizeof(T) == 4 || sizeof(T) == 8);

template <Atomic T, class Change>
T change_atomically(T& at, Change change) {
  T before = __atomic_load_n(&at, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&at, &before, change(before), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
  }
  return before;
}

/// Values as CUDA's shuffles take them: what `name[i]` stands for, small integers as int.
template <class T>
auto plain(T&& value) {
  using Value = std::remove_cvref_t<T>;
  if constexpr (requires { typename Value::Value; })
    return plain(static_cast<typename Value::Value>(static_cast<T&&>(value)));
  else if constexpr (std::integral<Value> && sizeof(Value) < sizeof(int))
    return static_cast<int>(value);
  else
    return value;
}

}  // namespace detail

// Of an element of a shared array, and of global memory. They return what was there before.

template <detail::Atomic T>
T atomic_add(Ref<T>&& at, T value) {
  return at.change_atomically([value](T before) { return static_cast<T>(before + value); });
}
template <detail::Atomic T>
T atomic_or(Ref<T>&& at, T value) {
  return at.change_atomically([value](T before) { return static_cast<T>(before | value); });
}
template <detail::Atomic T>
T atomic_min(Ref<T>&& at, T value) {
  return at.change_atomically([value](T before) { return value < before ? value : before; });
}
template <detail::Atomic T>
T atomic_max(Ref<T>&& at, T value) {
  return at.change_atomically([value](T before) { return value > before ? value : before; });
}

template <detail::Atomic T>
T atomic_add(T& at, T value) {
  return __atomic_fetch_add(&at, value, __ATOMIC_ACQ_REL);
}
template <detail::Atomic T>
T atomic_or(T& at, T value) {
  return __atomic_fetch_or(&at, value, __ATOMIC_ACQ_REL);
}
template <detail::Atomic T>
T atomic_min(T& at, T value) {
  return detail::change_atomically(at, [value](T before) { return value < before ? value : before; });
}
template <detail::Atomic T>
T atomic_max(T& at, T value) {
  return detail::change_atomically(at, [value](T before) { return value > before ? value : before; });
}

}  // namespace simt
