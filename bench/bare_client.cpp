// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/bare_client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <stdexcept>

#include "bgp/zapi/codec.hpp"

namespace untrombone::bench {
namespace {

core::IpPrefix parse(const std::string& prefix) {
  const auto parsed = core::IpPrefix::parse(prefix);
  if (!parsed) throw std::invalid_argument("not a prefix: " + prefix);
  return *parsed;
}

}  // namespace

BareClient::BareClient(const std::string& zserv, const bgp::zapi::Release& release, int ifindex)
    : release_(release),
      ifindex_(ifindex),
      socket_(lab::check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  zserv.copy(address.sun_path, sizeof address.sun_path - 1);
  lab::check(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
             "connect " + zserv);
  std::vector<std::byte> hello;
  bgp::zapi::encode_hello(hello, release.hello, release.route_type_table, 0, release.hello_asks_for_notes());
  write(hello);
}

lab::Timestamp BareClient::add(const std::string& prefix, std::uint32_t tag) {
  std::vector<std::byte> bytes;
  const core::Route route{.interface = {ifindex_},
                          .route_class = core::RouteClass::kFresh,
                          .distance = 5,
                          .metric = 1000,
                          .tag = tag};
  bgp::zapi::encode_route_add(bytes, release_, {}, {{}, parse(prefix)}, route);
  const lab::Timestamp before = lab::now();
  write(bytes);
  return before;
}

void BareClient::add_all(const std::vector<std::string>& prefixes, std::uint32_t tag) {
  const core::Route route{.interface = {ifindex_},
                          .route_class = core::RouteClass::kSettled,
                          .distance = 5,
                          .metric = 1000,
                          .tag = tag};
  constexpr std::size_t kChunk = 4096;
  std::vector<std::byte> bytes;
  for (const std::string& prefix : prefixes) {
    bgp::zapi::encode_route_add(bytes, release_, {}, {{}, parse(prefix)}, route);
    if (bytes.size() < kChunk) continue;
    write(bytes);
    bytes.clear();
  }
  write(bytes);
}

void BareClient::remove(const std::string& prefix) {
  std::vector<std::byte> bytes;
  bgp::zapi::encode_route_delete(bytes, release_, {}, {{}, parse(prefix)});
  write(bytes);
}

void BareClient::write(const std::vector<std::byte>& bytes) {
  std::array<std::byte, 4096> answers{};  // read what zebra had to say, so that it does not pile up there
  while (::recv(socket_.get(), answers.data(), answers.size(), MSG_DONTWAIT) > 0) {
  }
  lab::check(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), "send to zebra");
}

}  // namespace untrombone::bench
