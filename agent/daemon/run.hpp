// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace untrombone::daemon {

struct AgentOptions {
  std::string config_path = "/etc/untrombone/untrombone.toml";
  bool observe = false;  ///< log what would be done instead of doing it
};

/// Runs the agent until SIGTERM or SIGINT. Returns the exit status: 0 after an orderly stop; 2 when it could not
/// start, which a restart does not mend (one line on standard error says why); 70 when something broke that a
/// restart may mend.
int run_agent(const AgentOptions& options);

}  // namespace untrombone::daemon
