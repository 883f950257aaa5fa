/// A normaliser that is ready to be applied to batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/normalize/program.hpp"
#include "formats/normalize/text_rule.hpp"
#include "penstock/batch.hpp"

namespace penstock {

/// A vocabulary and its memory. Entries are numbered in the order in which they are given.
class VocabularyTable {
 public:
  /// Fewer than 2^31 texts, none of them twice, each shorter than 2^32 bytes.
  explicit VocabularyTable(std::vector<std::string> const& entries);
  VocabularyTable(VocabularyTable&&) = default;
  VocabularyTable& operator=(VocabularyTable&&) = default;

  /// Valid as long as the table, also when that is moved.
  [[nodiscard]] normalize::Vocabulary view() const;

 private:
  void add(std::string const& entry);

  std::vector<normalize::Vocabulary::Slot> slots_;
  std::vector<std::uint64_t> rests_;
  std::uint32_t entries_ = 0;
};

/// Owns what its program and text rules point to.
class Normalizer {
 public:
  struct Parts {
    std::vector<normalize::Run> runs;
    std::vector<normalize::Parameters> parameters;  ///< by column that comes out
    std::vector<double> edges;
    std::vector<normalize::TextRule> text_rules;  ///< by column of text; their vocabularies are those of `tables`
    std::vector<std::unique_ptr<VocabularyTable>> tables;
    std::size_t features = 0;  ///< columns that go in
  };
  explicit Normalizer(Parts parts);
  Normalizer(Normalizer const&) = delete;
  Normalizer& operator=(Normalizer const&) = delete;

  [[nodiscard]] normalize::Program const& program() const { return program_; }
  [[nodiscard]] std::span<normalize::TextRule const> text_rules() const { return parts_.text_rules; }
  [[nodiscard]] std::size_t features() const { return parts_.features; }

  /// What rows of `decoded` become. Sparse features stay sparse, and every column of theirs becomes one column.
  [[nodiscard]] BatchLayout layout_of(BatchLayout decoded) const;
  /// Rows of `decoded` with the features in the memory of `into`, which has layout_of(decoded); the other tensors are
  /// shared. Of sparse features the indices are shared, and pairs count from 0 also where those of `decoded` do not.
  [[nodiscard]] Batch apply(Batch const& decoded, Batch const& into) const;

 private:
  void apply_dense(Batch const& decoded, Dense const& into) const;
  void apply_sparse(Batch const& decoded, Batch& batch) const;

  Parts parts_;
  normalize::Program program_;
  std::vector<std::uint32_t> run_of_;             ///< by column that comes out
  std::vector<double> offsets_, scales_, fills_;  ///< the same, once more, and some that are only read
};

}  // namespace penstock
