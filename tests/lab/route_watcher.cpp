// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/route_watcher.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace untrombone::lab {
namespace {

// Of an IPv4 or IPv6 address.
std::string address_text(Bytes value) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(value.size() == 4 ? AF_INET : AF_INET6, value.data(), text.data(), text.size());
  return text.data();
}

struct NextHop {
  std::string gateway;
  int ifindex = 0;
};

NextHop first_of_multipath(Bytes value) {
  NextHop hop{.gateway = {}, .ifindex = load<rtnexthop>(value).rtnh_ifindex};
  const std::size_t size = std::min<std::size_t>(load<rtnexthop>(value).rtnh_len, value.size());
  if (size > sizeof(rtnexthop)) {
    for_each_attribute(value.first(size).subspan(sizeof(rtnexthop)),
                       [&hop](std::uint16_t type, Bytes gateway) {
                         if (type == RTA_GATEWAY) {
                           hop.gateway = address_text(gateway);
                         }
                       });
  }
  return hop;
}

// Nothing for messages that are not about the main table. The kernel's own IPv6 routes (link-local and connected ones)
// are left out, too.
std::optional<RouteEvent> decode_route(const nlmsghdr& header, Bytes body,
                                       const std::map<int, std::string>& ifnames) {
  const auto route = load<rtmsg>(body);
  const bool relevant =
      (header.nlmsg_type == RTM_NEWROUTE || header.nlmsg_type == RTM_DELROUTE) &&
      body.size() >= sizeof route && route.rtm_table == RT_TABLE_MAIN &&
      (route.rtm_family == AF_INET || (route.rtm_family == AF_INET6 && route.rtm_protocol != RTPROT_KERNEL));
  if (!relevant) {
    return std::nullopt;
  }
  RouteEvent event;
  event.kind = header.nlmsg_type == RTM_NEWROUTE ? RouteEvent::Kind::kNew : RouteEvent::Kind::kDelete;
  event.protocol = route.rtm_protocol;
  NextHop hop;
  std::string destination = route.rtm_family == AF_INET ? "0.0.0.0" : "::";
  for_each_attribute(body.subspan(sizeof route), [&](std::uint16_t type, Bytes value) {
    switch (type) {
      case RTA_DST: destination = address_text(value); break;
      case RTA_GATEWAY: hop.gateway = address_text(value); break;
      case RTA_OIF: hop.ifindex = load<int>(value); break;
      case RTA_PRIORITY: event.metric = load<std::uint32_t>(value); break;
      case RTA_MULTIPATH: hop = first_of_multipath(value); break;
      default: break;
    }
  });
  event.prefix = fmt::format("{}/{}", destination, route.rtm_dst_len);
  event.gateway = std::move(hop.gateway);
  if (const auto found = ifnames.find(hop.ifindex); found != ifnames.end()) {
    event.oif = found->second;
  }
  return event;
}

bool matches(const RouteMatch& match, const RouteEvent& event) {
  return event.prefix == match.prefix && (match.gateway.empty() || event.gateway == match.gateway) &&
         (match.oif.empty() || event.oif == match.oif);
}

void request_dump(int socket) {
  struct Request {
    nlmsghdr header;
    rtmsg body;
  } request{};
  request.header = {.nlmsg_len = sizeof request,
                    .nlmsg_type = RTM_GETROUTE,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                    .nlmsg_seq = 1,
                    .nlmsg_pid = 0};
  request.body.rtm_family = AF_UNSPEC;
  check(::send(socket, &request, sizeof request, 0), "ask for the routes");
}

std::map<int, std::string> interface_names() {
  std::map<int, std::string> names;
  const std::unique_ptr<struct if_nameindex, decltype(&::if_freenameindex)> list(::if_nameindex(),
                                                                                 &::if_freenameindex);
  for (const struct if_nameindex* entry = list.get(); entry != nullptr && entry->if_index != 0; ++entry) {
    names.emplace(static_cast<int>(entry->if_index), entry->if_name);
  }
  return names;
}

}  // namespace

RouteWatcher::RouteWatcher(const Netns& netns)
    : socket_(open_rtnetlink(netns, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE)),
      ifnames_(run_in(netns, interface_names)),
      worker_([this](int stop_fd) { run(stop_fd); }) {}

std::optional<RouteEvent> RouteWatcher::wait_for_route(const RouteMatch& match,
                                                       std::chrono::milliseconds timeout, Timestamp since) {
  std::unique_lock lock(mutex_);
  std::size_t next = 0;
  std::optional<RouteEvent> found;
  changed_.wait_for(lock, timeout, [&] {
    for (; next < events_.size() && !found; ++next) {
      const RouteEvent& event = events_[next];
      if (event.at >= since && event.kind == match.kind && matches(match, event)) {
        found = event;
      }
    }
    return found.has_value();
  });
  return found;
}

bool RouteWatcher::holds(const RouteMatch& match) {
  const auto found = table_.find(match.prefix);
  return found != table_.end() && matches(match, found->second);
}

bool RouteWatcher::wait_present(const RouteMatch& match, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return holds(match); });
}

bool RouteWatcher::wait_absent(const RouteMatch& match, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return !holds(match); });
}

std::optional<RouteEvent> RouteWatcher::current(const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(prefix);
  return found == table_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<RouteEvent> RouteWatcher::table() {
  const std::lock_guard lock(mutex_);
  std::vector<RouteEvent> routes;
  for (const auto& entry : table_) routes.push_back(entry.second);
  return routes;
}

std::size_t RouteWatcher::size() {
  const std::lock_guard lock(mutex_);
  return table_.size();
}

std::vector<RouteEvent> RouteWatcher::events(Timestamp since) {
  const std::lock_guard lock(mutex_);
  std::vector<RouteEvent> result;
  for (const RouteEvent& event : events_) {
    if (event.at >= since) {
      result.push_back(event);
    }
  }
  return result;
}

void RouteWatcher::clear_events() {
  const std::lock_guard lock(mutex_);
  events_.clear();
}

std::uint64_t RouteWatcher::overruns() {
  const std::lock_guard lock(mutex_);
  return overruns_;
}

void RouteWatcher::run(int stop_fd) {
  prefer_calling_thread();
  request_dump(socket_.get());
  std::array<pollfd, 2> events{{{.fd = stop_fd, .events = POLLIN, .revents = 0},
                                {.fd = socket_.get(), .events = POLLIN, .revents = 0}}};
  while (::poll(events.data(), events.size(), -1) >= 0 && events[0].revents == 0) {
    receive();
  }
}

void RouteWatcher::receive() {
  std::array<std::byte, 65536> datagram;
  const ssize_t size = ::recv(socket_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
  const Timestamp at = now();
  if (size < 0) {
    const std::lock_guard lock(mutex_);
    overruns_ += errno == ENOBUFS ? 1 : 0;
    return;
  }
  for_each_message(Bytes(datagram).first(static_cast<std::size_t>(size)),
                   [&](const nlmsghdr& header, Bytes body) {
                     if (auto event = decode_route(header, body, ifnames_)) {
                       event->at = at;
                       record(*std::move(event));
                     }
                   });
}

void RouteWatcher::record(RouteEvent event) {
  const std::lock_guard lock(mutex_);
  if (event.kind == RouteEvent::Kind::kNew) {
    table_.insert_or_assign(event.prefix, event);
  } else if (const auto found = table_.find(event.prefix); found != table_.end() &&
                                                           found->second.gateway == event.gateway &&
                                                           found->second.oif == event.oif) {
    table_.erase(found);
  }
  events_.push_back(std::move(event));
  changed_.notify_all();
}

}  // namespace untrombone::lab
