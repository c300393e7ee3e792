// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/kernel/ghosts.hpp"

#include <catch2/catch.hpp>

namespace untrombone::bgp::kernel {
namespace {

constexpr std::uint64_t kMonitor = 24410;
constexpr std::uint64_t kZebra = 12011;
constexpr std::uint64_t kNextZebra = 13011;
const KernelRoute kRoute{core::IpPrefix::parse("192.0.2.11/32").value(), {3}, 1000};
const KernelRoute kOther{core::IpPrefix::parse("192.0.2.12/32").value(), {3}, 1000};

/// As long as everybody listens.
Ghosts quiet() {
  Ghosts ghosts;
  CHECK_FALSE(ghosts.see({kMonitor, kZebra}));
  return ghosts;
}

}  // namespace

TEST_CASE("what is removed while a listener is away is a ghost, and told when it is back") {
  Ghosts ghosts = quiet();
  CHECK_FALSE(ghosts.see({kMonitor}));
  CHECK_FALSE(ghosts.awaited());
  ghosts.note_removed(kRoute);
  CHECK(ghosts.awaited());
  CHECK_FALSE(ghosts.see({kMonitor}));
  CHECK(ghosts.see({kNextZebra, kMonitor}));
  CHECK_FALSE(ghosts.awaited());
  const Ghosts::Routes routes = ghosts.take();
  REQUIRE(routes.size() == 1);
  CHECK(routes.at(kRoute.prefix) == kRoute);
  CHECK(ghosts.empty());
}

TEST_CASE("what is removed while everybody listens is no ghost") {
  Ghosts ghosts = quiet();
  ghosts.note_removed(kRoute);
  CHECK(ghosts.empty());
  // Whoever went and came between two looks read the table when it came.
  CHECK_FALSE(ghosts.see({kMonitor, kNextZebra}));
  ghosts.note_removed(kRoute);
  CHECK(ghosts.empty());
  // Another one that begins to listen is nobody's return.
  CHECK_FALSE(ghosts.see({kMonitor, kNextZebra, 1}));
}

TEST_CASE("what is there again is no ghost") {
  Ghosts ghosts = quiet();
  (void)ghosts.see({kMonitor});
  ghosts.note_removed(kRoute);
  ghosts.note_removed(kOther);
  ghosts.note_added(kRoute.prefix);
  CHECK(ghosts.see({kMonitor, kNextZebra}));
  const Ghosts::Routes routes = ghosts.take();
  CHECK((routes.size() == 1 && routes.contains(kOther.prefix)));
}

TEST_CASE("ghosts outlive a zebra that dies again before they were told") {
  Ghosts ghosts = quiet();
  (void)ghosts.see({kMonitor});
  ghosts.note_removed(kRoute);
  CHECK(ghosts.see({kMonitor, kNextZebra}));
  CHECK_FALSE(ghosts.see({kMonitor}));
  CHECK(ghosts.awaited());
  CHECK(ghosts.see({kMonitor, kNextZebra + 1}));
  CHECK(ghosts.take().size() == 1);
}

}  // namespace untrombone::bgp::kernel
