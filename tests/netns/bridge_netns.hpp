// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/core/types.hpp"
#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/process.hpp"
#include "tests/lab/topology.hpp"

namespace untrombone::testing {

inline constexpr core::Ifindex kBridge{10};
inline constexpr core::Ifindex kAccessPort{11};
inline constexpr core::Ifindex kDciPort{14};
inline constexpr const char* kGatewayMac = "00:00:5e:00:53:fe";
inline constexpr std::chrono::seconds kPatience{10};

/// A namespace of this process, gone with the object: a bridge br0 with the gateway 192.0.2.1/24 and two ports, acc0,
/// whose other end is guest0, and dci0, whose other end is far0. All ends are in it, and nothing leaves it.
class BridgeNetns {
 public:
  BridgeNetns() : netns_(lab::Netns::create(unique_name())) {
    lab::prepare_netns(netns_, false);
    netns_.ip(
        "link set lo up\n"
        "link add index 10 name br0 address 00:00:5e:00:53:fe type bridge mcast_snooping 0\n"
        "link add index 11 name acc0 address 00:00:5e:00:53:a0 type veth peer index 21 name guest0 address "
        "00:00:5e:00:53:a1\n"
        "link add index 14 name dci0 address 00:00:5e:00:53:d0 type veth peer index 24 name far0 address "
        "00:00:5e:00:53:d1\n"
        "link set acc0 master br0\nlink set dci0 master br0\n"
        "link set br0 up\nlink set acc0 up\nlink set guest0 up\nlink set dci0 up\nlink set far0 up\n"
        "address add 192.0.2.1/24 dev br0\n");
  }
  BridgeNetns(const BridgeNetns&) = delete;
  BridgeNetns& operator=(const BridgeNetns&) = delete;
  ~BridgeNetns() { lab::delete_netns(netns_.name()); }

  [[nodiscard]] const lab::Netns& netns() const { return netns_; }
  void ip(const std::string& batch) const { netns_.ip(batch); }

  /// What a command prints inside; throws what it complains about when it fails.
  [[nodiscard]] std::string output(std::vector<std::string> argv) const {
    lab::CommandResult result = lab::run_command({.argv = std::move(argv), .netns = &netns_});
    if (result.status != 0) throw std::runtime_error(result.error);
    return std::move(result.output);
  }
  void run(std::vector<std::string> argv) const { static_cast<void>(output(std::move(argv))); }
  void send(const char* interface, const lab::Frame& frame) const {
    lab::FrameSender(netns_, interface).send(frame);
  }

 private:
  static std::string unique_name() {
    static int count = 0;
    if (::geteuid() != 0) {
      std::puts("skipped: network namespaces need root");
      std::exit(77);
    }
    return "utest-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }

  lab::Netns netns_;
};

/// Runs the handlers of `io` until condition() holds; false when it still does not after kPatience.
template <typename Condition>
bool run_until(boost::asio::io_context& io, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace untrombone::testing
