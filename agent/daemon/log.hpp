// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "agent/daemon/config.hpp"

namespace spdlog {
class logger;
}

namespace untrombone::daemon {

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };

/// Writes events to standard error: an id of log_events.hpp, a message for people, and key=value fields for machines.
class Log {
 public:
  using Field = std::pair<std::string_view, std::string>;

  Log(std::string_view level, LogFormat format);

  void event(LogLevel level, std::string_view id, std::string_view message,
             std::initializer_list<Field> fields = {}) const;
  void set_level(std::string_view level);
  [[nodiscard]] bool enabled(LogLevel level) const;
  void flush() const;

 private:
  std::shared_ptr<spdlog::logger> logger_;
  LogFormat format_;
};

}  // namespace untrombone::daemon
