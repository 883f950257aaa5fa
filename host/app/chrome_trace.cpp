#include "host/app/chrome_trace.hpp"

#include <set>
#include <span>

#include "host/app/json.hpp"

namespace penstock::app {
namespace {

std::string track_name(unsigned track) {
  if (track == reader_track) return "reader";
  if (track == sequencer_track) return "sequencer";
  if (track == first_device_track + reader_track) return "device, reader";
  if (track >= first_device_track) return "device, lane " + std::to_string(track - first_device_track);
  return "lane " + std::to_string(track);
}

double microseconds(Trace::Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

}  // namespace

ChromeTrace::ChromeTrace(std::string const& path, bool overwrite) : sink_(open_sink(path, {overwrite})) {}

void ChromeTrace::span(std::string_view name, unsigned track, Clock::time_point begin, Clock::time_point end, bool) {
  std::lock_guard const lock(mutex_);
  auto found = numbers_.find(name);
  if (found == numbers_.end()) {
    found = numbers_.emplace(std::string(name), names_.size()).first;
    names_.emplace_back(name);
  }
  events_.push_back({found->second, track, microseconds(begin - start_), microseconds(end - begin)});
}

std::string ChromeTrace::json() const {
  Json json;
  json.begin_object().key("traceEvents").begin_array();
  std::set<unsigned> tracks;
  for (Event const& event : events_) {
    tracks.insert(event.track);
    json.begin_object().member("name", names_[event.name]).member("ph", "X").member("pid", 1);
    json.member("tid", event.track).member("ts", event.begin_us).member("dur", event.duration_us).end_object();
  }
  for (unsigned const track : tracks) {
    json.begin_object().member("name", "thread_name").member("ph", "M").member("pid", 1).member("tid", track);
    json.key("args").begin_object().member("name", track_name(track)).end_object().end_object();
  }
  return json.end_array().member("displayTimeUnit", "ns").end_object().line();
}

void ChromeTrace::finish() {
  std::lock_guard const lock(mutex_);
  std::string const text = json();
  sink_->write(std::as_bytes(std::span(text)));
  sink_->commit();
}

}  // namespace penstock::app
