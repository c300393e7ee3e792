// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "agent/cli/app.hpp"
#include "agent/daemon/config.hpp"
#include "agent/daemon/frr_setup.hpp"
#include "agent/daemon/run.hpp"

namespace {

/// Colours are for a terminal that knows them and a person who has not said no (https://no-color.org).
bool wants_colour() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term == nullptr || std::string_view(term) == "dumb") return false;
  return ::isatty(STDOUT_FILENO) == 1;
}

untrombone::cli::ConfigVerdict check_config(const std::string& path) {
  const auto config = untrombone::daemon::load_config(path);
  if (config.has_value()) return {};
  return {config.error().message, config.error().unreadable};
}

untrombone::cli::FrrConfigAnswer frr_config(const untrombone::cli::FrrConfigQuestion& question) {
  namespace bgp = untrombone::bgp;
  namespace daemon = untrombone::daemon;
  const auto config = daemon::load_config(question.config_path);
  if (config.has_error()) return {.error = config.error().message};
  const auto version = daemon::find_frr_version(*config, question.frr_version);
  if (version.has_error()) return {.error = version.error().message};
  daemon::FrrSetupOptions options{.version = *version,
                                  .asn = question.asn,
                                  .ibgp = question.ibgp,
                                  .isis_area = question.isis_area,
                                  .neighbors = question.neighbors};
  options.protocol = bgp::parse_protocol(question.protocol);
  if (question.role == "receiver") options.role = bgp::FrrRole::kReceiver;
  if (question.role == "border") options.role = bgp::FrrRole::kBorder;
  const bgp::FrrConfigRequest request = daemon::frr_request(*config, options);
  const auto text = bgp::render_frr_config(request);
  if (text.has_error()) return {.error = text.error().message};
  return {*text, std::string(to_string(request.protocol)), version->to_string(), {}};
}

}  // namespace

int main(int argc, char** argv) {
  namespace cli = untrombone::cli;
  namespace daemon = untrombone::daemon;
  try {
    const cli::Hooks hooks{
        [](const std::string& config_path, bool observe) {
          return daemon::run_agent({config_path, observe});
        },
        check_config,
        daemon::render_defaults,
        frr_config,
    };
    std::ios::sync_with_stdio(false);
    return cli::run(argc, argv, hooks, {std::cout, std::cerr, wants_colour(), &std::cin});
  } catch (const std::exception& error) {
    std::cerr << "untrombone: " << error.what() << '\n';
    return cli::kExitFailed;
  }
}
