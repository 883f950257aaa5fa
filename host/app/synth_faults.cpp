#include "host/app/synth_faults.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "host/pipeline/fault_report.hpp"
#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

[[noreturn]] void throw_bad_shares(std::string const& what, std::string const& hint = {}) {
  throw ConfigurationError("--bad: " + what, hint);
}

/// Digits with at most one point among them, as a number of units of 10^-decimals; nothing if that is not exact, or
/// beyond synth_share_one.
std::optional<std::uint32_t> parse_fixed(std::string_view text, unsigned decimals) {
  std::uint64_t value = 0;
  unsigned behind_point = 0, digits = 0;
  bool has_point = false;
  for (char const c : text) {
    if (c == '.' && !has_point) {
      has_point = true;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + static_cast<unsigned>(c - '0');
    behind_point += has_point ? 1 : 0;
    if (behind_point > decimals || value > synth_share_one) return std::nullopt;
    ++digits;
  }
  for (; behind_point < decimals; ++behind_point) value *= 10;
  if (digits == 0 || value > synth_share_one) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::uint32_t parse_share(std::string_view text) {
  bool const is_percent = text.ends_with('%');
  auto const share = is_percent ? parse_fixed(text.substr(0, text.size() - 1), 7) : parse_fixed(text, 9);
  if (!share)
    throw_bad_shares("\"" + std::string(text) + "\" is no share",
                     "a share is 1% or 0.01: from 0 to 100 %, nine decimals");
  return *share;
}

std::string names_of(std::span<SynthFault const> faults) {
  std::string names;
  for (SynthFault const& fault : faults) names += (names.empty() ? "" : ", ") + std::string(name_of(fault.code));
  return names;
}

SynthFault const& fault_named(SynthKind const& kind, std::string_view name) {
  for (SynthFault const& fault : kind.faults)
    if (name_of(fault.code) == name) return fault;
  std::vector<std::string> names;
  for (SynthFault const& fault : kind.faults) names.emplace_back(name_of(fault.code));
  auto const near_miss = nearest(name, names);
  throw_bad_shares(
      "records of the kind \"" + std::string(kind.name) + "\" cannot have the fault \"" + std::string(name) + "\"",
      (near_miss ? "did you mean \"" + *near_miss + "\"? " : "") + "faults: " + names_of(kind.faults));
}

void require_faults(SynthKind const& kind) {
  if (!kind.faults.empty()) return;
  std::string names;
  for (SynthKind const& other : synth_kinds())
    if (!other.faults.empty()) names += (names.empty() ? "" : ", ") + std::string(other.name);
  throw_bad_shares("data of the kind \"" + std::string(kind.name) + "\" has no bad records",
                   "kinds that have: " + names);
}

/// Each fault that needs no options of the reader gets the same; what the division leaves goes to the first ones.
std::vector<SynthShare> spread(SynthKind const& kind, std::uint32_t share) {
  std::vector<SynthShare> shares;
  for (SynthFault const& fault : kind.faults)
    if (fault.reader_options.empty()) shares.push_back({fault.code, 0});
  auto const count = static_cast<std::uint32_t>(shares.size());
  for (std::uint32_t i = 0; i < count; ++i) shares[i].share = share / count + (i < share % count ? 1 : 0);
  return shares;
}

}  // namespace

std::vector<SynthShare> parse_bad_records(SynthKind const& kind, std::string_view text) {
  require_faults(kind);
  if (text.find('=') == std::string_view::npos) return spread(kind, parse_share(text));
  std::vector<SynthShare> shares;
  for (bool is_last = false; !is_last;) {
    std::size_t const comma = text.find(',');
    std::string_view const item = text.substr(0, comma);
    std::size_t const equals = item.find('=');
    if (equals == std::string_view::npos)
      throw_bad_shares("\"" + std::string(item) + "\" is no fault with its share",
                       "not_a_number=1%,too_few_fields=0.5%");
    FaultCode const code = fault_named(kind, item.substr(0, equals)).code;
    if (std::ranges::find(shares, code, &SynthShare::code) != shares.end())
      throw_bad_shares(std::string(name_of(code)) + " stands there twice");
    shares.push_back({code, parse_share(item.substr(equals + 1))});
    is_last = comma == std::string_view::npos;
    if (!is_last) text.remove_prefix(comma + 1);
  }
  return shares;
}

SynthFaults::SynthFaults(SynthKind const& kind, std::span<SynthShare const> shares, std::uint64_t seed)
    : faults_(kind.faults), key_(SynthRandom::mix(seed ^ 0x6661756c74735f21u)) {
  if (!shares.empty()) require_faults(kind);
  std::uint64_t all = 0, quotes = 0, strays = 0;
  for (SynthShare const& share : shares) {
    FaultCode const code = fault_named(kind, name_of(share.code)).code;
    (code == FaultCode::unterminated_quote ? quotes : all) += share.share;
    strays += code == FaultCode::stray_quote ? share.share : 0;
  }
  if (quotes > 0 && strays > 0)
    throw_bad_shares("unterminated_quote and stray_quote do not go together: one would close the other");
  if (all + quotes > synth_share_one) throw_bad_shares("the shares are more than 100 % together");
  if (all + quotes * lone_quote_records > synth_share_one)
    throw_bad_shares("too many records with unterminated_quote",
                     "only one of " + std::to_string(lone_quote_records) +
                         " records can have it: at most 0.78 %, and less where other faults take their share");
  limits_ = make_limits(shares, 0);
  lone_limits_ = make_limits(shares, lone_quote_records);
}

SynthFaults::Limits SynthFaults::make_limits(std::span<SynthShare const> shares, std::uint64_t quote_factor) const {
  Limits limits{};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    FaultCode const code = faults_[i].code;
    auto const found = std::ranges::find(shares, code, &SynthShare::code);
    if (found != shares.end()) sum += found->share * (code == FaultCode::unterminated_quote ? quote_factor : 1);
    limits[i + 1] = (sum << 32) / synth_share_one;
  }
  return limits;
}

}  // namespace penstock::app
