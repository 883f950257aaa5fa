/// Plans of JSON lines in device memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cuda/exec/memory.hpp"
#include "cuda/exec/stream.hpp"
#include "cuda/exec/upload.hpp"
#include "cuda/formats/json_memory.hpp"
#include "cuda/kernels/json_members.cuh"
#include "formats/objects/plan.hpp"

namespace penstock::cuda::json {

/// A plan that points to nothing.
template <class Plan>
class PlanMemory {
 public:
  PlanMemory(Stream& stream, Plan const& plan, Sizes const&)
      : plan_(uploaded<Plan>(stream, std::span<Plan const>(&plan, 1), "the plan")) {}

  [[nodiscard]] Plan const* rules() const { return plan_.get(); }
  [[nodiscard]] std::size_t device_bytes() const { return plan_.size_bytes(); }

 private:
  DeviceArray<Plan> plan_;
};

/// The rules of objects, and the tables that they point to.
class ObjectPlanMemory {
 public:
  ObjectPlanMemory(Stream& stream, penstock::objects::Plan const& plan) {
    namespace from = penstock::objects;
    from::Rules rules = plan.rules;
    from::Tables& tables = rules.tables;
    std::vector<from::Key> keys(tables.keys, tables.keys + tables.key_mask + 1);
    std::vector<from::Text> nulls(tables.nulls, tables.nulls + tables.null_count);
    std::vector<from::LabelName> labels(tables.labels, tables.labels + tables.label_count);
    std::vector<char> characters;
    auto const each_text = [&](auto const& visit) {
      for (from::Key& key : keys) visit(key.name);
      for (from::Text& null : nulls) visit(null);
      for (from::LabelName& label : labels) visit(label.name);
    };
    each_text(
        [&](from::Text const& text) { characters.insert(characters.end(), text.begin, text.begin + text.bytes); });
    characters_ = uploaded<char>(stream, characters, "names");
    char const* next = characters_.get();
    each_text([&](from::Text& text) {
      text.begin = next;
      next += text.bytes;
    });
    std::size_t elements = 0;
    for (std::uint32_t i = 0; i < tables.node_count; ++i) elements += tables.nodes[i].elements;
    nodes_ = uploaded<from::Node>(stream, {tables.nodes, tables.node_count}, "steps of paths");
    elements_ = uploaded<from::Element>(stream, {tables.elements, elements}, "places of lists");
    columns_ = uploaded<from::Column>(stream, {tables.columns, tables.column_count}, "columns");
    keys_ = uploaded<from::Key>(stream, keys, "keys");
    nulls_ = uploaded<from::Text>(stream, nulls, "null spellings");
    labels_ = uploaded<from::LabelName>(stream, labels, "class names");
    tables.nodes = nodes_.get();
    tables.elements = elements_.get();
    tables.keys = keys_.get();
    tables.columns = columns_.get();
    tables.nulls = nulls_.get();
    tables.labels = labels_.get();
    rules_ = uploaded<from::Rules>(stream, std::span<from::Rules const>(&rules, 1), "the plan");
  }

  [[nodiscard]] penstock::objects::Rules const* rules() const { return rules_.get(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return nodes_.size_bytes() + elements_.size_bytes() + columns_.size_bytes() + keys_.size_bytes() +
           nulls_.size_bytes() + labels_.size_bytes() + characters_.size_bytes() + rules_.size_bytes();
  }

 private:
  DeviceArray<penstock::objects::Node> nodes_;
  DeviceArray<penstock::objects::Element> elements_;
  DeviceArray<penstock::objects::Column> columns_;
  DeviceArray<penstock::objects::Key> keys_;
  DeviceArray<penstock::objects::Text> nulls_;
  DeviceArray<penstock::objects::LabelName> labels_;
  DeviceArray<char> characters_;
  DeviceArray<penstock::objects::Rules> rules_;
};

/// A plan of objects, and cells for the plain ones of a chunk.
class ObjectMemory {
 public:
  ObjectMemory(Stream& stream, penstock::objects::Plan const& plan, Sizes const& sizes)
      : plan_(stream, plan),
        columns_(sizes.columns),
        seen_words_(sizes.columns / 32 + 1),
        cells_(sizes.columns == 0 ? 0 : sizes.text_bytes / 4 + spare_cells * sizes.columns, "cells"),
        seen_(sizes.columns == 0 ? 0 : seen_words_ * std::min<std::size_t>(sizes.chunk.rows, cells_.size() / columns_),
              "columns of records"),
        guesses_(guesses_max, "guessed keys") {}

  /// Before a chunk of up to `rows` records.
  void clear(Stream& stream, std::uint32_t rows) const {
    std::size_t const words = std::min(rows * std::size_t{seen_words_}, seen_.size());
    stream.fill(seen_.get(), 0, words * sizeof(std::uint32_t));
    stream.fill(guesses_.get(), 0, guesses_.size_bytes());
  }
  [[nodiscard]] Cells cells() const {
    return {cells_.get(), seen_.get(), guesses_.get(), cells_.size(), columns_, seen_words_};
  }
  [[nodiscard]] penstock::objects::Rules const* rules() const { return plan_.rules(); }
  [[nodiscard]] std::size_t device_bytes() const {
    return plan_.device_bytes() + cells_.size_bytes() + seen_.size_bytes() + guesses_.size_bytes();
  }

 private:
  /// Records that there are cells for in any case.
  static constexpr std::size_t spare_cells = 1024;

  ObjectPlanMemory plan_;
  std::uint32_t columns_;
  std::uint32_t seen_words_;
  DeviceArray<std::uint32_t> cells_, seen_;
  DeviceArray<KeyGuess> guesses_;
};

}  // namespace penstock::cuda::json
