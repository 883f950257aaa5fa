#include "host/app/cli.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "host/app/cli_help.hpp"
#include "host/app/cli_output.hpp"
#include "host/app/errors.hpp"
#include "host/app/options.hpp"
#include "host/app/options_values.hpp"
#include "host/app/progress.hpp"
#include "host/io/interrupt.hpp"
#include "host/io/sink.hpp"
#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

constexpr int usage_status = static_cast<int>(ExitCode::usage);

/// Where a standard descriptor is closed, the next file that is opened would take its number, and messages would end
/// up in it. Something that can neither be read nor written where it matters takes the place.
void occupy_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // open(2) gives the lowest free number, which is this one.
    [[maybe_unused]] int const got = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

Verb const* find_verb(std::string_view name) {
  for (Verb const& verb : verbs()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

/// The verb that begins with `word`, if one does and no other; two letters at least.
std::optional<std::string> verb_begun_by(std::string const& word, std::vector<std::string> const& known) {
  auto const begins = [&word](std::string const& verb) { return verb.starts_with(word); };
  if (word.size() < 2 || std::count_if(known.begin(), known.end(), begins) != 1) return std::nullopt;
  return *std::find_if(known.begin(), known.end(), begins);
}

[[noreturn]] void throw_unknown_verb(std::string const& word) {
  std::vector<std::string> known{"help"};
  for (Verb const& verb : verbs()) known.emplace_back(verb.name);
  std::optional<std::string> const begun = verb_begun_by(word, known);
  std::optional<std::string> const near = begun ? begun : nearest(word, known);
  if (near) throw ConfigurationError("there is no verb " + word, "Did you mean " + *near + "?");
  if (::access(word.c_str(), F_OK) == 0) {
    throw ConfigurationError("there is no verb " + word, "To convert the file: penstock convert " + word + " -o OUT");
  }
  if (word.starts_with('-'))
    throw ConfigurationError("there is no option " + word + " in this place", "Options follow a verb: penstock --help");
  throw ConfigurationError("there is no verb " + word, "penstock --help lists them");
}

int print(std::string const& text) {
  StandardOutput out;
  out.write(text);
  out.finish();
  return 0;
}

int run_help(std::vector<std::string> const& words) {
  if (words.size() < 2) return print(general_help());
  Verb const* const verb = find_verb(words[1]);
  if (verb == nullptr) {
    if (words[1] == "help") return print(general_help());
    throw_unknown_verb(words[1]);
  }
  return print(full_help(*verb));
}

bool asks_for_help(std::vector<std::string> const& words) {
  for (std::string const& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return false;
}

/// "2-5" as "2:5"; nothing if `item` is no such pair of numbers.
std::optional<std::string> as_range(std::string item) {
  auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t const dash = item.find('-');
  if (dash == item.npos || dash == 0 || dash + 1 == item.size()) return std::nullopt;
  item[dash] = ':';
  bool const is_range =
      std::count_if(item.begin(), item.end(), is_digit) + 1 == static_cast<std::ptrdiff_t>(item.size());
  return is_range ? std::optional(item) : std::nullopt;
}

/// Columns that do not exist and look like a range as others write it.
std::string range_hint(Arguments const& arguments, std::string_view message) {
  for (std::string_view option : {"columns", "label", "ignore"}) {
    for (std::string const& item : csv_items(option, arguments.value_or(option, ""))) {
      std::optional<std::string> const range = as_range(item);
      if (range && message.find('"' + item + '"') != message.npos) return "A range is written with a colon: " + *range;
    }
  }
  return {};
}

/// A usage error that the command line answers with the verb's short help.
struct MissingInput : ConfigurationError {
  explicit MissingInput(Verb const& of)
      : ConfigurationError(
            std::string(of.name) + ": " + (of.bit == synth_verb ? "no kind is named" : "no input is named"),
            "penstock help " + std::string(of.name)),
        verb(of) {}
  Verb const& verb;
};

int run_with_hints(Verb const& verb, Arguments const& arguments) {
  try {
    return verb.run(arguments);
  } catch (ConfigurationError const& error) {
    std::string const hint = range_hint(arguments, error.what());
    if (hint.empty()) throw;
    throw ConfigurationError(error.what(), error.hint().empty() ? hint : hint + "\n" + error.hint());
  }
}

int run_verb(Verb const& verb, std::vector<std::string> const& words) {
  if (asks_for_help(words)) return print(full_help(verb));
  Arguments const arguments = parse_arguments(verb, words);
  if (arguments.has("help")) return print(full_help(verb));
  bool const takes_inputs = verb.bit != doctor_verb;
  if (takes_inputs && arguments.inputs().empty()) throw MissingInput(verb);
  return run_with_hints(verb, arguments);
}

}  // namespace

int run_words(std::vector<std::string> const& words) {
  if (words.empty()) throw ConfigurationError("no verb is named", "penstock --help lists them");
  std::string const& first = words[0];
  if (first == "help" || first == "--help" || first == "-h") return run_help(words);
  if (first == "--version" || first == "-V" || first == "version") return print(version_line() + "\n");
  Verb const* const verb = find_verb(first);
  if (verb == nullptr) throw_unknown_verb(first);
  return run_verb(*verb, {words.begin() + 1, words.end()});
}

int run(std::vector<std::string> const& words) {
  try {
    occupy_standard_descriptors();
    install_signal_handlers();
    if (!words.empty()) return run_words(words);
    write_to_stderr(short_help());
    return usage_status;
  } catch (MissingInput const& error) {
    write_to_stderr(error_text(error.what(), "") + short_help(error.verb));
    return usage_status;
  } catch (ClosedPipeError const&) {
    // Whoever reads has seen enough, as with `| head`. A conversion that did not arrive is a failure.
    bool const is_failure = !words.empty() && words[0] == "convert";
    return is_failure ? report_current_exception() : 0;
  } catch (...) {
    return report_current_exception();
  }
}

std::vector<std::string> option_names(std::string_view name) {
  std::vector<std::string> names;
  Verb const* const verb = find_verb(name);
  for (OptionSpec const& option : option_table()) {
    bool const is_its = verb != nullptr && (option.verbs & verb->bit) != 0;
    if (is_its && option.name != "help" && option.name != "version") names.emplace_back(option.name);
  }
  return names;
}

}  // namespace penstock::app
