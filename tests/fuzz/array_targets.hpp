/// The fuzz targets of .npy and .npz: arbitrary bytes, and archives with right checksums around arbitrary arrays.
#pragma once

#include <string_view>

namespace penstock::fuzz {

/// The file is a .npy file. Headers keep what formats/dense/npy_reader.hpp promises, and what open_npy() reads is rows.
void run_npy_target(std::string_view input);

/// The file is a .npz file, or its pieces between NumPy magics become the arrays of one. What open_npz() reads is rows,
/// and any stretch of them is the same rows.
void run_npz_target(std::string_view input);

}  // namespace penstock::fuzz
