// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/core/types.hpp"
#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"
#include "arp/vlan_tag.hpp"

namespace untrombone::arp {

/// The kernel's receive time of a frame.
using FrameTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// Where and when a frame came in.
struct FrameOrigin {
  core::Ifindex port;
  std::optional<VlanTag> tag;  ///< what it carried on the wire; the frame itself is decoded without it
  FrameTime received;
};

/// Receives what the tap hears. Called on the io_context's thread.
class TapListener {
 public:
  virtual ~TapListener() = default;
  virtual void on_frame(const FrameOrigin& origin, const ArpFrame& frame) = 0;
  virtual void on_nd_frame(const FrameOrigin& origin, const NdFrame& frame) = 0;
  /// An IP packet of one of the MACs given to listen_for().
  virtual void on_packet(const FrameOrigin& origin, const PacketSource& source) = 0;
  /// Nothing more is waiting for now.
  virtual void on_tap_idle() = 0;
};

/// Hears ARP, RARP and IPv6 neighbour discovery on bridge ports, incoming only, and sends frames out of one port only.
///
/// One AF_PACKET socket per port, ETH_P_ALL with a classic BPF filter: a socket for ETH_P_ARP on a bridge port hears
/// nothing, because the bridge takes the frame first. The filter lets through ARP and RARP, neighbour
/// solicitations and advertisements that follow their IPv6 header at once, and IP of the few MACs whose address is
/// wanted. The kernel takes one VLAN tag off before a socket or the filter sees the frame, and tells it beside the
/// frame (PACKET_AUXDATA); what is below two tags is never let through.
class PortTap {
 public:
  static constexpr std::size_t kMostSources = 64;

  struct Counters {
    std::uint64_t frames = 0;
    std::uint64_t malformed = 0;
    std::uint64_t dropped = 0;  ///< PACKET_STATISTICS: the socket was full
    std::uint64_t sent = 0;
    std::uint64_t send_errors = 0;
  };

  PortTap(boost::asio::io_context& io, TapListener& listener);
  ~PortTap();
  PortTap(const PortTap&) = delete;
  PortTap& operator=(const PortTap&) = delete;

  /// Which frames a port's tap hears: without a tag (or one of VLAN 0, which only carries a priority), or all.
  enum class Tags : std::uint8_t { kNone, kAny };

  /// Starts to hear the port; a second time changes `tags` only.
  boost::system::error_code open(core::Ifindex port, Tags tags = Tags::kNone);
  void close(core::Ifindex port);
  /// The port is open and its device is still there. Another device may get its ifindex: then open it anew.
  [[nodiscard]] bool is_alive(core::Ifindex port) const;
  /// From now on hears the IP packets of these MACs, at most kMostSources, and of no others on the port.
  void listen_for(core::Ifindex port, std::span<const core::MacAddress> sources);
  /// Sends one frame out of `port`, which must be open, with `tag` if there is one; false (and a counter) when the
  /// kernel would not take it.
  bool send(core::Ifindex port, std::span<const std::byte> frame, const std::optional<VlanTag>& tag = {});
  /// The ports whose socket was full, and the kernel had to drop frames, since the last call.
  [[nodiscard]] std::vector<core::Ifindex> take_losses();
  /// Reads the kernel's drop counters too.
  [[nodiscard]] const Counters& counters();

 private:
  class Port;

  boost::asio::io_context& io_;
  TapListener& listener_;
  std::map<core::Ifindex, std::unique_ptr<Port>> ports_;
  Counters counters_;
};

}  // namespace untrombone::arp
