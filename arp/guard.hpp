// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "arp/guard_listing.hpp"
#include "arp/guard_rules.hpp"
#include "arp/nft_query.hpp"

namespace untrombone::arp {

/// How a change of the guard went.
struct GuardOutcome {
  std::string error;         ///< what nft said; empty: it worked
  bool replaced = false;     ///< the whole table, not elements of it
  std::size_t rules = 0;     ///< that the kernel has now
  std::size_t elements = 0;  ///< of the sets, likewise
  core::Duration took{};
};

/// Loads the guard into the kernel through libnftables, on a thread of its own: a transaction takes a millisecond and
/// more with many segments. Results are posted to the io_context. The rules outlive the process on purpose.
///
/// The first time the table is replaced, then only elements change, so that its counters live on; what a replacement
/// takes away is remembered.
class Guard {
 public:
  using Done = std::function<void(const GuardOutcome&)>;
  /// What is not as it was loaded; empty: nothing.
  using Verified = std::function<void(const std::string& drift)>;

  explicit Guard(boost::asio::io_context& io);
  /// Waits for a transaction under way.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Makes the kernel's guard this one, atomically.
  void apply(const std::vector<GuardedSegment>& segments, Done done);
  void remove(Done done);
  /// Is the kernel's guard what was applied last? Costs microseconds unless somebody changed nftables since. After a
  /// drift the next apply() replaces all.
  void verify(Verified done);
  /// All that was counted since the start, also by tables that are gone. They never go back.
  [[nodiscard]] GuardCounts counters();

 private:
  class Worker;
  void conclude(const GuardOutcome& outcome, const GuardCounts& lost, const Done& done);

  boost::asio::io_context& io_;
  std::unique_ptr<Worker> worker_;
  NftQuery query_;
  GuardCounts base_;  ///< of tables that are gone
  GuardCounts live_;  ///< of the present one, as last seen
  GuardCounts reported_;
  boost::asio::thread_pool thread_;  ///< last: ends before what it uses
};

}  // namespace untrombone::arp
