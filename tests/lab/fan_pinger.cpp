// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lab/fan_pinger.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/lab/pinger.hpp"
#include "tests/lab/wait.hpp"

namespace untrombone::lab {
namespace {

std::vector<std::uint32_t> sorted(std::vector<std::uint32_t> addresses) {
  std::sort(addresses.begin(), addresses.end());
  return addresses;
}

}  // namespace

FanPinger::FanPinger(const Netns& netns, std::vector<std::uint32_t> destinations,
                     std::chrono::milliseconds interval)
    : destinations_(sorted(std::move(destinations))),
      step_(std::chrono::nanoseconds(interval) / static_cast<long>(destinations_.size())),
      id_(next_echo_id()),
      socket_(open_icmp_socket(netns)),
      probes_(destinations_.size()),
      worker_([this](int stop_fd) { run(stop_fd); }) {}

void FanPinger::stop(std::chrono::milliseconds patience) {
  worker_.stop();
  pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ready, 1, static_cast<int>(patience.count())) > 0) receive_all();
}

std::vector<std::vector<FanPinger::Probe>> FanPinger::probes() {
  const std::lock_guard lock(mutex_);
  return probes_;
}

bool FanPinger::wait_everybody(std::chrono::milliseconds timeout, Timestamp since) {
  const auto has_answered = [since](const std::vector<Probe>& of_one) {
    return std::any_of(of_one.rbegin(), of_one.rend(),
                       [since](const Probe& probe) { return probe.answered && probe.sent >= since; });
  };
  return wait_until(
      [&] {
        const std::lock_guard lock(mutex_);
        return std::all_of(probes_.begin(), probes_.end(), has_answered);
      },
      std::chrono::steady_clock::now() + timeout, std::chrono::milliseconds(50));
}

void FanPinger::run(int stop_fd) {
  using SteadyClock = std::chrono::steady_clock;
  std::array<pollfd, 2> events{{{.fd = stop_fd, .events = POLLIN, .revents = 0},
                                {.fd = socket_.get(), .events = POLLIN, .revents = 0}}};
  SteadyClock::time_point next = SteadyClock::now();
  while (events[0].revents == 0) {
    for (; SteadyClock::now() >= next; next += step_) send_next();
    const std::chrono::nanoseconds left =
        std::max(std::chrono::nanoseconds(next - SteadyClock::now()), std::chrono::nanoseconds(0));
    const timespec timeout{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
    if (::ppoll(events.data(), events.size(), &timeout, nullptr) > 0) receive_all();
  }
}

void FanPinger::send_next() {
  const std::size_t index = std::exchange(next_, (next_ + 1) % destinations_.size());
  std::uint16_t sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    sequence = static_cast<std::uint16_t>(probes_[index].size());
    probes_[index].push_back({.sent = now(), .answered = false});
  }
  send_icmp(socket_.get(), destinations_[index], make_echo_request(id_, sequence));
}

void FanPinger::receive_all() {
  std::array<std::uint8_t, 2048> buffer;
  ssize_t size = 0;
  while ((size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) > 0) {
    const auto reply = decode_ipv4_echo_reply(FrameView(buffer).first(static_cast<std::size_t>(size)));
    if (!reply || reply->id != id_) continue;
    const auto found = std::lower_bound(destinations_.begin(), destinations_.end(), reply->source);
    if (found == destinations_.end() || *found != reply->source) continue;
    const std::lock_guard lock(mutex_);
    auto& of_one = probes_[static_cast<std::size_t>(found - destinations_.begin())];
    if (reply->sequence < of_one.size()) of_one[reply->sequence].answered = true;
  }
}

}  // namespace untrombone::lab
