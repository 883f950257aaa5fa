// Uses the library as an installed one: its headers, a command, and what a failure looks like.
#include <penstock/normalizer.h>
#include <cstdio>
#include <fstream>
#include <penstock/commands.hpp>
#include <penstock/error.hpp>
#include <penstock/loader.hpp>
#include <penstock/version.hpp>

int main() {
  std::ofstream("consumer.csv") << "x,y\n1,0\n2.5,1\n";
  penstock::CommandResult const result =
      penstock::run_command({"convert", "consumer.csv", "--label", "y", "-o", "consumer.rec", "--force"});
  if (result.status != 0 || result.messages.find("2 records") == std::string::npos) return 1;
  char error[200];
  if (penstock_normalizer_load("absent.json", nullptr, error, sizeof error) != nullptr) return 2;
  try {
    (void)penstock::run_command({"head", "absent.csv"});
    return 3;
  } catch (penstock::SourceError const& expected) {
    std::printf("penstock %s: %s\n", penstock::version.data(), expected.what());
  }
}
