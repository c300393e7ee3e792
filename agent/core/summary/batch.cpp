// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/summary/batch.hpp"

#include <algorithm>
#include <optional>

namespace untrombone::core::summary {
namespace {

template <typename Bits>
constexpr Bits kLastAddress = static_cast<Bits>(~Bits{0});

/// One sweep over the address space, from left to right: what stands in the way of a prefix at each point.
template <typename Bits>
class Sweep {
 public:
  using Prefix = BitPrefix<Bits>;

  Sweep(const std::vector<Range<Bits>>& forbidden, std::vector<Prefix> claimed, unsigned shortest)
      : forbidden_(forbidden), claimed_(std::move(claimed)), shortest_(shortest) {
    std::sort(claimed_.begin(), claimed_.end(), [](const Prefix& a, const Prefix& b) {
      return a.key != b.key ? a.key < b.key : a.length < b.length;
    });
  }

  /// The shortest length that is admissible for `address`; it never goes back. kWidth when only the host route is.
  unsigned length_for(Bits address) {
    pass(address);
    unsigned length = shortest_;
    const auto keep_off = [&](Bits other) {
      length = std::max(length, std::min(common_length(address, other) + 1, kWidth<Bits>));
    };
    if (next_ != 0) keep_off(forbidden_[next_ - 1].last);
    if (next_ != forbidden_.size()) {
      if (forbidden_[next_].first <= address) return kWidth<Bits>;
      keep_off(forbidden_[next_].first);
    }
    if (passed_) keep_off(*passed_);
    if (next_claim_ != claimed_.size()) keep_off(claimed_[next_claim_].key);
    if (!around_.empty()) length = std::max(length, std::min(around_.back().length + 1, kWidth<Bits>));
    return length;
  }

 private:
  /// Everything up to `address` is behind us: forbidden ranges that end before it, claims that begin at it or before.
  void pass(Bits address) {
    while (next_ != forbidden_.size() && forbidden_[next_].last < address) ++next_;
    for (; next_claim_ != claimed_.size() && claimed_[next_claim_].key <= address; ++next_claim_) {
      close_before(claimed_[next_claim_].key);
      around_.push_back(claimed_[next_claim_]);
    }
    close_before(address);
  }
  void close_before(Bits address) {
    for (; !around_.empty() && around_.back().last() < address; around_.pop_back())
      passed_ = std::max(passed_.value_or(Bits{0}), around_.back().last());
  }

  const std::vector<Range<Bits>>& forbidden_;
  std::vector<Prefix> claimed_;
  unsigned shortest_;
  std::size_t next_ = 0;
  std::size_t next_claim_ = 0;
  std::vector<Prefix> around_;  ///< the claims around the point, the longest last
  std::optional<Bits> passed_;  ///< the last address of the claims behind it
};

/// What is in none of the sorted, disjoint `ranges`.
template <typename Bits>
std::vector<Range<Bits>> complement(const std::vector<Range<Bits>>& ranges) {
  std::vector<Range<Bits>> gaps;
  Bits next{0};
  for (const Range<Bits>& range : ranges) {
    if (range.first > next) gaps.push_back({next, static_cast<Bits>(range.first - 1)});
    if (range.last == kLastAddress<Bits>) return gaps;
    next = static_cast<Bits>(range.last + 1);
  }
  gaps.push_back({next, kLastAddress<Bits>});
  return gaps;
}

/// Where no prefix may reach. An address that is both local and remote is local.
template <typename Bits>
std::vector<Range<Bits>> forbidden_ranges(const std::vector<Range<Bits>>& local,
                                          const std::vector<Range<Bits>>& outside,
                                          BatchOptions<Bits>& options) {
  normalise(options.remote);
  std::vector<Range<Bits>> forbidden = without(options.remote, local);
  normalise(options.free);
  std::vector<Range<Bits>> known = without(options.free, forbidden);
  known.insert(known.end(), local.begin(), local.end());
  normalise(known);
  const std::vector<Range<Bits>> unknown =
      options.covers_unknown ? without(ranges_of(options.claimed), known) : complement(known);
  forbidden.insert(forbidden.end(), unknown.begin(), unknown.end());
  forbidden.insert(forbidden.end(), outside.begin(), outside.end());
  normalise(forbidden);
  return forbidden;
}

template <typename Bits>
std::vector<Range<Bits>> outside_of(const std::vector<BitPrefix<Bits>>& within) {
  return within.empty() ? std::vector<Range<Bits>>{} : complement(ranges_of(within));
}

}  // namespace

template <typename Bits>
void normalise(std::vector<Range<Bits>>& ranges) {
  const auto before = [](const Range<Bits>& a, const Range<Bits>& b) { return a.first < b.first; };
  if (!std::is_sorted(ranges.begin(), ranges.end(), before)) std::sort(ranges.begin(), ranges.end(), before);
  std::size_t kept = 0;
  for (const Range<Bits>& range : ranges) {
    const bool joins = kept != 0 && (ranges[kept - 1].last == kLastAddress<Bits> ||
                                     range.first <= ranges[kept - 1].last + 1);
    if (joins) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

template <typename Bits>
std::vector<Range<Bits>> without(const std::vector<Range<Bits>>& ranges,
                                 const std::vector<Range<Bits>>& removed) {
  std::vector<Range<Bits>> left;
  std::size_t next = 0;
  for (Range<Bits> range : ranges) {
    while (next != removed.size() && removed[next].last < range.first) ++next;
    bool gone = false;
    for (std::size_t i = next; i != removed.size() && removed[i].first <= range.last && !gone; ++i) {
      if (removed[i].first > range.first)
        left.push_back({range.first, static_cast<Bits>(removed[i].first - 1)});
      gone = removed[i].last >= range.last;
      if (!gone) range.first = static_cast<Bits>(removed[i].last + 1);
    }
    if (!gone) left.push_back(range);
  }
  return left;
}

template <typename Bits>
std::vector<BitPrefix<Bits>> summarise(std::vector<Range<Bits>> local, BatchOptions<Bits> options) {
  normalise(local);
  const std::vector<Range<Bits>> outside = outside_of(options.within);
  local = without(local, outside);
  const std::vector<Range<Bits>> forbidden = forbidden_ranges(local, outside, options);
  Sweep<Bits> sweep(forbidden, std::move(options.claimed), options.shortest);
  std::vector<BitPrefix<Bits>> found;
  for (const Range<Bits>& range : local) {
    Bits at = range.first;
    if (!found.empty() && found.back().last() >= at) {  // covered already
      if (found.back().last() >= range.last) continue;
      at = static_cast<Bits>(found.back().last() + 1);
    }
    while (true) {
      const auto top = BitPrefix<Bits>::of(at, sweep.length_for(at));
      found.push_back(top);
      if (top.last() >= range.last) break;
      at = static_cast<Bits>(top.last() + 1);
    }
  }
  return found;
}

template <typename Bits>
std::vector<Range<Bits>> ranges_of(const std::vector<BitPrefix<Bits>>& prefixes) {
  std::vector<Range<Bits>> ranges;
  ranges.reserve(prefixes.size());
  for (const BitPrefix<Bits>& prefix : prefixes) ranges.push_back({prefix.key, prefix.last()});
  normalise(ranges);
  return ranges;
}

template void normalise(std::vector<Range<std::uint32_t>>& ranges);
template std::vector<Range<std::uint32_t>> without(const std::vector<Range<std::uint32_t>>& ranges,
                                                   const std::vector<Range<std::uint32_t>>& removed);
template std::vector<Range<std::uint32_t>> ranges_of(const std::vector<BitPrefix<std::uint32_t>>& prefixes);
template std::vector<BitPrefix<std::uint32_t>> summarise(std::vector<Range<std::uint32_t>> local,
                                                         BatchOptions<std::uint32_t> options);

template void normalise(std::vector<Range<Uint128>>& ranges);
template std::vector<Range<Uint128>> without(const std::vector<Range<Uint128>>& ranges,
                                             const std::vector<Range<Uint128>>& removed);
template std::vector<Range<Uint128>> ranges_of(const std::vector<BitPrefix<Uint128>>& prefixes);
template std::vector<BitPrefix<Uint128>> summarise(std::vector<Range<Uint128>> local,
                                                   BatchOptions<Uint128> options);

}  // namespace untrombone::core::summary
