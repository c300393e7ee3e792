// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace untrombone::daemon {

struct HttpRequest {
  std::string method;
  std::string path;  ///< without the query
};

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

/// The request line of `head` ("GET /metrics HTTP/1.1\r\n..."); nullopt when it is none. Headers do not matter here.
[[nodiscard]] std::optional<HttpRequest> parse_http_request(std::string_view head);

/// The whole answer; the connection is closed behind it. `with_body`: false for HEAD.
[[nodiscard]] std::string render_http(const HttpAnswer& answer, bool with_body = true);

}  // namespace untrombone::daemon
