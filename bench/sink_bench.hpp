// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bench/speakers.hpp"
#include "bgp/route_sink.hpp"
#include "tests/lab/lab.hpp"

namespace untrombone::bench {

/// One lab whose site A has one kind of sink. Each run takes the routes from nothing to the WAN router's kernel and
/// back to nothing, and tells the seconds from the first one sent to the last one there.
class SinkBench {
 public:
  SinkBench(lab::Sink kind, std::uint32_t count);

  /// Through our sink.
  double ours();
  /// By the bare thing that the sink does: a zebra client that writes the same bytes, `ip -batch`, `vtysh -f`.
  double bare();
  /// By another BGP speaker in the place of the site's bgpd, which does not come back.
  template <typename Other>
  double speaker() {
    Other other(lab_);
    return run_speaker(other);
  }

 private:
  std::unique_ptr<bgp::RouteSink> make(boost::asio::io_context& io, bgp::SinkListener& ears);
  double bare_client();
  double bare_batch();
  double bare_vtysh();
  double run_speaker(Speaker& speaker);
  void start_round();
  [[nodiscard]] std::size_t arrived() { return remote_.size() - others_; }
  void wait_for_all();
  void wait_for_none();

  lab::Sink kind_;
  std::vector<std::string> prefixes_;
  lab::Lab lab_;
  lab::RouteWatcher remote_;
  std::size_t others_ = 0;  ///< routes in the remote kernel that are not ours
  int ifindex_ = 0;
};

}  // namespace untrombone::bench
