// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/vm.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tests/lab/topology.hpp"

namespace untrombone::lab {
namespace {

using std::chrono::milliseconds;

std::vector<milliseconds> schedule_of(Announcement announcement) {
  switch (announcement) {
    case Announcement::kRarpQemu:
      return {milliseconds(0), milliseconds(50), milliseconds(200), milliseconds(450), milliseconds(800)};
    case Announcement::kRarpVmware:
      return {milliseconds(0), milliseconds(300), milliseconds(600), milliseconds(900)};
    case Announcement::kGarp:
    case Announcement::kNa: return {milliseconds(0)};
    case Announcement::kNone: break;
  }
  return {};
}

Netns create_guest(const std::string& name, const std::string& netns_name, const Netns& fabric,
                   const std::string& mac, const std::string& address, const std::string& address6) {
  Netns guest = Netns::create(netns_name);
  prepare_netns(guest, !address6.empty());
  ip_batch(fmt::format("link add {} address {} netns {} type veth peer name {} netns {}\n", kGuestPort, mac,
                       netns_name, name, fabric.name()));
  fabric.ip(fmt::format("link set {} up\n", name));
  std::string batch =
      fmt::format("link set lo up\nlink set {0} up\naddress add {1}/16 dev {0}\n", kGuestPort, address);
  if (!address6.empty()) {
    batch += fmt::format("address add {}/64 dev {} nodad\n", address6, kGuestPort);
  }
  guest.ip(batch);
  return guest;
}

void bridge_ioctl(int control, unsigned long operation, Site site, int ifindex) {
  ifreq request{};
  const std::string bridge = switch_name(site);
  bridge.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_ifindex = ifindex;
  check(::ioctl(control, operation, &request), "change the ports of " + bridge);
}

}  // namespace

Vm::Vm(std::string name, const std::string& netns_name, const Netns& fabric, Site site,
       const VmOptions& options, bool ipv6)
    : name_(std::move(name)),
      address_(options.address),
      address6_(ipv6 ? fmt::format("2001:db8:1::{:x}", parse_ipv4(address_) & 0xffff) : ""),
      mac_(parse_mac(options.mac)),
      site_(site),
      fabric_control_(run_in(
          fabric, [] { return UniqueFd(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket")); })),
      netns_(create_guest(name_, netns_name, fabric, options.mac, address_, address6_)),
      port_(netns_, kGuestPort) {
  fabric_ifindex_ = run_in(fabric, [this] { return static_cast<int>(::if_nametoindex(name_.c_str())); });
  plug_into(site);
  std::string batch = fmt::format("route add default via {}\n", kGateway);
  if (ipv6) {
    batch += fmt::format("route add default via {} dev {}\n", kGateway6, kGuestPort);
  }
  netns_.ip(batch);
  if (!options.silent) {
    send_garp();
    if (ipv6) {
      send_na();
    }
  }
}

void Vm::plug_into(Site site) {
  unplug();
  bridge_ioctl(fabric_control_.get(), SIOCBRADDIF, site, fabric_ifindex_);
  site_ = site;
  plugged_ = true;
}

void Vm::unplug() {
  if (std::exchange(plugged_, false)) {
    bridge_ioctl(fabric_control_.get(), SIOCBRDELIF, site_, fabric_ifindex_);
  }
}

Frame Vm::announcement_frame(Announcement announcement) const {
  switch (announcement) {
    case Announcement::kGarp: return make_garp(mac_, parse_ipv4(address_));
    case Announcement::kNa: return make_unsolicited_na(mac_, parse_ipv6(address6_));
    default: return make_rarp(mac_);
  }
}

Timestamp Vm::announce(Announcement announcement) {
  announcer_ = {};  // stops and joins an earlier one
  const std::vector<milliseconds> schedule = schedule_of(announcement);
  if (schedule.empty()) {
    return now();
  }
  const Frame frame = announcement_frame(announcement);
  const auto start = std::chrono::steady_clock::now();
  const Timestamp first = send(frame);
  announcer_ = std::jthread([this, frame, schedule, start](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    for (std::size_t i = 1; i < schedule.size(); ++i) {
      wake.wait_until(lock, stop, start + schedule[i], [] { return false; });
      if (stop.stop_requested()) {
        return;
      }
      try {
        send(frame);
      } catch (const std::system_error&) {
        return;  // the guest is being taken down
      }
    }
  });
  return first;
}

}  // namespace untrombone::lab
