#include "host/app/layout_text.hpp"

#include <charconv>

#include "host/pipeline/csv_rules.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {
namespace {

/// A word for a byte that has no face of its own, else the byte.
std::string special_byte(char byte) {
  if (byte == '\0') return "none";
  bool const has_face = byte != ',' && byte != ';' && byte != '|' && byte > ' ' && byte < 0x7f;
  return has_face ? std::string(1, byte) : byte_word(byte);
}

/// In JSON a byte is itself; none is null.
void add_byte(Json& json, std::string_view name, char byte) {
  json.key(name);
  if (byte == '\0')
    json.null();
  else
    json.value(std::string_view(&byte, 1));
}

std::string features_text(BatchLayout const& layout) {
  if (!layout.is_sparse && layout.features == 0 && layout.has_lists()) return "";
  std::string const type(name_of(layout.feature_dtype));
  if (layout.is_sparse && layout.features == 0) return "sparse features " + type;
  return format_count(layout.features) + (layout.is_sparse ? " sparse" : "") +
         (layout.features == 1 ? " feature " : " features ") + type;
}

std::string times(std::size_t count) { return count == 1 ? "" : format_count(count) + " x "; }

}  // namespace

std::string list_text(ListLayout const& list) {
  std::string const parts = list.parts == 1 ? "" : std::to_string(list.parts) + " x ";
  return parts + std::string(name_of(list.role)) + " " + std::string(name_of(list.dtype));
}

std::optional<ListLayout> list_of(std::string_view text) {
  std::size_t parts = 1;
  if (text.find(" x ") != std::string_view::npos) std::from_chars(text.data(), text.data() + text.size(), parts);
  if (parts == 0) return std::nullopt;
  for (ListRole const role : list_roles) {
    for (DType const dtype : {DType::float32, DType::float64, DType::int32, DType::int64}) {
      ListLayout const list{role, dtype, parts};
      if (list_text(list) == text) return list;
    }
  }
  return std::nullopt;
}

std::string layout_text(BatchLayout const& layout) {
  std::string text = features_text(layout);
  auto const add = [&text](std::string const& part) { text += (text.empty() ? "" : ", ") + part; };
  if (layout.labels_vary) add("lists of labels " + std::string(name_of(layout.label_dtype)));
  for (ListLayout const& list : layout.lists) {
    if (list.role != ListRole::none) add("lists of " + list_text(list));
  }
  for (Role role : tensor_roles) {
    std::size_t const columns = layout.columns(role);
    if (role == Role::feature || columns == 0) continue;
    add(times(columns) + std::string(name_of(role)) + " " + std::string(name_of(layout.dtype(role))));
  }
  if (layout.has_uid) add("uid");
  if (layout.has_metadata) add("metadata");
  return text;
}

std::string dialect_text(CsvPlan const& plan) {
  csv::Dialect const& dialect = plan.dialect();
  std::string text = "delimiter " + special_byte(dialect.delimiter) + ", quote " + special_byte(dialect.quote);
  if (dialect.escape != '\0') text += ", escape " + special_byte(dialect.escape);
  if (dialect.comment != '\0') text += ", comment " + special_byte(dialect.comment);
  if (dialect.trim) text += ", trimmed";
  if (dialect.strict_quotes) text += ", strict quotes";
  return text + (plan.has_header() ? ", header" : ", no header");
}

void add_layout(Json& json, BatchLayout const& layout) {
  json.member("features", std::uint64_t{layout.features}).member("labels", std::uint64_t{layout.labels});
  json.member("weight", layout.has_weight).member("qid", layout.has_qid);
  json.member("base_margin", layout.has_base_margin).member("uid", layout.has_uid);
  json.member("metadata", layout.has_metadata).member("sparse", layout.is_sparse);
  json.member("labels_vary", layout.labels_vary);
  json.member("start", layout.has_start).member("cats", std::uint64_t{layout.cats});
  json.key("lists").begin_array();
  for (ListLayout const& list : layout.lists) {
    if (list.role == ListRole::none) continue;
    json.begin_object().member("name", name_of(list.role)).member("dtype", name_of(list.dtype));
    json.member("parts", std::uint64_t{list.parts}).end_object();
  }
  json.end_array();
  json.member("dtype", name_of(layout.feature_dtype)).member("label_dtype", name_of(layout.label_dtype));
}

void add_dialect(Json& json, CsvPlan const& plan) {
  csv::Dialect const& dialect = plan.dialect();
  json.key("dialect").begin_object();
  add_byte(json, "delimiter", dialect.delimiter);
  add_byte(json, "quote", dialect.quote);
  add_byte(json, "escape", dialect.escape);
  add_byte(json, "comment", dialect.comment);
  json.member("trim", dialect.trim).member("strict_quotes", dialect.strict_quotes).end_object();
  json.member("header", plan.has_header());
}

void add_columns(Json& json, std::vector<CsvColumn> const& columns) {
  json.key("columns").begin_array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    json.begin_object().member("index", std::uint64_t{i}).member("name", columns[i].name);
    json.member("role", role_word(columns[i].role)).end_object();
  }
  json.end_array();
}

std::string_view role_word(Role role) { return role == Role::feature ? "feature" : name_of(role); }

}  // namespace penstock::app
