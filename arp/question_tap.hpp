// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <map>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "agent/core/types.hpp"

namespace untrombone::arp {

/// Hears what the kernel itself asks on an interface: its ARP requests and neighbour solicitations, as they leave.
///
/// The guard keeps those that name the gateway off the DCI, and with them every question for a guest of another site.
/// Whoever knows the answer can give it to the kernel instead.
class QuestionTap {
 public:
  /// `target` is what the kernel wants to know. Called on the io_context's thread.
  using Asked = std::function<void(core::Ifindex interface, const core::IpAddress& target)>;

  QuestionTap(boost::asio::io_context& io, Asked asked);
  ~QuestionTap();
  QuestionTap(const QuestionTap&) = delete;
  QuestionTap& operator=(const QuestionTap&) = delete;

  /// Starts to hear the interface; a second time does nothing.
  boost::system::error_code open(core::Ifindex interface);
  void close(core::Ifindex interface);

 private:
  class Interface;

  boost::asio::io_context& io_;
  Asked asked_;
  std::map<core::Ifindex, std::unique_ptr<Interface>> interfaces_;
};

}  // namespace untrombone::arp
