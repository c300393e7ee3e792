// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/watch.hpp"

#include <chrono>
#include <thread>

#include "agent/cli/client.hpp"
#include "agent/cli/document.hpp"
#include "agent/cli/render_moves.hpp"

namespace untrombone::cli {
namespace {

constexpr std::chrono::seconds kRetry{1};

/// Prints the lines of one connection after another.
class EventPrinter {
 public:
  EventPrinter(const WatchOptions& options, std::ostream& out) : options_(options), out_(out) {}

  /// False: that was the last.
  bool take(const std::string& line) {
    const Json event = Json::parse(line, nullptr, false);
    if (const Json* error = find(event, "error")) {
      refusal_ = error->is_string() ? error->get<std::string>() : "no reason given";
      return false;
    }
    if (text_at(event, "event") == "watching") {
      connected_ = true;
      return true;
    }
    if (options_.json) {
      out_ << line << '\n' << std::flush;
    } else {
      out_ << render_event(event, options_.style) << '\n' << std::flush;
    }
    ++printed_;
    return out_.good() && (options_.count == 0 || printed_ < options_.count);
  }

  [[nodiscard]] bool was_connected() const { return connected_; }
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  const WatchOptions& options_;
  std::ostream& out_;
  std::uint64_t printed_ = 0;
  bool connected_ = false;
  std::string refusal_;
};

}  // namespace

std::optional<std::string> follow_events(const WatchOptions& options, std::ostream& out, std::ostream& err) {
  Json request{{"command", "watch"}};
  if (!options.events.empty()) request["events"] = options.events;
  EventPrinter printer(options, out);
  bool told = false;
  for (;;) {
    const auto error = watch_agent(options.socket, request, [&](const std::string& line) {
      told = false;
      return printer.take(line);
    });
    if (!printer.refusal().empty()) return "the agent refuses: " + printer.refusal();
    if (!error)
      return out.good() ? std::nullopt : std::optional<std::string>("cannot write to standard output");
    if (!printer.was_connected()) return error->message;
    if (!told) err << "untrombone: " << error->message << "; connecting again\n" << std::flush;
    told = true;
    std::this_thread::sleep_for(kRetry);
  }
}

}  // namespace untrombone::cli
