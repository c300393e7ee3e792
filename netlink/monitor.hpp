// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "netlink/messages.hpp"
#include "netlink/socket.hpp"

namespace untrombone::netlink {

/// What is wanted of the tables that the kernel can filter.
struct DumpScope {
  /// Routes of an earlier run: those out of an interface, in the table of its VRF.
  struct Routes {
    core::Ifindex interface;
    std::uint32_t table = 0;  ///< RT_TABLE_*, or a VRF's
  };
  std::vector<core::Ifindex> bridges;  ///< whose FDB
  std::vector<Routes> routes;
};

/// Receives what the kernel says. Called on the io_context's thread.
class MonitorListener {
 public:
  virtual ~MonitorListener() = default;
  /// `dumped`: part of a dump, made up between on_dump_started() and now; all events of before that are told already.
  virtual void on_kernel_message(const Message& message, bool dumped) = 0;
  virtual void on_dump_started() = 0;
  virtual void on_dump_finished() = 0;
  /// Nothing more is waiting for now: act on what came.
  virtual void on_kernel_idle() = 0;
  /// Asked once per dump, after the links and VLANs.
  virtual DumpScope dump_scope() = 0;
  /// The sockets do not work any more; nothing else will be reported.
  virtual void on_kernel_failure(const boost::system::error_code& error, std::string_view what) = 0;
};

struct MonitorOptions {
  /// Bytes asked for the event socket. One queued event costs 832 of them, and FORCE doubles the value: 160,000 events.
  int event_buffer = 64 * 1024 * 1024;
  /// Between two dumps when nothing seems wrong. As long as a bridge remembers a MAC by default: what is lost without a
  /// trace (and none such is known) does not live longer than an entry does. 100,000 entries cost a quarter of a
  /// second.
  std::chrono::steady_clock::duration reconcile = std::chrono::minutes(5);
  /// Between two dumps in any case, so that a storm which overruns us again and again is not made worse by our
  /// requests.
  std::chrono::steady_clock::duration pause = std::chrono::milliseconds(200);
};

/// Subscribes to link, VLAN, address, neighbour and FDB events, dumps the tables, then follows the events.
///
/// States: dumping (links -> VLANs -> addresses -> the FDB of each bridge -> neighbours -> prior routes, the last two
/// first of IPv4, then of IPv6) -> following. Two sockets, so that a dump never competes with events for buffer
/// space. Events are read during a dump, too, and all that wait before each piece of it: so no event is older than a
/// piece that was read before it.
///
/// An overrun (ENOBUFS: the kernel drops everything until the queue is empty) empties the event socket and dumps
/// again. A dump that the kernel calls inconsistent (NLM_F_DUMP_INTR) is asked for again. The bridge never says so,
/// and its dumps can miss entries: whoever misses one asks for it with look_up().
class Monitor {
 public:
  struct Counters {
    std::uint64_t messages = 0;
    std::uint64_t malformed = 0;
    std::uint64_t overruns = 0;
    std::uint64_t dumps = 0;
    std::uint64_t interrupted = 0;  ///< parts of dumps that were asked for again
    std::uint64_t lookups = 0;
    std::uint64_t request_errors = 0;
  };

  Monitor(boost::asio::io_context& io, MonitorListener& listener, MonitorOptions options = {});
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Opens the sockets and starts the first dump.
  boost::system::error_code start();
  /// Dumps again, soon; once more after the dump that is under way.
  void resync();
  /// Asks for one FDB entry. The answer is an FDB message: that it is, or that it was removed from `port`.
  void look_up(core::Ifindex bridge, core::VlanId vlan, core::Ifindex port, const core::MacAddress& mac);
  /// Ends all waiting, so that the io_context can run dry.
  void stop();
  /// See RouteSocket::change_own_mac.
  void change_own_mac(core::Ifindex bridge, core::VlanId vlan, const core::MacAddress& mac, bool add);
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  enum class Stage {
    kLinks,
    kVlans,
    kAddresses,
    kFdb,
    kNeighbours,
    kNeighbours6,
    kRoutes,
    kRoutes6,
    kFollowing
  };

  struct Lookup {
    core::Ifindex bridge;
    core::VlanId vlan;
    core::Ifindex port;
    core::MacAddress mac;
  };

  void begin_dump();
  void dump_at(std::chrono::steady_clock::time_point when);
  void request_stage();
  boost::system::error_code request_routes(core::Family family);
  void next_stage();
  void finish_dump();
  void wait_for_requests();
  void wait_for_events();
  void read_requests();
  void read_events();
  void take_events(int budget);
  void take_reply(std::span<const std::byte> message);
  void take_error(std::span<const std::byte> message);
  [[nodiscard]] bool is_nothing_there(int error) const;
  void send_lookups();
  bool take_lookup_reply(std::uint32_t sequence, std::span<const std::byte> message, int error);
  void deliver(std::span<const std::byte> message, bool dumped);
  void fail(const boost::system::error_code& error, std::string_view what);

  MonitorListener& listener_;
  MonitorOptions options_;
  std::unique_ptr<RouteSocket> requests_;
  std::unique_ptr<RouteSocket> events_;
  boost::asio::posix::stream_descriptor request_wait_;
  boost::asio::posix::stream_descriptor event_wait_;
  boost::asio::steady_timer dump_timer_;
  std::chrono::steady_clock::time_point dump_finished_{};
  std::vector<std::byte> buffer_;          ///< a datagram of the request socket
  std::vector<std::byte> event_buffer_;    ///< and of the event socket, while that is not done with
  std::deque<Lookup> lookups_;             ///< not asked yet
  std::map<std::uint32_t, Lookup> asked_;  ///< by sequence number
  DumpScope scope_;                        ///< what is still to be asked for
  Stage stage_ = Stage::kFollowing;
  bool interrupted_ = false;  ///< the kernel changed the table under the dump (NLM_F_DUMP_INTR)
  int attempts_ = 0;          ///< at this stage
  bool again_ = false;        ///< something was lost since the dump began
  bool failed_ = false;
  Counters counters_;
};

}  // namespace untrombone::netlink
