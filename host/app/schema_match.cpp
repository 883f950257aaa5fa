#include "host/app/schema_match.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "host/app/layout_text.hpp"
#include "host/text/suggest.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// Columns that data can lack where nothing is learned from them.
bool is_supervision(Role role) {
  return role == Role::label || role == Role::weight || role == Role::qid || role == Role::base_margin;
}

// ---- by place --------------------------------------------------------------------------------------------

/// Whether names say nothing, because the schema's are indices and the data's are others.
bool has_no_names(Schema const& schema, std::span<std::string const> found) {
  std::unordered_set<std::string_view> known;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].name != std::to_string(i)) return false;
    known.insert(schema.columns[i].name);
  }
  return std::ranges::any_of(found, [&](std::string const& name) { return !known.contains(name); });
}

void add_missing(ColumnMatch& match, SchemaColumn const& column) {
  match.missing.push_back({column.name, column.role});
}

/// The columns for which `is_there` holds stand in their order, as far as there are `found`.
template <class IsThere>
void place_in_order(ColumnMatch& match, Schema const& schema, std::size_t found, IsThere is_there) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    if (next < found && is_there(schema.columns[i].role))
      match.places[i] = next++;
    else
      add_missing(match, schema.columns[i]);
  }
}

void match_by_place(ColumnMatch& match, Schema const& schema, std::span<std::string const> found,
                    MatchOptions const& options) {
  std::size_t const columns = schema.columns.size();
  auto const others =
      static_cast<std::size_t>(std::ranges::count_if(schema.columns, std::not_fn(is_supervision), &SchemaColumn::role));
  match.is_by_name = false;
  if (options.may_lack_roles && found.size() == others) {
    place_in_order(match, schema, found.size(), std::not_fn(is_supervision));
    return;
  }
  match.is_acceptable = found.size() == columns;
  place_in_order(match, schema, found.size(), [](Role) { return true; });
  for (std::size_t i = columns; i < found.size(); ++i) match.unexpected.push_back(found[i]);
}

// ---- by name ---------------------------------------------------------------------------------------------

/// Indices of `names` (whose elements `name` turns into text) in the order of the names, then of the indices.
template <class Names, class Name>
std::vector<std::size_t> in_order(Names const& names, Name name) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::tuple(std::string_view(name(names[i])), i); });
  return order;
}

/// Pairs columns of one name: the first with the first, and so on. Fills `places` and `ambiguous`; returns the columns
/// of the data that got no partner, in no order.
std::vector<std::size_t> pair_names(ColumnMatch& match, Schema const& schema, std::span<std::string const> found) {
  auto const known = in_order(schema.columns, [](SchemaColumn const& column) { return std::string_view(column.name); });
  auto const there = in_order(found, [](std::string const& name) { return std::string_view(name); });
  auto const name_known = [&](std::size_t k) { return std::string_view(schema.columns[known[k]].name); };
  auto const name_there = [&](std::size_t t) { return std::string_view(found[there[t]]); };
  std::vector<std::size_t> single;
  std::size_t t = 0;
  for (std::size_t k = 0; k < known.size();) {
    std::string_view const name = name_known(k);
    while (t < there.size() && name_there(t) < name) single.push_back(there[t++]);
    std::size_t const k_begin = k, t_begin = t;
    while (k < known.size() && name_known(k) == name) ++k;
    while (t < there.size() && name_there(t) == name) ++t;
    std::size_t const pairs = std::min(k - k_begin, t - t_begin);
    bool differs = k - k_begin != t - t_begin;
    for (std::size_t i = 0; i < pairs; ++i) {
      match.places[known[k_begin + i]] = there[t_begin + i];
      differs |= known[k_begin + i] != there[t_begin + i];
    }
    if (pairs != 0 && std::max(k - k_begin, t - t_begin) > 1 && differs) match.ambiguous.emplace_back(name);
    single.insert(single.end(), there.begin() + static_cast<std::ptrdiff_t>(t_begin + pairs),
                  there.begin() + static_cast<std::ptrdiff_t>(t));
  }
  single.insert(single.end(), there.begin() + static_cast<std::ptrdiff_t>(t), there.end());
  return single;
}

/// The columns outside a longest subsequence of `places` that ascends: tails[n] is where the lowest end of ascending
/// subsequences of n + 1 columns stands, before[i] what stands before i in the longest one that ends in it.
void find_moved(ColumnMatch& match, Schema const& schema) {
  std::vector<std::size_t> tails;
  std::vector<std::size_t> before(match.places.size());
  std::vector<bool> stays(match.places.size());
  for (std::size_t i = 0; i < match.places.size(); ++i) {
    if (!match.places[i]) continue;
    auto const tail =
        std::ranges::lower_bound(tails, *match.places[i], {}, [&](std::size_t k) { return *match.places[k]; });
    before[i] = tail == tails.begin() ? i : *(tail - 1);
    if (tail == tails.end())
      tails.push_back(i);
    else
      *tail = i;
  }
  if (tails.empty()) return;
  std::size_t i = tails.back();
  for (stays[i] = true; before[i] != i; stays[i] = true) i = before[i];
  for (std::size_t k = 0; k < match.places.size(); ++k)
    if (match.places[k] && !stays[k]) match.moved.push_back({schema.columns[k].name, k, *match.places[k]});
}

void match_by_name(ColumnMatch& match, Schema const& schema, std::span<std::string const> found,
                   MatchOptions const& options) {
  std::vector<std::size_t> unexpected = pair_names(match, schema, found);
  std::ranges::sort(unexpected);
  for (std::size_t const i : unexpected) match.unexpected.push_back(found[i]);
  for (std::size_t i = 0; i < schema.columns.size(); ++i)
    if (!match.places[i]) add_missing(match, schema.columns[i]);
  find_moved(match, schema);
  match.is_acceptable = match.ambiguous.empty() && std::ranges::all_of(match.missing, [&](MissingColumn const& column) {
                          return column.role == Role::ignore || (options.may_lack_roles && is_supervision(column.role));
                        });
}

// ---- in words --------------------------------------------------------------------------------------------

/// More names help nobody.
constexpr std::size_t shown_max = 10;
/// A misspelled name is looked for among so many; beyond, looking would take longer than it is worth.
constexpr std::size_t compared_max = 100;

std::string quoted(std::string_view name) { return "'" + escape_for_display(name, 40) + "'"; }

/// ": a, b and 3 more", of `items` in the words of `word`.
template <class Items, class Word>
std::string listed(Items const& items, Word word) {
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), shown_max); ++i) text += (i == 0 ? ": " : ", ") + word(items[i]);
  if (items.size() > shown_max) text += " and " + format_count(items.size() - shown_max) + " more";
  return text;
}

std::string counted(std::size_t count, std::string_view what) {
  return format_count(count) + " " + std::string(what) + (count == 1 ? " column" : " columns");
}

std::string missing_text(ColumnMatch const& match, Role role) {
  std::vector<std::string> names;
  for (MissingColumn const& column : match.missing)
    if (column.role == role) names.push_back(column.name);
  if (names.empty()) return "";
  bool const can_compare = match.is_by_name && match.unexpected.size() <= compared_max;
  std::string_view const what = role == Role::feature ? "feature" : name_of(role);
  return counted(names.size(), what) + (names.size() == 1 ? " is missing" : " are missing") +
         listed(names, [&](std::string const& name) {
           std::optional<std::string> const near = can_compare ? nearest(name, match.unexpected) : std::nullopt;
           return quoted(name) + (near ? " (there is " + quoted(*near) + ")" : "");
         });
}

std::string moved_text(MovedColumn const& column) {
  return quoted(column.name) + " (" + format_count(column.found) + " instead of " + format_count(column.expected) + ")";
}

// ---- layouts ---------------------------------------------------------------------------------------------

/// Collects differences.
class LayoutMatch {
 public:
  void compare(std::string_view what, std::string_view schema, std::string_view here) {
    if (schema != here)
      differences_.push_back(std::string(what) + ": " + std::string(schema) + " in the schema, " + std::string(here) +
                             " here");
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(differences_); }

 private:
  std::vector<std::string> differences_;
};

std::string labels_text(BatchLayout const& layout) {
  return layout.labels_vary ? "any number" : layout.labels == 0 ? "none" : format_count(layout.labels);
}

std::string lists_text(BatchLayout const& layout) {
  std::string text;
  for (ListLayout const& list : layout.lists)
    if (list.role != ListRole::none) text += (text.empty() ? "" : " and ") + list_text(list);
  return text.empty() ? "none" : text;
}

std::string_view presence(bool is_there) { return is_there ? "one" : "none"; }

}  // namespace

ColumnMatch match_columns(Schema const& schema, std::span<std::string const> found, MatchOptions const& options) {
  ColumnMatch match;
  match.places.resize(schema.columns.size());
  if (options.has_header && !has_no_names(schema, found))
    match_by_name(match, schema, found, options);
  else
    match_by_place(match, schema, found, options);
  return match;
}

std::string describe(ColumnMatch const& match, std::string_view data_name) {
  std::string text;
  auto const add = [&](std::string const& sentence) {
    if (!sentence.empty()) text += (text.empty() ? "" : "\n") + std::string(data_name) + ": " + sentence;
  };
  for (Role const role : tensor_roles) add(missing_text(match, role));
  add(missing_text(match, Role::ignore));
  if (!match.unexpected.empty()) add(counted(match.unexpected.size(), "unexpected") + listed(match.unexpected, quoted));
  if (!match.moved.empty())
    add(counted(match.moved.size(), "moved") + ", counted from 0" + listed(match.moved, moved_text));
  if (!match.ambiguous.empty())
    add(format_count(match.ambiguous.size()) + (match.ambiguous.size() == 1 ? " name stands" : " names stand") +
        " several times, and not where the schema has it" + listed(match.ambiguous, quoted));
  if (!match.is_by_name && !match.is_acceptable)
    add("without names of columns on both sides their number must be the same");
  return text;
}

std::vector<std::string> match_layout(Schema const& schema, BatchLayout const& layout, MatchOptions const& options) {
  BatchLayout const& wanted = schema.layout;
  LayoutMatch match;
  match.compare("kind of features", wanted.is_sparse ? "sparse" : "dense", layout.is_sparse ? "sparse" : "dense");
  bool const is_open = (wanted.is_sparse && wanted.features == 0) || (layout.is_sparse && layout.features == 0);
  if (!is_open) match.compare("features", format_count(wanted.features), format_count(layout.features));
  match.compare("element type of features", name_of(wanted.feature_dtype), name_of(layout.feature_dtype));

  bool const has_labels = layout.labels != 0 || layout.labels_vary;
  bool const wants_labels = wanted.labels != 0 || wanted.labels_vary;
  if (has_labels || !options.may_lack_roles) match.compare("labels", labels_text(wanted), labels_text(layout));
  if (has_labels && wants_labels)
    match.compare("element type of labels", name_of(wanted.label_dtype), name_of(layout.label_dtype));

  auto const compare_presence = [&](std::string_view what, bool schema_has, bool is_here, bool may_lack) {
    if (is_here || !may_lack) match.compare(what, presence(schema_has), presence(is_here));
  };
  bool const may_lack = options.may_lack_roles;
  compare_presence(name_of(Role::weight), wanted.has_weight, layout.has_weight, may_lack);
  compare_presence(name_of(Role::qid), wanted.has_qid, layout.has_qid, may_lack);
  compare_presence(name_of(Role::base_margin), wanted.has_base_margin, layout.has_base_margin, may_lack);
  compare_presence(name_of(Role::start), wanted.has_start, layout.has_start, false);
  match.compare("categories", format_count(wanted.cats), format_count(layout.cats));
  match.compare("lists", lists_text(wanted), lists_text(layout));
  compare_presence("uid", wanted.has_uid, layout.has_uid, false);
  compare_presence("metadata", wanted.has_metadata, layout.has_metadata, false);
  return match.take();
}

}  // namespace penstock::app
