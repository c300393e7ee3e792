// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bmp_claims.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>

namespace untrombone::bgp {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using core::IpPrefix;
using core::RouteClass;

/// More bgpds than this do not tell us anything: there is one, or one per VRF.
constexpr std::size_t kMostConnections = 16;

tcp::endpoint endpoint_of(const core::IpAddress& address, std::uint16_t port) {
  const auto octets = address.octets();
  if (address.is_v4()) {
    boost::asio::ip::address_v4::bytes_type bytes{};
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return {boost::asio::ip::address_v4(bytes), port};
  }
  boost::asio::ip::address_v6::bytes_type bytes{};
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return {boost::asio::ip::address_v6(bytes), port};
}

}  // namespace

/// One bgpd. Kept alive by its read.
class BmpClaims::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(BmpClaims& owner, tcp::socket socket) : owner_(&owner), socket_(std::move(socket)) {}

  void read() {
    if (input_.size() < bmp::kMaxMessage) input_.resize(bmp::kMaxMessage);
    const auto space = boost::asio::buffer(input_.data() + size_, input_.size() - size_);
    socket_.async_read_some(space,
                            [self = shared_from_this(), this](const error_code& error, std::size_t count) {
                              if (owner_ == nullptr) return;
                              if (error) return owner_->end(*this, "bgpd closed the connection");
                              size_ += count;
                              take_input();
                            });
  }
  /// No call reaches the owner after this.
  void close() {
    owner_ = nullptr;
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void take_input() {
    std::span<const std::byte> stream = std::span<const std::byte>(input_).first(size_);
    bmp::Message message;
    while (true) {
      const bmp::Framing framing = bmp::take_message(stream, message);
      if (framing == bmp::Framing::kBroken) return owner_->end(*this, "that is not BMP version 3");
      if (framing == bmp::Framing::kIncomplete) break;
      if (!take(message)) return owner_->end(*this, "a BMP message is malformed");
    }
    const std::size_t left = stream.size();
    std::copy(stream.begin(), stream.end(), input_.begin());
    size_ = left;
    owner_->listener_.on_claims_idle();
    read();
  }

  bool take(const bmp::Message& message) {
    std::span<const std::byte> body = message.body;
    const bool of_peer = message.type == bmp::Type::kRouteMonitoring || message.type == bmp::Type::kPeerDown;
    if (!of_peer) return true;
    const auto peer = bmp::take_peer(body);
    if (!peer) return false;
    if (message.type == bmp::Type::kPeerDown) {
      owner_->forget(*this, &*peer);
      return true;
    }
    // Type 1 and 2 are VRFs, which are told apart by a distinguisher that means nothing to the kernel.
    if (!peer->is_accepted() || peer->type != 0) return true;
    const auto update = bmp::decode_update(body);
    if (update) owner_->take_update({this, *peer}, *update);
    return update.has_value();
  }

  BmpClaims* owner_;
  tcp::socket socket_;
  std::vector<std::byte> input_;
  std::size_t size_ = 0;
};

BmpClaims::BmpClaims(boost::asio::io_context& io, ClaimListener& listener, BmpClaimsOptions options)
    : io_(io), listener_(listener), options_(std::move(options)), acceptor_(io) {
  status_.list = kBmpList;
  listen();
}

BmpClaims::~BmpClaims() {
  for (const auto& connection : connections_) connection->close();
}

void BmpClaims::listen() {
  const tcp::endpoint endpoint = endpoint_of(options_.address, options_.port);
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) {
    status_.detail = fmt::format("cannot listen on {} port {}: {}", options_.address.to_string(),
                                 options_.port, error.message());
    return;
  }
  status_.detail = "waiting for bgpd";
  accept();
}

void BmpClaims::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || stopped_) return;
    if (!error && connections_.size() < kMostConnections) {
      connections_.push_back(std::make_shared<Connection>(*this, std::move(socket)));
      status_.working = true;
      status_.detail.clear();
      ++status_.readings;
      connections_.back()->read();
    }
    accept();
  });
}

void BmpClaims::end(Connection& connection, const std::string& why) {
  forget(connection, nullptr);
  connection.close();
  std::erase_if(connections_, [&](const auto& other) { return other.get() == &connection; });
  ++status_.failures;
  status_.working = !connections_.empty();
  if (!status_.working) status_.detail = why;
  listener_.on_claims_idle();
}

void BmpClaims::follow(const std::vector<ClaimScope>& /*scopes*/) {
}  // bgpd tells everything; the core knows what matters

void BmpClaims::stop() {
  stopped_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (const auto& connection : connections_) connection->close();
  connections_.clear();
}

std::vector<ClaimListStatus> BmpClaims::status() const { return {status_}; }

// ---- what is told ------------------------------------------------------------------------------------------------

std::optional<RouteClass> BmpClaims::class_of(const std::vector<std::uint32_t>& communities) const {
  const auto has = [&](std::uint32_t community) {
    return std::find(communities.begin(), communities.end(), community) != communities.end();
  };
  if (has(options_.fresh_community)) return RouteClass::kFresh;
  if (has(options_.lingering_community)) return RouteClass::kLingering;
  if (has(options_.settled_community)) return RouteClass::kSettled;
  return std::nullopt;
}

void BmpClaims::take_update(const Teller& teller, const bmp::Update& update) {
  for (const IpPrefix& prefix : update.withdrawn) withdraw(teller, prefix);
  auto route_class = class_of(update.communities);
  if (update.next_hop.is_unspecified()) route_class.reset();  // bgpd tells its own routes, too
  const bool same_site = std::find(options_.same_site.begin(), options_.same_site.end(), update.next_hop) !=
                         options_.same_site.end();
  for (const IpPrefix& prefix : update.announced) {
    if (!route_class || same_site) {
      withdraw(teller, prefix);  // if it was ours before, it is not any more
    } else {
      announce(teller, prefix, {*route_class, update.med, update.next_hop});
    }
  }
}

void BmpClaims::announce(const Teller& teller, const IpPrefix& prefix, const Told& told) {
  told_[prefix].insert_or_assign(teller, told);
  tell(prefix);
}

void BmpClaims::withdraw(const Teller& teller, const IpPrefix& prefix) {
  const auto known = told_.find(prefix);
  if (known == told_.end() || known->second.erase(teller) == 0) return;
  tell(prefix);
}

void BmpClaims::forget(const Connection& connection, const bmp::Peer* peer) {
  std::vector<std::pair<Teller, IpPrefix>> gone;
  for (const auto& [prefix, tellers] : told_) {
    for (const auto& [teller, told] : tellers) {
      // A peer goes down with all its views: the flags differ.
      const bool of_peer =
          peer == nullptr || (teller.peer.type == peer->type && teller.peer.address == peer->address &&
                              teller.peer.distinguisher == peer->distinguisher);
      if (teller.connection == &connection && of_peer) gone.emplace_back(teller, prefix);
    }
  }
  for (const auto& [teller, prefix] : gone) withdraw(teller, prefix);
}

/// Of several tellers the freshest counts, and of those the best metric.
void BmpClaims::tell(const IpPrefix& prefix) {
  const auto known = told_.find(prefix);
  if (known->second.empty()) {
    told_.erase(known);
    return listener_.on_claim_event(core::ClaimGone{kBmpList, {{}, prefix}});
  }
  const auto rank = [](const auto& entry) {
    const Told& told = entry.second;
    return std::pair(told.route_class, told.metric.value_or(UINT32_MAX));
  };
  const auto best = std::min_element(known->second.begin(), known->second.end(),
                                     [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  const Told& told = best->second;
  listener_.on_claim_event(core::ClaimSeen{kBmpList, {{}, prefix}, told.route_class, told.metric, told.from});
}

}  // namespace untrombone::bgp
