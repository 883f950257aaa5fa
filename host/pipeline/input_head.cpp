#include "host/pipeline/input_head.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "host/io/source.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

/// What a pipe holds by default, and some hundred records of most data sets.
constexpr std::size_t first_bytes = std::size_t{1} << 16;
/// Comments and blank lines before the first record of a pipe: more than anybody writes.
constexpr std::size_t kept_beyond_record = std::size_t{1} << 20;

/// Text with padding on either side, that grows.
class Window {
 public:
  Window() { grow(first_bytes); }
  [[nodiscard]] char* data() { return memory_.data() + text_padding; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Room for an added line end lies in the padding behind.
  void grow(std::size_t capacity) {
    capacity_ = capacity;
    memory_.resize(capacity + 2 * text_padding + 1);
  }

 private:
  std::vector<char> memory_;
  std::size_t capacity_ = 0;
};

}  // namespace

std::string name_of(InputFile const& file) { return file.is_stdin ? "<stdin>" : file.path; }

bool is_reopened(InputFile const& file) { return file.is_regular && !file.is_stdin; }

bool InputHead::look(Cutter& cutter, std::size_t record_max, std::function<bool(Chunk const&)> const& use) {
  std::unique_ptr<Source> const reopened = is_reopened(file_) ? open_source(file_) : nullptr;
  if (!reopened) source_ = open_source(file_);
  Source& source = reopened ? *reopened : *source_;
  Window window;
  std::array<Reject, 64> rejects;
  Chunk chunk;
  std::size_t size = 0;
  bool is_end = false;
  cutter.restart();
  for (;;) {
    while (size < window.capacity() && !is_end) {
      std::size_t const got = source.read(window.data() + size, window.capacity() - size);
      if (!reopened) kept_.append(window.data() + size, got);
      is_end = got == 0;
      size += got;
    }
    Cut const cut = cutter.cut(window.data(), static_cast<std::uint32_t>(size), is_end, rejects);
    if (cut.whole == 0 && !is_end) {
      if (window.capacity() > record_max + first_bytes) throw_no_record(window.capacity());
      window.grow(2 * window.capacity());
      continue;
    }
    chunk.text = {window.data(), cut.whole};
    chunk.rejects = std::span(rejects).first(cut.rejects);
    chunk.has_added_line_end = cut.has_added_line_end;
    if (use(chunk)) return true;
    if (cut.whole == 0 || (is_end && cut.whole >= size)) return false;
    if (!reopened && kept_.size() > record_max + kept_beyond_record) throw_no_record(kept_.size());
    chunk.follows_cr = window.data()[cut.whole - 1] == '\r';
    chunk.stamp.offset_bytes += cut.whole;
    ++chunk.stamp.sequence;
    size -= std::min<std::size_t>(cut.whole, size);
    std::memmove(window.data(), window.data() + cut.whole, size);
  }
}

void InputHead::throw_no_record(std::size_t bytes) const {
  throw SourceError(name_of(file_) + ": no record in its first " + std::to_string(bytes) +
                        " bytes, and no more can be kept of an input that is read only once",
                    "Write it to a file first, or raise --max-record-size.");
}

Shard InputHead::shard() {
  Shard shard{.name = name_of(file_), .open = {}};
  if (is_reopened(file_)) {
    shard.open = [file = file_] { return open_source(file); };
    return shard;
  }
  if (std::exchange(is_taken_, true)) throw SourceError(shard.name + ": can be read only once", "Name a file instead.");
  if (source_ == nullptr) {  // nobody looked at it: it is opened when its turn comes
    shard.open = [file = file_] { return open_source(file); };
    return shard;
  }
  // std::function wants to be copied, which a source cannot: the copies share it, and the first call takes it.
  auto rest = std::make_shared<std::unique_ptr<Source>>(
      std::make_unique<PrefetchedSource>(std::move(source_), std::exchange(kept_, {})));
  shard.open = [rest]() -> std::unique_ptr<Source> { return std::move(*rest); };
  return shard;
}

}  // namespace penstock
