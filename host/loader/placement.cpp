#include "host/loader/placement.hpp"

#include <algorithm>
#include <utility>

#include "host/exec/make_executor.hpp"

namespace penstock {
namespace {

/// Several memories that are kept as one.
std::shared_ptr<void const> joined(std::vector<std::shared_ptr<void const>> memories) {
  return std::make_shared<std::vector<std::shared_ptr<void const>> const>(std::move(memories));
}

/// The memory of all pieces of `runs`, and `more`.
std::shared_ptr<void const> memory_of(std::span<RowRun const> runs, std::shared_ptr<void const> more) {
  std::vector<RowPiece const*> pieces;
  for (RowRun const& run : runs) pieces.push_back(run.piece);
  std::ranges::sort(pieces);
  pieces.erase(std::ranges::unique(pieces).begin(), pieces.end());
  std::vector<std::shared_ptr<void const>> memories = {std::move(more)};
  for (RowPiece const* piece : pieces) memories.push_back(piece->memory);
  return joined(std::move(memories));
}

}  // namespace

bool are_features_left(BatchLayout const& layout) { return layout.is_dense() && layout.features != 0; }

Placement::Placement(BatchLayout const& layout, std::shared_ptr<Device> device)
    : layout_(layout), host_layout_(layout) {
  if (device == nullptr || !layout.is_dense()) return;
  uploader_ = make_uploader(std::move(device));
  host_layout_.features = 0;
}

void Placement::place(RowPiece& piece) {
  bool const is_placed = piece.features_on_device != nullptr || piece.rows.features.columns == 0;
  if (uploader_ == nullptr || is_placed) return;
  FeaturesOnDevice const features = uploader_->put(piece.rows.features, piece.memory);
  piece.features_on_device = features.data;
  piece.memory = joined({std::move(piece.memory), features.memory});
  piece.rows.features.data = nullptr;
}

SharedBatch Placement::assemble(std::span<RowRun const> runs) {
  SharedBatch batch = penstock::assemble(host_layout_, runs);
  if (uploader_ == nullptr) return batch;
  Dense& features = batch.rows.features;
  features = {nullptr, layout_.feature_dtype, batch.rows.rows, layout_.features};
  features_.clear();
  if (layout_.features != 0) {
    for (RowRun const& run : runs)
      features_.push_back({run.piece->features_on_device + run.first * features.row_bytes(), run.count});
    if (runs.size() > 1) batch.memory = memory_of(runs, std::move(batch.memory));
  }
  return uploader_->upload(batch, features_);
}

}  // namespace penstock
