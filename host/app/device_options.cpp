#include "host/app/device_options.hpp"

#include "host/app/options_values.hpp"
#include "host/exec/engine.hpp"

namespace penstock::app {

DeviceChoice device_of(Arguments const& arguments, Trace* trace) {
  DeviceWish wish;
  wish.name = arguments.value_or("device", wish.name);
  if (!is_device_name(wish.name)) throw_bad_value("device", wish.name, "expected auto, cpu, cuda or cuda:N");
  constexpr std::pair<std::string_view, bool> priorities[] = {{"usual", false}, {"low", true}};
  constexpr std::pair<std::string_view, bool> waits[] = {{"sleep", false}, {"poll", true}};
  wish.is_low_priority = choice_of(arguments, "device-priority", priorities).value_or(false);
  wish.polls = choice_of(arguments, "device-wait", waits).value_or(false);
  wish.trace = trace;
  return choose_device(wish);
}

bool cuts_on_device(Arguments const& arguments) {
  constexpr std::pair<std::string_view, bool> choices[] = {{"on", true}, {"off", false}};
  return choice_of(arguments, "device-cut", choices).value_or(false);
}

std::string engine_name(Device const* device) {
  if (device != nullptr) return device->description();
  return "cpu (" + std::string(name_of(best_instruction_set())) + ")";
}

std::string engine_words(Device const* device, StreamSizes const& sizes) {
  std::string const unit = device != nullptr ? "lane" : "thread";
  return engine_name(device) + ", " + std::to_string(sizes.lanes) + " " + unit + (sizes.lanes == 1 ? "" : "s");
}

}  // namespace penstock::app
