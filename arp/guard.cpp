// SPDX-License-Identifier: GPL-2.0-or-later
#include "arp/guard.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <nftables/libnftables.h>

namespace untrombone::arp {
namespace {

struct ContextDeleter {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

struct Answer {
  std::string error;  ///< empty: it worked
  std::string output;
};

std::string text_or(const char* text, const char* otherwise) {
  return text != nullptr && *text != '\0' ? text : otherwise;
}

/// Runs one nft script as one transaction.
Answer run_script(const std::string& text, unsigned output_flags = 0) {
  const std::unique_ptr<nft_ctx, ContextDeleter> context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return {"libnftables would not start", {}};
  nft_ctx_output_set_flags(context.get(), output_flags);
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  if (nft_run_cmd_from_buffer(context.get(), text.c_str()) != 0)
    return {text_or(nft_ctx_get_error_buffer(context.get()), "nftables refused the rules"), {}};
  return {{}, text_or(nft_ctx_get_output_buffer(context.get()), "")};
}

/// A table that is not there is listed as nothing.
GuardListing list_guard() {
  const std::string command = fmt::format("list table bridge {}", kGuardTable);
  return parse_guard_listing(run_script(command, NFT_CTX_OUTPUT_JSON).output).value_or(GuardListing{});
}

std::size_t count_elements(const GuardSets& sets) {
  std::size_t count = 0;
  for (const auto& entry : sets) count += entry.second.size();
  return count;
}

}  // namespace

/// What runs on the thread, and what it knows of the kernel.
class Guard::Worker {
 public:
  /// `lost`: what a replaced table had counted.
  GuardOutcome apply(const std::vector<GuardedSegment>& segments, GuardCounts& lost) {
    const auto start = std::chrono::steady_clock::now();
    GuardSets sets = guard_sets(segments);
    GuardOutcome outcome;
    if (!intact_ || !change(sets)) {
      outcome.replaced = true;
      outcome.error = replace(sets, lost);
    }
    if (outcome.error.empty()) {
      sets_ = std::move(sets);
      outcome.error = hand_over(segments);
    }
    outcome.rules = rules_;
    outcome.elements = count_elements(sets_);
    outcome.took = std::chrono::steady_clock::now() - start;
    return outcome;
  }

  GuardOutcome remove() {
    *this = Worker();
    GuardOutcome outcome;
    outcome.error = run_script(render_guard_removal()).error;
    return outcome;
  }

  std::string verify() {
    const auto generation = query_->generation();
    if (!intact_ || (generation && generation == generation_)) return {};
    std::string drift = find_drift(sets_, rules_text_, list_guard());
    intact_ = drift.empty();
    generation_ = intact_ ? generation : std::nullopt;
    return drift;
  }

 private:
  bool change(const GuardSets& sets) {
    const std::string text = render_guard_changes(sets_, sets);
    if (text.empty()) return true;
    generation_.reset();
    return run_script(text).error.empty();
  }

  std::string replace(const GuardSets& sets, GuardCounts& lost) {
    lost = query_->counters();
    generation_.reset();
    std::string error = run_script(render_guard(sets)).error;
    intact_ = error.empty();
    if (!intact_) return error;
    const GuardListing listing = list_guard();
    rules_text_ = listing.rules_text;
    rules_ = listing.rules;
    return {};
  }

  /// A kernel without the netdev family has no hand-overs to remove either.
  std::string hand_over(const std::vector<GuardedSegment>& segments) {
    std::string text = render_hand_overs(segments);
    if (text == hand_overs_) return {};
    const bool first = hand_overs_.empty();
    hand_overs_ = text;
    generation_.reset();
    std::string error = run_script(text).error;
    const bool nothing = text == render_hand_overs({});
    if (!error.empty()) hand_overs_.clear();
    return first && nothing ? "" : error;
  }

  std::unique_ptr<NftQuery> query_ = std::make_unique<NftQuery>();
  bool intact_ = false;  ///< the kernel has sets_ under our rules, as far as we know
  GuardSets sets_;
  std::string rules_text_;
  std::size_t rules_ = 0;
  std::string hand_overs_;                   ///< as last loaded
  std::optional<std::uint32_t> generation_;  ///< of nftables, when it was last found intact
};

Guard::Guard(boost::asio::io_context& io) : io_(io), worker_(std::make_unique<Worker>()), thread_(1) {}

Guard::~Guard() { thread_.join(); }

void Guard::apply(const std::vector<GuardedSegment>& segments, Done done) {
  boost::asio::post(thread_, [this, segments, done = std::move(done)] {
    GuardCounts lost;
    const GuardOutcome outcome = worker_->apply(segments, lost);
    boost::asio::post(io_, [this, outcome, lost, done] { conclude(outcome, lost, done); });
  });
}

void Guard::remove(Done done) {
  boost::asio::post(thread_, [this, done = std::move(done)] {
    boost::asio::post(io_, [outcome = worker_->remove(), done] { done(outcome); });
  });
}

void Guard::verify(Verified done) {
  boost::asio::post(thread_, [this, done = std::move(done)] {
    boost::asio::post(io_, [drift = worker_->verify(), done] { done(drift); });
  });
}

void Guard::conclude(const GuardOutcome& outcome, const GuardCounts& lost, const Done& done) {
  if (outcome.replaced && outcome.error.empty()) {
    for (const std::string& name : guard_counters()) {
      const auto before = lost.find(name);
      const GuardCount& seen = live_[name];
      const GuardCount read = before == lost.end() ? GuardCount{} : before->second;
      base_[name].packets += std::max(seen.packets, read.packets);
      base_[name].bytes += std::max(seen.bytes, read.bytes);
    }
    live_.clear();
  }
  done(outcome);
}

GuardCounts Guard::counters() {
  const GuardCounts now = query_.counters();
  if (!now.empty()) live_ = now;
  for (const std::string& name : guard_counters()) {
    GuardCount& reported = reported_[name];
    // A replacement under way has taken its counts already, and they are not in the base yet.
    reported.packets = std::max(reported.packets, base_[name].packets + live_[name].packets);
    reported.bytes = std::max(reported.bytes, base_[name].bytes + live_[name].bytes);
  }
  return reported_;
}

}  // namespace untrombone::arp
