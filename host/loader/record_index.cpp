#include "host/loader/record_index.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <numeric>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/io/file_descriptor.hpp"
#include "host/io/partial_file.hpp"
#include "host/loader/permutation.hpp"
#include "host/pipeline/fault_report.hpp"
#include "penstock/error.hpp"

namespace penstock {
namespace {

constexpr std::string_view magic = "penstock-index 2";

/// A sidecar begins with it; behind it come the key, padded to eight bytes, and the arrays.
struct Header {
  char magic[16] = {};
  std::uint64_t key_bytes = 0;
  std::uint64_t files = 0;
  std::uint64_t records = 0;
  std::uint64_t rejects = 0;
  std::uint64_t checksum = 0;  ///< of the arrays
};

/// Another word in `array` makes another sum.
template <class T>
std::uint64_t sum_of(std::span<T const> array) {
  std::uint64_t lanes[4] = {};
  std::string_view bytes(reinterpret_cast<char const*>(array.data()), array.size_bytes());
  std::size_t const lane_bytes = sizeof lanes[0];
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), std::min(bytes.size(), lane_bytes));
    lanes[i % 4] = mix_bits(lanes[i % 4] ^ word) + 1;
    bytes.remove_prefix(std::min(bytes.size(), lane_bytes));
  }
  return key_of(lanes[0], lanes[1], lanes[2], lanes[3]);
}

constexpr std::uint64_t padded(std::uint64_t bytes) { return (bytes + 7) / 8 * 8; }

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// What an index belongs to.
std::string owner_of(OpenedInput const& input) {
  std::string key = input.options_digest() + "\n";
  for (FileStamp const& stamp : input.stamps())
    key += std::to_string(stamp.size_bytes) + " " + std::to_string(stamp.modified_ns) + " " +
           std::string(base_name(stamp.path)) + "\n";
  return key;
}

/// A whole file, readable in memory; the sidecar is never changed in place.
class MappedFile {
 public:
  explicit MappedFile(std::string const& path) {
    FileDescriptor const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0 || status.st_size <= 0) return;
    auto const size = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory == MAP_FAILED) return;
    bytes_ = {static_cast<char const*>(memory), size};
  }
  ~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  MappedFile(MappedFile const&) = delete;
  MappedFile& operator=(MappedFile const&) = delete;
  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

template <class T>
std::span<T const> array_at(char const* bytes, std::uint64_t size) {
  return {reinterpret_cast<T const*>(bytes), size};
}

bool write_all(int descriptor, void const* bytes, std::size_t size) {
  auto const* at = static_cast<char const*>(bytes);
  while (size > 0) {
    ssize_t const written = ::write(descriptor, at, size);
    if (written < 0 && errno != EINTR) return false;
    if (written <= 0) continue;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

class RecordIndex::Memory {
 public:
  std::vector<std::uint64_t> offsets;
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint64_t> reject_places;
};

/// Takes rows of a stream in order.
class RecordIndex::Builder {
 public:
  explicit Builder(OpenedInput const& input) : size_max_(input.stream().record_max + 2) {
    first_records_.assign(input.files().size() + 1, 0);
    first_rejects_ = first_records_;
  }

  void reject(FaultReport const& report) {
    rejects_.push_back({report.shard, report.record_offset_bytes});
    ++first_rejects_[report.shard + 1];
  }

  void take(Round const& round, Chunk const& chunk) {
    for (std::size_t row = 0; row < round.batch.rows; ++row)
      begin_record({chunk.stamp.shard, chunk.stamp.offset_bytes + round.batch.record_begins[row]});
    chunk_end_ = chunk.stamp.offset_bytes + chunk.text.size - (chunk.has_added_line_end ? 1 : 0);
  }

  std::shared_ptr<RecordIndex> finish(std::vector<std::uint64_t> reject_places) {
    end_record(chunk_end_);
    for (std::size_t file = file_ + 1; file < first_records_.size(); ++file)
      first_records_[file] = memory_->offsets.size();
    std::partial_sum(first_rejects_.begin(), first_rejects_.end(), first_rejects_.begin());
    memory_->reject_places = std::move(reject_places);
    auto index = std::make_shared<RecordIndex>();
    index->offsets_ = memory_->offsets;
    index->sizes_ = memory_->sizes;
    index->reject_places_ = memory_->reject_places;
    index->memory_ = memory_;
    index->first_records_ = std::move(first_records_);
    index->first_rejects_ = std::move(first_rejects_);
    for (std::uint32_t const size : index->sizes_) index->text_bytes_ += size;
    return index;
  }

 private:
  struct At {
    std::uint32_t file;
    std::uint64_t offset;
  };

  void begin_record(At at) {
    bool const is_new_file = memory_->offsets.empty() || at.file != file_;
    end_record(is_new_file ? chunk_end_ : at.offset);
    if (is_new_file) {
      for (std::size_t file = file_ + 1; file <= at.file; ++file) first_records_[file] = memory_->offsets.size();
      file_ = at.file;
    }
    memory_->offsets.push_back(at.offset);
  }

  /// Of the last record: where the next one begins, good or bad, or the file's end.
  void end_record(std::uint64_t end) {
    if (memory_->offsets.empty()) return;
    std::uint64_t const begin = memory_->offsets.back();
    auto const is_before = [&](At const& at) { return at.file < file_ || (at.file == file_ && at.offset < begin); };
    while (!rejects_.empty() && is_before(rejects_.front())) rejects_.pop_front();
    if (!rejects_.empty() && rejects_.front().file == file_) end = std::min(end, rejects_.front().offset);
    memory_->sizes.push_back(static_cast<std::uint32_t>(std::min(end - begin, size_max_)));
  }

  std::uint64_t size_max_;  ///< longer stretches are comments and blank lines, which need not be read again
  std::shared_ptr<Memory> memory_ = std::make_shared<Memory>();
  std::vector<std::uint64_t> first_records_, first_rejects_;
  std::deque<At> rejects_;  ///< not before the last record
  std::uint32_t file_ = 0;
  std::uint64_t chunk_end_ = 0;  ///< of the last rows' chunk
};

RecordBytes RecordIndex::record(std::uint64_t number) const {
  auto const after = std::upper_bound(first_records_.begin(), first_records_.end(), number);
  auto const file = static_cast<std::uint32_t>(after - first_records_.begin() - 1);
  return {file, sizes_[number], offsets_[number]};
}

std::uint64_t RecordIndex::rejected_before(std::size_t file, std::uint64_t number) const {
  std::span<std::uint64_t const> const of_file = reject_places_.subspan(first_rejects_[file], rejected_in(file));
  return static_cast<std::uint64_t>(std::ranges::upper_bound(of_file, number) - of_file.begin());
}

std::shared_ptr<RecordIndex const> RecordIndex::build(OpenedInput const& input) {
  StreamOptions options = input.stream();
  options.shaping = {};
  if (input.shaping().normalizer != nullptr) options.shaping.normalizer = input.shaping().normalizer;
  options.keeps_record_begins = options.keeps_reject_places = true;
  options.device = nullptr;
  options.is_device_required = false;
  Builder builder(input);
  RecordStream stream(*input.plan(), options);
  stream.on_reject = [&](FaultReport const* report, std::string_view, bool, bool) {
    if (report != nullptr) builder.reject(*report);
  };
  while (Round const* const round = stream.next()) builder.take(*round, stream.chunk());
  return builder.finish(std::move(stream.reject_places()));
}

std::shared_ptr<RecordIndex const> RecordIndex::load(std::string const& path, OpenedInput const& input) {
  auto const file = std::make_shared<MappedFile>(path);
  std::string_view const bytes = file->bytes();
  Header header;
  if (bytes.size() < sizeof header) return nullptr;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::string const key = owner_of(input);
  std::uint64_t const files = input.files().size() + 1;
  bool const is_it = std::string_view(header.magic, sizeof header.magic) == magic && header.key_bytes == key.size() &&
                     header.files == files && header.records < (std::uint64_t{1} << 56) &&
                     header.rejects < (std::uint64_t{1} << 56);
  std::uint64_t const arrays = sizeof header + padded(key.size());
  if (!is_it || bytes.size() != arrays + (2 * files + header.records + header.rejects) * 8 + header.records * 4)
    return nullptr;
  if (bytes.substr(sizeof header, key.size()) != key) return nullptr;
  auto index = std::make_shared<RecordIndex>();
  char const* at = bytes.data() + arrays;
  auto const firsts = array_at<std::uint64_t>(at, files);
  index->first_records_.assign(firsts.begin(), firsts.end());
  auto const first_rejects = array_at<std::uint64_t>(at += files * 8, files);
  index->first_rejects_.assign(first_rejects.begin(), first_rejects.end());
  index->offsets_ = array_at<std::uint64_t>(at += files * 8, header.records);
  index->reject_places_ = array_at<std::uint64_t>(at += header.records * 8, header.rejects);
  index->sizes_ = array_at<std::uint32_t>(at += header.rejects * 8, header.records);
  index->memory_ = file;
  auto const is_whole_table = [](std::vector<std::uint64_t> const& firsts_of, std::uint64_t count) {
    return std::ranges::is_sorted(firsts_of) && firsts_of.front() == 0 && firsts_of.back() == count;
  };
  bool const is_whole =
      is_whole_table(index->first_records_, header.records) && is_whole_table(index->first_rejects_, header.rejects);
  if (!is_whole || header.checksum != index->checksum()) return nullptr;
  for (std::uint32_t const size : index->sizes_) index->text_bytes_ += size;
  return index;
}

std::uint64_t RecordIndex::checksum() const {
  return key_of(sum_of(std::span(first_records_)), sum_of(std::span(first_rejects_)), sum_of(offsets_),
                sum_of(reject_places_), sum_of(sizes_));
}

bool RecordIndex::save(std::string const& path, OpenedInput const& input) const try {
  std::string const key = owner_of(input);
  Header header;
  std::memcpy(header.magic, magic.data(), sizeof header.magic);
  header.key_bytes = key.size();
  header.files = first_records_.size();
  header.records = offsets_.size();
  header.rejects = reject_places_.size();
  header.checksum = checksum();
  std::string const padding(padded(key.size()) - key.size(), '\0');
  PartialFile file(path, std::nullopt);
  int const to = file.descriptor();
  bool const is_written = write_all(to, &header, sizeof header) && write_all(to, key.data(), key.size()) &&
                          write_all(to, padding.data(), padding.size()) &&
                          write_all(to, first_records_.data(), first_records_.size() * 8) &&
                          write_all(to, first_rejects_.data(), first_rejects_.size() * 8) &&
                          write_all(to, offsets_.data(), offsets_.size_bytes()) &&
                          write_all(to, reject_places_.data(), reject_places_.size_bytes()) &&
                          write_all(to, sizes_.data(), sizes_.size_bytes());
  if (is_written) file.publish(true);
  return is_written;
} catch (SinkError const&) {
  return false;
}

std::string default_index_path(OpenedInput const& input) {
  std::string const& path = input.files().front().path;
  std::string const name(base_name(path));
  return path.substr(0, path.size() - name.size()) + "_" + name + ".penstock-index";
}

}  // namespace penstock
