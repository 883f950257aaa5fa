#include "host/app/viewing.hpp"

#include "host/app/device_options.hpp"
#include "host/app/options_values.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {

ReadOptions read_options(Arguments const& arguments) {
  StreamOptions stream = stream_options(arguments);
  // Starting a device takes longer than most looks; who names one gets it.
  if (arguments.value("device")) stream.device = device_of(arguments, nullptr).device;
  stream.is_device_required = arguments.value_or("device", "auto") != "auto";
  stream.cuts_on_device = cuts_on_device(arguments);
  return {arguments, stream, format_option(arguments, "from", false)};
}

std::string column_word(Role role, std::size_t column, std::vector<std::string> const& names) {
  std::string const word = std::string(name_of(role)) + "[" + std::to_string(column) + "]";
  return column < names.size() ? word + " (" + escape_for_display(names[column], 40) + ")" : word;
}

}  // namespace penstock::app
