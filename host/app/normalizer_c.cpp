// Normalisers for C: include/penstock/normalizer.h.

#include "penstock/normalizer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/csv/cell.hpp"
#include "formats/normalize/rows.hpp"
#include "formats/normalize/text_rule.hpp"
#include "host/app/normalizer_file.hpp"
#include "host/exec/normalizer.hpp"
#include "penstock/error.hpp"

struct penstock_normalizer {
  std::shared_ptr<penstock::Normalizer const> normalizer;
};

namespace penstock::app {
namespace {

constexpr std::size_t texts_on_stack = 64;

void write_error(std::string_view text, char* error, std::size_t error_bytes) {
  if (error_bytes == 0) return;
  std::size_t const size = std::min(text.size(), error_bytes - 1);
  std::memcpy(error, text.data(), size);
  error[size] = '\0';
}

/// False: the rule refuses it.
bool read(normalize::TextRule const& rule, char const* text, double& number) {
  number = normalize::detail::missing();
  if (text == nullptr) return true;
  std::size_t const size = std::strlen(text);
  if (size > csv::rewritten_cell_max) return false;
  normalize::TextValue const value = normalize::read_text(rule, text, size);
  if (value.kind == normalize::TextValue::value) number = value.number;
  return value.kind != normalize::TextValue::fault;
}

}  // namespace
}  // namespace penstock::app

penstock_normalizer* penstock_normalizer_load(char const* path, penstock_normalizer_shape* shape, char* error,
                                              size_t error_bytes) {
  using namespace penstock;
  try {
    app::NormalizerFile const file = app::read_normalizer(path);
    if (file.dtype != DType::float32)
      throw SchemaError(std::string(path) + ": is for features of " + std::string(name_of(file.dtype)) +
                        ", and rows here are of float32");
    auto loaded = std::make_unique<penstock_normalizer>(penstock_normalizer{app::make_normalizer(file)});
    if (shape != nullptr) {
      Normalizer const& normalizer = *loaded->normalizer;
      *shape = {normalizer.features(), normalizer.text_rules().size(), normalizer.program().columns};
    }
    return loaded.release();
  } catch (std::exception const& exception) {
    app::write_error(exception.what(), error, error_bytes);
  }
  return nullptr;
}

size_t penstock_normalizer_apply(penstock_normalizer const* normalizer, float const* numbers, char const* const* texts,
                                 float* features) {
  using namespace penstock;
  auto const rules = normalizer->normalizer->text_rules();
  std::array<double, app::texts_on_stack> few;
  std::vector<double> many;
  double* categories = few.data();
  if (rules.size() > few.size()) {
    many.resize(rules.size());
    categories = many.data();
  }
  for (std::size_t i = 0; i < rules.size(); ++i)
    if (!app::read(rules[i], texts[i], categories[i])) return i + 1;
  normalize::apply_row<float>(normalizer->normalizer->program(), numbers, categories, features);
  return 0;
}

void penstock_normalizer_free(penstock_normalizer* normalizer) {
  std::unique_ptr<penstock_normalizer> const owned(normalizer);
}
