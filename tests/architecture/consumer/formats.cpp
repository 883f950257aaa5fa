#include <cstdio>
#include <penstock/batch.hpp>
#include <penstock/version.hpp>

#include "formats/csv/options.hpp"
#include "formats/recordio/framing.hpp"

int main() {
  penstock::BatchBuffer const buffer({.features = 4, .labels = 1}, 150);
  std::printf("penstock %s: %zu bytes for 150 rows\n", penstock::version.data(), buffer.size_bytes());
  return buffer.view(150).features.columns == 4 ? 0 : 1;
}
