// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/addresses.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include "netlink/errors.hpp"

namespace untrombone::netlink {
namespace {

using boost::asio::posix::descriptor_base;
using boost::system::error_code;

std::optional<core::IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return core::IpAddress::from_bytes(std::as_bytes(std::span(&v4.sin_addr, 1)));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    return core::IpAddress::from_bytes(std::as_bytes(std::span(&v6.sin6_addr, 1)));
  }
  return std::nullopt;
}

}  // namespace

AddressWatch::AddressWatch(boost::asio::io_context& io, std::function<void()> changed)
    : descriptor_(io), changed_(std::move(changed)) {}

error_code AddressWatch::start() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return last_error();
  error_code error;
  descriptor_.assign(fd, error);
  if (error) {
    ::close(fd);
    return error;
  }
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  local.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof local) < 0) return last_error();
  wait();
  return {};
}

void AddressWatch::wait() {
  descriptor_.async_wait(descriptor_base::wait_read, [this](const error_code& error) {
    if (error == boost::asio::error::operation_aborted) return;
    std::array<std::byte, 4096> scratch{};
    // Until it is empty; ENOBUFS says that events were lost, and is one like any other.
    while (::recv(descriptor_.native_handle(), scratch.data(), scratch.size(), MSG_TRUNC) > 0 ||
           errno == ENOBUFS) {
    }
    wait();
    changed_();
  });
}

InterfaceAddresses AddressWatch::read() {
  InterfaceAddresses found;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return found;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(first, ::freeifaddrs);
  for (const ifaddrs* entry = first; entry != nullptr; entry = entry->ifa_next) {
    if (const auto address = address_of(entry->ifa_addr)) found.emplace(entry->ifa_name, *address);
  }
  return found;
}

}  // namespace untrombone::netlink
