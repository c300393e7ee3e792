// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/app.hpp"

#include <chrono>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/client.hpp"
#include "agent/cli/render.hpp"
#include "agent/core/types.hpp"

namespace untrombone::cli {
namespace {

constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(5);
constexpr std::string_view kDefaultConfig = "/etc/untrombone/untrombone.toml";
constexpr std::string_view kDefaultSocket = "/run/untrombone/control.sock";

struct Options {
  std::string socket{kDefaultSocket};
  bool json = false;
  bool no_color = false;
  std::string config{kDefaultConfig};
  std::string checked_config{kDefaultConfig};
  bool observe = false;
  bool defaults = false;
  std::string segment;
  std::string verdict;
  std::string prefix;
  std::string address;
};

/// CLI11 validators return what is wrong, or nothing; they may rewrite the value.
std::string validate_address(std::string& text) {
  const auto address = core::IpAddress::parse(text);
  if (!address) return fmt::format("\"{}\" is not an IP address", text);
  text = address->to_string();
  return {};
}

std::string validate_prefix(std::string& text) {
  if (const auto address = core::IpAddress::parse(text)) {
    text = core::IpPrefix::host(*address).to_string();
    return {};
  }
  if (core::IpPrefix::parse(text)) return {};
  return fmt::format("\"{}\" is neither a prefix (host bits must be zero) nor an IP address", text);
}

/// The command line, and what it asks for.
class App {
 public:
  App(const Hooks& hooks, const Terminal& terminal) : hooks_(hooks), terminal_(terminal) {
    app_.name("untrombone");
    app_.fallthrough();
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "untrombone " UNTROMBONE_VERSION);
    app_.add_option("--socket", options_.socket, "the agent's control socket")
        ->envname("UNTROMBONE_SOCKET")
        ->capture_default_str();
    app_.add_flag("--json", options_.json, "answer in JSON (docs/json.md)");
    app_.add_flag("--no-color", options_.no_color, "no colours on a terminal");
    app_.footer("Exit codes: 0 fine, 1 findings or a negative answer, 2 could not do it, 64 usage.");
    add_agent();
    add_questions();
    add_host();
    add_config();
  }

  int run(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error, terminal_.out, terminal_.err) == 0 ? kExitOk : kExitUsage;
    }
    return action_();
  }

 private:
  void add_agent() {
    CLI::App* agent = app_.add_subcommand("agent", "run the agent");
    agent->add_option("--config", options_.config, "configuration file")->capture_default_str();
    agent->add_flag("--observe", options_.observe, "announce and guard nothing, only say what would be done");
    agent->callback(
        [this] { action_ = [this] { return hooks_.run_agent(options_.config, options_.observe); }; });
  }

  void add_questions() {
    add_question(DocumentKind::kStatus, "site, segments, sink, guard and alarms");
    CLI::App* hosts = add_question(DocumentKind::kHosts, "the host table");
    hosts->add_option("--segment", options_.segment, "only this segment");
    hosts->add_option("--verdict", options_.verdict, "only hosts with this verdict")
        ->check(CLI::IsMember({"local", "remote", "unknown"}));
    hosts->add_option("PREFIX", options_.prefix, "only hosts in this prefix")
        ->transform(CLI::Validator(validate_prefix, ""));
    add_question(DocumentKind::kRoutes, "the routes, and whom they stand for");
    CLI::App* explain = add_question(DocumentKind::kExplain, "all that is known about an address, and why");
    explain->add_option("ADDRESS", options_.address, "an IP address")
        ->required()
        ->transform(CLI::Validator(validate_address, ""));
  }

  CLI::App* add_question(DocumentKind kind, const std::string& help) {
    CLI::App* command = app_.add_subcommand(std::string(command_of(kind)), help);
    command->callback([this, kind] { action_ = [this, kind] { return ask(kind); }; });
    return command;
  }

  void add_host() {
    CLI::App* host = app_.add_subcommand("host", "tell the agent about a host");
    host->require_subcommand(1);
    CLI::App* clear = host->add_subcommand("clear", "end the freeze of a host that moved too often");
    clear->add_option("ADDRESS", options_.address, "an IP address")
        ->required()
        ->transform(CLI::Validator(validate_address, ""));
    clear->callback([this] { action_ = [this] { return ask(DocumentKind::kHostClear); }; });
  }

  void add_config() {
    CLI::App* config = app_.add_subcommand("config", "check or show the configuration");
    config->require_subcommand(1);
    CLI::App* check = config->add_subcommand("check", "is this file a valid configuration?");
    check->add_option("FILE", options_.checked_config, "configuration file")->capture_default_str();
    check->callback([this] { action_ = [this] { return check_config(); }; });
    CLI::App* show = config->add_subcommand("show", "print configuration keys");
    show->add_flag("--defaults", options_.defaults, "every key with its default and a line of help")
        ->required();
    show->callback([this] { action_ = [this] { return print(hooks_.render_defaults()); }; });
  }

  [[nodiscard]] Json request_for(DocumentKind kind) const {
    Json request{{"command", command_of(kind)}};
    if (kind == DocumentKind::kHosts) {
      if (!options_.segment.empty()) request["segment"] = options_.segment;
      if (!options_.verdict.empty()) request["verdict"] = options_.verdict;
      if (!options_.prefix.empty()) request["prefix"] = options_.prefix;
    }
    if (kind == DocumentKind::kExplain || kind == DocumentKind::kHostClear) {
      request["address"] = options_.address;
    }
    return request;
  }

  int ask(DocumentKind kind) {
    const auto answer = ask_agent(options_.socket, request_for(kind), kPatience);
    if (!answer.has_value()) return fail(answer.error().message);
    const Json& document = answer->document;
    if (const auto fault = find_fault(kind, document)) return fail(*fault);
    const Style style{terminal_.colour && !options_.no_color};
    const int printed = print(options_.json ? pretty(document) : render(kind, document, style));
    if (printed != kExitOk) return printed;
    return has_findings(kind, document) ? kExitFindings : kExitOk;
  }

  int check_config() {
    const std::string& path = options_.checked_config;
    const ConfigVerdict verdict = hooks_.check_config(path);
    const bool ok = verdict.error.empty();
    if (options_.json) {
      Json document{{"file", path}, {"ok", ok}};
      if (!ok) document["error"] = verdict.error;
      if (const int printed = print(pretty(document)); printed != kExitOk) return printed;
    } else if (ok) {
      return print(path + ": ok\n");
    } else {
      terminal_.err << verdict.error << '\n';
    }
    if (ok) return kExitOk;
    return verdict.unreadable ? kExitFailed : kExitFindings;
  }

  static std::string pretty(const Json& document) {
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }

  int print(const std::string& text) {
    terminal_.out << text << std::flush;
    return terminal_.out.good() ? kExitOk : fail("cannot write to standard output");
  }

  int fail(const std::string& why) {
    terminal_.err << "untrombone: " << why << '\n';
    return kExitFailed;
  }

  const Hooks& hooks_;
  const Terminal& terminal_;
  CLI::App app_{"Tells the routed world where the hosts of a stretched L2 domain are."};
  Options options_;
  std::function<int()> action_;
};

}  // namespace

int run(int argc, const char* const* argv, const Hooks& hooks, const Terminal& terminal) {
  return App(hooks, terminal).run(argc, argv);
}

}  // namespace untrombone::cli
