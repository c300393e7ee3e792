// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <catch2/catch.hpp>

#include "agent/cli/render.hpp"

/// tests/golden/cli/KIND-CASE.json renders to KIND-CASE.txt; "KIND-CASE.colour.json" in colours. A new pair needs no
/// code. UNTROMBONE_UPDATE_GOLDEN=1 rewrites the texts: read the diff.
namespace untrombone::cli {
namespace {

namespace fs = std::filesystem;

constexpr DocumentKind kKinds[] = {
    DocumentKind::kStatus,    DocumentKind::kHosts,       DocumentKind::kRoutes,
    DocumentKind::kExplain,   DocumentKind::kHostClear,   DocumentKind::kReload,
    DocumentKind::kDoctor,    DocumentKind::kMoves,       DocumentKind::kAudit,
    DocumentKind::kPath,      DocumentKind::kGuardShow,   DocumentKind::kGuardTest,
    DocumentKind::kHostClaim, DocumentKind::kHostRelease, DocumentKind::kGuardOpen,
    DocumentKind::kGuardClose};

std::string read_file(const fs::path& path) {
  const std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> fixtures() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(UNTROMBONE_SOURCE_DIR) / "tests/golden/cli")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

DocumentKind kind_of(const fs::path& path) {
  const std::string name = path.filename().string();
  const auto* const found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](DocumentKind candidate) {
    return name.starts_with(std::string(command_of(candidate)) + "-");
  });
  REQUIRE(found != std::end(kKinds));
  return *found;
}

/// Puts every one of `values` in place of every node of `document` in turn, and leaves every field out once.
template <typename Visit>
void mutate(Json& document, Json& node, const std::vector<Json>& values, const Visit& visit) {
  const Json saved = node;
  for (const Json& value : values) {
    node = value;
    visit(document);
  }
  node = saved;
  if (node.is_object()) {
    for (const auto& [key, value] : saved.items()) {
      node.erase(key);
      visit(document);
      node = saved;
      mutate(document, node[key], values, visit);
    }
  } else if (node.is_array()) {
    for (auto& element : node) mutate(document, element, values, visit);
  }
}

}  // namespace

TEST_CASE("every golden document renders to its golden text") {
  const bool update = std::getenv("UNTROMBONE_UPDATE_GOLDEN") != nullptr;
  REQUIRE_FALSE(fixtures().empty());
  for (const fs::path& path : fixtures()) {
    DYNAMIC_SECTION(path.filename().string()) {
      const Json document = Json::parse(read_file(path));
      REQUIRE_FALSE(find_fault(kind_of(path), document));
      const Style style{path.stem().extension() == ".colour"};
      const std::string text = render(kind_of(path), document, style);
      fs::path golden = path;
      golden.replace_extension(".txt");
      if (update) std::ofstream(golden) << text;
      CHECK(text == read_file(golden));
    }
  }
}

TEST_CASE("colours change nothing but escapes") {
  for (const fs::path& path : fixtures()) {
    const Json document = Json::parse(read_file(path));
    std::string coloured = render(kind_of(path), document, Style{true});
    for (std::size_t at = 0; (at = coloured.find('\x1b', at)) != std::string::npos;) {
      coloured.erase(at, coloured.find('m', at) - at + 1);
    }
    CHECK(coloured == render(kind_of(path), document, Style{false}));
  }
}

TEST_CASE("a document with any field missing or of another type still renders") {
  const std::vector<Json> values = {
      nullptr, true, -1, 1e300, "\x1b[31m\n", Json::array(), Json::object(), Json::array({nullptr, 3, "x"})};
  for (const fs::path& path : fixtures()) {
    const DocumentKind kind = kind_of(path);
    Json document = Json::parse(read_file(path));
    mutate(document, document, values, [&](const Json& mutant) {
      (void)find_fault(kind, mutant);
      (void)has_findings(kind, mutant);
      const std::string text = render(kind, mutant, Style{});
      if (text.empty() || text.back() != '\n' || text.find('\x1b') != std::string::npos) FAIL(mutant.dump());
    });
  }
}

TEST_CASE("a document without its essential field is faulty") {
  const Json nothing = Json::object();
  CHECK(find_fault(DocumentKind::kStatus, nothing) == "the answer to \"status\" has no usable \"segments\"");
  CHECK(find_fault(DocumentKind::kHosts, nothing) == "the answer to \"hosts\" has no usable \"hosts\"");
  CHECK(find_fault(DocumentKind::kRoutes, Json{{"routes", 7}}) ==
        "the answer to \"routes\" has no usable \"routes\"");
  CHECK(find_fault(DocumentKind::kExplain, Json::array()) ==
        "the answer to \"explain\" has no usable \"found\"");
}

TEST_CASE("only an unhealthy status and an unknown address are findings") {
  CHECK_FALSE(has_findings(DocumentKind::kStatus, Json{{"healthy", true}}));
  CHECK(has_findings(DocumentKind::kStatus, Json{{"healthy", false}}));
  CHECK_FALSE(has_findings(DocumentKind::kExplain, Json{{"found", true}, {"verdict", "remote"}}));
  CHECK(has_findings(DocumentKind::kExplain, Json{{"found", false}}));
  CHECK_FALSE(has_findings(DocumentKind::kHosts, Json{{"hosts", Json::array()}}));
  CHECK_FALSE(has_findings(DocumentKind::kRoutes, Json{{"routes", Json::array()}}));
}

TEST_CASE("a guard that is not closed is a finding of show, not of open and close") {
  const Json closed =
      Json::parse(R"({"state": "active", "segments": [{"stance": "closed"}, {"stance": "off"}]})");
  const Json open =
      Json::parse(R"({"state": "open", "segments": [{"stance": "closed"}, {"stance": "open"}]})");
  CHECK_FALSE(has_findings(DocumentKind::kGuardShow, closed));
  CHECK(has_findings(DocumentKind::kGuardShow, open));
  CHECK_FALSE(has_findings(DocumentKind::kGuardOpen, open));
  CHECK_FALSE(has_findings(DocumentKind::kGuardClose, closed));
  CHECK(has_findings(DocumentKind::kGuardTest, Json{{"passed", false}}));
}

TEST_CASE("a status that does not say is healthy when all segments are ready and the sink is synced") {
  Json status = Json::parse(R"({"segments": [{"state": "ready"}], "sink": {"state": "synced"}})");
  CHECK(is_healthy(status));
  status["segments"][0]["state"] = "waiting";
  CHECK_FALSE(is_healthy(status));
  status["segments"][0]["state"] = "ready";
  status["sink"]["state"] = "syncing";
  CHECK_FALSE(is_healthy(status));
}

}  // namespace untrombone::cli
