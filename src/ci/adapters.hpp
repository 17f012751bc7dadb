#pragma once

#include <memory>

#include "ci/host.hpp"

// One adapter per file; make_host() chooses.
namespace seed::ci {

/// GitHub, and Forgejo and Gitea, which speak its language.
std::unique_ptr<Host> make_actions_host(HostKind kind,
                                        const os::Environment& environment,
                                        Given given);
std::unique_ptr<Host> make_gitlab_host(const os::Environment& environment);
std::unique_ptr<Host> make_buildkite_host(const os::Environment& environment);
std::unique_ptr<Host> make_circleci_host(const os::Environment& environment);
std::unique_ptr<Host> make_azure_host(const os::Environment& environment);
/// A host without any place for what we have to say: none, and CI that we do not know.
std::unique_ptr<Host> make_plain_host(HostKind kind);

/// The value, or empty text.
std::string value_of(const os::Environment& environment, std::string_view name);

/// At most eight annotations of each level, since hosts show ten; a ninth says how many more there
/// are. Errors first.
std::vector<Annotation> within_limits(std::vector<Annotation> annotations);

/// Markdown of at most `limit_bytes`: cut after a line, with open code fences and details closed
/// and a word on what is gone (NS010).
std::string fit_summary(std::string_view markdown, std::uint64_t limit_bytes);

/// What the value of an output is called where names are variables: NIX_SEED_IMAGE, and
/// NIX_SEED_BUILD_MODE for the command build.
std::string variable_of(std::string_view command, std::string_view output);

}  // namespace seed::ci
