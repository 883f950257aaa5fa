/// Random libsvm and RecordIO inputs with everything in them that can go wrong, and options to read them with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/libsvm/format.hpp"
#include "formats/recordio/format.hpp"
#include "tests/support/wire_recordio.hpp"

namespace penstock::testing {

/// What a generator is asked for.
struct RecordWishes {
  bool is_clean = false;         ///< no faults
  bool is_once_only = false;     ///< options say all that could only be found out by reading twice
  std::size_t records_max = 60;  ///< in a file
};

/// Files of a format, and how they are read.
template <class F>
struct RecordFiles {
  std::vector<std::string> files;
  typename F::Options options;
  std::size_t record_max = 0;
};

// --- libsvm ---------------------------------------------------------------------------------------------------------

class LibsvmGenerator {
 public:
  LibsvmGenerator(std::uint64_t seed, RecordWishes const& wishes) : random_(seed), wishes_(wishes) {}

  RecordFiles<libsvm::Format> files() {
    choose();
    for (std::size_t files = 1 + (random_.one_in(2) ? 0 : random_.below(4)); files > 0; --files)
      out_.files.push_back(file(out_.files.empty()));
    return std::move(out_);
  }

 private:
  static constexpr std::size_t columns = 40;

  void choose() {
    libsvm::Options& o = out_.options;
    has_weight_ = random_.one_in(3);
    has_qid_ = random_.one_in(3);
    is_from_zero_ = random_.one_in(3);
    o.multilabel = random_.one_in(4);
    o.dmlc = random_.one_in(5);
    if (random_.one_in(2) || wishes_.is_once_only)
      o.index_base = is_from_zero_ ? libsvm::IndexBase::zero : libsvm::IndexBase::one;
    if (random_.one_in(3) || wishes_.is_once_only) o.num_features = columns;
    if (random_.one_in(3)) o.duplicates = random_.one_in(2) ? libsvm::Duplicates::last : libsvm::Duplicates::sum;
    if (random_.one_in(4)) o.overflow = libsvm::Overflow::infinity;
    constexpr DType types[] = {DType::float64, DType::int32, DType::int64};
    if (random_.one_in(4)) o.dtype = types[random_.below(3)];
    out_.record_max = random_.one_in(2) ? 64 + random_.below(200) : std::size_t{1} << 16;
    line_end_ = random_.below(4);
  }

  std::string file(bool is_first) {
    std::string text = random_.one_in(4) ? "\xef\xbb\xbf" : "";
    if (!wishes_.is_clean) qid_ = 0;  // query ids descend from file to file, which is a fault too
    if (!is_first && random_.one_in(8)) return text;
    text += record(true) + line_end();
    for (std::size_t n = random_.below(wishes_.records_max); n > 0; --n) text += line() + line_end();
    if (random_.one_in(3)) text.pop_back();
    return text;
  }

  std::string line_end() {
    static constexpr std::string_view ends[] = {"\n", "\r\n", "\r"},
                                      mixed[] = {"\n", "\n\n", "\r\n", "\r", "\n \n", "\n\r"};
    return std::string(line_end_ < 3 ? ends[line_end_] : mixed[random_.below(std::size(mixed))]);
  }

  std::string line() {
    if (random_.one_in(12)) return random_.one_in(2) ? "# 1 2:3" : " \t";
    if (wishes_.is_clean || !random_.one_in(5)) return record(random_.one_in(2));
    std::string text = record(false);
    std::size_t const at = random_.below(text.size() + 1);
    static constexpr std::string_view odd[] = {
        "x",    ":",        " ",     "-",  " qid:2", "1e99", "nan", " 999999999999999999999:1", ",", "#",
        "\xff", " 3:1 3:2", " 77:1", ".5", " 0:1",   "::",   " 4"};
    switch (random_.below(4)) {
      case 0: return text.erase(at, 1 + random_.below(6));
      case 1: return text.insert(at, long_text());
      default: return text.insert(at, odd[random_.below(std::size(odd))]);
    }
  }

  /// Longer than slots, about as long as the longest record, or longer than an excerpt.
  std::string long_text() {
    std::size_t const limit = std::min<std::size_t>(out_.record_max, 2200);
    std::size_t const size = random_.one_in(2) ? limit - 8 + random_.below(12) : random_.below(2 * limit);
    return std::string(size, "0z,:"[random_.below(4)]);
  }

  std::string number() {
    if (random_.one_in(20)) return "16777217";  // a float32 cannot hold it
    return random_.one_in(2) ? std::to_string(random_.below(100)) : fraction();
  }
  std::string fraction() {
    bool const is_integer = !is_floating(out_.options.dtype);
    return std::to_string(random_.below(3000)) + (is_integer ? "" : "." + std::to_string(random_.below(100)));
  }

  std::string record(bool is_sorted) {
    std::string text = std::to_string(random_.below(3));
    for (std::size_t n = out_.options.multilabel ? random_.below(4) : 0; n > 0; --n) text += "," + std::to_string(n);
    if (has_weight_) text += ":0." + std::to_string(1 + random_.below(9));
    if (has_qid_) qid_ += random_.below(3);
    bool const descends = has_qid_ && qid_ > 0 && !wishes_.is_clean && random_.one_in(12);
    if (has_qid_) text += " qid:" + std::to_string(descends ? qid_ - 1 : qid_);
    std::vector<std::size_t> indices;
    std::size_t const gap = random_.one_in(8) ? 1 : 8;  // now and then a long record
    for (std::size_t i = is_from_zero_ ? 0 : 1; i < columns; i += 1 + random_.below(gap)) indices.push_back(i);
    if (!is_sorted && indices.size() > 1) std::swap(indices.front(), indices.back());
    for (std::size_t const index : indices) text += " " + std::to_string(index) + ":" + number();
    if (random_.one_in(10)) text += " # words";
    return text;
  }

  wire::Random random_;
  RecordWishes wishes_;
  RecordFiles<libsvm::Format> out_;
  bool has_weight_ = false, has_qid_ = false, is_from_zero_ = false;
  std::uint64_t qid_ = 0;
  std::size_t line_end_ = 0;
};

// --- RecordIO -------------------------------------------------------------------------------------------------------

class RecordioGenerator {
 public:
  RecordioGenerator(std::uint64_t seed, RecordWishes const& wishes)
      : random_(seed), wishes_(wishes), writer_(random_, 6) {}

  RecordFiles<recordio::Format> files() {
    choose();
    for (std::size_t files = 1 + (random_.one_in(2) ? 0 : random_.below(4)); files > 0; --files)
      out_.files.push_back(file(out_.files.empty()));
    return std::move(out_);
  }

 private:
  void choose() {
    constexpr std::uint64_t members[] = {2, 2, 3, 7};
    member_ = members[random_.below(4)];
    is_sparse_ = random_.one_in(2);
    has_shape_ = !random_.one_in(3);
    has_texts_ = random_.one_in(3);
    has_others_ = random_.one_in(3);
    width_ = is_sparse_ ? 50 : 1 + random_.below(10);
    recordio::Options& o = out_.options;
    o.has_label_lists = random_.one_in(4);
    o.padding = random_.one_in(2) ? recordio::Padding::lenient : recordio::Padding::strict;
    o.join = static_cast<recordio::Join>(random_.one_in(2) ? 0 : random_.below(3));
    o.duplicates = static_cast<recordio::Duplicates>(random_.below(3));
    if (is_sparse_ && (wishes_.is_once_only || random_.one_in(4))) o.num_features = width_;
    out_.record_max = random_.one_in(2) ? 400 + random_.below(500) : std::size_t{1} << 16;
  }

  std::string file(bool is_first) {
    if (!is_first && random_.one_in(8)) return {};
    std::string bytes = wire::frame(writer_.payload(record()));
    for (std::size_t n = random_.below(wishes_.records_max); n > 0; --n) bytes += frames();
    if (wishes_.is_clean) return bytes;
    if (random_.one_in(4)) bytes.resize(bytes.size() - random_.below(std::min<std::size_t>(bytes.size(), 30)));
    if (random_.one_in(10)) bytes += "\x0a\x23\xd7";
    if (random_.one_in(10)) bytes += wire::frame("flag", 5) + wire::frame("behind");
    if (random_.one_in(10)) bytes += "not a frame" + std::string(random_.below(3000), 'x');
    return bytes;
  }

  std::string frames() {
    wire::Record record = this->record();
    bool const is_dirty = !wishes_.is_clean && random_.one_in(6);
    if (is_dirty) damage(record);
    std::string payload = writer_.payload(record);
    if (wishes_.is_clean) return wire::frame(payload);
    if (random_.one_in(30)) payload[random_.below(payload.size())] ^= static_cast<char>(1 << random_.below(8));
    switch (random_.below(30)) {
      case 0: return wire::split_anywhere(payload, random_, 1);
      case 1: return wire::split_anywhere(payload, random_, 4);
      case 2: return wire::split_at_magic(payload);
      case 3: return wire::frame(payload, static_cast<std::uint32_t>(random_.below(4)));
      case 4: return wire::frame(std::string(random_.below(2 * out_.record_max) % 3000, 'x'), 0);
      case 5: return wire::frame(payload, 2) + wire::frame(payload, 3);
      default: return wire::frame(payload);
    }
  }

  wire::Record record() {
    wire::Record record;
    record.features.push_back(tensor(member_, is_sparse_ ? random_.below(8) : width_));
    if (is_sparse_) make_sparse(record.features.back());
    record.labels.push_back(tensor(2, labels()));
    record.has_uid = record.has_metadata = has_texts_;
    record.uid.assign(has_texts_ ? random_.below(9) : 0, 'u');
    record.metadata.assign(has_texts_ && random_.one_in(9) ? random_.below(200) : 0, 'm');
    if (!has_others_ || !random_.one_in(3)) return record;
    record.features.push_back(tensor(2, 1));
    record.features.back().key = "others";
    return record;
  }

  std::size_t labels() { return out_.options.has_label_lists ? random_.below(4) : 1; }

  void make_sparse(wire::Tensor& tensor) {
    for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.keys.push_back(6 * i + random_.below(6));
    if (tensor.keys.size() > 1 && random_.one_in(4)) std::swap(tensor.keys.front(), tensor.keys.back());
    if (has_shape_ && out_.options.num_features == 0) tensor.shape = {width_};
  }

  wire::Tensor tensor(std::uint64_t member, std::size_t count) {
    wire::Tensor tensor;
    tensor.member = member;
    for (std::size_t i = 0; i < count; ++i) tensor.values.push_back(value(member));
    return tensor;
  }

  std::uint64_t value(std::uint64_t member) {
    if (member == 3) return random_.one_in(4) ? 0x7ff8000000000000u : 0x3ff0000000000000u + random_.below(1000);
    if (member == 7) return random_.one_in(5) ? ~std::uint64_t{0} : random_.below(100000);
    constexpr std::uint32_t words[] = {0xced7230a, 0x3f000000, 0, 0x7fc00000, 0x80000000};
    return words[random_.below(std::size(words))];
  }

  void damage(wire::Record& record) {
    wire::Tensor& features = record.features.front();
    switch (random_.below(8)) {
      case 0: features.values.push_back(1); break;
      case 1: features.member = features.member == 2 ? 3 : 2; break;
      case 2: features.keys.push_back(random_.bits()); break;
      case 3: features.shape = {random_.bits(), random_.below(3)}; break;
      case 4: record.features.clear(); break;
      case 5: record.labels.clear(); break;
      case 6: features.member = 9; break;
      default: record.metadata = "unexpected", record.has_metadata = true;
    }
  }

  wire::Random random_;
  RecordWishes wishes_;
  wire::Writer writer_;
  RecordFiles<recordio::Format> out_;
  std::uint64_t member_ = 2;
  bool is_sparse_ = false, has_shape_ = false, has_texts_ = false, has_others_ = false;
  std::size_t width_ = 1;
};

/// Files of a format from a seed; a format that is tested with them gives its generator here.
template <class F>
struct GeneratorOf;
template <>
struct GeneratorOf<libsvm::Format> {
  using Type = LibsvmGenerator;
};
template <>
struct GeneratorOf<recordio::Format> {
  using Type = RecordioGenerator;
};
template <class F>
RecordFiles<F> generate_files(std::uint64_t seed, RecordWishes const& wishes) {
  return typename GeneratorOf<F>::Type(seed, wishes).files();
}

}  // namespace penstock::testing
