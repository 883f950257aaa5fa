/// Spans of time, for people who want to see what a run did when.
#pragma once

#include <chrono>
#include <string_view>

namespace penstock {

/// Takes spans from any thread. `track` is the line on which a span is drawn: a lane, the reader, a device stream.
class Trace {
 public:
  using Clock = std::chrono::steady_clock;
  virtual ~Trace() = default;
  /// The calling thread begins a span; the innermost one that is open ends first. `name` ends with a NUL and outlives
  /// it.
  virtual void enter(char const* name) { (void)name; }
  /// A span has ended: one that this thread entered, or (is_remote) work elsewhere that nobody entered.
  virtual void span(std::string_view name, unsigned track, Clock::time_point begin, Clock::time_point end,
                    bool is_remote = false) = 0;
};

/// Numbers of tracks: lanes have their own, from 0 on; their devices' work is drawn further down.
inline constexpr unsigned reader_track = 1000;
inline constexpr unsigned sequencer_track = 1001;
inline constexpr unsigned first_device_track = 2000;

/// A span from construction to destruction; costs nothing where `trace` is null.
class TraceSpan {
 public:
  TraceSpan(Trace* trace, char const* name, unsigned track) : trace_(trace), name_(name), track_(track) {
    if (trace_ == nullptr) return;
    trace_->enter(name_);
    begin_ = Trace::Clock::now();
  }
  ~TraceSpan() {
    if (trace_ != nullptr) trace_->span(name_, track_, begin_, Trace::Clock::now());
  }
  TraceSpan(TraceSpan const&) = delete;
  TraceSpan& operator=(TraceSpan const&) = delete;

 private:
  Trace* trace_;
  char const* name_;
  unsigned track_;
  Trace::Clock::time_point begin_;
};

}  // namespace penstock
