// What loaders tell of themselves: to Prometheus, and to people.

#include "host/loader/loader_metrics.hpp"

#include <gtest/gtest.h>

#include <string>

namespace penstock {
namespace {

LoaderMetrics some_metrics() {
  LoaderMetrics metrics;
  metrics.batches = 3;
  metrics.records = 1200;
  metrics.rejected = 7;
  metrics.text_bytes = 50'000'000;
  metrics.seconds = 2;
  metrics.waited_seconds = 0.5;
  metrics.blocked_seconds = 0.25;
  metrics.read_seconds = 0.125;
  metrics.cut_seconds = 0.08;
  metrics.decode_seconds = 3;
  metrics.assemble_seconds = 0.5;
  metrics.ready_bytes = 4096;
  metrics.held_bytes = 8192;
  metrics.threads = 2;
  return metrics;
}

TEST(LoaderMetricsText, IsPrometheusExpositionFormat) {
  EXPECT_EQ(
      prometheus_text(some_metrics()),
      "# HELP penstock_loader_batches_total Batches that were handed out.\n"
      "# TYPE penstock_loader_batches_total counter\n"
      "penstock_loader_batches_total 3\n"
      "# HELP penstock_loader_records_total Records in them.\n"
      "# TYPE penstock_loader_records_total counter\n"
      "penstock_loader_records_total 1200\n"
      "# HELP penstock_loader_rejected_total Records that were rejected.\n"
      "# TYPE penstock_loader_rejected_total counter\n"
      "penstock_loader_rejected_total 7\n"
      "# HELP penstock_loader_text_bytes_total Bytes of decompressed text that were decoded.\n"
      "# TYPE penstock_loader_text_bytes_total counter\n"
      "penstock_loader_text_bytes_total 50000000\n"
      "# HELP penstock_loader_seconds_total Seconds since the first batch was asked for.\n"
      "# TYPE penstock_loader_seconds_total counter\n"
      "penstock_loader_seconds_total 2\n"
      "# HELP penstock_loader_waited_seconds_total Seconds that the consumer waited for batches.\n"
      "# TYPE penstock_loader_waited_seconds_total counter\n"
      "penstock_loader_waited_seconds_total 0.5\n"
      "# HELP penstock_loader_blocked_seconds_total Seconds that threads which make batches waited for the consumer.\n"
      "# TYPE penstock_loader_blocked_seconds_total counter\n"
      "penstock_loader_blocked_seconds_total 0.25\n"
      "# HELP penstock_loader_stage_seconds_total Seconds of work, all threads together.\n"
      "# TYPE penstock_loader_stage_seconds_total counter\n"
      "penstock_loader_stage_seconds_total{stage=\"read\"} 0.125\n"
      "penstock_loader_stage_seconds_total{stage=\"cut\"} 0.08\n"
      "penstock_loader_stage_seconds_total{stage=\"decode\"} 3\n"
      "penstock_loader_stage_seconds_total{stage=\"assemble\"} 0.5\n"
      "# HELP penstock_loader_ready_bytes Bytes of batches that wait to be taken.\n"
      "# TYPE penstock_loader_ready_bytes gauge\n"
      "penstock_loader_ready_bytes 4096\n"
      "# HELP penstock_loader_held_bytes Bytes of batches that were taken and still live.\n"
      "# TYPE penstock_loader_held_bytes gauge\n"
      "penstock_loader_held_bytes 8192\n");
}

/// The end of the line that people read.
std::string verdict(double waited_seconds, double assemble_seconds = 0.5) {
  LoaderMetrics metrics = some_metrics();
  metrics.waited_seconds = waited_seconds;
  metrics.assemble_seconds = assemble_seconds;
  std::string const line = summary_line(metrics);
  return line.substr(line.find("; waited") + 2);
}

TEST(LoaderMetricsText, EndsWithAVerdict) {
  EXPECT_EQ(verdict(0.006), "waited 0.30 % of the time: not input-bound");
  EXPECT_EQ(verdict(0.1), "waited 5.0 % of the time: hardly input-bound");
  EXPECT_EQ(verdict(1), "waited 50.0 % of the time: input-bound: mostly decode");
  EXPECT_EQ(verdict(1, 5), "waited 50.0 % of the time: input-bound: mostly assemble");
}

TEST(LoaderMetricsText, HasRatesAndStages) {
  std::string const line = summary_line(some_metrics());
  EXPECT_EQ(line.substr(0, line.find("; waited")),
            "1,200 records in 3 batches, 47.7 MiB of text in 2.0 s (25.0 MB/s), 7 rejected; busy: read 3.1 % cut 2.0 % "
            "decode 75.0 % assemble 12.5 %");
  EXPECT_EQ(summary_line({}).find("nan"), std::string::npos);
}

}  // namespace
}  // namespace penstock
