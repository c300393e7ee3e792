// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "agent/core/summary/batch.hpp"
#include "agent/core/summary/bits.hpp"

namespace untrombone::core::summary::testing {

/// The ideal set by its definition, from plain sets: for each local address the first admissible length, tried from
/// the shortest on. ideal() shares nothing with the tries and the batch but the type of a prefix.
template <typename Bits>
class Oracle {
 public:
  using Prefix = BitPrefix<Bits>;
  struct Less {
    bool operator()(const Prefix& a, const Prefix& b) const {
      return a.key != b.key ? a.key < b.key : a.length < b.length;
    }
  };
  using Set = std::set<Prefix, Less>;

  Oracle(const Prefix& subnet, unsigned shortest, bool covers_unknown)
      : subnet_(subnet), shortest_(std::max(shortest, subnet.length)), covers_unknown_(covers_unknown) {}

  std::set<Bits> local;
  std::set<Bits> remote;
  std::set<Bits> free;
  Set claimed;
  bool unknown_is_theirs = false;  ///< what is unknown inside a claimed prefix may not be covered

  [[nodiscard]] bool is_admissible(const Prefix& prefix) const {
    if (prefix.length == kWidth<Bits>) return true;
    if (!subnet_.contains(prefix) || prefix.length < shortest_) return false;
    for (const Prefix& claim : claimed) {
      if (prefix.contains(claim) && subnet_.length < claim.length) return false;
    }
    if (covers_unknown_ && !(unknown_is_theirs && is_theirs(prefix))) {
      const auto first = remote.lower_bound(prefix.key);
      return first == remote.end() || *first > prefix.last();
    }
    for (Bits at = prefix.key;; ++at) {
      if (!local.contains(at) && !free.contains(at)) return false;
      if (at == prefix.last()) return true;
    }
  }

  [[nodiscard]] Set ideal() const {
    Set found;
    for (auto at = local.begin(); at != local.end();) {
      unsigned length = subnet_.length;
      while (!is_admissible(Prefix::of(*at, length))) ++length;
      const auto top = Prefix::of(*at, length);
      found.insert(top);
      at = local.upper_bound(top.last());
    }
    return found;
  }

  /// What summarise() makes of the same facts, given in another order.
  [[nodiscard]] std::vector<Prefix> batch() const {
    BatchOptions<Bits> options;
    options.covers_unknown = covers_unknown_;
    options.shortest = shortest_;
    options.within = {subnet_};
    for (const Bits at : free) options.free.push_back({at, at});
    for (const Bits at : remote) options.remote.push_back({at, at});
    for (const Prefix& prefix : claimed) {
      if (prefix.length > subnet_.length) options.claimed.push_back(prefix);
    }
    std::vector<Range<Bits>> hosts;
    for (const Bits at : local) hosts.push_back({at, at});
    std::shuffle(hosts.begin(), hosts.end(), std::mt19937(1));
    return summarise(std::move(hosts), std::move(options));
  }

 private:
  [[nodiscard]] bool is_theirs(const Prefix& prefix) const {
    return std::any_of(claimed.begin(), claimed.end(), [&](const Prefix& claim) {
      return claim.length > subnet_.length && claim.contains(prefix);
    });
  }

  Prefix subnet_;
  unsigned shortest_;
  bool covers_unknown_;
};

}  // namespace untrombone::core::summary::testing
