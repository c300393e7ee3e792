// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/rtnetlink.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

struct RouteEvent {
  enum class Kind : std::uint8_t { kNew, kDelete };

  Kind kind = Kind::kNew;
  std::string prefix;   // "10.1.0.11/32"; "0.0.0.0/0"; "2001:db8:1::b/128"
  std::string gateway;  // empty when on link; the first one of a multipath route
  std::string oif;      // interface name, as above
  std::uint32_t metric = 0;
  std::uint8_t protocol = 0;  // RTPROT_*
  Timestamp at;               // when the watcher read it; the dump at the start counts as events of that time
};

struct RouteMatch {
  std::string prefix;
  std::string gateway = {};  // empty: any
  std::string oif = {};      // empty: any
  RouteEvent::Kind kind = RouteEvent::Kind::kNew;
};

// Records changes of a namespace's main IPv4 and IPv6 routing tables on a thread of its own, which runs ahead of
// ordinary ones. Starts with what is in them; of IPv6 the kernel's own routes are left out. Thread-safe.
class RouteWatcher {
 public:
  explicit RouteWatcher(const Netns& netns);

  // Waits for the first matching event not before `since`.
  std::optional<RouteEvent> wait_for_route(const RouteMatch& match, std::chrono::milliseconds timeout,
                                           Timestamp since = {});
  // Waits until the table holds, or no longer holds, a route that matches.
  bool wait_present(const RouteMatch& match, std::chrono::milliseconds timeout);
  bool wait_absent(const RouteMatch& match, std::chrono::milliseconds timeout);

  // The route to exactly this prefix, as last heard.
  std::optional<RouteEvent> current(const std::string& prefix);
  // All of them: the table after all events so far.
  std::vector<RouteEvent> table();
  // Routes in it.
  std::size_t size();
  std::vector<RouteEvent> events(Timestamp since = {});
  void clear_events();

  // Times the kernel dropped events because we read too slowly: measurements are void when not 0.
  std::uint64_t overruns();

 private:
  void run(int stop_fd);
  void receive();
  void record(RouteEvent event);
  bool holds(const RouteMatch& match);

  UniqueFd socket_;
  std::map<int, std::string> ifnames_;  // of the namespace when the watcher started
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RouteEvent> events_;
  std::map<std::string, RouteEvent> table_;
  std::uint64_t overruns_ = 0;
  Worker worker_;  // last: stops before the rest goes
};

}  // namespace untrombone::lab
