#include "host/app/command_inspect.hpp"

#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/app/value_text.hpp"

namespace penstock::app {
namespace {

void add_labels(Json& json, BatchSummary const& summary) {
  json.key("label_values").begin_array();
  for (LabelSummary const& label : summary.labels()) {
    json.begin_object()
        .member("least", label.least)
        .member("greatest", label.greatest)
        .member("missing", label.missing);
    json.key("values").begin_array();
    for (auto const& [value, rows] : label.values)
      json.begin_object().member("value", value).member("records", rows).end_object();
    json.end_array().end_object();
  }
  json.end_array();
}

/// Members of the object that is being written.
void add_lengths(Json& json, LengthSummary const& lengths) {
  json.member("count", lengths.elements).member("least", lengths.least).member("greatest", lengths.greatest);
  json.member("mean", lengths.mean()).member("empty_records", lengths.empty_rows);
}

void add_pairs(Json& json, Inspection const& inspection) {
  PairSummary const& pairs = inspection.summary->pairs();
  json.key("pairs").begin_object();
  add_lengths(json, pairs.lengths);
  json.member("columns", std::uint64_t{inspection.width()}).member("density", inspection.density());
  std::optional<std::int64_t> least;
  if (pairs.greatest_column) least = pairs.least_column;
  json.member("least_column", least).member("greatest_column", pairs.greatest_column);
  json.member("zeros", pairs.zeros).member("missing", inspection.summary->missing_cells()).end_object();
}

void add_label_counts(Json& json, LengthSummary const& counts) {
  json.key("label_counts").begin_object();
  add_lengths(json, counts);
  json.end_object();
}

/// Members `start_range`, `categories` and `list_values`, as far as there is something of them.
void add_series(Json& json, BatchSummary const& summary, BatchLayout const& layout) {
  if (layout.has_start && summary.rows() != 0) {
    json.key("start_range").begin_object().member("first", time_text(summary.start().first));
    json.member("last", time_text(summary.start().last)).end_object();
  }
  if (layout.cats != 0) {
    json.key("categories").begin_array();
    for (std::int32_t const largest : summary.largest_categories()) json.value(std::int64_t{largest} + 1);
    json.end_array();
  }
  if (!layout.has_lists()) return;
  json.key("list_values").begin_array();
  for (std::size_t i = 0; i < summary.lists().size(); ++i) {
    ListSummary const& list = summary.lists()[i];
    json.begin_object().member("name", name_of(layout.lists[i].role));
    json.member("parts", std::uint64_t{layout.lists[i].parts});
    add_lengths(json, list.lengths);
    json.member("missing", list.missing);
    json.member("least_value", list.has_values() ? std::optional(list.least) : std::nullopt);
    json.member("greatest_value", list.has_values() ? std::optional(list.greatest) : std::nullopt).end_object();
  }
  json.end_array();
}

/// Missing values by feature; null where they were not counted by feature.
void add_missing(Json& json, Inspection const& inspection) {
  bool const is_counted = inspection.summary->missing().size() == inspection.reader->layout().features;
  if (is_counted && !inspection.summary->missing().empty())
    json.list("missing", inspection.summary->missing());
  else
    json.key("missing").null();
}

void add_rejects(Json& json, Inspection const& inspection) {
  std::vector<RejectKinds::Kind> const kinds = inspection.kinds.found();
  json.member("rejected", inspection.rejected()).key("rejected_kinds").begin_object();
  for (RejectKinds::Kind const& kind : kinds) json.member(name_of(kind.code), kind.records);
  json.end_object().key("rejected_examples").begin_object();
  for (RejectKinds::Kind const& kind : kinds) json.member(name_of(kind.code), kind.example);
  json.end_object();
}

void add_column(Json& json, Inspection const& inspection, std::size_t i) {
  CsvColumn const& column = inspection.csv->columns()[i];
  json.begin_object()
      .member("index", std::uint64_t{i})
      .member("name", column.name)
      .member("role", role_word(column.role));
  json.member("rejecting", inspection.rejects->rejecting(i)).key("bad_cells").begin_array();
  for (BadCell const& each : inspection.rejects->bad_cells(i))
    json.begin_object().member("cell", each.cell).member("records", each.records).end_object();
  json.end_array();
}

void add_csv(Json& json, Inspection const& inspection) {
  json.member("suggestion", inspection.rejects->suggestion(inspection.nulls));
  json.key("text_columns").begin_array();
  for (std::size_t const column : inspection.text_columns) json.value(std::uint64_t{column});
  json.end_array();
  add_dialect(json, *inspection.csv);
  std::vector<std::uint64_t> const missing = inspection.missing_by_column();
  json.key("columns").begin_array();
  for (std::size_t i = 0; i < inspection.csv->columns().size(); ++i) {
    add_column(json, inspection, i);
    if (!missing.empty()) json.member("missing", missing[i]);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string inspection_json(Inspection const& inspection) {
  Json json;
  json.begin_object().member("schema_version", 1).member("command", "inspect");
  json.key("inputs").begin_array();
  for (InputFile const& file : inspection.files) json.value(file.path);
  json.end_array();
  json.member("format", inspection.format.info().title).member("records", inspection.summary->rows());
  json.member("missing_cells", inspection.summary->missing_cells());
  BatchLayout const& layout = inspection.reader->layout();
  add_layout(json, layout);
  if (layout.is_sparse) add_pairs(json, inspection);
  if (layout.labels_vary) add_label_counts(json, inspection.summary->label_counts());
  add_series(json, *inspection.summary, layout);
  add_labels(json, *inspection.summary);
  add_missing(json, inspection);
  json.list("notes", inspection.reader->notes());
  if (inspection.planned != nullptr) {
    json.member("other_entries", inspection.planned->stream().counts().other_entries);
    add_rejects(json, inspection);
  }
  if (inspection.csv != nullptr) add_csv(json, inspection);
  return json.end_object().line();
}

}  // namespace penstock::app
