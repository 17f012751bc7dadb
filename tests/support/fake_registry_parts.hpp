#pragma once

#include "support/fake_registry.hpp"

namespace seed::test {

http::Response refusal(int status, std::string_view code, std::string_view message);
http::Response challenge(FakeRegistry::Auth auth);

}  // namespace seed::test
