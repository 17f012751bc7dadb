#include "nix/staleness.hpp"

#include <algorithm>

namespace seed::nix {
namespace {

class Judge {
 public:
  Judge(const std::map<StorePath, Derivation>& to_build,
        const std::function<bool(const StorePath&)>& in_seed)
      : to_build_(to_build), in_seed_(in_seed) {}

  bool is_own(const StorePath& drv) {
    if (const auto known = own_.find(drv); known != own_.end()) {
      return known->second;
    }
    const Derivation& derivation = to_build_.at(drv);
    bool own = std::ranges::any_of(derivation.input_srcs,
                                   [&](const StorePath& source) { return !in_seed_(source); });
    for (const auto& [input, outputs] : derivation.input_drvs) {
      own = own || (to_build_.contains(input) && is_own(input));
    }
    own_[drv] = own;
    return own;
  }

 private:
  const std::map<StorePath, Derivation>& to_build_;
  const std::function<bool(const StorePath&)>& in_seed_;
  std::map<StorePath, bool> own_;
};

}  // namespace

Staleness judge(const std::map<StorePath, Derivation>& to_build,
                const std::function<bool(const StorePath&)>& in_seed) {
  Judge judge(to_build, in_seed);
  std::vector<StorePath> rest;
  bool fetches = false;
  Staleness result;
  for (const auto& [drv, derivation] : to_build) {
    if (judge.is_own(drv)) {
      result.own.push_back(drv);
    } else {
      rest.push_back(drv);
      fetches = fetches || derivation.fixed_output;
    }
  }
  if (!fetches) {
    result.own.insert(result.own.end(), rest.begin(), rest.end());
    std::ranges::sort(result.own);
    return result;
  }
  for (const StorePath& drv : rest) {
    for (const auto& [name, path] : to_build.at(drv).outputs) {
      if (!path.empty()) {
        result.missing.push_back(StorePath::parse(path));
      }
    }
  }
  std::ranges::sort(result.missing);
  return result;
}

}  // namespace seed::nix
