#include "os/memory.hpp"

#include "support/catch.hpp"

namespace seed::os {
namespace {

TEST_CASE("what is available is read as the kernel writes it") {
  CHECK(parse_available("MemTotal:       24683768 kB\nMemFree:        15190000 kB\n"
                        "MemAvailable:   23080123 kB\nBuffers:               0 kB\n") ==
        std::uint64_t{23080123} * 1024);
  CHECK(parse_available("MemTotal: 1 kB\n") == 0);  // before Linux 3.14
  CHECK(parse_available("MemAvailable:   many kB\n") == 0);
  CHECK(parse_available("MemAvailable:   5\n") == 0);
  CHECK(parse_available("") == 0);
}

TEST_CASE("a control group leaves what it has not used of its bound") {
  CHECK(parse_group_rest("1000\n", "400\n") == 600);
  CHECK(parse_group_rest("1000\n", "1400\n") == 0);
  CHECK(parse_group_rest("1000\n", "") == 1000);
  CHECK(parse_group_rest("max\n", "400\n") == UINT64_MAX);
  CHECK(parse_group_rest("", "") == UINT64_MAX);
}

TEST_CASE("this machine says how much memory there is") {
  CHECK(available_memory() > 0);
}

}  // namespace
}  // namespace seed::os
