// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "agent/core/host_table.hpp"
#include "agent/core/token_bucket.hpp"

namespace untrombone::core {

/// Why a host is asked, most urgent first.
enum class Urgency : std::uint8_t { kChallenge, kRefresh };

/// Keeps the probes of one segment at `probe-rate`: a probe goes at once while there are tokens and nobody waits,
/// else its host waits for its turn, challenges before refreshes. Hosts wait at most once in each queue, so the
/// queues are never longer than the host table. Whether a host that waited is still to be asked is not known here.
class ProbeQueue {
 public:
  struct Turn {
    HostIndex host = kNoHost;
    Urgency urgency = Urgency::kChallenge;
  };

  /// At most `per_second` probes in any second; at least 2.
  explicit ProbeQueue(std::uint32_t per_second);
  /// From now on; who waits goes on waiting.
  void set_rate(std::uint32_t per_second);

  /// Takes a token for a probe that may go at once; false when it has to wait.
  bool pass(Urgency urgency, TimePoint now);
  /// The host waits for its turn.
  void wait(HostIndex host, Urgency urgency);
  /// Nobody waits, and there is a token for somebody who is not a host yet.
  [[nodiscard]] bool is_idle(TimePoint now) const { return waiting() == 0 && tokens_.has_token(now); }

  /// Whose turn it is, if there is a token; take it with spend() if the probe is sent.
  [[nodiscard]] std::optional<Turn> next(TimePoint now);
  void spend(TimePoint now) { tokens_.take(now); }

  [[nodiscard]] std::size_t waiting() const { return queues_[0].size() + queues_[1].size(); }
  /// When a batch of tokens will be there: waking up for each one would cost more than the probes.
  [[nodiscard]] TimePoint ready_at() const { return tokens_.ready_at(batch_); }

 private:
  std::uint32_t batch_;  ///< tokens that are worth waking up for
  TokenBucket tokens_;
  std::array<std::deque<HostIndex>, 2> queues_;
  std::vector<std::uint8_t> waits_;  ///< by host: a bit for each queue it is in
};

}  // namespace untrombone::core
