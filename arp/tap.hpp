// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include <boost/asio/io_context.hpp>

#include "agent/core/types.hpp"
#include "arp/frames.hpp"
#include "arp/nd_frames.hpp"

namespace untrombone::arp {

/// The kernel's receive time of a frame.
using FrameTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// Receives what the tap hears. Called on the io_context's thread.
class TapListener {
 public:
  virtual ~TapListener() = default;
  virtual void on_frame(core::Ifindex port, const ArpFrame& frame, FrameTime received) = 0;
  virtual void on_nd_frame(core::Ifindex port, const NdFrame& frame, FrameTime received) = 0;
  /// An IP packet of one of the MACs given to listen_for().
  virtual void on_packet(core::Ifindex port, const PacketSource& source, FrameTime received) = 0;
  /// Nothing more is waiting for now.
  virtual void on_tap_idle() = 0;
};

/// Hears ARP, RARP and IPv6 neighbour discovery on bridge ports, incoming only, and sends frames out of one port only.
///
/// One AF_PACKET socket per port, ETH_P_ALL with a classic BPF filter: a socket for ETH_P_ARP on a bridge port hears
/// nothing, because the bridge takes the frame first. The filter lets through untagged ARP and RARP, neighbour
/// solicitations and advertisements that follow their IPv6 header at once, and IP of the few MACs whose address is
/// wanted.
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

  /// Starts to hear the port; a second time does nothing.
  boost::system::error_code open(core::Ifindex port);
  void close(core::Ifindex port);
  /// From now on hears the IP packets of these MACs, at most kMostSources, and of no others on the port.
  void listen_for(core::Ifindex port, std::span<const core::MacAddress> sources);
  /// Sends one frame out of `port`, which must be open; false (and a counter) when the kernel would not take it.
  bool send(core::Ifindex port, std::span<const std::byte> frame);
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
