#include "host/loader/loader_metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include "host/app/json.hpp"
#include "host/text/text_format.hpp"

namespace penstock {
namespace {

std::string number_text(double number) {
  app::Json json;
  std::string text = json.value(number).line();
  text.pop_back();
  return text;
}

void add_metric(std::string& text, std::string_view name, std::string_view type, std::string_view help,
                std::string const& value) {
  std::string const full = "penstock_loader_" + std::string(name);
  text += "# HELP " + full + " " + std::string(help) + "\n# TYPE " + full + " " + std::string(type) + "\n" + full +
          " " + value + "\n";
}

/// Of seconds.
std::string share_text(double part, double whole) {
  auto const micros = [](double seconds) { return static_cast<std::uint64_t>(std::llround(1e6 * seconds)); };
  return format_percent(micros(part), micros(whole));
}

using StageSeconds = std::pair<std::string_view, double>;

std::array<StageSeconds, 4> stages_of(LoaderMetrics const& metrics) {
  return {StageSeconds{"read", metrics.read_seconds}, StageSeconds{"cut", metrics.cut_seconds},
          StageSeconds{"decode", metrics.decode_seconds}, StageSeconds{"assemble", metrics.assemble_seconds}};
}

/// Whether the trainer had to wait, and for what.
std::string verdict_of(LoaderMetrics const& metrics, double waited) {
  constexpr double negligible = 0.01, noticeable = 0.1;
  if (waited < negligible) return "not input-bound";
  if (waited < noticeable) return "hardly input-bound";
  auto const stages = stages_of(metrics);
  auto const busiest = std::ranges::max_element(stages, {}, [](StageSeconds const& stage) { return stage.second; });
  return "input-bound: mostly " + std::string(busiest->first);
}

}  // namespace

std::string prometheus_text(LoaderMetrics const& metrics) {
  std::string text;
  auto const counter = [&](std::string_view name, std::string_view help, std::string const& value) {
    add_metric(text, name, "counter", help, value);
  };
  counter("batches_total", "Batches that were handed out.", std::to_string(metrics.batches));
  counter("records_total", "Records in them.", std::to_string(metrics.records));
  counter("rejected_total", "Records that were rejected.", std::to_string(metrics.rejected));
  counter("text_bytes_total", "Bytes of decompressed text that were decoded.", std::to_string(metrics.text_bytes));
  counter("seconds_total", "Seconds since the first batch was asked for.", number_text(metrics.seconds));
  counter("waited_seconds_total", "Seconds that the consumer waited for batches.", number_text(metrics.waited_seconds));
  counter("blocked_seconds_total", "Seconds that threads which make batches waited for the consumer.",
          number_text(metrics.blocked_seconds));
  text +=
      "# HELP penstock_loader_stage_seconds_total Seconds of work, all threads together.\n"
      "# TYPE penstock_loader_stage_seconds_total counter\n";
  for (auto const& [name, seconds] : stages_of(metrics))
    text += "penstock_loader_stage_seconds_total{stage=\"" + std::string(name) + "\"} " + number_text(seconds) + "\n";
  add_metric(text, "ready_bytes", "gauge", "Bytes of batches that wait to be taken.",
             std::to_string(metrics.ready_bytes));
  add_metric(text, "held_bytes", "gauge", "Bytes of batches that were taken and still live.",
             std::to_string(metrics.held_bytes));
  return text;
}

std::string summary_line(LoaderMetrics const& metrics) {
  double const seconds = std::max(metrics.seconds, 1e-9);
  std::string line = format_count(metrics.records) + " records in " + format_count(metrics.batches) + " batches, " +
                     format_bytes(metrics.text_bytes) + " of text in " + format_duration(metrics.seconds) + " (" +
                     format_rate(static_cast<double>(metrics.text_bytes) / seconds) + ")";
  if (metrics.rejected != 0) line += ", " + format_count(metrics.rejected) + " rejected";
  line += "; busy:";
  for (auto const& [name, busy] : stages_of(metrics))
    line += " " + std::string(name) + " " + share_text(busy, seconds * std::max(metrics.threads, 1u));
  double const waited = metrics.waited_seconds / seconds;
  return line + "; waited " + share_text(metrics.waited_seconds, seconds) +
         " of the time: " + verdict_of(metrics, waited);
}

}  // namespace penstock
