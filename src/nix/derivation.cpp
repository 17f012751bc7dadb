#include "nix/derivation.hpp"

#include <functional>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

/// Outputs of outputs nest (dynamic derivations); Nix itself makes two or three levels.
constexpr int kMaxDepth = 32;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Derivation parse() {
    Derivation result;
    if (accept("DrvWithVersion(")) {
      if (const std::string version = string(); version != "xp-dyn-drv") {
        fail(fmt::format("version '{}' is not known", printable(version)));
      }
      dynamic_ = true;
      expect(",");
    } else {
      expect("Derive(");
    }
    list([&] { output(result); });
    expect(",");
    list([&] { input_derivation(result); });
    expect(",");
    list([&] { result.input_srcs.insert(StorePath::parse(string())); });
    expect(",");
    result.system = string();
    expect(",");
    result.builder = string();
    expect(",");
    list([&] { string(); });  // arguments
    expect(",");
    list([&] { variable(); });
    expect(")");
    if (position_ != text_.size()) {
      fail("there is more after its end");
    }
    return result;
  }

 private:
  [[noreturn]] void fail(std::string_view problem) const {
    throw FormatError(fmt::format("not a store derivation: at byte {}: {}", position_, problem),
                      "the .drv file may be damaged: nix-store --verify --check-contents tells");
  }

  bool accept(std::string_view token) {
    if (!text_.substr(position_).starts_with(token)) {
      return false;
    }
    position_ += token.size();
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) {
      fail(fmt::format("expected {}", token));
    }
  }

  std::string string() {
    expect("\"");
    std::string value;
    for (;;) {
      const std::size_t end = text_.find_first_of("\"\\", position_);
      if (end == std::string_view::npos || (text_[end] == '\\' && end + 1 == text_.size())) {
        fail("a string does not end");
      }
      value += text_.substr(position_, end - position_);
      position_ = end + 1;
      if (text_[end] == '"') {
        return value;
      }
      const char escaped = text_[position_++];
      value += escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped == 't' ? '\t' : escaped;
    }
  }

  template <class Item>
  void list(Item&& item) {
    expect("[");
    if (accept("]")) {
      return;
    }
    do {
      item();
    } while (accept(","));
    expect("]");
  }

  void output(Derivation& result) {
    expect("(");
    std::string name = string();
    expect(",");
    std::string path = string();
    if (!path.empty()) {
      StorePath::parse(path);
    }
    expect(",");
    string();  // how a fixed output is hashed
    expect(",");
    result.fixed_output = !string().empty() || result.fixed_output;
    expect(")");
    const auto [entry, is_new] = result.outputs.emplace(std::move(name), std::move(path));
    if (!is_new) {
      fail(fmt::format("output '{}' is there twice", printable(entry->first)));
    }
  }

  void input_derivation(Derivation& result) {
    expect("(");
    StorePath path = StorePath::parse(string());
    if (!path.is_derivation()) {
      fail(fmt::format("input {} is not a derivation", path.to_string()));
    }
    expect(",");
    std::set<std::string> outputs;
    output_names(outputs, 0);
    expect(")");
    const auto [entry, is_new] = result.input_drvs.emplace(std::move(path), std::move(outputs));
    if (!is_new) {
      fail(fmt::format("input {} is there twice", entry->first.to_string()));
    }
  }

  /// `["out"]`, or in a dynamic derivation also `(["out"],[("drv",<the same>)])`: the output named
  /// drv is a derivation itself, whose outputs are wanted; to get at them, drv is wanted too.
  void output_names(std::set<std::string>& names, int depth) {
    if (depth > kMaxDepth) {
      fail("outputs of outputs are nested too deeply");
    }
    const bool nested = dynamic_ && accept("(");
    list([&] { names.insert(string()); });
    if (!nested) {
      return;
    }
    expect(",");
    list([&] {
      expect("(");
      names.insert(string());
      expect(",");
      std::set<std::string> below;
      output_names(below, depth + 1);
      expect(")");
    });
    expect(")");
  }

  void variable() {
    expect("(");
    string();
    expect(",");
    string();
    expect(")");
  }

  std::string_view text_;
  std::size_t position_ = 0;
  bool dynamic_ = false;
};

}  // namespace

Derivation parse_derivation(std::string_view aterm) {
  return Parser(aterm).parse();
}

}  // namespace seed::nix
