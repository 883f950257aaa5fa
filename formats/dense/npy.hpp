/// The header of a .npy file (README.md has the grammar): made for one- and two-dimensional arrays, parsed
/// for any array that penstock can read. Source of the rules: NumPy's NEP 1 and numpy.lib.format.
#pragma once

#include "formats/dense/npy_layout.hpp"
#include "formats/dense/npy_reader.hpp"
#include "formats/dense/npy_text.hpp"
#include "formats/dense/npy_writer.hpp"
