// Barriers that do nothing, to see whether a test notices; and the list of all that there are.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "tests/support/simt/machine.hpp"
#include "tests/support/simt/simt.hpp"

namespace simt {

std::atomic<bool> detail::are_barriers_watched{std::getenv("PENSTOCK_SIMT_SKIP") != nullptr ||
                                               std::getenv("PENSTOCK_SIMT_SITES") != nullptr};

namespace {

class Barriers {
 public:
  Barriers() {
    if (char const* const site = std::getenv("PENSTOCK_SIMT_SKIP")) skip(site);
    if (char const* const list = std::getenv("PENSTOCK_SIMT_SITES")) list_ = list;
    detail::are_barriers_watched = !skipped_.empty() || !list_.empty();
  }
  ~Barriers() { write_list(); }

  void skip(std::string_view site) {
    std::scoped_lock const lock(mutex_);
    skipped_ = site;
    detail::are_barriers_watched = !skipped_.empty() || !list_.empty();
  }
  bool meet(detail::Site site, char const* word, char const* kernel) {
    std::scoped_lock const lock(mutex_);
    std::string const text = text_of(site);
    if (!list_.empty()) seen_.insert(text + " " + word + " " + kernel);
    if (skipped_.empty() || !text.ends_with(skipped_)) return false;
    return text.size() == skipped_.size() || text[text.size() - skipped_.size() - 1] == '/';
  }

 private:
  void write_list() {
    if (list_.empty()) return;
    std::FILE* const file = std::fopen(list_.c_str(), "a");
    if (file == nullptr) return;
    for (std::string const& line : seen_) std::fprintf(file, "%s\n", line.c_str());
    std::fclose(file);
  }

  std::mutex mutex_;
  std::string skipped_;
  std::string list_;
  std::set<std::string> seen_;
};

Barriers& barriers() {
  static Barriers it;
  return it;
}

}  // namespace

void skip_barrier(std::string_view site) { barriers().skip(site); }

bool detail::is_skipped_if_watched(Site site, char const* word, char const* kernel) {
  return barriers().meet(site, word, kernel);
}

}  // namespace simt
