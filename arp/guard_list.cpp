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

std::optional<ListedGuard> list_guard() {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return std::nullopt;
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  // As text: in JSON, nftables 1.0.6 prints as a table's flags whatever is in its memory there.
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_TERSE);
  std::string text;
  if (!run(context.get(), "list tables bridge", text)) return std::nullopt;
  ListedGuard guard;
  const std::string question = std::string("list table bridge ") + kGuardTable;
  guard.present = run(context.get(), question, text);
  guard.dormant = guard.present && is_dormant(text);
  if (!guard.present || guard.dormant) return guard;
  nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  guard.present = run(context.get(), question, guard.json);
  return guard;
}

/// A table's flags are the first line inside it; those of its sets are deeper.
bool is_dormant(std::string_view table) {
  constexpr std::string_view kFlags = "{\n\tflags ";
  const std::size_t flags = table.find(kFlags);
  if (flags == std::string_view::npos) return false;
  const std::size_t end = table.find('\n', flags + kFlags.size());
  return table.substr(flags, end - flags).find("dormant") != std::string_view::npos;
}

}  // namespace untrombone::arp
