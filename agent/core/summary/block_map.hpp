// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace untrombone::core::summary {

/// An ordered map for many small entries: sorted arrays of up to `kMost`, and a sorted index of them. It holds little
/// more than the keys and the values themselves, where a tree of nodes has pointers and an allocation for each.
///
/// Pointers to values are void after every insertion and removal.
template <typename Key, typename Value>
class BlockMap {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }

  /// nullptr when it is not there.
  [[nodiscard]] Value* find(Key key) { return look_up(key); }
  [[nodiscard]] const Value* find(Key key) const { return look_up(key); }

  /// What is there already stays.
  Value& insert(Key key) {
    if (Value* const found = find(key)) return *found;
    if (blocks_.empty()) {
      blocks_.push_back(std::make_unique<Block>());
      firsts_.push_back(key);
    }
    std::size_t index = block_of(key);
    if (blocks_[index]->keys.size() == kMost) {
      split(index);
      index = block_of(key);
    }
    firsts_[index] = std::min(firsts_[index], key);
    ++size_;
    return blocks_[index]->insert(key);
  }

  void erase(Key key) {
    if (find(key) == nullptr) return;
    const std::size_t index = block_of(key);
    blocks_[index]->erase(key);
    --size_;
    join(index);
    if (index > 0) join(index - 1);
  }

  /// Calls `visit(key, value)` for each key from `first` to `last`, in order. It may change the value, not the map.
  template <typename Visit>
  void for_each(Key first, Key last, Visit visit) {
    walk(first, last, visit);
  }
  template <typename Visit>
  void for_each(Key first, Key last, Visit visit) const {
    walk(first, last, [&](Key key, const Value& value) { visit(key, value); });
  }

 private:
  static constexpr std::size_t kMost = 128;
  static constexpr std::size_t kStep = 8;  ///< a block grows by so many: doubling would leave it half empty

  struct Block {
    std::vector<Key> keys;
    std::vector<Value> values;

    [[nodiscard]] std::size_t place_of(Key key) const {
      return static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
    }
    Value& insert(Key key) {
      if (keys.size() == keys.capacity()) {
        keys.reserve(keys.size() + kStep);
        values.reserve(keys.size() + kStep);
      }
      const auto at = static_cast<std::ptrdiff_t>(place_of(key));
      keys.insert(keys.begin() + at, key);
      return *values.insert(values.begin() + at, Value{});
    }
    void erase(Key key) {
      const auto at = static_cast<std::ptrdiff_t>(place_of(key));
      keys.erase(keys.begin() + at);
      values.erase(values.begin() + at);
      if (keys.capacity() - keys.size() >= 2 * kStep) shrink();
    }
    void append(const Block& other) {
      keys.insert(keys.end(), other.keys.begin(), other.keys.end());
      values.insert(values.end(), other.values.begin(), other.values.end());
      shrink();
    }
    /// What is behind the first `count` entries.
    Block cut(std::size_t count) {
      const auto at = static_cast<std::ptrdiff_t>(count);
      Block rest{{keys.begin() + at, keys.end()}, {values.begin() + at, values.end()}};
      keys.resize(count);
      values.resize(count);
      shrink();
      return rest;
    }
    void shrink() {
      keys.shrink_to_fit();
      values.shrink_to_fit();
    }
  };

  [[nodiscard]] Value* look_up(Key key) const {
    if (blocks_.empty()) return nullptr;
    Block& block = *blocks_[block_of(key)];
    const std::size_t at = block.place_of(key);
    return at < block.keys.size() && block.keys[at] == key ? &block.values[at] : nullptr;
  }
  template <typename Visit>
  void walk(Key first, Key last, Visit visit) const {
    if (blocks_.empty()) return;
    for (std::size_t index = block_of(first); index < blocks_.size(); ++index) {
      Block& block = *blocks_[index];
      for (std::size_t at = block.place_of(first); at < block.keys.size(); ++at) {
        if (block.keys[at] > last) return;
        visit(block.keys[at], block.values[at]);
      }
    }
  }
  /// Where `key` is, or belongs.
  [[nodiscard]] std::size_t block_of(Key key) const {
    const auto behind = std::upper_bound(firsts_.begin(), firsts_.end(), key) - firsts_.begin();
    return behind == 0 ? 0 : static_cast<std::size_t>(behind) - 1;
  }
  void split(std::size_t index) {
    const auto behind = static_cast<std::ptrdiff_t>(index) + 1;
    auto rest = std::make_unique<Block>(blocks_[index]->cut(kMost / 2));
    firsts_.insert(firsts_.begin() + behind, rest->keys.front());
    blocks_.insert(blocks_.begin() + behind, std::move(rest));
  }
  /// Takes the next block into this one when both are nearly empty; drops one without entries.
  void join(std::size_t index) {
    if (index + 1 < blocks_.size() &&
        blocks_[index]->keys.size() + blocks_[index + 1]->keys.size() <= kMost / 4) {
      blocks_[index]->append(*blocks_[index + 1]);
      drop(index + 1);
    } else if (blocks_[index]->keys.empty()) {
      drop(index);
    }
  }
  void drop(std::size_t index) {
    const auto at = static_cast<std::ptrdiff_t>(index);
    blocks_.erase(blocks_.begin() + at);
    firsts_.erase(firsts_.begin() + at);
    if (blocks_.empty() || blocks_.capacity() > 8 * blocks_.size() + 64) {
      blocks_.shrink_to_fit();
      firsts_.shrink_to_fit();
    }
  }

  std::vector<Key> firsts_;  ///< by block: none of its keys is smaller, all keys of the block before are
  std::vector<std::unique_ptr<Block>> blocks_;
  std::size_t size_ = 0;
};

}  // namespace untrombone::core::summary
