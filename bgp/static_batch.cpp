// SPDX-License-Identifier: GPL-2.0-or-later
#include "bgp/static_batch.hpp"

#include <iterator>
#include <utility>

namespace untrombone::bgp {
namespace {

constexpr std::string_view kDescription = "Error description: ";
/// Behind the lines: the mark and "end".
constexpr std::size_t kTail = 2;

}  // namespace

std::vector<std::string> batch_commands(ConfigDaemon daemon, const std::vector<BatchLine>& lines,
                                        bool discard_first) {
  const bool managed = daemon == ConfigDaemon::kMgmtd;
  // mgmtd commits several lines at once only for who has locked its datastores.
  std::vector<std::string> commands{managed ? "configure terminal file-lock" : "configure terminal"};
  if (managed && discard_first) commands.emplace_back("mgmt commit abort");
  commands.emplace_back("XFRR_start_configuration");
  commands.reserve(commands.size() + lines.size() + kTail);
  for (const BatchLine& line : lines) commands.push_back(line.text);
  commands.emplace_back("XFRR_end_configuration");
  commands.emplace_back("end");
  return commands;
}

BatchVerdict read_batch(std::vector<VtyAnswer> answers, std::size_t lines) {
  const VtyAnswer& entered = answers.front();
  if (entered.status != kVtySuccess) return {BatchVerdict::State::kLocked, phrase_of(entered.text), {}};
  const VtyAnswer& committed = answers[answers.size() - kTail];
  if (committed.status != kVtySuccess && committed.status != kVtyUnknownCommand)
    return {BatchVerdict::State::kRefused, phrase_of(committed.text), {}};
  const auto end = std::make_move_iterator(answers.end() - static_cast<std::ptrdiff_t>(kTail));
  return {BatchVerdict::State::kTaken, {}, {end - static_cast<std::ptrdiff_t>(lines), end}};
}

std::string phrase_of(std::string_view text) {
  if (const std::size_t described = text.find(kDescription); described != std::string_view::npos)
    text.remove_prefix(described + kDescription.size());
  const std::size_t begin = text.find_first_not_of("% \r\n");
  if (begin == std::string_view::npos) return "no reason given";
  return std::string(text.substr(begin, text.find_first_of("\r\n", begin) - begin));
}

}  // namespace untrombone::bgp
