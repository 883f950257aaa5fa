#include "bench/gpu/figure.hpp"

#include <cmath>
#include <cstdio>

namespace penstock::bench {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

/// JSON has no NaN and no infinities.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string place_of(Figure const& figure) {
  return "\"section\":" + quoted(figure.section) + ",\"input\":" + quoted(figure.input) +
         ",\"slot_bytes\":" + std::to_string(figure.slot_bytes) + ",\"lanes\":" + std::to_string(figure.lanes);
}

void print_line(std::string const& members) {
  std::printf("{%s}\n", members.c_str());
  std::fflush(stdout);
}

}  // namespace

std::string title_of(Figure const& figure) {
  std::string title = figure.section + " " + figure.input;
  if (figure.slot_bytes != 0) title += ", slots of " + std::to_string(figure.slot_bytes >> 10) + " KiB";
  if (figure.lanes != 0) title += ", " + std::to_string(figure.lanes) + (figure.lanes == 1 ? " lane" : " lanes");
  return title;
}

void print(Figure const& figure) {
  std::string runs, details;
  for (double const run : figure.runs) runs += (runs.empty() ? "" : ",") + number(run);
  for (auto const& [name, value] : figure.details)
    details += (details.empty() ? "" : ",") + quoted(name) + ":" + number(value);
  print_line(place_of(figure) + ",\"unit\":" + quoted(figure.unit) + ",\"runs\":[" + runs + "],\"details\":{" +
             details + "}");
}

void print_left_out(Figure const& figure, std::string_view why) {
  print_line(place_of(figure) + ",\"left_out\":" + quoted(why));
}

void print_failed(Figure const& figure, std::string_view why) {
  print_line(place_of(figure) + ",\"failed\":" + quoted(why));
}

}  // namespace penstock::bench
