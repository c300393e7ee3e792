// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/route_watch.hpp"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <utility>

#include "netlink/attributes.hpp"
#include "netlink/errors.hpp"

namespace untrombone::netlink {
namespace {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;

constexpr int kEventBuffer = 4 * 1024 * 1024;
constexpr int kRequestBuffer = 1024 * 1024;
constexpr std::size_t kDatagram = std::size_t{64} * 1024;
/// A link that goes down takes its routes along a moment after it was told.
constexpr std::chrono::milliseconds kSettle{500};
constexpr std::chrono::milliseconds kPeriod{60'000};
/// Datagrams handled per wake-up before other handlers get their turn: a table of a million routes takes many.
constexpr int kBudget = 16;

}  // namespace

RouteWatch::RouteWatch(boost::asio::io_context& io, Report report)
    : report_(std::move(report)), request_wait_(io), event_wait_(io), buffer_(kDatagram), timer_(io) {}

RouteWatch::~RouteWatch() {
  // libnl owns the descriptors and closes them.
  if (request_wait_.is_open()) request_wait_.release();
  if (event_wait_.is_open()) event_wait_.release();
}

error_code RouteWatch::start() {
  constexpr std::array<int, 5> kGroups{RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
                                       RTNLGRP_IPV4_IFADDR, RTNLGRP_NEXTHOP};
  if (const auto error = RouteSocket::open(kGroups, kEventBuffer, events_)) return error;
  if (const auto error = RouteSocket::open({}, kRequestBuffer, requests_)) return error;
  error_code error;
  request_wait_.assign(requests_->fd(), error);
  if (error) return error;
  event_wait_.assign(events_->fd(), error);
  if (error) return error;
  wait_for(*requests_, request_wait_, false);
  wait_for(*events_, event_wait_, true);
  want_all_dumps();
  want_all_dumps_after(kPeriod);
  return {};
}

void RouteWatch::follow(std::map<std::uint32_t, std::vector<core::IpPrefix>> wanted) {
  if (wanted == wanted_) return;
  wanted_ = std::move(wanted);
  if (requests_ != nullptr) want_all_dumps();
}

void RouteWatch::want_all_dumps() {
  for (const auto& [table, prefixes] : wanted_)
    for (const core::IpPrefix& prefix : prefixes) want_dump(table, prefix.address().family());
}

/// Once, however many reasons there are meanwhile; then every kPeriod.
void RouteWatch::want_all_dumps_after(std::chrono::milliseconds delay) {
  timer_.expires_after(delay);
  timer_.async_wait([this](const error_code& error) {
    if (error) return;
    soon_ = false;
    want_all_dumps();
    want_all_dumps_after(kPeriod);
  });
}

void RouteWatch::want_dump(std::uint32_t table, core::Family family) {
  const Dump dump{table, family};
  // The one that is under way may have begun before the reason for this one.
  const auto waiting = queue_.empty() ? queue_.end() : std::find(queue_.begin() + 1, queue_.end(), dump);
  if (!queue_.empty() && waiting != queue_.end()) return;
  queue_.push_back(dump);
  if (queue_.size() == 1) dump_next();
}

void RouteWatch::dump_next() {
  interrupted_ = false;
  dumped_.clear();
  if (queue_.empty()) return;
  ++dumps_;
  if (requests_->request_table(queue_.front().second, queue_.front().first)) finish_dump(true);
}

void RouteWatch::finish_dump(bool refused) {
  const auto [table, family] = queue_.front();
  if (interrupted_ && !refused) return dump_next();
  queue_.pop_front();
  // A table that does not exist (yet) has no routes.
  const auto wanted = wanted_.find(table);
  if (wanted != wanted_.end()) {
    for (const core::IpPrefix& prefix : wanted->second) {
      if (prefix.address().family() != family) continue;
      report_(table, prefix, std::find(dumped_.begin(), dumped_.end(), prefix) != dumped_.end());
    }
  }
  dump_next();
}

void RouteWatch::take_event(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  const bool about_route = header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE;
  if (!about_route) {
    if (!std::exchange(soon_, true)) want_all_dumps_after(kSettle);
    return;
  }
  const auto route = decode_table_route(message);
  if (!route || !wants(route->table, route->prefix)) return;
  // A blackhole may have replaced what was there.
  if (route->removed || !route->usable) return want_dump(route->table, route->prefix.address().family());
  report_(route->table, route->prefix, true);
}

void RouteWatch::take_dumped(std::span<const std::byte> message) {
  if (queue_.empty()) return;
  const auto header = read_struct<nlmsghdr>(message);
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header->nlmsg_type == NLMSG_DONE) return finish_dump(false);
  if (header->nlmsg_type == NLMSG_ERROR) {
    const auto reply = read_struct<nlmsgerr>(message.subspan(sizeof(nlmsghdr)));
    if (reply && reply->error != 0) finish_dump(true);
    return;
  }
  const auto route = decode_table_route(message);
  if (route && !route->removed && route->usable && wants(route->table, route->prefix))
    dumped_.push_back(route->prefix);
}

bool RouteWatch::wants(std::uint32_t table, const core::IpPrefix& prefix) const {
  const auto wanted = wanted_.find(table);
  return wanted != wanted_.end() &&
         std::find(wanted->second.begin(), wanted->second.end(), prefix) != wanted->second.end();
}

void RouteWatch::wait_for(RouteSocket& socket, boost::asio::posix::stream_descriptor& descriptor,
                          bool events) {
  descriptor.async_wait(descriptor_base::wait_read,
                        [this, &socket, &descriptor, events](const error_code& error) {
                          if (!error) read(socket, descriptor, events);
                        });
}

void RouteWatch::read(RouteSocket& socket, boost::asio::posix::stream_descriptor& descriptor, bool events) {
  for (int budget = kBudget; budget > 0; --budget) {
    std::size_t size = 0;
    const error_code error = socket.receive(buffer_, size);
    if (is_would_block(error)) break;
    if (error) {
      // Events were lost: the tables know. (A dump never overruns, and any other error repeats itself.)
      if (events) want_all_dumps();
      break;
    }
    for_each_message(std::span(buffer_).first(size), [&](std::span<const std::byte> message) {
      events ? take_event(message) : take_dumped(message);
    });
  }
  wait_for(socket, descriptor, events);
}

}  // namespace untrombone::netlink
