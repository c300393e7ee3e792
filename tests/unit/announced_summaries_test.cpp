// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/announced_summaries.hpp"

#include <map>
#include <optional>
#include <random>
#include <set>

#include <catch2/catch.hpp>

namespace untrombone::core {
namespace {

using Model = std::map<IpPrefix, bool>;  ///< is it solid?

IpPrefix random_prefix(Family family, std::mt19937& random) {
  const auto high = static_cast<std::uint8_t>(random() % 4);
  const auto low = static_cast<std::uint8_t>(random());
  const auto shorter = static_cast<unsigned>(random() % 12);
  if (family == Family::kIpv4) return {IpAddress::v4({10, 1, high, low}), 31 - shorter};
  return {IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}), 127 - shorter};
}

std::set<IpPrefix> inside(const AnnouncedSummaries& summaries, const IpPrefix& within) {
  std::set<IpPrefix> found;
  summaries.for_each(
      within, [&](const IpPrefix& prefix, const SummaryFlags&) { CHECK(found.insert(prefix).second); });
  return found;
}

void compare(const AnnouncedSummaries& summaries, const Model& model, const IpPrefix& within) {
  REQUIRE(summaries.size() == model.size());
  std::set<IpPrefix> expected;
  std::optional<IpPrefix> solid_cover;
  for (const auto& [prefix, solid] : model) {
    if (within.contains(prefix)) expected.insert(prefix);
    const bool longer = !solid_cover || prefix.length() > solid_cover->length();
    if (solid && longer && prefix.contains(within.address())) solid_cover = prefix;
  }
  REQUIRE(inside(summaries, within) == expected);
  REQUIRE(summaries.contains(within) == model.contains(within));
  const auto is_solid = [](const IpPrefix& /*prefix*/, const SummaryFlags& flags) { return flags.solid; };
  REQUIRE(summaries.find_cover(within.address(), is_solid) == solid_cover);
}

void live(Family family) {
  std::mt19937 random(static_cast<unsigned>(family));
  AnnouncedSummaries summaries(family);
  Model model;
  for (int step = 0; step < 12000; ++step) {
    const IpPrefix prefix = random_prefix(family, random);
    const bool grows = step % 6000 < 3000;  // it fills, is emptied, and again
    if (random() % 4 == 0 ? !grows : grows) {
      const bool solid = random() % 2 == 0;
      summaries.add(prefix).solid = model[prefix] = solid;
    } else if (model.erase(prefix) != 0) {
      summaries.remove(prefix);
    }
    if (step % 50 == 0) compare(summaries, model, random_prefix(family, random));
  }
  for (const auto& [prefix, solid] : model) summaries.remove(prefix);
  compare(summaries, {}, random_prefix(family, random));
}

TEST_CASE("announced summaries: what is inside a prefix and what covers an address, as in a plain map") {
  live(Family::kIpv4);
  live(Family::kIpv6);
}

TEST_CASE("announced summaries: no host route, nothing of the other family") {
  AnnouncedSummaries summaries(Family::kIpv4);
  summaries.add(*IpPrefix::parse("10.0.0.0/8"));
  summaries.add(*IpPrefix::parse("0.0.0.0/0"));
  CHECK_FALSE(summaries.contains(*IpPrefix::parse("10.0.0.0/32")));
  CHECK_FALSE(summaries.contains(*IpPrefix::parse("::/0")));
  CHECK(inside(summaries, *IpPrefix::parse("10.0.0.0/32")).empty());
  CHECK(inside(summaries, *IpPrefix::parse("0.0.0.0/0")).size() == 2);
  CHECK_THROWS_AS(summaries.at(*IpPrefix::parse("10.0.0.0/9")), std::out_of_range);
}

}  // namespace
}  // namespace untrombone::core
