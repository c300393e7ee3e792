// SPDX-License-Identifier: GPL-2.0-or-later
// Tables that were once large and are small again: their memory goes back. What is paid for that is paid once for every
// many removals.
#pragma once

#include <cstddef>

namespace untrombone::core {

inline constexpr std::size_t kSmallTable = 16;
inline constexpr std::size_t kSpareFactor = 8;

[[nodiscard]] constexpr bool is_spare(std::size_t used, std::size_t room) {
  return room > kSmallTable && used * kSpareFactor < room;
}

/// What `iterator` points to. Iterators are void afterwards.
template <typename Map>
void erase_found(Map& map, typename Map::iterator iterator) {
  map.erase(iterator);
  if (is_spare(map.size(), map.bucket_count())) map.rehash(0);
}

template <typename Map>
void erase_key(Map& map, const typename Map::key_type& key) {
  if (const auto found = map.find(key); found != map.end()) erase_found(map, found);
}

}  // namespace untrombone::core
