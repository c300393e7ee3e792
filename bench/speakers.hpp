// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/lab/lab.hpp"

namespace untrombone::bench {

/// Another program that speaks BGP for site A, straight to the WAN router: what host routes cost without zebra, bgpd
/// and the site's own FIB. It does not track next hops, nobody acknowledges, and the site forwards by none of it.
class Speaker {
 public:
  virtual ~Speaker() = default;
  virtual void announce(const std::vector<std::string>& prefixes) = 0;
  virtual void withdraw(const std::vector<std::string>& prefixes) = 0;
};

/// A named pipe that a program reads what we say from.
class Pipe {
 public:
  explicit Pipe(std::filesystem::path path);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Never cuts a record in two: GoBGP takes half of one for a whole.
  void write(const std::vector<std::string>& records) const;

 private:
  std::filesystem::path path_;
  lab::UniqueFd fd_;
};

/// GoBGP, fed by its bulk import, `gobgp mrt inject`: `gobgp global rib add` takes one route a process. The import does
/// not wait for its stream to arrive before it ends, so it gets no end until all is there.
class GoBgp final : public Speaker {
 public:
  explicit GoBgp(lab::Lab& lab);
  void announce(const std::vector<std::string>& prefixes) override;
  void withdraw(const std::vector<std::string>& prefixes) override;

 private:
  lab::Lab& lab_;
  Pipe pipe_;
  std::unique_ptr<lab::Process> daemon_;
  std::unique_ptr<lab::Process> import_;
};

/// ExaBGP, fed by its process API: lines of text from a process of ours.
class ExaBgp final : public Speaker {
 public:
  explicit ExaBgp(lab::Lab& lab);
  void announce(const std::vector<std::string>& prefixes) override { write("announce", prefixes); }
  void withdraw(const std::vector<std::string>& prefixes) override { write("withdraw", prefixes); }

 private:
  void write(const std::string& verb, const std::vector<std::string>& prefixes) const;

  Pipe pipe_;
  std::unique_ptr<lab::Process> daemon_;
};

/// Is the program of that name in the PATH?
[[nodiscard]] bool is_installed(const std::string& program);

}  // namespace untrombone::bench
