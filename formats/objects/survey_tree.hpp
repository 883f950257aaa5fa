/// What a survey has found: the keys of all records, in the order in which they first appear, and what they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/objects/paths.hpp"
#include "formats/objects/plan.hpp"
#include "formats/objects/survey.hpp"

namespace penstock::objects {

/// Keys of all records together. More are not worth a table, and a file may have a new one in each record.
inline constexpr std::size_t surveyed_keys_max = std::size_t{1} << 16;
inline constexpr std::size_t surveyed_bytes_max = std::size_t{1} << 26;

/// A key, and how many records hold what under it.
struct SurveyedKey {
  std::uint32_t parent = none;
  std::string name;
  std::string kinds = {};     ///< each that occurs, once
  std::uint64_t records = 0;  ///< that have it
  std::uint64_t last = 0;     ///< the record that had it last, from 1 on

  [[nodiscard]] bool holds(char kind) const { return kinds.find(kind) != std::string::npos; }
  /// In no record a text, an object or a list.
  [[nodiscard]] bool is_numeric() const { return !holds(kind::text) && !holds(kind::object) && !holds(kind::list); }
  /// In some record a text, in none an object or a list.
  [[nodiscard]] bool is_text() const { return holds(kind::text) && !holds(kind::object) && !holds(kind::list); }
};

class SurveyTree {
 public:
  /// A record as SurveyWriter writes it.
  void see(std::string_view members) {
    ++records_;
    std::vector<std::uint32_t> open = {none};
    for (std::size_t at = 0; at < members.size() && !is_full_;) {
      char const what = members[at++];
      if (what == kind::object_end) {
        open.pop_back();
        continue;
      }
      std::size_t const end = members.find(kind::key_end, at);
      std::uint32_t const key = key_of(open.back(), members.substr(at, end - at));
      at = end + 1;
      if (is_full_) return;
      count(keys_[key], what);
      if (what == kind::object) open.push_back(key);
    }
  }

  [[nodiscard]] std::vector<SurveyedKey> const& keys() const { return keys_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  /// There are more keys than surveyed_keys_max, or longer ones.
  [[nodiscard]] bool is_full() const { return is_full_; }

  [[nodiscard]] Path path_of(std::uint32_t key) const {
    Path path;
    for (; key != none; key = keys_[key].parent) path.insert(path.begin(), Step{keys_[key].name});
    return path;
  }

 private:
  std::uint32_t key_of(std::uint32_t parent, std::string_view name) {
    auto const [found, is_new] =
        places_.try_emplace({parent, std::string(name)}, static_cast<std::uint32_t>(keys_.size()));
    if (!is_new) return found->second;
    bytes_ += name.size();
    is_full_ = keys_.size() == surveyed_keys_max || bytes_ > surveyed_bytes_max;
    keys_.push_back({parent, std::string(name)});
    return found->second;
  }

  void count(SurveyedKey& key, char what) const {
    if (!key.holds(what)) key.kinds += what;
    if (key.last == records_) return;
    key.last = records_;
    ++key.records;
  }

  std::vector<SurveyedKey> keys_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> places_;
  std::uint64_t records_ = 0;
  std::size_t bytes_ = 0;
  bool is_full_ = false;
};

}  // namespace penstock::objects
