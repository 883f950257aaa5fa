#include "tests/fuzz/driver.hpp"

#include <fcntl.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/mutator.hpp"

namespace penstock::fuzz {
namespace {

namespace fs = std::filesystem;

bool is_about_others(fs::path const& path) {
  return path.extension() == ".expect" || path.extension() == ".md" || path.filename() == ".gitattributes";
}

std::string read_whole(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Of the processor's time, not the clock's: machines pause. A minute is far beyond the slowest run.
constexpr time_t run_seconds_max = 60;

/// From now on; 0: no limit. Beyond it SIGVTALRM ends the process, and the shell says so.
void limit_run(time_t seconds) {
  itimerval limit{};
  limit.it_value.tv_sec = seconds;
  ::setitimer(ITIMER_VIRTUAL, &limit, nullptr);
}

/// The input that runs now, in a file.
class LastInput {
 public:
  explicit LastInput(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) throw std::runtime_error("cannot write " + path_);
  }
  ~LastInput() {
    if (file_ >= 0) ::close(file_);
  }
  LastInput(LastInput const&) = delete;
  LastInput& operator=(LastInput const&) = delete;

  void put(std::string const& input) const {
    if (file_ < 0) return;
    bool const is_put = ::ftruncate(file_, 0) == 0 &&
                        ::pwrite(file_, input.data(), input.size(), 0) == static_cast<ssize_t>(input.size());
    if (!is_put) throw std::runtime_error("cannot write " + path_);
  }
  void remove() const {
    if (file_ >= 0) ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace

std::vector<std::string> seeds_of(Target const& target, std::string const& root) {
  std::vector<fs::path> paths;
  for (std::string const& folder : target.corpora) {
    fs::path const path = fs::path(root) / folder;
    if (!fs::is_directory(path)) continue;
    for (auto const& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file() && !is_about_others(entry.path())) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds = {std::string(choice_bytes, '\0')};
  for (fs::path const& path : paths) seeds.push_back(seeds.front() + read_whole(path));
  return seeds;
}

std::optional<Find> run_input(Target const& target, std::string const& input) {
  // Memory that ends where the input does, so that a sanitizer sees every byte too many.
  std::vector<char> const exact(input.begin(), input.end());
  limit_run(run_seconds_max);
  try {
    target.run({exact.data(), exact.size()});
  } catch (std::exception const& error) {
    limit_run(0);
    return Find{input, error.what()};
  }
  limit_run(0);
  return std::nullopt;
}

CampaignResult run_campaign(Target const& target, std::vector<std::string> const& seeds, Campaign const& campaign) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point const begin = Clock::now();
  Clock::time_point told = begin;
  LastInput const last(campaign.last_input_path);
  Mutator mutator(seeds, campaign.seed);
  CampaignResult result;
  std::size_t const runs = seeds.size() + campaign.runs;
  while (result.runs < runs && Clock::now() - begin < campaign.time_max) {
    std::string const input = result.runs < seeds.size() ? seeds[result.runs] : mutator.next();
    last.put(input);
    result.find = run_input(target, input);
    ++result.runs;
    if (result.find) break;
    if (!campaign.on_progress || Clock::now() - told < std::chrono::seconds(1)) continue;
    told = Clock::now();
    campaign.on_progress(result.runs);
  }
  last.remove();
  return result;
}

std::string name_of_input(std::string_view input) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (char const c : input) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  std::array<char, 16> name{};
  for (std::size_t i = 0; i < name.size(); ++i) name[i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  return {name.begin(), name.end()};
}

}  // namespace penstock::fuzz
