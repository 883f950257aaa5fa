#include "tests/support/simt/simt.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "tests/support/simt/device.hpp"
#include "tests/support/simt/machine.hpp"
#include "tests/support/simt/warp.hpp"

namespace simt {
namespace {

[[noreturn]] void refuse(std::string const& what) {
  std::fprintf(stderr, "simt: %s\n", what.c_str());
  std::abort();
}

struct ScheduleState {
  std::mutex mutex;
  Schedule schedule;
  ScheduleState() {
    if (char const* const text = std::getenv("PENSTOCK_SIMT_SCHEDULE")) schedule = schedule_of(text);
  }
};
ScheduleState& schedule_state() {
  static ScheduleState state;
  return state;
}

struct ReportState {
  std::mutex mutex;
  bool collects = false;
  std::vector<Report> reports;
};
ReportState& report_state() {
  static ReportState state;
  return state;
}
constexpr std::size_t reports_max = 1000;  // a race in a loop is found many times

}  // namespace

// --- schedules -----------------------------------------------------------------------------------------------------

Schedule schedule_of(std::string_view text) {
  if (text == "forward") return {Order::forward, 0};
  if (text == "reverse") return {Order::reverse, 0};
  if (text == "random") return {Order::random, 1};
  constexpr std::string_view random = "random:";
  Schedule schedule{Order::random, 0};
  char const* const end = text.data() + text.size();
  if (text.starts_with(random)) {
    auto const [stop, error] = std::from_chars(text.data() + random.size(), end, schedule.seed);
    if (error == std::errc() && stop == end) return schedule;
  }
  refuse("a schedule is forward, reverse, random or random:SEED, not '" + std::string(text) + "'");
}

void set_schedule(Schedule schedule) {
  std::scoped_lock const lock(schedule_state().mutex);
  schedule_state().schedule = schedule;
}
void set_schedule(std::string_view text) { set_schedule(schedule_of(text)); }

// --- reports -------------------------------------------------------------------------------------------------------

char const* name_of(Kind kind) {
  switch (kind) {
    case Kind::race: return "race";
    case Kind::uninitialised: return "uninitialised or stale shared value";
    case Kind::bounds: return "index out of bounds";
    case Kind::memory: return "memory";
    case Kind::divergence: return "divergence";
    case Kind::misuse: return "misuse";
  }
  return "?";
}

void report(Kind kind, std::string text) {
  ReportState& state = report_state();
  std::scoped_lock const lock(state.mutex);
  if (!state.collects) refuse(std::string(name_of(kind)) + ": " + text);
  if (state.reports.size() < reports_max) state.reports.push_back({kind, std::move(text)});
}

Reports::Reports() {
  std::scoped_lock const lock(report_state().mutex);
  if (report_state().collects) refuse("two simt::Reports at the same time");
  report_state().collects = true;
  report_state().reports.clear();
}
Reports::~Reports() {
  std::scoped_lock const lock(report_state().mutex);
  report_state().collects = false;
}
std::vector<Report> Reports::all() const {
  std::scoped_lock const lock(report_state().mutex);
  return report_state().reports;
}
std::size_t Reports::count() const { return all().size(); }
std::size_t Reports::count(Kind kind) const {
  auto const reports = all();
  return static_cast<std::size_t>(
      std::count_if(reports.begin(), reports.end(), [kind](Report const& report) { return report.kind == kind; }));
}
std::string Reports::text() const {
  std::string text;
  for (Report const& report : all()) text += std::string(name_of(report.kind)) + ": " + report.text + "\n";
  return text;
}
void Reports::clear() {
  std::scoped_lock const lock(report_state().mutex);
  report_state().reports.clear();
}

// --- launches ------------------------------------------------------------------------------------------------------

namespace detail {

void run(Launch const& launch) {
  if (!begin_call(launch.name)) return;
  bool const is_sound = launch.blocks > 0 && launch.threads > 0 && launch.threads <= threads_max;
  if (!is_sound || now.in_kernel) {
    end_call(launch.name, cudaErrorInvalidConfiguration);
    return;
  }
  if (launch.threads % lanes != 0)
    report(Kind::misuse,
           std::string(launch.name) + ": blocks of " + std::to_string(launch.threads) + " threads are not whole warps");
  Schedule schedule;
  {
    std::scoped_lock const lock(schedule_state().mutex);
    schedule = schedule_state().schedule;
  }
  DeviceAccess const access;
  bool const is_done = launch.threads % lanes == 0 && Machine::of_this_host_thread().run(launch, schedule);
  check_memory(launch.name);
  if (!is_done) end_call(launch.name, cudaErrorLaunchFailure);
}

void as_launch(char const* name) { (void)begin_call(name); }

// --- what kernel threads call --------------------------------------------------------------------------------------

void meet_block(Site site) { Machine::running().meet_block(site); }
void meet_warp_in_order(unsigned mask, Site site) { Machine::running().meet_warp_in_order(mask, site); }
std::uint64_t const* meet_warp(unsigned mask, std::uint64_t value, char const* word, Site site) {
  return Machine::running().meet_warp(mask, value, word, site);
}
unsigned ballot(unsigned mask, bool predicate, char const* word, Site site) {
  std::uint64_t const* const row = meet_warp(mask, predicate ? 1 : 0, word, site);
  Quiet const quiet;
  unsigned result = 0;
  for (unsigned lane = 0; lane < lanes; ++lane)
    if ((mask >> lane & 1) != 0 && row[lane] != 0) result |= 1u << lane;
  return result;
}
void report_shuffle(unsigned lane, char const* word, Site site) {
  Quiet const quiet;
  report(Kind::misuse, std::string(word) + " at " + text_of(site) + " reads lane " + std::to_string(lane) +
                           ", which its mask does not name (" + Machine::running().where() + ")");
}

SharedArray& shared_array(Site declared, std::size_t count, std::size_t size_bytes, void const* type) {
  return Machine::running().shared_array(declared, count, size_bytes, type);
}

namespace {
std::string element_text(SharedArray const& array, std::string const& index) {
  return "element " + index + " of " + std::to_string(array.count) + " of the array at " + text_of(array.declared);
}
char const* name_of(Access access) {
  return access == Access::read ? "a read" : access == Access::write ? "a write" : "an atomic operation";
}
}  // namespace

void report_race(SharedArray const& array, std::size_t index, Access access, std::uint64_t site) {
  Quiet const quiet;
  Machine const& machine = Machine::running();
  Element const& element = array.elements[index];
  std::string others;
  auto const add = [&](Accesses const& accesses, char const* what) {
    if (!others.empty()) others += " and ";
    others += std::string(what) + " by thread " + std::to_string(accesses.thread()) + " at " + text_of(accesses.site());
  };
  if (element.writes.conflict()) add(element.writes, "a write");
  if (access != Access::read && element.reads.conflict()) add(element.reads, "a read");
  if (access != Access::atomic && element.atomics.conflict()) add(element.atomics, "an atomic operation");
  report(Kind::race, element_text(array, std::to_string(index)) + ": " + name_of(access) + " at " +
                         text_of(unpack(site)) + " (" + machine.where() + ") is not ordered behind " + others);
}
void report_uninitialised(SharedArray const& array, std::size_t index, std::uint64_t site) {
  Quiet const quiet;
  if (index == array.count) return;  // out of bounds, and reported as that
  report(Kind::uninitialised, element_text(array, std::to_string(index)) + ": read at " + text_of(unpack(site)) + " (" +
                                  Machine::running().where() + "), but nobody in this block wrote it");
}
void report_bounds(SharedArray const& array, long long index, std::uint64_t site) {
  Quiet const quiet;
  report(Kind::bounds, element_text(array, std::to_string(index)) + ", at " + text_of(unpack(site)) + " (" +
                           Machine::running().where() + ")");
}

}  // namespace detail
}  // namespace simt
