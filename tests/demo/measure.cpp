// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/demo/measure.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tests/lab/topology.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::demo {
namespace {

using lab::Site;

constexpr std::size_t kPings = 100;  // a second of them
constexpr std::size_t kPingsAround = 20;
constexpr std::size_t kRarpBurst = 5;  // QEMU's
constexpr double kNearlyAll = 0.9;

void wait_answers(lab::Pinger& pinger, std::size_t count, lab::Timestamp since = {}) {
  if (pinger.wait_answers(count, kPatience, since)) return;
  throw std::runtime_error("the client does not reach the VM");
}

std::string gateway_mac_of(const lab::Vm& vm) {
  const lab::CommandResult result =
      lab::run_command({.argv = {"ip", "-n", vm.netns().name(), "-json", "neighbour", "show", lab::kGateway,
                                 "dev", lab::kGuestPort}});
  const nlohmann::json entries = nlohmann::json::parse(result.output, nullptr, false);
  return entries.is_array() && !entries.empty() ? entries[0].value("lladdr", "") : "";
}

using Condition = lab::FramePredicate;

std::optional<lab::Timestamp> first_frame(lab::FrameCapture& port, bool outgoing, const Condition& wanted,
                                          lab::Timestamp since) {
  for (const lab::CapturedFrame& captured : port.frames(since)) {
    if (captured.outgoing == outgoing && wanted(captured.frame)) return captured.at;
  }
  return std::nullopt;
}

/// As first_frame(), and waits for it.
std::optional<lab::Timestamp> await_frame(lab::FrameCapture& port, bool outgoing, const Condition& wanted,
                                          lab::Timestamp since) {
  std::optional<lab::Timestamp> found;
  lab::wait_for([&] { return (found = first_frame(port, outgoing, wanted, since)).has_value(); }, kPatience);
  return found;
}

}  // namespace

bool Path::enters_at(Site site) const { return hops.size() == 3 && hops[1] == lab::uplink_address(site); }

bool Path::leaves_at(Site site) const {
  return gateway_mac == lab::gateway_mac(site, lab::GatewayStyle::kPerSite);
}

bool Path::crosses_both_ways() const {
  const double sent = std::chrono::seconds(1) / std::chrono::duration<double>(kPingInterval);
  return std::min(a_to_b, b_to_a) > kNearlyAll * sent;
}

Path measure_path(lab::Lab& lab, const lab::Vm& vm) {
  const lab::Netns& client = lab.netns(lab::Node::kClient);
  const auto crossings = [&](Site from) {
    return lab.dci().icmp_frames(from, lab::kClientAddress, vm.address());
  };
  const std::uint64_t a_before = crossings(Site::kA);
  const std::uint64_t b_before = crossings(Site::kB);
  lab::Pinger pinger(client, vm.address(), kPingInterval);
  wait_answers(pinger, kPings);
  pinger.stop();
  Path path;
  path.ping = pinger.summary();
  const std::chrono::duration<double> sending = kPingInterval * path.ping.sent;
  path.a_to_b = static_cast<double>(crossings(Site::kA) - a_before) / sending.count();
  path.b_to_a = static_cast<double>(crossings(Site::kB) - b_before) / sending.count();
  path.hops = lab::traceroute(client, vm.address());
  path.gateway_mac = gateway_mac_of(vm);
  return path;
}

Move measure_move(lab::Lab& lab, lab::Vm& vm, Site site, bool with_agents) {
  const lab::MacAddress mac = vm.mac();
  lab::FrameCapture port(lab.netns(site), lab::kAccessPort,
                         [=, greeting = lab::is_greeting_to(mac, lab::kGateway)](lab::FrameView frame) {
                           return lab::from_mac(mac)(frame) || greeting(frame);
                         });
  lab::RouteWatcher remote(lab.netns(lab::Node::kWan));
  lab::Pinger pinger(lab.netns(lab::Node::kClient), vm.address(), kPingInterval);
  wait_answers(pinger, kPingsAround);

  const lab::Timestamp start = lab::now();
  lab.move(vm, site, lab::Announcement::kRarpQemu);
  const auto first = await_frame(port, false, lab::from_mac(mac), start);
  if (!first) throw std::runtime_error("no frame of the VM arrived at its new access port");
  Move move;
  if (with_agents) {
    const auto route = remote.wait_for_route({.prefix = vm.prefix(), .gateway = lab::uplink_address(site)},
                                             kPatience, start);
    if (route) move.route = route->at - *first;
    const auto greeting = await_frame(port, true, lab::is_greeting_to(mac, lab::kGateway), start);
    if (greeting) move.greeting = *greeting - *first;
  }
  const auto announced = [&] { return port.count(lab::is_rarp_of(mac), start) >= kRarpBurst; };
  if (!lab::wait_for(announced, kPatience)) throw std::runtime_error("the VM's RARP burst did not arrive");
  wait_answers(pinger, kPingsAround, lab::now());
  pinger.stop();
  move.ping = pinger.summary();
  return move;
}

}  // namespace untrombone::demo
