#include "host/io/inflater.hpp"

#include "host/io/source.hpp"
#include "penstock/error.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#if defined(PENSTOCK_HAS_ISAL)
#include <isa-l/igzip_lib.h>
#elif defined(PENSTOCK_HAS_ZLIB)
#include <zlib.h>
#endif

namespace penstock {

#if defined(PENSTOCK_HAS_ISAL)
namespace {

/// Lengths are 32 bits in ISA-L, and some of its sums of them are too: half of that range is out of reach.
std::uint32_t length_of(std::size_t size) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(size, std::size_t{1} << 30));
}

char const* words_for(int code) {
  switch (code) {
    case ISAL_INVALID_BLOCK: return "invalid block";
    case ISAL_INVALID_SYMBOL: return "invalid symbol";
    case ISAL_INVALID_LOOKBACK: return "invalid distance back";
    case ISAL_INVALID_WRAPPER: return "invalid header";
    case ISAL_UNSUPPORTED_METHOD: return "unknown compression method";
    case ISAL_INCORRECT_CHECKSUM: return "incorrect checksum or length";
    default: return "invalid data";
  }
}

/// ISA-L's fast loop counts a match as output before it has looked at the distance (see
/// igzip_decode_block_stateless.asm), so after a fault the last bytes may be no data at all. It is entered
/// only with 8 bytes of input or more. So a step that finds a fault is taken back and done again carefully,
/// byte by byte; for that the state (87 KiB) is copied before each step, about 1% of the time.
class IsalInflater final : public Inflater {
 public:
  IsalInflater() { ::isal_inflate_init(&state_); }

  void begin_member() override {
    ::isal_inflate_reset(&state_);
    state_.crc_flag = ISAL_GZIP;
    header_ = {};
    has_header_ = false;
    is_careful_ = false;
    fault_ = nullptr;
  }

  Step inflate(std::span<char const> in, std::span<char> out) override {
    if (is_careful_) return inflate_carefully(in, out);
    Checkpoint& before = *checkpoint_;
    if (in.size() > 1) before = {state_, header_, has_header_};
    Step const step = inflate_some(in, out);
    if (fault_ == nullptr) return step;
    is_careful_ = true;
    if (in.size() <= 1) return drained(step, out);
    fault_ = nullptr;
    state_ = before.state;
    header_ = before.header;
    has_header_ = before.has_header;
    return inflate_carefully(in, out);
  }

 private:
  struct Checkpoint {
    ::inflate_state state;
    ::isal_gzip_header header;
    bool has_header;
  };

  Step inflate_carefully(std::span<char const> in, std::span<char> out) {
    Step sum;
    while (fault_ == nullptr && !sum.is_end) {
      std::span<char const> const piece = in.subspan(sum.consumed).first(sum.consumed < in.size() ? 1 : 0);
      Step const step = inflate_some(piece, out.subspan(sum.produced));
      sum.consumed += step.consumed;
      sum.produced += step.produced;
      sum.is_end = step.is_end;
      if (step.consumed == 0 && step.produced == 0) break;
    }
    return fault_ == nullptr ? sum : drained(sum, out);
  }

  /// One call of the library; sets fault_.
  Step inflate_some(std::span<char const> in, std::span<char> out) {
    std::uint32_t const in_size = length_of(in.size());
    std::uint32_t const out_size = length_of(out.size());
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in.data()));  // it is only read
    state_.avail_in = in_size;
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = out_size;
    int code = read_header();
    if (code == ISAL_DECOMP_OK) code = ::isal_inflate(&state_);
    if (code < 0) fault_ = words_for(code);
    bool const is_end = code >= 0 && state_.block_state == ISAL_BLOCK_FINISH;
    return {in_size - state_.avail_in, out_size - state_.avail_out, is_end, nullptr};
  }

  /// isal_inflate() could read the header too, but forgets its flags when input ends inside it.
  int read_header() {
    if (has_header_) return ISAL_DECOMP_OK;
    int const code = ::isal_read_gzip_header(&state_, &header_);
    has_header_ = code == ISAL_DECOMP_OK;
    return code;
  }

  /// `step` and, after it, what was inflated before the fault but still lies in the state's own buffer. The
  /// fault is told when all of that was given.
  Step drained(Step step, std::span<char> out) {
    auto const held = static_cast<std::size_t>(state_.tmp_out_valid - state_.tmp_out_processed);
    std::size_t const count = std::min(held, out.size() - step.produced);
    if (count > 0) std::memcpy(out.data() + step.produced, state_.tmp_out_buffer + state_.tmp_out_processed, count);
    state_.tmp_out_processed += static_cast<std::int32_t>(count);
    step.produced += count;
    step.fault = count == held ? fault_ : nullptr;
    return step;
  }

  ::inflate_state state_{};
  ::isal_gzip_header header_{};
  bool has_header_ = false;
  bool is_careful_ = false;      ///< from the first fault on
  char const* fault_ = nullptr;  ///< found, but perhaps not told yet
  std::unique_ptr<Checkpoint> checkpoint_ = std::make_unique<Checkpoint>();
};

}  // namespace

std::unique_ptr<Inflater> make_inflater() { return std::make_unique<IsalInflater>(); }
std::string_view gzip_library() noexcept { return "ISA-L"; }

#elif defined(PENSTOCK_HAS_ZLIB)
namespace {

uInt length_of(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

class ZlibInflater final : public Inflater {
 public:
  ZlibInflater() {
    constexpr int gzip_with_largest_window = 16 + 15;
    if (::inflateInit2(&stream_, gzip_with_largest_window) != Z_OK) {
      throw Error(ExitCode::device, "zlib: not enough memory to inflate");
    }
  }
  ~ZlibInflater() override { ::inflateEnd(&stream_); }
  ZlibInflater(ZlibInflater const&) = delete;
  ZlibInflater& operator=(ZlibInflater const&) = delete;

  void begin_member() override { ::inflateReset(&stream_); }

  Step inflate(std::span<char const> in, std::span<char> out) override {
    uInt const in_size = length_of(in.size());
    uInt const out_size = length_of(out.size());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // it is only read
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_size;
    int const code = ::inflate(&stream_, Z_NO_FLUSH);
    Step step{in_size - stream_.avail_in, out_size - stream_.avail_out, code == Z_STREAM_END, nullptr};
    if (code == Z_MEM_ERROR) throw Error(ExitCode::device, "zlib: not enough memory to inflate");
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      step.fault = stream_.msg != nullptr ? stream_.msg : "invalid data";
    }
    return step;
  }

 private:
  ::z_stream stream_{};
};

}  // namespace

std::unique_ptr<Inflater> make_inflater() { return std::make_unique<ZlibInflater>(); }
std::string_view gzip_library() noexcept { return "zlib"; }

#else

std::unique_ptr<Inflater> make_inflater() { return nullptr; }
std::string_view gzip_library() noexcept { return ""; }

#endif

}  // namespace penstock
