// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/core/sweeper.hpp"

#include <algorithm>
#include <iterator>

namespace untrombone::core {
namespace {

constexpr std::uint32_t kShareOfProbes = 10;
constexpr std::uint32_t kBatchesPerSecond = 20;
constexpr std::uint32_t kMostAtOnce =
    64;  // that many answers fit a socket's default buffer (208 KiB) with room to spare

std::uint32_t rate_of(std::uint32_t probes_per_second) {
  return std::max(1U, probes_per_second / kShareOfProbes);
}

std::uint32_t batch_of(std::uint32_t probes_per_second) {
  return std::clamp(rate_of(probes_per_second) / kBatchesPerSecond, 1U, kMostAtOnce);
}

IpAddress address_at(const IpPrefix& subnet, std::uint64_t offset) {
  const auto octets = subnet.address().octets();
  std::array<std::uint8_t, 4> sum{};
  for (std::size_t i = sum.size(); i-- > 0; offset >>= 8U) {
    offset += octets[i];
    sum[i] = static_cast<std::uint8_t>(offset & 0xffU);
  }
  return IpAddress::v4(sum);
}

}  // namespace

Sweeper::Sweeper(const std::vector<IpPrefix>& subnets, std::uint32_t probes_per_second)
    : batch_(batch_of(probes_per_second)), tokens_(rate_of(probes_per_second), batch_) {
  std::copy_if(subnets.begin(), subnets.end(), std::back_inserter(subnets_),
               [](const IpPrefix& subnet) { return subnet.address().is_v4(); });
  subnet_ = subnets_.size();
}

void Sweeper::start() {
  subnet_ = 0;
  offset_ = 0;
}

std::optional<IpAddress> Sweeper::next() {
  if (!walks()) return std::nullopt;
  const IpPrefix& subnet = subnets_[subnet_];
  const IpAddress address = address_at(subnet, offset_);
  if (++offset_ >> (subnet.address().bits() - subnet.length()) != 0) {
    ++subnet_;
    offset_ = 0;
  }
  return address;
}

}  // namespace untrombone::core
