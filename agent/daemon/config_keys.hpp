// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace untrombone::daemon {

enum class KeyNeed : std::uint8_t {
  kRequired,  ///< `value` is an example
  kOptional,  ///< no default; `value` is an example
  kDefault,   ///< `value` is the default
};

/// A key of the configuration file. `value` is TOML text.
struct ConfigKey {
  std::string_view table;  ///< a name of config_tables()
  std::string_view name;
  KeyNeed need = KeyNeed::kDefault;
  std::string_view value;
  std::string_view help;
};

struct ConfigTable {
  std::string_view name;    ///< "segment.detect"
  std::string_view header;  ///< "[segment.detect]"
};

/// Every table of the design, and every key of them, in the order of the documentation. The one list behind the
/// reader's "unknown", its suggestions, and `config show --defaults`.
[[nodiscard]] std::span<const ConfigTable> config_tables();
[[nodiscard]] std::span<const ConfigKey> config_keys();

/// nullptr when there is none.
[[nodiscard]] const ConfigTable* find_config_table(std::string_view name);
[[nodiscard]] const ConfigKey* find_config_key(std::string_view table, std::string_view name);

/// "unknown key; did you mean ...?" for `name` in `table`: the nearest supported key there, else the table the key
/// belongs to, else all keys of `table`.
[[nodiscard]] std::string describe_unknown_key(std::string_view table, std::string_view name);
/// The same for a top-level name.
[[nodiscard]] std::string describe_unknown_table(std::string_view name);

}  // namespace untrombone::daemon
