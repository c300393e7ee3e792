// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "bgp/vty_codec.hpp"

namespace untrombone::testing {

/// A vty socket: each command gets what `answer` says.
class FakeVty {
 public:
  using Answer = std::function<bgp::VtyAnswer(const std::string& command)>;
  /// As a status: closes the connection.
  static constexpr bgp::VtyStatus kHangUp = 255;

  FakeVty(boost::asio::io_context& io, const std::string& path, Answer answer)
      : acceptor_(io, path), answer_(std::move(answer)) {
    accept();
  }

 private:
  using Protocol = boost::asio::local::stream_protocol;
  struct Client {
    explicit Client(Protocol::socket accepted) : socket(std::move(accepted)) {}
    Protocol::socket socket;
    std::array<char, 512> heard{};  // as little at a time as FRR reads
    std::string line;
  };

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Protocol::socket socket) {
      if (error) return;
      listen(std::make_shared<Client>(std::move(socket)));
      accept();
    });
  }
  void listen(const std::shared_ptr<Client>& client) {
    client->socket.async_read_some(boost::asio::buffer(client->heard),
                                   [this, client](const boost::system::error_code& error, std::size_t count) {
                                     if (error) return;
                                     for (std::size_t i = 0; i < count; ++i)
                                       if (!take(*client, client->heard[i])) return;
                                     listen(client);
                                   });
  }
  bool take(Client& client, char c) {
    if (c != '\0') {
      client.line += c;
      return true;
    }
    const bgp::VtyAnswer answer = answer_(std::exchange(client.line, {}));
    if (answer.status == kHangUp) return false;
    std::string text = answer.text + std::string(3, '\0');
    text += static_cast<char>(answer.status);
    boost::system::error_code ignored;
    boost::asio::write(client.socket, boost::asio::buffer(text), ignored);
    return !ignored;
  }

  Protocol::acceptor acceptor_;
  Answer answer_;
};

/// FRR's static routes as a sink sees them: lines become routes when their transaction ends, and none of them does when
/// one of them cannot be. zebra has them at once.
class FakeFrr {
 public:
  /// `daemon` has the configuration: "staticd" or "mgmtd".
  FakeFrr(boost::asio::io_context& io, const std::string& directory, const std::string& daemon)
      : managed_(daemon == "mgmtd"),
        configuration_(io, directory + "/" + daemon + ".vty",
                       [this](const auto& line) { return take(line); }),
        zebra_(io, directory + "/zebra.vty", [this](const auto& line) { return show(line); }) {}

  std::string impossible = "nothing";  ///< a prefix that is refused when it is committed
  std::string hidden = "nothing";      ///< one that zebra does not get
  std::string beaten = "nothing";      ///< one that zebra has a better route for
  std::string hang_up_on = "nothing";  ///< a line; once
  bool locked = false;
  int transactions = 0;
  std::set<std::string> running;

 private:
  static constexpr bgp::VtyStatus kRefused = 13;

  bgp::VtyAnswer take(const std::string& line) {
    if (line == hang_up_on) {
      hang_up_on = "nothing";
      return {FakeVty::kHangUp, {}};
    }
    if (line.starts_with("configure terminal")) {
      const bool knows = line.ends_with("file-lock") == managed_;
      configuring_ = !locked && knows;
      if (!configuring_) return {kRefused, "% Can't enter config; locked by another session\n"};
    } else if (line == "show running-config") {
      bgp::VtyAnswer answer;
      for (const std::string& route : running) answer.text += route + "\n";
      return answer;
    } else if (line == "enable") {
      return {};
    } else if (!configuring_) {
      return {bgp::kVtyUnknownCommand, "% Unknown command\n"};
    } else if (line == "end") {
      configuring_ = false;
    } else if (line == "XFRR_start_configuration") {
      if (!managed_) candidate_ = running;
    } else if (line == "mgmt commit abort") {
      candidate_ = running;
    } else if (line == "XFRR_end_configuration") {
      return commit();
    } else if (line.starts_with("no ip route ")) {
      candidate_.erase(line.substr(3));
    } else if (line.starts_with("ip route ")) {
      candidate_.insert(line);
    }
    return {};
  }

  bgp::VtyAnswer commit() {
    ++transactions;
    for (const std::string& line : candidate_) {
      if (line.find(impossible) == std::string::npos) continue;
      return {kRefused,
              "% Configuration failed.\n\nError type: validation\nError description: it cannot be\n"};
    }
    running = candidate_;
    return {};
  }

  bgp::VtyAnswer show(const std::string& question) const {
    const bool all = question == "show ip route static json";
    std::string text;
    for (const std::string& line : running) {
      const std::string prefix = line.substr(9, line.find(' ', 9) - 9);
      if ((!all && question != "show ip route " + prefix + " json") || prefix == hidden) continue;
      const std::string tag = line.substr(line.find("tag ") + 4, 4);
      const bool loses = prefix == beaten;
      text += (text.empty() ? "\"" : ",\"") + prefix + R"(":[{"protocol":"static","tag":)" + tag +
              (loses ? "}" : R"(,"selected":true,"installed":true})") +
              (loses && !all ? R"(,{"protocol":"ospf","distance":110,"selected":true})" : "") + "]";
    }
    return {bgp::kVtySuccess, "{" + text + "}"};
  }

  bool managed_;
  bool configuring_ = false;
  std::set<std::string> candidate_;
  FakeVty configuration_;
  FakeVty zebra_;
};

}  // namespace untrombone::testing
