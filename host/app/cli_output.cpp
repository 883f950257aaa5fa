#include "host/app/cli_output.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>

#include "host/io/sink.hpp"
#include "host/io/standard_streams.hpp"
#include "host/text/text_format.hpp"

namespace penstock::app {

StandardOutput::StandardOutput() {
  if (Capture::current() == nullptr) sink_ = open_sink("-", {});
}

void StandardOutput::write(std::string_view text) {
  constexpr std::size_t piece_bytes = std::size_t{64} << 10;  // what a pipe takes at a time
  text_ += text;
  if (text_.size() >= piece_bytes) flush();
}

void StandardOutput::flush() {
  if (sink_ != nullptr)
    sink_->write(std::as_bytes(std::span(text_)));
  else
    Capture::current()->output += text_;
  text_.clear();
}

void StandardOutput::finish() {
  flush();
  if (sink_ != nullptr) sink_->commit();
}

Console::Console(Arguments const& arguments)
    : level_(static_cast<int>(arguments.count("verbose")) - static_cast<int>(arguments.count("quiet"))) {}

void Console::detail(std::string_view text) {
  if (level_ > 0) print("", text);
}

void Console::say(std::string_view text) {
  if (level_ >= 0) print("", text);
}

void Console::warn(std::string_view text) {
  if (level_ >= -1) print("warning: ", text);
}

void Console::print(std::string_view prefix, std::string_view text) {
  if (progress_ != nullptr) progress_->clear();
  std::string out(prefix);
  while (true) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    out += escape_for_display(text.substr(0, end), std::numeric_limits<std::size_t>::max());
    out += '\n';
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  write_to_stderr(out);
}

}  // namespace penstock::app
