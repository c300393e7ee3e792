// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/daemon/event_queue.hpp"

namespace untrombone::daemon {

/// The kinds of event that can be watched (docs/control-protocol.md).
enum class EventKind : std::uint8_t { kHost, kMove, kRoute, kAlarm, kSegment, kSink, kGuard };
[[nodiscard]] std::string_view to_string(EventKind kind);

/// A "watch" request: what is wrong with it, or which kinds it wants.
struct WatchRequest {
  std::string error;
  std::set<EventKind> kinds;
};
/// nullopt: the line asks for something else.
[[nodiscard]] std::optional<WatchRequest> parse_watch(const std::string& line);

/// Gets the lines of the kinds it asked for.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_event(EventKind kind, const EventLine& line) = 0;
};

/// Hands each event to everybody who watches. Nothing is rendered while nobody does.
class EventHub {
 public:
  /// `watcher` has to leave before it dies.
  void join(Watcher& watcher) { watchers_.push_back(&watcher); }
  void leave(Watcher& watcher) { std::erase(watchers_, &watcher); }
  [[nodiscard]] std::size_t watchers() const { return watchers_.size(); }
  [[nodiscard]] bool is_watched() const { return !watchers_.empty(); }

  /// Adds "event" and "at" in front of `fields` and sends it.
  void publish(EventKind kind, const nlohmann::ordered_json& fields);

  void count_dropped(std::uint64_t lines) { dropped_ += lines; }
  [[nodiscard]] std::uint64_t published() const { return published_; }
  /// Lines that watchers lost because they did not keep up.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  std::vector<Watcher*> watchers_;
  std::uint64_t published_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace untrombone::daemon
