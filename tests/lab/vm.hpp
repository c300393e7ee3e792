// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <thread>

#include "tests/lab/frames.hpp"
#include "tests/lab/netns.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::lab {

struct VmOptions {
  std::string address = {};  // default: 10.1.0.11 for the first VM, and so on
  std::string mac = {};      // default: 52:54:00:00:00:01, and so on
  bool silent = false;       // does not announce its address when it comes up
};

// A guest: a namespace whose eth0 hangs on a switch of the fabric. Lab creates, moves and removes it.
class Vm {
 public:
  // Makes the namespace and plugs its cable, whose far end is called `name`, into the site's switch.
  Vm(std::string name, const std::string& netns_name, const Netns& fabric, Site site,
     const VmOptions& options, bool ipv6);

  const std::string& name() const { return name_; }
  const Netns& netns() const { return netns_; }
  const std::string& address() const { return address_; }
  std::string prefix() const { return address_ + "/32"; }
  const std::string& address6() const { return address6_; }  // empty unless the lab has IPv6
  std::string prefix6() const { return address6_ + "/128"; }
  MacAddress mac() const { return mac_; }
  Site site() const { return site_; }  // where it is, or was last, plugged in

  // Pulls the cable's far end out of its switch, if it is in one, and plugs it into the site's: 0.2 ms. The
  // guest keeps its carrier, also between unplug() and plug_into().
  void plug_into(Site site);
  void unplug();

  // Sends the first frame now, the others from a thread; returns when the first was sent (with kNone: now). An
  // earlier announcement that is still going on is cut short.
  Timestamp announce(Announcement announcement);
  // Sends any frame as the guest.
  Timestamp send(FrameView frame) const { return port_.send(frame); }
  Timestamp send_garp() const { return send(make_garp(mac_, parse_ipv4(address_))); }
  Timestamp send_na() const { return send(make_unsolicited_na(mac_, parse_ipv6(address6_))); }

 private:
  Frame announcement_frame(Announcement announcement) const;

  std::string name_;
  std::string address_;
  std::string address6_;
  MacAddress mac_;
  Site site_;
  bool plugged_ = false;
  UniqueFd fabric_control_;  // for bridge ioctls in the fabric
  int fabric_ifindex_ = 0;   // of the cable's far end
  Netns netns_;
  FrameSender port_;
  std::jthread announcer_;
};

}  // namespace untrombone::lab
