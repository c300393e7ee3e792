// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/move_log.hpp"

#include <catch2/catch.hpp>

#include "agent/daemon/event_hub.hpp"
#include "agent/daemon/event_queue.hpp"

namespace untrombone::daemon {
namespace {

using core::HostState;
using std::chrono::microseconds;
using std::chrono::milliseconds;

core::TimePoint at(core::Duration since_start) { return core::TimePoint(since_start); }

core::IpAddress address(std::uint8_t last) { return core::IpAddress::v4({192, 0, 2, last}); }

core::Transition transition(core::IpAddress ip, HostState from, HostState to, core::TimePoint when) {
  core::Transition made;
  made.ip = ip;
  made.from = from;
  made.to = to;
  made.when = when;
  return made;
}

core::Host fresh(core::TimePoint cause) {
  core::Host host;
  host.route_class = core::RouteClass::kFresh;
  host.cause = cause;
  return host;
}

core::RouteKey key_of(core::IpAddress ip) { return {{}, core::IpPrefix::host(ip)}; }

const Move* arrive(MoveLog& log, core::IpAddress ip, core::TimePoint cause) {
  const core::TimePoint now = cause + microseconds(80);
  return log.take(transition(ip, HostState::kRemote, HostState::kProvisional, now), fresh(cause), key_of(ip),
                  now);
}
}  // namespace

TEST_CASE("an arrival is a move, a confirmation is none, a departure is the next") {
  MoveLog log;
  const Move* const came = arrive(log, address(1), at(milliseconds(1)));
  REQUIRE(came != nullptr);
  CHECK(came->kind == MoveKind::kArrival);
  CHECK(came->verdict == microseconds(80));
  CHECK(log.take(transition(address(1), HostState::kProvisional, HostState::kLocal, at(milliseconds(2))),
                 fresh(at(milliseconds(1))), key_of(address(1)), at(milliseconds(2))) == nullptr);
  const Move* const went =
      log.take(transition(address(1), HostState::kLocal, HostState::kDeparting, at(milliseconds(3))), {},
               key_of(address(1)), at(milliseconds(3)));
  REQUIRE(went != nullptr);
  CHECK(went->kind == MoveKind::kDeparture);
  CHECK(log.take(transition(address(1), HostState::kDeparting, HostState::kRemote, at(milliseconds(4))), {},
                 key_of(address(1)), at(milliseconds(4))) == nullptr);
  CHECK(log.arrivals() == 1);
  CHECK(log.departures() == 1);
}

TEST_CASE("a route that bgpd was seen to have is noted at its move, unless that is forgotten") {
  MoveLog log;
  const core::TimePoint cause = at(milliseconds(1));
  const Move* const came = arrive(log, address(1), cause);
  const Move* const seen = log.note_in_bgpd(came->id, cause + milliseconds(70));
  REQUIRE(seen != nullptr);
  CHECK(seen->bgpd == milliseconds(70));
  CHECK(log.bgpd().count() == 1);
  CHECK(log.note_in_bgpd(came->id + 1, cause) == nullptr);
  CHECK(log.note_in_bgpd(0, cause) == nullptr);
}

TEST_CASE("a host that was here when the agent started did not move") {
  MoveLog log;
  core::Host host = fresh(at(milliseconds(1)));
  host.route_class = core::RouteClass::kSettled;
  CHECK(log.take(transition(address(1), HostState::kUnknown, HostState::kLocal, at(milliseconds(1))), host,
                 key_of(address(1)), at(milliseconds(1))) == nullptr);
  CHECK(log.moves().empty());
}

TEST_CASE("an acknowledgement completes the arrival it belongs to, once") {
  MoveLog log;
  const core::TimePoint cause = at(milliseconds(1));
  arrive(log, address(1), cause);
  bgp::Arrival arrival{cause, cause + microseconds(200), cause + milliseconds(11)};
  const bgp::Arrival older{at(microseconds(1)), arrival.sent, arrival.installed};
  CHECK(log.note_installed(key_of(address(2)), arrival) == nullptr);
  CHECK(log.note_installed(key_of(address(1)), older) == nullptr);
  const Move* const move = log.note_installed(key_of(address(1)), arrival);
  REQUIRE(move != nullptr);
  CHECK(move->sent == core::Duration(microseconds(200)));
  CHECK(move->installed == core::Duration(milliseconds(11)));
  CHECK(log.note_installed(key_of(address(1)), arrival) == nullptr);
  CHECK(log.installed().count() == 1);
}

TEST_CASE("the log is bounded, and an answer for a forgotten move is ignored") {
  MoveLog log;
  const core::TimePoint cause = at(milliseconds(1));
  arrive(log, address(1), cause);
  for (std::size_t i = 0; i < MoveLog::kCapacity; ++i) arrive(log, address(2), at(milliseconds(2)));
  CHECK(log.moves().size() == MoveLog::kCapacity);
  CHECK(log.note_installed(key_of(address(1)), {cause, cause, cause}) == nullptr);
  const core::TimePoint last = at(milliseconds(2));
  CHECK(log.note_installed(key_of(address(2)), {last, last, last}) == &log.moves().back());
}

TEST_CASE("a quantile is a bound that is not exceeded") {
  LatencyHistogram histogram;
  CHECK(histogram.quantile(0.5) == core::Duration::zero());
  for (int i = 0; i < 99; ++i) histogram.observe(microseconds(200));
  histogram.observe(std::chrono::minutes(1));
  histogram.observe(microseconds(-5));
  CHECK(histogram.count() == 101);
  CHECK(histogram.quantile(0.5) == core::Duration(microseconds(250)));
  CHECK(histogram.quantile(1) == core::Duration(std::chrono::minutes(1)));
  CHECK(histogram.buckets().front() == 1);
  CHECK(histogram.buckets().back() == 1);
}

TEST_CASE("a watcher that is too slow loses events and is told where and how many") {
  EventQueue queue(2);
  const auto line = [](const char* text) { return std::make_shared<const std::string>(text); };
  for (const char* const text : {"1", "2", "3", "4"}) queue.offer(line(text));
  CHECK(*queue.take() == "1");
  queue.offer(line("5"));  // there would be room, but 3 is missing
  CHECK(*queue.take() == "2");
  CHECK(*queue.take() == "{\"event\":\"dropped\",\"count\":3}\n");
  CHECK(queue.take() == nullptr);
  queue.offer(line("6"));
  CHECK(*queue.take() == "6");
  CHECK(queue.dropped() == 3);
}

TEST_CASE("a request to watch names kinds that exist, or none for all") {
  CHECK_FALSE(parse_watch("nonsense"));
  CHECK_FALSE(parse_watch(R"({"command":"status"})"));
  const auto all = parse_watch(R"({"command":"watch"})");
  REQUIRE(all);
  CHECK(all->kinds.size() == 7);
  const auto some = parse_watch(R"({"command":"watch","events":["move","alarm"]})");
  REQUIRE(some);
  CHECK(some->kinds == std::set<EventKind>{EventKind::kMove, EventKind::kAlarm});
  CHECK(parse_watch(R"({"command":"watch","events":["nothing"]})")->error ==
        "there are no events \"nothing\"");
  CHECK(parse_watch(R"({"command":"watch","events":7})")->error == "\"events\" is no list");
}

TEST_CASE("events reach those who asked for them") {
  struct Listener : Watcher {
    void on_event(EventKind kind, const EventLine& line) override {
      kinds.push_back(kind);
      last = *line;
    }
    std::vector<EventKind> kinds;
    std::string last;
  };
  EventHub hub;
  hub.publish(EventKind::kSink, {{"state", "synced"}});
  CHECK(hub.published() == 0);
  Listener listener;
  hub.join(listener);
  hub.publish(EventKind::kSink, {{"state", "synced"}});
  REQUIRE(listener.kinds == std::vector<EventKind>{EventKind::kSink});
  const auto event = nlohmann::json::parse(listener.last);
  CHECK(event.at("event") == "sink");
  CHECK(event.at("state") == "synced");
  CHECK(event.contains("at"));
  hub.leave(listener);
  CHECK_FALSE(hub.is_watched());
}

}  // namespace untrombone::daemon
