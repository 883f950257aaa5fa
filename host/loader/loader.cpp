#include "penstock/loader.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include <unistd.h>

#include "host/io/stoppable.hpp"
#include "host/loader/indexed_batches.hpp"
#include "host/loader/loader_metrics.hpp"
#include "host/loader/loader_state.hpp"
#include "host/loader/opened_input.hpp"
#include "host/loader/placement.hpp"
#include "host/loader/prefetcher.hpp"
#include "host/loader/record_index.hpp"
#include "host/loader/stage_times.hpp"
#include "host/loader/streamed_batches.hpp"
#include "host/pipeline/stream_workers.hpp"

namespace penstock {
namespace {

/// A batch whose memory is counted as held while it lives.
class HeldBatch {
 public:
  HeldBatch(std::shared_ptr<void const> memory, std::size_t bytes, std::shared_ptr<std::atomic<std::uint64_t>> sum)
      : memory_(std::move(memory)), bytes_(bytes), sum_(std::move(sum)) {
    sum_->fetch_add(bytes_, std::memory_order_relaxed);
  }
  ~HeldBatch() { sum_->fetch_sub(bytes_, std::memory_order_relaxed); }
  HeldBatch(HeldBatch const&) = delete;
  HeldBatch& operator=(HeldBatch const&) = delete;

 private:
  std::shared_ptr<void const> memory_;
  std::size_t bytes_;
  std::shared_ptr<std::atomic<std::uint64_t>> sum_;
};

/// What the workers of an epoch have counted, for everyone to read at any time.
struct SharedCounts {
  std::atomic<std::uint64_t> rejected = 0;
  std::atomic<std::uint64_t> text_bytes = 0;
};

/// Reads in a stream. Of files several batches make a task, so that little time is spent on handing over; of a pipe
/// one, which is not kept waiting for others.
class StreamWorker final : public BatchWorker {
 public:
  StreamWorker(OpenedInput const& input, EpochTask const& task, PassOptions const& pass, SharedCounts& counts)
      : batches_(input, task, pass),
        bytes_wanted_(input.is_read_again() ? group_bytes : 0),
        counts_(counts),
        counted_(batches_.counts()) {}

  std::vector<MadeBatch> make(std::uint64_t) override {
    if (error_ != nullptr) std::rethrow_exception(error_);
    std::vector<MadeBatch> made;
    std::size_t bytes = 0;
    try {
      do {
        MadeBatch next;
        if (!batches_.next(next)) break;
        bytes += next.bytes;
        made.push_back(std::move(next));
      } while (bytes < bytes_wanted_ && made.size() < group_batches);
    } catch (...) {
      error_ = std::current_exception();
      if (made.empty()) throw;
    }
    count();
    return made;
  }
  void stop() override { batches_.stop(); }
  [[nodiscard]] std::shared_ptr<Device> device() const { return batches_.device(); }

 private:
  static constexpr std::size_t group_bytes = std::size_t{1} << 20;
  static constexpr std::size_t group_batches = 32;

  void count() {
    StreamCounts const now = batches_.counts();
    counts_.rejected += now.rejected - counted_.rejected;
    counts_.text_bytes += now.text_bytes - counted_.text_bytes;
    counted_ = now;
  }

  StreamedBatches batches_;
  std::size_t bytes_wanted_;
  SharedCounts& counts_;
  StreamCounts counted_;  ///< what `counts_` has, or had no part in
  std::exception_ptr error_;
};

/// Reads single records. A task has as many steps as make about a slot's text.
class IndexWorker final : public BatchWorker {
 public:
  IndexWorker(OpenedInput const& input, RecordIndex const& index, EpochTask const& task, StreamOptions const& options,
              StreamSizes const& sizes, SharedCounts& counts)
      : batches_(input, index, task, options, sizes),
        steps_(task.division.steps(index.records())),
        record_bytes_(index.records() == 0 ? 0 : index.text_bytes() / index.records()),
        counts_(counts) {
    std::uint64_t const step_bytes = std::max<std::uint64_t>(1, record_bytes_ * task.division.batch_size);
    steps_a_task_ = std::max<std::uint64_t>(1, std::min<std::uint64_t>(task_bytes, sizes.slot_bytes) / step_bytes);
  }

  std::vector<MadeBatch> make(std::uint64_t task) override {
    std::uint64_t const first = task * steps_a_task_;
    if (first >= steps_) return {};
    std::vector<MadeBatch> made = batches_.make(first, std::min(steps_a_task_, steps_ - first));
    for (MadeBatch const& each : made) counts_.text_bytes += each.batch.valid_rows * record_bytes_;
    return made;
  }

 private:
  static constexpr std::uint64_t task_bytes = std::uint64_t{256} << 10;

  IndexedBatches batches_;
  std::uint64_t steps_;
  std::uint64_t steps_a_task_ = 1;
  std::uint64_t record_bytes_;  ///< on average
  SharedCounts& counts_;
};

constexpr std::uint64_t step_rows_max = std::uint64_t{1} << 40;

LoaderOptions const& checked(LoaderOptions const& options) {
  if (options.batch_size == 0) throw ConfigurationError("batch_size 0: a batch has at least one record");
  if (options.world_size == 0) throw ConfigurationError("world_size 0: there is at least one rank");
  if (options.rank >= options.world_size)
    throw ConfigurationError("rank " + std::to_string(options.rank) + ": ranks of a world of " +
                             std::to_string(options.world_size) + " are 0 to " +
                             std::to_string(options.world_size - 1));
  if (options.batch_size > step_rows_max / options.world_size)
    throw ConfigurationError("batch_size " + std::to_string(options.batch_size) + " on " +
                                 std::to_string(options.world_size) + (options.world_size == 1 ? " rank" : " ranks") +
                                 ": a step has at most 2^40 records",
                             "A batch_size above the number of records makes one batch of them.");
  if (options.window == 0) throw ConfigurationError("window 0: a window has at least one record");
  return options;
}

}  // namespace

class Loader::State {
 public:
  explicit State(LoaderOptions const& options)
      : options_(checked(options)),
        opened_(open_input(options, false)),
        input_(*opened_),
        pool_(std::make_shared<RoundPool>(input_.engine().device)) {
    check_access();
    if (input_.engine().device != nullptr) process_ = ::getpid();
  }

  ~State() {
    // Threads do not exist in a process that was forked: there is nobody to wait for.
    if (prefetcher_ != nullptr && process_ != ::getpid()) (void)prefetcher_.release();
  }

  [[nodiscard]] LoaderOptions const& options() const { return options_; }
  [[nodiscard]] OpenedInput const& input() const { return input_; }
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  EpochPlan plan() {
    count_records();
    Division division = this->division();
    division.first = 0;
    EpochPlan plan = division.plan(*records_);
    plan.rejected = index_ != nullptr ? index_->rejected() : rejected_;
    return plan;
  }

  bool next(SharedBatch& batch) {
    check_process();
    if (began_.load() == Clock::time_point{}) began_ = Clock::now();
    MadeBatch made;
    if (!next_made(made)) {
      input_.check_unchanged(true);
      set_epoch(epoch_ + 1);
      return false;
    }
    position_ = made.position;
    place_ = made.place;
    ++step_;
    ++batches_;
    batch_records_ += made.batch.valid_rows;
    batch = std::move(made.batch);
    batch.memory = std::make_shared<HeldBatch>(std::move(batch.memory), made.bytes, held_bytes_);
    return true;
  }

  void set_epoch(std::uint64_t epoch) {
    check_process();
    prefetcher_.reset();
    epoch_ = epoch;
    position_ = step_ = 0;
    place_.reset();
  }

  [[nodiscard]] std::string state() const {
    LoaderState state = state_of(input_);
    state.order = order();
    state.epoch = epoch_;
    state.position = position_;
    state.step = step_;
    if (position_ != 0) state.place = place_;
    return to_json(state);
  }

  void restore(std::string_view text, bool allows_modified) {
    LoaderState const state = parse_state(text);
    LoaderState now = state_of(input_);
    now.order = order();
    check_state(state, now, allows_modified);
    set_epoch(state.epoch);
    position_ = state.position;
    step_ = state.step;
    place_ = state.place;
  }

  /// Any thread may call it.
  [[nodiscard]] LoaderMetrics metrics() const {
    LoaderMetrics metrics;
    metrics.batches = batches_;
    metrics.records = batch_records_;
    metrics.rejected = has_index_ ? index_rejected_.load() : counts_.rejected.load();
    metrics.text_bytes = counts_.text_bytes;
    Clock::time_point const began = began_;
    if (began != Clock::time_point{}) metrics.seconds = std::chrono::duration<double>(Clock::now() - began).count();
    metrics.waited_seconds = times_.seconds(Stage::waited);
    metrics.blocked_seconds = times_.seconds(Stage::blocked);
    metrics.read_seconds = times_.seconds(Stage::read);
    metrics.cut_seconds = times_.seconds(Stage::cut);
    metrics.decode_seconds = times_.seconds(Stage::decode);
    metrics.assemble_seconds = times_.seconds(Stage::assemble);
    metrics.ready_bytes = ready_bytes_;
    metrics.held_bytes = *held_bytes_;
    metrics.threads = threads_;
    return metrics;
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] OrderOptions order() const { return {options_.shuffle, options_.window, options_.seed}; }
  [[nodiscard]] Division division() const {
    return {position_, options_.batch_size, options_.rank, options_.world_size, options_.remainder};
  }
  [[nodiscard]] bool is_at_random() const { return input_.why_not_at_random().empty(); }

  void check_process() const {
    if (process_ == 0 || process_ == ::getpid()) return;
    throw ConfigurationError("the loader was used in process " + std::to_string(process_) +
                                 ", and its threads and devices are not in this one, which was forked from it",
                             "Make the loader in the process that uses it.");
  }

  void check_access() const {
    if (is_at_random()) return;
    if (options_.shuffle == Shuffle::exact)
      throw ConfigurationError("shuffle exact reads records in any order, and " + input_.why_not_at_random(),
                               "shuffle window reads in sequence");
    if (is_order_of_files_judged())
      throw ConfigurationError(
          "shuffle window reads files in another order, in which query ids descend, and " + input_.why_not_at_random(),
          "qid-order any takes query ids in any order");
  }

  /// Which records are good depends on the files before theirs, which are not read before them.
  [[nodiscard]] bool is_order_of_files_judged() const {
    return options_.shuffle == Shuffle::window && input_.files().size() > 1 && input_.plan() != nullptr &&
           checks_qid_order(*input_.plan());
  }

  /// Several ranks read their own records alone.
  [[nodiscard]] bool always_uses_index() const {
    return options_.shuffle == Shuffle::exact || options_.world_size > 1 || is_order_of_files_judged();
  }

  /// So does whoever goes on where a stream cannot begin.
  [[nodiscard]] bool wants_index() const {
    return is_at_random() && (always_uses_index() || (position_ != 0 && !place_));
  }

  /// Where nobody asked for the device by name and it has no room for a batch, the CPU goes on behind the last one.
  bool next_made(MadeBatch& made) {
    try {
      if (prefetcher_ == nullptr) begin_epoch();
      return prefetcher_->next(made, options_.on_wait);
    } catch (DeviceMemoryError const& error) {
      bool const may_leave = input_.engine().device != nullptr && !input_.stream().is_device_required;
      if (!may_leave || !input_.is_read_again()) throw;
      prefetcher_.reset();
      leave_device(error.what());
    }
    begin_epoch();
    return prefetcher_->next(made, options_.on_wait);
  }

  void begin_epoch() {
    if (!input_.is_read_again() && passes_++ > 0)
      throw SourceError(input_.why_not_at_random() + ": there is no second epoch");
    input_.check_unchanged();
    if (wants_index()) find_index();
    if (index_ != nullptr) records_ = index_->records();
    if (options_.world_size > 1) count_records();
    EpochTask task;
    task.order = order();
    task.division = division();
    task.epoch = epoch_;
    task.steps_before = step_;
    task.records = records_;
    if (records_) (void)task.division.steps(*records_);  // throws where ranks would have unequal steps
    process_ = ::getpid();
    prefetcher_ = std::make_unique<Prefetcher>(wants_index() ? index_workers(task) : stream_worker(task),
                                               options_.prefetch_bytes, times_, ready_bytes_);
  }

  std::vector<std::unique_ptr<BatchWorker>> stream_worker(EpochTask task) {
    task.start = place_;
    std::vector<std::unique_ptr<BatchWorker>> workers;
    PassOptions pass;
    pass.pool = pool_;
    pass.trace = &times_;
    threads_ = plan_threads();
    auto worker = std::make_unique<StreamWorker>(input_, task, pass, counts_);
    follow(worker->device());
    workers.push_back(std::move(worker));
    return workers;
  }

  std::vector<std::unique_ptr<BatchWorker>> index_workers(EpochTask const& task) {
    StreamOptions stream = input_.stream();
    stream.pool = pool_;
    stream.trace = &times_;
    stream.leaves_features = are_features_left(input_.layout());
    StreamSizes sizes = plan_sizes(*input_.plan(), stream);
    auto const make = [&](StreamOptions const& fitting, StreamSizes const& its_sizes) {
      std::vector<std::unique_ptr<BatchWorker>> workers;
      for (unsigned i = 0; i < its_sizes.lanes; ++i)
        workers.push_back(std::make_unique<IndexWorker>(input_, *index_, task, fitting, its_sizes, counts_));
      return workers;
    };
    auto workers = made_to_fit(*input_.plan(), stream, sizes, make);
    follow(stream.device);
    threads_ = sizes.lanes;
    return workers;
  }

  /// Once workers have left a device that has no room for them, all that comes does.
  void follow(std::shared_ptr<Device> const& device) {
    if (device != nullptr || input_.engine().device == nullptr) return;
    leave_device("no lane could be made there");
  }
  void leave_device(std::string const& reason) {
    opened_->leave_device(input_.engine().device->description() + ": " + reason);
    pool_ = std::make_shared<RoundPool>();
  }

  [[nodiscard]] unsigned plan_threads() const {
    return input_.plan() == nullptr ? 1 : plan_sizes(*input_.plan(), input_.stream()).lanes;
  }

  /// From the index where one is used or there already, else by a pass.
  void count_records() {
    if (records_) return;
    if (is_at_random() && (always_uses_index() || load_index())) {
      find_index();
      records_ = index_->records();
      return;
    }
    if (!input_.is_read_again())
      throw ConfigurationError(
          "how many records there are is known only when they were read, and " + input_.why_not_at_random(),
          "A file can be counted first.");
    StreamCounts counts;
    run_stoppable([&] { counts = count_by_pass(); }, options_.on_wait);
    records_ = counts.records;
    rejected_ = counts.rejected;
  }

  [[nodiscard]] StreamCounts count_by_pass() const {
    PassOptions pass;
    pass.pool = pool_;
    std::unique_ptr<RowSource> const rows = open_rows(input_, pass);
    for (RowPiece piece; rows->next(piece);) (void)rows->take_reject_places();
    return rows->counts();
  }

  [[nodiscard]] std::string index_path() const {
    return options_.index.empty() ? default_index_path(input_) : options_.index;
  }

  /// If there is one beside the files.
  bool load_index() {
    if (index_ == nullptr && options_.index != "none") keep_index(RecordIndex::load(index_path(), input_));
    return index_ != nullptr;
  }

  void keep_index(std::shared_ptr<RecordIndex const> index) {
    index_ = std::move(index);
    if (index_ == nullptr) return;
    index_rejected_ = index_->rejected();
    has_index_ = true;
  }

  void find_index() {
    if (load_index()) return;
    std::shared_ptr<RecordIndex const> built;
    run_stoppable([&] { built = RecordIndex::build(input_); }, options_.on_wait);
    keep_index(std::move(built));
    bool const is_saved = options_.index == "none" || index_->save(index_path(), input_);
    if (!is_saved && !options_.index.empty())
      throw SinkError(index_path() + ": the index cannot be written there", "index \"none\" keeps it in memory");
  }

  LoaderOptions options_;
  std::unique_ptr<OpenedInput> opened_;
  OpenedInput const& input_;
  std::shared_ptr<RoundPool> pool_;
  StageTimes times_;
  SharedCounts counts_;
  std::shared_ptr<RecordIndex const> index_;
  std::optional<std::uint64_t> records_;
  std::uint64_t rejected_ = 0;  ///< as they were counted
  unsigned passes_ = 0;         ///< over an input that is read once

  std::uint64_t epoch_ = 0;
  std::uint64_t position_ = 0;  ///< in the epoch, of the next step
  std::uint64_t step_ = 0;
  std::optional<StreamPlace> place_;
  pid_t process_ = 0;  ///< whose threads they are; 0: there have been none

  // What metrics() tells to other threads, too:
  std::atomic<Clock::time_point> began_{};  ///< its epoch: not yet
  std::atomic<std::uint64_t> batches_ = 0, batch_records_ = 0;
  std::atomic<std::uint64_t> index_rejected_ = 0;
  std::atomic<bool> has_index_ = false;
  std::atomic<unsigned> threads_ = 0;
  std::atomic<std::size_t> ready_bytes_ = 0;
  std::shared_ptr<std::atomic<std::uint64_t>> held_bytes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::unique_ptr<Prefetcher> prefetcher_;  ///< goes first: its threads use the rest
};

Loader::Loader(LoaderOptions const& options) : state_(std::make_unique<State>(options)) {}
Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;
Loader& Loader::operator=(Loader&&) noexcept = default;

LoaderOptions const& Loader::options() const { return state_->options(); }
BatchLayout const& Loader::layout() const { return state_->input().layout(); }
std::vector<std::string> Loader::names(Role role) const { return state_->input().names(role); }
std::vector<std::string> Loader::notes() const { return state_->input().notes(); }
EpochPlan Loader::plan() { return state_->plan(); }
bool Loader::next(SharedBatch& batch) { return state_->next(batch); }
std::uint64_t Loader::epoch() const { return state_->epoch(); }
void Loader::set_epoch(std::uint64_t epoch) { state_->set_epoch(epoch); }
std::string Loader::state() const { return state_->state(); }
void Loader::restore(std::string_view state, bool allows_modified) { state_->restore(state, allows_modified); }
LoaderMetrics Loader::metrics() const { return state_->metrics(); }
std::string Loader::metrics_text() const { return prometheus_text(metrics()); }
std::string Loader::summary() const { return summary_line(metrics()); }

}  // namespace penstock
