// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "bgp/zapi/release.hpp"
#include "tests/lab/system.hpp"
#include "tests/lab/types.hpp"

namespace untrombone::bench {

/// The floor: a zebra client that already knows. It has the bytes ready and does nothing but write them.
class BareClient {
 public:
  /// Connects and says HELLO as TABLE/0. Throws when it cannot.
  BareClient(const std::string& zserv, const bgp::zapi::Release& release, int ifindex);

  /// Writes the route; returns the time just before the write.
  lab::Timestamp add(const std::string& prefix, std::uint32_t tag);
  /// The same for many, encoded beforehand: one stream of bytes, as fast as zebra takes it.
  void add_all(const std::vector<std::string>& prefixes, std::uint32_t tag);
  void remove(const std::string& prefix);

 private:
  void write(const std::vector<std::byte>& bytes);

  const bgp::zapi::Release& release_;
  int ifindex_;
  lab::UniqueFd socket_;
};

}  // namespace untrombone::bench
