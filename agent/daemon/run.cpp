// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/run.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <exception>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "agent/daemon/agent.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/control_server.hpp"
#include "agent/daemon/log.hpp"
#include "agent/daemon/log_events.hpp"
#include "agent/daemon/metrics.hpp"
#include "agent/daemon/metrics_server.hpp"
#include "agent/daemon/notify.hpp"
#include "agent/daemon/sinks.hpp"
#include "agent/daemon/views.hpp"

namespace untrombone::daemon {
namespace {

constexpr int kCouldNot = 2;
constexpr int kBroken = 70;  // EX_SOFTWARE of sysexits.h

/// What the agent may not do without; empty: all is there.
std::string missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (syscall(SYS_capget, &header, data.data()) != 0) return {};
  const auto lacks = [&](unsigned capability) { return (data[0].effective & (1U << capability)) == 0; };
  if (lacks(CAP_NET_ADMIN)) return "CAP_NET_ADMIN";
  if (lacks(CAP_NET_RAW)) return "CAP_NET_RAW";
  return {};
}

/// Held while the agent runs: two clients with the same routes would make zebra remove the one's when the other goes
/// (and abort when both restart gracefully). An abstract socket name needs no file and dies with the process.
class InstanceLock {
 public:
  explicit InstanceLock(const std::string& target) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "untrombone:" + target;
    const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);  // the leading zero makes it abstract
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    held_ = bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) == 0;
  }
  ~InstanceLock() { close(fd_); }
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

 private:
  int fd_;
  bool held_ = false;
};

int complain(std::string_view what) {
  fmt::print(stderr, "untrombone: {}\n", what);
  return kCouldNot;
}

/// Reads the configuration again on each SIGHUP.
void reload_on(boost::asio::signal_set& hangups, Agent& agent, Notify& notify) {
  hangups.async_wait([&](const boost::system::error_code& error, int /*signal*/) {
    if (error) return;
    notify.reloading();
    static_cast<void>(agent.reload());
    notify.ready(status_line(agent));
    reload_on(hangups, agent, notify);
  });
}

int run(const Config& config, const AgentOptions& options) {
  Log log(config.log_level, config.log_format);
  boost::asio::io_context io(1);
  Agent agent(io, config, log, options.observe);
  agent.set_config_path(options.config_path);
  ControlServer control(
      io, config.control_socket,
      [&agent](const std::string& request) { return answer_request(agent, request); }, agent.share_events());
  MetricsServer metrics(io, [&agent](const std::string& path) { return serve_metrics(agent, path); });
  if (const auto started = control.start(); !started) return complain(started.error().message);
  if (!config.metrics_listen.empty()) {
    if (const auto started = metrics.start(config.metrics_listen); !started) {
      return complain(started.error().message);
    }
  }
  if (const auto started = agent.start(); !started) return complain(started.error().message);

  Notify notify(io);
  notify.ready(status_line(agent));
  agent.on_status_change([&] { notify.status(status_line(agent)); });
  log.event(LogLevel::kInfo, log_events::kAgentStarted, "the agent runs",
            {{"site", config.site}, {"version", UNTROMBONE_VERSION}});

  int status = 0;
  agent.on_failure([&] {
    status = kBroken;
    io.stop();
  });
  boost::asio::signal_set hangups(io, SIGHUP);
  reload_on(hangups, agent, notify);
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log.event(LogLevel::kInfo, log_events::kAgentStopping, "leaving in order",
              {{"signal", strsignal(signal)}});
    notify.stopping();
    hangups.cancel();
    agent.stop([&io] { io.stop(); });
  });
  io.run();
  log.event(LogLevel::kInfo, log_events::kAgentStopped, "the agent has stopped");
  return status;
}

}  // namespace

int run_agent(const AgentOptions& options) {
  const auto config = load_config(options.config_path);
  if (!config) return complain(config.error().message);
  if (const std::string missing = missing_capabilities(); !missing.empty()) {
    return complain(
        fmt::format("{} is missing; run as root or grant CAP_NET_ADMIN and CAP_NET_RAW", missing));
  }
  const InstanceLock lock(sink_target(*config));
  if (!options.observe && !lock.held()) {
    return complain(fmt::format("another agent already feeds {}", sink_target(*config)));
  }
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);  // until run() listens to it
  try {
    return run(*config, options);
  } catch (const std::exception& error) {
    complain(fmt::format("internal error: {}", error.what()));
    return kBroken;
  }
}

}  // namespace untrombone::daemon
