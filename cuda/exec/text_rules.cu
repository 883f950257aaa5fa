// A normaliser's rules for texts in device memory.
#include "cuda/exec/text_rules.hpp"

#include "cuda/exec/upload.hpp"

namespace penstock::cuda {

using normalize::TextRule;
using normalize::Vocabulary;

DeviceTextRules::DeviceTextRules(Stream& stream, penstock::csv::View<TextRule> rules) {
  std::vector<TextRule> there(rules.begin(), rules.end());
  for (TextRule& rule : there) {
    if (rule.reading != normalize::Reading::vocabulary) continue;
    Vocabulary& words = rule.vocabulary;
    words_.push_back({uploaded<Vocabulary::Slot>(stream, {words.slots, std::size_t{words.mask} + 1}, "a vocabulary"),
                      uploaded<std::uint64_t>(stream, {words.rests, words.rest_words}, "a vocabulary's long words")});
    words.slots = words_.back().slots.get();
    words.rests = words_.back().rests.get();
  }
  rules_ = uploaded<TextRule>(stream, there, "rules for texts");
}

penstock::csv::View<TextRule> DeviceTextRules::rules() const {
  penstock::csv::View<TextRule> view;
  view.first = rules_.get();
  view.count = rules_.size();
  return view;
}

std::size_t DeviceTextRules::device_bytes() const {
  std::size_t bytes = rules_.size_bytes();
  for (Words const& words : words_) bytes += words.slots.size_bytes() + words.rests.size_bytes();
  return bytes;
}

}  // namespace penstock::cuda
