/// A normaliser in device memory: the program, and memory for the features that it makes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "formats/normalize/program.hpp"
#include "penstock/batch.hpp"

namespace penstock::cuda {

/// Applies a normalize::Program to rows in device memory. One object serves one stream.
class DeviceNormalizer {
 public:
  /// Copies the program, and waits. `features`: the type of what goes in; `rows_max`: at least 1.
  DeviceNormalizer(Stream& stream, normalize::Program const& program, DType features, std::size_t rows_max);

  /// Rows of `decoded` with the features that the program makes of theirs and of their categories; the other tensors
  /// are shared. Enqueues. Valid until the next call. `decoded` is dense and lies in device memory.
  [[nodiscard]] Batch apply(Batch const& decoded);
  [[nodiscard]] std::size_t device_bytes() const;
  /// Of the features that come out.
  [[nodiscard]] std::size_t row_bytes() const { return columns_ * size_bytes(dtype_); }

 private:
  template <class U, class T>
  void launch(Batch const& decoded);

  Stream& stream_;
  bool is_affine_;
  DType dtype_;  ///< of what comes out
  std::uint32_t columns_;
  DeviceArray<normalize::Run> runs_;
  DeviceArray<std::uint32_t> run_of_;
  DeviceArray<normalize::Parameters> parameters_;
  DeviceArray<double> edges_;
  DeviceArray<std::byte> rows_;
};

}  // namespace penstock::cuda
