// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>

#include <boost/system/result.hpp>

#include "agent/cli/document.hpp"

namespace untrombone::cli {

/// The one JSON object that answers a command.
struct Answer {
  Json document;
};

/// Why there is no answer, for the operator.
struct ClientError {
  std::string message;
};

/// Sends `request` as one line to the agent's control socket at `path` and reads one JSON document until the agent
/// closes. Blocks; `timeout` bounds the connect, the write and every wait for more, not their sum. An answer
/// {"error": ...} is an error, too.
[[nodiscard]] boost::system::result<Answer, ClientError> ask_agent(const std::string& path,
                                                                   const Json& request,
                                                                   std::chrono::milliseconds timeout);

}  // namespace untrombone::cli
