// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/bgpd_lookout.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/asio/local/stream_protocol.hpp>
#include <catch2/catch.hpp>

namespace untrombone::bgp {
namespace {

namespace fs = std::filesystem;
const core::IpPrefix kHost = core::IpPrefix::parse("192.0.2.11/32").value();

/// A path of a neighbour, fresh, and one of its own, settled: what FRR 8.4 said.
std::string golden_answer() {
  const std::ifstream file(fs::path(UNTROMBONE_SOURCE_DIR) /
                           "tests/golden/frr/show-bgp-ipv4-unicast-10.1.0.11.json");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Where a bgpd would listen.
class VtyDirectory {
 public:
  VtyDirectory() {
    std::string name = (fs::temp_directory_path() / "lookout-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~VtyDirectory() { fs::remove_all(path_); }
  VtyDirectory(const VtyDirectory&) = delete;
  VtyDirectory& operator=(const VtyDirectory&) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("bgpd has the route when it shows a path of its own that is not the one from before") {
  const std::string answer = golden_answer();
  CHECK(shows_own_path(answer, {}));
  CHECK(shows_own_path(answer, {"65000:4211"}));
  CHECK_FALSE(shows_own_path(answer, {"65000:4210", "65000:4212"}));
  CHECK_FALSE(shows_own_path(R"({"paths": [{"valid": true, "peer": {"peerId": "192.0.2.2"}}]})", {}));
  for (const char* const nothing :
       {"", "{}", "[]", R"({"paths": 3})", R"({"paths": [3]})", "% Network not in table"})
    CHECK_FALSE(shows_own_path(nothing, {}));
}

TEST_CASE("where no bgpd runs nothing is asked, and one that does not answer is asked about one route") {
  VtyDirectory directory;
  boost::asio::io_context io;
  bool seen = false;
  BgpdLookout lookout(io, {.vty_dir = directory.path(), .stale = {}},
                      [&](std::uint64_t /*id*/, core::TimePoint /*when*/) { seen = true; });
  CHECK_FALSE(lookout.look_for(1, kHost, ""));
  using Protocol = boost::asio::local::stream_protocol;
  Protocol::acceptor silent(io, Protocol::endpoint(directory.path() + "/bgpd.vty"));
  CHECK(lookout.look_for(2, kHost, ""));
  for (std::uint64_t id = 3; id < 1000; ++id) CHECK_FALSE(lookout.look_for(id, kHost, ""));
  lookout.stop();
  CHECK_FALSE(lookout.look_for(1000, kHost, ""));
  CHECK_FALSE(seen);
}

}  // namespace untrombone::bgp
