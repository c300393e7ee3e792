// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/monitor.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hpp"

namespace untrombone::netlink {
namespace {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;
namespace errc = boost::system::errc;

/// One queued event costs 832 bytes of it, and FORCE doubles the value: 160,000 events (facts measured on Linux 6.18).
constexpr int kEventBuffer = 64 * 1024 * 1024;
constexpr int kRequestBuffer = 4 * 1024 * 1024;
/// The kernel fills dump datagrams up to 32 KiB when the reader has room.
constexpr std::size_t kDatagram = std::size_t{64} * 1024;
/// Datagrams handled per wake-up before other handlers get their turn.
constexpr int kBudget = 512;

bool is_would_block(const error_code& error) {
  return error == errc::operation_would_block || error == errc::resource_unavailable_try_again;
}

/// Calls `visit(message)` for each message of a datagram; a malformed header ends it.
template <typename Visit>
void for_each_message(std::span<const std::byte> datagram, Visit visit) {
  while (const auto header = read_struct<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) return;
    visit(datagram.first(header->nlmsg_len));
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
}

}  // namespace

Monitor::Monitor(boost::asio::io_context& io, MonitorListener& listener)
    : listener_(listener), request_wait_(io), event_wait_(io), buffer_(kDatagram) {}

Monitor::~Monitor() {
  // libnl owns the descriptors and closes them.
  if (request_wait_.is_open()) request_wait_.release();
  if (event_wait_.is_open()) event_wait_.release();
}

error_code Monitor::start() {
  constexpr std::array<int, 2> kGroups{RTNLGRP_LINK, RTNLGRP_NEIGH};
  if (const auto error = RouteSocket::open(kGroups, kEventBuffer, events_)) return error;
  if (const auto error = RouteSocket::open({}, kRequestBuffer, requests_)) return error;
  error_code error;
  request_wait_.assign(requests_->fd(), error);
  if (error) return error;
  event_wait_.assign(events_->fd(), error);
  if (error) return error;
  wait_for_requests();
  resync();
  return {};
}

void Monitor::resync() {
  if (stage_ != Stage::kFollowing) return;
  ++counters_.dumps;
  stage_ = Stage::kLinks;
  listener_.on_dump_started();
  request_stage();
}

void Monitor::change_own_mac(core::Ifindex bridge, const core::MacAddress& mac, bool add) {
  if (requests_->change_own_mac(bridge, mac, add)) ++counters_.request_errors;
}

void Monitor::request_stage() {
  interrupted_ = false;
  error_code error;
  switch (stage_) {
    case Stage::kLinks: error = requests_->request_links(); break;
    case Stage::kFdb: error = requests_->request_fdb(); break;
    case Stage::kNeighbours: error = requests_->request_neighbours(core::Family::kIpv4); break;
    case Stage::kNeighbours6: error = requests_->request_neighbours(core::Family::kIpv6); break;
    case Stage::kRoutes:
      if (route_interfaces_.empty()) return next_stage();
      error = requests_->request_routes(core::Family::kIpv4, RTPROT_ZEBRA, route_interfaces_.back());
      break;
    case Stage::kRoutes6:
      error = requests_->request_routes(core::Family::kIpv6, RTPROT_ZEBRA, route_interfaces_.back());
      break;
    case Stage::kFollowing: break;
  }
  if (error) fail(error, "netlink dump request");
}

void Monitor::next_stage() {
  switch (stage_) {
    case Stage::kLinks:
      route_interfaces_ = listener_.prior_route_interfaces();
      stage_ = Stage::kFdb;
      break;
    case Stage::kFdb: stage_ = Stage::kNeighbours; break;
    case Stage::kNeighbours: stage_ = Stage::kNeighbours6; break;
    case Stage::kNeighbours6: stage_ = Stage::kRoutes; break;
    case Stage::kRoutes:
      if (route_interfaces_.empty()) return finish_dump();
      stage_ = Stage::kRoutes6;
      break;
    case Stage::kRoutes6:
      route_interfaces_.pop_back();
      stage_ = Stage::kRoutes;
      break;
    case Stage::kFollowing: return;
  }
  request_stage();
}

void Monitor::finish_dump() {
  stage_ = Stage::kFollowing;
  listener_.on_dump_finished();
  listener_.on_kernel_idle();
  wait_for_events();
}

void Monitor::wait_for_requests() {
  request_wait_.async_wait(descriptor_base::wait_read, [this](const error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;
    if (error) return fail(error, "netlink request socket");
    read_requests();
  });
}

void Monitor::wait_for_events() {
  if (waiting_for_events_) return;
  waiting_for_events_ = true;
  event_wait_.async_wait(descriptor_base::wait_read, [this](const error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;
    waiting_for_events_ = false;
    if (error) return fail(error, "netlink event socket");
    if (stage_ == Stage::kFollowing) read_events();  // else the end of the dump waits again
  });
}

void Monitor::read_requests() {
  for (int budget = kBudget; budget > 0; --budget) {
    std::size_t size = 0;
    const error_code error = requests_->receive(buffer_, size);
    if (is_would_block(error)) break;
    if (error) return fail(error, "netlink request socket");
    take_dump_datagram(std::span(buffer_).first(size));
  }
  wait_for_requests();
}

void Monitor::take_dump_datagram(std::span<const std::byte> datagram) {
  for_each_message(datagram, [this](std::span<const std::byte> message) { take_dump_message(message); });
}

void Monitor::take_dump_message(std::span<const std::byte> message) {
  const auto header = read_struct<nlmsghdr>(message);
  if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted_ = true;
  if (header->nlmsg_type == NLMSG_ERROR) {
    const auto reply = read_struct<nlmsgerr>(message.subspan(sizeof(nlmsghdr)));
    if (!reply || reply->error == 0) return;  // zero is an acknowledgement
    ++counters_.request_errors;
    const bool dump_refused = (reply->msg.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (dump_refused && stage_ != Stage::kFollowing) next_stage();
    return;
  }
  if (stage_ == Stage::kFollowing) return;
  if (header->nlmsg_type != NLMSG_DONE) return deliver(message);
  if (interrupted_) return request_stage();
  next_stage();
}

void Monitor::read_events() {
  for (int budget = kBudget; budget > 0; --budget) {
    std::size_t size = 0;
    const error_code error = events_->receive(buffer_, size);
    if (is_would_block(error)) break;
    if (error == errc::no_buffer_space) {
      ++counters_.overruns;
      drain_events();
      listener_.on_kernel_idle();
      return resync();  // events are waited for again when the dump is done
    }
    if (error) return fail(error, "netlink event socket");
    for_each_message(std::span(buffer_).first(size),
                     [this](std::span<const std::byte> message) { deliver(message); });
  }
  listener_.on_kernel_idle();
  if (stage_ == Stage::kFollowing) wait_for_events();
}

/// After an overrun the kernel queues nothing until the reader has emptied the socket.
void Monitor::drain_events() {
  std::size_t size = 0;
  while (true) {
    const error_code error = events_->receive(buffer_, size);
    if (is_would_block(error)) return;
    if (error && error != errc::no_buffer_space) return;
    if (!error) {
      for_each_message(std::span(buffer_).first(size),
                       [this](std::span<const std::byte> message) { deliver(message); });
    }
  }
}

void Monitor::deliver(std::span<const std::byte> message) {
  ++counters_.messages;
  bool malformed = false;
  const auto decoded = decode(message, &malformed);
  if (malformed) ++counters_.malformed;
  if (decoded) listener_.on_kernel_message(*decoded);
}

void Monitor::fail(const error_code& error, std::string_view what) {
  listener_.on_kernel_failure(error, what);
}

}  // namespace untrombone::netlink
