// RecordIO-protobuf to batches and back, in memory and on one thread: cutting, decoding and checks as in a run, and the
// encoding of what was decoded.
//
//   recordio_decode FILE | dense28 | dense784 | int32 | sparse39 | sparse10 [--repeat N] [--slot-size BYTES]
//
// The words stand for made-up inputs of 64 MiB: float32 rows of 28 and 784 features, int32 rows of 28, and sparse rows
// of 39 and 10 values among a million and ten thousand features, each with one label. Prints decimal GB/s of frames:
// minimum, median and maximum of N runs after one that warms up.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "formats/core/block.hpp"
#include "formats/recordio/format.hpp"

namespace {

using namespace penstock;
using recordio::Format;

constexpr std::size_t synthetic_bytes = std::size_t{64} << 20;
constexpr std::size_t record_max = std::size_t{16} << 20;

struct Arguments {
  std::string input;
  int repeat = 5;
  std::size_t slot_bytes = std::size_t{2} << 20;
};

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    std::string_view const word = values[i];
    auto const value = [&] { return std::string(i + 1 < count ? values[++i] : "0"); };
    if (word == "--repeat")
      arguments.repeat = std::stoi(value());
    else if (word == "--slot-size")
      arguments.slot_bytes = std::stoul(value());
    else
      arguments.input = word;
  }
  return arguments;
}

/// A generator whose numbers are the same everywhere.
class Numbers {
 public:
  std::uint64_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return state_ >> 33;
  }

 private:
  std::uint64_t state_ = 1;
};

BatchLayout layout_of(std::string_view word) {
  BatchLayout layout;
  layout.labels = 1;
  layout.is_sparse = word.starts_with("sparse");
  layout.features = word == "dense784" ? 784 : word == "sparse39" ? 1000000 : word == "sparse10" ? 10000 : 28;
  if (word == "int32") layout.feature_dtype = DType::int32;
  return layout;
}

void fill(Numbers& numbers, Batch const& batch, std::size_t pairs_per_row) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    batch.label.as<float>()[row] = static_cast<float>(row % 2);
    for (std::size_t i = 0; i < batch.features.columns; ++i) {
      std::size_t const at = row * batch.features.columns + i;
      if (batch.features.dtype == DType::int32)
        batch.features.as<std::int32_t>()[at] = static_cast<std::int32_t>(numbers.next() % 1000);
      else
        batch.features.as<float>()[at] = static_cast<float>(numbers.next() % 100000) * 0.125f;
    }
    if (batch.csr.indptr == nullptr) continue;
    std::size_t const begin = row * pairs_per_row, end = begin + pairs_per_row;
    batch.csr.indptr[row + 1] = static_cast<std::int64_t>(end);
    for (std::size_t i = begin; i < end; ++i) {
      batch.csr.indices[i] = static_cast<std::int64_t>(numbers.next() % batch.csr.columns);
      batch.csr.values_as<float>()[i] = 1;
    }
    std::sort(batch.csr.indices + begin, batch.csr.indices + end);
    for (std::size_t i = begin + 1; i < end; ++i)
      batch.csr.indices[i] = std::max(batch.csr.indices[i], batch.csr.indices[i - 1] + 1);
  }
}

std::vector<char> synthetic(std::string_view word) {
  BatchLayout const layout = layout_of(word);
  std::size_t const pairs = !layout.is_sparse ? 0 : word == "sparse39" ? 39 : 10;
  BatchCapacity const capacity{1024, 1024 * pairs, 0, 0, 0};
  BatchBuffer const buffer(layout, capacity);
  Batch const batch = buffer.view(1024);
  Numbers numbers;
  recordio::Writer writer(layout, {});
  std::vector<char> bytes;
  while (bytes.size() < synthetic_bytes) {
    fill(numbers, batch, pairs);
    std::size_t const size = bytes.size();
    bytes.resize(size + writer.bytes_max(capacity));
    bytes.resize(size + writer.encode(batch, reinterpret_cast<std::byte*>(bytes.data() + size)));
  }
  return bytes;
}

std::vector<char> read(std::string const& input) {
  std::ifstream file(input, std::ios::binary);
  if (!file) return synthetic(input);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Pass {
  double decode_seconds = 0, encode_seconds = 0;
  std::size_t rows = 0, faults = 0, encoded_bytes = 0;
};

class Run {
 public:
  Run(std::vector<char> const& bytes, recordio::Plan const& plan, std::size_t slot_bytes)
      : bytes_(bytes),
        plan_(plan),
        slot_(std::max(slot_bytes, record_max) + 2 * text_padding),
        slot_bytes_(slot_bytes) {
    capacity_ = {slot_bytes / 16, slot_bytes / 2, slot_bytes, slot_bytes, slot_bytes};
    if (!plan.layout.is_sparse) capacity_.rows = 2 * slot_bytes / plan.layout.row_bytes() + 1;
    buffer_ = BatchBuffer(plan.layout, capacity_);
    faults_.resize(4096);
  }

  Pass pass() {
    Format::Cutter<Portable> cutter(plan_, record_max);
    Format::Decoder<Portable> decoder(plan_);
    Format::Writer writer(plan_.layout, {});
    window_.resize(writer.bytes_max(capacity_));
    Pass pass;
    for (std::size_t at = 0; at < bytes_.size();) {
      std::size_t const size = std::min(slot_bytes_, bytes_.size() - at);
      std::memcpy(slot_.data() + text_padding, bytes_.data() + at, size);
      auto const begin = std::chrono::steady_clock::now();
      Reject rejects[64];
      bool const is_end = at + size == bytes_.size();
      Cut const cut = cutter.cut(slot_.data() + text_padding, static_cast<std::uint32_t>(size), is_end, rejects);
      Chunk chunk;
      chunk.text = {slot_.data() + text_padding, cut.whole};
      chunk.rejects = std::span<Reject const>(rejects, cut.rejects);
      decoder.begin(chunk);
      pass.decode_seconds += seconds_since(begin);
      while (!round(decoder, writer, pass)) {
      }
      if (cut.whole == 0) break;
      at += cut.whole;
    }
    return pass;
  }

 private:
  static double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  bool round(Format::Decoder<Portable>& decoder, Format::Writer& writer, Pass& pass) {
    FaultLog faults(faults_);
    RoundCounts counts;
    auto begin = std::chrono::steady_clock::now();
    Decoded const decoded = decoder.next(buffer_.view(buffer_.rows_max()), capacity_, faults, counts);
    pass.decode_seconds += seconds_since(begin);
    begin = std::chrono::steady_clock::now();
    pass.encoded_bytes += writer.encode(buffer_.view(decoded.rows), window_.data());
    pass.encode_seconds += seconds_since(begin);
    pass.rows += decoded.rows;
    pass.faults += faults.size();
    return decoded.ends_chunk;
  }

  std::vector<char> const& bytes_;
  recordio::Plan plan_;
  std::vector<char> slot_;
  std::size_t slot_bytes_;
  BatchCapacity capacity_;
  BatchBuffer buffer_;
  std::vector<Fault> faults_;
  std::vector<std::byte> window_;
};

void print(char const* what, std::vector<double> rates) {
  std::sort(rates.begin(), rates.end());
  std::printf("  %s GB/s min %.3f median %.3f max %.3f", what, rates.front(), rates[rates.size() / 2], rates.back());
}

int report(Arguments const& arguments) {
  std::vector<char> const bytes = read(arguments.input);
  Format::Scout scout({}, {.record_max = record_max, .is_read_twice = true});
  Chunk chunk;
  chunk.text = {bytes.data(), std::min<std::size_t>(bytes.size(), record_max)};
  scout.look(chunk);
  for (Problem const& problem : scout.problem()) return std::fprintf(stderr, "%s\n", problem.message.c_str()), 1;
  Run run(bytes, scout.plan(), arguments.slot_bytes);
  std::vector<double> decode, encode;
  Pass pass;
  for (int i = 0; i <= arguments.repeat; ++i) {
    pass = run.pass();
    if (i == 0) continue;
    decode.push_back(static_cast<double>(bytes.size()) / pass.decode_seconds * 1e-9);
    encode.push_back(static_cast<double>(pass.encoded_bytes) / pass.encode_seconds * 1e-9);
  }
  std::printf("%s  %zu records  %zu rejected", arguments.input.c_str(), pass.rows, pass.faults);
  print("decode", decode);
  print("encode", encode);
  std::printf("\n");
  return 0;
}

}  // namespace

int main(int count, char** values) {
  Arguments const arguments = parse(count, values);
  if (!arguments.input.empty() && arguments.repeat > 0) return report(arguments);
  std::fprintf(
      stderr,
      "recordio_decode FILE | dense28 | dense784 | int32 | sparse39 | sparse10 [--repeat N] [--slot-size BYTES]\n");
  return 2;
}
