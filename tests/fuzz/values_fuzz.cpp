// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/types.hpp"
#include "agent/daemon/config_duration.hpp"
#include "bgp/zapi/release.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace untrombone::fuzz {
namespace {

/// A value that could be read is read again from the text it is written as.
template <typename T>
void check_text(std::string_view text) {
  const auto value = T::parse(text);
  if (value) require(T::parse(value->to_string()) == value, "what was written is read as the same value");
}

}  // namespace

/// The input is the text of an address, a prefix, a duration or an FRR release.
void run(std::span<const std::byte> input) {
  const std::string text = text_of(input);
  check_text<core::MacAddress>(text);
  check_text<core::IpAddress>(text);
  check_text<core::IpPrefix>(text);

  if (const auto prefix = core::IpPrefix::parse(text)) {
    require(prefix->contains(prefix->address()) && prefix->contains(prefix->last()),
            "a prefix holds its ends");
    require(core::IpPrefix(prefix->last(), prefix->length()) == *prefix,
            "its last address has the same prefix");
  }
  if (const auto duration = daemon::parse_duration(text)) {
    require(*duration >= core::Duration::zero(), "a duration is not negative");
    require(daemon::parse_duration(daemon::format_duration(*duration)) == duration,
            "a duration that was written is read as the same one");
  }
  if (const auto* release = bgp::zapi::find_release(text)) {
    const std::size_t first = text.find_first_not_of('0');
    const std::string major = text.substr(first, text.find('.') + 1 - first);
    const auto begins = [&](std::string_view name) { return name.substr(0, major.size()) == major; };
    require(begins(release->first) || begins(release->last), "a release is found by its own number");
  }
}

}  // namespace untrombone::fuzz
