// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <istream>
#include <optional>
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

/// Sends `request` and hands the answer to `take` as a stream, however long it is. False: no agent answers, or it
/// refuses.
[[nodiscard]] bool stream_agent(const std::string& path, const Json& request,
                                std::chrono::milliseconds timeout,
                                const std::function<void(std::istream& answer)>& take);

/// Gets each line of a stream; false ends it.
using OnLine = std::function<bool(const std::string& line)>;

/// Sends `request` and hands on the lines of the answer until `on_line` has enough (no error) or the agent is gone.
/// Blocks as long as nothing happens.
[[nodiscard]] std::optional<ClientError> watch_agent(const std::string& path, const Json& request,
                                                     const OnLine& on_line);

}  // namespace untrombone::cli
