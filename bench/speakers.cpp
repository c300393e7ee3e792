// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/speakers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "agent/core/types.hpp"

namespace untrombone::bench {
namespace {

using namespace std::chrono_literals;
using lab::Node;
using lab::Site;

constexpr auto kPatience = 60s;
constexpr int kSiteAs = 65001;

std::string number(std::uint64_t value, int octets) {
  std::string text;
  for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(value >> static_cast<unsigned>(shift) & 0xffU);
  return text;
}

std::string octets_of(const core::IpPrefix& host) {
  const auto octets = host.address().octets();
  return {octets.begin(), octets.end()};
}

std::string uplink() {
  return octets_of(core::IpPrefix::host(*core::IpAddress::parse(lab::uplink_address(Site::kA))));
}

/// A record of MRT's type TABLE_DUMP_V2 (RFC 6396).
std::string mrt_record(std::uint16_t subtype, const std::string& body) {
  return number(0, 4) + number(13, 2) + number(subtype, 2) + number(body.size(), 4) + body;
}

/// Collector, view without a name, and one peer: type, BGP identifier, address, AS.
std::string mrt_peers() {
  return mrt_record(1, number(0, 4) + number(0, 2) + number(1, 2) + number(0, 1) + uplink() + uplink() +
                           number(kSiteAs, 2));
}

/// One IPv4 route, with one entry: of peer 0, from time 0.
std::string mrt_route(std::uint32_t sequence, const core::IpPrefix& host) {
  const std::string attributes = std::string("\x40\x01\x01\x00", 4) +         // ORIGIN
                                 std::string("\x40\x02\x00", 3) +             // AS_PATH
                                 std::string("\x40\x03\x04", 3) + uplink() +  // NEXT_HOP
                                 std::string("\xc0\x08\x08", 3) +             // COMMUNITIES
                                 number(65000, 2) + number(4210, 2) + number(65000, 2) + number(4219, 2);
  return mrt_record(2, number(sequence, 4) + number(host.length(), 1) + octets_of(host) + number(1, 2) +
                           number(0, 2) + number(0, 4) + number(attributes.size(), 2) + attributes);
}

/// bgpd has gone, its session with it, and the WAN router is patient with a speaker that works.
void make_room(lab::Lab& lab) {
  lab::Frr& site = lab.frr(Site::kA);
  if (site.daemon("bgpd").running()) {
    site.daemon("bgpd").kill9();
    (void)lab.frr(Node::kWan)
        .vtysh({"configure terminal", "router bgp 65000",
                "neighbor " + lab::uplink_address(Site::kA) + " timers 60 180"});
  }
}

void await_session(lab::Lab& lab) {
  const auto is_up = [&] {
    const auto peers = lab.vtysh_json(Node::kWan, "show bgp ipv4 unicast summary json").at("peers");
    return peers.at(lab::uplink_address(Site::kA)).at("state") == "Established";
  };
  if (!lab::wait_until(is_up, std::chrono::steady_clock::now() + kPatience, 100ms))
    throw std::runtime_error("the session with the WAN router does not come up");
}

}  // namespace

bool is_installed(const std::string& program) {
  return lab::run_command({.argv = {"sh", "-c", "command -v " + program}}).status == 0;
}

Pipe::Pipe(std::filesystem::path path) : path_(std::move(path)) {
  std::filesystem::remove(path_);
  lab::check(::mkfifo(path_.c_str(), 0600), "mkfifo");
  fd_ = lab::UniqueFd(lab::check(::open(path_.c_str(), O_RDWR | O_CLOEXEC), "open " + path_.string()));
}

void Pipe::write(const std::vector<std::string>& records) const {
  std::string text;  // up to PIPE_BUF octets go in whole
  const auto flush = [&] {
    lab::check(::write(fd_.get(), text.data(), text.size()), "write to " + path_.string());
    text.clear();
  };
  for (const std::string& record : records) {
    if (text.size() + record.size() > PIPE_BUF) flush();
    text += record;
  }
  flush();
}

GoBgp::GoBgp(lab::Lab& lab) : lab_(lab), pipe_(lab.directory(Node::kSiteA) / "gobgp.mrt") {
  make_room(lab);
  const std::filesystem::path directory = lab.directory(Node::kSiteA);
  const std::filesystem::path file = directory / "gobgpd.toml";
  lab::write_file(file, fmt::format("[global.config]\nas = {}\nrouter-id = \"{}\"\nport = -1\n"
                                    "[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{}\"\n"
                                    "peer-as = 65000\n",
                                    kSiteAs, lab::uplink_address(Site::kA), lab::wan_address(Site::kA)));
  daemon_ = std::make_unique<lab::Process>(
      lab::ProcessOptions{.argv = {"gobgpd", "-f", file.string(), "--pprof-disable"},
                          .netns = &lab.netns(Site::kA),
                          .output = directory / "gobgpd.log"});
  await_session(lab);
}

void GoBgp::announce(const std::vector<std::string>& prefixes) {
  import_ = std::make_unique<lab::Process>(lab::ProcessOptions{
      .argv = {"gobgp", "mrt", "inject", "global", pipe_.path().string()}, .netns = &lab_.netns(Site::kA)});
  std::vector<std::string> records{mrt_peers()};
  for (std::uint32_t i = 0; i < prefixes.size(); ++i)
    records.push_back(mrt_route(i, *core::IpPrefix::parse(prefixes[i])));
  pipe_.write(records);
}

void GoBgp::withdraw(const std::vector<std::string>& /*prefixes*/) {
  import_.reset();
  const auto result = lab::run_command({.argv = {"gobgp", "global", "rib", "del", "all"},
                                        .netns = &lab_.netns(Site::kA),
                                        .timeout = kPatience});
  if (result.status != 0) throw std::runtime_error("gobgp: " + result.output + result.error);
}

ExaBgp::ExaBgp(lab::Lab& lab) : pipe_(lab.directory(Node::kSiteA) / "exabgp.in") {
  make_room(lab);
  const std::filesystem::path directory = lab.directory(Node::kSiteA);
  const std::filesystem::path file = directory / "exabgp.conf";
  lab::write_file(file, fmt::format("process routes {{\n  run /bin/cat {};\n  encoder text;\n}}\n"
                                    "neighbor {} {{\n  router-id {};\n  local-address {};\n  local-as {};\n"
                                    "  peer-as 65000;\n  family {{ ipv4 unicast; }}\n"
                                    "  api {{ processes [ routes ]; }}\n}}\n",
                                    pipe_.path().string(), lab::wan_address(Site::kA),
                                    lab::uplink_address(Site::kA), lab::uplink_address(Site::kA), kSiteAs));
  daemon_ = std::make_unique<lab::Process>(
      lab::ProcessOptions{.argv = {"env", "exabgp.daemon.user=root", "exabgp.api.ack=false",
                                   "exabgp.api.cli=false", "exabgp.log.level=ERR", "exabgp", file.string()},
                          .netns = &lab.netns(Site::kA),
                          .output = directory / "exabgp.log"});
  await_session(lab);
}

void ExaBgp::write(const std::string& verb, const std::vector<std::string>& prefixes) const {
  std::vector<std::string> lines;
  lines.reserve(prefixes.size());
  for (const std::string& prefix : prefixes)
    lines.push_back(fmt::format("{} route {} next-hop {} community [65000:4210 65000:4219]\n", verb, prefix,
                                lab::uplink_address(Site::kA)));
  pipe_.write(lines);
}

}  // namespace untrombone::bench
