// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/app.hpp"

#include <chrono>
#include <cstdint>
#include <limits>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "agent/cli/audit_command.hpp"
#include "agent/cli/client.hpp"
#include "agent/cli/doctor.hpp"
#include "agent/cli/render.hpp"
#include "agent/cli/summarize.hpp"
#include "agent/cli/watch.hpp"
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
  bool fix = false;
  bool follow = false;
  bool path = false;
  AuditOptions audit;
  std::vector<std::string> events;
  std::uint64_t count = 0;
  bool defaults = false;
  FrrConfigQuestion frr{.config_path = std::string(kDefaultConfig)};
  bool border = false;
  bool receiver = false;
  std::string segment;
  std::string verdict;
  std::string prefix;
  std::string address;
  std::string mac;
  std::string claim_lasts{"10m"};
  SummarizeOptions summarize;
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

std::string validate_mac(std::string& text) {
  if (core::MacAddress::parse(text)) return {};
  return fmt::format("\"{}\" is not a MAC address", text);
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
    add_question(DocumentKind::kReload, "make the agent read its configuration again");
    add_watch();
    add_host();
    add_guard();
    add_summarize();
    add_audit();
    add_doctor();
    add_config();
    add_frr_config();
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
    CLI::App* moves =
        add_question(DocumentKind::kMoves, "arrivals and departures, and how long each stage took");
    moves->add_flag("--follow", options_.follow, "go on with what happens, until interrupted");
    add_question(DocumentKind::kRoutes, "the routes, and whom they stand for");
    CLI::App* explain = add_question(DocumentKind::kExplain, "all that is known about an address, and why");
    explain->add_option("ADDRESS", options_.address, "an IP address")
        ->required()
        ->transform(CLI::Validator(validate_address, ""));
    explain->add_flag("--path", options_.path,
                      "where its traffic enters, crosses and leaves; needs no agent");
    explain->add_option("--config", options_.config, "configuration file, for --path")->capture_default_str();
  }

  CLI::App* add_question(DocumentKind kind, const std::string& help) {
    CLI::App* command = app_.add_subcommand(std::string(command_of(kind)), help);
    command->callback([this, kind] { action_ = [this, kind] { return ask(kind); }; });
    return command;
  }

  void add_host() {
    CLI::App* host = app_.add_subcommand("host", "tell the agent about a host");
    host->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, DocumentKind kind) {
      CLI::App* command = host->add_subcommand(name, help);
      command->add_option("ADDRESS", options_.address, "an IP address")
          ->required()
          ->transform(CLI::Validator(validate_address, ""));
      command->callback([this, kind] { action_ = [this, kind] { return ask(kind); }; });
      return command;
    };
    CLI::App* claim = add("claim", "it is about to move here: announce it ahead, at the worst metric",
                          DocumentKind::kHostClaim);
    CLI::App* release =
        add("release", "it does not come after all: end its claim", DocumentKind::kHostRelease);
    add("clear", "end the freeze of a host that moved too often", DocumentKind::kHostClear);
    claim->add_option("--mac", options_.mac, "its MAC address, if the site does not know it")
        ->check(CLI::Validator(validate_mac, ""));
    claim->add_option("--for", options_.claim_lasts, "how long, unless it arrives")->capture_default_str();
    for (CLI::App* command : {claim, release})
      command->add_option("--segment", options_.segment, "the segment, if several have the address");
  }

  void add_guard() {
    CLI::App* guard = app_.add_subcommand("guard", "the gateway guard: what it stops, and why it does not");
    guard->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, DocumentKind kind) {
      CLI::App* command = guard->add_subcommand(name, help);
      command->add_option("--segment", options_.segment, "only this segment");
      command->callback([this, kind] { action_ = [this, kind] { return ask(kind); }; });
    };
    add("show", "how it stands, and what it has stopped", DocumentKind::kGuardShow);
    add("open", "let guests use the other sites' gateways until it is closed", DocumentKind::kGuardOpen);
    add("close", "end what open began", DocumentKind::kGuardClose);
    add("test", "send frames that it must stop, to nobody, and see whether it does",
        DocumentKind::kGuardTest);
  }

  void add_summarize() {
    SummarizeOptions& options = options_.summarize;
    const auto add_prefixes = [](CLI::App* command, const std::string& name, std::vector<std::string>& into,
                                 const std::string& help) {
      command->add_option(name, into, help)
          ->type_name("PREFIX")
          ->transform(CLI::Validator(validate_prefix, ""));
    };
    CLI::App* command = app_.add_subcommand(
        "summarize", "addresses, prefixes and ranges on standard input, the fewest prefixes for them out");
    command->add_option("--mode", options.mode, "what may be covered (docs/summaries.md)")
        ->check(CLI::IsMember({"off", "exact", "cover", "home"}))
        ->capture_default_str();
    command->add_option("--remote", options.remote, "what is elsewhere: addresses and prefixes, one a line")
        ->type_name("FILE");
    add_prefixes(command, "--within", options.within, "no prefix reaches out of these");
    add_prefixes(command, "--free", options.free, "may be covered although they are not in the input");
    add_prefixes(command, "--home", options.home, "the home blocks of --mode home");
    command->add_option("--shortest", options.shortest, "no IPv4 prefix is shorter");
    command->add_option("--shortest6", options.shortest6, "no IPv6 prefix is shorter");
    command->callback([this] { action_ = [this] { return run_summarize(); }; });
  }

  void add_watch() {
    CLI::App* watch = app_.add_subcommand("watch", "what happens, as it happens; reconnects");
    watch->add_option("--events", options_.events, "only these kinds")
        ->delimiter(',')
        ->check(CLI::IsMember({"host", "move", "route", "alarm", "segment", "sink", "guard"}));
    watch->add_option("--count", options_.count, "end after so many events");
    watch->callback([this] { action_ = [this] { return watch_events(options_.events); }; });
  }

  void add_audit() {
    CLI::App* audit = app_.add_subcommand("audit", "compare hosts, routes and guard; needs no agent");
    audit->add_option("--config", options_.config, "configuration file")->capture_default_str();
    audit->add_option("--segment", options_.audit.segment, "only findings of this segment, and of none");
    audit->add_option("--against", options_.audit.against,
                      "an earlier report (--json): only what is new counts");
    audit->add_option("--groups", options_.audit.groups,
                      "JSON, name to addresses: what should be at one site");
    audit->add_option("--html", options_.audit.html, "write the report as a page, too");
    audit->callback([this] { action_ = [this] { return audit_site(); }; });
  }

  void add_doctor() {
    CLI::App* doctor =
        app_.add_subcommand("doctor", "is this machine fit for the agent, and what to do if not");
    doctor->add_option("--config", options_.config, "configuration file")->capture_default_str();
    doctor->add_flag("--fix", options_.fix, "set the sysctls that concern our segments only");
    doctor->callback([this] { action_ = [this] { return examine(); }; });
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
    show->callback([this] { action_ = [this] { return show_defaults(); }; });
  }

  void add_frr_config() {
    CLI::App* frr =
        app_.add_subcommand("frr-config", "print the FRR configuration that this configuration needs");
    FrrConfigQuestion& question = options_.frr;
    frr->add_option("--config", question.config_path, "configuration file")->capture_default_str();
    frr->add_option("--protocol", question.protocol,
                    "bgp, ospf, ospf6 or isis; default: routes.protocols' first")
        ->check(CLI::IsMember({"bgp", "ospf", "ospf6", "isis"}));
    CLI::Option* receiver = frr->add_flag("--receiver", options_.receiver,
                                          "for a router that hears the sites across an AS border");
    frr->add_flag("--border", options_.border, "for a border router of the domain: no host route leaves")
        ->excludes(receiver);
    frr->add_option("--frr-version", question.frr_version,
                    "FRR's release, e.g. 8.4; default: zebra is asked");
    frr->add_option("--asn", question.asn, "AS number for `router bgp`")
        ->check(CLI::Range(std::uint32_t{1}, std::numeric_limits<std::uint32_t>::max()));
    frr->add_flag("--ibgp", question.ibgp, "the sites hear each other over BGP inside one AS");
    frr->add_option("--isis-area", question.isis_area, "area tag for `router isis`");
    frr->add_option("--neighbor", question.neighbors, "BGP session that gets the route-map; may be repeated")
        ->transform(CLI::Validator(validate_address, ""));
    frr->callback([this] { action_ = [this] { return print_frr_config(); }; });
  }

  int print_frr_config() {
    FrrConfigQuestion question = options_.frr;
    if (options_.receiver) question.role = "receiver";
    if (options_.border) question.role = "border";
    const FrrConfigAnswer answer = hooks_.frr_config(question);
    if (!answer.error.empty()) return fail(answer.error);
    if (!options_.json) return print(answer.text);
    return print(pretty({{"protocol", answer.protocol},
                         {"role", question.role},
                         {"frr", answer.frr_version},
                         {"config", answer.text}}));
  }

  [[nodiscard]] Json request_for(DocumentKind kind) const {
    Json request{{"command", command_of(kind)}};
    const bool about_host = kind == DocumentKind::kHostClaim || kind == DocumentKind::kHostRelease ||
                            kind == DocumentKind::kHostClear;
    const bool by_segment =
        kind == DocumentKind::kHosts || about_host || command_of(kind).starts_with("guard-");
    if (by_segment && !options_.segment.empty()) request["segment"] = options_.segment;
    if (kind == DocumentKind::kHosts) {
      if (!options_.verdict.empty()) request["verdict"] = options_.verdict;
      if (!options_.prefix.empty()) request["prefix"] = options_.prefix;
    }
    if (kind == DocumentKind::kExplain || about_host) request["address"] = options_.address;
    if (kind == DocumentKind::kHostClaim) {
      request["for"] = options_.claim_lasts;
      if (!options_.mac.empty()) request["mac"] = options_.mac;
    }
    return request;
  }

  int ask(DocumentKind kind) {
    if (kind == DocumentKind::kExplain && options_.path) return explain_path();
    const auto answer = ask_agent(options_.socket, request_for(kind), kPatience);
    if (!answer.has_value()) return fail(answer.error().message);
    if (const auto fault = find_fault(kind, answer->document)) return fail(*fault);
    const int shown = show(kind, answer->document);
    if (kind != DocumentKind::kMoves || !options_.follow || shown != kExitOk) return shown;
    return watch_events({"move"});
  }

  int watch_events(const std::vector<std::string>& events) {
    WatchOptions watch;
    watch.socket = options_.socket;
    watch.events = events;
    watch.json = options_.json;
    watch.count = options_.count;
    watch.style = Style{terminal_.colour && !options_.no_color};
    const auto error = follow_events(watch, terminal_.out, terminal_.err);
    return error ? fail(*error) : kExitOk;
  }

  int show(DocumentKind kind, const Json& document) {
    const Style style{terminal_.colour && !options_.no_color};
    const int printed = print(options_.json ? pretty(document) : render(kind, document, style));
    if (printed != kExitOk) return printed;
    return has_findings(kind, document) ? kExitFindings : kExitOk;
  }

  int run_summarize() {
    const SummarizeResult result = summarize(options_.summarize, *terminal_.in);
    if (!result.error.empty()) {
      (void)fail(result.error);
      return result.usage ? kExitUsage : kExitFailed;
    }
    if (options_.json) return print(pretty({{"read", result.read}, {"prefixes", result.prefixes}}));
    std::string text;
    for (const std::string& prefix : result.prefixes) text.append(prefix).push_back('\n');
    return print(text);
  }

  int explain_path() {
    options_.audit.config = options_.config;
    options_.audit.socket = options_.socket;
    const AuditAnswer answer = run_path(options_.audit, options_.address);
    if (!answer.error.empty()) return fail(answer.error);
    return show(DocumentKind::kPath, answer.document);
  }

  int audit_site() {
    options_.audit.config = options_.config;
    options_.audit.socket = options_.socket;
    const AuditAnswer answer = run_audit(options_.audit);
    if (!answer.error.empty()) return fail(answer.error);
    return show(DocumentKind::kAudit, answer.document);
  }

  int examine() {
    const DoctorAnswer answer = run_doctor(options_.config, options_.socket, options_.fix);
    const int said = show(DocumentKind::kDoctor, answer.document);
    return answer.error.empty() ? said : fail(answer.error);
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

  int show_defaults() {
    const std::string text = hooks_.render_defaults();
    return print(options_.json ? pretty({{"config", text}}) : text);
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
