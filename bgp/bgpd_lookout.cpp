// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bgpd_lookout.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "bgp/claim_tables.hpp"

namespace untrombone::bgp {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstPause{5};
constexpr milliseconds kLongestPause{40};
constexpr milliseconds kBetweenSamples{200};
constexpr milliseconds kAfterMiss{30000};

bool has_any(const Json& path, const std::vector<std::string>& communities) {
  const auto found = path.find("community");
  if (found == path.end() || !found->is_object()) return false;
  const auto list = found->find("list");
  if (list == found->end() || !list->is_array()) return false;
  return std::any_of(list->begin(), list->end(), [&](const Json& community) {
    return std::find(communities.begin(), communities.end(), community) != communities.end();
  });
}

}  // namespace

bool shows_own_path(std::string_view answer, const std::vector<std::string>& stale) {
  const Json document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) return false;
  const auto paths = document.find("paths");
  if (paths == document.end() || !paths->is_array()) return false;
  return std::any_of(paths->begin(), paths->end(), [&](const Json& path) {
    const auto sourced = path.is_object() ? path.find("sourced") : path.end();
    return sourced != path.end() && *sourced == true && !has_any(path, stale);
  });
}

BgpdLookout::BgpdLookout(boost::asio::io_context& io, BgpdLookoutOptions options, Seen seen)
    : options_(std::move(options)),
      seen_(std::move(seen)),
      bgpd_(io, vty_socket(options_.vty_dir, "bgpd")),
      timer_(io) {}

void BgpdLookout::stop() {
  stopped_ = true;
  timer_.cancel();
}

bool BgpdLookout::look_for(std::uint64_t id, const core::IpPrefix& prefix, const std::string& vrf_name) {
  const auto now = Clock::now();
  if (busy_ || stopped_ || now < free_at_ || !std::filesystem::exists(bgpd_.socket())) return false;
  busy_ = true;
  id_ = id;
  command_ = show_bgp(vrf_name, prefix.address().is_v4(), prefix.to_string());
  pause_ = kFirstPause;
  deadline_ = now + options_.patience;
  ask();
  return true;
}

void BgpdLookout::ask() {
  bgpd_.ask(command_, [this](const VtyResult& result) { take(result); });
}

void BgpdLookout::take(const VtyResult& result) {
  if (stopped_) return;
  const auto now = Clock::now();
  if (result.has_value() && shows_own_path(result->text, options_.stale)) {
    finish(kBetweenSamples);
    return seen_(id_, core::TimePoint(std::chrono::duration_cast<core::Duration>(now.time_since_epoch())));
  }
  if (result.has_error() || now + pause_ > deadline_) {
    ++missed_;
    return finish(kAfterMiss);
  }
  timer_.expires_after(pause_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) ask();
  });
  pause_ = std::min(pause_ * 2, kLongestPause);
}

void BgpdLookout::finish(milliseconds rest) {
  busy_ = false;
  free_at_ = Clock::now() + rest;
}

}  // namespace untrombone::bgp
