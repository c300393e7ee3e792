// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bgp/claim_source.hpp"
#include "bgp/claim_tables.hpp"
#include "bgp/json_members.hpp"
#include "bgp/vty_client.hpp"

namespace untrombone::bgp {

struct VtyClaimsOptions {
  std::string vty_dir = "/var/run/frr";
  std::string fresh_community;             ///< "65000:4211"
  std::string settled_community;           ///< "65000:4210"
  std::uint32_t tag = 4210;                ///< of settled routes
  core::Duration settle{};                 ///< fresh claims are looked for several times in this
  std::vector<core::IpAddress> same_site;  ///< next hops of this site's other edges: no claims
};

/// Claims out of FRR's tables, by asking again and again: bgpd for the routes that carry a class community, zebra for
/// what OSPF and IS-IS gave it, whether it selected that or not. This shows a claim while our own route is selected
/// here, and nothing else would tell.
///
/// A round asks, one after the other, for each VRF and family (zebra: subnet and protocol) of one list; what a complete
/// round did not show is gone. Fresh claims and the IGP's are looked for six times in `settle`, settled ones a tenth as
/// often, and no round more often than ten times as long as it took. A round that fails is tried again in the next
/// period; what was known stays.
class VtyClaims final : public ClaimSource {
 public:
  VtyClaims(boost::asio::io_context& io, ClaimListener& listener, VtyClaimsOptions options);

  /// Asks as often as this wants from now on.
  void set_settle(core::Duration settle);
  void follow(const std::vector<ClaimScope>& scopes) override;
  void stop() override;
  [[nodiscard]] std::vector<ClaimListStatus> status() const override;

 private:
  struct Question {
    core::VrfId vrf;
    std::string command;
  };
  struct Round {
    explicit Round(boost::asio::io_context& io) : timer(io) {}
    boost::asio::steady_timer timer;
    ClaimListStatus status;
    VtyClient* client = nullptr;
    core::Duration period{};
    std::vector<Question> questions;
    std::size_t next = 0;
    std::chrono::steady_clock::time_point began;
    bool running = false;
  };

  void schedule(Round& round, core::Duration after);
  void begin(Round& round);
  void ask_next(Round& round);
  void finish(Round& round, const std::string& failure);
  [[nodiscard]] std::vector<Question> questions_for(core::ClaimList list) const;
  [[nodiscard]] std::vector<Question> bgp_questions(const std::string& community) const;
  [[nodiscard]] std::vector<Question> igp_questions() const;
  [[nodiscard]] TableMember decode(core::ClaimList list, std::string_view name, std::string_view value) const;
  bool take_member(const Round& round, core::VrfId vrf, std::string_view name, std::string_view value);

  ClaimListener& listener_;
  VtyClaimsOptions options_;
  VtyClient bgpd_;
  VtyClient zebra_;
  std::vector<ClaimScope> scopes_;
  std::vector<std::unique_ptr<Round>> rounds_;
  bool stopped_ = false;
};

}  // namespace untrombone::bgp
