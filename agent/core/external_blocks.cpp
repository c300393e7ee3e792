// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/external_blocks.hpp"

#include <utility>

#include "agent/core/summary/bits.hpp"

namespace untrombone::core {
namespace {

/// A burst of arrivals is counted once.
constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

ExternalBlocks::ExternalBlocks(const SegmentSettings& settings, SegmentId segment)
    : settings_(settings), segment_(segment) {}

bool ExternalBlocks::is_block(const IpPrefix& prefix) const {
  return prefix.address().is_v4() && prefix.length() == settings_.external_length &&
         settings_.is_inside(prefix);
}

std::optional<IpPrefix> ExternalBlocks::block_of(const IpAddress& ip) const {
  const IpPrefix block(ip, settings_.external_length);
  return is_block(block) ? std::optional(block) : std::nullopt;
}

void ExternalBlocks::set_host(const HostFact& fact, TimePoint now) {
  const auto block = block_of(fact.ip);
  if (!block) return;
  const bool here = fact.is_here();
  const auto known = hosts_.find(fact.ip);
  if (here || fact.remote) {
    if (known != hosts_.end() && known->second == here) return;
    hosts_[fact.ip] = here;
  } else {
    if (known == hosts_.end()) return;
    hosts_.erase(known);
  }
  look_soon(*block, now);
}

void ExternalBlocks::set_claimed(const IpPrefix& prefix, bool claimed, TimePoint now) {
  const auto block = block_of(prefix.address());
  if (!block || !block->contains(prefix)) return;
  if (claimed ? !claimed_.insert(prefix).second : claimed_.erase(prefix) == 0) return;
  look_soon(*block, now);
}

void ExternalBlocks::adopt(const IpPrefix& prefix, TimePoint now, Announcements& out) {
  if (!is_block(prefix) || blocks_.contains(prefix)) return;
  blocks_[prefix].route_class = RouteClass::kExternal;
  out.push_back({segment_, prefix, RouteClass::kExternal, now});
  look_soon(prefix, now);
}

void ExternalBlocks::start_complete(TimePoint now) {
  started_ = true;
  if (!unseen_.empty()) look_at_ = std::min(look_at_, now + std::min(kLookInterval, settings_.hold));
}

void ExternalBlocks::repeat_all(TimePoint now, Announcements& out) const {
  for (const auto& [prefix, block] : blocks_) {
    if (block.route_class != RouteClass::kNone) out.push_back({segment_, prefix, block.route_class, now});
  }
}

void ExternalBlocks::take_over(const ExternalBlocks& old, TimePoint now, Announcements& out) {
  for (const auto& [prefix, block] : old.blocks_) {
    if (block.route_class == RouteClass::kNone) continue;
    if (!is_block(prefix)) {
      out.push_back({segment_, prefix, RouteClass::kNone, now});
      continue;
    }
    blocks_[prefix].route_class = block.route_class;
    look_soon(prefix, now);
  }
}

/// Nobody is judged before the hosts that are here are known.
void ExternalBlocks::look_soon(const IpPrefix& block, TimePoint now) {
  unseen_.insert(block);
  if (started_) look_at_ = std::min(look_at_, now + std::min(kLookInterval, settings_.hold));
}

// ---- time --------------------------------------------------------------------------------------------------------

void ExternalBlocks::handle_time(TimePoint now, Announcements& out) {
  if (look_at_ <= now) look(now);
  if (due_ <= now) change(now, out);
}

void ExternalBlocks::look(TimePoint now) {
  look_at_ = kNever;
  for (const IpPrefix& prefix : std::exchange(unseen_, {})) {
    Block& block = blocks_[prefix];
    const RouteClass wanted = wanted_for(prefix, block.route_class);
    if (wanted == block.route_class) {
      block.due = kNever;
    } else if (wanted != block.wanted || block.due == kNever) {
      block.due = now + settings_.hold;
    }
    block.wanted = wanted;
    due_ = std::min(due_, block.due);
    if (block.route_class == RouteClass::kNone && wanted == RouteClass::kNone) blocks_.erase(prefix);
  }
}

void ExternalBlocks::change(TimePoint now, Announcements& out) {
  due_ = kNever;
  for (auto entry = blocks_.begin(); entry != blocks_.end();) {
    auto& [prefix, block] = *entry;
    if (block.due <= now) {
      block.due = kNever;
      block.route_class = block.wanted;
      out.push_back({segment_, prefix, block.route_class, now});
    }
    due_ = std::min(due_, block.due);
    const bool gone = block.route_class == RouteClass::kNone && block.due == kNever;
    entry = gone ? blocks_.erase(entry) : std::next(entry);
  }
}

// ---- who has the majority ----------------------------------------------------------------------------------------

RouteClass ExternalBlocks::wanted_for(const IpPrefix& prefix, RouteClass present) const {
  const Tally tally = count(prefix);
  if (tally.here == 0 && tally.elsewhere == 0) return RouteClass::kNone;
  // Who has half of it keeps it. Of two who both do, the one that the routed world did not choose sees the other.
  const bool keeps = present == RouteClass::kExternal && !claimed_.contains(prefix);
  const bool leads = tally.here > tally.elsewhere || (tally.here == tally.elsewhere && keeps);
  return leads ? RouteClass::kExternal : RouteClass::kReserve;
}

ExternalBlocks::Tally ExternalBlocks::count(const IpPrefix& block) const {
  Tally tally;
  std::set<IpAddress> elsewhere;
  for (auto host = hosts_.lower_bound(block.address()); host != hosts_.end() && block.contains(host->first);
       ++host) {
    if (host->second) {
      ++tally.here;
    } else {
      elsewhere.insert(host->first);
    }
  }
  std::vector<IpPrefix> summaries;
  for (auto claim = claimed_.upper_bound(block); claim != claimed_.end() && block.contains(*claim); ++claim) {
    if (!claim->is_host()) {
      const bool inside = !summaries.empty() && summaries.back().contains(*claim);
      if (!inside) summaries.push_back(*claim);
    } else if (!hosts_.contains(claim->address())) {
      elsewhere.insert(claim->address());
    }
  }
  tally.elsewhere = elsewhere.size();
  for (const IpPrefix& claim : summaries) tally.elsewhere += hosts_in(claim, elsewhere);
  return tally;
}

/// How many hosts another site's summary tells of that nothing else does. Where all sites cover nothing but hosts, that
/// is each of its addresses; with `cover` it is known of one.
std::size_t ExternalBlocks::hosts_in(const IpPrefix& claim, const std::set<IpAddress>& elsewhere) const {
  if (settings_.mode == SummaryMode::kCover) {
    const auto known = elsewhere.lower_bound(claim.address());
    return known != elsewhere.end() && claim.contains(*known) ? 0 : 1;
  }
  std::size_t count = 0;
  const auto range = summary::BitPrefix<std::uint32_t>::of(claim);
  for (std::uint32_t bits = range.key;; ++bits) {
    const IpAddress ip = summary::to_address(bits);
    if (!hosts_.contains(ip) && !elsewhere.contains(ip) && settings_.may_be_host(ip)) ++count;
    if (bits == range.last()) return count;
  }
}

// ---- views -------------------------------------------------------------------------------------------------------

RouteClass ExternalBlocks::class_of(const IpPrefix& prefix) const {
  if (prefix.length() != settings_.external_length) return RouteClass::kNone;
  const auto found = blocks_.find(prefix);
  return found == blocks_.end() ? RouteClass::kNone : found->second.route_class;
}

std::optional<ExternalView> ExternalBlocks::view_of(const IpAddress& ip) const {
  const auto prefix = block_of(ip);
  if (!prefix) return std::nullopt;
  const auto found = blocks_.find(*prefix);
  if (found == blocks_.end()) return std::nullopt;
  const Block& block = found->second;
  const Tally tally = count(*prefix);
  return ExternalView{*prefix, block.route_class, block.wanted, block.due, tally.here, tally.elsewhere};
}

}  // namespace untrombone::core
