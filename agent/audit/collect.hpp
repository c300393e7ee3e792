// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <istream>
#include <string>

#include "agent/audit/snapshot.hpp"
#include "agent/daemon/config.hpp"

namespace untrombone::audit {

/// Asks a running agent and hands its answer on as a stream; false when no agent answers.
using AskAgent =
    std::function<bool(const std::string& command, const std::function<void(std::istream& answer)>& take)>;

/// Reads every source of this machine and network namespace. Blocks; a daemon that hangs costs seconds. `config`
/// outlives the snapshot.
[[nodiscard]] Snapshot collect(const daemon::Config& config, const AskAgent& ask_agent);

/// The parts of collect(), in its order: the agent's hosts, then what the kernel knows of them and besides.
void collect_agent(const AskAgent& ask_agent, Snapshot& snapshot);
void collect_kernel(const daemon::Config& config, Snapshot& snapshot);
void collect_frr(const daemon::Config& config, Snapshot& snapshot);
void collect_guard(Snapshot& snapshot);

/// The guard's table as `nft -j list table` prints it; an answer that is none reads as "not present".
[[nodiscard]] GuardFacts parse_guard(const std::string& listing);

}  // namespace untrombone::audit
