// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/types.hpp"
#include "bgp/static_routes.hpp"
#include "bgp/vty_codec.hpp"

namespace untrombone::bgp {

/// Who has the static routes of FRR's configuration: mgmtd where there is one (from FRR 9.0 on).
enum class ConfigDaemon : std::uint8_t { kStaticd, kMgmtd };

/// A line of configuration about a route of ours.
struct BatchLine {
  std::string text;
  std::optional<core::RouteKey> key = {};  ///< absent: nobody waits for it
  std::optional<StaticRoute> route = {};   ///< what there is once it was taken; absent: nothing
};

/// The commands that make one transaction of the lines, as `vtysh -f` does it. Outside of one, each line has the daemon
/// compare and validate all of its configuration: with 1,000 static routes 8 to 50 ms a line. A daemon without
/// transactions of this kind (7.5, which groups fast lines by itself) refuses the marks and takes the lines all the
/// same. `discard_first`: mgmtd keeps what it refused until somebody says that it is not wanted any more.
[[nodiscard]] std::vector<std::string> batch_commands(ConfigDaemon daemon,
                                                      const std::vector<BatchLine>& lines,
                                                      bool discard_first);

struct BatchVerdict {
  enum class State : std::uint8_t {
    kTaken,    ///< but for lines whose own answer is not a success
    kLocked,   ///< another session configures; nothing was taken
    kRefused,  ///< one of the lines cannot be, so none was taken
  };
  State state = State::kTaken;
  std::string reason;              ///< unless taken
  std::vector<VtyAnswer> answers;  ///< one for each line
};

/// What became of them, from the answers to all those commands.
[[nodiscard]] BatchVerdict read_batch(std::vector<VtyAnswer> answers, std::size_t lines);

/// What a daemon says, in a phrase.
[[nodiscard]] std::string phrase_of(std::string_view text);

}  // namespace untrombone::bgp
