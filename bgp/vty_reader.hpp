// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <span>
#include <streambuf>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "bgp/vty_codec.hpp"

namespace untrombone::bgp {

/// Asks one FRR daemon on its vty socket (`<vty-dir>/<daemon>.vty`), as vtysh does. Blocks, so it is for the
/// commands that run once and end.
class VtyReader {
 public:
  VtyReader() = default;
  ~VtyReader();
  VtyReader(const VtyReader&) = delete;
  VtyReader& operator=(const VtyReader&) = delete;

  /// `patience` bounds every single wait, not their sum.
  boost::system::error_code open(const std::string& path, std::chrono::milliseconds patience);
  /// Sends a command (invalid_argument: it cannot be one); its answer has to be read to the end before the next.
  boost::system::error_code ask(std::string_view command);
  /// The next part of the answer; `count` 0: that was all. protocol_error: the daemon refused the command, or its
  /// answer is none.
  boost::system::error_code read(std::span<char> buffer, std::size_t& count);
  /// Both, collected.
  boost::system::error_code run(std::string_view command, std::string& output);

 private:
  int descriptor_ = -1;
  VtyAnswerReader answer_;
};

/// The answer to the command that was asked last, as a stream. An error ends it early; error() tells.
class VtyAnswerBuffer final : public std::streambuf {
 public:
  explicit VtyAnswerBuffer(VtyReader& vty) : vty_(vty) {}
  [[nodiscard]] const boost::system::error_code& error() const { return error_; }

 protected:
  int_type underflow() override;

 private:
  VtyReader& vty_;
  boost::system::error_code error_;
  std::array<char, 65536> part_{};
};

}  // namespace untrombone::bgp
