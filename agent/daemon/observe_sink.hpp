// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <boost/asio/io_context.hpp>

#include "agent/daemon/log.hpp"
#include "bgp/route_sink.hpp"

namespace untrombone::daemon {

/// The sink of `--observe`: says what it would do, does nothing, and answers as if it had.
class ObserveSink final : public bgp::RouteSink {
 public:
  ObserveSink(boost::asio::io_context& io, bgp::SinkListener& listener, const Log& log)
      : io_(io), listener_(listener), log_(log) {}

  void start() override {}
  void apply(const core::RouteChange& change) override;
  void flush() override {}
  void note_prior(const core::RouteKey& /*key*/) override {}
  void allow_sweep() override {}
  void stop(std::function<void()> done) override;
  [[nodiscard]] const bgp::SinkRoutes& routes() const override { return routes_; }
  [[nodiscard]] bgp::SinkStatus status() const override;
  [[nodiscard]] std::string reason_of(const core::RouteKey& /*key*/) const override { return {}; }

 private:
  boost::asio::io_context& io_;
  bgp::SinkListener& listener_;
  const Log& log_;
  bgp::SinkRoutes routes_;
};

}  // namespace untrombone::daemon
