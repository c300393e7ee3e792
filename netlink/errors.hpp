// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cerrno>

#include <boost/system/error_code.hpp>

namespace untrombone::netlink {

/// The error that the last system call left in errno.
[[nodiscard]] inline boost::system::error_code last_error() {
  return {errno, boost::system::system_category()};
}

/// Nothing waits to be read.
[[nodiscard]] inline bool is_would_block(const boost::system::error_code& error) {
  return error == boost::system::errc::operation_would_block ||
         error == boost::system::errc::resource_unavailable_try_again;
}

}  // namespace untrombone::netlink
