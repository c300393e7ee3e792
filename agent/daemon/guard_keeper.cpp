// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/guard_keeper.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "agent/daemon/clock.hpp"
#include "agent/daemon/log_events.hpp"
#include "arp/frame_sender.hpp"
#include "arp/self_test.hpp"

namespace untrombone::daemon {
namespace {

/// How often the kernel's guard is compared with what was loaded, and a refused one is tried again.
constexpr std::chrono::seconds kLookAfter{1};

bool is_guarded(const SegmentConfig& segment) { return segment.guard.enabled; }

}  // namespace

using core::MacAddress;
using core::SegmentId;

std::string_view to_string(GuardState state) {
  switch (state) {
    case GuardState::kOff: return "off";
    case GuardState::kWaiting: return "waiting";
    case GuardState::kActive: return "active";
    case GuardState::kOpen: return "open";
    case GuardState::kFailed: return "failed";
  }
  return "?";
}

GuardKeeper::GuardKeeper(boost::asio::io_context& io, const Config& config, const Topology& topology,
                         const Log& log)
    : config_(config),
      topology_(topology),
      log_(log),
      guard_(io),
      address_watch_(io,
                     [this] {
                       addresses_ = netlink::AddressWatch::read();
                       update();
                     }),
      timer_(io),
      segments_(config.segments.size()) {}

void GuardKeeper::start(bool observe) {
  observing_ = observe;
  if (observe) return set_state(GuardState::kOff, "observing only");
  if (any_guarded()) return begin();
  guard_.remove([](const arp::GuardOutcome& /*outcome*/) {});  // an earlier configuration's
}

bool GuardKeeper::any_guarded() const {
  return std::any_of(config_.segments.begin(), config_.segments.end(), is_guarded);
}

void GuardKeeper::begin() {
  if (const auto error = address_watch_.start()) {
    log_.event(LogLevel::kError, log_events::kGuardFailed, "changes of addresses cannot be seen",
               {{"error", error.message()}});
  }
  addresses_ = netlink::AddressWatch::read();
  set_state(GuardState::kWaiting, "waiting for the first full announcement");
}

void GuardKeeper::set_announced() {
  announced_ = true;
  update();
}

void GuardKeeper::set_isolated(bool isolated) {
  isolated_ = isolated;
  update();
}

void GuardKeeper::set_opened(SegmentId id, bool opened) {
  segments_[id.value].opened = opened;
  update();
}

void GuardKeeper::update() {
  segments_.resize(config_.segments.size());  // a reload may have added some
  if (state_ == GuardState::kOff && !observing_ && any_guarded()) begin();
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    const MacAddress& mac = topology_.segment({i}).interface_mac;
    if (!mac.is_zero()) segments_[i].own_mac = mac;
  }
  if (state_ == GuardState::kOff || !announced_ || stopping_) return;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (is_guarded(config_.segments[i])) examine({i});
  }
  load();
  if (in_force()) show_stances();
  arm();
}

/// Decides a segment's stance.
void GuardKeeper::examine(SegmentId id) {
  Segment& segment = segments_[id.value];
  segment.health.observe(trouble_of(id), isolated_, monotonic_now());
  const bool fails_open = config_.segments[id.value].guard.fail == GuardFail::kOpen;
  GuardStance stance = GuardStance::kClosed;
  std::string reason;
  if (!segment.health.good() && fails_open) {
    stance = GuardStance::kSteering;
    reason = segment.health.reason();
  } else if (segment.opened) {
    stance = GuardStance::kOpen;
    reason = "an operator opened it";
  }
  const bool differs = stance != segment.stance;
  segment.stance = stance;
  segment.reason = reason;
  if (differs) log_stance(id);
}

/// What keeps the local gateway from being one; empty: nothing.
std::string GuardKeeper::trouble_of(SegmentId id) const {
  const SegmentConfig& config = config_.segments[id.value];
  const SegmentView& view = topology_.segment(id);
  if (!view.interface) return fmt::format("interface {} does not exist", config.interface);
  if (!view.interface_up) return fmt::format("interface {} is down", config.interface);
  for (const core::IpAddress& gateway : config_.core.segments[id.value].gateways) {
    if (!addresses_.contains({config.interface, gateway}))
      return fmt::format("gateway {} is not on {}", gateway.to_string(), config.interface);
  }
  return {};
}

void GuardKeeper::log_stance(SegmentId id) const {
  const Segment& segment = segments_[id.value];
  const std::string& name = config_.segments[id.value].name;
  if (segment.stance == GuardStance::kClosed) {
    log_.event(LogLevel::kInfo, log_events::kGuardClosed, "egress is local again", {{"segment", name}});
    return;
  }
  log_.event(
      LogLevel::kWarning, log_events::kGuardOpen, "guests may use the other sites' gateways",
      {{"segment", name}, {"stance", std::string(to_string(segment.stance))}, {"why", segment.reason}});
}

std::vector<arp::GuardedSegment> GuardKeeper::wanted() const {
  std::vector<arp::GuardedSegment> segments;
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (is_guarded(config_.segments[i])) segments.push_back(plan_guard(input_of({i}), segments_[i].stance));
  }
  return segments;
}

void GuardKeeper::load() {
  if (loading_) return;  // conclude() looks again
  std::vector<arp::GuardedSegment> segments = wanted();
  if (in_force() && segments == loaded_) return;
  loading_ = true;
  loaded_ = segments;
  guard_.apply(segments, [this](const arp::GuardOutcome& outcome) {
    loading_ = false;
    conclude(outcome);
    if (in_force() && !stopping_) load();
  });
}

void GuardKeeper::conclude(const arp::GuardOutcome& outcome) {
  if (!outcome.error.empty()) {
    ++counters_.failed;
    if (state_ != GuardState::kFailed || detail_ != outcome.error) {
      log_.event(LogLevel::kError, log_events::kGuardFailed, "nftables refused the guard",
                 {{"error", outcome.error}});
    }
    return set_state(GuardState::kFailed, outcome.error);
  }
  ++(outcome.replaced ? counters_.replaced : counters_.changed);
  outcome_ = outcome;
  if (!in_force()) {
    log_.event(LogLevel::kInfo, log_events::kGuardActive, "gateway ARP and ND stay off the DCI",
               {{"rules", std::to_string(outcome.rules)}, {"elements", std::to_string(outcome.elements)}});
  }
  show_stances();
}

/// The state of all, from the stances of the segments.
void GuardKeeper::show_stances() {
  for (std::uint16_t i = 0; i < segments_.size(); ++i) {
    if (segments_[i].stance == GuardStance::kClosed) continue;
    return set_state(GuardState::kOpen,
                     fmt::format("segment {}: {}", config_.segments[i].name, segments_[i].reason));
  }
  set_state(GuardState::kActive, "");
}

/// Compares, repairs, and tries again what was refused.
void GuardKeeper::look_after() {
  if (state_ == GuardState::kFailed) return update();
  if (!in_force()) return arm();
  guard_.verify([this](const std::string& drift) {
    if (stopping_) return;
    if (!drift.empty()) {
      ++counters_.drifts;
      drift_ = drift;
      log_.event(LogLevel::kWarning, log_events::kGuardDrift, "the guard was changed, and is put back",
                 {{"what", drift}});
      loaded_.clear();
    }
    const core::TimePoint now = monotonic_now();
    const bool due = std::any_of(segments_.begin(), segments_.end(), [&](const Segment& segment) {
      return segment.health.next_deadline() <= now;
    });
    return due || !drift.empty() ? update() : arm();
  });
}

void GuardKeeper::arm() {
  if (stopping_) return;
  core::TimePoint next = monotonic_now() + kLookAfter;
  for (const Segment& segment : segments_) next = std::min(next, segment.health.next_deadline());
  timer_.expires_at(std::chrono::steady_clock::time_point(next.time_since_epoch()));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_after();
  });
}

std::vector<GuardTest> GuardKeeper::test(SegmentId id, const MacAddress& sender) {
  std::vector<GuardTest> tests;
  if (!in_force() || !is_guarded(config_.segments[id.value])) return tests;
  const SegmentView& view = topology_.segment(id);
  const auto ports =
      static_cast<std::size_t>(std::count_if(view.ports.begin(), view.ports.end(), [](const auto& entry) {
        return entry.second.port_class == core::PortClass::kDci && entry.second.up;
      }));
  const arp::GuardedSegment rules = plan_guard(input_of(id), segments_[id.value].stance);
  for (const arp::TestFrame& frame : arp::make_test_frames(sender, rules)) {
    const std::uint64_t before = guard_.counters()[frame.counter].packets;
    if (!arp::send_frame(view.interface, frame.bytes)) continue;
    tests.push_back({frame.counter, ports, guard_.counters()[frame.counter].packets - before});
  }
  return tests;
}

void GuardKeeper::stop(bool remove, std::function<void()> done) {
  stopping_ = true;
  timer_.cancel();
  if (!remove || !in_force()) return done();
  guard_.remove([done = std::move(done)](const arp::GuardOutcome& /*outcome*/) { done(); });
}

GuardInput GuardKeeper::input_of(SegmentId id) const {
  return {config_.segments[id.value], config_.core.segments[id.value], topology_.segment(id),
          segments_[id.value].own_mac, [this](core::Ifindex port) { return topology_.name_of(port); }};
}

MacAddress GuardKeeper::gateway_mac(SegmentId id) const { return gateway_mac_for_guests(input_of(id)); }

bool GuardKeeper::stands_in(SegmentId id) const {
  return segments_[id.value].stance == GuardStance::kSteering && !trouble_of(id).empty();
}

void GuardKeeper::set_state(GuardState state, const std::string& detail) {
  if (state_ == state && detail_ == detail) return;
  state_ = state;
  detail_ = detail;
  if (changed_) changed_();
}

}  // namespace untrombone::daemon
