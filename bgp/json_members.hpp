// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "agent/core/types.hpp"

namespace untrombone::bgp {

/// Cuts the members of one object out of a JSON document that arrives in parts, so that a table of 100,000 routes is
/// never held whole. The object is the document itself, or the one that the document has under a name. It reads no
/// deeper than it must to find where a member ends: the members' texts are for a JSON parser.
class JsonMembers {
 public:
  /// Gets a member: its name without quotes, as it stands in the document, and its value's text. False: enough.
  using Visit = std::function<bool(std::string_view name, std::string_view value)>;
  static constexpr std::size_t kLongestMember = std::size_t{256} * 1024;

  /// `object`: "" for the document itself.
  explicit JsonMembers(std::string_view object) : object_(object), wanted_depth_(object.empty() ? 1 : 2) {}

  /// False when the document cannot be JSON, a member is too long, or `visit` had enough. No use after that.
  bool take(std::string_view part, const Visit& visit);
  /// Has the whole document been there?
  [[nodiscard]] bool complete() const { return depth_ == 0 && begun_; }

 private:
  bool take_outside_string(char c, const Visit& visit);
  bool open(char c);
  bool close(char c, const Visit& visit);
  bool end_member(const Visit& visit);
  bool keep(char c);
  [[nodiscard]] bool between_members() const { return depth_ == wanted_depth_ && inside_; }

  std::string object_;
  std::size_t wanted_depth_;
  std::size_t depth_ = 0;
  bool begun_ = false;
  bool inside_ = false;  ///< of the object whose members are wanted
  bool in_string_ = false;
  bool escaped_ = false;
  bool named_ = false;  ///< the member's name is known
  std::string name_;
  std::string text_;
};

/// A member's name that is a prefix; some releases write "10.1.0.0\/16".
[[nodiscard]] std::optional<core::IpPrefix> parse_prefix_name(std::string_view name);

}  // namespace untrombone::bgp
