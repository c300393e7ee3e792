// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/monitor.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

#include "netlink/attributes.hpp"
#include "netlink/errors.hpp"

namespace untrombone::netlink {
namespace {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;
namespace errc = boost::system::errc;

constexpr int kRequestBuffer = 4 * 1024 * 1024;
/// The kernel fills dump datagrams up to 32 KiB when the reader has room.
constexpr std::size_t kDatagram = std::size_t{64} * 1024;
/// Datagrams handled per wake-up before other handlers get their turn.
constexpr int kBudget = 512;
/// Events that are read before a piece of a dump: all that a full buffer holds.
constexpr int kAllEvents = 1'000'000;
/// A table that changes under each of so many dumps is taken as it is; its events tell the rest.
constexpr int kMostAttempts = 10;
/// Requests for single entries that may be on their way at once.
constexpr std::size_t kLookupWindow = 256;

}  // namespace

Monitor::Monitor(boost::asio::io_context& io, MonitorListener& listener, MonitorOptions options)
    : listener_(listener),
      options_(options),
      request_wait_(io),
      event_wait_(io),
      dump_timer_(io),
      buffer_(kDatagram),
      event_buffer_(kDatagram) {}

Monitor::~Monitor() {
  // libnl owns the descriptors and closes them.
  if (request_wait_.is_open()) request_wait_.release();
  if (event_wait_.is_open()) event_wait_.release();
}

error_code Monitor::start() {
  constexpr std::array<int, 5> kGroups{RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_BRVLAN, RTNLGRP_IPV4_IFADDR,
                                       RTNLGRP_IPV6_IFADDR};
  if (const auto error = RouteSocket::open(kGroups, options_.event_buffer, events_)) return error;
  if (const auto error = RouteSocket::open({}, kRequestBuffer, requests_)) return error;
  error_code error;
  request_wait_.assign(requests_->fd(), error);
  if (error) return error;
  event_wait_.assign(events_->fd(), error);
  if (error) return error;
  wait_for_requests();
  wait_for_events();
  begin_dump();
  return {};
}

void Monitor::stop() {
  dump_timer_.cancel();
  if (request_wait_.is_open()) request_wait_.cancel();
  if (event_wait_.is_open()) event_wait_.cancel();
}

void Monitor::resync() {
  if (stage_ != Stage::kFollowing) {
    again_ = true;
    return;
  }
  dump_at(std::max(dump_finished_ + options_.pause, std::chrono::steady_clock::now()));
}

/// Moving the time drops the wait for the other one.
void Monitor::dump_at(std::chrono::steady_clock::time_point when) {
  dump_timer_.expires_at(when);
  dump_timer_.async_wait([this](const error_code& error) {
    if (!error && stage_ == Stage::kFollowing) begin_dump();
  });
}

void Monitor::begin_dump() {
  take_events(kAllEvents);
  if (failed_) return;
  ++counters_.dumps;
  again_ = false;
  attempts_ = 0;
  stage_ = Stage::kLinks;
  listener_.on_dump_started();
  request_stage();
}

void Monitor::look_up(core::Ifindex bridge, core::VlanId vlan, core::Ifindex port,
                      const core::MacAddress& mac) {
  lookups_.push_back({bridge, vlan, port, mac});
  send_lookups();
}

void Monitor::send_lookups() {
  for (; !lookups_.empty() && asked_.size() < kLookupWindow; lookups_.pop_front()) {
    std::uint32_t sequence = 0;
    const Lookup& lookup = lookups_.front();
    if (requests_->request_fdb_entry(lookup.bridge, lookup.vlan, lookup.mac, sequence)) {
      ++counters_.request_errors;  // the next dump misses it again
      continue;
    }
    ++counters_.lookups;
    asked_.emplace(sequence, lookup);
  }
}

void Monitor::change_own_mac(core::Ifindex bridge, core::VlanId vlan, const core::MacAddress& mac, bool add) {
  if (!requests_ || requests_->change_own_mac(bridge, vlan, mac, add)) ++counters_.request_errors;
}

void Monitor::request_stage() {
  interrupted_ = false;
  error_code error;
  switch (stage_) {
    case Stage::kLinks: error = requests_->request_links(); break;
    case Stage::kVlans: error = requests_->request_vlans(); break;
    case Stage::kAddresses: error = requests_->request_addresses(); break;
    case Stage::kFdb:
      if (scope_.bridges.empty()) return next_stage();
      error = requests_->request_fdb(scope_.bridges.back());
      break;
    case Stage::kNeighbours: error = requests_->request_neighbours(core::Family::kIpv4); break;
    case Stage::kNeighbours6: error = requests_->request_neighbours(core::Family::kIpv6); break;
    case Stage::kRoutes:
      if (scope_.routes.empty()) return next_stage();
      error = request_routes(core::Family::kIpv4);
      break;
    case Stage::kRoutes6: error = request_routes(core::Family::kIpv6); break;
    case Stage::kFollowing: break;
  }
  if (error) fail(error, "netlink dump request");
}

error_code Monitor::request_routes(core::Family family) {
  const DumpScope::Routes& wanted = scope_.routes.back();
  return requests_->request_routes(family, RTPROT_ZEBRA, wanted.table, wanted.interface);
}

void Monitor::next_stage() {
  attempts_ = 0;
  switch (stage_) {
    case Stage::kLinks: stage_ = Stage::kVlans; break;
    case Stage::kVlans:
      scope_ = listener_.dump_scope();
      stage_ = Stage::kAddresses;
      break;
    case Stage::kAddresses: stage_ = Stage::kFdb; break;
    case Stage::kFdb:
      if (!scope_.bridges.empty()) scope_.bridges.pop_back();
      if (scope_.bridges.empty()) stage_ = Stage::kNeighbours;
      break;
    case Stage::kNeighbours: stage_ = Stage::kNeighbours6; break;
    case Stage::kNeighbours6: stage_ = Stage::kRoutes; break;
    case Stage::kRoutes:
      if (scope_.routes.empty()) return finish_dump();
      stage_ = Stage::kRoutes6;
      break;
    case Stage::kRoutes6:
      scope_.routes.pop_back();
      stage_ = Stage::kRoutes;
      break;
    case Stage::kFollowing: return;
  }
  request_stage();
}

void Monitor::finish_dump() {
  stage_ = Stage::kFollowing;
  dump_finished_ = std::chrono::steady_clock::now();
  listener_.on_dump_finished();
  listener_.on_kernel_idle();
  dump_at(dump_finished_ + (again_ ? options_.pause : options_.reconcile));
}

void Monitor::wait_for_requests() {
  request_wait_.async_wait(descriptor_base::wait_read, [this](const error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) return fail(error, "netlink request socket");
    read_requests();
  });
}

void Monitor::wait_for_events() {
  event_wait_.async_wait(descriptor_base::wait_read, [this](const error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) return fail(error, "netlink event socket");
    take_events(kBudget);
    if (failed_) return;
    listener_.on_kernel_idle();
    wait_for_events();
  });
}

void Monitor::read_requests() {
  for (int budget = kBudget; budget > 0; --budget) {
    // The kernel makes up a piece of a dump when the one before it is read: events that are older than it wait by now.
    take_events(kAllEvents);
    std::size_t size = 0;
    const error_code error = requests_->receive(buffer_, size);
    if (is_would_block(error)) break;
    if (error) return fail(error, "netlink request socket");
    for_each_message(std::span(buffer_).first(size),
                     [this](std::span<const std::byte> message) { take_reply(message); });
    if (failed_) return;
  }
  send_lookups();
  listener_.on_kernel_idle();
  wait_for_requests();
}

void Monitor::take_reply(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  if (header->nlmsg_type == NLMSG_ERROR) return take_error(message);
  if (take_lookup_reply(header->nlmsg_seq, message, 0) || stage_ == Stage::kFollowing) return;
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header->nlmsg_type != NLMSG_DONE) return deliver(message, true);
  if (interrupted_ && ++attempts_ < kMostAttempts) {
    ++counters_.interrupted;
    return request_stage();
  }
  next_stage();
}

void Monitor::take_error(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  const auto reply = read_struct<nlmsgerr>(message.subspan(sizeof(nlmsghdr)));
  if (!reply || reply->error == 0) return;  // zero is an acknowledgement
  if (take_lookup_reply(header->nlmsg_seq, message, reply->error)) return;
  if (!is_nothing_there(reply->error)) ++counters_.request_errors;
  const bool dump_refused = (reply->msg.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
  if (dump_refused && stage_ != Stage::kFollowing) next_stage();
}

/// Answers to a dump that mean an empty table: a kernel without VLAN filtering, a routing table not yet made.
bool Monitor::is_nothing_there(int error) const {
  if (stage_ == Stage::kVlans) return error == -EOPNOTSUPP;
  return (stage_ == Stage::kRoutes || stage_ == Stage::kRoutes6) && error == -ENOENT;
}

/// False when nothing of that number was looked up. Any error but "no such entry" says nothing.
bool Monitor::take_lookup_reply(std::uint32_t sequence, std::span<const std::byte> message, int error) {
  const auto found = asked_.find(sequence);
  if (found == asked_.end()) return false;
  const Lookup lookup = found->second;
  asked_.erase(found);
  if (error == 0) {
    deliver(message, false);
  } else if (error == -ENOENT) {
    listener_.on_kernel_message(FdbMessage{.port = lookup.port,
                                           .bridge = lookup.bridge,
                                           .mac = lookup.mac,
                                           .vlan = lookup.vlan,
                                           .removed = true},
                                false);
  } else {
    ++counters_.request_errors;
  }
  return true;
}

/// Reads `budget` datagrams at most. After an overrun the kernel queues nothing until the reader has emptied the
/// socket.
void Monitor::take_events(int budget) {
  for (; budget > 0; --budget) {
    std::size_t size = 0;
    const error_code error = events_->receive(event_buffer_, size);
    if (is_would_block(error)) return;
    if (error == errc::no_buffer_space) {
      ++counters_.overruns;
      resync();
      continue;
    }
    if (error) return fail(error, "netlink event socket");
    for_each_message(std::span(event_buffer_).first(size),
                     [this](std::span<const std::byte> message) { deliver(message, false); });
  }
}

void Monitor::deliver(std::span<const std::byte> message, bool dumped) {
  ++counters_.messages;
  bool malformed = false;
  const auto decoded = decode(message, &malformed);
  if (malformed) ++counters_.malformed;
  if (decoded) listener_.on_kernel_message(*decoded, dumped);
}

void Monitor::fail(const error_code& error, std::string_view what) {
  failed_ = true;
  listener_.on_kernel_failure(error, what);
}

}  // namespace untrombone::netlink
