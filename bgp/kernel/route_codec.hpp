// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "agent/core/types.hpp"

namespace untrombone::bgp::kernel {

/// rtm_protocol of our routes: 'u'. Nobody else's (/etc/iproute2/rt_protos, FRR's 186..199).
inline constexpr std::uint8_t kRouteProtocol = 117;

/// One route of ours in the kernel: out of an interface, without a gateway. `priority` is part of its identity: the
/// kernel holds a prefix once for each.
struct KernelRoute {
  core::IpPrefix prefix;
  core::Ifindex interface;
  std::uint32_t priority = 0;
  auto operator<=>(const KernelRoute&) const = default;
};

/// The answer to the request with this sequence number; `error` is an errno, 0 when it was done.
struct Acknowledgement {
  std::uint32_t sequence = 0;
  int error = 0;
};

/// A dump is complete. `interrupted`: the table changed meanwhile (NLM_F_DUMP_INTR), so it must be dumped again.
struct DumpEnd {
  bool interrupted = false;
};
using Answer = std::variant<Acknowledgement, KernelRoute, DumpEnd>;

// The encoders append one RTM_* message (linux/rtnetlink.h, native byte order) to `out`.
void encode_add(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                const KernelRoute& route);
void encode_remove(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                   const KernelRoute& route);
/// Asks for our routes in `table`; needs NETLINK_GET_STRICT_CHK, or the kernel lists those of others, too.
void encode_dump(std::vector<std::byte>& out, std::uint32_t sequence, std::uint32_t table,
                 core::Family family);

/// Takes the first message off `datagram`. nullopt: it says nothing of interest (another table or protocol, several
/// next hops), or it is malformed and the rest of the datagram is dropped.
[[nodiscard]] std::optional<Answer> take_answer(std::span<const std::byte>& datagram, std::uint32_t table);

}  // namespace untrombone::bgp::kernel
