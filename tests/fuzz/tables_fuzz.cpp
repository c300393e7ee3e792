// SPDX-License-Identifier: GPL-2.0-or-later
#include <random>
#include <utility>

#include <nlohmann/json.hpp>

#include "bgp/claim_tables.hpp"
#include "bgp/json_members.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

using bgp::JsonMembers;

struct Read {
  std::vector<std::pair<std::string, std::string>> members;
  bool understood = true;
  bool complete = false;
  bool operator==(const Read&) const = default;
};

/// `next_size()` says how many octets the next part has.
template <typename NextSize>
Read read(std::string_view object, const std::string& text, NextSize next_size) {
  JsonMembers reader(object);
  Read result;
  for (std::size_t at = 0; at < text.size() && result.understood;) {
    const std::string part = text.substr(at, next_size());
    at += part.size();
    result.understood = reader.take(part, [&](std::string_view name, std::string_view value) {
      result.members.emplace_back(name, value);
      return true;
    });
  }
  result.complete = reader.complete();
  return result;
}

void check_claim(const bgp::TableMember& member) {
  require(member.understood || !member.claim, "what is not understood claims nothing");
  if (!member.claim) return;
  require(member.claim->prefix.length() <= member.claim->prefix.address().bits(), "a claim's prefix is one");
}

}  // namespace

/// The input is an answer of bgpd or zebra.
void run(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  for (const std::string_view object : {"", "routes"}) {
    const Read whole = read(object, text, [&] { return text.size(); });
    std::minstd_rand random(static_cast<unsigned>(input.size()) + 1);
    require(read(object, text, [&] { return 1 + random() % 9; }) == whole, "any parts give the same members");
    for (const auto& [name, value] : whole.members) {
      check_claim(bgp::decode_bgp_member(name, value, core::RouteClass::kFresh));
      check_claim(bgp::decode_zebra_member(name, value, 4210));
    }
    const auto document = nlohmann::json::parse(text, nullptr, false);
    const bool marked = text.starts_with("\xef");  // a byte order mark: the other parser skips it
    if (!document.is_object() || marked || text.size() >= JsonMembers::kLongestMember) continue;
    require(whole.understood && whole.complete, "every JSON object is understood");
  }
}

}  // namespace untrombone::fuzz
