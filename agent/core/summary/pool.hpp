// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace untrombone::core::summary {

/// Records by index, in blocks: growing copies nothing (no event waits for it) and wastes less than a block. Freed
/// indices are used again; blocks are kept.
template <typename Record>
class Pool {
 public:
  [[nodiscard]] Record& operator[](std::uint32_t index) { return blocks_[index / kBlock][index % kBlock]; }
  [[nodiscard]] const Record& operator[](std::uint32_t index) const {
    return blocks_[index / kBlock][index % kBlock];
  }

  std::uint32_t make(const Record& record) {
    std::uint32_t index = end_;
    if (free_.empty()) {
      if (end_ % kBlock == 0) blocks_.push_back(std::make_unique<Record[]>(kBlock));
      ++end_;
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
    return blocks_.size() * (kBlock * sizeof(Record) + sizeof(blocks_[0])) +
           free_.capacity() * sizeof(free_[0]);
  }

 private:
  static constexpr std::uint32_t kBlock = 256;

  std::vector<std::unique_ptr<Record[]>> blocks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t end_ = 0;
};

}  // namespace untrombone::core::summary
