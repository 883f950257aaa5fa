// Uses the library as an installed one: batches, a command, a normaliser, and what a failure looks like.
#include <penstock/normalizer.h>
#include <penstock/commands.hpp>
#include <penstock/error.hpp>
#include <penstock/loader.hpp>
#include <penstock/version.hpp>

#include <cstdio>
#include <fstream>

int main() {
  std::ofstream("consumer.csv") << "x,y\n1,0\n2.5,1\n4,1\n";
  penstock::LoaderOptions options;
  options.paths = {"consumer.csv"};
  options.label = "y";
  options.batch_size = 2;
  options.device = "cpu";
  penstock::Loader loader(options);
  float sum = 0;
  for (penstock::SharedBatch batch; loader.next(batch);)
    for (std::size_t i = 0; i < batch.rows.rows; ++i) sum += batch.rows.features.as<float>()[i];
  if (sum != 7.5F) return 1;

  penstock::CommandResult const result =
      penstock::run_command({"convert", "consumer.csv", "--label", "y", "-o", "consumer.rec", "--force"});
  if (result.status != 0 || result.messages.find("3 records") == std::string::npos) return 2;
  char error[200];
  if (penstock_normalizer_load("absent.json", nullptr, error, sizeof error) != nullptr) return 3;
  try {
    (void)penstock::run_command({"head", "absent.csv"});
    return 4;
  } catch (penstock::SourceError const& expected) {
    std::printf("penstock %s: %s\n", penstock::version.data(), expected.what());
  }
}
