// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/vty_reader.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace untrombone::bgp {
namespace {

using boost::system::error_code;

error_code from_errno(int number) { return {number, boost::system::system_category()}; }

error_code send_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      return from_errno(errno);
    }
  }
  return {};
}

}  // namespace

VtyReader::~VtyReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

error_code VtyReader::open(const std::string& path, std::chrono::milliseconds patience) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return from_errno(ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return from_errno(errno);
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(patience.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(patience.count() % 1000 * 1000);
  // They cannot fail on a socket.
  (void)::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  (void)::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(descriptor_, generic, sizeof address) != 0) return from_errno(errno);
  std::string ignored;
  return run("enable", ignored);
}

error_code VtyReader::ask(std::string_view command) {
  std::vector<std::byte> line;
  if (!encode_vty_command(line, command)) return from_errno(EINVAL);
  answer_ = {};
  return send_all(descriptor_, line);
}

error_code VtyReader::read(std::span<char> buffer, std::size_t& count) {
  for (count = 0; answer_.state() == VtyAnswerReader::State::kReading;) {
    const ssize_t received = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (received == 0) return from_errno(ECONNRESET);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return from_errno(errno == EAGAIN ? ETIMEDOUT : errno);
    std::span<const std::byte> stream = std::as_bytes(buffer.first(static_cast<std::size_t>(received)));
    count = answer_.take(stream).size();  // text is always in front
    if (count > 0) return {};
  }
  const bool fine = answer_.state() == VtyAnswerReader::State::kComplete && answer_.status() == kVtySuccess;
  return fine ? error_code{} : from_errno(EPROTO);
}

error_code VtyReader::run(std::string_view command, std::string& output) {
  if (const error_code error = ask(command)) return error;
  std::array<char, 65536> part{};
  for (std::size_t count = 0;;) {
    if (const error_code error = read(part, count)) return error;
    if (count == 0) return {};
    output.append(part.data(), count);
  }
}

VtyAnswerBuffer::int_type VtyAnswerBuffer::underflow() {
  std::size_t count = 0;
  error_ = vty_.read(part_, count);
  if (error_ || count == 0) return traits_type::eof();
  setg(part_.data(), part_.data(), part_.data() + count);
  return traits_type::to_int_type(part_.front());
}

}  // namespace untrombone::bgp
