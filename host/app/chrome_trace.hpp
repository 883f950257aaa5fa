/// --profile: spans as a Chrome trace, which chrome://tracing and ui.perfetto.dev show.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "host/io/sink.hpp"
#include "penstock/trace.hpp"

namespace penstock::app {

/// Collects spans from all threads, some 40 bytes each, and writes them when it is asked to.
class ChromeTrace final : public Trace {
 public:
  /// Throws SinkError if the file exists and may not be replaced.
  ChromeTrace(std::string const& path, bool overwrite);

  void span(std::string_view name, unsigned track, Clock::time_point begin, Clock::time_point end,
            bool is_remote) override;
  /// Writes the file. Throws SinkError.
  void finish();

 private:
  struct Event {
    std::size_t name;
    unsigned track;
    double begin_us;
    double duration_us;
  };
  [[nodiscard]] std::string json() const;

  std::unique_ptr<Sink> sink_;
  Clock::time_point start_ = Clock::now();
  mutable std::mutex mutex_;
  std::map<std::string, std::size_t, std::less<>> numbers_;  ///< of names
  std::vector<std::string> names_;
  std::vector<Event> events_;
};

}  // namespace penstock::app
