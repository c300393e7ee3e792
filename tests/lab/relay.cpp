// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/relay.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/if_tun.h>

#include <new>

#include "tests/lab/frames.hpp"
#include "tests/lab/process.hpp"

namespace untrombone::lab {
namespace {

UniqueFd open_tap(const Netns& netns, const std::string& ifname) {
  return run_in(netns, [&] {
    UniqueFd tap(check(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), "open /dev/net/tun"));
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    ifname.copy(request.ifr_name, IFNAMSIZ - 1);
    check(::ioctl(tap.get(), TUNSETIFF, &request), "create TAP " + ifname);
    return tap;
  });
}

RelayShared* map_shared() {
  void* memory =
      ::mmap(nullptr, sizeof(RelayShared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "map the relay's memory");
  return new (memory) RelayShared{};
}

}  // namespace

Relay::Relay(const Netns& site_a, const Netns& site_b, const Netns& home, const std::string& ifname,
             std::chrono::microseconds delay)
    : shared_(map_shared()) {
  set_delay(delay);
  const UniqueFd tap_a = open_tap(site_a, ifname);
  const UniqueFd tap_b = open_tap(site_b, ifname);
  pid_ = fork_child("utl-relay", {tap_a.get(), tap_b.get(), home.fd()}, [&] {
    home.enter();
    prefer_calling_thread();
    run_relay(tap_a.get(), tap_b.get(), *shared_);
  });
}

Relay::~Relay() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::munmap(shared_, sizeof *shared_);
}

DciCounters Relay::counters(Site from) const {
  const RelayDirection& counted = direction(from);
  return {.frames = counted.frames,
          .bytes = counted.bytes,
          .arp = counted.arp,
          .rarp = counted.rarp,
          .dropped = counted.dropped};
}

std::uint64_t Relay::icmp_frames(Site from, std::string_view one, std::string_view other) const {
  const std::uint64_t key = icmp_key(parse_ipv4(one), parse_ipv4(other));
  for (const IcmpSlot& slot : direction(from).icmp) {
    if (slot.key == key) {
      return slot.frames;
    }
  }
  return 0;
}

}  // namespace untrombone::lab
