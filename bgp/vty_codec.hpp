// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace untrombone::bgp {

/// What FRR's daemons end an answer with, behind three zero octets (enum of CMD_* in lib/command.h).
using VtyStatus = std::uint8_t;
inline constexpr VtyStatus kVtySuccess = 0;
inline constexpr VtyStatus kVtyWarning = 1;
inline constexpr VtyStatus kVtyUnknownCommand = 2;

struct VtyAnswer {
  VtyStatus status = kVtySuccess;
  std::string text;  ///< empty when it was streamed
};

/// Appends a command as a C string; false, and nothing appended, when it cannot be one (empty, a zero octet or a line
/// break within).
[[nodiscard]] bool encode_vty_command(std::vector<std::byte>& out, std::string_view command);

/// Reads the answer to one command: text without zero octets, then 00 00 00 and the status. Needs no more of the
/// stream at a time than there is.
class VtyAnswerReader {
 public:
  enum class State : std::uint8_t { kReading, kComplete, kBroken };

  /// Takes octets off the front of `stream`, at most to the end of the answer, and returns the text among them, which
  /// lives as long as what `stream` points to.
  std::string_view take(std::span<const std::byte>& stream);

  [[nodiscard]] State state() const { return state_; }
  /// Once complete.
  [[nodiscard]] VtyStatus status() const { return status_; }
  /// Has anything of the answer come?
  [[nodiscard]] bool has_begun() const { return begun_; }

 private:
  State state_ = State::kReading;
  VtyStatus status_ = kVtySuccess;
  std::uint8_t zeros_ = 0;
  bool begun_ = false;
};

}  // namespace untrombone::bgp
