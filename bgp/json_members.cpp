// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/json_members.hpp"

namespace untrombone::bgp {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return quoted ? text.substr(1, text.size() - 2) : std::string_view();
}

}  // namespace

bool JsonMembers::take(std::string_view part, const Visit& visit) {
  for (const char c : part) {
    if (in_string_) {
      if (!keep(c)) return false;
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
    } else if (!is_space(c) && !take_outside_string(c, visit)) {
      return false;
    }
  }
  return true;
}

bool JsonMembers::take_outside_string(char c, const Visit& visit) {
  if (depth_ == 0 && (begun_ || c != '{')) return false;  // no object, or something behind it
  switch (c) {
    case '{':
    case '[': return open(c);
    case '}':
    case ']': return close(c, visit);
    case '"': in_string_ = true; return keep(c);
    case ':':
      if (depth_ > wanted_depth_ || named_) return keep(c);
      named_ = true;
      name_ = unquoted(text_);
      text_.clear();
      return true;
    case ',':
      if (depth_ > wanted_depth_) return keep(c);
      return end_member(visit);
    default: return keep(c);
  }
}

bool JsonMembers::open(char c) {
  begun_ = true;
  const bool enters =
      c == '{' && depth_ + 1 == wanted_depth_ && (depth_ == 0 || (named_ && name_ == object_));
  if (!enters && depth_ != 0 && !keep(c)) return false;
  ++depth_;
  if (enters) {
    inside_ = true;
    named_ = false;
    text_.clear();
  }
  return true;
}

bool JsonMembers::close(char c, const Visit& visit) {
  if (depth_ <= wanted_depth_ && !end_member(visit)) return false;
  if (between_members()) inside_ = false;
  --depth_;
  return depth_ == 0 || keep(c);
}

/// A comma or the end of the object, at the depth of the members or above it.
bool JsonMembers::end_member(const Visit& visit) {
  const bool visited = !between_members() || !named_ || visit(name_, text_);
  named_ = false;
  text_.clear();
  return visited;
}

/// Whatever belongs to no member is not kept.
bool JsonMembers::keep(char c) {
  const bool of_use = inside_ || depth_ < wanted_depth_;
  if (!of_use) return true;
  if (text_.size() >= kLongestMember) return false;
  text_ += c;
  return true;
}

std::optional<core::IpPrefix> parse_prefix_name(std::string_view name) {
  std::string plain;
  for (const char c : name)
    if (c != '\\') plain += c;
  return core::IpPrefix::parse(plain);
}

}  // namespace untrombone::bgp
