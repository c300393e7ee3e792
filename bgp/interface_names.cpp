// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/interface_names.hpp"

#include <net/if.h>

#include <array>

namespace untrombone::bgp {

std::string interface_name(core::Ifindex interface) {
  std::array<char, IF_NAMESIZE> name{};
  const bool found = if_indextoname(static_cast<unsigned>(interface.value), name.data()) != nullptr;
  return found ? std::string(name.data()) : std::string();
}

std::string vrf_name(core::VrfId vrf) {
  return vrf == core::VrfId{} ? std::string() : interface_name({static_cast<int>(vrf.value)});
}

}  // namespace untrombone::bgp
