// The plain driver as a program: what `make fuzz` runs where clang's libFuzzer is not there, and what replays a find.
//
//   fuzz_replay --list                                  names of targets
//   fuzz_replay TARGET --seeds FOLDER                   writes the inputs that TARGET starts from
//   fuzz_replay TARGET FILE...                          runs these inputs
//   fuzz_replay TARGET [--runs N] [--seconds S] [--seed K] [--finds FOLDER]   corpora, then changed inputs
//
// Exit status: 0 all is well, 1 a find (or a sanitizer's report), 2 usage.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/driver.hpp"
#include "tests/fuzz/targets.hpp"

namespace {

using namespace penstock::fuzz;

struct Order {
  std::string target;
  std::string seeds_folder, finds_folder;
  std::vector<std::string> files;
  Campaign campaign{.runs = 1000000000};
};

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t number_from(std::string_view text) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) throw UsageError("not a number: " + std::string(text));
  return number;
}

void set_option(Order& order, std::string_view name, std::string const& value) {
  if (name == "--seeds")
    order.seeds_folder = value;
  else if (name == "--finds")
    order.finds_folder = value;
  else if (name == "--runs")
    order.campaign.runs = number_from(value);
  else if (name == "--seconds")
    order.campaign.time_max = std::chrono::seconds(number_from(value));
  else if (name == "--seed")
    order.campaign.seed = number_from(value);
  else
    throw UsageError("there is no option " + std::string(name));
}

Order parse(std::vector<std::string> const& words) {
  Order order;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (order.target.empty()) {
      order.target = words[i];
    } else if (!words[i].starts_with("--")) {
      order.files.push_back(words[i]);
    } else {
      if (i + 1 == words.size()) throw UsageError(words[i] + " wants a value");
      set_option(order, words[i], words[i + 1]);
      ++i;
    }
  }
  return order;
}

void put_file(std::string const& path, std::string const& bytes) {
  std::ofstream file(path, std::ios::binary);
  if (!file.write(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw std::runtime_error("cannot write " + path);
}

int write_seeds(Target const& target, std::string const& folder) {
  std::filesystem::create_directories(folder);
  for (std::string const& seed : seeds_of(target, PENSTOCK_SOURCE_DIR))
    put_file(folder + "/" + name_of_input(seed), seed);
  return 0;
}

int replay(Target const& target, std::vector<std::string> const& files) {
  int status = 0;
  for (std::string const& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::string const input(std::istreambuf_iterator<char>(file), {});
    std::optional<Find> const find = run_input(target, input);
    std::printf("%s: %s\n", path.c_str(), find ? find->what.c_str() : "all is well");
    if (find) status = 1;
  }
  return status;
}

int run(Target const& target, Order order) {
  std::string const folder = order.finds_folder.empty() ? "." : order.finds_folder;
  std::filesystem::create_directories(folder);
  order.campaign.last_input_path = folder + "/last-" + target.name;
  order.campaign.on_progress = [&target](std::size_t runs) {
    std::printf("%s: %zu runs\n", target.name.c_str(), runs);
    std::fflush(stdout);
  };
  CampaignResult const result = run_campaign(target, seeds_of(target, PENSTOCK_SOURCE_DIR), order.campaign);
  std::printf("%s: %zu runs, %s\n", target.name.c_str(), result.runs, result.find ? "a find" : "all is well");
  if (!result.find) return 0;
  std::string const path = folder + "/find-" + target.name + "-" + name_of_input(result.find->input);
  put_file(path, result.find->input);
  std::printf("%s\nthe input is %s\n", result.find->what.c_str(), path.c_str());
  return 1;
}

int obey(Order const& order) {
  if (order.target == "--list") {
    for (Target const& target : targets()) std::printf("%s\n", target.name.c_str());
    return 0;
  }
  Target const* const target = target_named(order.target);
  if (target == nullptr) throw UsageError("there is no target " + order.target + "; --list names them");
  if (!order.seeds_folder.empty()) return write_seeds(*target, order.seeds_folder);
  return order.files.empty() ? run(*target, order) : replay(*target, order.files);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return obey(parse({argv + 1, argv + argc}));
  } catch (UsageError const& error) {
    std::fprintf(stderr, "fuzz_replay: %s\n", error.what());
    return 2;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "fuzz_replay: %s\n", error.what());
    return 1;
  }
}
