// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "agent/cli/app.hpp"
#include "agent/daemon/config.hpp"
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
    };
    return cli::run(argc, argv, hooks, {std::cout, std::cerr, wants_colour()});
  } catch (const std::exception& error) {
    std::cerr << "untrombone: " << error.what() << '\n';
    return cli::kExitFailed;
  }
}
