#include "host/app/options.hpp"

#include <algorithm>
#include <iterator>

// Its regular expressions take a stack as deep as an option is long.
#define CXXOPTS_NO_REGEX true
#include <cxxopts.hpp>

#include "host/text/suggest.hpp"
#include "penstock/error.hpp"

namespace penstock::app {
namespace {

bool belongs(OptionSpec const& option, Verb const& verb) { return (option.verbs & verb.bit) != 0; }

OptionSpec const* find_letter(Verb const& verb, char letter) {
  for (OptionSpec const& option : option_table()) {
    if (belongs(option, verb) && option.letter == letter && letter != 0) return &option;
  }
  return nullptr;
}

OptionSpec const* find_name(Verb const& verb, std::string_view name) {
  for (OptionSpec const& option : option_table()) {
    if (belongs(option, verb) && option.name == name) return &option;
  }
  return nullptr;
}

std::string help_hint(Verb const& verb) { return "penstock help " + std::string(verb.name) + " lists the options"; }

/// What other programs call an option.
constexpr std::pair<std::string_view, std::string_view> aliases[] = {
    {"--out", "--output"},       {"--sep", "--delimiter"},      {"--separator", "--delimiter"},
    {"--delim", "--delimiter"},  {"--na-values", "--null"},     {"--na", "--null"},
    {"--nulls", "--null"},       {"--drop", "--ignore"},        {"--exclude", "--ignore"},
    {"--target", "--label"},     {"--labels", "--label"},       {"--label-column", "--label"},
    {"--features", "--columns"}, {"--usecols", "--columns"},    {"--format", "--to"},
    {"--overwrite", "--force"},  {"--weights", "--weight"},     {"--group", "--qid"},
    {"--quotechar", "--quote"},  {"--escapechar", "--escape"},  {"--nrows", "--limit"},
    {"--jobs", "--threads"},     {"--bad-lines", "--on-error"}, {"--on-bad-lines", "--on-error"},
};

/// The option that `shown`, which there is not, most likely means: by another program's name, else by a near miss.
std::optional<std::string> meant_option(Verb const& verb, std::string const& shown) {
  for (auto const& [alias, name] : aliases) {
    if (shown == alias && find_name(verb, name.substr(2)) != nullptr) return std::string(name);
  }
  std::vector<std::string> known;
  for (OptionSpec const& option : option_table()) {
    if (belongs(option, verb)) known.push_back("--" + std::string(option.name));
  }
  return shown.starts_with("--") ? nearest(shown, known) : std::nullopt;
}

[[noreturn]] void throw_unknown(Verb const& verb, std::string const& shown) {
  std::optional<std::string> const near = meant_option(verb, shown);
  std::string const message = std::string(verb.name) + ": there is no option " + shown;
  throw ConfigurationError(message, near ? "Did you mean " + *near + "?" : help_hint(verb));
}

[[noreturn]] void throw_missing(Verb const& verb, OptionSpec const& option) {
  throw ConfigurationError(
      std::string(verb.name) + ": --" + std::string(option.name) + " needs a value: " + std::string(option.argument),
      std::string(option.help));
}

/// The words with every option in the one spelling that the parser takes without surprises: letters apart from
/// each other and from their values ("-fo-" is "-f", "-o", "-").
class Speller {
 public:
  Speller(Verb const& verb, std::vector<std::string> const& words) : verb_(verb), words_(words) {}

  std::vector<std::string> spelled() {
    while (at_ < words_.size()) {
      std::string const& word = words_[at_++];
      if (word == "--") {
        out_.push_back(word);
        out_.insert(out_.end(), words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
        break;
      }
      if (word.starts_with("--"))
        spell_long(word);
      else if (word.size() > 1 && word[0] == '-')
        spell_letters(word);
      else
        out_.push_back(word);
    }
    return std::move(out_);
  }

 private:
  void spell_long(std::string const& word) {
    std::size_t const equals = std::min(word.find('='), word.size());
    OptionSpec const* const option = find_name(verb_, std::string_view(word).substr(2, equals - 2));
    if (option == nullptr) throw_unknown(verb_, word.substr(0, equals));
    if (option->argument.empty() && equals != word.size()) check_flag(*option, word.substr(equals + 1));
    out_.push_back(word);
    if (!option->argument.empty() && equals == word.size()) take_value(*option);
  }

  /// The parser would complain without a name.
  void check_flag(OptionSpec const& option, std::string const& value) const {
    constexpr std::string_view taken[] = {"true", "false", "1", "0", "t", "f", "True", "False"};  // as the parser does
    if (std::find(std::begin(taken), std::end(taken), value) != std::end(taken)) return;
    std::string const name = "--" + std::string(option.name);
    throw ConfigurationError(std::string(verb_.name) + ": " + name + "=" + value + ": " + name + " takes no value",
                             name + ", or " + name + "=false");
  }

  void spell_letters(std::string const& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      OptionSpec const* const option = find_letter(verb_, word[i]);
      if (option == nullptr) throw_unknown(verb_, std::string("-") + word[i]);
      out_.push_back("--" + std::string(option->name));
      if (option->argument.empty()) continue;
      if (i + 1 == word.size()) {
        take_value(*option);
      } else {
        out_.back() += "=" + word.substr(word[i + 1] == '=' ? i + 2 : i + 1);
      }
      return;
    }
  }

  /// The next word is the option's value, unless it is an option itself: then a value was forgotten.
  void take_value(OptionSpec const& option) {
    if (at_ == words_.size()) throw_missing(verb_, option);
    std::string const& word = words_[at_];
    if (word.starts_with("--") && find_name(verb_, std::string_view(word).substr(2)) != nullptr)
      throw_missing(verb_, option);
    out_.back() += "=" + word;
    ++at_;
  }

  Verb const& verb_;
  std::vector<std::string> const& words_;
  std::size_t at_ = 0;
  std::vector<std::string> out_;
};

cxxopts::Options make_parser(Verb const& verb) {
  cxxopts::Options parser("penstock " + std::string(verb.name));
  for (OptionSpec const& option : option_table()) {
    if (!belongs(option, verb)) continue;
    auto const kind = option.argument.empty() ? std::shared_ptr<cxxopts::Value>(cxxopts::value<bool>())
                                              : std::shared_ptr<cxxopts::Value>(cxxopts::value<std::string>());
    parser.add_options()(std::string(option.name), std::string(option.help), kind);
  }
  return parser;
}

bool is_true(std::string_view value) { return value == "true" || value == "1" || value == "t" || value == "True"; }

}  // namespace

std::optional<std::string> Arguments::value(std::string_view name) const {
  auto const found = std::find_if(given_.rbegin(), given_.rend(), [name](auto const& g) { return g.first == name; });
  return found == given_.rend() ? std::nullopt : std::optional(found->second);
}

Arguments Arguments::without(std::initializer_list<std::string_view> names) const {
  Given kept;
  for (auto const& each : given_)
    if (std::find(names.begin(), names.end(), each.first) == names.end()) kept.push_back(each);
  return {*verb_, std::move(kept), inputs_};
}

void Arguments::set_default(std::string_view name, std::string_view value) {
  if (!this->value(name)) given_.emplace_back(name, value);
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

bool Arguments::has(std::string_view name) const { return is_true(value(name).value_or("false")); }

std::size_t Arguments::count(std::string_view name) const {
  auto const is_on = [name](auto const& g) { return g.first == name && is_true(g.second); };
  return static_cast<std::size_t>(std::count_if(given_.begin(), given_.end(), is_on));
}

std::optional<bool> Arguments::last_of(std::string_view yes, std::string_view no) const {
  for (auto g = given_.rbegin(); g != given_.rend(); ++g) {
    if (g->first == yes) return is_true(g->second);
    if (g->first == no) return !is_true(g->second);
  }
  return std::nullopt;
}

Arguments parse_arguments(Verb const& verb, std::vector<std::string> const& words) {
  std::vector<std::string> const spelled = Speller(verb, words).spelled();
  std::vector<char const*> argv{"penstock"};
  for (std::string const& word : spelled) argv.push_back(word.c_str());
  try {
    auto const result = make_parser(verb).parse(static_cast<int>(argv.size()), argv.data());
    Arguments::Given given;
    for (auto const& each : result.arguments()) given.emplace_back(each.key(), each.value());
    return {verb, std::move(given), result.unmatched()};
  } catch (cxxopts::exceptions::exception const& error) {
    throw ConfigurationError(std::string(verb.name) + ": " + error.what(), help_hint(verb));
  }
}

}  // namespace penstock::app
