// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/log.hpp"

#include <iterator>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace untrombone::daemon {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace: return spdlog::level::trace;
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Quotes a value that a person or a script could misread.
std::string quoted(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
  return plain ? value : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Log::Log(std::string_view level, LogFormat format)
    : logger_(
          std::make_shared<spdlog::logger>("untrombone", std::make_shared<spdlog::sinks::stderr_sink_st>())),
      format_(format) {
  logger_->set_level(spdlog::level::from_str(std::string(level)));
  logger_->flush_on(spdlog::level::trace);
  logger_->set_pattern(format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%f%z","level":"%l",%v})"
                                                  : "%Y-%m-%dT%H:%M:%S.%e %-7l %v");
}

void Log::set_level(std::string_view level) {
  logger_->set_level(spdlog::level::from_str(std::string(level)));
}

bool Log::enabled(LogLevel level) const { return logger_->should_log(to_spdlog(level)); }

void Log::event(LogLevel level, std::string_view id, std::string_view message,
                std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  fmt::memory_buffer line;
  auto out = std::back_inserter(line);
  if (format_ == LogFormat::kJson) {
    nlohmann::json object{{"event", id}, {"message", message}};
    for (const auto& [key, value] : fields) object[std::string(key)] = value;
    const std::string text = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    fmt::format_to(out, "{}", std::string_view(text).substr(1, text.size() - 2));
  } else {
    fmt::format_to(out, "[{}] {}", id, message);
    for (const auto& [key, value] : fields) fmt::format_to(out, " {}={}", key, quoted(value));
  }
  logger_->log(to_spdlog(level), std::string_view(line.data(), line.size()));
}

void Log::flush() const { logger_->flush(); }

}  // namespace untrombone::daemon
