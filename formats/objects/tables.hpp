/// The tables of a plan, from paths.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/objects/paths.hpp"
#include "formats/objects/plan.hpp"
#include "penstock/batch.hpp"

namespace penstock::objects {

/// Makes a Store, path by path.
class TableBuilder {
 public:
  TableBuilder() : store_(std::make_unique<Store>()) { add_node(); }

  /// What the path goes to is a column, or is left out (Role::ignore). The text of another path that this one is the
  /// same as, begins with, or is the beginning of; empty if there is none.
  std::string add(Role role, std::uint32_t place, Path const& path) {
    std::uint32_t node = 0;
    for (Step const& step : path) {
      if (ends_[node] != none) return texts_[ends_[node]];
      node = step.is_index ? element(node, step.index) : key(node, step.key);
      bool const is_ignored = role == Role::ignore;
      store_->nodes[node].is_ignored = store_->nodes[node].is_ignored && is_ignored;
    }
    if (ends_[node] != none) return texts_[ends_[node]];
    if (store_->nodes[node].has_keys || !places_[node].empty()) return first_below(node);
    ends_[node] = static_cast<std::uint32_t>(texts_.size());
    texts_.push_back(text_of(path));
    if (role == Role::ignore) return {};
    store_->nodes[node].column = static_cast<std::uint32_t>(store_->columns.size());
    store_->columns.push_back({role, place, node});
    store_->names.push_back(texts_.back());
    return {};
  }

  void add_null(std::string_view text) { store_->nulls.push_back(keep(text)); }
  void add_label(std::string_view name, float value) { label_names_.push_back({keep(name), value, true}); }

  /// Into `plan`, all but the spelling of NaN.
  void finish(Plan& plan) {
    Tables& tables = plan.rules.tables;
    list_elements();
    hash_keys();
    hash_labels();
    Store const& s = *store_;
    tables = {};
    tables.nodes = s.nodes.data();
    tables.node_count = static_cast<std::uint32_t>(s.nodes.size());
    tables.elements = s.elements.data();
    tables.keys = s.keys.data();
    tables.key_mask = static_cast<std::uint32_t>(s.keys.size() - 1);
    tables.columns = s.columns.data();
    tables.column_count = static_cast<std::uint32_t>(s.columns.size());
    tables.nulls = s.nulls.data();
    tables.null_count = static_cast<std::uint32_t>(s.nulls.size());
    tables.labels = s.labels.data();
    tables.label_count = static_cast<std::uint32_t>(s.labels.size());
    plan.store = std::move(store_);
  }

 private:
  std::uint32_t add_node() {
    store_->nodes.emplace_back();
    store_->nodes.back().is_ignored = store_->nodes.size() > 1;
    places_.emplace_back();
    ends_.push_back(none);
    return static_cast<std::uint32_t>(store_->nodes.size() - 1);
  }

  std::uint32_t key(std::uint32_t parent, std::string const& name) {
    auto const [found, is_new] = key_nodes_.try_emplace({parent, name}, 0);
    if (is_new) found->second = add_node();
    store_->nodes[parent].has_keys = true;
    return found->second;
  }

  std::uint32_t element(std::uint32_t parent, std::uint32_t index) {
    auto const [found, is_new] = places_[parent].try_emplace(index, 0);
    std::uint32_t const node = is_new ? add_node() : found->second;  // which moves places_
    places_[parent][index] = node;
    return node;
  }

  [[nodiscard]] std::string first_below(std::uint32_t node) const {
    while (ends_[node] == none) {
      if (!places_[node].empty()) {
        node = places_[node].begin()->second;
        continue;
      }
      auto const is_child = [node](auto const& entry) { return entry.first.first == node; };
      node = std::find_if(key_nodes_.begin(), key_nodes_.end(), is_child)->second;
    }
    return texts_[ends_[node]];
  }

  void list_elements() {
    for (std::size_t i = 0; i < store_->nodes.size(); ++i) {
      store_->nodes[i].first_element = static_cast<std::uint32_t>(store_->elements.size());
      store_->nodes[i].elements = static_cast<std::uint32_t>(places_[i].size());
      for (auto const& [index, node] : places_[i]) store_->elements.push_back({index, node});
    }
  }

  /// For so many entries; at most half of the slots are taken, so that one is always free.
  static std::size_t slots_for(std::size_t entries) {
    std::size_t slots = 2;
    while (slots < 2 * entries + 1) slots *= 2;
    return slots;
  }

  static std::uint32_t hash_of(std::uint32_t parent, std::string_view text) {
    KeyHash hash(parent);
    for (char const c : text) hash.add(static_cast<unsigned char>(c));
    return hash.value();
  }

  void hash_labels() {
    if (label_names_.empty()) return;
    std::size_t const slots = slots_for(label_names_.size());
    store_->labels.resize(slots);
    for (LabelName const& label : label_names_) {
      std::size_t slot = hash_of(0, {label.name.begin, label.name.bytes}) & (slots - 1);
      while (store_->labels[slot].is_taken) slot = (slot + 1) & (slots - 1);
      store_->labels[slot] = label;
    }
  }

  void hash_keys() {
    std::size_t const slots = slots_for(key_nodes_.size());
    store_->keys.resize(slots);
    for (auto const& [key, node] : key_nodes_) {
      std::size_t slot = hash_of(key.first, key.second) & (slots - 1);
      while (store_->keys[slot].node != none) slot = (slot + 1) & (slots - 1);
      store_->keys[slot] = {key.first, node, keep(key.second)};
    }
  }

  Text keep(std::string_view text) {
    store_->texts.push_back(std::make_unique<std::string const>(text));
    std::string const& kept = *store_->texts.back();
    return {kept.data(), static_cast<std::uint32_t>(kept.size())};
  }

  std::unique_ptr<Store> store_;
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> key_nodes_;
  std::vector<std::map<std::uint32_t, std::uint32_t>> places_;  ///< of each node, what its list's places lead to
  std::vector<std::uint32_t> ends_;                             ///< of each node, the text of a path that ends there
  std::vector<std::string> texts_;
  std::vector<LabelName> label_names_;  ///< in the order of the option
};

/// Names of the role's columns, in the tensor's order.
inline std::vector<std::string> names_of(Plan const& plan, Role role) {
  std::vector<std::string> names;
  if (plan.store == nullptr) return names;
  for (std::size_t i = 0; i < plan.store->columns.size(); ++i) {
    if (plan.store->columns[i].role == role) names.push_back(plan.store->names[i]);
  }
  return names;
}

}  // namespace penstock::objects
