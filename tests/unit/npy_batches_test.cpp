// .npz archives read as batches: CSR matrices as SciPy saves them, ragged labels, compressed entries, damage.

#include "formats/dense/crc32.hpp"
#include "formats/dense/npy.hpp"
#include "formats/dense/zip.hpp"
#include "host/app/batch_reader.hpp"
#include "host/io/inflater.hpp"
#include "host/io/output.hpp"
#include "penstock/error.hpp"
#include "tests/support/gzip_bytes.hpp"
#include "tests/support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::app {
namespace {

using penstock::testing::ScratchFolder;

template <class T>
std::string array_of(std::vector<T> const& values) {
  npy::HeaderBytes const header = npy::make_header(dtype_of<T>, values.size());
  std::string file(reinterpret_cast<char const*>(header.data()), header.size());
  if (!values.empty()) file.append(reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T));
  return file;
}

std::string text_array_of(std::string_view text) {
  npy::HeaderBytes const header = npy::make_text_header(static_cast<std::uint32_t>(text.size()));
  return std::string(reinterpret_cast<char const*>(header.data()), header.size()).append(text);
}

using Integers = std::vector<std::int32_t>;
using LongIntegers = std::vector<std::int64_t>;
using Floats = std::vector<float>;

/// Arrays by name, and an archive of them.
using Arrays = std::map<std::string, std::string>;

/// What an entry is stored as: deflated without compressing (RFC 1951, 3.2.4), or as it is.
std::string stored_form(std::string const& content, bool is_deflated) {
  if (!is_deflated) return content;
  std::string const member = penstock::testing::gzip_bytes(content);
  return member.substr(10, member.size() - 18);
}

std::string zip_of(Arrays const& arrays, bool is_deflated) {
  std::string archive;
  std::string central;
  std::uint16_t const method = is_deflated ? zip::method_deflated : zip::method_stored;
  auto const text_of = [](zip::Header const& header) {
    return std::string(reinterpret_cast<char const*>(header.bytes().data()), header.bytes().size());
  };
  for (auto const& [name, content] : arrays) {
    std::string const stored = stored_form(content, is_deflated);
    auto const add_common = [&, &content = content, &name = name](zip::Header& header) {
      header.u16(0).u16(method).u16(0).u16(33).u32(crc32(std::as_bytes(std::span(content))));
      header.u32(static_cast<std::uint32_t>(stored.size())).u32(static_cast<std::uint32_t>(content.size()));
      header.u16(static_cast<std::uint16_t>(name.size() + 4)).u16(0);
    };
    zip::Header local;
    zip::Header listed;
    add_common(local.u32(0x04034b50).u16(20));
    add_common(listed.u32(0x02014b50).u16(20).u16(20));
    listed.u16(0).u16(0).u16(0).u32(0).u32(static_cast<std::uint32_t>(archive.size())).text(name + ".npy");
    central += text_of(listed);
    archive += text_of(local.text(name + ".npy")) + stored;
  }
  return archive + central + text_of(zip::end_records({arrays.size(), archive.size(), central.size()}));
}

Arrays csr_arrays() {
  return {{"indptr", array_of(Integers{0, 2, 2, 5, 5})},
          {"indices", array_of(Integers{0, 3, 1, 2, 4})},
          {"data", array_of(Floats{1, 2, 3, 4, 5})},
          {"format", text_array_of("csr")},
          {"shape", array_of(LongIntegers{4, 5})}};
}

/// All rows of a reader as text: "0:1 3:2 | | 1:3 ..." with labels in front; and how the rows were cut.
struct Seen {
  std::string rows;
  std::vector<std::size_t> batches;
  BatchLayout layout;
  std::vector<std::string> notes;
};

std::string number(double value) {
  std::string text = std::to_string(value);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

double value_at(Csr const& csr, std::size_t k) {
  switch (csr.dtype) {
    case DType::float32: return csr.values_as<float>()[k];
    case DType::float64: return csr.values_as<double>()[k];
    case DType::int32: return csr.values_as<std::int32_t>()[k];
    case DType::int64: return static_cast<double>(csr.values_as<std::int64_t>()[k]);
  }
  return 0;
}

void show(Batch const& batch, std::string& text) {
  for (std::size_t row = 0; row < batch.rows; ++row) {
    if (batch.label.columns == 1) text += number(batch.label.as<float>()[row]) + ' ';
    if (batch.weight.columns == 1) text += 'w' + number(batch.weight.as<float>()[row]) + ' ';
    if (batch.base_margin.columns == 1) text += 'm' + number(batch.base_margin.as<float>()[row]) + ' ';
    if (batch.qid.columns == 1) text += 'q' + std::to_string(batch.qid.as<std::int64_t>()[row]) + ' ';
    if (batch.labels.offsets != nullptr) {
      Extent const labels = batch.labels.row(row);
      for (std::size_t k = labels.begin; k < labels.end; ++k) text += 'l' + number(batch.labels.as<float>()[k]) + ' ';
    }
    if (batch.csr.indptr != nullptr) {
      Extent const pairs = batch.csr.row(row);
      for (std::size_t k = pairs.begin; k < pairs.end; ++k)
        text += std::to_string(batch.csr.indices[k]) + ':' + number(value_at(batch.csr, k)) + ' ';
    }
    text += '|';
  }
}

Seen read_back(std::string const& content) {
  ScratchFolder const folder;
  InputFile file;
  file.path = folder.put("x.npz", content);
  file.is_regular = true;
  file.size_bytes = content.size();
  std::unique_ptr<BatchReader> const reader = open_npz(file);
  Seen seen;
  seen.layout = reader->layout();
  seen.notes = reader->notes();
  for (Batch batch; reader->next(batch);) {
    show(batch, seen.rows);
    seen.batches.push_back(batch.rows);
  }
  return seen;
}

/// What is thrown: its exit code and its words.
struct Refusal {
  ExitCode code = ExitCode::ok;
  std::string message;
};

Refusal refusal_of(std::string const& content) {
  try {
    read_back(content);
  } catch (Error const& error) {
    return {error.exit_code(), std::string(error.what()) + " / " + error.hint()};
  }
  return {};
}

/// The archive with one array replaced.
std::string with(std::string const& name, std::string const& array) {
  Arrays arrays = csr_arrays();
  arrays[name] = array;
  return zip_of(arrays, false);
}

void expect_refusal(ExitCode code, std::string const& words, std::string const& content) {
  Refusal const refusal = refusal_of(content);
  EXPECT_EQ(refusal.code, code) << words;
  EXPECT_NE(refusal.message.find(words), std::string::npos) << "expected '" << words << "': " << refusal.message;
}

constexpr std::string_view csr_rows = "0:1 3:2 ||1:3 2:4 4:5 ||";

TEST(NpzBatches, CsrWithNarrowAndWideIntegers) {
  Arrays arrays = csr_arrays();
  Seen const narrow = read_back(zip_of(arrays, false));
  EXPECT_EQ(narrow.rows, csr_rows);
  EXPECT_TRUE(narrow.layout.is_sparse);
  EXPECT_EQ(narrow.layout.features, 5u);
  EXPECT_TRUE(narrow.notes.empty());
  arrays["indices"] = array_of(LongIntegers{0, 3, 1, 2, 4});
  arrays["indptr"] = array_of(LongIntegers{0, 2, 2, 5, 5});
  EXPECT_EQ(read_back(zip_of(arrays, false)).rows, csr_rows);
}

TEST(NpzBatches, CsrOfEveryElementType) {
  Arrays arrays = csr_arrays();
  for (std::string const& data : {array_of(std::vector<double>{1, 2, 3, 4, 5}), array_of(Integers{1, 2, 3, 4, 5}),
                                  array_of(LongIntegers{1, 2, 3, 4, 5})}) {
    arrays["data"] = data;
    EXPECT_EQ(read_back(zip_of(arrays, false)).rows, csr_rows);
  }
}

TEST(NpzBatches, CsrWithEverythingBeside) {
  Arrays arrays = csr_arrays();
  arrays["label"] = array_of(Floats{0, 1, 2, 3});
  arrays["weight"] = array_of(Floats{0.5, 1, 1, 1});
  arrays["base_margin"] = array_of(Floats{-1, 0, 0, 0});
  arrays["qid"] = array_of(LongIntegers{7, 7, 8, 8});
  arrays["_is_array"] = array_of(Integers{1});
  arrays["extra"] = array_of(Integers{1});
  Seen const seen = read_back(zip_of(arrays, false));
  EXPECT_EQ(seen.rows, "0 w0.5 m-1 q7 0:1 3:2 |1 w1 m0 q7 |2 w1 m0 q8 1:3 2:4 4:5 |3 w1 m0 q8 |");
  ASSERT_EQ(seen.notes.size(), 1u);
  EXPECT_EQ(seen.notes[0], "not shown: extra.npy");
}

TEST(NpzBatches, LabelsThatVary) {
  Arrays arrays = csr_arrays();
  arrays["label_values"] = array_of(Floats{1, 2, 3});
  arrays["label_offsets"] = array_of(LongIntegers{0, 0, 2, 3, 3});
  EXPECT_EQ(read_back(zip_of(arrays, false)).rows, "0:1 3:2 |l1 l2 |l3 1:3 2:4 4:5 ||");
  arrays["label_offsets"] = array_of(LongIntegers{0, 0, 2, 3});
  expect_refusal(ExitCode::schema, "3 rows", zip_of(arrays, false));
  arrays.erase("label_offsets");
  expect_refusal(ExitCode::schema, "no array called label_offsets", zip_of(arrays, false));
  arrays["label"] = array_of(Floats{0, 1, 2, 3});
  expect_refusal(ExitCode::schema, "both label and label_values", zip_of(arrays, false));
}

TEST(NpzBatches, CsrWithoutRowsOrPairs) {
  Arrays arrays = csr_arrays();
  arrays["indptr"] = array_of(Integers{0});
  arrays["indices"] = array_of(Integers{});
  arrays["data"] = array_of(Floats{});
  arrays["shape"] = array_of(LongIntegers{0, 5});
  Seen const none = read_back(zip_of(arrays, false));
  EXPECT_EQ(none.rows, "");
  EXPECT_EQ(none.layout.features, 5u);
  arrays["indptr"] = array_of(Integers{0, 0, 0});
  arrays["shape"] = array_of(LongIntegers{2, 0});
  EXPECT_EQ(read_back(zip_of(arrays, false)).rows, "||");
}

TEST(NpzBatches, IndicesInAnyOrderAreSorted) {
  EXPECT_EQ(read_back(with("indices", array_of(Integers{3, 0, 4, 1, 2}))).rows, "0:2 3:1 ||1:4 2:5 4:3 ||");
}

TEST(NpzBatches, TextsThatSayTheFormat) {
  std::string wide = "\x93NUMPY";
  std::string const text = "{'descr': '<U3', 'fortran_order': False, 'shape': (), }\n";
  wide += std::string("\x01\x00", 2) + static_cast<char>(text.size()) + '\0' + text;
  wide += std::string("c\0\0\0s\0\0\0r\0\0\0", 12);
  EXPECT_EQ(read_back(with("format", wide)).rows, csr_rows);
  expect_refusal(ExitCode::schema, "of the kind csc", with("format", text_array_of("csc")));
  expect_refusal(ExitCode::schema, "expected a text", with("format", array_of(Integers{1})));
  expect_refusal(ExitCode::schema, "expected a text", with("format", text_array_of("csr") + "x"));
}

TEST(NpzBatches, ArraysThatDoNotFitEachOther) {
  expect_refusal(ExitCode::schema, "indptr: expected 5 elements, found 4",
                 with("indptr", array_of(Integers{0, 2, 2, 5})));
  expect_refusal(ExitCode::schema, "indices: expected 5 elements, found 4",
                 with("indices", array_of(Integers{0, 3, 1, 2})));
  expect_refusal(ExitCode::schema, "expected a vector of integers", with("indices", array_of(Floats{0, 3, 1, 2, 4})));
  expect_refusal(ExitCode::schema, "label: 3 rows", with("label", array_of(Floats{0, 3, 1})));
  expect_refusal(ExitCode::schema, "shape: expected 2 elements", with("shape", array_of(LongIntegers{4})));
  expect_refusal(ExitCode::source, "negative", with("shape", array_of(LongIntegers{-1, 5})));
  Arrays arrays = csr_arrays();
  arrays.erase("data");
  expect_refusal(ExitCode::schema, "no array called data", zip_of(arrays, false));
  arrays.erase("format");
  expect_refusal(ExitCode::schema, "It has indices.npy, indptr.npy, shape.npy", zip_of(arrays, false));
}

TEST(NpzBatches, OffsetsThatAreWrong) {
  auto const expect_offsets = [](Integers const& indptr, std::string const& words) {
    expect_refusal(ExitCode::source, words, with("indptr", array_of(indptr)));
  };
  expect_offsets({1, 2, 2, 5, 5}, "begins with 1");
  expect_offsets({0, 3, 2, 5, 5}, "row 2 ends at 2, before its begin at 3");
  expect_offsets({0, -1, 2, 5, 5}, "row 1 ends at -1");
  expect_offsets({0, 2, 2, 6, 6}, "row 3 ends at 6, but there are 5 elements");
  expect_offsets({0, 2, 2, 4, 4}, "the last row ends at 4, but there are 5 elements");
  Arrays arrays = csr_arrays();
  arrays["indptr"] = array_of(Integers{0});
  arrays["shape"] = array_of(LongIntegers{0, 5});
  expect_refusal(ExitCode::source, "ends at 0, but there are 5", zip_of(arrays, false));
}

TEST(NpzBatches, IndicesThatAreWrong) {
  auto const expect_indices = [](ExitCode code, LongIntegers const& indices, std::string const& words) {
    expect_refusal(code, words, with("indices", array_of(indices)));
  };
  expect_indices(ExitCode::source, {0, 5, 1, 2, 4}, "row 1: index 5 is no column of 5");
  expect_indices(ExitCode::source, {0, 3, 1, -2, 4}, "row 3: index -2 is no column of 5");
  expect_indices(ExitCode::source, {-1, 3, 1, 2, 4}, "row 1: index -1");
  expect_indices(ExitCode::source, {0, 3, 1, 2, std::int64_t{1} << 40}, "row 3: index 1099511627776");
  expect_indices(ExitCode::schema, {0, 3, 1, 4, 4}, "row 3: index 4 stands twice");
  expect_indices(ExitCode::schema, {3, 3, 1, 2, 4}, "sum_duplicates");
}

TEST(NpzBatches, ArraysThatEndEarly) {
  Arrays const good = csr_arrays();
  for (std::string const name : {"indptr", "indices", "data"}) {
    std::string const cut = good.at(name).substr(0, good.at(name).size() - 4);
    expect_refusal(ExitCode::source, name + ": ends before", with(name, cut));
  }
}

TEST(NpzBatches, AnArrayThatIsThereTwice) {
  Arrays arrays = csr_arrays();
  arrays["Xata"] = arrays["data"];
  std::string archive = zip_of(arrays, false);
  for (std::size_t at = 0; (at = archive.find("Xata", at)) != std::string::npos;) archive[at] = 'd';
  expect_refusal(ExitCode::schema, "two arrays called data", archive);
}

/// Rows of `pairs` pairs each, alternating with empty ones; more than a batch takes.
Arrays many_pairs(std::size_t rows, std::size_t pairs) {
  Integers indptr{0};
  Integers indices;
  Floats data;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; row % 2 == 0 && i < pairs; ++i) {
      indices.push_back(static_cast<std::int32_t>(i));
      data.push_back(static_cast<float>(row));
    }
    indptr.push_back(static_cast<std::int32_t>(indices.size()));
  }
  return {{"indptr", array_of(indptr)},
          {"indices", array_of(indices)},
          {"data", array_of(data)},
          {"format", text_array_of("csr")},
          {"shape", array_of(LongIntegers{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(pairs)})}};
}

std::string expected_rows(std::size_t rows, std::size_t pairs) {
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; row % 2 == 0 && i < pairs; ++i) text += std::to_string(i) + ':' + std::to_string(row) + ' ';
    text += '|';
  }
  return text;
}

TEST(NpzBatches, ManyBatchesAndRowsLongerThanABatch) {
  Seen const many = read_back(zip_of(many_pairs(200, 3000), false));
  EXPECT_GT(many.batches.size(), 3u);
  EXPECT_EQ(many.rows, expected_rows(200, 3000));
  Seen const is_long = read_back(zip_of(many_pairs(5, 100'000), false));
  EXPECT_EQ(is_long.rows, expected_rows(5, 100'000));
  Seen const is_short = read_back(zip_of(many_pairs(100'000, 1), false));
  EXPECT_GT(is_short.batches.size(), 1u);
  EXPECT_EQ(is_short.rows, expected_rows(100'000, 1));
}

TEST(NpzBatches, CompressedEntries) {
  if (make_inflater() == nullptr) {
    expect_refusal(ExitCode::source, "cannot inflate", zip_of(csr_arrays(), true));
    GTEST_SKIP() << "this build has no library that inflates";
  }
  EXPECT_EQ(read_back(zip_of(csr_arrays(), true)).rows, csr_rows);
  EXPECT_EQ(read_back(zip_of({{"features", array_of(Floats{1, 2})}}, true)).batches, std::vector<std::size_t>{2});
}

TEST(NpzBatches, CompressedEntriesThatAreDamaged) {
  if (make_inflater() == nullptr) GTEST_SKIP() << "this build has no library that inflates";
  Floats const values(1000, 1.5F);
  std::string const good = zip_of({{"features", array_of(values)}}, true);
  std::size_t const central = good.find("PK\x01\x02");
  std::string bad = good;
  bad[central - 1] = '\x7f';  // the last of the data
  expect_refusal(ExitCode::source, "damaged", bad);
  bad = good;
  bad[45] = '\x07';  // the kind of the block
  expect_refusal(ExitCode::source, "damaged", bad);
  bad = good;
  bad[central + 24] = static_cast<char>(bad[central + 24] - 1);  // the size that the directory says
  expect_refusal(ExitCode::source, "damaged", bad);
  bad = good;
  bad[central + 20] = static_cast<char>(bad[central + 20] - 1);  // the stored size
  expect_refusal(ExitCode::source, "damaged", bad);
}

TEST(NpzBatches, EncryptedAndOtherwiseCompressedEntries) {
  std::string archive = zip_of({{"features", array_of(Floats{1, 2})}}, false);
  std::size_t const central = archive.find("PK\x01\x02");
  archive[central + 10] = 12;
  expect_refusal(ExitCode::source, "unsupported way", archive);
  archive[central + 8] = 1;
  expect_refusal(ExitCode::source, "encrypted", archive);
}

TEST(NpzBatches, DamagedBytesNeverDoWorseThanAnError) {
  std::mt19937 random(5);
  Arrays arrays = csr_arrays();
  arrays["label_values"] = array_of(Floats{1, 2, 3});
  arrays["label_offsets"] = array_of(LongIntegers{0, 0, 2, 3, 3});
  std::string const good = zip_of(arrays, false);
  // Without checksums, so that damage is seen by what is behind them.
  auto const without_checks = [&](std::string const& name, std::size_t at, char byte) {
    Arrays changed = arrays;
    changed[name][at] = byte;
    return zip_of(changed, (at & 1) != 0 && make_inflater() != nullptr);
  };
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    std::string archive = good;
    archive[random() % archive.size()] = static_cast<char>(random() & 0xff);
    refused += refusal_of(archive).code == ExitCode::ok ? 0 : 1;
    std::vector<std::string> const names = {"indptr", "indices", "shape", "label_offsets", "format"};
    std::string const& name = names[random() % names.size()];
    refused +=
        refusal_of(without_checks(name, random() % arrays[name].size(), static_cast<char>(random() & 0xff))).code ==
                ExitCode::ok
            ? 0
            : 1;
  }
  EXPECT_GT(refused, 40);
}

/// What the output writes is what comes back.
TEST(NpzBatches, WhatIsWrittenReadsBack) {
  ScratchFolder const folder;
  BatchLayout layout;
  layout.is_sparse = true;
  layout.features = 9;
  layout.labels_vary = true;
  layout.has_weight = layout.has_base_margin = layout.has_qid = true;
  BatchBuffer const buffer(layout, BatchCapacity{2, 3, 2, 0, 0});
  Batch const batch = buffer.view(2);
  auto const fill = [](auto* into, auto... values) {
    std::size_t i = 0;
    ((into[i++] = values), ...);
  };
  fill(batch.csr.indptr, 0, 3, 3);
  fill(batch.csr.indices, 1, 4, 8);
  fill(batch.csr.values_as<float>(), 1.5F, -2.F, 3.F);
  fill(batch.labels.offsets, 0, 1, 2);
  fill(batch.labels.as<float>(), 4.F, 5.F);
  fill(batch.weight.as<float>(), 1.F, 2.F);
  fill(batch.base_margin.as<float>(), 3.F, 4.F);
  fill(batch.qid.as<std::int64_t>(), 1, 2);
  OutputOptions options;
  options.path = folder.at("x.npz");
  options.kind = OutputKind::npz;
  options.layout = layout;
  std::unique_ptr<Output> const output = make_output(options);
  Round round;
  round.batch = batch;
  output->write(round);
  output->write(round);
  output->finish();
  Seen const seen = read_back(folder.get("x.npz"));
  std::string const rows = "w1 m3 q1 l4 1:1.5 4:-2 8:3 |w2 m4 q2 l5 |";
  EXPECT_EQ(seen.rows, rows + rows);
  EXPECT_EQ(seen.layout, layout);
}

}  // namespace
}  // namespace penstock::app
