#include <cstddef>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/root_view.hpp"

namespace seed::os {
namespace {

Network network_from(const std::string& text) {
  if (text != "host" && text != "none") {
    throw UsageError("enter: --network is host or none, not " + printable(text));
  }
  return text == "host" ? Network::host : Network::none;
}

}  // namespace

std::vector<std::string> to_arguments(const RootView& view) {
  std::vector<std::string> arguments{"--lower",
                                     view.lower.string(),
                                     "--upper",
                                     view.upper.string(),
                                     "--directory",
                                     view.directory};
  if (view.store_lower) {
    arguments.insert(arguments.end(), {"--store", view.store_lower->string()});
  }
  if (view.network == Network::host) {
    arguments.emplace_back("--network");
    arguments.emplace_back("host");
  }
  if (view.writes == Writes::unsynced) {
    arguments.emplace_back("--unsynced");
  }
  if (view.invoker) {
    arguments.insert(arguments.end(), {"--as", to_text(*view.invoker)});
  }
  if (view.mounts) {
    arguments.insert(arguments.end(), {"--mounts", view.mounts->string()});
  }
  if (view.writes == Writes::dropped) {
    arguments.emplace_back("--drop-writes");
  }
  for (const Bind& each : view.binds) {
    arguments.insert(
        arguments.end(),
        {each.writable ? "--bind" : "--ro-bind", each.from.string(), each.to.string()});
  }
  return arguments;
}

RootView root_view_from_arguments(const std::vector<std::string>& arguments) {
  RootView view;
  std::size_t next = 0;
  const auto take = [&] {
    if (next >= arguments.size()) {
      throw UsageError("enter: an argument is missing at the end");
    }
    return arguments[next++];
  };
  while (next < arguments.size()) {
    const std::string name = take();
    if (name == "--lower") {
      view.lower = take();
    } else if (name == "--upper") {
      view.upper = take();
    } else if (name == "--directory") {
      view.directory = take();
    } else if (name == "--store") {
      view.store_lower = take();
    } else if (name == "--network") {
      view.network = network_from(take());
    } else if (name == "--unsynced") {
      view.writes = Writes::unsynced;
    } else if (name == "--as") {
      view.invoker = parse_invoker(take());
    } else if (name == "--mounts") {
      view.mounts = take();
    } else if (name == "--drop-writes") {
      view.writes = Writes::dropped;
    } else if (name == "--bind" || name == "--ro-bind") {
      const fs::path from = take();
      view.binds.push_back({from, take(), name == "--bind"});
    } else {
      throw UsageError("enter: unknown argument " + printable(name));
    }
  }
  if (view.lower.empty() || view.upper.empty()) {
    throw UsageError("enter: --lower and --upper are needed");
  }
  return view;
}

}  // namespace seed::os
