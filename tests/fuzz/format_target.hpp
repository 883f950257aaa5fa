/// The fuzz target of any format of formats/formats.hpp. What must hold of arbitrary bytes:
///   - what comes out (rows, faults, positions, counts) does not depend on buffers, capacities or instruction set;
///   - everything that tests/support/format_run.hpp asks of a cutter and a decoder, progress of every round among it;
///   - rows that were accepted, written by the format's Writer and read again are the same rows, and written again the
///     same bytes.
/// What does not hold is a std::logic_error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/core/format_list.hpp"
#include "host/exec/avx2.hpp"
#include "host/exec/engine.hpp"
#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/own_formats.hpp"
#include "tests/support/format_run.hpp"

namespace penstock::fuzz {

/// The format with cutters that ask for a longer buffer where one does not hold the whole carry, which a Cutter may
/// count on (penstock/chunk.hpp).
template <class F>
struct WithCarry : F {
  template <class Isa>
  class Cutter final : public penstock::Cutter {
   public:
    Cutter(typename F::Plan const& plan, std::size_t record_max) : cutter_(plan, record_max) {}
    void restart() override {
      carry_ = 0;
      cutter_.restart();
    }
    Cut cut(char* buffer, std::uint32_t size, bool is_shard_end, std::span<Reject> rejects) override {
      if (size < carry_) return {};
      Cut const cut = cutter_.cut(buffer, size, is_shard_end, rejects);
      carry_ = size - std::min(cut.whole, size);
      return cut;
    }

   private:
    typename F::template Cutter<Isa> cutter_;
    std::uint32_t carry_ = 0;
  };
};

/// The bytes of all rows that it is shown.
class WrittenRows {
 public:
  explicit WrittenRows(std::unique_ptr<Encoder> writer) : writer_(std::move(writer)) {}
  /// A FormatRunner's `see`, for which `whom` is a WrittenRows.
  static void see(void* whom, Batch const& rows) { static_cast<WrittenRows*>(whom)->take(rows); }
  [[nodiscard]] std::string const& bytes() const { return bytes_; }

 private:
  /// In memory of exactly the size that the writer asks for.
  void take(Batch const& rows) {
    std::size_t const room = writer_->bytes_max(capacity_of(rows));
    auto const memory = std::make_unique<std::byte[]>(room);
    std::size_t const size = writer_->encode(rows, memory.get());
    testing::promise(size <= room, "a writer writes more than bytes_max");
    bytes_.append(reinterpret_cast<char const*>(memory.get()), size);
  }

  std::unique_ptr<Encoder> writer_;
  std::string bytes_;
};

template <class F, class Isa>
testing::FormatRun run_and_write(typename F::Plan const& plan, std::vector<std::string> const& shards,
                                 std::size_t record_max, WrittenRows* written) {
  testing::RunSizes sizes;
  sizes.faults_max = 16;  // more than the faults that one record can make
  sizes.capacity.text_bytes = F::record_capacity(plan, record_max).text_bytes;
  testing::FormatRunner<WithCarry<F>, Isa> runner(plan, record_max, sizes);
  if (written != nullptr) {
    runner.whom = written;
    runner.see = WrittenRows::see;
  }
  for (std::string const& bytes : shards) runner.shard(bytes);
  return runner.take();
}

/// On the other instruction set, where there is one.
template <class F>
testing::FormatRun run_other(typename F::Plan const& plan, std::vector<std::string> const& shards,
                             std::size_t record_max, testing::RunSizes const& sizes, bool is_portable) {
#if defined(__x86_64__)
  if constexpr (requires { requires F::has_avx2; }) {
    if (!is_portable && best_instruction_set() == InstructionSet::avx2)
      return testing::run_format<WithCarry<F>, Avx2>(plan, shards, record_max, sizes);
  }
#endif
  (void)is_portable;
  return testing::run_format<WithCarry<F>, Portable>(plan, shards, record_max, sizes);
}

/// A writer for rows of the layout, null if there is none.
template <class F>
std::unique_ptr<WrittenRows> writer_for(BatchLayout const& layout, BatchCapacity const& record) {
  if constexpr (IsWritten<F>) {
    typename F::WriteOptions const options;
    if (!F::unsupported(layout, record, options))
      return std::make_unique<WrittenRows>(std::make_unique<typename F::Writer>(layout, options));
  }
  return nullptr;
}

template <class F>
void check_written(Planner<F>& planner, std::string const& bytes, testing::FormatRun const& first) {
  constexpr std::size_t record_max = std::size_t{1} << 20;
  if (first.rows.empty()) return;
  auto const plan = planner.plan_for_written(bytes, first.layout);
  testing::promise(plan.has_value(), "what a writer wrote cannot be planned");
  auto const again = writer_for<F>(plan->layout, F::record_capacity(*plan, record_max));
  testing::promise(again != nullptr, "what a writer wrote cannot be written");
  testing::FormatRun const second = run_and_write<F, Portable>(*plan, {bytes}, record_max, again.get());
  // Columns of text are not written. Rows that had yet more than the writer writes are those of its bytes alone.
  BatchLayout without_texts = first.layout;
  without_texts.categories = 0;
  without_texts.keeps_texts = false;
  auto expected = first.rows;
  for (auto& row : expected) row.categories.clear(), row.texts.clear();
  bool const are_whole = plan->layout == without_texts;
  std::string const rows = are_whole ? testing::list_difference("row", expected, second.rows) : "";
  if (!rows.empty()) throw std::logic_error("written and read again:\n" + rows + "from " + testing::printable(bytes));
  testing::promise(first.rows.size() == second.rows.size(), "what a writer wrote has fewer rows, or more");
  testing::promise(second.faults.empty(), "what a writer wrote has a fault");
  testing::promise(bytes == again->bytes(), "written again it is not the same");
}

/// Runs one input.
template <class F>
void run_format_target(std::string_view input) {
  static constexpr std::size_t records[] = {4096, 64, 100, 1000, std::size_t{1} << 16};
  Choices choices(input);
  std::size_t const record_max = choices.one_of(records);
  testing::RunSizes sizes = choose_sizes(choices);
  bool const is_portable = choices.flag();
  std::vector<std::string> const shards = choose_shards(choices, file_of(input));
  Planner<F> planner(choices, record_max);
  sizes.faults_max += planner.fault_room() - 1;
  auto const plan = planner.plan(shards, sizes);
  if (!plan) return;
  // A round has room for the kept texts of one record, as those of lanes do, and for some more.
  sizes.capacity.text_bytes += F::record_capacity(*plan, record_max).text_bytes;

  auto const written = writer_for<F>(plan->layout, F::record_capacity(*plan, record_max));
  testing::FormatRun const expected = run_and_write<F, Portable>(*plan, shards, record_max, written.get());
  testing::FormatRun const found = run_other<F>(*plan, shards, record_max, sizes, is_portable);
  std::string const difference = testing::difference(expected, found);
  if (!difference.empty()) throw std::logic_error(name_of(sizes) + ":\n" + difference);
  if (written != nullptr) check_written<F>(planner, written->bytes(), expected);
}

}  // namespace penstock::fuzz
