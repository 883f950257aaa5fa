/// Verbs and options of the command line: one table, from which parsing and help come.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::app {

/// Sets of verbs are sums of these.
enum VerbBit : unsigned {
  convert_verb = 1,
  head_verb = 2,
  inspect_verb = 4,
  diff_verb = 8,
  synth_verb = 16,
  doctor_verb = 32,
  validate_verb = 64,
  stats_verb = 128,
  fit_verb = 256,
  denormalize_verb = 512,
};

class Arguments;

/// One thing that penstock can do.
struct Verb {
  VerbBit bit;
  std::string_view name;
  std::string_view usage;                      ///< what follows `penstock `
  std::string_view summary;                    ///< one sentence
  std::span<std::string_view const> examples;  ///< whole commands; short help shows the first two
  std::string_view details;                    ///< for full help, after the examples; may be empty
  int (*run)(Arguments const& arguments);      ///< returns the exit status
};
[[nodiscard]] std::span<Verb const> verbs();

/// Under which heading help lists an option.
enum class OptionGroup : std::uint8_t { output, reading, columns, text, formats, faults, run, messages };
[[nodiscard]] std::string_view title_of(OptionGroup group);
inline constexpr std::size_t option_groups = 8;

struct OptionSpec {
  char letter;                ///< the short name, or 0
  std::string_view name;      ///< the long name without dashes
  std::string_view argument;  ///< what help calls the value; empty for a flag
  std::string_view help;
  OptionGroup group;
  unsigned verbs;  ///< sum of VerbBits
};
/// All options of all verbs, in the order in which help lists them.
[[nodiscard]] std::span<OptionSpec const> option_table();

/// What the user wrote behind a verb. Options that take a value may be given more than once: the last counts.
class Arguments {
 public:
  using Given = std::vector<std::pair<std::string, std::string>>;  ///< long name and value, in order

  Arguments(Verb const& verb, Given given, std::vector<std::string> inputs)
      : verb_(&verb), given_(std::move(given)), inputs_(std::move(inputs)) {}

  [[nodiscard]] Verb const& verb() const { return *verb_; }
  [[nodiscard]] std::vector<std::string> const& inputs() const { return inputs_; }  ///< words that are no options
  [[nodiscard]] Given const& given() const { return given_; }
  /// The same without these options.
  [[nodiscard]] Arguments without(std::initializer_list<std::string_view> names) const;
  /// Sets an option that was not given.
  void set_default(std::string_view name, std::string_view value);
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] std::string value_or(std::string_view name, std::string_view fallback) const;
  /// Whether a flag is on. `--flag=false` turns it off again.
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// Of two flags that contradict each other, whichever was given last; nothing if neither was.
  [[nodiscard]] std::optional<bool> last_of(std::string_view yes, std::string_view no) const;

 private:
  Verb const* verb_;
  Given given_;
  std::vector<std::string> inputs_;
};

/// Throws ConfigurationError, with a near miss if there is one, for what the verb does not know.
[[nodiscard]] Arguments parse_arguments(Verb const& verb, std::vector<std::string> const& words);

}  // namespace penstock::app
