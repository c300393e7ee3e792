// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard_list.hpp"

#include <memory>

#include <nftables/libnftables.h>

#include "arp/guard_rules.hpp"

namespace untrombone::arp {
namespace {

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

bool run(nft_ctx* context, const std::string& command, std::string& output) {
  if (nft_run_cmd_from_buffer(context, command.c_str()) != 0) return false;
  const char* const text = nft_ctx_get_output_buffer(context);
  output = text == nullptr ? "" : text;
  return true;
}

}  // namespace

bool list_guard(std::string& listing) {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return false;
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  listing.clear();
  std::string tables;
  if (!run(context.get(), "list tables bridge", tables)) return false;
  // No such table is an answer, too.
  (void)run(context.get(), std::string("list table bridge ") + kGuardTable, listing);
  return true;
}

}  // namespace untrombone::arp
