// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "arp/guard_rules.hpp"

namespace untrombone::arp {

/// Loads the guard into the kernel through libnftables, on a thread of its own: a transaction takes a millisecond and
/// more with many segments. Results are posted to the io_context. The rules outlive the process on purpose.
class Guard {
 public:
  /// Empty text: it worked; else what nft said.
  using Done = std::function<void(const std::string& error)>;

  explicit Guard(boost::asio::io_context& io);
  /// Waits for a transaction under way.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  /// Replaces whatever the table holds, atomically.
  void apply(const std::vector<GuardedSegment>& segments, Done done);
  void remove(Done done);

 private:
  void run(std::string text, Done done);

  boost::asio::io_context& io_;
  boost::asio::thread_pool worker_;
};

}  // namespace untrombone::arp
