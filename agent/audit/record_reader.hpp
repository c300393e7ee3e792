// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <istream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace untrombone::audit {

/// A few fields of one record, as text ("true", "4210"); empty where the document does not say.
using Fields = std::span<const std::string>;

struct RecordShape {
  /// Objects at this depth are the records: the document itself is 1, and lists count.
  std::size_t depth = 3;
  /// Names of fields; "nexthops.interfaceName" is the field of the first object in the list (or the object) `nexthops`.
  std::vector<std::string> fields;
};

/// Calls `visit(key, fields)` for each record of a JSON document, where `key` is the name that holds it or its list:
/// "10.1.0.11/32" in zebra's and bgpd's. Reads the document as a stream, so that its size costs time only. False: it is
/// not JSON; what came before the fault was visited. Whatever has another shape is passed over.
[[nodiscard]] bool read_records(std::istream& document, const RecordShape& shape,
                                const std::function<void(const std::string& key, Fields fields)>& visit);

}  // namespace untrombone::audit
