// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "netlink/route_message.hpp"
#include "netlink/socket.hpp"

namespace untrombone::netlink {

/// Says whether certain prefixes are in certain routing tables of the kernel.
///
/// An event that adds one is believed; one that removes one starts a dump of that table, for another route to the same
/// prefix may be left. So do an overrun of the event socket, a link, an address or a next hop that changes (the kernel
/// drops IPv4 routes over it without a word), and a minute without a dump. Tables are dumped one at a time, and a dump
/// that the kernel interrupted is repeated.
class RouteWatch {
 public:
  /// Is any route to `prefix` in `table`? Called for what is asked for only, and when a dump ends in any case.
  using Report = std::function<void(std::uint32_t table, const core::IpPrefix& prefix, bool present)>;

  RouteWatch(boost::asio::io_context& io, Report report);
  ~RouteWatch();
  RouteWatch(const RouteWatch&) = delete;
  RouteWatch& operator=(const RouteWatch&) = delete;

  boost::system::error_code start();
  /// Replaces what is asked for; tables that are new, or asked for something new, are dumped.
  void follow(std::map<std::uint32_t, std::vector<core::IpPrefix>> wanted);
  [[nodiscard]] std::uint64_t dumps() const { return dumps_; }

 private:
  using Dump = std::pair<std::uint32_t, core::Family>;

  void want_dump(std::uint32_t table, core::Family family);
  void want_all_dumps();
  void want_all_dumps_after(std::chrono::milliseconds delay);
  void dump_next();
  void finish_dump(bool refused);
  void take_event(std::span<const std::byte> message);
  void take_dumped(std::span<const std::byte> message);
  void wait_for(RouteSocket& socket, boost::asio::posix::stream_descriptor& descriptor, bool events);
  void read(RouteSocket& socket, boost::asio::posix::stream_descriptor& descriptor, bool events);
  [[nodiscard]] bool wants(std::uint32_t table, const core::IpPrefix& prefix) const;

  Report report_;
  std::unique_ptr<RouteSocket> requests_;
  std::unique_ptr<RouteSocket> events_;
  boost::asio::posix::stream_descriptor request_wait_;
  boost::asio::posix::stream_descriptor event_wait_;
  std::vector<std::byte> buffer_;
  std::map<std::uint32_t, std::vector<core::IpPrefix>> wanted_;
  std::deque<Dump> queue_;  ///< the first one is under way
  std::vector<core::IpPrefix> dumped_;
  boost::asio::steady_timer timer_;
  bool soon_ = false;  ///< the timer runs for a change that was seen
  bool interrupted_ = false;
  std::uint64_t dumps_ = 0;
};

}  // namespace untrombone::netlink
