// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include <boost/asio/io_context.hpp>

#include "agent/core/site.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/topology.hpp"
#include "arp/question_tap.hpp"
#include "netlink/neighbour_writer.hpp"

namespace untrombone::daemon {

/// Answers the kernel's own questions about hosts of other sites. With the gateway's ARP kept off the DCI it hears no
/// answer from them, and what comes in for one that nobody announces would be lost.
class KernelAnswers {
 public:
  KernelAnswers(boost::asio::io_context& io, const Config& config, const Topology& topology,
                const core::Site& site, const Log& log);

  /// Hears the interfaces of guarded segments, as they are now.
  void follow();

 private:
  void answer(core::Ifindex interface, const core::IpAddress& target);

  const Config& config_;
  const Topology& topology_;
  const core::Site& site_;
  const Log& log_;
  arp::QuestionTap tap_;
  netlink::NeighbourWriter writer_;
  std::vector<core::Ifindex> heard_;  ///< by segment
};

}  // namespace untrombone::daemon
