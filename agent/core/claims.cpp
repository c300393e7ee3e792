// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/claims.hpp"

#include <algorithm>

namespace untrombone::core {
namespace {

using Entries = std::vector<Claims::Entry>;

auto find_list(Entries& entries, ClaimList list) {
  return std::find_if(entries.begin(), entries.end(),
                      [&](const Claims::Entry& entry) { return entry.list == list; });
}

/// Would nobody have known without it? Fresh is news where nothing was fresh, or where it outbids what was.
bool is_news(const Entries& known, const ClaimSeen& seen) {
  if (known.empty()) return true;
  if (seen.route_class != RouteClass::kFresh) return false;
  return std::none_of(known.begin(), known.end(), [&](const Claims::Entry& entry) {
    const bool outbid = entry.metric && seen.metric && *seen.metric < *entry.metric;
    return entry.route_class == RouteClass::kFresh && !outbid;
  });
}

}  // namespace

bool Claims::see(const ClaimSeen& seen, TimePoint now) {
  const auto known = by_key_.find(seen.key);
  if (known == by_key_.end() && by_key_.size() >= kMost) {
    ++turned_away_;
    return false;
  }
  Entries& entries = known == by_key_.end() ? by_key_[seen.key] : known->second;
  const bool news = is_news(entries, seen);
  if (entries.empty()) count(seen.key, 1);
  auto entry = find_list(entries, seen.list);
  if (entry == entries.end()) {
    ++lists_[seen.list.value].size;
    entry = entries.insert(entries.end(), Entry{.list = seen.list, .metric = {}, .from = {}, .since = now});
    entry->generation = lists_[seen.list.value].generation - 1;
  } else if (news) {
    entry->since = now;
  }
  entry->route_class = seen.route_class;
  entry->metric = seen.metric;
  entry->from = seen.from;
  List& list = lists_[seen.list.value];
  if (entry->generation != list.generation) ++list.shown;
  entry->generation = list.generation;
  return news;
}

void Claims::forget(const ClaimGone& gone) {
  const auto known = by_key_.find(gone.key);
  if (known == by_key_.end()) return;
  const auto entry = find_list(known->second, gone.list);
  if (entry == known->second.end()) return;
  List& list = lists_[gone.list.value];
  if (entry->generation == list.generation) --list.shown;
  --list.size;
  known->second.erase(entry);
  if (!known->second.empty()) return;
  count(gone.key, -1);
  by_key_.erase(known);
}

void Claims::begin(ClaimList list) {
  ++lists_[list.value].generation;
  lists_[list.value].shown = 0;
}

void Claims::sweep(ClaimList list) {
  if (lists_[list.value].shown == lists_[list.value].size) return;
  std::vector<RouteKey> gone;
  for (const auto& [key, entries] : by_key_) {
    const bool stale = std::any_of(entries.begin(), entries.end(), [&](const Entry& entry) {
      return entry.list == list && entry.generation != lists_[list.value].generation;
    });
    if (stale) gone.push_back(key);
  }
  for (const RouteKey& key : gone) forget({list, key});
}

std::span<const Claims::Entry> Claims::of(const RouteKey& key) const {
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return {};
  return known->second;
}

std::optional<std::uint32_t> Claims::best_metric(VrfId vrf, const IpAddress& address) const {
  std::optional<std::uint32_t> best;
  for_each_covering(vrf, address, [&](const RouteKey& /*key*/, const Entry& entry) {
    if (entry.route_class == RouteClass::kLingering || !entry.metric) return;
    best = best ? std::min(*best, *entry.metric) : entry.metric;
  });
  return best;
}

void Claims::count(const RouteKey& key, int change) {
  lengths_[family_index(key.prefix.address())][key.prefix.length()] += static_cast<std::uint32_t>(change);
  ++version_;
}

}  // namespace untrombone::core
