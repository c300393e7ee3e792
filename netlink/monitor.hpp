// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "netlink/messages.hpp"
#include "netlink/socket.hpp"

namespace untrombone::netlink {

/// Receives what the kernel says. Called on the io_context's thread.
class MonitorListener {
 public:
  virtual ~MonitorListener() = default;
  virtual void on_kernel_message(const Message& message) = 0;
  virtual void on_dump_started() = 0;
  virtual void on_dump_finished() = 0;
  /// Nothing more is waiting for now: act on what came.
  virtual void on_kernel_idle() = 0;
  /// Asked once per dump, after the links: interfaces whose routes of an earlier run are wanted.
  virtual std::vector<core::Ifindex> prior_route_interfaces() = 0;
  /// The sockets do not work any more; nothing else will be reported.
  virtual void on_kernel_failure(const boost::system::error_code& error, std::string_view what) = 0;
};

/// Subscribes to link, neighbour and FDB events, dumps the tables, then follows the events.
///
/// States: dumping (links -> FDB -> neighbours -> prior routes, the last two first of IPv4, then of IPv6, while events
/// wait in the socket) -> following. An overrun of
/// the event socket drains it and dumps again (the kernel drops everything until the queue is empty). Two sockets, so
/// that a dump never competes with events for buffer space.
class Monitor {
 public:
  struct Counters {
    std::uint64_t messages = 0;
    std::uint64_t malformed = 0;
    std::uint64_t overruns = 0;
    std::uint64_t dumps = 0;
    std::uint64_t request_errors = 0;
  };

  Monitor(boost::asio::io_context& io, MonitorListener& listener);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Opens the sockets and starts the first dump.
  boost::system::error_code start();
  /// Dumps again; events wait meanwhile. Does nothing while a dump is under way.
  void resync();
  /// See RouteSocket::change_own_mac.
  void change_own_mac(core::Ifindex bridge, const core::MacAddress& mac, bool add);
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  enum class Stage { kLinks, kFdb, kNeighbours, kNeighbours6, kRoutes, kRoutes6, kFollowing };

  void request_stage();
  void next_stage();
  void finish_dump();
  void wait_for_requests();
  void wait_for_events();
  void read_requests();
  void read_events();
  void drain_events();
  void take_dump_datagram(std::span<const std::byte> datagram);
  void take_dump_message(std::span<const std::byte> message);
  void deliver(std::span<const std::byte> message);
  void fail(const boost::system::error_code& error, std::string_view what);

  MonitorListener& listener_;
  std::unique_ptr<RouteSocket> requests_;
  std::unique_ptr<RouteSocket> events_;
  boost::asio::posix::stream_descriptor request_wait_;
  boost::asio::posix::stream_descriptor event_wait_;
  std::vector<std::byte> buffer_;
  std::vector<core::Ifindex> route_interfaces_;
  Stage stage_ = Stage::kFollowing;
  bool interrupted_ = false;  ///< the kernel changed the table under the dump (NLM_F_DUMP_INTR)
  bool waiting_for_events_ = false;
  Counters counters_;
};

}  // namespace untrombone::netlink
