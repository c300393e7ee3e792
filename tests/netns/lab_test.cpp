// SPDX-License-Identifier: GPL-2.0-or-later
// The lab itself: what the end-to-end tests stand on. Needs root, FRR and iproute2.
#include "tests/lab/lab.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace untrombone::lab;

namespace {

constexpr auto kPatience = 10s;

bool has_lab(const std::string& id) {
  const std::vector<std::string> labs = list_labs();
  return std::find(labs.begin(), labs.end(), id) != labs.end();
}

// A zombie waits for its parent only.
bool is_alive(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.find_first_of("ZX", name_end) != name_end + 2;
}

// What a lab has on the machine while it lives.
struct Traces {
  std::string id;
  std::vector<pid_t> processes;

  explicit Traces(const std::string& lab_id) : id(lab_id), processes(lab_processes(lab_id)) {}

  // zebra and bgpd of three routers, and the relay.
  bool complete() const {
    return has_lab(id) && processes.size() == 7 && std::filesystem::exists(run_directory(id));
  }
  bool gone() const {
    return !has_lab(id) && std::none_of(processes.begin(), processes.end(), is_alive) &&
           !std::filesystem::exists(run_directory(id));
  }
};

std::uint64_t icmp_both_ways(Lab& lab, const Vm& vm) {
  return lab.dci().icmp_frames(Site::kA, kClientAddress, vm.address()) +
         lab.dci().icmp_frames(Site::kB, kClientAddress, vm.address());
}

}  // namespace

TEST_CASE("a lab without agents trombones after a move", "[lab]") {
  constexpr auto kDelay = 25ms;
  Lab lab({.protocol = Protocol::kBgp, .dci_delay = kDelay});
  Vm& vm = lab.start_vm("vm1", Site::kA);

  Pinger pinger(lab.netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(pinger.wait_answers(20, kPatience));
  CHECK(icmp_both_ways(lab, vm) == 0);
  CHECK(traceroute(lab.netns(Node::kClient), vm.address()) ==
        std::vector<std::string>{"198.51.100.1", uplink_address(Site::kA), vm.address()});

  const std::uint32_t guest_carrier = link_info(vm.netns(), kGuestPort).carrier_changes;
  const std::uint32_t access_carrier = lab.link(Node::kSiteA, kAccessPort).carrier_changes;
  FrameCapture at_b(lab.netns(Site::kB), kAccessPort, from_mac(vm.mac()));
  const Timestamp moved = lab.move(vm, Site::kB, Announcement::kRarpQemu);
  const auto first = at_b.wait_first(kPatience, moved, is_rarp_of(vm.mac()));
  REQUIRE(first);
  CHECK(first->at - moved < 50ms);

  const Timestamp settled = now();
  REQUIRE(pinger.wait_answers(50, kPatience, settled));
  pinger.stop();
  CHECK(pinger.summary(settled).min_rtt >= 2 * kDelay);
  CHECK(lab.dci().icmp_frames(Site::kA, kClientAddress, vm.address()) >= 50);
  CHECK(lab.dci().icmp_frames(Site::kB, kClientAddress, vm.address()) >= 50);
  CHECK(link_info(vm.netns(), kGuestPort).carrier_changes == guest_carrier);
  CHECK(lab.link(Node::kSiteA, kAccessPort).carrier_changes == access_carrier);
  const auto rarps = [&] { return at_b.count(is_rarp_of(vm.mac()), moved) == 5; };
  CHECK(wait_for(rarps, kPatience));
}

TEST_CASE("with an anycast gateway only the way in trombones", "[lab]") {
  constexpr auto kDelay = 20ms;
  Lab lab({.protocol = Protocol::kOspf, .gateway_style = GatewayStyle::kAnycast, .dci_delay = kDelay});
  Vm& vm = lab.start_vm("vm1", Site::kA);
  Pinger pinger(lab.netns(Node::kClient), vm.address(), 10ms);
  REQUIRE(pinger.wait_answers(5, kPatience));
  const Timestamp moved = lab.move(vm, Site::kB);
  REQUIRE(pinger.wait_answers(20, kPatience, moved + 100ms));
  pinger.stop();
  CHECK(pinger.summary(moved + 100ms).min_rtt >= kDelay);
  CHECK(pinger.summary(moved + 100ms).median_rtt < 2 * kDelay);
  CHECK(lab.dci().icmp_frames(Site::kB, kClientAddress, vm.address()) <= 1);
}

TEST_CASE("a cut DCI carries nothing and a restored one does", "[lab]") {
  Lab lab({.frr = false});
  Vm& one = lab.start_vm("vm1", Site::kA);
  Vm& two = lab.start_vm("vm2", Site::kB);
  Pinger pinger(one.netns(), two.address(), 5ms);
  REQUIRE(pinger.wait_answers(5, kPatience));
  lab.dci().cut();
  const std::uint64_t carried = lab.dci().counters(Site::kA).frames;
  CHECK(wait_for([&] { return lab.dci().counters(Site::kA).dropped > 5; }, kPatience));
  CHECK(lab.dci().counters(Site::kA).frames <= carried + 1);
  lab.dci().restore();
  CHECK(pinger.wait_answers(5, kPatience, now()));

  lab.shutdown_vm(two);
  CHECK(lab.link(Node::kSiteB, kAccessPort).carrier_changes ==
        lab.link(Node::kSiteA, kAccessPort).carrier_changes);
}

TEST_CASE("a lab that ends leaves nothing behind", "[lab]") {
  std::optional<Traces> traces;
  {
    Lab lab;
    lab.start_vm("vm1", Site::kA);
    traces.emplace(lab.id());
    CHECK(traces->complete());
  }
  CHECK(traces->gone());
}

TEST_CASE("a lab whose process is killed leaves nothing behind", "[lab]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = fork_child("lab-user", {ends[1]}, [&] {
    Lab lab;
    lab.start_vm("vm1", Site::kA);
    check(::write(ends[1], lab.id().data(), lab.id().size()), "tell the id");
    ::pause();
  });
  std::string id(16, '\0');
  id.resize(static_cast<std::size_t>(std::max<ssize_t>(::read(ends[0], id.data(), id.size()), 0)));
  ::close(ends[0]);
  ::close(ends[1]);
  const Traces traces(id);
  REQUIRE(traces.complete());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(wait_for([&] { return traces.gone(); }, kPatience));
}

TEST_CASE("a kept lab lives until it is removed", "[lab]") {
  std::optional<Traces> before;
  {
    Lab lab;
    before.emplace(lab.id());
    lab.keep();
  }
  const Traces kept(before->id);
  CHECK(kept.complete());
  CHECK(kept.processes == before->processes);
  remove_lab(kept.id);
  CHECK(wait_for([&] { return kept.gone(); }, kPatience));
}
