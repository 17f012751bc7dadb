#include "git/wire.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::git {
namespace {

constexpr std::string_view kBranches = "refs/heads/";
constexpr const char* kAgent = "agent=nix-seed";
constexpr std::size_t kMaxMessageBytes = 16 << 10;

[[noreturn]] void refuse(const std::string& problem, std::string hint = {}) {
  throw FormatError("git: " + problem, std::move(hint));
}

std::string_view line_of(std::string_view payload) {
  return payload.ends_with('\n') ? payload.substr(0, payload.size() - 1) : payload;
}

void for_each_packet(std::string_view body, PacketReader::Handler handler) {
  PacketReader reader(std::move(handler));
  reader.feed(bytes_of(body));
  reader.finish();
}

void refuse_error(std::string_view line) {
  if (line.starts_with("ERR ")) {
    throw NetworkError(fmt::format("the git server refuses: {}", printable(line.substr(4), 500)));
  }
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

bool is_object_id(std::string_view text) {
  return text.size() == 40 && std::ranges::all_of(text, is_hex);
}

bool is_branch_name(std::string_view name) {
  const auto forbidden = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' ||
           std::string_view("~^:?*[\\").find(c) != std::string_view::npos;
  };
  if (name.empty() || name.size() > 1024 || name == "@" || name.front() == '-' ||
      name.back() == '.' || std::ranges::any_of(name, forbidden) ||
      name.find("..") != std::string_view::npos || name.find("@{") != std::string_view::npos) {
    return false;
  }
  return std::ranges::none_of(split(name, '/'), [](std::string_view part) {
    return part.empty() || part.front() == '.' || part.ends_with(".lock");
  });
}

std::optional<std::string> Advertisement::branch(const std::string& name) const {
  const auto found = branches.find(name);
  return found == branches.end() ? std::nullopt : std::optional(found->second);
}

Advertisement parse_advertisement(std::string_view body) {
  Advertisement result;
  bool announced = false;
  int flushes = 0;
  for_each_packet(body, [&](Packet kind, std::string_view payload) {
    if (kind != Packet::data) {
      ++flushes;
      return;
    }
    std::string_view line = line_of(payload);
    if (line == "# service=git-receive-pack") {
      announced = true;
      return;
    }
    refuse_error(line);
    if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
      for (const std::string_view word : split(line.substr(nul + 1), ' ')) {
        result.capabilities.emplace(word);
      }
      line = line.substr(0, nul);
    }
    if (line.size() < 42 || line[40] != ' ' || !is_object_id(line.substr(0, 40))) {
      refuse(fmt::format("'{}' is no ref", printable(line)),
             "only repositories with SHA-1 names can be pushed to");
    }
    if (const std::string_view name = line.substr(41); name.starts_with(kBranches)) {
      result.branches.emplace(name.substr(kBranches.size()), line.substr(0, 40));
    }
  });
  if (!announced || flushes != 2) {
    refuse("the answer is no list of refs", "is the URL that of a git repository?");
  }
  return result;
}

FetchCapabilities parse_fetch_capabilities(std::string_view body) {
  FetchCapabilities result;
  bool version_2 = false;
  for_each_packet(body, [&](Packet kind, std::string_view payload) {
    const std::string_view line = line_of(payload);
    if (kind != Packet::data) {
      return;
    }
    refuse_error(line);
    version_2 = version_2 || line == "version 2";
    if (line.starts_with("fetch=")) {
      const auto words = split(line.substr(6), ' ');
      result.filter = std::ranges::find(words, "filter") != words.end();
    }
    if (line.starts_with("object-format=")) {
      result.names_format = true;
      if (line.substr(14) != "sha1") {
        refuse(fmt::format("the repository's objects are named by {}", printable(line.substr(14))),
               "only repositories with SHA-1 names can be read");
      }
    }
  });
  if (!version_2) {
    refuse("the server does not speak version 2 of the protocol",
           "is the URL that of a git repository, served by git 2.18 or later?");
  }
  return result;
}

std::string fetch_body(const FetchRequest& request, const FetchCapabilities& capabilities) {
  std::string body = packet("command=fetch\n") + packet(fmt::format("{}\n", kAgent));
  if (capabilities.names_format) {
    body += packet("object-format=sha1\n");
  }
  body += kDelimiter;
  body += packet("ofs-delta\n") + packet("no-progress\n");
  if (request.shallow) {
    body += packet("deepen 1\n");
  }
  if (!request.filter.empty() && capabilities.filter) {
    body += packet(fmt::format("filter {}\n", request.filter));
  }
  for (const std::string& want : request.wants) {
    body += packet(fmt::format("want {}\n", want));
  }
  return body + packet("done\n") + std::string(kFlush);
}

FetchReader::FetchReader(Sink pack)
    : pack_(std::move(pack)),
      packets_([this](Packet kind, std::string_view payload) { take(kind, payload); }) {}

void FetchReader::section(std::string_view line) {
  refuse_error(line);
  if (line == "packfile") {
    state_ = State::pack;
  } else if (line == "shallow-info" || line == "acknowledgments" || line == "wanted-refs") {
    state_ = State::body;
  } else {
    refuse(fmt::format("'{}' begins no section of an answer", printable(line)));
  }
}

void FetchReader::take(Packet kind, std::string_view payload) {
  if (kind != Packet::data) {
    if (state_ == State::pack && kind == Packet::flush) {
      state_ = State::done;
    } else if (state_ == State::body && kind == Packet::delimiter) {
      state_ = State::header;
    } else {
      refuse("the answer ends before the pack does");
    }
    return;
  }
  switch (state_) {
    case State::header:
      section(line_of(payload));
      return;
    case State::body:
      return;
    case State::pack:
      break;
    case State::done:
      refuse("bytes behind the end of the answer");
  }
  const char band = payload.empty() ? '\0' : payload.front();
  if (band == '\3') {
    throw NetworkError(
        fmt::format("the git server failed: {}", printable(trim(payload.substr(1)), 500)));
  }
  if (band == '\1') {
    pack_(bytes_of(payload.substr(1)));
  } else if (band != '\2') {
    refuse("a packet of no band");
  }
}

void FetchReader::finish() const {
  packets_.finish();
  if (state_ != State::done) {
    refuse("the answer was cut short");
  }
}

std::string push_head(const RefUpdate& update,
                      const std::vector<std::string>& options,
                      const Advertisement& advertisement) {
  std::string words = "report-status";
  for (const char* word : {"side-band-64k", "object-format=sha1"}) {
    if (advertisement.capabilities.contains(word)) {
      words += fmt::format(" {}", word);
    }
  }
  const bool with_options = !options.empty() && advertisement.capabilities.contains("push-options");
  if (with_options) {
    words += " push-options";
  }
  std::string head = packet(fmt::format("{} {} {}", update.before, update.after, update.name)
                                .append(1, '\0')
                                .append(fmt::format("{} {}", words, kAgent)));
  head += kFlush;
  if (with_options) {
    for (const std::string& option : options) {
      head += packet(option);
    }
    head += kFlush;
  }
  return head;
}

PushReport parse_push_report(std::string_view body, const std::string& ref, bool sideband) {
  PushReport report;
  std::string status;
  if (sideband) {
    for_each_packet(body, [&](Packet, std::string_view payload) {
      const char band = payload.empty() ? '\1' : payload.front();
      const std::string_view rest = payload.empty() ? payload : payload.substr(1);
      if (band == '\1') {
        status += rest;
      } else if (report.messages.size() + rest.size() <= kMaxMessageBytes) {
        report.messages += rest;
      }
    });
  } else {
    status = body;
  }
  bool unpacked = false;
  for_each_packet(status, [&](Packet kind, std::string_view payload) {
    const std::string_view line = line_of(payload);
    if (kind != Packet::data) {
      return;
    }
    if (line.starts_with("unpack ")) {
      unpacked = line == "unpack ok";
      report.reason = unpacked ? "" : printable(line, 500);
    } else if (line == "ok " + ref) {
      report.moved = true;
    } else if (line.starts_with("ng " + ref + " ")) {
      report.reason = printable(line.substr(ref.size() + 4), 500);
    }
  });
  report.moved = report.moved && unpacked;
  if (report.moved) {
    report.reason.clear();
  } else if (report.reason.empty()) {
    report.reason = report.messages.empty() ? "the server does not say why"
                                            : printable(trim(report.messages), 500);
  }
  return report;
}

}  // namespace seed::git
