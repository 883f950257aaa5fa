#include "host/app/cli_help.hpp"

#include <algorithm>

#include "host/app/synth.hpp"
#include "penstock/version.hpp"

namespace penstock::app {
namespace {

constexpr std::size_t columns_max = 100;
constexpr std::size_t help_column = 28;  ///< where the text beside an option begins

constexpr std::string_view exit_codes_text =
    "Exit codes\n"
    "  0    ok\n"
    "  1    data: records were rejected beyond the budget, no record was left, or two inputs differ\n"
    "  2    usage: the command makes no sense\n"
    "  3    an input cannot be read or is damaged\n"
    "  4    an output exists already or cannot be written\n"
    "  5    columns do not fit each other or what was asked for\n"
    "  6    a device or memory is not available\n"
    "  70   a defect of penstock\n"
    "  130  stopped by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)\n";

/// Appends `text` at `column`, broken between words.
void append_wrapped(std::string& out, std::size_t at, std::string_view text) {
  std::size_t used = at;
  while (!text.empty()) {
    std::size_t const word_end = std::min(text.find(' '), text.size());
    if (used > help_column && used + 1 + word_end > columns_max) {
      out += '\n';
      used = 0;
    }
    std::size_t const indent = used < help_column ? help_column - used : 1;
    out.append(indent, ' ');
    out += text.substr(0, word_end);
    used += indent + word_end;
    text.remove_prefix(std::min(word_end + 1, text.size()));
  }
  out += '\n';
}

void append_option(std::string& out, OptionSpec const& option) {
  std::string left = option.letter != 0 ? std::string("  -") + option.letter + ", " : "      ";
  left += "--" + std::string(option.name);
  if (!option.argument.empty()) left += " " + std::string(option.argument);
  out += left;
  std::size_t used = left.size();
  if (used + 2 > help_column) {
    out += '\n';
    used = 0;
  }
  append_wrapped(out, used, option.help);
}

void append_options(std::string& out, Verb const& verb) {
  for (std::size_t g = 0; g < option_groups; ++g) {
    auto const group = static_cast<OptionGroup>(g);
    bool has_title = false;
    for (OptionSpec const& option : option_table()) {
      if (option.group != group || (option.verbs & verb.bit) == 0) continue;
      if (!has_title) out += std::string(title_of(group)) + "\n";
      has_title = true;
      append_option(out, option);
    }
    if (has_title) out += '\n';
  }
}

void append_kinds(std::string& out) {
  out += "Kinds\n";
  for (SynthKind const& kind : synth_kinds()) {
    std::string const left = "  " + std::string(kind.name);
    out += left;
    append_wrapped(out, left.size(), kind.description);
  }
  out += '\n';
}

void append_examples(std::string& out, Verb const& verb, std::size_t count) {
  for (std::string_view example : verb.examples.first(std::min(count, verb.examples.size())))
    out += "  " + std::string(example) + "\n";
}

}  // namespace

std::string version_line() {
  std::string line = "penstock " + std::string(version);
  if (!revision.empty()) line += " (" + std::string(revision) + ")";
  return line;
}

std::string short_help() {
  return "usage: penstock VERB ...\n"
         "  penstock convert train.csv --label y -o train.rec\n"
         "  penstock inspect train.rec\n"
         "penstock --help says more.\n";
}

std::string general_help() {
  std::string out =
      "penstock turns text records into what learners read: RecordIO-protobuf, .npy, .npz, CSV.\n\n"
      "Examples\n"
      "  penstock convert train.csv --label y -o train.rec\n"
      "  penstock inspect train.rec\n"
      "  penstock diff train.csv train.rec --label y\n\n"
      "Verbs\n";
  for (Verb const& verb : verbs()) {
    std::string const left = "  " + std::string(verb.name);
    out += left;
    append_wrapped(out, left.size(), verb.summary);
  }
  out += "  help [VERB]";
  append_wrapped(out, 13, "This text, or all about one verb.");
  out += "  --version";
  append_wrapped(out, 11, "One line.");
  return out + "\n" + std::string(exit_codes_text);
}

std::string short_help(Verb const& verb) {
  std::string out = "usage: penstock " + std::string(verb.usage) + "\n";
  append_examples(out, verb, 2);
  return out + "penstock help " + std::string(verb.name) + " says more.\n";
}

std::string full_help(Verb const& verb) {
  std::string out = "penstock " + std::string(verb.usage) + "\n\n" + std::string(verb.summary) + "\n\nExamples\n";
  append_examples(out, verb, verb.examples.size());
  out += '\n';
  if (!verb.details.empty()) out += std::string(verb.details) + "\n";
  if (verb.bit == synth_verb) append_kinds(out);
  append_options(out, verb);
  return out + std::string(exit_codes_text);
}

}  // namespace penstock::app
