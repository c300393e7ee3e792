// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/event_hub.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "agent/daemon/clock.hpp"

namespace untrombone::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kKinds{EventKind::kHost,    EventKind::kMove, EventKind::kRoute, EventKind::kAlarm,
                            EventKind::kSegment, EventKind::kSink, EventKind::kGuard};

std::optional<EventKind> find_kind(const nlohmann::json& name) {
  const auto* const found = std::find_if(kKinds.begin(), kKinds.end(), [&](EventKind kind) {
    return name.is_string() && name.get_ref<const std::string&>() == to_string(kind);
  });
  return found == kKinds.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kHost: return "host";
    case EventKind::kMove: return "move";
    case EventKind::kRoute: return "route";
    case EventKind::kAlarm: return "alarm";
    case EventKind::kSegment: return "segment";
    case EventKind::kSink: return "sink";
    case EventKind::kGuard: return "guard";
  }
  return "?";
}

std::optional<WatchRequest> parse_watch(const std::string& line) {
  const nlohmann::json request = nlohmann::json::parse(line, nullptr, false);
  if (!request.is_object()) return std::nullopt;
  const auto command = request.find("command");
  if (command == request.end() || *command != "watch") return std::nullopt;
  const auto events = request.find("events");
  if (events == request.end()) return WatchRequest{{}, {kKinds.begin(), kKinds.end()}};
  if (!events->is_array()) return WatchRequest{"\"events\" is no list", {}};
  WatchRequest wanted;
  for (const nlohmann::json& name : *events) {
    const auto kind = find_kind(name);
    if (!kind) return WatchRequest{fmt::format("there are no events {}", name.dump()), {}};
    wanted.kinds.insert(*kind);
  }
  return wanted;
}

void EventHub::publish(EventKind kind, const Json& fields) {
  if (!is_watched()) return;
  Json event{{"event", to_string(kind)}, {"at", to_iso8601(monotonic_now())}};
  event.update(fields);
  const auto line =
      std::make_shared<const std::string>(event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  ++published_;
  const std::vector<Watcher*> watchers = watchers_;  // one may leave meanwhile
  for (Watcher* const watcher : watchers) watcher->on_event(kind, line);
}

}  // namespace untrombone::daemon
