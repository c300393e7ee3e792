// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_trial.hpp"

#include <memory>

#include <nftables/libnftables.h>

#include "arp/guard_rules.hpp"

namespace untrombone::arp {
namespace {

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

/// Documentation addresses (RFC 5737, RFC 3849).
GuardedSegment invented_segment() {
  GuardedSegment segment;
  segment.dci_ports = {{"dci0"}};
  segment.gateways = {core::IpAddress::v4({192, 0, 2, 1}), *core::IpAddress::parse("2001:db8::1")};
  return segment;
}

}  // namespace

std::string try_guard() {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return "libnftables would not start";
  nft_ctx_set_dry_run(context.get(), true);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), render_guard(guard_sets({invented_segment()})).c_str()) == 0)
    return {};
  const char* const complaint = nft_ctx_get_error_buffer(context.get());
  return complaint != nullptr && *complaint != '\0' ? complaint : "nftables refused the rules";
}

}  // namespace untrombone::arp
