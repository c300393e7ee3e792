// SPDX-License-Identifier: GPL-2.0-or-later
// Many hosts at once: whom a summary may stand for, and who needs a route of its own at once.
#include <algorithm>

#include <catch2/catch.hpp>

#include "agent/core/announcer.hpp"

namespace untrombone::core {
namespace {

using namespace std::chrono_literals;

constexpr SegmentId kSegment{0};
constexpr TimePoint kNow{1h};

IpAddress host(std::uint8_t number) { return IpAddress::v4({10, 1, 0, number}); }

/// A site that owns 10.1.0.0/17, in the middle of a mass event.
class MassEvent {
 public:
  MassEvent() : announcer_(settings()) {
    for (std::uint8_t number = 200; number < 210; ++number) arrives(number);
  }
  /// Is its own route announced at once?
  bool arrives(std::uint8_t number) {
    Announcements out;
    announcer_.set_host(kSegment, {host(number), RouteClass::kFresh, false, kNow}, kNow, out);
    return std::any_of(out.begin(), out.end(), [&](const Announcement& each) {
      return each.prefix == IpPrefix::host(host(number)) && each.route_class == RouteClass::kFresh;
    });
  }
  void claim(const IpPrefix& prefix) {
    Announcements out;
    announcer_.set_claimed(kSegment, prefix, true, kNow, out);
  }

 private:
  static SiteSettings settings() {
    SegmentSettings segment;
    segment.subnets = {*IpPrefix::parse("10.1.0.0/16")};
    segment.mode = SummaryMode::kHome;
    segment.home_blocks = {*IpPrefix::parse("10.1.0.0/17")};
    SiteSettings site;
    site.segments = {segment};
    site.routes.mass_threshold = 5;
    return site;
  }
  Announcer announcer_;
};

}  // namespace

TEST_CASE("in a mass event a covered host waits for its own route", "[summaries]") {
  MassEvent event;
  CHECK_FALSE(event.arrives(7));
}

TEST_CASE("in a mass event a host that another site announces by whatever prefix has its own route at once",
          "[summaries]") {
  MassEvent event;
  event.claim(IpPrefix::host(host(7)));
  event.claim(*IpPrefix::parse("10.1.0.16/28"));
  CHECK(event.arrives(7));
  CHECK(event.arrives(17));
  CHECK_FALSE(event.arrives(8));
  event.claim(*IpPrefix::parse("10.1.0.0/17"));  // the other site may split it
  CHECK(event.arrives(9));
}

}  // namespace untrombone::core
