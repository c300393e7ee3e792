// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include <catch2/catch.hpp>

#include "bgp/route_sink.hpp"
#include "tests/netns/bridge_netns.hpp"

namespace untrombone::testing {

/// Keeps what a sink on the bridge of a BridgeNetns says.
class Recorder final : public bgp::SinkListener {
 public:
  void on_route_noted(const core::RouteNoted& note) override { notes.push_back(note); }
  void on_prior_route(const core::RouteKey& key, core::Ifindex interface) override {
    CHECK(interface == kBridge);
    prior.push_back(key);
  }
  void on_sink_status() override { ++changes; }
  void on_leftovers_superseded(const std::vector<core::RouteKey>& keys) override {
    superseded.insert(superseded.end(), keys.begin(), keys.end());
  }

  std::vector<core::RouteNoted> notes;
  std::vector<core::RouteKey> prior;
  std::vector<core::RouteKey> superseded;
  int changes = 0;  ///< of the status
};

}  // namespace untrombone::testing
