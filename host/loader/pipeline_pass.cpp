// The public Pipeline, and everything at once.

#include <utility>
#include <vector>

#include "host/io/stoppable.hpp"
#include "host/loader/assemble.hpp"
#include "host/loader/opened_input.hpp"
#include "host/loader/row_source.hpp"
#include "host/pipeline/input_head.hpp"
#include "penstock/loader.hpp"

namespace penstock {

class Pipeline::State {
 public:
  explicit State(PipelineOptions const& options) : input_(open_input(options, true)) {
    PassOptions pass;
    pass.pool = std::make_shared<RoundPool>(input_->engine().device);
    rows_ = open_rows(*input_, pass);
  }

  [[nodiscard]] OpenedInput const& input() const { return *input_; }

  bool next(SharedBatch& batch) {
    RowPiece piece;
    if (!next_piece(piece)) return false;
    RowRun const all{&piece, 0, piece.rows.rows};
    batch = assemble(input_->layout(), {&all, 1});
    batch.step = step_++;
    batch.provenance.file = name_of(input_->files()[piece.file]);
    batch.provenance.first_record = records_;
    records_ += piece.rows.rows;
    batch.provenance.last_record = records_ - 1;
    batch.provenance.rejected = rows_->counts().rejected;
    return true;
  }

  bool next_piece(RowPiece& piece) {
    bool const is_there = rows_->next(piece);
    (void)rows_->take_reject_places();
    return is_there;
  }

  [[nodiscard]] ReadCounts counts() const {
    StreamCounts const counts = rows_->counts();
    return {counts.records, counts.rejected, counts.repaired_cells, counts.text_bytes};
  }

 private:
  std::unique_ptr<OpenedInput> input_;
  std::unique_ptr<RowSource> rows_;
  std::uint64_t step_ = 0, records_ = 0;
};

Pipeline::Pipeline(PipelineOptions const& options) : state_(std::make_unique<State>(options)) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;

BatchLayout const& Pipeline::layout() const { return state_->input().layout(); }
std::vector<std::string> Pipeline::names(Role role) const { return state_->input().names(role); }
std::vector<std::string> Pipeline::notes() const { return state_->input().notes(); }
bool Pipeline::next(SharedBatch& batch) { return state_->next(batch); }
ReadCounts Pipeline::counts() const { return state_->counts(); }

namespace {

SharedBatch read_everything(PipelineOptions const& options, BatchLayout* layout) {
  OpenedInput const input(options, true);
  if (layout != nullptr) *layout = input.layout();
  std::unique_ptr<RowSource> const rows = open_rows(input, {});
  std::vector<RowPiece> pieces;
  for (RowPiece piece; rows->next(piece);) {
    pieces.push_back(std::move(piece));
    (void)rows->take_reject_places();
  }
  std::vector<RowRun> runs;
  for (RowPiece const& piece : pieces) runs.push_back({&piece, 0, piece.rows.rows});
  RowPiece const nothing = copied(input.layout(), BatchBuffer(input.layout(), std::size_t{0}).view(0));
  if (runs.empty()) runs.push_back({&nothing, 0, 0});
  SharedBatch batch = assemble(input.layout(), runs);
  batch.provenance.file = name_of(input.files().front());
  batch.provenance.last_record = batch.rows.rows == 0 ? 0 : batch.rows.rows - 1;
  batch.provenance.rejected = rows->counts().rejected;
  return batch;
}

}  // namespace

SharedBatch read_all(PipelineOptions const& options, BatchLayout* layout) {
  SharedBatch batch;
  run_stoppable([&] { batch = read_everything(options, layout); }, options.on_wait);
  return batch;
}

}  // namespace penstock
