// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/sinks.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "agent/core/route_metrics.hpp"
#include "agent/daemon/clock.hpp"
#include "agent/daemon/observe_sink.hpp"
#include "bgp/kernel_table_sink.hpp"
#include "bgp/vtysh_sink.hpp"
#include "bgp/zapi_sink.hpp"

namespace untrombone::daemon {
namespace {

std::unique_ptr<bgp::RouteSink> make_zapi_sink(boost::asio::io_context& io, bgp::SinkListener& listener,
                                               const Config& config) {
  bgp::ZapiSinkOptions options;
  options.socket = config.zapi_socket;
  options.vty_dir = config.vty_dir;
  options.version = config.frr_version;
  options.table = config.table;
  options.isis = std::find(config.protocols.begin(), config.protocols.end(), bgp::RoutingProtocol::kIsis) !=
                 config.protocols.end();
  options.retain = config.on_exit == OnExit::kRetain;
  options.retain_time = std::chrono::ceil<std::chrono::seconds>(config.retain_time);
  return std::make_unique<bgp::ZapiSink>(io, listener, options, monotonic_now);
}

std::unique_ptr<bgp::RouteSink> make_kernel_table_sink(boost::asio::io_context& io,
                                                       bgp::SinkListener& listener, const Config& config) {
  bgp::KernelTableSinkOptions options;
  options.table = static_cast<std::uint8_t>(config.table);
  options.vty_dir = config.vty_dir;
  options.lingering_metric = config.core.routes.metric + core::kLingeringMetricPenalty;
  options.retain = config.on_exit == OnExit::kRetain;
  return std::make_unique<bgp::KernelTableSink>(io, listener, options, monotonic_now);
}

std::unique_ptr<bgp::RouteSink> make_vtysh_sink(boost::asio::io_context& io, bgp::SinkListener& listener,
                                                const Config& config) {
  bgp::VtyshSinkOptions options;
  options.vty_dir = config.vty_dir;
  options.first_tag = config.core.routes.tag;
  options.retain = config.on_exit == OnExit::kRetain;
  return std::make_unique<bgp::VtyshSink>(io, listener, options, monotonic_now);
}

}  // namespace

std::unique_ptr<bgp::RouteSink> make_sink(boost::asio::io_context& io, bgp::SinkListener& listener,
                                          const Config& config, const Log& log, bool observe) {
  if (observe) return std::make_unique<ObserveSink>(io, listener, log);
  switch (config.sink) {
    case SinkKind::kZapi: break;
    case SinkKind::kKernelTable: return make_kernel_table_sink(io, listener, config);
    case SinkKind::kVtysh: return make_vtysh_sink(io, listener, config);
  }
  return make_zapi_sink(io, listener, config);
}

std::string sink_target(const Config& config) {
  switch (config.sink) {
    case SinkKind::kZapi: break;
    case SinkKind::kKernelTable: return fmt::format("table {}", config.table);
    case SinkKind::kVtysh: return config.vty_dir;
  }
  return config.zapi_socket;
}

}  // namespace untrombone::daemon
