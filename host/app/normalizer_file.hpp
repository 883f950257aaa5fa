/// Normaliser files: what was fitted on training data, so that other data, and single rows when a model serves, become
/// the same numbers.
///
/// A file is one JSON object on several lines:
///
///     {"digest":"sha256:..." ,"normalizer":
///     {"normalizer_version":1,"records":150,"dtype":"float32",
///     "columns":[
///     {"name":"age","type":"number","transform":"standardize","offset":38.5,"scale":0.07,"statistics":{...}},
///     {"name":"city","type":"text","transform":"one-hot(unknown=fault)","vocabulary":["Paris","Rome"]}],
///     "schema":{...}}}
///
/// `digest` is that of the bytes of `normalizer`'s value. Columns stand in the order in which their outputs do.
/// `schema` is what a schema file holds (schema_file.hpp) and says how the input was read. A reader of version 1
/// refuses others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/statistics/moments.hpp"
#include "host/app/normalize_spec.hpp"
#include "host/exec/normalizer.hpp"
#include "host/io/sink.hpp"
#include "penstock/dtype.hpp"

namespace penstock::app {

inline constexpr std::uint64_t normalizer_version = 1;

/// A column that goes in, and what was fitted for it.
struct FittedColumn {
  std::string name;  ///< as in the header, else the 0-based index in digits
  TransformSpec spec;
  double offset = 0, scale = 1;                ///< of affine transforms: (x - offset) * scale
  double low = 0, high = 0;                    ///< of clip
  std::optional<double> fill;                  ///< instead of a missing value
  std::vector<double> edges;                   ///< of bucketize: ascending
  std::vector<std::string> vocabulary;         ///< by count, then bytes
  std::optional<statistics::Summary> summary;  ///< of numbers

  /// Columns that come out.
  [[nodiscard]] std::size_t outputs() const;
  bool operator==(FittedColumn const&) const = default;
};

struct NormalizerFile {
  std::uint64_t records = 0;
  DType dtype = DType::float32;       ///< of the features that go in
  std::vector<FittedColumn> columns;  ///< of text: those whose spec.takes_text()
  std::string schema;                 ///< JSON, without a line end
  std::string digest;                 ///< "sha256:..." of a file that was read or made into text
  bool operator==(NormalizerFile const&) const = default;
};

/// The text of a file; sets `digest`. The same for the same content everywhere, with a line end behind it.
[[nodiscard]] std::string to_json(NormalizerFile& file);
/// Throws SchemaError with `name` for text that is none, for a digest that is another one, and for other versions.
[[nodiscard]] NormalizerFile parse_normalizer(std::string_view text, std::string_view name);
/// Throws SourceError too.
[[nodiscard]] NormalizerFile read_normalizer(std::string const& path);

/// The rule for a column of text, still without a vocabulary.
[[nodiscard]] normalize::TextRule text_rule_of(TransformSpec const& spec);

/// Names of the columns that come out: `age`, `city=Paris`, `day.month`, `age is missing`.
[[nodiscard]] std::vector<std::string> output_names(NormalizerFile const& file);

/// Ready to be applied. Features that go in are the columns of numbers, in order; the texts are the others.
[[nodiscard]] std::shared_ptr<Normalizer const> make_normalizer(NormalizerFile const& file);

/// What undoes it, as far as it can be undone: columns of numbers that come out, in the order in which they went in.
/// What cannot be undone comes out as it goes in: clipped values and buckets, which are told in `notes`, and the codes
/// of texts.
struct Inverse {
  std::shared_ptr<Normalizer const> normalizer;
  std::vector<std::string> names;
  std::vector<std::string> notes;
  std::string moves_zero;  ///< the first column in which 0 does not come out as 0; empty: sparse features stay sparse
};
[[nodiscard]] Inverse make_inverse(NormalizerFile const& file);
/// Names of what comes out of the inverse for one column.
[[nodiscard]] std::vector<std::string> inverse_names(FittedColumn const& column);

}  // namespace penstock::app
