/// Layouts, dialects and columns in words and in JSON: what several verbs say in the same way.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/app/json.hpp"
#include "host/pipeline/csv_plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::app {

/// In the order in which outputs list them.
inline constexpr std::array<ListRole, 4> list_roles = {ListRole::target, ListRole::dynamic_feat, ListRole::in0,
                                                       ListRole::in1};
/// "target float32", "2 x dynamic_feat float32".
[[nodiscard]] std::string list_text(ListLayout const& list);
/// The list of which that is the text.
[[nodiscard]] std::optional<ListLayout> list_of(std::string_view text);
/// "28 features float32, label float32, weight float32", "126 sparse features float32, lists of labels float32", "lists
/// of target float32, start int64, 2 x cat int32"; without the number of sparse features if it is not known.
[[nodiscard]] std::string layout_text(BatchLayout const& layout);
/// "delimiter tab, quote \"", and what else is not usual.
[[nodiscard]] std::string dialect_text(CsvPlan const& plan);

/// Members of the object that is being written: the numbers `features` (of sparse ones 0: not known) and `labels`;
/// whether there are `weight`, `qid`, `base_margin`, `uid`, `metadata` and `start`; whether features are `sparse` and
/// `labels_vary`; the number `cats`; `lists`: name, dtype and parts of each; `dtype` and `label_dtype`.
void add_layout(Json& json, BatchLayout const& layout);
/// Members `dialect` and `header`.
void add_dialect(Json& json, CsvPlan const& plan);
/// Member `columns`: index, name and role of each.
void add_columns(Json& json, std::vector<CsvColumn> const& columns);
/// "feature", "label", "weight", "qid", "ignored".
[[nodiscard]] std::string_view role_word(Role role);

}  // namespace penstock::app
