#include "formats/core/reshape.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace penstock {
namespace {

constexpr Absent meanings[] = {Absent::zero, Absent::missing};

template <class T>
using BitsOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// A dense matrix that owns its cells.
template <class T>
struct Cells {
  std::size_t rows;
  std::size_t columns;
  std::vector<T> values;

  Cells(std::size_t r, std::size_t c, std::vector<T> v) : rows(r), columns(c), values(std::move(v)) {}
  [[nodiscard]] Dense view() { return {reinterpret_cast<std::byte*>(values.data()), dtype_of<T>, rows, columns}; }
};

/// A CSR matrix that owns its arrays.
template <class T>
struct Pairs {
  std::vector<std::int64_t> indptr;
  std::vector<std::int64_t> indices;
  std::vector<T> values;

  [[nodiscard]] Csr view(std::size_t columns) {
    Csr csr;
    csr.indptr = indptr.data();
    csr.indices = indices.data();
    csr.values = reinterpret_cast<std::byte*>(values.data());
    csr.dtype = dtype_of<T>;
    csr.rows = indptr.size() - 1;
    csr.columns = columns;
    return csr;
  }
};

template <class T>
std::vector<BitsOf<T>> bits_of(std::vector<T> const& values) {
  std::vector<BitsOf<T>> bits;
  for (T value : values) bits.push_back(std::bit_cast<BitsOf<T>>(value));
  return bits;
}

template <class T>
Pairs<T> sparse_of(Cells<T>& cells, Absent absent) {
  BatchCapacity const room = sparse_capacity(cells.view());
  EXPECT_EQ(room.rows, cells.rows);
  EXPECT_EQ(room.pairs, cells.rows * cells.columns);
  Pairs<T> pairs;
  pairs.indptr.assign(room.rows + 1, -1);
  pairs.indices.assign(room.pairs, -1);
  pairs.values.resize(room.pairs);
  Csr out = pairs.view(cells.columns);
  sparsify(cells.view(), out, absent);
  auto const count = static_cast<std::size_t>(pairs.indptr.back());
  pairs.indices.resize(count);
  pairs.values.resize(count);
  return pairs;
}

template <class T>
Cells<T> dense_of(Pairs<T>& pairs, std::size_t columns, Absent absent) {
  Csr const in = pairs.view(columns);
  Cells<T> cells(in.rows, columns, std::vector<T>(in.rows * columns, T{77}));
  EXPECT_EQ(densify(in, cells.view(), absent), in.rows);
  return cells;
}

template <class T>
T missing() {
  return std::bit_cast<T>(sizeof(T) == 4 ? BitsOf<T>{missing_float32_bits}
                                         : static_cast<BitsOf<T>>(missing_float64_bits));
}

template <class T>
class ReshapeOf : public testing::Test {};
template <class T>
class ReshapeOfFloats : public testing::Test {};
using AllTypes = testing::Types<float, double, std::int32_t, std::int64_t>;
using FloatTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(ReshapeOf, AllTypes);
TYPED_TEST_SUITE(ReshapeOfFloats, FloatTypes);

TYPED_TEST(ReshapeOf, ZerosAreAbsent) {
  Cells<TypeParam> cells(3, 3, {1, 0, 2, 0, 0, 0, 0, 3, 0});
  Pairs<TypeParam> pairs = sparse_of(cells, Absent::zero);
  EXPECT_EQ(pairs.indptr, (std::vector<std::int64_t>{0, 2, 2, 3}));
  EXPECT_EQ(pairs.indices, (std::vector<std::int64_t>{0, 2, 1}));
  EXPECT_EQ(pairs.values, (std::vector<TypeParam>{1, 2, 3}));
  EXPECT_EQ(dense_of(pairs, 3, Absent::zero).values, cells.values);
}

TYPED_TEST(ReshapeOf, ExplicitZerosBecomeZeros) {
  Pairs<TypeParam> pairs{{0, 2}, {1, 3}, {0, 9}};
  Cells<TypeParam> cells = dense_of(pairs, 4, Absent::zero);
  EXPECT_EQ(cells.values, (std::vector<TypeParam>{0, 0, 0, 9}));
  EXPECT_EQ(sparse_of(cells, Absent::zero).indices, std::vector<std::int64_t>{3});
}

TYPED_TEST(ReshapeOf, LargestAndSmallestValuesStay) {
  using Limits = std::numeric_limits<TypeParam>;
  Cells<TypeParam> cells(1, 3, {Limits::min(), Limits::max(), Limits::lowest()});
  Pairs<TypeParam> pairs = sparse_of(cells, Absent::zero);
  EXPECT_EQ(pairs.values, cells.values);
}

TYPED_TEST(ReshapeOf, NoRowsAndNoColumns) {
  for (std::size_t rows : {0u, 3u}) {
    Cells<TypeParam> cells(rows, rows == 0 ? 4 : 0, {});
    Pairs<TypeParam> pairs = sparse_of(cells, Absent::zero);
    EXPECT_EQ(pairs.indptr, std::vector<std::int64_t>(rows + 1, 0));
    EXPECT_TRUE(dense_of(pairs, cells.columns, Absent::zero).values.empty());
  }
}

TYPED_TEST(ReshapeOf, RowsInTheMiddleOfAMatrix) {
  Pairs<TypeParam> pairs{{0, 1, 3, 4}, {0, 1, 2, 0}, {5, 6, 7, 8}};
  Batch batch;
  batch.csr = pairs.view(3);
  batch.set_rows(3);
  Cells<TypeParam> cells(2, 3, std::vector<TypeParam>(6, 77));
  EXPECT_EQ(densify(batch.rows_from(1, 2), cells.view(), Absent::zero), 2u);
  EXPECT_EQ(cells.values, (std::vector<TypeParam>{0, 6, 7, 8, 0, 0}));
}

TYPED_TEST(ReshapeOf, AnIndexBeyondTheColumnsEndsIt) {
  for (std::int64_t bad : {std::int64_t{3}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::max()}) {
    Pairs<TypeParam> pairs{{0, 1, 2, 3}, {2, bad, 0}, {5, 6, 7}};
    Cells<TypeParam> cells(3, 3, std::vector<TypeParam>(9, 77));
    EXPECT_EQ(densify(pairs.view(0), cells.view(), Absent::zero), 1u);
    EXPECT_EQ(cells.values, (std::vector<TypeParam>{0, 0, 5, 77, 77, 77, 77, 77, 77}));
  }
}

TYPED_TEST(ReshapeOfFloats, MissingCellsAreAbsent) {
  TypeParam const nan = missing<TypeParam>();
  Cells<TypeParam> cells(2, 3, {nan, 0, TypeParam{-0.0}, nan, nan, nan});
  Pairs<TypeParam> pairs = sparse_of(cells, Absent::missing);
  EXPECT_EQ(pairs.indptr, (std::vector<std::int64_t>{0, 2, 2}));
  EXPECT_EQ(pairs.indices, (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(bits_of(dense_of(pairs, 3, Absent::missing).values), bits_of(cells.values));
}

TYPED_TEST(ReshapeOfFloats, ZeroesOfEitherSignAndMissingCellsUnderZero) {
  TypeParam const nan = missing<TypeParam>();
  Cells<TypeParam> cells(1, 4, {TypeParam{-0.0}, 0, nan, 1});
  Pairs<TypeParam> pairs = sparse_of(cells, Absent::zero);
  EXPECT_EQ(pairs.indices, (std::vector<std::int64_t>{0, 2, 3}));
  EXPECT_EQ(bits_of(pairs.values), bits_of(std::vector<TypeParam>{TypeParam{-0.0}, nan, 1}));
  EXPECT_EQ(bits_of(dense_of(pairs, 4, Absent::zero).values), bits_of(cells.values));
}

TYPED_TEST(ReshapeOfFloats, EveryNanIsMissingAndInfinitiesAreNot) {
  using Bits = BitsOf<TypeParam>;
  TypeParam const infinity = std::numeric_limits<TypeParam>::infinity();
  Bits const top = std::bit_cast<Bits>(infinity);
  Bits const sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
  Cells<TypeParam> cells(1, 6, {});
  for (Bits bits : {top, static_cast<Bits>(top | sign), static_cast<Bits>(top + 1), static_cast<Bits>((top + 1) | sign),
                    static_cast<Bits>(~Bits{0}), static_cast<Bits>(top - 1)})
    cells.values.push_back(std::bit_cast<TypeParam>(bits));
  Pairs<TypeParam> pairs = sparse_of(cells, Absent::missing);
  EXPECT_EQ(pairs.indices, (std::vector<std::int64_t>{0, 1, 5}));
  Pairs<TypeParam> const all = sparse_of(cells, Absent::zero);
  EXPECT_EQ(bits_of(all.values), bits_of(cells.values));
}

TYPED_TEST(ReshapeOfFloats, PairsThatSayWhatAbsenceSaysDoNotComeBack) {
  TypeParam const nan = missing<TypeParam>();
  Pairs<TypeParam> pairs{{0, 2}, {0, 1}, {0, nan}};
  Cells<TypeParam> zero = dense_of(pairs, 3, Absent::zero);
  EXPECT_EQ(bits_of(zero.values), bits_of(std::vector<TypeParam>{0, nan, 0}));
  EXPECT_EQ(sparse_of(zero, Absent::zero).indices, std::vector<std::int64_t>{1});
  Cells<TypeParam> missing_cells = dense_of(pairs, 3, Absent::missing);
  EXPECT_EQ(bits_of(missing_cells.values), bits_of(std::vector<TypeParam>{0, nan, nan}));
  EXPECT_EQ(sparse_of(missing_cells, Absent::missing).indices, std::vector<std::int64_t>{0});
}

TYPED_TEST(ReshapeOfFloats, RandomMatricesComeBack) {
  std::mt19937 random(11);
  TypeParam const nan = missing<TypeParam>();
  TypeParam const choices[] = {0, TypeParam{-0.0}, nan, 1, -2};
  for (int round = 0; round < 200; ++round) {
    std::size_t const rows = random() % 5;
    std::size_t const columns = random() % 40;
    Cells<TypeParam> cells(rows, columns, {});
    for (std::size_t i = 0; i < rows * columns; ++i) cells.values.push_back(choices[random() % 5]);
    for (Absent absent : meanings) {
      Pairs<TypeParam> pairs = sparse_of(cells, absent);
      std::size_t kept = 0;
      for (TypeParam cell : cells.values) {
        bool const is_zero = std::bit_cast<BitsOf<TypeParam>>(cell) == 0;
        kept += (absent == Absent::zero ? !is_zero : cell == cell) ? 1 : 0;
      }
      ASSERT_EQ(pairs.values.size(), kept);
      ASSERT_EQ(bits_of(dense_of(pairs, columns, absent).values), bits_of(cells.values));
      Pairs<TypeParam> const again = sparse_of(cells, absent);
      ASSERT_EQ(again.indptr, pairs.indptr);
      ASSERT_EQ(again.indices, pairs.indices);
    }
  }
}

TEST(Reshape, IntegersHaveNoMissingValue) {
  for (DType dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
    EXPECT_FALSE(unsupported_reshape(dtype, Absent::zero).has_value());
    std::optional<Problem> const problem = unsupported_reshape(dtype, Absent::missing);
    ASSERT_EQ(problem.has_value(), !is_floating(dtype));
    if (!problem) continue;
    EXPECT_NE(problem->message.find(name_of(dtype)), std::string::npos);
    EXPECT_FALSE(problem->hint.empty());
  }
}

TEST(Reshape, BytesThatCannotBeCounted) {
  EXPECT_EQ(dense_bytes(10, 3, DType::float64), 240u);
  EXPECT_EQ(dense_bytes(0, std::size_t{1} << 63, DType::float64), 0u);
  EXPECT_FALSE(dense_bytes(std::size_t{1} << 32, std::size_t{1} << 32, DType::float32).has_value());
  EXPECT_FALSE(dense_bytes(std::size_t{1} << 31, std::size_t{1} << 31, DType::float32).has_value());
  EXPECT_EQ(dense_bytes(std::size_t{1} << 30, std::size_t{1} << 31, DType::float32), std::uint64_t{1} << 63);
}

}  // namespace
}  // namespace penstock
