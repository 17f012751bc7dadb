#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/text.hpp"
#include "trust/builders.hpp"

namespace seed::trust {
namespace {

std::string who_is(const KnownBuilder& builder) {
  if (const auto* key = std::get_if<sigstore::PublicKey>(&builder.who)) {
    return fmt::format("whoever has the private half of key {}", key->id().hex().substr(0, 16));
  }
  const auto& identity = std::get<sigstore::Identity>(builder.who);
  std::string text = fmt::format(
      "{}, as {} certifies it", printable(*identity.subject), printable(identity.issuer));
  if (identity.source_repository_uri) {
    text += fmt::format(", for jobs of {}", printable(*identity.source_repository_uri));
  }
  if (identity.source_repository_id) {
    text += fmt::format(" (number {})", printable(*identity.source_repository_id));
  }
  return text;
}

std::string list_of(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += i == 0 ? "" : i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

std::string rule_of(const QuorumPolicy& policy) {
  const std::size_t builders = policy.builders().size();
  std::string text = fmt::format("An artifact is promoted when {} of {} {} attest the same bytes",
                                 policy.quorum(),
                                 builders,
                                 builders == 1 ? "builder" : "builders");
  if (policy.level() == nix::TrustLevel::suspicious) {
    text += fmt::format(
        ", each in {} of {} independent logs", policy.log_quorum(), policy.logs().size());
  }
  return text + ".\n";
}

std::string waiting_of(const QuorumPolicy& policy) {
  const KnownBuilder* master = policy.master();
  return fmt::format("{} waits {} s for them, and then refuses.\n",
                     master == nullptr ? "Whoever promotes" : "The builder " + master->name,
                     policy.deadline().count());
}

std::string forging_of(const QuorumPolicy& policy) {
  const unsigned needed = policy.quorum();
  std::string text = fmt::format(
      "To forge a promotion somebody has to make {} {} sign bytes that they should not have "
      "built:\n"
      "each by one of\n"
      "  - the source: a change of the repository that is built, or of its workflow\n"
      "  - the platform: whoever runs the machines, or can change their images\n"
      "  - the identity: whoever issues tokens for it{}\n",
      needed,
      needed == 1 ? "builder" : "builders",
      std::ranges::any_of(policy.builders(), &KnownBuilder::signs_with_key)
          ? ", or a copy of the key file"
          : "");
  text += fmt::format(
      "A signature without the log's proof does not count{}, so that what was forged can be seen "
      "in\n"
      "{}.\n",
      policy.level() == nix::TrustLevel::suspicious ? ""
      : std::ranges::any_of(policy.builders(), &KnownBuilder::signs_with_key)
          ? " (but for those who sign with a key)"
          : "",
      list_of(policy.logs()));
  text +=
      "The registry, the network, and whoever may push tags can prevent a promotion, not forge "
      "one.\n";
  return text;
}

/// Groups of builders that fall together, by what they share.
std::string weak_points_of(const QuorumPolicy& policy) {
  std::string text;
  for (const nix::Independence& rule : nix::independence()) {
    std::map<std::string, std::vector<std::string>> groups;
    std::vector<std::string> unknown;
    for (const KnownBuilder& builder : policy.builders()) {
      const std::string value = rule.value(builder.cfg);
      if (value.empty()) {
        unknown.push_back(builder.name);
      } else {
        groups[value].push_back(builder.name);
      }
    }
    for (const auto& [value, names] : groups) {
      if (names.size() > 1) {
        text += fmt::format(
            "  - {} have one {}: {}{}\n",
            list_of(names),
            rule.name,
            printable(value),
            names.size() >= policy.quorum() ? ", which alone is enough to forge a promotion" : "");
      }
    }
    if (!unknown.empty()) {
      text += fmt::format("  - not known: the {} of {}\n", rule.name, list_of(unknown));
    }
  }
  return text;
}

}  // namespace

std::string explain(const QuorumPolicy& policy) {
  std::string text = rule_of(policy) + waiting_of(policy) + "\nThe builders are\n";
  for (const KnownBuilder& builder : policy.builders()) {
    text += fmt::format(
        "  - {}{}: {}\n", builder.name, builder.cfg.master ? " (master)" : "", who_is(builder));
  }
  text += "\n" + forging_of(policy);
  const std::string weak = weak_points_of(policy);
  text += weak.empty() ? "\nNo two builders share an owner, a parent, a law or a runner's image.\n"
                       : "\nThe builders are not, or not known to be, independent:\n" + weak;
  return text;
}

}  // namespace seed::trust
