// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "bgp/bmp_codec.hpp"
#include "bgp/claim_source.hpp"

namespace untrombone::bgp {

struct BmpClaimsOptions {
  core::IpAddress address;  ///< where to listen
  std::uint16_t port = 0;
  std::uint32_t fresh_community = 0;  ///< AS in the upper half, value in the lower
  std::uint32_t settled_community = 0;
  std::uint32_t lingering_community = 0;
  std::vector<core::IpAddress> same_site;  ///< next hops of this site's other edges: no claims
};

/// Claims as bgpd's BMP module (`bgpd -M bmp`, "bmp monitor ... post-policy") tells them: at once, and also while our
/// own path is the best one. The agent listens, bgpd connects.
///
/// Routes of the default BGP instance only. What a peer announced goes when it withdraws it, when the peer goes down,
/// and when the connection ends; until a new one has told everything again, what bgpd's table shows (VtyClaims) is what
/// is known.
class BmpClaims final : public ClaimSource {
 public:
  BmpClaims(boost::asio::io_context& io, ClaimListener& listener, BmpClaimsOptions options);
  ~BmpClaims() override;

  void follow(const std::vector<ClaimScope>& scopes) override;
  void stop() override;
  [[nodiscard]] std::vector<ClaimListStatus> status() const override;

 private:
  class Connection;
  /// Which peers of which connection announce a prefix.
  struct Teller {
    const Connection* connection;
    bmp::Peer peer;
    auto operator<=>(const Teller&) const = default;
  };
  struct Told {
    core::RouteClass route_class;
    std::optional<std::uint32_t> metric;
    core::IpAddress from;
  };

  void listen();
  void accept();
  void end(Connection& connection, const std::string& why);
  void take_update(const Teller& teller, const bmp::Update& update);
  void announce(const Teller& teller, const core::IpPrefix& prefix, const Told& told);
  void withdraw(const Teller& teller, const core::IpPrefix& prefix);
  /// Forgets all of a connection, or of one of its peers.
  void forget(const Connection& connection, const bmp::Peer* peer);
  void tell(const core::IpPrefix& prefix);
  [[nodiscard]] std::optional<core::RouteClass> class_of(const std::vector<std::uint32_t>& communities) const;

  boost::asio::io_context& io_;
  ClaimListener& listener_;
  BmpClaimsOptions options_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::map<core::IpPrefix, std::map<Teller, Told>> told_;
  ClaimListStatus status_;
  bool stopped_ = false;
};

}  // namespace untrombone::bgp
