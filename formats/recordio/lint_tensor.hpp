/// Linting of one entry of a record's maps: how its lists are stored and what they say together.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <vector>

#include "formats/recordio/lint_finding.hpp"
#include "formats/recordio/lint_walk.hpp"
#include "formats/recordio/schema.hpp"
#include "formats/recordio/tensor.hpp"
#include "formats/recordio/wire.hpp"

namespace penstock::recordio {

/// An element of a list: what it is, and the one before it where that matters.
struct LintElement {
  std::byte const* at = nullptr;  ///< null: there is none
  std::uint64_t index = 0;
  std::uint64_t number = 0;
  std::uint64_t before = 0;
};

/// What the lists of a tensor add up to.
struct TensorFacts {
  TensorKind kind = TensorKind::none;
  std::uint64_t count = 0;  ///< values
  std::uint64_t keys = 0;
  std::uint64_t rank = 0;
  std::uint64_t shape_product = 1;  ///< the largest number if it does not fit
  LintElement largest_key;
  LintElement unsorted_key;   ///< the first that is smaller than the one before
  LintElement duplicate_key;  ///< any
  LintElement nan;            ///< the first
  LintElement infinity;       ///< the first

  [[nodiscard]] bool is_sparse() const { return keys != 0 || (count == 0 && rank != 0); }
  /// Elements of the row; meaningful if has_width().
  [[nodiscard]] std::uint64_t width() const { return rank != 0 ? shape_product : count; }
  [[nodiscard]] bool has_width() const { return is_sparse() ? rank != 0 : width() == count; }
};

/// Lints entries one after the other. Keeps the keys of one tensor in memory while it looks for duplicates.
class TensorLinter {
 public:
  /// `entry` is well-formed and begins (with its tag) at `at`; `path` names it. `magic_at` is null or an aligned magic,
  /// for which `magic_path` becomes its place if it lies in a list of the entry.
  struct Task {
    Bytes entry;
    std::byte const* at = nullptr;
    FieldPath path;
    std::byte const* magic_at = nullptr;
    FieldPath* magic_path = nullptr;
  };

  TensorFacts lint(Task const& task, RecordReport& report) {
    task_ = task;
    report_ = &report;
    begin_tensor(TensorKind::none);
    detail::lint_message(task.entry, level(detail::entry_fields, detail::entry_depth),
                         [this](Field const& field, std::byte const*) {
                           if (field.number == value_field) lint_value(field.bytes);
                         });
    judge();
    return facts_;
  }

 private:
  /// Pieces that a list of one tensor message is stored in.
  struct Pieces {
    bool has_packed = false;
    bool has_single = false;
  };

  [[nodiscard]] detail::MessageLevel level(std::span<detail::KnownField const> fields, int depth) const {
    return {fields, depth, task_.path, *report_};
  }

  [[nodiscard]] FieldPath list_path(TensorList list, std::uint64_t index = FieldPath::no_index) const {
    FieldPath path = task_.path;
    path.list = list;
    path.index = index;
    return path;
  }

  void add(LintRule rule, LintNumbers numbers = {}) { report_->add(rule, task_.path, task_.at, numbers); }
  void add(LintRule rule, TensorList list, LintElement const& element, LintNumbers numbers = {}) {
    report_->add(rule, list_path(list, element.index), element.at, numbers);
  }

  void begin_tensor(TensorKind kind) {
    facts_ = {};
    facts_.kind = kind;
    sorted_keys_.clear();
    last_key_ = 0;
  }

  void lint_value(Bytes value) {
    detail::lint_message(value, level(detail::value_fields, detail::value_depth),
                         [this](Field const& field, std::byte const* at) {
                           TensorKind const kind = kind_of_field(field.number);
                           if (facts_.kind == kind) report_->add(LintRule::oneof_merged, task_.path, at);
                           if (facts_.kind != kind && facts_.kind != TensorKind::none)
                             report_->add(LintRule::oneof_replaced, task_.path, at);
                           if (facts_.kind != kind) begin_tensor(kind);
                           lint_member(field.bytes);
                         });
  }

  void lint_member(Bytes member) {
    std::fill(std::begin(pieces_), std::end(pieces_), Pieces{});
    if (facts_.kind == TensorKind::bytes) {
      detail::lint_message(member, level(detail::bytes_fields, detail::tensor_depth), [](Field const&, auto) {});
      return;
    }
    auto const fields = detail::tensor_fields(facts_.kind);
    detail::lint_message(member, level(fields, detail::tensor_depth), [this](Field const& field, std::byte const* at) {
      if (field.bytes.empty()) return;
      auto const list = static_cast<TensorList>(field.number);
      lint_piece(field, list, at);
      if (list == TensorList::keys) return lint_integers(field, list, [this](auto const& each) { add_key(each); });
      if (list == TensorList::shape) return lint_integers(field, list, [this](auto const& each) { add_extent(each); });
      lint_values(field);
    });
  }

  void lint_piece(Field const& field, TensorList list, std::byte const* at) {
    Pieces& pieces = pieces_[field.number - 1];
    bool const is_packed = field.type == WireType::bytes;
    if (pieces.has_packed || (is_packed && pieces.has_single))
      report_->add(LintRule::scattered_list, list_path(list), at);
    if (!is_packed) report_->add(LintRule::unpacked_list, list_path(list), at);
    (is_packed ? pieces.has_packed : pieces.has_single) = true;
    std::byte const* const begin = field.bytes.data();
    if (task_.magic_at == nullptr || task_.magic_at < begin || task_.magic_at >= begin + field.bytes.size()) return;
    *task_.magic_path = list_path(list);
    auto const distance = static_cast<std::uint64_t>(task_.magic_at - begin);
    std::size_t const size = fixed_bytes(facts_.kind);
    if (list == TensorList::values && size != 0 && distance % 4 == 0)
      task_.magic_path->index = facts_.count + distance / size;
  }

  /// Calls `use(LintElement)` with the place and number of every integer.
  template <class Use>
  void lint_integers(Field const& field, TensorList list, Use use) {
    std::uint64_t index = list == TensorList::keys    ? facts_.keys
                          : list == TensorList::shape ? facts_.rank
                                                      : facts_.count;
    for (std::size_t at = 0; at < field.bytes.size(); ++index) {
      Varint const varint = read_varint(field.bytes.subspan(at));
      if (varint.error != WireError::none) return;  // not in a message that is well-formed
      LintElement const element{field.bytes.data() + at, index, varint.value, 0};
      if (std::size_t const needed = varint_bytes(varint.value); varint.size_bytes != needed)
        add(LintRule::overlong_varint, list, element, {varint.size_bytes, needed});
      use(element);
      at += varint.size_bytes;
    }
  }

  void add_key(LintElement key) {
    bool const is_first = facts_.keys++ == 0;
    key.before = last_key_;
    last_key_ = key.number;
    if (is_first || key.number > facts_.largest_key.number) facts_.largest_key = key;
    if (!is_first && key.number < key.before && facts_.unsorted_key.at == nullptr) facts_.unsorted_key = key;
    if (!is_first && key.number == key.before) note_duplicate(key.number);
    if (facts_.duplicate_key.at != nullptr) return;
    sorted_keys_.push_back(key.number);
    // Numbers that differ take more bytes the more there are, so with duplicates found now and then the memory stays in
    // proportion to the payload even if all keys take one byte. 4096 numbers are sorted in no time.
    if (sorted_keys_.size() >= 4096 && std::has_single_bit(sorted_keys_.size())) find_duplicate();
  }

  void add_extent(LintElement const& extent) {
    ++facts_.rank;
    std::uint64_t const most = extent.number == 0 ? facts_.shape_product : UINT64_MAX / extent.number;
    facts_.shape_product = facts_.shape_product > most ? UINT64_MAX : facts_.shape_product * extent.number;
  }

  void note_duplicate(std::uint64_t key) {
    if (facts_.duplicate_key.at != nullptr) return;
    facts_.duplicate_key = {task_.at, FieldPath::no_index, key, 0};
  }

  /// Keys that ascend have no duplicates but neighbours.
  void find_duplicate() {
    if (facts_.unsorted_key.at == nullptr || facts_.duplicate_key.at != nullptr) return;
    std::sort(sorted_keys_.begin(), sorted_keys_.end());
    auto const found = std::adjacent_find(sorted_keys_.begin(), sorted_keys_.end());
    if (found != sorted_keys_.end()) note_duplicate(*found);
  }

  void lint_values(Field const& field) {
    if (facts_.kind == TensorKind::float32) return lint_floats<std::uint32_t, 0x7f800000u>(field.bytes);
    if (facts_.kind == TensorKind::float64) return lint_floats<std::uint64_t, 0x7ff0000000000000u>(field.bytes);
    lint_integers(field, TensorList::values, [this](LintElement const& each) {
      ++facts_.count;
      auto const number = static_cast<std::int64_t>(each.number);
      if (number != static_cast<std::int32_t>(number))
        add(LintRule::int32_out_of_range, TensorList::values, each, {each.number});
    });
  }

  /// Floats whose exponent bits are all set are infinities (no bit below) and NaN.
  template <class Bits, Bits exponent>
  void lint_floats(Bytes values) {
    std::size_t const count = values.size() / sizeof(Bits);
    auto const bits_of = [values](std::size_t i) {
      Bits bits;
      std::memcpy(&bits, values.data() + i * sizeof(Bits), sizeof(Bits));
      return bits;
    };
    constexpr Bits fraction = (exponent & (Bits{0} - exponent)) - 1;
    bool is_finite = true;
    for (std::size_t i = 0; i < count; ++i) is_finite = is_finite & ((bits_of(i) & exponent) != exponent);
    for (std::size_t i = 0; i < count && !is_finite; ++i) {
      if ((bits_of(i) & exponent) != exponent) continue;
      LintElement& first = (bits_of(i) & fraction) == 0 ? facts_.infinity : facts_.nan;
      if (first.at == nullptr) first = {values.data() + i * sizeof(Bits), facts_.count + i, bits_of(i), 0};
    }
    facts_.count += count;
  }

  void judge() {
    if (facts_.kind == TensorKind::none) return add(LintRule::entry_without_value);
    if (facts_.kind == TensorKind::bytes) return add(LintRule::bytes_value);
    bool const is_feature = task_.path.record_field == features_field;
    if (facts_.kind != TensorKind::float32)
      add(is_feature ? LintRule::feature_type : LintRule::label_type, {static_cast<std::uint64_t>(facts_.kind)});
    if (facts_.rank > 1) add(LintRule::rank_above_one, {facts_.rank});
    if (facts_.keys != 0)
      judge_sparse();
    else
      judge_dense();
    if (!is_feature && detail::is_values_key(task_.path.key) && facts_.count > 1)
      add(LintRule::several_labels, {facts_.count});
    if (facts_.nan.at != nullptr) add(LintRule::nan_value, TensorList::values, facts_.nan);
    if (facts_.infinity.at != nullptr) add(LintRule::infinite_value, TensorList::values, facts_.infinity);
  }

  void judge_sparse() {
    find_duplicate();
    LintElement const& largest = facts_.largest_key;
    if (facts_.keys != facts_.count) add(LintRule::keys_mismatch, {facts_.keys, facts_.count});
    if (facts_.rank == 0)
      add(LintRule::missing_shape);
    else if (largest.number >= facts_.shape_product)
      add(LintRule::key_out_of_shape, TensorList::keys, largest, {largest.number, facts_.shape_product});
    if (LintElement const& key = facts_.unsorted_key; key.at != nullptr)
      add(LintRule::unsorted_keys, TensorList::keys, key, {key.number, key.before});
    if (LintElement const& key = facts_.duplicate_key; key.at != nullptr)
      add(LintRule::duplicate_keys, TensorList::keys, key, {key.number});
  }

  void judge_dense() {
    if (facts_.count == 0) return add(facts_.rank == 0 ? LintRule::empty_tensor : LintRule::shape_only_row);
    if (facts_.width() != facts_.count) add(LintRule::shape_mismatch, {facts_.count, facts_.width()});
  }

  Task task_;
  RecordReport* report_ = nullptr;
  TensorFacts facts_;
  Pieces pieces_[3];  ///< of values, keys, shape
  std::uint64_t last_key_ = 0;
  std::vector<std::uint64_t> sorted_keys_;  ///< while no duplicate is known; in order only while keys ascend
};

}  // namespace penstock::recordio
