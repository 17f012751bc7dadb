#include "base/json.hpp"

#include <set>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed {
namespace {

using nlohmann::json;

/// Looks at a text before it is parsed. The parser's own callback sees the same events, but it
/// looks through the whole list or object around each value that ends: a few megabytes of
/// `[{},{},...]` would keep it busy for hours.
class StrictReader final : public json::json_sax_t {
 public:
  StrictReader(std::size_t max_depth, std::string_view what) : max_depth_(max_depth), what_(what) {}

  bool null() override { return true; }

  bool boolean(bool) override { return true; }

  bool number_integer(number_integer_t) override { return true; }

  bool number_unsigned(number_unsigned_t) override { return true; }

  bool number_float(number_float_t, const string_t&) override { return true; }

  bool string(string_t&) override { return true; }

  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override { return open(); }

  bool start_array(std::size_t) override { return open(); }

  bool end_object() override { return close(); }

  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) {
      throw FormatError(fmt::format("{} has '{}' twice", what_, printable(name)));
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const json::exception&) override {
    return false;
  }

 private:
  bool open() {
    if (keys_.size() >= max_depth_) {
      throw FormatError(fmt::format("{} has more than {} levels", what_, max_depth_));
    }
    keys_.emplace_back();
    return true;
  }

  bool close() {
    keys_.pop_back();
    return true;
  }

  std::size_t max_depth_;
  std::string_view what_;
  std::vector<std::set<std::string>> keys_;  ///< of each open level; none of a list's
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
  json value = json::parse(text);
  if (!value.is_structured()) {
    throw FormatError(fmt::format("{} is not a JSON object", what));
  }
  return value;
}

}  // namespace seed
