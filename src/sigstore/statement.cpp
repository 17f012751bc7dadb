#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/verify.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::string_view kStatementV1 = "https://in-toto.io/Statement/v1";
constexpr std::string_view kStatementV0 = "https://in-toto.io/Statement/v0.1";

Subject subject_of(const json& value) {
  Subject subject;
  if (find_member(value, "name") != nullptr) {
    subject.name = string_member(value, "name");
  }
  const json& digests = object_member(value, "digest");
  if (digests.empty() || digests.size() > kMaxDigestsPerSubject) {
    throw FormatError(fmt::format(
        "a subject has {} digests instead of 1 to {}", digests.size(), kMaxDigestsPerSubject));
  }
  for (const auto& [algorithm, digest] : digests.items()) {
    if (!digest.is_string()) {
      throw FormatError(
          fmt::format("the digest '{}' of a subject is not a text", printable(algorithm)));
    }
    subject.digests.emplace(algorithm, digest.get<std::string>());
  }
  return subject;
}

/// in-toto's Statement has these members; strict readers refuse others, so that nobody can hide in
/// one of them what he wants only some to see.
void check_members(const json& statement) {
  for (const auto& [key, value] : statement.items()) {
    if (key != "_type" && key != "subject" && key != "predicateType" && key != "predicate") {
      throw FormatError(
          fmt::format("it has the member '{}', which a statement has not", printable(key)));
    }
  }
}

}  // namespace

Statement parse_statement(std::string_view text) {
  return while_doing("reading the statement", [&] {
    const json value = parse_json(text, kMaxStatementBytes, "statement");
    check_members(value);
    const std::string& type = string_member(value, "_type");
    if (type != kStatementV1 && type != kStatementV0) {
      throw FormatError(fmt::format(
          "its type is '{}', not an in-toto statement of version 1 or 0.1", printable(type)));
    }
    const json& subjects = list_member(value, "subject");
    if (subjects.empty() || subjects.size() > kMaxSubjects) {
      throw FormatError(
          fmt::format("it has {} subjects instead of 1 to {}", subjects.size(), kMaxSubjects));
    }
    Statement statement;
    std::ranges::transform(subjects, std::back_inserter(statement.subjects), subject_of);
    statement.predicate_type = string_member(value, "predicateType");
    if (statement.predicate_type.empty()) {
      throw FormatError("'predicateType' is empty");
    }
    const json* predicate = find_member(value, "predicate");
    statement.predicate = predicate == nullptr ? "{}" : object_member(value, "predicate").dump();
    return statement;
  });
}

}  // namespace seed::sigstore
