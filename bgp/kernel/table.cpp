// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel/table.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netlink.h>

#include <cerrno>
#include <string_view>

namespace untrombone::bgp::kernel {
namespace {

using boost::system::error_code;

constexpr std::size_t kAnswerBuffer = 65536;  // a dump's datagrams are at most half of it
constexpr int kReceiveBuffer = 1 << 20;       // for the acknowledgements of one batch
constexpr int kMostDumps = 5;

error_code last_error() { return {errno, boost::system::system_category()}; }

void switch_on(int socket, int option) {
  const int on = 1;
  setsockopt(socket, SOL_NETLINK, option, &on, sizeof on);
}

}  // namespace

Table::~Table() {
  if (socket_ >= 0) ::close(socket_);
  if (statistics_ >= 0) ::close(statistics_);
}

error_code Table::open() {
  socket_ = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (socket_ < 0) return last_error();
  setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  switch_on(socket_, NETLINK_CAP_ACK);         // acknowledgements do not repeat the request
  switch_on(socket_, NETLINK_GET_STRICT_CHK);  // dumps list only what was asked for
  statistics_ = ::open("/proc/thread-self/net/netlink", O_RDONLY | O_CLOEXEC);
  answers_.resize(kAnswerBuffer);
  return {};
}

error_code Table::change(std::span<const Change> changes, std::vector<int>& errors) {
  requests_.clear();
  const std::uint32_t first = sequence_ + 1;
  for (const Change& change : changes) {
    if (change.add) {
      encode_add(requests_, ++sequence_, number_, change.route);
    } else {
      encode_remove(requests_, ++sequence_, number_, change.route);
    }
  }
  errors.assign(changes.size(), EIO);
  if (const auto error = send()) return error;
  for (std::size_t answered = 0; answered < changes.size();) {
    std::span<const std::byte> datagram;
    if (const auto error = receive(datagram)) return error;
    while (!datagram.empty()) {
      const auto answer = take_answer(datagram, number_);
      const auto* const done = answer ? std::get_if<Acknowledgement>(&*answer) : nullptr;
      if (done == nullptr || done->sequence - first >= changes.size()) continue;
      errors[done->sequence - first] = done->error;
      ++answered;
    }
  }
  return {};
}

error_code Table::dump(std::vector<KernelRoute>& routes) {
  routes.clear();
  if (const auto error = dump(core::Family::kIpv4, routes)) return error;
  return dump(core::Family::kIpv6, routes);
}

error_code Table::dump(core::Family family, std::vector<KernelRoute>& routes) {
  const std::size_t before = routes.size();
  for (int attempt = 0; attempt < kMostDumps; ++attempt) {
    routes.resize(before);
    requests_.clear();
    encode_dump(requests_, ++sequence_, number_, family);
    if (const auto error = send()) return error;
    bool interrupted = false;
    if (const auto error = receive_dump(routes, interrupted)) return error;
    if (!interrupted) return {};
  }
  return {EAGAIN, boost::system::system_category()};
}

error_code Table::receive_dump(std::vector<KernelRoute>& routes, bool& interrupted) {
  while (true) {
    std::span<const std::byte> datagram;
    if (const auto error = receive(datagram)) return error;
    while (!datagram.empty()) {
      const auto answer = take_answer(datagram, number_);
      if (!answer) continue;
      if (const auto* const route = std::get_if<KernelRoute>(&*answer)) {
        routes.push_back(*route);
      } else if (const auto* const end = std::get_if<DumpEnd>(&*answer)) {
        interrupted = end->interrupted;
        return {};
      } else {
        const int refused = std::get<Acknowledgement>(*answer).error;
        if (refused == ENOENT) return {};  // no route was ever in this table
        return {refused, boost::system::system_category()};
      }
    }
  }
}

error_code Table::send() {
  return ::send(socket_, requests_.data(), requests_.size(), 0) < 0 ? last_error() : error_code();
}

error_code Table::receive(std::span<const std::byte>& datagram) {
  const ssize_t size = ::recv(socket_, answers_.data(), answers_.size(), 0);
  if (size < 0) return last_error();
  datagram = std::span(answers_).first(static_cast<std::size_t>(size));
  return {};
}

Listeners Table::listeners() {
  if (statistics_ < 0) return {};
  std::size_t size = 0;
  while (size < answers_.size()) {
    const ssize_t count =
        ::pread(statistics_, answers_.data() + size, answers_.size() - size, static_cast<off_t>(size));
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  return read_listeners({reinterpret_cast<const char*>(answers_.data()), size});
}

}  // namespace untrombone::bgp::kernel
