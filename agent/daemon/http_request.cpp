// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/daemon/http_request.hpp"

#include <fmt/format.h>

namespace untrombone::daemon {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

}  // namespace

std::optional<HttpRequest> parse_http_request(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) return std::nullopt;
  if (!line.substr(target_end + 1).starts_with("HTTP/1.")) return std::nullopt;
  const std::string_view method = line.substr(0, method_end);
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (method.empty() || !target.starts_with('/') || target.find(' ') != std::string_view::npos) {
    return std::nullopt;
  }
  return HttpRequest{std::string(method), std::string(target.substr(0, target.find('?')))};
}

std::string render_http(const HttpAnswer& answer, bool with_body) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                  answer.status, reason_of(answer.status), answer.type, answer.body.size());
  if (with_body) text += answer.body;
  return text;
}

}  // namespace untrombone::daemon
