#include "host/app/command_inspect.hpp"

#include <algorithm>

#include "host/app/layout_text.hpp"
#include "host/app/value_text.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// Columns and inputs that text lists; JSON lists all.
constexpr std::size_t listed_max = 40;
/// Labels that text describes one by one.
constexpr std::size_t labels_listed_max = 8;

std::string padded(std::string text, std::size_t width) {
  text.append(width - std::min(width, text.size()), ' ');
  return text;
}

/// A line that begins with a word for what it says.
std::string line(std::string_view word, std::string const& text) {
  return "  " + padded(std::string(word) + " ", 12) + text + "\n";
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return format_count(count) + " " + std::string(count == 1 ? one : many);
}

std::string inputs_text(std::vector<InputFile> const& files) {
  std::string text;
  for (std::size_t i = 0; i < std::min(files.size(), listed_max); ++i) {
    text += (files[i].is_stdin ? "<stdin>" : escape_for_display(files[i].path, 1000));
    if (files[i].is_regular) text += " (" + format_bytes(files[i].size_bytes) + ")";
    text += '\n';
  }
  if (files.size() > listed_max) text += "... and " + format_count(files.size() - listed_max) + " more files\n";
  return text;
}

/// "3.5": to the nearest tenth; exact where it is whole.
std::string mean_text(LengthSummary const& lengths) {
  if (lengths.rows == 0) return "0";
  auto const tenths = static_cast<std::uint64_t>(lengths.mean() * 10 + 0.5);
  bool const is_whole = lengths.elements % lengths.rows == 0;
  return format_count(tenths / 10) + (is_whole ? "" : "." + std::to_string(tenths % 10));
}

/// "22 a row", "20.5 a row (0 to 41)", and how many rows have none.
std::string lengths_text(LengthSummary const& lengths) {
  std::string text = mean_text(lengths) + " a row";
  if (lengths.least != lengths.greatest)
    text += " (" + format_count(lengths.least) + " to " + format_count(lengths.greatest) + ")";
  if (lengths.empty_rows != 0) text += ", " + counted(lengths.empty_rows, "row has none", "rows have none");
  return text;
}

std::string density_text(double density) {
  constexpr double parts = 1e9;  // format_percent() cuts at a hundredth of a percent
  return format_percent(static_cast<std::uint64_t>(density * parts + 0.5), static_cast<std::uint64_t>(parts));
}

std::string pairs_text(Inspection const& inspection) {
  PairSummary const& pairs = inspection.summary->pairs();
  std::string text = line("pairs", format_count(pairs.lengths.elements) + ": " + lengths_text(pairs.lengths));
  if (std::optional<double> const density = inspection.density()) text += line("density", density_text(*density));
  if (pairs.greatest_column)
    text += line("columns", "the smallest is " + std::to_string(pairs.least_column) + ", the largest " +
                                std::to_string(*pairs.greatest_column) + " (counted from 0)");
  if (pairs.zeros != 0) text += line("zeros", counted(pairs.zeros, "pair says 0", "pairs say 0"));
  return text;
}

std::string features_text(Inspection const& inspection) {
  BatchLayout const& layout = inspection.reader->layout();
  std::string const rows = format_count(inspection.summary->rows()) + " x ";
  std::string const type(name_of(layout.feature_dtype));
  if (!layout.is_sparse && layout.features == 0) return {};
  if (!layout.is_sparse) return line("features", rows + format_count(layout.features) + " " + type);
  std::string const width = format_count(inspection.width()) + (layout.features == 0 ? " or more" : "");
  return line("features", rows + width + " " + type + ", sparse") + pairs_text(inspection);
}

std::string labels_text(Inspection const& inspection) {
  BatchLayout const& layout = inspection.reader->layout();
  std::vector<LabelSummary> const& labels = inspection.summary->labels();
  std::string const type(name_of(layout.label_dtype));
  if (layout.labels_vary) {
    LengthSummary const& counts = inspection.summary->label_counts();
    return line("labels", "lists of " + type + ", " + lengths_text(counts) + ": " + labels.front().text());
  }
  if (layout.labels == 0) return {};
  std::string const shape = format_count(inspection.summary->rows()) + " x " + format_count(layout.labels) + " " + type;
  if (layout.labels == 1) return line("label", shape + ": " + labels.front().text());
  std::string text = line("label", shape);
  for (std::size_t i = 0; i < std::min(labels.size(), labels_listed_max); ++i)
    text += "    #" + padded(std::to_string(i), 5) + labels[i].text() + "\n";
  if (layout.labels > labels_listed_max)
    text += "    ... and " + format_count(layout.labels - labels_listed_max) + " more\n";
  return text;
}

std::string cat_text(Inspection const& inspection) {
  std::size_t const columns = inspection.reader->layout().cats;
  std::vector<std::int32_t> const& largest = inspection.summary->largest_categories();
  std::string sizes;
  for (std::size_t i = 0; i < std::min(largest.size(), labels_listed_max); ++i)
    sizes += (i == 0 ? "" : ", ") + format_count(static_cast<std::uint64_t>(std::int64_t{largest[i]} + 1));
  if (columns > labels_listed_max) sizes += ", ...";
  return line("cat", format_count(inspection.summary->rows()) + " x " + format_count(columns) + " int32: " + sizes +
                         (columns == 1 ? " categories" : " categories by position"));
}

/// "lists of float32: 12 values, 4 a row (3 to 5), 0.5 to 9".
std::string list_line(ListLayout const& layout, ListSummary const& list) {
  bool const are_several = layout.role == ListRole::dynamic_feat;
  std::string text = are_several ? counted(layout.parts, "list", "lists") + " a row of " : "lists of ";
  text += std::string(name_of(layout.dtype)) + ": " + counted(list.lengths.elements, "value", "values") + ", " +
          lengths_text(list.lengths);
  if (list.missing != 0) text += ", " + format_count(list.missing) + " missing";
  if (list.has_values()) text += ", " + summary_number(list.least) + " to " + summary_number(list.greatest);
  return line(name_of(layout.role), text);
}

std::string series_text(Inspection const& inspection) {
  BatchLayout const& layout = inspection.reader->layout();
  BatchSummary const& summary = *inspection.summary;
  std::string text;
  if (layout.has_start && summary.rows() != 0)
    text += line("start", time_text(summary.start().first) + " to " + time_text(summary.start().last));
  if (layout.cats != 0) text += cat_text(inspection);
  for (std::size_t i = 0; i < summary.lists().size(); ++i) text += list_line(layout.lists[i], summary.lists()[i]);
  return text;
}

std::string missing_text(BatchLayout const& layout, std::uint64_t missing) {
  if (layout.is_sparse) return counted(missing, "pair says NaN", "pairs say NaN");
  return layout.has_lists() ? counted(missing, "value", "values") : counted(missing, "cell", "cells");
}

std::string tensors_text(Inspection const& inspection) {
  BatchLayout const& layout = inspection.reader->layout();
  std::string text = features_text(inspection) + labels_text(inspection);
  for (Role role : {Role::weight, Role::qid, Role::base_margin}) {
    if (layout.columns(role) == 0) continue;
    text += line(name_of(role),
                 format_count(inspection.summary->rows()) + " x 1 " + std::string(name_of(layout.dtype(role))));
  }
  text += series_text(inspection);
  if (layout.has_uid) text += line("uid", "text of each record");
  if (layout.has_metadata) text += line("metadata", "text of each record");
  return text + line("missing", missing_text(layout, inspection.summary->missing_cells()));
}

std::string bad_cells_text(std::vector<BadCell> const& cells) {
  std::string text;
  for (BadCell const& each : cells)
    text += (text.empty() ? ": \"" : ", \"") + escape_for_display(each.cell, spelling_bytes_max) + "\" (" +
            format_count(each.records) + ")";
  return text;
}

std::string column_text(Inspection const& inspection, std::size_t i, std::uint64_t missing) {
  CsvColumn const& column = inspection.csv->columns()[i];
  std::string text = "    #" + padded(std::to_string(i), 5) + padded(std::string(role_word(column.role)), 9) +
                     (inspection.csv->has_header() ? escape_for_display(column.name, 60) : "");
  if (missing != 0) text += "  " + format_count(missing) + " missing";
  std::uint64_t const rejecting = inspection.rejects->rejecting(i);
  if (rejecting != 0)
    text += "  rejects " + counted(rejecting, "record", "records") + bad_cells_text(inspection.rejects->bad_cells(i));
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string columns_text(Inspection const& inspection) {
  std::string text = "  columns\n";
  std::size_t const columns = inspection.csv->columns().size();
  std::vector<std::uint64_t> const missing = inspection.missing_by_column();
  for (std::size_t i = 0; i < std::min(columns, listed_max); ++i)
    text += column_text(inspection, i, missing.empty() ? 0 : missing[i]);
  if (columns > listed_max) text += "    ... and " + format_count(columns - listed_max) + " more\n";
  return text;
}

/// "3 not a number, 1 too few fields", and where the first of each kind stands.
std::string rejects_text(Inspection const& inspection) {
  if (inspection.rejected() == 0) return {};
  std::string list, examples;
  for (RejectKinds::Kind const& kind : inspection.kinds.found()) {
    list += (list.empty() ? "" : ", ") + format_count(kind.records) + " " + kind.words();
    examples += line("", kind.example);
  }
  std::string const text =
      line("rejected", format_count(inspection.rejected()) + " (as with --on-error skip): " + list) + examples;
  std::string const suggestion = inspection.rejects ? inspection.rejects->suggestion(inspection.nulls) : "";
  return suggestion.empty() ? text : text + line("try", suggestion);
}

}  // namespace

std::string inspection_text(Inspection const& inspection) {
  std::string format(inspection.format.info().title);
  if (inspection.csv != nullptr) format += ", " + dialect_text(*inspection.csv);
  std::string text = inputs_text(inspection.files) + line("format", format);
  text +=
      line("records", format_count(inspection.summary->rows())) + rejects_text(inspection) + tensors_text(inspection);
  if (!inspection.ignored_text.empty())
    text += line("text", "columns were left out: --ignore " + inspection.ignored_text);
  for (std::string const& note : inspection.reader->notes()) text += line("note", note);
  return inspection.csv == nullptr ? text : text + columns_text(inspection);
}

}  // namespace penstock::app
