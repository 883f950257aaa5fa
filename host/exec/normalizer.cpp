#include "host/exec/normalizer.hpp"

#include <bit>
#include <utility>

#include "formats/normalize/rows.hpp"
#include "host/exec/affine_avx2.hpp"
#include "host/exec/engine.hpp"
#include "penstock/error.hpp"

namespace penstock {

using normalize::Vocabulary;

VocabularyTable::VocabularyTable(std::vector<std::string> const& entries)
    : slots_(std::bit_ceil(2 * entries.size() + 2)) {
  for (std::string const& entry : entries) add(entry);
}

void VocabularyTable::add(std::string const& entry) {
  std::uint64_t const hash = normalize::hash_of(entry.data(), entry.size());
  std::size_t const mask = slots_.size() - 1;
  std::size_t at = static_cast<std::uint32_t>(hash) & mask;
  while (slots_[at].place != Vocabulary::none) at = (at + 1) & mask;
  std::uint64_t const head = normalize::head_of(entry.data(), entry.size());
  std::uint32_t const number = entries_++;
  slots_[at] = {head, Vocabulary::tag_of(hash, entry.size()), number};
  if (entry.size() <= Vocabulary::head_bytes) return;
  if (rests_.size() >= Vocabulary::none)
    throw ConfigurationError("a vocabulary has more than 32 GiB of words", "a vocabulary of fewer words");
  slots_[at].place = static_cast<std::uint32_t>(rests_.size());
  rests_.push_back(std::uint64_t{entry.size()} << 32 | number);
  for (std::size_t i = Vocabulary::head_bytes; i < entry.size(); i += 8)
    rests_.push_back(normalize::head_of(entry.data() + i, entry.size() - i));
}

Vocabulary VocabularyTable::view() const {
  return {slots_.data(), static_cast<std::uint32_t>(slots_.size() - 1), entries_, rests_.data(), rests_.size()};
}

Normalizer::Normalizer(Parts parts) : parts_(std::move(parts)) {
  program_ = {parts_.runs.data(), static_cast<std::uint32_t>(parts_.runs.size()),
              static_cast<std::uint32_t>(parts_.parameters.size()), parts_.parameters.data(), parts_.edges.data()};
  run_of_.resize(program_.columns);
  for (std::uint32_t r = 0; r < program_.run_count; ++r)
    for (std::uint32_t c = 0; c < parts_.runs[r].count; ++c) run_of_[parts_.runs[r].to + c] = r;
  for (normalize::Parameters const& each : parts_.parameters) {
    offsets_.push_back(each.a);
    scales_.push_back(each.b);
    fills_.push_back(each.fill);
  }
  constexpr std::size_t read_beyond = 8;
#if defined(__x86_64__)
  static_assert(read_beyond >= avx2::affine_columns);
#endif
  for (std::vector<double>* const each : {&offsets_, &scales_, &fills_}) each->resize(each->size() + read_beyond);
}

BatchLayout Normalizer::layout_of(BatchLayout decoded) const {
  decoded.feature_dtype = normalize::normalized_dtype(decoded.feature_dtype);
  decoded.features = program_.columns;
  decoded.categories = 0;
  decoded.keeps_texts = false;
  return decoded;
}

Batch Normalizer::apply(Batch const& decoded, Batch const& into) const {
  Batch batch = decoded;
  batch.categories = {};
  batch.texts = {};
  if (decoded.csr.indptr == nullptr) {
    batch.features = into.features;
    batch.set_rows(decoded.rows);
    apply_dense(decoded, batch.features);
  } else {
    batch.csr = into.csr;
    batch.csr.columns = program_.columns;
    apply_sparse(decoded, batch);
  }
  batch.set_rows(decoded.rows);
  return batch;
}

void Normalizer::apply_dense(Batch const& decoded, Dense const& into) const {
#if defined(__x86_64__)
  bool const is_usual = decoded.features.dtype == DType::float32 && decoded.features.columns != 0;
  if (is_usual && best_instruction_set() == InstructionSet::avx2) {
    float const* features = decoded.features.as<float>();
    double const* categories = decoded.categories.as<double>();
    float* to = into.as<float>();
    for (std::size_t row = 0; row < decoded.rows; ++row) {
      for (normalize::Run const& run : parts_.runs) {
        if (normalize::is_affine_of_numbers(run))
          avx2::apply_affine({offsets_.data() + run.to, scales_.data() + run.to, fills_.data() + run.to}, run.count,
                             features + run.from, to + run.to);
        else
          normalize::apply_run(program_, run, features, categories, to);
      }
      features += decoded.features.columns;
      categories += decoded.categories.columns;
      to += into.columns;
    }
    return;
  }
#endif
  normalize::apply_rows(program_, decoded, into);
}

namespace {

/// Rows in the middle of a matrix begin at a pair that `out` has no place for: there they begin at 0.
template <class U, class T>
void apply_pairs(normalize::Program const& program, std::uint32_t const* run_of, Csr const& in, Csr const& out) {
  Extent const pairs = in.pairs();
  T const* const from = in.values_as<T>();
  U* const to = out.values_as<U>();
  for (std::size_t k = pairs.begin; k < pairs.end; ++k) {
    auto const column = static_cast<std::uint64_t>(in.indices[k]);
    if (column >= program.columns)
      throw Error(ExitCode::internal, "a sparse row has an index beyond the normaliser's columns");
    normalize::Run const& run = program.runs[run_of[column]];
    auto const number = static_cast<std::uint32_t>(column) - run.to;
    to[k - pairs.begin] = normalize::rounded<U>(
        normalize::value_of(run.kind, number, program.parameters[column], program.edges, static_cast<double>(from[k])));
  }
}

}  // namespace

void Normalizer::apply_sparse(Batch const& decoded, Batch& batch) const {
  std::size_t const begin = decoded.csr.pairs().begin;
  batch.csr.indices = decoded.csr.indices + begin;
  for (std::size_t row = 0; row < decoded.rows; ++row)
    batch.csr.indptr[row + 1] = decoded.csr.indptr[row + 1] - static_cast<std::int64_t>(begin);
  switch (decoded.csr.dtype) {
    case DType::float32: return apply_pairs<float, float>(program_, run_of_.data(), decoded.csr, batch.csr);
    case DType::float64: return apply_pairs<double, double>(program_, run_of_.data(), decoded.csr, batch.csr);
    case DType::int32: return apply_pairs<float, std::int32_t>(program_, run_of_.data(), decoded.csr, batch.csr);
    case DType::int64: return apply_pairs<float, std::int64_t>(program_, run_of_.data(), decoded.csr, batch.csr);
  }
}

}  // namespace penstock
