#include "host/app/side_files.hpp"

#include <string>

#include "penstock/error.hpp"

namespace penstock::app {
namespace {

std::string_view option_of(Role role) {
  return role == Role::weight ? "--weight-file" : role == Role::qid ? "--group-file" : "--base-margin-file";
}

}  // namespace

SideFiles::SideFiles(Arguments const& arguments, std::vector<InputFile> const& inputs, BatchLayout const& layout) {
  RowFileOptions const options{arguments.value_or("group-file", ""), arguments.value_or("weight-file", ""),
                               arguments.value_or("base-margin-file", "")};
  if (options.group.empty() && options.weight.empty() && options.base_margin.empty()) return;
  RowFilePlan plan = resolve_row_files(options, inputs);
  for (RowFileSet const& set : plan.sets) {
    if (layout.columns(set.role) != 0)
      throw ConfigurationError(
          std::string(option_of(set.role)) + ": the records have a " + std::string(name_of(set.role)) + " themselves",
          "Leave out one of the two.");
  }
  files_ = std::make_unique<RowFiles>(std::move(plan));
}

}  // namespace penstock::app
