// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/tap.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "arp/packet_socket.hpp"

namespace untrombone::arp {
namespace {

using boost::system::error_code;
using core::Ifindex;
using core::MacAddress;

/// About 16,000 queued frames per 8 MiB: a frame costs a kernel buffer, not its length. FORCE doubles the value.
constexpr int kReceiveBuffer = 16 * 1024 * 1024;
constexpr int kBudget = 256;        ///< frames per wake-up
constexpr std::size_t kSnap = 128;  ///< an ARP frame is 42 octets, 60 with padding
constexpr std::uint16_t kVlanMask = 0x0fff;
constexpr std::size_t kNdSnap = 1514;  ///< a checksum needs the whole frame

/// Offset of an ancillary value for BPF; the kernel's macros are negative ints made unsigned.
constexpr std::uint32_t ancillary(int offset) { return static_cast<std::uint32_t>(SKF_AD_OFF + offset); }

/// ARP and RARP, which are looked for first, ICMPv6 of type 135 or 136 right behind an IPv6 header, and IP from
/// `sources`. BPF jumps reach 255 instructions: each source has its own return.
std::vector<sock_filter> make_filter(PortTap::Tags tags, std::span<const MacAddress> sources) {
  constexpr std::uint16_t kLoadWord = BPF_LD | BPF_W | BPF_ABS;
  constexpr std::uint16_t kLoadHalf = BPF_LD | BPF_H | BPF_ABS;
  constexpr std::uint16_t kLoadByte = BPF_LD | BPF_B | BPF_ABS;
  constexpr std::uint16_t kJumpEqual = BPF_JMP | BPF_JEQ | BPF_K;
  constexpr std::uint16_t kReturn = BPF_RET | BPF_K;
  constexpr std::uint32_t kSourceAt = 6;
  constexpr std::uint32_t kEthertypeAt = 12;
  constexpr std::uint32_t kNextHeaderAt = 20;
  constexpr std::uint32_t kIcmpTypeAt = 54;
  std::vector<sock_filter> filter;
  if (tags == PortTap::Tags::kNone) {
    filter = {
        {kLoadByte, 0, 0, ancillary(SKF_AD_VLAN_TAG_PRESENT)},
        {kJumpEqual, 4, 0, 0},
        {kLoadHalf, 0, 0, ancillary(SKF_AD_VLAN_TAG)},
        {BPF_ALU | BPF_AND | BPF_K, 0, 0, kVlanMask},
        {kJumpEqual, 1, 0, 0},
        {kReturn, 0, 0, 0},
    };
  }
  const std::initializer_list<sock_filter> wanted{
      {kLoadHalf, 0, 0, kEthertypeAt},
      {kJumpEqual, 1, 0, ETH_P_ARP},
      {kJumpEqual, 0, 1, ETH_P_RARP},
      {kReturn, 0, 0, kSnap},
      {kJumpEqual, 2, 0, ETH_P_IPV6},
      {kJumpEqual, 7, 0, ETH_P_IP},
      {kReturn, 0, 0, 0},
      {kLoadByte, 0, 0, kNextHeaderAt},
      {kJumpEqual, 0, 4, IPPROTO_ICMPV6},
      {kLoadByte, 0, 0, kIcmpTypeAt},
      {kJumpEqual, 1, 0, static_cast<std::uint32_t>(NdType::kSolicitation)},
      {kJumpEqual, 0, 1, static_cast<std::uint32_t>(NdType::kAdvertisement)},
      {kReturn, 0, 0, kNdSnap},
  };
  filter.insert(filter.end(), wanted);
  for (const MacAddress& source : sources) {
    std::uint32_t front = 0;
    std::uint16_t back = 0;
    std::memcpy(&front, source.octets.data(), sizeof front);
    std::memcpy(&back, source.octets.data() + sizeof front, sizeof back);
    filter.push_back({kLoadWord, 0, 0, kSourceAt});
    filter.push_back({kJumpEqual, 0, 3, ntohl(front)});
    filter.push_back({kLoadHalf, 0, 0, kSourceAt + sizeof front});
    filter.push_back({kJumpEqual, 0, 1, ntohs(back)});
    filter.push_back({kReturn, 0, 0, kSnap});
  }
  filter.push_back({kReturn, 0, 0, 0});
  return filter;
}

error_code attach_filter(int fd, PortTap::Tags tags, std::span<const MacAddress> sources) {
  std::vector<sock_filter> filter = make_filter(tags, sources);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) return last_error();
  return {};
}

error_code configure(int fd, PortTap::Tags tags) {
  const int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0) return last_error();
  if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0) return last_error();
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) return last_error();
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  }
  return attach_filter(fd, tags, {});
}

/// The value of a control message of this kind; nullopt when the message has none.
template <typename T>
std::optional<T> control_value(msghdr& message, int level, int type) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != level || control->cmsg_type != type) continue;
    T value{};
    std::memcpy(&value, CMSG_DATA(control), sizeof value);
    return value;
  }
  return std::nullopt;
}

FrameTime timestamp_of(msghdr& message) {
  const auto time = control_value<timespec>(message, SOL_SOCKET, SCM_TIMESTAMPNS);
  if (!time) return std::chrono::system_clock::now();
  return FrameTime(std::chrono::seconds(time->tv_sec) + std::chrono::nanoseconds(time->tv_nsec));
}

std::optional<VlanTag> tag_of(msghdr& message) {
  const auto auxdata = control_value<tpacket_auxdata>(message, SOL_PACKET, PACKET_AUXDATA);
  if (!auxdata || (auxdata->tp_status & TP_STATUS_VLAN_VALID) == 0) return std::nullopt;
  VlanTag tag;
  if ((auxdata->tp_status & TP_STATUS_VLAN_TPID_VALID) != 0) tag.protocol = auxdata->tp_vlan_tpid;
  tag.vlan = {static_cast<std::uint16_t>(auxdata->tp_vlan_tci & kVlanMask)};
  return tag;
}

}  // namespace

/// One port's socket and its wait.
class PortTap::Port {
 public:
  Port(boost::asio::io_context& io, Ifindex index, TapListener& listener, Counters& counters)
      : socket_(io), index_(index), listener_(listener), counters_(counters) {}

  error_code open(Tags tags) {
    tags_ = tags;
    const auto configured = [tags](int fd) { return configure(fd, tags); };
    if (const auto error = socket_.open(index_, configured)) return error;
    wait();
    return {};
  }

  bool send(std::span<const std::byte> frame) {
    return ::send(socket_.fd(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }

  /// A filter that cannot be replaced leaves the old one: less is heard, nothing is lost that was heard before.
  void listen_for(std::span<const MacAddress> sources) {
    if (std::equal(sources.begin(), sources.end(), sources_.begin(), sources_.end())) return;
    if (attach_filter(socket_.fd(), tags_, sources)) return;
    sources_.assign(sources.begin(), sources.end());
  }

  error_code hear(Tags tags) {
    if (tags == tags_) return {};
    if (const auto error = attach_filter(socket_.fd(), tags, sources_)) return error;
    tags_ = tags;
    return {};
  }

  /// The kernel unbinds a socket for good when its device is gone.
  [[nodiscard]] bool is_alive() {
    sockaddr_ll address{};
    socklen_t size = sizeof address;
    return getsockname(socket_.fd(), reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
           address.sll_ifindex == index_.value;
  }

  void collect_drops() {
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    if (getsockopt(socket_.fd(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
      counters_.dropped += statistics.tp_drops;
      lost_ = lost_ || statistics.tp_drops != 0;
    }
  }
  /// Was something dropped since the last call?
  bool take_loss() {
    collect_drops();
    return std::exchange(lost_, false);
  }

 private:
  void wait() {
    socket_.wait([this] { read(); });
  }

  void read() {
    for (int budget = kBudget; budget > 0; --budget) {
      if (!read_one()) break;
    }
    wait();
    listener_.on_tap_idle();
  }

  /// False when nothing is waiting, or when the port is gone (ENETDOWN): the kernel's link events tell what then.
  bool read_one() {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(tpacket_auxdata))>
        control{};
    iovec vector{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket_.fd(), &message, 0);
    if (size < 0) return false;
    ++counters_.frames;
    const auto bytes = std::span<const std::byte>(buffer_).first(static_cast<std::size_t>(size));
    const FrameOrigin origin{index_, tag_of(message), timestamp_of(message)};
    if (const auto frame = decode(bytes)) {
      listener_.on_frame(origin, *frame);
    } else if (const auto nd = decode_nd(bytes)) {
      listener_.on_nd_frame(origin, *nd);
    } else if (const auto source = decode_packet_source(bytes)) {
      listener_.on_packet(origin, *source);
    } else {
      ++counters_.malformed;
    }
    return true;
  }

  PacketSocket socket_;
  Ifindex index_;
  Tags tags_ = Tags::kNone;
  std::vector<MacAddress> sources_;
  TapListener& listener_;
  Counters& counters_;
  std::array<std::byte, kNdSnap> buffer_{};
  bool lost_ = false;
};

PortTap::PortTap(boost::asio::io_context& io, TapListener& listener) : io_(io), listener_(listener) {}
PortTap::~PortTap() = default;

error_code PortTap::open(Ifindex port, Tags tags) {
  const auto known = ports_.find(port);
  if (known != ports_.end()) return known->second->hear(tags);
  auto made = std::make_unique<Port>(io_, port, listener_, counters_);
  if (const auto error = made->open(tags)) return error;
  ports_.emplace(port, std::move(made));
  return {};
}

void PortTap::close(Ifindex port) { ports_.erase(port); }

bool PortTap::is_alive(Ifindex port) const {
  const auto found = ports_.find(port);
  return found != ports_.end() && found->second->is_alive();
}

void PortTap::listen_for(Ifindex port, std::span<const MacAddress> sources) {
  const auto found = ports_.find(port);
  if (found != ports_.end()) found->second->listen_for(sources.first(std::min(sources.size(), kMostSources)));
}

bool PortTap::send(Ifindex port, std::span<const std::byte> frame, const std::optional<VlanTag>& tag) {
  const auto found = ports_.find(port);
  const bool open = found != ports_.end();
  const bool sent = open && (tag ? found->second->send(with_tag(frame, *tag)) : found->second->send(frame));
  ++(sent ? counters_.sent : counters_.send_errors);
  return sent;
}

std::vector<Ifindex> PortTap::take_losses() {
  std::vector<Ifindex> ports;
  for (const auto& [index, port] : ports_) {
    if (port->take_loss()) ports.push_back(index);
  }
  return ports;
}

const PortTap::Counters& PortTap::counters() {
  for (const auto& entry : ports_) entry.second->collect_drops();
  return counters_;
}

}  // namespace untrombone::arp
