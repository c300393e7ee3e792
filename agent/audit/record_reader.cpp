// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/audit/record_reader.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace untrombone::audit {
namespace {

using Json = nlohmann::json;
using Visit = std::function<void(const std::string& key, Fields fields)>;

constexpr std::size_t kDeepest = 64;

/// Follows where in the document it is. The parser calls a method for each token.
class RecordSax final : public nlohmann::json_sax<Json> {
 public:
  RecordSax(const RecordShape& shape, const Visit& visit) : shape_(shape), visit_(visit) {
    values_.resize(shape.fields.size());
  }

  bool null() override { return true; }
  bool boolean(bool value) override { return take(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return take(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override { return take(text); }
  bool string(string_t& value) override { return take(value); }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_array(std::size_t /*size*/) override { return descend(); }
  bool end_array() override { return ascend(); }

  bool start_object(std::size_t /*size*/) override {
    if (!descend()) return false;
    if (keys_.size() == shape_.depth) {
      for (std::string& value : values_) value.clear();
    }
    return true;
  }

  bool key(string_t& name) override {
    keys_.back() = name;
    return true;
  }

  bool end_object() override {
    if (keys_.size() == shape_.depth) visit_(holder(), values_);
    return ascend();
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const Json::exception& /*error*/) override {
    return false;
  }

 private:
  bool descend() {
    if (keys_.size() >= kDeepest) return false;
    keys_.emplace_back();
    return true;
  }
  bool ascend() {
    keys_.pop_back();
    return true;
  }

  /// The innermost name around the record.
  [[nodiscard]] const std::string& holder() const {
    for (std::size_t i = shape_.depth - 1; i-- > 0;) {
      if (!keys_[i].empty()) return keys_[i];
    }
    return keys_.front();
  }

  /// The field that is being read: "metric", "nexthops.ip"; empty: none that could be wanted.
  [[nodiscard]] std::string name() const {
    if (keys_.size() == shape_.depth) return keys_.back();
    if (keys_.size() < shape_.depth + 1 || keys_.size() > shape_.depth + 2) return {};
    return keys_[shape_.depth - 1] + "." + keys_.back();
  }

  bool take(std::string_view value) {
    if (keys_.size() < shape_.depth) return true;
    const std::string field = name();
    const auto found = std::find(shape_.fields.begin(), shape_.fields.end(), field);
    if (found == shape_.fields.end()) return true;
    std::string& slot = values_[static_cast<std::size_t>(found - shape_.fields.begin())];
    if (slot.empty()) slot = value;  // the first of a list
    return true;
  }

  const RecordShape& shape_;
  const Visit& visit_;
  std::vector<std::string> keys_;  ///< one per depth; empty in lists
  std::vector<std::string> values_;
};

}  // namespace

bool read_records(std::istream& document, const RecordShape& shape, const Visit& visit) {
  RecordSax sax(shape, visit);
  return Json::sax_parse(document, &sax, Json::input_format_t::json, false);
}

}  // namespace untrombone::audit
