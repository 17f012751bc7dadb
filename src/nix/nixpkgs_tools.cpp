#include "nix/nixpkgs_tools.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

/// The same choice as lib.mkSeed makes with `pkgs`: one list of packages, and each as a derivation
/// with the output that its store path is.
constexpr std::string_view kExpression = R"(pkgs:
  let
    tools = [
      pkgs.bashInteractive pkgs.coreutils pkgs.gnugrep pkgs.gnused pkgs.gnutar pkgs.gzip
      pkgs.zstd pkgs.findutils pkgs.git
    ];
    glibc = (pkgs.stdenv.hostPlatform.libc or "glibc") == "glibc";
    libraries = if glibc then [ pkgs.stdenv.cc.libc pkgs.stdenv.cc.cc.lib ] else [ ];
    all = [ pkgs.nix pkgs.cacert ] ++ tools ++ libraries;
    plain = builtins.unsafeDiscardStringContext;
  in {
    config = {
      version = 1;
      nix = plain "${pkgs.nix}";
      tools = map (p: plain "${p}") tools;
      cacert = plain "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
      loader = if glibc then plain pkgs.stdenv.cc.bintools.dynamicLinker else null;
      libs = map (p: plain "${p}/lib") libraries;
    };
    wanted = map (p: { drv = plain p.drvPath; output = p.outputName or "out"; }) all;
  })";

}  // namespace

bool has_nixpkgs(const FlakeLock& lock) {
  const auto root = lock.nodes.find(lock.root);
  return root != lock.nodes.end() && root->second.inputs.contains("nixpkgs");
}

NixpkgsTools parse_nixpkgs_tools(std::string_view text) {
  constexpr const char* kWhat = "the tools of nixpkgs";
  const json document = parse_json(text, kWhat);
  const auto config = document.find("config");
  const auto wanted = document.find("wanted");
  if (config == document.end() || wanted == document.end() || !wanted->is_array()) {
    throw FormatError(fmt::format("{}: 'config' or 'wanted' is missing", kWhat));
  }
  NixpkgsTools tools{.config = parse_seed_config(config->dump())};
  for (const json& item : *wanted) {
    tools.wanted[StorePath::parse(string_member(item, "drv", kWhat))].insert(
        string_member(item, "output", kWhat));
  }
  return tools;
}

std::optional<NixpkgsTools> tools_from_nixpkgs(Nix& nix,
                                               const std::string& flake,
                                               const std::string& system,
                                               const std::filesystem::path& scratch) {
  // Nix 2.8 takes no empty value for "no registry", but a file with an empty one.
  const std::filesystem::path registry = scratch / "registry.json";
  os::atomic_write(registry, kEmptyRegistry);
  const auto text = nix.eval_json(
      "nixpkgs#legacyPackages." + system,
      std::string(kExpression),  // The input is looked up in the flake alone, never in a registry.
      {"--inputs-from", flake, "--option", "flake-registry", registry.string()});
  if (!text) {
    return std::nullopt;
  }
  return parse_nixpkgs_tools(*text);
}

}  // namespace seed::nix
