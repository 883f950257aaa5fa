/// What --normalize asks for, in words: which columns become what.
///
///     standardize; city,shop = one-hot(unknown=other); price = impute(median, indicator) + log1p; day = time(hour,
///     weekday)
///
/// Items are separated by semicolons. An item is a list of columns, a = and a transform; without columns it is for
/// every numeric feature that no other item names. A transform may have `impute(...) +` before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/normalize/calendar.hpp"
#include "formats/normalize/text_rule.hpp"

namespace penstock::app {

enum class Transform : std::uint8_t {
  none,
  standardize,
  min_max,
  max_abs,
  robust,
  log1p,
  power,
  clip,
  bucketize,
  one_hot,
  ordinal,
  hash,
  boolean,
  time,
};

/// More do not fit the numbers of entries.
inline constexpr std::uint32_t vocabulary_entries_max = 16'777'216;

enum class Impute : std::uint8_t { no, mean, median, constant };

/// A transform with its arguments.
struct TransformSpec {
  Transform transform = Transform::none;
  double low = 0, high = 1;  ///< of min_max: the range; of clip: the shares of the quantiles
  double exponent = 1;       ///< of power
  std::uint32_t buckets = 10;
  std::uint32_t hash_bits = 10;
  std::uint32_t limit = 0;  ///< of vocabularies: the most entries; 0: as the transform says
  normalize::Unknown unknown = normalize::Unknown::fault;
  std::vector<std::optional<normalize::CalendarPart>> parts;  ///< of times; nothing stands for seconds since 1970
  normalize::TimeFormat time_format = normalize::TimeFormat::iso;
  Impute impute = Impute::no;
  double constant = 0;          ///< of Impute::constant
  bool adds_indicator = false;  ///< a column more: 1 where the value was missing

  [[nodiscard]] bool takes_text() const { return transform >= Transform::one_hot; }
  [[nodiscard]] bool needs_vocabulary() const {
    return transform == Transform::one_hot || transform == Transform::ordinal;
  }
  /// Whether quantiles have to be known.
  [[nodiscard]] bool needs_quantiles() const {
    return transform == Transform::robust || transform == Transform::clip || transform == Transform::bucketize ||
           impute == Impute::median;
  }
  /// Whether 0 stays 0 whatever the data: then sparse features stay sparse. (Of clip that depends on the quantiles.)
  [[nodiscard]] bool keeps_zero() const;
  bool operator==(TransformSpec const&) const = default;
};

struct SpecItem {
  std::string columns;  ///< a column list as --columns takes it; empty: every other numeric feature
  TransformSpec spec;
};

/// Throws ConfigurationError, with near misses, for what is none of the above.
[[nodiscard]] std::vector<SpecItem> parse_normalize(std::string_view text);
/// One transform, as an artefact says it. Throws ConfigurationError too.
[[nodiscard]] TransformSpec parse_transform(std::string_view text);
/// The words that parse_transform() reads back as the same.
[[nodiscard]] std::string text_of(TransformSpec const& spec);
/// "standardize, min-max, ...": all of them.
[[nodiscard]] std::string transform_names();

}  // namespace penstock::app
