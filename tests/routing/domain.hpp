// SPDX-License-Identifier: GPL-2.0-or-later
// Two site edges and the router between them, each with the configuration that `frr-config` prints, and the agent's
// own sink on the edges.
//
//   A br0 --- A wan0 === to-a R to-b === wan0 B --- br0 B
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bgp/frr_config.hpp"
#include "bgp/zapi_sink.hpp"
#include "tests/lab/guardian.hpp"
#include "tests/lab/types.hpp"
#include "tests/routing/router.hpp"

namespace untrombone::routing {

using lab::Site;

inline constexpr std::chrono::seconds kPatience{60};
inline constexpr const char* kHost4 = "10.1.0.7/32";
inline constexpr const char* kHost6 = "2001:db8:1::7/128";

enum class Layout {
  kOneAs,       // iBGP, R reflects
  kAcrossAses,  // eBGP, an AS for each router
  kOspf,        // OSPFv2 and OSPFv3
  kIsis         // both families
};

// What an edge announces by the agent's sink.
class Announcer final : public bgp::SinkListener {
 public:
  Announcer(boost::asio::io_context& io, const std::string& socket, bool isis);

  void announce(const std::string& prefix, core::RouteClass route_class);
  void withdraw(const std::string& prefix);
  // The state of its route as zebra's notes tell it; nothing: no route is wanted or left.
  std::optional<bgp::RouteState> state(const std::string& prefix) const;
  bgp::SinkStatus status() const { return sink_.status(); }

  void on_route_noted(const core::RouteNoted& /*note*/) override {}
  void on_prior_route(const core::RouteKey& /*key*/, core::Ifindex /*interface*/) override {}
  void on_sink_status() override {}

 private:
  bgp::ZapiSink sink_;
};

class Domain {
 public:
  explicit Domain(Layout layout, bgp::LeakGuard leak_guard = bgp::LeakGuard::kMarker);

  Layout layout() const { return layout_; }
  Router& edge(Site site) { return *edges_.at(site); }
  Router& remote() { return *remote_; }
  Announcer& announcer(Site site) { return *announcers_.at(site); }
  // The request of the edges' configuration for a protocol.
  bgp::FrrConfigRequest request(bgp::RoutingProtocol protocol);
  const lab::Netns& add_netns(const std::string& name);
  std::filesystem::path directory(const std::string& name) const;

  // Runs the sinks until condition() holds; false when it still does not after kPatience.
  bool becomes(const std::function<bool()>& condition);
  // Does R send to the host by the site, and by it alone?
  bool reaches(const std::string& prefix, Site site);
  bool lost_to_better(Site site, const std::string& prefix);

 private:
  void wire(Site site);
  void configure(Site site);
  void configure_remote();
  void wait_adjacent();
  std::string base(const std::string& name) const;

  Layout layout_;
  bgp::LeakGuard leak_guard_;
  std::string id_;
  lab::Guardian guardian_;
  std::map<std::string, lab::Netns> namespaces_;
  std::map<Site, std::unique_ptr<Router>> edges_;
  std::unique_ptr<Router> remote_;
  boost::asio::io_context io_;
  std::map<Site, std::unique_ptr<Announcer>> announcers_;
};

// What frr-config prints; throws what it refuses.
std::string rendered(const bgp::FrrConfigRequest& request);

// R's interface towards the site.
std::string port_to(Site site);

}  // namespace untrombone::routing
