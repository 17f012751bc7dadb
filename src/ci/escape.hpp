#pragma once

#include <string>
#include <string_view>

namespace seed::ci {

/// Data and property of a workflow command (actions/runner, ActionCommand).
std::string workflow_data(std::string_view text);
std::string workflow_property(std::string_view text);

/// The same for Azure's ##vso[…] (azure-pipelines-task-lib, taskcommand).
std::string vso_data(std::string_view text);
std::string vso_property(std::string_view text);

/// One word for a POSIX shell.
std::string shell_word(std::string_view text);

/// XML 1.0 character data or attribute value; what XML has no place for is made visible.
std::string xml(std::string_view text);

/// `text` where it has at most `limit_bytes`, else its start with … at the end; cut between
/// characters of UTF-8.
std::string shortened(std::string_view text, std::size_t limit_bytes);

/// `line` with `word` broken by a zero-width space after its first `at` bytes, wherever it occurs.
std::string broken(std::string_view line, std::string_view word, std::size_t at);

}  // namespace seed::ci
