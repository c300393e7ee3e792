// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tests/demo/measure.hpp"
#include "tests/demo/terminal.hpp"
#include "tests/lab/lab.hpp"

namespace untrombone::demo {

struct Options {
  lab::Protocol protocol = lab::Protocol::kBgp;
  std::chrono::milliseconds dci_delay{25};  // one way
  bool keep = false;
};

/// One VM, two sites: the same move without the agents and with them. Shows what happens and checks it.
class Demo {
 public:
  Demo(const Options& options, const Terminal& terminal);

  /// True when everything that the demo claims was seen. Throws when the lab cannot be built or the agents do not
  /// start. The lab goes with this object, unless it is to be kept.
  bool run();

 private:
  void show_lab();
  void move_without_agents();
  void start_agents();
  void move_with_agents();
  void explain();
  void compare() const;
  bool verdict() const;

  void wait_until_guarded(lab::Site site);
  /// Waits until the site's agent gives the VM this state.
  bool reached_at(lab::RouteWatcher& remote, lab::Site site);
  bool settles(lab::Site site);
  bool becomes(lab::Site site, const std::string& state);
  void show_path(const Path& path) const;
  void show_losses(const Move& move) const;
  void show_announcements(const Move& move) const;
  /// Remembers a claim that does not hold.
  void claim(bool holds, std::string text);
  /// The VM is here, and its traffic comes and goes here.
  void claim_straight(const Path& path, lab::Site site, std::string_view when);

  Options options_;
  const Terminal& terminal_;
  lab::Lab lab_;
  lab::Vm& vm_;
  Path at_home_;
  Move plain_move_;
  Path trombone_;
  Move move_;
  Path straight_;
  std::vector<std::string> failed_;
};

}  // namespace untrombone::demo
