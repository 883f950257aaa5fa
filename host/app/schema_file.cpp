#include "host/app/schema_file.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include "host/app/json.hpp"
#include "host/app/layout_text.hpp"
#include "host/io/source.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

// ---- words and bytes -------------------------------------------------------------------------------------

constexpr Role column_roles[] = {Role::feature,     Role::label,    Role::weight, Role::qid,
                                 Role::base_margin, Role::category, Role::ignore};
constexpr DType dtypes[] = {DType::float32, DType::float64, DType::int32, DType::int64};

std::string_view word_of(Role role) { return role == Role::feature ? "feature" : name_of(role); }

// ---- what stands where -----------------------------------------------------------------------------------

/// `bytes` is a string, or an object that holds one in base64.
enum class Kind : std::uint8_t { null, boolean, number, string, array, object, bytes };

std::string_view name_of(Kind kind) {
  constexpr std::string_view names[] = {"null",     "true or false", "a number", "a string",
                                        "an array", "an object",     "a string"};
  return names[static_cast<std::size_t>(kind)];
}

/// Arrays and objects of a schema; `base64` is the object that stands in for a string.
enum class Place : std::uint8_t { top, columns, column, features, layout, lists, options, base64 };

/// A value that holds no others.
struct Scalar {
  Kind kind = Kind::null;
  bool is_true = false;
  bool is_whole = false;  ///< `number` is the number
  std::uint64_t number = 0;
  std::string_view text = {};
};

/// What is expected instead of a value; empty if it is right.
using Expected = std::string_view;

/// A member of an object, or an element of an array: what it has to be, and what to do with it.
struct Member {
  std::string_view name;
  Kind kind;
  Expected (*set)(Schema&, Scalar const&) = nullptr;  ///< of scalars
  Place opens = Place::top;                           ///< of arrays and objects
  std::string (*text)(BatchLayout const&) = nullptr;  ///< of the layout's members: the value in JSON
  bool is_optional = false;  ///< of the layout's members: left out where there is nothing of it
};

/// Sets `into` to the one of `values` that is called so.
template <class T, class Name>
Expected set_by_name(T& into, std::span<T const> values, Name name, std::string_view wanted, Expected expected) {
  auto const found = std::ranges::find(values, wanted, name);
  if (found == values.end()) return expected;
  into = *found;
  return "";
}

/// How a field of the layout is read and written.
template <auto field, class T = std::remove_cvref_t<decltype(std::declval<BatchLayout&>().*field)>>
struct LayoutField {
  static constexpr bool is_flag = std::is_same_v<T, bool>;
  static constexpr bool is_type = std::is_same_v<T, DType>;

  static Expected set(Schema& schema, Scalar const& value) {
    T& into = schema.layout.*field;
    if constexpr (is_type) {
      auto const name = [](DType type) { return penstock::name_of(type); };
      return set_by_name<DType>(into, dtypes, name, value.text, "float32, float64, int32 or int64");
    } else {
      if (!is_flag && !value.is_whole) return "a whole number, 0 or more";
      into = static_cast<T>(is_flag ? value.is_true : value.number);
      return "";
    }
  }
  static std::string text(BatchLayout const& layout) {
    if constexpr (is_type) return '"' + std::string(penstock::name_of(layout.*field)) + '"';
    if constexpr (is_flag) return layout.*field ? "true" : "false";
    if constexpr (!is_type && !is_flag) return std::to_string(layout.*field);
  }
  static constexpr Member member(std::string_view name) {
    return {name, is_flag ? Kind::boolean : is_type ? Kind::string : Kind::number, set, Place::top, text};
  }
  static std::string text_if_any(BatchLayout const& layout) { return layout.*field == T{} ? "" : text(layout); }
  static constexpr Member optional_member(std::string_view name) {
    Member optional = member(name);
    optional.text = text_if_any;
    optional.is_optional = true;
    return optional;
  }
};

Expected check_version(Schema&, Scalar const& value) {
  return value.is_whole && value.number == schema_version ? "" : "1";
}
Expected check_index(Schema& schema, Scalar const& value) {
  bool const is_next = value.is_whole && value.number == schema.columns.size() - 1;
  return is_next ? "" : "the column's place in this list, counted from 0";
}
Expected set_role(Schema& schema, Scalar const& value) {
  return set_by_name<Role>(schema.columns.back().role, column_roles, word_of, value.text,
                           "feature, label, weight, qid, base_margin, category or ignored");
}
Expected set_format(Schema& schema, Scalar const& value) { return schema.format = value.text, ""; }
Expected set_column(Schema& schema, Scalar const& value) { return schema.columns.back().name = value.text, ""; }
Expected add_feature(Schema& schema, Scalar const& value) { return schema.features.emplace_back(value.text), ""; }
Expected set_option(Schema& schema, Scalar const& value) { return schema.options.back().second = value.text, ""; }

/// "target float32", as list_text() says it.
Expected add_list(Schema& schema, Scalar const& value) {
  auto const free = std::ranges::find(schema.layout.lists, ListRole::none, &ListLayout::role);
  if (free == schema.layout.lists.end()) return "no more than two lists";
  std::optional<ListLayout> const list = list_of(value.text);
  if (!list) return "a list and its type, such as target float32";
  return *free = *list, "";
}

std::string lists_text(BatchLayout const& layout) {
  std::string text;
  for (ListLayout const& list : layout.lists)
    if (list.role != ListRole::none) text += (text.empty() ? "[\"" : ", \"") + list_text(list) + '"';
  return text.empty() ? "" : text + "]";
}

constexpr Member top_members[] = {
    {"schema_version", Kind::number, check_version},   {"format", Kind::string, set_format},
    {"columns", Kind::array, nullptr, Place::columns}, {"features", Kind::array, nullptr, Place::features},
    {"layout", Kind::object, nullptr, Place::layout},  {"options", Kind::object, nullptr, Place::options}};
constexpr Member column_members[] = {
    {"index", Kind::number, check_index}, {"name", Kind::bytes, set_column}, {"role", Kind::string, set_role}};
constexpr Member layout_members[] = {
    LayoutField<&BatchLayout::features>::member("features"),
    LayoutField<&BatchLayout::feature_dtype>::member("dtype"),
    LayoutField<&BatchLayout::labels>::member("labels"),
    LayoutField<&BatchLayout::label_dtype>::member("label_dtype"),
    LayoutField<&BatchLayout::labels_vary>::member("labels_vary"),
    LayoutField<&BatchLayout::has_weight>::member("weight"),
    LayoutField<&BatchLayout::has_qid>::member("qid"),
    LayoutField<&BatchLayout::has_base_margin>::member("base_margin"),
    LayoutField<&BatchLayout::is_sparse>::member("sparse"),
    LayoutField<&BatchLayout::has_uid>::member("uid"),
    LayoutField<&BatchLayout::has_metadata>::member("metadata"),
    LayoutField<&BatchLayout::has_start>::optional_member("start"),
    LayoutField<&BatchLayout::cats>::optional_member("cats"),
    {"lists", Kind::array, nullptr, Place::lists, lists_text, true},
};
constexpr Member base64_members[] = {{"base64", Kind::string}};
constexpr Member column_element{"", Kind::object, nullptr, Place::column};
constexpr Member feature_element{"", Kind::bytes, add_feature};
constexpr Member list_element{"", Kind::string, add_list};
constexpr Member option_member{"", Kind::bytes, set_option};

/// The members of an object; none for options, which have any.
std::span<Member const> members_of(Place place) {
  switch (place) {
    case Place::top: return top_members;
    case Place::column: return column_members;
    case Place::layout: return layout_members;
    case Place::base64: return base64_members;
    default: return {};
  }
}

// ---- reading ---------------------------------------------------------------------------------------------

/// Takes the values of a schema from RapidJSON one after another; false ends the parse with a problem. Nothing nests
/// deeper than the places do, for whatever does not belong is refused where it begins.
class SchemaHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, SchemaHandler> {
 public:
  explicit SchemaHandler(Schema& schema) : schema_(schema) {}
  [[nodiscard]] std::string const& problem() const { return problem_; }  ///< empty: there is none
  [[nodiscard]] std::string const& hint() const { return hint_; }

  bool Null() { return take({.kind = Kind::null}); }
  bool Bool(bool value) { return take({.kind = Kind::boolean, .is_true = value}); }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Uint64(std::uint64_t value) { return take({.kind = Kind::number, .is_whole = true, .number = value}); }
  bool Default() { return take({.kind = Kind::number}); }  // numbers below 0 and numbers with a fraction
  bool String(char const* text, unsigned size, bool) { return take({.kind = Kind::string, .text = {text, size}}); }
  bool StartObject() { return open(Kind::object); }
  bool StartArray() { return open(Kind::array); }
  bool EndArray(unsigned) { return close(); }
  bool EndObject(unsigned);
  bool Key(char const* text, unsigned size, bool);

 private:
  struct Frame {
    Place place;
    std::string key = {};  ///< of the member that is being read
    Member const* member = nullptr;
    std::size_t index = 0;   ///< of the element that is being read
    std::uint32_t seen = 0;  ///< a bit for each of members_of(place)
  };

  static bool is_array(Place place) {
    return place == Place::columns || place == Place::features || place == Place::lists;
  }
  /// What is to stand in `frame` now.
  static Member const& wanted_in(Frame const& frame) {
    if (frame.place == Place::columns) return column_element;
    if (frame.place == Place::features) return feature_element;
    if (frame.place == Place::lists) return list_element;
    return frame.place == Place::options ? option_member : *frame.member;
  }

  bool take(Scalar const& value);
  bool take_base64(std::string_view text);
  bool open(Kind kind);
  bool close() {
    frames_.pop_back();
    if (!frames_.empty()) ++frames_.back().index;
    return true;
  }
  bool fail(std::string const& what, std::string hint = {}) {
    problem_ = path() + ": " + what;
    hint_ = std::move(hint);
    return false;
  }
  bool fail_kind(Kind wanted, Kind found) {
    return fail("expected " + std::string(name_of(wanted)) + ", found " + std::string(name_of(found)));
  }
  /// "$.columns[3].role": where the value that is being read stands.
  [[nodiscard]] std::string path() const {
    std::string text = "$";
    for (Frame const& frame : frames_) {
      if (is_array(frame.place))
        text += "[" + std::to_string(frame.index) + "]";
      else if (!frame.key.empty())
        text += "." + escape_for_display(frame.key, 40);
    }
    return text;
  }

  Schema& schema_;
  std::vector<Frame> frames_;
  std::string problem_;
  std::string hint_;
};

bool SchemaHandler::Key(char const* text, unsigned size, bool) {
  Frame& frame = frames_.back();
  std::string_view const name(text, size);
  frame.key.clear();
  auto const shown = [&] { return "'" + escape_for_display(name, 40) + "'"; };
  if (frame.place == Place::options) {
    if (name.empty()) return fail("an option without a name");
    schema_.options.emplace_back(name, "");
  } else {
    std::span<Member const> const members = members_of(frame.place);
    auto const found = std::ranges::find(members, name, &Member::name);
    if (found == members.end()) {
      std::string known;
      for (Member const& member : members) known += (known.empty() ? "" : ", ") + std::string(member.name);
      return fail("unknown member " + shown(), "What belongs here: " + known + ".");
    }
    std::uint32_t const bit = 1u << (found - members.begin());
    if ((frame.seen & bit) != 0) return fail("member " + shown() + " stands here twice");
    frame.seen |= bit;
    frame.member = &*found;
  }
  frame.key = name;
  return true;
}

bool SchemaHandler::EndObject(unsigned) {
  Frame& frame = frames_.back();
  frame.key.clear();
  std::span<Member const> const members = members_of(frame.place);
  for (std::size_t i = 0; i < members.size(); ++i)
    if ((frame.seen >> i & 1) == 0 && !members[i].is_optional)
      return fail("member '" + std::string(members[i].name) + "' is missing");
  return close();
}

bool SchemaHandler::take(Scalar const& value) {
  if (frames_.empty()) return fail_kind(Kind::object, value.kind);
  Frame& frame = frames_.back();
  if (frame.place == Place::base64 && value.kind == Kind::string) return take_base64(value.text);
  Member const& wanted = wanted_in(frame);
  bool const fits = value.kind == wanted.kind || (wanted.kind == Kind::bytes && value.kind == Kind::string);
  if (!fits) return fail_kind(wanted.kind, value.kind);
  Expected const expected = wanted.set(schema_, value);
  if (!expected.empty()) {
    std::string found = "'" + escape_for_display(value.text, 40) + "'";
    if (value.kind == Kind::number) found = value.is_whole ? std::to_string(value.number) : "another number";
    return fail("expected " + std::string(expected) + ", found " + found);
  }
  ++frame.index;
  return true;
}

bool SchemaHandler::take_base64(std::string_view text) {
  std::optional<std::string> const bytes = from_base64(text);
  if (!bytes) return fail("expected base64 with padding, found '" + escape_for_display(text, 40) + "'");
  wanted_in(frames_.end()[-2]).set(schema_, {.kind = Kind::string, .text = *bytes});
  return true;
}

bool SchemaHandler::open(Kind kind) {
  if (frames_.empty()) {
    if (kind != Kind::object) return fail_kind(Kind::object, kind);
    frames_.push_back({Place::top});
    return true;
  }
  Member const& wanted = wanted_in(frames_.back());
  bool const is_base64 = wanted.kind == Kind::bytes && kind == Kind::object;
  if (kind != wanted.kind && !is_base64) return fail_kind(wanted.kind, kind);
  Place const place = is_base64 ? Place::base64 : wanted.opens;
  if (place == Place::column) schema_.columns.emplace_back();
  frames_.push_back({place});
  return true;
}

/// Looks for the schema's version and nothing else, so that a newer schema is called that, whatever is new in it. Gives
/// up at a depth that no schema has.
struct VersionFinder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, VersionFinder> {
  bool Uint(unsigned value) { return Uint64(value); }
  bool Uint64(std::uint64_t value) {
    if (is_next && depth == 1) version = value;
    return Default();
  }
  bool Default() { return !is_next || depth != 1; }  // the version, or something else in its place: enough
  bool Key(char const* text, unsigned size, bool) {
    is_next = depth == 1 && std::string_view(text, size) == "schema_version";
    return true;
  }
  bool StartObject() { return ++depth <= depth_max; }
  bool StartArray() { return ++depth <= depth_max; }
  bool EndObject(unsigned) { return --depth, true; }
  bool EndArray(unsigned) { return --depth, true; }

  static constexpr int depth_max = 8;  // a schema has 4
  int depth = 0;
  bool is_next = false;
  std::optional<std::uint64_t> version = {};
};

/// What a handler made of the text, or where it went wrong.
template <class Handler>
rapidjson::ParseResult parse(std::string_view text, Handler& handler) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  return reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, handler);
}

std::string line_of(std::string_view text, std::size_t offset) {
  return std::to_string(1 + std::ranges::count(text.substr(0, offset), '\n'));
}

[[noreturn]] void throw_syntax(std::string_view text, std::string_view name, std::size_t offset,
                               std::string_view what) {
  std::size_t const column = offset - (text.substr(0, offset).find_last_of('\n') + 1) + 1;  // npos + 1 is 0
  throw SchemaError(std::string(name) + ":" + line_of(text, offset) + ":" + std::to_string(column) +
                    ": this is no JSON: " + std::string(what));
}

/// What the members say together.
std::string contradiction_in(Schema const& schema) {
  BatchLayout const& layout = schema.layout;
  std::uint64_t const features_max =
      layout.is_sparse ? std::uint64_t{std::numeric_limits<std::int64_t>::max()} : schema_columns_max;
  if (layout.features > features_max) return "$.layout.features: more than " + format_count(features_max);
  if (layout.cats > schema_columns_max) return "$.layout.cats: more than " + format_count(schema_columns_max);
  if (layout.labels > schema_columns_max) return "$.layout.labels: more than " + format_count(schema_columns_max);
  if (layout.labels_vary && layout.labels != 0)
    return "$.layout.labels: expected 0, because their number varies (labels_vary)";
  std::size_t const names = schema.features.size();
  if (names != 0 && names != layout.features)
    return "$.features: " + format_count(names) + " names for the " + format_count(layout.features) +
           " features of $.layout.features";
  auto const columns = static_cast<std::size_t>(std::ranges::count(schema.columns, Role::feature, &SchemaColumn::role));
  if (!schema.columns.empty() && columns != layout.features)
    return "$.columns: " + format_count(columns) + " columns are features, but $.layout.features is " +
           format_count(layout.features);
  std::vector<std::string_view> options;
  for (auto const& option : schema.options) options.emplace_back(option.first);
  std::ranges::sort(options);
  auto const twice = std::ranges::adjacent_find(options);
  return twice == options.end() ? "" : "$.options: member '" + escape_for_display(*twice, 40) + "' stands here twice";
}

// ---- writing ---------------------------------------------------------------------------------------------

void add_bytes(Json& json, std::string_view bytes) {
  if (is_utf8(bytes))
    json.value(bytes);
  else
    json.begin_object().member("base64", base64(bytes)).end_object();
}

/// What `add` adds, without the line end.
template <class Add>
std::string json_text(Add add) {
  Json json;
  add(json);
  std::string text = json.line();
  text.pop_back();
  return text;
}
std::string json_of(std::string_view bytes) {
  return json_text([&](Json& json) { add_bytes(json, bytes); });
}

/// `  "name": [`, the items on lines of their own, `  ]`.
std::string block(std::string_view name, std::string_view brackets, std::vector<std::string> const& items) {
  std::string text = "  " + json_of(name) + ": " + brackets[0];
  for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "\n    " : ",\n    ") + items[i];
  return text + (items.empty() ? "" : "\n  ") + brackets[1];
}

std::string column_text(std::size_t index, SchemaColumn const& column) {
  return json_text([&](Json& json) {
    json.begin_object().member("index", std::uint64_t{index}).key("name");
    add_bytes(json, column.name);
    json.member("role", word_of(column.role)).end_object();
  });
}

std::string member_text(std::string_view name, std::string const& value) { return json_of(name) + ": " + value; }

}  // namespace

std::string to_json(Schema const& schema) {
  std::vector<std::string> columns, features, layout, options;
  for (std::size_t i = 0; i < schema.columns.size(); ++i) columns.push_back(column_text(i, schema.columns[i]));
  for (std::string const& name : schema.features) features.push_back(json_of(name));
  for (Member const& member : layout_members) {
    std::string const text = member.text(schema.layout);
    if (!text.empty()) layout.push_back(member_text(member.name, text));
  }
  for (auto const& [name, value] : schema.options) options.push_back(member_text(name, json_of(value)));
  return "{\n  " + member_text("schema_version", std::to_string(schema_version)) + ",\n  " +
         member_text("format", json_of(schema.format)) + ",\n" + block("columns", "[]", columns) + ",\n" +
         block("features", "[]", features) + ",\n" + block("layout", "{}", layout) + ",\n" +
         block("options", "{}", options) + "\n}\n";
}

Schema parse_schema(std::string_view text, std::string_view name) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::size_t const nul = text.find('\0');  // RapidJSON would take it for the end
  if (nul != std::string_view::npos) throw_syntax(text, name, nul, "a NUL byte");
  VersionFinder finder;
  parse(text, finder);
  if (finder.version && *finder.version > schema_version)
    throw SchemaError(std::string(name) + ": is a schema of version " + std::to_string(*finder.version) +
                          "; this program reads version " + std::to_string(schema_version),
                      "Use a newer penstock.");
  Schema schema;
  SchemaHandler handler(schema);
  rapidjson::ParseResult const result = parse(text, handler);
  if (!handler.problem().empty())
    throw SchemaError(std::string(name) + ":" + line_of(text, result.Offset()) + ": " + handler.problem(),
                      handler.hint());
  if (result.IsError()) throw_syntax(text, name, result.Offset(), rapidjson::GetParseError_En(result.Code()));
  std::string const contradiction = contradiction_in(schema);
  if (!contradiction.empty()) throw SchemaError(std::string(name) + ": " + contradiction);
  return schema;
}

Schema read_schema(std::string const& path) {
  std::unique_ptr<Source> const source = open_source({.path = path, .is_stdin = path == "-"});
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);  // as much as a pipe gives
  while (std::size_t const got = source->read(buffer.data(), buffer.size())) {
    text.append(buffer.data(), got);
    if (text.size() > schema_bytes_max)
      throw SchemaError(source->name() + ": is larger than " + format_bytes(schema_bytes_max) + ", which no schema is");
  }
  return parse_schema(text, source->name());
}

void write_schema(std::string const& path, Schema const& schema, SinkOptions const& options) {
  std::string const text = to_json(schema);
  std::unique_ptr<Sink> const sink = open_sink(path, options);
  sink->write(std::as_bytes(std::span(text)));
  sink->commit();
}

}  // namespace penstock::app
