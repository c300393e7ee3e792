// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace untrombone::core::summary {

/// Records by index, in blocks: growing copies nothing (no event waits for it) and wastes less than a block. The blocks
/// behind the first tens of thousands of records are larger, so that finding one of a million costs no cache miss of
/// its own. Freed indices are used again; blocks are kept.
template <typename Record>
class Pool {
 public:
  [[nodiscard]] Record& operator[](std::uint32_t index) {
    if (index < kInSmall) return small_[index / kSmall][index % kSmall];
    return large_[(index - kInSmall) / kLarge][index % kLarge];
  }
  [[nodiscard]] const Record& operator[](std::uint32_t index) const {
    if (index < kInSmall) return small_[index / kSmall][index % kSmall];
    return large_[(index - kInSmall) / kLarge][index % kLarge];
  }

  std::uint32_t make(const Record& record) {
    std::uint32_t index = end_;
    if (free_.empty()) {
      grow();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    (*this)[index] = record;
    return index;
  }
  void release(std::uint32_t index) { free_.push_back(index); }

  [[nodiscard]] std::size_t size() const { return end_ - free_.size(); }
  [[nodiscard]] std::size_t bytes() const {
    return (small_.size() * kSmall + large_.size() * kLarge) * sizeof(Record) +
           (small_.capacity() + large_.capacity()) * sizeof(Block) + free_.capacity() * sizeof(free_[0]);
  }

 private:
  using Block = std::unique_ptr<Record[]>;
  static constexpr std::uint32_t kSmall = 256;
  static constexpr std::uint32_t kLarge = 4096;
  static constexpr std::uint32_t kInSmall = 65536;  ///< a multiple of both

  void grow() {
    if (end_ < kInSmall) {
      if (end_ % kSmall == 0) small_.push_back(std::make_unique<Record[]>(kSmall));
    } else if (end_ % kLarge == 0) {
      large_.push_back(std::make_unique<Record[]>(kLarge));
    }
    ++end_;
  }

  std::vector<Block> small_;
  std::vector<Block> large_;
  std::vector<std::uint32_t> free_;
  std::uint32_t end_ = 0;
};

}  // namespace untrombone::core::summary
