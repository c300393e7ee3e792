// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard.hpp"

#include <utility>

#include <boost/asio/post.hpp>
#include <nftables/libnftables.h>

namespace untrombone::arp {
namespace {

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

/// Runs one nft script as one transaction; returns nft's complaint, empty when there is none.
std::string run_script(const std::string& text) {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return "libnftables would not start";
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), text.c_str()) == 0) return {};
  const char* const complaint = nft_ctx_get_error_buffer(context.get());
  return complaint != nullptr && *complaint != '\0' ? complaint : "nftables refused the rules";
}

}  // namespace

Guard::Guard(boost::asio::io_context& io) : io_(io), worker_(1) {}

Guard::~Guard() { worker_.join(); }

void Guard::apply(const std::vector<GuardedSegment>& segments, Done done) {
  run(render_guard(segments), std::move(done));
}

void Guard::remove(Done done) { run(render_guard_removal(), std::move(done)); }

void Guard::run(std::string text, Done done) {
  boost::asio::post(worker_, [this, text = std::move(text), done = std::move(done)] {
    boost::asio::post(io_, [error = run_script(text), done] { done(error); });
  });
}

}  // namespace untrombone::arp
