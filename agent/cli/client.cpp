// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/cli/client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <streambuf>
#include <utility>

#include <fmt/format.h>

namespace untrombone::cli {
namespace {

using boost::system::result;
using std::chrono::milliseconds;

constexpr std::size_t kLargestAnswer = std::size_t{1} << 30U;

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string_view hint_for(int error) {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED: return " (is it running? use --socket)";
    case EACCES:
    case EPERM: return " (are you root?)";
    default: return "";
  }
}

ClientError no_agent(const std::string& path, int error) {
  if (error == EAGAIN) return {fmt::format("the agent at {} is too busy to answer", path)};
  return {fmt::format("no agent answers at {}: {}{}", path, std::strerror(error), hint_for(error))};
}

ClientError broken_off(const std::string& path, int error, milliseconds timeout) {
  // Linux: EWOULDBLOCK is EAGAIN.
  if (error == EAGAIN)
    return {fmt::format("the agent at {} did not answer within {} ms", path, timeout.count())};
  return {fmt::format("the agent at {} broke off: {}", path, std::strerror(error))};
}

void set_timeout(const Socket& socket, milliseconds timeout) {
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(timeout.count() / 1000);
  limit.tv_usec = static_cast<suseconds_t>(timeout.count() % 1000 * 1000);
  // They cannot fail on a socket; without them a dead agent would only cost the operator a Ctrl-C.
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

result<Socket, ClientError> connect_to(const std::string& path, milliseconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return no_agent(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());

  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return no_agent(path, errno);
  set_timeout(socket, timeout);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the sockets API.
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), generic, sizeof address) != 0) return no_agent(path, errno);
  return socket;
}

/// 0, or errno.
int send_all(const Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/// 0, or errno.
int receive_all(const Socket& socket, std::string& bytes) {
  std::array<char, 65536> part{};
  while (bytes.size() <= kLargestAnswer) {
    const ssize_t received = ::recv(socket.get(), part.data(), part.size(), 0);
    if (received == 0) return 0;
    if (received > 0) {
      bytes.append(part.data(), static_cast<std::size_t>(received));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return EMSGSIZE;
}

/// Takes whole lines off the front of `bytes`; false when `on_line` has enough.
bool take_lines(std::string& bytes, const OnLine& on_line) {
  std::size_t start = 0;
  bool more = true;
  for (std::size_t end = 0; more && (end = bytes.find('\n', start)) != std::string::npos; start = end + 1) {
    more = on_line(bytes.substr(start, end - start));
  }
  bytes.erase(0, start);
  return more;
}

/// What comes out of a socket, as a stream.
class SocketBuffer final : public std::streambuf {
 public:
  explicit SocketBuffer(int descriptor) : descriptor_(descriptor) {}

 protected:
  int_type underflow() override {
    ssize_t received = 0;
    do {
      received = ::recv(descriptor_, part_.data(), part_.size(), 0);
    } while (received < 0 && errno == EINTR);
    if (received <= 0) return traits_type::eof();
    setg(part_.data(), part_.data(), part_.data() + received);
    return traits_type::to_int_type(part_.front());
  }

 private:
  int descriptor_;
  std::array<char, 65536> part_{};
};

std::string to_line(const Json& request) {
  return request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

result<Answer, ClientError> ask_agent(const std::string& path, const Json& request, milliseconds timeout) {
  const auto socket = connect_to(path, timeout);
  if (!socket.has_value()) return socket.error();
  if (const int error = send_all(*socket, to_line(request)); error != 0)
    return broken_off(path, error, timeout);
  std::string bytes;
  if (const int error = receive_all(*socket, bytes); error != 0) return broken_off(path, error, timeout);
  if (bytes.empty()) return ClientError{fmt::format("the agent at {} closed without an answer", path)};

  Answer answer{Json::parse(bytes, nullptr, false)};
  if (!answer.document.is_object()) {
    return ClientError{fmt::format("the agent at {} did not answer with a JSON object", path)};
  }
  if (answer.document.contains("error")) {
    return ClientError{
        fmt::format("the agent refuses: {}", text_at(answer.document, "error", "no reason given"))};
  }
  return answer;
}

bool stream_agent(const std::string& path, const Json& request, milliseconds timeout,
                  const std::function<void(std::istream& answer)>& take) {
  const auto socket = connect_to(path, timeout);
  if (!socket.has_value() || send_all(*socket, to_line(request)) != 0) return false;
  SocketBuffer buffer(socket->get());
  std::istream answer(&buffer);
  if (answer.peek() == std::istream::traits_type::eof()) return false;
  take(answer);
  return true;
}

std::optional<ClientError> watch_agent(const std::string& path, const Json& request, const OnLine& on_line) {
  constexpr milliseconds kPatience = std::chrono::seconds(5);
  constexpr std::size_t kLongestLine = std::size_t{1} << 20U;
  const auto socket = connect_to(path, kPatience);
  if (!socket.has_value()) return socket.error();
  if (const int error = send_all(*socket, to_line(request)); error != 0) {
    return broken_off(path, error, kPatience);
  }
  std::string bytes;
  std::array<char, 65536> part{};
  while (bytes.size() <= kLongestLine) {
    const ssize_t received = ::recv(socket->get(), part.data(), part.size(), 0);
    if (received == 0) return ClientError{fmt::format("the agent at {} is gone", path)};
    if (received > 0) {
      bytes.append(part.data(), static_cast<std::size_t>(received));
      if (!take_lines(bytes, on_line)) return std::nullopt;
    } else if (errno != EINTR && errno != EAGAIN) {  // nothing happened for a while
      return broken_off(path, errno, kPatience);
    }
  }
  return ClientError{fmt::format("the agent at {} sends a line without an end", path)};
}

}  // namespace untrombone::cli
