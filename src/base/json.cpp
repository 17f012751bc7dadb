#include "base/json.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed {
namespace {

using nlohmann::json;

/// Makes the value in one pass. The parser's own callback sees the same events, but it looks
/// through the whole list or object around each value that ends: a few megabytes of `[{},{},...]`
/// would keep it busy for hours.
class StrictReader final : public json::json_sax_t {
 public:
  StrictReader(std::size_t max_depth, std::string_view what) : max_depth_(max_depth), what_(what) {}

  json take() { return std::move(root_); }

  bool null() override { return put(nullptr) != nullptr; }

  bool boolean(bool value) override { return put(value) != nullptr; }

  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }

  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }

  bool number_float(number_float_t value, const string_t&) override {
    return put(value) != nullptr;
  }

  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }

  bool binary(binary_t&) override { return false; }  // not in JSON

  bool start_object(std::size_t) override { return open(json::object()); }

  bool start_array(std::size_t) override { return open(json::array()); }

  bool end_object() override { return close(); }

  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [place, is_new] = open_.back()->emplace(std::move(name), nullptr);
    if (!is_new) {
      throw FormatError(fmt::format("{} has '{}' twice", what_, printable(place.key())));
    }
    member_ = &*place;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }

 private:
  /// Where the value is now: it stays there while it is open, as its list does not grow meanwhile.
  template <class Value>
  json* put(Value&& value) {
    if (open_.empty()) {
      root_ = std::forward<Value>(value);
      return &root_;
    }
    if (open_.back()->is_array()) {
      return &open_.back()->emplace_back(std::forward<Value>(value));
    }
    *member_ = std::forward<Value>(value);
    return member_;
  }

  bool open(json value) {
    if (open_.size() >= max_depth_) {
      throw FormatError(fmt::format("{} has more than {} levels", what_, max_depth_));
    }
    open_.push_back(put(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  std::string_view what_;
  json root_;
  std::vector<json*> open_;  ///< lists and objects that have not ended
  json* member_ = nullptr;   ///< of the innermost object: whose name was read last
};

}  // namespace

json read_strict_json(std::string_view text,
                      std::uint64_t limit_bytes,
                      std::size_t max_depth,
                      std::string_view what) {
  if (text.size() > limit_bytes) {
    throw FormatError(
        fmt::format("{} has {} bytes; at most {} are read", what, text.size(), limit_bytes));
  }
  StrictReader reader(max_depth, what);
  if (!json::sax_parse(text, &reader)) {
    throw FormatError(fmt::format("{} is not JSON: '{}'", what, printable(text, 60)));
  }
  json value = reader.take();
  if (!value.is_structured()) {
    throw FormatError(fmt::format("{} is not a JSON object", what));
  }
  return value;
}

}  // namespace seed
