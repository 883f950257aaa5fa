#include "host/app/path_items.hpp"

#include <algorithm>

#include "formats/objects/paths.hpp"
#include "host/pipeline/column_list.hpp"
#include "host/text/text_format.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

[[noreturn]] void throw_twice(std::string const& name) {
  throw ConfigurationError("--normalize names " + escape_for_display(name, 60) + " twice");
}

}  // namespace

PathItems path_items(std::vector<SpecItem> const& items) {
  PathItems out;
  for (SpecItem const& item : items) {
    if (!item.spec.takes_text()) {
      out.others.push_back(item);
      continue;
    }
    auto const paths = objects::read_paths(item.columns);
    if (!paths)
      throw ConfigurationError(
          "--normalize '" + escape_for_display(item.columns, 60) + "': not a list of paths such as a, a.b or a.b[2]",
          "A key that holds '.', ',' or '[' stands in double quotes.");
    for (objects::Path const& path : *paths) {
      std::string const name = objects::text_of(path);
      if (!out.texts.emplace(name, item.spec).second) throw_twice(name);
      out.text_list += (out.text_list.empty() ? "" : ",") + name;
    }
  }
  for (SpecItem const& item : out.others) {
    for (objects::Path const& path : objects::read_paths(item.columns).value_or(std::vector<objects::Path>{}))
      if (out.texts.contains(objects::text_of(path))) throw_twice(objects::text_of(path));
  }
  return out;
}

Arguments with_texts(Arguments const& arguments, PathItems const& items) {
  Arguments out = arguments.without({"texts"});
  if (!items.text_list.empty()) out.set_default("texts", items.text_list);
  return out;
}

std::string class_label(Arguments const& arguments) {
  auto const paths = objects::read_paths(arguments.value_or("label", ""));
  if (!paths || paths->size() != 1)
    throw ConfigurationError("--classes and --positive are about one label", "--label NAME names it.");
  if (arguments.value("label-map"))
    throw ConfigurationError("--label-map says already which class is which number",
                             "Leave it out, or --classes and --positive.");
  for (objects::Path const& column :
       objects::read_paths(arguments.value_or("columns", "")).value_or(std::vector<objects::Path>{}))
    if (column == paths->front())
      throw ConfigurationError("--columns names the label " + escape_for_display(objects::text_of(column), 60) +
                               " among the features");
  return objects::text_of(paths->front());
}

Arguments with_label_as_text(Arguments const& arguments, PathItems const& items) {
  if (items.label.empty()) return arguments;
  Arguments out = arguments.without({"texts", "label"});
  out.set_default("texts", items.text_list + (items.text_list.empty() ? "" : ",") + items.label);
  return out;
}

std::vector<SpecItem> listed_items(std::vector<SpecItem> items, std::vector<std::string> const& names) {
  for (SpecItem& item : items) {
    auto const paths = objects::read_paths(item.columns);
    if (!paths || paths->empty()) continue;
    std::string list;
    bool are_known = true;
    for (objects::Path const& path : *paths) {
      std::string const name = objects::text_of(path);
      are_known = are_known && std::ranges::find(names, name) != names.end();
      list += (list.empty() ? "" : ",") + list_item(name);
    }
    if (are_known) item.columns = list;
  }
  return items;
}

}  // namespace penstock::app
